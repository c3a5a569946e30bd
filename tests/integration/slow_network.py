"""A piece of network of its own that is far away: each packet takes its time, and some are lost on the way, in both directions.
Two TUN devices, one here and one there, and a thread between them. There is one where a root makes it."""

import contextlib
import fcntl
import heapq
import itertools
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time

import pytest
from network import run

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET_BYTES = 1 << 16


def tun(name):
    """A device; it is there as long as its descriptor."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class SlowNetwork:
    """.there: an address in it. .wrapper: what stands before a command that runs in it. .carried, .lost: packets so far."""

    def __init__(self, delay_s=0.2, loss=0.05, seed=5):
        if os.geteuid() or not shutil.which("ip") or not os.path.exists("/dev/net/tun"):
            pytest.skip("no network can be made here: that takes root, iproute2 and /dev/net/tun")
        self.delay_s, self.loss, self.random = delay_s, loss, random.Random(seed)
        self.cut, self.ended, self.carried, self.lost = False, False, 0, 0
        number = os.getpid() % 60_000
        self.name, self.fds, self.thread = f"far{number}", [], None
        net = f"10.{178 + number // 250 % 70}.{number % 250}"
        self.here, self.there = f"{net}.1", f"{net}.2"
        self.wrapper = ["ip", "netns", "exec", self.name]
        try:
            self.make(f"fh{number}", f"ft{number}")
        except (OSError, subprocess.CalledProcessError) as problem:
            self.close()
            pytest.skip(f"no network of its own can be made here: {getattr(problem, 'stderr', '') or problem}")
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def make(self, here, there):
        run("ip", "netns", "add", self.name)
        self.fds = [tun(here)]
        self.fds.append(tun(there))
        run("ip", "link", "set", there, "netns", self.name)
        for wrapper, device, address in ([], here, self.here), (self.wrapper, there, self.there):
            run(*wrapper, "ip", "address", "add", f"{address}/24", "dev", device)
            run(*wrapper, "ip", "link", "set", device, "up")
        run(*self.wrapper, "ip", "link", "set", "lo", "up")

    def carry(self):
        """In the order of their arrival, which is that of their time."""
        waiting, order = [], itertools.count()
        other = dict(zip(self.fds, reversed(self.fds)))
        while not self.ended:
            rest_s = max(0, waiting[0][0] - time.monotonic()) if waiting else 0.1
            for fd in select.select(self.fds, [], [], min(rest_s, 0.1))[0]:
                with contextlib.suppress(BlockingIOError):
                    packet = os.read(fd, PACKET_BYTES)
                    if not self.is_lost():
                        heapq.heappush(waiting, (time.monotonic() + self.delay_s, next(order), other[fd], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, fd, packet = heapq.heappop(waiting)
                with contextlib.suppress(OSError):  # it has no room: one more is lost
                    os.write(fd, packet)

    def is_lost(self):
        lost = self.cut or self.random.random() < self.loss
        self.lost += lost
        self.carried += not lost
        return lost

    @contextlib.contextmanager
    def partition(self):
        """No packet goes through, and nobody is told."""
        self.cut = True
        try:
            yield
        finally:
            self.cut = False

    def close(self):
        self.ended = True
        if self.thread:
            self.thread.join()
        for fd in self.fds:
            os.close(fd)
        run("ip", "netns", "del", self.name, check=False)
