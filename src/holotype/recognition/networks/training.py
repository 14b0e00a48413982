"""Training a classifier by a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from holotype.recognition.networks.network import Network
from holotype.recognition.networks.running import Ran, Told
from holotype.recognition.recipes import Recipe
from holotype.releases.loaders import Damaged, Samples

Freeze = Literal["none", "backbone", "bn"]
Loss = Callable[[Any, Any], Any]
"""The mean loss of outputs ``(n, classes)``, a scalar; targets are class indices ``(n,)``, or, of mixed pictures,
probabilities ``(n, classes)``."""
NO_SOURCE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Started:
    """What begins: of which size, and on what."""

    images: int
    classes: int
    empty: tuple[str, ...]
    """The classes, by wnid, of which there is no image."""
    device: str
    processes: int
    batch: int
    steps: int
    epochs: int
    lr: float


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained network with the weights that are kept, how its run ended, and the damaged images it left out."""

    network: Network
    ran: Ran
    damaged: tuple[Damaged, ...]


def train(
    samples: Samples,
    network: Network,
    recipe: Recipe,
    out: Path,
    *,
    val: Samples | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    resume: bool = False,
    device: str = "auto",
    seed: int = 0,
    source: Mapping[str, str] = NO_SOURCE,
    freeze: Freeze = "none",
    loss: Loss | None = None,
    at_once: int | None = None,
    workers: int | None = None,
    compile: bool = False,
    deterministic: bool = False,
    started: Callable[[Started], None] = lambda _: None,
    told: Told = lambda *_: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train a network on samples of its classes by a recipe, in a folder that becomes a run: signature settled, body
    follows."""
    raise NotImplementedError
