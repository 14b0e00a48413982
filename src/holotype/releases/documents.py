"""The documents that go with a release: for people, for spreadsheets and for other programs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from holotype.releases.attribution import attribution
from holotype.releases.croissant import Listed, croissant
from holotype.releases.datasheet import datasheet
from holotype.releases.described import Described, describe
from holotype.releases.gallery import gallery
from holotype.releases.layout import ATTRIBUTION, CROISSANT, DATASHEET, PAGE
from holotype.releases.page import statistics_page
from holotype.releases.release import Release


def documents(release: Release) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Name and parts of each document of a release but ``croissant.json``: attribution, datasheet, statistics page.

    They follow from its files alone, so that the same release has the same ones. Raises `ReleaseError` where its
    tables cannot be read.
    """
    described = describe(release.path)
    yield ATTRIBUTION, attribution(release.path)
    yield from _pages(release, described)


def write_documents(release: Release, checksums: Mapping[str, str]) -> dict[str, str]:
    """Write the documents of a release that has all its other files, of which `checksums` are the sha256 by name, and
    return those of the documents. ``croissant.json`` is the last: it has the checksums of all others.
    """
    folder = release.path
    described = describe(folder)
    made = {ATTRIBUTION: _write(folder / ATTRIBUTION, attribution(folder))}
    for name, parts in _pages(release, described):
        made[name] = _write(folder / name, parts)
    listed = {name: Listed((folder / name).stat().st_size, digest) for name, digest in {**checksums, **made}.items()}
    made[CROISSANT] = _write(folder / CROISSANT, [croissant(described, listed).encode()])
    return made


def _pages(release: Release, described: Described) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield DATASHEET, [datasheet(described).encode()]
    yield PAGE, [statistics_page(described, gallery(release)).encode()]


def _write(path: Path, parts: Iterable[bytes]) -> str:
    """Write a file to the disk, and return its sha256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for part in parts:
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
