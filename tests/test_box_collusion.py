"""What people can do to boxes who all answer alike without looking."""

from __future__ import annotations

from holotype.boxes.campaign import Memory, run_boxes
from holotype.boxes.deciding import Outcome
from holotype.boxes.port import Item
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Tally
from holotype.boxes.values import Drawn, Judged, Kind, Method, Reply
from holotype.consensus.votes import Answer
from holotype.simulation.box_crowd import SimulatedDrawers
from holotype.simulation.box_rehearsal import made_pictures
from holotype.simulation.drawers import Drawer
from holotype.simulation.scenes import ILSVRC
from holotype.simulation.workers import draw

IMAGES = 200


class Lazy(SimulatedDrawers):
    """A crowd of whom 22 of 100, who do 29 % of the work, say that nothing is left, that every drawing is good and that
    all is covered."""

    def _reply(self, who: Drawer, kind: Kind, wnid: str, item: Item) -> Reply:
        if draw("collude", who.name) >= 0.2:
            return super()._reply(who, kind, wnid, item)
        return Drawn(None, Method.DRAG) if kind is Kind.DRAW else Judged(Answer.YES)


def test_many_who_never_look_do_not_win_the_others_over() -> None:
    pictures = made_pictures(IMAGES, ILSVRC, 2009)
    truth = {one.subject.sha256: one.truth for one in pictures}
    tally = Tally([one.subject for one in pictures])
    run_boxes(tally, Lazy(lambda sha256, *_: truth[sha256], lambda: 0.0), Rules(), Memory())
    done = [one for one in pictures if tally.outcome(one.subject.number) in (Outcome.COVERED, Outcome.EMPTY)]
    assert len(done) > 0.9 * IMAGES
    false = [one for one in done if len(tally.boxed(one.subject.number)) < len(one.truth)]
    assert len(false) <= 0.03 * IMAGES
