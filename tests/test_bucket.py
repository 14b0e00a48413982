"""A place in an object store: ranges of objects, and writes that overwrite nothing."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.errors import BucketError, BucketGone, ObjectExists
from holotype.store.bucket import Bucket, coalesced, is_url

DATA = bytes(range(256)) * 8


@pytest.fixture
def bucket(bucket_url: str) -> Bucket:
    return Bucket(bucket_url)


def test_a_range_of_an_object_is_read_by_one_request(bucket: Bucket) -> None:
    bucket.create("packs/a.tar", DATA)
    before = bucket.requests
    assert bucket.read("packs/a.tar", 250, 20) == DATA[250:270]
    assert (bucket.requests - before, bucket.received) == (1, 20)


def test_many_ranges_come_in_the_order_they_are_asked_for(bucket: Bucket) -> None:
    bucket.create("a", DATA)
    asked = [(700, 5), (0, 3), (0, 0), (2040, 8)]
    assert bucket.read_ranges("a", asked) == [DATA[offset : offset + length] for offset, length in asked]
    assert bucket.read_ranges("a", [(5, 0)]) == [b""]


@given(ranges=st.lists(st.tuples(st.integers(0, 1 << 25), st.integers(0, 1 << 22)), max_size=30))
def test_what_is_read_for_ranges_holds_each_of_them_once(ranges: list[tuple[int, int]]) -> None:
    spans = coalesced(ranges)
    assert sorted(number for span in spans for number in span.numbers) == list(range(len(ranges)))
    for span in spans:
        assert span.length <= max(8 << 20, *(ranges[number][1] for number in span.numbers))
        for number in span.numbers:
            offset, length = ranges[number]
            assert span.offset <= offset
            assert offset + length <= span.offset + span.length


@pytest.mark.parametrize(("offset", "length"), [(2040, 9), (4000, 1)])
def test_bytes_that_are_not_there_are_told(bucket: Bucket, offset: int, length: int) -> None:
    bucket.create("a", DATA)
    with pytest.raises(EOFError):
        bucket.read("a", offset, length)
    with pytest.raises(EOFError):
        bucket.read_ranges("a", [(0, 1), (offset, length)])


def test_what_is_there_is_not_written_over(bucket: Bucket) -> None:
    bucket.create("a", b"one")
    bucket.create("a", b"one")
    for other in (b"two", b"longer"):
        with pytest.raises(ObjectExists, match="somebody else writes there"):
            bucket.create("a", other)
    assert bucket.read("a", 0, 3) == b"one"


def test_of_many_writers_one_wins(bucket: Bucket) -> None:
    def write(number: int) -> bool:
        try:
            Bucket(bucket.url).create("claim", b"%d" % number)
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(16)))
    assert won.count(True) == 1
    assert bucket.read("claim", 0, len(str(won.index(True)))) == b"%d" % won.index(True)


def test_a_large_file_goes_up_in_parts_and_comes_back(bucket: Bucket, tmp_path: Path) -> None:
    data = DATA * (1 << 13) + b"end"  # over 16 MiB
    (tmp_path / "shard.tar").write_bytes(data)
    bucket.upload("v1/shard.tar", tmp_path / "shard.tar")
    state = bucket.state("v1/shard.tar")
    assert state is not None
    assert state.size == len(data)
    assert state.etag.strip('"').endswith("-2")  # two parts
    bucket.fetch("v1/shard.tar", tmp_path / "again" / "shard.tar")
    assert (tmp_path / "again" / "shard.tar").read_bytes() == data


def test_objects_are_listed_below_a_prefix(bucket: Bucket) -> None:
    for key in ("packs/b", "packs/a", "packs2/c", "releases/v1/d"):
        bucket.create(key, b"12")
    assert [(key, state.size) for key, state in bucket.names("packs")] == [("packs/a", 2), ("packs/b", 2)]
    assert [key for key, _ in bucket.under("releases/v1").names()] == ["d"]
    assert not list(bucket.names("nothing"))


def test_an_object_is_taken_away_once(bucket: Bucket) -> None:
    bucket.create("a", b"1")
    bucket.remove("a")
    bucket.remove("a")
    assert bucket.state("a") is None
    with pytest.raises(BucketGone):
        bucket.read("a", 0, 1)


def test_a_link_opens_one_object_without_credentials(bucket: Bucket) -> None:
    import httpx2

    bucket.create("a.txt", b"for anybody")
    assert httpx2.get(bucket.link("a.txt", 60)).content == b"for anybody"


def test_it_pickles_as_its_url_alone(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.create("a", b"1")
    assert b"secret" not in pickle.dumps(bucket)
    assert pickle.loads(pickle.dumps(bucket)).read("a", 0, 1) == b"1"  # noqa: S301 - our own


@pytest.mark.parametrize("ask", [lambda b: b.read("a", 0, 1), lambda b: b.create("a", b"1"), lambda b: list(b.names())])
def test_a_bucket_that_is_not_there_is_told(bucket_url: str, ask: Callable[[Bucket], object]) -> None:
    with pytest.raises(BucketError, match="there is no such bucket"):
        ask(Bucket("s3://no-such-bucket/birds"))


def test_a_store_where_nobody_answers_is_told(bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.store.bucket._RETRIES", {"max_retries": 0})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(BucketError, match="nobody answers there"):
        Bucket(bucket_url).state("a")


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///x",
        "ftp://host/x",
        "s3://b/../x",
        "s3://b//x",
        "s3://b/x?y=1",
        "s3://key:secret@b/x",
        "file:///x",
        "",
    ],
)
def test_what_is_no_place_in_a_store_is_refused_without_repeating_secrets(url: str) -> None:
    with pytest.raises(BucketError) as caught:
        Bucket(url)
    assert "secret" not in str(caught.value)


def test_credentials_in_a_url_are_refused_for_what_they_are() -> None:
    with pytest.raises(BucketError, match="s3://b/x: .*credentials come from the environment"):
        Bucket("s3://key:secret@b/x")


def test_urls_are_told_from_paths() -> None:
    assert [is_url(one) for one in ("s3://b/x", "gs://b", "az://c/x", "/s3://b", "s3:/b", Path("s3://b"))] == [
        *(True, True, True, False, False, False)
    ]
