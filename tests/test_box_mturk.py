"""Boxes drawn and judged on Mechanical Turk, through boto3 against a server on this machine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from box_crowds import perfect
from holotype.boxes.mturk import TITLE, TurkBoxes, box_terms
from holotype.boxes.port import BoxPage
from holotype.boxes.rules import Rules
from holotype.boxes.values import Corners, Drawn, Judged, Kind
from holotype.catalog import schema as t
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.crowd.policies import Lead
from holotype.errors import CrowdError
from holotype.project import Project
from holotype.project.box_pages import read_box_page
from holotype.project.box_reports import BoxesReport
from mturk_server import MTurkServer
from test_box_gold_rows import WHIPPET, known, sizes, whippets
from test_mturk import credentials, form  # noqa: F401 - a fixture

RULES = Rules(Lead(2, 5), Lead(2, 5))
BOX: Corners = (4, 4, 23, 23)
CROWD = "mturk-sandbox-boxes"
TERMS = Terms("https://pages.example/box-page/{page}?k={key}", Decimal("0.10"))


@pytest.fixture(scope="module")
def service() -> Iterator[MTurkServer]:
    server = MTurkServer()
    yield server
    server.close()


@pytest.fixture
def server(service: MTurkServer) -> MTurkServer:
    service.reset()
    return service


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def turk(db: Project, server: MTurkServer, **more: object) -> TurkBoxes:
    return db.boxes.mturk(TERMS, endpoint=server.url, **more)  # type: ignore[arg-type]


def run(db: Project, server: MTurkServer, **more: object) -> BoxesReport:
    return db.boxes.run(turk(db, server, **more), RULES, under=[WHIPPET])


def page_of(db: Project, server: MTurkServer, hit: str) -> BoxPage:
    found = re.search(r"box-page/([a-z0-9-]+)\?k=[0-9a-zA-Z_-]+<", server.hits[hit]["Question"])
    assert found, server.hits[hit]["Question"]
    with db.catalog.read() as connection:
        page = read_box_page(connection, CROWD, found[1])
    assert page is not None
    return page


def filled(page: BoxPage, truth: Mapping[str, list[Corners]]) -> dict[str, object]:
    """What a perfect worker sends."""
    fields: dict[str, object] = {"seconds": 12}
    for place, item in enumerate(page.items, 1):
        reply = perfect(item, truth)
        if isinstance(reply, Drawn):
            box = "nothing" if reply.box is None else " ".join(map(str, reply.box))
            fields |= {f"box-{place}": box, f"method-{place}": "extreme", f"points-{place}": "", f"more-{place}": ""}
        else:
            assert isinstance(reply, Judged)
            fields[f"answer-{place}"] = reply.answer.name.lower()
            if page.kind is Kind.QUALITY:
                fields[f"reason-{place}"] = ""
    return fields


def people_work(db: Project, server: MTurkServer) -> None:
    """Each HIT is taken by the first of twenty people who did not take another of the same pictures."""
    truth = {sha256: [BOX] for sha256, _, _ in sizes(db).values()}
    done = Counter(a["HITId"] for a in server.assignments.values())
    for n, id in enumerate(server.hits):
        if not done[id]:
            server.submit(id, f"W{n % 20}", form(filled(page_of(db, server, id), truth)))


def finish(db: Project, server: MTurkServer) -> BoxesReport:
    for _ in range(30):
        report = run(db, server)
        if not report.waiting:
            return report
        people_work(db, server)
    raise AssertionError("the campaign does not end")


def test_a_campaign_ends_with_every_box_and_every_assignment_paid_once(db: Project, server: MTurkServer) -> None:
    db.boxes.gold.add(known(db, *whippets(db)[:2]), "curator")
    report = finish(db, server)
    assert report.states == {"covered": 8, "empty": 0, "person": 0, "open": 0}
    assert report.boxes == 8
    assert {a["AssignmentStatus"] for a in server.assignments.values()} == {"Approved"}
    assert server.calls["ApproveAssignment"] == len(server.assignments)
    image = sizes(db)[whippets(db)[3]][0]
    assert [(one.box, one.by) for one in db.boxes.of(image)] == [(BOX, "people")]
    assert run(db, server).new_replies == 0


def test_what_cannot_be_read_is_told_and_nothing_of_it_is_recorded(db: Project, server: MTurkServer) -> None:
    run(db, server)
    ids = list(server.hits)
    bad: list[dict[str, object]] = [
        {"box-1": "nan nan nan nan"},
        {"box-1": "0 0 1000000000 5"},
        {"box-1": "20 20 4 4"},
        {"box-1": "0 0 900 900"},
        {"box-2": "1 1 2 2"},
        {"method-1": "machine"},
        {"points-1": "nan,nan"},
        {"seconds": "inf"},
    ]
    for n, (id, changed) in enumerate(zip(ids, bad, strict=True)):
        page = page_of(db, server, id)
        server.submit(id, f"W{n}", form(filled(page, {item.sha256: [BOX] for item in page.items}) | changed))
    report = run(db, server)
    assert (report.new_replies, len(report.refused)) == (0, 8)
    assert all(re.match(r"assignment \S+ of W\d: ", one) for one in report.refused)
    with db.catalog.read() as connection:
        assert connection.execute(select(t.drawing.c.id)).all() == []
    assert {a["AssignmentStatus"] for a in server.assignments.values()} == {"Submitted"}, "a person decides"


def test_a_doubled_field_is_refused(db: Project, server: MTurkServer) -> None:
    run(db, server)
    id = next(iter(server.hits))
    page = page_of(db, server, id)
    good = form(filled(page, {item.sha256: [BOX] for item in page.items}))
    server.submit(id, "W1", good.replace("more-1", "box-1"))
    report = run(db, server)
    assert [one.partition(": ")[2] for one in report.refused] == ["the field 'box-1' is there twice"]


def test_nobody_judges_what_they_drew(db: Project, server: MTurkServer) -> None:
    run(db, server)
    truth = {sha256: [BOX] for sha256, _, _ in sizes(db).values()}
    for id in list(server.hits):
        server.submit(id, "W1", form(filled(page_of(db, server, id), truth)))
    assert run(db, server).new_replies == 8
    for id in list(server.hits)[8:]:
        server.submit(id, "W1", form(filled(page_of(db, server, id), truth)))
    assert run(db, server).new_replies == 0
    assert {a["AssignmentStatus"] for a in server.assignments.values()} == {"Approved"}


def test_money_is_agreed_to_and_bounded(db: Project, server: MTurkServer) -> None:
    prices: list[Quote] = []
    run(db, server, agree=prices.append)
    assert [price.total for price in prices] == [8 * Decimal("0.12")]
    people_work(db, server)
    with pytest.raises(CrowdError, match="would exceed the budget"):
        run(db, server, budget=Decimal("1.00"))
    with pytest.raises(CrowdError, match="budget"):
        db.boxes.run(db.boxes.mturk(TERMS, None, True, server.url), RULES, under=[WHIPPET])


def test_who_is_blocked_is_offered_nothing(db: Project, server: MTurkServer) -> None:
    run(db, server)
    id = next(iter(server.hits))
    page = page_of(db, server, id)
    server.submit(id, "AW1", form(filled(page, {item.sha256: [BOX] for item in page.items})))
    run(db, server)
    db.workers.block("AW1", "draws badly")
    people_work(db, server)
    run(db, server)
    assert server.calls["AssociateQualificationWithWorker"] == 1


def test_hits_about_boxes_say_so_unless_the_terms_have_a_title() -> None:
    assert box_terms(TERMS).title == TITLE
    assert box_terms(replace(TERMS, title="Dogs")).title == "Dogs"
    assert box_terms(replace(TERMS, duration=60)).duration == 60
