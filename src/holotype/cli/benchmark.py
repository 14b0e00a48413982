"""Commands of who runs a benchmark with a hidden truth: the same facts that the organiser's pages write."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import file_type, json_option, project_option, reason_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, moment, plain, print_json
from holotype.files import create_atomically, write_atomically
from holotype.project import Project
from holotype.project.benchmarks import DEFAULTS, MOST_BYTES, Board, Inside, Place, Settings

name_argument = click.argument("name")
by_option = click.option("--by", required=True, metavar="NAME", help="Who says so; kept in the catalog.")
MIB: Final = 1 << 20


@click.group(cls=CommandGroup)
def benchmark() -> None:
    """Run benchmarks with a hidden truth: teams submit files, and boards tell no more than they may."""


@benchmark.command("create")
@name_argument
@click.option("--task", required=True, help="What is asked for: a task that ships, or that a package brings.")
@click.option("--truth", required=True, type=file_type, help="The truth, which is copied into the project.")
@click.option("--title", default="", help="What it is called on pages.  [default: its name]")
@click.option("--metric", default="", help="The metric that ranks.  [default: the task's first]")
@click.option("--public", default=DEFAULTS.public, show_default=True, help="The share of the items that is public.")
@click.option("--quota", default=DEFAULTS.quota, show_default=True, help="Submissions of a team on a day (UTC).")
@click.option(
    "--most", default=MOST_BYTES // MIB, show_default=True, metavar="MIB", help="The most that a submission may be."
)
@click.option("--by", default="", metavar="NAME", help="Who makes it; kept in the catalog.")
@project_option
def create(
    name: str,
    task: str,
    truth: Path,
    title: str,
    metric: str,
    public: float,
    quota: int,
    most: int,
    by: str,
    project: Path,
) -> None:
    """Make a benchmark of a task and a truth that nobody sees."""
    with api.open(project) as db:
        db.benchmarks.create(name, task, truth, Settings(title, metric, public, quota, most * MIB), by)
        click.echo(f"benchmark {name}: {db.benchmarks.rule(name)}")
        click.echo(f"next: holotype benchmark team {name} TEAM")


@benchmark.command("list")
@project_option
@json_option
def list_benchmarks(project: Path, as_json: bool) -> None:
    """List the benchmarks of a project."""
    with api.open(project) as db:
        some = [
            (one, db.benchmarks.status(one.name), db.benchmarks.waiting(one.name)) for one in db.benchmarks.everything()
        ]
    if as_json:
        print_json([{**one._asdict(), "status": status, "waiting": waiting} for one, status, waiting in some])
        return
    rows = [(one.name, one.task, status, f"{waiting:,}", one.quota) for one, status, waiting in some]
    print_table(counted(len(rows), "benchmark"), ("name", "task", "status", "waiting", "a day"), rows)


@benchmark.command("show")
@name_argument
@project_option
@json_option
def show(name: str, project: Path, as_json: bool) -> None:
    """Show a benchmark as its organiser sees it: both boards, whatever was revealed, and all submissions."""
    with api.open(project) as db:
        boards = _boards(db, name)
        inside, status = db.benchmarks.inside(name), db.benchmarks.status(name)
        waiting, rule = db.benchmarks.waiting(name), db.benchmarks.rule(name)
    if as_json:
        about = {"name": name, "status": status, "waiting": waiting, "rule": rule}
        print_json(
            {**about, "boards": [_board_value(one) for one in boards], "submissions": list(map(_inside, inside))}
        )
        return
    click.echo(f"{name} is {status}; {counted(waiting, 'submission')} to be evaluated")
    for board in boards:
        _print_board(board)
    print_table(
        counted(len(inside), "submission"), ("number", "team", "came", "state", "nearly the same as"), _rows(inside)
    )
    for one in inside:
        if one.sent.detail:
            click.echo(f"submission {one.sent.id}: {plain(one.sent.detail)}")


@benchmark.command("team")
@name_argument
@click.argument("team")
@click.option("--new-token", is_flag=True, help="Another token for a team that there is; the old one holds no more.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Write the token to a new file, not to stdout.")
@click.option("--by", default="", metavar="NAME", help="Who says so; kept in the catalog.")
@project_option
def team(name: str, team: str, new_token: bool, token_file: Path | None, by: str, project: Path) -> None:
    """Add a team, and make its token, which is kept nowhere: give it to them over a safe way."""
    if token_file is not None and token_file.exists():  # said before a token is made, which would be lost
        raise click.UsageError(f"{token_file} is there already: name a --token-file that is not")
    with api.open(project) as db:
        token = (db.benchmarks.teams.new_token if new_token else db.benchmarks.teams.add)(name, team, by)
    if token_file is None:
        click.echo(token)
        return
    create_atomically(token_file, f"{token}\n".encode(), 0o600)
    click.echo(f"the token of {plain(team)} is in {token_file}")


@benchmark.command("run")
@click.argument("name", default="")
@project_option
@json_option
def run(name: str, project: Path, as_json: bool) -> None:
    """Evaluate all submissions that wait, to one benchmark or to all; a site that is served does so by itself."""
    ended: dict[str, int] = {}
    with api.open(project) as db:
        while (found := db.benchmarks.evaluate_next(name)) is not None:
            ended[found.outcome] = ended.get(found.outcome, 0) + 1
            if not as_json:
                click.echo(
                    f"submission {found.submission}: {found.outcome}"
                    + (f", {plain(found.detail)}" if found.detail else "")
                )
    if as_json:
        print_json(ended)
    elif not ended:
        click.echo("nothing waits")


@benchmark.command("rescore")
@name_argument
@click.option("--truth", type=file_type, help="Go by this truth from now on.")
@by_option
@reason_option
@project_option
def rescore(name: str, truth: Path | None, by: str, reason: str, project: Path) -> None:
    """Score all submissions anew; what they were found to be before is kept."""
    with api.open(project) as db:
        if truth is None:
            db.benchmarks.rescore(name, by, reason)
        else:
            db.benchmarks.correct(name, truth, by, reason)
        click.echo(f"{counted(db.benchmarks.waiting(name), 'submission')} to be evaluated anew")
    click.echo(f"next: holotype benchmark run {name}")


@benchmark.command("reveal")
@name_argument
@by_option
@reason_option
@project_option
def reveal(name: str, by: str, reason: str, project: Path) -> None:
    """Show the private part to everybody, once and for good; this closes the benchmark."""
    with api.open(project) as db:
        db.benchmarks.say(name, "reveal", by, reason)
        _print_board(db.benchmarks.board(name, "private", open_eyed=True))


@benchmark.command("set")
@name_argument
@click.argument("state", type=click.Choice(["open", "pause", "close"]))
@by_option
@reason_option
@project_option
def set_state(name: str, state: str, by: str, reason: str, project: Path) -> None:
    """Take submissions, or take none for now or for good."""
    with api.open(project) as db:
        db.benchmarks.say(name, state, by, reason)
        click.echo(f"{name} is {db.benchmarks.status(name)}")


@benchmark.command("withdraw")
@name_argument
@click.argument("submission", type=int)
@click.option("--restore", is_flag=True, help="Put it on the board again.")
@by_option
@reason_option
@project_option
def withdraw(name: str, submission: int, restore: bool, by: str, reason: str, project: Path) -> None:
    """Take a submission from the board; you see it still."""
    with api.open(project) as db:
        (db.benchmarks.restore if restore else db.benchmarks.withdraw)(name, submission, by, reason)
    click.echo(f"submission {submission} is {'restored' if restore else 'withdrawn'}")


@benchmark.command("export")
@name_argument
@click.argument("file", type=click.Path(path_type=Path))
@project_option
def export(name: str, file: Path, project: Path) -> None:
    """Write all that is kept of a benchmark to FILE, as JSON: teams, submissions, every evaluation, what was done.

    It holds numbers of the private part, and neither the truth nor tokens.
    """
    with api.open(project) as db:
        value = _everything(db, name)
    write_atomically(file, json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    click.echo(f"{counted(len(value['submissions']), 'submission')} to {file}")


def _everything(db: Project, name: str) -> dict[str, Any]:
    rooms = db.benchmarks
    submissions = []
    for one in rooms.inside(name):
        found = rooms.evaluations(name, one.sent.id)
        results = rooms.results(name, found)
        made = [{**row._asdict(), "result": results.get(row.id)} for row in found]
        submissions.append({**_inside(one), "evaluations": made})
    return {
        "benchmark": rooms[name]._asdict(),
        "status": rooms.status(name),
        "rule": rooms.rule(name),
        "teams": [one._asdict() for one in rooms.teams.of(name)],
        "events": [one._asdict() for one in rooms.events(name)],
        "boards": [_board_value(board) for board in _boards(db, name)],
        "submissions": submissions,
    }


def _boards(db: Project, name: str) -> list[Board]:
    sides = [db.benchmarks.board(name, side, open_eyed=True) for side in ("public", "private")]
    return [board for board in sides if board.metric is not None]


def _print_board(board: Board) -> None:
    if board.metric is None:
        click.echo("nothing was scored")
        return
    title = f"{board.metric.name} on the {board.side} part, {counted(board.items, 'item')}"
    print_table(title, ("rank", "team", board.metric.name, "submission", "came"), list(map(_place, board.places)))


def _place(place: Place) -> tuple[object, ...]:
    number = "-" if place.estimate is None else str(place.estimate)
    return place.rank or "-", plain(place.team), number, place.submission, moment(place.at)


def _board_value(board: Board) -> dict[str, Any]:
    value = dataclasses.asdict(board)
    return {"part": value.pop("side"), **value}


def _inside(one: Inside) -> dict[str, Any]:
    return {**dataclasses.asdict(one.sent), "result": one.result, "alike": {str(n): x for n, x in one.alike.items()}}


def _rows(inside: Sequence[Inside]) -> list[tuple[object, ...]]:
    return [
        (
            one.sent.id,
            plain(one.sent.team),
            moment(one.sent.at),
            f"{one.sent.state}{', withdrawn' if one.sent.withdrawn else ''}",
            ", ".join(f"{other} ({share:.1%})" for other, share in one.alike.items()) or "-",
        )
        for one in inside
    ]
