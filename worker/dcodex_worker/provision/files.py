"""Reads what files a runtime has, who may do what with them, and what packages are in it."""

from __future__ import annotations

import csv
import os
import stat
from importlib.metadata import Distribution, distributions

from dcodex_worker.provision.judge import Files

#: What makes a directory a virtual environment.
MARK = "pyvenv.cfg"


def is_runtime(directory: str) -> bool:
    """Whether this is a virtual environment."""
    return os.path.isfile(os.path.join(directory, MARK))


def made_for(directory: str) -> str:
    """The version of the interpreter that it was made with; empty where it does not say."""
    with open(os.path.join(directory, MARK), encoding="utf-8", errors="replace") as file:
        pairs = (line.partition("=") for line in file)
        found = {key.strip(): value.strip() for key, _, value in pairs}
    return found.get("version") or found.get("version_info", "")


def installed(directory: str, version: str) -> list[Distribution]:
    """The packages for this version of Python, by name."""
    found = distributions(path=[site_packages(directory, version)])
    return sorted(found, key=lambda package: package.name.lower())


def site_packages(directory: str, version: str) -> str:
    """Where packages for this version of Python are."""
    major, minor = version.split(".")[:2]
    return os.path.join(directory, "lib", f"python{major}.{minor}", "site-packages")


def survey(directory: str, version: str) -> Files:
    """Every file, and every one that a package says it has."""
    found = _walk(directory)
    owners = {0, found["."].st_uid}
    writable, unreadable = [], []
    for path, status in found.items():
        if stat.S_ISLNK(status.st_mode):
            continue
        wanted = 0o005 if stat.S_ISDIR(status.st_mode) else 0o004
        if status.st_mode & wanted != wanted:
            unreadable.append(path)
        if status.st_mode & 0o002 or status.st_uid not in owners:
            writable.append(path)
    site = site_packages(".", version)
    broken = [
        os.path.normpath(path)
        for package in installed(directory, version)
        for path in _broken(package, site, found)
    ]
    return Files(len(found), tuple(writable), tuple(unreadable), tuple(broken))


def _walk(directory: str) -> dict[str, os.stat_result]:
    found = {".": os.stat(directory)}
    for folder, folders, files in os.walk(directory):
        below = os.path.relpath(folder, directory)
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            found[os.path.normpath(os.path.join(below, name))] = os.lstat(path)
    return found


def _broken(package: Distribution, site: str, found: dict[str, os.stat_result]) -> list[str]:
    broken = []
    for name, _, size in csv.reader((package.read_text("RECORD") or "").splitlines()):
        if name.endswith(".pyc"):
            continue  # packed for another version of Python, perhaps; ours is looked at elsewhere
        path = os.path.normpath(os.path.join(site, name))
        status = found.get(path)
        # Scripts say where their interpreter is, which is not known to who packed them.
        known = size.isdigit() and path.startswith(os.path.normpath(site))
        if status is None or (known and status.st_size != int(size)):
            broken.append(path)
    return broken
