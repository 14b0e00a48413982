"""CVAT for images 1.1: an XML file with the tags and boxes of each image."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from holotype.errors import ArchiveError
from holotype.imports.boxes import UNREAD, flags_of
from holotype.imports.tools.names import names_of
from holotype.imports.tools.shapes import (
    NO_BOXES,
    TURNED,
    UNLABELLED,
    Drawn,
    Export,
    Picture,
    Sheet,
    called,
    number,
    side,
)

TOOL: Final = "cvat"
_EDGES: Final = ("xtl", "ytl", "xbr", "ybr")


def read_cvat(data: bytes, where: str) -> Export:
    """What the XML of CVAT for images says, by whom the job or task of an image is assigned to.

    The edges of a box are in pixels. Whether it is occluded it says itself; truncated, difficult or ``group_of`` are
    attributes that a task may have. Raises `ArchiveError` for what is no such XML, has a DTD, or is of a video.
    """
    remarks = Counter[str]()
    pictures: list[Picture] = []
    people: dict[str, str] = {}
    task, root = "", None
    try:
        for event, one in iterparse(io.BytesIO(data), ("start", "end"), forbid_dtd=True):
            if root is None:
                root = one
                _check_root(root, where)
            elif event == "end" and one.tag == "meta":
                people, task = _people(one), _task(one)
            elif event == "end" and one.tag == "image":
                pictures.append(_picture(one, people, remarks))
                root.clear()
            elif one.tag == "track":
                raise ArchiveError(f"{where} is of a video: export it as CVAT for images 1.1")
    except (ParseError, ValueError, LookupError) as error:  # ValueError: what defusedxml forbids
        raise ArchiveError(f"{where} is not XML that is read here: {str(error).splitlines()[0][:100]}") from error
    return Export(TOOL, called(f"{TOOL}:{task or PurePath(where).stem}"), pictures, {}, remarks)


def _check_root(root: Element, where: str) -> None:
    if root.tag != "annotations":
        raise ArchiveError(f"{where} is no XML of CVAT for images: its root is {root.tag[:40]!r}")


def _people(meta: Element) -> dict[str, str]:
    """Who is assigned to each task, by its id; to the job or the only task, by ""."""
    found = {task.findtext("id") or "": _assignee(task) for task in meta.iterfind("project/tasks/task")}
    return found | {"": next((name for path in ("job", "task") if (name := _assignee(meta.find(path)))), "")}


def _assignee(about: Element | None) -> str:
    return "" if about is None else (about.findtext("assignee/username") or "").strip()


def _task(meta: Element) -> str:
    """What the task, the job or the project is called."""
    names = (meta.findtext(f"{kind}/{key}") for kind in ("task", "project", "job") for key in ("name", "id"))
    return next((name.strip() for name in names if name and name.strip()), "")


def _picture(image: Element, people: Mapping[str, str], remarks: Counter[str]) -> Picture:
    tags = [one.get("label", "") for one in image.iterfind("tag")]
    boxes = [box for one in image.iterfind("box") if (box := _box(one, remarks)) is not None]
    remarks[NO_BOXES] += sum(one.tag not in ("tag", "box") for one in image)
    who = people.get(image.get("task_id", ""), "") or people.get("", "")
    sheet = Sheet(called(who), [tag for tag in tags if tag.strip()], boxes)
    width, height = side(image.get("width")), side(image.get("height"))
    return Picture(names_of(image.get("name", "")), width, height, (sheet,))


def _box(one: Element, remarks: Counter[str]) -> Drawn | None:
    left, top, right, bottom = (number(one.get(name)) for name in _EDGES)
    label = one.get("label", "")
    if not label.strip():
        remarks[UNLABELLED] += 1
    elif number(one.get("rotation") or 0) % 360:
        remarks[TURNED] += 1
    elif any(edge != edge for edge in (left, top, right, bottom)):
        remarks[UNREAD] += 1
    else:
        told = {attribute.get("name", ""): attribute.text for attribute in one.iterfind("attribute")}
        told["occluded"] = one.get("occluded", "")
        return Drawn(label, left, top, right, bottom, flags_of(told.get))
    return None
