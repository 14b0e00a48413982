"""What one process at a time does for a project: two that collect would pay for pages twice, and ask hosts twice as
often as they let themselves be asked; two that ask for boxes would each leave out what the other's pages bring; two
that ask the same crowd would put the same pages up twice.

Processes on one machine exclude each other by the lock of a file in the project's folder. Those on other machines,
which have a folder of their own, do by the database where that is PostgreSQL.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from holotype.catalog import Catalog
from holotype.errors import ProjectError

COLLECTS: Final = "collect"
BOXES: Final = "boxes"
CAMPAIGNS: Final = "campaigns"
IMPORTS: Final = "imports/lock"
_CROWD: Final = "crowd-"
_DOING: Final = {COLLECTS: "collects for this project", BOXES: "asks for boxes in this project"}
_PATIENCE: Final = 2.0
"""Seconds to wait for a lock in the database: that of a process that was killed falls when the server notices."""


def asks(crowd: str) -> str:
    """What who asks a crowd does."""
    return _CROWD + re.sub(r"\W+", "-", crowd)


class Turn:
    """The right to do something for a project, which falls with the process at the latest."""

    def __init__(self, folder: Path, catalog: Catalog, what: str) -> None:
        self._path = folder / (what if "/" in what else f"{what}.lock")
        self._there = catalog.advisory(what)
        self._here: IO[bytes] | None = None

    def take(self, wait: float = 0.0) -> bool:
        """Whether it is this process's turn now, or within `wait` seconds if only the database has yet to notice."""
        if not self._lock_file():
            return False
        if self._there is None or self._there.take(wait):
            return True
        self._unlock_file()
        return False

    def let_go(self) -> None:
        """Let others have it."""
        if self._there is not None:
            self._there.let_go()
        self._unlock_file()

    def _lock_file(self) -> bool:
        if self._here is None:
            lock = self._path.open("wb")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self._here = lock
        return True

    def _unlock_file(self) -> None:
        if self._here is not None:
            self._here.close()
            self._here = None


@contextmanager
def turn(folder: Path, catalog: Catalog, what: str) -> Iterator[bool]:
    """Whether it is this process's turn, which it is while this lasts."""
    held = Turn(folder, catalog, what)
    try:
        yield held.take(_PATIENCE)
    finally:
        held.let_go()


@contextmanager
def alone(folder: Path, catalog: Catalog, what: str) -> Iterator[None]:
    """Hold the lock of those who do something for a project. Raises `ProjectError` where another holds it."""
    with turn(folder, catalog, what) as ours:
        if not ours:
            doing = _DOING.get(what) or f"asks the crowd {what.removeprefix(_CROWD)} for this project"
            raise ProjectError(f"another process {doing} right now; go on when it is done")
        yield
