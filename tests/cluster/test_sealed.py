"""Three servers of one sealed log over a broker of Kafka's own: who is erased is so at each, also
at one that was down or comes later, and who leads next goes on with the same keys."""

import os
import subprocess
import unittest
import uuid

from sealed import TOPIC, SealedNodes, begin_brokers


def setUpModule():
    SealedNodes.brokers = begin_brokers()


class Sealed(SealedNodes):
    def test_erased_at_each(self):
        kate, ororo, logan = (self.person() for _ in range(3))
        self.erase(kate)
        self.assert_all_have([ororo, logan], [kate], 1)

        down = self.nodes.followers()[0]
        down.kill()
        self.erase(ororo)  # while one is down
        before = self.nodes.await_leader()
        before.kill()
        down.start()
        self.nodes.await_leader(other_than=before)
        jean = self.person()  # by who leads next
        before.start()
        self.assert_all_have([logan, jean], [kate, ororo], 2)

        for node in self.nodes:
            node.put_master(".new", "b")
        for node in self.nodes:
            node.run("keys", "rotate")
        self.assert_all_have([logan, jean, self.person()], [kate, ororo], 2)

    def test_who_is_behind_does_not_rotate(self):
        """Keys on their way to it are by the former master key, which it would destroy."""
        down = self.nodes.followers()[0]
        down.kill()
        kate = self.person()
        for node in self.nodes:
            node.put_master(".new", "b")
        refused = down.run("keys", "rotate", check=False)
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn("behind", refused.stderr)
        self.assertIn("nothing was changed", refused.stderr)
        down.start()
        for node in self.nodes:
            node.run("keys", "rotate")
        self.assert_all_have([kate, self.person()], [], 0)

    def test_the_topic_for_others(self):
        kate, ororo = self.person(), self.person()
        self.erase(kate)
        for topic, *flags in ((uuid.uuid4().hex,), (uuid.uuid4().hex, "--unseal")):
            subprocess.run([TOPIC, "make", self.brokers.bootstrap, topic, "1"], check=True,
                           timeout=60)
            self.nodes["a"].run("relay", "--topic", topic, *flags)
            told = subprocess.run([TOPIC, "read", self.brokers.bootstrap, topic], check=True,
                                  capture_output=True, text=True, timeout=120).stdout
            self.assertNotIn(kate["email"], told)
            self.assertEqual(ororo["email"] in told, bool(flags))
            self.assertEqual('"sealed":"' in told, not flags)
            self.assertEqual('"data":{"erased":true}' in told, bool(flags))
            self.assertIn('"person.erased"', told)

    def test_a_node_that_comes_later(self):
        kate, ororo = self.person(), self.person()
        late = self.nodes["c"]
        copy = late.data_dir + ".copy"
        late.kill()
        self.nodes["a"].run("backup", copy)
        self.addCleanup(subprocess.run, ["rm", "-r", copy], check=True)
        subprocess.run(["rm", "-r", late.data_dir], check=True)
        os.mkdir(late.data_dir, 0o700)
        self.erase(kate)
        late.run("restore", copy, "--member")
        late.start()
        self.assert_all_have([ororo], [kate], 1)


if __name__ == "__main__":
    unittest.main()
