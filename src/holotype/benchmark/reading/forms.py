"""In which form a file is: what is inside decides, and a name that says otherwise is refused."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from holotype.benchmark.reading.arrays import npy_array, npz_arrays
from holotype.benchmark.reading.blocks import blocks
from holotype.benchmark.reading.devkit import LINE, box_lines, chained, image_lines
from holotype.benchmark.reading.faults import Faults
from holotype.benchmark.reading.json_text import JsonText
from holotype.benchmark.reading.limits import Limits
from holotype.benchmark.reading.matrices import arrays_table
from holotype.benchmark.reading.parquet import parquet_table
from holotype.benchmark.reading.records import json_table
from holotype.benchmark.reading.tables import Table, csv_table
from holotype.benchmark.reading.tensors import safetensors_arrays
from holotype.benchmark.reading.unpacking import Source, opened, seekable
from holotype.errors import PredictionError

JSON, TEXT, PARQUET, NPY, NPZ, SAFETENSORS, MATLAB = "JSON", "text", "Parquet", "npy", "npz", "safetensors", "MATLAB"
_MAGIC: Final = {b"PAR1": PARQUET, b"\x93NUMPY": NPY, b"PK\3\4": NPZ, b"MATLAB 5.0": MATLAB}
_ENDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".csv": TEXT,
        ".tsv": TEXT,
        ".txt": TEXT,
        ".json": JSON,
        ".jsonl": JSON,
        ".ndjson": JSON,
        ".parquet": PARQUET,
        ".npy": NPY,
        ".npz": NPZ,
        ".safetensors": SAFETENSORS,
        ".mat": MATLAB,
    }
)
_PICKLES: Final = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")
_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@contextmanager
def opened_table(path: Path, limits: Limits, nested: str) -> Iterator[Table]:
    """The table in a file, which can be read while it is open; `nested` is what it says of items, one of `NESTED`."""
    if path.suffix.lower() in _PICKLES:
        raise PredictionError(
            f"{path.name[-80:]} is a pickle, which can run programs: save .npy or .safetensors instead"
        )
    with opened(path, limits) as source:
        kind = form_of(source)
        faults = Faults(source.where, "line" if kind in (TEXT, JSON) else "row")
        if kind == TEXT:
            yield text_table(source, limits, nested, faults)
        elif kind == JSON:
            yield json_table(JsonText(source.file, faults), nested, faults, limits.rows)
        elif kind == MATLAB:
            faults.stop("is MATLAB's, which is read of truths only")
        else:
            with seekable(source) as plain:
                yield _binary_table(plain, kind, limits, faults)


def form_of(source: Source) -> str:
    """The form of a file. Raises `PredictionError` where its name says another."""
    head = source.head()
    found = next((form for magic, form in _MAGIC.items() if head.startswith(magic)), "")
    if not found and head[8:9] == b"{" and head[5:8] == b"\0\0\0":
        found = SAFETENSORS
    if not found:
        text = head.decode(_MARKS.get(head[:2], "utf-8-sig"), "replace").lstrip()
        found = JSON if text.startswith(("{", "[")) else TEXT
    ending = Path(source.name).suffix.lower()
    said = _ENDINGS.get(ending, found)
    if said != found and not (said == JSON and not head.strip()):
        raise PredictionError(f"{source.where} is called {ending}, but is {found}")
    return found


def text_table(source: Source, limits: Limits, nested: str, faults: Faults) -> Table:
    """The table in text: one of cells with a header, or the devkit's numbers."""
    found = blocks(source.file, faults)
    first = next(found, None)
    if first is None:
        return csv_table(iter(()), faults, limits.rows)
    both = chained(first, found)
    if not LINE.fullmatch(first.data[: first.data.index(b"\n")].decode()):
        return csv_table(both, faults, limits.rows)
    return (box_lines if nested == "detections" else image_lines)(both, faults, limits.rows)


def _binary_table(path: Path, kind: str, limits: Limits, faults: Faults) -> Table:
    if kind == PARQUET:
        return parquet_table(path, faults, limits.rows)
    if kind == NPY:
        arrays = {"array": npy_array(path, faults)}
    else:
        arrays = dict(npz_arrays(path, faults, limits.bytes) if kind == NPZ else safetensors_arrays(path, faults))
    return arrays_table(arrays, faults, limits.rows)
