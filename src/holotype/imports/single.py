"""A single file by its name and its first bytes: an archive, a list, or nothing that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holotype.imports.found import Found
from holotype.imports.known import dataset_of
from holotype.imports.layouts import is_image, official
from holotype.imports.parquet import holds_images
from holotype.imports.peek import look_at_ends, look_into_json, look_into_tar
from holotype.imports.readings import NUMBERS, Choice, Question, Take, Told
from holotype.imports.shapes import Kind, Layout, Source, kind_by_name
from holotype.imports.tars import in_tar
from holotype.store.objects import ObjectPath

_COMPRESSED: Final = re.compile(r"(.+?)(\.tar)?\.(tgz|gz|bz2|xz|zst|zip)", re.IGNORECASE)
_FIRST_KEY: Final = re.compile(r'\s*\{\s*"([^"]+)"')
_WNID_SAID: Final = re.compile(r'[\[:,]\s*"n\d{8}"')
_COCO: Final = re.compile(r'"(images|annotations|categories)"\s*:')
_CATEGORIES: Final = re.compile(r'"categories"\s*:\s*\[(.*)', re.DOTALL)
_NAMED: Final = re.compile(r'"name"\s*:\s*"([^"]+)"')
_NO_INSTANCES: Final = re.compile(r"(captions|person_keypoints|panoptic|stuff|image_info)_\w+\.json")
_MACHINE_NAME: Final = re.compile(r"/[mg]/\w+")
_OPENIMAGES: Final = re.compile(r"annotations-(bbox|human-imagelabels[\w-]*)\.csv$")
_OF_TINY: Final = re.compile(r"val_annotations\.txt|n\d{8}_boxes\.txt")
_URLS: Final = re.compile(r"\w*urls?\w*\.txt")


def in_file(found: Found, path: Path, told: Told, among: bool = False) -> None:
    """A file by its name, and a tar by its first members; `among` others in a folder it may mean nothing.

    Raises `ArchiveError` for a tar that is none.
    """
    kind = kind_by_name(path.name)
    if kind is not None and kind in (Kind.BOXES, Kind.DEVKIT, Kind.SOLUTION, Kind.TEXTS):
        mark = {"gloss.txt": "gloss"}.get(path.name, "words") if kind is Kind.TEXTS else ""
        dataset = _beside(found, path, "ilsvrc2012") if kind is Kind.TEXTS else "ilsvrc2012"
        found.takes.append(Take(dataset, Source(kind, path, mark=mark)))
    elif path.name == "meta.mat" and path.parent.name == "data":
        found.takes.append(Take("ilsvrc2012", Source(Kind.DEVKIT, path.parent.parent)))
    elif path.name == "wnids.txt" and any((path.parent / split).is_dir() for split in ("train", "val")):
        take = Take(dataset_of(path.parent, "", False, True), Source(Kind.TINY, path))
        found.takes += [take] if take not in found.takes else []
    elif _OF_TINY.fullmatch(path.name) and (classes := _classes_above(path)) is not None:
        take = Take(dataset_of(classes.parent, "", False, True), Source(Kind.TINY, classes))
        found.takes += [take] if take not in found.takes else []
    elif _OPENIMAGES.search(path.name):
        names = _MACHINE_NAME.findall(look_into_json(path))
        in_table(found, path, _folder_of(path) / path.name, told, Kind.OPENIMAGES, "Open Images' list", names)
    elif path.suffix == ".parquet":
        _in_parquet(found, path, among)
    elif path.suffix == ".json":
        _in_json(found, path, told, among)
    elif path.name.endswith(".tar"):
        in_tar(found, look_into_tar(path), told)
    elif _URLS.fullmatch(path.name):
        found.takes.append(Take("imagenet21k", Source(Kind.URLS, path)))
    elif compressed := _COMPRESSED.fullmatch(path.name):
        _in_compressed(found, path, compressed[1])
    elif among or is_image(path.name):
        found.passed.append(path)
    else:
        found.problems.append(f"{path} is no archive and no list that is known here")


def _classes_above(path: Path) -> Path | None:
    """Tiny ImageNet's list of classes, above a list of its boxes."""
    return next((one for one in (above / "wnids.txt" for above in path.absolute().parents[1:3]) if one.is_file()), None)


def _in_parquet(found: Found, path: Path, among: bool) -> None:
    """Images in Parquet; what else such files hold lies beside images, as img2dataset's captions and URLs."""
    if isinstance(path, ObjectPath) and not among:
        found.problems.append(f"{path} is Parquet, which is read from a disk alone: fetch it first")
    elif isinstance(path, ObjectPath):
        found.passed.append(path)
    elif holds_images(path):
        found.parquet.append(path)
    elif among:
        found.passed.append(path)
    else:
        found.problems.append(f"{path} is Parquet without images: no column is called image, and none is of bytes")


def _in_json(found: Found, path: Path, told: Told, among: bool) -> None:
    head = look_into_json(path)
    named = _FIRST_KEY.match(head)
    if (names := _categories(path, head)) is not None:
        in_table(found, path, _folder_of(path) / path.name, told, Kind.COCO, "COCO's list of instances", names)
    elif head.lstrip().startswith("[[") or (named and (official(named[1]) or official(f"{named[1]}."))):
        numbers = told.numbers or (told.ilsvrc if "real" in path.name.lower() else ())
        if not numbers and not _WNID_SAID.search(head):
            asks = "its labels are class numbers, and what they count is not told"
            found.ask(Question(path, asks, NUMBERS[:-1]))
        else:
            found.takes.append(Take("ilsvrc2012", Source(Kind.TRUTH, path, classes=numbers)))
    elif among:
        found.passed.append(path)
    else:
        found.problems.append(f"{path} is no list of labels and no file of COCO's instances")


def _categories(path: Path, head: str) -> list[str] | None:
    """Class names of a file of COCO's instances; None for any other, such as its captions and keypoints."""
    named = path.name.startswith("instances_")
    if not named and (_COCO.search(head) is None or _NO_INSTANCES.fullmatch(path.name)):
        return None
    found = _CATEGORIES.search(look_at_ends(path))
    if found is None:
        return [] if named else None
    return _NAMED.findall(found[1].partition("]")[0])


def _folder_of(path: Path) -> Path:
    """The folder of the dataset that a list lies in."""
    return path.parent.parent if path.parent.name == "annotations" else path.parent


def in_table(
    found: Found, path: Path, beside: Path, told: Told, kind: Kind, title: str, names: Sequence[str] = ()
) -> None:
    """A list of COCO's or Open Images', or maps of VOC's, whose classes a table maps to wnids; some of their `names`.
    The images lie in the same folder as `beside`."""
    if not told.table:
        some = f" ({', '.join(list(dict.fromkeys(names))[:3])} ...)" if names else ""
        asks = f"it is {title}, and which wnid each of its classes{some} is, is not told"
        found.ask(Question(path, asks, (Choice("map", "", "FILE, a name and its wnid a line"),)))
        return
    dataset = _beside(found, beside, dataset_of(beside.parent, "", False, True))
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
