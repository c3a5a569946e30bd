"""Daemon and server are killed again and again under load: in the end the stream is the log."""

import random

from harness import wait_for
from redis_server import assert_whole
from store import end_all, kill, numbers, under_load
from test_redis import post

ROUNDS = 6


def test_killed_at_random(on, path, redis):
    server = redis(appendonly="yes", appendfsync="everysec")
    chance = random.Random(14)
    changes = {"actions": [server.action(max_len=0)]}
    for n in range(ROUNDS):
        daemon = on(**changes)
        clients = under_load(daemon, n * 100_000_000, clients=2)
        stored = len(numbers(path))
        wait_for(lambda: len(numbers(path)) > stored + chance.randrange(50, 400), "events")
        if n % 2:
            server.kill()
            wait_for(lambda: len(numbers(path)) > stored + 600, "events")
            server.start()
        elif n == 2:
            server.client.flushall()
        kill(daemon)
        end_all(clients)
    daemon = on(**changes)
    post(daemon, 1)
    newest = numbers(path)[-1]
    wait_for(lambda: server.client.exists("cad:events:edge1") and server.ids()[-1:] == [newest], "the last event")
    assert_whole(server, path)
