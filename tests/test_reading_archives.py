"""Archives are refused while they are read, by the bytes that come out, and files are bounded (cases 11 and 12)."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.benchmark.reading import blocks as text_blocks
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.submissions import read_answers, read_detections, read_guesses
from holotype.errors import PredictionError
from holotype.textlists import LONGEST_ROW
from submitted import boxes, guesses_csv, labels, npy_of, npz_of, parquet_of, tar_of, write, zip_of

CLASSES = ("cat", "cow", "dog")
TRUTH = labels([("a", "cat"), ("b", "dog")], CLASSES)
PLACED = boxes("ab", CLASSES)
PLAIN = guesses_csv({"a": ["cat"], "b": ["dog"]})
SMALL = Limits(bytes=1 << 20, rows=1000, per_item=100)


def refused(path: Path, message: str, limits: Limits = LIMITS) -> None:
    with pytest.raises(PredictionError, match=message):
        read_guesses(path, TRUTH, limits=limits)


def encrypted(data: bytes) -> bytes:
    """A zip whose only member says that it is encrypted."""
    found = bytearray(data)
    for magic, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        found[found.index(magic) + at] |= 1
    return bytes(found)


def linked(kind: bytes) -> bytes:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.size, member.linkname = kind, 0, "/etc/passwd"

    return tar_of({"g.csv": b""}, change)


def linked_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("g.csv")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return file.getvalue()


def lying(data: bytes, size: int) -> bytes:
    """A zip that says its member has another size."""
    found = bytearray(data)
    for magic, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", found, found.index(magic) + at, size)
    return bytes(found)


def other_method(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("g.csv", data)
    return file.getvalue()


REFUSED = {
    "two files in a zip": ("g.zip", zip_of({"a.csv": PLAIN, "b.csv": PLAIN}), r"holds 2 files \('a.csv', 'b.csv'"),
    "two files in a tar": ("g.tar", tar_of({"a.csv": PLAIN, "b.csv": PLAIN}), "holds several files .*'a.csv', 'b.csv'"),
    "two files in a tar.gz": ("g.tgz", gzip.compress(tar_of({"a.csv": PLAIN, "b.csv": PLAIN})), "holds several files"),
    "no file in a zip": ("g.zip", zip_of({"f/": b""}), "holds no file"),
    "an empty zip": ("g.zip", zip_of({}), "holds no file"),
    "no file in a tar": ("g.tar", tar_of({".DS_Store": b"x"}), "holds no file"),
    "traversal in a zip": ("g.zip", zip_of({"../g.csv": PLAIN}), "climbs by '..'"),
    "traversal in a tar": ("g.tar", tar_of({"../g.csv": PLAIN}), "climbs by '..'"),
    "traversal by backslash": ("g.zip", zip_of({"..\\g.csv": PLAIN}), "climbs by '..'"),
    "an absolute name": ("g.zip", zip_of({"/g.csv": PLAIN}), "is absolute"),
    "an absolute name in a tar": ("g.tar", tar_of({"/g.csv": PLAIN}), "is absolute"),
    "a link in a zip": ("g.zip", linked_zip(), "holds a link"),
    "a symbolic link": ("g.tar", linked(tarfile.SYMTYPE), "a symbolic link"),
    "a hard link": ("g.tar", linked(tarfile.LNKTYPE), "a hard link"),
    "a device": ("g.tar", linked(tarfile.CHRTYPE), "a device"),
    "an encrypted zip": ("g.zip", encrypted(zip_of({"g.csv": PLAIN})), "is encrypted"),
    "a zip in a zip": ("g.zip", zip_of({"g.zip": zip_of({"g.csv": PLAIN})}), r"an archive in an archive \(zip\)"),
    "a gzip in a gzip": ("g.csv.gz", gzip.compress(gzip.compress(PLAIN)), r"an archive in an archive \(gzip\)"),
    "a tar in a zip": ("g.zip", zip_of({"g.tar": tar_of({"g.csv": PLAIN})}), r"an archive in an archive \(tar\)"),
    "an npz in a tar": ("g.tar", tar_of({"g.npz": npz_of(guesses=[[0], [1]])}), r"an archive in an archive \(zip\)"),
    "a zip called csv": ("g.csv", zip_of({"g.csv": PLAIN}), "is called .csv, but is zip"),
    "a gzip called csv": ("g.csv", gzip.compress(PLAIN), "is called .csv, but is gzip"),
    "a tar called csv": ("g.csv", tar_of({"g.csv": PLAIN}), "is called .csv, but is tar"),
    "text called zip": ("g.zip", PLAIN, "is called .zip, but is no archive"),
    "text called gz": ("g.csv.gz", PLAIN, "is called .gz, but is no archive"),
    "Parquet called csv": ("g.csv", parquet_of(image=["a"]), "is called .csv, but is Parquet"),
    "text called Parquet": ("g.parquet", PLAIN, "is called .parquet, but is text"),
    "text called JSON": ("g.json", PLAIN, "is called .json, but is text"),
    "JSON called csv": ("g.csv", b'{"a": "cat"}', "is called .csv, but is JSON"),
    "JSON called csv in a zip": ("g.zip", zip_of({"g.csv": b"[]"}), "is called .csv, but is JSON"),
    "an array called npz": ("g.npz", npy_of(np.zeros((2, 1), int)), "is called .npz, but is npy"),
    "a pickle": ("g.pkl", b"\x80\x04N.", "a pickle, which can run programs"),
    "PyTorch's": ("g.pt", zip_of({"g/data.pkl": b"\x80\x04N."}), "a pickle, which can run programs"),
    "bzip2": ("g.bz2", b"BZh91AY&SY", "packed with bzip2"),
    "zstd": ("g.csv.zst", b"\x28\xb5\x2f\xfd0000", "packed with zstd"),
    "another method": ("g.zip", other_method(PLAIN), "packed in a way that is not read here"),
    "a cut gzip": ("g.csv.gz", gzip.compress(PLAIN)[:-9], "is cut off"),
    "a damaged gzip": ("g.csv.gz", gzip.compress(PLAIN)[:-8] + bytes(8), "is damaged: CRC check failed"),
    "a cut zip": ("g.zip", zip_of({"g.csv": PLAIN})[:-30], "is cut off|damaged zip"),
    "a damaged zip": ("g.zip", zip_of({"g.csv": PLAIN}).replace(b"PK\1\2", b"PK\1\3"), "is a damaged zip"),
    "a cut tar": ("g.tar", tar_of({"g.csv": PLAIN})[: 512 + 20], "ends too early"),
    "a tar without an end": ("g.tar", tar_of({"g.csv": PLAIN})[:1024], "ends too early"),
    "a zip that says too little": ("g.zip", lying(zip_of({"g.csv": PLAIN * 9}), 20), "is damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_archives(tmp_path: Path, name: str) -> None:
    file, data, message = REFUSED[name]
    refused(write(tmp_path, file, data), message)


def test_a_folder_a_pipe_and_nothing_are_no_submissions(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path, "not a plain file|cannot read")
    refused(tmp_path / "pipe", "not a plain file")
    refused(tmp_path / "none", "cannot read")


def packed_flood(name: str, head: bytes, size: int) -> bytes:
    """So many blanks behind a beginning, packed."""
    file = io.BytesIO()
    flood = b"\n" * (1 << 20)
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("g.csv", "w") as packed:
            packed.write(head)
            for _ in range(size >> 20):
                packed.write(flood)
    else:
        with gzip.GzipFile(fileobj=file, mode="wb") as packed:
            packed.write(head)
            for _ in range(size >> 20):
                packed.write(flood)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("g.csv.gz", PLAIN),
        ("g.zip", PLAIN),
        ("g.txt.gz", b"0\n1\n"),
        ("g.json.gz", b'{"a": "cat", '),
        ("g.jsonl.gz", b'{"image": "a", "guess1": "cat"}\n'),
        ("g.npy.gz", npy_of(np.zeros((2, 5), int))),
        ("g.parquet.gz", b"PAR1"),
    ],
)
def test_bombs_are_measured_by_what_comes_out(tmp_path: Path, name: str, head: bytes) -> None:
    data = packed_flood(name, head, 64 << 20)
    assert len(data) < 1 << 17
    path = write(tmp_path, name, data)
    tracemalloc.start()
    message = "unpacks to more than the 20,971,520 bytes allowed|a value has more than"
    refused(path, message, Limits(bytes=20 << 20, rows=10**9))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 96 << 20


def test_a_value_of_json_is_bounded(tmp_path: Path) -> None:
    refused(write(tmp_path, "g.json", b'{"a": "' + b"x" * (25 << 20)), "a value has more than 16,777,216 characters")


def test_a_header_that_lies_about_its_array_takes_no_memory(tmp_path: Path) -> None:
    honest = npy_of(np.zeros((2, 3)))
    lie = honest.replace(b"(2, 3), }            ", b"(2, 1000000000000), }")
    assert len(lie) == len(honest)
    refused(write(tmp_path, "s.npz", zip_of({"scores.npy": lie})), "16,000,000,000,000 bytes, .* are allowed")
    short = honest.replace(b"(2, 3), }     ", b"(2, 300000), }")
    refused(write(tmp_path, "s.npz", zip_of({"scores.npy": short})), "other bytes than its header says")
    refused(write(tmp_path, "s.npz", zip_of({"scores.npy": honest + b"x"})), "other bytes than its header says")


def zip64_of(data: bytes) -> bytes:
    """The zip with an end of zip64, which readers believe, and before the other end, which says that there is one."""
    at = data.rindex(b"PK\5\6")
    entries, length, start = struct.unpack_from("<HII", data, at + 10)
    end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, length, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    return data[:at] + end + locator + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, 60, 0, 0)


def test_a_million_entries_are_not_listed(tmp_path: Path) -> None:
    many = zip_of({f"{number}.csv": b"" for number in range(1200)})
    refused(write(tmp_path, "g.zip", many), "has more than 1,000 entries")
    end = bytearray(many)
    struct.pack_into("<HH", end, end.rindex(b"PK\5\6") + 8, 1, 1)  # it says that there is one
    refused(write(tmp_path, "g.zip", bytes(end)), "damaged zip|holds|holds 1,200 files")
    refused(write(tmp_path, "g.zip", zip64_of(many)), "is a zip64")
    folders = tar_of({f"f{number}/": b"" for number in range(1200)}, lambda member: setattr(member, "type", b"5"))
    refused(write(tmp_path, "g.tar", folders), "has more than 1,000 entries")


def test_dictionaries_of_parquet_do_not_explode(tmp_path: Path) -> None:
    """A long text in a dictionary, ten million times: gigabytes of a file of kilobytes."""
    text = pa.array(["x" * (1 << 20)]).dictionary_encode()
    places = pa.array(np.zeros(200_000, np.int32))
    column = pa.DictionaryArray.from_arrays(places, text.dictionary)
    path = tmp_path / "g.parquet"
    pq.write_table(pa.table({"image": column, "guess1": column}), path)
    refused(path, "would take more than .* MiB of memory")


def test_lines_rows_and_bytes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"image,guess1\n" + b"".join(b"x%d,cat\n" % n for n in range(300))
    refused(write(tmp_path, "g.csv", rows), "has more than the 200 rows allowed", Limits(rows=200))
    refused(write(tmp_path, "g.csv", rows), "has 2,603 bytes, 1,000 are allowed", Limits(bytes=1000))
    refused(write(tmp_path, "g.csv", b"x" * (LONGEST_ROW + 99)), "line 1: has more than 16,777,216 bytes")
    quoted = b"image,guess1\n" + b'"x ""y""",cat\n' * 300
    refused(write(tmp_path, "g.csv", quoted), "has more than the 200 rows allowed", Limits(rows=200))
    lines = b"".join(b'{"image": "x%d", "guess1": "cat"}\n' % n for n in range(300))
    refused(write(tmp_path, "g.jsonl", lines), "has more than the 200 rows allowed", Limits(rows=200))
    refused(write(tmp_path, "g.txt", b"1\n" * 300), "has more than the 200 rows allowed", Limits(rows=200))
    table = parquet_of(image=["x"] * 300, guess1=["cat"] * 300)
    refused(write(tmp_path, "g.parquet", table), "has 300 rows, 200 are allowed", Limits(rows=200))
    refused(write(tmp_path, "g.npy", npy_of(np.zeros((300, 5), int))), "has 300 rows, 200 are", Limits(rows=200))
    with pytest.raises(PredictionError, match="has more than the 2 rows allowed"):
        read_answers(write(tmp_path, "a.json", b'{"a": 1, "b": 2, "c": 3}'), Limits(rows=2))


def test_an_image_has_so_many_detections_at_most(tmp_path: Path) -> None:
    path = write(tmp_path, "d.csv", b"image,label,score,x1,y1,x2,y2\n" + b"a,cat,.5,1,2,3,4\n" * 101)
    with pytest.raises(PredictionError, match="image 'a' has 101 rows, 100 are allowed"):
        read_detections(path, PLACED, SMALL)
    assert len(read_detections(path, PLACED).image) == 101


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64])
def test_what_is_read_does_not_depend_on_how_much_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(text_blocks, "STEP", step)
    for ends, mark in itertools.product((b"\n", b"\r\n", b"\r"), (b"", b"\xef\xbb\xbf")):
        text = mark + b'image,guess1\r\na,"cat"\nb,dog\n\n'.replace(b"\r\n", b"\n").replace(b"\n", ends)
        found = read_guesses(write(tmp_path, "g.csv", text), TRUTH)
        assert found.guesses[:, 0].tolist() == [0, 2]
    found = read_guesses(write(tmp_path, "g.json", '{"a": ["cat"],\r\n"b" : ["dog"] }'), TRUTH)
    assert found.guesses[:, 0].tolist() == [0, 2]
    with pytest.raises(PredictionError, match="line 4: unknown image 'ü'"):
        read_guesses(write(tmp_path, "g.csv", "image,guess1\na,cat\r\n\r\nü,dog\n"), TRUTH)
    wide = "\ufeffimage,guess1\na,cat\nb,dog\n".encode("utf-16-le")
    assert read_guesses(write(tmp_path, "g.csv", wide), TRUTH).guesses[:, 0].tolist() == [0, 2]
