"""Design section 7: lines for people, fields for programs, refusals counted, and a log nobody can choke."""

import json
import re
import signal
import time

import pytest
from harness import KEY, OTHER_CLIENT, PATH, PATIENCE_S, WRONG_KEY, call911, config, event, request, wait_for

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
        assert r"\x1b[2J <@everyone>" in lines[0]


def test_text_lines(start):
    """HH:MM:SS, the line; in front of one of the daemon itself its level."""
    daemon = start(log={"target": "text"})
    daemon.post(call911(90417, caller="Ada Lovelace", location="118 Lantern St", description="Smoke", isEmergency=True))
    lines = daemon.stop().lines()
    assert all(TEXT_LINE.fullmatch(line) for line in lines), lines
    [line] = [line for line in lines if "90417" in line]
    assert re.match(r"\d\d:\d\d:\d\d 911 call 90417 at ", line)
    assert all(re.match(r"\d\d:\d\d:\d\d (info|warn|note) +\S", other) for other in lines if other is not line), lines
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


def test_what_has_to_be_seen_is_red_on_a_terminal(start):
    daemon = start(log={"target": "auto"}, terminal=True)
    daemon.post(event("EVENT_UNIT_PANIC", {"identIds": [4127], "isPanic": True}))
    daemon.post(event("EVENT_UNIT_PANIC", {"identIds": [4127], "isPanic": False}))
    daemon.post(event("EVENT_911", {"call": {}}))
    output = bytes(daemon.stop().stderr.bytes)
    assert b" \x1b[1;31mPANIC\x1b[0m: unit 4127" in output
    assert re.search(rb" \x1b\[32mpanic ended.*\x1b\[0m: unit 4127", output)
    assert b" \x1b[33mrefused EVENT_911\x1b[0m from " in output


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


def test_fields_of_who_and_what(daemon):
    """Numbers as they were known, who did it, records, tests; nobody is unit 0."""
    for body in [
        event("EVENT_UNIT_LOGIN", {"unit": {"id": 4127, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}}),
        event("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 55120, "idents": [4127]}, "eventOriginIdent": 4101}),
        event("EVENT_UNIT_STATUS", {"identIds": [4127, 0, -1], "status": 3}),
        event("EVENT_DISPATCH_CLOSED", {"callIds": [55120], "eventOriginIdent": 0}),
        event("EVENT_RECORD_ADD", {"record": {"id": 88213, "type": 8, "name": "Speeding Citation"}}),
        event("EVENT_UNIT_STATUS", {"identIds": [1], "status": 3}, test=True),
        event("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 55120, "idents": [4127, "x"]}),
        event(None, {"callId": 55120}),
    ]:
        assert daemon.post(body).status in (200, 400)
    login, new, status, closed, record, test, refused, no_type = daemon.stop().events()
    assert (login["unit"], login["unit_number"], "by" in login, "test" in login) == ([4127], ["3-L-27"], False, False)
    assert (new["call"], new["by"]) == ([55120], 4101)
    assert (status["unit"], status["unit_number"], status["call"]) == ([4127], ["3-L-27"], [55120])
    assert ("by" in closed, closed["unit"]) == (False, [4127])
    assert (record["record"], test["test"], "record" in test) == (88213, "1", False)
    assert (refused["verdict"], refused["call"], refused["unit"]) == ("invalid", [55120], [4127])
    assert (no_type["verdict"], no_type["community"], "event" in no_type) == ("unknown", "default", False)


def test_refused_requests_say_which_and_how_much(start):
    """A wrong push URL is the commonest mistake."""
    daemon = start(limits={"body": "64K"})
    daemon.ask("POST", "/wrong/url", b"{}")
    daemon.post(b"x" * 70000)
    daemon.post(event(key=17))
    reasons = {r["message"]: r["priority"] for r in daemon.stop().records() if r.get("verdict") == "refused"}
    start_of = "refused a request from 127.0.0.1: "
    assert reasons == {
        start_of + "path not found (/wrong/url)": 6,
        start_of + "body too large (limit 64K)": 6,
        start_of + "key is not a text, for EVENT_REMOVE_911": 4,
    }


def test_priorities(daemon):
    cases = [
        (event("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True}), 4),
        (event("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": False}), 5),
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
    daemon.wait_line("EVENT_911")  # it is written after the answer
    for path in "/first", "/second":  # when the second file is in force, all of the first is; their lines are hidden
        daemon.configure(config(log={"level": "warning"}, paths=[path]))
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda path=path: daemon.ask("GET", path).status == 200, "the new configuration")
    daemon.post(call911(2, isEmergency=True), "/second")
    daemon.post(event("EVENT_UNIT_PANIC", {"identIds": [4127], "isPanic": True}), "/second")
    assert [e["event"] for e in daemon.stop().events()] == ["EVENT_911", "EVENT_UNIT_PANIC"]


# Refusals: the first of a minute at once, the others as a number


def refused(daemon):
    """How many the lines tell of."""
    messages = [r["message"] for r in daemon.stop().records()]
    return sum(int(n or 1) for m in messages for n in re.findall(r"^refused (?:a request|(\d+) more)", m))


REFUSALS = {
    "wrong key": lambda i: request(event(key=WRONG_KEY)),
    "wrong key, always another": lambda i: request(event(key=f"{WRONG_KEY}{i}")),
    "wrong key, always another type": lambda i: request(event(f"EVENT_{i}", key=WRONG_KEY)),
    "no JSON": lambda i: request("{" * (i + 1)),
    "no key": lambda i: request({"type": "EVENT_911"}),
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
    assert refused(daemon) == 500
    assert len(daemon.lines()) - before < 10


def test_refusals_from_many_addresses(daemon):
    """Whoever has many addresses cannot bury the events either."""
    before = len(daemon.lines())
    for i in range(300):
        assert daemon.post(event(key=WRONG_KEY), source=f"127.0.{i // 250 + 4}.{i % 250 + 1}").status == 400
    daemon.stop()
    assert len(daemon.lines()) - before < 100


def test_strangers_silence_no_line_about_others(daemon):
    """Each of the first addresses of a minute has a line of its own, and one that had a right key always."""
    cad, forwarder = "127.0.7.1", "127.0.7.2"
    begin = time.monotonic()
    assert daemon.serves(cad)
    for i in range(200):
        daemon.post(event(key=WRONG_KEY), source=f"127.0.8.{i % 100 + 1}")
        daemon.post("{" * (i + 1), source="127.0.8.1")
        daemon.ask("GET", f"/{i}", source="127.0.8.1")
    daemon.post("{ no JSON", source=forwarder)
    for path, body in (PATH, event(key=WRONG_KEY)), (PATH, "{ no JSON"), ("/x", event()):
        for _ in range(3):
            assert daemon.post(body, path, source=cad).status >= 400
    records = daemon.stop().records()
    n_minutes = 1 + int(time.monotonic() - begin) // 60
    refused = [r for r in records if r["message"].startswith("refused a request from")]
    of_cad = [r["reason"] for r in refused if r["from"] == cad]
    assert set(of_cad) == {"wrong key", "body is not sound JSON", "path not found"} and len(of_cad) <= 3 * n_minutes
    assert {r["priority"] for r in refused if r["from"] == cad} == {4}
    assert {r["from"] for r in refused if "had a right key within a day" in r["message"]} == {cad}
    assert [r["reason"] for r in refused if r["from"] == forwarder] == ["body is not sound JSON"]
    sums = [r for r in records if re.match(r"refused \d+ more", r["message"])]
    for reason in set(of_cad):
        n_more = sum(r["count"] for r in sums if (r["from"], r["reason"]) == (cad, reason))
        assert of_cad.count(reason) + n_more == 3
    assert len(refused) + len(sums) < 30 * n_minutes


def test_noise_is_quiet(daemon):
    """What every open port hears is information; what may be the CAD is a warning."""
    noise = [request(method="GET", path="/wp-login.php"), request("GET / HTTP"), request({"key": "x", "type": "y"})]
    for bytes_ in [*noise, request(method="PUT"), request({"type": "EVENT_UNHEARD_OF"}), request({"key": 5})]:
        with daemon.connect() as client:
            client.ask(bytes_)
    daemon.post(event("event_dispatch_close", key=WRONG_KEY))
    refused = [r for r in daemon.stop().records() if r.get("verdict") == "refused"]
    assert [r["priority"] for r in refused] == [6] * 6 + [4]
    assert [r["reason"] for r in refused][-2:] == ["key is not a text", "wrong key"]


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
    """Lines of before in the old form, lines of after in the new one, and none lost in between. A line comes after the
    answer, so of the last write some may be of after."""
    daemon = start(log={"target": old})
    flood(daemon, 1000)
    daemon.reload(config(log={"target": new}))
    flood(daemon, 500)
    told = [line.startswith("{") for line in daemon.stop().lines() if "911 call 90417" in line]
    n_old = told.count(old == "json")
    assert told == [old == "json"] * n_old + [new == "json"] * (1500 - n_old)
    assert 1000 - FLOOD <= n_old <= 1000


FLOOD = 100  # events in each write


def flood(daemon, events, source="127.0.0.2", size=300):
    """Posts so many events, each larger than that, and reads every answer."""
    with daemon.connect(source) as client:
        for _ in range(events // FLOOD):
            client.send(request(call911(caller="x" * size)) * FLOOD)
            assert all(client.answer().status == 200 for _ in range(FLOOD))


def test_reader_that_stops_reading(daemon):
    """Lines are lost, answers are not, and how many lines were lost is told."""
    daemon.stderr.paused = True
    flood(daemon, 5_000, size=3_000)  # twice as much as there is room for
    assert daemon.serves()
    daemon.stderr.paused = False
    daemon.wait_line(LINES_LOST)
    told = len(daemon.stop().events())
    lost = [int(re.match(r"\d+", r["message"]).group()) for r in daemon.records() if r.get("message_id") == LINES_LOST]
    assert sum(lost) > 0 and told + sum(lost) == 5_001


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_stop_while_nobody_reads(daemon, signal_):
    daemon.stderr.paused = True
    flood(daemon, 500)
    daemon.process.send_signal(signal_)
    assert daemon.process.wait(PATIENCE_S) == 0
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
