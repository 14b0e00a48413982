"""Generators that were learned, and the pictures that they make."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.recognition.generating import Diffusion
from holotype.recognition.networks.autoencoding import SAFELY, autoencoder_in, diffusers, pixels
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.diffusing import Latents, drawn_noise, scheduler
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.features import normalised
from holotype.recognition.networks.network import Network
from holotype.recognition.runs import read_run

NAME: Final = "latent-diffusion"
AUTOENCODER: Final = "autoencoder"
UNET: Final = "unet"
SAMPLER: Final = "sampler.json"
_PICTURES: Final = 25


class Generator:
    """A generator that was learned in a folder: it makes pictures of its `classes`, wnids in class order.

    Raises `RecognitionError` where there is none, `NotInstalled` without diffusers.
    """

    def __init__(self, folder: Path, device: str = "auto") -> None:
        said = read_run(folder)
        if said.model != NAME:
            raise RecognitionError(f"the run in {folder} is of {said.model}, which generates no pictures")
        self.classes = said.classes
        self.size = said.preprocessing.size
        there = device_named(device)
        try:
            told = json.loads((folder / SAMPLER).read_text(encoding="utf-8"))
            unet = diffusers().UNet2DModel.from_pretrained(str(folder / UNET), **SAFELY)
            noising = Diffusion(betas=tuple(told["betas"]), times=int(told["times"]))
            mean, std = (torch.tensor(told[name], device=there) for name in ("mean", "std"))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
            raise RecognitionError(
                f"the generator in {folder} is not whole: {(str(error).splitlines() or [repr(error)])[0]}"
            ) from error
        self._latents = Latents(autoencoder_in(folder / AUTOENCODER).to(there), mean, std)
        self._unet = unet.to(there).eval()
        self._noising, self._device = noising, there

    def sample(
        self,
        wnids: Sequence[str],
        *,
        guidance: float = 1.5,
        steps: int = 50,
        seed: int = 0,
        first: int = 0,
        batch_size: int = 32,
        progress: Progress = no_progress,
    ) -> Pixels:
        """A picture of each of some classes, ``(wnids, size, size, 3)``, by DDIM in so many steps, of noise that
        follows from the seed and the picture's number, which is its place from `first` on: one picture is the same
        whatever others are made.

        `guidance` is how far predictions move from those without a class through those of the class: 1 is none, more is
        more like the class and less varied. Raises `RecognitionError` where a class is none of `classes`.
        """
        lost = sorted(set(wnids) - set(self.classes))
        if lost:
            raise RecognitionError(f"{lost[0][:60]} is none of the {len(self.classes):,} classes of this generator")
        if not 1 <= steps <= self._noising.times:
            raise RecognitionError(f"it takes from 1 to {self._noising.times:,} steps, not {steps:,}")
        labels = np.array([self.classes.index(wnid) for wnid in wnids], np.int64)
        made = np.zeros((len(wnids), self.size, self.size, 3), np.uint8)
        for at in range(0, len(wnids), batch_size):
            progress(at, len(wnids))
            part = range(at, min(at + batch_size, len(wnids)))
            noise = self._noise([first + number for number in part], seed)
            latents = self._denoised(noise, torch.from_numpy(labels[part.start : part.stop]), guidance, steps)
            made[part.start : part.stop] = pixels(self._latents.decoded(latents)).cpu().numpy()
        progress(len(wnids), len(wnids))
        return made

    def unlearned(self, count: int, seed: int = 0) -> Pixels:
        """Pictures that the autoencoder makes of noise, ``(count, size, size, 3)``: what sampled ones are to beat."""
        return np.asarray(pixels(self._latents.decoded(self._noise(range(count), seed))).cpu().numpy())

    def _noise(self, numbers: Sequence[int], seed: int) -> Any:
        side, channels = int(self._unet.config.sample_size), int(self._unet.config.in_channels)
        return drawn_noise(numbers, seed, _PICTURES, (channels, side, side)).to(self._device)

    def _denoised(self, latents: Any, labels: Any, guidance: float, steps: int) -> Any:
        sampling = scheduler(self._noising)
        sampling.set_timesteps(steps, device=self._device)
        labels = labels.to(self._device)
        both = torch.cat([labels, torch.full_like(labels, len(self.classes))])
        with torch.inference_mode():
            for time in sampling.timesteps:
                if guidance == 1:
                    found = self._unet(latents, time, class_labels=labels).sample
                else:
                    told, untold = self._unet(torch.cat([latents] * 2), time, class_labels=both).sample.chunk(2)
                    found = untold + guidance * (told - untold)
                latents = sampling.step(found, time, latents).prev_sample
        return latents


def picture_features(
    network: Network, pictures: Pixels, device: str = "auto", batch_size: int = 64
) -> npt.NDArray[np.float32]:
    """What the head of a network gets of pictures ``(n, height, width, 3)``, ``(n, width)``."""
    there = device_named(device)
    network.to(there).eval()
    asked, rows = network.preprocessing, np.zeros((len(pictures), network.width), np.float32)
    with torch.inference_mode():
        for at in range(0, len(pictures), batch_size):
            shown = np.stack([asked.centre(one) for one in pictures[at : at + batch_size]])
            images = normalised(torch.from_numpy(shown).to(there), asked)
            rows[at : at + batch_size] = network.features(images).float().cpu().numpy()
    return rows
