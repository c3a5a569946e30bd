"""Options of actions of type redis: what a configuration may say, and how the server is reached."""

import harness
import pytest
from certificates import Authority
from harness import call911
from redis_server import assert_whole
from test_redis import post


def check(tmp_path, **options):
    harness.write_private(tmp_path / "pushd.yaml",
                          harness.config(actions=[{"name": "bus", "type": "redis", "url": "redis://h", **options}]))
    return harness.run("-c", tmp_path / "pushd.yaml", "--check")


@pytest.mark.parametrize(
    "options, said",
    [
        ({"url": "localhost:6379"}, "actions[0].url: expected redis://host:6379, rediss://host:6379 or unix:"),
        ({"url": ["redis://h", "http://h"]}, "actions[0].url: expected redis://host:6379"),
        ({"url": "redis://h/first"}, "no number of a database, such as /2"),
        ({"ca_file": "redis.pem"}, "actions[0].ca_file"),
        ({"parallel": 2}, "actions[0].parallel"),
        ({"stream": "{nothing}"}, "actions[0].stream"),
        ({"stream": ""}, "actions[0].stream"),
        ({"max_len": -1}, "actions[0].max_len"),
        ({"database": 70000}, "actions[0].database"),
        ({"command": ["/bin/true"]}, "actions[0].command"),
    ],
)
def test_mistakes(tmp_path, options, said):
    result = check(tmp_path, **options)
    assert result.returncode == 78 and said in result.output, result.output


@pytest.mark.parametrize(
    "url, warned",
    [("redis://h:6379", False), ("unix:/run/redis.sock", False), ("rediss://h", False), ("redis://:sesame@h", True)],
)
def test_url_in_a_file_that_others_may_read(tmp_path, url, warned):
    """An address alone is no secret."""
    file = tmp_path / "pushd.yaml"
    harness.write_private(file, harness.config(communities=[{"name": "default", "api_key": "demo"}],
                                               actions=[{"name": "bus", "type": "redis", "url": url}],
                                               streams=[{"name": "edges", "url": url, "keys": ["other:*"]}]))
    file.chmod(0o644)
    result = harness.run("-c", file, "--check")
    assert result.returncode == 0 and ("this file holds a key" in result.output) == warned, result.output


@pytest.mark.parametrize(
    "options, said",
    [({"username": "edge1"}, "username: without effect"), ({"ca_file": "/etc/ssl/certs/ca-certificates.crt"}, "ca_file: without effect")],
)
def test_doubts(tmp_path, options, said):
    result = check(tmp_path, **options)
    assert result.returncode == 0 and f"warning: actions[0].{said}" in result.output, result.output


def test_secrets_are_not_printed(tmp_path):
    harness.write_private(tmp_path / "pushd.yaml", harness.config(
        actions=[{"name": "bus", "type": "redis", "url": "redis://:sesame-1@h", "password": "sesame-2"}]))
    result = harness.run("-c", tmp_path / "pushd.yaml", "--print-config")
    assert result.returncode == 0 and "sesame" not in result.output


def test_url_of_a_file(start, redis):
    server = redis(requirepass="sesame")
    action = {key: value for key, value in server.action().items() if key != "url"}
    url = f"redis://:sesame@127.0.0.1:{server.port}"
    daemon = start(actions=[{**action, "url_file": "redis-url"}], files={"redis-url": url.replace(":0", ":1")})
    daemon.secrets.add("sesame")
    post(daemon, 1)
    line = daemon.wait_line("event 1 not delivered")
    assert "cannot connect to 127.0.0.1:1:" in line and "sesame" not in line


def test_tls(on, path, redis, tmp_path):
    """By a certificate of an authority of its own; without it nothing is told to whoever answers."""
    authority = Authority(tmp_path / "ca")
    files = authority.sign("redis", "DNS:localhost")
    port = harness.free_port()
    server = redis(tls_port=str(port), tls_cert_file=files["cert"], tls_key_file=files["key"], tls_auth_clients="no",
                   tls_ca_cert_file=str(authority.ca))
    url = f"rediss://localhost:{port}"
    daemon = on(actions=[server.action(url=url)])
    assert daemon.post(call911(1)).status == 200
    daemon.wait_line("event 1 not delivered, next try in .*TLS with .*: certificate problem")
    changed = harness.config(store={"path": str(path)}, actions=[server.action(url=url, ca_file=str(authority.ca))])
    daemon.reload(changed)
    server.wait_ids([1])
    assert_whole(server, path)
