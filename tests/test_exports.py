"""Releases in other tools' formats: what is common to all of them."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import encoded, photo, run
from holotype.cli.text import counted
from holotype.errors import ArchiveError, PackError, ReleaseError
from holotype.files import sync_file_system
from holotype.images.flatten import turned
from holotype.project import Project
from holotype.releases import Release
from holotype.releases.alone import alone
from holotype.releases.exports import rows as reading
from holotype.releases.exports import whole
from holotype.releases.exports.chosen import Chosen
from holotype.releases.exports.formats import FORMATS, export
from holotype.releases.exports.names import LONGEST, safe_name, safe_names
from holotype.releases.exports.rows import rows_of
from holotype.releases.exports.samples import ExportedBox, Sample
from holotype.releases.exports.whole import whole_folder
from holotype.releases.layout import BOXES_SCHEMA
from shipped import CAT, COLLIE, Shipped, pictures, point_to, ship, write_manifest


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return ship(tmp_path / "v1", pictures())


def hidden(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".")]


def test_images_come_once_with_their_labels_boxes_and_bytes(release: Release) -> None:
    chosen = Chosen.of(release)
    images = {one.id: one for one in pictures()}
    found = list(chosen.samples())
    assert [one.id for one in found] == list(dict.fromkeys(release.manifest["id"].to_pylist()))
    for one in found:
        picture = images.pop(one.id)
        assert (one.data, one.split, tuple(one.wnids)) == (picture.data, picture.split, picture.wnids)
        assert one.boxes == [ExportedBox(*box, "boxes.csv") for box in picture.boxes]
    assert not images
    assert (len(chosen.images), len(chosen.labels), chosen.splits) == (7, 8, ["train", "val"])
    assert [one.id for one in chosen.samples("val", shuffled=True)] == sorted(
        one.id for one in pictures() if one.split == "val"
    )


def test_classes_keep_their_numbers_whatever_the_split(release: Release) -> None:
    some = np.flatnonzero(np.isin(release.manifest["wnid"].to_pylist(), [COLLIE, CAT]))
    for splits in ((), ("val",)):
        chosen = Chosen.of(release, some, splits)
        assert chosen.numbers == {COLLIE: 0, CAT: 1}
    assert {one.split for one in chosen.samples()} == {"val"}
    assert [one.name for one in chosen.classes] == ["collie", "tabby"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_told_as_the_picture_is_stored_too(orientation: int) -> None:
    stored = np.zeros((6, 9), np.uint8)
    stored[1:3, 4:8] = 1
    upright = turned(stored, orientation)
    down, across = np.nonzero(upright)
    corners = (int(across.min()), int(down.min()), int(across.max()), int(down.max()))
    row = {"width": upright.shape[1], "height": upright.shape[0], "orientation": orientation}
    sample = Sample([row], [ExportedBox("n00000001", *corners, "")], b"")
    assert sample.stored_boxes == [ExportedBox("n00000001", 4, 1, 7, 2, "")]
    assert (sample.size, sample.stored_size) == (upright.shape[::-1], (9, 6))


def test_a_split_or_format_there_is_not_is_an_error(release: Release, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no split 'dev'; there are: train, val, test"):
        export(release, "imagefolder", tmp_path / "out", splits=["dev"])
    with pytest.raises(ReleaseError, match="no format 'zip'; there are: imagefolder"):
        export(release, "zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not hidden(tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_every_release(name: str, tmp_path: Path) -> None:
    """Whole, of one split, of no images at all, of no boxes, and where bytes were left in archives."""
    bare = [Shipped(encoded(photo(seed)), "train", (CAT,)) for seed in range(2)]
    made = [ship(tmp_path / "v1", pictures()), ship(tmp_path / "v2", bare), point_to(tmp_path / "there/v3", pictures())]
    for number, release in enumerate(made):
        for splits in ((), ("val",), ("test",)):
            out = tmp_path / f"{number}-{'-'.join(splits)}"
            steps: list[tuple[int, int]] = []
            report = export(release, name, out, splits=splits, progress=lambda *done: steps.append(done))  # noqa: B023
            shown = Chosen.of(release, None, splits)
            assert (report.images, report.labels) == (len(shown.images), len(shown.labels))
            assert report.files == sum(len(files) for *_, files in os.walk(out))
            assert steps == sorted(set(steps))
            assert (steps or [(0, 0)])[-1] == (len(shown.images), len(shown.images))
    assert not hidden(tmp_path)
    by_shards, by_places = (
        {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        for out in (tmp_path / "0-", tmp_path / "2-")
    )
    assert by_shards == by_places, "where bytes lie is nobody's affair"


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_release_gives_the_same_bytes(name: str, release: Release, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    export(release, name, first)
    export(Release(release.path), name, again)
    files = sorted(path.relative_to(first) for path in first.rglob("*"))
    assert files == sorted(path.relative_to(again) for path in again.rglob("*"))
    assert all((first / path).read_bytes() == (again / path).read_bytes() for path in files if (first / path).is_file())


@pytest.mark.parametrize("name", FORMATS)
def test_the_parts_that_memory_holds_do_not_show(
    name: str, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(release, name, tmp_path / "whole")
    for most in ("_PART", "_BATCH"):
        monkeypatch.setattr(f"holotype.releases.exports.rows.{most}", 2)
    export(release, name, tmp_path / "parts")
    whole, parts = (
        {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        for out in (tmp_path / "whole", tmp_path / "parts")
    )
    assert whole == parts


@given(
    rows=st.integers(0, 40),
    numbers=st.lists(st.integers(0, 10_000)),
    group=st.integers(1, 9),
    part=st.integers(1, 9),
    parts=st.integers(1, 5),
)
def test_rows_come_in_any_order(rows: int, numbers: list[int], group: int, part: int, parts: int) -> None:
    told = {
        name: [f"{name} {row}" if name in ("id", "wnid", "source") else row for row in range(rows)]
        for name in BOXES_SCHEMA.names
    }
    table = pa.table(told, BOXES_SCHEMA)
    with tempfile.TemporaryDirectory() as place, mock.patch.multiple(reading, _PART=part, _PARTS=parts, _BATCH=3):
        path = Path(place) / "boxes.parquet"
        pq.write_table(table, path, row_group_size=group)
        asked = np.array([number % rows for number in numbers if rows], np.int32)
        for order in (asked, np.sort(asked)):
            found = [row for some in rows_of(path, order, Path(place)) for row in some.to_pylist()]
            assert found == table.take(pa.array(order)).to_pylist()
        assert os.listdir(place) == ["boxes.parquet"]


def test_tables_that_are_no_release_s_are_refused(release: Release, tmp_path: Path) -> None:
    manifest, boxes = release.manifest, release.boxes
    for name, table, error in (
        ("manifest", manifest.drop_columns(["url"]), "other columns than format 3"),
        ("manifest", manifest.append_column("more", manifest["url"]), "other columns than format 3"),
        ("manifest", _with(manifest, "author", [None] * len(manifest)), "empty cells"),
        ("manifest", _with(manifest, "author", pa.array([b"\xff"] * len(manifest)).view(pa.string())), "UTF8"),
        ("boxes", _with(boxes, "source", [None] * len(boxes)), "empty cells"),
        ("boxes", _with(boxes, "id", ["../up"] * len(boxes)), "16 hexadecimal digits"),
    ):
        pq.write_table(table, release.path / f"{name}.parquet")
        with pytest.raises(ReleaseError, match=error):
            export(Release(release.path), "tables", tmp_path / "out")
        pq.write_table(manifest, release.path / "manifest.parquet")
        pq.write_table(boxes, release.path / "boxes.parquet")
    (release.path / "manifest.parquet").write_bytes(b"PAR1")
    with pytest.raises(ReleaseError, match="cannot read"):
        export(Release(release.path), "tables", tmp_path / "out")
    assert not hidden(tmp_path)


def _with(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))


def test_cells_are_exact_and_those_that_a_spreadsheet_runs_are_counted(tmp_path: Path) -> None:
    said = ["=1+1", "+2", "-3", "@sum", "\tx", "plain", 'a,b "c"\nd']
    release = ship(
        tmp_path / "v1", [replace(one, said={"author": text}) for one, text in zip(pictures(), said, strict=True)]
    )
    report = export(release, "tables", tmp_path / "out")
    with (tmp_path / "out/labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["author"] for row in rows} == set(said)
    assert [remark.partition(" cells")[0] for remark in report.remarks] == ["6"], "one image has two labels"
    assert export(ship(tmp_path / "v2", pictures()), "tables", tmp_path / "plain").remarks == []


READING = [name for name in FORMATS if name not in ("tables", "det", "crowdkit", "cleanlab")]
"""The formats that have pictures."""


@pytest.mark.parametrize("name", READING)
def test_a_shard_that_is_gone_or_damaged_leaves_nothing(name: str, release: Release, tmp_path: Path) -> None:
    shard = release.path / "val-000000.tar"
    data = shard.read_bytes()
    for wrong, error in ((None, "cannot read .*val-000000.tar"), (data[:600], "has no bytes"), (data, "another")):
        shard.unlink(missing_ok=True)
        if wrong is not None:
            shard.write_bytes(wrong[:700] + bytes([wrong[700] ^ 1]) + wrong[701:] if len(wrong) > 700 else wrong)
        with pytest.raises((PackError, ReleaseError), match=error):
            export(release, name, tmp_path / "out")
        assert not (tmp_path / "out").exists()
        assert not hidden(tmp_path)


def test_an_archive_that_changed_or_moved_leaves_nothing(tmp_path: Path) -> None:
    release = point_to(tmp_path / "there/v1", pictures())
    archive = tmp_path / "there/archive.tar"
    os.utime(archive, ns=(0, 0))
    with pytest.raises(ArchiveError, match="has changed"):
        export(release, "imagefolder", tmp_path / "out")
    archive.unlink()
    with pytest.raises(ArchiveError, match="cannot read"):
        export(release, "imagefolder", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not hidden(tmp_path)


def test_a_target_that_is_there_stays_as_it_is(release: Release, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for target in (out, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(ReleaseError, match="is there already"):
            export(release, "imagefolder", target)
    with pytest.raises(ReleaseError, match="cannot write"):
        export(release, "imagefolder", tmp_path / "file" / "out")
    assert not list(out.iterdir())
    assert not hidden(tmp_path)


def test_what_a_killed_writer_left_goes_and_one_at_work_is_respected(release: Release, tmp_path: Path) -> None:
    left = tmp_path / ".out.partial"
    (left / "train").mkdir(parents=True)
    (left / "train/half.jpg").write_bytes(b"\xff\xd8")

    def meanwhile(done: int, total: int) -> None:
        if done == total:
            with pytest.raises(ReleaseError, match="another process is making"):
                export(release, "imagefolder", tmp_path / "out")

    export(release, "imagefolder", tmp_path / "out", progress=meanwhile)
    assert not list((tmp_path / "out").rglob("half.jpg"))
    assert not hidden(tmp_path)


def test_no_two_hold_the_lock_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One opens the lock's file; who had it is done and takes it away, and a third makes and locks a new one."""
    path, lock = tmp_path / ".v1.lock", fcntl.flock
    third: list[int] = []

    def late(handle: int, how: int) -> None:
        if not third:
            path.unlink()
            third.append(os.open(path, os.O_RDWR | os.O_CREAT))
            lock(third[0], fcntl.LOCK_EX)
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(ReleaseError, match="another process is making"), alone(tmp_path / "v1"):
        pytest.fail("both hold it")
    os.close(third[0])
    with alone(tmp_path / "v1"), pytest.raises(ReleaseError, match="another process is making"), alone(tmp_path / "v1"):
        pytest.fail("both hold it")
    assert not hidden(tmp_path)


def test_a_lock_that_was_taken_away_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, lock = tmp_path / ".v1.lock", fcntl.flock
    locked: list[int] = []

    def late(handle: int, how: int) -> None:
        if not locked:
            path.unlink()
        locked.append(os.fstat(handle).st_ino)
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with alone(tmp_path / "v1"):
        assert path.stat().st_ino == locked[-1]
        assert len(locked) == 2
    assert not hidden(tmp_path)


def test_what_lies_behind_a_link_in_the_place_of_what_is_written_stays(release: Release, tmp_path: Path) -> None:
    (mine := tmp_path / "mine").mkdir()
    (mine / "letter").write_text("dear")
    (tmp_path / ".out.partial").symlink_to(mine)
    with pytest.raises(ReleaseError, match="cannot write"):
        export(release, "imagefolder", tmp_path / "out")
    assert (mine / "letter").read_text() == "dear"


def test_a_full_disk_is_told(release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReleaseError, match="cannot write .*out: No space left on device"):
        export(release, "imagefolder", tmp_path / "out")
    assert not hidden(tmp_path)


@pytest.mark.parametrize("entries", [0, 900, 3_000])
def test_syncing_many_files_takes_no_more_calls_than_syncing_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: int
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with whole_folder(tmp_path / "out") as partial:
        for number in range(entries // 2):
            (partial / f"{number}").mkdir()
            (partial / f"{number}/a").touch()
    assert len(list((tmp_path / "out").rglob("*"))) == entries
    assert len(synced) == (1 if entries > 1_000 and sys.platform == "linux" else entries + 2)


def test_a_system_that_cannot_sync_at_once_syncs_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    monkeypatch.setattr(sys, "platform", "another")
    with whole_folder(tmp_path / "out") as partial:
        for number in range(1_001):
            (partial / f"{number}").touch()
    assert len(synced) == 1_001 + 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
def test_a_file_system_is_synced_by_a_handle_of_it(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    assert sync_file_system(handle)
    os.close(handle)
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_file_system(handle)


def test_a_disk_that_loses_what_many_files_hold_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: int) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(whole, "sync_file_system", failing)

    def fill() -> None:
        with whole_folder(tmp_path / "out") as partial:
            for number in range(1_001):
                (partial / f"{number}").touch()

    with pytest.raises(ReleaseError, match="cannot write .*out: Input/output error"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    release = ship(tmp_path / "v1", pictures())
    rows = release.manifest.to_pylist()
    two = next(row for row in rows if sum(one["id"] == row["id"] for one in rows) == 2)
    for wrong, error in (
        ([{**rows[0], "id": "../../etc/passwd"}], "16 hexadecimal digits"),
        ([*rows, rows[0]], "twice with the same label"),
        ([*rows, {**two, "wnid": COLLIE, "split": "val"}], "two things of the split"),
        ([*rows, {**two, "wnid": COLLIE, "offset": 1}], "two things of the offset"),
        ([{**rows[0], "split": "../up"}], "splits that are none of"),
    ):
        write_manifest(release.path, wrong)
        with pytest.raises(ReleaseError, match=error):
            export(Release(release.path), "imagefolder", tmp_path / "out")
        assert not hidden(tmp_path)


@given(st.lists(st.text(min_size=0, max_size=300), max_size=20))
def test_names_are_safe_everywhere_and_all_different(texts: list[str]) -> None:
    names = safe_names(texts)
    assert len({name.casefold() for name in names}) == len(texts)
    for name in names:
        assert 1 <= len(name.encode()) <= LONGEST + 1
        assert not set(name) & set('<>:"/\\|?*\0')
        assert name.isprintable()
        assert name == name.strip(" .")
        assert name.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


def test_names_that_windows_keeps_for_itself_get_a_line() -> None:
    assert [safe_name(one) for one in ("COM1", "nul.txt", "aux", "com10", "Größe", "a" * 200)] == [
        *("COM1_", "nul.txt_", "aux_", "com10", "Größe"),
        "a" * 99,
    ]


def test_the_command_and_the_api_export(
    labelled_once: Path, copy_of: Callable[[Path], Project], tmp_path: Path
) -> None:
    db = copy_of(labelled_once)
    made = db.releases["v1"]
    report = made.export("imagefolder", tmp_path / "dogs", query="under:n02084071", splits=["train"])
    dogs = {f"{row['id']}.jpg" for row in made.rows("train") if row["wnid"] == "n02091134"}
    assert os.listdir(tmp_path / "dogs/train") == ["n02091134"]
    assert set(os.listdir(tmp_path / "dogs/train/n02091134")) == dogs
    assert report.images == len(dogs) > 1
    said = json.loads(
        run(*("release", "export", "v1", "-p", db.path, "--format", "imagefolder", "--json"), "--out", tmp_path / "all")
    )
    assert (said["images"], said["path"]) == (12, str(tmp_path / "all"))
    told = run(
        "release",
        "export",
        db.path / "releases/v1",
        "--format",
        "imagefolder",
        "--out",
        tmp_path / "b",
        "--split",
        "val",
    )
    assert told.startswith(f"{counted(len(made.rows('val')), 'image')} with ")
    assert all(name in run("release", "export", "--formats") for name in FORMATS)
    again = ("release", "export", "v1", "-p", db.path, "--format", "imagefolder", "--out", tmp_path / "all")
    assert "is there already" in run(*again, expect=2)
    assert "no split" not in run("release", "export", "v1", "-p", db.path, "--format", "zip", "--out", "x", expect=2)


def test_a_file_of_this_disk_that_is_no_image_gets_into_no_export(tmp_path: Path) -> None:
    (secret := tmp_path / "tree" / "some" / "1.jpeg").parent.mkdir(parents=True)
    release = point_to(tmp_path / "v1", [replace(one, said={"sha256": ""}) for one in pictures()])
    secret.write_bytes(b"s" * secret.stat().st_size)
    with pytest.raises(ReleaseError, match="holds no image"):
        export(release, "webdataset", tmp_path / "out")
    assert not (tmp_path / "out").exists()
