"""Weights: what tells them from others, and the files that hold them, which hold nothing that is executed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
    """What is in a file, ``.safetensors``, ``.pth`` or ``.pt``, by name: tensors, and of a run's checkpoint all else
    too. Raises `RecognitionError`."""
    try:
        if path.suffix == ".safetensors":
            return dict(import_module("safetensors.torch").load_file(path))
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # whatever a reader of hostile files raises
        raise RecognitionError(f"cannot read weights of {path}: {str(error)[:300]}") from error


def read_weights(module: Any, path: Path) -> None:
    """Give a module the weights in a file. Raises `RecognitionError`."""
    put_weights(module, weights_in(path), str(path))


def put_weights(module: Any, weights: dict[str, Any], source: str) -> None:
    """Give a module weights by name, of a `source`. Raises `RecognitionError` where they are another module's, or one
    is no number: a network of such weights makes the same guess of everything."""
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise RecognitionError(f"the weights of {source} are of another network: {str(error)[:300]}") from error
    if not is_finite(module.state_dict()):
        raise RecognitionError(f"some of the weights of {source} are no numbers")


def is_finite(value: Any) -> bool:
    """Whether all numbers in a tensor, or in the tensors of dictionaries and lists, are numbers."""
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_finite, value))
    return not (isinstance(value, torch.Tensor) and value.is_floating_point()) or bool(value.isfinite().all())


def write_weights(module: Any, path: Path) -> None:
    """Write the weights of a module to a ``.safetensors`` file. Raises `RecognitionError` where that cannot be done."""
    held = {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}
    try:
        write_atomically(path, import_module("safetensors.torch").save(held))
    except OSError as error:
        raise RecognitionError(f"the weights could not be written: {error}") from error
