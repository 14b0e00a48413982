"""Votes from elsewhere: appended, and concluded of only where they touch, by the model that was fitted last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from holotype.catalog import labels, workers
from holotype.catalog import votes as vote_rows
from holotype.consensus.tables import columns_of
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.conclusion import Incremental, Policy
from holotype.crowd.division import Division, Rule
from holotype.crowd.imageable import is_incremental
from holotype.errors import CrowdError
from holotype.project.conclusions import conclude_all, rule_of
from holotype.project.drawing import labels_of
from holotype.project.facts import read_tally
from holotype.project.fingerprints import read_candidates
from holotype.project.image_names import candidate_numbers
from holotype.project.memory import on_touched, read_drawn, read_model, write_drawn
from holotype.project.parts import Parts

COLUMNS: Final = ("sha256", "wnid", "worker", "answer")
OPTIONAL: Final = ("seconds", "at")

MOST_GROWN: Final = 0.1
"""Votes appended, as a share of those that were fitted, beyond which all is fitted again."""

_ANSWERS: Final = {answer.name.lower(): int(answer) for answer in Answer}


@dataclass(frozen=True, slots=True)
class AppendReport:
    """What became of votes: `new` ones, and those whose worker had voted there before (`known`); how many labels
    changed, whether all were drawn `anew` or only those that were touched, and whether any are `drawn` yet."""

    new: int
    known: int
    changed: int
    anew: bool
    drawn: bool = True

    @property
    def concluded(self) -> str:
        """What became of labels."""
        if not self.drawn:
            return "no labels are drawn yet"
        how = "all labels were drawn anew" if self.anew else "only what they touch was concluded again"
        return f"{self.changed:,} labels changed: {how}"

    def __str__(self) -> str:
        return f"{self.new:,} votes are new, {self.known:,} were known; {self.concluded}"


@dataclass(frozen=True, slots=True)
class _Appended:
    """Votes that were appended: the candidates they touch, how many were new, and what there is now."""

    touched: Sequence[int]
    new: int
    before: vote_rows.Counts

    @property
    def now(self) -> vote_rows.Counts:
        """What there was, and the votes that are new."""
        return replace(self.before, votes=self.before.votes + self.new)


def append(parts: Parts, votes: Any, policy: Policy | None = None) -> AppendReport:
    """Append votes durably, then conclude again by `policy`, or as last; without either no labels are drawn.

    `votes` is a table of any library (see `holotype.consensus.tables.read_votes`) with the columns ``sha256, wnid,
    worker, answer``, and perhaps ``seconds`` and ``at``, Unix time. An answer is yes, no or unsure, or the number of an
    `Answer`. A worker's second vote on a candidate is left out.

    Only the candidates that the votes touch are concluded again, by the model fitted last, which learns nothing from
    them. All labels are drawn anew where there is no such model, where the policy needs all votes, where votes have
    grown by more than a tenth since it was fitted, where machines voted, and where anything else has changed: gold,
    priors, rulings, blocks, candidates, or votes that came by another way. `CrowdRoom.run` and a release draw all anew,
    too.

    Raises `CrowdError`, and records nothing, for a table that is none, for what is no candidate or no answer, and where
    the labels' policy is not one of holotype's own and none is given.
    """
    return append_rows(parts, _rows(votes, parts.clock()), policy)


def append_rows(parts: Parts, rows: list[dict[str, Any]], policy: Policy | None = None) -> AppendReport:
    """Append votes as `append`, each a row of `COLUMNS` and `OPTIONAL` with the number of an `Answer`."""
    read_candidates(parts.catalog, parts.store, {(row["sha256"], row["wnid"]) for row in rows})
    with parts.catalog.read() as connection:
        last = labels.last_policy(connection)
    by = policy or (None if last is None else rule_of(last))
    done = parts.catalog.transact(lambda connection: _add(connection, rows))
    if by is None or not done.new:
        return AppendReport(done.new, len(rows) - done.new, 0, False, by is not None)
    changed = parts.catalog.transact(lambda connection: _touch(connection, parts, by, done)) if last else None
    if changed is not None:
        return AppendReport(done.new, len(rows) - done.new, changed, False)
    return AppendReport(done.new, len(rows) - done.new, conclude_all(parts, by), True)


def _rows(votes: Any, now: float) -> list[dict[str, Any]]:
    """The votes one by one, with the pair they are on."""
    _, columns = columns_of(votes, COLUMNS, OPTIONAL)
    for name in COLUMNS[:3]:
        column = columns[name]
        if column.null_count or not (
            len(column) == 0 or pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        ):
            raise CrowdError(f"every vote needs a {name}, a text")
    if wrong := [name for name in pc.unique(columns["worker"]).to_pylist() if not workers.can_be_kept(name)]:
        raise CrowdError(
            f"the name of a worker has at most {workers.LONGEST} characters and no zero byte: {wrong[0][:40]!r} is none"
        )
    size = len(columns["answer"])
    told = {name: _numbers(columns[name], name) if name in columns else None for name in OPTIONAL}
    seconds = told["seconds"] if told["seconds"] is not None else np.zeros(size)
    at = told["at"] if told["at"] is not None else np.full(size, now)
    lists = (
        *(columns[name].to_pylist() for name in COLUMNS[:3]),
        _answers(columns["answer"]),
        seconds.tolist(),
        at.tolist(),
    )
    names = ("sha256", "wnid", "worker", "answer", "seconds", "at")
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def _numbers(column: pa.Array, name: str) -> np.ndarray:
    try:
        found = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowException as error:
        raise CrowdError(f"{name} of votes are numbers: {error}") from error
    if not np.isfinite(found).all() or (found < 0).any():
        raise CrowdError(f"{name} of votes are finite numbers, 0 or more")
    return found


def _answers(column: pa.Array) -> list[int]:
    told = [
        _ANSWERS.get(answer.strip().lower(), answer) if isinstance(answer, str) else answer
        for answer in column.to_pylist()
    ]
    if wrong := [answer for answer in told if isinstance(answer, bool) or answer not in _ANSWERS.values()]:
        raise CrowdError(f"an answer is yes, no or unsure, or 2, 0 or 1, not {wrong[0]!r}")
    return [int(answer) for answer in told]


def _add(connection: Connection, rows: list[dict[str, Any]]) -> _Appended:
    before = vote_rows.evidence_counts(connection)
    number = candidate_numbers(connection, {(row["sha256"], row["wnid"]) for row in rows}, "votes")
    cast = [
        {
            "candidate_id": number[row["sha256"], row["wnid"]],
            "page": "",
            "round": 0,
            **{name: row[name] for name in ("worker", "answer", "seconds", "at")},
        }
        for row in rows
    ]
    return _Appended(sorted(set(number.values())), vote_rows.add(connection, cast), before)


def _touch(connection: Connection, parts: Parts, policy: Rule, done: _Appended) -> int | None:
    """Conclude of the touched candidates again: how many labels changed; None where all have to be drawn anew."""
    drawn, model = read_drawn(connection), read_model(connection)
    if drawn is None or model is None or isinstance(policy, Division):
        return None
    if not isinstance(policy, Incremental) or not is_incremental(policy):
        return None
    appended = drawn.appended + done.new
    same = drawn.policy == str(policy) and drawn.counts == done.before
    if not same or appended > MOST_GROWN * drawn.fitted or vote_rows.evidence_counts(connection) != done.now:
        return None
    memory, axes, pilot = model
    tally = read_tally(connection, parts.catalog, done.touched)
    ballot = tally.ballot_on(axes)
    if ballot is None or any(map(is_machine, ballot.names or ())):
        return None  # what machines are worth is learned from all votes
    conclusion = policy.again(ballot, on_touched(memory, pilot, tally))
    write_drawn(connection, replace(drawn, counts=done.now, appended=appended, done=False))
    return labels.put(connection, labels_of(tally, conclusion, policy))
