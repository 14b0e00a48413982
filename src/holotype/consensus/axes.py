"""What the axes of an aggregator's arrays are called, and votes over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.columns import WRONG, alike, codes_of, column_of, encode, without_nan
from holotype.consensus.tables import VoteTable
from holotype.consensus.truth import Truth
from holotype.errors import CrowdError

Facts = tuple[Floats | None, Floats | None]
"""Tasks' synsets, as places among their names, and priors: ``(tasks,)``, NaN where none is said, or None for none."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Names of tasks, workers, classes, answers and synsets; answers are the classes, then unsure if there is one.

    `truth` is gold, of tasks that may come yet too; `library` is what results are given in.
    """

    tasks: pa.Array
    workers: pa.Array
    classes: pa.Array
    answers: pa.Array
    synsets: pa.Array
    truth: Truth
    library: str

    @classmethod
    def of(cls, table: VoteTable, unsure: Any, given: tuple[Any, ...], truth: Truth) -> Axes:
        """The axes of a table: the classes are those of `given` in their order, then its other labels but `unsure`.

        Raises `CrowdError` where they are not of one type.
        """
        answers = classes = _with(_labels(given, table.labels), table.labels)
        if unsure is not None and len(classes):
            abstains = _labels([unsure], classes)
            classes = _without(classes, abstains)
            answers = pa.concat_arrays([classes, abstains])
        return cls(table.tasks, table.workers, classes, answers, _synset_names(table), truth, table.library)

    def ballot(self, table: VoteTable, before: Facts = (None, None)) -> Ballot:
        """The table's votes over these axes; `before` is what was known of the first tasks.

        Raises `CrowdError` for what is not on them, for a task whose synset or prior is not what it was, and where some
        tasks have a synset and others none.
        """
        task = _recoded(table.task, table.tasks, self.tasks, "task")
        worker = _recoded(table.worker, table.workers, self.workers, "worker")
        answer = _recoded(table.label, table.labels, self.answers, "label")
        synset = self._synset(self._told("synset", _synsets(table, self.synsets), table.tasks, before[0]))
        prior = self._told("prior", _priors(table), table.tasks, before[1])
        sizes = len(self.workers), max(len(self.synsets), 1), len(self.answers)
        known = self.truth.known(self.tasks, self.classes)
        return Ballot(task, worker, answer, synset, *sizes, known, prior)

    def extended(self, table: VoteTable, old: Ballot) -> tuple[Axes, Ballot]:
        """These axes with the table's new tasks, workers and synsets at their ends, and its ballot over them.

        Where no vote has named a class yet, all of `old` is unsure, and the table's classes are the classes.
        """
        classes, answers = self.classes, self.answers
        if not len(classes):
            classes = _without(_alike(table.labels, answers), answers)
            answers = pa.concat_arrays([classes, answers])
        axes = dataclasses.replace(
            self,
            tasks=_with(self.tasks, table.tasks),
            workers=_with(self.workers, table.workers),
            classes=classes,
            answers=answers,
            synsets=_with(self.synsets, _synset_names(table)),
        )
        synset = old.synset.astype(np.float64) if len(self.synsets) else None
        return axes, axes.ballot(table, (synset, old.prior))

    def _synset(self, told: Floats | None) -> Ints:
        if told is None:
            return np.zeros(len(self.tasks), np.int64)
        missing = np.isnan(told)
        if missing.any():
            name = self.tasks[int(missing.argmax())].as_py()
            raise CrowdError(f"task {name!r} has no synset, and others have: say their synset of all tasks, or of none")
        return told.astype(np.int64)

    def _told(self, what: str, said: Floats | None, of: pa.Array, before: Floats | None) -> Floats | None:
        """What is `said` of the tasks `of`, else what was `before` of the first tasks, ``(tasks,)``."""
        if said is None and before is None:
            return None
        told = np.full(len(self.tasks), np.nan)
        if before is not None:
            told[: len(before)] = before
        if said is not None:
            places = codes_of(of, self.tasks, "task")
            there = told[places]
            changed = np.flatnonzero((there != said) & ~np.isnan(there) & ~np.isnan(said))
            if len(changed):
                name = self.tasks[int(places[changed[0]])].as_py()
                raise CrowdError(f"task {name!r} has another {what} than before")
            told[places] = np.where(np.isnan(said), there, said)
        return told


def _synset_names(table: VoteTable) -> pa.Array:
    return encode("synset", table.extra["synset"].drop_null())[1] if "synset" in table.extra else pa.nulls(0)


def _synsets(table: VoteTable, names: pa.Array) -> Floats | None:
    """Places among `names` of the synsets of the table's tasks, NaN where none is said."""
    if "synset" not in table.extra:
        return None
    column = table.extra["synset"]
    found = np.full(len(column), np.nan)
    found[column.is_valid().to_numpy(zero_copy_only=False)] = codes_of(column.drop_null(), names, "synset")
    return found


def _priors(table: VoteTable) -> Floats | None:
    """The priors of the table's tasks, NaN where none is said."""
    if "prior" not in table.extra:
        return None
    try:
        values = np.asarray(table.extra["prior"].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except WRONG as error:
        raise CrowdError(f"a prior is a chance between 0 and 1: {error}") from error
    if np.any((values < 0) | (values > 1)):
        raise CrowdError("a prior is a chance between 0 and 1")
    return values


def _labels(given: Any, labels: pa.Array) -> pa.Array:
    """Classes or unsure as given by the caller, of the type of `labels` if there are any."""
    try:
        if isinstance(given, str | bytes | Set | Mapping):
            raise TypeError("classes are several labels, in order")
        found = without_nan(column_of(list(given))).unique()
    except WRONG as error:
        raise CrowdError(f"classes and unsure must be like the votes' labels: {error}") from error
    if found.null_count:
        raise CrowdError("classes and unsure are labels, and none is empty")
    return _alike(found, labels)


def _alike(given: pa.Array, labels: pa.Array) -> pa.Array:
    return alike(given, labels.type, "classes and unsure must be like the votes' labels") if len(labels) else given


def _without(values: pa.Array, others: pa.Array) -> pa.Array:
    return values.filter(pc.invert(pc.is_in(values, value_set=others)))


def _recoded(codes: Ints, values: pa.Array, names: pa.Array, what: str) -> Ints:
    """Codes into `values` as codes into `names`."""
    return codes if values.equals(names) else codes_of(values, names, what)[codes]


def _with(old: pa.Array, new: pa.Array) -> pa.Array:
    """`old`, and at its end the values of `new` that it lacks. Raises `CrowdError` on another type."""
    if not len(old) or not len(new):
        return old if len(old) else new
    return pa.concat_arrays([old, _without(alike(new, old.type, "names of one kind must be alike"), old)])
