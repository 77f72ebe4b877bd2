"""Three servers that are one, on three brokers of Kafka's."""

import http.client
import os
import sys
import threading
import time

import load
from report import Failure
from served import Server
from world import HERE

sys.path.append(os.path.join(os.path.dirname(HERE), "cluster"))
import brokers  # noqa: E402

SESSION = 2  # seconds until a silent leader is replaced
Missing = brokers.Missing


class Members:
    def __init__(self, world):
        self.world = world
        self.brokers = world.keep(brokers.Brokers(3, directory=world.new_dir("brokers")))
        self.brokers.start()
        ports = brokers.free_ports(3)
        self.all = [Server(world, port=port, settings=self.settings(name, port))
                    for name, port in zip("abc", ports)]

    def settings(self, name, port):
        return {"CLUSTER_BROKERS": self.brokers.bootstrap, "CLUSTER_NODE": name,
                "CLUSTER_URL": f"http://127.0.0.1:{port}", "CLUSTER_SESSION": str(SESSION),
                "SEALED": "false"}

    def start(self):
        self.all[0].run("cluster", "init")
        for server in self.all:
            server.start()
        self.leader()
        return self

    def leads(self, server):
        try:
            server.ask("GET", "/health/leader")
            return True
        except (Failure, OSError):
            return False

    def leader(self):
        found = []

        def somebody():
            found[:] = [server for server in self.all if server.process and
                        self.leads(server)]
            return found
        self.all[0].until(somebody, "an election")
        return found[0]

    def followers(self):
        leader = self.leader()
        return [server for server in self.all if server is not leader]

    def settle(self):
        head = self.leader().quiet_head()
        for server in self.all:
            server.until(lambda s=server: s.head() >= head, "following")
            server.settle()

    def close(self):
        for server in self.all:
            self.world.drop(server)
        self.world.drop(self.brokers)


class Pauses:
    """A client that writes one event after the other, wherever it may; and the longest time
    in which it could not."""

    def __init__(self, members, person_id):
        self.members, self.person = members, person_id
        self.acknowledged, self.stopping = [], threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        number = 0
        while not self.stopping.is_set():
            server = self.members.all[number % 3]
            number += 1
            client = http.client.HTTPConnection("127.0.0.1", server.wanted_port, timeout=30)
            try:
                while not self.stopping.is_set():
                    client.request("POST", "/events", load.event_body(self.person),
                                   {"Content-Type": "application/json"})
                    response = client.getresponse()
                    response.read()
                    if response.status != 201:
                        break
                    self.acknowledged.append(time.monotonic())
                    time.sleep(0.002)
            except (OSError, http.client.HTTPException):
                pass
            client.close()
            time.sleep(0.01)

    def longest(self, seconds):
        """Since now, for so long."""
        begun = time.monotonic()
        time.sleep(seconds)
        self.stopping.set()
        self.thread.join()
        times = [at for at in self.acknowledged if at >= begun - 1]
        if len(times) < 2 or times[-1] < begun + seconds / 2:
            raise Failure("it did not come back")
        return max(after - before for before, after in zip(times, times[1:]))
