"""The machine that the figures are of."""

import os
import platform
import re
import subprocess
import time


def describe(world):
    return {"cpu": _cpu(), "cores": os.cpu_count(), "memory_gib": _memory(),
            "kernel": platform.release(), "system": _system(),
            "file_system": _file_system(world.dir), "postgres": _postgres(),
            "revision": _revision(), "date": time.strftime("%Y-%m-%d", time.gmtime())}


def sentence(machine):
    return (f"{machine['date']}, revision {machine['revision']}: {machine['cores']} cores "
            f"of {machine['cpu']}, {machine['memory_gib']:.0f} GiB, {machine['system']}, "
            f"Linux {machine['kernel']}, {machine['file_system']}, {machine['postgres']}")


def _field(path, pattern, otherwise):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        found = None
    return found[1] if found else otherwise


def _cpu():
    return _field("/proc/cpuinfo", r"^model name\s*: (.*)$", platform.machine())


def _memory():
    return int(_field("/proc/meminfo", r"^MemTotal:\s*(\d+)", "0")) / (1 << 20)


def _system():
    return _field("/etc/os-release", r'^PRETTY_NAME="(.*)"$', platform.system())


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL).stdout.strip()
    except OSError:
        return ""


def _file_system(path):
    return _output("stat", "-f", "-c", "%T", path) or "an unknown file system"


def _postgres():
    return _output("psql", "--version").replace("psql (", "").replace(")", "", 1)


def _revision():
    return _output("git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe",
                   "--always", "--dirty", "--abbrev=7") or "unknown"
