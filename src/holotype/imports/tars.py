"""What a tar of images is by its first members: ImageNet's own, a tree of folders, or a shard of samples."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.imports.found import Found
from holotype.imports.known import dataset_of, slug
from holotype.imports.layouts import is_image, split_of, wnid_of
from holotype.imports.peek import Seen
from holotype.imports.readings import (
    LAYOUTS,
    NUMBERS,
    Choice,
    Question,
    Take,
    Told,
    Tree,
    check_numbers,
    class_of,
    dataset_of_tree,
    layout_of,
    possible,
)
from holotype.imports.shapes import Kind, Source, kind_by_member, kind_by_name

_SAMPLE: Final = frozenset({"cls", "json", "txt", "xml", "cls.txt"})


def in_tar(found: Found, seen: Seen, told: Told) -> None:
    """A tar: one of ImageNet's own, a tree, or a shard; a question where it may be either of the last two."""
    first = next(iter(seen.files), "")
    files = [path for path in seen.files if not path.rpartition("/")[2].startswith("._")]
    images = [path for path in files if is_image(path.rpartition("/")[2])]
    if told.layout != "webdataset" and (take := _official_tar(seen.path, files, images, told)) is not None:
        found.takes.append(take)
    elif not images:
        raise ArchiveError(
            f"{seen.path} begins with {first!r}, and no image is among its first {len(seen.files):,} files"
        )
    elif told.layout == "webdataset" or (not told.layout and _samples(files)):
        question = None if told.layout else _asked_of_shard(seen, files, told)
        if question is not None:
            found.ask(question)
        else:
            if seen.label.isdecimal():
                check_numbers(seen.path, [int(seen.label)], told.order)
                found.uncounted += [] if told.numbers else [seen.path]
            found.takes.append(_shard(seen.path, told))
    else:
        _in_tar_of_tree(found, seen.path, images, told)


def _in_tar_of_tree(found: Found, path: Path, images: Sequence[str], told: Told) -> None:
    tree = Tree(path, images)
    layout = layout_of(tree, told)
    if isinstance(layout, Question):
        found.questions.append(_of_tar(layout))
        return
    split = told.split or split_of(path.stem)
    found.takes.append(Take(dataset_of_tree(tree, layout, told), Source(Kind.PATHS, path, split, layout=layout)))


def _of_tar(question: Question) -> Question:
    """A question about a tar, which may also be a shard."""
    return question._replace(choices=(*question.choices, Choice("as", "webdataset", LAYOUTS["webdataset"])))


def _official_tar(path: Path, files: Sequence[str], images: Sequence[str], told: Told) -> Take | None:
    promised = kind_by_name(path.name)
    kind = (kind_by_member(files[0]) if files else None) or promised
    if kind is None:
        return None
    folders = [name.split("/")[:-1] for name in images]
    if kind is not Kind.SYNSETS and any(class_of(inner)[0] == "wnid" for inner in folders):
        return None
    if kind is Kind.SYNSET and path.stem != files[0].rpartition("/")[2].partition("_")[0]:
        return None
    wnids = (
        {wnid_of(name.rpartition("/")[2].partition(".")[0]) for name in files} if kind is Kind.SYNSETS else {path.stem}
    )
    ilsvrc = promised is not None or kind in (Kind.VAL, Kind.TEST) or wnids <= set(told.ilsvrc)
    dataset = dataset_of(path, "", True, ilsvrc)
    train = dataset == "ilsvrc2012" and kind not in (Kind.VAL, Kind.TEST)  # whose names tell their split
    return Take(dataset, Source(kind, path, "train" if train else ""))


def _samples(files: Sequence[str]) -> bool:
    """Whether images have companions of their name, as the samples of shards have."""
    keys: dict[str, set[str]] = defaultdict(set)
    for path in files:
        folder, slash, file = path.rpartition("/")
        key, _, extension = file.partition(".")
        keys[folder + slash + key].add(extension.lower())
    return any(extensions & _SAMPLE and extensions - _SAMPLE for extensions in keys.values())


def _shard(path: Path, told: Told) -> Take:
    split = told.split or next(filter(None, map(split_of, re.split(r"[-_.]", path.stem))), "")
    source = Source(Kind.SHARD, path, split, told.numbers)
    return Take(slug(path.absolute().parent.name) or "shards", source)


def _asked_of_shard(seen: Seen, files: Sequence[str], told: Told) -> Question | None:
    """What must be asked before samples are read: whether folders or companions tell classes, what numbers count."""
    if any(class_of(path.split("/")[:-1])[0] == "wnid" for path in files):
        asks = "its images lie in folders of wnids and have companions of their name"
        choices = tuple(Choice("as", name, LAYOUTS[name]) for name in ("imagefolder", "webdataset"))
        return Question(seen.path, asks, choices)
    if not seen.label.isdecimal() or told.numbers or any(path.endswith(".json") for path in files):
        return None
    asks = f"its labels are class numbers ({seen.label} ...), and what they count is not told"
    without = Choice("as", "webdataset", "shards, whose labels are counted and not taken")
    return Question(seen.path, asks, (*possible(NUMBERS[:-1], [int(seen.label)]), without))
