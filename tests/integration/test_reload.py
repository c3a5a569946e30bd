"""SIGHUP: a good file is taken as a whole, a bad one is refused as a whole, and nobody's request suffers."""

import resource
import signal
import threading

import pytest
from disk import sanitizer_runtime
from harness import KEY, PATH, config, event, request, wait_for

NEW_KEY = "Another-key-5678"
NEW_COMMUNITIES = [{"name": "renamed", "api_key": NEW_KEY}]


@pytest.fixture
def daemon(daemon):
    daemon.secrets.add(NEW_KEY)
    return daemon


def test_new_key(daemon):
    assert daemon.post(event()).status == 200
    daemon.reload(config(communities=NEW_COMMUNITIES))
    assert daemon.post(event(key=NEW_KEY)).status == 200
    assert daemon.post(event()).text == "Authentication Key Failed!"
    assert [e["community"] for e in daemon.stop().events()] == ["default", "renamed"]


def test_open_connection(daemon):
    """Survives, and the next request on it meets the new settings."""
    with daemon.connect() as client:
        assert client.ask(request(event())).status == 200
        daemon.reload(config(communities=NEW_COMMUNITIES))
        assert client.ask(request(event())).status == 400
        assert client.ask(request(event(key=NEW_KEY))).status == 200


def test_request_under_way(daemon):
    """Begun before the reload, ended after it: answered."""
    data = request(event())
    with daemon.connect() as client:
        client.send(data[:-10])
        daemon.reload(config(log={"payload": 10}))
        assert client.ask(data[-10:]).status == 200


def test_body_limit(daemon):
    body = event(x="x" * 20_000)
    assert daemon.post(body).status == 200
    daemon.reload(config(limits={"body": "16K"}))
    assert daemon.post(body).status == 413
    assert daemon.post(event()).status == 200
    daemon.reload(config(limits={"body": "32K"}))
    assert daemon.post(body).status == 200


def test_paths(daemon):
    daemon.reload(config(paths=["/hook", "/other"]))
    for path, status in ("/hook", 200), ("/other?x", 200), (PATH, 404), ("/", 404):
        assert daemon.post(event(), path).status == status
        assert daemon.ask("GET", path).status == status
    daemon.reload(config())
    assert (daemon.post(event()).status, daemon.post(event(), "/hook").status) == (200, 404)


def test_unknown_types(daemon):
    body = event("EVENT_FUTURE_THING")
    assert daemon.post(body).text == "Invalid Type"
    daemon.reload(config(unknown_types="accept"))
    assert daemon.post(body).text == "ok"
    daemon.reload(config(unknown_types="reject"))
    assert daemon.post(body).text == "Invalid Type"
    assert [e.get("verdict") for e in daemon.stop().events()] == ["unknown", None, "unknown"]


def test_request_time(daemon):
    daemon.reload(config(limits={"request_time": "1s"}))
    with daemon.connect() as client:
        client.send(request(event())[:-1])
        assert client.rest() == b""


def test_failed_keys(daemon):
    guesser = "127.0.0.2"
    for status in 400, 400:
        assert daemon.post(event(key="x"), source=guesser).status == status
    daemon.reload(config(limits={"failed_keys": 2}))
    for status in 400, 400, 429:
        answer = daemon.post(event(key="x"), source=guesser)
        assert answer.status == status or answer.status == 429
    assert daemon.post(event(), source=guesser).status == 429
    daemon.reload(config(limits={"failed_keys": 0}))
    assert daemon.post(event(), source=guesser).status == 200


def test_state_survives(daemon):
    """Units known before are named after."""
    unit = {"id": 4127, "data": {"unitNum": "3-L-27", "name": "Mara Ellison"}}
    daemon.post(event("EVENT_UNIT_LOGIN", {"unit": unit}))
    daemon.reload(config(log={"payload": 10}))
    daemon.post(event("EVENT_UNIT_STATUS", {"identIds": [4127], "status": 3}))
    last = daemon.stop().events()[-1]
    assert "Mara Ellison" in last["message"] and last["event_id"] == 2


# Files that are not taken

BAD_FILE = """\
listeners: [ { name: main, address: "127.0.0.1:0" } ]
unknown_types: perhaps
communities: [ { name: renamed, api_key: Another-key-5678 } ]
log: { target: text }
limits: { bodyy: 1M }
paths: [ no-slash ]
"""


def assert_old_in_force(daemon):
    assert daemon.post(event()).status == 200
    assert daemon.post(event(key=NEW_KEY)).status == 400


def test_bad_file(daemon):
    """Refused as a whole, with a line for each mistake."""
    lines = daemon.reload(BAD_FILE)
    for number, words in (2, "perhaps"), (5, "bodyy"), (6, "no-slash"):
        daemon.wait_line(rf"{daemon.file}:{number}:\d+: .*{words}")
    assert lines and all(line.startswith("{") for line in daemon.lines())
    assert_old_in_force(daemon)
    daemon.reload(config(communities=NEW_COMMUNITIES))
    assert daemon.post(event(key=NEW_KEY)).status == 200


@pytest.mark.parametrize(
    "text",
    ["", "listeners: [", "\0\xff", "communities: []", f'communities: [ {{ name: x, api_key: "{NEW_KEY}" '],
    ids=["empty", "cut", "binary", "no community", "cut behind the key"],
)
def test_other_bad_files(daemon, text):
    daemon.reload(text)
    assert_old_in_force(daemon)


def test_file_gone(daemon):
    daemon.file.unlink()
    lines = daemon.reload()
    assert any(str(daemon.file) in line for line in lines)
    assert_old_in_force(daemon)


def test_key_file(start, tmp_path):
    """The key's file is read again too; when it is gone the old key stays."""
    communities = [{"name": "default", "api_key_file": str(tmp_path / "key")}]
    (tmp_path / "key").write_text(KEY + "\n")
    daemon = start(communities=communities)
    daemon.secrets.add(NEW_KEY)
    assert daemon.post(event()).status == 200
    (tmp_path / "key").write_text(NEW_KEY + "\n")
    daemon.reload()
    assert [daemon.post(event(key=key)).status for key in (KEY, NEW_KEY)] == [400, 200]
    (tmp_path / "key").unlink()
    assert any(str(tmp_path / "key") in line for line in daemon.reload())
    assert daemon.post(event(key=NEW_KEY)).status == 200


# What needs a restart


def test_store_moved(daemon):
    """Named in the log; the rest of the file counts at once. What counts is what is in use, not what the file said
    last."""
    for _ in range(2):
        since = len(daemon.lines())
        daemon.reload(config(store={"path": "other.db"}, communities=NEW_COMMUNITIES))
        daemon.wait_line("after a restart: store.path", since)
        assert daemon.post(event(key=NEW_KEY)).status == 200
    since = len(daemon.lines())
    daemon.reload(config())
    assert not any("after a restart" in line for line in daemon.stop().lines()[since:])


# Many


def test_50_reloads(daemon):
    for i in range(50):
        key = NEW_KEY if i % 2 else KEY
        daemon.reload(config(communities=[{"name": f"number{i}", "api_key": key}]))
        assert daemon.post(event(key=key)).status == 200
    assert [e["community"] for e in daemon.stop().events()] == [f"number{i}" for i in range(50)]


@pytest.mark.skipif(bool(sanitizer_runtime()), reason="a sanitizer ends the program that gets no memory")
def test_without_memory(daemon):
    """It says what was missing, and that of before stays."""
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_AS)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (1 << 20, hard))
    lines = daemon.reload()
    resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (hard, hard))
    assert "no memory to read the configuration: not reloaded, the old one stays in force" in lines[-1]
    assert daemon.serves()
    assert any("configuration reloaded" in line for line in daemon.reload())


def test_50_signals_at_once(daemon):
    daemon.configure(config(communities=NEW_COMMUNITIES))
    for _ in range(50):
        daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: daemon.post(event(key=NEW_KEY)).status == 200, "the new key")


def test_reload_under_load(daemon):
    """Good and bad files by turns; not one request of anybody fails."""
    done = threading.Event()
    answers = []

    def keep_posting():
        with daemon.connect() as client:
            while not done.is_set():
                answers.append(client.ask(request(event())).status)
                answers.append(daemon.post(event()).status)

    clients = [threading.Thread(target=keep_posting) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for i in range(20):
            daemon.reload(BAD_FILE if i % 3 == 2 else config(log={"payload": i}, paths=[PATH, "/", f"/{i}"]))
            seen = len(answers)
            wait_for(lambda seen=seen: len(answers) >= seen + 8, "more answers")
    finally:
        done.set()
        for client in clients:
            client.join()
    assert set(answers) == {200}
    assert len(daemon.stop().events()) == len(answers)
