"""One process at a time makes a folder of a name."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from holotype.errors import ReleaseError
from holotype.files import locked


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder's name, which falls with the process at the latest.

    It is that of a hidden file beside the folder, which goes when the lock falls. Raises `ReleaseError` where another
    holds it, and OSError where there can be no such file.
    """
    path = folder.with_name(f".{folder.name}.lock")
    try:
        handle = locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB, 0o644)
    except BlockingIOError as error:
        raise ReleaseError(f"another process is making {folder} right now") from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # still locked: who has opened it already sees that it is not there any more
        os.close(handle)
