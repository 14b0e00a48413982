"""Training on the real images: from scratch, exactly gone on with, and by two processes as by one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from holotype.ontology import load_wordnet
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.features import features
from holotype.recognition.networks.initialising import INITIALS, initialise
from holotype.recognition.networks.models import create_model
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.training import Trained, train
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.recipes import recipe_named
from holotype.releases.loaders import Samples
from real_images import coarsely, images

SIZE, EPOCHS, BATCH = 64, 15, 64
SMALL = "timm:test_convnext"
"""A network without batch norms, which several processes train as one does."""


def rows() -> Iterator[tuple[str, str]]:
    """What is learned by published recipes, with nothing chosen on these images; and that it is the same again."""
    torch.set_num_threads(1)
    ontology = load_wordnet()
    learned, scored = coarsely(images("train"), ontology), coarsely(images("val"), ontology)
    yield from _from_scratch(learned, scored)
    yield from _exactly(learned)
    yield "30 layers of convolution and ReLU: deviation of the outputs by He's weights / by Glorot's", _deep(learned)


def _from_scratch(learned: Samples, scored: Samples) -> Iterator[tuple[str, str]]:
    """A published recipe on far too few images: it learns, and no more than that can be said."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = recipe_named("ffcv16").sized(SIZE)
        network = create_model("resnet18", learned.classes)
        found = train(
            learned, network, recipe, Path(folder) / "run", val=scored, epochs=EPOCHS, batch_size=BATCH, device="cpu"
        )
        common = max((scored.labels == label).mean() for label in range(len(scored.classes)))
        told = f"ResNet-18 from scratch, {len(learned)} images of {SIZE} px, {EPOCHS} epochs: top-1 / top-5 of 15"
        figure = f"{found.ran.scores['top1']:.3f} / {found.ran.scores['top5']:.3f} (the commonest class: {common:.3f})"
        yield f"{told}, {len(scored)} validation images", figure


def _exactly(learned: Samples) -> Iterator[tuple[str, str]]:
    """A network without batch norms, whose steps are the same whoever shares them."""
    with tempfile.TemporaryDirectory() as folder:
        whole = _small(learned, Path(folder) / "whole")
        left = 7

        def stopping() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        _small(learned, Path(folder) / "part", stopping=stopping)
        rest = _small(learned, Path(folder) / "part", resume=True)
        yield "stopped after some of 12 steps and gone on with: largest difference of weights", _apart(whole, rest)
        _in_two(Path(folder) / "two")
        two = create_model(str(Path(folder) / "two"))
        yield "trained by two processes and by one: largest difference of weights", _apart(whole, two)


def _small(learned: Samples, out: Path, **asked: Any) -> Network:
    recipe = recipe_named("ffcv16").sized(48)
    network = create_model(SMALL, learned.classes)
    done: Trained = train(learned, network, recipe, out, epochs=2, batch_size=BATCH, device="cpu", **asked)
    return done.network


def _in_two(out: Path) -> None:
    paths = os.pathsep.join(path for path in sys.path if path)
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__]
    subprocess.run([*started, str(out)], check=True, env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"})


def _apart(one: Network, other: Network) -> str:
    there = other.module.state_dict()
    return f"{max(float((value - there[name]).abs().max()) for name, value in one.module.state_dict().items()):.1e}"


def _deep(learned: Samples) -> str:
    """He et al., ICCV 2015, section 2.2, on sixteen images."""
    spreads = []
    for how in INITIALS[:2]:
        layers: list[Any] = []
        for number in range(30):
            layers += [torch.nn.Conv2d(32 if number else 3, 32, 3, padding=1), torch.nn.ReLU()]
        ends = [torch.nn.Flatten(), torch.nn.Linear(32 * SIZE**2, 10)]
        network = Network(torch.nn.Sequential(*layers, *ends), "plain", Preprocessing(SIZE, SIZE))
        initialise(network, how)
        spreads.append(f"{features(network, learned.take(np.arange(16)), 'cpu').rows.std():.1e}")
    return " / ".join(spreads)


if __name__ == "__main__":
    if "RANK" in os.environ:
        torch.set_num_threads(1)
        _small(coarsely(images("train"), load_wordnet()), Path(sys.argv[1]))
    else:
        for what, figure in rows():
            print(what, figure)
