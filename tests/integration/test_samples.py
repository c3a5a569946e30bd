"""Every sample of the catalog (tests/fixtures/samples, events.md section 10), posted as it stands to the real binary.

What each line says and what it changes in state is proven event by event in tests/unit; here: status, answer, and
one line for each event with the ids it concerns.
"""

import json
import random
import re

import pytest
from harness import KEY, REPOSITORY, event, request

SAMPLES = REPOSITORY / "tests" / "fixtures" / "samples"
NAMES = sorted(file.name.removesuffix(".json") for file in SAMPLES.glob("*.json"))

pytestmark = pytest.mark.skipif(not NAMES, reason=f"{SAMPLES} is not there")

ALIASES = {
    "EVENT_DISPATCH_CLOSE": "EVENT_DISPATCH_CLOSED",
    "EVENT_UNIT_ATTACH": "EVENT_DISPATCH_UNIT_ATTACH",
    "EVENT_UNIT_DETACH": "EVENT_DISPATCH_UNIT_DETACH",
    "TOGGLE_BODYCAM": "EVENT_DISPATCH_TOGGLE_BODYCAM",
}

# Refused before they are events: the key.
NO_EVENT = {
    "ENVELOPE.missing-key": "Authentication Key Failed!",
    "ENVELOPE.number-key": "Authentication Key Failed!",
    "ENVELOPE.wrong-key": "Authentication Key Failed!",
    "EVENT_COMMUNITY_LINK_VERIFIED.ws-no-key": "Authentication Key Failed!",
}
# Refused, and told as events all the same: answer (a pattern) and verdict.
REFUSED_EVENTS = {
    "ENVELOPE.missing-type": (r"Invalid Type", "unknown"),
    "ENVELOPE.unknown-type": (r"Invalid Type", "unknown"),
    "ENVELOPE.missing-data": (r"Invalid Data: data\b.*: missing", "invalid"),
    "EVENT_COMMUNITY_LINK_VERIFIED.missing-user": (r"Invalid Data: data\.communityUserId: missing", "invalid"),
    "EVENT_STREETSIGN_UPDATED.missing-signdata": (r"Invalid Data: data\.signData\b.*: missing", "invalid"),
}

# Ids of the lines: {field: ids}, as the body names them. "units" may hold more (who caused it).
CALL, CALLS, UNIT, UNITS = {"call": [55120]}, {"call": [55120, 55121]}, {"unit": [4127]}, {"unit": [4127, 4133]}
IDS = {
    "ENVELOPE.extra-toplevel": {"911": [90417]},
    "ENVELOPE.lowercase-type": {"911": [90417]},
    "EVENT_911": {"911": [90417]},
    "EVENT_911.array": {"911": [90417]},
    "EVENT_911.civil": {"911": [90418]},
    "EVENT_911.legacy-flat": {"911": [811]},
    "EVENT_911.minimal": {"911": [90417]},
    "EVENT_911.updated-field": {"911": [90419]},
    "EVENT_REMOVE_911": {"911": [90417, 90418]},
    "EVENT_REMOVE_911.legacy-callid": {"911": [90417]},
    "EVENT_REMOVE_911.legacy-callid-array": {"911": [90417]},
    "EVENT_REMOVE_911.empty": {"911": []},
    "EVENT_DISPATCH.0-new": CALL,
    "EVENT_DISPATCH.1-edit": CALL,
    "EVENT_DISPATCH.3-note": CALL,
    "EVENT_DISPATCH.4-self-clear": CALL,
    "EVENT_DISPATCH.type-name": CALL,
    "EVENT_DISPATCH_CLOSE.alias": CALL,
    "EVENT_DISPATCH_CLOSED": CALLS,
    "EVENT_DISPATCH_CLOSED.legacy-callid": CALL,
    "EVENT_DISPATCH_CLOSED.legacy-no-origin": CALL,
    "EVENT_DISPATCH_EDIT": CALL,
    "EVENT_DISPATCH_EDIT.doc-object": CALL,
    "EVENT_DISPATCH_EDIT.string-notes": CALL,
    "EVENT_DISPATCH_NEW": CALL,
    "EVENT_DISPATCH_NEW.array": CALL,
    "EVENT_DISPATCH_NEW.doc-object": CALL,
    "EVENT_DISPATCH_NEW.no-origin": CALL,
    "EVENT_DISPATCH_NEW.unassigned": {"call": [55121]},
    "EVENT_DISPATCH_NOTE": CALL,
    "EVENT_DISPATCH_NOTE.iso-time": CALL,
    "EVENT_DISPATCH_NOTE.legacy-string": CALL,
    "EVENT_DISPATCH_NOTE.link": CALL,
    "EVENT_DISPATCH_TOGGLE_BODYCAM": UNIT,
    "EVENT_DISPATCH_TOGGLE_BODYCAM.string-ident": UNIT,
    "EVENT_DISPATCH_UNIT_ATTACH": {**CALL, "unit": [4140, 4141]},
    "EVENT_DISPATCH_UNIT_ATTACH.ident": {**CALL, "unit": [4140]},
    "EVENT_DISPATCH_UNIT_ATTACH.legacy-no-origin": {**CALL, "unit": [4140]},
    "EVENT_DISPATCH_UNIT_ATTACH.string-ids": {**CALL, "unit": [4140]},
    "EVENT_DISPATCH_UNIT_DETACH": {**CALL, "unit": [4133]},
    "EVENT_DISPATCH_UNIT_DETACH.ident": {**CALL, "unit": [4133]},
    "EVENT_DISPATCH_UNIT_DETACH.not-attached": {**CALL, "unit": [4140]},
    "EVENT_PAGER_REBORN": UNITS,
    "EVENT_PRINT_RECORD": UNIT,
    "EVENT_PRINT_RECORD.legacy-unitid": UNIT,
    "EVENT_TONE.string-value": UNIT,
    "EVENT_UNIT_ATTACH.alias": {**CALL, "unit": [4140]},
    "EVENT_UNIT_CALL_CLEAR": UNIT,
    "EVENT_UNIT_CALL_CLEAR.array": UNIT,
    "EVENT_UNIT_DETACH.alias": {**CALL, "unit": [4133]},
    "EVENT_UNIT_GROUP_ADD": UNIT,
    "EVENT_UNIT_GROUP_ADD.toplevel-identid": UNIT,
    "EVENT_UNIT_GROUP_ADD.toplevel-identids": UNITS,
    "EVENT_UNIT_GROUP_CHANGE_NAME": UNITS,
    "EVENT_UNIT_GROUP_REMOVE": UNIT,
    "EVENT_UNIT_GROUP_REMOVE.identids": UNITS,
    "EVENT_UNIT_LOGIN": UNIT,
    "EVENT_UNIT_LOGIN.array": UNIT,
    "EVENT_UNIT_LOGIN.coordinates": UNIT,
    "EVENT_UNIT_LOGIN.data-id": UNIT,
    "EVENT_UNIT_LOGIN.dispatcher": {"unit": [4101]},
    "EVENT_UNIT_LOGIN.legacy-units": UNIT,
    "EVENT_UNIT_LOGIN.no-selfdispatch": UNIT,
    "EVENT_UNIT_LOGOUT": UNIT,
    "EVENT_UNIT_LOGOUT.array": UNIT,
    "EVENT_UNIT_LOGOUT.legacy-units-array": UNIT,
    "EVENT_UNIT_PANIC": UNITS,
    "EVENT_UNIT_PANIC.array": UNIT,
    "EVENT_UNIT_PANIC.legacy-identid": UNIT,
    "EVENT_UNIT_PANIC.legacy-identid-array": UNIT,
    "EVENT_UNIT_PANIC.off": UNIT,
    "EVENT_UNIT_STATUS": UNITS,
    "EVENT_UNIT_STATUS.array-number": UNIT,
    "EVENT_UNIT_STATUS.custom-status": UNIT,
    "EVENT_UNIT_STATUS.legacy-idents": UNIT,
    "EVENT_UNIT_STATUS.legacy-units-array": UNIT,
    "EVENT_UNIT_STATUS.legacy-units-ints": UNITS,
    "EVENT_UNIT_STATUS.units": UNIT,
    "EVENT_UNIT_STATUS.units-and-idents": UNIT,
    "EVENT_UNIT_UPDATE": UNIT,
}


def sample(name):
    return (SAMPLES / f"{name}.json").read_bytes()


@pytest.fixture(name="daemon")
def daemon_that_tells_all(start):
    """Of what changes nothing only those hear who ask for it."""
    return start(log={"level": "debug"})


@pytest.mark.parametrize("name", NAMES)
def test_sample(daemon, name):
    answer = daemon.post(sample(name))
    records = daemon.stop().events()
    if name in NO_EVENT:
        assert (answer.status, answer.text, records) == (400, NO_EVENT[name], [])
        return

    [record] = records
    type_ = json.loads(sample(name)).get("type", "").upper()
    assert record.get("event", "") == ALIASES.get(type_, type_)
    assert len(record["message"]) > 10
    if name in REFUSED_EVENTS:
        pattern, verdict = REFUSED_EVENTS[name]
        assert answer.status == 400 and re.fullmatch(pattern, answer.text)
        assert record["verdict"] == verdict
        return

    assert (answer.status, answer.text, record.get("verdict")) == (200, "ok", None)
    for field, ids in IDS.get(name, {}).items():
        told = record.get(field, [])
        assert told == ids if field != "unit" else set(ids) <= set(told), field


def test_lists_name_existing_samples():
    assert {*NO_EVENT, *REFUSED_EVENTS, *IDS} <= set(NAMES)


def test_all_in_one_life(daemon):
    """One after the other on one connection's worth of state: each is told, in order."""
    for name in NAMES:
        assert daemon.post(sample(name)).status in (200, 400)
    told = [record.get("event", "") for record in daemon.stop().events()]
    types = [json.loads(sample(name)).get("type", "").upper() for name in NAMES if name not in NO_EVENT]
    assert told == [ALIASES.get(type_, type_) for type_ in types]


# Arrays


def test_array_of_events(daemon):
    """Each element is an event with a line, an id and data of its own."""
    text = '[{"call":{"callId":1}}, {"call" : {"callId":"2"}},{"call":{"callId":3,"caller":"Zo\\u00eb"}}]'
    body = '{"key":"TEST-API-KEY-0000","type":"EVENT_911","data":' + text + "}"
    assert daemon.post(body).text == "ok"
    records = daemon.stop().events()
    assert [r["911"] for r in records] == [[1], [2], [3]]
    assert [r["event_id"] for r in records] == [1, 2, 3]
    assert [r["data"] for r in records] == [part.strip() for part in text[1:-1].replace("}},", "}}\n").split("\n")]


def login(id_, name):
    return {"unit": {"id": id_, "data": {"unitNum": "9-X-1", "name": name}}}


def test_array_with_a_bad_element(daemon):
    """All or nothing: 400, told once as invalid, none applied."""
    answer = daemon.post(event("EVENT_UNIT_LOGIN", [login(5001, "Ada Good"), {"unit": {}}, login(5002, "Bob Good")]))
    assert (answer.status, answer.text) == (400, "Invalid Data: data[1].unit.id: missing")
    status = event("EVENT_UNIT_STATUS", {"identIds": [5001, 5002], "status": 3})
    assert daemon.post(status).text == "ok"
    assert daemon.post(event("EVENT_UNIT_LOGIN", [login(5001, "Ada Good"), login(5002, "Bob Good")])).text == "ok"
    assert daemon.post(status).text == "ok"

    records = daemon.stop().events()
    assert [r.get("verdict") for r in records] == ["invalid"] + [None] * 4
    assert [r["event_id"] for r in records] == list(range(1, 6))
    assert "Good" not in records[1]["message"]
    assert "Ada Good" in records[4]["message"] and "Bob Good" in records[4]["message"]


# Shapes that nobody sends

ODD = [
    *(None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**53 + 1, 2**63, -(2**63), 2**64),
    *("", "0", "-1", "55120", " 7", "1e3", "0x10", "9" * 20, "\x1b[2J\n", "\u202e", "x" * 5000, "🚨" * 300),
    *([], {}, [[]], [None], [1, "2", 3.5, None, {}], {"id": 1}, [{"id": "4127"}], {"callId": 1}, [{"units": [1, {}]}]),
]


def distorted(value, chance):
    """The same, with something odd in one place or another."""
    if chance.random() < 0.08:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {name: distorted(v, chance) for name, v in value.items() if chance.random() > 0.04}
    if isinstance(value, list):
        return [distorted(v, chance) for v in value] * chance.choice([1, 1, 1, 0, 2])
    return value


@pytest.mark.parametrize("seed", range(4))
def test_distorted_samples(start, seed):
    """Answered, and told in lines with ids that are numbers."""
    daemon = start(limits={"body": "8M"}, log={"level": "debug"})
    chance = random.Random(seed)
    samples = [json.loads(sample(name)) for name in NAMES]
    with daemon.connect() as client:
        for _ in range(1000):
            body = {name: distorted(value, chance) for name, value in chance.choice(samples).items()}
            body["key"] = KEY
            answer = client.ask(request(body))
            assert re.match(r"ok$|Invalid Type$|Invalid Data: ", answer.text), body
    records = daemon.stop().events()
    assert [r["event_id"] for r in records] == list(range(1, len(records) + 1))
    assert all(isinstance(id_, int) for r in records for field in ("911", "call", "unit") for id_ in r.get(field, []))
