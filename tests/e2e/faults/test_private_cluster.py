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

from fold import check_reads
from harness import PATIENCE, PROGRAM, Server
from load import Load, check_marks, check_promises
from postgres import postmaster_of, processes_in, signal_all, wait_for_none
from reads import Reads
from test_postgres import paths, says_unavailable, write_read

ROUNDS = int(os.environ.get("DAYBOOK_PRIVATE_ROUNDS", 3))
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


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
            self.server.wait_for(lambda: client.get("/persons?limit=1").status == 200,
                                 "the return of reads")
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

    def follow(self, schema):
        """A replay that goes on, and uses the private PostgreSQL meanwhile."""
        follower = subprocess.Popen(
            [PROGRAM, "replay", "--data-dir", self.server.data_dir, "--into", schema,
             "--follow"], env=self.server.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self.server.log)
        self.addCleanup(follower.wait, PATIENCE)
        self.addCleanup(follower.kill)
        self.server.wait_for(lambda: self.has_schema(schema), f"the schema {schema}")
        return follower

    def has_schema(self, schema):
        found = subprocess.run(
            ["psql", "-h", self.cluster, "-U", "daybook", "-d", "postgres", "-Atc",
             f"select to_regclass('{schema}.checkpoint')"],
            capture_output=True, text=True, check=False, timeout=PATIENCE)
        return found.stdout.strip() == f"{schema}.checkpoint"

    def test_a_tool_that_ends_leaves_it_to_the_server(self):
        write_read(self, self.server.client(), "a@b.test")
        self.server.stop()
        tool = self.follow("followed")  # which starts it
        before = postmaster_of(self.cluster)
        self.server.start()
        tool.send_signal(signal.SIGINT)
        self.assertEqual(tool.wait(PATIENCE), 0)
        self.assertEqual(postmaster_of(self.cluster), before)
        write_read(self, self.server.client(), "b@b.test")
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
            time.sleep(0.5)  # long enough for a stop to be seen
            self.assertEqual(postmaster_of(self.cluster), before)
            self.assertIsNone(second.poll(), self.server.tail())
            self.server.run("rebuild")
            second.send_signal(how)
            self.assertEqual(second.wait(PATIENCE),
                             0 if how == signal.SIGINT else -signal.SIGKILL)
            wait_for_none(self.cluster)

    def test_its_keeper_killed_the_server_starts_another(self):
        client = self.server.client()
        write_read(self, client, "a@b.test")
        before = postmaster_of(self.cluster)
        with open(f"/proc/{before}/stat") as stat:
            keeper = int(stat.read().rsplit(")", 1)[1].split()[1])
        self.assertNotEqual(keeper, self.server.process.pid)
        os.kill(keeper, signal.SIGKILL)
        self.server.wait_for(lambda: "is gone: starting it again" in self.server.told(),
                             "the word of it")
        # Until it is ended, the one before may answer.
        self.server.wait_for(lambda: self.another_runs(before), "another one")
        self.server.wait_for(lambda: client.get("/persons?limit=1").status == 200,
                             "the return of reads")

    def another_runs(self, before):
        try:
            return postmaster_of(self.cluster) != before
        except (OSError, ValueError):
            return False  # the file is being replaced

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
