"""Tables that are behind an erasure, or begin anew behind it, come to what the log says: they
have nothing of whoever was erased, and set nobody aside."""

import os
import unittest
import uuid

from harness import NOWHERE, Server
from served import person


class Behind(unittest.TestCase):
    def setUp(self):
        self.server = Server(env={"SEALED": "true"}).start()
        self.addCleanup(self.server.close)
        self.tables = self.server.env["DB_HOST"]

    def again(self, **env):
        self.server.stop()
        self.server.env.update(env)
        self.server.start()

    def ask(self, method, path, body=None, status=200):
        answer = self.server.client().request(method, path, body)
        self.assertEqual(answer.status, status, (method, path, answer.body[:500]))
        return answer.data

    def event(self, **fields):
        return self.ask("POST", "/events", {"event_type": "click", **fields}, 201)["id"]

    def assert_as_the_log(self, persons, events):
        client = self.server.client()
        self.server.wait_for(lambda: client.get("/health").data["lag"] == 0, "the tables")
        self.assertEqual(client.get("/health").data["quarantined"], 0)
        self.assertEqual({each["id"] for each in self.ask("GET", "/persons")}, set(persons))
        self.assertEqual({each["id"] for each in self.ask("GET", "/events")}, set(events))
        self.assertIn("equal to the log", self.server.run("verify", "--projection").stdout)

    def test_they_lose_what_became_a_persons_while_they_were_away(self):
        stays = self.event(anonymous_id="another")
        self.event(anonymous_id="kate-before")
        deleted = self.event(anonymous_id="kate-before")
        one = self.ask("POST", "/persons", person(), 201)["id"]
        theirs = self.event(person_id=one)
        self.server.wait_for(lambda: len(self.ask("GET", "/events")) == 5, "the tables")
        self.again(DB_HOST=NOWHERE)
        self.ask("POST", f"/persons/{one}/aliases", {"anonymous_id": "kate-before"}, 201)
        for event in (deleted, theirs):
            self.ask("DELETE", "/events/" + event)
        self.ask("DELETE", f"/persons/{one}?erase=true")
        self.again(DB_HOST=self.tables)
        self.assert_as_the_log([], [stays])

    def test_who_was_deleted_before_sets_nobody_aside(self):
        one = self.ask("POST", "/persons", person(), 201)["id"]
        self.ask("DELETE", "/events/" + self.event(person_id=one))
        self.ask("DELETE", "/persons/" + one)
        self.assert_as_the_log([], [])
        self.ask("DELETE", f"/persons/{one}?erase=true")
        self.assert_as_the_log([], [])
        self.again(DB_SCHEMA="e2e_" + uuid.uuid4().hex)  # posted from the first record on
        self.assert_as_the_log([], [])

    def test_an_older_log_has_the_erasures_of_its_ring_recorded_again(self):
        self.event(anonymous_id="kate-before")
        one = self.ask("POST", "/persons", person(), 201)["id"]
        self.ask("POST", f"/persons/{one}/aliases", {"anonymous_id": "kate-before"}, 201)
        stays = self.ask("POST", "/persons", person(), 201)["id"]
        backup = os.path.join(self.server.data_dir, "backup")
        self.server.run("backup", backup, "--without-keys")
        self.ask("DELETE", f"/persons/{one}?erase=true")
        self.server.stop()
        older = Server(env={"SEALED": "true"})
        self.addCleanup(older.close)
        self.server.bring_keys(older.data_dir)
        older.run("restore", backup)
        self.server = older.start()
        signup = self.ask("GET", f"/persons/{stays}")["events"][0]["id"]
        self.assert_as_the_log([stays], [signup])
        self.ask("GET", f"/persons/{one}/receipt", status=404)
        receipt = self.ask("DELETE", f"/persons/{one}?erase=true")
        self.assertEqual(receipt["sequence"],
                         older.client().get("/health").data["head"])
        self.assertEqual(self.ask("GET", f"/persons/{one}/receipt")["sequence"],
                         receipt["sequence"])
        self.assert_as_the_log([stays], [signup])


if __name__ == "__main__":
    unittest.main()
