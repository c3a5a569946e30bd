"""What the tests of the event log share: its file read and changed, daemons that die, clients that keep sending."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import threading

import harness
from harness import KEY, PATH, event

CALL_ID = re.compile(r'"callId":(\d+)')


def read(file, sql="SELECT id, type, verdict, data, extra FROM events ORDER BY id"):
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


@contextlib.contextmanager
def reading(file):
    """As a sqlite3 shell that somebody left open in the middle. It may not write, so the WAL stays when it leaves."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM events").fetchall()
        yield


def array_of(n, first=0, **call):
    """One request with n events."""
    return event("EVENT_911", [{"call": {"callId": first + i, **call}} for i in range(n)])


def change(file, sql, *values):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        return db.execute(sql, values).rowcount


def numbers(file):
    return [row[0] for row in read(file, "SELECT id FROM events ORDER BY id")]


def call_ids(file):
    return [json.loads(row[0])["call"]["callId"] for row in read(file, "SELECT data FROM events ORDER BY id")]


def kill(daemon):
    """As a power cut is for the process; after it the daemon's output is complete."""
    daemon.exit_status = -signal.SIGKILL
    daemon.process.kill()
    daemon.process.wait()
    daemon.stderr.paused = False
    daemon.stop()


class Sent:
    """What a client posted, and what became of it. Arrays are of size events."""

    def __init__(self, first=0, size=1, padding=0):
        self.next, self.size, self.padding = first, size, padding
        self.bodies, self.statuses, self.requests = {}, {}, []

    def body(self):
        """The next one."""
        calls = range(self.next + 1, self.next + 1 + self.size)
        data = [f'{{"call": {{"callId":{call},  "x":"{"x" * self.padding}"}}}}' for call in calls]
        self.next += self.size
        self.bodies.update(zip(calls, data))
        self.requests.append(calls)
        all_data = data[0] if self.size == 1 else f"[{' ,'.join(data)}]"
        return f'{{"key":"{KEY}","type":"EVENT_911","data":{all_data}}}'

    def answered(self, status):
        self.statuses.update(dict.fromkeys(self.requests[-1], status))

    def post(self, daemon):
        """The status; None if the daemon died over it."""
        body = self.body()
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            self.answered(daemon.post(body).status)
        return self.statuses.get(self.next)

    def with_status(self, wanted):
        return {call for call, status in self.statuses.copy().items() if status == wanted}

    def accepted(self):
        return self.with_status(200)


class Sender(Sent, threading.Thread):
    """A client that posts one request after the other on one connection, until the daemon is gone or it is told to."""

    def __init__(self, daemon, first, **more):
        Sent.__init__(self, first, **more)
        threading.Thread.__init__(self, daemon=True)
        self.address, self.enough = daemon.address, False
        self.start()

    def run(self):
        connection = http.client.HTTPConnection(*self.address, timeout=harness.PATIENCE_S)
        with contextlib.closing(connection), contextlib.suppress(ConnectionError, http.client.HTTPException):
            while not self.enough:
                connection.request("POST", PATH, self.body())
                answer = connection.getresponse()
                answer.read()
                self.answered(answer.status)

    def end(self):
        self.enough = True
        self.join(harness.PATIENCE_S + 5)
        assert not self.is_alive(), "a client hangs"


def under_load(daemon, first=0, clients=6, **more):
    """Half of the clients send arrays."""
    return [Sender(daemon, first + (i + 1) * 10_000_000, size=1 + i % 2 * 6, **more) for i in range(clients)]


def end_all(senders):
    for sender in senders:
        sender.end()


def assert_whole(sent, id_of):
    """An array is there as a whole or not at all, with nothing in between; all in the order that it was sent."""
    newest = 0
    for calls in sent.requests:
        ids = [id_of.get(call) for call in calls]
        if any(ids):
            assert ids == list(range(ids[0], ids[0] + len(ids))), f"an array is torn: {ids}"
            assert ids[0] > newest, "not in the order that it was sent"
            newest = ids[-1]


def assert_all_there(file, senders, after=0):
    """Every answered event once, with its bytes; ids without gaps; what was refused or never sent is not there.

    after: the log up to this id is not looked at. Returns the newest id."""
    rows = [row for row in read(file, "SELECT id, data FROM events ORDER BY id") if row[0] > after]
    assert [row[0] for row in rows] == list(range(after + 1, after + len(rows) + 1))
    id_of = {int(CALL_ID.search(data)[1]): id_ for id_, data in rows}
    assert len(id_of) == len(rows), "an event is there twice"
    sent = {call: data for sender in senders for call, data in sender.bodies.items()}
    assert all(sent.get(int(CALL_ID.search(data)[1])) == data for _, data in rows), "not the bytes that were sent"
    answered = set().union(*(sender.accepted() for sender in senders))
    refused = set().union(*(sender.with_status(503) for sender in senders))
    assert answered, "the test did nothing"
    assert answered - id_of.keys() == set(), "an answered event is lost"
    assert refused & id_of.keys() == set(), "an event is there that was answered 503"
    for sender in senders:
        assert_whole(sender, id_of)
    assert read(file, "PRAGMA integrity_check") == [("ok",)]
    return after + len(rows)


def remains(path):
    """A copy of what a dead daemon left, so that looking at it changes nothing."""
    copy = path.with_suffix(".copy")
    for suffix in "", "-wal":
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{copy}{suffix}")
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    return copy
