"""Processes that have the same number, as the first of each container, on one log."""

import os
import signal
import subprocess
import unittest

from harness import PATIENCE, PROGRAM, Server
from served import person

ALONE = ["unshare", "--pid", "--fork", "--mount-proc"]


def can_be_alone():
    try:
        return subprocess.run([*ALONE, "true"], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
    except OSError:
        return False


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(one) for one in file.read().split()]


@unittest.skipUnless(can_be_alone(), "needs root, to make pid namespaces: SKIPPED")
class Containers(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.server.program = [*ALONE, PROGRAM]
        self.addCleanup(self.end)

    def end(self):
        if self.server.process:
            self.first(self.server.process, signal.SIGKILL)
            self.server.process.wait(PATIENCE)
            self.server.process = None
        self.server.close()

    def first(self, process, number=None):
        """The one that is number 1 there; with a signal for it."""
        self.server.wait_for(lambda: children(process.pid), "the first process")
        pid = children(process.pid)[0]
        if number:
            os.kill(pid, number)
        return pid

    def stop(self):
        self.first(self.server.process, signal.SIGTERM)
        self.assertEqual(self.server.process.wait(PATIENCE), 0, self.server.tail())
        self.server.process = None

    def beside(self, *arguments, **kwargs):
        """In a namespace of its own."""
        return subprocess.Popen(
            [*ALONE, PROGRAM, arguments[0], "--data-dir", self.server.data_dir,
             *arguments[1:]], env=self.server.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)

    def done(self, process):
        try:
            said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 0, said)
        return said[0]

    def add(self):
        client = self.server.client()
        self.assertEqual(client.post("/persons", person()).status, 201)
        client.close()

    def test_tools_read_beside_a_server(self):
        self.server.start()
        self.add()
        follower = self.beside("export", "--follow")
        self.server.wait_for(lambda: follower.stdout.readline(), "the first record")
        for arguments in (["status"], ["export"], ["log", "tail"], ["verify"],
                          ["backup", os.path.join(self.server.data_dir, "b")]):
            with self.subTest(arguments):
                self.done(self.beside(*arguments))
        self.add()
        self.stop()
        self.server.start()  # with the follower there
        self.add()
        for _ in range(5):  # the rest of three persons' two
            self.assertIn('"format"', follower.stdout.readline())
        self.first(follower, signal.SIGINT)
        self.done(follower)
        self.stop()

    def test_a_server_starts_beside_a_reader(self):
        self.server.start()
        self.add()
        self.stop()
        follower = self.beside("export", "--follow")
        self.server.wait_for(lambda: follower.stdout.readline(), "the first record")
        # It is the reader that is number 1 now, and the server that finds another.
        self.server.start()
        self.add()
        self.assertEqual(len(children(self.first(self.server.process))), 1)
        self.stop()
        self.first(follower, signal.SIGTERM)
        self.done(follower)

    def test_one_that_is_killed_is_told(self):
        self.server.start()
        self.add()
        self.stop()
        follower = self.beside("export", "--follow")
        self.server.wait_for(lambda: follower.stdout.readline(), "the first record")
        self.server.start()
        os.kill(children(self.first(self.server.process))[0], signal.SIGKILL)
        self.assertEqual(self.server.process.wait(PATIENCE), 128 + signal.SIGKILL)
        self.server.process = None
        self.server.start()
        self.add()
        self.stop()
        self.first(follower, signal.SIGTERM)
        self.done(follower)


if __name__ == "__main__":
    unittest.main()
