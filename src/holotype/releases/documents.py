"""The documents that go with a release: for people, for spreadsheets and for other programs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from holotype.releases.attribution import attribution
from holotype.releases.croissant import Listed, croissant
from holotype.releases.datasheet import datasheet
from holotype.releases.described import describe
from holotype.releases.gallery import gallery
from holotype.releases.layout import ATTRIBUTION, CROISSANT, DATASHEET, FILES, PAGE
from holotype.releases.page import statistics_page
from holotype.releases.release import Release


def write_documents(release: Release, checksums: Mapping[str, str]) -> dict[str, str]:
    """Write the documents of a release that has all its other files, of which `checksums` are the sha256 by name, and
    return those of the documents, which are attribution, datasheet, statistics page and Croissant. They follow from
    its files alone, so that the same release has the same ones.

    ``croissant.json`` is the last: it has the checksums of all others, but of where archives lie on somebody's disk
    (``files.parquet``). Raises `ReleaseError` where tables cannot be read.
    """
    folder = release.path
    described = describe(release)
    made = {ATTRIBUTION: _write(folder / ATTRIBUTION, attribution(folder))}
    made[DATASHEET] = _write(folder / DATASHEET, [datasheet(described).encode()])
    pictures = gallery(release) if described.own else []  # bytes that lie elsewhere may be gone tomorrow
    made[PAGE] = _write(folder / PAGE, [statistics_page(described, pictures).encode()])
    public = {name: digest for name, digest in {**checksums, **made}.items() if name != FILES}
    listed = {name: Listed(release.sizes[name], digest) for name, digest in public.items()}
    made[CROISSANT] = _write(folder / CROISSANT, [croissant(described, listed).encode()])
    return made


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
