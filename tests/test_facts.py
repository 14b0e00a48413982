from __future__ import annotations

import gzip
import io
import os
import re
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.benchmark.orders import order
from holotype.errors import ArchiveError
from holotype.imports.boxes import (
    EMPTY,
    NO_ANNOTATION,
    NO_WNID,
    ROUNDED,
    UNREAD,
    UNSIZED,
    Annotation,
    Box,
    check_box,
    parse_voc,
    read_voc_archive,
    read_voc_folder,
)
from holotype.imports.devkit import parse_meta, parse_truth, read_devkit
from holotype.imports.lists import read_marks, read_texts, read_urls
from holotype.imports.official import Official, verify_md5
from holotype.imports.solution import read_solution
from holotype.lint import blemishes
from holotype.lint.blemishes import CODES, Boxed, Finding, Labelled, Looked, Marked, Stored, Turned
from holotype.ontology import Ontology
from holotype.store.tar.members import read_members

DOG, CAT, CRANE = "n02084071", "n02121620", "n02012849"


def voc(*found: tuple[str, object, object, object, object], width: object = 500, height: object = 375) -> bytes:
    objects = "".join(
        f"<object><name>{wnid}</name><pose>x</pose><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>"
        f"<ymax>{d}</ymax></bndbox></object>"
        for wnid, a, b, c, d in found
    )
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><folder>f</folder><filename>%s</filename>{size}{objects}</annotation>".encode()


def tar_of(contents: dict[str, bytes], format: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def special(kind: bytes, name: str = "a.xml", **more: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(10240)


def wrote(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


# boxes


def test_an_annotation_is_named_like_its_file_and_has_inclusive_boxes() -> None:
    found = parse_voc(voc((DOG, 0, 1, "499.0", 374), (CAT, 5, 6, 7, 8)), "Annotation/n02084071/n02084071_18.xml")
    assert found == Annotation("n02084071_18", 500, 375, (Box(DOG, 0, 1, 499, 374), Box(CAT, 5, 6, 7, 8)))
    assert found.wnids == (DOG, CAT)


@pytest.mark.parametrize("size", [b"", b"<size/>", b"<size><width>0</width><height>0</height></size>"])
def test_an_unknown_size_is_zero(size: bytes) -> None:
    assert parse_voc(b"<annotation>" + size + b"</annotation>", "a.xml") == Annotation("a", 0, 0, ())


def test_a_breed_for_a_name_gives_way_to_the_wnid_of_the_training_image() -> None:
    data = voc(("Scottish_deerhound", 1, 2, 3, 4))
    assert parse_voc(data, "n02092002/n02092002_3.xml").wnids == ("n02092002",)
    assert parse_voc(data, "val_1.xml") == Annotation("val_1", 500, 375, (), (NO_WNID,))


@pytest.mark.parametrize(
    ("corner", "taken", "remark"),
    [
        ("12.5", 13, ROUNDED),
        ("12.49", 12, ROUNDED),
        ("45.70000076293945", 46, ROUNDED),
        ("-0.5", 0, ROUNDED),
        ("12.000", 12, None),
        ("", None, UNREAD),
        ("nan", None, UNREAD),
        ("1e3", None, UNREAD),
        ("٣", None, UNREAD),
        ("9" * 5000, None, UNREAD),
    ],
)
def test_a_bad_number_costs_its_box_at_most(corner: str, taken: int | None, remark: str | None) -> None:
    found = parse_voc(voc((DOG, 1, 0, 3, corner), (CAT, 5, 6, 7, 8)), "x.xml")
    boxes = (Box(CAT, 5, 6, 7, 8),) if taken is None else (Box(DOG, 1, 0, 3, taken), Box(CAT, 5, 6, 7, 8))
    assert found == Annotation("x", 500, 375, boxes, () if remark is None else (remark,))


@pytest.mark.parametrize("corners", [(30, 2, 3, 40), (1, 40, 3, 2)])
def test_a_box_that_ends_before_it_begins_is_counted_and_not_taken(corners: tuple[int, int, int, int]) -> None:
    found = parse_voc(voc((DOG, *corners), (CAT, 5, 6, 5, 6)), "x.xml")
    assert found == Annotation("x", 500, 375, (Box(CAT, 5, 6, 5, 6),), (EMPTY,))


def test_a_size_that_is_no_number_is_unknown() -> None:
    assert parse_voc(voc((DOG, 1, 2, 3, 4), width="1e3"), "x.xml") == Annotation(
        "x", 0, 375, (Box(DOG, 1, 2, 3, 4),), (UNSIZED,)
    )


LAUGHS = b'<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x.xml is not XML"),
        (b"<annotation>", "x.xml is not XML"),
        (b"\xff\xfe\x00", "x.xml is not XML"),
        (b'<?xml version="1.0" encoding="klingon"?><annotation/>', "x.xml is not XML"),
        (LAUGHS, "x.xml is not XML"),
        (b"<a>" * 300_000, "x.xml is not XML"),
        (b"<html/>", "its root is 'html'"),
        (b" " * (1 << 20) + b"<annotation/>", "1,048,589 bytes, more than"),
    ],
)
def test_what_is_no_annotation_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(ArchiveError, match=message) as caught:
        parse_voc(data, "x.xml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


XMLS = {f"Annotation/{DOG}/{DOG}_{n}.xml": voc((DOG, n, 2, 40, 40)) for n in (10, 2, 33)}
FOUND = [Annotation(f"{DOG}_{n}", 500, 375, (Box(DOG, n, 2, 40, 40),)) for n in (10, 2, 33)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_box_archives_are_read_packed_or_not(tmp_path: Path, pack: Callable[[bytes], bytes], format: int) -> None:
    contents = {"Annotation/README.txt": b"x" * 3_000_000, f"{DOG}/._{DOG}_10.xml": b"macOS", **XMLS}
    path = wrote(tmp_path / "boxes.tar.gz", pack(tar_of(contents, format)))
    assert list(read_voc_archive(path)) == FOUND


def test_archives_in_the_archive_are_read_one_deep(tmp_path: Path) -> None:
    inner = {f"{DOG}.tar.gz": gzip.compress(tar_of(XMLS)), f"{CAT}.tar": tar_of({"c/a_1.xml": voc()})}
    path = wrote(tmp_path / "boxes.tgz", gzip.compress(tar_of(inner)))
    assert list(read_voc_archive(path)) == [*FOUND, Annotation("a_1", 500, 375, ())]
    deeper = wrote(tmp_path / "deep.tgz", gzip.compress(tar_of({"a.tar": path.read_bytes()})))
    with pytest.raises(ArchiveError, match=rf"deep.tgz/a.tar: member '{DOG}.tar.gz' is a third archive"):
        list(read_voc_archive(deeper))


def test_long_names_are_read_in_every_format(tmp_path: Path) -> None:
    name = "Annotation/" + "ä" * 120 + "/" + "b" * 90 + ".xml"
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        path = wrote(tmp_path / "a.tar", tar_of({"x.xml": b"1", name: b"2", "y.xml": b"3"}, format))
        assert list(read_members(path, (".xml",), 10)) == [("x.xml", b"1"), (name, b"2"), ("y.xml", b"3")]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,120}/[a-zé]{1,20}\.xml", fullmatch=True), st.binary(max_size=1100)))
def test_members_are_what_was_packed(tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes]) -> None:
    path = wrote(tmp_path_factory.getbasetemp() / "members.tar.gz", gzip.compress(tar_of(contents), 1))
    assert dict(read_members(path, (".xml",), 2000)) == contents


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    plain = tar_of(XMLS).rstrip(b"\0")
    whole = tar_of(XMLS)
    last = -(-len(plain) // 512) * 512
    for data, cuts in ((whole, range(0, last, 300)), (packed := gzip.compress(whole), range(0, len(packed) - 30, 7))):
        for cut in cuts:
            path = wrote(tmp_path / "boxes.tar.gz", data[:cut])
            with pytest.raises(ArchiveError, match=r"boxes\.tar\.gz.*fetch it again"):
                list(read_voc_archive(path))


def test_a_truncated_last_member_is_named(tmp_path: Path) -> None:
    path = wrote(tmp_path / "boxes.tar", tar_of(XMLS)[: 5 * 512 + 100])
    with pytest.raises(ArchiveError, match=rf"boxes.tar ends at '.*/{DOG}_33.xml', .* bytes too early"):
        list(read_voc_archive(path))


def corrupt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


def pax(payload: bytes) -> bytes:
    return special(tarfile.XHDTYPE, size=len(payload))[:512] + payload + bytes(-len(payload) % 512) + tar_of(XMLS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends at its first header"),
        (b"<html>Please log in</html>" * 50, "is a web page"),
        (b"PK\3\4" * 500, r"is compressed \(zip\)"),
        (gzip.compress(b"\0" * 100, mtime=0), "ends at its first header"),
        (corrupt(gzip.compress(tar_of(XMLS), mtime=0), 60), "damaged|not a tar"),
        (corrupt(tar_of(XMLS), 1030), "is damaged, or not a tar, at byte 1,024: the checksum"),
        (special(tarfile.SYMTYPE, linkname="/etc/passwd"), "holds 'a.xml', a symbolic link"),
        (special(tarfile.LNKTYPE, linkname="b.xml"), "holds 'a.xml', a hard link"),
        (special(tarfile.CHRTYPE, devmajor=1, devminor=3), "holds 'a.xml', a device"),
        (special(tarfile.FIFOTYPE), "holds 'a.xml', a named pipe"),
        (special(tarfile.GNUTYPE_SPARSE), "holds 'a.xml', a sparse file"),
        (tar_of({"/etc/a.xml": b""}), "a member whose name is absolute: '/etc/a.xml'"),
        (tar_of({"a/../../b.xml": b""}), r"a member whose name climbs by '..': 'a/\.\./\.\./b.xml'"),
        (tar_of({"a\nb.xml": b""}), r"control characters: 'a\\nb.xml'"),
        (tar_of({"x" * 5000 + ".xml": b""}), "has an extended header of 5,005 bytes at byte 0"),
        (special(tarfile.XHDTYPE, size=1 << 40), "an extended header of 1,099,511,627,776 bytes"),
        (special(tarfile.REGTYPE, size=2 << 20), "'a.xml' has 2,097,152 bytes, more than the 1,048,576 allowed"),
        (special(tarfile.REGTYPE, "a.tar", size=1 << 30), "'a.tar' has 1,073,741,824 bytes"),
        (special(tarfile.REGTYPE, size=-5), "a number in its header is not one"),
        (pax(b"0 path=a\n"), "has a damaged extended header"),
        (pax(b"99 path=a\n"), "has a damaged extended header"),
        (pax(b"x"), "has a damaged extended header"),
        (pax(b"30 GNU.sparse.name=sparse.xml\n"), "holds .*, a sparse file"),
        (tar_of(XMLS) + b"more", "goes on after its end mark"),
        (bytes(10240), r"boxes.tar holds no annotations \(.xml\)"),
        (tar_of({"a.txt": b"1", "._b.xml": b"2"}), r"holds no annotations \(.xml\)"),
        (gzip.compress(tar_of(XMLS), mtime=0) + b"more", "is damaged at its end"),
        (tar_of({f"{n}.tar.gz": b"\x1f\x8bzzz" for n in range(2)}), r"boxes.tar/0.tar.gz"),
    ],
)
def test_damaged_and_hostile_archives_are_refused_in_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ArchiveError, match=message) as caught:
        list(read_voc_archive(wrote(tmp_path / "boxes.tar", data)))
    assert "\n" not in str(caught.value)


def test_a_flipped_digit_is_told_by_gzips_checksum(tmp_path: Path) -> None:
    packed = gzip.compress(tar_of(XMLS), 0)
    at = packed.index(b"<xmin>33<") + 6
    path = wrote(tmp_path / "boxes.tgz", packed[:at] + b"9" + packed[at + 1 :])
    with pytest.raises(ArchiveError, match=r"boxes.tgz is damaged at its end \(CRC check failed .*compare it"):
        list(read_voc_archive(path))
    nested = wrote(tmp_path / "nested.tar", tar_of({"a.tgz": path.read_bytes()}))
    with pytest.raises(ArchiveError, match=r"nested.tar/a.tgz is damaged at its end"):
        list(read_voc_archive(nested))


def test_extended_headers_of_a_megabyte_are_read_and_count(tmp_path: Path) -> None:
    value = b"x" * 500_000
    record = b"%d LIBARCHIVE.xattr.com.apple.quarantine=%b\n" % (len(value) + 46, value)
    assert len(record) == len(value) + 46
    path = wrote(tmp_path / "boxes.tar", pax(record))
    assert list(read_voc_archive(path)) == FOUND
    with pytest.raises(ArchiveError, match="expands to more bytes than such an archive has, at its first header"):
        list(read_members(path, (".xml",), 1000, in_all=400_000))


def test_what_lies_behind_the_last_member_counts_too(tmp_path: Path) -> None:
    path = wrote(tmp_path / "boxes.tgz", gzip.compress(tar_of(XMLS) + bytes(9 << 20)))
    with pytest.raises(ArchiveError, match="expands to more bytes than such an archive has, at its end"):
        list(read_members(path, (".xml",), 1000, in_all=8 << 20))


def test_what_a_gzip_bomb_expands_to_is_bounded(tmp_path: Path) -> None:
    bomb = wrote(
        tmp_path / "bomb.tar.gz", gzip.compress(special(tarfile.REGTYPE, "a.bin", size=1 << 33) + bytes(9 << 20))
    )
    with pytest.raises(ArchiveError, match=r"bomb.tar.gz expands to more bytes .* at 'a.bin'"):
        list(read_members(bomb, (".xml",), 1 << 20, in_all=8 << 20))
    inner = gzip.compress(tar_of({"a.bin": bytes(6 << 20)}))
    nested = wrote(tmp_path / "nested.tar", tar_of({"a.tar.gz": inner, "b.tar.gz": inner}))
    with pytest.raises(ArchiveError, match=r"nested.tar/b.tar.gz expands to more bytes"):
        list(read_members(nested, (".xml",), 1 << 20, in_all=8 << 20))


@pytest.mark.parametrize("bad", [b"", voc((DOG, 1, 2, 3, 4))[:-9], b"<html/>", LAUGHS])
def test_a_file_that_is_no_annotation_is_counted_unless_all_are(tmp_path: Path, bad: bytes) -> None:
    files = {f"Annotation/{CAT}/{CAT}_1.xml": bad, **XMLS}
    lost = Annotation(f"{CAT}_1", 0, 0, (), (NO_ANNOTATION,))
    assert list(read_voc_archive(wrote(tmp_path / "boxes.tar", tar_of(files)))) == [lost, *FOUND]
    for name, data in files.items():
        wrote(tmp_path / "all" / name, data)
    found = list(read_voc_folder(tmp_path / "all"))
    assert sorted(found, key=lambda one: one.name) == sorted([lost, *FOUND], key=lambda one: one.name)
    with pytest.raises(ArchiveError, match=rf"{CAT}_1.xml is not "):
        list(read_voc_archive(wrote(tmp_path / "one.tar", tar_of({f"{CAT}_1.xml": bad, f"{CAT}_2.xml": bad}))))


def test_a_missing_archive_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tar", tmp_path):
        with pytest.raises(ArchiveError, match="cannot read"):
            list(read_voc_archive(path))


def test_folders_are_read_by_path_and_links_are_not_followed(tmp_path: Path) -> None:
    for name, data in XMLS.items():
        wrote(tmp_path / "CLS-LOC/train" / name, data)
    wrote(tmp_path / "CLS-LOC/val/v_1.xml", voc())
    secret = wrote(tmp_path / "secret/s.xml", voc())
    (tmp_path / "CLS-LOC/val/s.xml").symlink_to(secret)
    (tmp_path / "CLS-LOC/test").symlink_to(secret.parent)
    assert list(read_voc_folder(tmp_path / "CLS-LOC")) == [*FOUND, Annotation("v_1", 500, 375, ())]
    with pytest.raises(ArchiveError, match="cannot list .*none"):
        list(read_voc_folder(tmp_path / "none"))
    (tmp_path / "empty/train").mkdir(parents=True)
    with pytest.raises(ArchiveError, match=r"empty holds no annotations \(.xml\)"):
        list(read_voc_folder(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("corners", "size", "code"),
    [
        ((0, 0, 0, 0), (1, 1), ""),
        ((0, 0, 500, 375), (500, 375), ""),
        ((0, 0, 501, 10), (500, 375), "box_outside"),
        ((0, 0, 10, 376), (500, 375), "box_outside"),
        ((-1, 0, 10, 10), (0, 0), "box_outside"),
        ((0, 0, 9999, 9999), (0, 0), ""),
        ((5, 0, 4, 10), (500, 375), "box_empty"),
        ((0, 5, 10, 4), (0, 0), "box_empty"),
    ],
)
def test_boxes_are_checked(corners: tuple[int, int, int, int], size: tuple[int, int], code: str) -> None:
    assert check_box(Box(DOG, *corners), *size) == code


def test_the_real_boxes_lie_in_their_images(shared: Path) -> None:
    from PIL import Image

    solution = {found.name: found for found in read_solution(shared / "ilsvrc/LOC_val_solution.csv")}
    for path in sorted((shared / "imagenet-val-sample").iterdir())[:100]:
        with Image.open(path) as image:
            assert {check_box(box, *image.size) for box in solution[path.stem.split(".")[0]].boxes} == {""}


# Kaggle's solution files

HEADER = "ImageId,PredictionString\n"


def test_a_solution_row_is_an_annotation_of_unknown_size(tmp_path: Path) -> None:
    path = wrote(
        tmp_path / "s.csv", "\ufeff" + HEADER + f"v_1,{DOG} 1 2 3 4 {CAT} 5 6 7 8 \r\n\r\n" + f'"v_2","{DOG} 1 2 3 4"\n'
    )
    first = Annotation("v_1", 0, 0, (Box(DOG, 1, 2, 3, 4), Box(CAT, 5, 6, 7, 8)))
    assert list(read_solution(path)) == [first, Annotation("v_2", 0, 0, (Box(DOG, 1, 2, 3, 4),))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected ImageId,PredictionString, not ''"),
        ("<html>\n", "line 1"),
        (HEADER + "a\n", "line 2: expected an image and its boxes, not 'a'"),
        (HEADER + f"a,{DOG} 1 2 3 4\nb,{DOG} 1 2 3\n", "line 3: 4 fields are no boxes"),
        (HEADER + "a, \n", "line 2: 0 fields are no boxes"),
        (HEADER + "a,dog 1 2 3 4\n", "line 2: 'dog' is not a wnid"),
        (HEADER + f"a,{DOG} 1 2 3 4\na,{DOG} 1 2 3 4\n", "line 3: 'a' has a row already"),
        (HEADER + f"a\x1b,{DOG} 1 2 3 4\n", "line 2: expected an image"),
        (HEADER + f'"a,{DOG} 1 2 3 4\n', "line 2"),
        (HEADER + "a" * 70_000 + "\n", "line 2 has more than 65,536 characters"),
    ],
)
def test_bad_solution_rows_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArchiveError, match=f"s.csv, {message}") as caught:
        list(read_solution(wrote(tmp_path / "s.csv", text)))
    assert "\n" not in str(caught.value)


def test_bad_numbers_of_a_solution_cost_their_boxes_at_most(tmp_path: Path) -> None:
    path = wrote(tmp_path / "s.csv", HEADER + f"a,{DOG} 1 2 3 4.5 {CAT} x 2 3 4\nb,{DOG} 1 2 3 4\n")
    first, second = read_solution(path)
    assert first == Annotation("a", 0, 0, (Box(DOG, 1, 2, 3, 5),), (ROUNDED, UNREAD))
    assert second.remarks == ()


def test_the_real_solution_has_one_class_an_image_and_four_doubled_boxes(shared: Path) -> None:
    found = list(read_solution(shared / "ilsvrc/LOC_val_solution.csv"))
    assert (len(found), sum(len(row.boxes) for row in found)) == (50_000, 80_477)
    assert {len(row.wnids) for row in found} == {1}
    assert sum(len(row.boxes) - len(set(row.boxes)) for row in found) == 4


# devkit


def meta_mat(count: int = 4, inner: int = 2, id_field: str = "ILSVRC2012_ID", **change: object) -> bytes:
    """A meta.mat of `count` classes in devkit order, and the synsets above them that come after."""
    from scipy.io import savemat

    wnids = [*order("devkit").wnids[1 : count + 1], "n00001740", "n00001930"][: count + inner]
    kinds = [(id_field, "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O"), ("children", "O")]
    rows = np.array(
        [(n, wnid, f"word {n}", f"gloss {n}", 2 * (n > count), np.arange(n)) for n, wnid in enumerate(wnids, 1)], kinds
    )
    for field, value in change.items():
        rows[0][field] = value
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": rows[::-1].reshape(-1, 1)}, do_compression=True)
    return buffer.getvalue()


DEVKIT = {
    "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": b"2\n1\r\n4\n" + b"3\n" * 49_997,
    "ILSVRC2012_devkit_t12/data/meta.mat": meta_mat(),
    "ILSVRC2012_devkit_t12/evaluation/demo.m": b"% code",
}


def test_a_devkit_is_read_from_its_archive_and_its_folder(tmp_path: Path) -> None:
    archive = wrote(tmp_path / "ILSVRC2012_devkit_t12.tar.gz", gzip.compress(tar_of(DEVKIT)))
    for name, data in DEVKIT.items():
        wrote(tmp_path / name, data)
    kit = read_devkit(archive)
    assert kit == read_devkit(tmp_path / "ILSVRC2012_devkit_t12")
    assert kit.meta.wnids == order("devkit").wnids[1:5]
    assert list(kit.truth) == [f"ILSVRC2012_val_{n:08d}" for n in range(1, 50_001)]
    assert list(kit.truth.values())[:4] == [order("devkit").wnids[n] for n in (2, 1, 4, 3)]
    assert (kit.meta.words["n00001740"], kit.meta.glosses[kit.meta.wnids[0]]) == ("word 5", "gloss 1")


def test_real_devkits_agree_with_wordnet(shared: Path, wordnet: Ontology) -> None:
    for name, synsets in (("2010/meta.mat", 1676), ("2014/meta_clsloc.mat", 1860)):
        meta = parse_meta((shared / "ilsvrc" / name).read_bytes(), name)
        assert (len(meta.wnids), len(meta.words), len(meta.glosses)) == (1000, synsets, synsets)
        assert all(", ".join(wordnet[wnid].lemmas) == meta.words[wnid] for wnid in meta.wnids)
    data = (shared / "ilsvrc/2014/ILSVRC2014_clsloc_validation_ground_truth.txt").read_bytes()
    assert np.bincount(parse_truth(data, "truth.txt", 1000))[1:].tolist() == [50] * 1000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "meta.mat is not the meta.mat of a devkit"),
        (b"MATLAB 5.0 MAT-file" + bytes(200), "meta.mat is not the meta.mat"),
        (meta_mat()[:300], "meta.mat is not the meta.mat"),
        (corrupt(meta_mat(), 200), "meta.mat is not the meta.mat"),
        (meta_mat(id_field="ID"), "meta.mat is not the meta.mat"),
        (meta_mat(count=0), "ids of the classes are not 1, 2, 3"),
        (meta_mat(ILSVRC2012_ID=7), "ids of the classes are not 1, 2, 3"),
        (meta_mat(WNID="kit fox"), "'kit fox' is not a wnid"),
        (meta_mat(WNID=np.zeros((2, 2))), "is not a wnid"),
        (meta_mat(gloss=np.zeros(9 << 20)), "expands to more than the 67,108,864 bytes"),
    ],
)
def test_a_damaged_or_hostile_meta_mat_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(ArchiveError, match=message) as caught:
        parse_meta(data, "meta.mat")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", [b"0", b"5", b"-1", b"1.0", b"x", b"9" * 5000])
def test_a_truth_that_is_no_class_is_named(line: bytes) -> None:
    with pytest.raises(ArchiveError, match=r"truth.txt, line 2: .* is not an id of a class, 1 to 4"):
        parse_truth(b"1\n" + line + b"\n", "truth.txt", 4)


def test_what_is_no_devkit_says_what_is_missing(tmp_path: Path) -> None:
    archive = wrote(tmp_path / "kit.tar.gz", gzip.compress(tar_of({"kit/data/meta.mat": meta_mat()})))
    with pytest.raises(ArchiveError, match=r"kit.tar.gz is not a devkit: it has no data/ILSVRC2012_validation_ground"):
        read_devkit(archive)
    with pytest.raises(ArchiveError, match=r"is not a devkit: it has no data/meta.mat"):
        read_devkit(tmp_path)


@pytest.mark.parametrize("lines", [b"", b"1\n" * 49_999, b"1\n" * 50_001])
def test_a_truth_of_more_or_fewer_images_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: bytes
) -> None:
    classes = len(parse_meta(DEVKIT["ILSVRC2012_devkit_t12/data/meta.mat"], "meta.mat").wnids)
    monkeypatch.setattr("holotype.imports.devkit.CLASSES", classes)
    for name, data in DEVKIT.items():
        wrote(tmp_path / name, lines if name.endswith("truth.txt") else data)
    with pytest.raises(ArchiveError, match=r"ground_truth.txt has [0-9,]+ lines, not one for each of 50,000 images"):
        read_devkit(tmp_path / "ILSVRC2012_devkit_t12")


def mat(order: str, *elements: bytes) -> bytes:
    mark = {"<": b"\0\1IM", ">": b"\1\0MI"}[order]
    return b"MATLAB 5.0 MAT-file".ljust(124) + mark + b"".join(elements)


def array(order: str, family: int, sides: tuple[int, ...], rest: bytes = b"", flags: tuple[int, int] = (6, 8)) -> bytes:
    """A matrix element named synsets: its tag, flags, dimensions and name, and whatever follows."""
    size = 4 * len(sides)
    head = struct.pack(f"{order}6I{len(sides)}i", *flags, family, 0, 5, size, *sides) + bytes(-size % 8)
    data = head + struct.pack(f"{order}2I", 1, 7) + b"synsets\0" + rest
    return struct.pack(f"{order}2I", 14, len(data)) + data


def deep(levels: int) -> bytes:
    data = b""
    for _ in range(levels):
        data = array("<", 1, (1, 1), data)
    return data


FIELDS = struct.pack("<4I", 4 << 16 | 5, 8, 1, 8) + b"WNID".ljust(8, b"\0")


@pytest.mark.parametrize("family", [1, 2, 4, 6])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("sides", [(32768, 32768), (0, 2**31 - 1), (2**16, 2**16, 2**16, 2**16)])
def test_dimensions_that_ask_for_gigabytes_are_refused_unread(
    family: int, order: str, compressed: bool, sides: tuple[int, ...]
) -> None:
    element = array(order, family, sides, FIELDS)
    if compressed:
        packed = zlib.compress(element)
        element = struct.pack(f"{order}2I", 15, len(packed)) + packed
    with pytest.raises(ArchiveError, match="meta.mat has arrays of more than the 4,000,000 values allowed"):
        parse_meta(mat(order, element), "meta.mat")


@pytest.mark.parametrize(
    "element",
    [
        array("<", 1, (32768, 32768), flags=(7, 99)),  # scipy does not look at this tag
        array("<", 2, (1, 1), FIELDS + array("<", 1, (-1, 4))),
        array("<", 6, (1, 1), struct.pack("<2I", 4096, 8) + bytes(8)),  # beyond scipy's table of kinds
        array("<", 5, (1, 1), bytes(64)),
        array("<", 6, (1,) * 33, bytes(64)),
        array("<", 2, (1, 1), struct.pack("<2I", 4 << 16 | 5, 0) + struct.pack("<2I", 1, 8) + bytes(8)),
        deep(1000),
        array("<", 1, (1000, 1000)),
    ],
)
def test_an_array_that_scipy_would_stumble_over_is_refused_unread(element: bytes) -> None:
    with pytest.raises(ArchiveError, match="is not the meta.mat of a devkit") as caught:
        parse_meta(mat("<", element), "meta.mat")
    assert isinstance(caught.value.__cause__, ValueError)
    assert "\n" not in str(caught.value)


def test_dimensions_within_a_real_struct_are_seen(tmp_path: Path) -> None:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"synsets": {"WNID": np.zeros((3, 5), object)}})
    patched = buffer.getvalue().replace(struct.pack("=2i", 3, 5), struct.pack("=2i", 32768, 32768))
    assert patched != buffer.getvalue()
    with pytest.raises(ArchiveError, match="more than the 4,000,000 values"):
        parse_meta(patched, "meta.mat")


# lists


def test_url_lists_are_read_whatever_their_bytes(tmp_path: Path) -> None:
    lines = [
        b"n00004475_6590\thttp://farm4.static.flickr.com/3175/2737866473.jpg",
        b"n00004475_15899\thttp://x.de/K\xf6ln.jpg\r",
        "n00004475_1\thttp://x.de/Köln.jpg".encode(),
        b"n00004475_2\t",
        b"",
        b"n00004475_3\tjavascript:alert(1)",
        b"dog\thttp://x.de/",
        b"n00004475_4\thttp://x.de/\x1b[31m",
    ]
    found = list(read_urls(wrote(tmp_path / "urls.txt", b"\n".join(lines))))
    assert found[:3] == [
        ("n00004475_6590", "http://farm4.static.flickr.com/3175/2737866473.jpg"),
        ("n00004475_15899", "http://x.de/Köln.jpg"),
        ("n00004475_1", "http://x.de/Köln.jpg"),
    ]
    assert found[3:] == [None] * 4  # blank lines are none


def test_marks_are_read_with_and_without_values(tmp_path: Path) -> None:
    text = f"wnid,rating\n# a comment\n{DOG}\n\n{CAT}\t3.5\n{CRANE}, 4.1 \n{DOG} a b\n"
    assert list(read_marks(wrote(tmp_path / "m.txt", text))) == [(DOG, ""), (CAT, "3.5"), (CRANE, "4.1"), (DOG, "a b")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{DOG}\ndog\n", "m.txt, line 2: expected a wnid and perhaps a value, not 'dog'"),
        (f"head\nhead\n{DOG}\n", "m.txt, line 2"),
        (f"{DOG}\n{DOG}7\n", "m.txt, line 2"),
        ("x" * 70_000, "m.txt, line 1 has more than 65,536 characters"),
    ],
)
def test_a_line_that_is_no_mark_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        list(read_marks(wrote(tmp_path / "m.txt", text)))


def test_texts_are_read_with_tabs_and_blanks(tmp_path: Path) -> None:
    text = f"{DOG}\tdog, domestic dog\n\n{CAT} cat, true cat\n"
    assert dict(read_texts(wrote(tmp_path / "words.txt", text))) == {DOG: "dog, domestic dog", CAT: "cat, true cat"}
    with pytest.raises(ArchiveError, match="words.txt, line 1: expected a wnid and a text"):
        list(read_texts(wrote(tmp_path / "words.txt", f"{DOG}\n")))
    with pytest.raises(ArchiveError, match="cannot read"):
        list(read_texts(tmp_path / "none.txt"))


@pytest.mark.parametrize("read", [read_marks, read_texts])
@pytest.mark.parametrize("text", ["a\0b", "a\x1b[31m", "a\x9fb"])
def test_a_text_that_cannot_be_printed_is_refused_with_its_line(
    tmp_path: Path, read: Callable[[Path], Iterator[tuple[str, str]]], text: str
) -> None:
    with pytest.raises(ArchiveError, match=r"m.txt, line 2 has a character that cannot be printed") as caught:
        list(read(wrote(tmp_path / "m.txt", f"{CAT} cat\n{DOG} {text}\n")))
    assert str(caught.value).isprintable()


def test_digits_of_other_scripts_make_no_wnid(tmp_path: Path) -> None:
    wide = "n０２０８４０７１"
    with pytest.raises(ArchiveError, match="expected a wnid"):
        list(read_texts(wrote(tmp_path / "m.txt", f"{wide} dog\n")))
    assert list(read_urls(wrote(tmp_path / "u.txt", f"{wide}_1 http://x.de/\n"))) == [None]


@pytest.mark.parametrize(
    "read",
    [
        lambda path: list(read_marks(path)),
        lambda path: list(read_solution(path)),
        lambda path: list(read_members(path, (".xml",), 10)),
        lambda path: verify_md5(path, print, {path.name: Official("")}),
        read_devkit,
    ],
)
def test_pipes_and_devices_are_refused_and_not_waited_for(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(ArchiveError, match=f"cannot read .*{name}: it is not a plain file"):
            read(tmp_path / name)


def test_a_pipe_in_a_devkits_folder_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data/meta.mat")
    with pytest.raises(ArchiveError, match=r"cannot read .*meta.mat: it is not a plain file"):
        read_devkit(tmp_path)


# blemishes

SHA = "a" * 64
SEEN = Looked("a", DOG, "a.JPEG", "JPEG", "RGB", 500, 375, "", "", 500, 375)
BOX = Box(DOG, 1, 2, 30, 40)
RULES: dict[str, Callable[[], Iterator[Finding]]] = {
    "box_empty": lambda: blemishes.boxes([Boxed("a", DOG, 9, 9, Box(DOG, 5, 5, 4, 6))]),
    "box_foreign_class": lambda: blemishes.boxes([Boxed("a", DOG, 50, 50, Box(CAT, 1, 2, 30, 40))]),
    "box_outside": lambda: blemishes.boxes([Boxed("a", DOG, 29, 50, BOX)]),
    "cmyk": lambda: blemishes.fingerprints([SEEN._replace(mode="CMYK")]),
    "cross_class_duplicate": lambda: blemishes.duplicates(
        [Stored("a", "train", DOG, SHA), Stored("b", "train", CAT, SHA)]
    ),
    "duplicate_bytes": lambda: blemishes.duplicates([Stored("a", "val", DOG, SHA), Stored("b", "test", "", SHA)]),
    "duplicate_class_name": lambda: (
        found for found in blemishes.known((), {CRANE, "n03126707"}) if found.code != "shared_lemma"
    ),
    "format_differs": lambda: blemishes.fingerprints([SEEN._replace(format="PNG")]),
    "not_imageable": lambda: blemishes.marked([Marked(DOG, "imageability", "3.99")], {DOG: 5}),
    "not_sound": lambda: blemishes.fingerprints([SEEN._replace(reason="truncated", format="", width=0, height=0)]),
    "png_named_jpeg": lambda: blemishes.known({"n02105855_2933"}, ()),
    "shared_lemma": lambda: blemishes.known((), {"n02509815", "n02510455"}),
    "size_disagrees": lambda: blemishes.fingerprints([SEEN._replace(said_width=375, said_height=500)]),
    "split_leak": lambda: blemishes.duplicates([Stored("a", "train", DOG, SHA), Stored("b", "val", DOG, SHA)]),
    "turned_with_boxes": lambda: blemishes.turned([Turned("a", DOG, 60, 80, "orientation 6", 0, 0, 1)]),
    "unknown_wnid": lambda: blemishes.labels([Labelled("a", "train", "n99999999")], {DOG}),
    "unlabelled": lambda: blemishes.labels([Labelled("a", "val", "")], {DOG}),
    "unsafe": lambda: blemishes.marked([Marked(DOG, "unsafe", "")], {DOG: 1234}),
}


def test_every_code_has_a_message_and_a_smallest_case() -> None:
    shipped = {finding.code for finding, _ in blemishes.known_blemishes()}
    assert set(RULES) == set(CODES) == {*CODES, *shipped}
    assert list(CODES) == sorted(CODES)


@pytest.mark.parametrize("code", RULES)
def test_the_smallest_case_of_a_code_gives_that_code_only(code: str) -> None:
    assert {finding.code for finding in RULES[code]()} == {code}


def test_what_is_in_order_gives_no_finding() -> None:
    assert not list(blemishes.fingerprints([SEEN, SEEN._replace(said_width=0, said_height=0, path="a.unknown")]))
    assert not list(blemishes.boxes([Boxed("a", DOG, 30, 40, BOX), Boxed("a", "", 0, 0, BOX)]))
    assert not list(blemishes.labels([Labelled("a", "train", DOG), Labelled("b", "test", "")], {DOG}))
    assert not list(blemishes.duplicates([Stored("a", "train", DOG, SHA), Stored("b", "val", DOG, "b" * 64)]))
    assert not list(blemishes.marked([Marked(DOG, "imageability", "4"), Marked(CAT, "unsafe", "")], {DOG: 1}))
    assert not list(blemishes.known({"n02105855_2934"}, {CRANE, "n02510455"}))


def test_a_group_of_duplicates_is_one_finding_named_by_the_image_that_is_tested_on() -> None:
    rows = [Stored(f"{n}", "train", DOG if n % 2 else CAT, SHA) for n in range(9)]
    leak, cross = blemishes.duplicates([*rows, Stored("v", "val", DOG, SHA), Stored("w", "val", DOG, "b" * 64)])
    assert (leak.code, leak.name, cross.code, cross.name) == ("split_leak", "v", "cross_class_duplicate", "v")
    assert leak.detail.startswith(f"same bytes as 0 train {CAT}, 1 train {DOG}, ")
    assert leak.detail.endswith(" and 4 more")


@pytest.mark.parametrize("value", ["", "nan", "inf", "0.5", "5.1", "6", "3,5"])
def test_an_imageability_is_a_number_from_one_to_five(value: str) -> None:
    with pytest.raises(ArchiveError, match="imageability of n02084071 is"):
        list(blemishes.marked([Marked(DOG, "imageability", value)], {DOG: 1}))
    with pytest.raises(
        ArchiveError, match=re.escape(f"imageability of n02084071 is {value!r}, not a number from 1 to 5")
    ):
        blemishes.rating(DOG, value)


def test_the_known_blemishes_are_as_many_as_were_counted() -> None:
    rows = [finding for finding, source in blemishes.known_blemishes() if source]
    counts = {code: sum(row.code == code for row in rows) for code in CODES}
    assert {code: count for code, count in counts.items() if count} == {
        "png_named_jpeg": 1,
        "cmyk": 23,
        "duplicate_class_name": 6,
        "shared_lemma": 38,
    }
    assert next(row.wnid for row in rows if row.code == "png_named_jpeg") == "n02105855"


def test_the_known_doubled_names_are_those_of_wordnet(wordnet: Ontology) -> None:
    classes = set(order("sorted").wnids)
    owners: dict[str, set[str]] = {}
    firsts: dict[str, set[str]] = {}
    for wnid in classes:
        firsts.setdefault(wordnet[wnid].name.lower(), set()).add(wnid)
        for lemma in wordnet[wnid].lemmas:
            owners.setdefault(lemma.lower(), set()).add(wnid)
    found = list(blemishes.known((), classes))
    for code, expected in (("duplicate_class_name", firsts), ("shared_lemma", owners)):
        doubled = {lemma: wnids for lemma, wnids in expected.items() if len(wnids) > 1}
        named: dict[str, set[str]] = {}
        for finding in found:
            if (said := re.search(r"lemma (.*) is ", finding.detail)) and finding.code == code:
                named.setdefault(said[1].lower(), set()).add(finding.wnid)
        assert named == doubled


# official files


def test_official_files_are_checked_by_their_md5(tmp_path: Path) -> None:
    steps: list[int] = []
    path = wrote(tmp_path / "ILSVRC2012_devkit_t12.tar.gz", b"something else")
    with pytest.raises(ArchiveError, match=r"has md5 [0-9a-f]{32}, not fa75699e90414af021442c21a62c3abf: .* again"):
        verify_md5(path, steps.append)
    assert steps == [14]
    verify_md5(path, steps.append, {path.name: Official("6c7ba9c5a141421e1c03cb9807c97c74", 14)})
    short = wrote(tmp_path / "ILSVRC2012_img_val.tar", b"something else")
    with pytest.raises(ArchiveError, match=r"has 14 bytes, not 6,744,924,160: go on downloading"):
        verify_md5(short, steps.append)
    with pytest.raises(ArchiveError, match=r"no md5 is known for a file named 'mine.tar'"):
        verify_md5(wrote(tmp_path / "mine.tar", b""), steps.append)
    with pytest.raises(ArchiveError, match="cannot read"):
        verify_md5(tmp_path / "none/ILSVRC2012_img_train.tar", steps.append)
