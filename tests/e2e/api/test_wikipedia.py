"""A day of real Wikipedia edits: through import, and a part of it through the API.

DAYBOOK_DATA names the directory of the whole day; else the sample in tests/data is used.
"""

import collections
import json
import os
import unittest

from fold import check_equal, check_reads, pages
from harness import Server
from wikipedia import DATA, rows

COMPARED = 25  # persons


class Wikipedia(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.persons, cls.events = rows("persons.ndjson.gz"), rows("events.ndjson.gz")
        cls.of_person = collections.defaultdict(list)
        for event in cls.events:
            cls.of_person[event["person_id"]].append(event)
        print(f"{DATA}: {len(cls.persons)} persons, {len(cls.events)} events")

    def serve(self):
        server = Server()
        self.addCleanup(server.close)
        return server.start()

    def some(self):
        """The busiest persons, and some whom chance would pick."""
        busiest = sorted(self.of_person, key=lambda id: -len(self.of_person[id]))
        return busiest[:5] + busiest[5::max(1, len(busiest) // (COMPARED - 5))]

    def check_persons(self, server):
        """GET /events of several persons: ids, times, properties, and the files' order."""
        client = server.client()
        for person in self.some():
            for keyword in ("page_edit", "page_create"):
                found = pages(client,
                              f"/events?keyword={keyword}&person_id={person}&limit=1000")
                check_equal(f"{keyword} of {person}", found, [
                    event for event in self.of_person[person]
                    if event["event_type"] == keyword])
        client.close()

    def test_the_day_is_imported_and_read_back(self):
        server = self.serve()
        server.run("import", os.path.join(DATA, "persons.ndjson.gz"),
                   os.path.join(DATA, "events.ndjson.gz"))
        client = server.client()
        found = pages(client, "/persons?limit=10000&events_limit=0")
        check_equal("persons", found, [
            dict(person, datetime_modified=person["datetime_created"], events=[])
            for person in self.persons])
        found = pages(client, "/events?limit=10000")
        self.assertEqual(len(found), len(self.events) + len(self.persons))
        check_equal("events", [event for event in found
                               if event["event_type"] != "signup"], self.events)
        self.check_persons(server)

    def test_a_filter_finds_what_the_files_say(self):
        server = self.serve()
        server.run("import", os.path.join(DATA, "persons.ndjson.gz"),
                   os.path.join(DATA, "events.ndjson.gz"))
        client = server.client()
        since, until = self.events[100]["datetime_created"], "2015-09-12T00:00:00"
        wanted = [event for event in self.events
                  if since <= event["datetime_created"] < until]
        found = pages(client, f"/events?since={since}&until={until}&limit=1000")
        check_equal("events", [event for event in found
                               if event["event_type"] != "signup"], wanted)
        wanted = [event for event in self.events
                  if event["properties"].get("channel") == "#de.wikipedia"
                  and event["properties"]["robot"]]
        self.assertTrue(wanted)
        check_equal("events", pages(
            client, "/events?properties=%7B%22channel%22%3A%22%23de.wikipedia%22%2C"
                    "%22robot%22%3Atrue%7D&limit=1000"), wanted)

    def test_a_part_of_it_comes_in_by_batches(self):
        server = self.serve()
        client, known = server.client(), {}
        part = self.events[:2000]
        wanted = {event["person_id"] for event in part}
        for person in self.persons:
            if person["id"] in wanted:
                body = {key: person[key] for key in
                        ("email", "first_name", "last_name", "role")}
                known[person["id"]] = client.post("/persons", body).data["id"]
        # The API gives persons their ids, so the events follow theirs.
        part = [dict(event, person_id=known[event["person_id"]]) for event in part]
        half = len(part) // 2
        lines = "".join(json.dumps(event, ensure_ascii=False) + "\n"
                        for event in part[half:])
        for body, kind in ((part[:half], "application/json"),
                           (lines, "application/x-ndjson")):
            answer = client.post("/events/batch", body, content_type=kind)
            self.assertEqual(answer.status, 200, answer.details)
            self.assertEqual({item["status"] for item in answer.data}, {201})
            again = client.post("/events/batch", body, content_type=kind)
            self.assertEqual([(item["status"], item["sequence"]) for item in again.data],
                             [(200, item["sequence"]) for item in answer.data])
        found = pages(client, "/events?limit=1000")
        check_equal("events", [event for event in found
                               if event["event_type"] != "signup"], part)
        check_reads(server, server.log_records())


if __name__ == "__main__":
    unittest.main()
