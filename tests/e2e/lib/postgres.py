"""A PostgreSQL to be killed, and a look at which of its processes live."""

import glob
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
import uuid

from harness import PATIENCE

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "postgres.sh")


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


def wait_for_none(directory):
    """A bound on patience, not a measurement."""
    deadline = time.monotonic() + PATIENCE
    while processes_in(directory):
        assert time.monotonic() < deadline, f"still run: {processes_in(directory)}"
        time.sleep(0.02)


def signal_all(pids, number):
    """Those that have ended meanwhile need none."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def postmaster_of(directory):
    """The pid in the directory's postmaster.pid."""
    with open(os.path.join(directory, "postmaster.pid")) as file:
        return int(file.readline())


def freeze(directory):
    """It hangs: nothing answers, no connection ends."""
    signal_all([postmaster_of(directory)], signal.SIGSTOP)  # it starts the others
    frozen = set()
    while more := set(processes_in(directory)) - frozen:  # it may just have forked
        signal_all(more, signal.SIGSTOP)
        frozen |= more
        time.sleep(0.05)


def parent_of(pid):
    """None where it has ended."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def programs():
    """As postgres.sh finds them: the newest."""
    return max(glob.glob("/usr/lib/postgresql/*/bin"),
               key=lambda path: float(path.split("/")[-2]))


class Postgres:
    """A cluster of its own, so that the one the other tests share is not hurt."""

    def __init__(self):
        self.directory = "/tmp/daybook-faults-" + uuid.uuid4().hex[:12]
        self.data = os.path.join(self.directory, "data")
        self.full = os.path.join(self.directory, "full")  # while there, no table grows
        self.shim = None  # what makes it so
        self._script("start")

    def settings(self, user="daybook"):
        """The environment of one more server that uses it."""
        return {"DB_HOST": self.directory, "DB_NAME": "daybook", "DB_USER": user,
                "DB_SCHEMA": "faults_" + uuid.uuid4().hex}

    def sql(self, *statements):
        """Run them, each a transaction of its own, as who may do all; the rows as text."""
        done = subprocess.run(
            [os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-v",
             "ON_ERROR_STOP=1", "-h", self.directory, "-U", "daybook", "-d", "daybook",
             *(part for one in statements for part in ("-c", one))],
            cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False)
        if "deadlock detected" in done.stderr and len(statements) == 1:
            return self.sql(*statements)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def make_role(self):
        """One that may make its own schema, and is no superuser."""
        name = "app_" + uuid.uuid4().hex[:12]
        self.sql(f"create role {name} login password 'first'",
                 f"grant create, temporary on database daybook to {name}")
        return name

    def end_sessions(self, role):
        """All there are of this role, as an administrator would."""
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity "
                 f"where usename = '{role}'")

    def configure(self, **settings):
        """Until heal(). Sessions that are there take what can be taken while they last."""
        self.sql(*(f"alter system set {name} = '{value}'"
                   for name, value in settings.items()), "select pg_reload_conf()")

    def admit(self, *rules):
        """Lines that go before those of pg_hba.conf, instead of others from here; they
        count for who comes from now on."""
        path = os.path.join(self.data, "pg_hba.conf")
        with open(path) as file:
            kept = file.read().split("# below: as it was\n")[-1]
        with open(path, "w") as file:  # the same file, so that its owner stays
            file.write("\n".join([*rules, "# below: as it was\n"]) + kept)
        self.sql("select pg_reload_conf()")

    def fill_disk(self):
        """As far as tables see it. Needs no rights and no file system of its own: the
        server runs with tests/e2e/faults/full_disk.c preloaded, from its next start on."""
        if not self.shim:
            self.shim = os.path.join(self.directory, "full_disk.so")
            shutil.copy(os.environ["DAYBOOK_FULL_DISK"], self.shim)
            os.chmod(self.shim, 0o755)
            self.restart()
        open(self.full, "w").close()

    def empty_disk(self):
        if os.path.exists(self.full):
            os.remove(self.full)

    def restart(self, how="fast"):
        """As an administrator does it: sessions are told, and ended."""
        self._control("stop", "-m", how)
        self.start()

    def kill(self):
        """As the system does when memory is out: the postmaster, and all it started."""
        signal_all([postmaster_of(self.data), *processes_in(self.data)], signal.SIGKILL)
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
        self.empty_disk()
        if not processes_in(self.data):
            self.start()
        if self.sql("select count(*) from pg_file_settings where sourcefile like "
                    "'%auto.conf'") != "0":
            self.sql("alter system reset all")
            self.restart()

    def start(self):
        """Again, on what is there."""
        deadline = time.monotonic() + PATIENCE
        while self._control("start", "-l", os.path.join(self.data, "server.log")) != 0:
            # Its shared memory may still be held by a process that is ending.
            assert time.monotonic() < deadline, "PostgreSQL does not start again"
            time.sleep(0.1)

    def _control(self, action, *options):
        """pg_ctl, as the user whose the cluster is; its exit code."""
        as_owner, env = {}, dict(os.environ)
        if os.geteuid() == 0:
            owner = os.stat(self.data)
            as_owner = dict(user=owner.st_uid, group=owner.st_gid, extra_groups=[])
        if self.shim:
            env.update(LD_PRELOAD=self.shim, DAYBOOK_FULL_DISK=self.full)
        return subprocess.run(
            [os.path.join(programs(), "pg_ctl"), action, "-D", self.data, "-w", "-s",
             *options], cwd="/", env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            **as_owner).returncode

    def freeze(self):
        freeze(self.data)

    def thaw(self):
        signal_all(processes_in(self.data), signal.SIGCONT)

    def close(self):
        self.thaw()
        self._script("stop")

    def _script(self, action):
        subprocess.run([SCRIPT, action, self.directory], check=True, cwd="/",
                       stdin=subprocess.DEVNULL)


class Sessions:
    """Others' connections, as many as PostgreSQL gives: held until released."""

    def __init__(self, postgres, role):
        self.path = os.path.join(postgres.directory, ".s.PGSQL.5432")
        self.role, self.held = role, []

    def take(self):
        """One more; False: it gives none."""
        words = f"user\0{self.role}\0database\0daybook\0\0".encode()
        one = socket.socket(socket.AF_UNIX)
        one.settimeout(PATIENCE)
        one.connect(self.path)
        # The protocol's start-up message, version 3.0. It is answered with messages of
        # which Z says that all is ready, and E that it is not to be.
        one.sendall(struct.pack(">ii", 8 + len(words), 3 << 16) + words)
        with one.makefile("rb") as answer:
            kind = None
            while kind not in (b"Z", b"E", b""):
                kind = answer.read(1)
                length = answer.read(4)
                answer.read(struct.unpack(">i", length)[0] - 4 if length else 0)
        if kind == b"Z":
            self.held.append(one)
        else:
            one.close()
        return kind == b"Z"

    def release(self):
        while self.held:
            self.held.pop().close()
