"""The daemon as systemd sees it: what it is told, the watchdog. Sockets: test_listeners.py."""

import re
import time
from datetime import datetime, timedelta

import harness
import pytest
from disk import STALL, SYNC
from harness import call911, event, wait_for



FAST_WATCHDOG = {"WATCHDOG_USEC": "400000"}  # where it does not matter that a slow machine misses an interval
SLOW_WATCHDOG = {"WATCHDOG_USEC": "2000000"}


def test_life(systemd, start):
    daemon = start(env=systemd.env)
    assert systemd.wait("READY=1").startswith("READY=1\nSTATUS=Listening for push events, 0 in the log")
    daemon.reload()
    reloading = systemd.wait("RELOADING=1")
    assert re.search(r"MONOTONIC_USEC=\d+", reloading)
    after = systemd.said().index(reloading)
    systemd.wait("READY=1", since=after)
    daemon.stop()
    assert systemd.said()[-1] == "STOPPING=1"


def test_bad_reload_is_ready_again(systemd, start):
    daemon = start(env=systemd.env)
    systemd.wait("READY=1")
    daemon.reload("nonsense")
    after = systemd.said().index(systemd.wait("RELOADING=1"))
    systemd.wait("READY=1", since=after)


def test_watchdog(systemd, start):
    """Fed as long as everything gets on, which it does without a request as well; the status is fresh."""
    daemon = start(env={**systemd.env, **FAST_WATCHDOG})
    wait_for(lambda: systemd.said().count("WATCHDOG=1") >= 3, "a watchdog that is fed")
    assert daemon.post(call911()).status == 200
    systemd.wait("STATUS=Listening for push events, 1 in the log")


def test_pause(systemd, start):
    """A machine that stood still for many intervals: the looks that were missed do not come all at once, in which nobody
    can have got on, and the watchdog is fed again."""
    daemon = start(env={**systemd.env, **FAST_WATCHDOG})
    wait_for(lambda: systemd.said().count("WATCHDOG=1") >= 3, "a watchdog that is fed")
    with daemon.stopped():
        resume_ns = time.monotonic_ns() + 2_000_000_000
        wait_for(lambda: time.monotonic_ns() > resume_ns, "ten intervals")
    fed = systemd.said().count("WATCHDOG=1")
    wait_for(lambda: systemd.said().count("WATCHDOG=1") >= fed + 3, "a watchdog that is fed")
    stuck = [r for r in daemon.stop().records() if "does not get on" in r["message"]]  # of a slow machine, now and then
    for who in {r["message"] for r in stuck}:
        times = [datetime.fromisoformat(r["time"].replace("Z", "+00:00")) for r in stuck if r["message"] == who]
        assert all(after - before > timedelta(milliseconds=100) for before, after in zip(times, times[1:])), stuck


def test_status_names_actions_that_fail(systemd, start):
    dead = {"name": "bot", "type": "forward", "url": "http://127.0.0.1:1/"}
    daemon = start(env={**systemd.env, **FAST_WATCHDOG}, actions=[dead])
    assert daemon.post(call911()).status == 200
    systemd.wait(r"STATUS=.*not delivering: bot \(1 behind\)")


def test_status_names_actions_that_are_off(systemd, start):
    """With the reason, which is no message to systemd."""
    gone = {"name": "siren", "type": "exec", "command": ["/no/such\nMAINPID=1"]}
    start(env={**systemd.env, **FAST_WATCHDOG}, actions=[gone])
    systemd.wait(r"STATUS=.*not delivering: siren \(0 behind, off: command: expected a program, but /no/such\\n")
    assert not any(re.search("^MAINPID", message, re.MULTILINE) for message in systemd.said())


def test_writer_that_hangs(systemd, start, disk):
    """It is named, and the watchdog is not fed until it gets on."""
    daemon = start(env={**systemd.env, **SLOW_WATCHDOG, **disk.env}, limits={"request_time": "10min"})
    with daemon.connect() as client:
        disk.begin(STALL, calls=1 << SYNC)
        client.send(harness.request(call911()))
        wait_for(lambda: disk.get("n_hits"), "a sync")
        daemon.wait_line("the writer does not get on", since=len(daemon.lines()))
        hanging = len(systemd.said())
        daemon.wait_line("the writer does not get on", since=len(daemon.lines()))
        assert "WATCHDOG=1" not in systemd.said()[hanging:]
        disk.end()
        assert client.answer().status == 200
    systemd.wait("WATCHDOG=1", since=len(systemd.said()))


def test_no_watchdog_no_feeding(systemd, start):
    daemon = start(env=systemd.env)
    assert daemon.post(call911()).status == 200
    daemon.stop()
    assert "WATCHDOG=1" not in systemd.said()


def test_silence(systemd, start):
    daemon = start(env={**systemd.env, **FAST_WATCHDOG}, log={"silence": "300ms"})
    assert "doctor" in daemon.wait_line("no event for 0 minutes")
    fed = systemd.said().count("WATCHDOG=1")
    wait_for(lambda: systemd.said().count("WATCHDOG=1") >= fed + 3, "three more looks")
    assert sum("no event for" in line for line in daemon.lines()) == 1
    assert daemon.post(event()).status == 200
    wait_for(lambda: sum("no event for" in line for line in daemon.lines()) == 2, "the next silence")


def test_silence_by_a_wrong_clock(systemd, start, clock):
    """A clock that jumps ahead is no silence, and one that goes back does not end it."""
    daemon = start(env={**systemd.env, **FAST_WATCHDOG, **clock.env}, log={"silence": "1h"})
    assert daemon.post(event()).status == 200

    def look():
        fed = systemd.said().count("WATCHDOG=1")
        wait_for(lambda: systemd.said().count("WATCHDOG=1") >= fed + 3, "three more looks")

    look()
    clock.ahead(30 * 24 * 3600)
    look()
    assert not any("no event for" in line for line in daemon.lines())
    clock.ahead(-24 * 3600, 3600)
    daemon.wait_line(r"no event for 6\d minutes")
