"""Whoever erases is killed, or leads no more, in its midst, and the relay is started
again behind it: each time all have the same in the end, and who was erased is so everywhere."""

import contextlib
import fcntl
import os
import subprocess
import threading
import unittest
import uuid

from harness import PATIENCE
from sealed import TOPIC, SealedNodes, begin_brokers


def setUpModule():
    SealedNodes.brokers = begin_brokers()


class Erasing(SealedNodes):
    """Interrupted between the record and the keys: whoever holds a ring's lock keeps its server
    there."""

    def setUp(self):
        super().setUp()
        self.kate, self.ororo = self.person(), self.person()
        self.nodes.await_equal()
        self.leader = self.nodes.await_leader()
        self.before = self.bytes_of_ring()

    def bytes_of_ring(self):
        with open(self.ring(self.leader), "rb") as file:
            return file.read()

    @contextlib.contextmanager
    def held(self):
        """While the record is in the log, and no key is destroyed at the leader."""
        with open(os.path.join(os.path.dirname(self.ring(self.leader)), "lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            head = self.get(self.leader, "/health").data["head"]
            asking = threading.Thread(target=self.ask, daemon=True)
            asking.start()
            self.leader.wait_for(
                lambda: self.get(self.leader, f"/log/{head + 1}").status == 200, "the record")
            self.assertEqual(self.get(self.leader, f"/log/{head + 1}").data["type"],
                             "person.erased")
            self.assertEqual(self.bytes_of_ring(), self.before)
            yield
        asking.join(PATIENCE)
        self.assertFalse(asking.is_alive())

    def ask(self):
        with contextlib.suppress(OSError):
            self.ask_to_erase(self.leader, self.kate)

    def test_the_leader_is_killed(self):
        with self.held():
            self.leader.kill()
        self.assertEqual(self.bytes_of_ring(), self.before)
        self.nodes.await_leader()
        jean = self.person()
        self.leader.start()
        self.assert_all_have([self.ororo, jean], [self.kate], 1)
        self.assertNotEqual(self.bytes_of_ring(), self.before)

    def test_another_gets_to_lead(self):
        other = next(node for node in self.nodes if node is not self.leader)
        with self.held():
            handing = threading.Thread(target=lambda: other.run(
                "cluster", "hand-over", other.name, check=False), daemon=True)
            handing.start()
            handing.join(3)
        handing.join(PATIENCE)
        self.assert_all_have([self.ororo, self.person()], [self.kate], 1)

    def test_handed_over_while_many_are_erased(self):
        people, over = [self.person() for _ in range(30)], threading.Event()

        def hand_over():
            while not over.is_set():
                leader = self.nodes.await_leader()
                to = next(node for node in self.nodes if node is not leader)
                leader.run("cluster", "hand-over", to.name, check=False)

        handing = threading.Thread(target=hand_over, daemon=True)
        handing.start()
        for person in people:
            self.erase(person)
        over.set()
        handing.join(PATIENCE)
        self.assert_all_have([self.kate, self.ororo], people, len(people))


class Relayed(SealedNodes):
    def relay(self, topic, *flags):
        self.nodes["a"].run("relay", "--topic", topic, *flags)
        return subprocess.run([TOPIC, "read", self.brokers.bootstrap, topic], check=True,
                              capture_output=True, text=True, timeout=120).stdout

    def test_started_again_behind_an_erasure(self):
        """What it had sent is there; of what it sends now nothing tells who it was."""
        topics = {uuid.uuid4().hex: flags for flags in ((), ("--unseal",))}
        first = self.person()
        self.nodes.await_equal()
        for topic, flags in topics.items():
            subprocess.run([TOPIC, "make", self.brokers.bootstrap, topic, "1"], check=True,
                           timeout=60)
            self.assertEqual(first["email"] in self.relay(topic, *flags), bool(flags))
        later, ororo = self.person(), self.person()
        self.erase(later)
        self.erase(first)
        self.nodes.await_equal()
        for topic, flags in topics.items():
            told = self.relay(topic, *flags)
            self.assertNotIn(later["email"], told)
            self.assertEqual(ororo["email"] in told, bool(flags))
            self.assertEqual(told.count('"person.erased"'), 2)
            sequences = [int(line.split(" ", 3)[1]) for line in told.splitlines()]
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        self.assert_all_have([ororo], [first, later], 2)


if __name__ == "__main__":
    unittest.main()
