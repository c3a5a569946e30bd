"""A log of schema 1: it is in use at once, and filled beside what comes. CRASH_ROUNDS=200 kills it 50 times."""

import contextlib
import json
import os
import random
import re
import sqlite3
import time
from pathlib import Path

import harness
import pytest
from ctl_tools import ctl
from disk import DIE_AFTER, NO_SPACE, WAL, WRITE
from harness import KEY, call911, wait_for
from store import change, kill, numbers, read, remains

CRASH_ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
SAMPLES = Path(__file__).parents[1] / "fixtures" / "samples"
V1 = """
CREATE TABLE events ( id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, community TEXT NOT NULL, listener TEXT NOT NULL,
 peer TEXT NOT NULL, type TEXT NOT NULL, verdict TEXT NOT NULL, data TEXT, extra TEXT) STRICT;
CREATE TABLE cursors (action TEXT PRIMARY KEY, event_id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE failed ( action TEXT NOT NULL, event_id INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL,
 at INTEGER NOT NULL, PRIMARY KEY (action, event_id)) STRICT, WITHOUT ROWID;
CREATE INDEX failed_by_event ON failed (event_id);
PRAGMA application_id = 1397773128;
PRAGMA user_version = 1;
"""
OLD_COLUMNS = "id, received_at, community, listener, peer, type, verdict, data, extra"
DECIDED = "SELECT id, family, level, test, summary, calls, calls911, units, originator, record, known FROM events ORDER BY id"
DONE = "all events of the log are brought up to date"
HELD_UP = "old events are not brought up to date until they can be: .*disk is full"


def make_v1(file, rows):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(V1)
        db.execute("BEGIN")
        db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.execute("INSERT INTO cursors SELECT '-log', max(id) FROM events")
        db.execute("COMMIT")
    assert 1397773128 == 0x53505348


def old_rows(n, community="default", first=1, seconds=1.0):
    """A unit that goes on and on, and a 911 call now and then; the newest has just come."""
    now = int(time.time() * 1e6)
    for i in range(first, first + n):
        at = now - int((first + n - 1 - i) * seconds * 1e6)
        if i % 10 == 0:
            yield i, at, community, "main", "127.0.0.1", "EVENT_911", "accepted", json.dumps(call911(i)["data"]), None
        else:
            data = {"identIds": [4127], "status": i % 5}
            yield i, at, community, "main", "127.0.0.1", "EVENT_UNIT_STATUS", "accepted", json.dumps(data), None


def is_filled(path):
    return not read(path, "SELECT 1 FROM meta WHERE name = 'fill_until_id'")


def wait_filled(path):
    wait_for(lambda: is_filled(path), "all rows to be filled")


def test_rows_say_what_they_would_have_said(on, tmp_path):
    """Every sample in the middle of a shift: the same columns and refs as those of a daemon that had it live."""
    live = on(tmp_path / "live.db")
    for sample in sorted(SAMPLES.glob("*.json")):
        live.post(sample.read_bytes())
    live.stop()
    make_v1(tmp_path / "old.db", read(tmp_path / "live.db", f"SELECT {OLD_COLUMNS} FROM events ORDER BY id"))
    daemon = on(tmp_path / "old.db")
    daemon.wait_line("the event log was made by an older version: its events 1 to")
    daemon.wait_line(DONE)
    daemon.stop()
    assert read(tmp_path / "old.db", DECIDED) == read(tmp_path / "live.db", DECIDED)
    refs = "SELECT * FROM refs"
    assert read(tmp_path / "old.db", refs) == read(tmp_path / "live.db", refs) != []
    assert read(tmp_path / "old.db", "PRAGMA integrity_check") == [("ok",)]


def test_it_is_in_use_at_once(on, path):
    """And an event does not wait for the old ones. Where we are slower than the daemon, there have to be more of them."""
    for n in 30_000, 100_000, 300_000:
        make_v1(path, old_rows(n))
        daemon = on()
        assert daemon.post(call911(5)).status == 200
        in_use = not is_filled(path)
        daemon.wait_line(DONE)
        assert numbers(path) == list(range(1, n + 2))
        daemon.stop()
        if in_use:
            break
        path.unlink()
    assert in_use
    again = on().stop()
    assert not any("brought up to date" in line for line in again.lines())


def check_filled(path, n):
    assert numbers(path) == list(range(1, n + 1))
    assert read(path, "SELECT count(*) FROM events WHERE summary IS NULL") == [(0,)]
    assert read(path, "SELECT count(*) FROM refs WHERE kind = '911'") == [(n // 10,)]
    assert read(path, "SELECT count(*) FROM refs WHERE kind = 'unit' AND ref = 4127") == [(n - n // 10,)]
    assert read(path, "PRAGMA integrity_check") == [("ok",)]


def test_killed_at_any_moment(on, path, disk, rounds=max(6, CRASH_ROUNDS // 4), n=40000):
    make_v1(path, old_rows(n))
    whole = path.with_suffix(".whole")
    make_v1(whole, read(path, f"SELECT {OLD_COLUMNS} FROM events ORDER BY id"))
    on(whole).wait_line(DONE)
    places = set()
    for _ in range(rounds):
        disk.begin(DIE_AFTER, calls=1 << WRITE, kinds=1 << WAL, passes=random.randrange(600, 4000))
        daemon = on(env=disk.env)
        wait_for(lambda d=daemon: d.process.poll() is not None or is_filled(path), "its death, or all rows to be filled")
        disk.end()
        kill(daemon)
        left = remains(path)
        rows = read(left, "SELECT value FROM meta WHERE name = 'filled_id'")
        places.add(rows[0][0] if rows else "all")
        assert numbers(left) == list(range(1, n + 1))
    daemon = on()
    wait_filled(path)
    daemon.stop()
    check_filled(path, n)
    assert len(places) > 1, "the test did nothing"
    assert read(path, DECIDED) == read(whole, DECIDED)


def test_found_before_it_is_filled(on, path, disk):
    """By a scan, in old rows and new ones; and all are filled from where it was when the daemon comes back."""
    n = 40000
    make_v1(path, old_rows(n))
    disk.begin(NO_SPACE, calls=1 << WRITE, kinds=1 << WAL, passes=600)
    daemon = on(env=disk.env)
    daemon.wait_line(HELD_UP)
    disk.end()
    assert daemon.post(call911(10)).status == 200
    kill(daemon)
    events = lambda *args: ctl("events", "--store", path, *args)
    assert not is_filled(path)
    found = [re.match(r".{19} +(\d+) ", line)[1] for line in events("--911", 10).stdout.splitlines()[1:]]
    assert found == ["10", str(n + 1)]
    assert [line.split()[2] for line in events("--unit", 4127, "-n", 2).stdout.splitlines()[1:]] == [str(n - 2), str(n - 1)]
    result = events("--unit", "3-L-27")
    assert result.returncode == 0 and re.search(r"the events \d+ to 40000 are of an older version", result.stderr)
    assert [line.split()[2] for line in events("--id", 7).stdout.splitlines()[1:]] == ["7"]
    on().wait_line(DONE)
    assert events("--unit", "3-L-27").stderr == ""


def test_data_that_are_no_json_any_more(on, path):
    rows = [list(row) for row in old_rows(30)]
    rows[4][7] = "{"
    rows[5][8] = "not JSON"
    make_v1(path, rows)
    daemon = on()
    daemon.wait_line(DONE)
    daemon.stop()
    assert read(path, "SELECT id FROM events WHERE summary IS NULL ORDER BY id") == [(5,), (6,)]


def test_communities_that_are_no_more(on, path):
    """A log of three, of which two are configured."""
    rows = [row for i, name in enumerate(("alpha", "beta", "gamma")) for row in old_rows(20, name, 1 + 20 * i)]
    make_v1(path, rows)
    daemon = on(communities=[{"name": name, "api_key": KEY + name} for name in ("alpha", "beta")])
    daemon.wait_line(DONE)
    daemon.stop()
    counts = read(path, "SELECT community, count(*) FROM refs WHERE kind = 'unit' GROUP BY community ORDER BY community")
    assert counts == [("alpha", 18), ("beta", 18), ("gamma", 18)]
    lines = read(path, "SELECT community, summary FROM events")
    assert all(line.startswith(f"{community}: ") for community, line in lines), "a line does not say which it is of"


def test_disk_full(on, path, disk):
    """Told once, nothing is lost, events come in, and it goes on when there is room: with the same words."""
    n = 4000
    make_v1(path, old_rows(n))
    whole = path.with_suffix(".whole")
    make_v1(whole, read(path, f"SELECT {OLD_COLUMNS} FROM events ORDER BY id"))
    on(whole).wait_line(DONE)
    disk.begin(NO_SPACE, calls=1 << WRITE, kinds=1 << WAL, passes=400)
    daemon = on(env=disk.env)
    daemon.wait_line(HELD_UP)
    disk.end()
    daemon.wait_line(DONE)  # though no event comes
    daemon.stop()
    assert read(path, DECIDED) == read(whole, DECIDED)


@pytest.mark.parametrize("passes", [0, 1, 2, 4])
def test_disk_full_at_the_start(on, path, disk, tmp_path, passes):
    """No half of it: the log is what it was, and the next start brings it up to date."""
    make_v1(path, old_rows(100))
    conf = tmp_path / "full.yaml"
    harness.write_private(conf, harness.config(store={"path": str(path)}))
    disk.begin(NO_SPACE, calls=1 << WRITE, passes=passes)
    result = harness.run("-c", conf, env=disk.env)
    disk.end()
    assert result.returncode == 1 and "disk is full" in result.output  # systemd tries again
    assert read(remains(path), "PRAGMA user_version") == [(1,)] and numbers(path) == list(range(1, 101))
    on().wait_line(DONE)
    check_filled(path, 100)


def test_newer(on, path, tmp_path):
    """What an older program says of a log that it cannot know, by this one and a later schema."""
    make_v1(path, old_rows(3))
    on().stop()
    assert read(path, "PRAGMA user_version") == [(2,)]
    change(path, "PRAGMA user_version = 3")
    conf = tmp_path / "newer.yaml"
    harness.write_private(conf, harness.config(store={"path": str(path)}))
    result = harness.run("-c", conf)
    assert result.returncode == 78
    assert f"{path} was made by a newer sonoran-pushd (schema 3, this one knows 2), and is left as it is" in result.output
