"""daybook audit: who has a checkpoint finds whatever was done to the log since, and where."""

import base64
import json
import os
import re
import shutil
import unittest
import zlib

from harness import NOWHERE, Server
from signed import (EVENTS, NAME, Audit, changed, kind, numbered, pack, renamed,
                    root_by_proof, unpack)
from tools import DIFFERENT, DONE, FAILED, MISUSED


class Commands(Audit):
    def test_a_log_a_backup_and_an_export_are_what_was_signed(self):
        self.checkpoint("now")
        self.run_tool("backup", "backup", "--data-dir", "log")
        self.export_file("log.msgpack")
        self.export_file("log.ndjson.zst")
        self.run_tool("import", "log.msgpack", "--data-dir", "moved")
        size = len(unpack(self.read("log.msgpack")))
        for copy in ("log", "log/log", "backup", "log.msgpack", "log.ndjson.zst", "moved"):
            said = self.verify("--vkey", self.vkey, "--checkpoint", "now", copy)
            self.assertIn(f"now: right: the first {size} records are those that {NAME} signed",
                          said)
            self.assertIn(f"records {size}, root ", said)
        said = self.verify()  # by its own keys, the newest of its own
        self.assertIn("audit/last: right", said)
        status = json.loads(self.run_tool("status", "--json", "--data-dir", "log").stdout)
        self.assertEqual([status["audit"][key] for key in ("origin", "signed", "lag", "error")],
                         [NAME, size, 0, None])
        self.assertIn(b"0 records ago, as a.example/log\n",
                      self.run_tool("status", "--data-dir", "log").stdout)

    def test_a_key_is_given_as_text_or_in_a_file_and_printed(self):
        self.assertEqual(self.audit("vkey").stdout.decode().strip(), self.vkey)
        self.assertRegex(self.vkey, rf"^{NAME}\+[0-9a-f]{{8}}\+[A-Za-z0-9+/]{{44}}$")
        self.checkpoint("now")
        self.write("keys", b"# of last year\n" + self.vkey.encode() + b"\n")
        self.verify("--vkey", "keys", "--checkpoint", "now")
        self.assertEqual(self.audit("init").stdout.decode().strip(), self.vkey)
        mode = os.stat(self.path("log", "audit", "key")).st_mode
        self.assertEqual(mode & 0o777, 0o600)

    def test_a_proof_of_a_record_holds_without_us(self):
        records = self.records()
        text = self.checkpoint("now")
        head, size, root = self.read("now").decode().split("\n")[:3]
        for sequence in (1, 256, 257, len(records)):
            self.audit("prove", str(sequence), "-o", "one.tlog-proof")
            lines = self.read("one.tlog-proof").decode().split("\n")
            self.assertEqual(lines[:2], ["c2sp.org/tlog-proof@v1", f"index {sequence - 1}"])
            end = lines.index("")
            path = [base64.b64decode(line, validate=True) for line in lines[2:end]]
            self.assertEqual("\n".join(lines[end + 1:]).encode(), self.read(text))
            self.assertEqual(
                root_by_proof(records[sequence - 1], sequence - 1, int(size), path),
                base64.b64decode(root))
            shown = self.run_tool("log", "show", str(sequence), "--proof", "--data-dir", "log")
            self.assertTrue(shown.stdout.startswith(b"record %d " % sequence), shown.stdout)
            self.assertTrue(shown.stdout.endswith(b"\n\n" + self.read("one.tlog-proof")))
        self.assertEqual(head, NAME)
        self.refused(MISUSED, "--proof is for log show", "log", "tail", "--proof",
                     "--data-dir", "log")
        self.refused(FAILED, "is not in the newest checkpoint", "audit", "prove",
                     str(len(records) + 1), "--data-dir", "log")
        for wrong in ("x", "0", "9" * 24):
            self.refused(MISUSED, "is no record's sequence", "audit", "prove", wrong,
                         "--data-dir", "log")

    def test_the_key_that_is_told_is_the_one_that_signs(self):
        self.generate("own", 10)
        vkey = self.audit("init", data="own").stdout
        with open(self.path("own", "audit", "keys.pub"), "a", encoding="ascii") as file:
            file.write(self.vkey + "\n")  # of one that never came: the disk was full
        self.assertEqual(self.audit("vkey", data="own").stdout, vkey)
        os.unlink(self.path("own", "audit", "keys.pub"))
        self.assertEqual(self.audit("vkey", data="own").stdout, vkey)
        self.checkpoint("one", data="own")
        self.verify("--checkpoint", "one", data="own")  # by keys.pub, which is there again
        os.unlink(self.path("own", "audit", "key"))
        self.assertEqual(self.audit("vkey", data="own").stdout, vkey)

    def test_a_proof_goes_where_it_is_told_to(self):
        self.checkpoint("now")
        proof = self.audit("prove", "1").stdout
        for name in ("-", "/dev/stdout"):
            self.assertEqual(self.audit("prove", "1", "-o", name).stdout, proof)
        os.mkfifo(self.path("pipe"))
        process = self.start("audit", "prove", "1", "-o", "pipe", "--data-dir", "log")
        self.assertEqual(self.read("pipe"), proof)
        self.wait_end(process)
        self.assertEqual(process.returncode, DONE)
        self.write("target", b"longer than it will be" * 100)
        os.symlink("target", self.path("link"))
        self.audit("prove", "1", "-o", "link")
        self.assertEqual(self.read("target"), proof)
        self.assertTrue(os.path.islink(self.path("link")))
        self.write("file.tmp", b"of a killed run")
        self.audit("prove", "1", "-o", "file")
        self.assertEqual(self.read("file"), proof)
        self.assertFalse(os.path.exists(self.path("file.tmp")))
        self.refused(FAILED, "nowhere/file", "audit", "prove", "1", "-o", "nowhere/file",
                     "--data-dir", "log")
        self.refused(MISUSED, "audit prove prints no JSON", "audit", "prove", "1", "--json",
                     "--data-dir", "log")

    def test_what_another_log_is_known_by_here_says_nothing_of_this_one(self):
        self.export_file("log.msgpack")
        self.write("half.msgpack", pack(self.records()[:300]))
        self.run_tool("import", "half.msgpack", "--data-dir", "earlier")
        shutil.copytree(self.path("log", "audit"), self.path("earlier", "audit"))
        self.checkpoint("year", data="earlier")
        self.generate("own", EVENTS, seed=7)  # of who verifies
        self.audit("init", "--origin", "b.example/log", data="own")
        self.checkpoint("now", data="own")  # with a tree
        said = self.verify("--vkey", self.vkey, "--checkpoint", "year", "log.msgpack",
                           data="own")
        self.assertNotIn("audit/tree", said)

    def test_the_name_of_the_settings_is_signed_under_without_a_server_too(self):
        name = ("--audit-origin", "c.example/log")
        self.generate("named", 10, seed=7)
        said = self.audit("checkpoint", *name, data="named").stdout
        self.assertTrue(said.startswith(b"c.example/log\n"), said)
        self.assertIn(b"c.example/log+", self.audit("init", *name, data="named").stdout)

    def test_one_checkpoint_extends_another(self):
        self.checkpoint("old")
        records = self.records()
        self.write("more.msgpack", pack(numbered(records + [renamed(self.event(records))])))
        self.run_tool("import", "more.msgpack", "--data-dir", "more")
        shutil.copytree(self.path("log", "audit"), self.path("more", "audit"))
        self.checkpoint("new", data="more")
        done = self.audit("consistency", "old", "new", data="more")
        self.assertIn(f"{len(records) + 1} records extend {len(records)}", done.stderr.decode())
        for line in done.stdout.decode().split():
            self.assertEqual(len(base64.b64decode(line, validate=True)), 32)
        self.refused(MISUSED, "the first has more records", "audit", "consistency", "new",
                     "old", "--data-dir", "more")
        self.verify("--checkpoint", "old", "--checkpoint", "new", data="more")

    def test_what_is_signed_by_others_is_not_believed(self):
        self.checkpoint("now")
        self.generate("other", 50, seed=7)
        other = self.audit("init", "--origin", NAME, data="other").stdout.decode().strip()
        said = self.verify("--vkey", other, "--checkpoint", "now", status=DIFFERENT)
        self.assertIn(f"now: {NAME} has not signed it: WRONG, not to be believed", said)
        self.write("changed", self.read("now").replace(b"\n\n", b"\n", 1))
        said = self.verify("--checkpoint", "changed", status=DIFFERENT)
        self.assertIn("no signed note", said)
        lines = self.read("now").split(b"\n")
        lines[1] = b"17"
        self.write("changed", b"\n".join(lines))
        said = self.verify("--checkpoint", "changed", status=DIFFERENT)
        self.assertIn(f"the signature of {NAME} is wrong", said)
        self.refused(MISUSED, "nothing to hold the log against", "audit", "verify",
                     "--vkey", self.vkey, "--data-dir", "nowhere")

    def test_a_policy_asks_for_witnesses(self):
        self.checkpoint("now")
        witness = "witness.example/w1+c9cb6cd1+BLr8cb6tOsXktj6cghbucaNKrsZXIu7bynKLTps8zOOW"
        self.write("none", f"log {self.vkey}\nquorum none\n".encode())
        self.write("one", f"log {self.vkey}\nwitness w {witness}\nquorum w\n".encode())
        self.verify("--policy", "none", "--checkpoint", "now")
        said = self.verify("--policy", "one", "--checkpoint", "now", status=DIFFERENT)
        self.assertIn("0 of the policy's 1 witnesses have signed it: too few", said)
        self.write("wrong", b"quorum all\n")
        self.refused(MISUSED, "wrong: line 1: no line above says what all is", "audit",
                     "verify", "--policy", "wrong", "--data-dir", "log")

    def test_wrong_use_says_what_is_right(self):
        self.checkpoint("now")
        self.refused(FAILED, "none.msgpack: No such file", "audit", "verify", "--vkey",
                     self.vkey, "--checkpoint", "now", "none.msgpack")
        self.write("none", b"")
        self.assertIn("none: no signed note: it is empty",
                      self.verify("--checkpoint", "none", status=DIFFERENT))
        self.refused(MISUSED, "expected init, vkey", "audit", "sign", "--data-dir", "log")
        self.refused(MISUSED, "needs the SEQUENCE", "audit", "prove", "--data-dir", "log")
        self.refused(MISUSED, "a log's name has", "audit", "init", "--origin", "a b",
                     "--data-dir", "log")


class Tampering(Audit):
    """A forger has the operator's rights: all checksums are as they must be. What he has not
    are the checkpoints and exports of the auditor."""

    def setUp(self):
        super().setUp()
        self.whole = self.records()
        self.half = self.whole[:300]
        self.write("half.msgpack", pack(self.half))
        self.run_tool("import", "half.msgpack", "--data-dir", "earlier")
        shutil.copytree(self.path("log", "audit"), self.path("earlier", "audit"))
        self.checkpoint("year", data="earlier")
        self.checkpoint("now")

    def forge(self, records):
        """As an export, and as a log that goes on under the same key."""
        self.write("forged.msgpack", pack(numbered(records)))
        shutil.rmtree(self.path("forged"), True)
        self.run_tool("import", "forged.msgpack", "--data-dir", "forged")
        return "forged"

    def assert_found(self, records, *expected, exact):
        """By the checkpoints, between them; by an older export, where it is."""
        self.forge(records)
        for copy in ("forged", "forged.msgpack"):
            said = self.verify("--vkey", self.vkey, "--checkpoint", "year", "--checkpoint",
                               "now", copy, status=DIFFERENT, data="nowhere")
            for line in expected:
                self.assertIn(line, said)
            said = self.verify("--vkey", self.vkey, "--checkpoint", "now", "--against",
                               "whole.msgpack", copy, status=DIFFERENT, data="nowhere")
            for line in exact:
                self.assertIn(line, said)

    def test_a_bit_of_a_record(self):
        records = list(self.whole)
        records[399] = changed(records[399])
        size = len(records)
        self.assert_found(
            records, "year: right: the first 300 records",
            f"now: WRONG: the first {size} records are not those that {NAME} signed: it is in "
            f"records 301 to {size}", exact=["record 400: not as in the older copy\n"])

    def test_a_bit_before_the_older_checkpoint(self):
        records = list(self.whole)
        records[100] = changed(records[100])
        self.assert_found(
            records, "year: WRONG: the first 300 records are not those",
            "it is in records 1 to 300", exact=["record 101: not as in the older copy\n"])

    def test_a_backup_of_before_puts_it_right_and_it_is_signed_on(self):
        self.run_tool("backup", "copy", "--data-dir", "log")
        old, new = (each + zlib.crc32(each).to_bytes(4, "little")
                    for each in (self.whole[100], changed(self.whole[100])))
        with open(self.path("log", "log", "data.mdb"), "r+b") as file:
            data = file.read()
            self.assertIn(old, data)
            file.seek(0)
            file.write(data.replace(old, new))
        self.run_tool("verify", "--data-dir", "log")  # its checksum is right
        said = self.verify("--against", "copy", status=DIFFERENT)
        self.assertIn("record 101: not as in the older copy\n", said)
        self.run_tool("restore", "copy", "--continue-with", "log", "--data-dir", "mended")
        shutil.copytree(self.path("log", "audit"), self.path("mended", "audit"),
                        dirs_exist_ok=True)
        self.verify("--checkpoint", "year", "--checkpoint", "now", data="mended")
        self.checkpoint("signed", data="mended")
        self.verify("--checkpoint", "signed", status=DIFFERENT)

    def test_a_record_removed(self):
        at = next(i for i in range(350, 600) if kind(self.whole[i]) == b"event.recorded")
        self.assert_found(
            self.whole[:at] + self.whole[at + 1:], "year: right",
            f"now: WRONG: {NAME} signed {len(self.whole)} records, and there are "
            f"{len(self.whole) - 1}",
            exact=[f"records {at + 1} to {len(self.whole) - 1}: not as in the older copy"])

    def test_two_swapped(self):
        records = list(self.whole)
        events = [i for i in range(310, 600) if kind(records[i]) == b"event.recorded"]
        one, other = events[0], events[5]
        records[one], records[other] = records[other], records[one]
        self.assert_found(
            records, "year: right", "now: WRONG: the first",
            exact=[f"record {one + 1}: not as", f"record {other + 1}: not as"])

    def test_one_inserted(self):
        new = renamed(self.event(self.whole))
        records = self.whole[:-1] + [new, self.whole[-1]]
        self.assert_found(
            records, "year: right",
            f"now: WRONG: the first {len(self.whole)} records are not those",
            exact=[f"record {len(self.whole)}: not as in the older copy"])

    def test_a_tail_cut(self):
        self.assert_found(
            self.whole[:-3], "year: right",
            f"now: WRONG: {NAME} signed {len(self.whole)} records, and there are "
            f"{len(self.whole) - 3}", exact=["now: WRONG"])

    def test_the_whole_log_rebuilt(self):
        self.generate("rebuilt", EVENTS, seed=99)
        self.run_tool("export", "rebuilt.msgpack", "--data-dir", "rebuilt")
        self.assert_found(
            unpack(self.read("rebuilt.msgpack")), "year: WRONG: the first 300",
            "it is in records 1 to 300", exact=["not as in the older copy"])

    def test_the_server_kept_enough_to_find_256(self):
        """By audit/tree alone, while the newest checkpoint is of before."""
        records = list(self.whole)
        records[299] = changed(records[299])
        self.forge(records)
        shutil.copytree(self.path("log", "audit"), self.path("forged", "audit"))
        said = self.verify("--checkpoint", "now", status=DIFFERENT, data="forged")
        self.assertIn("records 257 to 512: at least one is not what it was", said)
        said = self.verify("--vkey", self.vkey, "--checkpoint", "now", "forged",
                           status=DIFFERENT, data="nowhere")  # it has that beside it
        self.assertIn("records 257 to 512: at least one is not what it was", said)
        os.unlink(self.path("forged", "audit", "tree"))
        said = self.run_tool("status", "--data-dir", "forged", status=DIFFERENT).stdout
        self.assertIn(b"are not those that were signed", said)

    def test_a_second_history_under_the_stolen_key_is_shown_by_an_old_checkpoint_only(self):
        records = list(self.whole)
        records[99] = changed(records[99])
        self.forge(records)
        stolen = self.path("forged", "audit")
        shutil.copytree(self.path("log", "audit"), stolen)
        for name in ("last", "tree"):
            os.unlink(os.path.join(stolen, name))
        self.audit("trust-log", data="forged")  # the thief's word
        self.checkpoint("second", data="forged")
        # By itself it is right: nothing in it tells that there is another.
        self.verify("--vkey", self.vkey, "--checkpoint", "second", "forged.msgpack")
        said = self.verify("--vkey", self.vkey, "--checkpoint", "year", "forged.msgpack",
                           status=DIFFERENT)
        self.assertIn("year: WRONG", said)
        self.refused(DIFFERENT, "two histories", "audit", "consistency", "year", "second",
                     "--data-dir", "forged")


class Serving(Audit):
    def scrape(self, server):
        text = server.client().get("/metrics").body.decode()
        return {name: int(value) for name, value in
                re.findall(r"^(daybook_audit_\w+) (\d+)$", text, re.M)}

    def test_it_signs_what_is_written_and_not_a_log_that_was_put_back(self):
        server = Server(env={"DB_HOST": NOWHERE, "AUDIT_ORIGIN": NAME, "AUDIT_INTERVAL": "1"})
        self.addCleanup(server.close)
        server.start()
        client = server.client()

        def write(count):
            for number in range(count):
                answer = client.post("/persons", {
                    "email": f"{number}.{os.urandom(4).hex()}@x.mock", "first_name": "a",
                    "last_name": "b", "role": "user"})
                self.assertEqual(answer.status, 201, answer.body)
            return answer.sequence

        write(3)
        self.run_tool("backup", self.path("older"), "--data-dir", server.data_dir)
        head = write(5)
        server.wait_for(lambda: self.scrape(server).get("daybook_audit_signed_sequence", 0)
                        >= head, "the newest record signed")
        state = self.scrape(server)
        self.assertEqual(state["daybook_audit_signing"], 1)
        server.stop()
        self.assertIn("audit/last: right", self.verify(data=server.data_dir))
        last = self.read(os.path.join(server.data_dir, "audit", "last"))

        shutil.rmtree(os.path.join(server.data_dir, "log"))
        shutil.copytree(self.path("older"), os.path.join(server.data_dir, "log"))
        server.start()
        client = server.client()
        server.wait_for(lambda: self.scrape(server)["daybook_audit_signing"] == 0,
                        "it says that it does not sign")
        write(2)  # it goes on
        server.stop()
        with open(server.log.name) as said:
            self.assertIn("it was put back to an earlier state", said.read())
        self.assertEqual(self.read(os.path.join(server.data_dir, "audit", "last")), last)
        said = self.verify(data=server.data_dir, status=DIFFERENT)
        self.assertIn("audit/last: WRONG", said)
        os.unlink(os.path.join(server.data_dir, "database"))  # which nobody answers at
        said = json.loads(self.run_tool("status", "--json", "--data-dir", server.data_dir,
                                        status=DIFFERENT).stdout)["audit"]
        self.assertEqual(said["signed"], head)
        self.assertIn("it was put back to an earlier state", said["error"])
        self.run_tool("status", "--data-dir", server.data_dir, status=DIFFERENT)

    def test_killed_while_it_began_it_has_lost_nothing(self):
        """A key is told in keys.pub before it is there."""
        server = Server(env={"DB_HOST": NOWHERE, "AUDIT_ORIGIN": NAME})
        self.addCleanup(server.close)
        for gone, told in ((("last", "key"), False), (("last",), True)):
            server.start()
            server.wait_for(lambda: self.scrape(server)["daybook_audit_signing"] == 1, "it signs")
            server.stop()
            for name in gone:
                os.unlink(os.path.join(server.data_dir, "audit", name))
            if os.path.exists(os.path.join(server.data_dir, "database")):
                os.unlink(os.path.join(server.data_dir, "database"))
            said = json.loads(self.run_tool(
                "status", "--json", "--data-dir", server.data_dir,
                status=DIFFERENT if told else 0).stdout)["audit"]
            self.assertEqual(bool(said), told)
        self.assertIn("last is lost", said["error"])

    def test_a_name_may_come_before_the_first_start(self):
        server = Server(env={"DB_HOST": NOWHERE})
        self.addCleanup(server.close)
        self.audit("init", "--origin", NAME, data=server.data_dir)
        server.start()
        server.wait_for(lambda: self.scrape(server)["daybook_audit_signing"] == 1, "it signs")
        server.stop()
        self.assertIn(NAME, self.audit("vkey", data=server.data_dir).stdout.decode())

    def test_it_makes_a_name_up_and_can_be_told_not_to(self):
        for audit in ("true", "false"):
            server = Server(env={"DB_HOST": NOWHERE, "AUDIT": audit, "AUDIT_INTERVAL": "1"})
            self.addCleanup(server.close)
            server.start()
            if audit == "true":
                server.wait_for(lambda: self.scrape(server)["daybook_audit_signing"] == 1,
                                "it signs")
            server.stop()
            self.assertEqual(os.path.exists(os.path.join(server.data_dir, "audit")),
                             audit == "true")
        made = self.audit("vkey", data=server.data_dir, status=FAILED)
        self.assertIn("keys.pub", made.stderr.decode())


if __name__ == "__main__":
    unittest.main()
