"""Asking again for what was collected, and telling what is not as it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.project import Project

if TYPE_CHECKING:
    from holotype.collect.net.web import Web
    from holotype.project.collecting import Objection
    from holotype.project.rechecking import RecheckReport

_SHOWN: Final = 20
_OUTCOMES: Final = ("unchanged", "changed", "gone", "opted_out", "failed")


def recheck(db: Project, web: Web | None, synsets: Sequence[str], days: float, as_json: bool) -> None:
    """Ask again, if there is a web to ask, and print what became of it, and all that is not as it was."""
    report = None
    if web is not None:
        with bars(["addresses"]) as advance:
            report = db.collect.recheck(web, synsets, days, partial(advance, "addresses"))
    found = db.collect.objections()
    if as_json:
        values: dict[str, Any] = {"objections": [asdict(one) for one in found]}
        print_json(values if report is None else values | {"recheck": asdict(report) | {"total": report.total}})
        return
    if report is not None:
        _print_report(report)
    _print_objections(found)


def _print_report(report: RecheckReport) -> None:
    click.echo(report)
    by_host = sorted(report.hosts.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    rows = [(host, *(counts.get(name, 0) for name in _OUTCOMES)) for host, counts in by_host[:_SHOWN]]
    if rows:
        print_table("by host", ("host", *_OUTCOMES), rows)
    _print_left(len(by_host), "more host")


def _print_objections(found: Sequence[Objection]) -> None:
    if not found:
        click.echo("nothing is known to be otherwise than it was")
        return
    rows = [(one.outcome, one.reason or "other bytes", one.url, one.sha256) for one in found[:_SHOWN]]
    print_table("not as it was", ("outcome", "reason", "address", "sha256"), rows)
    _print_left(len(found), "more address", "more addresses", see="; see them all with --no-fetch --recheck --json")
    if refused := _pictures(one for one in found if one.outcome == "opted_out"):
        told = f"the owners of {counted(refused, 'picture')} refuse them now; to use them no more"
        click.echo(f"{told}: holotype images withdraw SHA256, and for releases: holotype release takedown")


def _pictures(found: Iterable[Objection]) -> int:
    return len({one.sha256 for one in found})


def _print_left(count: int, *nouns: str, see: str = "") -> None:
    if count > _SHOWN:
        click.echo(f"... and {counted(count - _SHOWN, *nouns)}{see}")
