"""Every call on a path fails once in turn: the paths, and what holds of each of them afterwards.

A path is what a source, an action or a door of the daemon does for one event or question. In CI some of its calls fail,
evenly spread; with TORTURE=all in the environment each of them does, in each way that it can."""

import contextlib
import http.client
import itertools
import os
import re
from pathlib import Path

from harness import Daemon, call911, config, wait_for
from store import kill, read

CALL_ID = re.compile(r'"callId": ?(\d+)')
ALL = os.environ.get("TORTURE") == "all"
LOG_DESCRIPTORS = 32
SAMPLE = 14  # calls of a path that fail in CI
MOST = 20_000  # calls of one thing that is done


def attempt(ask):
    """Its answer; None: the connection ended without one."""
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        return ask()


def some_of(faults, step):
    """Which calls of it fail in CI: evenly spread."""
    faults.fail(MOST)
    step()
    faults.end()
    count = faults.n_calls()
    assert 0 < count < MOST
    return [i * count // SAMPLE for i in range(SAMPLE)] if count > SAMPLE else range(count)


class Torture:
    """of(step): step() with one of its calls failing after the other. settled(): waits until all is as before."""

    def __init__(self, faults, settled, tail=str):
        """tail(): what the daemon said last."""
        self.faults, self.settled, self.tail, self.hits = faults, settled, tail, []

    def of(self, step):
        self.settled()
        if ALL:
            for turn in range(self.faults.ways):
                n = 0
                while self.once(step, n, turn):
                    n += 1
                    assert n < MOST, "it has no end"
            return
        for turn, n in enumerate(some_of(self.faults, step)):
            self.settled()
            self.once(step, n, turn)
        self.settled()

    def once(self, step, n, turn):
        """Whether one failed."""
        hit = ""
        try:
            self.faults.fail(n, turn)
            step()
            hit = self.faults.end()
            self.settled()
        except Exception as problem:
            raise AssertionError(f"call {n}, way {turn}: {hit or self.faults.end()}\n{self.tail()}") from problem
        self.hits += [hit] if hit else []
        return bool(hit)


def descriptors(daemon):
    """Without those of the log: SQLite may not close one while others hold a lock on the file (sqlite.org, lockingv3.html),
    keeps it for whoever opens that next, and a stat() that failed makes it one more."""
    folder, n, n_log = Path(f"/proc/{daemon.process.pid}/fd"), 0, 0
    for descriptor in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            is_log = os.readlink(descriptor).endswith("/events.db")
            n, n_log = n + (not is_log), n_log + is_log
    assert n_log < LOG_DESCRIPTORS
    return n


class Ledger:
    """What a daemon answered 200, and that it is in the log."""

    def __init__(self, daemon):
        self.daemon, self.numbers, self.good = daemon, itertools.count(1), set()
        self.file = daemon.file.with_name("events.db")

    def body(self, **members):
        self.number = next(self.numbers)
        return call911(self.number, **members)

    def post(self, **members):
        """None: there was no answer."""
        body = self.body(**members)
        return self.judge(attempt(lambda: self.daemon.post(body)))

    def judge(self, answer):
        assert answer is None or answer.status in (200, 408, 500, 503), answer
        if answer and answer.status == 200:
            self.good.add(self.number)
        return answer

    def post_until_good(self):
        wait_for(lambda: (answer := self.post()) and answer.status == 200, "an answer 200")

    def stored(self):
        rows = read(self.file, "SELECT data FROM events ORDER BY id")
        return [int(found[1]) for (data,) in rows if (found := CALL_ID.search(data))]

    def assert_nothing_lost(self):
        stored = self.stored()
        assert self.good <= set(stored), f"answered 200, and not there: {sorted(self.good - set(stored))[:10]}"
        assert len(stored) == len(set(stored)), "an event is there twice"

    def assert_nothing_lost_by_a_kill(self):
        """Not now, and not after the process died, and another daemon began with what is left."""
        self.assert_nothing_lost()
        folder = self.daemon.file.parent
        kill(self.daemon)
        self.assert_nothing_lost()
        again = Daemon(folder / "again", config(store={"path": str(self.file)}))
        try:
            again.wait_ready()
            assert again.serves()
        finally:
            again.finish()
        self.assert_nothing_lost()
