"""Pictures of discs and squares, which are dogs and cats here, and a release of them with their boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from any_release import CAT, DOG, Shot, shipped
from conftest import encoded, photo
from holotype.files import sha256_file
from holotype.releases import Release
from holotype.releases.layout import BOXES, BOXES_SCHEMA, CHECKSUMS

COLOURS = {DOG: (230, 40, 30), CAT: (30, 60, 220)}
WIDTH, HEIGHT = 120, 90


@dataclass(frozen=True)
class Planted:
    """A picture, and what is planted on it: a box in inclusive pixels, and whether it is a dog or a cat."""

    image: Image.Image
    boxes: Sequence[tuple[str, tuple[int, int, int, int]]]

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        return np.asarray(self.image)


def planted(seed: int, wnids: Sequence[str]) -> Planted:
    """A picture with a disc (a dog) or a square (a cat) side by side, of random sizes and places, on a pale ground."""
    random = np.random.default_rng(seed)
    ground = 150 + np.asarray(photo(seed, WIDTH, HEIGHT), np.int64) // 4
    image = Image.fromarray(ground.astype(np.uint8))
    draw, boxes = ImageDraw.Draw(image), []
    room = WIDTH // len(wnids)
    for place, wnid in enumerate(wnids):
        size = int(random.integers(24, min(room, 56)))
        left = place * room + int(random.integers(0, room - size))
        top = int(random.integers(0, HEIGHT - size))
        box = left, top, left + size - 1, top + size - 1
        (draw.ellipse if wnid == DOG else draw.rectangle)(box, fill=COLOURS[wnid])
        boxes.append((wnid, box))
    return Planted(image, boxes)


def release_of(folder: Path, split_of: Callable[[int], str], count: int = 24, **summary: Any) -> Path:
    """A release of planted pictures: dogs, cats, and both in turn."""
    shots, rows = [], []
    for seed in range(count):
        one = planted(seed, ((DOG,), (CAT,), (DOG, CAT))[seed % 3])
        shot = Shot(encoded(one.image, "PNG"), sorted(wnid for wnid, _ in one.boxes), split_of(seed))
        shots.append(shot)
        rows += [dict(zip(BOXES_SCHEMA.names, (shot.id, wnid, *box, ""), strict=True)) for wnid, box in one.boxes]
    made = shipped(folder, shots, **summary)
    pq.write_table(pa.Table.from_pylist(rows, BOXES_SCHEMA), made / BOXES)
    sums = sorted((path.name, sha256_file(path)) for path in made.iterdir())
    (made / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sums))
    return made


def damaged_release(folder: Path, sound: int) -> Release:
    """A release whose pictures, but for some, are cut."""
    shots = [Shot(encoded(photo(seed)), [DOG], "train", {"boxes": 1}) for seed in range(3)]
    made = shipped(folder, shots)
    rows = pq.read_table(made / "manifest.parquet").to_pylist()
    pack = bytearray((made / "train-000000.tar").read_bytes())
    for row in rows[sound:]:
        pack[row["offset"] + 300 : row["offset"] + row["length"]] = bytes(row["length"] - 300)
    (made / "train-000000.tar").write_bytes(pack)
    return Release(made)
