"""The private PostgreSQL: it lives and dies with its server, and comes back by itself."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import unittest

from fold import check_reads
from harness import PATIENCE, PROGRAM, Server
from load import Load, check_marks, check_promises
from postgres import postmaster_of, processes_in, wait_for_none
from private import ROUNDS, SEED, WithPrivateCluster
from reads import Reads
from test_postgres import paths, says_unavailable, write_read


class PrivateCluster(WithPrivateCluster):
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
        load = Load(self.server, SEED, pause=0.02).start()

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

    def open_by(self, pids):
        """What they have open; those that end meanwhile have nothing."""
        for pid in pids:
            try:
                links = [os.readlink(entry) for entry in
                         glob.glob(f"/proc/{pid}/fd/*")]
            except FileNotFoundError:
                links = []
            yield from links

    def test_it_listens_on_no_port(self):
        ours = set(processes_in(self.cluster))
        listening = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table) as lines:
                listening |= {line.split()[9] for line in list(lines)[1:]
                              if line.split()[3] == "0A"}
        for link in self.open_by(ours):
            self.assertNotIn(link.removeprefix("socket:[").removesuffix("]"), listening)


if __name__ == "__main__":
    unittest.main()
