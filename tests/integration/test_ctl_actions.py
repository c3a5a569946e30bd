"""sonoran-pushctl actions, retry and replay: what is asked of a daemon, and how its answers are told."""

import json
import os
import pty
import socket
import subprocess

import pytest
from ctl_tools import CTL, USAGE, control, ctl, lines_of_terminal, short_folder
from harness import PATIENCE_S, Output, call911, config, write_private
from store import change

ACTIONS = {
    "actions": [
        {
            "name": "panic",
            "type": "discord",
            "state": "idle",
            "cursor": 12,
            "lag": 0,
            "attempts": 3,
            "delivered": 3,
            "failed": 0,
            "left_out": {"communities": 0, "when": 12, "cooldown": 3},
            "last_delivered": "2020-11-23T16:00:00.000000Z",
            "last_answer": "204 \x1b",
        },
        {
            "name": "siren",
            "type": "exec",
            "state": "failing",
            "lag": 17,
            "delivered": 0,
            "failed": 2,
            "next_try": "2199-01-01T00:00:00.000000Z",
            "last_error_at": "2020-11-23T16:00:00.000000Z",
            "last_error": "\x1b[31mexit status 1\n" + "x" * 200,
        },
    ]
}


@pytest.fixture
def store():
    with short_folder() as folder:
        yield folder / "e"


def test_actions(store):
    with control(store, {"actions": ACTIONS}) as server:
        result = ctl("actions", "--store", store)
    assert result.returncode == 0 and result.stderr == "" and server.asked == ["actions"]
    head, panic, panic_note, siren, siren_note = result.stdout.splitlines()
    columns = ["NAME", "TYPE", "STATE", "LAG", "DELIVERED", "FAILED", "LEFT OUT", "LAST DELIVERED"]
    assert all(name in head for name in columns)

    def cell(line, name):
        """What stands below a head."""
        end = min((head.index(other) for other in columns if head.index(other) > head.index(name)), default=None)
        return line[head.index(name) : end].strip()

    assert [cell(panic, name) for name in columns[:7]] == ["panic", "discord", "idle", "0", "3", "0", "15"]
    assert cell(panic, "LAST DELIVERED").endswith(" ago")
    assert panic_note == r"       left out: 12 by when, 3 by cooldown; last answer: 204 \x1b"
    assert cell(siren, "LAG") == "17" and cell(siren, "LAST DELIVERED") == "-"
    assert cell(siren, "STATE") == "failing" and siren_note.startswith("       tries again in ")
    assert r"; last error, " in siren_note and r"ago: \x1b[31mexit status 1\nxx" in siren_note


@pytest.mark.parametrize(
    "answer, error, note",
    [
        ("404 no such bot", "answered 404: no such bot", "last error: answered 404: no such bot"),
        ("404", "given up after 3 attempts: answered 404", "last error: given up after 3 attempts: answered 404"),
        ("404 (Unknown): gone", "Discord answered 404 (Unknown): gone", "last error: Discord answered 404 (Unknown): gone"),
        ("200 ok", "answered 503: ok", "last answer: 200 ok; last error: answered 503: ok"),
        ("200 fine", "cannot connect", "last answer: 200 fine; last error: cannot connect"),
    ],
)
def test_an_answer_is_told_once(store, answer, error, note):
    """Not again where the error is about it."""
    action = {"name": "bot", "type": "forward", "state": "idle", "last_answer": answer, "last_error": error}
    with control(store, {"actions": {"actions": [action]}}):
        result = ctl("actions", "--store", store)
    assert result.stdout.splitlines()[2].strip() == note


def test_a_narrow_terminal(store):
    """No word is cut, and what goes on is indented."""
    action = ACTIONS["actions"][1] | {"last_error": "the receiver at http://127.0.0.1:4000/sonorancad/event is not there"}
    with control(store, {"actions": {"actions": [action]}}):
        lines = lines_of_terminal(80, "actions", "--store", store)
    assert all(len(line) <= 80 for line in lines) and len(lines) == 4
    assert lines[3].startswith("       ") and "http://127.0.0.1:4000/sonorancad/event" in "\n".join(lines)


def test_actions_json(store):
    line = b'{ "actions" :[ ],"new":1.50}\n'
    with control(store, {"actions": line}):
        assert ctl("actions", "--store", store, "--json").stdout.encode() == line


def test_json_on_a_terminal_is_safe(store):
    with control(store, {"actions": '{"actions":[],"x":"\x7f\u202e"}\n'.encode()}):
        ours, theirs = pty.openpty()
        output = Output(ours)
        args = [CTL, "actions", "--store", store, "--json"]
        subprocess.run(args, stdin=subprocess.DEVNULL, stdout=theirs, timeout=PATIENCE_S, check=True)
        os.close(theirs)
        output.join()
    text = bytes(output.bytes).decode()
    assert not set(text) & {"\x7f", "\u202e"} and json.loads(text)["x"] == "\x7f\u202e"


def test_no_actions(store):
    with control(store, {"actions": {"actions": []}}):
        assert ctl("actions", "--store", store).stdout == "No actions are configured.\n"


def test_members_may_be_absent(store):
    with control(store, {"actions": {"actions": [{}, {"lag": -1, "last_delivered": "x", "last_error": 5}]}}):
        assert len(ctl("actions", "--store", store).stdout.splitlines()) == 3


def test_store_of_the_configuration(store):
    write_private(store.parent / "c", config(store={"path": str(store)}))
    with control(store, {"actions": ACTIONS}):
        assert "panic" in ctl("-c", store.parent / "c", "actions").stdout


@pytest.mark.parametrize("args", [["actions"], ["retry", "siren", "all"], ["replay", "siren", "--from", "1"]])
def test_no_daemon(store, args):
    """Not even one that left its socket behind."""
    result = ctl(*args, "--store", store)
    assert result.returncode == 1 and result.stdout == ""
    assert f"no daemon is running with this event log ({store}.control)" in result.stderr
    socket.socket(socket.AF_UNIX).bind(f"{store}.control")
    assert "no daemon is running" in ctl(*args, "--store", store).stderr


def test_path_that_is_too_long(tmp_path):
    result = ctl("actions", "--store", tmp_path / ("x" * 120))
    assert result.returncode == 1 and "too long" in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_no_rights(store):
    store.parent.chmod(0o755)
    with control(store, {"actions": ACTIONS}):
        os.chmod(f"{store}.control", 0o660)
        result = ctl("actions", "--store", store, user=65534)
    assert result.returncode == 1 and "has to run as root" in result.stderr


@pytest.mark.parametrize("answer", [b"", b"{", b"[]\n", b"nonsense\n", b'{"actions":'])
def test_broken_answers(store, answer):
    with control(store, {"actions": answer}):
        result = ctl("actions", "--store", store)
    assert result.returncode == 1 and result.stdout == "" and "the daemon" in result.stderr


def test_error_is_told(store):
    with control(store, {"actions": {"error": "no \x1b such"}}):
        result = ctl("actions", "--store", store, "--json")
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "sonoran-pushctl: no \\x1b such\n")


# Requests


THERE = {"actions": {"actions": [{"name": "siren"}, {"name": "a.b_c-9"}, {"name": "idle"}]}}


@pytest.fixture
def log(store, start):
    """An event log, in which two deliveries were given up."""
    start(store={"path": str(store)}).stop()
    for action, number in ("siren", 17), ("siren", 18), ("a.b_c-9", 17):
        insert = "INSERT INTO failed (action, event_id, attempts, error, at) VALUES (?, ?, 1, 'x', 1)"
        change(store, insert, action, number)
    return store


@pytest.mark.parametrize(
    "args, line, said, told",
    [
        (["retry", "siren", "all"], "retry siren all", "the 2 events that", {"retry": "all", "events": 2}),
        (["retry", "a.b_c-9", "all"], "retry a.b_c-9 all", "the 1 event that", {"retry": "all", "events": 1}),
        (["retry", "a.b_c-9", "17"], "retry a.b_c-9 17", "tries event 17 once more", {"retry": 17}),
        (["replay", "siren", "--from", "17"], "replay siren 17", "goes on from event 17", {"replay_from": 17}),
    ],
)
def test_requests(log, args, line, said, told):
    with control(log, {line: {}, **THERE}) as server:
        result = ctl(*args, "--store", log)
        assert result.returncode == 0 and result.stdout.startswith("Asked: action ") and result.stderr == ""
        assert said in result.stdout
        assert json.loads(ctl(*args, "--store", log, "--json").stdout) == {"action": args[1], **told}
    assert server.asked == ["actions", line] * 2


def test_request_that_is_refused(log):
    with control(log, {"retry siren all": {"error": "not now"}, **THERE}):
        result = ctl("retry", "siren", "all", "--store", log)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "sonoran-pushctl: not now\n")


def test_what_was_not_given_up(log):
    """One event of an action that has others, and all of one that has none."""
    with control(log, THERE) as server:
        result = ctl("retry", "a.b_c-9", "18", "--store", log)
        assert (result.returncode, result.stdout) == (1, "")
        assert "event 18 is not on the list of action a.b_c-9; sonoran-pushctl failed a.b_c-9 shows" in result.stderr
        result = ctl("retry", "idle", "all", "--store", log)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == "Nothing to retry: no delivery of action idle was given up.\n"
        assert json.loads(ctl("retry", "idle", "all", "--store", log, "--json").stdout)["events"] == 0
    assert set(server.asked) == {"actions"}


@pytest.mark.parametrize("args", [["retry", "{}", "all"], ["retry", "{}", "17"], ["replay", "{}", "--from", "1"]])
def test_an_action_that_is_none(log, args):
    for name, hint in {"sirn": "did you mean siren?", "other-things": "sonoran-pushctl actions shows"}.items():
        with control(log, THERE) as server:
            result = ctl(*(arg.format(name) for arg in args), "--store", log)
        assert (result.returncode, result.stdout, server.asked) == (1, "", ["actions"])
        assert f"no action is called {name}" in result.stderr and hint in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["retry"],
        ["retry", "siren"],
        ["retry", "siren", "all", "more"],
        ["retry", "siren", "0"],
        ["retry", "siren", "1x"],
        ["retry", "siren", "9223372036854775808"],
        ["retry", "a b", "all"],
        ["retry", "a\nretry", "all"],
        ["retry", "", "all"],
        ["retry", "x" * 33, "all"],
        ["replay", "siren"],
        ["replay", "--from", "1"],
        ["replay", "siren", "--from", "0"],
        ["replay", "siren", "--from", "tomorrow"],
        ["replay", "siren", "--from", ""],
        ["actions", "extra"],
    ],
)
def test_usage(store, args):
    with control(store) as server:
        result = ctl(*args, "--store", store)
    assert result.returncode == USAGE and result.stdout == "" and result.stderr
    assert server.asked == []


def test_replay_from_a_time(start):
    """The first event at or after it, in the log of a daemon that has ended."""
    with short_folder() as folder:
        daemon = start(store={"path": str(folder / "e")})
        for number in range(3):
            assert daemon.post(call911(number)).status == 200
        daemon.stop()
        change(folder / "e", "UPDATE events SET received_at = received_at - ? WHERE id = 1", 3 * 3600 * 1000000)
        change(folder / "e", "UPDATE events SET received_at = received_at - ? WHERE id = 2", 600 * 1000000)
        answers = {f"replay siren {number}": {} for number in range(1, 5)}
        with control(folder / "e", {**answers, **THERE}) as server:
            for time_, expected in {"-4h": 1, "2020-01-01": 1, "-2h": 2, "-5min": 3, "now": 4}.items():
                result = ctl("replay", "siren", "--from", time_, "--store", folder / "e", "--json")
                assert json.loads(result.stdout) == {"action": "siren", "replay_from": expected}
        asked = [line for line in server.asked if line != "actions"]
        assert asked == [f"replay siren {number}" for number in (1, 1, 2, 3, 4)]
