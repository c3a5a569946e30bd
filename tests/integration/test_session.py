"""The CAD's own connection: what comes by it is stored, and what becomes of the connection is told."""

import re

import pytest
from ctl_tools import ask_socket, ctl, store_of
from disk import NO_SPACE, WRITE
from harness import KEY, WRONG_KEY, call911, free_port, wait_for
from store import call_ids
from test_metrics import value


def test_connects_stores_and_connects_again(cad, start):
    hub = cad(port=free_port())
    daemon = start(sessions=[hub.session()])
    daemon.wait_line("session city: connected to 127.0.0.1, events of server 1 come here")
    hub.push(call911(1))
    daemon.wait_line("911 call 1")
    with hub.down():
        daemon.wait_line("session city: connection lost")
    daemon.wait_line("session city: connected to 127.0.0.1 again, .*s without connection")
    hub.push(call911(2))
    daemon.wait_line("911 call 2")
    daemon.stop()


def wait_calls(daemon, *ids):
    wait_for(lambda: call_ids(log_of(daemon)) == list(ids), f"the calls {ids}")


def log_of(daemon):
    return store_of(daemon)


def ask(daemon, target):
    status, _, answer = ask_socket(f"{store_of(daemon)}.control", "GET", target)
    return status, answer


def status_of(daemon):
    [city] = ask(daemon, "/api/status")[1]["sessions"]
    return city


# Whose events


def test_keys(cad, start):
    """Right: taken; none: taken, since the session has logged in; another one: refused and counted."""
    hub = cad()
    daemon = start(
        communities=[{"name": "default", "api_key": KEY}, {"name": "west", "api_key": WRONG_KEY}], sessions=[hub.session()]
    )
    hub.wait_sessions()
    without = call911(2)
    del without["key"]
    for body in call911(1), {**call911(9), "key": WRONG_KEY}, {**call911(9), "key": "x"}, without, call911(3, note="é\n"):
        hub.push(body)
    wait_calls(daemon, 1, 2, 3)
    daemon.wait_line("refused a request from 127.0.0.1: the key of another community than the session's, for EVENT_911")
    daemon.wait_line("refused a request from 127.0.0.1: wrong key, for EVENT_911")
    assert value(daemon, 'requests_total{listener="city",result="wrong_key"}') == 2
    city = status_of(daemon)
    assert (city["events"], city["refused"]) == (3, 2)
    hub.push("{")
    hub.text(text='{"type":1,"target":"pushEvent","arguments":["a\\u0000b"]}\x1e')
    wait_for(lambda: status_of(daemon)["refused"] == 4, "four that are refused")
    said = ctl("status", "--store", store_of(daemon)).stdout
    assert re.search(r"open since \d+ s ago, 3 events, the last \d+ s ago, 4 refused, 0 gaps\n", said)


# A disk that fails


@pytest.mark.parametrize("payload", ["text", "object"])
def test_waits_for_the_disk(cad, start, disk, payload):
    """What comes while nothing can be stored is stored afterwards, once and in its order."""
    hub = cad(payload=payload)
    daemon = start(sessions=[hub.session()], env=disk.env)
    hub.wait_sessions()
    hub.push(call911(1))
    wait_calls(daemon, 1)
    with disk.failing(NO_SPACE, calls=1 << WRITE):
        for n in range(2, 40):
            hub.push(call911(n))
        daemon.wait_line(r"events cannot be stored \(those of sessions wait in memory, posted ones are answered 503\): ")
        hub.push(call911(40), invocationId="q")
    wait_calls(daemon, *range(1, 41))
    assert status_of(daemon)["connects"] == 1
    [answer] = wait_for(lambda: [r for r in hub.connections()[0]["records"] if r.get("invocationId") == "q"], "an answer")
    assert "error" not in answer
    daemon.stop()


def test_too_much_waits(cad, start, disk):
    """Above limits.in_flight the session is closed and that told; there is one again when there is room."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=disk.env, limits={"body": "4K", "in_flight": "32K"})
    hub.wait_sessions()
    with disk.failing(NO_SPACE, calls=1 << WRITE):
        for n in range(1, 100):
            hub.push(call911(n, description="x" * 1000))
        daemon.wait_line(r"session city: closed, since more than limits.in_flight \(32K\) waits to be stored")
        hub.wait_sessions(0)
    hub.wait_sessions(1)
    hub.push(call911(200))
    daemon.wait_line("911 call 200")
    *ids, last = call_ids(log_of(daemon))
    assert last == 200 and ids == list(range(1, len(ids) + 1)) and 10 < len(ids) < 40
    daemon.stop()


def test_lost_at_the_end_is_told(cad, start, disk):
    hub = cad()
    daemon = start(sessions=[hub.session()], env=disk.env)
    hub.wait_sessions()
    disk.begin(NO_SPACE, calls=1 << WRITE)
    for n in range(3):
        hub.push(call911(n + 1))
    daemon.wait_line("events cannot be stored")
    hub.wait_read()
    daemon.stop()
    daemon.wait_line("3 events of sessions could not be stored before the end, and are lost")


# What is shown


def test_status(cad, start):
    hub = cad(keepAlive=100)
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    hub.push(call911(1))
    daemon.wait_line("911 call 1")
    city = wait_for(lambda: (now := status_of(daemon))["life"] == "pings" and now, "a ping that is answered")
    assert (city["name"], city["host"], city["server"], city["community"]) == ("city", "127.0.0.1", 1, "default")
    assert (city["state"], city["connects"], city["gaps"], city["events"]) == ("open", 1, 0, 1)
    assert city["since"] <= city["last_event"]
    wait_for(lambda: status_of(daemon)["last_record"] > city["last_event"], "a ping of the hub")
    assert {"source": "session", "name": "city", "state": "open"} in ask(daemon, "/health")[1]["sources"]
    assert value(daemon, 'session_events_total{session="city"}') == 1
    assert value(daemon, 'session_state{session="city",sonoran_pushd_session_state="open"}') == 1
    said = ctl("status", "--store", store_of(daemon)).stdout
    assert re.search(r"Session: +city, server 1 at 127.0.0.1: open since \d+ s ago, 1 event, the last \d+ s ago, 0 gaps\n", said)
    hub.close(allowReconnect=True)
    wait_for(lambda: status_of(daemon)["gaps"] == 1, "a gap")
    assert status_of(daemon)["last_gap_ms"] >= 0


def test_silence_where_no_ping_is_answered(cad, start):
    hub = cad(pong=False, keepAlive=100)
    daemon = start(sessions=[hub.session()])
    now = wait_for(lambda: (now := status_of(daemon))["state"] == "open" and now, "its login")
    assert now["life"] == "silence"


# The end


def test_says_good_bye(cad, start):
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    daemon.stop()
    [connection] = wait_for(lambda: (all_ := hub.connections())[0]["closed"] and all_, "the end")
    assert connection["code"] == 1000 and connection["records"][-1]["type"] == 7


def test_hub_that_does_not_close_holds_nobody_up(cad, start):
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    with hub.frozen():
        daemon.stop()
