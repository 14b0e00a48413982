"""Images that are to be taken down of a release, as people name them, and the rows of its manifest that are theirs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.crowd.policy_names import IMPORTED
from holotype.errors import ReleaseError
from holotype.releases.joins import Mask
from holotype.releases.keys import NOTHING, Keys, Texts, address_keys, author_keys
from holotype.releases.layout import AUDIT_TABLES, ID_LENGTH
from holotype.releases.release import Release, read_table

_Met = tuple[Mask, Mask]
"""The rows of a manifest that are called by any of some names, ``(labels,)``, and which names any is called by,
``(names,)``."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Images that are to be taken down: by id, by sha256 or by their origin in a dataset, ``dataset/name``; by their
    address on the web; by their author. Those without a label, of which a release has votes, by id or sha256 only."""

    images: Sequence[str] = ()
    urls: Sequence[str] = ()
    authors: Sequence[str] = ()


def unwanted_rows(manifest: pa.Table, unwanted: Unwanted, others: Collection[str] = ()) -> Mask:
    """The rows of a manifest whose images are to be taken down, ``(labels,)``: all of an image's.

    Raises `ReleaseError` for what no image is called by, nor any of the `others`, and where nothing is asked for.
    """
    named = [
        ("id, sha256 or DATASET/NAME", unwanted.images, _of_images(manifest, unwanted.images)),
        ("address", unwanted.urls, _same(address_keys, manifest, "url", unwanted.urls)),
        ("author", unwanted.authors, _same(author_keys, manifest, "author", unwanted.authors)),
    ]
    if not any(names for _, names, _ in named):
        raise ReleaseError("say which images are to be taken down: by id, address or author")
    unmet = [(kind, names[at]) for kind, names, (_, met) in named for at in np.flatnonzero(~met).tolist()]
    if lost := [f"{kind} {name!r}" for kind, name in unmet if name not in others]:
        raise ReleaseError(f"no image of the release has the {'; the '.join(lost)}")
    rows = np.any([rows for _, _, (rows, _) in named], axis=0)
    ids = manifest["id"].filter(pa.array(rows))
    return np.asarray(pc.is_in(manifest["id"], pc.unique(ids)).to_numpy())


def unwanted_others(release: Release, unwanted: Unwanted) -> dict[str, str]:
    """The sha256 of images that are to be taken down and have no label in a release, which ships only what was said of
    them, by what they are called: their sha256 or its first 16 digits. Nothing else of them is known."""
    names = [name for name in unwanted.images if len(name) in (ID_LENGTH, 64)]
    found: dict[str, str] = {}
    for column in spoken_of(release) if names else ():
        for length in (ID_LENGTH, 64):
            asked = {name.lower(): name for name in names if len(name) == length}
            some = column.filter(pc.is_in(pc.utf8_slice_codeunits(column, 0, length), pa.array(asked, pa.string())))
            found |= {asked[sha256[:length]]: sha256 for sha256 in pc.unique(some).to_pylist()}
    column = release.manifest["sha256"]
    labelled = set(column.filter(pc.is_in(column, pa.array([*found.values()], pa.string()))).to_pylist())
    return {name: sha256 for name, sha256 in found.items() if sha256 not in labelled}


def spoken_of(release: Release) -> Iterator[pa.ChunkedArray]:
    """The sha256 of images that a release says anything of beside their labels."""
    yield release.votes["sha256"]
    if release.evidence is not None:
        yield release.evidence["sha256"]
    for name, schema in AUDIT_TABLES.items():
        if (release.path / name).is_file():
            yield read_table(release.path / name, schema)["sha256"]


def _of_images(manifest: pa.Table, names: Sequence[str]) -> _Met:
    rows, met = np.zeros(len(manifest), bool), np.zeros(len(names), bool)
    imported = pc.if_else(pc.starts_with(manifest["source"], IMPORTED), manifest["origin"], "")
    held = {"origin": imported, "id": manifest["id"], "sha256": manifest["sha256"]}
    kinds = [_kind(name) for name in names]
    for kind, column in held.items():
        at = [place for place, one in enumerate(kinds) if one == kind]
        if at:
            texts = [names[place] if kind == "origin" else names[place].lower() for place in at]
            found, met[at] = _met(column, pa.array(texts, pa.string()))
            rows |= found
    return rows, met


def _kind(name: str) -> str:
    """What images are called so by: "" is the name of none."""
    if "/" in name:
        return "origin"
    return "" if not name else "id" if len(name) == ID_LENGTH else "sha256"


def _same(keys: Callable[[Texts], Keys], manifest: pa.Table, column: str, texts: Sequence[str]) -> _Met:
    """What is the same by its key, but for "" and what else is nobody's."""
    if not texts:
        return np.zeros(len(manifest), bool), np.zeros(0, bool)
    held, wanted = keys(manifest[column]), keys(pa.array(texts, pa.string()))
    rows, met = _met(pa.array(held), pa.array(wanted))
    return rows & (held != NOTHING), met & (wanted != NOTHING)


def _met(held: pa.Array | pa.ChunkedArray, wanted: pa.Array) -> _Met:
    """Which values are wanted, and which wanted ones are there."""
    rows = pc.is_in(held, pc.unique(wanted))
    met = pc.is_in(wanted, pc.unique(held.filter(rows)))
    return np.asarray(rows, bool), np.asarray(met, bool)
