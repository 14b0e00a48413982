"""What is decided of labels in columns: which are taken, what is kept together, and which split each image goes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.crowd.policy_names import IMPORTED
from holotype.errors import ReleaseError
from holotype.releases.draft import Columns
from holotype.releases.keys import Keys
from holotype.releases.labels import Labels
from holotype.releases.recipe import Recipe
from holotype.releases.selection import Selected, select
from holotype.releases.split import split
from holotype.releases.together import smallest_ids, together

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The labels of a draft that are taken: their `rows` there, and `columns`, ``(labels,)``; those that are of images
    are in `per_image`, ``(images,)``.

    `image` is the place of each among the images, ``(labels,)``, whose ids are `keys`, ``(images,)``, ascending;
    `first` is the first label of each image. `selected` tells what became of the others.
    """

    rows: Numbers
    columns: Columns
    per_image: Columns
    image: npt.NDArray[np.int32]
    keys: Keys
    first: Numbers
    selected: Selected

    @property
    def labels(self) -> Labels:
        """The labels as the functions have them that decide on columns."""
        return Labels(self.image, self.columns.rank, self.keys)

    @property
    def stated(self) -> bool:
        """Whether all labels are what datasets say."""
        policies = self.columns.policies
        return all(policies[one].startswith(IMPORTED) for one in np.unique(self.columns.policy).tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Where images go, ``(images,)`` each: the place of the split among `SPLITS`, and the place of the image with the
    smallest id among its near-duplicates and among all that stays together with it. `fixed` is the place of the split
    that an image came with, or -1."""

    split: npt.NDArray[np.int8]
    near: npt.NDArray[np.int32]
    group: npt.NDArray[np.int32]
    fixed: npt.NDArray[np.int8]


_OF_LABELS: Final = ("rank", "split", "policy", "outvoted")
_OF_IMAGES: Final = ("near", "upload", "author", "length", "file", "read")


def keep(columns: Columns, recipe: Recipe) -> Kept:
    """The labels that a recipe takes. Raises `ReleaseError` in the case that two images would have the same id."""
    keys, first, image = _numbered(columns)
    if not np.array_equal(columns.check, columns.check[first[image]]):
        raise ReleaseError("two images share the first 16 digits of their sha256")
    selected = select(Labels(image, columns.rank, keys), recipe.selection, recipe.seed)
    if not selected.taken.all():
        columns = columns.take(selected.taken)
        keys, first, image = _numbered(columns)
    labels, images = columns.only(*_OF_LABELS), columns.only(*_OF_IMAGES)
    del columns
    return Kept(np.flatnonzero(selected.taken), labels, images.at(first), image, keys, first, selected)


def _numbered(columns: Columns) -> tuple[Keys, Numbers, npt.NDArray[np.int32]]:
    keys, first, image = np.unique(columns.key, return_index=True, return_inverse=True)
    return keys, first, image.astype(np.int32)


def share(kept: Kept, recipe: Recipe) -> Shared:
    """Where the images of a release go."""
    images, of = len(kept.keys), kept.per_image
    links: dict[str, npt.NDArray[Any]] = {name: getattr(of, name) for name in recipe.together}
    linked = together(images, links)
    near = linked if recipe.together == ("near",) else together(images, {"near": of.near})
    fixed = np.full(images, -1, np.int8)
    np.maximum.at(fixed, kept.image, kept.columns.split)  # of several, the one that training must see least of
    chosen = split(kept.labels, linked.group, recipe.splits, recipe.seed, fixed if (fixed >= 0).any() else None)
    near_id, group_id = (smallest_ids(one.group, kept.keys).astype(np.int32) for one in (near, linked))
    return Shared(chosen.split, near_id, group_id, fixed)
