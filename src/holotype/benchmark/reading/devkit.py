"""ILSVRC's text: numbers with blanks between them, a line for each image in the order of the truth, or for each box."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.reading.blocks import Block
from holotype.benchmark.reading.columns import CORNERS, IMAGE, LABEL, SCORE, STRING
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.numbers import floats
from holotype.benchmark.reading.tables import Batch, Table
from holotype.benchmark.values import Ints

LINE: Final = re.compile(r"[ \t]*[0-9+.\-][^,;\n]*")
"""A line of such text, as far as it tells itself from the header of a table."""
_BOX: Final = (IMAGE, LABEL, SCORE, *CORNERS)


def image_lines(found: Iterator[Block], faults: Faults, most: int) -> Table:
    """A row for each line: `IMAGE` is its place, from 0, and `STRING` what it says."""

    def read(_: Collection[str]) -> Iterator[Batch]:
        total = 0
        for block in found:
            texts = _texts(block)
            yield Batch({IMAGE: np.arange(total, total + len(texts)), STRING: texts}, block.lines)
            total += len(texts)
            if total > most:
                faults.stop(f"has more than the {most:,} rows allowed")

    return Table((IMAGE, STRING), faults, read, positional=True)


def box_lines(found: Iterator[Block], faults: Faults, most: int) -> Table:
    """A row for each line ``image label score x1 y1 x2 y2``, `IMAGE` as a place from 0."""

    def read(_: Collection[str]) -> Iterator[Batch]:
        total = 0
        for block in found:
            batch = _boxes(block, faults)
            total += len(batch.rows)
            if total > most:
                faults.stop(f"has more than the {most:,} rows allowed")
            yield batch

    return Table(_BOX, faults, read, positional=True)


def _boxes(block: Block, faults: Faults) -> Batch:
    lengths, cells = split(_texts(block))
    sound = lengths == len(_BOX)
    faults.mark(block.lines, ~sound, lambda at: f"{lengths[at]} numbers, not {' '.join(_BOX)}")
    if not sound.all():
        cells = cells.filter(pa.array(np.repeat(sound, lengths)))
    lines = block.lines[sound]
    columns = {name: cells.take(pa.array(np.arange(at, len(cells), len(_BOX)))) for at, name in enumerate(_BOX)}
    places, bad = floats(columns[IMAGE])
    bad = bad | (places != np.floor(places)) | (places < 1) | (places > 1 << 40)
    faults.mark(lines, bad, lambda at: f"no number of an image: {said(columns[IMAGE][at].as_py())}")
    columns[IMAGE] = np.where(bad, 1, places).astype(np.int64) - 1
    return Batch(columns, lines)


def _texts(block: Block) -> pa.Array:
    return pa.array(block.data.decode().split("\n")[:-1], pa.string())


def split(texts: pa.Array) -> tuple[Ints, pa.Array]:
    """How many cells with blanks between them each text has, and the cells of all one after the other."""
    given = pc.utf8_trim_whitespace(pc.fill_null(texts.cast(pa.string()), ""))
    parts = pc.ascii_split_whitespace(given)
    lengths = parts.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    empty = pc.equal(given, "").to_numpy(zero_copy_only=False)
    cells = parts.flatten()
    if empty.any():
        cells = cells.filter(pa.array(~np.repeat(empty, lengths)))
        lengths = np.where(empty, 0, lengths)
    return lengths, cells


def chained(first: Block, found: Iterator[Block]) -> Iterator[Block]:
    """The blocks again of which the first was looked at."""
    return chain([first], found)
