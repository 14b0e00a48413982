"""Releases in a bucket that strangers made or change, and copies of them here that somebody damaged."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from holotype.errors import BucketError, ReleaseError
from holotype.releases import CHECKSUMS, MANIFEST, Release, open_release, verify_release
from holotype.releases.check_objects import check_shards
from holotype.releases.mirror import find_mirror
from holotype.releases.release import read_json
from holotype.store.bucket import Bucket, ObjectState
from holotype.store.cache import Cache
from holotype.store.pack_reading import PIECE, PackReader
from test_bucket_release import (
    bucket_of,
    cache,  # noqa: F401
    disk_once,  # noqa: F401
    in_bucket,  # noqa: F401
    made,  # noqa: F401
)


def put(bucket: Bucket, key: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / "put").write_bytes(data)
    bucket.upload(key, tmp_path / "put")


def test_a_file_has_one_checksum(made: Release, disk_once: Path, tmp_path: Path) -> None:  # noqa: F811
    bucket = bucket_of(made)
    listing = b"0" * 64 + b"  manifest.parquet\n" + bucket.read_whole(CHECKSUMS, 1 << 20)
    put(bucket, CHECKSUMS, listing, tmp_path)
    said = f"{bucket.url}/{CHECKSUMS} lists manifest.parquet twice"
    assert verify_release(bucket) == [said]
    with pytest.raises(ReleaseError, match="lists manifest.parquet twice"):
        open_release(bucket.url)
    folder = Path(shutil.copytree(disk_once / "releases/b1", tmp_path / "b1"))
    (folder / CHECKSUMS).write_bytes(listing)
    assert f"{CHECKSUMS} lists a file twice" in verify_release(folder)


def test_a_list_that_is_damaged_here_is_got_again(made: Release) -> None:  # noqa: F811
    listing = (made.path / CHECKSUMS).read_bytes()
    (made.path / CHECKSUMS).write_bytes(listing[:100])
    assert open_release(made.where).listed == made.listed
    assert (made.path / CHECKSUMS).read_bytes() == listing


def test_what_is_no_plain_file_here_is_got_again_and_not_followed(made: Release, tmp_path: Path) -> None:  # noqa: F811
    rows = made.rows()
    elsewhere = tmp_path / "elsewhere"
    shutil.copy(made.path / MANIFEST, elsewhere)
    (made.path / MANIFEST).unlink()
    (made.path / MANIFEST).symlink_to(elsewhere)
    assert open_release(made.where).rows() == rows
    assert not (made.path / MANIFEST).is_symlink()
    (made.path / MANIFEST).unlink()
    os.mkfifo(made.path / MANIFEST)
    assert open_release(made.where).rows() == rows


def test_bytes_that_are_not_sound_never_have_a_name_here(
    made: Release,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror = find_mirror(bucket_of(made))
    shutil.rmtree(made.path)
    put(mirror.bucket, MANIFEST, b"others", tmp_path)
    fetch, seen = Bucket.fetch, list[bool]()

    def watched(self: Bucket, key: str, path: Path) -> None:
        fetch(self, key, path)
        seen.append((made.path / key).exists())

    monkeypatch.setattr(Bucket, "fetch", watched)
    assert mirror.fill() == [MANIFEST]
    assert not any(seen)
    assert not (made.path / MANIFEST).exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from holotype.releases.mirror import find_mirror
from holotype.store.bucket import Bucket
fetch = Bucket.fetch
def dying(self, key, path):
    path.with_name(f".{key}-half").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
Bucket.fetch = dying
find_mirror(Bucket(sys.argv[1])).fill()
"""


def test_what_a_killed_process_left_goes(made: Release) -> None:  # noqa: F811
    shutil.rmtree(made.path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, made.where], env=environment, check=False)
    assert open_release(made.where).rows() == made.rows()
    left = [str(path) for path in made.path.parent.rglob("*") if "half" in path.name or path.name == ".work"]
    assert left == []


OPENED = """
import sys
from holotype.releases import open_release
print(len(open_release(sys.argv[1]).rows()))
"""


def test_two_who_copy_at_once_both_have_it(made: Release) -> None:  # noqa: F811
    shutil.rmtree(made.path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", OPENED, made.where]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate()[0].strip() for one in both] == [str(len(made.rows()))] * 2


def test_a_list_that_grows_while_it_is_read_is_one_line(
    made: Release,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = bucket_of(made)
    monkeypatch.setattr("holotype.releases.mirror._LARGEST_LIST", 2_000)
    monkeypatch.setattr(Bucket, "state", lambda *_: ObjectState(10, 0, ""))
    put(bucket, CHECKSUMS, bytes(3_000), tmp_path)
    with pytest.raises(BucketError, match="another object than it was"):
        find_mirror(bucket)


def test_a_shard_that_goes_while_others_are_read_is_told(made: Release) -> None:  # noqa: F811
    bucket = bucket_of(made)
    bucket.remove("train-000001.tar")
    table = made.manifest.filter(pa.array([False] * len(made.manifest)))
    said = list(check_shards(made, bucket, table, lambda *_: "", lambda *_: None))
    assert said == ["train-000001.tar was taken away while the release was read"]


def test_what_others_put_beside_shards_is_looked_at_within_bounds(
    made: Release,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = 0

    def names(self: Bucket, prefix: str = "") -> object:
        nonlocal named
        while named < 100_000:
            named += 1
            yield f"train-{named:08}.tar", ObjectState(1, 0, "")

    monkeypatch.setattr(Bucket, "names", names)
    monkeypatch.setattr("holotype.releases.release._MOST_OBJECTS", 1_000)
    assert len(Release(made.path, shards=bucket_of(made)).sizes) < 1_100
    assert named <= 1_001


def test_json_of_any_size_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "release.json").open("wb") as file:
        file.truncate(5 << 30)
    with pytest.raises(ReleaseError, match="holds more than 128 MiB"):
        read_json(tmp_path / "release.json")


def test_bytes_of_another_shard_are_never_kept_as_those_of_this(
    bucket_url: str,
    tmp_path: Path,
) -> None:
    bucket, kept = Bucket(bucket_url), Cache(tmp_path / "cache")
    put(bucket, "train-000000.tar", b"a" * (3 * PIECE), tmp_path)
    reader = PackReader(bucket, kept)
    assert reader.read("train-000000.tar", 0, 4) == b"aaaa"
    put(bucket, "train-000000.tar", b"b" * (3 * PIECE), tmp_path)
    with pytest.raises(BucketError, match="another object than it was"):
        reader.read("train-000000.tar", PIECE, 4)
    put(bucket, "train-000000.tar", b"a" * (3 * PIECE), tmp_path)
    assert PackReader(bucket, kept).read("train-000000.tar", PIECE, 4) == b"aaaa"


FORKED = """
import os, signal, sys
from pathlib import Path
from holotype.store import held
held._lock.acquire()  # as another thread has it
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0)
signal.alarm(60)
held.hold(Path(sys.argv[1]))
os._exit(0)
"""


def test_a_process_that_is_forked_while_a_copy_is_waited_for_does_not_wait_for_ever(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", FORKED, str(tmp_path / "copy")]
    assert subprocess.run(arguments, env=environment, check=False).returncode == 0
