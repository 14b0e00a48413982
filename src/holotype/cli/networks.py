"""Networks as commands name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from holotype.errors import NotInstalled

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
