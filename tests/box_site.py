"""Projects whose boxes people draw on the web: pictures of ellipses, whose boxes are known."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import holotype
from conftest import photo
from holotype.boxes.rules import Rules
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method, Reason, Reply
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Fixed
from holotype.imports.proposals import GivenBox
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.box_desk import BoxSight
from holotype.project.box_gold import make_of_known

DOG = "n02084071"
RULES = Rules(Fixed(1), Fixed(1))
GOLD_FROM = 100
"""The seeds from which pictures are gold."""


def boxes_of(seed: int, width: int = 320, height: int = 240) -> list[Corners]:
    """The boxes in a picture: one, or two that do not overlap."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(1 + seed % 2):
        left, wide = place * width // 2 + int(rng.integers(8, 30)), int(rng.integers(60, width // 2 - 40))
        top, high = int(rng.integers(8, height // 3)), int(rng.integers(50, height // 2))
        found.append((left, top, left + wide - 1, top + high - 1))
    return found


def picture(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """A picture with an ellipse in each of its boxes, which touches all four sides."""
    image = photo(seed, width, height)
    pen = ImageDraw.Draw(image)
    for box in boxes_of(seed, width, height):
        pen.ellipse(box, fill=(240, 235, 225), outline=(40, 30, 20), width=3)
    return image


def encoded(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


@cache
def known(seed: int) -> tuple[bytes, str]:
    """A picture as a file, and its sha256."""
    data = encoded(picture(seed))
    return data, hashlib.sha256(data).hexdigest()


def make(folder: Path, new_project: Callable[[Path], Path], wordnet: Ontology, count: int, gold: int = 0) -> Path:
    """A project with so many pictures to box, and others whose boxes are known; its first pages are up."""
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        write(folder / "known" / DOG, range(GOLD_FROM, GOLD_FROM + gold))
        db.images.ingest(folder / "known")
        given = [
            GivenBox(known(seed)[1], DOG, box) for seed in range(GOLD_FROM, GOLD_FROM + gold) for box in boxes_of(seed)
        ]
        if gold:
            report, refused = make_of_known(db._parts, db.lemmas.senses, given, "a curator", True)
            assert not refused, report
        write(folder / "photos" / DOG, range(count))
        db.images.ingest(folder / "photos")
        run(db, count)
        return db.path


def write(folder: Path, seeds: Iterable[int]) -> None:
    folder.mkdir(parents=True)
    for seed in seeds:
        (folder / f"{seed:04d}.jpg").write_bytes(known(seed)[0])


def truth(sha256: str) -> list[Corners]:
    """The boxes of a picture by its sha256."""
    return next(boxes_of(seed) for seed in (*range(60), *range(GOLD_FROM, GOLD_FROM + 60)) if known(seed)[1] == sha256)


def run(db: Project, count: int = 0) -> None:
    """Read what came in and put up what is to be asked next."""
    db.boxes.run(db.boxes.web(), RULES, "state:open")


def reply_to(sight: BoxSight, place: int) -> Reply:
    """The right reply to the question at a place of a page, from 0."""
    item, kind = sight.page.items[place], sight.page.kind
    boxes = truth(item.sha256)
    left = [box for box in boxes if box not in item.shown]
    if kind is Kind.DRAW:
        return Drawn(left[0] if left else None, Method.NUMBERS, more=True if len(left) > 1 else None)
    if kind is Kind.COVERAGE:
        return Judged(Answer.NO if left else Answer.YES)
    return Judged(Answer.YES) if item.box in boxes else Judged(Answer.NO, Reason.LOOSE)


def learn(db: Project, worker: str, kind: Kind, wnid: str = DOG) -> None:
    """Let a worker pass the lesson of a kind."""
    while (sight := db.box_desk.lesson(worker, kind, wnid, 1.0)) is not None:
        replies = [reply_to(sight, place) for place in range(len(sight.page.items))]
        db.box_desk.train(worker, sight.page.page.id, replies, 5.0, 2.0)


def work(db: Project, worker: str, until: Kind, now: float = 10.0) -> str:
    """Let a worker, and those after them, do all that there is to do before pages of a kind, one of which they have;
    its id."""
    for turn in range(20):
        name = f"{worker} {turn}" if turn else worker
        for kind in (Kind.DRAW, Kind.QUALITY, Kind.COVERAGE):
            learn(db, name, kind)
        while isinstance(id := db.box_desk.next_page(name, now), str):
            if id.startswith(until):
                return id
            sight = db.box_desk.asked(name, id)
            replies = [reply_to(sight, place) for place in range(len(sight.page.items))]
            db.box_desk.hand_in(name, id, replies, 5.0, now + 5)
        run(db)
    raise AssertionError(f"no page to {until}")
