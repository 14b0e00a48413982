"""A team's own page: join by its token, send files, and see what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from holotype.project.benchmarks import Incoming, KeptTeam, Received, Sent
from holotype.web import pages
from holotype.web.operator.listing import day, leaf
from holotype.web.uploads import Arriving
from holotype.web.visit import Refused, Visit, whole_number

SHOWN: Final = 50
MOST: Final = 1 << 31


def show(visit: Visit) -> Response:
    """What the team of an account sent, and a form to send more; a form to join one where it is of none."""
    rooms, name = visit.db.benchmarks, visit.path["name"]
    one, team = rooms[name], rooms.teams.of_account(name, visit.known.id)
    if team is None:
        return pages.render(visit, "benchmarks/join.html", one=one)
    return pages.render(
        visit,
        "benchmarks/team.html",
        one=one,
        team=team,
        status=rooms.status(name),
        left=rooms.left(name, team),
        rule=rooms.rule(name),
        leaf=leaf(visit, rooms.submissions(name, team), SHOWN),
        said=whole_number(visit.asked("sent"), MOST),
        again=bool(visit.asked("again")),
        day=day,
    )


def join(visit: Visit) -> Response:
    """Let an account be of the team whose token it knows."""
    name = visit.path["name"]
    visit.db.benchmarks.teams.join(name, visit.field("token"), visit.known.id)
    return pages.redirect(f"/benchmarks/{name}/team")


def withdraw(visit: Visit) -> Response:
    """Take a submission of one's own from the board."""
    name = visit.path["name"]
    number = whole_number(visit.field("submission"), MOST)
    if number is None:
        raise Refused(404, "There is no such submission.")
    visit.db.benchmarks.withdraw(name, number, visit.known.name, "", _team(visit).id)
    return pages.redirect(f"/benchmarks/{name}/team")


def admit(visit: Visit) -> Callable[[str], Arriving[object]]:
    """Where a file of the account's team goes to."""
    return _opened(visit, _team(visit))


def take(visit: Visit, received: object) -> Response:
    """What came in is a submission now."""
    number, new = _submitted(visit, _team(visit), received, visit.known.name)
    return pages.redirect(f"/benchmarks/{visit.path['name']}/team?sent={number}{'' if new else '&again=1'}")


def admit_by_token(visit: Visit) -> Callable[[str], Arriving[object]]:
    """Where a file of a token's team goes to."""
    return _opened(visit, _team_of_token(visit))


def take_by_token(visit: Visit, received: object) -> Response:
    """What came in is a submission now: its number, and how many more may come today."""
    name, team = visit.path["name"], _team_of_token(visit)
    number, new = _submitted(visit, team, received, "")
    told = {"submission": number, "new": new, "team": team.name, "left": visit.db.benchmarks.left(name, team)}
    return JSONResponse({**told, "page": f"{visit.site}/benchmarks/{name}"}, 201 if new else 200)


def list_by_token(visit: Visit) -> Response:
    """What a token's team sent, newest first."""
    name, team = visit.path["name"], _team_of_token(visit)
    some = [sent_value(one) for one in visit.db.benchmarks.submissions(name, team)]
    return JSONResponse({"team": team.name, "left": visit.db.benchmarks.left(name, team), "submissions": some})


def sent_value(one: Sent) -> dict[str, Any]:
    """A submission as JSON values."""
    about = {name: getattr(one, name) for name in ("id", "name", "sha256", "size", "state", "place", "detail")}
    rung = one.rung
    found = rung.estimate if rung else None
    told = {"new": rung.new, "best": rung.best} if rung else None
    numbers = {name: getattr(found, name) for name in ("value", "low", "high")} if found else {}
    return {**about, "at": int(one.at), "withdrawn": one.withdrawn, "told": told and {**told, **numbers}}


def _opened(visit: Visit, team: KeptTeam) -> Callable[[str], Incoming]:
    """Raises `NotTaken` before anything is read where nothing would be taken."""
    name, rooms = visit.path["name"], visit.db.benchmarks
    rooms.check_taken(name, team)
    return lambda file_name: rooms.incoming(name, team, file_name)


def _submitted(visit: Visit, team: KeptTeam, received: object, by: str) -> tuple[int, bool]:
    assert isinstance(received, Received)  # noqa: S101 - what `_opened` gives
    return visit.db.benchmarks.submit(visit.path["name"], team, received, by)


def _team(visit: Visit) -> KeptTeam:
    found = visit.db.benchmarks.teams.of_account(visit.path["name"], visit.known.id)
    if found is None:
        raise Refused(403, "You are of no team here: join yours by its token first.")
    return found


def _team_of_token(visit: Visit) -> KeptTeam:
    visit.db.benchmarks[visit.path["name"]]  # whether there is one is no secret
    kind, _, token = visit.request.headers.get("authorization", "").partition(" ")
    found = (
        visit.db.benchmarks.teams.with_token(visit.path["name"], token.strip()) if kind.lower() == "bearer" else None
    )
    if found is None:
        raise Refused(401, "No team here has this token: send it as Authorization: Bearer TOKEN.")
    return found
