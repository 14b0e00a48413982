"""Options of Mechanical Turk as a crowd, whatever its workers are asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from holotype.cli.campaigns import dollars
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.errors import CrowdError

if TYPE_CHECKING:
    from holotype.crowd.mturk.platform import Refusal

People = TypeVar("People")
Command = Callable[..., None]

_NAMES: Final = ("page_url", "reward", "limit", "production", "yes")


@dataclass(frozen=True, slots=True)
class TurkOptions:
    """What is said of Mechanical Turk on the command line; `limit_option` is what the most that pages may cost is
    called there."""

    page_url: str | None
    reward: Decimal | None
    limit: Decimal | None
    production: bool
    yes: bool
    limit_option: str

    def refuse_unheeded(self, who: str) -> None:
        """Raises `click.UsageError` for an option that is lost on another crowd."""
        given = {"--page-url": self.page_url, "--reward": self.reward, self.limit_option: self.limit}
        flags = {"--production": self.production, "--yes": self.yes}
        if odd := [name for name, value in given.items() if value is not None] + [
            name for name in flags if flags[name]
        ]:
            raise click.UsageError(f"--crowd {who} does not heed {odd[0]}: leave it out")

    def crowd(self, make: Callable[..., People]) -> People:
        """The crowd that a room of a project makes of terms, the limit, whether it is production, an endpoint and who
        agrees to prices. Raises `click.UsageError` where its pages or their reward are not told."""
        if self.page_url is None or self.reward is None:
            raise click.UsageError("--crowd mturk needs --page-url and --reward")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_MTURK")
        return make(Terms(self.page_url, self.reward), self.limit, self.production, endpoint, self._agree)

    def _agree(self, price: Quote) -> None:
        click.echo(f"{price} {'of real money' if self.production else 'of play money in the sandbox'}", err=True)
        if not self.yes and not click.confirm("post them?", err=True):
            raise CrowdError("nothing was posted: the price was declined")


def turk_options(pages: str, limit: str = "--budget", required: bool = False) -> Callable[[Command], Command]:
    """Give a command the options of Mechanical Turk, which it gets as one `TurkOptions`, called `turk`; `pages` is
    where the site has them, and `limit` the option of the most that they may cost."""
    options = (
        click.option(
            "--page-url",
            required=required,
            metavar="URL",
            help="Where Mechanical Turk's workers find a page, with {page} for its id; on a site of `holotype serve` "
            f"it is https://HOST/{pages}/{{page}}?k={{key}}.",
        ),
        click.option(
            "--reward", required=required, type=dollars, metavar="DOLLARS", help="What a worker there gets for a page."
        ),
        click.option(
            limit, "limit", type=dollars, metavar="DOLLARS", help="The most all pages there may cost, over all runs."
        ),
        click.option(
            "--production", is_flag=True, help=f"Real workers and real money instead of the sandbox; takes {limit}."
        ),
        click.option("--yes", is_flag=True, help="Do not ask before spending."),
    )

    def with_options(command: Command) -> Command:
        @wraps(command)
        def packed(*arguments: Any, **given: Any) -> None:
            mine = {name: given.pop(name) for name in _NAMES}
            command(*arguments, turk=TurkOptions(**mine, limit_option=limit), **given)

        for option in reversed(options):
            packed = option(packed)
        return packed

    return with_options


def tell_refused(refused: Iterable[Refusal]) -> None:
    """Say which assignments could not be read: a person approves or rejects them."""
    for sheet in refused:
        click.echo(f"not readable: assignment {sheet.assignment} of {sheet.worker}: {sheet.reason}", err=True)
