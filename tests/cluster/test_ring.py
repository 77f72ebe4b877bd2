"""What may befall the ring of one of three servers: each time all have the same in the end, and who
was erased is so everywhere."""

import contextlib
import os
import shutil
import unittest

from sealed import SealedNodes, begin_brokers


def setUpModule():
    SealedNodes.brokers = begin_brokers()


class OneRing(SealedNodes):
    """Of one that is killed meanwhile."""

    def setUp(self):
        super().setUp()
        self.kate, self.ororo, self.logan = (self.person() for _ in range(3))
        self.nodes.await_equal()
        self.late = self.nodes["c"]

    def kill_late(self):
        self.late.kill()
        self.nodes.await_leader()

    def copy_ring(self, name):
        """A member's, as an operator does it."""
        os.makedirs(os.path.dirname(self.ring(self.late)), 0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.ring(self.late))
        self.nodes[name].run("keys", "backup", self.ring(self.late))

    def test_one_that_is_lost(self):
        self.kill_late()
        shutil.rmtree(os.path.dirname(self.ring(self.late)))
        self.erase(self.kate)
        self.assert_refused(self.late, "no ring of keys")
        self.copy_ring("a")
        self.erase(self.ororo)
        self.late.start()
        self.assert_all_have([self.logan, self.person()], [self.kate, self.ororo], 2)

    def test_an_older_one(self):
        before = self.late.data_dir + ".ring"
        shutil.copy(self.ring(self.late), before)
        self.addCleanup(os.remove, before)
        self.erase(self.kate)
        self.assert_all_have([self.ororo, self.logan], [self.kate], 1)
        self.kill_late()
        self.erase(self.ororo)
        shutil.copy(before, self.ring(self.late))
        self.late.start()
        self.assert_all_have([self.logan, self.person()], [self.kate, self.ororo], 2)

        self.rotate("b", "a", "b", "c")
        self.kill_late()
        shutil.copy(before, self.ring(self.late))
        self.assert_refused(self.late, "master key of")
        self.copy_ring("b")
        self.late.start()
        self.assert_all_have([self.logan, self.person()], [self.kate, self.ororo], 2)

    def test_of_a_backup_older_than_an_erasure(self):
        backup = self.late.data_dir + ".backup"
        self.nodes["b"].run("backup", backup)
        self.addCleanup(shutil.rmtree, backup)
        self.erase(self.kate)
        self.nodes.await_equal()
        self.kill_late()
        self.erase(self.ororo)
        self.begin_anew(self.late, backup)
        self.assert_all_have([self.logan, self.person()], [self.kate, self.ororo], 2)

    def test_rotated_again_and_again_while_it_is_away(self):
        self.kill_late()
        self.erase(self.kate)
        self.rotate("b", "a", "b")
        jean = self.person()
        self.rotate("d", "a", "b")
        self.erase(self.ororo)
        self.late.start()
        self.assert_all_have([self.logan, jean], [self.kate, self.ororo], 2)
        self.rotate("d", "c")
        self.erase(jean)
        self.assert_all_have([self.logan, self.person()], [self.kate, self.ororo, jean], 3)

    def test_keys_came_meanwhile_by_one_that_nobody_has_any_more(self):
        self.kill_late()
        self.rotate("b", "a", "b")
        self.many()
        self.person()  # with keys
        self.erase(self.kate)
        self.rotate("d", "a", "b")
        self.late.spawn()
        self.late.wait_for(lambda: "master key" in self.late.told().split("another", 1)[-1],
                           "it says what it lacks")
        self.late.kill()
        backup = self.late.data_dir + ".backup"
        self.nodes["a"].run("backup", backup)
        self.addCleanup(shutil.rmtree, backup)
        self.late.put_master("", "d")
        self.begin_anew(self.late, backup)
        self.assert_all_have([self.logan, self.person()], [self.kate], 1)


if __name__ == "__main__":
    unittest.main()
