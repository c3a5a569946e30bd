"""What the tests here stand on: the real daemon in a folder of its own, and clients that see every byte.

A wait is for a condition and has a bound (PATIENCE_S). How fast anything is belongs to tests/bench, not here.
"""

import contextlib
import errno
import fcntl
import functools
import http.client
import json
import os
import pty
import random
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SONORAN_PUSHD", str(REPOSITORY / "build" / "sonoran-pushd"))
PATIENCE_S = 180  # a wait ends with its condition; this is for sanitizers, two at a time, on a slow machine

KEY = "TEST-API-KEY-0000"
WRONG_KEY = "NOT-THE-KEY-9999"
PATH = "/sonorancad/event"
OTHER_CLIENT = "127.0.0.9"

READY = re.compile(r"ready on (\[[0-9a-f:.]+\]|[0-9.]+):(\d+)")
RELOADED = "configuration reloaded from|stays in force"  # the last line about a reload: it was taken, or refused
FILE_WARNING = re.compile(r"\d\d:\d\d:\d\d warn [^{]*:\d+:\d+: warning: ")
SANITIZER = re.compile(rb"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")


def signals_as_on_a_terminal():
    """In a child that signals are to end: a shell's "&" and nohup have it ignore them."""
    for one in signal.SIGINT, signal.SIGHUP:
        signal.signal(one, signal.SIG_DFL)


def wait_for(condition, what, patience_s=PATIENCE_S):
    """The first true value of condition()."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not in {patience_s} s")
        time.sleep(0.005)
    return value


def free_port():
    """Not one that connections take for themselves, so that it stays free."""
    both = socket.has_dualstack_ipv6()
    anywhere = {"family": socket.AF_INET6, "dualstack_ipv6": True} if both else {}
    while True:
        port = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("::" if both else "", port), **anywhere):
            return port


@contextlib.contextmanager
def refusing_port():
    """One that nobody listens on, and nobody else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# Configurations


def in_yaml(value):
    """A Python value as YAML, in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name}: {in_yaml(v)}" for name, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[ " + ", ".join(map(in_yaml, value)) + " ]"
    return json.dumps(value, ensure_ascii=False)


def config(**changes):
    """The tests' configuration, one setting a line. A dict changes members of a group, None takes a setting away."""
    settings = {
        "listeners": [{"name": "main", "address": "127.0.0.1:0"}],
        "communities": [{"name": "default", "api_key": KEY}],
        "log": {"level": "info", "target": "json"},
        "limits": {"failed_keys": 0},
        "store": {"path": "events.db"},  # beside this file
    }
    for name, value in changes.items():
        old = settings.get(name)
        settings[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return "".join(f"{name}: {in_yaml(value)}\n" for name, value in settings.items() if value is not None)


def write_private(file, text):
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)


# Bodies


def event(type_="EVENT_REMOVE_911", data=None, key=KEY, **top):
    return {"key": key, "type": type_, "data": {"callIds": [90417]} if data is None else data, **top}


def call911(call_id=90417, **call):
    return event("EVENT_911", {"call": {"callId": call_id, **call}})


def as_bytes(body):
    if isinstance(body, dict):
        body = json.dumps(body)
    return body.encode() if isinstance(body, str) else body


def request(body=b"", method="POST", path=PATH, headers=(), length=None, version="HTTP/1.1"):
    """A request, to be sent as it is. length: other than the body's; False: not announced."""
    body = as_bytes(body)
    lines = [f"{method} {path} {version}", "Host: test", *headers]
    if length is not False and method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*chunks, extension="", trailers=(), headers=(), path=PATH):
    """A request whose body comes in the given chunks."""
    parts = [f"{len(c):x}{extension}\r\n".encode() + c + b"\r\n" for c in map(as_bytes, chunks)]
    end = "\r\n".join(["0" + extension, *trailers, "", ""]).encode()
    return request(length=False, path=path, headers=["Transfer-Encoding: chunked", *headers]) + b"".join(parts) + end


# Clients


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    text: str


class RawClient:
    """A connection on which a test decides about each byte."""

    def __init__(self, address, source=None):
        self.socket = socket.create_connection(address, PATIENCE_S, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.incoming.close()
        self.socket.close()

    def send(self, data):
        """False when the other side has closed."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            return False
        return True

    def half_close(self):
        with contextlib.suppress(OSError):  # the other side was faster
            self.socket.shutdown(socket.SHUT_WR)

    def drop(self):
        """Closes with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def answer(self, head=False):
        """The next answer. An end before it is a ConnectionError."""
        line = self.incoming.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError(f"closed after {line!r}")
        status = int(line.split()[1])
        headers = http.client.parse_headers(self.incoming)
        size = 0 if head or status < 200 else int(headers["Content-Length"])
        return Answer(status, headers, self.incoming.read(size).decode())

    def ask(self, data, head=False):
        self.send(data)
        return self.answer(head)

    def rest(self):
        """What comes until the other side closes; it has to close."""
        try:
            return self.incoming.read()
        except ConnectionError:
            return b""

    def drip(self, data, interval_s=0.1):
        """A byte of data in each interval, until the other side closes. False when it never did."""
        self.socket.settimeout(interval_s)
        for byte in data:
            if not self.send(bytes([byte])):
                return True
            with contextlib.suppress(TimeoutError):
                try:
                    if not self.socket.recv(4096):
                        return True
                except ConnectionError:
                    return True
        return False


# The daemon


PIPE, LARGE_PIPE = 1 << 16, 1 << 20  # the usual size, and the largest one


class Output(threading.Thread):
    """Reads all that a descriptor ever gives. paused: lets the pipe fill up; close() closes our side of it.

    Until it is paused a pipe is large: whoever ends does not wait long for us, and we may be slow."""

    def __init__(self, fd):
        super().__init__(daemon=True)
        self.fd = fd
        self.bytes = bytearray()
        self._paused = self.closed = False
        self.resize(LARGE_PIPE)
        self.start()

    def resize(self, size):
        """False: more is in it."""
        try:
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, size)
        except OSError as problem:  # others: no pipe, or none that may be large
            return problem.errno != errno.EBUSY
        return True

    @property
    def paused(self):
        return self._paused

    @paused.setter
    def paused(self, paused):
        if paused:
            wait_for(lambda: self.resize(PIPE), "room in the pipe")
        self._paused = paused

    def run(self):
        while not self.closed:
            if self.paused:
                time.sleep(0.01)
            elif select.select([self.fd], [], [], 0.05)[0]:
                try:
                    chunk = os.read(self.fd, 1 << 16)
                except OSError:  # a terminal whose other side is gone
                    break
                if not chunk:
                    break
                self.bytes += chunk
        os.close(self.fd)

    def close(self):
        self.closed = True
        self.join()

    def lines(self):
        """Whole lines only."""
        return bytes(self.bytes).decode("utf-8", "surrogateescape").split("\n")[:-1]


class Daemon:
    """A running sonoran-pushd with the given configuration. files: beside it. terminal: its stderr is one.
    wrapper: a command in front of it that becomes it."""

    def __init__(self, folder, text, files=None, env=None, terminal=False, wrapper=(), close_fds=True, binary=BINARY):
        folder.mkdir()
        for name, content in (files or {}).items():
            write_private(folder / name, content)
        self.file = folder / "pushd.yaml"
        self.configure(text)
        out, err = os.pipe(), pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [*wrapper, binary, "-c", self.file],
            stdin=subprocess.DEVNULL,
            stdout=out[1],
            stderr=err[1],
            env={**os.environ, **(env or {})},
            close_fds=close_fds,
        )
        os.close(out[1])
        os.close(err[1])
        self.stdout, self.stderr = Output(out[0]), Output(err[0])
        self.secrets = {KEY, WRONG_KEY}
        self.exit_status = 0  # what it has to end with

    def configure(self, text):
        write_private(self.file, text)

    # What it says

    def lines(self):
        return self.stderr.lines()

    def records(self):
        """Warnings about the file come before it is known how lines are to be written."""
        return [json.loads(line) for line in self.lines() if not FILE_WARNING.match(line)]

    def events(self):
        """The records that tell of events, in their order."""
        return [record for record in self.records() if "event_id" in record]

    def find_line(self, pattern, since=0):
        """The first line, from number since on, in which the pattern is found."""
        pattern = re.compile(pattern)
        return next((line for line in self.lines()[since:] if pattern.search(line)), None)

    def wait_line(self, pattern, since=0, patience_s=PATIENCE_S):
        return wait_for(lambda: self.find_line(pattern, since), f"a line with {pattern!r}", patience_s)

    def wait_ready(self, listeners=1):
        wait_for(lambda: self.process.poll() is not None or len(self.ready()) >= listeners, "ready")
        assert self.process.poll() is None, f"ended with {self.process.returncode} at its start:\n{self.tail()}"
        return self

    def ready(self):
        """(host, port) of each listener, as it told them."""
        return [(host, int(port)) for host, port in READY.findall("\n".join(self.lines()))]

    def tail(self):
        return "\n".join(self.lines()[-20:])

    # What it is told

    @functools.cached_property
    def address(self):
        """Of the first one it told of."""
        return "127.0.0.1", self.ready()[0][1]

    def connect(self, source=None):
        return RawClient(self.address, source)

    def ask(self, method, path=PATH, body=None, headers=None, source=None):
        """One request on a connection of its own."""
        local = (source, 0) if source else None
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE_S, source_address=local)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def post(self, body, path=PATH, headers=None, source=None):
        return self.ask("POST", path, as_bytes(body), headers, source)

    def serves(self, source=OTHER_CLIENT):
        """Does a client who does everything right get its 200?"""
        return self.post(event(), source=source).status == 200

    def serves_again(self, source=OTHER_CLIENT):
        """The same, as soon as limits that were reached are not any more."""

        def served():
            with contextlib.suppress(ConnectionError, http.client.HTTPException):
                return self.serves(source)

        return wait_for(served, f"service for {source}")

    # Its life

    def reload(self, text=None):
        """Returns the lines it wrote about it."""
        if text is not None:
            self.configure(text)
        since = len(self.lines())
        self.process.send_signal(signal.SIGHUP)
        self.wait_line(RELOADED, since)
        return self.lines()[since:]

    @contextlib.contextmanager
    def stopped(self):
        """Not scheduled in between, so that everything sent meanwhile is there in the same instant."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self, signal_=signal.SIGTERM):
        """Ends it; after that its output is complete."""
        if self.process.poll() is None:
            self.process.send_signal(signal_)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not end in {PATIENCE_S} s:\n{self.tail()}") from None
        self.stdout.join()
        self.stderr.join()
        return self

    def finish(self):
        """The end of each test: a clean exit, no report of a sanitizer, no key in anything it ever wrote."""
        try:
            self.stop()
        finally:
            self.process.kill()
        output = bytes(self.stdout.bytes + self.stderr.bytes)
        assert not SANITIZER.search(output), output.decode(errors="replace")
        assert self.process.returncode == self.exit_status, f"ended with {self.process.returncode}:\n{self.tail()}"
        assert_no_secret(output, self.secrets)


def assert_no_secret(output, secrets=(KEY, WRONG_KEY)):
    for secret in secrets:
        at = output.lower().find(secret.lower().encode())
        assert at < 0, f"a key is in the output: {output[max(0, at - 200) : at + 100]!r}"


def run(*args, env=None):
    """Runs the program to its end. Its output is in .stdout, .stderr and, both, .output."""
    result = subprocess.run(
        [BINARY, *map(str, args)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        env={**os.environ, **(env or {})},
    )
    assert not SANITIZER.search(result.stderr), result.stderr.decode(errors="replace")
    assert_no_secret(result.stdout + result.stderr)
    result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
    result.output = result.stdout + result.stderr
    return result
