"""GET /health/ready, /health and /metrics tell the same of a server that clients should not
be sent to, also while what they tell of hangs; GET /health/live is 200 all along."""

import errno
import os
import resource
import signal
import subprocess
import unittest

from disk import Disk
from exposition import scrape
from harness import PATIENCE, Server
from postgres import freeze, processes_in, signal_all
from served import person
from tables import Locked, query


class Ready(unittest.TestCase):
    def start(self, server):
        self.server = server
        self.addCleanup(server.close)
        server.start()
        self.client = server.client()
        self.well_again()

    def codes(self):
        """The reasons, held against what else tells them."""
        answer = self.client.get("/health/ready")
        codes = [reason["code"] for reason in answer.data["reasons"]]
        self.assertEqual(answer.status, 503 if codes else 200, answer.body)
        self.assertEqual(answer.data["status"], "unavailable" if codes else "ok")
        for reason in answer.data["reasons"]:
            self.assertIn(reason["message"], answer.details)
        if codes:
            self.assertRegex(answer.headers["Retry-After"], r"^\d+$")
        return codes

    def await_codes(self, *codes):
        self.server.wait_for(lambda: self.codes() == list(codes), f"being told {codes}")
        self.assertEqual(scrape(self.client).get("daybook_ready"), 0 if codes else 1)
        self.assertEqual(self.client.get("/health").status, 503 if codes else 200)
        live = self.client.get("/health/live")
        self.assertEqual((live.status, live.data), (200, {"status": "ok"}))

    def well_again(self):
        self.await_codes()


class Reasons(Ready):
    def test_a_disk_that_fails_and_one_that_is_full(self):
        server = Server()
        disk = Disk(server.data_dir)
        self.addCleanup(disk.close)
        server.env.update(disk.environment())
        self.start(server)
        failures = 0
        for error, code in ((errno.EIO, "log"), (errno.ENOSPC, "room")):
            with self.subTest(code):
                disk.fail("sync", error=error)
                self.assertEqual(self.client.post("/persons", person()).status, 503)
                failures += 1
                self.await_codes(code)
                for _ in range(3):  # who looks whether it is on disk commits nothing
                    self.client.get("/checkpoint")
                self.assertEqual(
                    scrape(self.client).get("daybook_commit_failures_total"), failures)
                disk.heal()
                self.well_again()

    def test_room_that_is_gone_before_a_write_has_failed_for_it(self):
        self.start(Server())
        pid = self.server.process.pid
        size = os.stat(os.path.join(self.server.data_dir, "log", "data.mdb")).st_size
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + (1 << 20), most))
        self.await_codes("room")
        self.assertIn("full", self.client.get("/health").data["writes"])
        # A small write finds room still; that is no reason to send more.
        self.assertEqual(self.client.post("/persons", person()).status, 201)
        self.await_codes("room")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        self.well_again()

    def test_a_file_system_that_others_have_filled(self):
        server = Server()
        disk = os.path.join(server.data_dir, "log")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "tmpfs", disk],
                          check=False, stderr=subprocess.DEVNULL).returncode != 0:
            server.close()
            self.skipTest("no right to mount a file system")
        self.addCleanup(subprocess.run, ["umount", "-q", "-l", disk], check=False)
        self.start(server)
        filler = os.path.join(disk, "filler")
        with open(filler, "wb") as file:
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            file.write(bytes(free - (3 << 20)))
        self.await_codes("room")
        self.assertLess(scrape(self.client).get("daybook_disk_free_bytes"), 4 << 20)
        self.assertEqual(scrape(self.client).get("daybook_commit_failures_total"), 0)
        with open(filler, "ab") as file, self.assertRaises(OSError):
            while True:
                os.write(file.fileno(), bytes(4096))  # the last byte
        self.await_codes("room")
        for _ in range(10):  # while it is full
            scrape(self.client)
        os.unlink(filler)
        self.well_again()
        self.assertEqual(self.client.post("/persons", person()).status, 201)

    def test_tables_that_are_behind(self):
        self.start(Server(env={"READY_LAG": "1", "LAG_MAX": "1"}))
        with Locked(self.server, "person"):
            self.assertEqual(self.client.post("/persons", person()).status, 201)
            self.await_codes("postgresql", "lag")  # which cannot read the table either
        self.well_again()

    def test_tables_that_are_gone(self):
        self.start(Server())
        query(self.server, "alter table person rename to gone")
        self.await_codes("postgresql")
        self.assertEqual(scrape(self.client).get("daybook_projection_running"), 0)
        query(self.server, "alter table gone rename to person")
        self.well_again()

    def test_one_that_stops_says_so_to_who_asks_meanwhile(self):
        self.start(Server())
        waiting = self.server.client()  # for the tables, so that the stop waits for it
        answers = []

        def stops():  # told to a newcomer: those that idle are ended soon
            answers.append(self.server.client().get("/health/ready"))
            return "stopping" in answers[-1].body.decode()

        self.assertEqual(self.client.post("/persons", person()).status, 201)
        with Locked(self.server, "person"):
            self.assertEqual(self.client.post("/persons", person()).status, 201)
            waiting.connection.request("GET", "/persons")
            self.server.wait_for(
                lambda: scrape(self.client).get("daybook_reads_waiting") >= 1, "waiting")
            self.server.process.send_signal(signal.SIGTERM)
            self.server.wait_for(stops, "the stop")
            self.assertEqual(answers[-1].status, 503)
            self.assertIn("stopping", [one["code"] for one in answers[-1].data["reasons"]])
        self.assertEqual(self.server.process.wait(PATIENCE), 0)
        self.server.process = None


class Hanging(Ready):
    """PostgreSQL is stopped: it refuses nothing, and answers nothing."""

    def test_a_postgresql_that_hangs_is_told(self):
        self.start(Server(private=True))
        cluster = os.path.join(self.server.data_dir, "postgres")
        self.assertEqual(self.client.post("/persons", person()).status, 201)
        try:
            freeze(cluster)
            self.await_codes("postgresql")
            for _ in range(10):  # it waits for nothing that hangs
                metrics = scrape(self.client)
            self.assertEqual(metrics.get("daybook_ready"), 0)
            self.assertEqual(self.client.post("/persons", person()).status, 201)
        finally:
            signal_all(processes_in(cluster), signal.SIGCONT)
        self.well_again()


if __name__ == "__main__":
    unittest.main()
