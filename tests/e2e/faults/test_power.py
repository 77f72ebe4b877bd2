"""The power is cut while the server writes, or a backup is added to: see power.py."""

import json
import os
import random
import subprocess
import unittest

from disk import Disk
from harness import PROGRAM, Server
from power import Looker, Writers, cut_everywhere, recording
from tools import ToolCase, environment

SEED = int(os.environ.get("DAYBOOK_SEED", 1))


class PowerCut(unittest.TestCase):
    seed, clients, writes, share = SEED, 2, 10, 0.08

    def setUp(self):
        print(f"DAYBOOK_SEED={self.seed}", flush=True)
        self.chance = random.Random(self.seed)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.disk = Disk(self.server.data_dir)
        self.addCleanup(self.disk.close)
        self.looker = Looker()
        self.addCleanup(self.looker.close)
        self.server.env.update(self.disk.environment(record=True))
        self.server.start()

    def write(self):
        writers = Writers(self.server, self.disk, self.chance, self.clients, self.writes)
        return writers.start()

    def cut(self, writers, pick=None, reached=0.5):
        self.server.stop()
        final = self.looker.ask(os.path.join(self.server.data_dir, "log"))
        self.assertEqual(final["findings"], 0)
        operations = recording(self.disk.record)
        self.server.run("verify")  # which writes, and would be recorded
        cuts = cut_everywhere(
            operations, writers.acknowledged, final["checksums"], self.looker, self.chance,
            pick or (lambda _: self.chance.random() < self.share), reached)
        print(f"{len(writers.acknowledged)} records acknowledged, {writers.refused} writes "
              f"refused, {len(operations)} operations, {cuts} cuts")
        self.assertGreater(cuts, 0)

    def test_what_was_acknowledged_is_there_whenever_it_is_cut(self):
        writers = self.write()
        writers.join()
        self.assertEqual(writers.refused, 0)
        self.cut(writers)

    def test_nor_is_it_lost_where_the_disk_had_failed_before(self):
        writers = self.write()
        for call, how in ("sync", "nothing"), ("meta", "all"), ("write", "half"):
            self.disk.fail(call, how=how, skip=self.chance.randint(0, 4), times=2)
        writers.join()
        self.disk.heal()
        self.cut(writers)

    def test_a_commit_that_was_taken_back_does_not_come_back_in_ruins(self):
        self.disk.fail("meta", how="all", skip=6, times=1)
        writers = self.write()
        writers.join()
        self.assertEqual(self.disk.failed, 1)
        self.cut(writers, lambda playback: playback.doubt, reached=1)


class BackupCut(ToolCase):
    def setUp(self):
        super().setUp()
        self.disk = Disk(self.dir)
        self.addCleanup(self.disk.close)
        self.looker = Looker()
        self.addCleanup(self.looker.close)

    def add(self, first, count):
        lines = [json.dumps({
            "id": f"018cc251-f537-7996-a2df-{number:012x}", "email": f"n{number}@x.test",
            "first_name": "A", "last_name": "B", "datetime_created": "2024-01-01T00:00:00"})
            for number in range(first, first + count)]
        self.write("persons.ndjson", ("\n".join(lines) + "\n").encode())
        self.run_tool("import", "persons.ndjson", "--data-dir", "a")

    def test_one_that_is_added_to_is_a_whole_log_whenever_it_is_cut(self):
        chance = random.Random(SEED)
        self.add(0, 20)
        self.run_tool("backup", "b", "--data-dir", "a")
        for number in (100, 200):
            before = self.read("b/data.mdb")
            least = self.looker.ask(self.path("b"))["head"]
            self.add(number, 40)
            done = subprocess.run(
                [PROGRAM, "backup", "--incremental", "b", "--data-dir", "a"],
                env={**environment(), **self.disk.environment(record=True)},
                cwd=self.dir, capture_output=True, timeout=300, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            final = self.looker.ask(self.path("b"))
            self.assertEqual((final["findings"], final["head"]), (0, least + 80))
            operations = recording(self.disk.record)
            os.unlink(self.disk.record)
            self.assertIn("E", [operation.what for operation in operations])
            cuts = cut_everywhere(operations, [], final["checksums"], self.looker, chance,
                                  lambda _: True, before=before,
                                  least=least)
            print(f"{len(operations)} operations, {cuts} cuts")
            self.assertGreater(cuts, 0)


if __name__ == "__main__":
    unittest.main()
