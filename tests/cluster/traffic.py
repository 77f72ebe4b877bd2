"""Clients of several servers that are one: they write where they happen to be connected, and
go on where they are told to."""

import http.client
import random
import time
import urllib.parse

from load import Load, LoadClient

PATIENCE = 90  # seconds for an answer; a frozen server gives none until it is thawed


class Traffic(Load):
    """nodes: where to; it is given as the server, which has them by its .all."""

    def nodes(self):
        return [node for node in self.server.all if node.up]

    def stop(self):
        try:
            super().stop()
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}\n{self.server.tail()}") from None


class TrafficClient(LoadClient):
    def __init__(self, load, chance, name):
        super().__init__(load, chance, name)
        self.to = None       # the port of whoever was said to lead
        self.place = random.Random(name)  # not the chance of the writes: time has a say in it

    def connect(self):
        if self.connection and self.connection.sock:
            return True
        nodes = self.load.nodes()
        node = next((one for one in nodes if one.port == self.to), None)
        self.to = None
        if not node and nodes:
            node = self.place.choice(nodes)
        if not node:
            time.sleep(0.05)
            return False
        self.connection = http.client.HTTPConnection("127.0.0.1", node.port,
                                                     timeout=PATIENCE)
        if node.connect:
            self.connection._create_connection = node.connect
        try:
            self.connection.connect()
            return True
        except OSError:
            time.sleep(0.05)
            return False

    def elsewhere(self, answer=None):
        """To the leader, where the answer names it; else to any."""
        self.connection.close()
        location = answer.headers.get("Location") if answer else None
        self.to = urllib.parse.urlsplit(location).port if location else None

    def take(self, write, answer):
        if answer.status == 307:
            self.elsewhere(answer)
            write.tries -= 1
            self.again.appendleft(write)  # it did nothing: before what comes next
            return
        if answer.status == 503:
            self.elsewhere()
            if self.place.random() < 0.5:
                time.sleep(0.2 * self.place.random())
        super().take(write, answer)
        if write.kind == "event" and answer.status == 201 and self.place.random() < 0.1:
            self.look(f"/events/{answer.data['id']}")

    def look(self, path):
        """What was acknowledged is there, whoever is asked; or he says that he cannot tell."""
        self.elsewhere()
        try:
            if not self.connect():
                return
            self.doing = f"GET {path} at {self.connection.port}"
            self.connection.request("GET", path)
            response = self.connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return
        if response.status not in (200, 503):
            self.wrong(f"acknowledged, and then GET {path} is {response.status}")

    def doubt(self, write):
        if self.connection:
            self.connection.close()
        super().doubt(write)


Traffic.client = TrafficClient
