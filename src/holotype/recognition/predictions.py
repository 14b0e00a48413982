"""Guesses of a model, and the files of them that can be scored."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from holotype.benchmark import GUESSES
from holotype.errors import PredictionError
from holotype.files import write_atomically
from holotype.ontology import Ontology


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model says that images show: of each of `images`, by id, the `guesses` ``(images, 5)``, best first, places
    among `classes`, which are wnids, and -1 where there is none; and the `scores` ``(images, classes)``, or None.

    Of images that are `damaged` there is no guess, which misses.
    """

    images: tuple[str, ...]
    classes: tuple[str, ...]
    guesses: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32] | None = None
    damaged: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write them to a file: ``.csv`` of guesses, or ``.npz`` of scores.

        Raises `PredictionError` for another kind of file, or where there are no scores to write.
        """
        if path.suffix == ".csv":
            write_atomically(path, self._table().encode())
        elif path.suffix == ".npz" and self.scores is not None:
            held = io.BytesIO()
            np.savez(held, images=np.array(self.images), classes=np.array(self.classes), probs=self.scores)
            write_atomically(path, held.getvalue())
        elif path.suffix == ".npz":
            raise PredictionError(f"{path} is to hold scores, and there are guesses alone")
        else:
            raise PredictionError(f"predictions are written as .csv, guesses, or .npz, scores: not {path.name}")

    def _table(self) -> str:
        held = io.StringIO()
        writer = csv.writer(held, lineterminator="\n")
        writer.writerow(["image", *(f"guess{number + 1}" for number in range(GUESSES))])
        names = np.array([*self.classes, ""])
        writer.writerows([image, *row] for image, row in zip(self.images, names[self.guesses].tolist(), strict=True))
        return held.getvalue()


def folded(given: Sequence[str], asked: Sequence[str], ontology: Ontology) -> npt.NDArray[np.float32]:
    """How the probabilities of `given` classes become those of `asked` ones, ``(given, asked)`` of 0 and 1: each given
    class counts for the asked ones that it is, or is under, where no other asked one lies between (Esteva et al.,
    Nature 2017: the probability of a node is the sum of those below it).

    Raises `PredictionError` where none of the given classes is one of the asked, or under it.
    """
    column = {wnid: place for place, wnid in enumerate(asked)}
    matrix = np.zeros((len(given), len(asked)), np.float32)
    for row, wnid in enumerate(given):
        if wnid in column:
            matrix[row, column[wnid]] = 1
        elif wnid in ontology:
            above = [one.wnid for one in ontology.ancestors(ontology[wnid]) if one.wnid in column]
            nearest = [
                one for one in above if not any(other != one and ontology.is_under(other, one) for other in above)
            ]
            matrix[row, [column[one] for one in nearest]] = 1
    if not matrix.any():
        raise PredictionError("none of the classes that are known is one of those that are asked about, or under it")
    return matrix
