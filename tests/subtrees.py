"""A project with candidates in several subtrees, and a crowd of people who answer when they like, for campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import images, labels, sightings
from holotype.crowd.port import Page, Sheet
from holotype.project import Project
from holotype.simulation.workers import SimulatedCrowd
from holotype.store.location import Location

DOG, CHIHUAHUA, SPANIEL = "n02084071", "n02085620", "n02085782"
CAT, SIAMESE = "n02121808", "n02123597"
EACH: Final = 60


def add_candidates(db: Project, wnids: Iterable[str], each: int = EACH, first: int = 0) -> None:
    """Candidates of synsets, so many of each, whose images are rows alone."""
    pairs = [
        (f"{(hash_of(wnid) + first + at) * 2654435761 % 2**64:064x}", wnid) for wnid in wnids for at in range(each)
    ]
    rows = [
        images.Packed(sha256, place, place, "JPEG", "RGB", 4, 3, b"x" * 32, b"x" * 32)
        for sha256, _ in pairs
        for place in [Location("p", int(sha256, 16) % 2**40, 1)]
    ]

    def work(connection: Connection) -> None:
        images.add(connection, rows)
        ids = images.own_ids(connection, [row.sha256 for row in rows])
        seen = [
            sightings.Sighting(wnid, db.ontology.rank(wnid), ids[sha256], f"file:///{sha256}", "folder:x", "", 0, "CC0")
            for sha256, wnid in pairs
        ]
        sightings.add(connection, seen)

    db.catalog.transact(work)


def hash_of(wnid: str) -> int:
    return int(wnid[1:]) * 1000


def truth_of(db: Project) -> dict[tuple[str, str], bool]:
    return {(task.sha256, task.wnid): int(task.sha256, 16) % 3 == 0 for task in db.candidates.tasks()}


def labels_in(db: Project) -> dict[tuple[str, str], tuple[object, ...]]:
    """What is concluded, by what, of each (sha256, wnid)."""
    tasks = {task.number: task for task in db.candidates.tasks()}
    with db.catalog.read() as connection:
        held = labels.read(connection)
    named = zip((held.states, held.policies, held.guards), (held.state, held.policy, held.guard), strict=True)
    columns = [list(map(names.__getitem__, places.tolist())) for names, places in named]
    rows = zip(held.candidate.tolist(), held.posterior.tolist(), *columns, strict=True)
    return {(tasks[number].sha256, tasks[number].wnid): tuple(row) for number, *row in rows}


def votes_in(db: Project) -> list[tuple[object, ...]]:
    """All votes, whoever had which first."""
    tasks = {task.number: task for task in db.candidates.tasks()}
    cast = [(tasks[one.task].sha256, tasks[one.task].wnid, one) for one in db.crowd.votes()]
    return sorted((sha256, wnid, one.worker, int(one.answer), one.page, one.round) for sha256, wnid, one in cast)


class Paper:
    """People who get their pages on paper: pages stay up until somebody answers them, and sheets lie there until they
    are acknowledged. Who takes which page and what they answer does not depend on when."""

    def __init__(self, people: SimulatedCrowd, name: str = "paper") -> None:
        self.name = name
        self.people = people
        self.pages: dict[str, Page] = {}
        self.posted: list[str] = []
        self.sheets: dict[str, Sheet] = {}
        self.counted: set[str] = set()

    def post(self, pages: Sequence[Page]) -> None:
        self.posted += [page.id for page in pages if page.id not in self.pages]
        for page in pages:
            self.pages.setdefault(page.id, page)

    def answer(self, pages: int = 10_000) -> int:
        """Let people answer some of the pages that are up, the oldest first; how many they did."""
        up = [page for page in self.pages.values() if page.id not in self.sheets][:pages]
        self.people.post(up)
        self.sheets |= {sheet.page.id: sheet for sheet in self.people.collect()}
        return len(up)

    def collect(self) -> list[Sheet]:
        return [sheet for page, sheet in self.sheets.items() if page not in self.counted]

    def waiting(self) -> list[Page]:
        return [page for page in self.pages.values() if page.id not in self.counted]

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        self.counted |= {sheet.page.id for sheet in sheets}
