"""Tables of classes that users give: which wnid a class number is, and which a class name is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.textlists import read_lines

_WNID: Final = re.compile(r"(?<![A-Za-z0-9])n\d{8}(?!\d)", re.ASCII)
_NUMBER: Final = re.compile(r"(\d{1,6})[\s,;:]+", re.ASCII)
_SEPARATORS: Final = " \t,;:=\"'"
MOST_CLASSES: Final = 100_000


def read_numbers(path: Path) -> tuple[str, ...]:
    """The wnids that class numbers count, "" for a number that is no class.

    A line is a wnid, maybe with a name behind it, and the first is number 0; or every line begins with its number. Or
    it is JSON as Keras has it: ``{"0": ["n01440764", "tench"]}``, a list of wnids, ``{"n01440764": 0}``.

    Raises `ArchiveError` naming a line that holds no wnid or two, a number that is there twice, and a wnid that is
    there twice in a list without numbers.
    """
    rows = list(_pairs(path))
    if not rows:
        raise ArchiveError(f"{printable(path)} holds no classes: a wnid a line, the first is number 0")
    numbered = [(int(found[1]), wnid) for text, wnid in rows if (found := _NUMBER.match(f"{text.strip(_SEPARATORS)} "))]
    if len(numbered) < len(rows):
        if len(wnids := Counter(wnid for _, wnid in rows)) < len(rows):
            twice = wnids.most_common(1)[0][0]
            raise ArchiveError(
                f"{printable(path)} has {twice} twice: where numbers share a class, begin lines with them"
            )
        numbered = list(enumerate(wnid for _, wnid in rows))
    if len(dict(numbered)) < len(numbered) or max(number for number, _ in numbered) > MOST_CLASSES:
        raise ArchiveError(f"{printable(path)} has a class number twice, or one above {MOST_CLASSES:,}")
    by_number = dict(numbered)
    return tuple(by_number.get(number, "") for number in range(max(by_number) + 1))


def read_table(path: Path) -> dict[str, str]:
    """Wnids by class name. A line holds a name and its wnid in either order; or JSON maps either to the other.

    Raises `ArchiveError` naming a line that holds no wnid or two, no name, or a name that is there with another wnid.
    """
    table: dict[str, str] = {}
    for text, wnid in _pairs(path):
        name = text.strip(_SEPARATORS)
        if not name:
            raise ArchiveError(f"{printable(path)}: {wnid} has no class name beside it")
        if table.setdefault(name, wnid) != wnid:
            raise ArchiveError(f"{printable(path)} says that {name[:40]!r} is {table[name]}, and that it is {wnid}")
    if not table:
        raise ArchiveError(f"{printable(path)} holds no classes: a name and its wnid a line")
    return table


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """``(what stands beside it, wnid)`` for each line, or each entry of a JSON file."""
    if path.suffix == ".json":
        yield from _of_json(read_json(path, 64 << 20), path)
        return
    for number, line in enumerate(map(str.strip, read_lines(path, ArchiveError)), 1):
        wnids = _WNID.findall(line)
        if len(wnids) == 1:
            yield _WNID.sub("", line), wnids[0]
        elif line and not line.startswith("#") and (number > 1 or wnids):
            raise ArchiveError(f"{printable(path)}, line {number}: expected one wnid, not {line[:40]!r}")


def _of_json(value: Any, path: Path) -> Iterator[tuple[str, str]]:
    entries = value.items() if isinstance(value, dict) else ((str(n), one) for n, one in enumerate(value))
    for key, said in entries:
        texts = [str(key), *(map(str, said) if isinstance(said, list) else [str(said)])]
        wnids = [text for text in texts if _WNID.fullmatch(text)]
        if len(wnids) != 1:
            raise ArchiveError(f"{printable(path)}: expected one wnid for {str(key)[:40]!r}")
        rest = [text for text in texts if text != wnids[0]]
        yield (rest[0] if rest else ""), wnids[0]


def read_json(path: Path, largest: int) -> Any:
    """The value in a JSON file of at most so many bytes. Raises `ArchiveError`."""
    try:
        if path.stat().st_size > largest:
            raise ArchiveError(f"{printable(path)} has more than the {largest:,} bytes allowed")
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ArchiveError(f"cannot read {printable(path)}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{printable(path)} is not JSON: {str(error)[:100]}") from error
