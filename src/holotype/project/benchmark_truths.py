"""Whether a truth may take the place of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from holotype.benchmark.reading.faults import said
from holotype.errors import BenchmarkError

SHOWN: Final = 3


def check_items(before: Any, after: Any) -> None:
    """Raises `BenchmarkError` where items of the truth `before` are not in the one `after`: whatever is submitted
    names them, and would be refused. Of truths of a kind that does not tell its items nothing is asked."""
    known = set(_items(after))
    gone = [item for item in _items(before) if item not in known]
    if known and gone:
        some = ", ".join(map(said, gone[:SHOWN])) + (", ..." if len(gone) > SHOWN else "")
        raise BenchmarkError(
            f"{len(gone):,} items of the truth until now are not in this one: {some}; what was submitted names them, "
            "and would be refused: keep them, or make another benchmark"
        )


def _items(truth: Any) -> Iterable[str]:
    if isinstance(truth, Mapping):
        return truth
    items = getattr(truth, "items", ())
    return items if isinstance(items, tuple) else ()
