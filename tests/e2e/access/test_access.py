"""Access tokens: made, listed and revoked by the program while it serves."""

import json
import os
import re
import stat
import subprocess
import threading
import time
import unittest

from harness import PROGRAM, Server
from served import Served, new_id, person

PUBLIC = ("/", "/docs", "/docs/favicon-32x32.png", "/openapi.json", "/health")
TOKEN = re.compile(r"dbk_[A-Za-z0-9_-]{43}")


def create(server, name, *scopes):
    """A new token, as its client sends it."""
    flags = [part for scope in scopes for part in ("--scope", scope)]
    done = server.run("token", "create", name, *flags)
    return {"Authorization": "Bearer " + done.stdout.strip()}


def new_server(case, **kwargs):
    server = Server(**kwargs)
    case.addCleanup(server.close)
    return server


class WithTokens(Served):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.reader = create(cls.server, "reader", "read")
        cls.writer = create(cls.server, "shop", "write")
        cls.auditor = create(cls.server, "auditor", "audit")
        cls.admin = create(cls.server, "root", "admin")
        cls.server.start()
        cls.client = cls.server.client()

    def ask(self, method, path, token=None, body=None):
        return self.client.request(method, path, body, token)

    def new_person(self, token=None):
        answer = self.ask("POST", "/persons", token or self.writer, person())
        self.assertEqual(answer.status, 201, answer.body)
        return answer

    def actor_of(self, sequence):
        return self.ask("GET", f"/log/{sequence}", self.auditor).data["meta"].get("actor")

    def test_a_key_belongs_to_the_token_that_brings_it(self):
        whose = self.new_person().data["id"]
        click = {"event_type": "click", "person_id": whose}
        for path, body in (("/events", click), ("/events/batch", [click, click]),
                           ("/persons", None)):
            key, made = {"Idempotency-Key": new_id()}, []
            for token in (self.writer, self.admin, self.writer, self.admin):
                sent = body or person()  # two persons cannot have one email
                made.append(self.client.request("POST", path, sent, {**token, **key}))
            self.assertLess(made[1].status, 300, made[1].body)
            self.assertNotEqual(made[0].data, made[1].data, path)
            self.assertEqual([self.actor_of(one.sequence) for one in made[:2]],
                             ["shop", "root"])
            if body:
                self.assertEqual([one.body for one in made[2:]], [one.body for one in made[:2]])
                self.assertEqual(made[3].headers["Idempotency-Replayed"], "true")
            else:
                self.assertEqual([one.status for one in made[2:]], [422, 422])

    def test_an_id_of_anothers_event_is_no_second_event(self):
        whose = self.new_person().data["id"]
        click = {"id": new_id(), "event_type": "click", "person_id": whose}
        first = self.ask("POST", "/events", self.writer, click)
        self.assertEqual(first.status, 201)
        same = self.ask("POST", "/events", self.admin, click)
        self.assertEqual((same.status, same.data, same.sequence),
                         (200, first.data, first.sequence))
        other = self.ask("POST", "/events", self.admin, dict(click, event_type="drag"))
        self.assert_refused(other, 409, "with other content")

    def test_what_needs_no_token(self):
        for path in PUBLIC:
            for token in (None, self.reader, {"Authorization": "Bearer wrong"}):
                self.assertEqual(self.ask("GET", path, token).status, 200, path)
        self.assertEqual(self.ask("OPTIONS", "/persons").status, 204)
        self.assert_refused(self.ask("GET", "/nothing"), 404)

    def test_without_a_token_nothing_is_told_or_done(self):
        made = self.new_person().data["id"]
        for method, path, body in (
                ("GET", "/persons", None), ("GET", f"/persons/{made}", None),
                ("GET", "/events", None), ("GET", "/log", None), ("GET", "/log/1", None),
                ("POST", "/persons", person()), ("PATCH", f"/persons/{made}", {}),
                ("PUT", f"/persons/{made}", person()), ("DELETE", f"/persons/{made}", None),
                ("POST", "/events", {"event_type": "click", "person_id": made}),
                ("POST", "/events/batch", []), ("DELETE", f"/events/{new_id()}", None)):
            answer = self.ask(method, path, body=body)
            self.assert_refused(answer, 401, "access token")
            self.assertEqual(answer.headers["WWW-Authenticate"], 'Bearer realm="daybook"')
        answer = self.ask("HEAD", "/persons")
        self.assertEqual((answer.status, answer.body), (401, b""))
        self.assertEqual(self.ask("GET", f"/persons/{made}", self.reader).status, 200)

    def test_a_scope_allows_its_own_and_admin_everything(self):
        made = self.new_person().data["id"]
        for path, holder in ((f"/persons/{made}", self.reader), ("/persons", self.reader),
                             ("/events", self.reader), ("/log", self.auditor)):
            for token in (self.reader, self.writer, self.auditor):
                answer = self.ask("GET", path, token)
                if token is holder:
                    self.assertEqual(answer.status, 200, answer.body)
                    continue
                self.assert_refused(answer, 403, "lacks the scope")
                self.assertEqual(answer.headers["WWW-Authenticate"],
                                 'Bearer realm="daybook", error="insufficient_scope"')
            self.assertEqual(self.ask("GET", path, self.admin).status, 200)
        for token in (self.reader, self.auditor):
            self.assert_refused(self.ask("POST", "/persons", token, person()), 403,
                                "lacks the scope write")
        self.new_person(self.admin)

    def test_who_may_not_read_is_shown_what_it_changed(self):
        made = self.new_person().data
        path = "/persons/" + made["id"]
        for changed in ({}, {"first_name": "K"}, {"role": "user", "last_name": "P"},
                        {"external_id": new_id(), "properties": {"plan": "pro", "n": 1e3}},
                        {"properties": {"n": 2}}, {"properties": None}):
            answer = self.ask("PATCH", path, self.writer, changed)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.data, {"id": made["id"], **changed})
            self.assertIn("ETag", answer.headers)
            whole = self.ask("PATCH", path, self.admin, {}).data
            self.assertEqual(whole["email"], made["email"])
        sent = person(id=new_id())
        for status in (201, 200):
            answer = self.ask("POST", "/persons", self.writer, sent)
            self.assertEqual(answer.status, status)
        self.assertEqual(answer.data, sent)
        by = "/persons/by/external_id/" + new_id()
        for status in (201, 200):
            answer = self.ask("PUT", by, self.writer, {"first_name": "Kate"})
            self.assertEqual(answer.status, status, answer.body)
        self.assertEqual({**answer.data, "id": None}, {
            "id": None, "email": None, "first_name": "Kate", "last_name": None})
        whole = person()
        answer = self.ask("PUT", path, self.writer, whole)
        self.assertEqual(answer.data, {"id": made["id"], **whole})
        self.assertEqual(self.ask("PUT", path, self.admin, whole).data["first_name"], "Kate")

    def test_who_may_not_read_is_not_told_whose_an_anonymous_id_is(self):
        event = {"id": new_id(), "event_type": "click", "anonymous_id": new_id()}
        for status in (201, 200):
            answer = self.ask("POST", "/events", self.writer, event)
            self.assertEqual((answer.status, answer.data["person_id"]), (status, None))

    def test_the_tokens_name_is_the_actor_of_every_record(self):
        answers = [self.new_person()]
        made = answers[0].data["id"]
        event = {"event_type": "click", "person_id": made}
        recorded = self.ask("POST", "/events", self.writer, event)
        at = self.ask("POST", f"/events/{new_id()}", self.writer, event)
        batch = self.ask("POST", "/events/batch", self.writer, [event])
        patched = self.ask("PATCH", f"/persons/{made}", self.writer, {"first_name": "K"})
        put = self.ask("PUT", f"/persons/{made}", self.writer, person(
            events=[{"id": new_id(), **event}]))
        gone = self.ask("DELETE", "/events/" + recorded.data["id"], self.writer)
        answers += [recorded, at, batch, patched, put, gone,
                    self.ask("DELETE", f"/persons/{made}", self.writer)]
        for answer in answers:
            self.assertLess(answer.status, 300, answer.body)
            self.assertEqual(self.actor_of(answer.sequence), "shop")
        self.assertEqual(self.actor_of(answers[0].sequence - 1), "shop")
        self.assertEqual(self.actor_of(put.sequence - 1), "shop")
        self.assertEqual(self.actor_of(self.new_person(self.admin).sequence), "root")

    def test_the_secret_is_shown_once_and_the_name_is_logged(self):
        done = self.server.run("token", "create", "once", "--scope", "audit,read")
        secret = done.stdout.strip()
        self.assertRegex(secret, f"^{TOKEN.pattern}$")
        self.assertNotIn(secret, done.stderr)
        token = {"Authorization": f"Bearer {secret}"}
        self.server.wait_for(lambda: self.ask("GET", "/log", token).status == 200, "it")
        self.ask("GET", "/nothing", token)
        self.ask("POST", "/persons", token, person())
        self.ask("GET", "/log", {"Authorization": f"Bearer {secret}x"})
        for status in 200, 403:
            line = re.compile(rf" info request .*status={status} .*actor=once ")
            self.server.wait_for(lambda line=line: line.search(self.server.told()),
                                 f"the line of a {status}")
        with open(f"/proc/{self.server.process.pid}/cmdline") as file:
            told = file.read() + self.server.told()
        for arguments in (("list",), ("list", "--json")):
            told += self.server.run("token", *arguments).stdout
        told += self.server.run("help", check=False).stdout
        with open(os.path.join(self.server.data_dir, "tokens")) as file:
            told += file.read()
        self.assertNotRegex(told, TOKEN)

    def test_list_tells_all_but_the_secret(self):
        listed = {token["name"]: token
                  for token in json.loads(self.server.run("token", "list", "--json").stdout)}
        self.assertEqual(listed["shop"]["scopes"], ["write"])
        self.assertEqual(set(listed["shop"]), {"name", "scopes", "created", "rate", "address_rate",
                                               "bytes_a_day", "origins"})
        self.assertRegex(listed["shop"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")
        self.assertRegex(self.server.run("token", "list").stdout, r"(?m) write +shop$")

    def test_a_token_is_revoked_while_it_is_used(self):
        token = create(self.server, "brief", "audit")
        self.server.wait_for(lambda: self.ask("GET", "/log", token).status == 200, "it")
        self.assertIn("left", self.server.run("token", "revoke", "brief").stdout)
        began = time.monotonic()
        self.server.wait_for(lambda: self.ask("GET", "/log", token).status != 200, "the end")
        print(f"revoked after {time.monotonic() - began:.3f} s")
        self.assertEqual(self.ask("GET", "/log", self.auditor).status, 200)
        self.assertEqual(self.server.run("token", "revoke", "brief", check=False).returncode, 3)

    def test_others_tokens_come_and_go_without_a_request_refused(self):
        statuses, done = set(), threading.Event()

        def ask():
            client = self.server.client()
            while not done.is_set():
                statuses.add(client.request("GET", "/log?limit=1", None, self.auditor).status)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for i in range(5):
            create(self.server, f"passing{i}", "read")
            self.server.run("token", "revoke", f"passing{i}")
            time.sleep(0.3)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, {200})

    def test_the_file_is_its_owners_only(self):
        path = os.path.join(self.server.data_dir, "tokens")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertFalse(os.path.exists(path + ".tmp"))


class WrongTokens(unittest.TestCase):
    def test_they_are_limited_and_a_right_one_is_taken(self):
        server = new_server(self, env={"DB_HOST": "/nowhere"})
        token = create(server, "auditor", "audit")
        server.start()
        client = server.client()
        wrong = {"Authorization": "Bearer dbk_" + 43 * "x"}
        answers = [client.request("GET", "/log", None, wrong) for _ in range(12)]
        self.assertEqual([answer.status for answer in answers], 10 * [401] + 2 * [429])
        self.assertEqual(answers[0].headers["WWW-Authenticate"],
                         'Bearer realm="daybook", error="invalid_token"')
        self.assertEqual(answers[0].json, {"data": None, "response": {
            "details": "The access token is not known; it may be revoked",
            "message": "Unauthorized", "status": 401,
            "title": "A valid access token is needed",
            "type": "/docs/errors.md#unauthorized"}})
        self.assertEqual(answers[-1].json, {"data": None, "response": {
            "details": "Too many wrong access tokens came from this address",
            "message": "Too Many Requests", "status": 429,
            "title": "Too much came for now", "type": "/docs/errors.md#too-many-requests"}})
        self.assertIn(int(answers[-1].headers["Retry-After"]), range(1, 61))
        self.assertEqual(client.request("GET", "/log", None, token).status, 200)
        self.assertEqual(client.get("/health").status, 503)  # PostgreSQL is nowhere


    def test_behind_a_trusted_proxy_each_client_has_its_own_limit(self):
        wrong = {"Authorization": "Bearer dbk_" + 43 * "x"}
        for trusted, expected in (("127.0.0.1", 401), ("127.0.0.2", 429), ("", 429)):
            server = new_server(self, env={"DB_HOST": "/nowhere", "TRUSTED_PROXY": trusted})
            create(server, "auditor", "audit")
            server.start()
            client = server.client()
            for number in range(12):
                client.request("GET", "/log", None, {
                    **wrong, "X-Forwarded-For": f"192.0.2.{number}, 192.0.2.200"})
            for address, status in (("192.0.2.200", 429), ("192.0.2.201", expected)):
                answer = client.request("GET", "/log", None, {
                    **wrong, "X-Forwarded-For": address})
                self.assertEqual(answer.status, status, (trusted, address))
            seen = "192.0.2.201" if expected == 401 else "127.0.0.1"
            server.wait_for(lambda: f"status={expected} " in server.told()
                            and f"remote={seen} " in server.told(), "the access line")
            server.stop()


class Doors(unittest.TestCase):
    """Who is served at all. No PostgreSQL is asked."""

    def setUp(self):
        self.server = new_server(self, env={"DB_HOST": "/nowhere"})

    def test_without_tokens_this_machine_is_served_and_told(self):
        self.server.start()
        self.assertIn("no access tokens: only this machine", self.server.told())
        self.assertEqual(self.server.client().get("/log").status, 200)
        self.assertIn("no tokens", self.server.run("token", "list").stdout)

    def test_an_open_address_needs_a_token(self):
        done = subprocess.run(
            [PROGRAM, "serve", "--data-dir", self.server.data_dir, "--host", "0.0.0.0",
             "--port", str(self.server.port)], env=self.server.env, capture_output=True,
            text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("HOST from --host: others can reach 0.0.0.0", done.stderr)
        self.assertIn("daybook token create", done.stderr)
        token = create(self.server, "auditor", "audit")
        self.server.flags = ["--host", "0.0.0.0"]
        self.server.start()
        self.assertIn("access tokens are asked for tokens=1", self.server.told())
        self.assertEqual(self.server.client().get("/log").status, 401)
        self.assertEqual(
            self.server.client().request("GET", "/log", None, token).status, 200)

    def test_the_first_token_closes_a_running_server_and_the_last_does_not_open_it(self):
        self.server.start()
        client = self.server.client()
        token = create(self.server, "auditor", "audit")
        self.server.wait_for(lambda: client.get("/log").status == 401, "closing")
        self.assertEqual(client.request("GET", "/log", None, token).status, 200)
        self.assertIn("none is left", self.server.run("token", "revoke", "auditor").stdout)
        self.server.wait_for(
            lambda: client.request("GET", "/log", None, token).status == 401, "the end")
        self.assertEqual(client.get("/log").status, 401)
        os.unlink(os.path.join(self.server.data_dir, "tokens"))
        time.sleep(1)
        self.assertEqual(client.get("/log").status, 401)

    def test_a_malformed_file_keeps_it_from_starting_and_says_where(self):
        create(self.server, "auditor", "audit")
        path = os.path.join(self.server.data_dir, "tokens")
        with open(path, "a") as file:
            file.write("kate\n")
        for arguments in (("serve",), ("token", "list"), ("token", "revoke", "auditor"),
                          ("token", "create", "x", "--scope", "read")):
            done = self.server.run(*arguments, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("tokens line 3", done.stderr)
        os.chmod(path, 0o644)
        self.assertIn("chmod 600", self.server.run("serve", check=False).stderr)

    def test_every_text_names_the_directory_it_is_about(self):
        place = self.server.data_dir
        self.assertIn(f"no tokens in {place}:", self.server.run("token", "list").stdout)
        done = self.server.run("token", "create", "shop", "--scope", "read")
        self.assertIn(f" in {place}/tokens;", done.stderr)
        self.assertRegex(done.stdout, f"^{TOKEN.pattern}\n$")
        self.assertIn(f"tokens in {place}:", self.server.run("token", "list").stdout)
        for arguments in (("create", "shop", "--scope", "read"), ("revoke", "other")):
            done = self.server.run("token", *arguments, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn(f"{place}: there is ", done.stderr)
        self.assertIn(f" in {place};", self.server.run("token", "revoke", "shop").stdout)

    def test_where_all_are_revoked_the_list_does_not_say_that_none_is_asked_for(self):
        create(self.server, "shop", "read")
        self.server.run("token", "revoke", "shop")
        listed = self.server.run("token", "list").stdout
        self.assertIn(f"all tokens in {self.server.data_dir} are revoked", listed)
        self.assertIn("refuses\neveryone", listed)
        self.assertNotIn("asks", listed)
        self.assertEqual(self.server.run("token", "list", "--json").stdout, "[]\n")

    def test_a_server_that_requires_tokens_lets_nobody_in_without_one(self):
        self.server.env["REQUIRE_TOKENS"] = "true"
        self.server.flags = ["--host", "0.0.0.0"]
        self.server.start()
        self.assertIn("warn everyone is refused", self.server.told())
        client = self.server.client()
        self.assertEqual(client.get("/persons").status, 401)
        self.assertEqual(client.get("/health").status, 503)  # no PostgreSQL, but no 401
        token = create(self.server, "late", "audit")
        self.server.wait_for(
            lambda: client.request("GET", "/log", None, token).status == 200,
            "the token")
        self.assertEqual(client.get("/persons").status, 401)

    def test_a_directory_that_is_not_there_is_no_answer(self):
        place = os.path.join(self.server.data_dir, "elsewhere")
        for arguments in (("list",), ("list", "--json"), ("revoke", "shop")):
            done = self.server.run("token", *arguments, "--data-dir", place, check=False)
            self.assertEqual((done.returncode, done.stdout), (3, ""), arguments)
            self.assertIn(f"{place}: no such directory: give --data-dir", done.stderr)
            self.assertFalse(os.path.exists(place))
        done = self.server.run("token", "create", "shop", "--scope", "read", "--data-dir",
                               place)
        self.assertIn(f" in {place}/tokens;", done.stderr)

    def test_wrong_use_is_told_and_makes_nothing(self):
        for arguments, saying in (
                (("create", "x"), "--scope"), (("create", "--scope", "read"), "NAME"),
                (("create", "x", "--scope", "all"), "read, write, audit"),
                (("create", "x y", "--scope", "read"), "letters"),
                (("revoke",), "NAME"), (("list", "x"), "unexpected"),
                (("list", "--scope", "read"), "create"), (("revoke", "x", "--json"), "list"),
                (("make",), "none of create, list and revoke")):
            done = self.server.run("token", *arguments, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(saying, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.server.data_dir, "tokens")))


if __name__ == "__main__":
    unittest.main()
