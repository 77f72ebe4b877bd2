"""Tokens that may stand in a web page, and one server that all of these ask."""

import unittest

from harness import Server
from served import Served, new_id, person

SHOP, LOCAL, EVIL = "https://shop.example", "http://localhost:3000", "https://evil.mock"


def create(server, name, *flags):
    """The secret of a new token."""
    return server.run("token", "create", name, *flags).stdout.strip()


def bearer(secret, **headers):
    return {"Authorization": "Bearer " + secret,
            **{name.replace("_", "-"): value for name, value in headers.items()}}


def told(answer):
    """The headers of an answer that are about other origins."""
    return {name: value for name, value in answer.headers.items()
            if name.startswith("Access-Control-")}


class Ingesting(Served):
    """All of these ask one server."""

    @classmethod
    def setUpClass(cls):
        if not hasattr(Ingesting, "shared"):
            Ingesting.start()
        cls.server = Ingesting.shared
        cls.client = cls.server.client()

    @classmethod
    def start(cls):
        cls.shared = Server()
        unittest.addModuleCleanup(cls.shared.close)
        cls.web = create(cls.shared, "web", "--scope", "ingest", "--origin", SHOP,
                         "--origin", LOCAL)
        cls.app = create(cls.shared, "app", "--scope", "ingest")
        cls.any = create(cls.shared, "any", "--scope", "ingest", "--origin", "*")
        cls.mixed = create(cls.shared, "mixed", "--scope", "ingest", "--scope", "read")
        cls.admin = create(cls.shared, "root", "--scope", "admin")
        cls.shared.start()

    def setUp(self):
        made = self.ask("POST", "/persons", self.admin, person())
        self.person, self.email = made.data["id"], made.data["email"]

    def ask(self, method, path, secret, body=None, **headers):
        return self.client.request(method, path, body, bearer(secret, **headers))

    def logged(self):
        """The events of the person, by id."""
        answer = self.ask("GET", f"/events?person_id={self.person}", self.admin)
        self.assertEqual(answer.status, 200, answer.body)
        return {event["id"]: event for event in answer.data}

    def event(self, **fields):
        return {"event_type": "click", "person_id": self.person, **fields}

    def refused_in_every_way(self):
        """Events that the log refuses, and one that it takes; all are well-formed."""
        gone, known = (self.ask("POST", "/events", self.admin, self.event()).data["id"]
                       for _ in range(2))
        self.assertEqual(self.ask("DELETE", "/events/" + gone, self.admin).status, 200)
        dead = self.ask("POST", "/persons", self.admin, person()).data["id"]
        self.assertEqual(self.ask("DELETE", "/persons/" + dead, self.admin).status, 200)
        return [self.event(id=new_id()), self.event(id=known),
                self.event(id=known, event_type="other"), self.event(id=gone),
                self.event(id=new_id(), person_id=new_id()),
                self.event(id=new_id(), person_id=dead)]
