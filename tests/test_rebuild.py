"""Releases made anew from what they ship: labels follow from votes, policy and what else is known, to the byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from conftest import run
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import Nobody, Source, Trust
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.errors import CrowdError, ReleaseError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Release, verify_release
from holotype.releases.follow import follow
from holotype.releases.layout import EVIDENCE, EVIDENCE_SCHEMA, MANIFEST, SUMMARY, VOTES, VOTES_EXTRAS, VOTES_SCHEMA
from holotype.releases.rebuild import rebuild_release
from holotype.releases.relabel import relabel
from holotype.releases.shipped import Shipped
from subtrees import CAT, CHIHUAHUA, DOG, SIAMESE, SPANIEL, truth_of
from test_project import rewrite_sums

MODEL = Imageable(Posterior(maximum=6, pilot=10))


@pytest.fixture(scope="module")
def candidates(
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    fill: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project of five synsets with thirty images each, which nobody was asked about."""
    folder = tmp_path_factory.mktemp("candidates")
    for number, wnid in enumerate((DOG, CHIHUAHUA, SPANIEL, CAT, SIAMESE)):
        fill(folder / "photos" / wnid, 30, first=1000 * number)
    with holotype.open(new_project(folder / "project"), wordnet) as made:
        made.images.ingest(folder / "photos")
        return made.path


@pytest.fixture
def db(candidates: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(candidates)


def ask(db: Project, policy: Policy, *under: str, seed: int = 1) -> None:
    db.crowd.run(db.crowd.simulated(truth_of(db), seed=seed), policy, under=under)


@pytest.mark.parametrize("policy", [MODEL, Posterior(), Lead(2, 5), Fixed(3), Table(seeds=10)], ids=str)
def test_a_release_made_anew_is_the_same_to_the_byte(db: Project, policy: Policy) -> None:
    ask(db, policy)
    made = db.releases.create("v1", outvoted=True)
    found = made.rebuild()
    assert (found.differences, found.remarks) == ((), ())
    assert found.same
    assert found.checksum == db.releases.checksums()["v1"]
    assert found.labels == len(made.manifest)


def follows(made: Release, ontology: Ontology) -> None:
    found = rebuild_release(made, ontology)
    assert (found.differences, found.remarks, found.same) == ((), (), True)
    assert verify_release(made.path) == []


def test_what_labels_follow_from_beside_votes_is_shipped(db: Project) -> None:
    ask(db, MODEL)
    tasks = db.candidates.tasks()
    known = {(task.sha256, task.wnid): int(task.sha256, 16) % 3 == 0 for task in tasks[::9]}
    db.labels.overrule({(task.sha256, task.wnid): True for task in tasks[4:8]}, "ann", "seen")
    db.labels.overrule({(task.sha256, task.wnid): False for task in tasks[9:12]}, "bob", "seen")
    db.gold.add(
        {pair: yes for pair, yes in known.items() if pair not in {(t.sha256, t.wnid) for t in tasks[4:12]}}, "me"
    )
    db.candidates.add_priors({(task.sha256, task.wnid): 0.9 for task in tasks[20:60]}, "search")
    db.workers.block(db.crowd.votes()[0].worker, "copies")
    ask(db, MODEL, seed=2)
    made = db.releases.create("v1", outvoted=True)
    drawn = {row["policy"].partition("(")[0].partition(":")[0] for row in made.rows()}
    assert drawn == {"gold", "curator", "imageable"}
    follows(made, db.ontology)
    evidence = made.evidence
    assert evidence is not None
    assert len(evidence) == len(tasks)
    assert "ann" not in str(evidence.to_pylist())
    assert {row["ruling"] for row in evidence.to_pylist()} == {"yes", "no", ""}


def test_subtrees_with_policies_of_their_own_follow(db: Project) -> None:
    """Each layer heard of candidates in rounds of its own, and of what a newer one took only the early votes."""
    ask(db, MODEL, DOG)
    ask(db, Lead(2, 5), CAT)
    ask(db, Fixed(5), CHIHUAHUA, seed=3)
    db.workers.block(db.crowd.votes()[3].worker, "copies")
    made = db.releases.create("v1", outvoted=True)
    assert made.summary["rule"].startswith("divided(")
    assert len(made.evidence.to_pylist()[0]["rounds"]) == 3  # type: ignore[union-attr]
    follows(made, db.ontology)


def test_a_rest_that_was_asked_before_follows(db: Project) -> None:
    ask(db, MODEL)
    ask(db, Posterior(maximum=8, pilot=5), CAT, seed=5)
    made = db.releases.create("v1", outvoted=True)
    assert "rest=" in made.summary["rule"]
    follows(made, db.ontology)


def test_one_persons_and_one_sources_word_are_statements(db: Project) -> None:
    ask(db, Fixed(3))
    worker = db.crowd.votes()[0].worker
    db.crowd.run(Nobody(), Imageable(Trust(worker)))
    made = db.releases.create("trusted", outvoted=True)
    assert worker not in json.dumps(made.summary)
    follows(made, db.ontology)
    db.crowd.run(Nobody(), Source("folder"))
    follows(db.releases.create("sourced", outvoted=True), db.ontology)


def test_machines_among_the_voters_follow(db: Project, tmp_path: Path) -> None:
    scores = {(task.sha256, task.wnid): 0.9 if int(task.sha256, 16) % 3 == 0 else 0.1 for task in db.candidates.tasks()}
    lines = [f"{sha256},{wnid},{score}\n" for (sha256, wnid), score in scores.items()]
    (tmp_path / "scores.csv").write_text("image,synset,score\n" + "".join(lines))
    db.crowd.run(db.crowd.machine("m", tmp_path / "scores.csv"), MODEL)
    ask(db, MODEL)
    made = db.releases.create("v1", outvoted=True)
    assert made.summary["machines"]["labels"]
    follows(made, db.ontology)


def test_votes_that_came_since_labels_were_drawn_are_heard_first(db: Project) -> None:
    ask(db, Lead(2, 5))
    with db.catalog.write() as connection:
        connection.exec_driver_sql("UPDATE vote SET answer = 2 WHERE id % 3 = 0")
        connection.exec_driver_sql(
            "INSERT INTO vote (candidate_id, worker_id, answer, page, seconds, at, round) "
            "SELECT candidate_id, (SELECT max(id) FROM worker), 2, 'late', 1.0, 9.0, 9 FROM vote "
            "WHERE candidate_id NOT IN (SELECT candidate_id FROM vote WHERE worker_id = (SELECT max(id) FROM worker)) "
            "GROUP BY candidate_id"
        )
    made = db.releases.create("v1", outvoted=True)
    follows(made, db.ontology)


def table(folder: Path, name: str, change: Callable[[list[dict[str, object]]], object]) -> None:
    """Change rows of a file, and fix the checksums up."""
    held = pq.read_table(folder / name)
    rows = held.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, held.schema), folder / name)
    rewrite_sums(folder)


def turn_votes(rows: list[dict[str, object]]) -> None:
    """Everybody who said no to what was accepted first said yes, and the other way round."""
    for row in rows[: len(rows) // 4]:
        row["answer"] = {"yes": "no", "no": "yes", "unsure": "unsure"}[str(row["answer"])]


def forge(rows: list[dict[str, object]]) -> None:
    rows[0].update(policy="fixed(1)")


TAMPERINGS: dict[str, tuple[str, Callable[[list[dict[str, object]]], object], str]] = {
    "votes turned round": (VOTES, turn_votes, "do not follow from votes and policy: they are not yes"),
    "a vote more": (VOTES, lambda rows: rows.append(rows[0] | {"worker": "f" * 16}), "other counts of answers"),
    "another score": (MANIFEST, lambda rows: rows[3].update(score=0.5), "another score"),
    "another policy": (MANIFEST, forge, "drawn by another"),
    "passed off as a dataset's": (MANIFEST, lambda rows: rows[0].update(policy="imported:x"), "drawn by another"),
    "a label left out": (MANIFEST, lambda rows: rows.pop(5), "manifest.parquet lacks 1 label of those"),
    "no evidence of it": (EVIDENCE, lambda rows: rows.clear(), "does not have"),
    "gold made up": (EVIDENCE, lambda rows: [row.update(gold="no") for row in rows], "they are not yes"),
    "a rejected one called open": (
        EVIDENCE,
        lambda rows: [row.update(state="open") for row in rows if row["state"] == "no"],
        "another state than follows",
    ),
}


@pytest.fixture(scope="module")
def released(candidates: Path, wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(candidates, tmp_path_factory.mktemp("released") / "project")
    with holotype.open(folder, wordnet) as db:
        ask(db, Lead(2, 5))
        return db.releases.create("v1", outvoted=True).path


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_tampered_with_consistently_does_not_follow(
    released: Path, tmp_path: Path, wordnet: Ontology, name: str
) -> None:
    file, change, expected = TAMPERINGS[name]
    folder = shutil.copytree(released, tmp_path / "v1")
    table(folder, file, change)
    found = rebuild_release(Release(folder), wordnet)
    assert not found.same
    assert any(expected in line for line in found.differences), found.differences


def test_another_policy_in_the_summary_does_not_follow(released: Path, tmp_path: Path, wordnet: Ontology) -> None:
    folder = shutil.copytree(released, tmp_path / "v1")
    summary = json.loads((folder / SUMMARY).read_text())
    for rule, expected in (("fixed(4)", "drawn by another"), ("", "they are not yes")):
        (folder / SUMMARY).write_text(json.dumps(summary | {"rule": rule}))
        rewrite_sums(folder)
        found = rebuild_release(Release(folder), wordnet)
        assert any(expected in line for line in found.differences), found.differences
    (folder / SUMMARY).write_text(json.dumps(summary | {"rule": "mine()"}))
    rewrite_sums(folder)
    with pytest.raises(CrowdError, match="a policy is one of"):
        rebuild_release(Release(folder), wordnet)
    found = rebuild_release(Release(folder), wordnet, Lead(2, 5))
    assert not [line for line in found.differences if "labels" in line], "who made the policy can give it"


def test_a_release_without_evidence_says_so(released: Path, tmp_path: Path, wordnet: Ontology) -> None:
    folder = shutil.copytree(released, tmp_path / "v1")
    (folder / EVIDENCE).unlink()
    rewrite_sums(folder)
    with pytest.raises(ReleaseError, match="does not ship what its labels follow from"):
        rebuild_release(Release(folder), wordnet)


def test_the_command_says_what_came_out(released: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(released, tmp_path / "v1")
    told = run("release", "rebuild", folder)
    assert "labels were drawn again from what it ships: the same digest" in told
    found = json.loads(run("release", "rebuild", folder, "--json"))
    assert (found["same"], found["checksum"], found["differences"]) == (True, found["expected"], [])
    table(folder, MANIFEST, lambda rows: rows[3].update(score=0.5))
    assert "another score; such as" in run("release", "rebuild", folder, expect=1)


def test_votes_on_copies_of_an_image_are_told_apart(wordnet: Ontology) -> None:
    """Two candidates with the same bytes and synset: nobody saw the second in the first, and only that one is yes."""
    row = {"sha256": "a" * 64, "wnid": DOG, "rank": wordnet.rank(DOG), "asked": True, "state": "", "rounds": [1]}
    row |= {"prior": 0.0, "gold": "", "ruling": "", "curator": "", "sources": ["folder"]}
    evidence = pa.Table.from_pylist([row | {"copy": 0}, row | {"copy": 1}], EVIDENCE_SCHEMA)
    cast = {"sha256": "a" * 64, "wnid": DOG, "page": "", "seconds": 1.0, "at": 1.0}
    votes = [cast | {"worker": "w", "answer": said, "copy": copy} for copy, said in enumerate(("no", "yes"))]
    shipped = Shipped.of(evidence, pa.Table.from_pylist(votes, pa.schema([*VOTES_SCHEMA, *VOTES_EXTRAS])))
    label = relabel(shipped, Fixed(1), wordnet)
    assert label.states().to_pylist() == ["no", "yes"]
    said = {"id": "a" * 16, "policy": "fixed(1)", "score": 1.0, "yes": 1, "unsure": 0, "no": 0}
    for counts, wrong in ({}, []), ({"yes": 0, "no": 1}, ["votes"]):
        manifest = pa.Table.from_pylist([said | {"sha256": "a" * 64, "wnid": DOG} | counts])
        found = follow(manifest, shipped, label)
        assert [kind for kind, which in found.wrong.items() if which.any()] == wrong
        assert found.row.tolist() == [1]
