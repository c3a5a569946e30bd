"""What lies between a node and its Redis: a relay that can be closed for a while. Nothing is lost in it, it comes later."""

import contextlib
import socket
import threading


class Relay:
    """Leads to a port on 127.0.0.1. closed: nothing comes through meanwhile, in neither direction, and nobody is told."""

    def __init__(self, to):
        self.to, self.ended, self.sockets = to, False, []
        self.open = threading.Event()
        self.open.set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, contextlib.suppress(OSError):
            self.open.wait()
            with socket.create_connection(("127.0.0.1", self.to)) as server:
                self.sockets = [one for one in self.sockets if one.fileno() >= 0] + [client, server]
                back = threading.Thread(target=self.carry, args=(server, client), daemon=True)
                back.start()
                self.carry(client, server)
                back.join()

    def carry(self, source, target):
        """Where one side ends, the other does."""
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                self.open.wait()
                target.sendall(data)
        self.open.wait()
        for one in source, target:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def closed(self):
        self.open.clear()
        try:
            yield
        finally:
            self.open.set()

    def close(self):
        for one in self.socket, *self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.open.set()
