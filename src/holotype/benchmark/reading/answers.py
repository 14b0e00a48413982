"""Submissions of answers: whatever a task asks for of each item, as JSON values or text."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any, Final

from holotype.benchmark.reading.columns import IMAGE, called, only
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.forms import JSON, TEXT, form_of, text_table
from holotype.benchmark.reading.json_text import JsonText, lines, pairs
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.unpacking import Source, opened

ANSWER: Final = "answer"
_ROW: Final = {"id", ANSWER}


def read_answers(path: Path, limits: Limits = LIMITS) -> dict[str, Any]:
    """Answers by the ids of items: an object of all, an object a line with ``id`` and ``answer``, or a table of these.

    Raises `PredictionError` naming the rows at fault, and for an id that is doubled.
    """
    with opened(path, limits) as source:
        faults = Faults(source.where, "line")
        found: dict[str, Any] = {}
        if (form := form_of(source)) not in (JSON, TEXT):
            faults.stop(f"is {form}: answers are JSON, or a table of text")
        rows = _json(source, faults) if form == JSON else _table(source, limits, faults)
        for number, (row, key, answer) in enumerate(rows):
            if number >= limits.rows:
                faults.stop(f"has more than the {limits.rows:,} rows allowed")
            if key in found:
                faults.add(row, f"{said(key)} has an answer already")
            elif not is_finite(answer):
                faults.add(row, f"the answer of {said(key)} has a number that is not finite")
            found[key] = answer
        faults.check()
        return found


def is_finite(value: Any) -> bool:
    """Whether all numbers in a JSON value are finite: 1e400 is one that is not."""
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    return all(map(is_finite, value)) if isinstance(value, list) else not isinstance(value, float) or isfinite(value)


def _json(source: Source, faults: Faults) -> Any:
    text = JsonText(source.file, faults)
    first, more = text.first()
    if more or (isinstance(first, dict) and first.keys() == _ROW):
        for line, row in lines(text):
            if not isinstance(row, dict) or row.keys() != _ROW or not isinstance(row["id"], str):
                faults.add(line, f"an object of id and answer was expected, not {said(row)}")
            else:
                yield line, row["id"], row[ANSWER]
    else:
        faults.unit = "row"
        for number, (key, answer) in enumerate(pairs(text), 1):
            yield number, key, answer


def _table(source: Source, limits: Limits, faults: Faults) -> Any:
    table = text_table(source, limits, "", faults)
    meant = called(table.names, faults)
    if table.names:
        only(meant, (IMAGE, ANSWER), (), faults, "id,answer")
    for batch in table.read(()):
        cells = (batch.columns[meant[name]].to_pylist() for name in (IMAGE, ANSWER))
        yield from zip(batch.rows.tolist(), *cells, strict=True)
