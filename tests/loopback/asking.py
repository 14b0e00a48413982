"""Asking a source over a socket, page after page, one request at a time and without waiting."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

from holotype.collect.queries import Asked
from holotype.collect.sources.port import Admitting, Found, Page, Reply, Request, Source

AGENT = "holotype/0.1 (test@example.org)"


def send(request: Request) -> Reply:
    """What a server answers; a body that broke off is what came of it."""
    sent = request.sent()
    parts = urlsplit(sent.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(sent.method, path, sent.body or None, {"User-Agent": AGENT, **sent.headers})
        response = connection.getresponse()
        try:
            body = response.read()
        except http.client.IncompleteRead as broken:
            body = broken.partial
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, body)
    finally:
        connection.close()


def let_in(source: Source) -> Source:
    """The source, with a pass if it gives any."""
    wanted = source.admission() if isinstance(source, Admitting) else None
    return source if wanted is None or not isinstance(source, Admitting) else source.admitted(send(wanted))


def page_at(source: Source, asked: Asked, cursor: str | None = None) -> Page:
    """One page, the first unless another is meant."""
    place = source.first(asked) if cursor is None else cursor
    return source.read(asked, place, send(source.request(asked, place)))


def pages(source: Source, asked: Asked, most: int = 1_000) -> Iterator[Page]:
    """All pages of a question; more than `most` are an error."""
    cursor: str | None = source.first(asked)
    while cursor is not None:
        assert most > 0, "it never ends"
        page = page_at(source, asked, cursor)
        yield page
        cursor, most = page.following, most - 1


def found(source: Source, asked: Asked, most: int = 1_000) -> list[Found]:
    """All results of a question."""
    return [one for page in pages(source, asked, most) for one in page.found]
