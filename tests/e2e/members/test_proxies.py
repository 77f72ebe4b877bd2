"""Proxies in front of three members, as tools/deploy has them: writes come to the one that
leads, whoever that is; reads to any that is ready. The members have no brokers: the test says
who leads (tests/http/members/member_server.c). The proxies are Debian's packages."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import PATIENCE, Client, free_port

SHIPPED = Path(__file__).resolve().parents[3] / "tools/deploy"
PATH = os.environ["PATH"] + ":/usr/sbin"
NGINX, HAPROXY = (shutil.which(name, path=PATH) for name in ("nginx", "haproxy"))
EVENT = {"event_type": "e", "anonymous_id": "a"}


class Member:
    def __init__(self, name, *arguments):
        self.name, self.dir = name, tempfile.mkdtemp(prefix="daybook-member-")
        self.process = subprocess.Popen(
            [os.environ["DAYBOOK_MEMBER_SERVER"], self.dir, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def set(self, state, leader):
        where = f"{leader.name} {leader.url}" if leader else "- -"
        self.process.stdin.write(f"{self.name} {state} {where}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "set\n"

    def records(self):
        client = Client(self.port)
        try:
            return len(client.get("/log?limit=1000", Prefer="wait=0").data)
        finally:
            client.connection.close()

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE)
        self.process.stdout.close()
        shutil.rmtree(self.dir)


class Proxied(unittest.TestCase):
    """Of a class with the example, the line where it listens, and `start`, which runs the
    proxy in self.dir at self.port."""

    arguments = ()

    def setUp(self):
        self.members = []
        for name in ("n1", "n2", "n3"):
            self.members.append(Member(name, *self.arguments))
            self.addCleanup(self.members[-1].close)
        self.lead(self.members[0])
        self.dir = tempfile.mkdtemp(prefix="daybook-proxy-")
        self.addCleanup(shutil.rmtree, self.dir)
        os.chmod(self.dir, 0o755)  # its workers have another user where we are root
        self.port = free_port()
        settings = (SHIPPED / self.example).read_text(encoding="utf-8")
        for found, put in [(self.listens, self.at % self.port)] + [
                (f"10.0.0.{i + 1}:8080", f"127.0.0.1:{member.port}")
                for i, member in enumerate(self.members)]:
            self.assertIn(found, settings)
            settings = settings.replace(found, put)
        self.told = open(f"{self.dir}/told", "w+b")
        self.addCleanup(self.told.close)
        self.proxy = self.start(settings)
        self.addCleanup(self.end)
        self.wait_for(self.answers, "the proxy")

    def end(self):
        self.proxy.send_signal(signal.SIGTERM)
        self.proxy.wait(PATIENCE)

    def run_proxy(self, *command):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.told,
                                stderr=self.told)

    def lead(self, leader):
        for member in self.members:
            if member.process.poll() is None:
                member.set("leads" if member is leader else "follows", leader)

    def wait_for(self, done, what):
        until = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > until or self.proxy.poll() is not None:
                self.told.seek(0)
                self.fail(f"{what}: {self.told.read().decode()}")
            time.sleep(0.05)

    def ask(self, method, path, body=None):
        client = Client(self.port)
        try:
            return client.request(method, path, body)
        finally:
            client.connection.close()

    def answers(self):
        try:
            return self.ask("GET", "/health").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def written_by(self, member):
        """Each of six writes has come to this one, and to no other."""
        before = [each.records() if each.process.poll() is None else None
                  for each in self.members]
        for _ in range(6):
            answer = self.ask("POST", "/events", EVENT)
            self.assertEqual(answer.status, 201, answer.body)
        for each, had in zip(self.members, before):
            if had is not None:
                self.assertEqual(each.records() - had, 6 if each is member else 0, each.name)

    def follow(self, member):
        """The proxy may need a moment to see who leads."""
        self.wait_for(lambda: self.ask("POST", "/events", EVENT).status == 201, "a write")
        self.wait_for(lambda: self.wrote(member), member.name)

    def wrote(self, member):
        before = member.records()
        self.ask("POST", "/events", EVENT)
        return member.records() > before

    def check(self):
        first, second, third = self.members
        self.follow(first)
        self.written_by(first)
        large = [{**EVENT, "properties": {"text": "x" * 900}}] * 500
        answer = self.ask("POST", "/events/batch", large)
        self.assertEqual(answer.status, 200, answer.body[:200])
        self.lead(second)
        self.follow(second)
        self.written_by(second)
        third.process.kill()
        third.process.wait()
        self.wait_for(lambda: all(self.ask("GET", "/log").status == 200 for _ in range(6)),
                      "reads of those that are left")
        self.written_by(second)
        self.lead(None)
        self.wait_for(lambda: self.ask("POST", "/events", EVENT).status == 503, "a refusal")
        self.assertEqual(self.ask("GET", "/log").status, 200)


class Alone(unittest.TestCase):
    def test_a_member_has_what_the_alerts_ask_for(self):
        member = Member("n1")
        self.addCleanup(member.close)
        member.set("halted", None)
        client = Client(member.port)
        self.addCleanup(client.connection.close)
        told = client.get("/metrics").body.decode()
        rules = (SHIPPED / "prometheus/alerts.yml").read_text(encoding="utf-8")
        asked = set(re.findall(r"\bdaybook_cluster_\w+", rules))
        self.assertGreater(len(asked), 2)
        self.assertEqual({name for name in asked if f"\n{name}" not in told}, set())
        self.assertIn('\ndaybook_cluster_state{state="halted"} 1\n', told)


@unittest.skipUnless(NGINX, "nginx is of Debian's package nginx-light")
class Nginx(Proxied):
    example = "nginx-cluster.conf.example"
    listens, at = "listen 8080;", "listen 127.0.0.1:%d;"

    def start(self, settings):
        with open(f"{self.dir}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(f"pid {self.dir}/pid; error_log stderr; events {{}}\nhttp {{\n"
                       "access_log off;\n" + "".join(
                           f"{kind}_temp_path {self.dir}/{kind};\n" for kind in
                           ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                       + settings + "}\n")
        return self.run_proxy(NGINX, "-p", self.dir, "-c", f"{self.dir}/nginx.conf", "-g",
                              "daemon off;")

    def test_writes_come_to_who_leads_and_reads_to_anyone(self):
        self.check()

    def test_what_is_no_redirect_passes_as_it_is(self):
        for path, status in (("/log/7", 404), ("/nothing", 404)):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, answer.json["response"]["status"]),
                             (status, status))
        answer = self.ask("POST", "/events", {})
        self.assertEqual(answer.json["response"]["type"], "/docs/errors.md#invalid-fields")


@unittest.skipUnless(HAPROXY, "haproxy is of Debian's package haproxy")
class HaProxy(Proxied):
    example, arguments = "haproxy-cluster.cfg.example", ("forward",)
    listens, at = "bind :8080", "bind 127.0.0.1:%d"

    def start(self, settings):
        Path(f"{self.dir}/haproxy.cfg").write_text(settings, encoding="utf-8")
        return self.run_proxy(HAPROXY, "-db", "-f", f"{self.dir}/haproxy.cfg")

    def test_writes_come_to_who_leads_and_reads_to_anyone(self):
        self.check()


if __name__ == "__main__":
    unittest.main()
