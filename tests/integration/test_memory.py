"""No memory: each allocation on the way of an event, a question and a reload fails once. The daemon lives on, an event
that was answered 200 is stored, and what was refused can be sent again."""

import contextlib
import itertools
import json
from pathlib import Path

import harness
import pytest
from ctl_tools import UnixConnection, ctl, store_of
from harness import PATIENCE_S, call911, config, wait_for
from memory import Memory
from store import read
from torture import attempt

SAMPLES = sorted((Path(__file__).parents[1] / "fixtures" / "samples").glob("*.json"))
PATHS = ["/health", "/metrics", "/api/status", "/api/actions", "/api/state", "/api/events?limit=100", "/api/series",
         "/api/story?call911=1", "/"]
MOST = 20_000  # allocations of one thing that is done


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path)


def torture(memory, ask, check=lambda answer: None):
    """ask() with its first allocation failing, then its second, and so on until none fails any more."""
    n = 0
    while n < MOST:
        memory.fail(n)
        answer = attempt(ask)
        hit = memory.end()
        check(answer)
        if not hit:
            return n
        n += 1 if n < 150 else 29
    raise AssertionError("it has no end")


def ask_control(daemon, path):
    """Status, and all of the answer."""
    with contextlib.closing(UnixConnection(f"{store_of(daemon)}.control")) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def stored(daemon):
    return [data for (data,) in read(daemon.file.with_name("events.db"), "SELECT data FROM events ORDER BY id")]


def is_sound(answer):
    assert answer is None or answer.status in (200, 500, 503), answer


def test_one_event(start, memory):
    """One that is answered 200 is stored."""
    daemon, ids, good = start(env=memory.env), itertools.count(1), []

    def post():
        id_ = next(ids)
        answer = daemon.post(call911(id_, caller="Zoë", description="Smoke " * 40))
        good.extend([id_] if answer.status == 200 else [])
        return answer

    assert torture(memory, post, is_sound) > 10
    assert daemon.serves()
    found = {json.loads(data)["call"]["callId"] for data in stored(daemon)[:-1]}
    assert found >= set(good)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_samples(start, memory, sample):
    daemon, body = start(env=memory.env), sample.read_bytes()
    expected = daemon.post(body).status
    torture(memory, lambda: daemon.post(body))
    assert daemon.post(body).status == expected


def test_questions(start, memory):
    """What sonoran-pushctl and the board ask for."""
    daemon = start(env=memory.env)
    assert daemon.serves() and daemon.post(call911(1)).status == 200
    for path in PATHS:
        torture(memory, lambda path=path: ask_control(daemon, path))
        assert ask_control(daemon, path)[0] == 200, path
    assert daemon.serves()


def test_reload(start, memory):
    daemon = start(env=memory.env)
    for n in range(0, MOST, 7):
        memory.fail(n)
        daemon.configure(config(limits={"body": f"{64 + n}K"}))
        ctl("-c", daemon.file, "reload")
        if not memory.end():
            break
    daemon.reload(config())
    assert daemon.serves()


def test_start(tmp_path, memory):
    """It starts all the same, or ends with a sentence."""
    for n in range(0, MOST, 11):
        memory.fail(n)
        daemon = harness.Daemon(tmp_path / f"daemon{n}", config(), env=memory.env)
        wait_for(lambda: daemon.process.poll() is not None or daemon.ready(), "its start, or its end")
        hit, served = memory.end(), daemon.ready() and attempt(daemon.serves)
        if daemon.process.poll() is None:
            daemon.process.terminate()
        daemon.exit_status = daemon.process.wait(PATIENCE_S)
        lines = daemon.stop().lines()
        assert daemon.exit_status == 0 and served or daemon.exit_status == 1 and hit and lines, (n, lines)
        daemon.finish()
        if not hit:
            break
