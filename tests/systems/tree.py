"""This tree as it was committed last, elsewhere. What is there alike already keeps its
time, so that it need not be built again."""

import io
import os
import subprocess
import tarfile

MADE = ("build", "node_modules", ".packages")  # at the top, by what runs there


def _git(source, *arguments):
    # Whoever runs this is root, and the tree may be somebody else's.
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", source, *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          check=True).stdout


def uncommitted(source):
    """What the copy will not have."""
    return _git(source, "status", "--porcelain").decode().splitlines()


def _alike(path, data, executable):
    try:
        with open(path, "rb") as file:
            return file.read() == data and \
                bool(os.stat(path).st_mode & 0o100) == executable
    except OSError:
        return False


def _write(path, data, executable):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o755 if executable else 0o644)


def copy(source, target):
    """Also takes away what is there no more, but for what was built."""
    kept = set()
    with tarfile.open(fileobj=io.BytesIO(_git(source, "archive", "HEAD"))) as archive:
        for member in archive:
            if not member.isfile():
                continue
            path = os.path.join(target, member.name)
            data, executable = archive.extractfile(member).read(), bool(member.mode & 0o100)
            kept.add(path)
            if not _alike(path, data, executable):
                _write(path, data, executable)
    for place, folders, names in os.walk(target):
        if place == target:
            folders[:] = [name for name in folders if name not in MADE]
        for path in (os.path.join(place, name) for name in names):
            if path not in kept:
                os.remove(path)
