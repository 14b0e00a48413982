"""The statistics of a live catalog: asks for what `holotype.statistics` computes them from, summed up in SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from holotype.audits.certificates import Certificate
from holotype.catalog import images, labels, votes
from holotype.catalog import masks as mask_rows
from holotype.catalog import statistics as statistic_rows
from holotype.catalog.locations import locations
from holotype.consensus.votes import MACHINE
from holotype.crowd.policy_names import hears_machines
from holotype.engine import Progress, map_batches
from holotype.images.fingerprint import many_at_once
from holotype.ontology import Ontology
from holotype.project.facts import read_alarms
from holotype.project.imageability import read_imageability
from holotype.project.memory import appended_votes
from holotype.project.parts import Parts
from holotype.statistics.accuracy import Audited, DepthAccuracy, accuracy
from holotype.statistics.boxing import Boxing, Side, agreement, coverage
from holotype.statistics.diversity import Diversity, Ranking, diversity
from holotype.statistics.diversity import rank as rank_synsets
from holotype.statistics.hierarchy import hierarchy
from holotype.statistics.histogram import Ints
from holotype.statistics.masks import ClassMasks, Masked, masked
from holotype.statistics.objects import ClassBoxes, Objects, objects
from holotype.statistics.scale import scale
from holotype.statistics.sizes import Sizes, sizes
from holotype.statistics.statistics import Statistics
from holotype.store.location import Location

RANKED: Final = 100
"""The diversity of so many synsets is measured, drawn at random from those with enough images."""

Read = Callable[[Location], bytes]


def read_statistics(connection: Connection, ontology: Ontology, certificates: Sequence[Certificate]) -> Statistics:
    """All statistics but diversity, of the images labelled yes, wherever they lie."""
    images = images_by_rank(connection, ontology)
    return Statistics(
        scale(images),
        hierarchy(ontology, images),
        _accuracy(ontology, certificates),
        _sizes(connection),
        _objects(connection),
        None,
        tuple(read_imageability(connection, ontology)),
        _boxing(connection, int(images.sum())),
        _masks(connection),
    )


def images_by_rank(connection: Connection, ontology: Ontology) -> Ints:
    """The number of images labelled yes of every synset, shape ``(len(ontology),)``."""
    rows = statistic_rows.label_counts(connection)
    found = np.zeros(len(ontology), np.int64)
    np.add.at(found, rows[:, 0], rows[:, -1])
    return found


def _accuracy(ontology: Ontology, certificates: Sequence[Certificate]) -> tuple[DepthAccuracy, ...]:
    return accuracy(
        Audited(found.plan.wnid, ontology.depth(found.plan.wnid), found.correct, found.audited, found.lower)
        for found in certificates
    )


def _sizes(connection: Connection) -> Sizes | None:
    rows = statistic_rows.size_counts(connection)
    return sizes(*rows.T) if len(rows) else None


def _objects(connection: Connection) -> Objects | None:
    per_image = Counter[int](dict(statistic_rows.box_counts(connection).tolist()))
    if not per_image:
        return None
    classes = (
        ClassBoxes(wnid, rows[:, 0], rows[:, 1:5], rows[:, 5:])
        for wnid, rows in statistic_rows.boxes_by_class(connection)
    )
    return objects(classes, per_image)


def _boxing(connection: Connection, labels: int) -> Boxing | None:
    said = tuple(Side(**one) for one in statistic_rows.boxes_said_by(connection))
    states, asked = statistic_rows.coverage_counts(connection)
    if not said and not asked:
        return None
    drawn, boxes = statistic_rows.drawings_and_boxes(connection)
    return Boxing(said, coverage(states, asked, labels), agreement(drawn, boxes) if len(drawn) else None)


def _masks(connection: Connection) -> Masked | None:
    classes = (
        ClassMasks(wnid, rows[:, 0], rows[:, 1] / rows[:, 2], rows[:, 3] > 0)
        for wnid, rows in mask_rows.by_class(connection)
    )
    return masked(classes, mask_rows.counts_per_image(connection))


@dataclass(frozen=True, slots=True)
class Draw:
    """Images of a synset in a random order: twice as many as wanted where there are, for some may be damaged."""

    wnid: str
    locations: tuple[Location, ...]


def draw_images(connection: Connection, ontology: Ontology, wanted: int, seed: int) -> list[Draw]:
    """Up to `RANKED` synsets with at least `wanted` images, and images of each to measure diversity by.

    What `seed` draws does not depend on the order in which images came in.
    """
    enough = np.flatnonzero(images_by_rank(connection, ontology) >= wanted)
    ranks = np.sort(np.random.default_rng(seed).permutation(enough)[:RANKED])
    return [Draw(ontology.at_rank(number).wnid, _draw(connection, number, wanted, seed)) for number in ranks.tolist()]


def _draw(connection: Connection, number: int, wanted: int, seed: int) -> tuple[Location, ...]:
    images = statistic_rows.image_ids_of_rank(connection, number)[:, 0]
    drawn = images[np.random.default_rng([seed, number]).permutation(len(images))[: 2 * wanted]].tolist()
    lie = locations(connection, drawn)
    return tuple(lie[number] for number in drawn)


def measure_diversity(draws: Sequence[Draw], wanted: int, read: Read, progress: Progress) -> Ranking:
    """The diversity of what was drawn, by `wanted` images of each; on all cores."""

    def measure(draw: Draw) -> Diversity | None:
        return diversity(draw.wnid, map(read, draw.locations), wanted)

    found = []
    with many_at_once():
        for done, one in enumerate(map_batches(measure, draws, kind="threads"), 1):
            found.append(one)
            progress(done, len(draws))
    return rank_synsets(found, wanted)


def statistics_of(
    parts: Parts, certificates: Sequence[Certificate], diversity: int, seed: int, progress: Progress
) -> Statistics:
    """The statistics of a project: see `Project.statistics`."""
    with parts.catalog.read() as connection:
        found = read_statistics(connection, parts.ontology, certificates)
        draws = draw_images(connection, parts.ontology, diversity, seed) if diversity else []
    if not diversity:
        return found
    return replace(found, diversity=measure_diversity(draws, diversity, parts.store.read, progress))


def machines_helped(connection: Connection) -> dict[str, Any]:
    """How many labels machines helped with, and which with how many; empty where none did."""
    helped = votes.labels_helped(connection, MACHINE)
    heard = {policy: hears_machines(policy) for policy in {policy for policy, _, _ in helped}}
    by_machine = Counter(worker for policy, _, worker in helped if heard[policy])
    labels = {number for policy, number, _ in helped if heard[policy]}
    return {"labels": len(labels), "labels_by_machine": dict(sorted(by_machine.items()))} if labels else {}


def count(connection: Connection, ontology: Ontology) -> dict[str, Any]:
    """What a catalog holds, in numbers: see `Project.counts`."""
    by_synset: dict[str, dict[str, int]] = {}
    states = Counter[str]()
    for (rank, wnid, state), number in sorted(labels.counts(connection).items()):
        by_synset.setdefault(wnid or ontology.at_rank(rank).wnid, {})[state] = number
        states[state] += number
    intake = images.intake_counts(connection)
    return {
        **images.totals(connection),
        "intake": {f"{outcome}({reason})" if reason else outcome: n for (outcome, reason), n in intake.items()},
        "states": dict(states),
        "policies": labels.by_policy(connection),
        "guards": labels.by_guard(connection),
        "machines": machines_helped(connection),
        "alarms": [asdict(alarm) for alarm in read_alarms(connection)],
        "appended": appended_votes(connection),
        "imported": labels.agreement(connection),
        "synsets": by_synset,
    }
