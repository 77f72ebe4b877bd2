"""What daybook relay writes, as others read it: KafkaJS folds it, Confluent's client for Python
takes it into a second PostgreSQL by SQL. Relays are killed meanwhile, at one member and at
another, and so is who reads; each record has come about once."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import types
import unittest
import uuid

from brokers import Brokers, Missing
from ended import ENDED
from fold import check_equal, pages
from harness import PATIENCE, PROGRAM
from nodes import Nodes
from postgres import Postgres, programs
from tables import query

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "examples")
TOPIC = os.environ["DAYBOOK_TOPIC"]
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
KILLS, ROUNDS, EVENTS = 8, 4, 300  # rounds of writing between two kills, events in each
COLUMNS = {"person": "id, sequence, created_sequence, datetime_created, datetime_modified, email, "
                     "first_name, last_name, role, external_id, properties",
           "event": "id, sequence, person_id, anonymous_id, event_type, datetime_created, "
                    "received, properties"}
FOLD = """
import {writeFileSync} from 'node:fs';
import {follow, Tables} from './records.mjs';
const [brokers, topic, out] = process.argv.slice(-3), tables = new Tables();
await follow({brokers: [brokers]}, topic, (record) => {
  tables.take(record);
  if (record.data?.event_type !== 'the last') return;
  writeFileSync(out, JSON.stringify([tables.persons, tables.events].map((t) => [...t.values()])));
  process.exit(0);
});
"""
FORGET = """
import {Tables} from './records.mjs';
const tables = new Tables();
for (const sequence of [1, 2, 3, 4])
  tables.take({type: 'event.recorded', sequence, subject_id: `of ${sequence}`, data: {}});
tables.take({type: 'events.expired', sequence: 5, data: {through: 2}});
console.log([...tables.events.keys()].join(), tables.recorded.size);
try {
  tables.take({type: 'person.created', sequence: 6, subject_id: 'id',
    data: {key: 1, sealed: 'eA=='}});
} catch (error) {
  console.log(error.message);
}
process.exit(0);
"""


def python():
    """One that has what the example needs: Debian's packages are of Debian's Python. Or None."""
    for program in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([program, "-c", "import confluent_kafka, psycopg2"],
                          capture_output=True, check=False).returncode == 0:
            return program
    return None


def why_not():
    """What the examples need and is not here."""
    if not os.path.isdir(os.path.join(HERE, "node_modules", "kafkajs")):
        return "KafkaJS is not here: npm ci --prefix tests/cluster"
    return None if python() else \
        "confluent_kafka and psycopg2 are not here: tools/install-deps test-cluster"


class Writer:
    """Somebody's visitors, known and not, who come, sign up, change and go."""

    def __init__(self, client, chance):
        self.client, self.chance = client, chance
        self.persons, self.events, self.aliases = [], [], []

    def ask(self, method, path, body=None, expected=(200, 201)):
        answer = self.client.request(method, path, body)
        assert answer.status in expected, (method, path, answer.status, answer.details)
        return answer.data

    def event(self):
        event = {"id": str(uuid.uuid4()), "event_type": self.chance.choice(("view", "buy")),
                 "properties": {"n": self.chance.randrange(9), "of": ["ä", None, {"x": "\\"}]}}
        if self.chance.random() < 0.5:
            event["person_id"] = self.chance.choice(self.persons)
        else:
            event["anonymous_id"] = f"visitor-{self.chance.randrange(40)}"
        if self.chance.random() < 0.2:
            event["datetime_created"] = "2015-09-12T00:46:58.771000"
        return event

    def write(self):
        chance = self.chance
        for _ in range(3):
            name = f"user-{chance.randrange(60)}"
            person = self.ask("PUT", f"/persons/by/external_id/{name}",
                              {"first_name": f"K{chance.random()}", "properties": {"a": name}})
            if person["id"] not in self.persons:
                self.persons.append(person["id"])
        batch = [self.event() for _ in range(EVENTS)]
        self.ask("POST", "/events/batch", batch)
        self.events += [event["id"] for event in batch]
        for _ in range(3):
            alias = (chance.choice(self.persons), f"visitor-{chance.randrange(40)}")
            self.ask("POST", f"/persons/{alias[0]}/aliases", {"anonymous_id": alias[1]},
                     (200, 201, 409))
            self.aliases.append(alias)
            self.ask("DELETE", f"/events/{chance.choice(self.events)}", None, (200, 404))
        self.ask("PATCH", f"/persons/{chance.choice(self.persons)}",
                 {"last_name": "Pryde", "properties": {"b": [1], "a": None}})
        self.ask("DELETE", "/persons/{}/aliases/{}".format(*chance.choice(self.aliases)), None,
                 (200, 404))
        if len(self.persons) > 9:
            gone = self.persons.pop(chance.randrange(len(self.persons)))
            self.ask("DELETE", f"/persons/{gone}")
            self.aliases = [one for one in self.aliases if one[0] != gone]


class Records(unittest.TestCase):
    def setUp(self):
        lacks = why_not()
        if lacks:
            self.skipTest(f"SKIPPED: {lacks}")
        try:
            self.brokers = Brokers(1)
        except Missing as missing:
            self.skipTest(f"SKIPPED: {missing}")
        self.addCleanup(self.brokers.close)
        self.brokers.start()
        self.folder = tempfile.mkdtemp(prefix="daybook-records-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.nodes = Nodes(self.brokers.bootstrap, "ab", replication=1, CLUSTER_UNSAFE="true")
        self.addCleanup(self.nodes.close)
        self.nodes.start()
        subprocess.run([TOPIC, "make", self.brokers.bootstrap, "records", "3"], check=True,
                       timeout=PATIENCE)
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.second = types.SimpleNamespace(
            env={**os.environ, **self.postgres.settings(), "DB_SCHEMA": "public"})
        with open(os.path.join(EXAMPLES, "postgres", "records.sql")) as file:
            query(self.second, file.read())

    def started(self, *command, **more):
        process = subprocess.Popen([*ENDED, *command], stdin=subprocess.DEVNULL, **more)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def relay(self, node, *flags):
        return self.started(PROGRAM, "relay", "--data-dir", node.data_dir, "--topic", "records",
                            "--quiet", "--unseal", *flags, env=node.env, stdout=subprocess.DEVNULL)

    def fold(self):
        """KafkaJS, in the place where it finds what it needs."""
        shutil.copy(os.path.join(EXAMPLES, "node", "records.mjs"), self.folder)
        os.symlink(os.path.join(HERE, "node_modules"), self.folder + "/node_modules")
        with open(self.folder + "/fold.mjs", "w") as file:
            file.write(FOLD)
        return self.started("node", "fold.mjs", self.brokers.bootstrap, "records",
                            self.folder + "/folded.json", cwd=self.folder)

    def take(self):
        settings = self.second.env
        return self.started(
            python(), "-B", os.path.join(EXAMPLES, "python", "records.py"),
            self.brokers.bootstrap, "records",
            f"host={settings['DB_HOST']} user={settings['DB_USER']} "
            f"dbname={settings['DB_NAME']}", env=self.second.env)

    def taken(self):
        return int(query(self.second, "select sequence from taken"))

    def assert_same_tables(self, node):
        for table, columns in COLUMNS.items():
            wanted, found = (query(server, f"select {columns} from {table} order by sequence")
                             .splitlines() for server in (node, self.second))
            self.assertGreater(len(wanted), 9)
            check_equal(f"rows of {table}", found, wanted)

    def assert_same_fold(self, node):
        with open(self.folder + "/folded.json") as file:
            persons, events = json.load(file)
        client = node.client()
        check_equal("events", events, pages(client, "/events?limit=997"))
        wanted = pages(client, "/persons?limit=50")
        for person in wanted:
            for name in ("events", "events_total", "events_next"):
                person.pop(name, None)
        check_equal("persons", persons, wanted)

    def assert_again_is_nothing(self, node):
        first, taken = node.log_records()[0], self.taken()
        query(self.second, f"select daybook_take($${json.dumps(first)}$$)")
        self.assertEqual(self.taken(), taken)
        with self.assertRaisesRegex(AssertionError, f"comes before record {taken + 1}"):
            query(self.second, "select daybook_take($$%s$$)" %
                  json.dumps(dict(first, sequence=taken + 2)))

    def assert_what_is_old_is_forgotten(self):
        """By both, as the record of a forgotten month says."""
        with open(self.folder + "/forget.mjs", "w") as file:
            file.write(FORGET)
        told = subprocess.run(["node", "forget.mjs"], cwd=self.folder, capture_output=True,
                              text=True, check=False, timeout=PATIENCE)
        self.assertRegex(told.stdout, "^of 3,of 4 2\nrecord 6 is sealed: .*--unseal\n$",
                         told.stderr)
        sequences = query(self.second, "select sequence from event order by 1").splitlines()
        kept = sequences[len(sequences) // 2:]
        next_one = {"sequence": self.taken() + 1, "subject_id": str(uuid.uuid4()),
                    "recorded_at": "2026-01-01T00:00:00.000000"}
        query(self.second, "select daybook_take($$%s$$)" % json.dumps(
            {**next_one, "type": "events.expired", "data": {"through": int(kept[0]) - 1}}))
        self.assertEqual(query(self.second, "select sequence from event order by 1")
                         .splitlines(), kept)
        next_one["sequence"] += 1
        with self.assertRaisesRegex(AssertionError, "is sealed: .*--unseal"):
            query(self.second, "select daybook_take($$%s$$)" % json.dumps(
                {**next_one, "type": "person.created", "data": {"key": 1, "sealed": "eA=="}}))

    def test_each_record_comes_about_once(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        writer = Writer(self.nodes.await_leader().client(), chance)
        folds, takes = self.fold(), self.take()
        for number in range(KILLS):
            relay = self.relay(self.nodes.all[number % 2], "--follow")
            for _ in range(ROUNDS):
                writer.write()
            time.sleep(chance.random())
            relay.kill()
            if number % 3 == 2:
                takes.kill()
                takes = self.take()
        writer.ask("POST", "/events", {"event_type": "the last", "anonymous_id": "end"})
        self.assertEqual(self.relay(self.nodes.all[0]).wait(PATIENCE), 0)
        self.assertEqual(folds.wait(PATIENCE), 0)
        follower = self.nodes.followers()[0]
        head = follower.client().get("/health").data["head"]
        follower.wait_for(lambda: self.taken() >= head, f"all {head} are taken")
        self.assert_same_fold(follower)
        self.assert_same_tables(follower)
        self.assert_again_is_nothing(follower)
        self.assert_what_is_old_is_forgotten()


if __name__ == "__main__":
    unittest.main()
