"""A real redis-server of a test's own, on a Unix socket; and a node that publishes to it as the action redis does.

Tests are skipped where there is no redis-server, or no python3-redis.
"""

import contextlib
import shutil
import subprocess

import pytest
from ctl_tools import ctl
from harness import PATIENCE_S, wait_for
from store import read

try:
    import redis
except ImportError:
    redis = None


class RedisServer:
    def __init__(self, folder, *options):
        if not shutil.which("redis-server"):
            pytest.skip("there is no redis-server")
        if not redis:
            pytest.skip("there is no python3-redis")
        folder.mkdir(exist_ok=True)
        self.folder, self.options = folder, options
        self.socket = folder / "redis.sock"
        self.url = f"unix:{self.socket}"
        self.process = None
        self.client = redis.Redis(unix_socket_path=str(self.socket), decode_responses=True)
        self.start()

    def start(self):
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", *self.options]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        wait_for(self.answers, "an answer of redis-server", PATIENCE_S)

    def answers(self):
        with contextlib.suppress(redis.exceptions.ConnectionError):
            return self.client.ping()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.client.connection_pool.disconnect()

    def close(self):
        if self.process.poll() is None:
            self.kill()


@contextlib.contextmanager
def redis_server(folder, *options):
    server = RedisServer(folder, *options)
    try:
        yield server
    finally:
        server.close()


class Node:
    """The records of a daemon's log, published as the action redis does: ids, and prev behind what was published."""

    def __init__(self, daemon, server, key):
        self.daemon, self.server, self.key = daemon, server, key
        self.file = daemon.file.with_name("events.db")
        self.published_id, self.last = 0, None

    def records(self, after_id=0):
        """id -> its record, as one line."""
        output = ctl("-c", self.daemon.file, "events", "--json").stdout
        return {i: line for i, line in ((id_of(line), line) for line in output.splitlines()) if i > after_id}

    def epoch_of(self, event_id):
        rows = read(self.file, "SELECT epoch, first_id FROM lives ORDER BY first_id")
        return [epoch for epoch, first in rows if first <= event_id][-1]

    def publish(self, leave_out=()):
        """What was not published yet; leave_out: not added, as if it had been lost."""
        pipe = self.server.client.pipeline(transaction=False)
        for event_id, record in self.records(self.published_id).items():
            place = f"{self.epoch_of(event_id)}-{event_id}"
            members = {"type": "X", "community": "default", "time": "X", "prev": self.last or "0-0", "record": record}
            if event_id not in leave_out:
                pipe.xadd(self.key, members, id=place)
            self.published_id, self.last = event_id, place
        pipe.execute()

    def again(self, after_id=0):
        self.published_id, self.last = after_id, None


def id_of(line):
    return int(line[len('{"id":') : line.index(",")])
