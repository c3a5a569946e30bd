"""sonoran-pushctl actions, retry and replay: what is asked of a daemon, and how its answers are told."""

import json
import os
import pty
import socket
import subprocess

import pytest
from ctl_tools import CTL, USAGE, control, ctl, short_folder
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
            "skipped": 0,
            "last_delivered": "2026-11-23T16:00:00.000000Z",
        },
        {
            "name": "siren",
            "type": "exec",
            "state": "failing",
            "lag": 17,
            "delivered": 0,
            "failed": 2,
            "next_try": "2199-01-01T00:00:00.000000Z",
            "last_error_at": "2026-11-23T16:00:00.000000Z",
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
    head, panic, siren = result.stdout.splitlines()
    columns = ["NAME", "TYPE", "STATE", "LAG", "DELIVERED", "FAILED", "LAST DELIVERED", "LAST ERROR"]
    assert all(name in head for name in columns)

    def cell(line, name):
        """What stands below a head."""
        end = min((head.index(other) for other in columns if head.index(other) > head.index(name)), default=None)
        return line[head.index(name) : end].strip()

    assert [cell(panic, name) for name in columns[:6]] == ["panic", "discord", "idle", "0", "3", "0"]
    assert cell(panic, "LAST DELIVERED").endswith(" ago") and cell(panic, "LAST ERROR") == ""
    assert cell(siren, "LAG") == "17" and cell(siren, "LAST DELIVERED") == "-"
    assert cell(siren, "STATE").startswith("failing, tries again in ")
    assert r"ago: \x1b[31mexit status 1\nxx" in cell(siren, "LAST ERROR") and siren.endswith("…")


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


@pytest.mark.parametrize(
    "args, line, told",
    [
        (["retry", "siren", "all"], "retry siren all", {"action": "siren", "retry": "all"}),
        (["retry", "a.b_c-9", "17"], "retry a.b_c-9 17", {"action": "a.b_c-9", "retry": 17}),
        (["replay", "siren", "--from", "17"], "replay siren 17", {"action": "siren", "replay_from": 17}),
    ],
)
def test_requests(store, args, line, told):
    with control(store, {line: {}}) as server:
        result = ctl(*args, "--store", store)
        assert result.returncode == 0 and result.stdout.startswith("Asked: action ") and result.stderr == ""
        assert json.loads(ctl(*args, "--store", store, "--json").stdout) == told
    assert server.asked == [line, line]


def test_request_that_is_refused(store):
    with control(store, {"retry none all": {"error": "no action is called that"}}):
        result = ctl("retry", "none", "all", "--store", store)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "sonoran-pushctl: no action is called that\n"


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
        ["replay", "siren", "--from", "yesterday"],
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
        with control(folder / "e", answers) as server:
            for time_, expected in {"-4h": 1, "2026-01-01": 1, "-2h": 2, "-5min": 3, "now": 4}.items():
                result = ctl("replay", "siren", "--from", time_, "--store", folder / "e", "--json")
                assert json.loads(result.stdout) == {"action": "siren", "replay_from": expected}
        assert server.asked == [f"replay siren {number}" for number in (1, 1, 2, 3, 4)]
