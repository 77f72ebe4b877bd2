"""Builds what judges histories: tests/cluster/linearizable, with Porcupine."""

import os
import shutil
import subprocess

from brokers import HERE, Missing


def build(directory, name="linearizable"):
    """By Go's own proxy; the program."""
    if not shutil.which("go"):
        raise Missing("go is not here: tools/install-deps test-cluster")
    program = os.path.join(directory, name)
    done = subprocess.run(["go", "build", "-o", program, "."], check=False, timeout=600,
                          cwd=os.path.join(HERE, name), capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"tests/cluster/{name} cannot be built: " + done.stderr[-400:])
    return program
