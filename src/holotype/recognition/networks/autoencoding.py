"""The first half of latent diffusion: an autoencoder, of diffusers, that makes small latent pictures."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.errors import NotInstalled, RecognitionError
from holotype.files import sha256_file
from holotype.recognition.generating import Autoencoder, groups_of
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.feeding import Fed, Feed
from holotype.recognition.networks.running import At
from holotype.releases.loaders import CentreCrop, Order, RandomCrop, Samples, Settings
from holotype.releases.loaders.draws import key_of

FILE: Final = "diffusion_pytorch_model.safetensors"
SAFELY: Final = {"use_safetensors": True, "low_cpu_mem_usage": False}
"""How diffusers loads weights: nothing in them is executed, and no other library is asked for."""
CROP: Final = RandomCrop((0.7, 1.0), (1.0, 1.0))
"""What generators are shown of a picture: a square of most of it, undistorted, mirrored half of the time."""
_NOISE: Final = 21


def diffusers() -> Any:
    """The library diffusers. Raises `NotInstalled`."""
    try:
        return import_module("diffusers")
    except (ImportError, OSError, RuntimeError) as error:
        raise NotInstalled("diffusers", "generation", str(error)) from error


def new_autoencoder(asked: Autoencoder, size: int, seed: int) -> Any:
    """A ``diffusers.AutoencoderKL``, with random weights."""
    count = len(asked.channels)
    family = diffusers().AutoencoderKL
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return family(
            down_block_types=("DownEncoderBlock2D",) * count,
            up_block_types=("UpDecoderBlock2D",) * count,
            block_out_channels=asked.channels,
            layers_per_block=asked.layers,
            latent_channels=asked.latent,
            norm_num_groups=groups_of(*asked.channels),
            sample_size=size,
        )


def autoencoder_in(folder: str | Path) -> Any:
    """An autoencoder that diffusers kept in a folder, or that it finds by a name; its weights are safetensors, for
    nothing in them is executed. Raises `RecognitionError`."""
    try:
        return diffusers().AutoencoderKL.from_pretrained(str(folder), **SAFELY).eval()
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecognitionError(f"there is no autoencoder in {folder}: {said[:300]}") from error


def write_model(model: Any, folder: Path) -> str:
    """Write a model of diffusers as diffusers does, all of it or nothing; the sha256 of its weights."""
    made = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(made, ignore_errors=True)
        model.save_pretrained(made, safe_serialization=True)
        for path in sorted(made.iterdir()):
            folder.mkdir(parents=True, exist_ok=True)
            path.replace(folder / path.name)
        made.rmdir()
    except OSError as error:
        raise RecognitionError(f"the weights could not be written: {error}") from error
    return sha256_file(folder / FILE)


def levels(images: Any) -> Any:
    """Pictures ``(n, size, size, 3)`` uint8 as levels from -1 to 1, ``(n, 3, size, size)``."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def pixels(made: Any) -> Any:
    """Levels from -1 to 1 as pictures ``(n, size, size, 3)`` uint8."""
    return ((made.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def centres(samples: Samples, size: int, most: int, device: Any, workers: int | None) -> Feed:
    """The centres of samples, no more than so many, in their order."""
    taken = np.unique(np.linspace(0, len(samples) - 1, min(most, len(samples))).astype(np.int64))
    settings = Settings(min(64, max(len(taken), 1)), size, CentreCrop(), order=Order("none"))
    return Feed(samples.take(taken), settings, device, workers, least=0)


class AutoencoderJob:
    """Learning to make latent pictures, as a `Job`. What is scored is the PSNR of pictures that are held out."""

    def __init__(
        self,
        samples: Samples,
        asked: Autoencoder,
        size: int,
        *,
        held_out: Samples | None,
        seed: int,
        device: Any,
        workers: int | None,
    ) -> None:
        self.feed = Feed(samples, Settings(asked.batch_size, size, CROP, seed), device, workers)
        self.model = new_autoencoder(asked, size, seed).to(device)
        self._asked, self._seed, self._device = asked, seed, device
        self._held_out = None if held_out is None else centres(held_out, size, 256, device, workers)
        self._optimizer = torch.optim.Adam(self.model.parameters(), lr=asked.lr, betas=(0.5, 0.9))

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        return self.feed.steps()

    def batches(self, epoch: int, first: int) -> Iterable[Fed]:
        return self.feed.batches(epoch, first)

    def step(self, batch: Fed, at: At) -> Mapping[str, Any]:
        self.model.train()
        given = levels(batch.images)
        drawing = torch.Generator(self._device).manual_seed(key_of(self._seed, at.total, _NOISE) >> 1)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            found = self.model.encode(given).latent_dist
            made = self.model.decode(found.sample(drawing)).sample
        error = (made.float() - given).square().mean()
        loss = error + self._asked.kl * found.kl().float().sum() / given.numel()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        return {"loss": loss.detach(), "error": error.detach()}

    def scored(self, epoch: int) -> Mapping[str, float]:  # noqa: ARG002
        if self._held_out is None:
            return {}
        found = reconstruction(self.model, self._held_out)
        return {"psnr_db": found, "best": found}

    def state(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])


def reconstruction(model: Any, shown: Feed) -> float:
    """The PSNR of what an autoencoder makes of pictures again, in dB, of all their pixels together."""
    model.eval()
    total = count = 0.0
    with torch.inference_mode():
        for batch in shown.batches(0, 0):
            given = levels(batch.images)
            made = model.decode(model.encode(given).latent_dist.mode()).sample
            total += float((made - given).clamp(-2, 2).square().sum().double())
            count += given.numel()
    return 10 * math.log10(4 * count / total) if total else math.inf
