"""One process at a time collects for a project: two would pay for pages twice, and ask hosts twice as often as they let
themselves be asked."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from holotype.errors import ProjectError

_LOCK: Final = "collect.lock"


@contextmanager
def collecting_alone(folder: Path) -> Iterator[None]:
    """Hold the lock of those who collect for a project, which falls with the process at the latest.

    Raises `ProjectError` where another holds it.
    """
    with (folder / _LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProjectError("another process collects for this project right now; go on when it is done") from None
        yield
