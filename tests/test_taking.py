"""Files that are taken in as they come: commits, what others write into them, and what was fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select

from conftest import encoded, photo
from holotype.catalog import Catalog
from holotype.catalog import schema as t
from holotype.collect.inputs import InputFile, Sighting
from holotype.collect.sidecars import Credit
from holotype.project.taking import Stored, take_each

DOG = Sighting("n02084071", 7, "commons", "dog", 3, "CC BY 4.0")


def fetched(seed: int, url: str = "") -> InputFile:
    data = encoded(photo(seed))
    return InputFile.fetched(url or f"https://a.test/{seed}.jpg", data, [DOG], Credit("CC BY 4.0", "Ann", "https://p/"))


def taken(
    catalog: Catalog, packs: Path, batches: Iterable[Sequence[InputFile]], also: object = lambda *_: None
) -> Iterator[Stored]:
    return take_each(batches, catalog, packs, lambda: 5.0, 1, also)  # type: ignore[arg-type]


def test_what_was_fetched_is_an_image_with_its_origin_and_credit(catalog: Catalog, tmp_path: Path) -> None:
    (stored,) = taken(catalog, tmp_path, [[fetched(1, "https://a.test/my%20dog.jpg?x=1"), fetched(2)]])
    assert [(one.outcome, one.name) for one in stored.inputs] == [("kept", "my dog.jpg"), ("kept", "2.jpg")]
    with catalog.read() as connection:
        seen = connection.execute(select(t.sighting.c.origin, t.sighting.c.source, t.sighting.c.position)).all()
        said = connection.execute(select(t.credit.c.author, t.credit.c.origin)).all()
    assert sorted(seen) == [("https://a.test/2.jpg", "commons", 3), ("https://a.test/my%20dog.jpg?x=1", "commons", 3)]
    assert sorted(said) == [("Ann", "https://a.test/2.jpg"), ("Ann", "https://a.test/my%20dog.jpg?x=1")]


def test_an_empty_batch_commits_what_is_held(catalog: Catalog, tmp_path: Path) -> None:
    asked: list[int] = []

    def batches() -> Iterator[list[InputFile]]:
        for seed in range(3):
            asked.append(seed)
            yield [fetched(seed)]
            for _ in range(4):  # the engine looks ahead of its only worker by two
                yield []

    kept = [(stored.files, len(asked)) for stored in taken(catalog, tmp_path, batches())]
    assert [files for files, _ in kept] == [1, 1, 1]
    assert kept[0][1] < 3


def test_bytes_that_are_no_picture_are_rejected_and_remembered(catalog: Catalog, tmp_path: Path) -> None:
    page = InputFile.fetched("https://a.test/x.jpg", b"<html>not found</html>", [DOG])
    (stored,) = taken(catalog, tmp_path, [[page]])
    assert [(one.outcome, one.reason) for one in stored.inputs] == [("rejected", "unknown_format")]
    (again,) = taken(catalog, tmp_path, [[page]])
    assert again.late == {"https://a.test/x.jpg": None}


def test_the_same_address_with_other_bytes_is_another_input(catalog: Catalog, tmp_path: Path) -> None:
    url = "https://a.test/1.jpg"
    (first,) = taken(catalog, tmp_path, [[fetched(1, url)]])
    (same,) = taken(catalog, tmp_path, [[fetched(1, url)]])
    (other,) = taken(catalog, tmp_path, [[fetched(2, url)]])
    assert (len(first.inputs), len(same.inputs), len(other.inputs)) == (1, 0, 1)
    assert same.late == {url: first.inputs[0].image_id}


def test_what_is_written_beside_a_commit_stands_and_falls_with_it(catalog: Catalog, tmp_path: Path) -> None:
    def note(connection: Connection, stored: Stored) -> None:
        connection.execute(insert(t.meta).values(key="noted", value=str(len(stored.inputs))))

    def fail(connection: Connection, stored: Stored) -> None:
        note(connection, stored)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(taken(catalog, tmp_path, [[fetched(1)]], fail))
    with catalog.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.image)).scalar() == 0
        assert connection.execute(select(t.meta.c.value).where(t.meta.c.key == "noted")).scalar() is None
    list(taken(catalog, tmp_path, [[fetched(1)]], note))
    with catalog.read() as connection:
        assert connection.execute(select(t.meta.c.value).where(t.meta.c.key == "noted")).scalar() == "1"
        assert connection.execute(select(func.count()).select_from(t.image)).scalar() == 1
