"""A test case with a server that signs its log, and what is computed of that log here."""

import os

import proofs
from served import Served

MSGPACK = "application/msgpack"


class Log(Served):
    def grow(self, size):
        """By events of nobody known, which are a record each."""
        head = len(self.records)
        while head < size:
            count = min(size - head, 256)
            answer = self.client.post("/events/batch", [
                {"event_type": "click", "anonymous_id": f"a{head + n}"}
                for n in range(count)])
            self.assertEqual(answer.status, 200, answer.body)
            head += count
        for sequence in range(len(self.records) + 1, size + 1):
            answer = self.client.get(f"/log/{sequence}", Accept=MSGPACK)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, MSGPACK))
            self.records.append(answer.body)
        self.entries = [proofs.sha256(each) for each in self.records]
        self.leaves = [proofs.leaf(each) for each in self.entries]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.records = []

    def key(self):
        with open(os.path.join(self.server.data_dir, "audit", "keys.pub")) as file:
            return file.read().splitlines()[-1]

    def checkpoint(self, client=None):
        """One that has all that was grown: on a busy machine it may not be the first."""
        client, found = client or self.client, []
        def is_there():
            found.append(client.get("/checkpoint"))
            return (found[-1].status == 200 and
                    proofs.Checkpoint(found[-1].body).size >= len(self.records))
        self.server.wait_for(is_there, "a checkpoint")
        answer = found[-1]
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.headers["Cache-Control"], "no-cache")
        found = proofs.Checkpoint(answer.body)
        self.assertTrue(found.signed_by(self.key()))
        return found

    def raw(self, path, client=None):
        answer = (client or self.client).get(path)
        self.assertEqual(answer.status, 200, (path, answer.body))
        self.assertEqual(answer.headers["Content-Type"], "application/octet-stream")
        self.assertIsNone(answer.headers["Content-Encoding"])
        return answer.body
