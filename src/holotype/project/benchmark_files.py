"""The files of a benchmark: truths, what teams sent, and what is kept of evaluations; nobody else on the machine reads
them."""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.booth.job import Finding
from holotype.errors import BenchmarkError
from holotype.files import create_atomically, sync_folder

FOLDERS: Final = ("truths", "submissions", "evaluations", "incoming")
_SUFFIXES: Final = re.compile(r"(\.[a-z0-9]{1,10}){1,2}\Z", re.ASCII)
LONGEST_NAME: Final = 100
_KEPT: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in: where it lies until it is a submission, what it was called, its sha256 and its length."""

    path: Path
    name: str
    sha256: str
    size: int


class Incoming:
    """A file that is coming in, a chunk at a time, up to so many bytes."""

    def __init__(self, folder: Path, name: str, most: int) -> None:
        self._most, self._size, self._digest = most, 0, hashlib.sha256()
        self.name = shown(name)
        self._path = folder / f"{secrets.token_hex(16)}{suffix_of(name)}"
        self._file = os.fdopen(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")

    def write(self, chunk: bytes) -> None:
        """Take some more. Raises `BenchmarkError` where that is too much."""
        self._size += len(chunk)
        if self._size > self._most:
            raise BenchmarkError(f"a submission has at most {self._most:,} bytes")
        self._digest.update(chunk)
        self._file.write(chunk)

    def finish(self) -> Received:
        """All of it came: the file, durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Received(self._path, self.name, self._digest.hexdigest(), self._size)

    def discard(self) -> None:
        """It is not wanted, or was taken elsewhere."""
        self._file.close()
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Drawer:
    """The folder of one benchmark."""

    folder: Path

    @classmethod
    def of(cls, project: Path, name: str) -> Drawer:
        """The drawer of the benchmark of a name."""
        return cls(project / "benchmarks" / name)

    def make(self) -> None:
        """Make the folders, for nobody else to look into."""
        for name in FOLDERS:
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self.folder.parent, self.folder):
            path.chmod(0o700)

    def add_truth(self, source: Path) -> tuple[str, str]:
        """Copy a truth: what it is called here, and its sha256."""
        name = f"truths/{secrets.token_hex(8)}{suffix_of(source.name)}"
        with source.open("rb") as file:
            descriptor = os.open(self.folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(file, copy, 1 << 20)
                copy.flush()
                os.fsync(copy.fileno())
            file.seek(0)
            return name, hashlib.file_digest(file, "sha256").hexdigest()

    def incoming(self, name: str, most: int, now: float) -> Incoming:
        """A file of up to so many bytes that is coming in; what a process that was killed left of others, a day before
        this Unix time, is gone."""
        for path in (self.folder / "incoming").iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < now - _KEPT:
                    path.unlink()
        return Incoming(self.folder / "incoming", name, most)

    def take(self, received: Received) -> str:
        """Let what came in be a submission's: what it is called here."""
        name = f"submissions/{received.path.name}"
        os.replace(received.path, self.folder / name)
        sync_folder(self.folder / "submissions")
        return name

    def drop(self, name: str) -> None:
        """Forget a file that is no submission's after all."""
        (self.folder / name).unlink(missing_ok=True)

    def keep(self, submission: int, round: int, found: Finding) -> None:
        """Keep the numbers of a scored submission."""
        arrays: dict[str, npt.NDArray[Any]] = {"sketch": found.sketch}
        for name, side in (("public", found.public), ("private", found.private)):
            if side is not None:
                arrays[f"{name}_samples"] = side.kept.samples
                if side.kept.values is not None:
                    arrays[f"{name}_values"] = side.kept.values
        data = io.BytesIO()
        np.savez_compressed(data, allow_pickle=False, **arrays)
        path = self._evaluation(submission, round)
        path.unlink(missing_ok=True)  # of an attempt that was ended before it was written down
        create_atomically(path, data.getvalue(), 0o600)

    def kept(self, submission: int, round: int, *names: str) -> Mapping[str, npt.NDArray[Any]]:
        """Those of the numbers that there are. Raises `BenchmarkError` where they are not to be read."""
        try:
            with np.load(self._evaluation(submission, round), allow_pickle=False) as held:
                return {name: held[name] for name in names if name in held}
        except (OSError, ValueError, EOFError) as error:
            raise BenchmarkError(f"what was kept of submission {submission} cannot be read: score all anew") from error

    def _evaluation(self, submission: int, round: int) -> Path:
        return self.folder / "evaluations" / f"{submission}-{round}.npz"


def suffix_of(name: str) -> str:
    """How a file's name ends, as far as readers go by it.

    >>> suffix_of("val.CSV.gz"), suffix_of("../../etc/passwd"), suffix_of("a.b.c.json"), suffix_of("x.<b>")
    ('.csv.gz', '', '.c.json', '')
    """
    found = _SUFFIXES.search(name.rpartition("/")[2].lower())
    return found[0] if found else ""


def shown(name: str) -> str:
    """What a team calls its file, as it may be shown.

    >>> shown("/home/ann/val\\x1b[31m.csv"), shown("")
    ('val?[31m.csv', 'submission')
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(one if one.isprintable() else "?" for one in last)[:LONGEST_NAME].strip()
    return plain or "submission"
