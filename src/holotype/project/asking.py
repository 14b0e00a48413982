"""Asking: a crowd asked about candidates, its votes kept, labels drawn, images backed off with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import labels, priors, workers
from holotype.catalog import votes as vote_rows
from holotype.consensus.ballot import Ints
from holotype.crowd.alarms import Alarm
from holotype.crowd.backoff import split_images
from holotype.crowd.campaign import count_sheets, run_campaign
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.expert import Nobody
from holotype.crowd.layers import Layer
from holotype.crowd.port import Crowd, Sheet
from holotype.crowd.tally import Tally
from holotype.engine import Progress
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project.conclusions import Basis, Concluded, conclude, take
from holotype.project.facts import lend, read_alarms, record_votes
from holotype.project.image_names import candidate_numbers
from holotype.project.machines import MachineReport
from holotype.project.memory import read_drawn
from holotype.project.parts import Parts
from holotype.simulation.experts import check_expert

NEAR: Final = 3
"""Hypernyms up to an ancestor that is near enough to back off to."""


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """The outcome of `Crowd.run`: candidates by state, the votes this call and all calls brought.

    `unimageable` are the wnids of synsets given up because nobody can see them, `backed_off` the candidates this call
    made for ancestors of synsets the crowd split between; `guards` counts the candidates that each guard held back from
    being decided, `alarms` say what the votes cannot tell. Pages that the budget has no votes left for are `held_back`.
    `machine` is what became of the questions to one, where one was asked.
    """

    states: Mapping[str, int]
    new_votes: int
    votes: int
    policy: str
    unimageable: tuple[str, ...] = ()
    backed_off: int = 0
    guards: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    held_back: bool = False
    machine: MachineReport | None = None

    @property
    def waiting(self) -> bool:
        """Whether some candidates are open: the crowd is still working, or was stopped."""
        return self.states.get(State.OPEN, 0) > 0

    def __str__(self) -> str:
        total = sum(self.states.values())
        shown = [name for name in State if name is not State.ABANDONED or self.states.get(name)]
        parts = ", ".join(f"{name} {self.states.get(name, 0):,}" for name in shown)
        per = f" ({self.votes / total:.2f} per candidate)" if total else ""
        given_up = f"; nobody can see {', '.join(self.unimageable)}" if self.unimageable else ""
        above = f"; {self.backed_off:,} backed off to an ancestor" if self.backed_off else ""
        held = ", ".join(f"{guard} {count:,}" for guard, count in self.guards.items())
        above += f"; held back: {held}" if held else ""
        return (
            f"{total:,} candidates: {parts}; {self.votes:,} votes{per}, {self.new_votes:,} of them new{above}{given_up}"
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """What a campaign asks about, and how: the subtrees `under`, or everything, until `policy` is sure, and of whom it
    is split the ancestor, if it shall `back_off`; its candidates never have more than `most` votes of pages. With
    `only` it asks about these candidates alone, by their ids, and concludes of all."""

    policy: Policy
    under: tuple[str, ...] = ()
    back_off: bool = False
    most: int | None = None
    only: Ints | None = None

    def __post_init__(self) -> None:
        if self.most is not None and self.most < 0:
            raise CrowdError(f"a budget is a number of votes, 0 or more, not {self.most:,}")


def ask(parts: Parts, crowd: Crowd, scope: Scope, progress: Progress) -> CampaignReport:
    """Ask a crowd until the policy is sure, and draw the labels: see `CrowdRoom.run`."""
    with parts.catalog.read() as connection:
        check_expert(scope.policy, crowd, workers.counting(connection))
    plain = not (scope.back_off or scope.under or scope.most is not None or scope.only is not None)
    known, sheets = _known(parts, crowd, scope.policy) if plain else (None, ())
    if known is not None:
        total = sum(known.states.values())
        progress(total - known.states.get(State.OPEN, 0), total)
        return known
    held, backed_off = None, 0
    while True:
        basis = begin(parts, scope)
        if scope.only is not None:
            basis.tally.limit = np.isin(basis.tally.tasks.number, scope.only)
        held = basis.tally.votes_cast if held is None else held
        drawn = _campaign(parts, basis, crowd, scope, progress, sheets)
        done, sheets = not drawn.conclusion.are(State.OPEN).any(), ()
        new = back_off(parts, basis.layer, drawn.tally, drawn.conclusion) if scope.back_off and done else 0
        if not new:
            break
        backed_off += new
    report = _report(parts.ontology, drawn, scope.policy)
    return replace(report, new_votes=drawn.votes - held, backed_off=backed_off, held_back=basis.tally.held_back)


def begin(parts: Parts, scope: Scope) -> Basis:
    """What a campaign goes on from. Where others concluded of its subtrees before, their labels are drawn by its policy
    from now on, from the votes there are."""
    basis = take(parts, scope.policy, scope.under)
    if scope.under and str(basis.rule) != basis.last:
        conclude(parts, scope.policy, basis, scope.under)
        basis = take(parts, scope.policy, scope.under)
    return basis


def _known(parts: Parts, crowd: Crowd, policy: Policy) -> tuple[CampaignReport | None, Sequence[Sheet]]:
    """The report of a campaign that nothing is new to and that has nobody to ask, or None, and sheets that came in."""
    with parts.catalog.read() as connection:
        drawn, counts = read_drawn(connection), vote_rows.evidence_counts(connection)
        if drawn is None or not drawn.is_of(policy, counts) or not (drawn.done or isinstance(crowd, Nobody)):
            return None, ()
        report = _told(connection, parts.ontology, policy, counts.votes)
    if any(page.round == drawn.round for page in crowd.waiting()):
        return None, ()
    sheets = crowd.collect()
    return (None, sheets) if sheets else (report, ())


def _told(connection: Connection, ontology: Ontology, policy: Policy, votes: int) -> CampaignReport:
    """What the labels say of a campaign that brought no new votes."""
    found = labels.asked_counts(connection)
    states = Counter[str]()
    for (_, state), count in found.items():
        states[state] += count
    flagged = sorted(rank for rank, state in found if state == State.ABANDONED and rank >= 0)
    unimageable = tuple(ontology.at_rank(rank).wnid for rank in flagged)
    guards, alarms = labels.by_guard(connection), read_alarms(connection)
    return CampaignReport(dict(states), 0, votes, str(policy), unimageable, 0, guards, alarms)


def _report(ontology: Ontology, drawn: Concluded, policy: Policy) -> CampaignReport:
    conclusion, tasks = drawn.conclusion, drawn.tally.tasks
    flagged = np.unique(tasks.synset[conclusion.are(State.ABANDONED)]).tolist()
    unimageable = tuple(sorted((tasks.wnids[one] for one in flagged), key=partial(_place, ontology)))
    guards = Counter(str(guard) for guard in conclusion.guards.values())
    counts, alarms = conclusion.counts, conclusion.alarms
    return CampaignReport(counts, 0, drawn.votes, str(policy), unimageable, 0, dict(guards), alarms)


def _place(ontology: Ontology, wnid: str) -> tuple[int, str]:
    """Where a synset stands among others; questions made by hand come first."""
    return (ontology.rank(wnid) if wnid in ontology else -1, wnid)


def _campaign(
    parts: Parts, basis: Basis, crowd: Crowd, scope: Scope, progress: Progress, sheets: Sequence[Sheet]
) -> Concluded:
    """Ask, and draw the labels. `sheets` came in before."""
    tally, before = basis.tally, basis.tally.votes_cast
    record = partial(record_votes, parts.catalog)

    def report(conclusion: Conclusion) -> None:
        progress(int((~conclusion.are(State.OPEN)).sum()), len(tally.tasks))

    try:
        count_sheets(sheets, tally.add, crowd, record)
        run_campaign(tally, crowd, scope.policy, record, report, most=scope.most)
    except CrowdError:
        conclude(parts, scope.policy, under=scope.under)  # from the votes that were counted before
        raise
    counts = replace(basis.counts, votes=basis.counts.votes + tally.votes_cast - before)
    drawn = conclude(parts, scope.policy, replace(basis, counts=counts), scope.under)
    progress(int((~drawn.conclusion.are(State.OPEN)).sum()), len(drawn.tally.tasks))
    return drawn


def back_off(parts: Parts, layer: Layer, tally: Tally, conclusion: Conclusion) -> int:
    """Make images the crowd splits on candidates for their siblings' ancestor, where that is of the same layer; how
    many were new.

    What the siblings' votes say together is the new candidate's prior.
    """
    image = tally.tasks.image
    is_synset = np.array([wnid in parts.ontology for wnid in tally.tasks.wnids], bool)[tally.tasks.synset]
    places = np.flatnonzero(np.isin(image, image[conclusion.are(State.UNDECIDED)]) & is_synset)
    tasks = tally.named(places)
    found = split_images(tasks, conclusion.take(places), partial(_near_ancestor, parts.ontology, layer))
    task_of = {(task.sha256, task.wnid): task for task in tasks}

    def work(connection: Connection) -> None:
        lent = [(split.ancestor, task_of[split.sha256, split.wnids[0]]) for split in found]
        lend(connection, parts.ontology, lent, "back-off")
        chances = {(split.sha256, split.ancestor): split.chance for split in found}
        number = candidate_numbers(connection, chances, "ancestors")
        priors.add(connection, {number[pair]: chance for pair, chance in chances.items()}, "back-off", parts.clock())

    if found:
        parts.catalog.transact(work)
    return len(found)


def _near_ancestor(ontology: Ontology, layer: Layer, wnids: Sequence[str]) -> str | None:
    """The lowest common ancestor, unless it is more than `NEAR` hypernyms above one of `wnids`, or outside a layer."""
    ancestor = ontology[wnids[0]]
    for wnid in wnids[1:]:
        ancestor = ontology.lowest_common_ancestor(ancestor, wnid)
    steps = [path[::-1].index(ancestor) for wnid in wnids for path in ontology.paths(wnid) if ancestor in path]
    return ancestor.wnid if max(steps) <= NEAR and layer.holds(ontology.rank(ancestor)) else None
