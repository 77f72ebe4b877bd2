"""GET /persons/{id}/history and daybook log person: one person's records, whatever becomes
of the index that they are found by."""

import json
import os
import random
import re
import time
import unittest

from damage import change, damage
from harness import UNSEALED, Server
from served import new_id, person

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
NDJSON = "application/x-ndjson"


def next_of(answer):
    """Where the next page is, or None."""
    return (re.search(r'<([^>]+)>; rel="next"', answer.headers["Link"] or "") or [None] * 2)[1]


class History(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.begin({})
        self.people, self.events = [], []

    def begin(self, settings):
        self.server = Server(env={"DB_HOST": "/nowhere", **settings})  # it needs no PostgreSQL
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def index(self):
        return os.path.join(self.server.data_dir, "history")

    def new_person(self):
        self.people.append(self.client.post("/persons", person()).data["id"])

    def new_event(self, **whose):
        answer = self.client.post("/events", {"event_type": "click", **whose})
        if answer.status == 201:  # else the person was deleted
            self.events.append(answer.data["id"])

    def act(self):
        whom = self.chance.choice(self.people)
        device = f"device {self.chance.randrange(6)}"
        alias = f"/persons/{whom}/aliases"
        self.chance.choice((
            self.new_person,
            lambda: self.new_event(person_id=whom),
            lambda: self.new_event(anonymous_id=device),
            lambda: self.new_event(anonymous_id=device),
            lambda: self.client.post(alias, {"anonymous_id": device}),
            lambda: self.client.delete(f"{alias}/{device.replace(' ', '%20')}"),
            lambda: self.client.patch(f"/persons/{whom}", {"last_name": new_id()}),
            lambda: self.events and self.client.delete(
                f"/events/{self.chance.choice(self.events)}"),
            lambda: self.chance.random() < 0.2 and self.client.delete(f"/persons/{whom}"),
        ))()

    def acts(self, count):
        if not self.people:
            self.new_person()
        for _ in range(count):
            self.act()

    def walked(self):
        """Of each person, by what the log says itself: the aliases now, replayed."""
        records, owner, gone, found = self.server.log_records(), {}, {}, {}
        for record in records:
            device = record["data"].get("anonymous_id")
            if record["type"] == "person.aliased":
                owner[device] = record["subject_id"]
            elif record["type"] == "person.unaliased":
                del owner[device]
            elif record["type"] == "person.deleted":
                for name in [name for name in owner if owner[name] == record["subject_id"]]:
                    del owner[name]
                    gone[name] = record["sequence"]
        for record in records:
            device, whose = record["data"].get("anonymous_id"), set()
            if record["type"].startswith("person."):
                whose.add(record["subject_id"])
            elif record["data"]["person_id"]:
                whose.add(record["data"]["person_id"])
            if record["type"] == "event.recorded" and device in owner and \
                    record["sequence"] > gone.get(device, 0):
                whose.add(owner[device])
            for one in whose:
                found.setdefault(one, []).append(record)
        return found

    def pages(self, path, **headers):
        while path:
            answer = self.client.get(path, **headers)
            self.assertEqual(answer.status, 200, answer.body)
            yield answer
            path = next_of(answer)

    def history(self, whom, limit):
        path = f"/persons/{whom}/history?limit={limit}"
        pages = [answer.data for answer in self.pages(path)]
        self.assertTrue(all(len(page) == limit for page in pages[:-1]), limit)
        return [record for page in pages for record in page]

    def told(self, whom):
        lines = self.server.run("log", "person", whom, "--json").stdout.splitlines()
        records = [json.loads(line) for line in lines]
        for record in records:
            record["data"].pop("properties_text", None)
        return records

    def assert_same(self):
        walked = self.walked()
        self.assertEqual(set(walked), set(self.people))
        for whom in self.people:
            self.assertEqual(self.history(whom, self.chance.choice((1, 2, 7, 1000))),
                             walked[whom])
        for whom in self.people[:3]:
            self.assertEqual(self.told(whom), walked[whom])

    def whole(self):
        """Until all that is in the log is in the index, too."""
        head = self.client.get("/health").data["head"]
        line = f"\ndaybook_history_indexed_sequence {head}\n"
        self.server.wait_for(lambda: line in self.client.get("/metrics").body.decode(),
                             "the index")
        self.assertTrue(any(name.endswith(f"-{head}.run")
                            for name in os.listdir(self.index())))

    def test_it_is_what_a_walk_finds_whatever_becomes_of_the_index(self):
        self.acts(120)
        self.assert_same()
        self.whole()
        self.assert_same()
        self.acts(60)  # which are not in it yet
        self.assert_same()
        self.server.kill()
        self.told_while_stopped()
        self.server.start()
        self.client = self.server.client()
        self.acts(60)
        self.assert_same()
        self.whole()
        self.assert_same()
        self.damage()
        self.assert_same()
        self.server.stop()
        self.told_while_stopped()
        for name in os.listdir(self.index()):
            os.remove(os.path.join(self.index(), name))
        os.rmdir(self.index())
        self.told_while_stopped()
        self.server.start()
        self.client = self.server.client()
        self.assert_same()
        self.assertEqual(os.stat(self.index()).st_mode & 0o777, 0o700)

    def told_while_stopped(self):
        self.assertEqual(self.told(self.people[0])[0]["subject_id"], self.people[0])

    def damage(self):
        for name in os.listdir(self.index()):
            with open(os.path.join(self.index(), name), "r+b") as run:
                run.seek(4096 + 40)
                run.write(b"\xff\xff\xff")

    def test_lines_are_the_same_records(self):
        self.acts(30)
        whom = self.people[0]
        lines = b"".join(answer.body for answer in self.pages(
            f"/persons/{whom}/history?limit=3", Accept=NDJSON))
        self.assertEqual([json.loads(line) for line in lines.splitlines()],
                         self.history(whom, 1000))
        answer = self.client.get(f"/persons/{whom}/history", Accept=NDJSON)
        self.assertEqual(answer.headers["Content-Type"], NDJSON)
        self.assertEqual(answer.headers["Vary"], "Accept")

    def test_a_long_page_is_whole(self):
        self.new_person()
        text = "x" * 1000
        for first in range(0, 600, 300):
            self.client.post("/events/batch", [
                {"event_type": "click", "person_id": self.people[0],
                 "properties": {"n": first + n, "text": text}} for n in range(300)])
        page = self.client.get(f"/persons/{self.people[0]}/history?after=2").data
        self.assertEqual([each["data"]["properties"]["n"] for each in page],
                         list(range(600)))

    def test_one_that_cannot_be_read_is_told(self):
        """Whose it is nobody knows, so it may be anybody's."""
        self.begin(UNSEALED)
        kate, anna = (self.client.post("/persons", person(last_name=name)).data["id"]
                      for name in ("Damaged", "Whole"))
        for whom in (kate, anna):
            self.new_event(person_id=whom)
        self.server.stop()
        damage(os.path.join(self.server.data_dir, "log", "data.mdb"), change, b"Damaged")
        self.server.start()
        self.client = self.server.client()
        self.assert_told("/log", 2, 3, 4, 5, 6)
        self.assert_told(f"/persons/{kate}/history", 2, 5)
        self.assert_told(f"/persons/{anna}/history", 3, 4, 6)

    def assert_told(self, path, *behind):
        """That record 1 is damaged, and how to read those behind it."""
        for accept in ("application/json", NDJSON):
            answer = self.client.get(path, Accept=accept)
            self.assertEqual(answer.status, 500, answer.body)
            self.assertRegex(answer.details, "^Record 1 cannot be read, .* with after=1$")
        answer = self.client.get(path + "?after=1")
        self.assertEqual([each["sequence"] for each in answer.data], list(behind))

    def test_of_nobody_there_is_none(self):
        self.new_person()
        for whom in (new_id(), "00000000-0000-0000-0000-000000000000"):
            answer = self.client.get(f"/persons/{whom}/history")
            self.assertEqual((answer.status, answer.details),
                             (404, "No record is about a person with this id"))
            done = self.server.run("log", "person", whom, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn("no record is about that person", done.stderr)
        behind = self.client.get(f"/persons/{self.people[0]}/history?after=2")
        self.assertEqual((behind.status, behind.data, behind.headers["Link"]),
                         (200, [], None))
        for query in ("after=x", "limit=0", "order=desc"):
            self.assertEqual(
                self.client.get(f"/persons/{self.people[0]}/history?{query}").status, 400)


if __name__ == "__main__":
    unittest.main()
