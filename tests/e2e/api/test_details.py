"""What an answer tells of the server's insides: nothing, unless it was told to."""

import json
import unittest

from harness import Server
from served import Served, new_id, person
from wire import exchange

AWAY = "/tmp/no-such-postgresql"  # where no socket is


class Details(unittest.TestCase):
    def serve(self, **settings):
        server = Server(env={"DB_HOST": AWAY, "DB_USER": "somebody", **settings})
        self.addCleanup(server.close)
        return server.start().client()

    def details(self, client):
        """Of a read that fails, as PostgreSQL is away."""
        answer = client.get("/persons")
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIsNone(answer.data)
        self.assertRegex(answer.headers["Retry-After"], r"^\d+$")
        return answer.details

    def test_a_failure_tells_what_goes_on_and_no_internals(self):
        client = self.serve()
        health = client.get("/health")
        self.assertEqual((health.status, health.data["status"]), (503, "degraded"))
        for text in (self.details(client), health.body.decode()):
            self.assertNotIn(AWAY, text)
            self.assertNotIn("somebody", text)
        self.assertIn("PostgreSQL", self.details(client))

    def test_internals_are_told_where_that_is_asked_for(self):
        client = self.serve(SHOW_ERROR_DETAILS="true", ENVIRONMENT="local")
        self.assertIn(AWAY, self.details(client))

    def test_internals_are_told_nowhere_but_in_a_local_environment(self):
        client = self.serve(SHOW_ERROR_DETAILS="true", ENVIRONMENT="production")
        self.assertNotIn(AWAY, self.details(client))


class Problems(Served):
    """What kind of failure it is, for programs: in the envelope, or as RFC 9457 has it."""
    HOST = "Host: localhost\r\n"
    ACCEPT = {"Accept": "application/problem+json"}

    def failures(self):
        """A request, its status and the name of its type."""
        kate = self.created()
        path = "/persons/" + kate["id"]
        body = json.dumps(person())
        yield "GET", "/nothing", None, {}, 404, "not-found"
        yield "GET", "/persons/" + new_id(), None, {}, 404, "not-found"
        yield "GET", "/persons?limit=x", None, {}, 400, "invalid-fields"
        yield "POST", "/persons", "{}", {}, 400, "invalid-fields"
        yield "POST", "/persons", "{", {}, 400, "malformed"
        yield "POST", "/persons", json.dumps(kate), {}, 400, "invalid-fields"
        yield "POST", "/persons", json.dumps({**person(), "email": kate["email"]}), {}, 409, \
            "conflict"
        yield "POST", "/persons", json.dumps({**person(), "id": kate["id"]}), {}, 409, \
            "already-exists"
        event = json.dumps({"event_type": "drag", "person_id": kate["id"]})
        yield "POST", "/events/" + kate["events"][0]["id"], event, {}, 409, "already-exists"
        changed = {"role": "user", **person(),
                   "events": [{**kate["events"][0], "event_type": "drag"}]}
        yield "PUT", path, json.dumps(changed), {}, 409, "already-exists"
        yield "POST", "/persons", body, {"Content-Type": "text/plain"}, 415, \
            "unsupported-media-type"
        yield "POST", "/persons", body, {"Content-Encoding": "br"}, 415, "unsupported-encoding"
        yield "POST", "/persons", body, {"Expect": "tea"}, 417, "expectation-failed"
        yield "POST", "/persons", "x" * 2000000, {}, 413, "too-large"
        yield "POST", "/events/batch", "[1]", {}, 422, "all-refused"
        yield "DELETE", path, None, {"If-Match": '"1-00000000"'}, 412, "precondition-failed"
        yield "PUT", "/log", "{}", {}, 405, "method-not-allowed"
        yield "BREW", "/log", None, {}, 501, "not-implemented"
        yield "GET", "/log", None, {"Host": "elsewhere"}, 421, "misdirected"
        yield "GET", "/log", None, {"Accept": "application/json;q=0, */*;q=0"}, 406, \
            "not-acceptable"

    def test_each_has_a_type_in_the_envelope(self):
        for method, path, body, headers, status, name in self.failures():
            with self.subTest(name):
                client = self.server.client()
                answer = client.request(method, path, body, headers)
                self.assertEqual(answer.status, status, answer.body)
                self.assertEqual(answer.headers["Content-Type"], "application/json")
                self.assertEqual(answer.json["response"]["type"], "/docs/errors.md#" + name)
                client.close()

    def test_each_is_a_problem_document_where_that_is_asked_for(self):
        for method, path, body, headers, status, name in self.failures():
            if name in ("all-refused", "not-acceptable"):
                continue
            with self.subTest(name):
                client = self.server.client()
                answer = client.request(method, path, body, {**self.ACCEPT, **headers})
                self.assertEqual(answer.status, status, answer.body)
                self.is_problem(answer.headers["Content-Type"], answer.json, status, name)
                self.assertEqual(answer.json["instance"], path.partition("?")[0])
                self.assertEqual(answer.json["request_id"], answer.headers["X-Request-Id"])
                self.assertEqual("errors" in answer.json,
                                 name in ("invalid-fields", "conflict"), answer.json)
                client.close()

    def is_problem(self, media, document, status, name):
        self.assertEqual(media, "application/problem+json")
        self.assertLessEqual({"detail", "request_id", "status", "title", "type"},
                             set(document))
        self.assertEqual((document["status"], document["type"]),
                         (status, "/docs/errors.md#" + name))
        self.assertTrue(document["title"] and document["detail"])

    def test_so_is_what_is_refused_before_it_is_understood(self):
        accept = "Accept: application/problem+json\r\n"
        for data, status, name in (
                (f"GET /log HTTP/1.1\r\n{accept}\r\n", 400, "malformed"),
                (f"GET /log HTTP/1.1\r\n{accept}{self.HOST}{self.HOST}\r\n", 400, "malformed"),
                (f"GET /log HTTP/1.1\r\n{accept}{self.HOST}a b: c\r\n\r\n", 400, "malformed"),
                (f"POST /events HTTP/1.1\r\n{accept}{self.HOST}\r\n", 411, "length-required"),
                (f"POST /events HTTP/1.1\r\n{accept}{self.HOST}Transfer-Encoding: gzip\r\n\r\n",
                 501, "not-implemented")):
            got, headers, body, _ = exchange(self.server.port, data)
            self.assertEqual(got, status, body)
            self.is_problem(headers["content-type"], json.loads(body), status, name)
        for data, status, name in (("hello\r\n\r\n", 400, "malformed"),
                                   ("GET / HTTP/2.0\r\n\r\n", 505, "version-not-supported"),
                                   (16385 * "x", 414, "target-too-long")):
            got, _, body, _ = exchange(self.server.port, data)
            self.assertEqual((got, json.loads(body)["response"]["type"]),
                             (status, "/docs/errors.md#" + name))

    def test_who_takes_both_prefers_by_weight(self):
        for accept, media in (
                ("application/json, application/problem+json", "application/problem+json"),
                ("application/json, application/problem+json;q=0.9", "application/json"),
                ("application/*", "application/json"), ("*/*", "application/json"),
                ("application/problem+json;q=0", "application/json"),
                ("APPLICATION/PROBLEM+JSON, */*;q=0.1", "application/problem+json")):
            answer = self.client.get("/nothing", Accept=accept)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, media),
                             accept)

    def test_the_types_lead_to_a_page(self):
        page = self.client.get("/docs/errors.md")
        self.assertEqual((page.status, page.headers["Content-Type"]),
                         (200, "text/markdown; charset=utf-8"))
        self.assertIn(b"| `not-found` | 404 |", page.body)


if __name__ == "__main__":
    unittest.main()
