"""Credits: lists of who made images and under which licences they are, of the catalog and of releases."""

from __future__ import annotations

import csv
import inspect
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from any_release import CAT, DOG, Shot, shipped, some
from conftest import encoded, photo, run
from holotype.project import Project
from holotype.releases import Release
from holotype.releases.attribution import images
from holotype.releases.credits import COLUMNS, FORMATS, Credited, Tally, credited, work_of

HOSTILE = "</li><script>alert(1)</script>\"'&|*_[x](javascript:1)\n# Heading\x00\x1b[31m\u202e"


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Dogs and cats; one cat is a dog as well, in another folder."""
    folder = tmp_path / "photographs"
    for wnid, seeds in ((DOG, range(4)), (CAT, range(3, 6))):
        (folder / wnid).mkdir(parents=True)
        for seed in seeds:
            (folder / wnid / f"{wnid}_{seed}.jpg").write_bytes(encoded(photo(seed)))
    (folder / "metadata.csv").write_text(
        "file,licence,author,url\n"
        f"{DOG}_0.jpg,CC BY-SA 2.0,Ann,https://a.org/0\n"
        f"{DOG}_1.jpg,https://creativecommons.org/publicdomain/zero/1.0/deed.nl,,\n"
        f"{DOG}_2.jpg,ask me,=1+1,\n"
        f"{DOG}_3.jpg,CC BY 4.0,Kim,\n"
    )
    return folder


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_an_image_is_credited_once_as_the_catalog_goes_by(project: Project, photographs: Path) -> None:
    project.images.ingest(photographs)
    found = project.credits()
    assert inspect.isgenerator(found)
    rows = list(project.credits())
    assert [row.wnid for row in rows] == [DOG] * 4 + [CAT] * 2, "in ontology order, each image once"
    assert [row.id for row in project.credits("under:n02121808")] != [row.id for row in rows[-2:]]
    assert len(list(project.credits(f"synset:{CAT}"))) == 3
    (ann,) = project.credits("licence:sharealike")
    assert (ann.file, ann.synset) == (f"{DOG}/{DOG}_0.jpg", "dog")
    assert (ann.work.creator, ann.work.landing, ann.work.source) == ("Ann", "https://a.org/0", "")
    assert ann.work.licence.spdx == "CC-BY-SA-2.0"


def test_the_command_writes_a_line_an_image(tmp_path: Path, photographs: Path) -> None:
    place = tmp_path / "p"
    run("init", place)
    run("ingest", photographs, "-p", place)
    told = run("credits", "-o", tmp_path / "all.csv", "-p", place)
    assert "credits of 6 images in " in told
    assert re.search(r"^ +2  not known$", told, re.M)
    rows = {row["file"].rpartition("/")[2]: row for row in read_csv(tmp_path / "all.csv")}
    assert len(rows) == 6
    assert tuple(rows[f"{DOG}_0.jpg"]) == COLUMNS
    assert rows[f"{DOG}_0.jpg"]["credit"] == (
        "Image (https://a.org/0) by Ann is licensed under CC BY-SA 2.0 "
        "(https://creativecommons.org/licenses/by-sa/2.0/)"
    )
    zero = rows[f"{DOG}_1.jpg"]
    assert zero["licence"].endswith("deed.nl"), "as it was said"
    assert (zero["licence_code"], zero["spdx"]) == ("cc0", "CC0-1.0")
    assert rows[f"{DOG}_2.jpg"]["author"] == "'=1+1"
    assert run("credits", "--query", "licence:unknown", "-o", tmp_path / "u.csv", "-p", place).startswith(
        "credits of 3 images"
    )
    for name, form in (("a.txt", "text"), ("a.md", "md"), ("a.html", "html")):
        run("credits", "-o", tmp_path / name, "-p", place)
        text = (tmp_path / name).read_text()
        run("credits", "-o", tmp_path / "again", "--format", form, "-p", place)
        assert (tmp_path / "again").read_text() == text
        assert text.count("CC BY-SA 2.0") == 2, "a line and the sum"
        assert text.count(f"dog ({DOG})") == 1, "one heading"
    both = "--query", "", "--release", "v1", "-o", tmp_path / "x", "-p", place
    assert "ask for one of them" in run("credits", *both, expect=2)
    assert "qwxz" in run("credits", "--query", "under:qwxz", "-o", tmp_path / "x", "-p", place, expect=2)
    assert not (tmp_path / "x").exists()


def test_the_credits_of_a_release_are_of_its_attribution(tmp_path: Path) -> None:
    twice = {"author": 'Ann, "B"', "licence": "CC BY 4.0", "url": "https://a.org/1", "source": "openverse"}
    variant = {"short_side": 200, "quality": 90, "orientation": "apply"}
    folder = shipped(
        tmp_path / "v1", [Shot(encoded(photo(60)), [DOG, CAT], "test", twice), *some(3)], recipe={"variant": variant}
    )
    rows = list(credited(Release(folder)))
    told = [row for table in images(folder) for row in table.to_pylist()]
    assert [row.id for row in rows] == [row["id"] for row in told]
    (one,) = (row for row in rows if row.work.creator)
    assert (one.work.source, one.work.changes) == (
        "openverse",
        "made smaller where the shorter side was over 200 pixels",
    )
    (line,) = (row for row in told if row["author"])
    assert (line["licence"], line["licence_url"]) == ("CC BY 4.0", one.work.licence.canonical)
    assert "credits of 4 images" in run("credits", "--release", folder, "-o", tmp_path / "c.md")
    assert (tmp_path / "c.md").read_text().count("changed: made smaller") == 4


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_texts_do_nothing_in_a_list(form: str) -> None:
    evil = f"https://a.org/>)\"'<b onclick=x>{'|'}`"
    rows = [
        Credited("x", HOSTILE, DOG, HOSTILE, work_of(HOSTILE, HOSTILE, HOSTILE, HOSTILE)),
        Credited("y", "", "", "", work_of("=1", "-1", evil, "+1")),
    ]
    text = b"".join(FORMATS[form](rows, tally := Tally())).decode()
    assert tally.of.total() == 2
    if form == "html":
        page = Links()
        page.feed(text)
        assert set(page.tags) <= {
            *("html", "head", "meta", "title", "style", "body", "h1", "h2", "ul", "li", "code", "a")
        }
        assert all(link.startswith("https://") for link in page.links)
        assert text.count("<ul>") == text.count("</ul>") == 3
    if form == "md":
        assert not re.search(r"(?<!\\)<script", text)
        assert not re.search(r"(?<!\\)\]\((?!<https://)", text)
        assert "\n# Heading" not in text
    if form == "csv":
        cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "\x1b" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_list_is_a_list(form: str) -> None:
    text = b"".join(FORMATS[form]([], Tally())).decode()
    assert text
    assert text.count("<ul>") == text.count("</ul>") <= 1


def test_licences_without_number_are_counted_together() -> None:
    rows = (Credited(str(n), "", "", "", work_of("", f"licence {n}", "", "")) for n in range(1_500))
    for _ in (tally := Tally()).count(rows):
        pass
    assert tally.most()[0] == ("other licences", "", 500)
