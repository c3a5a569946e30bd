"""The number of a unit (3-L-27) in the journal and in the log: both find the same events, also when names change."""

import json

from ctl_tools import ctl, store_of
from harness import event


def login(unit_id, number, **data):
    return event("EVENT_UNIT_LOGIN", {"unit": {"id": unit_id, "status": 2, "data": {"unitNum": number, **data}}})


def found(store, number, *args):
    result = ctl("events", "--store", store, "--json", "--unit", number, *args)
    assert result.returncode == 0, result.stderr
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


def told(lines, number):
    return [line["event_id"] for line in lines if number in line.get("unit_number", [])]


def test_the_journal_and_the_log_find_the_same(daemon):
    many = [[4200 + i, f"E-{i}"] for i in range(30)]
    for body in [
        login(4101, "D-2", name="Priya Vance"),
        login(4127, "3-L-27", name="Mara Ellison"),
        *(login(unit_id, number, name="A name that takes room where what is known is kept") for unit_id, number in many),
        event("EVENT_UNIT_STATUS", {"identIds": [4127, *(unit_id for unit_id, _ in many)], "status": 3}),
        event("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 5, "idents": [4127]}, "eventOriginIdent": 4101}),
        event("EVENT_UNIT_UPDATE", {"units": [{"id": 4127, "data": {"unitNum": "9-X-1"}}]}),
        event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 1}),
        event("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 5, "idents": [4127, "x"]}),
    ]:
        daemon.post(body)
    lines, store = daemon.stop().events(), store_of(daemon)
    status = lines[32]
    assert status["unit_number"] == ["3-L-27", *(number for _, number in many)]
    for number in ["D-2", "3-L-27", "9-X-1", *(number for _, number in many)]:
        assert told(lines, number) == found(store, number) != []
    assert found(store, "3-l-27") == [2, 33, 34, 35]
    assert found(store, "9-X-1") == [35, 36, 37]
    assert found(store, "D-2") == [1]
    assert found(store, "E-29") == [32, 33]


def test_the_ids_in_the_game_are_in_the_record(daemon):
    daemon.post(login(4127, "3-L-27", apiIds=["license:9f3c", "steam:1"], communityUserId="license:9f3c"))
    daemon.post(event("EVENT_UNIT_PANIC", {"identIds": [4127], "isPanic": True}))
    result = ctl("events", "--store", store_of(daemon.stop()), "--json", "--type", "EVENT_UNIT_PANIC")
    unit = json.loads(result.stdout)["known"]["units"][0]
    assert unit == {"id": 4127, "number": "3-L-27", "status": 2, "api_ids": ["license:9f3c", "steam:1"]}
