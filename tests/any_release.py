"""Releases of any content, written without a project: `shipped` makes a folder of what a test says of its images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from conftest import encoded, photo
from holotype.images.decode import EXTENSIONS, Decoded, decode
from holotype.releases.layout import (
    BOXES,
    BOXES_SCHEMA,
    FORMAT,
    ID_LENGTH,
    LEAKS,
    MANIFEST,
    MANIFEST_SCHEMA,
    STATISTICS,
    SUMMARY,
    VOTES,
    VOTES_SCHEMA,
)
from holotype.store.tar.writing import tar_end, tar_member

DOG, CAT = "n02084071", "n02121808"
NAMES = {DOG: "dog", CAT: "domestic cat"}


@dataclass(frozen=True)
class Shot:
    """An image of a release: its bytes, what it is labelled with, and what the manifest says beside."""

    data: bytes
    wnids: Sequence[str] = (DOG,)
    split: str = "train"
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return hashlib.sha256(self.data).hexdigest()[:ID_LENGTH]


def some(count: int, **told: Any) -> list[Shot]:
    """Small pictures, dogs and cats, three of four to train on."""
    splits = ("train", "train", "val", "train")
    return [Shot(encoded(photo(n)), [(DOG, CAT)[n % 3 == 2]], splits[n % 4], told) for n in range(count)]


def shipped(folder: Path, shots: Sequence[Shot], votes: int = 3, recipe: Any = None, **summary: Any) -> Path:
    """A folder with a release of these images, every label voted on by `votes` people; without documents."""
    folder.mkdir(parents=True)
    rows = []
    for split in dict.fromkeys(shot.split for shot in shots):
        name, parts = f"{split}-000000.tar", list[bytes]()
        for shot in (shot for shot in shots if shot.split == split):
            image = decode(shot.data)
            start = sum(map(len, parts))
            header, data, padding = tar_member(f"{shot.id}.{EXTENSIONS[image.format]}", shot.data)
            parts += [header, data, padding]
            place = {"split": split, "shard": name, "offset": start + len(header), "length": len(shot.data)}
            rows += [{**_row(shot, wnid, image), **place, "yes": votes, **shot.told} for wnid in shot.wnids]
        (folder / name).write_bytes(b"".join([*parts, tar_end(sum(map(len, parts)))]))
    rows.sort(key=lambda row: (row["rank"], row["id"]))
    pq.write_table(pa.Table.from_pylist(rows, MANIFEST_SCHEMA), folder / MANIFEST)
    boxes = [
        dict(zip(BOXES_SCHEMA.names, (row["id"], row["wnid"], 0, 0, 9, 9, "said.xml"), strict=True))
        for row in rows
        for _ in range(row["boxes"])
    ]
    pq.write_table(pa.Table.from_pylist(boxes, BOXES_SCHEMA), folder / BOXES)
    cast = [
        dict(zip(VOTES_SCHEMA.names, (row["sha256"], row["wnid"], f"w{n}", "yes", "p1", 1.5, 1.7e9), strict=True))
        for row in rows
        for n in range(votes)
    ]
    pq.write_table(pa.Table.from_pylist(cast, VOTES_SCHEMA), folder / VOTES)
    wnids = sorted({row["wnid"] for row in rows})
    classes = [
        {"index": n, "wnid": wnid, "lemmas": [NAMES.get(wnid, wnid)], "gloss": "a gloss"}
        for n, wnid in enumerate(wnids)
    ]
    counted = {name: sum(shot.split == name for shot in shots) for name in ("train", "val", "test")}
    _write(folder / STATISTICS, {"splits": counted})
    about = {"format": FORMAT, "name": "v1", "ontology": "o" * 64, "classes": classes, "seed": 0, "query": ""}
    _write(folder / SUMMARY, {**about, **summary, "recipe": recipe or {}})
    _write(folder / LEAKS, {"checks": []})
    return folder


def _row(shot: Shot, wnid: str, image: Decoded) -> dict[str, Any]:
    return {
        **dict.fromkeys(MANIFEST_SCHEMA.names, 0),
        **{one.name: "" for one in MANIFEST_SCHEMA if one.type == pa.string()},
        **dict.fromkeys(("id", "near_group", "group"), shot.id),
        "wnid": wnid,
        "rank": sorted(NAMES).index(wnid) if wnid in NAMES else 9,
        "sha256": hashlib.sha256(shot.data).hexdigest(),
        **{name: getattr(image, name) for name in ("format", "mode", "width", "height", "orientation")},
        "policy": "posterior()",
    }


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value))
