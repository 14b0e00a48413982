"""Gold: what is known for sure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import candidates, corrections, examples, schema
from holotype.consensus.votes import Answer, Statement, Task
from holotype.crowd.conclusion import Policy
from holotype.crowd.gold import Feedback, sibling_negatives
from holotype.crowd.port import Page, Sheet
from holotype.errors import ContradictedGold, CrowdError
from holotype.ontology import Synset
from holotype.project.conclusions import redraw
from holotype.project.facts import (
    as_answer,
    check_reason,
    lend,
    read_gold,
    read_statements,
    read_tasks,
)
from holotype.project.fingerprints import read_candidates
from holotype.project.image_names import by_candidate, candidate_numbers
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.project.training import page_to_train_on, train

SIBLING: Final = "sibling"
"""The source of gold that follows from a sibling's."""


class Gold:
    """The gold of a project: candidates whose answer is known for sure."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def answers(self) -> dict[Task, bool]:
        """Every candidate whose answer is known for sure, in ontology order, with whether it is yes."""
        with self._parts.catalog.read() as connection:
            return read_gold(connection)

    def add(self, answers: Mapping[tuple[str, str], bool], source: str, policy: Policy | None = None) -> int:
        """Say of candidates, by (image, wnid), what the answer is for sure; how many were new.

        `source` is who says so. Labels that were drawn are drawn again, by `policy` or as last.

        Raises `CrowdError` for what is no candidate, for an answer that contradicts what gold says or that was
        withdrawn (see `correct`), and where the last policy is not one of holotype's own.
        """

        read_candidates(self._parts.catalog, self._parts.store, answers)

        def work(connection: Connection) -> int:
            number = candidate_numbers(connection, answers, "gold answers")
            said = by_candidate(number, answers, "gold answers")
            return _add_gold(connection, said, source, self._parts.clock())

        return redraw(self._parts, work, policy)[0]

    def correct(
        self, answers: Mapping[tuple[str, str], bool | None], source: str, reason: str, policy: Policy | None = None
    ) -> int:
        """Say that gold, by (image, wnid), was wrong: another answer, or None to withdraw it; how many changed.

        What was said before stays in `history`, and may be said again. Noes that a sibling lent stand and fall
        with the yes they follow from. Labels are drawn again as in `add`.

        Raises `CrowdError` for what never was gold, for an empty `reason`, and as `add` does.
        """
        check_reason(reason)

        def work(connection: Connection) -> int:
            number = candidate_numbers(connection, answers, "gold answers")
            asked = list(number.values())
            known = {statement.candidate for statement in corrections.newest(connection, schema.gold, asked)}
            if never := [pair for pair in answers if number[pair] not in known]:
                raise CrowdError(f"{len(never):,} of these never were gold, the first is {' for '.join(never[0])}")
            said = {one: as_answer(yes) for one, yes in by_candidate(number, answers, "gold answers").items()}
            changed = corrections.say(connection, schema.gold, said, source, reason, self._parts.clock())
            _renew_sibling_gold(connection, self._parts.clock())
            candidates.ask(connection, [number for number, answer in said.items() if answer is not None])
            candidates.rest(connection, [number for number, answer in said.items() if answer is None])
            return changed

        return redraw(self._parts, work, policy)[0]

    def history(self) -> list[Statement]:
        """All that was ever said to be gold, by candidate in ontology order, oldest first."""
        with self._parts.catalog.read() as connection:
            return read_statements(connection, schema.gold)

    def add_siblings(self, per_synset: int, seed: int = 0, policy: Policy | None = None) -> int:
        """Give every synset gold noes, up to `per_synset`: images that are gold yes for a sibling; how many were new.

        Each becomes a candidate of the synset, unless it is one of it or of something below, be it that only a dataset
        says so. `seed` draws which;
        `policy` is as in `add`.
        """

        def work(connection: Connection) -> int:
            tasks, gold = read_tasks(connection), read_gold(connection)
            ontology = self._parts.ontology
            wnids = {task.wnid for task in tasks if task.wnid in ontology}
            siblings = {wnid: {one.wnid for one in ontology.siblings(wnid)} & wnids for wnid in wnids}
            below = {wnid: {one.wnid for one in ontology.descendants(wnid)} | {wnid} for wnid in wnids}
            told = [Task(*row) for row in candidates.unasked(connection, {one.sha256 for one in gold})]
            found = sibling_negatives(gold, [*tasks, *told], siblings, below, per_synset, seed)
            lend(connection, self._parts.ontology, found, "gold")
            number = candidate_numbers(connection, ((task.sha256, wnid) for wnid, task in found), "siblings")
            return _add_gold(
                connection, {number[task.sha256, wnid]: False for wnid, task in found}, SIBLING, self._parts.clock()
            )

        return redraw(self._parts, work, policy)[0]

    def examples(self) -> dict[Task, bool]:
        """The gold that is shown to workers as examples, in ontology order, with whether the answer is yes."""
        with self._parts.catalog.read() as connection:
            return read_gold(connection, examples.public(connection))

    def show(self, pairs: Iterable[tuple[str, str]], by: str) -> int:
        """Show gold to workers as examples, by (image, wnid); how many are new.

        A synset's page shows a few that are yes, and a few of its siblings' as what is not meant. Nobody is asked about
        them any more: what everybody can look up tells nothing of workers. `by` is who decides so. Raises `CrowdError`
        for what is no gold.
        """
        return self._publish(pairs, True, by)

    def hide(self, pairs: Iterable[tuple[str, str]], by: str) -> int:
        """Show gold no more; it is asked again, of those too who have seen it. As `show`."""
        return self._publish(pairs, False, by)

    def _publish(self, pairs: Iterable[tuple[str, str]], shown: bool, by: str) -> int:
        asked = list(pairs)

        def work(connection: Connection) -> int:
            number = candidate_numbers(connection, asked, "examples")
            gold = {task.number for task in read_gold(connection, number.values())}
            if never := [pair for pair, one in number.items() if one not in gold]:
                raise CrowdError(f"{len(never):,} of these are no gold, the first is {' for '.join(never[0])}")
            return examples.say(connection, number.values(), shown, by, self._parts.clock())

        return self._parts.catalog.transact(work)

    def training_page(self, synset: Synset | str, size: int = 20) -> Page:
        """A page of a synset's gold to learn on, but for its examples: see `holotype.crowd.gold.training_page`."""
        found = synset if isinstance(synset, Synset) else self._lemmas.meant(synset)
        with self._parts.catalog.read() as connection:
            return page_to_train_on(connection, found.wnid, size)

    def train(self, sheet: Sheet) -> list[Feedback]:
        """Record a training page's answers as votes on gold, and return each with the right answer.

        They are training: no worker is judged by them, and no label is drawn from them.

        `holotype.crowd.gold.passed` says whether they suffice. Raises `CrowdError` if the sheet does not answer its
        page.
        """
        return train(self._parts, sheet)


def _add_gold(connection: Connection, answers: Mapping[int, bool], source: str, now: float) -> int:
    held = {said.candidate: said.answer for said in corrections.newest(connection, schema.gold, answers)}
    known = {number: as_answer(yes) for number, yes in answers.items()}
    if against := [number for number, answer in known.items() if held.get(number, answer) != answer]:
        raise ContradictedGold(len(against))
    candidates.ask(connection, known)
    return corrections.say(connection, schema.gold, known, source, "", now)


def _renew_sibling_gold(connection: Connection, now: float) -> None:
    """Withdraw noes that a sibling lent and whose lender is not gold yes, and say those again whose lender is."""
    yes = {(task.sha256, task.wnid) for task, good in read_gold(connection).items() if good}
    lenders = corrections.lenders(connection)
    answers = {
        said.candidate: int(Answer.NO) if any((said.sha256, wnid) in yes for wnid in lenders[said.candidate]) else None
        for said in corrections.newest(connection, schema.gold)
        if said.by == SIBLING and said.candidate in lenders
    }
    corrections.say(connection, schema.gold, answers, SIBLING, "the lender's gold was corrected", now)
