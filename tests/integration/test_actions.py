"""Actions as their users see them: what arrives where, and what happens while a target is not well."""

import concurrent.futures
import hmac
import json
import os
import re
import threading
import time

import harness
import pytest
import store
from ctl_tools import ask_socket, ctl, store_of
from harness import KEY, PATIENCE_S, event, request, wait_for
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
    """With a timeout that is not reached, however slow the machine is."""
    return {"name": name, "type": "forward", "url": target.url, "timeout": "10min", **more}


def discord(target, name="channel", **more):
    return {"name": name, "type": "discord", "url": target.url, "timeout": "10min", **more}


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
    assert request.json["key"] == KEY and request.json["type"] == "event_911" and request.event_id == 1


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


def test_the_first_of_several_keys(start, target):
    bot = target()
    daemon = start(actions=[forward(bot)], communities=[{"name": "default", "api_key": ["the-first", KEY]}])
    daemon.secrets.add("the-first")
    post_calls(daemon, 1)
    assert bot.wait_got(1)[0].json["key"] == "the-first"


def test_template(start, target):
    """What a player says stays inside the quotes."""
    bot = target()
    template = '{"blocks": [{"text": "{summary}", "who": "{/call/caller}"}], "id": "{id}"}'
    daemon = start(actions=[forward(bot, body="template", template=template)])
    said = 'John "x", "id": 9}\n\\'
    assert daemon.post(call(7, caller=said)).status == 200
    (request,) = bot.wait_got(1)
    assert request.json["id"] == "1" and request.json["blocks"][0]["who"] == said
    assert request.json["blocks"][0]["text"] == wait_for(daemon.events, "its line")[0]["message"]
    assert request.headers["content-type"] == "application/json"


def test_template_that_is_no_json(tmp_path):
    for template, said in (
        ('{"text": {summary}}', "expected JSON, as content_type says, but with a sample event it is none from"),
        ('{"call": {/call/callId}}', "warning: actions[0].template: no JSON where an event has not all of what is asked"),
    ):
        action = {"name": "a", "type": "forward", "url": "http://h/", "body": "template", "template": template}
        harness.write_private(tmp_path / "c.yaml", harness.config(actions=[action]))
        result = harness.run("--check", "-c", tmp_path / "c.yaml")
        assert said in result.output and result.returncode == (0 if "warning" in said else 78)


def test_headers(start, target):
    """They arrive, and are in nothing that people read, whatever the receiver answers."""
    secret = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
    bot = target(lambda request: (403, {}, f"not for {request.headers['authorization']}".encode()))
    action = forward(bot, body="record", headers_file="bot-headers")
    daemon = start(actions=[action], files={"bot-headers": f"Authorization: Bearer {secret}\nTitle: Ärger\n"})
    daemon.secrets.add(secret)
    post_calls(daemon, 1)
    line = json.loads(daemon.wait_line("not delivered"))["message"]
    assert line.endswith("answered 403: not for Bearer " + "*" * len(secret))
    assert bot.tried[0].headers["title"] == "Ärger"
    for words in (["actions"], ["actions", "--json"], ["failed"]):
        assert secret not in ctl(*words, "-c", daemon.file).stdout


def test_signature_is_of_the_try(start, target):
    """A receiver that looks for freshness takes what comes late, too."""
    bot = target(sequence((503, {"Retry-After": "1.1"}), 200))
    daemon = start(actions=[forward(bot, signing_secret="the bot's")])
    post_calls(daemon, 1)
    bot.wait_got(1)
    stamps = [request.headers["sonoran-signature"].split(",")[0] for request in bot.tried]
    assert len(stamps) == 2 and stamps[0] < stamps[1]
    assert len({request.headers["sonoran-event-id"] for request in bot.tried}) == 1


def test_in_order_on_one_connection(start, target):
    bot = target()
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 100)
    assert calls_of(bot.wait_got(100)) == list(range(1, 101))
    assert {request.connection for request in bot.got} == {1}


@pytest.mark.parametrize(
    "trouble",
    [500, 503, 429, (429, {"Retry-After": "0.2"}), Target.CLOSE, Target.RESET, Target.GARBAGE, Target.LARGE],
    ids=str,
)
def test_trouble_is_retried(start, target, trouble):
    bot = target(sequence(trouble, 200))
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 2)
    assert calls_of(bot.wait_got(2)) == [1, 2]
    assert calls_of(bot.tried) == [1, 1, 2]
    assert daemon.wait_line("event 1 not delivered, next try in") and daemon.wait_line("delivers again")


def test_target_that_hangs(start, target):
    bot = target(sequence(Target.HANG, 200))
    daemon = start(actions=[forward(bot, timeout="3s")])
    post_calls(daemon, 1)
    assert calls_of(bot.wait_got(1)) == [1]
    line = json.loads(daemon.wait_line("no answer within 3s"))["message"]
    assert line.endswith('no answer within 3s, though the request was taken; with expect: sent none is waited for')


@pytest.mark.parametrize("body", [Target.HALF, Target.SLOW])
@pytest.mark.parametrize("kind", ["forward", "discord"])
def test_good_answer_with_a_bad_body(start, target, kind, body):
    """Its head says that the event was taken: a repeat would be a second message."""
    bot = target(lambda request: body)
    daemon = start(actions=[forward(bot) if kind == "forward" else discord(bot)])
    post_calls(daemon, 3)
    wait_for(lambda: status_of(daemon)["delivered"] == 3, "three deliveries")
    assert len(bot.tried) == 3


def test_nobody_waits_for_who_never_answers(start, target):
    bot = target(lambda request: Target.HANG)
    daemon = start(actions=[forward(bot, timeout="1h", expect="sent")])
    post_calls(daemon, 30)
    wait_for(lambda: status_of(daemon)["delivered"] == 30, "30 deliveries")
    assert sorted(calls_of(bot.wait_tried(30))) == list(range(1, 31))


def test_good_status_that_means_no(start, target):
    bot = target(sequence((200, {}, b"Bad API Key: " + KEY.encode()), (200, {}, b"ok")))
    daemon = start(actions=[forward(bot, expect="OK*")])
    post_calls(daemon, 2)
    wait_for(lambda: status_of(daemon)["delivered"] == 1, "the second one")
    line = daemon.wait_line("event 1 is not delivered and stays on the list of failed ones")
    assert "answered 200, but not what is expected: Bad API Key: " in line and KEY not in line
    assert len(bot.tried) == 2


def test_what_a_receiver_says(start, target):
    """Told when it is new, without the key, and to be asked for."""
    answers = [(200, {}, f"call {n}: Bad API Key {KEY}".encode()) for n in range(1, 6)]
    bot = target(sequence(*answers))
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 5)
    wait_for(lambda: status_of(daemon)["delivered"] == 5, "five deliveries")
    said = status_of(daemon)["last_answer"]
    assert said.startswith("200 call 5: Bad API Key ") and KEY not in said
    daemon.stop()
    assert len([line for line in daemon.lines() if "the receiver answers 200 call 1: Bad API Key" in line]) == 1
    assert len([line for line in daemon.lines() if "the receiver answers" in line]) == 1


def test_repeats_are_counted(start, target):
    """The first of a minute at once, the others as a number."""
    bot = target(lambda request: 400)
    begin = time.monotonic()
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 300)
    wait_for(lambda: status_of(daemon)["failed"] == 300, "300 failures")
    daemon.stop()
    n_minutes = 1 + int(time.monotonic() - begin) // 60
    told = [line for line in daemon.lines() if "on the list of failed ones" in line]
    sums = [re.search("([0-9]+) more like this in the last minute, the last is event", line) for line in told]
    n_more = sum(int(found[1]) for found in sums if found)
    assert n_more + sums.count(None) == 300 and len(told) <= 2 * n_minutes, told
    assert "event 1 is not delivered" in told[0]
    assert "event 300" in told[-1] and "answered 400" in told[-1]


class Mirror(Target):
    """Posts what it gets to a listener of ours, as the forwarder of the FiveM resource does."""

    back = None

    def judge(self, request):
        if self.back:
            threading.Thread(target=self.back, args=(request.body,), daemon=True).start()
        return 200


@pytest.mark.parametrize("n", [2, 3])
def test_loop(start, target, n):
    """One call, which comes back each time from each mirror, to all of them; another action goes on. What is slow to
    come back is no loop, so on a slow machine it takes longer until all are found."""
    mirrors, well = [target(kind=Mirror) for _ in range(n)], target()
    actions = [forward(mirror, name=f"loop{i}") for i, mirror in enumerate(mirrors)]
    daemon = start(actions=[*actions, forward(well, name="well")])
    for mirror in mirrors:
        mirror.answer = mirror.judge
        mirror.back = daemon.post
    post_calls(daemon, 1)
    for action in actions:
        name = action["name"]
        line = daemon.wait_line(f"action {name}: switched off, until the configuration is read again: a loop",
                                patience_s=4 * PATIENCE_S)
        assert json.loads(line)["message"].endswith(", and only when it is sent")
        assert status_of(daemon, name)["state"] == "off"
    assert 5 < sum(len(mirror.tried) for mirror in mirrors) < 500
    assert daemon.post(call(2)).status == 200
    wait_for(lambda: 2 in calls_of(well.got), "the other action")
    ids = [request.event_id for request in well.got]
    assert ids == list(range(1, len(ids) + 1))


def test_what_only_comes_often_is_no_loop(start, target):
    """Sixty times the same, and then again and again for some seconds, on the way to a target that keeps it."""
    bot = target()
    daemon = start(actions=[forward(bot)])
    for _ in range(60):
        assert daemon.post(call(1)).status == 200
    pressed = 60
    while len(bot.got) < 60:  # it is held up once
        assert daemon.post(call(1)).status == 200
        pressed += 1
    assert len(bot.wait_got(pressed)) == pressed
    wait_for(lambda: status_of(daemon)["state"] == "idle", "the end of the last delivery")


def test_tunnel_while_the_bot_restarts(start, target):
    bot = target(sequence(404, 200))
    daemon = start(actions=[forward(bot, retry_statuses=[404])])
    post_calls(daemon, 1)
    assert calls_of(bot.wait_got(1)) == [1]
    daemon.wait_line("answered 404")


@pytest.mark.parametrize("refusal", [400, 404, 301, (302, {"Location": "http://127.0.0.1:1/"})], ids=str)
def test_refusal_is_given_up(start, target, refusal):
    bot = target(sequence(refusal, 200))
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 2)
    assert calls_of(bot.wait_got(1)) == [2]
    assert len(bot.tried) == 2
    line = json.loads(daemon.wait_line("stays on the list of failed ones"))
    if isinstance(refusal, tuple):
        assert line["message"].endswith("answered 302 to http://127.0.0.1:1/, and redirects are not followed")
    assert line["action"] == "bot" and line["event_id"] == 1 and line["attempt"] == 1


def test_target_comes_back(start, target):
    """Down from before the start until after many events; none is lost, and the order is kept."""
    bot = target(down=True)
    daemon = start(actions=[forward(bot)])
    post_calls(daemon, 50)
    daemon.wait_line("cannot connect to 127.0.0.1:")
    bot.come_up()
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


def test_the_name_of_an_unknown_type_is_plain(start, tmp_path):
    """It is as free as any text of the sender, where such types are accepted."""
    heard = tmp_path / "heard"
    action = program(tmp_path, f'printf "%s|%s|%s\\n" "$SONORAN_EVENT" "$1" "$2" >>{heard}', arguments=["{type}", "{type_sent}"])
    daemon = start(actions=[action], unknown_types="accept")
    assert daemon.post(event("Ev\n\x1b[31m_x\u202ey", {})).status == 200
    wait_for(lambda: heard.exists() and heard.read_text().count("\n"), "the program")
    text = heard.read_text()
    assert text.count("\n") == 1 and not any(c in text for c in "\x1b\u202e") and text.count("|") == 2


@pytest.mark.parametrize("end", ["delivered", "changed", "removed", "stopped"])
def test_too_old(start, target, clock, end):
    """All that were skipped are told, at the latest when the action ends."""
    bot = target(down=True)
    daemon = start(actions=[forward(bot, max_age="1h")], env=clock.env)
    post_calls(daemon, 3)
    daemon.wait_line("not delivered, next try in")
    clock.passes(3601)
    wait_for(lambda: status_of(daemon)["left_out"]["max_age"] == 3, "skipped")
    if end == "delivered":
        bot.come_up()
        post_calls(daemon, 1, first=4)
        assert calls_of(bot.wait_got(1)) == [4]
    elif end == "stopped":
        daemon.stop()
    else:
        daemon.reload(harness.config(actions=[forward(bot, max_age="2h")] if end == "changed" else None))

    def n_told():  # in two lines where a minute ends in between
        told = (re.search(r"(\d+) events? skipped, older than max_age", line) for line in daemon.lines())
        return sum(int(match[1]) for match in told if match)

    wait_for(lambda: n_told() == 3, "they are told")


def test_clock_ahead(start, target, clock):
    """An event in hand is not older for it."""
    bot = target(down=True)
    daemon = start(actions=[forward(bot, max_age="1h")], env=clock.env)
    post_calls(daemon, 1)
    daemon.wait_line("not delivered, next try in")
    clock.ahead(30 * 24 * 3600)
    bot.come_up()
    assert calls_of(bot.wait_got(1)) == [1]


def panic(unit, on=True, **top):
    return event("EVENT_UNIT_PANIC", {"identIds": [unit], "isPanic": on}, **top)


def test_tests_change_nothing_real(on, target):
    """A siren for calls that no dispatcher sees stays silent when the log-out of one is a test."""
    bot = target()
    daemon = on(actions=[forward(bot, body="record", events=["EVENT_911"], when=["dispatchers = 0"])])
    unit = {"unit": {"id": 4101, "data": {"unitNum": "D-2"}}, "isDispatch": True}
    bodies = (event("EVENT_UNIT_LOGIN", unit), event("EVENT_UNIT_LOGOUT", {"identId": 4101}, test=True), call(1),
              event("EVENT_UNIT_LOGOUT", {"identId": 4101}), call(2))
    for body in bodies:
        assert daemon.post(body).status == 200
    assert calls_of(bot.wait_got(1)) == [2]


def test_left_out(on, target):
    """Not again for the same unit, nothing that was invented; and all of it is counted."""
    bot = target()
    action = forward(bot, body="record", events=["EVENT_UNIT_*"], when=["/isPanic = true"], cooldown="1h")
    daemon = on(actions=[action])
    for body in (panic(1), panic(1), panic(1, on=False), panic(2, test=True), panic(2), call(1)):
        assert daemon.post(body).status == 200
    assert [request.json["units"] for request in bot.wait_got(2)] == [[1], [2]]
    wait_for(lambda: status_of(daemon)["delivered"] == 2, "the end of both deliveries")
    counts = {"communities": 0, "listeners": 0, "when": 1, "test": 1, "late": 0, "cooldown": 1, "max_age": 0}
    said = json.loads(ctl("actions", "-c", daemon.file, "--json").stdout)
    assert said["actions"][0]["left_out"].items() >= counts.items()
    assert "left out: 1 by when, 1 by test, 1 by cooldown" in ctl("actions", "-c", daemon.file).stdout
    daemon.stop()

    daemon = on(actions=[action])
    assert daemon.post(panic(2)).status == 200
    assert daemon.post(panic(3)).status == 200
    assert bot.wait_got(3)[2].json["units"] == [3]


# exec


def test_connections_that_end_while_a_program_starts(start, tmp_path):
    """A program that is being started holds a copy of each connection: the daemon forgets those that end all the same."""
    action = program(tmp_path, "cat > /dev/null", arguments=[], timeout="5s")
    daemon = start(actions=[action], limits={"connections_per_ip": 512})
    data = request(event(), headers=["Connection: close"])

    def client():
        for _ in range(40):
            with daemon.connect() as connection:
                connection.send(data)
                assert connection.rest().startswith(b"HTTP/1.1 200")
        return True

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        clients = [pool.submit(client) for _ in range(24)]
        assert all(each.result() for each in clients)
    assert daemon.serves()


def test_program(start, tmp_path):
    out = tmp_path / "out"
    text = f'cat >{out}.record; printf "%s\\n" "$@" "$SONORAN_SUMMARY" "$SONORAN_CALLS911" >{out}; echo done'
    siren = program(tmp_path, text, arguments=["--call", "{/call/callId}", "{/call/location}", "{/no/such}"])
    daemon = start(actions=[siren])
    assert daemon.post(call(7, location='$(reboot); "x"\n--help', caller="Ann")).status == 200
    daemon.wait_line("siren: done")
    lines = out.read_text().split("\n")
    assert lines[:5] == ["--call", "7", '$(reboot); "x"', "--help", ""]
    assert lines[6] == "7" and lines[5].startswith("911 call 7 at $(reboot)")
    record = json.loads((tmp_path / "out.record").read_text())
    assert record["id"] == 1 and record["data"]["call"]["callId"] == 7


def test_program_says_later(start, tmp_path):
    text = f'if [ -e {tmp_path}/seen ]; then echo second; else touch {tmp_path}/seen; exit 75; fi'
    daemon = start(actions=[program(tmp_path, text)])
    post_calls(daemon, 1)
    daemon.wait_line("ended with status 75")
    daemon.wait_line("siren: second")


@pytest.mark.parametrize(
    "text, timeout, sentence",
    [
        ("exit 3", "1h", "ended with status 3"),
        ("kill -9 $$", "1h", "signal 9"),
        ("trap '' TERM; (trap '' TERM; sleep 1000) & sleep 1000", "1s", "did not end within 1s"),
        ("yes", "1s", "did not end within 1s"),
    ],
)
def test_program_that_fails(start, tmp_path, text, timeout, sentence):
    daemon = start(actions=[program(tmp_path, text, timeout=timeout)])
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
        message="{summary}",
        mention_roles=["123456789012345678"],
    )
    daemon = start(actions=[panic])
    assert daemon.post(event("EVENT_UNIT_PANIC", {"identId": 7, "isPanic": False})).status == 200
    assert daemon.post(event("EVENT_UNIT_PANIC", {"identId": 7, "isPanic": True})).status == 200
    (request,) = channel.wait_got(1)
    message = request.json
    assert message["content"].startswith("<@&123456789012345678> PANIC: unit 7")
    assert message["allowed_mentions"] == {"parse": [], "roles": ["123456789012345678"]}
    (embed,) = message["embeds"]
    assert (embed["title"], embed["footer"]["text"]) == ("PANIC", "event 2")
    assert embed["description"].startswith("unit 7") and "fields" not in embed


def test_discord_names_communities_and_listeners_where_there_are_several(start, target):
    channel = target(kind=Discord)
    daemon = start(
        actions=[discord(channel)],
        communities=[{"name": "city", "api_key": KEY}, {"name": "county", "api_key": "TEST-OTHER-KEY-1"}],
        listeners=[{"name": "a", "address": "127.0.0.1:0"}, {"name": "b", "address": "127.0.0.1:0"}],
    )
    assert daemon.post(event("EVENT_UNIT_PANIC", {"identId": 7, "isPanic": True})).status == 200
    (embed,) = channel.wait_got(1)[0].json["embeds"]
    assert embed["footer"]["text"] == "event 1 · city · a"
    assert (embed["title"], embed["description"]) == ("PANIC", "unit 7")


MARA = {"id": 7, "status": 2, "data": {"unitNum": "27", "name": "Mara Ellison"}}
DISPATCHER = {"id": 4, "isDispatch": True, "data": {"unitNum": "D-2", "name": "Priya Vance"}}


def test_units_have_names_at_discord(start, target):
    """Those that logged in before, in events that have their ids alone."""
    channel = target(kind=Discord)
    daemon = start(actions=[discord(channel, events=["EVENT_DISPATCH_*"])])
    call = {"callId": 9, "title": "Fire", "priority": 2, "idents": [7, 8]}
    for type_, data in [
        ("EVENT_UNIT_LOGIN", {"unit": MARA}),
        ("EVENT_UNIT_LOGIN", {"unit": DISPATCHER}),
        ("EVENT_DISPATCH_NEW", {"eventOriginIdent": 4, "dispatch": call}),
        ("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 9, "idents": [7, 9]}),
        ("EVENT_DISPATCH_EDIT", {"eventOriginIdent": 4, "dispatch": {**call, "priority": 1, "idents": [7]}}),
    ]:
        assert daemon.post(event(type_, data)).status == 200
    new, attached, edited = [request.json["embeds"][0] for request in channel.wait_got(3)]
    assert new["title"] == "New call 9: Fire"
    assert shown(new) == {"Priority": "2", "By": "D-2 Priya Vance", "Units": "27 Mara Ellison, unit 8"}
    assert attached["title"] == "Attached" and "fields" not in attached
    assert attached["description"].startswith("27 Mara Ellison")
    assert edited["title"] == "Call 9 edited: Fire" and "description" not in edited
    units = "27 Mara Ellison (was 27 Mara Ellison, unit 8, unit 9)"
    assert shown(edited) == {"Priority": "1 (was 2)", "By": "D-2 Priya Vance", "Unit": units}


def shown(embed):
    return {field["name"]: field["value"] for field in embed["fields"]}


def test_discord_hears_the_same_later(on, target):
    """Of a channel that was down, after a restart, and whatever has become of units and calls since."""
    up, down = target(kind=Discord), target(kind=Discord, answer=lambda request: 503)
    actions = [discord(up, name="up"), discord(down, name="down")]
    daemon = on(actions=actions)
    call = {"callId": 9, "title": "Fire", "priority": 2, "idents": [7]}
    before = [
        ("EVENT_UNIT_LOGIN", {"unit": MARA}),
        ("EVENT_DISPATCH_NEW", {"eventOriginIdent": 7, "dispatch": call}),
        ("EVENT_DISPATCH_EDIT", {"eventOriginIdent": 7, "dispatch": {**call, "priority": 1}}),
        ("EVENT_UNIT_STATUS", {"identIds": [7], "status": 3}),
        ("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True}),
    ]
    after = [
        ("EVENT_UNIT_LOGIN", {"unit": {**MARA, "data": {"unitNum": "99", "name": "Somebody Else"}}}),
        ("EVENT_DISPATCH_EDIT", {"dispatch": {**call, "title": "False alarm", "priority": 3, "idents": []}}),
        ("EVENT_DISPATCH_CLOSED", {"callIds": [9]}),
        ("EVENT_UNIT_LOGOUT", {"identIds": [7]}),
    ]
    for type_, data in before + after:
        assert daemon.post(event(type_, data)).status == 200
    up.wait_got(len(before + after))
    wait_for(lambda: status_of(daemon, "up")["delivered"] == len(before + after), "the end of the last delivery")
    wait_for(lambda: down.tried, "a first try")
    daemon.stop()
    down.answer = down.judge
    on(actions=actions)
    down.wait_got(len(before + after))
    assert down.messages == up.messages and not down.mistakes
    assert down.messages[0] == down.tried[0].json
    panic = down.messages[4]["embeds"][0]
    assert panic["title"] == "PANIC" and panic["description"].startswith("27 Mara Ellison")


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


@pytest.mark.parametrize("status, code", [(401, 50027), (403, 50013), (404, 10015), (404, 10003)])
def test_webhook_that_is_gone(start, target, status, code):
    channel = target(sequence((status, {}, json.dumps({"message": "No", "code": code}).encode()), 204), kind=Discord)
    text = harness.config(actions=[discord(channel)])
    daemon = start(text)
    post_calls(daemon, 3)
    assert "secret-part" not in daemon.wait_line("switched off, tried again every 60 min")
    assert status_of(daemon)["state"] == "off" and len(channel.tried) == 1
    daemon.reload()
    channel.wait_got(3)


@pytest.mark.parametrize(
    "answer",
    [
        (403, {"Content-Type": "text/html"}, b"<html><title>Attention Required! | Cloudflare</title></html>"),
        (403, {}, b'{"message": "internal network error", "code": 40333}'),
        (404, {}, b"404 page not found"),
    ],
    ids=["page of Cloudflare", "40333", "page of a proxy"],
)
def test_refusal_that_passes(start, target, answer):
    """Said by something before Discord: no reason to be silent until somebody looks."""
    channel = target(sequence(answer, 204), kind=Discord)
    daemon = start(actions=[discord(channel)])
    post_calls(daemon, 1)
    line = json.loads(daemon.wait_line("event 1 not delivered, next try in 300.0 s"))["message"]
    assert f"Discord answered {answer[0]} (" in line and line.endswith("this may pass")
    wait_for(lambda: status_of(daemon)["state"] == "failing", "the wait for the next try")


def test_address_that_is_blocked(start, target):
    """A 429 that has no time in it is of Cloudflare: more messages would only make it longer."""
    blocked, other = target(lambda request: (429, {}, b"error code: 1015"), kind=Discord), target(kind=Discord)
    daemon = start(actions=[discord(blocked), discord(other, name="other", events=["EVENT_UNIT_PANIC"])])
    post_calls(daemon, 1)
    daemon.wait_line("event 1 not delivered, next try in 600.0 s")
    assert daemon.post(event("EVENT_UNIT_PANIC", {"identId": 7, "isPanic": True})).status == 200
    wait_for(lambda: status_of(daemon, "other")["state"] == "busy", "an event that waits")
    assert len(blocked.tried) == 1 and not other.tried


def test_forum(start, target):
    channel = target(kind=Discord)
    daemon = start(actions=[discord(channel, thread_name="911 call {/call/callId} @everyone")])
    post_calls(daemon, 1, first=7)
    assert channel.wait_got(1)[0].json["thread_name"].startswith("911 call 7 ")


# Reload, kill


def status_of(daemon, name=None):
    """Of an action, as the daemon itself tells it."""
    _, _, answer = ask_socket(f"{store_of(daemon)}.control", "GET", "/api/actions")
    return next(action for action in answer["actions"] if name in (None, action["name"]))


def test_reload_keeps_places(start, target):
    old, new = target(), target()
    daemon = start(actions=[forward(old, name="old")])
    post_calls(daemon, 2)
    old.wait_got(2)
    daemon.reload(harness.config(actions=[forward(old, name="old"), forward(new, name="new")]))
    post_calls(daemon, 2, first=3)
    assert calls_of(old.wait_got(4)) == [1, 2, 3, 4]
    assert calls_of(new.wait_got(2)) == [3, 4]
    wait_for(lambda: status_of(daemon, "old")["delivered"] == 4, "the end of the last delivery")
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
    assert len(came) <= posted + 10 * rounds


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
