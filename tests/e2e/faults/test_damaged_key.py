"""One slot of the ring is damaged: what was sealed with its key is named wherever it is met, and
nobody else's records are missing or refused."""

import json
import os
import unittest

from feed import Stream
from harness import Server
from served import person
from tables import drop_schemas

DAMAGED, DIFFERENT = {"damaged_key": 1}, 1


class DamagedKey(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """The first person's key is number 1."""
        cls.server = Server(env={"SEALED": "true"}).start()
        cls.addClassCleanup(cls.server.close)
        cls.addClassCleanup(drop_schemas, cls.server)
        client = cls.server.client()
        cls.kate, cls.john = (client.post("/persons", person()).data["id"]
                              for _ in range(2))
        cls.clicks = {}
        for one in (cls.kate, cls.john):
            click = {"person_id": one, "event_type": "click"}
            cls.clicks[one] = client.post("/events", click).data["id"]
        cls.head = client.get("/health").data["head"]
        cls.records = cls.server.log_records()
        cls.server.stop()
        with open(os.path.join(cls.server.data_dir, "keys", "ring"), "r+b") as ring:
            ring.seek(4096)
            ring.write(b"x" * 64)
        cls.server.start()
        cls.client = cls.server.client()

    def check(self, records):
        """All of the log, and only what was sealed with that key says nothing."""
        self.assertEqual([each["sequence"] for each in records],
                         list(range(1, self.head + 1)))
        for before, now in zip(self.records, records):
            mine = self.kate in (before["subject_id"], before["data"].get("person_id"))
            self.assertEqual("damaged_key" in now["data"], mine, now)
            if mine:
                self.assertEqual(now["data"]["damaged_key"], 1)
                self.assertNotIn("email", now["data"])
                self.assertEqual({**now, "data": None}, {**before, "data": None})
            else:
                self.assertEqual(now, before)

    def test_a_page_of_the_log_goes_on(self):
        answer = self.client.get("/log?limit=100")
        self.assertEqual(answer.status, 200, answer.body)
        self.check(answer.data)

    def test_a_record_by_its_sequence_is_told(self):
        answer = self.client.get("/log/1")
        self.assertEqual((answer.status, answer.data["data"]), (200, DAMAGED))
        self.assertEqual(self.client.get(f"/log/{self.head}").data,
                         self.records[self.head - 1])

    def test_a_stream_goes_on(self):
        stream = Stream(self.server, "?after=0").open()
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200)
        stream.block()
        self.check([each.json for each in stream.events(self.head)])

    def test_a_history_of_another_person_is_as_before(self):
        answer = self.client.get(f"/persons/{self.john}/history")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.data, [each for each in self.records if self.john in (
            each["subject_id"], each["data"].get("person_id"))])

    def test_of_whose_key_it_is_that_is_told(self):
        """Who else the person was known as is sealed with it."""
        for path in (f"/persons/{self.kate}/history", f"/persons/{self.kate}/export"):
            answer = self.client.get(path, Accept="application/problem+json")
            self.assertEqual(answer.status, 500, answer.body)
            self.assertIn("damaged", answer.json["type"])

    def test_an_export_of_another_person_is_as_before(self):
        answer = self.client.get(f"/persons/{self.john}/export")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(len(answer.data["records"]), 3)
        self.assertNotIn("damaged_key", answer.body.decode())

    def test_lists_have_what_they_had(self):
        persons = self.client.get("/persons").data
        self.assertEqual({each["id"] for each in persons}, {self.kate, self.john})
        self.assertEqual(len(self.client.get("/events").data), 4)

    def test_the_log_as_it_lies_is_exported_whole(self):
        done = self.server.run("export", "--format", "ndjson")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([each["sequence"] for each in lines if "subject_id" in each],
                         list(range(1, self.head + 1)))

    def test_an_export_for_reading_says_which_are_missing(self):
        done = self.server.run("export", "--unseal", "--format", "ndjson", check=False)
        self.assertEqual(done.returncode, DIFFERENT, done.stderr)
        self.assertIn("record 1: key 1", done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len([each for each in lines if "subject_id" in each]),
                         self.head - 3)

    def test_commands_name_it_and_go_on(self):
        for arguments in (["verify"], ["log", "list"], ["log", "person", self.john]):
            done = self.server.run(*arguments, check=False)
            with self.subTest(arguments):
                named = "key 1 " in done.stdout + done.stderr or (
                    "its key is damaged" in done.stdout)
                self.assertEqual(named, "person" not in arguments,
                                 done.stdout + done.stderr)
                self.assertEqual(done.returncode, DIFFERENT if named else 0)


if __name__ == "__main__":
    unittest.main()
