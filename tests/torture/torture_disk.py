"""The disk failing under the server at every call up to the hundreds, of every kind and with
every error, under mixed load: what is answered is true, reads go on, and so do writes once
the disk is well. Now and then the server is killed while it fails."""

import errno
import os
import random
import time
import unittest

from disk import FOREVER, Disk
from fold import check_reads
from harness import Server
from load import Load

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 200))
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
CALLS = [("write",), ("sync",), ("meta",), ("write", "sync", "meta"),
         ("write", "sync", "meta", "head"), ("sync", "read")]
ERRORS = [errno.EIO, errno.ENOSPC, errno.EDQUOT]


class FailingDisk(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.disk = Disk(self.server.data_dir)
        self.addCleanup(self.disk.close)
        self.server.env.update(self.disk.environment())
        self.server.start()

    def fail(self, skip):
        """Something from the skip-th call on; whether it can still be read."""
        calls = self.chance.choice(CALLS)
        self.disk.fail(*calls, error=self.chance.choice(ERRORS),
                       how=self.chance.choice(("nothing", "all", "half")), skip=skip,
                       times=self.chance.choice((1, 2, 3, 8, FOREVER)))
        if calls == ("meta",) and self.chance.random() < 0.5:
            self.disk.fail("head")  # then it cannot be taken back
        return "read" not in calls

    def a_round(self, number, load):
        failed, readable = self.disk.failed, self.fail(number)
        self.server.wait_for(lambda: self.disk.failed > failed or load.wrong, "a failure")
        load.wait_for_answers(self.chance.randint(1, 40))
        if readable:
            answer = self.reader.get("/log?limit=1")
            self.assertEqual(answer.status, 200, answer.body)
        killed = number % 20 == 19
        if killed:
            self.server.kill()
        self.disk.heal()
        if killed:
            self.server.start()
            self.reader = self.server.client()
        self.server.wait_for(lambda: self.reader.get("/log?limit=1").status == 200,
                             "reading again")

    def test_every_answer_is_true(self):
        self.reader = self.server.client()
        load = Load(self.server, SEED, clients=8, may_refuse=True).start()
        for number in range(ROUNDS):
            self.a_round(number, load)
        load.stop()
        records = self.server.log_records()
        load.check(records)
        client = self.server.client()  # the other one has been idle for long
        self.server.wait_for(
            lambda: client.get("/health").data["projection"] == "following", "following")
        check_reads(self.server, records)
        self.server.run("verify")
        print(f"{self.disk.failed} calls failed, {load.answered} answers, "
              f"{len(load.refused)} records refused, {len(load.unanswered)} in doubt, "
              f"{len(records)} in the log")
