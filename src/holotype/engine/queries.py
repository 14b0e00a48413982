"""Queries of Daft: a function over a table of batches, on whatever nodes a cluster has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from holotype.engine.parcels import packed_function
from holotype.version import VERSION

BEGINNINGS: Final = 3
"""How often work may begin: what ends its worker each time, for want of memory, would be begun for ever."""
SKEWED, FATAL = b"skewed:", b"fatal:"
"""How answers begin that are no `Answer`: of a worker of other versions, and of work that ends its workers."""


@dataclass(frozen=True, slots=True)
class Task:
    """A function as it travels, and the `versions` of what has to be alike at both ends."""

    parcel: bytes
    versions: str

    @classmethod
    def of(cls, fn: Callable[[Any], Any], holotype: str = VERSION) -> Task:
        """Raises `EngineError` for a function that cannot be pickled."""
        return cls(packed_function(fn), "holotype {} on Python {}.{}".format(holotype, *sys.version_info))


def ask(task: Task, batches: Mapping[int, bytes], cpus: int) -> Iterator[Any]:
    """Have batches answered, by their numbers; where the answers lie, as references to partitions, one by one.

    Raises errors of Ray.
    """
    import daft

    name = uuid4().hex
    answer = daft.func.batch(return_dtype=daft.DataType.binary())(_remote(task, name))
    table = daft.from_pydict({"number": list(batches), "batch": list(batches.values())})
    spread = table.into_partitions(min(len(batches), 4 * cpus))
    try:
        answers = spread.select(daft.col("number"), answer(daft.col("number"), daft.col("batch")).alias("answer"))
        yield from answers.iter_partitions(results_buffer_size=None)
    finally:
        _forget(name)


def read(reference: Any) -> Iterable[tuple[int, bytes]]:
    """The answers of a partition, by the numbers of their batches. Raises errors of Ray where they are lost."""
    import ray

    columns = ray.get(reference).to_pydict()
    return zip(columns["number"], columns["answer"], strict=True)


def _remote(task: Task, name: str) -> Callable[[Any, Any], Sequence[bytes]]:
    """What a worker does with batches. It travels by value, so that it can say what the worker lacks."""
    parcel, versions, most, skewed, fatal = task.parcel, task.versions, BEGINNINGS, SKEWED, FATAL

    def answer(numbers: Any, batches: Any) -> Sequence[bytes]:
        import sys

        from ray.experimental.internal_kv import _internal_kv_put

        try:
            from holotype.version import VERSION

            there = f"holotype {VERSION}"
        except ImportError:
            there = "no holotype"
        found = "{} on Python {}.{}".format(there, *sys.version_info)
        if found != versions:
            return [skewed + found.encode()] * len(batches)
        numbers = numbers.to_pylist()
        if all(_internal_kv_put(f"holotype/{name}/{numbers[0]}/{nth}", b"", False) for nth in range(most)):
            return [fatal] * len(batches)
        from holotype.engine.parcels import answered

        return answered(parcel, batches.to_pylist())

    return answer


def _forget(name: str) -> None:
    """Forget how often the work of a query has begun."""
    import ray
    from ray.experimental.internal_kv import _internal_kv_del

    if ray.is_initialized():
        _internal_kv_del(f"holotype/{name}/", del_by_prefix=True)
