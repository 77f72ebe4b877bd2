"""The systemd unit: one that systemd understands, and closed tightly enough."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import PROGRAM

UNIT = os.environ["DAYBOOK_UNIT"]
EXPOSURE_MAX = 15  # tenths; systemd calls everything up to 40 ok


def unit_text():
    with open(UNIT) as file:
        return file.read()


class Unit(unittest.TestCase):
    def setUp(self):
        directory = tempfile.mkdtemp(prefix="daybook-unit-")
        self.addCleanup(shutil.rmtree, directory)
        self.path = os.path.join(directory, "daybook.service")
        with open(self.path, "w") as file:  # systemd looks whether the program is there
            file.write(unit_text().replace("/usr/bin/daybook", PROGRAM))

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", "--no-pager", *arguments, self.path],
                              capture_output=True, text=True, timeout=120, check=False)

    def test_systemd_has_nothing_to_say_against_it(self):
        done = self.analyze("verify", "--man=no")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(self.path, done.stderr)  # "Unknown key ..., ignoring" is no error

    def test_it_is_closed(self):
        done = self.analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_it_sets_only_what_there_is(self):
        told = subprocess.run([PROGRAM, "help", "serve"], capture_output=True, text=True,
                              timeout=60, check=True).stdout
        names = re.findall(r"([A-Z_]+)=", " ".join(
            re.findall(r"(?m)^Environment=(.*)$", unit_text())))
        self.assertIn("DATA_DIR", names)
        with open(os.path.join(os.path.dirname(UNIT), "daybook.env")) as file:
            shown = re.findall(r"(?m)^#?([A-Z_]+)=", file.read())
        self.assertIn("DB_PASS", shown)
        for name in names + shown:
            self.assertIn(f" {name} ", told)


if __name__ == "__main__":
    unittest.main()
