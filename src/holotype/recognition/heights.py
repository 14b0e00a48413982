"""The second application of ImageNet: what an image shows, by the tree, on every level of the hierarchy.

Deng, Dong, Socher, Li, Li and Fei-Fei, "ImageNet: a large-scale hierarchical image database" (CVPR 2009), section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.described import Describe
from holotype.recognition.report.applied import Applied, Height, Recognized
from holotype.recognition.stages import Stages, no_stages
from holotype.recognition.targets import Targets, recognized
from holotype.recognition.tree_max import Schooling, TreeMax
from holotype.recognition.voting import apart_from
from holotype.releases.loaders import Samples

TREE_MAX: Final = "tree-max"
INDEPENDENT: Final = "independent"


def tree_max(
    train: Samples,
    tests: Samples,
    ontology: Ontology,
    describe: Describe,
    schooling: Schooling = Schooling(),
    source: Mapping[str, Any] | None = None,
    progress: Stages = no_stages,
) -> Applied:
    """How well the most that any classifier in a synset's subtree says tells the images of the synset, beside what its
    own classifier says, by the height of the synset.

    Heights are counted among synsets that have a classifier, and measured on those that some test images show and some
    do not. Training images that are test images too, by their ids, are left out, and so are damaged ones.

    Raises `RecognitionError` where there is nothing to learn or to tell apart, and `NotInstalled` without scikit-learn.
    """
    plain, asked = apart_from(train, tests), tests.merged()
    learned = plain.merged()
    if not len(learned) or not len(asked):
        raise RecognitionError(f"there are {len(learned):,} images to learn from and {len(asked):,} to be asked about")
    held, looked = describe(learned, asked, progress)
    lost = pa.array([one.id for one in held.damaged], pa.string())
    sound = plain.take(np.flatnonzero(~pc.is_in(plain.ids, lost).to_numpy(zero_copy_only=False)))
    model = TreeMax.fit(held.rows, sound.merged(), ontology, schooling, partial(progress, "classifiers"))
    alone = model.independent(looked.rows)
    targets = Targets(model.nodes, ontology)
    shown = targets.shown(asked)[looked.numbers]
    mean, classes = recognized(targets, shown, {INDEPENDENT: alone, TREE_MAX: model.scores(alone)})
    figures = {
        "training images": len(held.numbers),
        "damaged training images": len(held.damaged),
        "test images": len(looked.numbers),
        "damaged test images": len(looked.damaged),
        "classifiers": len(model.nodes),
    }
    about = (
        "Each synset with enough images has a classifier that learned from all images of its subtree. Tree-max takes "
        "the most that any classifier of the subtree says; independent is the synset's own classifier alone."
    )
    heights = tuple(_by_height(classes, dict(zip(model.nodes, model.heights(), strict=True))))
    return Applied(TREE_MAX, about, {**(source or {}), **_told(schooling)}, figures, mean, classes, heights)


def _by_height(classes: Sequence[Recognized], heights: Mapping[str, int]) -> Iterator[Height]:
    for height in sorted({int(heights[one.wnid]) for one in classes}):
        here = [one for one in classes if heights[one.wnid] == height]
        methods = [curve.method for curve in here[0].curves]
        aucs = {method: float(np.mean([one.curves[at].auc for one in here])) for at, method in enumerate(methods)}
        yield Height(height, len(here), aucs)


def _told(schooling: Schooling) -> dict[str, Any]:
    estimator = schooling.estimator
    named = getattr(estimator, "__name__", repr(estimator)) if callable(estimator) else estimator
    return {
        "estimator": named,
        "least": schooling.least,
        "negatives": schooling.negatives,
        "seed": schooling.seed,
    }
