"""Whom the program runs as where root starts it, and who may read what it makes."""

import os
import pwd
import random
import socket
import stat
import tempfile
import unittest

from harness import Server
from postgres import postmaster_of
from served import person

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")  # PostgreSQL wants a user with a name
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def statuses(pid):
    """What the kernel says of each thread."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            yield dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def tree(top, but=()):
    """Each path below it with what stat says. What goes away meanwhile is left out."""
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            try:
                if name not in but:
                    yield path, os.lstat(path)
            except FileNotFoundError:
                pass


def free_low_port():
    """One below 1024 that is free now. Others look for one too, so anywhere."""
    for port in random.sample(range(200, 1024), 824):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("no port below 1024 is free")


class Started(unittest.TestCase):
    def new_server(self, **kwargs):
        server = Server(**kwargs)
        self.addCleanup(server.close)
        return server

    def assert_all_belong_to(self, uid, top):
        found = dict(tree(top, but=("serve.log",)))  # which the harness made
        self.assertIn(os.path.join(top, "log", "data.mdb"), found)
        self.assertEqual({path: status.st_uid for path, status in found.items()
                          if status.st_uid != uid}, {})


@unittest.skipUnless(IS_ROOT, "root alone can become another user")
class AsRoot(Started):
    def owned(self, **kwargs):
        """A server whose data directory is nobody's."""
        server = self.new_server(**kwargs)
        server.program = ["setpriv", "--groups", "4,24", "--", *server.program]
        os.chown(server.data_dir, NOBODY.pw_uid, NOBODY.pw_gid)
        return server

    def assert_dropped(self, server):
        seen = 0
        for status in statuses(server.process.pid):
            seen += 1
            self.assertEqual(status["Uid"].split(), 4 * [str(NOBODY.pw_uid)])
            self.assertEqual(status["Gid"].split(), 4 * [str(NOBODY.pw_gid)])
            self.assertEqual(status["Groups"].split(), [])
            self.assertEqual([int(status[name], 16) for name in CAPABILITIES], 5 * [0])
            self.assertEqual(status["NoNewPrivs"], "1")
        self.assertGreater(seen, 4)  # all of its threads

    def test_it_becomes_the_owner_of_its_data_for_good(self):
        server = self.owned(env={"DB_HOST": "/nowhere"}).start()
        self.assert_dropped(server)
        self.assertIn(f"running user={NOBODY.pw_name}", server.told())
        self.assertEqual(server.client().post("/persons", person()).status, 201)
        server.stop()
        self.assertNotIn("running as root", server.told())

    def test_with_all_that_it_runs_and_a_port_below_1024(self):
        server = self.start_low(self.owned(private=True))
        self.assert_dropped(server)
        for status in statuses(postmaster_of(server.data_dir + "/postgres")):
            self.assertEqual(status["Uid"].split(), 4 * [str(NOBODY.pw_uid)])
            self.assertEqual(int(status["CapPrm"], 16), 0)
        client = server.client()
        self.assertEqual(client.post("/persons", person()).status, 201)
        self.assertEqual(client.get("/persons").status, 200)
        server.stop()
        self.assert_all_belong_to(NOBODY.pw_uid, server.data_dir)
        self.assert_commands_leave_nothing_of_roots(server)

    def start_low(self, server):
        """On a port below 1024 that nobody else takes first."""
        while True:
            server.port = free_low_port()
            try:
                return server.start()
            except AssertionError:
                if "is taken" not in server.told():
                    raise
                os.truncate(os.path.join(server.data_dir, "serve.log"), 0)
                server.process = None

    def assert_commands_leave_nothing_of_roots(self, server):
        os.unlink(os.path.join(server.data_dir, "log", "lock.mdb"))
        copy = os.path.join(server.data_dir, "copy")
        for command in (("status",), ("token", "create", "shop", "--scope", "write"),
                        ("verify",), ("migrate",), ("backup", copy),
                        ("export", os.path.join(server.data_dir, "all.ndjson"))):
            server.run(*command)
        self.assertTrue(os.path.exists(os.path.join(copy, "data.mdb")))
        self.assert_all_belong_to(NOBODY.pw_uid, server.data_dir)

    def test_what_the_owner_put_there_is_not_followed_with_roots_rights(self):
        server = self.owned(env={"DB_HOST": "/nowhere"})
        with tempfile.TemporaryDirectory() as secret:  # 0700, root's
            os.symlink(secret, os.path.join(server.data_dir, "log"))
            self.assertEqual(server.run("serve", check=False).returncode, 3)
            self.assertEqual(os.listdir(secret), [])

    def test_what_its_user_may_not_is_told_with_its_name(self):
        server = self.owned(env={"DB_HOST": "/nowhere"}).start()
        server.stop()
        with tempfile.TemporaryDirectory() as closed:  # 0700, root's
            for command in ("backup", "export"):
                done = server.run(command, os.path.join(closed, "new"), check=False)
                self.assertEqual(done.returncode, 3)
                self.assertIn(f"Permission denied (this runs as the user {NOBODY.pw_name})",
                              done.stderr)
                self.assertNotIn("is there already", done.stderr)
            self.assertEqual(os.listdir(closed), [])

    def test_roots_own_directory_is_served_as_root_with_a_warning(self):
        server = self.new_server(env={"DB_HOST": "/nowhere"}).start()
        self.assertIn("warn running as root", server.told())
        server.stop()
        server.flags = ["--run-as", "root"]  # said so: no warning
        os.truncate(os.path.join(server.data_dir, "serve.log"), 0)
        server.start()
        self.assertNotIn("running as root", server.told())

    def test_run_as_makes_a_directory_for_its_user(self):
        server = self.new_server(env={"DB_HOST": "/nowhere"})
        inside = os.path.join(server.data_dir, "a", "b")
        server.flags = ["--run-as", "nobody", "--data-dir", inside]
        server.start()
        self.assert_dropped(server)
        made = os.stat(inside)
        self.assertEqual((made.st_uid, stat.S_IMODE(made.st_mode)), (NOBODY.pw_uid, 0o700))
        self.assertEqual(os.stat(os.path.dirname(inside)).st_uid, 0)
        self.assert_all_belong_to(NOBODY.pw_uid, inside)

    def test_where_others_can_change_the_way_its_user_makes_it(self):
        server = self.new_server(env={"DB_HOST": "/nowhere"})
        above = os.path.join(server.data_dir, "a")
        inside = os.path.join(above, "b")
        os.chown(server.data_dir, NOBODY.pw_uid + 1, NOBODY.pw_gid)
        done = server.run("serve", "--run-as", "nobody", "--data-dir", inside, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("Permission denied", done.stderr)
        self.assertFalse(os.path.exists(above))
        os.chown(server.data_dir, NOBODY.pw_uid, NOBODY.pw_gid)
        server.flags = ["--run-as", "nobody", "--data-dir", inside]
        server.start()
        self.assert_dropped(server)
        self.assertEqual(os.stat(above).st_uid, NOBODY.pw_uid)

    def test_what_cannot_be_is_refused(self):
        server = self.owned(env={"DB_HOST": "/nowhere"})
        for flags, status, saying in (
                (("--run-as", "nobody-of-this-name"), 2, "there is no user"),
                (("--run-as", "root"), 2, "belongs to the user nobody")):
            done = server.run("serve", *flags, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(saying, done.stderr)
        with tempfile.TemporaryDirectory() as closed:  # 0700, root's
            inside = os.path.join(closed, "data")
            os.mkdir(inside)
            os.chown(inside, NOBODY.pw_uid, NOBODY.pw_gid)
            done = server.run("serve", "--data-dir", inside, check=False)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("cannot get to", done.stderr)
            self.assertEqual(os.listdir(inside), [])


@unittest.skipIf(IS_ROOT, "about everybody else")
class AsAnother(Started):
    def test_only_ones_own_name_is_taken(self):
        server = self.new_server(env={"DB_HOST": "/nowhere"})
        done = server.run("serve", "--run-as", "root", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("only root can run as root", done.stderr)
        server.flags = ["--run-as", pwd.getpwuid(os.geteuid()).pw_name]
        server.start()
        server.stop()


class Modes(Started):
    def test_everything_is_its_owners_only_whatever_the_umask(self):
        server = self.new_server(private=True)
        before = os.umask(0)
        try:
            server.run("token", "create", "shop", "--scope", "admin")
            server.start()
            server.run("status")
            copy, export = (os.path.join(server.data_dir, name) for name in ("copy", "out.gz"))
            server.run("backup", copy)
            server.run("export", export)
            server.run("restore", copy, "--data-dir", os.path.join(server.data_dir, "again"))
        finally:
            os.umask(before)
        found = dict(tree(server.data_dir, but=("serve.log",)))
        for name in ("log/data.mdb", "log/lock.mdb", "tokens", "serve.lock", "postgres.lock",
                     "postgres", "postgres.log", "copy/data.mdb", "out.gz",
                     "again/log/data.mdb"):
            self.assertIn(os.path.join(server.data_dir, name), found)
        passed_through = os.path.join(server.data_dir, "again")  # by root's PostgreSQL
        for path, status in found.items():
            if path == passed_through and IS_ROOT:
                self.assertEqual(stat.S_IMODE(status.st_mode), 0o711)
            elif not stat.S_ISSOCK(status.st_mode):  # which lies in a closed directory
                self.assertEqual(stat.S_IMODE(status.st_mode) & 0o77, 0, path)
        server.stop()


if __name__ == "__main__":
    unittest.main()
