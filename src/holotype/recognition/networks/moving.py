"""A network that follows another."""

from __future__ import annotations

from typing import Any

from holotype.recognition.networks.extra import torch


def move_towards(slow: Any, fast: Any, momentum: float) -> None:
    """Move the weights of a module towards those of another like it: they stay ``momentum`` of what they were. Buffers,
    such as the statistics of batch norms, stay."""
    with torch.no_grad():
        torch._foreach_lerp_(list(slow.parameters()), list(fast.parameters()), 1 - momentum)
