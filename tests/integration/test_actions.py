"""Actions as their users see them: what arrives where, and what happens while a target is not well."""

import contextlib
import hmac
import json
import os
import socket

import harness
import pytest
import store
from harness import KEY, event, wait_for
from targets import Discord, Target, sequence


@pytest.fixture
def target():
    """target(answer) gives a forward target, target(Discord) or the like another one."""
    targets = []

    def target(answer=None, kind=Target, **more):
        targets.append(kind(answer=answer, **more))
        return targets[-1]

    yield target
    for each in targets:
        each.close()


def forward(target, name="bot", **more):
    return {"name": name, "type": "forward", "url": target.url, "timeout": "2s", **more}


def discord(target, name="channel", **more):
    return {"name": name, "type": "discord", "url": target.url, "timeout": "2s", **more}


def script(folder, text, name="program"):
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def program(folder, text, name="siren", arguments=(), **more):
    return {"name": name, "type": "exec", "command": [script(folder, text, name), *arguments], **more}


def call(call_id, **members):
    return event("EVENT_911", {"call": {"callId": call_id, **members}})


def post_calls(daemon, n, first=1):
    for call_id in range(first, first + n):
        assert daemon.post(call(call_id)).status == 200


def calls_of(requests):
    return [request.json["data"]["call"]["callId"] for request in requests]


# forward


def test_forward_original(start, target):
    bot = target()
    daemon = start(actions=[forward(bot)])
    data = '{"call" : {"callId":9223372036854775807, "x":1.10, "y":"\\u00e9\\/", "z":[ ] }}'
    body = f'{{"logKey":"a b","data":{data},"type":"event_911","key":"{KEY.lower()}","more":{{"a":1.0}}}}'
    assert daemon.post(body).status == 200
    (request,) = bot.wait_got(1)
    assert request.path == "/sonorancad/event" and request.headers["content-type"] == "application/json"
    assert data.encode() in request.body and b'"more":{"a":1.0}' in request.body and b'"logKey":"a b"' in request.body
    assert request.json["key"] == KEY and request.json["type"] == "EVENT_911" and request.event_id == 1


def test_forward_to_ourselves(start):
    """A listener written for the CAD works behind it: our own is one."""
    behind = start()
    host, port = behind.address
    front = start(actions=[{"name": "on", "type": "forward", "url": f"http://{host}:{port}/sonorancad/event"}])
    for body in (call(7), event("EVENT_911", [{"call": {"callId": 8}}, {"call": {"callId": 9}}])):
        assert front.post(body).status == 200
    wait_for(lambda: len(behind.events()) == 3, "three events")
    assert [record["911"] for record in behind.events()] == [[7], [8], [9]]


def test_forward_record(start, target):
    bot = target()
    daemon = start(actions=[forward(bot, body="record", signing_secret="the bot's")])
    assert daemon.post(call(7, caller="Ann")).status == 200
    (request,) = bot.wait_got(1)
    record = request.json
    assert record["id"] == 1 and record["calls911"] == [7] and record["summary"] == "911 call 7 from Ann"
    assert "key" not in record and KEY not in request.body.decode()
    stamp, signature = (part.split("=")[1] for part in request.headers["sonoran-signature"].split(","))
    expected = hmac.new(b"the bot's", f"{stamp}.".encode() + request.body, "sha256").hexdigest()
    assert signature == expected


def test_in_order_on_one_connection(start, target):
    bot = target()
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 100)
    assert calls_of(bot.wait_got(100)) == list(range(1, 101))
    assert {request.connection for request in bot.got} == {1}


@pytest.mark.parametrize(
    "trouble",
    [500, 503, 429, (429, {"Retry-After": "0.2"}), Target.CLOSE, Target.RESET, Target.HALF, Target.GARBAGE],
    ids=str,
)
def test_trouble_is_retried(start, target, trouble):
    bot = target(sequence(trouble, 200))
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 2)
    assert calls_of(bot.wait_got(2)) == [1, 2]
    assert calls_of(bot.tried) == [1, 1, 2]
    assert daemon.wait_line("event 1 not delivered, next try in") and daemon.wait_line("delivers again")


@pytest.mark.parametrize("hang", [Target.HANG, Target.SLOW])
def test_target_that_hangs(start, target, hang):
    bot = target(sequence(hang, 200))
    daemon = start(actions=[forward(bot, timeout="1s")])
    post_calls(daemon, 1)
    assert calls_of(bot.wait_got(1)) == [1]
    assert daemon.wait_line("no answer within 1s")


@pytest.mark.parametrize("refusal", [400, 404, 301, (302, {"Location": "http://127.0.0.1:1/"})], ids=str)
def test_refusal_is_given_up(start, target, refusal):
    bot = target(sequence(refusal, 200))
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 2)
    assert calls_of(bot.wait_got(1)) == [2]
    assert len(bot.tried) == 2
    line = json.loads(daemon.wait_line("stays on the list of failed ones"))
    assert line["action"] == "bot" and line["event_id"] == 1 and line["attempt"] == 1


def test_target_comes_back(start, target):
    """Down from before the start until after many events; none is lost, and the order is kept."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    down = {"name": "bot", "type": "forward", "url": f"http://127.0.0.1:{port}/"}
    daemon = start(actions=[down])
    post_calls(daemon, 50)
    daemon.wait_line("cannot connect to 127.0.0.1:")
    bot = target(port=port)
    assert calls_of(bot.wait_got(50)) == list(range(1, 51))


@pytest.mark.parametrize(
    "url, sentence",
    [("http://nosuch.invalid/x", "nosuch.invalid cannot be resolved"), ("https://127.0.0.1:{port}/secret", "TLS")],
)
def test_no_way_to_it(start, target, url, sentence):
    plain = target(lambda request: Target.GARBAGE)
    daemon = start(actions=[{**forward(plain), "url": url.format(port=plain.port)}])
    post_calls(daemon, 1)
    assert "secret" not in daemon.wait_line(sentence)


def test_parallel(start, target):
    """One that hangs does not hold up the others."""
    bot = target(lambda request: Target.HANG if request.json["data"]["call"]["callId"] == 1 else 200)
    daemon = start(actions=[forward(bot, parallel=4, timeout="1h")])
    post_calls(daemon, 30)
    assert sorted(calls_of(bot.wait_got(29))) == list(range(2, 31))


# Which events


def test_filters(start, target):
    bot = target()
    emergencies = forward(bot, events=["event_911", "EVENT_UNIT_ATTACH"], when=["/call/isEmergency = true"])
    daemon = start(
        actions=[emergencies],
        communities=[{"name": "a", "api_key": KEY}, {"name": "b", "api_key": KEY + "b"}],
    )
    assert daemon.post(call(1)).status == 200
    assert daemon.post(call(2, isEmergency=False)).status == 200
    assert daemon.post(call(3, isEmergency=True)).status == 200
    assert daemon.post(event()).status == 200
    assert daemon.post(call(4, isEmergency=True)).status == 200
    assert calls_of(bot.wait_got(2)) == [3, 4]


def test_communities(start, target):
    bot = target()
    daemon = start(
        actions=[forward(bot, communities=["b"])],
        communities=[{"name": "a", "api_key": KEY}, {"name": "b", "api_key": KEY + "b"}],
    )
    assert daemon.post(call(1)).status == 200
    assert daemon.post({**call(2), "key": KEY + "b"}).status == 200
    (request,) = bot.wait_got(1)
    assert request.json["key"] == KEY + "b"


def test_refused_events_go_nowhere(start, target):
    bot = target()
    daemon = start(actions=[forward(bot)])
    assert daemon.post(event("NO_SUCH_TYPE")).status == 400
    assert daemon.post(event("EVENT_911", {})).status == 400
    post_calls(daemon, 1)
    bot.wait_got(1)
    assert len(bot.tried) == 1


def test_accepted_unknown_types_go_on(start, target):
    bot = target()
    daemon = start(actions=[forward(bot, body="record")], unknown_types="accept")
    assert daemon.post(event("EVENT_OF_TOMORROW", {"a": 1})).status == 200
    record = bot.wait_got(1)[0].json
    assert record["type"] == "EVENT_OF_TOMORROW" and record["verdict"] == "accepted"
    assert record["summary"] == wait_for(daemon.events, "its line")[0]["message"]


def test_too_old(start, target):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    daemon = start(actions=[{"name": "bot", "type": "forward", "url": f"http://127.0.0.1:{port}/", "max_age": "1500ms"}])
    post_calls(daemon, 3)
    daemon.wait_line("not delivered, next try in")
    wait_for(lambda: status_of(daemon)["skipped"] == 3, "skipped")
    bot = target(port=port)
    post_calls(daemon, 1, first=4)
    assert calls_of(bot.wait_got(1)) == [4]
    daemon.wait_line("3 events were skipped, older than max_age")


# exec


def test_program(start, tmp_path):
    out = tmp_path / "out"
    text = f'cat >{out}.record; printf "%s\\n" "$@" "$SONORAN_SUMMARY" "$SONORAN_CALLS911" >{out}; echo done'
    siren = program(tmp_path, text, arguments=["--call", "{/call/callId}", "{/call/location}", "{/no/such}"])
    daemon = start(actions=[siren])
    assert daemon.post(call(7, location='$(reboot); "x"\n--help', caller="Ann")).status == 200
    daemon.wait_line("siren: done")
    lines = out.read_text().split("\n")
    assert lines[:5] == ["--call", "7", '$(reboot); "x"', "--help", ""]
    assert lines[6] == "7" and lines[5].startswith("911 call 7 from Ann")
    record = json.loads((tmp_path / "out.record").read_text())
    assert record["id"] == 1 and record["data"]["call"]["callId"] == 7


def test_program_says_later(start, tmp_path):
    text = f'if [ -e {tmp_path}/seen ]; then echo second; else touch {tmp_path}/seen; exit 75; fi'
    daemon = start(actions=[program(tmp_path, text)])
    post_calls(daemon, 1)
    daemon.wait_line("ended with status 75")
    daemon.wait_line("siren: second")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("exit 3", "ended with status 3"),
        ("kill -9 $$", "signal 9"),
        ("trap '' TERM; (trap '' TERM; sleep 1000) & sleep 1000", "did not end within 1s"),
        ("yes", "did not end within 1s"),
    ],
)
def test_program_that_fails(start, tmp_path, text, sentence):
    daemon = start(actions=[program(tmp_path, text, timeout="1s")])
    post_calls(daemon, 1)
    daemon.wait_line(sentence)
    assert status_of(daemon)["failed"] == 1


def test_shutdown_ends_a_program(start, tmp_path):
    daemon = start(actions=[program(tmp_path, f"touch {tmp_path}/began; sleep 1000", timeout="1h")])
    post_calls(daemon, 1)
    wait_for((tmp_path / "began").exists, "the program")
    daemon.stop()
    assert b"stopped" in daemon.stderr.bytes


def test_shutdown_among_programs_that_refuse_to_end(start, tmp_path):
    """All are ended at the same time, not one after the other, and what was delivered is remembered."""
    text = f'trap "" TERM; touch {tmp_path}/$SONORAN_ACTION.began; while :; do sleep 1; done'
    actions = [program(tmp_path, text, name=f"siren{i}", timeout="1h") for i in range(12)]
    daemon = start(actions=actions)
    post_calls(daemon, 1)
    for i in range(12):
        wait_for((tmp_path / f"siren{i}.began").exists, f"siren{i}")
    daemon.stop()
    assert b"stopped" in daemon.stderr.bytes and b"disk" not in daemon.stderr.bytes


# Discord


def test_discord(start, target):
    channel = target(kind=Discord)
    panic = discord(
        channel,
        events=["EVENT_UNIT_PANIC"],
        when=["/isPanic = true"],
        message="Panic! {summary}",
        mention_roles=["123456789012345678"],
    )
    daemon = start(actions=[panic])
    assert daemon.post(event("EVENT_UNIT_PANIC", {"identId": 7, "isPanic": False})).status == 200
    assert daemon.post(event("EVENT_UNIT_PANIC", {"identId": 7, "isPanic": True})).status == 200
    (request,) = channel.wait_got(1)
    message = request.json
    assert message["content"].startswith("<@&123456789012345678> Panic! ")
    assert message["allowed_mentions"] == {"parse": [], "roles": ["123456789012345678"]}
    assert "event 2" in message["embeds"][0]["footer"]["text"]


def test_units_have_names_at_discord(start, target):
    """Those that logged in before, in events that have their ids alone."""
    channel = target(kind=Discord)
    daemon = start(actions=[discord(channel, events=["EVENT_DISPATCH_NEW"])])
    unit = {"id": 7, "status": 2, "data": {"unitNum": "27", "name": "Mara Ellison"}}
    assert daemon.post(event("EVENT_UNIT_LOGIN", {"unit": unit})).status == 200
    assert daemon.post(event("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 9, "idents": [7, 8]}})).status == 200
    (embed,) = channel.wait_got(1)[0].json["embeds"]
    assert {"27 Mara Ellison, unit 8"} <= {field["value"] for field in embed["fields"]}


def test_every_sample_passes_at_discord(start, target):
    channel = target(kind=Discord)
    daemon = start(actions=[discord(channel)], log={"level": "warning"})
    stored = 0
    for file in sorted((harness.REPOSITORY / "tests" / "fixtures" / "samples").glob("*.json")):
        body = json.loads(file.read_text())
        if isinstance(body, dict) and daemon.post({**body, "key": KEY}).status == 200:
            stored += len(body["data"]) if isinstance(body.get("data"), list) else 1
    assert stored > 90
    channel.wait_got(stored)
    assert channel.mistakes == []


def test_rate_limit(start, target):
    channel = target(kind=Discord, burst=3)
    daemon = start(actions=[discord(channel), discord(channel, name="same-webhook", events=["EVENT_911"])])
    post_calls(daemon, 6)
    channel.wait_got(12)
    assert status_of(daemon)["failed"] == 0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_webhook_that_is_gone(start, target, status):
    channel = target(sequence(status, 204), kind=Discord)
    text = harness.config(actions=[discord(channel)])
    daemon = start(text)
    post_calls(daemon, 3)
    assert "secret-part" not in daemon.wait_line("switched off until the configuration is read again")
    assert status_of(daemon)["state"] == "off" and len(channel.tried) == 1
    daemon.reload()
    channel.wait_got(3)


# Reload, kill


def status_of(daemon, name=None):
    """Of an action, as the daemon itself tells it."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as control:
        control.settimeout(harness.PATIENCE_S)
        control.connect(str(daemon.file.parent / "events.db.control"))
        control.sendall(b"actions\n")
        with control.makefile() as answer:
            actions = json.loads(answer.readline())["actions"]
    return next(action for action in actions if name in (None, action["name"]))


def test_reload_keeps_places(start, target):
    old, new = target(), target()
    daemon = start(actions=[forward(old, name="old")])
    post_calls(daemon, 2)
    old.wait_got(2)
    daemon.reload(harness.config(actions=[forward(old, name="old"), forward(new, name="new")]))
    post_calls(daemon, 2, first=3)
    assert calls_of(old.wait_got(4)) == [1, 2, 3, 4]
    assert calls_of(new.wait_got(2)) == [3, 4]
    daemon.reload(harness.config(actions=[forward(new, name="old")]))
    post_calls(daemon, 1, first=5)
    assert calls_of(new.wait_got(3)) == [3, 4, 5]
    assert calls_of(old.got) == [1, 2, 3, 4]


def test_reload_while_it_delivers(start, target):
    slow, fast = target(lambda request: Target.HANG), target()
    daemon = start(actions=[forward(slow, timeout="1h")])
    post_calls(daemon, 3)
    slow.wait_tried(1)
    daemon.reload(harness.config(actions=[forward(fast)]))
    assert calls_of(fast.wait_got(3)) == [1, 2, 3]


def test_bad_reload_changes_nothing(start, target):
    bot = target()
    daemon = start(actions=[forward(bot)])
    lines = daemon.reload(harness.config(actions=[{**forward(bot), "events": ["EVENT_991"], "when": ["isPanic"]}]))
    assert any("EVENT_991" in line for line in lines) and any("isPanic" in line for line in lines)
    post_calls(daemon, 1)
    bot.wait_got(1)


def test_kill(on, target, tmp_path):
    """At least once, in order, and repeats only of what was on its way."""
    bot = target()
    posted, rounds = 0, int(os.environ.get("CRASH_ROUNDS", 5))
    for _ in range(rounds):
        daemon = on(actions=[forward(bot)])
        for _ in range(20):
            posted += 1
            assert daemon.post(call(posted)).status == 200
        store.kill(daemon)
    daemon = on(actions=[forward(bot)])
    wait_for(lambda: bot.got and calls_of(bot.got[-1:]) == [posted], "the last one")
    came = calls_of(bot.got)
    assert sorted(set(came)) == list(range(1, posted + 1))
    order = [n for i, n in enumerate(came) if n not in came[:i]]
    assert order == list(range(1, posted + 1))
    assert len(came) <= posted + 5 * rounds


def test_dead_targets_delay_nobody(start, target):
    """What is posted is answered, and what is well gets its events, whatever the others do."""
    well = target()
    actions = [forward(target(lambda request: Target.HANG), name=f"dead{i}", timeout="1h") for i in range(8)]
    daemon = start(actions=[*actions, forward(well, name="well")])
    post_calls(daemon, 200)
    well.wait_got(200)


def test_no_secret_is_told(start, target, tmp_path):
    channel = target(lambda request: 500, kind=Discord)
    daemon = start(actions=[discord(channel), forward(channel, api_key="OTHER-KEY-OF-BOT", signing_secret="SIGNING")])
    daemon.secrets |= {"secret-part", "OTHER-KEY-OF-BOT", "SIGNING"}
    post_calls(daemon, 1)
    daemon.wait_line("not delivered")
    result = harness.run("-c", daemon.file, "--print-config")
    assert result.returncode == 0 and "secret-part" not in result.output and "SIGNING" not in result.output
