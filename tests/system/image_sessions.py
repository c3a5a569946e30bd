"""Steps of "image" about sessions: the CAD's own connection by variables, in a container that has no open port.

The hub (tests/integration/hub) is a process of this machine in the container's network. There it is the CAD: its name
and port are those that the daemon knows, and the container trusts who signed for it. Without node or npm here the steps
say so and do nothing."""

import contextlib
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest
from container import TOP, wait_for
from images import BY_VARIABLE, EGG, KEY, STATE, Container, Volume, later, panel_container

sys.path.insert(0, str(TOP / "tests/integration"))
from cad import COMMUNITY, Hub  # noqa: E402
from certificates import Authority  # noqa: E402

NAME = "api.sonorancad.com"
CONNECTED = f"session cad: connected to {NAME}, events of server 1 come here"
BY_SESSION = {**BY_VARIABLE, "SESSION_COMMUNITY_ID": COMMUNITY}


def call(number):
    return {"callId": number, "isEmergency": True, "caller": "Zoë", "location": "118 Lantern St", "description": "Smoke"}


class Cad:
    """.places: what a container has to have instead of its own, to find the CAD in its own network."""

    def __init__(self, image, folder):
        authority, hosts = Authority(folder / "authority"), folder / "hosts"
        self.tls = authority.sign("hub", f"DNS:{NAME}")
        hosts.write_text(f"127.0.0.1 localhost {NAME}\n", encoding="utf-8")
        for path in folder, authority.folder, hosts, authority.ca:
            path.chmod(0o755)
        (image.root / "etc/hosts").touch()  # as whoever runs containers puts one there
        self.places = {"/etc/hosts": hosts, "/etc/ssl/certs/ca-certificates.crt": authority.ca}
        self.hub = None

    def hub_in(self, c, *calls):
        """calls: what it knows of 911 calls."""
        self.end()
        self.hub = Hub(port=443, wrapper=["nsenter", "-t", str(c.pid), "-n"], tls=self.tls, calls={"EmergencyCalls": calls},
                       accounts={COMMUNITY: {"key": KEY, "servers": [1]}})
        return self.hub

    def push(self, c, number):
        assert self.hub.push({"key": KEY, "type": "EVENT_911", "data": {"call": call(number)}}) == 1
        c.wait_said(f"911 call {number} at 118 Lantern St")

    def end(self):
        if self.hub:
            self.hub.kill()
        self.hub = None


@contextlib.contextmanager
def a_cad(image, notes):
    """Nothing is done where there can be none."""
    with contextlib.ExitStack() as stack:
        cad = Cad(image, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(cad.end)
        with contextlib.suppress(pytest.skip.Exception):
            yield cad
            return
    notes.append("skipped: there is no node or no npm, or its packages cannot be had")


def wait_found(c, pattern):
    return wait_for(lambda: re.search(pattern, c.said()), f"{pattern!r} is said")


def session_by_variables(image, notes):
    """No port is open, the root is read-only. Stopped, killed and with a newer image it goes on, and what was missed
    meanwhile is named."""
    with a_cad(image, notes) as cad, Volume(image) as volume:
        places = {STATE: volume, **cad.places}
        with Container(image, places, variables=BY_SESSION) as c:
            cad.hub_in(c.wait_said("ready on"))
            c.wait_said(CONNECTED)
            cad.push(c, 90460)
            assert c.health() == 0 and c.stored() == [90460]
            assert f"cad, server 1 at {NAME}: open" in c.inside("sonoran-pushctl status").stdout
            probe = c.inside("sonoran-pushctl probe")
            assert probe.returncode == 1 and "has session cad open" in probe.stderr, probe
            assert c.signal("TERM") == 0 and KEY not in c.said()
        with Container(image, places, variables=BY_SESSION) as c:
            cad.hub_in(c.wait_said("ready on"), call(90461))
            c.wait_said(CONNECTED)
            cad.push(c, 90462)
            notes.append(wait_found(c, r"missed during \d+ s: 911 call 90461").group())
            c.signal("KILL")
        with Container(later(image), places, variables=BY_SESSION) as c:
            cad.hub_in(c.wait_said("ready on"), call(90461))
            wait_found(c, r"session cad: \d+ s without connection until this start")
            cad.push(c, 90463)
            assert c.health() == 0 and c.stored() == [90460, 90462, 90463]
            assert c.signal("TERM") == 0
        with Container(image, places, variables=BY_VARIABLE) as c:
            c.wait_said("ready on")
            assert json.loads(c.inside("sonoran-pushctl status --json").stdout).get("sessions", []) == []
            assert c.signal("TERM") == 0


def session_in_the_panel(image, notes):
    """By the egg's variables, beside the port of the panel; then by the configuration, which the variables leave alone."""
    done = json.loads(EGG["config"]["startup"])["done"]
    with a_cad(image, notes) as cad, Volume(image, "/home/container", owner=988) as home:
        given = {"places": cad.places, "SONORAN_SECRET_API_KEY": KEY}
        with panel_container(image, home, 25565, SESSION_COMMUNITY_ID=COMMUNITY, **given) as c:
            cad.hub_in(c.wait_said(done + "[::]:25565"))
            c.wait_said(CONNECTED)
            cad.push(c, 90470)
            c.post(90471, 25565)
            assert c.health() == 0 and c.stored() == [90470, 90471]
            assert c.signal("INT") == 0, c.said()
        config = Path(home, "sonoran-pushd.yaml")
        config.write_text(f"{config.read_text(encoding='utf-8')}sessions: [ {{ name: mine, community_id: {COMMUNITY} }} ]\n",
                          encoding="utf-8")
        with panel_container(image, home, 25565, **given) as c:
            cad.hub_in(c.wait_said(done))
            c.wait_said(f"session mine: connected to {NAME}")
            assert c.signal("INT") == 0, c.said()


def session_probed(image, notes):
    """Before the daemon has it, and whatever comes of it. Here nobody listens yet."""
    with a_cad(image, notes) as cad, Volume(image) as volume:
        with Container(image, {STATE: volume, **cad.places}, variables={**BY_SESSION, "SESSION_PROBE": "yes"}) as c:
            c.wait_said("ready on")
            tried = r"session cad: server 1 of community default\n(ok .*\n)*FAILED +TCP .*\n(.*\n)*.*ready on"
            assert re.search(tried, c.said()), c.said()
            cad.hub_in(c)
            c.wait_said(CONNECTED)
            assert KEY not in c.said() and c.signal("TERM") == 0


def session_variables_refused(image, _):
    """What is no id or number reaches no configuration; a configuration of one's own is not passed over in silence."""
    with Volume(image) as volume, tempfile.TemporaryDirectory() as etc:
        for variables, words in (({"SESSION_COMMUNITY_ID": 'x" } ]\nlog: { level: debug }'}, "SESSION_COMMUNITY_ID has to be"),
                                 ({"SESSION_COMMUNITY_ID": "x", "SESSION_SERVER": "1 } ]"}, "SESSION_SERVER has to be")):
            with Container(image, {STATE: volume}, variables={**BY_VARIABLE, **variables}) as c:
                assert c.unshare.wait(60) == 78 and words in c.said(), c.said()
        assert not list(Path(volume).iterdir())
        config = Path(etc, "sonoran-pushd.yaml")
        config.write_text("communities: [ { api_key_file: api-key } ]\n", encoding="utf-8")
        for path in Path(etc), config:
            os.chown(path, 1000, 0)
        with Container(image, {STATE: volume, "/etc/sonoran-pushd": etc}, variables=BY_SESSION) as c:
            assert c.unshare.wait(60) == 78 and "has to have the session itself" in c.said(), c.said()
