"""Campaigns as an operator starts, watches and steers them on pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holotype.catalog import campaigns
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Posterior
from holotype.project import Project
from subtrees import Paper
from visitors import Site, said

WHIPPET, CAT = "n02091134", "n02121808"
PAGE = "/project/campaigns"


@pytest.fixture
def site(project: Project, tmp_path: Path, fill: Callable[..., None]) -> Site:
    fill(tmp_path / "photos" / WHIPPET, 8)
    fill(tmp_path / "photos" / CAT, 4, first=50)
    project.images.ingest(tmp_path / "photos")
    return Site(project)


def test_a_campaign_is_started_on_subtrees_that_are_found(site: Site) -> None:
    operator = site.as_("operator", "Ann")
    assert "There has been none yet" in said(operator.get(PAGE))
    page = operator.get(f"{PAGE}?q=whippet&under={CAT}&budget=90&back_off=yes")
    assert f'name="under" value="{CAT}" checked' in page
    assert f'name="under" value="{WHIPPET}">' in page
    assert 'value="90"' in page
    fields = [("under", WHIPPET), ("under", CAT), ("policy", "fixed(3)"), ("budget", "90"), ("back_off", "yes")]
    assert operator.send(PAGE, fields) == f"{PAGE}/1"
    (campaign,) = site.db.campaigns.everything()
    assert (campaign.under, campaign.policy, campaign.budget) == ((WHIPPET, CAT), "fixed(3)", 90)
    assert (campaign.back_off, campaign.by, campaign.state) == (True, "Ann", "running")
    page = said(operator.get(f"{PAGE}/1"))
    assert "Campaign on whippet, domestic cat running 0 of 12 candidates decided, 12 open; 0 votes, 90 left" in page
    assert "started by Ann" in page


def test_everything_is_said_and_not_meant_by_nothing(site: Site) -> None:
    operator = site.as_("operator")
    default = str(Imageable(Posterior()))
    assert f'value="{default}" selected' in operator.get(PAGE)
    operator.send(PAGE, [("policy", default), ("budget", "")], 400)
    operator.send(PAGE, [("policy", default), ("budget", ""), ("everything", "yes")])
    (campaign,) = site.db.campaigns.everything()
    assert (campaign.under, campaign.policy, campaign.budget) == ((), default, None)
    assert "asks about some of that" in said(operator.send(PAGE, [("policy", default), ("under", WHIPPET)], 400))


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"policy": "__import__('os')"}, 400),
        ({"own": "fixed(0)"}, 400),
        ({"budget": "-1"}, 400),
        ({"budget": "1e3"}, 400),
        ({"under": "n99999999"}, 404),
    ],
)
def test_what_cannot_be_asked_is_refused(site: Site, wrong: dict[str, str], status: int) -> None:
    fields = {"under": WHIPPET, "policy": "fixed(3)", "own": "", "budget": ""} | wrong
    site.as_("operator").send(PAGE, list(fields.items()), status)
    assert not site.db.campaigns.everything()


def test_a_campaign_is_paused_resumed_and_stopped_for_good(site: Site) -> None:
    operator = site.as_("operator", "Ann")
    operator.send(PAGE, [("under", WHIPPET), ("policy", "fixed(2)"), ("own", "lead(2, 5)"), ("budget", "")])
    operator.post(f"{PAGE}/1/pause", reason="the  office party")
    assert site.db.campaigns.named(1).state == "paused"
    assert "paused by Ann: the office party" in said(operator.get(f"{PAGE}/1"))
    operator.post(f"{PAGE}/1/pause", 400, reason="")
    operator.post(f"{PAGE}/1/resume", reason="")
    operator.post(f"{PAGE}/1/stop", reason="")
    assert (site.db.campaigns.named(1).state, site.db.campaigns.named(1).policy) == ("stopped", "lead(2, 5)")
    assert "stopped" in said(operator.get(PAGE))
    operator.post(f"{PAGE}/1/resume", 400, reason="")
    operator.post(f"{PAGE}/1/explode", 404, reason="")
    operator.post(f"{PAGE}/9/stop", 404, reason="")
    operator.get(f"{PAGE}/{1 << 70}", 404)


def test_the_dashboard_shows_what_runs_and_what_it_took(site: Site) -> None:
    operator, db = site.as_("operator"), site.db
    operator.send(PAGE, [("under", WHIPPET), ("policy", "fixed(3)"), ("budget", "60")])
    assert "whippet 0 of 60 votes" in said(operator.get("/project/numbers"))
    paper = Paper(db.crowd.simulated(), "web")
    db.campaigns.tick(paper, 0.0)
    paper.answer(2)
    db.campaigns.tick(paper, 10.0)
    spent = db.campaigns.figures(1).spent
    assert spent > 0
    assert f"whippet {spent} of 60 votes" in said(operator.get("/project/numbers"))
    assert "href" not in site.as_("curator").fragment("/project/numbers").partition("Campaigns")[2][:60]


def test_the_dashboard_shows_what_went_wrong(site: Site) -> None:
    operator, db = site.as_("operator"), site.db
    operator.send(PAGE, [("under", WHIPPET), ("policy", "fixed(3)"), ("budget", "")])
    with db.catalog.write() as connection:
        campaigns.say(connection, 1, "failed", "", "<disk> full", 1e9)
    assert "&lt;disk&gt; full" in operator.fragment("/project/numbers")
    assert "<disk> full" in db.campaigns.named(1).error
    db.campaigns.failing = "no connection"
    assert "Campaigns stand still: no connection" in said(operator.fragment("/project/numbers"))
