"""What an action needs is not there: the port opens all the same, the action is off, and its events wait for it."""

import harness
from harness import wait_for, write_private
from targets import Target
from test_actions import call, post_calls, program, script, status_of


def test_program_at_the_start(start, tmp_path):
    """The port opens, events wait in the log, and go to the program when it is there."""
    siren = {"name": "siren", "type": "exec", "command": [str(tmp_path / "siren")]}
    daemon = start(actions=[siren])
    daemon.wait_line(f"action siren: switched off, tried again every minute: .*{tmp_path}/siren: No such file")
    post_calls(daemon, 2)
    wait_for(lambda: status_of(daemon)["lag"] == 2, "both events to be known")
    status = status_of(daemon)
    assert status["state"] == "off"
    assert f"{tmp_path}/siren: No such file" in status["last_error"]

    check = harness.run("-c", daemon.file, "--check")
    assert check.returncode == 78
    assert f"actions[0].command = [ … ]: expected a program, but {tmp_path}/siren: No such file" in check.output

    script(tmp_path, 'echo "call $SONORAN_CALLS911"', "siren")
    daemon.reload()
    daemon.wait_line("siren: call 2")
    wait_for(lambda: status_of(daemon)["state"] == "idle", "the end of its being off")
    assert harness.run("-c", daemon.file, "--check").returncode == 0


def test_missing_at_a_reload(start, tmp_path):
    """What --check calls a mistake does not get in at a reload: a mistyped program would be a siren that is silent."""
    daemon = start(actions=[program(tmp_path, "echo here")])
    for action, mistake in [
        ({"type": "exec", "command": ["/usr/local/bin/no-such-siren"]}, "no-such-siren: No such file"),
        ({"type": "forward", "url_file": "no-such-url"}, "no-such-url"),
    ]:
        lines = daemon.reload(harness.config(actions=[{"name": "gone", **action}]))
        assert any(mistake in line for line in lines), lines
        assert any("the old one stays in force" in line for line in lines)
    assert daemon.post(call(1)).status == 200
    daemon.wait_line("siren: here")


def test_secret_at_the_start(start, tmp_path):
    target = Target()
    bot = {"name": "bot", "type": "forward", "url_file": "bot-url"}
    daemon = start(actions=[bot])
    daemon.wait_line("action bot: switched off, tried again every minute: url_file: no such file")
    post_calls(daemon, 2)
    wait_for(lambda: status_of(daemon)["lag"] == 2, "both events to be known")
    assert status_of(daemon)["state"] == "off"
    for verb in "--check", "--print-config":
        result = harness.run("-c", daemon.file, verb)
        assert result.returncode == 78
        assert 'actions[0].url_file = "bot-url": no such file' in result.output

    write_private(daemon.file.parent / "bot-url", target.url)
    daemon.reload()
    target.wait_got(2)
    assert harness.run("-c", daemon.file, "--check").returncode == 0
    target.close()


def test_no_key_no_port(start, tmp_path):
    """A listener without any key would refuse everything: that is no state to run in."""
    write_private(tmp_path / "pushd.yaml", harness.config(communities=[{"name": "default", "api_key_file": "gone"}]))
    result = harness.run("-c", tmp_path / "pushd.yaml")
    assert result.returncode == 78 and "communities[0].api_key_file" in result.output
