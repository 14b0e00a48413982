"""Several views of a picture: ten crops, or all places at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.features import normalised
from holotype.recognition.networks.network import Network
from holotype.recognition.preprocessing import central


def ten_crops(pixels: Pixels, size: int) -> Pixels:
    """The corners and the centre of a picture ``(height, width, 3)``, and the same mirrored, ``(10, size, size, 3)``
    (Krizhevsky et al., NIPS 2012, 4.1)."""
    crops = [pixels[:size, :size], pixels[:size, -size:], pixels[-size:, :size], pixels[-size:, -size:]]
    five = np.stack([*crops, central(pixels, size)])
    return np.concatenate([five, five[:, :, ::-1]])


def of_ten(network: Network, pictures: Sequence[Pixels], device: Any) -> Any:
    """The class probabilities of pictures, means over ten crops of each, ``(pictures, outputs)``."""
    asked = network.preprocessing
    crops = np.concatenate([ten_crops(one, asked.size) for one in pictures])
    outputs = network(normalised(torch.from_numpy(crops).to(device), asked))
    return outputs.float().softmax(1).view(len(pictures), 10, -1).mean(1)


def of_places(network: Network, dense: Any, pictures: Sequence[Pixels], device: Any) -> Any:
    """The class probabilities of pictures by a `densely` made network, means over a picture and its mirror image,
    ``(pictures, outputs)``; pictures of one shape are asked about at once."""
    found = torch.empty((len(pictures), network.outputs), device=device)
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for place, one in enumerate(pictures):
        by_shape.setdefault(one.shape, []).append(place)
    for places in by_shape.values():
        images = normalised(
            torch.from_numpy(np.stack([pictures[at] for at in places])).to(device), network.preprocessing
        )
        try:
            both = [dense(one).float().softmax(1) for one in (images, images.flip(3))]
        except (RuntimeError, AssertionError) as error:
            raise RecognitionError(
                f"{network.name} takes pictures of one size, and no whole ones: {str(error).splitlines()[0]}"
            ) from error
        found[places] = (both[0] + both[1]) / 2
    return found


def densely(network: Network) -> Any:
    """A network as a function of whole pictures ``(n, 3, height, width)`` of any size, whose outputs are means over all
    places (Simonyan and Zisserman, ICLR 2015, 3.2).

    Fully connected layers behind a map, as AlexNet and VGG have, become convolutions with the same weights. One that
    averages its map before one linear layer is it already: a mean of outputs is the output of the mean.
    """
    module = network.module
    layers = getattr(module, "classifier", None)
    if not (hasattr(module, "avgpool") and hasattr(module, "features") and isinstance(layers, torch.nn.Sequential)):
        return module
    side = getattr(module.avgpool, "output_size", 1)
    side = side if isinstance(side, int) else side[0]
    if side == 1:
        return module
    head = torch.nn.Sequential(*_convolutions(layers, side)).eval()

    def ask(images: Any) -> Any:
        return head(module.features(images)).mean((2, 3))

    return ask


def _convolutions(layers: Any, side: int) -> Iterator[Any]:
    """Fully connected layers as convolutions, the first of which looks at `side` x `side` places."""
    for layer in layers:
        if not isinstance(layer, torch.nn.Linear):
            yield layer
            continue
        inputs = layer.in_features // side**2
        made = torch.nn.Conv2d(inputs, layer.out_features, side, device=layer.weight.device)
        made.weight = torch.nn.Parameter(layer.weight.view(layer.out_features, inputs, side, side))
        made.bias = layer.bias
        yield made
        side = 1
