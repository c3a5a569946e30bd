"""Each error that a server may answer with, over the wire: what becomes of an action, and what a source says of it. Those that
a real server is easily brought to are in test_redis_trouble.py as well; a real Redis Cluster is here."""

import contextlib

import pytest
from harness import free_port, wait_for
from scripted_redis import ScriptedRedis
from test_redis import post
from test_redis_trouble import KEY, off

CLUSTER = "it is a node of a Redis Cluster, which is not spoken here: name a server without one"

# Its words, what is said of it, and whether that switches an action off, sends it to the next address, or is waited for.
OFF, ELSEWHERE, LATER = "off", "elsewhere", "later"
ERRORS = {
    "READONLY You can't write against a read only replica.": ("it is a replica, which takes nothing", ELSEWHERE),
    "LOADING Redis is loading the dataset in memory": ("it has been started and still reads what it had saved", ELSEWHERE),
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":
        ("it is a replica that has lost its master", ELSEWHERE),
    "MOVED 3999 127.0.0.1:6381": (CLUSTER, OFF),
    "ASK 3999 127.0.0.1:6381": (CLUSTER, OFF),
    "CROSSSLOT Keys in request don't hash to the same slot": (CLUSTER, OFF),
    "NOAUTH Authentication required.": ("it wants a login", OFF),
    "WRONGPASS invalid username-password pair or user is disabled.": ("it lets nobody in like that", OFF),
    "NOPERM this user has no permissions to run the 'evalsha' command": ("NOPERM this user has no permissions", OFF),
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.":
        ("it cannot save to its own disk and takes nothing meanwhile", LATER),
    "NOSCRIPT No matching script. Please use EVAL.": ("it has forgotten the script", LATER),
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.":
        ("it is busy with a script of somebody else", LATER),
    "OOM command not allowed when used memory > 'maxmemory'.": ("its memory is full: it needs a higher maxmemory", LATER),
    "WRONGTYPE Operation against a key holding the wrong kind of value":
        ("the key is there already, and is no stream", OFF),
}
each_error = pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.split()[0])


@pytest.fixture
def answering():
    with contextlib.ExitStack() as stack:
        yield lambda error: stack.enter_context(contextlib.closing(ScriptedRedis(error)))


def sources(url, **more):
    return [{"name": "edges", "url": url, "keys": [KEY], **more}]


@each_error
def test_action(on, answering, error):
    words, outcome = ERRORS[error]
    daemon = on(actions=[{"name": "bus", "type": "redis", "url": answering(error).url, "stream": KEY}])
    post(daemon, 1)
    if outcome == OFF:
        off(daemon, words)
    else:
        daemon.wait_line(f"event 1 not delivered, next try in .*{words}")


@each_error
def test_action_with_two_addresses(on, redis, answering, error):
    """The second one takes the event, where the first one's answer leaves that open; else it is not even asked."""
    words, outcome = ERRORS[error]
    first, second = answering(error), redis()
    daemon = on(actions=[second.action(url=[first.url, second.url])])
    post(daemon, 1)
    if outcome == ELSEWHERE:
        second.wait_ids([1])
        assert any(asked[0] == "EVALSHA" for asked in first.asked)
        assert not daemon.find_line("not delivered")
    else:
        off(daemon, words) if outcome == OFF else daemon.wait_line(f"event 1 not delivered, next try in .*{words}")
        assert not second.client.exists(KEY)


@each_error
def test_source(start, answering, error):
    words, _ = ERRORS[error]
    hub = start(streams=sources(answering(error).url))
    hub.wait_line(f"streams edges: .*{words}")


# A real Redis Cluster


@pytest.fixture
def cluster(redis):
    """Two nodes, of which the first has all slots."""
    nodes = [redis(tcp=True, cluster_enabled="yes", cluster_port=free_port()) for _ in range(2)]
    first, second = nodes
    first.client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
    second.client.execute_command("CLUSTER MEET", "127.0.0.1", first.port, first.options["cluster_port"])
    for node in nodes:
        wait_for(lambda: node.client.execute_command("CLUSTER INFO")["cluster_state"] == "ok", "a cluster")
    return nodes


def test_moved(on, start, cluster):
    """The stream's slot is the other node's."""
    daemon = on(actions=[cluster[1].action()])
    post(daemon, 1)
    off(daemon, rf"{CLUSTER} \(MOVED\)")
    hub = start(streams=sources(cluster[1].url))
    hub.wait_line(rf"streams edges: .*{CLUSTER} \(MOVED\)")


def test_ask(on, start, cluster):
    """The stream's slot is on its way to the other node."""
    slot = cluster[0].client.execute_command("CLUSTER KEYSLOT", KEY)
    cluster[0].client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", cluster[1].client.execute_command("CLUSTER MYID"))
    daemon = on(actions=[cluster[0].action()])
    post(daemon, 1)
    off(daemon, rf"{CLUSTER} \(ASK\)")
    hub = start(streams=sources(cluster[0].url))
    hub.wait_line(rf"streams edges: .*{CLUSTER} \(ASK\)")


def test_crossslot(start, cluster):
    """One question for streams of several slots, which only a source has."""
    keys = ["cad:events:a", "cad:events:b"]
    for key in keys:
        cluster[0].client.xadd(key, {"type": "X"})
    hub = start(streams=sources(cluster[0].url, keys=keys))
    hub.wait_line(rf"streams edges: .*{CLUSTER} \(CROSSSLOT\)")
