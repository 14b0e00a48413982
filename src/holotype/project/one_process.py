"""What one process at a time does for a project: two that collect would pay for pages twice, and ask hosts twice as
often as they let themselves be asked; two that ask for boxes would each leave out what the other's pages bring."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from holotype.errors import ProjectError

COLLECTS: Final = "collect"
BOXES: Final = "boxes"
_DOING: Final = {COLLECTS: "collects for this project", BOXES: "asks for boxes in this project"}


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of those who do something for a project, which falls with the process at the latest.

    Raises `ProjectError` where another holds it.
    """
    with (folder / f"{what}.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProjectError(f"another process {_DOING[what]} right now; go on when it is done") from None
        yield
