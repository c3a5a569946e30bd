"""The write-ahead log: bounded by max_size, told of when another program keeps it from shrinking.

A reload makes the daemon look at it at once."""

import contextlib
import json
import os

from ctl_tools import ctl
from disk import BROKEN, DATABASE, SYNC
from harness import wait_for
from store import Sent, assert_all_there, call_ids, end_all, reading, under_load

HELD = "5c1f0a5be1f44d0f9c2b1f6d3a7e4b21"
MIB = 1 << 20


def wal_bytes(path):
    with contextlib.suppress(FileNotFoundError):
        return os.path.getsize(f"{path}-wal")
    return 0


def post(daemon, sent, n):
    for _ in range(n):
        assert sent.post(daemon) == 200


def told(daemon):
    return [r["message"] for r in daemon.records() if r.get("message_id") == HELD]


def status(daemon):
    return json.loads(ctl("-c", daemon.file, "status", "--json").stdout)["store"]


def test_bounded(on, path):
    """A small max_size gets a small WAL, of 16 pages or a few times that on a slow machine; together they keep to it."""
    daemon, sent = on(store={"max_size": "1M"}), Sent(size=2, padding=4000)
    for i in range(200):
        assert sent.post(daemon) == 200
        if i % 40 == 39:
            daemon.reload()  # old events go now, in many steps
        assert wal_bytes(path) < MIB // 2
    wait_for(lambda: daemon.reload() and os.path.getsize(path) + wal_bytes(path) <= MIB, "room")
    daemon.stop()
    assert len(call_ids(path)) > 100


def test_held(on, path, clock):
    """By a program that reads without an end: told with its name, and not answered with the loss of events. When it
    has ended the files are cut, though nothing more comes."""
    daemon, sent = on(store={"max_size": "1M"}, env=clock.env), Sent(size=5, padding=4000)
    post(daemon, sent, 2)
    with reading(path):
        post(daemon, sent, 50)
        wait_for(lambda: daemon.reload() and status(daemon)["wal_bytes"] > MIB, "a look at it")
        assert told(daemon) == [] and "held_by" not in status(daemon)
        clock.passes(61)
        daemon.reload()
        daemon.wait_line(HELD)
        [message] = told(daemon)
        assert f"process {os.getpid()})" in message and "only grows" in message
        assert f"process {os.getpid()})" in wait_for(lambda: status(daemon).get("held_by"), "its name")
        assert len(call_ids(path)) == 260, "deletions make it larger still"
    wait_for(lambda: daemon.reload() and os.path.getsize(path) + wal_bytes(path) <= MIB, "room")
    wait_for(lambda: "held_by" not in status(daemon), "the end of it")
    assert len(told(daemon)) == 1


def test_begins_again(on, path):
    """Under load that never rests it is written over from its start: of 4 MB, and a few times that on a slow disk."""
    daemon, sent = on(store={"max_size": "64M"}), Sent(size=20, padding=10_000)
    post(daemon, sent, 120)  # 24 MB
    assert wal_bytes(path) < 20 * MIB
    senders = under_load(daemon, 10_000_000, padding=30_000)
    wait_for(lambda: os.path.getsize(path) > 36 * MIB, "more than that")
    assert wal_bytes(path) < 32 * MIB
    end_all(senders)
    daemon.stop()
    assert_all_there(path, [sent, *senders])


def test_a_checkpoint_fails(on, path, disk):
    """The database cannot be written, the write-ahead log can: events are stored, and it is told once."""
    daemon, sent = on(env=disk.env), Sent(size=20, padding=10_000)
    with disk.failing(BROKEN, calls=1 << SYNC, kinds=1 << DATABASE):
        for _ in range(3):
            post(daemon, sent, 40)
            daemon.reload()
        daemon.wait_line("only grows until it can be copied: the write-ahead log: disk I/O error")
    post(daemon, sent, 40)
    wait_for(lambda: daemon.reload() and any("log again" in line for line in daemon.lines()), "the end of it")
    assert len([line for line in daemon.lines() if "until it can be copied" in line]) == 1
    daemon.stop()
    assert_all_there(path, [sent])
