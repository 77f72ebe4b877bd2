"""daybook serve --check: what it would do, and that it does nothing."""

import os
import shutil
import socket
import tempfile
import unittest
import uuid

from harness import Server
from served import person
from test_lost_log import tree


class Check(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def check(self, status, *flags):
        """Each line's verdict and text, by what it is about."""
        before = tree(self.server.data_dir)
        done = self.server.run("serve", "--port", str(self.server.port), "--check", *flags,
                               check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(tree(self.server.data_dir), before)
        return {line.split()[1]: line for line in done.stdout.splitlines()}

    def lives(self):
        self.server.start()
        client = self.server.client()
        self.assertEqual(client.post("/persons", person()).status, 201)
        self.assertEqual(client.get("/persons").status, 200)
        client.close()
        self.server.stop()

    def test_before_the_first_start(self):
        told = self.check(0)
        self.assertIn("DATA_DIR by --data-dir", told["settings"])
        self.assertIn("warn   log        there is none", told["log"])
        self.assertIn("ok     port", told["port"])
        self.assertIn("UTF8, schema e2e_", told["database"])
        self.assertIn("ok     tables     none: they would be made", told["tables"])
        shutil.rmtree(self.server.data_dir)
        os.mkdir(self.server.data_dir)
        self.server.log.close()
        self.server.log = open(os.path.join(self.server.data_dir, "serve.log"), "ab")
        told = self.check(0, "--data-dir", os.path.join(self.server.data_dir, "none"))
        self.assertIn("would be made", told["directory"])

    def test_a_name_that_is_no_setting_is_told(self):
        self.server.env["READ_HOST"] = "db2"
        self.assertIn("warn   settings   READ_HOST from the environment is no setting; "
                      "did you mean READ_HOSTS?", self.check(0)["settings"])
        self.lives()
        self.assertIn("did you mean READ_HOSTS?", self.server.told())

    def test_beside_a_server_and_after_it(self):
        self.lives()
        told = self.check(0)
        self.assertIn("up to record 2", told["log"])
        self.assertIn("ok     tables     up to record 2", told["tables"])
        self.server.start()
        told = self.check(0)
        self.assertIn("warn   server     one runs", told["server"])
        self.assertIn("by the server that runs", told["port"])

    def test_what_would_keep_it_from_serving(self):
        self.lives()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.server.port))
            taken.listen()
            self.assertIn("wrong  port", self.check(3)["port"])
        self.assertIn("others can reach", self.check(2, "--host", "0.0.0.0")["tokens"])
        self.assertIn("REQUIRE_TOKENS",
                      self.check(0, "--host", "0.0.0.0", "--require-tokens")["tokens"])
        self.assertIn("wrong  log", self.check(3, "--new")["log"])
        self.assertIn("wrong  database", self.check(3, "--db-host", "/nowhere")["database"])
        self.assertIn("wrong  database",
                      self.check(3, "--db-name", "none_" + uuid.uuid4().hex)["database"])
        shutil.rmtree(os.path.join(self.server.data_dir, "log"))
        self.assertIn("log.id", self.check(3)["log"])

    def test_tables_of_another_log(self):
        self.lives()
        elsewhere = tempfile.mkdtemp(prefix="daybook-check-")
        self.addCleanup(shutil.rmtree, elsewhere, True)
        self.assertIn("the tables in the schema",
                      self.check(3, "--data-dir", elsewhere)["log"])
        self.assertEqual(os.listdir(elsewhere), [])

    def test_wrong_settings_are_told_as_serve_does(self):
        done = self.server.run("serve", "--check", "--port", "many", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("PORT", done.stderr)

    def test_without_a_database_of_ones_own(self):
        for name in list(self.server.env):
            if name.startswith("DB_"):
                del self.server.env[name]
        self.assertIn("private PostgreSQL", self.check(0)["database"])
        told = self.check(3, "--cluster-dir", "/nowhere/mounted")["database"]
        self.assertIn("wrong  database   CLUSTER_DIR /nowhere/mounted is not there", told)
        self.check(0, "--cluster-dir", os.path.join(self.server.data_dir, "made"))


if __name__ == "__main__":
    unittest.main()
