"""What a network says that pictures show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from holotype.benchmark import GUESSES, MISSING
from holotype.benchmark.highest import highest
from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.features import Ints, shown
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.views import densely, of_places, of_ten
from holotype.recognition.pictures import looked_at
from holotype.recognition.predictions import Predictions
from holotype.releases.loaders import Damaged, Samples

Views = Literal["1", "10", "dense"]
VIEWS: Final[tuple[Views, ...]] = ("1", "10", "dense")
_Batch = tuple[Ints, Any, tuple[Damaged, ...]]
"""Numbers of samples, their class probabilities, and those that are damaged."""


def predict(
    network: Network,
    samples: Samples,
    *,
    views: Views = "1",
    scores: bool = False,
    fold: npt.NDArray[np.float32] | None = None,
    classes: Sequence[str] = (),
    device: str = "auto",
    batch_size: int = 64,
    progress: Progress = no_progress,
) -> Predictions:
    """The best five guesses of a network for each image of `samples`, and, with `scores`, the probability of every
    class.

    It is shown the centre of each picture; with ``10`` `views` also the corners, and all mirrored (Krizhevsky et al.,
    NIPS 2012); or, ``dense``, the whole picture (Simonyan and Zisserman, ICLR 2015): probabilities are means. With
    `fold`, a matrix ``(outputs, classes)``, the probability of each of other `classes` is a sum of the network's, given
    that it is one of these.

    Raises `RecognitionError` where nobody said what classes its outputs are, or it takes no whole pictures, or what it
    says is no number.
    """
    names = tuple(classes) or network.classes
    if not names:
        raise RecognitionError(f"nobody said which classes the {network.outputs:,} outputs of {network.name} are")
    once = samples.merged()
    there = device_named(device)
    network.to(there).eval()
    folded = None if fold is None else torch.from_numpy(fold).to(there)
    guesses = np.full((len(once), GUESSES), MISSING, np.int32)
    rows = np.zeros((len(once), len(names)), np.float32) if scores else None
    damaged: list[Damaged] = []
    with torch.inference_mode():
        for numbers, probabilities, lost in _asked(network, once, views, there, batch_size, progress):
            damaged += lost
            if len(numbers):
                found = (probabilities if folded is None else among(probabilities, folded)).cpu().numpy()
                if not np.isfinite(found).all():
                    wrong = once.ids[int(numbers[np.isfinite(found).all(axis=1).argmin()])]
                    raise RecognitionError(f"what {network.name} says of {wrong} is no number")
                guesses[numbers], _ = highest(found)
                if rows is not None:
                    rows[numbers] = found
    return Predictions(tuple(once.ids.to_pylist()), names, guesses, rows, tuple(one.id for one in damaged))


def among(probabilities: Any, fold: Any) -> Any:
    """Class probabilities ``(n, outputs)`` summed up by a matrix ``(outputs, classes)``, given that it is one of these
    classes; of equal chances where it is certainly none."""
    found = probabilities @ fold
    return (found + torch.finfo(found.dtype).tiny) / (
        found.sum(1, keepdim=True) + torch.finfo(found.dtype).tiny * found.shape[1]
    )


def _asked(
    network: Network, samples: Samples, views: Views, device: Any, batch_size: int, progress: Progress
) -> Iterator[_Batch]:
    if views == "1":
        for numbers, images, lost in shown(network.preprocessing, samples, device, batch_size, progress):
            yield numbers, network(images).float().softmax(1) if len(numbers) else None, lost
        return
    if views == "10":
        yield from _of_wholes(network, samples, lambda some: of_ten(network, some, device), batch_size, progress)
        return
    dense = densely(network)
    yield from _of_wholes(network, samples, lambda some: of_places(network, dense, some, device), batch_size, progress)


def _of_wholes(
    network: Network,
    samples: Samples,
    ask: Callable[[Sequence[Pixels]], Any],
    batch_size: int,
    progress: Progress,
) -> Iterator[_Batch]:
    done = 0
    with closing(looked_at(samples, range(len(samples)), network.preprocessing.resized)) as found:
        while batch := list(islice(found, batch_size)):
            lost = tuple(one for _, one in batch if isinstance(one, Damaged))
            sound = {number: one for number, one in batch if not isinstance(one, Damaged)}
            yield np.array(list(sound), np.int64), ask(list(sound.values())) if sound else None, lost
            done += len(batch)
            progress(done, len(samples))
