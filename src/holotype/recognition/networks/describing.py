"""Images described by a network, for classifiers that learn on top of it."""

from __future__ import annotations

from functools import partial

import numpy as np

from holotype.engine import Progress
from holotype.errors import RecognitionError
from holotype.recognition.described import TESTS, TRAIN, Describe, Described
from holotype.recognition.networks.features import features
from holotype.recognition.networks.network import Network
from holotype.recognition.stages import Stages
from holotype.releases.loaders import Samples


def by_network(network: Network, device: str = "auto", batch_size: int = 64) -> Describe:
    """Describes images by what the head of a network gets. Raises `RecognitionError` where no picture is sound."""

    def describe(train: Samples, tests: Samples, progress: Stages) -> tuple[Described, Described]:
        return of(train, partial(progress, TRAIN)), of(tests, partial(progress, TESTS))

    def of(samples: Samples, progress: Progress) -> Described:
        made = features(network, samples, device, batch_size, progress)
        sound = np.ones(len(samples), np.bool_)
        sound[[one.number for one in made.damaged]] = False
        if not sound.any():
            raise RecognitionError(f"there is no sound image: {len(made.damaged):,} are damaged")
        return Described(np.flatnonzero(sound), made.rows[sound], made.damaged)

    return describe
