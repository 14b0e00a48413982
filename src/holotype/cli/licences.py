"""``holotype licences``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import holotype as api
from holotype.cli.options import json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import plain, print_json
from holotype.licences import Licence, LicencePolicy
from holotype.project import Project

_MOST = 50


@click.command("licences")
@click.option(
    "--allow", metavar="WORDS", help='Take images under these from now on, as cc0,pdm,by,by-sa; "" takes all.'
)
@project_option
@json_option
def licences_command(allow: str | None, project: Path, as_json: bool) -> None:
    """Show the licences of images, and say which the project takes.

    Words are codes (by, by-sa, by-nd, by-nc, by-nc-sa, by-nc-nd, cc0, pdm, pd, nkc, us-gov, other, arr) or families
    (cc, commercial, derivatives, sharealike, public-domain, unknown). Images under other licences stay where they are,
    and later releases leave them out.
    """
    policy = None if allow is None else LicencePolicy.of(allow)
    with api.open(project) as db:
        if policy is not None:
            db.licences.allow(policy)
        _show(db, as_json)


def _show(db: Project, as_json: bool) -> None:
    policy = db.licences.policy
    rows = [_row(one, number, policy) for one, number in db.licences.counts().most_common()]
    if as_json:
        print_json({"allowed": list(policy.words), "licences": rows})
        return
    print_table(
        f"the project takes: {', '.join(policy.words) or 'all licences'}",
        ("licence", "code", "taken", "labels", "address"),
        [
            (plain(row["name"]), row["code"], "yes" if row["allowed"] else "no", f"{row['labels']:,}", row["url"])
            for row in rows[:_MOST]
        ],
    )
    if rest := rows[_MOST:]:
        labels = sum(row["labels"] for row in rest)
        click.echo(f"and {len(rest):,} other licences with {labels:,} labels; see them all with --json")


def _row(licence: Licence, labels: int, policy: LicencePolicy) -> dict[str, Any]:
    return {
        "name": licence.name or "not known",
        "code": licence.code or "unknown",
        "labels": labels,
        "allowed": policy.allows(licence),
        "url": licence.canonical,
    }
