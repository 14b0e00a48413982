"""Reading text from files that people made, one way for all: lines and tables of whatever encoding and line ends.

UTF-8 with or without its mark, UTF-16 and UTF-32 with theirs; lines end in LF, CR or CRLF. Bytes that are no text are
an error that names file, line and remedy: they are never replaced or passed over.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError, HolotypeError
from holotype.files import printable
from holotype.store.opening import opened_file

LONGEST_LINE: Final = 1 << 16
"""The most characters of a line of a list."""
LONGEST_ROW: Final = 1 << 24
"""The most characters of a line of a table: one of scores has a column a class."""

DELIMITERS: Final = ",;\t"
"""What may stand between the cells of a table: Excel writes semicolons in most of Europe, and tabs as Unicode text."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BAD: Final = "\udcff"  # no encoding has it: what the decoders below put where bytes are no text
_REFUSED: Final = "holotype.refused"
_LATIN: Final = "holotype.latin-1"


def _refused(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _BAD, error.end


def _latin(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_REFUSED, _refused)
codecs.register_error(_LATIN, _latin)


def read_lines(path: Path, error: type[HolotypeError], latin: bool = False) -> Iterator[str]:
    """The lines of a plain file without their ends; with `latin`, bytes that are not UTF-8 are taken for Latin-1.

    Raises `error` where the file cannot be read, and naming a line that is no text or longer than `LONGEST_LINE`.
    """
    try:
        with opened_file(path) as file:
            yield from _lines(file, printable(path), error, _LATIN if latin else _REFUSED, LONGEST_LINE)
    except OSError as found:
        raise error(f"cannot read {printable(path)}: {found.strerror or found}") from found
    except ArchiveError as found:  # it is no plain file
        if isinstance(found, error):
            raise
        raise error(str(found)) from found


def lines_in(
    file: io.BufferedReader, where: str, error: type[HolotypeError], latin: bool = False, longest: int = LONGEST_LINE
) -> Iterator[str]:
    """As `read_lines`, of an open file called `where`, which may be one that unpacks another."""
    return _lines(file, where, error, _LATIN if latin else _REFUSED, longest)


def read_rows(path: Path, error: type[HolotypeError]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, each with the number of its last line; empty ones, such as blank lines, are left out.

    The first tells what stands between cells: see `delimiter_of`. Cells
    have no blanks around them. Raises `error` as `read_lines` does, and for a row that is none.
    """
    try:
        with opened_file(path) as file:
            yield from rows_of(_lines(file, printable(path), error, _REFUSED, LONGEST_ROW), printable(path), error)
    except OSError as found:
        raise error(f"cannot read {printable(path)}: {found.strerror or found}") from found


def rows_of(lines: Iterable[str], where: str, error: type[HolotypeError]) -> Iterator[tuple[int, list[str]]]:
    """The rows in the lines of a CSV file called `where`: see `read_rows`."""
    left = iter(lines)
    head: list[str] = []  # blank lines and the first that is not
    for line in left:
        head.append(line)
        if line.strip():
            break
    ended = (f"{line}\n" for line in chain(head, left))
    reader = csv.reader(ended, delimiter=delimiter_of("\n".join(head)), strict=True)
    try:
        for row in reader:
            if any(cells := [cell.strip() for cell in row]):
                yield reader.line_num, cells
    except csv.Error as found:
        raise error(f"{where}, line {reader.line_num}: {found}") from found


def delimiter_of(text: str) -> str:
    """What stands between the cells of a table: of comma, semicolon and tab the one that its first line which is not
    blank has most of.

    >>> delimiter_of("sha256;wnid;answer")
    ';'
    """
    return max(DELIMITERS, key=text.lstrip().partition("\n")[0].count)


def doubled(names: Sequence[str], read: Callable[[str], bool]) -> str:
    """The first column of a table that is `read` and there twice, so that nobody knows which is meant; "" for none."""
    return next((name for name in names if read(name) and names.count(name) > 1), "")


def decoded(data: bytes, where: str, error: type[HolotypeError]) -> str:
    """The text in the bytes of a file called `where`, its lines ending in LF. Raises `error` naming a line."""
    mark, encoding = encoding_of(data[:4])
    text = data[len(mark) :].decode(encoding, _REFUSED).replace("\r\n", "\n").replace("\r", "\n")
    if (bad := text.find(_BAD)) >= 0:
        raise _no_text(where, text.count("\n", 0, bad) + 1, encoding, error)
    if "\0" in text.partition("\n")[0]:  # as UTF-16 without its mark
        raise _no_text(where, 1, encoding, error)
    return text


def _lines(
    file: io.BufferedReader, where: str, error: type[HolotypeError], otherwise: str, longest: int
) -> Iterator[str]:
    mark, encoding = encoding_of(file.peek(4)[:4])
    file.read(len(mark))
    with io.TextIOWrapper(file, encoding, otherwise, newline=None) as text:
        for number, line in enumerate(iter(lambda: text.readline(longest + 1), ""), 1):
            if len(line) > longest:
                raise error(f"{where}, line {number} has more than {longest:,} characters")
            if _BAD in line or (number == 1 and "\0" in line):
                raise _no_text(where, number, encoding, error)
            yield line.removesuffix("\n")


def encoding_of(head: bytes) -> tuple[bytes, str]:
    """The byte order mark that a file begins with, b"" where it has none, and its encoding."""
    return next(((mark, encoding) for mark, encoding in _MARKS if head.startswith(mark)), (b"", "utf-8"))


def _no_text(where: str, number: int, encoding: str, error: type[HolotypeError]) -> HolotypeError:
    return error(f"{where}, line {number}: bytes that are not {encoding.upper()}; save the file as UTF-8")
