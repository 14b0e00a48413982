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
from holotype.crowd.tables import WRONG, VoteTable, codes_of, ordered
from holotype.errors import CrowdError


@dataclass(frozen=True, slots=True)
class Axes:
    """Names of tasks, workers, classes, answers and synsets; answers are the classes, then unsure if there is one.

    `truth` is gold, by task, of tasks that may come yet too; `library` is what results are given in.
    """

    tasks: pa.Array
    workers: pa.Array
    classes: pa.Array
    answers: pa.Array
    synsets: pa.Array
    truth: Mapping[Any, Any]
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
            synsets = ordered(table.extra["synset"].unique()) if "synset" in table.extra else pa.array([], pa.string())
        except WRONG as error:
            raise CrowdError(f"classes, unsure and synsets must be like the votes' labels: {error}") from error
        return cls(table.tasks, table.workers, classes, answers, synsets, truth, table.library)

    def known(self) -> Ints | None:
        """The classes of gold tasks, ``(tasks,)``, `UNKNOWN` elsewhere; None without gold.

        Raises `CrowdError` where gold is not like the votes' tasks.
        """
        if not self.truth:
            return None
        if not len(self.tasks):
            return np.zeros(0, np.int64)
        try:
            places = pc.index_in(self.tasks, value_set=pa.array(list(self.truth)).cast(self.tasks.type))
            codes = codes_of(pa.array(list(self.truth.values())), self.classes, "class")
        except WRONG as error:
            raise CrowdError(f"true labels must be like the votes' labels and tasks: {error}") from error
        found = np.full(len(self.tasks), UNKNOWN)
        has = pc.is_valid(places).to_numpy(zero_copy_only=False)
        found[has] = codes[places.drop_null().to_numpy()]
        return found

    def ballot(self, table: VoteTable) -> Ballot:
        """The table's votes over these axes. Raises `CrowdError` for what is not on them."""
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
        sizes = len(self.workers), max(len(self.synsets), 1), len(self.answers)
        return Ballot(task, worker, answer, synset, *sizes, self.known(), prior)

    def extended(self, table: VoteTable, old: Ballot) -> tuple[Axes, Ballot]:
        """These axes with the table's new tasks, workers and synsets at their ends, and its ballot over them.

        What `old` knows of its tasks' synsets and priors stays. Raises `CrowdError` for a new task without a synset,
        where the others have one.
        """
        axes = dataclasses.replace(
            self,
            tasks=_with(self.tasks, table.tasks),
            workers=_with(self.workers, table.workers),
            synsets=_with(self.synsets, table.extra.get("synset", [])),
        )
        if len(self.synsets) and "synset" not in table.extra and len(axes.tasks) > len(self.tasks):
            raise CrowdError("the new votes have new tasks: say their synset, as before, in a column of that name")
        new = axes.ballot(table)
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
    except WRONG as error:
        raise CrowdError(f"names of one kind must be of one type: {error}") from error


def _chances(column: pa.Array) -> Floats:
    try:
        values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except WRONG as error:
        raise CrowdError(f"a prior is a chance between 0 and 1: {error}") from error
    if np.any((values < 0) | (values > 1)):
        raise CrowdError("a prior is a chance between 0 and 1")
    return values
