"""Servers of one sealed log: what each needs is the file of the master key, and no other."""

import os
import shutil
import tempfile
import unittest

from members import Brokers, Member, find_leader, require_brokers, status_of
from served import person


class Sealed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        require_brokers()
        cls.brokers = Brokers()
        cls.addClassCleanup(cls.brokers.close)
        cls.place = tempfile.mkdtemp(prefix="daybook-e2e-")
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.members = [cls.member(name) for name in ("db1", "db2")]

    @classmethod
    def member(cls, name, digit="a"):
        master = os.path.join(cls.place, name)
        cls.put(master, digit)
        made = Member(cls.brokers, name, SEALED="true", MASTER_KEY_FILE=master)
        cls.addClassCleanup(made.close)
        return made

    @staticmethod
    def put(path, digit):
        with open(path, "w") as file:
            file.write(digit * 64 + "\n")
        os.chmod(path, 0o600)

    def told(self):
        """By who does not lead: of it and of the leader, for these brokers list no groups. Who
        leads may change at any moment on a machine under load. (who told it, its list)"""
        found = []

        def both_tell():
            found[:] = max(((member, status_of(member)[0]["members"])
                            for member in self.members), key=lambda told: len(told[1]))
            return len(found[1]) == 2
        self.members[0].wait_for(both_tell, "both tell of themselves")
        return found

    def told_keys(self):
        told = [one["master_key"] for one in self.told()[1]]
        for key in told:
            self.assertRegex(key, "^[0-9a-f]{16}$")
        return told

    def ring(self, member):
        return os.path.join(member.data_dir, "keys", "ring")

    def test_from_nothing(self):
        first, second = self.members
        master = first.env.pop("MASTER_KEY_FILE")
        refused = first.run("cluster", "init", check=False)
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("MASTER_KEY_FILE", refused.stderr)
        first.env["MASTER_KEY_FILE"] = master
        self.assertIn("the same MASTER_KEY_FILE", first.run("cluster", "init").stdout)

        del second.env["MASTER_KEY_FILE"]
        checked = second.run("serve", "--check", check=False)
        self.assertIn("name it in MASTER_KEY_FILE", checked.stdout + checked.stderr)
        second.env["MASTER_KEY_FILE"] = os.path.join(self.place, "db2")

        self.put(second.env["MASTER_KEY_FILE"], "f")
        refused = second.run("serve", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("another master key", refused.stderr)
        self.assertFalse(os.path.exists(self.ring(second)))
        self.put(second.env["MASTER_KEY_FILE"], "a")

        first.env["RETENTION"] = "events:400d"
        for member in self.members:
            member.spawn()
        for member in self.members:
            member.wait_ready()
        leader = find_leader(self.members, self.brokers)
        other = second if leader is first else first
        answer = leader.ask("POST", "/persons", person())
        self.assertEqual(answer.status, 201, answer.body)
        told = other.ask("GET", f"/persons/{answer.data['id']}").data
        self.assertEqual(told["email"], answer.data["email"])
        for member in self.members: # neither log has it in the clear
            with open(os.path.join(member.data_dir, "log", "data.mdb"), "rb") as file:
                self.assertNotIn(answer.data["email"].encode(), file.read())

        member, told = self.told()
        self.assertEqual({one["node"]: one["retention_days"] for one in told},
                         {"db1": 400, "db2": 0})
        text = member.run("cluster", "status", check=False).stdout
        self.assertIn("retention     events:400d at db1\n              none at db2\n", text)
        self.assertIn("whoever leads goes by its own", text)

        before = self.told_keys()
        self.assertEqual(len(set(before)), 1)

        refused = first.run("keys", "rotate", check=False)  # each would make one of its own
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(".new", refused.stderr)
        for member in self.members:
            self.put(member.env["MASTER_KEY_FILE"] + ".new", "b")
        for member in self.members:
            member.run("keys", "rotate")
            self.assertFalse(os.path.exists(member.env["MASTER_KEY_FILE"] + ".new"))
        other.wait_for(lambda: not set(self.told_keys()) & set(before), "both have rotated")
        answer = find_leader(self.members, self.brokers).ask("POST", "/persons", person())
        self.assertEqual(answer.status, 201, answer.body)
        told = other.ask("GET", f"/persons/{answer.data['id']}").data
        self.assertEqual(told["email"], answer.data["email"])


if __name__ == "__main__":
    unittest.main()
