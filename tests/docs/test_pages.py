"""The pages are held against the tree: what they name is there, and what is there has its
place in them. A page that is wrong about the tree is worse than none."""

import collections
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("include", "src", "tools", "migrations", "examples", "tests", "docs")
PAGES = ["ARCHITECTURE.md", "README.md", "SECURITY.md"] + sorted(
    str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")
)
# What a name of a list stands for: tests/fuzz/fuzz_NAME.c.
PLACEHOLDER = re.compile(r"NAME|NNNN|LAYER|ROOM|PART")
FILE = re.compile(r"[\w./*-]+\.(?:c|h|sql|py|sh|cmake|txt|md|json|html|conf|example)")
BROUGHT = {"__pycache__", "node_modules"}  # folders that are not of the tree
MADE = ("bench.json",)  # by what is run, so not in the tree
FOREIGN = ("civetweb.h",)  # a library's
BOUND_OF_THE_MAP = 1300  # words
FOLDER_MAX = 30  # files in which a newcomer still finds something


def walk():
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not BROUGHT & set(path.parts):
                yield str(path.relative_to(ROOT))
    for path in ROOT.iterdir():
        if path.is_file():
            yield path.name


TREE = sorted(walk())
DIRECTORIES = {str(parent) for path in TREE for parent in Path(path).parents}


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def without_blocks(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def code_spans(text):
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def is_there(name, page):
    """A file or folder of the tree, by its path or by the end of it."""
    name = name.removeprefix("./")
    beside = str(Path(page).parent / name)
    pattern = re.compile(
        r"(?:.*/)?" + re.escape(PLACEHOLDER.sub("*", name)).replace(r"\*", "[^/]*")
    )
    if name.endswith("/"):
        return any(pattern.fullmatch(folder + "/") for folder in DIRECTORIES)
    return beside in TREE or any(pattern.fullmatch(path) for path in TREE)


def read_part(name):
    """A file by its path, or by the end of it where there is but one."""
    return read(name if name in TREE else next(path for path in TREE if path.endswith("/" + name)))


def section(title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", read("ARCHITECTURE.md"), re.M | re.S)
    return found.group(1)


class Pages(unittest.TestCase):
    def assert_none(self, wrong, what):
        self.assertFalse(wrong, what + ":\n  " + "\n  ".join(map(str, wrong)))

    def test_the_map_fits_its_bound(self):
        self.assertLessEqual(len(read("ARCHITECTURE.md").split()), BOUND_OF_THE_MAP)

    def test_each_file_and_folder_they_name_is_there(self):
        wrong = []
        for page in PAGES:
            for span in code_spans(read(page)):
                if span.startswith(("/", "~", "build/")) or span in MADE or not (
                    FILE.fullmatch(span) or re.fullmatch(r"(?:src|tests|tools|include)/[\w/.-]*/", span)
                ):
                    continue
                if not is_there(span, page):
                    wrong.append(f"{page}: {span}")
        self.assert_none(wrong, "named, and not there")

    def test_each_file_that_a_comment_names_is_there(self):
        wrong = []
        made = re.findall(r"^dbk_embed\(\w+ (\w+)", read("src/projections/CMakeLists.txt"), re.M)
        there = FOREIGN + tuple(f"{name}.h" for name in made)
        for path in TREE:
            comments = ()
            if re.fullmatch(r"(?:include|src|tools|tests)/.*\.[ch]", path):
                comments = re.findall(r"/\*.*?\*/", read(path), re.S)
            elif path.endswith("CMakeLists.txt"):
                comments = re.findall(r"#.*", read(path))
            for comment in comments:
                for name in re.findall(r"(?<![\w/.<$-])((?:\w+/)*[a-z]\w*\.(?:[ch]|py|sql))\b", comment):
                    if name not in there and not is_there(name, path):
                        wrong.append(f"{path}: {name}")
        self.assert_none(wrong, "named in a comment, and not there")

    def test_each_link_leads_somewhere(self):
        wrong = []
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(read(page))):
                if re.match(r"https?:|mailto:", target):
                    continue
                path, _, heading = target.partition("#")
                to = (ROOT / page).parent / path if path else ROOT / page
                if not to.exists():
                    wrong.append(f"{page}: {target}")
                elif heading and heading not in headings(to):
                    wrong.append(f"{page}: {target}")
        self.assert_none(wrong, "links that lead nowhere")

    def test_the_package_has_what_they_link_to(self):
        package, wrong = read("tools/deploy/package.cmake"), []
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s:#]+)[^)]*\)", without_blocks(read(page))):
                path = str((ROOT / page).parent.joinpath(target).resolve().relative_to(ROOT))
                if not path.startswith("docs/") and path not in package:
                    wrong.append(f"{page}: {target}")
        self.assert_none(wrong, "links of an installed page to what is not")

    def test_each_page_is_linked_from_the_map_or_the_readme(self):
        linked = read("ARCHITECTURE.md") + read("README.md")
        self.assert_none([page for page in PAGES if f"({page})" not in linked
                          and page != "README.md"], "pages that nobody finds")

    def test_each_command_they_tell_to_type_is_one(self):
        targets = set(re.findall(r"^([\w-]+):", read("Makefile"), re.M))
        commands = set(re.findall(r"^    &command_(\w+),$", read("tools/main.c"), re.M)) | {"help"}
        wrong = []
        for page in PAGES:
            code = "\n".join(re.findall(r"```sh\n(.*?)```", read(page), re.S) + code_spans(read(page)))
            wrong += [f"{page}: make {name}" for name in re.findall(r"\bmake ([a-z][\w-]*)", code)
                      if name not in targets]
            wrong += [f"{page}: daybook {name}" for name in re.findall(r"(?m)(?:^|[(|&] ?)daybook ([a-z]+)\b", code)
                      if name not in commands]
        self.assert_none(wrong, "no such command")

    def test_each_function_they_name_is_there(self):
        source = "\n".join(read(path) for path in TREE if re.search(r"\.(?:[ch]|sql|py|txt)$", path)
                           and not path.startswith("tests/docs/"))
        known = set(re.findall(r"\w+", source))
        wrong = []
        for page in ("ARCHITECTURE.md", "docs/style.md", "docs/disk-format.md", "docs/crashes.md"):
            for span in code_spans(read(page)) if page in TREE else ():
                if re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?:\(\))?", span):
                    name = span.removesuffix("()")
                    if name not in known:
                        wrong.append(f"{page}: {name}")
        self.assert_none(wrong, "named, and in no source")


class Style(unittest.TestCase):
    """From `src/http/access/limiter.h`: and a block, which stands there; "the same file"
    is the one before."""

    def test_each_excerpt_stands_in_its_file(self):
        found = re.findall(r"From (`[^`]+`|the same file):\n\n```c\n(.*?)```",
                           read("docs/style.md"), re.S)
        path = None
        self.assertGreater(len(found), 0)
        self.assertEqual(len(found), read("docs/style.md").count("```c\n"))
        for name, excerpt in found:
            path = path if name == "the same file" else name.strip("`")
            self.assertTrue(" ".join(excerpt.split()) in " ".join(read(path).split()),
                            f"{path} has not:\n{excerpt}")


def headings(path):
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


class Rooms(unittest.TestCase):
    """The table of the map: a row a room, under the row of its layer, which is bold."""

    def setUp(self):
        self.rooms, layer = {}, ""
        for row in re.findall(r"^\| (.*) \|$", section("Rooms"), re.M)[2:]:
            names, _, begin = (cell.strip() for cell in row.split("|"))
            for name in re.findall(r"`([^`]+/)`", names):
                if names.startswith("**"):
                    layer = name
                inside = layer + name
                folder = inside if (ROOT / inside).is_dir() and name != layer else name
                self.rooms[folder.rstrip("/")] = re.findall(r"`([^`]+)`", begin)

    def test_each_of_them_is_a_folder(self):
        for room in self.rooms:
            self.assertTrue((ROOT / room).is_dir(), room)

    def test_each_folder_is_one_of_them(self):
        below = [folder for top in ("src", "tools", "tests") for folder in sorted(DIRECTORIES)
                 if re.fullmatch(rf"{top}/[\w-]+", folder)]
        below += [folder for folder in sorted(DIRECTORIES) if re.fullmatch(r"src/\w+/\w+", folder)]
        mirrors = {f"tests/{layer}" for layer in ("store", "replica", "projections", "http",
                                                     "tools")}
        left_out = [folder for folder in below if folder not in self.rooms and folder not in mirrors]
        self.assertEqual(left_out, [])

    def test_none_of_them_is_crowded(self):
        files = collections.Counter(str(Path(path).parent) for path in TREE
                                    if re.match(r"(src|include|tools|tests)/", path)
                                    and not re.match(r"tests/(data|fuzz/corpus)/", path))
        crowded = {folder: count for folder, count in files.items() if count > FOLDER_MAX}
        self.assertEqual(crowded, {})

    def test_reading_begins_at_a_file_that_is_there(self):
        for room, begins in self.rooms.items():
            for begin in begins:
                self.assertTrue(begin in TREE or is_there(begin, ""), f"{room}: {begin}")


class Layers(unittest.TestCase):
    OWNER = {"lmdb.h": "src/store/", "msgpack.h": "src/store/", "libdeflate.h": ("src/store/", "src/replica/"),
             "libpq-fe.h": "src/projections/", "civetweb.h": "src/http/",
             "curl/curl.h": "src/http/",
             "librdkafka/rdkafka.h": "src/replica/",
             "openssl/evp.h": ("src/store/", "tools/files/"),
             "sodium.h": ("src/store/", "src/projections/", "src/http/")}
    KNOWS = {"store": {"store"}, "replica": {"store", "replica"},
             "projections": {"store", "projections"},
             "http": {"store", "projections", "http"}}

    def included(self, folders):
        for path in TREE:
            if re.fullmatch(rf"(?:{folders})/.*\.[ch]", path):
                for name in re.findall(r'^#include ["<]([^">]+)[">]', read(path), re.M):
                    yield path, name

    def test_only_its_owner_includes_a_librarys_header(self):
        for path, name in self.included("include|src|tools"):
            self.assertTrue(path.startswith(self.OWNER.get(name, "")), f"{path}: {name}")

    def test_none_includes_a_door_of_a_layer_above(self):
        for path, name in self.included("include|src"):
            layer, _, door = name.partition("/")
            if door and layer in self.KNOWS:
                self.assertIn(layer, self.KNOWS[path.split("/")[1]], f"{path}: {name}")


class Threads(unittest.TestCase):
    def test_each_of_them_is_told(self):
        sources = "\n".join(read(path) for path in TREE
                            if re.fullmatch(r"(?:src|tools)/.*\.[ch]", path))
        names = set(re.findall(r'"(dbk-\w+)"', sources))
        told = set(re.findall(r"`(dbk-\w+)`", section("Threads of `serve`")))
        self.assertEqual(sorted(set(names)), sorted(told))


class HowToAdd(unittest.TestCase):
    """Each thing that can be added has all its parts, as the lists say."""

    def parts(self, thing):
        """The files of the list of this thing; patterns as they stand."""
        found = re.search(rf"^- \*\*{thing}\*\*[:,](.*)$", section("How to add"), re.M)
        self.assertIsNotNone(found, thing)
        return [span for span in re.findall(r"`([^`]+)`", found.group(1)) if "." in span or "/" in span]

    def test_each_list_names_what_is_there(self):
        lists = re.findall(r"^- \*\*(.+?)\*\*[:,]", section("How to add"), re.M)
        self.assertGreaterEqual(len(lists), 9)
        for thing in lists:
            for part in self.parts(thing):
                self.assertTrue(is_there(part, "ARCHITECTURE.md"), f"{thing}: {part}")

    def test_each_route_has_a_declaration_a_handler_and_a_path(self):
        routes = re.findall(r'^    \{"([A-Z]+)", "([^"]+)",[^{}]*\s(handle_\w+)\},$',
                            read("src/http/routes.c"), re.M)
        declared = re.findall(r"\bhandle_\w+", read("src/http/handlers.h"))
        described = read("src/http/openapi.json")
        handlers = "\n".join(read(path) for path in TREE if re.fullmatch(r"src/http/\w+/\w+\.c", path))
        self.assertGreater(len(routes), 0)
        for method, path, handler in routes:
            self.assertIn(handler, declared)
            self.assertRegex(handlers, rf"enum dbk_code {handler}\(")
            if path not in ("/", "/docs", "/docs/{file}", "/openapi.json"):
                self.assertIn(f'"{path}": {{', described)
        self.assertEqual(sorted(declared), sorted({handler for _, _, handler in routes}))

    def test_each_metric_is_told(self):
        names = re.findall(r'(?:COUNTER|HISTOGRAM)\(\w+, "(\w+)"', read("include/store/metrics.h"))
        names += re.findall(r'"((?:daybook|process)_\w+)"', "".join(
            read(path) for path in TREE if path.startswith("src/http/metrics/")))
        told = re.findall(r"^\| `(\w+)`", read("docs/metrics.md"), re.M)
        self.assertGreater(len(names), 9)
        self.assertEqual(sorted(set(names)), sorted(told))

    def test_the_map_of_the_routes_is_theirs(self):
        routes = re.findall(r'\{"([A-Z]+)", "(/[^"]*)"', read("src/http/routes.c"))
        section = read("README.md").split("\n## Routes\n")[1].split("\n## ")[0]
        told = [(method, path) for methods, path in re.findall(r"`([A-Z ]+) (/[^`]*)`", section)
                for method in methods.split()]
        self.assertGreater(len(routes), 40)
        self.assertEqual(sorted(told), sorted(routes))

    def test_each_subcommand_has_a_file_and_a_row(self):
        commands = re.findall(r"^    &command_(\w+),$", read("tools/main.c"), re.M)
        built, readme = read("tools/CMakeLists.txt"), read("README.md")
        self.assertGreater(len(commands), 0)
        for command in commands:
            self.assertIn(f"tools/{command}.c", TREE)
            self.assertIn(f"    {command}.c\n", built)
            self.assertRegex(readme, rf"\n\| `daybook {command}[ `]")

    def test_each_fuzz_target_is_built_and_has_inputs(self):
        files = {Path(path).stem.removeprefix("fuzz_") for path in TREE
                 if re.fullmatch(r"tests/fuzz/fuzz_\w+\.c", path)}
        built = set(re.findall(r"^dbk_fuzz\((\w+)", read("tests/fuzz/CMakeLists.txt"), re.M))
        inputs = {path.split("/")[3] for path in TREE if path.startswith("tests/fuzz/corpus/")}
        self.assertEqual(files, built)
        self.assertEqual(files, inputs)

    def test_each_statement_is_run(self):
        build = read("src/projections/CMakeLists.txt")
        prefix = re.search(r"dbk_embed\(dbk_projections (\w+) \$\{statements\}\)", build).group(1)
        sources = "\n".join(read(path) for path in TREE
                            if re.fullmatch(r"src/projections/.*\.[ch]", path))
        run = set(re.findall(rf"\b{prefix}_(\w+)", sources))
        files = {Path(path).stem for path in TREE if path.startswith("src/projections/sql/")}
        turned_round = re.search(r"foreach\(name ([\w\s]+)\)\s+dbk_descending", build).group(1)
        self.assert_same(files | {name + "_desc" for name in turned_round.split()}, run)

    def test_each_migration_goes_up_and_down(self):
        names = [path for path in TREE if path.startswith("migrations/")]
        ups = {name.removesuffix(".up.sql") for name in names if name.endswith(".up.sql")}
        downs = {name.removesuffix(".down.sql") for name in names if name.endswith(".down.sql")}
        self.assert_same(ups, downs)

    def test_each_projection_has_all_its_parts(self):
        tables = re.findall(r"^    \[TABLE_\w+\] = &table_(\w+),$",
                            read("src/projections/tables/table.c"), re.M)
        parts = [part for part in self.parts("a projection") if not part.startswith("daybook ")]
        self.assertGreater(len(tables), 1)
        for table in tables:
            for part in parts:
                part = part.replace("NAME", table)
                self.assertTrue(is_there(part, ""), part)
                if not part.endswith((f"{table}.c", ".up.sql")):
                    self.assertRegex(read_part(part), rf"\b(?:table_|tables/)?{table}\b", part)

    def test_each_statistic_has_all_its_parts(self):
        rows = read("src/projections/tables/statistic.c")
        names = re.findall(r'\.name = "(\w+)"', rows)
        self.assertGreater(len(names), 0)
        self.assertIn("src/projections/tables/statistic.c", self.parts("a statistic"))
        for name in names:
            for part in self.parts("a statistic"):
                self.assertTrue(is_there(part.replace("NAME", name), ""), part)
            for kind in ("load_truncate", "load_count", "load_analyze"):
                self.assertIn(f"sql_{kind}_{name}", rows)

    def test_each_source_is_compiled(self):
        for layer in ("src/store", "src/replica", "src/projections", "src/http", "tools"):
            listed = re.findall(r"^ +([\w/]+\.c)\)?$", read(f"{layer}/CMakeLists.txt"), re.M)
            there = [path.removeprefix(layer + "/") for path in TREE
                     if path.startswith(layer + "/") and path.endswith(".c")]
            self.assert_same(set(there), set(listed))

    def test_each_test_is_run(self):
        for layer in ("store", "replica", "projections", "http", "tools"):
            listed = re.findall(rf"^dbk_test\({layer} ([\w/]+)",
                                read(f"tests/{layer}/CMakeLists.txt"), re.M)
            there = [re.sub(r"test_(\w+)\.c$", r"\1", path.removeprefix(f"tests/{layer}/"))
                     for path in TREE if re.fullmatch(rf"tests/{layer}/(\w+/)?test_\w+\.c", path)]
            self.assert_same(set(there), set(listed))
        listed = re.findall(r"^dbk_e2e\(([\w/]+)[ )]", read("tests/e2e/CMakeLists.txt"), re.M)
        there = [path.removeprefix("tests/e2e/").removesuffix(".py").replace("/test_", "/")
                 for path in TREE if re.fullmatch(r"tests/e2e/\w+/test_\w+\.py", path)]
        self.assert_same(set(there), set(listed))

    def test_none_calls_what_a_newer_cmocka_has_a_macro_for(self):
        """cmocka 2's stop() takes no arguments."""
        calling = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests").rglob("*.[ch]"))
                   if re.search(r"\bstop\(", path.read_text(encoding="utf-8"))]
        self.assertEqual(calling, [])

    def test_each_test_in_python_is_run(self):
        for path in TREE:
            name = re.fullmatch(r"tests/.*/test_(\w+)\.py", path)
            if name:
                near = [f"{parent}/CMakeLists.txt" for parent in Path(path).parents]
                lists = "\n".join(read(file) for file in near if file in TREE)
                self.assertTrue(re.search(rf"\b(?:test_)?{name.group(1)}\b", lists), path)

    def test_each_file_of_a_record_types_list_knows_the_last_one(self):
        types = re.findall(r"\bTYPE\(\d+, (DBK_\w+)", read("include/store/record.h"))
        parts = [part for part in self.parts("a record type") if part.endswith(".c")]
        self.assertGreater(len(types), 4)
        self.assertGreater(len(parts), 3)
        for part in parts:
            self.assertIn(types[-1], read(part), part)

    def test_each_test_stands_in_the_room_of_what_it_tests(self):
        for layer, of in (("store", "src/store"), ("projections", "src/projections"),
                          ("http", "src/http"), ("tools", "tools")):
            for path in TREE:
                found = re.fullmatch(rf"tests/{layer}/(\w+)/test_\w+\.c", path)
                self.assertTrue(not found or f"{of}/{found.group(1)}" in DIRECTORIES, path)

    def assert_same(self, one, other):
        self.assertEqual(sorted(one - other), [])
        self.assertEqual(sorted(other - one), [])


if __name__ == "__main__":
    unittest.main()
