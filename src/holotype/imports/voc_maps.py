"""PASCAL VOC's maps of masks beside the images of a dataset: where they lie, and what they say of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from holotype.errors import ArchiveError
from holotype.imports.boxes import Annotation
from holotype.imports.masks import Mask
from holotype.imports.peek import Seen
from holotype.imports.tools.label_maps import CLASSES, OBJECTS, pictures_of
from holotype.imports.tools.shapes import Picture
from holotype.store.objects import ObjectPath

NO_WNID: Final = "masks of classes that no wnid is given for, which were not taken"
TITLE: Final = "PASCAL VOC's maps of masks"
_MAPS: Final = frozenset({CLASSES, OBJECTS})


def without_maps(seen: Seen) -> tuple[Seen, list[Path]]:
    """What was seen of a folder but for VOC's maps, and the folders ``SegmentationClass``."""
    maps = [seen.path / one for one in sorted(seen.folders) if PurePosixPath(one).name == CLASSES]
    if not maps:
        return seen, []
    files, folders = (tuple(one for one in some if not is_map(one)) for some in (seen.files, seen.folders))
    return replace(seen, files=files, folders=folders), maps


def is_map(path: str) -> bool:
    """Whether a path is that of a map, or of a folder of maps."""
    return not _MAPS.isdisjoint(path.split("/"))


def map_folders(maps: list[Path], root: Path) -> list[str]:
    """The folders of maps below a root, of those that have maps of classes."""
    found = (one.parent / name for one in maps for name in sorted(_MAPS) if (one.parent / name).is_dir())
    return [one.relative_to(root).as_posix() for one in found if one.is_relative_to(root)]


def read_voc_maps(path: Path, table: Mapping[str, str]) -> Iterator[Annotation]:
    """The masks of each image that has a map below a folder; `table` has the wnid of each class name.

    Raises `ArchiveError` as `holotype.imports.tools.label_maps.read_label_maps` does, and for one in an object store.
    """
    if isinstance(path, ObjectPath):
        raise ArchiveError(f"{path}: maps of masks are read from a disk alone: fetch them first")
    remarks: Counter[str] = Counter()
    for one in pictures_of(path, remarks):
        told = [*remarks.elements()]
        remarks.clear()
        if one.picture is not None:
            yield _annotation(one.picture, table, told)
        elif told:
            yield Annotation(one.path, 0, 0, (), tuple(told))


def _annotation(picture: Picture, table: Mapping[str, str], remarks: list[str]) -> Annotation:
    masks: list[Mask] = []
    for mask in picture.sheets[0].masks:
        if wnid := table.get(mask.label, ""):
            masks.append(replace(mask, label=wnid))
        else:
            remarks.append(NO_WNID)
    labels = tuple(dict.fromkeys(mask.label for mask in masks))
    name, *aliases = picture.names
    return Annotation(name, 0, 0, (), tuple(remarks), labels, aliases=tuple(aliases), masks=tuple(masks))
