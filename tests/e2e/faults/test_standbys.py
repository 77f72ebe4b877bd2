"""Reads go round two streaming replicas of one's own PostgreSQL, and see what was written."""

import concurrent.futures
import re
import unittest

from harness import Server
from postgres import Postgres
from standby import Standby


def person(number):
    return {"email": f"person{number}@x.mock", "first_name": "A", "last_name": "B"}


class Standbys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.primary = Postgres()
        cls.addClassCleanup(cls.primary.close)
        cls.standbys = []
        for _ in range(2):
            cls.standbys.append(Standby(cls.primary))
            cls.addClassCleanup(cls.standbys[-1].close)

    def setUp(self):
        self.server = Server(env=dict(
            self.primary.settings(),
            READ_HOSTS=",".join(one.directory for one in self.standbys)))
        self.addCleanup(self.server.close)
        self.addCleanup(self.mend)
        self.server.start()
        self.client = self.server.client()
        self.made = 0
        self.create()
        self.await_standbys(2)

    def mend(self):
        for one in self.standbys:
            one.thaw()
            if not one.alive():
                one.start()
            one.replay(True)

    def create(self):
        self.made += 1
        return self.client.post("/persons", person(self.made))

    def metric(self, name):
        text = self.client.get("/metrics").body.decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))

    def await_standbys(self, count):
        self.server.wait_for(lambda: self.metric("daybook_standbys_in_use") == count,
                             f"{count} standbys in use")

    def ask(self, person_id):
        answer = self.client.get("/persons/" + person_id)
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def reads(self, one):
        """How many queries this one was asked by the read model, ever."""
        return int(one.sql("select count(*) from pg_stat_activity "
                           "where application_name = 'daybook read'"))

    def test_they_answer_what_they_show_and_each_of_them_some(self):
        kate = self.create()
        for one in self.standbys:
            self.server.wait_for(
                lambda one=one: one.shows(kate.sequence, self.server.env["DB_SCHEMA"]),
                "the replica to be there")

        def asked():
            self.ask(kate.data["id"])
            self.client.get("/events?limit=2")
            return all(self.reads(one) for one in self.standbys)
        self.server.wait_for(asked, "each of them to be asked")
        self.assertGreater(self.metric("daybook_standby_reads_total"), 0)

    def test_each_sees_its_own_write_while_they_are_behind_and_while_not(self):
        self.standbys[0].replay(False)

        def one(number):
            client = self.server.client()
            for each in range(30):
                made = client.post("/persons", person(f"{number}x{each}"))
                self.assertEqual(made.status, 201, made.body)
                read = client.get("/persons/" + made.data["id"])
                self.assertEqual((read.status, read.data), (200, made.data))
                self.assertGreaterEqual(int(read.headers["Daybook-Projected-Sequence"]),
                                        made.sequence)
                events = client.get("/events?person_id=" + made.data["id"])
                self.assertEqual([each["event_type"] for each in events.data], ["signup"])
            client.close()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(8)))

    def test_one_that_stands_still_is_passed_over_and_used_again(self):
        for one in self.standbys:
            one.replay(False)
        kate = self.create()
        before = self.metric("daybook_standby_reads_total")
        for _ in range(5):
            self.assertEqual(self.ask(kate.data["id"]).data, kate.data)
        self.assertEqual(self.metric("daybook_standby_reads_total"), before)
        self.standbys[1].replay(True)

        def answered():
            self.assertEqual(self.ask(kate.data["id"]).data, kate.data)
            return self.metric("daybook_standby_reads_total") > before
        self.server.wait_for(answered, "a standby that answers")

    def await_line(self, words):
        """It is told a moment after it is so."""
        self.server.wait_for(lambda: words in self.server.told(), "the line: " + words)

    def test_killed_frozen_and_back(self):
        kate = self.create()
        for hurt, count in ((self.standbys[0].kill, 1), (self.standbys[1].freeze, 0)):
            hurt()
            for _ in range(4):
                self.assertEqual(self.ask(kate.data["id"]).data, kate.data)
                self.assertEqual(self.client.get("/events?limit=1").status, 200)
            self.await_standbys(count)
            self.assertEqual(self.ask(self.create().data["id"]).status, 200)
        self.await_line("leave out the standby")
        self.mend()
        self.await_standbys(2)
        self.await_line("use the standby again")

    def test_statistics_and_rebuilds_are_no_exception(self):
        kate = self.create()
        self.assertEqual(self.client.get("/events/types").data[0]["count"], self.made)
        self.server.run("rebuild")
        for _ in range(10):
            self.assertEqual(self.ask(kate.data["id"]).data, kate.data)
            self.assertEqual(self.client.get("/events/types").data[0]["count"], self.made)

    def test_one_that_is_no_standby_any_more_is_left_out(self):
        """DB_HOST itself never was one; and what is promoted shows nothing new."""
        third = Standby(self.primary)
        self.addCleanup(third.close)
        self.server.stop()
        self.server.env["READ_HOSTS"] = f"{self.primary.directory},{third.directory}"
        self.server.start()
        self.client = self.server.client()
        self.await_standbys(1)
        self.await_line(f"{self.primary.directory} port 5432: it is no standby")
        third.sql("select pg_promote()")
        self.await_standbys(0)
        self.await_line(f"{third.directory} port 5432: it is no standby")
        kate = self.create()
        self.assertEqual(self.ask(kate.data["id"]).data, kate.data)
        self.server.stop()
        self.server.env.update(DB_HOST=third.directory, READ_HOSTS="")
        self.server.start()
        self.client = self.server.client()
        self.assertEqual(self.ask(kate.data["id"]).data, kate.data)
        self.server.run("verify", "--projection")
        self.server.stop()


class Refused(unittest.TestCase):
    def test_one_of_another_log_is_left_out(self):
        primary, other = Postgres(), Postgres()
        self.addCleanup(primary.close)
        self.addCleanup(other.close)
        settings = primary.settings()
        stranger = Server(env=dict(other.settings(), DB_SCHEMA=settings["DB_SCHEMA"]))
        self.addCleanup(stranger.close)
        stranger.start()
        stranger.client().post("/persons", person(1))
        server = Server(env=dict(settings, READ_HOSTS=other.directory))
        self.addCleanup(server.close)
        server.start()
        server.wait_for(lambda: "are of another log" in server.told(), "the refusal")
        client = server.client()
        made = client.post("/persons", person(2))
        self.assertEqual(client.get("/persons").data, [made.data])

    def test_of_the_private_one_there_are_none(self):
        server = Server(private=True, env={"READ_HOSTS": "db2.example.org"})
        self.addCleanup(server.close)
        done = server.run("serve", check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("set DB_HOST", done.stderr)

    def test_what_is_no_host_is_named(self):
        for wrong in ("http://db2", "db2:port", "db2:70000", "::1", "[::1", ":5432", "a b",
                      "db2,db3,db2", "[::1]:5433,db2,[::1]:5433"):
            with self.subTest(wrong):
                server = Server(env={"READ_HOSTS": wrong, "DB_HOST": "/nowhere"})
                self.addCleanup(server.close)
                done = server.run("serve", check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("READ_HOSTS", done.stderr)


if __name__ == "__main__":
    unittest.main()
