"""Weights: what tells them from others, and the files that hold them."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

from holotype.errors import RecognitionError
from holotype.files import write_atomically
from holotype.recognition.networks.extra import torch


def weights_digest(module: Any) -> str:
    """What tells the weights of a module from others: of their names, shapes and values."""
    told = hashlib.blake2b(digest_size=16)
    for name, value in module.state_dict().items():
        held = value.detach().cpu().contiguous()
        told.update(f"{name} {tuple(held.shape)} {held.dtype}".encode())
        told.update(held.flatten().view(torch.uint8).numpy().data)
    return told.hexdigest()


def weights_in(path: Path) -> dict[str, Any]:
    """The tensors in a file, ``.safetensors``, ``.pth`` or ``.pt``, by name: nothing in it is executed.

    Raises `RecognitionError`.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(import_module("safetensors.torch").load_file(path))
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # whatever a reader of hostile files raises
        raise RecognitionError(f"cannot read weights of {path}: {error}") from error


def write_weights(module: Any, path: Path) -> None:
    """Write the weights of a module to a ``.safetensors`` file. Raises OSError."""
    held = {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}
    write_atomically(path, import_module("safetensors.torch").save(held))
