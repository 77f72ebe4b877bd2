"""Starts the Debian package's units under systemd, shut in as they are: make test-deb.

    booted.py PACKAGE

As root, by a systemd of its own in a copy of this system (booted.sh); where none can be
booted, as in most containers, it says so and ends with 0.
"""

import glob
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BOOTED = os.path.join(HERE, "booted.sh")
CANNOT = 125
sys.path.insert(0, os.path.join(HERE, "../e2e/lib"))
os.environ["DAYBOOK"] = "/usr/bin/daybook"

from harness import PATIENCE, Client  # noqa: E402
from witness import Note, Witness  # noqa: E402

SERVER, ASKER = "daybook.service", "daybook-cosign.service"
SETTINGS, POLICY = "/etc/daybook/daybook.env", "/etc/daybook/policy"
DATA, PROGRAM = "/var/lib/daybook", os.environ["DAYBOOK"]
KEYS = f"{DATA}/audit/keys.pub"
UNIT = f"/lib/systemd/system/{SERVER}"
COMMAND = "/etc/systemd/system/keys-command.service"
MASTER = "/etc/daybook/keys/master"
PERSON = {"email": "kate@marauders.mock", "first_name": "Kate", "last_name": "Pryde"}
EVENT = {"event_type": "click", "anonymous_id": "a"}
package = None


def run(*command, check=True):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended {done.returncode}: {done.stdout}\n" +
                             "".join(told(unit) for unit in (SERVER, ASKER)))
    return done.stdout


def told(unit):
    try:
        with open(f"/run/{unit}.log") as file:
            return f"{unit}: {file.read()[-3000:]}\n"
    except OSError:
        return ""


def state(unit, name):
    return run("systemctl", "show", "-p", name, "--value", unit).strip()


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen: {told(SERVER)}{told(ASKER)}")
        time.sleep(0.1)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def leave_nothing():
    run("systemctl", "stop", SERVER, ASKER, check=False)
    run("dpkg", "--purge", "daybook")
    for path in (DATA, "/etc/daybook", *(f"/etc/systemd/system/{unit}.d"
                                         for unit in (SERVER, ASKER))):
        shutil.rmtree(path, ignore_errors=True)


class Booted(unittest.TestCase):
    def setUp(self):
        self.addCleanup(leave_nothing)
        run("dpkg", "-i", package)
        for unit in (SERVER, ASKER):  # there is no journal here
            os.makedirs(f"/etc/systemd/system/{unit}.d")
            write(f"/etc/systemd/system/{unit}.d/log.conf",
                  f"[Service]\nStandardOutput=append:/run/{unit}.log\n"
                  f"StandardError=append:/run/{unit}.log\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.private = bool(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        self.settings = f"PORT={self.port}\nAUDIT_ORIGIN=unit.test/log\nAUDIT_INTERVAL=1\n"
        if not self.private:
            self.settings += "DB_HOST=/nowhere\n"
        write(POLICY, "quorum none\n")
        write(SETTINGS, self.settings + f"AUDIT_POLICY={POLICY}\n")
        run("systemctl", "daemon-reload")

    def ask(self, method, path, body=None):
        client = Client(self.port)
        try:
            return client.request(method, path, body)
        finally:
            client.close()

    def post(self):
        self.assertEqual(self.ask("POST", "/events", EVENT).status, 201)

    def assert_shut_in(self, unit):
        with open(f"/proc/{state(unit, 'MainPID')}/status") as file:
            found = dict(re.findall(r"(?m)^(\w+):\s+(\S+)", file.read()))
        self.assertEqual(found["Uid"], str(pwd.getpwnam("daybook").pw_uid))
        self.assertEqual((int(found["CapBnd"], 16), int(found["CapEff"], 16)), (0, 0))
        self.assertEqual((found["NoNewPrivs"], found["Seccomp"]), ("1", "2"))

    def test_the_server_and_who_asks_witnesses_run_and_end_as_their_units_say(self):
        run("systemctl", "start", SERVER)  # Type=notify: it is ready
        self.assert_shut_in(SERVER)
        self.post()
        if self.private:
            self.assertEqual(self.ask("GET", "/persons").status, 200)
        with open(KEYS) as file:
            witness = Witness("w.test/one", [file.read().split()[-1]])
        self.addCleanup(witness.close)
        write(POLICY, witness.line + "quorum w.test/one\n")
        run("systemctl", "restart", SERVER)
        run("systemctl", "enable", "--now", ASKER)
        self.assert_cosigned(witness, 1)
        self.assert_shut_in(ASKER)

        run("systemctl", "kill", "-s", "KILL", ASKER)
        wait_for(lambda: state(ASKER, "NRestarts") == "1" and
                 state(ASKER, "ActiveState") == "active", "another start")
        self.post()
        self.assert_cosigned(witness, 2)
        self.end(ASKER)

        write(SETTINGS, self.settings)  # nobody to ask, the next time neither
        run("systemctl", "start", ASKER, check=False)
        wait_for(lambda: state(ASKER, "ActiveState") == "failed", "its end")
        self.assertEqual((state(ASKER, "ExecMainStatus"), state(ASKER, "NRestarts")),
                         ("2", "0"))
        self.assertIn("AUDIT_POLICY is needed", told(ASKER))
        self.end(SERVER)

    def make_master(self, path):
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        write(path, os.urandom(32).hex() + "\n")
        os.chmod(path, 0o600)  # root's alone: the service itself may not read it

    def uncomment(self, what):
        """As systemctl edit does, so that the next package leaves it."""
        with open(UNIT) as file:
            line = re.search(rf"(?m)^#({what}=.*)$", file.read())[1]
        write(f"/etc/systemd/system/{SERVER}.d/keys.conf", f"[Service]\n{line}\n")
        run("systemctl", "daemon-reload")

    def keys(self, *arguments, credentials=("master_key:" + MASTER,)):
        """A command that is handed the key as the service is; as systemd-run does, which
        wants a bus."""
        write(COMMAND, "[Service]\nType=oneshot\nUser=daybook\nStandardOutput=file:/run/told\n"
              "StandardError=append:/run/told\n" +
              "".join(f"LoadCredential={each}\n" for each in credentials) +
              f"ExecStart={PROGRAM} keys {' '.join(arguments)} --data-dir {DATA}\n"
              "[Unit]\nDefaultDependencies=no\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "start", os.path.basename(COMMAND), check=False)
        with open("/run/told") as file:
            return file.read()

    def assert_known(self, id_):
        self.assertIn(b"Kate", self.ask("GET", f"/persons/{id_}/history").body)

    def test_a_master_key_that_root_alone_reads_is_handed_over_and_rotated(self):
        self.make_master(MASTER)
        self.uncomment("LoadCredential")
        run("systemctl", "start", SERVER)
        self.assert_shut_in(SERVER)
        id_ = self.ask("POST", "/persons", PERSON).data["id"]
        self.assertEqual(sorted(os.listdir(f"{DATA}/keys")), ["lock", "ring"])
        self.assertIn("/master_key\n", self.keys("status"))
        run("systemctl", "restart", SERVER)
        self.assert_known(id_)

        self.make_master(MASTER + ".new")
        told = self.keys("rotate", credentials=(f"master_key:{MASTER}",
                                                f"master_key.new:{MASTER}.new"))
        self.assertIn("epoch 2", told)
        os.replace(MASTER + ".new", MASTER)
        run("systemctl", "restart", SERVER)
        self.assert_known(id_)
        self.end(SERVER)

    def assert_cosigned(self, witness, size):
        def is_there():
            answer = self.ask("GET", "/checkpoint")
            note = answer.status == 200 and Note(answer.body.decode())
            return note and note.size >= size and note.signed_by(witness.vkey)
        wait_for(is_there, f"a checkpoint of {size} by a witness")

    def end(self, unit):
        run("systemctl", "stop", unit)
        self.assertEqual((state(unit, "Result"), state(unit, "ExecMainStatus"),
                          state(unit, "ActiveState")), ("success", "0", "inactive"))


def main():
    global package
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PACKAGE")
    package = os.path.abspath(sys.argv.pop())
    if os.environ.get("DAYBOOK_BOOTED") == "inside":
        unittest.main(verbosity=2)
    status = subprocess.run([BOOTED, "env", "DAYBOOK_BOOTED=inside", sys.executable, "-B",
                             os.path.abspath(sys.argv[0]), package], check=False).returncode
    if status == CANNOT:
        print("SKIPPED: no systemd of its own can be booted here, so the units were not "
              "started by one")
    sys.exit(0 if status == CANNOT else status)


if __name__ == "__main__":
    main()
