"""In which form a file is: what is inside decides, and a name that says otherwise is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holotype.benchmark.reading.blocks import blocks
from holotype.benchmark.reading.faults import Faults
from holotype.benchmark.reading.limits import Limits
from holotype.benchmark.reading.tables import Table, csv_table
from holotype.errors import ArchiveError, PredictionError
from holotype.files import printable
from holotype.store.opening import opened_file


@contextmanager
def opened_table(path: Path, limits: Limits) -> Iterator[Table]:
    """The table in a file, which can be read while it is open."""
    where = printable(path)
    try:
        with opened_file(path) as file:
            faults = Faults(where, "line")
            yield csv_table(blocks(file, faults), faults, limits.rows)
    except OSError as error:
        raise PredictionError(f"cannot read {where}: {error.strerror or error}") from error
    except ArchiveError as error:
        raise PredictionError(str(error)) from error
