"""Passwords and tokens are told to nobody: not in a log, an error, a process's title, a
report or a help text, however much is logged."""

import os
import subprocess
import unittest

from harness import PROGRAM, Server
from served import person

PASSWORD = "open-sesame-4711"
LOUD = {"DB_PASS": PASSWORD, "LOG_LEVEL": "debug", "SHOW_ERROR_DETAILS": "true",
        "ENVIRONMENT": "local"}


def titles(directory):
    """What ps shows of every process that has to do with a directory."""
    found = ""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", errors="replace") as line:
                title = line.read()
            with open(f"/proc/{pid}/comm") as name:
                title += name.read()
        except OSError:
            continue
        if directory in title:
            found += title
    return found


class Secrets(unittest.TestCase):
    def new_server(self, **settings):
        server = Server(env={**LOUD, **settings})
        self.addCleanup(server.close)
        return server

    def use(self, server):
        """Ask for what goes well and what does not; return all that was told."""
        done = server.run("token", "create", "shop", "--scope", "admin")
        secret, told = done.stdout.strip(), done.stderr
        server.start()
        client = server.client()
        for token in (secret, secret + "x", secret[:-1], f"{secret} {PASSWORD}"):
            headers = {"Authorization": f"Bearer {token}"}
            for method, path, body in (
                    ("GET", "/health", None), ("GET", "/persons", None),
                    ("POST", "/persons", person()), ("POST", "/persons", "{"),
                    ("GET", "/nothing", None), ("BREW", "/persons", None)):
                answer = client.request(method, path, body, headers)
                told += f"{answer.headers}{answer.body.decode()}"
        told += titles(server.data_dir)
        self.assertIn("serve", told)
        for command in (("status",), ("status", "--json"), ("token", "list"), ("help", "serve"),
                        ("migrate", "--status"), ("verify",), ("verify", "--projection")):
            done = server.run(*command, check=False)
            told += done.stdout + done.stderr
        server.stop()
        with open(os.path.join(server.data_dir, "serve.log")) as log:
            told += log.read()
        self.assertIn("status=401 ", told)
        return secret, told

    def assert_kept(self, secret, told):
        for kept in (PASSWORD, secret, secret[4:-1]):
            at = told.find(kept)
            self.assertEqual(at, -1, told[max(0, at - 300):at + 100])

    def test_with_a_postgresql(self):
        self.assert_kept(*self.use(self.new_server()))

    def test_with_one_that_is_away(self):
        secret, told = self.use(self.new_server(DB_HOST="/nowhere"))
        self.assertIn("/nowhere", told)  # the inner cause is told, as it was asked for
        self.assert_kept(secret, told)

    def test_a_setting_that_is_refused_does_not_show_it(self):
        server = self.new_server()
        for settings in ({"DB_PASS": PASSWORD + 2000 * "x"},
                         {"DB_HOST": f"postgresql://kate:{PASSWORD}@db/daybook"},
                         {"DB_NAME": f"postgres://kate:{PASSWORD}@db"}):
            done = subprocess.run(
                [PROGRAM, "serve", "--data-dir", server.data_dir, "--port", "0"],
                env={**server.env, **settings}, cwd=server.data_dir, capture_output=True,
                text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(next(iter(settings)), done.stderr)
            self.assertNotIn(PASSWORD, done.stdout + done.stderr)

    def test_it_is_no_flag(self):
        done = self.new_server().run("serve", f"--db-pass={PASSWORD}", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)

    def test_a_line_of_dotenv_that_cannot_be_read_does_not_show_it(self):
        server = self.new_server()
        del server.env["DB_PASS"]
        for line in (f'DB_PASS="{PASSWORD}', f"DB_PASS {PASSWORD}", f"DB-PASS={PASSWORD}"):
            with open(os.path.join(server.data_dir, ".env"), "w") as file:
                file.write(line + "\n")
            done = server.run("status", check=False)
            self.assertEqual(done.returncode, 2, line)
            self.assertIn(".env line 1", done.stderr)
            self.assertNotIn(PASSWORD, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
