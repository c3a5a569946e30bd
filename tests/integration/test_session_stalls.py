"""A disk on which the priming's read of the log stalls: neither a reload nor the end waits for it. And one on which the
sessions' certificates do."""

import os
import signal
import socket

import pytest
from disk import READ, STALL, WAL
from harness import PATIENCE_S, RELOADED, call911, config, wait_for


@pytest.fixture
def reader(on, cad, path, disk):
    """A daemon with a session that has logged in, of which the log is read, and does not come back before disk.end()."""
    hub, daemon = cad(), on(env=disk.env)
    for number in range(3):
        assert daemon.post(call911(number + 1)).status == 200
    disk.begin(STALL, calls=1 << READ, kinds=1 << WAL)
    daemon.reload(config(store={"path": str(path)}, sessions=[hub.session(prime=True)]))
    wait_for(lambda: disk.get("n_hits"), "a read")
    yield daemon
    disk.end()


def is_ending(control):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(control) != 0


def test_the_end(reader):
    assert reader.post(call911(9)).status == 200
    reader.exit_status = 1
    reader.stop()
    assert "the disk does not answer: ended without it" in reader.tail()


def test_a_reload_without_it(reader, path, disk):
    """It goes as soon as the disk answers, also where that is after the daemon was asked to end."""
    reader.reload(config(store={"path": str(path)}))
    assert reader.post(call911(9)).status == 200
    reader.process.send_signal(signal.SIGTERM)
    wait_for(lambda: is_ending(f"{path}.control"), "it has begun to end")
    disk.end()
    reader.process.wait(PATIENCE_S)
    reader.stop()
    assert "the disk does not answer" not in reader.tail()


def test_a_reload_names_who_holds_it(start, cad, tmp_path):
    """The thread of the sessions, in a file of certificates that does not come; with it the reload goes on."""
    hub, file = cad(), tmp_path / "ca.pem"
    os.mkfifo(file)
    held = os.open(file, os.O_RDWR)
    daemon = start(sessions=[hub.session(url=hub.url.replace("http:", "https:"), ca_file=str(file))])
    daemon.configure(config(sessions=[hub.session()]))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line("the thread of the sessions does not get on; the reload waits for it")
    assert not daemon.find_line(RELOADED)
    file.unlink()
    os.close(held)
    daemon.wait_line(RELOADED)
    assert daemon.post(call911(1)).status == 200
