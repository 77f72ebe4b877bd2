"""The ring of keys goes while the server runs: writes are refused whole, it says why in its log
and its health, and goes on when the ring is put back."""

import glob
import os
import shutil
import unittest

from served import person
from test_health import Health
from harness import Server

PROBLEM = {"Accept": "application/problem+json"}


class KeysAway(Health):
    def setUp(self):
        self.start(Server(env={"SEALED": "true", "SHOW_ERROR_DETAILS": "true"}))
        self.ring = os.path.join(self.server.data_dir, "keys", "ring")
        self.aside = self.ring + ".aside"
        self.one = self.client.post("/persons", person()).data["id"]
        self.event = self.post_event().data["id"]

    def post_event(self):
        return self.client.post("/events", {"person_id": self.one, "event_type": "click"},
                                **PROBLEM)

    def refused(self):
        """The answer to a write, once the server has seen it."""
        answers = []

        def is_refused():
            answers.append(self.post_event())
            return answers[-1].status != 201

        self.server.wait_for(is_refused, "a refused write")
        return answers[-1]

    def assert_away(self, said):
        answer = self.refused()
        self.assertEqual(answer.status, 503, answer.body)
        self.assertEqual(answer.json["type"], "/docs/errors.md#keys-away")
        self.assertIn(said, answer.json["detail"])
        head = self.client.get("/health").data["head"]
        for again in (self.client.post("/persons", person()), self.post_event(),
                      self.client.get("/events/" + self.event)):
            self.assertEqual(again.status, 503, again.body)
        click = {"person_id": self.one, "event_type": "click"}
        self.assertEqual(self.client.post("/events/batch", [click] * 3).status, 503)
        self.assertEqual(
            self.client.delete(f"/persons/{self.one}?erase=true").status, 503)
        for path in f"/persons/{self.one}", "/persons", "/events", "/events/stats?by=day":
            read = self.client.get(path, **PROBLEM)
            if read.status != 200:  # the tables are not followed; else they have all
                self.assertEqual(read.json["type"], "/docs/errors.md#keys-away", read.body)
        self.assertEqual(self.client.get("/health").data["head"], head)
        self.assert_ill("writes", said)
        self.assertIn(said, self.client.get("/health/ready").details)
        self.server.wait_for(lambda: said in self.server.told(), "a line in the log")
        self.assertNotIn("disk failed", self.server.told())
        self.assertEqual(self.client.get("/health").data["quarantined"], 0)

    def assert_back(self):
        self.well_again()
        self.assertEqual(self.post_event().status, 201)
        self.assertEqual(self.client.get("/events/" + self.event).status, 200)
        self.server.wait_for(
            lambda: self.client.get("/health").data["lag"] == 0, "the tables")
        self.assertEqual(self.client.get("/health").data["quarantined"], 0)

    def test_one_that_is_moved_away(self):
        os.rename(self.ring, self.aside)
        self.assert_away("was removed")
        os.rename(self.aside, self.ring)
        self.assert_back()
        self.assertIn("writes to the log work again", self.server.told())

    def test_one_that_is_removed_is_in_the_server_still(self):
        os.unlink(self.ring)
        self.assert_away("was removed")
        held = [path for path in glob.glob(f"/proc/{self.server.process.pid}/fd/*")
                if os.readlink(path) == self.ring + " (deleted)"]
        self.assertEqual(len(held), 1)
        shutil.copyfile(held[0], self.ring)
        self.assert_back()
        self.server.stop()
        self.server.start()
        self.client = self.server.client()
        self.assert_back()

    def test_one_that_is_cut(self):
        shutil.copyfile(self.ring, self.aside)
        os.truncate(self.ring, 4096 + 63)
        self.assert_away("ends at key 0, and the log uses 1")
        self.server.stop()
        told = self.server.run("serve", check=False)
        self.assertEqual(told.returncode, 3)
        self.assertIn("ends at key 0, and the log uses 1", told.stderr)
        shutil.copyfile(self.aside, self.ring)
        self.server.start()
        self.client = self.server.client()
        self.assert_back()

    def test_another_logs_in_its_place(self):
        other = Server(env={"SEALED": "true"})
        self.addCleanup(other.close)
        other.run("keys", "init")
        os.rename(self.ring, self.aside)
        shutil.copyfile(os.path.join(other.data_dir, "keys", "ring"), self.ring)
        self.assert_away("is not the master key of")
        os.replace(self.aside, self.ring)
        self.assert_back()

    def test_the_keys_folder_as_a_whole(self):
        keys = os.path.dirname(self.ring)
        os.rename(keys, keys + ".aside")
        self.assert_away("was removed")
        os.rename(keys + ".aside", keys)
        self.assert_back()


if __name__ == "__main__":
    unittest.main()
