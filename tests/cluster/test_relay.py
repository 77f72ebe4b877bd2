"""daybook relay into Kafka's own broker: whoever reads what is committed reads each record
once, a person's in order, however often the relay is killed."""

import collections
import json
import os
import random
import subprocess
import time
import unittest

from brokers import Brokers, Missing
from harness import PROGRAM, Server

TOPIC = os.environ["DAYBOOK_TOPIC"]
GENERATE = os.environ["DAYBOOK_GENERATE"]
EVENTS, KILLS = 60000, 6


class Relay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            cls.brokers = Brokers(1)
        except Missing as missing:
            raise unittest.SkipTest(f"SKIPPED: {missing}") from None
        cls.addClassCleanup(cls.brokers.close)
        cls.brokers.start()
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.env["CLUSTER_BROKERS"] = cls.brokers.bootstrap
        subprocess.run([GENERATE, "--data-dir", cls.server.data_dir, "--events", str(EVENTS)],
                       check=True, capture_output=True, timeout=300)
        told = json.loads(cls.server.run("status", "--json", check=False).stdout)
        cls.records = told["head"]

    def make(self, topic, partitions):
        subprocess.run([TOPIC, "make", self.brokers.bootstrap, topic, str(partitions)],
                       check=True, timeout=60)

    def read(self, topic):
        """(partition, sequence, key, value) of each message."""
        done = subprocess.run([TOPIC, "read", self.brokers.bootstrap, topic], check=True,
                              capture_output=True, text=True, timeout=120)
        for line in done.stdout.splitlines():
            partition, sequence, key, value = line.split(" ", 3)
            yield int(partition), int(sequence), key, value

    def spawn(self, topic, *flags):
        return subprocess.Popen(
            [PROGRAM, "relay", "--data-dir", self.server.data_dir, "--topic", topic, "--quiet",
             *flags], env=self.server.env, cwd=self.server.data_dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def assert_each_once_in_order(self, topic):
        last, seen, partition_of = collections.defaultdict(int), set(), {}
        for partition, sequence, key, _ in self.read(topic):
            self.assertNotIn(sequence, seen)
            seen.add(sequence)
            self.assertGreater(sequence, last[key])
            last[key] = sequence
            self.assertEqual(partition_of.setdefault(key, partition), partition)
        self.assertEqual(len(seen), max(seen))
        return len(seen)

    def test_killed_again_and_again(self):
        self.make("killed", 3)
        for _ in range(KILLS):
            relay = self.spawn("killed")
            time.sleep(0.5 + random.random() * 2)
            relay.kill()
            relay.communicate()
        relay = self.spawn("killed", "--json")
        out, err = relay.communicate(timeout=300)
        self.assertEqual(relay.returncode, 0, err)
        json.loads(out)
        self.assertEqual(self.assert_each_once_in_order("killed"), self.records)

    def test_one_that_died_in_its_first_transaction(self):
        self.make("aborted", 2)
        subprocess.run([TOPIC, "abort", self.brokers.bootstrap, "aborted"], check=True,
                       timeout=60)
        self.server.run("relay", "--topic", "aborted")
        self.assertEqual(self.assert_each_once_in_order("aborted"), self.records)

    def test_a_second_one_ends_the_first(self):
        self.make("twice", 1)
        first = self.spawn("twice", "--follow")
        self.addCleanup(first.kill)
        self.server.wait_for(lambda: any(self.read("twice")), "the first one sends")
        done = self.server.run("relay", "--topic", "twice")
        self.assertIn("sent", done.stdout)
        self.assertEqual(self.assert_each_once_in_order("twice"), self.records)

    def test_as_cloud_events_and_as_the_log(self):
        for form, key in (("cloudevents", "specversion"), ("json", "recorded_at")):
            self.make(form, 1)
            done = self.server.run("relay", "--topic", form, "--format", form, "--json")
            print(f"{form}: {self.records / json.loads(done.stdout)['seconds']:.0f} records/s")
            _, sequence, _, value = next(self.read(form))
            told = json.loads(value)
            self.assertIn(key, told)
            self.assertEqual(int(told.get("sequence", told.get("id"))), sequence)

    def test_what_cannot_be_is_refused(self):
        refused = self.server.run("relay", "--topic", "nowhere", check=False)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("no topic nowhere", refused.stderr)
        refused = self.server.run("relay", "--topic", "daybook", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("CLUSTER_TOPIC", refused.stderr)


if __name__ == "__main__":
    unittest.main()
