"""A server with a private PostgreSQL, for the tests of it."""

import os
import signal
import time
import unittest
import uuid

from harness import Server
from postgres import postmaster_of, processes_in, signal_all

ROUNDS = int(os.environ.get("DAYBOOK_PRIVATE_ROUNDS", 3))
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


class WithPrivateCluster(unittest.TestCase):
    settings = {}  # the server's environment

    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.server = Server(private=True, env=self.settings)
        self.cluster = os.path.join(self.server.data_dir, "postgres")
        self.addCleanup(self.end)
        self.server.start()
        # It is started before the first request is answered.
        self.assertIn(postmaster_of(self.cluster), processes_in(self.cluster))

    def end(self):
        try:
            self.server.close()
        finally:
            for pid in processes_in(self.cluster):
                signal_all([pid], signal.SIGKILL)

    def signal_postgres(self, number):
        for pid in [postmaster_of(self.cluster), *processes_in(self.cluster)]:
            signal_all([pid], number)

    def reads_return(self):
        """Also of what is written now: who posts it sees only then that it has lost its
        connection."""
        client = self.server.client()
        person = client.post("/persons", {"email": f"{uuid.uuid4()}@b.test",
                                          "first_name": "A", "last_name": "B"}).data
        self.server.wait_for(lambda: client.get("/persons/" + person["id"]).status == 200,
                             "the return of reads")
