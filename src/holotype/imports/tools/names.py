"""What the image may be called that a tool knows by the path or the URL of a file."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

_LEVELS: Final = 6
"""Names of a path, from the last on, that are asked for together."""
_UPLOADED: Final = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of a file that is uploaded."""
DIGEST: Final = re.compile(r"[0-9a-f]{16}|[0-9a-f]{64}")
"""Ids of images and whole sha256, after which exports of ours call files."""
_LOCAL: Final = "?d="
"""What comes before a path on its disk in Label Studio's address of a file."""


def names_of(address: str) -> tuple[str, ...]:
    """Names that an image may have whose file a tool knows by `address`, a path or a URL: the whole path first, then
    ever less of it, the id in it last. No file is looked for.

    >>> names_of("/data/upload/1/1a2b3c4d-IMG_0.jpg")[-2:]
    ('1a2b3c4d-IMG_0.jpg', 'IMG_0.jpg')
    >>> names_of("s3://bucket/a%20b/n02084071/0123456789abcdef.jpg")[0::3]
    ('s3://bucket/a%20b/n02084071/0123456789abcdef.jpg', 'n02084071/0123456789abcdef.jpg')
    """
    path = address.partition(_LOCAL)[2] or address
    _, scheme, rest = path.partition("://")
    path = rest.partition("?")[0].partition("#")[0] if scheme else path
    folders = [part for part in unquote(path).replace("\\", "/").split("/") if part not in ("", ".", "..")]
    tails = ["/".join(folders[-count:]) for count in range(min(len(folders), _LEVELS), 0, -1)]
    file = folders[-1] if folders else ""
    short, stem = _UPLOADED.sub("", file, count=1), PurePosixPath(file).stem.lower()
    ids = (stem,) if DIGEST.fullmatch(stem) else ()
    return tuple(dict.fromkeys(name for name in (address, *tails, short, *ids) if name))
