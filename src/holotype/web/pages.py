"""Answers: pages from templates, redirections, errors; each with the headers that keep a browser safe."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import RedirectResponse, Response

from holotype.web.statics import address, module, modules
from holotype.web.visit import Refused, Visit, safe_path

TURK: Final = "https://www.mturk.com https://workersandbox.mturk.com"
TURK_FRAMES: Final = "https://worker.mturk.com https://workersandbox.mturk.com"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'{forms}; frame-ancestors {frames}"
)
PICTURE_POLICY: Final = "default-src 'none'; sandbox"
_SMALL: Final = 1_000
"""Bytes below which nothing is compressed."""


def headers(frames: bool = False, secure: bool = False) -> dict[str, str]:
    """The headers of every page; with `frames`, of one that Mechanical Turk shows in a frame and that posts there."""
    policy = _POLICY.format(forms=f" {TURK}" if frames else "", frames=TURK_FRAMES if frames else "'none'")
    found = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if not frames:
        found |= {"Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY"}
    if secure:
        found["Strict-Transport-Security"] = "max-age=31536000"
    return found


@cache
def environment() -> Environment:
    """The templates; all that they are given is escaped, and what they are not given is an error."""
    made = Environment(
        loader=PackageLoader("holotype.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"static": address, "module": module, "modules": modules}
    made.filters["count"] = lambda number: f"{number:,}"
    return made


def render(visit: Visit, template: str, status: int = 200, /, **context: Any) -> Response:
    """A page of a template, which also gets the `visit`."""
    text = environment().get_template(template).render(visit=visit, **context)
    return html(visit, text, status)


def html(visit: Visit, text: str, status: int = 200) -> Response:
    """An answer in HTML, compressed where the browser takes that."""
    body, more = text.encode(), {"Vary": "Accept-Encoding, Cookie, HX-Request"}
    if len(body) > _SMALL and "gzip" in visit.request.headers.get("accept-encoding", ""):
        body, more["Content-Encoding"] = gzip.compress(body, 5, mtime=0), "gzip"
    more["Cache-Control"] = "no-cache, private" if visit.account is None else "no-store"
    return Response(body, status, more, "text/html")


def picture(data: bytes, kind: str = "image/jpeg", cache: str = "no-store") -> Response:
    """An answer that is a picture: a browser takes it for nothing else."""
    return Response(data, 200, {"Content-Security-Policy": PICTURE_POLICY, "Cache-Control": cache}, kind)


def redirect(path: str) -> Response:
    """On to another page of this site, by GET."""
    return RedirectResponse(safe_path(path), 303)


def refusal(visit: Visit, error: Refused) -> Response:
    """The page that says why something is not given."""
    answer = render(visit, "error.html", error.status, text=error.text, status=error.status)
    if error.retry_after:
        answer.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return answer


def add_headers(answer: Response, found: Mapping[str, str]) -> Response:
    """Give an answer the headers that it has not yet."""
    for name, value in found.items():
        answer.headers.setdefault(name, value)
    return answer
