"""The event log's file: one that is something else, a disk that is full or locked, and what is deleted from it."""

import contextlib
import json
import os
import select
import shutil
import sqlite3
import subprocess

import harness
import pytest
from harness import call911, request, wait_for
from store import Sender, array_of, call_ids, change, kill, numbers, read

HOUR_US = 3600 * 1_000_000
SEVERE = 2  # LOG_CRIT


HOPELESS = 78  # EX_CONFIG: systemd does not try again


def refused_start(tmp_path, file, status=1, **settings):
    """What a daemon says that does not start on this file."""
    conf = tmp_path / "refused.yaml"
    harness.write_private(conf, harness.config(store={"path": str(file), **settings}))
    result = harness.run("-c", conf)
    assert (result.returncode, "ready on" in result.output) == (status, False), result.output
    return [json.loads(line) for line in result.stderr.splitlines()][-1]["message"]


# Files that are something else


def sqlite_file(file, *statements):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def filled(on, file, n=300):
    daemon = on(file)
    assert daemon.post(array_of(n, x="x" * 500)).status == 200
    daemon.stop()
    assert len(numbers(file)) == n


def damage(file, at, size=4096):
    with open(file, "r+b") as f:
        f.seek(at)
        f.write(b"\xa5" * size)


FOREIGN = {
    "text": (lambda f: f.write_text("my notes\n" * 200), "not an SQLite database"),
    "short text": (lambda f: f.write_text("note"), "not an SQLite database"),
    "another program's": (lambda f: sqlite_file(f, "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"), "another program"),
    "another program's id": (lambda f: sqlite_file(f, "PRAGMA application_id = 7", "VACUUM"), "another program"),
}
DAMAGED = {
    "newer": (lambda f: sqlite_file(f, "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 99"), "made by a newer sonoran-pushd"),
    "truncated": (lambda f: os.truncate(f, os.path.getsize(f) // 2 // 4096 * 4096), "damaged"),
    "cut in a page": (lambda f: os.truncate(f, os.path.getsize(f) - 1000), "damaged"),
    "schema": (lambda f: damage(f, 100, 3000), "damaged"),
    "leaf": (lambda f: damage(f, 10 * 4096), "damaged"),
}


@pytest.mark.parametrize("kind", [*FOREIGN, *DAMAGED])
def test_file_that_is_refused(on, tmp_path, kind):
    file = tmp_path / "file.db"
    spoil, says = {**FOREIGN, **DAMAGED}[kind]
    if kind in DAMAGED:
        filled(on, file)
    spoil(file)
    before = file.read_bytes()
    message = refused_start(tmp_path, file, HOPELESS)
    assert says in message and str(file) in message and "left as it is" in message
    assert file.read_bytes() == before
    assert not [f for f in os.listdir(tmp_path) if f.startswith("file.db-")]


@pytest.mark.parametrize("there", [True, False])
def test_a_link(on, path, tmp_path, there):
    """What belongs to the log lies beside the file, and it is one log by whatever name."""
    real = tmp_path / "data" / "real.db"
    real.parent.mkdir()
    path.symlink_to("data/real.db")
    if there:
        filled(on, real)
    daemon = on()
    assert daemon.post(call911(1)).status == 200
    assert "in use by another" in refused_start(tmp_path, real)
    assert {"real.db", "real.db-wal", "real.db.lock"} <= set(os.listdir(real.parent))
    assert not (tmp_path / "events.db.lock").exists()
    kill(daemon)
    assert on().serves()
    assert path.is_symlink() and len(numbers(real)) == 300 * there + 2


def test_second_daemon(on, path, tmp_path):
    first = on()
    message = refused_start(tmp_path, path)
    assert str(path) in message and f"in use by another sonoran-pushd, process {first.process.pid}" in message
    assert first.serves()
    kill(first)
    assert on().serves()  # what a kill left behind is no lock


@contextlib.contextmanager
def mounted(*options):
    """Skips where this cannot be done."""
    target = options[-1]
    if os.geteuid() != 0 or subprocess.run(["mount", *map(str, options)], capture_output=True).returncode != 0:
        pytest.skip("cannot mount")
    try:
        yield target
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)


def test_read_only(on, path, tmp_path):
    filled(on, path, 3)
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=4M", "none", folder):
        shutil.copy(path, folder / "old.db")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        for name in "new.db", "old.db":
            message = refused_start(tmp_path, folder / name)
            assert str(folder / name) in message and "ead-only" in message
    with mounted("--bind", path, path):
        subprocess.run(["mount", "-o", "remount,ro,bind", path], check=True)
        message = refused_start(tmp_path, path)
        assert str(path) in message and "ead-only" in message
    assert on().serves()


# The disk


def storage_answers(daemon, call, **more):
    """503 for as long as it lasts, and as the contract words it."""
    answer = daemon.post(call911(call, **more))
    if answer.status == 503:
        assert answer.text == "Storage Unavailable" and int(answer.headers["Retry-After"]) >= 1
    return answer.status


def assert_told_once(daemon):
    daemon.wait_line("events are stored again")
    records = daemon.stop().records()
    severe = [r["message"] for r in records if r["priority"] <= SEVERE]
    assert len(severe) == 1 and "events cannot be stored" in severe[0], severe
    assert len([r for r in records if "events are stored again" in r["message"]]) == 1
    return severe[0]


def test_disk_full(on, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=3M", "none", folder):
        file, stored, refusals = folder / "events.db", [], 0
        daemon = on(file)
        ballast = folder / "ballast"
        ballast.write_bytes(b"x" * 1_000_000)
        for call in range(1, 2000):
            status = storage_answers(daemon, call, x="x" * 20_000)
            assert status in (200, 503)
            stored += [call] if status == 200 else []
            refusals += status == 503
            if refusals == 5:
                break
        assert refusals == 5 and len(stored) > 10
        for call in range(3000, 3010):  # some of them may find room, which is no end of it
            stored += [call] if storage_answers(daemon, call) == 200 else []
        assert call_ids(file) == stored
        ballast.unlink()
        assert storage_answers(daemon, 5000) == 200
        assert "no space" in assert_told_once(daemon) or "full" in assert_told_once(daemon)
        assert call_ids(file) == [*stored, 5000]
        assert numbers(file) == list(range(1, len(stored) + 2))
        assert read(file, "PRAGMA integrity_check") == [("ok",)]


HOLDS_LOCK = f"[(]process {os.getpid()}[)] holds a lock on the event log"
UNLOCKED = "the event log is not locked any more"


def test_locked_by_another(on, path):
    """Longer than a request may wait."""
    daemon = on(limits={"request_time": "1s"}, store={"durability": "normal"})
    assert storage_answers(daemon, 1) == 200
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert [storage_answers(daemon, call) for call in (2, 3)] == [503, 503]
        other.execute("ROLLBACK")
    daemon.wait_line(UNLOCKED)
    assert storage_answers(daemon, 4) == 200
    daemon.wait_line(HOLDS_LOCK + r": an event waited \d+ s for it; until it lets go events cannot be stored \(posted ones are answered 503\)")
    assert len([r for r in daemon.stop().records() if r["priority"] <= SEVERE]) == 1
    assert (call_ids(path), numbers(path)) == ([1, 4], [1, 2])


def test_locked_for_a_moment(on, path):
    """The CAD does not repeat: whoever waits has its 200 when the lock is gone, and there is nothing to tell."""
    daemon = on()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other, daemon.connect() as client:
        other.execute("BEGIN IMMEDIATE")
        client.send(request(call911(1)))
        assert not select.select([client.socket], [], [], 1)[0], "answered while it is locked"
        other.execute("ROLLBACK")
        assert client.answer().status == 200
    daemon.stop()
    assert not [r for r in daemon.records() if r["priority"] <= SEVERE or UNLOCKED in r["message"]]
    assert call_ids(path) == [1]


def test_stop_while_it_is_locked(on, path):
    """What waits is told that it is not stored."""
    daemon = on()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other, daemon.connect() as client:
        other.execute("BEGIN IMMEDIATE")
        client.send(request(call911(1)))
        with daemon.connect() as idle:
            assert idle.ask(request(method="GET")).status == 200  # whoever sent before was heard before
        daemon.process.terminate()
        assert client.answer().status == 503
        daemon.stop()
    assert call_ids(path) == []


# What is deleted


def test_max_size(on, path):
    limit = 2_000_000
    daemon = on(store={"max_size": "2M"})
    sender = Sender(daemon, 0, padding=20_000)
    wait_for(lambda: sender.next > 300 or not sender.is_alive(), "events")
    sender.end()
    daemon.stop()
    before = numbers(path)
    daemon = on(store={"max_size": "2M"})
    used = "SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)"

    def trimmed():
        daemon.post(call911(1))
        return read(path, used)[0][0] * 4096 < limit * 1.1

    wait_for(trimmed, "room")
    daemon.stop()
    left = numbers(path)
    assert left[0] > 1 and left[0] >= before[0]  # on a slow machine the first daemon has done it
    assert left[-1] > before[-1] and left == list(range(left[0], left[-1] + 1))
    kept = sum(len(data) for (data,) in read(path, "SELECT data FROM events"))
    assert kept > limit / 2, "more was deleted than had to be"
    assert on().post(call911(2)).status == 200
    assert numbers(path)[-1] == left[-1] + 1


def test_keep(on, path):
    filled(on, path, 1200)
    change(path, "UPDATE events SET received_at = received_at - ? WHERE id <= 1100", HOUR_US)
    daemon = on(store={"keep": "30min"})
    wait_for(lambda: numbers(path)[0] == 1101, "the old ones to go")  # in steps, and with nobody sending anything
    daemon.stop()
    assert numbers(path) == list(range(1101, 1201))
    change(path, "UPDATE events SET received_at = received_at - ?", HOUR_US)
    daemon = on(store={"keep": "1min"})  # beyond the newest event the clock is believed as far as the machine was up
    wait_for(lambda: numbers(path) == [1200], "all but the newest to go")
    assert daemon.post(call911(1)).status == 200
    daemon.stop()
    assert numbers(path)[-1] == 1201
