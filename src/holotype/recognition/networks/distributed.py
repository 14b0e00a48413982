"""Several processes that train one network together, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from holotype.errors import RecognitionError
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch
from holotype.torch import shard

__all__ = ["any_of", "from_first", "gathered", "joined", "shard", "summed"]


@contextmanager
def joined(device: str = "auto") -> Iterator[Any]:
    """Be one of the processes that the environment tells of (``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK``) while this
    lasts; gives the device of this one. Where it tells of none, or PyTorch's processes are joined already, there is
    nothing to do. They speak over NCCL on GPUs, and over Gloo elsewhere.

    Raises `RecognitionError` where the others cannot be reached, or there is no such device.
    """
    together = torch.distributed
    alone = int(os.environ.get("WORLD_SIZE", "1")) < 2 or not together.is_available()
    on_gpu = torch.cuda.is_available() and device in ("auto", "cuda")
    if on_gpu and not alone:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    found = device_named(device)
    if alone or together.is_initialized():
        yield found
        return
    try:
        together.init_process_group("nccl" if found.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        raise RecognitionError(f"the other processes cannot be reached: {error}") from error
    try:
        yield found
    finally:
        together.destroy_process_group()


def any_of(told: bool, device: Any = "cpu") -> bool:
    """Whether any process says so."""
    return summed([float(told)], device)[0] > 0


def summed(numbers: list[float], device: Any = "cpu") -> list[float]:
    """The sums of each number over all processes."""
    if shard()[1] == 1:
        return numbers
    totals = torch.tensor(numbers, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(totals)
    return [float(one) for one in totals]


def from_first(value: Any) -> Any:
    """What the first process has."""
    if shard()[1] == 1:
        return value
    held = [value]
    torch.distributed.broadcast_object_list(held, 0)
    return held[0]


def gathered(value: Any) -> list[Any]:
    """What each process has, in the order of their ranks."""
    world = shard()[1]
    if world == 1:
        return [value]
    held = [None] * world
    torch.distributed.all_gather_object(held, value)
    return held
