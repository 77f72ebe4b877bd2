"""Brokers behind TLS and a password: with what CLUSTER_KAFKA says all goes on; where it is wrong,
one sentence tells what, and what to do."""

import os
import subprocess
import unittest
import uuid

from brokers import Missing
from harness import PATIENCE
from nodes import Node, Nodes
from secured import HERE, PASSWORD, USER, Secured

# As docs/cluster.md tells.
RIGHTS = (
    ("TOPIC", "LITERAL", "daybook", ("CREATE", "DESCRIBE_CONFIGS", "READ", "WRITE")),
    ("TOPIC", "LITERAL", "daybook.leader", ("CREATE", "READ")),
    ("GROUP", "PREFIXED", "daybook.", ("READ",)),
    # Of daybook relay --topic records:
    ("TOPIC", "LITERAL", "records", ("READ", "WRITE")),
    ("TRANSACTIONAL_ID", "LITERAL", "records", ("WRITE",)),
)


class TestSecured(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.isdir(os.path.join(HERE, "node_modules", "kafkajs")):
            raise unittest.SkipTest("SKIPPED: no KafkaJS: npm ci --prefix tests/cluster")
        try:
            cls.brokers = Secured()
        except Missing as missing:
            raise unittest.SkipTest(f"SKIPPED: {missing}") from None
        cls.addClassCleanup(cls.brokers.close)
        cls.brokers.start()
        cls.brokers.allow(*RIGHTS)
        subprocess.run([os.environ["DAYBOOK_TOPIC"], "make", cls.brokers.open, "records", "1"],
                       check=True, timeout=PATIENCE)
        cls.nodes = Nodes(cls.brokers.bootstrap, "ab", replication=1, CLUSTER_UNSAFE="true",
                          CLUSTER_KAFKA=os.path.join(cls.brokers.keys, "kafka.conf"))
        cls.addClassCleanup(cls.nodes.close)

    def properties(self, mode=0o600, ca=None, password=PASSWORD, **more):
        path = self.nodes.all[0].env["CLUSTER_KAFKA"]
        lines = {"security.protocol": "SASL_SSL", "sasl.mechanisms": "PLAIN",
                 "sasl.username": USER, "sasl.password": password,
                 "ssl.ca.location": ca or self.brokers.ca, **more}
        with open(path, "w") as file:
            file.write("".join(f"{name}={value}\n" for name, value in lines.items()))
        os.chmod(path, mode)
        return path

    def setUp(self):
        self.properties()

    def refused(self, *words, status=3, command=("cluster", "status")):
        done = self.nodes.all[0].run(*command, check=False)
        said = done.stderr.replace(f"daybook help {command[0]} tells how it is used\n", "")
        print(" ".join(command) + ":", said.strip(), flush=True)
        self.assertEqual(done.returncode, status, said)
        self.assertEqual(said.count("\n"), 1, said)
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn(PASSWORD, said)

    def test_a_the_right_ones_do(self):
        """First: it begins the cluster."""
        self.nodes.start()
        leader, follower = self.nodes.await_leader(), self.nodes.followers()[0]
        answer = leader.insist("/persons", {
            "email": f"{uuid.uuid4().hex}@secured.test", "first_name": "Kate",
            "last_name": "Pryde"})
        self.assertEqual(answer.status, 201, answer.details)
        self.assertEqual(follower.client().get("/persons/" + answer.data["id"]).status, 200)
        leader.wait_for(lambda: leader.run("cluster", "status", check=False).returncode == 0,
                        "all are seen")
        leader.run("cluster", "hand-over", follower.name)
        follower.run("relay", "--topic", "records")

    def test_a_wrong_password(self):
        self.properties(password="hunter3")
        self.refused("CLUSTER_KAFKA", "password")
        self.refused("CLUSTER_KAFKA", "password", command=("relay", "--topic", "records"))

    def test_scram(self):
        """librdkafka before 2.6.1 does it wrongly, which brokers notice by now."""
        self.brokers.know_by_scram()
        self.properties(**{"sasl.mechanisms": "SCRAM-SHA-512"})
        done = self.nodes.all[0].run("cluster", "status", check=False)
        if "password" in done.stderr:
            self.refused("SCRAM", "2.6.1", "PLAIN")
        else:
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_unknown_ca(self):
        self.properties(ca=self.brokers.other_ca)
        self.refused("CLUSTER_KAFKA", "certificate verify failed", "ssl.ca.location")
        self.refused("CLUSTER_KAFKA", "ssl.ca.location", command=("relay", "--topic", "records"))

    def test_files_that_are_not_there(self):
        self.properties(ca="/nowhere/ca.pem")
        self.refused("line 5", "ssl.ca.location", "/nowhere/ca.pem", "No such file", status=2)
        os.remove(self.properties())
        self.refused("CLUSTER_KAFKA", "No such file", status=2)

    def test_one_that_others_may_read(self):
        self.properties(0o640)
        self.refused("chmod 600", status=2)

    def test_no_tls_where_brokers_want_it(self):
        self.properties(**{"security.protocol": "PLAINTEXT"})
        self.refused("security.protocol")

    def test_what_is_not_allowed(self):
        other = Node("c", self.brokers.bootstrap, topic="other", CLUSTER_UNSAFE="true",
                     CLUSTER_KAFKA=self.nodes.all[0].env["CLUSTER_KAFKA"])
        self.addCleanup(other.close)
        done = other.run("cluster", "init", "--replication", "1", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("do not make the topic other: Authorization failed", done.stderr)

    def test_z_a_password_that_is_changed(self):
        """Last. Who is in stays; who comes anew is told, and goes on when it is right again."""
        node = self.nodes.followers()[0]
        self.brokers.set_password("hunter4")
        try:
            node.stop()
            node.spawn()
            node.wait_for(lambda: "do not take the user or the password" in node.told(),
                          "it says so")
            node.wait_ready()
            client = node.client()
            self.assertEqual(client.get("/persons", prefer="wait=0").status, 200)
            self.assertEqual(client.get("/persons").status, 503)
            client.close()  # the next may come when the server has closed it
        finally:
            self.brokers.set_password(PASSWORD)
        node.wait_for(lambda: client.get("/persons").status == 200, "reads")


if __name__ == "__main__":
    unittest.main()
