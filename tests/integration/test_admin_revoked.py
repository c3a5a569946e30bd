"""Rights that are taken back while somebody is still asking."""

import contextlib
import socket

import pytest
from harness import PATIENCE_S, config
from test_admin_door import ADDRESS, OTHER_TOKEN, TOKEN, board

COMMUNITIES = [{"name": "one", "api_key": "TEST-API-KEY-0001", "bot_token": "SECRET-TOKEN-OF-BOT"}]


def begin(daemon, path, token):
    """All of a request but its one byte of body."""
    client = socket.create_connection(board(daemon), timeout=PATIENCE_S)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 192.0.2.7\r\nAuthorization: Bearer {token}\r\n"
                   "Content-Length: 1\r\nConnection: close\r\n\r\n".encode())
    return client


def read_head(daemon):
    """What came before has been read by then: one thread reads all, in the order it came."""
    with contextlib.closing(begin(daemon, "/api/state", "no token at all")) as client:
        client.sendall(b"x")
        assert client.recv(1000).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("path", ["/api/stream?from=0&data=1", "/api/state", "/api/events?data=1"])
def test_a_token_that_changed_meanwhile(start, path):
    settings = {"communities": COMMUNITIES, "admin": {"address": ADDRESS, "token": TOKEN}}
    daemon = start(**settings)
    daemon.secrets |= {"SECRET-TOKEN-OF-BOT", OTHER_TOKEN}
    with contextlib.closing(begin(daemon, path, TOKEN)) as client:
        read_head(daemon)
        settings["admin"] = {"address": ADDRESS, "token": OTHER_TOKEN}
        daemon.reload(config(**settings))
        client.sendall(b"x")
        assert client.recv(1000).startswith(b"HTTP/1.1 401 ")
