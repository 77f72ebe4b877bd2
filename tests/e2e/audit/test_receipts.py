"""Prefer: proof with a write: its answer has what a client may keep of it."""

import base64
import threading
import unittest

import proofs
from audited import MSGPACK, Log
from disk import Disk
from harness import Server
from served import Served, new_id, person

PROOF = {"Prefer": "proof, wait=30"}
CLICK = {"event_type": "click", "anonymous_id": "visitor"}


class Receipts(Log):
    def hold(self, answer, sequences):
        """The proofs of these records: each is enough by itself, with the log's key."""
        self.assertEqual(answer.headers.get_all("Preference-Applied"), ["proof"])
        told = answer.json["response"]
        self.assertEqual([name for name in told if name in ("message", "proofs", "status")],
                         ["message", "proofs", "status"])
        self.assertEqual([each["sequence"] for each in told["proofs"]], sequences)
        for each in told["proofs"]:
            self.assertEqual(list(each), ["sequence", "entry", "record", "proof"])
            record = base64.b64decode(each["record"], validate=True)
            logged = self.client.get(f"/log/{each['sequence']}", Accept=MSGPACK)
            self.assertEqual(logged.body, record)
            self.assertEqual(each["entry"], proofs.sha256(record).hex())
            proof = proofs.Proof(each["proof"].encode())
            self.assertEqual(proof.index, each["sequence"] - 1)
            self.assertTrue(proof.proves(record))
            self.assertTrue(proof.checkpoint.signed_by(self.key()))

    def post(self, path, body, **more):
        return self.client.post(path, body, **PROOF, **more)

    def setUp(self):
        self.checkpoint()

    def test_an_event_a_person_and_an_alias_have_their_own(self):
        made = self.post("/persons", person())
        self.assertEqual(made.status, 201)
        self.hold(made, [made.sequence - 1, made.sequence])
        event = self.post("/events", {"event_type": "click", "person_id": made.data["id"]})
        self.hold(event, [event.sequence])
        alias = self.post(f"/persons/{made.data['id']}/aliases", {"anonymous_id": "mine"})
        self.hold(alias, [alias.sequence])
        changed = self.client.patch("/persons/" + made.data["id"], {"last_name": "X"}, **PROOF)
        self.assertIn("proof", changed.headers.get_all("Preference-Applied"))
        self.assertEqual(changed.json["response"]["proofs"][0]["sequence"], changed.sequence)
        self.hold(self.client.delete("/persons/" + made.data["id"], **PROOF),
                  [changed.sequence + 1])

    def test_every_way_to_write_has_one_and_the_schema_says_so(self):
        shop = "/persons/by/external_id/shop-7"
        body = person(external_id="shop-7")
        made = self.client.put(shop, body, **PROOF)
        event = self.client.post("/events", {"event_type": "click",
                                             "person_id": made.data["id"]}).data["id"]
        mine = "/persons/" + made.data["id"]
        self.client.post(mine + "/aliases", {"anonymous_id": "ours"})
        done = [made, self.client.put(mine, {**body, "last_name": "B"}, **PROOF),
                self.client.delete(shop + "/aliases/ours", **PROOF),
                self.client.delete("/events/" + event, **PROOF)]
        for answer in done:
            self.assertIn(answer.status, (200, 201), answer.body)
            self.assertIn("proof", answer.headers.get_all("Preference-Applied"))
            self.assertEqual(answer.json["response"]["proofs"][-1]["sequence"],
                             answer.sequence)
        schema = self.client.get("/openapi.json").json
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                if method != "get" and path.startswith(("/persons", "/events")):
                    self.assert_told(schema, operation)

    def assert_told(self, schema, operation):
        named = [each["$ref"].rpartition("/")[2] for each in operation["parameters"]
                 if "$ref" in each]
        told = [schema["components"]["parameters"][name]["description"] for name in named
                if name.startswith("Prefer")]
        self.assertEqual(len(told), 1, operation["operationId"])
        self.assertIn("`proof`: with the answer", told[0])
        answer = min(operation["responses"].items())[1]
        self.assertIn("Preference-Applied", answer["headers"])

    def test_what_is_sent_again_has_the_same_record(self):
        body = {**CLICK, "id": new_id()}
        first = self.post("/events", body)
        self.hold(first, [first.sequence])
        again = self.post("/events", body)
        self.assertEqual(again.status, 200)
        self.hold(again, [first.sequence])
        keyed = [self.post("/events", CLICK, Idempotency_Key="once") for _ in range(2)]
        self.assertEqual(keyed[1].headers["Idempotency-Replayed"], "true")
        for each in keyed:
            self.hold(each, [keyed[0].sequence])

    def test_a_batch_has_one_for_each_record_it_appended(self):
        known = {**CLICK, "id": new_id()}
        self.client.post("/events", known)
        answer = self.post("/events/batch", [CLICK, known, {"event_type": ""}, CLICK])
        self.assertEqual(answer.status, 207)
        self.hold(answer, [answer.sequence - 1, answer.sequence])

    def test_a_large_batch_has_none_and_says_so(self):
        answer = self.post("/events/batch", [CLICK] * 101)
        self.assert_none(answer, 200)
        answer = self.post("/events/batch", [CLICK] * 100)
        self.assertEqual(len(answer.json["response"]["proofs"]), 100)

    def assert_none(self, answer, status):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers.get_all("Preference-Applied"), ["proof=none"])
        self.assertNotIn("proofs", answer.json["response"])

    def test_who_will_not_wait_is_answered_as_ever(self):
        self.post("/events", CLICK)  # so that the next is not signed at once
        self.assert_none(self.client.post("/events", CLICK, Prefer="proof, wait=0"), 201)

    def test_what_appends_nothing_has_none(self):
        made = self.created()
        answer = self.client.patch("/persons/" + made["id"],
                                   {"last_name": made["last_name"]}, **PROOF)
        self.assertIn("proof=none", answer.headers.get_all("Preference-Applied"))
        self.assertNotIn("proofs", answer.json["response"])
        refused = self.post("/events", {"event_type": "click", "person_id": new_id()})
        self.assertEqual(refused.status, 404)
        self.assertNotIn("proofs", refused.json["response"])

    def test_who_does_not_ask_is_answered_as_ever(self):
        answer = self.client.post("/events", CLICK)
        self.assertIsNone(answer.headers["Preference-Applied"])
        self.assertEqual(list(answer.json["response"]), ["details", "message", "status"])


class Threads(Log):
    settings = {"HTTP_THREADS": "8"}

    def test_who_waits_for_proofs_leaves_threads_to_who_reads(self):
        made, stop = self.created(), threading.Event()
        waiting = [threading.Thread(target=self.write, args=(stop,)) for _ in range(8)]
        for each in waiting:
            each.start()
        try:
            for _ in range(30):
                answer = self.client.get("/persons/" + made["id"])
                self.assertEqual(answer.status, 200, answer.body)
                stop.wait(0.05)
        finally:
            stop.set()
            for each in waiting:
                each.join()

    def write(self, stop):
        client = self.server.client()
        while not stop.wait(0.02):
            client.post("/events", CLICK, **PROOF)
        client.close()


class Stops(unittest.TestCase):
    def test_who_waits_is_answered_when_the_server_stops(self):
        server = Server()
        self.addCleanup(server.close)
        disk = Disk(server.data_dir)
        self.addCleanup(disk.close)
        self.addCleanup(disk.heal)
        server.env.update(disk.environment())
        server.start()
        client = server.client()
        server.wait_for(lambda: client.get("/checkpoint").status == 200, "a checkpoint")
        disk.fail("directory", how="late")  # the next checkpoint is not known to be there
        answers = []
        waits = threading.Thread(target=lambda: answers.append(
            server.client().post("/events", CLICK, Prefer="proof, wait=60")))
        waits.start()
        server.wait_for(lambda: client.get("/log/1").status == 200, "a record")
        stops = threading.Thread(target=server.stop)
        stops.start()
        waits.join()
        disk.heal()
        stops.join()
        self.assertEqual([(each.status, each.headers["Preference-Applied"])
                          for each in answers], [(201, "proof=none")])


class Scopes(Served):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.tokens = {}
        for scope in ("write", "ingest", "admin"):
            told = cls.server.run("token", "create", scope, "--scope", scope).stdout
            cls.tokens[scope] = {"Authorization": "Bearer " + told.strip()}
        cls.server.start()
        cls.client = cls.server.client()
        cls.server.wait_for(lambda: cls.client.request(
            "GET", "/checkpoint", headers=cls.tokens["admin"]).status == 200, "a checkpoint")

    def post(self, body, scope):
        return self.client.request("POST", "/events", body, {**self.tokens[scope], **PROOF})

    def test_whose_an_anonymous_id_is_the_bytes_do_not_tell(self):
        given, = self.post(CLICK, "write").json["response"]["proofs"]
        self.assertEqual(list(given), ["sequence", "entry", "proof"])
        event = self.post(CLICK, "write").data["id"]
        gone = self.client.request("DELETE", "/events/" + event, None,
                                   {**self.tokens["write"], **PROOF})
        given, = gone.json["response"]["proofs"]
        self.assertEqual(list(given), ["sequence", "entry", "proof"])
        made = self.client.request("POST", "/persons", person(), self.tokens["write"])
        given, = self.post({"event_type": "click", "person_id": made.data["id"]},
                           "write").json["response"]["proofs"]
        self.assertEqual(list(given), ["sequence", "entry", "record", "proof"])

    def test_of_who_is_restricted_only_an_admin_has_the_bytes(self):
        id = self.client.request("POST", "/persons", person(),
                                 self.tokens["write"]).data["id"]
        self.client.request("POST", f"/persons/{id}/restriction", None, self.tokens["admin"])
        click = {"event_type": "click", "person_id": id}
        for scope, names in (("write", ["sequence", "entry", "proof"]),
                             ("admin", ["sequence", "entry", "record", "proof"])):
            given, = self.post(click, scope).json["response"]["proofs"]
            self.assertEqual(list(given), names)

    def test_who_only_ingests_is_told_nothing(self):
        answer = self.post(CLICK, "ingest")
        self.assertEqual(answer.status, 202)
        self.assertIsNone(answer.headers["Preference-Applied"])
        self.assertNotIn("proofs", answer.json["response"])


class Off(Served):
    settings = {"AUDIT": "false"}

    def test_who_signs_nothing_gives_none(self):
        answer = self.client.post("/events", CLICK, **PROOF)
        self.assertEqual((answer.status, answer.headers["Preference-Applied"]),
                         (201, "proof=none"))


if __name__ == "__main__":
    unittest.main()
