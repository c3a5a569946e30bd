"""What comes to the port and is no request that it takes: told once, counted, known to status; and heads that are large."""

import json

import pytest
from ctl_tools import status_of
from harness import PATH, as_bytes, event, request, wait_for

OK = as_bytes(event())

OTHERS = {
    "TLS": (bytes.fromhex("16030100a5010000a10303") + bytes([1]) * 100, "TLS: this port speaks http://, not https://"),
    "PROXY": (b"PROXY TCP4 203.0.113.5 10.0.0.1 5555 30120\r\n" + request(OK), "PROXY protocol: switch that off"),
    "PROXY 2": (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + request(OK), "PROXY protocol: switch that off"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2: this port speaks HTTP/1.1"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2p1\r\n", "SSH: this port speaks http://"),
    "nothing known": (b'{"key":1}\r\n\r\n', "is not HTTP"),
    "a request line": (b"GET\r\n\r\n", "is not HTTP"),
    "half a version": (f"POST {PATH} HTTP/x\r\n\r\n".encode(), "request line is malformed"),
    "a header of 100 KB": (request(OK, headers=["X: " + "x" * 100_000]), "headers are too large"),
    "a query of 500 parts": (request(OK, path=PATH + "?" + "a=b&" * 500), "headers are too large"),
    "a length that is no number": (request(OK, length="x"), "is malformed"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_told_and_counted(daemon, case):
    data, words = OTHERS[case]
    with daemon.connect() as client:
        client.send(data)
        assert b" 200 " not in client.rest()
    daemon.wait_line(words)
    requests = status_of(daemon)["requests"]
    last = status_of(daemon)["last_not_http"]
    assert requests["not_http"] == 1 and words in last["what"] and last["from"] == "127.0.0.1" and last["at"]
    assert daemon.serves()
    assert daemon.stop().events()[0]["event"] == "EVENT_REMOVE_911"


def test_many_cookies(daemon):
    """libmicrohttpd 1.0 leaves them out where 0.9 has no room for a head that has them: never lost without a word."""
    with daemon.connect() as client:
        client.send(request(OK, headers=["Connection: close", "Cookie: " + "a=b;" * 1000]))
        answered = b" 200 " in client.rest()
    if not answered:
        daemon.wait_line("headers are too large")
    assert status_of(daemon)["requests"]["not_http"] == (0 if answered else 1)
    assert len(daemon.stop().events()) == (1 if answered else 0)


def test_once_however_many(daemon):
    for _ in range(20):
        with daemon.connect() as client:
            client.send(OTHERS["TLS"][0])
            client.rest()
    wait_for(lambda: status_of(daemon)["requests"]["not_http"] == 20, "the count")
    assert len([line for line in daemon.stop().lines() if "TLS" in line]) <= 2  # and the number, at the end


def test_gone_is_not_malformed(start):
    """Many who go together, in the middle of their first line."""
    daemon = start(limits={"connections_per_ip": 200})
    clients = [daemon.connect() for _ in range(200)]
    for client in clients:
        client.send(request(OK)[:10])
    wait_for(lambda: status_of(daemon)["connections"] == len(clients), "the clients")
    with daemon.stopped():
        for client in clients:
            client.close()
    assert daemon.serves()
    wait_for(lambda: not status_of(daemon)["connections"], "the end")
    assert status_of(daemon)["requests"]["not_http"] == 0
    assert not [line for line in daemon.stop().lines() if "request line" in line]


@pytest.mark.parametrize("part", [10, 60, 90])
@pytest.mark.parametrize("reset", [False, True])
def test_gone_in_its_head(daemon, part, reset):
    with daemon.connect() as client:
        client.send(request(OK)[:part])
        wait_for(lambda: status_of(daemon)["connections"] == 1, "the client")
        if reset:
            client.drop()
    wait_for(lambda: not status_of(daemon)["connections"], "the end")
    assert status_of(daemon)["requests"]["not_http"] == 0


def test_begun_slowly(daemon):
    """A request is recognized from its first byte on, and empty lines before it are no other protocol."""
    with daemon.connect() as client:
        for byte in b"\r\n" + request(OK):
            client.send(bytes([byte]))
        assert client.answer().status == 200
    assert "not_http" not in json.dumps(status_of(daemon)).replace('"not_http": 0', "")


def test_counted_otherwise(start):
    daemon = start(limits={"body": "16K"})
    assert daemon.ask("POST", "/evnt", OK).status == 404
    assert daemon.post(OK.ljust(20_000)).status == 413
    status = status_of(daemon)
    assert (status["requests"]["not_found"], status["requests"]["too_large"]) == (1, 1)
    assert status["last_not_found"]["what"] == "/evnt" and status["last_too_large"]["from"] == "127.0.0.1"


HEADS = {
    "a cookie": ["Cookie: " + "c=" + "x" * 4000],
    "cookies": ["Cookie: " + "; ".join(f"c{i}={i:040}" for i in range(90))],
    "one header": ["X-Any: " + "x" * 8000],
    "many headers": [f"X-{i}: {'y' * 64}" for i in range(110)],
    "a cookie and a token": ["Cookie: " + "c" * 4000, "Authorization: Bearer " + "t" * 3500],
}


@pytest.mark.parametrize("case", HEADS)
def test_room_for_headers(daemon, case):
    """8 KiB of text, on each request of a connection."""
    with daemon.connect() as client:
        for _ in range(3):
            assert client.ask(request(OK, headers=HEADS[case])).status == 200


def test_kept_connections_name_their_time(start):
    daemon = start(limits={"request_time": "7s"})
    with daemon.connect() as client:
        assert client.ask(request(OK)).headers["Keep-Alive"] == "timeout=7"
        assert client.ask(request(OK, path="/x")).headers["Keep-Alive"] == "timeout=7"
        assert client.ask(request(OK, headers=["Connection: close"])).headers["Keep-Alive"] is None
        assert client.rest() == b""
    with daemon.connect() as client:
        assert client.ask(request(OK, version="HTTP/1.0")).headers["Keep-Alive"] is None
