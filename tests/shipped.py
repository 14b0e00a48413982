"""Small releases, written file by file: with several labels, formats and orientations, and as hostile as asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from conftest import encoded, photo
from holotype.releases import SPLITS, Release
from holotype.releases.layout import (
    BOXES_SCHEMA,
    FILES_SCHEMA,
    FORMAT,
    ID_LENGTH,
    VOTES_SCHEMA,
    manifest_schema,
)
from holotype.store.location import TREE
from holotype.store.tar.writing import tar_end, tar_member

TENCH, COLLIE, CAT = "n01440764", "n02106166", "n02123045"
LEMMAS = {TENCH: ["tench", "Tinca tinca"], COLLIE: ["collie"], CAT: ["tabby", "tabby cat"]}


@dataclass(frozen=True)
class Shipped:
    """An image of a release: its bytes, labels, and whatever else its rows say."""

    data: bytes
    split: str
    wnids: tuple[str, ...]
    boxes: tuple[tuple[str, int, int, int, int], ...] = ()
    format: str = "JPEG"
    size: tuple[int, int] = (80, 60)
    orientation: int = 1
    said: Mapping[str, Any] | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def id(self) -> str:
        return self.sha256[:ID_LENGTH]


def pictures() -> list[Shipped]:
    """Seven images of three classes in two splits: one has two labels, one is a PNG, one is stored on its side."""
    plain = [encoded(photo(seed)) for seed in range(5)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        Shipped(plain[0], "train", (TENCH,), ((TENCH, 10, 8, 60, 50),)),
        Shipped(plain[1], "train", (TENCH, CAT), ((TENCH, 0, 0, 20, 20), (CAT, 30, 30, 79, 59), (CAT, 1, 2, 3, 4))),
        Shipped(encoded(photo(11), "PNG"), "train", (COLLIE,), format="PNG"),
        Shipped(encoded(photo(12), exif=exif), "train", (CAT,), ((CAT, 5, 10, 50, 70),), size=(60, 80), orientation=6),
        Shipped(plain[2], "train", (CAT,)),
        Shipped(plain[3], "val", (TENCH,)),
        Shipped(plain[4], "val", (CAT,), ((CAT, 0, 0, 79, 59),)),
    ]


def ship(
    folder: Path, images: Sequence[Shipped], name: str = "v1", votes: Sequence[Mapping[str, Any]] = (), **summary: Any
) -> Release:
    """A release of its own shards."""
    folder.mkdir(parents=True)
    places: dict[str, dict[str, Any]] = {}
    for split in SPLITS:
        tar = bytearray()
        for one in images:
            if one.split == split:
                header, data, padding = tar_member(f"{one.id}.jpg", one.data)
                places[one.id] = {
                    "shard": f"{split}-000000.tar",
                    "offset": len(tar) + len(header),
                    "length": len(data),
                }
                tar += header + data + padding
        if tar:
            (folder / f"{split}-000000.tar").write_bytes(tar + tar_end(len(tar)))
    return _describe(folder, images, places, name, votes, summary)


def point_to(folder: Path, images: Sequence[Shipped], name: str = "v1") -> Release:
    """A manifest-only release: every other image lies in a tar beside it, the others are files of a folder; both may be
    read."""
    folder.mkdir(parents=True)
    tree, archive, tar = folder.parent / "tree", folder.parent / "archive.tar", bytearray()
    places: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(images):
        if number % 2:
            path = tree / "some" / f"{number}.jpeg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one.data)
            place = {"shard": "file-000001", "offset": 0, "length": len(one.data), "path": f"some/{number}.jpeg"}
        else:
            header, data, padding = tar_member(f"{number}.jpeg", one.data)
            place = {"shard": "file-000000", "offset": len(tar) + len(header), "length": len(data), "path": ""}
            tar += header + data + padding
        places[one.id] = place
    archive.write_bytes(tar + tar_end(len(tar)))
    state = archive.stat()
    files = [
        {"shard": "file-000000", "dataset": "d", "kind": "tar", "path": str(archive)}
        | {"size": state.st_size, "mtime_ns": state.st_mtime_ns},
        {"shard": "file-000001", "dataset": "d", "kind": TREE, "path": str(tree), "size": 0, "mtime_ns": 0},
    ]
    pq.write_table(pa.Table.from_pylist(files, FILES_SCHEMA), folder / "files.parquet")
    return Release(_describe(folder, images, places, name, (), {}).path, archives=[folder.parent])


def _describe(
    folder: Path,
    images: Sequence[Shipped],
    places: Mapping[str, Mapping[str, Any]],
    name: str,
    votes: Sequence[Mapping[str, Any]],
    summary: Mapping[str, Any],
) -> Release:
    wnids = sorted({wnid for one in images for wnid in one.wnids})
    pairs = sorted((wnid, one.id, one) for one in images for wnid in one.wnids)
    rows = [_row(one, wnid, wnids.index(wnid)) | dict(places[one.id]) | dict(one.said or {}) for wnid, _, one in pairs]
    extras = [name for name in ("path", "machines", "stored") if any(name in row for row in rows)]
    write_manifest(folder, rows, extras)
    boxes = [
        dict(zip(BOXES_SCHEMA.names, (one.id, *box, "boxes.csv"), strict=True)) for one in images for box in one.boxes
    ]
    pq.write_table(pa.Table.from_pylist(boxes, BOXES_SCHEMA), folder / "boxes.parquet")
    pq.write_table(pa.Table.from_pylist(list(votes), VOTES_SCHEMA), folder / "votes.parquet")
    classes = [
        {"index": number, "wnid": wnid, "lemmas": LEMMAS.get(wnid, [wnid]), "gloss": f"what {wnid} is, or was"}
        for number, wnid in enumerate(wnids)
    ]
    about = {"format": FORMAT, "name": name, "ontology": "0" * 64, "classes": classes, **summary}
    (folder / "release.json").write_text(json.dumps(about))
    counts = {split: sum(one.split == split for one in images) for split in SPLITS}
    (folder / "statistics.json").write_text(json.dumps({"splits": counts}))
    return Release(folder)


def write_manifest(folder: Path, rows: Sequence[Mapping[str, Any]], extras: Sequence[str] = ()) -> None:
    """The manifest of a release, whatever its rows say."""
    pq.write_table(pa.Table.from_pylist(list(rows), manifest_schema(extras)), folder / "manifest.parquet")


def _row(one: Shipped, wnid: str, rank: int) -> dict[str, Any]:
    width, height = one.size
    nothing = {field.name: "" if pa.types.is_string(field.type) else 0 for field in manifest_schema(())}
    return nothing | {
        **{"id": one.id, "wnid": wnid, "rank": rank, "split": one.split, "sha256": one.sha256, "format": one.format},
        **{"mode": "RGB", "width": width, "height": height, "orientation": one.orientation, "boxes": len(one.boxes)},
        **{"near_group": one.id, "group": one.id, "policy": "gold", "licence": "CC-BY-4.0", "score": 1.0},
    }
