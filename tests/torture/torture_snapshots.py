"""Snapshots of the log put back at random among kills, with writes in between, also by a copy
that serves the same database: what is answered is what the log of whoever answers says, or the
answer is 503 with the reason, and a rebuild mends it.

DAYBOOK_ROUNDS is how many starts, DAYBOOK_SEED which."""

import os
import random
import shutil
import unittest

from fold import check_reads
from harness import Server
from tables import drop_schemas

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", "30"))
SEED = int(os.environ["DAYBOOK_SEED"])
KEPT = 4
PARTS = ("log", "keys")
REASONS = ("another history", "held by another server")


class Snapshots(unittest.TestCase):
    def setUp(self):
        self.chance = random.Random(SEED)
        self.number = 0
        first = Server()
        self.servers = [first, Server(env={name: value for name, value in first.env.items()
                                           if name.startswith("DB_")})]
        for server in self.servers:
            self.addCleanup(server.close)
            self.addCleanup(drop_schemas, server)
        self.snapshots = []
        self.seen = {"answered": 0, "refused": 0, "rebuilt": 0, "put back": 0}

    def answers(self, server):
        if server.process.poll() is not None:
            raise AssertionError(f"serve ended: {server.tail()}")
        try:
            return server.client(timeout=5).get("/health").status in (200, 503)
        except OSError:
            return False

    def start(self, server):
        server.spawn()
        server.wait_for(lambda: self.answers(server), "an answer")

    def end(self, server):
        if self.chance.random() < 0.5:
            server.kill()
        else:
            server.stop()

    def write(self, server):
        client = server.client()
        for _ in range(self.chance.randrange(8)):
            self.number += 1
            made = client.post("/persons", {"email": f"p{self.number}@b.test",
                                            "first_name": "A", "last_name": "B"})
            self.assertEqual(made.status, 201, made.body)
        client.close()

    def log(self, server):
        return os.path.join(server.data_dir, "log")

    def save(self, server):
        self.number += 1
        path = os.path.join(self.servers[0].data_dir, f"snapshot{self.number}")
        for name in PARTS:
            shutil.copytree(os.path.join(server.data_dir, name), os.path.join(path, name))
        self.snapshots = [path, *self.snapshots][:KEPT]

    def put_back(self, server):
        snapshot = self.chance.choice(self.snapshots)
        for name in PARTS:
            shutil.rmtree(os.path.join(server.data_dir, name), ignore_errors=True)
            shutil.copytree(os.path.join(snapshot, name), os.path.join(server.data_dir, name))
        self.seen["put back"] += 1

    def read(self, server):
        """Whether it answered; then with what its own log says."""
        answer = server.client().get("/persons?limit=10000")
        if answer.status == 200:
            emails = {record["data"]["email"] for record in server.log_records()
                      if record["type"] == "person.created"}
            self.assertEqual({one["email"] for one in answer.data}, emails)
            self.seen["answered"] += 1
            return True
        self.assertEqual(answer.status, 503, answer.body)
        return False

    def look(self, server):
        """Until it answers, or has said why it does not."""
        server.wait_for(lambda: self.read(server) or any(
            reason in server.client().get("/health").body.decode() for reason in REASONS),
                        "an answer or a reason")
        return self.read(server)

    def mend(self, server):
        done = server.run("rebuild", check=False)
        if done.returncode == 0:
            server.wait_for(lambda: self.read(server), "the return of reads")
            self.seen["rebuilt"] += 1
        else:
            self.assertIn("another server posts", done.stderr)

    def round(self, running):
        server = self.chance.choice(self.servers)
        if server in running:
            self.end(server)
            running.discard(server)
            if self.chance.random() < 0.4:
                self.save(server)
        if self.snapshots and (self.chance.random() < 0.5
                               or not os.path.exists(self.log(server))):
            self.put_back(server)
        self.start(server)
        running.add(server)
        for _ in range(self.chance.randrange(3)):
            self.write(server)
            self.look(server)
        if not self.look(server):
            self.seen["refused"] += 1
            self.write(server)
            self.look(server)
            if self.chance.random() < 0.5:
                self.mend(server)

    def test_at_random_among_kills(self):
        running = set()
        self.start(self.servers[0])
        self.write(self.servers[0])
        self.look(self.servers[0])
        self.servers[0].stop()
        self.save(self.servers[0])
        for _ in range(ROUNDS):
            self.round(running)
        for server in list(running):
            server.stop()
        for server in self.servers:
            if os.path.exists(self.log(server)):
                self.start(server)
                if not self.look(server):
                    self.mend(server)
                self.assertTrue(self.look(server), server.tail())
                check_reads(server, server.log_records())
                server.run("verify", "--projection")
                server.stop()
        print(self.seen)


if __name__ == "__main__":
    unittest.main()
