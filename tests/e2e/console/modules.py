"""Runs the console's modules, those that need no page, in node."""

import glob
import json
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
SOURCES = ROOT + "/src/http/pages/console/"
NODE = shutil.which("node")
ESBUILD = next(iter(glob.glob(ROOT + "/node_modules/@esbuild/*/bin/esbuild")), None)


def made(script):
    """What a script prints, as JSON; it may import the console's modules."""
    if not NODE or not ESBUILD:
        raise unittest.SkipTest("make viewer brings esbuild, where node and npm are")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ESBUILD, "--bundle", "--format=esm", "--platform=node",
                        "--log-level=error", f"--outfile={folder}/made.mjs"],
                       input=script.encode(), cwd=SOURCES, check=True, timeout=60)
        done = subprocess.run([NODE, folder + "/made.mjs"], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "TZ": "Europe/Berlin"}, check=True, timeout=60)
        return json.loads(done.stdout)
