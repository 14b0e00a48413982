"""Leaving out residual branches at random (Huang et al., ECCV 2016)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from holotype.recognition.networks.extra import torchvision

_RESNETS = torchvision.models.resnet
_TIMMS = ("drop_path", "drop_path1", "drop_path2")


@contextmanager
def dropped_paths(module: Any, most: float) -> Iterator[int]:
    """Have the residual branches of a network left out in training while this lasts, each for each picture on its own,
    with a chance that rises linearly from 0 at the first to `most` at the last; gives how many there are.

    Known are those of torchvision's residual networks, and of timm's where it has a place for this.
    """
    places = list(_places(module)) if most else []
    with ExitStack() as held:
        for number, (layer, name) in enumerate(places):
            depth = torchvision.ops.StochasticDepth(most * number / max(len(places) - 1, 1), "row")
            if name:
                held.callback(setattr, layer, name, getattr(layer, name))
                setattr(layer, name, depth)
            else:
                held.callback(layer.register_forward_hook(_dropping(depth)).remove)
        yield len(places)


def _places(module: Any) -> Iterator[tuple[Any, str]]:
    """The last layer of each branch, whose output is to be dropped; or a layer, and the name of its place for that."""
    for layer in module.modules():
        if isinstance(layer, _RESNETS.Bottleneck):
            yield layer.bn3, ""
        elif isinstance(layer, _RESNETS.BasicBlock):
            yield layer.bn2, ""
        else:
            yield from ((layer, name) for name in _TIMMS if hasattr(layer, name))


def _dropping(depth: Any) -> Any:
    def dropped(layer: Any, _: Any, output: Any) -> Any:
        return depth.train(layer.training)(output)

    return dropped
