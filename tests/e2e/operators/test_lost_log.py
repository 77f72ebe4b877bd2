"""A log that is lost is not one that was never there."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness import PATIENCE, PROGRAM, Server, free_port
from served import person
from tools import FAILED, ToolCase, environment

READERS = [["status"], ["export"], ["log", "tail"], ["log", "show", "1"], ["verify"],
           ["verify", "--projection"], ["rebuild"], ["replay", "--into", "a", "--to", "1"],
           ["backup", "somewhere"], ["retry"]]
SIGNS = ["tokens", "database", "postgres", "postgres.log", "postgres.lock", "serve.lock",
         "log/lock.mdb", "log/data.mdb", "log.tmp"]


def tree(path):
    """All that is below it."""
    return sorted(os.path.join(at, name) for at, dirs, files in os.walk(path)
                  for name in dirs + files)


def serve(test, server, *flags, status=FAILED):
    """Where it is to refuse. What it said."""
    done = subprocess.run(
        [PROGRAM, "serve", "--data-dir", server.data_dir, "--port", str(server.port),
         *flags], env=server.env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=PATIENCE, check=False)
    test.assertEqual(done.returncode, status, done.stderr)
    return done.stderr


class Lost(unittest.TestCase):
    """With tables that DB_HOST has, and a backup."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        client = self.server.client()
        for _ in range(3):
            self.assertEqual(client.post("/persons", person()).status, 201)
        self.dir = tempfile.mkdtemp(prefix="daybook-lost-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.backup = os.path.join(self.dir, "backup")
        self.server.run("backup", self.backup)
        self.server.wait_for(lambda: self.status()["lag"] == 0, "posting")
        self.store_id = self.status()["store_id"]
        self.server.stop()
        self.log = os.path.join(self.server.data_dir, "log")

    def status(self):
        return json.loads(self.server.run("status", "--json", check=False).stdout)

    def lose(self, how):
        data = os.path.join(self.log, "data.mdb")
        if how == "removed":
            os.remove(data)
        elif how == "emptied":
            os.truncate(data, 0)
        elif how == "cut":
            os.truncate(data, 100)
        elif how == "folder":
            shutil.rmtree(self.log)
        elif how == "unmounted":
            for name in os.listdir(self.server.data_dir):
                path = os.path.join(self.server.data_dir, name)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                elif name != "serve.log":
                    os.remove(path)

    def test_nothing_is_begun_where_one_was(self):
        kept = os.path.join(self.dir, "kept")
        shutil.copytree(self.server.data_dir, kept)
        for how in ("removed", "emptied", "cut", "folder", "unmounted"):
            with self.subTest(how):
                self.lose(how)
                before = tree(self.server.data_dir)
                said = serve(self, self.server)
                self.assertIn(os.path.realpath(self.server.data_dir), said)
                if how != "cut":
                    self.assertIn("daybook restore", said)
                    self.assertIn(self.store_id, said)
                self.assertEqual(tree(self.server.data_dir), before)
                shutil.rmtree(self.server.data_dir)
                shutil.copytree(kept, self.server.data_dir)

    def test_tools_say_so_and_make_none(self):
        self.lose("folder")
        persons = os.path.join(self.dir, "persons")
        with open(persons, "w") as file:
            file.write("{}\n")
        before = tree(self.server.data_dir)
        for arguments in [*READERS[:-1], ["import", persons]]:  # retry needs no log
            with self.subTest(arguments):
                done = self.server.run(*arguments, check=False)
                self.assertEqual(done.returncode, FAILED, done.stderr)
                self.assertIn("log.id", done.stderr)
                self.assertIn("daybook restore " + self.backup, done.stderr)
        self.assertEqual(tree(self.server.data_dir), before)

    def test_a_backup_brings_it_back(self):
        self.lose("folder")
        done = self.server.run("restore", self.backup)
        self.assertIn("made a new log in " + os.path.realpath(self.log), done.stderr)
        self.server.run("rebuild")
        self.server.start()
        self.assertEqual(len(self.server.client().get("/persons").data), 3)

    def begin_anew(self):
        """Once the keys of the other log, which its backups need, are out of the way."""
        self.lose("folder")
        self.server.flags = ["--new"]
        self.assertIn("keys has the ring of another log", serve(self, self.server, "--new"))
        os.rename(os.path.join(self.server.data_dir, "keys"), os.path.join(self.dir, "keys"))

    def test_a_new_one_begins_where_that_is_asked_for(self):
        self.begin_anew()
        self.server.start()
        told = self.server.told()
        self.assertIn("warn made a new log in " + os.path.realpath(self.log), told)
        self.assertIn("until daybook rebuild replaces them", told)
        client = self.server.client()
        self.assertEqual(client.get("/persons").status, 503)
        # What is left of the other log goes only when somebody says so.
        done = self.server.run("rebuild", check=False)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIn(self.store_id, done.stderr)
        self.assertIn("--force", done.stderr)
        self.assertEqual(client.post("/persons", person()).status, 201)
        done = self.server.run("rebuild")
        self.assertIn("another log, " + self.store_id, done.stderr)
        self.server.wait_for(lambda: client.get("/persons").status == 200, "reads")
        self.assertEqual(len(client.get("/persons").data), 1)
        self.server.stop()
        # Left in a unit file, it would begin one whenever the disk is away.
        self.assertIn("leave --new out", serve(self, self.server, "--new"))
        self.server.flags = []
        self.server.start()

    def test_empty_tables_come_by_force(self):
        self.begin_anew()
        self.server.start()
        self.server.run("rebuild", "--force")
        client = self.server.client()
        self.server.wait_for(lambda: client.get("/persons").status == 200, "reads")
        self.assertEqual(client.get("/persons").data, [])

    def test_removed_under_a_server_it_takes_no_more_and_tells_what_to_save(self):
        self.server.start()
        client = self.server.client()
        self.assertEqual(client.post("/persons", person()).status, 201)
        self.lose("removed")
        self.assertEqual(client.post("/persons", person()).status, 503)
        self.assertEqual(len(client.get("/log").data), 8)
        time.sleep(2.5)  # a write is tried each second
        health = client.get("/health")
        self.assertEqual(health.status, 503)
        self.assertNotEqual(health.data["writes"], "ok")
        self.assertNotIn("writes to the log work again", self.server.told())
        found = re.search(r"copy (/proc/\d+/fd/\d+) to where it was", self.server.told())
        shutil.copy(found[1], os.path.join(self.dir, "saved"))
        self.server.stop()
        self.assertIn("log.id", serve(self, self.server))
        os.rename(os.path.join(self.dir, "saved"), os.path.join(self.log, "data.mdb"))
        self.server.start()
        self.assertEqual(len(self.server.client().get("/persons").data), 4)

    def test_a_directory_of_before_is_marked_at_its_next_start(self):
        mark = os.path.join(self.server.data_dir, "log.id")
        os.remove(mark)
        self.server.start()
        with open(mark) as file:
            self.assertEqual(file.read(), self.store_id + "\n")
        self.assertEqual(os.stat(mark).st_mode & 0o777, 0o600)
        self.assertNotIn("made a new log", self.server.told().split("stopped")[-1])

    def test_another_log_in_its_place_is_told(self):
        self.lose("folder")
        shutil.copytree(self.backup, self.log)
        self.server.start()  # a copy of a backup is the same log
        self.assertNotIn("another log", self.server.told())
        self.server.stop()
        shutil.rmtree(self.log)
        self.assertIn("it was " + self.store_id,
                      self.server.run("restore", self.backup).stderr)


class First(unittest.TestCase):
    """Starts of what was never there."""

    def fresh(self, **settings):
        server = Server(env=settings)
        self.addCleanup(server.close)
        return server

    def begins(self, server):
        server.start()
        self.assertIn("warn made a new log in " +
                      os.path.realpath(os.path.join(server.data_dir, "log")), server.told())
        server.stop()

    def test_what_a_killed_first_start_leaves_is_begun_again(self):
        for files in ([], [""], ["", "serve.lock"], ["", "serve.lock", "log/"],
                      ["", "serve.lock", "log/lock.mdb"],
                      ["", "serve.lock", "log/lock.mdb", "log/data.mdb"],
                      ["", "log.id.tmp"], ["log/lost+found/"], ["lost+found/"]):
            with self.subTest(files):
                server = self.fresh()
                for name in (name or "log.id" for name in files):
                    path = os.path.join(server.data_dir, name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    if not name.endswith("/"):
                        open(path, "w").close()
                self.begins(server)

    def test_killed_at_any_time_it_starts_again(self):
        server, chance = self.fresh(), random.Random(7)
        for _ in range(8):
            server.spawn()
            time.sleep(chance.random() * 0.3)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(PATIENCE)
            # as if its log had never become durable
            if not os.path.exists(os.path.join(server.data_dir, "log.id")) or \
                    os.path.getsize(os.path.join(server.data_dir, "log.id")) == 0:
                shutil.rmtree(os.path.join(server.data_dir, "log"), ignore_errors=True)
        server.start()

    def test_a_token_may_come_first(self):
        server = self.fresh()
        done = server.run("token", "create", "shop", "--scope", "read")
        self.assertIn("there is no log in " + os.path.realpath(server.data_dir),
                      done.stderr)
        server.run("token", "create", "other", "--scope", "read")
        self.begins(server)

    def test_anything_of_ours_is_a_sign(self):
        for name in SIGNS:
            with self.subTest(name):
                server = self.fresh()
                path = os.path.join(server.data_dir, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w").close()
                os.chmod(path, 0o600)
                if name == "tokens":
                    self.token(path)
                said = serve(self, server)
                self.assertIn(name, said)
                self.assertIn("daybook restore", said)
                self.assertIn("serve --new", said)

    def token(self, path):
        """As a server has left it."""
        os.remove(path)
        elsewhere = tempfile.mkdtemp(prefix="daybook-lost-")
        self.addCleanup(shutil.rmtree, elsewhere, True)
        subprocess.run([PROGRAM, "token", "create", "a", "--scope", "read", "--data-dir",
                        elsewhere], env=environment(), capture_output=True, check=True)
        shutil.copy(os.path.join(elsewhere, "tokens"), path)

    def test_a_link_to_a_disk_that_is_away_is_a_sign(self):
        server = self.fresh()
        os.symlink("/nowhere/log", os.path.join(server.data_dir, "log"))
        self.assertIn("which has log:", serve(self, server))

    def test_a_cluster_that_lies_elsewhere_is_a_sign(self):
        server = self.fresh()
        elsewhere = tempfile.mkdtemp(prefix="daybook-lost-")
        self.addCleanup(shutil.rmtree, elsewhere, True)
        os.mkdir(os.path.join(elsewhere, "postgres"))
        for name in list(server.env):
            if name.startswith("DB_"):
                del server.env[name]
        server.env["CLUSTER_DIR"] = elsewhere
        self.assertIn("which has CLUSTER_DIR:", serve(self, server))

    def test_tables_that_cannot_be_asked_keep_nobody_from_starting(self):
        server = self.fresh(DB_HOST="/nowhere")
        self.begins(server)
        self.assertIn("whether tables at DB_HOST know a log is not known", server.told())

    def test_a_new_one_killed_before_it_is_made_needs_no_second_order(self):
        server = self.fresh()
        for name in ("database", "tokens", "log.id"):
            open(os.path.join(server.data_dir, name), "w").close()
        with open(os.path.join(server.data_dir, "tokens"), "w") as file:
            file.write("daybook tokens 1\n")
        os.chmod(os.path.join(server.data_dir, "tokens"), 0o600)
        self.begins(server)


class Mistyped(ToolCase):
    """A data directory that is none."""

    def test_what_reads_makes_none(self):
        for arguments in (["token", "list"], ["token", "revoke", "a"]):
            done = self.run_tool(*arguments, "--data-dir", "typo", status=FAILED)
            self.assertIn(f"{os.path.realpath(self.dir)}/typo: no such directory",
                          done.stderr.decode())
        for arguments in READERS:
            for there in (False, True):
                with self.subTest(arguments, there=there):
                    shutil.rmtree(self.path("typo"), ignore_errors=True)
                    if there:
                        os.mkdir(self.path("typo"))
                    done = self.run_tool(*arguments, "--data-dir", "typo", status=FAILED)
                    self.assertIn(f"in {os.path.realpath(self.dir)}/typo",
                                  done.stderr.decode())
                    self.assertEqual(tree(self.dir), [self.path("typo")] * there)

    def test_one_that_may_not_be_looked_at_is_not_said_to_be_lost(self):
        """As another user, or here by a link to itself: for that holds for root, too."""
        os.mkdir(self.path("a"))
        os.symlink("log", self.path("a", "log"))
        for arguments in (["verify"], ["backup", "copy"], ["clean"], ["audit", "checkpoint"]):
            with self.subTest(arguments):
                said = self.run_tool(*arguments, "--data-dir", "a", status=FAILED).stderr
                self.assertIn(b"look at a/log/data.mdb: ", said)
                self.assertNotIn(b"restore", said)

    def test_what_makes_one_says_where(self):
        self.generate("a", 3)
        export = self.write("a.ndjson", self.export("a"))
        empty = self.write("empty.ndjson", b"\n")
        self.run_tool("backup", "backup", "--data-dir", "a")
        for arguments in (["import", empty, "-"], ["import", export],
                          ["restore", "backup"]):
            with self.subTest(arguments):
                done = self.run_tool(*arguments, "--data-dir", "typo")
                self.assertIn(
                    f"warn made a new log in {os.path.realpath(self.dir)}/typo/log",
                    done.stderr.decode())
                with open(self.path("typo", "log.id")) as file:
                    self.assertEqual(len(file.read()), 37)
                shutil.rmtree(self.path("typo"))
        done = self.run_tool("token", "create", "x", "--scope", "read", "--data-dir",
                             "typo")
        self.assertIn(f"making the data directory {os.path.realpath(self.dir)}/typo",
                      done.stderr.decode())

    def test_a_restore_that_was_killed_is_no_first_start(self):
        os.makedirs(self.path("r", "log.tmp"))
        self.write("r/serve.lock", b"1\n")
        done = subprocess.run([PROGRAM, "serve", "--data-dir", "r", "--port",
                               str(free_port())], env=environment(), cwd=self.dir,
                              capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("log.tmp", done.stderr)


if __name__ == "__main__":
    unittest.main()
