"""Generates clients from /openapi.json, and lets each call every operation of a real
server: make test-clients.

    run.py PROGRAM [PART...]

Generators and what their clients are built with come from the registries, at the versions
of requirements.txt and package.json, into build/clients, where the next run finds them.
What cannot be had is told as SKIPPED, and is no failure.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(SOURCE, "build/clients")
DOCUMENT = os.path.join(WORK, "openapi.json")
VENV = os.path.join(WORK, "venv")
SECONDS = 1200  # a step's, at most: registries may be slow
# Said of every document of OpenAPI 3.1, or of bodies that are left out as they may be.
HARMLESS = ("OpenAPI 3.1 support is still in beta", "Failed to get the schema name: null",
            "Ignoring complex example on request body", "File (reserved word)",
            "type (reserved word)")  # renamed for Go's own sake
LEFT_OUT = ("Unsupported content type application/x-ndjson",
            "Unsupported content type text/plain",
            "Unsupported content type text/event-stream")


class Skipped(Exception):
    """Why this cannot be tried here."""


class Failed(Exception):
    """What went wrong."""


def run(log, *command, cwd=WORK, **env):
    """What it printed; it is in the log, too."""
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=SECONDS, env={**os.environ, **env}, check=False)
    log.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    log.flush()
    if done.returncode != 0:
        raise Failed(f"{os.path.basename(command[0])} ended {done.returncode}")
    return done.stdout


def fetch(log, what, *command, cwd=WORK, **env):
    """Bring something from a registry."""
    try:
        return run(log, *command, cwd=cwd, **env)
    except (Failed, OSError, subprocess.TimeoutExpired) as why:
        raise Skipped(f"{what} could not be had: {why}") from why


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skipped(f"{program} is not here: tools/install-deps test-clients")


def python(log):
    """The interpreter that has the generators of Python's registry."""
    wanted = os.path.join(HERE, "requirements.txt")
    known = os.path.join(VENV, "requirements.txt")
    interpreter = os.path.join(VENV, "bin/python3")
    if not os.path.exists(known) or open(known).read() != open(wanted).read():
        fetch(log, "an environment of python3", sys.executable, "-m", "venv", VENV)
        fetch(log, "what requirements.txt names", interpreter, "-m", "pip", "install",
              "-q", "-r", wanted)
        shutil.copy(wanted, known)
    return interpreter


def node(log):
    """The folder in which package.json is installed."""
    need("node", "npm")
    folder = os.path.join(WORK, "node")
    known, wanted = os.path.join(folder, "known.json"), os.path.join(HERE, "package.json")
    if not os.path.exists(known) or open(known).read() != open(wanted).read():
        os.makedirs(folder, exist_ok=True)
        shutil.copy(wanted, folder)
        fetch(log, "what package.json names", "npm", "install", "--no-audit", "--no-fund",
              "--no-package-lock", "--silent", cwd=folder)
        shutil.copy(wanted, known)
    return folder


def openapi_generator(log, language, *options):
    """Where the client of this language is now."""
    need("java")
    folder = os.path.join(WORK, language)
    shutil.rmtree(folder, ignore_errors=True)
    python(log)
    told = run(log, os.path.join(VENV, "bin/openapi-generator-cli"), "generate", "-g",
               language, "-i", DOCUMENT, "-o", folder, *options)
    hold(line for line in told.splitlines() if "WARN" in line or "ERROR" in line)
    return folder


def hold(warnings):
    for warning in warnings:
        if not any(known in warning for known in HARMLESS):
            raise Failed(f"the generator warns: {warning}")


def attrs(log, url):
    """openapi-python-client's."""
    interpreter, folder = python(log), os.path.join(WORK, "attrs")
    shutil.rmtree(folder, ignore_errors=True)
    told = run(log, os.path.join(VENV, "bin/openapi-python-client"), "generate", "--path",
               DOCUMENT, "--output-path", folder, "--overwrite",
               PATH=os.path.join(VENV, "bin") + ":" + os.environ["PATH"])
    for line in told.splitlines():
        if line.startswith(("Unsupported", "Unable", "ERROR", "Cannot")) and \
                line not in LEFT_OUT:
            raise Failed(f"the generator says: {line}")
    return run(log, interpreter, "-B", os.path.join(HERE, "attrs_client.py"), url,
               PYTHONPATH=folder)


def pydantic(log, url):
    """openapi-generator's for Python."""
    folder = openapi_generator(log, "python")
    return run(log, python(log), "-B", os.path.join(HERE, "pydantic_client.py"), url,
               PYTHONPATH=folder)


def typescript(log, url):
    """openapi-typescript's types, and openapi-fetch, which is typed by them."""
    folder = node(log)
    bin_of = os.path.join(folder, "node_modules/.bin")
    run(log, os.path.join(bin_of, "openapi-typescript"), DOCUMENT, "-o", "schema.ts",
        cwd=folder)
    shutil.copy(os.path.join(HERE, "client.ts"), folder)
    run(log, os.path.join(bin_of, "tsc"), "--strict", "--noEmitOnError", "--target",
        "es2022", "--module", "nodenext", "--skipLibCheck", "--lib", "es2022,dom",
        "client.ts", cwd=folder)
    return run(log, "node", "client.js", url, cwd=folder)


def go(log, url):
    """openapi-generator's for Go."""
    need("go")
    folder = openapi_generator(log, "go", "--git-host", "daybook.test", "--git-user-id",
                               "daybook", "--git-repo-id", "client")
    os.mkdir(os.path.join(folder, "try"))
    shutil.copy(os.path.join(HERE, "client.go"), os.path.join(folder, "try/main.go"))
    fetch(log, "what Go's client needs", "go", "mod", "download", cwd=folder)
    run(log, "go", "build", "-o", "tried", "./try", cwd=folder)
    return run(log, os.path.join(folder, "tried"), url)


def java(log, url):
    """openapi-generator's for Java."""
    need("java", "javac", "mvn")
    # Else an item of a batch that says nothing of its properties sends {} of them.
    folder = openapi_generator(log, "java", "--additional-properties",
                               "containerDefaultToNull=true")
    fetch(log, "what Java's client needs", "mvn", "-q", "-B", "dependency:build-classpath",
          "-Dmdep.outputFile=classpath", cwd=folder)
    shutil.copy(os.path.join(HERE, "Client.java"), folder)
    with open(os.path.join(folder, "classpath"), encoding="utf-8") as file:
        path = "classes:" + file.read().strip()
    sources = [os.path.join(top, name)
               for top, _, names in os.walk(os.path.join(folder, "src/main"))
               for name in names if name.endswith(".java")]
    run(log, "javac", "-nowarn", "-encoding", "UTF-8", "-d", "classes", "-cp", path,
        "Client.java", *sources, cwd=folder)
    return run(log, "java", "-cp", path, "Client", url, cwd=folder)


def cloudevents(log, url):
    """The CloudEvents SDK for Python reads the log, and the stream of it."""
    run(log, python(log), "-B", os.path.join(HERE, "cloudevents_client.py"), url)


def postman(log, url):
    """newman sends the Postman collection, and holds it to its tests."""
    folder = node(log)
    run(log, os.path.join(folder, "node_modules/.bin/newman"), "run",
        os.path.join(SOURCE, "docs/daybook.postman_collection.json"), "--bail",
        "--env-var", f"base_url={url}", "--env-var", "token=" + os.environ["DAYBOOK_TOKEN"],
        "--color", "off")
    return None


PARTS = {"python": [attrs, pydantic, cloudevents], "typescript": [typescript], "go": [go],
         "java": [java], "postman": [postman]}


def operations():
    with open(DOCUMENT, encoding="utf-8") as file:
        paths = json.load(file)["paths"]
    return {operation["operationId"] for methods in paths.values()
            for operation in methods.values()}


def try_client(client, log):
    server = harness.Server(private=True, env={"SEALED": "true"})
    try:
        token = server.run("token", "create", "clients", "--scope", "admin").stdout
        os.environ["DAYBOOK_TOKEN"] = token.strip()
        server.start()
        url = f"http://127.0.0.1:{server.port}"
        with urllib.request.urlopen(url + "/openapi.json") as answer:
            with open(DOCUMENT, "wb") as file:
                file.write(answer.read())
        told = client(log, url)
    finally:
        server.close()
    if told is None:  # a test of its own holds the collection against the routes
        return
    called = {line[7:] for line in told.splitlines() if line.startswith("called ")}
    if operations() - called:
        raise Failed(f"it does not call {', '.join(sorted(operations() - called))}")


def report(client):
    """How it went, in a line; whether that is a failure."""
    name, began = client.__name__, time.monotonic()
    path = os.path.join(WORK, name + ".log")
    print(f"-- {name}: see {os.path.relpath(path)}", flush=True)
    try:
        with open(path, "w", encoding="utf-8") as log:
            try_client(client, log)
    except Skipped as why:
        return f"{name}: SKIPPED: {why}", False
    except (Failed, AssertionError, OSError, subprocess.TimeoutExpired) as why:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log.readlines()[-40:]:
                print("   " + line.rstrip()[:300])
        return f"{name}: FAILED: {why}; all of it is in {path}", True
    return f"{name}: passed after {time.monotonic() - began:.0f} s", False


def main():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.split("\n")[0])
    parser.add_argument("program", help="the daybook that serves")
    parser.add_argument("part", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    options = parser.parse_args()
    for part in options.part:
        if part not in PARTS:
            parser.error(f"there is no part {part}, only {', '.join(PARTS)}")
    os.makedirs(WORK, exist_ok=True)
    ends = [report(client) for part in options.part or PARTS for client in PARTS[part]]
    for line, _ in ends:
        print(line)
    return any(failed for _, failed in ends)


if __name__ == "__main__":
    os.environ["DAYBOOK"] = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
    sys.path.insert(0, os.path.join(SOURCE, "tests/e2e/lib"))
    import harness
    sys.exit(main())
