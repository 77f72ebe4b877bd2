"""Killed and stopped under load: what was acknowledged is there, once, and in order."""

import os
import random
import signal
import socket
import threading
import time
import unittest

from fold import check_reads
from harness import PATIENCE, Server
from load import Load, check_marks, check_promises

ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", 10))
SEED = int(os.environ.get("DAYBOOK_SEED", time.time_ns() % 1_000_000))


def log_until(server, records, sequence):
    """Add to records what the log has behind them, until this sequence is among them."""
    client = server.client()
    while len(records) < sequence:
        page = client.get(f"/log?after={len(records)}&limit=10000").data
        assert page, f"the log ends at {len(records)}, and {sequence} was acknowledged"
        records += page
    client.close()


class KilledUnderLoad(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()

    def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(self):
        load, records = Load(self.server, SEED).start(), []
        for _ in range(ROUNDS):
            load.wait_for_answers(self.chance.randint(1, 400))
            time.sleep(self.chance.random() / 20)
            self.server.kill()
            promises = load.promises()
            self.server.start()
            log_until(self.server, records, max(promises.values()))
            check_promises(promises, check_marks(records))
        load.stop()
        whole = self.server.log_records()
        self.assertEqual(whole[:len(records)], records, "a record has changed")
        load.check(whole)
        check_reads(self.server, whole)
        print(f"{ROUNDS} kills, {load.answered} answers, {len(load.unanswered)} records "
              f"in doubt, {len(whole)} in the log")


class Body:
    """A POST /events whose body is sent in two halves, so that the request is under way
    for as long as a test wishes."""

    def __init__(self, port, event):
        body = event.encode()
        self.rest = body[5:]
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.sendall(
            b"POST /events HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        # The server says this once it reads the body: the request is accepted.
        assert self.socket.recv(100).startswith(b"HTTP/1.1 100")
        self.socket.sendall(body[:5])

    def finish(self):
        """Send the rest; the whole answer, to the connection's end."""
        self.socket.sendall(self.rest)
        answer = b""
        while part := self.socket.recv(65536):
            answer += part
        self.socket.close()
        return answer


def tell_to_stop(server, number=signal.SIGTERM):
    """And return once it takes no new requests."""
    server.process.send_signal(number)
    server.wait_for(lambda: "stopping: finishing requests" in server.told(), "the stop")
    server.wait_for(lambda: not takes_requests(server), "the end of new requests")


def takes_requests(server):
    client = server.client()
    try:
        return client.get("/health").status == 200
    except OSError:
        return False
    finally:
        client.close()


class StoppedUnderLoad(unittest.TestCase):
    def setUp(self):
        print(f"DAYBOOK_SEED={SEED}", flush=True)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()

    def ended(self):
        status = self.server.process.wait(PATIENCE)
        self.assertEqual(status, 0, self.server.tail())
        self.server.process = None

    def a_person(self):
        client = self.server.client()
        person = client.post("/persons", {"email": "a@b.test", "first_name": "A",
                                          "last_name": "B"}).data["id"]
        client.close()
        return person

    def test_every_write_is_answered_whole_or_was_never_begun(self):
        marks = {}
        for name, number in ("a", signal.SIGTERM), ("b", signal.SIGINT):
            load = Load(self.server, f"{SEED}{name}", may_refuse=True, retry=False,
                        name=name).start()
            load.wait_for_answers(300)
            self.server.process.send_signal(number)
            self.ended()
            load.stop()
            self.server.start()
            records, earlier = self.server.log_records(), marks
            load.check(records, earlier)
            # Unlike after a kill there is no doubt: no answer means it was never begun.
            marks = check_marks(records)
            self.assertFalse(load.unanswered & set(marks),
                             "in the log, and its client was told nothing")
        check_reads(self.server, records)

    def test_a_request_under_way_is_finished(self):
        person = self.a_person()
        bodies = [Body(self.server.port, f'{{"event_type":"n{i}","person_id":"{person}"}}')
                  for i in range(8)]
        tell_to_stop(self.server)
        answers = [body.finish() for body in bodies]
        self.ended()
        for answer in answers:
            self.assertTrue(answer.startswith(b"HTTP/1.1 201"), answer)
            self.assertIn(b"Connection: close", answer)
            self.assertTrue(answer.endswith(b"}"), answer)
        self.server.start()
        kinds = {record["data"].get("event_type") for record in self.server.log_records()}
        self.assertLessEqual({f"n{i}" for i in range(8)}, kinds)

    def test_a_request_that_comes_later_is_refused_and_not_written(self):
        person = self.a_person()
        under_way = Body(self.server.port, f'{{"event_type":"x","person_id":"{person}"}}')
        client = self.server.client()
        client.get("/health")
        tell_to_stop(self.server)
        try:
            answer = client.post("/events", {"event_type": "late", "person_id": person})
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.headers["Connection"], "close")
            self.assertIn("Retry-After", answer.headers)
        except (ConnectionError, OSError):
            pass  # the idle connection was closed already: just as clear
        self.assertTrue(under_way.finish().startswith(b"HTTP/1.1 201"))
        self.ended()
        self.server.start()
        self.assertNotIn("late", [record["data"].get("event_type")
                                  for record in self.server.log_records()])

    def test_a_read_under_way_is_finished(self):
        client = self.server.client()
        for i in range(4):
            client.post("/persons", {"email": f"p{i}@b.test", "first_name": "A",
                                     "last_name": "B"})
        statuses, stopping = [], threading.Event()

        def read():
            mine = self.server.client()
            try:
                while not stopping.is_set():
                    answer = mine.get("/persons")
                    statuses.append((answer.status, len(answer.data or [])))
            except OSError:
                pass  # between two requests
            except Exception as error:
                statuses.append((type(error).__name__, str(error)))
            mine.close()

        readers = [threading.Thread(target=read, daemon=True) for _ in range(8)]
        for reader in readers:
            reader.start()
        self.server.wait_for(lambda: len(statuses) > 100, "reads")
        self.server.process.send_signal(signal.SIGTERM)
        self.ended()
        stopping.set()
        for reader in readers:
            reader.join(PATIENCE)
        self.assertLessEqual(set(statuses), {(200, 4), (503, 0)})

    def test_an_idle_connection_does_not_hold_it_up(self):
        idle = [socket.create_connection(("127.0.0.1", self.server.port))
                for _ in range(20)]
        client = self.server.client()
        client.get("/health")
        self.server.process.send_signal(signal.SIGTERM)
        self.ended()
        for one in idle:
            self.assertEqual(one.recv(10), b"")
            one.close()

    def test_a_second_signal_ends_it_at_once_and_keeps_what_was_acknowledged(self):
        person = self.a_person()
        held = Body(self.server.port, f'{{"event_type":"x","person_id":"{person}"}}')
        tell_to_stop(self.server)
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(PATIENCE), -signal.SIGTERM)
        held.socket.close()
        self.server.start()
        self.assertEqual([record["type"] for record in self.server.log_records()],
                         ["person.created", "event.recorded"])


if __name__ == "__main__":
    unittest.main()
