"""How a project stands, as the overview and the dashboard show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

import holotype
from holotype.crowd.expert import Nobody
from holotype.crowd.policies import Posterior
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.keeping import Worked
from holotype.project.project import CATALOG_VARIABLE
from visitors import Site, said

WHIPPET = "n02091134"


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def test_the_numbers_are_those_of_the_labels(db: Project) -> None:
    numbers, states = db.overview.numbers(), db.counts()["states"]
    assert {name: getattr(numbers.total, name) for name in states} == states
    assert numbers.total.candidates == 12
    assert numbers.votes == db.counts()["votes"] > 0
    assert (numbers.hour, numbers.day) == (numbers.votes, numbers.votes)
    assert [row.wnid for row in db.overview.by_synset()] == ["n02091134", "n02121808"]


def test_gold_right_counts_votes_on_gold_of_who_is_not_blocked(db: Project) -> None:
    task = next(task for task in db.candidates.tasks() if task.wnid == WHIPPET)
    cast = [vote for vote in db.crowd.votes() if vote.task == task.number]
    db.gold.add({(task.sha256, WHIPPET): True}, "me")
    right = sum(vote.answer.name == "YES" for vote in cast)
    assert (db.overview.numbers().gold, db.overview.numbers().right) == (len(cast), right)
    db.gold.correct({(task.sha256, WHIPPET): False}, "me", "looked again")
    assert db.overview.numbers().right == sum(vote.answer.name == "NO" for vote in cast)
    db.workers.block(cast[0].worker, "for this test")
    assert (db.overview.numbers().gold, db.overview.numbers().blocked) == (len(cast) - 1, 1)
    db.gold.correct({(task.sha256, WHIPPET): None}, "me", "not sure")
    assert db.overview.numbers().gold == 0


def test_what_is_withdrawn_is_in_no_number(db: Project) -> None:
    db.overview.numbers()
    task = db.candidates.tasks()[0]
    db.images.withdraw([task.sha256], "me", "no licence")
    assert db.overview.numbers().total.candidates == 11


def test_workers_to_watch_are_found_behind_the_scenes(db: Project) -> None:
    assert db.overview.watched() is None
    db.overview.reviews.wait()
    workers, *_ = db.overview.watched() or (0,)
    assert workers == len(db.workers.review()) == len(db.overview.verdicts()) > 0


def test_what_is_worked_out_is_kept_until_the_state_is_another() -> None:
    found: Iterator[str] = iter("abc")
    worked: Worked[str] = Worked()
    assert worked.last() is None
    assert [worked.now(state, lambda: next(found)) for state in (1, 1, 2)] == ["a", "a", "b"]
    worked.begin(2, lambda: next(found))
    worked.wait()
    assert worked.last() == "b"
    worked.begin(3, lambda: next(found))
    worked.wait()
    assert (worked.last(), worked.busy) == ("c", False)


def test_one_at_a_time_is_worked_out_and_who_asks_meanwhile_gets_what_was_so() -> None:
    worked: Worked[str] = Worked()
    worked.now(1, lambda: "before")
    go_on = Event()
    worked.begin(2, lambda: "after" if go_on.wait(60) else "never")
    worked.begin(3, lambda: "not begun")
    assert (worked.busy, worked.last()) == (True, "before")
    go_on.set()
    worked.wait()
    assert worked.last() == "after"


def test_what_cannot_be_found_says_why() -> None:
    worked: Worked[int] = Worked()
    worked.begin(1, lambda: int("x"))
    worked.wait()
    assert worked.failed == "something went wrong, which the server's log tells"
    worked.begin(1, lambda: 7)
    worked.wait()
    assert (worked.failed, worked.last()) == ("", 7)


def test_the_dashboard_shows_the_numbers_and_asks_for_them_again(db: Project) -> None:
    curator = Site(db).as_("curator")
    page = curator.get("/project")
    assert 'hx-get="/project/numbers" hx-trigger="every 5s"' in page
    assert "Candidates 12" in said(page)
    part = curator.fragment("/project/numbers")
    assert "<html" not in part
    assert "Candidates 12" in said(part)
    assert "<html" in curator.get("/project/numbers")


def test_the_dashboard_says_how_the_work_on_boxes_stands(db: Project) -> None:
    curator = Site(db).as_("curator")
    assert "candidates concluded" not in said(curator.get("/project"))
    db.boxes.run(db.boxes.simulated())
    work = db.overview.numbers().boxes
    assert 0 < work.concluded <= work.candidates == 12
    assert 0 < work.good <= work.judged <= work.drawings
    page = said(curator.get("/project"))
    assert f"Boxes {work.boxes} {work.concluded} of 12 candidates concluded" in page
    assert f"{100 * work.good / work.judged:.0f} % of {work.judged} judged ones good" in page


def test_the_table_is_sorted_by_what_is_asked_for(db: Project) -> None:
    curator = Site(db).as_("curator")
    by_yes, by_name = said(curator.get("/project?by=yes")), said(curator.get("/project?by=name"))
    assert by_yes.index("whippet") < by_yes.index("domestic cat")
    assert by_name.index("domestic cat") < by_name.index("whippet")
    curator.get("/project?by=evil", 400)
    curator.get("/project?page=0", 404)
    assert "whippet" not in said(curator.get("/project?page=2"))


def test_what_is_left_is_worked_out_when_asked_for(db: Project) -> None:
    curator = Site(db).as_("curator")
    assert curator.post("/project/forecast", reward="0.10") == "/project"
    db.overview.forecasts.wait()
    assert "Left to do 0 votes" in said(curator.get("/project"))
    for wrong in ("", "nan", "-1", "1e9", "x"):
        curator.post("/project/forecast", 400, reward=wrong)


def test_what_is_left_is_worked_out_where_a_subtree_has_a_policy_of_its_own(db: Project) -> None:
    db.crowd.run(Nobody(), Posterior(accept=0.98), under=[WHIPPET])
    curator = Site(db).as_("curator")
    curator.post("/project/forecast", reward="0.10")
    db.overview.forecasts.wait()
    assert db.overview.forecasts.failed == ""
    assert "votes (" in said(curator.get("/project")).partition("Left to do")[2]


def test_it_is_said_that_nobody_is_asked_while_no_campaign_runs(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(tmp_path / "p" / WHIPPET, 2)
    project.images.ingest(tmp_path / "p")
    operator = Site(project).as_("operator")
    assert "asked nothing new Campaigns" in said(operator.get("/project"))
    project.campaigns.start("me")
    assert "asked nothing new" not in said(operator.get("/project"))


def test_an_empty_project_has_a_dashboard(project: Project) -> None:
    page = said(Site(project).as_("operator").get("/project"))
    assert "There are no candidates yet" in page
    assert "no vote on gold yet" in page


def test_the_numbers_are_the_same_on_postgresql(
    postgres: str, tmp_path: Path, wordnet: Ontology, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "photos" / WHIPPET, 6)
    found = []
    for name, url in (("lite", ""), ("server", postgres)):
        monkeypatch.setenv(CATALOG_VARIABLE, url)
        holotype.init(tmp_path / name).close()
        with holotype.open(tmp_path / name, wordnet) as db:
            db.images.ingest(tmp_path / "photos")
            db.crowd.run(db.crowd.simulated())
            task = db.candidates.tasks()[0]
            db.gold.add({(task.sha256, WHIPPET): True}, "me")
            db.removals.ask(task.sha256, "mine")
            db.audits.draw([WHIPPET], 3)
            db.campaigns.start("me", [WHIPPET], budget=50)
            site = Site(db)
            auditor = site.as_("auditor", "Eve")
            auditor.get(f"/audit/{WHIPPET}")
            plans = [(one.size, one.done) for one in db.audits.progress("Eve")]
            found.append((db.overview.numbers(), db.overview.by_synset(), db.overview.running(), plans))
            site.as_("operator").get("/project")
            db.overview.reviews.wait()
    assert found[0] == found[1]
