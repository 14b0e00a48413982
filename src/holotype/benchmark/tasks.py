"""The tasks that ship, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Final

from holotype.benchmark import classification, hierarchical
from holotype.benchmark.calibration import calibration
from holotype.benchmark.confusion import most_confused
from holotype.benchmark.judged import Judged, Together
from holotype.benchmark.place_tasks import PLACE_TASKS
from holotype.benchmark.reading.submissions import read_guesses
from holotype.benchmark.reading.truths import read_labels
from holotype.benchmark.remarks import remarks
from holotype.benchmark.squad import SQUAD
from holotype.benchmark.task import Task, digest_of
from holotype.benchmark.values import Guesses, Labels


def _classified(truth: Labels, guesses: Guesses) -> Judged:
    return Together([classification.flat(truth, guesses), *_hierarchical(truth, guesses), *_beside(truth, guesses)])


def _hierarchical(truth: Labels, guesses: Guesses) -> list[Judged]:
    if truth.hierarchy is None:
        return []
    given, parent = (truth, truth.hierarchy, guesses), truth.hierarchy.parent
    return [
        hierarchical.raw(*given),
        hierarchical.normalised(*given),
        hierarchical.severity(*given),
        hierarchical.average(*given),
        *([] if parent is None else [hierarchical.semantic(truth, parent, guesses)]),
    ]


def _beside(truth: Labels, guesses: Guesses) -> list[Judged]:
    return [classification.macro(truth, guesses), calibration(truth, guesses)]


def _reassessed(truth: Labels, guesses: Guesses) -> Judged:
    return Together([classification.real(truth, guesses), calibration(truth, guesses)])


def _more(truth: Labels, guesses: Guesses) -> dict[str, Any]:
    found: dict[str, Any] = {
        "classes": classification.by_class(truth, guesses),
        "most confused": [asdict(pair) for pair in most_confused(truth, guesses)],
    }
    if guesses.scores is not None:
        bins = calibration(truth, guesses).bins()
        found["reliability"] = [
            {name: None if value != value else value for name, value in asdict(one).items()} for one in bins
        ]
    return found


def _digest(one: Labels | Guesses) -> str:
    if isinstance(one, Labels):
        return digest_of(one.items, one.classes, one.image, one.label)
    return digest_of(one.guesses, *([] if one.scores is None else [one.scores]))


CLASSIFICATION: Final = Task(
    "classification",
    "what an image shows: flat and hierarchical errors with 1 to 5 guesses, as ILSVRC has them",
    1,
    read_labels,
    read_guesses,
    _classified,
    _digest,
    lambda truth: truth.hierarchy.digest if truth.hierarchy else "",
    _more,
    remarks,
)
REAL: Final = Task(
    "real",
    "what an image shows, where any of several labels is right, as ReaL has it",
    1,
    read_labels,
    read_guesses,
    _reassessed,
    _digest,
    more=_more,
    remarks=remarks,
)

OURS: Final[Mapping[str, Task[Any, Any]]] = MappingProxyType(
    {one.name: one for one in (CLASSIFICATION, REAL, *PLACE_TASKS.values(), SQUAD)}
)
