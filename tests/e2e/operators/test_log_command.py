"""daybook log: one record, the last ones, all about a person."""

import json
import os
import re
import signal
import subprocess
import time
import unittest

from harness import PATIENCE, PROGRAM, Server
from tools import DIFFERENT, FAILED, MISUSED, ToolCase, environment, records_of

GOLDEN = os.path.join(os.path.dirname(__file__), "golden")


class Shown(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 300, 11)
        self.records = records_of(self.export("first"))

    def log(self, *arguments, name="first"):
        return self.run_tool("log", *arguments, "--data-dir", name).stdout.decode()

    def test_a_persons_history_reads_as_it_always_did(self):
        self.generate("short", 12, 11)
        text = self.log("person", self.records[0]["subject_id"], name="short")
        path = os.path.join(GOLDEN, "log_person.txt")
        if os.environ.get("DAYBOOK_WRITE_GOLDEN"):
            os.makedirs(GOLDEN, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(text, file.read())
        self.assertIn(" \u2192 ", text)

    def test_a_history_has_all_about_the_person_and_nobody_else(self):
        persons = {record["subject_id"] for record in self.records
                   if record["type"] == "person.created"}
        for person in persons:
            wanted = [record for record in self.records if person in
                      (record["subject_id"], record["data"].get("person_id"))]
            lines = self.log("person", person, "--json").splitlines()
            found = [json.loads(line) for line in lines]
            self.assertEqual(found, wanted)
            blocks = re.findall(r"(?m)^record (\d+) (\S+)$", self.log("person", person))
            self.assertEqual(blocks, [(str(record["sequence"]), record["type"])
                                      for record in wanted])

    def test_an_update_shows_what_was_before(self):
        state, seen = {}, 0
        for record in self.records:
            known = state.setdefault(record["subject_id"], {})
            if record["type"] == "person.updated":
                text = self.log("person", record["subject_id"])
                block = text.split(f"record {record['sequence']} ")[1].split("\nrecord ")[0]
                for name, value in record["data"].items():
                    self.assertRegex(block, rf"(?m)^    {name} +" +
                                     re.escape(f"{known[name]} \u2192 {value}") + "$")
                    seen += 1
            if record["type"].startswith("person."):
                known.update(record["data"])
        self.assertGreater(seen, 3)

    def test_one_record_is_shown(self):
        for record in self.records[:20]:
            number = str(record["sequence"])
            self.assertEqual(json.loads(self.log("show", number, "--json")), record)
            text = self.log("show", number)
            self.assertTrue(text.startswith(f"record {number} {record['type']}\n"), text)
            self.assertIn(record["recorded_at"], text)
            self.assertIn(record["subject_id"], text)

    def test_the_last_ones_are_shown(self):
        lines = self.log("tail").splitlines()
        self.assertEqual([line.split()[0] for line in lines],
                         [str(record["sequence"]) for record in self.records[-10:]])
        self.assertEqual(len(self.log("tail", "-n", "3").splitlines()), 3)
        self.assertEqual(self.log("tail", "-n", "0"), "")
        everything = self.log("tail", "-n", "100000", "--json").splitlines()
        self.assertEqual([json.loads(line) for line in everything], self.records)

    def test_a_range_is_listed_by_type_and_actor(self):
        def listed(*arguments):
            return [json.loads(line) for line in
                    self.log("list", "--json", *arguments).splitlines()]

        self.assertEqual(listed(), self.records)
        self.assertEqual(listed("--from", "10", "--to", "20"), self.records[9:20])
        created = [one for one in self.records if one["type"] == "person.created"]
        self.assertEqual(listed("--type", "person.created"), created)
        self.assertEqual(listed("--type", "person.created", "--limit", "2"), created[:2])
        self.assertEqual(listed("--limit", "1000"), self.records)
        actors = {one["meta"].get("actor") for one in self.records}
        for actor in filter(None, actors):
            self.assertEqual(listed("--actor", actor),
                             [one for one in self.records
                              if one["meta"].get("actor") == actor])
        self.assertEqual(listed("--actor", "nobody at all"), [])
        self.assertEqual(len(self.log("list", "--to", "7").splitlines()), 7)
        for arguments in (("list", "--type", "person"), ("list", "--limit", "0"),
                          ("list", "--from", "9", "--to", "8"), ("list", "1"),
                          ("list", "--to", "99999"), ("tail", "--actor", "x")):
            self.run_tool("log", *arguments, "--data-dir", "first", status=MISUSED)

    def test_wrong_use_is_told(self):
        for status, message, *arguments in (
                (FAILED, "the log ends with", "show", "100000"),
                (FAILED, "no record is about", "person", "0" * 8 + "-0000" * 3 + "-" +
                 "0" * 12),
                (MISUSED, "needs a sequence", "show"),
                (MISUSED, "needs a sequence", "show", "0"),
                (MISUSED, "needs a sequence", "show", "x"),
                (MISUSED, "needs the id", "person", "kate"),
                (MISUSED, "expected a number", "tail", "-n", "x"),
                (MISUSED, "unexpected", "tail", "5"),
                (MISUSED, "for log tail", "show", "5", "-f"),
                (MISUSED, "none of show, tail, list and person", "head"),
                (MISUSED, "expected show N", )):
            self.refused(status, message, "log", *arguments, "--data-dir", "first")
        self.refused(FAILED, "nowhere", "log", "tail", "--data-dir", "nowhere")

    def test_a_damaged_record_does_not_hide_the_others(self):
        path = self.path("first", "log", "data.mdb")
        with open(path, "r+b") as file:
            data = file.read()
            file.seek(data.rindex(b"person.created"))
            file.write(b"Person")
        done = self.run_tool("log", "tail", "-n", "10000", "--data-dir", "first",
                             status=DIFFERENT)
        self.assertEqual(len(done.stdout.splitlines()), len(self.records) - 1)
        self.assertRegex(done.stderr.decode(), r"record \d+: ")

    def test_a_closed_pipe_ends_it_without_a_word(self):
        self.generate("second", 20000)
        with self.start("log", "tail", "-n", "100000", "--data-dir", "second",
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            running.stdout.readline()
            running.stdout.close()
            running.stdout = None
            _, said = self.wait_end(running)
        self.assertEqual((running.returncode, said), (FAILED, b""))


    def test_a_full_disk_at_the_other_end_is_told(self):
        with open("/dev/full", "w") as full, \
                self.start("log", "tail", "--data-dir", "first", stdout=full,
                           stderr=subprocess.PIPE) as running:
            _, said = self.wait_end(running)
        self.assertEqual(running.returncode, FAILED)
        self.assertIn(b"No space left", said)


class Followed(ToolCase):
    def test_what_is_appended_is_shown_at_once_until_ctrl_c(self):
        server = Server().start()
        self.addCleanup(server.close)
        client = server.client()
        with subprocess.Popen(
                [PROGRAM, "log", "tail", "-f", "--data-dir", server.data_dir],
                env=environment(), cwd=self.dir, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            for number in range(3):
                answer = client.post("/persons", {
                    "email": f"p{number}@x.test", "first_name": "A", "last_name": "B"})
                lines = [running.stdout.readline().decode() for _ in range(2)]
                self.assertIn(f"email=p{number}@x.test", lines[0])
                self.assertTrue(lines[1].startswith(f"{answer.sequence}  "), lines[1])
            running.send_signal(signal.SIGINT)
            rest, said = self.wait_end(running)
        self.assertEqual((running.returncode, rest, said), (0, b"", b""))


if __name__ == "__main__":
    unittest.main()
