"""The classes that the numbers of a truth mean: a devkit's, or those of a list."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark.reading.faults import Faults, said
from holotype.errors import ArchiveError, PredictionError
from holotype.files import printable
from holotype.imports.devkit import parse_meta
from holotype.imports.matlab import check_matlab
from holotype.imports.tables import read_numbers
from holotype.ontology import is_wnid
from holotype.store.opening import small_file

_LARGEST: Final = 16 << 20
_DET_ID: Final = "ILSVRC2013_DET_ID"
_DET_CLASSES: Final = 200
"""Classes of the detection task; the other synsets of its ``meta_det.mat`` lie above them."""
METAS: Final = ("meta_clsloc.mat", "meta.mat")
DET_METAS: Final = ("meta_det.mat",)


def read_classes(path: Path) -> tuple[str, ...]:
    """The classes that the numbers 1, 2, 3 ... mean, in a devkit's ``meta.mat`` or ``meta_det.mat``; those that 0, 1,
    2 ... mean, in a list of wnids. "" for a number that is no class. Raises `PredictionError`."""
    try:
        data = mat_bytes(path)
        if not data.startswith(b"MATLAB"):
            return read_numbers(path)
        where = printable(path)
        synsets = loaded(data, ["synsets"], where).get("synsets")
        if synsets is not None and _DET_ID in (synsets.dtype.names or ()):
            return _detections(np.atleast_1d(synsets), where)
        return parse_meta(data, where).wnids
    except ArchiveError as error:
        raise PredictionError(str(error)) from error


def beside(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """The classes of the devkit's file that lies beside a truth; none where there is no such file."""
    found = next((path.parent / name for name in names if (path.parent / name).is_file()), None)
    return read_classes(found) if found is not None else ()


def mat_bytes(path: Path) -> bytes:
    """The bytes of a MATLAB file, which are not many."""
    try:
        return small_file(path, _LARGEST)
    except ArchiveError as error:
        raise PredictionError(str(error)) from error


def loaded(data: bytes, names: list[str], where: str) -> dict[str, Any]:
    """The variables of these names in a MATLAB file, those of one value without sides."""
    from scipy.io import loadmat

    try:
        check_matlab(data, where)
        return dict(loadmat(io.BytesIO(data), variable_names=names, squeeze_me=True))
    except ArchiveError as error:
        raise PredictionError(str(error)) from error
    except Exception as error:
        raise PredictionError(f"{where} is damaged: {type(error).__name__} {str(error)[:80]}") from error


def _detections(synsets: Any, where: str) -> tuple[str, ...]:
    faults = Faults(where, "synset")
    found = {int(one[_DET_ID]): str(one["WNID"]) for one in synsets if int(one[_DET_ID]) <= _DET_CLASSES}
    if sorted(found) != [*range(1, len(found) + 1)]:
        faults.stop("the numbers of its classes are not 1, 2, 3 ... without a gap")
    for number, wnid in sorted(found.items()):
        if not is_wnid(wnid):
            faults.add(number, f"{said(wnid)} is not a wnid")
    faults.check()
    return tuple(found[number] for number in sorted(found))
