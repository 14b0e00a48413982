"""Options of a machine that votes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from holotype.cli.options import file_type
from holotype.crowd.machines.voter import Machine, Thresholds
from holotype.project import Project
from holotype.project.machines import MachineReport

MOST_AT_ENDPOINT: Final = 1_000


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """What is said of a machine on the command line."""

    name: str | None
    scores: Path | None
    endpoint: str | None
    model: str | None
    key_variable: str
    yes_from: float
    no_to: float
    most: int | None

    def machine(self, db: Project) -> Machine:
        """The machine. Raises `click.UsageError` where it is not told which, and `CrowdError` where it is none."""
        thresholds = Thresholds(self.yes_from, self.no_to)
        if (self.scores is None) == (self.endpoint is None):
            raise click.UsageError("--crowd machine goes by --scores or by --endpoint: give one")
        if self.scores is not None:
            if self.model is not None:
                raise click.UsageError("--scores does not heed --model: leave it out")
            return db.crowd.machine(self.name or self.scores.stem, self.scores, thresholds, self.most)
        if self.model is None:
            raise click.UsageError("--endpoint needs a --model")
        from holotype.crowd.machines.endpoint import Endpoint  # HTTP takes a while to import

        asked = Endpoint(self.endpoint or "", self.model, os.environ.get(self.key_variable, ""))
        most = MOST_AT_ENDPOINT if self.most is None else self.most
        return db.crowd.machine(self.name or self.model, asked, thresholds, most)


NAMES: Final = frozenset(field.name for field in fields(MachineOptions))

_OPTIONS: Final = (
    click.option(
        "--name", metavar="NAME", help="A machine votes as worker machine:NAME. [default: as its file or model]"
    ),
    click.option("--scores", type=file_type, help="CSV or Parquet of a classifier's scores: image, wnid, probability."),
    click.option("--endpoint", metavar="URL", help="OpenAI-compatible endpoint of a vision model, up to its /v1."),
    click.option("--model", metavar="MODEL", help="What the endpoint calls the model."),
    click.option(
        "--key-variable",
        default="OPENAI_API_KEY",
        show_default=True,
        metavar="VARIABLE",
        help="Environment variable with the endpoint's key, if it wants one.",
    ),
    click.option("--yes-from", default=0.5, show_default=True, help="Least probability that is a machine's yes."),
    click.option("--no-to", default=0.1, show_default=True, help="Greatest probability that is a machine's no."),
    click.option(
        "--most",
        type=click.IntRange(0),
        help=f"Questions to a machine in this run. [default: all; {MOST_AT_ENDPOINT:,} at an endpoint]",
    ),
)


def machine_line(report: MachineReport, machine: Machine) -> str:
    """What became of a machine's questions, and what an endpoint says that they took."""
    from holotype.crowd.machines.endpoint import Endpoint

    model = machine.model
    if not isinstance(model, Endpoint):
        return str(report)
    unclear = f", {model.unclear:,} answers that are no number taken as unsure" if model.unclear else ""
    return f"{report}; {model.requests:,} requests, {model.tokens:,} tokens{unclear}"


def machine_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a machine, which it gets as one `MachineOptions`, called `machine`."""

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        mine: Mapping[str, Any] = {name: given.pop(name) for name in NAMES}
        command(*arguments, machine=MachineOptions(**mine), **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed
