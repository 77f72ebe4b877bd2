"""A server's checkpoints, tiles and proofs, as tools see them that are not ours."""

import base64
import hashlib
import os
import re
import sqlite3
import subprocess
import threading
import time
import unittest

from harness import NOWHERE, PATIENCE, Server, free_port
from witness import EMPTY, Note, Witness, b64

TOOLS = os.environ["DAYBOOK_AUDIT_TOOLS"]
WRITERS = 32
SIZES = (0, 1, 255, 256, 257, 511, 513, 65_536, 65_537)
MSGPACK = "application/msgpack"
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "docs",
                    "audit.md")


def tool(name):
    return os.path.join(TOOLS, name)


class Case(unittest.TestCase):
    env = {}

    def setUp(self):
        self.server = Server(env={"DB_HOST": NOWHERE, "AUDIT_ORIGIN": "daybook.test/log",
                                  "AUDIT_INTERVAL": "1", **self.env})
        self.addCleanup(self.server.close)
        self.dir = self.server.data_dir
        self.kept = []  # files of checkpoints

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def start(self):
        self.server.start()
        self.server.wait_for(lambda: os.path.exists(self.path("audit", "last")), "a name")
        with open(self.path("audit", "keys.pub")) as file:
            self.vkey = file.read().split()[-1]
        with open(self.path("vkey"), "w") as file:
            file.write(self.vkey + "\n")
        return self.server.client()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.port}"

    def run_tool(self, name, *arguments, status=0, **kwargs):
        done = subprocess.run([tool(name), *arguments], capture_output=True, text=True,
                              timeout=600, check=False, **kwargs)
        if status is not None:
            self.assertEqual(done.returncode, status, (name, arguments, done.stdout, done.stderr))
        return done

    def grow(self, client, size, head):
        while head < size:
            count = min(size - head, 5000)
            answer = client.post("/events/batch", [
                {"event_type": "click", "anonymous_id": f"a{head + n}"} for n in range(count)])
            self.assertEqual(answer.status, 200, answer.body)
            head += count

    def keep(self, client, size=0):
        """The checkpoint of at least so many records, as a file."""
        def is_there():
            self.note = client.get("/checkpoint").body.decode()
            return self.note.startswith("daybook.test/log\n") and Note(self.note).size >= size
        self.server.wait_for(is_there, "a checkpoint")
        file = self.path(f"checkpoint.{Note(self.note).size}")
        with open(file, "w", encoding="utf-8") as out:
            out.write(self.note)
        if file not in self.kept:
            self.kept.append(file)
        return Note(self.note)

    def check(self, client=None):
        """By both that go through all of it, where both are there. client: it grows."""
        old = [word for file in self.kept for word in ("-old", file)]
        where = ("-url", self.url, "-vkey", self.path("vkey"))
        self.run_tool("tlog", "check", *where, *old)
        if not os.path.exists(tool("tlogcheck")):
            return
        done = self.run_tool("tlogcheck", "check", *where, "-n", "5", *old,
                             status=None if client else 0)
        if done.returncode != 0:
            self.check_grown_past(done, client)

    def check_grown_past(self, done, client):
        """All was right but what it asks at last: that the tile behind its checkpoint is not
        there. It is by now, for the newest checkpoint covers it."""
        size = int(re.search(r"^ok +checkpoint of .*, size (\d+),", done.stdout)[1])
        beyond = (size + 255) // 256
        self.assertRegex(done.stdout, rf"consistent with {re.escape(self.kept[-1])}, ")
        self.assertRegex(done.stderr, rf"\nFAIL /tile/(0|entries)/{beyond:03}: status 200\n$")
        self.assertGreaterEqual(self.keep(client, size).size, (beyond + 1) * 256)

    def check_records(self):
        """The entries, held against the records of an export."""
        if os.path.exists(tool("tlogcheck")):
            export = self.path("log.msgpack")
            self.server.run("export", export)
            self.run_tool("tlogcheck", "check", "-url", self.url, "-vkey", self.path("vkey"),
                          "-records", export, "-leaf", "digest")

    def fsck(self):
        """It ends with 0 whatever it finds, and may not end where a tile differs."""
        done = self.run_tool("fsck", "-ui=false", "-logtostderr", f"-storage_url={self.url}/",
                             f"-public_key={self.path('vkey')}")
        self.assertIn("Successfully fsck'd", done.stderr + done.stdout)


class Tiles(Case):
    def test_every_tool_agrees_at_sizes_beside_the_borders(self):
        client, head = self.start(), 0
        for size in SIZES:
            with self.subTest(size=size):
                self.grow(client, size, head)
                head = size
                self.assertEqual(self.keep(client, size).size, size)
                self.check()
                self.fsck()
        self.check_records()

    def test_every_tool_agrees_while_32_write(self):
        client = self.start()
        size = 0
        over, wrote, wrong = threading.Event(), [0] * WRITERS, []

        def write(number):
            own = self.server.client()
            while not over.is_set():
                answer = own.post("/events",
                                  {"event_type": "click", "anonymous_id": f"w{number}"})
                if answer.status != 201:
                    wrong.append(answer.body)
                wrote[number] += 1
                time.sleep(0.005)
        threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(4):
                before = sum(wrote)
                size = self.keep(client, size + 1).size
                self.check(client)
                self.assertGreater(sum(wrote), before)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        self.assertGreater(min(wrote), 0)
        head = client.post("/events", {"event_type": "click", "anonymous_id": "w"}).sequence
        self.assertEqual(head, sum(wrote) + 1)
        self.keep(client, head)
        self.check()
        self.fsck()
        self.check_records()


class Cosigned(Case):
    def setUp(self):
        super().setUp()
        self.policy = self.path("policy")
        with open(self.policy, "w") as file:
            file.write("quorum none\n")
        self.server.env["AUDIT_POLICY"] = self.policy

    def cosign(self, status=0):
        done = self.server.run("audit", "cosign", "--audit-policy", self.policy, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def litewitness(self):
        """A real one, that knows the log; its line of a policy."""
        port, socket = free_port(), self.path("agent")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path("key")],
                       check=True)
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        env = {**os.environ, "SSH_AUTH_SOCK": socket}
        self.server.wait_for(lambda: os.path.exists(socket), "an agent")
        subprocess.run(["ssh-add", "-q", self.path("key")], env=env, check=True)
        print_ = subprocess.run(["ssh-keygen", "-lf", self.path("key.pub")], check=True,
                                capture_output=True, text=True).stdout.split()[1]
        arguments = [tool("litewitness"), "-name", "witness.test/lite", "-db", self.path("db"),
                     "-key", print_, "-ssh-agent", socket, "-listen", f"127.0.0.1:{port}"]
        told = open(self.path("litewitness.log"), "wb")
        self.addCleanup(told.close)
        process = subprocess.Popen(arguments, stdout=told, stderr=told)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.server.wait_for(lambda: b"istening" in self.read("litewitness.log") or
                             process.poll() is not None, "a witness")
        self.introduce()
        with open(self.path("key.pub")) as file:
            public = base64.b64decode(file.read().split()[1])[-32:]
        number = hashlib.sha256(b"witness.test/lite\n\x04" + public).digest()[:4].hex()
        return (f"witness lite witness.test/lite+{number}+{b64(bytes([4]) + public)} "
                f"http://127.0.0.1:{port}\n")

    def introduce(self):
        """Its own tool for that cannot be built here."""
        with sqlite3.connect(self.path("db"), timeout=30) as database:
            database.execute("insert into log (origin, tree_size, tree_hash) values (?, 0, ?)",
                             ("daybook.test/log", b64(EMPTY)))
            database.execute("insert into key (origin, key) values (?, ?)",
                             ("daybook.test/log", self.vkey))
        database.close()

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def test_a_real_witness_signs_and_a_policy_of_two_is_met_offline(self):
        client = self.start()
        self.grow(client, 300, 0)
        self.keep(client, 300)
        own = Witness("witness.test/own", [self.vkey])
        self.addCleanup(own.close)
        with open(self.policy, "w") as file:
            file.write(f"log {self.vkey}\n{self.litewitness()}{own.line}"
                       "group two all lite witness.test/own\nquorum two\n")
        self.server.stop()
        client = self.start()
        self.assertEqual(client.get("/checkpoint").status, 503)
        self.assertIn("2 of 2", self.cosign())
        for size in (301, 512, 700):
            self.grow(client, size, size - 1 if size == 301 else head)
            head = size
            self.server.wait_for(
                lambda: Note(self.read("audit/last").decode()).size == size, "a checkpoint")
            self.assertIn("2 of 2", self.cosign())
            self.assertEqual(self.keep(client, size).size, size)
        self.run_tool("policy", self.policy, self.kept[-1])
        record = client.get("/log/257", Accept=MSGPACK).body
        proof = client.get("/log/257/proof")
        self.assertEqual(proof.status, 200, proof.body)
        with open(self.path("257.proof"), "wb") as file:
            file.write(proof.body)
        self.server.stop()  # from here on nobody is asked
        entry = hashlib.sha256(record)
        self.run_tool("policy", self.policy, self.path("257.proof"), entry.hexdigest())
        self.run_tool("policy", self.policy, self.path("257.proof"),
                      hashlib.sha256(record + b" ").hexdigest(), status=1)
        self.as_documented(record, proof.body)

    def as_documented(self, record, proof):
        """The page for auditors has the lines, from the entry on; they are told to type them."""
        with open(PAGE) as file:
            lines = file.read().split("\n")
        first = next(i for i, line in enumerate(lines) if line.endswith("> 1234.entry"))
        lines = lines[first:lines.index("```", first)]
        self.assertTrue(lines[-1].startswith("spicy -verify "), lines)
        for name, content in (("1234.record", record), ("1234.tlog-proof", proof),
                              ("vkey.txt", self.vkey.encode() + b"\n")):
            with open(self.path(name), "wb") as file:
                file.write(content)
        done = subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=self.dir, check=False,
                              env={**os.environ, "PATH": TOOLS + ":" + os.environ["PATH"]},
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_witness_of_the_other_tools_with_each_fault(self):
        if not os.path.exists(tool("tlogcheck")):
            self.skipTest("no tlogcheck beside the project")
        client = self.start()
        self.grow(client, 10, 0)
        self.keep(client, 10)
        for fault, status in ((None, 0), ("slow", 3), ("badsig", 3), ("500", 3),
                              ("409loop", 3), ("garbage", 3)):
            with self.subTest(fault=fault):
                port = free_port()
                process = subprocess.Popen(
                    [tool("tlogcheck"), "witness", "-listen", f"127.0.0.1:{port}", "-logkey",
                     self.path("vkey"), *(("-fault", fault) if fault else ())],
                    stdout=subprocess.PIPE, text=True)
                try:
                    vkey = process.stdout.readline().strip()
                    with open(self.policy, "w") as file:
                        file.write(f"witness w {vkey} http://127.0.0.1:{port}\nquorum w\n")
                    self.listening(port)
                    began = time.monotonic()
                    self.cosign(status)
                    self.assertLess(time.monotonic() - began, PATIENCE)
                finally:
                    process.kill()
                    process.communicate()

    def listening(self, port):
        import socket

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        self.server.wait_for(answers, "a witness")


if __name__ == "__main__":
    unittest.main()
