"""Actions of type redis: each event of the log once, in order, in the stream, whatever becomes of the server."""

from ctl_tools import ctl
from harness import call911, wait_for
from redis_server import assert_whole
from store import array_of, change, kill, read
from test_session_primed import KNOWN


def post(daemon, first, n=1):
    for call in range(first, first + n):
        assert daemon.post(call911(call)).status == 200


def test_entries(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()], node="edge1")
    post(daemon, 1, 3)
    server.wait_ids([1, 2, 3])
    assert_whole(server, path)
    (place, members), *_ = server.entries()
    assert list(members) == ["type", "community", "time", "node", "prev", "record"]
    assert members["prev"] == "0-0" and members["node"] == "edge1"


def test_default_stream_is_named_after_the_node(on, path, redis):
    server = redis()
    daemon = on(actions=[{"name": "bus", "type": "redis", "url": server.url}], node="edge7")
    post(daemon, 1)
    server.wait_ids([1], "cad:events:edge7")


def test_killed_daemon(on, path, redis):
    server = redis()
    first = on(actions=[server.action()])
    post(first, 1, 20)
    kill(first)
    second = on(actions=[server.action()])
    post(second, 100, 5)
    server.wait_ids(range(1, 26))
    assert_whole(server, path)


def test_killed_server(on, path, redis):
    """Nothing of it is saved: all is published again."""
    server = redis()
    daemon = on(actions=[server.action()])
    post(daemon, 1, 5)
    server.wait_ids(range(1, 6))
    server.kill()
    post(daemon, 10, 2)
    daemon.wait_line("event 6 not delivered")
    server.start()
    server.wait_ids(range(1, 8))
    assert_whole(server, path)
    daemon.wait_line("the stream cad:events:edge1 is gone, which ended with .*-5: it is published again")


def test_flushed_under_a_living_connection(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()])
    post(daemon, 1, 5)
    server.wait_ids(range(1, 6))
    server.client.flushall()
    post(daemon, 10)
    server.wait_ids(range(1, 7))
    server.client.delete("cad:events:edge1")
    post(daemon, 11)
    server.wait_ids(range(1, 8))
    assert_whole(server, path)


def test_flushed_while_the_daemon_is_down(on, path, redis):
    server = redis()
    first = on(actions=[server.action()])
    post(first, 1, 5)
    server.wait_ids(range(1, 6))
    first.stop()
    server.client.flushall()
    second = on(actions=[server.action()])
    post(second, 10)
    server.wait_ids(range(1, 7))
    assert_whole(server, path)


# Several streams


def test_stream_for_each_community(start, tmp_path, redis):
    server = redis()
    communities = [{"name": name, "api_key": f"KEY-{name}-000000"} for name in "abc"]
    daemon = start(communities=communities, actions=[server.action(stream="cad:{community}")])
    daemon.secrets.update(f"KEY-{name}-000000" for name in "abc")

    def post_to(name, call):
        assert daemon.post({**call911(call), "key": f"KEY-{name}-000000"}).status == 200

    for call, name in enumerate("abcabcab", 1):
        post_to(name, call)
    wanted = {"a": [1, 4, 7], "b": [2, 5, 8], "c": [3, 6]}
    for name, ids in wanted.items():
        server.wait_ids(ids, f"cad:{name}")
        entries = server.entries(f"cad:{name}")
        assert [members["prev"] for _, members in entries] == ["0-0", *(place for place, _ in entries[:-1])]
    server.client.flushall()
    post_to("a", 9)
    for name, ids in {**wanted, "a": [1, 4, 7, 9]}.items():
        server.wait_ids(ids, f"cad:{name}")


def test_quiet_stream_is_asked_once(on, path, redis):
    """What a filter leaves out is no hole: nothing is added twice, and nothing told as lost."""
    server = redis()
    changes = {"actions": [server.action(events=["EVENT_911"])]}
    first = on(**changes)
    post(first, 1)
    server.wait_ids([1])
    for _ in range(5):
        first.serves()
    first.stop()
    second = on(**changes)
    post(second, 2)
    server.wait_ids([1, 7])
    assert server.entries()[1][1]["prev"] == server.entries()[0][0]
    assert not second.find_line("lost|gone|no longer")


def test_log_that_was_cut(on, path, redis):
    """What the server has lost and the log no longer has is told; the rest is published again."""
    server = redis()
    first = on(actions=[server.action()])
    post(first, 1, 6)
    server.wait_ids(range(1, 7))
    first.stop()
    server.client.flushall()
    change(path, "DELETE FROM events WHERE id <= 3")
    second = on(actions=[server.action()])
    post(second, 7)
    server.wait_ids([4, 5, 6, 7])
    second.wait_line("events 1 to 3 are no longer in the log, and may be missing at the target")


# Lives of the log


def test_log_put_back_by_hand(on, path, redis):
    """Behind the back of the daemon: what came since is new, and stands behind what the stream has."""
    server = redis()
    first = on(actions=[server.action()])
    post(first, 1, 3)
    server.wait_ids([1, 2, 3])
    first.stop()
    copy = path.read_bytes()
    second = on(actions=[server.action()])
    post(second, 4, 3)
    server.wait_ids(range(1, 7))
    second.stop()
    path.write_bytes(copy)
    third = on(actions=[server.action()])
    post(third, 10)
    third.wait_line("the event log is behind what it once told: .* From event 5 on it has a new life")
    server.wait_ids([1, 2, 3, 4, 5, 6, 4])
    post(third, 11, 2)
    server.wait_ids([1, 2, 3, 4, 5, 6, 4, 5, 6])
    epochs = [int(place.split("-")[0]) for place, _ in server.entries()]
    assert epochs[:6] == epochs[:1] * 6 and epochs[6:] == epochs[6:7] * 3 and epochs[6] > epochs[0]
    assert '"callId": 10' in server.entries()[6][1]["record"]
    third.stop()
    fourth = on(actions=[server.action()])
    post(fourth, 20)
    server.wait_ids([1, 2, 3, 4, 5, 6, 4, 5, 6, 7])


def test_log_put_back_with_places_that_lag(on, path, redis):
    """What both the copy and the stream have is not published twice; what only looks like it, is. By two actions."""
    servers = [redis(), redis()]
    changes = {"actions": [server.action(name=f"bus{i}") for i, server in enumerate(servers)]}
    first = on(**changes)
    post(first, 1, 4)
    for server in servers:
        server.wait_ids([1, 2, 3, 4])
    first.stop()
    copy = path.read_bytes()
    second = on(**changes)
    post(second, 5, 3)
    for server in servers:
        server.wait_ids(range(1, 8))
    second.stop()
    path.write_bytes(copy)
    change(path, "UPDATE cursors SET event_id = 2 WHERE action LIKE 'bus%'")
    third = on(**changes)
    post(third, 10)
    for server in servers:
        server.wait_ids([*range(1, 8), 5])
    post(third, 11)
    for server in servers:
        server.wait_ids([*range(1, 8), 5, 6])
        assert '"callId": 10' in server.entries()[7][1]["record"]
        assert server.entries()[7][1]["prev"] == server.entries()[6][0]
    assert len(read(path, "SELECT log FROM lives")) == 2


def test_log_restored(on, path, redis, tmp_path):
    server = redis()
    first = on(actions=[server.action()])
    post(first, 1, 3)
    server.wait_ids([1, 2, 3])
    assert ctl("-c", first.file, "backup", str(tmp_path / "copy.db")).returncode == 0
    post(first, 4, 3)
    server.wait_ids(range(1, 7))
    first.stop()
    assert ctl("-c", first.file, "restore", str(tmp_path / "copy.db")).returncode == 0
    second = on(actions=[server.action()])
    post(second, 10, 2)
    server.wait_ids([1, 2, 3, 4, 5, 6, 4, 5])
    assert not second.find_line("is behind what it once told")


# What people ask for


def test_trial(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    said = ctl("-c", daemon.file, "test", "bus")
    assert said.returncode == 0 and "cad:events:edge1 ends with" in said.stdout and "a test adds nothing" in said.stdout
    assert server.ids() == [1]


def test_replay_adds_nothing_twice(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()])
    post(daemon, 1, 3)
    server.wait_ids([1, 2, 3])
    assert ctl("-c", daemon.file, "replay", "bus", "--from", "1").returncode == 0
    post(daemon, 4)
    server.wait_ids([1, 2, 3, 4])


def test_max_len(on, path, redis):
    """Not further back than that either."""
    server = redis()
    daemon = on(actions=[server.action(max_len=100)])
    assert daemon.post(array_of(450)).status == 200
    wait_for(lambda: server.ids()[-1:] == [450], "the last event")
    assert len(server.ids()) < 450
    server.client.flushall()
    post(daemon, 1)
    wait_for(lambda: server.ids()[-1:] == [451], "the last event")
    assert server.ids() == list(range(352, 452))


# What no other action gets


def test_primed_state(start, cad, redis):
    """Another node is to know what the CAD was asked for; programs and Discord are not told of it."""
    server, hub = redis(), cad(**KNOWN)
    daemon = start(sessions=[hub.session(prime=True)], actions=[server.action()])
    daemon.wait_line("known from the CAD: 2 units")
    server.wait_ids([1])
    _, members = server.entries()[0]
    assert members["type"] == "STATE_PRIMED" and '"verdict":"internal"' in members["record"]
