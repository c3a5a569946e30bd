"""What is accepted and can hardly be meant: a warning each at --check, at a start and at a reload, and never a key."""

import json
import os
import subprocess

import pytest
from harness import BINARY, KEY, PATIENCE_S, assert_no_secret, config, event, free_port, run, write_private

KEY_FILES = {
    f'"{KEY}"': 'a quote (")',
    f"“{KEY}”": "a quote (“)",
    f"apiKey={KEY}": 'a "="',
    json.dumps({"apiKey": KEY}): 'a quote (")',
    "YOUR_API_KEY": "in the place of a key",
}
ACTIONS = {
    "never holds: a pointer has no *": {"when": ["/units/*/status = 3"]},
    "no event of this action has that fact": {"events": ["EVENT_UNIT_PANIC"], "when": ["emergency = true"]},
    "emergency is true or false": {"events": ["EVENT_911"], "when": ["emergency = maybe"]},
    "{caller} is always empty": {"events": ["EVENT_UNIT_*"], "command": ["/bin/echo", "--from={caller}"]},
    'put "--" before "{/call/location}"': {"command": ["/bin/echo", "-n", "{/call/location}"]},
    "{{callId}} is written as it stands": {"command": ["/bin/echo", "--call={{callId}}"]},
    "becomes part of a script": {"command": ["/bin/sh", "-c", "echo {/call/location}"]},
    "@here pings nobody": {
        "type": "discord",
        "url": "http://127.0.0.1:9/api/webhooks/1/a",
        "message": "@here <@&123456789012345678> {summary}",
    },
}


def action(changes):
    return {"name": "a", "type": "exec", **({} if "url" in changes else {"command": ["/bin/true"]}), **changes}


def check(tmp_path, text, **files):
    for name, content in {"pushd.yaml": text, **files}.items():
        write_private(tmp_path / name.replace("_", "-"), content)
    return run("-c", tmp_path / "pushd.yaml", "--check")


@pytest.mark.parametrize("content", KEY_FILES)
def test_key_files(tmp_path, content):
    communities = [{"name": "default", "api_key_file": "api-key"}]
    result = check(tmp_path, config(communities=communities), api_key=content)
    assert result.returncode == 0
    lines = [line for line in result.output.splitlines() if "warning: " in line]
    assert len(lines) == 1 and KEY_FILES[content] in lines[0]
    assert "pushd.yaml:2:" in lines[0] and "api_key_file" in lines[0]


@pytest.mark.parametrize("words", ACTIONS)
def test_actions(tmp_path, words):
    result = check(tmp_path, config(actions=[action(ACTIONS[words])]))
    assert result.returncode == 0, result.output
    lines = [line for line in result.output.splitlines() if "warning: " in line]
    assert len(lines) == 1 and words in lines[0] and ": actions[0]." in lines[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a folder in place of /etc")
@pytest.mark.parametrize("place", ["secrets", "."])
def test_what_only_root_reads(tmp_path, place):
    """--check as root sees what the service will see, which runs as another user where systemd starts it."""
    (tmp_path / "secrets").mkdir(mode=0o700)
    write_private(tmp_path / "sonoran-pushd.yaml", "communities: [ { api_key_file: api-key } ]")
    write_private(tmp_path / place / "api-key", KEY)
    script = (
        "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && mount -t tmpfs tmpfs /etc && "
        f"cp -a {tmp_path} /etc/sonoran-pushd && exec {BINARY} --check"
    )
    result = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=PATIENCE_S)
    if "mount:" in result.stderr or "unshare:" in result.stderr:
        pytest.skip(result.stderr)
    assert result.returncode == 0 and "ok" in result.stdout
    told = "mv /etc/sonoran-pushd/api-key /etc/sonoran-pushd/secrets/" in result.stderr
    assert told == (place == "."), result.stderr


def test_beside_a_mistake(tmp_path):
    """Each line has its own level."""
    result = check(tmp_path, config(actions=[action({"when": ["/units/*/status = 3"]})], paths=["no-slash"]))
    assert result.returncode == 78
    levels = {line.split()[1] for line in result.stderr.splitlines() if "never holds" in line}
    assert levels == {"warn"}
    assert any(line.split()[1] == "err" and "no-slash" in line for line in result.stderr.splitlines())


def test_start_and_reload(start):
    """They tell it as well, and take the file."""
    text = config(communities=[{"name": "default", "api_key": f"'{KEY}'"}])
    daemon = start(text)
    daemon.wait_line("a quote \\('\\)")
    since = len(daemon.lines())
    daemon.reload(config(actions=[action({"when": ["/units/*/status = 3"]})]))
    daemon.wait_line("never holds", since)
    assert daemon.post(event()).status == 200


# An action that posts to ourselves


@pytest.fixture
def port():
    return free_port()


@pytest.mark.parametrize("listener", ["127.0.0.1", "0.0.0.0", "[::]"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("type_", ["forward", "discord"])
def test_own_listener(tmp_path, port, listener, host, type_):
    text = config(
        listeners=[{"name": "main", "address": f"{listener}:{port}"}],
        actions=[{"name": "self", "type": type_, "url": f"http://{host}:{port}/secret-{KEY}"}],
    )
    result = check(tmp_path, text)
    assert result.returncode == 78
    assert "actions[0].url: expected another URL: this one is our own listener main" in result.stderr
    assert_no_secret(result.output.encode(), [f"secret-{KEY}"])
    assert check(tmp_path, text.replace(f"{host}:{port}/", f"{host}:{port - 1}/")).returncode == 0


def test_own_listener_at_reload(start, port):
    """Refused; what was in force stays."""
    daemon = start(listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}])
    lines = daemon.reload(
        config(
            listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}],
            actions=[{"name": "self", "type": "forward", "url": f"http://127.0.0.1:{port}/"}],
        )
    )
    assert any("our own listener main" in line for line in lines)
    assert daemon.post(event()).status == 200
