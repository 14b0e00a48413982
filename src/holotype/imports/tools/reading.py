"""Reading what a tool exported: which tool's it is, the file itself tells."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final, NamedTuple

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.tools.coco import read_coco
from holotype.imports.tools.cvat import read_cvat
from holotype.imports.tools.label_maps import read_label_maps
from holotype.imports.tools.label_studio import read_label_studio
from holotype.imports.tools.shapes import Export
from holotype.store.opening import small_file

LARGEST: Final = 1 << 30
"""Bytes of a file that is read."""
_MARK: Final = b"\xef\xbb\xbf"


class Read(NamedTuple):
    """What a file says, its size in bytes and its sha256."""

    export: Export
    size: int
    sha256: str


def read_export(path: Path, predictions: bool = False) -> Read:
    """What Label Studio's JSON, CVAT's XML, a COCO file or a folder of label maps says; see `holotype.imports.tools`.

    Raises `ArchiveError` for what is none of these, and for a file of more than `LARGEST` bytes.
    """
    if path.is_dir():
        return Read(*read_label_maps(path))
    where = printable(path.name)
    data = small_file(path, LARGEST)
    return Read(_export(data, where, predictions), len(data), hashlib.sha256(data).hexdigest())


def _export(data: bytes, where: str, predictions: bool) -> Export:
    head = data[:4096].removeprefix(_MARK).lstrip()[:2]
    if head == b"PK":
        raise ArchiveError(f"{where} is a zip: unpack it, and give the file of annotations in it")
    if head.startswith(b"<") or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return read_cvat(data, where)
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        told = str(error).splitlines()[0][:100]
        raise ArchiveError(f"{where} is neither JSON nor the XML of CVAT: {told}") from error
    if isinstance(value, dict):
        return read_coco(value, where)
    if isinstance(value, list):
        return read_label_studio(value, where, predictions)
    raise ArchiveError(f"{where} holds no annotations: neither Label Studio's, nor COCO's, nor CVAT's")
