"""Campaigns on subtrees: each as if it were alone, what others concluded stands, and no vote beyond the budget."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import holotype
from conftest import command
from holotype.catalog import labels
from holotype.crowd.conclusion import Policy
from holotype.crowd.division import Division, Part
from holotype.crowd.expert import Nobody
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior
from holotype.crowd.policy_names import parse_policy, parse_rule
from holotype.errors import CrowdError, ProjectError, UnknownSynset
from holotype.ontology import Ontology
from holotype.project import Project
from subtrees import CAT, CHIHUAHUA, DOG, SIAMESE, SPANIEL, Paper, add_candidates, labels_in, truth_of, votes_in

ALL = [DOG, CHIHUAHUA, SPANIEL, CAT, SIAMESE]
MODEL = Imageable(Posterior(maximum=6, pilot=10))


@pytest.fixture
def projects(
    tmp_path: Path, wordnet: Ontology, new_project: Callable[[Path], Path]
) -> Iterator[Callable[..., Project]]:
    """Makes projects with candidates of synsets."""
    made: list[Project] = []

    def make(wnids: list[str] = ALL) -> Project:
        made.append(holotype.open(new_project(tmp_path / str(len(made))), wordnet))
        add_candidates(made[-1], wnids)
        return made[-1]

    yield make
    for db in made:
        db.close()


def under(found: dict[tuple[str, str], tuple[object, ...]], *wnids: str) -> dict[tuple[str, str], tuple[object, ...]]:
    return {pair: label for pair, label in found.items() if pair[1] in wnids}


def test_a_second_run_of_a_crowd_is_told_which_other_one_there_is(projects: Callable[..., Project]) -> None:
    db = projects()
    told: list[str] = []

    def meanwhile(*_: int) -> None:
        with pytest.raises(ProjectError) as refused:
            db.crowd.run(db.crowd.simulated(), Fixed(1), under=["cat"])
        told.append(str(refused.value))

    db.crowd.run(db.crowd.simulated(), Fixed(1), meanwhile, under=["dog"])
    assert f"asks the crowd simulated for this project right now (process {os.getpid()} on " in told[0]
    assert f", under {DOG}); go on when it is done" in told[0]
    db.crowd.run(db.crowd.simulated(), Fixed(1), under=["cat"])
    assert {wnid for _, wnid in labels_in(db)} == set(ALL)


DOGS, CATS = (DOG, CHIHUAHUA, SPANIEL), (CAT, SIAMESE)


# Each as if it were alone


@pytest.mark.parametrize("policy", [MODEL, Lead(2, 5)], ids=["model", "lead"])
def test_campaigns_on_subtrees_conclude_what_each_concludes_alone(
    projects: Callable[..., Project], policy: Policy
) -> None:
    both, dogs, cats = projects(), projects(list(DOGS)), projects(list(CATS))
    for db, wnids in ((dogs, [DOG]), (cats, [CAT]), (both, [DOG]), (both, [CAT])):
        report = db.crowd.run(db.crowd.simulated(truth_of(db)), policy, under=wnids)
        assert not report.waiting
    alone = projects(list(DOGS))
    alone.crowd.run(alone.crowd.simulated(truth_of(alone)), policy)
    assert labels_in(both) == labels_in(dogs) | labels_in(cats)
    assert labels_in(dogs) == labels_in(alone), "a subtree that is all there is"
    assert votes_in(both) == sorted(votes_in(dogs) + votes_in(cats))


def test_a_campaign_on_a_subtree_asks_of_nothing_else(projects: Callable[..., Project]) -> None:
    db = projects()
    report = db.crowd.run(db.crowd.simulated(truth_of(db)), Lead(2, 5), under=["dog"])
    assert sum(report.states.values()) == 3 * 60
    assert {wnid for _, wnid, *_ in votes_in(db)} == set(DOGS)
    assert {pair[1] for pair in labels_in(db)} == set(DOGS), "of the others nothing is concluded"
    assert db.counts()["synsets"][CAT] == {"open": 60}


def test_what_gold_says_of_others_counts(projects: Callable[..., Project]) -> None:
    db = projects()
    cat = next(task for task in db.candidates.tasks() if task.wnid == CAT)
    db.gold.add({(cat.sha256, cat.wnid): True}, "me")
    db.crowd.run(db.crowd.simulated(truth_of(db)), Lead(2, 5), under=["dog"])
    assert labels_in(db)[cat.sha256, CAT] == (1.0, "yes", "gold", None)
    db.gold.correct({(cat.sha256, cat.wnid): False}, "me", "a lynx")
    assert labels_in(db)[cat.sha256, CAT] == (0.0, "no", "gold", None)


# What others concluded stands


def test_what_was_concluded_of_others_stands_while_a_subtree_is_asked_about(projects: Callable[..., Project]) -> None:
    db = projects()
    db.crowd.run(db.crowd.simulated(truth_of(db)), MODEL)
    before = labels_in(db)
    report = db.crowd.run(db.crowd.simulated(truth_of(db), seed=7), Fixed(9), under=[CHIHUAHUA])
    assert report.new_votes > 100
    after = labels_in(db)
    others = [wnid for wnid in ALL if wnid != CHIHUAHUA]
    assert under(after, *others) == under(before, *others)
    assert {label[2] for label in under(after, CHIHUAHUA).values()} == {"fixed(9)"}
    db.gold.add({}, "nobody")  # has all labels drawn again
    assert labels_in(db) == after, "labels follow from facts and the policies alone"


def test_a_later_campaign_on_more_takes_over(projects: Callable[..., Project]) -> None:
    db = projects()
    for wnid, policy in ((CHIHUAHUA, Lead(1, 3)), (SIAMESE, Lead(2, 5)), (DOG, Fixed(3))):
        db.crowd.run(db.crowd.simulated(truth_of(db)), policy, under=[wnid])
    found = labels_in(db)
    assert {(wnid, label[2]) for (_, wnid), label in found.items()} == {
        *((wnid, "fixed(3)") for wnid in DOGS),
        (SIAMESE, "lead(2, 5)"),
    }
    db.gold.add({}, "nobody")
    assert labels_in(db) == found
    db.crowd.run(Nobody(), Lead(2, 5))
    assert {label[2] for label in labels_in(db).values()} == {"lead(2, 5)"}


def test_votes_from_elsewhere_have_all_layers_drawn_again(projects: Callable[..., Project]) -> None:
    db = projects()
    for wnid in (DOG, CAT):
        db.crowd.run(db.crowd.simulated(truth_of(db)), MODEL, under=[wnid])
    pair = next(pair for pair, label in labels_in(db).items() if label[1] == "yes")
    rows = {"sha256": [pair[0]] * 9, "wnid": [pair[1]] * 9, "worker": [f"w{n}" for n in range(9)], "answer": ["no"] * 9}
    assert db.crowd.append(rows).anew
    assert labels_in(db)[pair][1] != "yes"


def test_a_campaign_is_of_a_part_until_something_newer_takes_it(
    wordnet: Ontology, projects: Callable[..., Project]
) -> None:
    db = projects()
    for wnid in (DOG, CAT, DOG):
        db.crowd.run(Nobody(), Fixed(2), under=[wnid])
    with db.catalog.read() as connection:
        told = labels.last_policy(connection) or ""
    assert parse_rule(told) == Division((Part(CAT, Fixed(2)), Part(DOG, Fixed(2))))


# Interrupted


@pytest.mark.parametrize("policy", [MODEL, Lead(2, 5)], ids=["model", "lead"])
def test_stopped_anywhere_a_campaign_on_a_subtree_ends_as_if_it_had_not(
    projects: Callable[..., Project], policy: Policy
) -> None:
    whole, torn = projects(), projects()
    whole.crowd.run(whole.crowd.simulated(truth_of(whole)), policy, under=[DOG])
    paper = Paper(torn.crowd.simulated(truth_of(torn)))
    for answered in (1, 0, 2, 3, 1, *[2] * 60):
        report = torn.crowd.run(paper, policy, under=[DOG])
        paper.answer(answered)
    assert not report.waiting
    assert votes_in(torn) == votes_in(whole)
    assert labels_in(torn) == labels_in(whole)


def test_campaigns_with_one_crowd_leave_each_others_pages_alone(projects: Callable[..., Project]) -> None:
    whole, torn = projects(), projects()
    for wnid in (DOG, CAT):
        whole.crowd.run(whole.crowd.simulated(truth_of(whole)), MODEL, under=[wnid])
    paper = Paper(torn.crowd.simulated(truth_of(torn)))
    for answered in (0, 3, 1, 4, *[6] * 80):
        waiting = [torn.crowd.run(paper, MODEL, under=[wnid]).waiting for wnid in (DOG, CAT)]
        if waiting == [False, False]:
            break
        paper.answer(answered)
    assert waiting == [False, False]
    assert votes_in(torn) == votes_in(whole)
    assert labels_in(torn) == labels_in(whole)


# Budgets


@pytest.mark.parametrize("budget", [0, 47, 48, 100, 200, 1000])
def test_nothing_is_put_up_beyond_the_budget(projects: Callable[..., Project], budget: int) -> None:
    db = projects()
    report = db.crowd.run(db.crowd.simulated(truth_of(db)), Fixed(3), under=[DOG], budget=budget)
    again = db.crowd.run(db.crowd.simulated(truth_of(db)), Fixed(3), under=[DOG], budget=budget)
    assert report.votes == again.votes <= budget
    assert report.held_back == again.held_back == report.waiting == (budget < 540)
    db.crowd.run(db.crowd.simulated(truth_of(db)), Fixed(3), under=[DOG])
    whole = projects()
    whole.crowd.run(whole.crowd.simulated(truth_of(whole)), Fixed(3), under=[DOG])
    assert votes_in(db) == votes_in(whole), "with more to spend it goes on where that stopped it"


def test_what_is_up_counts_as_spent(projects: Callable[..., Project]) -> None:
    db = projects()
    paper = Paper(db.crowd.simulated(truth_of(db)))
    for _ in range(5):
        db.crowd.run(paper, Fixed(3), budget=100)
    assert [len(paper.pages[page].tasks) for page in paper.posted] == [48, 12]
    paper.answer()
    db.crowd.run(paper, Fixed(3), budget=150)
    assert sum(len(page.tasks) for page in paper.pages.values()) <= 150


def test_a_budget_below_nothing_is_refused(projects: Callable[..., Project]) -> None:
    db = projects()
    with pytest.raises(CrowdError, match="0 or more, not -1"):
        db.crowd.run(Nobody(), Fixed(3), budget=-1)
    with pytest.raises(UnknownSynset):
        db.crowd.run(Nobody(), Fixed(3), under=["n99999999"])


def test_the_command_line_asks_about_subtrees(projects: Callable[..., Project]) -> None:
    db = projects()
    asking = "crowd", "run", "-p", db.path, "--crowd", "simulated", "--policy", "fixed(2)", "--budget", 240
    ended = command(*asking, "--under", CHIHUAHUA, "--under", "Siamese cat")
    assert ended.stdout.startswith("120 candidates: open 0")
    assert "the budget" not in ended.stdout
    ended = command(*asking, "--under", DOG, "--json")
    assert (json.loads(ended.stdout)["held_back"], json.loads(ended.stdout)["votes"]) == (True, 240)
    ended = command(*asking, "--under", DOG)
    assert "the budget has no votes left for the next page" in ended.stdout
    assert command(*asking, "--under", "nothing such").code == 2


# What labels are drawn by, as a text


def test_a_rule_is_what_its_name_says() -> None:
    rule = Division((Part("n02084071 n02121808", MODEL, 12), Part(CAT, Lead(2, 5))), Fixed(3))
    assert parse_rule(str(rule)) == rule
    assert parse_rule("lead(2, 5)") == Lead(2, 5)
    many = Division(tuple(Part(f"n{number:08d}", MODEL, number) for number in range(2000)))
    assert parse_rule(str(many)) == many, "however many parts there are"


@pytest.mark.parametrize(
    "text",
    [
        "divided()",
        "divided(lead(3, 9))",
        'divided(part("", lead(3, 9)))',
        'divided(part("n02084071  n02121808", lead(3, 9)))',
        'divided(part("n02084071", divided(part("n02121808", lead(3, 9)))))',
        'divided(part("n02084071", lead(3, 9)), parts=3)',
        'part("n02084071", lead(3, 9))',
        'imageable(divided(part("n02084071", lead(3, 9))))',
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(CrowdError):
        parse_rule(text)


def test_a_division_is_no_policy_of_one_campaign() -> None:
    with pytest.raises(CrowdError, match="a policy is one of"):
        parse_policy('divided(part("n02084071", lead(3, 9)))')
