"""Zips of one file: the directory is looked at before it is read, and so is what every entry says of itself."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from holotype.errors import PredictionError
from holotype.leftovers import leftover
from holotype.store.tar.headers import safe_name

MOST_ENTRIES: Final = 1000
"""Entries that an archive may have, of which one is a file of its own and the others folders and leftovers."""
_LARGEST_DIRECTORY: Final = 1 << 20
_TAIL: Final = 22 + (1 << 16)
"""Bytes in which a zip's directory is found: its end, and the longest comment behind it."""
_LOCATOR: Final = 20
"""Bytes before that end which tell where the one of zip64 is; by that, readers believe nothing of this one."""
NO_FILES: Final = b"PK\5\6"
"""What the end of a directory begins with, and so a zip without files."""


@contextmanager
def opened_zip(file: IO[bytes], where: str) -> Iterator[zipfile.ZipFile]:
    """A zip whose directory is small enough to be read."""
    check_directory(file, where)
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise PredictionError(f"{where} is a damaged zip: {error}") from error


def check_directory(file: IO[bytes], where: str) -> None:
    """Raise `PredictionError` where the directory of a zip has too many entries, before it is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    at = tail.rfind(NO_FILES)
    if at < 0 or len(tail) - at < 22:
        raise PredictionError(f"{where} is cut off: it is a zip without an end")
    if tail[max(0, at - _LOCATOR) : at].startswith(b"PK\6\7"):
        raise PredictionError(f"{where} is a zip64, for files of more than 4 GiB: pack it as a plain zip, or with gzip")
    entries, length = (
        int.from_bytes(tail[at + 10 : at + 12], "little"),
        int.from_bytes(tail[at + 12 : at + 16], "little"),
    )
    if entries > MOST_ENTRIES or length > _LARGEST_DIRECTORY:
        raise PredictionError(f"{where} has more than {MOST_ENTRIES:,} entries: hand in one file")
    file.seek(0)


def only_member(archive: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    files = []
    for entry in archive.infolist():
        try:
            name = safe_name(entry.filename.replace("\\", "/").rstrip("/").encode() or b"/")
        except (ValueError, UnicodeError) as error:
            raise PredictionError(f"{where} {error}") from error
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise PredictionError(f"{where} holds a link: {name[:80]!r}; hand in the file itself")
        if entry.flag_bits & 1:
            raise PredictionError(f"{where} is encrypted")
        if not entry.is_dir() and not leftover(name):
            files.append(entry)
    if len(files) != 1:
        raise PredictionError(f"{where} {_holds(entry.filename for entry in files)}")
    if files[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PredictionError(f"{where} is packed in a way that is not read here: pack it again, with deflate")
    return files[0]


def _holds(names: Iterator[str]) -> str:
    found = list(names)
    shown = ", ".join(repr(name[:40]) for name in found[:3])
    return f"holds {len(found):,} files ({shown} ...), not one" if found else "holds no file"
