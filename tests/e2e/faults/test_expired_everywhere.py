"""Events that are expired are shown nowhere: those of months that have a key, which is gone, and
those from before RETENTION was set, which only their person's key seals. A row of the table of
docs/rights.md ("Every way out") each."""

import json
import os
import unittest

from feed import Stream, until
from harness import Server
from served import person
from tables import query
from test_clock import Clock

MARK, KEPT = "zanzibar", "timbuktu"
DAY = 86400


class ExpiredEverywhere(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(env={"SEALED": "true"})
        cls.addClassCleanup(cls.server.close)
        cls.clock = Clock(cls.server)
        cls.server.start()
        cls.one = cls.server.client().post(
            "/persons", person(external_id="kate")).data["id"]
        cls.events = [cls.record(MARK, person_id=cls.one), cls.record(MARK, anonymous_id="d1")]
        cls.server.client().post(f"/persons/{cls.one}/aliases", {"anonymous_id": "d1"})
        deleted = cls.record(MARK, person_id=cls.one)
        cls.server.client().delete("/events/" + deleted)
        cls.restart_at(0, RETENTION="events:31d")
        cls.events.append(cls.record(MARK, person_id=cls.one))
        cls.through = cls.server.client().get("/health").data["head"]
        cls.restart_at(70)
        cls.kept = cls.record(KEPT, person_id=cls.one)
        cls.followed(cls.through)  # they are rendered, and held in memory
        before = cls.server.client().get("/health").data["expiry_waits"]["before"]
        cls.server.run("events", "expire", "--before", before, "--yes")
        until(lambda: query(cls.server, "select count(*) from event") == "1",
              "the rows have not gone")

    @classmethod
    def record(cls, name, **whose):
        return cls.server.client().post("/events", {
            "event_type": name, "properties": {"said": name}, **whose}).data["id"]

    @classmethod
    def followed(cls, count):
        stream = Stream(cls.server, "?after=0").open()
        try:
            return "".join(each.data for each in stream.events(count))
        finally:
            stream.close()

    @classmethod
    def restart_at(cls, days, **env):
        cls.server.stop()
        cls.server.env.update(env)
        cls.clock.set(days * DAY)
        cls.server.start()

    def get(self, path, **headers):
        return self.server.client().get(path, **headers)

    def assert_hidden(self, text):
        self.assertNotIn(MARK, text)
        self.assertIn(KEPT, text)

    def shown(self, records):
        """Which of the events' records say something still, and which that they are gone."""
        of = {each["sequence"]: each["data"] for each in records
              if each["type"] == "event.recorded" and each["sequence"] <= self.through}
        self.assertGreaterEqual(len(of), 4)
        for data in of.values():
            self.assertIs(data.get("erased"), True, data)
            self.assertLessEqual(set(data), {"erased", "person_id"})

    def test_a_path_with_the_id_of_the_event(self):
        for event in self.events:
            self.assertEqual(self.get("/events/" + event).status, 404)
        self.assertEqual(self.get("/events/" + self.kept).status, 200)

    def test_one_that_is_sent_again_by_its_id(self):
        again = {"id": self.events[0], "event_type": MARK, "person_id": self.one}
        one = self.server.client().post("/events", again)
        self.assertEqual(one.status, 409)
        self.assertIn("is forgotten by now", one.details)
        among = self.server.client().post("/events/batch", [again]).data[0]
        self.assertEqual(among["status"], 409)
        self.assertIn("is forgotten by now", among["details"])

    def test_the_person_stays_and_has_none_of_them(self):
        for path in f"/persons/{self.one}", "/persons/by/external_id/kate", "/persons":
            answer = self.get(path)
            self.assertEqual(answer.status, 200, path)
            self.assert_hidden(answer.body.decode())

    def test_lists_and_statistics(self):
        for path in "/events", f"/events?person_id={self.one}", "/events/types":
            self.assert_hidden(self.get(path).body.decode())
        self.assertEqual(self.get(f"/events?keyword={MARK}").data, [])

    def test_the_log_page_by_page_and_record_by_record(self):
        answer = self.get("/log?limit=1000")
        self.assert_hidden(answer.body.decode())
        self.shown(answer.data)
        for sequence in range(1, self.through + 1):
            self.assertNotIn(MARK, self.get(f"/log/{sequence}").body.decode())
        lines = self.get("/log?limit=1000", Accept="application/x-ndjson").body.decode()
        self.assert_hidden(lines)
        for sequence in range(1, self.through + 1):
            raw = self.get(f"/log/{sequence}", Accept="application/msgpack")
            self.assertNotIn(MARK.encode(), raw.body)

    def test_a_stream(self):
        count = len(self.get("/log?limit=1000").data)
        self.assert_hidden(self.followed(count))

    def test_history_and_export_of_the_person(self):
        for path in f"/persons/{self.one}/history", f"/persons/{self.one}/export":
            answer = self.get(path)
            self.assertEqual(answer.status, 200)
            self.assert_hidden(answer.body.decode())
        self.assert_hidden(self.server.run("person", "export", self.one).stdout)

    def test_the_commands_that_show_records(self):
        self.assert_hidden(self.server.run("log", "list").stdout)
        self.assert_hidden(self.server.run("log", "tail", "--json").stdout)
        for sequence in range(1, self.through + 1):
            self.assertNotIn(MARK, self.server.run("log", "show", str(sequence)).stdout)
        path = os.path.join(self.server.data_dir, "open.ndjson")
        self.server.run("export", path, "--unseal")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assert_hidden(text)
        self.shown([json.loads(line) for line in text.splitlines()
                    if line.startswith('{"format":')])

    def test_tables_that_are_made_anew(self):
        told = json.loads(self.server.run(
            "replay", "--to", str(self.through), "--into", "before", "--json").stdout)
        self.assertGreaterEqual(told["expired_events"], 3)
        self.assertEqual(query(self.server, "select count(*) from before.event"), "0")
        self.assertIn("equal to the log", self.server.run("verify", "--projection").stdout)
        self.server.run("verify")

    def test_erased_the_person_is_told_as_such(self):
        two = self.server.client().post("/persons", person()).data["id"]
        self.assertEqual(self.server.client().delete(f"/persons/{two}?erase=true").status, 200)
        self.assertEqual(self.get(f"/persons/{two}").status, 410)
        self.assertEqual(self.get("/events/" + self.events[0]).status, 404)


if __name__ == "__main__":
    unittest.main()
