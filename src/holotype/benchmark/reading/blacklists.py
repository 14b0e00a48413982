"""Blacklists of ILSVRC: images that are not scored for places, and pairs of image and class that detection ignores."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.names import Classes
from holotype.benchmark.values import Boxes
from holotype.errors import PredictionError
from holotype.files import printable
from holotype.textlists import read_lines

_BETWEEN: Final = re.compile(r"[\s,;]+")
_PLACE: Final = re.compile(r"[0-9]{1,9}")


def blacklisted(truth: Boxes, path: Path) -> Boxes:
    """The truth without what a blacklist takes out: a line is an image, or an image and a class.

    An image is an id, or its place in the order of ids from 1, as in ILSVRC's own files. Raises `PredictionError`
    naming the lines at fault.
    """
    faults = Faults(printable(path), "line")
    images = {name: at for at, name in enumerate(truth.items)}
    classes = Classes.of(truth.classes, truth.numbers)
    alone, pairs = set(), set()
    for number, line in enumerate(read_lines(path, PredictionError), 1):
        cells = [cell for cell in _BETWEEN.split(line) if cell]
        if not cells or (number == 1 and cells[0].lower() == "image"):
            continue
        image = images.get(cells[0], int(cells[0]) - 1 if _PLACE.fullmatch(cells[0]) else -1)
        if not 0 <= image < len(images) or len(cells) > 2:
            faults.add(number, f"{said(line)} is no image, or image and class")
        elif len(cells) == 1:
            alone.add(image)
        elif (label := classes.known(cells[1])) is None:
            faults.add(number, classes.unknown(cells[1]))
        else:
            pairs.add((image, label))
    faults.check()
    ignored = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return replace(truth, ignored=ignored, unplaced=np.array(sorted(alone), np.int64))
