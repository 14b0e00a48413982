"""Generation: pictures of synsets, by latent diffusion that is told classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from holotype.errors import OtherRun
from holotype.files import sha256_file, write_atomically
from holotype.recognition.generating import Generating
from holotype.recognition.networks.autoencoding import FILE, AutoencoderJob, autoencoder_in, write_model
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.diffusing import DiffusionJob
from holotype.recognition.networks.generators import AUTOENCODER, NAME, SAMPLER, UNET
from holotype.recognition.networks.running import Logged, Plan, Ran, Told, run
from holotype.recognition.networks.weights import weights_digest
from holotype.recognition.relabelling import of_classes_in
from holotype.recognition.runs import NO_SOURCE, RUN
from holotype.releases.loaders import Damaged, Samples

DIFFUSION: Final = "diffusion"


@dataclass(frozen=True, slots=True)
class Learned:
    """The `classes` that a generator is told, how its runs ended, that of its autoencoder where it has one of its own,
    and the damaged samples that it was not shown."""

    classes: tuple[str, ...]
    autoencoder: Ran | None
    diffusion: Ran | None
    damaged: tuple[Damaged, ...]

    @property
    def finished(self) -> bool:
        """Whether all of it was learned."""
        return self.diffusion is not None and self.diffusion.finished


@dataclass(frozen=True, slots=True)
class Watching:
    """Who is told of the steps of each half, ``autoencoder`` and ``diffusion``, and of lines of its log, and who is
    asked whether to stop."""

    told: Callable[[str], Told] = lambda _: lambda *_: None
    logged: Callable[[str], Logged] = lambda _: lambda _: None
    stopping: Callable[[], bool] = lambda: False


_NOBODY: Final = Watching()


def learn_to_generate(
    samples: Samples,
    asked: Generating,
    out: Path,
    *,
    held_out: Samples | None = None,
    autoencoder: str = "",
    seed: int = 0,
    source: Mapping[str, Any] = NO_SOURCE,
    resume: bool = False,
    device: str = "auto",
    workers: int | None = None,
    watching: Watching = _NOBODY,
) -> Learned:
    """Train a generator of pictures of the classes of samples, in a folder that becomes a run: first its autoencoder,
    in a folder of its own there, unless one is given, which diffusers finds in a folder or by a name; then the U-Net.

    Classes that no sample is of are none of the generator's; what is held out of them scores the autoencoder alone.
    Both halves are left as diffusers keeps them, and ``sampler.json`` says what else sampling takes. All else is as
    `running.run` says: checkpoints, exact resume, `OtherRun`, `Diverged`. Raises `NotInstalled` without diffusers.
    """
    there = device_named(device)
    samples = of_classes_in(samples, samples)
    told = {"seed": seed, "source": dict(source), "samples": samples.digest()}
    shown: dict[str, Any] = {"held_out": held_out, "seed": seed, "device": there, "workers": workers}
    first: Ran | None = None
    damaged: dict[str, Damaged] = {}
    if autoencoder:
        model = _given(autoencoder, out / AUTOENCODER)
    else:
        wanted = asked.autoencoder
        job = AutoencoderJob(samples, wanted, asked.size, **shown)
        identity = _identity("autoencoder-kl", (), asked) | {"asked": asked.value()["autoencoder"]} | told
        plan = Plan(wanted.epochs, stopping=watching.stopping, logged=watching.logged(AUTOENCODER))
        begun = resume and (out / AUTOENCODER / RUN).exists()
        first = run(job, plan, out / AUTOENCODER, identity, begun, watching.told(AUTOENCODER))
        damaged |= job.feed.damaged
        if not first.finished:
            return Learned(samples.classes, first, None, tuple(damaged.values()))
        write_model(job.model, out / AUTOENCODER)
        model = job.model.eval()
    second = DiffusionJob(samples, asked, model, **shown | {"held_out": _known(held_out, samples)})
    identity = _identity(NAME, samples.classes, asked) | {"asked": asked.value()} | told
    identity |= {"autoencoder": sha256_file(out / AUTOENCODER / FILE)}
    plan = Plan(asked.diffusion.epochs, stopping=watching.stopping, logged=watching.logged(DIFFUSION))
    ran = run(second, plan, out, identity, resume and (out / RUN).exists(), watching.told(DIFFUSION))
    if ran.finished:
        with second.averaged() as unet:
            write_model(unet, out / UNET)
        _write_sampler(second, asked, out)
    return Learned(samples.classes, first, ran, tuple((damaged | second.feed.damaged).values()))


def _known(held_out: Samples | None, samples: Samples) -> Samples | None:
    """What is held out of the classes of samples; None where that is nothing."""
    known = None if held_out is None else of_classes_in(held_out, samples)
    return known if known is not None and len(known) else None


def _given(autoencoder: str, folder: Path) -> Any:
    """An autoencoder that is given, kept in a folder too. Raises `OtherRun` where another one is kept there: what was
    learned with it would be lost."""
    model = autoencoder_in(autoencoder)
    if not (folder / FILE).exists():
        write_model(model, folder)
        return model
    was, now = (weights_digest(one) for one in (autoencoder_in(folder), model))
    if was != now:
        raise OtherRun({"autoencoder": (was, now)})
    return model


def _identity(model: str, classes: Sequence[str], asked: Generating) -> dict[str, Any]:
    shown = {"size": asked.size, "resize": asked.size, "interpolation": "bilinear"}
    return {"model": model, "classes": list(classes), "preprocessing": shown | {"mean": [0.5] * 3, "std": [0.5] * 3}}


def _write_sampler(job: DiffusionJob, asked: Generating, out: Path) -> None:
    wanted = asked.diffusion
    said: dict[str, Any] = {"betas": list(wanted.betas), "times": wanted.times}
    said |= {"mean": job.latents.mean.tolist(), "std": job.latents.std.tolist()}
    write_atomically(out / SAMPLER, json.dumps(said, indent=1).encode())
