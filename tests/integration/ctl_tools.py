"""What the tests of sonoran-pushctl's verbs share: the program, and a daemon's control socket that says what it is told.

The program lies beside the daemon it belongs to.
"""

import contextlib
import fcntl
import http.client
import http.server
import json
import os
import pty
import re
import shutil
import socket
import socketserver
import struct
import subprocess
import tempfile
import termios
import threading
import urllib.parse
from pathlib import Path

from harness import BINARY, PATIENCE_S, REPOSITORY, SANITIZER, Output, assert_no_secret, config, write_private

CTL = str(Path(BINARY).with_name("sonoran-pushctl"))
USAGE, NOT_RUNNING, BAD_CONFIG = 2, 3, 78


def ctl(*args, env=None, user=None, program=CTL, stdin=b""):
    result = subprocess.run(
        [program, *map(str, args)],
        input=stdin,
        capture_output=True,
        timeout=PATIENCE_S,
        env={**os.environ, **(env or {})},
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    assert not SANITIZER.search(result.stderr), result.stderr.decode(errors="replace")
    assert_no_secret(result.stdout + result.stderr)
    result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
    return result


def lines_of_terminal(columns, *args):
    """What a terminal of this width gets to see."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    output = Output(ours)
    subprocess.run([CTL, *map(str, args)], stdin=subprocess.DEVNULL, stdout=theirs, timeout=PATIENCE_S, check=False)
    os.close(theirs)
    output.join()
    return bytes(output.bytes).decode().replace("\r\n", "\n").splitlines()


def store_of(daemon):
    """As its configuration has it; a name alone is beside that."""
    stated = re.search(r'^store: .*\bpath: "([^"]+)"', daemon.file.read_text(), re.M)
    return daemon.file.parent / (stated.group(1) if stated else "events.db")


def status_of(daemon):
    """What the daemon tells of itself."""
    return json.loads(ctl("status", "--json", "--store", store_of(daemon)).stdout)


def config_for(daemon, folder, **changes):
    """A configuration file that leads to this daemon's port, but has an event log of its own."""
    host, port = daemon.address
    file = folder / "ctl.yaml"
    write_private(file, config(**{"listeners": [{"name": "main", "address": f"{host}:{port}"}], **changes}))
    return file


@contextlib.contextmanager
def short_folder():
    """The path of a socket has to be short."""
    folder = Path(tempfile.mkdtemp(prefix="ctl"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


VERSION = re.search(r"project\(\S+ VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]


def in_short(method, target):
    """GET /api/status is "status", POST /api/retry?action=siren&id=all "retry siren all"."""
    path, _, query = target.partition("?")
    return " ".join([path.removeprefix("/api/"), *(value for _, value in urllib.parse.parse_qsl(query))])


class ControlHandler(http.server.BaseHTTPRequestHandler):
    def version_string(self):
        return self.server.software

    def address_string(self):
        return "a client"

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = in_short(self.command, self.path)
        self.server.asked.append(asked)
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        answer = self.server.answers.get(asked, {"error": f"not told what to say to {asked}"})
        if answer == b"":
            return
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n"
        self.send_response(400 if b'"error"' in body else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET


class Control(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """What a daemon answers on its control socket. answers: {request in short: object or bytes}, b"": it hangs up. Every
    other request gets an error."""

    daemon_threads = True
    request_queue_size = 8

    def __init__(self, path, answers=None, software=f"sonoran-pushd/{VERSION}"):
        super().__init__(str(path), ControlHandler)
        self.answers = answers or {}
        self.asked = []
        self.software = software
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def handle_error(self, *_):
        """A client that does not wait for its answer."""

    def close(self):
        self.shutdown()
        self.thread.join(PATIENCE_S)
        self.server_close()


@contextlib.contextmanager
def control(store, answers=None, **more):
    """A control socket beside this event log."""
    server = Control(f"{store}.control", answers, **more)
    try:
        yield server
    finally:
        server.close()
        os.unlink(f"{store}.control")


class UnixConnection(http.client.HTTPConnection):
    """As curl --unix-socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


def ask_socket(path, method, target, body=None, headers=None):
    """(status, headers, object) of one request on a control socket."""
    with contextlib.closing(UnixConnection(path)) as connection:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())
