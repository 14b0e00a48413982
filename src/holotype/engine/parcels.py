"""What travels between this process and the workers of a cluster, and what these do with it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from holotype.engine.embedded import within
from holotype.errors import EngineError


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a batch: its `result`, or the `error` in its place."""

    result: Any = None
    error: Exception | None = None


def packed_function(fn: Callable[[Any], Any]) -> bytes:
    """A function as it travels, by its code where it has no name. Raises `EngineError` where it cannot be pickled."""
    from ray import cloudpickle

    return _pickled(fn, cloudpickle.dumps)


def packed(thing: object) -> bytes:
    """A batch or an answer as it travels. Raises `EngineError` where it cannot be pickled."""
    return _pickled(thing, pickle.dumps)


def _pickled(thing: object, dumps: Callable[[object], bytes]) -> bytes:
    try:
        return dumps(thing)
    except (pickle.PicklingError, TypeError, AttributeError, NotImplementedError, ValueError) as error:
        raise EngineError(f"this cannot be sent to a cluster: {_said(error)}") from error


def opened(parcel: bytes, loads: Callable[[bytes], Any] = pickle.loads) -> Any:
    """What has travelled. Raises `EngineError` where it cannot be opened at this end, for want of a library perhaps."""
    try:
        return loads(parcel)
    except Exception as error:  # whatever its class raises
        raise EngineError(f"what was sent cannot be opened at the other end: {_said(error)}") from error


def answered(parcel: bytes, batches: Sequence[bytes]) -> list[bytes]:
    """In a worker: an `Answer` to each batch of a parcel, which is a function; all of them `packed`."""
    return [_answered(parcel, batch) for batch in batches]


def _answered(parcel: bytes, batch: bytes) -> bytes:
    try:
        return packed(Answer(within(opened(parcel, _unpacked), opened(batch))))
    except Exception as error:  # noqa: BLE001  # it is raised where the results are taken
        return packed(Answer(error=_portable(error)))


@lru_cache(maxsize=4)
def _unpacked(parcel: bytes) -> Callable[[Any], Any]:
    """The function of a parcel: one for all threads of a worker, with the files that it has opened."""
    unpacked: Callable[[Any], Any] = pickle.loads(parcel)  # noqa: S301
    return unpacked


def _portable(error: Exception) -> Exception:
    """An error as it can be raised in another process: itself, where it comes out of a pickle as it went in."""
    try:
        again = pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001  # whatever stands in its way
        return EngineError(f"a worker failed: {_said(error)}")
    return error if type(again) is type(error) else EngineError(f"a worker failed: {_said(error)}")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
