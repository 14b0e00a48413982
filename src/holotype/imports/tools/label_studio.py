"""Label Studio's JSON: tasks, each with what several people said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath, PurePosixPath
from typing import Any, Final

from holotype.errors import ArchiveError
from holotype.imports.boxes import UNREAD
from holotype.imports.tools.names import DIGEST, names_of
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

TOOL: Final = "label-studio"
SKIPPED: Final = "tasks that their annotator skipped"
PREDICTED: Final = "predictions of models, which were not taken"
REGIONS: Final = "choices for a part of an image, which were not taken"
NO_LABELS: Final = "answers that are no labels, which were not taken"
_BOXES: Final = ("rectanglelabels", "labels")
_PERCENT: Final = 100.0
_IDS: Final = ("sha256", "id")
"""Where exports of ours have the digest of an image, beside its address."""
_ENDINGS: Final = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic"}


def read_label_studio(tasks: list[Any], where: str, predictions: bool = False) -> Export:
    """What a JSON export says; of models, too, with `predictions`, as machines that vote.

    A box is in percent of the sides of its image. Raises `ArchiveError` where it is no such export.
    """
    remarks = Counter[str]()
    pictures = [_picture(task, number, where, predictions, remarks) for number, task in enumerate(tasks, 1)]
    return Export(TOOL, called(f"{TOOL}:{PurePath(where).stem}"), pictures, {}, remarks)


def _picture(task: Any, place: int, where: str, predictions: bool, remarks: Counter[str]) -> Picture:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        other = "a detector's results, which name no classes" if isinstance(task, dict) and "bbox" in task else ""
        told = f"it is {other}" if other else f"task {place:,} has no data; export as JSON, and not as JSON-MIN"
        raise ArchiveError(f"{where} is no JSON export of Label Studio: {told}")
    said = _dicts(task.get("annotations") or task.get("completions"))
    sheets = [sheet for one in said if (sheet := _sheet(one, remarks)) is not None]
    guesses = list(_dicts(task.get("predictions")))
    if predictions:
        sheets += [sheet for one in guesses if (sheet := _sheet(one, remarks, machine=True)) is not None]
    else:
        remarks[PREDICTED] += len(guesses)
    width, height = next(_sizes([*said, *guesses]), (0, 0))
    return Picture(_names(task, data), width, height, sheets, (_PERCENT, _PERCENT))


def _names(task: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[str, ...]:
    """What the image of a task may be called: by its digest, by any address in its data, by the file uploaded."""
    ids = [value for key in _IDS if DIGEST.fullmatch(value := str(data.get(key, "")))]
    texts = [value for value in (*data.values(), task.get("file_upload")) if isinstance(value, str)]
    addresses = [one for one in texts if "/" in one or PurePosixPath(one).suffix.lower() in _ENDINGS]
    return tuple(dict.fromkeys((*ids, *(name for one in addresses for name in names_of(one)))))


def _sheet(said: Mapping[str, Any], remarks: Counter[str], machine: bool = False) -> Sheet | None:
    """What one annotation says; None where it was skipped."""
    if said.get("was_cancelled"):
        remarks[SKIPPED] += 1
        return None
    results = list(_dicts(said.get("result")))
    labelled = {repr(one.get("id")) for one in results if one.get("type") in _BOXES}
    labels: list[str] = []
    boxes: list[Drawn] = []
    for one in results:
        value, kind = one.get("value"), str(one.get("type"))
        if not isinstance(value, dict):
            remarks[NO_LABELS] += kind != "relation"
        elif kind in _BOXES and "width" in value and "height" in value:
            boxes += _boxes(one, value, _texts(value.get(kind)), remarks)
        elif kind in ("choices", "taxonomy"):
            if "x" in value or "points" in value:
                remarks[REGIONS] += 1
            else:
                labels += _texts(value.get(kind))
        elif kind == "rectangle":
            remarks[UNLABELLED] += repr(one.get("id")) not in labelled
        else:
            remarks[NO_BOXES if kind.endswith("labels") else NO_LABELS] += 1
    name = str(said.get("model_version") or TOOL) if machine else _person(said)
    return Sheet(called(name), labels, boxes, str(said.get("created_at") or ""), machine)


def _boxes(
    one: Mapping[str, Any], value: Mapping[str, Any], labels: list[str], remarks: Counter[str]
) -> Iterator[Drawn]:
    """The box of a region, for each of its labels."""
    turned = number(one.get("image_rotation") or 0), number(value.get("rotation") or 0)
    left, top, width, height = (number(value.get(name)) for name in ("x", "y", "width", "height"))
    if not labels:
        remarks[UNLABELLED] += 1
    elif any(angle % 360 for angle in turned):
        remarks[TURNED] += 1
    elif any(edge != edge for edge in (left, top, width, height)):
        remarks[UNREAD] += 1
    else:
        yield from (Drawn(label, left, top, left + width, top + height) for label in labels)


def _texts(value: Any) -> list[str]:
    """Labels: texts, or paths of a taxonomy, of which the last counts."""
    some = value if isinstance(value, list) else [value]
    lasts = [one[-1] if isinstance(one, list) and one else one for one in some]
    return [one for one in lasts if isinstance(one, str) and one.strip()]


def _person(said: Mapping[str, Any]) -> str:
    """The name of who made an annotation: an address, a name, or a number of Label Studio's."""
    who = said.get("completed_by")
    if isinstance(who, dict):
        names = (who.get(key) for key in ("email", "username", "id"))
        who = next((one for one in names if one not in (None, "")), None)
    if isinstance(who, int) and not isinstance(who, bool):
        return f"{TOOL}:{who}"
    return who if isinstance(who, str) else ""


def _sizes(said: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    """The sides of the image that results tell."""
    for one in said:
        for result in _dicts(one.get("result")):
            width, height = side(result.get("original_width")), side(result.get("original_height"))
            if width and height:
                yield width, height


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
