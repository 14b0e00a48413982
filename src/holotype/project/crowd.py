"""The crowd: asked about candidates until the policy is sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import labels, priors, workers
from holotype.catalog import votes as vote_rows
from holotype.consensus.calibration import Calibration, calibrate, contradicted, posterior_of_gold
from holotype.consensus.votes import Task, Vote
from holotype.crowd.alarms import Alarm
from holotype.crowd.backoff import split_images
from holotype.crowd.campaign import count_sheets, run_campaign
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.imageable import Imageable
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.crowd.policies import Posterior
from holotype.crowd.port import Crowd, Sheet
from holotype.crowd.tally import Tally
from holotype.engine import Progress, no_progress
from holotype.errors import CrowdError
from holotype.project.appending import AppendReport, append
from holotype.project.conclusions import Basis, Concluded, conclude, take
from holotype.project.facts import (
    candidate_numbers,
    lend,
    read_alarms,
    read_gold,
    read_tally,
    read_votes,
    record_votes,
)
from holotype.project.ledger import CatalogLedger
from holotype.project.memory import read_drawn
from holotype.project.parts import Parts
from holotype.project.vocabulary import identity_of
from holotype.simulation.experts import SimulatedExpert, check_expert
from holotype.simulation.fitting import History
from holotype.simulation.workers import SimulatedCrowd

if TYPE_CHECKING:
    from holotype.crowd.mturk.platform import MTurk

NEAR: Final = 3
"""Hypernyms up to an ancestor that is near enough to back off to."""


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """The outcome of `Crowd.run`: candidates by state, the votes this call and all calls brought.

    `unimageable` are the wnids of synsets given up because nobody can see them, `backed_off` the candidates this call
    made for ancestors of synsets the crowd split between; `guards` counts the candidates that each guard held back from
    being decided, `alarms` say what the votes cannot tell.
    """

    states: Mapping[str, int]
    new_votes: int
    votes: int
    policy: str
    unimageable: tuple[str, ...] = ()
    backed_off: int = 0
    guards: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()

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


class CrowdRoom:
    """The crowd of a project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def votes(self) -> list[Vote]:
        """Every vote cast, oldest first; those of blocked workers too."""
        with self._parts.catalog.read() as connection:
            return read_votes(connection)

    def history(self) -> History:
        """The campaign so far: what `fit_population`, `rehearse` and `forecast` of `holotype.simulation` start from."""
        with self._parts.catalog.read() as connection:
            return History.of(read_tally(connection, self._parts.catalog, timed=True))

    def simulated(
        self, truth: Mapping[tuple[str, str], bool] | None = None, seed: int = 2009, expert: str | None = None
    ) -> SimulatedCrowd:
        """A simulated crowd for this project's tasks; with `expert`, of one person of that name, who is never wrong.

        `truth` is by (sha256, wnid), and what it does not name is not there; without it the workers see every image
        as what its candidate claims. What neither decides, gold does. An image that shows a synset shows all above it.
        """
        with self._parts.catalog.read() as connection:
            gold = read_gold(connection)
        named = truth or {}
        above = self.above(pair for pair, yes in named.items() if yes)

        def shows(task: Task) -> bool:
            pair = task.sha256, task.wnid
            return pair in above or named.get(pair, gold.get(task, truth is None))

        if expert is not None:
            return SimulatedExpert(expert, shows, self._parts.clock, seed)
        return SimulatedCrowd(shows, self._parts.clock, seed=seed)

    def above(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Every (sha256, wnid) with an ancestor of a wnid in place of it."""
        ancestors: dict[str, list[str]] = {}
        found: set[tuple[str, str]] = set()
        for sha256, wnid in pairs:
            if wnid not in ancestors:
                ancestors[wnid] = (
                    [one.wnid for one in self._parts.ontology.ancestors(wnid)] if wnid in self._parts.ontology else []
                )
            found.update((sha256, above) for above in ancestors[wnid])
        return found

    def mturk(
        self,
        terms: Terms,
        budget: Decimal | None = None,
        production: bool = False,
        endpoint: str | None = None,
        agree: Callable[[Quote], None] = lambda _: None,
    ) -> MTurk:
        """Mechanical Turk's sandbox, or with `production` its real workers, as this project's crowd.

        `budget` is the most, in dollars, that all pages of the project may cost together; production needs one. `agree`
        gets every price before anything is spent, and refuses by raising. `endpoint` is another URL of the service.
        The credentials are those boto3 finds. Raises `CrowdError`, also if ``holotype[mturk]`` is not installed.
        """
        try:
            from holotype.crowd.mturk.platform import MTurk, crowd_name
            from holotype.crowd.mturk.requester import Requester
        except ModuleNotFoundError as error:
            raise CrowdError(f"{error}; Mechanical Turk needs: pip install 'holotype[mturk]'") from error
        ledger = CatalogLedger(self._parts.catalog, crowd_name(production), identity_of(self._parts.salt))
        return MTurk(Requester(production, endpoint), ledger, terms, self._parts.clock, budget, agree)

    def run(
        self,
        crowd: Crowd,
        policy: Policy = Imageable(Posterior()),
        progress: Progress = no_progress,
        back_off: bool = False,
    ) -> CampaignReport:
        """Ask `crowd` about every candidate until `policy` is sure, and draw the labels.

        Votes are durable before they count. Stopped at any moment and run again, it goes on where it was. Where the
        crowd brought nothing new, and all there is to go by is what it was, nothing is concluded again.
        Returns with open candidates when the crowd has no more answers for now: run it again later. With `back_off`,
        images on which the crowd splits between siblings are asked about for their common ancestor.

        Raises `CrowdError` where who is trusted can never answer: not in the simulated crowd, or nobody is asked and no
        vote of theirs counts.
        """
        check_expert(policy, crowd, self._counting())
        known, sheets = (None, ()) if back_off else self._known(crowd, policy, progress)
        if known is not None:
            return known
        held, backed_off = None, 0
        while True:
            basis = take(self._parts, policy)
            tally = basis.tally
            held = len(tally.votes) if held is None else held
            drawn = self._campaign(basis, crowd, policy, progress, sheets)
            conclusion = drawn.conclusion
            done, sheets = not conclusion.are(State.OPEN).any(), ()
            new = self._back_off(tally, conclusion) if back_off and done else 0
            if not new:
                break
            backed_off += new
        flagged = np.unique(tally.tasks.synset[conclusion.are(State.ABANDONED)]).tolist()
        unimageable = tuple(sorted((tally.tasks.wnids[one] for one in flagged), key=self._parts.ontology.rank))
        guards = Counter(str(guard) for guard in conclusion.guards.values())
        return CampaignReport(
            conclusion.counts,
            drawn.votes - held,
            drawn.votes,
            str(policy),
            unimageable,
            backed_off,
            dict(guards),
            conclusion.alarms,
        )

    def _counting(self) -> list[str]:
        with self._parts.catalog.read() as connection:
            return workers.counting(connection)

    def _known(self, crowd: Crowd, policy: Policy, progress: Progress) -> tuple[CampaignReport | None, Sequence[Sheet]]:
        """The report of a campaign that is at its end and that nothing is new to, or None, and sheets that came in."""
        with self._parts.catalog.read() as connection:
            drawn, counts = read_drawn(connection), vote_rows.evidence_counts(connection)
            if drawn is None or not drawn.done or not drawn.is_of(policy, counts):
                return None, ()
            report = self._report(connection, policy, counts.votes)
        if any(page.round == drawn.round for page in crowd.waiting()) or (sheets := crowd.collect()):
            return None, sheets
        progress(counts.candidates, counts.candidates)
        return report, ()

    def _report(self, connection: Connection, policy: Policy, votes: int) -> CampaignReport:
        """What the labels say of a campaign that brought no new votes."""
        found = labels.asked_counts(connection)
        states = Counter[str]()
        for (_, state), count in found.items():
            states[state] += count
        flagged = sorted(rank for rank, state in found if state == State.ABANDONED)
        unimageable = tuple(self._parts.ontology.at_rank(rank).wnid for rank in flagged)
        guards, alarms = labels.by_guard(connection), read_alarms(connection)
        return CampaignReport(dict(states), 0, votes, str(policy), unimageable, 0, guards, alarms)

    def _campaign(
        self, basis: Basis, crowd: Crowd, policy: Policy, progress: Progress, sheets: Sequence[Sheet]
    ) -> Concluded:
        """Ask, and draw the labels. `sheets` came in before."""
        tally, before = basis.tally, len(basis.tally.votes)
        record = partial(record_votes, self._parts.catalog)

        def report(conclusion: Conclusion) -> None:
            progress(int((~conclusion.are(State.OPEN)).sum()), len(tally.tasks))

        try:
            count_sheets(sheets, tally, crowd, record)
            run_campaign(tally, crowd, policy, record, report)
        except CrowdError:
            conclude(self._parts, policy)  # from the votes that were counted before
            raise
        counts = replace(basis.counts, votes=basis.counts.votes + len(tally.votes) - before)
        drawn = conclude(self._parts, policy, replace(basis, counts=counts))
        report(drawn.conclusion)
        return drawn

    def append(self, votes: Any, policy: Policy | None = None) -> AppendReport:
        """Append votes from elsewhere, and conclude again of the candidates they touch: see
        `holotype.project.appending.append`."""
        return append(self._parts, votes, policy)

    def _back_off(self, tally: Tally, conclusion: Conclusion) -> int:
        """Make images the crowd splits on candidates for their siblings' ancestor; how many were new.

        What the siblings' votes say together is the new candidate's prior.
        """
        image = tally.tasks.image
        places = np.flatnonzero(np.isin(image, image[conclusion.are(State.UNDECIDED)]))
        tasks = tally.named(places)
        found = split_images(tasks, conclusion.take(places), self._near_ancestor)
        task_of = {(task.sha256, task.wnid): task for task in tasks}

        def work(connection: Connection) -> None:
            lent = [(split.ancestor, task_of[split.sha256, split.wnids[0]]) for split in found]
            lend(connection, self._parts.ontology, lent, "back-off")
            chances = {(split.sha256, split.ancestor): split.chance for split in found}
            number = candidate_numbers(connection, chances, "ancestors")
            by_number = {number[pair]: chance for pair, chance in chances.items()}
            priors.add(connection, by_number, "back-off", self._parts.clock())

        if found:
            self._parts.catalog.transact(work)
        return len(found)

    def _near_ancestor(self, wnids: Sequence[str]) -> str | None:
        """The lowest common ancestor, unless it is more than `NEAR` hypernyms above one of `wnids`."""
        ancestor = self._parts.ontology[wnids[0]]
        for wnid in wnids[1:]:
            ancestor = self._parts.ontology.lowest_common_ancestor(ancestor, wnid)
        steps = [
            path[::-1].index(ancestor)
            for wnid in wnids
            for path in self._parts.ontology.paths(wnid)
            if ancestor in path
        ]
        return ancestor.wnid if max(steps) <= NEAR else None

    def calibration(self, policy: Posterior = Posterior()) -> Calibration:
        """What gold says of the posteriors at which `policy` stops: see `holotype.consensus.calibration.calibrate`.

        Nothing is corrected unless gold of both sides contradicts them beyond chance. Raises `CrowdError` where there
        is too little gold.
        """
        with self._parts.catalog.read() as connection:
            ballot = read_tally(connection, self._parts.catalog).ballot()
        found = posterior_of_gold(ballot, policy.priors, policy.stopping)
        return calibrate(*found) if contradicted(*found) else Calibration()
