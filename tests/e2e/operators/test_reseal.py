"""daybook reseal: a log that is not sealed becomes one that is, and says the same."""

import json
import os
import random
import signal
import time
import unittest

from tools import FAILED, ToolCase, records_of

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


class Reseal(ToolCase):
    def setUp(self):
        super().setUp()
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.generate("first", 3000, SEED, identities=True)
        self.plain = records_of(self.export("first"))
        deleted = {each["subject_id"] for each in self.plain
                   if each["type"] == "person.deleted"}
        self.deleted = deleted

    def opened(self, name):
        """All but what it says of the log that it was made of."""
        *records, last = records_of(self.export(name, "--unseal"))
        self.assertEqual([last[key] for key in ("type", "format", "sequence")],
                         ["log.resealed", 6, len(records) + 1])
        self.assertEqual(last["data"]["size"], len(records))
        return records

    def assert_same(self, one, other):
        """But for the format, in which it is written."""
        self.assertEqual({**one, "format": 0}, {**other, "format": 0})

    def test_it_says_the_same_of_all_who_are_there(self):
        told = json.loads(self.run_tool("reseal", "first", "--data-dir", "made",
                                        "--json").stdout)
        self.assertEqual(told["records"], len(self.plain))
        self.assertEqual(told["deleted_persons"], len(self.deleted))
        self.run_tool("verify", "--data-dir", "made")
        erased = 0
        for one, other in zip(self.plain, self.opened("made"), strict=True):
            if "erased" in other["data"]:
                erased += 1
                for name in ("type", "sequence", "recorded_at", "subject_id", "meta"):
                    self.assertEqual(one[name], other[name])
            else:
                self.assert_same(one, other)
        for one, other in zip(self.plain, self.opened("made"), strict=True):
            who = one["data"].get("person_id") or one["subject_id"]
            if who in self.deleted and one["type"] in ("person.created", "person.updated"):
                self.assertIn("erased", other["data"])
        self.assertGreaterEqual(erased, len(self.deleted))
        self.assertGreater(len(self.plain), erased)

    def test_deleted_persons_can_be_kept(self):
        self.run_tool("reseal", "first", "--data-dir", "made", "--keep-deleted")
        self.run_tool("verify", "--data-dir", "made")
        for one, other in zip(self.plain, self.opened("made"), strict=True):
            self.assert_same(one, other)

    def test_no_name_is_in_it(self):
        self.run_tool("reseal", "first", "--data-dir", "made")
        data = self.read("made/log/data.mdb")
        found = 0
        for record in self.plain:
            email = record["data"].get("email")
            if email:
                self.assertNotIn(email.encode(), data)
                found += 1
        self.assertGreater(found, 0)

    def test_the_source_is_left_as_it_is(self):
        before = self.read("first/log/data.mdb")
        self.run_tool("reseal", "first", "--data-dir", "made")
        self.assertEqual(self.read("first/log/data.mdb"), before)

    def test_what_it_is_not_for(self):
        self.refused(FAILED, "which is to be destroyed in the end", "reseal", "first",
                     "--data-dir", "first/made")
        self.assertFalse(os.path.exists(self.path("first/made")))
        self.run_tool("reseal", "first", "--data-dir", "made")
        self.refused(FAILED, "is sealed already", "reseal", "made", "--data-dir", "again")
        self.assertFalse(os.path.exists(self.path("again")))
        self.refused(FAILED, "has a ring of keys already", "reseal", "first", "--data-dir",
                     "made")
        self.refused(FAILED, "give an empty --data-dir", "reseal", "made", "--data-dir",
                     "first")

    def test_a_master_key_that_is_there_is_told_before_anything_is_done(self):
        os.makedirs(self.path("made", "keys"))
        self.write("made/keys/master", b"a" * 64)
        done = self.refused(FAILED, "keys has master already", "reseal", "first",
                            "--data-dir", "made")
        self.assertNotIn(b"stopped", done.stderr)
        self.assertEqual(os.listdir(self.path("made")), ["keys"])
        os.remove(self.path("made", "keys", "master"))
        self.run_tool("reseal", "first", "--data-dir", "made")

    def test_killed_it_is_run_again(self):
        chance = random.Random(SEED)
        for _ in range(8):
            process = self.start("reseal", "first", "--data-dir", "made")
            time.sleep(chance.random() / 2)
            process.send_signal(signal.SIGKILL)
            process.wait()
            if os.path.exists(self.path("made", "log")):
                break
            if os.path.exists(self.path("made", "keys")):
                os.rename(self.path("made", "keys"), self.path(f"keys{time.time_ns()}"))
        else:
            self.run_tool("reseal", "first", "--data-dir", "made")
        self.run_tool("verify", "--data-dir", "made")
        self.assertEqual(len(self.opened("made")), len(self.plain))


if __name__ == "__main__":
    unittest.main()
