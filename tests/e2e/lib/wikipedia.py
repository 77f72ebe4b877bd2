"""The day of Wikipedia edits (DAYBOOK_DATA, else the sample in tests/data), and clients
that send it."""

import gzip
import json
import os
import threading

from harness import PATIENCE

SAMPLE = os.path.join(os.path.dirname(__file__), "..", "..", "data", "wikipedia-edits")
DATA = os.environ.get("DAYBOOK_DATA") or SAMPLE
BATCH = 20  # events a request


def rows(name):
    with gzip.open(os.path.join(DATA, name), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Day:
    """Sends the day's events to a server from several clients, and remembers the sequence
    that each was acknowledged with. They run ahead of `allow` by their last batches only."""

    def __init__(self, server, clients=4):
        self.server = server
        self.lock = threading.Condition()  # guards what follows
        self.acknowledged = {}             # event id -> sequence
        self.allowed = 0                   # events
        self.wrong = []
        self.events = rows("events.ndjson.gz")
        self.left = [self.events[at:at + BATCH] for at in range(0, len(self.events), BATCH)]
        self.left.reverse()
        self.clients = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(clients)]

    def start(self):
        self.server.run("import", os.path.join(DATA, "persons.ndjson.gz"))
        for client in self.clients:
            client.start()
        return self

    def run(self):
        try:
            client = self.server.client()
            while batch := self.take():
                answer = client.post("/events/batch", batch)
                assert answer.status == 200, answer.details
                assert {item["status"] for item in answer.data} <= {200, 201}, answer.body
                with self.lock:
                    for event, item in zip(batch, answer.data, strict=True):
                        self.acknowledged[event["id"]] = item["sequence"]
                    self.lock.notify_all()
        except Exception as error:  # told by the main thread
            with self.lock:
                self.wrong.append(f"{type(error).__name__}: {error}")
                self.lock.notify_all()

    def take(self):
        with self.lock:
            while self.left and len(self.acknowledged) >= self.allowed:
                self.lock.wait()
            return self.left.pop() if self.left else None

    def wait_for(self, count, ahead):
        """Until so many are acknowledged, or all; they may go on meanwhile by `ahead`."""
        with self.lock:
            count = min(count, len(self.events))
            self.allowed = count + ahead
            self.lock.notify_all()
            there = self.lock.wait_for(
                lambda: len(self.acknowledged) >= count or self.wrong, PATIENCE)
            assert there and not self.wrong, self.wrong[:1]

    def promises(self):
        with self.lock:
            return dict(self.acknowledged)

    def stop(self):
        with self.lock:
            self.allowed = len(self.events)
            self.lock.notify_all()
        for client in self.clients:
            client.join(PATIENCE)
            assert not client.is_alive(), "a client got no answer and no end"
