"""Benchmarks as everybody sees them: what they ask for, and who is ahead."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from holotype.project.benchmarks import Board, Place
from holotype.web import pages
from holotype.web.operator.listing import day
from holotype.web.visit import Visit


def show_list(visit: Visit) -> Response:
    """All benchmarks, newest first."""
    some = [(one, visit.db.benchmarks.status(one.name)) for one in reversed(visit.db.benchmarks.everything())]
    return pages.render(visit, "benchmarks/list.html", some=some)


def show(visit: Visit) -> Response:
    """A benchmark, its rules and its boards."""
    rooms, name = visit.db.benchmarks, visit.path["name"]
    return pages.render(
        visit,
        "benchmarks/benchmark.html",
        one=rooms[name],
        status=rooms.status(name),
        rule=rooms.rule(name),
        boards=_boards(visit, name),
        day=day,
    )


def send_boards(visit: Visit) -> Response:
    """The boards as JSON."""
    name = visit.path["name"]
    one, boards = visit.db.benchmarks[name], _boards(visit, name)
    told = {"benchmark": one.name, "task": one.task, "status": visit.db.benchmarks.status(name)}
    return JSONResponse(
        {**told, "boards": [board_value(board) for board in boards]}, headers={"Cache-Control": "no-cache"}
    )


def _boards(visit: Visit, name: str) -> list[Board]:
    """The public board, and before it the private one once that is revealed."""
    rooms = visit.db.benchmarks
    return [*([rooms.board(name, "private")] if rooms.is_revealed(name) else []), rooms.board(name)]


def board_value(board: Board) -> dict[str, Any]:
    """A board as JSON values."""
    metric = board.metric and {"name": board.metric.name, "better": board.metric.better, "about": board.metric.about}
    about = {"part": board.side, "metric": metric, "items": board.items}
    made = {"evaluator": board.evaluator, "truth": board.truth} | ({"digest": board.digest} if board.digest else {})
    return {**about, **made, "places": [_place_value(board, place) for place in board.places]}


def _place_value(board: Board, place: Place) -> dict[str, Any]:
    found = place.estimate
    numbers = {"value": found and found.value, "low": found and found.low, "high": found and found.high}
    about = {"rank": place.rank, "team": place.team, "submission": place.submission, "at": int(place.at)}
    return {**about, "tries": board.tries[place.team], **numbers}
