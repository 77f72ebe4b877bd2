"""GET /log/stream, read by hand: the answer's head, and then its blocks one by one."""

import json
import socket
import time

from exposition import scrape
from harness import PATIENCE


class Block:
    """What stands between two empty lines."""

    def __init__(self, lines):
        self.lines = lines
        self.id = self.event = self.data = self.comment = self.retry = None
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name or "comment", value.removeprefix(" ")
            if getattr(self, name) is not None:
                raise AssertionError(f"{name} comes twice: {lines}")
            setattr(self, name, value)

    @property
    def json(self):
        return json.loads(self.data)

    def __repr__(self):
        return repr(self.lines)


class Stream:
    """One connection. receive: bytes of its socket's buffer, for one that is slow."""

    def __init__(self, server, query="", headers=(), source=None, receive=None,
                 version="1.1", path="/log/stream", method="GET"):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(("127.0.0.1", server.port))
        except OSError:
            self.socket.close()
            raise
        lines = [f"{method} {path}{query} HTTP/{version}", "Host: localhost",
                 *(f"{name}: {value}" for name, value in dict(headers).items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.rest = b""
        self.status = None

    def open(self):
        """Read the head."""
        head = self._until(b"\r\n\r\n").decode().split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        return self

    def _until(self, mark):
        while mark not in self.rest:
            more = self.socket.recv(1 << 16)
            if not more:
                return None
            self.rest += more
        found, _, self.rest = self.rest.partition(mark)
        return found

    def block(self):
        """The next one, or None at the end."""
        found = self._until(b"\n\n")
        return None if found is None else Block(found.decode().split("\n"))

    def event(self):
        """The next that is one: no heartbeat, nor where it begins."""
        deadline = time.monotonic() + PATIENCE
        while block := self.block():
            if block.data is not None:
                return block
            if time.monotonic() > deadline:  # heartbeats do not end
                raise AssertionError("no event comes")
        return None

    def events(self, count):
        return [self.event() for _ in range(count)]

    def body(self):
        """What is left, up to its Content-Length."""
        length = int(self.headers["content-length"])
        while len(self.rest) < length:
            self.rest += self.socket.recv(1 << 16)
        return self.rest[:length]

    def close(self):
        self.socket.close()


def until(condition, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen")
        time.sleep(0.02)


def until_waiting(client, count):
    """Until so many streams and requests that wait are open, and no others any more."""
    until(lambda: scrape(client).get("daybook_streams") == count, f"{count} waiting")
