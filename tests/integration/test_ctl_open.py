"""sonoran-pushctl open: the link of the board, from where it works, and who gets to see its token."""

import re

import pytest
from ctl_tools import ctl, lines_of_terminal, store_of
from harness import config, run, write_private

TOKEN, OF_ONE = "SECRET-TOKEN-FOR-TESTS", "SECRET/TOKEN?OF&ONE=%"
IN_LINK = "SECRET%2FTOKEN%3FOF%26ONE%3D%25"
SSH = r"ssh -N -L 30121:(\S+) \S+@\S+"


def open_(daemon, *args):
    result = ctl("-c", daemon.file, "open", *args)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_control_socket_alone(start):
    daemon = start()
    said = open_(daemon)
    assert re.search(SSH, said)[1] == f"{store_of(daemon)}.control"
    assert "http://127.0.0.1:30121/\n" in said
    result = ctl("-c", daemon.file, "open", "--community", "default")
    assert result.returncode == 1 and "admin.address" in result.stderr


def test_without_a_token(start):
    daemon = start(admin={"address": "127.0.0.1:0"})
    address = re.search(r"http://(127\.0\.0\.1:\d+)/", daemon.wait_line("the board is to be seen"))[1]
    said = open_(daemon)
    assert f"  http://{address}/\n" in said and re.search(SSH, said)[1] == address
    assert "token" not in said


@pytest.fixture
def with_tokens(start):
    communities = [{"name": "one", "api_key": "TEST-API-KEY-0001", "board_token": OF_ONE}, {"name": "two", "api_key": "TEST-API-KEY-0002"}]
    return start(communities=communities, admin={"address": "127.0.0.1:0", "token": TOKEN})


def test_its_token(with_tokens):
    """It is for the eyes of who asks: in a pipe, a log or a ticket it is only where that was wanted."""
    assert TOKEN not in open_(with_tokens) and "--show-token" in open_(with_tokens)
    assert open_(with_tokens, "--show-token").count(f"/#token={TOKEN}\n") == 2
    assert f"/#token={TOKEN}" in "\n".join(lines_of_terminal(200, "-c", with_tokens.file, "open"))


def test_that_of_a_community(with_tokens):
    said = open_(with_tokens, "--show-token", "--community", "one")
    assert said.count(f"/#token={IN_LINK}\n") == 2 and TOKEN not in said
    result = ctl("-c", with_tokens.file, "open", "--community", "two")
    assert result.returncode == 1 and "board_token_file" in result.stderr
    result = ctl("-c", with_tokens.file, "open", "--community", "tow")
    assert result.returncode == 2 and "did you mean two?" in result.stderr


def test_one_that_was_made(start, path):
    daemon = start(store={"path": str(path)}, admin={"address": "127.0.0.1:0", "token_file": "admin-token"})
    token = (path.parent / "admin-token").read_text().strip()
    assert f"/#token={token}\n" in open_(daemon, "--show-token")


def test_an_address_that_others_reach(start):
    daemon = start(admin={"address": "0.0.0.0:0", "token": TOKEN})
    said = open_(daemon)
    assert re.search(r"  http://127\.0\.0\.1:\d+/\n", said)


def test_no_daemon(tmp_path):
    write_private(tmp_path / "c.yaml", config())
    result = ctl("-c", tmp_path / "c.yaml", "open")
    assert result.returncode == 1 and "no daemon is running" in result.stderr
    assert run("-c", tmp_path / "c.yaml", "--check").returncode == 0
