"""What hostile visitors, workers and scrapers tried on the site, and what they get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holotype.project import Project
from test_web_roles import TABLE, asked
from visitors import Site


@pytest.fixture
def site(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(labelled_once))


def numbered() -> list[str]:
    """The routes of whose addresses a part is a number."""
    return [path for role in TABLE for method, path in asked(role) if ":int}" in path and method == "GET"]


@pytest.mark.parametrize("path", numbered())
def test_a_number_that_python_does_not_read_is_an_address_that_there_is_not(site: Site, path: str) -> None:
    who = site.as_("operator", "op", "auditor")
    for part in ("{position:int}", "{number:int}"):
        path = path.replace(part, "9" * 5_000)
    answer = who.client.get(path.replace("{wnid}", "n02091134").replace("{page}", "x"))
    assert answer.status_code == 404
    assert "nosniff" in answer.headers["x-content-type-options"]
