"""The last chapter: what the release is for. Applications of the first paper, and what a network makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark import Result
from holotype.demo.stages import StageProgress
from holotype.demo.truth import SUBTREES
from holotype.errors import NotInstalled, PredictionError
from holotype.project import Project
from holotype.recognition.asked import about_labels
from holotype.recognition.categories import categories_of
from holotype.recognition.described import Describe, by_gradients
from holotype.recognition.heights import tree_max
from holotype.recognition.judging import guessed
from holotype.recognition.objects import Choices, discover
from holotype.recognition.overlay import overlay
from holotype.recognition.preprocessing import rgb
from holotype.recognition.probing import known, probe
from holotype.recognition.report.applied import Applied
from holotype.recognition.report.results import write_result
from holotype.recognition.tree_max import Schooling
from holotype.releases.loaders import Samples

NETWORK: Final = "efficientnet_lite0"
"""The network whose weights are a package, so that it can be had where packages can."""
STAGE: Final = "recognition"
_LOOKED_AT: Final = 8
_FEWEST: Final = 5
_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Heated:
    """A picture with where the network looks, ``(height, width, 3)``, and what it is asked about."""

    name: str
    pixels: Any


@dataclass(frozen=True, slots=True)
class Recognised:
    """What recognition makes of the release: `results` of applications, `scores` of a linear classifier on what a
    network makes of pictures, and pictures of where it looks; nothing of a network where there is none here, and then
    the `remark` says why. `report` is the page of the applications."""

    results: Sequence[Applied]
    scores: Result | None
    heated: Sequence[Heated]
    remark: str
    report: Path


def recognise(db: Project, name: str, out: Path, progress: StageProgress) -> Recognised:
    """Run the chapter on a release of a project. Raises `RecognitionError` where it has too few images."""
    release = db.releases[name]
    train, val, tests = (release.samples(split) for split in ("train", "val", "test"))
    network, describe, remark = _network()
    step = partial(progress, STAGE)
    step(0, _STEPS)
    results = [
        tree_max(train, tests, db.ontology, describe, Schooling("logistic", _FEWEST), {"release": name}),
    ]
    step(1, _STEPS)
    results.append(_discovered(db, train))
    step(2, _STEPS)
    scores = heated = None
    if network is not None:
        scores = _transferred(db, name, network, (train, val, tests), out / "transfer.csv")
        step(3, _STEPS)
        heated = list(_looked(db, network, tests))
    for one in results:
        report = write_result(out / "recognition", one, replace=True)
    step(_STEPS, _STEPS)
    return Recognised(results, scores, heated or (), remark, report)


def _network() -> tuple[Any, Describe, str]:
    """The network, or None and why there is none; and what pictures are described by."""
    try:
        from holotype.recognition.networks.describing import by_network
        from holotype.recognition.networks.models import PRETRAINED, create_model

        network = create_model(NETWORK, weights=PRETRAINED)
    except NotInstalled as error:
        return None, by_gradients, f"Without a network: {error}"
    return network, by_network(network), ""


def _discovered(db: Project, train: Samples) -> Applied:
    """The objects of those of the twelve subtrees that have images enough."""
    shown = [
        wnid
        for wnid in SUBTREES
        if sum(db.ontology.is_under(train.classes[one], wnid) for one in train.labels.tolist()) >= _FEWEST
    ]
    return discover(train, categories_of(train, db.ontology, shown), choices=Choices(views=3)).applied


def _transferred(db: Project, name: str, network: Any, splits: Sequence[Samples], path: Path) -> Result:
    """How well a linear classifier on the network's features does on test, after it was chosen on val."""
    from holotype.recognition.networks.features import features

    train, val, tests = (features(network, one).rows for one in splits)
    chosen = probe(known(train, splits[0]), known(val, splits[1])).probe
    guessed(chosen.probabilities(tests), splits[2]).write(path)
    return db.releases[name].evaluate(path)


def _looked(db: Project, network: Any, tests: Samples) -> Sequence[Heated]:
    """Some pictures of test, with what speaks for their label."""
    from holotype.recognition.networks.heat_maps import heat_maps

    some = tests.take(np.unique(np.linspace(0, len(tests) - 1, _LOOKED_AT).astype(np.int64)))
    try:
        asked = about_labels(network.classes, some, db.ontology)
    except PredictionError:
        asked = None
    maps = heat_maps(network, some, asked, view="whole")
    return [
        Heated(db.ontology[wnid].name, overlay(rgb(some.read(number)), maps.spread(row)))
        for row, (number, wnid) in enumerate(zip(maps.numbers.tolist(), maps.wnids, strict=True))
    ]
