"""daybook reseal of a log that is sealed already: by month, under new keys, saying the same."""

import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from harness import PROGRAM
from tools import DIFFERENT, FAILED, ToolCase, environment, records_of

SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
RETENTION = {"RETENTION": "events:31d"}
DAY = 86400


def numbers(record):
    """Of the keys that it names."""
    return {record["data"][name] for name in ("key", "month") if name in record["data"]}


class Sealed(ToolCase):
    """self.dir has the log `log`, sealed by person: of January 2024, but for the erasures."""

    @classmethod
    def setUpClass(cls):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        maker = ToolCase()
        maker.setUp()
        cls.addClassCleanup(maker.doCleanups)
        for seed in range(SEED, SEED + 50):
            maker.generate(f"of {seed}", 1000, seed, identities=True)
            records = records_of(maker.export(f"of {seed}"))
            cls.gone = [each["subject_id"] for each in records
                        if each["type"] == "person.deleted"]
            if len(cls.gone) >= 2:
                break
        maker.run_tool("reseal", f"of {seed}", "--data-dir", "log", "--keep-deleted")
        cls.made = maker.path("log")
        cls.living = [each["subject_id"] for each in records
                      if each["type"] == "person.created" and
                      each["subject_id"] not in cls.gone]

    def setUp(self):
        super().setUp()
        shutil.copytree(self.made, self.path("log"))

    def with_settings(self, settings, *arguments):
        done = subprocess.run([PROGRAM, *arguments], env={**environment(), **settings},
                              cwd=self.dir, capture_output=True, check=False, timeout=300,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, (arguments, done.stderr))
        return done

    def opened(self, name):
        return records_of(self.export(name, "--unseal"))

    def reseal(self, *arguments, source="log", made="made"):
        return json.loads(self.run_tool("reseal", source, "--data-dir", made, "--json",
                                        *(arguments or ("--by-month",))).stdout)

    def erase(self, *persons):
        for person in persons:
            self.run_tool("person", "erase", person, "--data-dir", "log")

    def receipt(self, person, name):
        return json.loads(self.run_tool("person", "receipt", person, "--data-dir", name,
                                        "--json").stdout)

    def assert_same(self, before, after):
        """But for the formats, and the record that says what it was made of."""
        self.assertEqual(after[-1]["type"], "log.resealed")
        self.assertEqual(after[-1]["data"]["size"], len(before))
        for one, other in zip(before, after[:-1], strict=True):
            one, other = {**one, "format": 0}, {**other, "format": 0}
            if one["type"] in ("person.erased", "events.expired"):
                self.assertEqual(len(one["data"].pop("keys", [])),
                                 len(other["data"].pop("keys", [])))
            self.assertEqual(one, other)

    def files(self, name):
        return {file: self.read(os.path.join(name, file))
                for file in ("log/data.mdb", "keys/ring", "keys/master")}


class Again(Sealed):
    def test_it_says_the_same_under_new_keys_and_by_month(self):
        self.erase(self.living[0], self.living[1], self.gone[0])
        before = self.opened("log")
        files = self.files("log")
        told = self.reseal("--by-month", "--keep-deleted")
        self.assertEqual(self.files("log"), files)
        erased = sum("erased" in each["data"] for each in before)
        self.assertGreater(erased, 3)
        self.assertEqual([told[key] for key in ("records", "was_sealed", "by_month",
                                                "unreadable", "forgotten_events",
                                                "deleted_persons")],
                         [len(before), True, True, erased, 0, 0])
        after = self.opened("made")
        self.assert_same(before, after)
        self.assertEqual({each["format"] for each in after
                          if each["type"] == "event.recorded"}, {7})
        self.run_tool("verify", "--data-dir", "made")
        old = {each["data"]["sealed"] for each in records_of(self.export("log"))
               if "sealed" in each["data"]}
        new = {each["data"]["sealed"] for each in records_of(self.export("made"))
               if "sealed" in each["data"]}
        self.assertFalse(old & new)
        for person in self.living[0], self.gone[0]:
            was, now = self.receipt(person, "log"), self.receipt(person, "made")
            for key in "person_id", "sequence", "erased_at", "keys_destroyed", "records":
                self.assertEqual(now[key], was[key])

    def test_the_old_ring_opens_nothing_of_it(self):
        copy = self.read("log/keys/ring"), self.read("log/keys/master")
        self.erase(self.living[0])
        self.reseal()
        for name, data in zip(("ring", "master"), copy):
            self.write(f"made/keys/{name}", data)
        self.refused(FAILED, "ring of another log", "export", "--unseal", "--data-dir", "made")

    def test_keys_of_deleted_persons_go_as_in_a_log_that_was_not_sealed(self):
        self.erase(self.gone[0])
        told = self.reseal()
        self.assertEqual(told["deleted_persons"], len(self.gone) - 1)
        self.run_tool("verify", "--data-dir", "made")
        after = self.opened("made")
        for record in after:
            if record["type"] == "person.created":
                self.assertEqual("erased" in record["data"],
                                 record["subject_id"] in self.gone, record)

    def test_who_is_restricted_stays_so_and_can_be_erased_after_it(self):
        who = self.living[0]
        self.run_tool("person", "restrict", who, "--data-dir", "log")
        self.reseal()
        listed = self.run_tool("person", "restricted", "--data-dir", "made").stdout.decode()
        self.assertIn(who, listed)
        self.run_tool("person", "erase", who, "--data-dir", "made")
        self.run_tool("verify", "--data-dir", "made")
        self.assertGreater(self.receipt(who, "made")["records"], 1)

    def test_retention_asks_for_it_too(self):
        done = self.with_settings(RETENTION, "reseal", "log", "--data-dir", "made")
        for part in ("sealed by month, too", "can be forgotten by age", "log/keys, with each",
                     "and its master key", "log/keys/master"):
            self.assertIn(part, done.stdout.decode())
        self.run_tool("events", "expire", "--before", "2024-02", "--yes", "--data-dir", "made")
        records = self.opened("made")
        self.assertTrue(all("erased" in each["data"] for each in records
                            if each["type"] == "event.recorded"))
        self.assertTrue(any("email" in each["data"] for each in records))
        self.run_tool("verify", "--data-dir", "made")


class ByAge(Sealed):
    """What had expired before."""

    def clock(self, days):
        """What sets the program's clock so many days ahead."""
        self.write("clock", (days * DAY).to_bytes(8, "little", signed=True))
        options = os.environ.get("ASAN_OPTIONS", "")
        return {"DAYBOOK_TEST_CLOCK": self.path("clock"),
                "LD_PRELOAD": os.environ["DAYBOOK_TEST_PRELOAD"],
                "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0".strip(":")}

    def record(self, name, days):
        """Some events of a person who is there, that many days from now, by month."""
        lines = [{"id": f"018cc251-f514-7dc5-a16f-{days % 10000:04}{n:08}",
                  "person_id": self.living[0], "event_type": f"late {n}",
                  "datetime_created": "2024-03-01T00:00:00"} for n in range(20)]
        self.write("events", "".join(json.dumps(each) + "\n" for each in lines).encode())
        self.with_settings({**RETENTION, **self.clock(days)}, "import", "-", "events",
                           "--data-dir", name)

    def test_events_that_had_expired_and_could_be_read_no_longer_can(self):
        self.record("log", -200)
        self.erase(self.living[1])
        self.record("log", -100)
        half = time.strftime("%Y-%m", time.gmtime(time.time() - 150 * DAY))
        opened = self.opened("log")
        self.run_tool("events", "expire", "--before", half, "--yes", "--data-dir", "log")
        before = self.opened("log")
        through = [each for each in before if each["type"] == "events.expired"][-1][
            "data"]["through"]
        readable = [each for each in opened if each["type"] == "event.recorded" and
                    each["sequence"] <= through and "erased" not in each["data"] and
                    each["format"] < 7]
        self.assertGreater(len(readable), 300)
        told = self.reseal("--by-month", "--keep-deleted")
        self.assertEqual(told["forgotten_events"], len(readable))
        self.run_tool("verify", "--data-dir", "made")
        after = self.opened("made")
        for one, other in zip(before, after[:-1], strict=True):
            if one["type"] == "event.recorded" and one["sequence"] <= through:
                self.assertIn("erased", other["data"])
            elif one["type"] in ("person.erased", "events.expired"):
                self.assertEqual({**one["data"], "keys": len(one["data"]["keys"])},
                                 {**other["data"], "keys": len(other["data"]["keys"])})
            else:
                self.assertEqual({**one, "format": 0}, {**other, "format": 0})
        late = [each for each in after if each["data"].get("event_type", "").startswith("late")]
        self.assertEqual(len(late), 20)
        self.goes_on(after)

    def goes_on(self, after):
        """The rest expires, and it can be made anew once more."""
        month = time.strftime("%Y-%m", time.gmtime())
        self.run_tool("events", "expire", "--before", month, "--yes", "--data-dir", "made")
        again = self.reseal(source="made", made="again")
        self.assertEqual([again["forgotten_events"], again["records"]], [0, len(after) + 1])
        self.run_tool("verify", "--data-dir", "again")
        last = self.opened("again")
        self.assertFalse([each for each in last if "event_type" in each["data"]])
        self.assertEqual([each["type"] for each in last if "size" in each["data"]],
                         [each["type"] for each in after if "size" in each["data"]] +
                         ["log.resealed"])


class Refused(Sealed):
    """Nothing is made, the source is as it was, and what to do is said."""

    def setUp(self):
        super().setUp()
        self.before = self.files("log")

    def refuses(self, message, *arguments, status=FAILED):
        done = self.refused(status, message, "reseal", "log", "--data-dir", "made",
                            *(arguments or ("--by-month",)))
        self.assertFalse(os.path.exists(self.path("made")))
        self.assertEqual(self.read("log/log/data.mdb"), self.before["log/data.mdb"])
        return done

    def test_without_a_reason(self):
        self.refuses("log is sealed already: with --by-month, or RETENTION set", "--json")

    def test_without_its_ring(self):
        os.rename(self.path("log", "keys"), self.path("elsewhere"))
        self.refuses("master key that lay beside it, into log/keys first")
        os.rename(self.path("elsewhere"), self.path("log", "keys"))
        self.reseal()

    def test_without_its_master_key(self):
        os.rename(self.path("log", "keys", "master"), self.path("master"))
        self.refuses("name it by MASTER_KEY_FILE")
        elsewhere = {"MASTER_KEY_FILE": self.path("master")}
        done = self.with_settings(elsewhere, "reseal", "log", "--data-dir", "made",
                                  "--by-month")
        self.assertIn("never rotate", done.stdout.decode())
        self.assertEqual(sorted(os.listdir(self.path("made", "keys"))), ["lock", "ring"])
        self.with_settings(elsewhere, "keys", "rotate", "--data-dir", "made")
        self.with_settings(elsewhere, "verify", "--data-dir", "made")
        old = subprocess.run([PROGRAM, "export", "--unseal", "--data-dir", "log"], cwd=self.dir,
                             env={**environment(), **elsewhere}, capture_output=True,
                             check=False, timeout=300, stdin=subprocess.DEVNULL)
        self.assertEqual(old.returncode, FAILED, old.stderr)
        self.assertIn(b"is not the master key of", old.stderr)

    def test_with_another_ring(self):
        self.generate("other", 20)
        self.run_tool("reseal", "other", "--data-dir", "another")
        for name in "ring", "master":
            shutil.copy(self.path("another", "keys", name), self.path("log", "keys", name))
        self.refuses("another log")

    def test_with_an_older_ring(self):
        self.write("older", self.read("log/keys/ring"))
        self.erase(self.living[0])
        self.before = self.files("log")
        shutil.copy(self.path("older"), self.path("log", "keys", "ring"))
        self.refuses("older than the last erasure")

    def test_where_a_key_is_damaged(self):
        record = next(each for each in records_of(self.export("log"))
                      if each["subject_id"] == self.living[0])
        ring = bytearray(self.read("log/keys/ring"))
        ring[4096 + 64 * (record["data"]["key"] - 1) + 20] ^= 1
        self.write("log/keys/ring", bytes(ring))
        self.refuses(f"record {record['sequence']}", status=DIFFERENT)

    def test_what_is_appended_meanwhile(self):
        """Held between its two walks, where it makes the ring; if it was not, once more."""
        line = {"person_id": self.living[0], "event_type": "late",
                "datetime_created": "2024-03-01T00:00:00"}
        for n in range(20):
            self.write("events", json.dumps({
                **line, "id": f"018cc251-f514-7dc5-a16f-{n:012}"}).encode() + b"\n")
            process = self.start("reseal", "log", "--data-dir", "made", "--by-month",
                                 stderr=subprocess.PIPE)
            while process.poll() is None and not os.path.exists(self.path("made/keys.tmp")):
                time.sleep(0.001)
            process.send_signal(signal.SIGSTOP)
            held = not os.path.exists(self.path("made", "log.tmp")) and process.poll() is None
            if held:
                self.run_tool("import", "-", "events", "--data-dir", "log")
            process.send_signal(signal.SIGCONT)
            told = self.wait_end(process)[1]
            if held:
                break
            shutil.rmtree(self.path("made"))
        self.assertTrue(held)
        self.assertEqual(process.returncode, FAILED, told)
        self.assertIn(b"log got 1 records meanwhile: stop what writes to it", told)
        self.assertFalse(os.path.exists(self.path("made")))
        self.reseal()

    def test_a_disk_that_is_full(self):
        os.mkdir(self.path("small"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "none", "small"],
                          cwd=self.dir, check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no right to mount a file system")
        self.addCleanup(subprocess.run, ["umount", "-q", self.path("small")], check=False)
        self.refused(FAILED, "disk is full", "reseal", "log", "--data-dir", "small/made",
                     "--by-month")
        self.assertEqual(os.listdir(self.path("small")), [])
        self.assertEqual(self.files("log"), self.before)

    def test_of_a_backup_it_takes_the_ring_that_came_along(self):
        self.run_tool("backup", "copy", "--data-dir", "log")
        self.reseal(source="copy")
        self.run_tool("verify", "--data-dir", "made")
        self.run_tool("backup", "bare", "--data-dir", "log", "--without-keys")
        self.refused(FAILED, "its ring of keys is not there", "reseal", "bare", "--data-dir",
                     "other", "--by-month")


if __name__ == "__main__":
    unittest.main()
