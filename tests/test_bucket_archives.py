"""Archives in a bucket: the same images as from a disk, read by ranges, and one line for whatever goes wrong."""

from __future__ import annotations

import io
import json
import random
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import encoded, photo, run
from holotype.benchmark.orders import order
from holotype.errors import ArchiveError, BucketError, OverAllowance
from holotype.imports.discover import find_ilsvrc2012
from holotype.imports.finding import find
from holotype.imports.readings import Told
from holotype.imports.reports import ImportReport
from holotype.imports.shapes import Kind, Source
from holotype.project import Project
from holotype.store import objects
from holotype.store.allowance import Allowance, Cost
from holotype.store.bucket import Bucket, ObjectState
from holotype.store.location import Location
from holotype.store.objects import ObjectPath, place
from holotype.store.openfiles import RemoteFile
from holotype.store.reach import outside
from holotype.store.store import Store
from holotype.store.tar import ahead
from holotype.store.tar.ahead import Ahead
from holotype.store.tar.scan import Headers, read_headers
from official import Picture, tar_of, write_archives, write_tree
from test_import import CAT, DOG, ROUTES, Facts, expected, facts, pictures


def put(folder: Path, url: str) -> ObjectPath:
    """Everything below a folder as objects below a URL."""
    bucket = Bucket(url)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            bucket.create(path.relative_to(folder).as_posix(), path.read_bytes())
    found = place(url)
    assert isinstance(found, ObjectPath)
    return found


def import_from(db: Project, *paths: Path, **options: Any) -> ImportReport:
    sources, problems = find_ilsvrc2012(paths)
    return db.datasets.add(sources, "ilsvrc2012", problems=problems, **options)


class InMemory(RemoteFile):
    """An object that this process holds; counts what is asked of it."""

    def __init__(self, data: bytes) -> None:
        self.url, self.size, self.mtime_ns, self.data = "s3://here/a.tar", len(data), 1, data
        self.asked = 0

    def read(self, offset: int, length: int) -> bytes:
        self.asked += 1
        if offset + length > self.size:
            raise EOFError
        return self.data[offset : offset + length]


def from_memory(data: bytes) -> Callable[[int, int], bytes]:
    def read(position: int, length: int) -> bytes:
        found = data[position : position + length]
        if len(found) != length:
            raise EOFError
        return found

    return read


def outcome(read: Callable[[int, int], bytes], size: int) -> Headers | str:
    try:
        return read_headers(read, "a.tar", 0, size)
    except ArchiveError as error:
        return str(error)


def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many stretches, guesses and windows, also of small tars."""
    for name, value in {"_FIRST": 2048, "_STRETCH": 4096, "DENSE": 3000, "_HEADERS": (2, 4), "_LOOK": 2048}.items():
        monkeypatch.setattr(ahead, name, value)


def tarred(members: list[tuple[str, bytes]], form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def images_like(draw: Any) -> bytes:
    """What an image may hold: noise, or headers of a tar, whole tars, zeros."""
    inner = tar_of([(f"fake_{n}.JPEG", bytes(n * 100)) for n in range(draw(st.integers(1, 4)))])
    kind = draw(st.sampled_from(["noise", "tar", "cut", "zeros", "empty"]))
    made: dict[str, bytes] = {
        "noise": random.Random(draw(st.integers(0, 9))).randbytes(draw(st.integers(1, 9000))),
        "tar": inner,
        "cut": inner[:512] * draw(st.integers(1, 6)),
        "zeros": bytes(draw(st.integers(0, 5000))),
        "empty": b"",
    }
    return made[kind]


@st.composite
def tars(draw: Any) -> bytes:
    """Tars as programs write them, some with long names, some damaged or cut short."""
    count = draw(st.integers(0, 40))
    long = draw(st.sampled_from([1, 40]))
    names = [f"{'folder/' * long}{n}.JPEG" for n in range(count)]
    form = draw(st.sampled_from([tarfile.USTAR_FORMAT if long == 1 else tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
    data = bytearray(tarred([(name, images_like(draw)) for name in names], form))
    harm = draw(st.sampled_from(["none", "none", "cut", "flip"]))
    if harm == "cut":
        del data[draw(st.integers(0, len(data))) :]
    elif harm == "flip":
        data[draw(st.integers(0, len(data) - 1))] ^= 0xFF
    return bytes(data)


@settings(max_examples=150, deadline=None)
@given(data=tars(), at_once=st.sampled_from([1, 2, 8]), stride=st.sampled_from([None, 0.0, 1e6]))
def test_whatever_a_tar_holds_it_reads_as_on_a_disk(data: bytes, at_once: int, stride: float | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        small_steps(patch)
        with Ahead(InMemory(data), Allowance(), at_once=at_once, stride=stride) as read:
            assert outcome(read, len(data)) == outcome(from_memory(data), len(data))


def test_headers_inside_of_images_are_not_members(monkeypatch: pytest.MonkeyPatch) -> None:
    small_steps(monkeypatch)
    fake = tar_of([(f"fake_{n}.JPEG", b"x" * 600) for n in range(9)])
    data = tar_of([(f"true_{n}.JPEG", fake) for n in range(30)])
    with Ahead(InMemory(data), Allowance(), at_once=8) as read:
        found = read_headers(read, "a.tar", 0, len(data))
    assert found.names == [f"true_{n}.JPEG" for n in range(30)]


def test_a_chain_takes_about_one_request_a_member_and_little_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_FIRST", 1 << 16)
    rng = random.Random(1)
    data = tar_of([(f"{n}.JPEG", rng.randbytes(80_000)) for n in range(300)])
    file, allowance = InMemory(data), Allowance()
    with Ahead(file, allowance, at_once=16) as read:
        assert len(read_headers(read, "a.tar", 0, len(data)).names) == 300
    assert file.asked == allowance.requests < 360
    assert allowance.received < len(data) / 10


def test_small_members_are_read_by_few_requests() -> None:
    data = tar_of([(f"{n}.JPEG", bytes(700)) for n in range(8_000)])
    file, allowance = InMemory(data), Allowance()
    with Ahead(file, allowance) as read:
        assert len(read_headers(read, "a.tar", 0, len(data)).names) == 8_000
    assert file.asked < 8
    assert allowance.received < 1.2 * len(data)


def test_long_names_cost_no_requests_of_their_own() -> None:
    rng = random.Random(1)
    data = tarred([(f"{'folder/' * 40}{n}.JPEG", rng.randbytes(70_000)) for n in range(64)], tarfile.PAX_FORMAT)
    file = InMemory(data)
    with Ahead(file, Allowance(), at_once=1, stride=1e6) as read:
        read_headers(read, "a.tar", 0, len(data))
    assert file.asked < 70


def test_no_more_is_asked_than_is_allowed() -> None:
    rng = random.Random(1)
    data = tar_of([(f"{n}.JPEG", rng.randbytes(80_000)) for n in range(100)])
    for allowance in (Allowance(most_requests=40), Allowance(most_received=(1 << 20) + 5_000)):
        with Ahead(InMemory(data), allowance, at_once=8) as read, pytest.raises(OverAllowance, match="are allowed"):
            read_headers(read, "a.tar", 0, len(data))
        assert allowance.requests <= 40
        assert allowance.received <= 2 << 20


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_through_a_bucket_leads_to_the_same_items(
    project: Project, tmp_path: Path, bucket_url: str, route: str
) -> None:
    images = pictures()
    ROUTES[route](tmp_path / "data", images)
    report = import_from(project, put(tmp_path / "data", bucket_url))
    assert facts(project) == expected(project, images)
    assert report.requests > 0
    assert f"{report.requests:,} requests to the object store" in str(report).splitlines()[-1]


@pytest.mark.parametrize("route", ROUTES)
def test_the_one_command_finds_in_a_bucket_what_it_finds_in_a_folder(
    project: Project, tmp_path: Path, bucket_url: str, route: str
) -> None:
    ROUTES[route](tmp_path / "data", pictures())
    root = put(tmp_path / "data", bucket_url)
    told = Told(ilsvrc=(DOG, CAT))
    here, there = find([tmp_path / "data"], told), find([root], told)
    assert (there.questions, there.problems) == (here.questions, here.problems)

    def taken(found: Any, folder: Path) -> list[tuple[Any, ...]]:
        return sorted(
            (take.dataset, take.source.kind, take.source.path.relative_to(folder).as_posix(), take.source.split)
            for take in found.takes
        )

    assert taken(there, root) == taken(here, tmp_path / "data")
    for dataset, sources in there.by_dataset("all").items():
        project.datasets.add(sources, dataset)
    assert facts(project) == expected(project, pictures())


def test_shards_in_a_bucket_bring_their_labels(project: Project, tmp_path: Path, bucket_url: str) -> None:
    samples = [
        member
        for n in range(20)
        for member in (
            (f"{n:03}.jpg", random.Random(n).randbytes(3000)),
            (f"{n:03}.cls", b"%d" % (n % 2)),
            (f"{n:03}.json", json.dumps({"url": f"https://example.org/{n}.jpg"}).encode()),
        )
    ]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train-000.tar").write_bytes(tar_of(samples))
    told = Told(numbers=(DOG, CAT), counted="by hand")
    held: list[Facts] = []
    for number, root in enumerate((tmp_path / "data", put(tmp_path / "data", bucket_url))):
        found = find([root], told)
        project.datasets.add(found.by_dataset("x")["x"], f"shards{number}")
        held.append(facts(project))
    assert {name: fact[2:] for name, fact in held[0].items()} == {name: fact[2:] for name, fact in held[1].items()}
    assert {fact[1] for fact in held[0].values()} == {DOG, CAT}


def sound(count: int) -> list[Picture]:
    return [Picture(f"{DOG}_{n}", "train", DOG, encoded(photo(n))) for n in range(count)]


def test_images_of_an_archive_in_order_are_read_by_few_requests(
    project: Project, tmp_path: Path, bucket_url: str
) -> None:
    write_archives(tmp_path / "data", sound(30))
    root = put(tmp_path / "data", bucket_url)
    import_from(project, root / "ILSVRC2012_img_train.tar")
    before = root.bucket.requests
    report = project.datasets.fingerprint()
    assert (report.sound, report.unreadable) == (30, 0)
    assert root.bucket.requests - before <= 4


def test_nothing_is_read_of_an_object_that_was_replaced(project: Project, tmp_path: Path, bucket_url: str) -> None:
    write_archives(tmp_path / "data", sound(3))
    root = put(tmp_path / "data", bucket_url)
    path = root / "ILSVRC2012_img_train.tar"
    import_from(project, path)
    assert {one.state for one in project.datasets.check()} == {"there"}
    file = RemoteFile(path)
    write_archives(tmp_path / "other", sound(4))
    Bucket(bucket_url).upload(path.name, tmp_path / "other" / path.name)
    with pytest.raises(ArchiveError, match="was replaced while it was read"):
        file.read(0, 512)
    with pytest.raises(ArchiveError, match="was replaced while it was read"):
        file.read_many([(0, 512), (600, 10)])
    report = project.datasets.fingerprint()
    assert report.unreadable == 3
    assert "has changed since it was imported" in report.problems[0]
    (checked,) = project.datasets.check()
    assert (checked.state, checked.changed) == ("changed", 3)
    Bucket(bucket_url).remove(path.name)
    (checked,) = project.datasets.check()
    assert (checked.state, checked.missing) == ("missing", 3)


def test_an_archive_that_moved_in_a_bucket_is_followed(project: Project, tmp_path: Path, bucket_url: str) -> None:
    write_archives(tmp_path / "data", sound(3))
    old, new = put(tmp_path / "data", f"{bucket_url}/old"), put(tmp_path / "data", f"{bucket_url}/new")
    import_from(project, old / "ILSVRC2012_img_train.tar")
    Bucket(f"{bucket_url}/old").remove("ILSVRC2012_img_train.tar")
    (report,) = import_from(project, new / "ILSVRC2012_img_train.tar", overwritten=True).sources
    assert (report.known, report.moved) == (3, 3)
    assert project.datasets.fingerprint().sound == 3


def test_trees_of_objects_are_checked_by_one_listing(project: Project, tmp_path: Path, bucket_url: str) -> None:
    write_tree(tmp_path / "data", sound(5))
    root = put(tmp_path / "data", bucket_url)
    import_from(project, root)
    assert project.datasets.fingerprint().sound == 5
    before = root.bucket.requests
    assert sum(one.there for one in project.datasets.check()) == 5
    assert root.bucket.requests - before <= 4
    Bucket(bucket_url).remove(f"train/{DOG}/{DOG}_2.JPEG")
    checked = project.datasets.check()
    assert (sum(one.there for one in checked), sum(one.missing for one in checked)) == (4, 1)


def test_what_lies_in_a_bucket_is_forgotten_by_its_url(project: Project, tmp_path: Path, bucket_url: str) -> None:
    write_archives(tmp_path / "data", pictures())
    root = put(tmp_path / "data", bucket_url)
    import_from(project, root)
    went = project.datasets.forget("ilsvrc2012", [root / "ILSVRC2012_img_val.tar"])
    assert went.gone.images == sum(one.split == "val" for one in pictures())
    project.datasets.forget("ilsvrc2012", [root])
    assert not project.datasets.counts()


def test_an_import_that_is_stopped_goes_on(
    project: Project, tmp_path: Path, bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.imports.scan.PART", 5)
    monkeypatch.setattr(ahead, "_FIRST", 2048)
    images = [Picture(f"ILSVRC2012_val_{n:08d}", "val", "", random.Random(n).randbytes(2000)) for n in range(1, 31)]
    (tmp_path / "data").mkdir()
    name = "ILSVRC2012_img_val.tar"
    (tmp_path / "data" / name).write_bytes(tar_of((f"{one.name}.JPEG", one.data) for one in images))
    root = put(tmp_path / "data", bucket_url)

    def stop(stage: str, done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.datasets.add(find_ilsvrc2012([root]).sources, "ilsvrc2012", stop)
    assert not project.datasets.counts()
    told: list[tuple[str, int, int]] = []
    project.datasets.add(find_ilsvrc2012([root]).sources, "ilsvrc2012", lambda *said: told.append(said))
    assert facts(project) == expected(project, images)
    assert min(done for stage, done, _ in told if stage == "headers") > (root / name).stat().st_size / 2


def test_an_archive_that_was_cut_short_gives_one_line(project: Project, tmp_path: Path, bucket_url: str) -> None:
    write_archives(tmp_path / "data", pictures())
    lines = {}
    for name in ("ILSVRC2012_img_val.tar", "ILSVRC2012_img_train.tar"):
        path = tmp_path / "data" / name
        path.write_bytes(path.read_bytes()[:9_000])
    root = put(tmp_path / "data", bucket_url)
    for place_of in (tmp_path / "data", root):
        with pytest.raises(ArchiveError) as raised:
            import_from(project, place_of)
        lines[place_of] = str(raised.value).replace(str(place_of), "")
    assert lines[root] == lines[tmp_path / "data"]
    assert not project.datasets.counts()


def test_more_than_is_allowed_stops_an_import_with_one_line(tmp_path: Path, bucket_url: str) -> None:
    write_archives(tmp_path / "data", pictures())
    put(tmp_path / "data", bucket_url)
    run("init", tmp_path / "p")
    arguments = "datasets", "add", bucket_url, "--most-requests", "2", "-p", tmp_path / "p"
    printed = run(*arguments, expect=2)
    assert re.search(r"img_train.tar: about \d+ requests to the object store, [\d.]+ [KM]B received", printed)
    assert "2 requests are allowed; nothing was added" in printed
    assert "--most-requests" in printed
    assert "[]" in run("datasets", "list", "--json", "-p", tmp_path / "p")


def numbered(count: int, size: int) -> list[Picture]:
    """Pictures of so many bytes, as far as headers tell."""
    wnids = order("sorted").wnids[:7]
    train = [Picture(f"{wnids[n % 7]}_{n}", "train", wnids[n % 7], bytes(size)) for n in range(count)]
    return train + [Picture(f"ILSVRC2012_val_{n + 1:08}", "val", "", bytes(size)) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "size"), [(1, 300), (3, 900), (40, 2_000), (9, 110_000), (90, 110_000), (1200, 4_000)]
)
def test_what_an_import_takes_is_foretold_of_tars_of_any_size(
    project: Project, tmp_path: Path, bucket_url: str, count: int, size: int
) -> None:
    write_archives(tmp_path / "data", numbered(count, size))
    put(tmp_path / "data", bucket_url)
    told: list[Cost] = []
    for kind, split in ((Kind.SYNSETS, "train"), (Kind.VAL, "val")):
        source = Source(kind, place(f"{bucket_url}/ILSVRC2012_img_{split}.tar"))
        report = project.datasets.add([source], "d", expect=lambda _, cost: told.append(cost))
        assert report.sources[0].images == count
        assert told[-1].requests / 1.4 - 3 < report.requests < told[-1].requests * 1.4 + 3
        assert told[-1].received / 1.5 - 32_000 < report.received < told[-1].received * 1.5 + 32_000


def test_the_command_line_takes_urls_and_says_what_they_cost(tmp_path: Path, bucket_url: str) -> None:
    write_archives(tmp_path / "data", sound(4))
    put(tmp_path / "data", bucket_url)
    run("init", tmp_path / "p")
    printed = run("datasets", "add", bucket_url, "-p", tmp_path / "p")
    assert "ilsvrc2012: 4 images, 4 of them new" in printed
    assert "MB received" in printed
    assert "4 sound" in run("datasets", "fingerprint", "-p", tmp_path / "p")
    assert "there" in run("datasets", "check", "-p", tmp_path / "p")
    assert "4 images" in run(
        "datasets", "forget", "ilsvrc2012", "--source", bucket_url, "--dry-run", "-p", tmp_path / "p"
    )
    assert "a-very-secret-key" not in printed


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://{bucket}/nothing.tar", "there is no object"),
        ("s3://no-such-bucket-here/a.tar", "no such bucket"),
        ("s3://key:secret@{bucket}/a.tar", "credentials come from the environment"),
        ("s3://{bucket}/a.tar?X-Amz-Signature=secret", "credentials come from the environment"),
    ],
)
def test_what_is_not_there_gives_one_line(tmp_path: Path, bucket_url: str, url: str, said: str) -> None:
    run("init", tmp_path / "p")
    asked = url.format(bucket=bucket_url.split("/")[2])
    printed = run("datasets", "add", asked, "-p", tmp_path / "p", expect=2)
    assert said in printed
    assert "Traceback" not in printed
    assert "secret" not in printed


def test_credentials_that_expire_in_the_middle_leave_nothing_behind(
    project: Project, tmp_path: Path, bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_archives(tmp_path / "data", pictures())
    root = put(tmp_path / "data", bucket_url)
    sources = find_ilsvrc2012([root]).sources
    read, left = Bucket.read, [3]

    def expire(self: Bucket, key: str, offset: int, length: int, etag: str = "") -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise BucketError(f"{self.url}/{key}", "the credentials in the environment have expired")
        return read(self, key, offset, length, etag)

    monkeypatch.setattr(Bucket, "read", expire)
    with pytest.raises(ArchiveError, match="the credentials in the environment have expired"):
        project.datasets.add(sources, "ilsvrc2012")
    assert not project.datasets.counts()
    monkeypatch.setattr(Bucket, "read", read)
    project.datasets.add(sources, "ilsvrc2012")
    assert facts(project).keys() == {one.name for one in pictures()}


def test_an_object_that_is_replaced_during_its_import_is_refused(
    project: Project, tmp_path: Path, bucket_url: str
) -> None:
    write_archives(tmp_path / "data", pictures())
    root = put(tmp_path / "data", bucket_url)
    sources = [one for one in find_ilsvrc2012([root]).sources if one.kind == "val"]
    write_archives(tmp_path / "other", pictures()[:20])

    def replace(stage: str, done: int, total: int) -> None:
        Bucket(bucket_url).upload("ILSVRC2012_img_val.tar", tmp_path / "other/ILSVRC2012_img_val.tar")

    with pytest.raises(ArchiveError, match="was replaced while it was read"):
        project.datasets.add(sources, "ilsvrc2012", replace)
    assert not project.datasets.counts()


def test_strangers_may_not_name_objects(bucket_url: str) -> None:
    assert outside([f"{bucket_url}/a.tar"], ["/data"]) == [f"{bucket_url}/a.tar"]
    assert outside([f"{bucket_url}/a.tar"], [bucket_url]) == []
    assert outside([f"{bucket_url}-other/a.tar"], [bucket_url]) == [f"{bucket_url}-other/a.tar"]
    assert outside([f"{bucket_url}/../b/a.tar", "s3://", "/data/x"], [bucket_url]) == [
        f"{bucket_url}/../b/a.tar",
        "s3://",
        "/data/x",
    ]
    with pytest.raises(ArchiveError, match="nothing there is read unless"):
        Store(Path("/nowhere"), ["/data"]).read(Location(f"{bucket_url}/a.tar", 0, 10, "val", "", 10, 1))


def test_paths_in_a_bucket_are_paths(bucket_url: str, tmp_path: Path) -> None:
    (tmp_path / "x/train/a").mkdir(parents=True)
    for name in ("a/1.jpg", "a/2.jpg", "a.txt", "b.tar", "zz/1.jpg"):
        (tmp_path / "x/train" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x/train" / name).write_bytes(b"one")
    root = put(tmp_path / "x", bucket_url)
    assert str(root) == bucket_url
    assert [one.name for one in (root / "train").iterdir()] == ["a.txt", "a", "b.tar", "zz"]
    assert [str(one) for one in (root / "train").glob("*.tar")] == [f"{bucket_url}/train/b.tar"]
    assert ((root / "train").is_dir(), (root / "train").is_file(), (root / "trai").exists()) == (True, False, False)
    assert (root / "train/a/1.jpg").relative_to(root).as_posix() == "train/a/1.jpg"
    assert (root / "train/a/1.jpg").stat().st_size == 3
    with pytest.raises(FileNotFoundError):
        (root / "none").stat()


def test_parquet_in_a_bucket_is_to_be_fetched_and_beside_shards_passed_over(tmp_path: Path, bucket_url: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/00000.parquet").write_bytes(b"PAR1")
    write_archives(tmp_path / "x", pictures())
    root = put(tmp_path / "x", bucket_url)
    assert find([root / "00000.parquet"], Told()).problems == [
        f"{root}/00000.parquet is Parquet, which is read from a disk alone: fetch it first"
    ]
    found = find([root], Told())
    assert (found.problems, found.passed) == ([], [root / "00000.parquet"])


def test_a_folder_of_many_objects_is_named_to_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def names(self: Bucket, prefix: str = "") -> Iterator[tuple[str, ObjectState]]:
        for number in range(10_000_000):
            asked.append(number)
            yield f"{prefix}{number:08d}.jpg", ObjectState(3, 1, "x")

    monkeypatch.setattr(Bucket, "names", names)
    monkeypatch.setattr(Bucket, "state", lambda *_: None)
    found = find([place("s3://many/images")], Told())
    assert len(found.takes) == 1
    assert len(asked) <= 210_000


@pytest.fixture(autouse=True)
def _fresh_buckets(object_store: str) -> Iterator[None]:
    """Each test with buckets opened anew."""
    objects.bucket_of.cache_clear()
    yield
    objects.bucket_of.cache_clear()
