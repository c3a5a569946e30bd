"""How events come in, as a board is told: which session is cut, since when, and that events may be missing."""

import json

from board_peer import ago, row
from ctl_tools import ask_socket, ctl, store_of
from harness import KEY, WRONG_KEY, config, free_port, wait_for
from streams import Stream
from test_ctl_board import board, peer  # noqa: F401

WORDS = "session city: no connection to the CAD, events may be missing"


def state_of(daemon, query="", **headers):
    status, answered, body = ask_socket(f"{store_of(daemon)}.control", "GET", f"/api/state{query}", headers=headers)
    return status, answered["ETag"], body


def sources_of(daemon, query=""):
    return state_of(daemon, query)[2]["sources"]


def next_sources(stream):
    return stream.until(lambda sent: sent.kind == "sources")[-1].data["sources"]


def test_state_and_stream(cad, start):
    """Told at once, at the start of a stream and when it changes; no event has to come."""
    hub = cad(port=free_port())
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    wait_for(lambda: sources_of(daemon)[0]["cut_since"] is None, "the login")
    assert sources_of(daemon) == [{"source": "session", "name": "city", "community": "default", "cut_since": None, "words": ""}]
    _, tag, _ = state_of(daemon)
    with Stream(daemon) as stream:
        assert [one["cut_since"] for one in next_sources(stream)] == [None]
        with hub.down():
            [city] = next_sources(stream)
            assert city["cut_since"] and city["words"] == WORDS
            status, other, _ = state_of(daemon, **{"If-None-Match": tag})
            assert (status, other != tag, sources_of(daemon)) == (200, True, [city])
        assert next_sources(stream)[0]["cut_since"] is None
        daemon.reload(config())
        assert next_sources(stream) == [] and sources_of(daemon) == []


def test_of_a_community(start):
    """Who sees one sees its sessions alone; without any there is no word of them."""
    session = {"community_id": "x", "url": f"http://127.0.0.1:{free_port()}/hub"}
    daemon = start(communities=[{"name": "default", "api_key": KEY}, {"name": "west", "api_key": WRONG_KEY}],
                   sessions=[{"name": "city", "community": "west", **session}])
    wait_for(lambda: [one["name"] for one in sources_of(daemon, "?community=west")] == ["city"], "the session")
    assert sources_of(daemon, "?community=default") == []
    with Stream(daemon, community="west") as stream:
        assert [one["words"] for one in next_sources(stream)] == [WORDS]


# On a terminal


def cut(since=9030, **more):
    return {"source": "session", "name": "city", "community": "default", "cut_since": ago(since), "words": WORDS, **more}


def test_terminal(peer, board):  # noqa: F811
    peer.answers["/api/state"]["sources"] = [cut()]
    one = board()
    one.wait(WORDS)
    assert WORDS in one.shown().splitlines()[1] and "2h30m" in one.shown().splitlines()[1]
    peer.say(row("sources", {"sources": [cut(cut_since=None, words="")]}))
    one.wait_gone("events may be missing")
    peer.say(row("sources", {"sources": [cut(words="session \x1b[31mx\u202e"), cut(cut_since=7), 3, cut(words=None)]}))
    one.wait("session ")
    assert "31mx" in one.shown()
    peer.say(row("sources", {"sources": [cut(), cut(words="session town: away")]}))
    one.wait("session town: away")
    one.press("p")
    one.wait("PAUSED")
    peer.say(row("sources", {"sources": "none"}))
    one.press("p")
    one.wait_gone("session town: away")


def test_terminal_once(peer):  # noqa: F811
    peer.answers["/api/state"]["sources"] = [cut()]
    lines = ctl("board", "--once", "--store", peer.store).stdout.splitlines()
    assert WORDS in lines[1] and len(lines) > 5
    assert json.loads(ctl("board", "--json", "--store", peer.store).stdout)["sources"]
