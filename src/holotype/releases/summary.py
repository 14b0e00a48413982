"""What ``release.json`` says is of the kinds that it has: a release that others hand on may say anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from holotype.ontology import is_wnid
from holotype.releases.faces import FACES
from holotype.releases.layout import BOXES_CUT, BOXES_OUTSIDE, METADATA, OTHER_SIZES, TAKEN_DOWN

Test = Callable[[Any], bool]


def wrong_in(summary: Mapping[str, Any]) -> str:
    """The first part of a summary that is missing or of another kind than parts of that name are; "" where none is."""
    missing = (name for name, is_one in _NEEDED.items() if not is_one(summary.get(name)))
    other = (name for name, is_one in _MAYBE.items() if name in summary and not is_one(summary[name]))
    return next(missing, "") or next(other, "")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _is_list(of: Test) -> Test:
    return lambda value: isinstance(value, list) and all(map(of, value))


def _is_map(to: Test) -> Test:
    return lambda value: isinstance(value, dict) and all(map(to, value.values()))


def _has(needed: Mapping[str, Test], maybe: Mapping[str, Test] = MappingProxyType({})) -> Test:
    """A test for a map that has some values, and of others none or such a one."""
    return lambda value: (
        isinstance(value, dict)
        and all(is_one(value.get(name)) for name, is_one in needed.items())
        and all(is_one(value[name]) for name, is_one in maybe.items() if name in value)
    )


def _are_classes(value: Any) -> bool:
    named = _has(
        {"wnid": lambda wnid: _is_text(wnid) and is_wnid(wnid)}, {"lemmas": _is_list(_is_text), "gloss": _is_text}
    )
    return _is_list(named)(value) and len({entry["wnid"] for entry in value}) == len(value)


_NEEDED: Final[Mapping[str, Test]] = {"name": _is_text, "ontology": _is_text, "classes": _are_classes}
_STEP: Final = _has({"release": _is_text, "checksum": _is_text, "images": _is_number, "labels": _is_number})
_MAYBE: Final[Mapping[str, Test]] = {
    "recipe": _has(
        {},
        {
            "together": _is_list(_is_text),
            "licences": _is_list(_is_text),
            "words": lambda value: isinstance(value, dict),
        },
    ),
    "alarms": _is_list(_has(dict.fromkeys(("code", "message"), _is_text))),
    "overruled": _is_map(_has({"yes": _is_number, "no": _is_number})),
    "unchecked": _has({"remark": _is_text}),
    "machines": _has({"labels_by_machine": _is_map(_is_number)}),
    **dict.fromkeys(("imported_splits", "other_licences"), _is_map(_is_number)),
    TAKEN_DOWN: _has({"images": _is_number, "labels": _is_number, "from": _is_list(_STEP)}),
    FACES: _has({**dict.fromkeys(("images", "faces", "unlooked"), _is_number), "looked": _is_map(_is_number)}),
    **dict.fromkeys(("outvoted", "removal_asked", "not_sound", "unknown_synsets"), _is_number),
    **dict.fromkeys((METADATA, OTHER_SIZES, BOXES_CUT, BOXES_OUTSIDE), _is_number),
    **dict.fromkeys(("query", "rule"), _is_text),
}
