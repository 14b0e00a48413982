"""Ways to get boxes from the same simulated people: that of Su, Deng and Fei-Fei 2012, drawing three times, and ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from holotype.boxes.instances import Drawing, instances
from holotype.boxes.port import BoxPage, Item
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Question, Reply
from holotype.consensus.votes import Answer, Task
from holotype.crowd.port import Page
from holotype.simulation.box_crowd import SimulatedDrawers
from holotype.simulation.drawers import normal_of
from holotype.simulation.drawing import overlaps
from holotype.simulation.workers import draw


@dataclass
class Done:
    """What came of a protocol: the boxes of each image, questions asked of each kind with gold among them, drawings
    that were accepted of all, pages with all gold right of all, by kind."""

    boxes: dict[int, list[Corners]]
    asked: Counter[Kind] = field(default_factory=Counter)
    drawings: tuple[int, int] = (0, 0)
    pages: dict[Kind, tuple[int, int]] = field(default_factory=dict)

    @property
    def found(self) -> int:
        return sum(map(len, self.boxes.values()))


Asked = tuple[Picture, tuple[Corners, ...], Corners | None, frozenset[str]]
"""A picture, the boxes shown, the box that is judged, and who may not be asked."""


class Pages:
    """Questions put to a crowd on pages, outside of any campaign."""

    def __init__(self, crowd: SimulatedDrawers, images: Sequence[Picture], done: Done) -> None:
        self._crowd, self._images, self._done, self._turn = crowd, images, done, 0

    def ask(self, kind: Kind, asked: Sequence[Asked], size: int) -> list[tuple[str, Reply]]:
        """Who replied what, in order: `size` questions of a synset on a page; pages of judgements have two of gold
        beside them, and are asked of somebody else until those are right."""
        found: dict[int, tuple[str, Reply]] = {}
        by_synset: dict[str, list[int]] = {}
        for at, (image, *_) in enumerate(asked):
            by_synset.setdefault(image.subject.wnid, []).append(at)
        left = [(list(page), frozenset[str]()) for many in by_synset.values() for page in _parts(many, size)]
        while left:
            self._turn += 1
            again = []
            for places, tried in left:
                who, replies, right = self._page(kind, [asked[at] for at in places], tried)
                if right:
                    found.update({at: (who, reply) for at, reply in zip(places, replies, strict=True)})
                else:
                    again.append((places, tried | {who}))
            left = again
        return [found[at] for at in range(len(asked))]

    def _page(self, kind: Kind, asked: Sequence[Asked], tried: frozenset[str]) -> tuple[str, list[Reply], bool]:
        gold = [] if kind is Kind.DRAW else _gold(kind, self._images, asked[0][0].wnid, f"{self._turn}-{asked[0][:2]}")
        items = [_item(kind, *one[:3]) for one in (*asked, *(one for one, _ in gold))]
        tasks = tuple(Task(item.number, asked[0][0].wnid, item.sha256) for item in items)
        name = f"{kind}-{self._turn}-{'-'.join(item.sha256 for item in items)}-{len(items[0].shown)}"
        page = Page(name, asked[0][0].wnid, tasks, tried.union(*(one[3] for one in asked)), 1)
        self._crowd.post([BoxPage(page, kind, tuple(items))])
        (sheet,) = self._crowd.collect()
        self._done.asked[kind] += len(items)
        said = [reply.answer is Answer.YES for reply in sheet.replies[len(asked) :] if isinstance(reply, Judged)]
        right = said == [answer for _, answer in gold]
        good, all = self._done.pages.get(kind, (0, 0))
        self._done.pages[kind] = good + right, all + 1
        return sheet.worker, list(sheet.replies[: len(asked)]), right


def _parts(places: list[int], size: int) -> list[list[int]]:
    return [places[start : start + size] for start in range(0, len(places), size)]


def _item(kind: Kind, image: Picture, shown: tuple[Corners, ...], box: Corners | None) -> Item:
    return Item(
        image.subject.number,
        Question(image.subject.number, kind),
        image.subject.sha256,
        image.subject.width,
        image.subject.height,
        box,
        shown,
    )


def _gold(kind: Kind, images: Sequence[Picture], wnid: str, key: str) -> list[tuple[Asked, bool]]:
    """A question to which the answer is yes and one to which it is no, of some pictures of a synset."""
    of = [image for image in images if image.subject.wnid == wnid and image.truth]
    made: list[tuple[Asked, bool]] = []
    for answer in (True, False):
        image = of[int(draw("gold", key, answer) * len(of))]
        box = image.truth[int(draw("box", key, answer) * len(image.truth))]
        others = tuple(one for one in image.truth if one != box)
        if kind is Kind.COVERAGE:
            made.append(((image, image.truth if answer else others, None, frozenset()), answer))
        else:
            made.append(((image, (), box if answer else _off(image, box, key), frozenset()), answer))
    return made


def _off(image: Picture, box: Corners, key: str) -> Corners:
    """A bad box made of a good one: overlapping it by .4 to .65."""
    width, height = box[2] - box[0] + 1, box[3] - box[1] + 1
    off = np.array([[normal_of(draw("off", key, turn, edge)) for edge in range(4)] for turn in range(200)]) * 0.15
    tried = np.clip(
        np.array(box) + np.round(off * (width, height, width, height)),
        0,
        [image.subject.width - 1, image.subject.height - 1] * 2,
    )
    alike = overlaps(box, [tuple(one) for one in tried.tolist()])
    alike[(tried[:, 2] < tried[:, 0]) | (tried[:, 3] < tried[:, 1])] = 9
    return tuple(int(at) for at in tried[int(np.abs(alike - 0.55).argmin())])  # type: ignore[return-value]


def su(images: Sequence[Picture], crowd: SimulatedDrawers, most: int = 60) -> Done:
    """Draw, one judge of quality, one judge of coverage, on pages that count only if their gold is right."""
    done = Done({image.subject.number: [] for image in images})
    pages = Pages(crowd, images, done)
    nobody = frozenset[str]()
    tried = {image.subject.number: nobody for image in images}
    left, good, all = list(images), 0, 0
    for _ in range(most):
        if not left:
            break
        drawn = pages.ask(
            Kind.DRAW,
            [(one, tuple(done.boxes[one.subject.number]), None, tried[one.subject.number]) for one in left],
            1,
        )
        judged, empty = [], []
        for image, (who, reply) in zip(left, drawn, strict=True):
            tried[image.subject.number] |= {who}
            if isinstance(reply, Drawn) and reply.box is not None:
                judged.append((image, tuple(done.boxes[image.subject.number]), reply.box, frozenset({who})))
            else:
                empty.append(image)
        said = pages.ask(Kind.QUALITY, judged, 10)
        accepted = []
        for (image, _, box, _), (_, reply) in zip(judged, said, strict=True):
            if isinstance(reply, Judged) and reply.answer is Answer.YES and box is not None:
                done.boxes[image.subject.number].append(box)
                tried[image.subject.number] = nobody
                accepted.append(image)
        good, all = good + len(accepted), all + len(judged)
        asked = [*accepted, *empty]
        shown = [(one, tuple(done.boxes[one.subject.number]), None, nobody) for one in asked]
        said = pages.ask(Kind.COVERAGE, shown, 10)
        ended = {
            image.subject.number
            for image, (_, reply) in zip(asked, said, strict=True)
            if isinstance(reply, Judged) and reply.answer is Answer.YES
        }
        left = [image for image in left if image.subject.number not in ended]
    done.drawings = good, all
    return done


def thrice(images: Sequence[Picture], crowd: SimulatedDrawers, people: int = 3, most: int = 20) -> Done:
    """Several draw at once, what two of them agree on is a box, and one judge says whether all have one."""
    done = Done({image.subject.number: [] for image in images})
    pages = Pages(crowd, images, done)
    left = list(images)
    for _ in range(most):
        if not left:
            break
        drawn: dict[int, list[Drawing]] = {image.subject.number: [] for image in left}
        for turn in range(people):
            asked = [
                (
                    one,
                    tuple(done.boxes[one.subject.number]),
                    None,
                    frozenset(d.worker for d in drawn[one.subject.number]),
                )
                for one in left
            ]
            for image, (who, reply) in zip(left, pages.ask(Kind.DRAW, asked, 1), strict=True):
                if isinstance(reply, Drawn):
                    drawn[image.subject.number].append(Drawing(turn + 1, who, reply.box))
        for image in left:
            done.boxes[image.subject.number] += [one.box for one in instances(drawn[image.subject.number])]
        shown = [(one, tuple(done.boxes[one.subject.number]), None, frozenset[str]()) for one in left]
        said = pages.ask(Kind.COVERAGE, shown, 10)
        left = [
            image
            for image, (_, reply) in zip(left, said, strict=True)
            if not (isinstance(reply, Judged) and reply.answer is Answer.YES)
        ]
    return done
