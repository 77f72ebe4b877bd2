"""The server, its private PostgreSQL, or both: killed at random instants while clients
write and imports run. Of these only the server is started again by hand."""

import collections
import os
import random
import signal
import time
import unittest

from fold import check_reads
from harness import Server
from imports import Imports
from load import Load, check_marks, check_promises
from postgres import postmaster_of, processes_in, signal_all
from reads import Reads
from test_durability import log_until

# What a round may kill; all are met before one is met again.
VICTIMS = (("server",), ("postgres",), ("server", "postgres"))

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 3))
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


def end(pid):
    signal_all([pid], signal.SIGKILL)


def never_back():
    """A check of reads that do not wait: what the tables have once shown they go on to
    show, though PostgreSQL may have lost its last commits."""
    shown = 0

    def check(answer, took):
        nonlocal shown
        if answer.status == 503:
            return None if answer.headers.get("Retry-After") else "no Retry-After"
        if answer.status != 200:
            return f"status {answer.status}: {answer.details}"
        before, shown = shown, int(answer.headers["Daybook-Projected-Sequence"])
        return f"at {shown}, after {before}" if shown < before else None
    return check


class Kills(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.server = Server(private=True)
        self.cluster = os.path.join(self.server.data_dir, "postgres")
        self.addCleanup(self.end_all)
        self.server.start()
        self.records = []  # the log, as far as it was read
        self.probes = []   # persons that were read before a kill, and must be after it

    def end_all(self):
        try:
            self.server.close()
        finally:
            for pid in processes_in(self.cluster):
                end(pid)

    def deck(self):
        while True:
            yield from self.chance.sample(VICTIMS, len(VICTIMS))

    def kill_server(self):
        self.server.kill()

    def kill_postgres(self):
        """The postmaster first, for it starts the others."""
        try:
            postmaster = postmaster_of(self.cluster)
        except FileNotFoundError:
            postmaster = None  # it ends with its owner, who was killed
        if postmaster in processes_in(self.cluster):
            end(postmaster)
        for pid in processes_in(self.cluster):
            end(pid)

    def probe(self, number):
        """A person whom a client has written and read."""
        client = self.server.client()
        person = client.post("/persons", {"email": f"probe{number}@kills.test",
                                          "first_name": "A", "last_name": "B"})
        self.assertEqual(person.status, 201, person.details)
        read = client.get("/persons/" + person.data["id"])
        self.assertEqual((read.status, read.data), (200, person.data))
        self.probes.append(person.data)
        client.close()

    def reads_return(self):
        client = self.server.client()
        self.server.wait_for(lambda: client.get("/persons?limit=1").status == 200,
                             "the return of reads")
        for person in self.probes[-3:]:
            read = client.get("/persons/" + person["id"])
            self.assertEqual((read.status, read.data), (200, person))
        client.close()

    def a_round(self, victims):
        self.load.wait_for_answers(self.chance.randint(1, 60))
        time.sleep(self.chance.random() / 5)
        by_hand = "server" in victims
        reads = None if by_hand else Reads(
            self.server, ["/persons?limit=1"], never_back(), clients=1,
            headers={"prefer": "wait=0"}).start()
        for victim in victims:
            getattr(self, "kill_" + victim)()
        promises, imported = self.load.promises(), self.imports.promises()
        if by_hand:
            self.server.start()
        self.reads_return()
        if reads:
            reads.stop()
        log_until(self.server, self.records, max(promises.values()))
        marks = check_marks(self.records)
        check_promises(promises, marks)
        self.assertLessEqual(imported, set(marks), "imported, and not in the log")

    def test_nothing_is_lost_or_doubled_and_the_tables_are_a_fold_of_the_log(self):
        self.load = Load(self.server, SEED, clients=4, pause=0.02).start()
        self.imports = Imports(self.server, SEED)
        self.imports.start()
        self.addCleanup(self.imports.give_up)
        met = collections.Counter()
        for number, victims in zip(range(ROUNDS), self.deck()):
            self.probe(number)
            met[" and ".join(victims)] += 1
            try:
                self.a_round(victims)
            except AssertionError as error:
                raise AssertionError(f"round {number}, {victims}: {error}") from error
        self.load.stop()
        self.imports.stop()
        self.check_whole()
        print(f"{ROUNDS} rounds, killed {dict(met)}; {self.load.answered} answers, "
              f"{len(self.load.unanswered)} records in doubt; {self.imports.whole} "
              f"imports and {self.imports.killed} killed; {len(self.whole)} in the log")

    def check_whole(self):
        self.whole = self.server.log_records()
        self.assertTrue(self.whole[:len(self.records)] == self.records,
                        "a record has changed")
        probes = {person["email"] for person in self.probes}
        self.load.check(self.whole, self.imports.sent | probes)
        self.assertLessEqual(self.imports.sent, set(check_marks(self.whole)))
        check_reads(self.server, self.whole)
        self.server.run("verify", "--projection")


if __name__ == "__main__":
    unittest.main()
