"""Gold on the pages of a campaign for boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from box_crowds import Band
from holotype.boxes.campaign import Memory, run_boxes
from holotype.boxes.port import PAGE_SIZE, BoxPage
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Given, Subject, Tally
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method, Question
from holotype.consensus.votes import Answer

TRUE: Corners = (40, 40, 139, 139)
DOG, CAT = "n02084071", "n02121620"
GOLD = 30


def with_gold(most: int | None = None, people: int = 7, asked: int = 120) -> tuple[Tally, Memory, list[BoxPage]]:
    """A campaign of 120 images after it is run: `GOLD` further images of dogs are gold, both good and bad, and are
    boxed themselves where so many are `asked` about."""
    truth = {f"{n:064x}": [TRUE] for n in range(120 + GOLD)}
    subjects = [Subject(n, CAT if n % 2 and n < 120 else DOG, f"{n:064x}", 300, 200) for n in range(120 + GOLD)]
    record, posted = Memory(), list[BoxPage]()
    gold: dict[Question, bool] = {}
    drawn: list[Given] = []
    for n in range(120, 120 + GOLD):
        [known] = record.ask([Question(n, Kind.GOLD)])
        box = TRUE if n % 2 else (0, 0, 60, 60)
        [made] = record.reply([Given(known, "gold", Drawn(box, Method.NUMBERS))])
        gold[Question(n, Kind.QUALITY, made.number)] = bool(n % 2)
        drawn.append(made)
    tally = Tally(subjects, gold, asked=range(asked))
    record.ask(list(gold))
    for question, number in record.questions.items():
        tally.ask(number, question)
    tally.add(drawn)

    class Watched(Band):
        def post(self, pages: Sequence[BoxPage]) -> None:
            posted.extend(pages)
            super().post(pages)

    run_boxes(tally, Watched(truth, people), Rules(), record, most=most)
    return tally, record, posted


def test_first_pages_have_one_gold_question_and_none_is_too_long() -> None:
    tally, _, pages = with_gold()
    quality = [page for page in pages if page.kind is Kind.QUALITY]
    dogs = [page for page in quality if page.page.wnid == DOG]
    for page in dogs:
        known = [item.question in tally.gold for item in page.items]
        assert len(page.items) <= PAGE_SIZE[Kind.QUALITY]
        assert sum(known) == 1 or (page.page.round > 1 and sum(known) == 0)
    assert sum(len(page.items) == PAGE_SIZE[Kind.QUALITY] for page in dogs) >= 4
    assert not any(item.question in tally.gold for page in quality if page.page.wnid == CAT for item in page.items)
    assert max(len(page.items) for page in quality if page.page.wnid == CAT) == PAGE_SIZE[Kind.QUALITY]
    assert tally.counts() == {"covered": 120, "empty": 0, "person": 0, "open": 0}


def test_nothing_on_a_page_tells_gold_from_the_rest() -> None:
    tally, _, pages = with_gold()
    dogs = [page for page in pages if page.kind is Kind.QUALITY and page.page.wnid == DOG]
    for page in dogs:
        assert [item.number for item in page.items] == [task.number for task in page.page.tasks]
        assert {item.question.kind for item in page.items} == {Kind.QUALITY}
        assert all(item.box is not None and item.shown == () for item in page.items)
    places = Counter(n for page in dogs for n, item in enumerate(page.items) if item.question in tally.gold)
    assert len(places) > 2


def test_no_gold_is_of_a_picture_that_its_page_asks_about() -> None:
    """Images whose gold is also asked about, as where a curator knows some of those that people box."""
    tally, _, pages = with_gold(asked=120 + GOLD)
    dogs = [page for page in pages if page.kind is Kind.QUALITY and page.page.wnid == DOG]
    assert any(item.question in tally.gold for page in dogs for item in page.items)
    assert any(
        item.question.candidate >= 120 and item.question not in tally.gold for page in dogs for item in page.items
    )
    for page in dogs:
        pictures = [item.sha256 for item in page.items]
        known = {item.sha256 for item in page.items if item.question in tally.gold}
        assert all(pictures.count(one) == 1 for one in known)


def test_replies_to_gold_are_kept_and_tell_of_workers() -> None:
    tally, record, _ = with_gold()
    asked = {tally.id_of(question) for question in tally.gold}
    heard = [one for one in record.given.values() if one.question in asked]
    assert heard
    for one in heard:
        question = tally.question(one.question)
        assert question is not None
        assert one.reply == Judged(Answer.YES if tally.gold[question] else Answer.NO)


def test_a_budget_holds_with_gold_too() -> None:
    for most in (100, 137, 200, 260):
        tally, _, _ = with_gold(most)
        assert most - 30 < tally.replies <= most
