"""Questions about embeddings: what models make of images, by the images' bytes, and what they made nothing of yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select

from holotype.catalog import schema as t
from holotype.catalog.images import is_sound, read_images
from holotype.catalog.locations import location_columns
from holotype.catalog.removals import hidden
from holotype.catalog.statements import add_rows, chunks
from holotype.store.location import Location

Vectors = npt.NDArray[np.floating[Any]]
DTYPES: Final[Mapping[str, np.dtype[Any]]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}
"""What the numbers of an embedding are kept as, by name."""
_ROWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Model:
    """What makes embeddings: the name that it has here, the digest of its weights, how many numbers of which type an
    embedding is, JSON of what it was made from, and a Unix time; `embeddings` are how many are kept."""

    id: int
    name: str
    digest: str
    width: int
    dtype: str
    source: str
    at: float
    embeddings: int = 0

    def encoded(self, row: Vectors) -> bytes:
        """An embedding as it is kept."""
        return row.astype(DTYPES[self.dtype]).tobytes()

    def decoded(self, data: bytes) -> Vectors:
        """What was `encoded`."""
        return np.frombuffer(data, DTYPES[self.dtype])


@dataclass(frozen=True, slots=True)
class Removal:
    """Somebody's statement that the embeddings of a model are not to be used, or are again."""

    name: str
    removed: bool
    curator: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Embeddings by ascending sha256, one of each: the first image that has the bytes ``(n,)``, the sha256 ``(n,)``
    as 64 ASCII bytes each, and the embeddings ``(n, width)`` in the type that they are kept as."""

    image: npt.NDArray[np.int64]
    sha256: npt.NDArray[np.bytes_]
    rows: Vectors

    def __len__(self) -> int:
        return len(self.image)

    def places(self, digests: Iterable[str]) -> npt.NDArray[np.int64]:
        """The place of each sha256, -1 where there is none."""
        wanted = np.array([one.encode() for one in digests], "S64")
        if not len(self) or not len(wanted):
            return np.full(len(wanted), -1, np.int64)
        place = np.minimum(np.searchsorted(self.sha256, wanted), len(self) - 1)
        return np.where(self.sha256[place] == wanted, place, -1)

    def digest(self, place: int) -> str:
        """The sha256 at a place."""
        return bytes(self.sha256[place]).decode()


def models(connection: Connection, removed: bool = False) -> list[Model]:
    """The models whose embeddings are used, or those that are removed, by name, with how many there are."""
    count = select(func.count()).where(t.embedding.c.model_id == t.embedding_model.c.id).scalar_subquery()
    gone = _removed()
    asked: Select[Any] = select(*t.embedding_model.c, count).order_by(t.embedding_model.c.name)
    return [Model(*row) for row in connection.execute(asked.where(gone if removed else ~gone)).all()]


def model_called(connection: Connection, name: str) -> Model | None:
    """The model of a name, removed or not; its embeddings are not counted."""
    row = connection.execute(select(*t.embedding_model.c).where(t.embedding_model.c.name == name)).first()
    return None if row is None else Model(*row)


def add_model(connection: Connection, model: Model) -> Model:
    """Append a model, whose id is not heeded, unless there is one of that name: the one that there is now."""
    if (held := model_called(connection, model.name)) is not None:
        return held
    names = ("name", "digest", "width", "dtype", "source", "at")
    connection.execute(insert(t.embedding_model).values({name: getattr(model, name) for name in names}))
    found = model_called(connection, model.name)
    assert found is not None  # noqa: S101 - it was just written
    return found


def is_removed(connection: Connection, model: Model) -> bool:
    """Whether the embeddings of a model are not to be used."""
    asked = select(t.embedding_model.c.id).where(t.embedding_model.c.id == model.id, _removed())
    return connection.execute(asked).first() is not None


def _removed() -> ColumnElement[bool]:
    said, other = t.embedding_removal.c, t.embedding_removal.alias("later").c
    later = select(other.number).where(other.model_id == said.model_id, other.number > said.number).exists()
    mine = said.model_id == t.embedding_model.c.id
    return select(said.number).where(mine, said.removed == 1, ~later).exists()


def say_removed(connection: Connection, model: Model, removal: Removal) -> bool:
    """Append that embeddings are not to be used any more, or are again; False where that was so before."""
    if is_removed(connection, model) == removal.removed:
        return False
    number = func.coalesce(func.max(t.embedding_removal.c.number), 0)
    last = connection.execute(select(number).where(t.embedding_removal.c.model_id == model.id)).scalar_one()
    said = {"removed": int(removal.removed), "curator": removal.curator, "reason": removal.reason, "at": removal.at}
    connection.execute(insert(t.embedding_removal).values(model_id=model.id, number=last + 1, **said))
    return True


def removals(connection: Connection) -> list[Removal]:
    """All that was removed and restored, oldest first."""
    said, name = t.embedding_removal.c, t.embedding_model.c.name
    joined = t.embedding_removal.join(t.embedding_model)
    asked = select(name, said.removed, said.curator, said.reason, said.at).select_from(joined)
    rows = connection.execute(asked.order_by(said.at, said.model_id, said.number))
    return [Removal(name, bool(removed), *rest) for name, removed, *rest in rows]


def forget(connection: Connection, model: Model) -> int:
    """Delete a model, its embeddings and all that was said of it; how many embeddings there were."""
    gone = connection.execute(delete(t.embedding).where(t.embedding.c.model_id == model.id)).rowcount
    connection.execute(delete(t.embedding_removal).where(t.embedding_removal.c.model_id == model.id))
    connection.execute(delete(t.embedding_model).where(t.embedding_model.c.id == model.id))
    return gone


def add(connection: Connection, model: Model, rows: Mapping[str, bytes]) -> int:
    """Append embeddings by sha256; how many are new. Those that there are stay as they are."""
    known = held(connection, model, rows)
    new = [{"model_id": model.id, "sha256": one, "vector": data} for one, data in rows.items() if one not in known]
    add_rows(connection, t.embedding, new)
    return len(new)


def held(connection: Connection, model: Model, digests: Iterable[str]) -> dict[str, bytes]:
    """The embeddings, as they are kept, of those images with these bytes that have one, by sha256."""
    table = t.embedding.c
    asked = select(table.sha256, table.vector).where(table.model_id == model.id)
    return {
        sha256: bytes(vector)
        for chunk in chunks(digests)
        for sha256, vector in connection.execute(asked.where(table.sha256.in_(chunk)))
    }


def read(connection: Connection, model: Model) -> Embedded:
    """The embeddings of all images that can be shown: sound, and neither withdrawn nor asked to be."""
    table, read = t.embedding.c, t.fingerprint.c
    shown = t.embedding.join(t.fingerprint, read.sha256 == table.sha256)
    mine = table.model_id == model.id
    asked = select(table.sha256, func.min(read.image_id)).select_from(shown).where(mine, *_shown())
    found = connection.execute(asked.group_by(table.sha256)).all()
    sha256 = np.array([row[0].encode() for row in found], "S64")
    order = np.argsort(sha256)
    sha256, image = sha256[order], np.array([row[1] for row in found], np.int64)[order]
    rows = np.zeros((len(found), model.width), DTYPES[model.dtype])
    vectors = select(table.sha256, table.vector).where(mine).execution_options(yield_per=_ROWS)
    for part in connection.execute(vectors).partitions() if found else ():
        told = np.array([row[0].encode() for row in part], "S64")
        place = np.minimum(np.searchsorted(sha256, told), len(sha256) - 1)
        kept = sha256[place] == told
        block = np.frombuffer(b"".join(row[1] for row in part), rows.dtype).reshape(len(part), model.width)
        rows[place[kept]] = block[kept]
    return Embedded(image, sha256, rows)


def unembedded(connection: Connection, model: int, after: int, limit: int) -> list[tuple[int, str, Location]]:
    """The first images beyond id `after` that can be shown and that a model made nothing of, one of each with the same
    bytes: id, sha256 and where they lie."""
    asked = _located(model).where(t.image.c.id > after).order_by(t.image.c.id).limit(limit)
    return [(number, sha256, Location(*location)) for number, sha256, *location in connection.execute(asked)]


def unembedded_of(connection: Connection, model: int, digests: Iterable[str]) -> list[tuple[int, str, Location]]:
    """Those of the images with these bytes, as `unembedded`."""
    asked = (_located(model).where(t.fingerprint.c.sha256.in_(chunk)) for chunk in chunks(digests))
    rows = (row for one in asked for row in connection.execute(one))
    return [(number, sha256, Location(*location)) for number, sha256, *location in rows]


def count_unembedded(connection: Connection, model: int) -> int:
    """How many different pictures can be shown that a model made nothing of."""
    return int(connection.execute(_unembedded(model, func.count())).scalar_one())


def _located(model: int) -> Select[Any]:
    return _unembedded(model, t.image.c.id, t.fingerprint.c.sha256, *location_columns())


def _unembedded(model: int, *columns: ColumnElement[Any]) -> Select[Any]:
    table, read, other = t.embedding.c, t.fingerprint.c, t.fingerprint.alias("other").c
    made = select(table.sha256).where(table.model_id == model, table.sha256 == read.sha256).exists()
    sound = (other.sha256 == read.sha256) & (other.width > 0) & (other.reason == "")
    before = select(other.image_id).where(sound, other.image_id < read.image_id).exists()
    return select(*columns).select_from(read_images()).where(*_shown(), ~made, ~before)


def _shown() -> tuple[ColumnElement[bool], ...]:
    """Whether an image that was read is sound, and neither withdrawn nor asked to be."""
    return is_sound(), t.fingerprint.c.sha256.not_in(hidden())
