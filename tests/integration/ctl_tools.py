"""What the tests of sonoran-pushctl's verbs share: the program, and a daemon's control socket that says what it is told.

The program lies beside the daemon it belongs to.
"""

import contextlib
import fcntl
import json
import os
import pty
import shutil
import socket
import struct
import subprocess
import tempfile
import termios
import threading
from pathlib import Path

from harness import BINARY, PATIENCE_S, SANITIZER, Output, assert_no_secret, config, write_private

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
    return daemon.file.parent / "events.db"


def status_of(daemon):
    """What the daemon tells of itself."""
    return json.loads(ctl("status", "--json", "--store", store_of(daemon)).stdout)


def config_for(daemon, folder, **changes):
    """A configuration file that leads to this daemon's port, but has an event log of its own."""
    host, port = daemon.address
    file = folder / "ctl.conf"
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


class Control(threading.Thread):
    """Answers lines of words; answers: {line: object or bytes}. Every other line gets an error."""

    def __init__(self, store, answers=None):
        super().__init__(daemon=True)
        self.answers = answers or {}
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{store}.control")
        self.listener.listen(8)
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rb") as lines, contextlib.suppress(OSError):
                line = lines.readline().decode().rstrip("\n")
                self.asked.append(line)
                answer = self.answers.get(line, {"error": f"not told what to say to {line}"})
                if not isinstance(answer, bytes):
                    answer = json.dumps(answer).encode() + b"\n"
                client.sendall(answer)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(PATIENCE_S)


@contextlib.contextmanager
def control(store, answers=None):
    server = Control(store, answers)
    try:
        yield server
    finally:
        server.close()
        os.unlink(f"{store}.control")

