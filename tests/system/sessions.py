"""Steps of "run" about sessions: the CAD's own connection beside a listener, inside the unit's sandbox, and what becomes of
it when the daemon is restarted, killed and upgraded while events come. The hub (tests/integration/hub) is a process of
this machine in the container's network; without node or npm here they say so and do nothing."""

import contextlib
import functools
import json
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from container import TOP, wait_for

sys.path.insert(0, str(TOP / "tests/integration"))
from cad import COMMUNITY, Hub  # noqa: E402
from certificates import Authority  # noqa: E402
from harness import in_yaml  # noqa: E402

CONFIG, KEY_FILE = "/etc/sonoran-pushd/sonoran-pushd.yaml", "/etc/sonoran-pushd/secrets/api-key"
CA_FILE, NAME = "/etc/ssl/own-ca.pem", "cad.example.org"
EXPOSURE_MAX = 13  # tenths
PACE_S = 0.05  # between two events
STEPS_OF_PROBE = "name TCP TLS upgrade handshake login ping plan community server".split()


def with_hub(**more):
    """step(t, hub): .key is what both know. Afterwards the daemon has no session any more."""

    def decorate(step):
        @functools.wraps(step)
        def run(t):
            key = t.c.sh(f"cat {KEY_FILE}").strip()
            with contextlib.ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                try:
                    options = more["options"](t, folder) if more else {}
                    hub = Hub(wrapper=["nsenter", "-t", t.c.leader, "-n"], **options,
                              accounts={COMMUNITY: {"key": key, "servers": [1]}})
                except pytest.skip.Exception as why:
                    t.notes.append(f"skipped: {why}")
                    return
                stack.callback(hub.kill)
                stack.callback(lambda: (t.configure(), t.c.sh("systemctl restart sonoran-pushd")))
                step(t, hub)

        return run

    return decorate


def configure(t, hub, listener=True, **more):
    """The service's configuration: this session, beside a listener or alone. Its community is one that was not asked
    for yet, which else would have to wait for its minute."""
    name = f"hub{hub.port}"
    session = in_yaml(hub.session(community=f"{name}-api-key", prime=True, **more))
    listeners = "listeners: [ { name: main, address: 127.0.0.1:30120 } ]\n" if listener else ""
    t.configure(f"{listeners}sessions: [ {session} ]\n", name=name)


def call(number):
    return {"callId": number, "isEmergency": True, "caller": "Zoë", "location": "118 Lantern St", "description": "Smoke"}


def event(t, number):
    return {"key": t.c.sh(f"cat {KEY_FILE}").strip(), "type": "EVENT_911", "data": {"call": call(number)}}


def status(t):
    [session] = json.loads(t.c.sh("sonoran-pushctl status --json"))["sessions"]
    return session


# Beside a listener, with TLS.


def own_tls(t, folder):
    """An authority that the container knows as a file, and a name that its /etc/hosts has."""
    authority = Authority(folder / "authority")
    t.c.put(CA_FILE, authority.ca)
    t.c.sh(f"grep -q {NAME} /etc/hosts || echo 127.0.0.1 {NAME} >>/etc/hosts")
    return {"tls": authority.sign("hub", f"DNS:{NAME}")}


@with_hub(options=own_tls)
def session_beside_a_listener(t, hub):
    """The README's way: probed before the restart, connected by it, shown by status; events come by both roads. The key is
    root's file, which systemd hands over, and appears nowhere."""
    configure(t, hub, url=hub.at("/apiWsHub", host=NAME), ca_file=CA_FILE)
    said = t.c.sh("sonoran-pushctl probe")
    assert re.findall(r"^ok +(\S+)", said, re.M) == STEPS_OF_PROBE, said
    wait_for(lambda: hub.counts()["open"] == 0, "the probe has left")
    t.c.sh("systemctl restart sonoran-pushd")
    t.wait_said(f"session city: connected to {NAME}, events of server 1 come here", "-b")
    t.c.sh(f"systemd-analyze security --no-pager --threshold={EXPOSURE_MAX} sonoran-pushd")
    assert hub.push(event(t, 90910)) == 1
    [line] = wait_for(lambda: t.told("EVENT", "SONORAN_911=90910"), "the line of the event")
    assert (line["SONORAN_LISTENER"], line["_SYSTEMD_UNIT"]) == ("city", "sonoran-pushd.service"), line
    t.send(90911)
    assert {90910, 90911} <= set(t.stored())
    said = t.c.sh("sonoran-pushctl status")
    assert re.search(rf"city, server 1 at {NAME}.* open", said), said
    again = t.c.try_sh("sonoran-pushctl probe city")
    assert again.returncode == 1 and "the daemon has session city open" in again.stderr, again
    assert hub.counts()["doubles"] == 0 and hub.counts()["sessions"] == 1
    assert t.c.sh(f"cat {KEY_FILE}").strip().lower() not in t.c.sh("journalctl -q -o export --all").lower()


@with_hub()
def session_without_a_port(t, hub):
    """Only the session is configured: nothing is open to the network, and a reload opens and ends sessions."""
    configure(t, hub)
    t.c.sh("systemctl reload sonoran-pushd")
    hub.wait_sessions(1)
    hub.push(event(t, 90920))
    wait_for(lambda: 90920 in t.stored(), "it is stored")
    t.configure()
    t.c.sh("systemctl reload sonoran-pushd")
    hub.wait_sessions(0)


# While events come.


class Shift(threading.Thread):
    """911 calls, one behind the other, each known to the CAD's REST interface before it is sent to who is there."""

    def __init__(self, t, hub, first):
        super().__init__(daemon=True)
        self.hub, self.first, self.template = hub, first, event(t, 0)
        self.calls, self.sent, self.problem, self.over = [], [], None, threading.Event()

    def run(self):
        try:
            while not self.over.wait(PACE_S):
                self.send(self.first + len(self.calls))
        except (AssertionError, OSError, ValueError) as problem:
            self.problem = problem

    def send(self, number):
        self.calls.append(call(number))
        self.hub.set(calls={"EmergencyCalls": self.calls})
        self.sent.append((time.time(), self.hub.push({**self.template, "data": {"call": call(number)}})))

    def end(self):
        self.over.set()
        self.join()
        assert not self.problem, self.problem

    def numbers(self):
        return {call["callId"] for call in self.calls}

    def gap_s(self):
        """Between the last that somebody got before there was nobody, and the first that somebody got again."""
        lost = [i for i, (_, n) in enumerate(self.sent) if not n]
        return self.sent[lost[-1] + 1][0] - self.sent[lost[0] - 1][0]


def primed(t):
    """What the log has of what the CAD was asked, one for each time."""
    return [json.loads(line)["data"] for line in t.c.sh("sonoran-pushctl events --type STATE_PRIMED --json").splitlines()]


def missed_calls(t):
    return {call["callId"] for data in primed(t) for call in data.get("calls911", []) if call.get("missed")}


def lose_nothing_silently(t, hub, what):
    """what() while events come by both roads: what came by the port is refused to nobody; what the hub has sent by the
    session is stored, or named as missed, with how long nobody heard it."""
    configure(t, hub)
    t.c.sh("systemctl restart sonoran-pushd")
    hub.wait_sessions(1)
    wait_for(lambda: status(t)["primed_at"], "what the CAD knows was asked for")
    first, t.next_load = t.next_load, t.next_load + 1_000_000  # not those of the port
    before = len(missed_calls(t))
    shift = Shift(t, hub, first)
    shift.start()

    def during():
        wait_for(lambda: first + 20 in t.stored(), "events of the session arrive")
        n_connections = hub.counts()["connections"]
        what()
        hub.wait_connections(n_connections + 1)
        hub.wait_sessions(1)

    try:
        t.none_refused(t.load(during))  # and without it from here on: the CAD is asked once a minute
        wait_for(lambda: len(missed_calls(t)) > before, "what was missed is known")
        after = first + len(shift.calls) + 20
        wait_for(lambda: after in t.stored(), "events of the session arrive afterwards")
    finally:
        shift.end()
    wait_for(lambda: not shift.numbers() - set(t.stored()) - missed_calls(t), "all is stored or named")
    names_the_gap(t, shift, missed_calls(t) - set(t.stored()))
    assert hub.counts()["doubles"] == 0, "two connections at a time for one session"


def names_the_gap(t, shift, missed):
    line = t.told("PRIMED")[-1]["MESSAGE"]
    named_s = int(re.search(r"missed during (\d+) s: ", line).group(1))
    t.notes.append(f"{len(shift.calls)} events by the session, {len(missed & shift.numbers())} of them missed during {named_s} s"
                   f" ({shift.gap_s():.1f} s by the hub)")
    assert abs(named_s - shift.gap_s()) < 2, line
    assert f"911 call {min(missed & shift.numbers())}" in line, line


@with_hub()
def session_restarted_under_load(t, hub):
    lose_nothing_silently(t, hub, lambda: t.c.sh("systemctl restart sonoran-pushd"))


@with_hub()
def session_killed_under_load(t, hub):
    pid = t.pid()

    def kill():
        t.c.sh(f"kill -9 {t.pid()}")
        t.running_again(pid)

    lose_nothing_silently(t, hub, kill)


@with_hub()
def session_upgraded_under_load(t, hub):
    lose_nothing_silently(t, hub, lambda: t.install(t.newer))
    assert t.c.sh("dpkg-query -W -f='${Version}' sonoran-pushd").endswith("+test1")


STEPS = [session_beside_a_listener, session_without_a_port, session_restarted_under_load, session_killed_under_load,
         session_upgraded_under_load]
