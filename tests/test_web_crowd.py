"""The crowd on the web: campaigns whose pages people take from the desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import holotype
from conftest import run
from holotype.consensus.votes import Answer
from holotype.crowd.inbox import WebCrowd
from holotype.crowd.lending import LEASE, Nothing
from holotype.crowd.policies import Fixed, Posterior
from holotype.errors import NotLent
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.showing import Sight

Fill = Callable[..., None]
DOG, WHIPPET, GREYHOUND = "n02084071", "n02091134", "n02091032"
YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


@pytest.fixture(scope="module")
def collected_once(
    new_project: Callable[[Path], Path], wordnet: Ontology, fill: Fill, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    fill(folder / "photos" / WHIPPET, 24)
    fill(folder / "photos" / GREYHOUND, 24, first=100, width=400, height=200)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        return db.path


@pytest.fixture
def db(collected_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(collected_once)


def says(sha256: str) -> Answer:
    """What everybody sees: three images of four are good."""
    return NO if int(sha256, 16) % 4 == 0 else YES


class People:
    """Workers of a project who answer what the desk gives them; `now` goes on by a minute with all they do."""

    def __init__(self, db: Project, number: int = 8, learned: bool = True) -> None:
        self.db, self.now = db, 1000.0
        self.names = [f"person {n}" for n in range(number)]
        if learned:
            for name in self.names:
                for wnid in (WHIPPET, GREYHOUND):
                    self.learn(name, wnid)

    def learn(self, name: str, wnid: str) -> None:
        while (lesson := self.db.desk.lesson(name, wnid)) is not None:
            attempt = self.db.desk.attempts(name, wnid, lesson.kind)
            if lesson.kind == "quiz":
                quiz = self.db.desk.quiz(name, wnid, attempt)
                assert quiz is not None
                assert self.db.desk.answer_quiz(name, wnid, attempt, quiz.right, self.now)
            else:
                sight = self.db.desk.training(name, wnid, self.now)
                assert sight is not None
                answers = self.answers(sight)
                assert self.db.desk.train(name, sight.page, attempt, answers, 20.0, self.now).passed

    def answers(self, sight: Sight) -> list[Answer]:
        digests = self.digests(sight)
        return [says(sha256) for sha256 in digests]

    def digests(self, sight: Sight) -> list[str]:
        from holotype.project.ledger import CatalogLedger

        page = CatalogLedger(self.db.catalog, sight.crowd, "").pages([sight.page])[sight.page]
        return [task.sha256 for task in page.tasks]

    def work(self, names: Iterable[str] | None = None) -> int:
        """Everybody answers as long as there is anything for them; how many pages."""
        done = 0
        for name in self.names if names is None else names:
            while not isinstance(page := self.db.desk.next_page(name, self.now), Nothing):
                self.answer(name, page)
                done += 1
        return done

    def answer(self, name: str, page: str) -> None:
        self.now += 60
        sight = self.db.desk.page(name, page, self.now)
        assert isinstance(sight, Sight)
        assert self.db.desk.hand_in(name, page, self.answers(sight), 30.0, self.now)


def finish(db: Project, people: People, policy: object = Fixed(2), crowd: WebCrowd | None = None) -> int:
    for rounds in range(20):
        if not db.crowd.run(crowd or db.crowd.web(), policy).waiting:  # type: ignore[arg-type]
            return rounds
        people.work()
    raise AssertionError("the campaign does not end")


def states(db: Project) -> dict[tuple[str, str], str]:
    return {(image.sha256, image.wnid): image.state for image in db.images.find()}


def all_right(db: Project) -> bool:
    return states(db) == {pair: "yes" if says(pair[0]) is YES else "no" for pair in states(db)}


def gold_of(db: Project, each: int) -> dict[tuple[str, str], bool]:
    found: dict[str, list[str]] = {}
    for task in db.candidates.tasks():
        found.setdefault(task.wnid, []).append(task.sha256)
    return {
        (sha256, wnid): yes
        for wnid, digests in found.items()
        for yes in (True, False)
        for sha256 in [one for one in digests if (says(one) is YES) is yes][:each]
    }


@pytest.mark.parametrize("policy", [Fixed(2), Posterior(0.95, 0.05, 2, 6)])
@pytest.mark.parametrize("golden", [0, 4])
def test_people_at_the_desk_end_a_campaign(db: Project, policy: object, golden: int) -> None:
    db.gold.add(gold_of(db, golden), "a curator")
    people = People(db)
    finish(db, people, policy)
    assert all_right(db)
    votes = db.crowd.votes()
    assert max(Counter((vote.task, vote.worker) for vote in votes).values()) == 1
    assert all(vote.seconds > 0 for vote in votes)
    assert not db.crowd.web().waiting()
    assert not db.crowd.web().collect()


def test_a_campaign_without_answers_puts_its_pages_up_once(db: Project) -> None:
    for _ in range(3):
        assert db.crowd.run(db.crowd.web(), Fixed(2)).waiting
    crowd = db.crowd.web()
    assert sorted(page.wnid for page in crowd.waiting()) == [GREYHOUND, WHIPPET]
    crowd.post(crowd.waiting())
    people = People(db)
    assert people.work(["person 0", "person 0"]) == 2


def test_a_sheet_is_collected_until_its_votes_are_durable(db: Project) -> None:
    db.crowd.run(db.crowd.web(), Fixed(1))
    People(db).work(["person 0"])
    crowd = db.crowd.web()
    sheets = crowd.collect()
    assert [sheet.worker for sheet in sheets] == ["person 0"] * 2
    assert crowd.collect() == db.crowd.web().collect() == sheets
    assert len(crowd.waiting()) == 2
    crowd.acknowledge(sheets[:1])
    assert crowd.collect() == sheets[1:]
    assert [page.id for page in crowd.waiting()] == [sheets[1].page.id]


def test_votes_that_were_recorded_but_not_acknowledged_are_no_new_ones(db: Project) -> None:
    """Stopped between the two: the sheet comes again, has nothing new, and is done with."""
    from holotype.crowd.port import votes_of
    from holotype.project.facts import record_votes

    db.crowd.run(db.crowd.web(), Fixed(2))
    people = People(db)
    people.work(["person 0"])
    record_votes(db.catalog, [vote for sheet in db.crowd.web().collect() for vote in votes_of(sheet)])
    assert db.crowd.web().collect() == []
    finish(db, people)
    assert all_right(db)
    assert len(db.crowd.votes()) == 2 * 48


def test_what_a_blocked_worker_answered_is_kept_and_asked_again(db: Project) -> None:
    db.crowd.run(db.crowd.web(), Fixed(2))
    people = People(db)
    people.work(["person 0"])
    db.crowd.run(db.crowd.web(), Fixed(2))
    assert len(db.crowd.votes()) == 48
    page = db.desk.next_page("person 1", people.now)
    assert isinstance(page, str)
    db.workers.block("person 0", "a spammer")
    assert db.desk.next_page("person 0", people.now) == Nothing("blocked", people.now + 600)
    finish(db, people)
    assert all_right(db)
    votes = db.crowd.votes()
    assert Counter(vote.task for vote in votes if vote.worker != "person 0") == dict.fromkeys(
        {vote.task for vote in votes}, 2
    )


def test_a_page_whose_only_sheet_brought_nothing_is_put_up_again(db: Project) -> None:
    """A worker votes elsewhere on all of a page that they have before them: their sheet has no vote left."""
    db.crowd.run(db.crowd.web(), Fixed(1))
    people = People(db, 3)
    page = db.desk.next_page("person 0", people.now)
    assert isinstance(page, str)
    sight = db.desk.page("person 0", page, people.now)
    assert isinstance(sight, Sight)
    for sha256, answer in zip(people.digests(sight), people.answers(sight), strict=True):
        db.crowd.append({"sha256": [sha256], "wnid": [sight.wnid], "worker": ["person 0"], "answer": [int(answer)]})
    people.answer("person 0", page)
    db.crowd.run(db.crowd.web(), Fixed(2))
    assert db.crowd.web().collect() == []
    finish(db, people, Fixed(2))
    assert all_right(db)
    assert {*Counter(vote.task for vote in db.crowd.votes()).values()} == {2}


def test_a_late_sheet_counts_beside_the_one_that_came_for_it(db: Project) -> None:
    db.crowd.run(db.crowd.web(), Fixed(2))
    people = People(db)
    late = db.desk.next_page("person 0", people.now)
    assert isinstance(late, str)
    people.now += LEASE + 1
    people.work(["person 1"])
    people.answer("person 0", late)
    db.crowd.run(db.crowd.web(), Fixed(2))
    assert Counter(vote.worker for vote in db.crowd.votes()) == {"person 0": 24, "person 1": 48}
    finish(db, people)
    assert all_right(db)


def test_a_campaign_that_is_taken_down_asks_nobody_until_it_goes_on(db: Project) -> None:
    db.crowd.run(db.crowd.web(), Fixed(2))
    people = People(db)
    assert db.crowd.web().take_down() == 2
    assert people.work() == 0
    assert db.crowd.web().waiting() == []
    finish(db, people)
    assert all_right(db)


def test_what_came_back_stops_nothing_if_its_page_was_forgotten(db: Project) -> None:
    from holotype.catalog import schema

    db.crowd.run(db.crowd.web(), Fixed(1))
    People(db).work(["person 0"])
    db.catalog.transact(lambda connection: connection.execute(schema.page.delete()))
    assert db.crowd.web().collect() == []


def test_the_command_line_asks_people_on_the_web(db: Project) -> None:
    people = People(db)
    for _ in range(5):
        told = run("crowd", "run", "--crowd", "web", "--policy", "fixed(2)", "-p", db.path)
        if "open 0" in told:
            break
        people.work()
    assert "open 0" in told
    assert all_right(db)


def test_gold_that_was_withdrawn_is_asked_no_more(db: Project) -> None:
    gold = gold_of(db, 1)
    db.gold.add(gold, "a curator")
    gone = {sha256 for sha256, wnid in gold if wnid == WHIPPET}
    db.images.withdraw(gone, "a curator", "asked to")
    db.crowd.run(db.crowd.web(), Fixed(2))
    asked = {page.wnid: {task.sha256 for task in page.tasks} for page in db.crowd.web().waiting()}
    assert gone.isdisjoint(asked[WHIPPET])
    assert {sha256 for sha256, wnid in gold if wnid == GREYHOUND} & asked[GREYHOUND]
    assert db.desk.training("ann", WHIPPET, 0.0) is None


# Training


def test_who_learns_badly_is_judged_by_what_they_do_after(db: Project) -> None:
    db.gold.add(gold_of(db, 4), "a curator")
    people = People(db, learned=False)
    for name in people.names:
        sight = db.desk.training(name, WHIPPET, people.now)
        assert sight is not None
        wrong = [YES if one is NO else NO for one in people.answers(sight)]
        assert not db.desk.train(name, sight.page, 0, wrong, 4.0, people.now).passed
        people.learn(name, WHIPPET)
        people.learn(name, GREYHOUND)
    tried = db.crowd.votes()
    assert len(tried) >= 2 * 4 * len(people.names)
    assert db.workers.review() == []
    assert db.overview.numbers().gold == 0
    finish(db, people)
    assert all_right(db)
    assert db.crowd.votes()[: len(tried)] == tried
    reviews = db.workers.review()
    assert all(one.gold == one.right for one in reviews)
    assert sum(one.gold for one in reviews) > 0
    assert sum(one.votes for one in reviews) == len(db.crowd.votes()) - len(tried)


def test_a_training_page_is_of_one_worker_and_one_try(db: Project) -> None:
    db.gold.add(gold_of(db, 6), "a curator")
    people = People(db, 5, learned=False)
    ann, bob, *_ = people.names
    sights = {name: db.desk.training(name, WHIPPET, 0.0) for name in people.names}
    assert len({tuple(people.digests(sight)) for sight in sights.values() if sight}) == 5
    mine, other = sights[ann], sights[bob]
    assert mine
    assert other
    db.gold.add(gold_of(db, 7), "a curator")
    assert db.desk.training(ann, WHIPPET, 9.0) == mine, "as it was shown first"
    for page, attempt in ((other.page, 0), (mine.page, 1)):
        with pytest.raises(NotLent):
            db.desk.train(ann, page, attempt, people.answers(mine), 5.0, 0.0)
    assert db.desk.train(ann, mine.page, 0, [UNSURE] * len(mine.sizes), 5.0, 0.0).passed is False
    again = db.desk.training(ann, WHIPPET, 9.0)
    assert again
    assert again.page != mine.page
    with pytest.raises(NotLent):
        db.desk.train(ann, mine.page, 1, people.answers(mine), 5.0, 0.0)
    assert db.desk.train(ann, again.page, 1, people.answers(again), 5.0, 0.0).passed
