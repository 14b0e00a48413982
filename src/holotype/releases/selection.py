"""Which labels a release takes: at most so many of a synset, at least so many or none, as they come or balanced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.errors import ReleaseError
from holotype.releases.keys import dealt_order, draw
from holotype.releases.labels import Labels
from holotype.releases.quantities import plural

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is taken of all labels: `per_synset` at most of each synset, where that is not None; of a synset with fewer
    than `at_least`, none; and where it is to be `balanced`, as many of each as of the smallest that is left, if that is
    below `per_synset`.

    Raises `ReleaseError` where no synset could be taken.
    """

    per_synset: int | None = None
    at_least: int = 0
    balanced: bool = False

    def __post_init__(self) -> None:
        if self.per_synset is not None and self.per_synset < max(1, self.at_least):
            told = f"at most {plural(self.per_synset, 'label')} of a synset, but at least {max(1, self.at_least):,}"
            raise ReleaseError(f"{told}: none could be")
        if self.at_least < 0:
            raise ReleaseError(f"a synset cannot have {plural(self.at_least, 'label')}")


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """The labels that are taken, and what became of those of each synset.

    `taken` tells of each label whether it is, ``(m,)``. The other columns have a row per synset, by ascending number:
    `found` is `kept` + `too_few` + `drawn_out`, of which `too_few` are left out with a synset that has not enough, and
    `drawn_out` because more than `limit` were there. `beyond` of those kept are more than `limit`: their images were
    drawn for other synsets, and an image that is taken keeps its labels. `limit` is None where there is none. `images`
    is the number of images taken, of `images_found`.
    """

    taken: npt.NDArray[np.bool_]
    limit: int | None
    synsets: Counts
    found: Counts
    kept: Counts
    too_few: Counts
    drawn_out: Counts
    beyond: Counts
    images: int
    images_found: int

    @property
    def table(self) -> pa.Table:
        """The columns by synset: synset, found, kept, too_few, drawn_out and beyond, int64."""
        names = ("found", "kept", "too_few", "drawn_out", "beyond")
        return pa.table({"synset": self.synsets, **{name: getattr(self, name) for name in names}})

    @property
    def totals(self) -> dict[str, int]:
        """The same of all synsets together; and how many there were, how many are kept, and how many images."""
        names = ("found", "kept", "too_few", "drawn_out", "beyond")
        return {
            "synsets_found": len(self.synsets),
            "synsets": int(np.count_nonzero(self.kept)),
            "images_found": self.images_found,
            "images": self.images,
            **{name: int(getattr(self, name).sum()) for name in names},
        }


def select(labels: Labels, selection: Selection, seed: int) -> Selected:
    """The labels that `selection` takes, drawn by `seed` where there are too many.

    Of a synset with more labels than the limit, those are drawn whose images come first in one random order of all
    images (`holotype.releases.keys.draw`): every set of that many is equally likely, an image that comes in later puts
    out one other at most, and a larger limit takes the same and more. An image with several labels is thus drawn for
    all of its synsets or few, and keeps all its labels whose synsets have enough, so that a synset may have more than
    the limit (`Selected.beyond`). A pure function: the order of labels and images does not matter.
    """
    synsets, number = labels.numbered()
    found = np.bincount(number, minlength=len(synsets))
    enough = found >= selection.at_least
    limit = _limit(found[enough], selection)
    drawn = enough[number]
    if limit is not None:
        drawn &= ~_drawn_out(labels, number, enough & (found > limit), limit, seed)
    image = np.zeros(len(labels.keys), bool)
    image[labels.image] = True
    images_found = int(np.count_nonzero(image))
    image[:] = False
    image[labels.image[drawn]] = True
    taken = image[labels.image] & enough[number]
    kept = np.bincount(number[taken], minlength=len(synsets))
    too_few = np.where(enough, 0, found)
    beyond = np.maximum(kept - limit, 0) if limit is not None else np.zeros_like(kept)
    told = kept, too_few, found - kept - too_few, beyond
    return Selected(taken, limit, synsets, found, *told, int(np.count_nonzero(image)), images_found)


def _limit(found: Counts, selection: Selection) -> int | None:
    if not (selection.balanced and len(found)):
        return selection.per_synset
    smallest = int(found.min())
    return smallest if selection.per_synset is None else min(smallest, selection.per_synset)


def _drawn_out(
    labels: Labels, number: npt.NDArray[np.int32], full: npt.NDArray[np.bool_], limit: int, seed: int
) -> npt.NDArray[np.bool_]:
    """Which labels of the `full` synsets come after the first `limit` in the random order."""
    out = np.zeros(len(number), bool)
    rows = np.flatnonzero(full[number])
    if len(rows):
        pile = number[rows]
        order = dealt_order(pile, draw(labels.keys, seed, "selection")[labels.image[rows]])
        starts = np.cumsum(np.bincount(pile)) - np.bincount(pile)
        out[rows[order]] = np.arange(len(rows)) - starts[pile[order]] >= limit
    return out
