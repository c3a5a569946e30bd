"""Requests as they should not come, byte by byte: what nginx (1.22) answers, what the daemon answers, and why where they differ.

Each is sent with a sound one behind it, so that it shows where the first one is thought to end. Statuses are in the order
in which they came; "" is an end without an answer. Events: which of the two were stored.
"""

import json
from typing import NamedTuple

from harness import PATH, as_bytes, call911

NUMBER = 10_000_000  # of digits of the call: all bodies are of one size


def body_of(call_id):
    return as_bytes(call911(call_id))


SIZE = len(body_of(NUMBER))
HALF = SIZE // 2


class Row(NamedTuple):
    head: str  # {n} the size of the body, {x} the same in hexadecimal
    nginx: str = "200 200"
    ours: str = "200 200"
    why: str = ""
    body: str = "{body}"  # {a} and {b}: its halves, {ax} and {bx}: their sizes in hexadecimal


def post(*lines, target=PATH, version="HTTP/1.1", method="POST", host="Host: test"):
    first = f"{method} {target} {version}" if version else f"{method} {target}"
    return "".join(f"{line}\r\n" for line in [first, *([host] if host else []), *lines, ""])


def chunks(text):
    return {"head": post("Transfer-Encoding: chunked"), "body": text}


LENGTH = "Content-Length: {n}"
CHUNKED = "Transfer-Encoding: chunked"
WHOLE = "{x}\r\n{body}\r\n0\r\n\r\n"

ROWS = {
    # How long the body is
    "length": Row(post(LENGTH)),
    "chunks": Row(**chunks(WHOLE)),
    "two chunks": Row(**chunks("{ax}\r\n{a}\r\n{bx}\r\n{b}\r\n0\r\n\r\n")),
    "length and chunks": Row(post(LENGTH, CHUNKED), body=WHOLE, nginx="400", ours="400"),
    "chunks and length": Row(post(CHUNKED, LENGTH), body=WHOLE, nginx="400", ours="400"),
    "chunks and length 0": Row(post(CHUNKED, "Content-Length: 0"), body=WHOLE, nginx="400", ours="400"),
    "length twice, the same": Row(post(LENGTH, LENGTH), nginx="400", ours="400"),
    "length twice, another": Row(post(LENGTH, "Content-Length: 5"), nginx="400", ours="400"),
    "length twice, another first": Row(post("Content-Length: 5", LENGTH), nginx="400", ours="400"),
    "length, a list": Row(post("Content-Length: {n}, {n}"), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "length, with a sign": Row(post("Content-Length: +{n}"), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "length, negative": Row(post("Content-Length: -1"), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "length, hexadecimal": Row(post("Content-Length: 0x{x}"), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "length, blanks behind": Row(post("Content-Length: {n}  "), ours="400 400",
        why="libmicrohttpd 0.9 leaves blanks behind a value and then refuses the number; the connection ends"),
    "length, a tab before": Row(post("Content-Length:\t{n}"), nginx="400",
        why="RFC 9110, 5.5: a tab is a blank; both see the same end"),
    "length, no blank before": Row(post("Content-Length:{n}")),
    "length, letters behind": Row(post("Content-Length: {n}x"), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "length, with a fraction": Row(post("Content-Length: {n}.0"), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "length, empty": Row(post("Content-Length: "), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "length, zeros before": Row(post("Content-Length: 000{n}")),
    "length of 64 bits and more": Row(post("Content-Length: 18446744073709551617"), nginx="400", ours="413 413",
        why="it is larger than limits.body, whatever its number is; the connection ends"),
    "length of 63 bits": Row(post("Content-Length: 9223372036854775808"), nginx="400", ours="413",
        why="it is larger than limits.body, whatever its number is; the connection ends"),
    "length, a blank before the colon": Row(post("Content-Length : {n}"), nginx="400", ours="400"),
    "length, a tab before the colon": Row(post("Content-Length\t: {n}"), nginx="400", ours="400"),
    "length in the next line": Row(post("Content-Length:\r\n {n}"), nginx="400", ours="400"),
    "length, a blank line's first": Row(post(" Content-Length: {n}"), nginx="400", ours="400 400",
        why="a folded line, refused by both; libmicrohttpd 0.9 says the head of its answer twice"),
    "length, with underscore": Row(post("Content_Length: {n}"), nginx="400 400", ours="400",
        why="without a length there is no body, so the next line is one of a request: refused by both, here with the connection's end"),
    "neither": Row(post("X: y"), nginx="400 400", ours="400",
        why="without a length there is no body: an event is missing, and the connection ends"),
    # The coding
    "coding in capitals": Row(post("Transfer-Encoding: CHUNKED"), body=WHOLE),
    "coding identity": Row(post("Transfer-Encoding: identity", LENGTH), nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding gzip and chunked": Row(post("Transfer-Encoding: gzip, chunked"), body=WHOLE, nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding chunked twice": Row(post("Transfer-Encoding: chunked, chunked"), body=WHOLE, nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding in two lines": Row(post(CHUNKED, CHUNKED), body=WHOLE, nginx="400", ours="400"),
    "coding in two lines, identity last": Row(post(CHUNKED, "Transfer-Encoding: identity"), body=WHOLE, nginx="400", ours="400"),
    "coding xchunked": Row(post("Transfer-Encoding: xchunked"), body=WHOLE, nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding xchunked and a length": Row(post("Transfer-Encoding: xchunked", LENGTH), nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding chunkedx": Row(post("Transfer-Encoding: chunkedx"), body=WHOLE, nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding in quotes": Row(post('Transfer-Encoding: "chunked"'), body=WHOLE, nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding, a comma behind": Row(post("Transfer-Encoding: chunked,"), body=WHOLE, nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding, a blank before the colon": Row(post("Transfer-Encoding : chunked"), body=WHOLE, nginx="400", ours="400"),
    "coding, a blank before the colon, and a length": Row(post("Transfer-Encoding : chunked", LENGTH), nginx="400", ours="400"),
    "coding, a tab before": Row(post("Transfer-Encoding:\tchunked"), body=WHOLE, nginx="501",
        why="RFC 9110, 5.5: a tab is a blank; both see the same end"),
    "coding, a vertical tab before": Row(post("Transfer-Encoding: \vchunked", LENGTH), nginx="501", ours="400",
        why="refused by both: 400 for all that is wrong with a body's length"),
    "coding in the next line": Row(post("Transfer-Encoding:\r\n chunked"), body=WHOLE, nginx="400", ours="400"),
    "coding behind a line feed alone": Row(post("X: y\nTransfer-Encoding: chunked"), body=WHOLE),
    "coding behind a carriage return alone": Row(post("X: y\rTransfer-Encoding: chunked", LENGTH), nginx="400",
        why="libmicrohttpd 0.9 takes it for a letter of the value, so the length counts; 1.0 refuses it"),
    "chunks in HTTP/1.0": Row(post(CHUNKED, version="HTTP/1.0"), body=WHOLE, nginx="400", ours="200",
        why="an old proxy may send them; the connection ends behind the answer, so nothing comes of what is behind"),
    # Chunks
    "chunk's size in capitals": Row(**chunks("{X}\r\n{body}\r\n0\r\n\r\n")),
    "chunk's size with zeros": Row(**chunks("000{x}\r\n{body}\r\n0\r\n\r\n")),
    "chunk's size with 0x": Row(**chunks("0x{x}\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's size with a sign": Row(**chunks("+{x}\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's size, a blank before": Row(**chunks(" {x}\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's size, a blank behind": Row(**chunks("{x} \r\n{body}\r\n0\r\n\r\n"), ours="400",
        why="no blanks there in RFC 9112, 7.1; the connection ends"),
    "chunk's size empty": Row(**chunks("\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's size no number": Row(**chunks("xyz\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's size of 68 bits": Row(**chunks("100000000000000{x}\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="413",
        why="it is larger than limits.body, whatever its number is; the connection ends"),
    "chunk's extension": Row(**chunks("{x};a=b\r\n{body}\r\n0\r\n\r\n")),
    "chunk's extension with a line feed": Row(**chunks("{x};a\nb\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's extension in quotes with a line": Row(**chunks('{x};a="\r\n"\r\n{body}\r\n0\r\n\r\n'), nginx="400", ours="400"),
    "chunk's line ends with a line feed": Row(**chunks("{x}\n{body}\r\n0\r\n\r\n")),
    "chunk's line ends with a carriage return": Row(**chunks("{x}\r{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's data ends with a line feed": Row(**chunks("{x}\r\n{body}\n0\r\n\r\n")),
    "chunk's data ends with nothing": Row(**chunks("{x}\r\n{body}0\r\n\r\n"), nginx="400", ours="400"),
    "chunk's data is longer": Row(**chunks("{ax}\r\n{body}\r\n0\r\n\r\n"), nginx="400", ours="400"),
    "last chunk 00": Row(**chunks("{x}\r\n{body}\r\n00\r\n\r\n")),
    "last chunk with a line feed": Row(**chunks("{x}\r\n{body}\r\n0\n\r\n")),
    "last line a line feed": Row(**chunks("{x}\r\n{body}\r\n0\r\n\n")),
    "trailer": Row(**chunks("{x}\r\n{body}\r\n0\r\nX: y\r\n\r\n")),
    "trailer with a length": Row(**chunks("{x}\r\n{body}\r\n0\r\nContent-Length: 5\r\n\r\n")),
    "trailer with a coding": Row(**chunks("{x}\r\n{body}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    "trailer without a colon": Row(**chunks("{x}\r\n{body}\r\n0\r\nabc\r\n\r\n"), ours="400",
        why="no header; the connection ends"),
    # The request line
    "line breaks before": Row("\r\n" + post(LENGTH)),
    "three line breaks before": Row("\r\n\r\n\r\n" + post(LENGTH)),
    "a line feed before": Row("\n" + post(LENGTH)),
    "a blank before": Row(" " + post(LENGTH), nginx="400", ours="400"),
    "line feeds alone": Row(post(LENGTH).replace("\r\n", "\n")),
    "carriage returns alone": Row(post(LENGTH).replace("\r\n", "\r"), nginx="400", ours="",
        why="no end of a line was seen in time"),
    "two blanks": Row(post(LENGTH, target=" " + PATH)),
    "tabs": Row(post(LENGTH).replace(" ", "\t", 2), nginx="400", ours="400"),
    "a blank behind the version": Row(post(LENGTH, version="HTTP/1.1 "), ours="400",
        why="RFC 9112, 3: nothing stands behind the version; the connection ends"),
    "version in small letters": Row(post(LENGTH, version="http/1.1"), nginx="400", ours="400"),
    "version 1.2": Row(post(LENGTH, version="HTTP/1.2")),
    "version 1.10": Row(post(LENGTH, version="HTTP/1.10"), ours="400",
        why="a version has one digit, RFC 9112, 2.3; the connection ends"),
    "version 2.0": Row(post(LENGTH, version="HTTP/2.0"), nginx="505", ours="505"),
    "version 0.9": Row(post(LENGTH, version="HTTP/0.9"), nginx="400", ours="505",
        why="a version that is not spoken, said so"),
    "version 1": Row(post(LENGTH, version="HTTP/1"), nginx="400", ours="400"),
    "no version": Row(post(LENGTH, version=""), nginx="", ours="400",
        why="HTTP/0.9 is not spoken"),
    "method in small letters": Row(post(LENGTH, method="post"), nginx="400", ours="405 200",
        why="methods are any letters, and this one has no row: 405, and the next request is served"),
    "method with a comma": Row(post(LENGTH, method="PO,ST"), nginx="400", ours="400"),
    "method unknown": Row(post(LENGTH, method="BREW"), nginx="405 200", ours="405 200"),
    "method PUT": Row(post(LENGTH, method="PUT"), nginx="405 200", ours="405 200"),
    "method CONNECT": Row(post(LENGTH, method="CONNECT", target="test:80"), nginx="400", ours="404 200",
        why="no row has its target: 404, and the next request is served"),
    "target absolute": Row(post(LENGTH, target="http://test" + PATH)),
    "target with a NUL": Row(post(LENGTH, target=PATH + "\0"), nginx="400",
        why="libmicrohttpd 0.9 ends the path there; 1.0 refuses it. The boundary is the same"),
    "target with NUL escaped": Row(post(LENGTH, target=PATH + "%00"), nginx="400", ours="404 200",
        why="no row has that path: 404, and the next request is served"),
    "target with a fragment": Row(post(LENGTH, target=PATH + "#x"), nginx="404 200", ours="404 200"),
    "target with a query": Row(post(LENGTH, target=PATH + "?x=y")),
    "target without a slash": Row(post(LENGTH, target="sonorancad/event"), nginx="400",
        why="libmicrohttpd takes it for a path; which one is of no matter, all of it is ours"),
    "target with dots": Row(post(LENGTH, target="/x/.." + PATH), nginx="404 200", ours="404 200"),
    "target with two slashes": Row(post(LENGTH, target="/" + PATH)),
    "target with a letter escaped": Row(post(LENGTH, target="/sonorancad/%65vent"), nginx="404 200", ours="404 200"),
    "target with half an escape": Row(post(LENGTH, target=PATH + "%6"), nginx="400", ours="404 200",
        why="no row has that path: 404, and the next request is served"),
    "target with 8 bits": Row(post(LENGTH, target=PATH + "\xe9"), nginx="404 200", ours="404 200"),
    # Other headers
    "no host": Row(post(LENGTH, host=""), nginx="400", ours="400 400",
        why="libmicrohttpd refuses it too, and 0.9 says the head of that answer twice; the connection ends"),
    "host twice": Row(post("Host: other", LENGTH), nginx="400",
        why="nothing here depends on the host"),
    "host with a path": Row(post(LENGTH, host="Host: test/x"), nginx="400",
        why="nothing here depends on the host"),
    "host empty": Row(post(LENGTH, host="Host:"), nginx="400",
        why="nothing here depends on the host"),
    "header without a colon": Row(post("abc", LENGTH), ours="400",
        why="no header, RFC 9112, 5; the connection ends"),
    "header without a name": Row(post(": abc", LENGTH), nginx="400", ours="400"),
    "header's name with a blank": Row(post("a b: c", LENGTH), nginx="400", ours="400"),
    "header's name with 8 bits": Row(post("\xe9: c", LENGTH)),
    "header with a NUL": Row(post("X: a\0b", LENGTH), nginx="400",
        why="libmicrohttpd 0.9 ends the value there; 1.0 refuses it. The boundary is the same"),
    "header with a carriage return": Row(post("X: a\rb", LENGTH), nginx="400",
        why="libmicrohttpd 0.9 takes it for a letter of the value; 1.0 refuses it"),
    "header folded": Row(post("X: a\r\n b", LENGTH), nginx="400", ours="400"),
    "100 headers": Row(post(*[f"X{i}: y" for i in range(100)], LENGTH)),
    "header of 7 K": Row(post("X: " + 7000 * "y", LENGTH)),
    "expects 100": Row(post("Expect: 100-continue", LENGTH)),
    "expects something else": Row(post("Expect: cake", LENGTH)),
    "upgrade to HTTP/2": Row(post("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA", LENGTH)),
    "upgrade to websocket": Row(post("Connection: Upgrade", "Upgrade: websocket", LENGTH)),
    "connection close": Row(post("Connection: close", LENGTH), nginx="200", ours="200"),
    "connection close and more": Row(post("Connection: close, x", LENGTH), nginx="200", ours="200"),
    "coding of content": Row(post("Content-Encoding: gzip", LENGTH), nginx="415 200", ours="415 200"),
    "preface of HTTP/2": Row("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", body="", nginx="400", ours="400"),
}


def raw_of(row, call_id):
    """Latin 1, so that each letter is a byte."""
    body = body_of(call_id).decode()
    words = {"n": SIZE, "x": f"{SIZE:x}", "X": f"{SIZE:X}", "body": body, "a": body[:HALF], "b": body[HALF:],
             "ax": f"{HALF:x}", "bx": f"{SIZE - HALF:x}"}
    text = row.head + row.body
    for name, value in words.items():
        text = text.replace("{" + name + "}", str(value))
    return text.encode("latin-1")
