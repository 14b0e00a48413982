"""Where bytes lie: one value, wherever that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """Where an image's bytes lie: in a pack or shard, or in an archive or folder that was imported.

    Those that were imported have the archive's `kind`, its `size` in bytes and `mtime_ns` when that was; `path` is the
    file's path in a folder. Packs and shards have no kind.
    """

    file: str
    offset: int
    length: int
    kind: str = ""
    path: str = ""
    size: int = 0
    mtime_ns: int = 0
