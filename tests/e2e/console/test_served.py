"""The console as it is served: what it is, what a browser is told, how large it is. What it
does in a browser is tried with one."""

import glob
import gzip
import html.parser
import json
import os
import re
import subprocess
import unittest

from modules import ROOT, SOURCES, made
from served import Served

FILES = ("/console/app.js", "/console/app.css", "/console/icon.svg")
BUDGET = 200_000  # bytes, all of it, as gzip counts them
POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
    "connect-src": "'self'", "img-src": "'self' data:", "base-uri": "'none'",
    "form-action": "'none'", "frame-ancestors": "'none'",
}


class Page(html.parser.HTMLParser):
    """What a page loads, and what stands in it that a strict policy would not let run."""

    def __init__(self, page):
        super().__init__()
        self.loaded, self.inline, self.within = [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.within = tag
        for name, value in attrs:
            if tag != "a" and name in ("src", "href"):
                self.loaded.append(value)
            if name == "style" or name.startswith("on"):
                self.inline.append(name)

    def handle_data(self, data):
        if self.within in ("script", "style") and data.strip():
            self.inline.append(data)


class Console(Served):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = cls.client.get("/console")
        cls.built = cls.client.get("/console/app.js").status == 200

    def need_built(self):
        if not self.built:
            self.skipTest("make viewer brings what it is made with")

    def test_it_is_built_where_what_it_is_made_with_is_there(self):
        there = all(glob.glob(f"{ROOT}/node_modules/{file}") for file in (
            "uplot/dist/uPlot.esm.js", "@esbuild/*/bin/esbuild"))
        self.assertEqual(self.built, there)

    def test_without_it_one_sentence_says_how_to_have_it(self):
        if self.built:
            self.skipTest("it is built: test_plain.c tries one that is not")
        self.assertIn(b"<code>make build</code>", self.page.body)

    def test_a_browser_is_told_to_run_and_load_its_own_files_alone(self):
        for path in ("/console", *FILES[0 if self.built else 2:]):
            answer = self.client.get(path)
            policy = answer.headers["Content-Security-Policy"]
            self.assertEqual(dict(rule.split(" ", 1) for rule in policy.split("; ")), POLICY)
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(answer.headers["X-Frame-Options"], "DENY")
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")

    def test_nothing_in_the_page_is_against_that(self):
        page = Page(self.page.body.decode())
        self.assertEqual(page.inline, [])
        self.assertTrue(page.loaded)
        for address in page.loaded:
            self.assertRegex(address, "^/console/")
            self.assertEqual(self.client.get(address).status, 200)

    def test_its_files_have_their_types_and_no_others_are_there(self):
        self.assertEqual(self.page.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertEqual(self.client.get("/console/").body, self.page.body)
        self.assertEqual(self.client.get("/console/app.ts").status, 404)
        self.assertEqual(self.client.get("/console?x=1").status, 400)
        self.need_built()
        for path, kind in zip(FILES, ("text/javascript", "text/css", "image/svg+xml")):
            answer = self.client.get(path)
            self.assertEqual(answer.headers["Content-Type"].partition(";")[0], kind)

    def test_it_is_not_sent_again_unchanged_and_is_sent_compressed(self):
        for path in ("/console", *FILES[0 if self.built else 2:]):
            tag = self.client.get(path).headers["ETag"]
            again = self.client.get(path, If_None_Match=tag)
            self.assertEqual((again.status, again.body), (304, b""))
        self.need_built()
        coded = self.client.get(FILES[0], Accept_Encoding="gzip")
        self.assertEqual(coded.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(coded.body), self.client.get(FILES[0]).body)

    def test_all_of_it_is_within_its_budget_and_minified(self):
        self.need_built()
        coded = [self.client.get(path, Accept_Encoding="gzip").body
                 for path in ("/console", *FILES)]
        self.assertLess(sum(map(len, coded)), BUDGET)
        script = self.client.get(FILES[0]).body.decode()
        self.assertLess(script.count("\n"), 200)

    def test_it_names_no_address_outside(self):
        self.need_built()
        for path in FILES[:2]:
            text = self.client.get(path).body.decode()
            # The name of what SVG's elements are, which nobody asks for.
            text = text.replace("http://www.w3.org/2000/svg", "")
            self.assertEqual(re.findall(r"(?:https?|wss?)://\w|url\(['\"]?//|@import", text), [])

    def test_it_makes_no_markup_of_text_and_no_code_either(self):
        markup = re.compile(r"\.(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|"
                            r"DOMParser|srcdoc|\beval\(|new Function\b|createContextualFragment")
        found = 0
        for folder, _, names in os.walk(SOURCES):
            for name in names:
                if name.endswith(".js"):
                    with open(f"{folder}/{name}", encoding="utf-8") as file:
                        self.assertEqual(markup.findall(file.read()), [], name)
                    found += 1
        self.assertGreater(found, 15)
        if self.built:  # nor does uPlot
            self.assertEqual(markup.findall(self.client.get(FILES[0]).body.decode()), [])

    def test_what_an_empty_store_says_to_paste_works_as_it_is_pasted(self):
        lines = made(f"""import {{ firstLines }} from "./parts/first.js";
            console.log(JSON.stringify([firstLines("http://127.0.0.1:{self.server.port}", null),
                                        firstLines("http://host", "dbk_x")]));""")
        before = self.client.get("/log?limit=1000").data
        done = subprocess.run(["bash", "-e"], input=lines[0], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertEqual(json.loads(done.stdout)["data"]["event_type"], "click", done.stderr)
        self.assertEqual(len(self.client.get("/log?limit=1000").data), len(before) + 3)
        self.assertEqual(lines[1].count('-H "Authorization: Bearer $TOKEN"'), 2)
        self.assertNotIn("dbk_x", lines[1])

    def test_what_npm_brings_is_pinned(self):
        with open(ROOT + "/package.json", encoding="utf-8") as file:
            package = json.load(file)
        with open(ROOT + "/package-lock.json", encoding="utf-8") as file:
            text = file.read()
        locked = json.loads(text)["packages"]
        self.assertNotIn('"resolved"', text)
        for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
            self.assertRegex(version, r"^\d+\.\d+\.\d+$")
            self.assertEqual(locked["node_modules/" + name]["version"], version)
            self.assertTrue(locked["node_modules/" + name]["integrity"].startswith("sha512-"))


if __name__ == "__main__":
    unittest.main()
