"""Losses that know what is above the classes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from holotype.recognition.hierarchy import Levels, Marginals
from holotype.recognition.networks.extra import torch

DECAY: Final = 0.1


class MarginalLoss(torch.nn.Module):  # type: ignore[misc]
    """The negative log-probabilities of what an image is, and of what is above it, each by its `Marginals.weights`.

    The probability of a synset is the sum of those of the classes that it is, or is above: so an image that is known to
    be a dog, where breeds are classes too, is not wrong to be any breed. Without decay, and where no class is above
    another, it is the cross-entropy. Labels are smoothed by `smoothing`: a part of it goes to every class alike.
    """

    def __init__(self, hierarchy: Marginals, decay: float = DECAY, smoothing: float = 0.0) -> None:
        super().__init__()
        self.nodes = len(hierarchy.nodes)
        self.smoothing = smoothing
        self.register_buffer("node", torch.from_numpy(hierarchy.node), persistent=False)
        self.register_buffer("member", torch.from_numpy(hierarchy.member), persistent=False)
        weights = hierarchy.weights(decay).astype(np.float32)
        self.register_buffer("weights", torch.from_numpy(weights), persistent=False)

    def forward(self, outputs: Any, targets: Any) -> Any:
        """The mean over rows of `outputs` ``(n, classes)``, a scalar; `targets` are class indices ``(n,)``, or
        probabilities ``(n, classes)``."""
        self.to(outputs.device)
        targets = smoothed(targets, outputs.shape[1], self.smoothing)
        logs = outputs.float().log_softmax(1)
        wanted = targets[:, self.member] * self.weights
        counts = outputs.new_zeros((len(outputs), self.nodes), dtype=torch.float32).index_add_(1, self.node, wanted)
        return -(counts * self._summed(logs)).sum(1).mean()

    def _summed(self, logs: Any) -> Any:
        """Log-probabilities of the nodes, ``(n, nodes)``, from those of the classes: sums, made without underflow."""
        of_pairs = logs[:, self.member]
        node = self.node.expand(len(logs), -1)
        lowest = of_pairs.detach().new_full((len(logs), self.nodes), -torch.inf)
        most = lowest.scatter_reduce(1, node, of_pairs.detach(), "amax")
        parts = (of_pairs - most[:, self.node]).exp()
        return most + torch.zeros_like(most).index_add(1, self.node, parts).log()


class SemanticSoftmax(torch.nn.Module):  # type: ignore[misc]
    """The cross-entropy among the classes of each of `levels`, of the images that a level says something of; in all by
    the weights of levels. Labels are smoothed by `smoothing` within each.

    What a network that was trained so says is to be read by level: outputs of different levels were never compared.
    Source: Ridnik et al., ImageNet-21K Pretraining for the Masses, 2021, section 3.2.
    """

    def __init__(self, levels: Levels, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.weights = levels.weights.tolist()
        self.register_buffer("targets", torch.from_numpy(levels.targets), persistent=False)
        for level, members in enumerate(levels.members):
            self.register_buffer(f"members{level}", torch.from_numpy(members), persistent=False)

    def forward(self, outputs: Any, targets: Any) -> Any:
        """The mean over rows of `outputs` ``(n, classes)``, a scalar; `targets` are class indices ``(n,)``, or
        probabilities ``(n, classes)``."""
        self.to(outputs.device)
        targets = smoothed(targets, outputs.shape[1], 0.0)
        total = outputs.new_zeros((), dtype=torch.float32)
        for level, weight in enumerate(self.weights):
            members = self.get_buffer(f"members{level}")
            known = self.targets[:, level] >= 0
            wanted = targets.new_zeros((len(targets), len(members)))
            wanted.index_add_(1, self.targets[known, level], targets[:, known])
            share = wanted.sum(1, keepdim=True)
            wanted = wanted.lerp(share.expand_as(wanted) / len(members), self.smoothing)
            total = total - weight * (wanted * outputs[:, members].float().log_softmax(1)).sum(1).mean()
        return total


def smoothed(targets: Any, classes: int, smoothing: float) -> Any:
    """Targets, class indices ``(n,)`` or probabilities ``(n, classes)``, as float probabilities of which a part goes to
    every class alike (Szegedy et al., CVPR 2016, section 7)."""
    if targets.dim() == 1:
        targets = torch.nn.functional.one_hot(targets, classes)
    return targets.float().lerp(torch.full((), 1 / classes, device=targets.device), smoothing)
