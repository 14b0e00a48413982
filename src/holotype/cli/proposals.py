"""Tables of proposed candidates, which may be anything: read defensively."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from holotype.errors import CrowdError
from holotype.project.candidates import Proposal

COLUMNS = ("image", "wnid", "score")


def read_proposals(path: Path) -> list[Proposal]:
    """The rows of a CSV or Parquet file with the columns image and wnid, and maybe score.

    Raises `CrowdError` for a file that is not one, and for empty cells but in the scores.
    """
    try:
        table = pa.parquet.read_table(path) if path.suffix == ".parquet" else _read_csv(path)
        columns = {name: table.column(name).cast(kind) for name, kind in _known(table).items()}
    except (OSError, pa.ArrowException) as error:
        raise CrowdError(f"cannot read {path}: {error}") from error
    if missing := [name for name in COLUMNS[:2] if name not in columns]:
        raise CrowdError(f"{path} has no column {missing[0]}; it needs image and wnid, and may have score")
    images, wnids = (columns[name].to_pylist() for name in COLUMNS[:2])
    scores = columns["score"].to_pylist() if "score" in columns else [None] * len(images)
    if None in images or None in wnids:
        raise CrowdError(f"{path} has empty cells among its images or wnids")
    plain = (None if score is None or math.isnan(score) else score for score in scores)
    return [Proposal(*row) for row in zip(images, wnids, plain, strict=True)]


def _read_csv(path: Path) -> pa.Table:
    text = pa.csv.ConvertOptions(column_types={"image": pa.string(), "wnid": pa.string(), "score": pa.float64()})
    return pa.csv.read_csv(path, convert_options=text)


def _known(table: pa.Table) -> dict[str, pa.DataType]:
    kinds = dict(zip(COLUMNS, (pa.string(), pa.string(), pa.float64()), strict=True))
    return {name: kind for name, kind in kinds.items() if name in table.column_names}
