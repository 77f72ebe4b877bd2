"""Persons are erased and restricted, events forgotten by age, keys rotated and backups made, while
the server, and tools beside it, are killed at random and months go by: what the log says is
destroyed is so before anything is served, none is ever undone, and none is half; and each receipt
proves it at the end. Then rings and logs of before are put back."""

import collections
import datetime
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import unittest
from http.client import HTTPException

from harness import NOWHERE, PROGRAM, Server
from receipts import check_receipts
from test_clock import Clock

SEED = int(os.environ.get("DAYBOOK_SEED", 1))
ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 500))
AGO = 12    # rounds that a ring is of which is put back
AGAIN = 40  # each so many it is
STEP = 5    # rounds, and then the clock is ahead by so much more: no more than it is believed
AHEAD = 6 * 86400
LOST = (OSError, HTTPException)


class Person:
    def __init__(self, answer, name):
        self.id, self.name = answer.data["id"], name
        self.records = [answer.sequence - 1]  # that have the name in them
        self.erased = self.asked = False      # acknowledged; sent
        self.receipt = None                   # that it was acknowledged with
        self.restricted = False               # by the last answer; None: not known
        self.months = {}                      # of its events: sequence -> month


class Erasures(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.server = Server(env={"DB_HOST": NOWHERE, "SEALED": "true",
                                  "AUDIT_INTERVAL": "1", "AUDIT_ORIGIN": "erased.test/log",
                                  "RETENTION": "events:31d"})
        self.addCleanup(self.server.close)
        os.environ.setdefault("DAYBOOK_TEST_PRELOAD", os.environ["DAYBOOK_CLOCK_SHIM"])
        self.clock, self.ahead = Clock(self.server), -(ROUNDS // STEP + 1) * AHEAD
        self.clock.set(self.ahead)
        self.lock = threading.Lock()
        self.people, self.numbers = [], 0
        self.over = threading.Event()
        self.met = collections.Counter()
        self.erased_by_log = {}  # person id -> sequence of its person.erased
        self.expiries = []       # each events.expired: (before, when, sequence)
        self.said = set()        # sequences of those that were acknowledged
        self.checked = 0         # the log up to here was read
        self.rings = []          # copies of keys/, a round each
        self.backups = []        # that were finished: where, and the log's length before

    # What goes on.

    def name(self):
        with self.lock:
            self.numbers += 1
            return f"markerzqx{self.numbers}x"

    def now(self):
        """By the servers' clock, as in a record."""
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(0, self.ahead)
        return now.strftime("%Y-%m-%dT%H:%M:%S.%f")

    def make(self):
        client, chance = self.server.client(timeout=10), random.Random(self.chance.random())
        while not self.over.is_set():
            name = self.name()
            try:
                made = client.post("/persons", {"email": f"{name}@x.test", "first_name": name,
                                                "last_name": name})
                if made.status != 201:
                    continue
                person = Person(made, name)
                for _ in range(chance.randint(0, 3)):
                    month = self.now()[:7]
                    event = client.post("/events", {"event_type": name, "person_id": person.id,
                                                    "properties": {"name": name}})
                    if event.status == 201 and month == self.now()[:7]:
                        person.records.append(event.sequence)
                        person.months[event.sequence] = month
            except LOST:
                return
            with self.lock:
                self.people.append(person)

    def erase(self):
        client, chance = self.server.client(timeout=10), random.Random(self.chance.random())
        while not self.over.is_set():
            person = self.somebody(chance)
            if not person:
                time.sleep(0.01)
                continue
            try:
                answer = client.delete(f"/persons/{person.id}?erase=true")
            except LOST:
                return
            if answer.status == 200:
                person.erased, person.receipt = True, answer.data
            elif answer.status != 503:
                self.wrong.append((person.id, answer.status, answer.body))

    def restrict(self):
        """One, or take it back; of those, too, who are being erased."""
        client, chance = self.server.client(timeout=10), random.Random(self.chance.random())
        while not self.over.is_set():
            time.sleep(0.005)
            with self.lock:
                person = chance.choice(self.people[-40:]) if self.people else None
            if not person:
                continue
            lift, person.restricted = person.restricted, None
            try:
                answer = client.request("DELETE" if lift else "POST",
                                        f"/persons/{person.id}/restriction")
            except LOST:
                return
            if answer.status in (200, 201):
                person.restricted = not lift
            elif answer.status not in (404, 410, 503):
                self.wrong.append((person.id, answer.status, answer.body))

    def somebody(self, chance):
        """Not erased yet, and asked for by nobody else."""
        with self.lock:
            among = [each for each in self.people[-60:] if not each.asked]
            person = chance.choice(among) if among else None
            if person:
                person.asked = True
            return person

    def tool(self):
        """One beside the server, killed at any moment, or not."""
        person = self.somebody(self.chance)
        backup = os.path.join(self.server.data_dir, f"backup-{next(self.count)}")
        commands = [("keys", "rotate"), ("keys", "backup", self.server.data_dir + "/copy"),
                    ("backup", backup),
                    ("events", "expire", "--before", self.now()[:7], "--yes")]
        if person:
            commands += 2 * [("person", "erase", person.id)]
        command = self.chance.choice(commands)
        what = " ".join(part for part in command[:2] if part.isalpha())
        if person and command[1] != "erase":
            person.asked = False
        tool = subprocess.Popen(
            [PROGRAM, command[0], "--data-dir", self.server.data_dir, *command[1:]],
            env=self.server.env, cwd=self.server.data_dir, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = tool.communicate(timeout=self.chance.choice((0.02, 0.1, 0.3, 60)))
            self.met[what] += 1
            if tool.returncode != 0 and "BUSY" not in err:
                self.told[f"{what} {tool.returncode}: {err.strip()[:200]}"] += 1
            if tool.returncode == 0 and what == "backup":
                self.backups.append((backup, self.checked))
            if tool.returncode == 0 and command[1] == "erase":
                person.erased = True
            if tool.returncode == 0 and ": record " in out:
                self.said.add(int(out.split(": record ")[1].split()[0]))
        except subprocess.TimeoutExpired:
            tool.send_signal(signal.SIGKILL)
            tool.communicate()
            self.met[what + " killed"] += 1
            shutil.rmtree(backup, True)
            shutil.rmtree(backup + ".partial", True)

    # What must hold.

    def first_words(self, person):
        """The very first answer of a server that starts: a record of this person's."""
        self.spawned = self.now()
        self.server.spawn()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.assertIsNone(self.server.process.poll(), self.server.tail())
            client = self.server.client(timeout=10)
            try:
                answer = client.get(f"/log/{person.records[-1]}")
                if answer.status == 200:
                    return answer.body.decode()
                time.sleep(0.005)
            except LOST:
                time.sleep(0.005)
            finally:
                client.close()
        raise AssertionError("no answer: " + self.server.tail())

    def read_log(self):
        """What was erased since, by the log."""
        client = self.server.client()
        while True:
            page = client.get(f"/log?after={self.checked}&limit=1000").data
            if not page:
                client.close()
                return
            for record in page:
                if record["type"] == "person.erased":
                    self.assertNotIn(record["subject_id"], self.erased_by_log, "twice")
                    self.erased_by_log[record["subject_id"]] = record["sequence"]
                if record["type"] == "events.expired":
                    self.expiries.append((record["data"]["before"], record["recorded_at"],
                                          record["sequence"]))
            self.checked = page[-1]["sequence"]

    def is_gone(self, person, sequence, by=None):
        """Its person was erased, or it is forgotten by age: by an expiry that was recorded before
        `by`, or by any."""
        month = person.months.get(sequence)
        return person.id in self.erased_by_log or month is not None and any(
            month < before[:7] and (by is None or at < by)
            for before, at, _ in self.expiries)

    def hold(self, person, sequence, body, when, by=None):
        self.assertFalse(person.erased and person.id not in self.erased_by_log,
                         (when, person.id, "was acknowledged"))
        if self.is_gone(person, sequence, by):
            self.assertNotIn(person.name, body, (when, "is back"))
        elif person.name not in body:
            self.read_log()  # events are forgotten while this looks, too
            self.assertTrue(self.is_gone(person, sequence), (when, "is gone without a record"))

    def look_restricted(self, client, person, when):
        """Of who lives and is known to be, or not to be."""
        if person.id in self.erased_by_log or person.restricted is None:
            return
        status = client.get(f"/persons/{person.id}/restriction").status
        self.assertEqual(status, 200 if person.restricted else 404, (when, person.id))

    def look(self, people, when):
        client = self.server.client()
        for person in people:
            self.look_restricted(client, person, when)
            for sequence in person.records:
                answer = client.get(f"/log/{sequence}")
                self.assertEqual(answer.status, 200, answer.body)
                self.hold(person, sequence, answer.body.decode(), when)
        client.close()

    def touched(self):
        with self.lock:
            return [each for each in self.people if each.asked]

    # A round.

    def keep_ring(self):
        to = os.path.join(self.server.data_dir, f"ring-{len(self.rings)}")
        shutil.copytree(os.path.join(self.server.data_dir, "keys"), to)
        self.rings.append(to)
        if len(self.rings) > AGO:
            shutil.rmtree(self.rings[-AGO - 1], True)

    def put_back(self, ring):
        keys = os.path.join(self.server.data_dir, "keys")
        shutil.rmtree(keys)
        shutil.copytree(ring, keys)
        self.met["old ring put back"] += 1

    def round(self, number):
        self.over.clear()
        threads = [threading.Thread(target=work, daemon=True)
                   for work in (self.make, self.make, self.erase, self.erase, self.restrict)]
        for thread in threads:
            thread.start()
        if self.chance.random() < 0.2:
            self.tool()
        time.sleep(self.chance.uniform(0.01, 0.4))
        self.server.kill()
        self.over.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual(self.wrong, [])
        self.keep_ring()
        if number % AGAIN == AGAIN - 1:
            self.put_back(self.rings[-AGO])
        if number % STEP == STEP - 1:
            self.ahead += AHEAD
            self.clock.set(self.ahead)
        touched = self.touched()
        last = self.chance.choice(touched[-3:] or self.people or [None])
        if not last:
            self.server.start()
            return
        first = self.first_words(last)
        self.server.wait_ready()
        self.read_log()
        self.assertLessEqual(self.said, {sequence for _, _, sequence in self.expiries})
        self.hold(last, last.records[-1], first, f"round {number}, first answer", self.spawned)
        with self.lock:
            some = self.people[-8:] + self.chance.sample(self.people, min(8, len(self.people)))
        self.look(touched[-12:] + some, f"round {number}")

    def test_never_half_and_never_back(self):
        self.wrong, self.told, self.count = [], collections.Counter(), itertools.count()
        self.server.start()
        for number in range(ROUNDS):
            self.round(number)
            if number == ROUNDS // 2:  # one at least that nobody kills
                self.backups.append((self.server.data_dir + "/backup", self.checked))
                self.server.run("backup", self.backups[-1][0])
            if number % 50 == 49:
                print(f"{number + 1} kills, {self.counts()}", flush=True)
        self.read_log()
        self.look(self.people, "at the end")
        print(f"{ROUNDS} kills, {self.counts()}; tools said {dict(self.told)}", flush=True)
        self.assertTrue(self.expiries or ROUNDS < 100)  # months have gone by
        self.server.run("verify")
        self.receipts_hold()
        self.backups_hold()
        self.whole_state_put_back()

    def counts(self):
        expired = sum(self.is_gone(person, sequence) for person in self.people
                      if person.id not in self.erased_by_log for sequence in person.months)
        return (f"{len(self.people)} persons, {len(self.erased_by_log)} erased, {expired} events "
                f"of others forgotten in {len(self.expiries)} expiries, {dict(self.met)}")

    def receipts_hold(self):
        self.signed(self.server.client(), self.checked)
        kept = dict.fromkeys(self.erased_by_log)
        kept.update((each.id, each.receipt) for each in self.people if each.receipt)
        print(f"{check_receipts(self.server, kept)} receipts hold", flush=True)

    def backups_hold(self):
        """A log of before, with the ring of now: whoever was erased is, also by what that log
        does not tell; and all others are there."""
        for backup, length in self.chance.sample(self.backups, min(4, len(self.backups))):
            other = Server(env={"DB_HOST": NOWHERE})
            try:
                self.server.bring_keys(other.data_dir)
                other.run("restore", backup)
                other.start()
                client = other.client()
                for person in self.people:
                    if person.records[-1] > length:
                        continue
                    for sequence in person.records:
                        body = client.get(f"/log/{sequence}").body.decode()
                        self.assertEqual(person.name in body,
                                         not self.is_gone(person, sequence),
                                         (backup, person.id, body))
                client.close()
            finally:
                other.close()
        print(f"{len(self.backups)} backups hold", flush=True)

    def whole_state_put_back(self):
        """Ring and log of before an erasure: nothing in them knows of it. What was signed
        does, and it is erased again by the receipt."""
        client = self.server.client()
        person = next(each for each in self.people if not each.asked)
        self.signed(client, self.checked)
        self.server.stop()
        before = os.path.join(self.server.data_dir, "before")
        for name in ("log", "keys"):
            shutil.copytree(os.path.join(self.server.data_dir, name),
                            os.path.join(before, name))
        self.server.start()
        client = self.server.client()
        receipt = client.delete(f"/persons/{person.id}?erase=true")
        self.assertEqual(receipt.status, 200, receipt.body)
        self.signed(client, receipt.data["sequence"])
        self.server.stop()
        for name in ("log", "keys"):
            shutil.rmtree(os.path.join(self.server.data_dir, name))
            shutil.move(os.path.join(before, name), os.path.join(self.server.data_dir, name))
        self.server.start()
        client = self.server.client()
        self.server.wait_for(lambda: client.get("/checkpoint").status == 503, "the alarm")
        said = json.loads(client.get("/checkpoint").body)["response"]["details"]
        self.assertRegex(said, "earlier state|fewer records|put back")
        self.assertIn(person.name, client.get(f"/log/{person.records[0]}").body.decode())
        again = client.delete(f"/persons/{receipt.data['person_id']}?erase=true")
        self.assertEqual(again.status, 200, again.body)
        self.assertNotIn(person.name, client.get(f"/log/{person.records[0]}").body.decode())
        print(f"ring and log put back: {said}")

    def signed(self, client, size):
        self.server.wait_for(lambda: (found := client.get("/checkpoint")).status == 200 and
                             int(found.body.split(b"\n")[1]) >= size, "a checkpoint")


if __name__ == "__main__":
    unittest.main()
