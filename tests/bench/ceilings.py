"""The programs that show what the parts under the product can do."""

import json
import subprocess

from report import Failure

THREADS = 256  # as HTTP_THREADS is by default


class HttpCeiling:
    """ceiling_http in one of its modes."""

    def __init__(self, world, mode, *operands):
        self.process = subprocess.Popen(
            [world.program("ceiling_http"), str(THREADS), mode, *operands],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline() or 0)
        if not self.port:
            raise Failure(f"ceiling_http {mode} does not start")
        world.keep(self)

    def finish(self):
        """End it; returns how many records it holds."""
        self.process.stdin.close()
        records = int(self.process.stdout.readline() or -1)
        self._reap()
        return records

    def close(self):
        if self.process.returncode is None:
            self.process.stdin.close()
            self._reap()

    def _reap(self):
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def commit(world):
    """Durable commits of one record: percentiles in microseconds."""
    return json.loads(world.run(world.program("ceiling_log"), "commit",
                                world.new_dir("commit"), world.seconds))


def append_rate(world, records, source="rest", batch=4096):
    """Records a second, appended in process."""
    found = json.loads(world.run(world.program("ceiling_log"), "append",
                                 world.new_dir("append"), records, batch, source))
    return found["records"] / found["seconds"]


def store_rate(world, records, batch=4096):
    """Events a second that the store takes in process."""
    found = json.loads(world.run(world.program("ceiling_store"), world.new_dir("store"),
                                 records, batch))
    return found["records"] / found["seconds"]


def scan(world, log_dir):
    """(records, records a second) of reading and decoding a whole log."""
    found = json.loads(world.run(world.program("ceiling_log"), "scan", log_dir))
    return found["records"], found["records"] / found["seconds"]
