"""systemd as the daemon sees it: it is told things, keeps descriptors, and hands them over to the next daemon."""

import contextlib
import os
import re
import select
import socket
import threading

import harness
from harness import wait_for

MANY = 64


class Systemd:
    """The notify socket, with a descriptor store. Remembers every message."""

    def __init__(self, path):
        self.path, self.messages = path, []
        self.stored = []  # (name, socket)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.lock = threading.Lock()
        self.closed = False
        self.thread = threading.Thread(target=self.read_on, daemon=True)
        self.thread.start()

    def close(self):
        """A shut socket is readable for ever, and gives neither a message nor an end."""
        self.closed = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(harness.PATIENCE_S)
        assert not self.thread.is_alive(), "the manager goes on"
        for each in [self.socket, *(kept for _, kept in self.stored)]:
            each.close()

    @property
    def env(self):
        return {"NOTIFY_SOCKET": str(self.path)}

    def read_on(self):
        """As soon as it comes: a daemon waits while nobody reads."""
        while not self.closed:
            select.select([self.socket], [], [])
            self.read()

    def read(self):
        """All that is there."""
        with self.lock, contextlib.suppress(BlockingIOError):
            while not self.closed:
                text, fds, _, _ = socket.recv_fds(self.socket, 4096, MANY)
                self.messages.append(text.decode())
                self.keep(self.messages[-1], [socket.socket(fileno=fd) for fd in fds])

    def said(self):
        self.read()
        return self.messages

    def keep(self, message, sockets):
        fields = dict(line.split("=", 1) for line in message.splitlines())
        if fields.get("FDSTOREREMOVE") == "1":
            for name, old in self.stored:
                if name == fields["FDNAME"]:
                    old.close()
            self.stored = [(name, old) for name, old in self.stored if name != fields["FDNAME"]]
        for new in sockets:
            same = any(os.path.sameopenfile(new.fileno(), old.fileno()) for _, old in self.stored)
            if fields.get("FDSTORE") == "1" and not same:
                self.stored.append((fields["FDNAME"], new))
            else:
                new.close()

    def names(self):
        self.said()
        return [name for name, _ in self.stored]

    def ports(self):
        self.said()
        return {name: kept.getsockname()[1] for name, kept in self.stored}

    def wait(self, pattern, since=0):
        """The first message from number since on in which the pattern is found."""
        return wait_for(
            lambda: next((m for m in self.said()[since:] if re.search(pattern, m)), None), f"{pattern} from the daemon"
        )


def handed_over(sockets):
    """A command in front of the daemon that becomes it, with these sockets [(name, socket)] as systemd passes them."""
    names = ":".join(name for name, _ in sockets)
    moves = " ".join(f"{3 + i}<&{s.fileno()}" for i, (_, s) in enumerate(sockets))
    script = f'export LISTEN_PID=$$ LISTEN_FDS={len(sockets)} LISTEN_FDNAMES={names}; exec "$@" {moves}'
    return ["bash", "-c", script, "bash"]


class Activated(harness.Daemon):
    """Started with sockets of systemd."""

    def __init__(self, folder, sockets, text, env=None):
        for _, each in sockets:
            os.set_inheritable(each.fileno(), True)
        super().__init__(folder, text, env=env, wrapper=handed_over(sockets) if sockets else (), close_fds=not sockets)
