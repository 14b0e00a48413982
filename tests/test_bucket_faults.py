"""An object store that answers badly: nothing is lost, nothing is doubled, and one line says what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from faulty_store import CUT, DENIED, EXPIRED, FULL, LOST, RESET, SHORT, SLOW, WRONG, Asked, Faulty, faulty_store, first
from holotype.catalog import schema as t
from holotype.errors import BucketError, PackError
from holotype.project import Project, intake
from holotype.store.bucket import Bucket
from holotype.store.packs import Commit
from object_store import ObjectStore

PACKS = "/packs/"
QUICK = timedelta(milliseconds=1)


@pytest.fixture
def faulty(object_store: ObjectStore, bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """The store behind a proxy, which the project reaches it through."""
    patient = {"max_retries": 3, "backoff": {"init_backoff": QUICK, "max_backoff": QUICK, "base": 2}}
    monkeypatch.setattr("holotype.store.bucket._RETRIES", patient)
    with faulty_store(object_store.address) as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL", between.address)
        yield between


@pytest.fixture
def db(faulty: Faulty, in_bucket: Project) -> Project:
    return in_bucket


@pytest.fixture
def photos(tmp_path: Path, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve pictures, which are taken in by four commits."""
    monkeypatch.setattr("holotype.store.pack_objects.PackObjects.commit_at", Commit(3, 1 << 20))
    monkeypatch.setattr("holotype.project.intake._batches", partial(intake._batches, count=3))
    fill(tmp_path / "photos" / "n02091134", 12)
    return tmp_path / "photos"


def check_whole(db: Project, photos: Path) -> None:
    """Every picture is there once, readable, and in a pack that is there once."""
    digests = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in photos.rglob("*.jpg"))
    assert sorted(hashlib.sha256(one.read()).hexdigest() for one in db.images.find("")) == digests
    with db.catalog.read() as connection:
        named = set(connection.execute(select(t.file.c.path)).scalars())
    bucket = Bucket(db._parts.packs().url)  # type: ignore[union-attr]
    assert {key for key, _ in bucket.names()} == named


@pytest.mark.parametrize("fault", [SLOW, RESET, LOST])
def test_what_passes_is_waited_for_when_packs_are_written(
    faulty: Faulty, db: Project, photos: Path, fault: str
) -> None:
    faulty.plan = first(2, fault, "PUT", PACKS)
    assert db.images.ingest(photos).kept == 12
    assert [fault for _, fault in faulty.asked].count(fault) == 2
    faulty.plan = lambda _: ""
    check_whole(db, photos)


@pytest.mark.parametrize("fault", [SLOW, RESET, CUT, SHORT, LOST, WRONG])
@pytest.mark.parametrize("many", [True, False])
def test_what_passes_is_waited_for_when_images_are_read(
    faulty: Faulty, db: Project, photos: Path, fault: str, many: bool
) -> None:
    db.images.ingest(photos)
    found = list(db.images.find(""))
    places = [one.candidate.location for one in found]
    faulty.plan = first(1, fault, "GET", PACKS)
    store = db._parts.store
    read = store.read_many(places) if many else [store.read(place) for place in places]
    assert [hashlib.sha256(data).hexdigest() for data in read] == [one.sha256 for one in found]
    assert fault in [fault for _, fault in faulty.asked]


def test_bytes_that_stay_wrong_are_an_error_and_not_kept(faulty: Faulty, db: Project, photos: Path) -> None:
    db.images.ingest(photos)
    (found, *_) = db.images.find("")
    faulty.plan = first(99, WRONG, "GET", PACKS)
    for read in (found.read, found.thumbnail):
        with pytest.raises(PackError, match="other bytes came"):
            read()
    faulty.plan = lambda _: ""
    assert hashlib.sha256(found.read()).hexdigest() == found.sha256
    assert found.thumbnail()[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (EXPIRED, "have expired"),
        (DENIED, "do not allow it"),
        (FULL, "no room left"),
        (SLOW, "go slower"),
        (RESET, "nobody answers"),
        (LOST, "nobody answers"),
    ],
)
def test_the_same_command_goes_on_where_the_store_failed_for_good(
    faulty: Faulty, db: Project, photos: Path, fault: str, said: str
) -> None:
    written: list[Asked] = []

    def fails_from_the_second_pack(asked: Asked) -> str:
        if asked.method == "PUT":
            written.append(asked)
        return fault if len(written) > 1 else ""

    faulty.plan = fails_from_the_second_pack
    with pytest.raises(BucketError, match=said) as caught:
        db.images.ingest(photos)
    assert len(str(caught.value).splitlines()) == 1
    with db.catalog.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.image)).scalar_one() == 3
    faulty.plan = lambda _: ""
    report = db.images.ingest(photos)
    assert (report.kept, report.unchanged) == (9, 3)
    check_whole(db, photos)


def test_an_outage_stops_fingerprints_and_says_so(faulty: Faulty, db: Project, photos: Path) -> None:
    db.images.ingest(photos)
    places = [one.candidate.location for one in db.images.find("")]
    faulty.plan = first(10**6, EXPIRED)
    with pytest.raises(BucketError, match="have expired"):
        list(db._parts.store.read_each(places))
