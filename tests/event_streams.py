"""Subscribers to the event stream: a WebSocket, and Server-Sent Events."""
import json
from urllib.parse import urlencode

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SECONDS = 20


def address(server, pattern, **query):
    return f"{server.addr}/v1/sys/events/subscribe/{pattern}?{urlencode({'json': 'true', **query}, doseq=True)}"


class WebSocket:
    """Follows events; `closed` is the close frame once there is one."""

    def __init__(self, server, pattern="*", token=None, headers=(), path="", **query):
        sent = {"X-Vault-Token": server.token if token is None else token, **dict(headers)}
        url = address(server, pattern, **query).replace("http://", "ws://").replace("/v1/", f"/v1/{path}", 1)
        # No compression, no proxy; the library answers pings by itself.
        self.socket = connect(url, additional_headers={name: value for name, value in sent.items() if value},
                              compression=None, proxy=None, max_queue=None, close_timeout=2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    def next(self, seconds=SECONDS):
        """The next event, as its JSON says."""
        return json.loads(self.socket.recv(timeout=seconds))

    def take(self, count):
        return [self.next() for _ in range(count)]

    def end(self, seconds=SECONDS):
        """Reads to the end; the code and reason of the close frame."""
        try:
            while True:
                self.socket.recv(timeout=seconds)
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")

    def cut(self):
        """As a lost network does: without a word."""
        self.socket.socket.close()


class Sse:
    """Follows events as a browser does."""

    def __init__(self, server, pattern="*", token=None, headers=(), **query):
        sent = {"X-Vault-Token": server.token if token is None else token, "Accept": "text/event-stream", **dict(headers)}
        self.answer = requests.get(address(server, pattern, **query), headers=sent, stream=True, timeout=SECONDS)
        self.lines = self.answer.iter_lines(chunk_size=1, decode_unicode=True)
        self.last = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answer.close()

    def next(self):
        """The next message: kind, data. Positions and comments are taken note of."""
        kind, data = "", []
        for line in self.lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "id":
                self.last = value
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif not line and data:
                return kind, json.loads("\n".join(data))
        raise EOFError("the stream ended")

    def event(self):
        """The next event; its frame must say the same as its JSON."""
        kind, event = self.next()
        assert kind == event["data"]["event_type"] and self.last == event["id"], (kind, self.last, event)
        return event

    def end(self):
        """Reads to the end; what the last message says."""
        last = None
        try:
            while True:
                last = self.next()
        except EOFError:
            assert last and last[0] == "end", last
            return last[1]


def path(event):
    return event["data"]["event"]["metadata"]["path"]


def kind(event):
    return event["data"]["event_type"]
