"""A session's life: kept, lost, taken up again, changed by a reload; and what is told about it."""

import json
import re
import time

import harness
import pytest
import store
from cad import COMMUNITY, fixed_port
from certificates import Authority
from ctl_tools import status_of
from disk import STALL
from harness import KEY, call911, config, wait_for
from wires import Wire

SECONDS_IN = {"h": 3600, "min": 60, "s": 1, "ms": 0.001}


@pytest.fixture
def wire():
    wires = []

    def wire(hub):
        wires.append(Wire(hub.port))
        return wires[-1]

    yield wire
    for one in wires:
        one.close()


def calls(daemon):
    return store.call_ids(daemon.file.parent / "events.db")


def wait_calls(daemon, *ids):
    wait_for(lambda: calls(daemon) == list(ids), f"{ids}, not {calls(daemon)}")


def session_of(daemon, name="city"):
    """As status has it."""
    return next(one for one in status_of(daemon)["sessions"] if one["name"] == name)


def seconds_of(line):
    """The gap that a line names."""
    text = re.search(r"again, (.+?) without connection", line)[1]
    return sum(float(n) * SECONDS_IN[unit] for n, unit in re.findall(r"(\d+)(h|min|ms|s)", text))


def template(id_="$N", **more):
    """Of the events of a burst."""
    return json.dumps(call911(id_, **more)).replace('"$N"', "$N")


# The end of a connection


@pytest.mark.parametrize(
    "end, line",
    [
        (lambda hub: hub.close(allowReconnect=True), "the CAD closed the session"),
        (lambda hub: hub.close(error="Going down", allowReconnect=True), "the CAD closed the session: Going down"),
        (lambda hub: hub.close(), "closed by the CAD without reason"),
        (lambda hub: hub.close(allowReconnect=True, code=0), "the CAD closed the session"),
        (lambda hub: hub.close(record=False), "the CAD closed the session"),
        (lambda hub: hub.cut(how="end"), "connection lost"),
        (lambda hub: hub.cut(how="reset"), "connection lost"),
    ],
    ids=["may reconnect", "with a word", "kicked", "no close frame", "close frame alone", "FIN", "RST"],
)
def test_connects_again(start, cad, end, line):
    """What was sent before is stored, and what comes on the next connection."""
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions(1)
    for id_ in range(1, 51):
        hub.push(call911(id_))
    end(hub)
    daemon.wait_line(f"session city: .*{line}")
    daemon.wait_line("session city: connected to 127.0.0.1 again, .* without connection")
    hub.wait_sessions(1)
    hub.push(call911(51))
    wait_calls(daemon, *range(1, 52))
    assert (hub.counts()["connections"], hub.counts()["doubles"]) == (2, 0)


def test_killed_hub(start):
    """Gone without a word, and its port refuses; then it is back."""
    hub = fixed_port()
    try:
        daemon = start(sessions=[hub.session()])
        hub.wait_sessions(1)
        hub.push(call911(1))
        daemon.wait_line("911 call 1 ")
        with hub.down():
            daemon.wait_line("session city: .*(refuse|connect)")
            assert daemon.serves()
        hub.wait_sessions(1)
        daemon.wait_line("session city: connected to 127.0.0.1 again")
        hub.push(call911(2))
        daemon.wait_line("911 call 2 ")
    finally:
        hub.kill()


def test_kicked_twice(start, cad, clock):
    """Two such ends soon after a login: somebody else may be there. Said, and slower."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=clock.env)
    for n in 1, 2:
        hub.wait_connections(n)
        hub.wait_sessions(1)
        hub.close()
        wait_for(lambda: hub.counts()["sessions"] == 0, "the end")
    line = daemon.wait_line("closed by the CAD without reason, twice: another program with server 1")
    assert '"priority":4' in line
    clock.fly_to_line(daemon, "session city: connected .*again", since=len(daemon.lines()))
    second, third = hub.connections()[1:3]
    assert third["opened"] - second["closed"] + clock.flown_s * 1000 >= 29_000


# Life


def test_frozen_hub_that_answered_pings(start, cad, clock):
    """Its system acknowledges, it says nothing: 20 s in all, since it has answered pings before."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=clock.env)
    hub.wait_sessions(1)
    wait_for(lambda: hub.connections()[0]["pings"] > 0, "a ping")
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    since = len(daemon.lines())
    with hub.frozen():
        seconds = int(re.search(r"nothing heard for (\d+)s", clock.fly_to_line(daemon, "nothing heard for", since))[1])
        assert 10 <= seconds < 30
    hub.wait_sessions(1)
    daemon.wait_line("session city: connected to 127.0.0.1 again", since)
    hub.push(call911(2))
    daemon.wait_line("911 call 2 ")


def test_hub_that_never_answers_pings(start, cad, clock):
    """It keeps its session, as long as it says anything within 30 s."""
    hub = cad(pong=False, keepAlive=1_200)
    daemon = start(sessions=[hub.session()], env=clock.env)
    hub.wait_sessions(1)
    clock.fly_until(lambda: hub.connections()[0]["pings"] >= 4, "four pings without an answer")
    counts = hub.counts()
    assert (counts["connections"], counts["sessions"]) == (1, 1)
    since = len(daemon.lines())
    hub.set(keepAlive=600_000)
    seconds = int(re.search(r"nothing heard for (\d+)s", clock.fly_to_line(daemon, "nothing heard for", since))[1])
    assert seconds >= 29
    hub.wait_connections(2)


def test_pings_both_ways(start, cad):
    """The hub's time of patience does not run out: each of our pings comes in time, with nothing else to say."""
    hub = cad(clientTimeout=20_000)
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions(1)
    wait_for(lambda: [r["type"] for r in hub.connections()[0]["records"][1:]].count(6) >= 3, "three pings")
    assert hub.counts()["connections"] == 1
    assert not any("nothing heard" in line for line in daemon.lines())


def test_half_open(start, cad, network, tmp_path):
    """All packets are dropped, in both directions: 20 s, and connected again once they go through."""
    authority = Authority(tmp_path / "tls")
    hub = cad(host=network.there, wrapper=network.wrapper, tls=authority.sign("there", f"IP:{network.there}"))
    url = hub.at("/apiWsHub", host=network.there)
    daemon = start(sessions=[hub.session(url=url, ca_file=str(authority.ca))])
    hub.wait_sessions(1)
    wait_for(lambda: hub.connections()[0]["pings"] > 0, "a ping")
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    since, began = len(daemon.lines()), time.monotonic()
    with network.dropped():
        hub.push(call911(2))  # into the void
        daemon.wait_line("session city: nothing heard for", since)
        daemon.wait_line("session city: .*(time|reach|connect)", since + 1)
    line = daemon.wait_line(r"session city: connected to \S+ again, (\w+) without connection", since)
    named = seconds_of(line)
    assert abs(named - (time.monotonic() - began)) < 12, line  # from the last byte, which may be a pong's time ago
    hub.push(call911(3))
    daemon.wait_line("911 call 3 ")
    assert 2 not in calls(daemon)


def test_gap_is_named(start, cad, wire):
    """From the last byte to the login: not less than what it had to wait, and no more than all the time since."""
    hub = cad()
    between = wire(hub)
    daemon = start(sessions=[hub.session(url=hub.at("/apiWsHub", port=between.port))])
    hub.wait_sessions(1)
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    hub.set(upgrade={"status": "503 Busy", "headers": {"Retry-After": "3"}})
    between.cut()
    hub.wait_upgrades(2)
    hub.set(upgrade=None)
    line = daemon.wait_line("session city: connected to 127.0.0.1 again")
    assert 3 <= seconds_of(line) <= time.time() - between.legs[0].last_byte + 1, line
    assert '"priority":5' in line


def test_long_gap_is_a_warning(start, cad, clock):
    hub = cad()
    daemon = start(sessions=[hub.session()], env=clock.env)
    hub.wait_sessions(1)
    hub.set(upgrade=[{"status": "503 Busy", "headers": {"Retry-After": "31"}}, None])
    hub.cut(how="end")
    line = clock.fly_to_line(daemon, "session city: connected to 127.0.0.1 again")
    assert '"priority":4' in line and seconds_of(line) >= 31


def test_503_without_a_time(start, cad, clock):
    """Not asked again and again."""
    hub = cad(upgrade=[{"status": "503 Busy"}, None])
    start(sessions=[hub.session()], env=clock.env)
    hub.wait_upgrades(1)
    clock.fly_until(lambda: hub.counts()["sessions"], "a session")
    first, second = hub.seen()["upgrades"]
    assert 59_000 <= second["at"] - first["at"] + clock.flown_s * 1000


# Reload and stop


def test_reload(start, cad):
    """Adds, changes and removes sessions; those that stay do not notice."""
    hub = cad(accounts={COMMUNITY: {"key": KEY, "servers": [1, 2, 3]}})
    stays, changes, goes = hub.session(name="stays"), hub.session(name="changes", server=2), hub.session(name="goes", server=3)
    daemon = start(sessions=[stays, goes])
    hub.wait_sessions(2)
    daemon.reload(config(sessions=[stays, goes, changes]))
    hub.wait_sessions(3)
    daemon.reload(config(sessions=[stays, {**changes, "name": "renamed", "server": 3}]))
    hub.wait_connections(4)
    wait_for(lambda: sorted(c["server"] for c in hub.connections() if not c["closed"] and c["loggedIn"]) == [1, 3], "two")
    hub.wait_sessions(2)
    for server in 1, 3:
        assert hub.push(call911(server), server=server) == 1
        daemon.wait_line(f"911 call {server} ")
    daemon.stop()
    rows = store.read(daemon.file.parent / "events.db", "SELECT listener FROM events ORDER BY id")
    assert rows == [("stays",), ("renamed",)]
    counts = hub.counts()
    assert (counts["doubles"], counts["connections"]) == (0, 4)
    first = hub.connections()[0]
    assert first["server"] == 1


def test_reload_to_none_and_back(start, cad):
    """The last one goes with a good word, and comes again."""
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions(1)
    daemon.reload(config())
    wait_for(lambda: hub.counts()["open"] == 0, "its end")
    assert hub.connections()[0]["records"][-1]["type"] == 7
    daemon.reload(config(sessions=[hub.session()]))
    hub.wait_sessions(1)
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    assert hub.counts()["doubles"] == 0


def test_same_place_under_another_name(start, cad):
    """The new one connects when the old one has gone: never two."""
    hub = cad()
    daemon = start(sessions=[hub.session(name="old")])
    hub.wait_sessions(1)
    for n in range(5):
        daemon.reload(config(sessions=[hub.session(name=f"new{n}")]))
        daemon.wait_line(f"session new{n}: connected")
    assert hub.counts()["doubles"] == 0


def test_reload_while_the_hub_is_silent(start, cad):
    """Neither the reload nor the stop waits for who does not answer."""
    hub = cad(handshake={"hang": True})
    daemon = start(sessions=[hub.session()])
    hub.wait_connections(1)
    with hub.frozen():
        daemon.reload(config(sessions=[hub.session(name="other")]))
        assert daemon.serves()
        daemon.stop()


@pytest.mark.parametrize("changes, said", [({}, "name"), ({"name": "b"}, "server|same")], ids=["one name", "one place"])
def test_two_that_meet(start, cad, changes, said):
    """A mistake in the configuration."""
    hub = cad()
    daemon = start(sessions=[hub.session()])
    lines = daemon.reload(config(sessions=[hub.session(), hub.session(**changes)]))
    assert any("stays in force" in line for line in lines) and any(re.search(said, line) for line in lines)
    check = harness.run("-c", daemon.file, "--check")
    assert check.returncode == 78


@pytest.mark.parametrize("url, ok", [("http://cad.example.com/apiWsHub", False), ("http://127.0.0.1:1/x", True), ("ftp://127.0.0.1/", False), ("", False)])
def test_urls(start, url, ok, tmp_path):
    """The key goes over http:// on this machine alone."""
    file = tmp_path / "urls.yaml"
    harness.write_private(file, config(sessions=[{"name": "city", "community_id": "x", "url": url}]))
    assert harness.run("-c", file, "--check").returncode == (0 if ok else 78)


def test_stop(start, cad):
    """With a good word, and not without what had come."""
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions(1)
    hub.burst(community=COMMUNITY, server=1, first=1, count=2000, template=template())
    wait_for(lambda: len(calls(daemon)) > 500, "some of them")
    daemon.stop()
    wait_for(lambda: hub.counts()["open"] == 0, "the end")
    [connection] = hub.connections()
    assert connection["records"][-1]["type"] == 7
    stored = calls(daemon)
    assert stored == list(range(1, len(stored) + 1))


# Room


def test_store_that_stalls(start, cad, disk):
    """Up to limits.in_flight is read on into memory. Above it the session is closed and that told; what had come is stored
    in its order once there is room, and the session is back."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=disk.env, limits={"in_flight": "1M", "body": "64K"})
    hub.wait_sessions(1)
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    with disk.failing(STALL):
        hub.burst(community=COMMUNITY, server=1, first=2, template=template(description="x" * 10_000))
        daemon.wait_line("session city: .*limits.in_flight")
        hub.quiet()
        hub.wait_sessions(0)
    hub.wait_sessions(1)
    hub.push(call911(1_000_000))
    wait_for(lambda: 1_000_000 in calls(daemon), "the last")
    stored = calls(daemon)
    assert stored[:-1] == list(range(1, len(stored))), "in order, each once"
    assert sum(len("x" * 10_000) for _ in stored) >= 900_000


# What is shown


def test_status(start, cad):
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions(1)
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    assert session_of(daemon)["state"] == "open"
    hub.set(upgrade={"status": "503 Busy"})
    hub.cut(how="reset")
    daemon.wait_line("503 Busy")
    assert session_of(daemon)["state"] != "open"
