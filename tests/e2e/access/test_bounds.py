"""What a token, and an address, may use of the server."""

import json
import unittest

from harness import Server
from ingesting import LOCAL, SHOP, create, bearer
from served import new_id, person


class Bounds(unittest.TestCase):
    """What a token may use of the server. No PostgreSQL is asked."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(env={"DB_HOST": "/nowhere", "CORS_ORIGINS": LOCAL,
                                 "TRUSTED_PROXY": "127.0.0.1"})
        cls.addClassCleanup(cls.server.close)
        cls.admin = create(cls.server, "root", "--scope", "admin")
        cls.server.start()
        cls.client = cls.server.client()
        cls.person = cls.client.request("POST", "/persons", person(),
                                        bearer(cls.admin)).data["id"]

    def start(self, *flags, scope="write"):
        """A token that the server knows, and that has all it may use."""
        self.name = "t" + new_id()
        self.secret = create(self.server, self.name, "--scope", scope, *flags)
        self.server.wait_for(lambda: self.client.request(  # asked of what counts nothing
            "GET", "/log", None, bearer(self.secret)).status == 403, "the token")

    def post(self, body, path="/events/batch", **headers):
        return self.client.request("POST", path, body, bearer(self.secret, **headers))

    def events(self, count, **fields):
        return [{"event_type": "click", "person_id": self.person, **fields}] * count

    def test_events_a_second_are_bounded_and_told(self):
        self.start("--rate", "2/s")
        answers = [self.post(self.events(1)[0], "/events") for _ in range(20)]
        good = [one for one in answers if one.status == 201]
        refused = [one for one in answers if one.status == 429]
        self.assertEqual(len(good) + len(refused), 20)
        self.assertGreaterEqual(len(good), 2)
        self.assertTrue(refused)
        for one in answers:
            self.assertEqual(one.headers["RateLimit-Policy"], '"events";q=2;w=1')
            self.assertRegex(one.headers["RateLimit"], r'^"events";r=[0-2];t=[0-1]$')
        for one in refused:
            self.assertEqual(one.headers["Retry-After"], "1")
            self.assertIn(f'"{self.name}" has used up its events a second', one.details)
            self.assertIn(";r=0;", one.headers["RateLimit"])
            self.assertEqual(one.headers["Connection"], "keep-alive")
        free = self.client.request("GET", "/log", None, bearer(self.admin))
        self.assertIsNone(free.headers["RateLimit"])
        self.assertIsNone(free.headers["RateLimit-Policy"])
        one = self.post(self.events(1)[0], "/events", Origin=LOCAL)
        self.assertIn("RateLimit, RateLimit-Policy",
                      one.headers["Access-Control-Expose-Headers"])

    def test_what_is_left_is_told_also_to_what_is_refused(self):
        self.start("--rate", "5/s", "--address-rate", "4", "--bytes-a-day", "2K",
                   "--origin", "https://shop.example", scope="ingest")
        for answer in (self.client.request("GET", "/log", None, bearer(self.secret)),
                       self.post(self.events(1), Origin="https://other.example")):
            self.assertEqual(answer.status, 403)
            self.assertRegex(answer.headers["RateLimit"],
                             r'^"events";r=5;t=0, "address";r=4;t=0, "bytes";r=2048;t=\d+$')

    def test_a_batch_counts_as_its_events_and_is_not_refused_for_ever(self):
        self.start("--rate", "10/s")
        self.assertEqual(self.post(self.events(1000)).status // 100, 2)
        answer = self.post(self.events(1)[0], "/events")
        self.assertEqual(answer.status, 429)
        self.assertGreater(int(answer.headers["Retry-After"]), 60)
        self.assertEqual(self.client.request("GET", "/events", None,
                                             bearer(self.secret)).status, 403)

    def test_an_address_has_a_rate_of_its_own(self):
        self.start("--address-rate", "3", scope="ingest")
        for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
            answers = [self.post(self.events(3), X_Forwarded_For=address) for _ in range(2)]
            self.assertEqual([one.status for one in answers], [200, 429], address)
            self.assertIn("events a second of one address", answers[1].details)
            self.assertRegex(answers[1].headers["RateLimit"], '^"address";r=0;t=')

    def test_bytes_a_day_are_bounded(self):
        self.start("--bytes-a-day", "2K", scope="ingest")
        large = self.events(1, properties={"a": 3000 * "x"})
        answer = self.post(large)
        self.assertEqual(answer.status // 100, 2)
        self.assertRegex(answer.headers["RateLimit"], r'^"bytes";r=0;t=\d+$')
        answer = self.post(large)
        self.assertEqual(answer.status, 429)
        self.assertIn("bytes a day", answer.details)
        self.assertEqual(answer.headers["RateLimit-Policy"],
                         '"bytes";q=2048;qu="content-bytes";w=86400')
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertLessEqual(int(answer.headers["Retry-After"]), 86400)

    def test_they_are_listed(self):
        server = Server(env={"DB_HOST": "/nowhere"})
        self.addCleanup(server.close)
        create(server, "kate", "--scope", "read")
        for flags, saying in (((), "CORS_ORIGINS"), (("--origin", SHOP), "as ?key=TOKEN")):
            done = server.run("token", "create", f"w{len(flags)}", "--scope", "ingest", *flags)
            self.assertIn(saying, done.stderr)
        create(server, "web", "--scope", "ingest", "--rate", "500/s", "--address-rate", "5",
               "--bytes-a-day", "1GB", "--origin", SHOP, "--origin", LOCAL)
        listed = {one["name"]: one for one in
                  json.loads(server.run("token", "list", "--json").stdout)}
        self.assertEqual([listed["web"][key] for key in (
            "scopes", "rate", "address_rate", "bytes_a_day", "origins")],
            [["ingest"], 500, 5, 1 << 30, [SHOP, LOCAL]])
        self.assertEqual([listed["kate"][key] for key in (
            "rate", "address_rate", "bytes_a_day", "origins")], [None, None, None, []])
        self.assertIn("web  500/s, 5/s an address, 1073741824 bytes a day, for "
                      f"{SHOP},{LOCAL}\n", server.run("token", "list").stdout)

    def test_wrong_ones_are_told_and_make_nothing(self):
        server = Server(env={"DB_HOST": "/nowhere"})
        self.addCleanup(server.close)
        for flags, saying in (
                (("--rate", "0/s"), "--rate"), (("--rate", "5/m"), "as in 500/s"),
                (("--rate", "-1"), "--rate"), (("--rate", "1000001"), "1000000"),
                (("--rate", "5.5"), "--rate"), (("--address-rate", "x"), "--address-rate"),
                (("--bytes-a-day", "1TB"), "--bytes-a-day"), (("--bytes-a-day", "0"), "size"),
                (("--origin", "shop.example"), "as browsers write them"),
                (("--origin", SHOP + "/"), "no path"), (("--origin", SHOP, "--origin", "*"),
                                                        "no *"),
                (("--origin", SHOP, "--scope", "read"), "ingest alone")):
            done = server.run("token", "create", "web", "--scope", "ingest", *flags,
                              check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), flags)
            self.assertIn(saying, done.stderr)
        done = server.run("token", "list", "--rate", "5", check=False)
        self.assertIn("--rate is for token create", done.stderr)
        self.assertEqual(server.run("token", "list", "--json").stdout, "[]\n")


if __name__ == "__main__":
    unittest.main()
