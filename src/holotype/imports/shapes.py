"""The shapes ImageNet's images come in: which file is what, and what its members say.

A shape is recognised by what is inside. A file with an official name must hold what that name promises.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.ontology import is_wnid
from holotype.store.objects import ObjectPath, place


class Kind(StrEnum):
    """What a file or folder holds."""

    SYNSETS = "synsets"
    SYNSET = "synset"
    VAL = "val"
    TEST = "test"
    TREE = "tree"
    PATHS = "paths"
    SHARD = "shard"
    BOXES = "boxes"
    SOLUTION = "solution"
    TINY = "tiny-boxes"
    TRUTH = "truth"
    COCO = "coco"
    OPENIMAGES = "openimages"
    MASKS = "masks"
    DEVKIT = "devkit"
    URLS = "urls"
    MARKS = "marks"
    TEXTS = "texts"
    OTHER = "other"
    """Something else, that lies beside what is looked for."""


IMAGES: Final = frozenset({Kind.SYNSETS, Kind.SYNSET, Kind.VAL, Kind.TEST, Kind.TREE, Kind.PATHS, Kind.SHARD})
TARS: Final = IMAGES - {Kind.TREE}
OFFICIAL_TARS: Final = TARS - {Kind.PATHS, Kind.SHARD}
"""The tars whose names and members say all; of the others it depends on what a user says of their classes."""
ANNOTATIONS: Final = frozenset(
    {Kind.BOXES, Kind.SOLUTION, Kind.TINY, Kind.TRUTH, Kind.COCO, Kind.OPENIMAGES, Kind.MASKS}
)
SEVERAL: Final = frozenset({Kind.TRUTH, Kind.COCO, Kind.OPENIMAGES, Kind.MASKS})
"""What says several labels of an image, none of which contradicts another."""
SPLITS: Final = ("train", "val", "test")
_SPOKEN: Final = {
    Kind.SYNSETS: "a tar for each synset",
    Kind.SYNSET: "the images of one synset",
    Kind.VAL: "validation images",
    Kind.TEST: "test images",
}
_NAMES: Final = (
    (re.compile(r"ILSVRC2012_img_train(_t3)?\.tar"), Kind.SYNSETS),
    (re.compile(r"ILSVRC2012_img_val\.tar"), Kind.VAL),
    (re.compile(r"ILSVRC2012_img_test\w*\.tar"), Kind.TEST),
    (re.compile(r"ILSVRC2012_bbox_\w+\.(tar\.gz|tgz|tar)"), Kind.BOXES),
    (re.compile(r"ILSVRC2012_devkit_t12(\.tar\.gz)?"), Kind.DEVKIT),
    (re.compile(r"LOC_(train|val)_solution\.csv"), Kind.SOLUTION),
    (re.compile(r"LOC_synset_mapping\.txt|words\.txt|gloss\.txt"), Kind.TEXTS),
)
_SYNSET_TAR = re.compile(r"(n\d{8})\.tar", re.ASCII)
_COMPRESSED = re.compile(r"n\d{8}\.(tar\.gz|tgz|tar\.bz2|tar\.xz|zip)", re.ASCII)
_SYNSET_IMAGE = re.compile(r"((n\d{8})_\d+)\.JPEG", re.ASCII)
_NUMBERED = re.compile(r"(ILSVRC2012_(val|test)_(\d{8}))\.JPEG", re.ASCII)
_LAST: Final = {"val": 50_000, "test": 100_000}


@dataclass(frozen=True, slots=True)
class Layout:
    """How paths tell an image's class.

    `title` says it to a user. `above` is put before every path: the folders above the root that belong to the layout.
    `classes` are pairs of a folder's name and its wnid; empty where folders are named by wnids. Where it is not
    `labelled`, no folder is a class. The folders and links below the root that it is `without` have
    sources of their own.
    """

    title: str
    above: str = ""
    classes: tuple[tuple[str, str], ...] = ()
    labelled: bool = True
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One file or folder to import.

    `split` is that of images whose names do not tell theirs, `classes` are the wnids that a shard's numbers count,
    `mark` is what a list of synsets says of them: unsafe, imageability, words or gloss. `layout` is how the paths of a
    tree, or of a tar of one, are read; without one they must be those of ImageNet itself.
    """

    kind: Kind
    path: Path
    split: str = ""
    classes: tuple[str, ...] = ()
    mark: str = ""
    layout: Layout | None = None

    @property
    def absolute(self) -> str:
        """Its path from the root, however it was given; in an object store its URL."""
        return str(self.path.absolute()) if isinstance(self.path, ObjectPath) else os.path.abspath(self.path)

    @property
    def reading(self) -> str:
        """How it is read, but for its kind, as text; "" where only that matters."""
        told = {name: value for name, value in asdict(self).items() if name not in ("kind", "path") and value}
        return json.dumps(told, sort_keys=True) if told else ""

    @classmethod
    def again(cls, kind: str, path: str, reading: str) -> Source:
        """The source that was read so before."""
        told = json.loads(reading) if reading else {}
        layout = told.pop("layout", None)
        if layout is not None:
            pairs = tuple((name, wnid) for name, wnid in layout.pop("classes"))
            layout = Layout(**{**layout, "without": tuple(layout["without"])}, classes=pairs)
        classes = tuple(told.pop("classes", ()))
        return cls(Kind(kind), place(path), **told, classes=classes, layout=layout)


def kind_by_name(name: str) -> Kind | None:
    """What an official file name promises; None for any other name.

    >>> str(kind_by_name("ILSVRC2012_img_val.tar")), kind_by_name("images.tar")
    ('val', None)
    """
    return next((kind for pattern, kind in _NAMES if pattern.fullmatch(name)), None)


def kind_by_member(member: str) -> Kind | None:
    """What a tar holds by the name of its first member; None if it is none of ImageNet's.

    >>> str(kind_by_member("n01440764.tar")), str(kind_by_member("ILSVRC2012_val_00000001.JPEG"))
    ('synsets', 'val')
    """
    name = member.rpartition("/")[2]
    if found := _NUMBERED.fullmatch(name):
        return Kind(found[2])
    if _SYNSET_TAR.fullmatch(name) or _COMPRESSED.fullmatch(name):
        return Kind.SYNSETS
    return Kind.SYNSET if _SYNSET_IMAGE.fullmatch(name) else None


def expect_kind(path: Path, member: str | None) -> Kind:
    """What a tar holds by its first member. Raises `ArchiveError` if its name promises something else."""
    promised, held = kind_by_name(path.name), None if member is None else kind_by_member(member)
    if held is None:
        first = "no images" if member is None else f"{printable(member)!r} first, which is no image of ImageNet"
        raise ArchiveError(f"{path} holds {first}; other tars of images are taken as WebDataset shards")
    if promised not in (None, held):
        raise ArchiveError(
            f"{path} is named like {_SPOKEN.get(promised, promised)} but holds "
            f"{_SPOKEN[held]}: it was renamed; give it its own name, or any name that is not official"
        )
    return held


def synset_of_tar(member: str, where: str) -> str:
    """The wnid that an inner tar is named by. Raises `ArchiveError` for any other name, and for compressed tars."""
    name = member.rpartition("/")[2]
    if found := _SYNSET_TAR.fullmatch(name):
        return found[1]
    if _COMPRESSED.fullmatch(name):
        raise ArchiveError(
            f"{where} holds {name}: inside a compressed file no image can be read in place; unpack {where}, decompress "
            "its members (gunzip n*.tar.gz) and import the folder's tars, or pack them again uncompressed"
        )
    raise ArchiveError(f"{where} holds {printable(member)!r}, which is not the tar of a synset such as n01440764.tar")


def synset_of_image(member: str, where: str) -> str:
    """The wnid of the first image of a synset's tar, which a tar named by a wnid must agree with."""
    found = _SYNSET_IMAGE.fullmatch(member.rpartition("/")[2])
    named = _SYNSET_TAR.fullmatch(where.rpartition("/")[2])
    if found is None or (named is not None and named[1] != found[2]):
        raise ArchiveError(f"{where} holds {printable(member)!r}, which is not an image of the synset it is named by")
    return found[2]


def name_in_synset(wnid: str, where: str) -> Callable[[str], str]:
    """A reader of image names in the tar or folder of a synset: ``n01440764_18.JPEG`` is ``n01440764_18``."""

    def read(member: str) -> str:
        found = _SYNSET_IMAGE.fullmatch(member.rpartition("/")[2])
        if found is None or found[2] != wnid:
            raise ArchiveError(f"{where} holds {printable(member)!r}, which is not an image of {wnid}")
        return found[1]

    return read


def numbered_name(split: str, where: str) -> Callable[[str], str]:
    """A reader of image names of a numbered split: ``ILSVRC2012_val_00000001.JPEG``, up to 50,000 (test: 100,000)."""

    def read(member: str) -> str:
        found = _NUMBERED.fullmatch(member.rpartition("/")[2])
        if found is None or found[2] != split or not 1 <= int(found[3]) <= _LAST[split]:
            raise ArchiveError(f"{where} holds {printable(member)!r}, which is not a {split} image of ILSVRC2012")
        return found[1]

    return read


@dataclass(frozen=True, slots=True)
class TreeImage:
    """An image of a folder tree: its name, split and wnid ('' if not told) and its path below the root."""

    name: str
    split: str
    wnid: str
    path: str


def image_of_tree(path: str) -> TreeImage | None:
    """What the path of a file below a tree's root says; None if it is no image of ImageNet.

    Images named by a synset lie in its folder, and maybe a folder tells their split; numbered ones lie in the folder of
    their label where the tree sorts them so.

    >>> image_of_tree("val/n01440764/ILSVRC2012_val_00000293.JPEG")
    TreeImage(name='ILSVRC2012_val_00000293', split='val', wnid='n01440764', path='val/n01440764/...JPEG')
    """
    *folders, file = path.split("/")
    parent = folders[-1] if folders else ""
    if (found := _NUMBERED.fullmatch(file)) and 1 <= int(found[3]) <= _LAST[found[2]]:
        wnid = parent if is_wnid(parent) else ""
        return TreeImage(found[1], found[2], wnid, path)
    if (found := _SYNSET_IMAGE.fullmatch(file)) and found[2] == parent:
        return TreeImage(found[1], next((folder for folder in folders if folder in SPLITS), ""), parent, path)
    return None
