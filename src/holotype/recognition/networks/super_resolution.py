"""Super-resolution: a network that enlarges pictures better than interpolation does (SRCNN)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.images.rejected import Rejected
from holotype.recognition.enlarging import Enlarging, Part, enlarged, luminance, psnr, shrunk
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.feeding import NO_SOURCE, Feed, Shown
from holotype.recognition.networks.running import At, Logged, Plan, Ran, Told, run
from holotype.recognition.networks.weights import read_weights, write_weights
from holotype.recognition.preprocessing import rgb
from holotype.recognition.runs import RUN, WEIGHTS, read_run
from holotype.releases.loaders import Damaged, Samples, Settings

NAME: Final = "srcnn"
_STRIP: Final = 1 << 20
_RANGE: Final = 255 / 219


class SRCNN(torch.nn.Module):  # type: ignore[misc]
    """Three convolutions that look at patches, map them and put them together again: "Image Super-Resolution Using Deep
    Convolutional Networks" (Dong et al., TPAMI 2016, 3.1). Its biases are 0 at first and its weights He's; those of
    the last layer of a residual one N(0, .001), so that it begins near interpolation."""

    def __init__(self, asked: Enlarging, seed: int = 0) -> None:
        super().__init__()
        self.asked = asked
        channels = (1, *asked.widths, 1)
        self.layers = torch.nn.ModuleList(
            torch.nn.Conv2d(channels[at], channels[at + 1], size, padding=size // 2, padding_mode="replicate")
            for at, size in enumerate(asked.kernels)
        )
        generator = torch.Generator().manual_seed(seed)
        for layer in self.layers:
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            torch.nn.init.zeros_(layer.bias)
        if asked.residual:
            torch.nn.init.normal_(self.layers[-1].weight, std=1e-3, generator=generator)

    def forward(self, levels: Any) -> Any:
        """The luminance of interpolated pictures, levels from 0 to 1, ``(n, 1, height, width)``, as it should be."""
        made = levels
        for layer in self.layers[:-1]:
            made = layer(made).relu()
        made = self.layers[-1](made)
        return levels + made if self.asked.residual else made


@dataclass(frozen=True, slots=True)
class Score:
    """How near enlarged pictures come to a picture, in dB of luminance: by `bicubic` interpolation, by the `network`;
    the picture's `id`."""

    id: str
    bicubic: float
    network: float

    @property
    def gain(self) -> float:
        """What the network is ahead by, in dB."""
        return self.network - self.bicubic


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


def enlarger(folder: Path) -> SRCNN:
    """The network of a run. Raises `RecognitionError` where there is none that enlarges."""
    said = read_run(folder)
    try:
        if said.model != NAME:
            raise ValueError(f"its network is {said.model}")
        network = SRCNN(Enlarging.of(said.value["asked"]))
    except (ValueError, KeyError, TypeError) as error:
        raise RecognitionError(f"{folder / RUN} is of no network that enlarges pictures: {error}") from error
    read_weights(network, folder / WEIGHTS)
    network.eval()
    return network


def upscaled(network: SRCNN, pixels: Pixels, device: str = "auto", strip: int = _STRIP) -> Pixels:
    """A picture ``(height, width, 3)`` enlarged, ``(scale * height, scale * width, 3)``: its luminance by the network,
    its colours by bicubic interpolation, as the paper does. Strips of about `strip` pixels are computed at a time, so
    that memory does not grow with the picture; they fit together exactly."""
    there = device_named(device)
    network.to(there).eval()
    whole = enlarged(pixels, network.asked.scale)
    before = luminance(whole)
    after = np.empty_like(before)
    height, width = before.shape
    rows, margin = max(strip // width, 1), network.asked.radius
    with torch.inference_mode():
        for top in range(0, height, rows):
            first, last = max(top - margin, 0), min(top + rows + margin, height)
            part = torch.from_numpy(before[first:last]).to(there)[None, None] / 255
            after[top : top + rows] = (network(part)[0, 0] * 255).cpu().numpy()[top - first :][:rows]
    added = ((after - before) * _RANGE)[:, :, None]
    return np.clip(np.rint(whole + added), 0, 255).astype(np.uint8)


def score(
    network: SRCNN, samples: Samples, device: str = "auto", progress: Progress = no_progress
) -> tuple[Score, ...]:
    """How near samples that are shrunk and enlarged again come to what they were, in their order: 8-bit pictures are
    compared, but for a border of the network's radius. Those that are damaged, or too small, are left out."""
    scale, border = network.asked.scale, network.asked.radius
    found = []
    for number in range(len(samples)):
        progress(number, len(samples))
        try:
            pixels = rgb(samples.read(number))
        except Rejected:
            continue
        height, width = (side // scale * scale for side in pixels.shape[:2])
        if min(height, width) <= 2 * border:
            continue
        small = shrunk(pixels, scale)
        again = enlarged(small, scale), upscaled(network, small, device)
        truth, *made = (luminance(one) for one in (pixels[:height, :width], *again))
        found.append(Score(samples.ids[number].as_py(), *(psnr(one, truth, border) for one in made)))
    progress(len(samples), len(samples))
    return tuple(found)


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

    def batches(self, epoch: int, first: int) -> Iterable[Shown]:
        return self.feed.batches(epoch, first)

    def step(self, batch: Shown, at: At) -> Mapping[str, Any]:
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
