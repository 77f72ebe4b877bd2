"""Readers that ask for more than there is, and a PostgreSQL that hangs: writes and look-ups
go on, and nothing works on for who is gone."""

import json
import select
import socket
import struct
import threading
import time
import unittest

from harness import PATIENCE, Server
from postgres import Postgres
from served import person
from tables import Locked, query
from wire import Wire

LIST = "/events?properties=%7B%22n%22%3A1%7D"


class Readers(unittest.TestCase):
    threads = "16"

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)

    def setUp(self):
        self.addCleanup(self.postgres.thaw)
        self.server = Server(env=dict(self.postgres.settings(), QUERY_TIMEOUT="60",
                                      HTTP_THREADS=self.threads))
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()
        self.kate = self.client.post("/persons", person()).data["id"]
        self.client.get(f"/persons/{self.kate}")  # posted, before a lock keeps that off
        # Once it is posted nobody waits for the projector, which a locked table stops, too.
        self.server.wait_for(lambda: self.client.get("/persons/" + self.kate).status == 200,
                             "the person in the tables")
        self.stop = threading.Event()
        self.answers = []

    def waiting(self, words="query like '%event%'"):
        """How many of the readers' queries are under way."""
        return int(self.postgres.sql(
            "select count(*) from pg_stat_activity where application_name = 'daybook read' "
            f"and state = 'active' and {words}"))

    def send(self, path):
        one = socket.create_connection(("127.0.0.1", self.server.port), PATIENCE)
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return one

    def ask(self, path):
        """Again and again, from one connection after the other."""
        while not self.stop.is_set():
            client = self.server.client()
            try:
                self.answers.append(client.get(path).status)
            except OSError:
                pass  # cut off, as others waited
            client.close()
            time.sleep(0.01)

    def ask_with(self, count, path):
        threads = [threading.Thread(target=self.ask, args=(path,)) for _ in range(count)]
        for thread in threads:
            thread.start()

        def end():
            self.stop.set()
            for thread in threads:
                thread.join()
        self.addCleanup(end)
        return end

    def test_queries_end_where_nobody_waits_for_them(self):
        for reset in (True, False):
            with Locked(self.server, "event"):
                gone = [self.send(LIST) for _ in range(3)]
                self.server.wait_for(self.waiting, "queries that wait")
                for one in gone:
                    if reset:
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
                    one.close()
                self.server.wait_for(lambda: self.waiting() == 0, "their end")
            self.server.wait_for(lambda: self.client.get(LIST).status == 200, "reads")

    def test_one_clients_lists_leave_connections_to_others(self):
        with Locked(self.server, "event"):
            waiting = [self.send(LIST) for _ in range(4)]
            self.server.wait_for(self.waiting, "queries that wait")
            most = 0
            while self.client.get("/health").status == 200:
                most = max(most, self.waiting())
            self.assertLessEqual(most, 4)
            for one in waiting:
                self.assertIn(b" 503 ", one.recv(64))
                one.close()

    def test_more_lists_than_one_client_may_have_are_told_so(self):
        with Locked(self.server, "event"):
            waiting = [self.send(LIST) for _ in range(4)]
            self.server.wait_for(self.waiting, "queries that wait")
            refused = self.client.get(LIST)
            self.assertIn(refused.status, (429, 503))
            if refused.status == 429:
                self.assertIn("lists under way", refused.details)
            self.assertTrue(refused.headers["Retry-After"].isdigit())
            for one in waiting:
                one.close()

    def test_while_it_hangs_reads_are_refused_at_once_and_writes_go_on(self):
        self.client.get(f"/persons/{self.kate}")
        self.postgres.freeze()
        end = self.ask_with(40, f"/persons/{self.kate}")
        self.server.wait_for(lambda: self.health().status == 503, "word that it hangs")
        self.assertIn("has not answered", self.health().details)
        for _ in range(20):
            client = self.server.client()
            self.assertEqual(client.post("/persons", person()).status, 201)
            client.close()
        self.answers.clear()
        self.server.wait_for(lambda: len(self.answers) > 100, "refusals")
        end()
        self.assertEqual(set(self.answers), {503})
        for path in (f"/persons/{self.kate}", "/persons", "/events"):
            answer = self.client_anew().get(path)
            self.assertEqual(answer.status, 503)
            self.assertTrue(answer.headers["Retry-After"].isdigit())
            self.assertIn("PostgreSQL", answer.details)
        self.postgres.thaw()
        self.server.wait_for(
            lambda: self.client_anew().get(f"/persons/{self.kate}").status == 200, "reads")
        self.assertEqual(self.health().status, 200)

    def test_writes_on_kept_connections_go_on_while_persons_are_waited_for(self):
        """Few threads wait for what comes on those that idle."""
        read = f"GET /persons/{self.kate} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        body = json.dumps({"event_type": "click", "person_id": self.kate})
        kept = [Wire(self.server.port) for _ in range(8)]
        for wire in kept * 2:
            wire.send(read)
            self.assertEqual(wire.answer()[0], 200)
        with Locked(self.server, "person"):
            for wire in kept[:6]:
                wire.send(read)
                time.sleep(0.05)
            for wire in kept[6:]:
                wire.send("POST /events HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Type: application/json\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n{body}")
            for wire in kept[6:]:
                self.assertEqual(wire.answer()[0], 201)
            sockets = [wire.socket for wire in kept[:6]]
            self.assertEqual(select.select(sockets, [], [], 0)[0], [])
        for wire in kept[:6]:
            self.assertIn(wire.answer()[0], (200, 503))
        for wire in kept:
            wire.close()

    def test_a_put_is_answered_without_events_while_it_hangs(self):
        self.postgres.freeze()
        self.server.wait_for(lambda: self.health().status == 503, "word that it hangs")
        answer = self.client_anew().put(f"/persons/{self.kate}", person())
        self.assertEqual(answer.status, 200)
        self.assertIn("events are not shown", answer.details)
        self.postgres.thaw()

    def client_anew(self):
        client = self.server.client()
        self.addCleanup(client.close)
        return client

    def health(self):
        client = self.server.client()
        try:
            return client.get("/health")
        finally:
            client.close()

    def test_a_list_that_no_index_finds_is_refused(self):
        for wanted in ("{}", '{"a":{}}', '{"a":[]}', '{"a":[{}],"b":{"c":[[]]}}'):
            answer = self.client.get("/events?properties=" + wanted)
            self.assertEqual(answer.status, 400, wanted)
            self.assertIn("properties", answer.body.decode())
            answer = self.client.get(f"/events?person_id={self.kate}&properties={wanted}")
            self.assertEqual(answer.status, 200, wanted)
        for wanted in ('{"a":{"b":null}}', '{"a":[true]}', '{"a":[{"b":""}]}', '{"a":-1}'):
            answer = self.client.get("/events?properties=" + wanted)
            self.assertEqual(answer.status, 200, wanted)


if __name__ == "__main__":
    unittest.main()
