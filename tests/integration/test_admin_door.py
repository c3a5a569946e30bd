"""The admin side by TCP: when it is there, its token, who may look, and what a reload changes. Who may do what is walked
row by row in tests/unit/test_admin_routes.c."""

import contextlib
import http.client
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from ctl_tools import ask_socket, store_of
from harness import BINARY, OTHER_CLIENT, PATIENCE_S, Answer, config, event, run, wait_for, write_private

ADDRESS = "127.0.0.1:0"
TOKEN, OTHER_TOKEN = "SECRET-TOKEN-FOR-TESTS", "SECRET-TOKEN-OF-LATER"
WRONG = "NO-TOKEN-OF-ANYBODY"
SEEN = r"the board is to be seen on http://127\.0\.0\.1:(\d+)/"


def board(daemon):
    """Where it is, as the daemon told."""
    daemon.secrets |= {TOKEN, OTHER_TOKEN, WRONG}
    return "127.0.0.1", int(re.search(SEEN, daemon.wait_line(SEEN))[1])


def ask(daemon, path="/health", method="GET", token=None, headers=None, body=None, source=None):
    local = (source, 0) if source else None
    connection = http.client.HTTPConnection(*board(daemon), timeout=PATIENCE_S, source_address=local)
    with contextlib.closing(connection):
        given = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, body, {**given, **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())


def status(daemon, **more):
    return ask(daemon, **more).status


# When it is there


def test_without_an_address(start):
    daemon = start()
    assert ask_socket(f"{store_of(daemon)}.control", "GET", "/health")[0] == 200
    assert not any("the board" in line for line in daemon.lines())
    assert listens_by_tcp(daemon.process.pid) == 1  # for the CAD


def listens_by_tcp(pid):
    """How many sockets."""
    process = Path(f"/proc/{pid}")
    rows = [line.split() for table in ("tcp", "tcp6") for line in (process / "net" / table).read_text().splitlines()[1:]]
    listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
    n = 0
    for fd in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            n += os.readlink(fd) in listening
    return n


def test_it_may_be_read_and_nothing_else(start):
    daemon = start(admin={"address": ADDRESS})
    assert daemon.post(event()).status == 200
    assert status(daemon) == 200
    for method, path in (("GET", "/api/status"), ("POST", "/api/reload"), ("POST", "/api/retry?action=x&id=all")):
        answer = ask(daemon, path, method)
        assert answer.status == 403 and "control socket" in answer.text
        assert ask_socket(f"{store_of(daemon)}.control", method, path)[0] != 403


def test_a_port_that_is_taken(start, tmp_path):
    daemon = start(admin={"address": ADDRESS})
    host, port = board(daemon)
    write_private(tmp_path / "second.yaml", config(store={"path": "second.db"}, admin={"address": f"{host}:{port}"}))
    result = run("-c", tmp_path / "second.yaml")
    assert result.returncode == 1
    assert f"admin.address: cannot listen on {host}:{port}" in result.stderr
    assert status(daemon) == 200


def test_without_a_control_socket(start, tmp_path):
    """Then it is there all the same."""
    daemon = start(store={"path": str(tmp_path / ("x" * 108))}, admin={"address": ADDRESS})
    daemon.wait_line("no control socket")
    assert status(daemon) == 200


# Its token


def test_one_that_is_made(start, path):
    daemon = start(store={"path": str(path)}, admin={"address": ADDRESS, "token_file": "admin-token"})
    file = path.parent / "admin-token"
    daemon.wait_line(f"made a token for the board, in {re.escape(str(file))}; sonoran-pushctl open")
    token = file.read_text().strip()
    daemon.secrets.add(token)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600 and re.fullmatch("[0-9a-z]{52}", token)
    assert status(daemon, token=token) == 200
    assert status(daemon, token=token[:-1]) == 401
    daemon.stop()
    again = start(store={"path": str(path)}, admin={"address": ADDRESS, "token_file": "admin-token"})
    again.secrets.add(token)
    assert status(again, token=token) == 200
    assert file.read_text().strip() == token and "made a token" not in "\n".join(again.lines())
    assert 'token_file: "admin-token"' in run("-c", again.file, "--print-config").stdout


def test_one_that_cannot_be_made(start, tmp_path):
    """Events are taken all the same; nobody sees the board but who has a token of a community, until a reload can."""
    file = tmp_path / "none" / "token"
    settings = {"communities": [{"name": "one", "api_key": "TEST-API-KEY-0001", "board_token": OTHER_TOKEN}],
                "admin": {"address": ADDRESS, "token_file": str(file)}}
    daemon = start(**settings)
    daemon.wait_line(f"admin.token_file: cannot make {file}: No such file or directory; until a reload can make it, nobody")
    assert daemon.post(event(key="TEST-API-KEY-0001")).status == 200
    assert status(daemon, path="/api/state") == 401 and status(daemon, path="/api/state", token=WRONG) == 401
    assert status(daemon, path="/api/session", method="POST", body='{"token":"x"}', headers={"Content-Type": "application/json"}) == 401
    assert status(daemon, path="/api/state?community=one", token=OTHER_TOKEN) == 200
    file.parent.mkdir()
    daemon.reload()
    token = file.read_text().strip()
    daemon.secrets.add(token)
    assert status(daemon, path="/api/state", token=token) == 200


@pytest.mark.parametrize("there", [False, True])
def test_one_that_is_named_with_the_folder_of_secrets(start, path, there):
    """It is made where it is found from then on, whether such a folder is beside the event log or not."""
    if there:
        (path.parent / "secrets").mkdir()
    settings = {"store": {"path": str(path)}, "admin": {"address": ADDRESS, "token_file": "secrets/token"}}
    first = start(**settings)
    token = (path.parent / "token").read_text().strip()
    first.secrets.add(token)
    assert status(first, token=token) == 200
    first.stop()
    second = start(**settings)
    second.secrets.add(token)
    assert status(second, token=token) == 200


def test_one_that_is_made_before_the_event_log_moves(start, path):
    """The log moves at a restart; the token at the reload, and again there is one."""
    admin = {"address": ADDRESS, "token_file": "token"}
    daemon = start(store={"path": str(path)}, admin=admin)
    (path.parent / "elsewhere").mkdir()
    later = path.parent / "elsewhere" / "events.db"
    daemon.secrets.add((path.parent / "token").read_text().strip())
    daemon.reload(config(store={"path": str(later)}, admin=admin))
    token = (later.parent / "token").read_text().strip()
    daemon.secrets.add(token)
    assert status(daemon, path="/api/state", token=token) == 200


def test_one_that_others_can_read(start, tmp_path):
    write_private(tmp_path / "token", TOKEN)
    (tmp_path / "token").chmod(0o644)
    daemon = start(admin={"address": ADDRESS, "token_file": str(tmp_path / "token")})
    daemon.wait_line(r"warning: others may read \S+/token, which holds a")
    assert status(daemon, token=TOKEN) == 200


def test_tokens_of_a_community(start):
    daemon = start(communities=[{"name": "one", "api_key": "TEST-API-KEY-0001", "board_token": TOKEN}],
                   admin={"address": ADDRESS, "token": OTHER_TOKEN})
    assert status(daemon, token=TOKEN) == 200
    assert status(daemon, path="/api/status", token=TOKEN) == 403


# Who comes along


def test_a_name_that_was_made_to_lead_here(start):
    """One line, and then a number; whichever door."""
    daemon = start(admin={"address": ADDRESS})
    for _ in range(3):
        answer = ask(daemon, headers={"Host": "evil.example\x1b[2J"})
        assert answer.status == 421 and "admin.hosts" in answer.text
    host = {"Host": "evil.example"}
    assert ask_socket(f"{store_of(daemon)}.control", "GET", "/api/status", headers=host)[0] == 421
    daemon.wait_line(r"refused a request from 127\.0\.0\.1: asked for by a name.* \(evil\.example")
    lines = [line for line in daemon.lines() if "asked for by a name" in line and "127.0.0.1" in line]
    assert len(lines) == 1 and "\x1b" not in lines[0]


def test_names_that_are_ours(start):
    daemon = start(admin={"address": ADDRESS, "token": TOKEN, "hosts": ["cad.example.org"]})
    assert status(daemon, headers={"Host": "cad.example.org"}, token=TOKEN) == 200
    daemon.reload(config(admin={"address": ADDRESS, "token": TOKEN, "hosts": ["other.example.org"]}))
    assert status(daemon, headers={"Host": "cad.example.org"}, token=TOKEN) == 421
    assert status(daemon, headers={"Host": "other.example.org:8443"}, token=TOKEN) == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_by_a_proxy(start, name):
    """Where no name tells, what it says of whom it asks for does."""
    daemon = start(admin={"address": ADDRESS, "token": TOKEN})
    assert status(daemon, path="/metrics") == 200
    assert status(daemon, path="/metrics", headers={name: "192.0.2.1"}) == 401
    assert status(daemon, path="/metrics", headers={name: "192.0.2.1"}, token=TOKEN) == 200
    daemon.reload(config(admin={"address": ADDRESS}))
    assert status(daemon, path="/api/state") == 200
    assert status(daemon, path="/api/state", headers={name: "192.0.2.1"}) == 401


def test_wrong_tokens(start):
    """As wrong keys: told once, then refused for a while, from that address alone; who sends them may still send events."""
    limits = {"failed_keys": 20, "failed_keys_window": "1h"}
    daemon = start(limits=limits, admin={"address": ADDRESS, "token": TOKEN})
    assert [status(daemon, token=WRONG) for _ in range(20)] == [401] * 20
    answer = ask(daemon, token=WRONG)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) <= 3600
    assert "too many wrong tokens" in answer.text
    assert status(daemon, token=TOKEN) == 200  # somebody else, behind the same proxy
    assert status(daemon, token=TOKEN, source=OTHER_CLIENT) == 200
    assert [status(daemon, token=WRONG, source=OTHER_CLIENT) for _ in range(25)] == [401] * 25  # it is known
    assert daemon.post(event()).status == 200
    assert len([line for line in daemon.lines() if "wrong token" in line and "127.0.0.1" in line]) == 1


# What a reload changes


def test_another_token(start):
    daemon = start(admin={"address": ADDRESS, "token": TOKEN})
    assert status(daemon, token=TOKEN) == 200
    lines = daemon.reload(config(admin={"address": ADDRESS, "token": OTHER_TOKEN}))
    assert not any("restart" in line for line in lines)
    assert (status(daemon, token=TOKEN), status(daemon, token=OTHER_TOKEN)) == (401, 200)


def test_a_token_that_goes(start):
    """Who is on this machine may look then; where others reach the port, nobody may."""
    daemon = start(admin={"address": "0.0.0.0:0", "token": TOKEN})
    daemon.secrets |= {TOKEN}
    port = int(re.search(r"http://0\.0\.0\.0:(\d+)/", daemon.wait_line("the board is to be seen"))[1])
    lines = daemon.reload(config(admin={"address": ADDRESS}))
    assert any("only after a restart: admin.address" in line for line in lines)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        connection.request("GET", "/api/status")
        assert connection.getresponse().status == 401


def test_one_that_is_made_at_a_reload(start, path):
    daemon = start(store={"path": str(path)}, admin={"address": ADDRESS})
    assert status(daemon) == 200
    daemon.reload(config(store={"path": str(path)}, admin={"address": ADDRESS, "token_file": "later"}))
    token = (path.parent / "later").read_text().strip()
    assert status(daemon, path="/api/status") == 401 and status(daemon, token=token) == 200
    daemon.reload()
    assert status(daemon, token=token) == 200


@pytest.mark.parametrize("token", [False, True])
def test_what_a_terminal_at_the_start_is_told(start, token):
    daemon = start(admin={"address": ADDRESS, **({"token": TOKEN} if token else {})})
    line = daemon.wait_line(SEEN)
    assert ("with its token" in line) == token and TOKEN not in line
    wait_for(lambda: status(daemon) == 200, "the board")


def test_check_tells_mistakes(tmp_path):
    write_private(tmp_path / "c.yaml", config(admin={"address": "0.0.0.0:30121"}))
    result = subprocess.run([BINARY, "-c", tmp_path / "c.yaml", "--check"], capture_output=True, timeout=PATIENCE_S)
    assert result.returncode == 78 and b"admin.address" in result.stderr and b"token_file" in result.stderr
