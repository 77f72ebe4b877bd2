"""PostgreSQL in one trouble after another while clients write and read: no write is
refused or lost, no read is answered with anything but what is right or 503, and in the end
the tables are what the log says, row by row.

DAYBOOK_ROUNDS is how many troubles, DAYBOOK_SEED which."""

import os
import random
import unittest

from fold import check_reads
from harness import Server
from load import Load
from postgres import Postgres, Sessions
from reads import Reads, right_or_away

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", "60"))
SEED = int(os.environ["DAYBOOK_SEED"])


class Troubles:
    """Each a method that makes it and gives what ends it."""

    def __init__(self, postgres, server, role, chance):
        self.postgres, self.server, self.role, self.chance = postgres, server, role, chance
        self.schema = server.env["DB_SCHEMA"]
        self.other = postgres.make_role()

    def names(self):
        return sorted(name[3:] for name in dir(self) if name.startswith("is_"))

    def begin(self, name):
        return getattr(self, "is_" + name)()

    def is_killed(self):
        self.postgres.kill()
        return self.postgres.start

    def is_hung(self):
        self.postgres.freeze()
        return self.postgres.thaw

    def is_restarted(self):
        self.postgres.restart(self.chance.choice(["fast", "immediate"]))
        return lambda: None

    def is_without_a_backend(self):
        self.postgres.kill_backends()
        return lambda: None

    def is_full(self):
        self.postgres.fill_disk()
        return self.postgres.empty_disk

    def is_read_only(self):
        self.postgres.configure(default_transaction_read_only="on")
        return lambda: self.postgres.configure(default_transaction_read_only="off")

    def is_taken_by_others(self):
        others = Sessions(self.postgres, self.other)
        self.postgres.end_sessions(self.role)
        while others.take():
            pass
        return others.release

    def is_closed_to_us(self):
        self.postgres.admit(f"local all {self.role} "
                            + self.chance.choice(["reject", "scram-sha-256"]))
        self.postgres.end_sessions(self.role)
        return self.postgres.admit

    def is_cutting_sessions(self):
        for _ in range(self.chance.randrange(1, 10)):
            self.postgres.end_sessions(self.role)
        return lambda: None

    def is_without_rights(self):
        self.sql(f"alter table {self.schema}.event owner to daybook")
        return lambda: self.sql(f"alter table {self.schema}.event owner to {self.role}")

    def is_without_a_schema(self):
        self.sql(f"drop schema {self.schema} cascade")
        return lambda: None

    def is_altered(self):
        table = self.schema + "." + self.chance.choice(["person", "event"])
        self.sql(self.chance.choice([
            f"drop table {table} cascade", f"drop table {self.schema}.checkpoint",
            f"alter table {table} drop column sequence cascade",
            f"truncate {table}", f"delete from {table}",
            f"update {table} set sequence = -sequence",
            f"alter table {table} add check (sequence < 0) not valid"]))
        return self.rebuild

    def rebuild(self):
        self.server.run("rebuild")

    def sql(self, text):
        self.postgres.sql("set client_min_messages = warning", text)


class PostgresInTrouble(unittest.TestCase):
    def setUp(self):
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.postgres.configure(max_connections=40)
        self.postgres.restart()
        self.role = self.postgres.make_role()
        self.server = Server(env=dict(self.postgres.settings(self.role), DB_PASS="wrong",
                                      READ_WAIT="0.5", QUERY_TIMEOUT="2"))
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = self.server.client()

    def wait_read(self):
        self.server.wait_for(lambda: self.client.get("/persons?limit=1").status == 200,
                             "the return of reads")

    def check(self):
        """Beside the clients."""
        self.wait_read()
        self.server.run("verify", "--projection")

    def test_one_after_another_under_load(self):
        chance = random.Random(SEED)
        made = self.client.post("/persons", {"email": "first@b.test", "first_name": "A",
                                             "last_name": "B"}).data["id"]
        load = Load(self.server, SEED, clients=4).start()
        reads = Reads(self.server, ["/persons?limit=20", f"/persons/{made}",
                                    "/events?limit=20", f"/events?person_id={made}"],
                      right_or_away, clients=3).start()
        troubles = Troubles(self.postgres, self.server, self.role, chance)
        for number in range(ROUNDS):
            name = chance.choice(troubles.names())
            print(f"{number}: PostgreSQL is {name}", flush=True)
            end = troubles.begin(name)
            load.wait_for_answers(chance.randrange(20, 200))
            self.assertIn(self.client.get("/health").status, (200, 503))
            end()
            if chance.random() < 0.3:  # else the next one meets what is still catching up
                self.check()
        reads.wait_for(10)
        reads.stop()
        load.stop()
        self.check()
        self.assertEqual(self.server.run("status").returncode, 0)
        records = self.server.log_records()
        load.check(records, {"first@b.test", "signup " + made})
        check_reads(self.server, records)
        print(f"{len(records)} records, {reads.count} reads")


if __name__ == "__main__":
    unittest.main()
