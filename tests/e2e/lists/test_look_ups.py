"""Look-ups by id: of events in the log, of persons together in one statement."""

import json
import random
import re
import signal
import socket
import struct
import threading
import unittest

from harness import Server
from served import Served, new_id, person
from tables import Locked, query
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


class Together(Served):
    """Persons and their events, on connections that stay: several are read at once."""
    settings = {"HTTP_THREADS": "64"}

    def setUp(self):
        self.persons = [self.created() for _ in range(12)]
        for one in self.persons:
            one["events"] += [self.recorded(one["id"], f"type{n}", properties={"n": n})
                              for n in range(5)]
        self.client.get(f"/persons/{self.persons[-1]['id']}")

    def test_each_gets_its_own_person_and_list(self):
        wires = [Wire(self.server.port) for _ in self.persons]
        for round_ in range(30):
            shift = self.persons[round_ % 12:] + self.persons[:round_ % 12]
            for n, (wire, one) in enumerate(zip(wires, shift)):
                wire.send(get(f"/persons/{one['id']}" if (n + round_) % 3 else
                              f"/events?person_id={one['id']}"))
            for n, (wire, one) in enumerate(zip(wires, shift)):
                status, _, body = wire.answer()
                expected = one if (n + round_) % 3 else one["events"]
                self.assertEqual((status, json.loads(body)["data"]), (200, expected))
        for wire in wires:
            wire.close()

    def test_each_sees_what_was_written_before_it(self):
        wires = [Wire(self.server.port) for _ in self.persons]
        for n in range(30):
            for one in self.persons:
                one["events"].append(self.recorded(one["id"], f"later{n}"))
            for wire, one in zip(wires, self.persons):
                wire.send(get(f"/persons/{one['id']}"))
            for wire, one in zip(wires, self.persons):
                self.assertEqual(json.loads(wire.answer()[2])["data"], one)
            for _ in range(3):
                for wire, one in zip(wires, self.persons):
                    wire.send(get(f"/events?person_id={one['id']}"))
                for wire, one in zip(wires, self.persons):
                    self.assertEqual(json.loads(wire.answer()[2])["data"], one["events"])
        gone = self.persons[0]["id"]
        self.client.delete(f"/persons/{gone}")
        for path in (f"/persons/{gone}", f"/events?person_id={gone}"):
            for wire in wires:
                wire.send(get(path))
            for wire in wires:
                self.assertEqual(wire.answer()[0], 404 if "persons/" in path else 200)
        for wire in wires:
            wire.close()


class FromTheLog(Served):
    """Events are looked up in the log: whatever becomes of the tables."""

    def path(self, event):
        return "/events/" + event["id"]

    def test_it_reads_the_same_as_in_lists(self):
        kate, chance = self.created()["id"], random.Random(1)
        events = [self.recorded(kate, properties={"x": 1})]
        for text in spellings() + [spelling(chance) for _ in range(100)]:
            body = f'{{"event_type": "a", "person_id": "{kate}", "properties": {text}}}'
            answer = self.client.post("/events", body)
            self.assertEqual(answer.status, 201, (text, answer.body))
            events.append(answer.data)
        for event in events:
            one = self.client.get(self.path(event))
            before = int(one.headers["ETag"].strip('"')) - 1
            listed = self.client.get(f"/events?limit=1&after={before}")
            self.assertEqual(listed.data, [one.data])
            self.assertEqual(listed.body.replace(b'"data":[', b'"data":', 1)
                             .replace(b'],"response":', b',"response":', 1), one.body)

    def test_it_is_read_at_once_while_the_tables_stand_still(self):
        kate = self.created()["id"]
        self.client.get(f"/persons/{kate}")
        for table in ("event", "checkpoint"):
            with Locked(self.server, table):
                made = self.client.post("/events", {"event_type": "a", "person_id": kate})
                read = self.client.get(self.path(made.data), Prefer="wait=60")
                self.assertEqual((read.status, read.data), (200, made.data))
                self.assertEqual(int(read.headers["Daybook-Projected-Sequence"]),
                                 made.sequence)

    def test_a_deleted_one_is_gone(self):
        event = self.recorded(self.created()["id"])
        with Locked(self.server, "checkpoint"):
            self.client.delete(self.path(event))
            self.assert_refused(self.client.get(self.path(event)), 404, "no event")

    def test_a_deleted_persons_is_gone(self):
        kate = self.created()["id"]
        event = self.recorded(kate)
        with Locked(self.server, "checkpoint"):
            self.client.delete(f"/persons/{kate}")
            self.assert_refused(self.client.get(self.path(event)), 404, "no event")


def spellings():
    """What jsonb forgets."""
    return [
        '{}', '{ "b":1 ,\n"a" : [ ] }', '{"bb":1,"a":2,"":3,"c":4}',
        '{"\\u0061":1,"b":{"y":{},"x":[{"2":1,"1":2}]}}',
        '{"a":[0,-0,-0.0,1e3,1.50E+1,1e-7,0.001e5,0e9,-12.50,1e308,1e-308,0.0e-2]}',
        '{"a":[9223372036854775808,18446744073709551616,1e21,5e-324,-1e+0000023]}',
        '{"a":[1.7976931348623157e308,4.9406564584124654e-324,0e300,0e-300,1e-999]}',
        '{"a":[1.' + 999 * '7' + ',' + 308 * '9' + '.5,0.' + 999 * '3' + ']}',
        '{"a":[9223372036854775807,-9223372036854775808,0.1,100e-2,1.25e1]}',
        r'{"a":"\/\b\f\n\r\t\u001f\u007f\"\\","\u00e9":"\ud83d\ude00é%s"}' % "\x7f",
    ]


def spelling(chance, depth=0):
    """JSON of any shape."""
    space = chance.choice(["", "", " ", "\n "])
    kind = chance.randrange(6 if depth < 5 else 4) if depth else 5
    if kind == 0:
        return chance.choice(["true", "false", "null"])
    if kind == 1:
        return str(chance.randint(-10 ** chance.randint(0, 18), 10 ** 18))
    if kind == 2:
        return f"{chance.choice(['', '-'])}{chance.choice(['0', '7', '120'])}" \
            f"{chance.choice(['', '.0', '.50', '.007'])}" \
            f"{chance.choice(['', 'e0', 'E3', 'e+12', 'e-5', 'e-1'])}"
    if kind == 3:
        return text(chance)
    inner = [spelling(chance, depth + 1) for _ in range(chance.randint(0, 5))]
    if kind == 4:
        return "[" + space + f"{space},{space}".join(inner) + space + "]"
    keys = {json.loads(key): key for key in (text(chance) for _ in inner)}
    return "{" + space + f"{space},".join(
        f"{key}{space}:{space}{value}" for key, value in zip(keys.values(), inner)) + "}"


def text(chance):
    """A string, some of it in escapes."""
    return '"' + "".join(
        chance.choice(["a", "b", "Z", "é", "\x7f", "\U0001f600", "\\n", "\\/", "\\u0062",
                       "\\u00e9", "\\u0001", '\\"', "\\\\", "\\ud83d\\ude00"])
        for _ in range(chance.randint(0, 6))) + '"'


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
        kate = self.created()
        text = get(f"/persons/{kate['id']}")
        self.client.get(f"/persons/{kate['id']}")
        with Locked(self.server, "person"):
            wires = self.asking(8, text + get("/health"))
            for wire in wires:
                status, headers, body = wire.answer()
                self.assertEqual(status, 503, body)
                self.assertIn("retry-after", headers)
                self.assertEqual(headers["connection"], "keep-alive")
                self.assertEqual(wire.answer()[0], 200)
        for wire in wires:
            wire.send(text)
            self.assertEqual(json.loads(wire.answer()[2])["data"], kate)


class Stopped(unittest.TestCase):
    def test_a_stop_waits_for_those_under_way(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        server.wait_for(
            lambda: client.get("/health").data["projection"] == "following", "following")
        kate = client.post("/persons", person()).data
        client.get(f"/persons/{kate['id']}")
        client.close()
        with Locked(server, "person"):
            wires = [Wire(server.port) for _ in range(5)]
            for wire in wires:
                wire.send(get(f"/persons/{kate['id']}"))
                server.wait_for(lambda: waiting(server) > 0, "look-ups that wait")
            server.process.send_signal(signal.SIGTERM)
            server.wait_for(lambda: refused(server.port), "the stop")
        for wire in wires:
            status, headers, body = wire.answer()
            self.assertEqual(headers["connection"], "close")
            self.assertEqual((status, json.loads(body)["data"]), (200, kate))
            self.assertTrue(wire.ended())
            wire.close()
        self.assertEqual(server.process.wait(60), 0)
        server.process = None


def refused(port):
    """Whether a newcomer is told that the server is stopping. By what is no probe: those tell
    of tables that are late, too, as they are behind a lock."""
    wire = Wire(port)
    wire.send(get("/log"))
    status, _, body = wire.answer()
    wire.close()
    return status == 503 and b"stopping" in body


def waiting(server):
    """How many statements of this server wait for a lock."""
    return int(query(server, "select count(*) from pg_locks join pg_stat_activity "
                             "using (pid) where not granted and application_name "
                             f"= 'daybook read' and relation = '{server.env['DB_SCHEMA']}"
                             ".person'::regclass"))


if __name__ == "__main__":
    unittest.main()
