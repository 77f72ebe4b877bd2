"""What browsers are told: who may call, what a page may load, what may be kept; and what
pages of other sites cannot do."""

import json
import unittest

from harness import Server
from served import Served, new_id, person
from wire import exchange

SHOP, LOCAL = "https://shop.example.org", "http://localhost:3000"
METHODS = {"/persons": "GET, HEAD, POST, OPTIONS", "/events/batch": "POST, OPTIONS",
           "/persons/" + new_id(): "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"}


def told(answer):
    """The headers of an answer that are about other origins."""
    return {name: value for name, value in answer.headers.items()
            if name.startswith("Access-Control-")}


class OriginsGiven(Served):
    settings = {"CORS_ORIGINS": f"{SHOP}, {LOCAL}"}

    def ask_first(self, path, origin, method="POST"):
        return self.client.request("OPTIONS", path, headers={
            "Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type"})

    def test_who_asks_first_is_told_what_it_may(self):
        for origin in (SHOP, LOCAL):
            for path, methods in METHODS.items():
                answer = self.ask_first(path, origin)
                self.assertEqual(answer.status, 204)
                self.assertEqual(answer.headers["Vary"], "Origin")
                self.assertEqual(answer.headers["Allow"], methods)
                self.assertEqual(told(answer), {
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Methods": methods,
                    "Access-Control-Allow-Headers":
                        "Authorization, Content-Encoding, Content-Type, Daybook-Sequence, "
                        "Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, "
                        "traceparent, tracestate, X-Request-Id",
                    "Access-Control-Max-Age": "600"})

    def test_answers_may_be_read_with_their_headers(self):
        made = self.client.post("/persons", person(), Origin=SHOP)
        path = made.headers["Location"]
        tag = self.client.get(path).headers["ETag"]
        for answer, status in (
                (made, 201), (self.client.get("/persons", Origin=SHOP), 200),
                (self.client.get("/events?limit=10000", Origin=SHOP), 200),
                (self.client.get("/log", Origin=SHOP, Accept="application/x-ndjson"), 200),
                (self.client.get(path, Origin=SHOP, If_None_Match=tag), 304),
                (self.client.get("/nothing", Origin=SHOP), 404),
                (self.client.put("/log", {}, Origin=SHOP), 405),
                (self.client.post("/persons", {}, Origin=SHOP), 400)):
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["Vary"], "Origin")
            about = told(answer)
            shown = about.pop("Access-Control-Expose-Headers").split(", ")
            self.assertEqual(about, {"Access-Control-Allow-Origin": SHOP})
            safe = {"Date", "Connection", "Vary", "Content-Type", "Content-Length",
                    "Transfer-Encoding", "Cache-Control", "X-Content-Type-Options"}
            self.assertLessEqual({name for name in answer.headers.keys()
                                  if name not in safe and name not in told(answer)},
                                 set(shown))

    def test_other_origins_are_told_nothing(self):
        for origin in ("https://shop.example.org.evil.mock", "https://evil.mock",
                       "http://shop.example.org", SHOP + ":444", SHOP + "/", SHOP[:-1],
                       "https://Shop.example.org", "null", "*", f"{SHOP}, {LOCAL}"):
            for answer in (self.ask_first("/persons", origin),
                           self.client.get("/persons", Origin=origin)):
                self.assertIn(answer.status, (200, 204))
                self.assertEqual(told(answer), {}, origin)
                self.assertEqual(answer.headers["Vary"], "Origin")

    def test_without_an_origin_nothing_is_told_but_that_it_matters(self):
        for answer in (self.client.get("/persons"),
                       self.client.request("OPTIONS", "/persons")):
            self.assertEqual(told(answer), {})
            self.assertEqual(answer.headers["Vary"], "Origin")

    def test_the_methods_are_told_only_to_who_asks_first(self):
        answer = self.client.request("OPTIONS", "/persons", headers={"Origin": SHOP})
        self.assertNotIn("Access-Control-Allow-Methods", told(answer))
        answer = self.client.get("/persons", Origin=SHOP,
                                 Access_Control_Request_Method="POST")
        self.assertNotIn("Access-Control-Allow-Methods", told(answer))


class OriginsAndTokens(unittest.TestCase):
    def test_who_asks_first_needs_no_token_and_who_calls_does(self):
        server = Server(env={"CORS_ORIGINS": SHOP})
        self.addCleanup(server.close)
        token = server.run("token", "create", "page", "--scope", "read").stdout.strip()
        server.start()
        client = server.client()
        first = client.request("OPTIONS", "/persons", headers={
            "Origin": SHOP, "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization"})
        self.assertEqual(first.status, 204)
        self.assertIn("Authorization", first.headers["Access-Control-Allow-Headers"])
        for bearer, status in (({}, 401), ({"Authorization": "Bearer " + token}, 200)):
            answer = client.get("/persons", Origin=SHOP, **bearer)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], SHOP)
            self.assertNotIn("Access-Control-Allow-Credentials", answer.headers)


class NoOrigins(Served):
    def test_no_origin_is_told_anything(self):
        for answer in (
                self.client.get("/persons", Origin=SHOP),
                self.client.get("/persons", Origin=f"http://127.0.0.1:{self.server.port}"),
                self.client.request("OPTIONS", "/persons", headers={
                    "Origin": SHOP, "Access-Control-Request-Method": "POST"})):
            self.assertIn(answer.status, (200, 204))
            self.assertEqual(told(answer), {})
            self.assertIsNone(answer.headers["Vary"])

    def test_what_a_page_can_send_unasked_is_not_taken(self):
        head = self.client.get("/health").data["head"]
        body = json.dumps(person())
        for kind in ("text/plain", "text/plain;charset=UTF-8", "multipart/form-data",
                     "application/x-www-form-urlencoded", "text/json", "", None,
                     "text/plain, application/json"):
            for path in ("/persons", "/events", "/events/batch"):
                headers = {} if kind is None else {"Content-Type": kind}
                headers.update({"Origin": "https://evil.mock", "Content-Length": len(body)})
                lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                status, _, _, _ = exchange(
                    self.server.port,
                    f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n{body}")
                self.assertEqual(status, 415, kind)
        self.assertEqual(self.client.get("/health").data["head"], head)

    def test_another_sites_name_that_points_here_is_refused(self):
        for host in ("evil.mock", f"evil.mock:{self.server.port}", "192.168.1.1"):
            for path in ("/", "/docs", "/health", "/persons", "/log", "/nothing"):
                answer = self.client.get(path, Host=host)
                self.assert_refused(answer, 421, "the header host names another machine")
            answer = self.client.post("/persons", person(), Host=host)
            self.assert_refused(answer, 421)
        for host in ("localhost", f"127.0.0.1:{self.server.port}", "[::1]"):
            self.assert_ok(self.client.get("/health", Host=host))

    def test_pages_are_not_framed_nor_their_address_told(self):
        for path in ("/", "/docs", "/docs/favicon-32x32.png", "/openapi.json"):
            answer = self.client.get(path)
            self.assertIn("frame-ancestors 'none'",
                          answer.headers["Content-Security-Policy"])
            self.assertEqual(answer.headers["X-Frame-Options"], "DENY")
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")

    def test_what_is_answered_is_what_it_says(self):
        for answer in self.all_kinds():
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def all_kinds(self):
        made = self.created()
        for path in ("/", "/docs", "/docs/favicon-32x32.png", "/openapi.json", "/health",
                     "/persons", "/persons/" + made["id"], "/events", "/log", "/log/1",
                     "/nothing", "/events/" + new_id(), "/persons?limit=x"):
            yield self.client.get(path)
        yield self.client.post("/persons", person())
        yield self.client.request("OPTIONS", "/persons")
        yield self.client.put("/persons", {})

    def test_what_may_be_kept_is_told(self):
        made = self.created()
        event = self.recorded(made["id"])
        for path, keeping in (("/", "no-cache"), ("/docs", "no-cache"),
                              ("/docs/favicon-32x32.png", "no-cache"),
                              ("/openapi.json", "no-cache"),
                              ("/persons/" + made["id"], "private, no-cache"),
                              ("/events/" + event["id"], "private, no-cache"),
                              ("/health", "no-store"), ("/persons", "no-store"),
                              ("/events", "no-store"), ("/log", "no-store"),
                              ("/log/1", "no-store"), ("/nothing", "no-store"),
                              ("/persons/" + new_id(), "no-store")):
            answer = self.client.get(path)
            self.assertEqual(answer.headers.get_all("Cache-Control"), [keeping], path)
            if answer.headers["ETag"]:
                again = self.client.get(path, If_None_Match=answer.headers["ETag"])
                self.assertEqual(again.status, 304)
                self.assertEqual(again.headers["Cache-Control"], keeping)
        for answer in (self.client.post("/persons", person()),
                       self.client.patch("/persons/" + made["id"], {"last_name": "P"}),
                       self.client.delete("/events/" + event["id"])):
            self.assertLess(answer.status, 300)
            self.assertEqual(answer.headers["Cache-Control"], "no-store")


if __name__ == "__main__":
    unittest.main()
