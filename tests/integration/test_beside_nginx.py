"""Raw requests, to the daemon and to nginx before a daemon: neither sees the boundary of a request where the other sees none."""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import PATIENCE_S, RawClient, call911, free_port, request, wait_for
from nginx_requests import NUMBER, ROWS, raw_of

NGINX = os.environ.get("NGINX_PROGRAM") or shutil.which("nginx")
STATUS = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d) ")  # without 100, which comes or not
CONFIG = """daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; client_body_timeout 3s; client_header_timeout 3s; keepalive_timeout 3s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


@pytest.fixture
def nginx(start, tmp_path):
    """nginx, and the daemon behind it."""
    if not NGINX:
        pytest.skip("there is no nginx")
    folder, port = tmp_path / "nginx", free_port()
    folder.mkdir()
    behind = start(limits={"connections_per_ip": 1024})
    (folder / "conf").write_text(CONFIG.format(folder=folder, port=port, behind=behind.address[1]))
    process = subprocess.Popen([NGINX, "-p", folder, "-e", folder / "error.log", "-c", folder / "conf"])
    try:
        wait_for(lambda: answers(port), "nginx")
        yield ("127.0.0.1", port), behind
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def answers(port):
    with contextlib.suppress(ConnectionRefusedError):
        RawClient(("127.0.0.1", port)).close()
        return True


def numbers(i):
    return NUMBER + 2 * i, NUMBER + 2 * i + 1


def exchange(address, i, row):
    first, second = numbers(i)
    last = request(call911(second), headers=["Connection: close"])
    with RawClient(address) as client:
        client.send(raw_of(row, first) + last)
        return " ".join(status.decode() for status in STATUS.findall(client.rest()))


def exchange_all(address, daemon):
    """Statuses of each row, and which of its two events were stored."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda args: exchange(address, *args), enumerate(ROWS.values())))
    stored = [json.loads(e["data"])["call"]["callId"] for e in daemon.stop().events()]
    assert len(stored) == len(set(stored))
    return {name: (status, tuple(n + 1 for n, id_ in enumerate(numbers(i)) if id_ in stored))
            for i, (name, status) in enumerate(zip(ROWS, statuses))}


def versions(daemon):
    """Of nginx, and of the library that reads requests for the daemon."""
    nginx = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    maps = Path(f"/proc/{daemon.process.pid}/maps").read_text(encoding="ascii")
    return re.search(r"nginx/([\d]+\.[\d]+)", nginx)[1], re.search(r"libmicrohttpd\.so\.([\d.]+)", maps)[1]


def wrong(name, row, theirs, ours):
    if theirs[1] != ours[1] and theirs[1] and ours[1]:
        return f"{name}: another boundary: {theirs} of nginx, {ours}"
    if bool(row.why) != (theirs != ours):
        return f"{name}: a difference without a reason, or none with one: {theirs} of nginx, {ours}"
    if (theirs[0], ours[0]) != (row.nginx, row.ours):
        return f"{name}: {theirs[0]!r} of nginx and {ours[0]!r}, expected {row.nginx!r} and {row.ours!r}"
    return None


def test_table(nginx, start):
    """Who is refused is closed, so that events of one alone are none of another request."""
    address, behind = nginx
    daemon = start(limits={"connections_per_ip": 1024, "request_time": "3s"})
    if versions(daemon) != ("1.22", "12.60.0"):
        pytest.skip("the table is of other versions")
    theirs, ours = exchange_all(address, behind), exchange_all(daemon.address, daemon)
    assert len(ROWS) >= 60
    assert [w for name, row in ROWS.items() if (w := wrong(name, row, theirs[name], ours[name]))] == []
