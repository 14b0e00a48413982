"""A network, with the classes that it tells apart and what it was trained to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from holotype.errors import RecognitionError
from holotype.recognition.networks.extra import torch
from holotype.recognition.preprocessing import Preprocessing

_PUBLISHED: Final = Preprocessing()


class Network(torch.nn.Module):  # type: ignore[misc]
    """A network of torchvision, timm or another library: `module`, called `name`, whose last layer, the `head`, has an
    output for each of `classes`, wnids in class order; there are none where nobody said what its outputs mean.
    """

    def __init__(
        self, module: Any, name: str, preprocessing: Preprocessing = _PUBLISHED, classes: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.module = module
        self.name = name
        self.preprocessing = preprocessing
        self.head_name = head_of(module)
        self.classes = tuple(classes)
        if classes and len(classes) != self.outputs:
            raise RecognitionError(f"{name} has {self.outputs:,} outputs, not one for each of {len(classes):,} classes")

    @property
    def head(self) -> Any:
        """The last layer, a `torch.nn.Linear`."""
        return self.module.get_submodule(self.head_name)

    @property
    def outputs(self) -> int:
        """How many outputs there are."""
        return int(self.head.out_features)

    @property
    def width(self) -> int:
        """How many features the head gets."""
        return int(self.head.in_features)

    def forward(self, images: Any) -> Any:
        """Images ``(n, 3, height, width)``, normalised, to outputs ``(n, outputs)``; in training, a network that has
        auxiliary heads gives what its library says."""
        return self.module(images)

    def features(self, images: Any) -> Any:
        """Images ``(n, 3, height, width)`` to what the head gets of them, ``(n, width)``."""
        held: list[Any] = []

        def hold(_: Any, inputs: tuple[Any, ...]) -> None:
            held.append(inputs[0])

        hook = self.head.register_forward_pre_hook(hold)
        try:
            self.module(images)
        finally:
            hook.remove()
        return held[0].flatten(1)

    def reset_head(self, classes: Sequence[str], generator: Any = None) -> None:
        """A new head, for other classes, and new last layers of auxiliary heads: weights N(0, .01), biases 0."""
        before = self.outputs
        for name, layer in list(self.module.named_modules()):
            auxiliary = "aux" in name.lower() and isinstance(layer, torch.nn.Linear) and layer.out_features == before
            if name == self.head_name or auxiliary:
                new = torch.nn.Linear(layer.in_features, len(classes), device=layer.weight.device)
                torch.nn.init.normal_(new.weight, std=0.01, generator=generator)
                torch.nn.init.zeros_(new.bias)
                _put(self.module, name, new)
        self.classes = tuple(classes)


def head_of(module: Any) -> str:
    """The name of the last layer of a network: the one that its library says, or its last linear one.

    Raises `RecognitionError` where there is none.
    """
    said = module.get_classifier() if hasattr(module, "get_classifier") else None
    linear = [name for name, layer in module.named_modules() if isinstance(layer, torch.nn.Linear)]
    named = [name for name, layer in module.named_modules() if layer is said and name in linear]
    if not linear:
        raise RecognitionError("this network has no linear layer at its end, which its classes could be read from")
    return str((named or linear)[-1])


def _put(module: Any, name: str, layer: Any) -> None:
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, layer)
