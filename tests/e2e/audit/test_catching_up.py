"""A log that was there before anybody signed it, and one that has grown unsigned since: the
server signs all of it behind what it answers meanwhile."""

import json
import os
import subprocess
import unittest

import proofs
from audited import MSGPACK
from harness import NOWHERE, Server
from tools import GENERATE

EVENTS = 200_000  # several times what a second thread is taken for


class CatchingUp(unittest.TestCase):
    def setUp(self):
        self.server = Server(env={"DB_HOST": NOWHERE, "AUDIT_INTERVAL": "1",
                                  "AUDIT_ORIGIN": "late.test/log"})
        self.addCleanup(self.server.close)

    def write(self, client):
        answer = client.post("/events", {"event_type": "click", "anonymous_id": "late"})
        self.assertEqual(answer.status, 201, answer.body)
        return answer

    def sign_all_while_it_is_used(self):
        """The checkpoint of all there was at the start, and how much is in the log then."""
        self.server.start()
        client, head, first, found = self.server.client(), None, None, None

        def is_signed():
            nonlocal head, first, found
            answer = self.write(client)
            head = answer.sequence
            first = first or head
            read = client.get(f"/events/{answer.data['id']}")
            self.assertEqual(read.status, 200, read.body)
            asked = client.get("/checkpoint")
            if asked.status != 200:
                self.assertEqual(asked.status, 503, asked.body)
                self.assertIn("it has not gone through the log yet", asked.details)
                self.assertGreater(int(asked.headers["Retry-After"]), 0)
                return False
            found = proofs.Checkpoint(asked.body)
            return found.size >= first
        self.server.wait_for(is_signed, "a checkpoint of all")
        record = client.get(f"/log/{first}", Accept=MSGPACK)
        proof = client.get(f"/log/{first}/proof")
        self.assertTrue(proofs.Proof(proof.body).proves(record.body))
        return found, head

    def status(self):
        """What an operator is told of it, server or no server."""
        done = self.server.run("status", "--json", check=False)
        return json.loads(done.stdout)["audit"]

    def keep(self):
        """The newest checkpoint, as an auditor would."""
        name = os.path.join(self.server.data_dir, "kept.checkpoint")
        with open(os.path.join(self.server.data_dir, "audit", "last"), "rb") as last, \
                open(name, "wb") as file:
            file.write(last.read())
        return name

    def test_a_log_of_the_version_before_is_signed_without_stopping(self):
        subprocess.run([GENERATE, "--data-dir", self.server.data_dir, "--events",
                        str(EVENTS)], check=True, stdout=subprocess.DEVNULL)
        found, head = self.sign_all_while_it_is_used()
        self.assertGreater(found.size, EVENTS)
        self.assertLessEqual(found.size, head)
        self.server.wait_for(lambda: self.status()["lag"] == 0, "all to be signed")
        kept = self.keep()
        self.server.stop()

        self.server.env["AUDIT"] = "false"
        self.server.start()
        client = self.server.client()
        for _ in range(300):
            newest = self.write(client).sequence
        self.server.stop()
        told = self.status()
        self.assertEqual((told["signed"], told["lag"]), (head, newest - head))

        del self.server.env["AUDIT"]
        found, head = self.sign_all_while_it_is_used()
        self.assertGreater(found.size, newest)
        self.server.wait_for(lambda: self.status()["lag"] == 0, "all to be signed")
        self.server.run("audit", "verify", "--checkpoint", kept)


if __name__ == "__main__":
    unittest.main()
