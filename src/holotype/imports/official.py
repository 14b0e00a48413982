"""The archives that image-net.org hands out, and whether a file is one of them, bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.store.opening import opened_file

_STEP = 8 << 20


@dataclass(frozen=True, slots=True)
class Official:
    """The md5 of an official file, and its size in bytes (0 where we do not know it)."""

    md5: str
    size: int = 0


OFFICIAL: Final[Mapping[str, Official]] = MappingProxyType(
    {
        "ILSVRC2012_img_train.tar": Official("1d675b47d978889d74fa0da5fadfb00e"),
        "ILSVRC2012_img_train_t3.tar": Official("ccaf1013018ac1037801578038d370da"),
        "ILSVRC2012_img_val.tar": Official("29b22e2961454d5413ddabcf34fc5622", 6_744_924_160),
        "ILSVRC2012_img_test_v10102019.tar": Official("e1b8681fff3d63731c599df9b4b6fc02"),
        "ILSVRC2012_bbox_train_v2.tar.gz": Official("9271167e2176350e65cfe4e546f14b17"),
        "ILSVRC2012_bbox_train_dogs.tar.gz": Official("61ebd3cc0e4793899a841b6b27f3d6d8"),
        "ILSVRC2012_bbox_val_v3.tgz": Official("f4cd18b5ea29fe6bbea62ec9c20d80f0"),
        "ILSVRC2012_bbox_test_dogs.zip": Official("2dfdb2677fd9661585d17d5a5d027624"),
        "ILSVRC2012_devkit_t12.tar.gz": Official("fa75699e90414af021442c21a62c3abf"),
        "winter21_whole.tar.gz": Official("ab313ce03179fd803a401b02c651c0a2"),
    }
)
"""The official files by name, as they were published; torchvision and others check the same sums."""


def verify_md5(path: Path, progress: Callable[[int], None], official: Mapping[str, Official] = OFFICIAL) -> None:
    """Raise `ArchiveError` unless a file has the md5 of the `official` file of its name.

    `progress` is told how many bytes were read since it was last told.
    """
    if path.name not in official:
        raise ArchiveError(
            f"no md5 is known for a file named {printable(path.name)!r}, only for {', '.join(sorted(official))}"
        )
    wanted = official[path.name]
    try:
        size = path.stat().st_size
        found = _md5(path, progress) if wanted.size in (0, size) else ""
    except OSError as error:
        raise ArchiveError(f"cannot read {printable(path)}: {error.strerror}") from error
    if not found:
        raise ArchiveError(f"{printable(path)} has {size:,} bytes, not {wanted.size:,}: {_remedy(size, wanted.size)}")
    if found != wanted.md5:
        raise ArchiveError(f"{printable(path)} has md5 {found}, not {wanted.md5}: it is damaged, download it again")


def _remedy(size: int, wanted: int) -> str:
    return "go on downloading it (wget --continue)" if size < wanted else "it is another file, download it again"


def _md5(path: Path, progress: Callable[[int], None]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with opened_file(path) as file:
        while step := file.read(_STEP):
            digest.update(step)
            progress(len(step))
    return digest.hexdigest()
