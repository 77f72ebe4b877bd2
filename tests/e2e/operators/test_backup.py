"""daybook backup and restore: under load, up to a point, and when something is wrong."""

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from fold import check_reads
from harness import PATIENCE, Server
from load import Load, check_marks, check_promises
from tools import DIFFERENT, DONE, FAILED, MISUSED, ToolCase, records_of

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


class UnderLoad(ToolCase):
    def test_every_write_acknowledged_before_it_began_is_in_it(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        server = Server().start()
        self.addCleanup(server.close)
        load = Load(server, SEED, clients=16, pause=0.02).start()
        backups = []
        for number in range(3):
            load.wait_for_answers(300)
            promises = load.promises()
            compact = ["--compact"] if number % 2 else []
            said = json.loads(self.run_tool(
                "backup", f"backup{number}", "--json", "--data-dir", server.data_dir,
                *compact).stdout)
            self.assertEqual(said["finding_count"], 0)
            backups.append((promises, said["head"]))
        load.wait_for_answers(100)
        load.stop()
        whole = server.log_records()
        for number, (promises, head) in enumerate(backups):
            restored = Server()
            self.addCleanup(restored.close)
            self.run_tool("restore", f"backup{number}", "--data-dir", restored.data_dir)
            self.run_tool("verify", "--data-dir", restored.data_dir)
            restored.start()
            records = restored.log_records()
            self.assertEqual(records, whole[:head], "not what the log had at that moment")
            check_promises(promises, check_marks(records))
            check_reads(restored, records)
            answer = restored.client().post(
                "/persons", {"email": f"new{number}@x.test", "first_name": "A",
                             "last_name": "B"})
            self.assertEqual((answer.status, answer.sequence), (201, head + 2))


class Alone(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 2000, SEED)
        self.whole = self.export("first")
        self.records = records_of(self.whole)

    def made_nothing(self, *names):
        left = sorted(os.listdir(self.dir))
        self.assertEqual(left, sorted(["first", *names]))

    def test_backup_and_restore_keep_every_byte(self):
        for number, arguments in enumerate(((), ("--compact",))):
            self.run_tool("backup", f"b{number}/", "--data-dir", "first", *arguments)
            self.assertEqual(os.listdir(self.path(f"b{number}")), ["data.mdb"])
            self.run_tool("restore", f"b{number}", "--data-dir", f"r{number}")
            self.assertEqual(self.export(f"r{number}"), self.whole)
            self.assertEqual(os.listdir(self.path(f"b{number}")), ["data.mdb"])
            self.assertEqual(sorted(os.listdir(self.path(f"r{number}"))),
                             ["log", "log.id", "serve.lock"])

    def test_up_to_a_sequence_or_a_time(self):
        self.run_tool("backup", "b", "--data-dir", "first")
        said = self.run_tool("restore", "b", "--to", "777", "--json", "--data-dir", "r1")
        self.assertEqual(json.loads(said.stdout)["head"], 777)
        self.assertEqual(records_of(self.export("r1")), self.records[:777])
        time_of = self.records[1000]["recorded_at"]
        last = max(record["sequence"] for record in self.records
                   if record["recorded_at"] <= time_of)
        self.run_tool("restore", "b", "--to", time_of, "--data-dir", "r2")
        self.assertEqual(records_of(self.export("r2")), self.records[:last])
        self.run_tool("verify", "--data-dir", "r2")
        self.refused(MISUSED, "ends with", "restore", "b", "--to", "999999",
                     "--data-dir", "r3")
        self.refused(MISUSED, "are later", "restore", "b", "--to", "1999-01-01",
                     "--data-dir", "r3")
        self.refused(MISUSED, "TO is empty", "backup", "", "--data-dir", "d")
        self.refused(MISUSED, "neither a sequence", "restore", "b", "--to", "then",
                     "--data-dir", "r3")
        self.made_nothing("b", "r1", "r2")

    def test_a_data_directory_can_be_restored_from(self):
        self.run_tool("restore", "first", "--data-dir", "r")
        self.assertEqual(self.export("r"), self.whole)

    def test_nothing_is_overwritten(self):
        os.mkdir(self.path("there"))
        self.refused(FAILED, "is there already", "backup", "there", "--data-dir", "first")
        self.write("file", b"mine")
        self.refused(FAILED, "is there already", "backup", "file", "--data-dir", "first")
        self.run_tool("backup", "b", "--data-dir", "first")
        self.refused(FAILED, "is there already", "backup", "b", "--data-dir", "first")
        self.refused(FAILED, "holds", "restore", "b", "--data-dir", "first")
        self.assertEqual(self.export("first"), self.whole)
        self.made_nothing("b", "there", "file")

    def test_the_logs_own_folder_is_no_place_for_it(self):
        before = sorted(os.listdir(self.path("first", "log")))
        os.symlink("first/log", self.path("link"))
        os.mkdir(self.path("first", "log2"))
        for to in ("first/log/x", "first/log/x//", "first/./log2/../log/x", "link/x",
                   self.path("first", "log", "x")):
            self.refused(MISUSED, "the log's own folder", "backup", to, "--data-dir",
                         "first")
        self.assertEqual(sorted(os.listdir(self.path("first", "log"))), before)
        self.run_tool("backup", "first/log2/x", "--data-dir", "first")

    def test_the_log_of_another_data_directory_is_no_backup(self):
        shutil.copytree(self.path("first"), self.path("clone"))
        self.write("clone/serve.lock", b"1\n")
        self.run_tool("log", "tail", "--data-dir", "clone")
        before = sorted(os.listdir(self.path("clone", "log")))
        self.assertIn("lock.mdb", before)  # which a server there may have open
        for to in ("clone/log", "clone/log/"):
            self.refused(MISUSED, "the log of a data directory", "backup", "--incremental",
                         to, "--data-dir", "first")
        self.assertEqual(sorted(os.listdir(self.path("clone", "log"))), before)

    def test_a_running_server_is_left_alone(self):
        self.run_tool("backup", "b", "--data-dir", "first")
        server = Server().start()
        self.addCleanup(server.close)
        self.refused(FAILED, "is served already", "restore", "b", "--data-dir",
                     server.data_dir)
        self.assertEqual(server.log_records(), [])

    def test_what_is_no_backup_is_told(self):
        os.mkdir(self.path("empty"))
        self.refused(FAILED, "empty", "restore", "empty", "--data-dir", "r")
        self.refused(FAILED, "nowhere", "restore", "nowhere", "--data-dir", "r")
        self.refused(FAILED, "no log", "backup", "b", "--data-dir", "nowhere")
        self.made_nothing("empty")

    def damage(self, name):
        """Change a byte of a record that lies in the file once."""
        path = self.path(name, "data.mdb")
        with open(path, "rb") as file:
            data = file.read()
        chance = random.Random(SEED)
        while True:
            record = chance.choice(self.records)
            mark = record["data"].get("email", "").encode()
            if mark and data.count(b"email" + bytes([0xA0 | len(mark)]) + mark) == 1 \
                    and len(mark) < 32:
                break
        at = data.index(b"email" + bytes([0xA0 | len(mark)]) + mark) + 6
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(b"#")
        return record["sequence"]

    def test_a_damaged_backup_is_refused_with_the_record(self):
        self.run_tool("backup", "b", "--data-dir", "first")
        sequence = self.damage("b")
        done = self.refused(DIFFERENT, f"record {sequence}: ", "restore", "b",
                            "--data-dir", "r")
        self.assertIn(b"take an older backup", done.stderr)
        self.made_nothing("b")

    def test_a_copy_of_a_damaged_log_is_kept_and_told(self):
        sequence = self.damage("first/log")
        done = self.refused(DIFFERENT, f"record {sequence}: ", "backup", "b", "--data-dir",
                            "first")
        self.assertIn(b"the copy was kept", done.stderr)
        self.made_nothing("b")

    def test_a_flipped_byte_never_kills_a_backup(self):
        self.generate("small", 60, SEED)
        data = self.read("small/log/data.mdb")
        for page in range(len(data) // 4096):
            flipped = bytearray(data)
            flipped[page * 4096 + 17] ^= 0xff
            self.write("small/log/data.mdb", flipped)
            with self.start("backup", "b", "--compact", "--data-dir", "small",
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
                _, said = self.wait_end(running)
            self.assertIn(running.returncode, (DONE, DIFFERENT, FAILED), (page, said))
            self.assertNotIn(b"Sanitizer", said, page)
            self.made_nothing("small", *(["b"] if running.returncode == DONE or
                                        b"copy was kept" in said else []))
            shutil.rmtree(self.path("b"), ignore_errors=True)

    def test_a_byte_flipped_anywhere_never_kills_a_restore(self):
        """In the heads of pages, where it leads LMDB astray, and at random."""
        self.generate("small", 60, SEED)
        self.run_tool("backup", "b", "--data-dir", "small")
        whole, data = self.export("small"), self.read("b/data.mdb")
        chance = random.Random(SEED)
        places = [page * 4096 + 17 for page in range(len(data) // 4096)]
        places += [chance.randrange(len(data)) for _ in range(20)]
        os.mkdir(self.path("flipped"))
        for place in places:
            flipped = bytearray(data)
            flipped[place] ^= 0xff
            self.write("flipped/data.mdb", flipped)
            with self.start("restore", "flipped", "--data-dir", "r",
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
                _, said = self.wait_end(running)
            self.assertIn(running.returncode, (DONE, DIFFERENT, FAILED), (place, said))
            self.assertNotIn(b"Sanitizer", said, place)
            if running.returncode == DONE:
                self.assertEqual(self.export("r"), whole, place)
                shutil.rmtree(self.path("r"))
            self.assertFalse(os.path.exists(self.path("r")))

    def test_cut_files_are_told(self):
        self.run_tool("backup", "b", "--data-dir", "first")
        size = os.path.getsize(self.path("b", "data.mdb"))
        for cut in (size // 2, 5000, 100, 0):
            shutil.copytree(self.path("b"), self.path("cut"))
            os.truncate(self.path("cut", "data.mdb"), cut)
            done = self.run_tool("restore", "cut", "--data-dir", "r",
                                 status=DIFFERENT)
            self.assertNotEqual(done.stderr, b"")
            self.assertFalse(os.path.exists(self.path("r")))
            shutil.rmtree(self.path("cut"))


class Stopped(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("first", 20000)
        self.whole = self.export("first")

    def test_of_two_at_once_the_second_is_refused(self):
        os.mkdir(self.path("b.partial"))
        lock = os.open(self.path("b.partial"), os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.write("b.partial/data.mdb", b"the first one's")
        self.refused(FAILED, "another process writes", "backup", "b", "--data-dir",
                     "first")
        self.assertEqual(self.read("b.partial/data.mdb"), b"the first one's")

    def test_killed_a_backup_is_not_there_and_can_be_made_again(self):
        for wait in (0.02, 0.1, 0.4, 0.8):
            with self.start("backup", "b", "--data-dir", "first",
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL) as running:
                time.sleep(wait)
                running.kill()
            if os.path.exists(self.path("b")):
                break
        else:
            self.run_tool("backup", "b", "--data-dir", "first")
        self.run_tool("restore", "b", "--data-dir", "r")
        self.assertEqual(self.export("r"), self.whole)

    def test_killed_a_restore_is_not_there_and_can_be_made_again(self):
        self.run_tool("backup", "b", "--data-dir", "first")
        for wait in (0.1, 0.5, 1.0):
            with self.start("restore", "b", "--data-dir", "r", stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL) as running:
                time.sleep(wait)
                running.kill()
            if os.path.exists(self.path("r", "log")):
                break
        else:
            self.run_tool("restore", "b", "--data-dir", "r")
        self.assertEqual(self.export("r"), self.whole)

    def test_ctrl_c_leaves_nothing(self):
        self.run_tool("backup", "b", "--data-dir", "first")
        for arguments in (("backup", "made", "--data-dir", "first"),
                          ("restore", "b", "--data-dir", "made")):
            with self.start(*arguments, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE) as running:
                while running.poll() is None and \
                        sorted(os.listdir(self.dir)) == ["b", "first"]:
                    time.sleep(0.01)  # only then does it hear signals
                running.send_signal(signal.SIGINT)
                _, said = self.wait_end(running)
            if running.returncode == 0:  # it was done by then
                shutil.rmtree(self.path("made"))
                continue
            self.assertEqual(running.returncode, FAILED, said)
            self.assertIn(b"stopped; ", said)
            self.assertEqual(sorted(os.listdir(self.dir)), ["b", "first"])


if __name__ == "__main__":
    unittest.main()
