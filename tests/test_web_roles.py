"""Who may do what: every route of the site, asked by every role and by nobody, beside a table that says who may."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from starlette.routing import Route

from holotype.project import Project
from holotype.project.people import ROLES
from holotype.web.app import create_app
from visitors import SETTINGS, Site, Visitor

TABLE = {
    "anybody": """
        GET /healthz; GET /robots.txt; GET /static/{name:path}
        GET /join/{secret}; POST /join/{secret}; GET /return/{token}; POST /return/{token}
        GET /login; POST /login; POST /logout
        GET /page/{page}; GET /page/{page}/{position:int}.jpg; GET /example/{number:int}.jpg
        GET /box-page/{page}; GET /box-page/{page}/{position:int}.jpg
        GET /removal; POST /removal; GET /removal/{receipt}
        POST /benchmarks/{name}/submissions; GET /benchmarks/{name}/submissions
    """,
    "public": """
        GET /; GET /tree; GET /tree/{wnid}; GET /synset/{wnid}; GET /map/{wnid}; GET /search
        GET /images; GET /image/{key:path}; GET /thumb/{key:path}.jpg; GET /picture/{key:path}.jpg
        GET /download; GET /releases; GET /releases/{name}
        GET /benchmarks; GET /benchmarks/{name}; GET /benchmarks/{name}/board.json
    """,
    "viewer": """
        GET /welcome; GET /benchmarks/{name}/team; POST /benchmarks/{name}/join
        POST /benchmarks/{name}/submit; POST /benchmarks/{name}/withdraw
    """,
    "worker": """
        GET /tasks; POST /tasks/next; GET /tasks/{page}; POST /tasks/{page}; POST /tasks/{page}/draft
        POST /tasks/{page}/leave; GET /tasks/{page}/{position:int}.jpg; POST /flag
        GET /quiz/{wnid}; POST /quiz/{wnid}; GET /training/{wnid}; POST /training/{wnid}
        POST /boxes/next; POST /boxes/flag; GET /boxes/{page}; POST /boxes/{page}; POST /boxes/{page}/draft
        POST /boxes/{page}/leave; GET /boxes/{page}/{position:int}.jpg
        GET /boxes/lesson/{kind}/{wnid}; POST /boxes/lesson/{kind}/{wnid}
    """,
    "auditor": """
        GET /audit; GET /audit/{wnid}; POST /audit/{wnid}; GET /audit/{wnid}/last; POST /audit/{wnid}/last
        GET /audit/{wnid}/{position:int}.jpg
    """,
    "curator": """
        GET /project; GET /project/numbers; POST /project/forecast
        GET /project/gold; POST /project/gold/siblings; GET /project/gold/{wnid}; POST /project/gold/{wnid}
        POST /project/gold/{wnid}/correct; POST /project/gold/{wnid}/example
        GET /project/audits; POST /project/audits; GET /project/flags; POST /project/flags
    """,
    "operator": """
        GET /project/campaigns; POST /project/campaigns; GET /project/campaigns/{number:int}
        POST /project/campaigns/{number:int}/{verb}
        GET /project/workers; POST /project/workers/block; POST /project/workers/unblock
        GET /project/accounts; GET /project/accounts/{number:int}; POST /project/accounts/{number:int}/grant
        POST /project/accounts/{number:int}/revoke; POST /project/accounts/{number:int}/end
        GET /project/invitations; POST /project/invitations; POST /project/invitations/end
        GET /project/removals; POST /project/removals
        GET /project/benchmarks; GET /project/benchmarks/{name}; POST /project/benchmarks/{name}/{verb}
    """,
}
"""Every route by who may ask for it: anybody; on a public site anybody, else who has an account and some role; or who
has a role. A new route is a decision: it is written down here."""

ALSO = {"viewer": set(ROLES), "worker": {"operator"}, "curator": {"operator"}}
"""Who may what a role may, besides."""


def asked(role: str) -> list[tuple[str, str]]:
    """The routes that are for a role, as method and path."""
    one = (entry.partition(" ")[::2] for line in TABLE[role].splitlines() for entry in line.strip().split("; "))
    return [(method, path) for method, path in one if path]


def may(who: str, role: str, public: bool) -> bool:
    """Whether the table lets somebody of a role, or ``nobody``, or who has an account and no role (``bare``)."""
    if role == "anybody" or (role == "public" and public):
        return True
    if who in ("nobody", "bare"):
        return False
    return role == "public" or who == role or who in ALSO.get(role, ())


def address(path: str) -> str:
    """A path with something in the place of what varies."""
    values = {"number": "1", "position": "1", "wnid": "n02084071", "receipt": "0" * 32}
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: values.get(found[1], "x"), path)


def is_let(visitor: Visitor, method: str, path: str) -> bool:
    """Whether somebody is let to a route, whatever they find there."""
    answer = visitor.client.request(method, address(path))
    assert answer.status_code < 500, (method, path)
    to_login = answer.status_code == 303 and answer.headers["Location"].startswith("/login")
    for_their_role = answer.status_code == 403 and "Your account" in answer.text
    return not (answer.status_code == 401 or for_their_role or to_login)


def test_the_table_names_every_route(project: Project) -> None:
    routes = [route for route in create_app(project, SETTINGS).routes if isinstance(route, Route)]
    found = sorted((method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"})
    assert sorted(entry for role in TABLE for entry in asked(role)) == found


@pytest.mark.parametrize("public", [True, False])
def test_every_role_gets_what_the_table_says_and_no_more(project: Project, public: bool) -> None:
    site = Site(project, replace(SETTINGS, public=public))
    found, wanted = {}, {}
    for who, visitor in everybody(site).items():
        for role in TABLE:
            for method, path in asked(role):
                if path not in ("/logout", "/login"):  # nobody is let in there by a role
                    found[who, method, path] = is_let(visitor, method, path)
                    wanted[who, method, path] = may(who, role, public)
    assert {key for key in found if found[key] != wanted[key]} == set()
    assert len(found) > 400


def everybody(site: Site) -> dict[str, Visitor]:
    """Somebody of every role, nobody, and who has an account and no role."""
    found = {"nobody": site.nobody(), "bare": site.as_("viewer", "a bare one")}
    site.db.people.revoke(site.db.people.everybody()[-1].id, "viewer", "")
    return found | {role: site.as_(role, f"a {role}") for role in ROLES}


def test_a_role_that_is_taken_away_is_gone_at_once(project: Project) -> None:
    site = Site(project)
    curator = site.as_("curator")
    curator.get("/project")
    project.people.revoke(project.people.everybody()[-1].id, "curator", "")
    curator.get("/project", 403)
    project.people.grant(project.people.everybody()[-1].id, "curator", "")
    curator.get("/project")
    project.people.end_sessions(project.people.everybody()[-1].id)
    assert curator.client.get("/project").headers["Location"] == "/login?next=%2Fproject"


def test_nobody_is_let_in_by_a_forged_session(project: Project) -> None:
    site = Site(project)
    site.as_("operator")
    for forged in ("1.1", "WzEsMV0.aaaa.bbbb", "", "null", "é"):
        visitor = Visitor(site.app, "holotype-session=" + forged.encode("ascii", "ignore").decode())
        assert visitor.client.get("/project").status_code == 303, forged
