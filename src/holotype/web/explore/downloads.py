"""Taking away what a query finds: as a table, as addresses, or as the pictures themselves in a tar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from starlette.responses import Response, StreamingResponse

from holotype.crowd.policy_names import without_names
from holotype.project.views import View
from holotype.queries import Candidate, Query
from holotype.queries.results import Result
from holotype.web.explore import files
from holotype.web.explore.looks import view_of
from holotype.web.explore.pictures import check_gone
from holotype.web.visit import Refused, Visit

Parts = Callable[[Iterator[Result]], Iterator[bytes]]

KINDS: Final[dict[str, tuple[str, str, Parts]]] = {
    "csv": ("text/csv; charset=utf-8", "csv", files.csv_parts),
    "parquet": ("application/vnd.apache.parquet", "parquet", files.parquet_parts),
    "urls": ("text/plain; charset=utf-8", "txt", files.url_parts),
    "tar": ("application/x-tar", "tar", files.tar_parts),
}
"""What each kind of download is: its media type, the ending of its name, and how it is made."""
MOST_ROWS: Final = 10_000
MOST_IN_TAR: Final = 500
"""Labels that people without an account may take at once."""
MOST_LOOKS: Final = 20
STEP: Final = 500


def download(visit: Visit) -> Response:
    """What a query finds, as a file. Raises `Refused` where it is too much for somebody without an account."""
    kind = visit.asked("as", "csv")
    if kind not in KINDS:
        raise Refused(400, f"A download is one of {', '.join(KINDS)}.")
    view, query = view_of(visit), Query.parse(visit.asked("q"))
    steps = _steps(view, query, str if view.release else visit.db.workers.hidden_name)
    first = next(steps)  # what is wrong with the query is said before anything is sent
    if not first:
        check_gone(visit, view, query)
    results: Iterator[Result] = chain(first, chain.from_iterable(steps))
    if visit.account is None:
        results = _few(chain([first], steps), MOST_IN_TAR if kind == "tar" else MOST_ROWS)
    media, ending, make = KINDS[kind]
    named = "-".join(filter(None, (visit.db.path.resolve().name, view.release)))
    name = "".join(one if one.isascii() and one.isalnum() else "-" for one in named)
    return StreamingResponse(
        make(results),
        200,
        {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "Cache-Control": "no-store"},
        media,
    )


def _steps(view: View, query: Query, hide: Callable[[str], str]) -> Iterator[list[Result]]:
    """What a query finds, a few hundred at a time, each as the catalog is then: whoever is slow holds nobody up. Names
    of people in policies are hidden as in a release."""
    after, more = "", True
    while more:
        found = view.find(query, after, STEP)
        yield [replace(one, candidate=_nameless(one.candidate, hide)) for one in found.results]
        after, more = found.after, bool(found.after)


def _nameless(row: Candidate, hide: Callable[[str], str]) -> Candidate:
    return replace(row, policy=without_names(row.policy, hide))


def _few(steps: Iterator[list[Result]], most: int) -> Iterator[Result]:
    """All of it, where that is not too much. Raises `Refused`."""
    held: list[Result] = []
    for looks, some in enumerate(steps):
        held += some
        if len(held) > most:
            raise Refused(413, f"This finds more than {most:,} pictures: narrow it, or come in by an account.")
        if looks > MOST_LOOKS:
            raise Refused(413, "It takes too long to look for these: narrow it to a synset, or come in by an account.")
    return iter(held)
