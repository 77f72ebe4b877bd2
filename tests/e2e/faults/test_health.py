"""GET /health, and daybook status, say when the server does not do what it is there for."""

import errno
import json
import time
import unittest

from disk import Disk
from harness import Server
from served import person
from tables import Locked, query, refuse_bad


class Health(unittest.TestCase):
    def start(self, server):
        self.server = server
        self.addCleanup(server.close)
        server.start()
        self.client = server.client()
        server.wait_for(lambda: self.client.get("/health").status == 200, "a good start")

    def post(self):
        return self.client.post("/persons", person()).status

    def assert_ill(self, key, *saying, code=1):
        """503 while it still hangs; status says the same."""
        answer = self.client.get("/health")
        self.assertEqual(answer.status, 503, answer.body)
        self.assertEqual(answer.data["status"], "degraded")
        self.assertNotEqual(answer.data[key], "ok")
        self.assertEqual(answer.json["response"]["status"], 503)
        self.assertIsNotNone(answer.headers["Retry-After"])
        for words in saying:
            self.assertIn(words, answer.details)
        if code is None:
            return
        done = self.server.run("status", check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^server +not well: ")

    def well_again(self):
        # Who signs has met the same disk, and tries again by itself.
        self.server.wait_for(
            lambda: (self.client.get("/health").data or {}).get("status") == "ok",
            "well again")
        answer = self.client.get("/health")
        self.assertEqual(answer.status, 200)
        self.assertEqual((answer.data["status"], answer.data["writes"], answer.data["reads"]),
                         ("ok", "ok", "ok"))
        done = self.server.run("status", "--json")
        self.assertEqual(json.loads(done.stdout)["server"]["health"], 200)


class Writes(Health):
    def test_a_disk_that_fails_is_told_until_it_works_also_where_nobody_writes(self):
        server = Server()
        disk = Disk(server.data_dir)
        self.addCleanup(disk.close)
        without = dict(server.env)
        server.env.update(disk.environment())
        self.start(server)
        server.env = without  # of what looks at it from beside
        for error, words in ((errno.EIO, "disk failed"), (errno.ENOSPC, "disk is full")):
            with self.subTest(words):
                seen = len(self.server.told())
                disk.fail("sync", error=error)
                for _ in range(20):
                    self.assertEqual(self.post(), 503)
                self.assert_ill("writes", "Writes fail", words)
                told = self.server.told()[seen:]
                self.assertEqual(told.count("error writes fail, and"), 1)
                self.assertLessEqual(told.count("reopened the log"), 1)
                disk.heal()
                self.well_again()
                self.assertEqual(self.post(), 201)
                self.assertEqual(self.server.told()[seen:].count("writes to the log work again"), 1)


class Reads(Health):
    def test_tables_that_are_gone(self):
        self.start(Server())
        query(self.server, "alter table person rename to gone")
        self.server.wait_for(lambda: self.client.get("/health").status == 503, "noticing")
        self.assert_ill("reads", "read tables cannot be asked", code=3)
        self.assertEqual(self.client.get("/health").data["writes"], "ok")
        self.assertEqual(self.post(), 201)
        query(self.server, "alter table gone rename to person")
        self.well_again()

    def test_tables_that_fall_behind_and_a_postgresql_that_hangs(self):
        self.start(Server(env={"LAG_MAX": "1"}))
        self.assertEqual(self.post(), 201)
        with Locked(self.server, "person"):
            self.assertEqual(self.post(), 201)
            self.server.wait_for(lambda: self.client.get("/health").status == 503,
                                 "noticing")
            self.assert_ill("reads", code=None)  # it would wait for the table
            self.assertEqual(self.client.get("/health").data["projection"], "following")
        self.well_again()

    def test_a_quarantined_person_is_no_reason_to_send_clients_elsewhere(self):
        self.start(Server())
        refuse_bad(self.server)
        self.assertEqual(self.client.post("/persons", person(first_name="bad")).status, 201)
        self.server.wait_for(
            lambda: self.client.get("/health").data["quarantined"] == 1, "setting it aside")
        answer = self.client.get("/health")
        self.assertEqual((answer.status, answer.data["status"]), (200, "degraded"))
        self.assertEqual(self.server.run("status", check=False).returncode, 1)

    def test_a_server_that_is_not_there_is_not_asked(self):
        self.start(Server())
        self.server.kill()
        done = self.server.run("status", "--json")
        self.assertIsNone(json.loads(done.stdout)["server"])
        self.server.start()
        self.server.stop()
        self.assertNotIn("server ", self.server.run("status").stdout)


if __name__ == "__main__":
    unittest.main()
