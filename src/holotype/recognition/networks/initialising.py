"""Random weights to begin with, and PReLU in the place of ReLU."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.network import Network

Initial = Literal["he", "xavier", "gaussian"]
INITIALS: Final[tuple[Initial, ...]] = ("he", "xavier", "gaussian")
_SLOPE: Final = 0.25
_STD: Final = 0.01


def initialise(network: Network, how: Initial, seed: int = 0) -> None:
    """Draw the weights of all convolutions and linear layers anew: from N(0, std), with biases 0.

    - ``he``: std is ``sqrt(2 / ((1 + a * a) * n))`` of `n` inputs, where `a` is 0, or in a network of PReLUs the slope
      that they begin with (He et al., ICCV 2015, section 2.2)
    - ``xavier``: std is ``sqrt(2 / (n + m))`` of `n` inputs and `m` outputs (Glorot and Bengio, AISTATS 2010)
    - ``gaussian``: std is 0.01 (Krizhevsky et al., NIPS 2012, section 5)

    The head's std is 0.01 always.
    """
    if how not in INITIALS:
        raise ValueError(f"weights are drawn by one of {', '.join(INITIALS)}, not {how!r}")
    generator = torch.Generator().manual_seed(seed)
    slope = _SLOPE if any(isinstance(one, torch.nn.PReLU) for one in network.modules()) else 0.0
    for layer in network.modules():
        if isinstance(layer, torch.nn.modules.conv._ConvNd | torch.nn.Linear):
            std = _STD if layer is network.head else _std(layer, how, slope)
            with torch.no_grad():
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * std)
                if layer.bias is not None:
                    layer.bias.zero_()


def _std(layer: Any, how: Initial, slope: float) -> float:
    if how == "gaussian":
        return _STD
    inputs, outputs = torch.nn.init._calculate_fan_in_and_fan_out(layer.weight)
    return math.sqrt(2 / ((1 + slope**2) * inputs)) if how == "he" else math.sqrt(2 / (inputs + outputs))


def with_prelu(module: Any) -> int:
    """Put a PReLU in the place of each layer of a module that is a ReLU; how many there are. Each has one slope, which
    begins at 0.25 (He et al., ICCV 2015, section 2.1, "channel-shared")."""
    placed = 0
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.ReLU):
                setattr(parent, name, torch.nn.PReLU(init=_SLOPE))
                placed += 1
    return placed
