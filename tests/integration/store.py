"""What the tests of the event log share: its file read and changed, daemons that die, clients that keep sending."""

import contextlib
import http.client
import json
import signal
import sqlite3
import threading

import harness
from harness import KEY, PATH, event


def read(file, sql="SELECT id, type, verdict, data, extra FROM events ORDER BY id"):
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


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


class Sender(threading.Thread):
    """A client that posts one event after the other on one connection, until the daemon is gone or it is told to."""

    def __init__(self, daemon, base, padding=0):
        super().__init__(daemon=True)
        self.address, self.next, self.padding = daemon.address, base, padding
        self.statuses, self.bodies, self.enough = {}, {}, False
        self.start()

    def run(self):
        connection = http.client.HTTPConnection(*self.address, timeout=harness.PATIENCE_S)
        with contextlib.closing(connection), contextlib.suppress(ConnectionError, http.client.HTTPException):
            while not self.enough:
                self.next += 1
                data = f'{{"call": {{"callId":{self.next},  "x":"{"x" * self.padding}"}}}}'
                self.bodies[self.next] = data
                connection.request("POST", PATH, f'{{"key":"{KEY}","type":"EVENT_911","data":{data}}}')
                answer = connection.getresponse()
                answer.read()
                self.statuses[self.next] = answer.status

    def end(self):
        self.enough = True
        self.join(harness.PATIENCE_S + 5)
        assert not self.is_alive(), "a client hangs"

    def accepted(self):
        return {call for call, status in self.statuses.items() if status == 200}


def under_load(daemon, first=0, clients=6, **more):
    return [Sender(daemon, first + (i + 1) * 10_000_000, **more) for i in range(clients)]


def assert_all_there(file, senders):
    """Every answered event once, with its bytes; ids from 1 without gaps; what was never sent is not there."""
    rows = read(file, "SELECT id, data FROM events ORDER BY id")
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    found = {json.loads(data)["call"]["callId"]: data for _, data in rows}
    assert len(found) == len(rows), "an event is there twice"
    sent = {call: data for sender in senders for call, data in sender.bodies.items()}
    answered = set().union(*(sender.accepted() for sender in senders))
    assert answered, "the test did nothing"
    assert answered - found.keys() == set()
    assert all(sent.get(call) == data for call, data in found.items())
    assert read(file, "PRAGMA integrity_check") == [("ok",)]
