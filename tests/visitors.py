"""People who visit a project's site in tests: each a client with a session, or nobody's."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from starlette.testclient import TestClient

from holotype.project import Project
from holotype.web.app import create_app
from holotype.web.people import SECRETIVE
from holotype.web.sessions import Signer
from holotype.web.settings import RATES, Settings

KEY = bytes(32)
SETTINGS = Settings(KEY, rates=dict.fromkeys(RATES, (1e6, 1e6)))


class Site:
    """A project's site, without a server; who visits is made with `as_`."""

    def __init__(self, db: Project, settings: Settings = SETTINGS) -> None:
        self.db, self.app, self.settings = db, create_app(db, settings), settings

    def nobody(self) -> Visitor:
        """A client without a session."""
        return Visitor(self.app, "")

    def as_(self, role: str, name: str = "", *more: str) -> Visitor:
        """A client with the session of a new account that has a role, and `more` of them."""
        password = "a hash" if role in SECRETIVE else ""
        account = self.db.people.join(self.db.people.invite(role), name or f"the {role}", password)
        for another in more:
            self.db.people.grant(account.id, another, "")
        return Visitor(self.app, f"{self.settings.cookie}={Signer(KEY).session(account.id, account.version)}")


class Visitor:
    """A client: `get` and `post` follow no redirection."""

    def __init__(self, app: object, cookie: str) -> None:
        headers = {"Sec-Fetch-Site": "same-origin"} | ({"Cookie": cookie} if cookie else {})
        self.client = TestClient(
            app,  # type: ignore[arg-type]
            base_url="http://127.0.0.1",
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def get(self, path: str, expect: int = 200, htmx: bool = False) -> str:
        """The text of a page, or of what htmx gets of it."""
        answer = self.client.get(path, headers={"HX-Request": "true"} if htmx else {})
        assert answer.status_code == expect, (path, answer.status_code, said(answer.text))
        return str(answer.text)

    def post(self, path: str, expect: int = 303, /, **fields: str) -> str:
        """Where a form that was sent leads, or the text of what it is answered with."""
        return self.send(path, list(fields.items()), expect)

    def send(self, path: str, fields: list[tuple[str, str]], expect: int = 303) -> str:
        """As `post`, with fields that may be there several times."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.client.post(path, content=urlencode(fields), headers=headers)
        assert answer.status_code == expect, (path, answer.status_code, said(answer.text))
        return str(answer.headers["Location"] if expect == 303 else answer.text)

    def fragment(self, path: str) -> str:
        """What htmx gets of a page."""
        return self.get(path, htmx=True)


def said(html: str) -> str:
    """What a page says, without its tags, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", html.partition("<main")[2] or html).split())
