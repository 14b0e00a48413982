"""Flags and requests to take pictures down, as they are decided on pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holotype.catalog import candidates, flags
from holotype.project import Project
from visitors import Site, said

WHIPPET = "n02091134"


@pytest.fixture
def site(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(labelled_once))


@pytest.fixture
def images(site: Site) -> list[str]:
    return [task.sha256 for task in site.db.candidates.tasks() if task.wnid == WHIPPET]


def flag(db: Project, worker: str, sha256: str | None, kind: str, text: str = "") -> int:
    """A flag of a worker's on the whippet's question or on one picture of it: its id."""
    with db.catalog.write() as connection:
        pair = (sha256 or "", WHIPPET)
        number = candidates.numbers(connection, [pair])[pair] if sha256 else None
        return flags.add(connection, worker, WHIPPET, number, kind, text, 1e9)[0]


def test_flags_that_say_the_same_are_one_case(site: Site, images: list[str]) -> None:
    db, curator = site.db, site.as_("curator", "Ann")
    assert "Nothing waits" in said(curator.get("/project/flags"))
    numbers = [flag(db, worker, images[0], "offensive", "<i>ugh</i>") for worker in ("w1", "w2")]
    flag(db, "w1", None, "wrong-definition")
    page = curator.get("/project/flags")
    assert page.count("<article") == 2
    assert "It is offensive: a picture of whippet w1, 2001-09-09 01:46: “&lt;i&gt;ugh&lt;/i&gt;” w2" in said(page)
    assert "The definition is wrong: the question whippet" in said(page)
    fields = [("flag", str(number)) for number in numbers] + [("outcome", "dismissed"), ("reason", "it is art")]
    curator.send("/project/flags", fields)
    assert [one.kind for one in db.flags.open()] == ["wrong-definition"]
    assert "Dismissed by Ann: it is art" in said(curator.get("/project/flags?all=yes"))
    curator.send("/project/flags", fields, 404)


def test_what_is_upheld_may_be_withdrawn_too(site: Site, images: list[str]) -> None:
    db, curator = site.db, site.as_("curator", "Ann")
    states = dict(db.counts()["states"])
    kept, gone = flag(db, "w1", images[0], "broken"), flag(db, "w1", images[1], "offensive")
    curator.post("/project/flags", flag=str(kept), outcome="upheld", reason="half of it is grey")
    assert db.counts()["states"] == states
    curator.post("/project/flags", flag=str(gone), outcome="upheld", reason="nobody should see it", withdraw="yes")
    assert db.counts()["states"]["withdrawn"] == 1
    assert not db.flags.open()


def test_a_decision_needs_a_reason_and_an_outcome_that_there_is(site: Site, images: list[str]) -> None:
    curator, number = site.as_("curator"), str(flag(site.db, "w1", images[0], "broken"))
    curator.post("/project/flags", 400, flag=number, outcome="upheld", reason=" ")
    curator.post("/project/flags", 400, flag=number, outcome="maybe", reason="why")
    curator.post("/project/flags", 404, flag="x", outcome="upheld", reason="why")
    curator.post("/project/flags", 404, outcome="upheld", reason="why")
    assert len(site.db.flags.open()) == 1


def test_the_dashboard_counts_what_waits(site: Site, images: list[str]) -> None:
    operator, curator = site.as_("operator"), site.as_("curator")
    number = flag(site.db, "w1", images[0], "broken")
    receipt = site.db.removals.ask(images[1], "it is mine").receipt
    assert "To decide 1 flag , 1 removal" in said(operator.get("/project/numbers"))
    assert "To decide 1 flag Left" in said(curator.get("/project/numbers"))
    operator.post("/project/flags", flag=str(number), outcome="dismissed", reason="it is not")
    operator.post("/project/removals", receipt=receipt, outcome="declined", reason="it is ours")
    assert "To decide 0 flags , 0 removals" in said(operator.get("/project/numbers"))


def test_a_request_is_looked_at_and_accepted(site: Site, images: list[str]) -> None:
    db, operator = site.db, site.as_("operator", "Ann")
    assert "Nothing waits" in said(operator.get("/project/removals"))
    receipt = db.removals.ask(images[0], "<b>mine</b>", "me@example.org").receipt
    page = operator.get("/project/removals")
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert "me@example.org" in page
    assert f"/thumb/{images[0]}.jpg" in page
    assert operator.client.get(f"/thumb/{images[0]}.jpg").headers["Content-Type"] == "image/jpeg"
    site.nobody().get(f"/thumb/{images[0]}.jpg", 410)
    operator.post("/project/removals", receipt=receipt, outcome="accepted", reason="they took it")
    assert db.counts()["states"]["withdrawn"] == 1
    assert "they took it" in said(site.nobody().get(f"/removal/{receipt}"))
    assert "Nothing waits" in said(operator.get("/project/removals"))
    assert "Accepted by Ann" in said(operator.get("/project/removals?all=yes"))


def test_a_decision_may_be_changed(site: Site, images: list[str]) -> None:
    db, operator = site.db, site.as_("operator", "Ann")
    receipt = db.removals.ask(images[0], "mine").receipt
    operator.post("/project/removals", receipt=receipt, outcome="declined", reason="it is ours")
    operator.post("/project/removals", receipt=receipt, outcome="accepted", reason="it is theirs, after all")
    assert db.counts()["states"]["withdrawn"] == 1
    operator.post("/project/removals", receipt=receipt, outcome="declined", reason="no")
    assert "withdrawn" not in db.counts()["states"]


def test_a_removal_that_cannot_be_decided_is_refused(site: Site, images: list[str]) -> None:
    operator, receipt = site.as_("operator"), site.db.removals.ask(images[0], "mine").receipt
    operator.post("/project/removals", 400, receipt=receipt, outcome="maybe", reason="why")
    operator.post("/project/removals", 400, receipt=receipt, outcome="accepted", reason="")
    operator.post("/project/removals", 404, receipt="0" * 32, outcome="accepted", reason="why")
    operator.post("/project/removals", 404, receipt="../x", outcome="accepted", reason="why")
    assert len(site.db.removals.pending()) == 1
