"""Exports and backups carry what was signed of their log; import and restore hold them to it."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from signed import NAME, Audit, changed, numbered, pack
from tools import DIFFERENT, DONE, FAILED, MISUSED, ToolCase, bare

OTHER = "say\"so\\here.example/" + "\"" * 200  # as long as they get, and escaped


def trailer_of(export):
    found = re.search(rb'\{"export":\{"version":2,.*\}\}', export)
    return json.loads(found[0])["export"]


class Copies(Audit):
    @classmethod
    def setUpClass(cls):
        """Each test has a copy of one log."""
        cls.made = Audit()
        cls.made.setUp()
        cls.addClassCleanup(cls.made.doCleanups)
        cls.whole = cls.made.records()
        cls.signed = cls.made.read(cls.made.checkpoint("now"))

    def setUp(self):
        ToolCase.setUp(self)
        shutil.copytree(self.made.dir, self.dir, dirs_exist_ok=True)
        self.vkey = self.made.vkey
        self.said = f"the first {len(self.whole)} records are those that {NAME} signed"

    def nothing_is_left(self, name):
        self.assertFalse(os.path.exists(self.path(name)), name)

    def write_more(self, name="log"):
        """A person's two records."""
        email = os.urandom(4).hex() + "@x.mock"
        self.write("person", json.dumps({
            "id": "9c65af1a-c109-4c17-9bf1-" + os.urandom(6).hex(), "email": email,
            "first_name": "A", "last_name": "B",
            "datetime_created": "2015-09-12T00:00:00"}).encode() + b"\n")
        self.run_tool("import", "person", "--data-dir", name)

    def forged(self):
        records = list(self.whole)
        records[399] = changed(records[399])
        return numbered(records)


class Exports(Copies):
    def test_all_forms_carry_the_newest(self):
        for name in ("a.msgpack", "a.ndjson", "a.csv"):
            self.export_file(name)
        for text in (self.read("a.msgpack"), self.read("a.ndjson").splitlines()[-1],
                     self.read("a.csv.trailer.json")):
            self.assertEqual(trailer_of(text)["checkpoint"].encode(), self.signed)
        self.assertNotIn(NAME.encode(), self.read("a.csv"))
        done = self.run_tool("export", "--format", "csv", "--data-dir", "log")
        self.assertEqual(json.loads(done.stderr)["export"]["checkpoint"].encode(), self.signed)
        said = self.run_tool("export", "b.csv", "--data-dir", "log").stdout.decode()
        self.assertIn(f"checkpoint    of the first {len(self.whole)} records, signed by {NAME}\n",
                      said)

    def test_a_part_carries_it_and_says_that_it_cannot_be_held_against_it(self):
        for number, part in enumerate((("--from", "2"), ("--to", "10"),
                                       ("--type", "event.recorded"))):
            done = self.run_tool("export", f"{number}.ndjson", "--data-dir", "log", *part)
            self.assertIn(b"not all of them are in this file, so it cannot be held against it",
                          done.stdout)
            self.assertEqual(trailer_of(self.read(f"{number}.ndjson"))["checkpoint"].encode(),
                             self.signed)

    def test_who_signed_nothing_yet_carries_none(self):
        self.generate("new", 20)
        done = self.run_tool("export", "--data-dir", "new")
        self.assertIsNone(trailer_of(done.stdout)["checkpoint"])
        self.assertEqual(done.stderr, b"")
        self.audit("init", "--origin", NAME, data="new")
        self.assertIsNone(trailer_of(self.run_tool("export", "--data-dir", "new").stdout)
                          ["checkpoint"])

    def test_what_is_signed_while_it_runs_is_of_more_than_it_has(self):
        export = self.start("export", "--data-dir", "log", stdout=subprocess.PIPE,
                            bufsize=0)
        begun = export.stdout.read(1)  # the rest does not fit into a pipe
        self.write_more()
        self.assertNotEqual(self.read(self.checkpoint("more")), self.signed)
        out, _ = self.wait_end(export)
        self.assertEqual(trailer_of(begun + out)["checkpoint"].encode(), self.signed)
        self.write("a.ndjson", begun + out)
        self.run_tool("import", "a.ndjson", "--vkey", self.vkey, "--data-dir", "copy")

    def test_what_witnesses_signed_is_carried_where_it_is_as_new(self):
        cosigned = self.signed + "— w.example/one AAAAAAAA\n".encode()
        self.write(os.path.join("log", "audit", "cosigned"), cosigned)
        carried = trailer_of(self.run_tool("export", "--data-dir", "log").stdout)
        self.assertEqual(carried["checkpoint"].encode(), cosigned)
        self.run_tool("import", self.export_file("a.msgpack"), "--vkey", self.vkey,
                      "--data-dir", "copy")
        many = cosigned + 40 * "— w.example/one AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDD\n".encode()
        for other in (many, cosigned.replace(b"\n6", b"\n5", 1)):  # too long; older
            self.write(os.path.join("log", "audit", "cosigned"), other)
            carried = trailer_of(self.run_tool("export", "--data-dir", "log").stdout)
            self.assertEqual(carried["checkpoint"].encode(), self.signed)

    def test_what_cannot_be_read_is_said_and_holds_nothing_up(self):
        self.write(os.path.join("log", "audit", "last"), b"half of it")
        done = self.run_tool("export", "--data-dir", "log")
        self.assertIn(b"the trailer carries no checkpoint: ", done.stderr)
        self.assertIsNone(trailer_of(done.stdout)["checkpoint"])

    def test_a_name_of_any_kind_is_carried(self):
        self.generate("odd", 20)
        key = self.audit("init", "--origin", OTHER, data="odd").stdout.decode().strip()
        self.checkpoint("of-odd", data="odd")
        carried = trailer_of(self.run_tool("export", "--data-dir", "odd").stdout)
        self.assertEqual(carried["checkpoint"].encode(), self.read("of-odd"))
        self.write("odd.keys", key.encode() + b"\n")
        self.run_tool("import", self.export_file("a.msgpack", data="odd"), "--vkey",
                      "odd.keys", "--data-dir", "copy")


class Verified(Copies):
    def test_a_copy_is_held_against_what_it_carries_where_nothing_else_is_given(self):
        self.run_tool("backup", "backup", "--data-dir", "log")
        self.write_more()
        self.checkpoint("newer")  # which says nothing of a copy of before
        self.write("b.msgpack", pack(self.whole, self.signed))
        for copy, name in (("backup", "backup/checkpoint"),
                           ("b.msgpack", "the trailer of b.msgpack")):
            said = self.verify("--vkey", self.vkey, copy, data="nowhere")
            self.assertIn(f"{name}: right: {self.said}", said)
        self.write("b.msgpack", pack(self.forged(), self.signed))
        said = self.verify("--vkey", self.vkey, "b.msgpack", data="nowhere", status=DIFFERENT)
        self.assertIn("the trailer of b.msgpack: WRONG: the first", said)
        self.write("b.msgpack", pack(self.whole, b"not one"))
        said = self.verify("--vkey", self.vkey, "b.msgpack", data="nowhere", status=DIFFERENT)
        self.assertIn("the trailer of b.msgpack: ", said)
        self.assertIn("WRONG, not to be believed", said)

    def test_an_empty_name_is_no_checkpoint(self):
        self.export_file("a.msgpack")
        self.run_tool("backup", "backup", "--data-dir", "log")
        for arguments in (("audit", "verify"), ("import", "a.msgpack"), ("restore", "backup")):
            self.refused(MISUSED, "--checkpoint is empty", *arguments, "--checkpoint", "",
                         "--data-dir", "log" if arguments[0] == "audit" else "none")
        self.refused(MISUSED, "--against is empty", "audit", "verify", "--against", "",
                     "--data-dir", "log")

    def test_what_carries_none_is_held_against_the_newest_of_this_machine(self):
        self.write("of-before.msgpack", pack(self.whole))
        self.assertIn("audit/last: right", self.verify("of-before.msgpack"))
        for pipe in ("-", "/dev/stdin"):  # which is read once
            said = self.run_tool("audit", "verify", pipe, "--data-dir", "log",
                                 input=pack(self.whole, self.signed)).stdout.decode()
            self.assertIn("audit/last: right", said)
        self.write("cut.msgpack", pack(self.whole, self.signed)[:-400])
        self.assertIn("cut short", self.verify("cut.msgpack", status=DIFFERENT))


class Imports(Copies):
    def imports(self, name, *arguments, to="copy", **kwargs):
        shutil.rmtree(self.path("copy"), True)
        return self.run_tool("import", name, "--data-dir", to, *arguments, **kwargs)

    def test_it_is_held_against_the_log_that_is_made(self):
        for name in ("a.msgpack", "a.ndjson.gz"):
            said = self.imports(self.export_file(name)).stdout.decode()
            self.assertIn("checkpoint    in the trailer: " + self.said, said)
            self.assertIn("signature     NOT checked: no key of that name is known here", said)
        said = self.imports("a.msgpack", "--vkey", self.vkey).stdout.decode()
        self.assertIn("signature     right, by a key of --vkey\n", said)
        shutil.copytree(self.path("log", "audit"), self.path("moved", "audit"))
        said = self.imports("a.msgpack", to="moved").stdout.decode()
        self.assertIn("signature     right, by a key of audit/keys.pub\n", said)

    def test_what_a_forger_changed_or_cut_is_refused(self):
        for records, message in (
                (self.forged(), "the checkpoint in the trailer: the first "
                                f"{len(self.whole)} records are not those that {NAME} signed"),
                (self.whole[:-3], f"{NAME} signed {len(self.whole)} records, and there are "
                                  f"{len(self.whole) - 3}: its end is missing")):
            self.write("forged.msgpack", pack(records, self.signed))
            done = self.imports("forged.msgpack", status=DIFFERENT)
            self.assertIn(message, done.stderr.decode())
            self.assertIn(b"nothing of forged.msgpack was imported", done.stderr)
            self.nothing_is_left("copy")
            said = self.imports("forged.msgpack", "--no-checkpoint").stdout
            self.assertIn(b"; NOT held against it\n", said)

    def test_what_is_there_stays_until_it_holds(self):
        self.imports(self.export_file("a.msgpack"))
        self.write("forged.msgpack", pack(self.forged(), self.signed))
        self.run_tool("import", "forged.msgpack", "--data-dir", "copy", status=FAILED)
        os.mkdir(self.path("empty"))
        self.imports("forged.msgpack", to="empty", status=DIFFERENT)
        self.assertEqual(os.listdir(self.path("empty", "log"))
                         if os.path.exists(self.path("empty", "log")) else [], [])

    def test_an_export_of_before_is_as_good_as_ever(self):
        self.write("of-before.msgpack", pack(self.whole))
        self.assertNotIn(b"checkpoint", self.imports("of-before.msgpack").stdout)
        said = self.imports("of-before.msgpack", "--checkpoint", "now").stdout.decode()
        self.assertIn("checkpoint    now: " + self.said, said)
        self.imports(self.write("bare.ndjson",
                                bare(self.run_tool("export", "--data-dir", "log").stdout)))
        self.refused(DIFFERENT, "no checkpoint came along", "import",
                     "of-before.msgpack", "--vkey", self.vkey, "--data-dir", "none")
        self.nothing_is_left("none")

    def test_an_auditors_own_is_held_against_it(self):
        self.write("forged.msgpack", pack(self.forged()))
        self.refused(DIFFERENT, f"now: the first {len(self.whole)} records are not those",
                     "import", "forged.msgpack", "--checkpoint", "now", "--data-dir", "none")
        self.write("short.msgpack", pack(self.whole[:-3]))
        self.refused(DIFFERENT, "now: a.example/log signed", "import", "short.msgpack",
                     "--checkpoint", "now", "--data-dir", "none")
        self.nothing_is_left("none")

    def test_whom_nobody_knows_is_told_from_whom_one_knows(self):
        """A second key under the same name."""
        self.generate("thief", 20, seed=9)
        other = self.audit("init", "--origin", NAME, data="thief").stdout.decode().strip()
        self.export_file("a.msgpack")
        self.refused(DIFFERENT, "it is signed by none of --vkey", "import", "a.msgpack",
                     "--vkey", other, "--data-dir", "none")
        self.run_tool("export", "b.msgpack", "--data-dir", "thief")
        self.refused(DIFFERENT, "no checkpoint came along", "import", "b.msgpack", "--vkey",
                     self.vkey, "--data-dir", "none")
        self.checkpoint("of-thief", data="thief")
        self.run_tool("export", "b.msgpack", "--force", "--data-dir", "thief")
        os.mkdir(self.path("known"))
        shutil.copytree(self.path("log", "audit"), self.path("known", "audit"))
        self.refused(DIFFERENT, "no key that ever signed under its name here", "import",
                     "b.msgpack", "--data-dir", "known")
        self.assertIn(b"NOT checked", self.imports("b.msgpack").stdout)
        self.nothing_is_left("none")

    def test_what_is_no_checkpoint_is_refused(self):
        self.write("a.msgpack", pack(self.whole, b"not one"))
        self.refused(DIFFERENT, "the checkpoint in the trailer: ", "import", "a.msgpack",
                     "--data-dir", "none")
        self.imports("a.msgpack", "--no-checkpoint")
        lines = self.signed.split(b"\n")
        lines[1] = b"17"
        self.write("b.msgpack", pack(self.whole, b"\n".join(lines)))
        self.refused(DIFFERENT, f"the signature of {NAME} is wrong", "import", "b.msgpack",
                     "--vkey", self.vkey, "--data-dir", "none")
        self.refused(MISUSED, "exclude each other", "import", "a.msgpack", "--no-checkpoint",
                     "--vkey", self.vkey, "--data-dir", "none")
        self.write("persons", b"{}\n")
        self.refused(MISUSED, "are for an EXPORT", "import", "persons", "--checkpoint", "now",
                     "--data-dir", "none")
        self.nothing_is_left("none")


class Backups(Copies):
    def backup(self, name="backup", *arguments, data="log"):
        self.run_tool("backup", name, "--data-dir", data, *arguments)
        return os.path.join(name, "checkpoint")

    def restore(self, *arguments, **kwargs):
        shutil.rmtree(self.path("copy"), True)
        return self.run_tool("restore", "backup", "--data-dir", "copy", *arguments, **kwargs)

    def test_a_backup_has_the_newest_and_a_restore_is_held_against_it(self):
        self.assertEqual(self.read(self.backup()), self.signed)
        self.assertEqual(sorted(os.listdir(self.path("backup"))), ["checkpoint", "data.mdb"])
        said = self.restore().stdout.decode()
        self.assertIn("checkpoint    in the backup: " + self.said, said)
        self.assertIn("signature     NOT checked", said)
        said = self.restore("--vkey", self.vkey, "--checkpoint", "now").stdout.decode()
        self.assertIn("checkpoint    now: " + self.said, said)
        self.assertEqual(said.count("right, by a key of --vkey\n"), 2)
        self.verify("--checkpoint", os.path.join("backup", "checkpoint"), "backup")

    def test_a_backup_that_was_changed_is_refused(self):
        self.write("forged.msgpack", pack(self.forged()))
        self.run_tool("import", "forged.msgpack", "--data-dir", "forged")
        place = self.backup(data="forged")
        self.assertFalse(os.path.exists(self.path(place)))
        self.write(place, self.signed)
        done = self.restore(status=DIFFERENT)
        self.assertIn(f"the checkpoint in the backup: the first {len(self.whole)} records are "
                      "not those", done.stderr.decode())
        self.nothing_is_left("copy")
        self.restore("--no-checkpoint")
        said = self.restore("--to", "300").stdout
        self.assertIn(b"NOT held against the 300 here", said)
        done = self.restore("--to", "300", "--checkpoint", "now", status=MISUSED)
        self.assertIn(b"now is of %d records, and --to ends at 300" % len(self.whole),
                      done.stderr)
        self.nothing_is_left("copy")

    def test_a_key_without_a_checkpoint_is_refused_before_anything_is_read(self):
        self.generate("unsigned", 20)
        self.backup(data="unsigned")
        os.truncate(self.path("backup", "data.mdb"), 20000)
        said = self.restore("--vkey", self.vkey, status=MISUSED).stderr
        self.assertIn(b"no checkpoint came along", said)
        self.assertIn(b"is cut off", self.restore(status=DIFFERENT).stderr)
        self.nothing_is_left("copy")

    def test_what_cannot_be_read_of_it_is_no_checkpoint(self):
        self.write(self.backup(), b"")
        self.assertIn(b"the checkpoint in the backup", self.restore(status=DIFFERENT).stderr)
        self.restore("--no-checkpoint")

    def test_what_is_no_file_is_not_waited_for(self):
        place = self.path(self.backup())
        for make in (os.mkdir, os.mkfifo):
            os.remove(place) if os.path.isfile(place) else os.rmdir(place)
            make(place)
            said = self.restore(status=DIFFERENT).stderr.decode()
            self.assertIn("backup/checkpoint is no file", said)
            self.nothing_is_left("copy")
            said = self.audit("verify", "backup", status=DIFFERENT).stderr.decode()
            self.assertIn("backup/checkpoint is no file", said)
            self.restore("--no-checkpoint")

    def test_one_that_comes_while_it_is_restored_is_of_more_than_was_copied(self):
        place = self.path(self.backup())
        self.write_more()
        self.checkpoint("newer")
        shutil.rmtree(self.path("copy"), True)
        restore = self.start("restore", "backup", "--data-dir", "copy", stderr=subprocess.PIPE)
        while restore.poll() is None and \
                not os.path.exists(self.path("copy", "log.tmp", "data.mdb")):
            time.sleep(0.0005)
        restore.send_signal(signal.SIGSTOP)
        shutil.copy(self.path("newer"), place)
        restore.send_signal(signal.SIGCONT)
        _, said = self.wait_end(restore)
        self.assertEqual(restore.returncode, DONE, said)

    def test_one_of_a_log_that_is_behind_what_was_signed_has_none(self):
        self.write("short.msgpack", pack(self.whole[:-3]))
        self.run_tool("import", "short.msgpack", "--data-dir", "short")
        place = self.backup("before", data="short")
        shutil.copytree(self.path("log", "audit"), self.path("short", "audit"))
        behind = (f"it has no checkpoint: the newest is of {len(self.whole)} records, and the "
                  f"log has {len(self.whole) - 3}")
        for arguments in (("backup",), ("before", "--incremental")):
            done = self.run_tool("backup", *arguments, "--data-dir", "short")
            self.assertIn(behind, done.stderr.decode())
        self.assertFalse(os.path.exists(self.path(place)))
        self.assertEqual(os.listdir(self.path("backup")), ["data.mdb"])
        self.restore()

    def test_it_is_brought_up_with_the_backup_and_goes_with_it(self):
        place = self.backup()
        self.write_more()
        self.backup("backup", "--incremental")
        self.assertEqual(self.read(place), self.signed)  # nothing newer was signed
        newer = self.read(self.checkpoint("newer"))
        self.write(place + ".tmp", b"of a killed run")
        self.backup("backup", "--incremental")
        self.assertEqual(self.read(place), newer)
        self.restore("--vkey", self.vkey)
        self.write(place + ".tmp", b"of a killed run")
        self.backup("next", "--keep", "1")
        self.assertFalse(os.path.exists(self.path("backup")))
        listed = json.loads(self.run_tool("backup", "list", ".", "--json", "--data-dir",
                                          "log").stdout)
        self.assertEqual([os.path.basename(one["path"]) for one in listed["backups"]], ["next"])


if __name__ == "__main__":
    unittest.main()
