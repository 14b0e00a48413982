"""The addresses of benchmarks."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from holotype.web.benchmarks import boards, running, teams
from holotype.web.routing import page
from holotype.web.uploads import Upload, form_upload, token_page, token_upload

routes: Final[list[Route]] = [
    page("/benchmarks", boards.show_list, "public"),
    page("/benchmarks/{name}", boards.show, "public"),
    page("/benchmarks/{name}/board.json", boards.send_boards, "public"),
    page("/benchmarks/{name}/team", teams.show, "viewer"),
    page("/benchmarks/{name}/join", teams.join, "viewer", ("POST",), kind="secret"),
    page("/benchmarks/{name}/withdraw", teams.withdraw, "viewer", ("POST",)),
    form_upload("/benchmarks/{name}/submit", Upload(teams.admit, teams.take), "viewer"),
    token_upload("/benchmarks/{name}/submissions", Upload(teams.admit_by_token, teams.take_by_token)),
    token_page("/benchmarks/{name}/submissions", teams.list_by_token),
    page("/project/benchmarks", running.show_list, "operator"),
    page("/project/benchmarks/{name}", running.show, "operator"),
    page("/project/benchmarks/{name}/{verb}", running.act, "operator", ("POST",)),
]
