"""What may happen to several servers of one sealed log besides: the master key is rotated, backups
are made, a server begins anew from one of them, or gets a ring of before."""

import os
import shutil
import subprocess
import tempfile

from ended import ENDED
from faults import Faults
from harness import PROGRAM

KEPT = 3  # backups, and rings
DIGITS = "abcdef0123456789"  # the n-th master key is of one alone


class KeyFaults(Faults):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.directory = tempfile.mkdtemp(prefix="daybook-keys-", dir="/var/tmp")
        self.count = 0
        self.backups, self.rings = [], []  # (where, by which master key)
        self.due = [event for event, _ in self.events()]

    def close(self):
        shutil.rmtree(self.directory, True)

    def events(self):
        return [*super().events(), (self.rotate, 3), (self.back_up, 2), (self.begin_anew, 1),
                (self.put_back_ring, 2)]

    def run(self, node, *command, seconds=60):
        """Its exit status; killed where that takes longer."""
        with subprocess.Popen(
                [*ENDED, PROGRAM, *command[:1], "--data-dir", node.data_dir, *command[1:]],
                env=node.env, cwd=node.data_dir, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tool:
            try:
                told = tool.communicate(timeout=seconds)[1]
            except subprocess.TimeoutExpired:
                tool.kill()
                tool.communicate()
                return "killed"
        if tool.returncode not in (0, 3):  # 3: it cannot be done now
            raise AssertionError(f"{node.name}: {command} ended {tool.returncode}: {told}")
        return tool.returncode

    def has_next(self, node):
        return os.path.exists(node.env["MASTER_KEY_FILE"] + ".new")

    def master(self, node):
        with open(node.env["MASTER_KEY_FILE"], encoding="ascii") as file:
            return file.read(1)

    def rotate(self):
        """At each that did not yet; then the next time there is another one."""
        if not any(self.has_next(node) for node in self.nodes):
            self.count += 1
            for node in self.nodes:
                node.put_master(".new", DIGITS[self.count % len(DIGITS)])
        killed = self.chance.choice((*self.nodes, None, None))
        return f"{self.count}: {self.rotate_rest(killed, self.chance.uniform(0.01, 0.5))}"

    def rotate_rest(self, killed=None, seconds=60):
        """One of them may be killed after so long."""
        done = {}
        for node in self.nodes:
            if self.has_next(node) and not node.frozen:
                done[node.name] = self.run(node, "keys", "rotate",
                                           seconds=seconds if node is killed else 60)
        return done

    def place(self):
        return tempfile.mktemp(dir=self.directory)  # who writes there makes it

    def back_up(self):
        node, place = self.chance.choice(self.nodes.all), self.place()
        if node.frozen:
            return None
        master, status = self.master(node), self.run(node, "backup", place)
        if status == 0:
            self.keep(self.backups, (place, master))
        return f"{node.name}: {status}"

    def keep(self, kept, one):
        kept.append(one)
        if len(kept) > KEPT:
            shutil.rmtree(kept.pop(0)[0])

    def begin_anew(self):
        """From a backup, of before or after what was erased since: with its own ring, or, where
        the master key was rotated since, with that of a member."""
        if not self.backups:
            return None
        backup, master = self.chance.choice(self.backups)
        node = self.a_node()
        if not node:
            return None
        node.kill()
        for name in ("log", "keys", "history", "audit", "cluster"):
            shutil.rmtree(os.path.join(node.data_dir, name), True)
        others = [one for one in self.nodes if one is not node]
        same = [one for one in others if self.master(one) == self.master(node)]
        took = "its own ring"
        if master != self.master(node) or (same and self.chance.random() < 0.5):
            took = "a ring of " + self.take_ring(node, *(same or others)[:1])
        status = self.run(node, "restore", backup, "--member")
        assert status == 0, (node.name, took, status)
        self.last("node", node.name, 3, node.spawn)
        return f"{node.name} by {took}"

    def take_ring(self, node, other):
        """As an operator does who begins one anew: what the other has, and what opens it."""
        os.mkdir(os.path.join(node.data_dir, "keys"), 0o700)
        ring = os.path.join(node.data_dir, "keys", "ring")
        assert self.run(other, "keys", "backup", ring) == 0, other.name
        for behind in ("", ".new"):
            mine, path = (one.env["MASTER_KEY_FILE"] + behind for one in (node, other))
            if os.path.exists(path):
                shutil.copy(path, mine)
            elif os.path.exists(mine):
                os.remove(mine)
        return other.name

    def put_back_ring(self):
        """One that was copied before, of the same master key; the first time it is copied."""
        node = self.a_node()
        if not node:
            return None
        node.kill()
        self.last("node", node.name, 3, node.spawn)
        keys, master = os.path.join(node.data_dir, "keys"), self.master(node)
        for place, by in self.rings:
            if by == master:
                shutil.copy(os.path.join(place, "ring"), os.path.join(keys, "ring"))
                return f"{node.name}: an old one"
        place = self.place()
        shutil.copytree(keys, place)
        self.keep(self.rings, (place, master))
        return f"{node.name}'s is kept"
