"""Training a detector of torchvision on the boxes of a release, in a folder that becomes a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark.detection.rules import detection
from holotype.benchmark.values import Boxes
from holotype.errors import RecognitionError
from holotype.recognition.boxed import BoxedImages
from holotype.recognition.detecting import detect
from holotype.recognition.detections import submission
from holotype.recognition.networks.detector_job import DetectorJob, DetectorRecipe
from holotype.recognition.networks.detectors import JOB, TorchDetector
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.running import Plan, Ran, Told, run
from holotype.recognition.networks.weights import weights_digest, write_weights
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.runs import NO_SOURCE, WEIGHTS
from holotype.releases.loaders import Damaged, Samples

_ANY_SIZE: Final = 800
"""The shorter side that a detector of torchvision makes of a picture, where it is told no other."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedDetector:
    """A detector, how its run ended, and the damaged images that were left out."""

    detector: TorchDetector
    ran: Ran
    damaged: tuple[Damaged, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What a detector is scored on: images, and the true boxes of its classes in them."""

    samples: Samples
    truth: Boxes


def train_detector(
    images: BoxedImages,
    detector: TorchDetector,
    recipe: DetectorRecipe,
    out: Path,
    *,
    held: Held | None = None,
    resume: bool = False,
    device: str = "auto",
    seed: int = 0,
    source: Mapping[str, str] = NO_SOURCE,
    minutes: float = 15.0,
    told: Told = lambda *_: None,
    stopping: Callable[[], bool] = lambda: False,
) -> TrainedDetector:
    """Train a detector on the boxes of images, in a folder that becomes a run: ``run.json``, ``log.jsonl`` with a line
    for each epoch, and in it the mean AP on what is `held` out, and ``weights.safetensors`` at the end.

    A checkpoint is written after `minutes`, and after each epoch; with `resume` a run is gone on with, to the same
    weights, bit for bit on a CPU with as many threads. Damaged images are left out. Where it is `stopping` after a
    step, the run is kept and left.

    Raises `RecognitionError` where there is a run already, or something cannot be written, `OtherRun` where the folder
    holds another run, and `Diverged` where a loss is no number.
    """
    if images.classes != detector.classes:
        raise RecognitionError("the detector is for other classes than those of the boxes")
    detector.to(device_named(device))
    identity = _identity(images, detector, recipe, seed, held) | {"source": dict(source)}
    job = DetectorJob(detector, images, recipe, seed, lambda: {} if held is None else _worth(detector, held))
    ran = run(job, Plan(recipe.epochs, minutes, stopping=stopping), out, identity, resume, told)
    if ran.finished:
        try:
            write_weights(detector.module, out / WEIGHTS)
        except OSError as error:
            raise RecognitionError(f"the weights of the run in {out} could not be written: {error}") from error
    return TrainedDetector(detector, ran, tuple(job.damaged.values()))


def _identity(
    images: BoxedImages, detector: TorchDetector, recipe: DetectorRecipe, seed: int, held: Held | None
) -> dict[str, Any]:
    """All that a run's weights follow from."""
    size = detector.size or _ANY_SIZE
    return {
        "job": JOB,
        "model": detector.name,
        "classes": list(detector.classes),
        "preprocessing": Preprocessing(size, size).value(),
        "size": detector.size,
        "frozen": detector.frozen,
        "recipe": recipe.value(),
        "seed": seed,
        "boxes": images.digest(),
        "val": None if held is None else held.samples.digest(),
        "initial": weights_digest(detector.module),
    }


def _worth(detector: TorchDetector, held: Held) -> dict[str, float]:
    """The mean AP, as ILSVRC's, of a detector on what is held out."""
    found = detection(held.truth, submission(held.truth, detect(detector, held.samples)))
    worth = float(found.measure(np.ones((1, len(held.truth.items))))[0, 0])
    return {"mean AP": worth, "best": worth}
