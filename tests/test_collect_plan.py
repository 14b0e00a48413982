"""What collecting would take: requests, time and cost, against sources whose limits are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from holotype.collect.plan import COLUMNS, Done, Plan, Yield, lasting, plan, seconds_of
from holotype.collect.queries import Asked
from holotype.collect.sources.commons import Commons
from holotype.collect.sources.port import About, Page, Rate, Reply, Request, Source
from holotype.errors import SourceError, SourceRefused

LEMMA = Asked("whippet", "eng", "lemma")
BOTH = Asked("whippet dog", "eng", "lemma+ancestor")
DUTCH = Asked("windhond", "nld", "translation")


@dataclass(frozen=True)
class Place:
    """A source that is never asked, and refuses questions in some languages."""

    name: str
    about: About
    refuses: tuple[str, ...] = ()

    def first(self, asked: Asked) -> str:
        if asked.language in self.refuses:
            raise SourceRefused("not in that language")
        return "1"

    def request(self, asked: Asked, cursor: str) -> Request:
        raise AssertionError(f"a plan asks nothing, but {asked} at {cursor}")

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        raise AssertionError(f"a plan asks nothing, but {asked} at {cursor}: {reply}")


def place(name: str, per_page: int, most: int | None, cost: float = 0.0, *rates: Rate) -> Place:
    return Place(name, About(per_page, most, "", rates=rates, cost=cost))


ALL = Yield(1.0, 1.0)


def of(queries: Mapping[str, list[Asked]], *sources: Source, goal: int = 500, all_good: bool = True) -> Plan:
    asked = {(one.rule, source.name, one.language) for each in queries.values() for one in each for source in sources}
    return plan(queries, sources, goal, dict.fromkeys(asked, ALL) if all_good else None)


def asked_for(found: Plan) -> dict[tuple[str, str], int]:
    return {(step.asked.text, step.source): step.requests for step in found.steps}


def test_no_more_pages_than_the_goal_wants() -> None:
    found = of({"n02091134": [LEMMA]}, place("a", 50, 1000), goal=120)
    assert asked_for(found) == {("whippet", "a"): 3}
    assert (found.requests, found.results, found.clean, found.cost, found.short) == (3, 150, 150.0, 0.0, {})


def test_the_first_results_of_every_query_before_the_next_of_any() -> None:
    found = of({"n02091134": [LEMMA, BOTH]}, place("a", 50, 1000), place("b", 100, 1000), goal=301)
    assert asked_for(found) == {
        ("whippet", "a"): 2,
        ("whippet", "b"): 1,
        ("whippet dog", "a"): 1,
        ("whippet dog", "b"): 1,
    }


def test_free_sources_before_paid_ones_and_cheap_before_dear() -> None:
    sources = place("dear", 100, 1000, 1.0), place("cheap", 10, 100, 0.05), place("free", 20, 60)
    found = of({"n02091134": [LEMMA]}, *sources, goal=161)
    assert asked_for(found) == {("whippet", "free"): 3, ("whippet", "cheap"): 10, ("whippet", "dear"): 1}
    assert found.cost == pytest.approx(1.5)


def test_what_a_source_caps_is_all_it_gives_and_the_synset_comes_short() -> None:
    found = of({"n02091134": [LEMMA], "n02084071": [LEMMA, BOTH]}, place("a", 20, 250), goal=300)
    assert [(step.requests, step.results) for step in found.steps] == [(13, 250), (8, 160), (7, 140)]
    assert found.short == {"n02091134": 250.0}
    assert "1 synset will have fewer than 300, though all is asked" in str(found)


def test_without_anything_learned_a_result_is_worth_what_the_paper_saw() -> None:
    found = of({"n02091134": [LEMMA, BOTH, DUTCH]}, place("a", 100, None), goal=500, all_good=False)
    assert found.requests == 72
    assert found.clean == pytest.approx(72 * 100 * 0.1 * 0.7)
    assert not found.short


def test_learned_yields_decide_how_much_is_asked() -> None:
    yields = {("lemma", "a", "eng"): Yield(0.5, 0.5), ("translation", "a", "nld"): Yield(0.5, 0.0)}
    found = plan({"n02091134": [LEMMA, DUTCH]}, [place("a", 100, 1000)], 100, yields)
    assert asked_for(found) == {("whippet", "a"): 4}, "nothing is asked that brings nothing"


def test_what_a_source_cannot_be_asked_is_counted() -> None:
    picky = Place("b", About(50, 1000, ""), refuses=("nld",))
    found = of({"n02091134": [LEMMA, DUTCH]}, place("a", 50, 50), picky, goal=10_000)
    assert ("windhond", "b") not in asked_for(found)
    assert found.refused == {"b": 1}
    assert "b cannot be asked 1 query" in str(found)


def test_time_is_that_of_the_slowest_source() -> None:
    slow, fast = place("slow", 50, 500, 0.0, Rate(2, 60), Rate(5, 86_400)), place("fast", 50, 500, 0.0, Rate(200, 60))
    found = of({"n02091134": [LEMMA]}, slow, fast, goal=1000)
    assert found.seconds == {"slow": 86_400.0, "fast": 0.0}
    assert found.time == 86_400.0
    assert seconds_of(10, slow.about.rates) == 86_400.0
    assert seconds_of(5, slow.about.rates) == 120.0


def test_what_is_printed() -> None:
    sources = place("a", 50, 500, 0.0, Rate(1, 10)), place("b", 50, 200, 0.003)
    found = of({"n02091134": [LEMMA, BOTH], "n02084071": [LEMMA]}, *sources, goal=1200)
    assert str(found).splitlines() == [
        "2 synsets, 3 queries: 38 requests, 4.8 minutes, $0.02",
        "at most 1,900 results, about 1,900 clean images where 2,400 are wanted",
        "a: 30 requests, 4.8 minutes",
        "b: 8 requests, less than a minute, $0.02",
        "then pictures are fetched, one a second of each site: 32 minutes at most",
        "1 synset will have fewer than 1,200, though all is asked",
    ]
    assert len(found.rows()[0]) == len(COLUMNS)
    assert found.rows()[0] == ("n02091134", "whippet", "eng", "lemma", "a", "10", "500", "0.00")


@pytest.mark.parametrize("seconds", [0, 29, 30, 59, 89, 5_399, 5_400, 172_799, 172_800, 1e6, 1e9])
def test_times_are_words_for_everybody(seconds: float) -> None:
    assert lasting(seconds).split()[-1] in {"minute", "minutes", "hour", "hours", "day", "days", "weeks"}


def test_nothing_to_ask_is_a_plan_too() -> None:
    for found in (of({}, place("a", 50, 500)), of({"n02091134": []}, place("a", 50, 500)), of({"n02091134": [LEMMA]})):
        assert (found.requests, found.time, found.cost, found.rows()) == (0, 0.0, 0.0, [])
        assert "0 requests, less than a minute, $0.00" in str(found)
    assert of({"n02091134": [LEMMA]}).short == {"n02091134": 0.0}


def test_a_goal_is_one_image_at_least() -> None:
    with pytest.raises(SourceError, match="a goal is 1 or more clean images for a synset, not 0"):
        plan({}, [], 0)


def test_a_real_source() -> None:
    found = plan({"n02091134": [LEMMA]}, [Commons()], 500)
    assert (found.requests, found.results) == (143, 7150)
    assert found.time == 0.0, "143 of the 200 requests that a minute may have"


def test_what_was_asked_before_is_not_planned_again_and_counts() -> None:
    before = {("n02091134", "a", LEMMA): Done(2, 30.0), ("n02091134", "a", DUTCH): Done(1, 5.0, is_all=True)}
    yields = {("lemma", "a", "eng"): ALL}
    found = plan({"n02091134": [LEMMA, DUTCH]}, [place("a", 20, 100)], 75, yields, before)
    (step,) = found.steps
    assert (step.asked, step.requests, step.results, step.clean, found.held) == (LEMMA, 2, 40, 40.0, 35.0)
    assert "about 40 clean images where 75 are wanted, beside about 35 of what was found before" in str(found)
    nothing = plan({"n02091134": [DUTCH]}, [place("a", 20, 100)], 75, None, before)
    assert (nothing.requests, nothing.short) == (0, {"n02091134": 5.0})
