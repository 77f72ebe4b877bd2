"""Apache Kafka's own brokers on loopback, to be killed, frozen and cut off.

    brokers.py [--brokers N] [--directory DIR] [--base-port P]

runs N of them (3) until Ctrl-C, and prints the list to connect to. Needs Java 17, and Maven
once for each version (KAFKA_VERSION): its jars are kept in ~/.cache/daybook.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from ended import ENDED

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = os.environ.get("KAFKA_VERSION", "4.2.1")
PATIENCE = 120  # seconds until something that must happen has not happened
STARTS = 3  # that a broker may need: one has ended without a word on a machine under load

# Small, and started soon. What the heap is too small for by default is set below.
JAVA = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


class Missing(Exception):
    """What the brokers need is not here; says what."""


def jars():
    """The folder of the jars; brought by Maven where it is not there yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "daybook", "kafka-" + VERSION)
    if os.path.isdir(folder):
        return folder
    for program in ("java", "mvn"):
        if not shutil.which(program):
            raise Missing(f"{program} is not here: tools/install-deps test-cluster")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as partial:
        out = os.path.join(partial, "jars")
        try:
            done = subprocess.run(
                ["mvn", "-q", "-B", "-f", os.path.join(HERE, "pom.xml"),
                 "-Dkafka=" + VERSION, "dependency:copy-dependencies",
                 "-DincludeScope=runtime", "-DoutputDirectory=" + out],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                timeout=5 * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Missing("Maven does not bring Kafka: it takes too long") from None
        if done.returncode != 0:
            raise Missing("Maven does not bring Kafka: " + (done.stdout + done.stderr)[-400:])
        with contextlib.suppress(OSError):  # somebody was quicker
            os.rename(out, folder)
    return folder


def free_ports(count):
    """Not of those that the system gives to whoever asks for any: brokers come back to them."""
    found, port = [], 19000 + os.getpid() % 7000
    while len(found) < count:
        port += 1
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found


class Brokers:
    """A cluster of combined brokers and controllers (KRaft), numbered from 1."""

    def __init__(self, count=3, directory=None, session_ms=3000, ports=None, hosts=None,
                 extra=()):
        self.lib = jars()
        self.count = count
        self.directory = directory or tempfile.mkdtemp(prefix="daybook-brokers-", dir="/var/tmp")
        self.ours = directory is None
        self.session_ms = session_ms
        self.extra = list(extra)
        self.hosts = hosts or {i: "127.0.0.1" for i in self.numbers}
        ports = ports or free_ports(2 * count)
        self.ports = dict(zip(self.numbers, ports[::2]))
        self.controllers = dict(zip(self.numbers, ports[1::2]))
        self.processes = {}
        self.within = {}  # a command that the broker is started by, such as ip netns exec
        self._format()

    @property
    def numbers(self):
        return range(1, self.count + 1)

    @property
    def bootstrap(self):
        return ",".join(f"{self.hosts[i]}:{self.ports[i]}" for i in self.numbers)

    def _home(self, number):
        return os.path.join(self.directory, str(number))

    def _java(self, heap, *arguments):
        return [*ENDED, *JAVA, f"-Xms{heap}m", f"-Xmx{heap}m", "-cp", self.lib + "/*", *arguments]

    def configure(self, bootstrap, kind, name, settings):
        """Of one of "topics" or "users", by Kafka's own tool."""
        done = subprocess.run(
            self._java(96, "kafka.admin.ConfigCommand", "--bootstrap-server", bootstrap,
                       "--alter", "--entity-type", kind, "--entity-name", name, "--add-config",
                       settings),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=2 * PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr

    def _properties(self, number):
        least = min(2, self.count)
        voters = ",".join(f"{i}@{self.hosts[i]}:{self.controllers[i]}" for i in self.numbers)
        host, port, controller = (self.hosts[number], self.ports[number],
                                  self.controllers[number])
        return "\n".join([
            "process.roles=broker,controller",
            f"node.id={number}",
            f"controller.quorum.voters={voters}",
            "controller.listener.names=CONTROLLER",
            f"listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}",
            f"advertised.listeners=PLAINTEXT://{host}:{port}",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            f"log.dirs={self._home(number)}/data",
            "auto.create.topics.enable=false",
            "unclean.leader.election.enable=false",
            f"default.replication.factor={self.count}",
            f"min.insync.replicas={least}",
            f"offsets.topic.replication.factor={self.count}",
            "offsets.topic.num.partitions=1",
            f"transaction.state.log.replication.factor={self.count}",
            f"transaction.state.log.min.isr={least}",
            "transaction.state.log.num.partitions=1",
            # Elections and deaths are found out soon, or the tests would wait.
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=1000",
            f"broker.session.timeout.ms={self.session_ms}",
            f"broker.heartbeat.interval.ms={max(100, self.session_ms // 6)}",
            "num.network.threads=2",
            "num.io.threads=4",
            # By default it is larger than the whole heap.
            "log.cleaner.dedupe.buffer.size=16777216",
            *self.extra, ""])

    def _format(self):
        made = os.path.join(self.directory, "cluster.id")
        if not os.path.exists(made):
            told = subprocess.run(
                self._java(64, "kafka.tools.StorageTool", "random-uuid"), check=True,
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=PATIENCE).stdout
            os.makedirs(self.directory, exist_ok=True)
            with open(made, "w") as file:
                file.write(told.split()[-1])
        with open(made) as file:
            cluster = file.read()
        formatting = []
        for number in self.numbers:
            os.makedirs(self._home(number), exist_ok=True)
            path = os.path.join(self._home(number), "server.properties")
            with open(path, "w") as file:
                file.write(self._properties(number))
            if not os.path.exists(os.path.join(self._home(number), "data", "meta.properties")):
                formatting.append(subprocess.Popen(
                    self._java(96, "kafka.tools.StorageTool", "format", "-t", cluster, "-c",
                               path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL))
        for each in formatting:
            if each.wait(PATIENCE) != 0:
                raise AssertionError("a broker's directory cannot be formatted")

    def start(self, *numbers):
        """Those, or all; returns once each answers."""
        numbers = numbers or self.numbers
        for number in numbers:
            self.spawn(number)
        for number in numbers:
            self.await_answer(number)
        return self

    def spawn(self, number):
        old = self.processes.get(number)
        if old:
            assert old.poll() is not None, f"broker {number} runs"
        with open(os.path.join(self._home(number), "server.log"), "ab") as log:
            self.processes[number] = subprocess.Popen(
                [*self.within.get(number, []), *self._java(
                    192, "kafka.Kafka", os.path.join(self._home(number),
                                                     "server.properties"))],
                cwd=self._home(number), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    def answers(self, number):
        with contextlib.suppress(OSError):
            socket.create_connection((self.hosts[number], self.ports[number]), 1).close()
            return True
        return False

    def await_answer(self, number):
        deadline, starts = time.monotonic() + PATIENCE, 1
        while not self.answers(number):
            if self.processes[number].poll() is not None and starts < STARTS:
                self.spawn(number)
                starts += 1
            if time.monotonic() > deadline:
                raise AssertionError(f"broker {number} does not answer: {self.tail(number)}")
            time.sleep(0.1)

    def tail(self, number):
        with open(os.path.join(self._home(number), "server.log"), errors="replace") as log:
            return log.read()[-1500:]

    def _signal(self, number, what):
        with contextlib.suppress(ProcessLookupError):
            self.processes[number].send_signal(what)

    def kill(self, number):
        self._signal(number, signal.SIGKILL)
        self.processes[number].wait()

    def terminate(self, number):
        self._signal(number, signal.SIGTERM)

    def freeze(self, number):
        self._signal(number, signal.SIGSTOP)

    def thaw(self, number):
        self._signal(number, signal.SIGCONT)

    def alive(self, number):
        process = self.processes.get(number)
        return process is not None and process.poll() is None

    def close(self):
        for number in self.processes:
            self.thaw(number)
            self.terminate(number)
        for number, process in self.processes.items():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill(number)
        self.processes = {}
        if self.ours:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--directory", help="kept when it ends; default: one that is not")
    parser.add_argument("--base-port", type=int)
    options = parser.parse_args()
    ports = options.base_port and list(range(options.base_port,
                                             options.base_port + 2 * options.brokers))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        brokers = Brokers(options.brokers, options.directory, ports=ports)
        with brokers:
            print(brokers.bootstrap, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    except Missing as missing:
        print(f"no brokers: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
