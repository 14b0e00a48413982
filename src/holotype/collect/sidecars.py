"""What lies beside images and says of them under which licence they are, who made them and where they are from.

That is a table ``metadata.csv`` in a folder, of the files in it and below, or a text or JSON file called as the image.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from holotype.errors import SourceError
from holotype.files import printable
from holotype.ontology.text import unique
from holotype.provenance import in_one_line, is_web_url
from holotype.textlists import decoded, doubled, rows_of

TABLE: Final = "metadata.csv"
ENDINGS: Final = (".json", ".txt")
SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "file": ("file", "file_name", "filename", "path", "image", "name"),
    "licence": ("licence", "license", "licence_name", "license_name", "licence_url", "license_url", "rights"),
    "author": ("author", "creator", "photographer", "artist", "attribution", "credit", "copyright_holder"),
    "url": ("url", "source_url", "original_url", "page_url", "landing_url", "link"),
}
"""What each thing may be called, the best first: whatever the case, with blanks or hyphens for underscores."""

_PLACES: Final = ("source", "website", "web_page", "page", "homepage", "from", "uri", "href")
"""What an address on the web may be called, too: what else stands under such a name is none."""
_ADDRESS = re.compile(r"\s*(?:https?://|www\.)\S+\s*", re.IGNORECASE)
_FIELDS: Final = ("licence", "author", "url")
_LONGEST: Final = 2_000
_MOST: Final = 64 << 10
_NO_IMAGES: Final = (*ENDINGS, ".csv", "")
_LINE = re.compile(r"\s*([A-Za-z][A-Za-z _-]{1,30}?)\s*[:=]\s*(.+)")


@dataclass(frozen=True, slots=True)
class Credit:
    """The licence of an image, who made it, and its address on the web; "" where that is not said."""

    licence: str = ""
    author: str = ""
    url: str = ""


@dataclass(slots=True)
class Sidecars:
    """What lies beside the images of a folder: credits by file, the files that say so, and what is wrong, a line each.

    Files are paths below the folder.
    """

    credits: dict[str, Credit] = field(default_factory=dict)
    said_by: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def credit(self, file: str, credit: Credit | None) -> bool:
        """Take in what is said of a file, in place of what was said of the same before; whether it says anything."""
        if credit is not None:
            before = asdict(self.credits.get(file, Credit()))
            self.credits[file] = Credit(**{name: value or before[name] for name, value in asdict(credit).items()})
        return credit is not None


def read_sidecars(folder: Path, files: Sequence[str], table: Path | None = None) -> Sidecars:
    """What the files below `folder`, by their paths there, say of each other, and `table` of all of them.

    A file's own text goes before the tables, the nearest table before those of folders above, and `table` before them.
    Raises `SourceError` where `table` cannot be read.
    """
    found, there = Sidecars(), set(files)
    tables = (file for file in files if file.rpartition("/")[2].lower() == TABLE)
    for name in sorted(tables, key=lambda file: file.count("/")):
        try:
            _take(found, _rows(folder / name, name, found.problems), name, name.rpartition("/")[0], there)
            found.said_by.add(name)
        except (SourceError, ValueError) as error:
            found.problems.append(f"{name} is not read: {error}")
    if table is not None:
        _take(found, _rows(table, table.name, found.problems), table.name, "", there)
    texts = {file for file in files if file.endswith(ENDINGS)}
    for name in files if texts else ():
        stem, ending = os.path.splitext(name)
        for beside in () if ending.lower() in _NO_IMAGES else (stem, name):
            for text in (f"{beside}{one}" for one in ENDINGS):
                if text in texts:
                    _take_text(found, folder, text, name)
    return found


def _take_text(found: Sidecars, folder: Path, text: str, name: str) -> None:
    """What one file says of another."""
    try:
        said = _values(_read(folder / text, _MOST), text)
    except (SourceError, ValueError, RecursionError) as error:
        found.problems.append(f"{text} is not read: {error}")
        return
    if found.credit(name, _credit(said, text, found.problems)):
        found.said_by.add(text)


def _values(text: str, name: str) -> dict[str, str]:
    """The keys and values of a JSON object, or of lines ``key: value``."""
    if name.lower().endswith(".json"):
        held = json.loads(text, object_pairs_hook=unique)
        if not isinstance(held, dict):
            raise SourceError("it holds no object with a licence, an author or a url")
        return {_key(key): str(value) for key, value in held.items() if isinstance(value, str | int | float)}
    found: dict[str, str] = {}
    for line in filter(None, map(_LINE.fullmatch, text.splitlines())):
        key = _key(line[1])
        if _is_read(key) and found.get(key, line[2]).strip() != line[2].strip():
            raise SourceError(f"it says {key} twice, and not the same")
        found[key] = line[2]
    return found


def _is_read(key: str) -> bool:
    return any(key in names for names in SPELLINGS.values())


def _take(found: Sidecars, rows: Iterator[tuple[int, dict[str, str]]], table: str, below: str, there: set[str]) -> None:
    """The rows of a table, whose files lie below a folder."""
    names: dict[str, list[str]] = {}
    for file in there:
        if not below or file.startswith(f"{below}/"):
            names.setdefault(file.rpartition("/")[2], []).append(file)
    before: dict[str, dict[str, str]] = {}
    for number, row in rows:
        told = _said(row, "file").replace("\\", "/").removeprefix("./")
        exact = f"{below}/{told}" if below else told
        meant = [exact] if exact in there else [one for one in names.get(told, ()) if "/" not in told]
        where = f"{table}, line {number}"
        if len(meant) == 1:
            credit = _credit(row, where, found.problems)
            _tell_contradiction(before.setdefault(meant[0], {}), credit, f"{where}: {told[:80]!r}", found.problems)
            found.credit(meant[0], credit)
        elif meant:
            found.problems.append(f"{where}: {told[:80]!r} may be {len(meant):,} files, say in which folder")
        else:
            found.problems.append(f"{where}: there is no file {told[:80]!r}" if told else f"{where} names no file")


def _tell_contradiction(before: dict[str, str], credit: Credit | None, where: str, problems: list[str]) -> None:
    """Tell where a row says of a file other than an earlier row of the same table: the later counts."""
    said = {} if credit is None else {name: value for name, value in asdict(credit).items() if value}
    if other := [name for name, value in said.items() if before.get(name, value) != value]:
        problems.append(f"{where} has another {' and '.join(other)} than in a line before, which counts no more")
    before.update(said)


def _whole_rows(
    columns: list[str], rows: Iterable[tuple[int, list[str]]], table: str, problems: list[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by column; of those with more cells than columns nobody knows which cell is what: they are told."""
    for number, row in rows:
        if any(cell.strip() for cell in row[len(columns) :]):
            problems.append(f"{table}, line {number}: {len(row):,} cells in {len(columns):,} columns, it is not read")
        else:
            yield number, dict(zip(columns, row, strict=False))


def _refuse_doubled(columns: Sequence[str], table: str) -> None:
    """Raises `SourceError` for a column that is there twice: which of them is meant, nobody knows."""
    if name := doubled(columns, _is_read):
        raise SourceError(f"{table} has the column {name} {columns.count(name)} times: leave one")


def _credit(values: Mapping[str, str], where: str, problems: list[str]) -> Credit | None:
    said = {name: _said(values, name) for name in _FIELDS}
    for name, value in said.items():
        if len(value) > _LONGEST:
            problems.append(f"{where}: the {name} has {len(value):,} characters, over the limit of {_LONGEST:,}")
            said[name] = ""
    if said["url"] and not is_web_url(said["url"]):
        problems.append(f"{where}: the url is not taken: it is no plain address on the web (http, https or ftp)")
        said["url"] = ""
    return Credit(**said) if any(said.values()) else None


def _said(values: Mapping[str, str], name: str) -> str:
    """What is said of a thing under the best of its names, in one line that can be printed."""
    value = next((values[one] for one in SPELLINGS[name] if values.get(one, "").strip()), "")
    if name == "url" and not value:
        value = next((values[one] for one in _PLACES if _ADDRESS.fullmatch(values.get(one, ""))), "")
    return in_one_line(value)


def _rows(path: Path, where: str, problems: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table as values by column, with their lines. Raises `SourceError`."""
    table = rows_of(_read(path, 1 << 30).removesuffix("\n").split("\n"), path.name, SourceError)
    columns = [_key(name) for name in next(table, (1, []))[1]]
    if not any(name in SPELLINGS["file"] for name in columns):
        wanted = " or ".join(SPELLINGS["file"][:3])
        raise SourceError(f"{path.name} needs a column {wanted}, beside licence, author or url")
    _refuse_doubled(columns, path.name)
    return _whole_rows(columns, list(table), where, problems)  # a list: a table that is damaged says nothing


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _read(path: Path, most: int) -> str:
    """The text of a file, which is no link. Raises `SourceError`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > most:
                raise SourceError(f"it is no file, or over {most:,} bytes")
            data = file.read(most)
    except OSError as error:
        raise SourceError(f"{printable(path.name)}: {error.strerror}") from error
    return decoded(data, printable(path.name), SourceError).removeprefix("\ufeff")
