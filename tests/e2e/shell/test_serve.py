"""daybook serve, as a shell sees it: one server a directory, its port, its lines."""

import json
import os
import re
import socket
import unittest

from harness import Server
from shell import daybook
from tools import DIFFERENT, FAILED


class Serve(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()

    def test_a_second_server_on_one_directory_is_refused(self):
        second = daybook("serve", "--data-dir", self.server.data_dir, "--port", "0",
                         env=self.server.env, cwd="/")
        self.assertEqual(second.returncode, FAILED)
        self.assertIn(f"process {self.server.process.pid}", second.stderr)
        self.assertEqual(self.server.client().get("/health").status, 200)

    def test_a_taken_port_is_told(self):
        other = Server()
        self.addCleanup(other.close)
        done = daybook("serve", "--data-dir", other.data_dir, "--port",
                       str(self.server.port), env=other.env, cwd="/")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(str(self.server.port), done.stderr)

    def test_a_taken_port_is_told_before_anything_is_made_and_last(self):
        other = Server(private=True)
        self.addCleanup(other.close)
        done = daybook("serve", "--data-dir", other.data_dir, "--port",
                       str(self.server.port), env=other.env, cwd="/")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(f"port {self.server.port} on 127.0.0.1 is taken",
                      done.stderr.splitlines()[-1])
        made = [name for name in os.listdir(other.data_dir) if "postgres" in name]
        self.assertEqual(made, [])
        self.assertFalse(os.path.exists(os.path.join(other.data_dir, "log")))

    def test_any_free_port_is_taken_and_told(self):
        other = Server(flags=["--port", "0"])
        self.addCleanup(other.close)
        other.spawn()
        other.wait_for(lambda: "ready: " in other.told(), "the server")
        port = int(re.search(r"ready: http://127\.0\.0\.1:(\d+)", other.told())[1])
        with socket.create_connection(("127.0.0.1", port)):
            pass

    def test_start_and_requests_are_a_line_each(self):
        client = self.server.client()
        client.request("GET", "/events?keyword=a%0Ab", headers={"X-Request-Id": "me-1"})
        self.server.wait_for(lambda: "me-1" in self.server.told(), "the line")
        lines = self.server.told().splitlines()
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \w+ ")
        for step in ("data directory locked", "log open", "projector started", "ready: "):
            self.assertEqual(len([one for one in lines if step in one]), 1, step)
        mine = [line for line in lines if "me-1" in line]
        self.assertEqual(len(mine), 1)
        for part in ("method=GET", "path=/events?keyword ", "status="):
            self.assertIn(part, mine[0])

    def test_lines_are_json_where_that_is_asked_for(self):
        self.server.stop()
        before = len(self.server.told())
        self.server.flags = ["--log-format", "json"]
        self.server.start()
        self.server.client().get("/persons/\"quoted\"")
        self.server.stop()
        for line in self.server.told()[before:].splitlines():
            entry = json.loads(line)
            self.assertLessEqual({"time", "level", "message"}, set(entry))

    def test_a_directory_of_something_else_is_refused(self):
        other = Server()
        self.addCleanup(other.close)
        os.mkdir(os.path.join(other.data_dir, "log"))
        for name in ("data.mdb", "lock.mdb"):
            with open(os.path.join(other.data_dir, "log", name), "w") as file:
                file.write("not a log\n" * 1000)
        done = daybook("serve", "--data-dir", other.data_dir, "--port", "0",
                       env=other.env, cwd="/")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("log", done.stderr)
        with open(os.path.join(other.data_dir, "log", "data.mdb")) as file:
            self.assertTrue(file.read().startswith("not a log"))

    def test_tables_of_another_log_are_left_alone(self):
        client = self.server.client()
        client.post("/persons", {"email": "a@b.test", "first_name": "A",
                                 "last_name": "B"})
        client.get("/persons")
        other = Server(env={"DB_SCHEMA": self.server.env["DB_SCHEMA"]}, flags=["--new"])
        self.addCleanup(other.close)
        other.start()
        theirs = other.client()
        other.wait_for(lambda: "another log" in other.told(), "the refusal")
        self.assertEqual(theirs.get("/persons").status, 503)
        status = other.run("status", check=False)
        self.assertEqual(status.returncode, DIFFERENT, status.stdout)
        self.assertIn("another log", status.stdout)
        self.assertEqual(len(client.get("/persons").data), 1)


if __name__ == "__main__":
    unittest.main()
