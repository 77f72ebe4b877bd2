"""What was deleted is nowhere in a PostgreSQL that was scrubbed: a private one is cleaned,
the administrator of another is told what to run."""

import json
import os
import re
import subprocess
import unittest

import places
from harness import Server
from postgres import postmaster_of
from tools import FAILED, MISUSED

MARK = "markerzqx"


class Scrubbed(unittest.TestCase):
    PRIVATE = True

    def setUp(self):
        self.server = Server(private=self.PRIVATE, env={"SEALED": "true"})
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def person(self, name):
        made = self.client.post("/persons", {
            "email": f"{name}@x.test", "first_name": name, "last_name": name})
        self.assertEqual(made.status, 201, made.details)
        for n in range(30):
            event = self.client.post("/events", {
                "event_type": "click", "person_id": made.data["id"],
                "properties": {"name": name, "n": n}})
            self.assertEqual(event.status, 201, event.details)
        return made.data["id"]

    def scrub(self):
        return json.loads(self.server.run("rebuild", "--scrub", "--json").stdout)

    def schemas(self):
        found = json.loads(self.server.run("status", "--json", check=False).stdout)
        return {each["name"] for each in found["schemas"]}


class OfThePrivateCluster(Scrubbed):
    def places(self):
        return places.in_files(os.path.join(self.server.data_dir, "postgres"),
                               places.texts(MARK))

    def test_nothing_is_left_and_the_rest_is_there(self):
        gone, kept = self.person(MARK), self.person("stays")
        self.server.run("rebuild", "--keep-old")
        self.server.run("replay", "--into", "then")
        os.makedirs(os.path.join(self.server.data_dir, "postgres.damaged"))
        self.assertEqual(self.client.delete("/persons/" + gone).status, 200)
        self.assertEqual(self.client.get("/persons/" + gone).status, 404)
        self.assertIn("then", self.schemas())
        self.server.run("rebuild", "--drop-old")
        self.assertTrue(self.places(), "there is nothing to be shown")
        done = self.scrub()
        found = self.places()
        self.assertEqual(found, [], places.told(found))
        self.assertEqual((done["dropped"], done["removed"], done["by_hand"]), (1, 1, None))
        self.assertGreater(done["segments"], 0)
        self.assertEqual(self.schemas(), set())
        self.assertEqual(len(self.client.get(f"/persons/{kept}").data["events"]), 31)
        self.assertIn("replaced      statistics, and", self.server.run("rebuild", "--scrub").stdout)


    def test_an_erasure_brings_its_own(self):
        gone, kept = self.person(MARK), self.person("stays")
        self.server.wait_for(self.places, "PostgreSQL's files to have it")  # WAL is written behind
        kept_at = os.path.join(self.server.data_dir, "receipt.json")
        done = json.loads(self.server.run("person", "erase", gone, "--scrub", "--json",
                                          "--receipt", kept_at).stdout)
        found = self.places()
        self.assertEqual(found, [], places.told(found))
        self.assertGreater(done["scrub"]["segments"], 0)
        self.assertGreaterEqual(done["scrub"]["sequence"], done["sequence"])
        with open(kept_at) as receipt:  # of the erasure, for years; the other is of this run
            self.assertNotIn("scrub", json.load(receipt))
        shown = self.server.run("keys", "rotate", "--scrub").stdout
        self.assertIn("1 are erased", shown.replace("\n", " "))
        self.assertIn("replaced      statistics, and", shown)
        self.assertEqual(len(self.client.get(f"/persons/{kept}").data["events"]), 31)

    def test_what_a_killed_one_has_left_is_put_back_at_the_next_start(self):
        self.server.stop()
        kept = os.path.join(self.server.data_dir, "postgres", "postgresql.auto.conf")
        with open(kept, "a") as settings:
            settings.write("min_wal_size = '32MB'\nwal_recycle = 'off'\n")
        self.server.start()

        def put_back():
            with open(kept) as settings:
                return not re.search("wal_recycle|min_wal_size", settings.read())

        self.server.wait_for(put_back, "the settings as they were")
        self.server.wait_for(lambda: "put back wal_recycle" in self.server.told(),
                             "that it is told")

    def test_neither_dumps_core(self):
        for pid in (self.server.process.pid,
                    postmaster_of(os.path.join(self.server.data_dir, "postgres"))):
            with open(f"/proc/{pid}/limits") as limits:
                bound = next(line for line in limits if line.startswith("Max core file"))
            self.assertIn(bound.split()[4:6], (["1", "1"], ["0", "0"]), bound)


class OfAnother(Scrubbed):
    PRIVATE = False

    def test_who_erases_is_told_what_the_administrator_runs(self):
        shown = self.server.run("person", "erase", self.person(MARK), "--scrub").stdout
        for text in ("person    ", "made anew ", "alter system set wal_recycle = off;"):
            self.assertIn(text, shown)
        self.assertIn("left to you", self.server.run("keys", "rotate", "--scrub").stdout)

    def test_what_is_erased_stays_so_where_the_tables_are_away(self):
        gone = self.person(MARK)
        done = self.server.run("person", "erase", gone, "--scrub", "--json", "--db-port", "1",
                               check=False)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIsNone(json.loads(done.stdout)["scrub"])
        self.assertIn("the person is erased; but", done.stderr)
        self.assertIn("daybook rebuild --scrub", done.stderr)
        self.assertEqual(self.client.get(f"/persons/{gone}/receipt").status, 200)
        done = self.server.run("keys", "rotate", "--scrub", "--db-port", "1", check=False)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIn("The former master key is destroyed", done.stdout)
        self.assertIn("the keys are wrapped anew; but", done.stderr)

    def test_it_belongs_to_an_erasure_and_to_a_rotation(self):
        for part in (("person", "receipt", "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c"),
                     ("keys", "status")):
            done = self.server.run(*part, "--scrub", check=False)
            self.assertEqual(done.returncode, MISUSED, done.stderr)
            self.assertIn("--scrub is for", done.stderr)

    def test_our_schemas_are_made_anew_and_the_rest_is_told(self):
        gone, into = self.person(MARK), self.server.env["DB_SCHEMA"] + "_then"
        self.server.run("replay", "--into", into)
        other = Server()  # on the same PostgreSQL, with a replay of its own
        self.addCleanup(other.close)
        other.start()
        theirs = other.env["DB_SCHEMA"] + "_theirs"
        other.run("replay", "--into", theirs)
        self.assertEqual(self.client.delete("/persons/" + gone).status, 200)
        done = self.scrub()
        self.assertEqual((done["dropped"], done["segments"]), (1, 0))
        self.assertIn("vacuum (full) pg_catalog.pg_statistic;", done["by_hand"])
        self.assertNotIn(into, self.schemas())
        self.assertIn(theirs, self.schemas())
        shown = self.server.run("rebuild", "--scrub").stdout
        self.assertIn("left to you", shown)
        self.assertIn("alter system set wal_recycle = off;", shown)
        subprocess.run(["psql", "-h", os.environ["DAYBOOK_TEST_PG"], "-U", "daybook", "-d", "daybook",
                        "-q", "-c", f'drop schema "{theirs}" cascade'], check=True,
                       capture_output=True)


del Scrubbed

if __name__ == "__main__":
    unittest.main()
