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
from holotype.catalog import questions
from holotype.crowd import Answer, Certificate, Fixed, clopper_pearson
from holotype.errors import CrowdError, UnknownSynset
from holotype.images.gallery import Images
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Release, certify_release, verify_release
from holotype.releases.build import AUDIT, AUDIT_SCHEMA, CERTIFICATES, CHECKSUMS, MANIFEST
from test_cli import run
from test_project import contents, rewrite_sums

Fill = Callable[..., None]
DOG, CAT, WHIPPET, CARNIVORE = "n02084071", "n02121808", "n02091134", "n02075296"
YES, NO = Answer.YES, Answer.NO


@pytest.fixture
def labelled(project: Project, tmp_path: Path, fill: Fill) -> Project:
    """Ten images each of dogs, whippets and cats, all labelled yes."""
    for number, name in enumerate((DOG, CAT, WHIPPET)):
        fill(tmp_path / "photos" / name, 10, first=100 * number)
    project.ingest(tmp_path / "photos")
    project.verify(project.simulated_crowd(), Fixed(1))
    with project.catalog.write() as connection:
        connection.exec_driver_sql("UPDATE label SET state = 'yes'")
    return project


def relabel(db: Project, sha256: str, state: str) -> None:
    with db.catalog.write() as connection:
        (number,) = (row.id for row in questions.tasks(connection) if row.sha256 == sha256)
        connection.exec_driver_sql(f"UPDATE label SET state = '{state}' WHERE candidate_id = {number}")  # noqa: S608


def say(images: Images, answer: Answer = YES) -> dict[tuple[str, str], Answer]:
    return {(image.sha256, image.wnid): answer for image in images}


def audited(db: Project) -> list[Certificate]:
    """Carnivores, dogs and cats audited, two images of them wrong."""
    sample = db.draw_audit([CARNIVORE, DOG, CAT], 8)
    db.record_audit(say(sample) | say(sample[:1], NO) | say(sample[-1:], Answer.UNSURE), "ann")
    db.record_audit(say(sample), "bob")
    return db.certificates()


# Projects


def test_an_audit_certifies_synsets_and_subtrees(labelled: Project) -> None:
    sample = labelled.draw_audit([CARNIVORE, labelled.ontology[DOG], "whippet"], 8)
    assert {WHIPPET} <= {image.wnid for image in sample} <= {DOG, CAT, WHIPPET}
    assert 8 <= len(sample) < 24, "targets share images"
    assert {audit.plan.seed for audit in labelled.audits()} == {labelled.audits()[0].plan.seed}
    assert labelled.certificates() == []
    wrong = next(image for image in sample if image.wnid == WHIPPET)
    report = labelled.record_audit(say(sample) | {(wrong.sha256, WHIPPET): NO}, " ann ")
    assert str(report) == f"{len(sample)} answers = {len(sample)} new + 0 known + 0 on images no longer labelled yes"
    found = labelled.certificates()
    assert [(one.plan.wnid, one.labels, one.audited) for one in found] == [
        (wnid, labels, 8) for wnid, labels in ((DOG, 20), (WHIPPET, 10), (CARNIVORE, 30))
    ]
    whippet = found[1]
    assert (whippet.correct, whippet.precision, whippet.confidence) == (7, 0.875, 0.95)
    assert (whippet.lower, whippet.upper) == tuple(map(float, clopper_pearson(7, 8)))
    assert labelled.record_audit(say(sample[:1], YES), "ann").known == 1


def test_a_sample_is_drawn_again_as_it_was_until_its_answers_are_in(labelled: Project) -> None:
    first = say(labelled.draw_audit([DOG], 5))
    assert say(labelled.draw_audit([DOG], 5)) == first
    done = dict(list(first.items())[:2])
    labelled.record_audit(done, "ann")
    assert say(labelled.draw_audit([DOG], 5)).keys() == first.keys() - done.keys()
    with pytest.raises(CrowdError, match="are audited already.*fresh seed"):
        labelled.draw_audit([DOG], 6)
    labelled.draw_audit([DOG], 6, fresh=True)
    (audit,) = labelled.audits()
    assert (audit.plan.draws, audit.plan.size) == (2, 6)


def test_a_small_subtree_is_audited_whole(labelled: Project) -> None:
    labelled.record_audit(say(labelled.draw_audit([WHIPPET], 60)), "ann")
    (found,) = labelled.certificates()
    assert (found.labels, found.audited, found.correct) == (10, 10, 10)
    assert found.lower < 1


def test_an_audit_that_is_cleaned_away_certifies_nothing(labelled: Project) -> None:
    sample = labelled.draw_audit([CARNIVORE], 8)
    labelled.record_audit(say(sample) | say(sample[:1], NO), "ann")
    assert [one.correct for one in labelled.certificates()] == [7]
    relabel(labelled, sample[0].sha256, "no")
    assert labelled.certificates() == []
    with pytest.raises(CrowdError, match="void: 1 labels found wrong were taken away"):
        labelled.draw_audit([CARNIVORE], 8)
    labelled.record_audit(say(labelled.draw_audit([CARNIVORE], 8, fresh=True)), "ann")
    assert [(one.labels, one.plan.draws) for one in labelled.certificates()] == [(29, 2)]


def test_an_auditor_must_not_have_voted(labelled: Project) -> None:
    sample = labelled.draw_audit([DOG], 5)
    worker = labelled.votes()[0].worker
    everything = say(labelled.images())
    with pytest.raises(CrowdError, match=f"auditor '{worker}' has voted on .* somebody independent"):
        labelled.record_audit(everything, worker)
    labelled.record_audit(say(sample), "ann")
    assert len(labelled.certificates()) == 1
    (task,) = (task.number for task in labelled.tasks() if task.sha256 == sample[0].sha256)
    late = {"candidate_id": task, "worker": "ann", "answer": 2, "page": "x", "seconds": 1.0, "at": 0.0}
    labelled.catalog.transact(lambda connection: questions.add_votes(connection, [late]))
    (audit,) = labelled.audits()
    assert [label.sha256 for label in audit.unanswered] == [sample[0].sha256]


def test_what_cannot_be_audited_is_refused(labelled: Project) -> None:
    sample = labelled.draw_audit([DOG], 5)
    labelled.record_audit(say(sample[:1]), "ann")
    with pytest.raises(CrowdError, match="answered otherwise on .* before"):
        labelled.record_audit(say(sample, NO), "ann")
    with pytest.raises(CrowdError, match="there is no candidate 'x' for 'n00000001'"):
        labelled.record_audit({("x", "n00000001"): YES}, "bob")
    for name in (" ", "\udcff", "a\0"):
        with pytest.raises(CrowdError, match="needs a name"):
            labelled.record_audit({}, name)
    with pytest.raises(CrowdError, match="nothing below n01503061 is labelled yes"):
        labelled.draw_audit(["n01503061"], 5)
    with pytest.raises(CrowdError, match="size of at least 1"):
        labelled.draw_audit([DOG], 0)
    with pytest.raises(UnknownSynset):
        labelled.draw_audit(["no such thing"], 5)
    relabel(labelled, sample[1].sha256, "no")
    report = labelled.record_audit(say(sample[:3]), "ann")
    assert (report.new, report.known, report.not_accepted) == (1, 1, 1)


# Releases


def test_a_release_carries_sample_answers_and_bounds(labelled: Project, tmp_path: Path, wordnet: Ontology) -> None:
    certificates = audited(labelled)
    assert {one.plan.wnid for one in certificates} == {CARNIVORE, DOG, CAT}
    labelled.draw_audit([WHIPPET], 9, fresh=True)
    release = labelled.release("v1")
    assert release.certificates == certificates
    assert verify_release(release.path) == verify_release(release.path, ontology=wordnet) == []
    assert labelled.verify_release("v1") == []
    assert certify_release(release, wordnet) == []
    assert {row["auditor"] for row in release.audit}.isdisjoint({"ann", "bob"})
    assert len(release.audit) == 2 * 3 * 8
    value = json.loads((release.path / CERTIFICATES).read_text())
    assert value["pending"][0]["wnid"] == WHIPPET
    assert value["pending"][0]["remark"].endswith("of 9 left to audit")
    assert {AUDIT, CERTIFICATES} <= set((release.path / CHECKSUMS).read_text().split())
    first = contents(release.path)
    labelled.close()
    shutil.copytree(labelled.path, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy/releases/v1")
    with holotype.open(tmp_path / "copy", wordnet) as copy:
        with copy.catalog.write() as connection:
            connection.exec_driver_sql("DELETE FROM release")
        assert contents(copy.release("v1").path) == first


def test_a_release_without_audits_is_as_before(labelled: Project) -> None:
    release = labelled.release("v1")
    assert not {AUDIT, CERTIFICATES} & set(contents(release.path))
    assert (release.certificates, release.audit, certify_release(release)) == ([], [], [])


def with_audit(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        rows = pq.read_table(folder / AUDIT).to_pylist()
        change(rows)
        pq.write_table(pa.Table.from_pylist(rows, AUDIT_SCHEMA), folder / AUDIT)

    return tamper


def with_certificates(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        value = json.loads((folder / CERTIFICATES).read_text())
        change(value["certificates"])
        (folder / CERTIFICATES).write_text(json.dumps(value))

    return tamper


def set_first(**fields: object) -> Callable[[Path], None]:
    return with_certificates(lambda found: found[0].update(fields))


def put(name: str, data: str) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        (folder / name).write_text(data)

    return tamper


def drop_the_wrong(rows: list[dict[str, Any]]) -> None:
    wrong = {row["id"] for row in rows if row["answer"] != "yes"}
    rows[:] = [row for row in rows if row["id"] not in wrong]


def all_yes(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["answer"] = "yes"


def yes_in_one_target(rows: list[dict[str, Any]]) -> None:
    wrong = {(row["id"], row["auditor"]) for row in rows if row["answer"] != "yes"}
    shared = [row for row in rows if (row["id"], row["auditor"]) in wrong]
    shared[0]["answer"] = "no" if shared[0]["answer"] == "unsure" else "unsure"
    rows.append(dict(shared[0], answer="yes"))


def drop_wrong_from_the_manifest(folder: Path) -> None:
    audit = pq.read_table(folder / AUDIT).to_pylist()
    wrong = {row["id"] for row in audit if row["answer"] != "yes"}
    table = pq.read_table(folder / MANIFEST)
    rows = [row for row in table.to_pylist() if row["id"] not in wrong]
    pq.write_table(pa.Table.from_pylist(rows, table.schema), folder / MANIFEST)


def fewer(found: list[dict[str, Any]]) -> None:
    lower, upper = clopper_pearson(7, 7)
    found[0].update(size=7, audited=7, correct=7, lower=float(lower), upper=float(upper))


def manifest_for_audit(folder: Path) -> None:
    shutil.copy(folder / MANIFEST, folder / AUDIT)


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a wrong image dropped": (with_audit(drop_the_wrong), "audit.parquet does not hold the sample"),
    "a wrong image dropped everywhere": (drop_wrong_from_the_manifest, "which is not in manifest.parquet"),
    "answers changed": (with_audit(all_yes), "does not follow from its audit"),
    "an answer in one target only": (with_audit(yes_in_one_target), "gives two answers"),
    "an answer twice": (with_audit(lambda rows: rows.append(rows[0])), "an auditor answers twice"),
    "a raised bound": (set_first(lower=0.99), "does not follow from its audit"),
    "a raised count": (set_first(correct=8), "does not follow from its audit"),
    "a lower confidence": (set_first(confidence=0.5), "does not follow from its audit"),
    "fewer labels": (set_first(labels=9), "does not follow from its audit"),
    "another seed": (set_first(seed="0" * 32), "does not hold the sample that the seed"),
    "a smaller plan": (with_certificates(fewer), "does not hold the sample"),
    "a certificate removed": (with_certificates(lambda found: found.pop(0)), "which has no certificate"),
    "a certificate twice": (with_certificates(lambda found: found.append(found[0])), "two certificates"),
    "another subtree": (set_first(ranges=[[0, 99_999]]), "is of another subtree"),
    "no subtree": (set_first(ranges=[[5, 6]]), "does not hold the sample"),
    "a missing audit": (lambda folder: (folder / AUDIT).unlink(), "audit.parquet is missing"),
    "missing certificates": (lambda folder: (folder / CERTIFICATES).unlink(), "certificates.json is missing"),
    "no JSON": (put(CERTIFICATES, "{"), "cannot read"),
    "no object": (put(CERTIFICATES, "[]"), "is not a JSON object"),
    "no list": (put(CERTIFICATES, "{}"), "has no list of certificates"),
    "a bottomless list": (put(CERTIFICATES, "[" * 100_000), "cannot read"),
    "an entry that is none": (put(CERTIFICATES, '{"certificates": [7]}'), "certificate 1 in certificates.json lacks"),
    "a field that is missing": (with_certificates(lambda found: found[0].pop("seed")), "certificate 1"),
    "truth for a number": (set_first(size=True), "certificate 1"),
    "a text for a number": (set_first(lower="1"), "certificate 1"),
    "no number": (set_first(lower=float("nan")), "certificate 1"),
    "an endless size": (set_first(size=10**400), "does not hold the sample"),
    "a size below one": (set_first(size=0), "certificate 1"),
    "a count without end": (set_first(correct=10**400), "does not follow from its audit"),
    "a seed that is no text": (set_first(seed="\ud800"), "certificate 1"),
    "a wnid that is none": (set_first(wnid="dog"), "certificate 1"),
    "a wnid that is not there": (set_first(wnid="n00000001"), "no synset n00000001"),
    "ranges that overlap": (set_first(ranges=[[0, 9], [5, 99_999]]), "certificate 1"),
    "ranges that are texts": (set_first(ranges=[["a", "b"]]), "certificate 1"),
    "ranges that are flat": (set_first(ranges=[1, 2]), "certificate 1"),
    "ranges that are none": (set_first(ranges=[]), "certificate 1"),
    "no parquet": (put(AUDIT, "PAR1"), "cannot read"),
    "other columns": (manifest_for_audit, "other columns"),
    "an empty cell": (with_audit(lambda rows: rows[0].update(auditor=None)), "empty cells"),
    "an unknown answer": (with_audit(lambda rows: rows[0].update(answer="yeſ")), "not yes, no or unsure"),
    "an unknown image": (with_audit(lambda rows: rows[0].update(id="\x1b[2J")), "'\\x1b[2J' for"),
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
        db.ingest(root / "photos")
        db.verify(db.simulated_crowd(), Fixed(1))
        with db.catalog.write() as connection:
            connection.exec_driver_sql("UPDATE label SET state = 'yes'")
        audited(db)
        return db.release("v1").path


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
    votes = {
        (row["sha256"][:16], row["wnid"]): row["worker"] for row in pq.read_table(folder / "votes.parquet").to_pylist()
    }
    with_audit(lambda rows: [row.update(auditor=votes[row["id"], row["wnid"]]) for row in rows])(folder)
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
    assert "no audit is planned and complete" in run("certify", *here)
    sample = tmp_path / "sample.csv"
    draw = ("audit", "draw", "--under", CARNIVORE, "--under", DOG, "--per-synset", "--size", 6, *here)
    assert "then: holotype audit record" in run(*draw, "--out", sample)
    rows = list(csv.DictReader(sample.read_text().splitlines()))
    assert set(rows[0]) == {"sha256", "wnid", "name", "answer"}
    assert {(row["wnid"], row["name"]) for row in rows} > {(DOG, "dog"), (WHIPPET, "whippet")}
    page = sample.with_suffix(".html").read_text()
    assert page.count("<img") == len(rows)
    assert "labelled" not in page
    assert "is there already" in run(*draw, "--out", sample, expect=2)
    assert "is a CSV file" in run(*draw, "--out", tmp_path / "sample.html", expect=2)
    status = json.loads(run("audit", "status", *here, "--json"))
    assert {found["wnid"] for found in status} == {CARNIVORE, DOG, CAT, WHIPPET}
    assert "6 of 6 left to audit" in run("audit", "status", *here)
    fill_in(sample)
    assert f"{len(rows)} new" in run("audit", "record", sample, "--auditor", "ann", *here)
    assert "0 images to look at" in run(*draw, "--out", tmp_path / "again.csv")
    shown = run("certify", *here)
    assert "60.6 %" in shown, shown
    made = json.loads(run("release", "create", "v1", *here, "--json"))
    found = json.loads(run("certify", "v1", *here, "--json"))
    assert {one["plan"]["wnid"] for one in found["certificates"]} == {CARNIVORE, DOG, WHIPPET, CAT}
    assert run("certify", made["path"]) == shown
    set_first(lower=0.99)(Path(made["path"]))
    assert "does not follow from its audit" in run("certify", made["path"], expect=1)
    assert json.loads(run("certify", made["path"], "--json", expect=1))["certificates"] == []
    assert "there is no release in" in run("certify", "v9", *here, expect=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sha256,wnid,answer\n", "the header must be sha256,wnid,name,answer"),
        ("", "the header must be"),
        ("sha256,wnid,name,answer\na,b,c,perhaps\n", "row 2: the answer must be no or unsure or yes"),
        ("sha256,wnid,name,answer\na,b,yes\n", "row 2: the answer must be"),
        ("sha256,wnid,name,answer\na,b,c,yes\n\na,b,c,no\n", "row 3: the answer must be the last of 4 cells"),
        ("sha256,wnid,name,answer\na,b,c,Yes \n", "there is no holotype project"),
        ('sha256,wnid,name,answer\n"a', "cannot read"),
        ("\udcff", "cannot read"),
    ],
)
def test_a_wrong_file_of_answers_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "answers.csv").write_bytes(text.encode(errors="surrogateescape"))
    record = ("audit", "record", tmp_path / "answers.csv", "--auditor", "ann", "-p", tmp_path / "p")
    assert message in run(*record, expect=2)
