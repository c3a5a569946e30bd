"""The story of an event is decided once: what an action is told after a restart, when all names are others, is word for
word what the journal said; and so is what sonoran-pushctl says and what a program gets. For every sample, warm."""

import contextlib
import json

from ctl_tools import ctl, store_of
from harness import config, event, wait_for
from targets import Target
from test_samples import NAMES, sample

SAID_ALIKE = ("calls", "calls911", "units")


def shift():
    for unit_id, number, name in [(4101, "D-2", "Priya Vance"), (4127, "3-L-27", "Mara Ellison"), (4133, "3-L-33", "Jonas Brandt")]:
        yield event("EVENT_UNIT_LOGIN", {"unit": {"id": unit_id, "status": 2, "location": "Pier Rd",
                                                  "data": {"unitNum": number, "name": name, "apiIds": ["steam:1"]}}})
    yield event("EVENT_911", {"call": {"callId": 90417, "caller": "Zoë", "location": "118 Lantern St"}})
    yield event("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 55120, "title": "Structure Fire", "idents": [4127, 4133]}})


def everything_else():
    for unit_id in (4101, 4127, 4133, 4140, 4141):
        yield event("EVENT_UNIT_LOGIN", {"unit": {"id": unit_id, "isPanic": True, "location": "elsewhere",
                                                  "data": {"unitNum": "9-X-9", "name": "Somebody Else"}}})
    for call_id in (55120, 55121):
        yield event("EVENT_DISPATCH_NEW", {"dispatch": {"callId": call_id, "title": "Something Else", "idents": []}})
    yield event("EVENT_911", {"call": {"callId": 90417, "caller": "Somebody Else", "location": "elsewhere"}})


def program(folder, out):
    file = folder / "program"
    file.write_text(f'#!/bin/sh\nprintf "%s|%s\\n" "$SONORAN_EVENT_ID" "$SONORAN_SUMMARY" >>{out}\n')
    file.chmod(0o755)
    return [str(file)]


def test_word_for_word_after_a_restart_with_changed_state(start, tmp_path):
    up = False
    out = tmp_path / "out"
    bot = Target(lambda request: 200 if up else 503)
    with contextlib.closing(bot):
        actions = [{"name": "bot", "type": "forward", "body": "record", "url": bot.url}]
        first = start(actions=actions, log={"level": "debug"})
        for body in [*shift(), *map(sample, NAMES), *everything_else()]:
            assert first.post(body).status in (200, 400)
        first.stop()
        told = {line["event_id"]: line for line in first.events() if not {"verdict", "action"} & set(line)}
        up = True
        actions.append({"name": "program", "type": "exec", "command": program(tmp_path, out)})
        second = start(config(actions=actions, store={"path": str(store_of(first))}))
        records = {record["id"]: record for record in (request.json for request in bot.wait_got(len(told)))}
        assert ctl("replay", "program", "--from", 1, "--store", store_of(first)).returncode == 0
        wait_for(lambda: out.exists() and out.read_text().count("\n") >= len(told), "the program")
        second.stop()
    listed = ctl("events", "--store", store_of(first), "--json", "--after", 0, "--limit", 1000, "--verdict", "accepted")
    from_log = [json.loads(line) for line in listed.stdout.splitlines()]
    by_program = dict(line.split("|", 1) for line in out.read_text().splitlines())
    assert {record["id"]: record for record in from_log} == records
    assert sorted(records) == sorted(told)
    for event_id, line in told.items():
        record = records[event_id]
        assert (record["summary"], record["level"]) == (line["message"], line["priority"])
        assert [record[name] for name in SAID_ALIKE] == [line.get(name, []) for name in ("call", "911", "unit")]
        assert record.get("by") == line.get("by")
        assert "Somebody Else" not in json.dumps(record["known"]) or event_id > max(told) - 8
        # A program gets neither escapes nor what nobody sees.
        assert by_program[str(event_id)] == line["message"]
