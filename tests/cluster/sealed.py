"""Three servers of one sealed log over a broker of Kafka's own; what tests of their keys share."""

import json
import os
import shutil
import time
import unittest
import uuid

from brokers import Brokers, Missing
from harness import PATIENCE
from nodes import Nodes

TOPIC = os.environ["DAYBOOK_TOPIC"]


def begin_brokers():
    """For setUpModule."""
    try:
        brokers = Brokers(1)
    except Missing as missing:
        raise unittest.SkipTest(f"no brokers: {missing}") from None
    unittest.addModuleCleanup(brokers.close)
    brokers.start()
    return brokers


class SealedNodes(unittest.TestCase):
    brokers = None  # a test's module has them

    def setUp(self):
        self.nodes = Nodes(self.brokers.bootstrap, "abc", replication=1,
                           topic="t" + uuid.uuid4().hex[:8], CLUSTER_UNSAFE="true")
        self.addCleanup(self.nodes.close)
        self.nodes.start()

    def insist(self, path, body):
        answer = self.nodes.await_leader().insist(path, body)
        self.assertIn(answer.status, (200, 201), answer.body)
        return answer.data

    def person(self):
        return self.insist("/persons", {
            "email": f"{uuid.uuid4().hex}@sealed.test", "first_name": "Kate",
            "last_name": "Pryde"})

    def many(self):
        """So many that the next keys are sent to all."""
        for _ in range(6):
            said = self.insist("/events/batch", [
                {"person": {"email": f"{uuid.uuid4().hex}@many.test", "first_name": "M",
                            "last_name": "N"}} for _ in range(1000)])
            self.assertEqual({one["status"] for one in said}, {201})

    def erase(self, person):
        """At whoever leads, until it is done."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = self.ask_to_erase(self.nodes.await_leader(), person)
            except OSError:
                continue
            if answer.status == 200:
                return
            self.assertIn(answer.status, (307, 503), answer.body)
            time.sleep(0.1)
        self.fail("nobody erases")

    @staticmethod
    def ask_to_erase(node, person):
        client = node.client()
        try:
            return client.request("DELETE", f"/persons/{person['id']}?erase=true")
        finally:
            client.close()

    def get(self, node, path):
        client = node.client()
        try:
            return client.get(path)
        finally:
            client.close()

    def status_of(self, node, person):
        return self.get(node, f"/persons/{person['id']}").status

    def ring(self, node):
        return os.path.join(node.data_dir, "keys", "ring")

    def erased_keys(self, node):
        return json.loads(node.run("keys", "status", "--json",
                                   check=False).stdout)["ring"]["erased"]

    def rotate(self, digit, *names):
        """At these; all have the next master key before."""
        nodes = [self.nodes[name] for name in names]
        for node in nodes:
            node.put_master(".new", digit)
        for node in nodes:
            node.run("keys", "rotate")

    def assert_refused(self, node, *words):
        """It ends by itself, and says why."""
        told = len(node.told())
        node.spawn()
        self.assertNotEqual(node.process.wait(PATIENCE), 0)
        node.process = None
        for word in words:
            self.assertIn(word, node.told()[told:])

    def begin_anew(self, node, backup):
        """With nothing, but for what the log of before has left in the tables."""
        shutil.rmtree(node.data_dir)
        os.mkdir(node.data_dir, 0o700)
        node.run("restore", backup, "--member")
        node.start()

    def assert_all_have(self, living, erased, keys):
        """All have the same, and of the keys that were destroyed none."""
        self.nodes.await_equal()
        records = self.nodes["a"].log_records()
        for node in self.nodes:
            for person in living:
                self.assertEqual(self.status_of(node, person), 200, node.name)
            for person in erased:
                self.assertEqual(self.status_of(node, person), 410, node.name)
            node.wait_for(lambda node=node: self.erased_keys(node) == keys,
                          f"{node.name} erases")
            self.assertEqual(node.log_records(), records, node.name)
        text = json.dumps(records)
        for person in living:
            self.assertIn(person["email"], text)
        for person in erased:
            self.assertNotIn(person["email"], text)
