"""A log that was put back, lost its end, or is a copy: what was acknowledged is never missing
from a read that is answered, and what is another's is never shown."""

import os
import shutil
import subprocess
import unittest

from fold import check_reads
from harness import PATIENCE, PROGRAM, Server
from tables import drop_schemas, query

FAILED, DIFFERENT = 3, 1


class History(unittest.TestCase):
    def setUp(self):
        self.number = 0
        self.server = self.make()

    def make(self, **settings):
        server = Server(env=settings)
        self.addCleanup(server.close)
        self.addCleanup(drop_schemas, server)
        return server

    def start(self, server):
        """Also one that cannot answer reads, and says so."""
        server.spawn()
        server.wait_for(lambda: self.answers(server), "an answer")
        return server

    def answers(self, server):
        if server.process.poll() is not None:
            raise AssertionError(f"serve ended: {server.tail()}")
        try:
            return server.client(timeout=5).get("/health").status in (200, 503)
        except OSError:
            return False

    def add(self, server, count=3):
        """Persons, acknowledged; their emails."""
        client, emails = server.client(), set()
        for _ in range(count):
            self.number += 1
            emails.add(f"p{self.number}@b.test")
            made = client.post("/persons", {"email": f"p{self.number}@b.test",
                                            "first_name": "A", "last_name": "B"})
            self.assertEqual(made.status, 201, made.body)
        return emails

    def shown(self, server):
        """The emails of a read that was answered; None where it was not."""
        answer = server.client().get("/persons?limit=1000")
        if answer.status == 503:
            return None
        self.assertEqual(answer.status, 200, answer.body)
        return {one["email"] for one in answer.data}

    def wait_shown(self, server, emails):
        reads = []

        def is_read():
            reads.append(self.shown(server))
            return reads[-1] is not None
        server.wait_for(is_read, "a read")
        self.assertEqual(reads[-1], emails)

    def assert_refuses(self, server, reason):
        """Reads, health, status and the log of the server say why."""
        server.wait_for(lambda: reason in server.told(), f"'{reason}'")
        # Where it took long to refuse, a read is answered first that it hangs.
        server.wait_for(lambda: reason in server.client().get("/persons").details, "it in reads")
        self.assertEqual(server.client().get("/persons").status, 503)
        health = server.client().get("/health")
        self.assertIn(reason, health.body.decode())
        self.assertNotIn('"status":"ok"', health.body.decode())
        status = server.run("status", check=False)
        self.assertEqual(status.returncode, DIFFERENT, status.stdout)
        self.assertIn(reason, status.stdout)
        self.assertEqual(server.client().get("/log").status, 200)

    def log(self, server):
        return os.path.join(server.data_dir, "log")

    def save(self, server):
        shutil.copytree(self.log(server), self.log(server) + ".saved")

    def put_back(self, server):
        shutil.rmtree(self.log(server))
        shutil.copytree(self.log(server) + ".saved", self.log(server))

    def clone(self, server):
        """Another server with a copy of the data directory, on the same database."""
        other = self.make(**{name: value for name, value in server.env.items()
                             if name.startswith("DB_")})
        shutil.copytree(self.log(server), self.log(other))
        server.bring_keys(other.data_dir)
        return other

    def rebuild_mends(self, server, emails):
        server.run("rebuild")
        self.wait_shown(server, emails)
        emails |= self.add(server)
        self.wait_shown(server, emails)
        server.run("verify", "--projection")
        check_reads(server, server.log_records())

    def test_a_log_put_back_and_grown_past_the_checkpoint(self):
        first = self.add(self.start(self.server))
        self.server.stop()
        self.save(self.server)
        lost = self.add(self.start(self.server))
        self.wait_shown(self.server, first | lost)
        self.server.stop()
        self.put_back(self.server)
        self.start(self.server)
        self.assert_refuses(self.server, "the log ends at 6")
        others = self.add(self.server, 5)
        self.assert_refuses(self.server, "record 12 differs")
        self.assertEqual(self.server.run("verify", "--projection",
                                         check=False).returncode, DIFFERENT)
        self.server.stop()
        self.start(self.server)
        self.assert_refuses(self.server, "record 12 differs")
        self.rebuild_mends(self.server, first | others)
        self.server.kill()
        self.wait_shown(self.start(self.server), self.shown_by_log(self.server))

    def post_and_put_back(self):
        """Six persons are shown, and the log is that of the first three, who are returned."""
        first = self.add(self.start(self.server))
        self.server.stop()
        self.save(self.server)
        self.add(self.start(self.server))
        self.wait_shown(self.server, self.shown_by_log(self.server))
        self.server.stop()
        self.put_back(self.server)
        return first

    def shown_by_log(self, server):
        return {record["data"]["email"] for record in server.log_records()
                if record["type"] == "person.created"}

    def test_a_log_that_grew_before_anybody_compared(self):
        first = self.post_and_put_back()
        elsewhere = dict(self.server.env)
        self.server.env["DB_PORT"] = "1"  # PostgreSQL is away meanwhile
        others = self.add(self.start(self.server), 5)
        self.server.stop()
        self.server.env = elsewhere
        self.start(self.server)
        self.assert_refuses(self.server, "record 12 differs")
        self.rebuild_mends(self.server, first | others)

    def test_clones_that_both_serve_one_database(self):
        first = self.add(self.start(self.server))
        self.wait_shown(self.server, first)
        self.server.stop()
        other = self.clone(self.server)
        self.start(self.server)
        self.wait_shown(self.server, first)
        self.start(other)
        mine, theirs = self.add(self.server), self.add(other)
        self.assertEqual(self.shown(self.server), first | mine)
        self.assert_refuses(other, "held by another server")
        self.assertIn(self.log(self.server), other.told())
        self.assertIn(self.log(self.server), other.run("status", check=False).stdout)
        refused = other.run("rebuild", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(self.log(self.server), refused.stderr)
        self.assertEqual(self.shown(self.server), first | mine)
        self.server.stop()
        self.assert_refuses(other, "record 12 differs")
        self.rebuild_mends(other, first | theirs)

    def test_the_other_takes_over_where_the_history_is_the_same(self):
        first = self.add(self.start(self.server))
        self.wait_shown(self.server, first)
        self.server.stop()
        other = self.clone(self.server)
        self.start(self.server)
        self.wait_shown(self.server, first)
        self.start(other)
        theirs = self.add(other)
        self.assertIsNone(self.shown(other))
        self.server.kill()
        self.wait_shown(other, first | theirs)
        self.start(self.server)
        self.assert_refuses(self.server, "held by another server")
        other.stop()
        self.assert_refuses(self.server, "the log ends at 6")

    def test_a_server_of_another_log(self):
        first = self.add(self.start(self.server))
        other = self.make(DB_SCHEMA=self.server.env["DB_SCHEMA"])
        other.flags = ["--new"]  # else it takes its log for lost
        self.add(self.start(other))
        self.assert_refuses(other, "held by another server")
        self.server.stop()
        self.assert_refuses(other, "belong to another log")
        self.wait_shown(self.start(self.server), first)

    def test_a_killed_server_takes_over_again(self):
        emails = set()
        for _ in range(3):
            emails |= self.add(self.start(self.server))
            self.wait_shown(self.server, emails)
            self.server.kill()
        self.wait_shown(self.start(self.server), emails)

    def test_its_session_cut_off_it_goes_on(self):
        emails = self.add(self.start(self.server))
        self.wait_shown(self.server, emails)
        query(self.server, "select pg_terminate_backend(pid) from pg_locks where locktype ="
                           " 'advisory' and (classid::bigint << 32 | objid::bigint) ="
                           " hashtextextended('daybook projector "
                           f"{self.server.env['DB_SCHEMA']}', 0)")
        emails |= self.add(self.server)
        self.wait_shown(self.server, emails)

    def test_older_tables_go_on(self):
        emails = self.add(self.start(self.server))
        self.wait_shown(self.server, emails)
        self.server.stop()
        for _ in range(2):  # to tables that cannot be read as they are
            self.assertIn("taken back", self.server.run("migrate", "--down").stdout)
        self.assertIn("daybook migrate",
                      self.server.run("status", check=False).stderr)
        self.start(self.server)
        self.wait_shown(self.server, emails)
        emails |= self.add(self.server)
        self.wait_shown(self.server, emails)
        self.assertNotIn("made again", self.server.told())

    def test_who_follows_the_log_is_told_that_it_is_another(self):
        self.add(self.start(self.server))
        self.server.stop()
        self.save(self.server)
        for command in (("log", "tail", "-f"), ("export", "--follow")):
            running = subprocess.Popen(
                [PROGRAM, *command, "--data-dir", self.server.data_dir],
                env=self.server.env, cwd="/", stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            self.assertIn("person.created", running.stdout.readline())
            self.put_back(self.server)
            told = running.communicate(timeout=PATIENCE)[1]
            self.assertEqual(running.returncode, FAILED, told)
            self.assertIn("replaced", told)

    def test_a_replay_that_follows_ends_where_the_log_was_replaced(self):
        self.add(self.start(self.server))
        self.server.stop()
        self.save(self.server)
        schema = self.server.env["DB_SCHEMA"][:40] + "_then"
        running = subprocess.Popen(
            [PROGRAM, "replay", "--into", schema, "--follow", "--data-dir",
             self.server.data_dir], env=self.server.env, cwd="/",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("following the log", running.stderr.readline())
        self.put_back(self.server)
        told = running.communicate(timeout=PATIENCE)[1]
        self.assertEqual(running.returncode, FAILED, told)
        self.assertIn("replaced", told)

    def test_a_version_from_before_is_not_taken_for_another(self):
        client = self.start(self.server).client()
        made = client.post("/persons", {"email": "p@b.test", "first_name": "A",
                                        "last_name": "B"})
        path = "/persons/" + made.data["id"]
        self.server.stop()
        self.save(self.server)
        client = self.start(self.server).client()
        tags = [client.patch(path, {"first_name": "C"}).headers["ETag"],
                client.get(path).headers["ETag"]]
        self.server.stop()
        self.put_back(self.server)
        client = self.start(self.server).client()
        now = client.patch(path, {"first_name": "D"}).headers["ETag"]
        self.assertEqual(now.split("-")[0], tags[0].split("-")[0])
        for tag in tags:
            self.assertEqual(client.patch(path, {"last_name": "E"}, If_Match=tag).status,
                             412)
        self.assertEqual(client.patch(path, {"last_name": "E"}, If_Match=now).status, 200)

    def test_a_log_that_is_lost_is_known_by_older_tables_too(self):
        self.add(self.start(self.server))
        self.wait_shown(self.server, self.shown_by_log(self.server))
        self.server.stop()
        self.server.run("migrate", "--down")  # which empties them
        query(self.server, "update checkpoint set sequence = 6")
        for name in os.listdir(self.server.data_dir):  # as a disk that is not mounted
            path = os.path.join(self.server.data_dir, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif name != "serve.log":
                os.unlink(path)
        self.server.spawn()
        self.assertEqual(self.server.process.wait(PATIENCE), FAILED)
        self.server.process = None
        self.assertIn("up to record 6", self.server.told())

    def test_kept_tables_of_a_history_that_is_gone_stay_where_they_are(self):
        first = self.post_and_put_back()
        self.start(self.server)
        self.server.run("rebuild", "--keep-old")
        self.wait_shown(self.server, first)
        first |= self.add(self.server, 6)
        undone = self.server.run("rebuild", "--undo", check=False)
        self.assertEqual(undone.returncode, FAILED, undone.stderr)
        self.assertIn("record 12 differs", undone.stderr)
        self.wait_shown(self.server, first)


if __name__ == "__main__":
    unittest.main()
