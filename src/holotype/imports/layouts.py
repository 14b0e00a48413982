"""Layouts of folders and tars of images: what the path of a file says of it, whatever lies around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from holotype.imports.shapes import Layout, TreeImage
from holotype.leftovers import leftover

NO_IMAGE: Final = "files that are no images by their names"
LIST: Final = "lists of labels, boxes or classes beside the images"
NO_CLASS: Final = "images in no folder of a class"
LEFT_OVER: Final = "files left over by other programs"
UNMAPPED: Final = "images of no class that a wnid is given for, which bring no label"
PLAIN: Final = frozenset({"images", "image", "imgs", "img", "jpegs", "jpegimages", "data"})
"""Folders that hold images and tell nothing else."""
_IMAGE: Final = re.compile(r"[^.].*\.(jpe?g|png|webp|gif|bmp|tiff?)", re.IGNORECASE)
_LIST: Final = re.compile(
    r".+\.xml|n\d{8}_boxes\.txt|val_annotations\.txt|wnids\.txt|words\.txt|gloss\.txt|LOC_\w+\.(csv|txt)|real\.json"
    r"|instances_\w+\.json|.*annotations-(bbox|human-imagelabels[\w-]*)\.csv|imagenet_to_label_2012_v2"
    r"|folder_to_objectnet_label\.json|objectnet_to_imagenet_1k\.json|pytorch_to_imagenet_2012_id\.json"
)
_WNID: Final = re.compile(r"(n\d{8})(?:[ ,._-].*)?", re.ASCII)
_SPLIT: Final = re.compile(
    r"(?:\w+_)?(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?)(?:\.X\d*|_?20\d\d)?", re.IGNORECASE
)
_CORRUPTION: Final = re.compile(
    r"(?:gaussian|shot|impulse|speckle)_noise|(?:defocus|glass|motion|zoom|gaussian)_blur|snow|frost|fog|brightness"
    r"|contrast|elastic_transform|pixelate|jpeg_compression|saturate|spatter"
)
_STEM: Final = re.compile(r"(n\d{8})_\d+", re.ASCII)
_NUMBERED: Final = re.compile(r"ILSVRC2012_(val|test)_\d{8}", re.ASCII)
_SAID: Final = re.compile(r"(n\d{8}_\d+|ILSVRC2012_val_\d{8})_(n\d{8})", re.ASCII)


Reader = Callable[[str], TreeImage | str]
"""What the path of a file says, or the reason why it is no image to be taken."""


def split_of(folder: str) -> str:
    """The split that a folder's name means, or "".

    >>> [split_of(name) for name in ("Training", "val.X", "imagenet21k_val", "train2017", "n01440764")]
    ['train', 'val', 'val', 'train', '']
    """
    found = _SPLIT.fullmatch(folder)
    return "" if found is None else {"tr": "train", "va": "val", "te": "test"}[found[1][:2].lower()]


def wnid_of(folder: str) -> str:
    """The wnid that a folder is named by, alone or before a name: ``n02085620-Chihuahua``; "" where there is none."""
    found = _WNID.fullmatch(folder)
    return "" if found is None else found[1]


@lru_cache(maxsize=8)  # files come folder by folder
def foreign(folder: str) -> str:
    """The last name of a folder below a split's, where one expects a class, but it is named by no wnid; else "".

    >>> foreign("val/cats"), foreign("val/n01440764"), foreign("val/images"), foreign("val"), foreign("pets/cats")
    ('cats', '', '', '', '')
    """
    *above, last = folder.split("/")
    expected = any(map(split_of, above)) and not split_of(last) and last.lower() not in PLAIN
    return last if expected and not wnid_of(last) else ""


def is_image(file: str) -> bool:
    """Whether a file is an image by its name."""
    return _IMAGE.fullmatch(file) is not None


def is_list(file: str) -> bool:
    """Whether a file says something of images beside it, by its name: labels, boxes, or what classes are."""
    return _LIST.fullmatch(file) is not None


def corruption(folders: Sequence[str]) -> int | None:
    """Where ImageNet-C's corruption and severity lie among folders: ``fog/3``; None where they do not."""
    pairs = pairwise(folders)
    found = (n for n, (name, level) in enumerate(pairs) if level in "12345" and _CORRUPTION.fullmatch(name))
    return next(found, None)


def start_of(folders: Sequence[str], place: int | None) -> int:
    """The first folder that belongs to the layout: a split, a corruption or the class, which is at `place`."""
    last = len(folders) if place is None else place
    marks = [n for n in range(last) if split_of(folders[n])]
    wrong = corruption(folders)
    return min([last, *marks, *([] if wrong is None else [wrong])])


def reader(layout: Layout) -> Reader:
    """A reader of paths below the root of a layout.

    Images named as ImageNet names them are called so without extension, all others by their path from the split or
    class on. Hugging Face's names tell the class themselves. Files in the folder of a split, but of no class, have no
    label.

    >>> reader(Layout("ImageFolder of wnids"))("val/n01440764/a.jpg")
    TreeImage(name='val/n01440764/a.jpg', split='val', wnid='n01440764', path='val/n01440764/a.jpg')
    """
    wnid_for, closed = _wnids(layout)
    above = layout.above.split("/") if layout.above else []

    @lru_cache(maxsize=8)  # files come folder by folder
    def look(folder: str) -> _Folder:
        folders = [*above, *(folder.split("/") if folder else ())]
        place = class_place(folders, wnid_for, closed)
        start = start_of(folders, place)
        split = next(filter(None, map(split_of, reversed(folders[start:place]))), "")
        wnid = "" if place is None else wnid_for(folders[place])
        begin = start if layout.labelled or split else 0
        named = corruption(folders) is None
        taken = place is not None or bool(split) or not layout.labelled
        return _Folder("".join(f"{one}/" for one in folders[begin:]), split, wnid, named, taken, leftover(folder) != "")

    def read(path: str) -> TreeImage | str:
        inside, _, file = path.rpartition("/")
        folder = look(inside)
        if folder.left_over or leftover(file):
            return LEFT_OVER
        if not is_image(file):
            return LIST if is_list(file) else NO_IMAGE
        if folder.named and (named := official(file, folder.wnid)) is not None:
            wnid = folder.wnid or (named[2] if layout.labelled else "")
            return TreeImage(named[0], folder.split or named[1], wnid, path)
        return TreeImage(folder.front + file, folder.split, folder.wnid, path) if folder.taken else NO_CLASS

    return read


class _Folder(NamedTuple):
    """What a folder says of its images: what their names begin with, their split and wnid ("" where it tells none),
    whether they may be `named` as ImageNet names them, whether others are `taken`, whether all are `left_over`."""

    front: str
    split: str
    wnid: str
    named: bool
    taken: bool
    left_over: bool


def _wnids(layout: Layout) -> tuple[Callable[[str], str], bool]:
    """The wnid of a folder by its name, "" if none; and whether folders that have none are classes all the same."""
    if not layout.labelled:
        return lambda _: "", False
    if not layout.classes:
        return wnid_of, False
    classes = dict(layout.classes)
    return lambda folder: classes.get(folder, ""), True


def class_place(folders: Sequence[str], wnid_for: Callable[[str], str], closed: bool) -> int | None:
    """Which of an image's folders is its class: the innermost that has a wnid; where classes are a `closed` list, else
    the one that the image lies in, if it is no split."""
    known = next((n for n in range(len(folders) - 1, -1, -1) if wnid_for(folders[n])), None)
    if known is None and closed and folders and not split_of(folders[-1]):
        return len(folders) - 1
    return known


def official(file: str, wnid: str = "") -> tuple[str, str, str] | None:
    """Name, split and wnid ("" where it tells none) of an image named as ILSVRC names it; None for any other name.

    >>> official("ILSVRC2012_val_00000001_n01751748.JPEG"), official("n01440764_18.jpg", "n01440764"), official("a.jpg")
    (('ILSVRC2012_val_00000001', 'val', 'n01751748'), ('n01440764_18', '', 'n01440764'), None)
    """
    stem = file.rpartition(".")[0]
    if found := _NUMBERED.fullmatch(stem):
        return stem, found[1], ""
    if found := _SAID.fullmatch(stem):
        return found[1], "val" if found[1].startswith("I") else "train", found[2]
    if (found := _STEM.fullmatch(stem)) and wnid in ("", found[1]):
        return stem, "", found[1]
    return None
