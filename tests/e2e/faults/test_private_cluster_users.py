"""The private PostgreSQL and those who use it, servers and tools, which come and go."""

import os
import random
import signal
import subprocess
import unittest

from harness import PATIENCE, PROGRAM, UNSEALED
from postgres import parent_of, postmaster_of, processes_in, signal_all, wait_for_none
from private import ROUNDS, SEED, WithPrivateCluster
from test_postgres import write_read


def is_postmaster(pid):
    """Or one that it has just forked: the others have another title."""
    try:
        with open(f"/proc/{pid}/cmdline") as line:
            return line.read().split("\0")[1:2] == ["-D"]
    except OSError:
        return False  # it has ended


class Users(WithPrivateCluster):
    settings = UNSEALED  # to a sealed log the generator cannot add

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
            self.server.wait_for(
                lambda: self.server.client().get("/persons?limit=1").status == 200, "reads")
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

    def hold_swap(self):
        """No new tables are put in place before the private PostgreSQL ends."""
        holder = subprocess.Popen(
            ["psql", "-h", self.cluster, "-U", "daybook", "-d", "postgres", "-qAt"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(holder.communicate)
        holder.stdin.write("select 'held' from pg_advisory_lock("
                           "hashtextextended('daybook migration daybook', 0));\n")
        holder.stdin.flush()
        self.assertEqual(holder.stdout.readline(), "held\n")

    def test_a_rebuild_begins_anew_when_the_server_stops(self):
        self.server.stop()
        subprocess.run([os.environ["DAYBOOK_GENERATE"], "--data-dir", self.server.data_dir,
                        "--events", "5000"], check=True, stdout=subprocess.DEVNULL)
        self.server.start()
        self.hold_swap()  # else it may be done before
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


if __name__ == "__main__":
    unittest.main()
