"""What proposals of machines save of people's time: boxes that are drawn, verified at once, or verified in series.

    python bench/box_proposals.py [--images 1000] [--seed 16]

The same simulated people box the same made images (holotype.simulation.drawers, scenes): without proposals; with those
of detectors of several qualities, that people verify all at once; and in series (Papadopoulos et al., "We don't need no
bounding boxes: training object class detectors using only human verification", CVPR 2016): the detector's best box is
verified, and where people refuse it the next best that is another, before anybody draws. All verification is yes or no.

A detector finds an instance in a share `recall` of them; each of its boxes has edges that are off by a normal share
`jitter` of the sides; and it has so many boxes round nothing an image. The first table has Su's seconds (HCOMP 2012),
the second what later interfaces took: 7 s for a box by extreme clicks (Papadopoulos et al., ICCV 2017), 1.6 to 3.5 s to
verify one (CVPR 2016); coverage is assumed to take as long as verifying.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from holotype.boxes.campaign import Memory, run_boxes
from holotype.boxes.port import BoxPage, BoxSheet
from holotype.boxes.proposals import laid, repeats
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Given, Subject, Tally
from holotype.boxes.values import Corners, Drawn, Kind, Method, Question
from holotype.consensus.votes import is_machine
from holotype.crowd.port import Page
from holotype.simulation.box_crowd import SimulatedDrawers
from holotype.simulation.box_scores import BoxScore, score
from holotype.simulation.drawers import SU_PACES, Drawers, Pace, normal_of
from holotype.simulation.drawing import overlaps
from holotype.simulation.scenes import ILSVRC, made_boxes
from holotype.simulation.workers import draw

LATER = {Kind.DRAW: Pace(7.0, 8.5), Kind.QUALITY: Pace(1.8, 2.5), Kind.COVERAGE: Pace(1.8, 2.5)}
SYNSETS = 10
ALTERNATIVES = 4
"""Boxes of an instance that a detector has, for a series."""
APART = 0.5
"""What overlaps a refused box so far is not proposed again."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector by how good it is; see above."""

    name: str
    recall: float
    jitter: float
    spurious: float


DETECTORS = (
    Detector("poor", 0.5, 0.12, 1.0),
    Detector("fair", 0.7, 0.08, 0.5),
    Detector("good", 0.85, 0.05, 0.25),
    Detector("excellent", 0.95, 0.03, 0.1),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture with the instances it shows."""

    subject: Subject
    truth: tuple[Corners, ...]

    def alternatives(self, detector: Detector, seed: int) -> list[list[Corners]]:
        """The boxes that a detector has of each thing it finds, the surest first."""
        found = [
            [self._off(box, detector, seed, n, turn) for turn in range(ALTERNATIVES)]
            for n, box in enumerate(self.truth)
            if draw(seed, self.subject.sha256, "recall", n) < detector.recall
        ]
        for n in range(10):
            if draw(seed, self.subject.sha256, "spurious", n) < detector.spurious / 10:
                found.append([self._anywhere(seed, n)])
        return found

    def _off(self, box: Corners, detector: Detector, seed: int, n: int, turn: int) -> Corners:
        sides = box[2] - box[0] + 1, box[3] - box[1] + 1
        off = [normal_of(draw(seed, self.subject.sha256, "edge", n, turn, e)) * detector.jitter for e in range(4)]
        made = [edge + off[e] * sides[e % 2] for e, edge in enumerate(box)]
        found = laid(made, self.subject.width, self.subject.height)
        return found[0] if isinstance(found, tuple) else box

    def _anywhere(self, seed: int, n: int) -> Corners:
        x, y, w, h = (draw(seed, self.subject.sha256, "anywhere", n, what) for what in "xywh")
        wide, high = self.subject.width, self.subject.height
        side, top = max(8, int(w * wide * 0.6)), max(8, int(h * high * 0.6))
        left, above = int(x * (wide - side)), int(y * (high - top))
        return left, above, left + side - 1, above + top - 1


def scenes(count: int, seed: int) -> list[Scene]:
    """Made pictures of 500 x 375 pixels of ten synsets."""
    found = []
    for number in range(1, count + 1):
        sha256, wnid = f"{seed}-{number}", f"n{number % SYNSETS:08d}"
        subject = Subject(number, wnid, sha256, 500, 375)
        found.append(Scene(subject, made_boxes(sha256, wnid, 500, 375, ILSVRC)))
    return found


class InSeries:
    """A crowd that a detector helps: before people draw, its next box is the reply, as long as it has any."""

    name = "series"

    def __init__(self, people: SimulatedDrawers, made: dict[int, list[list[Corners]]]) -> None:
        self._people = people
        self._made = made
        self._tried: dict[int, list[Corners]] = {}
        self._sheets: list[BoxSheet] = []

    def post(self, pages: Sequence[BoxPage]) -> None:
        for page in pages:
            box = self._next(page) if page.kind is Kind.DRAW else None
            if box is None:
                self._people.post([page])
                continue
            tried = self._tried.setdefault(page.items[0].question.candidate, [])
            tried.append(box)
            reply = Drawn(box, Method.MACHINE)
            self._sheets.append(BoxSheet(page.page, f"machine:detector-{len(tried)}", (reply,), 0.0, 0.0))

    def _next(self, page: BoxPage) -> Corners | None:
        item = page.items[0]
        there = [*self._tried.get(item.question.candidate, ()), *item.shown]
        for some in self._made[item.question.candidate]:
            for box in some:
                if not there or overlaps(box, there).max() < APART:
                    return box
        return None

    def collect(self) -> list[BoxSheet]:
        sheets, self._sheets = self._sheets, []
        return [*sheets, *self._people.collect()]

    def waiting(self) -> list[Page]:
        return self._people.waiting()

    def acknowledge(self, sheets: Sequence[BoxSheet]) -> None:
        """Nobody here is paid."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a campaign: people's seconds, questions that people answered by kind, and how good the boxes are."""

    seconds: float
    asked: Counter[Kind]
    score: BoxScore


def campaign(some: Sequence[Scene], detector: Detector | None, series: bool, population: Drawers, seed: int) -> Came:
    """Box the pictures: with the proposals of a detector, at once or in series, or without."""
    truth = {one.subject.sha256: one.truth for one in some}
    people = SimulatedDrawers(lambda sha256, *_: truth[sha256], lambda: 0.0, population, seed)
    made = {one.subject.number: one.alternatives(detector, seed) if detector else [] for one in some}
    tally, record = Tally(one.subject for one in some), Memory()
    if not series:
        propose(tally, record, made)
    run_boxes(tally, InSeries(people, made if series else {number: [] for number in made}), Rules(), record)
    asked = Counter[Kind]()
    seconds = 0.0
    for one in record.given.values():
        question = tally.question(one.question)
        if question is not None and not is_machine(one.worker):
            asked[question.kind] += 1
            seconds += one.seconds
    boxes = [([one.instance.box for one in tally.boxed(scene.subject.number)], scene.truth) for scene in some]
    return Came(seconds, asked, score(boxes))


def propose(tally: Tally, record: Memory, made: dict[int, list[list[Corners]]]) -> None:
    """Record the best box of each thing that a detector finds, but for repeats."""
    for number, alternatives in made.items():
        best = [some[0] for some in alternatives]
        kept = [box for box, twice in zip(best, repeats(best, [None] * len(best)), strict=True) if not twice]
        question = Question(number, Kind.DRAW)
        [asked] = record.ask([question])
        tally.ask(asked, question)
        given = [Given(asked, f"machine:d{n}", Drawn(box, Method.MACHINE)) for n, box in enumerate(kept)]
        tally.add(record.reply(given))


def table(some: Sequence[Scene], population: Drawers, seed: int) -> Iterator[str]:
    """A line for each way to get the boxes."""
    yield f"{'proposals':<22}{'s a box':>9}{'of drawing':>12}{'drawn':>8}{'quality':>9}{'coverage':>10}{'covered':>9}{'accurate':>10}"
    alone = None
    for detector, series in [(None, False), *((one, way) for one in DETECTORS for way in (False, True))]:
        came = campaign(some, detector, series, population, seed)
        each = came.seconds / came.score.boxes
        alone = each if alone is None else alone
        name = "none: all are drawn" if detector is None else f"{detector.name}, {'in series' if series else 'at once'}"
        counts = f"{came.asked[Kind.DRAW]:>8,}{came.asked[Kind.QUALITY]:>9,}{came.asked[Kind.COVERAGE]:>10,}"
        quality = f"{came.score.coverage:>9.1%}{came.score.accuracy:>10.1%}"
        yield f"{name:<22}{each:>9.1f}{each / alone:>12.0%}{counts}{quality}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=16)
    given = parser.parse_args()
    some = scenes(given.images, given.seed)
    print(f"{len(some):,} images, {sum(len(one.truth) for one in some):,} instances")
    for what, paces in (("seconds of Su et al. 2012", SU_PACES), ("seconds of later interfaces", LATER)):
        print(f"\n{what}")
        for line in table(some, replace(Drawers(), paces=paces), given.seed):
            print(line, flush=True)


if __name__ == "__main__":
    main()
