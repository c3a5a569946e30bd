"""Actions of type redis: each event of the log once, in order, in the stream, whatever becomes of the server."""

from harness import call911, wait_for
from redis_target import assert_whole
from store import kill


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
