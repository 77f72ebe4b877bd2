"""HTTP by hand, for what no client would send."""

import socket

from harness import PATIENCE


class Wire:
    """One connection, from any loopback address: bytes out, answers in."""

    def __init__(self, port, source=None):
        self._take(socket.create_connection(("127.0.0.1", port), PATIENCE,
                                            source and (source, 0)))

    @classmethod
    def of(cls, connected):
        """The same, of a socket that is connected."""
        self = cls.__new__(cls)
        self._take(connected)
        return self

    def _take(self, connected):
        self.socket = connected
        self.stream = connected.makefile("rb")

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def answer(self, head=False):
        """The next answer: (status, headers by lower-case name, body). head: it has no
        body."""
        version, status, _ = self.stream.readline().decode().split(" ", 2)
        assert version == "HTTP/1.1", version
        headers = {}
        while line := self.stream.readline().decode().rstrip("\r\n"):
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            assert name not in headers or name == "vary", f"{name} twice"
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if head or status[0] == "1" or status in ("204", "304"):
            return int(status), headers, b""
        if headers.get("transfer-encoding") == "chunked":
            return int(status), headers, b"".join(self._chunks())
        return int(status), headers, self.stream.read(int(headers["content-length"]))

    def _chunks(self):
        while size := int(self.stream.readline(), 16):
            yield self.stream.read(size)
            assert self.stream.readline() == b"\r\n"
        assert self.stream.readline() == b"\r\n"

    def ended(self):
        """Whether the server has closed it, with nothing more to read."""
        try:
            return self.stream.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.stream.close()
        self.socket.close()


def exchange(port, data, head=False):
    """The answer to these bytes on a connection of their own, and whether the server
    closed it then (asked for only where it said that it would)."""
    wire = Wire(port)
    try:
        wire.send(data)
        status, headers, body = wire.answer(head)
        closed = headers.get("connection") == "close" and wire.ended()
        return status, headers, body, closed
    finally:
        wire.close()
