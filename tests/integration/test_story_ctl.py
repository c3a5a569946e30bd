"""sonoran-pushctl story and GET /api/story: one call, from what was posted, to figures; for people, for programs, by socket."""

import json
import re

from ctl_tools import USAGE, ask_socket, ctl, store_of
from harness import config, event
from test_admin import socket_of

SHIFT = [
    ("EVENT_UNIT_LOGIN", {"unit": {"id": 4127, "status": 2, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}}),
    ("EVENT_911", {"call": {"callId": 90417, "caller": "Zoë", "location": "118 Lantern St"}}),
    ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 55120, "title": "Fire \x1b[31m", "address": "118 Lantern St", "idents": [],
                                         "metaData": {"origin911": "90417"}}}),
    ("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 55120, "idents": [4127]}),
    ("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 3}),
    ("EVENT_DISPATCH_NOTE", {"callId": 55120, "note": "two people on the roof"}),
    ("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 4}),
    ("EVENT_DISPATCH_CLOSED", {"callIds": [55120]}),
    ("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 2}),
]


def play(daemon, key=None):
    for name, data in SHIFT:
        body = event(name, data) if key is None else {**event(name, data), "key": key}
        assert daemon.post(body).status == 200


def api(daemon, query):
    status, _, answer = ask_socket(socket_of(daemon), "GET", f"/api/story?{query}")
    return status, answer


def test_of_a_call(daemon):
    play(daemon)
    told = ctl("story", "--json", 55120, "--store", store_of(daemon))
    story = json.loads(told.stdout)
    assert [entry["id"] for entry in story["entries"]] == list(range(2, 9))
    assert (story["call"], story["call911"], story["complete"], story["missing"]) == (55120, 90417, True, None)
    assert story["figures"].keys() == {"answered_after", "first_unit_after", "first_on_scene_after", "closed_after"}
    figures = list(story["figures"].values())
    assert figures == sorted(figures) and figures[0] >= 0
    assert [entry["after"] for entry in story["entries"]][0] is None
    assert story["entries"][-1]["after"] == story["figures"]["closed_after"]
    assert story["units"][0]["number"] == "3-L-27" and story["units"][0]["on_scene"] == story["entries"][5]["time"]
    # Either id, and the socket, tell the same.
    assert ctl("story", "--json", "911:90417", "--store", store_of(daemon)).stdout == told.stdout
    for query in ("call=55120", "call911=90417", "call=55120&community=default"):
        assert api(daemon, query) == (200, story)


def test_for_people_without_a_daemon(daemon):
    play(daemon)
    daemon.stop()
    told = ctl("story", 55120, "--store", store_of(daemon), env={"TZ": "UTC"})
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Call 55120 Fire \\x1b[31m at 118 Lantern St, from 911 call 90417\n\nTIME (UTC)  ")
    assert len(re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", told.stdout, re.M)) == 7
    assert re.search(r"^3-L-27 Mara Ellison +0:\d\d +0:\d\d +0:\d\d +-$", told.stdout, re.M)
    assert re.search(r"^Answered after 0:\d\d, first unit attached after 0:\d\d, first on scene after 0:\d\d, closed after 0:\d\d\.$",
                     told.stdout, re.M)


def test_of_none(daemon):
    missing = ctl("story", 1, "--store", store_of(daemon))
    assert (missing.returncode, missing.stderr) == (1, "sonoran-pushctl: the log has nothing of call 1\n")
    assert ctl("story", "x", "--store", store_of(daemon)).returncode == USAGE
    assert ctl("story", "--store", store_of(daemon)).returncode == USAGE
    assert api(daemon, "call=1") == (404, {"error": "the log has nothing of call 1"})
    for query in ("", "call=x", "call911=911:1", "call=1&call911=2"):
        status, answer = api(daemon, query)
        assert status == 400 and answer["error"]


def test_of_several_communities(start):
    keys = {"a": "Story-Key-0000000a", "b": "Story-Key-0000000b"}
    daemon = start(config(communities=[{"name": name, "api_key": key} for name, key in keys.items()]))
    for key in keys.values():
        play(daemon, key)
    unnamed = ctl("story", 55120, "--store", store_of(daemon))
    assert unnamed.returncode == USAGE and "(a, b)" in unnamed.stderr and "--community NAME" in unnamed.stderr
    assert api(daemon, "call=55120")[0] == 400
    story = json.loads(ctl("story", 55120, "--json", "--community", "b", "--store", store_of(daemon)).stdout)
    assert [entry["id"] for entry in story["entries"]] == list(range(11, 18))
    assert api(daemon, "call=55120&community=b") == (200, story)


def test_a_long_one_is_bounded_in_an_answer(daemon):
    note = {"callId": 55120, "note": "more"}
    assert daemon.post(event(*SHIFT[2])).status == 200
    for _ in range(5):
        assert daemon.post(event("EVENT_DISPATCH_NOTE", [note] * 1000)).status == 200
    assert daemon.post(event(*SHIFT[7])).status == 200
    status, story = api(daemon, "call=55120")
    assert (status, len(story["entries"]), story["complete"]) == (200, 2000, False)
    assert "3002 events in the middle are left out." in story["missing"]
    assert story["closed"] == story["entries"][-1]["time"]
    assert len(json.loads(ctl("story", 55120, "--json", "--store", store_of(daemon)).stdout)["entries"]) == 5002
