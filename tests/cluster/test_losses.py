"""Three servers over three brokers of Kafka's own: one of them never leads, one joins from the
follower's backup, tokens are everyone's; and the brokers lose what all three had acknowledged."""

import json
import os
import shutil
import tempfile
import threading
import time
import unittest
import uuid

from brokers import Brokers, Missing
from nodes import SESSION, Node, Nodes

REFUSED = (401, 429)


class Losses(unittest.TestCase):
    """In the order of their names: each leaves all of it running."""

    @classmethod
    def setUpClass(cls):
        try:
            cls.brokers = Brokers(3)
        except Missing as missing:
            raise unittest.SkipTest(f"SKIPPED: {missing}") from None
        cls.addClassCleanup(cls.brokers.close)
        cls.brokers.start()
        cls.nodes = Nodes(cls.brokers.bootstrap, "abc")
        cls.addClassCleanup(cls.nodes.close)
        cls.nodes["c"].env["CLUSTER_ROLE"] = "follower"
        cls.nodes.start()

    def setUp(self):
        for node in self.nodes:  # where the one before failed half-way
            if not node.up:
                node.start()

    def person(self, node):
        answer = node.insist("/persons", {
            "email": f"{uuid.uuid4().hex}@losses.test", "first_name": "Kate",
            "last_name": "Pryde"})
        self.assertEqual(answer.status, 201, answer.details)
        return answer.data["id"]

    def assert_all_show(self, *persons):
        for node in self.nodes:
            for person in persons:
                self.assertEqual(node.client().get("/persons/" + person).status, 200,
                                 node.name)

    def test_a_a_follower_never_leads_whoever_else_is_gone(self):
        person = self.person(self.nodes.await_leader())
        alone = self.nodes["c"]
        for node in (self.nodes["a"], self.nodes["b"]):
            node.kill()
        until = time.monotonic() + 4 * SESSION
        while time.monotonic() < until:
            self.assertEqual(alone.health("/health/leader"), 503)
            self.assertEqual(alone.client().get("/persons/" + person).status, 200)
            time.sleep(0.2)
        self.assertIn(alone.client().post("/events", {  # 307: the last one that it knows
            "event_type": "click", "person_id": person}).status, (307, 503))
        told = alone.run("cluster", "status", check=False)
        self.assertEqual(told.returncode, 1, told.stdout + told.stderr)
        for node in (self.nodes["a"], self.nodes["b"]):
            node.start()
        other = self.person(self.nodes.await_leader())
        self.assert_all_show(person, other)
        refused = self.nodes["a"].run("cluster", "hand-over", "c", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("c", refused.stderr)

    def test_b_one_joins_from_a_followers_backup(self):
        follower = self.nodes["c"]
        person = self.person(self.nodes.await_leader())
        self.assertEqual(follower.client().get("/persons/" + person).status, 200)
        folder = tempfile.mkdtemp(prefix="daybook-losses-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        follower.run("backup", folder + "/backup")
        later = self.person(self.nodes.await_leader())
        new = Node("d", self.brokers.bootstrap)
        self.addCleanup(new.close)
        new.run("restore", folder + "/backup", "--member")
        new.start()
        for each in (person, later):
            self.assertEqual(new.client().get("/persons/" + each).status, 200)
        self.assertEqual(new.log_records(), follower.log_records())
        self.nodes["a"].run("cluster", "hand-over", "d")
        new.wait_for(lambda: new.leads, "it leads")
        self.person(new)
        new.stop()
        self.assertIn(self.nodes.await_leader().name, "ab")

    def lose(self, work):
        """All brokers die at once, and come back with what the topic had before work()."""
        self.stop_brokers()
        topics = [os.path.join(self.brokers.directory, str(i), "data", "daybook-0")
                  for i in self.brokers.numbers]
        for topic in topics:
            shutil.copytree(topic, topic.replace("/data/", "/"))
        self.brokers.start()
        done = work()
        self.stop_brokers()
        for topic in topics:
            shutil.rmtree(topic)
            shutil.move(topic.replace("/data/", "/"), topic)
        self.brokers.start()
        return done

    def stop_brokers(self):
        for number in self.brokers.numbers:
            self.brokers.kill(number)

    def test_c_what_brokers_lost_is_sent_again_by_the_one_that_has_the_most(self):
        before = self.person(self.nodes.await_leader())

        def write():
            leader = self.nodes.await_leader()
            persons = [self.person(leader) for _ in range(20)]
            self.nodes.await_equal()
            return persons

        persons = self.lose(write)
        head = self.nodes.heads()[0]
        for node in self.nodes:
            node.wait_for(lambda node=node: "Run `daybook cluster reseed`" in node.told(),
                          "a halt")
            self.assertEqual(node.client().get("/persons/" + before).status, 503)
            self.assertEqual(node.client().get("/persons/" + persons[-1],
                                               prefer="wait=0").status, 200)
        most = self.nodes["b"]
        refused = most.run("cluster", "reseed", check=False)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("stop", refused.stderr)
        most.stop()
        done = most.run("cluster", "reseed")
        self.assertRegex(done.stdout, r"sent again +\d+ records")
        most.start()
        self.nodes.await_leader()
        self.assertEqual(self.nodes.await_equal(), head)
        after = self.person(self.nodes.await_leader())
        self.assert_all_show(before, after, *persons)
        first = self.nodes["a"].log_records()
        for node in self.nodes:
            self.assertEqual(node.log_records(), first)
        self.nodes["a"].wait_for(self.none_is_halted, "all are well")

    def none_is_halted(self):
        told = json.loads(self.nodes["a"].run("cluster", "status", "--json", check=False).stdout)
        return {one["state"] for one in told["members"] if one["node"] in "abc"} <= \
            {"leads", "follows"}

    def test_d_a_token_that_is_revoked_is_refused_by_all(self):
        """Last: once there has been a token, every request needs one."""
        secrets = [self.nodes["a"].run("token", "create", name, "--scope", "admin").stdout
                   .strip() for name in ("kate", "ororo")]

        def status(node, secret):
            return node.client().request("GET", "/persons?limit=1", headers={
                "Authorization": "Bearer " + secret, "Prefer": "wait=0"}).status

        for node in self.nodes:
            for secret in secrets:
                node.wait_for(lambda node=node, secret=secret: status(node, secret) == 200
                              and node.client().get("/persons").status in REFUSED, "it is known")
        took = {}

        def watch(node):
            node.wait_for(lambda: status(node, secrets[1]) in REFUSED, "it is revoked")
            took[node.name] = time.monotonic() - began

        self.nodes["c"].run("token", "revoke", "ororo")
        began = time.monotonic()
        threads = [threading.Thread(target=watch, args=(node,)) for node in self.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print({name: f"{seconds:.1f} s" for name, seconds in sorted(took.items())}, flush=True)
        self.assertEqual(len(took), 3)
        for node in self.nodes:
            self.assertEqual(status(node, secrets[0]), 200)


if __name__ == "__main__":
    unittest.main()
