"""The pages: served by the server itself, and true."""

import html
import html.parser
import json
import os
import re
import unittest
from urllib.parse import quote

from harness import Client, Server
from schema import Schema
from served import Served, new_id

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
# Where it is, the build has taken it.
VIEWER = os.path.exists(ROOT + "/node_modules/swagger-ui-dist/swagger-ui-bundle.js")
SEEN = "Daybook-Sequence"


class Addresses(html.parser.HTMLParser):
    """What a page loads, and what it links to."""

    def __init__(self, page):
        super().__init__()
        self.loaded, self.linked = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href", "action", "srcset", "data"):
                (self.linked if tag == "a" else self.loaded).append(value)


class Bearer(Client):
    """One that brings a token with each request."""

    def __init__(self, port, token):
        super().__init__(port)
        self.token = token

    def request(self, method, path, body=None, headers=None):
        return super().request(method, path, body, {
            **(headers or {}), "Authorization": "Bearer " + self.token})


class Docs(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document = cls.client.get("/openapi.json").json
        cls.schema = Schema(cls.document)

    def setUp(self):
        # The class's own is idle for as long as another test takes, and closed then.
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def page(self, path):
        answer = self.client.get(path)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
        return answer

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if method != "parameters":
                    yield method.upper(), path, operation

    def test_the_pages_load_nothing_from_elsewhere(self):
        for path in ("/", "/docs", "/docs/", "/docs/routes.html"):
            page = Addresses(self.page(path).body.decode())
            for address in page.loaded + page.linked:
                with self.subTest(address):
                    self.assertRegex(address, "^/(?!/)")
                    answer = self.client.get(address)
                    self.assertEqual(answer.status, 200)
                    self.assertTrue(answer.body)

    def test_the_browser_is_told_to_load_nothing_from_elsewhere(self):
        for path in ("/", "/docs"):
            policy = self.page(path).headers["Content-Security-Policy"]
            rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
            self.assertEqual(rules["default-src"], "'self'")
            for sources in rules.values():
                self.assertLessEqual(set(sources.split()), {
                    "'self'", "'none'", "data:", "'unsafe-inline'"})

    def test_the_plain_page_lists_each_route_without_a_script(self):
        page = self.page("/docs/routes.html").body.decode()
        self.assertIn("/openapi.json", Addresses(page).linked)
        self.assertEqual(Addresses(page).loaded, ["/docs/favicon-32x32.png"])
        self.assertNotIn("<script", page)
        told = re.findall(r"<dt><code>(\S+ \S+)</code> (.*)</dt>", page)
        self.assertEqual(sorted(told), sorted(
            (f"{method} {path}", html.escape(operation["summary"], quote=False))
            for method, path, operation in self.operations()))
        self.assertNotRegex(page, r"@[A-Z]+@|NOTFOUND")

    @unittest.skipIf(VIEWER, "the viewer is there")
    def test_without_the_viewer_the_docs_page_is_the_plain_one(self):
        self.assertEqual(self.page("/docs").body, self.page("/docs/routes.html").body)
        self.assertEqual(self.client.get("/docs/swagger-ui-bundle.js").status, 404)

    def test_what_browsers_and_people_try_is_there(self):
        self.assertEqual(self.page("/docs/").body, self.page("/docs").body)
        icon = self.client.get("/favicon.ico")
        self.assertEqual((icon.status, icon.headers["Content-Type"]), (200, "image/png"))
        self.assertTrue(icon.body.startswith(b"\x89PNG"))
        self.assertEqual(self.client.request("HEAD", "/favicon.ico").status, 200)

    @unittest.skipUnless(VIEWER, "make viewer brings it")
    def test_the_docs_page_has_the_viewer_and_shows_our_document(self):
        loaded = Addresses(self.page("/docs").body.decode()).loaded
        texts = {}
        for address in loaded:
            answer = self.client.get(address)
            texts[address] = answer.body
            kind = {"js": "text/javascript; charset=utf-8", "png": "image/png",
                    "css": "text/css; charset=utf-8"}[address.rpartition(".")[2]]
            self.assertEqual(answer.headers["Content-Type"], kind)
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertTrue(any(len(text) > 500_000 for text in texts.values()))
        own = texts["/docs/docs.js"].decode()
        self.assertIn('"/openapi.json"', own)
        self.assertNotRegex(own, "https?://")
        for sheet in (text for name, text in texts.items() if name.endswith(".css")):
            self.assertNotRegex(sheet.decode(), r"url\(['\"]?(https?:)?//|@import")

    def test_the_pages_are_not_sent_again_unchanged(self):
        for path in ("/", "/docs", "/openapi.json", "/docs/favicon-32x32.png"):
            tag = self.client.get(path).headers["ETag"]
            again = self.client.get(path, If_None_Match=tag)
            self.assertEqual((again.status, again.body), (304, b""))

    def test_the_first_page_tells_where_to_go(self):
        page = self.page("/").body.decode()
        self.assertLessEqual({"/console", "/docs", "/persons", "/events", "/log", "/health"},
                             set(Addresses(page).linked))
        for_programs = self.client.get("/", Accept="application/json")
        self.assert_ok(for_programs)
        self.assertEqual(for_programs.data["openapi"], "/openapi.json")

    def test_the_document_is_openapi_3_1_and_whole(self):
        self.assertRegex(self.document["openapi"], r"^3\.1\.\d$")
        ids = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(ids), len(set(ids)))
        for reference in re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(self.document)):
            self.assertIsInstance(self.schema.resolve({"$ref": reference}), dict)
        for method, path, operation in self.operations():
            with self.subTest(f"{method} {path}"):
                self.assertTrue(operation["summary"])
                names = {self.schema.resolve(each)["name"]
                         for each in operation.get("parameters", [])
                         if self.schema.resolve(each)["in"] == "path"}
                self.assertEqual(names, set(re.findall(r"\{(\w+)\}", path)))

    def test_every_example_is_as_its_schema_says(self):
        checked = 0
        for method, path, operation in self.operations():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in map(self.schema.resolve, bodies):
                for media, content in body.get("content", {}).items():
                    if media != "application/json" or "example" not in content:
                        continue
                    with self.subTest(f"{method} {path}"):
                        self.assertEqual(self.schema.wrong(
                            content["schema"], content["example"]), [])
                    checked += 1
        self.assertGreater(checked, 20)

    def test_every_example_request_is_taken_and_answered_as_the_schema_says(self):
        # One of them makes a token, from which on every request needs one.
        server = Server()
        self.addCleanup(server.close)
        token = server.run("token", "create", "docs", "--scope", "admin").stdout.strip()
        self.client = Bearer(server.start().port, token)
        self.addCleanup(self.client.close)
        self.created()
        self.client.get("/checkpoint")  # so that there are tiles
        for method, path, operation in self.operations():
            if path == "/log/stream":  # it has no end: feed/test_stream.py
                continue
            content = operation.get("requestBody", {}).get("content", {})
            for media, body in content.items() or [(None, {})]:
                if media == "text/plain":  # of tokens that only ingest: access/test_ingest_pages.py
                    continue
                with self.subTest(f"{method} {path} {media}"):
                    self.try_example(method, path, operation, media, body.get("example"))

    def try_example(self, method, path, operation, media, example):
        made = self.created(external_id="a person/" + new_id())
        event = self.recorded(made["id"])["id"]
        alias, named = "a page/" + new_id(), quote(made["external_id"], safe="")
        self.client.post(f"/persons/{made['id']}/aliases", {"anonymous_id": alias})
        if isinstance(example, dict) and "email" in example:
            example = {**example, "email": new_id() + "@test.mock"}
        text = example if isinstance(example, str) else json.dumps(example)
        # The examples' own ids are those of this person and event.
        for shown in set(re.findall(r'"person_id": "([^"]+)"', text)):
            text = text.replace(shown, made["id"])
        if isinstance(example, dict) and "id" in example:
            text = text.replace(example["id"], event if "event" in path else made["id"])
        if method == "POST":
            event = new_id()
        self.prepare(method, path, made["id"])
        self.client.get("/persons?limit=1")  # the read tables have it, whatever is waited for
        answer = self.client.request(
            method, self.with_required(self.partial_tile(path), operation)
            .replace("/persons/{id}", "/persons/" + made["id"])
            .replace("{anonymous_id}", quote(alias, safe="")).replace("{value}", named)
            .replace("/events/{id}", "/events/" + event)
            .replace("{sequence}", str(self.shown(operation, "sequence")))
            .replace("/tokens/{name}", "/tokens/shop")
            .replace("/tile/{level}/{index}", "/tile/3/000")
            .replace("/docs/{file}", "/docs/favicon-32x32.png")
            .replace("/console/{file}", "/console/icon.svg"), text if media else None,
            {"Content-Type": media} if media else self.seen(operation))
        # It is alone, and its log has not 256 to the fourth records.
        missing = path.endswith(("/hand-over", "/tile/{level}/{index}"))
        taken = (404,) if missing else (200, 201, 202)
        self.assertIn(answer.status, taken, answer.body)
        self.assert_documented(operation, answer)
        if self.seen(operation) and answer.headers["Daybook-Projected-Sequence"]:
            self.assertGreaterEqual(int(answer.headers["Daybook-Projected-Sequence"]),
                                    self.shown(operation, SEEN))

    def shown(self, operation, name):
        """The example of a parameter; None where it has no such parameter."""
        return next((one.get("example") for one in
                     map(self.schema.resolve, operation.get("parameters", ()))
                     if one["name"] == name), None)

    def seen(self, operation):
        """The header that a viewer fills in by itself: it may name only what every log has,
        or a newcomer waits for it."""
        example = self.shown(operation, SEEN)
        return {} if example is None else {SEEN: str(example)}

    def prepare(self, method, path, person):
        """What there must be of the person before it is asked for."""
        if path.endswith("/receipt"):
            self.assertEqual(self.client.delete(f"/persons/{person}?erase=true").status, 200)
        if path.endswith("/restriction") and method != "POST":
            self.assertIn(self.client.post(f"/persons/{person}/restriction", {}).status,
                          (200, 201))

    def partial_tile(self, path):
        """That path, of the tile that the newest checkpoint's last record is in, which is
        not about to be filled."""
        if "{width}" not in path:
            return path
        person, size = self.created()["id"], 0
        while not 0 < size % 256 < 200:
            self.recorded(person)
            size = int(self.client.get("/checkpoint").body.splitlines()[1])
        return path.replace("{level}/{index}.p/{width}", f"0/{size // 256:03}.p/1")

    def with_required(self, path, operation):
        """The path with the parameters that must be there."""
        needed = [self.schema.resolve(one) for one in operation.get("parameters", ())]
        query = "&".join(f"{one['name']}={quote(one['example'])}" for one in needed
                         if one["in"] == "query" and one.get("required"))
        return f"{path}?{query}" if query else path

    def assert_documented(self, operation, answer):
        documented = self.schema.resolve(operation["responses"][str(answer.status)])
        for name in documented.get("headers", {}):
            if name not in ("Link", "Preference-Applied", "Idempotency-Replayed"):
                self.assertIsNotNone(answer.headers[name], name)
        media = answer.headers["Content-Type"].partition(";")[0]
        content = documented["content"]
        self.assertIn(media, [name.partition(";")[0] for name in content])
        if media == "application/json" and "schema" in content[media]:
            self.assertEqual(self.schema.wrong(content[media]["schema"], answer.json), [])

    def test_errors_are_as_the_schema_says(self):
        error = {"$ref": "#/components/schemas/Error"}
        for answer in (self.client.get("/nothing"), self.client.get("/events?x=1"),
                       self.client.post("/persons", {}), self.client.put("/log", {}),
                       self.client.get("/persons/" + new_id())):
            self.assertEqual(self.schema.wrong(error, answer.json), [])


if __name__ == "__main__":
    unittest.main()
