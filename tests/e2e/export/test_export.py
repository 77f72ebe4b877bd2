"""daybook export, and import of what it wrote: the same bytes, or nothing."""

import gzip
import hashlib
import json
import os
import subprocess
import time
import unittest
import uuid

from exports import SEED, uncompressed
from harness import PATIENCE, UNSEALED, Server
from load import Load
from tools import DIFFERENT, FAILED, MISUSED, ToolCase, bare, records_of


class RoundTrip(ToolCase):
    def test_export_import_export_gives_the_same_bytes(self):
        self.generate("first", 5000, SEED)
        bytes_of_records = self.export("first", "--format", "msgpack")
        for number, ending in enumerate(("ndjson", "ndjson.gz", "ndjson.zst", "msgpack",
                                         "msgpack.gz", "msgpack.zst")):
            one, other = f"one.{ending}", f"other.{ending}"
            made = f"made{number}"
            self.export("first", one)
            self.run_tool("import", one, "--data-dir", made)
            self.export(made, other)
            if not ending.endswith("zst"):
                self.assertEqual(uncompressed(self.read(one)),
                                 uncompressed(self.read(other)), ending)
            self.assertEqual(self.export(made, "--format", "msgpack"), bytes_of_records)

    def test_an_empty_log_makes_an_empty_log(self):
        empty = (b'{"export":{"version":1,"format":"ndjson","records":0,"first":0,"last":0,'
                 b'"whole":true,"sha256":"' + hashlib.sha256(b"").hexdigest().encode() +
                 b'"}}\n')
        self.run_tool("import", self.write("empty", empty), "--data-dir", "made")
        self.assertEqual(self.export("made"), empty)

    def test_through_pipes(self):
        self.generate("first", 2000, SEED)
        export = self.export("first")
        for number, data in enumerate((export, gzip.compress(export),
                                       self.export("first", "--zstd"))):
            self.run_tool("import", "-", "--data-dir", f"made{number}", input=data)
            self.assertEqual(self.export(f"made{number}"), export)

    def test_an_empty_log_that_is_there_is_replaced(self):
        server = Server().start()
        self.addCleanup(server.close)
        server.stop()
        self.generate("first", 100)
        self.export("first", "whole")
        self.run_tool("import", "whole", "--data-dir", server.data_dir)
        server.start()
        self.assertEqual(server.log_records(), records_of(self.read("whole")))

    def test_what_was_written_over_http_comes_back(self):
        server = Server(env=UNSEALED).start()
        self.addCleanup(server.close)
        client = server.client()
        person = client.post("/persons", {"email": "z@x.test", "first_name": "Zoë \"\\",
                                          "last_name": "李 😀 O'Neill"}).data
        client.post("/events", '{"event_type": "click", "person_id": "%s", "properties":'
                    ' {\r\n  "a\\u00e9": [1.0e3,\n\t"\U0001f600"]}}' % person["id"])
        client.post("/events", {"event_type": "click", "person_id": person["id"]},
                    traceparent="00-" + 32 * "a" + "-" + 16 * "b" + "-01")
        load = Load(server, SEED, clients=4).start()
        load.wait_for_answers(300)
        load.stop()
        export = self.export(server.data_dir)
        shown = server.log_records()
        lines = server.client().get("/log?limit=10000", accept="application/x-ndjson").body
        server.stop()
        records = records_of(export)
        text = records[2]["data"].pop("properties_text")
        self.assertIn('{\r\n  "a\\u00e9": [1.0e3,\n\t', text)
        self.assertEqual(records[3]["meta"]["traceparent"][:6], "00-aaa")
        self.assertEqual([record["format"] for record in records[:4]], [1, 1, 1, 3])
        self.assertEqual(records, shown)
        ours = [line for line in export.splitlines() if line.startswith(b'{"format":')]
        for line, other in zip(ours, lines.splitlines(), strict=True):
            if b"properties_text" not in line:
                self.assertEqual(line, other)
        self.run_tool("import", self.write("whole", export), "--data-dir", "made")
        self.assertEqual(self.export("made"), export)


class WrongUse(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 50)
        self.export("first", "whole.ndjson")

    def test_a_log_with_records_is_left_alone(self):
        self.refused(FAILED, "holds", "import", "whole.ndjson", "--data-dir", "first")
        self.assertEqual(self.export("first"), bare(self.read("whole.ndjson")))

    def test_a_log_that_cannot_be_read_is_left_alone(self):
        """It is the data directory that is wrong then, not the export."""
        os.makedirs(self.path("made", "log"))
        self.write("made/log/data.mdb", b"mine" * 4096)
        self.refused(FAILED, "move what is there away first", "import", "whole.ndjson",
                     "--data-dir", "made")
        self.assertEqual(self.read("made/log/data.mdb"), b"mine" * 4096)

    def test_records_that_come_meanwhile_are_kept(self):
        """The log is begun with the first record, which is believed with the first check, behind
        1,000 of them."""
        self.generate("many", 1500)
        self.run_tool("export", "many.ndjson", "--data-dir", "many")
        whole = self.read("many.ndjson")
        part = sum(len(line) + 1 for line in whole.split(b"\n")[:1200])
        person = {"id": str(uuid.uuid4()), "email": "first@x.test", "first_name": "A",
                  "last_name": "B", "datetime_created": "2015-09-12T00:00:00"}
        self.write("persons", json.dumps(person).encode() + b"\n")
        self.write("none", b"\n")
        self.run_tool("import", "none", "-", "--data-dir", "made")
        with self.start("import", "-", "--data-dir", "made", stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            running.stdin.write(whole[:part])
            running.stdin.flush()
            deadline = time.monotonic() + PATIENCE
            while not os.path.exists(self.path("made", "log.tmp", "data.mdb")):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            self.run_tool("import", "persons", "-", "--data-dir", "made")
            try:
                said = running.communicate(whole[part:], timeout=PATIENCE)[1]
            finally:
                running.kill()
        self.assertEqual(running.returncode, FAILED, said)
        self.assertIn(b"holds 2 records", said)
        records = records_of(self.export("made"))
        self.assertEqual([each["type"] for each in records],
                         ["person.created", "event.recorded"])
        self.assertFalse(os.path.exists(self.path("made", "log.tmp")))

    def test_a_running_server_is_left_alone(self):
        server = Server().start()
        self.addCleanup(server.close)
        self.refused(FAILED, "is served already", "import", "whole.ndjson", "--data-dir",
                     server.data_dir)
        self.assertEqual(server.log_records(), [])

    def test_what_cannot_be_imported_is_told(self):
        self.export("first", "rows.csv")
        self.refused(MISUSED, "csv export", "import", "rows.csv", "--data-dir", "made")
        self.refused(MISUSED, "--continue is not for an export", "import", "whole.ndjson",
                     "--continue", "--data-dir", "made")
        self.refused(DIFFERENT, "no export", "import", "-", "--data-dir", "made",
                     input=b'{"id": 5}\n')
        self.assertFalse(os.path.exists(self.path("made")))

    def test_an_export_among_two_files_is_told(self):
        self.write("log.ndjson", self.export("first"))
        self.write("persons.ndjson", b"")
        self.run_tool("export", "log.zst", "--format", "msgpack", "--data-dir",
                      "first")
        for files in (("log.ndjson", "persons.ndjson"), ("persons.ndjson", "log.zst"),
                      ("-", "log.ndjson"), ("log.ndjson", "-")):
            self.refused(MISUSED, "is an export", "import", *files, "--data-dir", "r")
            self.assertFalse(os.path.exists(self.path("r")))

    def test_wrong_options_are_told(self):
        for message, *arguments in (
                ("expected ndjson, msgpack or csv", "--format", "xml"),
                ("neither a sequence", "--from", "yesterday"),
                ("neither a sequence", "--to", "0"),
                ("--from is behind --to", "--from", "9", "--to", "8"),
                ("did you mean event.recorded?", "--type", "event.recorder"),
                ("expected a UUID", "--person", "kate"),
                ("exclude each other", "--gzip", "--zstd"),
                ("exclude each other", "--gzip", "x.zst"),
                ("goes on to a sequence", "--follow", "--to", "2026-01-01"),
                ("for an export to a file", "--json"),
                ("FILE is empty", ""),
                ("unexpected", "one", "two")):
            self.refused(MISUSED, message, "export", "--data-dir", "first", *arguments)
        self.refused(FAILED, "nowhere", "export", "--data-dir", "nowhere")

    def test_a_file_that_is_there_is_kept(self):
        self.write("there", b"mine")
        self.refused(FAILED, "--force", "export", "--data-dir", "first", "there")
        self.assertEqual(self.read("there"), b"mine")
        self.run_tool("export", "--data-dir", "first", "there", "--force")
        self.assertEqual(bare(self.read("there")), bare(self.read("whole.ndjson")))
        os.symlink("elsewhere", self.path("link"))
        self.refused(FAILED, "is no file", "export", "--data-dir", "first", "link",
                     "--force")
        self.assertEqual([name for name in os.listdir(self.dir) if "partial" in name], [])

    def test_a_folder_that_is_missing_is_told(self):
        self.refused(FAILED, "No such file", "export", "--data-dir", "first", "no/where")

    def test_a_damaged_record_is_named_and_no_file_is_left(self):
        path = self.path("first", "log", "data.mdb")
        with open(path, "r+b") as file:
            data = file.read()
            at = data.rindex(b"person.created")
            file.seek(at)
            file.write(b"Person")
        done = self.refused(DIFFERENT, "; daybook verify tells more", "export", "--data-dir",
                            "first", "out")
        self.assertRegex(done.stderr.decode(), r"record \d+: not a record")
        self.assertFalse(os.path.exists(self.path("out")))


if __name__ == "__main__":
    unittest.main()
