"""Design sections 8 and 9: the command line, the configuration's mistakes, and how the daemon starts and ends."""

import contextlib
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from harness import (
    BINARY,
    KEY,
    PATIENCE_S,
    READY,
    RawClient,
    assert_no_secret,
    config,
    event,
    free_port,
    request,
    run,
    wait_for,
    write_private,
)

USAGE, BAD_CONFIG = 2, 78


@pytest.fixture
def file(tmp_path):
    """file(text) writes a configuration."""

    def file(text, name="pushd.yaml"):
        write_private(tmp_path / name, text)
        return tmp_path / name

    return file


def check(file, env=None):
    return run("-c", file, "--check", env=env)


# Options


def test_version():
    result = run("--version")
    assert result.returncode == 0
    assert re.match(r"sonoran-pushd \d+\.\d+\.\d+", result.stdout)


def test_help():
    result = run("--help")
    assert result.returncode == 0 and result.stderr == ""
    for option in "-c", "--check", "--print-config", "--version", "--help":
        assert option in result.stdout
    assert "/etc/sonoran-pushd/sonoran-pushd.yaml" in result.stdout


@pytest.mark.parametrize("args", [["--nonsense"], ["-x"], ["-c"], ["extra"], ["--check", "extra"], ["--check=1"], [""]])
def test_usage_errors(args):
    result = run(*args)
    assert result.returncode == USAGE
    assert result.stderr and result.stdout == ""
    assert "--help" in result.stderr or "Usage" in result.stderr or "usage" in result.stderr


def test_option_that_was_meant():
    assert run("--chek").stderr.splitlines()[0] == "sonoran-pushd: no such option: --chek. Did you mean --check?"
    assert run("extra").stderr.splitlines()[0] == "sonoran-pushd: unexpected argument: extra"


def test_option_behind_one_with_a_value(file):
    """Not the word before it is what is wrong."""
    result = run(f"--config={file(config())}", "-zV")
    assert result.stderr.splitlines()[0] == "sonoran-pushd: no such option: -z"


def test_check_good(file):
    result = check(file(config()))
    assert result.returncode == 0


def test_minimal_configuration(file):
    """One community and its key are a complete configuration."""
    assert check(file(f"communities: [ {{ name: default, api_key: {KEY} }} ]")).returncode == 0


def test_check_lists_all_mistakes(file):
    """In one run, in the order of the file, each with file, line, key, value and what was expected."""
    bad = file(
        "listeners: [ { name: main, address: here:80 } ]\n"
        "unknown_types: perhaps\n"
        "# a comment\n"
        "communities: [ { name: no good, api_key: TEST-API-KEY-0000 } ]\n"
        "limits:\n"
        "  body: big\n"
        "  conections: 5\n"
    )  # fmt: skip
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    found = [int(n) for n in re.findall(re.escape(str(bad)) + r":(\d+):\d+: ", result.output)]
    assert found == [1, 2, 4, 6, 7]
    for words in "here:80", "perhaps", "no good", "big", "conections", "connections":
        assert words in result.output
    assert result.output.count("expected") >= 4


def test_bad_configuration_does_not_start(file):
    bad = file(config(unknown_types="perhaps"))
    result = run("-c", bad)
    assert result.returncode == BAD_CONFIG
    assert f"{bad}:6:16: " in result.stderr and "perhaps" in result.stderr


def test_print_config(file):
    """Everything in force, defaults too, in the syntax of the file, but for the secrets."""
    text = config(limits={"body": "2M"}, log={"level": "warning"}, actions=ACTIONS)
    result = run("-c", file(text), "--print-config")
    assert result.returncode == 0
    for name in OPTIONS:
        assert re.search(rf"\b{name}\b", result.stdout), name
    assert re.search(r'api_key: "\(set\)"', result.stdout)
    assert re.search(r"^  body: 2M$", result.stdout, re.M)
    assert re.search(r"^  level: warning$", result.stdout, re.M)
    assert re.search(r"^  connections: 1024$", result.stdout, re.M)

    assert result.stdout.count("(set)") == 5
    printed = result.stdout.replace('url: "(set)"', f'url: "https://host/{KEY}"')
    printed = file(printed.replace("(set)", KEY), "printed.yaml")
    again = run("-c", printed, "--print-config")
    assert (again.returncode, again.stdout) == (0, result.stdout)


def test_the_design(file, tmp_path):
    """Its three actions load, emoji and all."""
    write_private(tmp_path / "discord-url", f"https://discord.com/api/webhooks/1/{KEY}\n")
    text = config() + (
        "actions:\n"
        "  - name: panic\n"
        "    type: discord\n"
        "    url_file: discord-url\n"
        "    events: [ EVENT_UNIT_PANIC ]\n"
        '    when: [ "/isPanic = true" ]\n'
        '    message: "\N{POLICE CARS REVOLVING LIGHT} {summary}"\n'
        '    mention_roles: [ "1234567890" ]\n'
        "  - name: siren\n"
        "    type: exec\n"
        '    command: [ /bin/true, --call, "{/call/callId}" ]\n'
        "    events: [ EVENT_911 ]\n"
        "    timeout: 20s\n"
        '  - { name: bot, type: forward, url: "http://127.0.0.1:4000/sonorancad/event", events: [ "*" ], body: original }\n'
    )
    assert check(file(text)).returncode == 0
    result = run("-c", file(text), "--print-config")
    assert "\N{POLICE CARS REVOLVING LIGHT} {summary}" in result.stdout
    assert re.findall(r"^    type: (\w+)$", result.stdout, re.M) == ["discord", "exec", "forward"]


def test_required_of_each_type(file):
    """Each on the line of its action, all in one run."""
    bad = file(
        config()
        + "actions:\n"
        + "  - { name: a, type: exec }\n"
        + "  - { name: b, type: forward }\n"
        + "  - { name: c, type: discord }\n"
        + "  - { name: c, type: exec, command: [ /bin/true ] }\n"
    )
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    found = re.findall(re.escape(str(bad)) + r":(\d+):\d+: actions\[\d\]\.(\w+)\b", result.output)
    assert found == [("7", "command"), ("8", "url"), ("9", "url"), ("10", "name")]


def test_printed_secret_is_no_key(file):
    """Whoever uses the printed text as it is hears why it does not work, instead of opening to "(set)"."""
    result = check(file(config(communities=[{"name": "default", "api_key": "(set)"}])))
    assert result.returncode == BAD_CONFIG and "print-config" in result.output


def test_print_config_bad(file):
    result = run("-c", file("x: 1"), "--print-config")
    assert (result.returncode, result.stdout) == (BAD_CONFIG, "")


OPTIONS = [
    "listeners", "name", "address", "paths", "unknown_types", "communities", "log", "level", "target", "payload", "silence",
    "limits", "body", "connections", "connections_per_ip", "request_time", "in_flight", "failed_keys",
    "failed_keys_window", "actions", "type", "events", "when", "timeout", "give_up_after", "max_age", "parallel",
    "command", "url", "signing_secret", "message", "username", "avatar_url", "thread_id", "mention_roles",
    "mention", "mention_users",
]  # fmt: skip


ACTIONS = [
    {"name": "siren", "type": "exec", "command": ["/bin/true", "{id}"], "when": ["/x exists"]},
    {"name": "bot", "type": "forward", "url": f"https://host/{KEY}", "api_key": KEY, "signing_secret": KEY},
    {"name": "panic", "type": "discord", "url": f"http://host/{KEY}", "message": "\N{POLICE CARS REVOLVING LIGHT}",
     "username": "x", "avatar_url": "https://example.org/a.png", "thread_id": "1", "mention_roles": ["2"], "mention": "here",
     "mention_users": ["3"], "events": ["EVENT_UNIT_*"]},
]  # fmt: skip


# Files


@pytest.mark.parametrize("args", [[], ["--check"], ["--print-config"]])
def test_missing_file(tmp_path, args):
    result = run("-c", tmp_path / "nowhere.yaml", *args)
    assert result.returncode == BAD_CONFIG
    assert str(tmp_path / "nowhere.yaml") in result.stderr and "No such file" in result.stderr


def test_folder_for_a_file(tmp_path):
    result = check(tmp_path)
    assert result.returncode == BAD_CONFIG and str(tmp_path) in result.stderr


@pytest.mark.parametrize("text", ["listeners: [", ": 5", "log: { level: info ", "\x01", "communities: [ { ] }"])
def test_syntax_errors(file, text):
    bad = file("# one\n# two\n" + text)
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    assert re.search(re.escape(str(bad)) + r":[34]:\d+: ", result.output)


def test_include(file):
    """A mistake in an included file names that file."""
    included = file("limits:\n  body: big\n", "limits.yaml")
    main = file(config(limits=None) + f'include: [ "{included}" ]\n')
    result = check(main)
    assert result.returncode == BAD_CONFIG and f"{included}:2:9: " in result.output
    write_private(included, "limits:\n  body: 2M\n")
    assert check(main).returncode == 0


TWICE = ["log: { payload: 1K }", "communities: [ { name: c, api_key: c-key } ]", "include: []"]


@pytest.mark.parametrize("group", TWICE)
def test_group_twice(file, group):
    """Of two files it joins, in one it is a mistake."""
    name = group.partition(":")[0]
    main = {"communities": [{"name": "a", "api_key": "a-key"}], "log": {"target": "text"}, "include": ["more.yaml"]}
    file(group + "\n", "more.yaml")
    assert check(file(config(**main))).returncode == 0
    for text in group + "\n" + group + "\n", "unknown_types: accept\n" + group + "\n" + group + "\n":
        more = file(text, "more.yaml")
        result = check(file(config(**main)))
        assert result.returncode == BAD_CONFIG
        assert re.search(re.escape(str(more)) + rf":\d:1: {name}: line \d.* has it already, expected it once", result.output)
    bad = file(config(**{**main, "include": []}) + group + "\n")
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    assert re.search(re.escape(str(bad)) + rf":\d:1: {name}: line \d has it already", result.output)


def test_included_folder_missing(file):
    result = check(file(config() + 'include: [ "none.d/*.yaml" ]\n'))
    assert result.returncode == BAD_CONFIG and "cannot read the folder of" in result.output
    assert "none.d/*.yaml: No such file" in result.output


def test_names_missing(file):
    """Of two, none may do without a name."""
    bad = file(config(communities=[{"api_key": "one-key"}, {"api_key": "two-key"}]))
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    assert len(re.findall(re.escape(f"{bad}:2:") + r".*\bname\b.*expected", result.output)) == 2


@pytest.mark.parametrize(
    "twice",
    [
        {"listeners": [{"name": "a", "address": "127.0.0.1:0"}, {"name": "a", "address": "127.0.0.1:0"}]},
        {"communities": [{"name": "a", "api_key": "one-key"}, {"name": "a", "api_key": "two-key"}]},
        {"communities": [{"name": "a", "api_key": KEY}, {"name": "b", "api_key": KEY.lower()}]},
    ],
    ids=["listeners", "communities", "keys"],
)
def test_twice(file, twice):
    """Nobody could tell which is which."""
    bad = file(config(**twice))
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    assert re.search(re.escape(str(bad)) + r":[12]:\d+: .*\b(name|api_key)\b", result.output)


def test_option_twice(file):
    bad = file(config() + "unknown_types: accept\nunknown_types: reject\n")
    result = check(bad)
    assert result.returncode == BAD_CONFIG and f"{bad}:7:1: " in result.output


# Secrets


def with_key_file(name):
    return config(communities=[{"name": "default", "api_key_file": name}])


def test_key_file_beside_the_configuration(start):
    """A line break at its end is no part of the key."""
    daemon = start(with_key_file("api-key"), files={"api-key": KEY + "\n"})
    assert daemon.post(event()).status == 200


def test_key_file_of_credentials(start, tmp_path):
    """$CREDENTIALS_DIRECTORY comes first."""
    write_private(tmp_path / "api-key", KEY)
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    daemon = start(with_key_file("api-key"), files={"api-key": "not-this-one"}, env=env)
    assert daemon.post(event()).status == 200
    assert daemon.post(event(key="not-this-one")).status == 400


def test_key_file_of_systemd(start, tmp_path):
    """LoadCredential= of a folder: a/b in it is secrets_a_b."""
    write_private(tmp_path / "secrets_city_api-key", KEY)
    daemon = start(with_key_file("city/api-key"), env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert daemon.post(event()).status == 200


def test_key_of_the_environment(start, tmp_path):
    """Nobody else sees it: no program of an action, nobody who looks at the process."""
    out = tmp_path / "environment"
    script = tmp_path / "program"
    script.write_text(f"#!/bin/sh\nenv >{out}.new && mv {out}.new {out}\n")
    script.chmod(0o755)
    communities = [{"name": "default", "api_key_file": "api-key"}]
    actions = [{"name": "env", "type": "exec", "command": [str(script)]}]
    daemon = start(communities=communities, actions=actions, env={"SONORAN_SECRET_API_KEY": KEY})
    assert daemon.post(event()).status == 200
    wait_for(out.exists, "the program's environment")
    seen = out.read_bytes() + Path(f"/proc/{daemon.process.pid}/environ").read_bytes()
    assert b"SONORAN_EVENT=" in seen
    assert_no_secret(seen)
    assert b"SONORAN_SECRET_API_KEY" not in out.read_bytes()


def test_key_file_missing(file, tmp_path):
    result = check(file(with_key_file("nowhere")))
    assert result.returncode == BAD_CONFIG
    assert "nowhere" in result.output and "no such file" in result.output


def test_key_file_missing_in_a_container(file):
    """There is nothing to restart; a variable is the other place."""
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
    if subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("no namespaces here")
    command = [*unshare, BINARY, "-c", file(with_key_file("city/api-key")), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert result.returncode == BAD_CONFIG
    assert "or into the variable SONORAN_SECRET_CITY_API_KEY\n" in result.stderr and "systemctl" not in result.stderr


@pytest.mark.parametrize("content", ["", "\n", "  \n\n"])
def test_key_file_empty(file, content):
    file(content, "key")
    bad = file(with_key_file("key"))
    result = check(bad)
    assert result.returncode == BAD_CONFIG and f"{bad}:2:" in result.output


@pytest.mark.parametrize(
    "community",
    [{}, {"api_key": ""}, {"api_key": KEY, "api_key_file": "key"}],
    ids=["none", "empty", "both"],
)
def test_key_has_to_be_given_once(file, community):
    file(KEY, "key")
    bad = file(config(communities=[{"name": "default", **community}]))
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    assert f"{bad}:2:" in result.output and "api_key" in result.output


def test_files_that_others_can_read(file):
    """A warning for whichever holds a secret; no mistake."""
    key = file(KEY + "\n", "key")
    main = file(with_key_file("key"))
    main.chmod(0o644)
    assert check(main).output.count("warning") == check(main).output.count(str(key)) == 0
    key.chmod(0o644)
    result = check(main)
    assert result.returncode == 0 and str(key) in result.output
    main = file(config())
    main.chmod(0o644)
    result = check(main)
    assert result.returncode == 0 and str(main) in result.output


# Every option's mistakes: (group, option, value, words that its line has to have)

MISTAKES = [
    ("", "listeners", 5, []),
    ("", "listeners", [], []),
    ("", "listeners", ["127.0.0.1:0"], []),
    ("listeners", "name", "", []),
    ("listeners", "name", "with blank", ["with blank"]),
    ("listeners", "name", "n" * 33, ["n" * 33]),
    ("listeners", "address", 30120, ["30120"]),
    ("listeners", "address", "", []),
    ("listeners", "address", "127.0.0.1", ["127.0.0.1"]),
    ("listeners", "address", "127.0.0.1:", ["127.0.0.1:"]),
    ("listeners", "address", "127.0.0.1:65536", ["127.0.0.1:65536"]),
    ("listeners", "address", "127.0.0.1:-1", ["127.0.0.1:-1"]),
    ("listeners", "address", "127.0.0.1:80x", ["127.0.0.1:80x"]),
    ("listeners", "address", "127.0.0.256:80", ["127.0.0.256:80"]),
    ("listeners", "address", "[::1:80", ["[::1:80"]),
    ("listeners", "address", "::1:80", ["::1:80"]),
    ("listeners", "address", "[127.0.0.1]:80", ["[127.0.0.1]:80"]),
    ("listeners", "adress", "127.0.0.1:0", ["address"]),
    ("", "paths", "/", []),
    ("", "paths", [5], ["5"]),
    ("", "paths", ["/", "event"], ["event"]),
    ("", "paths", ["/", ""], []),
    ("", "path", ["/"], ["paths"]),
    ("", "unknown_types", 1, ["1"]),
    ("", "unknown_types", "perhaps", ["perhaps", "reject", "accept"]),
    ("", "unknown_type", "reject", ["unknown_types"]),
    ("", "communities", {"name": "x"}, []),
    ("", "communities", [], []),
    ("", "comunities", [{"name": "x", "api_key": "some-key"}], ["communities"]),
    ("communities", "name", "Zoë", []),
    ("communities", "api_key_file", 5, ["5"]),
    ("communities", "apikey", "some-key", ["api_key"]),
    ("", "log", "info", []),
    ("log", "level", 5, ["5"]),
    ("log", "level", "loud", ["loud", "info"]),
    ("log", "levle", "info", ["level"]),
    ("log", "target", "printer", ["printer", "journal", "text", "json"]),
    ("log", "payload", -1, ["-1"]),
    ("log", "payload", "4Q", ["4Q"]),
    ("log", "payload", "100G", ["100G"]),
    ("log", "payload", [1], []),
    ("", "actions", {"name": "x"}, []),
    ("", "actions", ["siren"], []),
    ("", "action", [{"name": "x"}], ["actions"]),
    ("actions", "name", "with blank", ["with blank"]),
    ("actions", "type", "mail", ["mail", "exec", "forward", "discord"]),
    ("actions", "events", "EVENT_911", ["EVENT_911"]),
    ("actions", "when", [], []),
    ("actions", "communities", ["defualt"], ["defualt", "did you mean default"]),
    ("actions", "listeners", ["maim"], ["maim", "did you mean main"]),
    ("actions", "timeout", "0s", ["0s", "1s to 1h"]),
    ("actions", "timeout", 20, ["20"]),
    ("actions", "give_up_after", "366d", ["366d", "0s to 365d"]),
    ("actions", "max_age", "-1s", ["-1s"]),
    ("actions", "parallel", 65, ["65", "1 to 64"]),
    ("actions", "command", ["true"], ["true", "absolute path"]),
    ("actions", "command", "/bin/true", ["/bin/true"]),
    ("actions", "comand", ["/bin/true"], ["did you mean command"]),
    ("actions", "url", f"http://{KEY}/", ['only for type: forward or discord']),
    ("actions", "url_file", "x", ['"x"', 'only for type: forward or discord']),
    ("actions", "body", "record", ['only for type: forward']),
    ("actions", "api_key", KEY, ['only for type: forward']),
    ("actions", "signing_secret_file", "x", ['only for type: forward']),
    ("actions", "message", "hello", ['only for type: discord']),
    ("actions", "mention_roles", ["1"], ['only for type: discord']),
    ("actions", "mention", "here", ['only for type: discord']),
    ("forward", "url", "ftp://host/", ["http://", "https://"]),
    ("forward", "url", "", ["empty"]),
    ("forward", "url", f"http://host/ {KEY}", ["blanks"]),
    ("forward", "body", "raw", ["raw", "original", "record"]),
    ("forward", "api_key", "", ["empty"]),
    ("forward", "signing_secret_file", "nowhere", ["nowhere", "no such file"]),
    ("forward", "command", ["/bin/true"], ['only for type: exec']),
    ("forward", "thread_id", "5", ['only for type: discord']),
    ("discord", "url", "(set)", ["print-config"]),
    ("discord", "username", [5], []),
    ("discord", "avatar_url", ["x"], []),
    ("discord", "thread_id", "general", ["general", "digits"]),
    ("discord", "mention_roles", ["@everyone"], ["@everyone", "digits"]),
    ("discord", "mention_users", ["3", "<@3>"], ["<@3>", "digits"]),
    ("discord", "mention", "everyone", ["everyone", "none here"]),
    ("discord", "body", "record", ['only for type: forward']),
    ("", "limits", [1], []),
    ("limits", "body", 0, ["0"]),
    ("limits", "body", -1, ["-1"]),
    ("limits", "body", "", []),
    ("limits", "body", "1000G", ["1000G"]),
    ("limits", "body", "99999999999999999999", ["99999999999999999999"]),
    ("limits", "body", "1.5M", ["1.5M"]),
    ("limits", "body", 1.5, ["1.5"]),
    ("limits", "body", True, ["true"]),
    ("limits", "bodys", "1M", ["body"]),
    ("limits", "connections", 0, ["0"]),
    ("limits", "connections", -5, ["-5"]),
    ("limits", "connections", 2_000_000_000, ["2000000000"]),
    ("limits", "connections", "many", ["many"]),
    ("limits", "conections", 5, ["connections"]),
    ("limits", "connections_per_ip", -5, ["-5"]),
    ("limits", "connections_per_ip", "64K", ["64K"]),
    ("limits", "connection_per_ip", 5, ["connections_per_ip"]),
    ("limits", "request_time", 10, ["10"]),
    ("limits", "request_time", "10", ["10"]),
    ("limits", "request_time", "0s", ["0s"]),
    ("limits", "request_time", "-1s", ["-1s"]),
    ("limits", "request_time", "10 parsecs", ["10 parsecs"]),
    ("limits", "request_time", "1000d", ["1000d"]),
    ("limits", "request_times", "10s", ["request_time"]),
    ("limits", "in_flight", 0, ["0"]),
    ("limits", "in_flight", "64Z", ["64Z"]),
    ("limits", "inflight", "64M", ["in_flight"]),
    ("limits", "failed_keys", -1, ["-1"]),
    ("limits", "failed_keys", "20x", ["20x"]),
    ("limits", "failed_key", 20, ["failed_keys"]),
    ("limits", "failed_keys_window", "0s", ["0s"]),
    ("limits", "failed_keys_window", "1fortnight", ["1fortnight"]),
    ("limits", "failed_keys_windw", "1min", ["failed_keys_window"]),
]


@pytest.mark.parametrize("group, option, value, words", MISTAKES, ids=lambda v: None if isinstance(v, list) else str(v))
def test_mistake(file, group, option, value, words):
    """FILE:LINE:COLUMN: KEY = VALUE: expected …; an unknown key comes with the nearest known one."""
    lists = {
        "listeners": {"name": "main", "address": "127.0.0.1:0"},
        "communities": {"name": "default", "api_key": KEY},
        "actions": {"name": "siren", "type": "exec", "command": ["/bin/true"]},
    }
    if group in ("forward", "discord"):  # a type of action
        lists["actions"] = {"name": group, "type": group, "url": f"https://host/{KEY}"}
        group = "actions"
    if group in lists:
        changes = {group: [{**lists[group], option: value}]}
    else:
        changes = {group: {option: value}} if group else {option: value}
    text = config(**changes)
    number = [line.split(":")[0] for line in text.splitlines()].index(group or option) + 1

    bad = file(text)
    result = check(bad)
    assert result.returncode == BAD_CONFIG
    [line] = [line for line in result.output.splitlines() if f"{bad}:{number}:" in line]
    assert re.search(rf"\b{option}\b", line)
    for word in words:
        assert word in line


def test_secrets_in_mistakes(file):
    """A key of the wrong kind, in the wrong place, under a wrong name: never printed."""
    for text in (
        config(communities=[{"name": "default", "apikey": KEY}]),
        config(communities=[{"name": "default", "api_key": [KEY, KEY]}]),
        config(communities=KEY),
        config(communities=[KEY]),
        config(api_key=KEY),
        config(log={"api_key": KEY}),
        config(communities=[{"name": "default", "api_key_file": "x", "api_key": KEY}]),
        f'communities: [ {{ name: default, api_key: "{KEY}\n',
        config(actions=[{"name": "a", "type": "exec", "command": ["/bin/true"], "url": f"https://host/{KEY}"}]),
        config(actions=[{"name": "a", "type": "forward", "url": KEY}]),
        config(actions=[{"name": "a", "type": "forward", "url": [f"https://host/{KEY}"]}]),
        config(actions=[{"name": "a", "type": "discord", "url": f"https://host/{KEY}", "signing_secret": KEY}]),
        config(actions=[{"name": "a", "type": "mail", "url": f"https://host/ {KEY}", "api_key": KEY + "\n"}]),
        config(actions=[KEY]),
    ):
        assert check(file(text)).returncode == BAD_CONFIG  # run() looks for the key


def test_place_of_the_event_log(file, tmp_path):
    """What is wrong with it, and what to do."""
    result = run("-c", file(config(store={"path": f"{tmp_path}/not/there/events.db"})))
    assert result.returncode == 1
    assert f"cannot be in the folder {tmp_path}/not/there, which is not there: make it" in result.output
    result = run("-c", file(config(store={"path": str(tmp_path)})))
    assert result.returncode == BAD_CONFIG
    assert f"{tmp_path} is a folder: store.path has to name a file" in result.output
    assert not Path(f"{tmp_path}.lock").exists()


# Listening


def test_port_taken(file):
    """The one error that everybody meets: it names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        result = run("-c", file(config(listeners=[{"name": "main", "address": address}])))
    assert result.returncode == 1
    assert address in result.stderr and "python3 (process" in result.stderr


def test_second_port_taken(file):
    """Nothing is served then: not ready on the first."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        listeners = [{"name": "first", "address": "127.0.0.1:0"}, {"name": "second", "address": address}]
        result = run("-c", file(config(listeners=listeners)))
    assert result.returncode == 1
    assert address in result.stderr and not READY.search(result.output)


def test_foreign_address(file):
    result = run("-c", file(config(listeners=[{"name": "main", "address": "192.0.2.1:0"}])))
    assert result.returncode == 1 and "192.0.2.1:0" in result.stderr


def test_several_listeners(start):
    listeners = [{"name": f"server{i}", "address": "127.0.0.1:0"} for i in range(3)]
    daemon = start(listeners=listeners, listeners_ready=3)
    ports = [port for _, port in daemon.ready()]
    assert len(set(ports)) == 3
    for port in ports:
        with RawClient(("127.0.0.1", port)) as client:
            assert client.ask(request(event())).status == 200
    assert [e["listener"] for e in daemon.stop().events()] == ["server0", "server1", "server2"]


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_any_address_serves_ipv4(start):
    """[::] takes both, and is 0.0.0.0 where there is no IPv6. An IPv4 peer is named as one."""
    daemon = start(listeners=[{"name": "main", "address": "[::]:0"}])
    assert daemon.post(event()).status == 200
    assert [e["from"] for e in daemon.stop().events()] == ["127.0.0.1"]


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
@pytest.mark.parametrize("address", ["[::]:0", "[::1]:0"])
def test_ipv6(start, address):
    daemon = start(listeners=[{"name": "main", "address": address}])
    [(host, port)] = daemon.ready()
    assert host == address.removesuffix(":0")
    with RawClient(("::1", port)) as client:
        assert client.ask(request(event())).status == 200
    assert [e["from"] for e in daemon.stop().events()] == ["::1"]


def test_started_again_on_its_port(start):
    """Connections of the life before do not keep the port taken."""
    port = free_port()
    first = start(listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}])
    clients = [first.connect() for _ in range(3)]
    for client in clients:
        assert client.ask(request(event())).status == 200
    first.stop()
    second = start(listeners=[{"name": "main", "address": f"127.0.0.1:{port}"}])
    assert second.address[1] == port and second.post(event()).status == 200


def test_started_without_stderr(file):
    """Nothing that matters takes the place of descriptor 2, or lines would be written into it."""
    address = "127.0.0.1", free_port()
    listener = {"name": "main", "address": "%s:%d" % address}
    script = 'exec "$0" "$@" 2>&-'
    process = subprocess.Popen(["sh", "-c", script, BINARY, "-c", file(config(listeners=[listener]))])
    try:
        client = wait_for(lambda: connect_or_none(address), "a connection")
        with client:
            assert client.ask(request(event())).status == 200
        with contextlib.suppress(FileNotFoundError, PermissionError):
            assert os.readlink(f"/proc/{process.pid}/fd/2") == "/dev/null"
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def connect_or_none(address):
    with contextlib.suppress(ConnectionRefusedError):
        return RawClient(address)


def test_stdout_stays_empty(daemon):
    daemon.post(event())
    assert bytes(daemon.stop().stdout.bytes) == b""


# The end


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_stop(daemon, signal_):
    assert daemon.post(event()).status == 200
    daemon.stop(signal_)
    assert daemon.process.returncode == 0
    assert len(daemon.events()) == 1


def test_stop_at_once(start):
    """A signal that comes right after the start."""
    for _ in range(10):
        assert start().stop().process.returncode == 0


@pytest.mark.parametrize("part", ["nothing", "half a head", "half a body", "idle"])
def test_stop_with_a_connection_open(start, part):
    """No client keeps the daemon from ending, not even for request_time."""
    daemon = start(limits={"request_time": "10min"})
    data = request(event())
    with daemon.connect() as client:
        if part == "idle":
            assert client.ask(data).status == 200
        else:
            client.send({"nothing": b"", "half a head": data[:30], "half a body": data[:-9]}[part])
        assert daemon.serves()
        daemon.stop()
        assert b" 200 " not in client.rest()


def test_stop_under_load(daemon):
    """What was answered was told."""
    clients = [daemon.connect() for _ in range(20)]
    for client in clients:
        client.send(request(event()) * 50)
    clients[0].answer()
    daemon.stop()
    answered = 1 + sum(client.rest().count(b"HTTP/1.1 200") for client in clients)
    assert len(daemon.events()) >= answered


def test_two_signals(daemon):
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.send_signal(signal.SIGTERM)
    daemon.stop(signal.SIGINT)
