#!/usr/bin/env python3
"""Follows the log on many streams at once: followers.py PORT COUNT AFTER

Prints "open" when all are, then reads; each must see each sequence once and in order. At
the end of its input it is told up to which record, reads on until all streams are there,
and prints how many bytes came. One that is ended connects again, as any client does. It
gives way to who is measured, for elsewhere it would be on other machines."""

import os
import re
import selectors
import socket
import sys
import time

PATIENCE = 600
IDS = re.compile(rb"^id: (\d+)\nevent: (?!end)", re.M)


class Follower:
    def __init__(self, port, after):
        self.port, self.last, self.bytes, self.connections = port, after, 0, 0
        self.socket = None

    def connect(self):
        self.connections += 1
        self.rest = b""
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.sendall(
            f"GET /log/stream?after={self.last} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            .encode())
        return self.socket

    def read(self):
        """False at the end of the connection."""
        more = self.socket.recv(1 << 18)
        self.bytes += len(more)
        text = self.rest + more
        whole = text.rfind(b"\n\n") + 2
        for found in IDS.finditer(text, 0, whole):
            if int(found[1]) != self.last + 1:
                sys.exit(f"{int(found[1])} comes behind {self.last}")
            self.last += 1
        self.rest = text[whole:]
        return bool(more)


def turn(selector, wait):
    for key, _ in selector.select(wait):
        if key.data is None:
            return False
        if not key.data.read():
            selector.unregister(key.fileobj)
            key.fileobj.close()
            selector.register(key.data.connect(), selectors.EVENT_READ, key.data)
    return True


def main():
    port, count, after = map(int, sys.argv[1:])
    os.nice(19)
    selector = selectors.DefaultSelector()
    followers = [Follower(port, after) for _ in range(count)]
    for each in followers:
        selector.register(each.connect(), selectors.EVENT_READ, each)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("open", flush=True)
    while turn(selector, 1):
        pass
    selector.unregister(sys.stdin)
    head, deadline = int(sys.stdin.readline()), time.monotonic() + PATIENCE
    while min(each.last for each in followers) < head:
        if time.monotonic() > deadline:
            sys.exit(f"a stream stands at {min(each.last for each in followers)}")
        turn(selector, 1)
    print(sum(each.bytes for each in followers),
          sum(each.connections for each in followers) - count)


if __name__ == "__main__":
    main()
