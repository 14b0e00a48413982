"""Finding what there is to import in the files and folders a user names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from holotype.errors import ArchiveError
from holotype.imports.scan import first_member, kind_of_tar
from holotype.imports.shapes import (
    IMAGES,
    SPLITS,
    Kind,
    Source,
    image_of_tree,
    kind_by_member,
    kind_by_name,
)
from holotype.leftovers import leftover
from holotype.ontology import is_wnid

_COMPRESSED = re.compile(r"(n\d{8}|ILSVRC2012_img_\w+|\w+_whole)\.(tar\.(gz|bz2|xz|zst)|tgz|zip)", re.ASCII)
_ORDER: Final = tuple(Kind)


class Discovery(NamedTuple):
    """What there is to import, images first, and one line for each file or folder that cannot be taken."""

    sources: list[Source]
    problems: list[str]


def find_ilsvrc2012(paths: Sequence[Path]) -> Discovery:
    """What ILSVRC2012 has in files and folders, images first; and one line for each that cannot be taken.

    Folders are searched for the official archives, tars of synsets, Kaggle's tree (``ILSVRC/Data/CLS-LOC``), an
    extracted tree (``train/n01440764/...``, ``val/...``), the devkit and Kaggle's solution files.
    """
    return _find(paths, _in_ilsvrc_folder, "train")


def find_imagenet21k(paths: Sequence[Path]) -> Discovery:
    """The tars and trees of ImageNet-21K in files and folders; and one line for each that cannot be taken."""
    return _find(paths, _in_21k_folder, "")


def _find(paths: Sequence[Path], in_folder: Callable[[Path], Iterator[Source]], split: str) -> Discovery:
    found: list[Source] = []
    problems: list[str] = []
    for path in paths:
        try:
            if path.is_dir():
                there = [*in_folder(path), *_compressed(path)]
                if all(source.kind is Kind.OTHER for source in there):
                    raise ArchiveError(f"{path} holds no archive, tree or list that belongs to this dataset")
            else:
                there = [_source(path, split)]
            found.extend(there)
        except OSError as error:
            problems.append(f"cannot list {path}: {error.strerror}")
        except ArchiveError as error:
            problems.append(str(error))
    ordered = sorted(dict.fromkeys(found), key=lambda source: (_ORDER.index(source.kind), source.path))
    return Discovery(ordered, problems)


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
        elif path.suffix == ".tar" and is_wnid(path.stem):
            yield Source(Kind.SYNSET, path, "train")
        elif path.suffix == ".tar" and not leftover(path.name):
            yield Source(Kind.OTHER, path)
    for root in (folder, folder / "ILSVRC"):
        yield from _splits(root / "Data/CLS-LOC")
        if (root / "Annotations/CLS-LOC").is_dir():
            yield Source(Kind.BOXES, root / "Annotations/CLS-LOC")
    yield from _splits(folder)
    if _is_tree(folder):
        yield Source(Kind.TREE, folder, "train")


def _splits(folder: Path) -> Iterator[Source]:
    return (Source(Kind.TREE, folder / split, split) for split in SPLITS if (folder / split).is_dir())


def _in_21k_folder(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("*.tar")):
        if not leftover(path.name):
            foreign = kind_by_name(path.name) is None and kind_by_member(first_member(path) or "") is None
            yield Source(Kind.OTHER if foreign else kind_of_tar(path), path)
    if _is_tree(folder):
        yield Source(Kind.TREE, folder)


def _is_tree(folder: Path) -> bool:
    """Whether a folder holds folders of synsets, or images themselves."""
    return any(
        (is_wnid(path.name) and path.is_dir()) or image_of_tree(path.name) is not None for path in folder.iterdir()
    )


def _compressed(folder: Path) -> Iterator[Source]:
    """None: raises `ArchiveError` where a folder holds images only in compressed form."""
    for path in sorted(folder.iterdir()):
        if _COMPRESSED.fullmatch(path.name) and not (folder / f"{path.name.partition('.')[0]}.tar").exists():
            raise ArchiveError(
                f"{path} is compressed: inside it no image can be read in place; decompress it first (gunzip, unzip)"
            )
    return iter(())
