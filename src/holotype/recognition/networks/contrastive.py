"""Learning from images alone: momentum contrast (MoCo v1, v2 and v3), written from the papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holotype.recognition.contrasts import ContrastRecipe
from holotype.recognition.networks.contrastive_job import ContrastJob
from holotype.recognition.networks.distributed import any_of, joined, shard
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.running import Logged, Plan, Ran, Told, run
from holotype.recognition.networks.weights import write_weights
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.relabelling import once
from holotype.recognition.runs import NO_SOURCE, WEIGHTS
from holotype.releases.loaders import Damaged, Samples


@dataclass(frozen=True, slots=True, eq=False)
class Contrasted:
    """A network that learned from images alone, how its run ended, and the damaged samples that it was not shown."""

    network: Network
    ran: Ran
    damaged: tuple[Damaged, ...]


def contrast(
    samples: Samples,
    network: Network,
    recipe: ContrastRecipe,
    out: Path,
    *,
    held_out: Samples | None = None,
    size: int | None = None,
    seed: int = 0,
    source: Mapping[str, Any] = NO_SOURCE,
    resume: bool = False,
    device: str = "auto",
    workers: int | None = None,
    told: Told = lambda *_: None,
    logged: Logged = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Contrasted:
    """Train a network to tell images from each other, in a folder that becomes a run of a network without classes; what
    labels samples have is not looked at, and an image that has several is there once.

    After each epoch, how often the embedding of a view of an image that is held out is nearest to that of its other
    view is logged, as ``retrieval``; and the same of features, which are what is left when the run is over. `size` is
    how large images are shown, the network's own if None. Of several processes each takes its share of a batch. All
    else is as `running.run` says: checkpoints, exact resume, `OtherRun`, `Diverged`.

    Raises `RecognitionError` where there are fewer than two images for each process.
    """
    samples, held_out = once(samples), None if held_out is None else once(held_out)
    with joined(device) as there:
        fitted = recipe.fitting(len(samples))
        network.preprocessing = _shown_at(network.preprocessing, size)
        job = ContrastJob(samples, network, fitted, held_out, seed, there, workers)
        identity = {
            "model": network.name,
            "classes": [],
            "preprocessing": network.preprocessing.value(),
            "recipe": fitted.value(),
            "seed": seed,
            "source": dict(source),
            "samples": samples.digest(),
        }
        rank, world = shard()
        asked = stopping if world == 1 else lambda: any_of(stopping(), there)
        plan = Plan(fitted.epochs, rank=rank, stopping=asked, logged=logged)
        ran = run(job, plan, out, identity, resume, told)
        if ran.finished and rank == 0:
            write_weights(network.module, out / WEIGHTS)
    network.classes = ()
    network.requires_grad_(True)
    return Contrasted(network, ran, tuple(job.damaged.values()))


def _shown_at(was: Preprocessing, size: int | None) -> Preprocessing:
    return was if size is None or size == was.size else replace(was, size=size, resize=round(size * 8 / 7))
