"""strangers.py - those who besiege a port: the rows of KINDS, and a process for each that never ends.

A kind holds so many connections from so many addresses, each from the first byte it sends to whatever the daemon does
with it; what is closed is opened again. They stand behind everybody else in line for a CPU (nice 19), so that what is
measured is what they take from the daemon, not from the machine.
"""
import ctypes
import os
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PATH = "/sonorancad/event"
DRIP_EACH_S = 0.5
LIMIT_BODY_BYTES = 4 << 20
MAX_EVENTS = 4096  # in one request
OTHER_KEY = "ANOTHER-COMMUNITY-0000"


def head(length):
    return f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def post(body):
    return head(len(body)) + body


def array(kind, element):
    """As many as one request may hold."""
    return b'{"key":"%s","type":"%s","data":[%s]}' % (OTHER_KEY.encode(), kind, b",".join([element] * MAX_EVENTS))


@dataclass(frozen=True)
class Kind:
    name: str
    connections: int
    opened_each_s: int
    first: bytes = b""  # sent at once
    drip: bytes = b""  # behind it, each DRIP_EACH_S
    reads: bool = True
    again: bool = False  # sends it again when there was an answer
    resets: bool = False  # as soon as it is connected


WRONG_KEY = b'{"key":"wrong","type":"EVENT_911","data":{"call":{"callId":1,"caller":"x","location":"x"}}}'
JUNK = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(200)) + bytes(range(256)) * 8
# With the right key of another community.
STATUS = b'{"identIds":[4711],"status":3}'
CALL = b'{"call":{"callId":7,"isEmergency":true,"caller":"John Doe","location":"118 Lantern St","description":"%s"}}' % (b"smoke " * 150)

KINDS = [
    Kind("silent", 1100, 1000),
    Kind("heads that drip", 1100, 1000, head(2000)[:-2] + b"X-Any: ", drip=b"a"),
    Kind("bodies that drip", 1100, 1000, head(2000) + b"{", drip=b" "),
    Kind("4 MB but a byte", 1100, 50, head(LIMIT_BODY_BYTES) + b" " * (LIMIT_BODY_BYTES - 1)),
    Kind("wrong keys", 64, 1000, post(WRONG_KEY), again=True),
    Kind("pipelined junk", 200, 1000, JUNK),
    Kind("resets", 200, 5000, resets=True),
    Kind("reads no answer", 1100, 1000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 500, reads=False),
    Kind("many statuses", 50, 50, post(array(b"EVENT_UNIT_STATUS", STATUS)), again=True),
    Kind("4 MB of calls", 50, 50, post(array(b"EVENT_911", CALL)), again=True),
]


class Stranger:
    """One connection."""

    def __init__(self, kind, source, address):
        self.kind, self.source, self.address = kind, source, address
        self.socket = None

    def open(self):
        self.close()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.left = memoryview(self.kind.first)
        if not self.kind.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        try:
            self.socket.bind((self.source, 0))
            self.socket.connect(self.address)
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def close(self):
        if self.socket and self.kind.resets:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.socket:
            self.socket.close()
        self.socket = None

    def send(self):
        while self.left:
            self.left = self.left[self.socket.send(self.left[: 1 << 16]) :]

    def step(self):
        """Until there is nothing to do; False when it is over: the other side has ended it, or it has what it came for."""
        try:
            while True:
                self.send()
                if self.kind.resets:
                    return False
                if not self.kind.reads:
                    return True
                if not self.socket.recv(1 << 16):
                    return False
                if self.kind.again:
                    self.left = memoryview(self.kind.first)
        except BlockingIOError:
            return True
        except OSError:
            return False

    def drip(self):
        if self.socket and self.kind.drip and not self.left:
            self.left = memoryview(self.kind.drip)


class Siege:
    def __init__(self, kind, n_addresses, address):
        self.kind, self.n_opened, self.began = kind, 0, time.monotonic()
        self.poll, self.by_fd = select.epoll(), {}
        sources = [f"127.0.{i // 250}.{i % 250 + 2}" for i in range(n_addresses)]
        self.strangers = [Stranger(kind, sources[i % n_addresses], address) for i in range(kind.connections)]
        self.closed = list(self.strangers)

    def open_some(self):
        while self.closed and self.n_opened < (time.monotonic() - self.began) * self.kind.opened_each_s:
            stranger = self.closed.pop(0)
            self.n_opened += 1
            stranger.open()
            if stranger.socket:
                self.by_fd[stranger.socket.fileno()] = stranger
                self.poll.register(stranger.socket, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
            else:
                self.closed.append(stranger)

    def step(self, fd):
        stranger = self.by_fd.get(fd)
        if stranger and not stranger.step():
            del self.by_fd[fd]
            stranger.close()
            self.closed.append(stranger)

    def run(self):
        dripped = time.monotonic()
        while True:
            self.open_some()
            for fd, _ in self.poll.poll(0.01):
                self.step(fd)
            if self.kind.drip and time.monotonic() > dripped + DRIP_EACH_S:
                dripped = time.monotonic()
                for stranger in self.strangers:
                    stranger.drip()
                for fd in list(self.by_fd):
                    self.step(fd)


def end_with(parent):
    """However that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Besiegers:
    """A process for each kind, to the end of the with block."""

    def __init__(self, kinds, n_addresses, address, nice):
        self.kinds, self.n_addresses, self.address, self.nice = kinds, n_addresses, address, nice

    def __enter__(self):
        self.pids = [self.begin(kind) for kind in self.kinds]
        return self

    def begin(self, kind):
        siege = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            end_with(siege)
            os.nice(self.nice)
            Siege(kind, self.n_addresses, self.address).run()
        finally:
            os._exit(1)

    def __exit__(self, *_):
        self.cpu_s, self.died = 0, []
        for pid, kind in zip(self.pids, self.kinds):
            os.kill(pid, signal.SIGKILL)
            _, status, used = os.wait4(pid, 0)
            self.cpu_s += used.ru_utime + used.ru_stime
            if not os.WIFSIGNALED(status):
                self.died.append(kind.name)
