"""A campaign for boxes of many images on SQLite: how long it takes to open, to ask, to look, and to tell how it stands.

    python bench/box_scale.py [--candidates 100000] [--profile STEP]

Two projects, of made facts. In the one everybody was asked: each image shows two instances, has three drawings (one
says that nothing is left), four answers about quality and two about coverage. In the other nobody was asked: its first
posting puts up a page for each image, then the campaign looks with no news, and with one sheet of news.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import os
import pstats
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Table, insert, select

import holotype
from holotype.boxes.campaign import Standing
from holotype.boxes.inbox import WEB
from holotype.boxes.replies import to_json
from holotype.boxes.values import Drawn, Judged, Kind, Method
from holotype.catalog import schema as t
from holotype.catalog import sheets
from holotype.catalog.sheets import KeptSheet
from holotype.consensus.votes import Answer
from holotype.project import Project
from holotype.project.box_pages import read_box_page

Outcome = TypeVar("Outcome")
WORKERS = 200
SYNSETS = 100
LOOKS = 5
ROWS = 20_000
BOXES = ((40, 40, 180, 300), (240, 60, 420, 330))


def timed(what: str, work: Callable[[], Outcome], profiled: str = "") -> Outcome:
    """Do something, and print how long it took."""
    profile = cProfile.Profile()
    start, used = time.perf_counter(), time.process_time()
    outcome = profile.runcall(work) if profiled and what.startswith(profiled) else work()
    took, cpu = time.perf_counter() - start, time.process_time() - used
    print(f"{what:<44} {took:8.2f} s  {cpu:8.2f} s of a core", flush=True)
    if profiled and what.startswith(profiled):
        pstats.Stats(profile).sort_stats("tottime").print_stats(28)
    return outcome


# Made facts


def put(db: Project, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    with db.catalog.write() as connection:
        some: list[dict[str, Any]] = []
        for row in rows:
            some.append(row)
            if len(some) == ROWS:
                connection.execute(insert(table), some)
                some = []
        if some:
            connection.execute(insert(table), some)


def images(db: Project, count: int) -> None:
    """Images that were read, each a candidate that is labelled yes."""
    leaves = [str(one.wnid) for one in db.ontology if not db.ontology.children(one.wnid)][::200][:SYNSETS]
    rank = {wnid: db.ontology.rank(wnid) for wnid in leaves}
    with db.catalog.write() as connection:
        about = {"dataset_id": t.OWN, "kind": "images", "path": "made", "size": 0, "mtime_ns": 0, "at": 0.0}
        connection.execute(insert(t.file).values(id=1000, **about))
    own = {"dataset_id": t.OWN, "split": "", "file_id": 1000, "offset": 0, "length": 0, "boxes": 0, "assigned": 0}
    put(db, t.image, (own | {"id": n, "name": f"{n}.jpg", "path": f"{n}.jpg"} for n in range(1, count + 1)))
    read = {"format": "JPEG", "mode": "RGB", "width": 500, "height": 375, "hash": b"", "mirrored": b"", "reason": ""}
    digest = (hashlib.sha256(str(n).encode()).hexdigest() for n in range(1, count + 1))
    put(db, t.fingerprint, (read | {"image_id": n, "sha256": one, "detail": ""} for n, one in enumerate(digest, 1)))
    asked = {"asked": 1, "boxes": 0, "state": t.STATES.index("yes")}
    wnids = (leaves[n % len(leaves)] for n in range(1, count + 1))
    put(db, t.candidate, (asked | {"id": n, "wnid": w, "rank": rank[w], "image_id": n} for n, w in enumerate(wnids, 1)))


def replies(db: Project, count: int) -> None:
    """What was asked, drawn and answered of each candidate."""
    rng = np.random.default_rng(16)
    put(db, t.worker, ({"id": n, "name": f"person {n}"} for n in range(1, WORKERS + 1)))
    questions: list[dict[str, Any]] = []
    drawn: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    empty = dict.fromkeys(("truncated", "occluded", "group_of", "score"))
    page = {"page": "made", "round": 1, "seconds": 10.0, "at": 0.0}
    corners = ("x_min", "y_min", "x_max", "y_max")

    def ask(kind: str, candidate: int, drawing: int, shown: str) -> int:
        about = {"kind": t.BOX_KINDS.index(kind), "candidate_id": candidate, "drawing_id": drawing, "shown": shown}
        questions.append(about | {"id": len(questions) + 1, "at": 0.0})
        return len(questions)

    def answer(question: int, worker: int, yes: bool) -> None:
        about = {"question_id": question, "worker_id": worker, "answer": 2 if yes else 0, "reason": ""}
        said.append(about | {"id": len(said) + 1} | page)

    for candidate in range(1, count + 1):
        people = (1 + rng.choice(WORKERS, 9, replace=False)).tolist()
        shown: list[int] = []
        for box in (*BOXES, None):
            question = ask("draw", candidate, 0, ",".join(map(str, shown)))
            number, more = len(drawn) + 1, None if box is None else int(box is BOXES[0])
            about = {"id": number, "question_id": question, "worker_id": people[len(shown)], "number": 0}
            made = dict(zip(corners, box or (None,) * 4, strict=True)) | {
                "method": "extreme",
                "points": "",
                "more": more,
            }
            drawn.append(about | made | empty | page)
            if box is not None:
                quality = ask("quality", candidate, number, "")
                for worker in people[3 + 2 * len(shown) :][:2]:
                    answer(quality, worker, rng.random() < 0.97)
                shown.append(number)
        coverage = ask("coverage", candidate, 0, ",".join(map(str, shown)))
        for worker in people[7:]:
            answer(coverage, worker, True)
    for table, rows in ((t.box_question, questions), (t.drawing, drawn), (t.box_answer, said)):
        put(db, table, iter(rows))


# What is measured


def everybody(folder: Path, count: int, profiled: str) -> None:
    holotype.init(folder).close()
    with holotype.open(folder) as db:
        images(db, count)
        replies(db, count)
    with holotype.open(folder) as db:
        print(timed("conclude of all, first", db.boxes.conclude, profiled))
        timed("conclude of all, again", db.boxes.conclude, profiled)
        timed("status", db.boxes.status, profiled)
        looks(db, profiled, "all asked: ", hand_in)


def nobody(folder: Path, count: int, profiled: str) -> None:
    holotype.init(folder).close()
    with holotype.open(folder) as db:
        images(db, count)
    with holotype.open(folder) as db:
        looks(db, profiled, "none asked: ", hand_in)
        timed("status", db.boxes.status, profiled)


def looks(db: Project, profiled: str, what: str, news: Callable[[Project], None]) -> None:
    """Open a campaign, look with no news, then with a sheet of news."""
    crowd, took, marks = db.boxes.web(), list[tuple[float, float]](), [(time.perf_counter(), time.process_time())]

    def again(_: Standing) -> bool:
        now = time.perf_counter(), time.process_time()
        took.append((now[0] - marks[0][0], now[1] - marks[0][1]))
        if len(took) > LOOKS:
            news(db)
        marks[0] = time.perf_counter(), time.process_time()
        return len(took) <= 2 * LOOKS

    profile = cProfile.Profile()
    if profiled and what.startswith(profiled):
        profile.enable()
    db.boxes.run(crowd, again=again)
    profile.disable()
    if profiled and what.startswith(profiled):
        pstats.Stats(profile).sort_stats("tottime").print_stats(28)
    names = ["opened, first pages up"], ["a look with no news"] * LOOKS, ["a look with a sheet of news"] * LOOKS
    told: dict[str, list[tuple[float, float]]] = {}
    for name, one in zip([one for some in names for one in some], took, strict=False):
        told.setdefault(name, []).append(one)
    for name, some in told.items():
        wall, cpu = np.median(some, axis=0)
        print(f"{what + name:<44} {wall:8.2f} s  {cpu:8.2f} s of a core", flush=True)


def hand_in(db: Project) -> None:
    """One sheet of somebody who draws a box."""
    with db.catalog.read() as connection:
        page = connection.execute(
            select(t.page.c.id).order_by(t.page.c.id).offset(hand_in_count()).limit(1)
        ).scalar_one()
        asked = read_box_page(connection, WEB, page)
    assert asked is not None
    reply = Drawn(BOXES[0], Method.EXTREME, more=True) if asked.kind is Kind.DRAW else Judged(Answer.YES)
    kept = KeptSheet(0, page, "somebody", (to_json(reply),) * len(asked.items), 10.0, 20.0, 7.0)
    db.catalog.transact(lambda connection: sheets.add(connection, WEB, kept))


_given = iter(range(10**6))


def hand_in_count() -> int:
    return next(_given)


def main(arguments: Sequence[str] | None = None) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--profile", default="", metavar="STEP")
    parser.add_argument("--only", choices=("all", "none"))
    options = parser.parse_args(arguments)
    print(f"{len(os.sched_getaffinity(0))} cores, {options.candidates:,} candidates")
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "none":
            everybody(Path(folder) / "everybody", options.candidates, options.profile)
        if options.only != "all":
            nobody(Path(folder) / "nobody", options.candidates, options.profile)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB of memory at most")


if __name__ == "__main__":
    main()
