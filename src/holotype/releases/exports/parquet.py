"""Parquet shards with the features of Hugging Face's `datasets` in their schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.files import local
from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.listing import second_labels, write_classes
from holotype.releases.exports.samples import Sample
from holotype.releases.layout import FLAGS, SHARD_BYTES

SPLITS: Final = {"train": "train", "val": "validation", "test": "test"}
"""What `datasets` calls the splits."""
GROUP_ROWS: Final = 64
GROUP_BYTES: Final = 32 << 20
"""A row group ends with so many rows or bytes of images: it is what a reader of one image has to read."""

_BOX: Final = pa.struct(
    [
        ("wnid", pa.string()),
        *((name, pa.int32()) for name in ("x_min", "y_min", "x_max", "y_max")),
        *((name, pa.string()) for name in ("source", "by")),
        ("support", pa.float64()),
        *((name, pa.int8()) for name in FLAGS),
    ]
)
_DTYPES: Final = {"double": "float64"}
"""What `datasets` calls Arrow's types, where it calls them otherwise."""
_TEXTS: Final = ("origin", "source", "licence", "author", "url")
_SCHEMA: Final = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("label", pa.int64()),
        ("labels", pa.list_(pa.int64())),
        ("id", pa.string()),
        ("wnid", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("boxes", pa.list_(_BOX)),
        *((name, pa.string()) for name in _TEXTS),
    ]
)


def write_parquet(chosen: Chosen, folder: Path, advance: Advance, shard_bytes: int = SHARD_BYTES) -> list[str]:
    """``data/SPLIT-00000-of-00003.parquet``: `image` is bytes and a path, `label` the class of the first label and
    `labels` those of all, named by wnid in the schema's metadata.

    Images are in the order of their ids, which is as good as shuffled. Boxes are in pixels of the picture turned
    upright, as `datasets` turns it; flags and support that nobody said are -1.
    """
    write_classes(chosen, folder)
    schema = _SCHEMA.with_metadata({"huggingface": json.dumps({"info": {"features": _features(chosen)}})})
    (folder / "data").mkdir()
    for split, samples in chosen.by_split(advance, shuffled=True):
        rows = (_row(sample, chosen) for sample in samples)
        parts = _write(rows, folder / "data", schema, shard_bytes)
        for number, part in enumerate(parts):
            part.rename(folder / "data" / f"{SPLITS[split]}-{number:05d}-of-{len(parts):05d}.parquet")
    return second_labels(chosen, "label is the first, labels are all")


def _write(rows: Iterable[dict[str, Any]], folder: Path, schema: pa.Schema, most: int) -> list[Path]:
    """Files of rows, each begun when the one before has `most` bytes of images."""
    groups, parts = _groups(rows), list[Path]()
    group = next(groups, None)
    while group is not None:
        parts.append(folder / f"{len(parts):05d}.parquet")
        with pq.ParquetWriter(
            local(parts[-1]),
            schema,
            compression=dict.fromkeys(("id", "wnid", *_TEXTS), "zstd"),  # pictures are compressed already
            use_dictionary=["wnid", *_TEXTS],
            write_statistics=["label", "id", "wnid", "width", "height"],
        ) as file:
            written = 0
            while group is not None and (not written or written < most):
                file.write_table(pa.Table.from_pylist(group, schema))
                written += sum(len(row["image"]["bytes"]) for row in group)
                group = next(groups, None)
    return parts


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        group.append(row)
        size += len(row["image"]["bytes"])
        if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _row(sample: Sample, chosen: Chosen) -> dict[str, Any]:
    width, height = sample.size
    numbers = [chosen.numbers[wnid] for wnid in sample.wnids]
    return {
        "image": {"bytes": sample.data, "path": f"{sample.id}.{sample.extension}"},
        "label": numbers[0],
        "labels": numbers,
        "id": sample.id,
        "wnid": sample.wnids[0],
        "width": width,
        "height": height,
        "boxes": [{name: getattr(box, name) for name in _BOX.names} for box in sample.boxes],
        **{name: sample.rows[0][name] for name in _TEXTS},
    }


def _features(chosen: Chosen) -> dict[str, Any]:
    """The features as `datasets` writes them, of all its versions: lists of values are sequences, of objects lists."""
    label = {"names": [one.wnid for one in chosen.classes], "_type": "ClassLabel"}
    return {
        "image": {"_type": "Image"},
        "label": label,
        "labels": {"feature": label, "_type": "Sequence"},
        **{name: _value("string") for name in ("id", "wnid")},
        **{name: _value("int32") for name in ("width", "height")},
        "boxes": [{field.name: _value(_DTYPES.get(str(field.type), str(field.type))) for field in _BOX}],
        **{name: _value("string") for name in _TEXTS},
    }


def _value(kind: str) -> dict[str, str]:
    return {"dtype": kind, "_type": "Value"}
