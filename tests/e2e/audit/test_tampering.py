"""A log that is not what was signed: changed on disk under the server, or put back."""

import json
import os
import shutil
import unittest
import zlib

from audited import MSGPACK, Log
from harness import UNSEALED

COUNTER = "daybook_audit_mismatches_total"


def forge(path, record, mark):
    """Change a bit of a record where it lies, with its checksum put right, as whoever may
    write to the file can. Returns how often it was there."""
    changed = bytearray(record)
    changed[record.index(mark)] ^= 0x01
    old, new = (each + zlib.crc32(each).to_bytes(4, "little")
                for each in (record, bytes(changed)))
    with open(path, "r+b") as file:
        data = file.read()
        count, at = 0, data.find(old)
        while at >= 0:
            file.seek(at)
            file.write(new)
            count, at = count + 1, data.find(old, at + 1)
    return count


class Tampering(Log):
    settings = UNSEALED  # else a record that is changed opens no more

    def file(self):
        return os.path.join(self.server.data_dir, "log", "data.mdb")

    def test_a_changed_record_is_told_with_its_place(self):
        self.grow(600)
        self.checkpoint()
        for path in ("/tile/0/001", "/tile/entries/001", "/log/300/proof"):
            self.assertEqual(self.client.get(path).status, 200)
        self.assertGreater(forge(self.file(), self.records[299], b"a299"), 0)
        record = self.client.get("/log/300", Accept=MSGPACK)
        self.assertEqual(record.status, 200)  # its checksum is right
        self.assertNotEqual(record.body, self.records[299])
        for path in ("/tile/0/001", "/tile/entries/001", "/tile/0/001.p/7", "/log/300/proof"):
            self.assert_refused(self.client.get(path), 500, "257 to 512")
        self.assertEqual(self.client.get("/tile/0/000").status, 200)
        self.assertEqual(self.client.get("/tile/1/000.p/2").status, 200)

        health = self.client.get("/health")
        self.assertEqual((health.status, health.data["status"]), (200, "degraded"))
        self.assertIn("257 to 512", health.data["audit"])
        self.server.wait_for(lambda: "has been changed on disk" in self.server.told(), "a line")
        self.assertEqual(self.server.told().count("has been changed on disk"), 1)
        self.assertIn(COUNTER + " 4\n", self.client.get("/metrics").body.decode())

        # Of the last, not full 256, a proof of another record needs nothing of this one.
        self.assertGreater(forge(self.file(), self.records[549], b"a549"), 0)
        for path in ("/tile/0/002.p/88", "/log/550/proof"):
            self.assert_refused(self.client.get(path), 500, "record 550 is not what")
        self.assertEqual(self.client.get("/log/551/proof").status, 200)


class PutBack(Log):
    def test_a_log_that_was_put_back_goes_on_unsigned_and_says_why(self):
        log = os.path.join(self.server.data_dir, "log")
        copy = os.path.join(self.server.data_dir, "copy")
        self.grow(3)
        self.checkpoint()
        self.client.close()
        self.server.stop()
        shutil.copytree(log, copy)
        self.server.start()
        self.client = self.server.client()
        self.grow(5)
        newest = self.checkpoint()
        self.assertEqual(newest.size, 5)
        self.client.close()
        self.server.stop()
        shutil.rmtree(log)
        os.rename(copy, log)
        self.server.start()
        self.client = self.server.client()
        self.server.wait_for(
            lambda: "put back" in self.client.get("/checkpoint").details, "the reason")
        refused = self.client.get("/checkpoint")
        self.assert_refused(refused, 503, "put back to an earlier state")
        self.assertEqual(refused.headers["Retry-After"], "60")
        self.assert_refused(self.client.get("/tile/0/000.p/1"), 503, "put back")
        self.assert_refused(self.client.get("/log/1/proof"), 503, "put back")
        self.assertIn("put back", self.client.get("/health").data["audit"])
        self.assert_told_to_the_operator("it has 3 records, and 5 were signed: it was put back")
        self.recorded(self.created()["id"])  # writes go on

    def assert_told_to_the_operator(self, said):
        """In the server's log, once; in metrics; by status."""
        lines = [line for line in self.server.told().splitlines() if "but goes on" in line]
        self.assertEqual([f"the log is not signed, but goes on: {said}" in line
                          for line in lines], [True], lines)
        told = self.client.get("/metrics").body.decode()
        self.assertIn("daybook_audit_signing 0\n", told)
        self.assertIn("daybook_audit_signed_sequence 5\n", told)
        done = self.server.run("status", "--json", check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        status = json.loads(done.stdout)["audit"]
        self.assertEqual(status["signed"], 5)
        self.assertIn("has 3 records, and 5 were signed", status["error"])
        done = self.server.run("status", check=False)
        self.assertRegex(done.stdout, r"signed +trouble: .*5 were signed: it was put back")


class Off(Log):
    settings = {"AUDIT": "false"}

    def test_who_does_not_sign_says_so(self):
        self.created()
        for path in ("/checkpoint", "/tile/0/000.p/1", "/log/1/proof"):
            self.assert_refused(self.client.get(path), 503, "does not sign")
        self.assertNotIn("audit", self.client.get("/health").data)


if __name__ == "__main__":
    unittest.main()
