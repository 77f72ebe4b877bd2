"""Rebuilds beside a server that is written to and read from, killed in the middle, undone.

GENERATE is the program that makes up a log.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time
import unittest
import uuid

from fold import check_reads
from harness import PATIENCE, PROGRAM, Server
from load import Load
from postgres import Postgres
from reads import Reads
from tables import Held, drop_schemas, query, rows, schemas, waiting_for

DONE, DIFFERENT, MISUSED, FAILED = 0, 1, 2, 3
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))
ROUNDS = int(os.environ.get("DAYBOOK_REBUILD_ROUNDS", 2))
PAUSE = 0.03  # of each of the clients that write, for what goes on beside them


class Witness(threading.Thread):
    """A client that must read each of its own writes, whatever goes on."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.client = server.client()
        self.stopping = threading.Event()
        self.count, self.wrong = 0, []
        self.person = self.client.post("/persons", {
            "email": f"{uuid.uuid4()}@witness.test", "first_name": "W",
            "last_name": "W"}).data["id"]

    def run(self):
        try:
            while not self.stopping.is_set() and not self.wrong:
                self.turn()
        except Exception as error:  # told by stop()
            self.wrong.append(f"{type(error).__name__}: {error}")

    def turn(self):
        event = self.client.post("/events", {"event_type": "seen",
                                             "person_id": self.person}).data
        self.count += 1
        one = self.client.get("/events/" + event["id"])
        if (one.status, one.data) != (200, event):
            self.wrong.append(f"GET /events/{event['id']}: {one.status} {one.details}")
        person = self.client.get(f"/persons/{self.person}?events_limit=1000")
        seen = [each for each in person.data["events"] if each["event_type"] == "seen"]
        if seen[-1] != event or len(seen) < min(self.count, 1000):
            self.wrong.append(f"{len(seen)} events of {self.count}")

    def stop(self):
        self.stopping.set()
        self.join(PATIENCE)
        assert not self.wrong, self.wrong[:3]
        assert self.count > 0


def fine(answer, took):
    return None if answer.status == 200 else f"status {answer.status}: {answer.details}"


class Case(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.addCleanup(drop_schemas, self.server)
        self.schema = self.server.env["DB_SCHEMA"]

    def generate(self, events):
        subprocess.run([os.environ["GENERATE"], "--data-dir", self.server.data_dir,
                        "--events", str(events), "--seed", str(SEED)], check=True,
                       stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def daybook(self, *arguments, expect=DONE):
        done = self.server.run(*arguments, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def spawn(self, *arguments):
        process = subprocess.Popen(
            [PROGRAM, arguments[0], "--data-dir", self.server.data_dir, *arguments[1:]],
            env=self.server.env, cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def held_swap(self, name):
        """What no tables can be put in place of the schema of that name before."""
        held = Held(self.server, "select pg_advisory_xact_lock("
                    f"hashtextextended('daybook migration {name}', 0))")
        self.addCleanup(held.release)
        return held

    def waiting(self, name, *arguments):
        """A process whose tables are built, and that cannot put them in place of the
        schema of that name before what it waits for is released; and that."""
        held = self.held_swap(name)
        process = self.spawn(*arguments)
        self.server.wait_for(lambda: waiting_for(self.server, held), "the swap")
        self.assertIn(name + "_shadow", query(
            self.server, "select nspname from pg_namespace").split())
        return process, held

    def verify(self):
        self.daybook("verify", "--projection")

    def beside(self):
        """What status tells of our schemas beside the live one."""
        told = json.loads(self.server.run("status", "--json", check=False).stdout)
        return {each["name"]: each for each in told["schemas"]
                if each["name"].startswith((self.schema, "left_by_"))}


class Beside(Case):
    def test_reads_are_right_throughout_and_so_are_the_tables(self):
        self.server.start()
        witness = Witness(self.server)
        witness.start()
        load = Load(self.server, SEED, pause=PAUSE).start()
        load.wait_for_answers(300)
        reads = Reads(self.server, ["/persons?limit=20", "/events?limit=20",
                                    f"/persons/{witness.person}",
                                    "/events?keyword=seen&limit=10",
                                    f"/events?person_id={witness.person}&limit=10"],
                      fine).start()
        for round in range(ROUNDS):
            self.daybook("rebuild", *(["--keep-old"] if round % 2 else []))
            load.wait_for_answers(100)
            if round % 2:
                self.daybook("rebuild", "--undo")
                load.wait_for_answers(100)
        self.verify()
        reads.stop()
        witness.stop()
        load.stop()
        self.assertFalse(load.wrong, load.wrong[:3])
        print(f"{reads.count} reads, the slowest in {reads.slowest:.3f} s; "
              f"{witness.count} writes read back", flush=True)
        posted = json.loads(self.daybook("status", "--json").stdout)
        self.assertEqual(posted["quarantined"], 0)
        records = self.server.log_records()
        check_reads(self.server, records)
        self.verify()

    def test_the_tables_come_back_when_they_are_gone(self):
        self.server.start()
        client = self.server.client()
        person = client.post("/persons", {"email": "a@b.test", "first_name": "A",
                                          "last_name": "B"}).data
        client.get("/persons")
        query(self.server, f"drop schema {self.schema} cascade")
        self.daybook("rebuild")
        self.server.wait_for(lambda: client.get("/persons").status == 200, "reads")
        self.assertEqual(client.get("/persons").data, [person])
        other = client.post("/persons", {"email": "b@b.test", "first_name": "A",
                                         "last_name": "B"}).data
        self.assertEqual(client.get("/persons/" + other["id"]).data, other)
        self.verify()


class Killed(Case):
    def kill_some(self, chance, took):
        for _ in range(ROUNDS):
            process = self.spawn("rebuild", "--keep-old")
            try:
                process.wait(chance.random() * took)
            except subprocess.TimeoutExpired:
                process.kill()
            process.wait()

    def test_posted_rebuilt_and_rebuilt_after_kills_are_the_same_row_by_row(self):
        self.generate(2000)
        self.server.start()
        client = self.server.client()
        client.get("/persons?limit=1", prefer="wait=60")
        posted = rows(self.server)
        self.assertGreater(posted[1].count("\n"), 1000)
        begin = time.monotonic()
        self.daybook("rebuild")
        took = time.monotonic() - begin
        self.assertEqual(rows(self.server), posted)
        self.kill_some(random.Random(SEED), took)
        self.assertEqual(rows(self.server), posted)  # swapped or not, they are whole
        self.daybook("rebuild")
        self.assertEqual(rows(self.server), posted)
        self.assertNotIn(self.schema + "_shadow", schemas(self.server))
        self.verify()

    def test_killed_while_sixteen_clients_write(self):
        self.generate(1000)
        self.server.start()
        witness = Witness(self.server)
        witness.start()
        load = Load(self.server, SEED, pause=PAUSE).start()
        load.wait_for_answers(100)
        begin = time.monotonic()
        self.daybook("rebuild")
        self.kill_some(random.Random(SEED), time.monotonic() - begin)
        self.daybook("rebuild")
        self.verify()
        load.stop()
        witness.stop()
        self.server.client().get("/persons?limit=1", prefer="wait=60")
        posted = rows(self.server)
        self.daybook("rebuild")
        self.assertEqual(rows(self.server), posted)
        self.verify()
        self.assertFalse(load.wrong, load.wrong[:3])


class Stopped(Case):
    def test_ctrl_c_leaves_the_tables_as_they_were(self):
        self.generate(20000)
        self.daybook("rebuild")
        before = query(self.server, "select tableoid from checkpoint")
        for number in (signal.SIGINT, signal.SIGTERM):
            held = self.held_swap(self.schema)  # else it may be done before it is stopped
            process = self.spawn("rebuild")
            self.server.wait_for(lambda: self.schema + "_shadow" in schemas(self.server),
                                 "the schema that is built in")
            process.send_signal(number)
            said, _ = process.communicate(timeout=PATIENCE)
            held.release()
            self.assertEqual(process.returncode, FAILED, said)
            self.assertIn("nothing was changed", said)
            self.assertEqual(schemas(self.server), [self.schema])
            self.assertEqual(query(self.server, "select tableoid from checkpoint"),
                             before)
        self.verify()

    def test_of_two_at_once_the_second_is_refused(self):
        self.generate(1000)
        first, held = self.waiting(self.schema, "rebuild")
        for command in (("rebuild",), ("rebuild", "--dry-run"), ("verify", "--projection"),
                        ("rebuild", "--undo")):
            refused = self.daybook(*command, expect=FAILED)
            self.assertIn("another rebuild", refused.stderr)
        held.release()
        said, _ = first.communicate(timeout=PATIENCE)
        self.assertEqual(first.returncode, DONE, said)
        self.verify()

    def test_a_swap_waits_for_whoever_posts(self):
        self.generate(1000)
        self.daybook("rebuild")
        held = Held(self.server, f"select from {self.schema}.checkpoint for update")
        self.addCleanup(held.release)
        process = self.spawn("rebuild")
        self.server.wait_for(lambda: waiting_for(self.server, held), "waiting for the row")
        self.assertIsNone(process.poll())
        self.assertEqual(schemas(self.server), [self.schema, self.schema + "_shadow"])
        held.release()
        said, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, DONE, said)
        self.verify()


class Shell(Case):
    def test_what_it_did_is_told_in_lines_and_as_json(self):
        self.generate(1000)
        told = json.loads(self.daybook("rebuild", "--json").stdout)
        self.assertEqual(told["sequence"], told["loaded"])
        self.assertEqual((told["quarantined"], told["slow"], told["kept"]),
                         (0, False, None))
        for name, table in (("persons", "person"), ("events", "event")):
            self.assertEqual(str(told[name]),
                             query(self.server, f"select count(*) from {table}"))
        told = json.loads(self.daybook("rebuild", "--keep-old", "--json").stdout)
        self.assertEqual(told["kept"], self.schema + "_old")
        self.assertRegex(self.daybook("rebuild", "--undo").stdout, r"(?m)^kept +the ")
        told = json.loads(self.daybook("rebuild", "--drop-old", "--json").stdout)
        self.assertEqual(told, {"dropped": True})
        self.assertIn("no kept tables",
                      self.daybook("rebuild", "--undo", expect=FAILED).stderr)
        self.assertEqual(schemas(self.server), [self.schema])

    def test_the_kept_tables_have_a_size_in_status(self):
        self.generate(1000)
        self.daybook("rebuild")
        self.daybook("rebuild", "--keep-old")
        kept = self.beside()[self.schema + "_old"]
        self.assertEqual((kept["kind"], kept["in_use"]), ("kept", False))
        self.assertGreater(kept["bytes"], 100_000)
        self.assertRegex(self.server.run("status").stdout,
                         fr"(?m)^kept tables +[0-9.]+ [KM]iB, schema {self.schema}_old; ")

    def test_a_dry_run_tells_the_difference_and_changes_nothing(self):
        self.generate(1000)
        self.assertIn("not there", self.daybook("rebuild", "--dry-run",
                                                expect=DIFFERENT).stdout)
        self.daybook("rebuild")
        self.daybook("rebuild", "--dry-run")
        query(self.server, "update event set event_type = 'x' where id in "
                           "(select id from event order by sequence limit 15)")
        query(self.server, "update event_hour set events = events + 1")
        before = rows(self.server)
        told = json.loads(self.daybook("rebuild", "--dry-run", "--json",
                                       expect=DIFFERENT).stdout)
        self.assertEqual((told["equal"], told["changed"]), (False, 15))
        self.assertEqual({each["columns"] for each in told["differences"]
                          if each["table"] == "event"}, {"event_type"})
        self.assertGreater(told["statistics"], 0)
        self.assertEqual(rows(self.server), before)
        self.assertEqual(schemas(self.server), [self.schema])

    def test_wrong_use_is_told(self):
        self.generate(10)
        for arguments in (("--undo", "--keep-old"), ("--undo", "--dry-run"),
                          ("--drop-old", "--undo")):
            self.assertIn("exclude each other",
                          self.daybook("rebuild", *arguments, expect=MISUSED).stderr)

    def test_without_a_log_nothing_is_made(self):
        self.daybook("rebuild", expect=FAILED)
        self.assertEqual(schemas(self.server), [])

    def test_postgres_away_is_a_failure(self):
        self.generate(10)
        self.server.env["DB_HOST"] = "/tmp/daybook-nobody-here"
        done = self.server.run("rebuild", check=False)
        self.server.env["DB_HOST"] = os.environ["DAYBOOK_TEST_PG"]
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("cannot be reached", done.stderr)


class LeftBehind(Case):
    """In a PostgreSQL of its own, for any rebuild drops what others have left."""

    def setUp(self):
        postgres = Postgres()
        self.addCleanup(postgres.close)
        super().setUp()
        self.server.env.update(postgres.settings())
        self.schema = self.server.env["DB_SCHEMA"]

    def waiting_replay(self):
        """A replay that waits for its swap; its schema; and what it waits for."""
        into = "left_by_" + uuid.uuid4().hex
        process, held = self.waiting(into, "replay", "--into", into)
        self.assertTrue(self.beside()[into + "_shadow"]["in_use"])
        self.assertNotIn(into, self.beside())
        return process, into, held

    def test_what_any_killed_run_has_left_is_dropped_by_the_next(self):
        self.generate(1000)
        self.daybook("rebuild")
        for dropping in (("rebuild",), ("rebuild", "--drop-old"),
                         ("replay", "--into", "left_over_by_another")):
            process, into, held = self.waiting_replay()
            shadow = into + "_shadow"
            process.kill()
            process.wait(PATIENCE)
            held.release()  # else PostgreSQL learns of its client's end after the wait
            self.server.wait_for(lambda: not self.beside()[shadow]["in_use"],
                                 "the end of its connections")
            self.assertRegex(self.server.run("status").stdout,
                             rf"(?m)^left behind +.*, schema {shadow}; ")
            self.assertIn(f"dropped the schema {shadow}", self.daybook(*dropping).stderr)
            self.assertNotIn(shadow, self.beside())
            self.assertNotIn(into, self.beside())
        query(self.server, "set client_min_messages = warning; "
                           "drop schema left_over_by_another cascade")

    def test_what_is_being_built_is_left_alone(self):
        self.generate(1000)
        self.daybook("rebuild")
        process, into, held = self.waiting_replay()
        self.daybook("rebuild")
        self.daybook("rebuild", "--drop-old", expect=FAILED)
        self.assertTrue(self.beside()[into + "_shadow"]["in_use"])
        held.release()
        self.assertEqual(process.wait(PATIENCE), DONE)
        self.assertIn(into, self.beside())
        query(self.server, f"set client_min_messages = warning; drop schema {into} cascade")


class Private(unittest.TestCase):
    def test_without_a_server_the_private_cluster_is_started_and_stopped(self):
        server = Server(private=True).start()
        self.addCleanup(server.close)
        person = server.client().post("/persons", {
            "email": "a@b.test", "first_name": "A", "last_name": "B"}).data
        server.stop()
        told = json.loads(server.run("rebuild", "--json").stdout)
        self.assertEqual((told["persons"], told["events"]), (1, 1))
        server.run("verify", "--projection")
        self.assertFalse(os.path.exists(
            os.path.join(server.data_dir, "postgres", "postmaster.pid")))
        server.start()
        self.assertEqual(server.client().get("/persons").data, [person])
        server.run("rebuild", "--keep-old")
        server.run("rebuild", "--undo")
        self.assertEqual(server.client().get("/persons").data, [person])


class Replay(Case):
    def setUp(self):
        super().setUp()
        self.into = "replay_" + uuid.uuid4().hex
        self.addCleanup(query, self.server,
                        "set client_min_messages = warning; "
                        f"drop schema if exists {self.into} cascade")

    def ask(self, sql):
        return query(self.server, f"set search_path = {self.into}; {sql}")

    def test_the_tables_are_as_they_were(self):
        self.server.start()
        client = self.server.client()
        persons = [client.post("/persons", {"email": f"{i}@b.test", "first_name": "A",
                                            "last_name": "B"}) for i in range(4)]
        client.delete("/persons/" + persons[0].data["id"])
        records = self.server.log_records()
        self.daybook("replay", "--into", self.into, "--to", "4")
        self.assertEqual(self.ask("select count(*), max(sequence) from person"), "2|3")
        self.daybook("replay", "--into", self.into, "--to", records[5]["recorded_at"])
        self.assertEqual(self.ask("select count(*) from person"), "3")
        told = json.loads(self.daybook("replay", "--into", self.into, "--from", "5",
                                       "--json").stdout)
        self.assertEqual((told["schema"], told["sequence"]), (self.into, 9))
        self.assertEqual(self.ask("select count(*), min(sequence) from event"), "2|6")
        self.assertEqual(client.get("/persons").data,
                         [each.data for each in persons[1:]])

    def test_followed_it_is_kept_current_until_ctrl_c(self):
        self.server.start()
        client = self.server.client()
        process = self.spawn("replay", "--into", self.into, "--follow", "--json")
        self.server.wait_for(lambda: self.ask(
            "select to_regclass('checkpoint') is not null") == "t", "the replay")
        for i in range(20):
            client.post("/persons", {"email": f"{i}@b.test", "first_name": "A",
                                     "last_name": "B"})
            if i % 10 == 0:
                self.server.wait_for(lambda: self.ask("select count(*) from person") ==
                                     str(i + 1), "the person's coming")
        self.server.wait_for(lambda: self.ask("select sequence from checkpoint") == "40",
                             "the end")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, DONE, said)
        self.assertEqual(json.loads(said.splitlines()[-1])["sequence"], 40)
        self.assertIn(f"the schema {self.into} is ready, as of record 0", said)
        self.assertNotIn("left", said)

    def test_wrong_use_is_told(self):
        self.generate(10)
        self.daybook("rebuild")
        for arguments, words in (
                ((), "--into SCHEMA is missing"),
                (("--into", "x", "--to", "1", "--follow"), "exclude each other"),
                (("--into", "x", "--to", "soon"), "--to"),
                (("--into", "x", "--to", "99999"), "the log ends with"),
                (("--into", "x", "--from", "99999"), "the log ends with"),
                (("--into", "x", "--from", "4", "--to", "3"), "--from is behind --to"),
                (("--into", "x", "--to", "1999-01-01"), "are later"),
                (("--into", "Not This"), "no name"),
                (("--into", self.schema), "belongs to the live tables")):
            self.assertIn(words, self.daybook("replay", *arguments,
                                              expect=MISUSED).stderr)
        self.assertIn("no replay", self.daybook("replay", "--into", "public",
                                                expect=FAILED).stderr)


if __name__ == "__main__":
    unittest.main()
