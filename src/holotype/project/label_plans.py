"""Plans of questions about many synsets as a project keeps them, and what is known of the images they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from holotype.catalog import label_questions
from holotype.catalog.images import Named, with_ids
from holotype.catalog.label_questions import Group, group_rank
from holotype.catalog.schema import STATES as KEPT
from holotype.crowd.conclusion import STATES, State
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.queries import Live, Query
from holotype.questions.groups import is_group
from holotype.questions.plan import Plan, Question
from holotype.questions.planning import Believed, plan_of
from holotype.questions.pruning import Codes, Verdict, reached
from holotype.questions.rates import Caution, verdicts_of

UNSAID = -1.0


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan by its name: the query that finds its images, its leaves, and the questions about several of them that are
    asked, synsets and groups, all by wnid; an image is taken to have so many `labels` at first."""

    name: str
    query: str
    leaves: tuple[str, ...]
    questions: tuple[str, ...]
    labels: float
    lose: float


def read_plans(connection: Connection) -> dict[str, KeptPlan]:
    """The plans of a project, by name."""
    told = json.loads(label_questions.plans(connection) or "{}")
    return {
        name: KeptPlan(**{**one, "leaves": tuple(one["leaves"]), "questions": tuple(one["questions"])})
        for name, one in told.items()
    }


def keep_plan(connection: Connection, plan: KeptPlan) -> None:
    """Keep a plan, in place of one of its name."""
    held = read_plans(connection) | {plan.name: plan}
    label_questions.set_plans(connection, json.dumps({name: asdict(one) for name, one in held.items()}))


def named_plan(connection: Connection, name: str) -> KeptPlan:
    """The plan of a name. Raises `CrowdError` where there is none."""
    held = read_plans(connection)
    if name not in held:
        others = f"; there is {', '.join(sorted(held))}" if held else ""
        raise CrowdError(f"no plan of questions is called {name!r}{others}: say which leaves are asked about")
    return held[name]


def whole(connection: Connection, ontology: Ontology, kept: KeptPlan) -> Plan:
    """The plan with all its questions. Raises `UnknownSynset` where the ontology lacks one."""
    groups = {one.wnid: one for one in label_questions.read(connection, filter(is_group, kept.questions))}
    inner = [wnid for wnid in kept.questions if not is_group(wnid)]
    below = {wnid: {one.wnid for one in ontology.descendants(wnid)} for wnid in inner}
    asked = [Question(wnid, frozenset(below[wnid] & set(kept.leaves))) for wnid in inner]
    asked += [_question(ontology, groups[wnid], kept.leaves) for wnid in kept.questions if wnid in groups]
    return plan_of(ontology, kept.leaves, asked, Believed(labels=kept.labels))


def _question(ontology: Ontology, group: Group, leaves: Sequence[str]) -> Question:
    named = {*group.leaves, *(below.wnid for one in group.leaves for below in ontology.descendants(one))}
    return Question(group.wnid, frozenset(named & set(leaves)), group.text, group.seconds)


def rank_of(ontology: Ontology, wnid: str) -> int:
    """The rank that candidates of a question have."""
    return group_rank(wnid) if is_group(wnid) else ontology.rank(wnid)


def images_of(parts: Parts, lemmas: Lemmas, query: str) -> dict[int, Named]:
    """The images that a query finds, by their ids, each once, ascending."""
    numbers = Live(parts.catalog, parts.ontology, lemmas.senses).images(Query.of(query))
    with parts.catalog.read() as connection:
        found = with_ids(connection, numbers)
    return {number: found[number] for number in numbers}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of images: `images` are their ids, ascending, `verdicts` and `scores` ``(images, questions)`` what
    is concluded of each question, with the chance of a yes or `UNSAID`; `candidates` are the ids of those that are
    asked about, and `wanted` of those among them that nothing above makes needless or is still open: a folder may say
    what an image shows, and nobody is asked about it before the plan wants to know."""

    images: npt.NDArray[np.int64]
    verdicts: Codes
    scores: npt.NDArray[np.float64]
    candidates: npt.NDArray[np.int64]
    wanted: npt.NDArray[np.int64]


def known_of(connection: Connection, ontology: Ontology, plan: Plan, kept: KeptPlan, images: Sequence[int]) -> Known:
    """What is concluded of the questions of a plan about images."""
    ranks = np.array([rank_of(ontology, wnid) for wnid in plan.asked], np.int64)
    order = np.argsort(ranks)
    found = label_questions.answers(connection, ranks.tolist())
    numbers = np.array(sorted(images), np.int64)
    row = np.searchsorted(numbers, found.image)
    here = (row < len(numbers)) & np.isin(found.image, numbers) & (found.state < len(STATES))
    here &= (found.asked == 1) | (found.state != KEPT.index("open"))
    row, place = row[here], order[np.searchsorted(ranks[order], found.rank[here])]
    codes = np.array([STATES.index(State(name)) for name in KEPT[: len(STATES)]], np.int8)[found.state[here]]
    score = found.posterior[here]
    verdicts = np.full((len(numbers), len(plan)), Verdict.UNASKED, np.int8)
    verdicts[row, place] = verdicts_of(plan, place, codes, score, Caution(kept.lose))
    scores = np.full(verdicts.shape, UNSAID)
    scores[row, place] = score
    numbered, asked = found.candidate[here], found.asked[here] == 1
    live = asked & reached(plan, verdicts)[row, place]
    return Known(numbers, verdicts, scores, numbered[asked], numbered[live])


def sha256_of(connection: Connection, images: Sequence[int]) -> Mapping[int, str]:
    """The sha256 of those of some images that can be shown."""
    return label_questions.sound_images(connection, images)
