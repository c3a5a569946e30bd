"""The board behind nginx, with the server block that README.md shows: TLS, the token's cookie, the event stream, and
nobody who only knows the name of this machine."""

import contextlib
import http.client
import json
import re
import shutil
import ssl
import subprocess

import pytest
from harness import PATIENCE_S, REPOSITORY, call911, free_port, wait_for
from test_admin_door import ADDRESS, TOKEN, board

NAME = "board.example.org"
pytestmark = pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx or openssl is not installed")


def block():
    """What a person would copy."""
    blocks = re.findall(r"```nginx\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.S)
    return next(text for text in blocks if f"server_name {NAME};" in text)


@pytest.fixture
def proxy(start, tmp_path):
    """(daemon, port of nginx in front of it)"""
    daemon = start(admin={"address": ADDRESS, "token": TOKEN, "hosts": [NAME]})
    port = free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem",
                    "-days", "2", "-subj", f"/CN={NAME}"], check=True, capture_output=True, timeout=PATIENCE_S)
    text = block().replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace("127.0.0.1:30121", f"127.0.0.1:{board(daemon)[1]}")
    text = re.sub(r"ssl_certificate .*;", f"ssl_certificate {tmp_path}/cert.pem;", text)
    text = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {tmp_path}/key.pem;", text)
    folders = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; daemon off;\nevents {{ }}\nhttp {{ access_log off; {folders}\n{text} }}\n")
    command = ["nginx", "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as nginx:
        try:
            wait_for(lambda: reaches(port), "nginx")
            yield daemon, port
        finally:
            nginx.terminate()


def reaches(port):
    with contextlib.suppress(OSError):
        return ask(port, "/health")[0] == 200
    return False


def connection_to(port):
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE_S, context=trusting)


def ask(port, path, method="GET", body=None, **headers):
    """(status, headers, text); as a browser that is at NAME."""
    with contextlib.closing(connection_to(port)) as connection:
        connection.request(method, path, body, {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def sign_in(port, origin=f"https://{NAME}"):
    return ask(port, "/api/session", "POST", json.dumps({"token": TOKEN}), Content_Type="application/json", Origin=origin)


def test_a_browser_behind_it(proxy):
    daemon, port = proxy
    assert ask(port, "/")[0] == 200 and ask(port, "/api/state")[0] == 401
    assert sign_in(port, "https://evil.example")[0] == 403
    status, headers, _ = sign_in(port)
    assert status == 204
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert ask(port, "/api/state", Cookie=cookie, Sec_Fetch_Site="same-origin")[0] == 200
    with contextlib.closing(connection_to(port)) as connection:
        connection.request("GET", "/api/stream", headers={"Host": NAME, "Cookie": cookie})
        stream = connection.getresponse()
        lines = iter(lambda: stream.readline().decode().strip(), None)
        assert stream.status == 200 and next(line for line in lines if line) == "retry: 2000"
        next(line for line in lines if line == "event: hello")
        assert daemon.post(call911()).status == 200
        assert '"type":"EVENT_911"' in next(line for line in lines if line.startswith("data: ") and '"type"' in line)


def test_what_is_open_to_this_machine_alone(proxy):
    """For the daemon whoever comes by nginx is on this machine; the name that nginx asks by tells."""
    _, port = proxy
    for host in (NAME, "localhost", "127.0.0.1"):
        assert ask(port, "/metrics", Host=host)[0] == 401
    assert ask(port, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert ask(port, "/metrics", Authorization="Basic eHg6eHg=", X_Sonoran_Token=TOKEN)[0] == 200
    assert ask(port, "/api/status", X_Sonoran_Token=TOKEN)[0] == 403
