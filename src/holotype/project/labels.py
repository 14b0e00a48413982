"""Labels: what is concluded of candidates, drawn again whenever what they follow from changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, corrections, releases, schema, votes
from holotype.consensus.votes import Answer, Statement, is_machine
from holotype.crowd.conclusion import Policy
from holotype.errors import CrowdError
from holotype.project.conclusions import redraw
from holotype.project.facts import as_answer, check_reason, person, read_gold, read_statements
from holotype.project.fingerprints import read_candidates
from holotype.project.image_names import by_candidate, candidate_numbers
from holotype.project.parts import Parts
from holotype.releases.facts import is_answered_for, tally


class Labels:
    """The labels of candidates, and what curators say of them whatever the votes say."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def overrule(
        self, answers: Mapping[tuple[str, str], bool | None], curator: str, reason: str, policy: Policy | None = None
    ) -> int:
        """Say of labels, by (image, wnid), what they are whatever the votes say, or None to follow the votes again.

        Returns how many that changes. The labels' policy is ``curator:NAME``; nobody is asked about them any more, and
        no worker is judged by them: for that, add gold. What was said before stays in `overrulings`. Labels that were
        drawn are drawn again, by `policy` or as last.

        Raises `CrowdError` for what is no candidate, for None where nothing was overruled, where gold says otherwise,
        for an empty `reason` or a `curator` that cannot be printed, and where the last policy is not one of holotype's
        own.
        """
        name = person(curator, "a curator")
        check_reason(reason)
        read_candidates(self._parts.catalog, self._parts.store, answers)

        def work(connection: Connection) -> int:
            number = candidate_numbers(connection, answers, "labels")
            said = {one: as_answer(yes) for one, yes in by_candidate(number, answers, "labels").items()}
            _check_overruling(connection, said)
            changed = corrections.say(connection, schema.overruling, said, name, reason, self._parts.clock())
            candidates.ask(connection, [number for number, answer in said.items() if answer is not None])
            candidates.rest(connection, [number for number, answer in said.items() if answer is None])
            return changed

        return redraw(self._parts, work, policy)[0]

    def overrulings(self) -> list[Statement]:
        """All that curators ever said of labels, by candidate in ontology order, oldest first."""
        with self._parts.catalog.read() as connection:
            return read_statements(connection, schema.overruling)

    def outvoted(self) -> list[tuple[str, str, int, int]]:
        """Accepted images with more of people's noes than yeses that nobody answers for: sha256, wnid, yeses, noes."""
        with self._parts.catalog.read() as connection:
            cast = votes.read(connection, counting=True)
            people = ~np.array([is_machine(name) for name in cast.workers], bool)[cast.worker]
            said = tally(cast.candidate[people], cast.answer[people])
            against = said.candidates[said.answers[:, Answer.NO] > said.answers[:, Answer.YES]]
            rows = [row for row in releases.accepted(connection, against.tolist()) if not is_answered_for(row.policy)]
        counts = said.of(np.array([row.candidate_id for row in rows], np.int64))[:, [Answer.YES, Answer.NO]].tolist()
        return [(row.sha256, row.wnid, yes, no) for row, (yes, no) in zip(rows, counts, strict=True)]


def _check_overruling(connection: Connection, answers: Mapping[int, int | None]) -> None:
    """Raises `CrowdError` for what cannot be overruled, or was not where it is to be withdrawn."""
    known = {said.candidate for said in corrections.newest(connection, schema.overruling, answers)}
    if never := [number for number, answer in answers.items() if answer is None and number not in known]:
        raise CrowdError(f"{len(never):,} of these labels were never overruled")
    gold = {task.number: as_answer(yes) for task, yes in read_gold(connection, answers).items()}
    if against := [
        number for number, answer in answers.items() if answer is not None and gold.get(number, answer) != answer
    ]:
        raise CrowdError(f"gold says otherwise of {len(against):,} of these labels: correct the gold instead")
