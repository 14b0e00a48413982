"""Boxes: drawn, judged and covered by a crowd (Su, Deng and Fei-Fei, HCOMP 2012)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from holotype.boxes.campaign import Standing
from holotype.boxes.inbox import WebBoxCrowd
from holotype.boxes.port import BoxCrowd
from holotype.boxes.reviews import BoxReviews, review_boxes
from holotype.boxes.rules import Rules
from holotype.boxes.values import Corners
from holotype.catalog import box_conclusions, box_figures, box_subjects, candidates
from holotype.catalog.fingerprints import unread_of
from holotype.crowd.conclusion import State
from holotype.crowd.layers import ranges_of
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.crowd.reviews import Limits
from holotype.project.box_courses import Course, last_rules
from holotype.project.box_gold import BoxGold
from holotype.project.box_inbox import CatalogBoxInbox
from holotype.project.box_proposals import Boxes as Proposals
from holotype.project.box_proposals import ProposalsReport, boxes_in, propose
from holotype.project.box_records import read_boxes, read_given
from holotype.project.box_rehearsing import history, pictures
from holotype.project.box_reports import BoxesReport, ImageBox, RulesChange, SynsetBoxes, WantedPerson, image_box
from holotype.project.box_rulings import redo, settle
from holotype.project.box_turk import turk_boxes
from holotype.project.fingerprints import fingerprint_images
from holotype.project.image_names import one_image
from holotype.project.lemmas import Lemmas
from holotype.project.one_process import BOXES, alone
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
        rules: Rules | None = None,
        query: str | Query = "",
        under: Iterable[str] = (),
        budget: int | None = None,
        progress: Callable[[Standing], None] = lambda _: None,
        again: Callable[[Standing], bool] = lambda _: False,
        archived: bool = False,
        changing: Callable[[RulesChange], None] = lambda _: None,
    ) -> BoxesReport:
        """Ask `crowd` for the boxes of all candidates that a query finds and that are labelled yes, unless it names
        another ``state``, in the subtrees `under`, until `rules` (those as last, unless given) are content with each.

        Candidates that archives or annotators gave boxes to are left out, unless `archived` has them drawn again; what
        was given is not shown. `changing` hears what rules that are others than the last change of what was concluded,
        before it is written. Of what is not labelled yes replies are kept, and no box is concluded.

        Replies are durable before they count. Stopped at any moment and run again, it goes on where it was. It returns
        with open candidates where the crowd has no more for now; `again` may wait for more, and say whether to look.
        With a `budget` no page is put up that could bring more replies than so many, from all runs together. Images
        that were not read yet are read first.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`, and `ProjectError` where another process asks for
        boxes in this project.
        """
        self._parts.check_writable()
        found = self._asked(query, under)
        with self._parts.catalog.read() as connection:
            given = set() if archived else box_subjects.archived(connection, found)
        asked = [number for number in found if number not in given]
        unread = self._read(asked)
        with alone(self._parts.folder, self._parts.catalog, BOXES):
            course = Course(self._parts, rules or self.rules(), asked)
            if (change := course.change()) is not None:
                changing(change)
            standing = course.go(crowd, budget, progress)
            while standing.waiting and again(standing):
                standing = course.go(crowd, budget, progress)
        refused = (*standing.refused, *getattr(crowd, "refused", ()))
        told = standing.counts, course.boxes, course.new, course.tally.replies, str(course.rules), standing.up, unread
        return BoxesReport(*told, standing.held_back, refused, len(given))

    def rules(self) -> Rules:
        """The rules by which boxes were concluded last; the default where none were."""
        with self._parts.catalog.read() as connection:
            return last_rules(connection) or RULES

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
            tally, given = read_boxes(connection), read_given(connection)
        tally.conclude(self.rules())
        return review_boxes(given, tally, limits)

    def conclude(self, rules: Rules | None = None) -> BoxesReport:
        """Conclude by other `rules`, or those as last and other gold, blocks and labels, of all there is, and ask
        nobody.

        The same facts and rules come to the same rows.
        """
        self._parts.check_writable()
        course = Course(self._parts, rules or self.rules(), None)
        course.conclude()
        return BoxesReport(course.tally.counts(), course.boxes, 0, course.tally.replies, str(course.rules))

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
            SynsetBoxes(wnid, one.states, one.boxes, one.drawings, one.good, one.judged, one.seconds, one.unlabelled)
            for wnid, one in ((wnid, found[wnid]) for wnid in order)
        ]

    def of(self, image: str) -> list[ImageBox]:
        """The boxes of an image, by any of its names: those of archives, then those that were drawn.

        Raises `UnknownImage` or `AmbiguousImage`.
        """
        with self._parts.catalog.read() as connection:
            named = one_image(connection, image)
            held = box_conclusions.boxes_of(connection, [named.id])
        return [image_box(one) for one in held]

    def wanting_a_person(self) -> list[WantedPerson]:
        """The images where people do not get on, and somebody who knows must say what there is (`settle`), in ontology
        order."""
        with self._parts.catalog.read() as connection:
            return [WantedPerson(*row) for row in box_conclusions.wanting_a_person(connection)]

    def settle(self, image: str, synset: str, boxes: Sequence[Corners], curator: str, reason: str) -> int:
        """Say as a curator that `boxes` are all there are of a synset in an image, no box where there is none; how many
        others went.

        It counts at once, whatever people drew and draw; nobody is asked about it any more, and it is no gold. To undo
        it say another thing, or `redo`. Raises `UnknownImage`, `AmbiguousImage`, `UnknownSynset`, `AmbiguousLemma`, and
        `CrowdError` where the image is not labelled yes for the synset, for a box that is not inside the picture, and
        without a reason.
        """
        return settle(self._parts, image, self._lemmas.meant(synset).wnid, boxes, curator, reason)

    def redo(self, image: str, synset: str, curator: str, reason: str) -> int:
        """Have the boxes of an image drawn anew: a curator says that those there are of a synset are bad and that not
        all is covered; how many boxes go, with the next run.

        Raises `UnknownImage`, `AmbiguousImage`, `UnknownSynset`, `AmbiguousLemma`, and `CrowdError` where nothing was
        concluded of it, or without a reason.
        """
        return redo(self._parts, image, self._lemmas.meant(synset).wnid, curator, reason)
