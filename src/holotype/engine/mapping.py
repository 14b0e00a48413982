"""One pure function over many batches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from holotype.engine.choice import Engine, chosen
from holotype.engine.embedded import cpus, map_embedded

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def map_batches(
    fn: Callable[[Batch], Result],
    batches: Iterable[Batch],
    *,
    workers: int | None = None,
    kind: Engine | None = None,
    drains: Callable[[Batch], bool] = lambda _: False,
) -> Generator[Result, None, None]:
    """``fn`` of every batch, in order, computed ahead by the engine `kind`, or else by the one that is chosen.

    Threads and processes are `workers` (default: the CPUs we may use), and at most ``2 * workers`` batches are in
    flight; a cluster has the workers that it has, and takes batches by the window. So memory is bounded by what is in
    flight, however long `batches` is. An exception in `fn` is raised at its place in the order. On any exception,
    Ctrl-C included, batches not yet started are dropped and the workers end. Behind a batch that `drains`, nothing is
    computed ahead: its result, and all before it, are given first.

    Name ``threads`` where `fn` cannot leave this process (it holds a lock, a device, memory that is written to). For
    ``processes`` and ``ray``, `fn`, the batches and the results must be picklable, and for ``ray`` what they name must
    be there on every node. What a lost worker had begun is done again, so `fn` may be called twice with the same batch;
    one result of it is given. Use ``processes`` for functions that hold the GIL.

    Raises `EngineError` where a cluster cannot be used, and what cannot be sent to it.

    >>> list(map_batches(len, ["a", "bb", "ccc"], workers=2))
    [1, 2, 3]
    """
    count = cpus() if workers is None else workers
    if count < 1:
        raise ValueError(f"workers must be at least 1, not {count}")
    engine = chosen() if kind is None else kind
    if engine == "ray":
        from holotype.engine.distributed import map_distributed

        yield from map_distributed(fn, batches, drains)
    else:
        yield from map_embedded(fn, batches, drains, engine, count)
