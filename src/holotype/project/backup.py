"""A copy of a project as it is at one moment, while others go on writing to it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from holotype.catalog import Catalog, releases
from holotype.catalog.addresses import pack_ends
from holotype.catalog.transfer import write_copy
from holotype.engine import Progress, no_progress
from holotype.errors import ProjectError
from holotype.files import sha256_file, sync_folder, write_atomically
from holotype.project.parts import Parts
from holotype.releases.alone import alone
from holotype.store.tar.headers import BLOCK

MANIFEST: Final = "backup.json"
CATALOG: Final = "catalog.sqlite"
KEPT_CATALOG: Final = re.compile(r"catalog-[0-9a-f]{16}\.sqlite")
CONFIG: Final = "holotype.json"
FORMAT: Final = "holotype-backup 1"
LARGEST_MANIFEST: Final = 32 << 20
"""Bytes: some 200,000 files."""
PACK_END: Final = bytes(2 * BLOCK)
_CHUNK: Final = 1 << 20
_NAME: Final = re.compile(
    r"holotype\.json|ontology[\w.-]*|catalog-[0-9a-f]{16}\.sqlite|packs/[\w-][\w.-]*|releases/[\w-][\w.-]*/[\w-][\w.-]*"
    r"|benchmarks/[\w-][\w.-]*/(truths|submissions|evaluations)/[\w-][\w.-]*"
)
"""What files of a backup are called."""
_MARK: Final = ".holotype-backup"


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of a backup: so many bytes of `source`, of which all have this sha256; a pack's are followed by what ends
    a tar."""

    source: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: files and bytes in all, how much of them was `copied` now, and whether packs and releases
    are elsewhere, in a bucket, and so are not in it."""

    files: int
    bytes: int
    copied: int
    in_bucket: bool = False


def back_up(parts: Parts, target: Path, progress: Progress = no_progress) -> Backup:
    """See `holotype.project.project.Project.backup`."""
    place = Path(os.path.abspath(target))
    if place.is_relative_to(os.path.abspath(parts.folder)):
        raise ProjectError(f"{target} lies in the project: a backup is of use elsewhere")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with alone(place):
            return _to_tar(parts, place, progress) if place.suffix == ".tar" else _to_folder(parts, place, progress)
    except OSError as error:
        raise ProjectError(f"the backup cannot be written to {target}: {error.strerror or error}") from error


def _to_folder(parts: Parts, folder: Path, progress: Progress) -> Backup:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / _MARK).exists():
        raise ProjectError(f"{folder} is not empty, and no backup: name another folder")
    (folder / _MARK).touch(mode=0o600)
    before = read_manifest((folder / MANIFEST).read_bytes())["files"] if (folder / MANIFEST).exists() else {}
    with tempfile.TemporaryDirectory(prefix=".work-", dir=folder) as work:
        pieces = _pieces(parts, Path(work), before)
        copied, done, total = 0, 0, sum(piece.size for piece in pieces.values())
        for name, piece in pieces.items():
            path = folder / name
            if not (before.get(name) == _said(piece) and path.exists() and path.stat().st_size == _length(name, piece)):
                _put(path, name, piece)
                copied += piece.size
            done += piece.size
            progress(done, total)
    write_atomically(folder / MANIFEST, _manifest(pieces, parts.clock()))
    os.chmod(folder / MANIFEST, 0o600)
    _remove_others(folder, pieces)
    return Backup(len(pieces), total, copied, parts.claim is not None)


def _to_tar(parts: Parts, path: Path, progress: Progress) -> Backup:
    """All in one tar, which is there whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as work:
        pieces, whole = _pieces(parts, Path(work), {}), Path(work, "whole")
        done, total = 0, sum(piece.size for piece in pieces.values())
        with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, MANIFEST, _manifest(pieces, parts.clock()))
                for name, piece in pieces.items():
                    member = tarfile.TarInfo(name)
                    member.size, member.mode = _length(name, piece), 0o600
                    with piece.source.open("rb") as source:
                        tar.addfile(member, _Limited(source, name, piece))  # type: ignore[arg-type]
                    done += piece.size
                    progress(done, total)
            file.flush()
            os.fsync(file.fileno())
        os.replace(whole, path)
    sync_folder(path.parent)
    return Backup(len(pieces), total, total, parts.claim is not None)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    import io

    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    tar.addfile(member, io.BytesIO(data))


class _Limited:
    """The bytes of a piece, as a file that ends where the piece does. Raises `ProjectError` where they are others."""

    def __init__(self, source: BinaryIO, name: str, piece: Piece) -> None:
        self._bytes, self._held = _bytes_of(source, name, piece), b""

    def read(self, size: int) -> bytes:
        """The next `size` bytes."""
        while len(self._held) < size and (more := next(self._bytes, b"")):
            self._held += more
        data, self._held = self._held[:size], self._held[size:]
        return data


def pieces(source: BinaryIO, most: int) -> Iterator[bytes]:
    """So many bytes of a file, or all where there are fewer, a MiB at a time."""
    while most and (data := source.read(min(most, _CHUNK))):
        most -= len(data)
        yield data


def _bytes_of(source: BinaryIO, name: str, piece: Piece) -> Iterator[bytes]:
    digest, left = hashlib.sha256(), piece.size
    for data in pieces(source, left):
        digest.update(data)
        left -= len(data)
        yield data
    if left or digest.hexdigest() != piece.sha256:
        raise ProjectError(f"{piece.source} was changed while it was copied: make the backup again")
    if is_pack(name):
        yield PACK_END


def _put(path: Path, name: str, piece: Piece) -> None:
    """Write a piece to a file that is there whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file, piece.source.open("rb") as source:
            for data in _bytes_of(source, name, piece):
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(path.parent)


def _pieces(parts: Parts, work: Path, before: Mapping[str, Any]) -> dict[str, Piece]:
    """Every file of a backup: the catalog first, so that all it names is there when the rest is looked for.

    What `before` says of files of releases, which never change, is taken for granted where they are as long.
    """
    copy = work / CATALOG
    write_copy(parts.catalog, copy)
    os.chmod(copy, 0o600)
    catalog = Catalog(copy)
    with catalog.read() as connection:
        ends, made = pack_ends(connection), list(releases.checksums(connection))
    catalog.close()
    folder = parts.folder
    found = _piece(copy)
    pieces = {f"catalog-{found.sha256[:16]}.sqlite": found}  # beside that of the backup before, until this one is whole
    pieces |= {path.name: _piece(path) for path in sorted(folder.glob("ontology*")) if path.is_file()}
    pieces[CONFIG] = _piece(folder / CONFIG)
    pieces |= {str(path.relative_to(folder)): _piece(path) for path in sorted(_sent(folder))}
    if parts.claim is not None:
        return pieces
    for name in made:
        for path in sorted((folder / "releases" / name).iterdir()):
            told = str(path.relative_to(folder))
            said = before.get(told)
            known = said is not None and path.name.endswith(".tar") and said["size"] == path.stat().st_size
            pieces[told] = Piece(path, said["size"], said["sha256"]) if said and known else _piece(path)
    return pieces | {f"packs/{name}": _pack(folder / "packs" / name, end) for name, end in sorted(ends.items())}


def _sent(folder: Path) -> Iterator[Path]:
    """Files of benchmarks: truths, submissions, and what is kept of evaluations."""
    for kind in ("truths", "submissions", "evaluations"):
        yield from (path for path in (folder / "benchmarks").glob(f"*/{kind}/*") if path.is_file())


def _piece(path: Path) -> Piece:
    return Piece(path, path.stat().st_size, sha256_file(path))


def _pack(path: Path, end: int) -> Piece:
    """A pack up to where its addresses end: what lies behind is not the catalog's yet."""
    end, digest = -(-end // BLOCK) * BLOCK, hashlib.sha256()
    with path.open("rb") as file:
        left = end
        for data in pieces(file, end):
            digest.update(data)
            left -= len(data)
    if left:
        raise ProjectError(f"{path} is shorter than the catalog says: bring it back from an earlier backup first")
    return Piece(path, end, digest.hexdigest())


def is_pack(name: str) -> bool:
    return name.startswith("packs/")


def _length(name: str, piece: Piece) -> int:
    return piece.size + (len(PACK_END) if is_pack(name) else 0)


def _said(piece: Piece) -> dict[str, Any]:
    return {"size": piece.size, "sha256": piece.sha256}


def _manifest(pieces: Mapping[str, Piece], at: float) -> bytes:
    files = {name: _said(piece) for name, piece in pieces.items()}
    told = json.dumps({"format": FORMAT, "at": at, "files": files}, indent=0).encode()
    if len(told) > LARGEST_MANIFEST:
        raise ProjectError(f"there are {len(files):,} files: more than a backup is restored with")
    return told


def read_manifest(data: bytes) -> dict[str, Any]:
    """What a backup says of itself. Raises `ProjectError` where that is not what one says."""
    if len(data) > LARGEST_MANIFEST:
        raise ProjectError(f"{MANIFEST} holds more than {LARGEST_MANIFEST >> 20} MiB, which that of no backup does")
    try:
        told = json.loads(data)
        files = {str(name): (int(one["size"]), str(one["sha256"])) for name, one in told["files"].items()}
        at, format = float(told["at"]), told["format"]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ProjectError(f"{MANIFEST} is not that of a backup") from error
    if format != FORMAT or not all(_NAME.fullmatch(name) and 0 <= size < 1 << 63 for name, (size, _) in files.items()):
        raise ProjectError(f"{MANIFEST} is not that of a backup which this holotype reads")
    return {"at": at, "files": {name: {"size": size, "sha256": digest} for name, (size, digest) in files.items()}}


def _remove_others(folder: Path, pieces: Mapping[str, Piece]) -> None:
    """Take away what earlier backups held and this one does not."""
    kept = {folder / name for name in pieces} | {folder / MANIFEST, folder / _MARK}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path not in kept:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
