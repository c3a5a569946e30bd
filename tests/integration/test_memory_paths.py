"""No memory on the paths of sessions, streams and actions: each allocation fails once in turn, and the daemon lives on."""

import paths
import pytest
from memory import Memory
from test_calls import run

PATHS = [paths.Viewer, paths.Forward, paths.ToDiscord, paths.Program, paths.ToRedis, paths.Session, paths.SessionConnects,
         paths.Streams, paths.StreamsConnect]


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path)


@pytest.mark.parametrize("kind", PATHS, ids=lambda kind: kind.__name__)
def test_path(request, memory, kind):
    run(kind(request.getfixturevalue, memory))
