"""A pooler in session mode between the server and PostgreSQL, and one of the three killed,
hung or turned at a time, while clients write and read and another application works beside:
no write is refused or lost, no read is answered with anything but what is right or 503, the
other's rows stay its own, and in the end the tables are what the log says.

DAYBOOK_ROUNDS is how many troubles, DAYBOOK_SEED which."""

import os
import random
import signal
import unittest

from fold import check_reads
from harness import Server
from load import Load
from pooler import Pooler
from postgres import Postgres
from reads import Reads, right_or_away

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", "25"))
SEED = int(os.environ["DAYBOOK_SEED"])


class Troubles:
    """Each a method that makes it and gives what ends it."""

    def __init__(self, postgres, pooler, server):
        self.postgres, self.pooler, self.server = postgres, pooler, server

    def names(self):
        return sorted(name[3:] for name in dir(self) if name.startswith("is_"))

    def begin(self, name):
        return getattr(self, "is_" + name)()

    def is_postgres_killed(self):
        self.postgres.kill()
        return self.postgres.start

    def is_postgres_restarted(self):
        self.postgres.restart()
        return lambda: None

    def is_without_a_backend(self):
        self.postgres.kill_backends()
        return lambda: None

    def is_pooler_killed(self):
        self.pooler.stop()
        return self.pooler.start

    def is_pooler_hung(self):
        self.pooler.process.send_signal(signal.SIGSTOP)
        return lambda: self.pooler.process.send_signal(signal.SIGCONT)

    def is_in_transaction_mode(self):
        self.pooler.configure(pool_mode="transaction")
        return lambda: self.pooler.configure(pool_mode="session")

    def is_rebuilding(self):
        self.server.run("rebuild", check=False)
        return lambda: None


class Pooled(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.postgres.sql("create table public.event (id int)",
                          "insert into public.event values (1), (2)")
        self.pooler = Pooler(self.postgres, "session", default_pool_size=40)
        self.addCleanup(self.pooler.stop)
        self.server = Server(env=dict(self.postgres.settings(), **self.pooler.env()))
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def check(self):
        """Beside the clients."""
        self.server.wait_for(lambda: self.client.get("/persons?limit=1").status == 200,
                             "the return of reads")
        self.server.run("verify", "--projection")
        self.assertEqual(self.postgres.sql("select count(*) from public.event"), "2")

    def test_one_after_another_under_load(self):
        chance = random.Random(SEED)
        load = Load(self.server, SEED, clients=3).start()
        reads = Reads(self.server, ["/persons?limit=20", "/events?limit=20"], right_or_away,
                      clients=2).start()
        troubles = Troubles(self.postgres, self.pooler, self.server)
        for number in range(ROUNDS):
            name = chance.choice(troubles.names())
            print(f"{number}: {name}", flush=True)
            end = troubles.begin(name)
            load.wait_for_answers(chance.randrange(20, 200))
            end()
            if chance.random() < 0.3:
                self.check()
        reads.stop()
        load.stop()
        self.kill_and_check(load)

    def kill_and_check(self, load):
        self.server.kill()
        self.server.start()
        self.client = self.server.client()
        self.check()
        records = self.server.log_records()
        load.check(records)
        check_reads(self.server, records)
        print(f"{len(records)} records")


if __name__ == "__main__":
    unittest.main()
