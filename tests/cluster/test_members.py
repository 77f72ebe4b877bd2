"""Three servers over one broker of Kafka's own: begun, refused by name, led by another, handed
over, mended."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import uuid

from brokers import Brokers, Missing
from harness import PATIENCE
from nodes import Nodes


def setUpModule():
    global brokers
    try:
        brokers = Brokers(1, extra=["log.retention.check.interval.ms=300",
                                    "log.initial.task.delay.ms=300"])
    except Missing as missing:
        raise unittest.SkipTest(f"no brokers: {missing}") from None
    unittest.addModuleCleanup(brokers.close)
    brokers.start()


def configure(topic, *settings):
    """Of a topic, by Kafka's own tool."""
    brokers.configure(brokers.bootstrap, "topics", topic, ",".join(settings))


def event(person, **more):
    return dict({"event_type": "click", "person_id": person}, **more)


class Members(unittest.TestCase):
    unsafe = "true"  # there is one broker

    def setUp(self):
        self.topic = "t" + uuid.uuid4().hex[:8]

    def nodes(self, names="abc", **settings):
        nodes = Nodes(brokers.bootstrap, names, replication=1, topic=self.topic,
                      CLUSTER_UNSAFE=self.unsafe, **settings)
        self.addCleanup(nodes.close)
        return nodes

    def person(self, node, name="Kate"):
        answer = node.insist("/persons", {
            "email": f"{uuid.uuid4().hex}@members.test", "first_name": name,
            "last_name": "Pryde"})
        self.assertEqual(answer.status, 201, answer.details)
        return answer.data["id"]


class Beginning(Members):
    def refused(self, nodes, *words):
        nodes.all[0].env["CLUSTER_UNSAFE"] = "false"
        done = nodes.all[0].run("cluster", "init", check=False)
        self.assertNotEqual(done.returncode, 0)
        serve = subprocess.run(
            [nodes.all[0].program[-1], "serve", "--data-dir", nodes.all[0].data_dir,
             "--port", str(nodes.all[0].port)], env=nodes.all[0].env, capture_output=True,
            text=True, check=False, timeout=PATIENCE)
        self.assertNotEqual(serve.returncode, 0)
        for word in words:
            self.assertIn(word, serve.stderr)

    def test_what_may_lose_records_is_refused_by_name(self):
        nodes = self.nodes("a")
        nodes.init()
        self.refused(nodes, "is on 1 brokers", "min.insync.replicas")
        configure(self.topic, "cleanup.policy=compact",
                  "unclean.leader.election.enable=true")
        self.refused(nodes, "cleanup.policy", "unclean.leader.election.enable")

    def test_a_second_beginning_is_refused(self):
        nodes = self.nodes("ab")
        nodes.init()
        for node in nodes:
            done = node.run("cluster", "init", "--replication", "1", check=False)
            self.assertNotEqual(done.returncode, 0)

    def test_another_log_is_refused(self):
        nodes = self.nodes("ab")
        nodes.init()
        other = nodes["b"]
        alone = {name: value for name, value in other.env.items()
                 if name.startswith("CLUSTER_")}
        for name in alone:
            del other.env[name]
        other.start()
        other.stop()
        other.env.update(alone)
        other.spawn()
        self.assertNotEqual(other.process.wait(PATIENCE), 0)
        other.process = None
        self.assertIn("copies of each other", other.told())


class Sharing(Members):
    """What two were to have that is one's: refused in a sentence, or harmless."""

    def test_two_beginnings_at_once(self):
        for _ in range(3):
            self.topic = "t" + uuid.uuid4().hex[:8]
            nodes = self.nodes("ab")
            running = [subprocess.Popen(
                [*node.program, "cluster", "init", "--replication", "1", "--data-dir",
                 node.data_dir], env=node.env, text=True, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for node in nodes]
            told = [process.communicate(timeout=PATIENCE) for process in running]
            self.assertEqual(sorted(process.returncode for process in running), [0, 3], told)
            second = running[1].returncode == 3
            first, other = nodes.all[not second], nodes.all[second]
            self.assertRegex(told[second][1], "at the same time|has a stream already")
            first.start()
            nodes.await_leader()
            person = self.person(first)
            other.spawn()
            self.assertEqual(other.process.wait(PATIENCE), 3)
            other.process = None
            self.assertIn("not copies of each other", other.told())
            third = self.nodes("c").all[0].start()
            self.assertEqual(third.client().get(f"/persons/{person}").status, 200)
            for node in (first, third):
                node.stop()

    def test_one_data_directory(self):
        nodes = self.nodes("ab")
        nodes.init()
        nodes["a"].start()
        refused = nodes["b"].run("serve", "--data-dir", nodes["a"].data_dir, "--port",
                                 str(nodes["b"].port), check=False)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("is served already", refused.stderr)

    def refuses_an_empty_directory(self, node, why):
        """For it looks as if its log were lost; then it is told to begin all the same."""
        node.spawn()
        self.assertEqual(node.process.wait(PATIENCE), 3)
        node.process = None
        self.assertIn(why, node.told())
        node.flags = ["--new"]
        node.spawn()

    def test_one_directory_for_both_their_postgresqls(self):
        nodes = self.nodes("ab")
        folder = tempfile.mkdtemp(prefix="daybook-sharing-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o755)
        for node in nodes:
            for name in ("DB_HOST", "DB_NAME", "DB_USER", "DB_SCHEMA"):
                del node.env[name]
            node.env["CLUSTER_DIR"] = folder
        nodes.init()
        one, other = nodes
        one.start()
        nodes.await_leader()
        person = self.person(one)
        self.refuses_an_empty_directory(other, "which has CLUSTER_DIR")
        other.wait_for(lambda: "give each its own CLUSTER_DIR" in other.told(), "it says so")
        other.wait_for(lambda: other.health("/health/live") == 200, "it answers")
        self.assertEqual(other.client().get("/log?after=0").status, 200)
        self.assertEqual(other.client().get(f"/persons/{person}").status, 503)
        self.assertEqual(one.client().get(f"/persons/{person}").status, 200)
        other.stop()

    def test_one_schema_of_one_postgresql(self):
        nodes = self.nodes("ab")
        nodes["b"].env["DB_SCHEMA"] = nodes["a"].env["DB_SCHEMA"]
        nodes.init()
        one, other = nodes
        one.start()
        nodes.await_leader()
        person = self.person(one)
        self.assertEqual(one.client().get(f"/persons/{person}").status, 200)
        self.refuses_an_empty_directory(other, "the tables in the schema")
        other.wait_for(lambda: other.health("/health/live") == 200, "it answers")
        shown = other.client().get(f"/persons/{person}")
        self.assertEqual(shown.status, 503)
        self.assertIn("held by another server", shown.details)
        other.wait_for(lambda: "a DB_SCHEMA or DB_NAME of its own" in other.told(), "it says so")
        self.assertEqual(one.client().get(f"/persons/{self.person(one)}").status, 200)

    def test_one_name(self):
        """It works, and is told."""
        nodes = self.nodes("ab")
        nodes["b"].env["CLUSTER_NODE"] = "a"
        nodes.start()
        other = nodes.followers()[0]
        other.wait_for(lambda: "is also called a" in other.told(), "it says so")
        self.assertIn(other.client().post("/events", event(self.person(
            nodes.await_leader()))).status, (201, 307, 503))


class Leading(Members):
    @staticmethod
    def states(node):
        """What each told last, by its name."""
        told = json.loads(node.run("cluster", "status", "--json", check=False).stdout)
        return {one["node"]: one["state"] for one in told["members"]}

    def test_who_dies_is_replaced_and_comes_back(self):
        nodes = self.nodes().start()
        leader = nodes.leader()
        person = self.person(leader)
        key = str(uuid.uuid4())
        first = leader.client().post("/events", event(person), idempotency_key=key)
        self.assertEqual(first.status, 201)
        leader.wait_for(lambda: self.states(leader).get(leader.name) == "leads", "it tells so")
        leader.kill()
        other = nodes.await_leader()
        told = json.loads(other.run("cluster", "status", "--json", check=False).stdout)
        self.assertEqual(told["leader"], other.name)
        self.assertEqual(self.states(other)[leader.name], "deposed")
        again = other.client().post("/events", event(person), idempotency_key=key)
        self.assertEqual((again.status, again.data), (first.status, first.data))
        leader.start()
        head = nodes.await_equal()
        self.assertEqual(head, 3)
        for node in nodes:
            shown = node.client().get(f"/persons/{person}")
            self.assertEqual(shown.status, 200)
            self.assertEqual(len(shown.data["events"]), 2)

    def test_all_show_what_any_acknowledged(self):
        nodes = self.nodes().start()
        leader, person = nodes.leader(), self.person(nodes.leader())
        clients = [node.client() for node in nodes.followers()]
        writes = leader.client()
        for _ in range(50):
            id = writes.post("/events", event(person)).data["id"]
            for client in clients:
                self.assertEqual(client.get(f"/events/{id}").status, 200)
                rows = client.get(f"/events?person_id={person}&order=desc&limit=1").data
                self.assertEqual(rows[0]["id"], id)

    def test_it_is_handed_over(self):
        nodes = self.nodes().start()
        leader, to = nodes.leader(), nodes.followers()[0]
        done = leader.run("cluster", "hand-over", to.name)
        self.assertIs(nodes.await_leader(), to, done.stdout)
        self.person(to)
        to.wait_for(lambda: self.states(to).get(to.name) == "leads", "it tells so")
        status = json.loads(to.run("cluster", "status", "--json").stdout)
        self.assertEqual(status["leader"], to.name)

    def test_one_whose_clock_is_apart_takes_over(self):
        nodes = self.nodes("abc")
        for node, seconds in zip(nodes, (0, -3600, 3600)):
            node.set_clock(seconds)
        nodes.start()
        for to in nodes:
            leader = nodes.await_leader()
            if leader is not to:
                leader.run("cluster", "hand-over", to.name)
                self.assertIs(nodes.await_leader(), to)
        all_, last = nodes["a"], nodes["c"]
        all_.wait_for(lambda: all_.run("cluster", "status", check=False).returncode == 0,
                      "all are seen")
        last.kill()
        nodes.await_leader()
        told = all_.run("cluster", "status", check=False)
        self.assertEqual(told.returncode, 1)
        self.assertRegex(told.stdout, r"\nc +member +not seen .* \? ")

    def test_a_frozen_leader_is_replaced_and_does_not_write(self):
        nodes = self.nodes().start()
        leader, person = nodes.leader(), self.person(nodes.leader())
        leader.freeze()
        other = nodes.await_leader()
        ids = [other.client().post("/events", event(person)).data["id"] for _ in range(3)]
        leader.thaw()
        answer = leader.client().post("/events", event(person))
        self.assertIn(answer.status, (307, 503), answer.details)
        self.assertEqual(nodes.await_equal(), 5)
        for id in ids:
            self.assertEqual(leader.client().get(f"/events/{id}").status, 200)

    def test_a_clock_that_is_ahead_leads_all_the_same(self):
        nodes = self.nodes("a")
        nodes["a"].set_clock(86400)
        nodes.start()
        self.person(nodes["a"])

    def test_whom_the_brokers_refuse_lets_another_lead(self):
        nodes = self.nodes("ab")
        nodes.init()  # it refuses what comes from tomorrow:
        configure(self.topic, "message.timestamp.type=CreateTime")
        nodes["a"].set_clock(86400)
        nodes["a"].start()
        nodes["a"].wait_for(lambda: "Invalid timestamp" in nodes["a"].told(), "a refusal")
        nodes["b"].start()
        self.assertIs(nodes.await_leader(), nodes["b"])
        self.person(nodes["b"])

    def test_reads_go_on_without_the_broker(self):
        nodes = self.nodes().start()
        follower, person = nodes.followers()[0], self.person(nodes.leader())
        head = nodes.await_equal()
        brokers.freeze(1)
        try:
            client = follower.client()
            known = client.get(f"/persons/{person}", prefer="wait=0")
            self.assertEqual(known.status, 200)
            mine = client.get(f"/persons/{person}", daybook_sequence=str(head))
            self.assertEqual(mine.status, 200)
            self.assertEqual(client.get(f"/persons/{person}").status, 503)
        finally:
            brokers.thaw(1)
        follower.wait_for(lambda: client.get(f"/persons/{person}").status == 200, "reads")
        nodes.await_leader()
        self.person(nodes.await_leader())


class Losing(Members):
    """The broker loses what it had acknowledged, as all do whose power fails at once."""

    def folder(self):
        return os.path.join(brokers.directory, "1", "data", self.topic + "-0")

    def cut(self, bytes_):
        """The end of the topic, and what the broker would know of it."""
        brokers.kill(1)
        folder = self.folder()
        log = max(name for name in os.listdir(folder) if name.endswith(".log"))
        path = os.path.join(folder, log)
        os.truncate(path, max(0, os.path.getsize(path) - bytes_))
        for name in os.listdir(folder):
            if name.endswith((".index", ".timeindex", ".snapshot")):
                os.remove(os.path.join(folder, name))
        brokers.start(1)

    def halted(self, node):
        node.spawn()
        node.wait_for(lambda: node.process.poll() is not None or "cluster: halted" in
                      node.told() or "reseed" in node.told(), "a halt")
        return node.told()

    def test_a_lost_tail_halts_and_is_sent_again(self):
        nodes = self.nodes().start()
        leader = nodes.leader()
        person, client = self.person(leader), leader.client()
        ids = [client.post("/events", event(person, properties={"n": n})).data["id"]
               for n in range(20)]
        head = nodes.await_equal()
        for node in nodes:
            node.stop()
        self.cut(1500)
        told = self.halted(nodes["a"])
        self.assertIn("daybook cluster reseed", told)
        nodes["a"].kill()
        done = nodes["a"].run("cluster", "reseed")
        self.assertRegex(done.stdout + done.stderr, r"\d+ records?")
        for node in nodes:
            node.spawn()
        for node in nodes:
            node.wait_ready()
        nodes.await_leader()
        self.assertEqual(nodes.await_equal(), head)
        self.person(nodes.await_leader(), "After")
        self.assertEqual(nodes.await_equal(), head + 2)
        for node in nodes:
            self.assertEqual(node.client().get(f"/events/{ids[-1]}").status, 200)

    def test_who_is_behind_what_is_kept_is_told_what_to_do(self):
        nodes = self.nodes().start()
        late, leader = nodes.followers()[0], nodes.leader()
        late.stop()
        person, client = self.person(leader), leader.client()
        configure(self.topic, "retention.ms=300")
        folder = self.folder()
        leader.wait_for(lambda: not os.path.exists(os.path.join(
            folder, "0" * 20 + ".log")), "the retention")
        late.spawn()
        late.wait_for(lambda: "restore" in late.told(), "what to do")
        late.kill()
        for node in nodes:  # all that the others had is gone, and they go on
            if node is not late:
                node.stop()
                node.start()
        leader = nodes.await_leader()
        self.assertEqual(leader.client().post("/events", event(person)).status, 201)
        new = self.nodes("d").all[0]
        new.spawn()
        self.assertNotEqual(new.process.wait(PATIENCE), 0)
        new.process = None
        self.assertIn("--member", new.told())


if __name__ == "__main__":
    unittest.main()
