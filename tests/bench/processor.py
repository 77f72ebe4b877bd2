"""Processor time that parts of a server have had, as the kernel counts it: of what comes and
goes within a measurement to the clock tick, of the rest to the nanosecond."""

import os
import time

TICK = 1e6 / os.sysconf("SC_CLK_TCK")


def projection(server):
    """Microseconds of the thread that posts and of all of its PostgreSQL."""
    return of_threads(server, "dbk-projector") + of_postgres(server)


def server(served):
    """Microseconds of all threads of serve and of all of its PostgreSQL."""
    ticks = sum(int(ticks) for ticks in _stat(served.process.pid)[11:13])
    return ticks * TICK + of_postgres(served)


def of_threads(server, name):
    base = f"/proc/{server.process.pid}/task"
    return sum(_had(f"{base}/{thread}") for thread in os.listdir(base)
               if _line(f"{base}/{thread}/comm") == name)


def of_process(pid):
    """Microseconds of one process to this moment, also while it runs."""
    return time.clock_gettime_ns(~pid << 3 | 2) / 1e3  # its clock, as clock_getcpuclockid has it


def of_postgres(server):
    """Of the postmaster and its children, also those that have ended."""
    postmaster = _line(os.path.join(server.socket_dir, "postmaster.pid"))
    children = [pid for pid in os.listdir("/proc")
                if pid.isdigit() and _stat(pid)[1:2] == [postmaster]]
    ended = sum(int(ticks) for ticks in _stat(postmaster)[13:15])
    return sum(_had(f"/proc/{pid}") for pid in [postmaster, *children]) + ended * TICK


def _had(path):
    return int((_line(f"{path}/schedstat") or "0").split()[0]) / 1e3


def _stat(pid):
    """Its fields behind the name, from the state on."""
    return _line(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _line(path):
    try:
        with open(path) as file:
            return file.readline().strip()
    except OSError:  # it has ended
        return ""
