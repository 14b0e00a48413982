"""What takes long, made part by part, each of which is kept: who is stopped goes on where he was."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, no_progress
from holotype.errors import OtherRun, RecognitionError
from holotype.files import write_atomically
from holotype.geometry.values import Ints

Arrays = Mapping[str, npt.NDArray[Any]]
_WHAT: Final = "parts.json"
_PART: Final = re.compile(r"\d{6}\.npz")


@dataclass(frozen=True, slots=True)
class KeptParts:
    """A `folder` of arrays that are made of things numbered 0 to `count` - 1, so many `each` time."""

    folder: Path
    count: int
    each: int

    def __len__(self) -> int:
        return -(-self.count // self.each)

    def make(
        self, make: Callable[[Ints], Arrays], identity: Mapping[str, Any], progress: Progress = no_progress
    ) -> None:
        """Make what is missing: `make` gives the arrays of some numbers. Killed, it loses the part that it was at.

        Raises `OtherRun` where what is kept follows from another `identity`, `RecognitionError` where none can be
        written.
        """
        try:
            self._begin({**identity, "count": self.count, "each": self.each})
            progress(0, self.count)
            for number in range(len(self)):
                numbers = np.arange(number * self.each, min((number + 1) * self.each, self.count))
                if not self._path(number).exists():
                    data, made = io.BytesIO(), dict[str, Any](make(numbers))
                    np.savez(data, **made)
                    write_atomically(self._path(number), data.getvalue())
                progress(int(numbers[-1]) + 1, self.count)
        except OSError as error:
            raise RecognitionError(f"cannot write to {self.folder}: {error}") from error

    def __iter__(self) -> Iterator[Arrays]:
        """The arrays of each part. Raises `RecognitionError` for one that is damaged, or was not made."""
        for number in range(len(self)):
            try:
                with self._path(number).open("rb") as file, np.load(file, allow_pickle=False) as held:
                    found = dict(held)
            except (OSError, ValueError, LookupError, TypeError, EOFError, BadZipFile, zlib.error) as error:
                raise RecognitionError(f"{self._path(number)} cannot be read: {error}") from error
            yield found

    def remove(self) -> None:
        """Remove all that is kept, and the folder where nothing else is in it."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if path.name == _WHAT or _PART.fullmatch(path.name):
                path.unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"

    def _begin(self, identity: Mapping[str, Any]) -> None:
        path = self.folder / _WHAT
        now = json.loads(json.dumps(identity))
        if not path.exists():
            write_atomically(path, json.dumps(now, indent=1).encode())
            return
        try:
            was = dict(json.loads(path.read_bytes()))
        except (ValueError, TypeError, RecursionError) as error:
            raise RecognitionError(f"{path} is damaged: {error}") from error
        names = dict.fromkeys([*was, *now])
        if differing := {name: (was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name)}:
            raise OtherRun(differing)
