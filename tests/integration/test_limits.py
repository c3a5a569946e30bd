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
        ("http://cad.example", 200),
        ("http://cad.example/x", 404),
        ("/sonorancad%2Fevent", 404),
        (PATH + "%00/../x", 404),
        ("/%00x", 404),
        (PATH + "//x", 404),
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


HEADERS_THAT_OTHERS_READ_DIFFERENTLY = [
    "X: a\r\n b",
    "X: a\r\n\tb",
    "X:\r\n b",
    "X: a\r\n b\r\n c",
    "Content-Length: 1\r\n 0",
    ": x",
    ":",
    ":: x",
    " X: y",
    "X Y: z",
    "x",
]


@pytest.mark.parametrize("header", HEADERS_THAT_OTHERS_READ_DIFFERENTLY)
@pytest.mark.parametrize("first", [True, False])
def test_headers_that_others_read_differently(daemon, header, first):
    """Folded, without a name, without a colon: before the others and behind them."""
    length = f"Content-Length: {len(OK)}"
    headers = "\r\n".join([header, "Host: test", length] if first else ["Host: test", length, header])
    with daemon.connect() as client:
        client.send(f"POST {PATH} HTTP/1.1\r\n{headers}\r\n\r\n".encode() + OK + request(OK))
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


def test_a_list_beside_much_else(start):
    """Each element is stored with all that stands beside the list: four times the largest body, and not a byte more."""
    daemon = start(limits={"body": "64K", "in_flight": "1M"})
    element, limit = {"callIds": [1]}, 4 * 65536
    size = (limit - 10 * len('{"callIds": [1]}')) // 10
    for padding, status, text in (
        (size - len('{"x":""}'), 200, "ok"),
        (size - len('{"x":""}') + 1, 400, "Invalid Data: data: too many elements beside so much else"),
    ):
        answer = daemon.post(event("EVENT_REMOVE_911", [element] * 10, x="x" * padding))
        assert (answer.status, answer.text) == (status, text)
    [refusal] = [r for r in daemon.stop().records() if r.get("reason")]
    assert (refusal["priority"], refusal["event"]) == (4, "EVENT_REMOVE_911")
    assert refusal["reason"] == "data: too many elements beside so much else"
    assert len(daemon.events()) == 10


def test_a_sound_of_official_length(daemon):
    """A station alert with recorded sound (1.4 MB) fits into the limits as they are."""
    body = event("EVENT_STATION_ALERT", {"locations": [{"name": "9"}], "message": "UklGR" * 280_000})
    assert daemon.post(body).text == "ok"


def test_a_body_of_many_values(start):
    """Its parsed form would take 32 times its size: refused before it is there."""
    daemon = start(limits={"body": "4M"})
    before_kib = peak_kib(daemon)
    answer = daemon.post(as_bytes(event())[:-1] + b',"x":[' + b"1," * 2_000_000 + b"1]}")
    assert (answer.status, answer.text) == (400, "Invalid Data: data: too many values")
    if not sanitized(daemon):
        assert peak_kib(daemon) < before_kib + 64 * 1024
    assert daemon.serves()


def peak_kib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def sanitized(daemon):
    with open(f"/proc/{daemon.process.pid}/maps", encoding="utf-8") as file:
        maps = file.read()
    return any(name in maps for name in ("libasan", "libtsan"))


def test_a_body_of_escaped_names(start):
    """What it takes to read them is given back at once: they change neither what is said of the key nor who is counted."""
    daemon = start(limits={"body": "4M"})
    names = b',"\\n":0' * 500_000
    assert daemon.post(as_bytes(event(key="WRONG-KEY-0000"))[:-1] + names + b"}").text == "Authentication Key Failed!"
    answer = daemon.post(as_bytes(event())[:-1] + names + b"}")
    assert (answer.status, answer.text) == (400, "Invalid Data: data: too many values")
    assert daemon.serves()
