"""What no honest client does: each ends in a refusal or a closed connection, and others
are served meanwhile."""

import json
import re
import select
import socket
import threading
import time
import unittest

from harness import PATIENCE, Server
from served import Served, new_id, person
from wire import Wire, exchange

HOST = "Host: localhost\r\n"
CLOSE = "Connection: close\r\n"
JSON = "Content-Type: application/json\r\n"
GET = f"GET /health HTTP/1.1\r\n{HOST}"
POST = f"POST /persons HTTP/1.1\r\n{HOST}{JSON}"
DELETE = f"DELETE /events/{new_id()} HTTP/1.1\r\n{HOST}"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
NEXT = GET + "\r\n"  # must not be taken for a request of its own

# Each is sent, and then nothing more.
ABUSES = {
    "half a request line": "GET /hea",
    "half a head": GET + "X-Half: ",
    "half a body": POST + "Content-Length: 100\r\n\r\n{",
    "no body": POST + "Content-Length: 100\r\n\r\n",
    "half a chunk": CHUNKED + "ff\r\n{",
    "no last chunk": CHUNKED + "2\r\n{}\r\n",
    "two lengths": POST + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + NEXT,
    "equal lengths": POST + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + NEXT,
    "length and chunks": POST + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "0\r\n\r\n" + NEXT,
    "chunks and length": POST + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
                                "0\r\n\r\n" + NEXT,
    "chunked twice": POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + NEXT,
    "chunks in 1.0": CHUNKED.replace("1.1", "1.0") + "0\r\n\r\n" + NEXT,
    "a signed chunk": CHUNKED + "+2\r\n{}\r\n0\r\n\r\n" + NEXT,
    "a chunk in C": CHUNKED + "0x2\r\n{}\r\n0\r\n\r\n" + NEXT,
    "a huge chunk": CHUNKED + "7fffffffffffffff\r\n{}",
    "a larger chunk": CHUNKED + "fffffffffffffffff\r\n{}" + NEXT,
    "a chunk that is longer": CHUNKED + "2\r\n{}{}\r\n0\r\n\r\n" + NEXT,
    "an endless chunk size": CHUNKED + "2;" + "x" * 20000 + "\r\n{}\r\n0\r\n\r\n" + NEXT,
    "a huge length": POST + "Content-Length: 9999999999\r\n\r\n{}" + NEXT,
    "a huge header": GET + f"X: {'x' * 20000}\r\n\r\n",
    "many headers": GET + "".join(f"X-{n}: y\r\n" for n in range(1000)) + "\r\n",
    "a huge path": f"GET /{'x' * 20000} HTTP/1.1\r\n{HOST}\r\n",
    "a huge query": f"GET /log?{'x' * 20000} HTTP/1.1\r\n{HOST}\r\n",
    "a huge method": f"{'G' * 20000} / HTTP/1.1\r\n{HOST}\r\n",
    "an absolute address": f"GET http://evil.mock/log HTTP/1.1\r\n{HOST}{CLOSE}\r\n",
    "an address with a name": f"GET http://a@localhost/log HTTP/1.1\r\n{HOST}\r\n",
    "no path": f"GET * HTTP/1.1\r\n{HOST}\r\n",
    "no slash": f"GET health HTTP/1.1\r\n{HOST}\r\n",
    "a NUL": GET + "X: a\0b\r\n\r\n",
    "a control character": f"GET /he\x01alth HTTP/1.1\r\n{HOST}\r\n",
    "a bad method": f"BREW /health HTTP/1.1\r\n{HOST}{CLOSE}\r\n",
    "a small method": f"get /health HTTP/1.1\r\n{HOST}{CLOSE}\r\n",
    "a trace": f"TRACE /health HTTP/1.1\r\n{HOST}{CLOSE}\r\n",
    "a tunnel": f"CONNECT localhost:1 HTTP/1.1\r\n{HOST}{CLOSE}\r\n",
    "HTTP/0.9": "GET /health\r\n\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "x" * 500,
    "LF alone": GET.replace("\r", "") + "\n",
    "CR alone": GET.replace("\n", "") + "\r",
    "a CR before a name": GET + "\rContent-Length: 2\r\n\r\n" + NEXT,
    "a CR before the end": GET + "\r\r\n\r\n" + NEXT,
    "LF before all": "\n\n" + GET + "\r\n" + NEXT,
    "a full head that ends with LF": (GET + "X: ").ljust(16382, "y") + "\n\n",
    "LF within": GET + "X: a\nContent-Length: 2\r\n\r\n" + NEXT,
    "a folded line": GET + "X: a\r\n b\r\n\r\n" + NEXT,
    "a spaced name": GET + "Content-Length : 2\r\n\r\n" + NEXT,
    "no name": GET + ": x\r\n\r\n" + NEXT,
    "no host": "GET /health HTTP/1.1\r\n\r\n" + NEXT,
    "two hosts": GET + HOST + "\r\n" + NEXT,
    "another host": f"GET /health HTTP/1.1\r\nHost: evil.mock\r\n{CLOSE}\r\n",
    "a host that is none": "GET /health HTTP/1.1\r\nHost: local host\r\n\r\n" + NEXT,
    "a DELETE with a form": DELETE + "Content-Length: 3\r\n\r\na=b" + NEXT,
    "a DELETE with a huge body": DELETE + JSON + "Content-Length: 9999999\r\n\r\n" + NEXT,
    "another expectation": POST + "Expect: tea\r\nContent-Length: 2\r\n\r\n{}" + NEXT,
}
PATHS = ("/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/docs/%2e%2e/persons",
         "/docs/..%2fpersons", "/persons/%00", "/persons%00", "/persons/%2f", "/%zz", "/%",
         "/persons%2f", "//persons", "/./persons", "/persons/.", "/persons;a=b", "/\\",
         "/docs/docs.js%00.css", "/docs/%2fetc%2fpasswd", "/log/-1", "/log/1%00",
         "/log/99999999999999999999", "/persons/%e2%80%ae", "/log#1")


def prompt_wire(port, data, source=None):
    """One whose bytes came with it: in a crowd, who says nothing for a second must go."""
    while True:
        began = time.monotonic()
        wire = Wire(port, source)
        wire.send(data)
        if time.monotonic() - began < 0.3:
            return wire
        wire.close()


def head_of_log(port, source=None):
    """As a newcomer is told it, who comes again where it was sent away."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        wire = prompt_wire(port, NEXT, source)
        try:
            status, _, body = wire.answer()
            assert status == 200, (status, body)
            return json.loads(body)["data"]["head"]
        except (ConnectionError, ValueError):
            continue
        finally:
            wire.close()
    raise AssertionError("a newcomer was not served")


def read_to_the_end(wire):
    """All that comes until the server closes; what was lost with a reset is not missed."""
    got = b""
    try:
        while part := wire.socket.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


class Abuse(Served):
    settings = {"REQUEST_TIMEOUT": "2", "HTTP_THREADS": "64"}

    def assert_ended(self, name, got):
        """One refusal was answered, and nothing more."""
        statuses = re.findall(rb"^HTTP/1\.1 (\d+) ", got, re.MULTILINE)
        self.assertEqual(len(statuses), 1, (name, got))
        self.assertRegex(statuses[0], rb"^(4\d\d|501|505)$", name)
        head, _, body = got.partition(b"\r\n\r\n")
        self.assertIn(b"\r\nConnection: close", head, name)
        self.assertEqual(json.loads(body)["response"]["status"], int(statuses[0]))

    def test_each_is_refused_or_closed_while_others_are_served(self):
        head = head_of_log(self.server.port)
        wires = {name: Wire(self.server.port) for name in ABUSES}
        self.addCleanup(lambda: [wire.close() for wire in wires.values()])
        for name, data in ABUSES.items():
            try:
                wires[name].send(data.encode("latin-1"))
            except (BrokenPipeError, ConnectionResetError):
                pass  # closed before all was sent
        for name, wire in wires.items():
            self.assertEqual(head_of_log(self.server.port), head)
            self.assert_ended(name, read_to_the_end(wire))
        self.assertEqual(head_of_log(self.server.port), head)

    def test_paths_lead_nowhere_else(self):
        for path in PATHS:
            status, _, body, _ = exchange(
                self.server.port, f"GET {path} HTTP/1.1\r\n{HOST}\r\n")
            self.assertIn(status, (400, 404), path)
            self.assertIsNone(json.loads(body)["data"])

    def test_who_leaves_in_the_middle_harms_nobody(self):
        head = head_of_log(self.server.port)
        for reset in (False, True):
            for data in ABUSES.values():
                wire = Wire(self.server.port)
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       b"\1\0\0\0\0\0\0\0" if reset else bytes(8))
                try:
                    wire.send(data.encode("latin-1")[:1000])
                except (BrokenPipeError, ConnectionResetError):
                    pass
                wire.close()
        self.assertEqual(head_of_log(self.server.port), head)


class Bounds(Served):
    """At the bound it is taken, and one more is not; as the document tells."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        told = cls.client.get("/openapi.json").json["info"]["description"]
        said = re.search(r"([\d,]+) bytes of request line and headers together "
                         r"\(414 where it is the line, else 431\), "
                         r"([\d,]+) headers \(431\), ([\d,]+) bytes of a body, "
                         r"([\d,]+) bytes and ([\d,]+) items of a batch \(413\)", told)
        cls.head, cls.headers, cls.body, cls.batch, cls.items = (
            int(number.replace(",", "")) for number in said.groups())

    def asked(self, data):
        return exchange(self.server.port, data)[0]

    def test_of_the_head(self):
        for path in ("/health", "/nothing?" + "x" * 8000):
            fits = f"GET {path} HTTP/1.1\r\n{HOST}X: "
            fits += "x" * (self.head - len(fits) - 4)
            self.assertIn(self.asked(fits + "\r\n\r\n"), (200, 404))
            self.assertEqual(self.asked(fits + "x\r\n\r\n"), 431)
        line = "GET /health?x="
        self.assertEqual(self.asked(line.ljust(self.head + 1, "x")), 414)

    def test_of_headers(self):
        fits = GET + "".join(f"X-{n}: y\r\n" for n in range(self.headers - 1))
        self.assertEqual(self.asked(fits + "\r\n"), 200)
        self.assertEqual(self.asked(fits + "X: y\r\n\r\n"), 431)

    def test_of_a_body(self):
        fits = json.dumps(person()).ljust(self.body)
        self.assertEqual(self.client.post("/persons", fits).status, 201)
        self.assert_refused(self.client.post("/persons", fits + " "), 413, str(self.body))

    def test_of_a_batch(self):
        kate = self.created()["id"]
        fits = json.dumps([{"event_type": "click", "person_id": kate}]).ljust(self.batch)
        self.assertEqual(self.client.post("/events/batch", fits).status, 200)
        self.assert_refused(self.client.post("/events/batch", fits + " "), 413,
                            str(self.batch))

    def test_of_the_items_of_a_batch(self):
        kate = self.created()["id"]
        line = json.dumps({"event_type": "click", "person_id": kate}) + "\n"
        for count, status in ((self.items, 200), (self.items + 1, 413)):
            answer = self.client.post("/events/batch", line * count,
                                      Content_Type="application/x-ndjson")
            self.assertEqual(answer.status, status)
        self.assert_refused(answer, 413, f"{self.items}")


class Crowd(Served):
    """Each thread is another's, who has all the time there is; and yet one of another
    address is served."""
    settings = {"REQUEST_TIMEOUT": "600", "HTTP_THREADS": "8"}
    MANY = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kate = cls.client.post("/persons", person()).data["id"]
        answer = cls.client.post("/events/batch", [
            {"event_type": "click", "person_id": kate, "properties": {"text": "x" * 60000}}
            for _ in range(120)])
        assert answer.status == 200, answer.body
        cls.client.close()  # so that it has no thread

    def crowd(self, data, drip):
        """Many connections that send this, and then a byte now and then."""
        wires = [self.quiet_wire() for _ in range(self.MANY)]
        stop = threading.Event()
        for wire in wires:
            wire.sendall(data.encode())
        dripping = threading.Thread(target=self.drip, args=(wires, drip, stop))
        dripping.start()

        def end():
            stop.set()
            dripping.join()
            for wire in wires:
                wire.close()
        self.addCleanup(end)
        return wires

    def quiet_wire(self):
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.connect(("127.0.0.1", self.server.port))
        return wire

    @staticmethod
    def drip(wires, drip, stop):
        while not stop.wait(0.1):
            for wire in wires:
                try:
                    wire.send(drip, socket.MSG_DONTWAIT)
                except OSError:
                    pass  # this one has been ended

    def assert_others_are_served(self):
        """Within the patience, which is shorter than what the crowd has."""
        for _ in range(10):
            head_of_log(self.server.port, "127.0.0.2")

    def test_of_idle_connections(self):
        self.crowd("", b"")
        self.assert_others_are_served()

    def test_of_dripped_heads(self):
        self.crowd(GET + "X-Slow: ", b"x")
        self.assert_others_are_served()

    def test_of_dripped_bodies(self):
        self.crowd(POST + "Content-Length: 100000\r\n\r\n{", b" ")
        self.assert_others_are_served()

    def test_of_answers_that_nobody_reads(self):
        self.crowd(f"GET /log HTTP/1.1\r\n{HOST}\r\n", b"")
        self.assert_others_are_served()

    def test_of_connections_that_ask_once(self):
        self.crowd(NEXT, b"")
        self.assert_others_are_served()

    def test_who_is_too_many_is_told_to_come_again(self):
        """All threads have bodies that come and come; behind them wait whole requests of
        the same address, and then one of another."""
        self.MANY = 8
        self.crowd(POST + "Content-Length: 100000\r\n\r\n{", b" ")
        more = [prompt_wire(self.server.port, NEXT) for _ in range(4)]
        self.assert_others_are_served()
        for wire in more:
            status, headers, body = wire.answer()
            self.assertEqual((status, headers["connection"]), (503, "close"))
            self.assertGreater(int(headers["retry-after"]), 0)
            self.assertIn("from this address", json.loads(body)["response"]["details"])
            self.assertTrue(wire.ended())
            wire.close()


class Alone(Served):
    """An address that all come from, as those of a proxy do, is not held back."""
    settings = {"REQUEST_TIMEOUT": "600", "HTTP_THREADS": "8"}

    def test_an_address_has_all_threads_while_nobody_else_waits(self):
        wires = [prompt_wire(self.server.port, NEXT) for _ in range(40)]
        waiting = {wire.socket: wire for wire in wires}
        deadline = time.monotonic() + PATIENCE
        while waiting and time.monotonic() < deadline:
            for ready in select.select(list(waiting), [], [], 1)[0]:
                self.assertEqual(waiting.pop(ready).answer()[0], 200)
        self.assertEqual(len(waiting), 0)
        for wire in wires:
            wire.close()


class FewFiles(unittest.TestCase):
    """More connections than the server may have files: the rest wait outside."""

    def test_others_are_served(self):
        server = Server(env={"REQUEST_TIMEOUT": "600", "HTTP_THREADS": "8"})
        self.addCleanup(server.close)
        server.program = ["prlimit", "--nofile=200:200", "--", *server.program]
        server.start()
        for _ in range(400):
            one = socket.socket()
            self.addCleanup(one.close)
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", server.port))
        for _ in range(10):
            head_of_log(server.port, "127.0.0.2")


if __name__ == "__main__":
    unittest.main()
