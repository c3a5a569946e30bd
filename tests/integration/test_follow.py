"""The samples that a bot's author begins with follow over restarts and deaths of the daemon and of themselves."""

import contextlib
import json
import os
import shutil
import subprocess

import pytest
from ctl_tools import store_of
from harness import KEY, PATIENCE_S, REPOSITORY, call911, wait_for
from store import array_of, kill
from test_admin_door import TOKEN, board
from test_stream import hello

EXAMPLES = REPOSITORY / "config" / "examples"


@pytest.fixture(params=["follow.js", "follow.py"])
def example(request):
    program = shutil.which("node" if request.param.endswith("js") else "python3")
    if not program:
        pytest.skip("node is not installed")
    return [program, str(EXAMPLES / request.param)]


@contextlib.contextmanager
def running(example, daemon, folder, where=None, env=None):
    where = where or f"{store_of(daemon)}.control"
    with open(folder / "told", "ab") as told, subprocess.Popen(
            [*example, where, str(folder / "place")], env=env, stdout=told, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def ids(folder):
    return [int(line.split(" ", 1)[0]) for line in (folder / "told").read_text().splitlines()]


def place(folder):
    with contextlib.suppress(FileNotFoundError):
        return json.loads((folder / "place").read_text())["id"]


def test_by_tcp_with_a_token(example, start, tmp_path):
    community = {"name": "default", "api_key": KEY, "bot_token_file": "bot"}
    daemon = start(communities=[community], admin={"address": "127.0.0.1:0"}, files={"bot": TOKEN})
    host, port = board(daemon)
    with running(example, daemon, tmp_path, f"http://{host}:{port}", {**os.environ, "TOKEN": TOKEN}):
        wait_for(lambda: daemon.post(call911()).status == 200 and place(tmp_path), "the first event")
    assert ids(tmp_path)


def test_nothing_is_missed_and_nothing_comes_twice(example, on, tmp_path):
    daemon = on()
    with running(example, daemon, tmp_path):
        wait_for(lambda: daemon.post(call911()).status == 200 and place(tmp_path), "the first event")
        n = hello(daemon)["newest"]
        for end in (kill, lambda gone: gone.stop(), kill):
            for _ in range(5):
                assert daemon.post(array_of(9)).status == 200
            end(daemon)  # in the middle of telling them
            daemon = on()
            n = wait_for(lambda: hello(daemon)["newest"], "its log")
        wait_for(lambda: place(tmp_path) == n, "all of them")
    assert daemon.post(array_of(50)).status == 200  # while it is away
    with running(example, daemon, tmp_path):
        wait_for(lambda: place(tmp_path) == n + 50, "what came meanwhile", PATIENCE_S)
    told = ids(tmp_path)
    assert told == list(range(told[0], n + 51))
