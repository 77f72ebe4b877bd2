"""Persons are erased for good, over HTTP and by the command: nothing that is read has what was
said of them, whatever happens meanwhile, and the receipt holds."""

import base64
import json
import os
import threading
import unittest
import urllib.request
import uuid

import proofs
from disk import Disk
from harness import Server
from served import person
from tables import query, refuse_bad, take_bad
from tools import DIFFERENT, FAILED, MISUSED

MARK = "quetzalmark"
VOLATILE = ("done", "pending", "rotation", "not_known", "proof")


class Erase(unittest.TestCase):
    def setUp(self):
        self.server = Server(env={"SEALED": "true", "AUDIT_ORIGIN": "erase.test/log",
                                  "AUDIT_INTERVAL": "1"})
        self.addCleanup(self.server.close)
        self.start()

    def start(self):
        self.server.start()
        self.client = self.server.client()
        self.server.wait_for(lambda: self.client.get("/health").data["projection"] ==
                             "following", "following the log")

    def ask(self, method, path, body=None, status=200, **headers):
        answer = self.client.request(method, path, body, headers)
        self.assertEqual(answer.status, status, (method, path, answer.body[:500]))
        return answer

    def marked(self):
        """A person with all there can be, of seven records; its id, and that of an event."""
        before = self.ask("POST", "/events", {
            "event_type": "seen " + MARK, "anonymous_id": "anon-" + MARK}, 201).data["id"]
        one = self.ask("POST", "/persons", person(
            first_name=MARK, external_id="ext-" + MARK, email=f"{MARK}@x.mock",
            properties={"note": MARK}), 201, **{"Idempotency-Key": "made"}).data["id"]
        self.ask("POST", "/events", {"event_type": MARK, "person_id": one,
                                     "properties": {"of": MARK}}, 201)
        self.ask("POST", f"/persons/{one}/aliases", {"anonymous_id": "anon-" + MARK}, 201,
                 **{"Idempotency-Key": "tied"})
        self.ask("PATCH", "/persons/" + one, {"last_name": MARK})
        return one, before

    def erase(self, one, **headers):
        return self.ask("DELETE", f"/persons/{one}?erase=true", **headers).data

    def assert_gone(self, one, event):
        for path, status in ((f"/persons/{one}", 410), (f"/events/{event}", 410),
                             (f"/persons/{one}/aliases", 410),
                             (f"/persons/by/external_id/ext-{MARK}", 404)):
            self.assertEqual(self.ask("GET", path, status=status).json["data"], None)
        for path in ("/persons", f"/persons?email={MARK}@x.mock", "/events",
                     f"/events?person_id={one}", f"/events?anonymous_id=anon-{MARK}",
                     "/events/types", "/events/stats?by=day", "/metrics", "/log",
                     f"/persons/{one}/history", "/events/funnel?steps=signup,click"):
            self.assertNotIn(MARK.encode(), self.client.get(path).body, path)
        for sequence in range(1, 8):
            self.assertNotIn(MARK.encode(), self.ask("GET", f"/log/{sequence}").body)
        self.assertNotIn(MARK.encode(), self.streamed())

    def test_a_stream_that_is_open_keeps_nothing_for_the_next(self):
        head = self.client.get("/health").data["head"]
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port}"
                                    f"/log/stream?after={head}", timeout=60) as open_:
            one, before = self.marked()
            seen = b""
            while b"person.updated" not in seen:
                seen += open_.readline()
            self.assertIn(MARK.encode(), seen)
            self.erase(one)
            while b"person.erased" not in seen:
                seen += open_.readline()
            self.assert_gone(one, before)

    def streamed(self):
        """What the stream of the log begins with, up to the head."""
        head = self.client.get("/health").data["head"]
        seen = b""
        with urllib.request.urlopen(
                f"http://127.0.0.1:{self.server.port}/log/stream?after=0", timeout=60) as feed:
            while b"id: %d" % head not in seen and b"id:%d" % head not in seen:
                seen += feed.readline()
            seen += feed.readline() + feed.readline()
        return seen

    def stable(self, receipt):
        return {key: value for key, value in receipt.items() if key not in VOLATILE}

    def test_nothing_that_is_read_has_it(self):
        one, before = self.marked()
        receipt = self.erase(one)
        self.assertEqual((receipt["person_id"], receipt["keys_destroyed"],
                          receipt["records"], receipt["pending"]), (one, 2, 6, True))
        self.assertEqual(receipt["done"], {"keys": "destroyed", "memory": "wiped",
                                           "tables": "removed"})
        self.assert_gone(one, before)
        self.assertEqual([each["data"] for each in self.ask("GET", "/log").data
                          if each["type"] == "person.created"], [{"erased": True}])
        again = self.client.request("POST", "/persons", person(
            first_name=MARK, external_id="ext-" + MARK, email=f"{MARK}@x.mock",
            properties={"note": MARK}), {"Idempotency-Key": "made"})
        self.assertEqual(again.status, 410, again.body)
        self.assertNotIn(MARK.encode(), again.body)
        self.ask("POST", f"/persons/{one}/aliases", {"anonymous_id": "anon-" + MARK}, 409,
                 **{"Idempotency-Key": "tied"})
        self.server.stop()
        self.start()
        self.assert_gone(one, before)
        self.assertEqual(self.stable(self.ask("GET", f"/persons/{one}/receipt").data),
                         self.stable(receipt))
        self.assertEqual(self.stable(self.erase(one)), self.stable(receipt))
        self.server.run("verify", "--projection")

    def test_who_is_in_quarantine_goes_from_the_tables_too(self):
        one, before = self.marked()
        refuse_bad(self.server, bad="last_name = 'bad'")
        self.addCleanup(take_bad, self.server)
        self.ask("PATCH", "/persons/" + one, {"last_name": "bad"})
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 1,
                             "the quarantine")
        self.assertEqual(query(self.server, "select count(*) from person"), "1")
        self.assertEqual(self.erase(one)["done"]["tables"], "removed")
        self.assertEqual(query(self.server, "select count(*) from person"), "0")
        self.assertEqual(query(self.server, "select count(*) from event"), "0")
        take_bad(self.server)
        self.ask("POST", "/admin/quarantine/retry")
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 0,
                             "the healing")
        self.assertEqual(query(self.server, "select count(*) from person"), "0")
        self.assert_gone(one, before)

    def test_a_removal_that_was_refused_is_pending(self):
        one, _ = self.marked()
        query(self.server, "create function kept() returns trigger language plpgsql as "
                           f"$$ begin if old.last_name = '{MARK}' then "
                           "raise check_violation using message = 'kept'; "
                           "end if; return old; end $$; "
                           "create trigger kept before delete on person for each row "
                           "execute function kept()")
        self.addCleanup(query, self.server, "drop function if exists kept cascade")
        self.assertEqual(self.erase(one)["done"]["tables"], "pending")
        self.server.wait_for(lambda: self.client.get("/health").data["quarantined"] == 1,
                             "the quarantine")
        receipt = f"/persons/{one}/receipt"
        self.assertEqual(self.ask("GET", receipt).data["done"]["tables"], "pending")
        query(self.server, "drop function kept cascade")
        self.ask("POST", "/admin/quarantine/retry")
        self.server.wait_for(lambda: self.ask("GET", receipt).data["done"]["tables"] ==
                             "removed", "the removal")
        self.assertEqual(query(self.server, "select count(*) from person"), "0")

    def test_the_receipt_holds_without_the_log(self):
        one, _ = self.marked()
        self.erase(one)
        path = f"/persons/{one}/receipt"
        self.server.wait_for(lambda: self.ask("GET", path).data["proof"], "a signature")
        receipt = self.ask("GET", path).data
        record = base64.b64decode(receipt["record"])
        self.assertEqual(proofs.sha256(record).hex(), receipt["entry"])
        proof = proofs.Proof(receipt["proof"].encode())
        self.assertEqual(proof.index, receipt["sequence"] - 1)
        self.assertTrue(proof.proves(record))
        self.assertIn(uuid.UUID(one).bytes, record)
        self.assertIn(b"person.erased", record)
        self.assert_verified(receipt)

    def verify(self, receipt, *key):
        path = os.path.join(self.server.data_dir, "receipt.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(receipt, file)
        done = self.server.run("person", "verify", path, *key, check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_verified(self, receipt):
        vkey = self.server.run("audit", "vkey").stdout.strip()
        for form in (receipt, {"data": receipt, "response": {}}):
            status, told = self.verify(form, "--vkey", vkey)
            self.assertEqual(status, 0, told)
            self.assertIn(f"{receipt['person_id']} was erased at", told)
        other = "other.test/log+6c9e3f1b+AVRs7yVpV3Yqj9cGYQ0x2v0cXyO5cVQmZ0r4gQ3Qm9nB"
        record = bytearray(base64.b64decode(receipt["record"]))
        record[-1] ^= 1
        for changed, said in (
                ({"person_id": str(uuid.uuid4())}, "another person"),
                ({"sequence": receipt["sequence"] + 1}, "another person"),
                ({"keys_destroyed": 3}, "another person"),
                ({"erased_at": "2026-01-01T00:00:00.000000"}, "another person"),
                ({"entry": "0" * 64}, "not the hash of its record"),
                ({"record": base64.b64encode(record).decode()}, ""),
                ({"proof": receipt["proof"].replace("index ", "index 1")}, ""),
                ({"proof": "no proof"}, ""), ({"person_id": 7}, "no receipt")):
            status, told = self.verify({**receipt, **changed}, "--vkey", vkey)
            self.assertEqual(status, DIFFERENT, (changed, told))
            self.assertIn(said, told)
        self.assertEqual(self.verify({**receipt, "proof": None}, "--vkey", vkey)[0], FAILED)
        self.assertNotEqual(self.verify(receipt, "--vkey", other)[0], 0)

    def test_a_rotation_completes_it(self):
        one, _ = self.marked()
        self.assertTrue(self.erase(one)["pending"])
        self.server.run("keys", "rotate")
        self.server.wait_for(lambda: not self.ask(
            "GET", f"/persons/{one}/receipt").data["pending"], "the rotation")
        rotation = self.ask("GET", f"/persons/{one}/receipt").data["rotation"]
        self.assertEqual(rotation["epoch"], 2)
        self.assertTrue(rotation["at"])

    def test_the_command_does_it_beside_the_server(self):
        one, before = self.marked()
        kept = os.path.join(self.server.data_dir, "receipt.json")
        told = json.loads(self.server.run("person", "erase", one, "--json", "--receipt",
                                          kept).stdout)
        with open(kept, encoding="utf-8") as file:
            self.assertEqual(json.load(file), told)
        self.assertEqual((told["keys_destroyed"], told["records"]), (2, 6))
        self.assertTrue(told["proof"])
        self.ask("GET", "/persons")  # has followed
        self.assert_gone(one, before)
        self.ask("POST", "/events", {"event_type": "x", "person_id": one}, 404)
        self.assertEqual(self.stable(self.erase(one)), self.stable(told))
        self.assertIn("2 keys, destroyed",
                      self.server.run("person", "receipt", one).stdout)

    def test_the_command_does_it_without_a_server(self):
        one, before = self.marked()
        other = self.ask("POST", "/persons", person(), 201).data["id"]
        self.ask("DELETE", f"/persons/{one}")  # deleted before
        self.server.stop()
        told = json.loads(self.server.run("person", "erase", one, "--json").stdout)
        self.assertEqual(told["records"], 6)
        for again in ("erase", "receipt"):
            done = json.loads(self.server.run("person", again, one, "--json").stdout)
            self.assertEqual(self.stable(done), self.stable(told))
        for status, said, *arguments in (
                (FAILED, "not erased", "receipt", other),
                (FAILED, "no person", "erase", str(uuid.uuid4())),
                (MISUSED, "no person's id", "erase", "kate"),
                (MISUSED, "--receipt is for", "receipt", one, "--receipt", "x")):
            done = self.server.run("person", *arguments, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(said, done.stderr)
        self.start()
        self.assert_gone(one, before)

    def test_a_receipt_that_cannot_be_kept_is_told_before(self):
        one, _ = self.marked()
        there = os.path.join(self.server.data_dir, "serve.log")
        for path, said in ((there, "is there already"),
                           (os.path.join(self.server.data_dir, "none", "r.json"), "create")):
            done = self.server.run("person", "erase", one, "--receipt", path, check=False)
            self.assertEqual(done.returncode, FAILED, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertIn("nobody was erased", done.stderr)
        self.assertEqual(self.client.get(f"/persons/{one}").status, 200)
        kept = os.path.join(self.server.data_dir, "kept.json")
        done = self.server.run("person", "erase", str(uuid.uuid4()), "--receipt", kept,
                               check=False)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertFalse(os.path.exists(kept))

    def test_a_receipt_that_could_not_be_kept_is_printed(self):
        one, before = self.marked()
        kept = os.path.join(self.server.data_dir, "kept.json")
        disk = Disk(self.server.data_dir)
        self.addCleanup(disk.close)
        self.server.env.update(disk.environment())
        self.server.run("person", "erase", one, "--receipt", kept)
        os.remove(kept)
        disk.fail("directory", skip=disk.count("directory") - 1)  # the last is the receipt's
        done = self.server.run("person", "erase", one, "--json", "--receipt", kept,
                               check=False)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIn("the person is erased", done.stderr)
        self.assertEqual(json.loads(done.stdout)["records"], 6)
        self.assertFalse(os.path.exists(kept))
        self.ask("GET", "/persons")  # has followed
        self.assert_gone(one, before)

    def test_who_writes_meanwhile_is_refused_and_nothing_of_it_stays(self):
        one, before = self.marked()
        stop, ended = threading.Event(), []

        def write():
            client = self.server.client()
            while not stop.is_set():
                answer = client.post("/events", {"event_type": MARK, "person_id": one})
                if answer.status == 404:
                    ended.append(answer.status)
                    return
                self.assertEqual(answer.status, 201)

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        self.server.wait_for(lambda: self.client.get("/health").data["head"] > 40, "writes")
        receipt = self.erase(one)
        for writer in writers:
            writer.join(60)
        stop.set()
        self.assertEqual(len(ended), 4)
        sealed = [each for each in self.server.log_records()
                  if each["data"].get("erased")]
        self.assertEqual(len(sealed), receipt["records"])
        self.assert_gone(one, before)

    def test_killed_at_any_moment_nobody_is_half_erased(self):
        for round_ in range(3):
            ids = [self.ask("POST", "/persons", person(first_name=MARK), 201).data["id"]
                   for _ in range(12)]
            done = set()

            def erase():
                client = self.server.client()
                for one in ids:
                    try:
                        if client.delete(f"/persons/{one}?erase=true").status == 200:
                            done.add(one)
                    except OSError:
                        return

            worker = threading.Thread(target=erase)
            worker.start()
            self.server.wait_for(lambda n=3 * round_: len(done) > n, "erasures")
            self.server.kill()
            worker.join(60)
            self.start()
            for one in ids:
                receipt = self.client.get(f"/persons/{one}/receipt")
                shown = self.client.get(f"/persons/{one}")
                self.assertIn((receipt.status, shown.status), ((200, 410), (404, 200)))
                if one in done:
                    self.assertEqual(receipt.status, 200)
                if receipt.status == 200:
                    self.assertEqual(receipt.data["done"]["keys"], "destroyed")
                    self.assertEqual(receipt.data["records"], 2)
                else:
                    self.assertEqual(shown.data["first_name"], MARK)


class NotSealed(unittest.TestCase):
    def test_it_says_what_to_do(self):
        server = Server(env={"SEALED": "false"})
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        one = client.post("/persons", person()).data["id"]
        answer = client.delete(f"/persons/{one}?erase=true")
        self.assertEqual(answer.status, 409)
        self.assertIn("not sealed", answer.details)
        self.assertEqual(client.get(f"/persons/{one}").status, 200)
        done = server.run("person", "erase", one, check=False)
        self.assertEqual(done.returncode, DIFFERENT)
        self.assertIn("not sealed", done.stderr)


if __name__ == "__main__":
    unittest.main()
