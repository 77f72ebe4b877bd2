"""daybook audit cosign, and what the server shows of it: witnesses that do as they should,
and one that fails in each way."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

from harness import NOWHERE, PATIENCE, PROGRAM, Server
from tools import DIFFERENT, DONE, FAILED, MISUSED
from witness import Note, Witness

import unittest


class Case(unittest.TestCase):
    def setUp(self):
        self.server = Server(env={"DB_HOST": NOWHERE, "AUDIT_ORIGIN": "daybook.test/log",
                                  "AUDIT_INTERVAL": "1"})
        self.addCleanup(self.server.close)
        self.audit = os.path.join(self.server.data_dir, "audit")
        self.policy = os.path.join(self.server.data_dir, "policy")
        self.followers = []

    def witness(self, name):
        made = Witness(name)
        self.addCleanup(made.close)
        made.logs = [self.log_key()] if os.path.exists(self.audit) else []
        return made

    def log_key(self):
        return self.keys()[-1]

    def keys(self):
        with open(os.path.join(self.audit, "keys.pub")) as file:
            return file.read().split()

    def write_policy(self, *witnesses, rest=None):
        names = " ".join(witness.name for witness in witnesses)
        with open(self.policy, "w") as file:
            file.write("".join(witness.line for witness in witnesses))
            file.write(rest or f"group all-of-them all {names}\nquorum all-of-them\n")

    def add(self, count=1):
        """Persons; as many records are in the log then, and signed."""
        client = self.server.client()
        for _ in range(count):
            answer = client.post("/persons", {"email": f"{time.time_ns()}@a.test",
                                              "first_name": "A", "last_name": "B"})
            self.assertEqual(answer.status, 201, answer.body)
        self.server.wait_for(lambda: self.last() and self.last().size == answer.sequence,
                             "a checkpoint")
        return answer.sequence

    def read(self, name):
        try:
            with open(os.path.join(self.audit, name), encoding="utf-8") as file:
                return Note(file.read())
        except FileNotFoundError:
            return None

    def last(self):
        return self.read("last")

    def cosigned(self):
        return self.read("cosigned")

    def cosign(self, *arguments, status=DONE):
        done = self.server.run("audit", "cosign", "--audit-policy", self.policy, *arguments,
                               check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def states(self, status):
        told = json.loads(self.cosign("--json", status=status).stdout)
        return {one["name"]: one["state"] for one in told["witnesses"]}

    def follow(self):
        process = subprocess.Popen(
            [PROGRAM, "audit", "cosign", "--follow", "--data-dir", self.server.data_dir,
             "--audit-policy", self.policy], env=self.server.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=PATIENCE)[1]
        self.assertEqual(process.returncode, DONE, told)
        return told


class Cosigned(Case):
    def test_witnesses_sign_what_was_signed_and_what_comes(self):
        self.server.start()
        few = self.add(3)
        one, two = self.witness("w.test/one"), self.witness("w.test/two")
        self.write_policy(one, two)
        text = self.cosign().stdout
        self.assertIn(f"{few} records, signed by 2 of 2: as many as", text)
        note = self.cosigned()
        self.assertEqual(note.size, few)
        for key in (self.log_key(), one.vkey, two.vkey):
            self.assertTrue(note.signed_by(key), key)
        self.assertEqual(one.asked, [(0, few, 200)])
        many = self.add(300)  # over a border of 256
        self.cosign()
        self.assertEqual(self.cosigned().size, many)
        self.assertEqual(one.asked[1:], [(few, many, 200)])  # it was remembered
        self.cosign()  # nothing new: its time is renewed
        self.assertEqual(one.asked[2:], [(many, many, 200)])

    def test_no_witness_is_asked_again_for_what_cannot_be_written_here(self):
        self.server.start()
        self.add()
        one = self.witness("w.test/one")
        self.write_policy(one)
        where = os.path.join(self.audit, "witnesses")
        os.mkdir(where + ".tmp")  # where it would write
        process = self.follow()
        self.server.wait_for(self.cosigned, "a checkpoint of a witness")
        time.sleep(3)  # it tries to write once a second
        self.assertEqual(len(one.asked), 1)
        os.rmdir(where + ".tmp")
        self.server.wait_for(lambda: os.path.exists(where), "it to be written")
        self.assertEqual(self.end(process).count("witnesses.tmp"), 1)

    def test_one_that_knows_another_size_gets_the_proof_from_there(self):
        self.server.start()
        few = self.add(5)
        one = self.witness("w.test/one")
        self.write_policy(one)
        self.cosign()
        more = self.add(2)
        os.remove(os.path.join(self.audit, "witnesses"))
        self.cosign()
        self.assertEqual(one.asked[1:], [(0, more, 409), (few, more, 200)])
        one.size, one.root = 0, b""  # it was made anew
        self.cosign()
        self.assertEqual(one.asked[3:], [(more, more, 409), (0, more, 200)])

    def test_a_follower_keeps_up_and_no_slow_one_holds_it_up(self):
        self.server.start()
        self.add()
        fast, slow = self.witness("w.test/fast"), self.witness("w.test/slow")
        slow.fault = "slow"
        self.write_policy(fast, slow, rest="quorum w.test/fast\n")
        process = self.follow()
        for _ in range(3):
            size = self.add()
            self.server.wait_for(lambda: self.cosigned() and self.cosigned().size == size,
                                 "a cosigned checkpoint")
        self.cosign(status=FAILED)  # one at a time
        self.assertIn("cosigned", self.end(process))
        self.assertTrue(self.cosigned().signed_by(fast.vkey))

    def test_it_waits_for_a_server_that_has_not_signed_yet(self):
        self.server.start()
        self.add()
        one = self.witness("w.test/one")
        self.write_policy(one)
        last = os.path.join(self.audit, "last")
        os.rename(last, last + ".away")
        process = self.follow()
        self.assertIsNone(self.cosigned())
        os.rename(last + ".away", last)
        self.server.wait_for(self.cosigned, "a cosigned checkpoint")
        self.end(process)


class Faults(Case):
    def setUp(self):
        super().setUp()
        self.server.start()
        self.add(3)
        self.good, self.bad = self.witness("w.test/good"), self.witness("w.test/bad")
        self.write_policy(self.good, self.bad)

    def test_each_answer_is_what_the_protocol_says_and_counts_for_nothing(self):
        self.cosign()
        before = self.cosigned().text
        size = self.add()
        for fault, state, status in (
                ("badsig", "later", FAILED), ("garbage", "later", FAILED),
                ("flood", "later", FAILED), ("409loop", "later", FAILED),
                (500, "later", FAILED), (503, "later", FAILED), (429, "later", FAILED),
                (302, "later", FAILED), (204, "later", FAILED), (404, "unknown_log", FAILED),
                (403, "unknown_key", FAILED), (400, "refused", FAILED),
                (422, "split", DIFFERENT)):
            with self.subTest(fault=fault):
                self.bad.fault = fault
                asked = len(self.bad.asked)
                self.assertEqual(self.states(status),
                                 {"w.test/good": "cosigned", "w.test/bad": state})
                self.assertLessEqual(len(self.bad.asked) - asked, 3)
                self.assertEqual(self.cosigned().text, before)
        self.bad.fault = None
        self.cosign()
        self.assertEqual(self.cosigned().size, size)

    def test_one_that_is_not_there_is_for_later(self):
        self.bad.close()
        self.assertEqual(self.states(FAILED)["w.test/bad"], "later")
        self.assertIsNone(self.cosigned())
        self.write_policy(self.good, self.bad,
                          rest="group any-of-them any w.test/good w.test/bad\n"
                               "quorum any-of-them\n")
        self.cosign()
        self.assertTrue(self.cosigned().signed_by(self.good.vkey))

    def test_what_answers_late_is_asked_less_and_less(self):
        self.bad.fault = 500
        process = self.follow()
        self.server.wait_for(lambda: len(self.bad.asked) >= 3, "three requests")
        time.sleep(2)
        self.assertLess(len(self.bad.asked), 6)
        told = self.end(process)
        self.assertEqual(told.count("it says 500"), 1)  # and told once


class Shown(Case):
    def test_only_what_enough_have_signed_is_shown(self):
        self.server.env.update(AUDIT_POLICY=self.policy, AUDIT_WITNESS_PATIENCE="1")
        with open(self.policy, "w") as file:
            file.write("quorum none\n")
        self.server.start()
        few = self.add(2)
        one = self.witness("w.test/one")
        client = self.server.client()
        self.assertFalse(Note(client.get("/checkpoint").body.decode()).signed_by(one.vkey))
        self.write_policy(one)
        self.server.stop()
        self.server.start()
        client = self.server.client()
        self.server.wait_for(lambda: "witnesses" in client.get("/checkpoint").details,
                             "that it goes through the log")
        self.assertEqual(client.get("/checkpoint").status, 503)
        self.assertEqual(client.get("/log/1/proof").status, 503)
        self.cosign()
        self.server.wait_for(lambda: client.get("/checkpoint").status == 200, "a checkpoint")
        self.assertEqual(client.get("/health").data["audit"], "ok")
        more = self.add(2)
        note = Note(client.get("/checkpoint").body.decode())
        self.assertEqual(note.size, few)
        self.assertTrue(note.signed_by(one.vkey))
        self.assertIn(one.name, client.get("/log/1/proof").body.decode())
        self.assertNotEqual(client.get(f"/log/{more}/proof", Prefer="wait=0").status, 200)
        self.server.wait_for(lambda: client.get("/health").data["audit"] ==
                             f"witnesses have signed {few} of {more} records, and nothing "
                             "since", "that they are behind")
        self.assertIn(b"daybook_audit_witnesses_behind 1\n", client.get("/metrics").body)
        self.cosign()
        self.server.wait_for(lambda: client.get(f"/log/{more}/proof").status == 200, "a proof")
        self.assertEqual(client.get("/health").data["audit"], "ok")

    def test_a_policy_that_is_none_is_refused_at_the_start(self):
        with open(self.policy, "w") as file:
            file.write("quorum nobody\n")
        done = self.server.run("serve", "--check", "--audit-policy", self.policy, check=False)
        self.assertEqual(done.returncode, MISUSED, done.stdout)
        self.assertIn("line 1", done.stdout)
        done = self.server.run("serve", "--audit-policy", self.policy, check=False)
        self.assertEqual(done.returncode, MISUSED, done.stderr)
        self.assertIn("line 1", done.stderr)

    def test_a_policy_that_names_another_key_of_the_log_is_told(self):
        self.server.start()
        self.add()
        one = self.witness("w.test/one")
        former = self.log_key()
        self.write_policy(one)
        with open(self.policy, "a") as file:
            file.write(f"log {former}\n")
        self.cosign()
        self.server.run("audit", "rotate-key")
        self.server.wait_for(lambda: self.last().signed_by(self.keys()[-1]), "both")
        self.add()
        self.server.run("audit", "rotate-key", "--end")
        one.logs.append(self.log_key())
        self.server.wait_for(lambda: self.add() and not self.last().signed_by(former), "one")
        self.assertIn("has not signed it", self.cosign(status=FAILED).stderr)


class Alarms(Case):
    def setUp(self):
        super().setUp()
        self.server.env["AUDIT_POLICY"] = self.policy
        with open(self.policy, "w") as file:
            file.write("quorum none\n")
        self.server.start()
        self.add(2)
        self.one = self.witness("w.test/one")
        self.write_policy(self.one)

    def keep(self, to):
        self.server.stop()
        shutil.copytree(self.server.data_dir, to)
        self.addCleanup(shutil.rmtree, to)

    def put_back(self, kept):
        self.server.stop()
        for name in ("log", "audit"):
            shutil.rmtree(os.path.join(self.server.data_dir, name))
            shutil.copytree(os.path.join(kept, name),
                            os.path.join(self.server.data_dir, name))
        shutil.rmtree(os.path.join(self.server.data_dir, "history"), ignore_errors=True)

    def assert_alarm(self, verdict, seen, said):
        """By who asks the witness, and by the server where an operator looks: its log once,
        health, metrics, status."""
        said = f"w.test/one: {said}"
        done = self.cosign("--json", status=DIFFERENT)
        told, = json.loads(done.stdout)["witnesses"]
        self.assertEqual((told["state"], told["records"]), (verdict, seen))
        self.assertIn(f"ALARM: witness {said}", done.stderr)
        self.server.wait_for(lambda: "ALARM" in self.server.told(), "an alarm in the log")
        lines = [line for line in self.server.told().splitlines() if "ALARM" in line]
        self.assertEqual([f"ALARM: witness {said}" in line for line in lines], [True], lines)
        client = self.server.client()
        health = client.get("/health").data
        self.assertEqual(health["status"], "degraded")
        self.assertIn(said, health["audit"])
        self.assertIn(b"daybook_audit_witness_alarms 1\n", client.get("/metrics").body)
        done = self.server.run("status", "--json", check=False)
        self.assertNotEqual(done.returncode, DONE, done.stdout)
        told = json.loads(done.stdout)["audit"]
        self.assertEqual(told["witnesses"][0]["state"], verdict)
        self.assertIn(said, told["error"])
        done = self.server.run("status", check=False)
        self.assertIn(f"w.test/one {verdict},", done.stdout)
        self.assertRegex(done.stdout, rf"signed +trouble: witness {re.escape(said)}")

    def test_a_log_that_was_put_back_with_all_beside_it_is_told_by_the_witness(self):
        kept = self.server.data_dir + ".kept"
        self.keep(kept)
        self.server.start()
        seen = self.add(3)
        self.cosign()
        self.put_back(kept)
        self.server.start()
        self.assert_alarm("rolled_back", seen, f"it has signed this log with {seen} records")

    def test_a_second_history_by_the_same_key_is_told_by_the_witness(self):
        kept = self.server.data_dir + ".kept"
        self.keep(kept)
        self.server.start()
        seen = self.add(2)
        self.cosign()
        self.put_back(kept)
        self.server.start()
        self.add(2)  # as many, and others
        self.assert_alarm("split", seen, "it has signed another history of this log")
        self.add(1)
        self.assertEqual(self.states(DIFFERENT), {"w.test/one": "split"})

    def test_a_log_that_is_not_the_one_that_was_signed_is_shown_to_nobody(self):
        kept = self.server.data_dir + ".kept"
        self.keep(kept)
        self.server.start()
        self.add(2)
        self.server.stop()
        shutil.rmtree(os.path.join(self.server.data_dir, "log"))
        shutil.copytree(os.path.join(kept, "log"), os.path.join(self.server.data_dir, "log"))
        done = self.cosign(status=DIFFERENT)
        self.assertIn("put back", done.stderr)
        self.assertEqual(self.one.asked, [])


class Uses(Case):
    def test_what_is_missing_is_named(self):
        self.server.start()
        self.add()
        done = self.server.run("audit", "cosign", check=False)
        self.assertEqual(done.returncode, MISUSED)
        self.assertIn("AUDIT_POLICY", done.stderr)
        for text, said in (("witness a b\nquorum none\n", "line 1"),
                           ("quorum none\n", "no witness of the policy has a URL")):
            with open(self.policy, "w") as file:
                file.write(text)
            self.assertIn(said, self.cosign(status=MISUSED).stderr)


class Keys(Case):
    def test_two_keys_sign_until_the_former_is_ended(self):
        self.server.start()
        self.add()
        former = self.log_key()
        one = self.witness("w.test/one")  # knows the former only
        self.write_policy(one)
        made = self.server.run("audit", "rotate-key").stdout.split()[1]
        self.assertEqual(self.keys(), [former, made])
        self.server.wait_for(lambda: self.last().signed_by(made), "both signatures")
        self.assertTrue(self.last().signed_by(former))
        self.assertEqual(self.server.run("audit", "rotate-key", check=False).returncode, FAILED)
        self.add()
        self.cosign()
        for key in (former, made, one.vkey):
            self.assertTrue(self.cosigned().signed_by(key), key)
        self.assertEqual(self.server.run("audit", "rotate-key", "--end").stdout.split()[1],
                         former)
        self.server.wait_for(lambda: self.add() and not self.last().signed_by(former),
                             "one signature")
        self.assertTrue(self.last().signed_by(made))
        self.assertEqual(self.keys(), [former, made])
        self.assertEqual(self.states(FAILED), {"w.test/one": "unknown_key"})
        one.logs.append(made)
        self.cosign()

    def test_killed_at_any_moment_what_is_signed_verifies_by_a_listed_key(self):
        self.server.start()
        self.add()
        for round_ in range(6):
            arguments = ("rotate-key", "--end") if round_ % 2 else ("rotate-key",)
            process = subprocess.Popen(
                [PROGRAM, "audit", *arguments, "--data-dir", self.server.data_dir],
                env=self.server.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.005 * round_)
            process.kill()
            process.wait()
            self.add()
            last = self.last()
            self.assertTrue(any(last.signed_by(key) for key in self.keys()))


if __name__ == "__main__":
    unittest.main()
