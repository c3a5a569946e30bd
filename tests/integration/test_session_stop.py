"""The end of sessions, by a stop or a reload: what had come is stored, and what the CAD says meanwhile is no trouble."""

import pytest
import store
from cad import COMMUNITY
from ctl_tools import status_of
from disk import STALL
from harness import config, wait_for
from test_session_life import template

MANY = 4000
LIMITS = {"in_flight": "4M", "body": "64K"}


def calls(daemon):
    return store.call_ids(daemon.file.parent / "events.db")


def leave_by_reload(daemon):
    daemon.reload(config(limits=LIMITS))
    wait_for(lambda: len(calls(daemon)) == MANY, f"all {MANY}")
    daemon.stop()


@pytest.mark.parametrize("leave", [lambda daemon: daemon.stop(), leave_by_reload], ids=["stop", "reload"])
def test_what_waits_is_stored(start, cad, disk, leave):
    """More than there is room for in the pipeline, when the disk has only just become well again."""
    hub = cad()
    daemon = start(sessions=[hub.session()], env=disk.env, limits=LIMITS)
    hub.wait_sessions(1)
    with disk.failing(STALL):
        hub.burst(community=COMMUNITY, server=1, first=1, count=MANY, template=template())
        wait_for(lambda: status_of(daemon)["sessions"][0]["events"] == MANY, f"all {MANY}")
        hub.close(allowReconnect=True)
        daemon.wait_line("the CAD closed the session")
    leave(daemon)
    assert calls(daemon) == list(range(1, MANY + 1))
    assert not any("lost" in line for line in daemon.lines())
