"""A real redis-server of a test's own, by a Unix socket or TCP, that can be killed, started again, frozen; and a node that
publishes to it as the action redis does.

REDIS_SERVER: the program, valkey-server for one. Tests are skipped where it is not there, or no python3-redis.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess

import pytest
from ctl_tools import ctl
from harness import free_port, wait_for
from store import read

try:
    import redis
    from redis.exceptions import ResponseError
except ImportError:
    redis = ResponseError = None

PROGRAM = os.environ.get("REDIS_SERVER", "redis-server")


class RedisServer:
    """options: lines of its configuration: save="", maxmemory="16mb". wrapper: what stands before its command."""

    def __init__(self, folder, tcp=False, host="127.0.0.1", wrapper=(), **options):
        if not shutil.which(PROGRAM):
            pytest.skip(f"there is no {PROGRAM}")
        if not redis:
            pytest.skip("there is no python3-redis")
        folder.mkdir(exist_ok=True)
        self.folder, self.host, self.wrapper, self.options = folder, host, wrapper, {"save": "", **options}
        self.socket, self.port = folder / "redis.sock", free_port() if tcp else 0
        self.url = f"redis://{host}:{self.port}" if tcp else f"unix:{self.socket}"
        self.process = None
        password = options.get("requirepass")
        self.client = redis.Redis(unix_socket_path=str(self.socket), password=password, decode_responses=True)
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self, wait=True):
        lines = [f"{name.replace('_', '-')} {json.dumps(value)}" for name, value in self.options.items()]
        lines += [f"port {self.port}", f"bind {self.host}", f"unixsocket {self.socket}", f"dir {self.folder}"]
        file = self.folder / "redis.conf"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, PROGRAM, file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            wait_for(self.answers, "an answer of redis-server")

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text(encoding="utf-8")
        with contextlib.suppress(redis.exceptions.ConnectionError):  # that it still loads is one
            return self.client.ping()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.client.connection_pool.disconnect()

    @contextlib.contextmanager
    def frozen(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()

    def action(self, **changes):
        """As a configuration has it."""
        return {"name": "bus", "type": "redis", "url": self.url, "stream": "cad:events:edge1", **changes}

    def entries(self, key="cad:events:edge1"):
        return self.client.xrange(key)

    def ids(self, key="cad:events:edge1"):
        """Of the events, in the order of the stream."""
        return [int(place.split("-")[1]) for place, _ in self.entries(key)]

    def wait_ids(self, ids, key="cad:events:edge1"):
        wait_for(lambda: self.ids(key) == list(ids), f"events {list(ids)} in {key}")


def assert_whole(server, file, key="cad:events:edge1", after=0):
    """The stream has each event of the log behind one once, in order, with what it is, and each names the one before."""
    lives = read(file, "SELECT first_id, epoch FROM lives ORDER BY first_id")
    rows = read(file, f"SELECT id, type, community, data FROM events WHERE verdict = 'accepted' AND id > {after} ORDER BY id")
    before = None
    entries = server.entries(key)
    assert [int(place.split("-")[1]) for place, _ in entries] == [row[0] for row in rows]
    for (place, members), (id_, type_, community, data) in zip(entries, rows):
        assert place == f"{[epoch for first, epoch in lives if first <= id_][-1]}-{id_}"
        assert members["prev"] == (before or members["prev"])
        assert (members["type"], members["community"]) == (type_, community)
        record = members["record"]
        assert record.startswith(f'{{"id":{id_},') and f',"data":{data}' in record
        assert json.loads(record)["time"] == members["time"]
        before = place


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
