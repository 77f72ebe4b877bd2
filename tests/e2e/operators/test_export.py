"""daybook export, and import of what it wrote: the same bytes, or nothing."""

import csv
import gzip
import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import time
import unittest
import uuid

from harness import PATIENCE, PROGRAM, UNSEALED, Server
from load import Load
from tools import (DIFFERENT, DONE, FAILED, MISUSED, ToolCase, bare, environment,
                   records_of)

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


def uncompressed(export):
    """The export, of a .gz too, as bare() has it."""
    if export.startswith(b"\x1f\x8b"):
        return bare(gzip.decompress(export))
    return bare(export)


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


class Damage(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 3000, SEED)
        self.whole = self.export("first")
        self.chance = random.Random(SEED)
        print(f"DAYBOOK_SEED={SEED}", flush=True)

    def refused_import(self, message, data, name="export", status=DIFFERENT):
        self.write(name, data)
        done = self.refused(status, message, "import", name, "--data-dir", "made")
        self.assertEqual(done.stdout, b"")
        self.assertFalse(os.path.exists(self.path("made")), "something is left behind")

    def test_a_flipped_bit_is_named_with_its_line(self):
        for _ in range(12):
            self.flip(self.chance.randrange(len(self.whole)), self.chance.randrange(8))
        # The digit after {"format": tells whether the line can be read at all.
        for bit in range(8):
            self.flip(self.whole.index(b"\n") + 1 + len(b'{"format":'), bit)

    def flip(self, at, bit):
        changed = bytearray(self.whole)
        changed[at] ^= 1 << bit
        begin = self.whole.rfind(b"\n", 0, at) + 1
        line = self.whole.count(b"\n", 0, at) + 1
        newer = re.match(rb'\{"format":[6-9],', changed[begin:])
        self.refused_import(f"line {line}: ", bytes(changed),
                            status=FAILED if newer else DIFFERENT)

    def test_a_missing_line_is_named(self):
        lines = self.whole.splitlines(keepends=True)
        for number in (1, 2, 700, 1500, len(lines) - 1):
            left = lines[:number - 1] + lines[number:]
            self.refused_import(f"line {number}: ", b"".join(left))

    def test_lines_that_changed_places_are_named(self):
        lines = self.whole.splitlines(keepends=True)
        for number in (1, 500, 1200):
            moved = list(lines)
            moved[number - 1], moved[number] = moved[number], moved[number - 1]
            self.refused_import(f"line {number}: ", b"".join(moved))

    def test_a_cut_file_is_told_with_where_it_ends(self):
        for _ in range(8):
            cut = self.whole[:self.chance.randrange(200, len(self.whole))]
            line = cut.count(b"\n") + (not cut.endswith(b"\n"))
            self.refused_import(f"line {line}", cut)
        self.refused_import("is empty", b"")

    def test_cut_and_damaged_compressed_files_are_told(self):
        for ending in ("gz", "zst"):
            name = f"whole.{ending}"
            self.export("first", name)
            data = self.read(name)
            self.refused_import("cut short", data[:-20], name)
            self.refused_import("cut short", data[:len(data) // 2], name)
            changed = bytearray(data)
            changed[len(data) // 2] ^= 16
            self.refused_import("", bytes(changed), name)

    def test_a_damaged_msgpack_export_is_named_with_the_record(self):
        data = self.export("first", "--format", "msgpack")
        starts, at = [], 16
        while (length := int.from_bytes(data[at:at + 4], "big")) > 0:
            starts.append(at)
            at += 8 + length
        for number in (1, 2, 1000, len(starts)):
            changed = bytearray(data)
            changed[starts[number - 1] + self.chance.randrange(60)] ^= 64
            self.refused_import(f"record {number} (byte {starts[number - 1]})",
                                bytes(changed))
        missing = data[:starts[700]] + data[starts[701]:]
        self.refused_import("record 701 (byte", missing)
        self.refused_import(f"record {len(starts)} (byte", data[:at - 1])
        self.refused_import(f"record {len(starts) + 1} (byte {at})", data[:at])

    def test_a_part_of_a_log_is_refused(self):
        person = records_of(self.whole)[0]["subject_id"]
        for arguments in (("--to", "100"), ("--from", "1"), ("--from", "7"),
                          ("--type", "event.recorded"), ("--person", person)):
            self.refused_import("", self.export("first", *arguments))
        self.refused_import("no log can be made of a part",
                            self.export("first", "--to", "100"))

    def test_the_digest_is_that_of_what_is_before_the_trailer(self):
        before, trailer = self.whole.rstrip(b"\n").rsplit(b"\n", 1)
        self.assertEqual(json.loads(trailer)["export"]["sha256"],
                         hashlib.sha256(before + b"\n").hexdigest())
        forged = before.replace(b"Pryde", b"Erdyp", 1) + b"\n"
        digest = hashlib.sha256(forged).hexdigest().encode()
        self.refused_import("is not what was exported",
                            forged + trailer[:-67] + digest + b'"}}\n')

    def test_a_newer_format_is_told(self):
        self.write("newer", self.whole.replace(b'{"format":1,', b'{"format":8,', 1))
        self.refused(FAILED, "newer than this program", "import", "newer", "--data-dir",
                     "made")
        self.assertFalse(os.path.exists(self.path("made")))


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


class Stopped(ToolCase):
    def test_a_closed_pipe_ends_it_without_a_word(self):
        self.generate("first", 20000)
        with self.start("export", "--data-dir", "first", stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE) as running:
            self.assertTrue(running.stdout.readline().startswith(b'{"format"'))
            running.stdout.close()
            running.stdout = None
            _, said = self.wait_end(running)
        self.assertEqual((running.returncode, said), (FAILED, b""))

    def test_ctrl_c_stops_it_even_where_nobody_reads(self):
        self.generate("first", 20000)
        with self.start("export", "--data-dir", "first", stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE) as running:
            running.stdout.readline()
            time.sleep(0.3)  # the pipe is full by then; if not, it is stopped all the same
            running.send_signal(signal.SIGINT)
            self.assertEqual(running.wait(PATIENCE), FAILED)
            said, read = running.stderr.read(), running.stdout.read()
        self.assertIn(b"has no trailer", said)
        self.assertNotIn(b'{"export"', read)

    def test_killed_it_leaves_no_file_and_can_be_run_again(self):
        self.generate("first", 20000)
        whole = self.export("first")
        for wait in (0.0, 0.05, 0.1, 0.2):
            with self.start("export", "--data-dir", "first", "out.gz",
                            stderr=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL) as running:
                time.sleep(wait)
                running.kill()
            if os.path.exists(self.path("out.gz")):
                self.assertEqual(uncompressed(self.read("out.gz")), whole)
                os.unlink(self.path("out.gz"))
        self.run_tool("export", "--data-dir", "first", "out.gz")
        self.assertEqual(uncompressed(self.read("out.gz")), whole)
        self.assertEqual(sorted(os.listdir(self.dir)), ["first", "out.gz"])

    def test_an_import_that_is_killed_leaves_nothing_of_use_and_can_be_run_again(self):
        self.generate("first", 20000)
        self.export("first", "whole")
        for wait in (0.0, 0.1, 0.3):
            with self.start("import", "whole", "--data-dir", "made",
                            stderr=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL) as running:
                time.sleep(wait)
                running.kill()
            if not os.path.exists(self.path("made", "log")):
                self.refused(FAILED, "no log", "export", "--data-dir", "made")
        if not os.path.exists(self.path("made", "log")):
            self.run_tool("import", "whole", "--data-dir", "made")
        self.assertEqual(self.export("made"), bare(self.read("whole")))
        self.assertFalse(os.path.exists(self.path("made", "log.tmp")))

    def test_an_import_that_waits_for_a_pipe_can_be_stopped(self):
        self.generate("first", 2000)
        whole = self.export("first")
        with self.start("import", "-", "--data-dir", "made", stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            running.stdin.write(whole[:len(whole) // 2])
            running.stdin.flush()
            time.sleep(0.2)
            running.send_signal(signal.SIGTERM)
            self.assertEqual(running.wait(PATIENCE), FAILED)
            self.assertIn(b"nothing was imported", running.stderr.read())
            running.stdin.close()
            running.stdin = None
        self.assertFalse(os.path.exists(self.path("made")))


class Follow(ToolCase):
    def follow(self, server, *arguments, **kwargs):
        return subprocess.Popen(
            [PROGRAM, "export", "--follow", "--data-dir", server.data_dir, *arguments],
            env=environment(), cwd=self.dir, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, **kwargs)

    def test_what_is_appended_comes_until_ctrl_c_and_then_the_trailer(self):
        server = Server(env=UNSEALED).start()
        self.addCleanup(server.close)
        client = server.client()
        running = self.follow(server, stdout=subprocess.PIPE)
        lines = []
        with running:
            for number in range(5):
                client.post("/persons", {"email": f"p{number}@x.test", "first_name": "A",
                                         "last_name": "B"})
                lines += [running.stdout.readline(), running.stdout.readline()]
            load = Load(server, SEED, clients=4).start()
            load.wait_for_answers(200)
            load.stop()
            running.send_signal(signal.SIGINT)
            rest, _ = self.wait_end(running)
        self.assertEqual(running.returncode, 0)
        export = b"".join(lines) + rest
        records = server.log_records()
        found = records_of(export)
        self.assertEqual(found, records[:len(found)])
        self.assertGreaterEqual(len(found), 10)
        trailer = json.loads(export.splitlines()[-1])["export"]
        self.assertEqual((trailer["records"], trailer["whole"]), (len(found), True))
        self.run_tool("import", self.write("whole", export), "--data-dir", "made")

    def test_a_compressed_file_is_whole_at_the_end(self):
        server = Server(env=UNSEALED).start()
        self.addCleanup(server.close)
        client = server.client()
        running = self.follow(server, "--to", "6", "out.zst", stdout=subprocess.PIPE)
        with running:
            for number in range(4):
                client.post("/persons", {"email": f"p{number}@x.test", "first_name": "A",
                                         "last_name": "B"})
            self.wait_end(running)
        self.assertEqual(running.returncode, 0)
        self.refused(DIFFERENT, "no log can be made of a part", "import", "out.zst",
                     "--data-dir", "made")


if __name__ == "__main__":
    unittest.main()
