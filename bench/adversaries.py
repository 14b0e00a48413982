"""Attackers who want a certificate that their labels do not deserve, and how often they get one.

Each knows which labels are wrong, sees the sample as soon as it is drawn, and decides what leaves, what joins, who
answers and when to draw again. A run is lost where any bound shown on the way lies above the precision that the labels
have at that moment. Beside it the bound as it was before samples were facts: Clopper's and Pearson's, of the first in
the seed's order as labels stand, by majority of answers, with nothing shared over draws.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np

from holotype.audits.bounds import clopper_pearson
from holotype.audits.certificates import AuditAnswer, Changes, Evidence, assess
from holotype.audits.plans import Label, Plan, Sample, below, draw_sample, number_plans, targets_to_draw
from holotype.consensus.votes import Answer

PARENT, CHILD, LEAF = "n00000001", "n00000002", "n00000003"
RANGES: Final = {PARENT: ((0, 4),), CHILD: ((1, 3),), LEAF: ((2, 3),)}
_rank, _name = attrgetter("rank"), attrgetter("sha256")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a certificate says is right of the labels as they stand, at least, and what is."""

    bound: float
    old: float
    truth: float


class World:
    """Labels, whether each is right, and an audit of them by the library's own functions."""

    def __init__(self, rng: np.random.Generator, labels: int, size: int, precision: float) -> None:
        """Nine in ten labels are the leaf's, the others its relatives'; a fixed number of all is right."""
        self.rng, self.size, self.simultaneous = rng, size, False
        ranks = np.sort(rng.choice([0, 1, 2, 3], labels, p=[0.04, 0.03, 0.9, 0.03]))
        right = rng.permutation(labels) < round(precision * labels)
        names = rng.bytes(8 * labels).hex()
        self.truth = {
            Label(names[16 * n : 16 * n + 16], f"n{rank + 1:08d}", int(rank)): bool(good)
            for n, (rank, good) in enumerate(zip(ranks, right, strict=True))
        }
        self.voter = {label: int(rng.integers(10)) for label in self.truth}
        self.accepted = set(self.truth)
        self._plans: list[Plan] = []
        self._samples: dict[str, Sample] = {}
        self._then: dict[str, frozenset[Label]] = {}
        self._said: dict[Label, list[AuditAnswer]] = {}

    def wrong(self, labels: Collection[Label]) -> list[Label]:
        """What attackers know, in an order that each run has alike."""
        return [label for label in sorted(labels, key=_name) if not self.truth[label]]

    def draw(self, *wnids: str, size: int = 0) -> Sample:
        """Draw afresh; the sample of the first target."""
        seed, now = self.rng.bytes(16).hex(), float(len(self._then))
        self._then[seed] = frozenset(self.accepted)
        labels = sorted(self.accepted, key=_rank)
        for wnid in targets_to_draw(wnids, size or self.size, self._plans, fresh=True):
            plan = Plan(wnid, RANGES[wnid], size or self.size, seed, now, 0)
            held, self._samples[wnid] = draw_sample(plan, labels)
            self._plans.append(Plan(wnid, plan.ranges, plan.size, seed, now, held))
        return self._samples[wnids[0]]

    def say(self, labels: Collection[Label], auditor: str = "ann", answer: Answer | None = None) -> None:
        """The truth, or else an answer; a second one of an auditor is a correction."""
        for label in labels:
            given = self._said.setdefault(label, [])
            again = any(one.auditor == auditor for one in given)
            true = Answer.YES if self.truth[label] else Answer.NO
            given.append(AuditAnswer(auditor, true if answer is None else answer, 0.0, "looked again" if again else ""))

    def remove(self, labels: Collection[Label]) -> None:
        self.accepted -= set(labels)

    def claims(self, *wnids: str) -> Iterator[Claim]:
        """What is certified now, and what was by the old rules."""
        for audit in assess(self._evidence()):
            if audit.plan.wnid in wnids and audit.labels:
                labels = below(audit.plan.ranges, sorted(self.accepted, key=_rank))
                truth = sum(self.truth[label] for label in labels) / len(labels)
                found = audit.certificate
                bound = 0.0 if found is None else found.simultaneous if self.simultaneous else found.lower
                yield Claim(bound, self._old(audit.plan, labels), truth)

    def first_as_they_stand(self) -> Sample:
        """What the newest seed would draw of the labels as they stand."""
        return draw_sample(self._plans[-1], sorted(self.accepted, key=_rank))[1]

    def _evidence(self) -> Evidence:
        changes = {}
        for seed in {plan.seed for plan in self._plans}:
            then = self._then[seed]
            left, joined = sorted(then - self.accepted, key=_rank), sorted(self.accepted - then, key=_rank)
            changes[seed] = Changes(left, joined)
        plans = number_plans(self._plans)
        return Evidence(plans, self._samples, changes, sorted(self.accepted, key=_rank), self._said)

    def _old(self, plan: Plan, labels: list[Label]) -> float:
        _, sample = draw_sample(plan, labels)
        said = [[given.answer is Answer.YES for given in _newest(self._said.get(label, []))] for label in sample]
        if not sample or not all(said):
            return 0.0
        return float(clopper_pearson(sum(2 * sum(one) > len(one) for one in said), len(said))[0])


def _newest(given: list[AuditAnswer]) -> list[AuditAnswer]:
    return list({one.auditor: one for one in given}.values())


Attack = Callable[[World], Iterator[Claim]]


def say_gold_no(world: World) -> Iterator[Claim]:
    """Draw, look, take the bad ones away as gold no, have the others audited."""
    world.draw(LEAF)
    while bad := world.wrong(world.first_as_they_stand()):
        world.remove(bad)
    world.say(world.accepted)
    yield from world.claims(LEAF)


def redraw_until_clean(world: World) -> Iterator[Claim]:
    """Draw twenty times, and show whichever comes out best."""
    for _ in range(20):
        world.say(world.draw(LEAF))
        yield from world.claims(LEAF)


def draw_other_sizes(world: World) -> Iterator[Claim]:
    """Draw samples of all sizes, and show whichever comes out best."""
    for part in range(1, 13):
        world.say(world.draw(LEAF, size=max(1, world.size * part // 6)))
        yield from world.claims(LEAF)


def draw_relatives(world: World) -> Iterator[Claim]:
    """Draw parent, child and grandchild in turn, whose labels are nearly the same, and show the best."""
    for wnid in (PARENT, CHILD, LEAF) * 4:
        world.say(world.draw(wnid))
        yield from world.claims(wnid)


def draw_relatives_together(world: World) -> Iterator[Claim]:
    """Draw parent, child and grandchild at once, again and again, and show the best: a claim of all at once."""
    world.simultaneous = True
    for _ in range(6):
        world.say(world.draw(PARENT, CHILD, LEAF))
        world.say(world.accepted)
        yield from world.claims(PARENT, CHILD, LEAF)


def block_voters(world: World) -> Iterator[Claim]:
    """Look, and block every worker who voted for a bad one of the sample."""
    sample = world.draw(PARENT)
    bad = {world.voter[label] for label in world.wrong(sample)}
    world.remove([label for label in world.accepted if world.voter[label] in bad])
    world.say(world.accepted)
    yield from world.claims(PARENT)


def overrule_after_answers(world: World) -> Iterator[Claim]:
    """Have the sample audited, then overrule whatever was doubted, and with it some good ones nobody sampled."""
    sample = world.draw(LEAF)
    world.say(world.accepted)
    yield from world.claims(LEAF)
    world.remove(world.wrong(sample))
    yield from world.claims(LEAF)
    world.remove([label for label in sorted(world.accepted - set(sample), key=_name)[:10] if world.truth[label]])
    yield from world.claims(LEAF)


def accept_again(world: World) -> Iterator[Claim]:
    """Take away nearly all that is wrong, draw and audit, then accept everything again."""
    world.remove(world.wrong(world.accepted)[1:])
    world.say(world.draw(PARENT))
    world.accepted = set(world.truth)
    world.say(world.truth)
    yield from world.claims(PARENT)


def record_only_good(world: World) -> Iterator[Claim]:
    """Look first and record only what is good; draw until nothing else is in the sample, or take it away."""
    for _ in range(8):
        sample = world.draw(LEAF)
        world.say([label for label in sample if world.truth[label]])
        yield from world.claims(LEAF)
    world.remove(world.wrong(sample))
    world.say([label for label in world.accepted if world.truth[label]])
    yield from world.claims(LEAF)


def ask_friends_about_doubts(world: World) -> Iterator[Claim]:
    """Have two friends say yes of what the auditor doubted, and of nothing else; and once more after a fresh draw."""
    for _ in range(2):
        sample = world.draw(LEAF)
        world.say(sample)
        for friend in ("bob", "carl"):
            world.say(world.wrong(sample), friend, Answer.YES)
        yield from world.claims(LEAF)


def correct_to_yes(world: World) -> Iterator[Claim]:
    """Correct every no to yes; and once more after a fresh draw."""
    for _ in range(2):
        sample = world.draw(LEAF)
        world.say(sample)
        yield from world.claims(LEAF)
        world.say(world.wrong(sample), answer=Answer.YES)
        yield from world.claims(LEAF)


def dilute(world: World) -> Iterator[Claim]:
    """Accept many easy right labels, draw and audit, and take those that were not sampled away again."""
    easy = [Label(world.rng.bytes(8).hex(), LEAF, 2) for _ in range(len(world.truth))]
    world.truth |= dict.fromkeys(easy, True)
    world.accepted |= set(easy)
    sample = world.draw(LEAF)
    world.say(sample)
    world.remove(set(easy) - set(sample))
    world.say(world.accepted)
    yield from world.claims(LEAF)


def do_anything(world: World) -> Iterator[Claim]:
    """Anything at all in any order, at random, looking at the certificate each time."""
    sample: Sample = world.draw(LEAF)
    for action in world.rng.integers(0, 5, 12):
        if action == 0:
            sample = world.draw(LEAF)
        elif action == 1:
            world.remove(world.wrong(sample)[:2])
        elif action == 2:
            world.accepted = set(world.truth)
        elif action == 3:
            some = sorted(world.accepted - set(sample), key=_name)
            world.remove([label for label in some if world.truth[label]][:3])
        world.say(sample)
        yield from world.claims(LEAF)


ATTACKS: Final[tuple[Attack, ...]] = (
    say_gold_no,
    redraw_until_clean,
    draw_other_sizes,
    draw_relatives,
    draw_relatives_together,
    block_voters,
    overrule_after_answers,
    accept_again,
    record_only_good,
    ask_friends_about_doubts,
    correct_to_yes,
    dilute,
    do_anything,
)


def coverage(attack: Attack, runs: int, labels: int, size: int, precision: float, seed: int) -> tuple[float, float]:
    """In which share of runs no bound was too high, and in which none of the old ones was."""
    held = np.zeros((runs, 2), bool)
    for run in range(runs):
        claims = list(attack(World(np.random.default_rng([seed, run]), labels, size, precision)))
        held[run] = [
            all(claim.bound <= claim.truth for claim in claims),
            all(claim.old <= claim.truth for claim in claims),
        ]
    ours, old = held.mean(axis=0)
    return float(ours), float(old)
