"""The test's side of failing_calls.c: one system call of our choice fails, in one of the ways that it can."""

import mmap
import os
import re
import struct

import pytest
from disk import SHIM as DISK_SHIM
from disk import sanitizer_runtime

SHIM = DISK_SHIM.with_name("failing_calls.so")

# Like failing_calls.c has them.
ARMED, TURN, PASSES, N_CALLS, N_HITS, FOR_GOOD, ERROR, WANTED, HIT = 0, 4, 8, 16, 24, 32, 36, 40, 48
ROW = re.compile(r"^    ROW\((\w+), ", re.M)


class Calls:
    """env is for the program whose they are."""

    ways = 6  # the most that a call has in failing_calls.c

    names = ROW.findall(open(os.path.join(os.path.dirname(__file__), "failing_calls.c"), encoding="utf-8").read())

    def __init__(self, folder):
        if not SHIM.exists():
            pytest.skip(f"{SHIM} is not built")
        self.file = folder / "calls"
        self.file.write_bytes(bytes(4096))
        with open(self.file, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 4096)
        preloaded = [*sanitizer_runtime(), str(SHIM)]
        self.env = {"LD_PRELOAD": ":".join(preloaded), "FAILING_CALLS": str(self.file)}

    def get(self, at):
        return struct.unpack_from("q", self.memory, at)[0]

    def n_calls(self):
        """Since fail(), as long as it has not."""
        return self.get(N_CALLS)

    def fail(self, passes, turn=0, only=(), error=0, for_good=False):
        """The one behind so many that succeed, any thread's; only: of these names. for_good: all after it as well."""
        self.end()
        wanted = sum(1 << self.names.index(name) for name in only)
        for at, value in (PASSES, passes), (N_CALLS, 0), (N_HITS, 0), (WANTED, wanted):
            struct.pack_into("q", self.memory, at, value)
        for at, value in (TURN, turn), (ERROR, error), (FOR_GOOD, for_good), (ARMED, 1):
            struct.pack_into("i", self.memory, at, value)

    def hit(self):
        """What failed: "write 28 events.db-wal"; an empty text: nothing did. -1 stands for a half of it."""
        return bytes(self.memory[HIT : HIT + 128]).split(b"\0")[0].decode() if self.get(N_HITS) else ""

    def end(self):
        struct.pack_into("i", self.memory, ARMED, 0)
        return self.hit()
