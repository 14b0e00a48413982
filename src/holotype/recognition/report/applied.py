"""What an application of the database found, as values that JSON has: what the report is drawn from."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from holotype.benchmark.values import Floats
from holotype.errors import RecognitionError

FORMAT: Final = 1
POINTS: Final = 200
"""So many points of a curve are kept."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A method's receiver operating characteristic: shares of negatives (`false`) and of positives (`true`) that score
    as high, from (0, 0) to (1, 1), and the area below it. All points are of one class, or of the mean of classes."""

    method: str
    auc: float
    false: tuple[float, ...]
    true: tuple[float, ...]

    @staticmethod
    def thinned(method: str, auc: float, false: Floats, true: Floats) -> Curve:
        """A curve of arrays ``(points,)``, of which about `POINTS` are kept, evenly along the curve."""
        kept = np.arange(len(false))
        if len(false) > POINTS:
            along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(false)) + np.abs(np.diff(true)))])
            kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], POINTS)).clip(0, len(false) - 1))
            kept = np.unique(np.concatenate([[0], kept, [len(false) - 1]]))
        places = (tuple(round(float(one), 5) for one in values[kept]) for values in (false, true))
        return Curve(method, float(auc), *places)


@dataclass(frozen=True, slots=True)
class Recognized:
    """How well methods tell the images of a synset (`positives`) from others (`negatives`): a curve of each method."""

    wnid: str
    name: str
    positives: int
    negatives: int
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True)
class Height:
    """The mean AUC of the `synsets` at a height of the hierarchy (0: leaves), by method."""

    height: int
    synsets: int
    aucs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Placed:
    """How well a method's boxes hold objects, on images whose boxes are known.

    `precision` is the share of the pixels inside the boxes that are of objects, `recall` the share of the objects'
    pixels that is inside; both are means over images. `corloc` is the share of images whose box has an intersection
    over union of at least one half with some object's.
    """

    method: str
    precision: float
    recall: float
    corloc: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A small picture (JPEG) of an image, with the box that was found and those that are known, each x, y, width and
    height in shares of the picture."""

    image: str
    picture: bytes
    found: tuple[float, float, float, float]
    known: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """A cluster of so many objects that look alike, and the average picture (PNG) of them."""

    images: int
    average: bytes


@dataclass(frozen=True, slots=True)
class Discovered:
    """The objects that were found in `images` images of a synset, of which so many have known boxes (`measured`)."""

    wnid: str
    name: str
    images: int
    measured: int
    placed: tuple[Placed, ...] = ()
    viewpoints: tuple[Viewpoint, ...] = ()
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What one application found: its `name` as a file may have it, `about` in sentences, and what it follows from
    (`settings`: the data with their digest, and all that was chosen).

    Only what an application has is there: `mean` curves and those of `classes`, AUC by `heights`, `objects` with how
    well they were `placed` on the whole. `figures` are single numbers, by what they are.
    """

    name: str
    about: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    mean: tuple[Curve, ...] = ()
    classes: tuple[Recognized, ...] = ()
    heights: tuple[Height, ...] = ()
    placed: tuple[Placed, ...] = ()
    objects: tuple[Discovered, ...] = ()

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has: ``Applied.of(it)`` is this again."""
        return {"format": FORMAT, **{name: _plain(getattr(self, name)) for name in self.__slots__}}

    @staticmethod
    def of(value: Any) -> Applied:
        """What `value` gave. Raises `RecognitionError` where it is none."""
        try:
            if value["format"] != FORMAT:
                raise RecognitionError(f"the result has format {value['format']!r}; this holotype reads {FORMAT}")
            return Applied(
                str(value["name"]),
                str(value["about"]),
                dict(value["settings"]),
                {str(name): float(one) for name, one in value["figures"].items()},
                _curves(value["mean"]),
                tuple(_recognized(one) for one in value["classes"]),
                tuple(_height(one) for one in value["heights"]),
                _placed(value["placed"]),
                tuple(_discovered(one) for one in value["objects"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise RecognitionError(f"this is no result of an application: {error!r}") from error


def _plain(one: Any) -> Any:
    if isinstance(one, bytes):
        return base64.b64encode(one).decode()
    if isinstance(one, Mapping):
        return {name: _plain(held) for name, held in one.items()}
    if isinstance(one, tuple | list):
        return [_plain(held) for held in one]
    if hasattr(one, "__slots__"):
        return {name: _plain(getattr(one, name)) for name in one.__slots__}
    return one


def _curves(value: Sequence[Mapping[str, Any]]) -> tuple[Curve, ...]:
    return tuple(_curve(one) for one in value)


def _curve(value: Mapping[str, Any]) -> Curve:
    false, true = (tuple(map(float, value[name])) for name in ("false", "true"))
    if len(false) != len(true):
        raise ValueError(f"a curve has {len(false)} points, and {len(true)}")
    return Curve(str(value["method"]), float(value["auc"]), false, true)


def _recognized(value: Mapping[str, Any]) -> Recognized:
    positives, negatives = int(value["positives"]), int(value["negatives"])
    return Recognized(str(value["wnid"]), str(value["name"]), positives, negatives, _curves(value["curves"]))


def _height(value: Mapping[str, Any]) -> Height:
    aucs = {str(method): float(auc) for method, auc in value["aucs"].items()}
    return Height(int(value["height"]), int(value["synsets"]), aucs)


def _placed(value: Sequence[Mapping[str, Any]]) -> tuple[Placed, ...]:
    shares = ("precision", "recall", "corloc")
    return tuple(Placed(str(one["method"]), *(float(one[name]) for name in shares)) for one in value)


def _discovered(value: Mapping[str, Any]) -> Discovered:
    return Discovered(
        str(value["wnid"]),
        str(value["name"]),
        int(value["images"]),
        int(value["measured"]),
        _placed(value["placed"]),
        tuple(Viewpoint(int(one["images"]), _bytes(one["average"])) for one in value["viewpoints"]),
        tuple(_shown(one) for one in value["shown"]),
    )


def _shown(value: Mapping[str, Any]) -> Shown:
    return Shown(
        str(value["image"]), _bytes(value["picture"]), _box(value["found"]), tuple(_box(box) for box in value["known"])
    )


def _box(value: Sequence[Any]) -> tuple[float, float, float, float]:
    left, top, width, height = map(float, value)
    return left, top, width, height


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
