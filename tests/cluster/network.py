"""Hosts with a network of their own, whose links are cut and lose packets: network namespaces
below a bridge, and the kernel's packet filter. Needs root and nft. Nothing of it outlives the
program that made it."""

import ctypes
import os
import re
import shutil
import socket
import subprocess
import time

from ended import ENDED

CLONE_NEWNET = 0x40000000
RULES = """
table ip links {
    set gone { type ipv4_addr; }
    set lossy { type ipv4_addr; }
    counter cut {}
    counter lost {}
    chain in {
        type filter hook input priority 0;
        ip saddr @gone counter name cut drop
        ip saddr @lossy numgen random mod 100 < %d counter name lost drop
    }
}
"""
LOSS = 20  # of 100 packets of a lossy link


def missing():
    """What is not here, or None."""
    if os.geteuid() != 0:
        return "networks apart need root"
    for program in ("ip", "nft", "nsenter", "unshare"):
        if not shutil.which(program):
            return f"{program} is not here: tools/install-deps test-cluster"
    done = subprocess.run(["unshare", "--net", "nft", "-f", "-"], input=RULES % LOSS,
                          text=True, capture_output=True, check=False)
    return done.stderr.strip() if done.returncode != 0 else None


def _run(*command, given=None):
    done = subprocess.run(command, input=given, text=True, capture_output=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


class Network:
    """Hosts by name. What is cut is cut between them; we reach all."""

    def __init__(self, names):
        self.names = list(names)
        self.prefix = f"10.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}."
        self.address = {name: f"{self.prefix}{2 + i}" for i, name in enumerate(self.names)}
        self.holders = {}
        self.here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.there = {}
        switch = self._hold("switch")
        self._within(switch, "ip", "link", "add", "bridge", "type", "bridge")
        self._within(switch, "ip", "link", "set", "bridge", "up")
        for number, name in enumerate(self.names):
            self._attach(switch, number, name)
        # The way from here: a link of the bridge, too.
        link = f"dbk{os.getpid()}"
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", "here", "netns",
             str(switch))
        self._within(switch, "ip", "link", "set", "here", "master", "bridge", "up")
        _run("ip", "address", "add", self.prefix + "1/24", "dev", link)
        _run("ip", "link", "set", link, "up")

    def _hold(self, name):
        """A process that the network lives as long as."""
        holder = self.holders[name] = subprocess.Popen(
            [*ENDED, "unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        path = f"/proc/{holder.pid}/ns/net"
        while os.readlink(path) == os.readlink("/proc/self/ns/net"):
            assert holder.poll() is None, "no network of its own"
            time.sleep(0.01)
        self.there[name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return holder.pid

    @staticmethod
    def _within(pid, *command, given=None):
        return _run("nsenter", "-t", str(pid), "-n", "--", *command, given=given)

    def _attach(self, switch, number, name):
        pid, port = self._hold(name), f"port{number}"
        self._within(switch, "ip", "link", "add", port, "type", "veth", "peer", "name",
                     "eth0", "netns", str(pid))
        self._within(switch, "ip", "link", "set", port, "master", "bridge", "up")
        self._within(pid, "ip", "address", "add", self.address[name] + "/24", "dev", "eth0")
        self._within(pid, "ip", "link", "set", "eth0", "up")
        self._within(pid, "ip", "link", "set", "lo", "up")
        self._within(pid, "nft", "-f", "-", given=RULES % LOSS)

    def within(self, name):
        """What a program is started through, so that it is on that host."""
        return ["nsenter", "-t", str(self.holders[name].pid), "-n", "--"]

    def connector(self, name):
        """As socket.create_connection, from within that host: its loopback is reached
        whatever is cut."""
        libc, there, here = ctypes.CDLL(None, use_errno=True), self.there[name], self.here

        def connect(address, timeout=None, source_address=None):
            # Of this thread alone, and the socket stays where it was made.
            assert libc.setns(there, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                return socket.create_connection(address, timeout, source_address)
            finally:
                assert libc.setns(here, CLONE_NEWNET) == 0
        return connect

    def _filter(self, verb, kind, one, other):
        self._within(self.holders[one].pid, "nft", verb, "element", "ip", "links", kind,
                     "{ " + self.address[other] + " }")

    def cut(self, sender, receiver):
        """Nothing that the one sends comes to the other."""
        self._filter("add", "gone", receiver, sender)

    def lose(self, sender, receiver):
        """Some of it does not."""
        self._filter("add", "lossy", receiver, sender)

    def dropped(self):
        """How many packets did not arrive so far: on cut links, on lossy ones."""
        counts = {"cut": 0, "lost": 0}
        for name in self.names:
            told = self._within(self.holders[name].pid, "nft", "list", "counters")
            for which, packets in re.findall(r"counter (\w+) \{\s*packets (\d+)", told):
                counts[which] += int(packets)
        return counts["cut"], counts["lost"]

    def heal(self):
        for name in self.names:
            for kind in ("gone", "lossy"):
                self._within(self.holders[name].pid, "nft", "flush", "set", "ip", "links",
                             kind)

    def close(self):
        for holder in self.holders.values():
            holder.kill()
            holder.wait()
        for there in (*self.there.values(), self.here):
            os.close(there)
