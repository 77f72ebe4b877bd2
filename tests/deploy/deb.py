"""Installs the Debian package into this system, uses it, and purges it: make test-deb.

    deb.py PACKAGE

As root, in a copy of this system that goes away with it (apart.sh); where that is not
permitted, as in most containers, in this system itself, but only if it has no Daybook.
Whatever happens, nothing is left behind. No systemd needs to run: the program is started
as the unit would.
"""

import grp
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
APART = os.path.join(HERE, "apart.sh")
sys.path.insert(0, os.path.join(HERE, "../e2e/lib"))
os.environ["DAYBOOK"] = PROGRAM = "/usr/bin/daybook"

from hardening import lacks  # noqa: E402
from harness import PATIENCE, Client  # noqa: E402

DATA = "/var/lib/daybook"
SETTINGS = "/etc/daybook/daybook.env"
MASTER = "/etc/daybook/keys/master"  # where the documents put one
UNIT = "/lib/systemd/system/daybook.service"
LOCKED = 300  # seconds for which another dpkg may be at work
PERSON = {"email": "kate@marauders.mock", "first_name": "Kate", "last_name": "Pryde"}
package = None


def run(*command, check=True, **kwargs):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
                          **kwargs)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended {done.returncode}: {done.stdout}")
    return done.stdout


def dpkg(*arguments):
    deadline = time.monotonic() + LOCKED
    while True:
        try:
            return run("dpkg", *arguments,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        except AssertionError as error:
            if "lock" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(1)


def there_is_a_user():
    try:
        return pwd.getpwnam("daybook")
    except KeyError:
        return None


def leave_nothing():
    dpkg("--purge", "daybook")
    for directory in (DATA, os.path.dirname(SETTINGS)):
        shutil.rmtree(directory, ignore_errors=True)
    if there_is_a_user():
        run("deluser", "--quiet", "--system", "daybook", check=False)
    run("delgroup", "--quiet", "--system", "daybook", check=False)


def mode_and_owner(path):
    status = os.lstat(path)
    return (oct(stat.S_IMODE(status.st_mode)), pwd.getpwuid(status.st_uid).pw_name,
            grp.getgrgid(status.st_gid).gr_name)


def unit_environment():
    """What the unit sets, and then the settings, as systemd reads them."""
    with open(UNIT) as file:
        lines = re.findall(r"(?m)^Environment=(.*)$", file.read())
    with open(SETTINGS) as file:
        lines += re.findall(r"(?m)^([A-Z_]+=.*)$", file.read())
    return dict(word.split("=", 1) for line in lines for word in line.split())


class Service:
    """The program as the unit starts it, but for systemd's sandbox."""

    def __init__(self, *through, flags=()):
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.settimeout(2 * PATIENCE)
        self.manager.bind("\0daybook-deb-" + str(os.getpid()))
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*through, PROGRAM, "serve", "--port", "0", *flags], cwd=DATA, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log,
            env={"PATH": "/usr/bin:/bin", **unit_environment(),
                 "NOTIFY_SOCKET": f"@daybook-deb-{os.getpid()}"})
        try:
            assert self.manager.recv(100) == b"READY=1"
        except (AssertionError, OSError) as error:
            self.kill()
            raise AssertionError(self.told()) from error
        self.port = int(re.search(r"ready: http://127.0.0.1:(\d+) ", self.told())[1])
        self.client = Client(self.port)

    def told(self):
        self.log.seek(0)
        return self.log.read()

    def status(self, name):
        with open(f"/proc/{self.process.pid}/status") as file:
            return re.search(rf"(?m)^{name}:\t(.*)$", file.read())[1]

    def stop(self):
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        told = self.told()
        self.kill()
        if status != 0:
            raise AssertionError(f"serve ended {status}: {told}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        self.manager.close()
        self.log.close()


def as_the_unit():
    return Service("setpriv", "--reuid=daybook", "--regid=daybook", "--clear-groups",
                   "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--")


class Package(unittest.TestCase):
    def test_what_it_says_of_itself(self):
        field = lambda name: run("dpkg-deb", "-f", package, name)  # noqa: E731
        for library in ("libdeflate0", "liblmdb0", "libpq5", "libcivetweb1", "librdkafka1",
                        "adduser"):
            self.assertIn(library, field("Depends"))
        self.assertIn("postgresql", field("Suggests"))
        self.assertEqual(field("Recommends").strip(), "")  # which would bring a mail server
        with tempfile.TemporaryDirectory() as control:
            run("dpkg-deb", "-e", package, control)
            with open(os.path.join(control, "conffiles")) as file:
                self.assertEqual(file.read().split(), [SETTINGS])
            for script in ("postinst", "prerm", "postrm"):
                run("sh", "-n", os.path.join(control, script))
        content = run("dpkg-deb", "-c", package)
        self.assertNotRegex(content, r"(?m)^\S+ (?!root/root)")

    def test_its_documents_link_to_what_is_in_it(self):
        with tempfile.TemporaryDirectory() as root:
            run("dpkg-deb", "-x", package, root)
            seen = 0
            for directory, _, files in os.walk(os.path.join(root, "usr/share/doc/daybook")):
                for name in (name for name in files if name.endswith(".md")):
                    with open(os.path.join(directory, name), encoding="utf-8") as file:
                        links = re.findall(r"\]\((?!https?:)([^)#]+)", file.read())
                    seen += len(links)
                    for link in links:
                        self.assertTrue(os.path.exists(os.path.join(directory, link)),
                                        f"{name}: {link}")
            self.assertGreater(seen, 0)

    def test_a_life(self):
        self.addCleanup(leave_nothing)
        dpkg("-i", package)
        self.look_at_what_is_installed()
        self.look_at_what_runs()
        self.start_as_root()
        self.upgrade()
        self.remove()
        self.purge()

    def look_at_what_is_installed(self):
        user = there_is_a_user()
        self.assertLess(user.pw_uid, 1000)
        self.assertIn("nologin", user.pw_shell)
        self.assertEqual(mode_and_owner(DATA), ("0o700", "daybook", "daybook"))
        self.assertEqual(mode_and_owner(SETTINGS), ("0o640", "root", "daybook"))
        self.assertEqual(mode_and_owner(PROGRAM), ("0o755", "root", "root"))
        self.assertEqual(lacks(PROGRAM), [])
        for unit in (UNIT, UNIT.replace("daybook.", "daybook-cosign.")):
            told = run("systemd-analyze", "verify", "--man=no", unit)
            self.assertNotIn("daybook", told)
            self.assertFalse(os.path.lexists(
                "/etc/systemd/system/multi-user.target.wants/" + os.path.basename(unit)))
        documents = run("dpkg", "-L", "daybook")
        for name in ("doc/daybook/README.md", "doc/daybook/SECURITY.md",
                     "doc/daybook/copyright", "doc/daybook/nginx.conf.example", "doc/daybook/nginx-cluster.conf.example",
                     "doc/daybook/haproxy-cluster.cfg.example",
                     "doc/daybook/docs/operators.md", "doc/daybook/docs/settings.md", "man/man1/daybook.1.gz"):
            self.assertIn(f"/usr/share/{name}\n", documents)
        self.assertRegex(run(PROGRAM, "--version"), r"^daybook \d")

    def look_at_what_runs(self):
        service = as_the_unit()
        self.addCleanup(service.kill)
        self.assertEqual(service.client.post("/persons", PERSON).status, 201)
        self.assertEqual(len(service.client.get("/persons").data), 1)
        self.assertEqual(service.client.get("/docs").status, 200)
        viewer = service.client.get("/docs").body.decode()
        self.assertIn("Daybook API", viewer)
        console = service.client.get("/console").body.decode()
        self.assertIn("Daybook console", console)
        for asset in re.findall(r'(?:src|href)="(/(?:docs|console)/[^"]+)"', viewer + console):
            self.assertEqual(service.client.get(asset).status, 200, asset)
        self.assertNotIn("running as root", service.told())
        # root's commands leave nothing of root's, and reach the private PostgreSQL
        run(PROGRAM, "token", "create", "shop", "--scope", "admin", "--data-dir", DATA)
        status = json.loads(run(PROGRAM, "status", "--json", "--data-dir", DATA))
        self.assertEqual(status["head"], 2)
        self.assertIsNotNone(status["projected"])
        service.stop()
        self.assert_all_daybooks()

    def assert_all_daybooks(self):
        for directory, names, files in os.walk(DATA):
            for name in names + files:
                self.assertEqual(mode_and_owner(os.path.join(directory, name))[1:],
                                 ("daybook", "daybook"), name)

    def start_as_root(self):
        service = Service()
        self.addCleanup(service.kill)
        self.assertEqual(set(service.status("Uid").split()),
                         {str(there_is_a_user().pw_uid)})
        self.assertEqual(int(service.status("CapBnd"), 16), 0)
        self.assertEqual(service.client.get("/persons").status, 401)
        service.stop()
        self.assert_all_daybooks()
        # a directory that is missing is made for the user, if it can get there
        with tempfile.TemporaryDirectory() as closed, tempfile.TemporaryDirectory() as open_:
            os.chmod(open_, 0o755)
            for directory, owner in ((closed, "root"), (open_, "daybook")):
                data = os.path.join(directory, "data")
                service = Service(flags=("--data-dir", data, "--db-host", "/nowhere"))
                self.addCleanup(service.kill)
                self.assertEqual(mode_and_owner(data)[1:], (owner, owner))
                self.assertIn(f"running user={owner}", service.told())
                service.stop()

    def upgrade(self):
        with open(SETTINGS, "a") as file:
            file.write("LOG_LEVEL=debug\n")
        os.chmod(SETTINGS, 0o666)
        dpkg("-i", "--force-confold", package)
        self.assertEqual(unit_environment()["LOG_LEVEL"], "debug")
        self.assertEqual(mode_and_owner(SETTINGS), ("0o640", "root", "daybook"))

    def remove(self):
        dpkg("-r", "daybook")
        self.assertFalse(os.path.exists(PROGRAM))
        self.assertTrue(os.path.exists(SETTINGS))
        self.assertTrue(os.path.exists(f"{DATA}/log/data.mdb"))

    def purge(self):
        """The log is sealed, and worth nothing without its keys, wherever they are."""
        os.mkdir(os.path.dirname(MASTER), 0o700)
        shutil.copy(f"{DATA}/keys/master", MASTER)
        told = dpkg("--purge", "daybook")
        self.assertIn(f"{DATA} is kept", told)
        self.assertIn("/etc/daybook is kept", told)
        self.assertEqual(os.listdir("/etc/daybook"), ["keys"])
        self.assertTrue(os.path.exists(MASTER))
        self.assertEqual(sorted(os.listdir(DATA)),
                         ["audit", "history", "keys", "log", "log.id", "tokens"])
        self.assertEqual(sorted(os.listdir(f"{DATA}/keys")), ["lock", "master", "ring"])
        self.assertTrue(there_is_a_user())  # who owns what is kept
        shutil.rmtree(DATA)
        shutil.rmtree("/etc/daybook")
        dpkg("-i", package)
        self.assertIn("Status: install ok installed", run("dpkg", "-s", "daybook"))
        self.assertNotIn("is kept", dpkg("--purge", "daybook"))
        self.assertFalse(os.path.exists(DATA))
        self.assertFalse(os.path.exists("/etc/daybook"))


def main():
    global package
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PACKAGE")
    package = sys.argv.pop()
    if os.geteuid() != 0:
        sys.exit("deb.py: this installs a package, so it is for root, in a container")
    apart = os.environ.get("DAYBOOK_APART") == "inside"
    if not apart and run(APART, "echo", "yes", check=False) == "yes\n":
        os.execv(APART, [APART, sys.executable, "-B", *sys.argv, package])
    if apart:
        leave_nothing()
    if there_is_a_user() or os.path.exists(DATA) or os.path.exists(PROGRAM):
        sys.exit("deb.py: Daybook is installed here; this is for a machine without it")
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
