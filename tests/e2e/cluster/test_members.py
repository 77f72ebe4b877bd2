"""Three servers of one log: written to at one, read at all; killed, handed over, joined."""

import json
import os
import shutil
import tempfile
import unittest
import uuid

from harness import Server
from members import Brokers, Member, find_leader, require_brokers, status_of
from served import person


REFUSED = (401, 429)  # whoever is refused again and again is told to wait


class Kafka(unittest.TestCase):
    """The file of passwords: its owner's alone, and shown to nobody."""

    def setUp(self):
        require_brokers()
        self.server = Server(env={"CLUSTER_BROKERS": "127.0.0.1:1"})
        self.addCleanup(self.server.close)
        self.path = os.path.join(self.server.data_dir, "kafka.conf")
        self.server.env["CLUSTER_KAFKA"] = self.path

    def refused(self, status):
        done = self.server.run("cluster", "status", check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("hunter2", done.stdout + done.stderr)
        return done.stderr

    def write(self, text, mode=0o600):
        with open(self.path, "w") as file:
            file.write(text)
        os.chmod(self.path, mode)

    def test_it_must_be_there(self):
        self.assertIn("No such file", self.refused(2))

    def test_others_may_not_read_it(self):
        for mode in (0o644, 0o640, 0o602):
            self.write("sasl.password=hunter2\n", mode)
            self.assertIn("chmod 600", self.refused(2))

    @unittest.skipIf(os.geteuid() != 0, "SKIPPED: only root can give files away")
    def test_it_is_of_who_runs_it(self):
        self.write("sasl.password=hunter2\n")
        os.chown(self.path, 65534, -1)
        self.assertIn("belongs to the user", self.refused(2))

    def test_what_is_wrong_in_it_is_named_by_its_line(self):
        self.write("sasl.password=hunter2\n# a comment\nno.such.thing=hunter2\n")
        self.assertIn("line 3", self.refused(2))
        self.write("sasl.password=hunter2\nacks=1\n")
        self.assertIn("acks is not to be set", self.refused(2))
        self.write("sasl.password=hunter2\nssl.ca.location=/nowhere/ca.pem\n")
        self.assertIn("line 2: ssl.ca.location: /nowhere/ca.pem: No such file", self.refused(2))

    def test_brokers_that_do_not_answer_are_told(self):
        self.write("sasl.password=hunter2\n")
        self.assertIn("the brokers do not answer", said := self.refused(3))
        self.assertIn("Connection refused", said)


class Members(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        require_brokers()
        cls.brokers = Brokers()
        cls.addClassCleanup(cls.brokers.close)
        cls.members = [Member(cls.brokers, "db1"), Member(cls.brokers, "db2"),
                       Member(cls.brokers, "db3", CLUSTER_ROLE="follower")]
        for member in cls.members:
            cls.addClassCleanup(member.close)
        told = cls.members[0].run("cluster", "init")
        assert "an empty data directory" in told.stdout, told.stdout
        for member in cls.members:
            member.spawn()
        for member in cls.members:
            member.wait_ready()

    def setUp(self):
        """All run, and one leads."""
        for member in self.members:
            if not member.process:
                member.start()
        self.leader = find_leader(self.members, self.brokers)
        self.others = [one for one in self.members if one is not self.leader]
        self.heir, self.follower = self.others  # the last one never leads

    def create(self, member, **headers):
        answer = member.ask("POST", "/persons", person(), **headers)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.data["id"]

    def folder(self):
        made = tempfile.mkdtemp(prefix="daybook-e2e-")
        self.addCleanup(shutil.rmtree, made, ignore_errors=True)
        return made

    def assert_same_logs(self, members):
        first = self.leader.log_records()
        for member in members:
            self.assertEqual(member.log_records(), first)

    def test_brokers_that_know_no_topic_yet_are_waited_for(self):
        one = self.follower
        one.stop()
        self.brokers.say("error daybook 3")
        one.spawn()
        one.wait_for(lambda: "starting without the brokers" in one.told()
                     or one.process.poll() is not None, "a start")
        self.brokers.say("error daybook 0")
        one.wait_ready()
        made = self.create(self.leader)
        one.wait_for(lambda: one.ask("GET", f"/persons/{made}").status == 200, "a read")

    def test_what_is_written_at_the_leader_is_read_at_all(self):
        for _ in range(20):
            made = self.create(self.leader)
            for member in self.members:
                self.assertEqual(member.ask("GET", f"/persons/{made}").status, 200)
        self.assert_same_logs(self.others)

    def test_a_follower_says_where_the_leader_is(self):
        answer = self.others[0].ask("POST", "/persons?x=1", person())
        self.assertEqual(answer.status, 307, answer.body)
        self.assertEqual(answer.headers["Location"], self.leader.url + "/persons?x=1")
        self.assertEqual(answer.headers["Daybook-Leader"], self.leader.url)

    def test_the_leader_is_handed_over_from_any_machine(self):
        heir, other = self.heir, self.follower
        made = self.create(self.leader)
        done = other.run("cluster", "hand-over", heir.node, "--json")
        self.assertEqual(json.loads(done.stdout), {"leader": heir.node})
        heir.wait_for(heir.leads, "it leads")
        self.assertFalse(self.leader.leads())
        self.create(heir)
        self.assertEqual(heir.ask("GET", f"/persons/{made}").status, 200)
        refused = other.run("cluster", "hand-over", "db9", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn('"db9"', refused.stderr)

    def test_a_leader_that_is_killed_is_replaced_and_nothing_is_lost(self):
        made = [self.create(self.leader) for _ in range(20)]
        self.leader.kill()
        heir = find_leader([self.heir], self.brokers)
        for one in made:
            self.assertEqual(heir.ask("GET", f"/persons/{one}").status, 200)
        made.append(self.create(heir))
        told, code = status_of(heir)
        self.assertEqual(told["leader"], heir.node)
        self.leader.start()
        self.assertEqual(self.leader.ask("GET", f"/persons/{made[-1]}").status, 200)
        self.assert_same_logs(self.members)

    def test_status_shows_the_one_that_is_down(self):
        """These brokers list no groups, and so tell of this one and of the leader."""
        down = self.follower
        self.leader.wait_for(lambda: status_of(down)[1] == 0, "they are seen")
        told, _ = status_of(down)
        self.assertEqual([one["node"] for one in told["members"]],
                         sorted([down.node, self.leader.node]))
        self.assertEqual(told["leader"], self.leader.node)
        down.kill()
        self.leader.wait_for(lambda: status_of(down)[1] == 1, "it is missed")
        lines = down.run("cluster", "status", check=False).stdout.splitlines()
        row = next(line for line in lines if line.startswith(down.node + " "))
        self.assertIn("not seen", row)
        self.assertIn(down.url, row)
        told, _ = status_of(down)
        self.assertFalse(told["well"])
        self.assertEqual({one["node"]: one["state"] for one in told["members"]},
                         {down.node: "follows", self.leader.node: "leads"})

    def test_a_backup_joins_as_a_member(self):
        made = self.create(self.leader)
        backup = os.path.join(self.folder(), "backup")
        follower = self.follower
        self.assertEqual(follower.ask("GET", f"/persons/{made}").status, 200)
        follower.run("backup", backup)
        later = self.create(self.leader)
        joins = Member(self.brokers, "db4", CLUSTER_ROLE="follower")
        self.addCleanup(joins.close)
        joins.run("restore", backup, "--member")
        joins.start()
        for one in (made, later):
            self.assertEqual(joins.ask("GET", f"/persons/{one}").status, 200)
        self.assertEqual(joins.log_records(), self.leader.log_records())
        joins.wait_for(lambda: "db4" in [one["node"] for one in status_of(joins)[0]["members"]],
                       "it is told of")

    def test_a_fork_and_another_log_are_refused(self):
        self.create(self.leader)
        backup = os.path.join(self.folder(), "backup")
        self.others[0].run("backup", backup)
        fork = Member(self.brokers, "db5")
        self.addCleanup(fork.close)
        fork.run("restore", backup)
        refused = fork.run("serve", "--port", str(fork.port), check=False)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("not copies of each other", refused.stderr)
        self.assertIn("--member", refused.stderr)
        refused = fork.run("cluster", "init", check=False)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("has a stream already", refused.stderr)

    def test_a_member_is_not_served_alone(self):
        down = self.follower
        down.stop()
        told = down.run("serve", "--port", str(down.port), "--check").stdout
        self.assertRegex(told, r"ok +cluster +daybook goes on at message \d+, as a follower")
        env = down.env
        down.env = {k: v for k, v in env.items() if not k.startswith("CLUSTER_")}
        try:
            refused = down.run("serve", "--port", str(down.port), check=False)
            told = down.run("serve", "--port", str(down.port), "--check", check=False)
        finally:
            down.env = env
        self.assertEqual(refused.returncode, 3)
        self.assertIn("CLUSTER_BROKERS is empty", refused.stderr)
        self.assertRegex(told.stdout, r"wrong +cluster +the log is a member of one")

    def test_what_would_write_beside_the_leader_is_refused(self):
        folder = self.folder()
        persons = os.path.join(folder, "persons.ndjson")
        with open(persons, "w") as file:
            file.write(json.dumps({"id": str(uuid.uuid4()), **person()}) + "\n")
        for member in self.members:
            refused = member.run("import", persons, check=False)
            self.assertEqual(refused.returncode, 3, refused.stdout)
            self.assertIn("member of a cluster", refused.stderr)
            self.assertIn("POST /events/batch", refused.stderr)
        self.assert_same_logs(self.others)

    def test_status_says_what_part_it_has(self):
        for member in self.members:
            told = json.loads(member.run("status", "--json", check=False).stdout)
            self.assertGreater(told["member"]["next"], 0)
            self.assertEqual(told["member"]["leads"], member is self.leader)
            text = member.run("status", check=False).stdout
            self.assertIn("leads" if member is self.leader else "follows", text)

    def test_zz_tokens_are_of_all_machines(self):
        """Last: once there has been a token, every request needs one."""
        one, other, third = self.members
        secret = one.run("token", "create", "kate", "--scope", "admin").stdout.strip()
        bearer = {"Authorization": "Bearer " + secret}

        def status(member):
            return member.ask("GET", "/persons", **bearer).status

        def refused(member):
            return member.ask("GET", "/persons").status in REFUSED

        for member in self.members:
            member.wait_for(lambda member=member: refused(member), "it asks for tokens")
            self.assertEqual(status(member), 200)
        made = third.ask("POST", "/admin/tokens", {"name": "ororo", "scopes": ["read"]},
                         **bearer)
        self.assertEqual(made.status, 201, made.body)
        bearer = {"Authorization": "Bearer " + made.data["token"]}
        for member in self.members:
            member.wait_for(lambda member=member: status(member) == 200, "it is known")
        third.stop()
        other.run("token", "revoke", "ororo")
        for member in (one, other):
            member.wait_for(lambda member=member: status(member) in REFUSED, "it is revoked")
        third.start()
        third.wait_for(lambda: status(third) in REFUSED, "it is revoked where it was down")
        self.assertNotIn(secret, "".join(member.told() for member in self.members))


if __name__ == "__main__":
    unittest.main()
