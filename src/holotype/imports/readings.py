"""Which layout the images of a folder or tar have, by the names that were seen: a pure function of evidence.

Where two readings fit, or none without more being said, the answer is a question: it lists what would settle it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from holotype.errors import ArchiveError
from holotype.imports.known import dataset_of, is_v2
from holotype.imports.layouts import PLAIN, corruption, official, split_of, start_of, wnid_of
from holotype.imports.objectnet import BORDER
from holotype.imports.shapes import Layout, Source

LAYOUTS: Final = {
    "imagefolder": "folders of classes; their files are images, whatever else lies beside them",
    "webdataset": "shards: files of one name are one sample, .cls and .json its label",
    "unlabelled": "images without labels; folders mean nothing",
}
"""The layouts that a user may say, and what they take things for."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a user said: the `layout`; the wnid of each class number, with how they are `counted`; a `table` of class
    names and wnids; the `split` of images that tell none; whether to `follow` links to folders.

    `order` is the name of the order that class numbers are in, "" for one of the user's own. `ilsvrc` are the classes
    of ILSVRC2012 by wnid, by which ImageNet-V2 numbers its folders.
    """

    layout: str = ""
    numbers: tuple[str, ...] = ()
    counted: str = ""
    table: Mapping[str, str] = field(default_factory=dict)
    split: str = ""
    follow: bool = False
    ilsvrc: tuple[str, ...] = ()
    order: str = ""


class Choice(NamedTuple):
    """An answer to a question: what it settles (order, classes, map, as, follow-links), the value that says so, and
    what is meant. `classes` and `map` need a file of the user's."""

    option: str
    value: str
    means: str


NUMBERS: Final = (
    Choice("order", "sorted", "0 to 999 by wnid: torchvision, ImageNet-V2"),
    Choice("order", "devkit", "1 to 1000, the ids of ILSVRC2012's devkit"),
    Choice("order", "background", "1 to 1000 by wnid: TF-Slim"),
    Choice("order", "string", "0 to 999 of folders sorted as text: ImageFolder on ImageNet-V2"),
    Choice("classes", "", "FILE, a wnid a line, the first is number 0"),
    Choice("as", "unlabelled", LAYOUTS["unlabelled"]),
)
"""What class numbers may count."""
_FROM_ONE: Final = ("devkit", "background")


def possible(choices: Sequence[Choice], numbers: Collection[int]) -> tuple[Choice, ...]:
    """The choices that some class numbers leave: 0 is no class where they begin with 1, 1000 none where with 0."""
    return tuple(one for one in choices if one.option != "order" or _counts(one.value, numbers))


def check_numbers(path: Path, numbers: Collection[int], order: str) -> None:
    """Raises `ArchiveError` where class numbers cannot be counted in an order."""
    if order and not _counts(order, numbers):
        wrong = max(numbers) if max(numbers) > 999 else min(numbers)
        raise ArchiveError(f"{path} has the class number {wrong}, which the order {order} has not: say another one")


def _counts(order: str, numbers: Collection[int]) -> bool:
    if order == "background" and {0, 1000} <= set(numbers):  # with a folder of the background itself
        return max(numbers) == 1000
    return all(1 <= one <= 1000 if order in _FROM_ONE else one < 1000 for one in numbers)


class Question(NamedTuple):
    """What cannot be told of a path, and of so many `others` beside it: what it looks like, what would settle it."""

    path: Path
    asks: str
    choices: tuple[Choice, ...]
    others: int = 0

    def __str__(self) -> str:
        beside = f" (and {self.others:,} more beside it)" if self.others else ""
        return f"{self.path}{beside}: {self.asks}"


class Take(NamedTuple):
    """A source, and the dataset that it belongs to unless the user names another."""

    dataset: str
    source: Source


class Tree(NamedTuple):
    """Images with one root: paths of some below it, the folders above it that belong to the layout, and the roots of
    other layouts `inside` it; `below` are other folders that were seen there."""

    root: Path
    images: Sequence[str]
    above: str = ""
    inside: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    @property
    def folders(self) -> set[str]:
        """The names of the folders that images lie in, and of those beside them."""
        return {folders[-1] for folders in self.logical if folders} | {one.rpartition("/")[2] for one in self.below}

    @property
    def logical(self) -> list[list[str]]:
        """The folders of each image, those above the root first."""
        front = self.above.split("/") if self.above else []
        return [[*front, *path.split("/")[:-1]] for path in self.images]


def class_of(folders: Sequence[str]) -> tuple[str, int | None]:
    """What kind of class an image's folders tell, ``wnid``, ``number``, ``name`` or "", and which folder that is.

    >>> class_of(["val", "n01440764"]), class_of(["fog", "3", "n01440764"]), class_of(["0"]), class_of(["train"])
    (('wnid', 1), ('wnid', 2), ('number', 0), ('', None))
    """
    place = next((n for n in range(len(folders) - 1, -1, -1) if wnid_of(folders[n])), None)
    if place is not None:
        return "wnid", place
    if not folders or split_of(folders[-1]) or (folders[-1].lower() in PLAIN and any(map(split_of, folders[-2:-1]))):
        return "", None
    return ("number" if folders[-1].isdecimal() and folders[-1].isascii() else "name"), len(folders) - 1


def root_of(path: str) -> str:
    """The folders of an image above the first that belongs to a layout.

    >>> root_of("data/imagenet-c/fog/3/n01440764/a.JPEG"), root_of("pets/cat/1.jpg"), root_of("ILSVRC/train/a/1.jpg")
    ('data/imagenet-c', 'pets', 'ILSVRC')
    """
    folders = path.split("/")[:-1]
    return "/".join(folders[: start_of(folders, class_of(folders)[1])])


def above_of(path: Path) -> str:
    """The last folders of a path that belong to a layout, as when a split, a class or a severity is given alone.

    >>> above_of(Path("/data/imagenet-c/fog/3")), above_of(Path("/data/x/val/n01440764")), above_of(Path("/data/pets"))
    ('fog/3', 'val/n01440764', '')
    """
    parts = path.parts[1:]
    end = len(parts)
    while end and (wnid_of(parts[end - 1]) or split_of(parts[end - 1])):
        end -= 1
    if end >= 2 and corruption(parts[end - 2 : end]) is not None:
        end -= 2
    elif end and corruption([parts[end - 1], "1"]) is not None:
        end -= 1
    return "/".join(parts[end:])


def layout_of(tree: Tree, told: Told) -> Layout | Question:
    """How the images of a tree are read, or what must be asked first."""
    kinds = [class_of(folders)[0] for folders in tree.logical]
    named = any(official(path.rpartition("/")[2]) for path in tree.images)
    if told.layout == "unlabelled":
        return Layout("images without labels", tree.above, labelled=False)
    if "wnid" in kinds or named:
        return Layout(_titled(tree, "wnid" in kinds), tree.above)
    if "number" in kinds and "name" not in kinds:
        return _numbered(tree, told)
    if "name" in kinds:
        return _named(tree, told)
    return Layout("images without labels", tree.above, labelled=False)


def _titled(tree: Tree, folders: bool) -> str:
    if any(corruption(folders) is not None for folders in tree.logical):
        return "ImageNet-C (corruption/severity/wnid)"
    return "ImageFolder of wnids" if folders else "images named as ImageNet names them"


def _numbered(tree: Tree, told: Told) -> Layout | Question:
    """Folders of class numbers: only ImageNet-V2's are known to be in the order of wnids."""
    numbers = sorted({int(one) for one in tree.folders if one.isdecimal() and one.isascii()})
    if told.numbers:
        check_numbers(tree.root, numbers, told.order)
        return _counted(tree, told.numbers, f"counted {told.counted}")
    if is_v2(tree.root) and told.ilsvrc:
        return _counted(tree, told.ilsvrc, "in the order of sorted wnids, as ImageNet-V2's are")
    some = ", ".join(map(str, numbers[:3]))
    return Question(
        tree.root,
        f"its folders are class numbers ({some} ...), and what they count is not told",
        possible(NUMBERS, numbers),
    )


def _counted(tree: Tree, wnids: Sequence[str], how: str) -> Layout:
    classes = tuple((str(number), wnid) for number, wnid in enumerate(wnids) if wnid)
    padded = tuple(
        (name, wnids[int(name)])
        for name in sorted({folders[-1] for folders in tree.logical if folders})
        if name.isdecimal() and name != str(int(name)) and int(name) < len(wnids) and wnids[int(name)]
    )
    return Layout(f"ImageFolder of class numbers {how}", tree.above, (*classes, *padded))


def _named(tree: Tree, told: Told) -> Layout | Question:
    names = sorted({folders[-1] for folders in tree.logical if class_of(folders)[0] == "name"})
    table = {name: looked_up(name, told.table) for name in (*names, *told.table)}
    if told.table and any(table[name] for name in names):
        pairs = tuple((name, wnid) for name, wnid in table.items() if wnid)
        title = told.counted if told.counted == BORDER else "ImageFolder of class names"
        return Layout(title, tree.above, pairs)
    missing = "none of which is in the table given" if told.table else "which are no wnids"
    return Question(
        tree.root,
        f"its folders are names ({', '.join(names[:3])} ...), {missing}",
        (
            Choice("map", "", "FILE, a name and its wnid a line"),
            Choice("as", "unlabelled", LAYOUTS["unlabelled"]),
        ),
    )


def looked_up(name: str, table: Mapping[str, str]) -> str:
    """The wnid of a class name in a table, whose spaces may be underscores; "" where it has none."""
    return table.get(name) or table.get(name.replace("_", " ")) or table.get(name.replace(" ", "_")) or ""


def dataset_of_tree(tree: Tree, layout: Layout, told: Told) -> str:
    """What a tree's dataset is called unless the user names it."""
    if layout.title.startswith("ImageNet-C"):
        return "imagenet-c"
    named = [official(path.rpartition("/")[2]) for path in tree.images]
    wnids = {one[2] for one in named if one is not None and one[2]}
    return dataset_of(tree.root, tree.above, all(one is not None for one in named), wnids <= set(told.ilsvrc))
