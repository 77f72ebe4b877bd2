"""Three Daybooks that are one, to look at: make cluster-demo.

    run.py PROGRAM [--minutes N] [--end] [--place FOLDER]

Three of Kafka's brokers, three servers with a log and a PostgreSQL each and, where haproxy is
there, a proxy before them; somebody who writes all the time; and a leader that is killed.
Ctrl-C ends all of it, and deletes what was made.
"""

import argparse
import ctypes
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "cluster"))
from brokers import Brokers, Missing  # noqa: E402

PLACE = os.path.join(HERE, "..", "..", "build", "cluster-demo")
MARK = ".daybook-cluster-demo"  # in the folder: what is there may be deleted
OUTSIDE = "/var/lib/daybook-postgres"  # where PostgreSQL's data lies if root starts it
MINUTES, PATIENCE, WATCHED_S = 10, 120, 8
NODES = ("db1", "db2", "db3")


def say(text):
    print(text, flush=True)


def die_with_parent():
    """A demo that is killed leaves nothing running either."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port(first):
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    sys.exit(f"cluster-demo: no port is free from {first} on")


def ask(port, method, path, body=None, timeout=10):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=json.dumps(body) if body else None,
                           headers={"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


class Started:
    """A process of ours, which ends with us."""

    def __init__(self, command, log, env=None, cwd=None):
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, preexec_fn=die_with_parent)
        self.told = False  # to end

    def tell(self):
        if not self.told and self.process.poll() is None:
            self.process.terminate()
        self.told = True

    def end(self):
        self.tell()
        if self.process.poll() is None:
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def private(path, flags):
    return os.open(path, flags, 0o600)


class Node:
    """Nobody's settings but these: neither .env nor the environment says where it writes."""

    def __init__(self, program, place, name, port, bootstrap, master):
        self.program, self.name, self.port = os.path.abspath(program), name, port
        self.place = os.path.join(place, name)
        os.makedirs(self.place)
        self.log = os.path.join(self.place, "serve.log")
        self.env = {key: value for key, value in os.environ.items()
                    if key in ("PATH", "HOME", "LANG", "TZ") or key.endswith("SAN_OPTIONS")}
        self.env.update(CLUSTER_BROKERS=bootstrap, CLUSTER_NODE=name,
                        CLUSTER_URL=f"http://127.0.0.1:{port}", CLUSTER_SESSION="2",
                        MASTER_KEY_FILE=os.path.join(self.place, "master.key"))
        with open(self.env["MASTER_KEY_FILE"], "w", opener=private) as file:
            file.write(master + "\n")
        self.started = None

    def run(self, *command):
        return subprocess.run(
            [self.program, *command, "--data-dir", self.place + "/data"], cwd=self.place,
            env=self.env, stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False)

    def start(self):
        self.started = Started([self.program, "serve", "--data-dir", self.place + "/data",
                                "--port", str(self.port)], self.log, self.env, self.place)

    def kill(self):
        self.started.process.kill()
        self.started.process.wait()

    def status(self, path):
        try:
            return ask(self.port, "GET", path, timeout=2)[0]
        except OSError:
            return None

    def why_not_ready(self):
        """None: it is; of another's server at its port nothing is believed."""
        if self.started.process.poll() is not None:
            return "it has ended"
        try:
            status, body, _ = ask(self.port, "GET", "/health/ready", timeout=2)
            if status == 200 and json.loads(body)["data"]["node"] == self.name:
                return None
            return body.decode(errors="replace")
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as why:
            return str(why)

    def wait_ready(self):
        deadline = time.monotonic() + PATIENCE
        while (why := self.why_not_ready()) is not None:
            if self.started.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, errors="replace") as log:
                    told = [line for line in log if " request method=" not in line]
                sys.exit(f"cluster-demo: {self.name} does not start: {why}\n"
                         + "".join(told)[-1500:])
            time.sleep(0.2)

    def outside(self):
        """Where PostgreSQL's data lies, if not here."""
        try:
            folder = json.loads(self.run("status", "--json").stdout)["cluster"]["dir"]
        except (OSError, ValueError, TypeError, KeyError):  # the program, too, may be gone
            return None
        return os.path.dirname(folder) if folder.startswith(OUTSIDE) else None


def write_proxy(place, nodes, port):
    """As docs/cluster.md has it."""
    servers = "\n".join(f"    server {one.name} 127.0.0.1:{one.port}" for one in nodes)
    path = os.path.join(place, "haproxy.cfg")
    with open(path, "w") as file:
        file.write(f"""
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    option redispatch
    retries 3
frontend daybook
    bind 127.0.0.1:{port}
    acl reads method GET HEAD
    use_backend any if reads
    default_backend leader
backend leader
    option httpchk GET /health/leader
    default-server check inter 250ms fall 1 rise 1
{servers}
backend any
    balance roundrobin
    option httpchk GET /health/ready
    default-server check inter 1s
{servers}
""")
    return path


class Writer(threading.Thread):
    """Writes an event again and again; what gets no answer is sent again, with its id."""

    def __init__(self, nodes, proxy):
        super().__init__(daemon=True)
        self.nodes, self.proxy = nodes, proxy
        self.acknowledged, self.pause, self.ended = [], 0.0, threading.Event()

    def ports(self):
        """Whom to ask, the leader first."""
        if self.proxy:
            return [self.proxy]
        return sorted((one.port for one in self.nodes),
                      key=lambda port: port != getattr(self, "last", 0))

    def send(self, body):
        for port in self.ports():
            try:
                status, _, _ = ask(port, "POST", "/events", body, timeout=5)
            except (OSError, http.client.HTTPException):
                continue
            if status in (200, 201):
                self.last = port
                return True
        return False

    def run(self):
        person = str(uuid.uuid4())
        while not self.send_person(person) and not self.ended.is_set():
            time.sleep(0.2)
        while not self.ended.is_set():
            body = {"id": str(uuid.uuid4()), "person_id": person, "event_type": "beat"}
            begun = time.monotonic()
            while not self.ended.is_set() and not self.send(body):
                time.sleep(0.02)
            self.pause = max(self.pause, time.monotonic() - begun)
            if not self.ended.is_set():
                self.acknowledged.append(body["id"])
            time.sleep(0.02)

    def send_person(self, person):
        body = {"id": person, "email": f"{person}@marauders.mock", "first_name": "Kate",
                "last_name": "Pryde"}
        for port in self.ports():
            try:
                if ask(port, "POST", "/persons", body)[0] in (200, 201):
                    return True
            except (OSError, http.client.HTTPException):
                continue
        return False


def show(nodes):
    done = nodes[0].run("cluster", "status")
    say("\n" + (done.stdout or done.stderr).rstrip())


def leader_of(nodes):
    return next((one for one in nodes if one.status("/health/leader") == 200), None)


def wait_leader(nodes):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        leader = leader_of(nodes)
        if leader:
            return leader
        time.sleep(0.02)
    sys.exit("cluster-demo: nobody leads")


def count_missing(nodes, ids):
    """Of those that were acknowledged, how many some node does not have."""
    return sum(ask(one.port, "GET", "/events/" + each)[0] != 200
               for one in nodes for each in ids)


def play(nodes, writer):
    """What is to be seen; then all goes on until the end."""
    show(nodes)
    say(f"\nsomebody writes all the time; in {WATCHED_S} s the leader is killed")
    time.sleep(WATCHED_S)
    leader, writer.pause = wait_leader(nodes), 0.0
    say(f"\nkill -9 {leader.started.process.pid}: {leader.name} led, "
        f"{len(writer.acknowledged)} events are acknowledged")
    begun = time.monotonic()
    leader.kill()
    rest = [one for one in nodes if one is not leader]
    heir = wait_leader(rest)
    say(f"{heir.name} leads after {time.monotonic() - begun:.1f} s")
    time.sleep(WATCHED_S)
    show([heir])
    say(f"\nthe writer's longest pause was {writer.pause:.1f} s; {leader.name} is started again")
    leader.start()
    leader.wait_ready()
    known = list(writer.acknowledged)
    sample = known[-500:]
    missing = count_missing(nodes, sample)
    say(f"of the last {len(sample)} of {len(known)} acknowledged events, "
        f"{missing or 'none'} missing at any of the three")
    begun = time.monotonic()
    done = nodes[0].run("cluster", "hand-over", leader.name)
    say(f"daybook cluster hand-over {leader.name}: {time.monotonic() - begun:.1f} s"
        if done.returncode == 0 else done.stderr)
    show(nodes)
    return missing == 0 and done.returncode == 0


def end_all(nodes, others, place):
    outside = [one.outside() for one in nodes]
    started = [one.started for one in nodes if one.started]
    for one in started:
        one.tell()
    for one in started:
        one.end()
    for other in others:
        other()
    for folder in [*filter(None, outside), place]:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(place):
    if os.path.exists(place) and not os.path.exists(os.path.join(place, MARK)):
        sys.exit(f"cluster-demo: {place} is not a demo's: name another --place")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    with open(os.path.join(place, MARK), "w"):
        pass


def start_all(options, place, nodes, others):
    say("starting three brokers")
    brokers = Brokers(directory=os.path.join(place, "brokers"))
    others.append(brokers.close)
    brokers.start()
    master = secrets.token_hex(32)  # the same at all, each in a file of its own
    for number, name in enumerate(NODES):
        nodes.append(Node(options.program, place, name, free_port(8080 + 100 * number),
                          brokers.bootstrap, master))
    done = nodes[0].run("cluster", "init")
    if done.returncode != 0:
        sys.exit(done.stderr)
    say(done.stdout.rstrip() + "\nstarting three servers")
    for one in nodes:
        one.start()
    for one in nodes:
        one.wait_ready()
    proxy = 0
    if shutil.which("haproxy") or os.path.exists("/usr/sbin/haproxy"):
        proxy = free_port(8380)
        started = Started([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f",
                           write_proxy(place, nodes, proxy)],
                          os.path.join(place, "haproxy.log"))
        others.insert(0, started.end)
    wait_leader(nodes)
    return proxy


def run(options, place, nodes, others):
    deadline = time.monotonic() + options.minutes * 60
    proxy = start_all(options, place, nodes, others)
    writer = Writer(nodes, proxy)
    writer.start()
    others.insert(0, writer.ended.set)
    say("\n" + "\n".join(f"{one.name}  http://127.0.0.1:{one.port}/console" for one in nodes))
    say(f"all  http://127.0.0.1:{proxy} (haproxy)" if proxy else "haproxy is not here")
    good = play(nodes, writer)
    if options.end:
        return 0 if good else 1
    say(f"\nit goes on; look at the consoles, kill one yourself. Ctrl-C ends all, as do "
        f"{options.minutes:g} minutes")
    while time.monotonic() < deadline:
        time.sleep(0.5)
    return 0


def main():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n")[0])
    parser.add_argument("program", help="the daybook to be shown")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="at most")
    parser.add_argument("--end", action="store_true", help="end when all has been shown")
    parser.add_argument("--place", default=PLACE, help="a folder that is made and deleted")
    options = parser.parse_args()
    place, nodes, others = os.path.abspath(options.place), [], []
    for number in (signal.SIGTERM, signal.SIGHUP):  # also where the terminal is closed
        signal.signal(number, lambda *_: sys.exit(0))
    prepare(place)
    try:
        return run(options, place, nodes, others)
    except Missing as missing:
        say(f"cluster-demo: no brokers: {missing}")
        return 1
    except KeyboardInterrupt:
        say("\nending")
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end_all(nodes, others, place)
        say("ended: nothing of it runs, and what it made is deleted")


if __name__ == "__main__":
    sys.exit(main())
