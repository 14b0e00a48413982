"""What lies beside images says of them what licence they are under, who made them, and where they are from."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import command, encoded, photo, run
from holotype.collect.sidecars import Credit, read_sidecars
from holotype.crowd.policies import Lead
from holotype.errors import SourceError
from holotype.project import Project

DOG, CAT = "n02084071", "n02121808"
Fill = Callable[..., None]


def credits_of(folder: Path, table: Path | None = None) -> tuple[dict[str, Credit], list[str]]:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    found = read_sidecars(folder, files, table)
    return found.credits, found.problems


@pytest.mark.parametrize(
    ("table", "credit"),
    [
        ("file,licence,author,url\na.jpg,CC0,Kim,http://x/1\n", Credit("CC0", "Kim", "http://x/1")),
        ("file_name,License,Creator,Source URL\na.jpg,CC0,Kim,http://x/1\n", Credit("CC0", "Kim", "http://x/1")),
        ("author;LICENSE;filename\nKim;CC0;a.jpg\n", Credit("CC0", "Kim")),
        ("path\tattribution\n./a.jpg\tKim  \n", Credit(author="Kim")),
        ("\ufefffile,licence\r\n\r\na.jpg,CC0\r\n", Credit("CC0")),
        ('file,title,licence\na.jpg,"Sea, seen","CC BY\n4.0"\n', Credit("CC BY 4.0")),
        ("file,author\na.jpg,K\x1bm\n", Credit(author="K\N{REPLACEMENT CHARACTER}m")),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_is_read_however_it_is_spelt(tmp_path: Path, table: str, credit: Credit, encoding: str) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "metadata.csv").write_bytes(table.encode(encoding))
    assert credits_of(tmp_path) == ({"a.jpg": credit}, [])


@pytest.mark.parametrize(
    ("name", "text", "credit"),
    [
        (
            "a.txt",
            "Licence: CC BY 4.0\nPhotographer = Kim\nSource-URL: http://x/1?a=b\n",
            Credit("CC BY 4.0", "Kim", "http://x/1?a=b"),
        ),
        ("a.jpg.txt", "license: CC0", Credit("CC0")),
        ("a.txt", "Source: https://x.org/1", Credit(url="https://x.org/1")),
        ("a.txt", "Author: Kim\nSource: Flickr\nWebsite: http://x.org/1\n", Credit(author="Kim", url="http://x.org/1")),
        ("a.txt", "Source: Flickr\nAuthor: Kim", Credit(author="Kim")),
        ("a.json", '{"source": "http://x/2", "url": "http://x/1"}', Credit(url="http://x/1")),
        (
            "a.json",
            '{"License": "CC0", "creator": "Kim", "url": "http://x", "size": 3, "tags": ["x"]}',
            Credit("CC0", "Kim", "http://x"),
        ),
        ("a.jpg.json", '{"rights": "", "license": "CC0"}', Credit("CC0")),
    ],
)
def test_a_file_beside_an_image_is_read(tmp_path: Path, name: str, text: str, credit: Credit) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.jpg").touch()
    (tmp_path / "x" / name).write_text(text)
    assert credits_of(tmp_path) == ({"x/a.jpg": credit}, [])


def test_the_nearest_word_counts_and_what_it_leaves_open_stays(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name in ("x/a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "metadata.csv").write_text("file,licence,author,url\nx/a.jpg,CC0,Kim,http://1\nb.jpg,CC0,,\n")
    (tmp_path / "x/metadata.csv").write_text("file,licence\na.jpg,CC BY\n")
    (tmp_path / "x/a.txt").write_text("author: Ann")
    (tmp_path / "more.csv").write_text("file,licence,url\na.jpg,CC BY-SA,\n")
    assert credits_of(tmp_path)[0]["x/a.jpg"] == Credit("CC BY", "Ann", "http://1")
    found, problems = credits_of(tmp_path, tmp_path / "more.csv")
    assert (found, problems) == ({"x/a.jpg": Credit("CC BY-SA", "Ann", "http://1"), "b.jpg": Credit("CC0")}, [])


def test_what_fits_no_file_is_told_by_its_line(tmp_path: Path) -> None:
    for name in ("x/a.jpg", "y/a.jpg", "x/b.jpg", "x/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    rows = ["none.jpg,CC0", "a.jpg,CC0", "b.jpg,CC0", ",CC0", f"c.jpg,{'x' * 3000}", "../b.jpg,CC0"]
    (tmp_path / "metadata.csv").write_text("\n".join(["file,licence", *rows]))
    (tmp_path / "y/metadata.csv").write_text("a,b\n1,2\n")
    (tmp_path / "x/b.json").write_text("[" * 60_000)
    (tmp_path / "x/c.json").write_text('["CC0"]')
    (tmp_path / "y/a.txt").write_bytes(b"licence: \xff")
    found, problems = credits_of(tmp_path)
    assert found == {"x/b.jpg": Credit("CC0")}
    assert sorted(line[:52] for line in problems) == sorted(
        line[:52]
        for line in (
            "metadata.csv, line 2: there is no file 'none.jpg'",
            "metadata.csv, line 3: 'a.jpg' may be 2 files, say in which folder",
            "metadata.csv, line 5 names no file",
            "metadata.csv, line 6: the licence has 3,000 characters, over the limit",
            "metadata.csv, line 7: there is no file '../b.jpg'",
            "y/metadata.csv is not read: metadata.csv needs a column file or",
            "x/b.json is not read: maximum recursion depth exceeded",
            "x/c.json is not read: it holds no object with a licence",
            "y/a.txt is not read: a.txt, line 1: bytes that are not UTF-8; save the file as UTF-8",
        )
    )
    with pytest.raises(SourceError, match="No such file"):
        credits_of(tmp_path, tmp_path / "none.csv")


def test_left_over_cells_and_contradictions_of_a_table_are_told_by_line(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.jpg").touch()
    rows = ["a.jpg,CC0,Kim", "b.jpg,MIT,Ann,LEFT,OVER", "a.jpg,GPL,Kim", "c.jpg,CC0", "c.jpg,CC0,Ann,, ", "d.jpg,,"]
    (tmp_path / "metadata.csv").write_text("\n".join(["file,licence,author", *rows]))
    found, problems = credits_of(tmp_path)
    assert found == {"a.jpg": Credit("GPL", "Kim"), "c.jpg": Credit("CC0", "Ann")}
    assert problems == [
        "metadata.csv, line 3: 5 cells in 3 columns, it is not read",
        "metadata.csv, line 4: 'a.jpg' has another licence than in a line before, which counts no more",
    ]


def test_a_nearer_table_may_say_otherwise_than_one_above(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.jpg").touch()
    for folder, name, licence in ((tmp_path, "x/a.jpg", "CC0"), (tmp_path / "x", "a.jpg", "MIT")):
        (folder / "metadata.csv").write_text(f"file,licence\n{name},{licence}\n")
    assert credits_of(tmp_path) == ({"x/a.jpg": Credit("MIT")}, [])


def test_a_doubled_column_is_no_guess(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "metadata.csv").write_text("file,licence,Licence\na.jpg,CC0,GPL\n")
    told = "metadata.csv has the column licence 2 times: leave one"
    assert credits_of(tmp_path) == ({}, [f"metadata.csv is not read: {told}"])
    (tmp_path / "metadata.csv").rename(tmp_path / "more.csv")
    with pytest.raises(SourceError, match="more.csv has the column licence 2 times"):
        credits_of(tmp_path, tmp_path / "more.csv")
    (tmp_path / "more.csv").write_text("file,note,note,licence\na.jpg,x,y,CC0\n")
    assert credits_of(tmp_path, tmp_path / "more.csv") == ({"a.jpg": Credit("CC0")}, []), "what is not read may double"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.txt", "Licence: CC-BY\nLicence: GPL\nauthor: A\n", "it says licence twice, and not the same"),
        ("a.json", '{"licence": "A", "licence": "B"}', "the key 'licence' is there twice, or no text"),
    ],
)
def test_a_text_that_contradicts_itself_says_nothing(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / name).write_text(text)
    assert credits_of(tmp_path) == ({}, [f"{name} is not read: {why}"])


def test_a_text_may_repeat_itself(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "a.txt").write_text("licence: CC0\nnote: one\nlicence: CC0 \nnote: two\n")
    assert credits_of(tmp_path) == ({"a.jpg": Credit("CC0")}, [])


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("licence: mine")
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").touch()
    (folder / "a.txt").symlink_to(tmp_path / "secret")
    assert read_sidecars(folder, ["a.jpg", "a.txt"]).credits == {}


# In a project


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Dogs and cats in the home of somebody, with what is said of some of them."""
    folder = tmp_path / "home/kimberly_q/photos"
    for wnid, seeds in ((DOG, range(4)), (CAT, range(10, 14))):
        (folder / wnid / "box 7").mkdir(parents=True)
        for seed in seeds:
            (folder / wnid / f"box 7/IMG_{seed}.jpg").write_bytes(encoded(photo(seed)))
    (folder / "metadata.csv").write_text(
        "file,license,creator,source_url\nIMG_1.jpg,CC BY 4.0,Ann,http://x/1\nnone.jpg,CC0,,\n"
    )
    (folder / DOG / "box 7/IMG_2.txt").write_text("licence: CC0\n")
    (folder / DOG / "box 7/IMG_3.txt").write_text("a dog on a beach\n")
    return folder


def said_of(db: Project, name: str) -> tuple[str, str, str]:
    (found,) = db.images.find(f"id:{name}")
    return found.candidate.licence, found.candidate.author, found.candidate.url


def test_what_is_said_is_kept_with_the_image_and_asked_for(project: Project, photos: Path) -> None:
    report = project.images.ingest(photos)
    assert (report.kept, report.rejected) == (8, {"unknown_format": 1}), "what says nothing of the kind is an input"
    assert said_of(project, "IMG_1.jpg") == ("CC BY 4.0", "Ann", "http://x/1")
    assert said_of(project, "IMG_2.jpg") == ("CC0", "", "")
    assert said_of(project, "IMG_3.jpg") == ("", "", "")
    assert len(project.images.find("licence:cc")) == 2
    assert [one.file for one in project.images.inputs("rejected")] == [f"{DOG}/box 7/IMG_3.txt"]


def test_what_is_said_later_counts_and_nothing_is_taken_in_again(
    project: Project, photos: Path, tmp_path: Path
) -> None:
    project.images.ingest(photos)
    table = tmp_path / "rights.csv"
    table.write_text(f"file,licence\n{CAT}/box 7/IMG_10.jpg,CC0\nIMG_1.jpg,CC BY-NC\n")
    for _ in range(2):
        assert project.images.ingest(photos, metadata=table).unchanged == 9
    assert said_of(project, "IMG_10.jpg") == ("CC0", "", "")
    assert said_of(project, "IMG_1.jpg") == ("CC BY-NC", "Ann", "http://x/1")
    with project.catalog.read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM credit").scalar()
    assert count == 4, "the same is not said twice"


def test_the_command_tells_and_counts(tmp_path: Path, photos: Path) -> None:
    run("init", tmp_path / "p")
    ended = command("ingest", photos, "-p", tmp_path / "p")
    assert "metadata.csv, line 3: there is no file 'none.jpg'\n" in ended.stderr
    assert "licence, author or url of 2 files was said beside them, by 2 files that are not taken in" in ended.stderr
    told = json.loads(run("ingest", photos, "-p", tmp_path / "p", "--json"))
    assert (told["credited"], told["sidecars"], len(told["problems"]), told["total"]) == (2, 2, 1, 9)
    (shown,) = json.loads(run("query", "id:IMG_1.jpg", "-p", tmp_path / "p", "--json"))["images"]
    assert (shown["licence"], shown["author"], shown["url"]) == ("CC BY 4.0", "Ann", "http://x/1")
    assert shown["file"] == f"{DOG}/box 7/IMG_1.jpg"
    (tmp_path / "empty.csv").write_text("file,licence\n")
    bare = tmp_path / "bare" / DOG
    bare.mkdir(parents=True)
    (bare / "a.jpg").write_bytes(encoded(photo(90)))
    nothing = command("ingest", bare.parent, "-p", tmp_path / "p", "--metadata", tmp_path / "empty.csv").stderr
    assert "licence, author or url of no file was said\n" in nothing
    missing = "--metadata", tmp_path / "no.csv", "-p", tmp_path / "p"
    assert "does not exist" in run("ingest", photos, *missing, expect=2)


def all_texts(folder: Path) -> Iterator[str]:
    """Every byte of a release that says something: of files, of cells of tables, of headers and texts of tars."""
    for path in folder.rglob("*"):
        yield path.name
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            yield from (str(value) for column in table.columns for value in column.to_pylist())
            yield str(table.schema.metadata)
        elif path.suffix == ".tar":
            with tarfile.open(path) as tar:
                for member in tar:
                    yield f"{member.name} {member.uname} {member.gname} {member.linkname}"
        if path.is_file():
            yield path.read_bytes().decode("latin-1")


def test_a_release_has_the_licence_and_no_private_path(project: Project, photos: Path, tmp_path: Path) -> None:
    project.images.ingest(photos)
    with project.catalog.read() as connection:
        origins = connection.exec_driver_sql("SELECT origin FROM intake").scalars().all()
    assert all("kimberly_q" in origin for origin in origins), "the catalog knows the whole path"
    project.crowd.run(project.crowd.simulated(), Lead(2, 9))
    project.audits.draw([DOG], 2)
    release = project.releases.create("v1", outvoted=True)
    rows = pq.read_table(release.path / "manifest.parquet").to_pylist()
    assert {row["licence"] for row in rows if row["origin"] == "IMG_2.jpg"} <= {"CC0"}
    assert {row["licence"] for row in rows if row["origin"] == "IMG_1.jpg"} <= {"CC BY 4.0"}
    assert {row["licence"] for row in rows} & {"CC0", "CC BY 4.0"}
    assert {row["source"] for row in rows} == {"folder:photos"}
    for text in all_texts(release.path):
        for private in ("kimberly_q", str(tmp_path), "file://", "box 7", "pytest-"):
            assert private not in text


def test_a_home_folder_does_not_give_its_name_away(
    project: Project, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(photos.parent))
    project.images.ingest(photos.parent)
    assert {one.candidate.source for one in project.images.find()} == {"folder:home"}
