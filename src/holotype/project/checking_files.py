"""Whether bytes lie where the catalog says: packs, archives and trees, releases, benchmarks; and what is left over."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import select

from holotype.catalog import addresses, schema
from holotype.catalog.addresses import HeldFile
from holotype.engine import map_batches
from holotype.errors import ArchiveError, HolotypeError, PackError
from holotype.files import sha256_file
from holotype.project.check_report import Finding, few
from holotype.project.dataset_said import Advance
from holotype.project.parts import Parts
from holotype.project.release_places import release_bucket
from holotype.project.release_shelf import checksums
from holotype.releases.alone import alone
from holotype.releases.build import Workshop
from holotype.releases.layout import CHECKSUMS
from holotype.store.bucket import Bucket
from holotype.store.location import PACK, Location
from holotype.store.opening import state_of
from holotype.store.pack_check import Addressed, PackFound, check_pack
from holotype.store.store import Store

DAY: Final = 86_400.0
HOUR: Final = 3_600.0
_TEMPORARY: Final = re.compile(r"\..+-[a-z0-9_]{8}")
_OWN: Final = re.compile(r"\.(holotype\.json|ontology.*)-[a-z0-9_]{8}")
"""Of a project's folder, where people keep files of their own."""
_HIDDEN: Final = re.compile(r"\.(?P<name>.+)\.(partial|work|lock)")
_BATCH: Final = 64
Held = tuple[str, str, Location]


@dataclass
class Read:
    """How many images and bytes were read so far."""

    images: int = 0
    bytes: int = 0


def check_packs(parts: Parts, quick: bool, read: Read, advance: Advance) -> Iterator[Finding]:
    """Every address in a pack, and what none names."""
    with parts.catalog.read() as connection:
        packs = [one for one in addresses.files(connection) if one.kind == PACK and one.dataset == schema.OWN]
        ends = addresses.pack_ends(connection)
    place = parts.packs()
    done, total = 0, sum(pack.images for pack in packs)
    look = partial(_look_into, parts, place, quick)
    for pack, found in zip(packs, map_batches(look, packs, kind="threads"), strict=True):
        yield from few("pack", (f"pack {pack.path} {said}" for said in found.problems))
        yield from _left_in(pack.path, found)
        done += pack.images
        read.images += 0 if quick else pack.images
        read.bytes += 0 if quick else ends.get(pack.path, 0)
        advance("packs", done, total)
    known = {pack.path for pack in packs}
    yield from _unknown(place, known)


def _unknown(place: Path | Bucket, known: Collection[str]) -> Iterator[Finding]:
    """Packs that no address names; those of a folder are written to again."""
    if isinstance(place, Bucket):
        lost = (f"pack {name} ({state.size:,} bytes)" for name, state in place.names() if name not in known)
        yield from few("pack-unknown", (f"{pack} holds nothing that the catalog knows" for pack in lost), harmless=True)
        return
    for path in sorted(place.glob("pack-*.tar")):
        if path.name not in known and (found := check_pack(path, ())) != PackFound():
            yield Finding("pack-unknown", f"pack {path.name} holds nothing that the catalog knows", harmless=True)
            yield from _left_in(path.name, found)


def _look_into(parts: Parts, place: Path | Bucket, quick: bool, pack: HeldFile) -> PackFound:
    with parts.catalog.read() as connection:
        addressed = addresses.in_pack(connection, pack.id)
    if isinstance(place, Bucket):
        return _look_into_object(place, pack.path, addressed, quick)
    try:
        return check_pack(place / pack.path, addressed, quick)
    except OSError as error:
        return PackFound((f"cannot be read: {error.strerror or error}",)) if addressed else PackFound()


def _look_into_object(bucket: Bucket, name: str, addressed: Sequence[Addressed], quick: bool) -> PackFound:
    """Hold a pack of an object store against its addresses: by its length, or all of its bytes. It never grows."""
    if (state := bucket.state(name)) is None:
        return PackFound(("is not there",))
    if quick:
        end = max((one.end for one in addressed), default=0)
        return PackFound((f"has {state.size:,} bytes, and addresses reach to byte {end:,}",) * (state.size < end))
    with tempfile.TemporaryDirectory(prefix="holotype-") as folder:
        bucket.fetch(name, copy := Path(folder, name))
        return replace(check_pack(copy, addressed), orphans=0, tail=0)


def _left_in(pack: str, found: PackFound) -> Iterator[Finding]:
    """What no address of a pack names."""
    if found.tail:
        yield Finding("pack-tail", f"pack {pack} ends in {found.tail:,} bytes that are unfinished", harmless=True)
    if found.orphans:
        said = f"pack {pack} ends in {found.orphans:,} files that no address names, and that are used when they come"
        yield Finding("pack-orphans", said, harmless=True)
    if wasted := found.unnamed - found.orphans:
        said = f"pack {pack} holds {wasted:,} files that no address names ({found.unnamed_bytes:,} bytes)"
        yield Finding("pack-unnamed", said, harmless=True)


def check_archives(parts: Parts, quick: bool, read: Read, advance: Advance) -> Iterator[Finding]:
    """Whether archives and trees are as they were imported, and every image that was read has its sha256."""
    with parts.catalog.read() as connection:
        files = [one for one in addresses.files(connection) if one.dataset != schema.OWN]  # own ones lie nowhere
    done, total = 0, sum(one.images for one in files)
    for file in files:
        state = state_of(Path(file.path))
        if state is None or state != (file.size, file.mtime_ns):
            what = "is not there any more" if state is None else "has changed since it was imported"
            held = f", and {file.images:,} images lie in it" if file.images else "; what it said is kept"
            yield Finding("archive", f"{file.path} {what}{held}", harmless=not file.images)
        elif file.images and not quick:
            yield from few("archive-image", _wrong_in(parts, file, read, advance, done, total))
        done += file.images
        if file.images:
            advance("archives", done, total)


def _wrong_in(parts: Parts, file: HeldFile, read: Read, advance: Advance, done: int, total: int) -> Iterator[str]:
    """The images of a file that cannot be read, or are not what they were."""
    with parts.catalog.read() as connection:
        blocks = addresses.in_file(connection, file.id)
        batches = (block[at : at + _BATCH] for block in blocks for at in range(0, len(block), _BATCH))
        for batch in map_batches(partial(_look_at, parts.store), batches, kind="threads"):
            for length, said in batch:
                read.images, read.bytes = read.images + 1, read.bytes + length
                if said:
                    yield said
            done += len(batch)
            advance("archives", done, total)


def _look_at(store: Store, images: list[Held]) -> list[tuple[int, str]]:
    return [_look(store, *image) for image in images]


def _look(store: Store, name: str, sha256: str, location: Location) -> tuple[int, str]:
    """How many bytes were read of an image, and what is wrong with it."""
    try:
        data = store.read(location)
    except (ArchiveError, PackError) as error:
        return 0, f"{name}: {error}"
    same = not sha256 or hashlib.sha256(data).hexdigest() == sha256
    return len(data), "" if same else f"{name} in {location.file} has other bytes than when it was read"


def check_releases(parts: Parts) -> Iterator[Finding]:
    """Whether every release that was made is there, with just the files that it lists."""
    shelf, known = parts.folder / "releases", checksums(parts)
    for name, checksum in known.items():
        bucket = release_bucket(parts, name)
        wrong = list(_wrong_release(shelf / name, checksum) if bucket is None else _wrong_objects(bucket, checksum))
        for check in ("release", "release-extra"):
            yield from few(check, (f"release {name} {said}" for kind, said in wrong if kind == check))
    for path in sorted(shelf.iterdir()) if shelf.is_dir() else []:
        if path.is_dir() and not path.name.startswith(".") and path.name not in known:
            said = f"release {path.name} is there, and the catalog does not know it: making it again takes it up"
            yield Finding("release-unknown", said, harmless=True)


def _wrong_release(folder: Path, checksum: str) -> Iterator[tuple[str, str]]:
    try:
        yield from _wrong_listing((folder / CHECKSUMS).read_bytes(), checksum, {path.name for path in folder.iterdir()})
    except OSError as error:
        yield "release", f"cannot be read: {error}"


def _wrong_objects(bucket: Bucket, checksum: str) -> Iterator[tuple[str, str]]:
    if (state := bucket.state(CHECKSUMS)) is None:
        yield "release", f"has no {CHECKSUMS} in {bucket.url}"
        return
    there = {name for name, _ in bucket.names()}
    yield from _wrong_listing(bucket.read(CHECKSUMS, 0, state.size), checksum, there)


def _wrong_listing(listing: bytes, checksum: str, there: set[str]) -> Iterator[tuple[str, str]]:
    """What is not as a release lists it, and by which check."""
    if hashlib.sha256(listing).hexdigest() != checksum:
        yield "release", f"does not have the {CHECKSUMS} that it was made with"
        return
    listed = {line.partition("  ")[2] for line in listing.decode().splitlines()} | {CHECKSUMS}
    yield from (("release", f"lacks {name}") for name in sorted(listed - there))
    yield from (("release-extra", f"has {name}, which is not of it") for name in sorted(there - listed))


def check_benchmarks(parts: Parts, quick: bool) -> Iterator[Finding]:
    """Whether the files that teams sent, and those with truths, are there as they came."""
    one, event, board = schema.submission.c, schema.benchmark_event.c, schema.benchmark.c
    sent = select(board.name, one.file, one.sha256, one.size).join(schema.benchmark)
    truths = select(board.name, event.detail).join(schema.benchmark).where(event.kind == "truth")
    folder = parts.folder / "benchmarks"
    with parts.catalog.read() as connection:
        for name, file, sha256, size in connection.execute(sent):
            path = folder / name / file
            if state_of(path) is None or path.stat().st_size != size or not (quick or sha256_file(path) == sha256):
                yield Finding("submission", f"the submission {path} is not there, or not what came")
        for name, detail in connection.execute(truths):
            if state_of(path := folder / name / json.loads(detail)["file"]) is None:
                yield Finding("truth", f"the truth {path} is not there")


def check_leftovers(parts: Parts) -> Iterator[Finding]:
    """Files and folders that interrupted processes left."""
    for name, path in sorted(_unfinished(parts.folder / "releases")):
        made = (parts.folder / "releases" / name).exists()
        what = "of a release that is made" if made else "of a release whose making was stopped, and goes on there"
        yield Finding("release-work", f"{path} is {what}", harmless=True)
    for path in sorted(_journals(parts.folder)):
        yield Finding("import-journal", f"{path} is of an import that was stopped, and goes on there", harmless=True)
    for path in sorted(_temporary(parts.folder)):
        yield Finding("temporary", f"{path} is a file that was never finished", harmless=True)


def _unfinished(shelf: Path) -> Iterator[tuple[str, Path]]:
    for path in shelf.iterdir() if shelf.is_dir() else []:
        if (found := _HIDDEN.fullmatch(path.name)) is not None:
            yield found["name"], path


def _journals(folder: Path) -> Iterator[Path]:
    journals = folder / "imports"
    yield from (path for path in (journals.iterdir() if journals.is_dir() else []) if path.is_dir())


def _temporary(folder: Path) -> Iterator[Path]:
    """Files by the names that writing atomically gives them until they are whole."""
    places = [folder, *_journals(folder), *(folder / "benchmarks").glob("*/*"), *(folder / "benchmarks").glob("*")]
    for place in places:
        for path in place.iterdir() if place.is_dir() else []:
            if path.is_file() and (_OWN if place == folder else _TEMPORARY).fullmatch(path.name):
                yield path


def clear_leftovers(parts: Parts) -> Iterator[str]:
    """Take away what no running process needs; a line for each.

    Work on a release that is made goes where nobody holds its lock; journals of imports that nobody went on with for a
    day, and files that nobody wrote to for an hour, go too.
    """
    now, shelf = parts.clock(), parts.folder / "releases"
    for name in sorted({name for name, _ in _unfinished(shelf)}):
        with suppress(HolotypeError, OSError), alone(shelf / name):
            if (shelf / name).exists():
                Workshop(shelf / name).clear()
                yield f"took away what was left of making release {name}"
    for path in _journals(parts.folder):
        if now - _changed(path) > DAY:
            shutil.rmtree(path, ignore_errors=True)
            yield f"took away {path}, of an import that was stopped"
    for path in _temporary(parts.folder):
        if now - path.stat().st_mtime > HOUR:
            path.unlink(missing_ok=True)
            yield f"took away {path}, which was never finished"


def _changed(folder: Path) -> float:
    return max([folder.stat().st_mtime, *(path.stat().st_mtime for path in folder.iterdir())])
