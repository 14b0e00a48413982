"""COCO's JSON as annotators' tools export it: images, categories, and the boxes and masks of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from holotype.errors import ArchiveError
from holotype.imports.boxes import UNREAD, flag, flags_of
from holotype.imports.masks import Mask, outlined
from holotype.imports.tools.names import names_of
from holotype.imports.tools.shapes import NO_BOXES, TURNED, Drawn, Export, Picture, Sheet, called, number, side
from holotype.ontology import is_wnid

TOOL: Final = "coco"
LOST: Final = "annotations of images or categories that the file does not list, which were not taken"
REPEATED: Final = "annotations that are there twice with their ids"
_KINDS: Final = ("images", "annotations", "categories")


def read_coco(value: Mapping[str, Any], where: str) -> Export:
    """What a COCO file says: of a box the category, and of an image those of its boxes and of its ``category_ids``,
    which exports of ours have for images whether they have boxes or not.

    A box is x, y, width and height in pixels, a mask run lengths or polygons; ``iscrowd`` says that it is of a group,
    and ``attributes``, as CVAT writes them, that it is occluded, truncated or difficult. Raises `ArchiveError` where it
    is no such file, and where an id stands for two images or categories.
    """
    images, annotations, categories = (_listed(value, name, where) for name in _KINDS)
    labels = {key: str(one.get("name", "")) for key, one in _by_id(categories, "categories", where).items()}
    wnids = {str(one.get("name", "")): wnid for one in categories if is_wnid(wnid := str(one.get("wnid", "")))}
    known = _by_id(images, "images", where)
    remarks = Counter[str]()
    boxes: dict[Any, list[Drawn]] = {}
    masks: dict[Any, list[Mask]] = {}
    for one in _once(annotations, remarks):
        image = _key(one.get("image_id"))
        label = labels.get(_key(one.get("category_id")), "")
        if image not in known or not label:
            remarks[LOST] += 1
            continue
        if (box := _box(one, label, remarks)) is not None:
            boxes.setdefault(image, []).append(box)
        if (mask := _mask(one, label, known[image], remarks)) is not None:
            masks.setdefault(image, []).append(mask)
    pictures = [_picture(one, labels, boxes.get(key, ()), masks.get(key, ()), remarks) for key, one in known.items()]
    return Export(TOOL, called(f"{TOOL}:{PurePath(where).stem}"), pictures, wnids, remarks)


def _listed(value: Mapping[str, Any], name: str, where: str) -> list[Mapping[str, Any]]:
    found = value.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ArchiveError(f"{where} is no COCO file: it has no list of {name}")
    return found


def _by_id(rows: Iterable[Mapping[str, Any]], name: str, where: str) -> dict[Any, Mapping[str, Any]]:
    found: dict[Any, Mapping[str, Any]] = {}
    for one in rows:
        if found.setdefault(_key(one.get("id")), one) != one:
            raise ArchiveError(f"{where} has two {name} with the id {str(one.get('id'))[:40]}")
    return found


def _key(value: Any) -> Any:
    """An id as it is compared: a number or a text."""
    return value if isinstance(value, int | str) else repr(value)


def _once(annotations: Iterable[Mapping[str, Any]], remarks: Counter[str]) -> Iterable[Mapping[str, Any]]:
    """Annotations, each once; some tools give all the same id, which is no reason to leave them out."""
    seen: dict[Any, Mapping[str, Any]] = {}
    for one in annotations:
        if "id" in one and seen.setdefault(_key(one["id"]), one) is not one and seen[_key(one["id"])] == one:
            remarks[REPEATED] += 1
        else:
            yield one


def _box(one: Mapping[str, Any], label: str, remarks: Counter[str]) -> Drawn | None:
    box, more = one.get("bbox"), one.get("attributes")
    if not box:
        remarks[NO_BOXES] += not one.get("segmentation")
    elif isinstance(more, dict) and number(more.get("rotation") or 0) % 360:
        remarks[TURNED] += 1
    elif not isinstance(box, list) or len(box) != 4 or any((told := number(edge)) != told for edge in box):
        remarks[UNREAD] += 1
    else:
        x, y, width, height = map(number, box)
        about = {**(more if isinstance(more, dict) else {}), "group_of": one.get("iscrowd")}
        return Drawn(label, x, y, x + width, y + height, flags_of(about.get))
    return None


def _mask(one: Mapping[str, Any], label: str, image: Mapping[str, Any], remarks: Counter[str]) -> Mask | None:
    if not (value := one.get("segmentation")):
        return None
    height, width = side(image.get("height")), side(image.get("width"))
    told: list[str] = []
    found = outlined(
        label, value, (height, width) if height and width else None, flag(one.get("iscrowd")) is True, told
    )
    remarks.update(told)
    return found


def _picture(
    about: Mapping[str, Any],
    labels: Mapping[Any, str],
    boxes: Sequence[Drawn],
    masks: Sequence[Mask],
    remarks: Counter[str],
) -> Picture:
    ids = about.get("category_ids")
    told = [labels.get(_key(one), "") for one in ids] if isinstance(ids, list) else []
    remarks[LOST] += told.count("")
    names = names_of(str(about.get("file_name") or ""))
    return Picture(
        names,
        side(about.get("width")),
        side(about.get("height")),
        (Sheet("", [label for label in told if label], boxes, masks=masks),),
    )
