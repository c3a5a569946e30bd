"""Design section 7: lines for people, fields for programs, refusals counted, and a log nobody can choke."""

import json
import re
import signal

import pytest
from harness import KEY, OTHER_CLIENT, WRONG_KEY, call911, config, event, request, wait_for

HOSTILE = "\x1b[2J\n<@everyone>\r\x07\x7f\x9b31m\u202e\u2028\x08"
TEXT_LINE = re.compile(r"\d\d:\d\d:\d\d \S+ +\S.*")
LINES_LOST = "5c1f0a5be1f44d0f9c2b1f6d3a7e4b0b"


def hostile_events():
    """The player's name wherever a line may show it."""
    unit = {"id": 4127, "location": HOSTILE, "data": {"unitNum": HOSTILE, "name": HOSTILE, "department": HOSTILE}}
    dispatch = {"callId": 55120, "title": HOSTILE, "address": HOSTILE, "description": HOSTILE, "code": HOSTILE}
    yield call911(1, caller=HOSTILE, location=HOSTILE, description=HOSTILE)
    yield event("EVENT_UNIT_LOGIN", {"unit": unit})
    yield event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 3})
    yield event("EVENT_DISPATCH_NEW", {"dispatch": dispatch})
    yield event("EVENT_DISPATCH_NOTE", {"callId": 55120, "note": {"content": HOSTILE, "label": HOSTILE}})
    yield event("EVENT_UNIT_GROUP_ADD", {"identId": 4127, "groupName": HOSTILE})
    yield event("EVENT_TONE", {"url": HOSTILE, "playTonesTo": [{"type": 5, "value": HOSTILE, "label": HOSTILE}]})
    yield event("EVENT_PAGER_REBORN", {"addresses": [HOSTILE], "nature": HOSTILE, "body": HOSTILE})
    yield event("EVENT_STATION_ALERT", {"locations": [{"name": HOSTILE}], "message": HOSTILE, "tone": HOSTILE})
    yield event("EVENT_RECORD_ADD", {"record": {"id": 1, "name": HOSTILE, "type": 8}})
    yield event("EVENT_STREETSIGN_UPDATED", {"signData": {"ids": [1], "text1": HOSTILE}})
    yield event("EVENT_CHAR_SELECTED", {"id": HOSTILE, "accId": HOSTILE})
    yield event("EVENT_COMMUNITY_LINK_VERIFIED", {"communityUserId": HOSTILE})
    yield event("EVENT_NEW_CALLOUT", {"callout": {"id": HOSTILE, "data": {"CalloutName": HOSTILE}}})
    yield event("EVENT_PRINT_RECORD", {"identId": 4127, "url": HOSTILE})
    yield event("GET_LOGS", {}, logKey=HOSTILE)
    yield event("EVENT_" + HOSTILE, {HOSTILE: HOSTILE})


def assert_harmless(output):
    """No byte in it moves a cursor, ends a line or turns the writing direction."""
    text = output.decode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]", text)


@pytest.mark.parametrize("target", ["text", "json"])
def test_hostile_text(start, target):
    daemon = start(log={"target": target})
    before = len(daemon.lines())
    bodies = list(hostile_events())
    for body in bodies:
        assert daemon.post(body).status in (200, 400)
    daemon.post(event("EVENT_" + HOSTILE, key=WRONG_KEY))
    daemon.ask("GET", "/%1b%5b2J%0a<@everyone>")
    wait_for(lambda: len(daemon.lines()) >= before + len(bodies), "a line for each event")
    daemon.stop()
    assert_harmless(bytes(daemon.stderr.bytes))
    if target == "json":
        assert len(daemon.events()) == len(bodies)
    else:
        lines = daemon.lines()[before:]
        assert all(TEXT_LINE.fullmatch(line) for line in lines)
        assert r"\x1b[2J\n<@everyone>" in lines[0]


def test_text_lines(start):
    """HH:MM:SS, a label, the line."""
    daemon = start(log={"target": "text"})
    daemon.post(call911(90417, caller="Ada Lovelace", location="118 Lantern St", description="Smoke", isEmergency=True))
    lines = daemon.stop().lines()
    assert all(TEXT_LINE.fullmatch(line) for line in lines), lines
    [line] = [line for line in lines if "90417" in line]
    for words in "Ada Lovelace", "118 Lantern St", "Smoke":
        assert words in line


def test_on_a_terminal(start):
    """Coloured, and nothing else of it obeyed."""
    daemon = start(log={"target": "auto"}, terminal=True)
    for body in hostile_events():
        daemon.post(body)
    output = bytes(daemon.stop().stderr.bytes)
    assert re.search(rb"\x1b\[[0-9;]+m", output)
    assert_harmless(re.sub(rb"\x1b\[[0-9;]*m|\r(?=\n)", b"", output))


def test_not_coloured_in_a_pipe(start):
    daemon = start(log={"target": "auto"})
    daemon.post(call911())
    assert_harmless(bytes(daemon.stop().stderr.bytes))
    assert all(TEXT_LINE.fullmatch(line) for line in daemon.lines())


def test_fields(daemon):
    """Every JSON line is one object; an event's has what a query needs."""
    daemon.post(call911("90417", caller="Zoë"), source=OTHER_CLIENT)
    daemon.post(event("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 55120, "idents": [4127, "4133"]}))
    daemon.post(event("EVENT_FUTURE_THING", {"x": 1}))
    daemon.post(event("EVENT_911", {"call": {}}))
    records = daemon.stop().records()
    assert all({"message", "priority", "time"} <= set(r) and "\n" not in r["message"] for r in records)

    first, attach, unknown, invalid = daemon.events()
    assert (first["event"], first["event_id"], first["community"], first["listener"], first["from"]) == (
        "EVENT_911", 1, "default", "main", OTHER_CLIENT,
    )  # fmt: skip
    assert (first["911"], json.loads(first["data"])["call"]["caller"], "verdict" in first) == ([90417], "Zoë", False)
    assert (attach["call"], attach["event_id"]) == ([55120], 2)
    assert {4127, 4133} <= set(attach["unit"])
    assert (unknown["event"], unknown["verdict"], unknown["event_id"]) == ("EVENT_FUTURE_THING", "unknown", 3)
    assert (invalid["verdict"], invalid["reason"]) == ("invalid", "data.call.callId: missing")


def test_priorities(daemon):
    cases = [
        (event("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True}), 4),
        (event("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": False}), 6),
        (call911(1, isEmergency=True), 5),
        (call911(2, isEmergency=False), 6),
        (event(), 6),
        (event("EVENT_FUTURE_THING"), 4),
        (event("EVENT_911", {"call": {}}), 4),
    ]
    for body, _ in cases:
        daemon.post(body)
    assert [e["priority"] for e in daemon.stop().events()] == [priority for _, priority in cases]


def test_bytes_are_kept(daemon):
    """What the log shows of data is the sender's own text, not a number that went through a double."""
    data = '{ "call" :{"callId":9007199254740993,"x":1.10,"y":-0.0,\n\t"z":"\\u00e9\\/","e":1E+2 , "a":1,"a":2}}'
    assert daemon.post('{"data":' + data + f',"type":"EVENT_911","key":"{KEY}"' + "}").text == "ok"
    [record] = daemon.stop().events()
    assert record["data"] == data
    assert record["911"] == [9007199254740993]


@pytest.mark.parametrize("payload", [1, 40, 41, 42, 43, "4K"])
def test_payload(start, payload):
    """Cut at so many bytes, but at a character."""
    daemon = start(log={"payload": payload})
    text = '{"callIds":[1],"text":"' + "Zoë 🚨 " * 2000 + '"}'
    daemon.post(f'{{"key":"{KEY}","type":"EVENT_REMOVE_911","data":{text}}}')
    [record] = daemon.stop().events()
    size = 4096 if payload == "4K" else payload
    shown = record["data"].removesuffix("…")
    assert text.startswith(shown)
    assert size - 4 < len(shown.encode()) <= size


def test_payload_off(start):
    daemon = start(log={"payload": 0})
    daemon.post(event())
    [record] = daemon.stop().events()
    assert "data" not in record


def test_level(daemon):
    """warning hides events, and a panic is more than one."""
    daemon.post(call911(1, isEmergency=True))
    for path in "/first", "/second":  # when the second file is in force, all of the first is; their lines are hidden
        daemon.configure(config(log={"level": "warning"}, paths=[path]))
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda path=path: daemon.ask("GET", path).status == 200, "the new configuration")
    daemon.post(call911(2, isEmergency=True), "/second")
    daemon.post(event("EVENT_UNIT_PANIC", {"identIds": [4127], "isPanic": True}), "/second")
    assert [e["event"] for e in daemon.stop().events()] == ["EVENT_911", "EVENT_UNIT_PANIC"]


# Refusals: the first at once, the others as a number


def summed(daemon):
    """How many more the lines at the end tell of."""
    messages = [r["message"] for r in daemon.stop().records()]
    return sum(int(n) for m in messages for n in re.findall(r"(\d+) more", m))


REFUSALS = {
    "wrong key": lambda i: request(event(key=WRONG_KEY)),
    "wrong key, always another": lambda i: request(event(key=f"{WRONG_KEY}{i}")),
    "wrong key, always another type": lambda i: request(event(f"EVENT_{i}", key=WRONG_KEY)),
    "no JSON": lambda i: request("{" * (i + 1)),
    "no type": lambda i: request({"key": KEY}),
    "other path": lambda i: request(method="GET", path=f"/{i}"),
    "other method": lambda i: request(method="PUT"),
    "encoded": lambda i: request(event(), headers=["Content-Encoding: gzip"]),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_are_counted(daemon, kind):
    before = len(daemon.lines())
    with daemon.connect() as client:
        assert client.ask(REFUSALS[kind](0)).status >= 400
        wait_for(lambda: len(daemon.lines()) > before, "the first refusal")
        for i in range(1, 500):
            assert client.ask(REFUSALS[kind](i)).status >= 400
    assert summed(daemon) == 499
    assert len(daemon.lines()) - before < 10


def test_refusals_from_many_addresses(daemon):
    """Whoever has many addresses cannot bury the events either."""
    before = len(daemon.lines())
    for i in range(300):
        assert daemon.post(event(key=WRONG_KEY), source=f"127.0.{i // 250 + 4}.{i % 250 + 1}").status == 400
    daemon.stop()
    assert len(daemon.lines()) - before < 100


def test_a_refusal_is_told(daemon):
    """Which address, through which listener, why."""
    daemon.post(event("EVENT_911", key=WRONG_KEY), source=OTHER_CLIENT)
    [refusal] = [r for r in daemon.stop().records() if r.get("from") == OTHER_CLIENT]
    assert (refusal["priority"], refusal["event"], refusal["listener"]) == (4, "EVENT_911", "main")
    assert "key" in (refusal["message"] + refusal.get("reason", "")).lower()
    assert "data" not in refusal and "event_id" not in refusal


# The target, and readers that do not read


@pytest.mark.parametrize("old, new", [("text", "json"), ("json", "text")])
def test_target_switched_by_reload(start, old, new):
    """Lines of before in the old form, lines of after in the new one, and none lost in between."""
    daemon = start(log={"target": old})
    flood(daemon, 1000)
    daemon.reload(config(log={"target": new}))
    flood(daemon, 500)
    told = [line.startswith("{") for line in daemon.stop().lines() if "911 call 90417" in line]
    assert told == [old == "json"] * 1000 + [new == "json"] * 500


def flood(daemon, events, source="127.0.0.2"):
    """Posts so many events, a hundred in each write, and reads every answer."""
    with daemon.connect(source) as client:
        for _ in range(events // 100):
            client.send(request(call911(caller="x" * 300)) * 100)
            assert all(client.answer().status == 200 for _ in range(100))


def test_reader_that_stops_reading(daemon):
    """Lines are lost, answers are not, and how many lines were lost is told."""
    daemon.stderr.paused = True
    flood(daemon, 20_000)
    assert daemon.serves()
    daemon.stderr.paused = False
    daemon.wait_line(LINES_LOST)
    told = len(daemon.stop().events())
    lost = [int(re.match(r"\d+", r["message"]).group()) for r in daemon.records() if r.get("message_id") == LINES_LOST]
    assert sum(lost) > 0 and told + sum(lost) == 20_001


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_stop_while_nobody_reads(daemon, signal_):
    daemon.stderr.paused = True
    flood(daemon, 2_000)
    daemon.process.send_signal(signal_)
    assert daemon.process.wait(30) == 0
    daemon.stderr.paused = False


def test_reader_that_is_gone(daemon):
    address = daemon.address
    daemon.stderr.close()
    flood(daemon, 1_000)
    assert daemon.address == address and daemon.serves()


@pytest.mark.parametrize("level", ["emerg", "warning"])
def test_ready_is_told_at_every_level(start, level):
    """Scripts wait for the line; the harness does."""
    daemon = start(log={"level": level})
    assert len(daemon.ready()) == 1
    assert daemon.post(event()).status == 200
