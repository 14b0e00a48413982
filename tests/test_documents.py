"""The documents of a release: attribution, datasheet, statistics page and Croissant."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import warnings
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from any_release import CAT, DOG, Shot, shipped, some
from browser import Browsing, Served, axe
from conftest import encoded, photo
from holotype.errors import ReleaseError
from holotype.files import sha256_file
from holotype.releases.attribution import COLUMNS, attribution
from holotype.releases.census import count
from holotype.releases.croissant import Listed, croissant
from holotype.releases.datasheet import datasheet
from holotype.releases.described import day, describe
from holotype.releases.documents import write_documents
from holotype.releases.gallery import gallery
from holotype.releases.layout import CHECKSUMS, DOCUMENTS, MANIFEST
from holotype.releases.leaks import Check
from holotype.releases.loaders import samples_of
from holotype.releases.page import statistics_page
from holotype.releases.questions import KEYS, QUESTIONS, read_words
from holotype.releases.release import Release

HOSTILE = "<script>alert(1)</script>\"'&|*_[x](javascript:1)\n# Heading\x00\x1b[31m"


def lines(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(attribution(folder)).decode(), newline="")))


def finished(folder: Path) -> Path:
    """A release with its documents and checksums."""
    sums = {path.name: sha256_file(path) for path in folder.iterdir()}
    sums |= write_documents(Release(folder), sums)
    (folder / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    return folder


def test_an_image_is_one_line_of_attribution_whatever_its_labels(tmp_path: Path) -> None:
    told = {"author": 'Ann, "B"', "licence": "CC BY 4.0", "url": "https://a.org/1", "source": "openverse"}
    shots = [Shot(encoded(photo(60)), [DOG, CAT], "test", told), *some(3)]
    found = lines(shipped(tmp_path / "v1", shots))
    assert len(found) == len({shot.id for shot in shots})
    assert tuple(found[0]) == COLUMNS
    (one,) = (line for line in found if line["id"] == shots[0].id)
    assert one["wnids"].split() == [DOG, CAT]
    assert one["file"] == f"test-000000.tar/{shots[0].id}.jpg"
    assert {name: one[name] for name in told} == told


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "＝1", "=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(tmp_path: Path, cell: str) -> None:
    (line,) = lines(
        shipped(tmp_path / "v1", [Shot(encoded(photo(1)), told=dict.fromkeys(("author", "licence", "url"), cell))])
    )
    for name in ("author", "licence", "url"):
        assert line[name].startswith("'")
        assert line[name].isprintable()
        assert line[name][1:].strip() == " ".join(cell.split())


def test_a_plain_cell_stays_as_it_is(tmp_path: Path) -> None:
    cell = 'Zoë, of "Co"; a=1 <b>'
    (line,) = lines(shipped(tmp_path / "v1", [Shot(encoded(photo(1)), told={"author": cell})]))
    assert line["author"] == cell


def test_counts_are_of_images_and_of_labels(tmp_path: Path) -> None:
    twice = Shot(encoded(photo(60)), [DOG, CAT], "test", {"author": "Ann", "boxes": 2, "licence": "CC0"})
    shots = [twice, *some(1), Shot(encoded(photo(9), "PNG"), [CAT], "val", {"source": "openverse", "width": 0})]
    census = count(shipped(tmp_path / "v1", shots, votes=2))
    assert (census.images, census.labels, census.read) == (3, 4, 2)
    assert census.bytes == sum(len(shot.data) for shot in shots)
    assert census.of["split"] == {"train": 1, "val": 1, "test": 1}
    assert census.of["format"] == {"JPEG": 2, "PNG": 1}
    assert census.of["licence"] == {"CC0": 1, "": 2}
    assert census.synsets == {DOG: 2, CAT: 2}
    assert census.votes_per_label == {2: 4}
    assert census.labels_per_image == {1: 2, 2: 1}
    assert census.named == {"author": 1, "licence": 1, "url": 0}
    assert (census.boxes, census.boxed) == (4, 1)
    assert (census.votes.votes, census.votes.people, census.votes.answers) == (8, 2, {"yes": 8})
    assert sum(census.widths) == sum(census.heights) == 2


def test_votes_on_other_images_are_counted_apart(tmp_path: Path) -> None:
    folder = shipped(tmp_path / "v1", some(2), votes=2)
    table = pq.read_table(folder / "votes.parquet")
    other = {"worker": "else", "answer": "no", "at": 2e9}
    rows = [row | other | {"sha256": name} for row in table.to_pylist()[:1] for name in ("0" * 64, "mine/one.jpg", "")]
    pq.write_table(pa.Table.from_pylist(table.to_pylist() + rows, table.schema), folder / "votes.parquet")
    votes = count(folder).votes
    assert (votes.votes, votes.others, votes.people, votes.answers) == (4, 3, 2, {"yes": 4})
    assert votes.last < 2e9
    sheet, page = datasheet(describe(Release(folder))), statistics_page(describe(Release(folder)))
    assert "And 3 votes are on other images, from which workers' skill follows." in sheet
    assert "cast 4 votes that count.</p>\n<p>And 3 votes are on other images" in page
    table = pq.read_table(folder / "manifest.parquet")
    drawn = table.set_column(table.column_names.index("policy"), "policy", pa.array(["gold"] * len(table)))
    pq.write_table(drawn, folder / "manifest.parquet")
    told = "3 votes are on other images, from which no label here follows."
    assert told in datasheet(describe(Release(folder)))
    assert "<b>4</b> votes" in page


def test_near_duplicates_are_counted_by_group(tmp_path: Path) -> None:
    shots = some(5)
    same = {"near_group": shots[0].id, "group": shots[0].id}
    near = [Shot(shot.data, shot.wnids, "train", same if n < 3 else {}) for n, shot in enumerate(shots)]
    census = count(shipped(tmp_path / "v1", near))
    assert (census.near_duplicates, census.near_groups, census.groups) == (3, 1, 3)


def test_a_datasheet_answers_from_facts_and_says_what_is_not_stated(tmp_path: Path) -> None:
    recipe = {"per_synset": 1300, "at_least": None, "variant": {"short_side": 256}}
    words = {"purpose": "To tell dogs.\n\nAnd cats.", "title": "Dogs"}
    leaks = [Check("same_picture", ("test", "ilsvrc2012"), 31, (9, 9), (0, 0), 0, (0, 0), ()).value]
    leaks.append(Check("same_author", ("train", "test"), None, (9, 9), (0, 0), 1, (1, 1), (("a", "b"),)).value)
    folder = shipped(tmp_path / "v1", some(4), recipe={**recipe, "words": words}, outvoted=2, removal_asked=5)
    (folder / "leaks.json").write_text(json.dumps({"checks": leaks}))
    sheet = datasheet(describe(Release(folder)))
    assert sheet.startswith("# Datasheet of Dogs\n")
    assert "> To tell dogs.\n>\n> And cats." in sheet
    for told in (
        "4 images with 4 labels: train 3, val 1, test 0.",
        "At most so many images per synset: 1300.",
        "shorter side was longer than 256 pixels",
        "2 labels were accepted against more noes than yeses",
        "5 labels were left out because somebody asked",
        "1 of 2 checks for leaks passed.",
        "Leaks: the same author in train and test: leaks, 1 pair of 1 and 1 image, such as a and b.",
        "3 people under hashed names cast 12 votes that count: yes (12).",
        "*Not stated* (`funding`).",
    ):
        assert told in sheet.replace("\\", ""), told
    assert [line[3:] for line in sheet.splitlines() if line.startswith("## ")] == list(QUESTIONS)


def test_a_datasheet_writes_choices_as_people_do(tmp_path: Path) -> None:
    recipe = {"datasets": ["mine", "ilsvrc2012"], "balance": True, "together": ["near", "author"]}
    step = {"release": "v0", "checksum": "0" * 64, "images": 1, "labels": 2}
    taken = {"images": 1, "labels": 2, "from": [step]}
    splits = {"train": 2, "val": 1}
    folder = shipped(tmp_path / "v1", some(4), recipe=recipe, imported_splits=splits, taken_down=taken)
    sheet = datasheet(describe(Release(folder))).replace("\\", "")
    for told in (
        "Only images of these datasets: mine, ilsvrc2012.",
        "As many images of each synset as of the smallest one.",
        "Kept together in one split, by what they share: near, author.",
        "3 images keep the split they came with; the others go with near-duplicates that do, or were drawn by seed",
        "Taken down since an earlier release: 1 image with 2 labels of v0.",
    ):
        assert told in sheet, told


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ({}, "train 3, val 1, test 0. Drawn by seed 7, stratified by synset."),
        (
            {"train": 3, "val": 1},
            "train 3, val 1, test 0. Nothing was drawn: all images keep the split they came with.",
        ),
        ({"val": 1}, "1 image keeps the split it came with; the others go with near-duplicates that do, or were drawn"),
    ],
)
def test_a_datasheet_says_how_images_came_to_their_splits(tmp_path: Path, came: dict[str, int], told: str) -> None:
    folder = shipped(tmp_path / "v1", some(4), imported_splits=came, seed=7)
    assert told in datasheet(describe(Release(folder))).replace("\\", "")


def test_nothing_hostile_is_a_mark_of_markdown_or_html(tmp_path: Path) -> None:
    told = {"licence": HOSTILE, "source": HOSTILE, "policy": HOSTILE, "author": HOSTILE}
    words = {"purpose": HOSTILE, "title": HOSTILE, "description": HOSTILE}
    folder = shipped(tmp_path / "v1", [Shot(encoded(photo(1)), told=told)], recipe={"words": words}, query=HOSTILE)
    described = describe(Release(folder))
    sheet = datasheet(described)
    assert "<script" not in sheet.replace("\\<", "")
    assert "\n# Heading" not in sheet
    page = statistics_page(described, gallery(Release(folder)))
    assert "<script" not in page
    assert "\x1b" not in page + sheet
    assert html.escape("<script>alert(1)</script>") in page
    assert json.loads(croissant(described, {}))["description"] == HOSTILE.strip()


class Balanced(HTMLParser):
    """Complains of a tag that is not closed where it should be, and gathers what a page asks for from elsewhere."""

    EMPTY = ("meta", "img", "br", "rect", "path", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.asked += [value or "" for name, value in attributes if name in ("src", "href", "srcset", "data")]
        assert not [name for name, _ in attributes if name.startswith("on") or name == "style"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.asked += [value or "" for name, value in attributes if name in ("src", "href")]
        assert tag in self.EMPTY


def test_the_page_needs_nothing_else_and_is_well_formed(tmp_path: Path) -> None:
    folder = shipped(tmp_path / "v1", some(6))
    page = statistics_page(describe(Release(folder)), gallery(Release(folder)))
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert len(parser.asked) == 2
    assert all(asked.startswith("data:image/jpeg;base64,") for asked in parser.asked)
    assert "default-src 'none'" in page
    assert "<td>4</td>" in page  # dogs
    assert "domestic cat" in page


def test_a_page_stays_small_whatever_there_is(tmp_path: Path) -> None:
    many = {f"n{n:08d}": n + 1 for n in range(2000)}
    folder = shipped(tmp_path / "v1", some(2))
    described = describe(Release(folder))
    described.census.synsets.clear()
    described.census.synsets.update(many)
    described.census.of["licence"].update({f"licence {n}": 1 for n in range(5000)})
    page = statistics_page(described)
    assert len(page) < 60_000
    assert page.count("<rect") < 300
    assert "1,880 others" in page
    assert "Synsets by their number of images. A bar goes from its number to before the next." in page
    assert ">1,000<" in page
    assert ">1,000+<" not in page
    assert "4,989 others" in page


def test_only_so_many_pictures_are_shown_evenly_spread(tmp_path: Path) -> None:
    shots = [Shot(encoded(photo(n)), [f"n{n:08d}"], told={"rank": n}) for n in range(20)]
    folder = shipped(tmp_path / "v1", shots)
    shown = gallery(Release(folder), most=5)
    assert [picture.wnid for picture in shown] == [f"n{n:08d}" for n in (0, 4, 8, 12, 16)]
    assert all(max(picture.width, picture.height) <= 120 for picture in shown)


def test_pictures_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    folder = shipped(tmp_path / "v1", some(6))
    for shard in folder.glob("*.tar"):
        shard.write_bytes(shard.read_bytes()[:100])
    assert gallery(Release(folder)) == []


def test_documents_follow_from_the_release_alone(tmp_path: Path) -> None:
    one, other = (shipped(tmp_path / name, some(7)) for name in ("a", "b"))
    made = [finished(folder) for folder in (one, other)]
    for name in DOCUMENTS:
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes()


@pytest.mark.parametrize("count", [0, 1])
def test_tiny_releases_have_documents_too(tmp_path: Path, count: int) -> None:
    folder = finished(shipped(tmp_path / "v1", some(count), votes=0))
    for name in DOCUMENTS:
        assert (folder / name).stat().st_size > 50


def test_a_release_without_bytes_says_so(tmp_path: Path) -> None:
    folder = shipped(tmp_path / "v1", some(2))
    described = describe(Release(folder))
    (folder / "files.parquet").write_bytes(b"")
    assert "It is self-contained" in datasheet(described)
    assert "archives that its users must have" in datasheet(describe(Release(folder)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("purpos: To tell dogs", "'purpos', which is no question of a datasheet: is 'purpose' meant?"),
        ("colour: blue", "there are: title"),
        ("- a list", "no list of keys"),
        ("purpose: [1]", "purpose is no text"),
        ("purpose: yes", "purpose is no text; put it in quotation marks"),
        ("purpose: {", "cannot read"),
    ],
)
def test_words_that_make_no_sense_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "words.yaml").write_text(text)
    with pytest.raises(ReleaseError, match=re.escape(said)):
        read_words(tmp_path / "words.yaml")


def test_words_are_read(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("purpose: |\n  To tell dogs.\npublished: 2026-11-26\nfunding: ''\n", encoding="utf-8")
    assert read_words(path) == {"purpose": "To tell dogs.", "published": "2026-11-26"}
    path.write_text("")
    assert read_words(path) == {}
    with pytest.raises(ReleaseError, match="cannot read"):
        read_words(tmp_path / "none.yaml")


def test_every_question_has_a_key_of_its_own() -> None:
    assert len(set(KEYS)) == len(KEYS)


def test_croissant_lists_every_other_file_with_its_checksum(tmp_path: Path) -> None:
    folder = finished(shipped(tmp_path / "v1", some(6)))
    found = json.loads((folder / "croissant.json").read_text())
    listed = {one["@id"]: one for one in found["distribution"] if one["@type"] == "cr:FileObject"}
    assert set(listed) == {path.name for path in folder.iterdir()} - {CHECKSUMS, "croissant.json"}
    for name, one in listed.items():
        assert one["sha256"] == sha256_file(folder / name)
        assert one["contentSize"] == f"{(folder / name).stat().st_size} B"


def test_a_release_without_shards_has_no_pictures_in_croissant(tmp_path: Path) -> None:
    described = describe(Release(shipped(tmp_path / "v1", some(2))))
    found = json.loads(croissant(described, {MANIFEST: Listed(1, "0" * 64)}))
    assert [one["@id"] for one in found["recordSet"]] == ["splits", "synsets", "labels", "boxes", "votes"]
    assert [one["@id"] for one in found["distribution"]] == [MANIFEST]


def test_mlcroissant_validates_and_loads_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
        extracting = import_module("mlcroissant._src.operation_graph.operations.extract")
    # it keeps what it extracts by the name of the archive alone, in the user's home
    monkeypatch.setattr(extracting, "EXTRACT_PATH", import_module("etils.epath").Path(tmp_path / "extracted"))
    words = {"description": "Dogs and cats", "citation": "us", "terms": "https://a.org/licence"}
    words |= {"published": "2026-11-26", "makers": "Us", "url": "https://a.org", "keywords": "dogs, cats"}
    twice = Shot(encoded(photo(50), "PNG"), [DOG, CAT], "test", {"boxes": 2, "licence": "CC0"})
    folder = finished(shipped(tmp_path / "v1", [twice, *some(6)], recipe={"words": words}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' and rdflib's own
        dataset = mlcroissant.Dataset(folder / "croissant.json")
        about = dataset.metadata
        assert about.ctx.issues.report() == ""
        assert about.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
        assert "12 votes" not in about.data_collection
        assert about.personal_sensitive_information
        loaded: dict[str, list[dict[str, Any]]] = {one.id: list(dataset.records(one.id)) for one in about.record_sets}
    assert {name: len(rows) for name, rows in loaded.items()} == {
        "splits": 3,
        "synsets": 2,
        "labels": 8,
        "images": 8,
        "boxes": 4,
        "votes": 24,
    }
    rows = Release(folder).rows()
    labels = {(row["labels/id"].decode(), row["labels/wnid"].decode()): row["labels/split"] for row in loaded["labels"]}
    assert labels == {(row["id"], row["wnid"]): row["split"].encode() for row in rows}
    sizes = {row["id"]: (row["width"], row["height"]) for row in rows}
    for row in loaded["images"]:
        assert row["images/content"].size == sizes[row["images/id"].decode()]
        assert (row["images/id"].decode(), row["images/wnid"].decode()) in labels


def test_the_page_is_one_that_all_can_use(tmp_path: Path, browsing: Browsing) -> None:
    told = {"author": "Ann", "licence": "CC BY 4.0", "source": "openverse"}
    folder = finished(shipped(tmp_path / "v1", some(12, **told), recipe={"words": {"description": "Dogs and cats"}}))
    for phone in (False, True):
        page = browsing.page(Served(None, ""), phone=phone)  # type: ignore[arg-type]
        page.goto((folder / "statistics.html").as_uri())
        assert page.locator("img").count() == 2
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert axe(page) == []
        # areas are for wide screens: on a phone nobody could read them, and the same is shown as a list
        assert page.get_by_role("img", name="Synsets, each with an area").is_visible() is not phone
        assert page.locator(".ranked").is_visible() is phone


def test_synsets_are_listed_by_their_images_for_narrow_screens(tmp_path: Path) -> None:
    told = describe(Release(shipped(tmp_path / "v1", some(4))))
    counts = Counter({f"n{number:08}": 500 - number for number in range(40)})
    lemmas = [{"wnid": wnid, "lemmas": [HOSTILE if wnid == "n00000001" else "x" * 60]} for wnid in counts]
    many = replace(told, census=replace(told.census, synsets=counts), summary={**told.summary, "classes": lemmas})
    listed = re.findall(r"<li>(.*?) <b>([\d,]+)</b>(.*?)</li>", statistics_page(many))
    assert [number for _, number, _ in listed] == [*(str(500 - place) for place in range(30)), "4,655"]
    assert listed[-1] == ("10 others", "4,655", "")
    assert listed[1][0].startswith("&lt;script&gt;")
    widths = [float(re.findall(r'<rect class="bar" width="([\d.]+)"', bar)[0]) for *_, bar in listed[:-1]]
    assert widths == pytest.approx([(500 - place) / 5 for place in range(30)], abs=0.01)


def test_no_synset_and_one_are_listed_too(tmp_path: Path) -> None:
    told = describe(Release(shipped(tmp_path / "v1", some(4))))
    none = replace(told, census=replace(told.census, synsets=Counter()))
    assert "ranked" not in statistics_page(none).partition("<body>")[2]
    one = replace(told, census=replace(told.census, synsets=Counter({DOG: 1})))
    assert statistics_page(one).count("<li>") == 1


@pytest.mark.parametrize("count", [-1, 2**31 - 1])
def test_a_page_does_not_count_up_to_the_votes_that_a_manifest_says(tmp_path: Path, count: int) -> None:
    told = describe(Release(shipped(tmp_path / "v1", some(4, yes=count))))
    assert "Labels by the number of votes of people" in statistics_page(told)


@pytest.mark.parametrize("name", ["id", "wnid", "shard", "offset", "length", "format", "width", "yes"])
@pytest.mark.parametrize("spoil", ["drop", "type", "empty"])
def test_a_manifest_with_other_columns_is_refused_also_where_it_is_read_in_part(
    tmp_path: Path, name: str, spoil: str
) -> None:
    folder = shipped(tmp_path / "v1", some(4))
    table = pq.read_table(folder / MANIFEST)
    at, kind = table.column_names.index(name), table.schema.field(name).type
    other = {"type": pa.array([b"x"] * len(table)), "empty": pa.nulls(len(table), kind)}
    spoilt = table.remove_column(at) if spoil == "drop" else table.set_column(at, name, other[spoil])
    pq.write_table(spoilt, folder / MANIFEST)
    with pytest.raises(ReleaseError, match="other columns"):
        describe(Release(folder))
        gallery(Release(folder))
    if name in ("id", "wnid", "shard", "offset", "length"):
        with pytest.raises(ReleaseError, match=r"other columns|cannot read"):
            samples_of(Release(folder), "train")


@pytest.mark.parametrize("at", [1e308, -1e308, float("nan")])
def test_a_day_that_is_none_is_unknown(at: float) -> None:
    assert day(at) == "an unknown day"
    assert day(0.0) == "1970-01-01"
