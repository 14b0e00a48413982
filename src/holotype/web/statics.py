"""Files that never change: styles and scripts, by the digest of what is in them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

KINDS: Final = MappingProxyType(
    {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "png": "image/png", "ico": "image/x-icon"}
)
AT: Final = "at-"
"""What the folder begins with that the scripts of a version lie in."""


@dataclass(frozen=True, slots=True)
class Static:
    """A file as it is sent, plain and compressed, its media type, and the first digits of its sha256."""

    data: bytes
    compressed: bytes
    kind: str
    digest: str


@cache
def statics() -> dict[str, Static]:
    """Every file by its path below ``static``."""
    return dict(_below(files("holotype.web") / "static", ""))


def _below(folder: Traversable, path: str) -> list[tuple[str, Static]]:
    found = []
    for one in folder.iterdir():
        if one.is_dir():
            found += _below(one, f"{path}{one.name}/")
        elif (kind := KINDS.get(one.name.rpartition(".")[2])) is not None:
            data = one.read_bytes()
            static = Static(data, gzip.compress(data, 9, mtime=0), kind, hashlib.sha256(data).hexdigest()[:12])
            found.append((path + one.name, static))
    return found


def address(name: str) -> str:
    """Where a file is, by what is in it."""
    return f"/static/{name}?v={statics()[name].digest}"


@cache
def _scripts() -> str:
    """The first digits of the sha256 of all scripts."""
    scripts = sorted((name, static.digest) for name, static in statics().items() if name.endswith(".js"))
    return hashlib.sha256(repr(scripts).encode()).hexdigest()[:12]


def module(name: str) -> str:
    """Where a script is that imports others by relative addresses: all lie below what is in all of them."""
    return f"/static/{AT}{_scripts()}/{name}"


def modules(folder: str) -> list[str]:
    """Where the scripts of a folder are, to be fetched before one is found to import another."""
    return [module(name) for name in sorted(statics()) if name.startswith(f"{folder}/") and name.endswith(".js")]


async def send_static(request: Request) -> Response:
    """The file of an address; one that names its digest is kept by browsers for good."""
    name, version = request.path_params["name"], request.query_params.get("v")
    if name.startswith(AT):
        version, _, name = name[len(AT) :].partition("/")
    static = statics().get(name)
    if static is None:
        raise HTTPException(404)
    fixed = version in (static.digest, _scripts())
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if fixed else "no-cache"}
    headers |= {"Vary": "Accept-Encoding", "Content-Security-Policy": "default-src 'none'"}
    headers["X-Content-Type-Options"] = "nosniff"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(static.compressed, 200, headers | {"Content-Encoding": "gzip"}, static.kind)
    return Response(static.data, 200, headers, static.kind)
