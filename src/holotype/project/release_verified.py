"""What a release says of its images beside labels: what is not there, and of what every instance is boxed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from holotype.catalog import label_questions
from holotype.ontology import Ontology
from holotype.project.label_plans import KeptPlan, known_of, read_plans, whole
from holotype.project.parts import Parts
from holotype.questions.pruning import Verdict, fates
from holotype.releases.verified import ABSENT, COVERED, Verified

Fact = tuple[int, str, str, float, str]
"""An image, a wnid, what is said of it, a chance, and the question that says so."""
AT_ONCE: Final = 20_000


def read_verified(connection: Connection, parts: Parts, images: npt.NDArray[np.int64]) -> Verified | None:
    """What is verified of images; None where nobody ever asked for it: there is no plan of questions, and nothing is
    covered by boxes.

    Absent is what was asked about and is labelled no, and the leaves of plans that a no above removes, but for what is
    above a label that the image has.
    """
    plans, covered = read_plans(connection), label_questions.covered(connection)
    if not plans and not covered:
        return None
    among = {*images.tolist()}
    facts: dict[tuple[int, str], Fact] = {}
    shown = _shown(connection, parts.ontology, among)
    noes = ((image, wnid, ABSENT, chance, wnid) for image, wnid, chance in label_questions.noes(connection))
    removed = (fact for plan in plans.values() for fact in _removed(connection, parts.ontology, plan, images))
    for fact in (*noes, *removed):
        if fact[0] in among and fact[:2] not in shown:
            facts.setdefault(fact[:2], fact)
    facts |= {(image, wnid): (image, wnid, COVERED, 1.0, wnid) for image, wnid in covered if image in among}
    image, wnid, said, chance, by = zip(*facts.values(), strict=True) if facts else ((),) * 5
    return Verified(np.array(image, np.int64), wnid, said, chance, by)


def _shown(connection: Connection, ontology: Ontology, images: set[int]) -> set[tuple[int, str]]:
    """What images are labelled yes for, with all above it."""
    above: dict[str, list[str]] = {}
    found = set()
    for image, wnid in label_questions.yeses(connection):
        if image in images:
            if wnid not in above:
                above[wnid] = [one.wnid for one in ontology.ancestors(wnid)] if wnid in ontology else []
            found |= {(image, wnid), *((image, one) for one in above[wnid])}
    return found


def _removed(
    connection: Connection, ontology: Ontology, kept: KeptPlan, images: npt.NDArray[np.int64]
) -> Iterator[Fact]:
    """The leaves of a plan that a no to a question above removes from images."""
    plan = whole(connection, ontology, kept)
    own = np.array([plan.places[leaf] for leaf in plan.leaves])
    for start in range(0, len(images), AT_ONCE):
        known = known_of(connection, ontology, plan, kept, images[start : start + AT_ONCE].tolist())
        found = fates(plan, known.verdicts)
        for row, leaf in zip(*np.nonzero((found.verdict == Verdict.NO) & (found.by != own)), strict=True):
            by = int(found.by[row, leaf])
            chance = max(float(known.scores[row, by]), 0.0)
            yield int(known.images[row]), plan.leaves[leaf], ABSENT, chance, plan.asked[by]
