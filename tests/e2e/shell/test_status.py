"""daybook status and retry: what is projected, and who is set aside."""

import json
import os
import subprocess
import unittest
import uuid

from fold import check_reads
from harness import Server
from postgres import programs
from tools import DIFFERENT, DONE, FAILED


class Status(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def json_status(self):
        return json.loads(self.server.run("status", "--json").stdout)

    def test_without_a_log_it_fails_and_makes_none(self):
        done = self.server.run("status", check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertFalse(os.path.exists(os.path.join(self.server.data_dir, "log")))

    def test_head_projected_lag_and_sizes_are_told_beside_a_server_and_without(self):
        self.server.start()
        client = self.server.client()
        for i in range(5):
            client.post("/persons", {"email": f"p{i}@b.test", "first_name": "A",
                                     "last_name": "B"})
        client.get("/persons")
        for _ in range(2):
            found = self.json_status()
            self.assertEqual((found["head"], found["projected"], found["lag"],
                              found["quarantined"]), (10, 10, 0, 0))
            self.assertEqual((found["log"]["persons"], found["log"]["events"]), (5, 5))
            self.assertEqual(found["tables"]["persons"], 5)
            self.assertGreater(found["log"]["bytes"], 0)
            self.assertGreater(found["free_bytes"], 0)
            uuid.UUID(found["store_id"])
            text = self.server.run("status").stdout
            self.assertRegex(text, r"(?m)^head +10$")
            self.assertRegex(text, r"(?m)^lag +0$")
            if self.server.process:
                self.server.stop()

    def test_what_is_not_projected_yet_is_the_lag(self):
        self.server.start()
        self.server.stop()
        with open(os.path.join(self.server.data_dir, "one.ndjson"), "w") as file:
            json.dump({"id": str(uuid.uuid4()), "email": "a@b.test", "first_name": "A",
                       "last_name": "B", "datetime_created": "2020-01-01T00:00:00"}, file)
        self.server.run("import", "one.ndjson")
        found = self.json_status()
        self.assertEqual((found["head"], found["projected"], found["lag"]), (2, 0, 2))

    def test_with_postgres_away_the_logs_part_is_told(self):
        self.server.start()
        self.server.client().post("/persons", {"email": "a@b.test", "first_name": "A",
                                               "last_name": "B"})
        self.server.stop()
        self.server.env["DB_HOST"] = "/tmp/daybook-nobody-here"
        done = self.server.run("status", "--json", check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertEqual(json.loads(done.stdout)["head"], 2)
        self.assertIn("daybook status:", done.stderr)

    def test_nobody_quarantined_nothing_to_retry(self):
        self.server.start()
        self.server.stop()
        self.assertIn("nobody is quarantined", self.server.run("retry").stdout)


class Quarantine(unittest.TestCase):
    """A record that PostgreSQL refuses; here for a constraint that is none of ours."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def sql(self, text):
        subprocess.run(
            [os.path.join(programs(), "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h",
             self.server.env["DB_HOST"], "-U", self.server.env["DB_USER"], "-d", "daybook",
             "-c", f"set search_path to {self.server.env['DB_SCHEMA']}; {text}"],
            check=True, cwd="/", stdin=subprocess.DEVNULL)

    def post(self, name):
        answer = self.client.post("/persons", {
            "email": f"{name}@b.test", "first_name": name, "last_name": "B"})
        self.assertEqual(answer.status, 201)
        return answer.data

    def test_one_person_is_set_aside_and_told_and_healed_by_retry(self):
        good = self.post("good")
        self.assertEqual(self.client.get("/persons").data, [good])
        self.sql("alter table person add constraint no_bad check (first_name <> 'bad')")
        bad = self.post("bad")
        event = self.client.post("/events", {"event_type": "x", "person_id": bad["id"]})
        late = self.post("late")
        self.assertEqual(self.client.get("/persons/" + late["id"]).data, late)
        listed = self.client.get("/persons")  # it would lack one
        self.assertEqual(listed.status, 503)
        self.assertIn(bad["id"], listed.details)
        aside = self.client.get("/persons/" + bad["id"])
        self.assertEqual(aside.status, 503)
        self.assertIn("set aside", aside.details)
        self.assertEqual(self.client.get("/events/" + event.data["id"]).data, event.data)
        self.assertEqual(self.client.get("/health").data["quarantined"], 1)

        told = self.server.run("status", check=False)
        self.assertEqual(told.returncode, DIFFERENT)
        self.assertRegex(told.stdout, r"(?m)^quarantined +1$")
        self.assertRegex(told.stdout, rf"{bad['id']}  from record 3, .*no_bad")
        found = json.loads(self.server.run("status", "--json", check=False).stdout)
        self.assertEqual((found["quarantined"], found["lag"]), (1, 0))
        self.assertEqual(found["quarantine"][0]["person_id"], bad["id"])

        self.assertIn("1 to be tried again", self.server.run("retry").stdout)
        self.sql("alter table person drop constraint no_bad")
        self.server.run("retry")
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 0,
                             "the healing")
        self.assertEqual(self.server.run("status").returncode, DONE)
        self.assertEqual(self.client.get("/events/" + event.data["id"]).data, event.data)
        check_reads(self.server, self.server.log_records())


if __name__ == "__main__":
    unittest.main()
