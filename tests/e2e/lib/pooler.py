"""A pgbouncer between the program and PostgreSQL, and another application behind it."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
import uuid

from harness import PATIENCE
from postgres import programs

PORT = "6432"  # the name of its socket; it has no other


def pgbouncer():
    """The program. Without it a test is skipped, and says so."""
    found = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not found:
        print("SKIPPED: no pgbouncer here: apt-get install pgbouncer", file=sys.stderr,
              flush=True)
        raise unittest.SkipTest("no pgbouncer")
    return found


class Pooler:
    """Debian's pgbouncer as it comes, but for its mode and what a test says."""

    def __init__(self, postgres, mode, **settings):
        self.program = pgbouncer()
        self.postgres, self.process = postgres, None
        self.settings = dict(settings, pool_mode=mode)
        self.directory = os.path.join(postgres.directory, "pooler-" + uuid.uuid4().hex[:6])
        self.owner = os.stat(postgres.data)
        os.makedirs(self.directory, exist_ok=True)
        os.chown(self.directory, self.owner.st_uid, self.owner.st_gid)
        self.start()

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _write(self):
        users = self.postgres.sql("select string_agg(format('\"%s\" \"\"', rolname), "
                                  "E'\\n') from pg_roles where rolcanlogin")
        settings = {"listen_addr": "", "listen_port": PORT, "auth_type": "trust",
                    "unix_socket_dir": self.directory, "auth_file": self._path("users"),
                    "logfile": self._path("log"), "pidfile": self._path("pid"),
                    **self.settings}
        with open(self._path("users"), "w") as file:
            file.write(users + "\n")
        with open(self._path("ini"), "w") as file:
            file.write(f"[databases]\n* = host={self.postgres.directory}\n[pgbouncer]\n")
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def start(self):
        as_owner = {}
        if os.geteuid() == 0:  # which it refuses to run as
            as_owner = dict(user=self.owner.st_uid, group=self.owner.st_gid,
                            extra_groups=[])
        self._write()
        if os.path.exists(self._path(".s.PGSQL." + PORT)):
            os.remove(self._path(".s.PGSQL." + PORT))  # of one that was killed
        self.process = subprocess.Popen(
            [self.program, "-q", self._path("ini")], cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_owner)
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(self._path(".s.PGSQL." + PORT)):
            assert self.process.poll() is None and time.monotonic() < deadline, self.told()
            time.sleep(0.02)

    def told(self):
        with open(self._path("log"), errors="replace") as log:
            return log.read()[-4000:]

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait(PATIENCE)
        self.process = None

    def configure(self, **settings):
        """From the end of each transaction under way on."""
        self.settings.update(settings)
        self._write()
        self.process.send_signal(signal.SIGHUP)

    def env(self, **env):
        """Of a server that reaches its PostgreSQL through it."""
        return {"DB_HOST": self.directory, "DB_PORT": PORT, **env}

    def application(self):
        return Application(self.directory)


class Application:
    """Another one, which stays connected: each of its statements is a transaction."""

    def __init__(self, host):
        self.psql = subprocess.Popen(
            [os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-h", host, "-p",
             PORT, "-U", "daybook", "-d", "daybook"], cwd="/", stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def ask(self, sql):
        """What it answers, as text."""
        self.psql.stdin.write(f"{sql};\n\\echo .\n")
        lines = []
        for line in iter(self.psql.stdout.readline, ".\n"):
            assert line, f"psql ended: {lines}"
            lines.append(line.rstrip("\n"))
        return "\n".join(lines)

    def close(self):
        if self.psql.stdin.closed:
            return
        self.psql.stdin.close()
        self.psql.stdout.close()
        self.psql.wait(PATIENCE)


class Traffic:
    """Others, who keep its sessions busy with short transactions."""

    def __init__(self, pooler, clients=4):
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(pooler.application(),))
                        for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _work(self, application):
        while not self.stopping.is_set():
            application.ask("select pg_sleep(0.001)")
        application.close()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
