"""How the server starts, is asked about, and ends, with a private PostgreSQL."""

import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import time
import unittest

from harness import PATIENCE, PROGRAM, Server

PERSON = {"email": "kate@marauders.mock", "first_name": "Kate", "last_name": "Pryde"}


def lines(server):
    """What was logged, without the times."""
    with open(os.path.join(server.data_dir, "serve.log")) as log:
        return [line.split(" ", 1)[1] for line in log.read().splitlines()]


class InOrder(unittest.TestCase):
    def assert_in_order(self, expected, found):
        rest = iter(found)
        for message in expected:
            self.assertTrue(any(message in line for line in rest),
                            f"{message!r} is missing, or out of order, in {found}")


class PrivateServer(InOrder):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(private=True).start()
        cls.addClassCleanup(cls.server.close)

    def test_start_and_stop_are_told_step_by_step(self):
        server = Server(private=True)
        self.addCleanup(server.close)
        server.start()
        server.stop()
        self.assert_in_order(
            ["data directory locked", "log open", "private PostgreSQL runs",
             "projector started", "read model open",
             f"ready: http://127.0.0.1:{server.port} ", "signal=SIGTERM",
             "finishing requests", "stopping: projector", "stopping: private PostgreSQL",
             "stopping: log", "stopped"], lines(server))
        self.assertEqual(processes_below(server.data_dir), [])
        server.start()  # what was made is used again
        self.assertFalse(any("making" in line for line in
                             lines(server)[lines(server).index("info stopped"):]))
        server.stop()

    def test_a_second_server_is_refused(self):
        done = self.server.run("serve", "--port", "0", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"is served already, by process {self.server.process.pid}",
                      done.stderr)

    def test_status_and_migrate_work_beside_it(self):
        client = self.server.client()
        self.assertEqual(client.post("/persons", PERSON).status, 201)
        self.assertEqual(client.get("/persons").status, 200)
        client.close()
        status = json.loads(self.server.run("status", "--json").stdout)
        self.assertGreaterEqual(status["head"], 2)
        self.assertEqual(status["lag"], status["head"] - status["projected"])
        self.assertEqual(status["quarantined"], 0)
        self.assertGreater(status["log"]["bytes"], 0)
        self.assertGreater(status["tables"]["bytes"], 0)
        self.assertGreater(status["free_bytes"], 0)
        self.assertRegex(self.server.run("status").stdout, r"(?m)^quarantined +0$")
        self.assertIn("0001", self.server.run("migrate", "--status").stdout)
        self.assertIn("up to date", self.server.run("migrate").stdout)
        self.assertIn("nobody", self.server.run("retry").stdout)

    def test_files_are_for_their_owner_only(self):
        for directory, _, files in os.walk(os.path.join(self.server.data_dir, "log")):
            self.assertEqual(stat.S_IMODE(os.stat(directory).st_mode) & 0o77, 0)
            for name in files:
                mode = os.stat(os.path.join(directory, name)).st_mode
                self.assertEqual(stat.S_IMODE(mode) & 0o77, 0, name)

    def test_requests_are_logged_and_cannot_forge_a_line(self):
        client = self.server.client()
        client.get("/nothing%0aforged?x=%0dinfo%20forged")
        client.close()
        self.server.wait_for(lambda: any("/nothing" in line for line in lines(self.server)),
                             "the request's line")
        found = [line for line in lines(self.server) if "forged" in line]
        self.assertEqual(len(found), 1)
        self.assertRegex(found[0], r"^info request method=GET path=\S+ status=404 ")


class WithoutServer(InOrder):
    def test_status_shows_the_log_alone(self):
        server = Server(private=True)
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        client.post("/persons", PERSON)
        client.close()
        server.stop()
        status = json.loads(server.run("status", "--json").stdout)
        self.assertEqual((status["head"], status["projected"]), (2, None))
        self.assertIn("not asked", server.run("status").stdout)
        # migrate starts the private cluster by itself, and stops it again
        self.assertIn("0001", server.run("migrate", "--status").stdout)
        self.assertEqual(processes_below(server.data_dir), [])


class WithoutPostgres(InOrder):
    def setUp(self):
        self.server = Server(private=True, env={"DB_HOST": "/nowhere", "LOG_FORMAT": "json"})
        self.server.process = subprocess.Popen(
            [PROGRAM, "serve", "--data-dir", self.server.data_dir, "--port", "0"],
            env=self.server.env, cwd=self.server.data_dir, stdin=subprocess.DEVNULL,
            stdout=self.server.log, stderr=self.server.log)
        self.addCleanup(self.server.close)
        self.server.wait_for(self.ready, "ready")

    def ready(self):
        found = re.search(r"ready: http://127.0.0.1:(\d+) ", self.server.told())
        if found:
            self.server.port = int(found[1])
        return found

    def test_it_starts_and_writes_and_says_why_it_cannot_read(self):
        client = self.server.client()
        self.assertEqual(client.post("/persons", PERSON).status, 201)
        answer = client.get("/persons", traceparent=f"00-{32 * 'a'}-{16 * 'b'}-00")
        self.assertEqual(answer.status, 503)
        self.assertIn("Retry-After", answer.headers)
        client.close()
        status = self.server.run("status", check=False)
        self.assertEqual(status.returncode, 3)
        self.assertRegex(status.stdout, r"(?m)^head +2$")
        self.server.stop()
        with open(os.path.join(self.server.data_dir, "serve.log")) as log:
            entries = [json.loads(line) for line in log]
        levels = {entry["message"].split(":")[0]: entry["level"] for entry in entries}
        self.assertEqual(levels["log open"], "info")
        self.assertEqual(levels["projection stands still"], "warn")
        refused = {(entry["path"], entry["level"]) for entry in entries
                   if entry.get("status") == 503}
        self.assertEqual(refused, {("/persons", "warn"), ("/health", "info")})
        traces = {(entry["path"], entry["trace_id"]) for entry in entries
                  if "trace_id" in entry}
        self.assertEqual(traces, {("/persons", 32 * "a")})

    def test_sigint_ends_it_too(self):
        self.server.process.send_signal(signal.SIGINT)
        self.assertEqual(self.server.process.wait(PATIENCE), 0)
        self.server.process = None
        self.assertIn("SIGINT", self.server.told())

    def test_an_echo_of_the_signal_is_no_second_one(self):
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            self.server.process.send_signal(number)  # so that both wait at once
        self.assertEqual(self.server.process.wait(PATIENCE), 0)
        self.server.process = None
        self.assertIn("stopped", self.server.told())

    def test_a_second_signal_ends_it_at_once(self):
        slow = socket.create_connection(("127.0.0.1", self.server.port))
        self.addCleanup(slow.close)
        slow.sendall(b"POST /persons HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
                     b"Content-Type: application/json\r\n\r\n{")
        self.server.process.send_signal(signal.SIGTERM)
        self.server.wait_for(lambda: "finishing requests" in self.server.told(), "the stop")
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(PATIENCE), -signal.SIGTERM)
        self.server.process = None

    def test_sighup_of_nobodys_terminal_does_not(self):
        self.server.stop()
        self.server.program.insert(0, "setsid")
        self.server.start()
        self.server.process.send_signal(signal.SIGHUP)
        client = self.server.client()
        self.assertEqual(client.get("/log").status, 200)
        client.close()
        self.server.stop()


class AtATerminal(unittest.TestCase):
    def setUp(self):
        self.server = Server(private=True)
        self.addCleanup(self.server.close)

    def start(self, hangup, *through):
        """As a shell would; SIGHUP is dealt with as given. What it says is read."""
        command = [*through, PROGRAM, "serve", "--data-dir", self.server.data_dir,
                   "--port", str(self.server.port)]
        pid, self.terminal = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGHUP, hangup)
            os.chdir(self.server.data_dir)
            os.execvpe(command[0], command, self.server.env)
        self.addCleanup(self.end, pid)
        said = b""
        while b"ready: " not in said:
            said += os.read(self.terminal, 4096)
        return pid

    def end(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def wait(self, pid):
        ended = []

        def has_ended():
            ended[:] = os.waitpid(pid, os.WNOHANG)
            return ended[0] == pid

        self.server.wait_for(has_ended, "the end")
        return os.waitstatus_to_exitcode(ended[1])

    def test_it_ends_with_all_it_started_when_that_is_closed(self):
        pid = self.start(signal.SIG_DFL)
        os.close(self.terminal)
        self.assertEqual(self.wait(pid), 0)
        self.assertEqual(processes_below(self.server.data_dir), [])

    def test_so_it_does_below_one_that_only_waits_for_it(self):
        """As make does: SIGHUP goes to that one alone."""
        pid = self.start(signal.SIG_DFL, "sh", "-c", 'trap : HUP; "$@"; exit $?', "sh")
        os.close(self.terminal)
        self.assertEqual(self.wait(pid), 0)
        self.assertEqual(processes_below(self.server.data_dir), [])

    def test_nohup_is_heeded(self):
        pid = self.start(signal.SIG_IGN)
        os.close(self.terminal)
        time.sleep(1)
        self.assertEqual(self.server.client().get("/persons").status, 200)
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(self.wait(pid), 0)
        self.assertEqual(processes_below(self.server.data_dir), [])


def processes_below(directory):
    """Command lines that name the directory, the caller's own left out."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                text = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if directory in text and int(pid) != os.getpid():
            found.append(text)
    return found


if __name__ == "__main__":
    unittest.main()
