"""Persons who are restricted and erased at several servers that are one, while those are killed:
who was acknowledged to be erased is so at each of them and stays so, and who was not is so at
all or at none."""

import http.client
import json
import random
import threading
import time
import urllib.parse
import uuid

from fold import is_erased

DOMAIN = "@erased.test"  # of their addresses; the load has other ones
TIMEOUT = 30  # seconds; then nobody knows
NODES = "the log of %s is another than that of %s: %s, %s"


class Person:
    def __init__(self, id, name):
        self.id, self.name = id, name
        self.events = []          # ids
        self.made = 0             # sequence of the person.created
        self.asked = self.erased = False  # sent; acknowledged
        self.receipt = None
        self.restricted = False   # None: not known


class Erasing:
    """nodes: where to, each with its port and whether it is up."""

    def __init__(self, nodes, seed, clients=3):
        self.nodes, self.seed = nodes, seed
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.people, self.wrong = [], []
        self.looks = 0  # at who was erased
        kinds = [_Author] * clients + [_Looker]
        self.threads = [threading.Thread(target=self._run, args=(kind, f"erasing/{seed}/{i}"),
                                         daemon=True)
                        for i, kind in enumerate(kinds)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(3 * TIMEOUT)
            assert not thread.is_alive(), "no answer and no end"
        assert not self.wrong, self.wrong[:5]

    def _run(self, kind, name):
        client = kind(self, random.Random(name))
        try:
            while not self.stopping.is_set():
                client.turn()
        except Exception as error:  # told by stop()
            with self.lock:
                self.wrong.append(f"{type(error).__name__}: {error}")
        client.close()

    # In the end.

    def is_ours(self, record):
        """For who knows what else was written."""
        ids = {one.id for one in self.people}
        return is_erased(record) or record["subject_id"] in ids or \
            record["data"].get("person_id") in ids

    def check(self, nodes):
        """Of nodes that have all: what each shows of the log is the same, and what it must be.
        In words."""
        first, *others = nodes
        records = first.log_records()
        for node in others:
            for one, other in zip(records, node.log_records(), strict=True):
                assert one == other, NODES % (first.name, node.name, one, other)
        erased = {record["subject_id"]: record["sequence"] for record in records
                  if record["type"] == "person.erased"}
        whose = {record["subject_id"]: record for record in records
                 if record["type"] in ("person.created", "event.recorded")}
        told = collections_of(records)
        for one in self.people:
            self._check_one(one, erased, whose, told.get(one.id, []))
        assert not set(erased) - {one.id for one in self.people}, "whom nobody erased"
        self._check_restricted(first, erased)
        return (f"{len(self.people)} persons, {len(erased)} erased, of whom "
                f"{sum(one.erased for one in self.people)} were acknowledged; {self.looks} looks")

    @staticmethod
    def _check_one(one, erased, whose, told):
        if one.erased:
            assert one.id in erased, f"{one.id} was acknowledged, and is not erased"
        assert one.asked or one.id not in erased, f"nobody asked to erase {one.id}"
        assert told.count("person.erased") <= 1, f"{one.id} is erased twice"
        records = [whose[id] for id in (one.id, *one.events) if id in whose]
        assert records or not one.made, f"{one.id} is not there"
        for record in records:
            assert is_erased(record) == (one.id in erased), f"half: {record}"
            assert is_erased(record) or one.name in str(record["data"]), record

    def _check_restricted(self, node, erased):
        client = node.client()
        for one in self.people:
            if one.made and one.id not in erased and one.restricted is not None:
                status = client.get(f"/persons/{one.id}/restriction").status
                assert status == (200 if one.restricted else 404), (one.id, status)
        client.close()

    def receipts(self):
        """{person id: the receipt} of those that were acknowledged."""
        return {one.id: one.receipt for one in self.people if one.receipt}


def collections_of(records):
    """{subject: types of its records}"""
    found = {}
    for record in records:
        found.setdefault(record["subject_id"], []).append(record["type"])
    return found


class _Client:
    def __init__(self, all_, chance):
        self.all, self.chance = all_, chance
        self.connection, self.node = None, None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def connect(self, port=None):
        """To this one, or to any."""
        self.close()
        up = [node for node in self.all.nodes if node.up]
        node = next((one for one in up if one.port == port), None) or \
            (self.chance.choice(up) if up else None)
        if not node:
            time.sleep(0.05)
            return False
        self.node = node
        self.connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=TIMEOUT)
        if node.connect:
            self.connection._create_connection = node.connect
        return True

    def once(self, method, path, body=None):
        """(status, headers, body), or None where nobody answered."""
        if not self.connection and not self.connect():
            return None
        try:
            self.connection.request(method, path, body and json.dumps(body),
                                    {"Content-Type": "application/json"} if body else {})
            response = self.connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            time.sleep(0.02)
            return None

    def insist(self, method, path, body=None, patient=True):
        """Until it is answered by who can; None where that is not waited for."""
        while not self.all.stopping.is_set():
            answer = self.once(method, path, body)
            if answer and answer[0] not in (307, 503):
                return answer
            location = answer and answer[1].get("Location")
            self.connect(location and urllib.parse.urlsplit(location).port)
            if answer and answer[0] == 307:
                continue
            if not patient:
                return None
            time.sleep(0.1 * self.chance.random())
        return None


class _Author(_Client):
    """One person after the other."""

    def turn(self):
        name = f"markerzqx{self.chance.getrandbits(48):x}"
        person = Person(self.uuid(), name)
        with self.all.lock:
            self.all.people.append(person)
        answer = self.expect((200, 201), "POST", "/persons", {
            "id": person.id, "email": name + DOMAIN, "first_name": name, "last_name": name})
        if not answer:
            return
        person.made = int(answer[1]["Daybook-Sequence"]) - (answer[0] == 201)
        for number in range(self.chance.randint(0, 3)):
            id = self.uuid()
            person.events.append(id)
            self.expect((200, 201), "POST", "/events", {
                "id": id, "event_type": name, "person_id": person.id,
                "properties": {"mark": f"{name}.{number}"}})
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            self.restrict(person)
        if self.chance.random() < 0.7:
            self.erase(person)

    def uuid(self):
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def expect(self, statuses, *request, patient=True):
        answer = self.insist(*request, patient=patient)
        if answer and answer[0] not in statuses:
            with self.all.lock:
                self.all.wrong.append(f"{request}: {answer[0]} {answer[2]}")
            return None
        return answer

    def restrict(self, person):
        lift, person.restricted = person.restricted, None
        done = self.expect((200, 404) if lift else (200, 201), "DELETE" if lift else "POST",
                           f"/persons/{person.id}/restriction")
        if done:
            person.restricted = not lift

    def erase(self, person):
        """Some are not asked for again where there was no answer."""
        person.asked = True
        answer = self.expect((200,), "DELETE", f"/persons/{person.id}?erase=true",
                             patient=self.chance.random() < 0.7)
        if answer:
            person.receipt, person.erased = json.loads(answer[2])["data"], True


class _Looker(_Client):
    """Asks anybody for who was erased: nobody may show one whose erasure was acknowledged
    before he was asked."""

    def turn(self):
        with self.all.lock:
            erased = [one for one in self.all.people if one.erased]
        if not erased:
            time.sleep(0.05)
            return
        person = self.chance.choice(erased[-50:])
        self.close()
        for path in (f"/persons/{person.id}", f"/log/{person.made}"):
            answer = self.once("GET", path)
            if not answer:
                return
            self.all.looks += 1
            if person.name.encode() in answer[2] or answer[0] not in (200, 410, 503) or \
                    (answer[0] == 200 and path.startswith("/persons")):
                with self.all.lock:
                    self.all.wrong.append(f"erased, and then GET {path} at {self.node.name} is "
                                          f"{answer[0]} {answer[2]}")
        time.sleep(0.02)
