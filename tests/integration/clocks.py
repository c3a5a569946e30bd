"""The test's side of wrong_clock.c: a wall clock, and a time since the machine came up, that a test sets."""

import struct

import pytest
from disk import SHIM, sanitizer_runtime

WRONG_CLOCK = SHIM.with_name("wrong_clock.so")


class Clock:
    """env is for the daemons that have it."""

    def __init__(self, folder):
        if not WRONG_CLOCK.exists():
            pytest.skip(f"{WRONG_CLOCK} is not built")
        self.file = folder / "clock"
        self.file.write_bytes(bytes(16))
        self.env = {"LD_PRELOAD": ":".join([*sanitizer_runtime(), str(WRONG_CLOCK)]), "WRONG_CLOCK": str(self.file)}

    def ahead(self, wall_s, boottime_s=0):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("qq", int(wall_s), int(boottime_s)))

    def passes(self, seconds):
        """As after so much time; nobody's wait is shorter for it."""
        self.ahead(seconds, seconds)
