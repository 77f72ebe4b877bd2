"""What this machine's own apt says: where Debian comes from, with which key, and through
what. Nothing of that is named here."""

import os
import re
import shutil
import subprocess
import tempfile

FORMAT = "$(SITE)|$(ORIGIN)|$(LABEL)"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Beside what apt-config tells: who it is to the mirror, or to the proxy before it.
SECRETS = ("auth.conf", "auth.conf.d")


def ask(*command, env=None):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False,
                          env={**os.environ, **(env or {})}).stdout


def first_mirror(targets):
    """Of the sites that apt takes packages from, the first that has Debian itself; None."""
    for line in targets.splitlines():
        site, origin, label = line.split("|")
        if (origin, label) == ("Debian", "Debian") and re.match("https?://|file:", site):
            return site
    return None


def mirror():
    return first_mirror(ask("apt-get", "indextargets", "--format", FORMAT,
                            "Created-By: Packages"))


def signer(sources, site):
    """The keyring that these sources (their files' text) name for a site; None."""
    for stanza in re.split(r"\n\s*\n", sources):
        if site.rstrip("/") not in stanza:
            continue
        found = re.search(r"(?mi)^signed-by:\s*(/\S+)$", stanza) \
            or re.search(r"signed-by=(/[^\s\],]+)", stanza)
        if found:
            return found[1]
    return None


def keyring(site):
    """What suites are signed with: as the sources say, else Debian's own."""
    text = []
    for place, _, names in os.walk("/etc/apt"):
        for name in sorted(names):
            if name.endswith((".list", ".sources")):
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    text.append(file.read())
    found = signer("\n\n".join(text), site) or KEYRING
    return found if os.path.exists(found) else None


def added(with_files, without):
    """What configuration files say of fetching: proxies, limits, checks."""
    default = set(without.splitlines())
    return [line for line in with_files.splitlines() if line.startswith("Acquire::")
            and line not in default and not line.startswith("Acquire::IndexTargets")]


def fetching():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as nothing:
        nothing.write('Dir::Etc::main "/nonexistent"; Dir::Etc::parts "/nonexistent";\n')
        nothing.flush()
        return added(ask("apt-config", "dump"),
                     ask("apt-config", "dump", env={"APT_CONFIG": nothing.name}))


def proxies():
    """The environment of what fetches without apt: debootstrap."""
    found = {name: value for name, value in os.environ.items()
             if name.lower() in ("http_proxy", "https_proxy", "no_proxy", "ftp_proxy")}
    for scheme in ("http", "https"):
        told = re.search(r"='(.*)'", ask("apt-config", "shell", "X",
                                         f"Acquire::{scheme}::Proxy"))
        if told and told[1] not in ("", "DIRECT"):
            found.setdefault(scheme + "_proxy", told[1])
    return found


def carry(root):
    """Give all that to another system below root."""
    apt = os.path.join(root, "etc/apt")
    with open(os.path.join(apt, "apt.conf.d/90host"), "w", encoding="utf-8") as file:
        file.write("\n".join([*fetching(), 'APT::Install-Recommends "false";', ""]))
    for name in SECRETS:
        source, target = os.path.join("/etc/apt", name), os.path.join(apt, name)
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif os.path.exists(source):
            shutil.copy(source, target)
    for name in ("resolv.conf", "hosts"):
        target = os.path.join(root, "etc", name)
        if os.path.islink(target):
            os.remove(target)
        shutil.copyfile(os.path.join("/etc", name), target)
