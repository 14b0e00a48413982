"""Releases in a bucket: the same bytes as on a disk, whole or not there, and read by anybody who may."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from platformdirs import user_cache_path

import holotype
from conftest import command, program, run
from holotype.catalog import schema
from holotype.errors import BucketError, OtherMaking, PackError, ReleaseError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import CHECKSUMS, MANIFEST, Release, open_release, verify_release
from holotype.releases.exports.formats import export
from holotype.releases.loaders import samples_of
from holotype.releases.loaders.images import ImageDataset
from holotype.releases.loaders.loader import Loader
from holotype.releases.loaders.order import Order
from holotype.releases.loaders.settings import Settings
from holotype.releases.mirror import find_mirror, known_mirror
from holotype.releases.publishing import publish
from holotype.releases.recipe import Recipe
from holotype.releases.streamed import PART, stream_shard
from holotype.releases.takedown import Unwanted
from holotype.releases.uploads import Uploads, abandon
from holotype.store.bucket import Bucket

SMALL = Recipe(outvoted=True, shard_bytes=4_000)
"""Shards of a few pictures each."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, in which WordNet is already."""
    folder = tmp_path / "cache" / "holotype"
    folder.mkdir(parents=True)
    for held in user_cache_path("holotype").glob("wordnet-*"):
        (folder / held.name).symlink_to(held)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.parent))
    return folder


@pytest.fixture(scope="module")
def disk_once(labelled_once: Path, wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of twelve labelled images, with a release ``b1`` on the disk."""
    folder = Path(shutil.copytree(labelled_once, tmp_path_factory.mktemp("disk") / "project"))
    with holotype.open(folder, wordnet) as db:
        db.releases.create("b1", SMALL)
    return folder


@pytest.fixture
def on_disk(disk_once: Path) -> Release:
    """The release ``b1`` on a disk."""
    return Release(disk_once / "releases/b1")


def keeping(made: Path, folder: Path, url: str) -> Path:
    """A copy of a project that keeps its packs in a bucket, and its releases, of which none is there yet."""
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("b1", "v1", "packs"))
    for pack in (made / "packs").glob("*.tar"):
        Bucket(f"{url}/packs").upload(pack.name, pack)
    config = json.loads((folder / "holotype.json").read_text())
    (folder / "holotype.json").write_text(json.dumps({**config, "store": url}))
    return folder


@pytest.fixture
def empty(labelled_once: Path, tmp_path: Path, wordnet: Ontology, bucket_url: str, cache: Path) -> Iterator[Project]:
    """A project of the same images that keeps its releases in a bucket, and has made none there."""
    with holotype.open(keeping(labelled_once, tmp_path / "far", bucket_url), wordnet) as db:
        yield db


@pytest.fixture
def in_bucket(disk_once: Path, tmp_path: Path, wordnet: Ontology, bucket_url: str, cache: Path) -> Iterator[Project]:
    """A project with the release ``b1`` in a bucket."""
    bucket = Bucket(f"{bucket_url}/releases/b1")
    for path in (disk_once / "releases/b1").iterdir():
        bucket.upload(path.name, path)
    with holotype.open(keeping(disk_once, tmp_path / "far", bucket_url), wordnet) as db:
        yield db


@pytest.fixture
def made(in_bucket: Project) -> Release:
    """The release ``b1`` in a bucket."""
    return in_bucket.releases["b1"]


def bucket_of(release: Release) -> Bucket:
    assert release.shards is not None
    return release.shards


def objects(bucket: Bucket) -> dict[str, bytes]:
    return {key: bucket.read(key, 0, state.size) for key, state in bucket.names()}


def changed(bucket: Bucket, key: str, tmp_path: Path, at: int = 700) -> None:
    """Flip a bit of an object."""
    state = bucket.state(key)
    assert state is not None
    data = bytearray(bucket.read(key, 0, state.size))
    data[at] ^= 1
    (tmp_path / "changed").write_bytes(data)
    bucket.upload(key, tmp_path / "changed")


def test_a_release_has_the_same_bytes_in_a_bucket_as_on_a_disk(
    on_disk: Release, empty: Project, tmp_path: Path
) -> None:
    made = empty.releases.create("b1", SMALL)
    here = {path.name: path.read_bytes() for path in on_disk.path.iterdir()}
    assert objects(bucket_of(made)) == here
    assert sum(name.endswith(".tar") for name in here) >= 4
    assert list((tmp_path / "far/releases").iterdir()) == []
    assert list(made.images()) == list(on_disk.images())
    assert made.verify() == []


def test_the_project_knows_its_releases_by_name_and_anybody_by_url(in_bucket: Project, made: Release) -> None:
    url = bucket_of(made).url
    assert in_bucket.releases.places()["b1"] == url == made.where
    assert in_bucket.releases.checksums()["b1"] == hashlib.sha256(objects(bucket_of(made))[CHECKSUMS]).hexdigest()
    other = open_release(url)
    assert (other.name, other.where, other.manifest) == ("b1", url, made.manifest)
    assert repr(other) == repr(made)
    assert len(in_bucket.releases["b1"].find("under:dog")) > 0


def test_what_is_known_here_is_not_asked_for_again(in_bucket: Project, made: Release) -> None:
    again = in_bucket.releases["b1"]
    assert again.manifest == made.manifest
    assert bucket_of(again).requests == 0


def test_tables_that_were_damaged_here_are_got_again(in_bucket: Project, made: Release) -> None:
    rows = made.rows()
    (made.path / MANIFEST).write_bytes(b"torn")
    assert in_bucket.releases["b1"].rows() == rows
    (made.path / MANIFEST).unlink()
    assert open_release(made.where).rows() == rows


@pytest.mark.parametrize("name", [MANIFEST, "release.json"])
def test_a_table_that_was_changed_there_is_never_shown(made: Release, tmp_path: Path, name: str) -> None:
    bucket = bucket_of(made)
    changed(bucket, name, tmp_path, 40)
    shutil.rmtree(made.path)
    with pytest.raises(ReleaseError, match=f"{bucket.url}/{name} is gone or does not have its checksum"):
        open_release(bucket.url)
    assert verify_release(bucket) == [f"{name} does not have its checksum"]


def test_a_shard_that_was_changed_is_told_by_name(made: Release, tmp_path: Path) -> None:
    bucket = bucket_of(made)
    changed(bucket, "train-000001.tar", tmp_path)
    assert verify_release(bucket) == ["train-000001.tar does not have its checksum"]
    bucket.remove("train-000001.tar")
    assert verify_release(bucket) == ["train-000001.tar is missing"]
    (tmp_path / "more").write_bytes(b"more")
    bucket.upload("more/notes.txt", tmp_path / "more")
    assert "more/notes.txt is not listed in SHA256SUMS" in verify_release(bucket)


def test_every_byte_comes_once_when_a_release_is_verified(made: Release) -> None:
    bucket = Bucket(made.where)
    assert verify_release(bucket) == []
    shards = {name: size for name, size in made.sizes.items() if name.endswith(".tar")}
    listing = len(objects(bucket_of(made))[CHECKSUMS])
    assert bucket.received == sum(shards.values()) + listing
    assert bucket.requests < len(shards) + 12


def test_an_image_that_lies_elsewhere_is_told(made: Release, tmp_path: Path) -> None:
    name = "a.tar"
    data = np.random.default_rng(1).bytes(3 * PART // 2)
    (tmp_path / name).write_bytes(data)
    bucket = bucket_of(made)
    bucket.upload(name, tmp_path / name)
    places = [(0, 100), (PART - 50, 100), (PART + 1000, 5), (len(data) - 10, 10), (len(data) - 5, 10), (-1, 4)]
    rows = [{"id": str(at), "shard": name, "offset": at, "length": length} for at, length in places]
    seen: list[bytes] = []

    def judge(image: bytes, row: dict[str, object]) -> str:
        seen.append(image)
        return "wrong" if len(image) == 5 else ""

    found = stream_shard(bucket, name, len(data), rows, judge)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert seen == [data[at : at + length] for at, length in places[:4]]
    assert found.wrong == [
        "wrong",
        f"{len(data) - 5} is not at {name} byte {len(data) - 5}",
        f"-1 is not at {name} byte -1",
    ]


def test_a_release_that_is_being_made_is_none(made: Release) -> None:
    bucket = bucket_of(made)
    bucket.remove(CHECKSUMS)
    with pytest.raises(ReleaseError, match=f"there is no release at {bucket.url}"):
        open_release(bucket.url)


def test_a_release_is_never_written_over(made: Release) -> None:
    bucket = bucket_of(made)
    before = objects(bucket)
    with pytest.raises(ReleaseError, match="there already"):
        Uploads.to(bucket)
    assert objects(bucket) == before


def test_two_who_make_different_releases_at_one_place_do_not_mix(bucket_url: str, tmp_path: Path) -> None:
    bucket = Bucket(f"{bucket_url}/releases/x1")
    mine, others = Uploads.to(bucket), Uploads.to(bucket)
    mine = mine.begin("a plan")
    assert mine.begin("a plan").noted == {}
    with pytest.raises(OtherMaking, match=r"another release was begun at .*x1"):
        others.begin("another plan")
    (tmp_path / "train-000000.tar").write_bytes(b"shard")
    mine.put(tmp_path / "train-000000.tar", b"note")
    (tmp_path / "train-000000.tar").write_bytes(b"other")
    with pytest.raises(ReleaseError, match="another release"):
        Uploads.to(bucket).begin("a plan").put(tmp_path / "train-000000.tar", b"another note")
    assert objects(bucket) == {"train-000000.tar": b"shard"}


def test_a_plan_is_given_up_for_another_only_by_its_one_maker(bucket_url: str, tmp_path: Path) -> None:
    bucket, shard = Bucket(f"{bucket_url}/releases/x1"), tmp_path / "train-000000.tar"
    shard.write_bytes(b"old")
    old = Uploads.to(bucket, "me").begin("old plan")
    old.put(shard, b"note")
    (tmp_path / "train-000001.tar").write_bytes(b"more than there will be")
    old.put(tmp_path / "train-000001.tar", b"note")
    bucket.create("mine.txt", b"not of a release")
    for other in ("you", ""):
        with pytest.raises(OtherMaking):
            Uploads.to(bucket, other).begin("new plan")
    new = Uploads.to(bucket, "me").begin("new plan")
    assert (new.note(shard.name), new.noted) == (None, {})
    shard.write_bytes(b"old")
    with pytest.raises(OtherMaking):
        old.put(shard, b"note")
    with pytest.raises(OtherMaking):
        old.finish(tmp_path / "nothing", b"")
    shard.write_bytes(b"new")
    new.put(shard, b"another note")
    (tmp_path / "made").mkdir()
    listing = f"{'0' * 64}  {shard.name}\n".encode()
    assert Uploads.to(bucket, "you").begin("new plan").note(shard.name) == b"another note"
    with pytest.raises(OtherMaking):
        Uploads.to(bucket, "me").begin("third plan")  # who came to help may be at it still
    new.finish(tmp_path / "made", listing)
    assert objects(bucket) == {shard.name: b"new", CHECKSUMS: listing, "mine.txt": b"not of a release"}


def test_one_who_begins_while_the_plan_is_given_up_stops_it(bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket(f"{bucket_url}/releases/x1")
    Uploads.to(bucket, "me").begin("old plan")
    for moment in ("remove", "create"):
        real, other = getattr(Bucket, moment), Uploads.to(bucket, f"you {moment}")
        begun = list[Uploads]()

        def first(self: Bucket, key: str, *data: bytes) -> None:
            if key == "plan" and data in ((), (b"new plan",)) and not begun:  # noqa: B023
                begun.append(other)  # noqa: B023
                begun[0] = other.begin("old plan")  # noqa: B023
            real(self, key, *data)  # noqa: B023

        with monkeypatch.context() as patch:
            patch.setattr(Bucket, moment, first)
            with pytest.raises(OtherMaking):
                Uploads.to(bucket, "me").begin("new plan")
        assert len(begun) == 1
        begun[0]._check_plan()
        other.work.remove(f"makers/{other.maker}")


def test_what_nobody_began_is_not_said_to_be_taken_away(project: Project) -> None:
    with pytest.raises(ReleaseError, match="nobody began a release v9: nothing is taken away"):
        project.releases.abandon("v9")
    work = project._parts.folder / "releases/.v9.work"
    work.mkdir(parents=True)
    assert project.releases.abandon("v9") == 0
    assert not work.exists()


def test_a_release_of_other_labels_takes_over_what_was_stopped_here_and_is_to_be_abandoned_elsewhere(
    empty: Project, bucket_url: str, wordnet: Ontology
) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", MAKE, str(empty.path), "2"]
    assert subprocess.run(arguments, env=environment, check=False).returncode == -signal.SIGKILL
    elsewhere = shutil.copytree(empty.path, empty.path.parent / "copy")
    with holotype.open(elsewhere, wordnet) as copy, pytest.raises(OtherMaking):
        copy.releases.create("b1", SMALL, seed=5)
    assert empty.releases.create("b1", SMALL, seed=5).verify() == []
    with pytest.raises(ReleaseError, match="finished"):
        empty.releases.abandon("b1")

    arguments[2] = MAKE.replace("b1", "b2")
    assert subprocess.run(arguments, env=environment, check=False).returncode == -signal.SIGKILL
    url = f"{bucket_url}/releases/b2"
    assert f"holotype release abandon {url}" in command("release", "create", "b2", "--outvoted", "-p", elsewhere).stderr
    assert "taken away, " in run("release", "abandon", url)
    assert objects(Bucket(url)) == {}
    assert url in run("release", "create", "b2", "--outvoted", "-p", elsewhere)


def test_what_nobody_began_as_a_release_is_not_taken_away(bucket_url: str) -> None:
    """Others call their shards so, too."""
    bucket = Bucket(f"{bucket_url}/wds")
    bucket.create("train-000000.tar", b"somebody's")
    before = objects(bucket)
    ended = command("release", "abandon", bucket.url)
    assert (ended.code, "nobody began a release" in ended.stderr) == (2, True)
    assert objects(bucket) == before


def test_a_release_that_is_finished_while_it_is_given_up_stays(
    bucket_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, shard = Bucket(f"{bucket_url}/releases/x1"), tmp_path / "train-000000.tar"
    maker = Uploads.to(bucket, "me").begin("a plan")
    shard.write_bytes(b"shard")
    maker.put(shard, b"note")
    real, listing = Bucket.remove, f"{'0' * 64}  {shard.name}\n".encode()

    def late(self: Bucket, key: str) -> None:
        if key == "plan":
            (tmp_path / "made").mkdir()
            maker.finish(tmp_path / "made", listing)
        real(self, key)

    monkeypatch.setattr(Bucket, "remove", late)
    with pytest.raises(ReleaseError, match="there already"):
        abandon(bucket)
    assert objects(bucket) == {shard.name: b"shard", CHECKSUMS: listing}


def test_shards_that_are_up_are_not_made_again(
    on_disk: Release, empty: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, names = Uploads.put, list[str]()

    def put_two(self: Uploads, path: Path, note: bytes) -> None:
        if len(names) >= 2:
            raise BucketError(self.bucket.url, "there is no room left in it")
        put(self, path, note)
        names.append(path.name)

    monkeypatch.setattr(Uploads, "put", put_two)
    with pytest.raises(BucketError, match="no room left"):
        empty.releases.create("b1", SMALL)
    assert "b1" not in empty.releases.checksums()
    assert list((tmp_path / "far/releases").rglob("*.tar")) == []

    def put_others(self: Uploads, path: Path, note: bytes) -> None:
        assert path.name not in names
        put(self, path, note)

    monkeypatch.setattr(Uploads, "put", put_others)
    made = empty.releases.create("b1", SMALL)
    assert objects(bucket_of(made)) == {path.name: path.read_bytes() for path in on_disk.path.iterdir()}


MAKE = """
import os, signal, sys, holotype
from holotype.releases.uploads import Uploads, abandon
from test_bucket_release import SMALL
put, left = Uploads.put, [int(sys.argv[2])]
def dying(self, path, note):
    put(self, path, note)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
Uploads.put = dying
with holotype.open(sys.argv[1]) as db:
    db.releases.create("b1", SMALL)
"""


def test_one_that_was_killed_goes_on(on_disk: Release, empty: Project, bucket_url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", MAKE, str(empty.path), "3"], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(ReleaseError, match="there is no release"):
        open_release(f"{bucket_url}/releases/b1")
    made = empty.releases.create("b1", SMALL)
    assert objects(bucket_of(made)) == {path.name: path.read_bytes() for path in on_disk.path.iterdir()}
    assert made.verify() == []


def test_one_that_the_catalog_did_not_hear_of_is_taken_up(in_bucket: Project, made: Release, wordnet: Ontology) -> None:
    folder = Path(shutil.copytree(in_bucket.path, in_bucket.path.parent / "other"))
    with holotype.open(folder, wordnet) as db:
        db.catalog.transact(lambda connection: connection.execute(schema.release.delete()))
        with pytest.raises(ReleaseError, match="is not the release that is asked for"):
            db.releases.create("b1", SMALL, seed=5)
        assert db.releases.create("b1", SMALL).rows() == made.rows()


def test_a_loader_gives_the_same_batches_and_resumes(on_disk: Release, made: Release) -> None:
    for order in (Order("global"), Order("none")):
        settings = Settings(batch_size=3, size=32, order=order)
        far, near = (Loader(samples_of(one, "train"), settings, workers=2) for one in (made, on_disk))
        assert far.samples.store.is_far
        batches = [(batch.images.copy(), batch.labels.copy()) for batch in near]
        for found, (images, labels) in zip(far, batches, strict=True):
            assert (found.images == images).all()
            assert (found.labels == labels).all()
        next(iter(far))
        other = Loader(pickle.loads(pickle.dumps(samples_of(made, "train"))), settings)  # noqa: S301
        other.load_state_dict(far.state_dict())
        assert (next(iter(other)).numbers == next(iter(far)).numbers).all()


def test_neighbours_are_read_by_few_requests(made: Release) -> None:
    samples = samples_of(made, "train")
    bucket = bucket_of(made)
    before = bucket.requests
    list(Loader(samples, Settings(batch_size=len(samples), size=32, order=Order("none")), workers=1))
    shards = len({samples.places[number].file for number in range(len(samples))})
    assert bucket.requests - before == shards
    found = ImageDataset(samples).__getitems__([0, -1])
    assert [target for _, target in found] == [samples.labels[0], samples.labels[-1]]


def test_a_loader_says_in_one_line_what_is_gone(made: Release, tmp_path: Path) -> None:
    bucket = bucket_of(made)
    changed(bucket, "train-000000.tar", tmp_path, 5)
    bucket.remove("train-000001.tar")
    loader = Loader(samples_of(made, "train"), Settings(batch_size=2, size=32, order=Order("none")))
    with pytest.raises(PackError, match=r"train-000001\.tar: there is no such object"):
        list(loader)


def test_exports_come_out_the_same(on_disk: Release, made: Release, tmp_path: Path) -> None:
    for format_name in ("webdataset", "imagefolder"):
        for name, release in (("far", made), ("near", on_disk)):
            export(release, format_name, tmp_path / "out" / name / format_name)
    far, near = (
        {
            path.relative_to(tmp_path / "out" / name): path.read_bytes()
            for path in (tmp_path / "out" / name).rglob("*.*")
            if path.is_file()
        }
        for name in ("far", "near")
    )
    assert far == near


def test_what_is_taken_down_is_gone_from_the_new_release(
    in_bucket: Project, made: Release, on_disk: Release, tmp_path: Path
) -> None:
    one = made.rows()[0]["id"]
    found = in_bucket.releases.takedown("b1", "b2", "me", "asked for", Unwanted((one,)))
    new = in_bucket.releases["b2"]
    assert found.path == new.where == f"{bucket_of(made).url[:-1]}2"
    assert one not in {row["id"] for row in new.rows()}
    assert len(new.rows()) == len(made.rows()) - 1
    assert new.verify() == []
    assert list((tmp_path / "far/releases").iterdir()) == []


def test_a_site_links_to_shards_for_as_long_as_it_says(made: Release, tmp_path: Path) -> None:
    pages = publish(made, tmp_path / "site", days=1)
    page = (tmp_path / "site" / pages[0]).read_text()
    assert "The links to shards end on " in page
    links = [part.partition('"')[0].replace("&amp;", "&") for part in page.split('href="') if ".tar?" in part]
    assert len(links) == len([name for name in made.listed if name.endswith(".tar")])
    assert all("X-Amz-Expires=86400" in link for link in links)
    with urlopen(links[0]) as answer:  # noqa: S310 - our own store
        name = links[0].partition("?")[0].rpartition("/")[2]
        assert hashlib.sha256(answer.read()).hexdigest() == made.listed[name]
    assert "a-very-secret-key" not in page
    assert not list((tmp_path / "site/files").glob("*.tar"))
    assert (tmp_path / "site/files" / MANIFEST).read_bytes() == (made.path / MANIFEST).read_bytes()


def test_a_site_links_to_a_public_address_for_ever(made: Release, tmp_path: Path) -> None:
    pages = publish(made, tmp_path / "site", link_to="https://a.org/b1")
    page = (tmp_path / "site" / pages[0]).read_text()
    assert "https://a.org/b1/train-000000.tar" in page
    assert "links to shards end" not in page
    with pytest.raises(ReleaseError, match="no hard links"):
        publish(made, tmp_path / "other", hard_links=True)


@pytest.mark.parametrize(
    "line",
    ["x  manifest.parquet", f"{'0' * 64}  ../secret", f"{'0' * 64}  .hidden", f"{'0' * 64}  a/b.tar", "é", "\0"],
)
def test_names_that_lead_elsewhere_are_refused(made: Release, tmp_path: Path, line: str) -> None:
    bucket = Bucket(made.where).under("hostile")
    (tmp_path / "list").write_text(line + "\n")
    bucket.upload(CHECKSUMS, tmp_path / "list")
    with pytest.raises(ReleaseError, match="no checksum|cannot read"):
        open_release(bucket.url)
    assert len(verify_release(bucket)) == 1


def test_files_that_are_no_part_of_a_release_are_not_copied_here(made: Release, tmp_path: Path, cache: Path) -> None:
    bucket = Bucket(made.where).under("hostile")
    (tmp_path / "list").write_text(f"{'0' * 64}  run.sh\n")
    bucket.upload(CHECKSUMS, tmp_path / "list")
    with pytest.raises(ReleaseError, match=r"run\.sh, which is no part of a release"):
        open_release(bucket.url)
    assert not list(cache.rglob("run.sh"))


def test_addresses_that_no_image_has_are_not_asked_for(made: Release) -> None:
    manifest = made.manifest
    for column, value in (("length", 1 << 40), ("length", -1), ("offset", -5)):
        wrong = type(manifest).from_pylist([{**manifest.to_pylist()[0], column: value}], manifest.schema)
        with pytest.raises(PackError, match="no image"):
            list(made.images_of(wrong))
    wrong = type(manifest).from_pylist(
        [{**manifest.to_pylist()[0], "shard": "../b2/train-000000.tar"}], manifest.schema
    )
    with pytest.raises(PackError, match="not the name of a pack"):
        list(made.images_of(wrong))


def test_another_release_at_the_place_of_a_known_one_is_refused(made: Release, cache: Path) -> None:
    with pytest.raises(ReleaseError, match="is not the release that was made"):
        known_mirror(bucket_of(made), "0" * 64)
    assert find_mirror(bucket_of(made)).folder.parent == cache / "releases"


def test_copies_of_releases_leave_the_cache_when_its_bound_is_exceeded_and_are_got_again(
    made: Release, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, urls = bucket_of(made), [f"{made.where}-{number}" for number in range(3)]
    for url in urls:
        for path in [*made.path.iterdir()]:
            Bucket(url).upload(path.name, path)
        asked = subprocess.run([*program("query", "", "--count", "--release", url)], check=True, capture_output=True)
        assert int(asked.stdout) > 0
    assert len(list(cache.glob("releases/*/"))) == 4
    monkeypatch.setenv("HOLOTYPE_CACHE_BYTES", "1")
    last = open_release(f"{urls[0]}")
    assert len(list(cache.glob("releases/*/"))) == 4, "nothing was written"
    shutil.rmtree(last.path)
    last = open_release(urls[0])
    assert {path.name for path in cache.glob("releases/*/")} == {last.path.name, find_mirror(held).folder.name}
    assert len(open_release(urls[1]).manifest) == len(made.manifest)


def test_commands_take_urls(made: Release, in_bucket: Project, tmp_path: Path) -> None:
    url, folder = made.where, tmp_path / "elsewhere"
    said = run("release", "verify", url)
    assert f"{url} is sound" in said
    assert f"{url}: read by " in said
    told = json.loads(run("release", "verify", "b1", "-p", in_bucket.path, "--json"))
    assert (told["path"], told["problems"]) == (url, [])
    assert told["bytes"] > 8_000
    listed = json.loads(run("release", "list", "-p", in_bucket.path, "--json"))
    assert listed["b1"]["path"] == url
    assert "no label and no split is another" in run("release", "diff", url, url)
    assert int(run("query", "under:dog", "--release", url, "--count")) > 0
    run("release", "export", url, "--format", "imagefolder", "--out", folder)
    assert list(folder.rglob("*.jpg"))
    run("release", "publish", url, "--out", tmp_path / "site", "--days", "2")
    one = made.rows()[0]["id"]
    assert "taken down" in run("release", "takedown", url, "b3", "--image", one)
    assert verify_release(Bucket(f"{url[:-1]}3")) == []
    ended = command("release", "verify", f"{url}x")
    assert (ended.code, ended.stderr.strip()) == (2, f"error: there is no release at {url}x")
