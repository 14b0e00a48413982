"""Finding what there is in the files and folders a user names, whatever their layout: `find`."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.imports.known import dataset_of, slug
from holotype.imports.layouts import is_image, official, split_of, wnid_of
from holotype.imports.objectnet import BORDER, FOLDERS, read_objectnet
from holotype.imports.peek import Seen, look_around, look_into_json, look_into_tar
from holotype.imports.readings import (
    LAYOUTS,
    NUMBERS,
    Choice,
    Question,
    Take,
    Told,
    Tree,
    above_of,
    class_of,
    dataset_of_tree,
    layout_of,
    root_of,
)
from holotype.imports.shapes import Kind, Layout, Source, kind_by_member, kind_by_name

_COMPRESSED: Final = re.compile(r"(.+?)(\.tar)?\.(tgz|gz|bz2|xz|zst|zip)", re.IGNORECASE)
_SAMPLE: Final = frozenset({"cls", "json", "txt", "xml", "cls.txt"})
_FIRST_KEY: Final = re.compile(r'\s*\{\s*"([^"]+)"')
_WNID_SAID: Final = re.compile(r'[\[:,]\s*"n\d{8}"')
_COCO: Final = re.compile(r'"(annotations|categories)"\s*:')
_OPENIMAGES: Final = re.compile(r"annotations-(bbox|human-imagelabels[\w-]*)\.csv$")
_URLS: Final = re.compile(r"\w*urls?\w*\.txt")
_ORDER: Final = tuple(Kind)


@dataclass(slots=True)
class Found:
    """What there is: sources by dataset, questions that must be answered first, a line for each path that cannot be
    taken, Parquet files, whose images cannot be read in place, and the files that mean nothing here."""

    takes: list[Take] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    parquet: list[Path] = field(default_factory=list)
    passed: list[Path] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How much was found that can be acted on."""
        return len(self.takes) + len(self.questions) + len(self.problems) + len(self.parquet)

    def by_dataset(self, name: str | None) -> dict[str, list[Source]]:
        """The sources of each dataset, images first; all of them under `name` where one is given."""
        found: dict[str, dict[Source, None]] = defaultdict(dict)
        for dataset, source in self.takes:
            found[name or dataset][source] = None
        return {
            dataset: sorted(sources, key=lambda source: (_ORDER.index(source.kind), source.path))
            for dataset, sources in found.items()
        }


def find(paths: Sequence[Path], told: Told) -> Found:
    """What there is to add at some paths. Only names are looked at, of tars the first members."""
    found = Found()
    for path in paths:
        try:
            known = found.size
            if path.is_dir():
                _in_folder(found, look_around(path), told)
            else:
                _in_file(found, path, told)
            if known == found.size:
                found.problems.append(f"{path} holds no images, archives or lists that are known here")
        except ArchiveError as error:
            found.problems.append(str(error))
    return found


def _in_folder(found: Found, seen: Seen, told: Told) -> None:
    mappings = _mappings(seen)
    if mappings is not None:
        told = replace(told, table=read_objectnet(mappings, told.ilsvrc), counted=BORDER)
    for tree in _trees(seen):
        _in_tree(found, tree, told)
    if told.follow:
        _along_links(found, seen, told)
    elif seen.links and not found.takes:
        many = f"{len(seen.links):,} links to folders, which are not followed below it"
        found.problems.append(f"{seen.path} holds {many}; to take the folders they lead to: --follow-links")
    boxes = [path for path in seen.files if path.endswith(".xml")]
    if boxes:
        found.takes.append(_boxes(found, seen.path, boxes))
    for path in seen.files:
        if not is_image(path.rpartition("/")[2]) and not path.endswith(".xml"):
            _in_file(found, seen.path / path, told, among=True)


def _mappings(seen: Seen) -> Path | None:
    """The folder of ObjectNet's mappings, in a folder or beside it; None where there is none."""
    inside = (seen.path / path for path in seen.files if path.rpartition("/")[2] == FOLDERS)
    beside = seen.path.absolute().parent / "mappings" / FOLDERS
    file = next(inside, beside if beside.is_file() else None)
    return None if file is None else file.parent


def _trees(seen: Seen) -> list[Tree]:
    """The images that were seen of a folder, by the root of their layout, which may lie above the folder itself."""
    above = above_of(seen.path.absolute())
    trees: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in seen.files:
        if is_image(path.rpartition("/")[2]):
            root = root_of(f"{above}/{path}" if above else path)
            if above and len(root) < len(above):
                trees["", above[len(root) :].strip("/")].append(path)
            else:
                trees[root[len(above) :].strip("/"), ""].append(path)
    return [
        Tree(seen.path / prefix, [path[len(prefix) + 1 if prefix else 0 :] for path in images], front)
        for (prefix, front), images in trees.items()
    ]


def _in_tree(found: Found, tree: Tree, told: Told) -> None:
    layout = layout_of(tree, told)
    if isinstance(layout, Question):
        found.questions.append(layout)
        return
    split = told.split or next(filter(None, map(split_of, tree.above.split("/"))), "")
    source = Source(Kind.TREE, tree.root, split, layout=layout)
    found.takes.append(Take(dataset_of_tree(tree, layout, told), source))


def _along_links(found: Found, seen: Seen, told: Told) -> None:
    """Links to folders of classes, each a source of its own: below a root no link is followed."""
    inside = {link: [f"{link}/{path}" for path in look_around(seen.path / link).files] for link in seen.links}
    images = {link: [path for path in paths if is_image(path.rpartition("/")[2])] for link, paths in inside.items()}
    for tree in _trees(Seen(seen.path, tuple(path for paths in images.values() for path in paths))):
        layout = layout_of(tree, told)
        if isinstance(layout, Question):
            found.questions.append(layout)
            continue
        dataset = dataset_of_tree(tree, layout, told)
        for link in (link for link in seen.links if images[link] and (seen.path / link).is_relative_to(tree.root)):
            above = "/".join(filter(None, (tree.above, (seen.path / link).relative_to(tree.root).as_posix())))
            source = Source(Kind.TREE, seen.path / link, told.split, layout=replace(layout, above=above))
            found.takes.append(Take(dataset, source))


def _boxes(found: Found, root: Path, files: Sequence[str]) -> Take:
    """A folder of annotations: the innermost that holds all of them that were seen."""
    folders = [path.rpartition("/")[0] for path in files]
    source = Source(Kind.BOXES, root / os.path.commonpath(folders) if all(folders) else root)
    named = [official(path.rpartition("/")[2]) for path in files]
    if not any(named) and (beside := {take.dataset for take in found.takes}):
        return Take(sorted(beside)[0], source)
    return Take(dataset_of(source.path, "", any(named), True), source)


def _in_file(found: Found, path: Path, told: Told, among: bool = False) -> None:
    """A file by its name, and a tar by its first members; `among` others in a folder it may mean nothing."""
    kind = kind_by_name(path.name)
    if kind is not None and kind in (Kind.BOXES, Kind.DEVKIT, Kind.SOLUTION, Kind.TEXTS):
        mark = {"gloss.txt": "gloss"}.get(path.name, "words") if kind is Kind.TEXTS else ""
        dataset = _beside(found, path, "ilsvrc2012") if kind is Kind.TEXTS else "ilsvrc2012"
        found.takes.append(Take(dataset, Source(kind, path, mark=mark)))
    elif path.name == "meta.mat" and path.parent.name == "data":
        found.takes.append(Take("ilsvrc2012", Source(Kind.DEVKIT, path.parent.parent)))
    elif path.name == "wnids.txt" and any((path.parent / split).is_dir() for split in ("train", "val")):
        found.takes.append(Take(dataset_of(path.parent, "", False, True), Source(Kind.TINY, path)))
    elif _OPENIMAGES.search(path.name):
        _in_table(found, path, told, Kind.OPENIMAGES, "Open Images' list")
    elif path.suffix == ".parquet":
        found.parquet.append(path)
    elif path.suffix == ".json":
        _in_json(found, path, told, among)
    elif path.name.endswith(".tar"):
        _in_tar(found, look_into_tar(path), told)
    elif _URLS.fullmatch(path.name):
        found.takes.append(Take("imagenet21k", Source(Kind.URLS, path)))
    elif compressed := _COMPRESSED.fullmatch(path.name):
        _in_compressed(found, path, compressed[1])
    elif among or is_image(path.name):
        found.passed.append(path)
    else:
        found.problems.append(f"{path} is no archive and no list that is known here")


def _in_json(found: Found, path: Path, told: Told, among: bool) -> None:
    head = look_into_json(path)
    named = _FIRST_KEY.match(head)
    if _COCO.search(head) or path.name.startswith("instances_"):
        _in_table(found, path, told, Kind.COCO, "COCO's list of instances")
    elif head.lstrip().startswith("[[") or (named and (official(named[1]) or official(f"{named[1]}."))):
        numbers = told.numbers or (told.ilsvrc if "real" in path.name.lower() else ())
        if not numbers and not _WNID_SAID.search(head):
            asks = "its labels are class numbers, and what they count is not told"
            found.questions.append(Question(path, asks, NUMBERS[:-1]))
        else:
            found.takes.append(Take("ilsvrc2012", Source(Kind.TRUTH, path, classes=numbers)))
    elif among:
        found.passed.append(path)
    else:
        found.problems.append(f"{path} is no list of labels and no file of COCO's instances")


def _in_table(found: Found, path: Path, told: Told, kind: Kind, title: str) -> None:
    """A list of COCO's or Open Images', whose classes a table maps to wnids."""
    if not told.table:
        asks = f"it is {title}, and which wnid each of its classes is is not told"
        found.questions.append(Question(path, asks, (Choice("--map", "", "FILE, a name and its wnid a line"),)))
        return
    folder = path.parent.parent if path.parent.name == "annotations" else path.parent
    dataset = _beside(found, folder / path.name, dataset_of(folder, "", False, True))
    found.takes.append(Take(dataset, Source(kind, path, layout=Layout(title, classes=tuple(told.table.items())))))


def _beside(found: Found, path: Path, otherwise: str) -> str:
    """The dataset of the images in the folder that a list lies in."""
    inside = (take.dataset for take in found.takes if take.source.path.is_relative_to(path.parent))
    return next(inside, otherwise)


def _in_compressed(found: Found, path: Path, stem: str) -> None:
    if (path.parent / f"{stem}.tar").exists() or (path.parent / stem).is_dir():
        found.passed.append(path)
        return
    tool = "unzip" if path.name.lower().endswith("zip") else "gunzip" if path.name.endswith("gz") else "decompress"
    found.problems.append(
        f"{path} is compressed: inside it no image can be read in place; decompress it first ({tool} {path.name})"
    )


def _in_tar(found: Found, seen: Seen, told: Told) -> None:
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
            found.questions.append(question)
        else:
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
    return question._replace(choices=(*question.choices, Choice("--as", "webdataset", LAYOUTS["webdataset"])))


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
    return Take(dataset, Source(kind, path, "train" if dataset == "ilsvrc2012" else ""))


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
        choices = tuple(Choice("--as", name, LAYOUTS[name]) for name in ("imagefolder", "webdataset"))
        return Question(seen.path, asks, choices)
    if not seen.label.isdecimal() or told.numbers or any(path.endswith(".json") for path in files):
        return None
    asks = f"its labels are class numbers ({seen.label} ...), and what they count is not told"
    without = Choice("--as", "webdataset", "shards, whose labels are counted and not taken")
    return Question(seen.path, asks, (*NUMBERS[:-1], without))
