"""An image that is withdrawn is used nowhere any more, whoever says what of it, until it is restored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image
from sqlalchemy import update

import holotype
from conftest import encoded, photo, run
from holotype.catalog import schema as t
from holotype.cli.text import moment
from holotype.consensus.votes import Answer
from holotype.crowd.expert import Nobody
from holotype.crowd.policies import Lead, Posterior
from holotype.errors import CrowdError, NothingAccepted, UnknownImage
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.given_votes import GivenVote
from holotype.releases import Release

Copy = Callable[[Path], Path]
DOG, CAT = "n02084071", "n02121808"
POLICY = Lead(1, 9)


@pytest.fixture(scope="module")
def made(new_project: Copy, wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of eight dogs, by their votes, and two cats by gold; one dog is mirrored."""
    root = tmp_path_factory.mktemp("withdrawals")
    folder = root / "photos"
    for wnid, seeds in ((DOG, range(8)), (CAT, (20, 21))):
        (folder / wnid).mkdir(parents=True)
        for seed in seeds:
            (folder / wnid / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    (folder / DOG / "mirrored.jpg").write_bytes(encoded(photo(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    with holotype.open(new_project(root / "p"), wordnet) as db:
        db.images.ingest(folder)
        db.gold.add({("20.jpg", CAT): True, ("21.jpg", CAT): True}, "me")
        db.crowd.add([GivenVote(f"{name}.jpg", DOG, f"w{n}", "yes") for name in (*range(8), "mirrored") for n in "ab"])
        db.crowd.run(Nobody(), POLICY)
    return root / "p"


@pytest.fixture
def db(made: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(made)


def accepted(db: Project) -> set[str]:
    return {one.candidate.file.rpartition("/")[2] for one in db.images.find("state:yes")}


ALL = {*(f"{seed}.jpg" for seed in (*range(8), 20, 21)), "mirrored.jpg"}


def test_what_is_withdrawn_is_nowhere_any_more(db: Project) -> None:
    assert accepted(db) == ALL
    before = db.releases.create("v1")
    assert db.images.withdraw(["0.jpg", "20.jpg", f"{DOG}/1.jpg"], "ann", "the owner asked") == 3
    left = ALL - {"0.jpg", "20.jpg", "1.jpg"}
    assert accepted(db) == left
    assert len(db.images.find("state:withdrawn")) == 3
    assert not {"0.jpg", "1.jpg"} & {one.name for group in db.images.near_duplicates() for one in group}
    assert db.images.near_duplicates() == [], "the mirrored dog has lost its twin"
    tasks = {task.sha256 for task in db.candidates.tasks()}
    assert not tasks & {one.sha256 for one in db.images.find("state:withdrawn")}
    drawn = db.audits.draw([DOG, CAT], 20)
    assert {one.candidate.file.rpartition("/")[2] for one in drawn} == left
    later = db.releases.create("v2")
    assert {row["origin"] for row in pq.read_table(later.path / "manifest.parquet").to_pylist()} == left
    assert {row["origin"] for row in pq.read_table(before.path / "manifest.parquet").to_pylist()} == ALL
    assert db.releases["v1"].verify() == db.releases["v2"].verify() == []
    assert {task.sha256 for task in db.gold.training_page(CAT).tasks} == {
        one.sha256 for one in db.images.find(f"synset:{CAT} state:yes")
    }


def test_whatever_is_said_of_it_nothing_brings_it_back(db: Project, tmp_path: Path) -> None:
    db.images.withdraw(["0.jpg", "20.jpg"], "ann", "why")
    db.crowd.add([GivenVote("0.jpg", DOG, f"late {n}", "yes") for n in range(5)])
    db.labels.overrule({("0.jpg", DOG): True}, "bob", "it is one")
    db.gold.add({("0.jpg", DOG): True}, "me")
    db.crowd.run(db.crowd.simulated(), POLICY)
    db.gold.correct({("20.jpg", CAT): None}, "me", "not sure")
    db.labels.overrule({("20.jpg", CAT): True}, "bob", "it is one")
    again = tmp_path / "again" / DOG
    again.mkdir(parents=True)
    (again / "copy.jpg").write_bytes(encoded(photo(20)))
    db.images.ingest(again.parent)
    assert len(db.images.find("state:withdrawn")) == 3, "the new candidate, too"
    assert accepted(db) == ALL - {"0.jpg", "20.jpg"}
    assert "0.jpg" not in {
        row["origin"] for row in pq.read_table(db.releases.create("v1").path / "manifest.parquet").to_pylist()
    }


def test_what_is_restored_is_as_if_it_had_not_been_withdrawn(db: Project) -> None:
    states = {
        (one.sha256, one.wnid): (one.state, one.candidate.score, one.candidate.policy) for one in db.images.find()
    }
    groups = [sorted(one.name for one in group) for group in db.images.near_duplicates()]
    assert db.images.withdraw(["0.jpg", "1.jpg", "20.jpg"], "ann", "why") == 3
    assert db.images.withdraw(["0.jpg"], "bob", "again") == 0, "it is so already"
    assert db.images.restore(["0.jpg", "1.jpg", "20.jpg", "3.jpg"], "ann", "a mistake") == 3
    assert {
        (one.sha256, one.wnid): (one.state, one.candidate.score, one.candidate.policy) for one in db.images.find()
    } == states
    assert [sorted(one.name for one in group) for group in db.images.near_duplicates()] == groups != []
    said = db.images.withdrawals()
    assert [(one.withdrawn, one.curator, one.reason) for one in said] == [(True, "ann", "why")] * 3 + [
        (False, "ann", "a mistake")
    ] * 3
    assert len({one.sha256 for one in said}) == 3
    assert db.images.withdraw(["0.jpg"], "ann", "after all") == 1


def test_what_is_concluded_of_others_stays_until_somebody_is_asked(db: Project) -> None:
    """Without the votes on an image the model is another one, and what was just sure is open again."""
    policy = Posterior(0.9, 0.1, 2, 9)
    for name, wrong in (("c", 1), ("d", 3), ("e", 5)):
        db.crowd.add([GivenVote(f"{n}.jpg", DOG, name, "no" if n < wrong else "yes") for n in range(8)])
    db.crowd.run(Nobody(), policy)

    (gone,) = (one.sha256 for one in db.images.called("0.jpg"))

    def scores() -> dict[str, tuple[str, float | None]]:
        found = db.images.find()
        return {one.name: (one.state, one.candidate.score) for one in found if one.sha256 != gone}

    before = scores()
    assert db.images.withdraw(["0.jpg"], "ann", "why") == 1
    assert scores() == before
    db.crowd.run(Nobody(), policy)
    assert scores() != before
    db.images.restore(["0.jpg"], "ann", "a mistake")
    assert scores() == before
    assert db.images.withdraw(["0.jpg"], "ann", "why", policy) == 1
    assert scores() != before


def test_all_may_be_withdrawn_and_nothing_is_left_to_release(db: Project) -> None:
    db.images.withdraw([one.sha256 for one in db.images.find()], "ann", "why")
    with pytest.raises(NothingAccepted):
        db.releases.create("v1")
    assert db.candidates.tasks() == []


def test_before_any_label_was_drawn(project: Project, tmp_path: Path) -> None:
    (tmp_path / "photos" / DOG).mkdir(parents=True)
    for seed in range(3):
        (tmp_path / "photos" / DOG / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    project.images.ingest(tmp_path / "photos")
    project.images.withdraw(["0.jpg"], "ann", "why")
    assert len(project.candidates.tasks()) == 2
    project.images.restore(["0.jpg"], "ann", "why")
    assert {one.state for one in project.images.find()} == {"open"}
    assert len(project.candidates.tasks()) == 3


def test_it_takes_an_image_a_name_and_a_reason(db: Project) -> None:
    with pytest.raises(UnknownImage, match=r"no image is called 'x.jpg'"):
        db.images.withdraw(["x.jpg"], "ann", "why")
    with pytest.raises(CrowdError, match="needs a reason"):
        db.images.withdraw(["0.jpg"], "ann", " ")
    with pytest.raises(CrowdError, match="a curator needs a name"):
        db.images.withdraw(["0.jpg"], "\x1b", "why")
    assert db.images.withdrawals() == []


def test_an_audit_that_was_drawn_counts_it_as_gone(db: Project) -> None:
    drawn = db.audits.draw([DOG], 9)
    db.audits.record({(one.sha256, DOG): Answer.YES for one in drawn}, "eve")
    before = db.audits.certificates()[0]
    db.images.withdraw(["0.jpg"], "ann", "why")
    after = db.audits.certificates()[0]
    assert ((before.labels, before.correct), (after.labels, after.correct)) == ((9, 9), (8, 8))
    assert (before.lower, after.lower) == (1.0, 8 / 9), "what left is counted as wrong"


def test_images_are_withdrawn_and_restored_from_the_command_line(db: Project) -> None:
    place = "-p", db.path
    said = run("images", "withdraw", "0.jpg", "1.jpg", "--reason", "the owner asked", "--curator", "ann", *place)
    assert said == "2 images withdrawn; releases that were made stay as they are\n"
    assert run("query", "state:withdrawn", "--count", *place) == "2\n"
    assert run("images", "restore", f"{DOG}/0.jpg", "--reason", "may be used", *place) == "1 image restored\n"
    lines = run("images", "withdrawals", *place).splitlines()
    assert [line.split("\t")[1:2] for line in lines] == [["said"], ["withdrawn"], ["withdrawn"], ["restored"]]
    again = "--reason", "r", "--curator", "ann", *place
    assert run("images", "withdraw", "1.jpg", *again).startswith("0 images withdrawn: it is withdrawn already; ")
    assert run("images", "restore", f"{DOG}/0.jpg", *again) == "0 images restored: it is not withdrawn\n"
    assert run("images", "restore", f"{DOG}/0.jpg", f"{DOG}/2.jpg", *again).endswith(": they are not withdrawn\n")
    told = json.loads(run("images", "withdrawals", *place, "--json"))
    assert [line.split("\t")[-1] for line in lines[1:]] == [moment(one["at"]) for one in told]
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.split("\t")[-1]) for line in lines[1:])
    assert {one["curator"] for one in told[:2]} == {"ann"}
    times = [datetime.fromtimestamp(one["at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for one in told]
    assert [line.split("\t")[-1] for line in lines] == ["at", *times]
    assert told[2]["curator"], "whoever is at the keyboard"
    assert "no image is called" in run("images", "withdraw", "x.jpg", "--reason", "r", *place, expect=2)
    assert json.loads(run("statistics", "--json", *place))["states"]["withdrawn"] == 1
    assert "withdrawn" in run("statistics", *place)


def test_other_bytes_under_the_name_are_not_withdrawn(db: Project) -> None:
    """What was withdrawn is what was seen: where an archive has other bytes there now, these are looked at anew."""
    from holotype.catalog import fingerprints

    db.images.withdraw(["0.jpg"], "ann", "why")
    (found,) = db.images.called("0.jpg")
    with db.catalog.write() as connection:
        row = connection.execute(t.fingerprint.select().where(t.fingerprint.c.image_id == found.id)).one()._asdict()
        connection.execute(t.fingerprint.delete().where(t.fingerprint.c.image_id == found.id))
        fingerprints.add(connection, [row | {"sha256": "f" * 64, "reason": ""}])
    assert len(db.images.find("state:withdrawn")) == 0
    with db.catalog.write() as connection:
        connection.execute(t.fingerprint.delete().where(t.fingerprint.c.image_id == found.id))
        connection.execute(update(t.candidate).where(t.candidate.c.image_id == found.id).values(state=1))
        fingerprints.add(connection, [row | {"reason": ""}])
    assert len(db.images.find("state:withdrawn")) == 1, "and the old bytes still are"


def test_a_release_stays(db: Project) -> None:
    release = db.releases.create("v1")
    files = {path.name: path.read_bytes() for path in release.path.iterdir()}
    db.images.withdraw(["0.jpg"], "ann", "why")
    assert {path.name: path.read_bytes() for path in Release(release.path).path.iterdir()} == files


def test_all_of_it_on_postgresql(
    tmp_path: Path, wordnet: Ontology, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists of what came in, names of images, credits, votes from elsewhere and withdrawals."""
    monkeypatch.setenv("HOLOTYPE_CATALOG", postgres)
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    for seed in range(3):
        (folder / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    (folder / "copy.jpg").write_bytes(encoded(photo(2)))
    (folder / "0.txt").write_text("licence: CC BY 4.0\nauthor: Kim")
    (folder / "text.jpg").write_text("no image")
    holotype.init(tmp_path / "p").close()
    with holotype.open(tmp_path / "p", wordnet) as db:
        db.images.ingest(tmp_path / "photos")
        assert [one.file for one in db.images.inputs("rejected")] == [f"{DOG}/text.jpg"]
        assert [one.duplicate_of for one in db.images.inputs("duplicate")] == [f"{DOG}/2.jpg"]
        assert db.images.inputs("unassigned") == []
        (shown,) = db.images.find("id:0.jpg licence:cc")
        assert (shown.candidate.author, shown.candidate.file) == ("Kim", f"{DOG}/0.jpg")
        assert len(db.images.find(f"id:{shown.sha256[:9]}")) == 1
        assert db.crowd.add([GivenVote(f"{n}.jpg", DOG, "w", "yes") for n in range(4)]).reasons == {"unknown_image": 1}
        db.crowd.run(Nobody(), POLICY)
        db.images.withdraw(["0.jpg"], "ann", "why")
        assert accepted(db) == {"1.jpg", "2.jpg"}
        assert db.images.find("state:withdrawn").to_arrow().column("file").to_pylist() == [f"{DOG}/0.jpg"]
        db.images.restore(["0.jpg"], "ann", "why")
        assert len(db.images.find("state:yes")) == 3
