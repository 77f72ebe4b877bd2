"""Whoever was erased is in no table that is made anew, at whatever record, and is counted."""

import json
import os
import unittest

from harness import Server
from served import person


class LeftOut(unittest.TestCase):
    def setUp(self):
        self.server = Server(env={"SEALED": "true"}).start()
        self.addCleanup(self.server.close)
        client = self.server.client()
        self.ids = []
        for i in range(3):
            one = client.post("/persons", person(email=f"p{i}@x.mock")).data["id"]
            for _ in range(4):
                client.post("/events", {"event_type": "click", "person_id": one})
            self.ids.append(one)
        deleted = client.post("/events", {"event_type": "view",
                                          "person_id": self.ids[1]}).data["id"]
        client.delete("/events/" + deleted)
        self.before = client.get("/health").data["head"]
        client.delete(f"/persons/{self.ids[1]}?erase=true")
        client.post("/events", {"event_type": "last", "person_id": self.ids[2]})

    def told(self, *arguments):
        return json.loads(self.server.run(*arguments, "--json").stdout)

    def assert_left_out(self, told, persons, events):
        self.assertEqual({name: told[name] for name in ("persons", "events", "erased_persons",
                                                        "erased_events")},
                         {"persons": persons, "events": events, "erased_persons": 1,
                          "erased_events": 5}) # the event that was deleted is none of them

    def test_a_rebuild_counts_them(self):
        self.assert_left_out(self.told("rebuild"), 2, 11)
        self.assertIn("left out      1 person and 5 events, erased",
                      self.server.run("rebuild").stdout)
        self.server.run("verify", "--projection")

    def test_so_does_a_replay_of_before(self):
        told = self.told("replay", "--to", str(self.before), "--into", "before")
        self.assert_left_out(told, 2, 10)
        self.assertEqual(self.told("replay", "--to", "1", "--into", "first")["erased_persons"],
                         0)

    def test_an_unsealed_export_says_how_many_records_say_nothing(self):
        path = os.path.join(self.server.data_dir, "open.ndjson")
        source = self.told("export", path, "--unseal")["export"]["source"]
        self.assertEqual((source["unsealed"], source["erased"]), (True, 7))
        with open(path, encoding="utf-8") as file:
            records = [json.loads(line) for line in file if line.startswith('{"format":')]
        erased = [each for each in records if each["data"].get("erased")]
        self.assertEqual(len(erased), 7)
        self.assertEqual([each["subject_id"] for each in erased
                          if each["type"] == "person.created"], [self.ids[1]])


if __name__ == "__main__":
    unittest.main()
