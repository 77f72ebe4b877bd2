"""A server that signs its log, killed at random while it signs and the log grows: whatever
checkpoint it ever showed, the log at the end extends it. The roots are computed here."""

import os
import random
import threading
import time
import unittest
from http.client import HTTPException

import proofs
from harness import NOWHERE, Server

SEED = int(os.environ.get("DAYBOOK_SEED", 1))
ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 200))
MSGPACK = "application/msgpack"


class Roots:
    """Of each size of a tree that grows: one hash for each bit of the size."""

    def __init__(self):
        self.peaks, self.size, self.all = [], 0, {0: proofs.root([])}

    def add(self, entry):
        value, size = proofs.leaf(entry), self.size
        while size & 1:
            value, size = proofs.node(self.peaks.pop(), value), size >> 1
        self.peaks.append(value)
        self.size += 1
        total = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            total = proofs.node(peak, total)
        self.all[self.size] = total


class Killed(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.random = random.Random(SEED)
        self.server = Server(env={"DB_HOST": NOWHERE, "AUDIT_INTERVAL": "1",
                                  "AUDIT_ORIGIN": "killed.test/log"})
        self.addCleanup(self.server.close)
        self.shown = {}  # note by size: one of a size, whatever happens between
        self.wrote = 0
        self.differ = []
        self.over = threading.Event()

    def write(self):
        client = self.server.client(timeout=5)
        while not self.over.is_set():
            try:
                answer = client.post("/events/batch", [
                    {"event_type": "click", "anonymous_id": f"a{self.random.random()}"}
                    for _ in range(self.random.choice((1, 3, 40, 300)))])
                if answer.status == 200:
                    self.wrote = max(self.wrote, answer.sequence)
            except (OSError, HTTPException):
                return

    def look(self):
        client = self.server.client(timeout=5)
        while not self.over.is_set():
            try:
                answer = client.get("/checkpoint")
            except (OSError, HTTPException):
                return
            if answer.status == 200:
                self.keep(answer.body)

    def keep(self, note):
        checkpoint = proofs.Checkpoint(note)
        if self.shown.setdefault(checkpoint.size, note) != note:
            self.differ.append((checkpoint.size, note))

    def killed_while_it_writes(self):
        self.over.clear()
        self.server.start()
        threads = [threading.Thread(target=work) for work in (self.write, self.write, self.look)]
        for thread in threads:
            thread.start()
        time.sleep(self.random.uniform(0.01, 0.3))
        self.server.kill()
        self.over.set()
        for thread in threads:
            thread.join()

    def killed_while_it_starts(self):
        """It goes through the log, and signs what the one before did not come to."""
        self.server.spawn()
        time.sleep(self.random.uniform(0.01, 0.5))
        self.server.kill()

    def entries(self, client, size):
        for n in range((size + 255) // 256):
            width = min(256, size - n * 256)
            answer = client.get(proofs.tile_path("entries", n, width))
            self.assertEqual(answer.status, 200, answer.body)
            for at in range(width):
                yield answer.body[at * 34 + 2:at * 34 + 34]

    def test_what_was_ever_shown_is_extended_at_the_end(self):
        for number in range(ROUNDS):
            if number % 4 == 3:
                self.killed_while_it_starts()
            else:
                self.killed_while_it_writes()
            if number % 20 == 19:
                print(f"{number + 1} kills, {len(self.shown)} checkpoints", flush=True)
        self.server.start()
        client = self.server.client()
        head = client.post("/events", {"event_type": "click", "anonymous_id": "last"}).sequence
        self.assertGreater(head, self.wrote)  # what was acknowledged is there

        def all_is_signed():
            answer = client.get("/checkpoint")
            if answer.status == 200:
                self.keep(answer.body)
            return head in self.shown
        self.server.wait_for(all_is_signed, "a checkpoint of all")
        roots = Roots()
        for sequence, entry in enumerate(self.entries(client, head), 1):
            if self.random.random() < 0.02:  # and the entry is the record's
                record = client.get(f"/log/{sequence}", Accept=MSGPACK).body
                self.assertEqual(entry, proofs.sha256(record))
            roots.add(entry)
        self.assertEqual(self.differ, [])
        self.assertGreater(len(self.shown), ROUNDS / 4)
        with open(os.path.join(self.server.data_dir, "audit", "keys.pub")) as file:
            key, = file.read().split()
        for size, note in self.shown.items():
            checkpoint = proofs.Checkpoint(note)
            self.assertEqual(checkpoint.root, roots.all[size], size)
            self.assertTrue(checkpoint.signed_by(key))


if __name__ == "__main__":
    unittest.main()
