"""Commands about workers."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option, reason_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.crowd.reviews import WorkerReview
from holotype.files import write_atomically


@click.group(cls=CommandGroup)
def workers() -> None:
    """Review the crowd's workers, block and unblock them."""


@workers.command("list")
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the reviews to this file instead, with the workers' names hashed.",
)
@project_option
@json_option
def list_workers(file: Path | None, project: Path, as_json: bool) -> None:
    """Review every worker whose votes count, and name those who are blocked."""
    with api.open(project) as db:
        reviews, blocked = db.workers.review(), db.workers.blocked()
        if file is not None:
            _write_reviews(file, reviews, db.workers.hidden_name)
            click.echo(f"{len(reviews):,} reviews written to {file}, names hashed")
            return
    if as_json:
        print_json({"workers": [dataclasses.asdict(review) for review in reviews], "blocked": blocked})
    else:
        print_workers(reviews, blocked)


def print_workers(reviews: Sequence[WorkerReview], blocked: Mapping[str, str]) -> None:
    """Reviews of workers as a table, then why some should be watched or blocked, then who is blocked and why."""

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    print_table(
        counted(len(reviews), "worker"),
        ("worker", "votes", "gold right", "sensitivity", "specificity", "agreement", "pace", "drift", "verdict"),
        [
            (
                review.worker,
                f"{review.votes:,}",
                f"{review.right}/{review.gold}",
                *map(number, (review.sensitivity, review.specificity, review.agreement, review.pace, review.drift)),
                review.verdict,
            )
            for review in reviews
        ],
    )
    for review in reviews:
        partners = f" ({', '.join(map(plain, review.partners))})" if review.partners else ""
        if review.reasons:
            click.echo(f"{review.verdict} {plain(review.worker)}: {'; '.join(review.reasons)}{partners}")
    for name, reason in blocked.items():
        click.echo(f"blocked {plain(name)}: {plain(reason)}")


def _write_reviews(path: Path, reviews: Sequence[WorkerReview], hide: Callable[[str], str]) -> None:
    rows = [
        dataclasses.asdict(review)
        | {
            "worker": hide(review.worker),
            "gold_interval": "{:.4f} {:.4f}".format(*review.gold_interval),
            "partners": " ".join(sorted(map(hide, review.partners))),
            "reasons": "; ".join(review.reasons),
        }
        for review in reviews
    ]
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, WorkerReview.__slots__)
    table.writeheader()
    table.writerows(sorted(rows, key=lambda row: str(row["worker"])))
    write_atomically(path, text.getvalue().encode())


@workers.command("block")
@click.argument("name")
@reason_option
@project_option
def block_worker(name: str, reason: str, project: Path) -> None:
    """Count the votes of worker NAME no more, and draw the labels again."""
    with api.open(project) as db:
        changed = db.workers.block(name, reason)
    click.echo(
        f"{name} is blocked; {counted(changed, 'label')} changed; run holotype crowd run to ask about what is open"
    )


@workers.command("unblock")
@click.argument("name")
@reason_option
@project_option
def unblock_worker(name: str, reason: str, project: Path) -> None:
    """Count the votes of worker NAME again, and draw the labels again."""
    with api.open(project) as db:
        changed = db.workers.unblock(name, reason)
    click.echo(f"{name} is not blocked; {counted(changed, 'label')} changed")
