"""Guesses as files that can be scored, and probabilities summed up the hierarchy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from holotype.benchmark.reading.submissions import read_guesses
from holotype.benchmark.reading.truths import read_labels
from holotype.errors import PredictionError
from holotype.ontology import Ontology
from holotype.recognition.predictions import Predictions, folded

DOG, CAT, CANINE, POODLE, CORGI, CARNIVORE = (
    *("n02084071", "n02121808", "n02083346", "n02113335", "n02112826", "n02075296"),
)


def predictions(scores: bool = True) -> Predictions:
    probabilities = np.array([[0.7, 0.3], [0.2, 0.8], [0, 0]], np.float32)
    guesses = np.array([[0, 1, -1, -1, -1], [1, 0, -1, -1, -1], [-1] * 5], np.int32)
    return Predictions(("a", "b", "c"), (DOG, CAT), guesses, probabilities if scores else None, ("c",))


@pytest.mark.parametrize("name", ["p.csv", "p.npz"])
def test_a_file_of_them_is_read_as_what_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / "truth.csv").write_text(f"image,label\na,{DOG}\nb,{CAT}\nc,{DOG}\n")
    truth = read_labels(tmp_path / "truth.csv")
    predictions().write(tmp_path / name)
    found = read_guesses(tmp_path / name, truth).guesses
    names = [[truth.classes[one] for one in row[:2] if one >= 0] for row in found.tolist()]
    assert names[:2] == [[DOG, CAT], [CAT, DOG]]
    assert names[2] == [] or name == "p.npz"


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="guesses alone"):
        predictions(scores=False).write(tmp_path / "p.npz")
    with pytest.raises(PredictionError, match="not p.txt"):
        predictions().write(tmp_path / "p.txt")
    assert not list(tmp_path.iterdir())


def test_probabilities_count_for_the_nearest_class_above(wordnet: Ontology) -> None:
    given = (POODLE, CORGI, CAT, "n99999999")
    assert folded(given, (DOG, CAT), wordnet).tolist() == [[1, 0], [1, 0], [0, 1], [0, 0]]
    assert folded(given, (CARNIVORE, DOG), wordnet).tolist() == [[0, 1], [0, 1], [1, 0], [0, 0]]
    assert folded(given, (POODLE, DOG), wordnet).tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]
    with pytest.raises(PredictionError, match="none of the classes"):
        folded(given, ("n03001627",), wordnet)
