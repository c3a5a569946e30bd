"""The start: what is read of the log, how it is stopped, and what it says where it fails."""

import contextlib
import os
import re
import signal
import socket

import harness
import pytest
from harness import event
from store import array_of, change, kill

DAY_US = 24 * 3600 * 1_000_000
READ_AGAIN = re.compile(r"(\d+) events of the last 24 hours read again")
STARTED = "5c1f0a5be1f44d0f9c2b1f6d3a7e4b05"


def read_again(daemon):
    return int(READ_AGAIN.search(daemon.wait_line(READ_AGAIN.pattern))[1])


def test_only_the_last_day_is_read(on, path):
    """Counted from the newest event: how long the daemon was away does not matter."""
    first = on()
    assert first.post(array_of(1000)).status == 200
    first.stop()
    change(path, "UPDATE events SET received_at = received_at - 40 * ?", DAY_US)
    change(path, "UPDATE events SET received_at = received_at - 2 * ? WHERE id <= 900", DAY_US)
    assert read_again(on()) == 100


def test_damage_that_nobody_meets(on, path):
    """After an unclean end too: the file is not read whole, so what is old may be whatever it is."""
    first = on()
    assert first.post(array_of(300, x="x" * 500)).status == 200
    assert first.post(event()).status == 200
    first.stop()
    change(path, "UPDATE events SET received_at = received_at - 2 * ? WHERE id <= 300", DAY_US)
    second = on()
    assert second.post(event()).status == 200
    kill(second)
    assert os.path.getsize(f"{path}-wal") > 0
    with open(path, "r+b") as file:
        file.seek(12 * 4096)
        file.write(b"\xa5" * 4096)
    third = on()
    assert read_again(third) == 2 and third.serves()


def fill_up(systemd):
    """A socket that takes no more messages: whoever sends one waits until they are read."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, contextlib.suppress(BlockingIOError):
        sender.setblocking(False)
        while True:
            sender.sendto(b"full", systemd.getsockname())


def messages(systemd):
    """What was sent to it, in the order; the sender has ended."""
    systemd.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            yield systemd.recv(4096)


def test_stopped_while_it_reads(on, path, tmp_path):
    """Held where it first asks systemd for more time, it is asked to end."""
    first = on()
    assert first.post(array_of(1000)).status == 200
    first.stop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        fill_up(systemd)
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        daemon = harness.Daemon(tmp_path / "second", harness.config(store={"path": str(path)}), env=env)
        daemon.wait_line(STARTED)
        daemon.process.send_signal(signal.SIGTERM)
        systemd.settimeout(harness.PATIENCE_S)
        while (message := systemd.recv(4096)) == b"full":
            pass
        assert re.fullmatch(rb"EXTEND_TIMEOUT_USEC=\d+", message)
        daemon.finish()  # with 0
        assert not [m for m in messages(systemd) if b"READY" in m]
    assert not daemon.ready() and not [line for line in daemon.lines() if READ_AGAIN.search(line)]
    assert "stopped" in daemon.records()[-1]["message"]


STATE_DIRECTORIES = ["{0}/var/sonoran-pushd", "{0}/added:{0}/var/sonoran-pushd:{0}/more", "{0}/var/sonoran-pushd:{0}/x"]


@pytest.mark.parametrize("folders", STATE_DIRECTORIES)
def test_a_list_of_state_directories(start, tmp_path, folders):
    """A drop-in that adds StateDirectory= makes it a list."""
    for folder in "added", "more", "var/sonoran-pushd", "x":
        (tmp_path / folder).mkdir(parents=True)
    start(env={"STATE_DIRECTORY": folders.format(tmp_path)})
    assert (tmp_path / "var/sonoran-pushd/events.db").exists()


def test_the_first_of_state_directories(start, tmp_path):
    (tmp_path / "a").mkdir()
    start(env={"STATE_DIRECTORY": f"{tmp_path}/a:{tmp_path}/b"})
    assert (tmp_path / "a/events.db").exists()
