"""daybook import: whole files, once, with every bad line named."""

import gzip
import json
import os
import random
import signal
import subprocess
import time
import unittest
import uuid

from fold import check_reads, fold
from harness import PATIENCE, PROGRAM, Server

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
NAMES = ["Zoë", "O'Neill", "李", "Ω-Ω", "van der Berg"]


def make_persons(chance, count):
    return [{"id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
             "email": f"p{i}@import.test", "first_name": chance.choice(NAMES),
             "last_name": f"N{i}", "role": chance.choice(["user", "admin"]),
             "datetime_created": f"2015-09-12T00:00:{i % 60:02}.{i % 1_000_000:06}"}
            for i in range(count)]


def make_events(chance, persons, count):
    events = []
    for i in range(count):
        event = {"id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                 "person_id": chance.choice(persons)["id"],
                 "event_type": chance.choice(["page_edit", "a:b", "Order Completed",
                                              ' $\u00fc,"\u202e\ue000 ']),
                 "datetime_created": f"2016-02-29T{i % 24:02}:00:00.000001"}
        if i % 3:
            event["properties"] = {"i": i, "page": "\u2028 \"é\" \U0001f600",
                                   "deep": {"list": [1, -2.5, None, True, []]},
                                   "numbers": [2 ** 64, -2 ** 63 - 1, 10 ** 30, 5e-324]}
        events.append(event)
    return events


class Import(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.persons = make_persons(chance, 700)
        self.events = make_events(chance, self.persons, 5000)

    def write(self, name, rows, compress=False, end="\n"):
        """A file of these rows; one that is text stands as it is."""
        path = os.path.join(self.server.data_dir, name)
        text = "\n".join(row if isinstance(row, str) else
                         json.dumps(row, ensure_ascii=False) for row in rows) + end
        data = text.encode()
        with open(path, "wb") as file:
            file.write(gzip.compress(data) if compress else data)
        return name

    def files(self, compress=False):
        ending = ".gz" if compress else ""
        return (self.write("persons.ndjson" + ending, self.persons, compress),
                self.write("events.ndjson" + ending, self.events, compress))

    def imported(self, *arguments, check=True):
        return self.server.run("import", *arguments, check=check)

    def check_log(self, persons, events):
        """What the log says are these persons, their signups, and these events."""
        records = self.server.log_records()
        found_persons, found_events = fold(records)
        self.assertEqual(list(found_persons.values()), [
            dict(person, datetime_modified=person["datetime_created"])
            for person in persons])
        signups = [one for one in found_events.values() if one["event_type"] == "signup"]
        self.assertEqual([one["person_id"] for one in signups],
                         [person["id"] for person in persons])
        self.assertEqual([one for one in found_events.values()
                          if one["event_type"] != "signup"], events)
        check_reads(self.server, records)

    def test_files_are_imported_whole_and_in_order_without_a_server(self):
        done = self.imported(*self.files())
        self.assertIn("700 added", done.stdout)
        self.assertIn("5000 added", done.stdout)
        self.server.start()
        self.check_log(self.persons, self.events)

    def test_gzip_is_read_like_plain_text(self):
        self.imported(*self.files(compress=True))
        self.server.start()
        self.check_log(self.persons, self.events)

    def test_times_are_taken_in_every_form(self):
        for event, said, meant in zip(self.events, (
                "2023-10-08t08:03:33.3300379+02:00", 1696745013330.037, 1696745013330), (
                "2023-10-08T06:03:33.330037", "2023-10-08T06:03:33.330037",
                "2023-10-08T06:03:33.330000")):
            event.update(datetime_created=said, meant=meant)
        files = self.write("persons.ndjson", self.persons), self.write("events.ndjson", [
            {name: value for name, value in each.items() if name != "meant"}
            for each in self.events])
        self.imported(*files)
        again = self.imported(*files)
        self.assertIn("0 added, 5000 already there", again.stdout)
        for event in self.events:
            event["datetime_created"] = event.pop("meant", event["datetime_created"])
        self.server.start()
        self.check_log(self.persons, self.events)

    def test_persons_have_all_that_a_person_may_have(self):
        known = {"id": str(uuid.uuid4()), "datetime_created": "2015-09-12T00:00:00.000001",
                 "external_id": "u/1", "anonymous_id": "a/1", "properties": {"plan": "pro"}}
        bare = {"id": str(uuid.uuid4()), "datetime_created": "2015-09-12T00:00:00.000002",
                "anonymous_id": "a/2"}
        clicks = [{"id": str(uuid.uuid4()), "event_type": "click", "anonymous_id": name,
                   "datetime_created": "2015-09-12T00:00:00.000003"}
                  for name in ("a/1", "a/3")]
        files = (self.write("persons.ndjson", [known, bare]),
                 self.write("events.ndjson", clicks))
        self.imported(*files)
        again = self.imported(*files)
        self.assertIn("0 added, 2 already there", again.stdout)
        self.server.start()
        client = self.server.client()
        read = client.get("/persons/by/external_id/u%2F1").data
        self.assertEqual((read["id"], read["properties"]), (known["id"], {"plan": "pro"}))
        self.assertEqual([event["id"] for event in read["events"]][1:], [clicks[0]["id"]])
        aliases = client.get(f"/persons/{bare['id']}/aliases").data
        self.assertEqual([one["anonymous_id"] for one in aliases], ["a/2"])
        self.assertIsNone(client.get("/events/" + clicks[1]["id"]).data["person_id"])

    def test_a_person_without_an_id_is_who_has_its_external_id(self):
        at = "2015-09-12T00:00:00.000001"
        kate = {"external_id": "crm/7", "datetime_created": at, "role": "admin",
                "email": "kate@import.test", "properties": {"plan": "pro"}}
        line = self.write("one.ndjson", [kate])
        self.assertIn("1 added", self.imported(line).stdout)
        again = self.imported(line, "--json")
        told = json.loads(again.stdout)
        self.assertEqual([told[f"persons_{what}"] for what in ("added", "updated", "there")],
                         [0, 0, 1])
        changed = self.imported(self.write("persons.ndjson", [
            {"external_id": "crm/7", "datetime_created": at, "first_name": "Kate",
             "anonymous_id": "a/7"},
            {"external_id": "crm/8", "datetime_created": at},
            {"external_id": "crm/8", "datetime_created": at, "last_name": "Twice"}]))
        self.assertIn("1 added, 0 already there, 2 updated", changed.stdout)
        self.server.start()
        client = self.server.client()
        read = client.get("/persons/by/external_id/crm%2F7").data
        self.assertEqual([read[name] for name in ("email", "first_name", "role", "properties",
                                                  "datetime_created")],
                         [None, "Kate", "admin", {"plan": "pro"}, at])
        self.assertEqual([event["event_type"] for event in read["events"]], ["signup"])
        self.assertEqual(client.get("/persons?anonymous_id=a/7").data, [read])
        self.assertEqual(client.get("/persons/by/external_id/crm%2F8").data["last_name"],
                         "Twice")

    def test_who_cannot_be_known_again_needs_an_id(self):
        for person in ({}, {"anonymous_id": "a"}, {"external_id": None}):
            done = self.imported(self.write("persons.ndjson", [
                {"email": "a@import.test", "first_name": "A", "last_name": "B",
                 "datetime_created": "2015-09-12T00:00:00.000001", **person}]), check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("id: required, unless there is an external_id", done.stderr)

    def test_what_nobody_is_known_to_have_done_is_imported_too(self):
        self.imported(self.write("persons.ndjson", self.persons[:1]),
                      self.write("events.ndjson", [
                          {"id": str(uuid.UUID(int=n)), "event_type": "Page Viewed",
                           "anonymous_id": f"ü {n % 2}", "properties": {"n": 10 ** 40 + n},
                           "datetime_created": 1696745013330 + n} for n in range(1, 9)]))
        self.server.start()
        client = self.server.client()
        path = f"/persons/{self.persons[0]['id']}"
        self.assertEqual(client.post(path + "/aliases", {"anonymous_id": "ü 1"}).status, 201)
        for query, whose in (("%C3%BC%201", self.persons[0]["id"]), ("%C3%BC%200", None)):
            found = client.get("/events?anonymous_id=" + query).data
            self.assertEqual({each["person_id"] for each in found}, {whose})
            self.assertEqual(len(found), 4)
            for each in found:
                n = each["properties"]["n"] - 10 ** 40
                self.assertEqual(each["datetime_created"],
                                 f"2023-10-08T06:03:33.{330 + n}000")
        client.close()

    def test_twice_adds_nothing(self):
        files = self.files()
        self.imported(*files)
        again = self.imported(*files)
        self.assertIn("0 added, 700 already there", again.stdout)
        self.assertIn("0 added, 5000 already there", again.stdout)
        self.server.start()
        self.check_log(self.persons, self.events)

    def test_beside_a_running_server_it_is_visible_at_once(self):
        self.server.start()
        client = self.server.client()
        self.imported(*self.files())
        last = self.events[-1]
        self.assertEqual(client.get("/events/" + last["id"]).data, last)
        self.check_log(self.persons, self.events)

    def test_beside_a_server_that_is_written_to_both_go_on(self):
        self.server.start()
        client = self.server.client()
        files, emails = self.files(), []
        with subprocess.Popen(
                [PROGRAM, "import", "--data-dir", self.server.data_dir, *files],
                env=self.server.env, cwd=self.server.data_dir,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            while running.poll() is None or len(emails) < 10:
                emails.append(f"live{len(emails)}@b.test")
                made = client.post("/persons", {"email": emails[-1], "first_name": "A",
                                                "last_name": "B"})
                self.assertEqual(made.status, 201)
                self.assertEqual(client.get("/persons/" + made.data["id"]).status, 200)
            self.assertEqual(running.wait(), 0)
        records = self.server.log_records()
        check_reads(self.server, records)
        persons, events = fold(records)
        self.assertEqual(len(persons), 700 + len(emails))
        self.assertEqual(len(events), 5000 + len(persons))

    def test_killed_at_any_moment_it_can_be_run_again(self):
        files, chance = self.files(), random.Random(SEED)
        for _ in range(4):
            with subprocess.Popen(
                    [PROGRAM, "import", "--data-dir", self.server.data_dir, *files],
                    env=self.server.env, cwd=self.server.data_dir,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
                time.sleep(chance.random() / 2)
                running.kill()
        self.imported(*files)
        self.server.start()
        self.check_log(self.persons, self.events)

    def test_interrupted_it_says_so_and_can_be_run_again(self):
        files = self.files()
        fifo = os.path.join(self.server.data_dir, "fifo")
        os.mkfifo(fifo)
        with subprocess.Popen(
                [PROGRAM, "import", "--data-dir", self.server.data_dir, fifo],
                env=self.server.env, cwd=self.server.data_dir, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            with open(fifo, "w") as file:
                for person in self.persons[:300]:
                    print(json.dumps(person), file=file)
                file.flush()
                running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=PATIENCE)
        # It ends between two batches, or it had read the end already.
        self.assertIn(running.returncode, (0, 3), said)
        self.imported(*files)
        self.server.start()
        found_persons, found_events = fold(self.server.log_records())
        self.assertEqual(len(found_persons), 700)
        self.assertEqual(len(found_events), 5700)

    def test_the_first_bad_line_is_named_and_stops_it(self):
        bad = dict(self.persons[3], email="no email")
        self.write("persons.ndjson", [*self.persons[:3], bad, *self.persons[4:]])
        done = self.imported("persons.ndjson", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("persons.ndjson:4: ", done.stderr)
        self.assertIn("email", done.stderr)
        self.assertIn("--continue", done.stderr)
        self.write("persons.ndjson", self.persons)
        self.imported("persons.ndjson")
        self.server.start()
        self.assertEqual(set(fold(self.server.log_records())[0]),
                         {person["id"] for person in self.persons})

    def test_with_continue_each_bad_line_is_named_and_the_rest_is_there(self):
        unknown = str(uuid.UUID(int=7))
        bad = {2: "not JSON", 4: "{}", 5: '{"id": 5}', 7: "[]", 9: '"\\u0000"',
               11: json.dumps(dict(self.events[0], event_type="no spaces")),
               12: json.dumps(dict(self.events[0], id=str(uuid.UUID(int=1)),
                                   person_id=unknown)),
               14: json.dumps(dict(self.events[0], id=str(uuid.UUID(int=2)),
                                   datetime_created="2015-02-29T00:00:00")),
               15: json.dumps(dict(self.events[0], properties={"other": 1})),
               16: json.dumps(dict(self.events[0], id=str(uuid.UUID(int=3)), extra=1)),
               18: "x" * (2 << 20), 19: '{"id":"' + "[" * 5000}
        lines, good = [], iter(self.events)
        while len(lines) < 20:
            lines.append(bad.get(len(lines) + 1) or next(good))
        kept = [line for line in lines if not isinstance(line, str)]
        self.write("persons.ndjson", self.persons)
        self.write("events.ndjson", lines)
        done = self.imported("persons.ndjson", "events.ndjson", "--continue", check=False)
        self.assertEqual(done.returncode, 1)
        named = [line.split(":")[1] for line in done.stderr.splitlines()
                 if line.startswith("events.ndjson:")]
        self.assertEqual(named, [str(number) for number in sorted(bad)], done.stderr)
        self.assertIn(unknown, done.stderr)
        self.assertRegex(done.stdout, rf"bad lines +{len(bad)}\b")
        self.server.start()
        self.check_log(self.persons, kept)

    def test_a_person_whose_email_is_taken_is_a_bad_line(self):
        taken = dict(self.persons[1], email=self.persons[0]["email"].upper())
        self.write("persons.ndjson", [self.persons[0], taken, self.persons[2]])
        done = self.imported("persons.ndjson", "--continue", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("persons.ndjson:2: ", done.stderr)
        self.assertIn("2 added", done.stdout)

    def test_a_file_cut_short_is_told_and_what_was_read_is_there(self):
        whole = gzip.compress("".join(json.dumps(person) + "\n"
                                      for person in self.persons).encode())
        path = os.path.join(self.server.data_dir, "cut.gz")
        with open(path, "wb") as file:
            file.write(whole[:len(whole) // 2])
        done = self.imported("cut.gz", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cut.gz", done.stderr)
        self.assertNotIn("\n0 added", done.stdout)

    def test_a_last_line_needs_no_end_and_empty_lines_are_nothing(self):
        lines = ["", json.dumps(self.persons[0]) + "\r", "", "  ",
                 json.dumps(self.persons[1])]
        self.write("persons.ndjson", lines, end="")
        self.assertIn("2 added", self.imported("persons.ndjson").stdout)

    def test_event_types_that_are_not_allowed_are_bad_lines(self):
        self.write("persons.ndjson", self.persons)
        self.write("events.ndjson", [dict(self.events[0], event_type="click"),
                                     dict(self.events[1], event_type="other")])
        done = self.imported("persons.ndjson", "events.ndjson", "--event-types",
                             "click,signup", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("events.ndjson:2: ", done.stderr)

    def test_what_cannot_be_read_is_refused_before_anything_is_written(self):
        self.write("persons.ndjson", self.persons)
        done = self.imported("persons.ndjson", "missing.ndjson", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("missing.ndjson", done.stderr)
        self.server.start()
        self.assertEqual(self.server.log_records(), [])


if __name__ == "__main__":
    unittest.main()
