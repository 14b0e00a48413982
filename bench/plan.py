"""Requests to 500 clean images of a synset on a simulated web: lemmas only, round-robin over all queries, and the plan.

    python bench/plan.py [--synsets 40] [--seeds 5] [--only even] [--plot FILE]
    python bench/plan.py --queries [FOLDER]     how many queries WordNet's synsets have; FOLDER has tab files of OMW

A web (`holotype.simulation.web`) has three engines and five languages; a tenth of what they return is clean, more or
less by synset, rule, engine and query, less with rank; results overlap. Every request is a page. Votes on what was new
come in after ten more pages of the synset, and are sometimes wrong; what they accept counts, and stops all alike.

`reached` is the share of synsets that came to the goal. `requests` are the mean of those that round-robin and the plan
both brought there, then the least and the most over seeds; for lemmas only it is that of those few that they brought
there themselves. Whoever does not come to the goal has asked everything: `all requests` counts that, for all synsets.
`as lemmas` is how many requests it takes to have what lemmas have when all of them are asked (or the goal, if that is
less), which every strategy comes to. `expected` is the plan without dice: it asks what is best as far as it knows.
`foresight` is no strategy: it sees the next page of every query, and asks the one with the most clean images that are
new. That is not the best that could be, but it knows what the others must learn.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from holotype.collect.queries import RULES, expand, key
from holotype.collect.spending import Floats, Ints, Pages, Ways, best_of, ended, learn, next_ways, worth_of
from holotype.ontology import load_wordnet
from holotype.ontology.languages import read_omw
from holotype.simulation.collecting import LEMMAS, Choose, Played, Votes, in_turn, play
from holotype.simulation.web import Climate, Engine, Web, spin
from holotype.statistics.pages import drawing, figure_of, svg_of

GOAL: Final = 500
EVEN: Final = Climate()
LARGE, MIDDLING, SMALL = EVEN.engines
WORTHLESS: Final = Engine("worthless", share=0.5, precision=0.02)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is played: a climate, how votes come in, and in a line what is special."""

    climate: Climate
    votes: Votes
    told: str


SETTINGS: Final = {
    "even": Setting(EVEN, Votes(), "three engines, five languages"),
    "lopsided": Setting(
        replace(EVEN, engines=(LARGE, MIDDLING, WORTHLESS)), Votes(), "an engine of three is worthless"
    ),
    "alike": Setting(
        replace(EVEN, synset_spread=0.2, query_spread=0.1, engine_spread=0.05), Votes(), "queries hardly differ"
    ),
    "wild": Setting(replace(EVEN, query_spread=1.0, engine_spread=0.6), Votes(), "queries differ widely"),
    "scarce": Setting(replace(EVEN, clean=700.0), Votes(), "the web has 700 clean images of a synset (median)"),
    "pages": Setting(
        replace(EVEN, engines=(replace(LARGE, page=20), MIDDLING, replace(SMALL, page=100))),
        Votes(),
        "pages of 20, 50 and 100 results",
    ),
    "late": Setting(EVEN, Votes(wave=50), "votes are known fifty pages later"),
    "few": Setting(EVEN, Votes(), "three synsets: little to learn from"),
}


def foresight(web: Web) -> Choose:
    """Whoever sees the next page of every search."""
    asked = np.zeros(len(web.searches), np.int64)
    seen: list[set[int]] = [set() for _ in web.clean]

    def choose(ways: Ways, pages: Pages, needs: Ints, _: np.random.Generator) -> Ints:
        for way in pages.way[int(asked.sum()) :].tolist():
            asked[way] += 1
            seen[ways.synset[way]].update(web.page(way, int(asked[way])).tolist())
        left = ~ended(ways, pages) & (needs[ways.synset] > 0)
        chosen, best = np.full(len(needs), -1, np.int64), np.full(len(needs), -1)
        for way in np.flatnonzero(left).tolist():
            synset = int(ways.synset[way])
            page = web.page(way, int(asked[way]) + 1)
            new = len(set(page[page < web.clean[synset]].tolist()) - seen[synset])
            if new > best[synset]:
                best[synset], chosen[synset] = new, way
        return chosen

    return choose


def expected(ways: Ways, pages: Pages, needs: Ints, _: np.random.Generator) -> Ints:
    """The way of each synset that is worth most as far as is known."""
    return best_of(ways, worth_of(ways, pages, needs, learn(ways, pages), None), len(needs))


STRATEGIES: Final[Mapping[str, Callable[[Web], Choose]]] = {
    "lemmas only": lambda web: in_turn(web, LEMMAS),
    "round-robin": in_turn,
    "the plan": lambda _: next_ways,
    "expected": lambda _: expected,
    "foresight": foresight,
}


def games(setting: Setting, synsets: int, seeds: int) -> list[dict[str, Played]]:
    """Every strategy on the same webs, by seed."""
    webs = [(seed, spin(setting.climate, synsets, seed)) for seed in range(1, seeds + 1)]
    return [
        {name: play(web, choose(web), GOAL, seed, setting.votes) for name, choose in STRATEGIES.items()}
        for seed, web in webs
    ]


def requests_until(played: Played, wanted: Ints) -> Floats:
    """Requests until each synset had so many accepted, ``(synsets,)``; nan where it never had."""
    there = played.after >= wanted
    return np.where(there.any(axis=0), np.minimum(there.argmax(axis=0) + 1, played.requests), np.nan)


def lines(rounds: Sequence[Mapping[str, Played]]) -> Iterator[str]:
    """A line for each strategy."""
    for name in STRATEGIES:
        each = []
        for games in rounds:
            played, lemmas = games[name], games["lemmas only"]
            both = games["round-robin"].reached & games["the plan"].reached
            common = played.reached if name == "lemmas only" else both & played.reached
            as_lemmas = requests_until(played, np.minimum(lemmas.accepted, GOAL))
            each.append(
                (
                    100 * played.reached.mean(),
                    played.requests[common].mean() if common.any() else np.nan,
                    np.nanmean(as_lemmas),
                    played.requests.mean(),
                    played.clean.mean(),
                )
            )
        table = np.array(each)
        reached, requests, as_lemmas, spent, clean = np.nanmean(table, axis=0)
        spread = f"{np.nanmin(table[:, 1]):.0f}-{np.nanmax(table[:, 1]):.0f}"
        yield f"  {name:12}{reached:9.0f} %{requests:10.0f}{spread:>10}{as_lemmas:12.0f}{spent:15.0f}{clean:10.0f}"


def bench(names: Sequence[str], synsets: int, seeds: int) -> dict[str, list[dict[str, Played]]]:
    """Print a table for each setting."""
    print(f"{GOAL} clean images for a synset; {synsets} synsets, {seeds} seeds")
    found = {}
    for name in names:
        setting = SETTINGS[name]
        number = 3 if name == "few" else synsets
        found[name] = games(setting, number, seeds if number > 3 else 4 * seeds)
        print(f"\n{name}: {setting.told}")
        print(
            f"  {'':12}{'reached':>11}{'requests':>10}{'seeds':>10}{'as lemmas':>12}{'all requests':>15}{'clean':>10}"
        )
        for line in lines(found[name]):
            print(line, flush=True)
    return found


COLOURS: Final = {"lemmas only": "#d62728", "round-robin": "#ff7f0e", "the plan": "#1f77b4", "foresight": "#b8bfc4"}


def plot(found: Mapping[str, Sequence[Mapping[str, Played]]], file: Path) -> None:
    """The share of synsets that have come to the goal after so many requests each."""
    with drawing():
        figure, axes = figure_of(6.4, 2.8)
        axes.set_axis_off()
        for place, (name, rounds) in enumerate(found.items()):
            part = figure.add_subplot(1, len(found), place + 1)
            for strategy, colour in COLOURS.items():
                taken = [np.where(one[strategy].reached, one[strategy].requests, np.inf) for one in rounds]
                spent = np.sort(np.concatenate(taken))
                ranks = np.arange(301)
                part.plot(
                    ranks, 100 * np.searchsorted(spent, ranks, "right") / len(spent), color=colour, label=strategy
                )
            part.set_title(SETTINGS[name].told, fontsize=9)
            part.set_xlabel("requests for a synset")
            part.set_ylim(0, 100)
            if not place:
                part.set_ylabel(f"% of synsets with {GOAL} images")
                part.legend(frameon=False, fontsize=8)
        file.write_text(svg_of(figure))


def queries(folder: Path | None) -> None:
    """How many queries synsets of WordNet have, and that none is empty or there twice."""
    ontology = load_wordnet()
    said = defaultdict[str, list[tuple[str, str]]](list)
    for path in sorted(folder.glob("*.tab*")) if folder else ():
        read = read_omw(path)
        for wnid, lemma in read.lemmas:
            said[wnid].append((read.language, lemma))
    numbers, rules, having = [], Counter[str](), Counter[str]()
    for synset in ontology:
        asked = expand(synset, ontology, said[synset.wnid])
        folded = {key(one.text) for one in asked}
        assert asked, synset
        assert len(folded - {""}) == len(asked), synset
        numbers.append(len(asked))
        rules.update(one.rule for one in asked)
        having.update({one.rule for one in asked})
    print(f"{len(numbers):,} synsets, {sum(numbers):,} queries, {np.mean(numbers):.2f} each, {max(numbers)} at most")
    print("  " + ", ".join(f"{at} %: {np.percentile(numbers, at):.0f}" for at in (0, 10, 25, 50, 75, 90, 99)))
    for rule in RULES:
        print(f"  {rule:18}{rules[rule]:10,} queries, of {having[rule]:7,} synsets")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synsets", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=SETTINGS)
    parser.add_argument("--plot", type=Path, help="draw what was played to this SVG file")
    parser.add_argument("--queries", type=Path, nargs="?", const=Path(), metavar="FOLDER")
    options = parser.parse_args()
    if options.queries is not None:
        queries(None if options.queries == Path() else options.queries)
        return
    found = bench(options.only or list(SETTINGS), options.synsets, options.seeds)
    if options.plot:
        plot(found, options.plot)


if __name__ == "__main__":
    main()
