"""Each system call on the paths of all sources, actions and doors fails once in turn: the daemon lives on, nothing that
was answered 200 is lost, no descriptor stays open."""

import collections

import paths
import pytest
from calls import Calls
from harness import event, request, wait_for
from torture import Torture

PATHS = [paths.Event, paths.LargeEvent, paths.Refused, paths.Viewer, paths.Reload, paths.Forward, paths.ToDiscord,
         paths.Program, paths.ToRedis, paths.Session, paths.SessionConnects, paths.Streams, paths.StreamsConnect]


@pytest.fixture
def calls(tmp_path):
    return Calls(tmp_path)


def report(torture):
    """How many failed of each; seen by pytest -rP."""
    counts = collections.Counter(hit.split()[0] for hit in torture.hits)
    print(f"{sum(counts.values())} failed:", ", ".join(f"{n} {name}" for name, n in counts.most_common()))


def run(path):
    torture = Torture(path.faults, path.settled, path.daemon.tail)
    torture.of(path.step)
    report(torture)
    assert torture.hits
    path.end()
    path.ledger.assert_nothing_lost_by_a_kill()


@pytest.mark.parametrize("kind", PATHS, ids=lambda kind: kind.__name__)
def test_path(request, calls, kind):
    run(kind(request.getfixturevalue, calls))


@pytest.mark.parametrize("question", paths.QUESTIONS)
def test_question(request, calls, question):
    path = paths.Question(request.getfixturevalue, calls)
    path.question = question
    run(path)


def test_listeners_that_cannot_be_watched(start, calls):
    """A user may have only so much watched (epoll(7), max_user_watches): they are, as soon as there is room again."""
    daemon = start(env=calls.env)
    calls.fail(0, turn=1, only=["epoll_ctl"], for_good=True)
    daemon.reload()
    with daemon.connect() as client:
        wait_for(calls.hit, "a listener that is not watched")
        calls.end()
        assert client.ask(request(event())).status == 200


def test_a_connection_that_cannot_be_watched(start, calls):
    """It is closed at once, and not left without an answer."""
    daemon = start(env=calls.env, limits={"request_time": "10min"})
    calls.fail(0, only=["epoll_ctl"])
    with daemon.connect() as client:
        assert client.rest() == b""
    assert calls.end().startswith("epoll_ctl") and daemon.serves()
