"""sonoran-pushctl backup and restore: a copy of the event log beside a daemon that works, and the way back to it."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from ctl_tools import CTL, ctl, store_of
from disk import BESIDE, NO_SPACE, WRITE
from harness import PATIENCE_S, call911, wait_for
from store import assert_all_there, change, end_all, kill, numbers, read, under_load

V1 = Path(__file__).parent.parent / "fixtures/store/v1.db"


def made(file):
    """The names beside the log, or beside a copy."""
    return sorted(p.name for p in file.parent.iterdir() if p.name.startswith(file.name))


def backup(store, file):
    result = ctl("backup", file, "--store", store, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def restore(store, file):
    result = ctl("restore", file, "--store", store, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.fixture
def log(start):
    """Of a daemon that ended, with events 1 to 3."""
    daemon = start()
    for number in 11, 12, 13:
        assert daemon.post(call911(number)).status == 200
    daemon.stop()
    return store_of(daemon)


def test_beside_a_busy_daemon(on, path, tmp_path):
    """It goes on, ends, and has all that was answered before it began; nothing of it is cut."""
    daemon = on()
    senders = under_load(daemon, padding=3000)
    wait_for(lambda: os.path.getsize(path) > 1 << 20, "some events")
    for i in range(3):
        file = tmp_path / f"copy{i}.db"
        before = [call for sender in senders for call in sender.accepted()]
        told = backup(path, file)
        assert made(file) == [file.name] and os.stat(file).st_mode & 0o7777 == 0o600
        there = numbers(file)
        assert there == list(range(told["oldest_id"], told["newest_id"] + 1)) and len(there) >= len(before)
        assert told["bytes"] == os.path.getsize(file)
        calls = {json.loads(data)["call"]["callId"] for (data,) in read(file, "SELECT data FROM events")}
        assert calls >= set(before)
        assert read(file, "PRAGMA integrity_check") == [("ok",)]
    end_all(senders)
    daemon.stop()
    assert_all_there(path, senders)


def test_words(log, tmp_path):
    file = tmp_path / "copy.db"
    result = ctl("backup", file, "--store", log, env={"TZ": "UTC0"})
    assert result.stdout.startswith(f"{file}: 3 events, the newest 3 of 20") and result.stdout.endswith(", checked\n")
    result = ctl("restore", file, "--store", log, env={"TZ": "UTC0"})
    first, life, kept, last = result.stdout.splitlines()
    assert first.startswith(f"{log} is the copy now: 3 events, the newest 3 of 20")
    assert life.startswith("The next event gets id 4, in a new life of the log (")
    assert kept.startswith(f"The log that was there is kept as {log}.kept-20") and kept.endswith("(its newest event is 3).")
    assert last == "Now start the daemon."


def test_never_over_something(log, tmp_path):
    file, link = tmp_path / "copy.db", tmp_path / "link"
    file.write_text("mine")
    link.symlink_to(tmp_path / "nowhere")
    for there in file, link, tmp_path:
        result = ctl("backup", there, "--store", log)
        assert (result.returncode, result.stdout) == (1, "") and "is there already" in result.stderr
    assert file.read_text() == "mine" and made(file) == ["copy.db"] and not (tmp_path / "nowhere").exists()
    result = ctl("backup", tmp_path / "no" / "copy.db", "--store", log)
    assert result.returncode == 1 and "No such file or directory" in result.stderr


def test_never_beside_a_wal_of_another(log, tmp_path):
    """SQLite would take it for that of the copy."""
    for end in "-wal", "-journal":
        left = tmp_path / f"copy.db{end}"
        left.write_text("of another")
        result = ctl("backup", tmp_path / "copy.db", "--store", log)
        assert result.returncode == 1 and f"{left} is there already" in result.stderr
        assert not (tmp_path / "copy.db").exists()
        left.unlink()


def test_of_a_backup(log, tmp_path):
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    backup(log, first)
    whole = first.read_bytes()
    told = backup(first, second)
    assert told["newest_id"] == 3 and numbers(second) == [1, 2, 3] and os.stat(second).st_mode & 0o777 == 0o600
    assert first.read_bytes() == whole and restore(log, second)["newest_id"] == 3


@pytest.mark.parametrize("part", [0, 0.5, 1])
def test_no_room(log, tmp_path, disk, part):
    folder, before = tmp_path / "full", disk.count(WRITE, BESIDE)
    folder.mkdir()
    assert ctl("backup", tmp_path / "copy.db", "--store", log, env=disk.env).returncode == 0
    n_writes = disk.count(WRITE, BESIDE) - before
    disk.begin(NO_SPACE, calls=1 << WRITE, kinds=1 << BESIDE, passes=min(int(part * n_writes), n_writes - 1))
    result = ctl("backup", folder / "copy.db", "--store", log, env=disk.env)
    disk.end()
    assert result.returncode == 1 and re.search("no space|full", result.stderr, re.I)
    assert list(folder.iterdir()) == [] and numbers(log) == [1, 2, 3]


def test_nothing_to_copy(tmp_path):
    for content in b"", b"text " * 100:
        (tmp_path / "log.db").write_bytes(content)
        result = ctl("backup", tmp_path / "copy.db", "--store", tmp_path / "log.db")
        assert result.returncode == 1 and "sonoran-pushctl: " in result.stderr
    assert not list(tmp_path.glob("copy*"))


def damage(file):
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").fetchone()[0]
    with open(file, "r+b") as f:
        f.seek((page - 1) * 4096)
        f.write(bytes(range(256)) * 8)


def test_damaged(log, tmp_path):
    """It is no copy to rely on, neither on the way there nor back."""
    good, bad = tmp_path / "good.db", tmp_path / "bad.db"
    backup(log, good)
    shutil.copy(good, bad)
    damage(bad)
    before = made(log)
    result = ctl("restore", bad, "--store", log)
    assert result.returncode == 1 and (f"{bad} is damaged" in result.stderr or "malformed" in result.stderr)
    assert made(log) == before and numbers(log) == [1, 2, 3]
    damage(log)
    assert ctl("backup", tmp_path / "another.db", "--store", log).returncode == 1
    assert not list(tmp_path.glob("another*"))
    assert restore(log, good)["newest_id"] == 3
    assert numbers(log) == [1, 2, 3]


def test_back_and_on(start, log, tmp_path):
    """The daemon goes on behind the copy, in another life; what was there is kept whole."""
    file = tmp_path / "copy.db"
    backup(log, file)
    settings = {"store": {"path": str(log)}}
    daemon = start(**settings)
    assert daemon.post(call911(14)).status == 200
    [old] = read(log, "SELECT log FROM lives")[-1]
    result = ctl("restore", file, "--store", log)
    assert result.returncode == 1 and f"process {daemon.process.pid}. Stop it first" in result.stderr
    kill(daemon)  # its last event is in the write-ahead log only
    owner = os.stat(log)
    told = restore(log, file)
    assert told["newest_id"] == 3 and told["first_id"] == 4
    kept = Path(told["kept"])
    assert kept.parent == log.parent and numbers(kept) == [1, 2, 3, 4] and numbers(log) == [1, 2, 3]
    now = os.stat(log)
    assert (now.st_uid, now.st_gid, now.st_mode) == (owner.st_uid, owner.st_gid, owner.st_mode)
    daemon = start(**settings)
    assert daemon.post(call911(15)).status == 200
    daemon.stop()
    assert numbers(log) == [1, 2, 3, 4]
    lives = read(log, "SELECT log, first_id FROM lives ORDER BY first_id")
    assert lives[-1] == (told["log"], 4) and lives[-2][0] == old != told["log"]


def test_a_link(log, tmp_path):
    """The file that it leads to is kept and replaced; the link stays a link."""
    file, real = tmp_path / "copy.db", tmp_path / "real.db"
    log.rename(real)
    log.symlink_to(real)
    backup(log, file)
    told = restore(log, file)
    assert log.is_symlink() and numbers(real) == [1, 2, 3]
    assert Path(told["kept"]).parent == tmp_path and numbers(told["kept"]) == [1, 2, 3]


def test_owner(log, tmp_path):
    """As root, for a daemon that is another user: all it has to write is that user's, the lock too."""
    file = tmp_path / "copy.db"
    backup(log, file)
    shutil.chown(log, 12345, 12346)
    os.remove(f"{log}.lock")
    for gone in False, True:
        if gone:
            shutil.chown(log.parent, 12345, 12346)
            for left in list(log.parent.glob(f"{log.name}*")):
                left.unlink()
        restore(log, file)
        for name in log, Path(f"{log}.lock"):
            assert (name.stat().st_uid, name.stat().st_gid) == (12345, 12346)
        assert log.stat().st_mode & 0o777 == 0o640
        assert not [name for name in made(log) if name.endswith(("-wal", "-shm"))]


def test_an_older_one(log, tmp_path):
    told = restore(log, shutil.copy(V1, tmp_path / "old.db"))  # reading it leaves a WAL beside it
    assert read(log, "PRAGMA user_version") == [(2,)] and numbers(log)[-1] == told["newest_id"]


def test_another_program_has_it_open(log, tmp_path):
    """It would go on in the old file, beside a WAL of the new one."""
    file = tmp_path / "copy.db"
    backup(log, file)
    with closing(sqlite3.connect(log)) as other:
        other.execute("SELECT count(*) FROM events").fetchall()
        result = ctl("restore", file, "--store", log)
        assert result.returncode == 1 and f"(process {os.getpid()}) has {log} open: end it first" in result.stderr
        assert not [name for name in made(log) if ".kept-" in name or ".restoring" in name]
    assert restore(log, file)["newest_id"] == 3


def test_again_and_again(log, tmp_path):
    """Each gets a name of its own, also within a second, and a life behind all others, whatever the clock was."""
    file = tmp_path / "copy.db"
    backup(log, file)
    change(log, "UPDATE lives SET epoch = 4000000000000")
    told = [restore(log, file) for _ in range(4)]
    assert len({t["kept"] for t in told}) == len({t["log"] for t in told}) == 4
    assert all(numbers(t["kept"]) == [1, 2, 3] for t in told)
    lives = read(log, "SELECT log, first_id, epoch FROM lives ORDER BY first_id")
    assert len(lives) == 2 and lives[1][:2] == (told[-1]["log"], 4) and lives[1][2] > 4000000000000


def test_what_is_no_copy(log, tmp_path):
    """Told, and nothing is touched."""
    newer, foreign, text = tmp_path / "newer.db", tmp_path / "foreign.db", tmp_path / "text.db"
    backup(log, newer)
    whole, before = log.read_bytes(), made(log)
    change(newer, "PRAGMA user_version = 3")
    change(foreign, "CREATE TABLE events (id)")
    text.write_text("text " * 1000)
    for file, said in (
        (newer, "made by a newer sonoran-pushd (schema 3, this one knows 2)"),
        (foreign, "is no event log, and is left as it is: a database of another program"),
        (text, "is no event log, and is left as it is: not an SQLite database"),
    ):
        content = file.read_bytes()
        result = ctl("restore", file, "--store", log)
        assert (result.returncode, result.stdout) == (1, "") and said in result.stderr
        assert log.read_bytes() == whole and made(log) == before and file.read_bytes() == content


def test_not_itself(log):
    for file, said in (log, "is the event log itself"), ("/dev/null", "no event log"), ("/nonexistent", "cannot read"):
        result = ctl("restore", file, "--store", log)
        assert result.returncode == 1 and said in result.stderr
    assert numbers(log) == [1, 2, 3]


def test_interrupted(log, tmp_path):
    """Nothing half done is left; or it was done already."""
    with closing(sqlite3.connect(log)) as db, db:
        db.execute("UPDATE events SET data = hex(zeroblob(40000000)) WHERE id = 1")
    file = tmp_path / "copy.db"
    process = subprocess.Popen([CTL, "backup", str(file), "--store", str(log)], stderr=subprocess.PIPE)
    wait_for(lambda: list(tmp_path.glob("copy.db*")), "its beginning")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0 or b"interrupted: nothing was changed" in said
    assert made(file) == ([] if process.returncode else [file.name])
