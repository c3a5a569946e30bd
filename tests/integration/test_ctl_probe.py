"""sonoran-pushctl probe: a session to the CAD tried by hand, step by step."""

import json
import resource
import socket
import time

import pytest
from ctl_tools import USAGE, ctl
from harness import KEY, config, free_port, wait_for, write_private

GOOD = ["name", "TCP", "upgrade", "handshake", "login"]


@pytest.fixture
def probe(tmp_path):
    """probe([session…], argument…): the exit status, names of the steps, and of the last its result and words."""

    def probe(sessions, *arguments):
        file = tmp_path / "probe.yaml"
        write_private(file, config(sessions=sessions))
        done = ctl("-c", file, "probe", "--json", *arguments)
        assert KEY not in done.stdout + done.stderr
        steps = json.loads(done.stdout)["steps"]
        return done.returncode, [step["step"] for step in steps], steps[-1]["result"], steps[-1]["words"]

    return probe


def test_each_step(cad, tmp_path):
    hub = cad()
    file = tmp_path / "probe.yaml"
    write_private(file, config(sessions=[hub.session(name="other", community_id="x"), hub.session()]))
    done = ctl("-c", file, "probe", "city")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "session city: server 1 of community default"
    assert [line.split()[:2] for line in lines[1:]] == [["ok", n] for n in [*GOOD, "ping", "plan", "community", "server"]]
    assert 'the CAD knows community "mycad" and server 1' in lines[5]
    wait_for(lambda: hub.counts()["sessions"] == 0, "it has left")
    assert not (tmp_path / "events.db").exists()


def test_a_hub_that_answers_no_ping(cad, probe):
    hub = cad(autoPong=False)
    status, steps, result, words = probe([hub.session()])
    assert (status, steps[:6]) == (0, [*GOOD, "ping"]), (steps, words)


def test_a_hub_that_closes_it_at_once(cad, probe):
    """As it may do with a second program for one server: its own words are told."""
    logged_in = '{"type":3,"invocationId":"$ID","result":{"success":true,"error":null,"count":0}}\x1e'
    hub = cad(autoPong=False, login={"text": logged_in + '{"type":7,"error":"you are the second"}\x1e'})
    assert probe([hub.session()]) == (1, [*GOOD, "ping"], "FAILED", "the CAD closed the session: you are the second")


def test_what_the_rest_says(cad, probe):
    hub = cad(rest={"/v2/general/info": {"status": 401, "body": "{}"}, "/v2/general/servers": {"body": '{"servers":[{"id":4}]}'}})
    assert probe([hub.session()]) == (
        1,
        [*GOOD, "ping", "plan", "community", "server"],
        "FAILED",
        "the CAD has 4, and no server 1: Admin, Customization, Servers shows the numbers",
    )
    hub.set(rest={"/v2/general/servers": {"status": 500, "body": "<h1>Oh \x1b[31mno</h1>"}})
    status, steps, result, words = probe([hub.session()])
    assert (status, steps[-1], result) == (0, "server", "note")
    assert words.endswith(": what is missed in a gap may stay unknown") and "\x1b" not in words
    hub.set(rest={"/v2/general/info": {"body": '{"comId":"another","name":"Elsewhere"}'}})
    done = probe([hub.session()])
    assert done[0] == 1


@pytest.mark.parametrize(
    ("changes", "options", "passed", "words"),
    [
        ({"community_id": "nobody"}, {}, GOOD, 'the CAD refuses community "nobody", server 1: '),
        ({"server": 7}, {}, GOOD, 'the CAD refuses community "mycad", server 7: '),
        ({"url": "/elsewhere"}, {}, GOOD[:3], "404 Not Found: no websocket hub there, is the url right?"),
        ({"url": "https:"}, {}, ["name", "TCP", "TLS"], "TLS"),
    ],
    ids=["community", "server", "path", "tls"],
)
def test_what_is_wrong(cad, probe, changes, options, passed, words):
    hub = cad(**options)
    session = hub.session()
    url = changes.get("url", "")
    if url.startswith("/"):
        session["url"] = session["url"].replace("/apiWsHub", url)
    elif url:
        session["url"] = session["url"].replace("http:", url)
    else:
        session.update(changes)
    status, steps, result, told = probe([session])
    assert (status, steps, result) == (1, passed, "FAILED"), told
    assert words in told


def test_nobody_there(probe, cad):
    session = {"name": "city", "community": "default", "community_id": "x", "url": f"http://127.0.0.1:{free_port()}/a"}
    assert probe([session])[1:3] == (["name", "TCP"], "FAILED")
    session["url"] = "https://no-such-host.invalid/apiWsHub"
    assert probe([session])[1:3] == (["name"], "FAILED")


def test_which_session(tmp_path, cad):
    hub = cad()
    file = tmp_path / "probe.yaml"
    write_private(file, config())
    done = ctl("-c", file, "probe")
    assert (done.returncode, done.stderr) == (USAGE, "sonoran-pushctl: the configuration has no sessions\n")
    write_private(file, config(sessions=[hub.session()]))
    done = ctl("-c", file, "probe", "town")
    assert done.returncode == USAGE
    assert done.stderr == "sonoran-pushctl: no session of the configuration is called so; the first is city\n"


def test_not_beside_the_daemon(cad, start):
    hub = cad()
    daemon = start(sessions=[hub.session()])
    daemon.wait_line("session city: connected")
    done = ctl("-c", daemon.file, "probe")
    assert done.returncode == 1
    assert "the daemon has session city open" in done.stderr
    assert hub.counts()["connections"] == 1
    assert ctl("-c", daemon.file, "probe", "--beside").returncode == 0
    daemon.stop()


def test_waits_on_a_machine_that_is_up_for_long(tmp_path, clock):
    """For who accepts and says nothing, without asking for it again and again."""
    clock.set(0, 0, 25 * 86400 - time.monotonic())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = tmp_path / "probe.yaml"
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/hub"
        write_private(file, config(sessions=[{"name": "city", "community_id": "x", "url": url}]))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = ctl("-c", file, "probe", env=clock.env)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 1
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 4  # of 10 s
    assert "no answer within 10s" in done.stdout, done.stdout
