"""Releases: what was published, and how to take it."""

from __future__ import annotations

from starlette.responses import Response

from holotype.errors import ReleaseError
from holotype.web.explore.looks import Links, show, sight_of, view_of
from holotype.web.visit import Refused, Visit


def show_releases(visit: Visit) -> Response:
    """All releases, newest first."""
    return show(visit, view_of(visit), "releases.html", releases=visit.db.explore.releases())


def show_release(visit: Visit) -> Response:
    """One release: what it holds, how it was made, and how it is checked."""
    name = visit.path["name"]
    try:
        release, view = visit.db.releases[name], visit.db.explore.view(name, sight_of(visit))
    except ReleaseError as error:
        raise Refused(404, f"There is no release {name}.") from error
    certificates = [(one, view.ontology[one.plan.wnid]) for one in release.certificates]
    return show(visit, view, "release.html", release=release, certificates=certificates, inside=Links(name))
