"""Which engine does heavy work: said for a while, or by the environment, and read here alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, get_args

from holotype.errors import EngineError

Engine = Literal["threads", "processes", "ray"]
ENGINES: Final[tuple[Engine, ...]] = get_args(Engine)
VARIABLE: Final = "HOLOTYPE_ENGINE"
"""The environment variable that names the engine."""
_SAID: Final[ContextVar[Engine | None]] = ContextVar("holotype_engine", default=None)


@contextmanager
def using(engine: Engine) -> Iterator[None]:
    """Have `holotype.engine.map_batches` use an engine while this lasts, wherever nothing else is asked for there.

    >>> with using("processes"):
    ...     chosen()
    'processes'
    """
    before = _SAID.set(engine)
    try:
        yield
    finally:
        _SAID.reset(before)


def chosen() -> Engine:
    """The engine in use: what `using` says, else what the environment says, else threads.

    Raises `EngineError` where the environment says what is none.
    """
    said = _SAID.get()
    return engine_named(os.environ.get(VARIABLE) or "threads") if said is None else said


def engine_named(name: str) -> Engine:
    """The engine of a name. Raises `EngineError`."""
    if name not in ENGINES:
        raise EngineError(f"there is no engine {name[:40]!r}, but {', '.join(ENGINES)}")
    return name
