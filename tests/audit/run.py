"""Holds a server's proofs against public tools, which are built from the Go module proxy:
make test-audit.

    run.py BUILD [TEST...]

The tools come into BUILD/audit-tools, by exact versions. Without Go it says that it was
skipped, and ends with 0. The server is killed DAYBOOK_ROUNDS times (200).
"""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
SHARED = os.path.join(os.path.dirname(TESTS), os.pardir, "shared", "audit", "verify")
GO_27 = {"GOTOOLCHAIN": "go1.27.3"}  # torchwood v0.10 wants it; Go brings it by itself
# name: (where to build, or what to install, and the environment)
TOOLS = {
    "tlog": (os.path.join(HERE, "tlog"), {}),
    "policy": (os.path.join(HERE, "policy"), GO_27),
    "fsck": ("github.com/transparency-dev/tessera/cmd/fsck@v1.0.4", {}),
    "litewitness": ("filippo.io/torchwood/cmd/litewitness@v0.10.0", GO_27),
    "spicy": ("filippo.io/torchwood/cmd/spicy@v0.10.0", GO_27),
}


def build(name, place, env, bins):
    if os.path.exists(os.path.join(bins, name)) and not os.path.isdir(place):
        return
    print(f"== {name}", flush=True)
    env = {**os.environ, "GOBIN": bins, "GOFLAGS": "-mod=mod", **env}
    if os.path.isdir(place):
        env["GOFLAGS"] = "-mod=readonly"
        command, where = ["go", "build", "-o", os.path.join(bins, name), "."], place
    else:
        command, where = ["go", "install", place], bins
    subprocess.run(command, cwd=where, env=env, check=True)


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    if not shutil.which("go"):
        print("SKIPPED: no Go on this machine, and the tools are built from its modules")
        return 0
    where = os.path.abspath(sys.argv[1])
    bins = os.path.join(where, "audit-tools")
    os.makedirs(bins, exist_ok=True)
    tools = dict(TOOLS)
    if os.path.isdir(SHARED):
        tools["tlogcheck"] = (os.path.abspath(SHARED), {})
    for name, (place, env) in tools.items():
        build(name, place, env, bins)
    env = dict(os.environ, DAYBOOK=os.path.join(where, "daybook"), DAYBOOK_AUDIT_TOOLS=bins,
               DAYBOOK_GENERATE=os.path.join(where, "tests/generate/generate"),
               DAYBOOK_TEST_PG="/nowhere",
               PYTHONPATH=os.pathsep.join([os.path.join(TESTS, "e2e", "lib"),
                                           os.path.join(TESTS, "torture")]))
    env.setdefault("DAYBOOK_ROUNDS", "200")
    return subprocess.run([sys.executable, "-B", "-m", "unittest", "-v",
                           *(sys.argv[2:] or ["public_tools", "torture_audit"])],
                          cwd=HERE, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
