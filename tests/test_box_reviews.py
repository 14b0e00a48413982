"""Reviews of who draws boxes, and of who judges them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from box_crowds import Band
from holotype.boxes.campaign import Memory, run_boxes
from holotype.boxes.port import BoxPage, BoxSheet, Item
from holotype.boxes.reviews import Attempt, BoxReviews, DrawerReview, review_boxes, review_drawers
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Given, Subject, Tally
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method, Question, Reply
from holotype.consensus.votes import Answer
from holotype.crowd.reviews import Verdict

TRUE: Corners = (40, 40, 139, 139)


def made(worker: str, good: int, bad: int, unknown: int = 0, seconds: float = 20.0) -> list[Attempt]:
    some = (good, True), (bad, False), (unknown, None)
    return [Attempt(worker, said, seconds) for count, said in some for _ in range(count)]


def verdicts(found: Sequence[DrawerReview]) -> dict[str, Verdict]:
    return {one.worker: one.verdict for one in found}


def test_drawers_are_compared_with_the_others() -> None:
    crowd = [one for n in range(8) for one in made(f"w{n}", 31, 19)]
    found = review_drawers([*crowd, *made("bad", 2, 48), *made("poor", 15, 35), *made("new", 0, 3, 5)])
    assert verdicts(found) == {f"w{n}": Verdict.OK for n in range(8)} | {
        "bad": Verdict.BLOCK,
        "poor": Verdict.OK,
        "new": Verdict.OK,
    }
    bad = next(one for one in found if one.worker == "bad")
    assert (bad.replies, bad.known, bad.good) == (50, 50, 2)
    assert bad.interval[0] < 0.04 < bad.interval[1] < 0.2
    assert bad.reasons == ("2 of 50 are good, of the others' 58%",)
    new = next(one for one in found if one.worker == "new")
    assert (new.replies, new.known) == (8, 3)
    assert 0.82 < new.interval[1] < 0.84


def test_who_is_a_good_deal_worse_is_watched_and_who_is_far_too_quick() -> None:
    crowd = [one for n in range(8) for one in made(f"w{n}", 130, 70)]
    found = review_drawers([*crowd, *made("poor", 60, 140), *made("quick", 130, 70, seconds=2.0)])
    assert verdicts(found)["poor"] is Verdict.WATCH
    assert [one.reasons for one in found if one.worker == "quick"] == [("takes 10% of the crowd's time",)]
    assert {verdicts(found)[f"w{n}"] for n in range(8)} == {Verdict.OK}


def test_honest_drawers_of_unequal_skill_are_not_blocked() -> None:
    """Two hundred crowds of twenty whose shares of good drawings are spread round .62 as a Beta(12, 7.3)'s: who is
    blocked of these four thousand is in truth as bad as that."""
    rng = random.Random(16)
    blocked, watched = [], 0
    for _ in range(200):
        skills = {f"w{n}": rng.betavariate(12, 7.3) for n in range(20)}
        good = {name: sum(rng.random() < skill for _ in range(40)) for name, skill in skills.items()}
        found = verdicts(review_drawers([one for name in skills for one in made(name, good[name], 40 - good[name])]))
        blocked += [skills[name] for name, verdict in found.items() if verdict is Verdict.BLOCK]
        watched += list(found.values()).count(Verdict.WATCH)
    assert len(blocked) <= 2
    assert all(skill < 0.35 for skill in blocked)
    assert watched <= 40


def test_one_drawer_alone_is_compared_with_nobody() -> None:
    (found,) = review_drawers(made("w", 0, 50))
    assert (found.verdict, found.others) == (Verdict.OK, None)
    assert review_drawers([]) == []


class Mixed(Band):
    """A crowd in which some people draw or judge by their own ways."""

    def __init__(self, truth: Mapping[str, Sequence[Corners]], people: int, ways: Mapping[str, object]) -> None:
        super().__init__(truth, people)
        self.ways = ways

    def collect(self) -> list[BoxSheet]:
        pages: dict[str, BoxPage] = {page.page.id: page for page in self.posted}
        return [self._again(sheet, pages[sheet.page.id]) for sheet in super().collect()]

    def _again(self, sheet: BoxSheet, page: BoxPage) -> BoxSheet:
        way = self.ways.get(sheet.worker)
        if not callable(way):
            return sheet
        replies = tuple(way(item) or reply for item, reply in zip(page.items, sheet.replies, strict=True))
        return BoxSheet(sheet.page, sheet.worker, replies, sheet.seconds, sheet.at)


def careless(item: Item) -> Reply | None:
    if item.question.kind is Kind.DRAW:
        return Drawn((0, 0, 30, 30), Method.DRAG)
    return None


def always_yes(item: Item) -> Reply | None:
    return None if item.question.kind is Kind.DRAW else Judged(Answer.YES)


def nothing_ever(item: Item) -> Reply | None:
    return Drawn(None, Method.KEYS) if item.question.kind is Kind.DRAW else None


def reviewed(ways: Mapping[str, object], blocked: Sequence[str] = ()) -> BoxReviews:
    truth = {f"{n:064x}": [TRUE] for n in range(240)}
    subjects = [Subject(n, "n02084071", f"{n:064x}", 300, 200) for n in range(240)]
    tally, record = Tally(subjects, blocked=blocked), Memory()
    run_boxes(tally, Mixed(truth, 9, ways), Rules(), record)
    return review_boxes(list(record.given.values()), tally)


def test_a_campaign_tells_who_draws_badly_and_who_judges_without_looking() -> None:
    found = reviewed({"worker 3": careless, "worker 5": always_yes, "worker 7": nothing_ever})
    assert {name: why.partition(":")[0] for name, why in found.to_block().items()}.keys() >= {"worker 3", "worker 7"}
    assert "worker 0" not in found.to_block()
    skill = {one.worker: one.specificity for one in found.quality}
    assert skill["worker 5"] < min(value for name, value in skill.items() if name != "worker 5")
    drawn = {one.worker: one for one in found.drawers}
    assert drawn["worker 3"].good == 0 < drawn["worker 3"].known
    assert 4 * drawn["worker 7"].good < drawn["worker 7"].known, "now and then nothing is left indeed"
    assert drawn["worker 0"].good == drawn["worker 0"].known > 10


def test_who_is_blocked_is_reviewed_no_more() -> None:
    found = reviewed({"worker 3": careless}, blocked=["worker 3"])
    judges = {one.worker for one in (*found.quality, *found.coverage)}
    assert "worker 3" not in judges | {one.worker for one in found.drawers}


def test_nobody_is_reviewed_where_nobody_replied() -> None:
    assert review_boxes([], Tally([])) == BoxReviews((), (), ())


def test_what_is_said_beside_a_box_takes_no_time_and_hides_nobody_who_is_too_quick() -> None:
    """Everybody draws and says that there are no more, and others are asked whether that is so: one never looks."""
    names, given = [f"w{n}" for n in range(8)], list[Given]()
    tally = Tally(Subject(n, "n02084071", f"{n:064x}", 200, 200) for n in range(80))
    for n in range(80):
        tally.ask(2 * n + 1, Question(n, Kind.DRAW))
        tally.ask(2 * n + 2, Question(n, Kind.COVERAGE, shown=(n + 1,)))
        box = Drawn(TRUE, Method.DRAG, more=False)
        given.append(Given(2 * n + 1, names[n % 8], box, "draw", 1, 25.0, 100.0 + n, n + 1))
        for who, seconds in [("quick", 1.0), (names[(n + 1) % 8], 10.0)][: 1 + (n // 8) % 2]:
            given.append(Given(2 * n + 2, who, Judged(Answer.YES), "cover", 1, seconds, 200.0 + n, 1000 + len(given)))
    tally.add(given)
    tally.conclude(Rules())
    found = {one.worker: one for one in review_boxes(given, tally).coverage}
    assert {found[name].pace for name in names} == {1.0}
    assert found["quick"].pace == 0.1
    assert any("of the crowd's time" in reason for reason in found["quick"].reasons)
