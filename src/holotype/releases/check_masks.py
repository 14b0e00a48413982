"""What is wrong with the masks of a release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from holotype.geometry.masks import Masks, runs_of_text
from holotype.geometry.outlines import LARGEST
from holotype.releases.check_tables import of_images
from holotype.releases.joins import NOWHERE, places
from holotype.releases.layout import MANIFEST, MASKS
from holotype.releases.release import Release

_CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")


def check_masks(release: Release) -> Iterator[str]:
    """What is wrong with the masks: whose they are, in which order, of which size, and what their runs say."""
    table, manifest = release.masks, release.manifest
    row = places([table["id"]], [manifest["id"]])
    lost = row == NOWHERE
    yield from of_images(table, pa.array(lost), f"has a mask in {MASKS}, but is not in {MANIFEST}")
    if (np.diff(row[~lost]) < 0).any():
        yield f"{MASKS} does not have its images in the order of {MANIFEST}"
    sizes = [np.append(manifest[side].to_numpy(), 0)[row] for side in ("width", "height")]
    other = [
        (size > 0) & (table[side].to_numpy() != size) for side, size in zip(("width", "height"), sizes, strict=True)
    ]
    yield from of_images(table, pa.array(np.any(other, axis=0) & ~lost), "has a mask of another size than its picture")
    wrong = np.array([_is_wrong(one) for one in table.drop_columns(["id", "wnid", "source"]).to_pylist()], np.bool_)
    yield from of_images(table, pa.array(wrong), "has a mask whose area, box or size are not those of its run lengths")


def _is_wrong(row: dict[str, Any]) -> bool:
    """Whether what is said of a mask is not what its runs say."""
    size = row["height"], row["width"]
    if min(size) < 1 or size[0] * size[1] > LARGEST or len(row["counts"]) > 8 * size[0] * size[1]:
        return True
    try:
        runs = runs_of_text(row["counts"])
    except ValueError:
        return True
    if (runs < 0).any() or (runs > LARGEST).any() or runs.sum() != size[0] * size[1]:
        return True
    mask = Masks.of([runs], [size])
    left, top, right, bottom = mask.frames()[0].tolist()
    said = [row["area"], *(row[name] for name in _CORNERS)]
    return not row["area"] or said != [mask.areas()[0], left, top, right - 1, bottom - 1]
