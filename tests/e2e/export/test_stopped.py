"""Exports and imports that are stopped, or killed; and one that follows the log until then."""

import json
import os
import signal
import subprocess
import time
import unittest

from exports import SEED, uncompressed
from harness import PATIENCE, PROGRAM, UNSEALED, Server
from load import Load
from tools import DIFFERENT, FAILED, ToolCase, bare, environment, records_of


class Stopped(ToolCase):
    def test_a_closed_pipe_ends_it_without_a_word(self):
        self.generate("first", 20000)
        with self.start("export", "--data-dir", "first", stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE) as running:
            self.assertTrue(running.stdout.readline().startswith(b'{"format"'))
            running.stdout.close()
            running.stdout = None
            _, said = self.wait_end(running)
        self.assertEqual((running.returncode, said), (FAILED, b""))

    def test_ctrl_c_stops_it_even_where_nobody_reads(self):
        self.generate("first", 20000)
        with self.start("export", "--data-dir", "first", stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE) as running:
            running.stdout.readline()
            time.sleep(0.3)  # the pipe is full by then; if not, it is stopped all the same
            running.send_signal(signal.SIGINT)
            self.assertEqual(running.wait(PATIENCE), FAILED)
            said, read = running.stderr.read(), running.stdout.read()
        self.assertIn(b"has no trailer", said)
        self.assertNotIn(b'{"export"', read)

    def test_killed_it_leaves_no_file_and_can_be_run_again(self):
        self.generate("first", 20000)
        whole = self.export("first")
        for wait in (0.0, 0.05, 0.1, 0.2):
            with self.start("export", "--data-dir", "first", "out.gz",
                            stderr=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL) as running:
                time.sleep(wait)
                running.kill()
            if os.path.exists(self.path("out.gz")):
                self.assertEqual(uncompressed(self.read("out.gz")), whole)
                os.unlink(self.path("out.gz"))
        self.run_tool("export", "--data-dir", "first", "out.gz")
        self.assertEqual(uncompressed(self.read("out.gz")), whole)
        self.assertEqual(sorted(os.listdir(self.dir)), ["first", "out.gz"])

    def test_an_import_that_is_killed_leaves_nothing_of_use_and_can_be_run_again(self):
        self.generate("first", 20000)
        self.export("first", "whole")
        for wait in (0.0, 0.1, 0.3):
            with self.start("import", "whole", "--data-dir", "made",
                            stderr=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL) as running:
                time.sleep(wait)
                running.kill()
            if not os.path.exists(self.path("made", "log")):
                self.refused(FAILED, "no log", "export", "--data-dir", "made")
        if not os.path.exists(self.path("made", "log")):
            self.run_tool("import", "whole", "--data-dir", "made")
        self.assertEqual(self.export("made"), bare(self.read("whole")))
        self.assertFalse(os.path.exists(self.path("made", "log.tmp")))

    def test_an_import_that_waits_for_a_pipe_can_be_stopped(self):
        self.generate("first", 2000)
        whole = self.export("first")
        with self.start("import", "-", "--data-dir", "made", stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            running.stdin.write(whole[:len(whole) // 2])
            running.stdin.flush()
            time.sleep(0.2)
            running.send_signal(signal.SIGTERM)
            self.assertEqual(running.wait(PATIENCE), FAILED)
            self.assertIn(b"nothing was imported", running.stderr.read())
            running.stdin.close()
            running.stdin = None
        self.assertFalse(os.path.exists(self.path("made")))


class Follow(ToolCase):
    def follow(self, server, *arguments, **kwargs):
        return subprocess.Popen(
            [PROGRAM, "export", "--follow", "--data-dir", server.data_dir, *arguments],
            env=environment(), cwd=self.dir, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, **kwargs)

    def test_what_is_appended_comes_until_ctrl_c_and_then_the_trailer(self):
        server = Server(env=UNSEALED).start()
        self.addCleanup(server.close)
        client = server.client()
        running = self.follow(server, stdout=subprocess.PIPE)
        lines = []
        with running:
            for number in range(5):
                client.post("/persons", {"email": f"p{number}@x.test", "first_name": "A",
                                         "last_name": "B"})
                lines += [running.stdout.readline(), running.stdout.readline()]
            load = Load(server, SEED, clients=4).start()
            load.wait_for_answers(200)
            load.stop()
            running.send_signal(signal.SIGINT)
            rest, _ = self.wait_end(running)
        self.assertEqual(running.returncode, 0)
        export = b"".join(lines) + rest
        records = server.log_records()
        found = records_of(export)
        self.assertEqual(found, records[:len(found)])
        self.assertGreaterEqual(len(found), 10)
        trailer = json.loads(export.splitlines()[-1])["export"]
        self.assertEqual((trailer["records"], trailer["whole"]), (len(found), True))
        self.run_tool("import", self.write("whole", export), "--data-dir", "made")

    def test_a_compressed_file_is_whole_at_the_end(self):
        server = Server(env=UNSEALED).start()
        self.addCleanup(server.close)
        client = server.client()
        running = self.follow(server, "--to", "6", "out.zst", stdout=subprocess.PIPE)
        with running:
            for number in range(4):
                client.post("/persons", {"email": f"p{number}@x.test", "first_name": "A",
                                         "last_name": "B"})
            self.wait_end(running)
        self.assertEqual(running.returncode, 0)
        self.refused(DIFFERENT, "no log can be made of a part", "import", "out.zst",
                     "--data-dir", "made")


if __name__ == "__main__":
    unittest.main()
