"""Where bytes lie: one value, wherever that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PACK: Final = "pack"
"""The kind of a tar in the store's own folder: a pack or a shard."""
TREE: Final = "tree"
"""The kind of a folder whose files are images."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where an image's bytes lie: in a pack or shard, in an archive, or as a file below a folder.

    `file` is the name of a pack, or the path of an archive or folder, `path` that of the image below a folder. `size`
    in bytes and `mtime_ns` are those of an archive when it was imported.
    """

    file: str
    offset: int
    length: int
    kind: str = PACK
    path: str = ""
    size: int = 0
    mtime_ns: int = 0
