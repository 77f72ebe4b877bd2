"""daybook reseal says in the new log what the old one was, and leaves that as it is."""

import json
import os
import shutil
import subprocess
import unittest
import zlib

from feed import Stream
from harness import NOWHERE, Server
from signed import NAME, Audit, changed, pack, unpack
from tools import DIFFERENT, FAILED, records_of


def unbind(path):
    """A ring as it was before a log was there: docs/disk-format.md has what a mark is."""
    with open(path, "r+b") as file:
        for at in (512, 1024):
            file.seek(at)
            mark = bytearray(file.read(128))
            mark[40:72] = bytes(32)
            mark[124:] = zlib.crc32(mark[:124]).to_bytes(4, "little")
            file.seek(at)
            file.write(mark)


class Resealed(Audit):
    """self.dir has the log `log`, which is signed as NAME."""

    def reseal(self, *arguments, source="log", made="made"):
        return json.loads(self.run_tool("reseal", source, "--data-dir", made, "--json",
                                        *arguments).stdout)

    def last(self, made="made"):
        return records_of(self.export(made))[-1]

    def signed(self):
        """A checkpoint of the old log, and the keys that sign it and the new one."""
        self.checkpoint("old")
        told = self.reseal()
        key = self.audit("init", "--origin", "b.example/log", data="made").stdout
        self.checkpoint("new", data="made")
        self.write("keys", self.vkey.encode() + b"\n" + key)
        return told

    def test_the_new_log_says_what_the_old_one_was(self):
        before = len(self.records())
        told = self.signed()
        _, size, root = self.read("old").decode().split("\n")[:3]
        self.assertEqual([told[key] for key in ("records", "checkpoint_records", "root")],
                         [before, int(size), root])
        last = self.last()
        self.assertEqual(last["data"], {"size": before, "root": root,
                                        "checkpoint": self.read("old").decode()})
        self.assertEqual([last["subject_id"], last["sequence"], last["format"], last["meta"]],
                         [told["store_id"], before + 1, 6, {}])
        shown = self.run_tool("log", "show", str(before + 1), "--data-dir", "made").stdout
        for part in (told["store_id"], root, NAME, f"the {before} records before it"):
            self.assertIn(part, shown.decode())
        listed = self.run_tool("log", "tail", "-n", "1", "--data-dir", "made").stdout.decode()
        self.assertIn(f"log.resealed  log {told['store_id']} size={before}", listed)
        self.run_tool("verify", "--data-dir", "made")

    def test_the_folder_of_the_log_has_the_checkpoint_of_its_data_directory(self):
        self.checkpoint("old")
        before = len(self.records())
        told = self.reseal(source="log/log")
        self.assertEqual(told["checkpoint_records"], before)
        self.assertEqual(self.last()["data"]["checkpoint"], self.read("old").decode())

    def test_an_auditor_is_told_that_his_checkpoint_is_named(self):
        before = self.signed()["records"]
        arguments = ("--vkey", "keys", "--checkpoint", "old")
        said = self.verify(*arguments, "--checkpoint", "new", data="made")
        self.assertIn(f"old: right: record {before + 1} names it as that of the log that this "
                      "one was made of", said)
        self.assertIn(f"new: right: the first {before + 1} records", said)
        said = self.verify(*arguments, data="made", status=DIFFERENT)
        self.assertIn("which nothing signed vouches for", said)
        found = json.loads(self.verify(*arguments, "--checkpoint", "new", "--json",
                                       data="made"))
        self.assertEqual([[one[key] for key in ("named", "vouched", "holds")]
                          for one in found["checkpoints"]],
                         [[before + 1, True, False], [0, False, True]])
        self.assertEqual([found["right"], found["resealed"]], [True, before + 1])

    def test_a_checkpoint_of_another_log_is_not_named(self):
        self.signed()
        self.generate("other", 20, seed=3)
        key = self.audit("init", "--origin", "c.example/log", data="other").stdout
        self.checkpoint("others", data="other")
        self.write("keys", self.read("keys") + key)
        said = self.verify("--vkey", "keys", "--checkpoint", "others", "--checkpoint", "new",
                           data="made", status=DIFFERENT)
        self.assertIn("others: WRONG: the first", said)

    def test_what_is_not_what_was_signed_is_refused(self):
        self.checkpoint("old")
        records = self.records()
        records[3] = changed(records[3])
        self.write("forged", pack(records))
        self.run_tool("import", "forged", "--data-dir", "other")
        shutil.copytree(self.path("log", "audit"), self.path("other", "audit"),
                        dirs_exist_ok=True)
        self.refused(DIFFERENT, "is not what was signed of it", "reseal", "other", "--data-dir",
                     "made")
        self.assertFalse(os.path.exists(self.path("made")))
        self.assertIsNone(self.reseal("--no-checkpoint", source="other")["checkpoint_records"])
        self.assertNotIn("checkpoint", self.last()["data"])

    def test_of_a_backup_it_is_the_one_that_came_along(self):
        self.checkpoint("old")
        self.run_tool("backup", "copy", "--data-dir", "log")
        self.reseal(source="copy")
        self.assertEqual(self.last()["data"]["checkpoint"], self.read("old").decode())

    def test_what_was_never_signed_carries_none(self):
        self.generate("plain", 20)
        told = self.reseal(source="plain")
        self.assertIsNone(told["checkpoint_records"])
        self.assertEqual(sorted(self.last()["data"]), ["root", "size"])

    def test_exports_of_it_are_imported_with_its_ring(self):
        self.signed()
        self.run_tool("export", "e", "--data-dir", "made")
        shutil.copytree(self.path("made", "keys"), self.path("again", "keys"))
        self.run_tool("import", "e", "--data-dir", "again")
        self.assertEqual(self.export("again"), self.export("made"))


class Served(Audit):
    """It is shown like any other record, and the tables are posted past it."""

    def test_it_is_shown_and_posted(self):
        server = Server()
        self.addCleanup(server.close)
        self.checkpoint("old")
        told = json.loads(self.run_tool("reseal", "log", "--data-dir", server.data_dir,
                                        "--json").stdout)
        server.start()
        client = server.client()
        last = told["records"] + 1
        stream = Stream(server, "?after=0&type=log.resealed").open()
        self.addCleanup(stream.close)
        record = stream.event().json
        self.assertEqual([record[key] for key in ("sequence", "subject_id")],
                         [last, told["store_id"]])
        self.assertEqual(record["data"]["root"], told["root"])
        answer = client.get(f"/log/{last}")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn(b'"type":"log.resealed"', answer.body)
        self.assertIn(told["store_id"].encode(), answer.body)
        self.assertEqual(client.get("/persons").status, 200)
        server.stop()
        self.run_tool("verify", "--data-dir", server.data_dir)


class Surroundings(Audit):
    def test_a_source_that_cannot_be_written(self):
        os.mkdir(self.path("ro"))
        for options in (["--bind", "log", "ro"], ["-o", "remount,bind,ro", "ro"]):
            if subprocess.run(["mount", *options], cwd=self.dir, check=False,
                              stderr=subprocess.DEVNULL).returncode != 0:
                self.skipTest("no right to mount a file system")
            self.addCleanup(subprocess.run, ["umount", "-q", self.path("ro")], check=False)
        self.run_tool("reseal", "ro", "--data-dir", "made")
        self.run_tool("verify", "--data-dir", "made")

    def test_a_disk_that_is_full(self):
        os.mkdir(self.path("small"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", "small"],
                          cwd=self.dir, check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no right to mount a file system")
        self.addCleanup(subprocess.run, ["umount", "-q", self.path("small")], check=False)
        before = self.read("log/log/data.mdb")
        self.refused(FAILED, "No space left", "reseal", "log", "--data-dir", "small/made")
        self.assertEqual(os.listdir(self.path("small")), [])
        self.assertEqual(self.read("log/log/data.mdb"), before)

    def test_a_server_that_runs_on_the_source(self):
        server = Server(env={"DB_HOST": NOWHERE, "SEALED": "false"}).start()
        self.addCleanup(server.close)
        self.refused(FAILED, "is served already", "reseal", server.data_dir, "--data-dir",
                     "made")
        self.assertFalse(os.path.exists(self.path("made")))

    def test_a_ring_that_was_left_is_not_taken_for_the_logs(self):
        """As it is where it is killed between the two renames, of the ring and of the log."""
        self.generate("old", 3000, identities=True)
        self.run_tool("reseal", "old", "--data-dir", "made")
        self.run_tool("export", "e", "--data-dir", "made")
        self.run_tool("reseal", "old", "--data-dir", "other")
        os.mkdir(self.path("left"))
        shutil.copytree(self.path("other", "keys"), self.path("left", "keys"))
        unbind(self.path("left", "keys", "ring"))
        self.refused(FAILED, "left/keys is the ring of no log", "import", "e", "--data-dir",
                     "left")
        self.assertFalse(os.path.exists(self.path("left", "log")))
        shutil.rmtree(self.path("left", "keys"))
        self.run_tool("reseal", "old", "--data-dir", "left")
        self.run_tool("verify", "--data-dir", "left")

    def test_where_the_log_cannot_be_put_there_the_ring_is_taken_back(self):
        self.generate("old", 300, identities=True)
        os.makedirs(self.path("made", "log"))
        self.write("made/log/in the way", b"")
        self.refused(FAILED, "made/log", "reseal", "old", "--data-dir", "made")
        self.assertEqual(sorted(os.listdir(self.path("made"))), ["log", "serve.lock"])
        os.remove(self.path("made", "log", "in the way"))
        self.run_tool("reseal", "old", "--data-dir", "made")
        self.run_tool("verify", "--data-dir", "made")

    def test_an_empty_log_is_of_no_other(self):
        """There is nothing that its first record could be held against."""
        server = Server(env={"DB_HOST": NOWHERE, "SEALED": "false"}).start()
        self.addCleanup(server.close)
        server.stop()
        told = json.loads(self.run_tool("reseal", server.data_dir, "--data-dir", "made",
                                        "--json").stdout)
        self.assertEqual((told["records"], told["checkpoint_records"]), (0, None))
        self.run_tool("verify", "--data-dir", "made")
        self.assertEqual(records_of(self.export("made")), [])


if __name__ == "__main__":
    unittest.main()
