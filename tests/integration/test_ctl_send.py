"""sonoran-pushctl send: samples and files, posted to the real daemon."""

import json
from pathlib import Path

import pytest
from ctl_tools import BAD_CONFIG, USAGE, config_for, control, ctl, short_folder, store_of
from harness import KEY, config, event, refusing_port, wait_for, write_private
from store import read

TYPES = ctl("send", "--list").stdout.splitlines()
BIG = '{"type":"EVENT_REMOVE_911", "data" :{"callIds":[ 90071992547409931 ],"f":1.50},"key":"NOT-THE-KEY-9999","logKey":[ 1 ]}'


def rows_of(store):
    names = ["type", "verdict", "community", "data", "extra"]
    return [dict(zip(names, row, strict=True)) for row in read(store, f"SELECT {', '.join(names)} FROM events ORDER BY id")]


@pytest.fixture
def file(daemon, tmp_path):
    """A configuration that leads to the daemon."""
    return config_for(daemon, tmp_path)


def send(file, *args, **kwargs):
    return ctl("-c", file, "send", *args, **kwargs)


def test_every_type(daemon, file):
    """And every other name of one."""
    assert len(TYPES) == 35 and sum("another name" in line for line in TYPES) == 4
    for line in TYPES:
        result = send(file, line.split()[0])
        assert (result.returncode, result.stdout, result.stderr) == (0, "200 ok\n", ""), line
    assert [row["verdict"] for row in rows_of(store_of(daemon))] == ["accepted"] * 35


def test_marked_as_a_test(start, tmp_path):
    """It goes to no action, unless the body or the sender says that it is meant."""
    heard = tmp_path / "heard"
    script = tmp_path / "program"
    script.write_text(f'#!/bin/sh\necho "$SONORAN_EVENT_ID $SONORAN_TEST" >>{heard}\n')
    script.chmod(0o755)
    actions = [{"name": "bell", "type": "exec", "command": [str(script)]}]
    daemon = start(actions=actions)
    file = config_for(daemon, tmp_path)
    assert send(file, "EVENT_911").stdout == "200 ok\n"
    assert send(file, "EVENT_UNIT_PANIC").stdout == "200 ok\n"
    assert send(file, "EVENT_911", "--real").stdout == "200 ok\n"
    meant = b'{"type":"EVENT_911","data":{"call":{"callId":1}},"test":false}'
    assert send(file, "-", stdin=meant).stdout == "200 ok\n"
    wait_for(lambda: heard.exists() and heard.read_text() == "3 \n4 \n", "the two that were meant")
    assert [row["extra"] for row in rows_of(store_of(daemon))] == ['{"test":true}'] * 2 + [None, '{"test":false}']
    wait_for(lambda: len(daemon.events()) == 4, "the lines, which a program need not wait for")
    lines = [record["message"] for record in daemon.events()]
    assert lines[0].startswith("test: 911 call 990201") and lines[1].startswith("TEST PANIC")
    assert lines[2].startswith("911 call 990201") and lines[3].startswith("911 call 1")


def test_print(daemon, file):
    """Nothing is posted, and the key is not shown; the configuration is not even read."""
    result = send("/nonexistent", "EVENT_UNIT_STATUS", "--print")
    assert (result.returncode, result.stderr) == (0, "")
    body = json.loads(result.stdout)
    assert body["key"] == "YOUR-API-KEY" and body["type"] == "EVENT_UNIT_STATUS" and body["test"] is True
    result = send(file, "-", "--print", "--real", stdin=f'{{"type":"T","data":[1.50],"key":"{KEY}"}}'.encode())
    assert result.stdout == '{"key":"YOUR-API-KEY","type":"T","data":[1.50]}\n'
    assert send(file, "EVENT_UNIT_PANC", "--print").returncode == USAGE
    assert rows_of(store_of(daemon)) == []


def test_json(daemon, file):
    result = send(file, "EVENT_911", "--times", 3, "--json")
    assert json.loads(result.stdout) == {"times": 3, "status": 200, "answer": "ok"}


def test_letter_case_and_times(daemon, file):
    result = send(file, "event_911", "--times", 3)
    assert (result.returncode, result.stdout) == (0, "3 x 200 ok\n")
    assert [row["type"] for row in rows_of(store_of(daemon))] == ["EVENT_911"] * 3


def test_data(daemon, file):
    result = send(file, "EVENT_911", "--data", '{"call":{"callId":5}}')
    assert result.returncode == 0
    assert rows_of(store_of(daemon))[0]["data"] == '{"call":{"callId":5}}'


def test_refusals(daemon, file):
    result = send(file, "EVENT_911", "--data", '{"call":{}}')
    assert (result.returncode, result.stdout) == (1, "400 Invalid Data: data.call.callId: missing\n")
    result = send(file, "EVENT_UNHEARD_OF", "--data", "{}")
    assert (result.returncode, result.stdout) == (1, "400 Invalid Type\n")


def test_file(daemon, file, tmp_path):
    """Its bytes stay as they are, except for the key."""
    body = tmp_path / "body.json"
    body.write_text(BIG)
    assert send(file, body).stdout == "200 ok\n"
    row = rows_of(store_of(daemon))[0]
    assert row["data"] == '{"callIds":[ 90071992547409931 ],"f":1.50}'
    assert "[ 1 ]" in row["extra"]


def test_stdin(daemon, file):
    assert send(file, "-", stdin=b'{"type":"EVENT_911","data":{"call":{"callId":1}}}').stdout == "200 ok\n"
    broken_bodies = {b"": "no text", b"[]": "not an object", b'{"type":': "unfinished text at byte 9", b"{}x": "text behind the object",
                     b'{"a":"\0"}': "NUL character at byte 7", b'{"a":"\xe9"}': "not UTF-8 at byte 7"}
    for broken, why in broken_bodies.items():
        result = send(file, "-", stdin=broken)
        assert result.returncode == USAGE and f"stdin: expected one JSON object: {why}\n" in result.stderr
    assert len(rows_of(store_of(daemon))) == 1


def test_key_and_community(start, tmp_path):
    communities = [{"name": "a", "api_key": KEY}, {"name": "b", "api_key": KEY + "B"}]
    daemon = start(communities=communities)
    daemon.secrets.add(KEY + "B")
    file = config_for(daemon, tmp_path, communities=communities)
    assert send(file, "EVENT_911", "--community", "b").stdout == "200 ok\n"
    assert send(file, "EVENT_911").stdout == "200 ok\n"
    assert [row["community"] for row in rows_of(store_of(daemon))] == ["b", "a"]
    result = send(file, "EVENT_911", "--community", "c")
    assert result.returncode == USAGE and "no community" in result.stderr


def test_wrong_key(daemon, tmp_path):
    file = config_for(daemon, tmp_path, communities=[{"name": "default", "api_key": "NOT-THE-KEY-9999"}])
    result = send(file, "EVENT_911")
    assert (result.returncode, result.stdout) == (1, "400 Authentication Key Failed!\n")


def test_key_file_and_url_need_no_configuration(daemon, tmp_path):
    write_private(tmp_path / "key", KEY + "\n")
    host, port = daemon.address
    args = ["EVENT_911", "--key-file", tmp_path / "key", "--url", f"http://{host}:{port}/sonorancad/event"]
    result = send("/nonexistent", *args)
    assert (result.returncode, result.stdout) == (0, "200 ok\n")
    result = send("/nonexistent", *args[:3])
    assert result.returncode == BAD_CONFIG and "--key-file FILE --url URL" in result.stderr
    for content in "", "\n", "two\nlines":
        write_private(tmp_path / "key", content)
        assert "nothing else" in send("/nonexistent", *args).stderr


def test_key_in_a_file_that_is_not_there(daemon, tmp_path):
    file = config_for(daemon, tmp_path, communities=[{"name": "default", "api_key_file": "api-key"}])
    result = send(file, "EVENT_911")
    assert result.returncode == BAD_CONFIG and "only systemd holds" in result.stderr
    write_private(tmp_path / "key", KEY)
    result = send(file, "EVENT_911", env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert result.returncode == BAD_CONFIG
    write_private(tmp_path / "api-key", KEY)
    assert send(file, "EVENT_911").returncode == 0


@pytest.mark.parametrize("any_address", ["[::]", "0.0.0.0"])
def test_listeners(start, tmp_path, any_address):
    """Everywhere is also here."""
    daemon = start(listeners=[{"name": "main", "address": f"{any_address}:0"}])
    port = daemon.ready()[0][1]
    listeners = [{"name": "other", "address": "127.0.0.1:1"}, {"name": "main", "address": f"{any_address}:{port}"}]
    file = config_for(daemon, tmp_path, listeners=listeners)
    assert send(file, "EVENT_911", "--listener", "main").stdout == "200 ok\n"
    result = send(file, "EVENT_911")
    assert result.returncode == 1 and "cannot post to http://127.0.0.1:1/sonorancad/event" in result.stderr
    result = send(file, "EVENT_911", "--listener", "mian")
    assert result.returncode == USAGE and "listener of the configuration is called mian, did you mean main?" in result.stderr


def test_address_that_the_daemon_tells(daemon):
    """It alone knows a port that was chosen at its start."""
    host, port = daemon.address
    with short_folder() as folder:
        write_private(folder / "c", config(store={"path": str(folder / "e")}))
        result = send(folder / "c", "EVENT_911")
        assert result.returncode == 1 and "any free port" in result.stderr
        told = {"listeners": [{"name": "main", "address": f"{host}:{port}"}]}
        with control(folder / "e", {"status": told}):
            assert send(folder / "c", "EVENT_911").stdout == "200 ok\n"


def test_path_is_the_first_configured_one(start, tmp_path):
    daemon = start(paths=["/elsewhere"])
    assert send(config_for(daemon, tmp_path, paths=["/elsewhere", "/"]), "EVENT_911").stdout == "200 ok\n"
    assert send(config_for(daemon, tmp_path), "EVENT_911").stdout == "404 Not Found\n"


def test_proxy_is_not_asked(file):
    env = {"http_proxy": "http://127.0.0.1:1", "all_proxy": "http://127.0.0.1:1"}
    assert send(file, "EVENT_911", env=env).stdout == "200 ok\n"


def test_nobody_listens(tmp_path):
    with refusing_port() as port:
        write_private(tmp_path / "c", config(listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}]))
        result = send(tmp_path / "c", "EVENT_911")
    assert result.returncode == 1 and result.stdout == "" and "cannot post to" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["EVENT_911", "EVENT_911"],
        ["EVENT_NONE"],
        ["\x1b[31m"],
        ["EVENT_911", "--times", "0"],
        ["EVENT_911", "--times", "10001"],
        ["EVENT_911", "--data", "{"],
        ["EVENT_911", "--url", "ftp://x"],
        [__file__, "--data", "{}"],
        [__file__],
    ],
)
def test_usage(file, args):
    result = send(file, *args)
    assert result.returncode == USAGE and result.stdout == "" and result.stderr and "\x1b" not in result.stderr


def test_url_is_in_no_sentence(tmp_path):
    write_private(tmp_path / "key", KEY)
    url = "http://127.0.0.1:1/hidden-token"
    result = send("/nonexistent", "EVENT_911", "--key-file", tmp_path / "key", "--url", url)
    assert result.returncode == 1 and "hidden-token" not in result.stderr


def test_sample_files(daemon, file):
    """A file of the kind that the samples of the tests are."""
    sample = Path(__file__).parents[1] / "fixtures" / "samples" / "EVENT_911.json"
    assert json.loads(sample.read_text())["type"] == event("EVENT_911")["type"]
    assert send(file, sample).stdout == "200 ok\n"


def test_a_mistyped_type(start):
    """And a word that is near to none."""
    daemon = start()
    for word, said in {"EVNT_911": "did you mean EVENT_911?", "unit_panic": "did you mean EVENT_UNIT_PANIC?",
                       "nothing-of-the-kind": "send --list"}.items():
        result = ctl("-c", daemon.file, "send", word)
        assert result.returncode == USAGE and result.stdout == "" and said in result.stderr
