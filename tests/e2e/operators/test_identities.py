"""A log with aliases, external ids, persons' properties, and events of who is not known:
whatever is done with logs is done with this one."""

import json
import shutil
import unittest

from damage import change, damage
from tools import DIFFERENT, ToolCase, records_of

SEED = 7
NEW = {"person.aliased", "person.unaliased"}


class Identities(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("a", 2000, SEED, identities=True)
        self.whole = self.export("a")
        self.records = records_of(self.whole)

    def right(self, name):
        self.run_tool("verify", "--data-dir", name)
        self.assertEqual(self.export(name), self.whole)

    def test_it_has_what_is_new(self):
        self.assertTrue(NEW | {"person.restricted", "person.unrestricted", "log.resealed"}
                        <= {record["type"] for record in self.records})
        self.assertEqual({record["format"] for record in self.records}, {1, 2, 3, 5, 6})
        data = [record["data"] for record in self.records]
        for key in "anonymous_id", "external_id", "properties":
            self.assertTrue(any(key in one for one in data), key)
        self.assertTrue(any(one.get("person_id", "") is None for one in data))
        self.assertTrue(any(record["type"] == "event.deleted" and
                            record["data"]["person_id"] is None for record in self.records))

    def test_exports_are_imported_record_by_record(self):
        for name in "e.ndjson", "e.msgpack", "e.ndjson.zst":
            self.run_tool("export", name, "--data-dir", "a")
            self.run_tool("import", name, "--data-dir", "b")
            self.right("b")
            shutil.rmtree(self.path("b"))

    def test_backups_are_checked_and_restored(self):
        self.run_tool("backup", "b", "--data-dir", "a")
        self.run_tool("backup", "b", "--verify", "--data-dir", "a")
        self.run_tool("restore", "b", "--data-dir", "r")
        self.right("r")
        self.run_tool("restore", "b", "--to", "1000", "--data-dir", "p")
        self.run_tool("verify", "--data-dir", "p")
        self.assertEqual(records_of(self.export("p")), self.records[:1000])

    def test_damaged_records_are_put_back(self):
        marked = next(record for record in self.records if record["type"] in NEW)
        self.run_tool("backup", "b", "--data-dir", "a")
        damage(self.path("a/log/data.mdb"), change,
               marked["data"]["anonymous_id"].encode())
        self.run_tool("verify", "--data-dir", "a", status=DIFFERENT)
        done = self.run_tool("export", "--salvage", "--data-dir", "a", status=DIFFERENT)
        self.assertNotIn(marked["sequence"],
                         [record["sequence"] for record in records_of(done.stdout)])
        self.run_tool("verify", "--repair-from", "b", "--data-dir", "a")
        self.right("a")
        self.run_tool("verify", "--repair-indexes", "--data-dir", "a")
        self.right("a")

    def test_persons_and_events_are_imported_with_it(self):
        time = "2024-01-01T00:00:00"
        number = "018cc251-f537-7996-a2df-{:012x}".format
        person = {"id": number(1), "external_id": "crm|1", "anonymous_id": "d1",
                  "properties": {"plan": "pro"}, "datetime_created": time}
        before, behind = ({"id": number(i), "event_type": "Order Completed",
                           "anonymous_id": "d1", "datetime_created": time} for i in (2, 3))
        for name, line in ("p", person), ("before", before), ("behind", behind):
            self.write(name, json.dumps(line).encode() + b"\n")
        for files in ("-", "before"), ("p", "behind"), ("p", "before"):
            self.run_tool("import", *files, "--data-dir", "i")
        found = [(record["type"], record["data"])
                 for record in records_of(self.export("i"))]
        self.assertEqual(
            [kind for kind, _ in found],
            ["event.recorded", "person.created", "event.recorded", "person.aliased",
             "event.recorded"])
        self.assertEqual(found[0][1]["person_id"], None)
        self.assertEqual(found[1][1]["external_id"], "crm|1")
        self.assertEqual(found[1][1]["properties"], {"plan": "pro"})
        self.assertEqual(found[3][1], {"anonymous_id": "d1"})
        self.assertEqual(found[4][1]["person_id"], number(1))
        self.run_tool("verify", "--data-dir", "i")

    def test_the_events_of_an_alias_are_the_persons(self):
        """Also those from before it was one."""
        owners, events = {}, {}
        for record in self.records:
            kind, data, about = record["type"], record["data"], record["subject_id"]
            if kind == "person.aliased":
                owners[data["anonymous_id"]] = about
            elif kind == "person.unaliased":
                del owners[data["anonymous_id"]]
            elif kind == "person.deleted":
                gone = [name for name, who in owners.items() if who == about]
                for name in gone:
                    del owners[name]
                    events[name] = []
            elif kind == "event.recorded" and "anonymous_id" in data:
                events.setdefault(data["anonymous_id"], []).append(record)
        who = max(set(owners.values()), key=list(owners.values()).count)
        wanted = {record["sequence"] for name, owner in owners.items() if owner == who
                  for record in events.get(name, ())}
        early = [record for name, owner in owners.items() if owner == who
                 for record in events.get(name, ()) if record["data"]["person_id"] is None]
        self.assertTrue(early, "none was recorded before the alias")
        shown = {record["sequence"] for record in records_of(self.run_tool(
            "log", "person", who, "--json", "--data-dir", "a").stdout)}
        deleted = {record["subject_id"] for record in self.records
                   if record["type"] == "event.deleted"}
        there = {record["sequence"] for record in self.records
                 if record["type"] == "event.recorded" and record["subject_id"] in deleted}
        self.assertTrue(wanted <= shown | there)
        self.assertEqual(shown, {record["sequence"] for record in records_of(
            self.export("a", "--person", who))})


if __name__ == "__main__":
    unittest.main()
