"""PyTorch and torchvision, or an error that says how to get them."""

from __future__ import annotations

from holotype.errors import NotInstalled

try:
    import torch
    import torchvision
except (ImportError, OSError, RuntimeError) as error:  # also where they are there, but do not fit each other
    raise NotInstalled("PyTorch and torchvision", "torch", str(error)) from error

__all__ = ["torch", "torchvision"]
