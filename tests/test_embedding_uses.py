"""What embeddings are good for: near-duplicates that hashes miss, leaks of a release, diversity, what to ask next, a
machine's votes; and the commands for all that."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import holotype
from conftest import command, encoded, photo, run
from embedded import Colours
from holotype.consensus.votes import Answer
from holotype.crowd.machines.voter import Thresholds
from holotype.errors import CrowdError, NotEmbedded, OtherWeights, ReleaseError, UnknownImage, UnknownSynset
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.embedding_pairs import Closeness
from holotype.recognition.heads import Head
from holotype.releases.leaks import Check

pytest.importorskip("sklearn")
DOG, CAT, CHIHUAHUA = "n02084071", "n02121808", "n02085620"
GOOD, BAD = 12, 12


def dog(seed: int) -> bytes:
    """A picture that is red on the whole, which dogs are here."""
    pixels = np.asarray(photo(seed)).astype(float) * 0.5 + (110, 0, 20)
    return encoded(_image(pixels))


def other(seed: int) -> bytes:
    """A picture that is blue on the whole."""
    pixels = np.asarray(photo(seed)).astype(float) * 0.5 + (0, 20, 110)
    return encoded(_image(pixels))


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def filled_once(
    tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], wordnet: Ontology
) -> Path:
    """Candidates of dog, half of them dogs (d0.jpg ...), half not (o0.jpg ...), all embedded."""
    place = tmp_path_factory.mktemp("uses")
    (place / "photos" / DOG).mkdir(parents=True)
    for seed in range(GOOD):
        (place / "photos" / DOG / f"d{seed}.jpg").write_bytes(dog(seed))
    for seed in range(BAD):
        (place / "photos" / DOG / f"o{seed}.jpg").write_bytes(other(100 + seed))
    with holotype.open(new_project(place / "project"), wordnet) as db:
        db.images.ingest(place / "photos")
        db.embeddings.add(Colours())
        return db.path


@pytest.fixture
def db(filled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(filled_once)


def names(db: Project) -> dict[str, str]:
    """The names of files by sha256."""
    return {one.sha256: Path(one.file).stem for one in db.images.inputs()}


def answer(db: Project, count: int, wrong: str = "") -> None:
    """Say of the first dogs and others what they are, and a lie of one that is `wrong`."""
    name = names(db)
    known = {one.sha256: name[one.sha256] for one in db.candidates.tasks()}
    told = {(key, DOG): (one[0] == "d") != (one == wrong) for key, one in known.items() if int(one[1:]) < count}
    db.gold.add(told, "ann")
    db.crowd.run(db.crowd.simulated(), budget=0)


# What to ask next


def test_before_any_answer_what_is_unlike_comes_first(db: Project) -> None:
    order = db.embeddings.order("dog")
    assert (order.by, order.yes, order.no, order.without, len(order.first)) == ("diverse", 0, 0, 0, GOOD + BAD)
    assert {one.chance for one in order.first} == {None}
    first = [names(db)[one.sha256][0] for one in order.first[:2]]
    assert set(first) == {"d", "o"}
    assert len(db.embeddings.order(DOG, most=3).first) == 3


def test_likely_ones_are_the_good_ones(db: Project) -> None:
    answer(db, 3)
    order = db.embeddings.order("dog", "likely")
    name = names(db)
    assert (order.by, order.yes, order.no) == ("likely", 3, 3)
    assert len(order.first) == GOOD + BAD - 6
    assert [name[one.sha256][0] for one in order.first] == ["d"] * (GOOD - 3) + ["o"] * (BAD - 3)
    chances = [one.chance for one in order.first]
    assert chances == sorted(chances, reverse=True)  # type: ignore[type-var]
    uncertain = db.embeddings.order("dog").first
    assert {one.sha256 for one in uncertain} == {one.sha256 for one in order.first}
    assert abs(0.5 - (uncertain[0].chance or 0)) < 0.5


def test_what_is_labelled_below_a_synset_teaches_it(db: Project, tmp_path: Path) -> None:
    (tmp_path / "more" / CHIHUAHUA).mkdir(parents=True)
    for seed in range(20, 24):
        (tmp_path / "more" / CHIHUAHUA / f"c{seed}.jpg").write_bytes(dog(seed))
    db.images.ingest(tmp_path / "more")
    db.embeddings.add(Colours())
    name = names(db)
    yes = {(one.sha256, CHIHUAHUA): True for one in db.candidates.tasks() if name[one.sha256][0] == "c"}
    no = {(one.sha256, DOG): False for one in db.candidates.tasks() if name[one.sha256] in ("o0", "o1")}
    db.gold.add(yes | no, "ann")
    db.crowd.run(db.crowd.simulated(), budget=0)
    order = db.embeddings.order(DOG, "likely")
    assert (order.yes, order.no) == (4, 2)
    assert name[order.first[0].sha256][0] == "d"


def test_open_candidates_without_an_embedding_are_counted(db: Project, tmp_path: Path) -> None:
    (tmp_path / "late" / DOG).mkdir(parents=True)
    (tmp_path / "late" / DOG / "d99.jpg").write_bytes(dog(99))
    db.images.ingest(tmp_path / "late")
    assert db.embeddings.order(DOG).without == 1


def test_an_order_of_a_synset_without_candidates_is_empty(db: Project) -> None:
    assert db.embeddings.order(CAT).first == ()
    with pytest.raises(UnknownSynset):
        db.embeddings.order("nothing at all")


def test_a_crowd_can_be_asked_about_just_these(db: Project) -> None:
    first = db.embeddings.order(DOG, most=5).first
    pairs = [(one.sha256, one.wnid) for one in first]
    report = db.crowd.run(db.crowd.simulated(), only=pairs)
    assert report.states["open"] == GOOD + BAD - 5
    assert {task.sha256 for task in db.candidates.tasks()} > {one.sha256 for one in first}
    voted = {vote.task for vote in db.crowd.votes()}
    assert len(voted) == 5
    with pytest.raises(UnknownImage):
        db.crowd.run(db.crowd.simulated(), only=[("f" * 64, DOG)])
    with pytest.raises(CrowdError, match="a machine votes on all it can"):
        db.crowd.run(db.crowd.machine("m", lambda questions: [0.5] * len(questions)), only=pairs)


# Votes


def red_head(db: Project, digest: str = "") -> Head:
    """A classifier of chihuahuas and cats: red over blue."""
    red = np.tile(np.array([0.01, 0, -0.01], np.float32), 16)
    return Head((CHIHUAHUA, CAT), np.stack([red, -red]), np.zeros(2, np.float32), digest or Colours().digest)


def said(db: Project, worker: str) -> dict[str, Answer]:
    name, tasks = names(db), {task.number: task for task in db.candidates.tasks()}
    return {name[tasks[vote.task].sha256]: vote.answer for vote in db.crowd.votes() if vote.worker == worker}


def test_a_classifier_votes_by_the_classes_below_a_synset(db: Project) -> None:
    machine = db.embeddings.voter(head=red_head(db), thresholds=Thresholds(0.7, 0.3))
    report = db.crowd.run(machine).machine
    assert report is not None
    assert (report.name, report.voted) == ("machine:colours", GOOD + BAD)
    votes = said(db, "machine:colours")
    assert {one for name, one in votes.items() if name[0] == "d"} == {Answer.YES}
    assert {one for name, one in votes.items() if name[0] == "o"} == {Answer.NO}
    again = db.crowd.run(db.embeddings.voter(head=red_head(db), thresholds=Thresholds(0.7, 0.3))).machine
    assert again is not None
    assert (again.voted, again.known) == (0, GOOD + BAD)
    with pytest.raises(CrowdError, match="another machine"):
        db.crowd.run(db.embeddings.voter(head=red_head(db)))


def test_a_classifier_must_be_the_one_that_embedded(db: Project) -> None:
    with pytest.raises(OtherWeights):
        db.embeddings.voter(head=red_head(db, "0" * 64))


def test_what_is_labelled_teaches_a_voter(db: Project) -> None:
    answer(db, 6)
    report = db.crowd.run(db.embeddings.voter("learner")).machine
    assert report is not None
    assert report.voted == GOOD + BAD
    votes = said(db, "machine:learner")
    right = [(one is Answer.YES) == (name[0] == "d") for name, one in votes.items() if one is not Answer.UNSURE]
    assert np.mean(right) == 1
    assert len(right) > GOOD


def test_a_learner_does_not_repeat_what_it_was_told(db: Project) -> None:
    """A wrong label is not believed of the image itself."""
    answer(db, 8, wrong="o0")
    wrong = next(sha256 for sha256, one in names(db).items() if one == "o0")
    machine = db.embeddings.voter("learner")
    tasks = {task.sha256: task.number for task in db.candidates.tasks()}
    assert machine.model.by_number[tasks[wrong]] < 0.5  # type: ignore[attr-defined]


def test_nothing_to_learn_from_is_an_error(db: Project) -> None:
    with pytest.raises(holotype.errors.RecognitionError, match="nothing can be said"):
        db.embeddings.voter()


# Near-duplicates


@pytest.fixture
def copied(db: Project, tmp_path: Path) -> Project:
    """The project with a crop of d0.jpg, and d1.jpg encoded anew."""
    (tmp_path / "copies" / DOG).mkdir(parents=True)
    picture = _image(np.asarray(photo(0)).astype(float) * 0.5 + (110, 0, 20))
    picture.crop((9, 6, 74, 55)).save(tmp_path / "copies" / DOG / "crop.jpg", quality=90)
    again = _image(np.asarray(photo(1)).astype(float) * 0.5 + (110, 0, 20))
    again.save(tmp_path / "copies" / DOG / "again.jpg", quality=70)
    db.images.ingest(tmp_path / "copies")
    db.embeddings.add(Colours())
    return db


def test_near_duplicates_that_hashes_miss_are_found(copied: Project) -> None:
    name = names(copied)
    both = copied.embeddings.near_duplicates(Closeness(0.99), all_pairs=True)
    pairs = {frozenset((name[one.one.sha256], name[one.other.sha256])): one.known for one in both.pairs}
    assert pairs.pop(frozenset(("d1", "again"))) is True
    assert (both.known, both.images) == (1, GOOD + BAD + 2)
    unknown = copied.embeddings.near_duplicates(Closeness(0.97))
    pairs = {frozenset((name[one.one.sha256], name[one.other.sha256])): one.known for one in unknown.pairs}
    assert frozenset(("d0", "crop")) in pairs
    assert frozenset(("d1", "again")) not in pairs
    assert [one.cosine for one in unknown.pairs] == sorted((one.cosine for one in unknown.pairs), reverse=True)
    assert unknown.found == unknown.known + len(unknown.pairs)
    few = copied.embeddings.near_duplicates(Closeness(0.5), limit=2)
    assert len(few.pairs) == 2
    assert few.found > 20


@pytest.mark.parametrize("least", [0, 1.1, float("nan")])
def test_a_cosine_is_one_at_most(least: float) -> None:
    with pytest.raises(holotype.errors.RecognitionError, match="above 0 and at most 1"):
        Closeness(least)


def test_leaks_of_a_release_are_pairs_of_two_splits(copied: Project) -> None:
    copied.crowd.run(copied.crowd.simulated())
    copied.releases.create("v1", outvoted=True)
    table = copied.releases["v1"].manifest.select(["sha256", "split"]).to_pylist()
    split = {one["sha256"]: one["split"] for one in table}
    checks = copied.embeddings.leaks("v1", Closeness(0.6))
    every = copied.embeddings.near_duplicates(Closeness(0.6), all_pairs=True).pairs
    across = [one for one in every if len({split.get(one.one.sha256), split.get(one.other.sha256), None}) == 3]
    assert sum(check.pairs for check in checks) == len(across) > 0
    assert all(check.name == "same_look" and check.unknown == (0, 0) for check in checks)
    leak = next(check for check in checks if check.pairs)
    assert "nearly the same embeddings, a cosine of 0.6 or more, in v1/" in leak.text
    assert Check.of(json.loads(json.dumps(leak.value))) == leak
    assert sum(leak.compared) == sum(one in leak_splits(leak) for one in split.values())
    with pytest.raises(ReleaseError):
        copied.embeddings.leaks("v9", Closeness(0.6))


def leak_splits(check: Check) -> set[str]:
    return {one.partition("/")[2] for one in check.between}


def test_images_without_an_embedding_are_unknown_to_a_check(db: Project) -> None:
    db.crowd.run(db.crowd.simulated())
    db.releases.create("v1", outvoted=True)
    db.embeddings.forget("colours")
    db.embeddings.add(Colours(), query=f"id:{db.candidates.tasks()[0].sha256}")
    checks = db.embeddings.leaks("v1", Closeness(0.6))
    assert sum(sum(check.unknown) for check in checks) > 0
    assert {check.result for check in checks} <= {"not checked", "passed in part"}


# Diversity


def test_the_same_picture_again_and_again_is_not_diverse(db: Project) -> None:
    assert db.embeddings.diversity("dog").images == 0
    answer(db, 6)
    found = db.embeddings.diversity("dog")
    assert found.images == 6
    assert 0 < found.distance < 1
    assert 1 < found.different < 6


# Commands


def test_commands_do_all_of_it(copied: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skimage")
    path, project = copied.path, ("-p", copied.path)
    copied.close()
    assert "hog: 26 embedded, 0 before" in run("embeddings", "add", "hog", *project)
    told = json.loads(run("embeddings", "list", *project, "--json"))
    assert [(one["name"], one["embeddings"]) for one in told["models"]] == [("colours", 26), ("hog", 26)]
    assert "colours\t26\t48\tfloat16" in run("embeddings", "list", *project)
    hog = ("--embeddings", "hog", *project)
    found = json.loads(run("embeddings", "similar", "d1.jpg", "-k", "2", *hog, "--json"))
    assert found[0]["file"].endswith("again.jpg")
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(dog(3))
    first = run("embeddings", "similar", outside, "--count", "1", *hog, "--sheet", tmp_path / "similar.html")
    assert first.split()[1].endswith("d3.jpg")
    assert "<img" in (tmp_path / "similar.html").read_text()
    pairs = run("embeddings", "near-duplicates", "--least", "0.9", "--all", *hog, "--sheet", tmp_path / "pairs.html")
    assert "hashes know as well" in pairs
    limited = run("embeddings", "near-duplicates", "--limit", "1", "--least", "0.5", *hog, "--json")
    told = json.loads(limited)
    assert len(told["pairs"]) == 1
    cut = command("embeddings", "near-duplicates", "--limit", "1", "--least", "0.5", *hog)
    assert f"... and {told['found'] - told['known'] - 1:,} more pairs (more of them: --limit N)\n" in cut.stderr
    assert len(cut.stdout.splitlines()) == 2
    order = run("embeddings", "order", "dog", "--most", "4", "--by", "diverse", *hog)
    rows = list(csv.reader(io.StringIO(order)))
    assert rows[0] == ["sha256", "wnid", "chance"]
    assert len(rows) == 5
    cut = command("embeddings", "order", "dog", "--most", "4", "--by", "diverse", *hog)
    assert cut.stdout == order
    assert cut.stderr.endswith("... and 22 more open candidates (all of them: --most 26)\n")
    run("embeddings", "order", "dog", "--most", "4", "--out", tmp_path / "next.csv", *hog)
    assert (tmp_path / "next.csv").read_text() == order
    said = run("crowd", "run", "--crowd", "simulated", "--only", tmp_path / "next.csv", *project)
    assert "open 22" in said
    run("crowd", "run", "--crowd", "simulated", *project)
    assert "images, distance" in run("embeddings", "diversity", "dog", *hog)
    run("release", "create", "v1", "--outvoted", *project)
    assert "nearly the same embeddings" in run("embeddings", "near-duplicates", "--release", "v1", *hog)
    assert "removed" in run("embeddings", "remove", "hog", "--reason", "why", *project)
    assert "restored" in run("embeddings", "restore", "hog", "--reason", "why", *project)
    assert "hog removed by" in run("embeddings", "list", *project)
    assert "say --yes" in run("embeddings", "forget", "hog", *project, expect=2)
    assert "forgot 26 embeddings" in run("embeddings", "forget", "hog", "--yes", *project)
    assert path.exists()


def test_commands_learn_and_vote(db: Project) -> None:
    answer(db, 6)
    db.close()
    said = run("embeddings", "vote", "--learn", "--name", "learner", "--most", "20", "-p", db.path)
    assert "machine:learner: 24 candidates = 20 voted on + 0 before" in said
    assert "no classifier made" not in said


def test_commands_take_files(db: Project, tmp_path: Path) -> None:
    np.savez(tmp_path / "given.npz", images=np.array(["d0.jpg", "d1.jpg"]), vectors=np.eye(2, dtype=np.float32))
    db.close()
    assert "given: 2 embedded" in run("embeddings", "add", tmp_path / "given.npz", "-p", db.path)
    assert "mine: 2 embedded" in run("embeddings", "add", tmp_path / "given.npz", "--as", "mine", "-p", db.path)
    (tmp_path / "picture.jpg").write_bytes(dog(1))
    asked = ("embeddings", "similar", tmp_path / "picture.jpg", "--embeddings", "mine", "-p", db.path)
    assert "no image is called" in command(*asked).stderr
    ended = command("embeddings", "vote", "--embeddings", "mine", "-p", db.path)
    assert "no classifier made the embeddings 'mine': let it --learn" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("similar", "d0.jpg", "--embeddings", "x"), "make some with: holotype embeddings add MODEL"),
        (("add", "hog", "--weights", "pretrained"), "hog is no network"),
        (("add", "hog", "--as", "colours"), "give these another name, with --as NAME"),
        (("near-duplicates", "--release", "v1", "--all"), "does not heed --all and --sheet"),
        (("near-duplicates", "--least", "0"), "above 0 and at most 1"),
        (("remove", "x", "--reason", "why"), "no embeddings 'x'"),
    ],
)
def test_commands_say_what_is_wrong(db: Project, arguments: tuple[str, ...], told: str) -> None:
    ended = command("embeddings", *arguments, "-p", db.path)
    assert ended.code != 0
    assert told in ended.stderr


def test_only_is_heeded_by_people_alone(db: Project, tmp_path: Path) -> None:
    (tmp_path / "next.csv").write_text("sha256,wnid\n")
    asked = ("crowd", "run", "--crowd", "nobody", "--only", tmp_path / "next.csv", "-p", db.path)
    assert "does not heed --only" in command(*asked).stderr


def test_embeddings_of_another_project_are_not_here(project: Project) -> None:
    with pytest.raises(NotEmbedded):
        project.embeddings.order(DOG)
