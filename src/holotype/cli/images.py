"""Commands about images: withdrawn, and restored."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option, reason_option
from holotype.cli.text import counted, moment, print_json, print_listing

images_argument = click.argument("images_", nargs=-1, required=True, metavar="IMAGE...")


curator_option = click.option(
    "--curator", metavar="NAME", help="Who says so; kept in the catalog [default: your login]."
)


@click.group(cls=CommandGroup)
def images() -> None:
    """Withdraw images that are not to be used any more, and restore them."""


@images.command("withdraw")
@images_argument
@reason_option
@curator_option
@project_option
def withdraw(images_: tuple[str, ...], reason: str, curator: str | None, project: Path) -> None:
    """Use IMAGEs no more, by id, sha256 or file name, with all that have the same bytes.

    Their labels count as none, nobody is asked about them, they are in no audit and no later release; releases that
    were made stay as they are. To undo it: holotype images restore.
    """
    with api.open(project) as db:
        changed = db.images.withdraw(images_, curator or login(), reason)
    already = _already(changed, images_, "withdrawn already")
    click.echo(f"{counted(changed, 'image')} withdrawn{already}; releases that were made stay as they are")


@images.command("restore")
@images_argument
@reason_option
@curator_option
@project_option
def restore(images_: tuple[str, ...], reason: str, curator: str | None, project: Path) -> None:
    """Use IMAGEs again that were withdrawn: what was said of them counts again."""
    with api.open(project) as db:
        changed = db.images.restore(images_, curator or login(), reason)
    click.echo(f"{counted(changed, 'image')} restored{_already(changed, images_, 'not withdrawn')}")


@images.command("withdrawals")
@project_option
@json_option
def list_withdrawals(project: Path, as_json: bool) -> None:
    """List what was withdrawn and restored, when, by whom and why; of an image, the last counts."""
    with api.open(project) as db:
        said = db.images.withdrawals()
    columns = "sha256", "said", "curator", "reason", "at"
    rows = [(one.sha256, "withdrawn" if one.withdrawn else "restored", one.curator, one.reason, one.at) for one in said]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_listing(columns, [(*row[:-1], moment(one.at)) for row, one in zip(rows, said, strict=True)])


def _already(changed: int, named: Sequence[str], state: str) -> str:
    """What is to be said of images that were named and did not change; two names may be of one image."""
    if changed == (different := len(set(named))):
        return ""
    which = "it is" if different == 1 else "the others are" if changed else "they are"
    return f": {which} {state}"


def login() -> str:
    """The name of whoever is at the keyboard. Raises `click.UsageError` where that is not known."""
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise click.UsageError("your login is not known: say who you are with --curator NAME") from error
