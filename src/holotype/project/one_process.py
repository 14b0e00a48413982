"""What one process at a time does for a project: two that collect would pay for pages twice, and ask hosts twice as
often as they let themselves be asked; two that ask for boxes would each leave out what the other's pages bring; two
that ask the same crowd would put the same pages up twice.

Processes on one machine exclude each other by the lock of a file in the project's folder. Those on other machines,
which have a folder of their own, do by the database where that is PostgreSQL.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path
from typing import Final

from holotype.catalog import Catalog
from holotype.errors import ProjectError

COLLECTS: Final = "collect"
BOXES: Final = "boxes"
CAMPAIGNS: Final = "campaigns"
IMPORTS: Final = "imports/lock"
_CROWD: Final = "crowd-"
_DOING: Final = {COLLECTS: "collects for this project", BOXES: "asks for boxes in this project"}
_LONGEST, _MOST = 200, 63
"""Bytes that are said of a process: in a file, and in PostgreSQL."""
_PATIENCE: Final = 2.0
"""Seconds to wait for a lock in the database: that of a process that was killed falls when the server notices."""


def asks(crowd: str) -> str:
    """What who asks a crowd does."""
    return _CROWD + re.sub(r"\W+", "-", crowd)


class Turn:
    """The right to do something for a project, which falls with the process at the latest. Others are told which
    process has it, since when, and what it is `about`."""

    def __init__(self, folder: Path, catalog: Catalog, what: str, about: str = "") -> None:
        self._path = folder / (what if "/" in what else f"{what}.lock")
        self._who = f"process {os.getpid()} on {platform.node()[:20]} since {datetime.now(UTC):%H:%M:%SZ}"
        self._who += f", {about}" if about else ""
        self._there = catalog.advisory(what, self._who.encode("ascii", "replace")[:_MOST].decode())
        self._here: RawIOBase | None = None

    def take(self, wait: float = 0.0) -> bool:
        """Whether it is this process's turn now, or within `wait` seconds if only the database has yet to notice."""
        if not self._lock_file():
            return False
        if self._there is None or self._there.take(wait):
            return True
        self._unlock_file()
        return False

    def holder(self) -> str:
        """Which process has it, as it says itself; "" where that is not known."""
        if self._here is None and not self._lock_file():
            with self._path.open("rb") as lock:
                return lock.read(_LONGEST).decode(errors="replace")
        self._unlock_file()
        return "" if self._there is None else self._there.holder()

    def let_go(self) -> None:
        """Let others have it."""
        if self._there is not None:
            self._there.let_go()
        self._unlock_file()

    def _lock_file(self) -> bool:
        if self._here is None:
            lock = self._path.open("ab", buffering=0)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self._here = lock
            with suppress(OSError):  # a full disk
                lock.truncate(0)
                lock.write(self._who.encode()[:_LONGEST])
        return True

    def _unlock_file(self) -> None:
        if self._here is not None:
            self._here.close()
            self._here = None


@contextmanager
def turn(folder: Path, catalog: Catalog, what: str) -> Iterator[bool]:
    """Whether it is this process's turn, which it is while this lasts."""
    with _tried(Turn(folder, catalog, what)) as ours:
        yield ours


@contextmanager
def alone(folder: Path, catalog: Catalog, what: str, about: str = "") -> Iterator[None]:
    """Hold the lock of those who do something for a project; others are told what it is `about`. Raises `ProjectError`
    where another holds it, and says which."""
    held = Turn(folder, catalog, what, about)
    with _tried(held) as ours:
        if not ours:
            doing = _DOING.get(what) or f"asks the crowd {what.removeprefix(_CROWD)} for this project"
            who = f" ({found})" if (found := held.holder()) else ""
            raise ProjectError(f"another process {doing} right now{who}; go on when it is done")
        yield


@contextmanager
def _tried(held: Turn) -> Iterator[bool]:
    try:
        yield held.take(_PATIENCE)
    finally:
        held.let_go()
