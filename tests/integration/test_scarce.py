"""When connections, bytes or descriptors run out: who holds most gives way, and who has the key does not notice."""

import contextlib
import socket
import time
from pathlib import Path

import pytest
from ctl_tools import status_of, store_of
from harness import OTHER_CLIENT, Daemon, as_bytes, call911, config, event, request, wait_for

OK = as_bytes(event())
SENDER = "127.0.1.1"
STRANGER = "127.0.0.2"
STRANGERS = [f"127.0.0.{i}" for i in range(20, 40)]
MIB = 1 << 20


def half_open(daemon, source, part=0.5):
    """A request that stays incomplete."""
    client = daemon.connect(source)
    client.send(request(OK)[: int(len(request(OK)) * part)])
    return client


def ended(client):
    """The daemon has ended it, with or without a reset."""
    with contextlib.suppress(ConnectionError):
        return client.socket.recv(1) == b""
    return True


@pytest.mark.parametrize("known", [True, False])
def test_100_events_at_a_time(start, known):
    """All are answered, more than connections_per_ip: who was not known before waits for the first answer."""
    daemon = start(limits={"connections_per_ip": 20})
    if known:
        assert daemon.post(event(), source=SENDER).status == 200
    clients = [daemon.connect(SENDER) for _ in range(100)]
    data = [request(call911(i)) for i in range(100)]
    for client, whole in zip(clients, data):
        client.send(whole[:-20])
    assert daemon.serves()
    for client, whole in zip(clients, data):
        client.send(whole[-20:])
    assert [client.answer().status for client in clients] == [200] * 100


def test_1100_half_open_requests(start):
    """From 20 addresses, each below every default limit."""
    daemon = start(limits={"request_time": "10min"})
    strangers = [half_open(daemon, source, 0.1 + i / 100) for i in range(55) for source in STRANGERS]
    for i in range(50):
        assert daemon.post(call911(i), source=SENDER).status == 200
    assert status_of(daemon)["requests"]["connections"] >= 1100 + 1 - 1024
    for stranger in strangers:
        stranger.close()


def test_the_oldest_of_who_holds_most(start):
    """And nobody else, once one has gone."""
    daemon = start(limits={"connections": 6})
    few = [half_open(daemon, OTHER_CLIENT)]
    many = [half_open(daemon, STRANGER) for _ in range(5)]
    with daemon.connect(SENDER) as client:
        assert client.ask(request(OK)).status == 200
        assert ended(many[0])
        assert client.ask(request(OK)).status == 200
    rest = request(OK)[len(request(OK)) // 2 :]
    assert [client.ask(rest).status for client in few + many[1:]] == [200] * 5


def test_the_oldest_of_those_who_come_at_once(start):
    """All are there before the daemon looks: the newest is not the one to go."""
    daemon = start(limits={"connections": 6})
    with daemon.stopped():
        many = [half_open(daemon, STRANGER) for _ in range(6)]
        client = daemon.connect(SENDER)
        client.send(request(OK))
    assert client.answer().status == 200
    assert ended(many[0])
    rest = request(OK)[len(request(OK)) // 2 :]
    assert [client.ask(rest).status for client in many[1:]] == [200] * 5
    client.close()


def test_known_connections_stay(start):
    """All connections are those of one with the key: nobody ends them, others wait or are turned away."""
    daemon = start(limits={"connections": 10})
    assert daemon.post(event(), source=SENDER).status == 200
    clients = [half_open(daemon, SENDER) for _ in range(10)]
    strangers = [daemon.connect(STRANGER) for _ in range(30)]
    more = [half_open(daemon, SENDER) for _ in range(5)]
    rest = request(OK)[len(request(OK)) // 2 :]
    for client in clients:
        assert client.ask(rest).status == 200
        client.close()
    assert [client.ask(rest).status for client in more] == [200] * 5
    for stranger in strangers:
        stranger.close()


def test_those_who_wait_get_in(start):
    """More at a time than there may be, all of one with the key: what has become idle gives way to what waits."""
    daemon = start(limits={"connections": 10, "request_time": "60s"})
    assert daemon.post(event(), source=SENDER).status == 200
    clients = [daemon.connect(SENDER) for _ in range(10)]
    assert [client.ask(request(OK)).status for client in clients] == [200] * 10
    more = [daemon.connect(SENDER) for _ in range(30)]
    for client in more:
        client.send(request(OK))
    assert [client.answer().status for client in more] == [200] * 30


def test_idle_with_a_request_on_its_way(start):
    """It comes while the daemon is busy, as does one who needs a place: another connection gives way."""
    daemon = start(limits={"connections": 5, "request_time": "60s"})
    clients = [daemon.connect(SENDER) for _ in range(5)]
    assert [client.ask(request(OK)).status for client in clients] == [200] * 5
    large = request(call911(1, notes=["smoke"] * 300_000))
    clients[0].send(large[:-1])
    clients.append(daemon.connect(SENDER))
    assert clients[5].ask(request(OK)).status == 200 and ended(clients[1])  # so the others are idle as well
    clients[0].send(large[-1:])
    clients[2].send(request(OK))
    clients.append(daemon.connect(SENDER))
    clients[6].send(request(OK))
    assert [clients[i].answer().status for i in (0, 2, 6)] == [200] * 3


def test_waiting_for_a_place_is_not_late(start):
    """As long as others with the key keep all places busy."""
    daemon = start(limits={"connections": 2, "request_time": "4s"}, store={"durability": "normal"})
    assert daemon.post(event(), source=SENDER).status == 200
    busy = [daemon.connect(SENDER) for _ in range(2)]
    assert [client.ask(request(OK)).status for client in busy] == [200] * 2
    waiting = daemon.connect(SENDER)
    waiting.send(request(OK))
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert [client.ask(request(OK)).status for client in busy] == [200] * 2
    for client in busy:
        client.close()
    assert waiting.answer().status == 200


def test_a_lower_limit(start):
    """At a reload, with more connections open than there may be from now on."""
    daemon = start(limits={"request_time": "60s"})
    clients = [daemon.connect(SENDER) for _ in range(40)]
    assert [client.ask(request(OK)).status for client in clients] == [200] * 40
    daemon.reload(config(limits={"connections": 10, "request_time": "60s"}))
    assert daemon.serves(SENDER)
    wait_for(lambda: status_of(daemon)["connections"] <= 11, "fewer connections")


def test_bytes_give_way_too(start):
    daemon = start(limits={"body": MIB, "in_flight": 2 * MIB})
    body = OK.ljust(MIB)
    strangers = [daemon.connect(source) for source in STRANGERS[:2]]
    for stranger in strangers:
        stranger.send(request(body)[:-1])
    wait_for(lambda: status_of(daemon)["connections"] == 2, "the strangers")
    assert daemon.post(OK.ljust(MIB // 2), source=SENDER).status == 200
    assert ended(strangers[0])
    assert strangers[1].ask(b" ").status == 200
    assert "limits.in_flight is reached" in daemon.wait_line("gives way")


def test_known_bytes_stay(start):
    daemon = start(limits={"body": MIB, "in_flight": 2 * MIB})
    body = OK.ljust(MIB)
    assert daemon.post(event(), source=SENDER).status == 200
    clients = [daemon.connect(SENDER) for _ in range(2)]
    for client in clients:
        client.send(request(body)[:-1])
    answer = wait_for(lambda: next((a for a in [daemon.post(body, source=STRANGER)] if a.status == 503), None), "503")
    assert answer.text == "Busy" and int(answer.headers["Retry-After"]) > 0
    assert [client.ask(b" ").status for client in clients] == [200] * 2


def test_64_descriptors(tmp_path):
    """Said at the start; strangers who take all that they can take nothing of the daemon's own."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\ncat >/dev/null\necho delivered\n")
    program.chmod(0o755)
    action = {"name": "siren", "type": "exec", "command": [str(program)]}
    daemon = Daemon(tmp_path / "daemon", config(actions=[action]), wrapper=["prlimit", "--nofile=64:64"]).wait_ready()
    try:
        assert "at most 4 connections" in daemon.wait_line("limits.connections is 1024")
        strangers = [half_open(daemon, source) for source in STRANGERS[:10] for _ in range(6)]
        assert daemon.post(event(), source=SENDER).status == 200
        daemon.wait_line("siren: delivered")
        assert status_of(daemon)["connections"] <= 4 + 8
        daemon.reload()
        assert daemon.post(event(), source=SENDER).status == 200
        for stranger in strangers:
            stranger.close()
    finally:
        daemon.finish()


def test_256_descriptors_and_both_doors(tmp_path):
    """Strangers take their share at the board, and at the port of the events: the rest stays the daemon's."""
    daemon = Daemon(tmp_path / "daemon", config(), wrapper=["prlimit", "--nofile=256:256"]).wait_ready()
    with contextlib.ExitStack() as strangers:
        try:
            for _ in range(90):
                client = strangers.enter_context(socket.socket(socket.AF_UNIX))
                client.connect(f"{store_of(daemon)}.control")
                with contextlib.suppress(OSError):
                    client.send(b"GET /health HTTP/1.1\r\n")
            for source in STRANGERS[:13]:
                for _ in range(20):
                    strangers.callback(half_open(daemon, source).close)
            assert daemon.post(event(), source=SENDER).status == 200
            assert len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir())) <= 256 - 16
            daemon.reload()
        finally:
            daemon.finish()
