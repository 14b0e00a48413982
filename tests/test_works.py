"""What searches said of works, in credits and releases: title, author, source and licence, each with its address."""

from __future__ import annotations

import csv
import hashlib
import json
import tarfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import encoded, photo, run
from holotype.catalog import searches
from holotype.catalog.links import Seen
from holotype.catalog.searches import Page, Search
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.collect.sources.port import Found
from holotype.crowd.policies import Lead
from holotype.licences import credit_line, parse
from holotype.project import Project
from holotype.project.release_shelf import ProjectRelease
from holotype.project.results import result_of
from holotype.project.works import as_said
from holotype.releases.credits import credited as credits_in
from holotype.releases.layout import MANIFEST, MANIFEST_SCHEMA, WORKS
from holotype.releases.takedown import Unwanted
from loopback.pictures import Pictures

DOG = "n02084071"
BY = "https://creativecommons.org/licenses/by/4.0/"


@pytest.fixture
def host() -> Iterator[Pictures]:
    with Pictures({}) as host:
        yield host


@pytest.fixture
def full(host: Pictures) -> Found:
    """A result of which everything is known."""
    about = {"title": "At rest", "creator": "Ann", "creator_url": "https://a.test/ann"}
    return found(f"{host.root}/1.jpg", landing="https://a.test/1", licence=parse("CC BY 4.0", BY), **about)


def found(url: str, **said: object) -> Found:
    """A result with nothing but an address and what is `said`."""
    return Found(url, **({"landing": "", "position": 1, "licence": parse("")} | said))  # type: ignore[arg-type]


def searched(db: Project, source: str, *results: Found) -> None:
    """Let a source have answered."""
    with db.catalog.write() as connection:
        search = Search(DOG, source, "dog", "eng", "lemma")
        number = searches.add(connection, [search], 1.0)[search]
        page = Page(1, "1", None, None, 0.0, b"", [result_of(one) for one in results])
        searches.add_page(connection, number, page, 2.0)


def fetch(db: Project, host: Pictures, *pictures: bytes, first: int = 1) -> None:
    """Fetch these pictures, `1.jpg`, `2.jpg` ... of the host, as far as they were found."""
    host.files |= {f"/{number}.jpg": data for number, data in enumerate(pictures, first)}
    local = [("127.0.0.1", int(host.root.rpartition(":")[2]))]
    db.collect.fetch(Web(Agent("me@example.org"), Limits(Rate(8, 0.0, 8), Rate(8, 0.0, 8)), local=local))


def released(db: Project, name: str = "v1") -> ProjectRelease:
    """A release of all that there is."""
    db.crowd.run(db.crowd.simulated(), Lead(2, 9))
    db.labels.overrule({(one.name, DOG): True for one in db.images.find("")}, "me", "I looked")
    return db.releases.create(name)


def lines(db: Project) -> list[str]:
    return [credit_line(row.work) for row in db.credits()]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def attribution(release: ProjectRelease) -> dict[str, dict[str, str]]:
    """The lines of ``attribution.csv``, by id."""
    return {row["id"]: row for row in read_csv(release.path / "attribution.csv")}


def id_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def test_all_that_a_licence_asks_for_is_in_credits_and_in_the_release(
    project: Project, host: Pictures, full: Found, tmp_path: Path
) -> None:
    one = encoded(photo(1))
    searched(project, "openverse", full)
    fetch(project, host, one)
    line = (
        f'"At rest" (https://a.test/1) by Ann (https://a.test/ann), via openverse, is licensed under CC BY 4.0 ({BY})'
    )
    assert lines(project) == [line]
    release = released(project)
    assert [credit_line(row.work) for row in credits_in(release)] == [line]
    (row,) = release.rows()
    assert (row["title"], row["author_url"], row["licence"], row["url"]) == (
        *("At rest", "https://a.test/ann", BY, "https://a.test/1"),
    )
    assert set(WORKS) & set(release.manifest.column_names) == {"title", "author_url"}
    told = attribution(release)[id_of(one)]
    assert (told["title"], told["author"], told["author_url"]) == ("At rest", "Ann", "https://a.test/ann")
    assert (told["url"], told["source"], told["licence_url"]) == ("https://a.test/1", "openverse", BY)
    assert release.verify() == []
    assert release.rebuild().same
    for arguments in (["-p", project.path], ["--release", release.path]):
        run("credits", "-o", tmp_path / "c.csv", *arguments)
        (cells,) = read_csv(tmp_path / "c.csv")
        assert (cells["title"], cells["author_url"], cells["credit"]) == ("At rest", "https://a.test/ann", line)


def test_what_two_sources_say_of_an_image_is_not_put_together(project: Project, host: Pictures, full: Found) -> None:
    """The same bytes at two addresses: the credit that came last counts, whole, with its own source."""
    one, other = encoded(photo(1)), encoded(photo(2))
    second = found(f"{host.root}/3.jpg", landing="https://flickr.test/9", licence=parse("CC BY-SA 2.0"), creator="Kim")
    searched(project, "openverse", full, found(f"{host.root}/2.jpg", title="Another", creator="Bob"))
    fetch(project, host, one, other)
    searched(project, "flickr", second)
    fetch(project, host, one, first=3)
    told = "Image (https://flickr.test/9) by Kim, via flickr, is licensed under CC BY-SA 2.0 "
    assert [line for line in lines(project) if "Kim" in line] == [
        f"{told}(https://creativecommons.org/licenses/by-sa/2.0/)"
    ]
    release = released(project)
    assert [credit_line(row.work) for row in credits_in(release)] == lines(project)
    row = attribution(release)[id_of(one)]
    assert (row["source"], row["via"], row["title"], row["author"]) == ("openverse", "flickr", "", "Kim")
    row = attribution(release)[id_of(other)]
    assert (row["source"], row["via"], row["title"], row["author"]) == ("openverse", "", "Another", "Bob")


def test_of_two_results_for_one_address_the_one_that_says_a_licence_counts(
    project: Project, host: Pictures, full: Found
) -> None:
    searched(project, "brave", found(full.url, landing="https://blog.test/", title="my dog!", creator="blog.test"))
    searched(project, "openverse", full)
    fetch(project, host, encoded(photo(1)))
    (line,) = lines(project)
    assert line.startswith('"At rest" (https://a.test/1) by Ann (https://a.test/ann), via openverse,')


def test_a_credit_that_lies_beside_a_file_has_no_title_of_another(
    project: Project, host: Pictures, full: Found, tmp_path: Path
) -> None:
    searched(project, "openverse", full)
    fetch(project, host, encoded(photo(1)))
    (tmp_path / "mine" / DOG).mkdir(parents=True)
    (tmp_path / "mine" / DOG / "1.jpg").write_bytes(encoded(photo(1)))
    (tmp_path / "mine" / DOG / "1.txt").write_text("licence: CC0\nauthor: Bob\n")
    project.images.ingest(tmp_path / "mine")
    (line,) = lines(project)
    assert line.startswith("Image by Bob, via openverse, is dedicated to the public domain under CC0 1.0")


def test_exports_that_tell_of_authors_tell_of_titles(
    project: Project, host: Pictures, full: Found, tmp_path: Path
) -> None:
    searched(project, "openverse", full)
    fetch(project, host, encoded(photo(1)))
    release = released(project)
    release.export("webdataset", tmp_path / "tars")
    (shard,) = (tmp_path / "tars").glob("*.tar")
    with tarfile.open(shard) as tar:
        (about,) = (
            json.loads(held.read()) for one in tar if one.name.endswith(".json") if (held := tar.extractfile(one))
        )
    assert (about["author"], about["title"], about["author_url"]) == ("Ann", "At rest", "https://a.test/ann")
    assert "via" not in about
    release.export("label-studio", tmp_path / "studio")
    (task,) = json.loads((tmp_path / "studio" / "tasks.json").read_text())
    assert task["data"]["title"] == "At rest"
    release.export("tables", tmp_path / "tables")
    (row,) = read_csv(tmp_path / "tables" / "labels.csv")
    assert (row["author"], row["title"]) == ("Ann", "At rest")


def test_a_title_does_not_end_before_its_end(project: Project, host: Pictures) -> None:
    title = 'Dog" (https://evil.test) by Bob is dedicated to the public domain under "CC0 1.0'
    searched(project, "flickr", found(f"{host.root}/1.jpg", title=title, creator="Ann", licence=parse("CC BY-NC 2.0")))
    fetch(project, host, encoded(photo(1)))
    (line,) = lines(project)
    assert line.count('"') == 2
    assert line.index('" (http://127.0.0.1') < line.index(" by Ann, via flickr, is licensed under CC BY-NC 2.0")
    (row,) = project.credits()
    assert row.work.title == title


HOSTILE = {
    "two\r\nlines\tand more": "two lines and more",
    "<b>Dog</b> & <script>alert(1)</script>": "<b>Dog</b> & <script>alert(1)</script>",
    "bell\x07 esc\x1b[31m rtl\u202e nul\x00": "bell\ufffd esc\ufffd[31m rtl\ufffd nul\ufffd",
    "=1+1": "=1+1",
    "@SUM(A1)": "@SUM(A1)",
    "\n-2+3": "-2+3",
    '"quoted", "twice"': '"quoted", "twice"',
    "[a](javascript:alert(1)) *b* `c`": "[a](javascript:alert(1)) *b* `c`",
    "x" * 5_000: "x" * 2_000,
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"): "\N{GRINNING FACE}",
    " \u3000 ": "",
}


def test_titles_do_nothing_wherever_they_are_shown(project: Project, host: Pictures, tmp_path: Path) -> None:
    results = [found(f"{host.root}/{n}.jpg", title=title, creator=title) for n, title in enumerate(HOSTILE, 1)]
    pictures = [encoded(photo(n)) for n in range(len(results))]
    searched(project, "openverse", *results)
    fetch(project, host, *pictures)
    by_id = {id_of(data): title for data, title in zip(pictures, HOSTILE.values(), strict=True)}
    assert {row.id: row.work.title for row in project.credits()} == by_id
    release = released(project)
    assert {row["id"]: row["title"] for row in release.rows()} == by_id
    assert {row.id: row.work.title for row in credits_in(release)} == by_id
    safe = {key: f"'{title}" if title[:1] in ("=", "@", "-") and title else title for key, title in by_id.items()}
    assert {key: row["title"] for key, row in attribution(release).items()} == safe
    assert release.verify() == []
    for form in ("csv", "txt", "md", "html"):
        run("credits", "-o", tmp_path / f"c.{form}", "-p", project.path)
        text = (tmp_path / f"c.{form}").read_text(encoding="utf-8")
        assert not any(one in text for one in "\x00\x07\x1b\u202e")
        assert form in ("csv", "txt") or "<script" not in text.replace(r"\<script", "")
    cells = read_csv(tmp_path / "c.csv")
    assert {row["id"]: row["title"] for row in cells} == safe
    assert not [cell for row in cells for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    ("text", "url", "line"),
    [
        ("", "", "is under a licence that is not known"),
        ("CC BY 4.0", "", f"is licensed under CC BY 4.0 ({BY})"),
        ("by", "https://museum.test/terms", "is licensed under CC BY (https://museum.test/terms)"),
        ("", BY, f"is licensed under CC BY 4.0 ({BY})"),
        (
            *("my own", "https://museum.test/terms"),
            "is under these terms, as its source has them: my own (https://museum.test/terms)",
        ),
        ("", "https://museum.test/terms", "is under these terms, as its source has them: https://museum.test/terms"),
        ("my own", "javascript:alert(1)", "is under these terms, as its source has them: my own"),
        (
            *("All rights reserved", BY),
            f"is under these terms, as its source has them: All rights reserved ({BY})",
        ),
    ],
)
def test_a_licence_is_told_with_its_address_as_far_as_it_has_one(
    project: Project, host: Pictures, text: str, url: str, line: str
) -> None:
    searched(project, "museum", found(f"{host.root}/1.jpg", licence=parse(text, url)))
    fetch(project, host, encoded(photo(1)))
    whole = f"Image ({host.root}/1.jpg), via museum, {line}"
    assert lines(project) == [whole]
    assert [credit_line(row.work) for row in credits_in(released(project))] == [whole]


TEXTS = ("", "CC BY 4.0", "by", "CC BY-NC 2.0", "All rights reserved", "GFDL or CC BY-SA 3.0", "Public domain", "?")
URLS = (
    *("", BY, "https://creativecommons.org/licenses/by/", "https://creativecommons.org/publicdomain/mark/1.0/"),
    *("https://www.gnu.org/copyleft/fdl.html", "https://museum.test/terms", "https://www.usa.gov/government-works"),
)


@pytest.mark.parametrize(("text", "url"), [*product(TEXTS, URLS)])
def test_one_text_says_of_a_licence_what_name_and_address_say(text: str, url: str) -> None:
    seen = Seen(1, DOG, "museum", "dog", "eng", "lemma", 1, "", "", "", "", text, url)
    assert parse(as_said(seen)).is_same(parse(text, url))


def test_a_project_that_collected_nothing_has_releases_as_before(project: Project, tmp_path: Path) -> None:
    (tmp_path / DOG).mkdir()
    (tmp_path / DOG / "1.jpg").write_bytes(encoded(photo(1)))
    (tmp_path / DOG / "1.txt").write_text("licence: CC0\nauthor: Bob\nurl: https://a.test/1\n")
    project.images.ingest(tmp_path)
    release = released(project)
    assert pq.read_schema(release.path / MANIFEST).names == MANIFEST_SCHEMA.names
    (row,) = attribution(release).values()
    assert list(row) == ["id", "wnids", "file", "author", "licence", "licence_url", "url", "origin", "source"]


def test_titles_stay_where_images_are_taken_down_and_go_with_the_last(
    project: Project, host: Pictures, full: Found
) -> None:
    pictures = encoded(photo(1)), encoded(photo(2))
    searched(project, "openverse", full, found(f"{host.root}/2.jpg"))
    fetch(project, host, *pictures)
    released(project)
    ids = [hashlib.sha256(one).hexdigest() for one in pictures]
    project.releases.takedown("v1", "v2", "me", "asked", Unwanted(images=(ids[1],)))
    assert [row["title"] for row in project.releases["v2"].rows()] == ["At rest"]
    project.images.restore([ids[1]], "me", "again")
    project.releases.takedown("v1", "v3", "me", "asked", Unwanted(images=(ids[0],)))
    assert "title" not in project.releases["v3"].manifest.column_names
    assert project.releases["v3"].verify() == []
