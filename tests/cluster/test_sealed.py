"""Three servers of one sealed log over a broker of Kafka's own: who is erased is so at each, also
at one that was down or comes later, and who leads next goes on with the same keys."""

import json
import os
import subprocess
import time
import unittest
import uuid

from brokers import Brokers, Missing
from harness import PATIENCE
from nodes import Nodes

TOPIC = os.environ["DAYBOOK_TOPIC"]


def setUpModule():
    global brokers
    try:
        brokers = Brokers(1)
    except Missing as missing:
        raise unittest.SkipTest(f"no brokers: {missing}") from None
    unittest.addModuleCleanup(brokers.close)
    brokers.start()


class Sealed(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes(brokers.bootstrap, "abc", replication=1, SEALED="true",
                           topic="t" + uuid.uuid4().hex[:8], CLUSTER_UNSAFE="true")
        self.addCleanup(self.nodes.close)
        for node in self.nodes:
            node.env["MASTER_KEY_FILE"] = node.data_dir + ".master"
            self.addCleanup(os.remove, node.data_dir + ".master")
            self.put_master(node, "", "a")
        self.nodes.start()

    def put_master(self, node, behind, digit):
        path = node.env["MASTER_KEY_FILE"] + behind
        with open(path, "w", encoding="ascii") as file:
            file.write(digit * 64 + "\n")
        os.chmod(path, 0o600)

    def person(self):
        answer = self.nodes.await_leader().insist("/persons", {
            "email": f"{uuid.uuid4().hex}@sealed.test", "first_name": "Kate",
            "last_name": "Pryde"})
        self.assertEqual(answer.status, 201, answer.details)
        return answer.data

    def erase(self, person):
        """At whoever leads, until it is done."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            client = self.nodes.await_leader().client()
            try:
                answer = client.request("DELETE", f"/persons/{person['id']}?erase=true")
            finally:
                client.close()
            if answer.status == 200:
                return
            self.assertIn(answer.status, (307, 503), answer.body)
            time.sleep(0.1)
        self.fail("nobody erases")

    def status_of(self, node, person):
        client = node.client()
        try:
            return client.get(f"/persons/{person['id']}").status
        finally:
            client.close()

    def erased_keys(self, node):
        return json.loads(node.run("keys", "status", "--json", check=False).stdout)["ring"]["erased"]

    def assert_all_have(self, living, erased, keys):
        self.nodes.await_equal()
        for node in self.nodes:
            for person in living:
                self.assertEqual(self.status_of(node, person), 200, node.name)
            for person in erased:
                self.assertEqual(self.status_of(node, person), 410, node.name)
            node.wait_for(lambda: self.erased_keys(node) == keys, f"{node.name} erases")

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
            self.put_master(node, ".new", "b")
        for node in self.nodes:
            node.run("keys", "rotate")
        self.assert_all_have([logan, jean, self.person()], [kate, ororo], 2)

    def test_who_is_behind_does_not_rotate(self):
        """Keys on their way to it are by the former master key, which it would destroy."""
        down = self.nodes.followers()[0]
        down.kill()
        kate = self.person()
        for node in self.nodes:
            self.put_master(node, ".new", "b")
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
            subprocess.run([TOPIC, "make", brokers.bootstrap, topic, "1"], check=True, timeout=60)
            self.nodes["a"].run("relay", "--topic", topic, *flags)
            told = subprocess.run([TOPIC, "read", brokers.bootstrap, topic], check=True,
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
