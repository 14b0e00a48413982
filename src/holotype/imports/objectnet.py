"""ObjectNet's own mappings: which of ImageNet's classes a folder of its images shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.tables import read_json
from holotype.textlists import read_lines

FOLDERS: Final = "folder_to_objectnet_label.json"
CLASSES: Final = "objectnet_to_imagenet_1k.json"
LABELS: Final = "imagenet_to_label_2012_v2"
IDS: Final = "pytorch_to_imagenet_2012_id.json"
BORDER: Final = "ObjectNet's folders (each image keeps its red border of 1 pixel: crop it before you measure)"
_LARGEST: Final = 16 << 20


def read_objectnet(mappings: Path, wnids: Sequence[str]) -> dict[str, str]:
    """The wnid of each folder that shows exactly one class of ILSVRC2012, whose classes by wnid are `wnids`.

    200 of ObjectNet's 313 classes are none of ImageNet's; a few, such as bicycles, are several.
    Raises `ArchiveError` where one of the four files of the folder `mappings` is missing, or not as it should be.
    """
    folders, classes, ids = (_object(mappings / name) for name in (FOLDERS, CLASSES, IDS))
    lines = {line.strip(): number for number, line in enumerate(read_lines(mappings / LABELS, ArchiveError))}
    try:
        by_line = {int(line): wnids[int(number)] for number, line in ids.items()}
        by_label = {label: by_line[number] for label, number in lines.items() if number in by_line}
        shown = {name: [by_label[label] for label in str(labels).split("; ")] for name, labels in classes.items()}
    except (KeyError, IndexError, ValueError, TypeError) as error:
        where = printable(mappings)
        raise ArchiveError(f"{where}: its files do not belong together, {error} is in one only") from error
    return {folder: shown[label][0] for folder, label in folders.items() if len(shown.get(label, ())) == 1}


def _object(path: Path) -> Mapping[str, Any]:
    value = read_json(path, _LARGEST)
    if not isinstance(value, dict):
        raise ArchiveError(f"{printable(path)} is not one of ObjectNet's mappings")
    return value
