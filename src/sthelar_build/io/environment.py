"""Which packages are installed here, in what versions, and which the project asks for. None is imported."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = "sthelar_build"
LOCK = Path("requirements.lock")


def installed_version(package: str) -> str | None:
    """Return the version of a package, without what a build adds to it (``+cpu``); None if it is not there."""
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return None


def required_packages() -> dict[str, str]:
    """Return the packages that the project asks for: name -> what is wrong with them here; empty where nothing is.

    None are known where the project runs from its source without being installed.
    """
    try:
        named = [Requirement(line) for line in requires(PROJECT) or ()]
    except PackageNotFoundError:
        return {}
    return {one.name: _wrong(one) for one in named if one.marker is None or one.marker.evaluate()}


def _wrong(asked: Requirement) -> str:
    found = installed_version(asked.name)
    if found is not None and asked.specifier.contains(found, prereleases=True):
        return ""
    return f"expected {asked.specifier or 'any version'}, found {found or 'none'}"


def locked_versions(lock: Path = LOCK) -> dict[str, str]:
    """Return package -> version of a lock file; empty where there is none, as in an environment of one's own."""
    if not lock.is_file():
        return {}
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;+]+)", lock.read_text(encoding="utf-8"), re.M)
    return dict(pins)
