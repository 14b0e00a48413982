"""What is learned from real images without labels, to enlarge and to generate: beside chance, bicubic interpolation and
noise. Settings were chosen on every other validation image from the first on; figures are of those between them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from holotype.ontology import load_wordnet
from holotype.recognition.contrasts import recipe_named
from holotype.recognition.enlarging import Enlarging
from holotype.recognition.generating import frechet_distance
from holotype.recognition.generating import recipe_named as generating_named
from holotype.recognition.networks.contrastive import contrast
from holotype.recognition.networks.contrastive_job import ContrastJob
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.enlarging_job import learn_to_enlarge
from holotype.recognition.networks.features import features
from holotype.recognition.networks.generation import learn_to_generate
from holotype.recognition.networks.generators import Generator, picture_features
from holotype.recognition.networks.models import create_model
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.super_resolution import score
from holotype.releases.loaders import Samples
from holotype.store.places import Places
from real_images import coarsely, images

CONTRASTED = replace(
    recipe_named("moco-v2"), epochs=30, batch_size=32, lr=0.06, queue=256, momentum=0.99, group=0, projection=(128, 64)
)
"""MoCo v2 for 750 images of 64 pixels on a CPU: fewer keys, which follow sooner."""


def held_out() -> Samples:
    """The validation images that figures are of."""
    return images("val").take(np.arange(1, 500, 2))


def unlabelled() -> Samples:
    """The training images, and the validation images that settings were chosen on."""
    one, other = images("train"), images("val").take(np.arange(0, 500, 2))
    first, then = one.places, other.places
    paths = pa.concat_arrays([one.ids, other.ids])
    places = Places(
        (*first.files, *then.files),
        np.concatenate([first.file, then.file + len(first.files)]).astype(np.int32),
        np.concatenate([first.offset, then.offset]),
        np.concatenate([first.length, then.length]),
        paths,
    )
    return replace(one, places=places, ids=paths, labels=np.concatenate([one.labels, other.labels]))


def rows() -> Iterator[tuple[str, str]]:
    """Each beside what it has to beat."""
    with tempfile.TemporaryDirectory() as folder:
        yield from enlarged(Path(folder) / "upscale")
        yield from contrasted(Path(folder) / "contrast")
        yield from generated(Path(folder) / "generate")


def enlarged(out: Path) -> Iterator[tuple[str, str]]:
    """SRCNN x3 on whole images."""
    some = held_out().take(np.arange(0, 250, 5))
    for asked, name in ((Enlarging(), "residual"), (Enlarging(residual=False), "plain")):
        found = learn_to_enlarge(images("train"), asked, out / name)
        scores = score(found.network, some)
        gains = np.array([one.gain for one in scores])
        told = f"{gains.mean():+.2f} dB, least {gains.min():+.2f}, better on {(gains > 0).sum()} of {len(gains)}"
        told += f", by .3 dB on {(gains >= 0.3).sum()}"
        base = np.mean([one.bicubic for one in scores])
        yield f"SRCNN x3, {name}, {found.ran.at.total} steps of 16 parts: over bicubic of {base:.2f} dB", told


def contrasted(out: Path) -> Iterator[tuple[str, str]]:
    """How often the other view of an image is the nearest, of 250."""
    samples, watched = unlabelled(), held_out()
    name = "timm:test_resnet"

    def network() -> Network:
        made = create_model(name, seed=0)
        made.preprocessing = replace(made.preprocessing, size=64, resize=73)
        return made

    job = ContrastJob(samples, network(), CONTRASTED, watched, 0, device_named(), None)
    before = job.scored(0)
    ran = contrast(samples, network(), CONTRASTED, out, held_out=watched).ran
    for score_of, what in (("retrieval", "embeddings"), ("retrieval_by_features", "features")):
        told = f"{ran.scores[score_of]:.3f}, untrained {before[score_of]:.3f}, chance .004"
        yield f"{name}, MoCo v2, 750 images of 64 pixels, {ran.at.total} steps: other view found by {what}", told


def generated(out: Path) -> Iterator[tuple[str, str]]:
    """Fifteen classes at 32 pixels."""
    ontology = load_wordnet()
    train, real = coarsely(images("train"), ontology), coarsely(held_out(), ontology)
    asked = generating_named("tiny")
    found = learn_to_generate(train, asked, out, held_out=real)
    if found.autoencoder is None or found.diffusion is None:
        raise AssertionError("a run without a stop has both halves")
    yield f"autoencoder, {len(train)} images of 32 pixels: PSNR", f"{found.autoencoder.scores['psnr_db']:.1f} dB"
    told = f"{found.diffusion.scores['error']:.3f}, of finding none 1"
    yield f"latent diffusion, 15 classes, {found.diffusion.at.total} steps: squared error of held-out noise", told
    generator, network = Generator(out), create_model("efficientnet_lite0", weights="pretrained")
    known = features(network, real).rows
    made = generator.sample([real.classes[label] for label in real.labels], steps=25)
    from_made, from_noise = (picture_features(network, each) for each in (made, generator.unlearned(len(real))))
    distances = [frechet_distance(each, known) for each in (from_made, from_noise)]
    halves = frechet_distance(known[::2], known[1::2])
    told = f"{distances[0]:.1f}, of decoded noise {distances[1]:.1f}, between halves of real ones {halves:.1f}"
    yield f"Frechet distance by Lite0's features, {len(real)} pictures", told


if __name__ == "__main__":
    for what, figure in rows():
        print(what, figure, flush=True)
