"""Reads that come alone, now and then, while others write: what each waits for.

On a machine that does other work a wait is mostly of the others' making. So beside it is told
how much processor time the thread that posts, and its session of PostgreSQL, had meanwhile:
they work in turn, so that is what is waited for where a processor is free for them.
"""

import http.client
import random
import threading
import time

import processor
import sql

SESSION = ("select pid from pg_stat_activity where application_name = 'daybook projector' "
           "order by backend_start limit 1;")


class LoneReads(threading.Thread):
    """A list of one person's events, which waits for the tables, some ten times a second."""

    def __init__(self, server, person_id, running):
        super().__init__(daemon=True)
        self.server, self.running = server, running
        self.path = f"/events?limit=1&person_id={person_id}"
        self.session = int(sql.psql(server, SESSION)[0])
        self.waits, self.costs, self.failed = [], [], None
        self.start()

    def run(self):
        try:
            client = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            while self.running():
                time.sleep(random.uniform(0.06, 0.14))  # behind the longest gathering
                self.read(client)
        except (OSError, http.client.HTTPException) as failure:
            self.failed = failure

    def read(self, client):
        posted, begin = self.posting(), time.monotonic()
        client.request("GET", self.path)
        answer = client.getresponse()
        answer.read()
        if answer.status != 200:
            raise http.client.HTTPException(f"a lone read was answered {answer.status}")
        self.waits.append((time.monotonic() - begin) * 1e3)
        self.costs.append((self.posting() - posted) / 1e3)

    def posting(self):
        return (processor.of_threads(self.server, "dbk-projector") +
                processor.of_process(self.session))


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
