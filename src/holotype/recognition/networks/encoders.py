"""Networks with the layers behind them that learning without labels takes, and that are left away at its end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from holotype.errors import RecognitionError
from holotype.recognition.contrasts import ContrastRecipe
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.network import Network


class Encoder(torch.nn.Module):  # type: ignore[misc]
    """A network's features, and the layers behind them that embed them."""

    def __init__(self, network: Network, recipe: ContrastRecipe) -> None:
        super().__init__()
        self.network = network
        self.projection = layers((network.width, *recipe.projection), recipe.normed)

    def forward(self, images: Any) -> Any:
        """Normalised images ``(n, 3, size, size)`` to embeddings ``(n, width)``, of any length."""
        return self.projection(self.network.features(images))


def layers(widths: tuple[int, ...], normed: bool) -> Any:
    """Linear layers with ReLUs between them; `normed` ones with batch norms, that of the last without weights (Chen et
    al., ICCV 2021, 4)."""
    made: list[Any] = []
    for at, (inputs, outputs) in enumerate(pairwise(widths)):
        last = at == len(widths) - 2
        made.append(torch.nn.Linear(inputs, outputs, bias=not normed))
        if normed:
            made.append(torch.nn.BatchNorm1d(outputs, affine=not last))
        if not last:
            made.append(torch.nn.ReLU())
    return torch.nn.Sequential(*made)


def patches_of(module: Any) -> Any:
    """The layer of a vision transformer that makes tokens of patches, the first convolution that it has.

    Raises `RecognitionError` where it has none.
    """
    found = next((layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d)), None)
    if found is None:
        raise RecognitionError("this network has no convolution that makes tokens of patches")
    return found
