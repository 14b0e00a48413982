"""Releases without some of their images: nothing of these is left, all else is equal, and it is told how many."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import holotype
from any_release import shipped, some
from conftest import command, encoded, photo, run
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Lead
from holotype.errors import CrowdError, ReleaseError
from holotype.ontology import Ontology
from holotype.project import Project, release_takedown
from holotype.releases import Release, verify_release
from holotype.releases.layout import CHECKSUMS, MANIFEST
from holotype.releases.leaks import BYTES, PICTURE, WITHIN
from holotype.releases.rebuild import rebuild_release
from holotype.releases.takedown import Unwanted, take_down, unwanted_rows
from test_documents import finished
from test_project import corrupt

WHIPPET, CAT = "n02091134", "n02121808"


@pytest.fixture(scope="module")
def made(
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    fill: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project of 25 labelled images, two of them near-duplicates, with audits of two subtrees and a release."""
    folder = tmp_path_factory.mktemp("made")
    fill(folder / "photos" / WHIPPET, 15)
    fill(folder / "photos" / CAT, 8, first=50)
    for quality in (95, 50):
        name = folder / "photos" / WHIPPET / f"again-{quality}.jpg"
        name.write_bytes(encoded(photo(300, 400, 300), quality=quality))
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        again = [photo_.read_bytes() for photo_ in (folder / "photos" / WHIPPET).glob("again-*.jpg")]
        db.gold.add({(hashlib.sha256(data).hexdigest(), WHIPPET): True for data in again}, "me")
        truth = {(task.sha256, task.wnid): True for task in db.candidates.tasks()}
        db.crowd.run(db.crowd.simulated(truth), Lead(2, 9))
        db.audits.draw([WHIPPET, CAT], 3)
        for status in db.audits.status():
            said = {(label.sha256, label.wnid): Answer.YES for label in status.sample}
            db.audits.record(said, "auditor")
        db.releases.create("v1", outvoted=True)
        return db.path


@pytest.fixture
def db(made: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(made)


def images_in(release: Release) -> dict[str, bytes]:
    return {row["id"]: data for row, data in release.images()}


def everything(folder: Path) -> bytes:
    """All bytes of a release, tables read as text."""
    tables = [str(pq.read_table(path).to_pylist()).encode() for path in folder.glob("*.parquet")]
    return b"".join([*tables, *(path.read_bytes() for path in folder.iterdir())])


def test_an_image_is_gone_and_all_else_is_equal(db: Project) -> None:
    old = db.releases["v1"]
    before, rows = images_in(old), old.rows()
    gone = rows[4]
    found = db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([gone["id"]]))
    new = db.releases["v1.1"]
    assert (found.images, found.labels, new.verify()) == (1, 1, [])
    assert images_in(new) == {key: data for key, data in before.items() if key != gone["id"]}
    address = {"shard", "offset", "near_group", "group"}
    kept = [{key: row[key] for key in row.keys() - address} for row in rows if row["id"] != gone["id"]]
    assert [{key: row[key] for key in row.keys() - address} for row in new.rows()] == kept
    assert new.wnids == old.wnids, "classes keep their numbers"
    told = everything(new.path)
    assert gone["sha256"].encode() not in told
    assert gone["id"].encode() not in told
    assert new.summary["taken_down"]["images"] == 1
    assert new.summary["taken_down"]["from"][0]["checksum"] == db.releases.checksums()["v1"]


def test_shards_are_those_of_other_readers_still(db: Project) -> None:
    rows = db.releases["v1"].rows("train")
    db.releases.takedown("v1", "v2", "ann", "asked to", Unwanted([rows[0]["id"], rows[-1]["sha256"]]))
    with tarfile.open(db.releases["v2"].path / "train-000000.tar") as shard:
        names = shard.getnames()
    ids = list(dict.fromkeys(row["id"] for row in rows[1:-1]))
    assert names == [f"{one}.{kind}" for one in ids for kind in ("jpg", "cls", "json")]


def test_in_a_project_later_releases_leave_them_out(db: Project) -> None:
    gone = db.releases["v1"].rows()[0]
    db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([gone["id"]]))
    assert [(one.sha256, one.curator, one.reason) for one in db.images.withdrawals()] == [
        (gone["sha256"], "ann", "asked to")
    ]
    later = db.releases.create("v2", outvoted=True)
    for table in (later.manifest, later.votes, later.evidence):
        assert table is not None
        assert gone["sha256"] not in table["sha256"].to_pylist()
    assert db.releases["v1"].verify() == [], "the old one is as it was"


def test_a_taken_down_release_says_how_far_its_labels_follow(db: Project) -> None:
    rows = db.releases["v1"].rows()
    db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([rows[0]["id"]]))
    db.releases.takedown("v1.1", "v1.2", "ann", "asked to", Unwanted([rows[1]["id"]]))
    found = db.releases["v1.2"].rebuild()
    assert found.same
    assert not found.differences
    assert any("2 images were taken down with their votes" in line for line in found.remarks)
    steps = db.releases["v1.2"].summary["taken_down"]["from"]
    assert [(step["release"], step["images"]) for step in steps] == [("v1", 1), ("v1.1", 1)]


def test_certificates_of_other_subtrees_stay(db: Project) -> None:
    old = db.releases["v1"]
    assert {one.plan.wnid for one in old.certificates} == {WHIPPET, CAT}
    gone = next(row for row in old.rows() if row["wnid"] == CAT)
    found = db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([gone["id"]]))
    new = db.releases["v1.1"]
    assert [one.plan.wnid for one in new.certificates] == [WHIPPET]
    assert new.verify() == []
    assert any(f"the certificate of {CAT}" in line for line in found.left_out)


def test_near_duplicates_that_stay_are_told(db: Project) -> None:
    rows = db.releases["v1"].rows()
    pairs = [row for row in rows if sum(other["near_group"] == row["near_group"] for other in rows) == 2]
    assert len(pairs) == 2
    first = min(pairs, key=lambda row: str(row["id"]))
    other = max(pairs, key=lambda row: str(row["id"]))
    found = db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([first["id"]]))
    assert found.near == (other["id"],)
    now = next(row for row in db.releases["v1.1"].rows() if row["id"] == other["id"])
    assert now["near_group"] == now["group"] == other["id"], "a group is not called by what is gone"


def test_imported_images_are_called_as_in_their_dataset() -> None:
    import pyarrow as pa

    manifest = pa.table(
        {
            "id": ["a" * 16, "b" * 16, "c" * 16, "b" * 16],
            "sha256": ["a" * 64, "b" * 64, "c" * 64, "b" * 64],
            "source": ["imported:mine", "imported:mine", "folder:photos", "imported:mine"],
            "origin": ["mine/one", "mine/two", "mine/two", "mine/two"],
        }
    )
    assert unwanted_rows(manifest, Unwanted(images=["mine/two"])).tolist() == [False, True, False, True]
    assert unwanted_rows(manifest, Unwanted(images=["C" * 16, "a" * 64])).tolist() == [True, False, True, False]
    several = Unwanted(images=["mine/four", "a" * 16, "", "mine/one", "0" * 64, "mine/three"])
    with pytest.raises(ReleaseError) as told:
        unwanted_rows(manifest, several)
    assert str(told.value).count("DATASET/NAME") == 4, "each that is unknown is named"
    assert str(told.value).index("mine/four") < str(told.value).index("000") < str(told.value).index("mine/three")
    for unknown in ("two", "mine/three", ""):
        with pytest.raises(ReleaseError, match="no image of the release has the id, sha256 or DATASET/NAME"):
            unwanted_rows(manifest, Unwanted(images=[unknown]))


def test_authors_and_addresses_say_which(made: Path, tmp_path: Path, wordnet: Ontology) -> None:
    import pyarrow as pa

    from holotype.releases.writing import write_table
    from test_project import rewrite_sums

    folder = shutil.copytree(made / "releases/v1", tmp_path / "v1")
    table = pq.read_table(folder / MANIFEST)
    authors = ["Ann Lee" if at % 3 == 0 else "" for at in range(len(table))]
    urls = [f"https://example.org/{at}" for at in range(len(table))]
    for name, values in (("author", authors), ("url", urls)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    write_table(folder / MANIFEST, table)
    rewrite_sums(folder)
    old = Release(folder)
    found = take_down(old, tmp_path / "v2", Unwanted(authors=["ann lee "], urls=["http://example.org/1/"]))
    assert found.images == len(authors[::3]) + 1
    new = Release(tmp_path / "v2")
    assert verify_release(new.path, ontology=wordnet) == []
    assert not pc.any(pc.equal(new.manifest["author"], "Ann Lee")).as_py()
    for wrong, expected in (
        (Unwanted(), "say which images"),
        (Unwanted(images=["0" * 16]), "no image of the release has the id, sha256 or DATASET/NAME '0000"),
        (Unwanted(authors=[""]), "the author ''"),
        (Unwanted(authors=["Unknown"]), "the author 'Unknown'"),
        (Unwanted(urls=urls), "nothing of v1 would be left"),
    ):
        with pytest.raises(ReleaseError, match=expected):
            take_down(old, tmp_path / "v3", wrong)
    assert not (tmp_path / "v3").exists()


@pytest.mark.parametrize("name", ["train-000000.tar", "votes.parquet"])
def test_of_a_damaged_release_nothing_is_made(made: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(made / "releases/v1", tmp_path / "v1")
    old = Release(folder)
    rows = old.rows()
    corrupt(folder / name)
    with pytest.raises(ReleaseError, match="does not have its checksum"):
        take_down(old, tmp_path / "v2", Unwanted([rows[0]["id"]]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1"]


def test_an_emptied_shard_leaves_no_gap(made: Path, tmp_path: Path, wordnet: Ontology) -> None:
    old = Release(shutil.copytree(made / "releases/v1", tmp_path / "v1"))
    gone = [row["id"] for row in old.rows("val")]
    take_down(old, tmp_path / "v2", Unwanted(gone))
    assert not list((tmp_path / "v2").glob("val-*"))
    assert verify_release(tmp_path / "v2", ontology=wordnet) == []
    assert rebuild_release(Release(tmp_path / "v2"), wordnet).same


def test_what_was_written_but_not_noted_is_taken_up(db: Project) -> None:
    old = db.releases["v1"]
    gone = Unwanted([old.rows()[0]["id"]])
    take_down(old, db.path / "releases/v1.1", gone)
    other = Unwanted([old.rows()[1]["id"]])
    with pytest.raises(ReleaseError, match="not the release that is asked for"):
        db.releases.takedown("v1", "v1.1", "ann", "asked to", other)
    assert db.releases.takedown("v1", "v1.1", "ann", "asked to", gone).images == 1
    assert db.releases["v1.1"].verify() == []
    with pytest.raises(ReleaseError, match="there is a release 'v1.1' already"):
        db.releases.takedown("v1", "v1.1", "ann", "asked to", gone)
    with pytest.raises(CrowdError, match="needs a reason"):
        db.releases.takedown("v1", "v3", "ann", " ", gone)


def test_the_command_tells_what_the_old_release_still_has(made: Path, tmp_path: Path) -> None:
    project = shutil.copytree(made, tmp_path / "project")
    gone = Release(project / "releases/v1").rows()[0]["id"]
    about = "--image", gone, "--reason", "asked to", "--curator", "ann", "-p", project
    told = run("release", "takedown", "v1", "v1.1", *about)
    assert "1 image with 1 label is taken down, and withdrawn from the project" in told
    assert "still has them: releases are never changed, so delete it" in told
    folder = shutil.copytree(project / "releases/v1", tmp_path / "elsewhere")
    found = json.loads(run("release", "takedown", folder, "smaller", "--image", gone, "--json"))
    assert (found["images"], found["path"]) == (1, str(tmp_path / "smaller"))
    assert (tmp_path / "smaller" / CHECKSUMS).is_file()
    assert command("release", "takedown", "v1", "v9", "--image", gone, "-p", project).code == 2


def test_a_shard_whose_name_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, victim = finished(shipped(tmp_path / "v1", some(8))), tmp_path / "victim"
    victim.mkdir()
    shutil.copy(folder / "train-000000.tar", victim / "train-1.tar")
    (victim / "train-000000.tar").write_bytes(b"precious")
    table = pq.read_table(folder / MANIFEST)
    led = pc.replace_substring(table["shard"], "train-000000.tar", "../victim/train-1.tar")
    pq.write_table(table.set_column(table.column_names.index("shard"), "shard", led), folder / MANIFEST)
    finished(folder)
    with pytest.raises(ReleaseError, match="no shard of a release"):
        take_down(Release(folder), tmp_path / "v2", Unwanted([table["id"][0].as_py()]))
    assert (victim / "train-000000.tar").read_bytes() == b"precious"
    assert not (tmp_path / "v2").exists()


def test_who_is_stopped_before_images_are_withdrawn_can_ask_again(db: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = db.releases["v1"].rows()[4]

    def stopped(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release_takedown, "withdraw", stopped)
        with pytest.raises(KeyboardInterrupt):
            db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([gone["id"]]))
    db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([gone["id"]]))
    made = db.releases.create("v2", outvoted=True)
    assert gone["id"] not in {row["id"] for row in made.rows()}


# What was compared before


def test_what_was_compared_of_pictures_stays_compared(db: Project) -> None:
    db.releases.create("v2", outvoted=True, against=("v1",))
    old = db.releases["v2"]
    gone = old.rows("train")[0]["id"]
    db.releases.takedown("v2", "v2.1", "ann", "asked to", Unwanted([gone]))
    new = db.releases["v2.1"]
    assert new.verify() == []
    assert len(new.leaks) == len(old.leaks) > len(WITHIN)
    for one, other in zip(old.leaks, new.leaks, strict=True):
        assert (one.name, one.threshold, one.result) == (other.name, other.threshold, other.result)
        assert [name.replace("v2.1/", "v2/") for name in other.between] == list(one.between)
        for side, name in enumerate(one.between):
            images = one.compared[side] + one.unknown[side]
            assert other.compared[side] + other.unknown[side] == images - (name == "v2/train")
    assert {check.result for check in new.leaks if check.name == PICTURE and check.between[1][:3] == "v2."} == {
        "passed"
    }
    shared = [check for check in new.leaks if check.pairs and check.name == BYTES]
    assert {check.between: check.pairs for check in shared}["v2.1/val", "v1/val"] == len(new.rows("val"))
    assert "passed" in (new.path / "datasheet.md").read_text()


# What has no label


def test_an_image_without_a_label_is_taken_down_with_what_was_said_of_it(db: Project) -> None:
    row = next(row for row in db.releases["v1"].rows() if row["policy"] != "gold")
    db.labels.overrule({(row["sha256"], row["wnid"]): False}, "ann", "it is none")
    old = db.releases.create("v2", outvoted=True)
    assert row["sha256"] not in old.manifest["sha256"].to_pylist()
    for number, name in enumerate((row["sha256"], row["sha256"][:16].upper())):
        folder = shutil.copytree(old.path, db.path / f"copy{number}")
        found = take_down(Release(folder), db.path / f"taken{number}", Unwanted([name]))
        assert (found.images, found.labels, found.names) == (1, 0, (row["sha256"],))
    found = db.releases.takedown("v2", "v2.1", "ann", "asked to", Unwanted([row["sha256"]]))
    new = db.releases["v2.1"]
    assert new.verify() == []
    assert row["sha256"].encode() in everything(old.path)
    assert row["sha256"].encode() not in everything(new.path)
    said = pc.equal(old.votes["sha256"], row["sha256"])
    assert pc.any(said).as_py()
    assert (new.votes.equals(old.votes.filter(pc.invert(said))), len(new.rows())) == (True, len(old.rows()))
    assert new.summary["taken_down"]["images"] == 1
    assert new.rebuild().same
    assert row["sha256"] in [one.sha256 for one in db.images.withdrawals()]
    with pytest.raises(ReleaseError, match="no image of the release has the id, sha256 or DATASET/NAME"):
        db.releases.takedown("v2.1", "v2.2", "ann", "asked to", Unwanted([row["sha256"]]))


def test_what_was_written_without_an_image_that_has_no_label_is_that_only(db: Project) -> None:
    first, second = [row for row in db.releases["v1"].rows() if row["policy"] != "gold"][:2]
    for row in (first, second):
        db.labels.overrule({(row["sha256"], row["wnid"]): False}, "ann", "it is none")
    db.releases.create("v2", outvoted=True)
    take_down(db.releases["v2"], db.path / "releases/v3", Unwanted([first["sha256"]]))
    with pytest.raises(ReleaseError, match="not the release that is asked for"):
        db.releases.takedown("v2", "v3", "ann", "asked to", Unwanted([second["sha256"]]))
    assert db.releases.takedown("v2", "v3", "ann", "asked to", Unwanted([first["sha256"]])).images == 1
