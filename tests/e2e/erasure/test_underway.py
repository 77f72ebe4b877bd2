"""What was begun before an erasure and goes on behind it says no more of the person than what
it had read by then."""

import http.client
import json
import os
import subprocess
import tempfile
import unittest

from harness import PATIENCE, PROGRAM, Server

MARK = "markerzqx"
EVENTS, BATCHES = 400, 20  # of 4,000 bytes: far more than lies in pipes and sockets


class UnderWay(unittest.TestCase):
    def setUp(self):
        self.server = Server(private=True, env={"SEALED": "true"})
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()
        made = self.client.post("/persons", {"email": f"{MARK}@x.test", "first_name": MARK,
                                             "last_name": MARK})
        self.assertEqual(made.status, 201, made.details)
        self.person = made.data["id"]
        event = {"event_type": "seen", "person_id": self.person,
                 "properties": {"text": f"{MARK} " * 400}}
        for _ in range(BATCHES):
            written = self.client.post("/events/batch", [event] * EVENTS)
            self.assertEqual(written.status, 200, written.details)

    def erase(self):
        done = self.client.delete(f"/persons/{self.person}?erase=true")
        self.assertEqual(done.status, 200, done.body[:300])
        return done.data["records"]

    def assert_broken_off(self, said, records):
        """It began with what there was, and went on with what there is."""
        count = said.count(b'"text"')
        self.assertGreater(count, 0)
        self.assertLess(count, records / 2)

    def test_an_export_that_says_the_texts(self):
        process = subprocess.Popen(
            [PROGRAM, "export", "--unseal", "--data-dir", self.server.data_dir],
            env=self.server.env, cwd=self.server.data_dir, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, PATIENCE)
        first = os.read(process.stdout.fileno(), 1 << 16)
        records = self.erase()
        said = first + process.stdout.read()
        self.assert_broken_off(said, records)
        self.assertEqual(said.count(b'"event.recorded"'), EVENTS * BATCHES + 1)
        self.assertIs(json.loads(said.splitlines()[-1])["export"]["source"]["unsealed"], True)

    def test_what_is_held_of_the_person(self):
        """It would look like all there ever was."""
        with self.assertRaises(http.client.IncompleteRead) as cut:
            self.go_on_with(f"/persons/{self.person}/export")
        self.assertNotIn(b'"message":"Ok"', cut.exception.partial)
        self.server.wait_for(lambda: "erased meanwhile" in self.server.told(), "its line")

    def test_pages_of_the_log(self):
        json.loads(self.go_on_with("/log?limit=10000"))

    def go_on_with(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port,
                                                timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        answer = connection.getresponse()
        first = answer.read(1 << 16)
        records = self.erase()
        said = first
        try:
            said += answer.read()
        except http.client.IncompleteRead as cut:
            said += cut.partial
            raise
        finally:
            self.assert_broken_off(said, records)
        return said


if __name__ == "__main__":
    unittest.main()
