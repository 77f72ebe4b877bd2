"""gzip and zstd, of what is sent and of what is answered."""

import ctypes
import gzip
import json
import unittest
import zlib

from served import Served, new_id, person
from wire import Wire

ZSTD = ctypes.CDLL("libzstd.so.1")  # the program has it, too
ZSTD.ZSTD_compressBound.restype = ZSTD.ZSTD_compress.restype = ctypes.c_size_t
ZSTD.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
ZSTD.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                               ctypes.c_size_t, ctypes.c_int]
ZSTD.ZSTD_createDStream.restype = ctypes.c_void_p
ZSTD.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
ZSTD.ZSTD_decompressStream.restype = ctypes.c_size_t


class Piece(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]


ZSTD.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.POINTER(Piece),
                                       ctypes.POINTER(Piece)]


def zstd(data):
    room = ctypes.create_string_buffer(ZSTD.ZSTD_compressBound(len(data)))
    length = ZSTD.ZSTD_compress(room, len(room), data, len(data), 3)
    return room.raw[:length]


def unzstd(data):
    """All of one frame, and nothing behind it."""
    stream, room = ZSTD.ZSTD_createDStream(), ctypes.create_string_buffer(1 << 17)
    source, whole, left = ctypes.create_string_buffer(data, len(data)), b"", 1
    piece = Piece(ctypes.cast(source, ctypes.c_void_p), len(data), 0)
    while left:
        out = Piece(ctypes.cast(room, ctypes.c_void_p), len(room), 0)
        left = ZSTD.ZSTD_decompressStream(stream, ctypes.byref(out), ctypes.byref(piece))
        assert left < 1 << 60, "damaged"
        assert left == 0 or out.at or piece.at < piece.size, "cut off"
        whole += room.raw[:out.at]
    assert piece.at == piece.size
    ZSTD.ZSTD_freeDStream(stream)
    return whole


CODE = {"gzip": gzip.compress, "x-gzip": gzip.compress, "zstd": zstd, "identity": bytes,
        "X-GZIP": gzip.compress, "identity, zstd": zstd}
UNCODE = {"gzip": gzip.decompress, "zstd": unzstd, None: bytes}


class Sent(Served):
    def send(self, method, path, body, coding, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.request(method, path, CODE[coding](body),
                                   {"Content-Encoding": coding, **headers})

    def test_every_route_takes_them(self):
        for coding in CODE:
            with self.subTest(coding):
                kate = self.send("POST", "/persons", person(), coding)
                self.assert_ok(kate, 201)
                path = "/persons/" + kate.data["id"]
                event = {"event_type": "click", "person_id": kate.data["id"],
                         "properties": {"text": "\u00fc" * 3000}}
                made = self.send("POST", "/events", event, coding)
                self.assert_ok(made, 201)
                self.assertEqual(made.data["properties"], event["properties"])
                self.assert_ok(self.send("POST", "/events/" + new_id(), event, coding), 201)
                batch = self.send("POST", "/events/batch", [event] * 30, coding)
                self.assertEqual((batch.status, len(batch.data)), (200, 30))
                lines = b"\n".join([json.dumps(event).encode()] * 30)
                self.assertEqual(self.send("POST", "/events/batch", lines, coding,
                                           **{"Content-Type": "application/x-ndjson"}).status,
                                 200)
                self.assert_ok(self.send("PATCH", path, {"first_name": "Kitty"}, coding))
                self.assert_ok(self.send("PUT", path, person(), coding))
                self.assert_ok(self.send("DELETE", "/events/" + made.data["id"], {
                    "id": made.data["id"], "person_id": kate.data["id"]}, coding))

    def test_so_does_a_chunked_body_in_any_pieces(self):
        for coding in "gzip", "zstd":
            body = CODE[coding](json.dumps(person()).encode())
            for size in (1, 7, len(body)):
                wire = Wire(self.server.port)
                wire.send("POST /persons HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
                          f"Content-Encoding: {coding}\r\n\r\n")
                for at in range(0, len(body), size):
                    part = body[at:at + size]
                    wire.send(b"%x\r\n%s\r\n" % (len(part), part))
                wire.send("0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(wire.answer()[0], (201, 409))
                self.assertEqual(wire.answer()[0], 200)
                wire.close()

    def test_others_and_several_are_not_taken(self):
        for coding in "br", "deflate", "gzip, zstd", "gzip, gzip", "x-zstd":
            answer = self.client.request("POST", "/persons", b"{}",
                                         {"Content-Encoding": coding})
            self.assert_refused(answer, 415, "Content-Encoding")
            self.assertEqual(answer.headers["Accept-Encoding"], "zstd, gzip")
            self.assertEqual(answer.json["response"]["type"],
                             "/docs/errors.md#unsupported-encoding")
            self.client.close()

    def test_what_comes_out_is_bounded(self):
        for coding in "gzip", "zstd":
            for path, bound in ("/persons", 1 << 20), ("/events/batch", 8 << 20):
                fits = json.dumps(person() if path == "/persons" else [{
                    "event_type": "click", "person_id": self.created()["id"]}])
                answer = self.send("POST", path, fits.ljust(bound).encode(), coding)
                self.assertIn(answer.status, (200, 201), answer.body)
                for bomb in fits.ljust(bound + 1).encode(), bytes(5 * bound):
                    answer = self.client.request("POST", path, CODE[coding](bomb),
                                                 {"Content-Encoding": coding})
                    self.assert_refused(answer, 413, str(bound))
                    self.client.close()

    def test_what_is_cut_or_damaged_is_told(self):
        for coding in "gzip", "zstd":
            whole = CODE[coding](json.dumps({**person(), "last_name": new_id()}).encode())
            for body, saying in ((whole[:-1], "ends before"), (whole[:9], "ends before"),
                                 (whole + b"x", ""), (b"{}" * 40, "damaged"),
                                 (whole[:20] + b"xyz" + whole[23:], "")):
                answer = self.client.request("POST", "/persons", body,
                                             {"Content-Encoding": coding})
                self.assert_refused(answer, 400, saying)
                self.client.close()

    def test_a_key_is_about_the_body_without_its_coding(self):
        body = json.dumps(person()).encode()
        key = {"Idempotency-Key": new_id()}
        first = self.send("POST", "/persons", body, "gzip", **key)
        again = self.send("POST", "/persons", body, "zstd", **key)
        self.assertEqual((first.status, again.status), (201, 201))
        self.assertEqual(again.data["id"], first.data["id"])


class Answered(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kate = cls.client.post("/persons", person()).data["id"]
        cls.client.post("/events/batch", [
            {"event_type": "click", "person_id": cls.kate,
             "properties": {"page": f"/{n}", "text": "lorem ipsum " * 40}}
            for n in range(2500)])

    def get(self, path, accept, method="GET", **headers):
        answer = self.client.request(method, path, None, {
            "Accept-Encoding": accept, **headers})
        answer.coding = answer.headers["Content-Encoding"]
        return answer

    def assert_varies(self, answer):
        self.assertIn("Accept-Encoding", answer.headers.get_all("Vary") or [])

    def test_it_is_what_it_is_without(self):
        for path in ("/persons/" + self.kate, "/events?limit=10", "/events?limit=2500", "/log",
                     "/log?limit=3", "/openapi.json", "/", "/docs/routes.html",
                     "/log?limit=2500"):
            plain = self.get(path, "identity")
            self.assertEqual((plain.status, plain.coding), (200, None))
            self.assert_varies(plain)
            for coding in "gzip", "zstd":
                with self.subTest(path + " " + coding):
                    coded = self.get(path, coding)
                    self.assertEqual((coded.status, coded.coding), (200, coding))
                    self.assert_varies(coded)
                    self.assertEqual(UNCODE[coding](coded.body), plain.body)
                    self.assertLess(len(coded.body), len(plain.body) * 0.8)
                    head = self.get(path, coding, "HEAD")
                    for name in ("Content-Encoding", "Content-Length", "ETag", "Vary"):
                        self.assertEqual(head.headers[name], coded.headers[name], name)

    def test_what_is_liked_best_is_taken(self):
        path = "/persons/" + self.kate
        for accept, coding in (
                ("gzip, deflate, br, zstd", "zstd"), ("gzip;q=1, zstd;q=0.1", "gzip"),
                ("*", "zstd"), ("zstd;q=0, *;q=0.1", "gzip"), ("br", None), ("", None),
                ("gzip;q=0.1, identity", None), ("gzip;q=0", None), ("x-gzip", "gzip")):
            self.assertEqual(self.get(path, accept).coding, coding, accept)

    def test_little_is_left_as_it_is_unless_that_is_refused(self):
        for accept, coding in ("gzip", None), ("gzip, identity;q=0", "gzip"), \
                ("zstd, *;q=0", "zstd"), ("identity;q=0", None):
            answer = self.get("/health", accept)
            self.assertEqual((answer.status, answer.coding), (200, coding), accept)
            self.assertEqual(json.loads(UNCODE[coding](answer.body))["response"]["status"], 200)
        self.assertIsNone(self.get("/docs/favicon-32x32.png", "gzip").coding)

    def test_errors_and_writes_too(self):
        many = "&".join(f"{n:08}=x" for n in range(16))
        answer = self.get("/events?" + many, "gzip")
        self.assertEqual((answer.status, answer.coding), (400, "gzip"))
        self.assertEqual(len(json.loads(gzip.decompress(answer.body))["response"]["errors"]), 16)
        answer = self.client.request("POST", "/events", json.dumps({
            "event_type": "click", "person_id": self.kate,
            "properties": {"text": "x" * 5000}}), {"Accept-Encoding": "zstd"})
        self.assertEqual((answer.status, answer.headers["Content-Encoding"]), (201, "zstd"))
        self.assertEqual(json.loads(unzstd(answer.body))["data"]["event_type"], "click")

    def test_tags_are_of_the_coding_and_work_all_the_same(self):
        path = "/persons/" + self.kate
        tags = {coding: self.get(path, coding or "identity").headers["ETag"]
                for coding in UNCODE}
        self.assertEqual(tags["gzip"], tags[None][:-1] + '-gzip"')
        self.assertEqual(tags["zstd"], tags[None][:-1] + '-zstd"')
        for coding, tag in tags.items():
            same = self.get(path, coding or "identity", **{"If-None-Match": tag})
            self.assertEqual((same.status, same.body, same.headers["ETag"]), (304, b"", tag))
            self.assertIsNone(same.coding)
            self.assert_varies(same)
            self.assertEqual(self.get(path, "br", **{"If-None-Match": tag}).status, 304)
            self.assert_ok(self.client.patch(path, {}, If_Match=tag))
            self.assert_refused(self.client.patch(path, {}, If_None_Match=tag), 412)
        event = self.client.post("/events", {
            "event_type": "click", "person_id": self.kate,
            "properties": {"text": "y" * 5000}}).data["id"]
        tag = self.get("/events/" + event, "gzip").headers["ETag"]
        self.assertTrue(tag.endswith('-gzip"'))
        self.assert_ok(self.client.delete("/events/" + event, If_Match=tag))

    def test_a_stream_can_be_read_as_it_comes(self):
        wire = Wire(self.server.port)
        wire.send("GET /log?limit=2500 HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
        whole = wire.stream.read()
        head, _, body = whole.partition(b"\r\n\r\n")
        self.assertIn(b"Content-Encoding: gzip", head)
        begin = zlib.decompressobj(31).decompress(body[:len(body) // 2])
        self.assertTrue(begin.startswith(b'{"data":[{"'))
        self.assertEqual(len(json.loads(gzip.decompress(body))["data"]), 2500)
        wire.close()


if __name__ == "__main__":
    unittest.main()
