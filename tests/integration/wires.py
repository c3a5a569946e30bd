"""What lies between a session and its hub: a wire that can be cut or dead, and a proxy that speaks CONNECT."""

import array
import base64
import contextlib
import fcntl
import re
import select
import socket
import struct
import termios
import threading
import time

LOGGED_IN = b'"result":{"success":true'
NUMBER = re.compile(rb'callId\\*": ?(\d+)[^\x1e]*\x1e')  # of each whole record with an event


class Leg:
    """A connection through a wire. .numbers: of the events whose last byte the client's system had acknowledged. server:
    None where nobody listens there."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.began, self.last_byte, self.logged_in, self.ended = time.time(), None, None, None
        self.answer, self.over = b"", False
        self.bytes, self.numbers = bytearray(), None
        self.lock = threading.Lock()

    def end(self, reset):
        with self.lock:
            if self.over:
                return
            self.over, self.ended = True, time.time()
            unsent = self.outstanding() if reset else 0
            whole = bytes(self.bytes[: len(self.bytes) - unsent])
            self.numbers = [int(number) for number in NUMBER.findall(whole)]
            self.answer = whole[:1024]
            self.bytes = bytearray()
            for one in filter(None, (self.client, self.server)):
                with contextlib.suppress(OSError):
                    if reset:
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    else:
                        one.shutdown(socket.SHUT_RDWR)
                one.close()

    def outstanding(self):
        """Bytes that were sent to the client and are not acknowledged (SIOCOUTQ)."""
        left = array.array("i", [0])
        fcntl.ioctl(self.client, termios.TIOCOUTQ, left)
        return left[0]


class Wire:
    """Leads to a port on 127.0.0.1. cut(reset=True): all connections end; dead: nothing comes through, and none ends; held:
    it comes later."""

    def __init__(self, port):
        self.to, self.legs, self.dead, self.held, self.ended = port, [], False, False, False
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.ended:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:  # refuses, and so do we
                self.legs.append(Leg(client, None))
                self.legs[-1].end(reset=True)
                continue
            self.legs.append(Leg(client, server))
            threading.Thread(target=self.carry, args=(self.legs[-1],), daemon=True).start()

    def carry(self, leg):
        reset = False
        try:
            while not leg.over:
                for one in select.select([leg.client, leg.server], [], [], 0.05)[0]:
                    while self.held:  # also what has come since it was looked at
                        time.sleep(0.01)
                    data = one.recv(1 << 16)
                    if not data:
                        return
                    if self.dead:
                        continue
                    if one is leg.client:
                        leg.server.sendall(data)
                    else:
                        self.down(leg, data)
        except (OSError, ValueError):  # reset by one of them, or closed here
            reset = True
        finally:
            leg.end(reset)

    @staticmethod
    def down(leg, data):
        with leg.lock:
            if leg.over:
                return
            leg.client.sendall(data)
            leg.bytes += data
            leg.last_byte = time.time()
            if not leg.logged_in and LOGGED_IN in leg.bytes[:4096]:
                leg.logged_in = leg.last_byte

    def cut(self, reset=True):
        for leg in self.legs:
            leg.end(reset)

    def acknowledged(self):
        return [number for leg in self.legs for number in leg.numbers or ()]

    def close(self):
        self.ended, self.held = True, False
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.cut()


class ConnectProxy:
    """login: "name:password" that it insists on. status: what it answers instead of 200. delay_s: before any answer.
    .asked: (host:port, was the login right)."""

    def __init__(self, login=None, status=None, delay_s=0, to=None):
        self.login, self.status, self.delay_s, self.to = login, status, delay_s, to
        self.asked, self.ended = [], threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rb") as incoming:
            method, target, _ = incoming.readline().decode().split()
            lines = iter(lambda: incoming.readline().decode().strip(), "")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            right = self.login is None or headers.get("proxy-authorization") == f"Basic {base64.b64encode(self.login.encode()).decode()}"
            self.asked.append((target, right))
            if self.ended.wait(self.delay_s):
                return
            if method != "CONNECT" or self.status or not right:
                status = self.status or ("407 Proxy Authentication Required" if not right else "405 Method Not Allowed")
                client.sendall(f"HTTP/1.1 {status}\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n".encode())
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection((self.to or host.strip("[]"), int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                self.carry(client, server)

    def carry(self, client, server):
        other = {client: server, server: client}
        while not self.ended.is_set():
            for one in select.select([client, server], [], [], 0.05)[0]:
                data = one.recv(1 << 16)
                if not data:
                    return
                other[one].sendall(data)

    def close(self):
        self.ended.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
