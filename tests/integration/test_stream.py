"""The event stream: each event once and in order, over cuts, restarts and deaths, and what a client is told where that
cannot be."""

import contextlib
import json
import random
import re
import signal

import pytest
from ctl_tools import UnixConnection, ctl, store_of
from harness import KEY, Daemon, call911, config, event, wait_for
from store import array_of, change, kill
from streams import Stream
from test_admin_door import board

TOKEN = "TOKEN-FOR-TESTS-0000"
OTHER_KEY = "TEST-API-KEY-1111"
TWO = [{"name": "default", "api_key": KEY}, {"name": "other", "api_key": OTHER_KEY}]


@contextlib.contextmanager
def once_more(daemon):
    """Another daemon on the event log of one that has ended; the log's socket is where it was."""
    folder = daemon.file.parent / f"again{random.randrange(1 << 32)}"
    again = Daemon(folder, config(store={"path": str(store_of(daemon))}))
    try:
        yield again.wait_ready()
    finally:
        again.finish()


def exported(daemon):
    """The log as sonoran-pushctl tells it."""
    result = ctl("events", "--store", store_of(daemon), "--json", "--after", 0, "--limit", 100_000)
    return [json.loads(line) for line in result.stdout.splitlines()]


def fill(daemon, n, **call):
    """So many events, which are there for whoever comes: an answer may be a moment before."""
    assert daemon.post(array_of(n, **call)).status == 200
    wait_for(lambda: hello(daemon)["newest"] >= n, "the events")


def hello(daemon):
    with Stream(daemon) as stream:
        return stream.next().data


def hide_from(record):
    """The line of a refused event says it too."""
    said = record["summary"].replace(f" from {record['from']}", "")
    assert (said != record["summary"]) == (record["verdict"] != "accepted")
    return {**record, "summary": said}


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


# What it says


def test_head_and_hello(daemon):
    fill(daemon, 1)
    with Stream(daemon) as stream:
        assert stream.status == 200
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["X-Accel-Buffering"] == "no" and stream.headers["Cache-Control"] == "no-store"
        assert "Content-Encoding" not in stream.headers and "Access-Control-Allow-Origin" not in stream.headers
        said = stream.next()
    assert (said.id, said.kind) == (None, "hello")
    assert (said.data["newest"], said.data["oldest"]) == (1, 1) and said.data["time"].endswith("Z")
    assert said.data["log"] == exported(daemon)[0]["log"]


def test_lines(daemon):
    """Those that come while it is open, and those from before, are the same: the record, without the sender's address
    and, unless they are asked for, without the sender's data."""
    with Stream(daemon) as live, Stream(daemon, data=1) as whole, Stream(daemon, data=0) as plain:
        assert daemon.post({**call911(1, description="two\nlines \x1b[31m\u202e"), "test": True, "more": {"x": 1}}).status == 200
        assert daemon.post(array_of(3)).status == 200
        assert daemon.post(event("EVENT_OF_TOMORROW", {"x": 1})).status == 400
        seen, with_data = live.lines(5), whole.lines(5)
        assert plain.lines(5) == seen
    records = exported(daemon)
    assert seen == [without(record, "from", "data", "extra") for record in map(hide_from, records)]
    assert with_data == [without(record, "from") for record in map(hide_from, records)]
    assert seen[0]["test"] is True and with_data[0]["extra"] == {"test": True, "more": {"x": 1}}
    for data, told in [(0, seen), (1, with_data)]:
        with Stream(daemon, data=data, **{"from": 0}) as again:
            assert again.lines(5) == told


def test_large_data(daemon):
    """More than the ring takes, and than one piece of an answer."""
    with Stream(daemon, data=1) as whole, Stream(daemon) as plain:
        for number in range(8):
            assert daemon.post(call911(number, x="x" * (200_000 if number % 2 else 10))).status == 200
        records = whole.lines(8)
        assert [len(record["data"]["call"]["x"]) for record in records] == [10, 200_000] * 4
        assert [record["id"] for record in plain.lines(8)] == list(range(1, 9))


# Where it begins


def test_begins(daemon):
    fill(daemon, 5)

    def first(*args, **query):
        with Stream(daemon, *args, **query) as stream:
            return stream.lines(1)[0]["id"]

    assert [first(**{"from": n}) for n in (0, 3)] == [1, 4]
    assert first(3, **{"from": 0}) == 4  # the header wins
    assert first(3, log=exported(daemon)[0]["log"]) == 4
    with Stream(daemon, 5) as at_end, Stream(daemon) as now:
        daemon.post(call911())
        assert at_end.lines(1)[0]["id"] == now.lines(1)[0]["id"] == 6


@pytest.mark.parametrize("id_, query, why", [
    ("7", {}, "above the newest"), ("x", {}, "no number"), ("-1", {}, "no number"), ("1e3", {}, "no number"),
    ("99999999999999999999", {}, "no number"), ("1 2", {}, "no number"), (None, {"from": "x"}, "no number"),
    ("3", {"log": "of before"}, "another life"), (None, {"from": "3", "log": "x"}, "another life")])
def test_resets(daemon, id_, query, why):
    """It goes on from now, with an id to come again by."""
    fill(daemon, 6)
    with Stream(daemon, id_, **query) as stream:
        assert stream.next().kind == "hello"
        reset = stream.next()
        assert (reset.id, reset.kind) == (6, "reset") and why in reset.data["why"]
        assert reset.data["lost_from"] is None and reset.data["lost_to"] is None
        daemon.post(call911())
        assert stream.lines(1)[0]["id"] == 7


def test_older_than_what_is_kept(daemon):
    fill(daemon, 6)
    change(store_of(daemon), "DELETE FROM events WHERE id <= 3")
    with Stream(daemon, 1) as stream:
        assert stream.next().data["oldest"] == 4
        reset = stream.next()
        assert (reset.id, reset.kind) == (3, "reset")
        assert (reset.data["lost_from"], reset.data["lost_to"]) == (2, 3)
        assert [record["id"] for record in stream.lines(3)] == [4, 5, 6]
    with Stream(daemon, 3) as stream:
        assert stream.next().kind == "hello" and stream.lines(1)[0]["id"] == 4


def test_a_restored_log(start, tmp_path):
    """An id that is above the newest, or of a life that has ended: what came since the new one began is told."""
    first = start()
    first.post(array_of(4))
    assert ctl("backup", tmp_path / "copy", "--store", store_of(first)).returncode == 0
    first.post(array_of(4))
    log = exported(first)[0]["log"]
    first.stop()
    assert ctl("restore", tmp_path / "copy", "--store", store_of(first)).returncode == 0
    with once_more(first) as daemon:
        daemon.post(call911(10))
        wait_for(lambda: hello(daemon)["newest"] == 5, "the event")
        for id_, query in [(8, {}), (8, {"log": log}), (5, {"log": log})]:
            with Stream(daemon, id_, **query) as stream:
                assert stream.next().data["log"] != log
                reset = stream.next()
                assert (reset.id, reset.kind) == (4, "reset")
                assert stream.lines(1)[0]["id"] == 5
        with Stream(daemon, 4, log=log) as stream:  # it has seen nothing that is not there any more
            assert stream.next().kind == "hello" and stream.lines(1)[0]["id"] == 5


# Filters


def test_filters(start):
    daemon = start(communities=TWO)
    with Stream(daemon, community="other") as other, Stream(daemon, type="event_remove_*") as removed, Stream(daemon) as all_:
        for number in range(3):
            daemon.post(call911(number))
            daemon.post(event(data={"callIds": [number]}, key=OTHER_KEY))
        assert [record["id"] for record in all_.lines(6)] == [1, 2, 3, 4, 5, 6]
        assert [record["id"] for record in other.lines(3)] == [2, 4, 6]
        assert {record["type"] for record in removed.lines(3)} == {"EVENT_REMOVE_911"}
    with Stream(daemon, community="default", type="*_911", **{"from": 1}) as both:
        assert [record["id"] for record in both.lines(2)] == [3, 5]


@pytest.mark.parametrize("behind", [False, True])
def test_where_a_filter_lets_nothing_through(daemon, behind):
    """An id comes all the same, so that coming again is short."""
    if behind:
        fill(daemon, 1000)
    with Stream(daemon, 0, type="NOTHING") as stream:
        if not behind:
            daemon.post(array_of(1000))
        assert stream.next().kind == "hello"
        ids = [stream.next() for _ in range(3)]
        assert {tick.kind for tick in ids} == {"tick"} and ids[0].data["time"].endswith("Z")
        assert [tick.id for tick in ids] == sorted(tick.id for tick in ids) and 0 < ids[0].id < ids[2].id <= 1000


# Refusals


def test_refusals(start):
    daemon = start(communities=TWO)
    for query, status, said in [({"community": "none"}, 404, 'no community is called "none"'),
                                ({"community": "\x1b[31m"}, 404, 'no community is called "\\x1b[31m"'),
                                ({"data": "2"}, 400, "data: expected 1 or 0"),
                                ({"headers": {"Sec-Fetch-Site": "cross-site"}}, 403, "")]:
        with Stream(daemon, **query) as stream:
            assert stream.status == status and said in stream.said
    assert daemon.post(call911()).status == 200


def with_tokens(first):
    tokens = {"board_token_file": "board", "bot_token_file": "bot"}
    return [{**TWO[0], **(tokens if first else {"bot_token_file": "other"})}, TWO[1]]


def test_tokens(start):
    """One of a community sees that alone; a bot's sees data too; and where tokens change everybody shows theirs again."""
    files = {"whole": TOKEN, "board": "BOARD-" + TOKEN, "bot": "BOT-" + TOKEN, "other": "OTHER-" + TOKEN}
    admin = {"address": "127.0.0.1:0", "token_file": "whole"}
    daemon = start(config(communities=with_tokens(True), admin=admin), files=files)
    daemon.secrets |= set(files.values())
    where = {"address": board(daemon)}
    for token, query, status in [(None, {}, 401), ("BOARD-", {"data": 1}, 403), ("BOARD-", {"community": "other"}, 403)]:
        with Stream(daemon, **where, token=token and token + TOKEN, **query) as stream:
            assert stream.status == status and stream.said
    with (Stream(daemon, **where, token="BOARD-" + TOKEN) as viewer, Stream(daemon, **where, token="BOT-" + TOKEN, data=1) as bot,
          Stream(daemon, **where, token=TOKEN) as whole):
        assert daemon.post(event(key=OTHER_KEY)).status == 200
        assert daemon.post(event()).status == 200
        assert "data" not in (record := viewer.lines(1)[0]) and record["id"] == 2
        assert bot.lines(1)[0]["data"] == {"callIds": [90417]}
        assert [record["community"] for record in whole.lines(2)] == ["other", "default"]
        daemon.reload(config(communities=with_tokens(True), admin=admin))  # nothing is another
        assert daemon.post(event()).status == 200
        assert viewer.lines(1)[0]["id"] == bot.lines(1)[0]["id"] == 3
        daemon.reload(config(communities=with_tokens(False), admin=admin))
        assert viewer.next() is None and bot.next() is None
    with Stream(daemon, **where, token="BOARD-" + TOKEN) as viewer:
        assert viewer.status == 401


def test_a_community_that_is_taken_out(start):
    daemon = start(communities=TWO)
    with Stream(daemon, community="other") as other, Stream(daemon) as all_:
        assert other.next().kind == "hello" == all_.next().kind
        daemon.reload(config(communities=TWO[:1]))
        assert other.next() is None
        daemon.post(call911())
        assert all_.lines(1)[0]["id"] == 1
    with Stream(daemon, community="other") as other:
        assert other.status == 404


# Cuts


class Follower:
    """Comes again behind the last id that it has seen, whatever happened."""

    def __init__(self, **query):
        self.query, self.records, self.kinds = query, [], []

    @property
    def place(self):
        return self.records[-1]["id"] if self.records else 0

    def follow(self, daemon, wanted):
        """Up to so many records, or until it is cut. False: it was."""
        with Stream(daemon, self.place, **self.query) as stream:
            self.take_all(stream, wanted)
        return len(self.records) >= wanted

    def take_all(self, stream, wanted):
        while stream.status == 200 and len(self.records) < wanted and (sent := stream.next()):
            self.kinds.append(sent.kind)
            if sent.kind == "log":
                assert sent.id == sent.data["id"] == self.place + 1
                self.records.append(sent.data)

    def tear(self, daemon, n_bytes, newest):
        """Reads so much, or all there is, and takes nothing of it for seen but what was whole."""
        with Stream(daemon, self.place, **self.query) as stream:
            some = stream.some_bytes(n_bytes, f"id: {newest}\n".encode())
        for block in some.decode(errors="ignore").split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.split("\n"))
            if lines["event"] == "log":
                self.records.append(json.loads(lines["data"]))
                assert self.place == int(lines["id"])


@pytest.mark.parametrize("query", [{}, {"data": 1}], ids=["plain", "data"])
def test_cuts_anywhere(daemon, query):
    """In the middle of whatever it is, many times: nothing missing, nothing twice, in order."""
    chance = random.Random(5)
    follower, n = Follower(**query), 0
    while n < 300:
        size = chance.randrange(1, 30)
        assert daemon.post(array_of(size, x="x" * chance.randrange(2000))).status == 200
        n += size
        wait_for(lambda: hello(daemon)["newest"] == n, "the events")
        follower.tear(daemon, chance.randrange(1, 8000), n)
    assert follower.follow(daemon, n)
    names = ("from",) if query else ("from", "data", "extra")
    assert follower.records == [without(record, *names) for record in exported(daemon)]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_restarts_and_deaths(on, how):
    """What was answered is told to whoever comes again, once."""
    follower, n = Follower(), 0
    for _ in range(4):
        daemon = on()
        with Stream(daemon, follower.place) as stream:  # open at its end
            for _ in range(5):
                assert daemon.post(array_of(7)).status == 200
                n += 7
            assert follower.follow(daemon, n - 20)
            if how == "stop":
                daemon.stop()
            else:
                kill(daemon)
            stream.close()
    assert follower.follow(on(), n)
    assert [record["id"] for record in follower.records] == list(range(1, n + 1))
    assert "reset" not in follower.kinds


def test_the_end_ends_streams(daemon):
    with Stream(daemon) as stream:
        assert stream.next().kind == "hello"
        daemon.stop(signal.SIGTERM)
        assert stream.next() is None


def test_clock_steps(start, clock):
    """Whatever the clock says, lines come in the order of the log, and once."""
    daemon = start(env=clock.env)
    follower = Follower()
    with Stream(daemon) as stream:
        for number, ahead_s in enumerate([0, 90_000, -90_000, 3600 * 24 * 400, 0], 1):
            clock.ahead(ahead_s)
            assert daemon.post(call911(number)).status == 200
            assert stream.lines(1)[0]["id"] == number
    assert follower.follow(daemon, 5)


# Many, and slow ones


def test_one_that_does_not_read(daemon):
    """Others get everything meanwhile. It may be ended for it, where that takes long, and goes on where it was."""
    follower = Follower(data=1)
    with Stream(daemon, data=1) as slow, Stream(daemon) as quick:
        for number in range(40):
            assert daemon.post(array_of(20, x="x" * 10_000)).status == 200
        assert [record["id"] for record in quick.lines(800)] == list(range(1, 801))
        follower.take_all(slow, 800)
    assert follower.follow(daemon, 800)
    assert [record["id"] for record in follower.records] == list(range(1, 801))


def test_more_than_there_may_be(daemon):
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(daemon)) for _ in range(9)]
        assert [stream.status for stream in streams] == [200] * 8 + [503]
        assert streams[8].headers["Retry-After"] and "too many" in streams[8].said
        daemon.post(call911())
        assert [stream.lines(1)[0]["id"] for stream in streams[:8]] == [1] * 8
    wait_for(lambda: opens(daemon), "a place")


def test_two_hundred(start):
    """Each of them gets everything, what is counted is right, and then they are gone."""
    daemon = start(admin={"streams": 210, "streams_per_ip": 210})
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(daemon)) for _ in range(200)]
        for number in range(5):
            assert daemon.post(array_of(4, first=number)).status == 200
        assert all([record["id"] for record in stream.lines(20)] == list(range(1, 21)) for stream in streams)
        assert counted(daemon, "stream_clients") == 200 and counted(daemon, "stream_clients_limit") == 210
        assert counted(daemon, "stream_events_sent_total") == 200 * 20
    wait_for(lambda: counted(daemon, "stream_clients") == 0, "their end")
    assert counted(daemon, 'stream_ends_total{reason="client"}') == counted(daemon, 'stream_starts_total{from="now"}') == 200


def counted(daemon, name):
    with contextlib.closing(UnixConnection(f"{store_of(daemon)}.control")) as connection:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    return float(re.search(rf"^sonoran_pushd_{re.escape(name)} (\S+)$", text, re.M)[1])


def opens(daemon):
    with Stream(daemon) as stream:
        return stream.status == 200
