"""Each system call of a start, of a stop and of sonoran-pushctl fails once in turn: who ends says why, and loses nothing."""

import contextlib

import pytest
from calls import Calls
from ctl_tools import ctl
from harness import PATIENCE_S, Daemon, call911, config, wait_for
from store import call_ids
from torture import ALL, MOST, SAMPLE

VERBS = [["status"], ["events"], ["doctor"], ["story", "911:1"], ["stats"], ["duty"], ["actions"], ["board", "--once"]]


@pytest.fixture
def calls(tmp_path):
    return Calls(tmp_path)


def in_turn(calls, run):
    """run(n, way) for calls that are evenly spread, or for all of them; it gives what failed."""
    hits = list(all_hits(calls, run) if ALL else sampled_hits(calls, run))
    assert any(hits), "nothing failed"


def all_hits(calls, run):
    for way in range(calls.ways):
        n = 0
        while hit := run(n, way):
            yield hit
            n += 1
            assert n < MOST, "it has no end"


def sampled_hits(calls, run):
    assert not run(MOST, 0), "it has no end"
    count = calls.n_calls()
    assert 0 < count < MOST
    for i in range(SAMPLE):
        yield run(i * count // SAMPLE, i)


def test_start(tmp_path, calls):
    """It serves, or ends with a sentence; a start after it serves."""

    def run(n, way):
        folder = tmp_path / f"start{n}-{way}"
        calls.fail(n, way)
        daemon = Daemon(folder, config(), env=calls.env)
        wait_for(lambda: daemon.process.poll() is not None or daemon.ready(), "its start, or its end")
        hit, serves = calls.end(), False
        with contextlib.suppress(ConnectionError):
            serves = bool(daemon.ready()) and daemon.serves()
        if not serves:
            daemon.exit_status = daemon.process.wait(PATIENCE_S)
            assert daemon.exit_status in (1, 78) and daemon.stop().lines(), (n, way, hit)
        elif daemon.stop().find_line("the main loop failed"):  # it served, and main was not at its end yet
            daemon.exit_status = 1
        daemon.finish()
        again = Daemon(tmp_path / f"again{n}-{way}", config(store={"path": str(folder / "events.db")}))
        try:
            assert again.wait_ready().serves(), (n, way, hit)
        finally:
            again.finish()
        return hit

    in_turn(calls, run)


def test_stop(tmp_path, calls):
    """It ends, and what was answered is in the log."""

    def run(n, way):
        folder = tmp_path / f"stop{n}-{way}"
        daemon = Daemon(folder, config(), env=calls.env).wait_ready()
        assert [daemon.post(call911(i)).status for i in (1, 2, 3)] == [200] * 3
        calls.fail(n, way)
        daemon.process.terminate()
        daemon.exit_status = daemon.process.wait(PATIENCE_S)
        hit = calls.end()
        daemon.finish()
        assert daemon.exit_status in (0, 1), (n, way, hit)
        assert call_ids(folder / "events.db") == [1, 2, 3], (n, way, hit)
        return hit

    in_turn(calls, run)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_ctl(start, calls, verb):
    """It has its answer, or says what failed."""
    daemon = start()
    assert daemon.post(call911(1, caller="Ann")).status == 200

    def run(n, way):
        calls.fail(n, way)
        done = ctl("-c", daemon.file, *verb, env=calls.env)
        hit = calls.end()
        assert done.returncode >= 0, (n, way, hit, done.returncode)
        assert done.returncode == 0 or done.stdout or done.stderr, (n, way, hit)
        return hit

    in_turn(calls, run)
