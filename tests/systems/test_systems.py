"""What make test-systems takes from this machine, and what it does where it cannot."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

import host
import run
import tree

SITE = "http://mirror.test/debian"
DEB822 = f"""\
Types: deb
URIs: http://other.test/debian
Suites: trixie
Signed-By: /keys/other.gpg

Types: deb
# {SITE} was elsewhere before
URIs: {SITE}/
Suites: trixie trixie-updates
Signed-By: /keys/debian.gpg
"""


class Host(unittest.TestCase):
    def test_the_mirror_is_where_debian_itself_comes_from(self):
        lists = ("http://tools.test/apt|Tools|Tools\nhttp://security.test/debian-security|"
                 f"Debian|Debian-Security\ncdrom://disc|Debian|Debian\n{SITE}|Debian|Debian\n"
                 "http://second.test/debian|Debian|Debian")
        self.assertEqual(host.first_mirror(lists), SITE)
        self.assertIsNone(host.first_mirror("http://u.test/ubuntu|Ubuntu|Ubuntu"))
        self.assertIsNone(host.first_mirror(f"{SITE}|$(ORIGIN)|$(LABEL)"))

    def test_the_key_is_the_one_of_that_source(self):
        self.assertEqual(host.signer(DEB822, SITE), "/keys/debian.gpg")
        self.assertEqual(host.signer(f"deb [arch=amd64 signed-by=/keys/a.gpg] {SITE} sid main",
                                     SITE), "/keys/a.gpg")
        self.assertIsNone(host.signer(f"deb {SITE} sid main", SITE))

    def test_what_the_files_say_of_fetching_is_carried(self):
        default = 'Acquire::Retries "3";\nDir "/";\n'
        self.assertEqual(host.added(
            default + 'Acquire::http::Proxy "http://p.test:3142";\nDPkg::Pre "x";\n'
            'Acquire::IndexTargets::deb::Icons "";\n', default),
            ['Acquire::http::Proxy "http://p.test:3142";'])


@unittest.skipUnless(shutil.which("git"), "needs git")
class Tree(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.source, self.target = home.name + "/source", home.name + "/target"
        os.mkdir(self.source)
        self.git("init", "-q")
        for name in ("kept", "changed", "gone"):
            self.write(self.source, name, "first")
        self.commit()
        tree.copy(self.source, self.target)

    def git(self, *arguments):
        subprocess.run(["git", "-C", self.source, "-c", "user.name=t", "-c",
                        "user.email=t@t.test", *arguments], check=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    @staticmethod
    def write(place, name, text):
        with open(os.path.join(place, name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_what_is_alike_keeps_its_time(self):
        os.mkdir(self.target + "/build")
        self.write(self.target, "build/made", "by the first run")
        for name in ("kept", "changed"):
            os.utime(os.path.join(self.target, name), (1, 1))
        self.write(self.source, "changed", "other")
        os.remove(self.source + "/gone")
        self.commit()
        tree.copy(self.source, self.target)
        self.assertEqual(sorted(os.listdir(self.target)), ["build", "changed", "kept"])
        self.assertEqual(os.listdir(self.target + "/build"), ["made"])
        self.assertEqual(os.stat(self.target + "/kept").st_mtime, 1)
        self.assertNotEqual(os.stat(self.target + "/changed").st_mtime, 1)

    def test_what_is_not_committed_is_told(self):
        self.write(self.source, "new", "x")
        self.assertEqual(tree.uncommitted(self.source), ["?? new"])


class Presets(unittest.TestCase):
    def test_a_warning_is_an_error_for_developers_only(self):
        """A newer compiler warns of what nobody has seen yet; a user's build goes on."""
        with open(run.SOURCE + "/CMakePresets.json", encoding="utf-8") as file:
            presets = {each["name"]: each for each in json.load(file)["configurePresets"]}

        def strict(name):
            preset = presets[name]
            said = preset.get("cacheVariables", {}).get("DAYBOOK_WERROR")
            return said or ("inherits" in preset and strict(preset["inherits"])) or "OFF"
        self.assertEqual({name: strict(name) for name in presets
                          if not presets[name].get("hidden")},
                         {"dev": "ON", "tsan": "ON", "fuzz": "ON", "coverage": "ON",
                          "release": "OFF"})


class Runs(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.log = open(home.name + "/log", "w+", encoding="utf-8")
        self.addCleanup(self.log.close)
        roots = mock.patch.object(run, "ROOTS", home.name)
        roots.start()
        self.addCleanup(roots.stop)

    def test_what_cannot_be_tried_is_told_and_is_no_failure(self):
        options = mock.Mock(minutes=1, jobs=1)
        with mock.patch("os.geteuid", return_value=1000):
            line, failed = run.report("debian13", options)
        self.assertEqual(line, "debian13: SKIPPED: it needs root, to make and enter "
                               "other systems")
        self.assertFalse(failed)
        with mock.patch.object(run, "try_part", side_effect=run.Failed("ended 2")):
            line, failed = run.report("debian13", options)
        self.assertIn("debian13: FAILED: ended 2", line)
        self.assertTrue(failed)

    def test_nothing_is_left_of_one_that_takes_too_long(self):
        try:
            run.may()
        except run.Skipped as why:
            self.skipTest(str(why))
        mark = f"daybook-left-{os.getpid()}"
        with self.assertRaises(run.Failed):
            run.run(self.log, 2, run.WITHIN, "--outside", "bash", "-c",
                    f"mount -t tmpfs {mark} /mnt && (exec -a {mark} sleep 600 &); "
                    f"echo mounted; sleep 600")
        self.log.seek(0)
        with open("/proc/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(mark, mounts.read())
        self.assertNotIn(mark, host.ask("ps", "-eo", "args"))


if __name__ == "__main__":
    unittest.main()
