"""sonoran-pushctl doctor and status of sessions: what stands between the daemon and the CAD, and what is done about it.

The daemon and the hub are real; doctor opens no session of its own.
"""

import contextlib
import json
import re
import subprocess

import pytest
from certificates import Authority
from ctl_tools import NOT_RUNNING, ctl, status_of
from harness import KEY, call911, config, free_port, refusing_port, wait_for, write_private
from wires import ConnectProxy


def findings(file, check="session", status=None, env=None):
    """(level, sentence, advice) of each."""
    done = ctl("-c", file, "doctor", "--json", env=env)
    assert done.stderr == "" and KEY not in done.stdout
    answer = json.loads(done.stdout)
    assert any("plan has the API" in hint for hint in answer["look_at"])
    assert not any("public IP and the listener" in hint for hint in answer["look_at"])
    assert status is None or done.returncode == status
    return [(one["level"], one["sentence"], one.get("advice", "")) for one in answer["findings"] if one["check"] == check]


def city(daemon):
    return status_of(daemon)["sessions"][0]


def wait_trouble(daemon, cause):
    return wait_for(lambda: (now := city(daemon).get("trouble")) and now["cause"] == cause and now, cause)


def status_line(daemon):
    return " ".join(re.search(r"Session: .*(\n +.*)*", ctl("-c", daemon.file, "status").stdout)[0].split())


def test_open(cad, start):
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    hub.push(call911(1))
    daemon.wait_line("911 call 1")
    [(level, sentence, _)] = findings(daemon.file)
    assert level == "ok" and re.fullmatch(r"session city: open since \d+ s ago, 1 event, the last \d+ s ago, 0 gaps", sentence)
    assert not {"cut_since", "trouble", "next_try"} & set(city(daemon))
    assert findings(daemon.file, "listener")[0][0] == "ok" and len(findings(daemon.file, "listener")) == 1
    assert (hub.counts()["connections"], hub.requests()) == (1, [])


@pytest.mark.parametrize(
    "cause, options, more, words, advice",
    [
        ("hub", {"upgrade": {"status": "404 Not Found"}}, {}, "no websocket hub at", "url of the session is wrong"),
        ("turned_away", {"upgrade": {"status": "403 Forbidden"}}, {}, "refuses the connection: 403 Forbidden", "tries again by itself"),
        ("websocket", {"upgrade": {"status": "200 OK", "body": "hi"}}, {}, "does not speak websocket", "answers in place of the CAD"),
        ("protocol", {"handshake": {"text": '{"error":"no"}\x1e'}}, {}, "speaks another SignalR protocol: no", "newer"),
        ("protocol", {"login": {"error": "Failed to invoke 'authenticatev2'"}}, {}, "is too old?", "newer"),
        ("login", {}, {"community_id": "other"}, 'the CAD refuses community "other", server 1', "shows the community's id"),
        ("login", {}, {"server": 7}, 'the CAD refuses community "mycad", server 7', "the numbers of the servers"),
    ],
    ids=["hub", "turned away", "websocket", "protocol", "form", "community", "server"],
)
def test_causes(cad, start, cause, options, more, words, advice):
    """As the daemon tells it, and not one more connection to the hub."""
    hub = cad(rest={"/v2/general/servers": {"body": '{"servers":[{"id":1}]}'}}, **options)
    daemon = start(sessions=[hub.session(**more)])
    trouble = wait_trouble(daemon, cause)
    assert words in trouble["words"] and trouble["at"] >= city(daemon)["cut_since"]
    before = hub.counts()["connections"], len(hub.seen()["upgrades"])
    first, *others = findings(daemon.file, status=1)
    assert first[0] == "fail" and words in first[1] and advice in first[2]
    assert re.match(r"session city: no connection since \d+ s ago, (next try (in \d+ (s|min)|now)|trying now): ", first[1])
    assert ("ok", "session city: 127.0.0.1 can be reached from here", "") in others
    assert (hub.counts()["connections"], len(hub.seen()["upgrades"])) == before or cause in ("websocket", "protocol")
    assert words in status_line(daemon)


def test_what_the_rest_interface_says(cad, start):
    """Whose key it is, and which servers there are."""
    hub = cad(rest={"/v2/general/info": {"body": '{"comId":"yours","name":"Yours"}'}, "/v2/general/servers": {"body": '{"servers":[{"id":4}]}'}})
    daemon = start(sessions=[hub.session(server=7)])
    wait_trouble(daemon, "login")
    found = {sentence.split(": ")[1]: (level, sentence, advice) for level, sentence, advice in findings(daemon.file)}
    assert found["community"][0] == "fail" and "the key is of community yours, not of mycad" in found["community"][1]
    assert found["server"][0] == "fail" and "the CAD has 4, and no server 7" in found["server"][1]
    assert "Servers" in found["server"][2]


def test_refused(start):
    with refusing_port() as port:
        daemon = start(sessions=[{"name": "city", "community_id": "x", "url": f"http://127.0.0.1:{port}/hub"}])
        wait_trouble(daemon, "connection")
        first, second = findings(daemon.file, status=1)
        assert "connection refused" in first[1] and "port 443" in first[2]
        assert second[1] == f"session city: connection: cannot connect to 127.0.0.1:{port}: connection refused"
        between = ConnectProxy()  # which the daemon does not ask either, over http://
        with contextlib.closing(between):
            env = {"http_proxy": f"http://127.0.0.1:{between.port}", "no_proxy": ""}
            assert findings(daemon.file, status=1, env=env)[1][1] == second[1] and not between.asked


def test_no_such_name(start):
    daemon = start(sessions=[{"name": "city", "community_id": "x", "url": "https://no-such-host.invalid/hub"}])
    wait_trouble(daemon, "name")
    first, second = findings(daemon.file, status=1)
    assert "the name no-such-host.invalid cannot be resolved" in first[1] and "name server" in first[2] and "name server" in second[2]


def test_wrong_certificate(cad, start, tmp_path):
    authority = Authority(tmp_path / "ca")
    hub = cad(tls=authority.sign("hub", "DNS:elsewhere.example"))
    daemon = start(sessions=[hub.session(ca_file=str(authority.ca))])
    wait_trouble(daemon, "tls")
    first, second = findings(daemon.file, status=1)
    at = f"TLS with 127.0.0.1:{hub.port}: "
    assert at in first[1] and "ca-certificates" in first[2] and second[1].startswith(f"session city: tls: {at}")


def test_proxy_that_refuses(start):
    between = ConnectProxy(status="403 Forbidden")
    env = {"https_proxy": f"http://127.0.0.1:{between.port}", "no_proxy": ""}
    try:
        daemon = start(sessions=[{"name": "city", "community_id": "x", "url": "https://cad.invalid/hub"}], env=env)
        wait_trouble(daemon, "proxy")
        first, second = findings(daemon.file, status=1, env=env)
        assert "by the proxy" in first[1] and "https_proxy" in first[2]
        assert second[1].startswith("session city: proxy: ") and "403" in second[1]
    finally:
        between.close()


def test_kicked(cad, start):
    """Another program may have the place."""
    hub = cad()
    daemon = start(sessions=[hub.session()])
    for n in 1, 2:
        hub.wait_connections(n)
        hub.wait_sessions()
        hub.close()
    assert "another program with server 1?" in wait_trouble(daemon, "kicked")["words"]
    level, sentence, advice = findings(daemon.file, status=1)[0]
    assert (level, "twice" in sentence) == ("fail", True) and "enablePushEventForwarding" in advice


def test_beside_a_fivem_server(cad, start):
    hub = cad()
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    game = subprocess.Popen(["sh", "-c", "read line", "/opt/cfx-server/FXServer"], stdin=subprocess.PIPE)
    try:
        found = wait_for(lambda: [one for one in findings(daemon.file) if "FiveM" in one[1]], "the game server")
        assert found[0][0] == "warn" and f"(process {game.pid})" in found[0][1] and "pushEventForwardUrl" in found[0][2]
    finally:
        game.communicate()


def test_daemon_is_down(cad, tmp_path):
    """What needs no session is tried."""
    hub = cad(rest={"/v2/general/servers": {"body": '{"servers":[{"id":4}]}'}})
    file = tmp_path / "down.yaml"
    write_private(file, config(sessions=[hub.session()]))
    found = findings(file, status=1)
    assert ("ok", "session city: 127.0.0.1 can be reached from here", "") in found
    assert any(level == "fail" and "no server 1" in sentence for level, sentence, _ in found)
    assert "sonoran-pushctl probe city" in found[-1][1]
    assert hub.counts()["connections"] == 0 and not hub.seen()["upgrades"]
    assert ctl("-c", file, "status", "-q").returncode == NOT_RUNNING


def test_not_reloaded(cad, start):
    hub = cad()
    daemon = start()
    write_private(daemon.file, daemon.file.read_text() + f'sessions: [{{ name: city, community_id: mycad, url: "{hub.url}" }}]\n')
    [(level, sentence, advice)] = findings(daemon.file)
    assert level == "warn" and "the daemon does not know it" in sentence and "reload" in advice
    assert hub.counts()["connections"] == 0


def test_priming_is_refused(cad, start):
    hub = cad(rest={f"/v2/emergency/servers/1/{what}": {"status": 402, "body": "{}"} for what in ("calls", "units")})
    daemon = start(sessions=[hub.session(prime=True)])
    wait_for(lambda: city(daemon).get("prime_problem"), "the refusal")
    assert [(level, "does not tell its units" in words) for level, words, _ in findings(daemon.file)] == [("ok", False), ("warn", True)]


def test_cut_and_open_again(cad, start):
    """Since when is that of the last byte, over all tries; and a session that is cut is no daemon that is ill."""
    hub = cad(port=free_port())
    daemon = start(sessions=[hub.session()])
    hub.wait_sessions()
    with hub.down():
        since = wait_for(lambda: city(daemon).get("cut_since"), "the cut")
        wait_trouble(daemon, "connection")
        assert city(daemon)["cut_since"] == since
        assert re.search("city, server 1 at 127.0.0.1: no connection since .*: cannot connect to", status_line(daemon))
        assert ctl("-c", daemon.file, "status", "-q").returncode == 0
    hub.wait_sessions()
    wait_for(lambda: "cut_since" not in city(daemon) and "trouble" not in city(daemon), "it is open again")
    assert "open since" in status_line(daemon)


def test_no_key_in_it(cad, start):
    hub = cad(login={"result": {"success": False, "error": f"the key {KEY} is old"}})
    daemon = start(sessions=[hub.session()])
    assert "[key]" in wait_trouble(daemon, "login")["words"]
    assert KEY not in json.dumps(status_of(daemon)) and KEY not in str(findings(daemon.file))
