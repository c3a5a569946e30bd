"""The stand-in for the CAD's hub itself: Microsoft's own client gets from it what a hub of ASP.NET gives."""

import json

import pytest
from cad import COMMUNITY, node
from harness import KEY, PATIENCE_S, WRONG_KEY, call911, wait_for


class Official:
    """Microsoft's client; .said: what happened to it, (what, value)."""

    def __init__(self, hub, community=COMMUNITY, key=KEY, server=1):
        self.process = node("prove.js", hub.url, community, key, json.dumps(server))

    def next(self):
        line = json.loads(self.process.stdout.readline())
        return line["what"], line["value"]

    def logged_in(self):
        """What the three calls were answered: right, too short, unknown."""
        said = [self.next() for _ in range(3)]
        assert [what for what, _ in said] == ["login", "short", "unknown"]
        return [value for _, value in said]

    def end(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()


@pytest.fixture
def client(cad):
    clients = []

    def client(hub, **more):
        clients.append(Official(hub, **more))
        return clients[-1]

    yield client
    for one in clients:
        one.end()


def test_logs_in(cad, client):
    hub = cad()
    login, short, unknown = client(hub).logged_in()
    assert login == {"success": True, "error": None, "count": 0}
    assert short == "Error: Failed to invoke 'authenticatev2' due to an error on the server."
    assert unknown == "Error: Unknown hub method 'nosuch'"
    hub.wait_sessions(1)


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"key": WRONG_KEY}, "INVALID API KEY"),
        ({"community": "other"}, "INVALID COMMUNITY ID"),
        ({"server": 9}, "INVALID SERVER ID"),
        ({"server": None}, "INVALID SERVER ID"),
    ],
)
def test_refuses(cad, client, wrong, error):
    hub = cad()
    assert client(hub, **wrong).logged_in()[0] == {"success": False, "error": error, "count": 0}
    assert hub.counts()["sessions"] == 0


@pytest.mark.parametrize("options", [{}, {"segment": 40}, {"segment": 40, "pingBetween": True}], ids=str)
def test_events(cad, client, options):
    """As text and as object, in one frame and in many, with pings between."""
    hub, event = cad(**options), call911(1, caller="Zoë 🚨 " * 20)
    official = client(hub)
    official.logged_in()
    assert hub.push(event) == 1
    assert hub.push(event, payload="object") == 1
    assert [official.next() for _ in range(2)] == [("event", [json.dumps(event, separators=(",", ":"), ensure_ascii=False)]), ("event", [event])]


def test_answers_wanted(cad, client):
    """An invocation with an id."""
    hub = cad()
    official = client(hub)
    official.logged_in()
    hub.push(call911(1), invocationId="q1", target="ask")
    answers = wait_for(lambda: [r for r in hub.connections()[0]["records"] if r.get("invocationId") == "q1"], "an answer")
    assert answers[0]["type"] == 3 and answers[0]["result"] == 1


@pytest.mark.parametrize("close, said", [({}, None), ({"error": "Out"}, "Error: Server returned an error on close: Out")], ids=str)
def test_closes(cad, client, close, said):
    hub = cad()
    official = client(hub)
    official.logged_in()
    hub.close(**close)
    assert official.next() == ("closed", said)


def test_pings_and_times_out(cad, client):
    """A client that is not heard of is told to come again. Microsoft's pings each 15 s."""
    hub = cad(keepAlive=30, clientTimeout=200)
    official = client(hub)
    official.logged_in()
    what, _ = official.next()
    assert what == "closed"
    wait_for(lambda: hub.connections()[0]["closed"], "the end")


def test_burst(cad, client):
    """Numbered, in order, none twice."""
    hub = cad()
    official = client(hub)
    official.logged_in()
    hub.burst(community=COMMUNITY, server=1, first=7, count=500, template='{"n":$N}')
    assert [json.loads(official.next()[1][0])["n"] for _ in range(500)] == list(range(7, 507))
    hub.blast(community=COMMUNITY, server=1, event='{"n":"same"}', count=300)
    assert {official.next()[1][0] for _ in range(300)} == {'{"n":"same"}'}
    assert hub.bursts() == [{"sent": 500, "over": True}]


def test_two_for_one_server(cad, client):
    """What no daemon may do is counted."""
    hub = cad()
    for _ in range(2):
        client(hub).logged_in()
    wait_for(lambda: hub.counts()["doubles"] == 1, "both")
