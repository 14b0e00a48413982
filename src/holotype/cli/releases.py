"""Releases as commands name them."""

from __future__ import annotations

from pathlib import Path

from holotype.releases import NAME, SUMMARY, Release


def release_in_folder(name: str, project: Path) -> Release | None:
    """The release in the folder `name`; None where the project has one of that name, which wins, or there is none."""
    own = NAME.fullmatch(name) is not None and (project / "releases" / name / SUMMARY).is_file()
    folder = Path(name)
    return Release(folder) if not own and (folder / SUMMARY).is_file() else None
