"""The masks of releases and of imported datasets as a truth for segmentation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.labelled import rows_of_split
from holotype.benchmark.segmentation import Outlined
from holotype.benchmark.values import Boxes
from holotype.errors import PredictionError
from holotype.geometry.masks import Masks, runs_of_text
from holotype.releases import Release

Texts = npt.NDArray[np.object_]


def outlines_of_release(release: Release, split: str = "test") -> Outlined:
    """The masks of the images of a split of a release, of the stored pictures, turned upright; images without masks are
    among the items. Classes are those of the whole release, numbered from 1.

    Raises `ReleaseError` where the split has no images, and `PredictionError` where none of them has a mask.
    """
    rows = rows_of_split(release, split)
    masks = release.masks.filter(pc.is_in(release.masks["id"], rows["id"].combine_chunks()))
    sizes = np.stack([rows[name].to_numpy() for name in ("width", "height")], axis=1)
    return outlines_of(rows["id"].to_numpy(), sizes, release.wnids, masks["id"].to_numpy(), masks)


def outlines_of(
    names: Texts, sizes: npt.NDArray[np.integer], classes: Sequence[str], said_of: Texts, masks: pa.Table
) -> Outlined:
    """A truth of images by their `names`, which may come several times, with upright `sizes` ``(names, 2)`` in pixels,
    0 where unknown; and `masks` of the images that they are `said_of`, with the columns wnid, width, height, counts and
    crowd of `holotype.releases.layout.MASKS_SCHEMA`, each counted once.

    Those of other classes, and of another size than their image, are left out. Raises `PredictionError` where no mask
    is left.
    """
    items, first = np.unique(names.astype(str), return_index=True)
    known = sizes[first].astype(np.int64)
    number = {wnid: at for at, wnid in enumerate(classes)}
    place = np.searchsorted(items, said_of.astype(str)).tolist()
    columns = (masks[name].to_pylist() for name in ("wnid", "width", "height", "counts", "crowd"))
    found = dict.fromkeys(
        (image, number[wnid], width, height, counts, bool(crowd))
        for image, wnid, width, height, counts, crowd in zip(place, *columns, strict=True)
        if wnid in number and (not known[image].min() or known[image].tolist() == [width, height])
    )
    if not found:
        raise PredictionError("none of the images has a mask of any of the classes")
    image, label, width, height, counts, crowd = zip(*found, strict=True)
    kept = Masks.of([runs_of_text(one) for one in counts], zip(height, width, strict=True))
    boxes = Boxes(
        tuple(items.tolist()),
        tuple(classes),
        np.array(image, np.int64),
        np.array(label, np.int64),
        kept.frames(),
        np.array(crowd, np.bool_),
        kept.areas(),
        inclusive=False,
        sizes=known if known.min() > 0 else None,
        numbers=tuple(range(1, len(classes) + 1)),
    )
    return Outlined(boxes, kept)
