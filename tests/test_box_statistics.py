"""Statistics of boxes: by whom they are, how far labels are covered, how well drawings agree; and a whole journey."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import run
from holotype.boxes.rules import Rules
from holotype.catalog import box_facts, candidates
from holotype.catalog.schema import BOX_KINDS
from holotype.geometry.boxes import SAME, iou
from holotype.project import Project
from holotype.queries import Query
from holotype.queries.results import find_in_release
from holotype.statistics.boxing import TIGHT, Coverage, Side, agreement
from said_boxes import MANY, images, say

CORNER = st.integers(0, 12)


@st.composite
def boxes(draw: st.DrawFn, most: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Labels and inclusive corners ``(n, 5)``."""
    found = []
    for _ in range(draw(st.integers(0, most))):
        (x_min, x_max), (y_min, y_max) = (sorted(draw(st.tuples(CORNER, CORNER))) for _ in range(2))
        found.append((draw(st.integers(1, 3)), x_min, y_min, x_max, y_max))
    return np.array(found, np.int64).reshape(-1, 5)


@given(boxes(12), boxes(6))
def test_drawings_are_of_the_box_that_they_overlap_most(
    drawn: np.ndarray[tuple[int, ...], np.dtype[np.int64]], held: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> None:
    """As one by one: of boxes that are as far away several may be meant, so that only sums over all are compared."""
    best = [
        max(
            (float(iou(np.array(one[1:], float), np.array(box[1:], float), True)) for box in held if box[0] == one[0]),
            default=0,
        )
        for one in drawn
    ]
    found = agreement(drawn, held)
    assert (found.drawings, found.boxes, found.fitting) == (len(drawn), len(held), sum(one >= SAME for one in best))
    assert found.redundant <= found.fitting // 2
    assert sum(bar.count for bar in found.overlaps) <= found.fitting
    if found.mean is not None and found.tight is not None:
        assert SAME <= found.mean <= 1
        assert (found.tight == 1) == (found.mean >= TIGHT) or found.tight < 1


def test_nothing_drawn_agrees_with_nothing() -> None:
    nothing = np.zeros((0, 5), np.int64)
    found = agreement(nothing, nothing)
    assert (found.drawings, found.fitting, found.boxes, found.mean, found.share) == (0, 0, 0, None, None)


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def test_boxes_are_counted_by_whom_they_are(db: Project) -> None:
    (first, wnid), (second, other), *_ = images(db)
    say(db, [*((first, wnid, one) for one in MANY), (second, other, MANY[1])])
    found = db.statistics().boxing
    assert found is not None
    assert found.sides == (
        Side("archive", 1, 2, None, 1, 0, 0, 1),
        Side("machine", 1, 1, 1.0, 0, 0, 1, 0),
        Side("people", 2, 2, 2 / 3, 0, 2, 0, 0),
    )
    assert found.coverage == Coverage(unasked=12)
    assert found.agreement is None
    told = run("statistics", "-p", db.path)
    assert "people 2 2 66.7 % 0 2 0 0" in " ".join(told.split())
    assert "boxes of labels yes" not in told, "nobody was asked about any"


def test_pictures_that_lend_gold_are_none_that_people_were_asked_to_box(db: Project) -> None:
    (first, wnid), *_ = images(db)
    say(db, [(first, wnid, MANY[0])])
    with db.catalog.write() as connection:
        candidate = candidates.ids(connection, [(wnid, first)])[wnid, first]
        box_facts.ask(connection, [(BOX_KINDS.index("coverage"), candidate, 0, ())], 1.0)
    found = db.statistics().boxing
    assert found is not None
    assert found.coverage == Coverage(unasked=12)


def test_a_project_without_boxes_says_nothing_of_them(db: Project) -> None:
    assert db.statistics().boxing is None
    assert db.overview.numbers().boxes.candidates == 0
    assert "by whom" not in run("statistics", "-p", db.path)


def test_what_a_campaign_brought_is_asked_for_released_and_counted(db: Project, tmp_path: Path) -> None:
    """Simulated people draw in pairs; their boxes are found by queries, live and in a release, and measured."""
    db.boxes.run(db.boxes.simulated(), Rules(draws=2))
    found = db.statistics().boxing
    assert found is not None
    assert found.coverage.asked == 12
    assert found.coverage.covered >= 9
    assert found.agreement is not None
    assert found.agreement.boxes == sum(one.boxes for one in found.sides) > 0
    assert found.agreement.redundant > 0
    assert found.agreement.mean is not None
    assert found.agreement.mean > TIGHT
    (side,) = found.sides
    assert (side.by, side.support is None) == ("people", False)
    told = run("statistics", "-p", db.path)
    assert f"boxes of labels yes: covered {found.coverage.covered}" in told
    assert "drawings of boxes that several drew, by IoU with the box" in told
    assert json.loads(run("statistics", "-p", db.path, "--json"))["properties"]["boxing"]["coverage"]["unasked"] == 0
    run("statistics", "-p", db.path, "--report", tmp_path / "report.html")
    assert "Drawings of boxes that several drew." in (tmp_path / "report.html").read_text()
    numbers = db.overview.numbers().boxes
    assert (numbers.candidates, numbers.boxes) == (12, side.boxes)
    assert numbers.drawings >= found.agreement.drawings
    release = db.releases.create("v2", outvoted=True)
    assert set(release.boxes["by"].to_pylist()) == {"people"}
    assert release.verify() == []
    workers = {review.worker for review in db.workers.review()} | {"people"}
    assert {row["source"] for row in release.boxes.to_pylist()} == {"people"} <= workers
    for query in ("boxes>=1", "boxes.by:people", "boxes.support>=.5", "boxes.area>=.05 -boxes.area>=.6"):
        live = db.images.find(f"{query} state:yes").ids().to_pylist()
        assert find_in_release(release, Query.parse(query), db.ontology).ids().to_pylist() == live, query
