"""The systemd units: such as systemd understands, and closed tightly enough."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import PROGRAM

DEPLOY = os.environ["DAYBOOK_DEPLOY"]
UNITS = {"daybook.service": "serve", "daybook-cosign.service": "audit"}
EXPOSURE_MAX = 15  # tenths; systemd calls everything up to 40 ok


def text_of(name):
    with open(os.path.join(DEPLOY, name)) as file:
        return file.read()


class Units(unittest.TestCase):
    def setUp(self):
        directory = tempfile.mkdtemp(prefix="daybook-unit-")
        self.addCleanup(shutil.rmtree, directory)
        self.paths = [os.path.join(directory, name) for name in UNITS]
        for path in self.paths:  # systemd looks whether the program is there
            with open(path, "w") as file:
                file.write(text_of(os.path.basename(path)).replace("/usr/bin/daybook", PROGRAM))

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", "--no-pager", *arguments, *self.paths],
                              capture_output=True, text=True, timeout=120, check=False)

    def test_systemd_has_nothing_to_say_against_them(self):
        done = self.analyze("verify", "--man=no")
        self.assertEqual(done.returncode, 0, done.stderr)
        for path in self.paths:
            self.assertNotIn(path, done.stderr)  # "Unknown key ..., ignoring" is no error

    def test_they_are_closed(self):
        done = self.analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_they_are_all_that_there_are_and_are_shut_in_alike(self):
        self.assertEqual({name for name in os.listdir(DEPLOY) if name.endswith(".service")},
                         set(UNITS))
        closed = [re.findall(r"(?m)^(?!#)[A-Z].*$",
                             text_of(name).partition("CapabilityBoundingSet=")[2])
                  for name in UNITS]
        self.assertEqual(closed[0], closed[1])

    def test_they_set_only_what_there_is(self):
        for unit, command in UNITS.items():
            told = subprocess.run([PROGRAM, "help", command], capture_output=True, text=True,
                                  timeout=60, check=True).stdout
            names = re.findall(r"([A-Z_]+)=", " ".join(
                re.findall(r"(?m)^Environment=(.*)$", text_of(unit))))
            self.assertIn("DATA_DIR", names)
            for name in names + (self.shown() if command == "serve" else []):
                self.assertIn(f" {name} ", told)

    def shown(self):
        shown = re.findall(r"(?m)^#?([A-Z_]+)=", text_of("daybook.env"))
        self.assertIn("DB_PASS", shown)
        return shown

    def test_what_they_start_is_what_there_is(self):
        """Without settings: so wrong use would end with 2 before anything is done."""
        for unit, said in (("daybook-cosign.service", "AUDIT_POLICY is needed"),):
            line = re.search(r"(?m)^ExecStart=(.*)$", text_of(unit))[1].split()
            done = subprocess.run([PROGRAM, *line[1:]], capture_output=True, text=True,
                                  timeout=60, check=False, env={"PATH": os.environ["PATH"]},
                                  cwd=os.path.dirname(self.paths[0]))
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
