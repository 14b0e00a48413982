"""Consensus in every regime: base rates, gold, batches, crowds and synsets, judged against the majority of five.

    python bench/regimes.py [--policy TEXT] [--only crowd=good|weak,base=.3] [--cells N] [--jobs N] [--csv FILE]
    python bench/regimes.py --policy oracle     what the votes could give to one who knew the workers
    python bench/regimes.py --pools             a museum's folders instead

A cell is one regime; its campaign is played once a seed (1 to 5) under the policy, over arrays, with these rules.

Tasks: 600, of which exactly round(base * tasks) are good, at random places; in one synset or in 41 of unequal size
(shares fall as rank ** -1.5, the last have one or two). `bad later` asks about two thirds of them first; when they are
decided, the last third comes in, of base rate min(base, .05), and the campaign goes on with all votes kept.

Gold: 24 tasks of the first batch whose answer is known, 12 good and 12 bad where there are both, but at most half of
what the batch has of a side, so that something is left to score. It is not scored, but its votes are counted.

Crowds: 60 workers, whose sensitivity is about .80 and specificity about .95 (logit-normal, standard deviation .5), with
3 % unsure. `weak`: sensitivity .55. `third spam`, `half spam`: that share answers yes to everything, or by a coin with
`spam="coin"`. `colluders`: 40 % give one answer a task that they share, by a coin and whatever the truth. `strangers 1`
and `strangers 5`: everybody votes one or five times and never again, about .8 and .8.

Pages: open tasks of one synset, 20 at most, go to a random worker who has seen fewest of them; who has seen one leaves
it to another. A worker first answers 10 gold tasks, or all. A stranger's page has one or five tasks; a tenth of their
votes go to gold. Nobody votes twice on a task, and no task has more than 40 votes.

Majority of five: five other votes on each task by the same crowd, unsure abstains, a tie is no; the mean of 20 draws.

A cell holds where, over all seeds together, without gold: precision is >= .97, or the majority's where that is less;
recall >= the majority's - .02; votes a task, gold's counted, <= 5 (weak, half spam: 8); nothing without a yes vote is
accepted; the accepted share differs by <= .05 between seeds. `or chance` counts with them the cells whose precision or
recall misses by no more than chance (binomial, one-sided 5 %): at base .01 a few images are all there is to count.
`most` and `spread` are the worst cell's; `alone` counts what was accepted without a yes, `unlab` is the share left
without a label, `alarm` the share of campaigns in which one rang.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Final

import numpy as np

from crowds import TASKS, Cell, Mask, all_cells, campaign, setting
from holotype.consensus.ballot import UNKNOWN, Ints
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_policy
from museums import POOL_SEEDS, bench_museums
from oracle import Oracle
from verdicts import Counts, Outcome, Result, judged

SEEDS: Final = (1, 2, 3, 4, 5)
DRAWS: Final = 20


def run_cell(cell: Cell, policy: Policy | Oracle, seeds: Sequence[int] = SEEDS) -> Outcome:
    """A campaign of the cell for each seed."""
    five = Counts.sum([majority_of_five(cell, seed) for seed in seeds])
    return Outcome(cell, five, tuple(run_seed(cell, policy, seed) for seed in seeds))


def majority_of_five(cell: Cell, seed: int) -> Counts:
    """All draws of five votes together, without gold."""
    place, crowd = setting(cell, seed)
    asked = place.known == UNKNOWN
    return Counts.sum([Counts.of(_majority(crowd.five())[asked], place.truth[asked]) for _ in range(DRAWS)])


def run_seed(cell: Cell, policy: Policy | Oracle, seed: int) -> Result:
    """One campaign."""
    place, crowd = setting(cell, seed)
    began = time.process_time()
    rule = policy.knowing(place, crowd) if isinstance(policy, Oracle) else policy
    conclusion, ballot = campaign(place, rule, crowd)
    return judged(conclusion, ballot, place.truth, place.known == UNKNOWN, time.process_time() - began)


def _majority(told: Ints) -> Mask:
    return np.asarray((told == Answer.YES).sum(axis=1) > (told == Answer.NO).sum(axis=1))


def report(outcomes: Sequence[Outcome]) -> None:
    """Criteria, a line for each crowd and base rate, the worst ten, and where alarms rang."""
    _criteria(outcomes)
    print(f"\n  {'':23}{'cells':>6}{'held':>6}{'or chance':>10}{'prec':>7}{'maj':>7}{'rec':>7}{'maj':>7}", end="")
    print(f"{'votes':>7}{'most':>6}{'alone':>6}{'spread':>7}{'unlab':>7}{'alarm':>6}")
    key = lambda outcome: (outcome.cell.crowd, outcome.cell.base)  # noqa: E731
    for (crowd, base), found in itertools.groupby(outcomes, key):
        _line(f"{crowd:12} base {base}", list(found))
    print("\n  The worst ten cells")
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.badness)[:10]:
        if outcome.missed:
            _worst(outcome)
    failed, held = ([out for out in outcomes if bool(out.missed) is missed] for missed in (True, False))
    for name, of in (("fail", failed), ("fail surely", of_sure(outcomes)), ("hold", held)):
        rings = [out.rang / len(out.results) for out in of]
        every, none = sum(ring == 1 for ring in rings), sum(ring == 0 for ring in rings)
        some = len(of) - every - none
        print(f"  alarms in {len(of)} cells that {name}: in every seed {every}, in some {some}, in none {none}")


def of_sure(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that fail by more than chance, or by what chance has no part in."""
    return [out for out in outcomes if out.surely or {"votes", "alone", "spread"} & set(out.missed)]


def _criteria(outcomes: Sequence[Outcome]) -> None:
    missed = Counter(name for outcome in outcomes for name in outcome.missed)
    held = sum(not outcome.missed for outcome in outcomes)
    sure = len(outcomes) - len(of_sure(outcomes))
    print(
        f"\n  {held} of {len(outcomes)} cells hold, {sure} with those that miss by chance at most; of each: ",
        end="",
    )
    print(", ".join(f"{name} {len(outcomes) - missed[name]}" for name in outcomes[0].excess))


def _line(name: str, found: Sequence[Outcome]) -> None:
    ours, five = Counts.sum([out.ours for out in found]), Counts.sum([out.majority for out in found])
    held, sure = sum(not out.missed for out in found), len(found) - len(of_sure(found))
    rang = sum(out.rang for out in found) / sum(len(out.results) for out in found)
    print(
        f"  {name:23}{len(found):6}{held:6}{sure:10}{ours.precision:7.3f}{five.precision:7.3f}{ours.recall:7.3f}"
        f"{five.recall:7.3f}{np.mean([out.votes for out in found]):7.2f}{max(out.votes for out in found):6.1f}"
        f"{sum(out.alone for out in found):6}{max(out.spread for out in found):7.3f}"
        f"{np.mean([out.unlabelled for out in found]):7.3f}{rang:6.2f}",
        flush=True,
    )


def _worst(outcome: Outcome) -> None:
    ours, five = outcome.ours, outcome.majority
    print(
        f"    {outcome.cell}: precision {ours.precision:.3f} ({five.precision:.3f}), recall {ours.recall:.3f} "
        f"({five.recall:.3f}), votes {outcome.votes:.2f}, alone {outcome.alone}, spread {outcome.spread:.3f}, "
        f"alarm {outcome.rang}/{len(outcome.results)}; misses {', '.join(outcome.missed)}"
    )


def bench(
    cells: Sequence[Cell],
    policy: Policy | Oracle,
    seeds: Sequence[int] = SEEDS,
    jobs: int = 1,
    table: Path | None = None,
) -> None:
    """Run the cells, write the rows of the table as they come, and report."""
    print(f"\nRegimes: {len(cells)} cells x {len(seeds)} seeds, {cells[0].tasks} tasks each, {policy}")
    began, work = time.perf_counter(), partial(run_cell, policy=policy, seeds=seeds)
    with ExitStack() as stack:
        found: Iterable[Outcome] = map(work, cells)
        if jobs > 1:
            found = stack.enter_context(Pool(jobs)).imap(work, cells)
        outcomes = list(_written(found, table))
    report(outcomes)
    cpu = sum(result.seconds for outcome in outcomes for result in outcome.results) / (len(cells) * len(seeds))
    print(f"  {cpu:.2f} CPU s a campaign, {time.perf_counter() - began:.0f} s in all, {jobs} jobs")


def _written(found: Iterable[Outcome], table: Path | None) -> Iterator[Outcome]:
    with ExitStack() as stack:
        writer = None
        file = stack.enter_context(table.open("w", newline="")) if table else None
        for outcome in found:
            if file:
                row = outcome.row()
                if writer is None:
                    writer = csv.DictWriter(file, list(row))
                    writer.writeheader()
                writer.writerow(row)
                file.flush()
            yield outcome


def chosen(cells: Sequence[Cell], text: str) -> list[Cell]:
    """Cells with the values that `text` names: ``crowd=good|weak,base=.3``. Raises `ValueError` for other axes."""
    for part in filter(None, text.split(",")):
        axis, _, values = part.partition("=")
        if axis not in Cell.__dataclass_fields__:
            raise ValueError(f"an axis is one of {', '.join(Cell.__dataclass_fields__)}, not {axis!r}")
        of = type(getattr(cells[0], axis))
        wanted = {of(value) for value in values.split("|")}
        cells = [cell for cell in cells if getattr(cell, axis) in wanted]
        if not cells:
            raise ValueError(f"no cell has {part}")
    return list(cells)


def policy_of(text: str) -> Policy | Oracle:
    """A policy as policies name themselves, or ``oracle`` with its values in order, as in ``oracle(.95, .05)``."""
    form = re.fullmatch(r"oracle(?:\((.*)\))?", text)
    return Oracle(*map(float, filter(None, (form[1] or "").split(",")))) if form else parse_policy(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=policy_of, default=Imageable(Posterior()), metavar="TEXT")
    parser.add_argument("--only", default="", metavar="AXIS=VALUE[|VALUE],...", help="base gold batch crowd synsets")
    parser.add_argument("--cells", type=int, metavar="N", help="a random subset, the same at every call")
    parser.add_argument("--seeds", type=int, help="1 to so many; 5, and 10 of the pools")
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--spam", choices=("yes", "coin"), default="yes", help="how spammers answer")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--csv", type=Path, metavar="FILE")
    parser.add_argument("--pools", action="store_true", help="the museum's pools instead")
    options = parser.parse_args()
    print(f"regimes, {len(os.sched_getaffinity(0))} cores, Python {sys.version.split()[0]}, numpy {np.__version__}")
    seeds = range(1, options.seeds + 1) if options.seeds else POOL_SEEDS if options.pools else SEEDS
    if options.pools:
        bench_museums(options.policy, seeds)
        return
    cells = chosen(all_cells(options.tasks, options.spam), options.only)
    if options.cells and options.cells < len(cells):
        drawn = np.random.default_rng(0).choice(len(cells), options.cells, replace=False)
        cells = [cells[number] for number in sorted(drawn)]
    bench(cells, options.policy, seeds, options.jobs, options.csv)


if __name__ == "__main__":
    main()
