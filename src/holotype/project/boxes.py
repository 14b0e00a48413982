"""Boxes: drawn, judged and covered by a crowd (Su, Deng and Fei-Fei, HCOMP 2012)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from sqlalchemy import Connection

from holotype.boxes.campaign import Standing
from holotype.boxes.inbox import WebBoxCrowd
from holotype.boxes.port import BoxCrowd
from holotype.boxes.reviews import BoxReviews, review_boxes
from holotype.boxes.rules import Rules
from holotype.boxes.tally import OPEN
from holotype.boxes.values import Corners, Kind, Question
from holotype.catalog import box_conclusions, box_facts, box_figures, candidates
from holotype.catalog.box_conclusions import KnownBox
from holotype.catalog.fingerprints import unread_of
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import State
from holotype.crowd.layers import ranges_of
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.crowd.reviews import Limits
from holotype.errors import CrowdError
from holotype.project.box_courses import Course, last_rules
from holotype.project.box_gold import BoxGold
from holotype.project.box_inbox import CatalogBoxInbox
from holotype.project.box_proposals import Boxes as Proposals
from holotype.project.box_proposals import ProposalsReport, boxes_in, propose
from holotype.project.box_records import ask, read_boxes, read_given
from holotype.project.box_rehearsing import history, pictures
from holotype.project.box_turk import turk_boxes
from holotype.project.facts import check_reason, person
from holotype.project.fingerprints import fingerprint_images
from holotype.project.image_names import one_image
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.queries import Live, Query
from holotype.queries.query import Term
from holotype.simulation.box_crowd import SimulatedDrawers
from holotype.simulation.box_fitting import BoxHistory
from holotype.simulation.box_rehearsal import Picture
from holotype.simulation.drawers import PEOPLE, Drawers
from holotype.simulation.scenes import ILSVRC, Scenes, made_boxes

if TYPE_CHECKING:
    from holotype.boxes.mturk import TurkBoxes

RULES: Final = Rules()
BY: Final = {box_conclusions.DRAWINGS: "people", "annotations": "people"}
"""Who says what boxes are in a file of a kind, where that is no archive."""


@dataclass(frozen=True, slots=True)
class BoxesReport:
    """The outcome of `Boxes.run`: candidates by what became of them (covered, empty, person, open), the replies that
    this call and all calls brought, and the boxes there are; `unread` images could not be looked at.

    `up` pages wait for somebody; some may be `held_back` since the budget has no replies left for them. `refused` says
    why sheets were.
    """

    states: Mapping[str, int]
    boxes: int
    new_replies: int
    replies: int
    rules: str
    up: int = 0
    unread: int = 0
    held_back: bool = False
    refused: tuple[str, ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether some candidates are open: the crowd is still working, or was stopped."""
        return self.states.get(OPEN, 0) > 0

    def __str__(self) -> str:
        total = sum(self.states.values())
        parts = ", ".join(f"{name} {count:,}" for name, count in self.states.items())
        unread = f"; {self.unread:,} more cannot be looked at" if self.unread else ""
        return (
            f"{total:,} candidates: {parts}; {self.boxes:,} boxes; {self.replies:,} replies, {self.new_replies:,} of "
            f"them new{unread}"
        )


@dataclass(frozen=True, slots=True)
class ImageBox:
    """A box of an image: its synset, inclusive pixels of the upright picture, the share of people who drew it (None
    where nobody was asked), what is said of it, and `by` whom: people, ``machine:NAME``, or an archive, whose file is
    the `source`."""

    wnid: str
    box: Corners
    by: str
    source: str
    support: float | None = None
    truncated: bool | None = None
    occluded: bool | None = None
    group_of: bool | None = None
    difficult: bool | None = None


@dataclass(frozen=True, slots=True)
class SynsetBoxes:
    """How the boxes of a synset stand: its candidates by what became of them, boxes and drawings, how many of the
    drawings that were judged are good, and the time that people took, in seconds."""

    wnid: str
    states: Mapping[str, int]
    boxes: int = 0
    drawings: int = 0
    good: int = 0
    judged: int = 0
    seconds: float = 0.0

    @property
    def images(self) -> int:
        """How many images there are."""
        return sum(self.states.values())


class Boxes:
    """The boxes of a project's images that people and machines draw."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas
        self.gold = BoxGold(parts, lemmas)

    def web(self) -> WebBoxCrowd:
        """The people who answer this project's pages about boxes on the web, as its crowd; run it again and again."""
        return WebBoxCrowd(CatalogBoxInbox(self._parts.catalog, self._parts.clock))

    def simulated(self, seed: int = 2009, population: Drawers = PEOPLE) -> SimulatedDrawers:
        """A simulated crowd for this project's images: people see the boxes that archives and annotators say there are
        of a synset, and where they say of none, made ones; see `holotype.simulation.drawers`."""
        with self._parts.catalog.read() as connection:
            said = box_conclusions.said_of_digests(connection)

        def truth(sha256: str, wnid: str, width: int, height: int) -> Sequence[Corners]:
            return said.get((sha256, wnid)) or made_boxes(sha256, wnid, width, height)

        return SimulatedDrawers(truth, self._parts.clock, population, seed)

    def mturk(
        self,
        terms: Terms,
        budget: Decimal | None = None,
        production: bool = False,
        endpoint: str | None = None,
        agree: Callable[[Quote], None] = lambda _: None,
    ) -> TurkBoxes:
        """Mechanical Turk's sandbox, or with `production` its real workers, as the crowd that draws and judges.

        `budget` is the most, in dollars, that all pages about boxes may cost together; all else is as of
        `holotype.project.crowd.CrowdRoom.mturk`. The project's own site shows the pages at
        ``https://HOST/box-page/{page}?k={key}``. Raises `CrowdError`.
        """
        return turk_boxes(self._parts, terms, budget, production, endpoint, agree)

    def pictures(self, query: str | Query = "", under: Iterable[str] = (), scenes: Scenes = ILSVRC) -> list[Picture]:
        """What `holotype.simulation.box_rehearsal.rehearse_boxes` rehearses: the candidates that `run` would ask about
        whose images were read, with the boxes that simulated people see, made ones as many as `scenes` have."""
        asked = self._asked(query, under)
        with self._parts.catalog.read() as connection:
            return pictures(connection, asked, scenes)

    def history(self) -> BoxHistory:
        """The campaign so far: what `holotype.simulation.box_fitting.fit_drawers` starts from."""
        with self._parts.catalog.read() as connection:
            return history(connection)

    def run(
        self,
        crowd: BoxCrowd,
        rules: Rules = RULES,
        query: str | Query = "",
        under: Iterable[str] = (),
        budget: int | None = None,
        progress: Callable[[Standing], None] = lambda _: None,
        again: Callable[[Standing], bool] = lambda _: False,
    ) -> BoxesReport:
        """Ask `crowd` for the boxes of all candidates that a query finds and that are labelled yes, unless it names
        another ``state``, in the subtrees `under`, until `rules` are content with each.

        Replies are durable before they count. Stopped at any moment and run again, it goes on where it was. It returns
        with open candidates where the crowd has no more for now; `again` may wait for more, and say whether to look.
        With a `budget` no page is put up that could bring more replies than so many, from all runs together. Images
        that were not read yet are read first.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`.
        """
        self._parts.check_writable()
        asked = self._asked(query, under)
        unread = self._read(asked)
        course = Course(self._parts, rules, asked)
        standing = course.go(crowd, budget, progress)
        while standing.waiting and again(standing):
            standing = course.go(crowd, budget, progress)
        refused = (*standing.refused, *getattr(crowd, "refused", ()))
        told = standing.counts, course.boxes, course.new, course.tally.replies, str(rules), standing.up, unread
        return BoxesReport(*told, standing.held_back, refused)

    def propose(
        self, name: str, boxes: Proposals, least: float | None = None, names: Path | None = None
    ) -> ProposalsReport:
        """Record the boxes that a machine proposes, or a file of them, as drawings that people only verify: see
        `holotype.project.box_proposals.propose`.

        `names` is a file of COCO's instances that says what the numbers in results are. To count them no more, block
        the worker ``machine:NAME``.
        """
        given, broken = boxes_in(boxes, names)
        return propose(self._parts, self._lemmas.senses, name, given, broken, least)

    def review(self, limits: Limits = Limits()) -> BoxReviews:
        """Reviews of everybody who draws and judges boxes, by what the rules as last conclude: see
        `holotype.boxes.reviews.review_boxes`."""
        with self._parts.catalog.read() as connection:
            tally, given, rules = read_boxes(connection), read_given(connection), last_rules(connection)
        tally.conclude(rules or RULES)
        return review_boxes(given, tally, limits)

    def conclude(self, rules: Rules = RULES) -> BoxesReport:
        """Conclude by other `rules`, or by other gold and blocks, of all there is, and ask nobody.

        The same facts and rules come to the same rows.
        """
        self._parts.check_writable()
        course = Course(self._parts, rules, None)
        course.tally.conclude(rules)
        course.write()
        return BoxesReport(course.tally.counts(), course.boxes, 0, course.tally.replies, str(rules))

    def _asked(self, query: str | Query, under: Iterable[str]) -> list[int]:
        """The candidates that a query finds, in ontology order."""
        wanted = Query.of(query)
        if not any(term.field == "state" for term in wanted.terms):
            wanted = Query((*wanted.terms, Term("state", ":", State.YES)))
        ontology = self._parts.ontology
        wnids = [self._lemmas.meant(text).wnid for text in under]
        live = Live(self._parts.catalog, ontology, self._lemmas.senses)
        with self._parts.catalog.read() as connection:
            ranks, conditions = live.chosen(connection, wanted)
            if wnids:
                below = np.zeros(len(ranks), bool)
                for start, stop in ranges_of(ontology, wnids):
                    below[start:stop] = True
                ranks = ranks & below
            number, rank = candidates.meeting(connection, conditions)
        found: list[int] = number[ranks[rank]].tolist()
        return found

    def _read(self, asked: Sequence[int]) -> int:
        """Read the images of candidates that were not read yet; how many cannot be."""
        with self._parts.catalog.read() as connection:
            images = candidates.images_of(connection, asked)
            new = [number for number, _ in unread_of(connection, images)]
        return fingerprint_images(self._parts.catalog, self._parts.store, new).unreadable if new else 0

    # How they stand

    def status(self) -> list[SynsetBoxes]:
        """How the boxes of each synset stand that was ever asked about, in ontology order."""
        ontology = self._parts.ontology
        with self._parts.catalog.read() as connection:
            found = box_figures.read(connection)
        order = sorted(found, key=lambda wnid: ontology.rank(wnid) if wnid in ontology else -1)
        return [
            SynsetBoxes(wnid, one.states, one.boxes, one.drawings, one.good, one.judged, one.seconds)
            for wnid, one in ((wnid, found[wnid]) for wnid in order)
        ]

    def of(self, image: str) -> list[ImageBox]:
        """The boxes of an image, by any of its names: those of archives, then those that were drawn.

        Raises `UnknownImage` or `AmbiguousImage`.
        """
        with self._parts.catalog.read() as connection:
            named = one_image(connection, image)
            held = box_conclusions.boxes_of(connection, [named.id])
        return [_image_box(one) for one in held]

    def redo(self, image: str, synset: str, curator: str, reason: str) -> int:
        """Have the boxes of an image drawn anew: a curator says, as gold, that those there are of a synset are bad and
        that not all is covered; how many boxes go.

        Raises `UnknownImage`, `AmbiguousImage`, `UnknownSynset`, `AmbiguousLemma`, and `CrowdError` where nothing was
        concluded of it, or without a reason.
        """
        check_reason(reason)
        name, wnid = person(curator, "a curator"), self._lemmas.meant(synset).wnid
        now = self._parts.clock()

        def work(connection: Connection) -> int:
            named = one_image(connection, image)
            number = candidates.ids(connection, [(wnid, named.id)]).get((wnid, named.id))
            if number is None or number not in box_conclusions.states(connection, [number]):
                raise CrowdError(f"nothing was concluded of the boxes of {synset} in {image}")
            held = [one for one in box_conclusions.boxes_of(connection, [named.id]) if one.wnid == wnid]
            drawings = sorted(one.drawing for one in held if one.drawing is not None)
            bad = [Question(number, Kind.QUALITY, drawing) for drawing in drawings]
            ids = ask(connection, [*bad, Question(number, Kind.COVERAGE, shown=tuple(drawings))], now)
            box_facts.say_gold(connection, dict.fromkeys(ids, int(Answer.NO)), name, reason, now)
            return len(bad)

        return self._parts.catalog.transact(work)


def _image_box(one: KnownBox) -> ImageBox:
    by = one.path if one.kind == box_conclusions.DETECTIONS else BY.get(one.kind, "archive")
    corners = one.x_min, one.y_min, one.x_max, one.y_max
    flags = (
        None if said is None else bool(said) for said in (one.truncated, one.occluded, one.group_of, one.difficult)
    )
    truncated, occluded, group_of, difficult = flags
    return ImageBox(one.wnid, corners, by, one.path, one.support, truncated, occluded, group_of, difficult)
