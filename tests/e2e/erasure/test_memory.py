"""What was said of a person who was erased is in nobody's memory any more: not in the
server's, whose connections are still open, and not in that of its private PostgreSQL."""

import gzip
import json
import os
import socket
import unittest

import places
from harness import PATIENCE, Server
from postgres import processes_in

MARK = "markerzqx"
EVENTS = 200
CONNECTIONS = 6


class Remembered(unittest.TestCase):
    def setUp(self):
        # A sanitizer's allocator keeps what was freed for a while, and can overwrite it.
        options = os.environ.get("ASAN_OPTIONS", "")
        self.server = Server(private=True, env={
            "SEALED": "true", "ASAN_OPTIONS": f"{options}:max_free_fill_size={1 << 30}"})
        self.addCleanup(self.server.close)
        self.server.start()
        self.clients = [self.server.client() for _ in range(CONNECTIONS)]

    def ask(self, method, path, body=None, status=200, client=None, **headers):
        client = client or self.clients[0]
        answer = client.request(method, path, body, headers)
        self.assertEqual(answer.status, status, (method, path, answer.body[:500]))
        return answer

    def person(self, name):
        return self.ask("POST", "/persons", {
            "email": f"{name}@x.test", "first_name": name, "last_name": name,
            "external_id": f"ext-{name}", "properties": {"plan": name}}, 201).data["id"]

    def event(self, name, person, n=0):
        return {"event_type": f"type {name}", "person_id": person,
                "properties": {"name": name, "long": f"{n} {name} " * 20}}

    def write(self, name, person):
        """Alone and together, in every way a body may come; and what is refused."""
        for n in range(EVENTS):
            self.ask("POST", "/events", self.event(name, person, n), 201,
                     self.clients[n % CONNECTIONS])
        batch = [self.event(name, person, n) for n in range(EVENTS)]
        self.ask("POST", "/events/batch", batch)
        self.ask("POST", "/events/batch", gzip.compress(json.dumps(batch).encode()),
                 **{"Content-Encoding": "gzip"})
        self.ask("PATCH", "/persons/" + person, {"first_name": name + "2"})
        self.ask("POST", "/events", {"event_type": name + "\u0000", "person_id": person}, 400)
        self.ask("POST", "/persons", {"email": name, "first_name": name, "last_name": 7}, 400)
        self.ask("POST", "/events", {"event_type": "seen", "anonymous_id": f"anon-{name}"}, 201)
        self.ask("POST", f"/persons/{person}/aliases", {"anonymous_id": f"anon-{name}"}, 201)

    def read(self, name, person):
        quoted = "%7B%22name%22:%22" + name + "%22%7D"
        for client in self.clients:
            for path in (f"/persons/{person}", f"/persons?email={name}@x.test", "/persons",
                         f"/persons/by/external_id/ext-{name}", "/events?limit=10000",
                         f"/events?keyword=type%20{name}", f"/events?properties={quoted}",
                         f"/persons/{person}/history", f"/persons/{person}/export",
                         "/log?limit=1000"):
                self.ask("GET", path, client=client)

    def pipelined(self, person):
        """Several requests in one piece, and a body in several."""
        body = json.dumps(self.event(MARK, person)).encode()
        head = (b"POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body))
        piped = self.raw()
        piped.sendall((head + body) * 20)
        piped.sendall(b"POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                            b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        got = b""
        while got.count(b"HTTP/1.1 201") < 21:
            more = piped.recv(1 << 16)
            self.assertTrue(more, got[-500:])
            got += more

    def raw(self):
        made = socket.create_connection(("127.0.0.1", self.server.port), PATIENCE)
        self.addCleanup(made.close)
        return made

    def streams(self):
        """One that is read, and one whose client stands still."""
        for reads in True, False:
            stream = socket.socket()
            self.addCleanup(stream.close)
            if not reads:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream.settimeout(PATIENCE)
            stream.connect(("127.0.0.1", self.server.port))
            stream.sendall(b"GET /log/stream?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            got = 0 if reads else 1 << 30
            while got < 100000:
                more = len(stream.recv(1 << 16))
                self.assertGreater(more, 0)
                got += more

    def in_serve(self):
        return [("serve: " + where, *rest) for where, *rest in
                places.in_memory(self.server.process.pid, MARK)]

    def in_postgres(self):
        """What its processes share is looked at in one of them."""
        found, shared = [], set()
        for pid in processes_in(os.path.join(self.server.data_dir, "postgres")):
            here = places.in_memory(pid, MARK, skip=shared)
            shared.update(where for where, *_ in here if where.startswith("/dev/"))
            found += [("postgres: " + where, *rest) for where, *rest in here]
        return found

    def is_forgotten(self):
        """Meanwhile others are served as ever."""
        self.ask("GET", "/persons/" + self.other, client=self.server.client())
        self.left = self.in_serve() + self.in_postgres()
        return not self.left

    def test_the_mark_is_in_no_memory(self):
        marked, self.other = self.person(MARK), self.person("somebody")
        self.write(MARK, marked)
        self.write("somebody", self.other)
        self.read(MARK, marked)
        self.pipelined(marked)
        self.streams()
        self.assertTrue(self.in_serve(), "there is nothing to be shown")
        self.assertTrue(self.in_postgres(), "there is nothing to be shown")
        self.ask("DELETE", f"/persons/{marked}?erase=true")
        self.server.run("rebuild", "--scrub")
        try:
            self.server.wait_for(self.is_forgotten, "the end of the mark in memory")
        except AssertionError as late:
            self.fail(f"{late.args[0][:80]}: {places.told(self.left)}")
        self.assertNotIn("projection stands still", self.server.told())
        listed = self.ask("GET", "/persons", client=self.server.client())
        self.assertEqual([each["id"] for each in listed.data], [self.other])


if __name__ == "__main__":
    unittest.main()
