"""What systemd is told while the server starts and ends."""

import socket
import unittest

from harness import PATIENCE, Server


class Notified(unittest.TestCase):
    def start(self, name):
        """A server that is to tell a socket of this name."""
        self.server = Server(private=True, env={"DB_HOST": "/nowhere"})
        self.addCleanup(self.server.close)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.settimeout(PATIENCE)
        name = name.format(self.server.data_dir)
        manager.bind(name.replace("@", "\0"))
        self.server.env["NOTIFY_SOCKET"] = name
        self.server.spawn()
        return manager

    def assert_told(self, manager):
        self.assertEqual(manager.recv(100), b"READY=1")
        self.assertEqual(self.server.client().get("/log").status, 200)
        self.server.stop()
        self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_ready_when_it_answers_and_stopping_when_it_ends(self):
        self.assert_told(self.start("{}/manager"))

    def test_a_name_that_is_no_file(self):
        self.assert_told(self.start("@{}"))

    def test_nobody_who_listens_is_no_reason_not_to_serve(self):
        for name in ("/nowhere/manager", "@daybook" + 200 * "x", ""):
            server = Server(private=True, env={"DB_HOST": "/nowhere", "NOTIFY_SOCKET": name})
            self.addCleanup(server.close)
            server.start()
            self.assertEqual(server.client().get("/log").status, 200)
            server.stop()


if __name__ == "__main__":
    unittest.main()
