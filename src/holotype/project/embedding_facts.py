"""What several uses of embeddings read: which model is meant, what it made of images, and images as samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from holotype.catalog import embeddings
from holotype.catalog.embeddings import Embedded, Model
from holotype.errors import NotEmbedded, SeveralEmbeddings
from holotype.releases.loaders import Samples
from holotype.store.location import TREE, Location
from holotype.store.places import Places
from holotype.store.store import Store

Unembedded = tuple[int, str, Location]
"""An image that a model made nothing of: its id, its sha256 and where it lies."""


def meant_model(connection: Connection, name: str) -> Model:
    """The model of a name; "" means the only one that there is. Raises `NotEmbedded`, `SeveralEmbeddings`."""
    known = embeddings.models(connection)
    if found := [one for one in known if one.name == name or (not name and len(known) == 1)]:
        return found[0]
    names = ", ".join(repr(one.name) for one in known)
    if name and name in {one.name for one in embeddings.models(connection, removed=True)}:
        raise NotEmbedded(f"the embeddings {name!r} were removed")
    if name:
        raise NotEmbedded(f"there are no embeddings {name[:100]!r}{f', but {names}' if known else ''}")
    if known:
        raise SeveralEmbeddings([one.name for one in known])
    raise NotEmbedded("nothing is embedded here")


def read_embedded(connection: Connection, name: str) -> tuple[Model, Embedded]:
    """The model of a name, and what it made of all images that can be shown. Raises as `meant_model` does."""
    model = meant_model(connection, name)
    return model, embeddings.read(connection, model)


def places_of(found: Embedded, digests: Iterable[str]) -> np.ndarray:
    """The places of the embeddings of images, each once, ascending; those without one are left out."""
    place = np.unique(found.places(digests))
    return place[place >= 0]


def samples_of(store: Store, images: Sequence[Unembedded]) -> Samples:
    """Images without labels, as what embedders take; their ids are their sha256."""
    bare = [replace(where, offset=0, length=0, path="") for _, _, where in images]
    files = tuple(dict.fromkeys(bare))
    number = {file: place for place, file in enumerate(files)}
    path = [where.path for _, _, where in images] if any(one.kind == TREE for one in files) else None
    places = Places(
        files,
        np.array([number[one] for one in bare], np.int32),
        np.array([where.offset for _, _, where in images], np.int64),
        np.array([where.length for _, _, where in images], np.int64),
        None if path is None else pa.array(path, pa.string()),
    )
    ids = pa.array([sha256 for _, sha256, _ in images], pa.string())
    return Samples(places, store, np.zeros(len(images), np.int32), ids, ("",))
