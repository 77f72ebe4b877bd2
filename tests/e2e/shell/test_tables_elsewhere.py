"""Where the tables are is told to who does not know."""

import os
import unittest

from harness import Server
from shell import daybook
from tools import DONE, MISUSED


class TablesElsewhere(unittest.TestCase):
    """Tools that are given the directory of a server, and not where its tables are."""

    def setUp(self):
        self.server = Server(env={"DB_PASS": "hush"})
        self.addCleanup(self.server.close)
        self.path = os.path.join(self.server.data_dir, "database")
        # A log may be made there, whatever else the tests put there.
        open(os.path.join(self.server.data_dir, "log.id"), "w").close()

    def left(self):
        with open(self.path) as file:
            return file.read()

    def untold(self, *arguments):
        env = {name: value for name, value in self.server.env.items()
               if not name.startswith("DB_")}
        return daybook(arguments[0], "--data-dir", self.server.data_dir, *arguments[1:],
                       env=env)

    def test_they_say_where_the_tables_are_and_start_nothing(self):
        self.server.start()
        env = self.server.env
        settings = (f"DB_HOST={env['DB_HOST']} DB_PORT=5432 DB_NAME=daybook "
                    f"DB_USER=daybook DB_SCHEMA={env['DB_SCHEMA']}")
        self.assertEqual(self.left(), settings + "\n")
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        for command in (("status",), ("status", "--json"), ("verify", "--projection"),
                        ("rebuild",), ("rebuild", "--dry-run"), ("replay", "--into", "x"),
                        ("migrate",), ("migrate", "--status"), ("retry",)):
            done = self.untold(*command)
            self.assertEqual((done.returncode, done.stdout), (MISUSED, ""), command)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(f"give {settings}", done.stderr)
            self.assertIn(self.server.data_dir, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.server.data_dir, "postgres")))
        self.assertEqual(self.untold("verify").returncode, DONE)
        self.assertEqual(self.server.run("status").returncode, DONE)

    def test_what_was_left_half_written_is_written_anew(self):
        os.symlink("/dev/full", self.path + ".tmp")
        self.server.start()
        self.assertIn("DB_HOST=", self.left())
        self.assertFalse(os.path.lexists(self.path + ".tmp"))

    def test_a_server_warns_once_where_they_are_elsewhere_and_serves(self):
        warning = "the read tables are elsewhere than at the last start before=private"
        with open(self.path, "w") as file:
            file.write("private\n")
        for _ in range(2):
            self.server.start()
            self.server.stop()
        self.assertEqual(self.server.told().count(warning), 1, self.server.told())

    def test_a_file_that_cannot_be_written_keeps_nobody_from_serving(self):
        os.mkdir(self.path)
        self.server.start()
        self.assertIn("warn note where the read tables are", self.server.told())

    def test_a_private_one_is_found_by_the_directory_alone(self):
        for name in list(self.server.env):
            if name.startswith("DB_"):
                del self.server.env[name]
        self.server.start()
        self.assertEqual(self.left(), "private\n")
        for command in (("status",), ("verify", "--projection")):
            done = self.untold(*command)
            self.assertEqual(done.returncode, DONE, done.stderr)


if __name__ == "__main__":
    unittest.main()
