"""The test's side of wrong_clock.c: a wall clock, and a time since the machine came up, that a test sets."""

import struct
import time

import pytest
from disk import SHIM, sanitizer_runtime
from harness import PATIENCE_S

WRONG_CLOCK = SHIM.with_name("wrong_clock.so")


class Clock:
    """env is for the daemons that have it."""

    def __init__(self, folder):
        if not WRONG_CLOCK.exists():
            pytest.skip(f"{WRONG_CLOCK} is not built")
        self.file, self.flown_s = folder / "clock", 0
        self.file.write_bytes(bytes(24))
        self.env = {"LD_PRELOAD": ":".join([*sanitizer_runtime(), str(WRONG_CLOCK)]), "WRONG_CLOCK": str(self.file)}

    def set(self, wall_s, boottime_s, waits_s):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("qqq", int(wall_s), int(boottime_s), int(waits_s)))

    def ahead(self, wall_s, boottime_s=0):
        self.set(wall_s, boottime_s, 0)

    def passes(self, seconds):
        """As after so much time; nobody's wait is shorter for it."""
        self.ahead(seconds, seconds)

    def fly_until(self, condition, what):
        """The first true value of condition(), ten times sooner: waits are shorter as well. flown_s: by how much, in all."""
        deadline = time.monotonic() + PATIENCE_S
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{what}: not in {PATIENCE_S} s"
            self.flown_s += 1
            self.set(self.flown_s, self.flown_s, self.flown_s)
            time.sleep(0.1)
        return value

    def fly_to_line(self, daemon, pattern, since=0):
        return self.fly_until(lambda: daemon.find_line(pattern, since), f"a line with {pattern!r}")
