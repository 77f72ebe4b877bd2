"""Tokens that may stand in a web page: of which pages, and sent as a beacon."""

import json
import re
import unittest

from harness import Server
from ingesting import EVIL, LOCAL, SHOP, Ingesting, create, bearer, told
from served import new_id, person
from wire import exchange

BEACON = "text/plain;charset=UTF-8"


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


if __name__ == "__main__":
    unittest.main()
