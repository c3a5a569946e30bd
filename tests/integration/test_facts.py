"""Whoever's line says PANIC, 911 or en route gets the action, in whatever form the event came."""

import json

import pytest
from harness import KEY, wait_for


def body(kind, data, **more):
    return json.dumps({"key": KEY, "type": kind, "data": data, **more}).encode()


def program(folder, out, *arguments):
    file = folder / "program"
    file.write_text(f'#!/bin/sh\nprintf "%s|" "$@" "$SONORAN_SUMMARY" >>{out}; echo >>{out}\n')
    file.chmod(0o755)
    return [str(file), *arguments]


def panic(on):
    return body("EVENT_UNIT_PANIC", {"identIds": [4127], "isPanic": on})


def call(**more):
    return body("EVENT_911", {"call": {"callId": 90417, "caller": "Zoë", "location": "118 Lantern St", **more}})


def status(**more):
    return body("EVENT_UNIT_STATUS", more)


# What the action wants; bodies of which it is told so, and bodies of which it is not.
CASES = {
    "panic": (
        ["EVENT_UNIT_*"],
        "panic = true",
        [panic(True), panic(1), panic("1"), panic("True"), panic("true"),
         body("EVENT_UNIT_PANIC", [{"identId": 4127, "isPanic": 1}]),
         body("EVENT_UNIT_UPDATE", {"units": [{"id": 5}, {"id": 4127, "isPanic": "1"}]}),
         body("EVENT_UNIT_LOGIN", {"unit": {"id": 4127, "isPanic": True}})],
        [panic(False), panic(0), panic("False"), panic(None), panic("nil")],
    ),
    "911": (
        ["EVENT_911"],
        "emergency = true",
        [call(isEmergency=True), call(isEmergency=1), call(isEmergency="True"), call(emergency="1"), call(),
         body("EVENT_911", [{"callId": 1, "caller": "A"}])],
        # The last says nothing, and its line that it is a civil call still.
        [call(isEmergency=False), call(isEmergency="0"), call(emergency=0), call()],
    ),
    "en route": (
        ["EVENT_UNIT_STATUS"],
        "status = en route",
        [status(units=[{"id": 5, "status": 1}, {"id": 4, "status": 3}]), status(identIds=4, status=3),
         status(identIds=["4"], status="3"), status(identIds=[4], status="EN_ROUTE"),
         status(units=[4], status="ENROUTE"), status(units={"1": {"id": 5, "status": 1}, "3": {"id": 4, "status": 3}})],
        [status(identIds=[4], status=4), status(units=[{"id": 4, "status": 1}], status=3)],
    ),
    "unit": (
        ["EVENT_*"],
        "unit.number = 3-L-27",
        [body("EVENT_UNIT_LOGIN", {"unit": {"id": 4127, "data": {"unitNum": "3-L-27"}}})],
        [body("EVENT_UNIT_LOGIN", {"unit": {"id": 4128, "data": {"unitNum": "3-L-28"}}})],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_who_is_told_gets_the_action(start, tmp_path, name):
    events, condition, told, others = CASES[name]
    out = tmp_path / "out"
    action = {"name": "siren", "type": "exec", "events": events, "when": [condition],
              "command": program(tmp_path, out, "{id}")}
    daemon = start(actions=[action])
    for each in [*others, *told]:
        assert daemon.post(each).status == 200
    wanted = [str(len(others) + i + 1) for i in range(len(told))]
    wait_for(lambda: out.exists() and out.read_text().count("\n") == len(wanted), "the program")
    assert [line.split("|")[0] for line in out.read_text().splitlines()] == wanted


# As people write one and the same condition, and every form in which the event may come: members in other types and
# spellings, one thing instead of a list, lists of Lua, words for nothing, aliases, names of other years.
SPELLINGS = {
    "panic": (
        ["panic = true", "panic = TRUE", "panic = 1", "panic = yes", "panic = on", "panic != false"],
        [panic(on) for on in (True, 1, 1.0, "1", "TRUE", "True", "yes", "On")]
        + [body("EVENT_UNIT_PANIC", {"identIds": {"1": 4127, "3": 4133}, "isPanic": True}),
           body("event_unit_panic", {"identId": "4127", "identIds": None, "isPanic": "true"}),
           body("EVENT_UNIT_PANIC", {"1": {"identIds": "4127", "isPanic": 1}}),
           body("EVENT_UNIT_STATUS", {"units": [{"id": 5, "status": 1}, None, {"id": "4129", "status": 2, "isPanic": 1}]}),
           body("EVENT_UNIT_UPDATE", {"units": {"id": 4130, "isPanic": "yes"}}),
           body("EVENT_UNIT_LOGIN", [{"units": [{"id": 4131, "isPanic": "1"}]}]),
           body("EVENT_DISPATCH", {"dispatch_type": "CALL_NEW", "dispatch": {"callId": 7, "units": [{"id": 9, "isPanic": 1}]}}),
           body("EVENT_UNIT_CALL_CLEAR", {"units": [{"id": 10, "isPanic": True}]})],
    ),
    "911": (
        ["emergency = true", "emergency = Yes", "emergency = 1", "emergency != no"],
        [call(isEmergency=on) for on in (True, 1, "1", "TRUE", "yes", "nil", None, "undefined")]
        + [call(emergency="True"), call(isEmergency=None, emergency=1),
           body("EVENT_911", [{"callId": "5", "isEmergency": "on"}]),
           body("event_911", {"1": {"call": {"callId": 6}}}),
           body("EVENT_911", {"call": {"callId": 8, "isEmergency": 1}, "metaData": {"postal": 17}, "isEmergency": False})],
    ),
    "en route": (
        ["status = en route", "status = 3", "status = ENROUTE", "status = En_Route", "status >= 3", "unit.status = EN-ROUTE"],
        [status(identIds=[4], status=word) for word in (3, "3", 3.0, "ENROUTE", "EN_ROUTE", "en route", "EnRoute", "En-Route")]
        + [status(idents=["4", "nil", None], status=3), status(identId=4, status=3), status(ident="4", status="3"),
           status(units=[5, "6"], status="enroute"), status(units={"id": 7, "status": "3"}),
           status(units=[{"id": 5, "status": 1}, {"id": 4, "status": "EN ROUTE"}], status=1),
           status(units=[{"id": 5}], status=3), body("EVENT_UNIT_STATUS", [{"identIds": 4, "status": 3}]),
           body("EVENT_UNIT_UPDATE", {"units": [{"id": 8, "status": 0}, {"id": 9, "status": 3, "data": None}]})],
    ),
    "call": (
        ["call = 55120", "call exists", "call > 55000", "call ~ 551*"],
        [body("EVENT_DISPATCH_CLOSE", {"callIds": "55120"}), body("EVENT_DISPATCH_CLOSED", {"callId": 55120.0}),
         body("EVENT_UNIT_ATTACH", {"callId": "55120", "ident": 4}), body("event_unit_detach", {"callId": 55120, "idents": [4]}),
         body("EVENT_DISPATCH_NOTE", {"callId": "55120", "note": "x"}),
         body("EVENT_DISPATCH_EDIT", {"dispatch": {"callId": "55120"}}),
         body("EVENT_TONE", {"url": "https://t.example/a.mp3", "playTonesTo": {"type": "1", "value": "55120"}})],
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_whoever_writes_it_as_whatever_comes(start, tmp_path, name):
    conditions, bodies = SPELLINGS[name]
    outs = [tmp_path / f"out-{i}" for i in range(len(conditions))]
    actions = []
    for i, (condition, out) in enumerate(zip(conditions, outs)):
        (tmp_path / str(i)).mkdir()
        actions.append({"name": f"a{i}", "type": "exec", "events": ["EVENT_*"], "when": [condition],
                        "command": program(tmp_path / str(i), out, "{id}")})
    daemon = start(actions=actions)
    for each in bodies:
        assert daemon.post(each).status == 200, each
    wanted = [str(i + 1) for i in range(len(bodies))]
    for condition, out in zip(conditions, outs):
        wait_for(lambda out=out: out.exists() and out.read_text().count("\n") >= len(wanted), f"each event for {condition}")
        assert [line.split("|")[0] for line in out.read_text().splitlines()] == wanted, condition
    said = {"panic": "PANIC", "911": "911 call", "en route": "en route", "call": "55120"}[name]
    assert all(said in line["message"] for line in daemon.stop().events())


def test_a_pointer_reads_what_was_sent(start, tmp_path):
    out = tmp_path / "out"
    action = {"name": "siren", "type": "exec", "when": ["/isPanic = true"], "command": program(tmp_path, out, "{id}")}
    daemon = start(actions=[action])
    for each in (panic(False), panic(1), panic("True"), panic(0), panic(True)):
        assert daemon.post(each).status == 200
    wait_for(lambda: out.exists() and out.read_text().count("\n") == 3, "the program")
    assert [line.split("|")[0] for line in out.read_text().splitlines()] == ["2", "3", "5"]


def test_arguments(start, tmp_path):
    """Facts in arguments: scalars of other types are their text, words for nothing are nothing."""
    out = tmp_path / "out"
    action = {"name": "siren", "type": "exec", "events": ["EVENT_911"],
              "command": program(tmp_path, out, "{caller}", "{location}", "{description}", "{postal}", "{emergency}")}
    daemon = start(actions=[action])
    assert daemon.post(call(caller=17, location=1234, description=911.5, metaData={"postal": "nil"})).status == 200
    wait_for(lambda: out.exists() and out.read_text().count("\n") == 1, "the program")
    line = out.read_text().rstrip("\n").split("|")
    assert line[:5] == ["17", "1234", "911.5", "", "yes"]
    assert "17" in line[5] and "1234" in line[5] and "911.5" in line[5]


def test_the_line_of_a_program_is_that_of_its_argument(start, tmp_path):
    """Without what nobody sees, and with nothing for a terminal; and 400 fields of a record are no more than fits."""
    out = tmp_path / "out"
    command = program(tmp_path, out, "--", "{summary}")
    (tmp_path / "program").write_text(
        f'#!/bin/sh\nprintf "%s|" "$2" "$SONORAN_SUMMARY" "$SONORAN_LEFT_OUT" "${{#SONORAN_FIELD}}" >>{out}; echo >>{out}\n'
    )
    daemon = start(actions=[{"name": "siren", "type": "exec", "command": command}])
    fields = [{"type": "input", "label": f"Field {i}", "value": "v" * 1500, "uid": f"u{i}"} for i in range(400)]
    name = "Zo\u200bë \u001b[2J C:\\new"
    record = {"recordTypeId": 31, "id": 88213, "name": name, "type": 8, "sections": [{"category": 0, "fields": fields}]}
    assert daemon.post(body("EVENT_RECORD_ADD", {"record": record})).status == 200
    wait_for(lambda: out.exists() and out.read_text().endswith("\n"), "the program")
    argument, summary, left_out, size = out.read_text().split("|")[:4]
    assert summary == argument == "police record 88213 Zoë [2J C:\\new added"
    assert left_out == "0" and 2000 < int(size) < 2100


def units_of_calls(start, tmp_path, bodies):
    """What {unit.id} and {call} are when the call closes."""
    out = tmp_path / "out"
    action = {"name": "siren", "type": "exec", "events": ["EVENT_DISPATCH_CLOSED"], "when": ["unit.id = 4127"],
              "command": program(tmp_path, out, "{unit.id}", "{call}")}
    daemon = start(actions=[action])
    for each in bodies:
        assert daemon.post(each).status == 200
    wait_for(lambda: out.exists() and out.read_text().endswith("\n"), "the program")
    return out.read_text().split("|")[:2]


def test_a_unit_at_its_own_call(start, tmp_path):
    """It is one of those that the call concerned, though the event comes from it."""
    bodies = [body("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 5, "title": "Stop", "idents": [4127]}}),
              body("EVENT_DISPATCH_CLOSED", {"callIds": [5], "eventOriginIdent": 4127})]
    assert units_of_calls(start, tmp_path, bodies) == ["4127", "5"]


def test_many_units_at_a_call(start, tmp_path):
    """All of them, though a row has room for what was known of some."""
    ids = [*range(5000, 5040), 4127]
    units = [{"id": id, "data": {"unitNum": f"L-{id}", "name": "A longer name of a player", "department": "Sheriff"}}
             for id in ids]
    bodies = [body("EVENT_UNIT_UPDATE", {"units": units}),
              body("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 8, "title": "Big", "idents": ids}}),
              body("EVENT_DISPATCH_CLOSED", {"callIds": [8]})]
    assert units_of_calls(start, tmp_path, bodies) == [", ".join(map(str, ids)), "8"]
