"""Listeners: the port stands in the file alone. Sockets outlive the daemon in systemd's store, change at a reload, and an
old port never stays open and deaf."""

import contextlib
import os
import socket
import subprocess
import sys

import harness
import pytest
from ctl_tools import ctl
from harness import PATIENCE_S, config, event, free_port, request, wait_for
from manager import Activated


def listener(name, port, host="127.0.0.1"):
    return {"name": name, "address": f"{host}:{port}"}


def file(*listeners, **changes):
    return config(listeners=list(listeners), **changes)


def answers(port, host="127.0.0.1"):
    """Does it answer, with 200? False: refused."""
    try:
        with socket.create_connection((host, port), PATIENCE_S) as client:
            client.sendall(request(event()))
            assert client.recv(100).startswith(b"HTTP/1.1 200"), "deaf"
    except ConnectionRefusedError:
        return False
    return True


def came_by(daemon, *names):
    wait_for(lambda: len(daemon.events()) == len(names), "the events")
    assert {e["listener"] for e in daemon.events()} == set(names)


@pytest.fixture
def run(tmp_path, systemd):
    """run(text, sockets=…) starts a daemon with what systemd has stored, and with other sockets."""
    daemons = []

    def run(text, sockets=(), ready=True):
        systemd.said()
        daemon = Activated(tmp_path / f"daemon{len(daemons)}", [*sockets, *systemd.stored], text, systemd.env)
        daemons.append(daemon)
        return daemon.wait_ready(text.count("address")) if ready else daemon

    yield run
    for daemon in daemons:
        daemon.finish()


def listening():
    return socket.create_server(("127.0.0.1", 0))


# Over restarts


def test_stored(run, systemd):
    one, two = free_port(), free_port()
    run(file(listener("main", one), listener("second", two)))
    assert systemd.ports() == {"listener-main": one, "listener-second": two}


def test_waits_for_the_next_daemon(run, systemd):
    """What connects between two daemons waits in the queue and is answered by the next one, whose store is the same."""
    port = free_port()
    text = file(listener("main", port))
    for end in "stop", "kill":
        daemon = run(text)
        systemd.said()
        daemon.exit_status = 0 if end == "stop" else -9
        daemon.stop() if end == "stop" else daemon.stop(9)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(request(event()))
            run(text).wait_ready()
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        assert systemd.ports() == {"listener-main": port} and len(systemd.stored) == 1


def test_port_changed_between(run, systemd):
    """The old port is refused from then on, also where the new one cannot be had."""
    old, new = free_port(), free_port()
    run(file(listener("main", old))).stop()
    assert answers_or_waits(old)
    with socket.create_server(("127.0.0.1", new)):
        daemon = run(file(listener("main", new)), ready=False)
        daemon.exit_status = 1
        daemon.process.wait(PATIENCE_S)
        assert not answers(old) and systemd.names() == []
    run(file(listener("main", new)))
    assert answers(new) and not answers(old) and systemd.ports() == {"listener-main": new}


def answers_or_waits(port):
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), PATIENCE_S):
        return True
    return False


def test_names_changed_between(run, systemd):
    """A port that is still wanted stays open, whatever its name is now."""
    one, two = free_port(), free_port()
    run(file(listener("a", one), listener("b", two))).stop()
    run(file(listener("b", one), listener("a", two)))
    assert systemd.ports() == {"listener-b": one, "listener-a": two}
    assert answers(one) and answers(two)
    assert {socket_.fileno() for _, socket_ in systemd.stored} and len(systemd.stored) == 2


# At a reload


def test_second_listener_comes_and_goes(run, systemd):
    one, two = free_port(), free_port()
    daemon = run(file(listener("main", one)))
    daemon.reload(file(listener("main", one), listener("second", two)))
    assert answers(one) and answers(two)
    assert systemd.ports() == {"listener-main": one, "listener-second": two}
    came_by(daemon, "main", "second")
    daemon.reload(file(listener("main", one)))
    assert answers(one) and not answers(two)
    assert systemd.ports() == {"listener-main": one}


def test_port_changed(run, systemd):
    """Connections that are open stay."""
    old, new = free_port(), free_port()
    daemon = run(file(listener("main", old)))
    with daemon.connect() as client:
        assert client.ask(request(event())).status == 200
        daemon.reload(file(listener("main", new)))
        assert answers(new) and not answers(old)
        assert client.ask(request(event())).status == 200
    assert systemd.ports() == {"listener-main": new}


def test_overlapping_addresses(run, systemd):
    """The same port on other addresses: the old socket is in the way, and is our own."""
    port = free_port()
    for host in "[::]", "127.0.0.1", "0.0.0.0", "[::]":
        text = file(listener("main", port, host))
        daemon = daemon.reload(text) and daemon if host != "[::]" or systemd.names() else run(text)
        assert answers(port) and answers(port, "::1") == (host == "[::]")
        assert systemd.ports() == {"listener-main": port}


def test_names_swapped(run, systemd):
    one, two = free_port(), free_port()
    daemon = run(file(listener("a", one), listener("b", two)))
    daemon.reload(file(listener("b", one), listener("a", two)))
    assert answers(one)
    came_by(daemon, "b")
    assert systemd.ports() == {"listener-b": one, "listener-a": two}


def test_taken_port_refuses_the_file(run, systemd):
    """As a whole: nothing of it counts, the old listeners hear, and what was opened for it is closed again."""
    old, new = free_port(), free_port()
    daemon = run(file(listener("main", old, "[::]")))
    with listening() as door:
        taken = door.getsockname()[1]
        bad = file(listener("main", old), listener("new", new), listener("taken", taken), paths=["/other"])
        lines = daemon.reload(bad)
        assert any(f"127.0.0.1:{taken}" in line and "listener taken" in line for line in lines), lines
        assert answers(old) and answers(old, "::1") and not answers(new)
    assert systemd.ports() == {"listener-main": old}


def test_many_reloads_under_load(run, systemd):
    """A listener that stays answers everything while others come and go."""
    port, others = free_port(), [free_port() for _ in range(3)]
    daemon = run(file(listener("main", port)))
    poster = subprocess.Popen([sys.executable, "-c", POSTER, str(port), request(event()).decode()],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for i in range(30):
        daemon.reload(file(listener("main", port), *(listener(f"o{i}{k}", others[k]) for k in range(i % 4))))
    good, bad = map(int, poster.communicate("\n", timeout=PATIENCE_S)[0].split())
    assert good and not bad
    assert systemd.ports()["listener-main"] == port


POSTER = """
import select, socket, sys
good = bad = 0
while not select.select([0], [], [], 0)[0]:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as client:
            client.sendall(sys.argv[2].encode())
            good += client.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        bad += 1
print(good, bad)
"""


# An administrator's own .socket


def test_lent(run, systemd):
    """Used under its name, and not ours to keep; a listener beside it is."""
    door, own = listening(), free_port()
    lent = door.getsockname()[1]
    daemon = run(file(listener("own", own), listener("lent", lent)), [("lent", door)])
    assert answers(lent) and answers(own)
    came_by(daemon, "lent", "own")
    assert systemd.ports() == {"listener-own": own}
    lines = daemon.reload(file(listener("own", own), listener("lent", free_port())))
    assert any("its .socket unit listens on" in line for line in lines), lines
    assert answers(lent)


@pytest.mark.parametrize(("name", "words"), [("lent", "its .socket unit listens on"), ("other", "no listener is called so")])
def test_lent_that_differs(run, systemd, name, words):
    """The start ends with a sentence that has both, and no restart would heal it."""
    with listening() as door:
        daemon = run(file(listener("lent", free_port())), [(name, door)], ready=False)
        daemon.exit_status = 78
        daemon.process.wait(PATIENCE_S)
        assert f"127.0.0.1:{door.getsockname()[1]}" in daemon.wait_line(words)


def test_socket_of_another_kind(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        daemon = run(config(), [("main", udp)])
        daemon.wait_line("main, which is no listening TCP socket: closed")
        assert daemon.serves("127.0.0.1")


# Taken


def test_who_has_the_port(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", "import socket, sys; d = socket.create_server(('', 0));"
                               "print(d.getsockname()[1], flush=True); sys.stdin.read()"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        port = int(holder.stdout.readline())
        daemon = harness.Daemon(tmp_path / "daemon", file(listener("main", port, "[::]")))
        daemon.exit_status = 1
        daemon.process.wait(PATIENCE_S)
        with open(f"/proc/{holder.pid}/comm", encoding="ascii") as comm:
            name = comm.read().strip()
        daemon.wait_line(rf"cannot listen on \[::\]:{port}: {name} \(process {holder.pid}\) has this port already")
        holder.stdin.close()
    daemon.finish()


def test_low_port(tmp_path):
    """Where one is refused, the line says what to do."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as start:
        if int(start.read()) <= 1:
            pytest.skip("every port is free for all here")
    setpriv = [] if os.geteuid() else ["setpriv", "--inh-caps=-net_bind_service", "--bounding-set=-net_bind_service"]
    daemon = harness.Daemon(tmp_path / "daemon", file(listener("main", 1)), wrapper=setpriv)
    daemon.exit_status = 1
    daemon.process.wait(PATIENCE_S)
    daemon.wait_line("cannot listen on 127.0.0.1:1: Permission denied; a port below 1024 takes.*CAP_NET_BIND_SERVICE")
    daemon.finish()




# Whose connections are taken


def own_address():
    """Of this machine, and none of its loopback. A connection from there to the loopback is one from elsewhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_:
        try:
            any_.connect(("192.0.2.1", 9))
            address = any_.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    return address


def connect_from(address, daemon):
    return socket.create_connection(daemon.address, PATIENCE_S, (address, 0))


def wait_closed(client):
    """What it has still to say is read."""
    with contextlib.suppress(ConnectionResetError):
        while client.recv(4096):
            pass


def allowing(*networks):
    return config(listeners=[{"name": "main", "address": "127.0.0.1:0", "allow": list(networks)}])


def test_allow(start):
    address = own_address()
    daemon = start(text=allowing("203.0.113.0/24"))
    for _ in range(3):
        with connect_from(address, daemon) as stranger:
            wait_closed(stranger)
    daemon.wait_line(f"refused a request from {address}: its address is not in allow of the listener")
    assert daemon.serves("127.0.0.1")
    assert "3 from addresses that are not in allow" in ctl("-c", daemon.file, "status").stdout


def test_allow_after_a_reload(start):
    """What was open of who may no longer connect is closed; who may, stays."""
    address = own_address()
    daemon = start(text=allowing("203.0.113.0/24", f"{address}/32"))
    with connect_from(address, daemon) as other, connect_from("127.0.0.1", daemon) as here:
        for client in (other, here):
            client.sendall(request(event()))
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        daemon.reload(allowing("203.0.113.0/24"))
        wait_closed(other)
        here.sendall(request(event()))
        assert here.recv(4096).startswith(b"HTTP/1.1 200")


def test_own_address_is_this_machine(start):
    address = own_address()
    daemon = start(text=config(listeners=[{"name": "main", "address": "0.0.0.0:0", "allow": ["203.0.113.7"]}]))
    with socket.create_connection((address, daemon.address[1]), PATIENCE_S) as here:
        here.sendall(request(event()))
        assert here.recv(100).startswith(b"HTTP/1.1 200")
