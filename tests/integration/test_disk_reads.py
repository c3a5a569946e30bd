"""A disk on which a read of an action stalls, while what is written gets on."""

import pytest
from ctl_tools import ask_socket
from disk import READ, STALL, WAL
from harness import call911, config, wait_for
from targets import Target


@pytest.fixture
def target():
    target = Target()
    yield target
    target.close()


def bot(target, **more):
    return [{"name": "bot", "type": "forward", "url": target.url, "timeout": "10min", **more}]


def go_back(path):
    """To what is no longer in memory. The action read the log before the last event was written, so its pages are to be
    read anew."""
    status, _, answer = ask_socket(f"{path}.control", "POST", "/api/replay?action=bot&from=1")
    assert status == 200, answer


def got(target):
    return [request.event_id for request in target.got]


def test_a_read_stalls(on, path, disk, target):
    """Events are stored and answered, a reload that would have to wait for the action is refused, and the end comes."""
    daemon = on(env=disk.env, actions=bot(target))
    assert daemon.post(call911(1)).status == 200
    wait_for(lambda: got(target) == [1], "the first one")
    disk.begin(STALL, calls=1 << READ, kinds=1 << WAL)
    assert daemon.post(call911(2)).status == 200
    wait_for(lambda: got(target) == [1, 2], "the second one, from memory")
    go_back(path)
    wait_for(lambda: disk.get("n_hits"), "a read")

    lines = daemon.reload(config(store={"path": str(path)}, actions=bot(target, parallel=2)))
    assert any("action bot cannot end" in line and "the old configuration stays in force" in line for line in lines)
    assert daemon.post(call911(3)).status == 200

    daemon.exit_status = 1
    daemon.stop()
    disk.end()
    assert "the disk does not answer: ended without it" in daemon.tail()
    assert got(target) == [1, 2]

    after = on(actions=bot(target))
    wait_for(lambda: got(target) == [1, 2, 1, 2, 3], "what was left")
    after.stop()


def test_a_read_stalls_for_a_moment(on, path, disk, target):
    """A reload that was refused changes nothing, and the next one is taken."""
    daemon = on(env=disk.env, actions=bot(target))
    assert daemon.post(call911(1)).status == 200
    wait_for(lambda: got(target) == [1], "the first one")
    with disk.failing(STALL, calls=1 << READ, kinds=1 << WAL):
        assert daemon.post(call911(2)).status == 200
        wait_for(lambda: got(target) == [1, 2], "the second one, from memory")
        go_back(path)
        wait_for(lambda: disk.get("n_hits"), "a read")
        changed = config(store={"path": str(path)}, actions=bot(target, parallel=2))
        assert any("action bot cannot end" in line for line in daemon.reload(changed))
    wait_for(lambda: got(target) == [1, 2, 1, 2], "both again")
    assert daemon.post(call911(3)).status == 200
    wait_for(lambda: got(target) == [1, 2, 1, 2, 3], "the third one")
    assert any("configuration reloaded" in line for line in daemon.reload())
    assert daemon.post(call911(4)).status == 200
    wait_for(lambda: got(target) == [1, 2, 1, 2, 3, 4], "the fourth one")
