"""daybook backup --incremental, --keep, --verify and list: kept atomic whatever ends them."""

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from harness import Server
from tools import DIFFERENT, DONE, FAILED, MISUSED, ToolCase, records_of
from wikipedia import Day

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 4))  # kills
STEP = int(os.environ.get("DAYBOOK_STEP", 150))    # records between two backups


class KilledUnderLoad(ToolCase):
    """The day comes in, and is backed up every STEP records; most runs are killed."""

    def setUp(self):
        super().setUp()
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.server = Server().start()
        self.addCleanup(self.server.close)
        self.took = 0.5     # seconds, the last that ended
        self.promised = {}  # of what was acknowledged before the last that ended well began
        self.finished = self.killed = 0

    def back_up(self, kill):
        promises, began = self.day.promises(), time.monotonic()
        with self.start("backup", "--incremental", "b", "--data-dir",
                        self.server.data_dir, stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE) as running:
            if kill:
                time.sleep(self.chance.uniform(0, 1.2 * self.took))
                running.kill()
            _, said = self.wait_end(running)
        if not kill and b"wait for its end" in said:
            time.sleep(0.05)  # what was killed had a child, which ends after it
            self.back_up(kill=False)
        elif running.returncode == DONE:
            self.took = time.monotonic() - began
            self.promised = promises
            self.finished += 1
        elif b"wait for its end" not in said:
            self.assertEqual(running.returncode, -signal.SIGKILL, said)
            self.killed += 1

    def check_backup(self):
        """It can be restored at any moment, and has what it must have."""
        self.run_tool("restore", "b", "--data-dir", "r")
        records = records_of(self.export("r", "--unseal"))
        self.assertEqual([record["sequence"] for record in records],
                         list(range(1, len(records) + 1)))
        for event, sequence in self.promised.items():
            self.assertEqual(records[sequence - 1]["subject_id"], event)
        shutil.rmtree(self.path("r"))
        return records

    def test_what_the_last_finished_one_was_promised_is_restored(self):
        self.day = Day(self.server).start()
        self.addCleanup(self.day.stop)
        goal = 0
        while self.killed < ROUNDS:
            goal += STEP
            self.day.wait_for(goal, STEP)
            self.back_up(kill=True)
            if self.chance.random() < 0.5:
                self.back_up(kill=False)
            if self.killed % 10 == 1 and self.finished > 0:
                self.check_backup()
        self.back_up(kill=False)
        records = self.check_backup()
        self.run_tool("backup", "--verify", "b", "--data-dir", self.server.data_dir)
        self.day.stop()
        self.assertEqual(records, self.server.log_records()[:len(records)])
        print(f"{self.killed} killed, {self.finished} finished, {len(records)} records")
        self.assertGreater(self.finished, 0)


class Alone(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 500, SEED)
        self.rows = 0

    def add(self, count=3):
        """Append persons to the log."""
        lines = []
        for _ in range(count):
            self.rows += 1
            lines.append(json.dumps({
                "id": f"018cc251-f537-7996-a2df-{self.rows:012x}",
                "email": f"new{self.rows}@x.test", "first_name": "A", "last_name": "B",
                "datetime_created": "2024-01-01T00:00:00"}))
        self.write("persons.ndjson", ("\n".join(lines) + "\n").encode())
        self.run_tool("import", "persons.ndjson", "--data-dir", "first")

    def back_up(self, to, *arguments, **kwargs):
        return json.loads(self.run_tool("backup", to, "--json", "--data-dir", "first",
                                        *arguments, **kwargs).stdout)

    def head(self):
        return records_of(self.export("first"))[-1]["sequence"]

    def test_first_whole_then_what_is_new_then_nothing(self):
        os.mkdir(self.path("b"))
        said = self.back_up("b", "--incremental")
        self.assertEqual((said["incremental"], said["appended"]), (False, said["head"]))
        before = said["head"]
        self.add()
        said = self.back_up("b/", "--incremental")
        self.assertEqual((said["incremental"], said["appended"], said["finding_count"]),
                         (True, 6, 0))
        self.assertEqual(said["head"], before + 6)
        self.assertEqual(os.listdir(self.path("b")), ["data.mdb"])
        data = self.read("b/data.mdb")
        said = self.back_up("b", "--incremental")
        self.assertEqual((said["appended"], said["head"]), (0, before + 6))
        self.assertEqual(self.read("b/data.mdb"), data)
        self.run_tool("restore", "b", "--data-dir", "r")
        self.assertEqual(self.export("r"), self.export("first"))
        self.run_tool("backup", "--verify", "b", "--data-dir", "first")

    def test_only_a_backup_of_this_history_is_added_to(self):
        self.generate("second", 100, SEED + 1)
        self.back_up("b")
        self.refused(FAILED, "of another log", "backup", "--incremental", "b",
                     "--data-dir", "second")
        shutil.copytree(self.path("first"), self.path("before"))
        self.add()
        self.back_up("b", "--incremental")
        data = self.read("b/data.mdb")
        shutil.rmtree(self.path("first"))
        os.rename(self.path("before"), self.path("first"))
        self.refused(FAILED, "of another history", "backup", "--incremental", "b",
                     "--data-dir", "first")
        self.add(5)
        self.refused(FAILED, "of another history", "backup", "--incremental", "b",
                     "--data-dir", "first")
        self.assertEqual(self.read("b/data.mdb"), data)

    def test_what_is_no_backup_is_left_alone(self):
        os.mkdir(self.path("b"))
        self.write("b/mine", b"x")
        self.refused(FAILED, "no backup", "backup", "--incremental", "b", "--data-dir",
                     "first")
        self.refused(MISUSED, "the log's own folder", "backup", "--incremental",
                     "first/log", "--data-dir", "first")
        self.assertEqual(os.listdir(self.path("b")), ["mine"])
        self.refused(MISUSED, "--keep is", "backup", "c", "--keep", "0", "--data-dir",
                     "first")
        self.refused(MISUSED, "only looks", "backup", "--verify", "b", "--keep", "2",
                     "--data-dir", "first")

    def test_of_two_at_once_the_second_is_refused(self):
        self.back_up("b")
        self.add()
        with open(self.path("b", "data.mdb"), "r+b") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            self.refused(FAILED, "another process adds", "backup", "--incremental", "b",
                         "--data-dir", "first")
        self.assertEqual(self.back_up("b", "--incremental")["appended"], 6)

    def test_a_damaged_record_ends_it_before_and_is_told(self):
        self.back_up("b")
        head = self.head()
        self.add(1)
        mark = b"new1@x.test"
        data = self.read("first/log/data.mdb")
        at = [at for at in range(len(data)) if data.startswith(b"email\xab" + mark, at)]
        for place in at:
            data = data[:place + 6] + b"#" + data[place + 7:]
        self.write("first/log/data.mdb", data)
        done = self.run_tool("backup", "--incremental", "b", "--data-dir", "first",
                             status=DIFFERENT)
        self.assertIn(f"record {head + 1}: ".encode(), done.stderr)
        self.run_tool("backup", "--verify", "b", "--data-dir", "first")

    def test_one_that_is_damaged_is_told_by_verify_and_list(self):
        self.back_up("whole")
        self.back_up("cut")
        data = self.read("cut/data.mdb")
        self.write("cut/data.mdb", data.replace(b"first_name", b"first_namE", 1))
        self.run_tool("backup", "--verify", "whole", "--data-dir", "first")
        self.run_tool("backup", "--verify", "cut", "--data-dir", "first",
                      status=DIFFERENT)
        os.truncate(self.path("cut/data.mdb"), len(data) // 2)
        done = self.run_tool("backup", "list", ".", "--json", "--data-dir", "first",
                             status=DIFFERENT)
        told = {os.path.basename(one["path"]): one
                for one in json.loads(done.stdout)["backups"]}
        self.assertEqual(sorted(told), ["cut", "whole"])
        self.assertEqual((told["whole"]["whole"], told["whole"]["of_this_log"],
                          told["whole"]["head"], told["whole"]["finding"]),
                         (True, True, self.head(), None))
        self.assertFalse(told["cut"]["whole"])
        self.assertTrue(told["cut"]["finding"])
        text = self.run_tool("backup", "list", ".", "--data-dir", "first",
                             status=DIFFERENT).stdout
        self.assertRegex(text, rb"(?m)^\d+ .* whole  whole$")
        self.assertRegex(text, rb"(?m) not whole  cut: ")
        self.assertEqual(sorted(os.listdir(self.path("whole"))), ["data.mdb"])

    def test_status_tells_the_last_one(self):
        status = self.run_tool("status", "--data-dir", "first").stdout
        self.assertIn(b"no backup known", status)
        status = json.loads(self.run_tool("status", "--json", "--data-dir", "first").stdout)
        self.assertIsNone(status["last_backup"])
        head = self.back_up("b")["head"]
        self.add()
        status = json.loads(self.run_tool("status", "--json", "--data-dir", "first").stdout)
        last = status["last_backup"]
        self.assertEqual((last["head"], last["path"]),
                         (head, os.path.realpath(self.path("b"))))
        self.assertRegex(last["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
        status = self.run_tool("status", "--data-dir", "first").stdout
        self.assertRegex(status, rb"(?m)^last backup .* 6 records ago, .*/b$")
        self.write("first/last_backup", b"head=x")
        self.assertIn(b"no backup known",
                      self.run_tool("status", "--data-dir", "first").stdout)


class Kept(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 200, SEED)
        os.mkdir(self.path("all"))

    def back_up(self, name, *arguments):
        done = self.run_tool("backup", f"all/{name}", "--data-dir", "first", *arguments)
        time.sleep(0.02)  # for the clock of the file system
        return done

    def test_the_newest_whole_ones_of_this_log_are_kept_and_nothing_else_goes(self):
        for day in range(1, 6):
            self.back_up(f"day{day}")
        self.generate("second", 100, SEED + 1)
        self.run_tool("backup", "all/other", "--data-dir", "second")
        self.write("all/note", b"mine")
        shutil.copytree(self.path("all/day1"), self.path("all/more"))
        self.write("all/more/note", b"mine")
        shutil.copytree(self.path("all/day1"), self.path("all/half.partial"))
        shutil.copytree(self.path("all/day1"), self.path("elsewhere"))
        os.symlink("../elsewhere", self.path("all/link"))
        shutil.copytree(self.path("first/log"), self.path("all/log"))
        data = self.read("all/day4/data.mdb")
        self.write("all/day4/data.mdb", data.replace(b"first_name", b"first_namE", 1))
        done = self.back_up("day6", "--keep", "3")
        self.assertEqual(sorted(os.listdir(self.path("all"))),
                         ["day3", "day4", "day5", "day6", "half.partial", "link", "log",
                          "more", "note", "other"])
        self.assertEqual(done.stdout.count(b"\nremoved "), 2)
        for day in (1, 2):
            self.assertIn(os.path.realpath(self.path(f"all/day{day}")).encode(), done.stdout)
        self.assertIn(b"day4: record ", done.stderr)
        said = json.loads(self.back_up("day7", "--keep", "1", "--json").stdout)
        self.assertEqual(sorted(map(os.path.basename, said["removed"])),
                         ["day3", "day5", "day6"])
        self.assertEqual(self.run_tool("verify", "--data-dir", "second").returncode, DONE)

    def test_where_there_are_no_more_none_goes(self):
        self.back_up("day1")
        self.back_up("day2", "--keep", "2")
        self.assertEqual(sorted(os.listdir(self.path("all"))), ["day1", "day2"])

    def test_one_in_use_stays(self):
        self.back_up("day1")
        lock = os.open(self.path("all/day1"), os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_SH)
        done = self.back_up("day2", "--keep", "1")
        self.assertIn(b"day1: it is in use", done.stderr)
        self.assertEqual(sorted(os.listdir(self.path("all"))), ["day1", "day2"])


if __name__ == "__main__":
    unittest.main()
