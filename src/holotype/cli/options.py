"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import wraps
from pathlib import Path
from typing import Any

import click

from holotype.crowd import Posterior

Command = Callable[..., Any]

_POLICY = Posterior()

project_option = click.option(
    "-p",
    "--project",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The project's folder [default: here].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def policy_options(command: Command) -> Command:
    """The thresholds of the posterior policy, which `command` gets as `policy`."""

    @click.option("--accept", default=_POLICY.accept, show_default=True, help="Posterior from which the answer is yes.")
    @click.option("--reject", default=_POLICY.reject, show_default=True, help="Posterior up to which it is no.")
    @click.option("--min", "minimum", default=_POLICY.minimum, show_default=True, help="Votes before deciding.")
    @click.option("--max", "maximum", default=_POLICY.maximum, show_default=True, help="Votes before giving up.")
    @wraps(command)
    def with_policy(*given: Any, accept: float, reject: float, minimum: int, maximum: int, **others: Any) -> Any:
        return command(*given, policy=Posterior(accept, reject, minimum, maximum), **others)

    return with_policy


def dollars(text: str) -> Decimal:
    """An amount of money from the command line."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise click.BadParameter(f"{text!r} is not an amount of dollars")
    return amount
