"""Files of votes: CSV, Parquet or JSON lines, with our own columns or Crowd-Kit's; read defensively."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet

from holotype.cli.answers import IMAGE, SAID, SYNSET
from holotype.errors import CrowdError
from holotype.files import printable
from holotype.ontology.text import unique
from holotype.project.given_votes import GivenVote, Refusal
from holotype.textlists import decoded, doubled, rows_of

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "task": ("task",),
    "image": IMAGE,
    "synset": SYNSET,
    "worker": ("worker", "worker_id"),
    "answer": SAID,
    "seconds": ("seconds",),
    "at": ("at", "time"),
}
"""What the columns of a file of votes may be called, the best first."""

_LINES: Final = (".jsonl", ".ndjson", ".json")


def read_vote_file(path: Path, synset: str = "") -> tuple[list[GivenVote], list[Refusal]]:
    """The votes of a file, and the lines that hold none; `synset` is meant where a vote names none.

    Raises `CrowdError` for a file that is none, and where a column is missing.
    """
    refused: list[Refusal] = []
    try:
        rows = list(_rows(path, refused))
    except (OSError, pa.ArrowException) as error:
        raise CrowdError(f"cannot read {path}: {error}") from error
    if not rows and not refused:
        raise CrowdError(f"{path} holds no votes")
    names = {name for _, row in rows for name in row}
    for wanted in (COLUMNS["worker"], COLUMNS["answer"], (*COLUMNS["task"], *COLUMNS["image"])):
        if rows and not names & set(wanted):
            needed = "a file of votes has image, wnid, worker and answer, or Crowd-Kit's task, worker and label"
            raise CrowdError(f"{path} has no column {' or '.join(wanted)}; {needed}")
    return [_vote(row, line, synset) for line, row in rows], refused


def _rows(path: Path, refused: list[Refusal]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if path.suffix.lower() == ".parquet":
        _refuse_doubled(pa.parquet.read_schema(path).names)
        return enumerate(pa.parquet.read_table(path).to_pylist(), 1)
    text = decoded(path.read_bytes(), str(path), CrowdError)
    if path.suffix.lower() in _LINES:
        return _objects(text, refused)
    return _cells(rows_of(text.removesuffix("\n").split("\n"), printable(path), CrowdError), refused)


def _cells(rows: Iterator[tuple[int, list[str]]], refused: list[Refusal]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    names = [name.lower() for name in next(rows, (1, []))[1]]
    _refuse_doubled(names)
    for number, row in rows:
        if len(row) > len(names):
            refused.append(Refusal(number, "too_many_cells", f"{len(row)} cells in {len(names)} columns"))
        else:
            yield number, dict(zip(names, row, strict=False))


def _refuse_doubled(names: Sequence[str]) -> None:
    """Raises `CrowdError` for a column that is there twice: which of them is meant, nobody knows."""
    known = {name for some in COLUMNS.values() for name in some}
    if name := doubled(names, known.__contains__):
        raise CrowdError(f"the column {name} is there {names.count(name)} times: leave one")


def _objects(text: str, refused: list[Refusal]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        try:
            row = json.loads(line, object_pairs_hook=unique) if line.strip() else None
        except (ValueError, RecursionError) as error:
            row = error
        if isinstance(row, dict):
            yield number, row
        elif row is not None:
            why = f": {row}" if isinstance(row, ValueError) and "twice" in str(row) else ""
            refused.append(Refusal(number, "no_object", f"a line is a JSON object, not {line[:80]!r}{why}"))


def _vote(row: Mapping[str, Any], line: int, synset: str) -> GivenVote:
    held = {name: [text for one in names if (text := _text(row.get(one))).strip()] for name, names in COLUMNS.items()}
    cell = {name: values[0] if values else "" for name, values in held.items()}
    rest: dict[str, Any] = {"seconds": cell["seconds"], "at": cell["at"], "line": line}
    if cell["image"]:
        vote = GivenVote(cell["image"], cell["synset"], cell["worker"], cell["answer"], **rest)
    else:
        vote = GivenVote.of_task(cell["task"], cell["worker"], cell["answer"], **rest)
    return vote if vote.synset else replace(vote, synset=cell["synset"] or synset)


def _text(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and value != value) else str(value)
