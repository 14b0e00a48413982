"""Statistics as one self-contained HTML page."""

from __future__ import annotations

import base64
from importlib import resources

from holotype.ontology import Ontology
from holotype.statistics.diversity import Diversity
from holotype.statistics.pages import fill_page
from holotype.statistics.plots import ends, plots
from holotype.statistics.statistics import Statistics


def render(statistics: Statistics, ontology: Ontology, title: str) -> str:
    """The page, with plots and mean images inside it."""

    def name(wnid: str) -> str:
        return ontology[wnid].name if wnid in ontology else wnid

    def picture(one: Diversity) -> str:
        return base64.b64encode(one.png).decode()

    return fill_page(
        resources.files(__package__).joinpath("report.html").read_text(),
        title=title,
        statistics=statistics,
        synsets=len(ontology),
        plots=plots(statistics, name),
        ends=ends(statistics.diversity) if statistics.diversity is not None else None,
        name=name,
        picture=picture,
        percent=lambda share: "–" if share is None else f"{100 * share:.1f} %",
        decimal=lambda value: "–" if value is None else f"{value:,.2f}",
    )
