"""How releases are made: what is in them, what may be asked of them, and what they do with bad luck."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import holotype
from conftest import command, encoded, photo, run
from holotype.catalog import schema
from holotype.errors import ReleaseError
from holotype.images.variants import Variant
from holotype.imports.discover import find_ilsvrc2012
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Counts, Recipe, Release, verify_release
from holotype.releases.diff import REMOVED
from holotype.releases.selection import Selection
from holotype.releases.takedown import Unwanted
from miniatures import CLASSES, TABBY, TENCH, pictures
from official import write_tree
from stages import import_miniature

DOG = "n02084071"
TURNED = encoded(photo(90, 60, 40), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0")


@pytest.fixture(scope="module")
def filled_once(
    tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], wordnet: Ontology
) -> Path:
    """ILSVRC's miniature, and two own dogs, one turned and with a credit beside it; everything is labelled."""
    place = tmp_path_factory.mktemp("filled")
    (place / "mine" / DOG).mkdir(parents=True)
    (place / "mine" / DOG / "plain.jpg").write_bytes(encoded(photo(91)))
    (place / "mine" / DOG / "turned.jpg").write_bytes(TURNED)
    credit = {"licence": "CC BY 4.0", "author": "Ann", "url": "https://example.org/turned"}
    (place / "mine" / DOG / "turned.json").write_text(json.dumps(credit))
    with holotype.open(new_project(place / "project"), wordnet) as db:
        import_miniature(db, place / "disk")
        db.images.ingest(place / "mine")
        db.gold.add({(task.sha256, task.wnid): True for task in db.candidates.tasks()}, "me")
        db.crowd.run(db.crowd.simulated())
    return place


@pytest.fixture
def db(filled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(filled_once / "project")


def said(db: Project, table: Any) -> list[Any]:
    with db.catalog.read() as connection:
        return list(connection.execute(table.select()))


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def rows_of(made: Release) -> dict[str, dict[str, Any]]:
    return {row["origin"]: row for row in made.rows()}


# What is in a release


def test_a_release_has_what_the_catalog_knows(db: Project) -> None:
    made = db.releases.create("v1")
    assert verify_release(made.path) == []
    rows = rows_of(made)
    assert len(rows) == 5 * 16 + 2
    turned, plain = rows["turned.jpg"], rows["plain.jpg"]
    assert (turned["orientation"], turned["width"], turned["height"]) == (6, 40, 60)
    assert (turned["author"], turned["url"], turned["licence"]) == ("Ann", "https://example.org/turned", "CC BY 4.0")
    assert (plain["orientation"], plain["author"], plain["url"]) == (1, "", "")
    assert Counter(row["format"] for row in rows.values()) == {"JPEG": 81, "PNG": 1}
    known = {one.name: one for one in pictures()}
    found = Counter(made.boxes["id"].to_pylist())
    assert len(made.boxes) == len(said(db, schema.box)) == sum(len(one.boxes) for one in known.values())
    for name, one in known.items():
        row = rows[f"ilsvrc2012/{name}"]
        assert (row["boxes"], found[row["id"]]) == (len(one.boxes), len(one.boxes))
        assert (row["sha256"], row["wnid"]) == (hashlib.sha256(one.data).hexdigest(), one.wnid)
        assert row["split"] == one.split, "it keeps the split that it came with"
    box = made.boxes.to_pylist()[0]
    assert list(box.values())[2:6] == [10, 8, 60, 50]
    assert box["source"] in ("ILSVRC2012_bbox_train_v2.tar.gz", "ILSVRC2012_bbox_val_v3.tgz")
    order = {row["id"]: number for number, row in enumerate(made.rows())}
    assert [order[one] for one in made.boxes["id"].to_pylist()] == sorted(
        order[one] for one in made.boxes["id"].to_pylist()
    )
    assert made.summary["imported_splits"] == {"train": 60, "val": 20}


def test_shards_are_filled_one_after_the_other(db: Project) -> None:
    made = db.releases.create("v1", shard_bytes=20_000)
    assert verify_release(made.path) == []
    rows = made.rows()
    shards = sorted(path.name for path in made.path.glob("train-*.tar"))
    assert len(shards) > 3
    assert sorted({row["shard"] for row in rows if row["split"] == "train"}) == shards
    assert [row["shard"] for row in rows if row["split"] == "train"] == sorted(
        row["shard"] for row in rows if row["split"] == "train"
    )
    held = Counter[str]()
    for row in rows:
        held[row["shard"]] += row["length"]
    assert all(held[name] >= 20_000 for name in shards[:-1])


# What may be asked


def test_a_release_of_a_dataset_is_capped_and_balanced(db: Project) -> None:
    capped = db.releases.create("capped", datasets=("ilsvrc2012",), selection=Selection(10))
    assert Counter(row["wnid"] for row in capped.rows()) == dict.fromkeys(CLASSES, 10)
    even = db.releases.create("even", selection=Selection(balanced=True))
    assert Counter(row["wnid"] for row in even.rows()) == dict.fromkeys([*CLASSES, DOG], 2)
    large = db.releases.create("large", selection=Selection(at_least=3))
    assert set(large.wnids) == set(CLASSES)
    with pytest.raises(ReleaseError, match="there is no dataset 'imagenet'; there are: ilsvrc2012"):
        db.releases.create("none", datasets=("imagenet",))
    for in_place in (False, True):
        with pytest.raises(ReleaseError, match="no synset has 99 of the images asked for"):
            db.releases.create(
                "none", datasets=("ilsvrc2012",), selection=Selection(at_least=99), manifest_only=in_place
            )
    assert capped.summary["recipe"]["per_synset"] == 10
    assert capped.summary["recipe"]["datasets"] == ["ilsvrc2012"]
    assert all(verify_release(made.path) == [] for made in (capped, even, large))


def test_splits_may_be_counted(db: Project) -> None:
    kept = db.releases.create("v1", datasets=("ilsvrc2012",), splits=Counts(2, 3))
    assert kept.statistics["splits"] == {"train": 60, "val": 20, "test": 0}, "they keep the split that they came with"
    assert kept.summary["recipe"]["splits"] == {"val": 2, "test": 3, "train": 1, "each": True}
    with db.catalog.write() as connection:
        connection.execute(schema.image.update().values(split=""))
    made = db.releases.create("v2", datasets=("ilsvrc2012",), splits=Counts(2, 3))
    assert verify_release(made.path) == []
    assert made.statistics["synsets"] == {wnid: {"train": 11, "val": 2, "test": 3} for wnid in CLASSES}


def test_what_is_asked_on_the_command_line_is_the_recipe(db: Project) -> None:
    asked = ("--dataset", "ilsvrc2012", "--per-synset", 4, "--val-count", 1, "--test-count", 1, "--together", "near")
    run("release", "create", "v1", *asked, "--manifest-only", "--against", "ilsvrc2012", "-p", db.path)
    recipe = Release(db.path / "releases/v1").summary["recipe"]
    wanted = Recipe(
        datasets=("ilsvrc2012",),
        selection=Selection(4),
        splits=Counts(1, 1),
        together=("near",),
        against=("ilsvrc2012",),
        manifest_only=True,
    )
    assert recipe == wanted.value()
    for odd, message in (
        (("--train", 1, "--val-count", 1), "by shares or by counts"),
        (("--together", "luck"), "images are kept together by near, upload, author, not by 'luck'"),
        (("--manifest-only", "--short-side", 9), "left where they lie cannot be stored"),
        (("--per-synset", 2, "--at-least", 3), "at most 2 labels of a synset, but at least 3"),
    ):
        assert message in command("release", "create", "v2", *odd, "-p", db.path).stderr


def test_what_a_release_shares_with_a_dataset_is_certified(db: Project) -> None:
    made = db.releases.create("v1", query=f"synset:{TENCH}", against=("ilsvrc2012",))
    assert {check.result for check in made.leaks if check.between == ("v1/train", "v1/val")} <= {
        *("passed", "passed in part", "not checked"),
    }
    shared = {check.between: check.pairs for check in made.leaks if check.name == "same_bytes"}
    assert shared["v1/val", "ilsvrc2012/val"] == 4
    assert shared["v1/train", "ilsvrc2012/train"] == 12
    assert shared["v1/val", "ilsvrc2012/train"] == 0
    with pytest.raises(ReleaseError, match="no release and no dataset 'v9' to compare with"):
        db.releases.create("v2", against=("v9",))


# Bytes that stay where they lie


def test_a_release_may_point_into_archives(db: Project) -> None:
    made = db.releases.create("v1", datasets=("ilsvrc2012",), manifest_only=True)
    assert made.verify() == []
    assert not list(made.path.glob("*.tar"))
    known = {one.name: one for one in pictures()}
    rows = rows_of(made)
    assert len(rows) == len(known)
    for row, data in made.images():
        name = row["origin"].partition("/")[2]
        assert data == known[name].data
        assert row["sha256"] == ""
        assert row["id"] == hashlib.sha256(row["origin"].encode()).hexdigest()[:16]
        assert (row["width"], row["height"]) == ((80, 60) if known[name].boxes else (0, 0)), "as an annotation says"
    files = pq.read_table(made.path / "files.parquet").to_pylist()
    assert {Path(file["path"]).name for file in files} == {"ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"}
    assert {row["shard"] for row in rows.values()} == {file["shard"] for file in files}
    assert len(made.find("width<500")) == sum(bool(one.boxes) for one in known.values())
    assert {one.candidate.width for one in made.find("")} == {80, None}
    assert next(iter(made.find(f"synset:{TABBY}"))).read() in {one.data for one in known.values()}
    again = db.releases.create("v2", datasets=("ilsvrc2012",), manifest_only=True)
    assert contents(again.path)["manifest.parquet"] == contents(made.path)["manifest.parquet"]
    db.datasets.fingerprint()
    read = db.releases.create("v3", datasets=("ilsvrc2012",), manifest_only=True)
    assert read.verify() == []
    assert {row["sha256"] for row in read.rows()} == {hashlib.sha256(one.data).hexdigest() for one in known.values()}


def test_archives_that_moved_or_changed_are_named(db: Project, tmp_path: Path) -> None:
    """The archives are copies of this test's own, imported again from there."""
    with db.catalog.read() as connection:
        (old,) = {Path(row.path).parent for row in connection.execute(schema.file.select()) if "img_val" in row.path}
    shutil.copytree(old, tmp_path / "disk")
    with db.catalog.write() as connection:
        for row in connection.execute(schema.file.select()).all():
            path = tmp_path / "disk" / Path(row.path).name
            if path.exists():
                values = {"path": str(path), "mtime_ns": path.stat().st_mtime_ns}
                connection.execute(schema.file.update().where(schema.file.c.id == row.id).values(**values))
    asked = Recipe(datasets=("ilsvrc2012",), manifest_only=True)
    made = db.releases.create("v1", asked)
    archive = tmp_path / "disk/ILSVRC2012_img_val.tar"
    archive.rename(tmp_path / "away.tar")
    assert made.verify() == [f"{archive} is not there"]
    with pytest.raises(ReleaseError, match=r"ILSVRC2012_img_val.tar of ilsvrc2012 is not there any more"):
        db.releases.create("v2", asked)
    shutil.copyfile(tmp_path / "away.tar", archive)
    assert made.verify() == [f"{archive} has changed since the release was made (another size or time)"]
    with pytest.raises(ReleaseError, match=r"ILSVRC2012_img_val.tar of ilsvrc2012 has changed since it was imported"):
        db.releases.create("v2", asked)
    with pytest.raises(ReleaseError, match=r"has changed since it was imported"):
        db.releases.create("v2")
    assert sorted(path.name for path in (db.path / "releases").iterdir() if path.name[0] != ".") == ["v1"]


def test_own_images_cannot_stay_where_they_lie(db: Project) -> None:
    with pytest.raises(ReleaseError, match="the project's own images lie in packs"):
        db.releases.create("v1", manifest_only=True)


# Pictures in another form


def test_pictures_are_stored_smaller_and_boxes_follow(db: Project) -> None:
    made = db.releases.create("v1", variant=Variant(short_side=30, quality=80))
    plain = db.releases.create("v0")
    assert verify_release(made.path) == []
    rows = rows_of(made)
    for row, data in made.images():
        assert hashlib.sha256(data).hexdigest() == row["stored"]
        assert min(row["width"], row["height"]) == 30
        assert min(row["original_width"], row["original_height"]) in (40, 60)
        assert row["orientation"] == 1
        assert row["sha256"] == rows_of(plain)[row["origin"]]["sha256"], "votes speak of the original"
    assert rows["turned.jpg"]["height"] == 45
    assert list(made.boxes.to_pylist()[0].values())[2:6] == [5, 4, 30, 25]
    assert made.statistics["bytes"] < plain.statistics["bytes"]
    assert made.summary["recipe"]["variant"] == {"short_side": 30, "quality": 80, "orientation": "apply"}


# Bad luck

_MAKE = """
import os, resource, signal, sys
import holotype
from holotype.errors import ReleaseError
from holotype.ontology import load_wordnet

def stop(done, total):
    if done == {stop}:
        os.kill(os.getpid(), signal.SIGKILL)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with holotype.open({path!r}) as db:
    if {limit}:
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    try:
        db.releases.create("v1", progress=stop, shard_bytes={shard})
    except ReleaseError as error:
        print(error)
"""


def make(db: Project, stop: int = -1, limit: int = 0, shard: int = 20_000) -> subprocess.CompletedProcess[str]:
    script = _MAKE.format(stop=stop, limit=limit, path=str(db.path), shard=shard)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def shown(db: Project) -> list[str]:
    return sorted(path.name for path in (db.path / "releases").iterdir() if path.name[0] != ".")


def test_a_release_that_was_killed_goes_on_where_it_stopped(db: Project, tmp_path: Path) -> None:
    db.datasets.fingerprint()
    whole = contents(db.releases.create("v1", shard_bytes=20_000).path)
    shutil.rmtree(db.path / "releases/v1")
    with db.catalog.write() as connection:
        connection.execute(schema.release.delete())
    assert make(db, stop=60).returncode == -signal.SIGKILL
    assert shown(db) == []
    partial = db.path / "releases/.v1.partial"
    finished = {path.name.removesuffix(".npz") for path in (db.path / "releases/.v1.work").glob("*.npz")}
    assert 0 < len(finished) < len([name for name in whole if name.endswith(".tar")])
    before = {name: (partial / name).stat().st_ino for name in finished}
    told: list[int] = []
    made = db.releases.create("v1", progress=lambda done, _: told.append(done), shard_bytes=20_000)
    assert contents(made.path) == whole
    assert {name: (made.path / name).stat().st_ino for name in finished} == before
    assert told[0] > 1, "what was done is not done again"
    assert told[-1] == 82
    assert sorted(path.name for path in (db.path / "releases").iterdir()) == ["v1"]


def test_another_release_of_that_name_begins_anew(db: Project) -> None:
    assert make(db, stop=60).returncode == -signal.SIGKILL
    made = db.releases.create("v1", selection=Selection(5), shard_bytes=20_000)
    assert verify_release(made.path) == []
    assert made.statistics["images"] == 5 * 5 + 2


def test_a_shard_that_lost_its_end_is_written_again(db: Project) -> None:
    assert make(db, stop=60).returncode == -signal.SIGKILL
    note = next((db.path / "releases/.v1.work").glob("*.npz"))
    os.truncate(db.path / "releases/.v1.partial" / note.name.removesuffix(".npz"), 700)
    assert verify_release(db.releases.create("v1", shard_bytes=20_000).path) == []


def test_a_full_disk_says_so_and_what_is_done_is_kept(db: Project) -> None:
    db.releases.create("v0")
    before = contents(db.path / "releases/v0")
    ended = make(db, limit=60_000, shard=20_000)
    assert "cannot be written to" in ended.stdout, ended
    assert "File too large" in ended.stdout
    assert shown(db) == ["v0"]
    assert verify_release(db.releases.create("v1", shard_bytes=20_000).path) == []
    assert contents(db.path / "releases/v0") == before


def test_one_name_is_made_by_one_at_a_time(db: Project) -> None:
    def meanwhile(done: int, _: int) -> None:
        if done == 5:
            with pytest.raises(ReleaseError, match="another process is making"):
                db.releases.create("v1")

    assert verify_release(db.releases.create("v1", progress=meanwhile).path) == []


def test_a_name_that_is_taken_by_another_recipe_is_an_error(db: Project) -> None:
    made = db.releases.create("v1", datasets=("ilsvrc2012",))
    with db.catalog.write() as connection:
        connection.execute(schema.release.delete())
    with pytest.raises(ReleaseError, match="not the release that is asked for"):
        db.releases.create("v1")
    assert db.releases.create("v1", datasets=("ilsvrc2012",)).path == made.path


def test_a_release_may_point_into_folders(project: Project, tmp_path: Path) -> None:
    known = [one for one in pictures() if one.split == "train"]
    write_tree(tmp_path / "disk", known)
    sources, problems = find_ilsvrc2012([tmp_path / "disk"])
    project.datasets.add(sources, "ilsvrc2012", problems=problems)
    made = project.releases.create("v1", manifest_only=True)
    assert made.verify() == []
    assert {row["origin"].partition("/")[2]: data for row, data in made.images()} == {
        one.name: one.data for one in known
    }
    assert all(row["path"].startswith(row["wnid"]) for row in made.rows())
    for one in made.find(f"synset:{TENCH}"):
        assert one.read() in {one.data for one in known}
    (tmp_path / "disk").rename(tmp_path / "away")
    assert all("is not there" in problem for problem in made.verify())
    with pytest.raises(ReleaseError, match="is not there any more"):
        project.releases.create("v2", manifest_only=True)


def test_what_a_dataset_says_is_its_word_and_nothing_is_drawn_again(db: Project) -> None:
    made = db.releases.create("v1", datasets=("ilsvrc2012",))
    found = made.rebuild()
    assert (found.differences, found.same) == ((), True)
    assert (found.labels, found.stated) == (0, len(made.manifest))
    pointed = db.releases.create("v2", datasets=("ilsvrc2012",), manifest_only=True)
    assert (pointed.rebuild().differences, pointed.rebuild().same, pointed.verify()) == ((), True, [])
    gone = pointed.rows()[0]["id"]
    assert db.releases.takedown("v2", "v2.1", "ann", "asked to", Unwanted([gone])).images == 1
    assert db.releases["v2.1"].verify() == []
    assert sum(db.releases["v2.1"].summary["imported_splits"].values()) == 79
    for name in ("v2", "v2.1"):
        sheet = (db.releases[name].path / "datasheet.md").read_text()
        assert "Nothing was drawn: all images keep the split they came with." in sheet
        assert "Drawn by seed" not in sheet
    assert db.releases.diff("v2", "v2.1").removed == 1


# Votes on what is not in a release


@pytest.fixture
def voted(db: Project, tmp_path: Path) -> Project:
    """The project with six more dogs of its own, which people voted on; the votes cannot tell all of their skill."""
    (tmp_path / "more" / DOG).mkdir(parents=True)
    for number in range(6):
        (tmp_path / "more" / DOG / f"{number}.jpg").write_bytes(encoded(photo(200 + number)))
    db.images.ingest(tmp_path / "more")
    truth = {(task.sha256, task.wnid): True for task in db.candidates.tasks()}
    db.crowd.run(db.crowd.simulated(truth))
    return db


def test_a_release_of_a_dataset_that_nobody_was_asked_about_ships_no_votes(voted: Project) -> None:
    db, every = voted, voted.releases.create("all", outvoted=True)
    assert len(every.votes) > 0
    assert every.summary["alarms"]
    made = db.releases.create("v1", datasets=("ilsvrc2012",))
    assert (len(made.votes), made.evidence is not None and len(made.evidence)) == (0, 0)
    assert (made.summary["alarms"], made.summary["rule"], "overruled" in made.summary) == ([], "", False)
    assert made.verify() == []
    assert (made.rebuild().same, made.rebuild().differences, made.rebuild().stated) == (True, (), len(made.manifest))
    page, sheet = (made.path / "statistics.html").read_text(), (made.path / "datasheet.md").read_text()
    assert "<h2>Votes</h2>" not in page
    assert "No label follows from votes" in sheet
    assert "votes.parquet" not in sheet
    assert "A remark on the votes" not in sheet
    assert "<h2>Votes</h2>" in (every.path / "statistics.html").read_text()


def test_a_release_of_a_dataset_tells_of_votes_on_other_images(voted: Project) -> None:
    """A curator said no of one of its images: that is among what labels follow from, and so are votes then."""
    db = voted
    before = db.releases.create("v1", datasets=("ilsvrc2012",))
    gone = before.rows()[0]
    db.labels.overrule({(f"ilsvrc2012/{gone['origin'].partition('/')[2]}", gone["wnid"]): False}, "ann", "it is none")
    made = db.releases.create("v2", datasets=("ilsvrc2012",))
    votes = len(made.votes)
    assert (votes > 0, len(made.manifest)) == (True, len(before.manifest) - 1)
    assert (made.verify(), made.rebuild().differences, made.rebuild().same) == ([], (), True)
    assert db.releases.diff("v1", "v2").counts[REMOVED] == {"a curator says otherwise": 1}
    page, sheet = (made.path / "statistics.html").read_text(), (made.path / "datasheet.md").read_text()
    assert f"<p>None is on its images.</p>\n<p>{votes} votes are on other images" in page
    assert f"<b>{votes}</b>" not in page
    assert f"{votes} votes are on other images, from which no label here follows." in sheet
    assert "A remark on the votes" not in sheet
    told = run("release", "create", "v3", "--dataset", "ilsvrc2012", "-p", db.path)
    assert "alarm" not in told
    assert "alarm" in run("release", "create", "all", "--outvoted", "-p", db.path)
