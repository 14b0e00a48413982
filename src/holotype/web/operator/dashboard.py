"""How the project stands, at a glance; the numbers are asked for again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.responses import Response

from holotype.project.overview import SynsetRow
from holotype.web import pages
from holotype.web.operator.listing import leaf, named
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit

SHOWN: Final = 50
"""Synsets on a page of the table."""
REWARD: Final = 0.10
"""Dollars for a page, unless said otherwise: what ImageNetV2 paid."""
MOST_DOLLARS: Final = 1_000.0

ORDERS: Final[dict[str, Callable[[SynsetRow], Any]]] = {
    "ontology": lambda _: 0,
    "name": lambda row: row.name.casefold(),
    "candidates": lambda row: -row.candidates,
    "yes": lambda row: -row.yes,
    "decided": lambda row: -row.decided,
    "open": lambda row: -row.open,
    "undecided": lambda row: -row.undecided,
    "abandoned": lambda row: -row.abandoned,
}
"""What the table can be sorted by, and how."""


def show(visit: Visit) -> Response:
    """The dashboard."""
    order = visit.asked("by", "open")
    if order not in ORDERS:
        raise Refused(400, f"The table is sorted by {', '.join(ORDERS)}.")
    rows = ordered(visit.db.overview.by_synset(), order)
    return pages.render(
        visit, "operator/dashboard.html", leaf=leaf(visit, rows, SHOWN), order=order, reward=REWARD, **_figures(visit)
    )


def show_numbers(visit: Visit) -> Response:
    """The numbers alone: for a page that is there already, or, without script, as a page of their own."""
    return pages.render(visit, "operator/numbers.html", **_figures(visit))


def forecast(visit: Visit) -> Response:
    """Work out what is left to spend."""
    try:
        reward = float(visit.field("reward"))
    except ValueError:
        reward = -1.0
    if not 0 <= reward <= MOST_DOLLARS:
        raise Refused(400, f"A reward is 0 to {MOST_DOLLARS:,.0f} dollars a page.")
    visit.db.overview.forecast(reward)
    return pages.redirect("/project")


def ordered(rows: Sequence[SynsetRow], by: str) -> list[SynsetRow]:
    """Synsets in one of the `ORDERS`; those that are alike there in ontology order."""
    return sorted(rows, key=ORDERS[by])


def _figures(visit: Visit) -> dict[str, Any]:
    overview = visit.db.overview
    return {
        "numbers": overview.numbers(),
        "running": [(named(visit, one.under), one) for one in overview.running()],
        "failing": visit.db.campaigns.failing,
        "watched": overview.watched(),
        "forecast": overview.forecasts.last(),
        "forecasting": overview.forecasts.busy,
        "no_forecast": overview.forecasts.failed,
    }


routes = [
    page("/project", show, "curator"),
    page("/project/numbers", show_numbers, "curator"),
    page("/project/forecast", forecast, "curator", ("POST",), kind="heavy"),
]
