"""Images that go while people are asked about their boxes: forgotten, withdrawn or taken down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from box_site import RULES, make, reply_to
from holotype.boxes.campaign import Standing
from holotype.boxes.inbox import WEB
from holotype.catalog import box_facts, forgetting, schema, wants
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.box_pages import read_box_page

GONE = (1, 2)


@pytest.fixture(scope="module")
def made(new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("gone"), new_project, wordnet, 6)


@pytest.fixture
def db(made: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(made)


def forget(db: Project) -> None:
    """Forget two images, as their source is forgotten."""
    with db.catalog.read() as connection:
        held = schema.file.c
        about = connection.execute(select(held.dataset_id, held.kind)).first()
    assert about is not None
    row = {"id": 99, "dataset_id": about.dataset_id, "kind": about.kind, "path": "away", "size": 0, "mtime_ns": 0}
    db.catalog.transact(lambda connection: connection.execute(insert(schema.file).values(**row, at=0.0)))
    image = schema.image
    away = update(image).where(image.c.id.in_(GONE)).values(file_id=99)
    db.catalog.transact(lambda connection: connection.execute(away))
    came = schema.intake.delete().where(schema.intake.c.image_id.in_(GONE))
    db.catalog.transact(lambda connection: connection.execute(came))
    db.catalog.transact(lambda connection: forgetting.delete_files(connection, [99]))


def digests(db: Project) -> list[str]:
    read = schema.fingerprint.c
    with db.catalog.read() as connection:
        return list(connection.execute(select(read.sha256).where(read.image_id.in_(GONE))).scalars())


def withdraw(db: Project) -> None:
    db.images.withdraw(digests(db), "a curator", "somebody asked")


def take_down(db: Project) -> None:
    db.removals.ask("\n".join(digests(db)), "they show me")


def work(db: Project, turn: int, most: int) -> None:
    """Let new people hand in so many pages at most."""
    now = 1000.0 * turn
    for number in range(most):
        worker = f"worker {turn}-{number}"
        page = db.box_desk.next_page(worker, now)
        if isinstance(page, str):
            sight = db.box_desk.asked(worker, page)
            replies = [reply_to(sight, place) for place in range(len(sight.page.items))]
            db.box_desk.hand_in(worker, page, replies, 1.0, now + 1)


@pytest.mark.parametrize("go", [forget, withdraw, take_down])
@pytest.mark.parametrize("before", [0, 3, 6])
def test_a_run_that_waits_hears_that_images_are_gone(db: Project, go: Callable[[Project], None], before: int) -> None:
    turns = []

    def again(_: Standing) -> bool:
        turns.append(1)
        if len(turns) == 1:
            work(db, 1, before)
        elif len(turns) == 2:
            go(db)
        else:
            work(db, len(turns), 6)
        return len(turns) < 30

    report = db.boxes.run(db.boxes.web(), RULES, "state:open", again=again)
    assert report.states == {"covered": 4, "empty": 0, "person": 0, "open": 0}
    with db.catalog.read() as connection:
        unread = [one.id for one in wants.open_pages(connection, WEB) if read_box_page(connection, WEB, one.id) is None]
        drawn = box_facts.drawings(connection)
    assert unread == [], "nobody is lent a page that cannot be shown"
    assert len({(one.question, one.worker) for one in drawn}) == len(drawn)
    again_asked = db.boxes.run(db.boxes.web(), RULES, "state:open")
    assert (again_asked.states, again_asked.new_replies) == (report.states, 0)
