"""The control socket: what there is on it, for whom, where it is, and what its clients cannot do to the daemon."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys

import pytest
from ctl_tools import VERSION, ask_socket, control, ctl, short_folder, store_of
from disk import NO_SPACE
from harness import BINARY, PATIENCE_S, Daemon, call911, config, event, wait_for, write_private
from store import change

# (method, path, status for whoever may open the socket, for a browser that comes through ssh -L)
ROUTES = [
    ("GET", "/health", 200, 200),
    ("HEAD", "/health", 200, 200),
    ("GET", "/api/status", 200, 403),
    ("GET", "/api/actions", 200, 403),
    ("GET", "/api/failed", 200, 403),
    ("GET", "/api/state", 200, 200),
    ("GET", "/api/events", 200, 200),
    ("GET", "/api/events?data=2", 400, 400),
    ("GET", "/api/series", 200, 200),
    ("GET", "/api/story?call=1", 404, 404),  # no such call
    ("GET", "/api/test", 404, 403),  # none was tried
    ("POST", "/api/retry?action=siren&id=all", 404, 403),  # no such action
    ("POST", "/api/replay?action=siren&from=1", 404, 403),
    ("POST", "/api/test?action=siren", 400, 403),  # no record
    ("POST", "/api/reload", 200, 403),
    ("GET", "/nothing", 404, 404),
    ("GET", "/api/status/", 404, 404),
    ("POST", "/sonorancad/event", 404, 404),
    ("GET", "/api/reload", 405, 405),
    ("DELETE", "/api/status", 405, 405),
]
BROWSERS = [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"sec-fetch-mode": "navigate"},
            {"Sec-Fetch-Dest": "document"}]


def socket_of(daemon):
    return f"{store_of(daemon)}.control"


def head_of(daemon, method, target, headers=None):
    """Of HEAD there is no more."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(socket_of(daemon))
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        client.sendall("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
        return client.makefile("rb").read().decode()


@pytest.mark.parametrize("method, target, status, of_browser", ROUTES, ids=lambda value: str(value))
def test_table(daemon, method, target, status, of_browser):
    """Each answer has the version, and every refusal a sentence."""
    for headers, wanted in [({}, status), *((headers, of_browser) for headers in BROWSERS)]:
        answer = head_of(daemon, method, target, headers)
        assert answer.startswith(f"HTTP/1.1 {wanted} "), (headers, answer)
        assert f"\r\nServer: sonoran-pushd/{VERSION}\r\n" in answer
        assert "\r\nContent-Type: application/json\r\n" in answer
        if wanted >= 400:
            assert '\r\n\r\n{"error":"' in answer and answer.endswith('"}\n')


def test_curl(daemon):
    """As everybody can."""
    result = subprocess.run(["curl", "-sS", "--unix-socket", socket_of(daemon), "http://localhost/api/status"],
                            capture_output=True, check=True, timeout=PATIENCE_S)
    assert b'"version":"' in result.stdout and result.stdout.endswith(b"}\n")


def test_health(start, disk):
    daemon = start(env=disk.env, actions=[{"name": "bot", "type": "forward", "url": "http://127.0.0.1:1/x"}])
    assert daemon.post(call911()).status == 200
    wait_for(lambda: ask_socket(socket_of(daemon), "GET", "/health")[2]["failing_actions"] == ["bot"], "its failure")
    status, headers, told = ask_socket(socket_of(daemon), "GET", "/health")
    assert (status, told["status"], told["storing"], told["newest"]) == (200, "ok", True, 1)
    assert told["sources"] == [{"source": "push", "name": "main"}] and told["last_event"].endswith("Z")
    assert headers["Cache-Control"] == "no-store"
    with disk.failing(NO_SPACE):
        assert daemon.post(call911()).status == 503
        wait_for(lambda: ask_socket(socket_of(daemon), "GET", "/health")[0] == 503, "its failure")
        _, headers, told = ask_socket(socket_of(daemon), "GET", "/health")
        assert (told["status"], told["storing"]) == ("failing", False) and headers["Retry-After"]
    wait_for(lambda: ask_socket(socket_of(daemon), "GET", "/health")[0] == 200, "its end")


def test_failed(daemon):
    def failed(query=""):
        status, _, told = ask_socket(socket_of(daemon), "GET", "/api/failed" + query)
        assert status == 200
        return told

    assert failed() == {"failed": [], "more": False}
    daemon.stop()
    store = store_of(daemon)
    insert = "INSERT INTO failed (action, event_id, attempts, error, at) VALUES (?, ?, 3, ?, 1000000)"
    change(store, insert, "siren", 1, "exit \x1b 1")
    for number in range(1, 1001):
        change(store, insert, "bot", number, "gone")
    with once_more(daemon) as again:
        daemon = again
        siren = {"event_id": 1, "action": "siren", "attempts": 3, "error": "exit \x1b 1", "at": "1970-01-01T00:00:01.000000Z"}
        assert failed("?action=siren") == {"failed": [siren], "more": False}
        assert failed("?action=none") == {"failed": [], "more": False}
        assert len(failed()["failed"]) == 1000 and failed()["more"] is True
        assert failed("?action=bot")["more"] is False


@contextlib.contextmanager
def once_more(daemon):
    """Another daemon, with the event log of one that has ended."""
    again = Daemon(daemon.file.parent / "again", config(store={"path": str(store_of(daemon))}))
    again.file = daemon.file
    try:
        yield again.wait_ready()
    finally:
        again.finish()


# Where it is


def test_rights(daemon):
    mode = os.stat(socket_of(daemon)).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    daemon.stop()
    assert not os.path.exists(socket_of(daemon))


def test_one_that_was_left_behind(daemon):
    daemon.exit_status = -signal.SIGKILL
    daemon.stop(signal.SIGKILL)
    assert os.path.exists(socket_of(daemon))
    with once_more(daemon) as again:
        assert ask_socket(socket_of(again), "GET", "/health")[0] == 200


def test_one_that_another_process_holds():
    with short_folder() as folder:
        write_private(folder / "c", config(store={"path": str(folder / "e")}))
        with control(folder / "e"):
            result = subprocess.run([BINARY, "-c", folder / "c"], capture_output=True, timeout=PATIENCE_S)
            assert ask_socket(f"{folder / 'e'}.control", "GET", "/api/status")[0] == 400  # it is still there
    assert result.returncode == 1
    assert f"the control socket {folder / 'e'}.control: process {os.getpid()} listens there already" in result.stderr.decode()


def test_under_systemd(start):
    """RuntimeDirectory= is its place, and sonoran-pushctl finds it there, if it is that of the event log it means."""
    with short_folder() as folder:
        env = {"RUNTIME_DIRECTORY": f"{folder}/other:{folder}/sonoran-pushd"}
        (folder / "sonoran-pushd").mkdir()
        daemon = start(env=env)
        assert ask_socket(folder / "sonoran-pushd" / "control.sock", "GET", "/health")[0] == 200
        assert not os.path.exists(socket_of(daemon))
        result = ctl("-c", daemon.file, "status", env=env)
        assert result.returncode == 0 and result.stdout.startswith(f"sonoran-pushd {VERSION} runs since ")
        assert ctl("-c", daemon.file, "reload", env=env).returncode == 0
        result = ctl("actions", "--store", folder / "other.db", env=env)
        assert result.returncode == 1 and "no daemon is running with this event log" in result.stderr

        second = Daemon(folder / "second", config(), env=env)
        second.exit_status = 1
        second.process.wait(PATIENCE_S)
        second.finish()
        assert f"process {daemon.process.pid} listens there already" in "\n".join(second.lines())
        assert ctl("-c", daemon.file, "status", env=env).returncode == 0


def test_one_that_is_another_daemons_by_now(start):
    """Taken away while it was in use, and made anew: who ends leaves it there."""
    with short_folder() as folder:
        (folder / "sonoran-pushd").mkdir()
        env = {"RUNTIME_DIRECTORY": str(folder / "sonoran-pushd")}
        place = folder / "sonoran-pushd" / "control.sock"
        first = start(env=env)
        place.unlink()
        start(env=env)
        first.stop()
        assert ask_socket(place, "GET", "/health")[0] == 200


@pytest.mark.parametrize("why", ["long", "file"])
def test_where_none_can_be(start, tmp_path, why):
    """It is told, and events are stored all the same."""
    store = tmp_path / ("x" * 108 if why == "long" else "e.db")
    if why == "file":
        (tmp_path / "e.db.control").write_text("mine")
    daemon = start(store={"path": str(store)})
    daemon.wait_line(f"no control socket {re.escape(str(store))}.control: .*{'107 bytes' if why == 'long' else 'no socket'}")
    assert daemon.post(event()).status == 200
    result = ctl("-c", daemon.file, "actions")
    assert result.returncode == 1 and ("too long" if why == "long" else "no daemon is running") in result.stderr
    daemon.stop()
    if why == "file":
        assert (tmp_path / "e.db.control").read_text() == "mine"


# Clients that mean no good


def test_bad_clients(daemon):
    """Half a request, one whose answers are never read, a gigabyte: others are served, and events are."""
    clients = []
    for data in (b"", b"GET /api/sta", b"POST /api/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
                 b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n" * 2000, b"status\n", b"\x16\x03\x01", b"\0" * 100000):
        clients.append(socket.socket(socket.AF_UNIX))
        clients[-1].settimeout(PATIENCE_S)
        clients[-1].connect(socket_of(daemon))
        clients[-1].setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            clients[-1].send(data)
    assert ask_socket(socket_of(daemon), "GET", "/api/status")[0] == 200
    assert daemon.post(event()).status == 200

    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(socket_of(daemon))
        client.sendall(b"POST /api/test?action=x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):  # its end comes long before that of the body
            for _ in range(1 << 14):
                client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert ask_socket(socket_of(daemon), "GET", "/api/status")[0] == 200
    assert daemon.post(event()).status == 200
    for client in clients:
        client.close()


def test_the_end_with_clients(daemon):
    clients = [socket.socket(socket.AF_UNIX) for _ in range(5)]
    for number, client in enumerate(clients):
        client.connect(socket_of(daemon))
        client.sendall(b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n"[: number * 10])
    assert ask_socket(socket_of(daemon), "GET", "/health")[0] == 200
    daemon.stop()
    for client in clients:
        client.close()


# Versions that differ


@pytest.mark.parametrize(
    "software, said",
    [
        ("sonoran-pushd/0.0.9", "the daemon that runs is sonoran-pushd 0.0.9, older than this sonoran-pushctl"),
        ("sonoran-pushd/10.0.0", "is older than the daemon that runs, sonoran-pushd 10.0.0"),
    ],
)
def test_versions_that_differ(software, said):
    with short_folder() as folder:
        with control(folder / "e", {"actions": {"actions": []}}, software=software):
            result = ctl("actions", "--store", folder / "e")
    assert (result.returncode, result.stdout) == (0, "No actions are configured.\n")
    assert said in result.stderr and result.stderr.count("\n") == 1


def test_what_is_no_daemon():
    with short_folder() as folder:
        with control(folder / "e", {"actions": {"actions": []}}, software="nginx/1.0"):
            result = ctl("actions", "--store", folder / "e")
    assert result.returncode == 1 and "what answers there is no sonoran-pushd" in result.stderr


def test_a_daemon_of_before_http():
    """It was asked by a line of words, and answered with a line."""
    with short_folder() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder / 'e'}.control")
        listener.listen()
        with subprocess.Popen([sys.executable, "-c", OLD_DAEMON, str(listener.fileno())], pass_fds=[listener.fileno()]):
            result = ctl("actions", "--store", folder / "e")
    assert result.returncode == 1 and "is older than this sonoran-pushctl" in result.stderr
    assert "restart sonoran-pushd" in result.stderr


OLD_DAEMON = """
import socket, sys
client = socket.socket(fileno=int(sys.argv[1])).accept()[0]
line = b""
while not line.endswith(b"\\r\\n\\r\\n"):
    line += client.recv(1000)
client.sendall(b'{"error":"not a request that this version of sonoran-pushd knows"}\\n')
"""
