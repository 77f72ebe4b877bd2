"""The ring of keys of a sealed log: who opens the log opens it, and says what is wrong with it."""

import glob
import json
import os
import shutil
import unittest

from harness import Server
from served import person
from test_lost_log import serve
from tools import DIFFERENT, DONE, FAILED, MISUSED

MARK = "Quetzalcoatlus"


class Sealed(unittest.TestCase):
    def setUp(self):
        self.server = Server(env={"SEALED": "true"})
        self.addCleanup(self.server.close)
        self.keys = os.path.join(self.server.data_dir, "keys")
        self.ring = os.path.join(self.keys, "ring")

    def put_aside(self, name):
        path = os.path.join(self.keys, name)
        os.rename(path, path + ".aside")

    def put_back(self, name):
        path = os.path.join(self.keys, name)
        os.replace(path + ".aside", path)

    def add_person(self):
        """With a name that is looked for; its id."""
        answer = self.server.client().post("/persons", person(first_name=MARK))
        self.assertEqual(answer.status, 201, answer.details)
        return answer.data["id"]

    def assert_whole(self, person_id):
        """It is served, and the log can be written to."""
        client = self.server.client()
        self.assertEqual(client.get(f"/persons/{person_id}").data["first_name"], MARK)
        self.add_person()

    def assert_serve_refuses(self, *said):
        told = serve(self, self.server, status=FAILED)
        for sentence in ("the log is sealed", *said):
            self.assertIn(sentence, told)


    def assert_told(self, said):
        """By what looks at the keys, with an exit code that a script sees."""
        done = self.server.run("keys", "status", "--json", check=False)
        self.assertEqual(done.returncode, DIFFERENT, done.stderr)
        self.assertIn(said, json.loads(done.stdout)["error"])
        self.assertIn(said, self.server.run("status", check=False).stdout)


    def assert_verify_finds_only(self, said):
        """What is wrong with the ring is not told as damage of records and indexes."""
        done = self.server.run("verify", "--json", check=False)
        self.assertEqual(done.returncode, DIFFERENT, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(len(told["findings"]), 1, told)
        self.assertIn(said, told["findings"][0]["text"])


class Opening(Sealed):
    def test_a_ring_that_was_cut_is_told(self):
        self.server.start()
        one = self.add_person()
        self.add_person()
        self.server.stop()
        shutil.copy2(self.ring, self.ring + ".aside")
        os.truncate(self.ring, 4096 + 64)  # its header, and one key
        self.assert_told("ends at key 1, and the log uses 2: it was cut")
        self.assert_verify_finds_only("ends at key 1, and the log uses 2: it was cut")
        self.put_back("ring")
        self.server.start()
        self.assert_whole(one)

    def test_a_new_ring_in_its_place_is_told(self):
        self.server.start()
        one = self.add_person()
        backup = os.path.join(self.server.data_dir, "backup")
        self.server.run("backup", backup, "--without-keys")
        self.server.stop()
        other = Server(env={"SEALED": "true"})
        self.addCleanup(other.close)
        other.run("keys", "init")
        os.rename(self.keys, self.keys + ".aside")
        shutil.copytree(os.path.join(other.data_dir, "keys"), self.keys)
        self.assert_told("the ring of keys does not open this log")
        self.assert_verify_finds_only("the ring of keys does not open this log")
        done = other.run("restore", backup, check=False)
        self.assertIn("the ring of keys does not open record 1", done.stderr)
        self.assertNotIn("older backup", done.stderr)
        shutil.rmtree(self.keys)
        os.rename(self.keys + ".aside", self.keys)
        self.server.start()
        self.assert_whole(one)

    def test_a_damaged_key_is_no_damage_of_a_backup_or_the_indexes(self):
        self.server.start()
        self.add_person()
        backup = os.path.join(self.server.data_dir, "backup")
        self.server.run("backup", backup, "--without-keys")
        self.server.stop()
        with open(self.ring, "r+b") as ring:
            ring.seek(4096)
            ring.write(b"x" * 64)
        found = json.loads(self.server.run("verify", "--json", check=False).stdout)
        self.assertEqual({each["sequence"] for each in found["findings"]}, {1, 2})
        for each in found["findings"]:
            self.assertIn("its key is damaged in the ring of keys", each["text"])
        other = Server(env={"SEALED": "true"})
        self.addCleanup(other.close)
        self.server.bring_keys(other.data_dir)
        done = other.run("restore", backup, check=False)
        self.assertIn("record 1 cannot be read: its key is damaged", done.stderr)
        self.assertNotIn("older backup", done.stderr)
        done = self.server.run("export", "--unseal", "out", check=False)
        self.assertIn("key 1 in", done.stderr)

    def test_of_whom_the_key_is_damaged_no_event_is_said_to_be_anothers(self):
        self.server.start()
        client, one = self.server.client(), self.add_person()
        client.post(f"/persons/{one}/aliases", {"anonymous_id": "a1"})
        event = client.post("/events", {"event_type": "seen", "anonymous_id": "a1"})
        self.server.stop()
        with open(self.ring, "r+b") as ring:
            ring.seek(4096)
            ring.write(b"x" * 64)
        found = json.loads(self.server.run("verify", "--json", check=False).stdout)
        said = {each["sequence"]: each["text"] for each in found["findings"]}
        self.assertIn("cannot be read", said[event.sequence])
        self.assertNotIn("another's", " ".join(said.values()))

    def test_a_log_that_is_made_is_sealed_and_its_keys_lie_beside(self):
        self.server.start()
        one = self.add_person()
        self.assertIn("is sealed with the keys in", self.server.told())
        self.assertEqual(os.stat(self.keys).st_mode & 0o777, 0o700)
        for path in glob.glob(os.path.join(self.server.data_dir, "log", "*")):
            with open(path, "rb") as file:
                self.assertNotIn(MARK.encode(), file.read(), path)
        self.server.stop()
        self.server.start()
        self.assert_whole(one)
        self.assertIn(MARK, self.server.run("log", "show", "1").stdout)

    def test_a_log_that_is_there_is_what_it_was_made(self):
        self.server.env["SEALED"] = "false"
        self.server.start()
        self.add_person()
        self.server.stop()
        self.server.env["SEALED"] = "true"
        self.server.start()
        self.add_person()
        self.assertFalse(os.path.exists(self.keys))

    def test_without_its_ring_the_log_is_read_and_not_served(self):
        self.server.start()
        one = self.add_person()
        self.server.stop()
        self.put_aside("ring")
        self.assert_serve_refuses(f"no ring of keys {self.ring}", "put back the copy")
        self.assertIn("wrong  log", self.server.run("serve", "--check", check=False).stdout)
        shown = self.server.run("log", "show", "1")
        self.assertIn("the log is sealed: there is no ring of keys", shown.stderr)
        self.assertNotIn(MARK, shown.stdout)
        self.assertIn(one, shown.stdout)
        refused = self.server.run("rebuild", check=False)
        self.assertEqual(refused.returncode, FAILED)
        self.assertIn("the log is sealed: there is no ring of keys", refused.stderr)
        self.put_back("ring")
        self.server.start()
        self.assert_whole(one)

    def test_without_its_master_key_it_is_not_served(self):
        self.server.start()
        one = self.add_person()
        self.server.stop()
        self.put_aside("master")
        self.assert_serve_refuses(f"there is no master key {self.keys}/master")
        self.put_back("master")
        self.server.start()
        self.assert_whole(one)

    def test_the_master_key_may_lie_elsewhere(self):
        master = os.path.join(self.server.data_dir, "elsewhere")
        with open(master, "w", encoding="ascii") as file:
            file.write(os.urandom(32).hex() + "\n")
        os.chmod(master, 0o600)
        self.server.env["MASTER_KEY_FILE"] = master
        self.server.start()
        one = self.add_person()
        self.assertFalse(os.path.exists(os.path.join(self.keys, "master")))
        self.server.stop()
        del self.server.env["MASTER_KEY_FILE"]
        self.assert_serve_refuses(f"there is no master key {self.keys}/master")
        folder = os.path.join(self.server.data_dir, "credentials")
        os.mkdir(folder)
        shutil.move(master, os.path.join(folder, "master_key"))
        self.server.env["CREDENTIALS_DIRECTORY"] = folder
        self.server.start()
        self.assert_whole(one)

    def test_a_torn_header_is_told_and_changes_nothing(self):
        self.server.start()
        one = self.add_person()
        self.server.stop()
        shutil.copy2(self.ring, self.ring + ".aside")
        with open(self.ring, "r+b") as file:
            file.seek(20)
            file.write(b"torn")
        self.assert_serve_refuses("its header is damaged; put back the copy")
        self.assertIn("header is damaged", self.server.run("log", "show", "1").stderr)
        self.put_back("ring")
        self.server.start()
        self.assert_whole(one)

    def test_the_ring_of_another_log_opens_none(self):
        other = Server(env={"SEALED": "true"})
        self.addCleanup(other.close)
        for server in (self.server, other):
            server.start()
            self.assertEqual(server.client().post("/persons", person()).status, 201)
            server.stop()
        self.put_aside("ring")
        self.put_aside("master")
        for name in ("ring", "master"):
            shutil.copy2(os.path.join(other.data_dir, "keys", name), self.keys)
        self.assert_serve_refuses("is the ring of another log: put this one's there")
        self.assert_told("the ring of keys is another log's")
        self.put_back("ring")
        self.put_back("master")
        self.server.start()
        self.add_person()

    def test_no_log_is_made_beside_the_ring_of_another(self):
        self.server.start()
        self.add_person()
        self.server.stop()
        shutil.rmtree(os.path.join(self.server.data_dir, "log"))
        told = serve(self, self.server, "--new", status=FAILED)
        self.assertIn("has the ring of another log", told)
        self.assertTrue(os.path.exists(self.ring))


class Command(Sealed):
    """daybook keys."""

    def setUp(self):
        super().setUp()
        self.copy = os.path.join(self.server.data_dir, "copy")

    def keys_of(self, *arguments, status=DONE):
        done = self.server.run("keys", *arguments, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_ring_may_be_made_before_its_log(self):
        self.assertIn("made the ring of keys", self.keys_of("init"))
        self.assertIn("there is a ring of keys already", self.keys_of("init", status=FAILED))
        with open(self.ring, "rb") as file:
            pepper = file.read(96)
        self.server.start()
        one = self.add_person()
        with open(self.ring, "rb") as file:
            self.assertEqual(file.read(96), pepper)
        self.assert_whole(one)

    def test_no_ring_is_made_for_a_log_that_has_no_use_of_it(self):
        self.server.env["SEALED"] = "false"
        self.server.start()
        self.assertIn("which is not sealed", self.keys_of("init", status=FAILED))
        self.assertIn("the log is not sealed", self.keys_of("status"))
        self.assertFalse(os.path.exists(self.keys))

    def test_a_copy_is_put_back_and_opens_what_came_after_it(self):
        self.server.start()
        self.assertIn("is in no backup", self.keys_of("status"))
        self.assertIn("copied", self.keys_of("backup", self.copy))
        self.assertNotIn("in no backup", self.keys_of("status"))
        one = self.add_person()
        self.server.stop()
        shutil.copy2(self.copy, self.ring)
        self.server.start()
        self.assert_whole(one)

    def test_a_rotation_beside_the_server_ends_older_copies(self):
        self.server.start()
        one = self.add_person()
        self.keys_of("backup", self.copy)
        with open(os.path.join(self.keys, "master"), "rb") as file:
            former = file.read()
        self.assertIn("epoch 2", self.keys_of("rotate"))
        with open(os.path.join(self.keys, "master"), "rb") as file:
            self.assertNotEqual(file.read(), former)
        self.assert_whole(one)
        self.assertIn("is of before the last rotation", self.keys_of("status"))
        self.server.stop()
        self.put_aside("ring")
        shutil.copy2(self.copy, self.ring)
        self.assert_serve_refuses("is not the master key of")
        self.put_back("ring")
        self.server.start()
        self.assert_whole(one)

    def test_a_torn_slot_is_told_and_costs_one_person(self):
        self.server.start()
        torn, one = self.add_person(), self.add_person()
        self.keys_of("backup", self.copy)
        self.server.stop()
        with open(self.ring, "r+b") as file:
            file.seek(4096 + 5)
            file.write(b"torn")
        told = self.keys_of("status", status=DIFFERENT)
        self.assertIn("1, the first is 1: put the copy back", told)
        self.assertIn("key 1 in", self.keys_of("backup", self.copy, status=DIFFERENT))
        self.assertIn("nothing was changed", self.keys_of("rotate", status=DIFFERENT))
        self.server.start()
        self.assert_whole(one)
        self.server.stop()
        shutil.copy2(self.copy, self.ring)
        self.server.start()
        self.assert_whole(torn)

    def test_status_tells_what_should_be_done(self):
        self.server.start()
        self.add_person()
        told = self.server.run("status").stdout
        self.assertIn("keys          1 used, epoch 1", told)
        self.assertIn("the ring of keys is in no backup", told)
        self.assertIn("the master key lies beside the ring", told)

    def test_status_tells_once_that_a_log_from_before_is_not_sealed(self):
        self.server.env["SEALED"] = "false"
        self.server.start()
        self.add_person()
        self.server.stop()
        del self.server.env["SEALED"]  # as of an older program, opened by this one
        self.server.start()
        told = self.server.run("status").stdout
        self.assertEqual(told.count("not sealed, so nobody can be erased from it"), 1, told)
        self.assertNotIn("warning", told)
        self.assertFalse(os.path.exists(self.keys))

    def test_wrong_use(self):
        for arguments, said in ((["backup"], "needs TO"), (["burn"], "is none of init"),
                                (["init", "now"], 'unexpected "now"'),
                                (["rotate", "--json"], "--json is for keys status")):
            self.assertIn(said, self.keys_of(*arguments, status=MISUSED))


if __name__ == "__main__":
    unittest.main()
