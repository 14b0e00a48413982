"""The site: every page, and the project it shows."""

from __future__ import annotations

from collections import Counter

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from holotype.project import Project
from holotype.web import pages, people
from holotype.web.benchmarks import routes as benchmarks
from holotype.web.boxes import routes as boxes
from holotype.web.explore import routes as explore
from holotype.web.limits import Buckets, Places
from holotype.web.operator import routes as operator
from holotype.web.sessions import Signer
from holotype.web.settings import Settings
from holotype.web.statics import send_static
from holotype.web.work import routes as work

ROBOTS = "User-agent: *\nDisallow: /download\nDisallow: /images\nDisallow: /tasks\nDisallow: /project\n"
PLAIN = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


def create_app(db: Project, settings: Settings) -> Starlette:
    """The ASGI application of a project's site; it writes through `holotype.catalog.connect.Catalog.grouped` where
    whoever runs it has entered that."""
    routes = [
        Route("/healthz", _healthy),
        Route("/robots.txt", _robots),
        Route("/static/{name:path}", send_static),
        *people.routes,
        *work.routes,
        *boxes.routes,
        *operator.routes,
        *benchmarks.routes,
        *explore.routes,
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unknown})
    app.router.redirect_slashes = False  # it would redirect to whatever host a request names
    app.state.db, app.state.settings = db, settings
    app.state.signer, app.state.buckets = Signer(settings.key), Buckets(settings.rates)
    app.state.places, app.state.uploads = Places(), Counter[str]()
    return app


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok", headers=PLAIN)


async def _robots(_: Request) -> Response:
    return PlainTextResponse(ROBOTS, headers=PLAIN)


async def _unknown(request: Request, error: Exception) -> Response:
    """The page for an address, or a method, that there is not."""
    status, more = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    text = pages.environment().get_template("unknown.html").render(status=status)
    secure = request.app.state.settings.secure
    headers = pages.headers(secure=secure) | {"Cache-Control": "no-store"} | dict(more or {})
    return Response(text, status, headers, "text/html")
