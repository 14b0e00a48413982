"""What a network is asked about pictures: synsets, by the outputs that speak for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.ontology import Ontology
from holotype.ontology.senses import only_sense
from holotype.recognition.predictions import folded
from holotype.releases.loaders import Samples

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Which of `wnids` each sample is asked about, `of` ``(samples,)``, and the `outputs` of a network that speak for
    each synset ``(wnids, outputs)``; where none does, the network does not know it."""

    wnids: tuple[str, ...]
    outputs: Bools
    of: Ints

    @property
    def known(self) -> Bools:
        """The samples whose synset the network knows ``(samples,)``."""
        knows = np.any(self.outputs, axis=1)
        return np.asarray(knows[self.of], np.bool_)

    def synsets(self, numbers: Ints) -> tuple[str, ...]:
        """The synsets that some samples are asked about."""
        return tuple(self.wnids[place] for place in self.of[numbers].tolist())


def about_labels(classes: Sequence[str], samples: Samples, ontology: Ontology) -> Asked:
    """Each sample is asked about its label, for which the same of a network's `classes` speaks, or those below it.

    Raises `PredictionError` where the network knows none of the labels.
    """
    outputs = folded(classes, samples.classes, ontology).T.astype(np.bool_)
    return Asked(samples.classes, outputs, samples.labels.astype(np.int64))


def about_synset(classes: Sequence[str], samples: Samples, wnid: str, ontology: Ontology) -> Asked:
    """All samples are asked about one synset, for which the same of a network's `classes` speaks, or those below it.

    Raises `PredictionError` where the network does not know it.
    """
    outputs = folded(classes, (wnid,), ontology).T.astype(np.bool_)
    return Asked((wnid,), outputs, np.zeros(len(samples), np.int64))


def meant(text: str, classes: Sequence[str], ontology: Ontology) -> str:
    """The synset that a wnid or a lemma means: of several senses the one that a network of `classes` knows.

    Raises `UnknownSynset`, or `AmbiguousLemma` where it knows none or several.
    """
    senses = ontology.named(text)
    own = [ontology[wnid] for wnid in classes if wnid in ontology]
    known = [sense for sense in senses if any(one == sense or ontology.is_under(one, sense) for one in own)]
    return only_sense(text, known or senses).wnid
