"""The import into Grafana of examples/: what it sends, and how it tells what goes wrong. Grafana
is no package of Debian's, so another stands for it."""

import http.server
import json
import os
import subprocess
import sys
import threading
import unittest

from harness import PATIENCE, free_port

IMPORT = os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples/grafana/import.py")


class Grafana(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        good = self.headers["Authorization"] == "Bearer good"
        data = json.dumps({"url": "/d/" + body["dashboard"]["uid"]} if good else
                          {"message": "Invalid API key"}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Import(unittest.TestCase):
    def run_with(self, url, token):
        return subprocess.run([sys.executable, "-B", IMPORT, url],
                              env={**os.environ, "GRAFANA_TOKEN": token}, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE, check=False)

    def test_the_dashboard_is_brought(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Grafana)
        server.asked = []
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = self.run_with(url + "/", "good")
        (path, body), = server.asked
        self.assertEqual((done.returncode, done.stdout.strip(), path),
                         (0, f"{url}/d/{body['dashboard']['uid']}", "/api/dashboards/db"))
        self.assertTrue(body["overwrite"] and body["dashboard"]["panels"])
        self.assertIsNone(body["dashboard"]["id"])
        refused = self.run_with(url, "bad")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("401", refused.stderr)
        self.assertIn("Invalid API key", refused.stderr)

    def test_that_there_is_none_is_told(self):
        done = self.run_with(f"http://127.0.0.1:{free_port()}", "good")
        self.assertEqual(done.returncode, 1)
        self.assertIn("There is no Grafana at", done.stderr)


if __name__ == "__main__":
    unittest.main()
