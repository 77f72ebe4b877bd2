"""GET /metrics tells what a client has counted itself."""

import collections
import random
import re
import shutil
import subprocess
import threading
import unittest

from exposition import Metrics, scrape
from harness import Server
from served import Served, new_id, person

THREADS = 6
ROUNDS = 40


class Counting:
    """A client that keeps its own count of what it was answered."""

    def __init__(self, client, seed):
        self.client, self.random = client, random.Random(seed)
        self.counts = collections.Counter()
        self.persons, self.events = [], []

    def ask(self, method, route, path, body=None):
        answer = self.client.request(method, path, body)
        counted = "GET" if method == "HEAD" else method
        if route == "other":
            counted = "other"
        self.counts[route, counted, answer.status] += 1
        return answer

    def post_person(self):
        body = person()
        self.persons.append(self.ask("POST", "/persons", "/persons", body).data["id"])
        self.ask("POST", "/persons", "/persons", body)  # 409: the email is known

    def post_event(self):
        self.events.append(self.ask("POST", "/events", "/events", {
            "event_type": "click", "person_id": self.random.choice(self.persons)}).data["id"])

    def post_batch(self):
        owner = self.random.choice(self.persons)
        items = [{"event_type": "view", "person_id": owner} for _ in range(7)]
        items.append({"event_type": "view", "person_id": new_id()})  # nobody
        self.ask("POST", "/events/batch", "/events/batch", items)

    def post_nonsense(self):
        self.ask("POST", "/events", "/events", {"event_type": ""})

    def get_one(self):
        self.ask("GET", "/persons/{id}", f"/persons/{self.random.choice(self.persons)}")
        self.ask("GET", "/persons/{id}", f"/persons/{new_id()}")
        self.ask("HEAD", "/persons/{id}", f"/persons/{self.random.choice(self.persons)}")

    def get_list(self):
        self.ask("GET", "/events", "/events?limit=3")
        self.ask("GET", "/events", "/events?limit=none")
        self.ask("GET", "/log", "/log?limit=2")

    def patch(self):
        self.ask("PATCH", "/persons/{id}", f"/persons/{self.persons[0]}",
                 {"first_name": f"Name {self.random.random()}"})

    def delete_event(self):
        if self.events:
            self.ask("DELETE", "/events/{id}", f"/events/{self.events.pop()}")

    def ask_for_what_is_not_there(self):
        self.ask("GET", "other", f"/{self.random.random()}")
        self.ask("DELETE", "other", "/persons")
        self.ask("OPTIONS", "other", "/persons")

    def run(self):
        self.post_person()
        self.post_event()
        for _ in range(ROUNDS):
            self.random.choice([
                self.post_person, self.post_event, self.post_batch, self.post_nonsense,
                self.get_one, self.get_list, self.patch, self.delete_event,
                self.ask_for_what_is_not_there])()


def mixed_run(server):
    """What all clients were answered."""
    clients = [Counting(server.client(), seed) for seed in range(THREADS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum((client.counts for client in clients), collections.Counter())


def requests(metrics):
    return collections.Counter({
        (labels["route"], labels["method"], int(labels["status"])): int(value)
        for labels, value in ((dict(pairs), value) for pairs, value in
                              metrics.series("daybook_http_requests_total").items())})


class FromTheStart(unittest.TestCase):
    """A server of its own, so that all that it has counted is known."""

    def test_requests_and_records_are_those_that_were_made(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        client = server.client()
        counts = mixed_run(server)

        def counted():  # a request is, when its answer is out: it may have been read by then
            self.metrics = scrape(client)
            return collections.Counter({key: count for key, count in
                                        requests(self.metrics).items()
                                        if key[0] not in ("/health", "/metrics")})
        server.wait_for(lambda: counted() == counts, f"counting {counts}")
        metrics, records = self.metrics, server.log_records()
        types = collections.Counter(record["type"] for record in records)
        for pairs, value in metrics.series("daybook_records_total").items():
            self.assertEqual(value, types[dict(pairs)["type"]], pairs)
        self.assertEqual(metrics.sum("daybook_records_total"), len(records))
        self.assertEqual(metrics.get("daybook_log_head"), len(records))
        self.assertEqual(metrics.get("daybook_commit_records_sum"), len(records))
        commits = metrics.get("daybook_commits_total")
        self.assertGreater(commits, 0)
        self.assertEqual(metrics.get("daybook_commit_records_count"), commits)
        self.assertEqual(metrics.get("daybook_commit_duration_seconds_count"), commits)
        self.assertEqual(metrics.get("daybook_commit_failures_total"), 0)


class Counts(Served):
    def test_each_route_has_as_many_durations_as_requests(self):
        mixed_run(self.server)
        name = "daybook_http_request_duration_seconds"

        def each_has():  # the last may just be about to be counted
            metrics, by_route = scrape(self.client), collections.Counter()
            for (route, method, _), count in requests(metrics).items():
                by_route[route, method] += count
            return all(metrics.get(name + "_count", route=route, method=method) == count and
                       metrics.get(name + "_sum", route=route, method=method) > 0
                       for (route, method), count in by_route.items())
        self.server.wait_for(each_has, "a duration of each request")

    def test_buckets_are_cumulative_and_end_with_all(self):
        metrics = scrape(self.client)
        found = collections.defaultdict(list)
        for (name, pairs), value in metrics.values.items():
            if name.endswith("_bucket"):
                labels = dict(pairs)
                bound = float(labels.pop("le").replace("+Inf", "inf"))
                found[name, frozenset(labels.items())].append((bound, value))
        self.assertTrue(found)
        for (name, labels), buckets in found.items():
            values = [value for _, value in sorted(buckets)]
            self.assertEqual(values, sorted(values), name)
            count = metrics.values[name.replace("_bucket", "_count"), labels]
            self.assertEqual(values[-1], count, name)

    def test_what_clients_ask_for_makes_no_series(self):
        scrape(self.client)
        for i in range(50):
            self.client.get(f"/nothing/{i}")
            self.client.request("GET", f"/persons/{new_id()}")
            self.client.request(f"BREW{i}", "/persons")
        series = scrape(self.client).series("daybook_http_requests_total")
        routes = {dict(labels)["route"] for labels in series}
        methods = {dict(labels)["method"] for labels in series}
        self.assertFalse({route for route in routes if re.search("nothing|[0-9]", route)})
        self.assertLessEqual(methods, {"GET", "POST", "PUT", "PATCH", "DELETE", "other"})

    def test_gauges_are_of_now(self):
        kate = self.created()
        self.server.wait_for(lambda: scrape(self.client).get("daybook_projection_lag_records")
                             == 0, "catching up")
        self.client.get(f"/persons/{kate['id']}")
        metrics = scrape(self.client)
        health = self.client.get("/health").data
        self.assertEqual(metrics.get("daybook_log_head"), health["head"])
        self.assertEqual(metrics.get("daybook_projected_sequence"), health["projected"])
        self.assertEqual(metrics.get("daybook_projection_running"), 1)
        self.assertEqual(metrics.get("daybook_projection_lag_seconds"), 0)
        self.assertEqual(metrics.get("daybook_ready"), 1)
        self.assertEqual(metrics.get("daybook_quarantined"), 0)
        self.assertGreater(metrics.get("daybook_projection_batches_total"), 0)
        self.assertGreaterEqual(metrics.get("daybook_http_connections"), 1)
        self.assertGreater(metrics.get("daybook_log_bytes"), 4096)
        self.assertGreater(metrics.get("daybook_disk_free_bytes"), 4096)
        self.assertGreaterEqual(metrics.sum("daybook_pool_connections"), 1)

    def test_the_age_of_a_backup_is_there_once_there_is_one(self):
        self.assertIsNone(scrape(self.client).get("daybook_backup_age_seconds", None))
        self.server.run("backup", f"{self.server.data_dir}/copy")
        age = scrape(self.client).get("daybook_backup_age_seconds", None)
        self.assertIsNotNone(age)
        self.assertLess(age, 3600)

    def test_the_process_is_this_one(self):
        metrics = scrape(self.client)
        pid = self.server.process.pid
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(metrics.get("process_threads"), int(status["Threads"]))
        resident = metrics.get("process_resident_memory_bytes")
        self.assertGreater(resident, 1 << 20)
        self.assertGreater(metrics.get("process_open_fds"), 5)
        self.assertGreaterEqual(metrics.get("process_max_fds"), metrics.get("process_open_fds"))
        self.assertGreater(metrics.get("process_cpu_seconds_total"), 0)
        self.assertGreater(metrics.get("process_start_time_seconds"), 1.5e9)
        self.assertEqual(scrape(self.client).get("process_start_time_seconds"),
                         metrics.get("process_start_time_seconds"))

    def test_it_is_the_text_format(self):
        answer = self.client.get("/metrics", accept="application/openmetrics-text;q=0.5,"
                                 "text/plain;version=0.0.4;q=0.3")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        metrics = Metrics(answer.body.decode())
        self.assertEqual(set(metrics.kinds), set(metrics.help))
        for name, kind in metrics.kinds.items():
            self.assertEqual(name.endswith("_total"), kind == "counter", name)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is of the package prometheus")
    def test_promtool_has_nothing_to_say(self):
        mixed_run(self.server)
        body = self.client.get("/metrics").body
        done = subprocess.run(["promtool", "check", "metrics"], input=body,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
