"""Programs of exec actions: what they begin with, what they leave running, where the service would not see them."""

import json
import tempfile
from pathlib import Path

import harness
from harness import wait_for
from test_actions import post_calls, program, status_of


def limited(tmp_path, text, files):
    """A daemon that was started with the given limit of open files."""
    wrapper = ["prlimit", f"--nofile={files}:4096"]
    return harness.Daemon(tmp_path / "limited", text, wrapper=wrapper).wait_ready()


def test_begins_with_the_limits_of_the_daemon(tmp_path):
    text = harness.config(actions=[program(tmp_path, "ulimit -Sn; ls -1 /proc/self/fd | tr '\\n' ' '")])
    daemon = limited(tmp_path, text, 777)
    try:
        post_calls(daemon, 1)
        daemon.wait_line("siren: 777")
        daemon.wait_line("siren: 0 1 2 3 ")  # 3: of ls itself
    finally:
        daemon.finish()


def test_leaves_a_program_running(start, tmp_path):
    """It goes on, over a reload that takes its action away, and what it writes later is still told."""
    text = f"(until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo horn; echo over; touch {tmp_path}/end) & echo first"
    daemon = start(actions=[program(tmp_path, text)])
    post_calls(daemon, 1)
    daemon.wait_line("siren: first")
    wait_for(lambda: status_of(daemon)["delivered"] == 1, "the delivery, while it still runs")
    daemon.reload(harness.config())
    (tmp_path / "go").touch()
    wait_for((tmp_path / "end").exists, "its end")
    line = json.loads(daemon.wait_line("siren: over"))
    assert line["action"] == "siren" and line["event_id"] == 1


def test_check_warns_of_the_sandbox(start):
    """The program is there, and the service would not see it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        daemon = start(actions=[program(Path(folder), "echo here")])
        check = harness.run("-c", daemon.file, "--check")
    assert check.returncode == 0
    assert "warning: actions[0].command: a service has a /tmp of its own (PrivateTmp=yes)" in check.output
    assert "sandbox" not in daemon.tail() and "PrivateTmp" not in daemon.tail()
