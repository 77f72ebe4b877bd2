"""The private PostgreSQL: it lives and dies with its server, and comes back by itself."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest
import uuid

from fold import check_reads
from harness import PATIENCE, PROGRAM, Server
from load import Load, check_marks, check_promises
from postgres import parent_of, postmaster_of, processes_in, signal_all, wait_for_none
from reads import Reads
from test_postgres import paths, says_unavailable, write_read

ROUNDS = int(os.environ.get("DAYBOOK_PRIVATE_ROUNDS", 3))
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


def is_postmaster(pid):
    """Or one that it has just forked: the others have another title."""
    try:
        with open(f"/proc/{pid}/cmdline") as line:
            return line.read().split("\0")[1:2] == ["-D"]
    except OSError:
        return False  # it has ended


class PrivateCluster(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.server = Server(private=True)
        self.cluster = os.path.join(self.server.data_dir, "postgres")
        self.addCleanup(self.end)
        self.server.start()
        # It is started before the first request is answered.
        self.assertIn(postmaster_of(self.cluster), processes_in(self.cluster))

    def end(self):
        try:
            self.server.close()
        finally:
            for pid in processes_in(self.cluster):
                signal_all([pid], signal.SIGKILL)

    def signal_postgres(self, number):
        for pid in [postmaster_of(self.cluster), *processes_in(self.cluster)]:
            signal_all([pid], number)

    def test_the_server_killed_under_load_nothing_is_lost_and_no_postgres_is_left(self):
        chance, load = random.Random(SEED), Load(self.server, SEED).start()
        for round in range(ROUNDS):
            load.wait_for_answers(chance.randint(1, 300))
            self.server.kill()
            promises = load.promises()
            if round % 2:  # else the next server finds the leftover, and deals with it
                wait_for_none(self.cluster)
            self.server.start()
            check_promises(promises, check_marks(self.server.log_records()))
        load.stop()
        records = self.server.log_records()
        load.check(records)
        check_reads(self.server, records)
        self.server.kill()
        wait_for_none(self.cluster)

    def test_killed_under_load_it_comes_back_by_itself(self):
        client = self.server.client()
        person = write_read(self, client, "first@b.test")
        load = Load(self.server, SEED).start()

        def fine_or_unavailable(answer, took):
            return None if answer.status == 200 else says_unavailable(answer, took)

        for round in range(2):
            load.wait_for_answers(100)
            before = postmaster_of(self.cluster)
            self.signal_postgres(signal.SIGKILL)
            reads = Reads(self.server, paths(person), fine_or_unavailable).start()
            load.wait_for_answers(200)
            self.reads_return()
            reads.stop()
            self.assertNotEqual(postmaster_of(self.cluster), before)
            write_read(self, client, f"again{round}@b.test")
        load.stop()
        check_reads(self.server, self.server.log_records())

    def test_stopped_under_load_it_ends_with_the_server(self):
        load = Load(self.server, SEED, may_refuse=True, retry=False).start()
        load.wait_for_answers(200)
        self.server.stop()
        self.assertEqual(processes_in(self.cluster), [])
        load.stop()
        self.server.start()
        records = self.server.log_records()
        load.check(records)
        check_reads(self.server, records)

    def test_interrupted_while_it_is_being_made_nothing_is_left_running(self):
        fresh = Server(private=True)
        self.addCleanup(fresh.close)
        cluster = os.path.join(fresh.data_dir, "postgres")
        for number, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
            told = fresh.told().count("making a private")
            fresh.spawn()
            fresh.wait_for(lambda: fresh.told().count("making a private") > told,
                           "the begin of initdb")
            fresh.process.send_signal(number)
            self.assertEqual(fresh.process.wait(PATIENCE), status, fresh.tail())
            wait_for_none(cluster)
        fresh.start()
        write_read(self, fresh.client(), "a@b.test")

    def test_status_does_not_hang_with_it(self):
        self.signal_postgres(signal.SIGSTOP)
        status = self.server.run("status", "--json", check=False)
        self.signal_postgres(signal.SIGCONT)
        self.assertEqual(status.returncode, 3, status.stderr)
        self.assertEqual(json.loads(status.stdout)["head"], 0)
        self.assertIn("does not accept connections", status.stderr)

    def test_the_read_tables_may_be_thrown_away(self):
        write_read(self, self.server.client(), "a@b.test")
        self.server.stop()
        os.rename(self.cluster, self.cluster + ".gone")
        self.server.start()
        check_reads(self.server, self.server.log_records())

    def tool(self, *arguments):
        """One that uses the private PostgreSQL meanwhile."""
        process = subprocess.Popen(
            [PROGRAM, arguments[0], "--data-dir", self.server.data_dir, *arguments[1:]],
            env=self.server.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self.server.log)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        return process

    def follow(self, schema):
        """A replay that goes on."""
        told = self.follows()
        follower = self.tool("replay", "--into", schema, "--follow")
        self.server.wait_for(lambda: self.follows() > told, f"the schema {schema}")
        return follower

    def ask(self, sql):
        return subprocess.run(
            ["psql", "-h", self.cluster, "-U", "daybook", "-d", "postgres", "-Atc", sql],
            capture_output=True, text=True, check=False, timeout=PATIENCE).stdout.strip()

    def has_schema(self, schema):
        return self.ask(f"select 1 from pg_namespace where nspname = '{schema}'") == "1"

    def postmasters(self):
        processes = processes_in(self.cluster)
        return [pid for pid in processes
                if is_postmaster(pid) and parent_of(pid) not in processes]

    def reads_return(self):
        """Also of what is written now: who posts it sees only then that it has lost its
        connection."""
        client = self.server.client()
        person = client.post("/persons", {"email": f"{uuid.uuid4()}@b.test",
                                          "first_name": "A", "last_name": "B"}).data
        self.server.wait_for(lambda: client.get("/persons/" + person["id"]).status == 200,
                             "the return of reads")

    def another_runs(self, before):
        try:
            return postmaster_of(self.cluster) != before
        except (OSError, ValueError):
            return False  # the file is being replaced

    def wait_for_another(self, before):
        self.server.wait_for(lambda: self.another_runs(before), "another one")
        self.assertLessEqual(len(self.postmasters()), 1)

    def test_a_tool_that_ends_leaves_it_to_the_server(self):
        write_read(self, self.server.client(), "a@b.test")
        for how in (signal.SIGINT, signal.SIGKILL):
            self.server.stop()
            tool = self.follow("followed")  # which starts it
            before = postmaster_of(self.cluster)
            self.server.start()
            tool.send_signal(how)
            self.assertEqual(tool.wait(PATIENCE), 0 if how == signal.SIGINT else -how)
            self.wait_for_another(before)
            self.reads_return()
        self.server.stop()
        self.assertEqual(processes_in(self.cluster), [])

    def test_a_tool_that_ends_leaves_it_to_another_tool(self):
        write_read(self, self.server.client(), "a@b.test")
        self.server.stop()
        for how in (signal.SIGINT, signal.SIGKILL):
            first, second = self.follow("first"), self.follow("second")
            before = postmaster_of(self.cluster)
            first.send_signal(how)
            first.wait(PATIENCE)
            self.wait_for_another(before)
            self.server.run("rebuild")
            self.assertIsNone(second.poll(), self.server.tail())
            second.send_signal(how)
            self.assertEqual(second.wait(PATIENCE),
                             0 if how == signal.SIGINT else -signal.SIGKILL)
            wait_for_none(self.cluster)

    def test_a_tool_goes_on_when_the_server_stops(self):
        write_read(self, self.server.client(), "a@b.test")
        for end in (self.server.stop, self.server.kill):
            tool, before = self.follow("followed"), postmaster_of(self.cluster)
            end()
            self.wait_for_another(before)
            before = postmaster_of(self.cluster)
            self.server.start()  # which uses the tool's
            write_read(self, self.server.client(), f"{before}@b.test")
            head = str(len(self.server.log_records()))
            self.server.wait_for(
                lambda: self.ask("select sequence from followed.checkpoint") == head,
                "the tool to post what was written")
            self.assertEqual(postmaster_of(self.cluster), before)
            tool.send_signal(signal.SIGINT)
            self.assertEqual(tool.wait(PATIENCE), 0, self.server.tail())
            self.wait_for_another(before)
            self.reads_return()

    def follows(self):
        return self.server.told().count("following the log")

    def test_a_rebuild_begins_anew_when_the_server_stops(self):
        self.server.stop()
        subprocess.run([os.environ["DAYBOOK_GENERATE"], "--data-dir", self.server.data_dir,
                        "--events", "50000"], check=True, stdout=subprocess.DEVNULL)
        self.server.start()
        rebuild = self.tool("rebuild")
        self.server.wait_for(lambda: self.has_schema("daybook_shadow"), "the new tables")
        self.server.stop()
        self.assertEqual(rebuild.wait(PATIENCE), 0, self.server.tail())
        self.assertIn("beginning anew", self.server.told())
        self.server.run("verify", "--projection")

    def test_its_owner_stopped_others_go_on(self):
        write_read(self, self.server.client(), "a@b.test")
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            self.server.run("rebuild")
        finally:
            self.server.process.send_signal(signal.SIGCONT)
        write_read(self, self.server.client(), "b@b.test")

    def test_all_killed_at_once_nothing_is_left_running(self):
        tools = [self.follow("first"), self.follow("second")]
        processes = [self.server.process, *tools]
        signal_all([process.pid for process in processes], signal.SIGSTOP)
        signal_all([process.pid for process in processes], signal.SIGKILL)
        for process in processes:
            process.wait(PATIENCE)
        self.server.process = None
        wait_for_none(self.cluster)

    def test_users_that_come_and_go_in_any_order_share_one(self):
        chance = random.Random(SEED)
        write_read(self, self.server.client(), "a@b.test")
        users = {}
        for round in range(4 * ROUNDS):
            name = chance.choice(["serve", "first", "second"])
            if name == "serve" and self.server.process:
                chance.choice([self.server.stop, self.server.kill])()
            elif name == "serve":
                self.server.start()
            elif name in users:
                users.pop(name).send_signal(chance.choice([signal.SIGINT,
                                                           signal.SIGKILL]))
            else:
                users[name] = self.follow(name)
            self.assertLessEqual(len(self.postmasters()), 1)
        if not self.server.process:
            self.server.start()
        self.reads_return()
        self.assertEqual(len(self.postmasters()), 1)
        for tool in users.values():
            self.assertIsNone(tool.poll(), self.server.tail())

    def test_ctrl_c_is_heard_while_it_is_being_made(self):
        fresh = Server(private=True)
        self.addCleanup(fresh.close)
        fresh.start()
        fresh.stop()
        shutil.rmtree(os.path.join(fresh.data_dir, "postgres"))
        verify = subprocess.Popen(
            [PROGRAM, "verify", "--projection", "--data-dir", fresh.data_dir],
            env=fresh.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=fresh.log)
        fresh.wait_for(lambda: glob.glob(fresh.data_dir + "/postgres.tmp.*/global"),
                       "the begin of initdb")
        verify.send_signal(signal.SIGINT)
        self.assertEqual(verify.wait(PATIENCE), 3)
        self.assertFalse(os.path.exists(os.path.join(fresh.data_dir, "postgres")))

    def test_it_listens_on_no_port(self):
        ours = set(processes_in(self.cluster))
        listening = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table) as lines:
                listening |= {line.split()[9] for line in list(lines)[1:]
                              if line.split()[3] == "0A"}
        for pid in ours:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                link = os.readlink(f"/proc/{pid}/fd/{fd}")
                self.assertNotIn(link.removeprefix("socket:[").removesuffix("]"),
                                 listening)


if __name__ == "__main__":
    unittest.main()
