"""A project whose packs lie in an object store is the same project as one on a disk."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import holotype
from conftest import command, program, run
from faulty_store import OVERWRITES, Faulty, faulty_store, first
from holotype.catalog import schema as t
from holotype.errors import BucketError, PackError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.store.bucket import Bucket
from holotype.store.cache import Cache, default_cache
from holotype.store.claim import Claim
from holotype.store.held import hold, take_away
from holotype.store.location import Location
from holotype.store.pack_objects import PackObjects
from holotype.store.pack_reading import PackReader
from holotype.store.store import Store
from object_store import ObjectStore
from visitors import Site

WHIPPET, CAT = "n02091134", "n02121808"


@pytest.fixture
def photos(tmp_path: Path, fill: Callable[..., None]) -> Path:
    folder = tmp_path / "photos"
    fill(folder / WHIPPET, 8)
    fill(folder / CAT, 4, first=50)
    return folder


@pytest.fixture
def watched(object_store: ObjectStore, bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """The store behind a proxy that counts what is asked."""
    with faulty_store(object_store.address) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        yield faulty


def rows(db: Project, *tables: Any) -> dict[str, list[Any]]:
    """What tables hold, but for when, where, and the project's own names."""
    own = {"at", "created", "seconds", "offset", "thumbnail_offset", "worker", "file_id", "origin", "mtime_ns"}
    with db.catalog.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(*(c for c in table.c if c.name not in own))).all()))
            for table in tables
        }


def digests(db: Project) -> list[str]:
    """The sha256 of every image's bytes as they are read."""
    return sorted(hashlib.sha256(one.read()).hexdigest() for one in db.images.find(""))


def test_a_project_in_a_bucket_equals_the_same_on_a_disk(in_bucket: Project, project: Project, photos: Path) -> None:
    kept = []
    for db in (in_bucket, project):
        report = db.images.ingest(photos)
        db.crowd.run(db.crowd.simulated(seed=1))
        labels = sorted((one.wnid, one.sha256) for one in db.images.find("state:yes"))
        kept.append((report, labels, digests(db), rows(db, t.image, t.fingerprint, t.sighting, t.intake)))
    assert kept[0] == kept[1]
    assert kept[0][0].kept == 12
    assert not (in_bucket.path / "packs").exists()


def test_a_pack_in_a_bucket_is_a_tar_named_by_its_bytes(in_bucket: Project, photos: Path, bucket_url: str) -> None:
    in_bucket.images.ingest(photos)
    bucket = Bucket(bucket_url)
    ((key, state),) = bucket.names("packs")
    data = bucket.read(key, 0, state.size)
    assert key == f"packs/pack-{hashlib.sha256(data).hexdigest()[:32]}.tar"
    listed = subprocess.run(["tar", "t"], input=data, capture_output=True, check=True)
    names = listed.stdout.decode().split()
    assert listed.stderr == b""
    assert len(names) == 24
    assert all(name.endswith(".thumb.jpg") for name in names[:12])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for name in names[12:]:
            member = tar.extractfile(name)
            assert member is not None
            assert hashlib.sha256(member.read()).hexdigest() == name.partition(".")[0]


def test_a_commit_written_twice_is_one_object(bucket_url: str) -> None:
    members = [("a" * 64 + ".jpg", b"picture"), ("a" * 64 + ".thumb.jpg", b"small")]
    bucket = Bucket(bucket_url)
    with PackObjects(bucket) as one, PackObjects(Bucket(bucket_url)) as two:
        assert one.write([]) == []
        assert one.write(members) == two.write(members)
        two.take_back([])
    assert len(list(bucket.names())) == 1


def test_ingest_asks_once_for_each_commit_and_a_page_of_thumbnails_twice(
    watched: Faulty, in_bucket: Project, photos: Path
) -> None:
    in_bucket.images.ingest(photos)
    assert watched.count("PUT", "/packs/") == 1
    assert watched.count("", "/packs/") == 1
    in_bucket.crowd.run(in_bucket.crowd.simulated(seed=1))
    watched.asked.clear()
    visitor = Site(in_bucket).nobody()
    thumbnails = re.findall(r'"(/thumb/[^"]+)"', visitor.get(f"/synset/{WHIPPET}"))
    assert len(thumbnails) >= 6
    for _ in range(2):
        assert all(visitor.client.get(path).content[:2] == b"\xff\xd8" for path in thumbnails)
    assert 1 <= watched.count() <= 3  # the pack is smaller than what is read at once: its size is asked for, too


def test_many_images_are_read_by_one_request(watched: Faulty, in_bucket: Project, photos: Path) -> None:
    in_bucket.images.ingest(photos)
    found = list(in_bucket.images.find(""))
    watched.asked.clear()
    read = in_bucket._parts.store.read_many([one.candidate.location for one in found])
    assert [hashlib.sha256(data).hexdigest() for data in read] == [one.sha256 for one in found]
    assert watched.count("GET") == 1


def test_an_image_that_is_gone_does_not_keep_others_from_being_read(in_bucket: Project, photos: Path) -> None:
    in_bucket.images.ingest(photos)
    places = [one.candidate.location for one in in_bucket.images.find("")]
    gone = Location("pack-" + "0" * 32 + ".tar", 512, 10)
    beyond = Location(places[0].file, 1 << 40, 10)
    read = list(in_bucket._parts.store.read_each([places[0], gone, beyond, places[1]]))
    assert [isinstance(one, bytes) for one in read] == [True, False, False, True]


@pytest.mark.parametrize("pack", ["../holotype.json", "a/b.tar", ".hidden", ""])
def test_names_that_lead_out_of_the_place_are_refused(bucket_url: str, pack: str) -> None:
    store = Store(Bucket(bucket_url).under("packs"))
    for read in (store.read, lambda one: store.read_many([one])):
        with pytest.raises(PackError, match="is not the name of a pack"):
            read(Location(pack, 0, 1))


# Whose a place is


def test_a_place_of_another_project_is_refused(in_bucket: Project, bucket_url: str, tmp_path: Path) -> None:
    said = run("init", tmp_path / "other", "--store", bucket_url, expect=2)
    assert "it is another project's place" in said
    assert not (tmp_path / "other").exists()


def test_what_another_project_claimed_meanwhile_is_not_written_to(
    in_bucket: Project, bucket_url: str, photos: Path, wordnet: Ontology
) -> None:
    bucket = Bucket(bucket_url)
    bucket.remove("holotype.json")
    Claim(bucket, "another").make()
    with holotype.open(in_bucket.path, wordnet) as db, pytest.raises(BucketError, match="another project's place"):
        db.images.ingest(photos)
    assert not list(bucket.names("packs"))


def test_a_place_whose_claim_was_lost_is_claimed_again(
    in_bucket: Project, bucket_url: str, photos: Path, wordnet: Ontology
) -> None:
    Bucket(bucket_url).remove("holotype.json")
    with holotype.open(in_bucket.path, wordnet) as db:
        db.images.ingest(photos)
    assert Bucket(bucket_url).state("holotype.json") is not None


def test_a_store_that_writes_over_what_is_there_is_refused(watched: Faulty, bucket_url: str, tmp_path: Path) -> None:
    watched.plan = first(99, OVERWRITES, "PUT")
    with pytest.raises(BucketError, match="writes over what is there"):
        holotype.init(tmp_path / "p", store=bucket_url)
    assert not (tmp_path / "p" / "holotype.json").exists()
    watched.plan = lambda _: ""
    holotype.init(tmp_path / "p", store=bucket_url).close()


def test_the_claim_does_not_tell_the_salt(in_bucket: Project, bucket_url: str) -> None:
    bucket = Bucket(bucket_url)
    state = bucket.state("holotype.json")
    assert state is not None
    told = bucket.read("holotype.json", 0, state.size).decode()
    salt = json.loads((in_bucket.path / "holotype.json").read_text())["salt"]
    assert salt not in told
    assert len(json.loads(told)["project"]) == 64


# What is said, and what is not


def test_secrets_are_written_nowhere(
    object_store: ObjectStore, bucket_url: str, photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    project = tmp_path / "p"
    ended = [command("init", project, "--store", bucket_url), command("ingest", photos, "-p", project)]
    assert [one.code for one in ended] == [0, 0]
    with faulty_store(object_store.address) as faulty, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", faulty.address)
        patch.setattr("holotype.store.bucket._RETRIES", {"max_retries": 0})
        for fault in ("expired", "denied", "full", "slow", "reset"):
            faulty.plan = first(99, fault)
            ended.append(command("init", tmp_path / "other", "--store", f"{bucket_url}/{fault}"))
            assert ended[-1].code == 2
    secret = object_store.secret
    assert not any(secret in one.stdout + one.stderr for one in ended)
    assert secret not in caplog.text
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    for key, state in Bucket(bucket_url).names():
        assert secret.encode() not in Bucket(bucket_url).read(key, 0, state.size)


def test_what_a_store_needs_is_told(bucket_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.store.bucket._RETRIES", {"max_retries": 0})
    said = run("init", tmp_path / "p", "--store", "s3://no-such-bucket-at-all/birds", expect=2)
    assert "there is no such bucket" in said
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    said = run("init", tmp_path / "p", "--store", bucket_url, expect=2)
    assert "nobody answers there" in said
    assert "AWS_ENDPOINT_URL" in said
    assert len(said.strip().splitlines()) == 1
    assert "it is not like s3://BUCKET/PREFIX" in run("init", tmp_path / "p", "--store", "s3:/typo", expect=2)
    assert not (tmp_path / "p").exists()


# Killed in the middle

KILLED = """
import os, signal, sys
from holotype.cli import main
from holotype.store.pack_objects import PackObjects
write = PackObjects.write
def write_and_die(self, members):
    write(self, members)
    os.kill(os.getpid(), signal.SIGKILL)
PackObjects.write = write_and_die
main()
"""


def test_killed_between_the_object_and_the_catalog_it_is_the_same_object_again(
    in_bucket: Project, photos: Path, bucket_url: str
) -> None:
    arguments = ["ingest", str(photos), "-p", str(in_bucket.path)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, env={**os.environ})
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    written = list(Bucket(bucket_url).names("packs"))
    assert len(written) == 1
    with in_bucket.catalog.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.image)).scalar_one() == 0
    subprocess.run(program(*arguments), check=True, capture_output=True)
    assert list(Bucket(bucket_url).names("packs")) == written
    assert len(digests(in_bucket)) == 12


def test_two_machines_may_take_in_at_once(
    new_database: Callable[..., str],
    bucket_url: str,
    tmp_path: Path,
    fill: Callable[..., None],
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("holotype.store.cache.user_cache_path", lambda _: tmp_path / "cache")
    monkeypatch.setenv("HOLOTYPE_CATALOG", new_database(migrated=True))
    holotype.init(tmp_path / "p", store=bucket_url).close()
    fill(tmp_path / "more", 6, first=2)  # five of them are among the others
    folders = (photos, tmp_path / "more")
    at_once = [subprocess.Popen(program("ingest", folder, "-p", tmp_path / "p")) for folder in folders]
    assert [one.wait() for one in at_once] == [0, 0]
    with holotype.open(tmp_path / "p") as db:
        found = digests(db)
        assert len(found) == len(set(found)) == 12
        assert sorted(one.sha256 for one in db.images.find("")) == found


# The cache


def test_a_damaged_piece_is_not_given(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1 << 20)
    cache.put("a", b"one" * 100)
    cache.put("b", b"two" * 100)
    (first_piece,) = (path for path in tmp_path.rglob("*") if path.is_file() and b"one" in path.read_bytes())
    (second,) = (path for path in tmp_path.rglob("*") if path.is_file() and b"two" in path.read_bytes())
    assert cache.get("a") == b"one" * 100
    whole = first_piece.read_bytes()
    for damaged in (whole[:-1], whole[:40] + b"?" + whole[41:], b"", second.read_bytes()):
        first_piece.write_bytes(damaged)
        assert cache.get("a") is None
        assert not first_piece.exists()
    assert cache.get("b") == b"two" * 100


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100_000)
    for number in range(40):
        cache.put(str(number), bytes([number]) * 5_000)
        assert cache.get("0") is not None
        for path in tmp_path.rglob("*"):
            if path.is_file() and path.read_bytes()[32:33] not in (b"\0",):
                os.utime(path, ns=(path.stat().st_mtime_ns - 10**9,) * 2)
    held = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert held <= 100_000 + 100_000 // 16 + 5_032
    assert cache.get("39") is not None
    assert cache.get("1") is None


_HOLDS = "import sys, pathlib; from holotype.store.held import hold; hold(pathlib.Path(sys.argv[1]))"


def shelved(shelf: Path, name: str, size: int, used: int) -> Path:
    """A folder of so many bytes on a shelf that was held last so many seconds ago, by a process that has ended."""
    (shelf / name).mkdir(parents=True)
    (shelf / name / "table").write_bytes(bytes(size))
    subprocess.run([sys.executable, "-c", _HOLDS, shelf / name], check=True)
    lock = shelf / f"{name}.lock"
    os.utime(lock, ns=(lock.stat().st_mtime_ns - used * 10**9,) * 2)
    return shelf / name


def test_folders_beside_the_pieces_count_and_go_by_their_last_use_but_not_while_they_are_held(tmp_path: Path) -> None:
    cache, shelf = Cache(tmp_path / "objects", 100_000, tmp_path / "releases"), tmp_path / "releases"
    oldest, older, newer = (shelved(shelf, name, 40_000, used) for name, used in (("a", 300), ("b", 200), ("c", 100)))
    cache.put("piece", bytes(5_000))
    assert not oldest.exists()
    assert not (shelf / "a.lock").exists()
    assert older.exists()
    assert newer.exists()
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{_HOLDS}; print('held', flush=True); input()", older],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    os.utime(shelf / "b.lock", ns=(0, 0))
    nothing = Cache(tmp_path / "objects", 0, shelf)
    nothing.sweep()
    assert (older / "table").exists()
    assert not newer.exists()
    assert cache.get("piece") is None
    holder.communicate("\n")
    hold(older)
    nothing.sweep()
    assert (older / "table").exists()
    shutil.rmtree(shelf)
    hold(older)
    assert (shelf / "b.lock").exists()
    assert not take_away(older)


def test_a_cache_of_nothing_or_on_a_disk_that_cannot_be_written_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for cache in (Cache(tmp_path / "none", 0), Cache(tmp_path / "file", 1 << 20)):
        cache.put("a", b"one")
        assert cache.get("a") is None
    monkeypatch.setenv("HOLOTYPE_CACHE_BYTES", "2 GB")
    with pytest.raises(PackError, match="is a number of bytes"):
        default_cache()


def test_what_is_no_pack_is_read_again_when_it_is_another(bucket_url: str, tmp_path: Path) -> None:
    bucket = Bucket(bucket_url)
    for content in (b"old" * 1000, b"new" * 1000):
        bucket.remove("train-000000.tar")
        bucket.create("train-000000.tar", content)
        reader = PackReader(Bucket(bucket_url), Cache(tmp_path / "kept"))
        assert reader.read("train-000000.tar", 30, 3) == content[:3]
        assert reader.read("train-000000.tar", 2_997, 3) == content[:3]
        assert reader.read("train-000000.tar", 5, 0) == b""
        with pytest.raises(PackError):
            reader.read("train-000000.tar", 2_998, 3)
