"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_policy

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


policy_option = click.option(
    "--policy",
    type=parse_policy,
    default=str(Posterior()),
    show_default=True,
    metavar="POLICY",
    help="When to stop asking: posterior(...), lead(3, 9), fixed(5) or table(...).",
)


def dollars(text: str) -> Decimal:
    """An amount of money from the command line."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise click.BadParameter(f"{text!r} is not an amount of dollars")
    return amount
