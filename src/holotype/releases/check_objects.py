"""Checks of a release in a bucket: what lies there, and every shard, read through once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Final

import pyarrow as pa

from holotype.engine import Progress, map_batches
from holotype.errors import BucketGone, ReleaseError
from holotype.files import printable
from holotype.releases.joins import rows_by_text
from holotype.releases.layout import CHECKSUMS, SHARD
from holotype.releases.mirror import Mirror
from holotype.releases.release import Release
from holotype.releases.streamed import Wrong, stream_shard
from holotype.store.bucket import Bucket

_MOST_OTHERS: Final = 10_000
_AT_ONCE: Final = 4
"""Shards that are read at once, a part of each."""


def check_objects(mirror: Mirror, always: Collection[str]) -> Iterator[str]:
    """Whether a release in a bucket has every file and only those that it lists, and all but its shards have their
    checksums. `always` are the files that none lacks. Raises `ReleaseError` where the disk has no room for them."""
    try:
        listed = mirror.listed()
    except ReleaseError as error:
        yield str(error)
        return
    some = islice(mirror.bucket.names(), len(listed) + _MOST_OTHERS)  # there is no end to what others may put there
    there = {name for name, _ in some} - {CHECKSUMS}
    yield from (f"{printable(name)} is missing" for name in sorted({*always, *listed} - there))
    yield from (f"{printable(name)} is not listed in {CHECKSUMS}" for name in sorted(there - listed.keys()))
    yield from (f"{name} does not have its checksum" for name in sorted(mirror.fill()) if name in there)


def check_shards(release: Release, bucket: Bucket, table: pa.Table, wrong: Wrong, progress: Progress) -> Iterator[str]:
    """Whether every shard has its checksum, and every image of some rows of the manifest, each there once, lies where
    these say; `wrong` says what is wrong with the bytes of one."""
    shards = {name: digest for name, digest in release.listed.items() if SHARD.fullmatch(name)}
    rows_of = rows_by_text(table["shard"])
    yield from (f"{printable(name)} is not there" for name in sorted(rows_of.keys() - shards.keys()))

    def checked(name: str) -> list[str]:
        rows = table.take(pa.array(rows_of[name])).sort_by("offset").to_pylist() if name in rows_of else []
        size = release.sizes.get(name)
        if size is None:
            return [f"{name} was taken away while the release was read"]
        try:
            found = stream_shard(bucket, name, size, rows, wrong)
        except (BucketGone, EOFError):
            return [f"{name} was changed while it was read"]
        return found.wrong if found.sha256 == shards[name] else [f"{name} does not have its checksum"]

    names = sorted(shards)
    for done, said in enumerate(map_batches(checked, names, workers=_AT_ONCE, kind="threads"), 1):
        yield from said
        progress(done, len(names))
