"""One damaged record costs that record: salvaged around, restored up to, gone on behind,
and put right from a backup or an export."""

import fcntl
import json
import os
import shutil
import unittest

from damage import change, damage, spoil_page, zero_page
from tools import DIFFERENT, FAILED, MISUSED, ToolCase, records_of

PERSONS = 60  # two records each: the person, and its signup


def mark(number):
    """The email of a person: it is in the record with sequence 2 * number - 1."""
    return f"person{number:04d}@x.test".encode()


class Case(ToolCase):
    def setUp(self):
        super().setUp()
        self.add(1, PERSONS)

    def add(self, first, last, name="a"):
        lines = [json.dumps({
            "id": f"018cc251-f537-7996-a2df-{number:012x}", "email": mark(number).decode(),
            "first_name": "A" * 90, "last_name": "B" * 90,
            "datetime_created": "2024-01-01T00:00:00"}) for number in range(first, last + 1)]
        self.write("persons.ndjson", ("\n".join(lines) + "\n").encode())
        self.run_tool("import", "persons.ndjson", "--data-dir", name)

    def damage(self, how, *numbers, name="a/log"):
        damage(self.path(name, "data.mdb"), how, *map(mark, numbers))

    def salvage(self, name="a", *arguments, status=DIFFERENT):
        """The sequences that were read, the trailer, and what was said."""
        done = self.run_tool("export", "--salvage", "--data-dir", name, *arguments,
                             status=status)
        lines = done.stdout.splitlines()
        return ([record["sequence"] for record in records_of(done.stdout)],
                json.loads(lines[-1])["export"], done.stderr.decode())


class Salvage(Case):
    def test_a_changed_record_is_stepped_over_and_named(self):
        whole = self.export("a")
        self.damage(change, 7, 8)
        done = self.run_tool("export", "--data-dir", "a", status=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"record 13: not a record", done.stderr)
        found, trailer, said = self.salvage()
        self.assertEqual(found, [n for n in range(1, 121) if n not in (13, 15)])
        self.assertEqual((trailer["whole"], trailer["source"]["missing"],
                          trailer["source"]["missing_sequences"]), (False, 2, "13,15"))
        self.assertIn("record 13 cannot be read: its checksum is wrong", said)
        self.assertIn("record 15 cannot be read", said)
        self.assertEqual(records_of(whole)[13:14],
                         [record for record in records_of(self.run_tool(
                             "export", "--salvage", "--data-dir", "a",
                             status=DIFFERENT).stdout) if record["sequence"] == 14])
        self.run_tool("export", "--salvage", "--data-dir", "a", "out.ndjson",
                      status=DIFFERENT)
        self.refused(DIFFERENT, "something is missing", "import", "out.ndjson",
                     "--data-dir", "b")

    def test_a_lost_page_costs_its_own_records(self):
        for how in (zero_page, spoil_page):
            shutil.copytree(self.path("a"), self.path("b"))
            self.damage(how, 30, name="b/log")
            found, trailer, said = self.salvage("b")
            self.assertNotIn(59, found)
            self.assertGreater(len(found), 90)
            self.assertEqual(found[-1], 120)
            self.assertEqual(trailer["source"]["missing"], 120 - len(found))
            self.assertIn("cannot be read: ", said)
            self.assertNotIn("Sanitizer", said)
            shutil.rmtree(self.path("b"))

    def test_a_right_log_is_exported_as_ever(self):
        self.run_tool("export", "--salvage", "--data-dir", "a", "s.ndjson")
        self.run_tool("import", "s.ndjson", "--data-dir", "b")
        self.assertEqual(records_of(self.export("b")), records_of(self.export("a")))

    def test_a_part_and_a_filter(self):
        self.damage(change, 7)
        found, trailer, _ = self.salvage("a", "--from", "10", "--to", "20",
                                         "--type", "person.created")
        self.assertEqual(found, [11, 15, 17, 19])
        self.assertEqual(trailer["source"]["missing_sequences"], "13")
        found, _, _ = self.salvage("a", "--from", "14", "--to", "20", status=0)
        self.assertEqual(found, list(range(14, 21)))
        self.refused(MISUSED, "takes sequences", "export", "--salvage", "--from",
                     "2024-01-01", "--data-dir", "a")
        self.refused(MISUSED, "--follow", "export", "--salvage", "--follow",
                     "--data-dir", "a")


class RestoreBefore(Case):
    def test_what_is_before_the_damage_is_restored(self):
        records = records_of(self.export("a"))
        for how in (change, zero_page, spoil_page):
            shutil.copytree(self.path("a"), self.path("b"))
            self.damage(how, 50, name="b/log")
            self.run_tool("restore", "b", "--data-dir", "r", status=DIFFERENT)
            self.run_tool("restore", "b", "--to", "60", "--data-dir", "r")
            self.assertEqual(records_of(self.export("r")), records[:60])
            self.run_tool("verify", "--data-dir", "r")
            done = self.run_tool("restore", "b", "--to", "110", "--data-dir", "r2",
                                 status=DIFFERENT)
            self.assertIn(b"take an older backup", done.stderr)
            self.assertFalse(os.path.exists(self.path("r2")))
            for name in ("b", "r"):
                shutil.rmtree(self.path(name))

    def test_up_to_a_time(self):
        before = records_of(self.export("a"))
        self.add(PERSONS + 1, PERSONS + 40)
        self.damage(change, PERSONS + 20)
        time = before[-1]["recorded_at"]
        self.run_tool("restore", "a", "--to", time, "--data-dir", "r")
        self.assertEqual(records_of(self.export("r")), before)

    def test_a_file_that_was_cut(self):
        records = records_of(self.export("a"))
        self.run_tool("backup", "b", "--data-dir", "a")
        data = self.read("b/data.mdb")
        self.write("b/data.mdb", data + bytes(0))
        os.truncate(self.path("b/data.mdb"), len(data) - 4096)
        done = self.run_tool("restore", "b", "--to", "5", "--data-dir", "r", status=None)
        if done.returncode == 0:  # else what was cut off is needed
            self.assertEqual(records_of(self.export("r")), records[:5])
        else:
            self.assertEqual(done.returncode, DIFFERENT, done.stderr)
            self.assertFalse(os.path.exists(self.path("r")))


class Continue(Case):
    def setUp(self):
        super().setUp()
        self.run_tool("backup", "b", "--data-dir", "a")
        self.add(PERSONS + 1, PERSONS + 40)
        self.records = records_of(self.export("a"))

    def test_the_tail_of_a_damaged_log_is_taken(self):
        self.damage(change, 7)  # what the backup has
        for log in ("a", "a/log", "a/log/data.mdb"):
            done = self.run_tool("restore", "b", "--continue-with", log, "--json",
                                 "--data-dir", "r")
            said = json.loads(done.stdout)
            self.assertEqual((said["head"], said["continued"]),
                             (200, {"records": 80, "gap": 0, "readable_behind": 0}))
            self.assertEqual(records_of(self.export("r")), self.records)
            self.run_tool("verify", "--data-dir", "r")
            shutil.rmtree(self.path("r"))

    def test_up_to_the_first_that_cannot_be_read(self):
        self.damage(change, 80)
        done = self.run_tool("restore", "b", "--continue-with", "a", "--data-dir", "r",
                             status=DIFFERENT)
        self.assertEqual(records_of(self.export("r")), self.records[:158])
        self.assertIn(b"record 159 of a/log cannot be read", done.stderr)
        self.assertIn(b"41 records behind it", done.stderr)
        self.assertIn(b"export --salvage --from 160", done.stderr)
        shutil.rmtree(self.path("r"))
        self.run_tool("restore", "b", "--continue-with", "a", "--to", "140", "--data-dir",
                      "r")
        self.assertEqual(records_of(self.export("r")), self.records[:140])

    def test_a_lost_page(self):
        self.damage(spoil_page, 90)
        done = self.run_tool("restore", "b", "--continue-with", "a", "--data-dir", "r",
                             status=DIFFERENT)
        found = records_of(self.export("r"))
        self.assertEqual(found, self.records[:len(found)])
        self.assertGreater(len(found), 130)
        self.assertNotIn(b"Sanitizer", done.stderr)

    def change_all_of(self, number):
        """Each record that is about the person, so that none of them can be read."""
        id = b"\xc4\x10" + bytes.fromhex(f"018cc251f5377996a2df{number:012x}")
        data = self.read("a/log/data.mdb")
        self.assertIn(id, data)
        self.write("a/log/data.mdb", data.replace(id, id[:-1] + b"\x00"))

    def test_where_the_backups_end_cannot_be_read_the_indexes_tell(self):
        self.change_all_of(PERSONS)
        self.run_tool("restore", "b", "--continue-with", "a", "--data-dir", "r")
        self.assertEqual(records_of(self.export("r")), self.records)

    def test_a_clone_that_agrees_up_to_what_cannot_be_read_is_refused(self):
        self.run_tool("restore", "b", "--data-dir", "clone")
        self.add(PERSONS + 101, PERSONS + 102, name="clone")
        self.run_tool("backup", "cb", "--data-dir", "clone")
        self.change_all_of(PERSONS + 1)
        self.change_all_of(PERSONS + 2)
        self.refused(FAILED, "cannot be told: record 124, the backup's last", "restore",
                     "cb", "--continue-with", "a", "--data-dir", "r")
        self.assertFalse(os.path.exists(self.path("r")))

    def test_it_is_not_the_backups_fault_that_nothing_can_be_read(self):
        data = self.read("a/log/data.mdb")
        self.write("a/log/data.mdb", b"x" * 8192 + data[8192:])
        self.refused(FAILED, "leave --continue-with out", "restore", "b",
                     "--continue-with", "a", "--data-dir", "r")
        self.run_tool("restore", "b", "--data-dir", "r")

    def test_another_history_is_refused(self):
        self.add(1, PERSONS + 10, name="other")
        self.refused(FAILED, "of another history", "restore", "b", "--continue-with",
                     "other", "--data-dir", "r")
        self.assertFalse(os.path.exists(self.path("r")))


class Indexes(Case):
    def test_a_damaged_page_of_an_index_sends_nobody_to_a_backup(self):
        whole = records_of(self.export("a"))
        for spoiled in (bytes(4084), b"\xf3" * 388):
            data = bytearray(self.read("a/log/data.mdb"))
            id = bytes.fromhex(f"018cc251f5377996a2df{30:012x}")
            at = data.find(id)
            while at >= 0:
                if data[at - 2:at] != b"\xc4\x10":  # else it is in a record
                    head = at - at % 4096 + 12
                    data[head:head + len(spoiled)] = spoiled
                at = data.find(id, at + 16)
            self.write("a/log/data.mdb", data)
            done = self.run_tool("verify", "--data-dir", "a", status=DIFFERENT)
            self.assertIn(b"verify --repair-indexes", done.stdout)
            self.assertNotIn(b"restore from a backup", done.stdout)
            self.run_tool("verify", "--repair-indexes", "--data-dir", "a")
            self.assertEqual(records_of(self.export("a")), whole)


class Repair(Case):
    def setUp(self):
        super().setUp()
        self.run_tool("backup", "b", "--data-dir", "a")
        self.whole = records_of(self.export("a"))

    def repair(self, source="b", status=0):
        done = self.run_tool("verify", "--repair-from", source, "--json", "--data-dir", "a",
                             status=status)
        self.assertNotIn(b"Sanitizer", done.stderr)
        return json.loads(done.stdout)["repair"]

    def id(self):
        return json.loads(self.run_tool("status", "--json", "--data-dir", "a").stdout)[
            "store_id"]

    def check_whole(self, id, left=("last_backup", "log", "log.id", "serve.lock")):
        self.assertEqual(records_of(self.export("a")), self.whole)
        self.assertEqual(self.id(), id)
        self.run_tool("verify", "--data-dir", "a")
        self.assertEqual(sorted(os.listdir(self.path("a"))), sorted(left))
        self.assertEqual(os.listdir(self.path("b")), ["data.mdb"])

    def test_changed_records_are_put_back_in_place(self):
        id = self.id()
        self.damage(change, 7, 8, 60)
        said = self.repair()
        self.assertEqual(said, {"damaged": 3, "put_back": 3, "kept": None})
        self.check_whole(id)
        said = self.repair()
        self.assertEqual(said["damaged"], 0)

    def test_a_lost_page_makes_a_new_log_with_the_old_id(self):
        for how in (zero_page, spoil_page):
            id = self.id()
            self.damage(how, 30)
            damaged = self.read("a/log/data.mdb")
            said = self.repair()
            self.assertGreater(said["damaged"], 1)
            self.assertEqual(said["put_back"], said["damaged"])
            self.assertEqual(said["kept"], "a/log.damaged")
            self.check_whole(id, ("last_backup", "log", "log.damaged", "log.id",
                                   "serve.lock"))
            self.assertEqual(self.read("a/log.damaged/data.mdb"), damaged)
            self.damage(how, 40)
            self.refused(FAILED, "log.damaged is there already", "verify", "--repair-from",
                         "b", "--data-dir", "a")
            shutil.rmtree(self.path("a/log"))
            shutil.rmtree(self.path("a/log.damaged"))
            self.run_tool("restore", "b", "--data-dir", "a")

    def test_from_an_export_and_from_a_data_directory(self):
        id = self.id()
        self.run_tool("export", "all.ndjson.zst", "--data-dir", "a")
        shutil.copytree(self.path("a"), self.path("copy"))
        for source in ("all.ndjson.zst", "copy", "copy/log"):
            self.damage(change, 9)
            self.assertEqual(self.repair(source)["put_back"], 1)
            self.check_whole(id)

    def test_what_the_copy_does_not_have_stays(self):
        self.add(PERSONS + 1, PERSONS + 5)
        self.damage(change, 5, PERSONS + 3)
        done = self.run_tool("verify", "--repair-from", "b", "--data-dir", "a",
                             status=DIFFERENT)
        self.assertIn(b"record 9: to be put back", done.stdout)
        self.assertIn(b"record 125: cannot be put back: its checksum is wrong; the copy "
                      b"does not have it either", done.stdout)
        self.assertRegex(done.stdout, rb"(?m)^repair +1 of 2 damaged records put back$")
        found, _, _ = self.salvage()
        self.assertEqual(found, [n for n in range(1, 131) if n != 125])

    def test_a_structure_that_lost_more_than_the_copy_has_is_left_alone(self):
        self.add(PERSONS + 1, PERSONS + 40)
        self.damage(spoil_page, PERSONS + 20)
        before = self.read("a/log/data.mdb")
        done = self.run_tool("verify", "--repair-from", "b", "--data-dir", "a",
                             status=DIFFERENT)
        self.assertIn(b"nothing was changed", done.stdout)
        self.assertEqual(self.read("a/log/data.mdb"), before)
        self.assertFalse(os.path.exists(self.path("a/log.tmp")))

    def test_only_a_copy_of_this_history_is_taken_from(self):
        self.add(1, PERSONS, name="other")
        self.damage(change, 7)
        before = self.read("a/log/data.mdb")
        self.refused(FAILED, "of another history", "verify", "--repair-from", "other",
                     "--data-dir", "a")
        self.refused(MISUSED, "from itself", "verify", "--repair-from", "a", "--data-dir",
                     "a")
        self.refused(FAILED, "nowhere", "verify", "--repair-from", "nowhere", "--data-dir",
                     "a")
        self.assertEqual(self.read("a/log/data.mdb"), before)

    def test_the_last_page_is_put_back_where_the_indexes_know_it(self):
        self.run_tool("export", "all.ndjson", "--data-dir", "a")
        for source in ("b", "all.ndjson"):
            id = self.id()
            self.damage(zero_page, PERSONS)
            said = self.repair(source)
            self.assertEqual(said["put_back"], said["damaged"])
            self.check_whole(id, ("last_backup", "log", "log.damaged", "log.id",
                                  "serve.lock"))
            shutil.rmtree(self.path("a/log.damaged"))

    def test_a_clone_has_the_id_and_other_records(self):
        shutil.copytree(self.path("a"), self.path("clone"))
        self.add(PERSONS + 1, PERSONS + 4)
        self.add(PERSONS + 101, PERSONS + 104, name="clone")
        self.damage(zero_page, *range(PERSONS + 1, PERSONS + 5))
        before = self.read("a/log/data.mdb")
        done = self.run_tool("verify", "--repair-from", "clone", "--data-dir", "a",
                             status=DIFFERENT)
        self.assertIn(b"nothing shows that the copy's is the one", done.stdout)
        self.assertEqual(self.read("a/log/data.mdb"), before)

    def test_a_server_must_be_stopped_first(self):
        with open(self.path("a", "serve.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.refused(FAILED, "is served already", "verify", "--repair-from", "b",
                         "--data-dir", "a")


if __name__ == "__main__":
    unittest.main()
