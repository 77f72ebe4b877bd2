"""Look-ups by id that are answered together, by another thread than their own."""

import json
import os
import re
import socket
import struct
import threading
import unittest

from served import Served, new_id
from wire import Wire

HOST = "Host: localhost\r\n"


def get(path, headers="", method="GET"):
    return f"{method} {path} HTTP/1.1\r\n{HOST}{headers}\r\n"


class LookUps(Served):
    settings = {"HTTP_THREADS": "64"}

    def events(self, count):
        kate = self.created()["id"]
        return [self.recorded(kate, f"type{n}", properties={"n": n})
                for n in range(count)]

    def test_many_at_once_each_get_their_own(self):
        events, wrong = self.events(40), []

        def ask(event):
            client = self.server.client()
            for _ in range(100):
                answer = client.get(f"/events/{event['id']}")
                if (answer.status, answer.data) != (200, event):
                    wrong.append((event, answer.status, answer.body))
            client.close()

        threads = [threading.Thread(target=ask, args=(event,)) for event in events]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_pipeline_is_answered_in_order(self):
        events = self.events(8)
        wire = Wire(self.server.port)
        for round_ in range(20):
            asked = "".join(
                get(f"/events/{event['id']}", f"X-Request-Id: {round_}.{event['id']}\r\n")
                + get(f"/events/{new_id()}") + get(f"/events/{event['id']}", method="HEAD")
                + get("/health") for event in events)
            wire.send(asked)
            for event in events:
                status, headers, body = wire.answer()
                self.assertEqual((status, json.loads(body)["data"]), (200, event))
                self.assertEqual(headers["x-request-id"], f"{round_}.{event['id']}")
                self.assertEqual(headers["connection"], "keep-alive")
                self.assertEqual(wire.answer()[0], 404)
                status, headers, _ = wire.answer(head=True)
                self.assertEqual(status, 200)
                self.assertEqual(int(headers["content-length"]), len(body))
                self.assertEqual(wire.answer()[0], 200)
        wire.close()

    def test_what_asks_for_more_than_a_body_is_given_it(self):
        event = self.events(1)[0]
        path = f"/events/{event['id']}"
        tag = self.client.get(path).headers["ETag"]
        self.assertEqual(self.client.get(path, If_None_Match=tag).status, 304)
        self.assertEqual(self.client.get(path, If_None_Match='"0"').status, 200)
        wire = Wire(self.server.port)
        wire.send(get(path) + get(path, "Connection: close\r\n") + get("/health"))
        self.assertEqual(wire.answer()[0], 200)
        self.assertEqual(wire.answer()[1]["connection"], "close")
        self.assertTrue(wire.ended())
        wire.close()

    def test_who_leaves_before_the_answer_harms_nobody(self):
        event = self.events(1)[0]
        at_once = struct.pack("ii", 1, 0)  # a reset, not an end
        for n in range(200):
            leaving = socket.create_connection(("127.0.0.1", self.server.port))
            leaving.sendall((get(f"/events/{event['id']}") * (n % 3 + 1)).encode())
            if n % 2:
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            leaving.close()
        self.assertEqual(self.client.get(f"/events/{event['id']}").data, event)

    def test_each_has_its_line_in_the_log(self):
        event = self.events(1)[0]
        for n in range(10):
            self.client.get(f"/events/{event['id']}?", X_Request_Id=f"line-{n}")
            self.client.get(f"/events/{new_id()}", X_Request_Id=f"none-{n}")

        def lines(name):
            return re.findall(rf".*\b{name}-\d\b.*", self.server.told())

        self.server.wait_for(lambda: len(lines("line")) + len(lines("none")) >= 20,
                             "a line each")
        self.assertEqual(len(lines("line")), 10)
        for line in lines("line"):
            self.assertIn(f"path=/events/{event['id']} ", line)
            self.assertIn("status=200", line)
        for line in lines("none"):
            self.assertIn("status=404", line)

    def test_a_large_one_is_whole_and_says_that_it_ends_the_connection(self):
        kate = self.created()["id"]
        event = self.recorded(kate, properties={"text": "x" * 65000, "more": "y" * 400})
        wire = Wire(self.server.port)
        wire.send(get(f"/events/{event['id']}"))
        status, headers, body = wire.answer()
        self.assertEqual((status, json.loads(body)["data"]), (200, event))
        if len(body) > 64 << 10:
            self.assertEqual(headers["connection"], "close")
            self.assertTrue(wire.ended())
        wire.close()

    def test_who_does_not_read_delays_nobody(self):
        """Much more than sockets hold is asked for, and not taken until others were
        served; then it comes, whole and in order."""
        kate = self.created()["id"]
        large = self.recorded(kate, properties={"text": "x" * 60000})
        small = self.recorded(kate)
        wire = Wire(self.server.port)
        wire.send(get(f"/events/{large['id']}") * 200)
        for _ in range(50):
            self.assertEqual(self.client.get(f"/events/{small['id']}").data, small)
        for _ in range(200):
            status, _, body = wire.answer()
            self.assertEqual((status, json.loads(body)["data"]), (200, large))
        wire.close()


class LittleRoom(Served):
    """Sockets that never take a whole answer without waiting (short_send.c)."""

    @classmethod
    def setUpClass(cls):
        options = os.environ.get("ASAN_OPTIONS", "")
        cls.settings = {
            "LD_PRELOAD": os.environ["DAYBOOK_TEST_PRELOAD"],
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0".strip(":")}
        super().setUpClass()

    def test_the_rest_comes_from_its_own_thread(self):
        kate = self.created()["id"]
        event = self.recorded(kate, properties={"text": "x" * 1000})
        for _ in range(10):
            wire = Wire(self.server.port)
            wire.send(get(f"/events/{event['id']}"))
            status, _, body = wire.answer()
            self.assertEqual((status, json.loads(body)["data"]), (200, event))
            self.assertTrue(wire.ended())
            wire.close()
        self.assertEqual(self.client.get("/health").status, 200)


if __name__ == "__main__":
    unittest.main()
