"""A full disk: writes are told so and nothing of them is kept, reads go on, and with room
again writes do too. What is full is a file system of the log's own, which takes root and the
right to mount, and for everybody the file itself: it may not grow."""

import os
import resource
import subprocess
import unittest

from fold import check_reads
from harness import Server


def mount(directory, *options):
    return subprocess.run(["mount", *options, directory], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


class Full:
    """What both kinds have in common; they say what bounds it, and make room."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.end)
        self.bound()
        self.start()
        self.client = self.server.client()
        self.server.wait_for(
            lambda: self.client.get("/health").data["projection"] == "following",
            "following the log")
        made = self.client.post("/persons", {"email": "a@b.test", "first_name": "A",
                                             "last_name": "B"})
        self.assertEqual(made.status, 201)
        self.person = made.data["id"]

    def event(self, kind, size=0):
        return self.client.post("/events", {
            "event_type": kind, "person_id": self.person,
            "properties": {"text": "x" * size, "mark": kind}})

    def fill(self):
        """Until a write is refused; how many were taken."""
        count = 0
        while (answer := self.event(f"fill{count}", 4000)).status == 201:
            count += 1
        self.assertEqual(answer.status, 503)
        self.assertTrue(answer.headers["Retry-After"].isdigit())
        self.assertIn("disk is full", answer.details)
        return count

    def kinds(self):
        return [record["data"]["event_type"] for record in self.server.log_records()
                if record["type"] == "event.recorded"]

    def test_reads_go_on_and_with_room_again_writes_do_too(self):
        count = self.fill()
        self.assertEqual(self.client.get(f"/persons/{self.person}").status, 200)
        wanted = ["signup"] + [f"fill{i}" for i in range(count)]
        self.assertEqual(self.kinds(), wanted)
        check_reads(self.server, self.server.log_records())
        self.make_room(16)
        after = self.event("after")
        self.assertEqual(after.status, 201, after.details)
        self.assertEqual(self.client.get("/events/" + after.data["id"]).data, after.data)
        self.assertEqual(self.kinds(), wanted + ["after"])

    def test_a_batch_that_does_not_fit_leaves_nothing_behind(self):
        before = self.kinds()
        batch = [{"event_type": f"b{i}", "person_id": self.person,
                  "properties": {"text": "x" * 4000}} for i in range(1500)]
        answer = self.client.post("/events/batch", batch)
        self.assertEqual(answer.status, 503, answer.details)
        self.assertIn("disk is full", answer.details)
        self.assertEqual(self.kinds(), before)
        self.make_room(32)
        answer = self.client.post("/events/batch", batch)
        self.assertEqual({item["status"] for item in answer.data}, {201})
        check_reads(self.server, self.server.log_records())

    def test_an_import_says_so_and_can_be_run_again(self):
        path = os.path.join(self.server.data_dir, "events.ndjson")
        with open(path, "w") as file:
            for i in range(1500):
                print(f'{{"id":"00000000-0000-4000-8000-{i:012}","person_id":'
                      f'"{self.person}","event_type":"x","datetime_created":'
                      f'"2020-01-01T00:00:00","properties":{{"t":"{"x" * 4000}"}}}}',
                      file=file)
        done = self.run_bounded("import", "-", path, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(self.reason, done.stderr)
        self.make_room(64)
        self.run_bounded("import", "-", path)
        self.assertEqual(self.kinds(), ["signup"] + ["x"] * 1500)


class FullFileSystem(Full, unittest.TestCase):
    reason = "the disk is full"

    def bound(self):
        self.disk = os.path.join(self.server.data_dir, "log")
        os.mkdir(self.disk)
        if not mount(self.disk, "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"):
            self.skipTest("no right to mount a file system")

    def start(self):
        self.server.start()

    def end(self):
        try:
            if self.server.process:
                self.server.stop()
        finally:
            subprocess.run(["umount", "-q", self.disk], check=False)
            self.server.close()

    def make_room(self, mib):
        self.assertTrue(mount(self.disk, "-o", f"remount,size={mib}m"))

    def run_bounded(self, *arguments, **kwargs):
        return self.server.run(*arguments, **kwargs)

    def test_restarted_on_the_full_disk_it_reads_on(self):
        self.fill()
        records = self.server.log_records()
        self.server.stop()
        self.start()
        self.client = self.server.client()
        self.assertEqual(self.server.log_records(), records)
        check_reads(self.server, records)
        self.fill()  # a few more may find room in pages that have become free
        self.make_room(16)
        self.assertEqual(self.event("x", 4000).status, 201)

    def test_killed_on_the_full_disk_it_starts_again(self):
        self.fill()
        records = self.server.log_records()
        self.server.kill()
        self.start()
        self.assertEqual(self.server.log_records(), records)


class FullFile(Full, unittest.TestCase):
    """What ulimit -f does, with a soft limit, which may be raised again."""

    reason = "the log's file may not grow larger (ulimit -f"

    def bound(self):
        self.mib = 4

    def limit(self, pid):
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (self.mib << 20, most))

    def start(self):
        self.server.start()
        self.limit(self.server.process.pid)

    def end(self):
        self.server.close()

    def make_room(self, mib):
        self.mib = mib
        self.limit(self.server.process.pid)

    def run_bounded(self, *arguments, **kwargs):
        return self.server.run(*arguments, **kwargs, preexec_fn=lambda: self.limit(0))

    def test_a_write_that_begins_behind_the_bound_does_not_kill_it(self):
        self.fill()
        statuses = []  # pages that a reader kept are free once it is gone
        while statuses.count(503) < 20 and len(statuses) < 5000:
            statuses.append(self.event("small").status)
        self.assertEqual(statuses.count(503), 20)
        self.assertEqual(statuses.count(201), self.kinds().count("small"))
        self.make_room(16)
        self.assertEqual(self.event("after").status, 201)


if __name__ == "__main__":
    unittest.main()
