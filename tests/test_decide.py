"""What follows from votes in a project: policies, priors, gold's calibration, ancestors, synsets nobody can see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import holotype
from conftest import run
from holotype.consensus.votes import Answer
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior
from holotype.crowd.port import Page, Sheet
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.simulation.workers import Population, SimulatedCrowd

BURMESE, SIAMESE, DOMESTIC = "n02123394", "n02123597", "n02121808"


@pytest.fixture(scope="module")
def cats_once(
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    fill: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("cats")
    for wnid in (BURMESE, SIAMESE):
        fill(folder / "photos" / wnid, 20)
    fill(folder / "photos/poodle", 70, first=100)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        return db.path


@pytest.fixture
def cats(cats_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    """Twenty images that are candidates for Burmese and for Siamese cat, and seventy for poodle."""
    return copy_of(cats_once)


def crowd(*good: str) -> SimulatedCrowd:
    """Good workers, where all images of some synsets are good and those of the others bad."""
    population = Population(sensitivity=0.95, specificity=0.95, careless=0, spammers=0, unsure=0)
    return SimulatedCrowd(lambda task: task.wnid in good, lambda: 0.0, population)


class Split:
    """Two workers call every cat Burmese, two Siamese; all see a domestic cat."""

    name = "split"

    def __init__(self) -> None:
        self._pages: list[Page] = []

    def post(self, pages: Sequence[Page]) -> None:
        self._pages += pages

    def collect(self) -> list[Sheet]:
        pages, self._pages = self._pages, []
        return [self._answer(page) for page in pages]

    def waiting(self) -> list[Page]:
        return []

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        pass

    def _answer(self, page: Page) -> Sheet:
        worker = next(number for number in range(4) if str(number) not in page.seen)
        sees = {BURMESE: worker % 2 == 0, SIAMESE: worker % 2 == 1, DOMESTIC: True}.get(page.wnid, False)
        return Sheet(page, str(worker), (Answer.YES if sees else Answer.NO,) * len(page.tasks), 1.0, 0.0)


def test_a_split_between_siblings_is_asked_about_their_ancestor(cats: Project) -> None:
    people = Split()
    report = cats.crowd.run(people, Lead(2, 4), back_off=True)
    assert report.backed_off == 20
    assert f"{report.backed_off} backed off to an ancestor" in str(report)
    domestic = [task for task in cats.candidates.tasks() if task.wnid == DOMESTIC]
    assert len(domestic) == report.backed_off
    assert len(cats.images.find(f"under:{DOMESTIC} state:yes")) >= report.backed_off
    again = cats.crowd.run(people, Lead(2, 4), back_off=True)
    assert (again.new_votes, again.backed_off) == (0, 0)
    release = cats.releases.create("v1")
    assert {row["source"] for row in release.rows() if row["wnid"] == DOMESTIC} == {"back-off"}


def test_nothing_backs_off_unless_asked(cats: Project) -> None:
    assert cats.crowd.run(Split(), Lead(2, 4)).backed_off == 0
    assert DOMESTIC not in {task.wnid for task in cats.candidates.tasks()}


def test_a_synset_nobody_can_see_is_given_up(cats: Project) -> None:
    """Noes enough show that fewer than one in ten is good; what is open then, and nobody saw, is asked no more."""
    doubtful = Population(sensitivity=0.95, specificity=0.99, careless=0, spammers=0, unsure=0.3)
    people = SimulatedCrowd(lambda task: task.wnid in (BURMESE, SIAMESE), lambda: 0.0, doubtful)
    report = cats.crowd.run(people, Imageable(Lead(3, 9), least=0.1))
    poodle = cats.ontology.resolve("poodle").wnid
    states = cats.counts()["synsets"][poodle]
    assert states["abandoned"] > 0
    assert sum(states.values()) == 70
    assert states["no"] > 60
    assert report.unimageable == (poodle,)
    assert f"nobody can see {poodle}" in str(report)
    assert not report.waiting
    assert len(cats.images.find("under:poodle state:abandoned")) == states["abandoned"]


def test_priors_are_facts_and_the_newest_counts(cats: Project) -> None:
    cats.crowd.run(crowd(BURMESE), Fixed(1))
    cats.crowd.run(crowd(BURMESE), Posterior(maximum=2))
    task = next(task for task in cats.candidates.tasks() if task.wnid == BURMESE)
    pair = task.sha256, task.wnid

    def score() -> float:
        found = [
            image
            for image in cats.images.find(f"under:{BURMESE}")
            if image.sha256 == task.sha256 and image.wnid == task.wnid
        ]
        return float(found[0].candidate.score or 0)

    before = score()
    assert cats.candidates.add_priors({pair: 0.001}, "model") == 1
    assert score() < before
    assert cats.candidates.add_priors({pair: 0.001}, "model") == 0
    assert cats.candidates.add_priors({pair: 0.999}, "better model") == 1
    assert score() > before
    with pytest.raises(CrowdError, match="between 0 and 1, not 1.0"):
        cats.candidates.add_priors({pair: 1.0}, "model")
    with pytest.raises(CrowdError, match="1 priors are of no candidate"):
        cats.candidates.add_priors({("0" * 64, BURMESE): 0.5}, "model")


def test_gold_calibrates(cats: Project) -> None:
    with pytest.raises(CrowdError, match="calibration needs gold"):
        cats.crowd.calibration()
    cats.crowd.run(crowd(BURMESE), Fixed(3))
    cats.gold.add({(task.sha256, task.wnid): task.wnid == BURMESE for task in cats.candidates.tasks()[:40]}, "expert")
    assert 0.01 <= cats.crowd.calibration().slope < 10


def test_the_command_line_reads_policies_and_priors(cats: Project, tmp_path: Path) -> None:
    place = "-p", cats.path
    verify = "crowd", "run", "--crowd", "simulated", "--policy"
    assert "candidates" in run(*verify, "lead(2, 5)", "--back-off", *place)
    assert "lead(2, 5) has none" in run(*verify, "lead(2, 5)", "--calibrate", *place, expect=2)
    assert "a policy is one of fixed, lead" in run(*verify, "guess", *place, expect=2)
    first = cats.candidates.tasks()[0]
    chances = tmp_path / "chances.csv"
    row = f"sha256,wnid,chance\n{first.sha256},{first.wnid},"
    chances.write_text(f"{row}0.25\n")
    assert "1 of 1 priors are new" in run("candidates", "priors", chances, "--source", "model", *place)
    for text, message in (("", "the header must be"), (f"{row}x\n", "line 2"), (f"{row}nan\n", "between 0 and 1")):
        chances.write_text(text)
        assert message in run("candidates", "priors", chances, "--source", "model", *place, expect=2)
