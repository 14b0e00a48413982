"""What of a network does not learn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.network import Network

Freeze = Literal["none", "backbone", "bn"]
FREEZES: Final[tuple[Freeze, ...]] = ("none", "backbone", "bn")


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """The layers of a network that stay as they are."""

    layers: tuple[Any, ...] = ()

    def keep(self) -> None:
        """Have them work as in evaluation, though the network trains: norms do not learn statistics, nothing drops."""
        for layer in self.layers:
            layer.eval()


def frozen(network: Network, what: Freeze) -> Frozen:
    """Freeze the ``backbone`` of a network, all but its head; or its batch norms, ``bn``; or, with ``none``, nothing.

    What is frozen asks for no gradient, hence no optimizer changes it. All else does.
    """
    if what not in FREEZES:
        raise ValueError(f"what is frozen is one of {', '.join(FREEZES)}, not {what!r}")
    network.requires_grad_(True)
    layers = tuple(_layers(network, what))
    for layer in layers:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)
    return Frozen(layers)


def _layers(network: Network, what: Freeze) -> Iterator[Any]:
    norms = torch.nn.modules.batchnorm._BatchNorm
    for layer in network.module.modules():
        if (what == "backbone" and layer is not network.head) or (what == "bn" and isinstance(layer, norms)):
            yield layer
