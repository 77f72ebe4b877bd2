"""A part of a log, as records or for a spreadsheet."""

import csv
import gzip
import hashlib
import io
import json
import os
import unittest
import uuid

from exports import SEED
from tools import DIFFERENT, DONE, FAILED, MISUSED, ToolCase, bare, records_of


class Selection(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 3000, SEED)
        self.records = records_of(self.export("first"))

    def selected(self, *arguments):
        export = self.export("first", *arguments)
        records = records_of(export)
        trailer = json.loads(export.splitlines()[-1])["export"]
        self.assertEqual(trailer["records"], len(records))
        self.assertEqual(trailer["whole"], not arguments)
        if records:
            self.assertEqual((trailer["first"], trailer["last"]),
                             (records[0]["sequence"], records[-1]["sequence"]))
        return records

    def expect(self, arguments, condition):
        self.assertEqual(self.selected(*arguments),
                         [record for record in self.records if condition(record)])

    def test_by_sequence(self):
        self.expect((), lambda record: True)
        self.expect(("--from", "100"), lambda record: record["sequence"] >= 100)
        self.expect(("--to", "100"), lambda record: record["sequence"] <= 100)
        self.expect(("--from", "7", "--to", "7"), lambda record: record["sequence"] == 7)
        for flag in "--from", "--to":
            self.refused(MISUSED, f"{flag}: there is no record 999999", "export",
                         "--data-dir", "first", flag, "999999")

    def test_by_time(self):
        middle = self.records[1500]["recorded_at"]
        last = max(record["sequence"] for record in self.records
                   if record["recorded_at"] <= middle)
        before = max(record["sequence"] for record in self.records
                     if record["recorded_at"] < middle)
        self.expect(("--to", middle), lambda record: record["sequence"] <= last)
        self.expect(("--from", middle), lambda record: record["sequence"] > before)
        self.refused(MISUSED, "are later", "export", "--data-dir", "first", "--to",
                     "2000-01-01")
        self.expect(("--from", "2000-01-01"), lambda record: True)
        self.expect(("--from", "2999-01-01"), lambda record: False)
        self.refused(DONE, "0 records", "export", "--data-dir", "first", "--from",
                     "2999-01-01")

    def test_by_type_and_person(self):
        person = self.records[0]["subject_id"]
        def about(record):
            return person in (record["subject_id"], record["data"].get("person_id"))
        self.expect(("--type", "person.updated"),
                    lambda record: record["type"] == "person.updated")
        self.expect(("--person", person), about)
        self.expect(("--person", person.upper(), "--type", "event.recorded", "--from", "50"),
                    lambda record: about(record) and record["sequence"] >= 50 and
                    record["type"] == "event.recorded")

    def test_rows_are_what_the_records_say(self):
        done = self.run_tool("export", "--data-dir", "first", "--format", "csv")
        trailer = json.loads(done.stderr)["export"]
        self.assertEqual(trailer["sha256"], hashlib.sha256(done.stdout).hexdigest())
        self.assertTrue(done.stdout.endswith(b"\r\n"))
        rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
        self.assertEqual(trailer["records"], len(rows))
        for row, record in zip(rows, self.records, strict=True):
            data = record["data"]
            properties = data.get("properties_text")
            wanted = {"sequence": str(record["sequence"]), "type": record["type"],
                      "recorded_at": record["recorded_at"],
                      "subject_id": record["subject_id"],
                      "person_id": data.get("person_id", record["subject_id"]) or ""}
            for name in ("email", "first_name", "last_name", "role", "event_type",
                         "datetime_created", "external_id", "anonymous_id"):
                wanted[name] = data.get(name) or ""
            for name in ("request_id", "actor", "source", "clock_offset", "traceparent"):
                wanted[name] = record["meta"].get(name, "")
            if properties is not None:
                self.assertEqual(row["properties"], properties)
            found = row.pop("properties")
            self.assertEqual(json.loads(found) if found else None, data.get("properties"))
            self.assertEqual(row, wanted)

    def test_the_name_of_the_file_says_how(self):
        self.export("first", "rows.csv.gz")
        self.assertEqual(gzip.decompress(self.read("rows.csv.gz")),
                         self.export("first", "--format", "csv"))
        self.export("first", "frames.msgpack")
        self.assertEqual(bare(self.read("frames.msgpack")),
                         self.export("first", "--format", "msgpack"))
        said = json.loads(self.export("first", "whole.zst", "--json"))
        self.assertEqual(said["bytes"], os.path.getsize(self.path("whole.zst")))
        self.assertEqual(said["export"]["records"], len(self.records))


    def test_a_person_that_nothing_is_about_is_told(self):
        self.refused(DIFFERENT, "--person: no record is about 00000000-", "export",
                     "--data-dir", "first", "out", "--person",
                     "00000000-0000-0000-0000-000000000000")
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_day_is_the_whole_of_it(self):
        day = self.records[1500]["recorded_at"][:10]
        last = max(record["sequence"] for record in self.records
                   if record["recorded_at"][:10] <= day)
        self.expect(("--to", day), lambda record: record["sequence"] <= last)

    def test_the_trailer_says_where_it_is_from(self):
        person = self.records[0]["subject_id"]
        self.run_tool("export", "--data-dir", "first", "part", "--person", person,
                      "--type", "event.recorded", "--from", "2", "--to", "2000")
        source = json.loads(self.read("part").splitlines()[-1])["export"]["source"]
        store = json.loads(self.run_tool("status", "--data-dir", "first", "--json").stdout)
        self.assertRegex(source.pop("exported_at"), r"^20\d\d-\d\d-\d\dT[0-9:.]{15}$")
        self.assertEqual(source, {"store_id": store["store_id"], "from": 2, "to": 2000,
                                  "type": "event.recorded", "person_id": person,
                                  "escaped": 0, "missing": 0,
                                  "missing_sequences": ""})


class Spreadsheet(ToolCase):
    def setUp(self):
        super().setUp()
        lines = [{"id": str(uuid.uuid4()), "email": f"a{number}@x.test", "first_name": name,
                  "last_name": "B", "datetime_created": "2015-09-12T00:00:00"}
                 for number, name in enumerate(("=cmd|'/c calc'!A0", "+1", "Kate"))]
        self.write("persons", "".join(json.dumps(line) + "\n" for line in lines).encode())
        self.run_tool("import", "persons", "--data-dir", "a")

    def test_what_it_would_run_is_made_harmless_and_told(self):
        done = self.run_tool("export", "--data-dir", "a", "rows.csv", "--type",
                             "person.created")
        self.assertIn(b"2 cells that a spreadsheet would run", done.stdout)
        rows = list(csv.DictReader(io.StringIO(self.read("rows.csv").decode(), newline="")))
        self.assertEqual([row["first_name"] for row in rows],
                         ["'=cmd|'/c calc'!A0", "'+1", "Kate"])

    def test_the_trailer_stands_beside_it(self):
        self.run_tool("export", "--data-dir", "a", "rows.csv")
        trailer = json.loads(self.read("rows.csv.trailer.json"))["export"]
        self.assertEqual(trailer["sha256"],
                         hashlib.sha256(self.read("rows.csv")).hexdigest())
        self.assertEqual(trailer["source"]["escaped"], 2)
        self.refused(FAILED, "--force", "export", "--data-dir", "a", "rows.csv")
        self.assertEqual(sorted(os.listdir(self.dir)),
                         ["a", "persons", "rows.csv", "rows.csv.trailer.json"])


if __name__ == "__main__":
    unittest.main()
