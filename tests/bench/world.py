"""What the parts share: options, programs, a directory of their own, and rounds."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from report import Failure

HERE = os.path.dirname(os.path.abspath(__file__))


class World:
    """One run of the bench. Everything it makes is below self.dir, and goes with it."""

    def __init__(self, options):
        self.options = options
        self.build = os.path.abspath(options.build)
        self.daybook = os.path.join(self.build, "daybook")
        # /var/tmp is on a disk where /tmp may be memory: a sync must be one.
        self.dir = tempfile.mkdtemp(prefix="daybook-bench-", dir=options.work_dir)
        os.chmod(self.dir, 0o755)  # so that an unprivileged PostgreSQL gets in
        self.numbers = iter(range(1, 1 << 30))
        self.open = []  # what must be closed, last one first
        self.growth = {}  # size of log -> kind of work -> a second, once measured

    @property
    def seconds(self):
        return self.options.seconds

    def program(self, name):
        folder = "generate" if name == "generate" else "bench"
        return os.path.join(self.build, "tests", folder, name)

    def path(self, name):
        """A new path below the run's directory."""
        return os.path.join(self.dir, f"{next(self.numbers)}-{name}")

    def new_dir(self, name):
        path = self.path(name)
        os.mkdir(path)
        return path

    def keep(self, closable):
        self.open.append(closable)
        return closable

    def drop(self, closable):
        self.open.remove(closable)
        closable.close()

    def close_open(self):
        for closable in reversed(self.open):
            try:
                closable.close()
            except Exception as error:  # the others must be closed, too
                self.say(str(error))
        self.open = []

    def close(self):
        self.close_open()
        shutil.rmtree(self.dir, ignore_errors=True)

    def say(self, text):
        print(f"bench: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def run(self, *command, timeout=3600, **kwargs):
        """Run it to its end, and return what it printed; it must end well."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run([str(word) for word in command], stderr=subprocess.PIPE,
                              timeout=timeout, **kwargs)
        if done.returncode != 0:
            raise Failure(f"{' '.join(map(str, command))[:200]} ended "
                          f"{done.returncode}: {done.stderr.decode()[-2000:]}")
        return done.stdout.decode() if done.stdout is not None else ""

    def rounds(self, **measures):
        """Call each measure in turn, again and again (A B A B), and return what they
        returned, a list each."""
        found = {name: [] for name in measures}
        for number in range(self.options.rounds):
            for name, measure in measures.items():
                found[name].append(measure())
            self.say(f"round {number + 1}: " + ", ".join(
                f"{name} {_short(values[-1])}" for name, values in found.items()))
        return found


def _short(value):
    if isinstance(value, dict):
        return " ".join(f"{key}={_short(each)}" for key, each in value.items())
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
