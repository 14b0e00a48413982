"""Many labels an image: questions about several synsets at once, asked until every leaf is known of every image."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import campaigns, candidates, label_questions, priors, sightings
from holotype.catalog.images import Named
from holotype.catalog.statements import chunks
from holotype.crowd.conclusion import Policy
from holotype.crowd.layers import refuse_overlap
from holotype.crowd.policies import Lead
from holotype.crowd.port import Crowd
from holotype.engine import Progress, no_progress
from holotype.errors import CrowdError
from holotype.project.asking import Scope, ask
from holotype.project.fingerprints import fingerprint_images
from holotype.project.label_plans import (
    KeptPlan,
    Known,
    images_of,
    keep_plan,
    known_of,
    named_plan,
    rank_of,
    read_plans,
    sha256_of,
    whole,
)
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.queries import Query
from holotype.questions.abstract import ABSTRACT
from holotype.questions.groups import is_group, read_groups
from holotype.questions.plan import Plan, Question
from holotype.questions.planning import LABELS, Believed, make_plan
from holotype.questions.pruning import Fates, Verdict, fates, to_ask
from holotype.questions.rates import LOSE, Caution, learned_rates

NAME: Final = "labels"
"""What a plan is called where nobody calls it anything."""
INNER: Final = "questions:"
LEAF: Final = "leaves:"
"""How the sources of candidates begin that a plan puts up, of those that cover several leaves and of leaves themselves;
the plan's name follows. So a query can leave out what was asked only for the sake of the leaves."""
LEAST: Final = 0.001
POLICY: Final = Lead(3, 9)
"""What decides a question where nobody says otherwise: in simulations the labels found so are as good as where every
leaf is asked for, at a third of the votes. Leaves are rare, so nothing is given up because few images show it."""
AT_ONCE: Final = 20_000
"""Questions that are put up in one transaction."""


@dataclass(frozen=True, slots=True)
class LabelsReport:
    """How far a plan is: of `images` and `leaves`, the pairs that are present, absent because somebody was asked
    (`refused`) or because of a no above (`removed`), undecided and open; the questions put so far, those of them that
    are `waiting` for answers, and the new votes of a run. Images that cannot be shown are `left_out`."""

    name: str
    images: int
    leaves: int
    present: int
    refused: int
    removed: int
    undecided: int
    open: int
    questions: int
    waiting: int
    left_out: int = 0
    new_votes: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to ask."""
        return self.open == 0

    def __str__(self) -> str:
        each = self.questions / self.images if self.images else 0.0
        saved = f", {self.leaves / each:.1f} times fewer than to ask of each" if each else ""
        return (
            f"{self.images:,} images, {self.leaves:,} leaves: {self.present:,} labels, {self.refused + self.removed:,} "
            f"verified absent ({self.removed:,} by a no above), {self.undecided:,} undecided, {self.open:,} open; "
            f"{self.questions:,} questions ({each:.1f} an image{saved}), {self.waiting:,} waiting for answers"
        )


@dataclass(frozen=True, slots=True)
class _State:
    """A plan as it stands: what is kept of it, its questions with the rates learned so far, what is known, and what
    follows for the leaves; `images` are those of its query."""

    kept: KeptPlan
    plan: Plan
    images: Mapping[int, Named]
    known: Known
    fates: Fates


class Questions:
    """The questions of a project about several synsets at once, by plans."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def make(
        self,
        leaves: Iterable[str],
        query: str | Query = "",
        name: str = NAME,
        groups: str = "",
        lists: int = 0,
        skip: Collection[str] = ABSTRACT,
        labels: float = LABELS,
        lose: float = LOSE,
    ) -> Plan:
        """Choose which questions are asked of the images that `query` finds, to know of each leaf, a wnid or a lemma,
        whether it is there; kept under a `name`, in place of what was called so.

        `groups` is YAML of questions made by hand (`holotype.questions.groups.read_groups`); see
        `holotype.questions.planning.make_plan` for the others, and `holotype.questions.rates.Caution` for `lose`.
        Answers are facts of their images: whatever plan asks the same goes on from them.
        Raises `CrowdError` for leaves of which one is above another; `UnknownSynset`, `AmbiguousLemma`, `QueryError`.
        """
        self._parts.check_writable()
        text, _ = str(Query.of(query)), Caution(lose)
        if not name.strip() or not name.isprintable():
            raise CrowdError(f"a plan needs a name that can be printed, not {name!r}")
        plan, told = self._proposed(leaves, groups, lists, skip, labels)
        named = {one.wnid: one.leaves for one in told}

        def work(connection: Connection) -> KeptPlan:
            asked = [wnid for wnid, size in zip(plan.asked, plan.sizes, strict=True) if size > 1]
            numbers = _put_groups(connection, plan, named, self._parts.clock())
            kept = KeptPlan(name, text, plan.leaves, tuple(numbers.get(one, one) for one in asked), labels, lose)
            keep_plan(connection, kept)
            return kept

        kept = self._parts.catalog.transact(work)
        with self._parts.catalog.read() as connection:
            return whole(connection, self._parts.ontology, kept)

    def proposed(
        self,
        leaves: Iterable[str],
        groups: str = "",
        lists: int = 0,
        skip: Collection[str] = ABSTRACT,
        labels: float = LABELS,
    ) -> Plan:
        """The plan that `make` would keep."""
        return self._proposed(leaves, groups, lists, skip, labels)[0]

    def _proposed(
        self, leaves: Iterable[str], groups: str, lists: int, skip: Collection[str], labels: float
    ) -> tuple[Plan, list[Question]]:
        """The plan, and its groups that were made by hand."""
        meant = [self._lemmas.meant(leaf).wnid for leaf in leaves]
        told = read_groups(groups, partial(self._covering, meant)) if groups else []
        return make_plan(self._parts.ontology, meant, told, skip, lists, Believed(labels=labels)), told

    def _covering(self, leaves: Sequence[str], text: str) -> str:
        """What a word of a group means: of several senses the one that a leaf is of, or is below."""
        senses, ontology = self._lemmas.senses(text), self._parts.ontology
        near = [one for one in senses if any(leaf == one.wnid or ontology.is_under(leaf, one) for leaf in leaves)]
        return near[0].wnid if len(near) == 1 else self._lemmas.meant(text).wnid

    def plans(self) -> list[KeptPlan]:
        """The plans that are kept, by name."""
        with self._parts.catalog.read() as connection:
            return [plan for _, plan in sorted(read_plans(connection).items())]

    def plan(self, name: str = NAME) -> Plan:
        """The questions of a plan. Raises `CrowdError` where there is none of that name."""
        with self._parts.catalog.read() as connection:
            return whole(connection, self._parts.ontology, named_plan(connection, name))

    def text(self, wnid: str) -> str:
        """How a question is put that was made by hand; "" where there is none."""
        if not is_group(wnid):
            return ""
        with self._parts.catalog.read() as connection:
            return next((one.text for one in label_questions.read(connection, [wnid])), "")

    def claims(self) -> dict[tuple[str, str], bool]:
        """What images show as folders, searches and datasets say, by (sha256, wnid): what simulated workers see where
        nobody says what is true."""
        with self._parts.catalog.read() as connection:
            return dict.fromkeys(label_questions.claimed(connection, (INNER, LEAF)), True)

    def run(
        self,
        crowd: Crowd,
        name: str = NAME,
        policy: Policy = POLICY,
        progress: Progress = no_progress,
    ) -> LabelsReport:
        """Ask a crowd what a plan wants to know, and go on with what follows, until the images are done or the crowd
        has no more answers for now: run it again later.

        Each question is a candidate of the project, put up when the answers before make it one to ask, and decided by
        `policy` as all candidates are; nothing else is asked about meanwhile. Stopped at any moment and run again, it
        goes on where it was. Raises `CrowdError` where a campaign is running.
        """
        with self._parts.catalog.read() as connection:
            if running := {one.id: one.under for one in campaigns.read(connection, running=True)}:
                refuse_overlap(self._parts.ontology, (), running)
            kept = named_plan(connection, name)
        images = images_of(self._parts, self._lemmas, kept.query)
        fingerprint_images(self._parts.catalog, self._parts.store, list(images), progress)
        state, votes = self._state(kept, images), 0
        self._put(state)
        before: set[int] = set()
        while True:
            wanted = self._state(kept, images).known.wanted
            before |= {*wanted.tolist()}
            report = ask(self._parts, crowd, Scope(policy, only=wanted), progress)
            votes += report.new_votes
            state = self._state(kept, images)
            if not self._put(state) and before.issuperset(state.known.wanted.tolist()):
                return replace(_report(state), new_votes=votes)

    def status(self, name: str = NAME) -> LabelsReport:
        """How far a plan is. Raises `CrowdError` where there is none of that name."""
        return _report(self.state(name))

    def state(self, name: str = NAME) -> _State:
        """A plan as it stands, with all that is known. Raises `CrowdError` where there is none of that name."""
        with self._parts.catalog.read() as connection:
            kept = named_plan(connection, name)
        return self._state(kept, images_of(self._parts, self._lemmas, kept.query))

    def _state(self, kept: KeptPlan, images: Mapping[int, Named]) -> _State:
        ontology = self._parts.ontology
        with self._parts.catalog.read() as connection:
            plan = whole(connection, ontology, kept)
            sound = sha256_of(connection, list(images))
            known = known_of(connection, ontology, plan, kept, list(sound))
            found = fates(plan, known.verdicts)
            believed = Believed(learned_rates(plan, found), labels=kept.labels)
            learned = replace(plan, rates=tuple(believed.rates_of(plan.leaves)))
            return _State(kept, learned, images, known, found)

    def _put(self, state: _State) -> int:
        """Put up what is to be asked now, those first that resolve most leaves a second; how many questions."""
        row, place = np.nonzero(to_ask(state.plan, state.known.verdicts))
        order = np.lexsort((row, place, -np.array(state.plan.worth)[place]))
        row, place = row[order], place[order]
        pairs = list(zip(state.known.images[row].tolist(), place.tolist(), strict=True))
        for some in chunks(pairs, AT_ONCE):
            self._parts.catalog.transact(partial(self._add, state=state, pairs=some))
        return len(pairs)

    def _add(self, connection: Connection, state: _State, pairs: Sequence[tuple[int, int]]) -> None:
        plan, name = state.plan, state.kept.name
        sources = [f"{LEAF if size == 1 else INNER}{name}" for size in plan.sizes]
        ranks = [rank_of(self._parts.ontology, wnid) for wnid in plan.asked]
        seen = label_questions.first_seen(connection, {image for image, _ in pairs})
        new = []
        for image, place in pairs:
            origin, licence = seen.get(image, (state.images[image].origin, ""))
            about = plan.asked[place], ranks[place], image, origin, sources[place], state.kept.query, 0, licence
            new.append(sightings.Sighting(*about))
        sightings.add(connection, new)
        ids = candidates.ids(connection, {(plan.asked[place], image) for image, place in pairs})
        chances = [min(max(chance, LEAST), 1 - LEAST) for chance in plan.chances]
        told = {ids[plan.asked[place], image]: chances[place] for image, place in pairs}
        priors.add(connection, told, f"{INNER}{name}", self._parts.clock())


def _put_groups(connection: Connection, plan: Plan, named: Mapping[str, frozenset[str]], at: float) -> dict[str, str]:
    """The wnids that the groups of a plan have in the catalog, by those that they have in it."""
    told = []
    for place, wnid in enumerate(plan.asked):
        if is_group(wnid):
            leaves = named.get(
                wnid, frozenset(leaf for bit, leaf in enumerate(plan.leaves) if plan.covers[place] >> bit & 1)
            )
            told.append((wnid, (plan.texts[wnid], leaves, plan.seconds[place])))
    kept = label_questions.put(connection, [one for _, one in told], at)
    return {wnid: kept[one[:2]] for wnid, one in told}


def _report(state: _State) -> LabelsReport:
    found, known = state.fates, state.known
    own = found.by == np.array([state.plan.places[leaf] for leaf in state.plan.leaves])
    noes = found.verdict == Verdict.NO
    return LabelsReport(
        state.kept.name,
        len(known.images),
        len(state.plan.leaves),
        int((found.verdict == Verdict.YES).sum()),
        int((noes & own).sum()),
        int((noes & ~own).sum()),
        int((found.verdict == Verdict.DOUBTFUL).sum()),
        int((found.verdict == Verdict.OPEN).sum()),
        len(known.candidates),
        int((known.verdicts == Verdict.OPEN).sum()),
        len(state.images) - len(known.images),
    )
