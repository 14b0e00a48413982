"""Which page to ask next: what is learned of ways, and that it is worth its name on a simulated web."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.collect.spending import (
    BEFORE,
    FRESH,
    PRECISION,
    Floats,
    Pages,
    Ways,
    chances,
    ended,
    fit,
    learn,
    next_ways,
    worth_of,
)
from holotype.simulation.collecting import LEMMAS, Votes, in_turn, play, ways_of
from holotype.simulation.web import Climate, Engine, Web, spin
from plan import foresight, requests_until


def ways(arms: list[int], synsets: list[int] | None = None, **columns: int) -> Ways:
    one = np.ones(len(arms), np.int64)
    said = {"size": 50, "pages": 20} | columns
    numbers = np.array(synsets or [0] * len(arms), np.int64)
    return Ways(numbers, np.array(arms, np.int64), np.ones(len(arms)), one * said["size"], one * said["pages"])


def pages(*rows: tuple[int, int, int, int, int, int]) -> Pages:
    way, number, held, fresh, judged, clean = np.array(rows, np.int64).reshape(-1, 6).T
    return Pages(way, number, held, fresh, judged, clean, np.zeros(len(way), bool))


def expected(of: Ways, seen: Pages, needs: list[int]) -> Floats:
    return worth_of(of, seen, np.array(needs), learn(of, seen), None)


def test_where_nothing_is_known_all_ways_are_worth_what_the_paper_saw() -> None:
    worth = expected(ways([0, 1, 2]), Pages.none(), [500])
    assert worth == pytest.approx([50 * FRESH * PRECISION] * 3)


def test_an_arm_is_known_from_other_synsets() -> None:
    """Two rules in five synsets, of which the sixth, never asked for, has both."""
    known = ways([0, 1] * 6, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    seen = pages(*((way, 1, 0, 40, 40, 2 if way % 2 == 0 else 16) for way in range(10)))
    worth = expected(known, seen, [500] * 6)
    assert worth[11] > 3 * worth[10]


def test_a_way_speaks_for_itself_once_enough_is_known_of_it() -> None:
    known = ways([0] * 6, [0, 0, 0, 0, 0, 0])
    rest = [(way, number, 500, 40, 40, 4) for way in range(5) for number in (1, 2, 3)]
    worth = expected(known, pages(*rest, *((5, number, 500, 40, 40, 24) for number in (1, 2, 3))), [500])
    assert worth[5] > 3 * worth[:5].max()
    once = expected(known, pages(*rest, (5, 1, 500, 40, 2, 2)), [500])
    assert once[5] < worth[5] / 2, "two lucky finds of two are not three pages of them"


def test_a_page_of_what_is_there_already_makes_the_next_one_less_worth() -> None:
    known = ways([0, 1])
    seen = pages((0, 1, 0, 50, 50, 5), (1, 1, 50, 50, 50, 5), (0, 2, 100, 1, 1, 0), (1, 2, 101, 48, 48, 5))
    first, second = expected(known, seen, [500])
    assert second > 3 * first


def test_what_is_not_judged_yet_says_how_many_are_new_and_not_how_many_are_clean() -> None:
    known = ways([0, 1])
    judged, waiting = (0, 1, 0, 50, 50, 0), (0, 1, 0, 50, 0, 0)
    assert expected(known, pages(judged), [500])[0] < expected(known, pages(waiting), [500])[0]


def test_costs_ends_and_needs() -> None:
    known = ways([0, 1, 1, 0], [0, 0, 1, 1], pages=1)
    known = replace(known, cost=np.array([1.0, 4.0, 1.0, 1.0]))
    seen = replace(pages((2, 1, 0, 50, 50, 5)), last=np.array([False]))
    assert ended(known, seen).tolist() == [False, False, True, False]
    worth = expected(known, seen, [500, 2])
    assert worth[0] == pytest.approx(4 * worth[1], rel=0.2)
    assert worth[2] == 0
    assert worth[3] == 2, "a page is worth no more than what is needed"
    assert expected(known, seen, [0, 0]).tolist() == [0, 0, 0, 0]
    assert next_ways(known, seen, np.array([0, 500]), np.random.default_rng(0)).tolist() == [-1, 3]
    last = replace(pages((0, 1, 0, 50, 50, 5)), last=np.array([True]))
    assert ended(ways([0]), last).tolist() == [True]


def test_nothing_to_choose_from() -> None:
    dice = np.random.default_rng(0)
    assert next_ways(ways([]), Pages.none(), np.zeros(0, np.int64), dice).tolist() == []
    assert next_ways(ways([]), Pages.none(), np.array([5, 5]), dice).tolist() == [-1, -1]
    assert next_ways(ways([0], [1]), Pages.none(), np.array([5, 5, 5]), dice).tolist() == [-1, 0, -1]


def test_the_same_dice_choose_the_same() -> None:
    known = ways([0, 1, 2, 3, 4])
    seen = pages((0, 1, 0, 50, 50, 5), (3, 1, 50, 50, 50, 7))
    chosen = [[int(next_ways(known, seen, np.array([99]), dice)[0]) for _ in range(20)] for dice in map(rng, (7, 7, 8))]
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(set(chosen[0])) > 1, "what is not known is tried"


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 60)), max_size=30),
    st.permutations(range(30)),
)
def test_order_of_rows_is_no_news(rows: list[tuple[int, int, int]], order: list[int]) -> None:
    level, exposure, count = np.array(rows, np.int64).reshape(-1, 3).T
    mixed = np.array([at for at in order if at < len(rows)], np.int64)
    sizes, none = [(4, 2.0)], np.zeros(len(rows), np.int64)
    one = fit(count, exposure, [level, none], [*sizes, (1, 20.0)], 0.1)
    other = fit(count[mixed], exposure[mixed], [level[mixed], none], [*sizes, (1, 20.0)], 0.1)
    assert one.base == pytest.approx(other.base)
    assert one.by_arm == pytest.approx(other.by_arm)
    assert (one.by_arm > 0).all()


def test_a_fit_finds_the_rates_that_counts_were_drawn_from() -> None:
    dice = rng(1)
    arm, depth = dice.integers(0, 6, 4000), dice.integers(0, 4, 4000)
    arms, depths = np.array([0.02, 0.05, 0.1, 0.1, 0.2, 0.3]), np.array([1.0, 0.8, 0.6, 0.5])
    count = dice.binomial(40, arms[arm] * depths[depth])
    found = fit(count, np.full(4000, 40), [arm, depth], [(6, 4.0), (4, 20.0)], PRECISION)
    rates = found.base * np.outer(found.factors[0].mean, found.factors[1].mean)
    assert rates == pytest.approx(np.outer(arms, depths), rel=0.1)


def test_chances_are_low_where_little_is_known_and_right_where_much_is() -> None:
    judged, clean = np.array([0, 1, 1, 10_000, 10_000]), np.array([0, 1, 0, 200, 6_000])
    none, lucky, unlucky, bad, good = chances(judged, clean)
    assert np.isnan(none)
    assert unlucky < lucky < 6201 / 20_001
    assert (bad, good) == (pytest.approx(0.02, abs=0.003), pytest.approx(0.6, abs=0.006))
    assert chances([], []).tolist() == []
    pooled = chances([20, 20_000], [2, 18_000])
    assert pooled[0] < (2 + 0.9 * BEFORE) / (20 + BEFORE)


CLIMATE = Climate()
WORTHLESS = (*CLIMATE.engines[:2], Engine("worthless", share=0.5, precision=0.02))


@pytest.fixture(scope="module")
def web() -> Web:
    return spin(CLIMATE, 24, 1)


def test_the_web_has_the_papers_statistics(web: Web) -> None:
    """Deng et al. 2009, section 3.1: a precision of about 10 %, and more than 10,000 candidates a synset."""
    found = [[one.results for one in web.searches if one.synset == synset] for synset in range(24)]
    raw = sum(len(results) for each in found for results in each)
    clean = sum(int((one.results < web.clean[one.synset]).sum()) for one in web.searches)
    assert 0.085 < clean / raw < 0.115
    candidates = [len(np.unique(np.concatenate(each))) for each in found]
    assert 9_000 < np.mean(candidates) < 13_000
    assert raw / sum(candidates) > 1.4, "results overlap"
    assert {one.language for one in web.searches} == set(CLIMATE.languages)
    assert len(np.unique(ways_of(web).arm)) == len({(o.rule, o.language, o.engine) for o in web.searches})


def test_precision_falls_with_rank_and_differs_by_rule_engine_and_synset(web: Web) -> None:
    def precision(start: int, stop: int) -> float:
        long = [one for one in web.searches if len(one.results) >= stop]
        return float(np.mean([(one.results[start:stop] < web.clean[one.synset]).mean() for one in long]))

    assert precision(0, 50) > 1.2 * precision(200, 250) > 1.2 * precision(700, 750)
    by_rule: dict[str, list[float]] = {}
    for one in web.searches:
        by_rule.setdefault(one.rule, []).append(float((one.results < web.clean[one.synset]).mean()))
    means = {rule: np.mean(each) for rule, each in by_rule.items()}
    assert means["lemma+ancestor"] > means["lemma"] > means["ambiguous lemma"]
    assert np.std(by_rule["lemma"]) > 0.03


def test_the_same_image_comes_again_within_a_query_and_from_other_engines(web: Web) -> None:
    again = np.mean([1 - len(np.unique(one.results)) / len(one.results) for one in web.searches])
    assert 0.015 < again < 0.045
    first, second = (one.results for one in web.searches[:2])
    assert 0.05 < len(np.intersect1d(first, second)) / min(len(first), len(second)) < 0.9


def test_a_web_is_the_same_for_the_same_seed() -> None:
    one, same, other = (spin(CLIMATE, 2, seed) for seed in (3, 3, 4))
    assert all((a.results == b.results).all() for a, b in zip(one.searches, same.searches, strict=True))
    assert one.clean.tolist() != other.clean.tolist()


def test_pages_end(web: Web) -> None:
    engine = CLIMATE.engines[web.searches[0].engine]
    size = len(web.searches[0].results)
    pages = -(-size // engine.page)
    assert sum(len(web.page(0, number)) for number in range(1, pages + 1)) == size
    assert [web.last(0, number) for number in (1, pages)] == [False, True]
    assert len(web.page(0, pages + 1)) == 0


def test_counts_add_up(web: Web) -> None:
    played = play(web, in_turn(web), 100, 1, Votes(1.0, 1.0, 0.0))
    assert (played.accepted == played.clean).all()
    assert (played.accepted[played.reached] >= 100).all()
    assert (played.after[-1] == played.accepted).all()
    for synset in range(24):
        order = sorted(o for o in range(len(web.searches)) if web.searches[o].synset == synset)
        ids: set[int] = set()
        made = 0
        for number in range(1, 30):
            for search in order:
                if made < played.requests[synset] and len(images := web.page(search, number)):
                    ids.update(images.tolist())
                    made += 1
        assert sum(one < web.clean[synset] for one in ids) == played.clean[synset]


def test_the_plan_takes_fewer_requests_than_lemmas_alone_and_than_round_robin(web: Web) -> None:
    turn, lemmas, best = (play(web, choose, 500, 1) for choose in (in_turn(web), in_turn(web, LEMMAS), next_ways))
    both = turn.reached & best.reached
    assert both.sum() > 10
    assert best.requests[both].sum() < 0.85 * turn.requests[both].sum()
    assert best.reached.sum() >= turn.reached.sum() > 3 * lemmas.reached.sum()
    there = best.after >= np.minimum(lemmas.accepted, 500)
    assert there[-1].all()
    assert (there.argmax(axis=0) + 1).sum() < 0.9 * lemmas.requests.sum(), (
        "as many as lemmas bring at all, in fewer requests"
    )


def test_where_one_engine_is_worthless_it_is_left_alone() -> None:
    lopsided = spin(replace(CLIMATE, engines=WORTHLESS), 24, 1)
    turn, best = play(lopsided, in_turn(lopsided), 500, 1), play(lopsided, next_ways, 500, 1)
    both = turn.reached & best.reached
    assert best.requests[both].sum() < 0.65 * turn.requests[both].sum()


def test_where_the_web_has_not_enough_all_is_asked_and_it_ends() -> None:
    scarce = spin(replace(CLIMATE, clean=100.0, clean_spread=0.3), 3, 1)
    everything = sum(-(-len(one.results) // 50) for one in scarce.searches)
    for choose in (in_turn(scarce), next_ways):
        played = play(scarce, choose, 500, 1)
        assert not played.reached.any()
        assert played.requests.sum() == everything


def test_foresight_and_requests_until() -> None:
    small = spin(CLIMATE, 2, 5)
    seen = play(small, foresight(small), 100, 1, Votes(1.0, 1.0, 0.0))
    turn = play(small, in_turn(small), 100, 1, Votes(1.0, 1.0, 0.0))
    assert seen.requests.sum() <= turn.requests.sum()
    assert requests_until(seen, np.array([1, 100])).tolist() == [1, seen.requests[1]]
    assert np.isnan(requests_until(seen, np.array([10**6, 1]))[0])
    first = foresight(small)(ways_of(small), Pages.none(), np.array([9, 0]), rng(0))
    firsts = [small.page(at, 1) for at in range(len(small.searches))]
    number = [len(np.unique(page[page < small.clean[0]])) for page in firsts]
    mine = [at for at, one in enumerate(small.searches) if one.synset == 0]
    assert first.tolist() == [max(mine, key=number.__getitem__), -1]
