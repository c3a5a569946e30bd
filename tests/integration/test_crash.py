"""The process dies at chosen system calls of a commit, of a checkpoint, of retention; and what a power cut leaves.

Each death is followed by a look at what is left, and by a start on it that serves. CRASH_ROUNDS=200 aims at more calls.
"""

import os
import random
import shutil
import signal
import time

import pytest
from disk import DATABASE, DIE_AFTER, DIE_BEFORE, DIE_TORN, SYNC, TRUNCATE, UNLINK, WAL, WAL_HEAD, WRITE
from harness import PATIENCE_S, config, wait_for
from store import Sent, assert_all_there, change, end_all, kill, numbers, read, reading, remains, under_load

CRASH_ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
HOUR_US = 3600 * 1_000_000
RESTART_FRAMES = 4000  # src/store/wal.c; a quarter of it is what a checkpoint waits for
FRAME = 4096 + 24
HOW = {"before": DIE_BEFORE, "after": DIE_AFTER, "torn": DIE_TORN}


def wait_for_death(daemon, disk):
    assert daemon.process.wait(PATIENCE_S) == -signal.SIGKILL
    assert disk.get("n_hits") >= 1  # another thread may have come to the same call before the end
    disk.end()
    kill(daemon)


def post_until_death(daemon, sent):
    wait_for(lambda: sent.post(daemon) is None, "the death of the daemon")


def spread(n, last):
    """n numbers from 0 to last, evenly, both ends among them."""
    return sorted({round(i * last / (n - 1)) for i in range(n)})


def frames(path):
    wal = f"{path}-wal"
    return os.path.getsize(wal) // FRAME if os.path.exists(wal) else 0


def copy_log(source, target):
    for suffix in "", "-wal":
        if os.path.exists(f"{source}{suffix}"):
            shutil.copy(f"{source}{suffix}", f"{target}{suffix}")


def serve_and_stop(on, path, sent):
    """Two starts on what is left: the second one finds what a clean end left."""
    for _ in range(2):
        daemon = on(path)
        assert sent.post(daemon) == 200
        daemon.stop()


# Commit


@pytest.mark.parametrize("how", HOW)
def test_inside_commit(on, path, disk, how):
    """At its first write or sync, at the next one, and so on, until a commit has no more."""
    singles, arrays = Sent(0), Sent(10_000_000, size=8, padding=1000)
    for passes in range(100):
        daemon = on(env=disk.env)
        assert singles.post(daemon) == 200
        disk.begin(HOW[how], passes=passes)
        status = arrays.post(daemon)
        if status == 200:
            break
        wait_for_death(daemon, disk)
        assert_all_there(remains(path), [singles, arrays])
    assert status == 200 and passes > 8
    kill(daemon)  # as it does itself where it wrote something else before this
    disk.end()
    assert_all_there(remains(path), [singles, arrays])


# Checkpoint


@pytest.fixture(scope="module")
def almost(tmp_path_factory):
    """(file, what was sent): a log whose WAL is about to begin again. Made once."""
    return tmp_path_factory.mktemp("almost") / "events.db", Sent(0, size=20, padding=10_000)


def fill(on, almost):
    file, sent = almost
    if not file.exists():
        daemon = on(file)
        with reading(file):  # keeps it from beginning again before
            while frames(file) < RESTART_FRAMES - 150:
                assert sent.post(daemon) == 200
            kill(daemon)
        assert frames(file) >= RESTART_FRAMES - 150
    return almost


CHECKPOINT = {
    "log is synced": (SYNC, WAL, range(2)),
    "page": (WRITE, DATABASE, spread(max(3, CRASH_ROUNDS // 10), RESTART_FRAMES * 3 // 4)),
    "file is cut": (TRUNCATE, DATABASE, range(1)),
    "file is synced": (SYNC, DATABASE, range(1)),
}
ITS_MOMENTS = [
    (stage, how) for stage in CHECKPOINT for how in HOW if how != "torn" or CHECKPOINT[stage][0] == WRITE
]


@pytest.mark.parametrize("stage, how", ITS_MOMENTS)
def test_inside_checkpoint(on, tmp_path, disk, almost, stage, how):
    file, before = fill(on, almost)
    call, kind, aims = CHECKPOINT[stage]
    for passes in aims:
        path = tmp_path / f"events{passes}.db"
        copy_log(file, path)
        daemon = on(path, env=disk.env)
        sent = Sent(10_000_000, size=20, padding=10_000)
        disk.begin(HOW[how], calls=1 << call, kinds=1 << kind, passes=passes)
        post_until_death(daemon, sent)
        wait_for_death(daemon, disk)
        assert_all_there(remains(path), [before, sent])
        serve_and_stop(on, path, sent)
        assert_all_there(path, [before, sent])


@pytest.mark.parametrize(
    "call, how", [(WRITE, "before"), (WRITE, "torn"), (WRITE, "after"), (SYNC, "before"), (SYNC, "after")]
)
def test_when_the_wal_begins_again(on, path, disk, almost, call, how):
    """The first calls on the WAL after all of it was copied: its new head."""
    file, before = fill(on, almost)
    copy_log(file, path)
    daemon = on(env=disk.env)
    sent = Sent(10_000_000, size=20, padding=10_000)
    disk.begin(HOW[how], calls=1 << call, kinds=1 << WAL_HEAD)
    post_until_death(daemon, sent)
    wait_for_death(daemon, disk)
    assert_all_there(remains(path), [before, sent])
    serve_and_stop(on, path, sent)
    assert_all_there(path, [before, sent])


@pytest.mark.parametrize(
    "call, kind, passes, how",
    [
        (WRITE, DATABASE, 0, "torn"),
        (WRITE, DATABASE, 5, "before"),
        (SYNC, DATABASE, 0, "before"),
        (SYNC, DATABASE, 0, "after"),
        (UNLINK, WAL, 0, "before"),
        (UNLINK, WAL, 0, "after"),
    ],
)
def test_inside_a_clean_end(on, path, disk, call, kind, passes, how):
    sent = Sent(size=8, padding=1000)
    daemon = on(env=disk.env)
    for _ in range(10):
        assert sent.post(daemon) == 200
    disk.begin(HOW[how], calls=1 << call, kinds=1 << kind, passes=passes)
    daemon.process.terminate()
    wait_for_death(daemon, disk)
    assert_all_there(remains(path), [sent])
    serve_and_stop(on, path, sent)
    assert_all_there(path, [sent])


# Retention


N_OLD, N_NEW = 2500, 200
EXPIRING = {"keep": "30min"}  # less than HOUR_US, more than all rounds take


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    return tmp_path_factory.mktemp("old") / "events.db", Sent(0, size=100, padding=300)


def fill_old(on, old):
    file, sent = old
    if not file.exists():
        daemon = on(file)
        while sent.next < N_OLD + N_NEW:
            assert sent.post(daemon) == 200
        daemon.stop()
        change(file, "UPDATE events SET received_at = received_at - ? WHERE id <= ?", HOUR_US, N_OLD)
    return old


def assert_trimmed_at_most(file, before, sent):
    """The oldest may be gone, as many as have expired; the rest is as it was."""
    first = numbers(file)[0]
    assert first <= N_OLD + 1
    rows = read(file, "SELECT id, data FROM events ORDER BY id")
    order = list(before.bodies.values())[first - 1 :]
    assert [row[0] for row in rows] == list(range(first, first + len(rows)))
    assert [row[1] for row in rows[: len(order)]] == order
    new = [data for _, data in rows[len(order) :]]
    assert len(set(new)) == len(new) and set(new) <= set(sent.bodies.values())
    assert {sent.bodies[call] for call in sent.accepted()} <= set(new), "an answered event is lost"
    assert read(file, "PRAGMA integrity_check") == [("ok",)]
    return first


def all_old_gone(path):
    return numbers(path)[0] == N_OLD + 1


def expire(daemon, path):
    """From now on."""
    daemon.configure(config(store={"path": str(path), **EXPIRING}))
    daemon.process.send_signal(signal.SIGHUP)


RETENTION_CALLS = 600  # about, for five steps


@pytest.mark.parametrize("how", HOW)
def test_during_retention(on, tmp_path, disk, old, how):
    file, before = fill_old(on, old)
    firsts = set()
    for passes in spread(max(6, CRASH_ROUNDS // 4), RETENTION_CALLS):
        path = tmp_path / f"events{passes}.db"
        copy_log(file, path)
        daemon = on(path, env=disk.env)
        sent = Sent(10_000_000)
        disk.begin(HOW[how], passes=passes)
        expire(daemon, path)
        wait_for(lambda d=daemon, p=path: d.process.poll() is not None or all_old_gone(p), "its death, or the old ones to go")
        post_until_death(daemon, sent)
        wait_for_death(daemon, disk)
        firsts.add(assert_trimmed_at_most(remains(path), before, sent))
        daemon = on(path, store=EXPIRING)
        wait_for(lambda p=path: all_old_gone(p), "the old ones to go")
        daemon.stop()
        assert assert_trimmed_at_most(path, before, sent) == N_OLD + 1
    assert len(firsts) > 2, f"retention was never interrupted: {firsts}"


@pytest.mark.parametrize("how", ["before", "after"])
def test_when_the_file_shrinks(on, path, disk, old, how):
    file, before = fill_old(on, old)
    copy_log(file, path)
    size = os.path.getsize(path)
    sent = Sent(10_000_000)
    with reading(path):  # what it sees keeps the file as long as it is
        daemon = on(store=EXPIRING, env=disk.env)
        wait_for(lambda: all_old_gone(path), "the old ones to go")
        disk.begin(HOW[how], calls=1 << TRUNCATE, kinds=1 << DATABASE)
    daemon.process.terminate()
    wait_for_death(daemon, disk)
    assert assert_trimmed_at_most(remains(path), before, sent) == N_OLD + 1
    serve_and_stop(on, path, sent)
    assert assert_trimmed_at_most(path, before, sent) == N_OLD + 1
    assert os.path.getsize(path) < size / 2


# Power


def test_power_cut(on, path, disk):
    """Nothing is left but what was synced, as it was at its last sync."""
    everyone = []
    disk.set("keep", 1)
    for r in range(max(3, CRASH_ROUNDS // 10)):
        daemon = on(env=disk.env)
        senders = under_load(daemon, r * 100_000_000, padding=1000)
        everyone += senders
        wait_for(lambda s=senders: any(x.statuses for x in s), "an answer")
        time.sleep(random.uniform(0.0, 0.3))
        kill(daemon)
        end_all(senders)
        for suffix in "", "-wal":
            shutil.copy(f"{path}{suffix}.synced", f"{path}{suffix}")
        os.remove(f"{path}-shm")
        assert_all_there(remains(path), everyone)
