"""Names by which datasets are known: what a folder or archive is called, and what its dataset is called for that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_KNOWN: Final = (
    (re.compile(r"imagenet-?_?v2-?_?(matched-frequency|threshold-?0\.7|top-?images)?.*"), "imagenet-v2"),
    (re.compile(r"imagenet-?_?([acor])"), "imagenet-"),
    (re.compile(r"(?:imagenet-?_?)?sketch"), "imagenet-sketch"),
    (re.compile(r"tiny-?_?imagenet.*"), "tiny-imagenet"),
    (re.compile(r"objectnet.*"), "objectnet"),
    (re.compile(r"imagenet-?_?100"), "imagenet100"),
    (re.compile(r"(imagenette|imagewoof).*"), ""),
    (re.compile(r"imagenet-?21k.*|(?:fall11|winter21)_whole.*"), "imagenet21k"),
    (re.compile(r"cls-loc"), "ilsvrc2012"),
    (re.compile(r"coco(?:20\d\d)?"), "coco"),
    (re.compile(r"open-?_?images.*"), "openimages"),
)
_NOTHING: Final = frozenset({"images", "image", "imgs", "img", "data", "dataset", "datasets", "shards", "jpegs"})
_TAR: Final = re.compile(r"(\.tar)?(\.gz|\.bz2|\.xz|\.zst)?$|\.tgz$|\.zip$")


def is_v2(root: Path) -> bool:
    """Whether a path is called as ImageNet-V2's archives and folders are."""
    return any(name.startswith("imagenet-v2") for name in map(_known, _names(root)))


def dataset_of(root: Path, above: str, official: bool, ilsvrc: bool) -> str:
    """What the dataset at a path is called; `above` are folders at its end that belong to its layout.

    `official` says that its images are named as ImageNet names them, `ilsvrc` that its classes are ILSVRC2012's.

    >>> dataset_of(Path("/data/imagenet-a.tar"), "", False, True)
    'imagenet-a'
    >>> dataset_of(Path("/data/My Pets/images"), "", False, True)
    'my-pets'
    """
    names = _names(root)[above.count("/") + 1 if above else 0 :]
    telling = [name for name in names if name not in _NOTHING]
    if known := next(filter(None, map(_known, telling[:2])), ""):
        return known
    if official:
        return "ilsvrc2012" if ilsvrc else "imagenet21k"
    return next(filter(None, map(slug, telling)), "images")


def slug(name: str) -> str:
    """A name as datasets may have it: lower-case letters, digits, dots and dashes."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:64]


def _names(root: Path) -> list[str]:
    """The last names of a path, innermost first, without the endings of archives."""
    return [_TAR.sub("", name).lower() for name in reversed(root.absolute().parts[1:])][:4]


def _known(name: str) -> str:
    for pattern, dataset in _KNOWN:
        if found := pattern.fullmatch(name):
            variant = found[1] if found.groups() and found[1] else ""
            return dataset + ("-" if dataset == "imagenet-v2" and variant else "") + slug(variant)
    return ""
