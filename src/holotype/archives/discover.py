"""Finding what there is to import in the files and folders a user names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from holotype.archives.scan import kind_of_tar
from holotype.archives.shapes import IMAGES, Kind, Source, kind_by_name
from holotype.errors import ArchiveError

_SPLITS: Final = ("train", "val", "test")
_SYNSET = re.compile(r"n\d{8}")
_ORDER: Final = tuple(Kind)
Found = tuple[list[Source], list[str]]


def find_ilsvrc2012(paths: Sequence[Path]) -> Found:
    """What ILSVRC2012 has in files and folders, images first; and one line for each file that cannot be taken.

    Folders are searched for the official archives, Kaggle's tree (``ILSVRC/Data/CLS-LOC``), an extracted tree
    (``train/n01440764/...``, ``val/...``), the devkit and Kaggle's solution files.
    """
    return _find(paths, _in_ilsvrc_folder, "train")


def find_imagenet21k(paths: Sequence[Path]) -> Found:
    """The tars and trees of ImageNet-21K in files and folders; and one line for each file that cannot be taken."""
    return _find(paths, _in_21k_folder, "")


def _find(paths: Sequence[Path], in_folder: Callable[[Path], Iterator[Source]], split: str) -> Found:
    found: list[Source] = []
    problems: list[str] = []
    for path in paths:
        try:
            if path.is_dir():
                there = list(in_folder(path))
                if not there:
                    raise ArchiveError(f"{path} holds no archive, tree or list that belongs to this dataset")
            else:
                there = [_source(path, split)]
            found.extend(there)
        except ArchiveError as error:
            problems.append(str(error))
    return sorted(dict.fromkeys(found), key=lambda source: (_ORDER.index(source.kind), source.path)), problems


def _source(path: Path, split: str) -> Source:
    kind = kind_by_name(path.name)
    if kind is None or kind in IMAGES:
        kind = kind_of_tar(path)
    return _listed(kind, path, split)


def _listed(kind: Kind, path: Path, split: str) -> Source:
    if kind is Kind.TEXTS:
        return Source(kind, path, mark="gloss" if path.name == "gloss.txt" else "words")
    return Source(kind, path, split)


def _in_ilsvrc_folder(folder: Path) -> Iterator[Source]:
    if kind_by_name(folder.name) is Kind.DEVKIT:
        yield Source(Kind.DEVKIT, folder)
        return
    for path in sorted(folder.iterdir()):
        if (kind := kind_by_name(path.name)) is not None and (path.is_file() or kind is Kind.DEVKIT):
            yield _listed(kind, path, "train")
    for root in (folder, folder / "ILSVRC"):
        if (root / "Data/CLS-LOC").is_dir():
            yield Source(Kind.TREE, root / "Data/CLS-LOC", "train")
        if (root / "Annotations/CLS-LOC").is_dir():
            yield Source(Kind.BOXES, root / "Annotations/CLS-LOC")
    if any((folder / split).is_dir() for split in _SPLITS) or _has_synset_folder(folder):
        yield Source(Kind.TREE, folder, "train")


def _in_21k_folder(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("n????????.tar")):
        yield Source(Kind.SYNSET, path)
    if _has_synset_folder(folder):
        yield Source(Kind.TREE, folder)


def _has_synset_folder(folder: Path) -> bool:
    return any(_SYNSET.fullmatch(path.name) and path.is_dir() for path in folder.iterdir())
