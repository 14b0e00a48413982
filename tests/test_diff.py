"""What changed from one release to another is told, each change with its reason."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from conftest import run
from holotype.crowd.expert import Nobody
from holotype.crowd.policies import Fixed, Lead, Posterior
from holotype.errors import ReleaseError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Fractions
from holotype.releases.diff import ADDED, MOVED, REMOVED, Difference, Reason
from holotype.releases.layout import EVIDENCE, MANIFEST, VOTES
from holotype.releases.takedown import Unwanted

WHIPPET, CAT = "n02091134", "n02121808"


@pytest.fixture(scope="module")
def made(
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    fill: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project of 30 candidates of two synsets, labelled, with a release."""
    folder = tmp_path_factory.mktemp("made")
    fill(folder / "photos" / WHIPPET, 18)
    fill(folder / "photos" / CAT, 12, first=50)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        truth = {(task.sha256, task.wnid): int(task.sha256, 16) % 3 > 0 for task in db.candidates.tasks()}
        db.crowd.run(db.crowd.simulated(truth, seed=3), Lead(2, 5))
        db.releases.create("v1", outvoted=True)
        return db.path


@pytest.fixture
def db(made: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(made)


def after(db: Project, **asked: Any) -> Difference:
    db.releases.create("v2", outvoted=True, **asked)
    return db.releases.diff("v1", "v2")


def pairs_in(db: Project, name: str) -> list[tuple[str, str]]:
    return [(str(row["sha256"]), str(row["wnid"])) for row in db.releases[name].rows()]


def others_in(db: Project) -> list[tuple[str, str]]:
    """Candidates that are not in the first release."""
    held = set(pairs_in(db, "v1"))
    return [(task.sha256, task.wnid) for task in db.candidates.tasks() if (task.sha256, task.wnid) not in held]


def labels(found: Difference) -> dict[str, dict[str, int]]:
    return {change: reasons for change, reasons in found.counts.items() if reasons and change != MOVED}


def test_nothing_changed(db: Project) -> None:
    found = after(db)
    assert (len(found.rows), found.added, found.removed, found.redrawn) == (0, 0, 0, 0)
    assert found.before == found.after == len(pairs_in(db, "v1"))


def test_gold_and_curators(db: Project) -> None:
    yes, no = pairs_in(db, "v1"), others_in(db)
    db.gold.add({yes[0]: False, no[0]: True}, "me")
    db.labels.overrule({yes[1]: False, no[1]: True}, "ann", "seen")
    found = after(db)
    assert labels(found) == {
        ADDED: {Reason.GOLD: 1, Reason.CURATOR: 1},
        REMOVED: {Reason.GOLD: 1, Reason.CURATOR: 1},
    }
    assert (found.added, found.removed) == (2, 2)
    db.labels.overrule({yes[1]: None, no[1]: None}, "ann", "seen wrong")
    db.releases.create("v3", outvoted=True)
    again = db.releases.diff("v2", "v3")
    assert labels(again) == {ADDED: {Reason.CURATOR: 1}, REMOVED: {Reason.CURATOR: 1}}, "what was taken back"


def test_new_votes(db: Project) -> None:
    right = {(task.sha256, task.wnid): True for task in db.candidates.tasks()}
    db.crowd.run(db.crowd.simulated(right, seed=9), Fixed(9))
    db.crowd.run(Nobody(), Lead(2, 5))
    found = after(db)
    assert labels(found)[ADDED][Reason.NEW_VOTES] > 3
    assert set(labels(found)[ADDED]) == {Reason.NEW_VOTES}


def test_blocking_takes_labels_away(db: Project) -> None:
    workers = sorted({vote.worker for vote in db.crowd.votes()})
    for worker in workers[: len(workers) // 2]:
        db.workers.block(worker, "copies")
    found = after(db)
    assert REMOVED in labels(found)
    assert set(labels(found)[REMOVED]) == {Reason.BLOCKED}


def test_another_policy(db: Project) -> None:
    db.crowd.run(Nobody(), Fixed(2))
    found = after(db)
    assert {reason for reasons in labels(found).values() for reason in reasons} == {Reason.POLICY}
    assert found.redrawn == len(set(pairs_in(db, "v1")) & set(pairs_in(db, "v2")))


def test_another_query_and_other_shares(db: Project) -> None:
    found = after(db, query=f"under:{CAT}")
    assert labels(found) == {REMOVED: {Reason.ASKED: sum(wnid != CAT for _, wnid in pairs_in(db, "v1"))}}
    assert labels(db.releases.diff("v2", "v1")) == {ADDED: labels(found)[REMOVED]}
    db.releases.create("v3", Fractions(0.2, 0.2, 0.6), outvoted=True)
    moved = db.releases.diff("v1", "v3").counts[MOVED]
    assert list(moved) == [Reason.SHARES]


def test_new_images_and_withdrawn_ones(db: Project, tmp_path: Path, fill: Callable[..., None]) -> None:
    fill(tmp_path / "more" / CAT, 5, first=500)
    db.images.ingest(tmp_path / "more")
    new = [(task.sha256, task.wnid) for task in db.candidates.tasks() if (task.sha256, task.wnid) in set(others_in(db))]
    voted = {vote.task for vote in db.crowd.votes()}
    fresh = [(task.sha256, task.wnid) for task in db.candidates.tasks() if task.number not in voted]
    assert len(fresh) == 5
    assert set(fresh) < set(new)
    db.gold.add(dict.fromkeys(fresh, True), "me")
    gone = pairs_in(db, "v1")[0]
    db.images.withdraw([gone[0]], "ann", "asked to")
    assert labels(after(db)) == {ADDED: {Reason.NEW_IMAGE: 5}, REMOVED: {Reason.WITHDRAWN: 1}}


def test_images_that_only_a_dataset_labels_are_withdrawn_too(
    db: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    """Also where fewer images are outvoted than before: that is a number, and nothing that was asked for."""
    fill(tmp_path / "tree/train" / WHIPPET, 3, first=700)
    run("datasets", "add", tmp_path / "tree", "--name", "mine", "-p", db.path)
    truth = {(task.sha256, task.wnid): True for task in db.candidates.tasks()}
    db.crowd.run(db.crowd.simulated(truth, seed=3), Posterior(accept=0.9, reject=0.05))
    before = db.releases.create("before", outvoted=True)
    outvoted = next(str(row["sha256"]) for row in before.rows() if row["no"] > row["yes"])
    imported = next(str(row["sha256"]) for row in before.rows() if row["policy"] == "imported:mine")
    db.images.withdraw([outvoted, imported], "ann", "asked to")
    after = db.releases.create("after", outvoted=True)
    assert after.summary["outvoted"] < before.summary["outvoted"]
    found = db.releases.diff("before", "after").counts[REMOVED]
    assert (found[Reason.WITHDRAWN], Reason.ASKED in found, Reason.UNEXPLAINED in found) == (2, False, False)


def test_what_was_taken_down(db: Project) -> None:
    gone = pairs_in(db, "v1")[0][0]
    db.releases.takedown("v1", "v1.1", "ann", "asked to", Unwanted([gone]))
    found = db.releases.diff("v1", "v1.1")
    assert found.counts == {ADDED: {}, REMOVED: {Reason.TAKEN_DOWN: 1}, MOVED: {}}


def test_the_command_tells_counts_and_writes_rows(made: Path, tmp_path: Path, wordnet: Ontology) -> None:
    project = shutil.copytree(made, tmp_path / "project")
    with holotype.open(project, wordnet) as db:
        db.gold.add({pairs_in(db, "v1")[0]: False}, "me")
        db.releases.create("v2", outvoted=True)
    told = run("release", "diff", "v1", project / "releases/v2", "-p", project, "--csv", tmp_path / "changes.csv")
    assert "label removed: 1\n  1  gold says otherwise" in told
    with (tmp_path / "changes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["reason"] for row in rows if row["change"] == REMOVED] == ["gold says otherwise"]
    found = json.loads(run("release", "diff", "v1", "v2", "-p", project, "--json"))
    assert found["changes"][REMOVED] == {"gold says otherwise": 1}
    assert "no label and no split is another" in run("release", "diff", "v1", "v1", "-p", project)


@pytest.mark.parametrize("name", [MANIFEST, EVIDENCE, VOTES])
def test_what_is_no_text_is_refused(db: Project, name: str) -> None:
    db.gold.add({pairs_in(db, "v1")[0]: False}, "me")
    db.releases.create("v2", outvoted=True)
    path = db.releases["v2"].path / name
    table = pq.read_table(path)
    wrong = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    ).take(pa.array([0] * len(table)))
    pq.write_table(table.set_column(table.column_names.index("wnid"), "wnid", wrong), path)
    with pytest.raises(ReleaseError, match=f"cannot read .*{name}"):
        db.releases.diff("v1", "v2")
