"""Files of the private PostgreSQL damaged at random, under a server that runs and one that
is stopped: cut, with flipped bits, taken away. What PostgreSQL can notice is mended without
help, what it cannot is found by `verify --projection`; the log loses nothing, and reads come
back as it says."""

import os
import random
import shutil
import time
import unittest

from fold import check_reads
from harness import Server
from load import Load

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 20))
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
PATIENCE = 180  # seconds; damage is replaced once a minute at most


class ClusterDamage(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.server = Server(private=True)
        self.addCleanup(self.server.close)
        self.cluster = os.path.join(self.server.data_dir, "postgres")
        self.server.start()

    def files(self):
        return sorted(os.path.join(directory, name)
                      for directory, _, names in os.walk(self.cluster) for name in names
                      if not name.startswith(".s.") and name != "postmaster.pid")

    def damage(self):
        """Of some files; what was done, for the message of a failure."""
        done = []
        files = self.files()
        for path in self.chance.sample(files, min(len(files), self.chance.choice((1, 5, 50)))):
            how = self.chance.choice(("cut", "flip", "remove"))
            done.append((how, os.path.relpath(path, self.cluster)))
            try:
                self.hurt(path, how)
            except OSError:
                pass  # gone meanwhile
        if self.chance.random() < 0.2:
            one = self.chance.choice(("", "base", "global", "pg_wal", "pg_xact"))
            done.append(("remove all of", one))
            shutil.rmtree(os.path.join(self.cluster, one), ignore_errors=True)
        return done

    def hurt(self, path, how):
        size = os.path.getsize(path)
        if how == "remove":
            os.remove(path)
        elif how == "cut":
            os.truncate(path, self.chance.randint(0, size))
        elif size > 0:
            with open(path, "r+b") as file:
                for _ in range(self.chance.choice((1, 100))):
                    file.seek(self.chance.randrange(size))
                    file.write(bytes([self.chance.randrange(256)]))

    def right(self, records):
        try:
            check_reads(self.server, records)
            return True
        except Exception:  # 503, or an answer that is not as the log says
            return False

    def come_back(self, told):
        """By themselves, or by the help that the operator's page names."""
        records, deadline = self.server.log_records(), time.monotonic() + PATIENCE
        while not self.right(records):
            self.assertIsNone(self.server.process.poll(), (told, self.server.tail()))
            if self.server.run("verify", "--projection", check=False).returncode == 1:
                self.server.run("rebuild", check=False)
            self.assertLess(time.monotonic(), deadline, (told, self.server.tail()))
            time.sleep(0.2)

    def test_reads_come_back_as_the_log_says(self):
        for round in range(ROUNDS):
            load = Load(self.server, f"{SEED}-{round}", may_refuse=True,
                        name=f"r{round}-").start()
            load.wait_for_answers(self.chance.randint(20, 200))
            stopped = self.chance.random() < 0.5
            if stopped:
                load.stop()
                self.server.stop()
            told = self.damage()
            print(f"round {round}, {'stopped' if stopped else 'running'}: {told[:6]}",
                  flush=True)
            if stopped:
                self.server.start()
            else:
                load.wait_for_answers(self.chance.randint(20, 200))
                load.stop()
                if self.chance.random() < 0.5:  # else its memory hides much
                    self.server.stop()
                    self.server.start()
            self.come_back(told)
            self.server.stop()
            shutil.rmtree(self.cluster + ".damaged", ignore_errors=True)
            self.server.start()


if __name__ == "__main__":
    unittest.main()
