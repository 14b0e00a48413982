"""The layers of a network that still know where in a picture something is, and what they give as maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from holotype.errors import RecognitionError
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.network import Network

_MOST_EXTRA: Final = 16
"""Tokens of no place that a transformer may have: its class's, a teacher's, registers."""


def as_maps(output: Any, size: tuple[int, int]) -> Any:
    """What a layer gives of images of a `size`, height and width, as maps ``(n, channels, h, w)``: those of
    convolutions as they are, those whose channels come last turned, tokens ``(n, tokens, channels)`` laid on their
    grid, without those of no place, which come first. None where it gives no maps, or one place alone.
    """
    if not isinstance(output, torch.Tensor) or not output.is_floating_point():
        return None
    if output.ndim == 4:
        for maps in (output, output.permute(0, 3, 1, 2)):
            if _fits((maps.shape[2], maps.shape[3]), size):
                return maps
        return None
    if output.ndim != 3:
        return None
    rows, columns = grid = _grid(output.shape[1], size)
    extra = output.shape[1] - rows * columns
    if extra > _MOST_EXTRA or not _fits(grid, size):
        return None
    return output[:, extra:].transpose(1, 2).unflatten(2, grid)


def seeing_layer(network: Network, image: Any) -> str:
    """The name of the last layer of a network that knows places, and that its outputs depend on in each: what Grad-CAM
    reads unless it is told otherwise.

    In a convolutional network it is what follows its last convolution at that size (Selvaraju et al., ICCV 2017,
    section 3), in a transformer that classifies by a token of its own what the last attention gets. One normalised
    image ``(1, 3, height, width)`` is shown to the network, which is set to evaluation. Raises `RecognitionError` where
    there is none.
    """
    seen: list[_Layer] = []
    size = image.shape[-2], image.shape[-1]

    def noting(name: str, learned: bool) -> Any:
        def note(_: Any, __: Any, output: Any) -> None:
            maps = as_maps(output, size)
            if maps is not None and output.requires_grad and len(output) == len(image):
                seen.append(_Layer(name, output, tuple(maps.shape), output.ndim == 3, learned))

        return note

    hooks = [
        layer.register_forward_hook(noting(name, any(True for _ in layer.parameters(recurse=False))))
        for name, layer in network.module.named_modules()
    ]
    try:
        with torch.enable_grad():
            features = network.eval().features(image.detach().requires_grad_().clone())
            mixed = (features * torch.linspace(-1, 1, features.shape[1], device=features.device)).sum()
            gradients = torch.autograd.grad(mixed, [one.output for one in seen], allow_unused=True) if seen else ()
    finally:
        for hook in hooks:
            hook.remove()
    found = _last(seen, [given is not None and bool(as_maps(given, size).any()) for given in gradients])
    if not found:
        raise RecognitionError(f"no layer of {network.name} knows where in a picture of {size[1]} x {size[0]} it looks")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A layer that gave maps of a `shape`, as `tokens` maybe; `learned` where it has weights of its own."""

    name: str
    output: Any
    shape: tuple[int, ...]
    tokens: bool
    learned: bool


def _last(seen: list[_Layer], matters: list[bool]) -> str:
    """The last layer that follows the last learned one at the same size, of those that matter; "" where none does."""
    width = next((one.shape[1] for one in reversed(seen) if one.tokens), 0)
    left = [one for one, does in zip(seen, matters, strict=True) if does and not (one.tokens and one.shape[1] != width)]
    learned = next((one for one in reversed(left) if one.learned), None)
    if learned is None:
        return ""
    return next(one.name for one in reversed(left) if one.shape[2:] == learned.shape[2:])


def _fits(grid: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a grid of rows and columns has more than one place, and the form of images of a size."""
    (rows, columns), (height, width) = grid, size
    inside = rows <= height and columns <= width and rows * columns > 1
    return inside and abs(rows * width - columns * height) < max(height, width)


def _grid(tokens: int, size: tuple[int, int]) -> tuple[int, int]:
    """The finest grid of patches of images of a size that has no more places than there are tokens."""
    height, width = size
    patch = next(side for side in range(1, height + width) if (height // side) * (width // side) <= tokens)
    return height // patch, width // patch
