"""Bits flipped anywhere in the log's file: no tool and no server ever dies by a signal. What
cannot be read is told in a line, with what to do."""

import http.client
import os
import random
import signal
import subprocess

from harness import PATIENCE, Server
from tools import DIFFERENT, DONE, FAILED, ToolCase

SEED = int(os.environ.get("DAYBOOK_FLIP_SEED", "7"))
FLIPS = int(os.environ.get("DAYBOOK_FLIPS", "40"))
PAGE = 4096


def places(data, count):
    """Half of them in the heads of pages and of entries, where they lead LMDB astray."""
    chance = random.Random(SEED)
    for i in range(count):
        at = chance.randrange(len(data))
        if i % 2:
            at -= at % PAGE
            at += chance.choice((chance.randrange(10, 16), chance.randrange(16, 80),
                                 PAGE - 1 - chance.randrange(200)))
        yield at, chance.randrange(8)


def flip(data, at, bit):
    flipped = bytearray(data)
    flipped[at] ^= 1 << bit
    return flipped


class Damage(ToolCase):
    def setUp(self):
        super().setUp()
        self.generate("a", 300, 3)
        self.data = self.read("a/log/data.mdb")
        self.told = 0

    def damage(self, name, at, bit):
        self.write(f"{name}/log/data.mdb", flip(self.data, at, bit))

    def check(self, status, said, where, writes=False):
        self.assertIn(status, (DONE, DIFFERENT, FAILED), (where, said))
        if writes and b"Sanitizer" in said:  # LMDB may copy too much of a damaged page
            self.assertRegex(said, rb"#1 .*liblmdb", where)
        else:
            self.assertNotIn(b"Sanitizer", said, where)
        if status != DONE:
            self.assertNotEqual(said, b"", where)
        if b"run daybook verify\n" in said:
            self.assertIn(b"log/data.mdb: ", said, where)
            self.assertEqual(status, DIFFERENT, where)
            self.told += 1

    def test_no_tool_dies_of_it(self):
        persons = b"".join(
            b'{"id":"018cc251-f537-7996-a2df-%012x","email":"new%d@x.test","first_name":"a",'
            b'"last_name":"b","datetime_created":"2024-01-01T00:00:00"}\n' % (i, i)
            for i in range(40))
        self.write("persons.ndjson", persons)
        # The first two are known to end a reader: a wrong child, and a list where none is.
        for at, bit in [(45016, 0), (24605, 0), *places(self.data, FLIPS)]:
            for arguments in (("export",), ("log", "tail"), ("status",),
                              ("import", "persons.ndjson")):
                self.damage("a", at, bit)
                with self.start(*arguments, "--data-dir", "a", stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE) as running:
                    _, said = self.wait_end(running)
                self.check(running.returncode, said, (arguments, at, bit),
                           arguments[0] == "import")
        self.assertGreaterEqual(self.told, 2)

    def test_verify_does_not_count_what_it_cannot_read(self):
        for at in (45016, 24605):
            self.damage("a", at, 0)
            done = self.run_tool("verify", "--data-dir", "a", status=DIFFERENT)
            self.assertRegex(done.stdout, rb"log +\d+ findings?; it cannot be read to its end")
            self.assertNotIn(b" of 0", done.stdout)

    def test_no_server_and_no_rebuild_dies_of_it(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        server.stop()
        log = os.path.join(server.data_dir, "log", "data.mdb")
        for at, bit in [(45016, 0), (24605, 0), *places(self.data, FLIPS // 4)]:
            with open(log, "wb") as file:
                file.write(flip(self.data, at, bit))
            done = server.run("rebuild", check=False)
            self.check(done.returncode, done.stderr.encode(), ("rebuild", at, bit))
            self.check(*self.serve(server), ("serve", at, bit), True)
        self.assertGreaterEqual(self.told, 2)

    def serve(self, server):
        """Start it, ask it for everything, write, and stop it: its status and last words."""
        with open(server.log.name, "rb") as log:
            log.seek(0, os.SEEK_END)
            server.spawn()
            try:
                server.wait_ready()
                client = server.client()
                client.get("/log?limit=1000")
                client.post("/persons", {"email": "new@x.test", "first_name": "A",
                                         "last_name": "B"})
            except (AssertionError, OSError, http.client.HTTPException):
                pass  # it may end at any moment
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGTERM)
            status = server.process.wait(PATIENCE)
            server.process = None
            return status, log.read()
