"""The second half of latent diffusion: a U-Net, of diffusers, that takes noise out of latent pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from holotype.errors import RecognitionError
from holotype.recognition.generating import Diffusion, Generating, groups_of
from holotype.recognition.networks.autoencoding import CROP, centres, diffusers, levels
from holotype.recognition.networks.averaging import Average
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.feeding import Fed, Feed
from holotype.recognition.networks.running import At
from holotype.releases.loaders import Samples, Settings
from holotype.releases.loaders.draws import key_of, uniforms

SCORED: Final = 512
_MEASURED: Final = 512
_RANGE: Final = 4.0
_NOISE, _SCORES, _TIMES = 22, 23, 24


@dataclass(frozen=True, slots=True, eq=False)
class Latents:
    """Latent pictures of an autoencoder, each channel less its `mean` and over its `std`, ``(channels,)``, so that they
    are as wide as noise is."""

    autoencoder: Any
    mean: Any
    std: Any

    @staticmethod
    def of(autoencoder: Any, shown: Feed) -> Latents:
        """With means and deviations over what is shown. Raises `RecognitionError` where nothing of it is sound."""
        with torch.inference_mode():
            found = [
                autoencoder.encode(levels(batch.images)).latent_dist.mode()
                for batch in shown.batches(0, 0)
                if len(batch.numbers)
            ]
        if not found:
            raise RecognitionError("none of the images that latent pictures are measured by is sound")
        rows = torch.cat(found).double().transpose(0, 1).flatten(1)
        return Latents(autoencoder, rows.mean(1).float(), rows.std(1).clamp(min=1e-6).float())

    def encoded(self, images: Any) -> Any:
        """The latent pictures of pictures ``(n, size, size, 3)`` uint8, ``(n, channels, side, side)``."""
        with torch.no_grad():
            made = self.autoencoder.encode(levels(images)).latent_dist.mode().float()
        return (made - self.mean.view(1, -1, 1, 1)) / self.std.view(1, -1, 1, 1)

    def decoded(self, latents: Any) -> Any:
        """The pictures of latent pictures, levels from -1 to 1, ``(n, 3, size, size)``."""
        with torch.no_grad():
            moved = latents * self.std.view(1, -1, 1, 1) + self.mean.view(1, -1, 1, 1)
            return self.autoencoder.decode(moved).sample


def new_unet(asked: Generating, classes: int, latent: int, side: int, seed: int) -> Any:
    """A ``diffusers.UNet2DModel`` with random weights that is told one of `classes`, or, as one more, of none."""
    wanted = asked.diffusion
    down = ["AttnDownBlock2D" if attends else "DownBlock2D" for attends in wanted.attention]
    up = ["AttnUpBlock2D" if attends else "UpBlock2D" for attends in reversed(wanted.attention)]
    groups = groups_of(*wanted.channels)
    family = diffusers().UNet2DModel
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return family(
            sample_size=side,
            in_channels=latent,
            out_channels=latent,
            down_block_types=tuple(down),
            up_block_types=tuple(up),
            block_out_channels=wanted.channels,
            layers_per_block=wanted.layers,
            attention_head_dim=groups,
            norm_num_groups=groups,
            resnet_time_scale_shift="scale_shift",
            num_class_embeds=classes + 1,
        )


def scheduler(asked: Diffusion) -> Any:
    """The ``diffusers.DDIMScheduler`` that adds noise, and samples (Song et al., ICLR 2021); what it takes for the
    picture on its way stays within four deviations, for a small error of the noise in almost nothing but noise is a
    large one of the picture."""
    return diffusers().DDIMScheduler(
        num_train_timesteps=asked.times,
        beta_start=asked.betas[0],
        beta_end=asked.betas[1],
        beta_schedule="scaled_linear",
        clip_sample_range=_RANGE,
        timestep_spacing="trailing",
    )


class DiffusionJob:
    """Learning to take out noise, as a `Job`. What is scored is the squared error of the noise in held-out pictures, by
    the running mean of the weights; of noise alone it is 1."""

    def __init__(
        self,
        samples: Samples,
        asked: Generating,
        autoencoder: Any,
        *,
        held_out: Samples | None,
        seed: int,
        device: Any,
        workers: int | None,
    ) -> None:
        wanted = asked.diffusion
        self.feed = Feed(samples, Settings(wanted.batch_size, asked.size, CROP, seed), device, workers)
        self.latents = Latents.of(
            autoencoder.to(device).eval(), centres(samples, asked.size, _MEASURED, device, workers)
        )
        side = self.latents.encoded(torch.zeros((1, asked.size, asked.size, 3), dtype=torch.uint8, device=device))
        latent, width = int(side.shape[1]), int(side.shape[-1])
        self.unet = new_unet(asked, len(samples.classes), latent, width, seed).to(device)
        self._average = Average(self.unet, wanted.ema)
        self._asked, self._none, self._seed, self._device = wanted, len(samples.classes), seed, device
        self._noising = scheduler(wanted)
        self._held_out = None if held_out is None else centres(held_out, asked.size, SCORED, device, workers)
        self._optimizer = torch.optim.AdamW(self.unet.parameters(), lr=wanted.lr, weight_decay=0.01)

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        return self.feed.steps()

    def batches(self, epoch: int, first: int) -> Iterable[Fed]:
        return self.feed.batches(epoch, first)

    def step(self, batch: Fed, at: At) -> Mapping[str, Any]:
        self.unet.train()
        latents = self.latents.encoded(batch.images)
        drawing = torch.Generator(self._device).manual_seed(key_of(self._seed, at.total, _NOISE) >> 1)
        drawn = torch.rand((2, len(latents)), generator=drawing, device=self._device)
        noise = torch.randn(latents.shape, generator=drawing, device=self._device)
        times = (drawn[0] * self._asked.times).long()
        told = torch.where(drawn[1] < self._asked.drop, self._none, batch.labels)
        noisy = self._noising.add_noise(latents, noise, times)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            found = self.unet(noisy, times, class_labels=told).sample
        loss = (found.float() - noise).square().mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self._optimizer.step()
        self._average.update()
        return {"loss": loss.detach()}

    def scored(self, epoch: int) -> Mapping[str, float]:  # noqa: ARG002
        if self._held_out is None:
            return {}
        with self.averaged() as unet:
            error = self.error(unet)
        return {"error": error, "best": -error}

    @contextmanager
    def averaged(self) -> Iterator[Any]:
        """The U-Net with the running mean of its weights, which it has while this lasts."""
        with self._average.shown():
            yield self.unet.eval()

    def error(self, unet: Any) -> float:
        """The mean squared error of the noise that a U-Net finds in what is held out: each picture has its own noise,
        of its own strength, which are always the same."""
        if self._held_out is None:
            raise RecognitionError("nothing was held out")
        with torch.inference_mode():
            found = [error for batch in self._held_out.batches(0, 0) for error in self._errors(unet, batch)]
        return float(np.mean(found)) if found else float("nan")

    def _errors(self, unet: Any, batch: Fed) -> Iterator[float]:
        if not len(batch.numbers):
            return
        latents = self.latents.encoded(batch.images)
        noise = drawn_noise(batch.numbers.tolist(), self._seed, _SCORES, latents.shape[1:]).to(self._device)
        drawn = uniforms(key_of(self._seed, _TIMES), batch.numbers, 1)[:, 0]
        times = torch.from_numpy((drawn * self._asked.times).astype(np.int64)).to(self._device)
        found = unet(self._noising.add_noise(latents, noise, times), times, class_labels=batch.labels).sample
        yield from (found - noise).square().mean((1, 2, 3)).tolist()

    def state(self) -> dict[str, Any]:
        return {
            "unet": self.unet.state_dict(),
            "average": self._average.state(),
            "optimizer": self._optimizer.state_dict(),
            "mean": self.latents.mean,
            "std": self.latents.std,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.unet.load_state_dict(state["unet"])
        self._average.load(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        mean, std = (state[name].to(self._device) for name in ("mean", "std"))
        self.latents = Latents(self.latents.autoencoder, mean, std)


def drawn_noise(numbers: Iterable[int], seed: int, stream: int, shape: tuple[int, ...]) -> Any:
    """Noise for each number, ``(numbers, *shape)``, on the CPU: it follows from seed, number and stream alone."""
    drawing = torch.Generator("cpu")
    return torch.stack(
        [
            torch.randn(shape, generator=drawing.manual_seed(key_of(seed, number, stream) >> 1), device="cpu")
            for number in numbers
        ]
    )
