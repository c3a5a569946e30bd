"""The ways to the hub: TLS, proxies, names and addresses."""

import contextlib
import os
import re
import socket
import subprocess

import harness
import pytest
from certificates import Authority
from ctl_tools import ctl
from harness import call911, refusing_port, wait_for
from wires import ConnectProxy

HERE = ["IP:127.0.0.1", "IP:::1", "DNS:localhost"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "own")


@pytest.fixture
def proxy():
    proxies = []

    def proxy(**more):
        proxies.append(ConnectProxy(**more))
        return proxies[-1]

    yield proxy
    for one in proxies:
        one.close()


def serves(hub, daemon, id_=1):
    hub.wait_sessions(1)
    hub.push(call911(id_))
    daemon.wait_line(f"911 call {id_} ")


def refused(daemon, pattern):
    line = daemon.wait_line("session city: ")
    daemon.wait_line(f"session city: .*({pattern})")
    return line


# TLS


def test_tls(start, cad, authority):
    """With an authority of its own; a large event; and gone with a good word."""
    hub = cad(tls=authority.sign("good", *HERE))
    daemon = start(sessions=[hub.session(ca_file=str(authority.ca))])
    serves(hub, daemon)
    hub.push(call911(2, description="x" * 200_000))
    daemon.wait_line("911 call 2 ")
    daemon.stop()
    wait_for(lambda: hub.connections()[0]["closed"], "its end")
    assert hub.connections()[0]["records"][-1]["type"] == 7


@pytest.mark.parametrize(
    "names, expired, ca, told",
    [
        (HERE, False, False, "certificate"),
        (["DNS:api.example.com"], False, True, "name|match"),
        (HERE, True, True, "expired"),
    ],
    ids=["unknown authority", "another name", "expired"],
)
def test_tls_that_is_not_trusted(start, cad, authority, names, expired, ca, told):
    """Refused before the key is sent, and said why."""
    hub = cad(tls=authority.sign(f"bad{expired}{ca}", *names, expired=expired))
    daemon = start(sessions=[hub.session(**({"ca_file": str(authority.ca)} if ca else {}))])
    refused(daemon, told)
    assert hub.counts()["connections"] == 0 and hub.seen()["upgrades"] == []


def test_no_tls(start, cad):
    """https:// to a port that speaks none."""
    hub = cad()
    daemon = start(sessions=[hub.session(url=hub.url.replace("http:", "https:"))])
    refused(daemon, "TLS|SSL|ssl")


def test_tls_where_none_is_wanted(start, cad, authority):
    hub = cad(tls=authority.sign("good", *HERE))
    daemon = start(sessions=[hub.session(url=hub.url.replace("https:", "http:"))])
    refused(daemon, "")
    assert hub.counts()["connections"] == 0


@pytest.mark.parametrize("content", [None, "no certificate\n"], ids=["missing", "none in it"])
def test_bad_ca_file(start, cad, authority, tmp_path, content):
    """Told, by --check too; the daemon does its other work, and a reload mends it."""
    hub = cad(tls=authority.sign("good", *HERE))
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    daemon = start(sessions=[hub.session(ca_file=str(file))])
    daemon.wait_line("ca.pem")
    assert daemon.serves()
    check = harness.run("-c", daemon.file, "--check")
    assert check.returncode == 78 and re.search(r":\d+:\d+: sessions\[0\].ca_file = .*ca[.]pem", check.output), check.output
    daemon.reload(harness.config(sessions=[hub.session(ca_file=str(authority.ca))]))
    serves(hub, daemon)


def test_dies_in_tls(start, cad):
    """Who listens takes connections and says nothing: not for ever, and others are not kept waiting."""
    hub = cad()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mute = hub.session(name="mute", url=f"https://127.0.0.1:{port}/apiWsHub", server=2)
        daemon = start(sessions=[mute, hub.session()])
        serves(hub, daemon)
        daemon.wait_line(f"session mute: .*TLS with 127.0.0.1:{port}: no answer within ")


# Proxies


def through(proxy, login=""):
    url = f"http://{login + '@' if login else ''}127.0.0.1:{proxy.port}"
    return {"https_proxy": url, "http_proxy": url, "no_proxy": "", "HTTPS_PROXY": url, "NO_PROXY": ""}


@pytest.mark.parametrize("login", ["", "me:p%40ss"])
def test_proxy(start, cad, authority, proxy, login):
    hub, between = cad(tls=authority.sign("good", *HERE)), proxy(login=login.replace("%40", "@") or None)
    daemon = start(sessions=[hub.session(ca_file=str(authority.ca))], env=through(between, login))
    daemon.secrets.add("p@ss")
    serves(hub, daemon)
    assert set(between.asked) == {(f"127.0.0.1:{hub.port}", True)}


def test_no_proxy_within_this_machine(start, cad, proxy, tmp_path):
    """Over http:// it would see the key: neither the session, nor priming, nor a probe asks one."""
    hub, between = cad(), proxy()
    daemon = start(sessions=[hub.session(prime=True)], env=through(between))
    serves(hub, daemon)
    wait_for(lambda: hub.requests("units"), "what the CAD knows")
    file = tmp_path / "probe.yaml"
    harness.write_private(file, harness.config(sessions=[hub.session()]))
    done = ctl("-c", file, "probe", env=through(between))
    assert done.returncode == 0 and "server" in done.stdout, done.stdout
    assert between.asked == []


@pytest.mark.parametrize(
    "options, login, told",
    [
        ({"login": "me:right"}, "", "it answers 407, it wants a login"),
        ({"login": "me:right"}, "me:wrong", "it answers 407, it wants a login"),
        ({"status": "403 Forbidden"}, "", "it answers 403"),
        ({"status": "502 Bad Gateway"}, "", "it answers 502"),
        ({"delay_s": 60}, "", "no answer within 10s"),
    ],
    ids=["no login", "wrong login", "403", "502", "slow"],
)
def test_proxy_that_refuses(start, cad, authority, proxy, options, login, told):
    hub, between = cad(tls=authority.sign("good", *HERE)), proxy(**options)
    daemon = start(sessions=[hub.session(ca_file=str(authority.ca))], env=through(between, login))
    daemon.secrets.add("me:wrong")
    refused(daemon, f"cannot connect to 127.0.0.1:{hub.port} by the proxy 127.0.0.1:{between.port}: {told}")
    assert hub.counts()["connections"] == 0 and between.asked


def test_dead_proxy(start, cad, authority):
    hub = cad(tls=authority.sign("good", *HERE))
    with refusing_port() as port:
        url = f"http://127.0.0.1:{port}"
        daemon = start(sessions=[hub.session(ca_file=str(authority.ca))], env={"https_proxy": url, "no_proxy": ""})
        refused(daemon, f"cannot connect to 127.0.0.1:{hub.port} by the proxy 127.0.0.1:{port}: connection refused")
    assert hub.counts()["connections"] == 0


def test_slow_proxy_delays_no_other(start, cad, authority, proxy):
    """Its session is connecting; another one, which needs none, goes on."""
    far, near = cad(tls=authority.sign("good", *HERE)), cad()
    between = proxy(delay_s=60)
    daemon = start(
        sessions=[far.session(name="far", ca_file=str(authority.ca), server=2), near.session(name="near")],
        env={"https_proxy": f"http://127.0.0.1:{between.port}", "no_proxy": ""},
    )
    serves(near, daemon)
    assert between.asked


# Names and addresses


def test_dead_port(start):
    with refusing_port() as port:
        session = {"name": "city", "community_id": "mycad", "url": f"http://127.0.0.1:{port}/apiWsHub", "prime": False}
        daemon = start(sessions=[session])
        refused(daemon, "refuse|connect")
        assert daemon.serves()


def test_name_that_does_not_exist(start):
    session = {"name": "city", "community_id": "mycad", "url": "https://hub.invalid/apiWsHub", "prime": False}
    daemon = start(sessions=[session])
    refused(daemon, "hub.invalid|resolve|name")
    assert daemon.serves()


@pytest.mark.skipif(not harness.socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_alone(start, cad):
    try:
        hub = cad(host="::1")
    except AssertionError:
        pytest.skip("no IPv6 here")
    daemon = start(sessions=[hub.session()])
    serves(hub, daemon)
    assert daemon.wait_line("session city: connected to")


def test_localhost(start, cad):
    """Both families, and the hub is only on one."""
    hub = cad()
    daemon = start(sessions=[hub.session(url=f"http://localhost:{hub.port}/apiWsHub")])
    serves(hub, daemon)


@pytest.fixture
def hosts(tmp_path):
    """hosts("127.0.0.2 hub.test", …): what stands before a command, so that it has these names."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace here")

    def hosts(*lines):
        file = tmp_path / "hosts"
        file.write_text("\n".join(lines) + "\n")
        return ["unshare", "-m", "sh", "-c", f'mount --bind {file} /etc/hosts && exec "$@"', "sh"]

    return hosts


@contextlib.contextmanager
def wrapped(folder, wrapper, **changes):
    daemon = harness.Daemon(folder, harness.config(**changes), wrapper=wrapper)
    try:
        yield daemon.wait_ready()
    finally:
        daemon.finish()


@pytest.mark.parametrize("dead", ["127.0.0.2", "::1"])
def test_dead_address_first(cad, authority, hosts, tmp_path, dead):
    """A name with two addresses, and nobody listens on the first."""
    hub = cad(tls=authority.sign("named", "DNS:hub.test"))
    session = hub.session(url=hub.at("/apiWsHub", host="hub.test"), ca_file=str(authority.ca))
    with wrapped(tmp_path / "named", hosts(f"{dead} hub.test", "127.0.0.1 hub.test"), sessions=[session]) as daemon:
        serves(hub, daemon)
        assert "connected to hub.test" in daemon.wait_line("session city: connected")
        assert hub.counts()["connections"] == 1


def test_silent_address_first(cad, authority, hosts, network, tmp_path):
    """The first one never answers."""
    hub = cad(tls=authority.sign("named", "DNS:hub.test"), host=network.here)
    session = hub.session(url=hub.at("/apiWsHub", host="hub.test"), ca_file=str(authority.ca))
    lines = f"{network.nobody} hub.test", f"{network.here} hub.test"
    with wrapped(tmp_path / "named", hosts(*lines), sessions=[session]) as daemon:
        serves(hub, daemon)
