"""soaking.py - what soak does, and what it looks at when it is over. SONORAN_PUSHD is set before this is loaded."""
import collections
import json
import os
import re
import statistics
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import bench
import cad
import harness
import redis_server
import store
from ctl_tools import UnixConnection, ctl, store_of
from targets import Target
from viewers import Viewers

EVENT = json.loads(bench.BODY.read_text())
KEY, OTHER_KEY = EVENT["key"], "SOAK-OTHER-KEY"
CONNECTIONS = 32
SLICE_S = 20  # of load, then wrk says its percentiles
OTHER_PER_SECOND = 2
FAIL_S = 45
DOWN_S = 2
HEAD_BYTES, TAIL_BYTES = 1 << 16, 1 << 12
INFO, WARNING = '"priority":6,', 4  # events are told with the first
STREAM = "cad:events:edge1"
STORED = re.compile(r'^sonoran_pushd_events_total\{.*verdict="(\w+)"\} (\d+)$', re.M)
HEADINGS = ["minute", "events/s", "p99 ms", "worst", "RSS MiB", "files", "threads", "WAL MiB", "log MiB", "newest id"]
WIDTHS = [6, 9, 8, 8, 8, 5, 8, 8, 8, 12]


class Daemon(harness.Daemon):
    """Its lines, one for each event, are in a file: nobody has to hold an hour of them."""

    def __init__(self, folder, text):
        self.said, self.offset, self.kinds = folder.with_name("lines"), 0, collections.Counter()
        self.said.touch()
        super().__init__(folder, text, wrapper=["setpriv", "--pdeathsig", "KILL", "sh", "-c", f'exec "$@" 2>>"{self.said}"', "sh"])

    def lines(self):
        """The first ones."""
        with open(self.said, encoding="utf-8") as said:
            return said.read(HEAD_BYTES).split("\n")[:-1]

    def tail(self):
        """The last ones."""
        with open(self.said, "rb") as said:
            said.seek(max(0, self.said.stat().st_size - TAIL_BYTES))
            return said.read().decode(errors="replace")

    def count_kinds(self):
        """Of warnings and errors, in whole lines that came since the last time."""
        with open(self.said, "rb") as said:
            said.seek(self.offset)
            for line in said:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                self.count_kind(line.decode())

    def count_kind(self, line):
        if INFO in line:
            return
        record = {"priority": WARNING, "message": line} if harness.FILE_WARNING.match(line) else json.loads(line)
        if record["priority"] <= WARNING:
            self.kinds[re.sub(r"[0-9][0-9.,:]*", "N", record["message"])] += 1

    def stored(self):
        """How many events it says to have stored, by verdict."""
        with closing(UnixConnection(f"{store_of(self)}.control")) as connection:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            found = STORED.findall(answer.read().decode())
        stored = collections.Counter()
        for verdict, n in found:
            stored[verdict] += int(n)
        return stored


class Every(threading.Thread):
    """Does something each so many seconds, and counts how often. What goes wrong is told at its end."""

    def __init__(self, seconds, what):
        super().__init__(daemon=True)
        self.seconds, self.what, self.enough, self.n, self.problem = seconds, what, threading.Event(), 0, None
        self.start()

    def run(self):
        try:
            while not self.enough.wait(self.seconds):
                self.what()
                self.n += 1
        except Exception as problem:
            self.problem = problem

    def end(self):
        self.enough.set()
        self.join()
        if self.problem:
            raise self.problem


class Soak:
    def __init__(self, args, folder, stack):
        """stack: closes what was begun."""
        self.args, self.began = args, time.monotonic()
        self.p50, self.p99, self.posted, self.other, self.pushed, self.not_ok = [], [], 0, 0, 0, 0
        self.road = threading.Lock()  # to the hub: who pushes does not while it is taken down
        self.target = Target(self.answer)
        stack.callback(self.target.close)
        self.redis = redis_server.RedisServer(folder / "redis", appendonly="yes", maxmemory="512mb", maxmemory_policy="noeviction")
        stack.callback(self.redis.close)
        self.hub = cad.fixed_port(accounts={cad.COMMUNITY: {"key": KEY, "servers": [1]}})
        stack.callback(self.hub.kill)
        self.board = harness.free_port()
        self.daemon = Daemon(folder / "daemon", self.config())
        stack.callback(self.daemon.process.wait)
        stack.callback(self.daemon.process.kill)
        self.db = store_of(self.daemon)
        self.daemon.wait_ready()
        self.hub.wait_sessions(1)

    def config(self):
        return harness.config(
            communities=[{"name": "default", "api_key": KEY}, {"name": "other", "api_key": OTHER_KEY}],
            sessions=[self.hub.session()],
            admin={"address": f"127.0.0.1:{self.board}", "streams": 64, "streams_per_ip": 64},
            limits={"connections_per_ip": 1024},
            store={"path": "events.db", "max_size": "192M"},
            log={"level": "info", "target": "json"},
            actions=[
                {"name": "site", "type": "forward", "url": self.target.url, "communities": ["other"]},
                self.redis.action(stream=STREAM, max_len=100_000),
            ],
        )

    # What goes on

    def answer(self, request):
        """Not for a third of the time."""
        return 503 if (time.monotonic() - self.began) % FAIL_S < FAIL_S / 3 else 200

    def post_other(self):
        body = {"key": OTHER_KEY, "type": "EVENT_911", "data": {"call": {"callId": self.other + 1}}}
        self.other += self.daemon.post(body).status == 200

    def push(self):
        """Without a session it goes nowhere, as at the CAD."""
        with self.road:
            self.pushed += self.hub.push({"type": "EVENT_911", "data": EVENT["data"]})

    def wait_pushed(self):
        """Until the session has read all of it."""
        if self.hub.counts()["sessions"]:
            self.hub.wait_read()

    def cut(self):
        with self.road:
            self.wait_pushed()
            with self.hub.down():
                time.sleep(DOWN_S)

    def restart_redis(self):
        self.redis.kill()
        time.sleep(DOWN_S)
        self.redis.start()

    def reload(self):
        done = ctl("-c", self.daemon.file, "reload")
        assert done.returncode == 0, done.stderr

    def load(self):
        pause_ms = 1000 * CONNECTIONS / self.args.rate
        pause_ms = max(1, round(pause_ms - (statistics.median(self.p50) / 1000 if self.p50 else 1)))
        result = bench.wrk(self.daemon.address[1], SLICE_S, CONNECTIONS, 0, pause_ms)
        self.posted += result["requests"] - result["not_ok"]
        self.not_ok += result["not_ok"] + result["socket_errors"]
        self.p50.append(result["p50_us"])
        self.p99.append(result["p99_us"])
        self.daemon.count_kinds()
        return result["requests"] / result["seconds"]

    def newest(self):
        return store.read(self.db, "SELECT max(id) FROM events")[0][0]

    def print_row(self, minute, rates, p99):
        pid, wal = self.daemon.process.pid, Path(f"{self.db}-wal")
        files, threads = (len(os.listdir(f"/proc/{pid}/{what}")) for what in ("fd", "task"))
        cells = [f"{minute:.0f}", f"{statistics.mean(rates):,.0f}", f"{statistics.median(p99) / 1000:.2f}", f"{max(p99) / 1000:.2f}",
                 f"{bench.rss_kib(pid) / 1024:.1f}", f"{files}", f"{threads}", f"{wal.stat().st_size / 2**20:.1f}",
                 f"{self.db.stat().st_size / 2**20:.1f}", f"{self.newest():,}"]
        print_cells(cells)

    def run(self):
        print_cells(HEADINGS)
        args, tasks = self.args, {}
        with ExitStack() as stack, Viewers(args.build, self.board, args.viewers) as viewers:
            for what, seconds in ((self.post_other, 1 / OTHER_PER_SECOND), (self.push, 1), (self.reload, args.reload),
                                  (self.cut, args.cut), (self.restart_redis, args.restart)):
                tasks[what.__name__] = task = Every(seconds, what)
                stack.callback(task.end)
            self.run_load()
            stack.close()
            seen = viewers.since_last()
        print(f"{self.posted:,} events answered, {self.not_ok} not; {self.other:,} of another community, {self.pushed:,} by the session; "
              f"{tasks['reload'].n} reloads, {tasks['cut'].n} cuts of the session, {tasks['restart_redis'].n} restarts of Redis; "
              f"{seen['open']} of {args.viewers} viewers are there and have {seen['events']:,} events")

    def run_load(self):
        rates, since, due = [], 0, self.args.every
        while time.monotonic() < self.began + 60 * self.args.minutes:
            rates.append(self.load())
            minute = (time.monotonic() - self.began) / 60
            if minute >= due:
                self.print_row(minute, rates, self.p99[since:])
                rates, since, due = [], len(self.p99), due + self.args.every

    # What is there when it is over

    def caught_up(self):
        last = self.redis.client.xrevrange(STREAM, count=1)
        return last and int(last[0][0].split("-")[1]) == self.newest()

    def problems(self):
        """In words."""
        self.wait_pushed()
        harness.wait_for(self.caught_up, "the stream")
        harness.wait_for(lambda: len(self.target.got) >= self.other, "deliveries of the action that failed now and then")
        stored = self.daemon.stored()
        print(ctl("-c", self.daemon.file, "status").stdout)
        self.daemon.stop()
        self.daemon.count_kinds()
        for kind, n in self.daemon.kinds.most_common(20):
            print(f"{n:6} x {kind[:200]}")
        return [problem for problem, is_one in [*self.of_events(stored), *self.of_log(stored), *self.of_stream()] if is_one]

    def of_events(self, stored):
        """Who ends a slice of load leaves at most one event a connection that was stored and whose answer it did not read."""
        answered, accepted = self.posted + self.other + self.pushed, stored["accepted"]
        most = answered + self.not_ok + CONNECTIONS * len(self.p99)
        delivered = {request.json["data"]["call"]["callId"] for request in self.target.got}
        print(f"accepted {accepted:,}; answered, or read by the session, {answered:,}")
        yield f"{answered - accepted:,} events were answered, or read by the session, and not stored", accepted < answered
        yield f"{accepted - most:,} events more were stored than can have been sent", accepted > most
        yield "the action has not delivered all, or what was not sent", delivered != set(range(1, self.other + 1))

    def of_log(self, stored):
        [(oldest, newest, n)] = store.read(self.db, "SELECT min(id), max(id), count(*) FROM events")
        print(f"the log: {oldest:,} to {newest:,}")
        yield f"the newest id is {newest:,}, and {stored.total():,} were stored", newest != stored.total()
        yield f"{newest - oldest + 1 - n:,} events of the log are missing", n != newest - oldest + 1
        yield "the log is not sound", store.read(self.db, "PRAGMA integrity_check") != [("ok",)]
        yield f"the daemon ended with {self.daemon.process.returncode}", self.daemon.process.returncode != 0

    def of_stream(self):
        """What it still has, and the log has, too."""
        oldest = store.read(self.db, "SELECT min(id) FROM events")[0][0]
        ids = self.redis.ids(STREAM)
        wanted = store.read(self.db, f"SELECT id FROM events WHERE verdict = 'accepted' AND id >= {ids[0]} ORDER BY id")
        print(f"the stream: {ids[0]:,} to {ids[-1]:,}")
        yield "the stream has not what the log has", [i for i in ids if i >= oldest] != [i for (i,) in wanted]


def print_cells(cells):
    print(" ".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS)), flush=True)


def soak(args, folder):
    """What soak ends with."""
    with ExitStack() as stack:
        it = Soak(args, folder, stack)
        it.run()
        problems = it.problems()
    print("\n".join(problems) or "all is there")
    return 1 if problems else 0
