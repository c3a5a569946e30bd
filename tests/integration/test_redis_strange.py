"""An action of type redis at a server that answers as none of Redis would: it is told, and tried again in its time."""

import contextlib
import itertools
import socketserver
import threading

import pytest
from harness import call911


class Strange(socketserver.ThreadingTCPServer):
    """answers: one for each call of the script, until the last is given again and again."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Client)
        self.answers, self.calls = answers, []
        self.url = f"redis://127.0.0.1:{self.server_address[1]}"

    def answer(self, words):
        if words[0] != b"EVALSHA":
            return b"$2\r\nab\r\n"  # the name of the script; what there is to say of its memory
        self.calls.append(words)
        return next(self.answers)


class Client(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))]
                self.wfile.write(self.server.answer(words))


@pytest.fixture
def strange():
    """strange(answers): a server. Its answers are bytes."""
    servers = []

    def start(answers):
        servers.append(Strange(answers))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def bus(server):
    return [{"name": "bus", "type": "redis", "url": server.url, "stream": "x"}]


def test_another_stream_at_each_look(on, strange):
    server = strange(b"+%d-1\r\n" % n for n in itertools.count(1))
    daemon = on(actions=bus(server))
    assert daemon.post(call911(1)).status == 200
    daemon.wait_line("event 1 not delivered, next try in .*: the stream is another one at each look")
    assert 3 <= len(server.calls) < 40, "of one try, or of one and the next"


@pytest.mark.parametrize("answer", [b"+OK\r\n", b":7\r\n", b"*0\r\n", b"$-1\r\n", b"+1-\r\n", b"$0\r\n\r\n"])
def test_no_id(on, strange, answer):
    server = strange(itertools.repeat(answer))
    daemon = on(actions=bus(server))
    assert daemon.post(call911(1)).status == 200
    daemon.wait_line("event 1 not delivered, next try in .*: the script's answer is no id of an entry: is this Redis")


@pytest.mark.parametrize("answer", [b"", b"?what\r\n", b"$5000000000\r\n", b"*1\r\n" * 100])
def test_no_answer(on, strange, answer):
    """Cut, or what no server of Redis says."""
    server = strange(itertools.repeat(answer))
    daemon = on(actions=[{**bus(server)[0], "timeout": "1s"}])
    assert daemon.post(call911(1)).status == 200
    daemon.wait_line(f"event 1 not delivered, next try in .*127.0.0.1:{server.server_address[1]}")
