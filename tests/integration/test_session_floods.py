"""A hub that sends without end: it gets no more than its turns, and one that never says anything is left."""

from cad import COMMUNITY
from harness import KEY, call911, config

OTHERS = 3


def others(hub):
    return [hub.session(name=f"s{server}", server=server) for server in range(1, OTHERS + 1)]


def test_records_without_end(start, cad):
    """In each round there is more of one: others connect all the same, and what they bring is stored."""
    loud, hub = cad(), cad(accounts={COMMUNITY: {"key": KEY, "servers": list(range(1, OTHERS + 1))}})
    sessions = [loud.session(name="loud")]
    daemon = start(sessions=sessions)
    loud.wait_sessions()
    loud.flood(frames=[{"text": '{"type":6}\x1e'}])
    daemon.reload(config(sessions=sessions + others(hub)))
    hub.wait_sessions(OTHERS)
    for server in range(1, OTHERS + 1):
        hub.push(call911(server), server=server)
        daemon.wait_line(f"911 call {server} ")
    counts = loud.counts()
    assert (counts["connections"], counts["sessions"]) == (1, 1)


def test_pings_without_end(start, cad):
    """And never a message: that is told, and connected again."""
    hub = cad(pong=False)
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    hub.flood(frames=[{"op": 9, "text": "x"}])
    daemon.wait_line("session city: .* breaks off websocket: pings or empty frames without end, and no message")
    hub.wait_connections(2)
    hub.wait_sessions()
    hub.push(call911(1))
    daemon.wait_line("911 call 1 ")
    assert len([line for line in daemon.lines() if "without end" in line]) == 1
