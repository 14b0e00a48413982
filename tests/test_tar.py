from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import ArchiveError, PackError
from holotype.store.archives import read_file
from holotype.store.location import TREE, Location
from holotype.store.store import Store
from holotype.store.tar.members import read_members
from holotype.store.tar.scan import Headers, in_file, read_headers

END = bytes(1024)


def block(
    name: bytes = b"a.jpg",
    size: int | bytes = 0,
    kind: bytes = b"0",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
) -> bytes:
    """A header with a right checksum."""
    octal = size if isinstance(size, bytes) else b"%011o\0" % size
    fields = (name.ljust(100, b"\0"), b"0000644\0", bytes(16), octal.ljust(12, b"\0"), bytes(12), b" " * 8, kind)
    data = (b"".join(fields) + bytes(100) + magic).ljust(345, b"\0") + prefix
    return signed(data.ljust(512, b"\0"))


def signed(data: bytes, total: int | None = None) -> bytes:
    blank = data[:148] + b" " * 8 + data[156:]
    return data[:148] + b"%06o\0 " % (sum(blank) if total is None else total) + data[156:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def member(data: bytes = b"", **fields: bytes) -> bytes:
    return block(size=len(data), **fields) + padded(data)


def record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    length = next(length for length in range(len(body), 10**4) if length == len(body) + len(str(length)))
    return b"%d" % length + body


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    return member(b"".join(records), name=b"PaxHeaders/a", kind=kind)


def scan(path: Path, data: bytes, limit: int = 100_000) -> Headers:
    path.write_bytes(data)
    return scan_file(path, limit)


def scan_file(path: Path, limit: int = 100_000, start: int = 0, stop: int | None = None) -> Headers:
    file = os.open(path, os.O_RDONLY)
    try:
        return read_headers(in_file(file), path.name, start, os.fstat(file).st_size if stop is None else stop, limit)
    finally:
        os.close(file)


def place(path: Path, offset: int, length: int) -> Location:
    """A location in an archive as it is now."""
    status = path.stat()
    return Location(str(path), offset, length, "val", "", status.st_size, status.st_mtime_ns)


def open_below(folder: Path) -> int:
    """How many files below a folder this process has open."""
    links = Path("/proc/self/fd")
    targets = [os.readlink(links / name) for name in os.listdir(links) if (links / name).is_symlink()]
    return sum(target.startswith(f"{folder.resolve()}/") for target in targets)


def by_tarfile(data: bytes) -> list[tuple[str, int, int]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return [(info.name, info.offset_data, info.size) for info in tar if info.isreg()]


def columns(headers: Headers) -> list[tuple[str, int, int]]:
    return list(zip(headers.names, headers.offsets, headers.lengths, strict=True))


def packed(files: dict[str, int], form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, size in files.items():
            info = tarfile.TarInfo(name)
            info.size = size
            tar.addfile(info, io.BytesIO(b"x" * size))
    return buffer.getvalue()


NAMES = st.lists(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/"), min_size=1, max_size=90
    ),
    min_size=1,
    max_size=4,
).map("/".join)
SAFE_NAMES = NAMES.filter(lambda name: not {".", ".."} & set(name.split("/")))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@given(files=st.dictionaries(SAFE_NAMES, st.integers(0, 1600), min_size=1, max_size=6), limit=st.integers(1, 7))
@settings(max_examples=60)
def test_headers_are_those_that_tarfile_reads_resumed_anywhere(
    tmp_path_factory: pytest.TempPathFactory, form: int, files: dict[str, int], limit: int
) -> None:
    if form == tarfile.USTAR_FORMAT:
        files = {f"{'deep/' * 25}{number}.JPEG": size for number, size in enumerate(files.values())}
    path = tmp_path_factory.getbasetemp() / "archive.tar"
    data = packed(files, form)
    whole = scan(path, data)
    assert columns(whole) == by_tarfile(data)
    assert whole.next is None
    parts = []
    start: int | None = 0
    while start is not None:
        part = scan_file(path, limit, start)
        assert len(part.names) <= limit
        parts += columns(part)
        start = part.next
    assert parts == columns(whole)


def test_a_tar_inside_a_tar_is_a_slice_of_the_file(tmp_path: Path) -> None:
    inner = packed({"n01440764_1.JPEG": 700, "n01440764_2.JPEG": 0}, tarfile.GNU_FORMAT)
    path = tmp_path / "train.tar"
    outer = scan(path, member(inner, name=b"n01440764.tar") + member(b"x", name=b"n01443537.tar") + END)
    assert outer.names == ["n01440764.tar", "n01443537.tar"]
    start = outer.offsets[0]
    found = scan_file(path, start=start, stop=start + outer.lengths[0])
    assert columns(found) == [(name, start + offset, size) for name, offset, size in by_tarfile(inner)]


@pytest.mark.parametrize(
    ("data", "name", "size"),
    [
        (member(b"abc", magic=bytes(8)), "a.jpg", 3),
        (member(b"abc", magic=b"ustar  \0", prefix=b"14377777777"), "a.jpg", 3),
        (member(b"abc", prefix=b"n01440764"), "n01440764/a.jpg", 3),
        (member(b"abc", kind=b"\0"), "a.jpg", 3),
        (member(b"abc", kind=b"7"), "a.jpg", 3),
        (member(b"abc", name=b"./a.jpg"), "a.jpg", 3),
        (block(size=b"         3 ") + padded(b"abc"), "a.jpg", 3),
        (block(size=b"\x80" + bytes(10) + b"\3") + padded(b"abc"), "a.jpg", 3),
        (member(b"b\0", kind=b"L") + member(b"abc"), "b", 3),
        (member(b"t\0", kind=b"K") + member(b"b\0", kind=b"L") + member(b"abc"), "b", 3),
        (pax(record(b"path", "été.jpg".encode()), record(b"mtime", b"1.5")) + member(b"abc"), "été.jpg", 3),
        (pax(record(b"size", b"600")) + block() + padded(b"x" * 600), "a.jpg", 600),
        (pax(record(b"comment", b"of git"), kind=b"g") + member(b"abc"), "a.jpg", 3),
        (
            member(name=b"./", kind=b"5")
            + member(name=b"f/", kind=b"5")
            + member(name=b"old/", kind=b"\0")
            + member(b"abc"),
            "a.jpg",
            3,
        ),
        (member(b"abc", name=b"a..b"), "a..b", 3),
    ],
)
def test_every_dialect_of_tar_is_understood(tmp_path: Path, data: bytes, name: str, size: int) -> None:
    found = scan(tmp_path / "a.tar", data + END)
    assert (found.names, found.lengths) == ([name], [size])
    assert columns(found)[0][1:] == by_tarfile(data + END)[0][1:]


def test_a_checksum_of_signed_bytes_is_right_too(tmp_path: Path) -> None:
    header = block("é.jpg".encode())
    blank = header[:148] + b" " * 8 + header[156:]
    total = sum(byte - 256 if byte > 127 else byte for byte in blank)
    assert scan(tmp_path / "a.tar", signed(header, total) + END).names == ["é.jpg"]
    with pytest.raises(ArchiveError, match="checksum"):
        scan(tmp_path / "a.tar", signed(header, total + 1) + END)


def test_files_of_more_than_eight_gigabytes_are_found(tmp_path: Path) -> None:
    size = 9 << 30
    for headers in (block(size=b"\x80" + size.to_bytes(11)), pax(record(b"size", b"%d" % size)) + block()):
        path = tmp_path / "big.tar"
        path.write_bytes(headers)
        os.truncate(path, len(headers) + size)
        with path.open("ab") as file:
            file.write(member(b"abc", name=b"after") + END)
        found = scan_file(path)
        assert (found.names, found.lengths) == (["a.jpg", "after"], [size, 3])
        path.unlink()


HOSTILE = {
    "absolute": (member(name=b"/etc/passwd"), "'/etc/passwd'|is absolute"),
    "climbing": (member(name=b"a/../../b"), "climbs by '..'"),
    "climbing folder": (member(name=b"../", kind=b"5") + member(), "climbs by '..'"),
    "climbing by pax": (pax(record(b"path", b"../b")) + member(), "climbs by '..'"),
    "climbing by a long name": (member(b"../b\0", kind=b"L") + member(), "climbs by '..'"),
    "climbing by a prefix": (member(prefix=b".."), "climbs by '..'"),
    "empty name": (member(name=b""), "is empty"),
    "empty name by pax": (pax(record(b"path", b"")) + member(), "is empty"),
    "newline": (member(name=b"a\nb"), "control characters"),
    "escape": (member(name=b"\x1b[2Jb"), "control characters"),
    "NUL in a pax path": (pax(record(b"path", b"a\0b")) + member(), "control characters"),
    "NUL in a long name": (member(b"a\0b\0", kind=b"L") + member(), "control characters"),
    "not UTF-8": (member(name=b"caf\xe9.jpg"), "is not UTF-8"),
    "hard link": (member(kind=b"1"), "'a.jpg', a hard link.*--hard-dereference"),
    "symbolic link": (member(kind=b"2"), "a symbolic link.*--dereference"),
    "character device": (member(kind=b"3"), "a device"),
    "block device": (member(kind=b"4"), "a device"),
    "pipe": (member(kind=b"6"), "a named pipe"),
    "GNU sparse": (member(kind=b"S"), "a sparse file.*without --sparse"),
    "pax sparse": (pax(record(b"GNU.sparse.major", b"1")) + member(), "a sparse file.*without --sparse"),
    "volume": (member(kind=b"M"), "another volume"),
    "unknown type": (member(kind=b"Z"), "unknown type b'Z'"),
    "negative size": (block(size=b"\xff" * 11 + b"\xfe"), "is not one"),
    "minus": (block(size=b"-0000000001"), "is not one"),
    "not octal": (block(size=b"00000000089"), "is not one"),
    "underscore": (block(size=b"0000000_001"), "is not one"),
    "endless": (block(size=b"\x80" + b"\xff" * 11), "impossible size"),
    "endless by pax": (pax(record(b"size", b"9" * 19)) + block(), "a.jpg"),
    "negative by pax": (pax(record(b"size", b"-1")) + block(), "not a number"),
    "folder with bytes": (member(b"x", name=b"f/", kind=b"5"), "a folder with 1 bytes"),
    "huge long name": (block(size=b"%011o" % (1 << 32), kind=b"L"), "of .* bytes at byte 0"),
    "name of 5 KB": (member(b"x" * 5000, kind=b"L") + member(), "of .* bytes at byte 0"),
    "name of 5 KB by pax": (pax(record(b"path", b"x" * 5000)) + member(), "has 5,000 bytes"),
    "huge pax": (block(size=b"\x80" + b"\x7f" * 11, kind=b"x"), "of .* bytes at byte 0"),
    "huge global": (block(size=1 << 30, kind=b"g"), "of .* bytes at byte 0"),
    "global path": (pax(record(b"path", b"a"), kind=b"g") + member(), "one path for all"),
    "path of 2 headers": (pax(record(b"path", b"a")) * 2 + member(), "states the path of a member twice"),
    "pax and GNU path": (
        pax(record(b"path", b"a")) + member(b"a\0", kind=b"L") + member(),
        "the path of a member twice",
    ),
    "chain": (pax(record(b"mtime", b"1")) * 5000 + member(), "more than 8 extended headers"),
    "pax without member": (pax(record(b"path", b"a")), "no member follows"),
    "long name without member": (member(b"a\0", kind=b"L"), "no member follows"),
    "broken record": (pax(b"8 path=a\n") + member(), "damaged extended header"),
    "record of no length": (pax(b"0 path=a\n") + member(), "damaged extended header"),
    "record without newline": (pax(b"8 path=a") + member(), "damaged extended header"),
    "record too long": (pax(b"99999999 path=a\n") + member(), "damaged extended header"),
    "damaged header": (member(b"abc") + b"\1" + block()[1:], "damaged.* at byte 1,024: the checksum"),
}


NO_FILES = {
    "hard link",
    "symbolic link",
    "character device",
    "block device",
    "pipe",
    "GNU sparse",
    "pax sparse",
}
"""What is passed over where images are looked for, and refused where every member is to be read."""
REFUSED = {name: case for name, case in HOSTILE.items() if name not in NO_FILES} | {
    "link with data": (member(b"x", kind=b"1"), "a hard link.*with 1 bytes of its own"),
    "link with a climbing name": (member(name=b"../b", kind=b"2"), "climbs by '..'"),
    "sparse map for ever": (block(kind=b"S", size=0)[:482] + b"\1" + bytes(29), "checksum"),
    "sparse beyond the end": (block(kind=b"S", size=1 << 30), "bytes are missing"),
}


@pytest.mark.parametrize("name", sorted(NO_FILES))
def test_what_is_no_file_is_passed_over_and_counted(tmp_path: Path, name: str) -> None:
    found = scan(tmp_path / "x.tar", HOSTILE[name][0] + member(b"abc", name=b"after.jpg") + END)
    assert (found.names, found.passed_over) == (["after.jpg"], 1)


@pytest.mark.parametrize(("data", "complaint"), REFUSED.values(), ids=REFUSED)
def test_a_hostile_tar_gives_one_clear_line(tmp_path: Path, data: bytes, complaint: str) -> None:
    tracemalloc.start()
    with pytest.raises(ArchiveError, match=complaint) as caught:
        scan(tmp_path / "x.tar", data + END)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    line = str(caught.value)
    assert line.startswith("x.tar ")
    assert line.isprintable()
    assert len(line) < 300
    assert peak < 8 << 20


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("data", "complaint"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_tar_is_refused_also_where_it_is_read_forwards(
    tmp_path: Path, data: bytes, complaint: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "x.tar").write_bytes(pack(data + END))
    with pytest.raises(ArchiveError, match=complaint) as caught:
        list(read_members(tmp_path / "x.tar", (".jpg",), 1000))
    assert "x.tar" in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is empty"),
        (gzip.compress(member() + END, mtime=0), r"compressed \(gzip\).*gunzip"),
        (b"\xfd7zXZ\0" + bytes(600), r"\(xz\).*unxz"),
        (b"BZh91AY" + bytes(600), "bunzip2"),
        (b"PK\3\4" + bytes(600), r"\(zip\)"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "a web page"),
        (b"<html>" + b"x" * 600, "a web page"),
        (b"\xff\xd8\xff" + b"x" * 600, "damaged, or not a tar, at byte 0"),
        (bytes(1 << 20), "begins with zeros"),
    ],
)
def test_what_is_no_tar_is_called_what_it_is(tmp_path: Path, data: bytes, complaint: str) -> None:
    with pytest.raises(ArchiveError, match=complaint):
        scan(tmp_path / "x.tar", data)


def test_a_member_named_like_a_magic_number_is_a_member(tmp_path: Path) -> None:
    assert scan(tmp_path / "x.tar", member(name=b"BZh9.jpg") + END).names == ["BZh9.jpg"]


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    data = member(b"x" * 700) + pax(record(b"path", b"b")) + member(b"y") + END
    assert scan(tmp_path / "x.tar", data).names == ["a.jpg", "b"]
    for length in range(0, len(data), 37):
        with pytest.raises(ArchiveError, match="incomplete|empty"):
            scan(tmp_path / "x.tar", data[:length])


def test_a_truncated_last_member_is_named(tmp_path: Path) -> None:
    data = member(b"x" * 700) + member(b"y" * 600, name=b"last.jpg")
    with pytest.raises(ArchiveError, match=r"^x.tar ends inside member 'last.jpg': 500 bytes are missing; .*wget"):
        scan(tmp_path / "x.tar", data[: 1536 + 512 + 100])


def test_an_archive_that_shrinks_while_it_is_read_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(member(b"x" * 700))
    with pytest.raises(ArchiveError, match="ends inside|without an end mark"):
        scan_file(tmp_path / "x.tar", stop=10_240)


def test_zeros_for_ever_are_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "preallocated.tar"
    for begin, complaint in ((member(b"abc"), "end mark at byte 1,024 but goes on for"), (b"", "begins with zeros")):
        path.write_bytes(begin)
        os.truncate(path, 1 << 42)
        with pytest.raises(ArchiveError, match=complaint):
            scan_file(path)


def test_a_record_of_padding_is_allowed_and_bytes_in_it_are_not(tmp_path: Path) -> None:
    data = member(b"abc") + bytes(1 << 20)
    assert scan(tmp_path / "x.tar", data).next is None
    with pytest.raises(ArchiveError, match="goes on at byte 3,072: .*joined"):
        scan(tmp_path / "x.tar", member(b"abc") + bytes(2048) + member(b"joined") + END)
    with pytest.raises(ArchiveError, match="goes on at byte 1,536"):
        scan(tmp_path / "x.tar", member(b"abc") + bytes(512) + member(b"after one zero block") + END)


def test_a_tar_of_very_many_members_takes_bounded_memory(tmp_path: Path) -> None:
    path, count = tmp_path / "many.tar", 60_000
    path.write_bytes(block() * count + END)
    tracemalloc.start()
    start: int | None = 0
    seen = 0
    while start is not None:
        part = scan_file(path, 1000, start)
        seen, start = seen + len(part.names), part.next
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == count
    assert peak < 1 << 20


def test_official_images_are_read_where_they_lie(tmp_path: Path, shared: Path) -> None:
    images = sorted((shared / "imagenet-val-sample").rglob("*.JPEG"))[:40]
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as tar:
        for image in images:
            tar.add(image, image.name)
    path = tmp_path / "train.tar"
    outer = scan(path, member(inner.getvalue(), name=b"n01440764.tar") + END)
    found = scan_file(path, start=outer.offsets[0], stop=outer.offsets[0] + outer.lengths[0])
    assert found.names == [image.name for image in images]
    reader = Store(tmp_path / "packs")
    for image, offset, length in zip(images, found.offsets, found.lengths, strict=True):
        assert reader.read(place(path, offset, length)) == image.read_bytes()
    reader.close()


def test_an_archive_that_has_changed_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"0123456789")
    imported = place(path, 2, 3)
    reader = Store(tmp_path / "packs")
    assert reader.read(imported) == b"234"
    for other in (replace(imported, size=11), replace(imported, mtime_ns=imported.mtime_ns + 1)):
        with pytest.raises(ArchiveError, match=r"a.tar has changed since it was imported .*; import it again"):
            reader.read(other)
    os.truncate(path, 4)
    with pytest.raises(ArchiveError, match="no bytes at 2 \\+ 3: it is shorter than it was"):
        reader.read(imported)
    reader.close()


def test_no_memory_is_taken_for_bytes_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"0123456789")
    os.truncate(path, 1 << 42)
    reader = Store(tmp_path / "packs")
    for offset, length in ((-1, 1), (0, -1), (1 << 42, 1), ((1 << 42) - 1, 2), (2**70, 1), (0, 1 << 40)):
        with pytest.raises(ArchiveError, match=r"no bytes at|over the limit"):
            reader.read(place(path, offset, length))
    assert reader.read(place(path, 9, 1)) == b"9"
    reader.close()


def test_what_grew_since_it_was_opened_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"one")
    reader = Store(tmp_path / "packs")
    imported = place(path, 0, 3)
    assert reader.read(imported) == b"one"
    with path.open("ab") as file:
        file.write(b"two")
    assert reader.read(replace(imported, offset=3)) == b"two"
    reader.close()


def test_an_archive_may_be_a_link_but_not_a_folder_or_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"abc")
    (tmp_path / "link.tar").symlink_to("a.tar")
    os.mkfifo(tmp_path / "pipe.tar")
    reader = Store(tmp_path / "packs")
    assert reader.read(place(tmp_path / "link.tar", 0, 3)) == b"abc"
    for other in (tmp_path, tmp_path / "pipe.tar", tmp_path / "missing.tar"):
        with pytest.raises(ArchiveError, match=f"^cannot read {other}: "):
            reader.read(Location(str(other), 0, 1, "val"))
    reader.close()


def test_threads_read_more_archives_than_stay_open(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.tar" for number in range(150)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * 4096)
    reader = Store(tmp_path / "packs")

    def read(turn: int) -> bool:
        number = turn * 7 % len(paths)
        if turn % 500 == 0:
            reader.close()
        return reader.read(place(paths[number], turn % 96, 4000)) == bytes([number]) * 4000

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(6000)))
    assert open_below(tmp_path) == 64
    reader.close()
    assert open_below(tmp_path) == 0


def test_a_store_is_one_reader_of_all_and_pickles_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs/pack-000000.tar").write_bytes(b"of a pack")
    (tmp_path / "a.tar").write_bytes(b"of an archive")
    (tmp_path / "tree/n01440764").mkdir(parents=True)
    (tmp_path / "tree/n01440764/a.JPEG").write_bytes(b"of a tree")
    places = [
        Location("pack-000000.tar", 5, 4),
        place(tmp_path / "a.tar", 6, 7),
        Location(str(tmp_path / "tree"), 0, 9, TREE, "n01440764/a.JPEG"),
    ]
    store = Store(tmp_path / "packs")
    assert [store.read(one) for one in places] == [b"pack", b"archive", b"of a tree"]
    again = pickle.loads(pickle.dumps(store))  # noqa: S301
    assert [again.read(one) for one in pickle.loads(pickle.dumps(places))] == [b"pack", b"archive", b"of a tree"]  # noqa: S301
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert list(pool.map(store.read, places)) == [b"pack", b"archive", b"of a tree"]
    with pytest.raises(ArchiveError, match=r"a\.JPEG has changed since it was imported \(another size\)"):
        again.read(replace(places[2], length=8))
    with pytest.raises(PackError, match="is not the name of a pack"):
        again.read(Location(str(tmp_path / "a.tar"), 0, 1))
    for one in (store, again):
        one.close()
    assert open_below(tmp_path) == 0


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "real"
    (root / "train/n01440764").mkdir(parents=True)
    (root / "train/n01440764/a.JPEG").write_bytes(b"abc")
    (root / "empty.JPEG").write_bytes(b"")
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "linked.JPEG").symlink_to(tmp_path / "secret")
    (root / "linked").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.JPEG")
    (tmp_path / "tree").symlink_to("real")
    return tmp_path / "tree"


def test_a_file_of_a_tree_is_read_also_if_the_root_is_a_link(tree: Path) -> None:
    assert read_file(tree, "train/n01440764/a.JPEG") == b"abc"
    assert read_file(tree, "empty.JPEG") == b""
    assert open_below(tree) == 0


@pytest.mark.parametrize(
    ("relative", "complaint"),
    [
        ("../secret", "not the name of a file"),
        ("train/../../secret", "not the name of a file"),
        ("/etc/passwd", "not the name of a file"),
        ("", "not the name of a file"),
        (".", "not the name of a file"),
        ("train//n01440764/a.JPEG", "not the name of a file"),
        ("a\0b", "not the name of a file"),
        ("\ud800", "not the name of a file"),
        ("linked.JPEG", "links are not followed"),
        ("linked/secret", "links are not followed"),
        ("train", "not a plain file"),
        ("pipe.JPEG", "not a plain file"),
        ("missing.JPEG", "No such file"),
    ],
)
def test_nothing_is_read_from_outside_a_tree(tree: Path, relative: str, complaint: str) -> None:
    with pytest.raises(ArchiveError, match=complaint) as caught:
        read_file(tree, relative)
    assert str(caught.value).isprintable()
    assert open_below(tree) == 0


def test_a_file_of_a_tree_has_a_limit(tree: Path) -> None:
    (tree / "huge.JPEG").touch()
    os.truncate(tree / "huge.JPEG", (256 << 20) + 1)
    with pytest.raises(ArchiveError, match="over the limit of 268,435,456"):
        read_file(tree, "huge.JPEG")
