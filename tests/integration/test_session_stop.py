"""The end of sessions, by a stop or a reload: what had come is stored, and what the CAD says meanwhile is no trouble."""

import pytest
import store
from cad import COMMUNITY
from ctl_tools import status_of
from disk import NO_SPACE, STALL, WRITE
from harness import KEY, WRONG_KEY, call911, config, wait_for
from test_session_life import template
from wires import Wire

MANY = 4000
UNREADABLE = "speaks another SignalR protocol"
LIMITS = {"in_flight": "4M", "body": "64K"}


def calls(daemon):
    return store.call_ids(daemon.file.parent / "events.db")


def leave_by_reload(daemon):
    daemon.reload(config(limits=LIMITS))
    wait_for(lambda: len(calls(daemon)) == MANY, f"all {MANY}")
    daemon.stop()


@pytest.mark.parametrize("leave", [lambda daemon: daemon.stop(), leave_by_reload], ids=["stop", "reload"])
def test_what_waits_is_stored(start, cad, disk, leave):
    """More than there is room for in the pipeline, when the disk has only just become well again."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=disk.env, limits=LIMITS)
    hub.wait_sessions(1)
    with disk.failing(STALL):
        hub.burst(community=COMMUNITY, server=1, first=1, count=MANY, template=template())
        wait_for(lambda: hub.bursts()[0]["over"], f"all {MANY}")
        hub.wait_read()
        hub.close(allowReconnect=True)
        daemon.wait_line("the CAD closed the session")
    leave(daemon)
    assert calls(daemon) == list(range(1, MANY + 1))
    assert not any("lost" in line for line in daemon.lines())


def state_of(daemon, name):
    return next((one["state"] for one in status_of(daemon)["sessions"] if one["name"] == name), None)


def test_an_answer_to_the_handshake_after_the_end(start, cad):
    """It crosses our close frame, and is no trouble."""
    hub = cad(accounts={COMMUNITY: {"key": KEY, "servers": [1, 2]}}, ways={"/late": {"handshake": {"hang": True}}})
    wire = Wire(hub.port)
    try:
        stays = hub.session(name="stays", server=2)
        daemon = start(sessions=[hub.session(url=hub.at("/late", port=wire.port)), stays])
        hub.wait_sessions(1)
        [late] = wait_for(lambda: [c for c in hub.connections() if c["path"] == "/late" and c["records"]], "a handshake")
        wire.held = True
        hub.text(number=late["number"], text="{}\x1e")
        daemon.reload(config(sessions=[stays]))
        wait_for(lambda: state_of(daemon, "city") in ("closing", None), "the end of it")
        wire.held = False
        daemon.wait_line("session city: closed")
    finally:
        wire.close()
    assert not any(UNREADABLE in line for line in daemon.lines())


def another_key(hub):
    hub.set(accounts={COMMUNITY: {"key": WRONG_KEY, "servers": [1]}})
    return [{"name": "default", "api_key": WRONG_KEY}]


def test_another_key_while_events_wait(start, cad, disk):
    """They came with the one that was right then."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=disk.env)
    hub.wait_sessions(1)
    with disk.failing(NO_SPACE, calls=1 << WRITE):
        hub.push(call911(1))
        daemon.wait_line("events cannot be stored")
        for n in range(2, 11):
            hub.push(call911(n))
        hub.wait_read()
        daemon.reload(config(sessions=[hub.session()], communities=another_key(hub)))
    wait_for(lambda: calls(daemon) == list(range(1, 11)), "all ten, in their order")
    hub.wait_sessions(1)
    hub.push({**call911(11), "key": WRONG_KEY})
    wait_for(lambda: calls(daemon)[-1] == 11, "the next one")
    assert not any("wrong key" in line for line in daemon.lines())


def test_another_key_while_events_are_on_their_way(start, cad):
    """Sent before the CAD had read that the session goes."""
    hub = cad()
    wire = Wire(hub.port)
    try:
        city = hub.session(url=hub.at("/apiWsHub", port=wire.port))
        daemon = start(sessions=[city])
        hub.wait_sessions(1)
        wait_for(lambda: state_of(daemon, "city") == "open", "its login")
        wire.held = True
        hub.push(call911(1))
        daemon.reload(config(sessions=[city], communities=another_key(hub)))
        wait_for(lambda: state_of(daemon, "city") != "open", "the end of it")
        wire.held = False
        hub.wait_connections(2)
        daemon.wait_line("session city: connected to 127.0.0.1", since=len(daemon.lines()) - 1)
    finally:
        wire.close()
    assert not any("wrong key" in line for line in daemon.lines())  # where it took a second it is lost, and not refused


PING = {"text": '{"type":6}\x1e'}
MORE_THAN_A_ROUND = 1500


def test_what_has_come_is_read_however_much_it_is(start, cad, clock):
    """Our system has acknowledged it. The daemon, which was held up, reads it although its patience with the CAD is over."""
    hub = cad(accounts={COMMUNITY: {"key": KEY, "servers": [1, 2]}})
    wire = Wire(hub.port)
    try:
        city = hub.session(url=hub.at("/apiWsHub", port=wire.port))
        daemon = start(sessions=[city], env=clock.env)
        wait_for(lambda: state_of(daemon, "city") == "open", "its login")
        [leg] = wire.legs
        wire.held = True
        hub.frames(frames=[PING] * MORE_THAN_A_ROUND, glue=True)
        hub.push(call911(1))
        daemon.reload(config(sessions=[{**city, "server": 2}]))
        with daemon.stopped():
            wire.held = False
            wait_for(lambda: leg.over or (b"callId" in leg.bytes and leg.outstanding() == 0), "all of it")
            if leg.over and leg.numbers != [1]:
                pytest.skip("this machine took a second between two lines")
            clock.set(2, 2, 2)
        hub.wait_connections(2)
        wait_for(lambda: state_of(daemon, "city") == "open", "the new one")
        assert calls(daemon) == [1]
    finally:
        wire.close()
