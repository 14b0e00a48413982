"""What stands beside the image of a WebDataset sample, and what its label is where several things say it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from holotype.errors import ArchiveError
from holotype.imports.boxes import BAD_URL, NO_ANNOTATION, Annotation, Box, box_of, flagged, parse_voc
from holotype.ontology import is_wnid
from holotype.provenance import LONGEST_LICENCE, in_one_line, is_web_url

NEITHER: Final = "labels that are neither a wnid nor the number of a class, which were not taken"
UNCOUNTED: Final = "labels that are class numbers, not taken because what they count is not told"
NO_SUCH: Final = "labels that are no number of a class, which were not taken"
CONTRADICTED: Final = "labels that contradict the wnid of their sample, which was taken"
NO_JSON: Final = "files .json that cannot be read, which were not taken"
NO_OBJECT: Final = "files .json that hold no object, which were not taken"
DOUBLED: Final = "keys that a .json has twice with different values, which were not taken"
SCORES: Final = "lists of several class numbers, which may be scores, and were not taken"
NO_LICENCE: Final = "licences that are no text or over the limit, which were not taken"
UNPRINTABLE: Final = "licences with characters that cannot be printed, which were replaced"
SECOND_LIST: Final = "further lists of boxes of a sample, which were not taken"
STRANGE_BOX: Final = "boxes that are not xmin, ymin, xmax, ymax, which were not taken"
_LABELS: Final = ("wnid", "label", "cls", "class", "wnids", "labels")
_LISTS: Final = ("boxes", "bboxes", "objects")
_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class Sample:
    """What is said of a sample: the wnids it shows, most important first; boxes; size in pixels, 0 where unknown; URL
    and licence, "" where there is none; and what was not taken, each reason as often as it occurred."""

    wnids: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    width: int = 0
    height: int = 0
    url: str = ""
    licence: str = ""
    remarks: tuple[str, ...] = ()


def read_sample(members: Mapping[str, bytes], classes: Sequence[str]) -> Sample:
    """What the members of a sample say, by extension: ``cls``, ``json`` and ``xml``.

    `classes` are the wnids that class numbers count, empty where that is not told. A wnid, best of the ``.json``, wins
    over the number of a class; where they contradict each other that is a remark.

    >>> read_sample({"cls": b"1", "json": b'{"wnid": "n02084071"}'}, ["n01440764", "n02123045"]).wnids
    ('n02084071',)
    """
    remarks: list[str] = []
    about = _object(members["json"], remarks) if "json" in members else {}
    wnids, numbers = _said(about, members.get("cls"), remarks)
    counted = [_counted(number, classes, remarks, told=bool(wnids)) for number in numbers]
    labels = tuple(dict.fromkeys(wnids)) or tuple(dict.fromkeys(filter(None, counted)))[:1]
    remarks += [CONTRADICTED for wnid in filter(None, counted) if wnid not in labels]
    label = labels[0] if labels else ""
    annotated = _annotated(members.get("xml"), label, remarks)
    boxes = (*_boxes(about, label, remarks), *annotated.boxes)
    sizes = _sizes(about) or (annotated.width, annotated.height)
    url, licence = _url(about, remarks), _licence(about, remarks)
    return Sample(labels, boxes, *sizes, url, licence, tuple(remarks))


def _object(data: bytes, remarks: list[str]) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            for key in {key for key, value in pairs if value != found[key]}:
                del found[key]
                remarks.append(DOUBLED)
        return found

    try:
        value = json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError):
        remarks.append(NO_JSON)
        return {}
    if not isinstance(value, dict):
        remarks.append(NO_OBJECT)
        return {}
    return value


def _said(about: Mapping[str, Any], cls: bytes | None, remarks: list[str]) -> tuple[list[str], list[str]]:
    """The wnids and the numbers of classes that are said; of two explicit wnids that of the ``.json`` wins."""
    texts = [text for key in _LABELS for text in _texts(about.get(key), remarks)]
    wnids = [text for text in texts if is_wnid(text)]
    numbers = [text for text in texts if text.isdecimal()]
    remarks += [NEITHER for text in texts if not is_wnid(text) and not text.isdecimal()]
    text = "" if cls is None else cls.decode(errors="replace").strip()
    if text.isdecimal():
        numbers.append(text)
    elif is_wnid(text):
        remarks += [CONTRADICTED] if wnids and text not in wnids else []
        wnids = wnids or [text]
    elif cls is not None:
        remarks.append(NEITHER)
    return wnids, numbers


def _texts(value: Any, remarks: list[str]) -> list[str]:
    """The wnids and class numbers in the value of a key, and whatever else is in it, as text."""
    texts = [text for one in (value if isinstance(value, list) else [value]) for text in _words(one)]
    if isinstance(value, list) and sum(text.isdecimal() for text in texts) > 1:
        remarks.append(SCORES)
        return [text for text in texts if is_wnid(text)]
    return texts


def _words(value: Any) -> Iterator[str]:
    """A text without blanks around it, of several wnids each; a whole number as its digits; nothing for nothing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value).strip()
    words = text.replace(",", " ").split()
    yield from words if all(map(is_wnid, words)) else [text]


def _counted(number: str, classes: Sequence[str], remarks: list[str], told: bool) -> str:
    """The wnid of a class number; "" with a remark where there is none, unless the sample is `told` otherwise."""
    if not classes:
        remarks += [] if told else [UNCOUNTED]
        return ""
    wnid = classes[int(number)] if len(number) < 7 and int(number) < len(classes) else ""
    remarks += [] if wnid else [NO_SUCH]
    return wnid


def _boxes(about: Mapping[str, Any], label: str, remarks: list[str]) -> list[Box]:
    found: list[Box] = []
    lists = [about[key] for key in _LISTS if about.get(key)]
    remarks += [SECOND_LIST for _ in lists[1:]]
    for one in lists[0] if lists and isinstance(lists[0], list) else lists[:1]:
        if not isinstance(one, dict) or not all(corner in one for corner in _CORNERS):
            remarks.append(STRANGE_BOX)
            continue
        wnid = next((str(one[key]) for key in ("wnid", *_LABELS, "name") if is_wnid(str(one.get(key)))), label)
        box = box_of(wnid, [str(one[corner]) for corner in _CORNERS], remarks)
        found += [] if box is None else [flagged(box, one.get)]
    return found


def _annotated(xml: bytes | None, label: str, remarks: list[str]) -> Annotation:
    if xml is None:
        return Annotation("", 0, 0, ())
    try:
        found = parse_voc(xml, f"{label}_.xml")
    except ArchiveError:
        remarks.append(NO_ANNOTATION)
        return Annotation("", 0, 0, ())
    remarks += found.remarks
    return found


def _sizes(about: Mapping[str, Any]) -> tuple[int, int] | None:
    """The size of the image, as img2dataset says it."""
    width, height = about.get("width"), about.get("height")
    if type(width) is int and type(height) is int and 0 < width < 1 << 24 and 0 < height < 1 << 24:
        return width, height
    return None


def _url(about: Mapping[str, Any], remarks: list[str]) -> str:
    url = about.get("url")
    if not url:
        return ""
    if not isinstance(url, str) or not is_web_url(url):
        remarks.append(BAD_URL)
        return ""
    return url


def _licence(about: Mapping[str, Any], remarks: list[str]) -> str:
    said = next((about[key] for key in ("licence", "license") if about.get(key)), "")
    line = in_one_line(said) if isinstance(said, str) else ""
    if len(line) > LONGEST_LICENCE or not isinstance(said, str):
        remarks.append(NO_LICENCE)
        return ""
    remarks += [] if line == " ".join(said.split()) else [UNPRINTABLE]
    return line
