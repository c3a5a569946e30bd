"""The test's side of failing_disk.c: a disk that fails, stalls, or sees the daemon die at a call of our choice."""

import contextlib
import mmap
import os
import re
import struct
import subprocess
from pathlib import Path

import harness
import pytest

SHIM = Path(os.environ.get("FAILING_DISK_SHIM", Path(harness.BINARY).parent / "tests" / "failing_disk.so"))

# Like failing_disk.c has them.
NOTHING, DIE_BEFORE, DIE_AFTER, DIE_TORN, NO_SPACE, BROKEN, READ_ONLY, CUT, STALL = range(9)
WRITE, SYNC, TRUNCATE, UNLINK, RENAME, LINK, CREATE, READ = range(8)
DATABASE, WAL, WAL_HEAD, BESIDE = range(4)
FIELDS = ["fault", "calls", "kinds", "passes", "keep", "n_hits"]
ANY_CALL, ANY_FILE = 0b1111, 0b111  # of a daemon on its log
EVERY_CALL, EVERY_FILE = 0b1111111, 0b1111


def sanitizer_runtime():
    """A shared one of gcc has to come before everything else that is preloaded."""
    libraries = subprocess.run(["ldd", harness.BINARY], capture_output=True, text=True).stdout
    return re.findall(r"lib[at]san\S* => (\S+)", libraries)


class Disk:
    """env is for the daemons on it. One after the other may use it."""

    def __init__(self, folder):
        if not SHIM.exists():
            pytest.skip(f"{SHIM} is not built")
        self.file = folder / "disk"
        self.file.write_bytes(bytes(4096))
        with open(self.file, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 4096)
        self.env = {"LD_PRELOAD": ":".join([*sanitizer_runtime(), str(SHIM)]), "FAILING_DISK": str(self.file)}

    def get(self, field):
        return struct.unpack_from("i", self.memory, FIELDS.index(field) * 4)[0]

    def set(self, field, value):
        struct.pack_into("i", self.memory, FIELDS.index(field) * 4, value)

    def count(self, call, kind):
        """Calls so far, those that failed too."""
        return struct.unpack_from("i", self.memory, (len(FIELDS) + call * 4 + kind) * 4)[0]

    def counts(self):
        return {(call, kind): self.count(call, kind) for call in range(7) for kind in range(4)}

    def begin(self, fault, calls=ANY_CALL, kinds=ANY_FILE, passes=0):
        """calls, kinds: bits of those it is about. The first passes of them still succeed."""
        self.end()
        for field, value in ("calls", calls), ("kinds", kinds), ("passes", passes), ("n_hits", 0), ("fault", fault):
            self.set(field, value)

    def end(self):
        self.set("fault", NOTHING)

    @contextlib.contextmanager
    def failing(self, fault, calls=ANY_CALL, kinds=ANY_FILE):
        self.begin(fault, calls, kinds)
        try:
            yield
        finally:
            self.end()
