"""Images that are to be taken down of a release, as people name them, and the rows of its manifest that are theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.crowd.policy_names import IMPORTED
from holotype.errors import ReleaseError
from holotype.releases.joins import Mask
from holotype.releases.keys import NOTHING, Keys, Texts, address_keys, author_keys
from holotype.releases.layout import ID_LENGTH

_Met = tuple[Mask, Mask]
"""The rows of a manifest that are called by any of some names, ``(labels,)``, and which names any is called by,
``(names,)``."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Images that are to be taken down: by id, by sha256 or by their origin in a dataset, ``dataset/name``; by their
    address on the web; by their author."""

    images: Sequence[str] = ()
    urls: Sequence[str] = ()
    authors: Sequence[str] = ()


def unwanted_rows(manifest: pa.Table, unwanted: Unwanted) -> Mask:
    """The rows of a manifest whose images are to be taken down, ``(labels,)``: all of an image's.

    Raises `ReleaseError` for what no image is called by, and where nothing is asked for.
    """
    named = [
        ("id, sha256 or DATASET/NAME", unwanted.images, _of_images(manifest, unwanted.images)),
        ("address", unwanted.urls, _same(address_keys, manifest, "url", unwanted.urls)),
        ("author", unwanted.authors, _same(author_keys, manifest, "author", unwanted.authors)),
    ]
    if not any(names for _, names, _ in named):
        raise ReleaseError("say which images are to be taken down: by id, address or author")
    if lost := [f"{kind} {names[at]!r}" for kind, names, (_, met) in named for at in np.flatnonzero(~met).tolist()]:
        raise ReleaseError(f"no image of the release has the {'; the '.join(lost)}")
    rows = np.any([rows for _, _, (rows, _) in named], axis=0)
    ids = manifest["id"].filter(pa.array(rows))
    return np.asarray(pc.is_in(manifest["id"], pc.unique(ids)).to_numpy())


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
