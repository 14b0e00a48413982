"""Votes one by one, as people keep them in files: each is taken, or left out for a reason that is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection

from holotype.catalog import candidates
from holotype.catalog.image_names import meant
from holotype.catalog.workers import can_be_kept
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Policy
from holotype.errors import AmbiguousLemma, OntologyError
from holotype.ontology import Synset
from holotype.project.appending import AppendReport, append_rows
from holotype.project.given_times import seconds_of, time_of
from holotype.project.image_names import SHOWN, Pair, lines, named_candidates
from holotype.project.parts import Parts
from holotype.project.synset_names import fitting, meanings

_WORDS: Final = {
    Answer.YES: ("yes", "y", "1", "1.0", "true", "t"),
    Answer.NO: ("no", "n", "0", "0.0", "false", "f"),
    Answer.UNSURE: ("unsure", "?", "maybe"),
}
LABELS: Final[Mapping[str, Answer]] = MappingProxyType({word: one for one, words in _WORDS.items() for word in words})
"""What answers are called, in lower case."""

_TASK = re.compile(r"(.+?)[\s/:,;|]+(n\d{8})")


@dataclass(frozen=True, slots=True)
class GivenVote:
    """A vote as somebody keeps it: an image by any of its names, a synset by wnid or lemma, a worker and an answer.

    Without a synset the image's one candidate is meant, and of several senses the one that it is a candidate of. Times
    are numbers or as people write them. `line` is where it stands, for what is told of it.
    """

    image: str
    synset: str
    worker: str
    answer: str
    seconds: float | str = 0.0
    at: float | str | None = None
    line: int = 0

    @classmethod
    def of_task(cls, task: str, worker: str, answer: str, **rest: Any) -> GivenVote:
        """A vote on a task as Crowd-Kit has it: an image, or an image and a wnid with a blank, a slash, a colon, a
        comma, a semicolon or a bar between them."""
        both = _TASK.fullmatch(task.strip())
        image, wnid = both.groups() if both else (task.strip(), "")
        return cls(image, wnid, worker, answer, **rest)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a vote, or a time in it, was not taken: the line it stands in, a reason in a word, and what is wrong."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class VotesReport:
    """What became of votes: those appended, those that were not taken, and of those appended the times that cannot be
    read: such a vote took 0 seconds, or was cast now."""

    appended: AppendReport
    refused: tuple[Refusal, ...] = field(default=())
    untimed: tuple[Refusal, ...] = field(default=())

    @property
    def reasons(self) -> dict[str, int]:
        """How many votes were not taken, by reason."""
        return dict(sorted(Counter(one.reason for one in self.refused).items()))

    def __str__(self) -> str:
        done, told = self.appended, ", ".join(f"{name} {count:,}" for name, count in self.reasons.items())
        total = done.new + done.known + len(self.refused)
        untimed = f"; {len(self.untimed):,} times cannot be read" if self.untimed else ""
        return (
            f"{total:,} votes = {done.new:,} new + {done.known:,} known + {len(self.refused):,} refused"
            f"{f' ({told})' if told else ''}{untimed}; {done.concluded}"
        )


def add_votes(
    parts: Parts,
    senses: Callable[[str], Sequence[Synset]],
    given: Iterable[GivenVote],
    policy: Policy | None = None,
    broken: Iterable[Refusal] = (),
) -> VotesReport:
    """Append votes and conclude again, as `holotype.project.appending.append`; what fits nothing is left out, and told
    with what was `broken` before it could be a vote.

    A worker's first vote on a candidate counts: the same file a second time changes nothing.
    """
    refused = list(broken)
    said = [replace(one, image=one.image.strip(), synset=one.synset.strip()) for one in given if _is_said(one, refused)]
    known = meanings({one.synset for one in said}, senses)
    with parts.catalog.read() as connection:
        wnids = fitting(connection, ((one.image, one.synset) for one in said), known)
        placed = list(_placed(said, wnids, refused))
        whole = list(_whole(connection, placed, refused))
        taken = list(_taken(connection, whole, refused))
    untimed: list[Refusal] = []
    done = append_rows(parts, [_row(one, parts.clock(), untimed) for one in taken], policy)
    return VotesReport(done, tuple(sorted(refused, key=lambda one: one.line)), tuple(untimed))


def _row(one: GivenVote, now: float, untimed: list[Refusal]) -> dict[str, Any]:
    """A vote as it is appended: where a time cannot be read, that is told, and it took 0 seconds, or is cast now."""
    seconds, at = seconds_of(one.seconds), time_of(one.at)
    if seconds is None:
        told = f"seconds are a number, 0 or more, not {str(one.seconds)[:40]!r}; taken as 0"
        untimed.append(Refusal(one.line, "no_seconds", told))
    if at is not None and at != at:
        told = f"a time is as 2026-11-26T10:00 or 26.11.2026 10:00, not {str(one.at)[:40]!r}; taken as now"
        untimed.append(Refusal(one.line, "no_time", told))
        at = None
    answer = int(LABELS[one.answer.strip().lower()])
    about = {"sha256": one.image, "wnid": one.synset, "worker": one.worker.strip(), "answer": answer}
    return {**about, "seconds": seconds or 0.0, "at": now if at is None else at}


def _is_said(one: GivenVote, refused: list[Refusal]) -> bool:
    """Whether a vote has an answer and a worker that can be."""
    if one.answer.strip().lower() not in LABELS:
        known = "yes, no, unsure, 1, 0, true or false"
        refused.append(Refusal(one.line, "no_answer", f"an answer is {known}, not {one.answer[:SHOWN]!r}"))
    elif not one.worker.strip() or not one.worker.isprintable() or not can_be_kept(one.worker):
        refused.append(Refusal(one.line, "no_worker", f"a worker needs a name, not {one.worker[:SHOWN]!r}"))
    else:
        return True
    return False


def _placed(
    given: Sequence[GivenVote], wnids: Mapping[Pair, str | OntologyError], refused: list[Refusal]
) -> Iterator[GivenVote]:
    """Votes with the wnids of their synsets."""
    for one in given:
        wnid = wnids[one.image, one.synset]
        if isinstance(wnid, OntologyError):
            reason = "ambiguous_synset" if isinstance(wnid, AmbiguousLemma) else "unknown_synset"
            refused.append(Refusal(one.line, reason, str(wnid)))
        else:
            yield replace(one, synset=wnid)


def _whole(connection: Connection, given: Sequence[GivenVote], refused: list[Refusal]) -> Iterator[GivenVote]:
    """Votes with a synset each: the only one that the image is a candidate for, where they name none."""
    images = meant(connection, {one.image for one in given if not one.synset})
    ids = {image.id for found in images.values() for image in found}
    wnids = candidates.wnids_of(connection, ids)
    for one in given:
        found = {wnid for image in images.get(one.image, ()) for wnid in wnids.get(image.id, ())}
        if one.synset or not images.get(one.image):
            yield one
        elif len(found) == 1:
            yield replace(one, synset=found.pop())
        else:
            detail = f"{one.image[:SHOWN]!r} is a candidate for {len(found):,} synsets: say which"
            refused.append(Refusal(one.line, "no_synset", detail))


def _taken(connection: Connection, given: Sequence[GivenVote], refused: list[Refusal]) -> Iterator[GivenVote]:
    """Votes on a candidate each."""
    found = named_candidates(connection, {(one.image, one.synset) for one in given})
    lost = meant(connection, {one.image for one in given if (one.image, one.synset) not in found})
    for one in given:
        numbers = found.get((one.image, one.synset))
        name = one.image[:SHOWN]
        if numbers is None and one.image not in lost:
            refused.append(Refusal(one.line, "unknown_image", f"no image is called {name!r}"))
        elif numbers is None:
            refused.append(Refusal(one.line, "no_candidate", f"{name!r} is no candidate for {one.synset}"))
        elif len(numbers) > 1 and not all(numbers.values()):
            which = "; ".join(lines(connection, one.image, meant(connection, [one.image])[one.image]))
            refused.append(Refusal(one.line, "ambiguous_image", which))
        else:
            yield one
