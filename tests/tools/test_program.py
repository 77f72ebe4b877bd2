"""What the program says to whoever calls it, rightly or wrongly. No server runs."""

import os
import re
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["DAYBOOK"]
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
with open(os.path.join(SOURCE, "tools", "main.c"), encoding="utf-8") as main:
    COMMANDS = re.findall(r"^    &command_(\w+),$", main.read(), re.MULTILINE)


class Program(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="daybook-program-")
        self.addCleanup(self.directory.cleanup)

    def daybook(self, *arguments, **environment):
        env = {"PATH": os.environ["PATH"], **environment}
        return subprocess.run([PROGRAM, *arguments], cwd=self.directory.name, env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)

    def refused(self, status, message, *arguments, **environment):
        done = self.daybook(*arguments, **environment)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(os.listdir(self.directory.name), self.before)

    @property
    def before(self):
        return [".env"] if os.path.exists(os.path.join(self.directory.name, ".env")) else []

    def test_help_lists_every_command(self):
        for arguments in ((), ("help",), ("--help",), ("-h",)):
            done = self.daybook(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertGreater(len(COMMANDS), 12)
            for command in COMMANDS:
                self.assertIn(f"\n  {command} ", done.stdout)

    def test_each_command_tells_its_use_with_an_example(self):
        for command in COMMANDS:
            done = self.daybook("help", command)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(f"Usage: daybook {command}", done.stdout)
            self.assertIn(f"Example:\n  daybook {command}", done.stdout)
            self.assertIn("--data-dir", done.stdout)
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 132)
            self.assertEqual(self.daybook(command, "--help").stdout, done.stdout)

    def test_the_documents_name_every_command_and_no_other(self):
        told = set()
        for name in ("README.md", "docs/operators.md", "docs/access.md", "docs/upgrade.md"):
            with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
                told |= set(re.findall(r"(?:^|[`|] ?)daybook ([a-z]+)", file.read(),
                                       re.MULTILINE))
        self.assertEqual(told - {"help"}, set(COMMANDS))

    def test_version(self):
        self.assertRegex(self.daybook("--version").stdout, r"^daybook \d+\.\d+\.\d+\n$")

    def test_wrong_use_says_what_was_meant(self):
        self.refused(2, "did you mean serve?", "sevre")
        self.refused(2, "did you mean status?", "help", "stauts")
        self.refused(2, "daybook help lists them", "frobnicate")
        self.refused(2, "did you mean --port?", "serve", "--prot", "80")
        self.refused(2, "daybook help serve", "serve", "extra")
        self.refused(2, "--port is not a flag", "status", "--port", "80")
        self.refused(2, "exclude each other", "migrate", "--status", "--down")
        self.refused(2, "1 or more", "migrate", "--down", "0")
        self.refused(2, "1 or more", "migrate", "--down", "1x")

    def test_bad_values_name_setting_origin_and_what_is_allowed(self):
        self.refused(2, 'PORT from --port is "80a"', "serve", "--port", "80a")
        self.refused(2, 'PORT from the environment is "80a"', "serve", PORT="80a")
        self.refused(2, "TLS is the part of a proxy", "serve", "--port", "443s")
        self.refused(2, "no access tokens yet", "serve", "--host", "0.0.0.0")
        self.refused(2, "no access tokens yet", "serve", "--host", "192.168.1.1")
        with open(os.path.join(self.directory.name, ".env"), "w") as dotenv:
            dotenv.write("# settings\nPORT=80a\n")
        self.refused(2, "PORT from .env line 2", "serve")
        with open(os.path.join(self.directory.name, ".env"), "w") as dotenv:
            dotenv.write('DB_PASS="open\n')
        self.refused(2, ".env line 1: the closing quote is missing", "status")

    def test_hostile_words_stay_on_one_line(self):
        done = self.daybook("x\n\x1b[2Jforged: all is well")
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertNotIn("\x1b", done.stderr)

    def test_a_missing_log_is_told_and_nothing_is_made(self):
        for command in ("status", "migrate", "retry"):
            self.refused(3, "none", command, "--data-dir", "none")

    def test_a_data_directory_that_cannot_be_made_is_told(self):
        path = os.path.join(self.directory.name, ".env")
        open(path, "w").close()
        done = self.daybook("serve", "--data-dir", path)
        self.assertEqual(done.returncode, 3)
        self.assertIn("Not a directory", done.stderr)

    def test_a_report_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "help"], stdout=full, timeout=60,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("No space left", done.stderr)


if __name__ == "__main__":
    unittest.main()
