"""growing.py - what tests/bench/growth lets grow: the rows of DIMENSIONS at the end, each with what it measures.

Where nothing else is said, 1,000 events a second come over 8 connections, and CPU is the daemon's for each of them, until
all that has to look at it has done so. Server on one CPU, wrk on the other, whose connections keep step: with 64 of them
p99 would be that of 64 events at once.
"""
import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from meters import BODY, HERE, KEY, PATH, BenchError, choose_cpus, cpu_ns, free_port, rss_kib, wrk
from servers import NO_LINES, Case, Server, daemon

EVENT = json.loads(BODY.read_text())
CONNECTIONS, RATE = 8, 1000
PATIENCE_S = 300
ARRAY = 4096  # events of one request, and units that one community may have
DAY_US = 24 * 3600 * 10**6


class Bench:
    def __init__(self, build, folder, seconds):
        self.build, self.folder, self.seconds = build, folder, seconds
        self.server_cpu, self.wrk_cpu = choose_cpus()

    @contextmanager
    def server(self, settings="", prepare=lambda folder: None):
        """A daemon with these lines in its configuration; .started_s is how long it took until it had answered an event."""
        def command(place):
            prepare(place.folder)
            return daemon(NO_LINES + "\n" + settings)(place)

        began = time.monotonic()
        with Server(Case("growth", "", command), self.build, self.server_cpu) as server:
            server.started_s = time.monotonic() - began
            yield server

    def load(self, server, rate=RATE, connections=CONNECTIONS, body=None, settle=lambda: None):
        """What an event costs and how long its answer takes, as columns."""
        file = self.folder / "body"
        file.write_bytes(BODY.read_bytes() if body is None else json.dumps(body).encode())
        pause_ms = round(1000 * connections / rate) if rate else None
        wrk(server.port, 1, connections, self.wrk_cpu, pause_ms, file)
        settle()
        before = cpu_ns(server.pid)
        load = wrk(server.port, self.seconds, connections, self.wrk_cpu, pause_ms, file)
        settle()
        used_us = (cpu_ns(server.pid) - before) / 1e3
        if load["not_ok"] or load["socket_errors"]:
            raise BenchError(f"{load['not_ok']} events were not answered with 200, {load['socket_errors']} not at all")
        return {"CPU us": used_us / load["requests"], "p99 ms": load["p99_us"] / 1e3,
                "events/s": load["requests"] / load["seconds"], "RSS MiB": rss_kib(server.pid) / 1024}


# -- events, connections, actions, viewers ---------------------------------------------------------------------------

def rates(bench, n):
    with bench.server() as server:
        return bench.load(server, rate=n, connections=max(CONNECTIONS, n // 250))


def saturated(bench, n):
    """So many connections, each of which sends its next event when it has its answer."""
    with bench.server() as server:
        return bench.load(server, rate=None, connections=n)


def connections(bench, n):
    """So many connections that send nothing, beside those that do; for less time than the daemon lets them."""
    with bench.server() as server:
        command = ["setpriv", "--pdeathsig", "KILL", sys.executable, HERE / "growing.py", str(server.port), str(n)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as others:
            if others.stdout.readline() != b"ready\n":
                raise BenchError(f"{n} connections cannot be held")
            result = bench.load(server)
            others.stdin.close()
            return result


def ctl(bench, server, *words):
    command = [bench.build / "sonoran-pushctl", "-c", server.folder / "bench.yaml", *words]
    return subprocess.run(command, capture_output=True, check=True).stdout


def actions(bench, n):
    """Each looks at every event, and wants none."""
    def settle():
        end = time.monotonic() + PATIENCE_S
        while n and any(action["lag"] for action in json.loads(ctl(bench, server, "actions", "--json"))["actions"]):
            if time.monotonic() > end:
                raise BenchError(f"{n} actions are still behind after {PATIENCE_S} s")
            time.sleep(0.02)

    rows = ", ".join(f'{{ name: "l{i}", type: "forward", url: "http://127.0.0.1:1/", '
                     f'when: [ "caller = nobody", "dispatchers = {i}" ] }}' for i in range(n))
    with bench.server(f"actions: [ {rows} ]") as server:
        return bench.load(server, settle=settle)


@contextmanager
def watched(bench, board, n):
    command = ["setpriv", "--pdeathsig", "KILL", bench.build / "bench_viewers", str(board), str(n)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as viewers:
        if viewers.stdout.readline() != b"ready\n":
            raise BenchError("bench_viewers failed")
        yield
        viewers.stdin.close()


def viewers(bench, n):
    """At 100 events a second."""
    board = free_port()
    with bench.server(f'admin: {{ address: "127.0.0.1:{board}", streams: 512, streams_per_ip: 512 }}') as server:
        with watched(bench, board, n) if n else nullcontext():
            return bench.load(server, rate=100)


# -- sessions --------------------------------------------------------------------------------------------------------

def sessions(bench, n):
    """Open, and silent, beside the events that come by POST."""
    os.environ["SONORAN_PUSHD"] = str(bench.build / "sonoran-pushd")
    sys.path.append(str(HERE.parent / "integration"))
    import cad

    hub = cad.Hub(accounts={cad.COMMUNITY: {"key": KEY, "servers": list(range(1, n + 1))}})
    rows = [{**hub.session(name=f"s{i}", server=i), "community": "bench"} for i in range(1, n + 1)]
    try:
        with bench.server(f"sessions: {json.dumps(rows)}") as server:
            hub.wait_sessions(n)
            return bench.load(server)
    finally:
        hub.kill()


# -- communities, and what is known of them --------------------------------------------------------------------------

def key_of(i):
    return f"BENCH-API-KEY-{i:04}"


def with_communities(n):
    """Beside that of the event, whose key is the first."""
    rows = [{"name": f"c{i}", "api_key": key_of(i)} for i in range(1, n)]

    def settings(folder):
        file = folder / "more.yaml"
        file.touch(mode=0o600)
        file.write_text(f"communities: {json.dumps(rows)}\n")
    return {"settings": 'include: [ "more.yaml" ]', "prepare": settings}


def communities(bench, n):
    """Events of the one whose key is the last of all."""
    with bench.server(**with_communities(n)) as server:
        return bench.load(server, body={**EVENT, "key": key_of(n - 1)} if n > 1 else EVENT)


def post_array(connection, key, kind, elements):
    connection.request("POST", PATH, json.dumps({"key": key, "type": kind, "data": elements}))
    answer = connection.getresponse()
    if (answer.status, text := answer.read())[0] != 200:
        raise BenchError(f"an array was answered {answer.status}: {text}")


def log_in(server, n):
    """So many units, as many in each community as it may have."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)) as connection:
        for community, first in enumerate(range(0, n, ARRAY)):
            units = [{"unit": {"id": unit, "status": 1, "data": {"unitNum": f"1-L-{unit}", "name": f"Mara Ellison {unit}"}}}
                     for unit in range(1, min(ARRAY, n - first) + 1)]
            post_array(connection, key_of(community) if community else KEY, "EVENT_UNIT_LOGIN", units)


def state(bench, n):
    """Statuses of one of so many units."""
    with bench.server(**with_communities(-(-n // ARRAY))) as server:
        log_in(server, n)
        return bench.load(server, body={"key": KEY, "type": "EVENT_UNIT_STATUS", "data": {"identIds": [50], "status": 3}})


# -- the log ---------------------------------------------------------------------------------------------------------

SEED = 10_000


def seed(bench):
    """A log with SEED events, of a daemon that has ended."""
    file = bench.folder / "seed.db"
    if not file.exists():
        with bench.server() as server:
            with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)) as connection:
                for first in range(1, SEED, 1000):
                    calls = [{"call": {**EVENT["data"]["call"], "callId": first + i}} for i in range(1000)]
                    post_array(connection, KEY, "EVENT_911", calls)
            server.process.terminate()
            server.process.wait()
            shutil.copy(server.folder / "bench.db", file)
    return file


def grow(file, n):
    """To n events of the last 20 days, by copies of the rows that are there."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(events)") if name != "id"]
        (last,) = database.execute("SELECT max(id) FROM events").fetchone()
        database.execute("BEGIN")
        for begin in range(last, n, last):
            names = ", ".join(columns)
            database.execute(f"INSERT INTO events (id, {names}) SELECT id + ?, {names} FROM events WHERE id <= ?",
                             (begin, min(last, n - begin)))
            database.execute("INSERT INTO refs SELECT community, kind, ref, event_id + ? FROM refs WHERE event_id <= ?",
                             (begin, min(last, n - begin)))
        now_us = time.time_ns() // 1000
        database.execute("UPDATE events SET received_at = ? + id * ?", (now_us - 20 * DAY_US, 20 * DAY_US // n))
        database.execute("UPDATE cursors SET event_id = (SELECT max(id) FROM events)")
        database.execute("COMMIT")


def log(bench, n):
    """Of 20 days, of which a start reads the last."""
    kept = seed(bench)

    def prepare(folder):
        shutil.copy(kept, folder / "bench.db")
        grow(folder / "bench.db", n)
        prepared.append(time.monotonic())

    prepared, began = [], time.monotonic()
    with bench.server(prepare=prepare) as server:
        start_ms = 1000 * (server.started_s - (prepared[0] - began))
        asked = time.monotonic()
        ctl(bench, server, "events", "--911", "5000", "-n", "10", "--json")
        asked_ms = 1000 * (time.monotonic() - asked)
        return {**bench.load(server), "start ms": start_ms, "a call's events ms": asked_ms}


# -- rows ------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Dimension:
    name: str
    what: str
    measure: Callable
    points: list
    full: list = field(default_factory=list)  # with --full


DIMENSIONS = [
    Dimension("rate", "events/s", rates, [100, 1000, 5000, 20000]),
    Dimension("saturated", "busy connections", saturated, [1, 8, 64, 256, 1000]),
    Dimension("connections", "silent connections", connections, [1, 8, 64, 256, 900]),
    Dimension("actions", "actions", actions, [0, 1, 8, 32, 64]),
    Dimension("viewers", "viewers", viewers, [0, 10, 100, 500]),
    Dimension("sessions", "sessions", sessions, [0, 1, 10, 50, 100]),
    Dimension("communities", "communities", communities, [1, 10, 100, 500]),
    Dimension("log", "events in the log", log, [10**4, 10**5, 10**6], [10**7]),
    Dimension("state", "units", state, [10**2, 10**3, 10**4, 10**5], [10**6]),
]


def hold(port, n):
    """So many connections that each have had an answer and then send nothing; runs as a program of its own."""
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(n)]
    for client in held:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(4096)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    hold(int(sys.argv[1]), int(sys.argv[2]))
