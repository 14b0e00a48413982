"""Workers, accounts and invitations, as an operator sees and changes them on pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from holotype.project import Project
from visitors import Site, said


@pytest.fixture
def site(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(labelled_once))


def test_a_worker_is_blocked_with_a_reason_and_unblocked(site: Site) -> None:
    operator, db = site.as_("operator", "Ann"), site.db
    worker = db.workers.review()[0].worker
    assert worker in said(operator.get("/project/workers"))
    operator.post("/project/workers/block", 400, worker=worker, reason="  ")
    operator.post("/project/workers/block", 400, worker=worker, reason="a\x07b")
    assert not db.workers.blocked()
    assert operator.post("/project/workers/block", worker=worker, reason="answers  at random") == "/project/workers"
    assert db.workers.blocked() == {worker: "answers at random (Ann)"}
    assert f"Blocked {worker} : answers at random (Ann)" in said(operator.get("/project/workers"))
    operator.post("/project/workers/unblock", worker=worker, reason="it was another one")
    assert not db.workers.blocked()


def test_nobody_blocks_who_never_voted(site: Site) -> None:
    operator = site.as_("operator")
    assert "nobody" in said(operator.post("/project/workers/block", 400, worker="nobody", reason="why not"))


def test_a_workers_name_is_text_whatever_it_is(site: Site) -> None:
    name = '"><script>alert(1)</script>'
    task = site.db.candidates.tasks()[0]
    site.db.crowd.append({"sha256": [task.sha256], "wnid": [task.wnid], "worker": [name], "answer": ["no"]})
    page = site.as_("operator").get("/project/workers")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    site.as_("operator", "another").post("/project/workers/block", worker=name, reason="<b>")
    assert "&lt;b&gt; (another)" in site.as_("operator", "a third").get("/project/workers")


def test_roles_are_given_and_taken_and_both_stay_to_be_seen(site: Site) -> None:
    operator, curator = site.as_("operator", "Ann"), site.as_("curator", "Bob")
    bob = site.db.people.everybody()[-1].id
    curator.get("/project/workers", 403)
    operator.post(f"/project/accounts/{bob}/grant", role="operator")
    curator.get("/project/workers")
    operator.post(f"/project/accounts/{bob}/revoke", role="operator")
    curator.get("/project/workers", 403)
    page = said(operator.get(f"/project/accounts/{bob}"))
    assert re.search(r"curator given .*operator given by Ann .*operator taken away by Ann", page)
    operator.post(f"/project/accounts/{bob}/grant", 400, role="king")
    operator.get("/project/accounts/999", 404)
    operator.get(f"/project/accounts/{1 << 80}", 404)


def test_the_last_operator_stays_one(site: Site) -> None:
    operator = site.as_("operator", "Ann")
    text = said(operator.post("/project/accounts/1/revoke", 400, role="operator"))
    assert "the last operator" in text.lower()
    operator.get("/project/workers")


def test_an_account_is_signed_out_everywhere(site: Site) -> None:
    operator, curator = site.as_("operator", "Ann"), site.as_("curator", "Bob")
    curator.get("/project")
    operator.post("/project/accounts/2/end")
    assert curator.get("/project", 303) == ""
    operator.get("/project")


def test_an_invitation_is_shown_once_and_can_be_ended(site: Site) -> None:
    operator = site.as_("operator", "Ann")
    page = operator.post("/project/invitations", 200, role="worker", uses="2", days="3")
    (link,) = re.findall(r'value="http://127.0.0.1(/join/[^"]+)"', page)
    assert link not in operator.get("/project/invitations")
    site.nobody().get(link)
    site.nobody().post(link, name="a volunteer")
    newest = site.db.people.invitations()[0]
    assert (newest.role, newest.uses, newest.used, newest.by) == ("worker", 2, 1, "Ann")
    operator.post("/project/invitations/end", invitation=str(newest.id))
    site.nobody().post(link, 400, name="too late")
    operator.post("/project/invitations/end", 404, invitation="x")
    assert "ended" in said(operator.get("/project/invitations"))


@pytest.mark.parametrize(
    "wrong", [{"uses": "0"}, {"uses": "10001"}, {"days": "-1"}, {"days": "1e3"}, {"role": "king"}, {"uses": "²"}]
)
def test_an_invitation_that_cannot_be_is_refused(project: Project, wrong: dict[str, str]) -> None:
    site = Site(project)
    before = len(project.people.invitations()) + 1
    fields = {"role": "worker", "uses": "1", "days": "1"} | wrong
    site.as_("operator").post("/project/invitations", 400, **fields)
    assert len(project.people.invitations()) == before


def test_long_lists_come_a_page_at_a_time(project: Project) -> None:
    site = Site(project)
    operator = site.as_("operator", "Ann")
    for number in range(51):
        site.as_("viewer", f"viewer {number}")
    first, second = operator.get("/project/accounts"), operator.get("/project/accounts?page=2")
    assert ("viewer 48" in first, "viewer 49" in first, "viewer 50" in second) == (True, False, True)
    assert 'href="/project/accounts?page=2"' in first
    for wrong in ("0", "-1", "x", "1&page=2", "99999999"):
        operator.get(f"/project/accounts?page={wrong}", 400 if "&" in wrong else 404)
