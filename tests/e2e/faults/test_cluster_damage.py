"""The private PostgreSQL is disposable: where it cannot run, or must not grow, writes and
the log go on, reads say why, and it comes back by itself with what the log says."""

import os
import signal
import socket
import subprocess
import threading
import unittest
import uuid

from fold import check_reads
from harness import Server
from postgres import processes_in, signal_all
from test_disk_full import mount

DETAILS = {"SHOW_ERROR_DETAILS": "true"}


class Cluster(unittest.TestCase):
    def make(self, **options):
        options.setdefault("env", DETAILS)
        self.server = Server(private=True, **options)
        self.cluster = os.path.join(self.server.data_dir, "postgres")
        self.addCleanup(self.end)

    def end(self):
        try:
            self.server.close()
        finally:
            signal_all(processes_in(self.server.data_dir), signal.SIGKILL)

    def write(self):
        made = self.server.client().post("/persons", {
            "email": f"{uuid.uuid4()}@b.test", "first_name": "A", "last_name": "B"})
        self.assertEqual(made.status, 201, made.body)

    def read(self):
        return self.server.client().get("/persons")

    def assert_only_the_log(self, words):
        """Writes and the log go on; reads say, in these words, why they do not."""
        self.write()
        self.server.wait_for(lambda: words in self.read().body.decode(),
                             f"{words} as the answer of a read")
        self.assertEqual(self.read().status, 503)
        client = self.server.client()
        events = [record["subject_id"] for record in client.get("/log").data
                  if record["type"] == "event.recorded"]
        self.assertEqual(client.get(f"/events/{events[-1]}").status, 200)

    def assert_all(self):
        self.write()
        self.server.wait_for(lambda: self.read().status == 200, "reads")
        check_reads(self.server, self.server.log_records())


class Away(Cluster):
    def test_where_it_has_no_place_the_server_serves_the_log(self):
        self.make(flags=["--cluster-dir", "/nonexistent/cluster"])
        self.server.start()
        self.assert_only_the_log("/nonexistent/cluster")

    def test_in_a_place_of_its_own(self):
        self.make()
        place = os.path.join(self.server.data_dir, "elsewhere")
        self.server.flags = ["--cluster-dir", place]
        self.server.start()
        self.assert_all()
        self.assertFalse(os.path.exists(self.cluster))
        self.assertTrue(os.path.exists(os.path.join(place, "postgres", "PG_VERSION")))
        self.server.stop()

    def test_its_files_damaged_before_a_start(self):
        self.make()
        self.server.start()
        self.write()
        self.server.stop()
        with open(os.path.join(self.cluster, "global", "pg_control"), "r+b") as file:
            file.write(bytes(512))
        self.server.start()
        self.assert_all()
        self.assertTrue(os.path.exists(self.cluster + ".damaged"))
        status = self.server.run("status").stdout
        self.assertRegex(status, r"\ncluster  .* of which [0-9.]+ [KMG]iB write-ahead log")
        self.assertIn("\nset aside ", status)

    def test_its_files_taken_away_under_it(self):
        self.make()
        self.server.start()
        self.write()
        subprocess.run(["rm", "-rf", self.cluster], check=False)
        self.server.wait_for(lambda: "were taken away" in self.server.told(), "its notice")
        self.assert_all()

    def test_pages_damaged_under_it(self):
        """All of the database's, and its memory is lost, so that it has to read them."""
        self.make()
        self.server.start()
        self.write()
        self.assertEqual(self.read().status, 200)
        self.server.stop()
        base = os.path.join(self.cluster, "base")
        for directory, _, names in os.walk(base):
            for name in names:
                path = os.path.join(directory, name)
                if name[0].isdigit() and os.path.getsize(path) >= 8192:
                    with open(path, "r+b") as file:
                        file.seek(4096)
                        file.write(b"damage")
        self.server.start()
        self.assert_all()
        self.assertIn("damage", self.server.told())


class Environment(Cluster):
    def test_none_of_libpqs_counts(self):
        with socket.create_server(("127.0.0.1", 0)) as hole:
            port = str(hole.getsockname()[1])
            asked = []

            def take():
                try:
                    while True:
                        asked.append(hole.accept()[0])
                except OSError:
                    pass

            thread = threading.Thread(target=take, daemon=True)
            thread.start()
            self.make(env=dict(
                DETAILS, PGHOST="127.0.0.1", PGHOSTADDR="127.0.0.1", PGPORT=port,
                PGUSER="stranger", PGDATABASE="template1", PGPASSWORD="x",
                PGSERVICE="elsewhere", PGOPTIONS="-c default_transaction_read_only=on",
                PGSSLMODE="verify-full", PGGSSENCMODE="require", PGREQUIREPEER="nobody",
                PGCHANNELBINDING="require", PGTARGETSESSIONATTRS="standby",
                PGCLIENTENCODING="LATIN1", PGDATESTYLE="German", PGTZ="Asia/Tokyo",
                PGDATA="/nonexistent", PGAPPNAME="stranger", PGCONNECT_TIMEOUT="1",
                PGSSLROOTCERT="/nonexistent", PGSYSCONFDIR="/nonexistent",
                LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8", TZ="Asia/Tokyo"))
            home = self.server.data_dir
            self.server.env["PGSERVICEFILE"] = os.path.join(home, ".pg_service.conf")
            self.server.env["PGPASSFILE"] = os.path.join(home, ".pgpass")
            with open(os.path.join(home, ".pg_service.conf"), "w") as file:
                file.write(f"[elsewhere]\nhost=127.0.0.1\nport={port}\nuser=stranger\n")
            with open(os.path.join(home, ".pgpass"), "w") as file:
                file.write("*:*:*:*:x\n")
            self.server.start()
            self.assert_all()
            for arguments in (["status"], ["rebuild"], ["verify", "--projection"]):
                self.server.run(*arguments)
            self.server.stop()
            self.assertEqual(asked, [])


class Room(Cluster):
    """On a file system that is small, which takes the right to mount one."""

    def setUp(self):
        self.make()
        self.disk = self.server.data_dir
        if not mount(self.disk, "-t", "tmpfs", "-o", "size=100m,mode=0755", "tmpfs"):
            self.skipTest("no right to mount a file system")
        # The harness's own file lies below it now, out of the way.

    def end(self):
        try:
            super().end()
        finally:
            subprocess.run(["umount", "-q", "-l", self.disk], check=False)

    def size(self, mib):
        self.assertTrue(mount(self.disk, "-o", f"remount,size={mib}m"))

    def test_without_room_for_it_the_server_serves_the_log(self):
        self.server.start()
        self.assert_only_the_log("needs 128 MiB")
        self.size(600)
        self.assert_all()

    def test_the_last_of_the_disk_is_the_logs(self):
        self.size(600)
        self.server.start()
        self.assert_all()
        free = os.statvfs(self.disk)
        hog = os.path.join(self.disk, "hog")
        with open(hog, "wb") as file:
            os.posix_fallocate(file.fileno(), 0,
                               free.f_bavail * free.f_frsize - (40 << 20))
        self.assert_only_the_log("are kept for the log")
        for tool in (["rebuild"], ["replay", "--into", "other"]):
            stopped = self.server.run(*tool, check=False)
            self.assertEqual(stopped.returncode, 3)
            self.assertIn("are kept for the log", stopped.stderr)
        os.remove(hog)
        self.assert_all()

    def test_tokens_are_revoked_and_the_log_is_checked_on_a_full_disk(self):
        self.size(600)
        self.server.start()
        self.assert_all()
        self.server.stop()
        for name in ("kept", "lost"):
            self.server.run("token", "create", name, "--scope", "read")
        hog = os.path.join(self.disk, "hog")
        with open(hog, "wb") as file:
            free = os.statvfs(self.disk)
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
        self.assertEqual(os.statvfs(self.disk).f_bavail, 0)
        self.server.run("verify")  # in TMPDIR, where there is room
        self.server.run("token", "revoke", "lost")
        listed = self.server.run("token", "list").stdout
        self.assertIn("kept", listed)
        self.assertNotIn("lost", listed)
        os.remove(hog)
        self.server.run("token", "create", "lost", "--scope", "read")
        self.assertIn("lost", self.server.run("token", "list").stdout)


if __name__ == "__main__":
    unittest.main()
