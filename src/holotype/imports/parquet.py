"""Images in Parquet, as Hugging Face hands them out: written to plain tars, in which each can be read in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import ArchiveError
from holotype.files import printable, write_parts_atomically
from holotype.imports.layouts import official
from holotype.ontology import is_wnid
from holotype.store.tar.writing import tar_end, tar_member

_ROWS: Final = 64
_MAGIC: Final = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"), (b"GIF8", "gif"), (b"RIFF", "webp"), (b"BM", "bmp"))


def holds_images(path: Path) -> bool:
    """Whether a Parquet file has a column that may be images: ``image``, or one of bytes. Raises `ArchiveError`."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"cannot read {printable(path)}: {str(error)[:200]}") from error
    return any(field.name == "image" or _is_bytes(field.type) for field in schema)


def class_names(path: Path) -> list[str]:
    """The names of the label's classes by number, as Hugging Face's metadata tell them; [] where they do not."""
    try:
        return _said_names(pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return []


def _is_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_is_bytes(inner.type) for inner in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def unpack(path: Path, folder: Path, advance: Callable[[int, int], None]) -> Path:
    """Write the images of a Parquet file to a tar in `folder`, with their labels, and return its path.

    The file needs a column ``image`` of ``bytes`` and ``path``, and may have ``label``: a number, or a name that its
    metadata tell. Images whose names tell their wnid keep them; others are samples of their row's number. A tar that is
    there and not older than `path` is left as it is. `advance` is told rows done and all rows. Raises `ArchiveError`.
    """
    tar = folder / f"{path.stem}.tar"
    try:
        if tar.exists() and tar.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            return tar
        with pq.ParquetFile(path) as file:
            if "image" not in file.schema_arrow.names:
                columns = ", ".join(file.schema_arrow.names[:8])
                raise ArchiveError(f"{printable(path)} has no column image, but {columns}")
            write_parts_atomically(tar, _parts(file, path, advance))
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"cannot unpack {printable(path)}: {str(error)[:200]}") from error
    return tar


def _parts(file: pq.ParquetFile, path: Path, advance: Callable[[int, int], None]) -> Iterator[bytes]:
    names = _class_names(file.schema_arrow.metadata or {})
    columns = [name for name in ("image", "label") if name in file.schema_arrow.names]
    total, number, end = file.metadata.num_rows, 0, 0
    for batch in file.iter_batches(_ROWS, columns=columns):
        for row in batch.to_pylist():
            for member, data in _members(row, f"{path.stem}-{number:08d}", names, printable(path)):
                for part in tar_member(member, data):
                    end += len(part)
                    yield part
            number += 1
        advance(number, total)
    yield tar_end(end)


def _members(row: Mapping[str, Any], key: str, names: list[str], where: str) -> Iterator[tuple[str, bytes]]:
    image = row["image"]
    data = image.get("bytes") if isinstance(image, dict) else image
    if not isinstance(data, bytes) or not data:
        raise ArchiveError(f"{where}: row {key} holds no bytes of an image, only a path or nothing")
    file = str(image.get("path") or "").rpartition("/")[2] if isinstance(image, dict) else ""
    if official(file) is not None and file.isascii() and len(file) < 99:
        yield file, data
        return
    yield f"{key[-80:]}.{next((name for magic, name in _MAGIC if data.startswith(magic)), 'jpg')}", data
    label = row.get("label")
    if label is not None and label != -1:
        said = names[label] if isinstance(label, int) and 0 <= label < len(names) else str(label)
        yield f"{key[-80:]}.cls", (said if is_wnid(said) else str(label)).encode()


def _class_names(metadata: Mapping[bytes, bytes]) -> list[str]:
    """The names of the label's classes, where Hugging Face's metadata tell them and they are wnids."""
    names = _said_names(metadata)
    return names if all(map(is_wnid, names)) else []


def _said_names(metadata: Mapping[bytes, bytes]) -> list[str]:
    try:
        return list(map(str, json.loads(metadata[b"huggingface"])["info"]["features"]["label"]["names"]))
    except (KeyError, TypeError, ValueError):
        return []
