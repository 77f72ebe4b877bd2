"""Load: wrk, the probe, and what they send."""

import json
import os
import subprocess

from report import Failure
from world import HERE

WRK_THREADS = 2
BATCH = 1000


def event_body(person_id, number=10482):
    """About 165 bytes; ceiling_log appends the same."""
    return ('{"event_type":"page_edit","person_id":"%s","properties":{"page":'
            '"/articles/%05d","rank":17,"referrer":"https://example.org/start"}}'
            % (person_id, number % 100000))


def write_lines(world, name, lines):
    path = world.path(name)
    with open(path, "w") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def people(server, count=100):
    """Ids of new persons."""
    ids = []
    for number in range(count):
        person = {"email": f"kate.pryde{number}@marauders.mock", "first_name": "Kate",
                  "last_name": "Pryde"}
        _, text = server.ask("POST", "/persons", person, status=201)
        ids.append(json.loads(text)["data"]["id"])
    return ids


def post_lines(world, ids, count=5000):
    return write_lines(world, "bodies", (
        event_body(ids[i % len(ids)], 10000 + i) for i in range(count)))


def batch_lines(world, ids, count=8):
    def batch(first):
        return "[" + ",".join(event_body(ids[i % len(ids)], 10000 + i)
                              for i in range(first, first + BATCH)) + "]"
    return write_lines(world, "batches", (batch(i * BATCH) for i in range(count)))


def wrk_command(world, port, connections, seconds, method, file, path=""):
    return ["wrk", "-t", str(min(WRK_THREADS, connections)), "-c", str(connections),
            "-d", f"{max(1, round(seconds))}s", "--timeout", "30s",
            "-s", os.path.join(HERE, "lines.lua"), f"http://127.0.0.1:{port}",
            "--", method, file, path]


def read_wrk(text):
    """Its JSON, every answer of which must have been good."""
    found = json.loads(text[text.index('{"requests"'):])
    if found["refused"] or found["broken"] or not found["requests"]:
        raise Failure(f"not every request was answered well: {found}")
    found["per_s"] = found["requests"] / found["seconds"]
    return found


def wrk(world, port, connections, method, file, path="", seconds=None):
    return read_wrk(world.run(*wrk_command(
        world, port, connections, seconds or world.seconds, method, file, path)))


def posted(world, server, connections, file, path="/events", each=1, seconds=None):
    """wrk's POSTs to serve; what was acknowledged must be in the log."""
    before = server.quiet_head()
    found = wrk(world, server.port, connections, "POST", file, path, seconds)
    check_growth(found["requests"], connections, server.head() - before, each)
    return found


def check_growth(requests, connections, growth, each=1):
    """wrk leaves when its time is up, with a request a connection under way."""
    if not requests * each <= growth <= (requests + connections) * each:
        raise Failure(f"{requests} requests of {each} were acknowledged, and the log "
                      f"grew by {growth}")


def probe(world, mode, port, person_id, seconds=None):
    return json.loads(world.run(world.program("probe"), mode, port,
                                seconds or world.seconds, event_body(person_id)))


class Background:
    """wrk beside something else that is measured."""

    def __init__(self, world, port, connections, seconds, method, file, path=""):
        self.world = world
        self.process = subprocess.Popen(
            wrk_command(world, port, connections, seconds, method, file, path),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        world.keep(self)

    def running(self):
        return self.process.poll() is None

    def finish(self):
        text = self.process.communicate()[0].decode()
        if self.process.returncode != 0:
            raise Failure(f"wrk ended {self.process.returncode}: {text}")
        return read_wrk(text)

    def close(self):
        if self.running():
            self.process.kill()
            self.process.wait()
