"""True labels that are known beside the votes: gold, by task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import UNKNOWN, Ints
from holotype.consensus.columns import WRONG, alike, codes_of, column_of, without_nan
from holotype.errors import CrowdError


@dataclass(frozen=True, slots=True)
class Truth:
    """The true `labels` of `tasks`, ``(tasks,)`` each, of which some may have no votes yet."""

    tasks: pa.Array
    labels: pa.Array

    @classmethod
    def read(cls, given: Any) -> Self:
        """Read a mapping, or pandas Series, of labels by task; None is none.

        Raises `CrowdError` for what is neither, an empty label or task, and a task with several labels.
        """
        if given is None:
            return cls(pa.nulls(0), pa.nulls(0))
        try:
            pairs = list(given.items())
            truth = dict(pairs)
            tasks, labels = (without_nan(column_of(list(values))) for values in (truth.keys(), truth.values()))
        except (*WRONG, AttributeError) as error:
            raise CrowdError("true labels are a mapping, or a pandas Series, by task, all of one type") from error
        if tasks.null_count:
            raise CrowdError("a true label has no task")
        if labels.null_count:
            raise CrowdError(f"the true label of task {tasks.filter(pc.is_null(labels))[0].as_py()!r} is empty")
        if len(truth) < len(pairs):
            many = Counter(task for task, _ in pairs).most_common(1)[0][0]
            raise CrowdError(f"task {many!r} has several true labels")
        return cls(tasks, labels)

    def known(self, tasks: pa.Array, classes: pa.Array) -> Ints | None:
        """The class of each of `tasks`, `UNKNOWN` where it is not said, ``(tasks,)``; None without any true label.

        Without any task nothing can be known of them. Raises `CrowdError` for tasks or labels unlike the votes', and
        for a label that is no class.
        """
        if not len(self.tasks):
            return None
        if not len(tasks):
            return np.zeros(0, np.int64)
        labels = alike(self.labels, classes.type, "true labels must be like the votes' labels")
        try:
            codes = codes_of(labels, classes, "class")
        except CrowdError as error:
            raise CrowdError(f"a true label is one of the votes' labels or of `classes`: {error}") from error
        given = alike(self.tasks, tasks.type, "the tasks of true labels must be like the votes' tasks")
        places = pc.index_in(tasks, value_set=given)
        found = np.full(len(tasks), UNKNOWN)
        has = pc.is_valid(places).to_numpy(zero_copy_only=False)
        found[has] = codes[places.drop_null().to_numpy()]
        return found
