"""One text everywhere: what an event says is decided once, and stays, whoever reads it, and whenever."""

import json

import pytest
from ctl_tools import ctl
from harness import event, wait_for
from targets import Discord, Target

MARA = {"id": 7, "status": 2, "data": {"unitNum": "27", "name": "Mara\u200b Ellison"}}
CALL = {"callId": 9, "title": "Fire \u001b[2J", "priority": 2, "idents": [7]}
STORY = [
    ("EVENT_UNIT_LOGIN", {"unit": MARA}),
    ("EVENT_911", {"call": {"callId": 3, "caller": "Zo\u00eb *bold*", "location": "Pier\nRd", "isEmergency": True}}),
    ("EVENT_DISPATCH_NEW", {"eventOriginIdent": 7, "dispatch": CALL}),
    ("EVENT_DISPATCH_EDIT", {"eventOriginIdent": 7, "dispatch": {**CALL, "priority": 1}}),
    ("EVENT_UNIT_STATUS", {"identIds": [7], "status": 3}),
    ("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True}),
]
LATER = [
    ("EVENT_UNIT_LOGIN", {"unit": {**MARA, "data": {"unitNum": "99", "name": "Somebody Else"}}}),
    ("EVENT_DISPATCH_EDIT", {"dispatch": {**CALL, "title": "False alarm", "priority": 3, "idents": []}}),
    ("EVENT_DISPATCH_CLOSED", {"callIds": [9]}),
    ("EVENT_UNIT_LOGOUT", {"identIds": [7]}),
]


@pytest.fixture
def channel():
    channel = Discord()
    yield channel
    channel.close()


@pytest.fixture
def bot():
    bot = Target()
    yield bot
    bot.close()


def siren(folder, heard, ok):
    """A program that says "later" until the file ok is there."""
    file = folder / "siren"
    file.write_text(f'#!/bin/sh\n[ -e {ok} ] || exit 75\nprintf "%s\\n" "$SONORAN_EVENT_ID|$SONORAN_SUMMARY|$1" >>{heard}\n')
    file.chmod(0o755)
    return [str(file), "{summary}"]


def plain(line):
    """What stands in a line for what nobody sees is left out for people who see no terminal."""
    return line.replace("\\u200b", "").replace("\\x1b", "")


def test_word_for_word(on, path, tmp_path, channel, bot):
    """Every reader fails until all has changed and the daemon was started anew; then each tells the story of then."""
    heard, ok = tmp_path / "heard", tmp_path / "ok"
    channel.answer = bot.answer = lambda request: 503
    actions = [
        {"name": "siren", "type": "exec", "command": siren(tmp_path, heard, ok)},
        {"name": "channel", "type": "discord", "url": channel.url, "message": "{summary}"},
        {"name": "bot", "type": "forward", "url": bot.url, "body": "record"},
    ]
    daemon = on(actions=actions)
    for type_, data in STORY + LATER:
        assert daemon.post(event(type_, data)).status == 200
    wait_for(lambda: channel.tried and bot.tried, "first tries")
    n = len(STORY + LATER)
    wait_for(lambda: len(told(daemon)) == n, "all lines")
    lines = told(daemon)
    assert "PANIC: 27 Mara" in lines[5] and "99 Somebody Else" in lines[6]
    daemon.stop()

    ok.touch()
    channel.answer, bot.answer = channel.judge, lambda request: 200
    daemon = on(actions=actions)
    shown = {record["id"]: record["summary"] for record in records(daemon)}
    assert [shown[i] for i in range(1, n + 1)] == lines
    expect(lines, heard, channel, bot, n)

    heard.unlink()
    channel.got.clear()
    bot.got.clear()
    for action in actions:
        assert ctl("replay", action["name"], "--from", "1", "-c", daemon.file).returncode == 0
    expect(lines, heard, channel, bot, n)


def told(daemon):
    """The lines of events, without those about their delivery."""
    return [record["message"] for record in daemon.events() if "action" not in record]


def records(daemon):
    return map(json.loads, ctl("events", "--json", "-n", "100", "-c", daemon.file).stdout.splitlines())


def expect(lines, heard, channel, bot, n):
    wait_for(lambda: heard.exists() and heard.read_text().count("\n") >= n, "the program")
    for i, said in enumerate(heard.read_text().splitlines()):
        assert said == f"{i + 1}|{plain(lines[i])}|{plain(lines[i])}"
    assert [request.json["summary"] for request in bot.wait_got(n)] == lines
    for line, request in zip(lines, channel.wait_got(n)):
        said = request.json["content"].replace("\\", "")
        assert said == plain(line).replace("\\", "")
    assert not channel.mistakes
