"""A PostgreSQL to be killed, and a look at which of its processes live."""

import glob
import os
import signal
import subprocess
import time
import uuid

from harness import PATIENCE

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "postgres.sh")


def processes_in(directory):
    """The PostgreSQL processes whose data directory lies below this one: each has it as
    its working directory."""
    found, below = [], os.path.realpath(directory) + "/"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            cwd = os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)")
            with open(f"/proc/{pid}/stat") as stat:
                name, state = stat.read().split("(", 1)[1].rsplit(")", 1)
            # Not initdb's or pg_ctl's helpers, and not what has ended but for its parent.
            if (cwd + "/").startswith(below) and name == "postgres" \
                    and state.split()[0] != "Z":
                found.append(int(pid))
        except OSError:
            pass  # it has ended
    return found


def tell(pid, number):
    """Send it a signal; it may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_for_none(directory):
    """A bound on patience, not a measurement."""
    deadline = time.monotonic() + PATIENCE
    while processes_in(directory):
        assert time.monotonic() < deadline, f"still run: {processes_in(directory)}"
        time.sleep(0.02)


def postmaster_of(directory):
    """The pid in the directory's postmaster.pid."""
    with open(os.path.join(directory, "postmaster.pid")) as file:
        return int(file.readline())


def programs():
    """As postgres.sh finds them: the newest."""
    return max(glob.glob("/usr/lib/postgresql/*/bin"),
               key=lambda path: float(path.split("/")[-2]))


class Postgres:
    """A cluster of its own, so that the one the other tests share is not hurt."""

    def __init__(self):
        self.directory = "/tmp/daybook-faults-" + uuid.uuid4().hex[:12]
        self.data = os.path.join(self.directory, "data")
        self._script("start")

    def settings(self):
        """The environment of one more server that uses it."""
        return {"DB_HOST": self.directory, "DB_NAME": "daybook", "DB_USER": "daybook",
                "DB_SCHEMA": "faults_" + uuid.uuid4().hex}

    def kill(self):
        """As the system does when memory is out: the postmaster, and all it started."""
        for pid in [postmaster_of(self.data), *processes_in(self.data)]:
            tell(pid, signal.SIGKILL)
        wait_for_none(self.data)

    def kill_backends(self):
        """The processes that serve a connection, and so for a moment all of them: the
        postmaster does not trust what they shared."""
        for pid in processes_in(self.data):
            try:
                with open(f"/proc/{pid}/cmdline") as title:
                    if "postgres: daybook" in title.read():
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                pass  # it has ended

    def heal(self):
        """Whatever was done to it."""
        self.thaw()
        if not processes_in(self.data):
            self.start()

    def start(self):
        """Again, on what is there."""
        command = [os.path.join(programs(), "pg_ctl"), "start", "-D", self.data, "-w",
                   "-s", "-l", os.path.join(self.data, "server.log")]
        as_owner = {}
        if os.geteuid() == 0:
            owner = os.stat(self.data)
            as_owner = dict(user=owner.st_uid, group=owner.st_gid, extra_groups=[])
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             check=False, **as_owner).returncode != 0:
            # Its shared memory may still be held by a process that is ending.
            assert time.monotonic() < deadline, "PostgreSQL does not start again"
            time.sleep(0.1)

    def freeze(self):
        """It hangs: nothing answers, no connection ends."""
        os.kill(postmaster_of(self.data), signal.SIGSTOP)  # first: it starts the others
        for pid in processes_in(self.data):
            tell(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in processes_in(self.data):
            tell(pid, signal.SIGCONT)

    def close(self):
        self.thaw()
        self._script("stop")

    def _script(self, action):
        subprocess.run([SCRIPT, action, self.directory], check=True, cwd="/",
                       stdin=subprocess.DEVNULL)
