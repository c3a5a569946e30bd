"""State primed from the CAD's REST interface after a login: what is asked, what comes of it, and what does not."""

import json
import re

import harness
import pytest
import store
from cad import COMMUNITY
from ctl_tools import ask_socket, store_of
from harness import KEY, call911, event, wait_for
from test_metrics import value

PRIMED = "SELECT data FROM events WHERE type = 'STATE_PRIMED' ORDER BY id"
CALLS, UNITS = "/v2/emergency/servers/1/calls", "/v2/emergency/servers/1/units"


def unit(id_, number="3-L-27", name="Mara Ellison", **more):
    data = {"unitNum": number, "name": name, "department": "Calder", "district": "", "subdivision": "", "rank": "", "group": ""}
    return {"id": id_, "accId": f"acc{id_}", "status": 2, "isPanic": False, "location": "", "isDispatch": False, "data": data, **more}


def call(id_, **more):
    return {"callId": id_, "origin": 0, "status": 1, "priority": 2, "block": "", "address": "9 Mill Rd", "postal": "", "title": "Structure Fire",
            "code": "", "primary": 0, "trackPrimary": False, "description": "", "notes": [], "idents": [], "metaData": {}, **more}


def emergency(id_, **more):
    return {"callId": id_, "isEmergency": True, "caller": "Zoe", "location": "118 Lantern St", "description": "smoke", "metaData": {}, **more}


KNOWN = {"calls": {"ActiveCalls": [call(55120, idents=[4127])], "EmergencyCalls": [emergency(90417)]}, "units": [unit(4127), unit(4133, "3-L-33")]}


def primed(daemon):
    return [json.loads(row[0]) for row in store.read(daemon.file.parent / "events.db", PRIMED)]


@pytest.fixture
def pair(start, cad):
    """pair(options of the hub…): it, and a daemon that primes."""

    def pair(env=None, **options):
        hub = cad(**options)
        daemon = start(sessions=[hub.session(prime=True)], env=env)
        hub.wait_sessions(1)
        return hub, daemon

    return pair


def test_what_is_asked(pair):
    """Both lists, once, with the key in its header and nowhere else, and none of the CAD's limits is passed."""
    hub, daemon = pair(**KNOWN)
    daemon.wait_line("known from the CAD")
    requests = hub.requests()
    assert sorted((r["method"], r["path"]) for r in requests) == [("GET", CALLS), ("GET", UNITS)]
    assert all(r["known"] and r["headers"]["authorization"] == "Bearer" and KEY not in json.dumps(r) for r in requests)
    [units] = hub.requests("units")
    assert units["query"]["includeOffline"] == "false" and units["query"]["onlyUnits"] == "false" and units["query"]["limit"] == "100"


def test_names_are_right_from_the_first_event(pair):
    """At the first start of a log nothing is called missed."""
    hub, daemon = pair(**KNOWN)
    assert "known from the CAD: 2 units, 1 call, 1 911 call" in daemon.wait_line("known from the CAD")
    hub.push(event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 3}))
    assert "Mara Ellison" in daemon.wait_line('"event":"EVENT_UNIT_STATUS"')
    hub.push(event("EVENT_DISPATCH_CLOSED", {"callIds": [55120]}))
    assert "Structure Fire" in daemon.wait_line('"event":"EVENT_DISPATCH_CLOSED"')
    assert len(primed(daemon)) == 1 and not any("missed" in line for line in daemon.lines())


def test_nothing_differs(pair):
    """None is stored where nothing is there to be told."""
    hub, daemon = pair()
    wait_for(lambda: len(hub.requests()) == 2, "both")
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    daemon.stop()
    assert primed(daemon) == []


def test_missed(pair, clock):
    """What appeared while there was no connection, and in no event, is named with its ids; what an event told is not. The
    CAD is not asked twice within a minute."""
    hub, daemon = pair(env=clock.env, **KNOWN)
    daemon.wait_line("known from the CAD")
    hub.push(call911(90500))
    daemon.wait_line("911 call 90500 ")
    calls = {"ActiveCalls": [call(55120), call(55121)], "EmergencyCalls": [emergency(90500), emergency(90777)]}
    hub.set(calls=calls, units=[unit(4127)])
    hub.cut(how="end")
    hub.wait_sessions(0)
    hub.wait_sessions(1)
    line = json.loads(clock.fly_to_line(daemon, "missed during"))["message"]
    assert re.search(r"missed during \d+ ?m?s: .*90777", line) and "55121" in line, line
    assert "90500" not in line and "55120" not in line
    state = ask_socket(f"{store_of(daemon)}.control", "GET", "/api/state")[2]
    missed = {item["id"] for kind in ("calls", "calls911") for item in state["communities"][0][kind] if item["missed"]}
    assert missed == {55121, 90777}, state
    assert value(daemon, "prime_missed_calls_total") == 2
    first, second = hub.requests("calls")
    assert second["at"] - first["at"] + clock.flown_s * 1000 >= 60_000
    assert len(primed(daemon)) == 2


def test_newer_is_kept(pair):
    """What an event changed after the lists were asked for stays as the event has it."""
    hub, daemon = pair(**{**KNOWN, "rest": {CALLS: {"delay": 2000, "body": json.dumps(KNOWN["calls"])}}})
    wait_for(lambda: hub.requests("calls"), "the question")
    hub.push(event("EVENT_UNIT_LOGIN", {"unit": unit(4127, name="Newer Name")}))
    daemon.wait_line("known from the CAD")
    hub.push(event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 3}))
    assert "Newer Name" in daemon.wait_line('"event":"EVENT_UNIT_STATUS"')


def test_pages(pair):
    """150 units come in two."""
    hub, daemon = pair(units=[unit(5000 + i, f"9-X-{i}", f"Name {i}") for i in range(150)])
    assert "known from the CAD: 150 units" in daemon.wait_line("known from the CAD")
    assert len(hub.requests("units")) == 2


def test_limits_hold_over_a_restart(on, cad, clock):
    hub = cad(**KNOWN)
    daemon = on(sessions=[hub.session(prime=True)])
    daemon.wait_line("known from the CAD")
    daemon.stop()
    hub.set(calls={"EmergencyCalls": [emergency(90777)]})
    again = on(sessions=[hub.session(prime=True)], env=clock.env)
    clock.fly_to_line(again, "missed during")
    for what in "calls", "units":
        times = [request["at"] for request in hub.requests(what)]
        assert len(times) == 2 and times[1] - times[0] + clock.flown_s * 1000 >= 59_000


PROBLEM = {"type": "x", "title": "Unauthorized", "status": 401, "detail": "The API key is not valid.\x1b[2J"}
HTML = "<html>Bad gateway\x1b[2J</html>"
BAD = {
    "401": {"status": 401, "body": json.dumps(PROBLEM)},
    "402": {"status": 402, "body": "{}"},
    "404": {"status": 404, "body": json.dumps({**PROBLEM, "status": 404})},
    "429": {"status": 429, "body": '{"message":"API rate limit exceeded","request_id":"x"}'},
    "429 with a time": {"status": 429, "headers": {"Retry-After": "3000"}, "body": "{}"},
    "502": {"status": 502, "headers": {"Content-Type": "text/html"}, "body": HTML},
    "HTML": {"status": 200, "headers": {"Content-Type": "text/html"}, "body": HTML},
    "nothing": {"status": 200, "body": ""},
    "no JSON": {"status": 200, "body": "{"},
    "another shape": {"status": 200, "body": '"text"'},
    "deep": {"status": 200, "body": "[" * 10_000},
    "huge": {"status": 200, "fill": [" ", 50_000_000]},
    "reset": {"reset": True},
    "no answer": {"hang": True},
}


@pytest.mark.parametrize("name", BAD)
def test_rest_is_down(pair, clock, name):
    """Told once, and events go on."""
    hub, daemon = pair(env=clock.env, rest={CALLS: BAD[name], UNITS: BAD[name]}, **{k: v for k, v in KNOWN.items() if k != "rest"})
    wait_for(lambda: hub.requests(), "a question")
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    told = clock.fly_to_line(daemon, '"priority":[34].*(units|calls|REST|CAD)')
    assert "\\u001b" not in told and "\x1b" not in told
    counts = hub.counts()
    assert (counts["connections"], counts["sessions"]) == (1, 1)
    assert len(hub.requests("calls")) == 1, "not asked again at once"
    assert daemon.serves()
    daemon.stop()
    assert primed(daemon) == []


@pytest.mark.parametrize("odd", [{"ActiveCalls": None}, {"EmergencyCalls": [None, 5, {"callId": "x"}, {}]}, {"activeCalls": [call(55120)]},
                                 {"ActiveCalls": [call("55120"), call(55120)]}, {"ActiveCalls": {"a": 1}}], ids=str)
def test_odd_lists(pair, odd):
    """Read as far as they can be; nothing of it ends anything."""
    hub, daemon = pair(calls=odd, units=[unit(4127), None, 7, {"id": "4133"}, {"id": 4134, "data": None}])
    wait_for(lambda: len(hub.requests()) >= 2 or "calls" in "".join(daemon.lines()), "both")
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    assert hub.counts()["connections"] == 1 and daemon.serves()


def test_not_from_outside(pair):
    """Nobody can post it, nor send it by a session."""
    hub, daemon = pair()
    body = event("STATE_PRIMED", {"units": [unit(1)]})
    assert (answer := daemon.post(body)).status == 400 and answer.text == "Invalid Type"
    hub.push(body)
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    verdicts = store.read(daemon.file.parent / "events.db", "SELECT verdict FROM events WHERE type = 'STATE_PRIMED'")
    assert set(verdicts) <= {("unknown",)}


def test_goes_to_no_action(start, cad, tmp_path):
    hub, out = cad(**KNOWN), tmp_path / "out"
    action = {"name": "all", "type": "exec", "command": ["/bin/sh", "-c", f'echo "$SONORAN_EVENT" >> {out}']}
    daemon = start(sessions=[hub.session(prime=True)], actions=[action])
    daemon.wait_line("known from the CAD")
    hub.push(call911(1))
    wait_for(lambda: out.exists() and out.read_text(), "an action")
    daemon.stop()
    assert "PRIMED" not in out.read_text() and len(out.read_text().splitlines()) == 1
    assert COMMUNITY not in out.read_text() and harness.KEY not in out.read_text()
