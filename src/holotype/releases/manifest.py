"""The manifest: the draft's rows that are taken, with what was decided of them and where their bytes lie now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.files import local
from holotype.images.variants import scaled_boxes
from holotype.releases.contents import Contents
from holotype.releases.draft import GROUP
from holotype.releases.identity import image_ids
from holotype.releases.layout import FILES_SCHEMA, MACHINES, WORKS, manifest_schema
from holotype.releases.masks import stored_masks
from holotype.releases.shards import PICTURES, Pictures, Shard, Written
from holotype.releases.split import SPLITS
from holotype.store.location import TREE, Location

Numbers = npt.NDArray[np.int64]
_STORED: Final = ("stored", "original_width", "original_height")


@dataclass(frozen=True, slots=True, eq=False)
class Addresses:
    """Where images lie, ``(images,)`` each: the place of a name among `shards`, and offset and length, which are those
    of the draft where they are None; and what pictures are stored as, where any is not as it was."""

    shards: Sequence[str]
    shard: npt.NDArray[np.int32]
    offset: Numbers | None = None
    length: Numbers | None = None
    pictures: Pictures | None = None


def addresses_in(images: int, shards: Sequence[tuple[Shard, Written]]) -> Addresses:
    """The addresses of images in shards that were written."""
    shard, offset, length = np.zeros(images, np.int32), np.zeros(images, np.int64), np.zeros(images, np.int64)
    for number, (one, written) in enumerate(shards):
        shard[one.images], offset[one.images], length[one.images] = number, written.offset, written.length
    return Addresses([one.name for one, _ in shards], shard, offset, length, _pictures(shards))


def _pictures(shards: Sequence[tuple[Shard, Written]]) -> Pictures | None:
    """The pictures of all shards that are stored otherwise than they were; None where none is."""
    image = np.concatenate([np.zeros(0, np.int64), *(one.images[written.pictures.image] for one, written in shards)])
    if not len(image):
        return None
    order = np.argsort(image)
    columns = (np.concatenate([getattr(written.pictures, name) for _, written in shards])[order] for name in PICTURES)
    return Pictures(image[order], *columns)


def addresses_of(contents: Contents) -> Addresses:
    """The addresses of images that stay where they lie: what holds them is called by its place."""
    kept = contents.kept
    place = np.searchsorted(_numbers(contents), kept.per_image.file).astype(np.int32)
    return Addresses([holder_name(number) for number in range(len(contents.holders))], place)


def holder_name(place: int) -> str:
    """What a manifest calls the file at a place of ``files.parquet``."""
    return f"file-{place:06d}"


def files_of(contents: Contents) -> tuple[Numbers, list[Location]]:
    """The numbers of what images lie in, ascending, and each as a location."""
    files = [Location(one.path, 0, 0, one.kind, "", one.size, one.mtime_ns) for one in contents.holders]
    return _numbers(contents), files


def _numbers(contents: Contents) -> Numbers:
    return np.array([one.number for one in contents.holders], np.int64)


def files_table(contents: Contents) -> pa.Table:
    """``files.parquet``."""
    rows = [
        (holder_name(place), one.dataset, one.kind, one.path, one.size, one.mtime_ns)
        for place, one in enumerate(contents.holders)
    ]
    return pa.Table.from_pylist([dict(zip(FILES_SCHEMA.names, row, strict=True)) for row in rows], FILES_SCHEMA)


def boxes_table(contents: Contents, addresses: Addresses) -> pa.Table:
    """``boxes.parquet``: boxes in pixels of the pictures as they are stored."""
    boxes, pictures = contents.boxes, addresses.pictures
    if pictures is None or not len(boxes.table):
        return boxes.table
    rows, names = contents.kept.rows[contents.kept.first[boxes.image]], ("x_min", "y_min", "x_max", "y_max")
    sizes = np.stack([contents.draft.numbers(rows, side) for side in ("width", "height")], axis=1)
    changed, row = pictures.find(boxes.image)
    stored = np.where(changed[:, None], np.stack([pictures.width[row], pictures.height[row]], axis=1), sizes)
    corners = np.stack([boxes.table[name].to_numpy() for name in names], axis=1)
    scaled = dict(zip(names, scaled_boxes(*(one.astype(np.int64) for one in (corners, sizes, stored))).T, strict=True))
    made = {name: pa.array(column, pa.int32()) for name, column in scaled.items()}
    schema = boxes.table.schema
    return pa.table([made.get(name, boxes.table[name]) for name in schema.names], schema=schema)


def masks_table(contents: Contents, addresses: Addresses) -> pa.Table:
    """``masks.parquet``: masks of the pictures as they are stored."""
    masks, pictures = contents.masks, addresses.pictures
    if pictures is None or not len(masks.table):
        return masks.table
    changed, row = pictures.find(masks.image)
    width, height = pictures.width[row].astype(np.int64), pictures.height[row].astype(np.int64)
    own = [masks.table[side].to_numpy() for side in ("width", "height")]
    return stored_masks(masks, changed & ((width != own[0]) | (height != own[1])), width, height)


def write_manifest(path: Path, contents: Contents, addresses: Addresses) -> list[str]:
    """Write the manifest, a row group after the other; which of the columns it has that not all have."""
    extras = [name for name, told in _extras(contents, addresses).items() if told]
    schema = manifest_schema(extras)
    with pq.ParquetWriter(local(path), schema, compression="zstd") as writer:
        for table in _regrouped(_tables(contents, addresses, schema), GROUP):
            writer.write_table(table, row_group_size=GROUP)
    return extras


def _extras(contents: Contents, addresses: Addresses) -> Mapping[str, bool]:
    helped = any(
        pc.any(pc.greater(pc.list_value_length(rows[MACHINES]), 0)).as_py() for _, rows in _taken(contents, MACHINES)
    )
    below = contents.recipe.manifest_only and any(one.kind == TREE for one in contents.holders)
    stored = dict.fromkeys(_STORED, addresses.pictures is not None)
    return {MACHINES: helped, "path": below, **stored, **_said(contents)}


def _said(contents: Contents) -> dict[str, bool]:
    """Which columns of works say anything of the labels that are taken."""
    names = [name for name in WORKS if name in contents.draft.columns]
    said: dict[str, bool] = dict.fromkeys(names, False)
    for _, rows in _taken(contents, *names) if names else ():
        said = {name: known or pc.any(pc.not_equal(rows[name], "")).as_py() for name, known in said.items()}
    return said


def _taken(contents: Contents, *columns: str) -> Iterator[tuple[slice, pa.Table]]:
    """The rows of the draft that are taken, a piece at a time, and which of the labels kept they are."""
    rows = contents.kept.rows
    for first, table in contents.draft.batches(*columns):
        start, stop = np.searchsorted(rows, [first, first + len(table)]).tolist()
        if stop - start < len(table):
            table = table.take(pa.array(rows[start:stop] - first))
        if len(table):
            yield slice(start, stop), table


def _tables(contents: Contents, addresses: Addresses, schema: pa.Schema) -> Iterator[pa.Table]:
    kept, shared = contents.kept, contents.shared
    boxes = np.bincount(contents.boxes.image, minlength=len(kept.keys)).astype(np.int32)
    for rows, table in _taken(contents):
        image = kept.image[rows]
        made = {
            "boxes": pa.array(boxes[image]),
            "split": pa.array(SPLITS, pa.string()).take(pa.array(shared.split[image])),
            "shard": pa.array(addresses.shards, pa.string()).take(pa.array(addresses.shard[image])),
            "near_group": image_ids(kept.keys[shared.near[image]]),
            "group": image_ids(kept.keys[shared.group[image]]),
            **({} if addresses.offset is None else {"offset": pa.array(addresses.offset[image])}),
            **({} if addresses.length is None else {"length": pa.array(addresses.length[image])}),
            **({} if addresses.pictures is None else _stored(addresses.pictures, image, table)),
        }
        yield pa.table([made[one.name] if one.name in made else table[one.name] for one in schema], schema=schema)


def _stored(pictures: Pictures, image: npt.NDArray[np.int32], table: pa.Table) -> dict[str, pa.Array]:
    """What a manifest says of pictures of which some are stored otherwise than they were."""
    changed, row = pictures.find(image)
    columns = {name: getattr(pictures, name)[row] for name in PICTURES}
    columns["sha256"] = columns["sha256"].astype("U64")
    told = {name: pa.array(column).cast(table.schema.field(name).type) for name, column in columns.items()}
    found = {name: pc.if_else(pa.array(changed), column, table[name]) for name, column in told.items()}
    stored = found.pop("sha256")
    return {**found, "stored": stored, "original_width": table["width"], "original_height": table["height"]}


def _regrouped(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of `size`, but for the last; one at least."""
    held: list[pa.Table] = []
    count = 0
    empty = True
    for table in tables:
        held.append(table)
        count += len(table)
        while count >= size:
            whole = pa.concat_tables(held)
            yield whole.slice(0, size).combine_chunks()
            empty, held, count = False, [whole.slice(size)], count - size
    if count or empty:
        yield pa.concat_tables(held).combine_chunks()
