"""Streams that end, and go on: each record once and in order."""

import json
import os
import threading
import time
import unittest

from feed import Stream, until, until_waiting
from harness import Server
from served import person

LARGE = "x" * 60000


def write(client, count, **properties):
    """Events of nobody in particular, in batches."""
    while count > 0:
        items = [{"event_type": "click", "anonymous_id": "a", "properties": properties}
                 for _ in range(min(count, 100))]
        answer = client.post("/events/batch", items)
        assert answer.status in (200, 201, 207), answer.body
        count -= len(items)


class Follower(threading.Thread):
    """Follows from the first record, and connects again whenever it ends."""

    def __init__(self, server, query="?after=0"):
        super().__init__(daemon=True)
        self.server, self.query = server, query
        self.last, self.seen, self.ends, self.stopping = 0, [], [], False
        self.connections = 0

    def run(self):
        while not self.stopping:
            try:
                self._follow()
            except OSError:
                pass
            time.sleep(0.02)

    def _follow(self):
        stream = Stream(self.server, self.query,
                        {"Last-Event-ID": self.last} if self.connections else {})
        try:
            if stream.open().status != 200:
                return
            self.connections += 1
            while not self.stopping and (block := stream.block()):
                if block.event == "end":
                    self.ends.append(block.json["reason"])
                elif block.data is not None:
                    self.seen.append(int(block.id))
                    assert block.json["sequence"] == int(block.id)
                if block.id is not None:
                    self.last = int(block.id)
        except AttributeError:
            return  # the head was cut off
        finally:
            stream.close()


class Alone(unittest.TestCase):
    """A server for each test."""
    # A sanitizer keeps what was freed, and that is not what is measured.
    settings = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
                ":quarantine_size_mb=1"}

    def setUp(self):
        self.server = Server(env=self.settings)
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def stream(self, query="", headers=(), **kwargs):
        stream = Stream(self.server, query, headers, **kwargs)
        self.addCleanup(stream.close)
        return stream.open()

    def head(self):
        return self.server.client().get("/health").data["head"]


class Resume(Alone):
    def test_each_record_comes_once_across_restarts(self):
        followers = [Follower(self.server) for _ in range(5)]
        filtered = Follower(self.server, "?after=0&type=person.created")
        for each in (*followers, filtered):
            each.start()
        for restart in range(3):
            write(self.server.client(), 300)
            self.assertEqual(
                self.server.client().post("/persons", person()).status, 201)
            if restart == 1:
                self.server.kill()
            else:
                self.server.stop()
            self.server.start()
        head = self.head()
        for each in followers:
            until(lambda: each.last >= head, "following to the head")
            each.stopping = True
            self.assertEqual(each.seen, list(range(1, head + 1)))
            self.assertLessEqual(set(each.ends), {"stopping"})
        self.assertTrue(any(each.ends for each in followers))
        until(lambda: len(filtered.seen) == 3, "three persons")
        filtered.stopping = True
        self.assertEqual(filtered.seen, sorted(set(filtered.seen)))

    def overtaken(self, quick):
        """What one that reads nothing before the quick one has all is told in the end, and how
        far it is by then."""
        slow = self.stream("?after=0", receive=4096)
        write(self.client, 300, text=LARGE)  # 18 MB, and the ring has 8 MiB
        head = self.head()
        until(lambda: quick.last >= head, "the quick one to have all")
        self.assertEqual(quick.seen, list(range(1, head + 1)))
        last, end = 0, None
        while block := slow.block():
            if block.event == "end":
                end = block.json
            elif block.data is not None:
                self.assertEqual(int(block.id), last + 1)
                last = int(block.id)
        self.assertLess(last, head)
        return last, end

    def test_who_reads_nothing_is_dropped_and_resumes(self):
        quick = Follower(self.server)
        quick.start()
        for _ in range(4):
            last, end = self.overtaken(quick)
            if end:
                break
        if end:  # else it was cut off: a busy machine was later than it waits to be read
            self.assertEqual(end["reason"], "slow")
            self.assertIn("Last-Event-ID", end["details"])
        head = self.head()
        again = self.stream("?after=0", {"Last-Event-ID": last})
        self.assertEqual([int(each.id) for each in again.events(head - last)],
                         list(range(last + 1, head + 1)))
        quick.stopping = True
        until(lambda: "error=slow" in self.server.told(), "its line")

    def test_a_lonely_one_that_reads_nothing_is_dropped_too(self):
        write(self.client, 100, text=LARGE)
        slow = self.stream("?after=0", receive=4096)
        until(lambda: "error=slow" in self.server.told(), "dropping it")
        slow.close()

    def test_many_that_do_not_read_take_no_memory(self):
        write(self.client, 1)
        before = self.memory()
        streams = [self.stream("?after=0", receive=4096) for _ in range(50)]
        quick = Follower(self.server)
        quick.start()
        write(self.client, 500, text=LARGE)  # 30 MB, to 50: 1.5 GB
        head = self.head()
        until(lambda: quick.last >= head, "the quick one to have all")
        quick.stopping = True
        grown = self.memory() - before
        self.assertLess(grown, 150 << 20, f"{grown >> 20} MiB more")
        for each in streams:
            each.close()

    def memory(self):
        with open(f"/proc/{self.server.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) << 10
        raise AssertionError("no VmRSS")

    def test_stopping_says_so_and_waits_for_nobody(self):
        write(self.client, 100, text=LARGE)
        reads, stuck = self.stream("?after=head"), self.stream("?after=0", receive=4096)
        polling = Stream(self.server, path=f"/log?wait=60&after={self.head()}")
        reads.block()
        until_waiting(self.client, 3)
        self.server.stop()  # while neither has been closed, and one reads nothing
        end = reads.event()
        self.assertEqual((end.event, end.json["reason"]), ("end", "stopping"))
        self.assertIsNone(reads.block())
        polling.open()
        self.assertEqual((polling.status, json.loads(polling.body())["data"]), (200, []))
        for each in (stuck, polling):
            each.close()
        self.server.start()


class Crowds(Alone):
    settings = {**Alone.settings, "STREAMS_MAX": "4", "ADDRESS_CONNECTIONS_MAX": "1"}

    def test_those_that_must_leave_and_do_not_are_bounded_too(self):
        """Each address has the others' places; who reads nothing takes its time to go."""
        write(self.client, 40, text=LARGE)
        statuses = []
        for last in range(2, 60):
            for _ in range(4):
                stream = self.stream("?after=0", source=f"127.0.0.{last}", receive=4096)
                statuses.append(stream.status)
            if 503 in statuses:
                break
            time.sleep(0.3)  # until their sockets are full, which may take longer
        self.assertEqual(statuses[:4], [200] * 4)
        self.assertIn(503, statuses)
        self.assertEqual(self.client.get("/health").status, 200)
        until(lambda: self.stream("?after=head").status == 200, "a place")


class FewThreads(Alone):
    settings = {"HTTP_THREADS": "3", "ADDRESS_CONNECTIONS_MAX": "0"}

    def test_256_streams_keep_nobody_from_asking(self):
        """Each of them would have had a thread."""
        streams = [self.stream("?after=head") for _ in range(256)]
        self.assertEqual({each.status for each in streams}, {200})
        for _ in range(20):
            self.assertEqual(self.server.client().post("/persons", person()).status, 201)
            self.assertEqual(self.server.client().get("/health").status, 200)
        head = self.head()
        refused = self.server.client().get("/log/stream")
        self.assertEqual(refused.status, 503)
        time.sleep(2)  # who is at the door has been looked at meanwhile
        for each in streams:
            found = each.events(40)
            self.assertEqual(int(found[-1].id), head)
            self.assertEqual([int(one.id) for one in found],
                             list(range(head - 39, head + 1)))
            each.close()


if __name__ == "__main__":
    unittest.main()
