"""Design section 3, row by row: status, exact body and headers of every answer on the game port."""

import json

import pytest
from harness import KEY, PATH, WRONG_KEY, as_bytes, call911, chunked, event, request, wait_for

LIMIT = 64 << 10  # limits.body where a test is about it
OK_BODY = event()

JSON = (400, "Invalid JSON")
KEY_FAILED = (400, "Authentication Key Failed!")
TYPE = (400, "Invalid Type")
OK = (200, "ok")


def text(key=f'"{KEY}"', type_='"EVENT_REMOVE_911"', data='{"callIds":[90417]}', more=""):
    """A body from pieces of JSON; None leaves a member out."""
    members = {"key": key, "type": type_, "data": data}
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items() if value is not None) + more + "}"


def deep(depth):
    """A body whose innermost value lies in depth objects and arrays."""
    return text(data='{"callIds":[90417],"x":' + "[" * (depth - 2) + "]" * (depth - 2) + "}")


def in_text(bytes_):
    """A sound body but for these bytes inside a text."""
    return as_bytes(text(data='{"callIds":[90417],"x":"~"}')).replace(b"~", bytes_)


ROWS = {
    # The key, before anything about type and data is given away
    "key right": (text(), OK),
    "key in lower case": (text(key=f'"{KEY.lower()}"'), OK),
    "key in mixed case": (text(key='"Test-aPI-key-0000"'), OK),
    "key with JSON escapes": (text(key='"\\u0054EST\\u002dAPI-KEY-\\u00300\\u0030\\u0030"'), OK),
    "key missing": (text(key=None), KEY_FAILED),
    "key null": (text(key="null"), KEY_FAILED),
    "key number": (text(key="12345"), KEY_FAILED),
    "key true": (text(key="true"), KEY_FAILED),
    "key in a list": (text(key=f'["{KEY}"]'), KEY_FAILED),
    "key in an object": (text(key=f'{{"key":"{KEY}"}}'), KEY_FAILED),
    "key empty": (text(key='""'), KEY_FAILED),
    "key wrong": (text(key=f'"{WRONG_KEY}"'), KEY_FAILED),
    "key wrong in its last character": (text(key=f'"{KEY[:-1]}1"'), KEY_FAILED),
    "key cut": (text(key=f'"{KEY[:-1]}"'), KEY_FAILED),
    "key with more behind": (text(key=f'"{KEY}0"'), KEY_FAILED),
    "key with a trailing blank": (text(key=f'"{KEY} "'), KEY_FAILED),
    "key with a leading blank": (text(key=f'" {KEY}"'), KEY_FAILED),
    "key under a name in capitals": (text(key=None, more=f',"KEY":"{KEY}"'), KEY_FAILED),
    "key only inside data": (text(key=None, data=f'{{"key":"{KEY}"}}'), KEY_FAILED),
    # The type
    "type in lower case": (text(type_='"event_remove_911"'), OK),
    "type in mixed case": (text(type_='"Event_Remove_911"'), OK),
    "type unknown": (text(type_='"EVENT_FUTURE_THING"'), TYPE),
    "type missing": (text(type_=None), TYPE),
    "type null": (text(type_="null"), TYPE),
    "type empty": (text(type_='""'), TYPE),
    "type number": (text(type_="911"), TYPE),
    "type in a list": (text(type_='["EVENT_911"]'), TYPE),
    "type with a trailing blank": (text(type_='"EVENT_REMOVE_911 "'), TYPE),
    "type under a name in capitals": (text(type_=None, more=',"TYPE":"EVENT_REMOVE_911"'), TYPE),
    # The data
    "data without its call id": (
        text(type_='"EVENT_911"', data='{"call":{"caller":"Ada"}}'),
        (400, "Invalid Data: data.call.callId: missing"),
    ),
    "data with null for its call id": (
        text(type_='"EVENT_911"', data='{"call":{"callId":null}}'),
        (400, "Invalid Data: data.call.callId: missing"),
    ),
    "data without id in the second element": (
        text(type_='"EVENT_911"', data='[{"call":{"callId":1}},{"call":{}}]'),
        (400, "Invalid Data: data[1].call.callId: missing"),
    ),
    # What is not one JSON object
    "empty": ("", JSON),
    "blanks": (" \r\n\t", JSON),
    "words": ("hello", JSON),
    "form": ("key=x&type=y", JSON),
    "scalar number": ("1", JSON),
    "scalar text": ('"text"', JSON),
    "scalar true": ("true", JSON),
    "scalar null": ("null", JSON),
    "list": ("[]", JSON),
    "list of events": (f"[{text()}]", JSON),
    "object cut": (text()[:-1], JSON),
    "object cut inside a text": (text()[:20], JSON),
    "single quotes": (text().replace('"', "'"), JSON),
    "comma behind the last member": (text(more=","), JSON),
    "comma behind the last element": (text(data='{"callIds":[1,]}'), JSON),
    "name without quotes": (text(more=",x:1"), JSON),
    "comment": (text(more="/* x */"), JSON),
    "NaN": (text(data='{"callIds":[NaN]}'), JSON),
    "control character in a text": (in_text(b"\x01"), JSON),
    "line break in a text": (in_text(b"\n"), JSON),
    "unknown escape": (in_text(b"\\q"), JSON),
    "text behind": (text() + "x", JSON),
    "object behind": (text() + text(), JSON),
    "bracket behind": (text() + "}", JSON),
    "blanks around": (" \r\n\t" + text() + " \r\n\t", OK),
    "byte order mark": ("\ufeff" + text(), OK),
    "byte order mark inside": (text().replace(",", ",\ufeff", 1), JSON),
    # NUL, which would cut a C string
    "NUL byte in a text": (in_text(b"\0"), JSON),
    "NUL byte behind": (text() + "\0", JSON),
    "NUL byte before": ("\0" + text(), JSON),
    "NUL byte and an object behind": (text() + "\0" + text(), JSON),
    "NUL escape in a text": (in_text(b"\\u0000"), JSON),
    "NUL escape in a name": (text(more=',"a\\u0000b":1'), JSON),
    "NUL escape behind the key": (text(key=f'"{KEY}\\u0000"'), JSON),
    "NUL escape behind the type": (text(type_='"EVENT_REMOVE_911\\u0000X"'), JSON),
    "NUL escape behind an escaped backslash": (in_text(b"\\\\\\u0000"), JSON),
    "escaped backslash before u0000": (in_text(b"\\\\u0000"), OK),
    # UTF-8
    "UTF-8 of 2, 3 and 4 bytes": (in_text("Zoë 你好 🚨".encode()), OK),
    "UTF-8 with a lone byte": (in_text(b"\xff"), JSON),
    "UTF-8 in Latin 1": (in_text("Zoë".encode("latin-1")), JSON),
    "UTF-8 cut": (in_text(b"\xe2\x82"), JSON),
    "UTF-8 longer than needed": (in_text(b"\xc1\xa1"), JSON),
    "UTF-8 longer NUL": (in_text(b"\xc0\x80"), JSON),
    "UTF-8 of a surrogate": (in_text(b"\xed\xa0\x80"), JSON),
    "UTF-8 beyond U+10FFFF": (in_text(b"\xf4\x90\x80\x80"), JSON),
    "UTF-16": (text().encode("utf-16"), JSON),
    "UTF-8 broken in a name": (as_bytes(text(more=',"~":1')).replace(b"~", b"\xff"), JSON),
    "UTF-8 broken in the key": (text(key='"~"').encode().replace(b"~", b"\xff"), JSON),
    # Depth
    "depth 64": (deep(64), OK),
    "depth 65": (deep(65), JSON),
    "depth 65 at top level": (text(more=',"x":' + "[" * 64 + "]" * 64), JSON),
    "depth 1000": (deep(1000), JSON),
    # Twice
    "key twice": (text(more=f',"key":"{KEY}"'), JSON),
    "key twice, the second wrong": (text(more=f',"key":"{WRONG_KEY}"'), JSON),
    "key twice, once with escapes": (text(more=f',"k\\u0065y":"{KEY}"'), JSON),
    "key twice, once null": (text(more=',"key":null'), JSON),
    "type twice": (text(more=',"type":"EVENT_911"'), JSON),
    "type twice, once with escapes": (text(more=',"t\\u0079pe":"EVENT_REMOVE_911"'), JSON),
    "key and type again inside data": (text(data='{"callIds":[1],"key":"a","type":"b"}'), OK),
    # JSON comes before key, key before type, type before data
    "order: JSON before key": (text(key=f'"{WRONG_KEY}"') + "x", JSON),
    "order: twice before key": (text(key=f'"{WRONG_KEY}"', more=',"type":"X"'), JSON),
    "order: key before type": (text(key=f'"{WRONG_KEY}"', type_='"EVENT_FUTURE_THING"'), KEY_FAILED),
    "order: key before a missing type": (text(key=None, type_=None), KEY_FAILED),
    "order: key before data": (text(key=f'"{WRONG_KEY}"', type_='"EVENT_911"', data="{}"), KEY_FAILED),
    "order: type before data": (text(type_='"EVENT_FUTURE_THING"', data="[[1]]"), TYPE),
    "nothing but braces": ("{}", KEY_FAILED),
}


@pytest.mark.parametrize("row", ROWS)
def test_post(daemon, row):
    body, expected = ROWS[row]
    answer = daemon.post(body)
    assert (answer.status, answer.text) == expected
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("data", ["5", '"text"', "true"])
def test_data_that_is_no_object(daemon, data):
    answer = daemon.post(text(type_='"EVENT_911"', data=data))
    assert answer.status == 400 and answer.text.startswith("Invalid Data: data")


@pytest.mark.parametrize("path", [PATH, "/", PATH + "?server=2", "/?a=b&c", PATH + "?"])
def test_push_paths(daemon, path):
    """Both paths take events, and a query string is ignored."""
    assert (daemon.post(OK_BODY, path).status, daemon.post(OK_BODY, path).text) == OK
    page = daemon.ask("GET", path)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "running" in page.text and len(page.text) < 500
    head = daemon.ask("HEAD", path)
    assert (head.status, head.text) == (200, "")
    assert head.headers["Content-Length"] == str(len(page.text.encode()))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "post"])
@pytest.mark.parametrize("path", [PATH, "/"])
def test_other_methods(daemon, method, path):
    answer = daemon.ask(method, path)
    assert (answer.status, answer.text) == (405, "Method Not Allowed")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert {m.strip() for m in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "POST"}


OTHER_PATHS = ["/sonorancad", PATH + "x", PATH + "/x", "/event/sonorancad", "/x?y", "/" + "a" * 2000]


@pytest.mark.parametrize("path", OTHER_PATHS)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_other_paths(daemon, method, path):
    answer = daemon.ask(method, path, as_bytes(OK_BODY) if method == "POST" else None)
    assert (answer.status, answer.text) == (404, "Not Found")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert daemon.stop().events() == []


PATHS_AS_ADMINS_ENTER_THEM = [
    PATH + "/",
    "/" + PATH,
    "/sonorancad" + PATH,
    PATH + PATH,
    "/SonoranCAD/Event",
    "/event",
    "//",
    PATH + "/?x=/y",
]


@pytest.mark.parametrize("path", PATHS_AS_ADMINS_ENTER_THEM)
def test_paths_as_admins_enter_them(daemon, path):
    assert daemon.ask("GET", path).status == 200
    assert daemon.ask("POST", path, as_bytes(OK_BODY)).text == "ok"


def test_a_wrong_path_is_told(daemon):
    assert daemon.ask("POST", "/sonorancad/evnt", as_bytes(OK_BODY)).status == 404
    record = json.loads(daemon.wait_line("path not found"))
    assert record["message"].endswith(": path not found (/sonorancad/evnt)")
    assert record["path"] == "/sonorancad/evnt"


def test_a_wrong_path_of_a_stranger(daemon):
    """Safe to read, and cut."""
    with daemon.connect() as client:
        assert client.ask(request(method="GET", path="/\x1b[2J" + "x" * 2000)).status == 404
    message = json.loads(daemon.wait_line("path not found"))["message"]
    assert "/\\x1b[2Jxxx" in message and len(message) < 300


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "x", "multipart/form-data"])
def test_no_content_type_is_demanded(daemon, content_type):
    assert daemon.post(OK_BODY, headers={"Content-Type": content_type} if content_type else {}).status == 200


def test_body_limit(start):
    """A body of just the limit is read, one byte more is not."""
    daemon = start(limits={"body": LIMIT})
    fitting = as_bytes(OK_BODY).ljust(LIMIT)
    assert daemon.post(fitting).status == 200
    for answer in daemon.post(fitting + b" "), chunked_post(daemon, fitting + b" "):
        assert (answer.status, answer.text) == (413, "Body Too Large")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert chunked_post(daemon, fitting).status == 200


def chunked_post(daemon, body):
    with daemon.connect() as client:
        return client.ask(chunked(body[:1000], body[1000:]))


@pytest.mark.parametrize("coding", ["plain", "chunked"])
def test_nine_megabytes_of_brackets(daemon, coding):
    """Refused, while another client is served in the middle of it."""
    body = b"[" * (9 << 20)
    data = request(body) if coding == "plain" else chunked(*[body[i : i + 65536] for i in range(0, len(body), 65536)])
    with daemon.connect() as client:
        client.send(data[: len(data) // 2])
        assert daemon.serves()
        client.send(data[len(data) // 2 :])
        answer = client.answer()
    assert (answer.status, answer.text) == (413, "Body Too Large")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x", "gzip, identity"])
def test_content_encoding(daemon, coding):
    answer = daemon.post(OK_BODY, headers={"Content-Encoding": coding})
    assert (answer.status, answer.text) == (415, "Unsupported Content-Encoding")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("coding", ["identity", "Identity"])
def test_content_encoding_identity(daemon, coding):
    assert daemon.post(OK_BODY, headers={"Content-Encoding": coding}).status == 200


SMUGGLED = request(call911(666))
AMBIGUOUS = {
    "both length headers": request(b"0\r\n\r\n" + SMUGGLED, headers=["Transfer-Encoding: chunked"]),
    "both, the length last": request(length=False, headers=["Transfer-Encoding: chunked", "Content-Length: 5"])
    + b"0\r\n\r\n" + SMUGGLED,
    "length twice": request(OK_BODY, headers=["Content-Length: 0"]) + SMUGGLED,
    "length twice, equal": request(b"12345", headers=["Content-Length: 5"]) + SMUGGLED,
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_ambiguous_length(daemon, case):
    """Refused and closed, so that nobody reads a second request into it; by libmicrohttpd 1.0 in its own words."""
    with daemon.connect() as client:
        answer = client.ask(AMBIGUOUS[case])
        assert answer.status == 400 and answer.text.startswith(("Bad Request", "<html>"))
        assert client.rest() == b""
    assert daemon.stop().events() == []


BAD_LENGTHS = ["-1", "+5", "0x5", "5x", "", "1e2", "5,5", "99999999999999999999999"]
BAD_CODINGS = ["gzip", "gzip, chunked", "chunked, gzip", "x", "chunked, chunked"]


@pytest.mark.parametrize(
    "header",
    [f"Content-Length: {value}" for value in BAD_LENGTHS] + [f"Transfer-Encoding: {value}" for value in BAD_CODINGS],
)
def test_unusable_length(daemon, header):
    with daemon.connect() as client:
        answer = client.ask(request(length=False, headers=[header]) + b"5\r\n12345\r\n0\r\n\r\n" + SMUGGLED)
        assert 400 <= answer.status <= 501
        assert b" 200 " not in client.rest()
    assert daemon.serves()
    assert all(e["event"] == "EVENT_REMOVE_911" for e in daemon.stop().events())


KEEP_ALIVE = {
    "200": (request(OK_BODY), 200),
    "200 chunked": (chunked(json.dumps(OK_BODY)), 200),
    "200 page": (request(method="GET"), 200),
    "200 head": (request(method="HEAD"), 200),
    "400 JSON": (request("{"), 400),
    "400 key": (request(event(key=WRONG_KEY)), 400),
    "400 type": (request(event("EVENT_FUTURE_THING")), 400),
    "400 data": (request(event("EVENT_911", {})), 400),
    "404": (request(method="GET", path="/x"), 404),
    "404 with a body": (request(OK_BODY, path="/x"), 404),
    "404 with a chunked body": (chunked(json.dumps(OK_BODY), path="/x"), 404),
    "405": (request(method="DELETE"), 405),
    "405 with a body": (request(OK_BODY, method="PUT"), 405),
    "413": (request(b"[" * (LIMIT + 1)), 413),
    "413 chunked": (chunked(b"[" * LIMIT, b"["), 413),
    "415": (request(OK_BODY, headers=["Content-Encoding: gzip"]), 415),
}


@pytest.mark.parametrize("case", KEEP_ALIVE)
def test_keep_alive(start, case):
    """The connection serves on after each answer, three times over."""
    daemon = start(limits={"body": LIMIT})
    data, status = KEEP_ALIVE[case]
    with daemon.connect() as client:
        for _ in range(3):
            assert client.ask(data, head=case == "200 head").status == status
            assert client.ask(request(OK_BODY)).status == 200


def test_connection_close(daemon):
    with daemon.connect() as client:
        answer = client.ask(request(OK_BODY, headers=["Connection: close"]))
        assert (answer.status, answer.headers["Connection"].lower()) == (200, "close")
        assert client.rest() == b""


def test_unknown_types_accepted(start):
    """Like any other, then; the rest of the table stays."""
    daemon = start(unknown_types="accept")
    answer = daemon.post(event("event_future_thing", {"x": 1}))
    assert (answer.status, answer.text) == OK
    for row in "type missing", "type empty", "type number", "key wrong", "data without its call id":
        body, expected = ROWS[row]
        answer = daemon.post(body)
        assert (answer.status, answer.text) == expected, row
    record = daemon.stop().events()[0]
    assert record["event"] == "EVENT_FUTURE_THING" and "verdict" not in record


ALIASES = {
    "EVENT_DISPATCH_CLOSE": ("EVENT_DISPATCH_CLOSED", {"callIds": [55120]}),
    "EVENT_UNIT_ATTACH": ("EVENT_DISPATCH_UNIT_ATTACH", {"callId": 55120, "ident": 4127}),
    "EVENT_UNIT_DETACH": ("EVENT_DISPATCH_UNIT_DETACH", {"callId": 55120, "ident": 4127}),
    "TOGGLE_BODYCAM": ("EVENT_DISPATCH_TOGGLE_BODYCAM", {"ident": "4127", "state": True}),
}


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases(daemon, alias):
    """Known under their real type, in any letter case."""
    real, data = ALIASES[alias]
    assert daemon.post(event(alias, data)).text == "ok"
    assert daemon.post(event(alias.lower(), data)).text == "ok"
    assert [e["event"] for e in daemon.stop().events()] == [real, real]


def test_busy(start):
    """Large bodies held at one time have a limit; what is above it is to come again later. Small ones are served."""
    size = 1 << 20
    daemon = start(limits={"body": size, "in_flight": 2 * size})
    body = as_bytes(OK_BODY).ljust(size)
    with daemon.connect() as first, daemon.connect() as second:
        for client in first, second:
            client.send(request(body)[:-1])
        answer = wait_for(lambda: refused(daemon.post(body)), "503")
        assert (answer.status, answer.text) == (503, "Busy")
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert daemon.serves()
        for client in first, second:
            assert client.ask(b" ").status == 200
    assert daemon.post(body).status == 200


def refused(answer):
    return answer if answer.status != 200 else None
