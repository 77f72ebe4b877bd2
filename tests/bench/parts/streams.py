"""POST /events while others follow the log."""

import os
import subprocess
import sys
import time

import load
from report import Failure, Row
from served import Server
from world import HERE

STREAMS, WRITERS = 200, 32


def streams(world):
    """32 writers while 200 streams follow the log, against none that do"""
    server = Server(world).start()
    bodies = load.post_lines(world, load.people(server))
    load.posted(world, server, WRITERS, bodies, seconds=1)  # warm
    behind = []

    def alone():
        server.settle()
        return load.posted(world, server, WRITERS, bodies)["per_s"]

    def followed():
        server.settle()
        followers = Followers(world, server)
        found = load.posted(world, server, WRITERS, bodies)["per_s"]
        behind.append(followers.finish(server.quiet_head()))
        return found

    found = world.rounds(followed=followed, alone=alone)
    server.verify()
    world.drop(server)
    work = f"POST /events, {WRITERS} connections, {STREAMS} streams open"
    return [Row(work, "/s", found["followed"], found["alone"], "without streams",
                target=0.8),
            Row(f"{work}: until all have all", "s", behind)]


class Followers:
    """A process of its own, that checks what it is sent (followers.py)."""

    def __init__(self, world, server):
        self.world = world
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "followers.py"), str(server.port),
             str(STREAMS), str(server.quiet_head())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        world.keep(self)
        if self.process.stdout.readline() != "open\n":
            raise Failure("the streams are not open")

    def finish(self, head):
        """Seconds until all have all up to there."""
        begun = time.monotonic()
        told, _ = self.process.communicate(f"{head}\n")
        self.world.open.remove(self)
        if self.process.returncode != 0:
            raise Failure(f"followers.py ended {self.process.returncode}")
        self.world.say(f"bytes, connected again: {told.strip()}")
        return time.monotonic() - begun

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
