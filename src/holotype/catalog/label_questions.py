"""Questions of many synsets at once: those that were made by hand, and what is concluded of candidates of any."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, or_, select

from holotype.catalog import schema as t
from holotype.catalog.candidates import LACKING
from holotype.catalog.images import is_sound
from holotype.catalog.statements import add_rows, chunks, meta, read_some, set_meta


@dataclass(frozen=True, slots=True)
class Group:
    """A question that somebody made by hand: `wnid` is ``q`` and eight digits, `leaves` are the wnids it names."""

    wnid: str
    text: str
    leaves: tuple[str, ...]
    seconds: float | None


def group_rank(wnid: str) -> int:
    """The rank of a question made by hand: below that of synsets which the ontology lacks, each its own.

    >>> group_rank("q00000001")
    -2
    """
    return LACKING - int(wnid[1:])


def read(connection: Connection, wnids: Iterable[str] | None = None) -> list[Group]:
    """All questions made by hand, or some, in the order in which they were made."""
    table = t.label_question.c
    asked = select(table.wnid, table.text, table.leaves, table.seconds).order_by(table.wnid)
    parts = [asked] if wnids is None else [asked.where(table.wnid.in_(chunk)) for chunk in chunks(wnids)]
    rows = [row for part in parts for row in connection.execute(part)]
    return [Group(wnid, text, tuple(json.loads(leaves)), seconds) for wnid, text, leaves, seconds in rows]


def put(
    connection: Connection, groups: Sequence[tuple[str, frozenset[str], float | None]], at: float
) -> dict[tuple[str, frozenset[str]], str]:
    """The wnids of questions, as (text, leaves, seconds); those that are new are appended, by (text, leaves)."""
    known = {(one.text, frozenset(one.leaves)): one.wnid for one in read(connection)}
    fresh = [one for one in groups if one[:2] not in known]
    last = connection.execute(select(func.max(t.label_question.c.wnid))).scalar()
    first = 1 + (int(last[1:]) if last else 0)
    rows = [
        {"wnid": f"q{number:08d}", "text": text, "leaves": json.dumps(sorted(leaves)), "seconds": seconds, "at": at}
        for number, (text, leaves, seconds) in enumerate(fresh, first)
    ]
    add_rows(connection, t.label_question, rows)
    known |= {one[:2]: str(row["wnid"]) for one, row in zip(fresh, rows, strict=True)}
    return {one[:2]: known[one[:2]] for one in groups}


@dataclass(frozen=True, slots=True)
class Answers:
    """What is concluded of candidates, ``(candidates,)`` each: their ids, images, ranks, states as they are kept,
    posteriors, -1 where there is none, and whether anybody is asked about them."""

    candidate: npt.NDArray[np.int64]
    image: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    state: npt.NDArray[np.int8]
    posterior: npt.NDArray[np.float64]
    asked: npt.NDArray[np.int8]


def answers(connection: Connection, ranks: Sequence[int]) -> Answers:
    """What is concluded of all candidates of some ranks."""
    table = t.candidate.c
    columns = table.id, table.image_id, table.rank, table.state, func.coalesce(table.posterior, -1.0), table.asked
    kinds = np.int64, np.int64, np.int64, np.int8, np.float64, np.int8
    return Answers(*read_some(connection, select(*columns), table.rank, ranks, *kinds))


def sound_images(connection: Connection, images: Iterable[int]) -> dict[int, str]:
    """Those of some images that were read and can be shown, with their sha256."""
    image, read = t.image.c, t.fingerprint.c
    asked = select(image.id, read.sha256).join(t.fingerprint, read.image_id == image.id)
    asked = asked.where(is_sound())
    found = (connection.execute(asked.where(image.id.in_(chunk))) for chunk in chunks(images))
    return {number: sha256 for rows in found for number, sha256 in rows}


def first_seen(connection: Connection, images: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Where images were seen first, and under which licence, of those that were seen at all."""
    seen, about = t.sighting.c, t.candidate.c
    asked = select(about.image_id, seen.origin, seen.licence).join(t.candidate, about.id == seen.candidate_id)
    found: dict[int, tuple[str, str]] = {}
    for chunk in chunks(images):
        for image, origin, licence in connection.execute(asked.where(about.image_id.in_(chunk)).order_by(seen.id)):
            found.setdefault(image, (origin, licence))
    return found


def plans(connection: Connection) -> str | None:
    """The plans that were made, as text."""
    return meta(connection, _PLANS)


def set_plans(connection: Connection, told: str) -> None:
    """Say which plans there are."""
    set_meta(connection, _PLANS, told)


_PLANS: Final = "label_plans"


def noes(connection: Connection) -> list[tuple[int, str, float]]:
    """Every image and synset that is labelled no, with the chance of a yes, oldest first."""
    table = t.candidate.c
    asked = select(table.image_id, table.wnid, func.coalesce(table.posterior, 0.0)).order_by(table.id)
    rows = connection.execute(asked.where(table.state == t.STATES.index("no"), table.rank > LACKING))
    return [(image, wnid, float(chance)) for image, wnid, chance in rows]


def yeses(connection: Connection) -> list[tuple[int, str]]:
    """Every image and synset that is labelled yes."""
    table = t.candidate.c
    asked = select(table.image_id, table.wnid).where(table.state == t.STATES.index("yes"), table.rank >= LACKING)
    return [(image, wnid) for image, wnid in connection.execute(asked)]


def covered(connection: Connection) -> list[tuple[int, str]]:
    """Every image and synset labelled yes of which people found that each instance is boxed."""
    table, said = t.candidate.c, t.coverage.c
    asked = select(table.image_id, table.wnid).join(t.coverage, said.candidate_id == table.id)
    asked = asked.where(said.state == t.COVERAGES.index("covered"), table.state == t.STATES.index("yes"))
    return [(image, wnid) for image, wnid in connection.execute(asked)]


def claimed(connection: Connection, but: Sequence[str]) -> list[tuple[str, str]]:
    """What images, by sha256, are said to show by datasets, or by sources that begin with none of `but`."""
    table, read, seen = t.candidate.c, t.fingerprint.c, t.sighting.c
    others = select(seen.candidate_id).where(*(~seen.source.startswith(one, autoescape=True) for one in but))
    asked = select(read.sha256, table.wnid).join(t.fingerprint, read.image_id == table.image_id)
    asked = asked.where(or_(table.id.in_(others), table.labelled_by.is_not(None)))
    return [(sha256, wnid) for sha256, wnid in connection.execute(asked)]
