"""Three servers of another version, upgraded one after the other while clients write, as
docs/cluster.md tells. DAYBOOK_OLD is the program of that version, such as the one of the last
package: nothing here builds one."""

import json
import os
import subprocess
import time
import unittest

from brokers import Brokers, Missing
from fold import check_reads
from harness import PATIENCE, PROGRAM
from nodes import Nodes
from traffic import Traffic

OLD = os.environ.get("DAYBOOK_OLD")
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
BESIDE = 5  # seconds for which both are at work


class Upgrade(unittest.TestCase):
    def setUp(self):
        if not OLD:
            self.skipTest("SKIPPED: DAYBOOK_OLD names no program of another version")
        try:
            self.brokers = Brokers(3)
        except Missing as missing:
            self.skipTest(f"SKIPPED: {missing}")
        self.addCleanup(self.brokers.close)
        self.brokers.start()
        self.nodes = Nodes(self.brokers.bootstrap, "abc")
        self.addCleanup(self.nodes.close)
        self.nodes.wait_for = self.nodes.all[0].wait_for
        for node in self.nodes:
            node.program[-1] = OLD
        self.old("cluster", "init")
        for node in self.nodes:
            node.spawn()
        for node in self.nodes:
            node.wait_ready()

    def old(self, *command):
        node = self.nodes.all[0]
        done = subprocess.run([OLD, *command, "--data-dir", node.data_dir], env=node.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def has_caught_up(self, node):
        done = node.run("cluster", "status", "--json", check=False)
        return done.returncode == 0 and any(
            one["lag"] <= 9 for one in json.loads(done.stdout)["members"]
            if one["node"] == node.name)

    def upgrade(self, node):
        node.stop()
        node.program[-1] = PROGRAM
        node.start()
        node.wait_for(lambda: self.has_caught_up(node), "it catches up")
        time.sleep(BESIDE)

    def test_one_after_the_other(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        load = Traffic(self.nodes, SEED, clients=4, may_refuse=True, pause=0.02).start()
        load.wait_for_answers(50)
        followers, last = self.nodes.followers(), self.nodes.await_leader()
        for node in followers:
            self.upgrade(node)
        self.old("cluster", "hand-over", followers[0].name)
        followers[0].wait_for(lambda: followers[0].leads, "it leads")
        load.wait_for_answers(50)
        self.upgrade(last)
        load.wait_for_answers(50)
        load.stop()
        self.nodes.await_equal()
        records = self.nodes.all[0].log_records()
        load.check(records)
        for node in self.nodes:
            self.assertEqual(node.log_records(), records)
            check_reads(node, records)


if __name__ == "__main__":
    unittest.main()
