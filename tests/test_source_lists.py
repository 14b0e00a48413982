"""Lists of addresses that others have made, and iNaturalist's tables, of every form and with everything wrong."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import json
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.collect.sources.lists import Listed, read_list
from holotype.collect.sources.open_data import photos_of, taxa_of
from holotype.collect.sources.replies import Skips
from holotype.errors import SourceError

LAION = ["SAMPLE_ID", "URL", "TEXT", "HEIGHT", "WIDTH", "LICENSE", "NSFW", "similarity"]
OPEN_IMAGES = (
    "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,OriginalSize,OriginalMD5,"
    "Thumbnail300KURL,Rotation"
)


def everything(path: Path, wnid: str = "") -> tuple[list[Listed], dict[str, int]]:
    skipped = Skips()
    return list(read_list(path, skipped, wnid)), skipped


def packed(path: Path) -> Path:
    """The same file, packed."""
    there = path.with_name(f"{path.name}.gz")
    there.write_bytes(gzip.compress(path.read_bytes()))
    return there


def write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([head, *rows])
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_laion_as_csv(tmp_path: Path, delimiter: str) -> None:
    rows = [
        [1, "http://a.example.org/1.jpg", 'a "dog",\nand a cat', "683.0", "1024.0", "?", "UNLIKELY", 0.3],
        [2, "https://b.example.org/2.jpg", "", "", "", "", "", ""],
        [3, "ftp://c.example.org/3.jpg", "x", 1, 1, "?", "", ""],
    ]
    listed, skipped = everything(write_csv(tmp_path / "a.csv", LAION, rows, delimiter), "n02084071")
    one, two = (row.found for row in listed)
    assert (one.url, one.width, one.height, one.position) == ("http://a.example.org/1.jpg", 1024, 683, 1)
    assert (one.title, one.licence.code, one.licence.text) == ('a "dog", and a cat', "", "")
    assert (two.width, two.position) == (0, 2)
    assert {row.wnid for row in listed} == {"n02084071"}
    assert skipped == {"no_file": 1}


@pytest.mark.parametrize(
    "names", [("url", "caption"), ("URL", "TEXT"), ("Image URL", "Title"), ("image_url", "alt_text")]
)
def test_columns_in_any_case(tmp_path: Path, names: tuple[str, str]) -> None:
    for made in (write_csv, write_parquet, write_json):
        path = made(tmp_path / "list", names, [["https://a.example.org/1.jpg", "a dog"]])
        for one in (path, packed(path)) if made is not write_parquet else (path,):
            ((listed,), skipped) = everything(one)
            assert (listed.found.url, listed.found.title, skipped) == ("https://a.example.org/1.jpg", "a dog", {})


def write_json(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path.write_text("".join(json.dumps(dict(zip(head, row, strict=True))) + "\n" for row in rows))
    return path


def write_parquet(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    pq.write_table(
        pa.table({name: pa.array(column) for name, column in zip(head, zip(*rows, strict=True), strict=True)}), path
    )
    return path


def test_laion_as_parquet_with_floats_and_nulls(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [1, "http://a.example.org/1.jpg", "a dog", 683.0, 1024.0, "?", "UNSURE", 0.3],
        [2, "http://a.example.org/2.jpg", None, None, None, None, None, None],
        [3, None, None, float("nan"), float("inf"), None, None, None],
    ]
    listed, skipped = everything(write_parquet(tmp_path / "p.parquet", LAION, rows))
    assert [(row.found.width, row.found.height, row.found.title) for row in listed] == [
        (1024, 683, "a dog"),
        (0, 0, ""),
    ]
    assert skipped == {"no_file": 1}


def test_parquet_is_read_by_name_and_whatever_its_bytes_are(tmp_path: Path) -> None:
    broken = pa.array([b"caf\xe9"]).cast(pa.binary()).view(pa.string())  # a text that is no UTF-8
    table = pa.table({"other": [1], "text": broken, "url": ["https://a.example.org/1.jpg"]})
    pq.write_table(table, tmp_path / "p.parquet")
    ((listed,), _) = everything(tmp_path / "p.parquet")
    assert (listed.found.url, listed.found.title) == ("https://a.example.org/1.jpg", "caf\N{REPLACEMENT CHARACTER}")


def test_open_images(tmp_path: Path) -> None:
    digest = base64.b64encode(hashlib.md5(b"x", usedforsecurity=False).digest()).decode()
    row = (
        "000060e3121c7305,train,https://c1.staticflickr.com/5/4129/5215831864_46f356962f_o.jpg,"
        "https://www.flickr.com/photos/brokentaco/5215831864,https://creativecommons.org/licenses/by/2.0/,"
        '"https://www.flickr.com/people/brokentaco/","David","28 Nov 2010 Our new house.",211079,'
        f"{digest},https://c5.staticflickr.com/5/4129/5215831864_46f356962f_z.jpg,90.0"
    )
    (tmp_path / "images.csv").write_text(f"{OPEN_IMAGES}\n{row}\n{row.replace(digest, 'AAAA').replace(',90.0', ',')}\n")
    listed, skipped = everything(tmp_path / "images.csv")
    one, two = (row.found for row in listed)
    assert one.url == "https://c1.staticflickr.com/5/4129/5215831864_46f356962f_o.jpg"
    assert one.landing == "https://www.flickr.com/photos/brokentaco/5215831864"
    assert (one.licence.code, one.licence.version, one.creator, one.turned) == ("by", "2.0", "David", 90)
    assert one.checksum == f"md5:{hashlib.md5(b'x', usedforsecurity=False).hexdigest()}"
    assert (two.checksum, two.turned, skipped) == ("", 0, {})


def test_imagenets_urls_have_their_synset_and_are_not_clean(tmp_path: Path) -> None:
    """The same address twice stays twice: whoever takes it in knows it by then."""
    lines = [
        b"n00004475_6590\thttp://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg",
        b"n02084071_1\thttp://example.org/chien-\xe9l\xe9gant.jpg",
        b"n02084071_2\t http://example.org/with blank.jpg ",
        b"n02084071_3",
        b"",
        b"n02084071_4\tnot an address",
        b"n02084071_5\thttp://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg\r",
    ]
    (tmp_path / "fall11_urls.txt").write_bytes(b"\n".join(lines))
    for path in (tmp_path / "fall11_urls.txt", packed(tmp_path / "fall11_urls.txt")):
        listed, skipped = everything(path, "n0")
        assert [row.wnid for row in listed] == ["n00004475", "n02084071", "n02084071", "n02084071"]
        assert listed[1].found.url == "http://example.org/chien-élégant.jpg"
        assert listed[2].found.url == "http://example.org/with%20blank.jpg"
        assert listed[0].found.url == listed[3].found.url
        assert skipped == {"unreadable": 1, "no_file": 1}


def test_plain_addresses(tmp_path: Path) -> None:
    text = "\ufeff# mine\n\nhttps://a.example.org/1.jpg\nhttps://a.example.org/2.jpg\tdog:0.9 cat:0.1\nnothing\n# b\n"
    (tmp_path / "list.txt").write_text(text)
    listed, skipped = everything(tmp_path / "list.txt", "n02084071")
    assert [row.found.url[-5:] for row in listed] == ["1.jpg", "2.jpg"]
    assert skipped == {"no_file": 1}


def test_a_table_has_its_own_synsets_and_licences(tmp_path: Path) -> None:
    head = ["wnid", "url", "licence", "license_url", "author"]
    rows = [
        ["n1", "https://a.example.org/1.jpg", "CC BY-SA 4.0", "", "Ann"],
        ["", "https://a.example.org/2.jpg", "", "https://creativecommons.org/publicdomain/zero/1.0/", ""],
        ["n3", "https://a.example.org/3.jpg", "https://creativecommons.org/licenses/by/2.0/de/", "", ""],
        ["n4", "https://a.example.org/4.jpg", "CC BY 4.0", "https://creativecommons.org/licenses/by-nc/4.0/", ""],
    ]
    listed, _ = everything(write_csv(tmp_path / "a.csv", head, rows), "n9")
    assert [(row.wnid, row.found.licence.code) for row in listed] == [
        ("n1", "by-sa"),
        ("n9", "cc0"),
        ("n3", "by"),
        ("n4", ""),
    ]
    assert listed[2].found.licence.jurisdiction == "de"


@pytest.mark.parametrize(
    "text", ["name,caption\na,b\n", "<html></html>\n", "\x00\x01\x02\n", '"' * 200_000, "[1, 2]\n"]
)
def test_what_is_no_list_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "list").write_text(text)
    with pytest.raises(SourceError, match="list"):
        everything(tmp_path / "list")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    whole = gzip.compress(b"https://a.example.org/1.jpg\n" * 50_000)
    cases = {"cut.gz": whole[: len(whole) // 2], "bad.gz": b"\x1f\x8b" + b"x" * 50, "p.parquet": b"PAR1" + b"x" * 99}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=name):
            everything(tmp_path / name)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "no.parquet")
    with pytest.raises(SourceError, match="no column url: it has a"):
        everything(tmp_path / "no.parquet")
    for there in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(SourceError):
            everything(there)


def test_an_empty_list_has_no_rows(tmp_path: Path) -> None:
    for text in ("", "\n\n", "# nothing\n", "url\n"):
        (tmp_path / "list").write_text(text)
        assert everything(tmp_path / "list") == ([], {})


def test_a_row_that_is_none_stops_nothing(tmp_path: Path) -> None:
    """A quote that is left open swallows at most what a cell may hold."""
    good = "https://a.example.org/1.jpg,x\n"
    (tmp_path / "a.csv").write_text(f'url,text\n{good}https://a.example.org/2.jpg,"open\n' + good * 20_000)
    listed, skipped = everything(tmp_path / "a.csv")
    assert len(listed) > 15_000
    assert skipped == {"unreadable": 1}
    (tmp_path / "a.jsonl").write_text('{"url": "https://a.example.org/1.jpg"}\n{"url": \n[1]\n' + "[" * 50_000 + "\n")
    listed, skipped = everything(tmp_path / "a.jsonl")
    assert (len(listed), skipped) == (1, {"unreadable": 3})


def test_a_line_without_an_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("https://a.example.org/1.jpg\nhttps://" + "a" * (1 << 20))
    with pytest.raises(SourceError, match="line 2 has more than"):
        everything(tmp_path / "a.txt")
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"https://a.example.org/" + b"a" * (64 << 20)))

    def refused() -> None:
        with pytest.raises(SourceError, match="line 1 has more than"):
            everything(tmp_path / "bomb.gz")

    assert peak(refused) < 32 << 20


def peak(work: Callable[[], object]) -> int:
    """The most bytes that Python held during some work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_list(tmp_path: Path, kind: str) -> None:
    """A Parquet file is read batch by batch; Arrow's own memory is not Python's, and is looked at below."""

    def write(count: int) -> Path:
        rows = [
            [f"https://host{one % 97}.example.org/{one}.jpg", f"text {one}", f"licence {one % 50}"]
            for one in range(count)
        ]
        made = {"csv": write_csv, "jsonl": write_json, "parquet": write_parquet}[kind]
        return made(tmp_path / f"{count}.{kind}", ["url", "text", "license"], rows)

    def measured(count: int) -> int:
        path = write(count)
        return peak(lambda: sum(1 for _ in read_list(path)))

    assert measured(25_000) < 1.3 * measured(5_000) + (1 << 20)


TAXA = """taxon_id\tancestry\trank_level\trank\tname\tactive
1\t48460\t70\tkingdom\tAnimalia\ttrue
42069\t48460/1\t10\tspecies\tVulpes vulpes\ttrue
42070\t48460/1/42069\t5\tsubspecies\tVulpes vulpes fulva\ttrue
42073\t48460/1\t10\tspecies\tVulpes lagopus\ttrue
50\t48460/1\t20\tgenus\tPrunella\ttrue
51\t48460/47126\t20\tgenus\tPrunella\ttrue
60\t48460/1\t20\tgenus\tVulpes\tfalse
x\t48460\t20\tgenus\tBroken\ttrue
"""
OBSERVERS = 'observer_id\tlogin\tname\n7\tann_o\tAnn "Quote" Other\n8\tben\t\n'


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def write_tables(folder: Path, zipped: bool, photos: str = "", observations: int = 6) -> Path:
    seen = [
        f"{uuid(one)}\t{7 + one % 2}\t1.0\t2.0\t\t{[42069, 42070, 42073, 9][one % 4]}\t{grade}\t2020-01-01\t0.1"
        for one in range(1, observations)
        for grade in ["research"]
    ]
    seen += [f"{uuid(10**9)}\t7\t1.0\t2.0\t\t42069\tneeds_id\t2020-01-01\t0.1", "no uuid\t7\t\t\t\t42069\tresearch\t\t"]
    head = "observation_uuid\tobserver_id\tlatitude\tlongitude\tpositional_accuracy\ttaxon_id\tquality_grade"
    head += "\tobserved_on\tanomaly_score"
    table = "photo_uuid\tphoto_id\tobservation_uuid\tobserver_id\textension\tlicense\twidth\theight\tposition\n"
    rows = [
        f"u\t{10 * one}\t{uuid(one)}\t7\tjpg\t{['CC-BY', 'CC0', 'CC-BY-NC'][one % 3]}\t2048\t1536\t0"
        for one in range(1, observations)
    ]
    texts = {
        "taxa": TAXA,
        "observers": OBSERVERS,
        "observations": "\n".join([head, *seen, ""]),
        "photos": table + (photos or "\n".join([*rows, f"u\t1000\t{uuid(10**9)}\t7\tjpg\tCC0\t9\t9\t0", ""])),
    }
    for name, text in texts.items():
        path = folder / f"{name}.csv{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    return folder


LEMMAS = {
    "n02119022": ("red fox", "Vulpes vulpes"),
    "n02120079": ("Arctic fox", "vulpes lagopus"),
    "n99999999": ("unicorn",),
    "n11111111": ("Prunella",),
    "n22222222": ("Vulpes",),
}


@pytest.mark.parametrize("zipped", [True, False])
def test_inaturalists_tables_are_joined(tmp_path: Path, zipped: bool) -> None:
    taxa = taxa_of(write_tables(tmp_path, zipped), LEMMAS)
    assert taxa.ids.tolist() == [42069, 42070, 42073]
    assert (taxa.unknown, taxa.ambiguous) == (("n99999999", "n22222222"), ("n11111111",))
    listed = list(photos_of(tmp_path, taxa))
    assert [(row.wnid, row.found.url.split("/")[-2]) for row in listed] == [
        ("n02119022", "10"),
        ("n02120079", "20"),
        ("n02119022", "40"),
        ("n02119022", "50"),
    ]
    one = listed[0].found
    assert one.url == "https://inaturalist-open-data.s3.amazonaws.com/photos/10/large.jpg"
    assert (one.width, one.height, one.licence.code) == (1024, 768, "cc0")
    assert (one.depicts, one.creator) == ("Vulpes vulpes fulva", "ben")
    assert listed[1].found.creator == 'Ann "Quote" Other'
    assert listed[1].found.creator_url == "https://www.inaturalist.org/people/ann_o"
    assert [row.found.licence.code for row in listed] == ["cc0", "by-nc", "cc0", "by-nc"]


def test_no_more_observations_than_are_wanted(tmp_path: Path) -> None:
    taxa = taxa_of(write_tables(tmp_path, False, observations=4_000), LEMMAS)
    listed = list(photos_of(tmp_path, taxa, most=100))
    assert {wnid: sum(row.wnid == wnid for row in listed) for wnid in taxa.wnids[:2]} == {
        "n02119022": 100,
        "n02120079": 100,
    }


def test_rows_that_are_none_are_counted(tmp_path: Path) -> None:
    photos = "\n".join(
        [
            f"u\tx\t{uuid(1)}\t7\tjpg\tCC0\t9\t9\t0",
            f"u\t12\t{uuid(1)}\t7\texe\tCC0\t9\t9\t0",
            "a row\tof three\tcells",
            f"u\t13\t{uuid(1)}\t7\tjpg\tNOBODY-KNOWS\t-1\tx\t0",
            "u\t14\tnot-a-uuid\t7\tjpg\tCC0\t9\t9\t0",
            "",
        ]
    )
    taxa = taxa_of(write_tables(tmp_path, False, photos), LEMMAS)
    skipped = Skips()
    (listed,) = photos_of(tmp_path, taxa, skipped=skipped)
    assert (listed.found.licence.code, listed.found.width, listed.found.url[-12:]) == ("", 0, "13/large.jpg")
    assert skipped == {"no_file": 2, "unreadable": 1}


def test_nothing_is_found_where_nothing_is_meant(tmp_path: Path) -> None:
    taxa = taxa_of(write_tables(tmp_path, False), {"n1": ("unicorn",)})
    assert not list(photos_of(tmp_path, taxa))


def test_a_table_that_is_missing_or_another_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no taxa.csv.gz"):
        taxa_of(tmp_path, LEMMAS)
    write_tables(tmp_path, False)
    taxa = taxa_of(tmp_path, LEMMAS)
    for text in ("", "a\tb\n1\t2\n"):
        (tmp_path / "photos.csv").write_text(text)
        with pytest.raises(SourceError, match="photos.csv"):
            list(photos_of(tmp_path, taxa))
    (tmp_path / "photos.csv.gz").write_bytes(gzip.compress(b"x" * 10_000)[:50])
    with pytest.raises(SourceError, match=r"photos\.csv\.gz"):
        list(photos_of(tmp_path, taxa))
