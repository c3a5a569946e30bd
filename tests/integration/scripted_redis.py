"""A server that speaks Redis as far as nodes ask, and answers as a test tells it."""

import contextlib
import socket
import threading

SHA = "a" * 40


def bulk(text):
    return f"${len(text.encode())}\r\n{text}\r\n".encode()


class ScriptedRedis:
    """error: what it answers to all that is about keys. .asked: the commands that came, as lists of words."""

    def __init__(self, error):
        self.error, self.asked, self.clients = error, [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rb") as incoming:
            while head := incoming.readline():
                words = [incoming.read(int(incoming.readline()[1:]) + 2)[:-2].decode() for _ in range(int(head[1:]))]
                self.asked.append(words)
                client.sendall(self.answer(words[0]))

    def answer(self, verb):
        if verb == "SCRIPT":
            return bulk(SHA)
        if verb == "INFO":
            return bulk("maxmemory_policy:noeviction\r\n")
        return f"-{self.error}\r\n".encode()

    def close(self):
        for one in self.socket, *self.clients:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.socket.close()
