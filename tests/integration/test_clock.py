"""A wall clock that jumps while the daemon runs: nothing is deleted for it, and no wait gets longer."""

import pytest
from ctl_tools import ctl
from harness import call911, event, wait_for
from store import array_of, numbers, read

DAY_S = 24 * 3600
CLOCK = "5c1f0a5be1f44d0f9c2b1f6d3a7e4b20"
LIFE = "5c1f0a5be1f44d0f9c2b1f6d3a7e4b22"

def told(daemon):
    return [r["message"] for r in daemon.records() if r.get("message_id") == CLOCK]


def trim(daemon):
    """A reload makes it look for old events at once; the next one is noticed when that is done."""
    for _ in range(2):
        daemon.reload()


@pytest.mark.parametrize("days", [31, 10_000])
def test_ahead(on, path, clock, days):
    daemon = on(env=clock.env)
    assert daemon.post(array_of(50)).status == 200
    trim(daemon)
    clock.ahead(days * DAY_S)
    assert daemon.post(call911(1)).status == 200
    trim(daemon)
    daemon.wait_line(CLOCK)
    clock.ahead(0)
    trim(daemon)
    wait_for(lambda: len(told(daemon)) == 2, "the way back")
    assert daemon.post(call911(2)).status == 200
    daemon.stop()
    assert numbers(path) == list(range(1, 53))
    assert [f"{days} days ahead" in told(daemon)[0], f"back by {days} days" in told(daemon)[1]] == [True, True]


def test_ahead_over_a_restart(on, path, clock):
    """Behind the jump the newest event agrees with the clock, and the next daemon is no wiser."""
    first = on(env=clock.env)
    assert first.post(array_of(50)).status == 200
    clock.ahead(31 * DAY_S)
    assert first.post(call911(1)).status == 200
    first.stop()
    second = on(env=clock.env)
    trim(second)
    assert second.post(call911(2)).status == 200
    second.stop()
    assert numbers(path) == list(range(1, 53))


def leave_an_old_log(on, clock):
    """With one event, of long ago by a clock that is right."""
    clock.ahead(-1000 * DAY_S)
    daemon = on(env=clock.env)
    assert daemon.post(call911(1)).status == 200
    daemon.stop()
    clock.ahead(0)


def test_quiet_and_a_restart(on, path, clock):
    """Nobody can tell that from a clock that is ahead: it is said, but is no warning, and nothing is deleted."""
    leave_an_old_log(on, clock)
    daemon = on(env=clock.env)
    trim(daemon)
    daemon.wait_line(CLOCK)
    daemon.stop()
    [record] = [r for r in daemon.records() if r.get("message_id") == CLOCK]
    assert record["priority"] == 6
    assert "days before this machine was started, or the clock is so far ahead" in record["message"]
    assert numbers(path) == [1]


def test_an_old_copy(on, path, clock, tmp_path):
    """Put back, it is told once, with both lives, and is no news of the clock."""
    leave_an_old_log(on, clock)
    copy = tmp_path / "copy.db"
    for verb in "backup", "restore":
        assert ctl(verb, copy, "--store", path).returncode == 0
    (before, _), (now, first_id) = read(path, "SELECT log, first_id FROM lives ORDER BY first_id")
    daemon = on(env=clock.env)
    trim(daemon)
    assert daemon.post(call911(2)).status == 200
    daemon.stop()
    again = on(env=clock.env)
    again.stop()
    lines = [[(r["priority"], r["message"]) for r in d.records() if r.get("message_id") == LIFE] for d in (daemon, again)]
    line = f"the event log was put back from a copy: from event 2 on it has a new life, {now}; the one before was {before}"
    assert lines == [[(5, line)], []] and first_id == 2
    assert told(daemon) == [] and numbers(path) == [1, 2]


def saved(path):
    return read(path, "SELECT event_id FROM cursors WHERE action = '-log'") == [(1,)]


@pytest.mark.parametrize("hours", [-1, 1])
def test_waits(on, path, clock, hours):
    """What is to be written a second later is written a second later, and the end is no disk that does not answer."""
    daemon = on(env=clock.env)
    clock.ahead(hours * 3600)
    assert daemon.post(event()).status == 200
    wait_for(lambda: saved(path), "the place of the log")
    clock.ahead(0)
    daemon.stop()
    assert not [r for r in daemon.records() if "does not answer" in r["message"]]


def test_state_over_a_jump(on, clock):
    """Units are known by the events of the last day before the newest one, before and after a restart."""
    unit = {"id": 4127, "status": 2, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}
    first = on(env=clock.env)
    assert first.post(event("EVENT_UNIT_LOGIN", {"unit": unit})).status == 200
    clock.ahead(40 * DAY_S)
    first.stop()
    second = on(env=clock.env)
    assert second.post(event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 3})).status == 200
    assert "3-L-27" in second.stop().events()[-1]["message"]
