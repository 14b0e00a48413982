"""What formats of boxes have in common: categories, names by which annotators know them, and what is remarked."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Final

import pyarrow.compute as pc

from holotype.errors import WordNetNotFound, WrongWordNet
from holotype.releases.census import batches
from holotype.releases.exports.chosen import Chosen
from holotype.releases.exports.names import LONGEST
from holotype.releases.exports.samples import Class, ExportedBox, Sample
from holotype.releases.layout import BOXES, MASKS
from holotype.releases.release import ontology_of

UPRIGHT: Final = "their sizes and boxes are those of the picture turned upright, as this format's readers turn it"


class Categories:
    """The classes of what was chosen and of its release's boxes and masks, in the order of their wnids; so those of one
    split have the numbers of all."""

    def __init__(self, chosen: Chosen) -> None:
        self._chosen = chosen
        known = {one.wnid: one for one in chosen.classes}
        files = [file for file in (BOXES, MASKS) if (chosen.release.path / file).exists()]
        tables = (table for file in files for table in batches(chosen.release.path / file, ["wnid"]))
        wnids = sorted({*known, *(wnid for table in tables for wnid in pc.unique(table["wnid"]).to_pylist())})
        self.classes = [
            Class(number, wnid, known[wnid].lemmas, known[wnid].gloss) if wnid in known else Class(number, wnid, (), "")
            for number, wnid in enumerate(wnids)
        ]
        self.number: Mapping[str, int] = {one.wnid: one.number for one in self.classes}

    @cached_property
    def names(self) -> Sequence[str]:
        """What each is called, all different: its first lemma, with its wnid where several are called so."""
        plain = [readable(one.name) for one in self.classes]
        several = Counter(name.casefold() for name in plain)
        return [
            name if several[name.casefold()] == 1 else f"{name} ({one.wnid})"
            for name, one in zip(plain, self.classes, strict=True)
        ]

    @cached_property
    def labels(self) -> Sequence[str]:
        """What annotators choose from, all different: the first lemma and the wnid, by which it is known again."""
        return [one.wnid if one.name == one.wnid else f"{readable(one.name)} ({one.wnid})" for one in self.classes]

    @cached_property
    def above(self) -> Sequence[str]:
        """The first lemma of what is above each, or of itself where that is not known."""
        try:
            ontology = ontology_of(self._chosen.release)
        except (WordNetNotFound, WrongWordNet):
            return [one.name for one in self.classes]
        found = []
        for one in self.classes:
            parents = ontology.parents(one.wnid) if one.wnid in ontology else ()
            found.append(readable(parents[0].name if parents else one.name))
        return found


def readable(name: str) -> str:
    """A name without what cannot be printed, and not too long."""
    return "".join(one if one.isprintable() else " " for one in name)[:LONGEST]


def voc_marks(box: ExportedBox) -> list[tuple[str, int]]:
    """What PASCAL VOC says of an object beside its box: its readers want to hear whether it is truncated and difficult,
    0 where nobody said, and read whether it is occluded."""
    flags = {"truncated": False, "difficult": False, **box.flags}
    return [(name, int(flags[name])) for name in ("truncated", "occluded", "difficult") if name in flags]


class Noted:
    """What is noted of images on the way, for the remarks of an export."""

    def __init__(self) -> None:
        self.boxes = 0
        self._bare = 0
        self._turned = 0
        self._unknown = 0

    def boxes_of(self, sample: Sample, needs_size: bool = False) -> Sequence[ExportedBox]:
        """The boxes of an image; none where the format `needs_size` and that is not known."""
        boxes = sample.boxes
        self._turned += sample.rows[0]["orientation"] > 1
        if needs_size and not all(sample.size):
            self._unknown += len(boxes)
            boxes = ()
        self._bare += not boxes
        self.boxes += len(boxes)
        return boxes

    def remarks(self, turned: str) -> list[str]:
        """What to know of an export, `turned` of images that are stored turned."""
        bare = "images have labels and no box: a detector takes them for pictures without anything"
        told = (
            (self._bare, bare),
            (self._turned, f"images are stored turned (EXIF): {turned}"),
            (self._unknown, "boxes are left out, of images of unknown size"),
        )
        return [f"{count:,} {text}" for count, text in told if count]


class Lists:
    """Lists of a JSON object that grow by the side of each other, and on the disk."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._stack = ExitStack()
        self._files: dict[str, IO[str]] = {}
        for name in names:
            file = tempfile.TemporaryFile("w+", encoding="utf-8", dir=folder)  # noqa: SIM115 - closed with the stack
            self._files[name] = self._stack.enter_context(file)

    def __enter__(self) -> Lists:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, name: str, value: Any) -> None:
        """Append to a list."""
        file = self._files[name]
        file.write((",\n" if file.tell() else "\n") + as_json(value))

    def write(self, path: Path, head: Mapping[str, Any]) -> None:
        """Write the object: what is in `head`, then the lists."""
        with path.open("w", encoding="utf-8") as out:
            start = "".join(f"{as_json(key)}: {as_json(value)},\n" for key, value in head.items())
            out.write("{" + start)
            for number, (name, file) in enumerate(self._files.items()):
                out.write(("],\n" if number else "") + f"{as_json(name)}: [")
                file.seek(0)
                while text := file.read(1 << 20):
                    out.write(text)
            out.write("]}\n")


def as_json(value: Any) -> str:
    """A value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
