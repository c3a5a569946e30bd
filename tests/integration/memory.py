"""The test's side of failing_memory.c: one allocation of our choice fails."""

import mmap
import os
import struct
from pathlib import Path

import harness
import pytest
from disk import sanitizer_runtime

SHIM = Path(os.environ.get("FAILING_MEMORY_SHIM", Path(harness.BINARY).parent / "tests" / "failing_memory.so"))

# Like failing_memory.c has them.
ARMED, PASSES, N_CALLS, N_HITS = 0, 8, 16, 24


class Memory:
    """env is for the daemon whose it is."""

    ways = 1

    def __init__(self, folder):
        if not SHIM.exists():
            pytest.skip(f"{SHIM} is not built")
        if sanitizer_runtime():
            pytest.skip("a sanitizer has an allocation of its own")
        self.file = folder / "memory"
        self.file.write_bytes(bytes(4096))
        with open(self.file, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 4096)
        self.env = {"LD_PRELOAD": str(SHIM), "FAILING_MEMORY": str(self.file)}

    def get(self, at):
        return struct.unpack_from("q", self.memory, at)[0]

    def n_calls(self):
        """Since fail(), as long as it has not."""
        return self.get(N_CALLS)

    def fail(self, passes, turn=0):
        """The one behind so many that succeed. Any thread's counts."""
        self.end()
        struct.pack_into("q", self.memory, PASSES, passes)
        struct.pack_into("q", self.memory, N_HITS, 0)
        struct.pack_into("q", self.memory, N_CALLS, 0)
        struct.pack_into("i", self.memory, ARMED, 1)

    def end(self):
        """What failed; an empty text: nothing did."""
        struct.pack_into("i", self.memory, ARMED, 0)
        return "allocation" if self.get(N_HITS) else ""
