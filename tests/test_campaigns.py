"""Campaigns that a server drives: several at once, interrupted anywhere, and always the same labels."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import holotype
from conftest import command, run
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.inbox import WebCrowd
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.crowd.port import Page, Sheet
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.inbox import CatalogInbox
from holotype.project.runner import Runner
from holotype.simulation.workers import SimulatedCrowd
from subtrees import CAT, CHIHUAHUA, DOG, SIAMESE, SPANIEL, Paper, add_candidates, labels_in, truth_of, votes_in

MODEL = Imageable(Posterior(maximum=6, pilot=10))
DOGS, CATS = [DOG, CHIHUAHUA, SPANIEL], [CAT, SIAMESE]


@pytest.fixture
def projects(
    tmp_path: Path, wordnet: Ontology, new_project: Callable[[Path], Path]
) -> Iterator[Callable[..., Project]]:
    """Makes projects with candidates of synsets, or opens the one of a folder."""
    made: list[Project] = []

    def make(wnids: Sequence[str] = (*DOGS, *CATS), each: int = 60, again: Project | None = None) -> Project:
        folder = again.path if again is not None else new_project(tmp_path / str(len(made)))
        made.append(holotype.open(folder, wordnet))
        if again is None:
            add_candidates(made[-1], wnids, each)
        return made[-1]

    yield make
    for db in made:
        db.close()


def people(db: Project) -> Paper:
    return Paper(db.crowd.simulated(truth_of(db)), "web")


def drive(db: Project, paper: Paper, pages: Callable[[], int] = lambda: 10_000, start: float = 0.0) -> float:
    """Tick until no campaign is running, people answering some pages in between; the time then."""
    now = start
    for _ in range(500):
        db.campaigns.tick(paper, now)
        if not any(one.state == "running" for one in db.campaigns.everything()):
            return now
        paper.answer(pages())
        now += 10
    raise AssertionError("it does not end")


# The same labels


@pytest.mark.parametrize("policy", [MODEL, Lead(2, 5), Table(seeds=10)], ids=["model", "lead", "table"])
def test_a_campaign_that_is_driven_ends_as_one_that_is_run(projects: Callable[..., Project], policy: Policy) -> None:
    run, driven = projects(), projects()
    run.crowd.run(run.crowd.simulated(truth_of(run)), policy)
    driven.campaigns.start("ann", policy=policy)
    dice = random.Random(1)
    drive(driven, people(driven), lambda: dice.randrange(4))
    assert votes_in(driven) == votes_in(run)
    assert labels_in(driven) == labels_in(run)


def test_several_at_once_conclude_what_each_concludes_alone(projects: Callable[..., Project]) -> None:
    both, alone = projects(), {DOG: projects(DOGS), CAT: projects(CATS)}
    policies: dict[str, Policy] = {DOG: MODEL, CAT: Lead(2, 5)}
    for wnid, db in alone.items():
        db.crowd.run(db.crowd.simulated(truth_of(db)), policies[wnid])
        both.campaigns.start("ann", [wnid], policies[wnid])
    dice = random.Random(2)
    drive(both, people(both), lambda: dice.randrange(5))
    expected = labels_in(alone[DOG]) | labels_in(alone[CAT])
    assert labels_in(both) == expected
    assert votes_in(both) == sorted(votes_in(alone[DOG]) + votes_in(alone[CAT]))
    both.gold.add({}, "nobody")  # has all labels drawn again
    assert labels_in(both) == expected


class Killed(BaseException):
    """The process ends."""


@pytest.mark.parametrize("seed", range(3))
def test_killed_before_any_write_it_goes_on_as_if_it_had_not_been(
    projects: Callable[..., Project], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    whole, torn = projects(), projects()
    for wnid in (DOG, CAT):
        whole.crowd.run(whole.crowd.simulated(truth_of(whole)), MODEL, under=[wnid])
        torn.campaigns.start("ann", [wnid], MODEL)
    dice, paper, now, killed = random.Random(seed), people(torn), 0.0, 0
    while any(one.state == "running" for one in torn.campaigns.everything()):
        with monkeypatch.context() as dying:
            left, transact = dice.randrange(6), torn.catalog.transact

            def dies(work: Callable[..., Any], transact: Callable[..., Any] = transact) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return transact(work)

            dying.setattr(torn.catalog, "transact", dies)
            try:
                torn.campaigns.tick(paper, now)
            except Killed:
                killed += 1
                torn = projects(again=torn)
        paper.answer(dice.randrange(4))
        now += 10
    assert killed > 3
    assert votes_in(torn) == votes_in(whole)
    assert labels_in(torn) == labels_in(whole)


# While people vote


@pytest.mark.parametrize("policy", [Lead(1, 3), Imageable(Lead(1, 3)), MODEL, Table(seeds=10)], ids=str)
def test_labels_appear_while_people_vote(projects: Callable[..., Project], policy: Policy) -> None:
    db = projects([DOG], 960)
    db.campaigns.start("ann", policy=policy)
    paper, within = people(db), dict[str, set[int]]()
    for now in range(130):
        db.campaigns.tick(paper, float(now))
        decided = sum(label[1] in ("yes", "no") for label in labels_in(db).values())
        within.setdefault(paper.posted[-1][:3], set()).add(decided)
        paper.answer(1)
    assert max(map(len, within.values())) > 1, within


def test_a_few_votes_have_only_what_they_touch_concluded_again(
    projects: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The states are those of the model that was fitted last, and a release draws all labels anew before."""
    db = projects([DOG], 200)
    db.campaigns.start("ann", policy=Imageable(Posterior()))
    paper = people(db)
    for now in (0.0, 1.0, 2.0, 3.0):  # rounds that are all answered at once
        db.campaigns.tick(paper, now)
        paper.answer()
    db.campaigns.tick(paper, 4.0)
    monkeypatch.setattr("holotype.project.courses.MOST_GROWN", 1.0)
    before, fits = labels_in(db), Counted(Posterior.conclude)
    monkeypatch.setattr(Posterior, "conclude", fits)
    waiting = [page for page in paper.pages.values() if page.id not in paper.sheets]
    assert len(waiting) > 1
    paper.answer(1)
    db.campaigns.tick(paper, 15.0)
    assert fits.calls == 0
    after = labels_in(db)
    changed = {pair[0] for pair, label in after.items() if label != before[pair]}
    assert changed
    assert changed <= {task.sha256 for task in waiting[0].tasks}
    assert db.counts()["appended"] > 0


class Counted:
    """A method that counts its calls."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.method, self.calls = method, 0

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            return self.method(instance, *arguments)

        return call


def test_the_figures_say_how_a_campaign_stands(projects: Callable[..., Project]) -> None:
    db = projects()
    db.crowd.run(db.crowd.simulated(truth_of(db)), Fixed(1), under=[CHIHUAHUA])
    campaign = db.campaigns.start("ann", ["dog"], Fixed(2), budget=250)
    paper = people(db)
    db.campaigns.tick(paper, 0.0)
    paper.answer(2)
    db.campaigns.tick(paper, 1.0)
    found = db.campaigns.figures(campaign.id)
    assert (found.candidates, found.before, found.spent, found.left) == (180, 60, 60, 190)
    assert found.synsets.keys() == set(DOGS)
    assert (campaign.state, campaign.under, campaign.policy, campaign.by) == ("running", (DOG,), "fixed(2)", "ann")


def test_what_is_left_is_forecast_and_kept(projects: Callable[..., Project]) -> None:
    db = projects()
    one = db.campaigns.start("ann", [DOG], Fixed(3))
    paper = people(db)
    for now in range(2):
        db.campaigns.tick(paper, float(now))
        paper.answer()
    db.campaigns.tick(paper, 2.0)
    assert db.campaigns.foreseen(one.id) is None
    db.campaigns.foresee(2.0)
    found = db.campaigns.foreseen(one.id)
    assert found is not None
    assert (found.cast, found.open) == (360, 180)
    assert (found.votes.low, found.votes.median, found.votes.high) == (180, 180, 180), "the third vote on each"
    paper.answer()
    db.campaigns.tick(paper, 3.0)
    db.campaigns.foresee(100.0)
    assert db.campaigns.foreseen(one.id) == found, "not so often"
    assert db.campaigns.forecast(one.id).open == 0


# Budgets


def test_a_campaign_ends_with_its_budget(projects: Callable[..., Project]) -> None:
    db = projects()
    first = db.campaigns.start("ann", [DOG], Fixed(3), budget=200)
    paper = people(db)
    now = drive(db, paper)
    ended = db.campaigns.named(first.id)
    assert (ended.state, ended.detail) == ("done", "the budget has no votes left for the next page")
    assert 150 < db.campaigns.figures(first.id).spent <= 200
    db.campaigns.start("ann", [DOG], Fixed(3), budget=1000)
    drive(db, paper, start=now + 10)
    whole = projects()
    whole.crowd.run(whole.crowd.simulated(truth_of(whole)), Fixed(3), under=[DOG])
    assert votes_in(db) == votes_in(whole)
    assert labels_in(db) == labels_in(whole)


# Started and stopped


def test_what_is_paused_posts_nothing_and_is_resumed(projects: Callable[..., Project]) -> None:
    db = projects()
    one = db.campaigns.start("ann", [DOG], Fixed(2))
    paper = people(db)
    db.campaigns.tick(paper, 0.0)
    assert db.campaigns.pause(one.id, "ben", "lunch").state == "paused"
    posted = list(paper.posted)
    paper.answer()
    for now in range(10, 50, 10):
        db.campaigns.tick(paper, float(now))
    assert paper.posted == posted
    assert len(db.crowd.votes()) == 180, "what people had before them counts"
    db.campaigns.resume(one.id, "ben")
    drive(db, paper, start=60.0)
    assert [(event.kind, event.by, event.detail) for event in db.campaigns.history(one.id)] == [
        ("started", "ann", ""),
        ("paused", "ben", "lunch"),
        ("started", "ben", ""),
        ("done", "", "everything is decided"),
    ]
    with pytest.raises(CrowdError, match="campaign 1 is done, not running or paused"):
        db.campaigns.stop(one.id, "ann")


def test_campaigns_that_overlap_are_refused(projects: Callable[..., Project]) -> None:
    db = projects()
    dogs = db.campaigns.start("ann", [DOG], Fixed(2))
    told = "campaign 1 on dog is running, and asks about some of that: pause or stop it"
    for wnids in ([CHIHUAHUA], [DOG], ["n02083346"], []):
        with pytest.raises(CrowdError, match=told):
            db.campaigns.start("ann", wnids, Fixed(2))
        with pytest.raises(CrowdError, match=told):
            db.crowd.run(db.crowd.simulated(), Fixed(2), under=wnids)
    db.campaigns.start("ann", [CAT], Fixed(2))
    db.campaigns.pause(dogs.id, "ann")
    db.campaigns.start("ann", [CHIHUAHUA], Fixed(3))
    with pytest.raises(CrowdError, match="campaign 3 on Chihuahua"):
        db.campaigns.resume(dogs.id, "ann")
    with pytest.raises(CrowdError, match="there is no campaign 99"):
        db.campaigns.pause(99, "ann")


def test_what_is_no_campaign_is_refused(projects: Callable[..., Project]) -> None:
    db = projects()

    class Own(Fixed):
        def __str__(self) -> str:
            return "own"

    with pytest.raises(CrowdError):
        db.campaigns.start("ann", [DOG], Own(2))
    with pytest.raises(CrowdError, match="0 votes or more"):
        db.campaigns.start("ann", [DOG], Fixed(2), budget=-1)
    assert db.campaigns.everything() == []


# What goes wrong


class Unplugged(Paper):
    """A crowd that pages of dogs cannot be put up for, for a while."""

    broken = True

    def post(self, pages: Sequence[Page]) -> None:
        if self.broken and pages[0].wnid in DOGS:
            raise RuntimeError("the line is dead")
        super().post(pages)


def test_a_campaign_that_fails_says_so_once_and_goes_on(projects: Callable[..., Project]) -> None:
    db = projects()
    dogs, cats = (db.campaigns.start("ann", [wnid], Fixed(2)) for wnid in (DOG, CAT))
    paper = Unplugged(db.crowd.simulated(truth_of(db)), "web")
    for now in range(0, 50, 10):
        report = db.campaigns.tick(paper, float(now))
        assert report.failed == {dogs.id: "RuntimeError: the line is dead"}
        paper.answer()
    assert db.campaigns.named(cats.id).state == "done"
    failing = db.campaigns.named(dogs.id)
    assert (failing.state, failing.error) == ("running", "RuntimeError: the line is dead")
    paper.broken = False
    db.campaigns.tick(paper, 60.0)
    assert db.campaigns.named(dogs.id).error == ""
    drive(db, paper, start=70.0)
    assert [event.kind for event in db.campaigns.history(dogs.id)] == ["started", "failed", "started", "done"]


class Interrupted(Paper):
    """A crowd for which a campaign is ended just when its pages are put up, which then fails if it is `broken`."""

    broken = False
    interrupt: Callable[[], object] | None = None

    def post(self, pages: Sequence[Page]) -> None:
        if self.interrupt is not None:
            self.interrupt()
        if self.broken:
            raise RuntimeError("the line is dead")
        super().post(pages)


@pytest.mark.parametrize("verb", ["pause", "stop"])
@pytest.mark.parametrize(("failed", "fails"), [(False, False), (True, False), (False, True)])
def test_a_campaign_that_is_ended_during_a_step_stays_so(
    projects: Callable[..., Project], verb: str, failed: bool, fails: bool
) -> None:
    """By whoever presses the button: in this process or, as here, in another one."""
    db = projects([CHIHUAHUA])
    other = projects(again=db)
    paper = Interrupted(db.crowd.simulated(truth_of(db)), "web")
    one = db.campaigns.start("ann", [DOG], Fixed(2))
    if failed:  # before, and what goes well again is said to be started
        paper.broken = True
        db.campaigns.tick(paper, 0.0)
    paper.broken = fails
    paper.interrupt = lambda: getattr(other.campaigns, verb)(one.id, "ben", "enough")
    db.campaigns.tick(paper, 20.0)
    paper.interrupt = None
    assert db.campaigns.named(one.id).state == {"pause": "paused", "stop": "stopped"}[verb]
    db.campaigns.tick(paper, 40.0)
    assert db.campaigns.history(one.id)[-1].by == "ben"


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_pages_that_a_step_puts_up_while_its_campaign_is_ended_are_taken_down(
    projects: Callable[..., Project], verb: str
) -> None:
    db = projects([CHIHUAHUA, CAT])
    other = projects(again=db)
    one = db.campaigns.start("ann", [DOG], Fixed(2))
    db.campaigns.start("ann", [CAT], Fixed(2))

    class Late(WebCrowd):
        def post(self, pages: Sequence[Page]) -> None:
            if pages[0].wnid == CHIHUAHUA:
                getattr(other.campaigns, verb)(one.id, "ben")
            super().post(pages)

    inbox = CatalogInbox(db.catalog, lambda: 0.0)
    db.campaigns.tick(Late(inbox), 0.0)
    assert {page.wnid for page in inbox.waiting()} == {CAT}


def test_candidates_that_join_are_asked_about(projects: Callable[..., Project]) -> None:
    db = projects([CHIHUAHUA])
    db.campaigns.start("ann", [DOG], Fixed(2))
    paper = Paper(db.crowd.simulated({}), "web")
    db.campaigns.tick(paper, 0.0)
    add_candidates(db, [SPANIEL], 20)
    paper.answer(1)
    drive(db, paper, start=10.0)
    assert db.campaigns.figures(1).states == {"no": 80}


def test_an_idle_tick_reads_nothing_but_the_inbox(
    projects: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    db = projects()
    db.campaigns.start("ann", [DOG], Fixed(2))
    paper = people(db)
    db.campaigns.tick(paper, 0.0)
    monkeypatch.setattr(db.catalog, "read", None)
    db.campaigns.tick(paper, 9.0)
    with pytest.raises(TypeError):
        db.campaigns.tick(paper, 10.0)


# A thread that drives them


class Watched(Paper):
    """A crowd that says when it was looked at, and can be out of order."""

    def __init__(self, people: SimulatedCrowd) -> None:
        super().__init__(people, "web")
        self.looked, self.error = Event(), ""

    def collect(self) -> list[Sheet]:
        self.looked.set()
        if self.error:
            raise OSError(self.error)
        return super().collect()


def test_a_runner_drives_campaigns_until_it_is_told_to_stop(projects: Callable[..., Project]) -> None:
    db = projects()
    db.campaigns.start("ann", [DOG], Fixed(2))
    paper = Watched(db.crowd.simulated(truth_of(db)))
    with Runner(db.campaigns, paper, pause=0.001).running():
        while db.campaigns.named(1).state == "running":
            paper.answer()
            paper.looked.clear()
            assert paper.looked.wait(60)
    paper.looked.clear()
    assert not paper.looked.wait(0.05), "and then it looks no more"
    assert {label[1] for label in labels_in(db).values()} <= {"yes", "no", "undecided"}


def test_a_runner_outlives_what_goes_wrong(projects: Callable[..., Project]) -> None:
    db = projects()
    db.campaigns.start("ann", [DOG], Fixed(2))
    paper = Watched(db.crowd.simulated(truth_of(db)))
    runner = Runner(db.campaigns, paper)
    paper.error = "no space left"
    runner.step()
    assert db.campaigns.failing == "OSError: no space left"
    paper.error = ""
    runner.step()
    assert (db.campaigns.failing, len(paper.posted)) == ("", 6)


def test_a_campaign_goes_on_where_concepts_are_added_by_another_process(
    projects: Callable[..., Project], tmp_path: Path
) -> None:
    plain, grown = projects(), projects()
    (tmp_path / "more.yaml").write_text("- {id: blue dog, parents: [n02084071]}\n")
    for db in (plain, grown):
        db.campaigns.start("ann", [DOG], Fixed(2))
        paper = Watched(db.crowd.simulated(truth_of(db)))
        runner = Runner(db.campaigns, paper, clock=itertools.count(0.0, 20.0).__next__)
        for step in range(30):
            runner.step()
            assert db.campaigns.failing == ""
            paper.answer(2)
            if step == 2 and db is grown:
                run("ontology", "extend", tmp_path / "more.yaml", "-p", db.path)
    assert grown.ontology.digest != plain.ontology.digest
    assert [db.campaigns.named(1).state for db in (plain, grown)] == ["done", "done"]
    assert votes_in(grown) == votes_in(plain)
    assert labels_in(grown) == labels_in(plain)
    assert grown.campaigns.figures(1).states == plain.campaigns.figures(1).states


# By the command line


def test_pages_for_people_on_the_site_are_put_up_by_the_command_line(projects: Callable[..., Project]) -> None:
    db = projects([DOG])
    for _ in range(2):
        ended = command("crowd", "run", "-p", db.path, "--crowd", "web", "--policy", "fixed(1)")
        assert ended.stdout.splitlines()[-1] == "people are still working: run the same command again later"
    assert sorted(len(page.tasks) for page in db.crowd.web().waiting()) == [12, 48]


def test_campaigns_of_the_site_are_started_and_stopped_by_the_command_line(projects: Callable[..., Project]) -> None:
    db = projects()
    of = "-p", db.path
    assert command("campaigns", "start", "--under", "nothing such", "--by", "ann", *of).code == 2
    said = command("campaigns", "start", "--under", "dog", "--under", CAT, "--policy", "fixed(2)", "--by", "ann", *of)
    assert said.stdout == "campaign 1 on dog, domestic cat is running\n"
    drive(db, people(db))
    assert command("campaigns", "forecast", 1, *of).stdout.startswith("0 (0 to 0) votes to come for 0 open")
    said = command("campaigns", "list", *of)
    assert said.stdout.splitlines()[-1] == "campaign 1: everything is decided"
    (found,) = json.loads(command("campaigns", "list", "--json", *of).stdout)["campaigns"]
    assert (found["state"], found["spent"], found["policy"]) == ("done", 600, "imageable(fixed(2), least=0.05)")
    command("campaigns", "start", "--under", SIAMESE, "--budget", 9, "--by", "ben", *of)
    for verb, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        why = () if verb == "resume" else ("--reason", f"because of {verb}")
        said = command("campaigns", verb, 2, "--by", "ben", *why, *of)
        assert said.stdout == f"campaign 2 on Siamese cat is {state}\n"
    details = [event.detail for event in db.campaigns.history(2)]
    assert details == ["", "because of pause", "", "because of stop"]
    assert command("campaigns", "list", *of).stdout.splitlines()[-1] == "campaign 2: because of stop"
    assert command("campaigns", "resume", 2, "--by", "ben", *of).code == 2
