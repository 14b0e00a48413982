"""What the axes of an aggregator's arrays are called, and votes over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.crowd.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.crowd.tables import VoteTable, codes_of, ordered
from holotype.errors import CrowdError


@dataclass(frozen=True, slots=True)
class Axes:
    """Names of tasks, workers, classes, answers and synsets; answers are the classes, then unsure if there is one.

    `known` ``(tasks,)`` holds the classes of gold tasks, None without gold; `library` is what results are given in.
    """

    tasks: pa.Array
    workers: pa.Array
    classes: pa.Array
    answers: pa.Array
    synsets: pa.Array
    known: Ints | None
    library: str

    @classmethod
    def of(cls, table: VoteTable, unsure: Any, given: tuple[Any, ...], truth: Mapping[Any, Any]) -> Axes:
        """The axes of a table: its labels and those of `given` and `truth` but `unsure` are the classes.

        Raises `CrowdError` where they are not of one type.
        """
        try:
            labels = ordered(_with(table.labels, [*given, *truth.values()]))
            answers = classes = labels
            if unsure is not None and len(labels):
                abstains = pa.array([unsure], labels.type)
                classes = labels.filter(pc.invert(pc.is_in(labels, value_set=abstains)))
                answers = pa.concat_arrays([classes, abstains])
            known = _known(table.tasks, classes, truth) if truth else None
        except (pa.ArrowException, TypeError) as error:
            raise CrowdError(
                f"classes, unsure and true labels must be like the votes' labels and tasks: {error}"
            ) from error
        synsets = ordered(table.extra["synset"].unique()) if "synset" in table.extra else pa.array([""])
        return cls(table.tasks, table.workers, classes, answers, synsets, known, table.library)

    def ballot(self, table: VoteTable, uses_unsure: bool) -> Ballot:
        """The table's votes over these axes; without `uses_unsure` votes that say so are left out."""
        task = _recoded(table.task, table.tasks, self.tasks, "task")
        worker = _recoded(table.worker, table.workers, self.workers, "worker")
        answer = _recoded(table.label, table.labels, self.answers, "label")
        synset = np.zeros(len(self.tasks), np.int64)
        if "synset" in table.extra:
            synset[task[::-1]] = codes_of(table.extra["synset"], self.synsets, "synset")[::-1]
        prior = None
        if "prior" in table.extra:
            prior = np.full(len(self.tasks), np.nan)
            prior[task[::-1]] = _chances(table.extra["prior"])[::-1]
        answers = len(self.answers) if uses_unsure else len(self.classes)
        sizes = len(self.workers), len(self.synsets), answers
        ballot = Ballot(task, worker, answer, synset, *sizes, self.known, prior)
        return ballot if answers == len(self.answers) else ballot.keep(answer < answers)

    def extended(self, table: VoteTable, uses_unsure: bool, old: Ballot) -> tuple[Axes, Ballot]:
        """These axes with the table's new tasks, workers and synsets at their ends, and its ballot over them.

        What `old` knows of its tasks' synsets and priors stays.
        """
        axes = dataclasses.replace(
            self,
            tasks=_with(self.tasks, table.tasks),
            workers=_with(self.workers, table.workers),
            synsets=_with(self.synsets, table.extra.get("synset", [])),
        )
        if self.known is not None:
            known = np.full(len(axes.tasks), UNKNOWN)
            known[: len(self.known)] = self.known
            axes = dataclasses.replace(axes, known=known)
        new = axes.ballot(table, uses_unsure)
        new.synset[: old.tasks] = old.synset
        prior = new.prior
        if old.prior is not None:
            prior = np.full(new.tasks, np.nan) if prior is None else prior
            prior[: old.tasks] = np.where(np.isnan(old.prior), prior[: old.tasks], old.prior)
        return axes, dataclasses.replace(new, prior=prior)


def _recoded(codes: Ints, values: pa.Array, names: pa.Array, what: str) -> Ints:
    """Codes into `values` as codes into `names`."""
    return codes if values.equals(names) else codes_of(values, names, what)[codes]


def _with(old: pa.Array, new: Any) -> pa.Array:
    """`old`, and at its end the values of `new` that it lacks.

    Raises `CrowdError` where they are not of one type.
    """
    try:
        new = new if isinstance(new, pa.Array) else pa.array(new)
        if not len(new):
            return old
        if not len(old):
            return ordered(new.unique())
        new = new.cast(old.type).unique()
        return pa.concat_arrays([old, new.filter(pc.invert(pc.is_in(new, value_set=old)))])
    except (pa.ArrowException, TypeError) as error:
        raise CrowdError(f"names of one kind must be of one type: {error}") from error


def _known(tasks: pa.Array, classes: pa.Array, truth: Mapping[Any, Any]) -> Ints:
    places = pc.index_in(tasks, value_set=pa.array(list(truth)).cast(tasks.type))
    codes = codes_of(pa.array(list(truth.values())), classes, "class")
    found = np.full(len(tasks), UNKNOWN)
    has = pc.is_valid(places).to_numpy(zero_copy_only=False)
    found[has] = codes[places.drop_null().to_numpy()]
    return found


def _chances(column: pa.Array) -> Floats:
    values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    if np.any((values < 0) | (values > 1)):
        raise CrowdError("a prior is a chance between 0 and 1")
    return values
