"""The command that reviews who draws and judges boxes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

import holotype as api
from holotype.cli.options import json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json

if TYPE_CHECKING:
    from holotype.boxes.reviews import BoxReviews, DrawerReview
    from holotype.crowd.reviews import WorkerReview


@click.command("review")
@click.option("--block", is_flag=True, help="Block everybody whose verdict is so, with the reasons.")
@project_option
@json_option
def review_command(block: bool, project: Path, as_json: bool) -> None:
    """Review everybody who draws and judges boxes, people and machines, and name whom to block.

    Drawers are compared by the share of their drawings that is good, judges by what their answers tell of the truth and
    by gold. What blocked workers replied is kept and does not count: what rests on it is open again. To undo it:
    holotype workers unblock NAME.
    """
    with api.open(project) as db:
        found = db.boxes.review()
        wanted = found.to_block()
        if block:
            for worker, reason in wanted.items():
                db.workers.block(worker, reason)
    if as_json:
        print_json(dataclasses.asdict(found) | {"blocked" if block else "to_block": wanted})
        return
    _print(found)
    for worker, reason in wanted.items():
        click.echo(f"{'blocked' if block else 'to be blocked'}: {plain(worker)}: {plain(reason)}")
    if wanted and not block:
        click.echo("to block them: holotype boxes review --block")


def _print(found: BoxReviews) -> None:
    print_table(
        counted(len(found.drawers), "drawer"),
        ("drawer", "replies", "known", "good", "share", "at least", "at most", "others", "pace", "verdict"),
        [_drawer(one) for one in found.drawers],
    )
    for what, some in (("quality", found.quality), ("coverage", found.coverage)):
        print_table(
            f"{counted(len(some), 'judge')} of {what}",
            ("judge", "answers", "gold right", "sensitivity", "specificity", "agreement", "pace", "verdict"),
            [_judge(one) for one in some],
        )
    for reviews in (found.drawers, found.quality, found.coverage):
        for one in reviews:
            if one.reasons:
                click.echo(f"{one.verdict} {plain(one.worker)}: {'; '.join(one.reasons)}")


def _drawer(one: DrawerReview) -> Sequence[str]:
    share = f"{one.good / one.known:.2f}" if one.known else "-"
    low, high = (f"{bound:.2f}" for bound in one.interval)
    counts = f"{one.replies:,}", f"{one.known:,}", f"{one.good:,}"
    others = "-" if one.others is None else f"{one.others:.2f}"
    return plain(one.worker), *counts, share, low, high, others, f"{one.pace:.2f}", str(one.verdict)


def _judge(one: WorkerReview) -> Sequence[str]:
    agreement = "-" if one.agreement is None else f"{one.agreement:.2f}"
    skill = f"{one.sensitivity:.2f}", f"{one.specificity:.2f}"
    counts = f"{one.votes:,}", f"{one.right}/{one.gold}"
    return plain(one.worker), *counts, *skill, agreement, f"{one.pace:.2f}", str(one.verdict)
