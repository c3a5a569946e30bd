"""What the admin side tells of now and of before: /api/state, /api/events, /api/series."""

import contextlib
import json
import re
import socket

import pytest
from ctl_tools import ask_socket, store_of
from harness import KEY, PATIENCE_S, REPOSITORY, call911, event, wait_for
from store import change
from test_admin import head_of, socket_of

OTHER_KEY = KEY[::-1]
COMMUNITIES = [{"name": "default", "api_key": KEY}, {"name": "coast", "api_key": OTHER_KEY}]
SHAPE = {"community", "node", "id", "changed", "source", "test", "label", "rank", "since", "warn_at", "late_at"}
HOSTILE = "<script>alert(1)</script> \" \u202e\x1b[2J \U0001f600 " + "x" * 10000


def get(daemon, target, status=200):
    answer = ask_socket(socket_of(daemon), "GET", target)
    assert answer[0] == status, answer
    return answer[2]


def community(daemon, name="default"):
    return next(one for one in get(daemon, "/api/state")["communities"] if one["name"] == name)


def login(unit_id, number, **unit):
    data = {"unitNum": number, "name": f"Unit {number}"}
    return event("EVENT_UNIT_LOGIN", {"unit": {"id": unit_id, "status": 2, "data": data, **unit}})


def new_call(call_id, units=(), **call):
    call = {"callId": call_id, "title": "Fire", "priority": 2, "status": 1, "idents": list(units), **call}
    return event("EVENT_DISPATCH_NEW", {"dispatch": call})


def post_all(daemon, *bodies):
    for body in bodies:
        assert daemon.post(body).status == 200


def test_nothing_yet(daemon):
    state = get(daemon, "/api/state")
    assert state["communities"] == [{"name": "default", "node": None, "units": [], "calls": [], "calls911": []}]
    assert (state["as_of"], len(state["log"])) == (0, 32)
    assert get(daemon, "/api/events") == {"events": [], "next": 0, "newest": 0, "oldest": 0, "complete": True}


def test_state_follows_events(daemon):
    post_all(daemon, login(4127, "3-L-27"), call911(90417, emergency=True, caller="Zoë"), new_call(55120, [4127]))
    now = community(daemon)
    unit, call, call_911 = now["units"][0], now["calls"][0], now["calls911"][0]
    assert SHAPE <= set(unit) & set(call) & set(call_911)
    assert (unit["number"], unit["label"], unit["calls"], unit["changed"]) == ("3-L-27", "AVL", [55120], 3)
    assert (call["label"], [one["id"] for one in call["units"]]) == ("ACTIVE", [4127])
    assert (call_911["label"], call_911["caller"], call_911["call"]) == ("EMERGENCY", "Zoë", None)
    assert call_911["since"] < call_911["warn_at"] < call_911["late_at"]

    post_all(daemon, event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 4}), event("EVENT_REMOVE_911"))
    post_all(daemon, event("EVENT_UNIT_PANIC", {"identIds": [4127], "isPanic": True}),
             event("EVENT_DISPATCH_CLOSED", {"callIds": [55120]}))
    now = community(daemon)
    unit = now["units"][0]
    assert (unit["label"], unit["status"], unit["calls"], unit["changed"]) == ("PANIC", 4, [], 7)
    assert (now["calls"][0]["label"], now["calls911"]) == ("CLOSED", [])


def members_of_page():
    """By the headings of sonoran-pushd-items(7)."""
    page = (REPOSITORY / "packaging/man/sonoran-pushd-items.7").read_text()
    parts = re.split(r"^\.S[sh] (.*)\n", page, flags=re.M)
    return {heading: re.findall(r"^\.It Va (\w+)$", text, re.M) for heading, text in zip(parts[1::2], parts[2::2])}


def test_members(daemon):
    """The manual has all that is sent, and nothing else."""
    post_all(daemon, login(4127, "3-L-27"), call911(90417), new_call(55120, [4127]))
    now, told = community(daemon), members_of_page()
    for kind, heading in (("units", "Units"), ("calls", "Calls"), ("calls911", "911 calls")):
        assert sorted(now[kind][0]) == sorted(told["Every item"] + told[heading])
    assert sorted(now["calls"][0]["units"][0]) == ["id", "since"]


def test_tag(daemon):
    """The same until something comes."""
    def ask(*known):
        head, _, body = head_of(daemon, "GET", "/api/state", {"If-None-Match": ", ".join(known)}).partition("\r\n\r\n")
        tag = next(line for line in head.split("\r\n") if line.startswith("ETag: "))
        return int(head.split()[1]), tag.removeprefix("ETag: "), body

    status, tag, _ = ask('"x"')
    assert status == 200
    assert ask(tag) == (304, tag, "")
    assert ask('"x"', tag)[0] == 304
    post_all(daemon, call911())
    status, newer, body = ask(tag)
    assert status == 200 and newer != tag and json.loads(body)["as_of"] == 1
    assert ask(newer)[0] == 304
    one = head_of(daemon, "GET", "/api/state?community=default", {"If-None-Match": newer})
    assert one.startswith("HTTP/1.1 200 ")  # another answer
    daemon.reload()
    assert ask(newer)[0] == 200


def test_many(daemon):
    post_all(daemon, *(login(1000 + i, f"1-A-{i}", status=i % 5) for i in range(60)))
    post_all(daemon, *(new_call(2000 + i, [1000 + i] if i % 3 else [], priority=1 + i % 3) for i in range(25)))
    now = community(daemon)
    assert (len(now["units"]), len(now["calls"])) == (60, 25)
    calls = sorted(now["calls"], key=lambda call: call["rank"])
    assert [bool(call["units"]) for call in calls] == [False] * 9 + [True] * 16
    order = [(bool(call["units"]), call["priority"], call["opened"]) for call in calls]
    assert order == sorted(order)
    labels = [unit["label"] for unit in sorted(now["units"], key=lambda unit: unit["rank"])]
    assert [label for i, label in enumerate(labels) if label not in labels[:i]] == ["SCN", "ENR", "BSY", "AVL", "UNV"]


def test_communities(start):
    daemon = start(communities=COMMUNITIES)
    post_all(daemon, call911(1), {**call911(2), "key": OTHER_KEY})
    assert [one["id"] for one in community(daemon, "coast")["calls911"]] == [2]
    only = get(daemon, "/api/state?community=coast")["communities"]
    assert [(one["name"], len(one["calls911"])) for one in only] == [("coast", 1)]
    assert "nowhere" in get(daemon, "/api/state?community=nowhere", 404)["error"]
    assert [one["id"] for one in get(daemon, "/api/events?community=coast")["events"]] == [2]
    assert "community=NAME" in get(daemon, "/api/events?call911=2", 400)["error"]
    assert [one["id"] for one in get(daemon, "/api/events?call911=2&community=coast")["events"]] == [2]
    assert sum(get(daemon, "/api/series?community=coast")["minutes"]) == 1
    assert sum(get(daemon, "/api/series")["minutes"]) == 2


def test_limits_of_the_board(start):
    daemon = start(board={"call911_warn": "0s", "call911_late": "1h"})
    post_all(daemon, call911())
    call = community(daemon)["calls911"][0]
    assert call["warn_at"] is None and call["late_at"] > call["since"]


def test_hostile_texts(daemon):
    post_all(daemon, call911(caller=HOSTILE), login(1, HOSTILE, location=HOSTILE), new_call(2, title=HOSTILE))
    answer = head_of(daemon, "GET", "/api/state")
    assert "\x1b" not in answer and "\u202e" not in answer
    now = community(daemon)
    for text in (now["units"][0]["location"], now["calls"][0]["title"], now["calls911"][0]["caller"]):
        assert HOSTILE.startswith(text) and 400 < len(text.encode()) <= 512


@pytest.fixture
def ten(daemon):
    """Four types in turn."""
    bodies = [login(4127, "3-L-27"), call911(90417), new_call(55120, [4127]), event("EVENT_TOY")]
    for i in range(10):
        assert daemon.post(bodies[i % 4]).status in (200, 400)
    return daemon


@pytest.mark.parametrize("query, ids, following, complete", [
    ("", range(1, 11), 10, True),
    ("?limit=3", [8, 9, 10], 10, True),
    ("?from=0&limit=3", [1, 2, 3], 3, False),
    ("?from=3&limit=100", range(4, 11), 10, True),
    ("?from=10", [], 10, True),
    ("?from=11", [], 11, True),
    ("?type=EVENT_911", [2, 6, 10], 10, True),
    ("?type=EVENT_911&limit=1", [10], 10, True),
    ("?type=EVENT_*&from=5&limit=2", [6, 7], 7, False),
    ("?call=55120", [3, 7], 10, True),
    ("?call911=90417&from=2", [6, 10], 10, True),
    ("?unit=4127&limit=2", [7, 9], 10, True),
    ("?unit=3-l-27", [1, 3, 5, 7, 9], 10, True),
    ("?verdict=unknown", [4, 8], 10, True),
    ("?limit=0", [], 10, True),
    ("?limit=5000", range(1, 11), 10, True),
])
def test_events(ten, query, ids, following, complete):
    answer = get(ten, f"/api/events{query}")
    assert [one["id"] for one in answer["events"]] == list(ids)
    assert (answer["next"], answer["newest"], answer["oldest"]) == (following, 10, 1)
    assert answer["complete"] == complete


def test_records(ten):
    """What was sent only for who asks and may; never whom it came from."""
    record = get(ten, "/api/events?limit=1")["events"][0]
    assert record["summary"] and record["calls911"] == [90417]
    assert not {"from", "data", "extra"} & set(record)
    whole = get(ten, "/api/events?limit=1&data=1")["events"][0]
    assert whole["data"] == {"call": {"callId": 90417}} and "from" not in whole
    assert {**record, "data": whole["data"]} == whole


@pytest.mark.parametrize("query, words", [
    ("from=x", "whole number"), ("from=-1", "not negative"), ("limit=1e3", "whole number"), ("verdict=no", "accepted"),
    ("data=yes", "1 or 0"), ("call=", "whole number"), ("unit=", "number of a unit"),
    ("unit=" + "9" * 40, "number of a unit"), ("from=99999999999999999999", "whole number"),
])
def test_refused(daemon, query, words):
    assert words in get(daemon, f"/api/events?{query}", 400)["error"]


def test_what_is_not_asked_for_is_not_read(ten):
    """Of a log whose data is damaged all that is told of what was accepted is there."""
    told = get(ten, "/api/events?verdict=accepted")["events"]
    change(store_of(ten), "UPDATE events SET data = 'no JSON'")
    assert told and get(ten, "/api/events?verdict=accepted")["events"] == told
    assert get(ten, "/api/events?data=1")["events"] == []


def large(call_id, kilobytes=600):
    return call911(call_id, notes=["smoke"] * (kilobytes * 125))


def test_large_answers_have_pages(daemon):
    """Each ends when it has 1 MB, and says where the next begins."""
    post_all(daemon, *(large(i) for i in range(5)))
    seen, after, complete = [], 0, False
    while not complete:
        page = get(daemon, f"/api/events?from={after}&data=1")
        ids = [one["id"] for one in page["events"]]
        assert len(ids) in (1, 2) and page["next"] == ids[-1]  # one, where the time was up before
        seen, after, complete = seen + ids, page["next"], page["complete"]
    assert seen == [1, 2, 3, 4, 5]
    assert len(get(daemon, "/api/events?from=0")["events"]) == 5


def ask_and_leave(daemon):
    """A client that takes nothing of its answer, which has begun."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE_S)
    client.connect(socket_of(daemon))
    client.sendall(b"GET /api/events?from=0&data=1&limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.recv(1, socket.MSG_PEEK)
    return client


def test_answers_that_nobody_takes(daemon):
    """They have a limit together; what is small is answered all the same."""
    post_all(daemon, large(1, 1200))
    with contextlib.ExitStack() as clients:
        for _ in range(16):
            clients.enter_context(ask_and_leave(daemon))
        assert "nobody has taken" in get(daemon, "/api/events?from=0&data=1&limit=1", 503)["error"]
        assert get(daemon, "/api/events?from=0")["complete"]
    wait_for(lambda: ask_socket(socket_of(daemon), "GET", "/api/events?from=0&data=1")[0] == 200, "room again")


def test_pages(daemon):
    """Whoever asks on from where the last answer ended has all of them, each once."""
    post_all(daemon, *(call911(i) for i in range(50)))
    seen, after = [], 0
    while True:
        answer = get(daemon, f"/api/events?from={after}&limit=7&type=EVENT_9*")
        seen += [one["id"] for one in answer["events"]]
        after = answer["next"]
        if answer["complete"]:
            break
    assert seen == list(range(1, 51))
