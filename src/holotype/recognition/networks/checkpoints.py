"""Checkpoints of a run: the last one, the one before, and the best; written so that one of them is always whole."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from holotype.errors import RecognitionError
from holotype.files import sync_folder
from holotype.recognition.networks.extra import torch
from holotype.recognition.runs import CHECKPOINTS, FORMAT

LAST: Final = "last.pt"
BEFORE: Final = "before.pt"
BEST: Final = "best.pt"


@contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Be the only process that writes a run in a folder, which is made; what holds it falls with the process.

    Raises `RecognitionError` where another does, or the folder cannot be made.
    """
    try:
        (out / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
        handle = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise RecognitionError(f"no run can be written in {out}: {error}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise RecognitionError(f"another process writes the run in {out} right now") from None
    finally:
        os.close(handle)


def has_checkpoint(out: Path) -> bool:
    """Whether a folder holds a checkpoint."""
    return any((out / CHECKPOINTS / name).exists() for name in (LAST, BEFORE))


def read_checkpoint(out: Path) -> Mapping[str, Any] | None:
    """The last checkpoint in a folder, or, where that cannot be read, the one before it; None where there is none.

    Nothing in it is executed. Raises `RecognitionError` where there are some, and none can be read.
    """
    why = ""
    for name in (LAST, BEFORE):
        path = out / CHECKPOINTS / name
        if not path.exists():
            continue
        try:
            kept: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            if kept["format"] == FORMAT:
                return kept
            why = why or f"{path} has format {kept['format']!r}; this holotype reads {FORMAT}"
        except Exception as error:  # noqa: BLE001 - whatever a reader of hostile files raises
            why = why or f"{path} is no checkpoint: {error}"
    if why:
        raise RecognitionError(why)
    return None


def write_checkpoint(out: Path, kept: Mapping[str, Any], better: bool) -> None:
    """Keep a checkpoint as the last one, and, where it is `better`, as the best; what was the last is the one before.

    Raises `OSError` or `RuntimeError` where it cannot be written; what was there is then as it was.
    """
    folder = out / CHECKPOINTS
    made, best = folder / f"{LAST}.part", folder / f"{BEST}.part"
    try:
        with made.open("wb") as file:
            torch.save({"format": FORMAT, **kept}, file)
            file.flush()
            os.fsync(file.fileno())
        if better:
            _copy(made, best)
        if (folder / LAST).exists():
            os.replace(folder / LAST, folder / BEFORE)
        os.replace(made, folder / LAST)
        if better:
            os.replace(best, folder / BEST)
        sync_folder(folder)
    finally:
        made.unlink(missing_ok=True)
        best.unlink(missing_ok=True)


def _copy(path: Path, copy: Path) -> None:
    """Another name for a file, or, where a file has but one, another file."""
    copy.unlink(missing_ok=True)
    try:
        os.link(path, copy)
    except OSError:
        shutil.copyfile(path, copy)
