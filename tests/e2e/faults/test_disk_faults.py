"""A disk that fails under the server: a write is told what is wrong, or is durable; reads
go on; and once the disk is well again, so do writes, without a restart."""

import errno
import http.client
import os
import unittest

from disk import Disk
from fold import check_reads
from harness import PATIENCE, Server
from load import Load
from served import new_id, person
from writes import mark_of

FAILED, FULL = "disk failed", "disk is full"
DOUBT = "whether this was written is not known"
# What fails, how, with which error, and what the client is told.
FAULTS = [
    (("write",), "nothing", errno.EIO, FAILED),
    (("write",), "nothing", errno.ENOSPC, FULL),
    (("write",), "nothing", errno.EDQUOT, FULL),
    (("write",), "half", errno.EIO, FAILED),
    (("sync",), "nothing", errno.EIO, FAILED),
    (("sync",), "all", errno.EIO, FAILED),
    (("sync",), "nothing", errno.ENOSPC, FULL),
    (("sync",), "nothing", errno.EDQUOT, FULL),
    (("meta",), "nothing", errno.EIO, FAILED),
    (("meta",), "half", errno.EIO, FAILED),
    (("meta",), "all", errno.EIO, FAILED),  # LMDB takes it back
    (("meta",), "nothing", errno.ENOSPC, FULL),
    (("write", "sync", "meta", "head"), "nothing", errno.EIO, FAILED),
]


class FailingDisk(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.disk = Disk(self.server.data_dir)
        self.addCleanup(self.disk.close)
        self.server.env.update(self.disk.environment())
        self.data = os.path.join(self.server.data_dir, "log", "data.mdb")

    def start(self):
        self.server.start()
        self.client = self.server.client()
        self.server.wait_for(self.follows, "following the log")
        self.person = self.client.post("/persons", person()).data["id"]

    def event(self, event_id, **headers):
        return self.client.post("/events", {"id": event_id, "event_type": "x",
                                            "person_id": self.person}, **headers)

    def follows(self):
        return self.client.get("/health").data["projection"] == "following"

    def ids(self):
        return [record["subject_id"] for record in self.server.log_records()]

    def assert_503(self, answer, saying):
        self.assertEqual(answer.status, 503, answer.body)
        self.assertRegex(answer.headers["Retry-After"], r"^\d+$")
        self.assertIn(saying, answer.details)
        self.assertIsNone(answer.data)


class UnderTheServer(FailingDisk):
    def setUp(self):
        super().setUp()
        self.start()

    def test_a_write_is_told_what_is_wrong_and_reads_go_on(self):
        for calls, how, error, saying in FAULTS:
            with self.subTest(calls=calls, how=how, error=errno.errorcode[error]):
                before, event = self.ids(), new_id()
                self.disk.fail(*calls, how=how, error=error)
                for _ in range(2):
                    self.assert_503(self.event(event), saying)
                    self.assertEqual(self.ids(), before)
                    self.assertEqual(self.client.get(f"/persons/{self.person}").status, 200)
                self.disk.heal()
                self.assertEqual(self.event(event).status, 201)
                self.assertEqual(self.event(event).status, 200)
                self.assertEqual(self.ids(), before + [event])

    def test_whichever_call_fails_an_answer_is_true(self):
        for call in "write", "sync", "meta":
            for skip in range(6):
                with self.subTest(call=call, skip=skip):
                    before, met, wanted = self.ids(), self.disk.failed, []
                    self.disk.fail(call, skip=skip, times=1)
                    while self.disk.failed == met:
                        event = new_id()
                        answer = self.event(event)
                        self.assertIn(answer.status, (201, 503), answer.body)
                        wanted += [event] if answer.status == 201 else []
                    self.disk.heal()
                    self.assertEqual(self.ids(), before + wanted)

    def test_a_commit_that_was_done_though_it_failed_is_acknowledged(self):
        self.disk.fail("meta", how="all", times=1)
        self.disk.fail("head", times=1)  # else LMDB takes it back
        event = new_id()
        self.assertEqual(self.event(event).status, 201)
        self.assertEqual(self.ids()[-1], event)
        self.assertEqual(self.disk.failed, 2)

    def test_a_doubt_is_told_and_settled_by_sending_it_again(self):
        key = {"Idempotency-Key": new_id()}
        bodies = {"id": {"id": new_id(), "event_type": "x", "person_id": self.person},
                  "key": {"event_type": "x", "person_id": self.person}}
        for name, body in bodies.items():
            with self.subTest(by=name):
                headers = key if name == "key" else {}

                def send():
                    return self.client.request("POST", "/events", body, headers)

                self.disk.fail("meta", how="all")
                self.disk.fail("head")
                self.assert_503(send(), DOUBT)
                there = self.server.log_records()[-1]  # to be seen, but perhaps not to last
                # To find it is no proof that it is on the disk.
                self.assert_503(send(), FAILED)
                self.disk.heal()
                answer = send()
                self.assertIn(answer.status, (200, 201), answer.body)
                self.assertEqual(answer.data["id"], there["subject_id"])
                self.assertEqual(self.server.log_records()[-1], there)

    def test_a_commit_that_was_taken_back_is_in_doubt_until_the_disk_has_it_so(self):
        event, before = new_id(), self.ids()
        self.disk.fail("meta", how="all", times=1)
        self.disk.fail("head", skip=1)  # but for the taking back
        self.assert_503(self.event(event), DOUBT)
        self.assertEqual(self.ids(), before)
        self.disk.heal()
        self.assertEqual(self.event(event).status, 201)
        self.assertEqual(self.ids(), before + [event])

    def test_a_log_that_cannot_be_reopened_is_reopened_later(self):
        event = new_id()
        self.disk.fail("sync", "read")
        self.assert_503(self.event(event), DOUBT)
        self.assert_503(self.client.get("/log"), FAILED)
        self.assert_503(self.client.get("/health"), FAILED)
        self.assert_503(self.event(event), FAILED)
        self.disk.heal()
        self.server.wait_for(lambda: self.client.get("/log").status == 200, "reading again")
        self.assertNotIn(event, self.ids())
        self.assertEqual(self.event(event).status, 201)
        self.server.wait_for(self.follows, "following the log again")
        check_reads(self.server, self.server.log_records())

    def test_under_load_nothing_acknowledged_is_lost_and_nothing_refused_is_there(self):
        load = Load(self.server, 7, may_refuse=True, retry=False).start()
        for call in ("write", "sync", "meta") * 2:
            for error in errno.EIO, errno.ENOSPC:
                load.wait_for_answers(20)
                self.disk.fail(call, error=error, times=3)
                load.wait_for_answers(20)
                self.disk.heal()
        load.stop()
        records = self.server.log_records()
        load.check(records, earlier=map(mark_of, records[:2]))
        check_reads(self.server, records)
        self.assertGreater(len(load.refused), 0)
        self.server.stop()
        self.server.run("verify")

    def test_a_file_that_is_cut_under_it_ends_it_with_a_sentence_and_loses_nothing(self):
        records = self.server.log_records()
        with open(self.data, "rb") as file:
            whole = file.read()
        os.truncate(self.data, 8192)
        with self.assertRaises((OSError, http.client.HTTPException)):
            while True:
                self.client.get("/log")
        self.assertEqual(self.server.process.wait(PATIENCE), 1)
        self.server.process = None
        self.assertIn("log/data.mdb: its structure is damaged, or it was changed by another",
                      self.server.told())
        done = self.server.run("status", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("data.mdb is cut off", done.stderr)
        with open(self.data, "r+b") as file:
            file.write(whole)
        self.server.start()
        self.assertEqual(self.server.log_records(), records)


class WhenItStarts(FailingDisk):
    def ends(self, saying):
        self.server.spawn()
        self.assertEqual(self.server.process.wait(PATIENCE), 3, self.server.tail())
        self.server.process = None
        self.assertIn(saying, self.server.told().splitlines()[-1])

    def test_a_log_that_cannot_be_made_is_made_the_next_time(self):
        for call, error, saying in [("head", errno.EIO, "Input/output error"),
                                    ("write", errno.ENOSPC, "the disk is full"),
                                    ("sync", errno.EIO, "Input/output error"),
                                    ("meta", errno.EDQUOT, "the disk is full"),
                                    ("directory", errno.EIO, "Input/output error")]:
            with self.subTest(call=call):
                self.disk.fail(call, error=error)
                self.ends(saying)
                self.disk.heal()
        self.start()
        self.assertEqual(self.ids()[0], self.person)

    def test_a_log_that_cannot_be_read_is_left_as_it_is(self):
        self.start()
        records = self.server.log_records()
        self.server.stop()
        self.disk.fail("read")
        self.ends("read data.mdb: Input/output error")
        self.disk.heal()
        self.server.start()
        self.assertEqual(self.server.log_records(), records)


class UnderATool(FailingDisk):
    def test_a_backup_fails_whole_and_can_be_run_again(self):
        self.start()
        target = os.path.join(self.server.data_dir, "copy")
        for call, how, error, saying in [("copy", "nothing", errno.EIO, "Input/output error"),
                                         ("copy", "nothing", errno.ENOSPC, FULL),
                                         ("copy", "nothing", errno.EDQUOT, FULL),
                                         ("sync", "nothing", errno.EIO, "Input/output error"),
                                         ("directory", "nothing", errno.ENOSPC, "No space"),
                                         ("read", "nothing", errno.EIO, "Input/output error")]:
            with self.subTest(call=call, error=errno.errorcode[error]):
                self.disk.fail(call, how=how, error=error)
                done = self.server.run("backup", target, check=False)
                self.disk.heal()
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(saying, done.stderr)
                self.assertEqual([name for name in os.listdir(self.server.data_dir)
                                  if name.startswith("copy")], [])
        self.disk.fail("copy", how="half", times=3)  # which is no failure
        self.server.run("backup", target)


if __name__ == "__main__":
    unittest.main()
