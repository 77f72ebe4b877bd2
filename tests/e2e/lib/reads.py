"""Client threads that read all they can, and time each answer."""

import statistics
import threading
import time


def right_or_away(answer, _took):
    """What is wrong with an answer while PostgreSQL, or the way to it, may be in trouble."""
    if answer.status == 200:
        return None
    if answer.status != 503:
        return f"status {answer.status}: {answer.body[:300]}"
    return None if answer.headers.get("Retry-After", "").isdigit() else "no Retry-After"


class Reads:
    """Every answer is checked by `check`, which says what is wrong with it or None;
    headers as Client.get takes them. How long answers take is told of half of them: on a busy
    machine any of them may be late."""

    def __init__(self, server, paths, check, clients=6, headers=None):
        self.server, self.paths, self.check = server, paths, check
        self.headers = headers or {}
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.wrong, self.count, self.slowest, self.times = [], 0, 0.0, []
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True)
                        for i in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:5]
        return self

    def usual(self):
        """The time that half of the answers took at most."""
        return statistics.median(self.times)

    def wait_for(self, more):
        goal = self.count + more
        while (before := self.count) < goal and not self.wrong:
            self.server.wait_for(lambda before=before: self.count > before or self.wrong,
                                 f"another of {more} reads")

    def _run(self, number):
        client = self.server.client()
        try:
            while not self.stopping.is_set():
                self._one(client, self.paths[number % len(self.paths)])
                number += 1
        except Exception as error:  # told by stop()
            with self.lock:
                self.wrong.append(f"{type(error).__name__}: {error}")
        client.close()

    def _one(self, client, path):
        begin = time.monotonic()
        answer = client.get(path, **self.headers)
        took = time.monotonic() - begin
        wrong = self.check(answer, took)
        with self.lock:
            self.count += 1
            self.slowest = max(self.slowest, took)
            self.times.append(took)
            if wrong:
                self.wrong.append(f"GET {path} after {took:.2f} s: {wrong}")
