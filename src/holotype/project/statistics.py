"""The survey of a live catalog: asks for the inputs of `holotype.properties`, summed up in SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from holotype.audits.certificates import Certificate
from holotype.catalog import images, labels
from holotype.catalog import locations as places
from holotype.catalog import statistics as summaries
from holotype.engine import Progress, map_batches
from holotype.images.fingerprint import many_at_once
from holotype.ontology import Ontology
from holotype.project.facts import read_alarms
from holotype.project.memory import appended_votes
from holotype.project.parts import Parts
from holotype.statistics.accuracy import Audited, DepthAccuracy, accuracy
from holotype.statistics.diversity import Diversity, Ranking, diversity, rank
from holotype.statistics.hierarchy import hierarchy
from holotype.statistics.histogram import Ints
from holotype.statistics.objects import ClassBoxes, Objects, objects
from holotype.statistics.scale import scale
from holotype.statistics.sizes import Sizes, sizes
from holotype.statistics.survey import Survey
from holotype.store.location import Location

RANKED: Final = 100
"""The diversity of so many synsets is measured, drawn at random from those with enough images."""

Read = Callable[[Location], bytes]


def take_survey(connection: Connection, ontology: Ontology, certificates: Sequence[Certificate]) -> Survey:
    """All properties but diversity, of the images labelled yes and the imported items together."""
    items = summaries.item_counts(connection)
    images = images_by_rank(connection, ontology, items)
    return Survey(
        scale(images),
        hierarchy(ontology, images),
        _accuracy(ontology, certificates),
        _sizes(connection),
        _objects(connection, items),
        None,
    )


def images_by_rank(connection: Connection, ontology: Ontology, items: Ints | None = None) -> Ints:
    """The number of images of every synset, shape ``(len(ontology),)``; `items` is `summaries.item_counts`."""
    items = summaries.item_counts(connection) if items is None else items
    found = np.zeros(len(ontology), np.int64)
    for rows in (items[items[:, 0] >= 0], summaries.accepted_counts(connection)):
        np.add.at(found, rows[:, 0], rows[:, -1])
    return found


def _accuracy(ontology: Ontology, certificates: Sequence[Certificate]) -> tuple[DepthAccuracy, ...]:
    return accuracy(
        Audited(found.plan.wnid, ontology.depth(found.plan.wnid), found.correct, found.audited, found.lower)
        for found in certificates
    )


def _sizes(connection: Connection) -> Sizes | None:
    rows = summaries.size_counts(connection)
    return sizes(*rows.T) if len(rows) else None


def _objects(connection: Connection, items: Ints) -> Objects | None:
    per_image = Counter[int]()
    for _, boxes, count in items[items[:, 1] > 0].tolist():
        per_image[boxes] += count
    if not per_image:
        return None
    classes = (
        ClassBoxes(wnid, rows[:, 0], rows[:, 1:5], rows[:, 5:]) for wnid, rows in summaries.boxes_by_class(connection)
    )
    return objects(classes, per_image)


@dataclass(frozen=True, slots=True)
class Draw:
    """Images of a synset in a random order: twice as many as wanted where there are, for some may be damaged."""

    wnid: str
    places: tuple[Location, ...]


def draw_images(connection: Connection, ontology: Ontology, wanted: int, seed: int) -> list[Draw]:
    """Up to `RANKED` synsets with at least `wanted` images, and images of each to measure diversity by.

    What `seed` draws does not depend on the order in which images came in.
    """
    enough = np.flatnonzero(images_by_rank(connection, ontology) >= wanted)
    ranks = np.sort(np.random.default_rng(seed).permutation(enough)[:RANKED])
    return [Draw(ontology.at_rank(number).wnid, _draw(connection, number, wanted, seed)) for number in ranks.tolist()]


def _draw(connection: Connection, number: int, wanted: int, seed: int) -> tuple[Location, ...]:
    items = summaries.item_ids_of_rank(connection, number)[:, 0]
    images = summaries.image_ids_of_rank(connection, number)[:, 0]
    drawn = np.random.default_rng([seed, number]).permutation(len(items) + len(images))[: 2 * wanted]
    item_places = places.item_places(connection, items[drawn[drawn < len(items)]].tolist())
    image_places = places.image_places(connection, images[drawn[drawn >= len(items)] - len(items)].tolist())
    return tuple(
        item_places[int(items[place])] if place < len(items) else image_places[int(images[place - len(items)])]
        for place in drawn
    )


def measure_diversity(draws: Sequence[Draw], wanted: int, read: Read, progress: Progress) -> Ranking:
    """The diversity of what was drawn, by `wanted` images of each; on all cores."""

    def measure(draw: Draw) -> Diversity | None:
        return diversity(draw.wnid, map(read, draw.places), wanted)

    found = []
    with many_at_once():
        for done, one in enumerate(map_batches(measure, draws), 1):
            found.append(one)
            progress(done, len(draws))
    return rank(found, wanted)


def survey_of(
    parts: Parts, certificates: Sequence[Certificate], diversity: int, seed: int, progress: Progress
) -> Survey:
    """The survey of a project: see `Project.statistics`."""
    with parts.catalog.read() as connection:
        survey = take_survey(connection, parts.ontology, certificates)
        draws = draw_images(connection, parts.ontology, diversity, seed) if diversity else []
    if not diversity:
        return survey
    return replace(survey, diversity=measure_diversity(draws, diversity, parts.store.read, progress))


def count(connection: Connection, ontology: Ontology) -> dict[str, Any]:
    """What a catalog holds, in numbers: see `Project.counts`."""
    by_synset: dict[str, dict[str, int]] = {}
    states = Counter[str]()
    for (wnid, state), number in labels.counts(connection).items():
        by_synset.setdefault(wnid, {})[state] = number
        states[state] += number
    intake = images.intake_counts(connection)
    return {
        **images.totals(connection),
        "intake": {f"{outcome}({reason})" if reason else outcome: n for (outcome, reason), n in intake.items()},
        "states": dict(states),
        "policies": labels.by_policy(connection),
        "guards": labels.by_guard(connection),
        "alarms": [asdict(alarm) for alarm in read_alarms(connection)],
        "appended": appended_votes(connection),
        "synsets": {wnid: by_synset[wnid] for wnid in sorted(by_synset, key=ontology.rank)},
    }
