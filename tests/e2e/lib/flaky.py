"""Stands before a server, and fails as networks and proxies do."""

import http.client
import http.server
import threading

from harness import PATIENCE, free_port


class Flaky(http.server.ThreadingHTTPServer):
    """Of the POSTs one after the other meets each of these faults; then all is well.

    lost  the server does it, and the answer is lost
    cut   the same, and half of the answer comes
    busy  a proxy answers 503, and the server knows nothing of it
    """

    daemon_threads = True

    def __init__(self, port, *faults):
        super().__init__(("127.0.0.1", free_port()), Handler)
        self.to, self.faults, self.bodies = port, list(faults), []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "busy":
            self.answer(503, b"<h1>Service Unavailable</h1>", "0")
            return
        asked = http.client.HTTPConnection("127.0.0.1", self.server.to, timeout=PATIENCE)
        asked.request("POST", self.path, body, dict(self.headers))
        answer = asked.getresponse()
        data = answer.read()
        asked.close()
        self.close_connection = bool(fault)
        if fault != "lost":
            self.answer(answer.status, data, cut=fault == "cut")

    def answer(self, status, data, retry_after=None, cut=False):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(data[:len(data) // 2] if cut else data)

    def log_message(self, *_):
        pass
