"""Commands that open a project to people: a site, and invitations to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import holotype as api
from holotype.cli.options import project_option
from holotype.errors import ProjectError
from holotype.project.people import ROLES

if TYPE_CHECKING:
    from holotype.web.settings import Settings

PORT: Final = 8400


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address of this machine to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="The port to listen at; 0 is any that is free.",
)
@click.option(
    "--public-url", default="", metavar="URL", help="How people reach the site, by a proxy that speaks https."
)
@click.option(
    "--public/--private",
    default=None,
    help="Whether people without an account may look.  [default: public, unless there is a --public-url]",
)
@click.option(
    "--requester",
    default="",
    metavar="NAME",
    help="Who asks, for workers of Mechanical Turk.  [default: the site's name]",
)
@project_option
def serve(host: str, port: int, public_url: str, public: bool | None, requester: str, project: Path) -> None:
    """Serve the project's site: people look, vote, audit and decide there.

    At the first start it prints an invitation for an operator, who invites the others.
    """
    try:
        from holotype.web.serving import Site, first_invitation, listening
        from holotype.web.settings import Settings
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; the site needs: pip install 'holotype[web]'") from error
    with api.open(project) as db:
        with _advised("say it with --public-url"):
            settings = Settings.of(db.secret("web"), public_url, public, host, requester)
        with _advised("try another --port; 0 is any that is free"):
            site = Site(db, settings, listening(host, port))
        address = _address(settings, site.address)
        db.people.set_site(address)
        click.echo(f"{project} is served at {address}/ (Ctrl-C stops it)")
        if (secret := first_invitation(db)) is not None:
            click.echo(f"to run it, come in as its operator: {address}/join/{secret}")
        site.warm()
        with suppress(KeyboardInterrupt):
            site.run()
    click.echo("stopped; all that was handed in is kept")


@contextmanager
def _advised(remedy: str) -> Iterator[None]:
    """What cannot be served is said with what to do about it."""
    try:
        yield
    except ProjectError as error:
        raise ProjectError(f"{error}; {remedy}") from error


def _address(settings: Settings, local: str) -> str:
    return settings.public_url or local


@click.command()
@click.option("--role", type=click.Choice(ROLES), default="worker", show_default=True, help="What they may do.")
@click.option("--uses", default=1, show_default=True, help="How many people may come in by the link.")
@click.option("--days", type=float, help="For how many days it holds.  [default: until it is used up]")
@project_option
def invite(role: str, uses: int, days: float | None, project: Path) -> None:
    """Make a link by which people come in: volunteers choose a name, and need nothing else."""
    with api.open(project) as db:
        secret = db.people.invite(role, uses, days)
        site = db.people.site()
        click.echo(f"{site or 'http://127.0.0.1:' + str(PORT)}/join/{secret}")
        if not site:
            click.echo("the site has not run yet; start it with: holotype serve", err=True)
