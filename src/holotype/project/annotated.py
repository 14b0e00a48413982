"""What a file of an annotators' tool says of the images, synsets and workers of a project: decided, and not written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Final

from holotype.catalog.annotations import BoxKey, BoxRow, Flags
from holotype.catalog.masks import MaskRow
from holotype.consensus.votes import MACHINE, is_machine
from holotype.errors import AmbiguousLabels, OntologyError
from holotype.imports.masks import OTHER_SIZE
from holotype.imports.tools.shapes import Export, Picture, Sheet, pixels
from holotype.ontology import Synset
from holotype.ontology.senses import described
from holotype.project.given_times import time_of

SEVERAL: Final = "images with boxes of one synset by several annotators, which are all kept"
_WNID: Final = re.compile(r"(?<![A-Za-z0-9])n\d{8}(?!\d)", re.ASCII)
Vote = tuple[int, str, str]
"""An image by its id, a wnid, and the name of the worker who says yes."""


@dataclass(frozen=True, slots=True)
class Site:
    """The image that a picture is of: its id, and its sides in pixels."""

    image: int
    width: int
    height: int


@dataclass(slots=True)
class Said:
    """What a file says of images, by their ids: boxes, what is said of these, masks, and yeses by their Unix times.

    `wordless` counts what was said with labels that mean no synset; `remarks` what else was not taken as it stands.
    """

    boxes: dict[int, Counter[BoxRow]] = field(default_factory=dict)
    flags: dict[BoxKey, Flags] = field(default_factory=dict)
    masks: dict[int, Counter[MaskRow]] = field(default_factory=dict)
    votes: dict[Vote, float] = field(default_factory=dict)
    wordless: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)


def labels_of(export: Export) -> list[str]:
    """Every label of a file, each once."""
    sheets = [sheet for picture in export.pictures for sheet in picture.sheets]
    drawn = ([*one.labels, *(box.label for box in one.boxes), *(mask.label for mask in one.masks)] for one in sheets)
    return list(dict.fromkeys(text for labels in drawn for text in labels))


def meant(
    labels: Iterable[str],
    wnids: Mapping[str, str],
    told: Mapping[str, str],
    known: Callable[[str], Sequence[Synset]],
) -> dict[str, str]:
    """The wnid of each label, "" of one that means no synset.

    What was `told` of a label counts first; then the wnid that the file has for it, one that stands in it, and the one
    synset that it is a lemma of, of those `known`, which a number never is. Raises `AmbiguousLabels` with the senses of
    all that have several.
    """
    found = {label: told[label] if label in told else _senses(label, wnids, known) for label in labels}
    several = {label: some for label, some in found.items() if not isinstance(some, str) and len(some) > 1}
    if several:
        lines = [f"{label[:40]!r} may be {described(sense)}" for label, some in several.items() for sense in some]
        first = f"{len(several):,} of the labels {'has' if len(several) == 1 else 'have'} several senses"
        wide = {label: [sense.wnid for sense in some] for label, some in several.items()}
        raise AmbiguousLabels("\n".join((first, *lines)), wide)
    return {label: some if isinstance(some, str) else some[0].wnid if some else "" for label, some in found.items()}


def _senses(label: str, wnids: Mapping[str, str], known: Callable[[str], Sequence[Synset]]) -> Sequence[Synset]:
    inside = _WNID.findall(label)
    word = wnids.get(label) or (inside[0] if len(inside) == 1 else label)
    if word.strip().isdecimal():  # of a class; "1" and "100" are lemmas by chance
        return ()
    try:
        return known(word)
    except OntologyError:
        return ()


def said_of(export: Export, sites: Sequence[Site | None], wnids: Mapping[str, str], annotator: str, now: float) -> Said:
    """What a file says of the images that its pictures are of, None for none; `annotator` says what nobody is named
    for. Where several drew just the same box or mask, there is one."""
    said = Said()
    by: dict[tuple[int, str], set[str]] = {}
    for site, picture, sheet in _sheets(export, sites):
        name = worker_of(sheet, export.tool, annotator)
        boxes = Counter(_boxes(picture, sheet, site, wnids, said))
        said.boxes[site.image] = said.boxes.get(site.image, Counter()) | boxes
        masks = Counter(_masks(sheet, site, wnids, said))
        if masks:
            said.masks[site.image] = said.masks.get(site.image, Counter()) | masks
        at = time_of(sheet.at)
        shown = (*(box.wnid for box in boxes), *(mask.wnid for mask in masks))
        for wnid in (*_meant(sheet.labels, wnids, said), *shown):
            vote = site.image, wnid, name
            said.votes[vote] = min(said.votes.get(vote, now), now if at is None or at != at else at)
        for box in boxes:
            by.setdefault((site.image, box.wnid), set()).add(name)
    said.remarks[SEVERAL] += len({image for (image, _), names in by.items() if len(names) > 1})
    return said


def worker_of(sheet: Sheet, tool: str, otherwise: str) -> str:
    """The name of the worker whose sheet it is: a machine's where it is of a model, else no machine's."""
    if sheet.machine:
        return f"{MACHINE}{sheet.annotator}"
    return f"{tool}:{sheet.annotator}" if is_machine(sheet.annotator) else sheet.annotator or otherwise


def _sheets(export: Export, sites: Sequence[Site | None]) -> Iterator[tuple[Site, Picture, Sheet]]:
    for picture, site in zip(export.pictures, sites, strict=True):
        if site is not None:
            yield from ((site, picture, sheet) for sheet in picture.sheets)


def _boxes(picture: Picture, sheet: Sheet, site: Site, wnids: Mapping[str, str], said: Said) -> Iterator[BoxRow]:
    for box in sheet.boxes:
        for wnid in _meant([box.label], wnids, said):
            corners, remarks = pixels(box, picture, site.width, site.height)
            said.remarks.update(remarks)
            if corners is not None:
                row, flags = BoxRow(wnid, *corners), Flags(*box.flags)
                said.flags[site.image, row] = said.flags.get((site.image, row), flags).filled(flags)
                yield row


def _masks(sheet: Sheet, site: Site, wnids: Mapping[str, str], said: Said) -> Iterator[MaskRow]:
    for mask in sheet.masks:
        for wnid in _meant([mask.label], wnids, said):
            if (mask.width, mask.height) == (site.width, site.height):
                yield MaskRow(wnid, *astuple(mask)[1:])
            else:
                said.remarks[OTHER_SIZE] += 1


def _meant(labels: Iterable[str], wnids: Mapping[str, str], said: Said) -> Iterator[str]:
    for label in labels:
        if wnids[label]:
            yield wnids[label]
        else:
            said.wordless[label] += 1
