"""daybook serve on a data directory of its own, with its own private PostgreSQL: the
product as a newcomer runs it, with the product's settings of fsync and all else."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import time

import processor
from report import Failure

PATIENCE = 1800  # seconds until what must happen has not happened


class Server:
    def __init__(self, world, log=None, like=None, log_level=None, port=0, settings=None):
        """log: a directory with a log to begin with; like: a whole data directory of a
        server that is stopped. Either is copied. settings: that it has beside."""
        self.world = world
        self.wanted_port, self.settings = port, dict(settings or {})
        self.data_dir = world.path("data")
        self.log_level = log_level or world.options.log_level
        if like:
            world.run("cp", "-a", like, self.data_dir)
        else:
            os.mkdir(self.data_dir)
        os.chmod(self.data_dir, 0o755)
        if log:
            shutil.copytree(log, self.log_dir)
        self.output = open(os.path.join(self.data_dir, "serve.log"), "ab")
        self.process = None
        self.port = None
        world.keep(self)

    # Running it.

    def spawn(self):
        self.offset = os.path.getsize(self.output.name)
        self.process = subprocess.Popen(
            [self.world.daybook, "serve", "--data-dir", self.data_dir, "--port",
             str(self.wanted_port), "--log-level", self.log_level],
            env=self.environment(), cwd=self.data_dir, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output)
        self.port = None

    def start(self):
        self.spawn()
        self.wait_ready()
        return self

    def build(self):
        """Tables for the log that is there, before the first start: following a long log
        takes minutes, and is what catchup measures."""
        self.run("rebuild")
        return self

    def said(self):
        """What serve logged since it was spawned."""
        with open(self.output.name, errors="replace") as file:
            file.seek(self.offset)
            return file.read()

    def wait_ready(self):
        self.until(self._find_port, "listening", pause=0.002)

    def _find_port(self):
        """The kernel's word, for serve names its port only where it logs at info."""
        if self.process.poll() is not None:
            raise Failure(f"serve ended {self.process.returncode}: {self.said()[-2000:]}")
        self.port = listening_port(self.process.pid)
        return self.port is not None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.process = None
        if status != 0:
            raise Failure(f"serve ended {status}: {self.said()[-2000:]}")

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process = None

    def close(self):
        try:
            if self.process and self.process.poll() is None:
                self.stop()
        finally:
            if self.process and self.process.poll() is None:
                self.kill()
            end_postgres(os.path.join(self.data_dir, "postgres"))
            self.output.close()
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def environment(self):
        return dict(environment(), **self.settings)

    # Asking it.

    def ask(self, method, path, body=None, headers=None, status=200):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = dict(headers or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        try:
            client.request(method, path, body, headers)
            response = client.getresponse()
            text = response.read()
        finally:
            client.close()
        if response.status not in (status if isinstance(status, tuple) else (status,)):
            raise Failure(f"{method} {path} answered {response.status}: {text[:500]}")
        return response, text

    def data(self, path, **kwargs):
        return json.loads(self.ask("GET", path, **kwargs)[1])["data"]

    def health(self):
        return self.data("/health", status=(200, 503))  # while it catches up, too

    def head(self):
        return self.health()["head"]

    def quiet_head(self):
        """The head, once no request that a client left behind is under way."""
        before, now = -1, self.head()
        while now != before:
            time.sleep(0.1)
            before, now = now, self.head()
        return now

    def until(self, condition, what, pause=0.02):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"{what} did not happen: {self.said()[-2000:]}")
            time.sleep(pause)

    def settle(self):
        """Until the tables have all of the log: what follows is not disturbed."""
        self.until(lambda: _settled(self.health()), "catching up")

    def rest(self):
        """Until nothing is left of what was written: the tables have it, it is on disk, and
        whoever follows the log behind a commit has caught up, which is told by nobody but the
        processor."""
        self.settle()
        self.world.run("sync", "--file-system", self.data_dir)
        self.until(lambda: self._spent(0.25) < 0.05, "resting", pause=0)

    def _spent(self, seconds):
        """Of a processor, in the next so many seconds."""
        before = processor.server(self)
        time.sleep(seconds)
        return (processor.server(self) - before) / 1e6 / seconds

    def run(self, command, *arguments, **kwargs):
        return self.world.run(self.world.daybook, command, "--data-dir", self.data_dir,
                              *arguments, env=self.environment(), cwd=self.data_dir, **kwargs)

    def popen(self, command, *arguments):
        """The same, for who waits for it in his own way; it logs where serve does."""
        return subprocess.Popen(
            [self.world.daybook, command, "--data-dir", self.data_dir, *arguments],
            env=self.environment(), cwd=self.data_dir, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output)

    def verify(self, tables=False):
        """daybook verify finds nothing."""
        self.run("verify", *(["--projection"] if tables else []))

    @property
    def log_dir(self):
        return os.path.join(self.data_dir, "log")

    @property
    def socket_dir(self):
        return os.path.join(self.data_dir, "postgres")


def _settled(health):
    if health["quarantined"]:
        raise Failure(f"quarantined: {health}")
    return health["projected"] >= health["head"] and health["status"] == "ok"


def environment():
    """Nothing that sets the product up but what the bench says."""
    return {"PATH": os.environ["PATH"]}


def listening_port(pid):
    """The TCP port that the process listens on, or None."""
    ours = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            ours.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    except OSError:
        return None
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in ours:
                return int(fields[1].split(":")[1], 16)
    return None


def end_postgres(directory):
    """What a killed serve left behind; only ever the postmaster of this directory."""
    try:
        with open(os.path.join(directory, "postmaster.pid")) as file:
            pid = int(file.readline())
        with open(f"/proc/{pid}/cmdline") as file:
            ours = directory in file.read().split("\0")
    except (OSError, ValueError):
        return
    if ours:
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 20
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.05)
