"""The program with standard streams closed: what it prints must not land in its files."""

import itertools
import os
import pty
import subprocess

from harness import PATIENCE, PROGRAM, Server
from tools import DONE, FAILED, ToolCase, bare, environment

CLOSED = {"0": "<&-", "1": ">&-", "2": "2>&-"}


class Closed(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("a", 60)
        self.before = self.files()

    def files(self):
        return {name: self.read(os.path.join("a", "log", name))
                for name in sorted(os.listdir(self.path("a", "log"))) if name != "lock.mdb"}

    def run_without(self, closed, *arguments):
        """With these streams closed; the others are pipes."""
        redirects = " ".join(CLOSED[fd] for fd in closed)
        return subprocess.run(
            ["sh", "-c", f'exec "$0" "$@" {redirects}', PROGRAM, *arguments],
            env=environment(), cwd=self.dir, capture_output=True, input=b"",
            timeout=PATIENCE, check=False)

    def test_no_file_is_printed_into_and_what_was_not_printed_is_told(self):
        whole = self.export("a")
        for count in (1, 2, 3):
            for closed in itertools.combinations("012", count):
                for arguments in (("export",), ("log", "tail"), ("verify",)):
                    with self.subTest(closed=closed, command=arguments):
                        done = self.run_without(closed, *arguments, "--data-dir", "a")
                        self.assertEqual(self.files(), self.before)
                        self.assertEqual(done.returncode, FAILED if "1" in closed else DONE,
                                         done.stderr)
                        if "1" not in closed and arguments == ("export",):
                            self.assertEqual(bare(done.stdout), whole)
                        if "1" in closed and "2" not in closed:
                            self.assertIn(b"Bad file descriptor", done.stderr)
        self.run_tool("verify", "--data-dir", "a")

    def test_an_import_from_a_closed_stream_is_told(self):
        done = self.run_without("0", "import", "-", "--data-dir", "b")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(b"Bad file descriptor", done.stderr)


class Quiet(ToolCase):
    def on_a_terminal(self, *arguments):
        """What a terminal at stderr gets to see."""
        terminal, stderr = pty.openpty()
        process = self.start(*arguments, stdout=subprocess.DEVNULL, stderr=stderr)
        os.close(stderr)
        seen = b""
        try:
            while data := os.read(terminal, 65536):
                seen += data
        except OSError:  # its other end is closed
            pass
        os.close(terminal)
        self.assertEqual(process.wait(PATIENCE), DONE, seen)
        return seen

    def test_progress_is_shown_on_a_terminal_unless_asked_not_to(self):
        self.generate("a", 3000)
        for arguments in (("verify",), ("export", "whole"), ("backup", "copy"),
                          ("restore", "copy")):
            data_dir = "b" if arguments[0] == "restore" else "a"
            quiet = tuple(f"{word}2" if word in ("whole", "copy") and
                          arguments[0] != "restore" else word for word in arguments)
            with self.subTest(command=arguments):
                self.assertIn(b"%", self.on_a_terminal(*arguments, "--data-dir", data_dir))
                # That a log was made is a warning, and stays.
                self.assertNotIn(b"%", self.on_a_terminal(
                    *quiet, "--quiet", "--data-dir",
                    data_dir + "2" if data_dir == "b" else data_dir))


class Serving(ToolCase):
    def test_a_server_that_nobody_hears_serves(self):
        server = Server(private=True)
        self.addCleanup(server.close)
        server.program = ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', PROGRAM]
        server.start()
        made = server.client().post("/persons", {"email": "a@b.test", "first_name": "A",
                                                 "last_name": "B"})
        self.assertEqual(made.status, 201)
        self.assertEqual(server.client().get("/persons").status, 200)
        server.stop()
        self.run_tool("verify", "--data-dir", server.data_dir)
