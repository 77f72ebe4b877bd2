"""Runs the real program and talks to it over real HTTP.

DAYBOOK is the program, DAYBOOK_TEST_PG the socket directory of the tests' PostgreSQL;
ctest sets both. Each server gets a data directory and a schema of its own. With
DAYBOOK_TEST_SEALED=1 in the environment the logs that they make are sealed.
"""

import http.client
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

PROGRAM = os.environ["DAYBOOK"]
PATIENCE = 120  # seconds until something that must happen has not happened
GRACE = 2  # seconds in which the tables of a server that answers are followed
# What a server of a test is set to that looks for a text in the log's bytes, or holds an export
# against what the API says. All others have the default.
UNSEALED = {"SEALED": "false"}
NOWHERE = "/nowhere"  # the DB_HOST of a server whose tables never will be


class Answer:
    """One HTTP answer."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json["data"]

    @property
    def details(self):
        return self.json["response"]["details"]

    @property
    def sequence(self):
        return int(self.headers["Daybook-Sequence"])


class Client:
    """One keep-alive connection; another where the server ended it while it idled, as it does
    after half a minute: a slow machine may take that long between two requests."""

    def __init__(self, port, timeout=PATIENCE):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            if isinstance(body, str):
                body = body.encode()
        self.let_go_if_ended()
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        return Answer(response, response.read())

    def let_go_if_ended(self):
        """Between two requests there is nothing to read but the end."""
        if self.connection.sock:
            look = select.poll()
            look.register(self.connection.sock, select.POLLIN)
            if look.poll(0):
                self.connection.close()  # the next request opens it again

    def get(self, path, **headers):
        return self.request("GET", path, headers=_names(headers))

    def post(self, path, body, **headers):
        return self.request("POST", path, body, _names(headers))

    def put(self, path, body, **headers):
        return self.request("PUT", path, body, _names(headers))

    def patch(self, path, body, **headers):
        return self.request("PATCH", path, body, _names(headers))

    def delete(self, path, body=None, **headers):
        return self.request("DELETE", path, body, _names(headers))

    def close(self):
        self.connection.close()


def _names(headers):
    """if_match="x" is the header If-Match: x."""
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


_held = []  # what keeps this process's ports from others
PORTS = 100  # of each process


def own_ports(last):
    """So many that no other process of the tests takes, also while none listens there."""
    while not _held:
        # Browsers refuse 10080.
        first = random.SystemRandom().randrange(11000, last - PORTS, PORTS)
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0daybook-tests-ports-{first}")
        except OSError:
            mark.close()
            continue
        _held.append((mark, range(first, first + PORTS)))
    return _held[0][1]


def free_port():
    """None that the system gives to whoever asks for any, as connections do: a server that is
    stopped and started again must find its own still free."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as given:
        last = int(given.read().split()[0])
    ports = own_ports(last) if last > 20000 else [0]
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.SystemRandom().choice(ports)))
            except OSError:
                continue
            return probe.getsockname()[1]


class Server:
    """daybook serve, with a data directory that outlives restarts.

    private=True lets it run its own PostgreSQL; else it uses the tests' one.
    """

    def __init__(self, private=False, env=None, flags=()):
        self.data_dir = tempfile.mkdtemp(prefix="daybook-e2e-")
        os.chmod(self.data_dir, 0o755)  # so that an unprivileged PostgreSQL gets in
        self.port = free_port()
        self.flags = list(flags)
        self.program = [PROGRAM]  # and what it is started through
        self.env = {"PATH": os.environ["PATH"], "HOME": self.data_dir}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        if not private:
            self.env.update(
                DB_HOST=os.environ["DAYBOOK_TEST_PG"], DB_NAME="daybook",
                DB_USER="daybook", DB_SCHEMA="e2e_" + uuid.uuid4().hex)
        if os.environ.get("DAYBOOK_TEST_SEALED"):
            self.env["SEALED"] = "true"
        self.env.update(env or {})
        self.process = None
        self.clients = []
        self.log = open(os.path.join(self.data_dir, "serve.log"), "ab")

    def start(self):
        self.spawn()
        self.wait_ready()
        return self

    def spawn(self):
        """Start it, and do not wait until it answers."""
        self.process = subprocess.Popen(
            [*self.program, "serve", "--data-dir", self.data_dir, "--port", str(self.port),
             *self.flags],
            env=self.env, cwd=self.data_dir, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log)

    def wait_ready(self):
        """Until it is well; or, where that takes longer, as without PostgreSQL, answers."""
        deadline = time.monotonic() + PATIENCE
        grace = 0 if self.env.get("DB_HOST") == NOWHERE else GRACE
        answered = None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended {self.process.returncode}: {self.tail()}")
            try:
                client = self.client(timeout=5)
                status = client.get("/health").status
                answered = answered or time.monotonic()
                if status == 200 or (status == 503 and
                                     time.monotonic() >= answered + grace):
                    return
            except OSError:
                pass
            finally:
                client.close()
            time.sleep(0.02)
        raise AssertionError("serve did not get ready: " + self.tail())

    def stop(self):
        """SIGTERM; it must end well (a sanitizer's finding makes it end badly)."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.process = None
        if status != 0:
            raise AssertionError(f"serve ended {status}: {self.tail()}")

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process = None

    def close(self):
        for client in self.clients:
            client.close()
        try:
            if self.process:
                self.stop()
        finally:
            if self.process:
                self.kill()
            self.log.close()
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def client(self, timeout=PATIENCE):
        """A new connection, closed with the server at the latest."""
        client = Client(self.port, timeout)
        self.clients.append(client)
        return client

    def run(self, *arguments, check=True, **kwargs):
        """Run a subcommand with this server's settings."""
        done = subprocess.run(
            [PROGRAM, arguments[0], "--data-dir", self.data_dir, *arguments[1:]],
            env=self.env, cwd=self.data_dir, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300, **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments} ended {done.returncode}: {done.stderr}")
        return done

    def bring_keys(self, data_dir):
        """The ring of its log, which is in no export, to where one is to be imported."""
        shutil.copytree(os.path.join(self.data_dir, "keys"), os.path.join(data_dir, "keys"))

    def told(self):
        """All it has logged. A request's line comes after its answer: wait_for it."""
        with open(os.path.join(self.data_dir, "serve.log"), errors="replace") as log:
            return log.read()

    def tail(self):
        """What it logged last, for the message of a failure."""
        return self.told()[-4000:]

    def wait_for(self, condition, what):
        """Until condition() is true. A bound on patience, not a measurement."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError(f"{what} did not happen: {self.tail()}")

    def log_records(self):
        """The whole log, by GET /log, as a list."""
        client, after, records = self.client(), 0, []
        while True:
            answer = client.get(f"/log?after={after}&limit=1000")
            assert answer.status == 200, (answer.status, answer.details, self.tail())
            page = answer.data
            if not page:
                client.close()
                return records
            records += page
            after = page[-1]["sequence"]
