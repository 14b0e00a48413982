"""Learning to enlarge pictures, from pictures that are shrunk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holotype.recognition.enlarging import Enlarging, Part
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.feeding import Fed, Feed
from holotype.recognition.networks.running import At, Logged, Plan, Ran, Told, run
from holotype.recognition.networks.super_resolution import NAME, SRCNN, score
from holotype.recognition.networks.weights import write_weights
from holotype.recognition.relabelling import once
from holotype.recognition.runs import NO_SOURCE, WEIGHTS
from holotype.releases.loaders import Damaged, Samples, Settings


@dataclass(frozen=True, slots=True)
class Learned:
    """A network that learned to enlarge, how its run ended, and the damaged samples that it was not shown."""

    network: SRCNN
    ran: Ran
    damaged: tuple[Damaged, ...]


def learn_to_enlarge(
    samples: Samples,
    asked: Enlarging,
    out: Path,
    *,
    held_out: Samples | None = None,
    seed: int = 0,
    source: Mapping[str, Any] = NO_SOURCE,
    resume: bool = False,
    device: str = "auto",
    workers: int | None = None,
    told: Told = lambda *_: None,
    logged: Logged = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Learned:
    """Train a network to undo the shrinking of samples, in the folder `out` of a run, which `enlarger` reads; `source`
    is what the run's description says of where they are from.

    After each epoch, what it is ahead of bicubic interpolation on samples that are `held_out` is logged; the network
    that is left is the last one. All else is as `running.run` says: checkpoints, exact resume, `OtherRun`, `Diverged`.
    """
    samples, held_out = once(samples), None if held_out is None else once(held_out)
    job = _Job(samples, asked, held_out, seed, device, workers)
    identity = {
        "model": NAME,
        "classes": [],
        "preprocessing": {"size": asked.patch, "resize": asked.patch, "interpolation": "bicubic"}
        | {"mean": [0.0] * 3, "std": [1.0] * 3},
        "asked": asked.value(),
        "seed": seed,
        "source": dict(source),
        "samples": samples.digest(),
    }
    plan = Plan(asked.epochs, stopping=stopping, logged=logged)
    ran = run(job, plan, out, identity, resume, told)
    if ran.finished:
        write_weights(job.network, out / WEIGHTS)
    return Learned(job.network, ran, tuple(job.feed.damaged.values()))


class _Job:
    """Learning to enlarge, as a `Job`."""

    def __init__(
        self, samples: Samples, asked: Enlarging, held_out: Samples | None, seed: int, device: str, workers: int | None
    ) -> None:
        there = device_named(device)
        settings = Settings(asked.batch_size, asked.patch, Part(), seed)
        self.feed = Feed(samples, settings, there, workers)
        self.network = SRCNN(asked, seed).to(there)
        self._asked, self._held_out, self._device = asked, held_out, device
        first, last = self.network.layers[:-1], self.network.layers[-1]
        groups = [{"params": first.parameters(), "share": 1.0}, {"params": last.parameters(), "share": 0.1}]
        self._optimizer = torch.optim.Adam(groups, lr=asked.lr)

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        return self.feed.steps()

    def batches(self, epoch: int, first: int) -> Iterable[Fed]:
        return self.feed.batches(epoch, first)

    def step(self, batch: Fed, at: At) -> Mapping[str, Any]:
        self.network.train()
        progress = at.total / (self._asked.epochs * self.feed.steps())
        for group in self._optimizer.param_groups:
            group["lr"] = self._asked.lr * group["share"] * (1 + math.cos(math.pi * progress)) / 2
        given, wanted = pair(batch.images, self._asked.scale)
        inner = slice(self._asked.radius, self._asked.patch - self._asked.radius)
        difference = (self.network(given) - wanted)[:, :, inner, inner]
        loss = difference.square().mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return {"loss": loss.detach()}

    def scored(self, epoch: int) -> Mapping[str, float]:  # noqa: ARG002
        if self._held_out is None:
            return {}
        found = score(self.network, self._held_out, self._device)
        if not found:
            return {}
        gain = float(np.mean([one.gain for one in found]))
        return {"gain_db": gain, "better": float(np.mean([one.gain > 0 for one in found])), "best": gain}

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])


def pair(images: Any, scale: int) -> tuple[Any, Any]:
    """Of pictures ``(n, size, size, 3)`` uint8, the luminance of what is left of them when they were shrunk and
    interpolated, and their own, levels from 0 to 1, ``(n, 1, size, size)``: in steps of 8 bits, as files have them."""
    wanted = images.permute(0, 3, 1, 2).float()
    size = wanted.shape[-1]
    small = _resized(wanted, size // scale)
    return _luminance(_resized(small, size)), _luminance(wanted)


def _resized(pictures: Any, size: int) -> Any:
    made = torch.nn.functional.interpolate(pictures, size=(size, size), mode="bicubic", antialias=True)
    return made.round().clamp(0, 255)


def _luminance(pictures: Any) -> Any:
    weights = torch.tensor((65.481, 128.553, 24.966), device=pictures.device).view(1, 3, 1, 1)
    return ((pictures * weights).sum(1, keepdim=True) / 255 + 16) / 255
