"""The organiser's pages: all submissions with all their numbers, what is alike, and what may be done about it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from holotype.web import pages
from holotype.web.operator.listing import day, leaf
from holotype.web.operator.workers import reason
from holotype.web.visit import Refused, Visit, whole_number

SHOWN: Final = 50
MOST: Final = 1 << 31
VERBS: Final = ("pause", "open", "close", "reveal", "rescore", "withdraw", "restore", "team", "token")


def show_list(visit: Visit) -> Response:
    """All benchmarks."""
    some = [(one, visit.db.benchmarks.status(one.name)) for one in visit.db.benchmarks.everything()]
    return pages.render(visit, "operator/benchmarks.html", some=some, day=day)


def show(visit: Visit) -> Response:
    """A benchmark with all that there is of it."""
    return _shown(visit, "", "")


def act(visit: Visit) -> Response:
    """Do what a form asks for; who did it, and why, is kept. A new team's token is shown once, and kept nowhere."""
    rooms, name, verb, by = visit.db.benchmarks, visit.path["name"], visit.path["verb"], visit.known.name
    match verb:
        case "team" | "token":
            team = visit.field("team")
            token = (rooms.teams.add if verb == "team" else rooms.teams.new_token)(name, team, by)
            return _shown(visit, team, token)
        case "withdraw" | "restore":
            (rooms.withdraw if verb == "withdraw" else rooms.restore)(name, _number(visit), by, reason(visit))
        case "rescore":
            rooms.rescore(name, by, reason(visit))
        case "reveal":
            if visit.field("name") != name:
                raise Refused(400, f"To reveal the private part of {name} for good, write its name.")
            rooms.say(name, verb, by, reason(visit))
        case "pause" | "open" | "close":
            rooms.say(name, verb, by, reason(visit))
        case _:
            raise Refused(404, "There is no such page.")
    return pages.redirect(f"/project/benchmarks/{name}")


def _shown(visit: Visit, team: str, token: str) -> Response:
    rooms, name = visit.db.benchmarks, visit.path["name"]
    one = rooms[name]
    sides = [rooms.board(name, side, open_eyed=True) for side in ("public", "private")]
    return pages.render(
        visit,
        "operator/benchmark.html",
        one=one,
        status=rooms.status(name),
        revealed=rooms.is_revealed(name),
        rule=rooms.rule(name),
        teams=rooms.teams.of(name),
        boards=[board for board in sides if board.metric],
        leaf=leaf(visit, rooms.inside(name), SHOWN),
        waiting=rooms.waiting(name),
        events=[event for event in rooms.events(name)[::-1] if event.kind != "alike"][:SHOWN],
        team=team,
        token=token,
        day=day,
    )


def _number(visit: Visit) -> int:
    if (found := whole_number(visit.field("submission"), MOST)) is None:
        raise Refused(404, "There is no such submission.")
    return found
