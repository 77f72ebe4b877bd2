"""Tokens that may stand in a web page: what they append, and that they learn nothing."""

import json
import re
import unittest

from harness import Server
from served import UUID, Served, new_id, person
from wire import exchange

SHOP, LOCAL, EVIL = "https://shop.example", "http://localhost:3000", "https://evil.mock"
BEACON = "text/plain;charset=UTF-8"


def create(server, name, *flags):
    """The secret of a new token."""
    return server.run("token", "create", name, *flags).stdout.strip()


def bearer(secret, **headers):
    return {"Authorization": "Bearer " + secret,
            **{name.replace("_", "-"): value for name, value in headers.items()}}


def told(answer):
    """The headers of an answer that are about other origins."""
    return {name: value for name, value in answer.headers.items()
            if name.startswith("Access-Control-")}


class Ingesting(Served):
    """All of these ask one server."""

    @classmethod
    def setUpClass(cls):
        if not hasattr(Ingesting, "shared"):
            Ingesting.start()
        cls.server = Ingesting.shared
        cls.client = cls.server.client()

    @classmethod
    def start(cls):
        cls.shared = Server()
        unittest.addModuleCleanup(cls.shared.close)
        cls.web = create(cls.shared, "web", "--scope", "ingest", "--origin", SHOP,
                         "--origin", LOCAL)
        cls.app = create(cls.shared, "app", "--scope", "ingest")
        cls.any = create(cls.shared, "any", "--scope", "ingest", "--origin", "*")
        cls.mixed = create(cls.shared, "mixed", "--scope", "ingest", "--scope", "read")
        cls.admin = create(cls.shared, "root", "--scope", "admin")
        cls.shared.start()

    def setUp(self):
        made = self.ask("POST", "/persons", self.admin, person())
        self.person, self.email = made.data["id"], made.data["email"]

    def ask(self, method, path, secret, body=None, **headers):
        return self.client.request(method, path, body, bearer(secret, **headers))

    def logged(self):
        """The events of the person, by id."""
        answer = self.ask("GET", f"/events?person_id={self.person}", self.admin)
        self.assertEqual(answer.status, 200, answer.body)
        return {event["id"]: event for event in answer.data}

    def event(self, **fields):
        return {"event_type": "click", "person_id": self.person, **fields}

    def refused_in_every_way(self):
        """Events that the log refuses, and one that it takes; all are well-formed."""
        gone, known = (self.ask("POST", "/events", self.admin, self.event()).data["id"]
                       for _ in range(2))
        self.assertEqual(self.ask("DELETE", "/events/" + gone, self.admin).status, 200)
        dead = self.ask("POST", "/persons", self.admin, person()).data["id"]
        self.assertEqual(self.ask("DELETE", "/persons/" + dead, self.admin).status, 200)
        return [self.event(id=new_id()), self.event(id=known),
                self.event(id=known, event_type="other"), self.event(id=gone),
                self.event(id=new_id(), person_id=new_id()),
                self.event(id=new_id(), person_id=dead)]


class Answers(Ingesting):
    def test_an_event_is_recorded_and_answered_by_its_id_alone(self):
        answer = self.ask("POST", "/events", self.app, self.event(properties={"a": 1}))
        self.assert_ok_alike(answer)
        self.assertRegex(answer.data["id"], UUID)
        self.assertEqual(self.logged()[answer.data["id"]]["properties"], {"a": 1})
        at = new_id()
        answer = self.ask("POST", "/events/" + at, self.app, self.event())
        self.assert_ok_alike(answer)
        self.assertEqual(answer.data, {"id": at})
        self.assertIn(at, self.logged())

    def assert_ok_alike(self, answer):
        self.assertEqual(answer.status, 202, answer.body)
        self.assertEqual(list(answer.data), ["id"])
        self.assertEqual(answer.json["response"], {
            "details": "The request was accepted", "message": "Ok", "status": 202})
        self.assertEqual({name.lower() for name in answer.headers} - {"vary"},
                         {"date", "connection", "content-length", "content-type",
                          "x-content-type-options", "x-request-id", "cache-control"})

    def test_nothing_in_an_answer_tells_what_the_log_knows(self):
        events, seen = self.refused_in_every_way(), set()
        for event in events:
            for path in ("/events", "/events/" + event["id"]):
                for _ in range(2):
                    answer = self.ask("POST", path, self.web, event, X_Request_Id="one")
                    self.assert_ok_alike(answer)
                    self.assertEqual(answer.data["id"], event["id"])
                    del answer.headers["Date"]
                    seen.add((str(answer.headers), answer.body.replace(
                        event["id"].encode(), b"ID")))
        self.assertEqual(len(seen), 1, seen)
        self.assertIn(events[0]["id"], self.logged())

    def test_nothing_in_a_batch_does(self):
        events = self.refused_in_every_way()
        bad = [{"event_type": "click"}, {"person_id": self.person, "event_type": ""}]
        body = json.dumps(events + bad)
        for _ in range(2):
            answer = self.ask("POST", "/events/batch", self.web, body)
            self.assertEqual(answer.data[:len(events)], [
                {"index": i, "status": 202, "id": event["id"]}
                for i, event in enumerate(events)])
            self.assertEqual([one["status"] for one in answer.data[len(events):]],
                             [400, 400])
            self.assertEqual(answer.data[-1]["errors"][0]["field"], "event_type")
            self.assertIn("6 accepted, 2 refused", answer.details)
            self.assertIsNone(answer.headers["Daybook-Sequence"])
            self.assertNotIn(b"sequence", answer.body)

    def test_a_batch_brings_aliases_and_no_persons(self):
        external, taken = new_id(), new_id()
        other = self.ask("POST", "/persons", self.admin,
                         {"external_id": external, "anonymous_id": taken}).data["id"]
        aliases = [{"anonymous_id": new_id(), "person_id": self.person},
                   {"anonymous_id": taken, "person_id": self.person},
                   {"anonymous_id": taken, "person_id": other},
                   {"anonymous_id": new_id(), "person_id": new_id()}]
        unnamed = [{"anonymous_id": taken, "external_id": external},
                   {"anonymous_id": taken, "external_id": new_id()}]
        answer = self.ask("POST", "/events/batch", self.web, json.dumps({
            "context": {"page": "/"},
            "items": [{"alias": alias} for alias in aliases + unnamed] +
                     [{"event": {"event_type": "a", "anonymous_id": taken, "id": other}},
                      {"person": {"external_id": external}}]}))
        self.assertEqual(answer.status, 207, answer.body)
        self.assertEqual(answer.data[:7], [
            *({"index": i, "status": 202, "id": alias["person_id"]}
              for i, alias in enumerate(aliases)),
            {"index": 4, "status": 202}, {"index": 5, "status": 202},
            {"index": 6, "status": 202, "id": other}])
        self.assertEqual(answer.data[7]["status"], 403)
        self.assertIn("no persons", answer.data[7]["details"])
        found = self.ask("GET", f"/persons/{self.person}/aliases", self.admin).data
        self.assertIn(aliases[0]["anonymous_id"], {one["anonymous_id"] for one in found})
        event = self.ask("GET", "/events/" + other, self.admin).data
        self.assertEqual((event["person_id"], event["properties"]), (other, {"page": "/"}))

    def test_an_alias_is_made_and_nothing_is_told_of_whose_it_is(self):
        other = self.ask("POST", "/persons", self.admin, person()).data["id"]
        taken, own, mine = new_id(), new_id(), new_id()
        for whose, name in ((other, taken), (self.person, own)):
            self.assertEqual(self.ask("POST", f"/persons/{whose}/aliases", self.admin,
                                      {"anonymous_id": name}).status, 201)
        seen = set()
        for whose, name in ((self.person, mine), (self.person, mine), (self.person, taken),
                            (self.person, own), (new_id(), new_id()), (new_id(), taken)):
            answer = self.ask("POST", f"/persons/{whose}/aliases", self.web,
                              {"anonymous_id": name}, X_Request_Id="one")
            self.assertEqual(answer.status, 202, answer.body)
            self.assertEqual(answer.data, {"anonymous_id": name, "person_id": whose})
            del answer.headers["Date"]
            seen.add((str(answer.headers), answer.body.replace(
                name.encode(), b"NAME").replace(whose.encode(), b"WHOSE")))
        self.assertEqual(len(seen), 1, seen)
        found = self.ask("GET", f"/persons/{self.person}/aliases", self.admin).data
        self.assertEqual({one["anonymous_id"] for one in found}, {mine, own})
        self.assertEqual(self.ask("POST", f"/persons/{self.person}/aliases", self.web,
                                  {"anonymous_id": ""}).status, 400)
        for path in (f"/persons/{self.person}/aliases",
                     f"/persons/{self.person}/aliases/{mine}"):
            for method in ("GET", "DELETE"):
                self.assertIn(self.ask(method, path, self.web).status, (403, 405))
        for name in (mine, taken, new_id()):  # and events of theirs
            event = {"id": new_id(), "event_type": "click", "anonymous_id": name}
            answer = self.ask("POST", "/events", self.web, event)
            self.assert_ok_alike(answer)
            self.assertEqual(answer.data, {"id": event["id"]})

    def test_the_operator_is_told_of_what_is_not_and_not_of_each(self):
        server = Server(env={"DB_HOST": "/nowhere"})
        self.addCleanup(server.close)
        secret = create(server, "web", "--scope", "ingest")
        server.start()
        client = server.client()
        body = json.dumps([self.event(id=new_id()) for _ in range(100)])
        for i in range(3):
            client.request("POST", "/events/batch", body, bearer(secret))
        server.stop()
        lines = [line for line in server.told().splitlines() if "only ingest" in line]
        self.assertEqual(len(lines), 2, server.told())
        self.assertIn("1 events or aliases of tokens that only ingest were refused",
                      lines[0])
        self.assertIn("the last of web in request", lines[0])
        self.assertIn("no person with this person_id", lines[0])
        self.assertIn("299 more", lines[1])

    def test_a_key_makes_what_is_sent_again_known_and_tells_nothing(self):
        body = [self.event(), self.event(id=new_id()), self.event(person_id=new_id())]
        key = {"Idempotency_Key": new_id()}
        first = self.ask("POST", "/events/batch", self.web, body, **key)
        again = self.ask("POST", "/events/batch", self.web, body, **key)
        self.assertEqual(first.body, again.body)
        self.assertIsNone(again.headers["Idempotency-Replayed"])
        self.assertEqual(len(self.logged()) - 1, 2)  # and the signup
        other = self.ask("POST", "/events/batch", self.web, body[:1], **key)
        self.assertEqual([one["status"] for one in other.data], [202])
        self.assertNotEqual(other.data[0]["id"], first.data[0]["id"])
        self.assertEqual(len(self.logged()) - 1, 3)
        for person_id in (self.person, new_id()):
            one, two = (self.ask("POST", "/events", self.web,
                                 self.event(person_id=person_id), **key) for _ in range(2))
            self.assertEqual(one.body, two.body)
        self.assert_refused(self.ask("POST", "/events", self.web, self.event(),
                                     Idempotency_Key="x" * 300), 400, "Idempotency-Key")

    def test_nothing_else_may_be_done(self):
        for method, path in (
                ("GET", "/persons"), ("GET", f"/persons/{self.person}"), ("GET", "/events"),
                ("GET", f"/events/{new_id()}"), ("GET", "/log"), ("GET", "/log/1"),
                ("POST", "/persons"), ("PUT", f"/persons/{self.person}"),
                ("PATCH", f"/persons/{self.person}"), ("DELETE", f"/persons/{self.person}"),
                ("DELETE", f"/events/{new_id()}")):
            body = person(email=self.email) if method in ("POST", "PUT", "PATCH") else None
            for secret in (self.web, self.app):
                self.assert_refused(self.ask(method, path, secret, body), 403,
                                    "lacks the scope")
            answer = self.client.request(method, f"{path}?key={self.web}", body)
            self.assert_refused(answer, 401, "access token")

    def test_who_may_not_delete_is_told_the_scope_that_it_takes(self):
        for query, scope in (("", "write"), ("?erase=false", "write"),
                             ("?timestamps=iso&erase=true", "erase")):
            for path in (f"/persons/{self.person}", "/persons/by/external_id/none"):
                answer = self.ask("DELETE", path + query, self.app)
                self.assert_refused(answer, 403, "lacks the scope " + scope)
                self.assertTrue(answer.details.endswith("scope " + scope), answer.details)

    def test_who_may_read_is_answered_in_full(self):
        answer = self.ask("POST", "/events", self.mixed, self.event())
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.data["person_id"], self.person)
        answer = self.ask("POST", "/events", self.mixed, self.event(person_id=new_id()))
        self.assertIn(answer.status, (404, 409))
        self.assertEqual(self.ask("GET", "/persons", self.mixed).status, 200)


class Origins(Ingesting):
    def post(self, secret, **headers):
        return self.ask("POST", "/events", secret, self.event(), **headers)

    def test_a_page_may_send_with_a_token_of_its_origin(self):
        for origin in (SHOP, LOCAL):
            answer = self.post(self.web, Origin=origin)
            self.assertEqual(answer.status, 202)
            self.assertEqual(told(answer), {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
                "Access-Control-Expose-Headers":
                    "Retry-After, WWW-Authenticate, X-Request-Id"})
            self.assertEqual(answer.headers["Vary"], "Origin")
        for origin in (SHOP, EVIL, "null", "file://"):
            self.assertEqual(self.post(self.any, Origin=origin).status, 202)

    def test_one_of_another_may_not(self):
        before = self.logged()
        for secret, origins in ((self.web, (EVIL, "null", SHOP + ".evil.mock", SHOP + ":8",
                                            "*", f"{SHOP},{LOCAL}", "http://shop.example")),
                                (self.app, (SHOP, EVIL, "null"))):
            for origin in origins:
                answer = self.post(secret, Origin=origin)
                self.assert_refused(answer, 403, "pages of this origin")
                self.assertEqual(told(answer), {}, origin)
        self.assertEqual(self.logged(), before)
        self.assertEqual(self.post(self.web).status, 202)  # no page at all
        self.assertEqual(self.post(self.app).status, 202)

    def ask_first(self, path, origin, method="POST"):
        return self.client.request("OPTIONS", path, headers={
            "Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type"})

    def test_who_asks_first_is_told_without_a_token(self):
        for path in ("/events", "/events/batch", "/events/" + new_id(),
                     f"/persons/{self.person}/aliases", f"/events/batch?key={self.web}"):
            for origin in (SHOP, LOCAL, EVIL):  # there is one for any
                answer = self.ask_first(path, origin)
                self.assertEqual(answer.status, 204)
                self.assertEqual(told(answer), {
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Credentials": "true",
                    "Access-Control-Allow-Methods": "POST",
                    "Access-Control-Allow-Headers":
                        "Authorization, Content-Encoding, Content-Type, Idempotency-Key, "
                        "traceparent, tracestate, X-Request-Id",
                    "Access-Control-Max-Age": "600"})
        for path in ("/persons", "/log", f"/persons/{self.person}", "/health"):
            answer = self.ask_first(path, SHOP)
            self.assertEqual(told(answer), {}, path)
            self.assertIsNone(answer.headers["Vary"])

    def test_of_no_token_no_origin_is_told(self):
        server = Server(env={"DB_HOST": "/nowhere", "CORS_ORIGINS": LOCAL})
        self.addCleanup(server.close)
        create(server, "web", "--scope", "ingest", "--origin", SHOP)
        server.start()
        self.client = server.client()
        self.assertEqual(told(self.ask_first("/events/batch", EVIL)), {})
        self.assertEqual(told(self.ask_first("/events", SHOP))[
            "Access-Control-Allow-Credentials"], "true")
        about = told(self.ask_first("/events", LOCAL))
        self.assertNotIn("Access-Control-Allow-Credentials", about)
        self.assertEqual(about["Access-Control-Allow-Methods"], "GET, HEAD, POST, OPTIONS")
        secret = create(server, "app", "--scope", "ingest")
        server.wait_for(lambda: "Access-Control-Allow-Credentials" in
                        told(self.ask_first("/events", LOCAL)), "the token")
        answer = self.client.request("POST", "/events", "{}", bearer(secret, Origin=LOCAL))
        self.assertEqual(answer.status, 400)  # which its script may read
        self.assertEqual(told(answer)["Access-Control-Allow-Origin"], LOCAL)


class Beacons(Ingesting):
    """navigator.sendBeacon, as bytes."""

    def beacon(self, body, secret=None, kind=BEACON, origin=LOCAL, query=None):
        """As Chromium 156 sends it."""
        query = f"key={secret or self.web}" if query is None else query
        data = body if isinstance(body, bytes) else body.encode()
        mode = "cors" if kind == "application/json" else "no-cors"
        head = (f"POST /events/batch?{query} HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{self.server.port}\r\nConnection: keep-alive\r\n"
                f'Content-Length: {len(data)}\r\nsec-ch-ua-platform: "Linux"\r\n'
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like"
                " Gecko) Chrome/156.0.0.0 Safari/537.36\r\n"
                'sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"\r\n'
                f"Content-Type: {kind}\r\nsec-ch-ua-mobile: ?0\r\nAccept: */*\r\n"
                f"Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n"
                f"Sec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: empty\r\n"
                f"Sec-Fetch-Storage-Access: none\r\nReferer: {origin}/\r\n"
                "Accept-Encoding: gzip, deflate, br, zstd\r\n"
                "Accept-Language: en-US,en;q=0.9\r\nCookie: session=4711\r\n\r\n")
        status, headers, body, _ = exchange(self.server.port, head.encode() + data)
        return status, headers, json.loads(body)

    def test_a_blob_of_json_and_a_fetch_are_taken(self):
        one = self.event(id=new_id())
        for path in (f"/events/batch?key={self.web}", "/events/batch"):
            status, headers, _, _ = exchange(
                self.server.port,
                f"OPTIONS {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\n"
                "Connection: keep-alive\r\nAccept: */*\r\n"
                "Access-Control-Request-Method: POST\r\n"
                f"Access-Control-Request-Headers: content-type\r\nOrigin: {LOCAL}\r\n"
                "Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: cross-site\r\n"
                "Sec-Fetch-Dest: empty\r\n\r\n")
            self.assertEqual(status, 204)
            self.assertEqual(headers["access-control-allow-origin"], LOCAL)
            self.assertEqual(headers["access-control-allow-credentials"], "true")
            self.assertIn("Content-Type", headers["access-control-allow-headers"])
        status, headers, answer = self.beacon(json.dumps([one]), kind="application/json")
        self.assertEqual((status, answer["data"]),
                         (200, [{"index": 0, "status": 202, "id": one["id"]}]))
        self.assertEqual(headers["access-control-allow-origin"], LOCAL)

    def test_text_is_taken_as_what_it_is(self):
        one, two = self.event(id=new_id()), self.event(id=new_id(), properties={"a": "é"})
        for body in (json.dumps([one, two]), json.dumps(one) + "\n" + json.dumps(two),
                     "\ufeff \r\n" + json.dumps([one, two], ensure_ascii=False)):
            for kind in (BEACON, "text/plain", 'Text/Plain; charset="utf-8"'):
                status, headers, answer = self.beacon(body, kind=kind)
                self.assertIn(status, (200, 202), answer)
                self.assertEqual([item["id"] for item in answer["data"]],
                                 [one["id"], two["id"]])
                self.assertEqual(headers["access-control-allow-origin"], LOCAL)
                self.assertEqual(headers["access-control-allow-credentials"], "true")
        self.assertEqual(self.logged()[two["id"]]["properties"], {"a": "é"})

    def test_text_may_have_a_context_and_aliases(self):
        one, name = new_id(), new_id()
        items = [{"event": {"id": one, "event_type": "click", "anonymous_id": name}},
                 {"alias": {"anonymous_id": name, "person_id": self.person}},
                 {"alias": {"anonymous_id": name, "external_id": new_id()}},
                 {"person": person()}]
        for body in (json.dumps({"context": {"page": "/"}, "items": items}),
                     "\n".join(map(json.dumps, items))):
            status, _, answer = self.beacon(body)
            self.assertEqual(status, 207, answer)
            self.assertEqual(answer["data"][:3], [
                {"index": 0, "status": 202, "id": one},
                {"index": 1, "status": 202, "id": self.person},
                {"index": 2, "status": 202}])
            self.assertEqual(answer["data"][3]["status"], 403)
            self.assertIn("no persons", answer["data"][3]["details"])
        self.assertEqual(self.logged()[one]["properties"], {"page": "/"})

    def test_one_event_alone_is_one(self):
        one = self.event(id=new_id())
        status, _, answer = self.beacon(json.dumps(one))
        self.assertIn(status, (200, 202), answer)
        self.assertIn(one["id"], self.logged())

    def test_other_types_are_not_taken(self):
        for kind in ("text/plain;charset=latin1", "application/x-www-form-urlencoded",
                     "multipart/form-data; boundary=x", "text/html", ""):
            self.assertEqual(self.beacon(json.dumps([self.event()]), kind=kind)[0], 415, kind)
        for path in ("/events", "/events/" + new_id()):
            answer = self.ask("POST", path, self.web, json.dumps(self.event()),
                              Content_Type=BEACON)
            self.assert_refused(answer, 415)

    def test_text_of_who_may_more_is_not_taken(self):
        """A page could send it without asking, to a server that asks nobody."""
        for secret in (self.mixed, self.admin):
            answer = self.ask("POST", "/events/batch", secret, json.dumps([self.event()]),
                              Content_Type=BEACON)
            self.assert_refused(answer, 415)

    def test_a_token_that_may_more_is_not_taken_from_the_query(self):
        for secret in (self.mixed, self.admin):
            status, headers, answer = self.beacon(json.dumps([self.event()]), secret)
            self.assertEqual(status, 403)
            self.assertIn("may do more than ingest", answer["response"]["details"])
            self.assertNotIn("access-control-allow-origin", headers)
        for query, status in (
                ("key=wrong", 401), ("", 401), ("key=", 401), ("key", 401),
                (f"Key={self.web}", 401), (f"key={self.web}&key={self.web}", 400),
                (f"key={self.web}&x=1", 400)):
            self.assertEqual(self.beacon(json.dumps([self.event()]), query=query)[0],
                             status, query)
        answer = self.ask("POST", f"/events?key={self.web}", self.web, self.event())
        self.assert_refused(answer, 400, "more than once")

    def test_the_key_is_shown_nowhere(self):
        secret = create(self.server, "shown", "--scope", "ingest", "--origin", LOCAL)
        seen = ""
        self.server.wait_for(
            lambda: self.beacon("[]", secret)[0] != 401, "the token")
        for body in ("[", "{}", json.dumps([self.event()]), "x" * 100):
            for query in (f"key={secret}", f"key={secret}&limit=1", f"x=1&key={secret}",
                          f"key={secret}x", f"key={secret}%", f"KEY={secret}"):
                seen += str(self.beacon(body, query=query))
        for accept in ("application/json", "application/problem+json"):
            for method, path in (("GET", "/events"), ("POST", "/events"), ("PUT", "/events"),
                                 ("POST", "/nothing"), ("OPTIONS", "/events/batch")):
                answer = self.client.request(method, f"{path}?key={secret}", None,
                                             {"Accept": accept, "Origin": LOCAL})
                seen += f"{answer.headers}{answer.body.decode()}"
        exchange(self.server.port, f"POST /events/batch?key={secret} HTTP/1.1\r\n"
                 f"Host: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]")
        seen += self.server.run("status", check=False).stdout
        seen += self.server.run("token", "list").stdout
        self.server.wait_for(lambda: "status=401 " in self.server.told(), "its log")
        seen += self.server.told()
        self.assertIn("key", seen)
        self.assertIsNone(re.search(re.escape(secret[4:]), seen))


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
