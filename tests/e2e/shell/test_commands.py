"""The program as a shell sees it: help, settings, exit codes."""

import os
import subprocess
import unittest

from harness import PATIENCE, PROGRAM, Server
from shell import daybook
from tools import DONE, FAILED, MISUSED

COMMANDS = ["serve", "status", "import", "export", "log", "backup", "restore", "verify",
            "rebuild", "replay", "migrate", "retry"]


class Help(unittest.TestCase):
    def test_the_program_lists_its_commands(self):
        for arguments in ((), ("--help",), ("-h",), ("help",)):
            done = daybook(*arguments)
            self.assertEqual(done.returncode, DONE, arguments)
            for command in COMMANDS:
                self.assertRegex(done.stdout, rf"(?m)^  {command} ")

    def test_each_command_has_a_help_of_its_own(self):
        for command in COMMANDS:
            texts = {daybook(*form).stdout for form in (
                (command, "--help"), (command, "-h"), ("help", command))}
            self.assertEqual(len(texts), 1, command)
            text = texts.pop()
            self.assertTrue(text.startswith(f"Usage: daybook {command}"), text)
            self.assertIn("--data-dir", text)
            self.assertIn("Example:", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 130, text)

    def test_the_version_is_told(self):
        self.assertRegex(daybook("--version").stdout, r"^daybook \d+\.\d+\.\d+\n$")

    def test_what_is_mistyped_is_told_with_what_was_meant(self):
        for arguments, expected in (
                (("srve",), "did you mean serve?"),
                (("help", "statsu"), "did you mean status?"),
                (("nothing-like-it",), "daybook help"),
                (("serve", "--prot", "1"), "did you mean --port?"),
                (("status", "--jsn"), "did you mean --json?"),
                (("status", "--port", "1"), "--port is not a flag of this subcommand"),
                (("serve", "--port"), "--port needs a value"),
                (("serve", "surplus"), 'unexpected "surplus"'),
                (("import",), "expected PERSONS"),
                (("migrate", "--status", "--down"), "exclude each other"),
                (("migrate", "--down", "none"), '"none"'),
                (("status", "--json=1"), "takes no value")):
            done = daybook(*arguments)
            self.assertEqual(done.returncode, MISUSED, (arguments, done.stderr))
            self.assertIn(expected, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "--help"], stdout=full, text=True,
                                  stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("standard output", done.stderr)


class Settings(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.dir = self.server.data_dir

    def refused(self, *flags, env=None):
        done = daybook("serve", "--data-dir", self.dir, *flags, env=env, cwd=self.dir)
        self.assertEqual(done.returncode, MISUSED, done.stderr)
        return done.stderr

    def dotenv(self, text):
        with open(os.path.join(self.dir, ".env"), "w") as file:
            file.write(text)

    def test_a_wrong_value_names_its_setting_its_source_and_what_is_allowed(self):
        said = self.refused("--port", "70000")
        self.assertIn('PORT from --port is "70000": a port number from 0 to 65535', said)
        said = self.refused(env={"PORT": "many"})
        self.assertIn('PORT from the environment is "many"', said)
        self.dotenv("# comment\nPORT=x\n")
        self.assertIn('PORT from .env line 2 is "x"', self.refused())
        self.dotenv("")
        for flag, value in (("--read-wait", "61"), ("--body-max", "1"),
                            ("--log-level", "loud"), ("--http-threads", "0"),
                            ("--event-types", "a,,b"), ("--batch-items-max", "-1"),
                            ("--show-error-details", "maybe"), ("--db-port", "0")):
            said = self.refused(f"{flag}={value}")
            self.assertIn(f'from {flag} is "{value}"', said)
            self.assertIn("allowed", said)

    def test_a_password_is_never_shown(self):
        said = self.refused(env={"DB_PASS": "hush" * 1000})
        self.assertIn("DB_PASS", said)
        self.assertNotIn("hush", said)
        self.assertNotIn("--db-pass", daybook("help", "serve").stdout)

    def test_an_env_file_that_cannot_be_read_names_its_line(self):
        self.dotenv("PORT=1\n\nno equals sign\n")
        self.assertRegex(self.refused(), r"\.env.*line 3|\.env:3")

    def test_a_flag_goes_before_the_environment_and_that_before_the_env_file(self):
        self.dotenv("PORT=1\nREAD_WAIT=x\n")
        said = self.refused("--read-wait", "y", env={"READ_WAIT": "z"})
        self.assertIn('"y"', said)
        self.assertIn('"z"', self.refused(env={"READ_WAIT": "z"}))
        self.assertIn('"x"', self.refused())

    def test_an_address_that_others_can_reach_is_refused(self):
        for address in ("0.0.0.0", "192.168.1.1", "8.8.8.8"):
            said = self.refused("--host", address)
            self.assertIn("HOST from --host", said)
            self.assertIn("daybook token create", said)
        for address in ("::", "::1", "*", "example.com", "127.0.0.1,0.0.0.0", ""):
            self.assertIn("HOST from --host", self.refused("--host", address))
        self.assertIn("access tokens", self.refused("--host", "0.0.0.0"))
        self.assertIn("access tokens", self.refused(env={"HOST": "0.0.0.0"}))
        self.assertIn("TLS is the part of a proxy", self.refused("--port", "8443s"))

    def test_another_loopback_address_is_served(self):
        self.server.flags = ["--host", "localhost"]
        self.server.start()
        self.assertEqual(self.server.client().get("/health").status, 200)


if __name__ == "__main__":
    unittest.main()
