"""People who answer all that lies open about boxes in a project, by themselves until it is done; to be killed.

As a program: python box_people.py PROJECT N is a campaign that ends at the latest with its N-th statement of SQL, by
kill -9.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Engine, event, select

import holotype
from box_crowds import perfect
from holotype.boxes.inbox import WEB
from holotype.boxes.port import BoxPage
from holotype.boxes.replies import to_json
from holotype.boxes.rules import Rules
from holotype.boxes.values import Corners
from holotype.catalog import box_facts, schema, sheets, wants
from holotype.catalog.sheets import KeptSheet
from holotype.crowd.policies import Lead
from holotype.project import Project
from holotype.project.box_pages import read_box_page
from holotype.project.box_reports import BoxesReport

RULES = Rules(Lead(2, 5), Lead(2, 5))
PEOPLE = [f"person {number}" for number in range(6)]


def truth_of(db: Project) -> dict[str, list[Corners]]:
    """What images show: none, one or two instances, as their bytes have it."""
    both: list[Corners] = [(5, 5, 25, 40), (35, 5, 60, 40)]
    return {task.sha256: both[: int(task.sha256[:4], 16) % 3] for task in db.candidates.tasks()}


def open_pages(db: Project) -> list[tuple[BoxPage, set[str]]]:
    """The pages that want a sheet, and who may not answer them."""
    with db.catalog.read() as connection:
        found = [read_box_page(connection, WEB, one.id) for one in wants.open_pages(connection, WEB)]
        pages = [page for page in found if page is not None]
        asked = {task.number for page in pages for task in page.page.tasks}
        involved = box_facts.involved(connection, asked)
        gave = {page.page.id: _who_gave(connection, page.page.id) for page in pages}
    return [(page, gave[page.page.id].union(*(involved[item.number] for item in page.items))) for page in pages]


def _who_gave(connection: Connection, page: str) -> set[str]:
    asked = select(schema.sheet.c.worker).where(schema.sheet.c.page == page, schema.sheet.c.crowd == WEB)
    return set(connection.execute(asked).scalars())


def hand_in(db: Project, page: BoxPage, worker: str, replies: Sequence[Mapping[str, object]]) -> None:
    """Keep a worker's sheet, as the site does."""
    kept = KeptSheet(0, page.page.id, worker, tuple(replies), 10.0, 20.0, 7.0)
    db.catalog.transact(lambda connection: sheets.add(connection, WEB, kept))


def work(db: Project, truth: Mapping[str, Sequence[Corners]], people: Sequence[str] = PEOPLE) -> int:
    """Answer every open page once, each by somebody who may, always the same one; how many were."""
    done = 0
    for page, seen in open_pages(db):
        free = [name for name in people if name not in seen]
        if free:
            who = min(free, key=lambda name: sha256(f"{page.page.id} {name}".encode()).digest())
            hand_in(db, page, who, [to_json(perfect(item, truth)) for item in page.items])
            done += 1
    return done


def campaign(db: Project) -> BoxesReport:
    """Boxes from beginning, or from wherever it was, to end."""
    truth = truth_of(db)
    while (report := db.boxes.run(db.boxes.web(), RULES)).waiting and work(db, truth):
        pass
    return report


def main() -> None:
    """The program."""
    left = int(sys.argv[2])

    @event.listens_for(Engine, "before_cursor_execute")
    @event.listens_for(Engine, "commit")
    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with holotype.open(Path(sys.argv[1])) as db:
        campaign(db)


if __name__ == "__main__":
    main()
