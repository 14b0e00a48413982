"""Openverse: an index of openly licensed images of many collections. 240 works a question, with or without a key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Key, Page, Rate, Reply, Request
from holotype.collect.sources.replies import NO_FILE, Skips, cursor_of, failure, numbers_of, odd, parsed, searched
from holotype.collect.sources.values import at, licence_text, number, objects, pixels, text, web
from holotype.errors import PassExpired, SourceError, SourceRefused
from holotype.licences import Licence, parse

ID: Final = "HOLOTYPE_OPENVERSE_CLIENT_ID"
SECRET: Final = "HOLOTYPE_OPENVERSE_CLIENT_SECRET"  # noqa: S105 - the name of the variable
DEEPEST: Final = 240
ANONYMOUS: Final = 20
"""The most results a page without a key: more is answered with 401."""
_LONGEST: Final = 200
_NOTE: Final = "openly licensed works of many collections; 240 a question, and its terms forbid to get round that"


@dataclass(frozen=True, slots=True)
class Openverse:
    """Works whose title, tags or description have the words, under one of `licences` (Openverse's codes) if any.

    With `client` and `secret` it is asked with a token, which raises how often it may be asked, not how deep.
    """

    client: Key | None = None
    secret: Key | None = None
    licences: tuple[str, ...] = ()
    api: str = "https://api.openverse.org/v1/"
    token: Key | None = None

    name: ClassVar[str] = "openverse"

    @property
    def about(self) -> About:
        rates = (Rate(100, 60), Rate(10_000, 86_400)) if self.secret else (Rate(5, 3_600), Rate(100, 86_400))
        size = DEEPEST if self.secret else ANONYMOUS
        return About(size, DEEPEST, _NOTE, keys=(ID, SECRET), rates=rates)

    @property
    def _keys(self) -> tuple[Key | None, ...]:
        return self.client, self.secret, self.token

    def admission(self) -> Request | None:
        """Ask for a token, which is valid for ten hours."""
        if self.client is None or self.secret is None or self.token is not None:
            return None
        form = (("grant_type", "client_credentials"), ("client_id", self.client), ("client_secret", self.secret))
        return Request(f"{self.api}auth_tokens/token/", form=form)

    def admitted(self, reply: Reply) -> Openverse:
        """The source with the token that a reply holds."""
        if reply.status in (400, 401, 403):
            raise SourceRefused(f"openverse answered {reply.status}: {ID} and {SECRET} are not accepted", whole=True)
        token = parsed(self.name, reply, *self._keys).get("access_token")
        if not isinstance(token, str):
            raise odd(self.name, "a token")
        return replace(self, token=Key(token, "Bearer ", "what openverse gave as a token"))

    def first(self, asked: Asked) -> str:
        searched(asked, _LONGEST)
        return cursor_of(page=1, size=self.about.per_page)

    def request(self, asked: Asked, cursor: str) -> Request:
        page, size = numbers_of(cursor, "page", "size")
        return Request(
            f"{self.api}images/",
            (
                ("q", searched(asked, _LONGEST)),
                ("page", str(page)),
                ("page_size", str(size)),
                *((("license", ",".join(self.licences)),) if self.licences else ()),
            ),
            () if self.token is None else (("Authorization", self.token),),
            others=tuple(key for key in (self.client, self.secret) if key is not None),
        )

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        page, size = numbers_of(cursor, "page", "size")
        if reply.status in (400, 401):
            return self._smaller(size, reply)
        said = parsed(self.name, reply, *self._keys)
        results = said.get("results")
        if not isinstance(results, list):
            raise odd(self.name, "results")
        found, skipped = [], Skips()
        for position, one in enumerate(objects(results), (page - 1) * size + 1):
            if url := web(one.get("url")):
                found.append(_found(one, url, position))
            else:
                skipped.add(NO_FILE)
        pages = number(said.get("page_count"))
        last = not results or page * size >= DEEPEST or (pages is not None and page >= pages)
        following = None if last else cursor_of(page=page + 1, size=size)
        return Page(tuple(found), following, number(said.get("result_count")), skipped)

    def _smaller(self, size: int, reply: Reply) -> Page:
        """An empty page that leads to pages of the size that anybody may ask for, if this one was too large."""
        try:
            parsed(self.name, reply, *self._keys)
        except SourceError as error:
            if size > ANONYMOUS and "page_size" in str(error):
                return Page((), cursor_of(page=1, size=ANONYMOUS))
            if reply.status == 401 and self.token is not None:
                raise PassExpired("openverse does not accept its token any more", whole=True) from None
            raise
        raise failure(self.name, reply)


def licence_of(code: object, version: object, url: object) -> Licence:
    """The licence in Openverse's fields: ``by-sa``, ``2.0`` and its address."""
    return parse(licence_text(f"CC {text(code).upper()} {text(version)}".strip()) if text(code) else "", web(url))


def _found(one: dict[str, object], url: str, position: int) -> Found:
    return Found(
        url=url,
        landing=web(one.get("foreign_landing_url")),
        position=position,
        licence=licence_of(one.get("license"), one.get("license_version"), one.get("license_url")),
        width=pixels(one.get("width")),
        height=pixels(one.get("height")),
        title=text(one.get("title")),
        creator=text(one.get("creator")),
        creator_url=web(at(one, "creator_url")),
    )
