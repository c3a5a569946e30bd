"""The daemon as systemd sees it: what it is told, the sockets it hands over, the watchdog."""

import os
import re
import socket

import harness
import pytest
from disk import STALL, SYNC
from harness import call911, event, wait_for


class Systemd:
    """The notify socket. Remembers every message."""

    def __init__(self, path):
        self.path, self.messages = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    @property
    def env(self):
        return {"NOTIFY_SOCKET": str(self.path)}

    def said(self):
        try:
            while True:
                self.messages.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return self.messages

    def wait(self, pattern, since=0):
        """The first message from number since on in which the pattern is found."""
        return wait_for(
            lambda: next((m for m in self.said()[since:] if re.search(pattern, m)), None), f"{pattern} from the daemon"
        )


@pytest.fixture
def systemd(tmp_path):
    return Systemd(tmp_path / "notify")


FAST_WATCHDOG = {"WATCHDOG_USEC": "400000"}


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


def test_status_names_actions_that_fail(systemd, start):
    dead = {"name": "bot", "type": "forward", "url": "http://127.0.0.1:1/"}
    daemon = start(env={**systemd.env, **FAST_WATCHDOG}, actions=[dead])
    assert daemon.post(call911()).status == 200
    systemd.wait(r"STATUS=.*not delivering: bot \(1 behind\)")


def test_writer_that_hangs(systemd, start, disk):
    """It is named, and the watchdog is not fed until it gets on."""
    daemon = start(env={**systemd.env, **FAST_WATCHDOG, **disk.env})
    with daemon.connect() as client:
        disk.begin(STALL, calls=1 << SYNC)
        client.send(harness.request(call911()))
        daemon.wait_line("the writer does not get on")
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


# Sockets


def handed_over(sockets):
    """A command in front of the daemon that becomes it, with these sockets {name: socket} as systemd passes them."""
    names = ":".join(sockets)
    moves = " ".join(f"{3 + i}<&{s.fileno()}" for i, s in enumerate(sockets.values()))
    script = f'export LISTEN_PID=$$ LISTEN_FDS={len(sockets)} LISTEN_FDNAMES={names}; exec "$@" {moves}'
    return ["bash", "-c", script, "bash"]


class Activated(harness.Daemon):
    def __init__(self, folder, sockets, **changes):
        for each in sockets.values():
            os.set_inheritable(each.fileno(), True)
        super().__init__(folder, harness.config(**changes), wrapper=handed_over(sockets), close_fds=False)
        self.wait_ready(len(changes.get("listeners", [1])))


@pytest.fixture
def activated(tmp_path):
    daemons = []

    def activated(sockets, **changes):
        daemons.append(Activated(tmp_path / f"daemon{len(daemons)}", sockets, **changes))
        return daemons[-1]

    yield activated
    for daemon in daemons:
        daemon.finish()


def listening():
    return socket.create_server(("127.0.0.1", 0))


def test_sockets_by_name(activated):
    one, two = listening(), listening()
    listeners = [{"name": name, "address": f"127.0.0.1:{port}"} for port, name in enumerate(("first", "second"), 1)]
    daemon = activated({"second": two, "first": one}, listeners=listeners)
    ports = [port for _, port in daemon.ready()]
    assert ports == [one.getsockname()[1], two.getsockname()[1]]
    assert daemon.serves("127.0.0.1")
    with socket.create_connection(two.getsockname()) as client:
        client.sendall(harness.request(event()))
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    wait_for(lambda: [record["listener"] for record in daemon.events()] == ["first", "second"], "both events")


def test_socket_outlives_the_daemon(activated):
    """What connects between two daemons waits in the queue and is answered by the next one."""
    door = listening()
    activated({"main": door}).stop()
    with socket.create_connection(door.getsockname()) as client:
        client.sendall(harness.request(event()))
        activated({"main": door})
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_socket_that_nobody_is_called_like(activated):
    daemon = activated({"other": listening()})
    daemon.wait_line("a socket called other .* but no listener is called so: closed")
    assert daemon.serves("127.0.0.1")


def test_socket_of_another_kind(activated):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        daemon = activated({"main": udp})
        daemon.wait_line("main, which is no listening TCP socket: closed")
        assert daemon.serves("127.0.0.1")
