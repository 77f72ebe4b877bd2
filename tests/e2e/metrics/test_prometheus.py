"""A real Prometheus scrapes a real server by the example that is shipped; every series that
the dashboard and the alert rules use is there then, and none of the alerts is wrong."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from harness import PATIENCE, Server, free_port
from served import person

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
SHIPPED = os.path.join(ROOT, "tools/deploy/prometheus")
RULES = "alerts.yml"
METRIC = re.compile(r"\b((?:daybook|process)_[a-z_]+|up)(?=[{\[\s)]|$)")


def dashboard():
    with open(os.path.join(SHIPPED, "grafana-dashboard.json")) as file:
        return json.load(file)


def shown():
    """The expressions of the dashboard by the titles of their panels, for this server."""
    board = dashboard()
    found = [(panel["title"], target["expr"]) for panel in board["panels"]
             for target in panel.get("targets", [])]
    found += [(one["name"], one["expr"]) for one in board["annotations"]["list"]]
    return [(title, expr.replace("$__rate_interval", "20s").replace("$instance", ".*"))
            for title, expr in found]


def told():
    """The lines of the rules that have expressions, names and all."""
    with open(os.path.join(SHIPPED, RULES)) as file:
        return "".join(line for line in file
                       if not re.match(r"\s*(#|summary|description|- alert|severity)", line))


class Shipped(unittest.TestCase):
    def test_the_dashboard_is_one(self):
        board = dashboard()
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        self.assertEqual(len(places), len(set(places)))
        for panel in board["panels"]:
            self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24)
            self.assertEqual(panel["type"] == "row", "targets" not in panel, panel["title"])

    def test_what_they_ask_for_is_described(self):
        with open(os.path.join(ROOT, "docs/metrics.md")) as file:
            described = file.read()
        asked = set(METRIC.findall(told() + "\n".join(expr for _, expr in shown())))
        self.assertGreater(len(asked), 30)
        for name in asked - {"up"}:
            self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), described)

# What only members of a cluster tell, and those who ask witnesses.
ELSEWHERE = ("daybook_cluster_", "daybook_audit_witness")


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is of the package of this name")
class Scraped(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.folder = tempfile.mkdtemp(prefix="daybook-prometheus-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.token = self.make_token("load", "read,write,audit")
        self.configure()
        self.start_prometheus()

    def make_token(self, name, scopes):
        done = self.server.run("token", "create", name, "--scope", scopes)
        return {"Authorization": "Bearer " + done.stdout.strip()}

    def configure(self):
        """The example, but for where the server and its token are, and in less time."""
        with open(os.path.join(SHIPPED, "prometheus.yml.example")) as file:
            text = file.read()
        token = os.path.join(self.folder, "token")
        with open(token, "w") as file:
            file.write(self.make_token("prometheus", "metrics")["Authorization"].split()[1])
        for old, new in (("    # authorization:\n    #   ", "    authorization:\n      "),
                         ("15s", "1s"), ("/etc/prometheus/daybook.token", token),
                         ("127.0.0.1:8080", f"127.0.0.1:{self.server.port}")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(os.path.join(self.folder, "prometheus.yml"), "w") as file:
            file.write(text)
        shutil.copy(os.path.join(SHIPPED, RULES), self.folder)

    def start_prometheus(self):
        self.port = free_port()
        log = open(os.path.join(self.folder, "log"), "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)

    def api(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def asked(self, expr):
        return self.api("query", query=expr)["result"]

    def work(self):
        """Some of everything that is counted."""
        client = self.server.client()
        made = client.request("POST", "/persons", person(), self.token)
        self.assertEqual(made.status, 201, made.body)
        for path in ("/persons", f"/persons/{made.data['id']}", "/events", "/log", "/nowhere"):
            client.request("GET", path, headers=self.token)
        client.request("POST", "/events", {"event_type": "click",
                                           "person_id": made.data["id"]}, self.token)
        client.close()

    def until(self, left, what):
        """Work on until nothing is left. A bound on patience, not a measurement."""
        deadline = time.monotonic() + PATIENCE
        while missing := left():
            if time.monotonic() > deadline:
                with open(os.path.join(self.folder, "log"), errors="replace") as log:
                    self.fail(f"{what}: {missing}\n{log.read()[-2000:]}")
            self.work()
            time.sleep(0.5)

    def scraped(self):
        try:
            return self.asked("up == 1")
        except OSError:
            return []

    def test_every_series_of_the_dashboard_and_the_rules_is_there(self):
        self.server.run("backup", os.path.join(self.server.data_dir, "kept"))
        self.until(lambda: not self.scraped(), "no scrape has succeeded")
        self.until(lambda: [title for title, expr in shown()
                            if not self.asked(expr) and not expr.endswith("> 0")],
                   "panels without data")
        names = set(METRIC.findall(told() + "\n".join(expr for _, expr in shown())))
        names = {name for name in names if not name.startswith(ELSEWHERE)}
        self.until(lambda: [name for name in names if not self.asked(name)], "no series")
        rules = self.api("rules")["groups"][0]["rules"]
        self.assertEqual([rule["name"] for rule in rules if rule["health"] == "err"], [])
        self.assertEqual([rule["name"] for rule in rules if rule["state"] == "firing"], [])


if __name__ == "__main__":
    unittest.main()
