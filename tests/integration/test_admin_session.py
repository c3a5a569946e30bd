"""A token exchanged for a cookie: what is in it, how long it counts, and all that it is not good for."""

import hashlib
import hmac
import json
import re
import time

import pytest
from harness import config
from test_admin_door import ADDRESS, OTHER_TOKEN, TOKEN, WRONG, ask, board

DAY_S = 24 * 3600
COMMUNITIES = [{"name": "one", "api_key": "TEST-API-KEY-0001", "board_token": "SECRET-TOKEN-OF-ONE", "bot_token": "SECRET-TOKEN-OF-BOT"},
               {"name": "two", "api_key": "TEST-API-KEY-0002", "board_token": "SECRET-TOKEN-OF-TWO"}]
# For readers of all communities, and for those of any.
WHOLE, ANY = "/metrics", "/api/story?call=1"
ELSEWHERE = {"Host": "192.0.2.7"}  # so that it is not open to this machine


def sign_in(daemon, token, headers=None, body=None):
    body = json.dumps({"token": token}) if body is None else body
    return ask(daemon, "/api/session", "POST", body=body, headers={"Content-Type": "application/json", **(headers or {})})


def cookie_of(answer):
    """(name, value) of the one that was set."""
    assert answer.status == 204 and answer.text == ""
    name, value, rest = re.fullmatch(r"([^=]+)=([^;]+)(.*)", answer.headers["Set-Cookie"]).groups()
    assert rest == "; HttpOnly; SameSite=Strict; Max-Age=2592000"
    return name, value


def with_cookie(daemon, cookie, path=ANY):
    return ask(daemon, path, headers={"Cookie": f"other=1; {cookie[0]}={cookie[1]}; more=x:y", **ELSEWHERE})


def opens(daemon, cookie, path=ANY):
    """Whether it is taken, whatever is found then."""
    return with_cookie(daemon, cookie, path).status not in (401, 403)


@pytest.fixture
def daemon(start):
    daemon = start(communities=COMMUNITIES, admin={"address": ADDRESS, "token": TOKEN})
    daemon.secrets |= {"SECRET-TOKEN-OF-ONE", "SECRET-TOKEN-OF-BOT", "SECRET-TOKEN-OF-TWO"}
    return daemon


def made(name, claim, token):
    """As the daemon makes it."""
    signature = hmac.new(token.encode(), f"{name}={claim}".encode(), hashlib.sha256).hexdigest()
    return name, f"{claim}:{signature}"


def test_it_opens_what_its_token_opens(daemon):
    assert ask(daemon, ANY, headers=ELSEWHERE).status == 401
    whole, one = cookie_of(sign_in(daemon, TOKEN)), cookie_of(sign_in(daemon, "SECRET-TOKEN-OF-ONE"))
    assert TOKEN not in whole[1] and whole[0] == one[0]
    assert opens(daemon, whole) and opens(daemon, whole, WHOLE)
    assert all(opens(daemon, one, path) for path in ("/api/state?community=", "/api/state?community=one", f"{ANY}&community="))
    assert opens(daemon, one) and not opens(daemon, one, WHOLE)
    assert "Set-Cookie" not in with_cookie(daemon, whole).headers
    assert with_cookie(daemon, whole, "/api/status").status == 403


def test_what_is_no_token(daemon):
    assert sign_in(daemon, WRONG).status == 401 and "wrong token" in sign_in(daemon, WRONG).text
    for body in ("", "{}", "[]", '{"token":17}', '{"token":null}', '"x"', "{", '{"token":"x"', "\0"):
        answer = sign_in(daemon, None, body=body)
        assert (answer.status, "error" in json.loads(answer.text)) == (400, True), body
    assert sign_in(daemon, None, body=json.dumps({"token": TOKEN, "more": 1})).status == 204
    assert sign_in(daemon, None, body='{"token":"' + "\\u0053" + TOKEN[1:] + '"}').status == 204
    assert sign_in(daemon, None, body='{"token":"' + "x" * 100_000 + '"}').status == 413


def test_forms_of_other_sites(daemon):
    form = "token=" + TOKEN
    assert ask(daemon, "/api/session", "POST", body=form, headers={"Content-Type": "application/x-www-form-urlencoded"}).status == 415
    assert ask(daemon, "/api/session", "POST", body=f'{{"token":"{TOKEN}","x":"="}}', headers={"Content-Type": "text/plain"}).status == 415
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = sign_in(daemon, TOKEN, headers)
        assert answer.status == 403 and "Set-Cookie" not in answer.headers
    assert sign_in(daemon, TOKEN, {"Host": "evil.example"}).status == 421
    assert sign_in(daemon, TOKEN, {"Sec-Fetch-Site": "same-origin", "Origin": "https://cad.example.org"}).status == 204


def test_each_letter_counts(daemon):
    name, value = cookie_of(sign_in(daemon, "SECRET-TOKEN-OF-ONE"))
    assert opens(daemon, (name, value))
    for at, letter in enumerate(value):
        assert not opens(daemon, (name, value[:at] + ("0" if letter != "0" else "1") + value[at + 1 :])), at
        assert not opens(daemon, (name, value[:at] + value[at + 1 :])), at
    for other in ("", ":", "::", ":::", value.replace(":one:", ":two:"), value.replace(":b:", ":t:"), value.replace(":b:", ":a:"),
                  value.replace(":b:one:", ":a::"), value + "0", "9" * 40 + value, "-" + value, f"x{value}", value.upper()):
        assert not opens(daemon, (name, other)), other
    assert not opens(daemon, (name + "0", value))


def test_one_made_with_another_token(daemon):
    name, value = cookie_of(sign_in(daemon, TOKEN))
    until = int(value.split(":")[0])
    assert opens(daemon, made(name, f"{until}:a:", TOKEN))
    assert opens(daemon, made(name, f"{until}:t:one", "SECRET-TOKEN-OF-BOT"))
    assert not opens(daemon, made(name, f"{until}:a:", "SECRET-TOKEN-OF-ONE"))
    assert not opens(daemon, made(name, f"{until}:t:one", "SECRET-TOKEN-OF-ONE"))
    assert not opens(daemon, made(name, f"{until}:b:two", "SECRET-TOKEN-OF-ONE"))
    assert not opens(daemon, made(name, f"{until}:t:two", "SECRET-TOKEN-OF-TWO"))  # there is none for bots
    assert not opens(daemon, made(name, f"{until}:b:", TOKEN))
    assert not opens(daemon, (name, made("sonoran_00000000", f"{until}:a:", TOKEN)[1]))  # that of another log


def test_how_long_it_counts(daemon):
    """Renewed by use, once a day at most."""
    name, _ = cookie_of(sign_in(daemon, TOKEN))
    now = int(time.time())
    assert not opens(daemon, made(name, f"{now - 1}:a:", TOKEN))
    assert not opens(daemon, made(name, f"{now + 40 * DAY_S}:a:", TOKEN))
    for left, renewed in ((2, True), (28, True), (29.5, False)):
        answer = with_cookie(daemon, made(name, f"{int(now + left * DAY_S)}:a:", TOKEN))
        assert ("Set-Cookie" in answer.headers) == renewed, left
    answer = with_cookie(daemon, made(name, f"{now + DAY_S}:b:one", "SECRET-TOKEN-OF-ONE"))
    again = re.match(r"([^=]+)=([^;]+)", answer.headers["Set-Cookie"]).groups()
    assert opens(daemon, again) and not opens(daemon, again, WHOLE)


def test_it_outlives_a_restart_and_ends_with_its_token(start, path):
    settings = {"store": {"path": str(path)}, "communities": COMMUNITIES}
    first = start(**settings, admin={"address": ADDRESS, "token": TOKEN})
    whole, one = cookie_of(sign_in(first, TOKEN)), cookie_of(sign_in(first, "SECRET-TOKEN-OF-ONE"))
    first.stop()
    second = start(**settings, admin={"address": ADDRESS, "token": TOKEN})
    assert opens(second, whole) and opens(second, one)
    second.reload(config(**settings, admin={"address": ADDRESS, "token": OTHER_TOKEN}))
    assert not opens(second, whole) and opens(second, one)
    assert opens(second, cookie_of(sign_in(second, OTHER_TOKEN)))


def test_wrong_cookies_are_no_wrong_tokens(start):
    """Nobody guesses one; and a page that has an old one asks again and again."""
    daemon = start(limits={"failed_keys": 3, "failed_keys_window": "1h"}, admin={"address": ADDRESS, "token": TOKEN})
    for _ in range(10):
        assert not opens(daemon, ("sonoran_00000000", "1:a::00"))
    assert sign_in(daemon, TOKEN).status == 204


def test_wrong_tokens_are_limited_here_too(start):
    daemon = start(limits={"failed_keys": 3, "failed_keys_window": "1h"}, admin={"address": ADDRESS, "token": TOKEN})
    assert [sign_in(daemon, WRONG).status for _ in range(3)] == [401] * 3
    answer = sign_in(daemon, WRONG)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0
    assert sign_in(daemon, TOKEN).status == 204


def test_one_given_to_a_page_of_https(daemon):
    """No browser sends it by http then; and so it stays when it is renewed."""
    headers = {"Host": "localhost", "Origin": "https://localhost"}
    name, value = re.fullmatch(r"([^=]+)=([^;]+); .*; Secure", sign_in(daemon, TOKEN, headers).headers["Set-Cookie"]).groups()
    assert opens(daemon, (name, value), WHOLE)
    assert not opens(daemon, (name, value.replace(":A:", ":a:")), WHOLE)
    for kind, secure in (("A", True), ("a", False)):
        renewed = with_cookie(daemon, made(name, f"{int(time.time()) + DAY_S}:{kind}:", TOKEN)).headers["Set-Cookie"]
        assert renewed.endswith("; Secure") == secure


def test_where_no_token_is_wanted(start):
    daemon = start(admin={"address": ADDRESS})
    answer = sign_in(daemon, "anything that was in the link")
    assert answer.status == 204 and "Set-Cookie" not in answer.headers


def test_two_daemons_of_one_host(start):
    """All ports share their cookies: each has a name of its own for its own."""
    first = start(admin={"address": ADDRESS, "token": TOKEN})
    second = start(admin={"address": ADDRESS, "token": TOKEN})
    a, b = cookie_of(sign_in(first, TOKEN)), cookie_of(sign_in(second, TOKEN))
    assert a[0] != b[0]
    assert not opens(second, a) and not opens(second, (b[0], a[1]))
