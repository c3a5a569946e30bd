"""What a session asks the CAD's REST interface for: names from the first event on, and what was missed while there was no
connection."""

import pytest
from ctl_tools import ask_socket, ctl, store_of
from disk import BROKEN
from harness import call911, config, event, wait_for
from store import read

UNITS = "/v2/emergency/servers/1/units"
CALLS = "/v2/emergency/servers/1/calls"
UNIT = {"id": 4127, "status": 2, "isPanic": False, "location": "Pier Rd", "isDispatch": False,
        "data": {"unitNum": "3-L-27", "name": "Mara Ellison", "department": "Calder", "page": 0}}
CALL = {"callId": 55120, "origin": 0, "status": 1, "priority": 2, "address": "118 Lantern St", "title": "Structure Fire",
        "primary": 4127, "trackPrimary": False, "description": "Smoke", "notes": [], "idents": [4127]}
CALL911 = {"callId": 90417, "isEmergency": True, "caller": "Zoë Okonkwo", "location": "118 Lantern St", "description": "Smoke"}


def calls(*active, emergency=()):
    return {"ActiveCalls": list(active), "EmergencyCalls": list(emergency), "ClosedCalls": []}


def status(daemon):
    [city] = ask_socket(f"{store_of(daemon)}.control", "GET", "/api/status")[2]["sessions"]
    return city


def stored(daemon):
    return read(store_of(daemon), "SELECT id, type, verdict FROM events ORDER BY id")


@pytest.fixture
def hub(cad):
    return cad(units=[UNIT], calls=calls(CALL))


def test_names_are_right_from_the_first_event_on(hub, on):
    daemon = on(sessions=[hub.session(prime=True)])
    daemon.wait_line("known from the CAD: 1 unit, 1 call")
    hub.push(event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 4}))
    daemon.wait_line("3-L-27 Mara Ellison on scene")
    [request] = hub.requests(CALLS)
    assert request["headers"]["authorization"] == "Bearer" and request["known"]
    assert request["query"] == {"closedLimit": "10", "closedOffset": "0", "type": "100"}
    [request] = hub.requests(UNITS)
    assert request["query"] == {"includeOffline": "false", "onlyUnits": "false", "limit": "100", "offset": "0"}
    assert stored(daemon)[0] == (1, "STATE_PRIMED", "internal")
    assert status(daemon)["primed_at"]
    daemon.stop()
    again = on(sessions=[hub.session(prime=False)])  # of the log alone
    hub.wait_sessions()
    hub.push(event("EVENT_DISPATCH_NOTE", {"callId": 55120, "note": "x"}))
    again.wait_line("call 55120 Structure Fire, note: x")


def test_what_came_in_between_was_missed(hub, on):
    """A restart: what the CAD has by then and no event told."""
    first = on(sessions=[hub.session(prime=False)])
    hub.wait_sessions()
    hub.push(event("EVENT_UNIT_LOGIN", {"unit": UNIT}))
    first.wait_line("on duty")
    first.stop()
    hub.set(calls=calls(CALL, emergency=[CALL911]))
    second = on(sessions=[hub.session(prime=True)], actions=[])
    line = second.wait_line("missed during .* s: 911 call 90417 .*, call 55120 Structure Fire")
    assert "Zoë Okonkwo, 118 Lantern St" in line
    for words in (["--911", "90417"], ["--call", "55120"]):
        assert "missed during" in ctl("events", "--store", store_of(second), *words).stdout
    for call in "55120", "911:90417":
        assert "It was missed in a gap of the session" in ctl("story", call, "--store", store_of(second)).stdout
    hub.push(event("EVENT_REMOVE_911", {"callIds": [90417]}))
    second.wait_line("911 call 90417 .*removed")


def test_how_long_nobody_was_there_over_a_restart_is_told_where_nothing_differs(hub, on):
    first = on(sessions=[hub.session(prime=True)])
    first.wait_line("known from the CAD: 1 unit, 1 call")
    assert not any("without connection" in line for line in first.lines())
    first.stop()
    second = on(sessions=[hub.session(prime=True)])
    second.wait_line(r"session city: \d+ s without connection until this start")


def test_nothing_is_stored_where_nothing_differs(cad, on):
    hub = cad()
    daemon = on(sessions=[hub.session(prime=True)])
    wait_for(lambda: status(daemon)["primed_at"], "it was primed")
    assert stored(daemon) == []


def test_how_far_it_is_with_a_large_community(cad, on, clock):
    """Its units come in pages, two in a minute, and nobody knows how many."""
    hub = cad(units=[{**UNIT, "id": i} for i in range(1, 251)])
    daemon = on(sessions=[hub.session(prime=True)], env=clock.env)
    daemon.wait_line("session city: the CAD has more than 199 units and may be asked for 200 in a minute")
    priming = status(daemon)["priming"]
    assert priming["units"] == 199 and priming["next_at"] and not status(daemon)["primed_at"]
    assert ", 199 units so far of those that the CAD knows" in ctl("-c", daemon.file, "status").stdout
    clock.fly_to_line(daemon, "known from the CAD: 250 units")
    wait_for(lambda: status(daemon)["primed_at"], "it was primed")
    assert "priming" not in status(daemon)
    assert len([line for line in daemon.lines() if "more than 199 units" in line]) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 401, "body": "{}"}, "answered 401, it does not take the API key"),
        ({"status": 402, "body": "{}"}, "answered 402, the community's plan does not have it"),
        ({"status": 429, "body": "{}", "headers": {"Retry-After": "77"}}, "answered 429, too many requests.*tried again in 1 min"),
        ({"status": 503, "body": "<html><h1>Bad gateway</h1></html>"}, "answered 503: Bad gateway; tried again in 1 min"),
        ({"status": 200, "body": "<html></html>"}, "is no JSON"),
        ({"status": 200, "fill": [32, 3 << 20]}, "answered more than 2097152 bytes; tried again"),
        ({"reset": True}, ""),
    ],
)
def test_trouble_is_told_once_and_events_go_on(hub, on, answer, words):
    hub.set(rest={CALLS: answer, UNITS: answer})
    daemon = on(sessions=[hub.session(prime=True)])
    daemon.wait_line(f"session city: what the CAD knows cannot be asked for.*{words}")
    hub.push(event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 4}))
    daemon.wait_line("unit 4127 on scene")
    assert status(daemon)["prime_problem"]
    assert len(hub.requests(CALLS)) == 1
    assert len([line for line in daemon.lines() if "cannot be asked for" in line]) == 1


def test_a_reload_asks_again(hub, on, path, clock):
    """What was refused, when the limits allow it: the admin has mended the key, and does not wait for hours."""
    hub.set(rest={CALLS: {"status": 401, "body": "{}"}, UNITS: {"status": 401, "body": "{}"}})
    daemon = on(sessions=[hub.session(prime=True)], env=clock.env)
    daemon.wait_line("cannot be asked for.*tried again in 10 min")
    hub.set(rest={})
    daemon.reload(config(store={"path": str(path)}, sessions=[hub.session(prime=True)]))
    clock.fly_to_line(daemon, "known from the CAD: 1 unit, 1 call")
    assert clock.flown_s < 300
    assert hub.counts()["connections"] == 1


def test_what_cannot_be_stored_is_asked_for_again(hub, on, disk):
    """And is not called primed before. The disk breaks between the question and the answer."""
    hub.set(held=UNITS)
    daemon = on(sessions=[hub.session(prime=True)], env=disk.env)
    wait_for(lambda: hub.requests(UNITS), "the question")
    assert daemon.serves()  # and when it was asked is stored
    disk.begin(BROKEN)
    hub.set(held=None)
    daemon.wait_line("session city: what the CAD knows could not be stored, and is asked for again in a minute")
    assert not status(daemon)["primed_at"] and "could not be stored" in status(daemon)["prime_problem"]


def test_what_is_known_waits_for_the_disk(hub, on, path, disk):
    """Where it was broken before; once it is not, all is as it should be."""
    daemon = on(env=disk.env)
    disk.begin(BROKEN)
    daemon.reload(config(store={"path": str(path)}, sessions=[hub.session(prime=True)]))
    daemon.wait_line("events cannot be stored")
    wait_for(lambda: hub.requests(UNITS), "the question")
    assert not status(daemon)["primed_at"]
    disk.end()
    daemon.wait_line("known from the CAD: 1 unit, 1 call")
    wait_for(lambda: status(daemon)["primed_at"], "it was primed")


def test_doctor_names_who_forwards_what_comes_by_the_session_too(hub, on):
    daemon = on(sessions=[hub.session(prime=False)])
    hub.wait_sessions()
    for number in 1, 2, 3:
        hub.push(call911(number))
        daemon.wait_line(f"911 call {number} ")
        assert daemon.post(call911(number)).status == 200
    daemon.wait_line("come twice")
    wait_for(lambda: ask_socket(f"{store_of(daemon)}.control", "GET", "/api/status")[2].get("copies"), "a copy")
    assert "came twice, by two sources" in ctl("-c", daemon.file, "doctor").stdout


def test_it_is_sent_by_nobody_else(hub, on):
    daemon = on(sessions=[hub.session(prime=False)])
    assert daemon.post(event("STATE_PRIMED", {"units": [UNIT]})).status == 400
    hub.wait_sessions()
    hub.push(event("STATE_PRIMED", {"units": [UNIT]}))
    wait_for(lambda: len(stored(daemon)) == 2, "both are stored")
    assert {row[2] for row in stored(daemon)} == {"unknown"}
