"""Look-ups by id that are answered together, by another thread than their own."""

import json
import os
import re
import signal
import socket
import struct
import threading
import unittest

from harness import PATIENCE
from served import Served, new_id, person
from tables import Locked, query
from test_access import new_server
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

    def test_large_ones_in_a_pipeline_are_whole(self):
        kate = self.created()["id"]
        event = self.recorded(kate, properties={"text": "x" * 65500})
        wire = Wire(self.server.port)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.send(get(f"/events/{event['id']}") * 4)
        for _ in range(4):
            status, headers, body = wire.answer()
            self.assertGreater(len(body), 64 << 10)
            self.assertEqual((status, json.loads(body)["data"]), (200, event))
            self.assertEqual(headers["connection"], "keep-alive")
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


class Late(Served):
    """Look-ups that PostgreSQL does not answer, for their table is locked."""
    settings = {"QUERY_TIMEOUT": "1", "HTTP_THREADS": "16"}

    def asking(self, count, text):
        wires = [Wire(self.server.port) for _ in range(count)]
        for wire in wires:
            wire.send(text)
            self.addCleanup(wire.close)
        return wires

    def test_each_is_told_and_its_connection_lives_on(self):
        kate = self.created()["id"]
        event = self.recorded(kate)
        text = get(f"/events/{event['id']}")
        with Locked(self.server, "event"):
            wires = self.asking(8, text + get("/health"))
            for wire in wires:
                status, headers, body = wire.answer()
                self.assertEqual(status, 503, body)
                self.assertIn("retry-after", headers)
                self.assertEqual(headers["connection"], "keep-alive")
                self.assertEqual(wire.answer()[0], 200)
        for wire in wires:
            wire.send(text)
            self.assertEqual(json.loads(wire.answer()[2])["data"], event)

    def test_who_closes_its_side_is_answered(self):
        event = self.recorded(self.created()["id"])
        with Locked(self.server, "event"):
            wires = self.asking(8, get(f"/events/{event['id']}"))
            for wire in wires:
                wire.socket.shutdown(socket.SHUT_WR)
        for wire in wires:
            self.assertIn(wire.answer()[0], (200, 503))
            self.assertTrue(wire.ended())


class Stopped(unittest.TestCase):
    def test_a_stop_waits_for_those_under_way(self):
        server = new_server(self).start()
        client = server.client()
        server.wait_for(
            lambda: client.get("/health").data["projection"] == "following", "following")
        kate = client.post("/persons", person()).data["id"]
        event = client.post("/events", {"event_type": "a", "person_id": kate}).data
        client.get(f"/events/{event['id']}")
        client.close()
        with Locked(server, "event"):
            wires = [Wire(server.port) for _ in range(5)]
            for wire in wires:
                wire.send(get(f"/events/{event['id']}"))
                server.wait_for(lambda: waiting(server) > 0, "look-ups that wait")
            server.process.send_signal(signal.SIGTERM)
            server.wait_for(lambda: refused(server.port), "the stop")
        for wire in wires:
            status, headers, body = wire.answer()
            self.assertEqual(headers["connection"], "close")
            self.assertEqual((status, json.loads(body)["data"]), (200, event))
            self.assertTrue(wire.ended())
            wire.close()
        self.assertEqual(server.process.wait(60), 0)
        server.process = None


def refused(port):
    """Whether a newcomer is told that the server is stopping."""
    wire = Wire(port)
    wire.send(get("/health"))
    status = wire.answer()[0]
    wire.close()
    return status == 503


def waiting(server):
    """How many statements of this server wait for a lock."""
    return int(query(server, "select count(*) from pg_locks join pg_stat_activity "
                             "using (pid) where not granted and application_name "
                             f"= 'daybook read' and relation = '{server.env['DB_SCHEMA']}"
                             ".event'::regclass"))


class TwoAddresses(unittest.TestCase):
    """One peer, from one port, at two addresses of the server: civetweb tells neither
    apart."""

    def test_each_connection_gets_its_own_answer(self):
        server = new_server(self)
        token = server.run("token", "create", "all", "--scope", "admin").stdout.split()[-1]
        server.flags = ["--host", "0.0.0.0"]
        server.start()
        auth = {"Authorization": f"Bearer {token}"}
        client = server.client()
        server.wait_for(lambda: client.request("GET", "/events", None, auth).status == 200,
                        "reads")
        kate = client.request("POST", "/persons", person(), auth).data["id"]
        events = [client.request("POST", "/events",
                                 {"event_type": f"type{n}", "person_id": kate}, auth).data
                  for n in range(2)]
        first = Wire.of(self.connected("127.0.0.1", server.port, 0))
        second = Wire.of(self.connected("127.0.0.2", server.port,
                                        first.socket.getsockname()[1]))
        for wire, event in ((first, events[0]), (second, events[1])):
            for _ in range(3):
                wire.send(get(f"/events/{event['id']}", f"Authorization: Bearer {token}\r\n"))
                self.assertEqual(json.loads(wire.answer()[2])["data"], event)

    def connected(self, address, port, own_port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(PATIENCE)
        sock.bind(("127.0.0.1", own_port))
        sock.connect((address, port))
        self.addCleanup(sock.close)
        return sock


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
