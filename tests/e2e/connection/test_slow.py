"""Clients that take their time: they are cut off, and the others are served meanwhile."""

import json
import socket
import threading
import time
import unittest

from harness import PATIENCE
from served import Served, person
from wire import Wire, exchange

POST = ("POST /persons HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n")


class Slow(Served):
    settings = {"REQUEST_TIMEOUT": "1", "HTTP_THREADS": "8"}

    def drip(self, data, cut_off):
        """Send one byte now and then until the server has had enough."""
        wire = Wire(self.server.port)
        wire.send(data)
        deadline = time.monotonic() + PATIENCE
        wire.socket.settimeout(0.1)
        while time.monotonic() < deadline:
            try:
                wire.send(b" ")
                if wire.socket.recv(4096) == b"":
                    break
            except socket.timeout:
                continue
            except OSError:
                break
        else:
            wire.close()
            return
        cut_off.append(data)
        wire.close()

    def test_dripped_requests_are_cut_off_while_others_are_served(self):
        cut_off = []
        threads = [threading.Thread(target=self.drip, args=(data, cut_off)) for data in
                   (POST, POST, "GET /health HTTP/1.1\r\nX-Slow:", "G")]
        for thread in threads:
            thread.start()
        served = 0
        while any(thread.is_alive() for thread in threads):
            client = self.server.client()
            self.assertEqual(client.post("/persons", person()).status, 201)
            client.close()
            served += 1
        for thread in threads:
            thread.join()
        self.assertEqual(len(cut_off), len(threads))
        self.assertGreater(served, 0)

    def test_a_body_that_is_late_is_told_so(self):
        wire = Wire(self.server.port)
        wire.send(POST + "{")
        self.assertEqual(wire.answer()[0], 408)
        self.assertTrue(wire.ended())
        wire.close()

    def sip(self, stop):
        """Ask for a long answer and take little of it at a time."""
        with socket.socket() as sipping:
            sipping.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sipping.connect(("127.0.0.1", self.server.port))
            sipping.sendall(b"GET /log HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while not stop.wait(0.2):
                if not sipping.recv(1024):
                    return

    def test_answers_that_are_sipped_do_not_hold_a_thread_for_ever(self):
        kate = self.created()["id"]
        answer = self.client.post("/events/batch", [
            {"event_type": "click", "person_id": kate, "properties": {"text": "x" * 60000}}
            for _ in range(120)])
        self.assertEqual(answer.status, 200)
        self.client.close()  # so that every thread is theirs
        stop = threading.Event()
        threads = [threading.Thread(target=self.sip, args=(stop,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)  # they all have their thread now
        try:
            newcomer = self.server.client(timeout=PATIENCE)
            self.assertEqual(newcomer.get("/health").status, 200)
            newcomer.close()
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def test_idle_connections_do_not_starve_a_new_one(self):
        idle = [self.server.client() for _ in range(12)]
        for client in idle[:8]:
            self.assertEqual(client.get("/health").status, 200)
        newcomer = self.server.client(timeout=PATIENCE)
        self.assertEqual(newcomer.get("/health").status, 200)
        for client in (*idle, newcomer):
            client.close()

    def test_busy_connections_do_not_starve_a_new_one(self):
        stop, served = threading.Event(), []

        def keep_busy():
            client = self.server.client()
            while not stop.is_set():
                served.append(client.get("/health").status)
            client.close()

        threads = [threading.Thread(target=keep_busy) for _ in range(10)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                newcomer = self.server.client(timeout=PATIENCE)
                self.assertEqual(newcomer.get("/health").status, 200)
                newcomer.close()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(set(served), {200})


class Budget(Served):
    """Bodies under way have one bound: beyond it large ones are refused unread, and little
    ones are taken all the same."""
    settings = {"BODIES_MAX": "1 MiB"}
    HEAD = ("POST /events/batch HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/json\r\n")

    def setUp(self):
        self.kate = self.created()["id"]
        self.batch = json.dumps([{"event_type": "click", "person_id": self.kate}])
        self.server.wait_for(self.begins, "room, which the test before gives back")
        self.addCleanup(self.under_way.close)

    def begins(self):
        """Alone, a large one is let in."""
        self.under_way = Wire(self.server.port)
        self.under_way.send(self.HEAD + "Content-Length: 2000000\r\nExpect: 100-continue"
                            "\r\n\r\n")
        if self.under_way.answer()[0] == 100:
            return True
        self.under_way.close()
        return False

    def refused(self, rest):
        status, headers, body, closed = exchange(self.server.port, self.HEAD + rest)
        self.assertEqual((status, closed), (503, True), body)
        self.assertRegex(headers["retry-after"], r"^\d+$")
        self.assertIn("large bodies", json.loads(body)["response"]["details"])

    def test_a_large_one_is_refused_unread_until_there_is_room(self):
        for _ in range(3):
            self.refused("Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
        self.refused("Transfer-Encoding: chunked\r\n\r\n40000\r\n" + 0x40000 * " ")
        self.under_way.send(self.batch.ljust(2000000))
        self.assertEqual(self.under_way.answer()[0], 200)
        self.is_taken_soon(100000)
        self.is_taken_soon(3000000)

    def is_taken_soon(self, size):
        """The room is given back a little after the answer."""
        self.server.wait_for(
            lambda: self.client.post("/events/batch", self.batch.ljust(size)).status == 200,
            "room for a large body")

    def test_little_ones_are_taken_meanwhile(self):
        self.recorded(self.kate, properties={"text": "x" * 60000})
        self.assertEqual(self.client.post("/events/batch", self.batch).status, 200)
        self.assert_ok(self.client.patch("/persons/" + self.kate, {"role": "user"}))

    def test_who_leaves_gives_back_what_was_held(self):
        self.under_way.close()
        self.is_taken_soon(100000)


if __name__ == "__main__":
    unittest.main()
