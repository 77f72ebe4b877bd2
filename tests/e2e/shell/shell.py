"""Runs the program as a shell does, with nothing in its environment."""

import os
import subprocess

from harness import PATIENCE, PROGRAM


def daybook(*arguments, env=None, cwd="/"):
    return subprocess.run([PROGRAM, *arguments], env={"PATH": os.environ["PATH"],
                                                      **(env or {})},
                          cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
