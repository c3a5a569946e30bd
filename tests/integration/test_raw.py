"""Bytes as they should not come: slow, cut, too long, too many, all at once. While each of these is under way,
another client is served."""

import contextlib
import json
import resource
import select
import time

import pytest
from harness import KEY, OTHER_CLIENT, PATH, RawClient, as_bytes, call911, chunked, event, request, wait_for

OK = as_bytes(event())
ATTACKER = "127.0.0.2"


@pytest.fixture
def hurried(start):
    """A daemon with little patience, which its own disk does not try."""
    return start(limits={"request_time": "3s"}, store={"durability": "normal"})


# Slow

PARTS = {
    "nothing": b"",
    "a method": b"PO",
    "a line": f"POST {PATH} HTTP/1.1\r\n".encode(),
    "headers without their end": request(OK).partition(b"\r\n\r\n")[0],
    "headers": request(OK)[: -len(OK)],
    "half a body": request(OK)[:-20],
    "all but a byte": request(OK)[:-1],
    "an unfinished chunk": chunked(OK)[:-30],
    "chunks without their end": chunked(OK)[:-5],
    "a trailer without its end": chunked(OK, trailers=["X: y"])[:-2],
    "a request and a half": request(OK) + request(OK)[:-1],
    "half a body for nobody": request(OK, path="/x")[:-20],
}


def test_half_a_request_and_silence(hurried):
    """Closed at request_time, whatever was sent, and no event comes of it."""
    clients = {name: hurried.connect() for name in PARTS}
    for name, client in clients.items():
        client.send(PARTS[name])
    assert hurried.serves()
    for name, client in clients.items():
        whole = name == "a request and a half"
        answers = client.rest()
        assert answers.count(b"HTTP/1.1 200") == whole, name
    assert hurried.serves()
    assert len(hurried.stop().events()) == 3


def test_idle_after_an_answer(hurried):
    with hurried.connect() as client:
        assert client.ask(request(OK)).status == 200
        assert client.rest() == b""


@pytest.mark.parametrize("part", ["headers", "body", "chunks"])
def test_byte_by_byte(hurried, part):
    """Each byte comes in time, the whole does not."""
    head, data = {
        "headers": (b"", request(OK, headers=["X: " + "x" * 300])),
        "body": (request(OK.ljust(300))[:-300], OK.ljust(300)),
        "chunks": (request(length=False, headers=["Transfer-Encoding: chunked"]), b"1\r\n{\r\n" * 50),
    }[part]
    with hurried.connect() as client:
        client.send(head)
        assert client.drip(data[:3]) is False
        assert hurried.serves()
        assert client.drip(data[3:]), "served all the bytes of a request that took too long"
    assert hurried.serves()
    assert len(hurried.stop().events()) == 2


def test_slow_but_in_time(daemon):
    """Every byte in a packet of its own."""
    for data in request(OK), chunked(OK, trailers=["X: y"]):
        with daemon.connect() as client:
            for byte in data:
                client.send(bytes([byte]))
            assert client.answer().status == 200


# Cut, or too long


@pytest.mark.parametrize("end", [RawClient.half_close, RawClient.close, RawClient.drop], ids=lambda end: end.__name__)
@pytest.mark.parametrize("part", ["a method", "headers", "half a body", "an unfinished chunk"])
def test_shorter_than_announced(start, part, end):
    """Then the end, which is noticed at once and not at request_time, also when it comes together with the bytes."""
    daemon = start(limits={"request_time": "10min", "connections_per_ip": 1})
    for together in daemon.stopped(), contextlib.nullcontext():
        client = daemon.connect(ATTACKER)
        with together:
            client.send(PARTS[part])
            end(client)
        assert daemon.serves_again(ATTACKER)
        client.close()
    assert len(daemon.stop().events()) == 2


def test_half_close_behind_a_whole_request(daemon):
    """As nc does: the answer is still due."""
    with daemon.connect() as client:
        client.send(request(OK))
        client.half_close()
        assert client.answer().status == 200
        assert client.rest() == b""


def test_gone_before_the_answer(daemon):
    for _ in range(200):
        client = daemon.connect()
        client.send(request(OK))
        client.drop()
    assert daemon.serves()


GARBAGE = [b"garbage", b"garbage\r\n\r\n", b"\x00\xff" * 50 + b"\r\n\r\n", b'{"key":1}\r\n\r\n']


@pytest.mark.parametrize("garbage", GARBAGE)
def test_longer_than_announced(daemon, garbage):
    """What is behind the body is the next request, and a bad one."""
    with daemon.connect() as client:
        assert client.ask(request(OK) + garbage).status == 200
        client.half_close()
        assert b" 200 " not in client.rest()
    assert daemon.serves()
    assert len(daemon.stop().events()) == 2


def test_length_shorter_than_the_body(daemon):
    with daemon.connect() as client:
        answer = client.ask(request(OK, length=len(OK) - 1) + b"\r\n\r\n")
        assert (answer.status, answer.text) == (400, "Invalid JSON")
        client.half_close()
        assert b" 200 " not in client.rest()
    assert daemon.serves()


# Chunked

CHUNKED = {
    "one chunk": chunked(OK),
    "a chunk for each byte": chunked(*[bytes([b]) for b in OK]),
    "trailers": chunked(OK, trailers=["X-Checksum: 1234", "Content-Length: 3"]),
    "size with zeros": chunked(OK).replace(b"\r\n\r\n", b"\r\n\r\n000", 1),
    "size in capitals": chunked(OK.ljust(0xAB)).replace(b"\r\nab\r\n", b"\r\nAB\r\n"),
    "coding in capitals": chunked(OK).replace(b"chunked", b"CHUNKED"),
}


@pytest.mark.parametrize("case", CHUNKED)
def test_chunked(daemon, case):
    with daemon.connect() as client:
        for _ in range(2):
            assert client.ask(CHUNKED[case]).text == "ok"
        assert client.ask(request(OK)).text == "ok"


def test_chunk_extensions(daemon):
    """libmicrohttpd 1.0.1 cannot read them. It refuses and closes, so that nothing is read as something else."""
    with daemon.connect() as client:
        client.send(chunked(OK[:9], OK[9:], extension=';name="value";x'))
        client.half_close()
        assert client.rest().split()[1] in (b"200", b"400")
    assert daemon.serves()


BAD_CHUNKS = {
    "size is a word": b"xyz\r\n{}\r\n0\r\n\r\n",
    "size negative": b"-2\r\n{}\r\n0\r\n\r\n",
    "size empty": b"\r\n{}\r\n0\r\n\r\n",
    "size enormous": b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "size of 64 bits": b"ffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "data longer than its size": b"1\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("case", BAD_CHUNKS)
def test_bad_chunks(daemon, case):
    """Refused and closed; what follows is no request."""
    with daemon.connect() as client:
        client.send(request(length=False, headers=["Transfer-Encoding: chunked"]) + BAD_CHUNKS[case] + request(OK))
        client.half_close()
        assert b" 200 " not in client.rest()
    assert daemon.serves()
    assert len(daemon.stop().events()) == 1


# Pipelined


def test_pipelined(daemon):
    """Answers come in the order of the requests, and so do the events."""
    cases = [
        lambda i: (request(call911(i)), 200),
        lambda i: (request("{"), 400),
        lambda i: (chunked(json.dumps(call911(i))), 200),
        lambda i: (request(method="GET"), 200),
        lambda i: (request(OK, path="/x"), 404),
        lambda i: (request(OK, method="PUT"), 405),
        lambda i: (request(event("EVENT_FUTURE_THING")), 400),
    ]
    sequence = [cases[i % len(cases)](i) for i in range(20 * len(cases))]
    with daemon.connect() as client:
        client.send(b"".join(data for data, _ in sequence))
        assert daemon.serves()
        assert [client.answer().status for _ in sequence] == [status for _, status in sequence]
    ids = [e["911"][0] for e in daemon.stop().events() if e["event"] == "EVENT_911"]
    assert ids == [i for i in range(len(sequence)) if i % len(cases) in (0, 2)]


def test_pipelined_without_reading(daemon):
    """A client who never takes its answers keeps nobody else waiting."""
    with daemon.connect() as client:
        client.socket.setblocking(False)
        data = request(method="GET") * 1000
        for _ in range(10_000):
            try:
                client.socket.send(data)
            except (BlockingIOError, ConnectionError):
                break
        assert daemon.serves()
    assert daemon.serves()


# Expect: 100-continue


def test_expect_continue(daemon):
    data = request(OK, headers=["Expect: 100-continue"])
    with daemon.connect() as client:
        assert client.ask(data[: -len(OK)]).status == 100
        assert client.ask(OK).text == "ok"
        assert client.ask(request(OK)).text == "ok"


def test_expect_continue_without_waiting(daemon):
    with daemon.connect() as client:
        client.send(request(OK, headers=["Expect: 100-continue"]))
        answers = [client.answer()]
        if answers[0].status == 100:
            answers.append(client.answer())
        assert answers[-1].text == "ok"


def test_expect_continue_with_a_body_too_large(daemon):
    """Refused before the body is asked for."""
    with daemon.connect() as client:
        answer = client.ask(request(length=9 << 20, headers=["Expect: 100-continue"]))
        assert (answer.status, answer.text) == (413, "Body Too Large")


# HTTP/1.0


def test_http_1_0(daemon):
    with daemon.connect() as client:
        assert client.ask(request(OK, version="HTTP/1.0")).text == "ok"
        assert client.rest() == b""


def test_http_1_0_without_any_header(daemon):
    with daemon.connect() as client:
        assert client.ask(f"GET {PATH} HTTP/1.0\r\n\r\n".encode()).status == 200
        assert client.rest() == b""


# Large in one way or another


@pytest.mark.parametrize("where", ["data", "top level", "one name"])
def test_100_000_names(start, where):
    """Served like any other event, and so is everybody else."""
    daemon = start(limits={"body": "4M"})
    names = {f"n{i}": i for i in range(100_000)}
    if where == "one name":
        body = json.dumps(event())[:-1] + ', "n": 0' * 100_000 + "}"
    else:
        body = event(data={"callIds": [90417], **names}) if where == "data" else event(**names)
    assert daemon.post(body).text == "ok"
    assert daemon.serves()


@pytest.mark.parametrize("text, times", [("x", 1 << 20), (KEY + "-", 60_000), ("\\u0041", 180_000)])
def test_key_of_a_megabyte(start, text, times):
    daemon = start(limits={"body": "4M"})
    answer = daemon.post('{"type":"EVENT_REMOVE_911","data":{},"key":"' + text * times + '"}')
    assert (answer.status, answer.text) == (400, "Authentication Key Failed!")
    assert daemon.serves()
    assert len(daemon.stop().stderr.bytes) < 20_000


def test_texts_of_a_megabyte(start):
    """A type, a name, a caller: answered, and told in a line of bearable length."""
    daemon = start(limits={"body": "4M"})
    assert daemon.post(event("X" * (1 << 20))).text == "Invalid Type"
    assert daemon.post(call911(1, caller="x" * (1 << 20))).text == "ok"
    assert daemon.post(event(**{"n" * (1 << 20): 1})).text == "ok"
    assert max(len(line) for line in daemon.stop().lines()) < 20_000


HEADS = {
    "a header of 100 KB": request(OK, headers=["X: " + "x" * 100_000]),
    "10,000 headers": request(OK, headers=[f"X{i}: y" for i in range(10_000)]),
    "a path of 100 KB": request(OK, path="/" + "x" * 100_000),
    "a query of 100 KB": request(OK, path=PATH + "?" + "x" * 100_000),
    "a method of 100 KB": request(OK, method="X" * 100_000),
    "binary": bytes(range(256)) * 100 + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
}


@pytest.mark.parametrize("case", HEADS)
def test_unusable_heads(daemon, case):
    with daemon.connect() as client:
        client.send(HEADS[case])
        client.half_close()
        assert b" 200 " not in client.rest()
    assert daemon.serves()


# Many


@pytest.mark.parametrize("part", ["nothing", "a line", "half a body"])
def test_1000_connections_dropped(start, part):
    """One after the other, by close and by reset: none of them counts any more."""
    daemon = start(limits={"request_time": "10min"})
    for i in range(1000):
        client = daemon.connect(ATTACKER)
        client.send(PARTS[part])
        client.drop() if i % 2 else client.close()
    assert daemon.serves()
    assert daemon.serves_again(ATTACKER)


def test_1000_connections_at_a_time(start):
    daemon = start(limits={"connections": 1024, "connections_per_ip": 1024})
    clients = [daemon.connect(ATTACKER) for _ in range(1000)]
    for client in clients:
        client.send(PARTS["half a body"])
    assert daemon.serves()
    for client in clients:
        client.drop()
    assert daemon.serves()


@pytest.mark.parametrize("n", [64, 126, 127, 128, 129, 130, 256])
def test_ready_in_the_same_instant(start, n):
    """libmicrohttpd's own loop hangs when just 128 connections are ready at once."""
    daemon = start(limits={"connections_per_ip": 512, "request_time": "10min"})
    clients = [daemon.connect() for _ in range(n)]
    for client in clients:
        assert client.ask(request(OK)).status == 200
    for _ in range(2):
        with daemon.stopped():
            for client in clients:
                client.send(request(OK))
        assert [client.answer().status for client in clients] == [200] * n
    with daemon.stopped():
        for client in clients:
            client.drop()
    assert daemon.serves()
    assert len(daemon.stop().events()) == 3 * n + 1


def test_a_pause_makes_nobody_late(hurried):
    """Of the machine, longer than request_time, in the middle of a request."""
    with hurried.connect() as client:
        client.send(request(OK)[:-20])
        assert hurried.serves()
        with hurried.stopped():
            until = time.monotonic() + 4
            wait_for(lambda: time.monotonic() > until, "four seconds")
        assert hurried.serves()
        assert client.ask(request(OK)[-20:]).status == 200


@pytest.mark.parametrize("n", [127, 128, 129])
def test_connected_in_the_same_instant(start, n):
    daemon = start(limits={"connections_per_ip": 512})
    with daemon.stopped():
        clients = [daemon.connect() for _ in range(n)]
        for client in clients:
            client.send(request(OK))
    assert [client.answer().status for client in clients] == [200] * n


def test_connection_limit(start):
    """When it was reached and is not any more, everything goes on, also for those who waited."""
    daemon = start(limits={"connections": 20, "connections_per_ip": 20, "request_time": "10min"})
    for _ in range(3):
        clients = [daemon.connect(ATTACKER) for _ in range(20)]
        for client in clients:
            client.send(PARTS["half a body"])
        waiting = [daemon.connect(OTHER_CLIENT) for _ in range(5)]
        for client in waiting:
            client.send(request(OK))
        for client in clients:
            client.drop()
        assert daemon.serves_again()
        for client in waiting:
            with contextlib.suppress(ConnectionError):
                assert client.answer().status in (200, 503)
            client.drop()


def test_connection_limit_full_of_idlers(start):
    """Connections that say nothing make room for one that does."""
    daemon = start(limits={"connections": 20, "connections_per_ip": 20, "request_time": "10min"})
    idlers = [daemon.connect(ATTACKER) for _ in range(30)]
    for i in range(5):
        assert daemon.serves(f"127.0.0.{i + 3}")
    for client in idlers:
        client.drop()
    assert daemon.serves_again(ATTACKER)


def test_limit_of_an_address(start):
    """Above it an address that never had the key waits until one of its connections ends; others do not notice."""
    daemon = start(limits={"connections_per_ip": 4})
    clients = [daemon.connect(ATTACKER) for _ in range(4)]
    for client in clients:
        assert client.ask(request(method="GET")).status == 200
    with daemon.connect(ATTACKER) as fifth:
        fifth.send(request(OK))
        assert daemon.serves()
        for client in clients:
            assert client.ask(request(method="GET")).status == 200
        assert not select.select([fifth.socket], [], [], 0)[0]
        clients[0].drop()
        assert fifth.answer().status == 200
    assert daemon.stop().events()[1]["from"] == ATTACKER


def test_who_waits_for_a_place_is_not_kept_for_ever(start):
    daemon = start(limits={"connections_per_ip": 1, "request_time": "1s"})
    with daemon.connect(ATTACKER) as first, daemon.connect(ATTACKER) as second:
        first.send(PARTS["half a body"])
        second.send(request(method="GET"))
        assert first.rest() == b""
        with contextlib.suppress(ConnectionError):
            assert second.answer().status == 200


def test_out_of_descriptors(daemon):
    """More connections than the daemon may have descriptors: it goes on when they are gone."""
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (40, 40))
    for part in "nothing", "half a body", "a request and a half":
        clients = [daemon.connect(ATTACKER) for _ in range(60)]
        for client in clients:
            client.send(PARTS[part])
        for client in clients:
            client.drop()
        assert daemon.serves_again()
