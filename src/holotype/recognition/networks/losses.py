"""Losses of a classifier: of outputs ``(n, classes)`` and targets, their mean over pictures.

Targets are class indices ``(n,)``, or, of mixed pictures, probabilities ``(n, classes)`` that nobody has smoothed:
labels are smoothed here, once, for mixing and smoothing would else be counted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from holotype.recognition.networks.extra import torch
from holotype.recognition.recipes import Recipe

Loss = Callable[[Any, Any], Any]
_SHOWN: Final = 0.2
"""The share of a label from which on a mixed picture shows its class (timm's runs of "ResNet strikes back")."""
_AUXILIARY: Final = 0.3
"""How much the loss of an auxiliary head counts (Szegedy et al., CVPR 2015, section 5)."""


def loss_of(recipe: Recipe) -> Loss:
    """The loss that a recipe asks for."""
    return (binary_cross_entropy if recipe.loss == "bce" else cross_entropy)(recipe.smoothing)


def cross_entropy(smoothing: float = 0.0) -> Loss:
    """Cross-entropy with the share `smoothing` of each label spread over all classes (Szegedy et al., CVPR 2016,
    section 7)."""
    return torch.nn.CrossEntropyLoss(label_smoothing=smoothing)  # type: ignore[no-any-return]


def binary_cross_entropy(smoothing: float = 0.0) -> Loss:
    """Cross-entropy of each class with its complement, the mean over classes too (Wightman et al., 2021, section 3.1):
    a mixed picture shows each class that has a fifth of its label."""

    def loss(outputs: Any, targets: Any) -> Any:
        if targets.dim() == 1:
            shown = torch.nn.functional.one_hot(targets, outputs.shape[1]).to(outputs.dtype)
        else:
            shown = (targets > _SHOWN).to(outputs.dtype)
        smoothed = shown * (1 - smoothing) + smoothing / outputs.shape[1]
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs, smoothed)

    return loss


def with_auxiliary(loss: Loss, outputs: Any, targets: Any) -> Any:
    """A loss of what a network gives in training: outputs, or a tuple of them and of those of auxiliary heads, which
    count 0.3 each."""
    if not isinstance(outputs, tuple):
        return loss(outputs.float(), targets)
    main, *others = (one for one in outputs if one is not None)
    return loss(main.float(), targets) + _AUXILIARY * sum(loss(one.float(), targets) for one in others)
