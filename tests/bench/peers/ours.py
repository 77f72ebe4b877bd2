"""The product as one of the peers: loaded by the same client, measured in the same way."""

import os
import threading
import time

import load
import served

BATCH = 100


def ours(world, peers):
    """A peer of class api.Api, which is known only once the peers' folder is."""

    class Daybook(peers.api.Api):
        name, port = "daybook", 19690
        local = threading.local()  # of Api, where it keeps its connection

        def __init__(self):
            self.world, self.place = world, world.path("ours")

        @property
        def dir(self):
            return self.place

        @property
        def socket_dir(self):
            return os.path.join(self.place, "postgres")

        def command(self, variant):
            return [world.daybook, "serve", "--data-dir", self.place, "--port",
                    str(self.port), "--log-level", world.options.log_level]

        def stop(self):
            super().stop()
            served.end_postgres(self.socket_dir)

        def settle(self):
            health = self.ask("GET", "/health")
            while health["projected"] < health["head"]:
                time.sleep(0.02)
                health = self.ask("GET", "/health")

        def load(self, variant, what, conns, secs):
            if what == "batch":
                lines = peers.lib.lines(f"{self.dir}.batch", batches(peers.api, self.ids))
                found = peers.lib.wrk(self.port, conns, secs, "POST", lines,
                                      "/events/batch")
                self.settle()
                return {**found, "rows": found["ops"] * BATCH}
            return super().load(variant, what, conns, secs)

    return Daybook()


def batches(api, ids):
    return ("[" + ",".join(api.body(ids[(first + n) % len(ids)], first + n)
                           for n in range(BATCH)) + "]" for first in range(0, 800, BATCH))
