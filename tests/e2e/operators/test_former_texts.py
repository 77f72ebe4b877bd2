"""Tables that a migration's former text has made go on under this one."""

import glob
import hashlib
import os
import re
import unittest

from fold import check_reads
from harness import Server
from tables import drop_schemas, query

ROOT = os.path.join(os.path.dirname(__file__), "../../..")
SOURCE = os.path.join(ROOT, "src/projections/schema/migration_former.c")
# How to tell the former text of each from what it is now: by version, what was changed.
CHANGED = {1: [("returns table (events text)", "returns table (json text)")]}


def text_of(version):
    path, = glob.glob(os.path.join(ROOT, f"migrations/{version:04}_*.up.sql"))
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def former_text(version):
    text = text_of(version)
    for now, before in CHANGED[version]:
        assert text.count(now) == 1
        text = text.replace(now, before)
    return text


def checksum(text):
    return hashlib.sha256(text.encode()).hexdigest()


class FormerTexts(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.addCleanup(drop_schemas, self.server)

    def make_as_before(self):
        """The tables of this server, by the former text. What PostgreSQL takes for a name
        now only in quotes it has taken without them before."""
        schema = self.server.env["DB_SCHEMA"]
        quoted = former_text(1).replace("(json text)", '("json" text)')
        query(self.server, f'create schema "{schema}"; {quoted};'
              "create table schema_migration (version integer primary key, name text not "
              "null, checksum text not null, applied_at timestamp not null);"
              "insert into schema_migration values (1, 'person_and_event', "
              f"'{checksum(former_text(1))}', now() at time zone 'utc')")

    def function(self):
        return query(self.server, "select pg_get_function_result('newest_events'::regproc)")

    def write(self, name):
        client = self.server.client()
        person = client.post("/persons", {"email": f"{name}@b.test", "first_name": "A",
                                          "last_name": "B"}).data
        client.post("/events", {"event_type": "seen", "person_id": person["id"]})
        shown = client.get(f"/persons/{person['id']}").data["events"]
        self.assertEqual(shown[-1]["event_type"], "seen")

    def assert_as_written(self):
        check_reads(self.server, self.server.log_records())
        self.server.run("verify", "--projection")

    def test_the_checksums_are_those_of_the_texts(self):
        with open(SOURCE, encoding="utf-8") as file:
            listed = {int(version): checksum for version, checksum
                      in re.findall(r'\{(\d+), "([0-9a-f]{64})"\}', file.read())}
        self.assertEqual(listed, {version: checksum(former_text(version))
                                  for version in CHANGED})

    def test_they_go_on_without_a_rebuild(self):
        self.make_as_before()
        self.server.start()
        self.write("before")
        self.assertIn("events", self.function())
        status = self.server.run("migrate", "--status")
        self.assertNotIn("another text", status.stdout)
        self.assertIn("nothing to apply", self.server.run("migrate").stdout)
        self.assert_as_written()
        self.assertEqual(self.server.run("status").returncode, 0)

    def test_a_rebuild_makes_the_same(self):
        self.make_as_before()
        self.server.start()
        self.write("before")
        self.server.run("rebuild", "--dry-run")
        self.server.run("rebuild", "--keep-old")
        self.assertIn("events", self.function())
        self.write("between")
        self.assert_as_written()
        self.server.run("rebuild", "--undo")
        self.write("after")
        self.assert_as_written()

    def test_they_can_be_taken_back(self):
        self.make_as_before()
        self.server.run("migrate", "--down", "99")
        self.assertEqual(query(self.server, "select to_regclass('event')"), "")
        self.server.run("migrate")
        self.server.start()
        self.write("after")

    def test_tables_of_the_version_before_are_posted_again(self):
        self.server.start()
        self.write("before")
        self.server.stop()
        self.server.run("migrate", "--down", "6") # to those of migration 0002
        query(self.server, "update checkpoint set sequence = 2")
        self.server.start()
        self.server.wait_for(lambda: self.server.told().count("projection follows") == 2,
                             "the tables")
        self.assertIn("a new version has emptied the read tables: the log is posted again, "
                      "from record 1 to 2;", self.server.told())
        self.write("after")
        self.assert_as_written()

    def test_a_rebuild_replaces_those_of_the_version_before(self):
        self.server.start()
        self.write("before")
        self.server.stop()
        self.server.run("migrate", "--down", "6") # to those of migration 0002
        query(self.server, "update checkpoint set sequence = 2")
        self.server.run("rebuild")
        self.server.start()
        self.write("after")
        self.assert_as_written()
        self.assertNotIn("emptied", self.server.told())


if __name__ == "__main__":
    unittest.main()
