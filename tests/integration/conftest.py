"""Fixtures: each test gets daemons of its own, and each of them has to end well (Daemon.finish)."""

import os
import resource
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.dont_write_bytecode = True

import cad as cads  # noqa: E402
import harness  # noqa: E402
from clocks import Clock  # noqa: E402
from disk import Disk  # noqa: E402
from manager import Systemd  # noqa: E402
from network import Network  # noqa: E402
from redis_server import RedisServer  # noqa: E402


FILES = 8192  # that a test may have open; a login has 1024


def pytest_sessionstart():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    if not os.access(harness.BINARY, os.X_OK):
        pytest.exit(f"{harness.BINARY} is not there: build it, or name another in SONORAN_PUSHD", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    item.failed = getattr(item, "failed", False) or report.failed


@pytest.fixture
def tmp_path(tmp_path, request):
    """Gone after a test that passed: all of them together are more than a /tmp in memory holds."""
    yield tmp_path
    if not request.node.failed:
        shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def start(tmp_path):
    """start(text, limits={…}, …) gives a daemon that is ready; without text its configuration is config(…)."""
    daemons = []

    def start(text=None, listeners_ready=1, files=None, env=None, terminal=False, **changes):
        folder = tmp_path / f"daemon{len(daemons)}"
        daemons.append(harness.Daemon(folder, text or harness.config(**changes), files, env, terminal))
        return daemons[-1].wait_ready(listeners_ready)

    yield start
    problems = []
    for daemon in daemons:
        try:
            daemon.finish()
        except AssertionError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


@pytest.fixture
def daemon(start):
    return start()


@pytest.fixture
def path(tmp_path):
    """Of an event log that several daemons use in turn."""
    return tmp_path / "events.db"


@pytest.fixture
def on(start, path):
    """on(), on(file, store={…}): a daemon that is ready, with this event log."""
    return lambda file=path, **changes: start(store={"path": str(file), **changes.pop("store", {})}, **changes)


@pytest.fixture
def disk(tmp_path):
    """disk.env makes a daemon's disk one that can fail; see disk.py."""
    disk = Disk(tmp_path)
    yield disk
    disk.end()  # a daemon that still waits for it goes on


@pytest.fixture
def clock(tmp_path):
    """clock.env gives a daemon a clock that can be set; see clocks.py."""
    return Clock(tmp_path)


@pytest.fixture
def cad():
    """cad(…) gives a hub of the CAD with these options; see cad.py."""
    hubs = []

    def cad(**options):
        hubs.append(cads.Hub(**options))
        return hubs[-1]

    yield cad
    for hub in hubs:
        hub.kill()


@pytest.fixture
def many(start, cad):
    """many(n): a hub and a daemon with n sessions to it, s1 for its server 1 and so on. ways: the hub's options for each."""

    def many(n, ways=(), hub=(), **changes):
        servers = list(range(1, n + 1))
        paths = {f"/way{i}": options for i, options in enumerate(ways, 1)}
        hub = cad(accounts={cads.COMMUNITY: {"key": harness.KEY, "servers": servers}}, ways=paths, **dict(hub))
        rows = [hub.session(name=f"s{i}", server=i, **({"url": hub.at(f"/way{i}")} if ways else {})) for i in servers]
        return hub, start(sessions=rows, **changes)

    return many


@pytest.fixture
def network():
    """Of its own, where that can be had; see network.py."""
    network = Network()
    yield network
    network.close()


@pytest.fixture
def systemd(tmp_path):
    """The manager that daemons with systemd.env talk to; see manager.py."""
    systemd = Systemd(tmp_path / "notify")
    yield systemd
    systemd.close()


@pytest.fixture
def redis(tmp_path):
    """redis(tcp=True, maxmemory="16mb") gives a redis-server of the test's own; see redis_server.py."""
    servers = []

    def start(**options):
        servers.append(RedisServer(tmp_path / f"redis{len(servers)}", **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
