"""Three servers of one sealed log over a broker of Kafka's own, whose events are forgotten by age:
each destroys the month's key, also one that was down, begins with the topic, or is put back to a
backup of before; and the topic for others is told."""

import datetime
import json
import os
import subprocess
import unittest
import uuid

from harness import PROGRAM
from nodes import Nodes
from sealed import TOPIC, SealedNodes, begin_brokers

OLD, MIDDLE, YOUNG = 2, 1, 0  # how many months ago


def setUpModule():
    SealedNodes.brokers = begin_brokers()


def seconds_to(months_ago):
    """From now to the fifteenth of that month, at noon: RETENTION=events:31d then has the month
    before the last one forgotten, whatever the date is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    month = now.year * 12 + now.month - 1 - months_ago
    then = now.replace(year=month // 12, month=month % 12 + 1, day=15, hour=12)
    return round((then - now).total_seconds())


class Retention(SealedNodes):
    def setUp(self):
        """The first two; the third is begun by the test."""
        self.nodes = Nodes(self.brokers.bootstrap, "abc", replication=1,
                           topic="t" + uuid.uuid4().hex[:8], CLUSTER_UNSAFE="true",
                           RETENTION="events:31d")
        self.addCleanup(self.nodes.close)
        self.set_clocks(OLD)
        self.nodes.init()
        self.begin("a", "b")

    def set_clocks(self, months_ago):
        for node in self.nodes:
            node.set_clock(seconds_to(months_ago))

    def begin(self, *names):
        for name in names:
            self.nodes[name].spawn()
        for name in names:
            self.nodes[name].wait_ready()

    def stop(self, *names):
        for name in names:
            self.nodes[name].stop()

    def event(self, person):
        """(id, sequence), and what it says."""
        mark = "markerzqx" + uuid.uuid4().hex
        said = self.insist("/events", {"event_type": mark, "person_id": person["id"],
                                       "properties": {"mark": mark}})
        sequence = next(record["sequence"] for record in self.nodes["a"].log_records()
                        if record["subject_id"] == said["id"])
        return said["id"], sequence, mark

    def pass_by(self):
        """Two months, with an event each; and the servers are started again, for one that is
        told of a leap of its clock waits for an hour."""
        self.nodes["a"].wait_for(lambda: len(set(self.heads("a", "b"))) == 1, "equal")
        events = []
        for months_ago in (MIDDLE, YOUNG):
            self.set_clocks(months_ago)
            events.append(self.event(self.kate))
        return events

    def heads(self, *names):
        return [self.get(self.nodes[name], "/health").data["head"] for name in names]

    def expired_at(self, node):
        return self.get(node, "/health").data.get("expired", 0)

    def assert_forgotten(self, node, gone, kept):
        """At this one, by every way out."""
        id, sequence, mark = gone
        node.wait_for(lambda: self.expired_at(node) >= sequence, f"{node.name} expires")
        node.wait_for(lambda: self.erased_keys(node) == 1, f"{node.name} destroys the key")
        self.assertEqual(self.get(node, "/events/" + id).status, 404, node.name)
        record = self.get(node, f"/log/{sequence}")
        self.assertEqual(record.data["data"],
                         {"erased": True, "person_id": self.kate["id"]}, node.name)
        self.assertNotIn(mark, json.dumps(node.log_records()), node.name)
        node.wait_for(lambda: mark not in self.get(
            node, "/persons/" + self.kate["id"]).body.decode(), f"{node.name}: its row goes")
        self.assertEqual(self.status_of(node, self.kate), 200, node.name)
        for id, sequence, mark in kept:
            self.assertEqual(self.get(node, "/events/" + id).data["event_type"], mark)
            self.assertIn(mark, self.get(node, f"/log/{sequence}").body.decode())
        self.assertIn("equal to the log", node.run("verify", "--projection").stdout)

    def relayed(self, topic, *flags):
        """What the topic for others has, when all was sent; by the clock of now, for brokers
        drop by theirs what is a week old."""
        node = self.nodes["a"]
        env = {name: value for name, value in node.env.items() if name != "DAYBOOK_TEST_CLOCK"}
        subprocess.run([PROGRAM, "relay", "--data-dir", node.data_dir, "--topic", topic, *flags],
                       env=env, cwd=node.data_dir, stdin=subprocess.DEVNULL, check=True,
                       capture_output=True, timeout=120)
        return subprocess.run([TOPIC, "read", self.brokers.bootstrap, topic], check=True,
                              capture_output=True, text=True, timeout=120).stdout

    def make_topic(self):
        topic = uuid.uuid4().hex
        subprocess.run([TOPIC, "make", self.brokers.bootstrap, topic, "1"], check=True,
                       timeout=60)
        return topic

    def test_forgotten_by_each(self):
        self.kate = self.person()
        gone = self.event(self.kate)
        before, after = self.make_topic(), self.make_topic()
        self.assertIn(gone[2], self.relayed(before, "--unseal"))
        backup = os.path.join(self.nodes["a"].data_dir, "backup")
        self.nodes["a"].run("backup", backup)
        kept = self.pass_by()
        self.stop("a")          # away while it is forgotten
        self.nodes["b"].kill()
        self.begin("b")
        self.assert_forgotten(self.nodes["b"], gone, kept)
        self.nodes["b"].kill()  # who has said it
        self.begin("a")
        self.assert_forgotten(self.nodes["a"], gone, kept)
        self.begin("b")
        self.assert_forgotten(self.nodes["b"], gone, kept)
        self.begin("c")         # with nothing but the topic, from its beginning
        self.assert_forgotten(self.nodes["c"], gone, kept)
        self.stop("c")
        self.begin_anew(self.nodes["c"], backup)
        self.assert_forgotten(self.nodes["c"], gone, kept)

        told = self.relayed(before, "--unseal")  # what was sent is there, and readers are told
        self.assertIn(gone[2], told)
        self.assertIn('"events.expired"', told)
        for flags in (), ("--unseal",):
            told = self.relayed(after, *flags)
            self.assertNotIn(gone[2], told)
            self.assertIn('"events.expired"', told)
            after = self.make_topic()
        self.assertEqual(len([record for record in self.nodes["a"].log_records()
                              if record["type"] == "events.expired"]), 1)
        self.assertIsNotNone(self.event(self.kate))
        self.nodes.await_equal()


if __name__ == "__main__":
    unittest.main()
