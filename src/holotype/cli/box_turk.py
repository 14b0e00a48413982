"""Options of Mechanical Turk as a crowd that draws and judges boxes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from holotype.cli.campaigns import dollars
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.errors import CrowdError

if TYPE_CHECKING:
    from holotype.boxes.mturk import TurkBoxes
    from holotype.project import Project


@dataclass(frozen=True, slots=True)
class TurkOptions:
    """What is said of Mechanical Turk on the command line."""

    page_url: str | None
    reward: Decimal | None
    spend: Decimal | None
    production: bool
    yes: bool

    def refuse_unheeded(self, who: str) -> None:
        """Raises `click.UsageError` for an option that is lost on another crowd."""
        given = {"--page-url": self.page_url, "--reward": self.reward, "--spend": self.spend}
        flags = {"--production": self.production, "--yes": self.yes}
        if odd := [name for name, value in given.items() if value is not None] + [
            name for name in flags if flags[name]
        ]:
            raise click.UsageError(f"--crowd {who} does not heed {odd[0]}: leave it out")

    def crowd(self, db: Project) -> TurkBoxes:
        """The crowd. Raises `click.UsageError` where its pages or their reward are not told."""
        if self.page_url is None or self.reward is None:
            raise click.UsageError("--crowd mturk needs --page-url and --reward")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_MTURK")
        terms = Terms(self.page_url, self.reward)
        return db.boxes.mturk(terms, self.spend, self.production, endpoint, self._agree)

    def _agree(self, price: Quote) -> None:
        click.echo(f"{price} {'of real money' if self.production else 'of play money in the sandbox'}", err=True)
        if not self.yes and not click.confirm("post them?", err=True):
            raise CrowdError("nothing was posted: the price was declined")


_NAMES: Final = tuple(field.name for field in fields(TurkOptions))
_OPTIONS: Final = (
    click.option(
        "--page-url",
        metavar="URL",
        help="Where Mechanical Turk's workers find a page, with {page} for its id; on a site of `holotype serve` it is "
        "https://HOST/box-page/{page}?k={key}.",
    ),
    click.option("--reward", type=dollars, metavar="DOLLARS", help="What a worker there gets for a page of any kind."),
    click.option("--spend", type=dollars, metavar="DOLLARS", help="The most all pages there may cost, over all runs."),
    click.option(
        "--production", is_flag=True, help="Real workers and real money instead of the sandbox; takes --spend."
    ),
    click.option("--yes", is_flag=True, help="Do not ask before spending."),
)


def turk_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of Mechanical Turk, which it gets as one `TurkOptions`, called `turk`."""

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        mine: Mapping[str, Any] = {name: given.pop(name) for name in _NAMES}
        command(*arguments, turk=TurkOptions(**mine), **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed
