"""Those who watch and mean harm, or know no better: events and other viewers are none the worse for it, and nothing is
left of them."""

import contextlib
import os
import random
import re
import socket
import threading
import time
from pathlib import Path

from ctl_tools import ctl, status_of, store_of
from disk import sanitizer_runtime
from harness import PATIENCE_S, call911, wait_for
from store import array_of, kill
from streams import GONE, Stream

ASK = b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
SILENT_KIB = 24  # of each silent stream; a sanitizer's own memory comes on top of the 16 KiB that there may be
LAST_CHUNK = b"\r\n0\r\n\r\n"


class Viewer:
    """A connection that has asked for the stream, and what it has read of it."""

    def __init__(self, daemon, ask=ASK):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{store_of(daemon)}.control")
        self.socket.settimeout(PATIENCE_S)
        self.read = b""
        self.socket.sendall(ask)

    def until(self, part):
        """False: it ended before."""
        while part not in self.read:
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                return False
            self.read += more
        return True

    def status(self):
        """None: it got no answer."""
        return int(self.read.split()[1]) if self.until(b"\r\n\r\n") else None

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def viewers(daemon, n, ask=ASK):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(Viewer(daemon, ask))) for _ in range(n)]


def allowing(start, n):
    return start(admin={"streams": n, "streams_per_ip": n})


def sockets(daemon):
    """How many it has open."""
    n = 0
    for fd in Path(f"/proc/{daemon.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            n += os.readlink(fd).startswith("socket:")
    return n


def rss_kib(daemon):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{daemon.process.pid}/status").read_text())[1])


@contextlib.contextmanager
def posting(daemon):
    """Somebody who sends events all the time. All of them are answered with 200."""
    statuses, done = [], threading.Event()

    def post():
        while not done.is_set() or not statuses:
            statuses.append(daemon.post(call911(len(statuses))).status)

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield statuses
    finally:
        done.set()
        thread.join()
    assert set(statuses) == {200}


def test_a_thousand(start):
    """Those who were first stay; the others are told, or let go, and whoever asks something else has room."""
    daemon = allowing(start, 100)
    with viewers(daemon, 100) as first:
        assert [viewer.status() for viewer in first] == [200] * 100
        with viewers(daemon, 900) as rest, posting(daemon):
            assert status_of(daemon)["version"]
            assert {viewer.status() for viewer in rest} <= {503, None}
            assert status_of(daemon)["version"]
        assert daemon.post(call911(4711)).status == 200
        assert all(viewer.until(b"4711") for viewer in first)
    with viewers(daemon, 100) as again:
        wait_for(lambda: all(viewer.status() == 200 for viewer in again), "places")


def test_each_costs_little(start):
    daemon, n = allowing(start, 500), 500
    with viewers(daemon, 10) as some:
        assert all(viewer.until(b"event: hello") for viewer in some)
    before = rss_kib(daemon)
    with viewers(daemon, n) as silent:
        assert all(viewer.until(b"event: hello") for viewer in silent)
        if not sanitizer_runtime():
            assert (rss_kib(daemon) - before) / n < SILENT_KIB


def test_opened_and_dropped(daemon):
    """At every moment of their life."""
    chance = random.Random(7)
    assert daemon.post(array_of(50)).status == 200
    assert ctl("status", "--store", store_of(daemon)).returncode == 0
    before = sockets(daemon)
    with posting(daemon):
        for _ in range(1500):
            ask = ASK[: chance.choice((0, 10, len(ASK), len(ASK), len(ASK)))]
            with contextlib.closing(Viewer(daemon, ask)) as viewer:
                if ask == ASK and chance.random() < 0.5 and viewer.socket.recv(chance.choice((1, 100, 5000))):
                    viewer.socket.shutdown(socket.SHUT_WR)
    wait_for(lambda: sockets(daemon) <= before, "their end")
    with viewers(daemon, 8) as again:  # as many as one may have
        assert [viewer.status() for viewer in again] == [200] * 8


def test_slow_ones(start):
    """Each holds what is on its way to it, however much there is to come; none misses anything."""
    daemon, n = allowing(start, 40), 20
    with contextlib.ExitStack() as stack:
        quick = stack.enter_context(Stream(daemon))
        slow = [stack.enter_context(Stream(daemon, data=1)) for _ in range(n)]
        before = rss_kib(daemon)
        for first in range(0, 600, 20):
            assert daemon.post(array_of(20, first, x="x" * 20_000)).status == 200
        assert [record["id"] for record in quick.lines(600)] == list(range(1, 601))
        if not sanitizer_runtime():  # which keeps what was freed
            assert rss_kib(daemon) - before < 30_000  # all of it is 12 MB for each of them
        for stream in slow[:3]:
            assert [record["id"] for record in stream.lines(600)] == list(range(1, 601))


def test_the_end_is_no_cut(start):
    daemon = allowing(start, 100)
    with viewers(daemon, 100) as open_:
        assert all(viewer.until(b"event: hello") for viewer in open_)
        daemon.stop()
        assert all(viewer.until(LAST_CHUNK) for viewer in open_)


class Follower(threading.Thread):
    """Comes again behind the last id that it has seen, until it has seen the wanted one."""

    def __init__(self, daemon_now, wanted):
        super().__init__()
        self.daemon_now, self.wanted, self.seen, self.problem = daemon_now, wanted, 0, None
        self.deadline = time.monotonic() + PATIENCE_S
        self.start()

    def run(self):
        while self.seen < self.wanted() and not self.problem and time.monotonic() < self.deadline:
            with contextlib.suppress(*GONE), Stream(self.daemon_now(), self.seen) as stream:
                while self.seen < self.wanted() and (sent := stream.next()):
                    if sent.kind == "reset" or (sent.kind == "log" and sent.id != self.seen + 1):
                        self.problem = f"after {self.seen}: {sent}"
                        return
                    self.seen = sent.id or self.seen


def test_many_over_deaths(on):
    """Whoever follows sees what was answered, once and in order, however often the daemon dies on its way."""
    n, wanted, now, followers = 0, [float("inf")], [None], []
    for _ in range(3):
        now[0] = daemon = on(admin={"streams": 64, "streams_per_ip": 64})
        while len(followers) < 30:
            followers.append(Follower(lambda: now[0], lambda: wanted[0]))
        for _ in range(5):
            assert daemon.post(array_of(11, n)).status == 200
            n += 11
        kill(daemon)
    wanted[0] = n
    now[0] = on(admin={"streams": 64, "streams_per_ip": 64})
    for follower in followers:
        follower.join()
        assert (follower.problem, follower.seen) == (None, n)
