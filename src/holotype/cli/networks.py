"""Networks as commands name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from holotype.errors import NotInstalled
from holotype.recognition.embedders import HOG, Embedder, HandMade

MODEL: Final = "MODEL"

model_argument = click.argument("model", metavar=MODEL)
weights_option = click.option(
    "--weights",
    default="",
    metavar="NAME|FILE",
    help="Weights: pretrained, one of torchvision's sets by name, or a file. [default: a run's own, else pretrained]",
)
device_option = click.option(
    "--device", default="auto", show_default=True, metavar="NAME", help="Where to compute: cpu, cuda, cuda:1 ..."
)
batch_option = click.option(
    "--batch-size", default=64, show_default=True, type=click.IntRange(1), help="Pictures on the device at once."
)


@contextmanager
def networks_here() -> Iterator[None]:
    """Imports of what needs PyTorch. Raises `click.ClickException` where that is not installed."""
    try:
        yield
    except NotInstalled as error:
        raise click.ClickException(str(error)) from error


def asked_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a network that is asked: its weights, and where and how many at once."""
    for option in (batch_option, device_option, weights_option):
        command = option(command)
    return command


def trained_network(model: str, weights: str) -> Any:
    """A network that knows something: a run, or one of a library with published weights. Raises `RecognitionError`."""
    with networks_here():
        from holotype.recognition.networks.models import PRETRAINED, create_model
    from holotype.recognition.runs import is_run

    return create_model(model, weights=weights or ("" if is_run(model) else PRETRAINED))


def network_embedder(model: str, weights: str, device: str = "auto", batch_size: int = 64) -> Any:
    """The embedder of a network that knows something, as `trained_network`. Raises `RecognitionError`."""
    with networks_here():
        from holotype.recognition.networks.embedding import NetworkEmbedder
    return NetworkEmbedder.of(trained_network(model, weights), model, weights, device, batch_size)


def embedder_named(model: str, weights: str, device: str = "auto", batch_size: int = 64) -> Embedder:
    """What makes embeddings: features made by hand, which take no weights, or those of a network."""
    if model != HOG:
        made: Embedder = network_embedder(model, weights, device, batch_size)
        return made
    if weights:
        raise click.UsageError(f"{HOG} is no network and has no weights: leave --weights out")
    return HandMade()
