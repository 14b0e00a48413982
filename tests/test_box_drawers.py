"""Who is not asked to draw any more, and what who draws says of coverage."""

from __future__ import annotations

from box_crowds import Band, perfect
from holotype.boxes.campaign import Memory, run_boxes
from holotype.boxes.drawers import poor_drawers
from holotype.boxes.port import Item
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Given, Subject, Tally
from holotype.boxes.values import Drawn, Kind, Method, Question
from holotype.crowd.conclusion import State

DOG, CAT = (20, 20, 119, 139), (220, 40, 379, 199)


def made(worker: str, good: int, bad: int) -> list[tuple[str, bool]]:
    return [(worker, True)] * good + [(worker, False)] * bad


def test_the_worst_are_left_out_beside_the_others() -> None:
    judged = [*made("ann", 12, 4), *made("bob", 2, 14), *made("cyd", 9, 7), *made("dan", 0, 1)]
    assert poor_drawers(judged, 0.8) == {"bob"}
    assert poor_drawers(judged, 0.0) == frozenset()
    assert poor_drawers([], 0.8) == frozenset()


def test_nobody_is_left_out_for_a_few_bad_drawings() -> None:
    assert poor_drawers([*made("ann", 12, 4), *made("dan", 0, 7)], 0.9) == frozenset()
    assert poor_drawers([*made("ann", 12, 4), *made("dan", 0, 8)], 0.9) == {"dan"}


def test_everybody_bad_alike_goes_on_and_never_more_than_half_are_left_out() -> None:
    assert poor_drawers([pair for name in "abcd" for pair in made(name, 2, 18)], 0.9) == frozenset()
    judged = [*made("a", 200, 0), *made("b", 0, 11), *made("c", 0, 11), *made("d", 0, 10)]
    assert poor_drawers(judged, 0.9) == {"b", "c"}


def test_machines_are_no_drawers_to_compare() -> None:
    assert poor_drawers([*made("machine:x", 0, 90), *made("ann", 5, 1), *made("bob", 5, 2)], 0.8) == frozenset()


def test_a_campaign_asks_who_draws_badly_no_more() -> None:
    truth = {f"{number:064x}": [DOG] for number in range(150)}

    class Mixed(Band):
        def collect(self):  # type: ignore[no-untyped-def]
            pages = {page.page.id: page for page in self.posted}
            found = super().collect()
            bad = (Drawn((300, 300, 310, 310), Method.DRAG),)
            return [
                type(one)(one.page, one.worker, bad, one.seconds, one.at)
                if one.worker == "worker 1" and pages[one.page.id].kind is Kind.DRAW
                else one
                for one in found
            ]

    tally = Tally([Subject(number, "n1", sha256, 500, 375) for number, sha256 in enumerate(truth, 1)])
    record, people = Memory(), Mixed(truth, 6)
    run_boxes(tally, people, Rules(), record)
    assert tally.poor == {"worker 1"}
    assert tally.counts()["covered"] == 150
    drew = [one.worker for one in record.given.values() if isinstance(one.reply, Drawn)]
    before = drew.count("worker 1")
    subjects = [Subject(number, "n1", f"{number - 1:064x}", 500, 375) for number in range(1, 201)]
    more = Tally(subjects, asked=range(151, 201))
    for question, number in record.questions.items():
        more.ask(number, question)
    more.add(record.given.values())
    people = Mixed({f"{number:064x}": [DOG] for number in range(200)}, 6)
    run_boxes(more, people, Rules(), record)
    assert more.counts()["covered"] == 50
    drew = [one.worker for one in record.given.values() if isinstance(one.reply, Drawn)]
    assert drew.count("worker 1") == before


def told(more: bool | None) -> Tally:
    tally = Tally([Subject(1, "n1", "a", 500, 375)])
    tally.ask(1, Question(1, Kind.DRAW))
    tally.add([Given(1, "ann", Drawn(DOG, Method.DRAG, more=more), round=1, number=7)])
    return tally


def test_who_drew_has_a_say_in_coverage_and_is_not_asked_it() -> None:
    complete = Question(1, Kind.COVERAGE, shown=(7,))
    assert told(False).coverage.voters(complete) == ["ann"]
    assert "ann" in told(False).involved(complete)
    assert told(None).coverage.voters(complete) == []
    tally = told(False)
    tally.conclude(Rules())
    assert tally.boxing(1).coverage == {(7,): State.OPEN}, "alone they decide nothing"


def test_who_judges_sees_the_boxes_that_the_drawer_saw() -> None:
    tally = told(True)
    tally.ask(2, Question(1, Kind.DRAW, shown=(7,)))
    tally.add([Given(2, "bob", Drawn(CAT, Method.DRAG), round=1, number=8)])
    tally.ask(3, Question(1, Kind.QUALITY, 8))
    asked = tally.item(Question(1, Kind.QUALITY, 8))
    assert isinstance(asked, Item)
    assert (asked.box, asked.shown) == (CAT, (DOG,))
    assert perfect(asked, {"a": [DOG, CAT]})
