"""Label maps: PNG files whose pixels are numbers of classes, beside those of instances where PASCAL VOC has them."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from PIL import Image

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.geometry.masks import runs_of_values
from holotype.geometry.outlines import LARGEST
from holotype.geometry.values import Numbers
from holotype.imports.masks import Mask, mask_of
from holotype.imports.tools.colours import BACKGROUND, LabelMap, packed, read_labelmap, voc_colour, voc_labels
from holotype.imports.tools.names import DIGEST
from holotype.imports.tools.png import step
from holotype.imports.tools.shapes import Export, Picture, Sheet, called
from holotype.store.opening import small_file

TOOL: Final = "label maps"
CLASSES: Final = "SegmentationClass"
OBJECTS: Final = "SegmentationObject"
LABELS: Final = "labelmap.txt"
VOID: Final = 255
"""What pixels are that count for nothing: the borders of VOC's objects."""
NO_MAP: Final = "PNG files that are no maps of numbers, or too large, which were not taken"
NO_COLOURS: Final = "label maps in colours that no labelmap.txt has, which were not taken"
UNNAMED: Final = "values of label maps that have no name, which were not taken"
NO_CLASS: Final = "objects that are of no class, which were not taken"
NOISE: Final = "label maps of too many values or pixels that differ from their neighbours, which were not taken"
APART: Final = "maps of objects of another size than that of classes, which were not taken"
_FILE: Final = 1 << 28
_MOST: Final = 10_000
"""Values of one map; more are noise."""
_IMAGES: Final = ("jpg", "jpeg", "JPEG", "JPG", "png", "webp")


@dataclass(frozen=True, slots=True)
class ReadMap:
    """A map by its path below the folder of maps, with its bytes, those of the map of objects beside it, and what it
    says of the image that it is called like; None where it is no map."""

    path: str
    data: bytes
    beside: bytes
    picture: Picture | None


def read_label_maps(folder: Path) -> tuple[Export, int, str]:
    """What the label maps below a folder say of the images that they are called like; how many bytes they have, and
    the sha256 of all of their names and bytes.

    A map is a PNG of grey or palette, whose numbers are classes, or of colours, where ``labelmap.txt`` says what they
    mean. Where there is a folder ``SegmentationClass`` only what is in it is read, and each object of
    ``SegmentationObject`` is a mask; else a mask is all pixels of a class. Numbers are called as ``labelmap.txt`` has
    it, as VOC's twenty classes in ``SegmentationClass`` without one, and by themselves elsewhere. 0 is background and
    255 void, unless ``labelmap.txt`` has other names for them.

    Raises `ArchiveError` where there is no such file, or ``labelmap.txt`` is none.
    """
    remarks: Counter[str] = Counter()
    digest, size, found = hashlib.sha256(), 0, []
    for one in pictures_of(folder, remarks):
        for part in (one.path.encode("utf-8", "surrogateescape"), one.data, one.beside):
            digest.update(hashlib.sha256(part).digest())
        size += len(one.data) + len(one.beside)
        found += [] if one.picture is None else [one.picture]
    return Export(TOOL, called(f"{TOOL}:{folder.name}"), found, {}, remarks), size, digest.hexdigest()


def pictures_of(folder: Path, remarks: Counter[str]) -> Iterator[ReadMap]:
    """The maps below a folder, one after the other, as `read_label_maps` takes them; what was not taken is counted in
    `remarks`. Raises `ArchiveError` as that does."""
    root, objects = _folders(folder)
    labels, path = _labels(folder, root), ""
    for path in _maps(root):
        try:
            data, beside = small_file(root / path, _FILE), _beside(objects, path)
        except ArchiveError:
            remarks[NO_MAP] += 1
            continue
        yield ReadMap(path, data, beside, _picture(path, data, beside, labels, remarks))
    if not path:
        raise ArchiveError(f"{printable(folder)} holds no label maps (.png)")


def _beside(objects: Path | None, path: str) -> bytes:
    """The map of objects beside that of classes, empty where there is none; a link is none."""
    file = None if objects is None else objects / path
    return b"" if file is None or file.is_symlink() or not file.is_file() else small_file(file, _FILE)


def _folders(folder: Path) -> tuple[Path, Path | None]:
    """The folder of maps, and that of maps of objects."""
    inner = [Path(root) / CLASSES for root, names, _ in os.walk(folder) if CLASSES in names]
    root = folder if folder.name == CLASSES else min(inner, default=folder)
    if len(inner) > 1:
        raise ArchiveError(f"{printable(folder)} has several folders {CLASSES}: name one of those that they lie in")
    beside = root.parent / OBJECTS
    return root, beside if root.name == CLASSES and beside.is_dir() else None


def _labels(folder: Path, root: Path) -> LabelMap:
    for above in dict.fromkeys((root, root.parent, folder)):
        if (above / LABELS).is_file() and (above == folder or above.is_relative_to(folder) or root.name == CLASSES):
            return read_labelmap(above / LABELS)
    return voc_labels() if root.name == CLASSES else LabelMap({}, {})


def _maps(root: Path) -> Iterator[str]:
    """The paths of PNG files below a folder, by name; links are not followed."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder) / name
            if name.lower().endswith(".png") and not name.startswith(".") and not path.is_symlink():
                yield path.relative_to(root).as_posix()


def _picture(path: str, data: bytes, beside: bytes, labels: LabelMap, remarks: Counter[str]) -> Picture | None:
    classes = _values(data, labels.colours, remarks)
    if classes is None:
        return None
    objects = _values(beside, None, remarks) if beside else None
    if objects is not None and objects.shape != classes.shape:
        remarks[APART] += 1
        objects = None
    told: list[str] = []
    found = _semantic(classes, labels, told) if objects is None else _instances(classes, objects, labels, told)
    try:
        masks = [*found]
    except ValueError:
        remarks[NOISE] += 1
        return None
    remarks.update(told)
    height, width = classes.shape
    return Picture(names_of(path), width, height, (Sheet("", masks=masks),))


def names_of(path: str) -> tuple[str, ...]:
    """Names that the image may have which a label map is of: as the map, with the ending of a picture or none."""
    stem = str(PurePosixPath(path).with_suffix(""))
    short = stem.rpartition("/")[2]
    ids = (short.lower(),) if DIGEST.fullmatch(short.lower()) else ()
    stems = dict.fromkeys((stem, short))
    endings = (f"{one}.{ending}" for one in (*stems, f"JPEGImages/{short}") for ending in _IMAGES)
    return tuple(dict.fromkeys((*ids, *endings, *stems)))


def _values(data: bytes, colours: Mapping[int, int] | None, remarks: Counter[str]) -> Numbers | None:
    """The numbers of a map, by `colours` where it is in colours, which mean themselves where that is None; None, and a
    remark, where it is none."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.width * image.height > LARGEST or image.mode not in ("1", "L", "P", "I", "I;16", "RGB", "RGBA"):
                raise ValueError(image.mode)
            apart = step(data)
            pixels = np.asarray(image.convert("RGB") if image.mode == "RGBA" else image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        remarks[NO_MAP] += 1
        return None
    if pixels.ndim == 2:
        return pixels.astype(np.int32) // np.int32(apart)
    known, place = np.unique(pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32), return_inverse=True)
    found = known.tolist()
    if len(found) > _MOST or (colours is not None and not any(one in colours for one in found)):
        remarks[NO_COLOURS] += 1
        return None
    own = {0: 0, packed(voc_colour(VOID)): VOID}
    numbers = [own.get(one, one + VOID) if colours is None else colours.get(one, VOID) for one in found]
    return np.array(numbers, np.int32)[place].reshape(pixels.shape[:2])


def _semantic(classes: Numbers, labels: LabelMap, remarks: list[str]) -> Iterator[Mask]:
    """A mask of all pixels of each class."""
    for value, runs in runs_of_values(classes, _MOST):
        if label := _label(value, labels, remarks):
            mask = mask_of(label, (classes.shape[0], classes.shape[1]), runs, False, remarks)
            yield from () if mask is None else (mask,)


def _instances(classes: Numbers, objects: Numbers, labels: LabelMap, remarks: list[str]) -> Iterator[Mask]:
    """A mask of each object, of the class that most of its pixels are of."""
    of_class = _classes_of(classes, objects)
    for value, runs in runs_of_values(objects, _MOST):
        if value in (0, VOID):
            continue
        if value not in of_class:
            remarks.append(NO_CLASS)
        elif label := _label(of_class[value], labels, remarks):
            mask = mask_of(label, (classes.shape[0], classes.shape[1]), runs, False, remarks)
            yield from () if mask is None else (mask,)


def _classes_of(classes: Numbers, objects: Numbers) -> dict[int, int]:
    """The class that most pixels of each object are of, of those that are of any."""
    counted = (objects != 0) & (objects != VOID) & (classes != 0) & (classes != VOID)
    pairs = (objects[counted].astype(np.int64) << 32) | classes[counted]
    pairs, times = np.unique(pairs, return_counts=True)
    pairs = pairs[np.argsort(times, kind="stable")]
    return dict(zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True))


def _label(value: int, labels: LabelMap, remarks: list[str]) -> str:
    """What a number is called, "" for background and void, and, with a remark, for one without a name."""
    if not labels.names:
        return "" if value in (0, VOID) else str(value)
    name = labels.names.get(value, BACKGROUND if value in (0, VOID) else "")
    if not name:
        remarks.append(UNNAMED)
    return "" if re.fullmatch(f"{BACKGROUND}|void", name) else name
