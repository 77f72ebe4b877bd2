"""Two thousand connections of one address, and abuse by chance from several, while others
write: each of them is served, and the log has their writes and nothing else."""

import os
import random
import resource
import select
import socket
import threading
import time
import unittest

from harness import PATIENCE
from served import Served, new_id, person
from test_abuse import ABUSES, GET, HOST, NEXT, POST, head_of_log, prompt_wire

SEED = int(os.environ.get("DAYBOOK_SEED", "0"))
ROUNDS = int(os.environ.get("DAYBOOK_ROUNDS", "3"))
CONNECTIONS = 2000
OTHER_FILES = 500
CROWDS = {  # what each connection says, and then says again and again
    "idle": ("", b""),
    "half heads": (GET + "X-Half: ", b""),
    "dripped heads": (GET + "X-Slow: ", b"x"),
    "dripped bodies": (POST + "Content-Length: 100000\r\n\r\n{", b" "),
    "unread answers": (f"GET /log HTTP/1.1\r\n{HOST}\r\n", b""),
    "asked once": (NEXT, b""),
}


def connections():
    """How many this process may have; the server has as many, and gets the same limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        print(f"the limit of open files forbids {CONNECTIONS} connections: "
              f"{hard - OTHER_FILES} instead", flush=True)
        wanted = hard
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted - OTHER_FILES


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class Writer:
    """One of another address, who connects anew for each event, and comes again where it
    was sent away: the id makes it one event."""

    def __init__(self, server, address, person_id):
        self.server, self.address, self.person_id = server, address, person_id
        self.acknowledged = []

    def write(self):
        event = new_id()
        body = (f'{{"event_type": "click", "person_id": "{self.person_id}", '
                f'"id": "{event}"}}')
        data = (f"POST /events HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = self.ask(data)
            if status in (200, 201):
                self.acknowledged.append(event)
                return
            assert status in (None, 503), status
        raise AssertionError(f"{self.address} was not served")

    def ask(self, data):
        wire = prompt_wire(self.server.port, data, self.address)
        try:
            return wire.answer()[0]
        except (ConnectionError, ValueError):
            return None
        finally:
            wire.close()


class Tortured(Served):
    @classmethod
    def setUpClass(cls):
        cls.many = connections()
        super().setUpClass()
        cls.kate = cls.client.post("/persons", person()).data["id"]
        answer = cls.client.post("/events/batch", [
            {"event_type": "click", "person_id": cls.kate,
             "properties": {"text": "x" * 60000}} for _ in range(120)])
        assert answer.status == 200, answer.body
        cls.client.close()
        cls.before = len(cls.server.log_records())
        cls.files = open_files(cls.server)
        cls.writers = []

    def writer(self, address):
        self.writers.append(Writer(self.server, address, self.kate))
        return self.writers[-1]

    def tearDown(self):
        """All is given back, and the log has what was acknowledged, once, and no more."""
        self.server.wait_for(lambda: open_files(self.server) < self.files + 20,
                             "the end of every connection")
        written = [event for writer in self.writers for event in writer.acknowledged]
        ids = [record["subject_id"] for record in self.server.log_records()[self.before:]]
        self.assertEqual(sorted(ids), sorted(written))


class OneAddress(Tortured):
    settings = {"REQUEST_TIMEOUT": "600"}  # so that nothing ends by its own time

    def crowd(self, said):
        sockets = []
        for _ in range(self.many):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.server.port))
            sockets.append(one)
        self.say(sockets, said.encode())
        return sockets

    @staticmethod
    def say(sockets, data):
        """To those that are connected by now, and not closed yet."""
        if not data:
            return
        for one in sockets:
            try:
                one.send(data, socket.MSG_DONTWAIT)
            except OSError:
                pass

    def drip(self, sockets, drip, stop):
        while not stop.wait(0.2):
            self.say(sockets, drip)

    def test_others_are_served_whatever_two_thousand_connections_do(self):
        chance = random.Random(SEED)
        for number in range(ROUNDS):
            kinds = list(CROWDS)
            chance.shuffle(kinds)
            for kind in kinds:
                with self.subTest(f"round {number}, {kind}"):
                    self.beside(kind)

    def beside(self, kind):
        said, drip = CROWDS[kind]
        stop, sockets = threading.Event(), self.crowd(said)
        dripping = threading.Thread(target=self.drip, args=(sockets, drip, stop))
        dripping.start()
        writers = [self.writer("127.0.0.2"), self.writer("127.0.0.3")]
        try:
            for _ in range(50):
                for writer in writers:
                    writer.write()
        finally:
            stop.set()
            dripping.join()
            for one in sockets:
                one.close()
        head_of_log(self.server.port, "127.0.0.1")  # it may come back


class Chance(Tortured):
    settings = {"REQUEST_TIMEOUT": "5", "HTTP_THREADS": "32"}
    SECONDS = 20
    ABUSERS = 12

    def setUp(self):
        self.stop = threading.Event()
        self.failed = []

    def test_others_are_served_whatever_comes(self):
        for number in range(ROUNDS):
            self.stop.clear()
            threads = [threading.Thread(target=self.abuse, args=(f"{SEED} {number} {each}",))
                       for each in range(self.ABUSERS)]
            threads += [threading.Thread(target=self.keep_writing, args=(address,))
                        for address in ("127.0.0.2", "127.0.0.3", "127.0.0.2")]
            for thread in threads:
                thread.start()
            time.sleep(self.SECONDS)
            self.stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual(self.failed, [])
            for writer in self.writers[-3:]:
                self.assertGreater(len(writer.acknowledged), 0)

    def keep_writing(self, address):
        writer = self.writer(address)
        try:
            while not self.stop.is_set():
                writer.write()
        except AssertionError as failure:
            self.failed.append(str(failure))

    def abuse(self, seed):
        chance = random.Random(seed)
        kept = []
        while not self.stop.is_set():
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.bind((f"127.0.0.{chance.randrange(10, 14)}", 0))
            one.settimeout(5)
            try:
                one.connect(("127.0.0.1", self.server.port))
                self.misbehave(one, chance)
            except OSError:
                pass  # it was closed, or does not read
            kept.append(one)
            if len(kept) > 20:
                self.let_go(kept.pop(chance.randrange(len(kept))), chance)
        for one in kept:
            one.close()

    def misbehave(self, one, chance):
        for part in self.parts(chance):
            one.sendall(part)
            if chance.random() < 0.2:
                self.stop.wait(chance.random() / 5)
        if chance.random() < 0.5 and select.select([one], [], [], 0.2)[0]:
            one.recv(chance.choice((1, 100, 65536)))

    @staticmethod
    def parts(chance):
        """What is sent, and in which pieces."""
        data = chance.choice(list(ABUSES.values()) + [
            NEXT, NEXT * 50, CROWDS["unread answers"][0] * 3, ""]).encode("latin-1")
        if data and chance.random() < 0.4:  # one that is damaged
            at = chance.randrange(len(data))
            data = data[:at] + chance.choice((b"", b"\0", b"\r", b"\n", b":", b" ", b"%",
                                              chance.randbytes(8), data)) \
                + data[at + chance.randrange(3):]
        while data:
            length = chance.choice((1, 7, 100, len(data)))
            yield data[:length]
            data = data[length:] if chance.random() < 0.9 else b""

    @staticmethod
    def let_go(one, chance):
        if chance.random() < 0.3:  # a reset
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        one.close()


if __name__ == "__main__":
    unittest.main()
