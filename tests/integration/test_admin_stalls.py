"""A disk on which a read of whoever watches stalls: a reload and the end do not wait for it."""

import contextlib
import http.client
import threading

import pytest
from ctl_tools import ask_socket
from disk import READ, STALL, WAL
from harness import KEY, call911, config, wait_for

NEW = [{"name": "default", "api_key": KEY}, {"name": "sands", "api_key": "OTHER-API-KEY-0000"}]


@pytest.fixture
def watcher(on, path, disk):
    """(daemon, thread): its admin side reads the log, and does not come back before disk.end()."""
    daemon = on(env=disk.env)
    daemon.secrets.add(NEW[1]["api_key"])
    for number in range(3):
        assert daemon.post(call911(number + 1)).status == 200
    disk.begin(STALL, calls=1 << READ, kinds=1 << WAL)

    def watch():
        with contextlib.suppress(OSError, http.client.HTTPException):  # at the end nobody is answered
            ask_socket(f"{path}.control", "GET", "/api/events?from=0")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    wait_for(lambda: disk.get("n_hits"), "a read")
    yield daemon, thread
    disk.end()


def communities(path):
    _, _, told = ask_socket(f"{path}.control", "GET", "/api/state")
    return [community["name"] for community in told["communities"]]


def test_reload(watcher, path, disk):
    """What comes is taken under the new configuration at once, and shown under it as soon as the disk answers."""
    daemon, thread = watcher
    lines = daemon.reload(config(store={"path": str(path)}, communities=NEW))
    assert any("the board and the control socket wait for the disk" in line for line in lines)
    assert daemon.post(call911(9) | {"key": NEW[1]["api_key"]}).status == 200
    disk.end()
    thread.join()
    wait_for(lambda: communities(path) == ["default", "sands"], "the new configuration")


def test_the_end(watcher):
    daemon, _ = watcher
    assert daemon.post(call911(9)).status == 200
    daemon.exit_status = 1
    daemon.stop()
    assert "the disk does not answer: ended without it" in daemon.tail()
