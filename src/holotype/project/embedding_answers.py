"""What embeddings say of candidates: which to ask about next, and what a machine votes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, fingerprints, labels
from holotype.catalog.embeddings import Embedded, Model, Vectors
from holotype.consensus.ballot import Floats, Ints
from holotype.crowd.machines.voter import Machine, Scored, Thresholds
from holotype.errors import OtherWeights, RecognitionError
from holotype.project.embedding_facts import places_of, read_embedded
from holotype.project.parts import Parts
from holotype.recognition.heads import Head, chances, shown_by
from holotype.recognition.ordering import FOLDS, doubt, fitted_chances, held_out_chances, in_turn

UNCERTAIN, LIKELY, DIVERSE = "uncertain", "likely", "diverse"
ORDERS: Final = (UNCERTAIN, LIKELY, DIVERSE)


@dataclass(frozen=True, slots=True)
class Next:
    """A candidate to ask about, and the chance that it is good as far as embeddings tell; None where nobody has
    answered yet."""

    sha256: str
    wnid: str
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """In which order to ask about the open candidates of a synset, and `by` what; that follows from so many images that
    are `yes` and `no`. So many candidates are `open` and have an embedding, these `first` of them; so many
    more are `without` one, and in no order."""

    wnid: str
    by: str
    yes: int
    no: int
    open: int
    without: int
    first: tuple[Next, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Answered:
    """Candidates with embeddings: ids, places of the embeddings, places of the synset, and what is concluded, ``(n,)``
    each; `wnids` are the synsets, and so many more candidates are `without` an embedding."""

    candidate: Ints
    place: Ints
    synset: Ints
    state: np.ndarray
    wnids: list[str]
    without: Ints

    def having(self, *states: str) -> np.ndarray:
        """Which are in one of some states."""
        return np.isin(self.state, states)


def order_of(parts: Parts, wnid: str, by: str, most: int, model: str) -> Order:
    """See `holotype.project.embeddings.Embeddings.order`."""
    if by not in ORDERS:
        raise RecognitionError(f"an order is {', '.join(ORDERS)}, not {by[:40]!r}")
    rank = parts.ontology.rank(wnid)
    with parts.catalog.read() as connection:
        _, held = read_embedded(connection, model)
        tasks = candidates.tasks(connection, ranges=[(rank, rank + 1)])
        found = _answered(connection, held, tasks)
        accepted = candidates.accepted(connection, parts.ontology.ranges(wnid))
    below = places_of(held, (one.sha256 for one in accepted))
    yes = np.union1d(below, found.place[found.having("yes")])
    no = np.setdiff1d(found.place[found.having("no")], yes)
    asked, seen = found.place[found.having("open")], np.concatenate([yes, no])
    by = by if len(yes) and len(no) else DIVERSE
    chance = np.full(len(asked), np.nan)
    if by != DIVERSE:
        chance = fitted_chances(held.rows[seen], np.arange(len(seen)) < len(yes), held.rows[asked])
    turn = _turn(held.rows[asked], held.rows[seen], chance, by, most)
    first = (Next(held.digest(asked[one]), wnid, _told(chance[one])) for one in turn.tolist())
    return Order(wnid, by, len(yes), len(no), len(asked), len(found.without), tuple(first))


def _turn(asked: Vectors, seen: Vectors, chance: Floats, by: str, most: int) -> Ints:
    if by == LIKELY:
        return np.argsort(-chance, kind="stable")[:most]
    return in_turn(asked, doubt(chance) if by == UNCERTAIN else np.ones(len(asked)), seen, most)


def _told(chance: float) -> float | None:
    return None if np.isnan(chance) else round(float(chance), 6)


def _answered(connection: Connection, held: Embedded, tasks: candidates.Tasks) -> _Answered:
    digest = fingerprints.digests(connection, np.unique(tasks.image).tolist())
    place = held.places([digest[image] for image in tasks.image.tolist()])
    concluded = labels.read(connection, tasks.candidate.tolist() if len(tasks.candidate) <= labels.FEW else None)
    drawn = dict(zip(concluded.candidate.tolist(), concluded.state.tolist(), strict=True))
    names = [*concluded.states, "open"]
    state = np.array([names[drawn.get(one, -1)] for one in tasks.candidate.tolist()], "U16")
    there = place >= 0
    without = tasks.candidate[~there & (state == "open")]
    return _Answered(
        tasks.candidate[there], place[there], tasks.synset[there], state[there], list(tasks.wnids), without
    )


def classifier(parts: Parts, name: str, head: Head, thresholds: Thresholds, model: str) -> Machine:
    """A machine that says of each candidate what the last layer of a classifier makes of the embedding of its image:
    the probability of all classes that are the synset or below it. Of a synset without such a class it says nothing."""
    with parts.catalog.read() as connection:
        made_by, held = read_embedded(connection, model)
        found = _answered(connection, held, candidates.tasks(connection))
    if head.digest != made_by.digest:
        raise OtherWeights(made_by.name, f"it is {made_by.digest[:12]}, and this classifier is {head.digest[:12]}")
    shown = shown_by(head.classes, parts.ontology, found.wnids)
    told = chances(head, held.rows[found.place], found.synset.astype(np.int64), shown)
    layer = hashlib.sha256(head.weight.tobytes() + head.bias.tobytes() + " ".join(head.classes).encode()).hexdigest()
    return _machine(name or made_by.name, made_by, f"classifier {layer[:16]}", found.candidate, told, thresholds)


def fitted(parts: Parts, name: str, thresholds: Thresholds, model: str) -> Machine:
    """A machine that learns each synset from the candidates of it that are labelled, and says of these what it would
    say had it not seen their own answer. Of a synset with too few labels of each kind it says nothing."""
    with parts.catalog.read() as connection:
        made_by, held = read_embedded(connection, model)
        found = _answered(connection, held, candidates.tasks(connection))
    told = np.full(len(found.candidate), np.nan)
    for synset in range(len(found.wnids)):
        mine = np.flatnonzero(found.synset == synset)
        yes, no = (mine[found.having(state)[mine]] for state in ("yes", "no"))
        if min(len(yes), len(no)) < FOLDS:
            continue
        known = np.sort(np.concatenate([yes, no]))
        rest = np.setdiff1d(mine, known)
        answer = found.having("yes")[known]
        told[known] = held_out_chances(held.rows[found.place[known]], answer)
        told[rest] = fitted_chances(held.rows[found.place[known]], answer, held.rows[found.place[rest]])
    return _machine(name or made_by.name, made_by, "learned from labels", found.candidate, told, thresholds)


def _machine(name: str, model: Model, how: str, candidate: Ints, told: np.ndarray, thresholds: Thresholds) -> Machine:
    said = ~np.isnan(told)
    by_number: Mapping[int, float] = dict(zip(candidate[said].tolist(), told[said].tolist(), strict=True))
    if not by_number:
        raise RecognitionError("nothing can be said of any candidate: none is embedded, or no synset is known")
    return Machine(name, Scored(by_number, identity=f"{model.name} {model.digest[:16]}, {how}"), thresholds)
