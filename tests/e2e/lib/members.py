"""Several servers of one log, over brokers made of nothing (tests/replica/mock_brokers.c).

Their groups take a member that is killed while others join badly (an assertion of librdkafka's):
so no more than two may lead here.
"""

import json
import os
import subprocess
import time
import unittest

from harness import PATIENCE, Server

MOCK = os.environ.get("DAYBOOK_MOCK_BROKERS", "")
# librdkafka 2.0.2 loses an answer that comes when nobody waits for it any more.
LEAKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cluster", "leaks.txt")
SESSION = "4"  # these brokers wait three seconds for who joins a group


def require_brokers():
    if not MOCK:
        raise unittest.SkipTest("SKIPPED: built without librdkafka (librdkafka-dev)")


class Brokers:
    """Three of them, with the topics that a cluster takes."""

    def __init__(self, *topics):
        names = ["daybook", "daybook.leader", *topics]
        self.process = subprocess.Popen([MOCK, "3", *names], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.bootstraps = self.process.stdout.readline().strip()
        assert self.bootstraps, "the brokers have not started"

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", f"{command}: {answer}"

    def close(self):
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def private(path, flags):
    return os.open(path, flags, 0o600)


class Member(Server):
    """One of them."""

    def __init__(self, brokers, node, **env):
        super().__init__(env={
            "CLUSTER_BROKERS": brokers.bootstraps, "CLUSTER_NODE": node,
            "LSAN_OPTIONS": f"suppressions={LEAKS}:print_suppressions=0",
            "CLUSTER_SESSION": SESSION, "CLUSTER_UNSAFE": "true", **env})
        self.node = node
        self.url = f"http://127.0.0.1:{self.port}"
        self.env["CLUSTER_URL"] = self.url
        if "MASTER_KEY_FILE" not in env:
            self.env["MASTER_KEY_FILE"] = os.path.join(self.data_dir, "master.key")
            with open(self.env["MASTER_KEY_FILE"], "w", opener=private) as file:
                file.write("a" * 64 + "\n")

    def ask(self, method, path, body=None, **headers):
        """On a connection of its own."""
        client = self.client()
        try:
            return client.request(method, path, body, headers)
        finally:
            client.close()

    def leads(self):
        try:
            return self.ask("GET", "/health/leader").status == 200
        except OSError:
            return False


def find_leader(members, brokers=None):
    """Wait until one of them leads."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for member in members:
            if member.process and member.leads():
                return member
        if brokers and brokers.process.poll() is not None:
            raise AssertionError("librdkafka's brokers have ended by themselves")
        time.sleep(0.05)
    raise AssertionError("nobody leads:\n" + "\n".join(one.tail()[-1500:] for one in members))


def status_of(member):
    """`cluster status --json`, and its exit code."""
    done = member.run("cluster", "status", "--json", check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode
