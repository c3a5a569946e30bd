"""The board's page as it comes out of the daemon: each of its files, packed or not, once for each version."""

import gzip
import http.client
import re
import socket

import pytest
from ctl_tools import store_of
from harness import PATIENCE_S, REPOSITORY

PAGE = REPOSITORY / "src" / "admin" / "page"
FILES = sorted(file.name for suffix in ("html", "css", "js") for file in PAGE.glob(f"*.{suffix}"))
TYPES = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


def get(daemon, path, method="GET", **headers):
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_S)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(f"{store_of(daemon)}.control")
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def path_of(name):
    return "/" + name.replace("index.html", "")


@pytest.mark.parametrize("name", FILES)
def test_file(daemon, name):
    content = (PAGE / name).read_bytes()
    plain, body = get(daemon, path_of(name))
    assert (plain.status, body) == (200, content)
    assert plain.headers["Content-Type"] == TYPES[name.rpartition(".")[2]]
    assert plain.headers["Cache-Control"] == "no-cache" and plain.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain.headers

    packed, small = get(daemon, path_of(name), Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(small) == content
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for kept, encoding in [(plain, "identity"), (packed, "gzip")]:
        again, body = get(daemon, path_of(name), Accept_Encoding=encoding, If_None_Match=f'"x", {kept.headers["ETag"]}')
        assert (again.status, body, again.headers["ETag"]) == (304, b"", kept.headers["ETag"])
        assert get(daemon, path_of(name), Accept_Encoding=encoding, If_None_Match='"x"')[0].status == 200
    assert get(daemon, path_of(name), "HEAD")[0].headers["Content-Length"] == str(len(content))


def test_gzip_refused(daemon):
    assert "Content-Encoding" not in get(daemon, "/", Accept_Encoding="gzip;q=0, identity")[0].headers
    assert get(daemon, "/", Accept_Encoding="gzip;q=0.5")[0].headers["Content-Encoding"] == "gzip"


def test_whoever_looks(daemon):
    """A browser through ssh -L, from whatever page a link to it stood on."""
    for headers in ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, {"Sec_Fetch_Site": "none"}):
        answer, _ = get(daemon, "/?kiosk&community=default", **headers)
        assert answer.status == 200
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert "require-trusted-types-for 'script'" in answer.headers["Content-Security-Policy"]


def test_asks_nobody_else(daemon):
    """No address in it leads elsewhere, none begins with /, and there is nothing that the policy would have to stop."""
    for name in FILES:
        text = get(daemon, path_of(name))[1].decode()
        foreign = [url for url in re.findall(r"https?://[^\s\"'`]*", text) if url != "http://www.w3.org/2000/svg"]
        assert not foreign, (name, foreign)
        assert not re.search(r"(src|href)=\"/|url\(|fetch\(\"/|ask\(\"/", text), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\sstyle=|\son[a-z]+=\"", text), name
