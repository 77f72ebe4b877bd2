"""What get-viewer and get-console of src/http/pages take from npm, which is played by a script."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
NODE = shutil.which("node")
PAGES = "src/http/pages"
FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE", "other.js")


def package():
    """As npm publishes it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in FILES:
            info = tarfile.TarInfo("package/" + name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
    return content.getvalue()


@unittest.skipUnless(NODE, "node is not here, and npm is not without it")
class GetViewer(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        for folder in (PAGES, "bin"):
            os.makedirs(f"{self.dir}/{folder}")
        for name in ("get-npm", "get-viewer", "get-console"):
            shutil.copy(f"{ROOT}/{PAGES}/{name}", f"{self.dir}/{PAGES}/{name}")
        for name in ("bash", "cp", "dirname", "env", "mkdir", "mktemp", "rm", "tar", "gzip",
                     "uname"):
            os.symlink(shutil.which(name), f"{self.dir}/bin/{name}")
        self.play("node", f'exec "{NODE}" "$@"')
        self.package = package()
        with open(self.dir + "/package.tgz", "wb") as file:
            file.write(self.package)

    def play(self, name, script):
        with open(f"{self.dir}/bin/{name}", "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\n" + script + "\n")
        os.chmod(f"{self.dir}/bin/{name}", 0o755)

    def fetch(self, digest):
        integrity = "sha512-" + base64.b64encode(digest).decode()
        with open(self.dir + "/package-lock.json", "w", encoding="utf-8") as file:
            json.dump({"packages": {"node_modules/swagger-ui-dist": {
                "version": "5.0.0", "integrity": integrity}}}, file)
        return subprocess.run([f"{self.dir}/{PAGES}/get-viewer"], text=True, timeout=60,
                              capture_output=True, check=False,
                              env={"PATH": self.dir + "/bin"})

    def found(self):
        folder = self.dir + "/node_modules/swagger-ui-dist"
        return sorted(os.listdir(folder)) if os.path.exists(folder) else []

    def bring(self):
        self.play("npm", f'echo "$*" >>"{self.dir}/calls"\n[ "$1 $2" = '
                         f'"pack swagger-ui-dist@5.0.0" ] || exit 1\n'
                         f'cp "{self.dir}/package.tgz" "$5/"')

    def test_what_the_lock_names_is_taken_once(self):
        self.bring()
        for _ in range(2):
            done = self.fetch(hashlib.sha512(self.package).digest())
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.found(), sorted(FILES[:4]))
        with open(self.dir + "/calls", encoding="utf-8") as calls:
            self.assertEqual(len(calls.readlines()), 1)

    def test_without_npm_the_console_says_how_to_have_it(self):
        done = subprocess.run([f"{self.dir}/{PAGES}/get-console"], text=True, timeout=60,
                              capture_output=True, check=False,
                              env={"PATH": self.dir + "/bin"})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^@esbuild/linux-.*npm.*/console says how to have it")

    def test_anything_else_is_not(self):
        self.bring()
        done = self.fetch(hashlib.sha512(b"another").digest())
        self.assertEqual(done.returncode, 1)
        self.assertIn("not what package-lock.json names", done.stderr)
        self.assertEqual(self.found(), [])

    def test_without_npm_or_its_registry_that_is_told(self):
        done = self.fetch(b"")
        self.assertEqual((done.returncode, self.found()), (1, []))
        self.assertIn("/docs lists the routes without it", done.stderr)
        self.play("npm", "exit 1")
        done = self.fetch(b"")
        self.assertEqual((done.returncode, self.found()), (1, []))
        self.assertIn("npm could not fetch it", done.stderr)


if __name__ == "__main__":
    unittest.main()
