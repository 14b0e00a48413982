"""Submissions of the same content in every form, for tests."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holotype.benchmark.values import Boxes, Labels

Guesses = Mapping[str, Sequence[str]]
Places = Mapping[str, Sequence[Sequence[Any]]]
Detections = Sequence[tuple[str, str, float, float, float, float, float]]
CORNERS = ("x1", "y1", "x2", "y2")


def labels(pairs: Sequence[tuple[str, str]], classes: Sequence[str], items: Sequence[str] = ()) -> Labels:
    """A truth of classes."""
    images = tuple(sorted({*items, *(image for image, _ in pairs)}))
    numbers = sorted((images.index(image), classes.index(label)) for image, label in pairs)
    image, label = np.array(numbers, np.int64).reshape(-1, 2).T
    return Labels(images, tuple(classes), image.copy(), label.copy())


def boxes(items: Sequence[str], classes: Sequence[str], inclusive: bool = True) -> Boxes:
    """A truth of places that has none: readers ask for names alone."""
    none = np.empty(0, np.int64)
    return Boxes(
        tuple(items),
        tuple(classes),
        none,
        none,
        np.empty((0, 4)),
        np.empty(0, np.bool_),
        np.empty(0),
        inclusive=inclusive,
    )


def csv_of(header: str, rows: Sequence[Sequence[Any]], delimiter: str = ",") -> bytes:
    lines = [header.replace(",", delimiter), *(delimiter.join(map(str, row)) for row in rows)]
    return "".join(f"{line}\n" for line in lines).encode()


def guesses_csv(said: Guesses) -> bytes:
    rows = [[image, *given, *[""] * (5 - len(given))] for image, given in said.items()]
    return csv_of("image,guess1,guess2,guess3,guess4,guess5", rows)


def json_lines(rows: Sequence[Any]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def parquet_of(**columns: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def npz_of(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def npy_of(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def tensors_of(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> bytes:
    """A file of safetensors, written as its description says."""
    names = {"float32": "F32", "float64": "F64", "int64": "I64", "float16": "F16", "uint16": "BF16"}
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for name, array in tensors.items():
        offsets = [at, at + array.nbytes]
        header[name] = {"dtype": names[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
        at += array.nbytes
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in tensors.values())


def guesses_forms(said: Guesses, classes: Sequence[str]) -> dict[str, bytes]:
    """The same guesses in every form, by a file's name."""
    images = sorted(said)
    numbers = np.full((len(images), 5), -1)
    for at, image in enumerate(images):
        numbers[at, : len(said[image])] = [classes.index(name) for name in said[image]]
    plain = guesses_csv(said)
    strings = [[image, f"{' '.join(given)} "] for image, given in said.items()]
    places = [[image, " ".join(f"{name} 1 2 3 4" for name in given)] for image, given in said.items()]
    columns = {f"guess{slot}": [[*said[i], *[None] * 5][slot - 1] for i in images] for slot in range(1, 6)}
    return {
        "g.csv": plain,
        "g.tsv": plain.replace(b",", b"\t"),
        "semicolons.csv": plain.replace(b",", b";"),
        "crlf.csv": plain.replace(b"\n", b"\r\n"),
        "cr.csv": plain.replace(b"\n", b"\r"),
        "mark.csv": b"\xef\xbb\xbf" + plain,
        "utf16.csv": b"\xff\xfe" + plain.decode().encode("utf-16-le"),
        "open-end.csv": plain.rstrip(b"\n"),
        "blank-lines.csv": plain.replace(b"\n", b"\n\n  \n") + b"\n \n,,,,,\n",
        "blanks.csv": plain.replace(b",", b" , "),
        "quoted.csv": b"\n".join(b",".join(b'"%s"' % cell for cell in line.split(b",")) for line in plain.splitlines()),
        "file-names.csv": guesses_csv({f"val/n01440764/{image}.JPEG": given for image, given in said.items()}),
        "g.jsonl": json_lines([{"image": image, "guesses": list(given)} for image, given in said.items()]),
        "columns.jsonl": json_lines(
            [{"image": i, **{f"guess{n}": [*said[i], *[None] * 5][n - 1] for n in range(1, 6)}} for i in said]
        ),
        "object.json": json.dumps({image: list(given) for image, given in said.items()}).encode(),
        "array.json": json.dumps([{"guesses": list(given), "image": image} for image, given in said.items()]).encode(),
        "indented.json": json.dumps({image: list(given) for image, given in said.items()}, indent=2).encode(),
        "columns.parquet": parquet_of(image=images, **columns),
        "lists.parquet": parquet_of(image=images, guesses=[list(said[image]) for image in images]),
        "numbers.parquet": parquet_of(
            image=images,
            guess1=numbers[:, 0],
            **{f"guess{slot}": numbers[:, slot - 1].astype(np.float64) for slot in range(2, 6)},
        ),
        "kaggle.csv": csv_of("ImageId,PredictionString", strings),
        "places.csv": csv_of("ImageId,PredictionString", places),
        "names.npz": npz_of(images=images, guesses=np.array([[*said[i], *[""] * 5][:5] for i in images])),
        "numbers.npz": npz_of(images=images[::-1], guesses=numbers[::-1]),
        "sorted.npz": npz_of(guesses=numbers),
        "g.npy": npy_of(numbers),
        "fortran.npy": npy_of(np.asfortranarray(numbers.astype(np.int16))),
        "big-end.npy": npy_of(numbers.astype(">i4")),
        "g.safetensors": tensors_of({"guesses": numbers}, {"images": json.dumps(images)}),
        "g.csv.gz": gzip.compress(plain),
        "csv.zip": zip_of({"g.csv": plain}),
        "leftovers.zip": zip_of({"f/": b"", "__MACOSX/f/._g.csv": b"x", "f/.DS_Store": b"x", "f/g.csv": plain}),
        "parquet.zip": zip_of({"g.parquet": parquet_of(image=images, **columns)}),
        "csv.tar": tar_of({"./g.csv": plain}),
        "csv.tar.gz": gzip.compress(tar_of({"g.csv": plain})),
        "csv.tgz": gzip.compress(tar_of({"g.csv": plain})),
        "npy.zip": zip_of({"g.npy": npy_of(numbers)}),
        "npy.gz": gzip.compress(npy_of(numbers)),
    }


def zip_of(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tar_of(files: Mapping[str, bytes], change: Callable[[tarfile.TarInfo], None] = lambda _: None) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            change(member)
            archive.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return file.getvalue()


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path
