"""Limits at their edges, and requests that others would read differently. Found by attacking a running daemon."""

import socket

import pytest
from harness import PATH, as_bytes, event, request

OK = as_bytes(event())


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_last_place_is_a_place(start, limit):
    """The newcomer that fills the limit is served, and so are those that were there."""
    daemon = start(limits={"connections": limit})
    clients = [daemon.connect() for _ in range(limit)]
    for client in clients:
        client.send(request(OK)[:-1])
    for client in clients:
        assert client.ask(OK[-1:]).status == 200
        client.close()


def test_one_connection_after_another(start):
    daemon = start(limits={"connections": 1})
    for _ in range(5):
        assert daemon.post(event()).status == 200


@pytest.mark.parametrize(
    "path, status",
    [
        (PATH, 200),
        (PATH + "?a=b", 200),
        ("http://cad.example" + PATH, 200),
        ("http://cad.example", 404),
        ("http://cad.example/x", 404),
        ("/sonorancad%2Fevent", 404),
        (PATH + "%00/../x", 404),
        ("/%00x", 404),
        ("//", 404),
        (PATH + "/", 404),
    ],
)
def test_path_as_it_is_sent(daemon, path, status):
    with daemon.connect() as client:
        assert client.ask(request(OK, path=path)).status == status


@pytest.mark.parametrize("header", ["Content-Length : 5", "Transfer-Encoding : chunked", "X-Any\t: 1"])
def test_blank_behind_the_name_of_a_header(daemon, header):
    """Others take it for that header, so nobody may guess where the body ends."""
    with daemon.connect() as client:
        client.send(request(OK, headers=[header]) + request(OK))
        answers = client.rest()
    assert answers.startswith(b"HTTP/1.1 400") and answers.count(b"HTTP/1.1 ") == 1
    assert daemon.stop().events() == []


def test_half_closed_with_a_long_body(daemon):
    """Who says that nothing more comes is still answered for what came."""
    body = OK.ljust(900_000)
    clients = [daemon.connect() for _ in range(20)]
    for client in clients:
        client.send(request(body))
        client.socket.shutdown(socket.SHUT_WR)
    for client in clients:
        assert client.rest().startswith(b"HTTP/1.1 200")


def test_big_body_without_the_key_is_only_checked(daemon):
    """Sound or not, the key decides, and the memory of the parsed form is never taken."""
    body = as_bytes(event(key="wrong", data=[1] * 300_000))
    before_kib = peak_kib(daemon)
    assert daemon.post(body).text == "Authentication Key Failed!"
    assert daemon.post(body[:-2] + b"1 1}").text == "Invalid JSON"
    if not sanitized(daemon):
        assert peak_kib(daemon) < before_kib + 6 * 1024


def peak_kib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def sanitized(daemon):
    with open(f"/proc/{daemon.process.pid}/maps", encoding="utf-8") as file:
        maps = file.read()
    return any(name in maps for name in ("libasan", "libtsan"))
