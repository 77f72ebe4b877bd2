"""What is sent again after an erasure, and what is told of who was restricted before it."""

import unittest

from harness import Server
from served import new_id, person

SAID = "zanzibar"
TOKENS = {"root": ["admin"], "writer": ["read", "write"], "auditor": ["audit"]}


class ToldAgain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(env={"SEALED": "true"}).start()
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.tokens = {}
        for name, scopes in TOKENS.items():
            scopes = [word for scope in scopes for word in ("--scope", scope)]
            cls.tokens[name] = cls.server.run("token", "create", name, *scopes).stdout.strip()
        cls.server.wait_for(lambda: cls.client.get("/persons").status == 401 and all(
            cls.ask("GET", "/tokens/self", by=name).status == 200 for name in cls.tokens),
            "tokens known")

    @classmethod
    def ask(cls, method, path, body=None, by="root", **headers):
        return cls.client.request(method, path, body, {
            "Authorization": "Bearer " + cls.tokens[by], **headers})

    def made(self, path, body):
        answer = self.ask("POST", path, body, by="writer")
        self.assertEqual(answer.status, 201, answer.body)
        return answer.data["id"]

    def erase(self, one):
        answer = self.ask("DELETE", f"/persons/{one}?erase=true")
        self.assertEqual(answer.status, 200, answer.body)

    def test_whose_an_e_mail_was_no_batch_tells_again(self):
        """Its verdicts are told as the first time; but nobody has that e-mail now, and that it
        was this person's is what the erasure took."""
        email = f"{new_id()}@x.mock"
        one = self.made("/persons", person(email=email))
        batch = [{"person": person(email=email)},
                 {"event_type": "x", "anonymous_id": new_id()}]
        keyed = {"by": "writer", "Idempotency-Key": new_id()}
        first = self.ask("POST", "/events/batch", batch, **keyed).data
        self.assertEqual((first[0]["status"], first[0]["errors"][0]["person_id"]), (409, one))
        self.assertEqual(self.ask("POST", "/events/batch", batch, **keyed).data, first)
        self.erase(one)
        again = self.ask("POST", "/events/batch", batch, **keyed)
        self.assertEqual([each["status"] for each in again.data], [409, 201])
        self.assertNotIn(one, again.body.decode())

    def test_who_was_made_and_is_erased_is_gone(self):
        """By the key that it was made with, and by its id; never 'taken by another'."""
        one = new_id()
        body = person(id=one)
        keyed = {"by": "writer", "Idempotency-Key": new_id()}
        first = self.ask("POST", "/persons", body, **keyed)
        self.assertEqual((first.status, first.data["id"]), (201, one), first.body)
        self.assertEqual(self.ask("POST", "/persons", body, **keyed).body, first.body)
        self.erase(one)
        for headers in (keyed, {"by": "writer"}):
            again = self.ask("POST", "/persons", body, **headers,
                             Accept="application/problem+json")
            self.assertEqual(again.status, 410, again.body)
            self.assertIn("erased", again.json["type"])

    def test_who_was_restricted_and_is_erased_is_erased(self):
        """Nothing is kept of the person, so nothing is withheld."""
        one = self.made("/persons", person(first_name=SAID))
        event = self.made("/events", {"person_id": one, "event_type": SAID})
        path = f"/persons/{one}"
        self.assertEqual(self.ask("POST", path + "/restriction").status, 201)
        after = self.ask("GET", path + "/restriction").data["sequence"] - 4
        self.assertEqual(self.ask("GET", path + "/history", by="auditor").status, 403)
        self.assertEqual([each["data"].get("restricted") for each in self.ask(
            "GET", f"/log?after={after}&limit=3", by="auditor").data], [True] * 3)
        self.erase(one)
        for by in ("root", "writer"):
            self.assertEqual([self.ask("GET", each, by=by).status for each in (
                path, "/events/" + event)], [410, 410])
        self.assertEqual(self.ask("GET", path + "/restriction").status, 410)
        self.assertEqual([each["type"] for each in self.ask(
            "GET", path + "/history", by="auditor").data],
            ["person.restricted", "person.erased"])
        for each in self.ask("GET", f"/log?after={after}&limit=3", by="auditor").data:
            self.assertEqual((each["data"].get("erased"), "restricted" in each["data"]),
                             (True, False), each)


if __name__ == "__main__":
    unittest.main()
