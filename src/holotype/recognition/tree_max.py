"""Classification by the tree: a synset is as likely as the likeliest synset below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, map_batches, no_progress
from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.learners import scikit_learn
from holotype.recognition.targets import Targets, labelled
from holotype.releases.loaders import Samples

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]
Estimator = Literal["adaboost", "logistic"]
ESTIMATORS: Final[tuple[Estimator, ...]] = get_args(Estimator)
_STUMPS: Final = 50
_STRENGTH: Final = 0.01


@dataclass(frozen=True, slots=True)
class Schooling:
    """What classifiers of synsets are and learn from: `estimator`, a name or what makes an unfitted one of
    scikit-learn's; synsets with at least so many (`least`) images in their subtree have one; the negatives of all are
    drawn from so many (`negatives`) random images of each class.

    The negatives are those of Deng et al. (CVPR 2009, section 4.2), and boosted stumps their kind of classifier.
    Logistic regression takes a fraction of the time and is better with features of networks.
    """

    estimator: Estimator | Callable[[], Any] = "adaboost"
    least: int = 20
    negatives: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if self.least < 1 or self.negatives < 1:
            raise ValueError("a classifier needs at least one image of each kind")
        if not callable(self.estimator) and self.estimator not in ESTIMATORS:
            raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, not {self.estimator!r}")


@dataclass(frozen=True, slots=True, eq=False)
class TreeMax:
    """A classifier for each of some synsets (`nodes`, in rank order), and which nodes are in the subtree of which:
    `below` is ``(nodes, nodes)``, a node is in its own.

    Deng et al. (CVPR 2009), section 4.2: no classifier is trained again for the hierarchy, and those of inner nodes
    profit from the sharper ones below.
    """

    nodes: tuple[str, ...]
    below: Flags
    models: tuple[Any, ...]

    @staticmethod
    def fit(
        features: Rows,
        train: Samples,
        ontology: Ontology,
        schooling: Schooling = Schooling(),
        progress: Progress = no_progress,
    ) -> TreeMax:
        """Of samples with `features` ``(samples, width)``; an image with several labels should be there once
        (`Samples.merged`).

        A node learns from the images of its subtree, those of itself and of all below it: in ILSVRC inner synsets have
        none of their own. Its negatives are images of nothing that is below or above it. Both kinds weigh as much, so
        that nodes of many images and of few can be compared. A synset that holds the same images as one below it is no
        node.

        Raises `RecognitionError` where no synset is left, or images of one look all the same as others, and
        `NotInstalled` without scikit-learn.
        """
        make = _maker(schooling)
        drawn = _drawn(train, schooling)
        lessons = [
            _Lesson(node, positive, drawn[~near[drawn]])
            for node, positive, near in _nodes(train, ontology, schooling.least)
        ]
        if not lessons:
            raise RecognitionError(
                f"no synset has {schooling.least} images or more, and as many that show something else: there is "
                "nothing to learn"
            )
        models = []
        progress(0, len(lessons))
        for model in map_batches(lambda lesson: lesson.fitted(features, make()), lessons, kind="threads"):
            models.append(model)
            progress(len(models), len(lessons))
        nodes = tuple(lesson.node for lesson in lessons)
        return TreeMax(nodes, Targets(nodes, ontology).members(nodes), tuple(models))

    def independent(self, features: Rows) -> Floats:
        """What each node's classifier says of images ``(n, width)``: ``(n, nodes)``, more is more likely."""
        found = np.zeros((len(features), len(self.nodes)))
        for column, model in enumerate(self.models):
            found[:, column] = model.decision_function(features)
        return found

    def scores(self, independent: Floats) -> Floats:
        """The most that any classifier in the subtree of a node says, ``(n, nodes)``, of what `independent` gave."""
        parts = [independent[:, below].max(axis=1) for below in self.below]
        return np.stack(parts, axis=1)

    def heights(self) -> Ints:
        """The number of nodes on the longest way down from each, ``(nodes,)``: 0 where there is no node below."""
        found = np.zeros(len(self.nodes), np.int64)
        for node in np.argsort(self.below.sum(axis=1), kind="stable").tolist():
            lower = np.flatnonzero(self.below[node])
            found[node] = max((int(found[one]) + 1 for one in lower.tolist() if one != node), default=0)
        return found


def nodes_of(train: Samples, ontology: Ontology, least: int) -> tuple[str, ...]:
    """The synsets with at least so many labels in their subtree, in rank order, but for those whose labels are all
    those of a child. Classes that the ontology does not have count for nothing."""
    ranks = np.array([ontology.rank(one) if one in ontology else -1 for one in train.classes], np.int64)[train.labels]
    held = ontology.subtree_sums(np.bincount(ranks[ranks >= 0], minlength=len(ontology)))
    full = (ontology.at_rank(rank) for rank in np.flatnonzero(held >= least).tolist())
    return tuple(
        node.wnid
        for node in full
        if all(held[ontology.rank(child)] < held[ontology.rank(node)] for child in ontology.children(node))
    )


def _nodes(train: Samples, ontology: Ontology, least: int) -> Iterator[tuple[str, Ints, Flags]]:
    """Each node, the numbers of the images that show it, and which images show something below or above it."""
    for wnid in nodes_of(train, ontology, least):
        above = {one.wnid for one in ontology.ancestors(wnid)}
        shown = labelled(train, Targets((wnid,), ontology).members(train.classes)[0])
        near = shown | labelled(train, np.array([one in above for one in train.classes], np.bool_))
        if (~near).sum() >= least:
            yield wnid, np.flatnonzero(shown), near


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """What the classifier of a node learns from: numbers of images."""

    node: str
    positive: Ints
    negative: Ints

    def fitted(self, features: Rows, model: Any) -> Any:
        """The model, fitted. Raises `RecognitionError` where it cannot be."""
        numbers = np.concatenate([self.positive, self.negative])
        shown = np.arange(len(numbers)) < len(self.positive)
        weights = np.where(shown, 0.5 / len(self.positive), 0.5 / len(self.negative)) * len(numbers)
        try:
            return model.fit(features[numbers], shown, sample_weight=weights)
        except ValueError as error:
            raise RecognitionError(f"nothing tells images of {self.node} from others: {error}") from error


def _drawn(train: Samples, schooling: Schooling) -> Ints:
    """The images that negatives are taken from, ascending."""
    random = np.random.default_rng(schooling.seed)
    owners = np.arange(len(train)) if train.starts is None else np.repeat(np.arange(len(train)), np.diff(train.starts))
    parts = (
        random.permutation(owners[train.labels == one])[: schooling.negatives] for one in range(len(train.classes))
    )
    return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def _maker(schooling: Schooling) -> Callable[[], Any]:
    """What makes an unfitted classifier. Raises `NotInstalled`."""
    if callable(schooling.estimator):
        return schooling.estimator
    if schooling.estimator == "adaboost":
        boosted = scikit_learn("ensemble").AdaBoostClassifier
        return lambda: boosted(n_estimators=_STUMPS, random_state=schooling.seed)
    return lambda: _Logistic()


class _Logistic:
    """Logistic regression on features of mean 0 and deviation 1."""

    def __init__(self) -> None:
        self._scaler = scikit_learn("preprocessing").StandardScaler()
        self._model = scikit_learn("linear_model").LogisticRegression(C=_STRENGTH, max_iter=1000)

    def fit(self, features: Rows, shown: Flags, sample_weight: Floats) -> _Logistic:
        self._model.fit(self._scaler.fit_transform(features), shown, sample_weight=sample_weight)
        return self

    def decision_function(self, features: Rows) -> Floats:
        found: Floats = self._model.decision_function(self._scaler.transform(features))
        return found
