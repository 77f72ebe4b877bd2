"""What is shipped for Prometheus: its own promtool takes it, each alert is tested, and each
metric it asks for is one that a server has."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from exposition import scrape
from served import Served

SHIPPED = Path(__file__).resolve().parents[3] / "tools/deploy/prometheus"
RULES, TESTS = SHIPPED / "alerts.yml", SHIPPED / "alerts_test.yml"


@unittest.skipUnless(shutil.which("promtool"), "promtool is of the package prometheus")
class ByPromtool(unittest.TestCase):
    def promtool(self, *arguments, cwd=SHIPPED):
        done = subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_rules_are_some(self):
        self.promtool("check", "rules", RULES.name)

    def test_each_rule_fires_when_it_should_and_else_not(self):
        self.promtool("test", "rules", TESTS.name)

    def test_the_example_is_a_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(RULES, folder)
            shutil.copy(SHIPPED / "prometheus.yml.example", os.path.join(folder, "prometheus.yml"))
            self.promtool("check", "config", "prometheus.yml", cwd=folder)


class Names(Served):
    def test_each_alert_has_a_test(self):
        alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
        tested = re.findall(r"- name: (\w+)", TESTS.read_text())
        self.assertGreater(len(alerts), 5)
        self.assertEqual(sorted(alerts), sorted(tested))

    def test_each_metric_they_ask_for_is_there(self):
        self.server.run("backup", f"{self.server.data_dir}/copy")
        known = set(scrape(self.client).kinds)
        # Of several servers: members/test_proxies.py; of witnesses: audit/test_cosign.py.
        asked = set(re.findall(r"\bdaybook_(?!cluster_|audit_witness)\w+", RULES.read_text()))
        self.assertGreater(len(asked), 5)
        self.assertEqual(asked - known, set())


if __name__ == "__main__":
    unittest.main()
