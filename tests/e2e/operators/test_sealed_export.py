"""Exports of a sealed log: its very bytes, back by its ring or without, and what people read."""

import base64
import csv
import io
import json
import os
import shutil
import unittest

from tools import DIFFERENT, FAILED, MISUSED, ToolCase, records_of

MARK = "zanzibar"


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


class Sealed(ToolCase):
    """A sealed log, first, of three persons and what they did."""

    def setUp(self):
        super().setUp()
        at = "2026-01-01T00:00:00.000000"
        persons = b"".join(line(id=f"9c65af1a-c109-4c17-9bf1-5f4bcac9500{i}",
                                email=f"p{i}-{MARK}@x.mock", first_name=MARK,
                                last_name="P", datetime_created=at) for i in range(3))
        events = b"".join(line(id=f"8c65af1a-c109-4c17-9bf1-5f4bcac9500{i}",
                               person_id=f"9c65af1a-c109-4c17-9bf1-5f4bcac9500{i % 3}",
                               event_type="click", datetime_created=at,
                               properties={"where": MARK}) for i in range(9))
        self.run_tool("import", self.write("persons", persons), self.write("events", events),
                      "--data-dir", "first", "--sealed")

    def bring_ring(self, name):
        os.makedirs(self.path(name))
        shutil.copytree(self.path("first", "keys"), self.path(name, "keys"))


class RoundTrip(Sealed):
    def test_import_by_the_ring_gives_the_same_bytes(self):
        for number, ending in enumerate(("ndjson", "ndjson.gz", "msgpack", "msgpack.zst")):
            made = f"made{number}"
            self.bring_ring(made)
            self.run_tool("export", f"one.{ending}", "--data-dir", "first")
            done = self.run_tool("import", f"one.{ending}", "--data-dir", made)
            self.assertIn(b"by which it is sealed", done.stdout)
            for format_ in ("ndjson", "msgpack"):
                self.assertEqual(self.export(made, "--format", format_),
                                 self.export("first", "--format", format_))
            self.run_tool("verify", "--data-dir", made)
            self.assertIn(MARK.encode(), self.run_tool("log", "list", "--json", "--data-dir",
                                                       made).stdout)

    def test_what_is_sealed_stays_so(self):
        for arguments in ((), ("--format", "msgpack"), ("--salvage",), ("--gzip",)):
            self.assertNotIn(MARK.encode(), self.export("first", *arguments))
        for record in records_of(self.export("first")):
            self.assertEqual(set(record["data"]) - {"person_id"}, {"key", "sealed"})

    def test_no_ring_is_needed_to_export(self):
        whole = self.export("first")
        shutil.move(self.path("first", "keys"), self.path("away"))
        self.assertEqual(self.export("first"), whole)
        self.refused(FAILED, "the log is sealed", "export", "--unseal", "--data-dir", "first")
        self.refused(FAILED, "the log is sealed", "export", "--person",
                     "9c65af1a-c109-4c17-9bf1-5f4bcac95001", "--data-dir", "first")

    def test_a_person_has_all_of_it(self):
        person = "9c65af1a-c109-4c17-9bf1-5f4bcac95001"
        records = records_of(self.export("first", "--person", person))
        self.assertEqual(len(records), 5)
        self.assertNotIn(MARK, json.dumps(records))
        opened = records_of(self.export("first", "--person", person, "--unseal"))
        self.assertEqual([each["sequence"] for each in opened],
                         [each["sequence"] for each in records])
        self.assertIn(MARK, json.dumps(opened))


class WithoutKeys(Sealed):
    def test_it_is_refused_until_it_is_asked_for(self):
        export = self.write("whole", self.export("first"))
        done = self.refused(FAILED, "--without-keys makes a log in which nobody is known",
                            "import", export, "--data-dir", "made")
        self.assertIn("made/keys", done.stderr.decode())
        self.assertFalse(os.path.exists(self.path("made")))

    def test_nobody_is_known_and_it_goes_on(self):
        export = self.write("whole", self.export("first"))
        told = json.loads(self.run_tool("import", export, "--data-dir", "made",
                                        "--without-keys", "--json").stdout)
        self.assertEqual((told["sealed"], told["without_keys"]), (True, True))
        self.assertEqual(self.export("made"), self.export("first"))
        self.run_tool("verify", "--data-dir", "made")
        opened = self.export("made", "--unseal")
        self.assertNotIn(MARK.encode(), opened)
        self.assertTrue(all(each["data"]["erased"] for each in records_of(opened)))
        again = line(email=f"p1-{MARK}@x.mock", first_name="K", last_name="P",
                     id="7c65af1a-c109-4c17-9bf1-5f4bcac95000",
                     datetime_created="2026-01-01T00:00:00.000000")
        self.run_tool("import", self.write("again", again), "--data-dir", "made")
        self.run_tool("verify", "--data-dir", "made")

    def test_a_ring_that_is_there_is_not_passed_over(self):
        export = self.write("whole", self.export("first"))
        self.bring_ring("made")
        self.refused(FAILED, "leave --without-keys out", "import", export, "--data-dir",
                     "made", "--without-keys")
        self.run_tool("import", export, "--data-dir", "made")

    def test_a_master_key_that_is_there_is_told_before_anything_is_done(self):
        export = self.write("whole", self.export("first"))
        os.makedirs(self.path("made", "keys"))
        self.write("made/keys/lock", b"")
        self.refused(FAILED, "keys has lock already", "import", export, "--data-dir",
                     "made", "--without-keys")
        self.assertLessEqual(set(os.listdir(self.path("made"))), {"keys", "serve.lock"})

    def test_what_fails_leaves_no_ring_behind(self):
        cut = self.write("cut", self.export("first")[:-40])
        self.run_tool("import", cut, "--data-dir", "made", "--without-keys", status=DIFFERENT)
        self.assertFalse(os.path.exists(self.path("made")))

    def test_the_ring_of_another_log_is_refused(self):
        self.run_tool("import", self.path("persons"), "--data-dir", "other", "--sealed")
        export = self.write("whole", self.export("first"))
        os.makedirs(self.path("made"))
        shutil.copytree(self.path("other", "keys"), self.path("made", "keys"))
        self.refused(FAILED, "another log's", "import", export, "--data-dir", "made")


class Verify(Sealed):
    def test_with_its_ring_all_of_it_is_checked(self):
        done = self.run_tool("verify", "--data-dir", "first")
        self.assertIn(b"log           right: 15 records and their indexes", done.stdout)
        self.run_tool("verify", "--repair-indexes", "--data-dir", "first")
        self.assertIn(b'"shut":null', self.run_tool("verify", "--json", "--data-dir",
                                                    "first").stdout)

    def test_without_it_what_is_in_the_clear(self):
        shutil.move(self.path("first", "keys"), self.path("away"))
        done = self.run_tool("verify", "--data-dir", "first")
        self.assertIn(b"right: 15 records, as far as they are in the clear", done.stdout)
        self.assertIn(b"sealed        its ring of keys is not in first/keys; so", done.stdout)
        told = json.loads(self.run_tool("verify", "--json", "--data-dir", "first").stdout)
        self.assertIn("the indexes were not checked", told["shut"])
        self.refused(FAILED, "which is not here", "verify", "--repair-indexes", "--data-dir",
                     "first")

    def test_a_ring_that_cannot_be_used_is_not_right(self):
        os.truncate(self.path("first", "keys", "ring"), 100)
        done = self.run_tool("verify", "--data-dir", "first", status=DIFFERENT)
        self.assertIn(b"sealed        ", done.stdout)

    def test_the_ring_of_another_log_is_one_finding(self):
        self.run_tool("import", self.path("persons"), "--data-dir", "other", "--sealed")
        shutil.rmtree(self.path("first", "keys"))
        shutil.copytree(self.path("other", "keys"), self.path("first", "keys"))
        told = json.loads(self.run_tool("verify", "--json", "--data-dir", "first",
                                        status=DIFFERENT).stdout)
        self.assertEqual([each["text"] for each in told["findings"]],
                         ["the ring of keys is another log's: put this one's there"])
        self.assertIn("its ring of keys is not as the log needs it; so", told["shut"])

    def test_a_damaged_record_is_put_back_from_an_export(self):
        self.run_tool("export", "whole.ndjson", "--data-dir", "first")
        sealed = base64.b64decode(records_of(self.read("whole.ndjson"))[6]["data"]["sealed"])
        data = self.read("first/log/data.mdb")
        self.assertIn(sealed, data)
        self.write("first/log/data.mdb", data.replace(sealed, sealed[::-1]))
        self.run_tool("verify", "--data-dir", "first", status=DIFFERENT)
        self.run_tool("verify", "--repair-from", "whole.ndjson", "--data-dir", "first")


class Unsealed(Sealed):
    def test_it_is_for_reading_only(self):
        done = self.run_tool("export", "open.ndjson", "--unseal", "--data-dir", "first")
        self.assertIn(b"unsealed      for reading", done.stdout)
        opened = self.read("open.ndjson")
        records = records_of(opened)
        self.assertEqual(records[0]["data"]["first_name"], MARK)
        trailer = json.loads(opened.splitlines()[-1])["export"]["source"]
        self.assertEqual((trailer["unsealed"], trailer["erased"]), (True, 0))
        self.bring_ring("made")
        self.refused(DIFFERENT, "--unseal cannot be imported", "import", "open.ndjson",
                     "--data-dir", "made")

    def test_csv_needs_it(self):
        self.refused(MISUSED, "csv is for reading: it needs --unseal", "export", "--format",
                     "csv", "--data-dir", "first")
        done = self.run_tool("export", "--format", "csv", "--unseal", "--data-dir", "first")
        rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
        self.assertEqual(rows[0]["first_name"], MARK)
        self.assertIs(json.loads(done.stderr)["export"]["source"]["unsealed"], True)

    def test_what_it_is_not_for(self):
        self.refused(MISUSED, "msgpack has the very bytes", "export", "--unseal", "--format",
                     "msgpack", "--data-dir", "first")
        self.refused(MISUSED, "give it without --unseal", "export", "--unseal", "--salvage",
                     "--data-dir", "first")

    def test_of_a_log_that_is_not_sealed_it_is_an_export_like_any(self):
        self.run_tool("import", self.path("persons"), "--data-dir", "plain", "--sealed=false")
        self.assertEqual(self.export("plain", "--unseal"), self.export("plain"))
        self.assertNotIn(b"unsealed", self.run_tool("export", "--unseal", "--data-dir",
                                                    "plain").stdout)


if __name__ == "__main__":
    unittest.main()
