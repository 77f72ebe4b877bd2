"""Several servers that are one: a data directory and a schema of PostgreSQL each, and the
brokers that they share."""

import contextlib
import os
import signal
import struct
import time
import urllib.parse
import uuid

from ended import ENDED
from harness import PATIENCE, Client, Server

SESSION = 2  # seconds until a silent leader is replaced


class Node(Server):
    """One of them. within: what it is started through, such as a network of its own."""

    def __init__(self, name, bootstrap, within=(), topic="daybook", program=None,
                 connect=None, **settings):
        super().__init__()
        self.name = name
        self.program = [*ENDED, *within, *(program or self.program)]
        self.connect = connect  # a socket to it, where it is not simply at 127.0.0.1
        self.frozen = False
        self.env.update(
            CLUSTER_BROKERS=bootstrap, CLUSTER_TOPIC=topic, CLUSTER_NODE=name,
            CLUSTER_URL=f"http://127.0.0.1:{self.port}", CLUSTER_SESSION=str(SESSION),
            MASTER_KEY_FILE=self.data_dir + ".master")
        self.put_master()
        self.env.update({key: str(value) for key, value in settings.items()})
        self.env["DAYBOOK_TEST_CLOCK"] = os.path.join(self.data_dir, "clock")

    def put_master(self, behind="", digit="a"):
        """The file of the master key, which lies beside the data directory: the same at all."""
        path = self.data_dir + ".master" + behind
        with open(path, "w", encoding="ascii") as file:
            file.write(digit * 64 + "\n")
        os.chmod(path, 0o600)

    def set_clock(self, seconds):
        """Ahead by so many. The first time it must not run yet."""
        shim = os.environ["DAYBOOK_CLOCK_SHIM"]
        if shim not in self.env.get("LD_PRELOAD", ""):
            self.env["LD_PRELOAD"] = f"{self.env.get('LD_PRELOAD', '')} {shim}".strip()
            self.env["ASAN_OPTIONS"] = ":".join(filter(None, (
                self.env.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        there = os.path.exists(self.env["DAYBOOK_TEST_CLOCK"])  # mapped: not to be cut
        with open(self.env["DAYBOOK_TEST_CLOCK"], "r+b" if there else "wb") as file:
            file.write(struct.pack("<q", seconds))

    def client(self, timeout=PATIENCE):
        client = super().client(timeout)
        if self.connect:
            client.connection._create_connection = self.connect
        return client

    def insist(self, path, body):
        """Post it here, or where the leader is by then: on a machine under load it changes
        by itself. The answer."""
        port, key, deadline = self.port, str(uuid.uuid4()), time.monotonic() + PATIENCE
        while True:
            client = Client(port)
            try:
                answer = client.post(path, body, idempotency_key=key)
            finally:
                client.close()
            if answer.status not in (307, 503) or time.monotonic() > deadline:
                return answer
            port = urllib.parse.urlsplit(answer.headers.get("Location", "")).port or self.port
            time.sleep(0.1)

    def tail(self):
        """What a sanitizer found, rather than what was logged last."""
        told = self.told()
        found = [told.find(word) for word in ("ERROR: AddressSan", "runtime error:",
                                              "Assertion")]
        first = min((at for at in found if at >= 0), default=None)
        return super().tail() if first is None else told[max(0, first - 300):first + 6000]

    @property
    def up(self):
        return self.process is not None and self.process.poll() is None

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        if self.frozen and self.up:
            self.process.send_signal(signal.SIGCONT)
        self.frozen = False

    def kill(self):
        self.frozen = False
        super().kill()

    def close(self):
        self.thaw()
        super().close()
        for behind in ("", ".new"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.data_dir + ".master" + behind)

    def health(self, path, timeout=2):
        """The status of one of the health routes; None where nobody answers."""
        client = self.client(timeout)
        try:
            return client.get(path).status
        except OSError:
            return None
        finally:
            client.close()
            self.clients.remove(client)

    @property
    def leads(self):
        return self.up and not self.frozen and self.health("/health/leader") == 200


class Nodes:
    """All of one topic. The first has made it."""

    def __init__(self, bootstrap, names="abc", replication=None, make=Node, **settings):
        self.all = [make(name, bootstrap, **settings) for name in names]
        self.replication = replication

    def __iter__(self):
        return iter(self.all)

    def __getitem__(self, name):
        return next(node for node in self.all if node.name == name)

    def init(self):
        """The topics, and the first one's log as what they begin with."""
        flags = ["--replication", str(self.replication)] if self.replication else []
        return self.all[0].run("cluster", "init", *flags)

    def start(self):
        self.init()
        for node in self.all:
            node.spawn()
        for node in self.all:
            node.wait_ready()
        self.await_leader()
        return self

    def leader(self):
        """Who says that it leads, or None."""
        return next((node for node in self.all if node.leads), None)

    def await_leader(self, patience=PATIENCE, other_than=None):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            found = self.leader()
            if found and found is not other_than:
                return found
            time.sleep(0.02)
        raise AssertionError("nobody leads:\n" + self.tail())

    def followers(self):
        leader = self.await_leader()
        return [node for node in self.all if node is not leader]

    def heads(self):
        """Each one's newest sequence, as it tells."""
        found = []
        for node in self.all:
            client = node.client(timeout=5)
            try:
                found.append(client.get("/health").data["head"])
            finally:
                client.close()
        return found

    def await_equal(self, patience=PATIENCE):
        """Until all have the same head, and for a while; what it is."""
        deadline, heads = time.monotonic() + patience, None
        while time.monotonic() < deadline:
            before, heads = heads, self.heads()
            if len(set(heads)) == 1 and heads == before:
                return heads[0]
            time.sleep(0.3)
        raise AssertionError(f"they do not become equal: {heads}\n" + self.tail())

    def tail(self):
        return "\n".join(f"-- {node.name}\n{node.tail()[-1500:]}" for node in self.all)

    def close(self):
        for node in self.all:
            if node.process and not node.up:  # it has ended, which the test saw or not
                node.process = None
            node.close()
