"""config/examples/group.py and group.js: consumers of a group that are killed again and again; each event comes to one of them."""

import os
import random
import subprocess

import cad
import harness
import pytest
from harness import wait_for
from store import end_all, numbers, under_load

EXAMPLES = harness.REPOSITORY / "config/examples"
KEY = "cad:events:edge1"


class Consumer:
    """As program says: what stands before its arguments, and its environment."""

    def __init__(self, program, folder, server, name):
        command, self.env = program
        self.file, self.command = folder / f"{name}.out", [*command, f"unix://{server.socket}", "bots", name, KEY]
        self.process = None
        self.start()

    def start(self):
        with open(self.file, "ab") as out, open(self.file.with_suffix(".err"), "ab") as err:
            out.write(b"\n")  # behind what a killed one had begun
            out.flush()
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.env)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ids(self):
        """Of whole lines: what a killed consumer wrote last may be torn, and comes again."""
        lines = self.file.read_text(encoding="utf-8").split("\n")[:-1]
        return [int(line.split()[1]) for line in lines if len(line.split()) > 3]


@pytest.fixture(params=["group.py", "group.js"])
def program(request):
    if request.param == "group.py":
        return ["/usr/bin/python3", EXAMPLES / request.param], None
    return ["node", EXAMPLES / request.param], {**os.environ, "NODE_PATH": str(cad.installed())}


@pytest.fixture
def consumers(tmp_path, program):
    started = []

    def start(server, names):
        started.extend(Consumer(program, tmp_path, server, name) for name in names)
        return started

    yield start
    for one in started:
        one.kill()


def test_killed_consumers(on, path, redis, consumers):
    server, chance = redis(), random.Random(7)
    daemon = on(actions=[server.action(max_len=0)])
    group = consumers(server, ["ann", "bob"])
    clients = under_load(daemon, clients=2)
    for _ in range(6):
        n = len(group[0].ids()) + len(group[1].ids())
        wait_for(lambda: len(group[0].ids()) + len(group[1].ids()) > n + 20, "events")
        one = chance.choice(group)
        one.kill()
        one.start()
    end_all(clients)
    newest = numbers(path)[-1]
    wait_for(lambda: {*group[0].ids(), *group[1].ids()} == set(range(1, newest + 1)), "each event at one of them")
    again = len(group[0].ids()) + len(group[1].ids()) - newest
    assert again <= 6 * 100, "more came twice than was in hand when they were killed"


def test_flushed(on, path, redis, consumers):
    """The group is gone with its place: what is published again comes again, and nothing is missing."""
    server = redis()
    daemon = on(actions=[server.action()])
    (ann,) = consumers(server, ["ann"])
    assert daemon.post(harness.call911(1)).status == 200
    wait_for(lambda: ann.ids() == [1], "the first event")
    server.client.flushall()
    assert daemon.post(harness.call911(2)).status == 200
    wait_for(lambda: ann.ids()[-1:] == [2], "the second event")
    assert ann.ids() in ([1, 1, 2], [1, 2])


def test_killed_server(on, path, redis, consumers):
    """Under a consumer that waits for events."""
    server = redis()
    daemon = on(actions=[server.action()])
    (ann,) = consumers(server, ["ann"])
    assert daemon.post(harness.call911(1)).status == 200
    wait_for(lambda: ann.ids() == [1], "the first event")
    server.kill()
    server.start()
    assert daemon.post(harness.call911(2)).status == 200
    wait_for(lambda: ann.ids()[-1:] == [2], "the second event")
    assert ann.ids() in ([1, 1, 2], [1, 2])
