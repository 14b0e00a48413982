"""Options of what asks, rehearses or prices: a policy, money."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_policy

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
