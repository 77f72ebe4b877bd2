"""What tools/install-deps asks of whom: apt, sudo and dpkg are played by scripts."""

import os
import pty
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
NEEDED = ("awk bash cat cp dirname env grep head mkdir mktemp rm rmdir sed sh sleep sort "
          "xargs").split()
CALL = 'echo "$(basename "$0") $*" >>"$CALLS"\n'
PLAYED = {
    "id": "echo ${USER_ID:-1000}",
    "apt-cache": '[ -z "$LISTS" ] || case "$*" in\n'
                 '"depends postgresql") echo "  Depends: postgresql-15" ;;\n'
                 '"show libmsgpackc2") echo Package: libmsgpackc2 ;; esac',
    "apt-get": CALL + """case "$*" in
        *" install "*) cat "$ROOT/etc/postgresql-common/createcluster.d/"* >>"$CALLS"
            exit "${APT:-0}" ;;
        *download*) touch libmsgpack-dev_4_all.deb ;; esac""",
    "dpkg-deb": CALL + "mkdir -p files/usr/include && touch files/usr/include/msgpack.h",
    "dpkg-query": 'shift 3; for each; do [ -n "$BARE" ] || echo "installed $each"; done',
    "sudo": CALL + '[ "$SUDO" = no ] && { echo "not in the sudoers file" >&2; exit 1; }\n'
            '[ "$1" != -n ] || shift; USER_ID=0 exec "$@"',
}
PROGRAMS = ("cc", "cmake", "ninja", "pkg-config", "curl", "python3")


class InstallDeps(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        for folder in ("tools", "bin", "root/etc"):
            os.makedirs(f"{self.dir}/{folder}")
        shutil.copy(ROOT + "/tools/install-deps", self.dir + "/tools/install-deps")
        for name in NEEDED + ["basename", "touch"]:
            os.symlink(shutil.which(name), f"{self.dir}/bin/{name}")
        for name, script in PLAYED.items():
            self.play(name, script)
        self.file("root/etc/os-release", 'VERSION_ID="12"\n')
        self.file("calls", "")

    def play(self, name, script):
        self.file("bin/" + name, "#!/bin/bash\n" + script + "\n")
        os.chmod(f"{self.dir}/bin/{name}", 0o755)

    def file(self, path, text):
        os.makedirs(os.path.dirname(f"{self.dir}/{path}"), exist_ok=True)
        with open(f"{self.dir}/{path}", "w", encoding="utf-8") as file:
            file.write(text)

    def has_all(self):
        for name in PROGRAMS:
            self.play(name, "")
        self.file("root/usr/lib/postgresql/15/bin/initdb", "")
        self.file("root/usr/include/msgpack.h", "")

    def deps(self, *arguments, stdin=subprocess.DEVNULL, **settings):
        done = subprocess.run(
            [self.dir + "/tools/install-deps", *arguments], stdin=stdin, text=True,
            capture_output=True, check=False, timeout=60,
            env={"PATH": self.dir + "/bin", "INSTALL_DEPS_ROOT": self.dir + "/root",
                 "ROOT": self.dir + "/root", "CALLS": self.dir + "/calls", "LISTS": "1",
                 **settings})
        with open(self.dir + "/calls", encoding="utf-8") as file:
            return done, file.read().splitlines()

    def test_where_all_is_there_nobody_is_asked(self):
        self.has_all()
        for arguments in ((), ("dev",)):
            done, calls = self.deps(*arguments)
            self.assertEqual((done.returncode, done.stderr, calls), (0, "", []))

    def test_sudo_is_asked_once_for_all(self):
        done, calls = self.deps("dev", BARE="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len([call for call in calls if call.startswith("sudo ")]), 1)
        self.assertTrue(calls[0].startswith("sudo -n "), calls)  # there is no terminal
        self.assertRegex(calls[1], "^apt-get .* update$")
        self.assertRegex(calls[2], "^apt-get .* install .*libcmocka-dev.* gcc cmake .*"
                                   "postgresql-15 libmsgpackc2$")

    def test_at_a_terminal_sudo_may_ask(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        done, calls = self.deps(stdin=slave)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(" -n", calls[0])

    def test_whoever_may_not_gets_the_line_for_root(self):
        line = (r"\n  apt-get update && apt-get install --no-install-recommends gcc .*"
                r"postgresql-15 libmsgpackc2\n$")
        done, calls = self.deps(SUDO="no")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, line)
        self.assertEqual(len(calls), 1)
        os.remove(self.dir + "/bin/sudo")
        done, calls = self.deps()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, line)
        self.assertEqual(len(calls), 1)

    def test_the_line_can_be_told_before_there_are_lists(self):
        done, _ = self.deps(SUDO="no", LISTS="")
        self.assertRegex(done.stderr, "postgresql libmsgpackc2\n$")
        self.file("root/etc/os-release", 'VERSION_ID="13"\n')
        done, _ = self.deps(SUDO="no", LISTS="")
        self.assertRegex(done.stderr, "postgresql libmsgpack-c-dev\n$")

    def test_a_failure_of_apt_is_no_refusal_of_sudo(self):
        done, _ = self.deps(APT="100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get could not install: gcc", done.stderr)
        self.assertNotIn("as root once", done.stderr)

    def test_debian_makes_no_cluster_meanwhile(self):
        done, calls = self.deps(USER_ID="0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("create_main_cluster = false", calls)
        self.assertFalse(os.path.exists(self.dir + "/root/etc/postgresql-common"))

    def test_a_server_that_is_there_is_left_alone(self):
        self.file("root/usr/lib/postgresql/14/bin/initdb", "")
        done, calls = self.deps(USER_ID="0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("create_main_cluster = false", calls)
        self.assertFalse([call for call in calls if "postgresql" in call])

    def test_the_headers_of_msgpack_come_without_what_they_do_not_need(self):
        done, _ = self.deps(USER_ID="0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.exists(self.dir + "/.packages/usr/include/msgpack.h"))
        _, before = self.deps(USER_ID="0")
        _, after = self.deps(USER_ID="0")
        self.assertFalse([call for call in after[len(before):] if "download" in call])


if __name__ == "__main__":
    unittest.main()
