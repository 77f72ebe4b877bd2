"""Persons, by their external ids, as registers: clients write and read them at any of the servers, and keep when each
request began and ended, and what came of it. tests/cluster/linearizable judges that."""

import http.client
import json
import os
import random
import subprocess
import threading
import time
import urllib.parse
import uuid

from ended import ENDED

HERE = os.path.dirname(os.path.abspath(__file__))
DOMAIN = "@register.test"  # of their addresses; the load has other ones
TIMEOUT = 30  # seconds; then nobody knows
LIFE = 5  # seconds that clients are at the same persons: what is not known stays open for ever


class Registers:
    """nodes: where to, each with its port. Each client does one thing at a time, on a person
    that others are at, too."""

    def __init__(self, nodes, seed, clients=6, keys=2):
        self.nodes, self.seed, self.keys = nodes, seed, keys
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.history, self.wrong = [], []
        self.began = time.monotonic()
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True)
                        for i in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(3 * TIMEOUT)
        assert not self.wrong, self.wrong[:5]

    def _run(self, number):
        try:
            client = _Client(self, number)
            while not self.stopping.is_set():
                client.turn()
            client.close()
        except Exception as error:  # told by stop()
            with self.lock:
                self.wrong.append(f"{type(error).__name__}: {error}")

    def key(self, chance):
        """A person of those that it is the time of."""
        age = int((time.monotonic() - self.began) / LIFE)
        name = f"{self.seed}/{age}/{chance.randrange(self.keys)}"
        return str(uuid.UUID(int=random.Random(name).getrandbits(128), version=4))

    def check(self, program, directory):
        """By Porcupine. Of what is not linearizable a page shows how far it is."""
        path, page = (os.path.join(directory, name) for name in
                      ("history.jsonl", "history.html"))
        with open(path, "w") as file:
            for one in self.history:
                file.write(json.dumps(one) + "\n")
        done = subprocess.run([*ENDED, program, path, page], capture_output=True, text=True,
                              check=False, timeout=1800)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}: {path}, {page}"
        return done.stdout.strip()


class _Client:
    def __init__(self, all_, number):
        self.all, self.number = all_, number
        self.chance = random.Random(f"{all_.seed}/{number}")
        self.count = 0
        self.connection, self.to = None, None
        self.seen = {}  # key: (value, tag), as it was read last

    def close(self):
        if self.connection:
            self.connection.close()

    def turn(self):
        key = self.all.key(self.chance)
        kind = self.chance.choices(("read", "write", "swap", "create", "delete"),
                                   (50, 20, 20, 7, 3))[0]
        if kind != "read" and key not in self.seen:
            kind = "create"
        if kind == "swap" and not self.seen[key]:
            kind = "read"
        self.count += 1
        value = f"{self.number}.{self.count}"
        expected, headers, body = "", {}, {"first_name": value}
        if kind == "swap":
            expected, headers["If-Match"] = self.seen[key]
        elif kind == "create":
            headers["If-None-Match"] = "*"
            body.update(email=value + DOMAIN, last_name="R", role="user")
        method = {"read": "GET", "create": "PUT", "delete": "DELETE"}.get(kind, "PATCH")
        called = time.monotonic_ns()
        answer = self.exchange(method, f"/persons/by/external_id/{key}", headers,
                               None if kind in ("read", "delete") else body)
        self.keep(kind, key, value, expected, called, answer)

    def exchange(self, method, path, headers, body):
        """(status, tag, body); None where nobody knows, False where nothing was done."""
        raw = json.dumps(body).encode() if body is not None else None
        if raw:
            headers = dict(headers, **{"Content-Type": "application/json"})
        for _ in range(20):
            if not self.connect():
                continue
            try:
                self.connection.request(method, path, raw, headers)
                response = self.connection.getresponse()
                text = response.read()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                return None
            if response.status != 307:
                return self.taken(response, text)
            self.connection.close()
            self.to = urllib.parse.urlsplit(response.headers["Location"]).port
        return False

    def taken(self, response, text):
        if self.chance.random() < 0.1 or response.status == 503:
            self.connection.close()  # on to another
        if response.status == 503:
            return None if b"is not known" in text else False
        return response.status, response.headers.get("ETag"), text

    def connect(self):
        if self.connection and self.connection.sock:
            return True
        nodes = [node for node in self.all.nodes if node.up]
        node = next((one for one in nodes if one.port == self.to), None)
        self.to = None
        if not node and nodes:
            node = self.chance.choice(nodes)
        if node:
            self.connection = http.client.HTTPConnection("127.0.0.1", node.port,
                                                         timeout=TIMEOUT)
            if node.connect:
                self.connection._create_connection = node.connect
            try:
                self.connection.connect()
                return True
            except OSError:
                pass
        time.sleep(0.05)
        return False

    def keep(self, kind, key, value, expected, called, answer):
        if answer is False or (answer is None and kind == "read"):
            return
        one = {"client": self.number, "key": key, "kind": kind, "value": value,
               "expected": expected, "called": called, "returned": time.monotonic_ns(),
               "outcome": "unknown", "found": ""}
        if answer is not None:
            status, tag, text = answer
            if status in (200, 201):
                one["outcome"] = "done"
                if kind != "delete":
                    one["found"] = json.loads(text)["data"]["first_name"]
                    self.seen[key] = (one["found"], tag)
                else:
                    self.seen[key] = None
            elif status in (404, 412) or (kind == "create" and status == 409):
                one["outcome"] = "absent" if status == 404 else "refused"
                if status == 404:
                    self.seen[key] = None
            else:
                raise AssertionError(f"{kind}: {status} {text[:300]}")
        with self.all.lock:
            self.all.history.append(one)
