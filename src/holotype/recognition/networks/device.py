"""Where networks are computed."""

from __future__ import annotations

from typing import Any

from holotype.errors import RecognitionError
from holotype.recognition.networks.extra import torch


def device_named(name: str = "auto") -> Any:
    """The `torch.device` of a name; ``auto`` is a GPU where there is one, of this process's rank, and else the CPU.

    Raises `RecognitionError` where there is none of that name.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(name)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise RecognitionError(f"there is no device {name!r} here: {str(error).splitlines()[0]}") from error
    return found
