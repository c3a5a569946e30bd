"""A piece of network of its own, whose packets can be dropped. There is one where a root makes it."""

import contextlib
import os
import shutil
import subprocess

import pytest


def run(*command, check=True):
    return subprocess.run(command, capture_output=True, text=True, check=check).returncode == 0


class Network:
    """.there: an address in it; .here: this machine's, as seen from there; .nobody: one that never answers. .wrapper: what
    stands before a command that runs in it."""

    def __init__(self):
        if not shutil.which("ip"):
            pytest.skip("there is no ip, of iproute2")
        number = os.getpid() % 60_000
        self.name, self.link = f"hub{number}", f"hb{number}"
        net = f"10.{77 + number // 250 % 100}.{number % 250}"
        self.here, self.there, self.nobody = f"{net}.1", f"{net}.2", f"{net}.9"
        self.wrapper = ["ip", "netns", "exec", self.name]
        if not run("ip", "netns", "add", self.name, check=False):
            pytest.skip("no network namespace can be made here")
        try:
            run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            run("ip", "address", "add", f"{self.here}/24", "dev", self.link)
            run("ip", "link", "set", self.link, "up")
            run(*self.wrapper, "ip", "address", "add", f"{self.there}/24", "dev", "eth0")
            run(*self.wrapper, "ip", "link", "set", "eth0", "up")
            run(*self.wrapper, "ip", "link", "set", "lo", "up")
        except subprocess.CalledProcessError as problem:
            self.close()
            pytest.skip(f"no network of its own can be made here: {problem.stderr.strip()}")

    @contextlib.contextmanager
    def dropped(self):
        """No packet goes through, and nobody is told."""
        run(*self.wrapper, "ip", "link", "set", "eth0", "down")
        try:
            yield
        finally:
            self.mend()

    def mend(self):
        run(*self.wrapper, "ip", "link", "set", "eth0", "up")

    def close(self):
        run("ip", "netns", "del", self.name, check=False)
        run("ip", "link", "del", self.link, check=False)
