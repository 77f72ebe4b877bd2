"""What an optimised build of the program must have been built with, as readelf sees it."""

import re
import subprocess


def _readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True,
                          timeout=120, check=True).stdout


def _segment_flags(program, name):
    """The flags of a segment ("RW ", "R E"), or None where there is no such segment."""
    found = re.search(rf"(?m)^ +{name} +(?:0x\w+ +){{5}}(.{{3}})", _readelf("-l", program))
    return found and found[1]


def lacks(program):
    """The names of what is missing; empty is well."""
    dynamic, symbols = _readelf("-d", program), _readelf("--dyn-syms", program)
    stack = _segment_flags(program, "GNU_STACK")
    has = {
        "position independence": re.search(r"Type: +DYN", _readelf("-h", program))
                                 and re.search(r"FLAGS_1\).*\bPIE\b", dynamic),
        "read-only relocations": _segment_flags(program, "GNU_RELRO"),
        "binding at the start": re.search(r"FLAGS_1\).*\bNOW\b", dynamic),
        "stack protector": re.search(r"\b__stack_chk_fail\b", symbols),
        "fortified calls": len(set(re.findall(r"\b__(\w+_chk)\b", symbols))) >= 3,
        "a stack that is not executed": stack and "E" not in stack,
        "no search path of its own": not re.search(r"\((?:RPATH|RUNPATH)\)", dynamic),
        "no text relocations": "(TEXTREL)" not in dynamic,
    }
    return sorted(name for name, there in has.items() if not there)
