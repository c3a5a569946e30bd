"""What actions deliver to: HTTP targets that do as a test tells them, and a Discord that enforces what is documented."""

import contextlib
import json
import socket
import struct
import threading
from typing import NamedTuple

from harness import wait_for


class Request(NamedTuple):
    path: str
    headers: dict
    body: bytes
    connection: int  # which one it came on

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def event_id(self):
        return int(self.headers["sonoran-event-id"])


class Target:
    """Answers every POST with 200, or as answer(request) says: a status, (status, headers), (status, headers, body),
    or one of the words below. Remembers what came and was answered 2xx (.got) and all that came (.tried)."""

    HANG = "hang"  # no answer at all
    CLOSE = "close"  # closed without one
    RESET = "reset"
    HALF = "half"  # a good head, then closed in the middle of the body
    GARBAGE = "garbage"
    SLOW = "slow"  # a good head, then a byte now and then, without end
    LARGE = "large"  # a header that nobody takes

    def __init__(self, answer=None, down=False):
        """down: has a port, and refuses connections until come_up()."""
        self.answer = answer or (lambda request: 200)
        self.tried, self.got, self.connections = [], [], 0
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        if not down:
            self.come_up()

    def come_up(self):
        self.socket.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/sonorancad/event"

    def close(self):
        self.ended.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection, self.connections), daemon=True).start()

    def serve(self, connection, number):
        # ValueError: not HTTP, as of a client that wants TLS.
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as incoming:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self.ended.is_set() and (request := self.read(incoming, number)):
                with self.lock:
                    self.tried.append(request)
                if not self.reply(connection, request):
                    return

    @staticmethod
    def read(incoming, number):
        first = incoming.readline().decode()
        if not first:
            return None
        headers = {}
        while (line := incoming.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = incoming.read(int(headers.get("content-length", 0)))
        return Request(first.split()[1], headers, body, number)

    def reply(self, connection, request):
        """False: this connection is over."""
        answer = self.answer(request)
        if isinstance(answer, int):
            answer = answer, {}
        if isinstance(answer, tuple):
            status, headers, body = (*answer, b"")[:3]
            if 200 <= status < 300:
                with self.lock:
                    self.got.append(request)
            lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            return True
        if answer == self.HANG:
            self.ended.wait()
        if answer == self.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer == self.HALF:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this")
        if answer == self.GARBAGE:
            connection.sendall(b"\x00\xff not HTTP at all\r\n\r\n")
        if answer == self.LARGE:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: " + 400_000 * b"x" + b"\r\nContent-Length: 0\r\n\r\n")
        if answer == self.SLOW:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
            while not self.ended.wait(0.05):
                connection.sendall(b".")
        return False

    def wait_got(self, n):
        return wait_for(lambda: len(self.got) >= n and list(self.got), f"{n} deliveries, {len(self.got)} so far")

    def wait_tried(self, n):
        return wait_for(lambda: len(self.tried) >= n and list(self.tried), f"{n} tries, {len(self.tried)} so far")


def sequence(*answers):
    """One after the other, the last one for ever."""
    left = list(answers)
    lock = threading.Lock()

    def answer(request):
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


LIMITS = {"content": 2000, "username": 80}
EMBED_LIMITS = {"title": 256, "description": 4096}


def length(text):
    """As Discord may count: in UTF-16 units, of which there are never fewer than characters."""
    return len(text.encode("utf-16-le")) // 2


def discord_mistakes(message):
    """What Discord would answer 400 to, as sentences."""
    mistakes = [name for name, limit in LIMITS.items() if length(message.get(name, "")) > limit]
    if not message.get("content") and not message.get("embeds"):
        mistakes.append("empty message")
    for embed in message.get("embeds", []):
        total = 0
        for name, limit in EMBED_LIMITS.items():
            total += length(embed.get(name, ""))
            if name in embed and not 0 < length(embed[name]) <= limit:
                mistakes.append(name)
        fields = embed.get("fields", [])
        if len(fields) > 25:
            mistakes.append("fields")
        for field in fields:
            total += length(field["name"]) + length(field["value"])
            if not 0 < length(field["name"]) <= 256 or not 0 < length(field["value"]) <= 1024:
                mistakes.append("field")
        for name, limit in (("footer", 2048), ("author", 256)):
            text = embed.get(name, {}).get("text" if name == "footer" else "name", "")
            total += length(text)
            if length(text) > limit:
                mistakes.append(name)
        if total > 6000:
            mistakes.append("total")
    return mistakes


class Discord(Target):
    """A webhook with the documented limits: of a message, and of burst messages until its bucket is full again."""

    def __init__(self, burst=None, answer=None):
        super().__init__(answer or self.judge)
        self.burst, self.left = burst, burst
        self.mistakes = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/api/webhooks/1/secret-part"

    @property
    def messages(self):
        return [request.json for request in self.got]

    def judge(self, request):
        mistakes = discord_mistakes(request.json)
        if mistakes:
            self.mistakes += mistakes
            return 400, {}, json.dumps({"message": "Invalid Form Body", "code": 50035}).encode()
        if self.burst is None:
            return 204
        if self.left == 0:
            self.left = self.burst
            return 429, {"Retry-After": "1"}, json.dumps({"retry_after": 0.3, "global": False}).encode()
        self.left -= 1
        headers = {"X-RateLimit-Limit": self.burst, "X-RateLimit-Remaining": self.left, "X-RateLimit-Bucket": "b"}
        if self.left == 0:
            self.left = self.burst
            headers["X-RateLimit-Reset-After"] = "0.2"
        return 204, headers
