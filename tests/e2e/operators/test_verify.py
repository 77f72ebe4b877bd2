"""The log and the tables checked: right ones pass, and what is wrong is named."""

import json
import os
import random
import shutil
import subprocess
import time
import unittest

from fold import check_reads
from harness import PATIENCE, UNSEALED, Server
from load import Load
from tables import drop_schemas, query

DONE, DIFFERENT, MISUSED, FAILED = 0, 1, 2, 3
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
FLIPS = int(os.environ.get("DAYBOOK_FLIPS", 30))


class Case(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.addCleanup(drop_schemas, self.server)
        self.dir = self.server.data_dir

    def generate(self, events):
        subprocess.run([os.environ["GENERATE"], "--data-dir", self.dir, "--events",
                        str(events), "--seed", str(SEED)], check=True,
                       stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def verify(self, *arguments, expect=DONE):
        done = self.server.run("verify", *arguments, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "verify.tmp")))
        return done


class Log(Case):
    def test_a_log_that_is_right(self):
        self.generate(2000)
        self.assertRegex(self.verify().stdout, r"(?m)^log +right: \d+ records")
        told = json.loads(self.verify("--json").stdout)
        self.assertEqual((told["finding_count"], told["findings"]), (0, []))
        self.assertEqual(told["records"], told["head"])
        self.assertIsNone(told["projection"])

    def test_it_can_be_checked_and_repaired_while_it_is_written(self):
        self.server.start()
        load = Load(self.server, SEED, clients=8, pause=0.02).start()
        for arguments in ((), ("--projection",), ("--repair-indexes",),
                          ("--repair-indexes", "--projection")):
            load.wait_for_answers(100)
            self.verify(*arguments)
        load.stop()
        records = self.server.log_records()
        load.check(records)
        check_reads(self.server, records)

    def test_a_flipped_byte_in_a_record_is_found_and_named(self):
        self.server.env.update(UNSEALED)  # so that the byte is found by what it says
        self.server.start()
        client = self.server.client()
        for i in range(50):
            client.post("/persons", {"email": f"p{i}@b.test", "first_name": "Flipped",
                                     "last_name": f"Name{i:04}"})
        self.server.stop()
        path = os.path.join(self.dir, "log", "data.mdb")
        with open(path, "rb") as file:
            content = file.read()
        # The name is in the record, and in the index of persons; "Flipped" stands
        # before it in both, but only the record has the key between them.
        # Former copies of the page may lie in the file, too.
        self.assertIn(b"last_name\xa8Name0020", content)
        with open(path, "wb") as file:
            file.write(content.replace(b"last_name\xa8Name0020", b"last_name\xa8name0020"))
        told = json.loads(self.verify("--json", expect=DIFFERENT).stdout)
        self.assertIn(41, [each["sequence"] for each in told["findings"]])
        self.assertRegex(self.verify(expect=DIFFERENT).stdout, r"(?m)^record 41: ")
        done = self.verify("--repair-indexes", expect=DIFFERENT)
        self.assertRegex(done.stdout, r"(?m)^record 41: ")
        self.assertRegex(done.stdout, r"(?m)^log  +\d+ finding.*, \d+ of 100 records right")
        self.assertRegex(done.stdout, r"(?m)^indexes +not made anew: record 41")

    def test_bytes_flipped_anywhere_never_crash_it(self):
        self.generate(300)
        path = os.path.join(self.dir, "log", "data.mdb")
        keep, chance = path + ".keep", random.Random(SEED)
        shutil.copyfile(path, keep)
        found = 0
        for _ in range(FLIPS):
            shutil.copyfile(keep, path)
            place = chance.randrange(os.path.getsize(path))
            with open(path, "r+b") as file:
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ (1 << chance.randrange(8))]))
            done = self.server.run("verify", check=False)
            self.assertIn(done.returncode, (DONE, DIFFERENT, FAILED),
                          (place, done.stderr))
            self.assertNotIn("Sanitizer", done.stderr, place)
            found += done.returncode != DONE
        print(f"{found} of {FLIPS} flips were in use and found", flush=True)

    def test_damage_that_ends_a_reader_keeps_the_tables_out_of_it(self):
        """In the heads of pages, where it leads LMDB astray."""
        self.generate(60)
        path = os.path.join(self.dir, "log", "data.mdb")
        with open(path, "rb") as file:
            data = file.read()
        told = 0
        for page in range(2, len(data) // 4096):
            with open(path, "wb") as file:
                file.write(data[:page * 4096 + 17])
                file.write(bytes([data[page * 4096 + 17] ^ 0xff]))
                file.write(data[page * 4096 + 18:])
            done = self.server.run("verify", "--projection", "--json", check=False)
            self.assertIn(done.returncode, (DIFFERENT, FAILED), (page, done.stderr))
            self.assertNotIn("Sanitizer", done.stderr, page)
            if done.returncode == DIFFERENT:
                projection = json.loads(done.stdout)["projection"]
                self.assertFalse(projection["equal"])
                told += "cannot be read" in projection["reason"]
        self.assertGreater(told, 0)

    def test_without_a_log_it_cannot_run(self):
        self.assertIn("no log", self.verify(expect=FAILED).stderr.lower())
        self.assertEqual([name for name in os.listdir(self.dir) if "log" == name], [])


class Projection(Case):
    def setUp(self):
        super().setUp()
        self.server.start()
        client = self.server.client()
        self.persons = [client.post("/persons", {
            "email": f"p{i}@b.test", "first_name": "A", "last_name": "B"}).data
            for i in range(5)]
        self.events = [client.post("/events", {
            "person_id": self.persons[0]["id"], "event_type": "click",
            "properties": {"n": i}}).data for i in range(5)]
        client.get("/events?limit=1")

    def test_equal_tables_are_equal(self):
        told = json.loads(self.verify("--projection", "--json").stdout)["projection"]
        self.assertEqual((told["equal"], told["sequence"], told["persons"],
                          told["events"], told["differences"]), (True, 15, 5, 10, []))

    def test_what_was_done_by_hand_is_named(self):
        query(self.server, "update person set email = 'x' "
                           f"where id = '{self.persons[1]['id']}'")
        query(self.server, f"delete from event where id = '{self.events[2]['id']}'")
        query(self.server, "insert into event (id, sequence, person_id, event_type, "
                           "datetime_created, received) select gen_random_uuid(), 999, person_id, "
                           "'forged', now(), now() from event limit 1")
        added = query(self.server, "select id from event where event_type = 'forged'")
        lines = self.verify("--projection", expect=DIFFERENT).stdout.splitlines()
        self.assertEqual(
            [line.split() for line in lines[:3]],
            [f"changed person {self.persons[1]['id']} at record 3: email".split(),
             f"missing event {self.events[2]['id']} at record 13".split(),
             f"extra event {added} at record 999".split()])
        told = json.loads(self.verify("--projection", "--json", expect=DIFFERENT).stdout)
        self.assertEqual([(each["kind"], each["id"])
                          for each in told["projection"]["differences"] if not each["how"]],
                         [("changed", self.persons[1]["id"]),
                          ("missing", self.events[2]["id"]), ("extra", added)])
        self.assertGreaterEqual(told["projection"]["statistics"], 2)
        for table in ("event_hour", "event_day"):
            self.assertTrue([line for line in lines
                             if line.startswith(f"extra    {table}: forged")
                             and line.endswith(" is 1, the log says none")], lines)
        self.assertEqual(self.server.run("rebuild").returncode, DONE)
        self.verify("--projection")

    def test_a_statistic_that_is_wrong_is_named(self):
        query(self.server, "update event_hour set events = 7 where hour = (select max(hour) "
                           "from event_hour where event_type = 'click') and event_type = 'click'")
        lines = self.verify("--projection", expect=DIFFERENT).stdout.splitlines()
        self.assertRegex(lines[0], "^changed  event_hour: click [-0-9]{10}T[0-9]{2} is 7, "
                                   "the log says [1-5]$")
        self.assertTrue([line for line in lines if line.endswith("changed 0, statistics 1")])
        told = json.loads(self.server.run("rebuild", "--dry-run", "--json",
                                          check=False).stdout)
        self.assertEqual((told["equal"], told["statistics"], told["changed"]), (False, 1, 0))
        self.assertEqual([told["differences"][0][key] for key in ("table", "columns")],
                         ["event_hour", "events"])
        self.assertRegex(told["differences"][0]["how"], "^is 7, the log says [1-5]$")
        self.server.run("rebuild")
        self.verify("--projection")
        query(self.server, "update event_day set events = 7 where event_type = 'click'")
        lines = self.verify("--projection", expect=DIFFERENT).stdout.splitlines()
        self.assertRegex(lines[0], "^changed  event_day: click [-0-9]{10} is 7, "
                                   "the log says [1-5]$")
        self.server.run("rebuild")
        self.verify("--projection")

    def test_tables_that_are_gone_are_a_difference(self):
        self.server.stop()
        query(self.server, "drop table event cascade")
        self.assertIn("not whole", self.verify("--projection", expect=DIFFERENT).stdout)
        query(self.server, f"drop schema {self.server.env['DB_SCHEMA']} cascade")
        told = json.loads(self.verify("--projection", "--json", expect=DIFFERENT).stdout)
        self.assertFalse(told["projection"]["equal"])
        self.assertIn("not there", told["projection"]["reason"])

    def test_postgres_away_is_a_failure(self):
        self.server.env["DB_HOST"] = "/tmp/daybook-nobody-here"
        done = self.server.run("verify", "--projection", check=False)
        self.server.env["DB_HOST"] = os.environ["DAYBOOK_TEST_PG"]
        self.assertEqual(done.returncode, FAILED)


if __name__ == "__main__":
    unittest.main()
