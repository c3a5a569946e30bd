"""A client of the event stream that sees each of its events as it comes, and one that follows over any number of cuts."""

import http.client
import json
import urllib.parse
from typing import NamedTuple

from ctl_tools import UnixConnection, store_of
from harness import PATIENCE_S

GONE = (ConnectionError, http.client.HTTPException, OSError, ValueError)


class Sent(NamedTuple):
    """One event of the stream. id: None where it has none; kind "": a comment."""

    id: int
    kind: str
    data: dict


class Stream:
    """An open one. Its status is other than 200 where it was refused; then said has the sentence."""

    def __init__(self, daemon, last_event_id=None, address=None, token=None, **query):
        """address: of the TCP door; else the control socket."""
        self.connection = (http.client.HTTPConnection(*address, timeout=PATIENCE_S) if address else
                           UnixConnection(f"{store_of(daemon)}.control"))
        headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        headers.update({"Authorization": f"Bearer {token}"} if token else {})
        headers.update(query.pop("headers", {}))
        self.connection.request("GET", "/api/stream?" + urllib.parse.urlencode(query), headers=headers)
        self.answer = self.connection.getresponse()
        self.status, self.headers = self.answer.status, self.answer.headers
        self.said = "" if self.status == 200 else json.loads(self.answer.read())["error"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.answer.close()
        self.connection.close()

    def next(self):
        """The next event, None at the end."""
        fields, comment = {}, False
        while line := self._line():
            if line == "\n" and (comment or set(fields) - {"retry"}):
                data = json.loads(fields["data"]) if "data" in fields else None
                number = fields.get("id")
                return Sent(int(number) if number else None, fields.get("event", ""), data)
            name, _, value = line.rstrip("\n").partition(":")
            comment |= not name
            if name:
                assert name not in fields, line
                fields[name] = value.removeprefix(" ")
        return None

    def _line(self):
        """Without its end it is nothing: what follows was cut off."""
        try:
            line = self.answer.readline().decode()
        except GONE:
            return ""
        return line if line.endswith("\n") else ""

    def until(self, wanted):
        """All events up to the first for which wanted is true."""
        events = []
        while not events or not wanted(events[-1]):
            event = self.next()
            assert event, f"the stream ended after {events[-3:]}"
            events.append(event)
        return events

    def lines(self, n):
        """The next n records of the log."""
        return [self.until(lambda event: event.kind == "log")[-1].data for _ in range(n)]

    def some_bytes(self, n, last):
        """That many as they come, or up to what has these in it."""
        some = b""
        while len(some) < n and last not in some:
            some += self.answer.read1(n - len(some))
        return some
