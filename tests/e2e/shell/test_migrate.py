"""daybook migrate: up, down, beside a server."""

import os
import subprocess
import unittest

from harness import PATIENCE, PROGRAM, Server
from tools import DIFFERENT, DONE, FAILED, MISUSED


class Migrate(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def migrate(self, *arguments):
        return self.server.run("migrate", *arguments, check=False)

    def test_up_status_down_and_up_again(self):
        self.assertEqual(self.migrate("--status").returncode, DIFFERENT)
        up = self.migrate()
        self.assertEqual(up.returncode, DONE, up.stderr)
        self.assertIn("applied  0001 person_and_event", up.stdout)
        self.assertEqual(self.migrate("--status").returncode, DONE)
        again = self.migrate()
        self.assertEqual((again.returncode, again.stdout),
                         (DONE, "nothing to apply: the schema is up to date\n"))
        self.assertIn("applied  0002 checkpoint_names_history", up.stdout)
        self.assertIn("applied  0003 anonymous_external_traits", up.stdout)
        self.assertIn("applied  0004 event_statistics", up.stdout)
        self.assertIn("applied  0005 persons_by_index", up.stdout)
        self.assertIn("applied  0006 events_by_day", up.stdout)
        self.assertIn("applied  0007 fewer_indexes", up.stdout)
        self.assertIn("applied  0008 restricted", up.stdout)
        back = self.migrate("--down")
        self.assertEqual(back.returncode, DONE, back.stderr)
        self.assertIn("taken back", back.stdout)
        status = self.migrate("--status")
        self.assertEqual(status.returncode, DIFFERENT)
        self.assertIn("(not applied)", status.stdout)
        self.assertEqual(self.migrate("--down", "99").returncode, DONE)
        self.assertEqual(self.migrate().returncode, DONE)

    def test_two_at_once_apply_each_migration_once(self):
        for _ in range(3):
            both = [subprocess.Popen(
                [PROGRAM, "migrate", "--data-dir", self.server.data_dir],
                env=self.server.env, cwd="/", text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT) for _ in range(4)]
            said = [one.communicate(timeout=PATIENCE)[0] for one in both]
            self.assertEqual([one.returncode for one in both], [DONE] * 4, said)
            self.assertEqual("".join(said).count("applied  0001"), 1, said)
            self.assertEqual(self.migrate("--down", "99").returncode, DONE)

    def test_after_down_a_server_makes_the_tables_again_from_the_log(self):
        self.server.start()
        client = self.server.client()
        person = client.post("/persons", {"email": "a@b.test", "first_name": "A",
                                          "last_name": "B"}).data
        self.server.stop()
        self.assertEqual(self.migrate("--down", "99").returncode, DONE)
        self.server.start()
        self.assertEqual(self.server.client().get("/persons").data, [person])

    def test_down_is_refused_beside_a_server(self):
        """Its own, and one that posts to the same tables from elsewhere."""
        self.server.start()
        client = self.server.client()
        client.post("/persons", {"email": "a@b.test", "first_name": "A", "last_name": "B"})
        self.assertEqual(client.get("/persons").status, 200)
        other = Server(env=self.server.env)
        self.addCleanup(other.close)
        for server, words in (self.server, "is served already"), (other, "posts to these"):
            refused = server.run("migrate", "--down", check=False)
            self.assertEqual(refused.returncode, 3, refused.stdout)
            self.assertIn(words, refused.stderr)
        self.assertEqual(client.get("/persons").status, 200)
        self.assertEqual(self.migrate("--status").returncode, DONE)

    def test_new_writes_the_files_of_the_next_migration(self):
        made = self.migrate("new", "Add a Country!", "--dir", self.server.data_dir)
        self.assertEqual(made.returncode, DONE, made.stderr)
        names = [name for name in os.listdir(self.server.data_dir)
                 if name.endswith(".sql")]
        self.assertEqual(sorted(names), ["0001_add_a_country.down.sql",
                                         "0001_add_a_country.up.sql"])
        for wrong in (("new",), ("new", "  !"), ("new", "a", "b"), ("old",)):
            self.assertEqual(self.migrate(*wrong).returncode, MISUSED, wrong)

    def test_postgres_away_is_a_failure(self):
        self.server.env["DB_HOST"] = "/tmp/daybook-nobody-here"
        done = self.migrate()
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("daybook migrate:", done.stderr)


if __name__ == "__main__":
    unittest.main()
