"""sonoran-pushctl doctor: each reason why no events arrive that it can see.

The daemon's own answer comes from a control socket of the tests; a listener's page comes from a real daemon.
"""

import contextlib
import http.server
import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from ctl_tools import USAGE, config_for, control, ctl, lines_of_terminal, short_folder
from harness import KEY, call911, config, free_port, write_private
from store import change
from test_ctl_status import ago, told

HOUR_US = 3600 * 1000000


class Patient:
    """A configuration, an event log with one event, and the port of a real daemon."""

    def __init__(self, daemon, folder):
        self.store = folder / "e"
        self.daemon = daemon
        self.folder = folder
        self.configure()

    def configure(self, **changes):
        self.file = config_for(self.daemon, self.folder, **{"store": {"path": str(self.store)}, **changes})

    def age(self, **columns):
        for name, value in columns.items():
            change(self.store, f"UPDATE events SET {name} = ?", value)

    def examine(self, status=None, *args):
        """(exit status, {check: [(level, sentence), …]}) with a daemon that says this; None: with none."""
        with control(self.store, {"status": status}) if status is not None else contextlib.nullcontext():
            result = ctl("-c", self.file, "doctor", "--json", *args)
        assert result.stderr == "" and result.stdout.count("\n") == 1
        answer = json.loads(result.stdout)
        assert len(answer["look_at"]) > 5
        found = {}
        for finding in answer["findings"]:
            found.setdefault(finding["check"], []).append((finding["level"], finding["sentence"]))
        failed = any(level == "fail" for row in found.values() for level, _ in row)
        assert result.returncode == int(failed)
        return result.returncode, found

    def find(self, check, status=None, *args):
        return self.examine(status, *args)[1].get(check, [])


@pytest.fixture
def patient(start):
    with short_folder() as folder:
        first = start(store={"path": str(folder / "e")})
        assert first.post(call911(1)).status == 200
        first.stop()
        yield Patient(start(), folder)


def healthy(**changes):
    requests = {"accepted": 11, "unknown": 0, "invalid": 0, "wrong_key": 0, "malformed": 0, "busy": 0}
    status = told(**{"requests": requests, "listeners": [], "actions": [], **changes})
    status.pop("last_wrong_key")
    return {**status, **changes}


def test_nothing_is_wrong(patient):
    patient.age(peer="198.51.100.4")
    status, found = patient.examine(healthy())
    levels = {check: {level for level, _ in row} for check, row in found.items()}
    levels.pop("clock")  # of the machine
    levels.pop("disk")
    assert status == 0
    assert levels == {name: {"ok"} for name in ["config", "running", "requests", "events", "storing"]} | {
        "listener": {"ok", "warn"}  # it is for this machine only
    }


def test_lines(patient):
    change(patient.store, "UPDATE events SET received_at = received_at - ?", 25 * HOUR_US)
    with control(patient.store, {"status": healthy(requests={"wrong_key": 5})}):
        result = ctl("-c", patient.file, "doctor")
    assert result.returncode == 1 and result.stderr == ""
    findings, hints = result.stdout.split("\n\nWhat cannot be seen from here:\n")
    assert all(line.startswith(("ok    ", "warn  ", "FAIL  ", "      -> ")) for line in findings.splitlines())
    assert "FAIL  5 requests came with a wrong key since the start; none with the right one\n      -> compare" in findings
    assert all(line.startswith("  * ") for line in hints.splitlines())
    for word in "websocket", "disableOverride", "enablePushEventForwarding", "firewall", "TCP":
        assert word in hints


def test_a_narrow_terminal(patient):
    with control(patient.store, {"status": healthy(requests={"wrong_key": 5, "not_found": 2})}):
        lines = lines_of_terminal(80, "-c", patient.file, "doctor")
    assert all(len(line) <= 80 for line in lines if "://" not in line) and any(len(line) > 60 for line in lines)
    starts = ("ok    ", "warn  ", "FAIL  ", "      ", "  * ", "    ", "What cannot be seen")
    assert all(line.startswith(starts) for line in lines if line)


# Does it run?


def test_not_running(patient):
    port = free_port()
    patient.configure(listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}])
    status, found = patient.examine()
    assert status == 1 and found["running"][0][0] == "fail" and "no daemon is running" in found["running"][0][1]
    assert ("ok", f"listener main: the port of 127.0.0.1:{port} is free") in found["listener"]


def test_port_taken_by_another_program(patient):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        patient.configure(listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}])
        server.listen()
        closer = threading.Thread(target=lambda: server.accept()[0].close())
        closer.start()
        level, sentence = patient.find("listener")[0]
        closer.join()
    assert level == "fail" and f"cannot listen on 127.0.0.1:{port}: " in sentence and f"(process {os.getpid()}) has this port already" in sentence


def test_port_taken_by_a_daemon_with_another_log(patient):
    level, sentence = patient.find("listener")[0]
    assert level == "fail" and "a sonoran-pushd with another event log has the port" in sentence


def test_a_daemon_with_another_configuration(patient):
    """It is named, and that no service is known here is no reason to speak of systemctl."""
    level, sentence = patient.find("running")[0]
    assert level == "fail" and re.search(r"the sonoran-pushd that runs here \(process \d+\) has another", sentence)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_without_rights(patient):
    patient.folder.chmod(0o755)
    with control(patient.store, {"status": healthy()}):
        os.chmod(f"{patient.store}.control", 0o660)
        result = ctl("-c", patient.file, "doctor", "--store", patient.store, user=65534)
    assert "has to run as root" in result.stdout and "sudo sonoran-pushctl doctor" in result.stdout
    assert "run this as root" in result.stdout and "does not load" not in result.stdout
    assert "FAIL" not in result.stdout and result.returncode == 0


def test_other_version(patient):
    level, sentence = patient.find("running", healthy(version="0.0.9"))[0]
    assert level == "warn" and "0.0.9" in sentence


def test_it_does_not_answer(patient):
    with control(patient.store, {"status": b""}):
        result = ctl("-c", patient.file, "doctor")
    assert result.returncode == 1 and "FAIL  the daemon ended the connection" in result.stdout


# Its configuration


def test_configuration_does_not_load(patient):
    write_private(patient.file, config(nonsense=1, listeners=[{"name": "main", "address": "x"}]))
    found = patient.find("config")
    assert [level for level, _ in found] == ["fail"] * 3
    assert "nonsense" in found[1][1] + found[0][1] and "does not load" in found[2][1]


def test_the_log_of_a_configuration_with_mistakes(patient):
    """The daemon that runs with what it read before is found all the same."""
    write_private(patient.file, config(nonsense=1, store={"path": str(patient.store)}))
    assert patient.find("running", healthy()) == [("ok", "the daemon runs")]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_configuration_for_root(patient):
    """What it would say is not guessed, and nothing fails for it."""
    patient.folder.chmod(0o755)
    with control(patient.store, {"status": healthy()}):
        result = ctl("-c", patient.file, "doctor", "--json", user=65534)
    findings = json.loads(result.stdout)["findings"]
    assert result.returncode == 0 and {finding["level"] for finding in findings} <= {"ok", "warn"}
    assert any(finding["check"] == "running" and "cannot be seen" in finding["sentence"] for finding in findings)
    assert all("sudo sonoran-pushctl" in finding.get("advice", "sudo sonoran-pushctl") for finding in findings[1:3])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_secrets_for_root(patient):
    """A folder that only root may look into has no secret missing."""
    secrets = patient.folder / "secrets"
    secrets.mkdir(mode=0o700)
    write_private(secrets / "api-key", KEY)
    patient.configure(communities=[{"name": "default", "api_key_file": "api-key"}])
    assert [level for level, _ in patient.find("config", healthy())] == ["ok"]
    patient.file.chmod(0o644)
    patient.folder.chmod(0o755)
    with control(patient.store, {"status": healthy()}):
        os.chmod(f"{patient.store}.control", 0o660)
        result = ctl("-c", patient.file, "doctor", user=65534)
        status = ctl("-c", patient.file, "status", user=65534)
    assert "FAIL" not in result.stdout and f"{secrets}/api-key: Permission denied" in result.stdout

    # A warning beside it is no mistake either.
    patient.configure(
        communities=[{"name": "default", "api_key_file": "api-key"}],
        actions=[{"name": "bot", "type": "forward", "url": "http://127.0.0.1:4000/x"}],
    )
    patient.file.chmod(0o644)
    result = ctl("-c", patient.file, "doctor", user=65534)
    assert "others may read it" in result.stdout
    assert "does not load" not in result.stdout and "run this as root" in result.stdout
    result = ctl("-c", patient.file, "send", "EVENT_911", user=65534)
    assert "for root to read: sudo sonoran-pushctl" in result.stderr and "warning" not in result.stderr
    assert status.returncode == 1 and "this has to run as root" in status.stdout
    patient.file.chmod(0o600)
    status = ctl("-c", patient.file, "status", user=65534)
    assert status.returncode == 1 and "for root to read: sudo sonoran-pushctl" in status.stderr


def test_a_secret_of_an_action_is_missing(patient):
    """The daemon starts without it, so what else is there to find is found."""
    patient.configure(actions=[{"name": "bot", "type": "forward", "url_file": "not-there"}], paths=["/other"])
    patient.file.chmod(0o640)
    (mistake, words), (level, sentence) = patient.find("config", healthy())
    assert (mistake, level) == ("fail", "fail") and "not-there" in words and "leaves actions off" in sentence
    assert [level for level, _ in patient.find("paths", healthy())] == ["fail", "warn"]
    patient.file.chmod(0o644)
    assert [level for level, words in patient.find("config") if "others may" in words] == ["warn"]


def test_several_keys(patient):
    patient.configure(communities=[{"name": "default", "api_key": [KEY, "the-old-one"]}])
    found = patient.find("config", healthy())
    assert [level for level, _ in found] == ["ok", "ok"]
    assert found[1][1].startswith("community default has 2 keys: take the old one out")


def test_no_configuration(patient):
    patient.file.unlink()
    assert "does not load" in patient.find("config")[-1][1]


def test_files_that_others_can_read(patient):
    patient.file.chmod(0o644)
    found = patient.find("config", healthy())
    assert found[0][0] == "warn" and "read" in found[0][1] and found[1][0] == "ok"
    write_private(patient.folder / "api-key", KEY)
    patient.configure(communities=[{"name": "default", "api_key_file": "api-key"}])
    assert [level for level, _ in patient.find("config", healthy())] == ["ok"]
    (patient.folder / "api-key").chmod(0o644)
    found = patient.find("config", healthy())
    assert found[0][0] == "warn" and "api-key" in found[0][1]


def test_paths(patient):
    assert "paths" not in patient.examine(healthy())[1]
    patient.configure(paths=["/"])
    level, sentence = patient.find("paths", healthy())[0]
    assert level == "fail" and "/sonorancad/event" in sentence
    patient.configure(paths=["/sonorancad/event"])
    assert patient.find("paths", healthy())[0][0] == "warn"


# Its listeners


def test_listener_does_not_answer(patient):
    port = free_port()
    patient.configure(listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}])
    level, sentence = patient.find("listener", healthy())[0]
    assert level == "fail" and f"nothing answers at http://127.0.0.1:{port}/sonorancad/event" in sentence


def test_something_else_answers(patient):
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hmm")

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        patient.configure(listeners=[{"name": "main", "address": f"127.0.0.1:{server.server_port}"}])
        level, sentence = patient.find("listener", healthy())[0]
        server.shutdown()
    assert level == "fail" and "something else" in sentence and "status 200" in sentence


def test_address_that_the_daemon_tells(patient):
    host, port = patient.daemon.address
    patient.configure(listeners=[{"name": "main", "address": "[::]:0"}])
    listeners = [{"name": "main", "address": f"{host}:{port}"}]
    assert patient.find("listener", healthy(listeners=listeners))[0][0] == "ok"
    assert patient.find("listener", healthy())[0][0] == "warn"


def test_listener_that_was_changed(patient):
    """The daemon listens where it was told to at its start."""
    host, port = patient.daemon.address
    two = [{"name": "main", "address": f"127.0.0.1:{free_port()}"}, {"name": "new", "address": "127.0.0.1:0"}]
    patient.configure(listeners=two)
    found = patient.find("listener", healthy(listeners=[{"name": "main", "address": f"{host}:{port}"}]))
    sentences = [sentence for level, sentence in found if level == "warn" and "the configuration says" in sentence]
    assert f"the daemon listens on {host}:{port}" in sentences[0] and "listens nowhere for it" in sentences[1]
    assert ("ok", f"listener main answers at http://{host}:{port}/sonorancad/event") in found


def test_without_a_configuration_the_daemon_tells(patient):
    host, port = patient.daemon.address
    write_private(patient.file, "nonsense")
    status = healthy(listeners=[{"name": "main", "address": f"{host}:{port}"}])
    with control(patient.store, {"status": status}):
        result = ctl("-c", patient.file, "doctor", "--store", patient.store)
    assert f"ok    listener main answers at http://{host}:{port}/sonorancad/event" in result.stdout


def test_loopback_only(patient):
    port = free_port()
    for address, expected in {"127.0.0.1": True, "[::1]": True, "0.0.0.0": False, "[::]": False}.items():
        patient.configure(listeners=[{"name": "main", "address": f"{address}:{port}"}])
        sentences = [sentence for _, sentence in patient.find("listener")]
        assert any("this machine only" in sentence for sentence in sentences) == expected, address
    two = [{"name": "near", "address": "127.0.0.1:0"}, {"name": "far", "address": f"0.0.0.0:{port}"}]
    patient.configure(listeners=two)
    assert not any("this machine only" in sentence for _, sentence in patient.find("listener"))


# What came


@pytest.mark.parametrize(
    "requests, expected",
    [
        ({}, []),
        ({"accepted": 3}, [("ok", "3 requests were accepted")]),
        ({"wrong_key": 1}, [("warn", "1 request came with a wrong key")]),
        ({"accepted": 3, "wrong_key": 2}, [("ok", "3"), ("warn", "2 requests came with a wrong key")]),
        ({"accepted": 1, "unknown": 2}, [("ok", "1 request was"), ("warn", "2 requests had a type")]),
        (
            {"accepted": 1, "invalid": 1, "malformed": 3, "busy": 4},
            [("ok", "1"), ("warn", "1 request had data"), ("warn", "3 requests brought no event"), ("warn", "4 requests got 503")],
        ),
        (
            {"accepted": 1, "too_large": 1, "connections": 1, "not_http": 7},
            [("ok", "1"), ("warn", "1 request had a body"), ("warn", "1 connection had to give way"), ("warn", "7 connections spoke")],
        ),
        ({"malformed": 3}, [("warn", "3 requests brought no event")]),
    ],
)
def test_requests(patient, requests, expected):
    found = patient.examine(healthy(requests=requests))[1]
    rows = found.get("requests", []) + found.get("keys", [])
    assert sorted(level for level, _ in rows) == sorted(level for level, _ in expected)
    for level, words in expected:
        assert any(row[0] == level and words in row[1] for row in rows), words


@pytest.mark.parametrize(
    "requests, expected",
    [
        ({}, [("warn", "not one request")]),
        ({"wrong_key": 1}, [("fail", "1 request came with a wrong key")]),
        ({"malformed": 3}, [("warn", "3 requests brought no event"), ("warn", "not one request")]),
    ],
)
def test_requests_after_a_day_without_events(patient, requests, expected):
    """A daemon that has just been started again knows of no request; its log does."""
    change(patient.store, "UPDATE events SET received_at = received_at - ?", 25 * HOUR_US)
    test_requests(patient, requests, expected)


def test_no_request_is_missed_where_sessions_are(patient):
    """What they bring is none, and each has its own sentence."""
    change(patient.store, "UPDATE events SET received_at = received_at - ?", 25 * HOUR_US)
    found = patient.examine(healthy(requests={}, sessions=[{"name": "city", "state": "open"}]))[1]
    assert "requests" not in found


def test_who_had_the_wrong_key(patient):
    change(patient.store, "UPDATE events SET received_at = received_at - ?", 25 * HOUR_US)
    last = {"at": ago(minutes=5, seconds=5), "from": "203.0.113.7"}
    sentence = patient.find("keys", healthy(requests={"wrong_key": 2}, last_wrong_key=last))[0][1]
    assert "the last 5 min ago from 203.0.113.7; none with the right one" in sentence


def test_posts_to_another_path(patient):
    last = {"at": ago(minutes=5, seconds=5), "from": "203.0.113.7", "what": "/foo"}
    found = patient.find("requests", healthy(requests={"accepted": 1, "not_found": 2}, last_not_found=last))
    assert found[1][0] == "warn" and "2 requests came to a path that is none of ours" in found[1][1]
    assert found[1][1].endswith("the last 5 min ago from 203.0.113.7: /foo")


def test_all_connections_in_use(patient):
    assert patient.find("connections", healthy(connections=1023)) == []
    level, sentence = patient.find("connections", healthy(connections=1024))[0]
    assert level == "fail" and "all 1024 connections" in sentence


def test_a_refused_reload(patient):
    refused = {"at": ago(minutes=5, seconds=5), "problem": "x.yaml:3: limits.body: too large"}
    level, sentence = patient.find("reload", healthy(reload_refused=refused))[0]
    assert level == "warn" and "the last reload, 5 min ago, was refused" in sentence
    assert sentence.endswith("x.yaml:3: limits.body: too large")


def test_a_reader_that_holds_the_log(patient):
    store = {"wal_bytes": 441 << 20, "held_by": "sqlite3 (process 77)"}
    level, sentence = patient.find("log", healthy(store=store))[0]
    assert level == "warn" and sentence.startswith("sqlite3 (process 77) reads the event log") and "441.0 MiB" in sentence
    assert patient.find("log", healthy(store={"wal_bytes": 4096})) == []


def test_logs_that_a_restore_put_aside(patient):
    """Each with its place and size, the WAL with its log."""
    assert "kept" not in patient.examine(healthy())[1]
    copy = patient.folder / "copy"
    assert ctl("backup", copy, "--store", patient.store).returncode == 0
    restored = ctl("restore", copy, "--store", patient.store, "--json")
    older = f"{patient.store}.kept-20201123T163000Z"
    for end, mib in ("", 3), ("-wal", 2):
        Path(f"{older}{end}").write_bytes(bytes(mib << 20))
    (first_level, first), (second_level, second) = patient.find("kept", healthy())
    assert first_level == second_level == "warn"
    assert first == f"a restore put the log aside that was there (5.0 MiB): {older}"
    assert second.endswith(f" KiB): {json.loads(restored.stdout)['kept']}")
    assert "rm FILE*" in ctl("-c", patient.file, "doctor").stdout


def test_check_of_the_log(patient):
    assert patient.find("log", healthy(), "--check-log") == [("ok", "all of the event log was read: no damage")]
    with open(patient.store, "r+b") as file:
        file.seek(4096 + 8)
        file.write(b"\xff" * 3000)
    level, sentence = patient.find("log", None, "--check-log")[0]
    assert level == "fail" and "damaged" in sentence


def test_quiet(patient):
    patient.age(peer="198.51.100.4")
    assert patient.find("events", healthy())[0][0] == "ok"
    change(patient.store, "UPDATE events SET received_at = received_at - ?", 25 * HOUR_US)
    level, sentence = patient.find("events", healthy())[0]
    assert (level, sentence) == ("warn", "the newest event, 1, came 25 h ago")
    assert patient.find("events", healthy(), "--hours", 30)[0][0] == "ok"


def test_no_event_ever(patient):
    change(patient.store, "DELETE FROM events")
    assert patient.find("events", healthy())[0] == ("warn", "no event has ever come")


@pytest.mark.parametrize(
    "peer, near",
    [("127.0.0.1", 1), ("10.1.2.3", 1), ("172.31.0.1", 1), ("192.168.7.7", 1), ("::1", 1), ("fd00::1", 1), ("fe80::1", 1)]
    + [("198.51.100.4", 0), ("172.32.0.1", 0), ("2001:db8::1", 0), ("192.169.0.1", 0), ("nonsense", 0)],
)
def test_forwarded_or_tests(patient, peer, near):
    patient.age(peer=peer)
    assert len(patient.find("peers", healthy())) == near


def test_no_log(patient):
    patient.store.unlink()
    assert patient.find("events", healthy())[0][0] == "fail"
    assert patient.find("events")[0][0] == "warn"


# What it depends on


def test_storing(patient):
    assert patient.find("storing", healthy(storing=False))[0][0] == "fail"
    assert patient.find("storing", healthy(storing=True))[0][0] == "ok"


def test_actions(patient):
    actions = [
        {"name": "a", "state": "off", "last_error": "HTTP 404 \x1b"},
        {"name": "b", "state": "failing", "lag": 7, "last_error": "refused"},
        {"name": "c", "state": "idle", "failed": 3},
    ]
    found = patient.find("actions", healthy(actions=actions))
    assert [level for level, _ in found] == ["fail", "fail", "ok", "warn"]
    assert "action a is off" in found[0][1] and found[0][1].endswith("HTTP 404 \\x1b")
    assert "with 7 events waiting: refused" in found[1][1] and "given up 3" in found[3][1]


def test_clock(patient):
    clock = patient.find("clock", healthy())
    assert all(level != "fail" for level, _ in clock)
    change(patient.store, "UPDATE events SET received_at = received_at + ?", HOUR_US)
    assert patient.find("clock", healthy())[0][0] == "fail"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("size, level", [("8M", "fail"), ("300M", "ok"), ("5G", "ok")])
def test_disk(patient, size, level):
    target = patient.folder / "disk"
    target.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", target], capture_output=True).returncode:
        pytest.skip("cannot mount")
    try:
        assert patient.find("disk", None, "--store", target / "e")[0][0] == level
    finally:
        subprocess.run(["umount", "-l", target], check=True)


def test_usage():
    for args in ["extra"], ["--hours", "0"], ["--hours", "x"], ["--nonsense"]:
        result = ctl("doctor", *args)
        assert result.returncode == USAGE and result.stdout == ""
