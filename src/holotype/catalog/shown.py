"""Questions that pages ask: what is said of one image and of one synset, and whether anything changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, literal, select

from holotype.catalog import schema as t
from holotype.catalog.annotations import ARCHIVE, BoxRow, said_by
from holotype.catalog.candidates import LACKING
from holotype.catalog.corrections import standing
from holotype.catalog.schema import STATES
from holotype.catalog.statements import chunks
from holotype.catalog.votes import counts

_TOLD: Final = ("drawn", "candidate_changes", "ontology")
Mark = tuple[object, ...]
"""What is another value wherever something changed."""


def states_mark(connection: Connection) -> Mark:
    """Changes whenever candidates come or go or are in another state."""
    values = connection.execute(select(t.meta.c.key, t.meta.c.value).where(t.meta.c.key.in_(_TOLD)))
    newest = (t.candidate.c.id, t.image.c.id, t.file.c.id)
    told = *sorted(map(tuple, values)), *(connection.execute(select(func.max(one))).scalar() for one in newest)
    counted = t.gold, t.overruling, t.withdrawal, t.file
    return *told, *(connection.execute(select(func.count()).select_from(one)).scalar() for one in counted)


def gold_mark(connection: Connection) -> Mark:
    """Changes whenever gold or examples do, or what was read of images."""
    newest = connection.execute(select(func.max(t.fingerprint.c.image_id))).scalar()
    return newest, *(connection.execute(select(func.count()).select_from(one)).scalar() for one in (t.gold, t.example))


def audits_mark(connection: Connection) -> Mark:
    """Changes whenever certificates may."""
    newest = t.audit.c.id, t.audit_answer.c.id, t.audit_correction.c.id
    said = tuple(connection.execute(select(func.max(one))).scalar() for one in newest)
    return said + (states_mark(connection) if said[0] else ())


def words_mark(connection: Connection) -> Mark:
    """Changes whenever lemmas come."""
    value = connection.execute(select(t.meta.c.value).where(t.meta.c.key == "ontology")).scalar()
    return value, connection.execute(select(func.max(t.translation.c.id))).scalar()


def has_translations(connection: Connection) -> bool:
    """Whether there is a lemma in another language than the ontology's own."""
    return connection.execute(select(t.translation.c.id).limit(1)).first() is not None


def addresses_mark(connection: Connection) -> Mark:
    """Changes whenever images are said to be found on the web."""
    newest = select(func.max(t.credit.c.id)).scalar_subquery(), select(func.max(t.url.c.image_id)).scalar_subquery()
    return tuple(connection.execute(select(*newest)).one())


def has_addresses(connection: Connection) -> bool:
    """Whether any image was found at an address on the web, as what lay beside it or a list says."""
    said = select(t.credit.c.id).where(t.credit.c.url != "").limit(1), select(t.url.c.image_id).limit(1)
    return any(connection.execute(asked).first() is not None for asked in said)


def words(connection: Connection) -> list[tuple[str, str, str]]:
    """``(lemma, language, wnid)`` of all lemmas in other languages than the ontology's own."""
    table = t.translation.c
    rows = connection.execute(select(table.lemma, table.language, table.wnid).order_by(table.id))
    return [(lemma, language, wnid) for lemma, language, wnid in rows]


def secret_gold() -> Select[tuple[int]]:
    """The ids of the images by which workers are checked: gold, but for public examples."""
    example, other = t.example.c, t.example.alias("later").c
    later = select(other.number).where(and_(other.candidate_id == example.candidate_id, other.number > example.number))
    shown = select(example.candidate_id).where(example.shown == 1, ~later.exists())
    candidate = t.candidate.c
    return select(candidate.image_id).where(candidate.id.in_(standing(t.gold)), candidate.id.not_in(shown))


def secret_digests(connection: Connection) -> frozenset[str]:
    """The sha256 of the images by which workers are checked, of those that were read."""
    read = t.fingerprint.c
    return frozenset(connection.execute(select(read.sha256).where(read.image_id.in_(secret_gold()))).scalars())


def are_secret(connection: Connection, images: Collection[int]) -> bool:
    """Whether some of these images are ones by which workers are checked."""
    among = secret_gold().where(t.candidate.c.image_id.in_(list(images)))
    return connection.execute(among.limit(1)).first() is not None


def are_decided(connection: Connection, images: Collection[int]) -> bool:
    """Whether a label of some images is yes or no."""
    decided = [STATES.index("yes"), STATES.index("no")]
    asked = select(t.candidate.c.id).where(t.candidate.c.image_id.in_(list(images)), t.candidate.c.state.in_(decided))
    return connection.execute(asked.limit(1)).first() is not None


def is_asked(connection: Connection, rank: int) -> bool:
    """Whether people are asked about candidates of a rank, or were."""
    asked = select(t.candidate.c.id).where(t.candidate.c.asked == 1, t.candidate.c.rank == rank)
    return connection.execute(asked.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Said:
    """What is kept of a candidate beside its row: the guard that holds it back, and the votes that count, by answer."""

    candidate: int
    guard: str | None
    votes: dict[int, int]


def said_of(connection: Connection, images: Iterable[int]) -> list[Said]:
    """All candidates of images, by rank, but for questions made by hand."""
    candidate, vote = t.candidate.c, t.vote.c
    asked = select(candidate.id, candidate.guard).where(candidate.rank >= LACKING)
    asked = asked.order_by(candidate.rank, candidate.id)
    rows = [row for chunk in chunks(images) for row in connection.execute(asked.where(candidate.image_id.in_(chunk)))]
    cast = select(vote.candidate_id, vote.answer, func.count()).where(counts()).group_by(vote.candidate_id, vote.answer)
    votes: dict[int, dict[int, int]] = {}
    for chunk in chunks([row.id for row in rows]):
        for number, answer, count in connection.execute(cast.where(vote.candidate_id.in_(chunk))):
            votes.setdefault(number, {})[answer] = count
    return [Said(row.id, row.guard, votes.get(row.id, {})) for row in rows]


@dataclass(frozen=True, slots=True)
class ShownBox:
    """A box in inclusive upright pixels: by whom (people, machine or archive), the share of those who looked that drew
    it, None where nobody counted, and what else is said of it, in words."""

    wnid: str
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    by: str = ARCHIVE
    support: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Its columns."""
        return self.x_max - self.x_min + 1

    @property
    def height(self) -> int:
        """Its rows."""
        return self.y_max - self.y_min + 1


_WORDS: Final = {"truncated": "cut off", "occluded": "partly hidden", "group_of": "a group", "difficult": "difficult"}


def boxes_of(connection: Connection, images: Iterable[int]) -> list[ShownBox]:
    """The boxes of images, oldest first, each once."""
    box = t.box.c
    columns = *(box[name] for name in BoxRow._fields), t.file.c.kind, box.support, *(box[name] for name in _WORDS)
    asked = select(*columns).select_from(t.box.join(t.file, t.file.c.id == box.file_id)).order_by(box.id)
    rows = (row for chunk in chunks(images) for row in connection.execute(asked.where(box.image_id.in_(chunk))))
    return list(dict.fromkeys(_shown_box(*row) for row in rows))


def _shown_box(wnid: str, x_min: int, y_min: int, x_max: int, y_max: int, kind: str, *told: Any) -> ShownBox:
    support, *flags = told
    said = tuple(word for word, held in zip(_WORDS.values(), flags, strict=True) if held)
    return ShownBox(wnid, x_min, y_min, x_max, y_max, said_by(kind), support, said)


def has_boxes(connection: Connection) -> bool:
    """Whether any image has a box."""
    return connection.execute(select(t.box.c.id).limit(1)).first() is not None


def alike(connection: Connection, images: Collection[int]) -> list[int]:
    """The ids of the other images in the groups of near-duplicates that some images are in."""
    near = t.near_duplicate.c
    groups = select(near.group_id).where(near.image_id.in_(list(images)))
    asked = select(near.image_id).where(near.group_id.in_(groups), near.image_id.not_in(list(images)))
    return list(connection.execute(asked.order_by(near.image_id).limit(100)).scalars())


def yields(connection: Connection, rank: int) -> list[tuple[str, str, int]]:
    """How many candidates of a synset each source brought, ``(source, state, count)``; one that several sources found
    counts for each. A dataset is the source of what it labels and nobody found."""
    candidate, sighting = t.candidate.c, t.sighting.c
    state = (candidate.state + 0).label("state")
    seen = select(sighting.source, state, func.count(candidate.id.distinct())).join(
        t.candidate, candidate.id == sighting.candidate_id
    )
    found = _rows(connection, seen.where(candidate.rank == rank).group_by(sighting.source, state))
    alone = ~select(sighting.id).where(sighting.candidate_id == candidate.id).exists()
    source = literal("imported:").concat(t.dataset.c.name).label("source")
    labelled = (
        select(source, state, func.count())
        .select_from(t.candidate.join(t.file, t.file.c.id == candidate.labelled_by).join(t.dataset))
        .where(candidate.rank == rank, alone)
        .group_by(t.dataset.c.name, state)
    )
    return sorted(found + _rows(connection, labelled))


def _rows(connection: Connection, asked: Select[Any]) -> list[tuple[str, str, int]]:
    return [(source, STATES[state], count) for source, state, count in connection.execute(asked)]
