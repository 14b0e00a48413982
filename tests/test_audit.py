from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from conftest import command, run
from holotype.audits.bounds import right_at_least, share_of_alpha
from holotype.audits.certificates import Certificate
from holotype.catalog import audits, candidates, votes
from holotype.catalog.schema import STATES
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Fixed
from holotype.errors import CrowdError, UnknownSynset
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.queries.results import Result
from holotype.releases import Release, certify_release, verify_release
from holotype.releases.certificates import Tables
from holotype.releases.layout import AUDIT, AUDIT_TABLES, CERTIFICATES, CHANGES, CHECKSUMS, MANIFEST, SAMPLE
from test_project import contents, rewrite_sums

Fill = Callable[..., None]
DOG, CAT, WHIPPET, CARNIVORE = "n02084071", "n02121808", "n02091134", "n02075296"
YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


@pytest.fixture(scope="module")
def labelled_once(
    new_project: Callable[[Path], Path], wordnet: Ontology, fill: Fill, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    for number, name in enumerate((DOG, CAT, WHIPPET)):
        fill(folder / "photos" / name, 10, first=100 * number)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        db.crowd.run(db.crowd.simulated(), Fixed(1))
        with db.catalog.write() as connection:
            connection.exec_driver_sql("UPDATE candidate SET state = 1")
        return db.path


@pytest.fixture
def labelled(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    """Ten images each of dogs, whippets and cats, all labelled yes."""
    return copy_of(labelled_once)


def relabel(db: Project, sha256: str, state: str) -> None:
    with db.catalog.write() as connection:
        tasks = candidates.tasks(connection).candidate.tolist()
        (number,) = (one for one, pair in candidates.pairs(connection, tasks).items() if pair[0] == sha256)
        connection.exec_driver_sql(f"UPDATE candidate SET state = {STATES.index(state)} WHERE id = {number}")  # noqa: S608


def say(images: Iterable[Result], answer: Answer = YES) -> dict[tuple[str, str], Answer]:
    return {(image.sha256, image.wnid): answer for image in images}


def audited(db: Project) -> list[Certificate]:
    """Carnivores, dogs and cats audited, two images of them wrong."""
    sample = db.audits.draw([CARNIVORE, DOG, CAT], 8, fresh=True)
    db.audits.record(say(sample) | say(sample[:1], NO) | say(sample[-1:], UNSURE), "ann")
    db.audits.record(say(sample), "bob")
    return db.audits.certificates()


# Projects


def test_an_audit_certifies_synsets_and_subtrees(labelled: Project) -> None:
    sample = labelled.audits.draw([CARNIVORE, labelled.ontology[DOG], "whippet"], 8)
    assert {WHIPPET} <= {image.wnid for image in sample} <= {DOG, CAT, WHIPPET}
    assert 8 <= len(sample) < 24, "targets share images"
    assert {audit.plan.seed for audit in labelled.audits.status()} == {labelled.audits.status()[0].plan.seed}
    assert labelled.audits.certificates() == []
    wrong = next(image for image in sample if image.wnid == WHIPPET)
    report = labelled.audits.record(say(sample) | {(wrong.sha256, WHIPPET): NO}, " ann ")
    assert str(report) == f"{len(sample)} answers = {len(sample)} new + 0 known + 0 on images no longer labelled yes"
    found = labelled.audits.certificates()
    assert [(one.plan.wnid, one.labels, one.audited) for one in found] == [
        (wnid, labels, 8) for wnid, labels in ((DOG, 20), (WHIPPET, 10), (CARNIVORE, 30))
    ]
    whippet = found[1]
    assert (whippet.correct, whippet.precision, whippet.plan.alpha) == (7, 0.875, share_of_alpha(1))
    assert whippet.lower == right_at_least(7, 8, 10, share_of_alpha(1)) / 10
    assert whippet.simultaneous == right_at_least(7, 8, 10, share_of_alpha(1) / 3) / 10
    assert whippet.upper == 0.9
    assert labelled.audits.record(say(sample[:1], YES), "ann").known == 1


def test_a_sample_is_drawn_again_as_it_was_until_its_answers_are_in(labelled: Project) -> None:
    first = say(labelled.audits.draw([DOG], 5))
    assert say(labelled.audits.draw([DOG], 5)) == first
    done = dict(list(first.items())[:2])
    labelled.audits.record(done, "ann")
    assert say(labelled.audits.draw([DOG], 5)).keys() == first.keys() - done.keys()
    with pytest.raises(CrowdError, match="has a plan to audit 5 labels, not 6"):
        labelled.audits.draw([DOG], 6)
    labelled.audits.draw([DOG], 6, fresh=True)
    (audit,) = labelled.audits.status()
    assert (audit.plan.draws, audit.plan.size) == (2, 6)


def test_a_small_subtree_is_audited_whole_and_then_known(labelled: Project) -> None:
    labelled.audits.record(say(labelled.audits.draw([WHIPPET], 60)), "ann")
    (found,) = labelled.audits.certificates()
    assert (found.labels, found.audited, found.correct, found.lower) == (10, 10, 10, 1)


def test_what_is_drawn_stays_drawn(labelled: Project) -> None:
    """Where labels leave or join, whatever the reason, the sample is what it was."""
    sample = labelled.audits.draw([CARNIVORE], 8)
    (before,) = labelled.audits.status()
    for image in labelled.images.find():
        relabel(labelled, image.sha256, "no")
    (audit,) = labelled.audits.status()
    assert (audit.sample, audit.labels, audit.certificate) == (before.sample, 0, None)
    assert audit.remark == "nothing is labelled yes"
    relabel(labelled, sample[0].sha256, "yes")
    (audit,) = labelled.audits.status()
    assert (audit.remark, audit.plan.labels) == ("1 of 8 left to audit", 30)
    labelled.audits.record(say(sample[:1]), "ann")
    (found,) = labelled.audits.certificates()
    assert (found.labels, found.correct, found.count.left, found.count.lost, found.lower) == (1, 1, 7, 22, 0)


def test_plans_of_old_are_void_and_drawn_again(labelled: Project) -> None:
    sample = labelled.audits.draw([DOG], 5)
    labelled.audits.record(say(sample), "ann")
    with labelled.catalog.write() as connection:
        connection.exec_driver_sql("DELETE FROM audit_sample")
        connection.exec_driver_sql("DELETE FROM audit_draw")
        connection.exec_driver_sql("UPDATE audit SET labels = NULL")
    (audit,) = labelled.audits.status()
    assert (audit.remark, audit.certificate) == ("void: drawn before samples were stored; draw again", None)
    assert certify_release(labelled.releases.create("v1", outvoted=True)) == []
    labelled.audits.record(say(labelled.audits.draw([DOG], 5)), "ann")
    (found,) = labelled.audits.certificates()
    assert (found.plan.draws, found.audited) == (2, 5)
    assert certify_release(labelled.releases.create("v2", outvoted=True)) == []


# Those who want more than they deserve


def bounds(db: Project) -> list[float]:
    return [bound for found in db.audits.certificates() for bound in (found.lower, found.simultaneous)]


def certified(db: Project) -> list[Result]:
    """Carnivores audited, the first two of the sample wrong."""
    sample = db.audits.draw([CARNIVORE], 8)
    db.audits.record(say(sample) | say(sample[:2], NO), "ann")
    return sample


def test_gold_no_of_what_an_auditor_would_doubt_gains_nothing(labelled: Project) -> None:
    sample = labelled.audits.draw([CARNIVORE], 8)
    labelled.gold.add(dict.fromkeys(say(sample[:2]), False), "me", Fixed(1))
    labelled.audits.record(say(sample), "ann")
    (found,) = labelled.audits.certificates()
    assert (found.audited, found.count.left) == (8, 8 - found.correct)
    assert found.correct <= 6
    assert found.lower <= right_at_least(6, 8, 30, found.plan.alpha) / 30


def test_blocking_a_worker_after_a_look_gains_nothing(labelled: Project) -> None:
    sample = certified(labelled)
    before = bounds(labelled)
    doubted = {
        task.number for task in labelled.candidates.tasks() if task.sha256 in {image.sha256 for image in sample[:2]}
    }
    names = {vote.worker for vote in labelled.crowd.votes() if vote.task in doubted}
    for name in names:
        labelled.workers.block(name, "voted for what was doubted", Fixed(1))
    assert all(after <= held for after, held in zip(bounds(labelled), before, strict=True))


def test_to_overrule_and_accept_again_gains_nothing(labelled: Project) -> None:
    sample = certified(labelled)
    before = bounds(labelled)
    relabel(labelled, sample[0].sha256, "no")
    assert bounds(labelled) == before, "it counted as wrong, and does"
    relabel(labelled, sample[7].sha256, "no")
    assert bounds(labelled) < before
    for image in sample:
        relabel(labelled, image.sha256, "yes")
    assert bounds(labelled) == before


def test_mending_and_drawing_afresh_is_the_honest_way(labelled: Project) -> None:
    sample = labelled.audits.draw([CARNIVORE], 30)
    labelled.audits.record(say(sample) | say(sample[:3], NO), "ann")
    assert labelled.audits.certificates()[0].lower == 0.9
    for image in sample[:3]:
        relabel(labelled, image.sha256, "no")
    assert labelled.audits.certificates()[0].lower == 0.9
    assert len(labelled.audits.draw([CARNIVORE], 30, fresh=True)) == 0, "all answers are known"
    (found,) = labelled.audits.certificates()
    assert (found.labels, found.plan.draws, found.lower) == (27, 2, 1)


def test_relatives_and_other_sizes_are_counted(labelled: Project) -> None:
    for size, wnid in ((5, DOG), (6, CARNIVORE), (7, WHIPPET), (5, CAT)):
        labelled.audits.draw([wnid], size)
    plans = {audit.plan.wnid: audit.plan for audit in labelled.audits.status()}
    assert {wnid: plan.draws for wnid, plan in plans.items()} == {DOG: 1, CARNIVORE: 2, WHIPPET: 3, CAT: 2}
    assert {wnid: plan.rounds for wnid, plan in plans.items()} == {DOG: 1, CARNIVORE: 2, WHIPPET: 3, CAT: 4}
    assert len({audit.plan.seed for audit in labelled.audits.status()}) == 4, "a known order is never drawn from again"


def test_what_joins_after_the_draw_counts_as_wrong(labelled: Project) -> None:
    images = list(labelled.images.find())
    for image in images[:10]:
        relabel(labelled, image.sha256, "no")
    labelled.audits.record(say(labelled.audits.draw([CARNIVORE], 20)), "ann")
    assert [found.lower for found in labelled.audits.certificates()] == [1]
    for image in images[:10]:
        relabel(labelled, image.sha256, "yes")
    (found,) = labelled.audits.certificates()
    assert (found.labels, found.count.joined, found.lower, found.upper) == (30, 10, 20 / 30, 1)
    assert "0 left and 10 joined" in str(found)


def test_only_good_ones_recorded_is_no_certificate(labelled: Project) -> None:
    sample = labelled.audits.draw([CARNIVORE], 8)
    labelled.audits.record(say(sample[2:]), "ann")
    assert labelled.audits.certificates() == []


def test_friends_who_see_only_what_was_doubted_gain_nothing(labelled: Project) -> None:
    sample = certified(labelled)
    before = bounds(labelled)
    for friend in ("bob", "carl", "dora"):
        labelled.audits.record(say(sample[:2]), friend)
    assert bounds(labelled) == before
    (found,) = labelled.audits.certificates()
    assert (found.doubled, found.disagreed) == (2, 2)
    assert [audit.remark for audit in labelled.audits.status()] == [
        "certified; 2 had several auditors, who disagreed on 2"
    ]


def test_an_answer_is_corrected_by_appending_and_never_for_gain(labelled: Project) -> None:
    sample = certified(labelled)
    before = bounds(labelled)
    assert labelled.audits.correct(say(sample[:3]), "ann", " a slip ").new == 2
    assert labelled.audits.correct(say(sample[:3]), "ann", "a slip").known == 3
    assert bounds(labelled) == before
    assert [found.corrected for found in labelled.audits.certificates()] == [2]
    labelled.audits.correct(say(sample[3:4], NO), "Ann", "a wolf")
    assert bounds(labelled) < before
    with labelled.catalog.read() as connection:
        history = [(row.answer, row.reason) for row in audits.answers(connection) if row.sha256 == sample[0].sha256]
    assert history == [(0, ""), (2, "a slip")]
    for auditor, reason, message in (
        ("bob", "x", "has said nothing on .* that could be corrected"),
        ("ann", " ", "needs a reason"),
        ("ann", "\x1b", "needs a reason"),
    ):
        with pytest.raises(CrowdError, match=message):
            labelled.audits.correct(say(sample[:1]), auditor, reason)


def test_another_spelling_is_no_other_person(labelled: Project) -> None:
    worker = labelled.crowd.votes()[0].worker
    everything = say(labelled.images.find())
    for name in (worker.upper(), f" {worker} ", f"{worker[:2]} {worker[2:]}"):
        with pytest.raises(CrowdError, match="has voted on .* somebody independent"):
            labelled.audits.record(everything, name)
    sample = certified(labelled)
    with pytest.raises(CrowdError, match="has answered otherwise on .* a correction"):
        labelled.audits.record(say(sample), "ANN")
    assert labelled.audits.record(say(sample[2:]), "A nn").known == 6
    assert [found.doubled for found in labelled.audits.certificates()] == [0]


def test_a_doubt_is_not_silenced_by_a_vote_of_who_doubted(labelled: Project) -> None:
    sample = certified(labelled)
    labelled.audits.record(say(sample), "bob")
    before = bounds(labelled)
    vote_late(labelled, sample[0].sha256, "ann")
    assert bounds(labelled) == before


def vote_late(db: Project, sha256: str, worker: str) -> None:
    """A vote that comes in now, and says that it was cast before everything."""
    (task,) = (task.number for task in db.candidates.tasks() if task.sha256 == sha256)
    late = {"candidate_id": task, "worker": worker, "answer": 2, "page": "x", "seconds": 1.0, "at": 0.0}
    db.catalog.transact(lambda connection: votes.add(connection, [late]))


# Whoever may audit


def test_an_auditor_must_not_have_voted(labelled: Project) -> None:
    sample = labelled.audits.draw([DOG], 5)
    worker = labelled.crowd.votes()[0].worker
    everything = say(labelled.images.find())
    with pytest.raises(CrowdError, match=f"auditor '{worker}' has voted on .* somebody independent"):
        labelled.audits.record(everything, worker)
    labelled.audits.record(say(sample), "ann")
    assert len(labelled.audits.certificates()) == 1
    vote_late(labelled, sample[0].sha256, "Ann")
    (audit,) = labelled.audits.status()
    assert [label.sha256 for label in audit.unanswered] == [sample[0].sha256]


def test_an_audit_on_postgresql(
    tmp_path: Path, wordnet: Ontology, fill: Fill, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLOTYPE_CATALOG", postgres)
    fill(tmp_path / "photos" / DOG, 5)
    holotype.init(tmp_path / "p").close()
    with holotype.open(tmp_path / "p", wordnet) as db:
        db.images.ingest(tmp_path / "photos")
        db.crowd.run(db.crowd.simulated(), Fixed(1))
        with db.catalog.write() as connection:
            connection.exec_driver_sql("UPDATE candidate SET state = 1")
        sample = db.audits.draw([DOG], 5)
        db.audits.record(say(sample) | say(sample[:1], NO), "ann")
        db.audits.correct(say(sample[:1]), "ann", "a slip")
        relabel(db, sample[1].sha256, "no")
        (found,) = db.audits.certificates()
        assert (found.labels, found.correct, found.count.left, found.corrected, found.lower) == (4, 3, 1, 1, 0.6)
        assert certify_release(db.releases.create("v1", outvoted=True), wordnet) == []


def test_what_cannot_be_audited_is_refused(labelled: Project) -> None:
    sample = labelled.audits.draw([DOG], 5)
    labelled.audits.record(say(sample[:1]), "ann")
    with pytest.raises(CrowdError, match="answered otherwise on .* before"):
        labelled.audits.record(say(sample, NO), "ann")
    with pytest.raises(CrowdError, match="1 answers are of no candidate, the first is x for n00000001"):
        labelled.audits.record({("x", "n00000001"): YES}, "bob")
    for name in (" ", "\udcff", "a\0"):
        with pytest.raises(CrowdError, match="needs a name"):
            labelled.audits.record({}, name)
    with pytest.raises(CrowdError, match="nothing below n01503061 is labelled yes"):
        labelled.audits.draw(["n01503061"], 5)
    with pytest.raises(CrowdError, match="size of at least 1"):
        labelled.audits.draw([DOG], 0)
    with pytest.raises(UnknownSynset):
        labelled.audits.draw(["no such thing"], 5)
    relabel(labelled, sample[1].sha256, "no")
    report = labelled.audits.record(say(sample[:3]), "ann")
    assert (report.new, report.known, report.not_accepted) == (1, 1, 1)


# Releases


def test_a_release_carries_sample_answers_and_bounds(labelled: Project, tmp_path: Path, wordnet: Ontology) -> None:
    certificates = audited(labelled)
    assert {one.plan.wnid for one in certificates} == {CARNIVORE, DOG, CAT}
    labelled.audits.draw([WHIPPET], 9, fresh=True)
    release = labelled.releases.create("v1", outvoted=True)
    assert release.certificates == certificates
    assert verify_release(release.path) == verify_release(release.path, ontology=wordnet) == []
    assert labelled.releases["v1"].verify() == []
    assert certify_release(release, wordnet) == []
    assert {row["auditor"] for row in release.audit.audit}.isdisjoint({"ann", "bob"})
    assert len(release.audit.sample) == 3 * 8
    assert len(release.audit.audit) == 2 * len({row["sha256"] for row in release.audit.sample})
    assert release.audit.changes == []
    value = json.loads((release.path / CERTIFICATES).read_text())
    assert value["pending"][0]["wnid"] == WHIPPET
    assert value["pending"][0]["remark"].endswith("of 9 left to audit")
    assert value["plans"][-1]["wnid"] == WHIPPET
    assert {*AUDIT_TABLES, CERTIFICATES} <= set((release.path / CHECKSUMS).read_text().split())
    first = contents(release.path)
    labelled.close()
    shutil.copytree(labelled.path, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy/releases/v1")
    with holotype.open(tmp_path / "copy", wordnet) as copy:
        with copy.catalog.write() as connection:
            connection.exec_driver_sql("DELETE FROM release")
        assert contents(copy.releases.create("v1", outvoted=True).path) == first


def test_a_release_without_audits_is_as_before(labelled: Project) -> None:
    release = labelled.releases.create("v1", outvoted=True)
    assert not {*AUDIT_TABLES, CERTIFICATES} & set(contents(release.path))
    assert (release.certificates, release.audit, certify_release(release)) == ([], Tables([], [], []), [])


def changed(db: Project) -> list[Certificate]:
    """An audit with second opinions and a correction, then two labels left and two joined."""
    images = list(db.images.find())
    for image in images[:2]:
        relabel(db, image.sha256, "no")
    certificates = audited(db)
    (sample,) = (audit.sample for audit in db.audits.status() if audit.plan.wnid == CARNIVORE)
    sampled = {label.sha256 for audit in db.audits.status() for label in audit.sample}
    leaver, dark = sorted(label.sha256 for label in sample)[:2]
    (image,) = (image for image in images if image.sha256 == dark)
    db.audits.correct({(dark, image.wnid): UNSURE}, "bob", "too dark")
    for image in images[:2]:
        relabel(db, image.sha256, "yes")
    unsampled = next(image.sha256 for image in images[2:] if image.sha256 not in sampled)
    for sha256 in (leaver, unsampled):
        relabel(db, sha256, "no")
    assert len(certificates) == len(db.audits.certificates()) == 3
    return db.audits.certificates()


def test_a_release_tells_what_changed_since_the_draw(labelled: Project, wordnet: Ontology) -> None:
    labelled.audits.draw([CARNIVORE], 3)
    certificates = changed(labelled)
    carnivore = certificates[-1]
    assert (carnivore.labels, carnivore.plan.labels, carnivore.plan.draws) == (28 + 2 - 2, 28, 2)
    assert (carnivore.count.joined, carnivore.count.left + carnivore.count.lost, carnivore.corrected) == (2, 2, 1)
    release = labelled.releases.create("v1", outvoted=True)
    assert release.certificates == certificates
    assert certify_release(release, wordnet) == verify_release(release.path) == []
    assert sorted(row["change"] for row in release.audit.changes) == ["joined"] * 2 + ["left"] * 2
    assert [row["reason"] for row in release.audit.audit if row["reason"]] == ["too dark"]
    assert [plan.draws for plan in release.plans] == [1, 2, 2, 2]


Rows = list[dict[str, Any]]


def with_table(name: str, change: Callable[[Rows], object]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        rows = pq.read_table(folder / name).to_pylist()
        change(rows)
        pq.write_table(pa.Table.from_pylist(rows, AUDIT_TABLES[name]), folder / name)

    return tamper


def with_json(name: str, change: Callable[[Rows], object]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        value = json.loads((folder / CERTIFICATES).read_text())
        change(value[name])
        (folder / CERTIFICATES).write_text(json.dumps(value))

    return tamper


def set_first(**fields: object) -> Callable[[Path], None]:
    return with_json("certificates", lambda found: found[0].update(fields))


def set_plan(**fields: object) -> Callable[[Path], None]:
    return with_json("plans", lambda plans: plans[-1].update(fields))


def set_answer(**fields: object) -> Callable[[Path], None]:
    return with_table(AUDIT, lambda rows: rows[0].update(fields))


def put(name: str, data: str) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        (folder / name).write_text(data)

    return tamper


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def only_good(rows: Rows) -> None:
    wrong = {row["sha256"] for row in rows if row["answer"] != "yes"}
    rows[:] = [row for row in rows if row["sha256"] not in wrong]


def all_yes(rows: Rows) -> None:
    for row in rows:
        row["answer"] = "yes"


def without_corrections(rows: Rows) -> None:
    rows[:] = [row for row in rows if not row["reason"]]


def drop_wrong_everywhere(folder: Path) -> None:
    """The bad ones were never there."""
    audit = pq.read_table(folder / AUDIT).to_pylist()
    wrong = {row["sha256"] for row in audit if row["answer"] != "yes"}
    for name in (MANIFEST, AUDIT, SAMPLE):
        table = pq.read_table(folder / name)
        rows = [row for row in table.to_pylist() if row["sha256"] not in wrong]
        pq.write_table(pa.Table.from_pylist(rows, table.schema), folder / name)


def fewer(folder: Path) -> None:
    """A plan, a sample and a certificate of 7, all of them right."""
    with_json("plans", lambda plans: [plan.update(size=7) for plan in plans if plan["wnid"] == CAT])(folder)
    with_table(SAMPLE, lambda rows: rows.remove(next(r for r in rows if (r["target"], r["position"]) == (CAT, 8))))(
        folder
    )


def forget_the_first_draw(folder: Path) -> None:
    with_json("plans", lambda plans: plans.pop(0))(folder)


def plan_for_nothing(folder: Path) -> None:
    with_json("plans", lambda plans: plans[0].update(wnid="n00000001"))(folder)
    with_json("pending", lambda pending: pending.append({"wnid": "n00000001"}))(folder)


def drop_certificate(folder: Path) -> None:
    with_json("certificates", lambda found: found.pop(0))(folder)


def manifest_for_audit(folder: Path) -> None:
    shutil.copy(folder / MANIFEST, folder / AUDIT)


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "only good answers": (with_table(AUDIT, only_good), "has no certificate: "),
    "a wrong image dropped everywhere": (drop_wrong_everywhere, "does not hold the sample"),
    "answers changed": (with_table(AUDIT, all_yes), "does not follow from its audit"),
    "a correction dropped": (with_table(AUDIT, without_corrections), "does not follow from its audit"),
    "an answer twice": (with_table(AUDIT, lambda rows: rows.append(rows[0])), "twice, or corrects what was not"),
    "a correction of nothing": (set_answer(reason="a slip"), "twice, or corrects what was not said"),
    "a raised bound": (set_first(lower=0.99), "does not follow from its audit"),
    "a raised bound of all": (set_first(simultaneous=0.99), "does not follow from its audit"),
    "a raised count": (set_first(correct=9), "does not follow from its audit"),
    "another disagreement": (set_first(disagreed=7), "does not follow from its audit"),
    "more corrected": (set_first(corrected=5), "does not follow from its audit"),
    "a lower confidence": (set_first(confidence=0.5), "is not one of 0.95"),
    "another chance of error": (set_first(alpha=0.05), "a chance of error that is not its own"),
    "fewer draws": (set_first(draws=1, alpha=share_of_alpha(1)), "a number of draws that does not follow"),
    "a draw forgotten": (forget_the_first_draw, "a number of draws that does not follow"),
    "fewer labels": (set_first(labels=9), "does not follow from its audit"),
    "more left": (set_first(left=3), "does not follow from its audit"),
    "fewer labels drawn from": (set_plan(labels=9), "does not hold the sample"),
    "another seed": (set_plan(seed="0" * 32), "does not hold the sample"),
    "a smaller plan": (fewer, "n02121808"),
    "a certificate removed": (drop_certificate, "one certificate, or one pending plan, of each target"),
    "a certificate twice": (with_json("certificates", lambda found: found.append(found[0])), "one certificate, or one"),
    "a plan removed": (with_json("plans", lambda plans: plans.pop()), "does not hold the sample"),
    "another subtree": (set_plan(ranges=[[0, 99_999]]), "is of another subtree"),
    "a narrower first draw": (with_json("plans", lambda plans: plans[0].update(ranges=[[5, 6]])), "another subtree"),
    "no subtree": (set_plan(ranges=[[5, 6]]), "does not hold the sample"),
    "nothing left": (with_table(CHANGES, lambda rows: rows.pop(0)), "does not hold the sample"),
    "nothing changed": (with_table(CHANGES, lambda rows: rows.clear()), "does not hold the sample"),
    "it left and is there": (with_table(CHANGES, lambda rows: rows[-1].update(change="left")), "contradicts manifest"),
    "it joined and is not there": (with_table(CHANGES, lambda rows: rows[0].update(change="joined")), "contradicts"),
    "another change": (with_table(CHANGES, lambda rows: rows[0].update(change="x")), "not left or joined"),
    "a change twice": (with_table(CHANGES, lambda rows: rows.append(rows[0])), "a label twice"),
    "a change elsewhere": (with_table(CHANGES, lambda rows: rows[0].update(rank=1)), "a rank that is not its own"),
    "a sample removed": (with_table(SAMPLE, lambda rows: rows.clear()), "not one sample for each"),
    "a sample more": (
        with_table(SAMPLE, lambda rows: rows.append({**rows[0], "target": "x"})),
        "not one sample for each",
    ),
    "another in the sample": (with_table(SAMPLE, lambda rows: rows.append(rows[0])), "does not hold the sample"),
    "a missing audit": (remove(AUDIT), "audit.parquet is missing"),
    "a missing sample": (remove(SAMPLE), "sample.parquet is missing"),
    "missing changes": (remove(CHANGES), "changes.parquet is missing"),
    "missing certificates": (remove(CERTIFICATES), "certificates.json is missing"),
    "no JSON": (put(CERTIFICATES, "{"), "cannot read"),
    "no object": (put(CERTIFICATES, "[]"), "is not a JSON object"),
    "no list": (put(CERTIFICATES, "{}"), "has no list of certificates"),
    "certificates of old": (put(CERTIFICATES, '{"certificates": [], "pending": []}'), "has no list of certificates"),
    "a bottomless list": (put(CERTIFICATES, "[" * 100_000), "cannot read"),
    "a plan that is none": (with_json("plans", lambda plans: plans.insert(0, 7)), "plan 1 in certificates.json lacks"),  # type: ignore[arg-type]
    "an entry that is none": (with_json("certificates", lambda found: found.insert(0, 7)), "certificate 1 in certif"),  # type: ignore[arg-type]
    "a field that is missing": (with_json("certificates", lambda found: found[0].pop("left")), "certificate 1"),
    "truth for a number": (set_first(draws=True), "certificate 1"),
    "a text for a number": (set_first(lower="1"), "certificate 1"),
    "no number": (set_first(lower=float("nan")), "certificate 1"),
    "a chance below none": (set_first(rounds=10**400), "certificate 1"),
    "no sample": (set_first(audited=0), "certificate 1"),
    "an endless size": (set_plan(size=10**400), "plan 4"),
    "a size below one": (set_plan(size=0), "plan 4"),
    "a count without end": (set_first(correct=10**400), "certificate 1"),
    "a seed that is no text": (set_plan(seed="\ud800"), "plan 4"),
    "a wnid that is none": (set_plan(wnid="dog"), "plan 4"),
    "a wnid that is not there": (plan_for_nothing, "no synset n00000001"),
    "another target": (set_plan(wnid=WHIPPET), "of each target"),
    "a certificate of no plan": (set_first(wnid=WHIPPET), "has no plan"),
    "ranges that overlap": (set_plan(ranges=[[0, 9], [5, 99_999]]), "plan 4"),
    "ranges that are texts": (set_plan(ranges=[["a", "b"]]), "plan 4"),
    "ranges that are flat": (set_plan(ranges=[1, 2]), "plan 4"),
    "ranges that are none": (set_plan(ranges=[]), "plan 4"),
    "no parquet": (put(AUDIT, "PAR1"), "cannot read"),
    "other columns": (manifest_for_audit, "other columns"),
    "an empty cell": (set_answer(auditor=None), "empty cells"),
    "an unknown answer": (set_answer(answer="yeſ"), "not yes, no or unsure"),
    "an unknown image": (set_answer(sha256="\x1b[2J"), "'\\x1b[2J' for"),
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, wordnet: Ontology) -> Path:
    """A release with certificates, to be copied."""
    from conftest import encoded, photo

    root = tmp_path_factory.mktemp("sealed")
    for number, name in enumerate((DOG, CAT, WHIPPET)):
        (root / "photos" / name).mkdir(parents=True)
        for seed in range(10):
            (root / "photos" / name / f"{seed}.jpg").write_bytes(encoded(photo(100 * number + seed)))
    holotype.init(root / "p").close()
    with holotype.open(root / "p", wordnet) as db:
        db.images.ingest(root / "photos")
        db.crowd.run(db.crowd.simulated(), Fixed(1))
        with db.catalog.write() as connection:
            connection.exec_driver_sql("UPDATE candidate SET state = 1")
        db.audits.draw([CARNIVORE], 3)
        changed(db)
        return db.releases.create("v1", outvoted=True).path


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_with_certificates_is_noticed(sealed: Path, tmp_path: Path, wordnet: Ontology, name: str) -> None:
    tamper, expected = TAMPERINGS[name]
    folder = Path(shutil.copytree(sealed, tmp_path / "v1"))
    assert certify_release(Release(folder), wordnet) == []
    tamper(folder)
    rewrite_sums(folder)
    problems = certify_release(Release(folder), wordnet)
    assert any(expected in problem for problem in problems), problems
    assert set(problems) <= set(verify_release(folder, ontology=wordnet)) | {
        problem.partition("not readable as a release: ")[2] for problem in verify_release(folder)
    }


def test_an_auditor_who_voted_is_noticed_in_a_release(sealed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sealed, tmp_path / "v1"))
    table = pq.read_table(folder / "votes.parquet").to_pylist()
    votes = {(row["sha256"], row["wnid"]): row["worker"] for row in table}
    with_table(AUDIT, lambda rows: [row.update(auditor=votes[row["sha256"], row["wnid"]]) for row in rows])(folder)
    rewrite_sums(folder)
    assert any("had voted on" in problem for problem in verify_release(folder))


def test_certificates_are_of_one_ontology(sealed: Path) -> None:
    from conftest import small_ontology

    (problem,) = certify_release(Release(sealed), small_ontology({0: []}))
    assert "was made with the ontology" in problem


# Command line


def fill_in(path: Path, answer: str = "yes") -> None:
    rows = list(csv.reader(path.read_text().splitlines()))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([rows[0], *([*row[:3], answer] for row in rows[1:])])


def test_an_audit_from_the_command_line(labelled: Project, tmp_path: Path) -> None:
    labelled.close()
    here = ("-p", labelled.path)
    none = command("audits", "certificates", *here)
    assert (none.code, "no audit is planned and complete" in none.stderr) == (1, True)
    sample = tmp_path / "sample.csv"
    draw = ("audits", "draw", "--under", CARNIVORE, "--under", DOG, "--per-synset", "--size", 6, *here)
    assert "then: holotype audits record" in run(*draw, "--out", sample)
    rows = list(csv.DictReader(sample.read_text().splitlines()))
    assert set(rows[0]) == {"sha256", "wnid", "name", "answer"}
    assert {(row["wnid"], row["name"]) for row in rows} > {(DOG, "dog"), (WHIPPET, "whippet")}
    page = sample.with_suffix(".html").read_text()
    assert page.count("<img") == len(rows)
    assert "labelled" not in page
    assert "is there already" in run(*draw, "--out", sample, expect=2)
    assert "is a CSV file" in run(*draw, "--out", tmp_path / "sample.html", expect=2)
    status = json.loads(run("audits", "status", *here, "--json"))
    assert {found["wnid"] for found in status} == {CARNIVORE, DOG, CAT, WHIPPET}
    assert "6 of 6 left to audit" in run("audits", "status", *here)
    fill_in(sample)
    assert f"{len(rows)} new" in run("audits", "record", sample, "--auditor", "ann", *here)
    assert "0 images to look at" in run(*draw, "--out", tmp_path / "again.csv")
    shown = run("audits", "certificates", *here)
    assert all(word in shown for word in ("60.0 %", "50.0 %", "70.0 %")), shown
    made = json.loads(run("release", "create", "v1", "--outvoted", *here, "--json"))
    found = json.loads(run("audits", "certificates", "v1", *here, "--json"))
    assert {one["plan"]["wnid"] for one in found["certificates"]} == {CARNIVORE, DOG, WHIPPET, CAT}
    assert run("audits", "certificates", made["path"]) == shown
    set_first(lower=0.99)(Path(made["path"]))
    assert "does not follow from its audit" in run("audits", "certificates", made["path"], expect=1)
    fill_in(sample, "no")
    correct = ("audits", "correct", sample, "--auditor", "ann", "--reason", "wolves", *here)
    assert f"{len(rows)} new" in run(*correct)
    assert f"certified; {6} corrected" in run("audits", "status", *here)
    assert {one["corrected"] for one in json.loads(run("audits", "certificates", *here, "--json"))["certificates"]} == {
        6
    }
    assert "to draw again: --fresh" in run(*draw[:-3], 7, *here, "--out", tmp_path / "more.csv", expect=2)
    assert "images to look at" in run(*draw, "--fresh", "--out", tmp_path / "more.csv")
    assert json.loads(run("audits", "certificates", made["path"], "--json", expect=1))["certificates"] == []
    assert "there is no release 'v9'" in run("audits", "certificates", "v9", *here, expect=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sha256,wnid,answer\n", "the header must be sha256,wnid,name,answer"),
        ("", "the header must be"),
        (
            "sha256,wnid,name,answer\na,b,c,perhaps\n",
            "line 2: the answer must be yes or no or unsure or y or n or ? or empty",
        ),
        ("sha256,wnid,name,answer\na,b,yes\n", "line 2: the answer must be"),
        ("sha256,wnid,name,answer\na,b,c,yes\n\na,b,c,no\n", "line 4: a row above says the contrary"),
        ("sha256,wnid,name,answer\na,b,c,Yes \nd,b,c,?\ne,b,c,N\n", "there is no holotype project"),
        ("image;Synset;name;label\na;b;c;Yes \n", "there is no holotype project"),
        ("sha256,wnid,name,answer\na,b,c,\nd,b,c, \n", "nothing is filled in: the last column of"),
        ('sha256,wnid,name,answer\n"a', "line 2: unexpected end of data"),
        ("\udcff", "line 1: bytes that are not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_wrong_file_of_answers_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "answers.csv").write_bytes(text.encode(errors="surrogateescape"))
    record = ("audits", "record", tmp_path / "answers.csv", "--auditor", "ann", "-p", tmp_path / "p")
    assert message in run(*record, expect=2)
