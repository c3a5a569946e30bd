"""What goes wrong with the server of an action of type redis: each has its sentence, and goes on or is switched off."""

import re
import threading

import pytest
from ctl_tools import ctl
from harness import REPOSITORY, call911, config, free_port, wait_for
from redis_server import ResponseError, assert_whole
from test_redis import post

KEY = "cad:events:edge1"


def off(daemon, words, since=0):
    return daemon.wait_line(f"switched off, tried again every 60 min: .*{words}", since)


def reload_works(daemon, server, path, changes=(), **action):
    """The same again, after somebody has put it right."""
    daemon.reload(config(store={"path": str(path)}, actions=[server.action(**action)], **dict(changes)))


# For a person to put right


def test_wrong_type(on, path, redis):
    server = redis()
    server.client.set(KEY, "a text")
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    off(daemon, "the key is there already, and is no stream: delete it")
    server.client.delete(KEY)
    reload_works(daemon, server, path)
    server.wait_ids([1])


def test_password(on, path, redis):
    server = redis(requirepass="sesame")
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    off(daemon, "it wants a login: username and password_file")
    daemon.secrets.add("sesame")
    since = len(daemon.lines())
    reload_works(daemon, server, path, password="not-it")
    off(daemon, "it lets nobody in like that", since)
    reload_works(daemon, server, path, password="sesame")
    server.wait_ids([1])


def test_account(on, path, redis):
    server = redis()
    sample = (REPOSITORY / "config/examples/edge.yaml").read_text(encoding="utf-8")
    rights = re.search(r"ACL SETUSER edge1 (.*)", sample)[1].replace("PASSWORD", "sesame").split()
    server.client.execute_command("ACL", "SETUSER", "edge1", *(right for right in rights if right != "+xinfo"))
    daemon = on(actions=[server.action(username="edge1", password="sesame")])
    post(daemon, 1)
    off(daemon, "its account may not do all that a script of ours does")
    server.client.execute_command("ACL", "SETUSER", "edge1", *rights)
    reload_works(daemon, server, path, username="edge1", password="sesame")
    server.wait_ids([1])


def test_another_log_under_this_name(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()])
    server.client.xadd(KEY, {"type": "X"}, id="99999999999999-7")
    post(daemon, 1)
    off(daemon, "ends with 99999999999999-7, which another log has written, or somebody by hand")
    server.client.delete(KEY)
    reload_works(daemon, server, path)
    server.wait_ids([1])


def test_entry_by_hand_in_between(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    server.client.xadd(KEY, {"type": "X"})
    post(daemon, 2)
    off(daemon, "somebody by hand")
    server.client.delete(KEY)
    reload_works(daemon, server, path)
    server.wait_ids([1, 2])
    assert_whole(server, path)


def test_stream_of_an_earlier_log(on, path, redis):
    """The machine was made anew: its log begins behind what the stream has."""
    server = redis()
    server.client.xadd(KEY, {"type": "X"}, id="1000-7")
    daemon = on(actions=[server.action()])
    post(daemon, 1, 2)
    server.wait_ids([7, 1, 2])


def test_no_such_database(on, redis):
    server = redis(databases=2)
    daemon = on(actions=[server.action(database=5)])
    post(daemon, 1)
    off(daemon, "it does not have a database of that number")


def test_cluster(on, redis):
    server = redis(cluster_enabled="yes")
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    off(daemon, "a node of a Redis Cluster, which is not spoken here")


# For a while


@pytest.mark.parametrize("tcp", [False, True])
def test_down_at_the_start(on, path, redis, tcp):
    server = redis(tcp=tcp)
    server.kill()
    daemon = on(actions=[server.action()])
    post(daemon, 1, 3)
    daemon.wait_line("event 1 not delivered, next try in .*: cannot connect to")
    server.start()
    server.wait_ids([1, 2, 3])
    assert_whole(server, path)


def test_frozen(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action(timeout="1s")])
    post(daemon, 1)
    server.wait_ids([1])
    with server.frozen():
        post(daemon, 2, 3)
        daemon.wait_line("event 2 not delivered, next try in .*does not answer")
    server.wait_ids(range(1, 5))
    assert_whole(server, path)


def test_full(on, path, redis):
    server = redis(maxmemory="3mb", maxmemory_policy="noeviction")
    server.client.config_set("maxmemory", "64kb")  # less than any has begun with
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    daemon.wait_line(f"event 1 not delivered, next try in .*: {server.socket}: its memory is full: it needs a higher maxmemory")
    server.client.config_set("maxmemory", "100mb")
    server.wait_ids([1])
    assert not daemon.find_line("maxmemory-policy")


def test_policy_that_evicts_is_told(on, path, redis):
    server = redis(maxmemory_policy="allkeys-lru")
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    policy = "the server's maxmemory-policy is allkeys-lru"
    daemon.wait_line(policy)
    server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    post(daemon, 2)
    server.wait_ids([1, 2])
    assert sum(policy in line for line in daemon.lines()) == 1


def calls(server):
    """How often it was asked to run the script."""
    return server.client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)


def test_replica(on, path, redis):
    """Of several addresses the one that takes something; with one alone, it is waited for."""
    master, replica = redis(tcp=True), redis(tcp=True)
    replica.client.replicaof("127.0.0.1", master.port)
    wait_for(lambda: replica.client.info("replication")["master_link_status"] == "up", "a replica")
    daemon = on(actions=[replica.action(url=[replica.url, master.url])])
    post(daemon, 1)
    master.wait_ids([1])
    assert calls(replica) and not daemon.find_line("not delivered"), "the first was asked, and the next one at once"
    asked = calls(replica)
    post(daemon, 2)
    master.wait_ids([1, 2])
    assert calls(replica) == asked, "it stays where events are taken"
    alone = on(path.with_name("alone.db"), actions=[replica.action(stream="alone")])
    post(alone, 1)
    alone.wait_line("event 1 not delivered, next try in .*it is a replica")
    replica.client.replicaof("NO", "ONE")
    replica.wait_ids([1], "alone")


def test_the_master_moves(on, path, redis):
    """To and fro between two addresses, each time found at once."""
    servers = redis(tcp=True), redis(tcp=True)
    daemon = on(actions=[servers[0].action(url=[server.url for server in servers])])
    for number in range(1, 6):
        master, replica = servers[number % 2], servers[(number + 1) % 2]
        master.client.replicaof("NO", "ONE")
        replica.client.replicaof("127.0.0.1", master.port)
        wait_for(lambda: replica.client.info("replication")["master_link_status"] == "up", "a replica")
        post(daemon, number)
        wait_for(lambda: replica.ids() == list(range(1, number + 1)), "the event at the replica too")
    assert not daemon.find_line("not delivered")


def test_one_of_two_is_down(on, redis):
    """Each time another one, and each time the other is tried at once."""
    servers = redis(), redis()
    daemon = on(actions=[servers[0].action(url=[server.url for server in servers])])
    for number in range(1, 6):
        up, down = servers[number % 2], servers[(number + 1) % 2]
        if number > 1:
            up.start()
        down.kill()
        post(daemon, number)
        up.wait_ids(range(1, number + 1))
    assert not daemon.find_line("not delivered.*connect")  # each has lost what it had, which may have to rest


def test_failover_to_a_replica_that_lags(on, path, redis):
    master, replica = redis(tcp=True), redis(tcp=True)
    daemon = on(actions=[master.action(url=[master.url, replica.url])])
    post(daemon, 1, 5)
    master.wait_ids(range(1, 6))
    replica.client.replicaof("127.0.0.1", master.port)
    wait_for(lambda: replica.ids() == list(range(1, 6)), "a replica")
    replica.client.replicaof("NO", "ONE")
    post(daemon, 6, 3)
    master.wait_ids(range(1, 9))
    master.kill()
    post(daemon, 9)
    replica.wait_ids(range(1, 10))
    assert_whole(replica, path)
    daemon.wait_line("has lost its end: it ends with .*-5, and ended with .*-8")


def test_script_is_forgotten(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    server.client.script_flush()
    post(daemon, 2)
    server.wait_ids([1, 2])
    assert not daemon.find_line("not delivered")


def test_connection_closed_while_idle(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    server.client.client_kill_filter(_type="normal", skipme=True)
    post(daemon, 2)
    server.wait_ids([1, 2])
    assert not daemon.find_line("not delivered")


def test_tail_of_the_file_is_lost(on, path, redis):
    """As a power cut does with appendfsync everysec."""
    server = redis(appendonly="yes", appendfsync="always", auto_aof_rewrite_percentage="0")
    daemon = on(actions=[server.action()])
    post(daemon, 1, 3)
    server.wait_ids([1, 2, 3])
    (file,) = (server.folder / "appendonlydir").glob("*.incr.aof")
    size = file.stat().st_size
    post(daemon, 4, 4)
    server.wait_ids(range(1, 8))
    server.kill()
    with open(file, "r+b") as aof:
        aof.truncate(size + 40)  # in the middle of a command
    server.start()
    post(daemon, 10)
    server.wait_ids(range(1, 9))
    assert_whole(server, path)


def test_too_large(on, path, redis):
    """One that the server never takes goes to the failed ones, and holds up no other."""
    server = redis(proto_max_bulk_len="1mb")
    daemon = on(actions=[server.action()])
    server.kill()
    post(daemon, 1, 2)
    assert daemon.post(call911(3, description="x" * 1_500_000)).status == 200
    post(daemon, 4, 2)
    server.start()
    server.wait_ids([1, 2, 4, 5])
    daemon.wait_line("event 3 is not delivered and stays on the list of failed ones: .*proto-max-bulk-len")
    entries = server.entries()
    assert entries[2][1]["prev"] == entries[1][0]
    assert ctl("-c", daemon.file, "retry", "bus", "all").returncode == 0
    daemon.wait_line("event 3 is not delivered .*the stream has gone on, and nothing can be added before its end")
    assert server.ids() == [1, 2, 4, 5]


def test_nobody_listens_anywhere(on, redis):
    redis()
    urls = [f"redis://127.0.0.1:{free_port()}", f"redis://127.0.0.1:{free_port()}"]
    daemon = on(actions=[{"name": "bus", "type": "redis", "url": urls}])
    post(daemon, 1)
    daemon.wait_line("event 1 not delivered, next try in .*: cannot connect to 127.0.0.1")


def test_stopped_while_it_waits(on, path, redis):
    server = redis()
    daemon = on(actions=[server.action(timeout="1h")])
    post(daemon, 1)
    server.wait_ids([1])
    with server.frozen():
        post(daemon, 2)
        daemon.stop()
    assert not daemon.find_line("not delivered")
    second = on(actions=[server.action()])
    post(second, 3)
    server.wait_ids([1, 2, 3])
    assert_whole(server, path)


def test_busy(on, path, redis):
    server = redis(lua_time_limit="100")
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    hog = server.client.__class__(unix_socket_path=str(server.socket))
    thread = threading.Thread(target=lambda: pytest.raises(ResponseError, hog.eval, "while true do end", 0))
    thread.start()

    def is_busy():
        try:
            server.client.ping()
        except ResponseError as problem:
            return "BUSY" in str(problem)

    wait_for(is_busy, "a busy server")
    post(daemon, 2)
    daemon.wait_line("event 2 not delivered, next try in .*busy with a script of somebody else")
    server.client.script_kill()
    thread.join()
    server.wait_ids([1, 2])
    assert_whole(server, path)


def test_cannot_save(on, path, redis):
    """It refuses what it could not keep, until it can."""
    server = redis(save="3600 1000000")
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    (server.folder / "dump.rdb").mkdir()
    server.client.bgsave()
    wait_for(lambda: server.client.info("persistence")["rdb_last_bgsave_status"] == "err", "a failed save")
    post(daemon, 2)
    daemon.wait_line("event 2 not delivered, next try in .*it cannot save to its own disk")
    (server.folder / "dump.rdb").rmdir()
    server.client.bgsave()
    server.wait_ids([1, 2])


def test_replica_without_its_master(on, path, redis):
    """The next address is tried, and the first one again where that takes nothing either."""
    master, replica, other = redis(tcp=True), redis(tcp=True, replica_serve_stale_data="no"), redis(tcp=True)
    replica.client.replicaof("127.0.0.1", master.port)
    wait_for(lambda: replica.client.info("replication")["master_link_status"] == "up", "a replica")
    master.kill()
    wait_for(lambda: replica.client.info("replication")["master_link_status"] == "down", "a replica alone")
    daemon = on(actions=[replica.action(url=[replica.url, other.url])])
    post(daemon, 1)
    other.wait_ids([1])
    assert calls(replica) and not daemon.find_line("not delivered")
    other.kill()
    post(daemon, 2)
    daemon.wait_line("event 2 not delivered, next try in .*it is a replica that has lost its master")
    replica.client.replicaof("NO", "ONE")
    replica.wait_ids([1, 2])


def test_still_loads(on, path, redis):
    server = redis()
    for i in range(60):
        server.client.set(f"key{i}", "x" * 2000)
    daemon = on(actions=[server.action()])
    post(daemon, 1)
    server.wait_ids([1])
    server.client.save()
    server.kill()
    server.options.update(key_load_delay="100000", loading_process_events_interval_bytes="1024")
    post(daemon, 2)
    server.start(wait=False)
    daemon.wait_line("event 2 not delivered, next try in .*it has been started and still reads what it had saved")
    wait_for(server.answers, "an answer of redis-server")
    server.wait_ids([1, 2])
    assert_whole(server, path)
