"""The paths whose calls fail in turn (torture.py): for each a daemon, and one step on it."""

import contextlib
import json

from ctl_tools import UnixConnection, ctl, store_of
from harness import Answer, chunked, config, event, wait_for
from redis_server import Node
from store import read
from streams import GONE, Stream
from targets import Discord, Target
from torture import Ledger, attempt, descriptors

QUESTIONS = ["/health", "/metrics", "/api/status", "/api/actions", "/api/state", "/api/events?limit=100", "/api/series",
             "/api/story?call911=1", "/api/failed", "/"]
LIMITS = {"failed_keys": 0, "request_time": "3s"}  # who is forgotten by a call that failed is not waited for long


class Path:
    """daemon, ledger; step(), settled(), end(). get: of a fixture, by its name."""

    changes = {}

    def __init__(self, get, faults):
        self.get, self.faults = get, faults
        self.prepare()
        self.daemon = get("start")(limits=LIMITS, env=faults.env, **self.changes)
        self.ledger = Ledger(self.daemon)
        self.ledger.post_until_good()
        self.began()
        self.warm_up()

    def prepare(self):
        """Before the daemon."""

    def began(self):
        """After it."""

    def warm_up(self):
        """What is opened once stays open: connections, handles on the log."""
        self.descriptors = 1000
        most = 0
        for _ in range(5):
            self.step()
            self.settled()
            most = max(most, descriptors(self.daemon))
        self.descriptors = most

    def settled(self):
        """It serves, and has as many descriptors as before."""
        self.ledger.post_until_good()
        self.wait_descriptors()

    def reload(self, text):
        """Whether it was taken. The line about it may be lost as well."""
        self.daemon.configure(text)
        return ctl("-c", self.daemon.file, "reload").returncode == 0

    def reload_until_good(self, text):
        wait_for(lambda: self.reload(text), "a reload")

    def wait_descriptors(self):
        wait_for(lambda: descriptors(self.daemon) <= self.descriptors, f"{self.descriptors} descriptors")

    def end(self):
        """Of the torture."""


class Event(Path):
    def step(self):
        self.ledger.post(caller="Zoë", description="Smoke " * 40)


class LargeEvent(Path):
    """In pieces."""

    def step(self):
        body = json.dumps(self.ledger.body(notes=["smoke"] * 30_000)).encode()
        pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
        with self.daemon.connect() as client:
            self.ledger.judge(attempt(lambda: client.ask(chunked(*pieces))))


class Refused(Path):
    """With a wrong key; and what is no JSON."""

    def step(self):
        for body in event(key="no"), "{":
            answer = attempt(lambda body=body: self.daemon.post(body))
            assert answer is None or answer.status in (400, 408, 500, 503), answer


class Question(Path):
    """One of what sonoran-pushctl and the board ask."""

    question = ""

    def ask(self):
        with contextlib.closing(UnixConnection(f"{store_of(self.daemon)}.control")) as connection:
            connection.request("GET", self.question)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def step(self):
        answer = attempt(self.ask)
        assert answer is None or answer.status in (200, 401, 408, 500, 503), answer  # 401: it may not see who asks

    def settled(self):
        super().settled()
        assert self.ask().status == 200


class Viewer(Path):
    """Of the event stream: it takes it up again where it was cut, and sees each event once."""

    def began(self):
        self.seen = []

    def settled(self):
        self.daemon.post(event(test=True))
        self.wait_descriptors()

    def read_to(self, number):
        """False: it was cut."""
        last = self.seen[-1] if self.seen else None
        with contextlib.suppress(*GONE), Stream(self.daemon, last, **{"from": 0} if last is None else {}) as stream:
            while stream.status == 200 and (sent := stream.next()):
                assert sent.kind != "reset", sent
                if sent.kind == "log":
                    self.seen.append(sent.id)
                if sent.id and sent.id >= number:
                    return True
        return False

    def step(self):
        self.ledger.post_until_good()
        newest = read(self.ledger.file, "SELECT max(id) FROM events")[0][0]
        wait_for(lambda: self.read_to(newest), "the newest event on the stream")

    def end(self):
        assert self.seen == list(range(1, len(self.seen) + 1))


class Reload(Path):
    def step(self):
        self.n = getattr(self, "n", 0) + 1
        self.reload(config(limits={**LIMITS, "body": f"{1000 + self.n}K"}, actions=self.actions()))

    def actions(self):
        return [{"name": f"bot{self.n}", "type": "forward", "url": "http://127.0.0.1:9/"}]

    def settled(self):
        self.reload_until_good(config(limits=LIMITS))
        super().settled()


# Actions


class Action(Path):
    """Each event gets to the target, however often it takes."""

    @property
    def changes(self):
        return {"actions": [self.action()]}

    def step(self):
        self.ledger.post_until_good()
        number = self.ledger.number
        wait_for(lambda: number in self.arrived(), f"event {number} at its target")

    def end(self):
        wait_for(lambda: self.ledger.good <= set(self.arrived()), "all events at their target")


class Forward(Action):
    def prepare(self):
        self.target = Target()

    def action(self):
        return {"name": "bot", "type": "forward", "url": self.target.url}

    def arrived(self):
        return [request.json["data"]["call"]["callId"] for request in list(self.target.got)]

    def end(self):
        super().end()
        self.target.close()


class ToDiscord(Forward):
    def prepare(self):
        self.target = Discord()

    def action(self):
        return {"name": "channel", "type": "discord", "url": self.target.url, "message": "{/call/callId}"}

    def arrived(self):
        return [int(message["content"]) for message in self.target.messages]


class Program(Action):
    def prepare(self):
        folder = self.get("tmp_path")
        self.out, self.program = folder / "out", folder / "program"
        self.out.touch()
        self.program.write_text(f'#!/bin/sh\ncat >/dev/null\necho "$1" >>{self.out}\n')
        self.program.chmod(0o755)

    def action(self):
        return {"name": "siren", "type": "exec", "command": [str(self.program), "{/call/callId}"]}

    def arrived(self):
        return [int(line) for line in self.out.read_text().splitlines()]


class ToRedis(Action):
    def prepare(self):
        self.server = self.get("redis")()

    def action(self):
        return self.server.action()

    def arrived(self):
        return [json.loads(members["record"])["data"]["call"]["callId"] for _, members in self.server.entries()]


# Sources that connect


class Session(Path):
    """An event of the CAD: it comes, or the connection is lost and made again."""

    @property
    def changes(self):
        return {"sessions": [self.hub.session()]}

    def prepare(self):
        self.hub = self.get("cad")()

    def began(self):
        self.hub.wait_sessions()

    def settled(self):
        self.hub.wait_sessions()
        super().settled()

    def step(self):
        before, since = self.hub.counts()["connections"], len(self.daemon.lines())
        self.hub.push(self.ledger.body())
        number = self.ledger.number
        wait_for(lambda: number in self.ledger.stored() or self.hub.counts()["connections"] > before
                 or self.daemon.find_line("no memory for an event, which is lost", since),
                 "an event, another connection, or a word about it")


class SessionConnects(Session):
    """And asks for what it has missed."""

    def prepare(self):
        unit = {"id": 4127, "status": 2, "isPanic": False, "location": "Pier Rd", "isDispatch": False,
                "data": {"unitNum": "3-L-27", "name": "Mara Ellison", "department": "Calder", "page": 0}}
        self.hub = self.get("cad")(units=[unit])

    def step(self):
        self.reload(config(limits=LIMITS))
        self.reload(config(limits=LIMITS, sessions=[self.hub.session(prime=True)]))

    def settled(self):
        self.reload_until_good(self.daemon.file.read_text())
        super().settled()


class Streams(Path):
    """Of another node's events: each comes exactly once."""

    @property
    def changes(self):
        return {"streams": [{"name": "edges", "url": self.server.url, "keys": ["cad:events:*"]}]}

    def prepare(self):
        self.server = self.get("redis")()
        self.edge = self.get("start")()
        self.edge.post(event())
        self.node = Node(self.edge, self.server, "cad:events:edge1")
        self.node.publish()

    def origins(self):
        return [i for (i,) in read(self.ledger.file, "SELECT origin_id FROM events WHERE origin_id IS NOT NULL ORDER BY id")]

    def publish(self):
        self.edge.post(event())
        self.node.publish()
        return self.node.published_id

    def wait_origins(self):
        wanted = list(range(1, self.node.published_id + 1))
        wait_for(lambda: len(self.origins()) >= len(wanted), f"{len(wanted)} events")
        assert self.origins() == wanted

    def began(self):
        self.wait_origins()

    def step(self):
        self.publish()
        self.wait_origins()


class StreamsConnect(Streams):
    def step(self):
        self.reload(config(limits=LIMITS))
        self.publish()
        self.reload(config(limits=LIMITS, **self.changes))

    def settled(self):
        self.reload_until_good(self.daemon.file.read_text())
        self.wait_origins()
        super().settled()
