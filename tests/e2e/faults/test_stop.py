"""SIGTERM ends the program within five seconds, whatever it waits for.

The bound is the guarantee itself, so it is asserted, with time for a machine that has
other work: what is waited for here never comes."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import unittest

from harness import PROGRAM, Server
from postgres import Postgres, postmaster_of, processes_in, programs, signal_all, wait_for_none

BOUND = 5 + 20  # seconds
MIGRATES = "select pg_advisory_lock(hashtextextended('daybook migration {}', 0))"


class Stop(unittest.TestCase):
    def server(self, **options):
        server = Server(**options)
        self.addCleanup(server.close)
        return server

    def ends(self, process, status, tell=""):
        process.send_signal(signal.SIGTERM)
        try:
            self.assertEqual(process.wait(BOUND), status, tell)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.fail("SIGTERM did not end it")

    def serve_ends(self, server):
        process, server.process = server.process, None
        self.ends(process, 0, server.tail())


@contextlib.contextmanager
def held(server, sql):
    """A session that has run this, and holds what it took."""
    with subprocess.Popen(
            [os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-h",
             server.env["DB_HOST"], "-U", server.env["DB_USER"], "-d",
             server.env["DB_NAME"]],
            env=server.env, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True) as session:
        session.stdin.write(f"{sql}; select 'held';\n")
        session.stdin.flush()
        while session.stdout.readline() not in ("held\n", ""):
            continue
        yield
        session.stdin.close()


class OfAServer(Stop):
    def test_while_another_migrates(self):
        server = self.server()
        with held(server, MIGRATES.format(server.env["DB_SCHEMA"])):
            server.start()
            server.wait_for(lambda: self.waits(server), "the wait for the lock")
            self.serve_ends(server)

    def waits(self, server):
        asked = subprocess.run(
            [os.path.join(programs(), "psql"), "-X", "-A", "-t", "-h", server.env["DB_HOST"],
             "-U", server.env["DB_USER"], "-d", server.env["DB_NAME"], "-c",
             "select count(*) from pg_stat_activity where application_name = "
             "'daybook migrate' and wait_event = 'advisory'"],
            cwd="/", env=server.env, capture_output=True, text=True, check=True)
        return int(asked.stdout) > 0

    def test_while_nobody_answers_at_db_host(self):
        with socket.create_server(("127.0.0.1", 0)) as hole:
            server = self.server(env={"DB_HOST": "127.0.0.1",
                                      "DB_PORT": str(hole.getsockname()[1])})
            server.start()
            self.serve_ends(server)

    def test_while_clients_drip(self):
        server = self.server().start()
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
        for client in clients:
            client.sendall(b"POST /persons HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                           b"1000\r\nContent-Type: application/json\r\n\r\n{")
        over = threading.Event()

        def drip():
            while not over.wait(0.1):
                for client in clients:
                    with contextlib.suppress(OSError):
                        client.sendall(b" ")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            self.serve_ends(server)
        finally:
            over.set()
            dripping.join()
            for client in clients:
                client.close()

    def test_while_postgres_hangs_under_a_read(self):
        postgres = Postgres()
        self.addCleanup(postgres.close)
        server = self.server(env=postgres.settings()).start()
        client = server.client()
        client.post("/persons", {"email": "a@b.test", "first_name": "A", "last_name": "B"})
        self.assertEqual(client.get("/persons").status, 200)
        postgres.freeze()
        with socket.create_connection(("127.0.0.1", server.port)) as reader:
            reader.sendall(b"GET /persons HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.serve_ends(server)

    def test_while_the_private_postgres_hangs(self):
        server = self.server(private=True).start()
        cluster = os.path.join(server.data_dir, "postgres")
        self.addCleanup(lambda: signal_all(processes_in(cluster), signal.SIGKILL))
        client = server.client()
        self.assertEqual(client.get("/persons").status, 200)
        signal_all([postmaster_of(cluster), *processes_in(cluster)], signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", server.port)) as reader:
            reader.sendall(b"GET /persons HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.serve_ends(server)
        server.start()  # also where it was left behind
        self.assertEqual(server.client().get("/persons").status, 200)
        server.stop()
        wait_for_none(cluster)


class OfACommand(Stop):
    """While the lock is held that it begins with."""

    def started(self, server, *arguments):
        process = subprocess.Popen(
            [PROGRAM, arguments[0], "--data-dir", server.data_dir, *arguments[1:]],
            env=server.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=server.log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def sessions(self, server):
        asked = subprocess.run(
            [os.path.join(programs(), "psql"), "-X", "-A", "-t", "-h", server.env["DB_HOST"],
             "-U", server.env["DB_USER"], "-d", server.env["DB_NAME"], "-c",
             "select pid from pg_stat_activity where application_name like 'daybook%' "
             "and wait_event_type = 'Lock'"],
            cwd="/", env=server.env, capture_output=True, text=True, check=True)
        return set(asked.stdout.split())

    def test_that_waits_for_a_lock_in_postgres(self):
        server = self.server().start()
        client = server.client()
        client.post("/persons", {"email": "a@b.test", "first_name": "A", "last_name": "B"})
        self.assertEqual(client.get("/persons").status, 200)
        server.stop()
        schema = server.env["DB_SCHEMA"]
        with held(server, "begin; select from {0}.checkpoint for update; {1}".format(
                schema, MIGRATES.format(schema))):
            for arguments in (["rebuild"], ["verify", "--projection"], ["retry"],
                              ["migrate"], ["migrate", "--down"]):
                with self.subTest(arguments=arguments):
                    before = self.sessions(server)  # of others, and one that is left
                    process = self.started(server, *arguments)
                    server.wait_for(lambda: process.poll() is not None
                                    or self.sessions(server) - before, "its wait")
                    if process.returncode is None:
                        process.send_signal(signal.SIGTERM)
                        self.assertIn(process.wait(BOUND), (3, -signal.SIGTERM))

    def test_that_waits_for_one_that_never_answers(self):
        server = self.server().start()
        server.stop()
        with socket.create_server(("127.0.0.1", 0)) as hole:
            server.env.update(DB_HOST="127.0.0.1", DB_PORT=str(hole.getsockname()[1]))
            hole.settimeout(BOUND)
            for arguments in (["rebuild", "--dry-run"], ["status"], ["migrate"],
                              ["replay", "--into", "other"]):
                with self.subTest(arguments=arguments):
                    process = self.started(server, *arguments)
                    with hole.accept()[0]:
                        process.send_signal(signal.SIGTERM)
                        self.assertIn(process.wait(BOUND), (3, -signal.SIGTERM))


if __name__ == "__main__":
    unittest.main()
