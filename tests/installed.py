"""Packages that are installed as far as entry points are concerned, without a package manager."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installed(folder: Path, pyproject: str) -> Iterator[None]:
    """What lies in a folder can be imported, and brings the entry points that its `pyproject` says."""
    project = tomllib.loads(pyproject)["project"]
    name, version = project["name"], project["version"]
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = project["entry-points"].items()
    lines = (f"[{group}]\n" + "".join(f"{key} = {at}\n" for key, at in said.items()) for group, said in groups)
    (info / "entry_points.txt").write_text("\n".join(lines))
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for module in set(sys.modules) - before:
            if str(getattr(sys.modules[module], "__file__", "")).startswith(str(folder)):
                del sys.modules[module]
