"""Pages of another origin than the server's, in a real Chromium."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

from harness import free_port


def chromium():
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise unittest.SkipTest("there is no chromium: make test-browser installs it")
    return found


class Site(http.server.ThreadingHTTPServer):
    """Serves a page at /, and what else it needs; takes what the page tells (POST /told),
    and sees that it is left (GET /next)."""

    daemon_threads = True

    def __init__(self, page, files=None):
        super().__init__(("127.0.0.1", free_port()), Handler)
        self.page, self.files = page, files or {}
        self.told, self.tells, self.left = None, threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            self.answer(self.server.page.encode(), "text/html")
        elif self.path in self.server.files:
            self.answer(self.server.files[self.path], "text/javascript")
        else:
            self.answer(b"gone", "text/html")
        if self.path == "/next":
            self.server.left.set()

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.told = json.loads(self.rfile.read(length))
        self.server.tells.set()
        self.answer(b"", "text/html")

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Shown:
    """A page that is looked at, until the end of the block."""

    def __init__(self, url):
        self.profile = tempfile.mkdtemp(prefix="daybook-chromium-")
        self.process = subprocess.Popen(
            [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
             f"--user-data-dir={self.profile}", url],
            env={**os.environ, "HOME": self.profile}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
