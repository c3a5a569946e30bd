"""sonoran-pushctl restore dies at each of its calls on files: the old log or the new one is there, whole, and it can be
done again; what else was left goes. CRASH_ROUNDS=200 aims at every call."""

import os
import re
import shutil
import signal

import pytest
from ctl_tools import ctl
from disk import BESIDE, DIE_AFTER, DIE_TORN, EVERY_CALL, EVERY_FILE, NO_SPACE, WRITE
from harness import call911
from store import kill, numbers, read, remains

LIVES = "SELECT first_id, log, epoch FROM lives ORDER BY first_id"
EVERY_ONE = int(os.environ.get("CRASH_ROUNDS", "10")) >= 200
OLD, COPY = [1, 2, 3, 4, 5], [1, 2, 3]
PARTS = "", "-wal", "-shm"


def spoil(file):
    with open(file, "r+b") as f:
        f.write(b"no database     ")


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """copy: of the first three events. killed: what a daemon that was killed left, with all events in its WAL; closed:
    what it left in order; and two that somebody spoiled."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture
def made(on, logs):
    if not (logs / "killed").exists():
        for name in "killed", "closed":
            path = logs / name / "events.db"
            path.parent.mkdir()
            daemon = on(path)
            for number in OLD:
                assert daemon.post(call911(number)).status == 200
                if number == COPY[-1] and name == "killed":
                    assert ctl("backup", logs / "copy.db", "--store", path).returncode == 0
            kill(daemon) if name == "killed" else daemon.stop()
        assert os.path.getsize(logs / "killed" / "events.db-wal") > 0
        for name in "damaged", "gone":
            copy_folder(logs / "killed", logs / name)
        spoil(logs / "damaged" / "events.db")
        (logs / "gone" / "events.db").unlink()
    return logs


def copy_folder(source, target):
    target.mkdir()
    for name in "events.db", "events.db-wal", "events.db-shm":
        if (source / name).exists():
            shutil.copy(source / name, target / name)


def restore(path, copy, env=None):
    return ctl("restore", copy, "--store", path, env=env)


def state_of(path, before):
    """Which of the two it is; a look at it changes nothing."""
    if not path.exists():
        assert not before.exists()
        return "old"
    if before.parent.name == "damaged" and path.read_bytes() == before.read_bytes():
        return "old"  # which cannot be read
    found = remains(path)
    assert read(found, "PRAGMA integrity_check") == [("ok",)]
    assert numbers(found) in (OLD, COPY)
    return "old" if numbers(found) == OLD else "new"


def assert_new(path, copy):
    """The copy's events, and behind its lives one more."""
    lives = read(path, LIVES)
    assert numbers(path) == COPY and lives[:-1] == read(copy, LIVES) and lives[-1][0] == COPY[-1] + 1
    assert read(path, "PRAGMA integrity_check") == [("ok",)]


def kept_of(path):
    names = path.parent.glob(f"{path.name}.kept-*")
    return sorted(name for name in names if not name.name.endswith(("-wal", "-shm", "-journal")))


def assert_tidy(path):
    """Nothing but the log and those that were put aside, each under one name."""
    names = [p.name for p in path.parent.iterdir() if ".kept-" not in p.name and ".copy" not in p.suffix]
    assert set(names) - {path.name + end for end in PARTS} <= {f"{path.name}.lock", f"{path.name}.control"}
    assert all(p.stat().st_nlink == 1 for p in path.parent.iterdir())


def begin(made, folder, left):
    copy_folder(made / left, folder)
    return folder / "events.db"


def count_calls(made, tmp_path, disk, left):
    path = begin(made, tmp_path / "whole", left)
    before = sum(disk.counts().values())
    assert restore(path, made / "copy.db", disk.env).returncode == 0
    assert_new(path, made / "copy.db")
    return sum(disk.counts().values()) - before


def aims(n_calls, step):
    """The log itself is touched by the last of them."""
    last = max(0, n_calls - 24)
    return range(n_calls) if EVERY_ONE else [*range(0, last, 12), *range(last, n_calls - 1, step), n_calls - 1]


def die_at(made, folder, disk, left, how, passes):
    path = begin(made, folder, left)
    disk.begin(how, calls=EVERY_CALL, kinds=EVERY_FILE, passes=passes)
    result = restore(path, made / "copy.db", disk.env)
    disk.end()
    return path, result


@pytest.mark.parametrize("how", [DIE_AFTER, DIE_TORN], ids=["after", "torn"])
@pytest.mark.parametrize("left", ["killed", "closed", "damaged", "gone"])
def test_at_each_call(made, tmp_path, disk, left, how):
    n_calls = count_calls(made, tmp_path, disk, left)
    states = []
    for passes in aims(n_calls, 1 if (left, how) == ("killed", DIE_AFTER) else 4):
        path, result = die_at(made, tmp_path / str(passes), disk, left, how, passes)
        assert result.returncode == -signal.SIGKILL, result.stderr
        states.append(state_of(path, made / left / "events.db"))
        result = restore(path, made / "copy.db")
        assert result.returncode == 0, result.stderr
        assert_new(path, made / "copy.db")
        assert_tidy(path)
        kept = kept_of(path)
        if left in ("killed", "closed"):
            assert OLD in [numbers(file) for file in kept]
        assert len(kept) == (states[-1] == "new") + (left != "gone")
        shutil.rmtree(path.parent)
    assert states == sorted(states, reverse=True) and states[0] == "old", states


def test_a_start_after_it(on, made, tmp_path, disk):
    """It goes on with the log that is there, under its own ids, and takes away what is half done."""
    n_calls = count_calls(made, tmp_path, disk, "killed")
    states = set()
    for passes in aims(n_calls, 2):
        path, _ = die_at(made, tmp_path / str(passes), disk, "killed", DIE_AFTER, passes)
        state = state_of(path, made / "killed" / "events.db")
        states.add(state)
        daemon = on(path)
        assert daemon.post(call911(6)).status == 200
        daemon.stop()
        assert numbers(path) == (OLD + [6] if state == "old" else COPY + [4])
        assert_tidy(path)
    assert states == {"old", "new"}


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_no_room(made, tmp_path, disk, part):
    """Told, and nothing is changed or left."""
    before = disk.count(WRITE, BESIDE)
    path = begin(made, tmp_path / "whole", "killed")
    assert restore(path, made / "copy.db", disk.env).returncode == 0
    n_writes = disk.count(WRITE, BESIDE) - before
    path = begin(made, tmp_path / "full", "killed")
    disk.begin(NO_SPACE, calls=1 << WRITE, kinds=1 << BESIDE, passes=int(part * n_writes))
    result = restore(path, made / "copy.db", disk.env)
    disk.end()
    assert result.returncode == 1 and re.search("no space|full", result.stderr, re.I)
    assert numbers(remains(path)) == OLD and kept_of(path) == []
    assert_tidy(path)
