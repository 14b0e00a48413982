"""Weights in files that hold nothing but tensors."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from holotype.errors import RecognitionError
from holotype.files import write_atomically


def write_weights(module: Any, path: Path) -> None:
    """Write all tensors of a module's state as safetensors. Raises `RecognitionError` where that cannot be done."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    try:
        write_atomically(path, import_module("safetensors.torch").save(tensors))
    except OSError as error:
        raise RecognitionError(f"the weights could not be written: {error}") from error


def read_weights(module: Any, path: Path) -> None:
    """Load what `write_weights` wrote of a module like this one. Raises `RecognitionError`."""
    try:
        module.load_state_dict(import_module("safetensors.torch").load_file(path))
    except Exception as error:  # whatever a reader of hostile files raises
        raise RecognitionError(f"the weights in {path} do not fit: {str(error)[:300]}") from error
