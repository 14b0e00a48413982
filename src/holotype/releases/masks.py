"""The masks of a release: which of them go into it, and what they are in pictures that are stored smaller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.geometry.masks import Masks, encoded, runs_of_text, shrunk, text_of_runs
from holotype.releases.choice import Kept
from holotype.releases.draft import Draft
from holotype.releases.facts import ReleasedMasks
from holotype.releases.identity import image_ids
from holotype.releases.layout import MASKS_SCHEMA

_CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class KeptMasks:
    """``masks.parquet``, the place of the image of each of its rows among the images, and how many masks are left out,
    as they are not of the size of their image."""

    table: pa.Table
    image: Numbers
    other_sizes: int = 0


NONE_KEPT: Final = KeptMasks(MASKS_SCHEMA.empty_table(), np.zeros(0, np.int64))


def kept_masks(said: ReleasedMasks, draft: Draft, kept: Kept) -> KeptMasks:
    """The masks of the release's images in the order of the manifest, then as they were said."""
    if not len(said.image):
        return NONE_KEPT
    number = draft.numbers(kept.rows, "image")
    order = np.argsort(number, kind="stable")
    row = order[np.searchsorted(number, said.image, sorter=order)]
    sizes = [draft.numbers(kept.rows, side)[row] for side in ("width", "height")]
    own = [said.table[side].to_numpy() for side in ("width", "height")]
    fits = np.all([(size == 0) | (size == mine) for size, mine in zip(sizes, own, strict=True)], axis=0)
    place = kept.image[row].astype(np.int64)
    taken = np.flatnonzero(fits)
    taken = taken[np.argsort(kept.first[place[taken]], kind="stable")]
    told = said.table.take(pa.array(taken))
    table = pa.table([image_ids(kept.keys[place[taken]]), *told.columns], schema=MASKS_SCHEMA)
    return KeptMasks(table, place[taken], int(np.count_nonzero(~fits)))


def stored_masks(masks: KeptMasks, changed: npt.NDArray[np.bool_], width: Numbers, height: Numbers) -> pa.Table:
    """``masks.parquet`` where the pictures of masks that are `changed` ``(masks,)`` are stored in other sizes: a pixel
    belongs to a mask where its middle does; one that lost all has the pixel that the middle of its box lies in."""
    columns = {name: masks.table[name].to_pylist() for name in ("width", "height", "counts", "area", *_CORNERS)}
    for at in np.flatnonzero(changed).tolist():
        for name, value in _shrunk({name: column[at] for name, column in columns.items()}, width[at], height[at]):
            columns[name][at] = value
    made = {name: pa.array(column, MASKS_SCHEMA.field(name).type) for name, column in columns.items()}
    return pa.table([made.get(name, masks.table[name]) for name in MASKS_SCHEMA.names], schema=MASKS_SCHEMA)


def _shrunk(row: dict[str, Any], width: int, height: int) -> Iterator[tuple[str, Any]]:
    """What changes of a mask in a picture of another size."""
    mask = Masks.of([runs_of_text(row["counts"])], [(row["height"], row["width"])])
    small = shrunk(mask.pixels(0), (int(height), int(width)))
    if not small.any():
        x, y = ((row[f"{axis}_min"] + row[f"{axis}_max"] + 1) / 2 for axis in "xy")
        small[int(y * height / row["height"]), int(x * width / row["width"])] = True
    runs = encoded(small)
    made = Masks.of([runs], [(int(height), int(width))])
    left, top, right, bottom = (int(edge) for edge in made.frames()[0])
    values = int(width), int(height), text_of_runs(runs), int(made.areas()[0]), left, top, right - 1, bottom - 1
    yield from zip(("width", "height", "counts", "area", *_CORNERS), values, strict=True)
