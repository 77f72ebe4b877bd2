"""Logs on what cannot be written, or is full: read-only mounts, others' folders, small
disks. Mounting takes root and the right to it; where it is missing those are skipped."""

import fcntl
import os
import shutil
import subprocess

from tools import DIFFERENT, FAILED, PROGRAM, ToolCase, bare

NOBODY = 65534


class ReadOnly(ToolCase):
    """Whatever only reads works as ever, and leaves the medium as it was."""

    def setUp(self):
        super().setUp()
        self.generate("a", 60)
        self.run_tool("backup", "a/backup", "--data-dir", "a")
        self.whole = self.export("a")
        os.remove(self.path("a", "log", "lock.mdb"))

    def check_reading(self, **kwargs):
        def run(*arguments, **more):
            return self.run_tool(*arguments, **kwargs, **more)

        before = self.files()
        self.assertEqual(bare(run("export", "--data-dir", "ro").stdout), self.whole)
        self.assertEqual(len(run("log", "tail", "-n", "5", "--data-dir",
                                 "ro").stdout.splitlines()), 5)
        self.assertIn(b"right", run("verify", "--data-dir", "ro").stdout)
        run("backup", "out/b", "--data-dir", "ro")
        self.assertIn(b"indexes right", run("backup", "--verify", "ro/backup").stdout)
        run("restore", "ro/backup", "--data-dir", "out/r")
        self.assertEqual(self.export("out/r"), self.whole)
        self.assertEqual(self.files(), before)

    def files(self):
        return sorted((folder, tuple(sorted(names)))
                      for folder, _, names in os.walk(self.path("ro")))

    def test_a_read_only_mount(self):
        os.mkdir(self.path("ro"))
        os.mkdir(self.path("out"))
        for options in (["--bind", "a", "ro"], ["-o", "remount,bind,ro", "ro"]):
            if subprocess.run(["mount", *options], cwd=self.dir, check=False,
                              stderr=subprocess.DEVNULL).returncode != 0:
                self.skipTest("no right to mount a file system")
            self.addCleanup(subprocess.run, ["umount", "-q", self.path("ro")], check=False)
        self.check_reading()
        # Through another mount somebody may write: that one is not read beside.
        with open(self.path("a", "log", "lock.mdb"), "w+b") as writer:
            fcntl.lockf(writer, fcntl.LOCK_SH, 1)
            self.refused(FAILED, "another process has the log open", "verify",
                         "--data-dir", "ro")
        self.run_tool("verify", "--data-dir", "ro")

    def test_a_folder_that_may_only_be_read(self):
        os.rename(self.path("a"), self.path("ro"))
        os.mkdir(self.path("out"))
        root = os.geteuid() == 0
        if root:
            os.chown(self.path("out"), NOBODY, NOBODY)
            os.chmod(self.dir, 0o755)
        for folder, folders, names in os.walk(self.path("ro")):
            for name in [*folders, *names]:
                os.chmod(os.path.join(folder, name), 0o555 if name in folders else 0o444)
        os.chmod(self.path("ro"), 0o555)
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+rwX", self.path("ro")],
                        check=False)
        self.check_reading(**(self.as_nobody() if root else {}))

    def as_nobody(self):
        """With a copy of the program, for it may lie where only root gets to."""
        program = shutil.copy(PROGRAM, self.path("daybook"))
        return {"user": NOBODY, "executable": program}


class Untouched(ToolCase):
    """What is no whole log is told, and stays the evidence that it is."""

    def each_refuses(self, name, status, restored, message):
        data = self.read(f"{name}/log/data.mdb")
        for arguments in (("verify",), ("export",), ("log", "tail"), ("status",),
                          ("backup", "b"), ("rebuild",)):
            self.refused(status, message, *arguments, "--data-dir", name)
            self.assertEqual(self.read(f"{name}/log/data.mdb"), data)
        self.run_tool("restore", f"{name}/log", "--data-dir", "r", status=restored)
        self.assertEqual(self.read(f"{name}/log/data.mdb"), data)
        self.assertFalse(os.path.exists(self.path("b")))
        self.assertFalse(os.path.exists(self.path("r")))

    def test_an_empty_file(self):
        os.makedirs(self.path("a", "log"))
        self.write("a/log/data.mdb", b"")
        self.each_refuses("a", FAILED, DIFFERENT, "no log in")

    def test_a_file_that_was_cut(self):
        self.generate("a", 60)
        data = self.read("a/log/data.mdb")
        for cut in (len(data) - 1, len(data) // 2, 5000):
            self.write("a/log/data.mdb", data[:cut])
            self.each_refuses("a", DIFFERENT, DIFFERENT, "cut off")


class SmallDisk(ToolCase):
    def test_a_restore_that_does_not_fit_says_so(self):
        """Before it begins, in the indexes of the check, and in the log that is made."""
        self.generate("a", 100000)
        self.run_tool("backup", "b", "--data-dir", "a")
        os.mkdir(self.path("small"))
        for size in ("256k", "6m", "24m"):
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs",
                               self.path("small")], check=False,
                              stderr=subprocess.DEVNULL).returncode != 0:
                self.skipTest("no right to mount a file system")
            try:
                self.refused(FAILED, "disk is full", "restore", "b", "--data-dir",
                             "small/r")
                self.assertEqual(os.listdir(self.path("small")), [])
            finally:
                subprocess.run(["umount", "-q", self.path("small")], check=False)
