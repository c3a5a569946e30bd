"""A machine that lacks what others have: threads, /proc, a journal, places to write, memory. What can be had without is;
the rest is told in a sentence, and is there as soon as it can be."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest
from calls import Calls
from ctl_tools import ctl, status_of, store_of
from disk import sanitizer_runtime
from harness import PATIENCE_S, Daemon, call911, config, event, wait_for
from store import call_ids

NO_PROC = "mount -t tmpfs none /proc"
NO_RUN = "mount -t tmpfs none /run"
CGROUPS = Path("/sys/fs/cgroup")


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


mounts = pytest.mark.skipif(not can_mount(), reason="needs root and mount namespaces")
unsanitized = pytest.mark.skipif(bool(sanitizer_runtime()), reason="a sanitizer needs /proc, and memory of its own")


def where(*commands):
    """What stands before a daemon that is to live where these were run, in a mount namespace of its own."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join([*commands, 'exec "$@"']), "sh"]


@contextlib.contextmanager
def living(tmp_path, wrapper=(), env=None, **changes):
    daemon = Daemon(tmp_path / "daemon", config(**changes), wrapper=wrapper, env=env)
    try:
        yield daemon.wait_ready()
    finally:
        daemon.finish()


def ends(tmp_path, status, wrapper=(), env=None, **changes):
    """The lines of one that does not start."""
    daemon = Daemon(tmp_path / "daemon", config(**changes), wrapper=wrapper, env=env)
    daemon.exit_status = status
    daemon.process.wait(PATIENCE_S)
    daemon.finish()
    return "\n".join(daemon.lines())


def program(tmp_path):
    file = tmp_path / "program"
    file.write_text("#!/bin/sh\ncat >/dev/null\necho delivered\n")
    file.chmod(0o755)
    return {"name": "siren", "type": "exec", "command": [str(file)]}


@pytest.fixture
def calls(tmp_path):
    return Calls(tmp_path)


# Threads


def test_no_threads_at_the_start(tmp_path, calls):
    calls.fail(0, only=["thread"], for_good=True)
    said = ends(tmp_path, 1, env=calls.env)
    assert "thread: Resource temporarily unavailable" in said, said


def test_one_thread_less_at_the_start(tmp_path, calls):
    """Each in turn: it ends with a sentence, or does without."""
    for n in range(100):
        calls.fail(n, only=["thread"])
        folder = tmp_path / f"{n}"
        folder.mkdir()
        daemon = Daemon(folder / "daemon", config(actions=[program(folder)]), env=calls.env)
        wait_for(lambda d=daemon: d.process.poll() is not None or d.ready(), "its start, or its end")
        served = daemon.ready() and daemon.serves()
        if not served:
            daemon.exit_status = 1
        daemon.finish()
        hit = calls.end()
        assert served or hit and "Resource temporarily unavailable" in daemon.tail(), daemon.tail()
        if not hit:
            break
    assert 3 < n < 99


def test_no_threads_at_a_reload(start, calls, tmp_path):
    """The old configuration goes on; a later reload takes the new one."""
    daemon, new = start(env=calls.env), config(actions=[program(tmp_path)])
    calls.fail(0, only=["thread"], for_good=True)
    lines = daemon.reload(new)
    assert calls.end() and any("stays in force" in line for line in lines), lines
    assert any("Resource temporarily unavailable" in line for line in lines), lines
    assert daemon.post(call911(1)).status == 200
    daemon.reload(new)
    assert daemon.post(call911(2)).status == 200
    daemon.wait_line("siren: delivered")


# What is mounted


@mounts
@unsanitized
def test_no_proc(tmp_path):
    with living(tmp_path, where(NO_PROC), actions=[program(tmp_path)]) as daemon:
        assert daemon.post(call911(1)).status == 200
        daemon.wait_line("siren: delivered")
        daemon.reload()
        assert "requests" in status_of(daemon)
        assert daemon.ask("GET").status == 200
    assert ctl("-c", daemon.file, "events").returncode == 0


@mounts
def test_no_journal(tmp_path):
    """Nobody reads its lines: events are answered and stored all the same."""
    wrapper = where(NO_RUN)
    daemon = Daemon(tmp_path / "daemon", config(log={"target": "journal"}, listeners=[{"name": "main", "address": "127.0.0.1:0"}]),
                    wrapper=wrapper)
    try:
        wait_for(lambda: daemon.process.poll() is not None or Path(f"{store_of(daemon)}.control").exists(), "its start")
        port = wait_for(lambda: port_of(daemon), "its port")
        daemon.address = ("127.0.0.1", port)
        assert [daemon.post(call911(i)).status for i in range(1, 20)] == [200] * 19
    finally:
        daemon.finish()
    assert call_ids(store_of(daemon)) == list(range(1, 20))


def port_of(daemon):
    """Of a daemon that tells nobody: the kernel knows."""
    fds = Path(f"/proc/{daemon.process.pid}/fd")
    sockets = set()
    for fd in fds.iterdir():
        with contextlib.suppress(FileNotFoundError):
            sockets.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return next((int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in sockets), None)


@mounts
def test_a_place_that_is_read_only_at_the_start(tmp_path):
    """A restart may heal it: systemd tries again."""
    state = tmp_path / "state"
    state.mkdir()
    store = {"path": str(state / "events.db")}
    said = ends(tmp_path, 1, where(f"mount --bind {state} {state}", f"mount -o remount,bind,ro {state}"), store=store)
    assert str(state) in said and "ead-only file system" in said, said
    (tmp_path / "again").mkdir()
    with living(tmp_path / "again", store=store) as daemon:
        assert daemon.serves()


@mounts
def test_everything_else_read_only(tmp_path):
    """As systemd's ProtectSystem=strict has it, and /tmp too: only the log can be written."""
    state = tmp_path / "daemon"
    read_only = [f"mount -o remount,bind,ro {place}\ntest ! -w {place}" for place in ("/tmp", "/")]
    wrapper = where("mount --bind /tmp /tmp", f"mount --bind {state} {state}", *read_only, f"cd {state}")
    with living(tmp_path, wrapper, actions=[program(tmp_path)]) as daemon:
        assert daemon.post([]).status == 400
        assert [daemon.post(call911(i, notes=["smoke"] * 20_000)).status for i in range(5)] == [200] * 5
        daemon.wait_line("siren: delivered")
        daemon.reload()
        assert ctl("-c", daemon.file, "status").returncode == 0
    assert len(call_ids(store_of(daemon))) == 5


# Memory


class Group:
    """A control group that may have so many bytes; of version 2, or of 1 where that has the memory."""

    def __init__(self, size):
        first = CGROUPS / "memory"
        old = first.is_dir()
        self.path = (first if old else CGROUPS) / f"pushd-test-{os.getpid()}"
        self.events = self.path / ("memory.oom_control" if old else "memory.events")
        try:
            self.path.mkdir()
            (self.path / ("memory.limit_in_bytes" if old else "memory.max")).write_text(f"{size}")
        except OSError as problem:
            self.close()
            pytest.skip(f"no control group with a limit of memory can be made here: {problem.strerror}")

    def killed(self):
        return "oom_kill 0" not in self.events.read_text()

    def close(self):
        with contextlib.suppress(OSError):
            self.path.rmdir()


@pytest.fixture
def group():
    group = Group(24 << 20)
    yield group
    group.close()


@unsanitized
def test_24_mb(tmp_path, group):
    """Events, large ones too, and questions fit into that."""
    wrapper = ["sh", "-ec", f'echo $$ >{group.path}/cgroup.procs; exec "$@"', "sh"]
    with living(tmp_path, wrapper, limits={"in_flight": "4M", "body": "1M"}) as daemon:
        for i in range(300):
            assert daemon.post(call911(i, notes=["smoke"] * 2000)).status == 200
        assert ctl("-c", daemon.file, "events", "-n", 1000).returncode == 0
        assert daemon.post(event()).status == 200
        assert not group.killed()
