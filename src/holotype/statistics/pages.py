"""Self-contained HTML pages with SVG plots, the same bytes for the same values. They need ``holotype[demo]``."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any, Final

from platformdirs import user_cache_path

INK: Final = "#1c2b33"
COLOUR: Final = "#1f77b4"
PALE: Final = "#b8bfc4"


def fill_page(template: str, **values: Any) -> str:
    """An HTML template filled with values, which are escaped, and with `style`, the look of all our pages."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    style = resources.files(__package__).joinpath("page.css").read_text()
    return environment.from_string(template).render(style=style, **values)


@contextmanager
def drawing() -> Iterator[None]:
    """Settings to draw with, put back at the end.

    Matplotlib keeps what it writes in our cache folder, not in the user's settings. Names are shown as they are: no
    mathematics in them, and no warning for writing that the font lacks.
    """
    os.environ.setdefault("MPLCONFIGDIR", str(user_cache_path("holotype") / "matplotlib"))
    from matplotlib import rc_context

    look = rc_context(
        {
            "svg.hashsalt": "holotype",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.parse_math": False,
        }
    )
    with look, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        yield


def figure_of(width: float, height: float) -> tuple[Any, Any]:
    """An empty figure, so many inches wide and high, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def svg_of(figure: Any) -> str:
    """A figure as an SVG element."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
