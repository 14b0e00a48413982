"""Images in Parquet, as Hugging Face hands them out: written to plain tars, in which each can be read in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import ArchiveError
from holotype.files import printable, sha256_file, write_atomically, write_parts_atomically
from holotype.imports.layouts import official
from holotype.ontology import is_wnid
from holotype.store.tar.writing import tar_end, tar_member

_ROWS: Final = 64
_MAGIC: Final = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"), (b"GIF8", "gif"), (b"RIFF", "webp"), (b"BM", "bmp"))


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The tar that a Parquet file was written to, and how many rows had no bytes of an image."""

    tar: Path
    without: int


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


def unpack(path: Path, folder: Path, advance: Callable[[int, int], None]) -> Unpacked:
    """Write the images of a Parquet file to a tar in `folder`, with their labels.

    The file needs a column ``image`` of ``bytes`` and ``path``, and may have ``label``: a number, or a name that its
    metadata tell. Images whose names tell their wnid keep them; others are samples of their row's number. A tar that
    holds this very file already is left as it is: a stamp beside it tells. Where another file has a tar of that name,
    this one's has its sha256 in its name. `advance` is told rows done and all rows. Raises `ArchiveError`.
    """
    try:
        tar, stamp = _place(path, folder)
        if stamp is None:
            stamp = {**_state(path), "sha256": sha256_file(path), "without": _write(path, tar, advance)}
            write_atomically(_stamp(tar), json.dumps(stamp).encode())
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"cannot unpack {printable(path)}: {str(error)[:200]}") from error
    return Unpacked(tar, int(stamp["without"]))


def _place(path: Path, folder: Path) -> tuple[Path, dict[str, Any] | None]:
    """The tar that is a file's own, and its stamp where the file is in it already."""
    tar = folder / f"{path.stem}.tar"
    if not tar.exists():
        return tar, None
    stamp, state = _stamped(tar), _state(path)
    if stamp.items() >= state.items():
        return tar, stamp
    sha256 = sha256_file(path)
    if stamp.get("sha256") == sha256:
        return tar, stamp
    if stamp.get("path") == state["path"]:
        return tar, None
    tar = folder / f"{path.stem}-{sha256[:12]}.tar"
    return tar, (_stamped(tar) or None) if tar.exists() else None


def _state(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {"path": printable(path.absolute()), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _stamp(tar: Path) -> Path:
    return tar.with_name(f".{tar.name}.json")


def _stamped(tar: Path) -> dict[str, Any]:
    """What is said of the file that a tar was made of; nothing where that is not told."""
    try:
        found = json.loads(_stamp(tar).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("without"), int) else {}


def _write(path: Path, tar: Path, advance: Callable[[int, int], None]) -> int:
    """Write a file's images to a tar; how many rows have none."""
    without: list[str] = []
    _stamp(tar).unlink(missing_ok=True)
    with pq.ParquetFile(path) as file:
        if "image" not in file.schema_arrow.names:
            columns = ", ".join(file.schema_arrow.names[:8])
            raise ArchiveError(f"{printable(path)} has no column image, but {columns}")
        write_parts_atomically(tar, _parts(file, tar.stem, printable(path), without, advance))
    return len(without)


def _parts(
    file: pq.ParquetFile, stem: str, where: str, without: list[str], advance: Callable[[int, int], None]
) -> Iterator[bytes]:
    names = _class_names(file.schema_arrow.metadata or {})
    columns = [name for name in ("image", "label") if name in file.schema_arrow.names]
    total, number, end = file.metadata.num_rows, 0, 0
    for batch in file.iter_batches(_ROWS, columns=columns):
        for row in batch.to_pylist():
            key = f"{stem}-{number:08d}"
            members = list(_members(row, key, names))
            without += [] if members else [key]
            for part in (part for member, data in members for part in tar_member(member, data)):
                end += len(part)
                yield part
            number += 1
        advance(number, total)
    if without and not end:
        raise ArchiveError(f"{where}: row {without[0]} holds no bytes of an image, only a path or nothing")
    yield tar_end(end)


def _members(row: Mapping[str, Any], key: str, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """The image of a row and its label, as members of a tar; none where it has no bytes."""
    image = row["image"]
    data = image.get("bytes") if isinstance(image, dict) else image
    if not isinstance(data, bytes) or not data:
        return
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
