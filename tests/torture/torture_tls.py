"""nginx in front, as tools/deploy/nginx.conf.example has it: what is written and read
through TLS is what goes in and comes out. Needs nginx (apt-get install nginx-light)."""

import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from harness import PATIENCE, Answer, Client, Server, free_port
from served import new_id, person

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(HERE, "../../tools/deploy/nginx.conf.example")
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
NAME = "daybook.example.org"
BATCH = 8 << 20  # BATCH_BODY_MAX, client_max_body_size


class Proxy:
    """nginx with the example, whose ports, paths and certificate are replaced only."""

    def __init__(self, upstream):
        self.dir = tempfile.mkdtemp(prefix="daybook-tls-")
        os.chmod(self.dir, 0o755)  # its workers have another user where we are root
        self.port, self.plain_port = free_port(), free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                        "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                        "-keyout", f"{self.dir}/daybook.key", "-out",
                        f"{self.dir}/daybook.crt"], check=True, capture_output=True)
        with open(f"{self.dir}/nginx.conf", "w") as file:
            file.write(self.settings(upstream))
        with open(f"{self.dir}/stderr", "wb") as told:
            self.process = subprocess.Popen(
                [NGINX, "-p", self.dir, "-c", f"{self.dir}/nginx.conf", "-g", "daemon off;"],
                stdin=subprocess.DEVNULL, stdout=told, stderr=told)

    def settings(self, upstream):
        with open(EXAMPLE) as file:
            example = file.read()
        for found, put in (("127.0.0.1:8080", f"127.0.0.1:{upstream}"),
                           ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                           ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
                           ("/etc/ssl/", f"{self.dir}/")):
            if found not in example:
                raise AssertionError(f"the example has no {found}")
            example = example.replace(found, put)
        paths = "".join(f"{name}_temp_path {self.dir}/{name};\n" for name in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return (f"pid {self.dir}/pid;\nerror_log {self.dir}/error.log;\nevents {{}}\n"
                f"http {{\naccess_log off;\n{paths}{example}}}\n")

    def told(self):
        with open(f"{self.dir}/stderr") as told:
            return told.read()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
        shutil.rmtree(self.dir, ignore_errors=True)

    def context(self, newest=None):
        context = ssl.create_default_context(cafile=f"{self.dir}/daybook.crt")
        if newest:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = newest
        return context

    def connect(self, newest=None):
        """A connection through TLS, the certificate checked for the name."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        try:
            return self.context(newest).wrap_socket(raw, server_hostname=NAME)
        except BaseException:
            raw.close()
            raise


class Through(Client):
    """A client of the proxy."""

    def __init__(self, proxy):
        self.connection = http.client.HTTPConnection(NAME, proxy.port, timeout=PATIENCE)
        self.connection.sock = proxy.connect()


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not NGINX:
            raise AssertionError("this needs nginx: apt-get install nginx-light")
        cls.server = Server(env={"TRUSTED_PROXY": "127.0.0.1"})
        cls.addClassCleanup(cls.server.close)
        done = cls.server.run("token", "create", "shop", "--scope", "admin")
        cls.token = {"Authorization": "Bearer " + done.stdout.strip()}
        cls.server.start()
        cls.proxy = Proxy(cls.server.port)
        cls.addClassCleanup(cls.proxy.close)
        cls.server.wait_for(cls.answers, f"nginx: {cls.proxy.told()}")

    @classmethod
    def answers(cls):
        try:
            cls.proxy.connect().close()
            return True
        except OSError:
            if cls.proxy.process.poll() is not None:
                raise AssertionError(cls.proxy.told()) from None
            return False

    def setUp(self):
        self.client = Through(self.proxy)
        self.addCleanup(self.client.close)

    def ask(self, method, path, body=None, **headers):
        return self.client.request(method, path, body, {**self.token, **headers})

    def created(self):
        answer = self.ask("POST", "/persons", person())
        self.assertEqual(answer.status, 201, answer.body)
        return answer

    def test_what_is_written_is_read(self):
        made = self.created()
        read = self.ask("GET", f"/persons/{made.data['id']}")
        self.assertEqual(read.status, 200)
        self.assertEqual(read.data["email"], made.data["email"])
        self.assertEqual(read.headers["Strict-Transport-Security"], "max-age=31536000")
        self.assertEqual(self.ask("GET", f"/persons/{made.data['id']}", **{
            "If-None-Match": read.headers["ETag"]}).status, 304)
        self.assertEqual(self.ask("HEAD", "/persons").body, b"")
        self.assertEqual(self.ask("GET", f"/log/{made.sequence}").data["meta"]["actor"],
                         "shop")

    def test_the_console_is_behind_it_as_it_is(self):
        page = self.client.request("GET", "/console", None, {})
        self.assertEqual(page.status, 200)
        self.assertIn("script-src 'self'", page.headers["Content-Security-Policy"])
        for asset in re.findall(r'(?:src|href)="(/console/[^"]+)"', page.body.decode()):
            got = self.client.request("GET", asset, None, {"Accept-Encoding": "gzip"})
            self.assertEqual(got.status, 200, asset)
            self.assertRegex(got.headers["ETag"], '^"')

    def test_what_is_compressed_passes_both_ways(self):
        kate = self.created().data["id"]
        body = gzip.compress(json.dumps([
            {"event_type": "click", "person_id": kate, "properties": {"text": 200 * "x"}}
            for _ in range(100)]).encode())
        answer = self.ask("POST", "/events/batch", body, **{"Content-Encoding": "gzip"})
        self.assertEqual((answer.status, len(answer.data)), (200, 100))
        plain = self.ask("GET", f"/persons/{kate}")
        coded = self.ask("GET", f"/persons/{kate}", **{"Accept-Encoding": "gzip"})
        self.assertIsNone(plain.headers["Content-Encoding"])
        self.assertEqual(coded.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(coded.body), plain.body)
        self.assertIn("Accept-Encoding", coded.headers.get_all("Vary"))
        self.assertRegex(coded.headers["ETag"], '^".*-gzip"$')  # strong, as it was made
        self.assertEqual(self.ask("PATCH", f"/persons/{kate}", "{}", **{
            "If-Match": coded.headers["ETag"]}).status, 200)
        self.assertEqual(self.ask("GET", f"/persons/{kate}", **{
            "Accept-Encoding": "zstd"}).headers["Content-Encoding"], "zstd")

    def test_tokens_are_asked_for_and_each_client_counted(self):
        refused = self.client.request("GET", "/persons", None, {})
        self.assertEqual(refused.status, 401)
        self.assertIn("Bearer", refused.headers["WWW-Authenticate"])
        wrong = {"Authorization": "Bearer dbk_" + 43 * "x",
                 "X-Forwarded-For": "192.0.2.1"}  # which a client says of itself
        statuses = [self.client.request("GET", "/persons", None, wrong).status
                    for _ in range(12)]
        self.assertEqual(statuses, 10 * [401] + 2 * [429])
        self.assertEqual(self.ask("GET", "/persons").status, 200)
        self.assertNotIn("192.0.2.1", self.server.told())

    def test_a_batch_as_large_as_may_be_and_one_that_is_larger(self):
        person_id = self.created().data["id"]
        before = self.ask("GET", "/events?limit=1").headers["Daybook-Projected-Sequence"]
        lines, size = [], 0
        while True:
            line = json.dumps({"id": new_id(), "event_type": "click", "person_id": person_id,
                               "properties": {"text": 2000 * "x"}}) + "\n"
            if size + len(line) > BATCH:
                break
            lines.append(line)
            size += len(line)
        self.assertGreater(size, BATCH - 5000)
        answer = self.ask("POST", "/events/batch", "".join(lines),
                          **{"Content-Type": "application/x-ndjson"})
        self.assertEqual(answer.status, 200, answer.body[:500])
        self.assertEqual(answer.sequence, int(before) + len(lines))
        answer = self.ask("POST", "/events/batch", "".join(lines + lines[:3]),
                          **{"Content-Type": "application/x-ndjson"})
        self.assertEqual(answer.status, 413)
        self.assert_log_streams(int(before), len(lines))

    def assert_log_streams(self, after, count):
        """Megabytes in one answer, to a client that takes its time at first."""
        connection = http.client.HTTPConnection(NAME, self.proxy.port, timeout=PATIENCE)
        connection.sock = self.proxy.connect()
        self.addCleanup(connection.close)
        connection.request("GET", f"/log?after={after}&limit={count}", headers={
            **self.token, "Accept": "application/x-ndjson"})
        response = connection.getresponse()
        first = response.read(1000)
        time.sleep(2)
        records = [json.loads(line) for line in
                   (first + response.read()).decode().splitlines()]
        self.assertEqual([record["sequence"] for record in records],
                         list(range(after + 1, after + count + 1)))

    def test_a_slow_client_is_served_and_disturbs_nobody(self):
        body = json.dumps(person()).encode()
        head = (f"POST /persons HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: "
                f"{self.token['Authorization']}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        slow = self.proxy.connect()
        self.addCleanup(slow.close)
        for byte in range(0, len(head + body), 16):
            slow.sendall((head + body)[byte:byte + 16])
            time.sleep(0.1)
            if byte % 160 == 0:
                self.assertEqual(self.ask("GET", "/health").status, 200)
        response = http.client.HTTPResponse(slow)
        response.begin()
        self.assertEqual(Answer(response, response.read()).status, 201)

    def test_old_tls_and_no_tls_are_refused(self):
        for newest, taken in ((ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True),
                              (ssl.TLSVersion.TLSv1_1, False)):
            try:
                self.proxy.connect(newest).close()
                self.assertTrue(taken, newest)
            except ssl.SSLError:
                self.assertFalse(taken, newest)
        plain = Client(self.proxy.plain_port)
        self.addCleanup(plain.close)
        self.assertEqual(plain.request("GET", "/persons", None, self.token).status, 403)

    def test_connections_to_the_server_are_kept(self):
        for _ in range(100):
            self.assertEqual(self.ask("GET", "/health").status, 200)
        with open("/proc/net/tcp") as file:
            port = f":{self.server.port:04X}"
            own = [line for line in file if line.split()[1].endswith(port)]
        self.assertLess(len(own), 64)  # those that ended are seen for a minute, too

    def test_a_server_that_is_away_is_told_and_back_soon(self):
        self.server.stop()
        answer = self.ask("GET", "/health")
        self.assertIn(answer.status, (502, 503))
        self.server.start()
        # nginx asks a server that was away again after 10 s
        self.server.wait_for(lambda: self.ask("GET", "/health").status == 200, "the return")
        self.created()


if __name__ == "__main__":
    unittest.main()
