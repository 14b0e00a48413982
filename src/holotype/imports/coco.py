"""COCO's instances: boxes, masks and the classes of each image, which a table maps to wnids."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.geometry.outlines import Size
from holotype.imports.boxes import BAD_URL, UNREAD, Annotation, Box, flag, unless_empty
from holotype.imports.masks import Mask, outlined
from holotype.imports.tables import read_json
from holotype.provenance import in_one_line, is_web_url

NO_WNID: Final = "boxes of classes that no wnid is given for, which were not taken"
_LARGEST: Final = 2 << 30
_FARTHEST: Final = 9_999_999
"""The largest side of a picture, and coordinate of a box."""
_NAME: Final = re.compile(r"instances_(\w+)")


def read_coco(path: Path, table: Mapping[str, str]) -> Iterator[Annotation]:
    """The boxes, masks and classes of each image in an ``instances_*.json``; `table` has the wnid of each class name.

    Boxes are rounded outwards to the pixels they touch; one of a crowd is `Box.group_of`. An image is called by its
    file, below the folder that the list is named by. Raises `ArchiveError` where it is no such file, or no class of it
    has a wnid.
    """
    value = read_json(path, _LARGEST)
    try:
        wnids = {_key(one["id"]): table.get(str(one["name"]), "") for one in value["categories"]}
        said: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
        for one in value["annotations"]:
            said[_key(one["image_id"])].append(one)
        images = [(one, str(one["file_name"])) for one in value["images"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ArchiveError(f"{printable(path)} is no file of COCO's instances: it lacks {error}") from error
    if not any(wnids.values()):
        names = ", ".join(in_one_line(str(one["name"])) for one in [*value["categories"]][:3])
        raise ArchiveError(f"{printable(path)}: no class ({names} ...) is in the table of wnids")
    folder = found[1] if (found := _NAME.match(path.stem)) else ""
    for about, file in images:
        yield _annotation(about, file, folder, said[_key(about.get("id"))], wnids)


def _annotation(
    about: Mapping[str, Any], file: str, folder: str, said: Sequence[Mapping[str, Any]], wnids: Mapping[Any, str]
) -> Annotation:
    remarks: list[str] = []
    boxes = tuple(box for one in said if (box := _box(one, wnids, remarks)) is not None)
    labels = tuple(dict.fromkeys(wnid for one in said if (wnid := wnids.get(_key(one.get("category_id")), ""))))
    width, height = (_side(about.get(name)) for name in ("width", "height"))
    name = f"{folder}/{file}" if folder else file
    aliases = tuple(other for other in (file, f"images/{name}") if other != name)
    urls = [url for key in ("coco_url", "flickr_url") if (url := str(about.get(key) or ""))]
    url = next(filter(is_web_url, urls), "")
    remarks += [BAD_URL] if urls and not url else []
    masks = tuple(_masks(said, wnids, (height, width), remarks))
    return Annotation(name, width, height, boxes, tuple(remarks), labels, url, aliases, masks=masks)


def _key(value: Any) -> Any:
    """An id as it is compared; one that is a list or an object is as good as any text that no other id is."""
    return value if isinstance(value, Hashable) else repr(value)


def _side(value: Any) -> int:
    """The side of a picture in pixels, 0 where what is told is none."""
    return value if type(value) is int and 0 < value <= _FARTHEST else 0


def _masks(
    said: Sequence[Mapping[str, Any]], wnids: Mapping[Any, str], size: Size, remarks: list[str]
) -> Iterator[Mask]:
    """The masks of what has a wnid and an outline; crowds are masks, too."""
    known = size if all(size) else None
    for one in said:
        wnid, value = wnids.get(_key(one.get("category_id")), ""), one.get("segmentation")
        if wnid and value:
            mask = outlined(wnid, value, known, flag(one.get("iscrowd")) is True, remarks)
            if mask is not None:
                yield mask


def _box(one: Mapping[str, Any], wnids: Mapping[Any, str], remarks: list[str]) -> Box | None:
    wnid = wnids.get(_key(one.get("category_id")), "")
    if not wnid:
        remarks.append(NO_WNID)
        return None
    try:
        x, y, width, height = (float(side) for side in one["bbox"])
        corners = math.floor(x), math.floor(y), math.ceil(x + width) - 1, math.ceil(y + height) - 1
    except (KeyError, TypeError, ValueError, OverflowError):
        remarks.append(UNREAD)
        return None
    if max(map(abs, corners)) > _FARTHEST:
        remarks.append(UNREAD)
        return None
    return unless_empty(Box(wnid, *corners, group_of=flag(one.get("iscrowd"))), remarks)
