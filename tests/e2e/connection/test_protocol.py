"""HTTP itself: methods, paths, framing; what is unclear is refused and cut off."""

import json
import socket
import time
import unittest

from served import Served, new_id, person
from wire import Wire, exchange

HOST = "Host: localhost\r\n"


class Protocol(Served):
    def refused_and_closed(self, data, status, saying=""):
        got, headers, body, closed = exchange(self.server.port, data)
        self.assertEqual(got, status, body)
        self.assertTrue(closed)
        envelope = json.loads(body)
        self.assertIsNone(envelope["data"])
        self.assertEqual(envelope["response"]["status"], status)
        self.assertIn(saying, envelope["response"]["details"])

    def post(self, headers, body=""):
        return f"POST /persons HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n" \
               f"{headers}\r\n{body}"

    def test_a_path_that_is_not_there(self):
        for path in ("/nothing", "/persons/", "/persons/a/b", "/person", "/eventsx",
                     "//persons", "/persons/" + new_id() + "/events", "/docs/../persons",
                     "/docs/nothing.js", "/%2e%2e/etc/passwd", "/PERSONS"):
            answer = self.client.get(path)
            self.assertIn(answer.status, (400, 404), path)
            self.assert_refused(answer, answer.status)

    def test_a_method_that_is_not_taken(self):
        for method, path, allowed in (
                ("PUT", "/persons", "GET, HEAD, POST, OPTIONS"),
                ("PATCH", "/events", "GET, HEAD, POST, OPTIONS"),
                ("POST", "/persons/" + new_id(), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
                ("PUT", "/events/" + new_id(), "GET, HEAD, POST, DELETE, OPTIONS"),
                ("DELETE", "/log", "GET, HEAD, OPTIONS"),
                ("DELETE", "/events/batch", "POST, OPTIONS"),
                ("PUT", "/events/batch", "POST, OPTIONS")):
            with self.subTest(f"{method} {path}"):
                answer = self.client.request(method, path, {})
                self.assert_refused(answer, 405, method)
                self.assertEqual(answer.headers["Allow"], allowed)

    def test_options_tells_the_methods(self):
        for path, allowed in (("/persons", "GET, HEAD, POST, OPTIONS"),
                              ("/events/batch", "POST, OPTIONS"),
                              ("/health", "GET, HEAD, OPTIONS")):
            answer = self.client.request("OPTIONS", path)
            self.assertIn(answer.status, (200, 204))
            self.assertEqual(answer.headers["Allow"], allowed)

    def test_another_sites_script_gets_no_leave(self):
        answer = self.client.request("OPTIONS", "/persons", headers={
            "Origin": "http://elsewhere.mock", "Access-Control-Request-Method": "POST"})
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])

    def test_head_is_get_without_the_body(self):
        path = "/persons/" + self.created()["id"]
        for each in (path, "/persons", "/events", "/log", "/health", "/", "/docs",
                     "/openapi.json", "/persons/" + new_id(), "/nothing"):
            with self.subTest(each):
                get = self.client.get(each)
                head = self.client.request("HEAD", each)
                self.assertEqual((head.status, head.body), (get.status, b""))
                for name in ("Content-Type", "ETag", "Link"):
                    self.assertEqual(head.headers[name], get.headers[name])
        _, headers, _, _ = exchange(
            self.server.port, f"HEAD {path} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n",
            head=True)
        self.assertEqual(int(headers["content-length"]), len(self.client.get(path).body))

    def test_unclear_lengths_are_refused(self):
        for headers, status, *saying in (
                ("Content-Length: 2\r\nContent-Length: 2\r\n", 400, "more than once"),
                ("Content-Length: 2\r\nContent-Length: 30\r\n", 400, "more than once"),
                ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400, "exclude"),
                ("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", 400, "exclude"),
                ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400,
                 "more than once"),
                ("Transfer-Encoding: gzip, chunked\r\n", 501),
                ("Transfer-Encoding: chunked, chunked\r\n", 400),
                ("Transfer-Encoding: chunked, gzip\r\n", 400),
                ("Transfer-Encoding: identity\r\n", 501),
                ("Content-Length: -1\r\n", 400), ("Content-Length: 2, 2\r\n", 400),
                ("Content-Length: 0x2\r\n", 400), ("Content-Length: +2\r\n", 400),
                ("Content-Length: \r\n", 400), ("", 411),
                ("Content-Length: 99999999999\r\n", 413),
                ("Content-Length: 99999999999999999999999\r\n", 413)):
            with self.subTest(headers):
                # What follows must not be taken for the next request.
                self.refused_and_closed(
                    self.post(headers, f"{{}}GET /health HTTP/1.1\r\n{HOST}\r\n"),
                    status, *saying)

    def test_lines_that_are_no_headers_are_refused(self):
        for lines in ("Content-Length : 2\r\n", "Content-Length  : 2\r\n",
                      "X-Spaced : \r\nContent-Length: 2\r\n",
                      "X: a\r\n folded\r\nContent-Length: 2\r\n",
                      "X: a\r\n\tfolded\r\nContent-Length: 2\r\n",
                      "Content-Length: 2\r\n folded: b\r\n",
                      "Content-Length: 2\r\n: b\r\n", "X: a\nContent-Length: 2\r\n",
                      "X: a \nContent-Length: 2\r\n", "X:\nContent-Length: 2\r\n"):
            for method in ("POST", "GET"):
                with self.subTest(method + " " + lines):
                    self.refused_and_closed(
                        f"{method} /persons HTTP/1.1\r\n{HOST}{lines}\r\n{{}}"
                        f"GET /health HTTP/1.1\r\n{HOST}\r\n", 400)

    def test_headers_that_must_come_once(self):
        for name in ("Content-Type", "If-Match", "Idempotency-Key", "Host"):
            data = (f"POST /persons HTTP/1.1\r\n{HOST}{name}: a\r\n{name}: a\r\n"
                    "Content-Length: 2\r\n\r\n{}")
            self.refused_and_closed(data, 400, name)

    def test_a_host_is_needed(self):
        self.refused_and_closed("GET /health HTTP/1.1\r\n\r\n", 400, "Host")

    def test_more_headers_than_are_read_are_refused(self):
        many = "".join(f"X-{n}: {n}\r\n" for n in range(70))
        self.refused_and_closed(f"GET /health HTTP/1.1\r\n{HOST}{many}\r\n", 431)

    def test_what_is_no_http_is_refused(self):
        for data in ("hello\r\n\r\n", "GET\r\n\r\n", "GET /health\r\n\r\n",
                     f"GET /health HTTP/9.9\r\n{HOST}\r\n", "\x16\x03\x01\x02\0\x01\0\r\n\r\n",
                     f"GET /{'x' * 20000} HTTP/1.1\r\n{HOST}\r\n"):
            wire = Wire(self.server.port)
            wire.send(data)
            answer = wire.stream.read()
            self.assertRegex(answer, rb"^HTTP/1.1 (400|414|505) ")
            wire.close()
        self.assert_ok(self.client.get("/health"))

    def test_a_chunked_body_is_taken(self):
        body = json.dumps(person())
        chunks = "".join(f"{1:x}\r\n{each}\r\n" for each in body) + "0\r\n\r\n"
        wire = Wire(self.server.port)
        for _ in range(2):  # the connection lives on
            wire.send(self.post("Transfer-Encoding: chunked\r\n", chunks))
            status, _, answer = wire.answer()
            self.assertIn(status, (201, 409), answer)
        self.assertEqual(status, 409)
        wire.close()

    EXTENSIONS = (";a", ";a=b", ' ; a = "b;\\"\r"'.replace("\r", ""), ";a;b;c=d", "\t;a",
                  ";chunk-signature=" + 64 * "f", ";" + 2000 * "x", ';a=""')

    def chunked(self, extension, last="", trailers=""):
        body = json.dumps(person())
        return (f"{7:X}{extension}\r\n{body[:7]}\r\n{len(body) - 7:06x}{extension}\r\n"
                f"{body[7:]}\r\n0{last}\r\n{trailers}\r\n")

    def test_chunk_extensions_are_taken_and_dropped(self):
        wire = Wire(self.server.port)
        for extension in self.EXTENSIONS:
            for last, trailers in (("", ""), (extension, ""), ("000", "X-Sum: 1\r\nY:\r\n")):
                with self.subTest(extension):  # in a pipeline, and the connection lives on
                    wire.send(2 * self.post("Transfer-Encoding: chunked\r\n",
                                            self.chunked(extension, last, trailers))
                              + f"GET /health HTTP/1.1\r\n{HOST}\r\n")
                    self.assertEqual([wire.answer()[0] for _ in range(3)], [201, 409, 200])
        wire.close()

    def test_chunks_may_come_in_any_pieces(self):
        request = self.post("Transfer-Encoding: chunked\r\n", self.chunked(';a="b"', ";c")) \
            + f"GET /health HTTP/1.1\r\n{HOST}\r\n"
        for size in (1, 3, 64, 199):
            wire = Wire(self.server.port)
            wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(request), size):
                wire.send(request[at:at + size])
                time.sleep(0.0005)
            self.assertEqual(wire.answer()[0], 201 if size == 1 else 409)
            self.assertEqual(wire.answer()[0], 200)
            wire.close()

    def test_a_large_chunked_body_with_extensions_is_taken(self):
        fill = json.dumps({**person(), "last_name": "x" * 90}).encode()
        body = fill[:-1] + b" " * 500000 + b"}"
        wire = Wire(self.server.port)
        wire.send(self.post("Transfer-Encoding: chunked\r\n"))
        for at in range(0, len(body), 1000):
            part = body[at:at + 1000]
            wire.send(b"%x;n=%d\r\n%s\r\n" % (len(part), at, part))
        wire.send("0\r\n\r\n")
        self.assertEqual(wire.answer()[0], 201)
        wire.send(f"GET /health HTTP/1.1\r\n{HOST}\r\n")
        self.assertEqual(wire.answer()[0], 200)
        wire.close()

    def test_what_is_no_chunk_extension_is_refused(self):
        for extension in (";", "a", ";a=", ";=b", ";a b", ";a\n", ";a\rb", ';a="b', ";a\0",
                          ';a="b"c', ";a=b=c", " a", "; ; a", ";\x7f", ";" + 9000 * "x"):
            for last in ("", extension):
                with self.subTest(repr(extension)):
                    status, headers, body, closed = exchange(
                        self.server.port, self.post(
                            "Transfer-Encoding: chunked\r\n",
                            self.chunked("" if last else extension, last))
                        + f"GET /health HTTP/1.1\r\n{HOST}\r\n")
                    self.assertEqual((status, closed), (400, True), body)

    def test_what_is_no_trailer_is_refused(self):
        for trailers in ("x\r\n", "a b: c\r\n", " a: b\r\n", "a: b\n", ": b\r\n",
                         "a: \0\r\n", "GET /health HTTP/1.1\r\n", "a: " + 9000 * "x" + "\r\n"):
            with self.subTest(repr(trailers)):
                status, _, body, closed = exchange(
                    self.server.port, self.post("Transfer-Encoding: chunked\r\n",
                                                self.chunked("", "", trailers)))
                self.assertEqual((status, closed), (400, True), body)

    def test_a_broken_chunked_body_is_refused(self):
        for chunks in ("zz\r\n{}\r\n0\r\n\r\n", "-1\r\n{}\r\n0\r\n\r\n",
                       "ffffffffffffffff\r\n{}\r\n"):
            wire = Wire(self.server.port)
            wire.send(self.post("Transfer-Encoding: chunked\r\n", chunks))
            wire.socket.shutdown(1)
            status, headers, _ = wire.answer()
            self.assertIn(status, (400, 413))
            self.assertEqual(headers["connection"], "close")
            wire.close()

    def test_a_client_that_asks_first_is_told_to_go_on(self):
        body = json.dumps(person())
        wire = Wire(self.server.port)
        wire.send(self.post(f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"))
        self.assertEqual(wire.answer()[0], 100)
        wire.send(body)
        self.assertEqual(wire.answer()[0], 201)
        wire.close()

    def test_a_client_that_asks_first_is_not_told_to_go_on_in_vain(self):
        for headers, status in (("Content-Length: 99999999\r\n", 413),
                                ("Content-Length: 2\r\nIf-Match: 1\r\nIf-Match: 1\r\n", 400)):
            self.refused_and_closed(self.post(headers + "Expect: 100-continue\r\n"), status)
        self.refused_and_closed(self.post("Content-Length: 2\r\nExpect: tea\r\n"), 417)

    def test_requests_in_a_pipeline_are_answered_in_order(self):
        bodies = [json.dumps(person(first_name=f"Kate {n}")) for n in range(10)]
        wire = Wire(self.server.port)
        wire.send("".join(self.post(f"Content-Length: {len(body)}\r\n", body)
                          + f"GET /health HTTP/1.1\r\n{HOST}\r\n" for body in bodies))
        for n in range(10):
            status, _, body = wire.answer()
            self.assertEqual((status, json.loads(body)["data"]["first_name"]),
                             (201, f"Kate {n}"))
            self.assertEqual(wire.answer()[0], 200)
        wire.close()

    def test_a_body_where_none_belongs_is_not_the_next_request(self):
        inner = f"DELETE /persons/{new_id()} HTTP/1.1\r\n{HOST}\r\n"
        wire = Wire(self.server.port)
        wire.send(f"GET /health HTTP/1.1\r\n{HOST}Content-Length: {len(inner)}\r\n\r\n{inner}")
        status, headers, _ = wire.answer()
        self.assertEqual(status, 200)
        self.assertTrue(wire.ended())
        wire.close()

    def test_a_client_that_leaves_early_harms_nobody(self):
        head = self.client.get("/health").data["head"]
        for data in ("", "G", "GET /health HTTP/1.1\r\n", self.post(""),
                     self.post("Content-Length: 100\r\n", '{"email"'),
                     self.post("Transfer-Encoding: chunked\r\n", "5\r\n{"),
                     f"GET /persons HTTP/1.1\r\n{HOST}\r\n"):
            for _ in range(5):
                wire = Wire(self.server.port)
                wire.send(data)
                wire.close()
        self.assert_ok(self.client.get("/health"))
        self.assertEqual(self.client.get("/health").data["head"], head)

    def test_http_1_0_is_answered_and_closed(self):
        for path in ("/persons", "/log"):
            wire = Wire(self.server.port)
            wire.send(f"GET {path} HTTP/1.0\r\n\r\n")
            whole = wire.stream.read()
            self.assertIn(b" 200 ", whole.split(b"\r\n")[0])
            self.assertNotIn(b"chunked", whole.split(b"\r\n\r\n")[0])
            json.loads(whole.partition(b"\r\n\r\n")[2])
            wire.close()

    def test_every_answer_has_the_request_id(self):
        answer = self.client.get("/health", X_Request_Id="a-1.b_2")
        self.assertEqual(answer.headers["X-Request-Id"], "a-1.b_2")
        for bad in ("a b", "x" * 65, "a\x01"):
            made = self.client.get("/health", X_Request_Id=bad).headers["X-Request-Id"]
            self.assertNotEqual(made, bad)
            self.assertTrue(made)


class Answered(Served):
    """What other servers take, and what they answer: never a silent end. Each is a request,
    the status, whether the connection lives on, and what the answer has."""

    def post(self, headers, body):
        return f"POST /persons HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n" \
               f"{headers}\r\n{body}"

    def chunked(self, trailers="", coding="chunked"):
        body = json.dumps(person())
        return self.post(f"Transfer-Encoding: {coding}\r\n",
                         f"{len(body):x}\r\n{body}\r\n0\r\n{trailers}\r\n")

    def get(self, line="GET /health HTTP/1.1", headers="", host=HOST):
        return f"{line}\r\n{host}{headers}\r\n"

    def test_each_is_answered(self):
        every = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
        get, id_ = self.get, self.created()["id"]
        for data, status, lives, *has in (
                # The connection.
                (get(headers="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                     "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"), 200, True),
                (get(headers="Connection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\n"), 200, True),
                (get(headers="Connection: upgrade\r\n"), 200, True),
                (get(headers="Connection: TE\r\nTE: trailers\r\n"), 200, True),
                (get(headers="Connection: close-not, keep-alive\r\n"), 200, True),
                (get(headers="Connection:\r\n"), 200, True),
                (get(headers="Connection: keep-alive, Close\r\n"), 200, False),
                (get(headers="Connection: TE\r\nconnection: ,CLOSE ,x\r\n"), 200, False),
                (get("GET /health HTTP/1.0", host=""), 200, False),
                (get("GET /health HTTP/1.0", "Connection: Keep-Alive\r\n"), 200, True),
                (get("GET /health HTTP/1.7"), 200, True),
                # The target.
                (get("OPTIONS * HTTP/1.1"), 204, True, "Allow", every),
                (get("OPTIONS http://localhost HTTP/1.1"), 204, True, "Allow", every),
                (get("OPTIONS /persons HTTP/1.1"), 204, True, "Allow",
                 "GET, HEAD, POST, OPTIONS"),
                (get(f"OPTIONS /persons/{id_} HTTP/1.1"), 204, True, "Accept-Patch",
                 "application/merge-patch+json, application/json"),
                (get("GET * HTTP/1.1"), 400, False),
                (get("GET http://localhost/health HTTP/1.1"), 200, True),
                (get("GET HTTP://LOCALHOST:80/health HTTP/1.1", host="Host: x\r\n"), 200, True),
                (get("GET http://elsewhere/health HTTP/1.1"), 421, True),
                (get("GET http://localhost HTTP/1.1"), 200, True, "Content-Type",
                 "text/html; charset=utf-8"),
                (get("GET ftp://localhost/health HTTP/1.1"), 400, False),
                (get("GET health HTTP/1.1"), 400, False),
                (get(f"GET /persons/{id_}?events_limit=0 HTTP/1.1"), 200, True),
                (get(f"GET /{16384 * 'x'} HTTP/1.1"), 414, False),
                (get("GET /log HTTP/1.1", f"X: {16384 * 'x'}\r\n"), 431, False),
                # The method.
                (get("BREW /health HTTP/1.1"), 501, True),
                (get("get /health HTTP/1.1"), 501, True),
                (get("TRACE /health HTTP/1.1"), 501, True),
                (get("CONNECT localhost:80 HTTP/1.1"), 501, True),
                (get("PROPFIND /persons HTTP/1.1"), 501, True),
                (get("BREW /persons HTTP/1.1", "Content-Length: 2\r\n") + "{}", 501, False),
                (get("DELETE /persons HTTP/1.1"), 405, True, "Allow",
                 "GET, HEAD, POST, OPTIONS"),
                # Fields.
                (get(headers="X:\ta\tb \t\r\nAccept:\t*/*\r\n"), 200, True),
                (get(headers="X: \xff\xfe\r\n"), 200, True),
                (get(headers="X: a\r\n\tb\r\n"), 400, False),
                (get(headers="X : a\r\n"), 400, False),
                (get(headers="X: a\nY: b\r\n"), 400, False),
                (get(headers="X: a\x00b\r\n"), 400, False),
                (get(headers="X(: a\r\n"), 400, False),
                (get(headers=HOST), 400, False),
                (get(host="Host: a b\r\n"), 400, False),
                (get(host=""), 400, False),
                (get("GET /health HTTP/2.0"), 505, False),
                ("\r\n\r\n" + get(), 200, True),
                (get("GET /events?limit=1 HTTP/1.1",
                     "Prefer: respond-async\r\nPrefer: x, wait=7;y\r\n"), 200, True,
                 "Preference-Applied", "wait=7"),
                (get("GET /events?limit=1 HTTP/1.1", "Prefer: handling=lenient\r\n"), 200,
                 True, "Preference-Applied", None),
                # Bodies.
                (self.chunked(), 201, True),
                (self.chunked(coding="CHUNKED"), 201, True),
                (self.chunked("X-Sum: 1\r\nY:\t\r\n"), 201, True),
                (self.chunked("X-Sum: " + 9000 * "x" + "\r\n"), 400, False),
                (self.chunked(coding="gzip, chunked"), 501, False),
                (self.chunked().replace("HTTP/1.1", "HTTP/1.0"), 400, False),
                (self.post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), 400, False),
                (self.post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "{}"), 400,
                 False),
                (self.post("Content-Length: 2\r\nExpect: 100-Continue\r\n", ""), 100, True),
                (self.post("Content-Length: 2\r\nExpect: tea\r\n", "{}"), 417, False),
                (self.post("Content-Length: 2\r\nContent-Encoding: br\r\n", "{}"), 415, False,
                 "Accept-Encoding", "zstd, gzip"),
                (self.post("Content-Length: 2\r\n", "{}").replace("application/json",
                 "text/css"), 415, False, "Accept-Encoding", None),
                (self.post("Content-Length: 2\r\n", "{}").replace("application/json",
                 "application/json;charset=utf8"), 400, True),
                (f"PATCH /persons/{id_} HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\n{{}}", 415,
                 False, "Accept-Patch", "application/merge-patch+json, application/json")):
            with self.subTest(data[:200]):
                self.is_answered(data, status, lives, *has)

    def is_answered(self, data, status, lives, name=None, value=None):
        wire = Wire(self.server.port)
        try:
            wire.send(data.encode("latin-1"))
            got, headers, body = wire.answer()
            self.assertEqual(got, status, body)
            if status == 100:
                return
            if name:
                self.assertEqual(headers.get(name.lower()), value)
            self.assertEqual(headers["connection"], "keep-alive" if lives else "close")
            if status >= 400:
                self.assertEqual(json.loads(body)["response"]["status"], status)
            if not lives:
                self.assertTrue(wire.ended())
                return
            wire.send(self.get("GET /openapi.json HTTP/1.1"))
            self.assertEqual(wire.answer()[0], 200)
        finally:
            wire.close()

    def test_half_a_head_is_answered_when_the_client_has_said_all(self):
        wire = Wire(self.server.port)
        wire.send("GET /health HT")
        wire.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(wire.answer()[0], 400)
        wire.close()

    def test_a_head_with_no_end_has_a_head_of_its_own_for_head(self):
        status, headers, body, closed = exchange(
            self.server.port, f"HEAD /log HTTP/1.1\r\n{HOST}{HOST}\r\n", head=True)
        self.assertEqual((status, body, closed), (400, b"", True))


if __name__ == "__main__":
    unittest.main()
