"""Lines that find no room or no reader: whole or absent, counted, told; and errors that no journal takes."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import harness
import pytest
from harness import call911, config, event, free_port, wait_for
from store import array_of, read
from test_journal import can_run
from test_log import LINES_LOST, flood
from test_store_files import mounted


class Redirected(harness.Daemon):
    """A daemon whose stderr is a file or a FIFO, opened by a shell as people do it."""

    def __init__(self, folder, output, **settings):
        self.port = free_port()
        text = config(listeners=[{"name": "main", "address": f"127.0.0.1:{self.port}"}], **settings)
        super().__init__(folder, text, wrapper=["sh", "-c", f'exec "$@" 2>>{output}', "sh"])
        wait_for(lambda: self.process.poll() is not None or self.listens(), "the port")

    @property
    def address(self):
        return "127.0.0.1", self.port

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(self.address) == 0


def lines_of(file):
    """All lines; what is there of one stays for no longer than a write takes."""
    text = wait_for(lambda: (text := file.read_text()).endswith("\n") and text, "a whole line at the end")
    return [json.loads(line) for line in text.splitlines()]


def told(records):
    return [r["event_id"] for r in records if "event_id" in r]


def lost(records):
    return sum(int(re.match(r"\d+", r["message"])[0]) for r in records if r.get("message_id") == LINES_LOST)


@pytest.fixture
def full(tmp_path):
    """A small disk, for logs only."""
    folder = tmp_path / "full"
    folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=16M", "none", folder):
        yield folder


def fill(folder):
    with open(folder / "ballast", "wb", buffering=0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return folder / "ballast"


def test_full_disk(full, tmp_path):
    """What finds no room waits for it: nothing is lost, and nobody ever sees a part of a line."""
    file = full / "log"
    daemon = Redirected(tmp_path / "daemon", file)
    assert daemon.post(call911(1)).status == 200
    wait_for(lambda: told(lines_of(file)) == [1], "the first line")
    ballast = fill(full)
    for call in range(2, 200):
        assert daemon.post(call911(call, caller="x" * 300)).status == 200
    wait_for(lambda: os.statvfs(full).f_bavail == 0, "a full disk")
    before = told(lines_of(file))
    assert before == list(range(1, len(before) + 1)) and len(before) < 199
    ballast.unlink()
    wait_for(lambda: told(lines_of(file)) == list(range(1, 200)), "all the others")
    daemon.finish()
    assert lost(lines_of(file)) == 0


def test_full_for_too_long(full, tmp_path):
    """More than the queue holds is lost, and told when there is room again."""
    file = full / "log"
    daemon = Redirected(tmp_path / "daemon", file)
    ballast = fill(full)
    for first in range(0, 4000, 100):
        assert daemon.post(array_of(100, first, x="x" * 4000)).status == 200
    ballast.unlink()
    wait_for(lambda: lost(lines_of(file)), "the number")
    daemon.finish()
    records = lines_of(file)
    assert len(told(records)) + lost(records) == 4000


def test_stop_with_a_full_disk(full, tmp_path):
    """What could not be written is told after the next start."""
    file, other = full / "log", tmp_path / "other"
    store = {"path": str(tmp_path / "events.db")}
    first = Redirected(tmp_path / "first", file, store=store)
    fill(full)
    for call in range(1, 101):
        assert first.post(call911(call, caller="x" * 300)).status == 200
    first.finish()
    second = Redirected(tmp_path / "second", other, store=store)
    second.finish()
    early, late = told(lines_of(file)), told(lines_of(other))
    assert sorted({*early, *late}) == list(range(1, 101)) and len(early) < 100


def what_is_there(fd):
    with contextlib.suppress(BlockingIOError):
        return os.read(fd, 1 << 16)
    return b""


def test_reader_that_comes_back(tmp_path):
    """On a FIFO: the next reader begins with a whole line, and hears how many there were in between."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    first = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    daemon = Redirected(tmp_path / "daemon", fifo)
    wait_for(lambda: b"ready on" in what_is_there(first), "ready")
    os.close(first)
    flood(daemon, 300)
    wait_for(lambda: saved_id(daemon) == 300, "all of them to be passed")
    output = harness.Output(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))
    wait_for(lambda: daemon.post(event()).status == 200 and output.lines(), "a line")
    wait_for(lambda: any(LINES_LOST in line for line in output.lines()), "the number")
    daemon.finish()
    output.close()
    records = [json.loads(line) for line in output.lines()]
    assert len(told(records)) + lost(records) == saved_id(daemon)


def saved_id(daemon):
    rows = read(daemon.file.parent / "events.db", "SELECT event_id FROM cursors WHERE action = '-log'")
    return rows[0][0] if rows else 0


@pytest.mark.parametrize("old, new", [("json", "text"), ("text", "json")])
def test_target_changed_while_nobody_reads(start, old, new):
    """Lines in the old form cannot wait for ever. That they are gone is told."""
    daemon = start(log={"target": old})
    daemon.stderr.paused = True
    flood(daemon, 1_500)
    for path in "/first", "/second":  # when the second file is in force, all of the first is
        daemon.configure(config(log={"target": new}, paths=[path]))
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda path=path: daemon.ask("GET", path).status == 200, "the new configuration")
    daemon.stderr.paused = False
    wait_for(lambda: re.search(r"\d+ log lines? lost", daemon.tail()), "the number")
    lines = daemon.stop().lines()
    n_told = sum("911 call 90417" in line for line in lines)
    n_lost = sum(int(n) for line in lines for n in re.findall(r"(\d+) log lines? lost", line))
    assert n_lost > 0 and 0 <= n_told + n_lost - 1_500 <= 2  # with those that refused the paths before


# Errors that no journal takes

NO_JOURNAL = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh"]


def said_at_start(folder, text, stream=False, wrapper=()):
    """What a daemon that does not start writes to its stderr; stream: which systemd says leads to the journal."""
    file = folder / "refused.yaml"
    harness.write_private(file, text)
    reader, writer = os.pipe()
    pipe = os.fstat(writer)
    env = {**os.environ, **({"JOURNAL_STREAM": f"{pipe.st_dev}:{pipe.st_ino}"} if stream else {})}
    with open(reader, encoding="utf-8") as output:
        process = subprocess.Popen([*wrapper, harness.BINARY, "-c", file], stderr=writer, env=env)
        os.close(writer)
        assert process.wait(harness.PATIENCE_S) != 0
        return output.read().splitlines()


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield [{"name": "main", "address": "127.0.0.1:%d" % server.getsockname()[1]}]


@pytest.mark.skipif(not can_run(), reason="needs root and mount namespaces")
@pytest.mark.parametrize("stream", [False, True])
def test_no_journal(tmp_path, taken, stream):
    lines = said_at_start(tmp_path, config(log={"target": "journal"}, listeners=taken), stream, NO_JOURNAL)
    [line] = [line for line in lines if taken[0]["address"] in line]
    assert line.startswith("<3>listener main" if stream else "sonoran-pushd: listener main")


def test_configuration_with_its_priority(tmp_path):
    """Before there is a connection to the journal."""
    lines = said_at_start(tmp_path, config(limits={"nonsense": 1}), stream=True)
    assert lines and all(re.match(r"<3>\S", line) for line in lines), lines
