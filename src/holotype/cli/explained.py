"""What is told of what a network sees: pictures with heat maps, tables, scores."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from holotype.benchmark.values import Boxes
from holotype.cli.heat_maps import PNG
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, tell_left
from holotype.files import create_atomically
from holotype.ontology import Ontology
from holotype.recognition.heat import HeatMaps
from holotype.recognition.overlay import overlay, png
from holotype.recognition.pointing import Shares
from holotype.recognition.preprocessing import rgb
from holotype.recognition.shown import Floats
from holotype.releases.loaders import Samples

_LISTED: Final = 20
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Subjects:
    """The pictures that are explained, the ontology of their synsets, and what gives their boxes; `loose` where they
    are files of their own, which have none."""

    samples: Samples
    ontology: Ontology
    boxes: Callable[[], Boxes | None]
    loose: bool

    def named(self, wnid: str) -> str:
        """A synset by wnid and name."""
        return f"{wnid} {plain(self.ontology[wnid].name)}" if wnid in self.ontology else wnid


def draw(
    samples: Samples, found: HeatMaps, boxes: Floats, out: Path, most: int, progress: Callable[[int, int], None]
) -> None:
    """Write pictures with their maps and boxes to `out`, a PNG or a folder: at most so many, at even distances."""
    rows = np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)).tolist()
    names: list[str] = []
    for done, row in enumerate(rows, 1):
        names.append(f"{_as_file(Path(found.ids[row]).stem)}-{_as_file(found.wnids[row] or 'guess')}")
        again = names.count(names[-1])
        path = out if out.suffix.lower() == PNG else out / f"{names[-1]}{f'-{again}' if again > 1 else ''}{PNG}"
        drawn = overlay(rgb(samples.read(int(found.numbers[row]))), found.spread(row), boxes[row].tolist())
        create_atomically(path, png(drawn), 0o644)
        progress(done, len(rows))


def _as_file(name: str) -> str:
    """The name of an image, or of a class of a stranger's network, as part of that of a file."""
    return re.sub(r"[^\w.-]", "_", name)[:_LONGEST]


def tell(asked: Subjects, found: HeatMaps, boxes: Floats) -> None:
    """Say what became of pictures, and of each where they are loose."""
    if asked.loose and len(found):
        print_table(
            "where it looks",
            ("image", "synset", "probability", "box"),
            [
                (one["image"], asked.named(one["wnid"]), f"{one['probability']:.3f}", _corners(one["box"]))
                for one in _rows(found, boxes)
            ],
        )
    for one in found.damaged[:_LISTED]:
        click.echo(f"{plain(one.id)} is damaged ({one.reason}): {plain(one.detail)}", err=True)
    tell_left(len(found.damaged) - _LISTED, "damaged image", see="all of them: --json")
    unknown = len(asked.samples) - len(found) - len(found.damaged)
    click.echo(
        f"{counted(len(asked.samples), 'image')} = {len(found):,} explained + {len(found.damaged):,} damaged + "
        f"{unknown:,} of classes that the network does not know"
    )


def value(asked: Subjects, found: HeatMaps, boxes: Floats, scores: Sequence[Shares] | None) -> dict[str, Any]:
    """The same, of values that JSON has."""
    return {
        "images": len(asked.samples),
        "explained": list(_rows(found, boxes)) if asked.loose else len(found),
        "damaged": [{"image": one.id, "reason": one.reason, "detail": one.detail} for one in found.damaged],
        "scores": None if scores is None else [one.value() for one in scores],
    }


def _rows(found: HeatMaps, boxes: Floats) -> Iterator[dict[str, Any]]:
    for row, box in enumerate(boxes):
        yield {
            "image": found.ids[row],
            "wnid": found.wnids[row],
            "probability": round(float(found.probabilities[row]), 6),
            "box": [int(corner) for corner in box] if np.isfinite(box).all() else None,
        }


def _corners(box: Sequence[int] | None) -> str:
    return "-" if box is None else ",".join(map(str, box))


def print_scores(scores: Sequence[Shares]) -> None:
    """The scores of heat maps by how much of a picture its objects cover; the last are of all pictures."""
    columns = ("objects cover", "pictures", "pointing", "centre", "energy", "area", "box", "centre box", "whole")
    rows = [[f"{one.least:.0%} to {one.most:.0%}", f"{one.pictures:,}", *map(_share, _told(one))] for one in scores]
    rows[-1][0] = "all"
    print_table("heat maps by the boxes of their classes", columns, rows, last_is_total=True)


def _told(one: Shares) -> tuple[float, ...]:
    return one.pointing, one.centre, one.energy, one.area, one.box, one.centre_box, one.whole


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.3f}"
