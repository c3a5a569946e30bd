"""What the daemon counts of those who are set up wrong, as sonoran-pushctl status --json hands it on."""

import json

from ctl_tools import ctl, short_folder, store_of
from harness import OTHER_CLIENT, PATH, call911, config, request, wait_for


def status_of(daemon):
    result = ctl("status", "--json", "--store", store_of(daemon))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_posts_to_another_path(start):
    """With the path made safe, in the status, the line and a field; what strangers look for is not counted."""
    daemon = start(paths=[PATH])
    with daemon.connect() as client:
        assert client.ask(request(call911(), path="/push/%1b\x7f?key=x")).status == 404
    assert daemon.ask("GET", "/.env", source=OTHER_CLIENT).status == 404
    status = status_of(daemon)
    assert status["requests"]["not_found"] == 1
    assert (status["last_not_found"]["from"], status["last_not_found"]["what"]) == ("127.0.0.1", "/push/%1b\\x7f")
    record = json.loads(daemon.wait_line("path not found .*/push/"))
    assert record["path"] == "/push/%1b\\x7f" and record["message"].endswith("path not found (/push/%1b\\x7f)")


def test_a_long_path_is_cut(start):
    daemon = start(paths=[PATH])
    assert daemon.post(call911(), path="/" + "x" * 3000).status == 404
    assert status_of(daemon)["last_not_found"]["what"].startswith("/" + "x" * 100)


def test_too_large(start):
    daemon = start(limits={"body": "16K"})
    assert daemon.post(call911(description="x" * 20000)).status == 413
    status = status_of(daemon)
    assert status["requests"]["too_large"] == 1 and status["last_too_large"]["from"] == "127.0.0.1"


def test_another_protocol(start):
    daemon = start()
    with daemon.connect() as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32))
        client.rest()
    status = wait_for(lambda: (told := status_of(daemon)).get("last_not_http") and told, "the count")
    assert status["requests"]["not_http"] == 1 and "TLS" in status["last_not_http"]["what"]
    doctor = ctl("-c", daemon.file, "doctor").stdout
    assert "1 connection spoke something else than HTTP" in doctor and "TLS" in doctor


def test_a_refused_reload(start):
    """Until one is taken."""
    with short_folder() as folder:
        daemon = start(store={"path": str(folder / "e")})

        def refused():
            return json.loads(ctl("status", "--json", "--store", folder / "e").stdout).get("reload_refused")

        good = daemon.file.read_text()
        assert refused() is None
        daemon.reload(config(nonsense=1))
        assert "nonsense" in wait_for(refused, "the refusal")["problem"]
        daemon.reload(good)
        wait_for(lambda: refused() is None, "a good reload")
