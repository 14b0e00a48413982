"""What we ask the catalog and what we tell it: one function each, over an open connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from holotype.catalog import schema as t
from holotype.catalog.corrections import standing
from holotype.errors import CrowdError

_POLICY: Final = "policy"
_ALARMS: Final = "alarms"
Value = TypeVar("Value")
Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Input:
    """One file or download and what became of it: ``kept``, ``duplicate`` or ``rejected``."""

    origin: str
    size: int
    mtime_ns: int
    outcome: str
    reason: str
    detail: str
    image_id: int | None
    at: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """One place where an image was found for a synset; `position` counts search results from 1, 0 if not a search."""

    wnid: str
    rank: int
    image_id: int
    origin: str
    source: str
    query: str
    position: int
    licence: str


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes as columns, oldest first: candidate ids, worker names, answers (`holotype.crowd.Answer`), pages, seconds
    taken and Unix times."""

    candidate: npt.NDArray[np.int64]
    worker: list[str]
    answer: npt.NDArray[np.int8]
    page: list[str]
    seconds: npt.NDArray[np.float64]
    at: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of candidates, votes, statements of gold, priors, standings, overrulings and sightings."""

    candidates: int
    votes: int
    gold: int
    priors: int
    standings: int
    overrulings: int
    sightings: int


def chunks(values: Iterable[Value], size: int = 500) -> Iterator[list[Value]]:
    """`values` in lists of at most `size`: what one statement takes."""
    held = list(values)
    for start in range(0, len(held), size):
        yield held[start : start + size]


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows to a table; none is fine."""
    if rows:
        connection.execute(insert(table), list(rows))


def meta(connection: Connection, key: str) -> str | None:
    """The project-wide value called `key`."""
    return connection.execute(select(t.meta.c.value).where(t.meta.c.key == key)).scalar()


def meta_or_set(connection: Connection, key: str, value: str) -> str:
    """The project-wide value called `key`, which is `value` if none was given before."""
    held = meta(connection, key)
    if held is None:
        connection.execute(insert(t.meta).values(key=key, value=value))
    return value if held is None else held


def known_inputs(connection: Connection, origins: Iterable[str]) -> dict[tuple[str, int, int], int | None]:
    """``(origin, size, mtime_ns)`` of the inputs with these origins that were taken in before, with their image id."""
    table = t.intake
    return {
        (origin, size, mtime): image_id
        for chunk in chunks(origins)
        for origin, size, mtime, image_id in connection.execute(
            select(table.c.origin, table.c.size, table.c.mtime_ns, table.c.image_id).where(table.c.origin.in_(chunk))
        )
    }


def image_ids(connection: Connection, digests: Iterable[str]) -> dict[str, int]:
    """sha256 to image id, for those of `digests` that are stored."""
    return {
        sha256: number
        for chunk in chunks(digests)
        for sha256, number in connection.execute(
            select(t.image.c.sha256, t.image.c.id).where(t.image.c.sha256.in_(chunk))
        )
    }


def add_images(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append images; a doubled sha256 is an IntegrityError."""
    add_rows(connection, t.image, rows)


def add_inputs(connection: Connection, inputs: Sequence[Input]) -> None:
    """Append what became of inputs."""
    names = Input.__slots__
    add_rows(connection, t.intake, [{name: getattr(row, name) for name in names} for row in inputs])


def add_sightings(connection: Connection, sightings: Sequence[Sighting]) -> None:
    """Append sightings, with a candidate for every new (synset, image); those already known are skipped."""
    pairs = {(row.wnid, row.image_id): row.rank for row in sightings}
    known = _candidate_ids(connection, pairs)
    new = [
        {"wnid": wnid, "image_id": image_id, "rank": rank}
        for (wnid, image_id), rank in pairs.items()
        if (wnid, image_id) not in known
    ]
    add_rows(connection, t.candidate, new)
    if new:
        known = _candidate_ids(connection, pairs)
    table = t.sighting
    seen = {
        tuple(row)
        for chunk in chunks(known.values())
        for row in connection.execute(
            select(table.c.candidate_id, table.c.origin, table.c.source, table.c.query).where(
                table.c.candidate_id.in_(chunk)
            )
        )
    }
    rows = {}
    for row in sightings:
        key = (known[row.wnid, row.image_id], row.origin, row.source, row.query)
        if key not in seen:
            rows[key] = dict(
                zip(("candidate_id", "origin", "source", "query"), key, strict=True),
                position=row.position,
                licence=row.licence,
            )
    add_rows(connection, table, list(rows.values()))


def _candidate_ids(connection: Connection, pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    wanted = set(pairs)
    table = t.candidate
    return {
        (wnid, image_id): number
        for chunk in chunks({image_id for _, image_id in wanted})
        for wnid, image_id, number in connection.execute(
            select(table.c.wnid, table.c.image_id, table.c.id).where(table.c.image_id.in_(chunk))
        )
        if (wnid, image_id) in wanted
    }


def pack_end(connection: Connection, pack: str) -> int:
    """Where the last committed member of a pack ends, in bytes; thumbnails follow their images."""
    table = t.image
    end = table.c.thumbnail_offset + table.c.thumbnail_length
    return connection.execute(select(func.max(end)).where(table.c.pack == pack)).scalar() or 0


def hashes(
    connection: Connection,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Ids ``(n,)``, hashes ``(n, 32)`` and mirrored hashes ``(n, 32)`` of all images, by id."""
    rows = connection.execute(select(t.image.c.id, t.image.c.hash, t.image.c.mirrored).order_by(t.image.c.id)).all()
    straight, mirrored = (
        np.frombuffer(b"".join(row[column] for row in rows), np.uint8).reshape(-1, 32) for column in (1, 2)
    )
    return np.array([row.id for row in rows], np.int64), straight, mirrored


def near_duplicates(connection: Connection) -> dict[int, int]:
    """Image id to the group of near-duplicates it is in; images alone are left out."""
    table = t.near_duplicate
    return {row.image_id: row.group_id for row in connection.execute(select(table.c.image_id, table.c.group_id))}


def set_near_duplicates(connection: Connection, groups: Mapping[int, int]) -> None:
    """Replace the groups of near-duplicates."""
    connection.execute(delete(t.near_duplicate))
    add_rows(connection, t.near_duplicate, [{"image_id": i, "group_id": g} for i, g in groups.items()])


def intake_counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Number of inputs by ``(outcome, reason)``."""
    columns = t.intake.c.outcome, t.intake.c.reason
    return {
        (outcome, reason): count
        for outcome, reason, count in connection.execute(
            select(*columns, func.count()).group_by(*columns).order_by(*columns)
        )
    }


def _under(ranges: Ranges | None) -> ColumnElement[bool]:
    if ranges is None:
        return true()
    return or_(*(t.candidate.c.rank.between(start, stop - 1) for start, stop in ranges))


def find_images(connection: Connection, ranges: Ranges | None, states: Sequence[str] | None) -> Sequence[Any]:
    """Candidates with their image and label, by rank and sha256.

    `ranges` are half-open ranges of ranks (`Ontology.ranges`), `states` the label states wanted; None for all.
    """
    image, candidate, label, near = t.image, t.candidate, t.label, t.near_duplicate
    question = (
        select(
            *(column for column in image.c if column.name not in ("hash", "mirrored", "id")),
            image.c.id.label("image_id"),
            candidate.c.id.label("candidate_id"),
            candidate.c.wnid,
            candidate.c.rank,
            label.c.state,
            label.c.posterior,
            label.c.policy,
            func.coalesce(near.c.group_id, image.c.id).label("group_id"),
        )
        .select_from(candidate.join(image))
        .outerjoin(label, label.c.candidate_id == candidate.c.id)
        .outerjoin(near, near.c.image_id == image.c.id)
        .where(_under(ranges))
        .order_by(candidate.c.rank, image.c.sha256)
    )
    if states is not None:
        question = question.where(func.coalesce(label.c.state, "open").in_(states))
    return connection.execute(question).all()


def tasks(connection: Connection) -> Sequence[Any]:
    """Every question there is, ``(candidate id, wnid, sha256)``, by rank and sha256."""
    candidate, image = t.candidate, t.image
    return connection.execute(
        select(candidate.c.id, candidate.c.wnid, image.c.sha256)
        .select_from(candidate.join(image))
        .order_by(candidate.c.rank, image.c.sha256)
    ).all()


def candidate_origins(connection: Connection) -> Sequence[Any]:
    """``(candidate id, wnid, sha256, origin, source)`` of every sighting."""
    candidate, image, sighting = t.candidate, t.image, t.sighting
    return connection.execute(
        select(candidate.c.id, candidate.c.wnid, image.c.sha256, sighting.c.origin, sighting.c.source)
        .select_from(sighting.join(candidate).join(image))
        .order_by(sighting.c.id)
    ).all()


def candidate_sources(connection: Connection) -> list[tuple[int, str]]:
    """``(candidate id, source)`` of every sighting, each pair once."""
    table = t.sighting
    columns = table.c.candidate_id, table.c.source
    rows = connection.execute(select(*columns).distinct().order_by(*columns))
    return [(candidate, source) for candidate, source in rows]


def sightings(connection: Connection) -> dict[int, list[Any]]:
    """Provenance of every candidate, in order of sighting, by candidate id."""
    table = t.sighting
    found: dict[int, list[Any]] = {}
    for row in connection.execute(select(table).order_by(table.c.id)):
        found.setdefault(row.candidate_id, []).append(row)
    return found


def votes(connection: Connection, counting: bool = False) -> Votes:
    """Every vote, oldest first; with `counting` those of workers who are not blocked."""
    table = t.vote
    rows = connection.execute(
        select(table.c.candidate_id, t.worker.c.name, table.c.answer, table.c.page, table.c.seconds, table.c.at)
        .select_from(table.join(t.worker))
        .where(table.c.worker_id.not_in(select(_blocked().c.worker_id)) if counting else true())
        .order_by(table.c.id)
    ).all()
    candidate, worker, answer, page, seconds, at = zip(*rows, strict=True) if rows else ((),) * 6
    return Votes(
        np.array(candidate, np.int64),
        list(worker),
        np.array(answer, np.int8),
        list(page),
        np.array(seconds, np.float64),
        np.array(at, np.float64),
    )


def add_votes(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Append votes, given with the key ``worker`` for the name; how many were new.

    A worker's second vote on a candidate is skipped: the first one counts.
    """
    names = {row["worker"] for row in rows}
    known = _worker_ids(connection, names)
    add_rows(connection, t.worker, [{"name": name} for name in sorted(names - known.keys())])
    known = _worker_ids(connection, names)
    table = t.vote
    seen = {
        (candidate, worker)
        for chunk in chunks({row["candidate_id"] for row in rows})
        for candidate, worker in connection.execute(
            select(table.c.candidate_id, table.c.worker_id).where(table.c.candidate_id.in_(chunk))
        )
    }
    new = {}
    for row in rows:
        key = (row["candidate_id"], known[row["worker"]])
        if key not in seen and key not in new:
            new[key] = {
                **{name: value for name, value in row.items() if name != "worker"},
                "worker_id": key[1],
            }
    add_rows(connection, table, list(new.values()))
    return len(new)


def _worker_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    return {
        name: number
        for chunk in chunks(names)
        for name, number in connection.execute(select(t.worker.c.name, t.worker.c.id).where(t.worker.c.name.in_(chunk)))
    }


def add_pages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append pages put up for a crowd, with ``id, crowd, wnid, tasks, at``; those already known are skipped."""
    table = t.page
    known = {
        (id, crowd)
        for chunk in chunks(row["id"] for row in rows)
        for id, crowd in connection.execute(select(table.c.id, table.c.crowd).where(table.c.id.in_(chunk)))
    }
    add_rows(connection, table, [row for row in rows if (row["id"], row["crowd"]) not in known])


def pages(connection: Connection, crowd: str, ids: Iterable[str]) -> list[Any]:
    """``(id, wnid, tasks)`` of a crowd's pages among `ids`."""
    table = t.page
    return [
        row
        for chunk in chunks(ids)
        for row in connection.execute(
            select(table.c.id, table.c.wnid, table.c.tasks).where(table.c.crowd == crowd, table.c.id.in_(chunk))
        )
    ]


def page_ids(connection: Connection, crowd: str) -> list[str]:
    """The ids of all pages that were put up for a crowd."""
    return list(connection.execute(select(t.page.c.id).where(t.page.c.crowd == crowd)).scalars())


def answered_pages(connection: Connection, crowd: str) -> list[str]:
    """The ids of a crowd's pages that brought a vote on anything but gold."""
    voted = select(t.vote.c.page).where(t.vote.c.candidate_id.not_in(standing(t.gold)))
    return list(
        connection.execute(select(t.page.c.id).where(t.page.c.crowd == crowd, t.page.c.id.in_(voted))).scalars()
    )


def add_posting(connection: Connection, crowd: str, page: str, row: Mapping[str, Any]) -> None:
    """Append a posting, with ``reference, assignments, at``; the second of a page is kept as PAGE/2, and so on."""
    key = t.posting.c.page_id
    mine = t.posting.c.crowd == crowd, or_(key == page, key.startswith(f"{page}/", autoescape=True))
    count = connection.execute(select(func.count()).select_from(t.posting).where(*mine)).scalar() or 0
    connection.execute(insert(t.posting).values(page_id=f"{page}/{count + 1}" if count else page, crowd=crowd, **row))


def postings(connection: Connection, crowd: str) -> list[Any]:
    """``(page, reference, assignments, at)`` of all postings with a crowd, oldest first."""
    table = t.posting
    rows = connection.execute(select(table).where(table.c.crowd == crowd).order_by(table.c.id))
    return [(row.page_id.partition("/")[0], row.reference, row.assignments, row.at) for row in rows]


def digests(connection: Connection, candidates: Iterable[int]) -> dict[int, str]:
    """The sha256 of each candidate's image."""
    candidate, image = t.candidate, t.image
    return {
        number: sha256
        for chunk in chunks(candidates)
        for number, sha256 in connection.execute(
            select(candidate.c.id, image.c.sha256).select_from(candidate.join(image)).where(candidate.c.id.in_(chunk))
        )
    }


def voters(connection: Connection, candidates: Iterable[int]) -> dict[int, set[str]]:
    """The names of those who voted on each candidate, of those that have votes."""
    found: dict[int, set[str]] = {}
    for chunk in chunks(candidates):
        for number, name in connection.execute(
            select(t.vote.c.candidate_id, t.worker.c.name)
            .select_from(t.vote.join(t.worker))
            .where(t.vote.c.candidate_id.in_(chunk))
        ):
            found.setdefault(number, set()).add(name)
    return found


def set_labels(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Draw conclusions: labels with ``candidate_id, state, posterior, policy, guard``, replacing those that differ.

    Returns how many candidates had another state before, where none is open.
    """
    table = t.label
    held = {row.candidate_id: row._mapping for row in connection.execute(select(table))}
    add_rows(connection, table, [row for row in rows if row["candidate_id"] not in held])
    for row in rows:
        if row["candidate_id"] in held and dict(held[row["candidate_id"]]) != row:
            connection.execute(update(table).where(table.c.candidate_id == row["candidate_id"]).values(**row))
    states = {number: str(row["state"]) for number, row in held.items()}
    return sum(states.get(row["candidate_id"], "open") != row["state"] for row in rows)


def label_counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Number of candidates by ``(wnid, label state)``; ``open`` where nothing is concluded."""
    state = func.coalesce(t.label.c.state, "open")
    return {
        (wnid, found): count
        for wnid, found, count in connection.execute(
            select(t.candidate.c.wnid, state, func.count())
            .select_from(t.candidate)
            .outerjoin(t.label)
            .group_by(t.candidate.c.wnid, state)
        )
    }


def totals(connection: Connection) -> dict[str, int]:
    """Number of rows of images, candidates, votes and workers, and the bytes of all images."""
    count = {
        name: connection.execute(select(func.count()).select_from(table)).scalar() or 0
        for name, table in (
            ("images", t.image),
            ("candidates", t.candidate),
            ("votes", t.vote),
            ("workers", t.worker),
            ("near_duplicates", t.near_duplicate),
        )
    }
    count["bytes"] = connection.execute(select(func.sum(t.image.c.length))).scalar() or 0
    return {name: int(value) for name, value in count.items()}


def count_images(connection: Connection) -> int:
    """Number of images."""
    return connection.execute(select(func.count()).select_from(t.image)).scalar() or 0


def evidence_counts(connection: Connection) -> Counts:
    """How much there is of all that labels follow from; it only grows."""
    tables = t.candidate, t.vote, t.gold, t.prior, t.standing, t.overruling, t.sighting
    return Counts(*(connection.execute(select(func.count()).select_from(table)).scalar() or 0 for table in tables))


def add_release(connection: Connection, name: str, checksum: str, at: float) -> None:
    """Append a release, its name and the sha256 of its checksum file, unless just that is known."""
    if releases(connection).get(name) == checksum:
        return
    connection.execute(insert(t.release).values(name=name, checksum=checksum, at=at))


def releases(connection: Connection) -> dict[str, str]:
    """Name and checksum of every release, oldest first."""
    table = t.release
    rows = connection.execute(select(table.c.name, table.c.checksum).order_by(table.c.at))
    return {row.name: row.checksum for row in rows}


def priors(connection: Connection) -> dict[int, float]:
    """Candidate id to the chance of yes that was given last."""
    table = t.prior
    rows = connection.execute(select(table.c.candidate_id, table.c.chance).order_by(table.c.id))
    return {row.candidate_id: row.chance for row in rows}


def add_priors(connection: Connection, chances: Mapping[int, float], source: str, at: float) -> int:
    """Append chances of yes by candidate id; how many are not what was given last."""
    held = priors(connection)
    rows = [
        {"candidate_id": number, "chance": chance, "source": source, "at": at}
        for number, chance in chances.items()
        if held.get(number) != chance
    ]
    add_rows(connection, t.prior, rows)
    return len(rows)


def _blocked() -> Subquery:
    newest = select(func.max(t.standing.c.id)).group_by(t.standing.c.worker_id)
    return select(t.standing).where(t.standing.c.id.in_(newest), t.standing.c.blocked == 1).subquery()


def blocked(connection: Connection) -> dict[str, str]:
    """Names of the workers whose votes do not count, with the reason, by name."""
    rows = _blocked()
    named = rows.join(t.worker, rows.c.worker_id == t.worker.c.id)
    found = connection.execute(select(t.worker.c.name, rows.c.reason).select_from(named).order_by(t.worker.c.name))
    return {row.name: row.reason for row in found}


def add_standing(connection: Connection, name: str, blocks: bool, reason: str, at: float) -> None:
    """Say from now on whether a worker's votes count. Raises `CrowdError` for one who never voted."""
    number = _worker_ids(connection, [name]).get(name)
    if number is None:
        raise CrowdError(f"no worker is called {name!r}; see: holotype workers list")
    values = {"worker_id": number, "blocked": int(blocks), "reason": reason, "at": at}
    connection.execute(insert(t.standing).values(values))


def last_policy(connection: Connection) -> str | None:
    """The policy that labels were last drawn by; None before any was."""
    return meta(connection, _POLICY)


def alarms(connection: Connection) -> str | None:
    """What was said last of what the votes cannot tell; None before any labels were drawn."""
    return meta(connection, _ALARMS)


def set_last_policy(connection: Connection, policy: str, alarms: str) -> None:
    """Remember the policy that labels are drawn by: none of them need say so, where all are gold or overruled; and
    what the votes cannot tell."""
    for key, value in ((_POLICY, policy), (_ALARMS, alarms)):
        if meta_or_set(connection, key, value) != value:
            connection.execute(update(t.meta).where(t.meta.c.key == key).values(value=value))


def guard_counts(connection: Connection) -> dict[str, int]:
    """Number of labels that each guard held back, the most first."""
    guard, number = t.label.c.guard, func.count().label("labels")
    rows = connection.execute(
        select(guard, number).where(guard.is_not(None)).group_by(guard).order_by(number.desc(), guard)
    )
    return {row.guard: row.labels for row in rows}


def policy_counts(connection: Connection) -> dict[str, int]:
    """Number of labels that are not open by what they were drawn by, the most first."""
    policy, number = t.label.c.policy, func.count().label("labels")
    rows = connection.execute(
        select(policy, number).where(t.label.c.state != "open").group_by(policy).order_by(number.desc(), policy)
    )
    return {row.policy: row.labels for row in rows}
