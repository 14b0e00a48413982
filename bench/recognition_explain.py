"""Where Lite0 and Lite2 look, on real validation images, beside the centre: their boxes say where things are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from holotype.benchmark.boxed import boxes_of
from holotype.benchmark.values import Boxes
from holotype.recognition.asked import Asked
from holotype.recognition.heat import HeatMaps
from holotype.recognition.networks.heat_maps import heat_maps
from holotype.recognition.networks.models import create_model
from holotype.recognition.pointing import Pointed, pointing_game
from holotype.recognition.shown import VIEWS, Ints, View
from holotype.releases.loaders import Samples
from real_images import boxes, images

NETWORKS: Final = ("efficientnet_lite0", "efficientnet_lite2")
THRESHOLDS: Final = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
GROUPS: Final = (("all", 0.0, 1.0), ("objects < 50 % of the picture", 0.0, 0.5), ("objects < 25 %", 0.0, 0.25))


def rows() -> Iterator[tuple[str, str]]:
    """The pointing game of the true class on all 500 images, where nothing was chosen; and boxes of maps on the odd
    ones, by the view and threshold that are best on the even ones."""
    samples = images("val")
    for name in NETWORKS:
        network = create_model(name, weights="pretrained")
        asked = Asked(samples.classes, np.eye(network.outputs, dtype=np.bool_), samples.labels.astype(np.int64))
        found = {view: heat_maps(network, samples, asked, view=view) for view in VIEWS}
        truth = _truth(samples, found["centre"])
        yield from _pointing(name, pointing_game(truth, samples, found["centre"]))
        yield from _boxes(name, truth, samples, found)


def _truth(samples: Samples, found: HeatMaps) -> Boxes:
    """The boxes of the pictures, as a truth; pictures and their classes come in the order of the maps."""
    said = boxes()
    of = [row for row, name in enumerate(found.ids) for _ in said[name]]
    names = np.array(found.ids, np.object_)
    corners = np.concatenate([said[name] for name in found.ids]).astype(np.int64)
    wnids = [found.wnids[row] for row in of]
    return boxes_of(names, found.sizes, samples.classes, names[of], wnids, corners, np.zeros(len(of), np.bool_))


def _pointing(name: str, pointed: Pointed) -> Iterator[tuple[str, str]]:
    for group, least, most in GROUPS:
        one = pointed.between(least, most)
        yield (
            f"{name}: hottest point in a box of the class, {one.pictures} images, {group}",
            f"{one.pointing:.3f} (centre {one.centre:.3f}); heat inside {one.energy:.3f} (area {one.area:.3f})",
        )


def _boxes(name: str, truth: Boxes, samples: Samples, found: Mapping[View, HeatMaps]) -> Iterator[tuple[str, str]]:
    tried = {
        (view, threshold): pointing_game(truth, samples, maps, threshold)
        for view, maps in found.items()
        for threshold in THRESHOLDS
    }
    view, threshold = max(tried, key=lambda one: _half(tried[one], 0).between(0, 1).box)
    for group, least, most in GROUPS:
        one = _half(tried[view, threshold], 1).between(least, most)
        yield (
            f"{name}: box of the map (view {view}, threshold {threshold:g}) right, odd images, {group}",
            f"{one.box:.3f} (centre box {one.centre_box:.3f}, whole picture {one.whole:.3f})",
        )


def _half(pointed: Pointed, odd: int) -> Pointed:
    chosen: Ints = np.flatnonzero(pointed.rows % 2 == odd)
    return replace(pointed, rows=pointed.rows[chosen], scores=pointed.scores[chosen])


if __name__ == "__main__":
    for what, figure in rows():
        print(what, figure)
