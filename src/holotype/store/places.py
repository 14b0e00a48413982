"""Where many images' bytes lie, in columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.store.location import Location


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Locations as columns: image ``i`` lies in ``files[file[i]]``, whose own offset and length mean nothing, at
    `offset` with `length` bytes, or as the file `path` of a folder.

    `file` is ``(images,)`` int32, `offset` and `length` are ``(images,)`` int64; `path` is None where no file is a
    folder.
    """

    files: tuple[Location, ...]
    file: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    path: pa.StringArray | None = None

    def __len__(self) -> int:
        return len(self.file)

    def __getitem__(self, number: int) -> Location:
        file: Location = self.files[self.file[number]]
        return replace(
            file,
            offset=int(self.offset[number]),
            length=int(self.length[number]),
            path="" if self.path is None else self.path[number].as_py(),
        )

    def take(self, numbers: npt.NDArray[Any]) -> Places:
        """The places of some images, in their order."""
        path = None if self.path is None else self.path.take(pa.array(numbers))
        return Places(self.files, self.file[numbers], self.offset[numbers], self.length[numbers], path)
