"""Whoever asks for a picture to be taken down is heard at once; a person decides, and all of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from conftest import encoded, photo
from holotype.catalog import Catalog
from holotype.catalog import removals as rows
from holotype.catalog.removals import Removal
from holotype.errors import CrowdError
from holotype.project import Project
from holotype.project.removals import LONGEST, MOST_IMAGES, name_in

DOG = "n02091134"


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def digests(db: Project, query: str = "state:yes") -> list[str]:
    return [found.sha256 for found in db.images.find(query)]


@pytest.mark.parametrize(
    "named",
    [
        "{sha256}",
        "{short}",
        "https://museum.example/image/{sha256}?release=v1",
        "http://localhost:8000/thumb/{sha256}.jpg",
        "/picture/{sha256}.jpg",
        "  {file}  ",
    ],
)
def test_a_picture_is_named_in_any_way_and_hidden_at_once(db: Project, named: str) -> None:
    first = db.images.find("").page(1, 1)[0]
    said = named.format(sha256=first.sha256, short=first.sha256[:16], file=first.candidate.file)
    asked = db.removals.ask(said, "it is me", "me@example.org")
    assert asked.images == (first.sha256,)
    assert asked.state == "pending"
    assert db.removals.hidden([first.sha256, "0" * 64]) == {first.sha256}
    assert db.removals.status(asked.receipt) == asked
    assert db.removals.pending() == db.removals.history() == [asked]


def test_what_is_accepted_is_withdrawn_and_what_is_declined_is_back(db: Project) -> None:
    before = digests(db)
    asked = db.removals.ask("\n".join(before[:2]), "it is me")
    accepted = db.removals.accept(asked.receipt, "op", "fair")
    assert (accepted.state, accepted.by, accepted.because) == ("accepted", "op", "fair")
    assert db.removals.pending() == []
    assert digests(db) == before[2:]
    assert db.removals.hidden(before) == set(before[:2])
    declined = db.removals.decline(asked.receipt, "op", "it was a mistake")
    assert declined.state == "declined"
    assert digests(db) == before
    assert db.removals.hidden(before) == set()
    assert [one.state for one in db.removals.history()] == ["declined"]


def test_near_duplicates_are_hidden_until_somebody_has_looked_at_them(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    for seed in range(3):
        (folder / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    for name, change in (("mirrored", Image.Transpose.FLIP_LEFT_RIGHT), ("again", None)):
        picture = photo(1) if change is None else photo(1).transpose(change)
        (folder / f"{name}.jpg").write_bytes(encoded(picture, quality=60))
    project.images.ingest(tmp_path / "photos")
    of = {one.candidate.file.rpartition("/")[2]: one.sha256 for one in project.images.find()}
    one, mirrored, again = (of[f"{name}.jpg"] for name in ("1", "mirrored", "again"))
    asked = project.removals.ask(f"{one}\n{of['2.jpg']}", "it is me", "me@example.org")
    assert asked.images == tuple(sorted((one, of["2.jpg"])))
    first, near = project.removals.pending()
    assert first == asked
    assert near.images == tuple(sorted((mirrored, again)))
    assert (near.said, near.reason, near.contact) == (
        f"nearly the same as what request {asked.receipt[:8]} names", "it is me", "me@example.org"
    )  # fmt: skip
    assert project.removals.hidden(list(of.values())) == set(of.values()) - {of["0.jpg"]}
    project.removals.ask(one, "once more")
    assert len(project.removals.pending()) == 3, "they are hidden already"
    project.removals.accept(asked.receipt, "op", "fair")
    assert project.removals.hidden([mirrored, again]) == {mirrored, again}
    project.removals.decline(near.receipt, "op", "that is somebody else")
    assert project.removals.hidden([mirrored, again]) == set()
    project.removals.ask(again, "me, too")
    assert project.removals.hidden([mirrored, again]) == set(), "somebody decided to keep them"
    assert [one.images for one in project.removals.pending()] == [(one,), (again,)]


def test_near_duplicates_are_no_way_to_hide_everything(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    for quality in range(60, 90, 5):
        (folder / f"{quality}.jpg").write_bytes(encoded(photo(1), quality=quality))
    project.images.ingest(tmp_path / "photos")
    monkeypatch.setattr("holotype.project.removals.MOST_HIDDEN", 4)
    of = [one.sha256 for one in project.images.find()]
    project.removals.ask(of[0], "it is me")
    assert len(project.removals.hidden(of)) == 4
    assert len(project.removals.pending()) == 2


def test_a_request_alone_does_not_hide_what_somebody_decided_to_keep(db: Project) -> None:
    kept, other = digests(db)[:2]
    db.removals.decline(db.removals.ask(kept, "spite").receipt, "op", "no reason given")
    again = db.removals.ask(f"{kept}\n{other}", "spite, again")
    assert again.images == tuple(sorted((kept, other)))
    assert db.removals.hidden([kept, other]) == {other}
    db.removals.accept(again.receipt, "op", "well then")
    assert db.removals.hidden([kept, other]) == {kept, other}


def test_declining_one_of_two_accepted_requests_keeps_the_picture_down(db: Project) -> None:
    (first, *_) = digests(db)
    one, two = (db.removals.accept(db.removals.ask(first, why).receipt, "op", "yes") for why in ("a", "b"))
    db.removals.decline(one.receipt, "op", "not this one")
    assert db.removals.hidden([first]) == {first}
    db.removals.decline(two.receipt, "op", "nor that")
    assert db.removals.hidden([first]) == set()


def test_the_next_release_leaves_out_what_is_asked_and_says_so(db: Project) -> None:
    asked = db.removals.ask("\n".join(digests(db)[:3]), "it is me")
    second = db.releases.create("v2", outvoted=True)
    assert second.summary["removal_asked"] == 3
    assert len(second.find("")) == 9
    assert second.verify() == []
    db.removals.decline(asked.receipt, "op", "public domain")
    third = db.releases.create("v3", outvoted=True)
    assert "removal_asked" not in third.summary
    assert len(third.find("")) == 12


def test_what_names_no_picture_waits_for_a_person_and_hides_nothing(db: Project) -> None:
    asked = db.removals.ask("the photo of my aunt\nhttps://elsewhere.example/a.jpg\nhttp://[", "it is her")
    assert asked.images == ()
    assert db.removals.pending() == [asked]
    assert db.removals.accept(asked.receipt, "op", "found it by hand").state == "accepted"


def test_an_address_on_the_web_names_the_picture_that_was_found_there(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    photo(1).save(folder / "a.jpg")
    table = tmp_path / "about.csv"
    table.write_text("file,url,author\nn02091134/a.jpg,https://flickr.example/p/1?x=2,Ann\n")
    project.images.ingest(tmp_path / "photos", metadata=table)
    asked = project.removals.ask("https://flickr.example/p/1?x=2", "mine")
    assert len(asked.images) == 1


@pytest.mark.parametrize(
    ("said", "reason", "message"),
    [
        ("", "because", "which pictures, and why"),
        ("a", " \n ", "which pictures, and why"),
        ("a\n" * 21, "because", "at most 20 pictures"),
        ("a" * (LONGEST + 1), "because", "2,000 characters"),
        ("a", "b\0", "cannot be printed"),
        ("a\u202e", "b", "cannot be printed"),
    ],
)
def test_a_request_that_is_none_is_refused(db: Project, said: str, reason: str, message: str) -> None:
    with pytest.raises(CrowdError, match=message):
        db.removals.ask(said, reason)
    assert db.removals.history() == []


def test_one_request_cannot_hide_everything(project: Project, fill: Callable[..., None], tmp_path: Path) -> None:
    for number in range(MOST_IMAGES + 1):
        fill(tmp_path / "photos" / DOG / f"{number}", 1, first=number)  # 0000.jpg twenty-one times
        (tmp_path / "photos" / DOG / f"{number}" / f"{number:04d}.jpg").rename(
            tmp_path / "photos" / DOG / f"{number}" / "same.jpg"
        )
    project.images.ingest(tmp_path / "photos")
    with pytest.raises(CrowdError, match="names 21 pictures, and a request at most 20"):
        project.removals.ask("same.jpg", "all of them")


def test_many_requests_cannot_hide_everything(db: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.project.removals.MOST_HIDDEN", 4)
    before = digests(db)
    asked = [db.removals.ask("\n".join(before[at : at + 2]), "spite") for at in range(0, 8, 2)]
    assert [len(one.images) for one in asked] == [2, 2, 0, 0]
    assert db.removals.hidden(before) == set(before[:4])
    assert db.removals.pending() == asked, "a person reads all of them"
    db.removals.accept(asked[2].receipt, "op", "this one is right")
    assert db.removals.hidden(before) == set(before[:6])
    assert digests(db) == [*before[:4], *before[6:]]
    db.removals.decline(asked[2].receipt, "op", "it was not")
    for one in asked[:2]:
        db.removals.decline(one.receipt, "op", "spite")
    assert db.removals.hidden(before) == set()
    assert db.removals.ask("\n".join(before[8:10]), "it is me").images, "there is room again"


@pytest.mark.parametrize("receipt", ["", "x", "0" * 32, "0" * 31 + "G", "'; --"])
def test_a_receipt_that_is_none_tells_nothing(db: Project, receipt: str) -> None:
    assert db.removals.status(receipt) is None
    with pytest.raises(CrowdError, match="no request with this receipt"):
        db.removals.accept(receipt, "op", "why not")


def test_requests_are_kept_the_same_in_both_databases(catalog: Catalog) -> None:
    asked = Removal("a" * 32, "x", "why", "me", 1.0, ("1" * 64, "2" * 64))
    catalog.transact(lambda connection: rows.add(connection, asked))
    with catalog.read() as connection:
        assert rows.pending(connection) == [asked]
        assert rows.out_of_sight(connection) == ["1" * 64, "2" * 64]
    catalog.transact(lambda connection: rows.decide(connection, "a" * 32, "declined", "op", "no", 2.0))
    with catalog.read() as connection:
        assert rows.pending(connection) == []
        assert rows.out_of_sight(connection) == []
        assert rows.with_receipt(connection, "a" * 32) is not None


def test_the_name_in_a_line() -> None:
    assert name_in("https://h/image/imagenet/n01_1") == "imagenet/n01_1"
    assert name_in("https://h/thumb/a%20b.jpg") == "a b"
    assert name_in("image 7.jpg") == "image 7.jpg"
    assert name_in("http://[") == "http://["
