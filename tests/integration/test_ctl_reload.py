"""sonoran-pushctl reload: the new configuration is in force when it succeeds, and secrets that only root may read
reach a daemon that may not."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ctl_tools import CTL, ctl
from harness import KEY, PATIENCE_S, RELOADED, Daemon, assert_no_secret, config, event, write_private

BAD_CONFIG = 78
NOBODY = 65534
NEW_KEY, NEWEST_KEY = "Another-key-5678", "Third-key-9012"
SECRETS = (KEY, NEW_KEY, NEWEST_KEY)
FILE_COMMUNITY = [{"name": "default", "api_key_file": "api-key"}]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes users")


def reload(daemon, *args):
    """What the daemon says of it is there when it returns, and is not taken for the end of another reload."""
    since = len(daemon.lines())
    result = ctl("-c", daemon.file, "reload", *args)
    assert_no_secret((result.stdout + result.stderr).encode(), SECRETS)
    if result.returncode == 0 or "stays in force" in result.stderr:
        daemon.wait_line(RELOADED, since)
    return result


def status_of(daemon, key):
    return daemon.post(event(key=key)).status


@pytest.fixture
def daemon(start):
    daemon = start()
    daemon.secrets.update(SECRETS)
    return daemon


def test_reload(daemon):
    daemon.configure(config(communities=[{"name": "renamed", "api_key": NEW_KEY}]))
    result = reload(daemon)
    assert (result.returncode, result.stderr) == (0, "")
    assert "in force" in result.stdout
    assert [status_of(daemon, key) for key in (KEY, NEW_KEY)] == [400, 200]


def test_refused(daemon):
    """Every mistake, on stderr; nothing changes."""
    daemon.configure(f"communities: [ {{ api_key: {NEW_KEY} }} ]\npaths: [ no-slash ]\nbodyy: 1\n"
                     "store: { path: events.db }\n")
    result = reload(daemon)
    assert (result.returncode, result.stdout) == (BAD_CONFIG, "")
    lines = result.stderr.splitlines()
    assert all(line.startswith("sonoran-pushctl: ") for line in lines) and len(lines) == 3
    assert f"{daemon.file}:2:10: paths[0]" in lines[0] and f"{daemon.file}:3:1: bodyy" in lines[1]
    assert "the old one stays in force" in lines[2]
    assert [status_of(daemon, key) for key in (KEY, NEW_KEY)] == [200, 400]
    daemon.wait_line("bodyy")


@pytest.mark.parametrize("text", ["communities: [", "", "\0"], ids=["cut", "empty", "binary"])
def test_syntax(daemon, text):
    """What is no configuration at all is the daemon's to refuse too, where its event log can be guessed."""
    daemon.configure(text)
    result = ctl("-c", daemon.file, "reload", "--store", daemon.file.parent / "events.db")
    assert result.returncode == BAD_CONFIG and str(daemon.file) in result.stderr
    assert status_of(daemon, KEY) == 200


def test_warnings(daemon):
    daemon.configure(config(store={"path": "another.db"}, communities=[{"name": "x", "api_key": f"'{NEW_KEY}'"}]))
    result = reload(daemon)
    assert result.returncode == 1 and "a changed store.path takes a restart" in result.stderr
    result = reload(daemon, "--store", daemon.file.parent / "events.db")
    assert result.returncode == 0 and "after a restart: store.path" in result.stderr
    assert "warning: communities[0].api_key: the key has a quote" in result.stderr


def test_status_tells_the_mistake(daemon):
    """Not the warning before it."""
    daemon.configure(config(communities=[{"name": "x", "api_key": f"'{NEW_KEY}'"}], paths=["no-slash"]))
    assert reload(daemon).returncode == BAD_CONFIG
    told = ctl("-c", daemon.file, "status", "--json", "--store", daemon.file.parent / "events.db").stdout
    assert "no-slash" in json.dumps(json.loads(told)["reload_refused"])


def test_json(daemon):
    result = reload(daemon, "--json")
    assert (result.returncode, result.stdout) == (0, '{"reloaded":true,"lines":[]}\n')
    daemon.configure("bodyy = 1")
    result = ctl("-c", daemon.file, "reload", "--json", "--store", daemon.file.parent / "events.db")
    assert result.returncode == BAD_CONFIG and result.stdout.startswith('{"reloaded":false,"lines":["')


def test_another_file(daemon, tmp_path):
    other = tmp_path / "other.yaml"
    write_private(other, config(store={"path": str(daemon.file.parent / "events.db")}))
    result = ctl("-c", other, "reload")
    assert result.returncode == 1 and f"-c {daemon.file} reload" in result.stderr


def test_no_daemon(daemon):
    daemon.stop()
    result = reload(daemon)
    assert result.returncode == 1 and "no daemon is running" in result.stderr


def test_key_file(start):
    daemon = start(communities=FILE_COMMUNITY, files={"api-key": KEY})
    daemon.secrets.update(SECRETS)
    write_private(daemon.file.parent / "api-key", NEW_KEY)
    assert reload(daemon).returncode == 0
    assert [status_of(daemon, key) for key in (KEY, NEW_KEY)] == [400, 200]
    write_private(daemon.file.parent / "api-key", NEWEST_KEY)
    daemon.reload()  # what was handed over does not stand in the way of the file
    assert [status_of(daemon, key) for key in (NEW_KEY, NEWEST_KEY)] == [400, 200]


def test_key_file_deleted(start):
    """What was handed over is not known any more when the next reload hands over nothing."""
    daemon = start(communities=FILE_COMMUNITY, files={"api-key": KEY})
    assert reload(daemon).returncode == 0
    (daemon.file.parent / "api-key").unlink()
    result = reload(daemon)
    assert result.returncode == BAD_CONFIG and "no such file" in result.stderr
    assert status_of(daemon, KEY) == 200  # the old configuration stays in force
    daemon.configure(config())
    assert reload(daemon).returncode == 0
    daemon.configure(config(communities=FILE_COMMUNITY))
    assert any("no such file" in line for line in daemon.reload())


# A daemon that may not read the files, as under systemd


class Service:
    """Its folder, with secrets/ for root alone, and what systemd handed over at the start."""

    def __init__(self, folder):
        self.folder = folder
        self.secrets = folder / "daemon" / "secrets"
        self.credentials = folder / "credentials"
        self.credentials.mkdir()
        self.store = folder / "state"
        self.store.mkdir()
        os.chown(self.store, NOBODY, NOBODY)
        self.daemon = None

    def write(self, folder, name, key):
        folder.mkdir(mode=0o700, exist_ok=True)
        write_private(folder / name, key)
        if folder == self.credentials:
            folder.chmod(0o755)
            os.chown(folder / name, NOBODY, NOBODY)

    def start(self):
        if self.daemon:
            self.daemon.finish()
            shutil.rmtree(self.folder / "daemon")
        text = config(communities=FILE_COMMUNITY, store={"path": str(self.store / "events.db")})
        wrapper = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "sh", "-c"]
        wrapper += ['until test -r "$2"; do :; done; exec "$0" "$@"']  # the file is made readable below
        env = {"CREDENTIALS_DIRECTORY": str(self.credentials)}
        self.daemon = Daemon(self.folder / "daemon", text, env=env, wrapper=wrapper)
        self.daemon.secrets.update(SECRETS)
        self.daemon.file.chmod(0o644)
        self.daemon.wait_ready()
        return self.daemon


@pytest.fixture
def service():
    folder = Path(tempfile.mkdtemp(prefix="sonoran-pushd-reload."))
    folder.chmod(0o755)
    service = Service(folder)
    try:
        yield service
        service.daemon.finish()
    finally:
        shutil.rmtree(folder)


@needs_root
def test_secret_handed_over(service):
    service.write(service.credentials, "secrets_api-key", KEY)
    daemon = service.start()
    service.write(service.secrets, "api-key", NEW_KEY + "\n")
    assert daemon.reload() and status_of(daemon, KEY) == 200  # it cannot know yet
    result = reload(daemon)
    assert (result.returncode, result.stderr) == (0, "")
    assert [status_of(daemon, key) for key in (KEY, NEW_KEY)] == [400, 200]

    daemon.reload()  # knows it still
    assert status_of(daemon, NEW_KEY) == 200
    service.write(service.secrets, "api-key", NEWEST_KEY)
    assert reload(daemon).returncode == 0
    assert [status_of(daemon, key) for key in (NEW_KEY, NEWEST_KEY)] == [400, 200]

    service.write(service.secrets, "api-key", "two\nlines")
    result = reload(daemon)
    assert result.returncode == BAD_CONFIG and "one line" in result.stderr
    daemon.reload()  # what was refused is forgotten
    assert status_of(daemon, NEWEST_KEY) == 200

    daemon = service.start()  # with the credential of its start
    assert status_of(daemon, KEY) == 200


@needs_root
def test_several_files_handed_over(service):
    """The keys of one community, while the panel changes it."""
    service.write(service.credentials, "secrets_api-key", KEY)
    daemon = service.start()
    service.write(service.secrets, "api-key", KEY)
    service.write(service.secrets, "next-key", NEW_KEY)
    communities = [{"name": "default", "api_key_file": ["next-key", "api-key"]}]
    daemon.file.write_text(config(communities=communities, store={"path": str(service.store / "events.db")}))
    assert reload(daemon).returncode == 0
    assert [status_of(daemon, key) for key in (KEY, NEW_KEY)] == [200, 200]


@needs_root
def test_secret_added(service):
    """A new community's key comes without a restart; before it is there, the message says where it belongs."""
    service.write(service.credentials, "secrets_api-key", KEY)
    daemon = service.start()
    service.write(service.secrets, "api-key", KEY)
    communities = [*FILE_COMMUNITY, {"name": "second", "api_key_file": "city/key"}]
    daemon.file.write_text(config(communities=communities, store={"path": str(service.store / "events.db")}))
    result = reload(daemon)
    assert result.returncode == BAD_CONFIG
    assert f"put the key into {service.secrets}/city/key, then " in result.stderr
    service.write(service.secrets / "city", "key", NEW_KEY)
    assert reload(daemon).returncode == 0
    assert [status_of(daemon, key) for key in (KEY, NEW_KEY)] == [200, 200]


@needs_root
@pytest.mark.parametrize("what", ["link", "other owner", "configuration", "upwards"])
def test_files_that_are_not_handed_over(service, what):
    """Root reads nothing for the daemon that a person without its rights could have put there."""
    service.write(service.credentials, "secrets_api-key", KEY)
    daemon = service.start()
    write_private(service.folder / "key", NEW_KEY)
    service.secrets.mkdir(mode=0o700)
    if what == "link":
        (service.secrets / "api-key").symlink_to("../../key")
        assert "is a link" in reload(daemon).stderr
    elif what == "other owner":
        write_private(service.secrets / "api-key", NEW_KEY)
        os.chown(service.secrets / "api-key", NOBODY, NOBODY)
        result = reload(daemon)
        assert result.returncode == BAD_CONFIG and f"chown root {service.secrets}/api-key" in result.stderr
    elif what == "configuration":
        write_private(service.secrets / "api-key", NEW_KEY)
        os.chown(daemon.file, NOBODY, NOBODY)
        result = reload(daemon)
        assert result.returncode == 0 and "is not root's" in result.stderr
    else:
        communities = [{"name": "default", "api_key_file": "../key"}]
        daemon.file.write_text(config(communities=communities, store={"path": str(service.store / "events.db")}))
        assert reload(daemon).returncode == BAD_CONFIG
    assert [status_of(daemon, key) for key in (KEY, NEW_KEY)] == [200, 400]


# Who else may speak on the socket

SPEAK = """
import http.client, os, socket, sys
os.setuid(int(sys.argv[2]))
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(sys.argv[1])
connection.request("POST", "/api/reload", sys.stdin.buffer.read(), {"Content-Type": "application/octet-stream"})
print(connection.getresponse().read().decode())
"""


def speak(daemon, data, user=NOBODY):
    path = daemon.file.parent / "events.db.control"
    with contextlib.chdir(path.parent):  # a short name
        return subprocess.run(
            [sys.executable, "-c", SPEAK, path.name, str(user)], input=data, capture_output=True, check=True
        ).stdout


@needs_root
def test_others_hand_over_nothing(start):
    """They may ask for a reload if the socket's permissions let them, but bring no secrets."""
    daemon = start(communities=FILE_COMMUNITY, files={"api-key": KEY})
    daemon.secrets.update(SECRETS)
    folder = daemon.file.parent
    for path in (folder, *folder.parents):
        if path.stat().st_uid == 0 and path != Path("/") and "pytest" in str(path):
            path.chmod(path.stat().st_mode | 0o711)
    (folder / "events.db.control").chmod(0o666)
    secrets = f"api-key\0{NEW_KEY}\0".encode()
    (folder / "api-key").unlink()
    said = speak(daemon, secrets)
    assert b"root" in said and b"error" in said
    assert_no_secret(said, SECRETS)
    assert status_of(daemon, KEY) == 200
    said = speak(daemon, secrets, user=0)
    assert b'"reloaded":true' in said
    assert status_of(daemon, NEW_KEY) == 200
    assert b'"reloaded":true' in speak(daemon, b"")


@pytest.mark.parametrize(
    "data",
    [b"Content-Length: 100\r\n\r\nabc", b"Content-Length: 99999999999999999999\r\n\r\n", b"Content-Length: 3\r\n\r\nabc",
     b"Content-Length: 4\r\n\r\n\0a\0b", b"Content-Length: 1073741824\r\n\r\nabc"],
    ids=["cut", "huge", "no pairs", "no name", "a gigabyte"],
)
def test_nonsense(daemon, data):
    with socket.socket(socket.AF_UNIX) as client, contextlib.chdir(daemon.file.parent):
        client.connect("events.db.control")
        client.sendall(b"POST /api/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n" + data)
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            said = client.makefile().read()
            assert '"reloaded":true' not in said
    assert reload(daemon).returncode == 0
    assert status_of(daemon, KEY) == 200


def test_stop_while_somebody_waits(daemon):
    """The end is not held up by a reload that was asked for and has not begun."""
    with daemon.stopped():
        command = [CTL, "-c", daemon.file, "reload"]
        clients = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
        daemon.process.send_signal(signal.SIGTERM)
    daemon.stop()
    for client in clients:
        client.communicate(timeout=PATIENCE_S)
