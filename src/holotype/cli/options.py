"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from holotype.engine import ENGINES, VARIABLE, Engine, using
from holotype.store.bucket import is_url
from holotype.store.objects import place

Command = Callable[..., Any]

project_option = click.option(
    "-p",
    "--project",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The project's folder [default: here].",
)
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the catalog.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


class PlaceType(click.Path):
    """A file or folder, or an object or prefix in an object store, by its URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, be it on a disk or in an object store."""
        if not is_url(value):
            return super().convert(value, param, ctx)
        found = place(value)
        if self.exists and not found.exists():
            self.fail(f"there is no object {found}, and none below it", param, ctx)
        return found


archives_option = click.option(
    "--archives",
    multiple=True,
    metavar="FOLDER",
    type=PlaceType(path_type=Path),
    help="Read images that a release made by others left where they lay from below it; several times.",
)
base_option = click.option(
    "--base", type=click.Choice(["wordnet"]), help="What the taxonomy extends: its parents may be wnids of it."
)
file_type = click.Path(exists=True, dir_okay=False, path_type=Path)


def _use(context: click.Context, _parameter: click.Parameter, engine: Engine | None) -> None:
    if engine is not None:
        context.with_resource(using(engine))


engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    callback=_use,
    expose_value=False,
    help=f"What does the heavy work: this machine, or a Ray cluster [default: {VARIABLE}, or threads].",
)
