"""Text files that come with ImageNet: where images were found, what synsets are called, what is said of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.ontology.text import readable
from holotype.provenance import is_web_url
from holotype.textlists import read_lines

_URL = re.compile(r"(n\d{8}_\d+)\s+(\S+)", re.ASCII)
_MARK = re.compile(r"(n\d{8})(?:[\s,;:]+(.*))?", re.ASCII)
_TEXT = re.compile(r"(n\d{8})\s+(\S.*)", re.ASCII)


def read_urls(path: Path) -> Iterator[tuple[str, str] | None]:
    """``(image, url)`` for each line of a list such as ``fall11_urls.txt``, None for one that is something else.

    Blank lines do not count. Those lists are not clean UTF-8: bytes that are none are taken for Latin-1.
    """
    for line in filter(None, map(str.strip, read_lines(path, ArchiveError, latin=True))):
        found = _URL.fullmatch(line)
        yield (found[1], found[2]) if found and is_web_url(found[2]) else None


def read_marks(path: Path) -> Iterator[tuple[str, str]]:
    """``(wnid, value)`` for each line of a list of synsets: a wnid and perhaps, after blanks or a comma, a value.

    Empty lines, comments (``#``) and a header line are passed over. Raises `ArchiveError` naming any other line, and
    one with characters that cannot be printed.
    """
    header_may_come = True
    for number, line in enumerate(map(str.strip, read_lines(path, ArchiveError)), 1):
        if not line or line.startswith("#"):
            continue
        if found := _MARK.fullmatch(line):
            yield found[1], _text(found[2] or "", path, number)
        elif not header_may_come:
            raise _no_line(path, number, line, "a wnid and perhaps a value")
        header_may_come = False


def read_texts(path: Path) -> Iterator[tuple[str, str]]:
    """``(wnid, text)`` for each line of ``words.txt``, ``gloss.txt`` or Kaggle's ``LOC_synset_mapping.txt``.

    Blanks in the text become single. Raises `ArchiveError` naming the line that is neither such a pair nor empty, or
    has characters that cannot be printed.
    """
    for number, line in enumerate(map(str.strip, read_lines(path, ArchiveError)), 1):
        if found := _TEXT.fullmatch(line):
            yield found[1], _text(found[2], path, number)
        elif line:
            raise _no_line(path, number, line, "a wnid and a text")


def _text(text: str, path: Path, number: int) -> str:
    try:
        return readable(text)
    except ValueError as error:
        raise ArchiveError(f"{printable(path)}, line {number} {error}") from error


def _no_line(path: Path, number: int, line: str, wanted: str) -> ArchiveError:
    return ArchiveError(f"{printable(path)}, line {number}: expected {wanted}, not {line[:40]!r}")
