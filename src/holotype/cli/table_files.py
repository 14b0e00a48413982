"""Tables of proposed candidates, which may be anything: read defensively."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from holotype.cli.text import plain
from holotype.errors import CrowdError
from holotype.files import local, printable
from holotype.project.candidates import Proposal
from holotype.textlists import decoded, delimiter_of

PROPOSALS: Final = MappingProxyType({"image": pa.string(), "wnid": pa.string(), "score": pa.float64()})


def read_table(path: Path, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """A CSV or Parquet file's columns of these names, those that it has, in these types.

    Raises `CrowdError` for a file that is not one.
    """
    try:
        packed = path.suffix == ".parquet"
        table = pa.parquet.read_table(local(path)) if packed else _read_csv(path, columns)
        if unused := [name for name in table.column_names if name not in columns]:
            click.echo(f"{printable(path)}: not used: the columns {', '.join(map(plain, unused))}", err=True)
        known = {name: kind for name, kind in columns.items() if name in table.column_names}
        return pa.table({name: table.column(name).cast(kind) for name, kind in known.items()})
    except (OSError, pa.ArrowException) as error:
        raise CrowdError(f"cannot read {path}: {error}") from error


def _read_csv(path: Path, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """A CSV of any encoding, line ends and delimiter; blanks around the names of its columns do not count."""
    text = decoded(path.read_bytes(), printable(path), CrowdError)
    head, _, rest = text.strip().partition("\n")
    delimiter = delimiter_of(head)
    names = delimiter.join(name.strip() for name in head.split(delimiter))
    data = pa.py_buffer(f"{names}\n{rest}".encode())
    for point in ".," if delimiter != "," else ".":  # who separates cells by semicolons writes 0,5
        try:
            options = pa.csv.ConvertOptions(column_types=dict(columns), decimal_point=point)
            return pa.csv.read_csv(
                data, parse_options=pa.csv.ParseOptions(delimiter=delimiter), convert_options=options
            )
        except pa.ArrowInvalid as error:
            found = error
    raise found


def read_proposals(path: Path) -> list[Proposal]:
    """The rows of a CSV or Parquet file with the columns image and wnid, and maybe score.

    Raises `CrowdError` for a file that is not one, and for empty cells but in the scores.
    """
    table = read_table(path, PROPOSALS)
    if missing := [name for name in ("image", "wnid") if name not in table.column_names]:
        raise CrowdError(f"{path} has no column {missing[0]}; it needs image and wnid, and may have score")
    images, wnids = table.column("image").to_pylist(), table.column("wnid").to_pylist()
    scores = table.column("score").to_pylist() if "score" in table.column_names else [None] * len(images)
    if None in images or None in wnids:
        raise CrowdError(f"{path} has empty cells among its images or wnids")
    plain = (None if score is None or math.isnan(score) else score for score in scores)
    return [Proposal(*row) for row in zip(images, wnids, plain, strict=True)]
