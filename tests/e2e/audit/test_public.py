"""Who may see what proves: the scope audit, or everyone by AUDIT_PUBLIC."""

import unittest

from audited import MSGPACK
from harness import Server
from served import Served

PROVING = ("/checkpoint", "/tile/0/000.p/2", "/tile/entries/000.p/2", "/log/1/proof")


def create(server, name, scope):
    done = server.run("token", "create", name, "--scope", scope)
    return {"Authorization": "Bearer " + done.stdout.strip()}


class WithTokens(Served):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(env=cls.settings)
        cls.addClassCleanup(cls.server.close)
        cls.auditor = create(cls.server, "auditor", "audit")
        cls.writer = create(cls.server, "shop", "read,write")
        cls.server.start()
        cls.client = cls.server.client()
        body = {"email": "a@b.mock", "first_name": "A", "last_name": "B", "role": "user"}
        assert cls.client.request("POST", "/persons", body, cls.writer).status == 201
        cls.server.wait_for(
            lambda: cls.get("/checkpoint", cls.auditor).status == 200 and
            cls.get("/tile/0/000.p/2", cls.auditor).status == 200, "a checkpoint")

    @classmethod
    def get(cls, path, token=None, **headers):
        return cls.client.request("GET", path, headers={**(token or {}), **headers})


class Closed(WithTokens):
    def test_it_is_for_auditors(self):
        for path in PROVING:
            self.assertEqual(self.get(path, self.auditor).status, 200, path)
            self.assert_refused(self.get(path), 401, "token")
            self.assert_refused(self.get(path, self.writer), 403, "audit")

    def test_what_they_see_no_cache_may_show_to_others(self):
        self.assertEqual(self.get("/tile/0/000.p/2", self.auditor).headers["Cache-Control"],
                         "private, max-age=31536000, immutable")


class Open(WithTokens):
    settings = {"AUDIT_PUBLIC": "true"}

    def test_what_proves_is_for_everyone(self):
        for path in PROVING:
            for token in (None, self.writer, {"Authorization": "Bearer wrong"}):
                self.assertEqual(self.get(path, token).status, 200, path)
        self.assertEqual(self.get("/tile/0/000.p/2").headers["Cache-Control"],
                         "public, max-age=31536000, immutable")

    def test_what_records_say_is_not(self):
        self.assert_refused(self.get("/log/1", Accept=MSGPACK), 401, "token")
        self.assert_refused(self.get("/log/1", self.writer, Accept=MSGPACK), 403, "audit")
        self.assertEqual(self.get("/log/1", self.auditor, Accept=MSGPACK).status, 200)
        self.assert_refused(self.get("/log/1"), 401)


if __name__ == "__main__":
    unittest.main()
