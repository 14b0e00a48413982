"""The site's doors: who comes in, what is refused and how that is said, whatever a client sends."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any, cast
from urllib.parse import quote, urljoin

import pytest
from starlette.requests import Request
from starlette.routing import Route

import holotype
from browser import PASSWORD, Browsing, Served, another_site, served
from clients import FORM, OWN, Reply, Visitor, said
from holotype.project import Project
from holotype.web.limits import Buckets, Places
from holotype.web.sessions import LASTS, Signer
from holotype.web.settings import RATES, Settings
from holotype.web.visit import place, safe_path

SESSION = "holotype-session"


@pytest.fixture
def site(project: Project) -> Iterator[Served]:
    with served(project) as site:
        yield site


def welcomed(visitor: Visitor) -> bool:
    """Whether the site knows who a visitor is."""
    return visitor.get("/welcome").status == 200


# Coming in


def test_a_volunteer_comes_in_by_a_name_and_back_by_a_link(site: Served) -> None:
    ada = Visitor.joined(site, "worker", "Ada <3")
    page = ada.get("/welcome").text
    assert "Ada &lt;3" in page
    (link,) = re.findall(r'value="http://[^/]+(/return/[^"]+)"', page)
    elsewhere = Visitor(site)
    assert "Go on as Ada &lt;3" in elsewhere.get(link).text
    assert not welcomed(elsewhere), "looking at a link is not coming in"
    assert elsewhere.post(link).onward == "/"
    assert welcomed(elsewhere)


def test_looking_at_an_invitation_uses_up_nothing(site: Served) -> None:
    link = f"/join/{site.db.people.invite('worker')}"
    for _ in range(3):
        assert Visitor(site).get(link).status == 200
        assert Visitor(site).send("HEAD", link, None, {}).status == 200
    assert Visitor(site).post(link, {"name": "Ada"}).status == 303
    assert Visitor(site).get(link).status == 400
    assert Visitor(site).post(link, {"name": "Bea"}).status == 400


def test_an_operator_needs_a_password_and_comes_back_by_it(site: Served) -> None:
    link = f"/join/{site.db.people.invite('operator')}"
    for wrong in ({}, {"password": "short", "again": "short"}, {"password": PASSWORD, "again": PASSWORD + "!"}):
        assert Visitor(site).post(link, {"name": "Olga"} | wrong).status == 400
    olga = Visitor(site)
    assert olga.post(link, {"name": "Olga", "password": PASSWORD, "again": PASSWORD}).status == 303
    back = Visitor(site)
    assert back.post("/login", {"name": " olga ", "password": PASSWORD, "next": "/project"}).onward == "/project"
    assert welcomed(back)
    assert "return/" not in olga.get("/welcome").text, "who has a password has no link that replaces it"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Olga", "wrong password"),
        ("Nobody", PASSWORD),
        ("Olga", ""),
        ("", ""),
        ("\1", "x"),
        ("Ada", ""),
        ("Ada", "x" * 5000),
    ],
)
def test_a_wrong_name_or_password_is_told_alike(site: Served, name: str, password: str) -> None:
    Visitor.joined(site, "operator", "Olga")
    Visitor.joined(site, "worker", "Ada")
    visitor = Visitor(site)
    reply = visitor.post("/login", {"name": name, "password": password, "next": "/"})
    assert reply.status == 403
    assert "No account has this name and this password" in reply.text
    assert visitor.cookies == {}


# Sessions


def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(site: Served) -> None:
    reply = Visitor(site).post(f"/join/{site.db.people.invite('worker')}", {"name": "Ada"})
    parts = str(reply.headers["Set-Cookie"]).lower().split("; ")
    assert {"httponly", "samesite=lax", "path=/", f"max-age={LASTS}"} <= {*parts}
    assert not any(part.startswith("domain") for part in parts)


def test_behind_https_the_cookie_is_bound_to_the_host(project: Project) -> None:
    https = {"Host": "birds.example", "Sec-Fetch-Site": "same-origin"}
    with served(project, public_url="https://birds.example", hosts=frozenset({"birds.example"}), public=False) as site:
        reply = Visitor(site).post(f"/join/{project.people.invite('worker')}", {"name": "Ada"}, https)
    cookie = str(reply.headers["Set-Cookie"])
    assert cookie.startswith("__Host-session=")
    assert {"secure", "path=/", "httponly"} <= {*cookie.lower().split("; ")}
    assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_session_that_somebody_fixed_is_replaced_at_coming_in(site: Served) -> None:
    eve = Visitor.joined(site, "worker", "Eve")
    fixed = eve.cookies[SESSION]
    Visitor.joined(site, "operator", "Olga")
    olga = Visitor(site, {SESSION: fixed})
    olga.post("/login", {"name": "Olga", "password": PASSWORD})
    assert olga.cookies[SESSION] != fixed
    assert "Welcome, Eve" in eve.get("/welcome").text
    assert "Welcome, Olga" in olga.get("/welcome").text


def test_a_stolen_session_ends_when_its_owner_signs_out_everywhere(site: Served) -> None:
    ada = Visitor.joined(site, "worker", "Ada")
    (link,) = re.findall(r'value="http://[^/]+(/return/[^"]+)"', ada.get("/welcome").text)
    thief = Visitor(site, dict(ada.cookies))
    assert welcomed(thief)
    assert ada.post("/logout", {"everywhere": "yes"}).onward == "/"
    assert not welcomed(thief)
    assert Visitor(site).get(link).status == Visitor(site).post(link).status == 404, "the link is as old"


def test_signing_out_ends_this_browsers_session_only(site: Served) -> None:
    ada = Visitor.joined(site, "worker", "Ada")
    phone = Visitor(site, dict(ada.cookies))
    ada.post("/logout")
    assert ada.cookies == {}
    assert welcomed(phone)


def test_a_role_that_was_taken_is_gone_at_the_next_request(site: Served) -> None:
    olga, otto = (Visitor.joined(site, "operator", name) for name in ("Olga", "Otto"))
    assert 'href="/project"' in otto.get("/welcome").text
    numbers = {one.name: one.id for one in site.db.people.everybody()}
    site.db.people.revoke(numbers["Otto"], "operator", "Olga")
    assert 'href="/project"' not in otto.get("/welcome").text
    assert 'href="/project"' in olga.get("/welcome").text


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "WzEsMV0",
        "WzEsMV0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb",
        "..",
        "a" * 5000,
        Signer(b"another site's key").session(1, 1),
        Signer(b"").session(1, 1),
        "%00",
        "\u00e9",
    ],
    ids=count(),
)
def test_a_forged_session_is_none(site: Served, cookie: str) -> None:
    Visitor.joined(site, "operator", "Olga")
    forged = Visitor(site, {SESSION: cookie})
    assert forged.get("/login").status == 200
    assert forged.get("/welcome").onward.startswith("/login?next=")


def test_what_is_signed_for_one_purpose_holds_for_no_other(site: Served) -> None:
    Visitor.joined(site, "worker", "Ada")
    signer = Signer(site.db.secret("web"))
    assert not welcomed(Visitor(site, {SESSION: signer.way_back(1, 1)}))
    assert Visitor(site).post(f"/return/{signer.session(1, 1)}").status == 404
    for payload in (("1", "1"), (1,), (1, 1, 1), {"a": 1}, None, 1.5, [[1], [1]]):
        forged = signer._sessions.dumps(payload)
        assert signer.read_session(str(forged)) is None


def test_an_old_session_holds_no_more(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = Visitor.joined(site, "worker", "Ada")
    monkeypatch.setattr("holotype.web.sessions.LASTS", -1)
    assert not welcomed(ada)


# Other sites

SENDERS = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "none"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, False),
    ({"Origin": "OWN"}, True),
    ({"Origin": "http://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({}, False),
    ({"Origin": "https://127.0.0.1"}, False),
    ({"Origin": "OWN.evil.example"}, False),
    ({"Referer": "OWN/login"}, False),
]


@pytest.mark.parametrize(("headers", "taken"), SENDERS, ids=[str(one) for one, _ in SENDERS])
def test_a_change_is_taken_from_pages_of_this_site_only(site: Served, headers: dict[str, str], taken: bool) -> None:
    sent = {name: value.replace("OWN", site.address) for name, value in headers.items()}
    ada = Visitor.joined(site, "worker", "Ada")
    reply = ada.post("/logout", {"everywhere": "yes"}, sent)
    assert reply.status == (303 if taken else 403)
    assert welcomed(Visitor(site, {SESSION: Signer(site.db.secret("web")).session(1, 1)})) is not taken


def test_every_route_that_changes_something_refuses_other_sites(site: Served) -> None:
    olga = Visitor.joined(site, "operator", "Olga")
    changing = [door for door in doors(site) if door.method != "GET"]
    assert len(changing) > 5
    for door in changing:
        reply = olga.send(door.method, door.path, b"", FORM | {"Sec-Fetch-Site": "cross-site"})
        assert reply.status == 403, door
        assert "not sent from a page of this site" in reply.text


def test_a_form_on_another_site_changes_nothing(browsing: Browsing, site: Served) -> None:
    page = browsing.page(site, "worker", name="Ada")
    field = '<input name="everywhere" value="yes"><button>win</button>'
    form = f'<form method="post" action="{site.address}/logout">{field}</form>'
    for address in (another_site(form), another_site(f'<meta name="referrer" content="no-referrer">{form}')):
        with address as evil:
            page.goto(evil)
            page.get_by_role("button").click()
            page.wait_for_url("**/logout")
            assert "not sent from a page of this site" in page.inner_text("main")
    page.goto("/welcome")
    assert page.get_by_role("heading", level=1).inner_text() == "Welcome, Ada"


def test_no_other_site_shows_a_page_in_a_frame(browsing: Browsing, site: Served) -> None:
    page = browsing.page(site, "operator", name="Olga")
    with another_site(f'<iframe src="{site.address}/welcome"></iframe>') as evil:
        with page.expect_console_message(lambda said: "frame" in said.text.lower()):
            page.goto(evil)
        assert "Welcome" not in "".join(frame.content() for frame in page.frames)
    browsing.complaints.clear()
    reply = Visitor(site).get("/login")
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "169.254.169.254",
        "0.0.0.1",
        "[::2]",
        "2130706433",
    ],
)
def test_a_name_that_is_not_ours_is_refused(site: Served, host: str) -> None:
    ada = Visitor.joined(site, "worker", "Ada")
    for path in ("/welcome", "/login"):
        reply = ada.get(path, {"Host": host})
        assert reply.status == 421
        assert host not in reply.text + str(reply.headers)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "[::1",
        "a@127.0.0.1",
        "127.0.0.1:x",
        "127.0.0.1/..",
        "evil.example\r\nHost: 127.0.0.1",
        "127.0.0.1\r\nHost: evil.example",
        "\xff",
    ],
)
def test_a_host_that_is_none_gets_into_no_address(site: Served, host: str) -> None:
    session = f"Cookie: {SESSION}={Visitor.joined(site, 'worker', 'Ada').cookies[SESSION]}\r\n"
    for path in ("/welcome", "/login/", "/project", "/nowhere/"):
        reply = said(
            site, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{session}Connection: close\r\n\r\n".encode("latin-1")
        )
        assert b"evil" not in reply
        assert b"HTTP/1.1 5" not in reply


def test_a_host_of_another_site_is_not_redirected_to(site: Served) -> None:
    for door in doors(site):
        for asked in (f"{door.path}/", f"/{door.path}", f"{door.path}//evil.example"):
            reply = Visitor(site).get(asked, {"Host": "evil.example"})
            assert "evil" not in reply.onward, asked


def test_what_a_proxy_says_is_heard_from_a_proxy_only(project: Project) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    seen: list[str] = []
    with served(project) as site:
        site_client(site, seen)
        Visitor(site).get("/login", forwarded)
    with served(project, public_url="https://birds.example", hosts=frozenset({"birds.example"})) as site:
        site_client(site, seen)
        Visitor(site).get("/login", forwarded | {"Host": "birds.example"})
    assert seen == ["127.0.0.1", "203.0.113.9"]


def site_client(site: Served, seen: list[str]) -> None:
    """Note from now on where each request is said to be from."""
    buckets = site.app.state.buckets
    wait = buckets.wait

    def noted(client: str, kind: str, now: float) -> float:
        seen.append(client.removeprefix("address "))
        return float(wait(client, kind, now))

    buckets.wait = noted


# Redirections

HOSTILE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/\r\nLocation: https://evil.example",
    "javascript:alert(1)",
    "data:text/html,evil",
    "https:evil.example",
    "http:/evil.example",
    "evil.example",
    "@evil.example",
    "/\u2028/evil.example",
    "/\uff0fevil.example",
    "//evil.example\\@127.0.0.1",
    "/%09/evil.example\\",
    "",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nobody_is_sent_to_another_site(site: Served, hostile: str) -> None:
    assert safe_path(hostile) == "/"
    Visitor.joined(site, "operator", "Olga")
    page = Visitor(site).get(f"/login?next={quote(hostile)}")
    assert 'name="next" value="/"' in page.text
    reply = Visitor(site).post("/login", {"name": "Olga", "password": PASSWORD, "next": hostile})
    assert (reply.status, reply.onward) == (303, "/")


@pytest.mark.parametrize("hostile", ["//evil.example", "https://evil.example"])
def test_no_query_or_field_sends_anybody_away(site: Served, hostile: str) -> None:
    olga = Visitor.joined(site, "operator", "Olga")
    names = ("next", "to", "url", "back", "return", "redirect", "turkSubmitTo")
    query = "?" + "&".join(f"{name}={quote(hostile)}" for name in names)
    for door in doors(site):
        reply = door.knock(olga, query, [(name, hostile) for name in names])
        assert reply.status < 500, door
        assert urljoin(site.address + door.path, reply.onward).startswith(f"{site.address}/"), door


@pytest.mark.parametrize("ours", ["/", "/tasks", "/tasks?n=1&m=2", "/images?q=under%3Adog", "/synset/n02084071#more"])
def test_a_path_of_this_site_is_gone_on_to(ours: str) -> None:
    assert safe_path(ours) == ours


def test_who_is_not_known_is_brought_to_where_they_wanted_to_go(site: Served) -> None:
    Visitor.joined(site, "operator", "Olga")
    olga = Visitor(site)
    reply = olga.get("/welcome?a=b&c=%22d")
    assert reply.onward == "/login?next=%2Fwelcome%3Fa%3Db%26c%3D%2522d"
    onward = re.findall(r'name="next" value="([^"]*)"', olga.get(reply.onward).text)[0].replace("&amp;", "&")
    assert olga.post("/login", {"name": "Olga", "password": PASSWORD, "next": onward}).onward == "/welcome?a=b&c=%22d"


# Every way in


@dataclass(frozen=True)
class Door:
    """A way in: a method of an address."""

    method: str
    path: str

    def knock(self, visitor: Visitor, query: str = "", fields: Sequence[tuple[str, str]] = ()) -> Reply:
        """What a visitor gets there, who is the same afterwards."""
        same = Visitor(visitor.site, dict(visitor.cookies))
        return same.post(self.path + query, fields) if self.method == "POST" else same.get(self.path + query)


def doors(site: Served, junk: str = "n02084071") -> list[Door]:
    """Every way in, with something in each place of an address that varies."""
    found = []
    for route in cast(list[Route], site.app.routes):
        path = re.sub(r"\{[^}]+\}", junk, re.sub(r"\{\w+:int\}", "1", route.path))
        found += [Door(method, path) for method in {*(route.methods or ())} - {"HEAD"}]
    return sorted(found, key=lambda door: (door.path, door.method))


# Too much


def test_a_client_that_asks_for_too_much_is_told_when_to_come_back(project: Project) -> None:
    with served(project, rates=dict(RATES) | {"page": (0.01, 3.0)}) as site:
        ada = Visitor.joined(site, "worker", "Ada")
        stranger = Visitor(site)
        assert [stranger.get("/login").status for _ in range(4)] == [200, 200, 200, 429]
        reply = stranger.get("/login")
        assert 1 <= int(reply.headers["Retry-After"]) <= 100
        assert "Too fast" in reply.text
        assert ada.get("/login").status == 200, "an account is counted for itself"


GUESSING = dict(RATES) | {"secret": (0.001, 5.0), "name": (0.001, 8.0)}


WRONG = "not this"


def guess(site: Served, name: str = "0LGA ", password: str = WRONG) -> int:
    return Visitor(site).post("/login", {"name": name, "password": password}).status


def test_a_name_is_guessed_at_a_few_times_from_one_place_and_not_many_more_from_all(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holotype.web import people, routing

    with served(project, rates=GUESSING) as site:
        Visitor.joined(site, "operator", "Olga")
        site.app.state.buckets, site.app.state.places = Buckets(GUESSING), Places()
        places = count()
        monkeypatch.setattr(routing, "place", lambda _: f"address {next(places)}")
        assert [guess(site) for _ in range(6)] == [403] * 5 + [429], "one place"
        monkeypatch.setattr(people, "place", lambda _: f"address {next(places)}")
        assert [guess(site) for _ in range(5)] == [403] * 3 + [429] * 2, "and from all over the world"
        assert guess(site, "Olga", PASSWORD) == 429
        assert guess(site, "Otto") == 403


def test_who_guesses_at_a_name_keeps_nobody_out_who_was_in_lately(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holotype.web import people, routing

    where = ["address home"]
    for module in (people, routing):
        monkeypatch.setattr(module, "place", lambda _: where[0])
    with served(project, rates=GUESSING) as site:
        Visitor.joined(site, "operator", "Olga").get("/project")
        for number in range(20):
            where[0] = f"address {number}"
            guess(site)
        assert guess(site, "Olga", PASSWORD) == 429, "nobody knows this place"
        where[0] = "address home"
        assert guess(site, "Olga", PASSWORD) == 303
        assert [guess(site) for _ in range(6)][-1] == 429, "nor may one guess for ever at home"


def test_places_are_known_for_a_while() -> None:
    places = Places()
    places.note(1, "a", 0.0)
    assert places.lately(1, "a", LASTS - 1)
    assert not places.lately(1, "a", LASTS)
    assert not places.lately(1, "b", 1.0)
    assert not places.lately(2, "a", 1.0)


def test_buckets_fill_again_and_never_above_their_rim() -> None:
    buckets = Buckets({"page": (2.0, 3.0)})
    assert [buckets.wait("a", "page", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("b", "page", 0.0) == 0
    assert buckets.wait("a", "page", 0.5) == 0
    assert buckets.wait("a", "page", 0.5) == 0.5
    assert [buckets.wait("a", "page", 1e9) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("a", "page", 0.0) == 0.5, "a clock that was set back gives nothing"


def test_an_ipv6_network_is_one_client() -> None:
    def at(host: str) -> str:
        return place(Request({"type": "http", "client": (host, 1), "headers": []}))

    assert at("2001:db8::1") == at("2001:db8::ffff:1") != at("2001:db8:0:1::1")
    assert at("10.0.0.1") != at("10.0.0.2")
    assert at("::ffff:10.0.0.1") != at("::ffff:10.0.0.2")


# Forms


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"name=" + b"a" * 70_000, 413),
        (b"a=b&" * 250_000, 413),
        (b"name=" + b"a" * 30_000_000, 413),
        (b"&".join(b"%d=" % n for n in range(300)), 400),
        (b"name=Ada&name=Eve", 400),
        (b"nom=Ada", 400),
        (b"name=%ff%fe", 400),
        (b"name=\xc3\xa9", 400),
        (b"name=%", 400),
        (b"\0" * 100, 400),
        (b"", 400),
        (b'{"name": "Ada"}', 400),
    ],
)
def test_a_form_that_is_none_is_refused(site: Served, body: bytes, status: int) -> None:
    link = f"/join/{site.db.people.invite('worker')}"
    try:
        found = Visitor(site).post(link, body).status
    except (ConnectionResetError, BrokenPipeError):
        found = 413  # it was told before it had sent all, and went on
        assert len(body) > 4_000_000
    assert found == status
    assert site.db.people.everybody() == []
    assert Visitor(site).get("/healthz").text == "ok"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_what_is_no_form_is_refused(site: Served, kind: str) -> None:
    link = f"/join/{site.db.people.invite('worker')}"
    assert Visitor(site).send("POST", link, b"name=Ada", OWN | {"Content-Type": kind}).status == 415


@pytest.mark.parametrize(
    "junk",
    [
        "%00",
        "%ff",
        "a" * 3000,
        "%0d%0aSet-Cookie:%20a=b",
        "{x}",
        "NaN",
    ],
)
def test_no_address_makes_the_site_fail(site: Served, junk: str) -> None:
    olga = Visitor.joined(site, "operator", "Olga")
    query = "&".join(f"{name}={junk}" for name in ("q", "next", "page", "as", "after", "state", "release", "n"))
    for door in doors(site, junk):
        if door.method == "GET":
            reply = door.knock(olga, f"?{query}&%ff=%ff")
            assert reply.status < 500, door
            assert "Set-Cookie" not in reply.headers


VALUES = ("NaN", "inf", "-1", "1e400", "", "\0", "n02084071", "9" * 400, "<script>", "\u202e\U0001f41d")


def test_no_form_makes_the_site_fail(site: Served) -> None:
    olga = Visitor.joined(site, "operator", "Olga")
    names = [
        "name",
        "role",
        "uses",
        "days",
        "seconds",
        "reason",
        "page",
        "text",
        "kind",
        "wnid",
        "budget",
        "next",
        "answer-1",
    ]
    for door in doors(site):
        for first in range(0, len(VALUES), 3) if door.method == "POST" else ():
            fields = [*zip(names, cycle(VALUES[first:] + VALUES[:first]), strict=False)]
            reply = door.knock(olga, fields=fields)
            assert reply.status < 500, (door, fields, reply.text)


# Failures


def test_nothing_of_an_error_is_shown_and_all_of_it_is_logged(
    site: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted: hunter2")

    monkeypatch.setattr(type(site.db.people), "password_of", fail)
    with caplog.at_level(logging.ERROR):
        for headers in ({}, {"HX-Request": "true"}):
            reply = Visitor(site).post("/login", {"name": "Ada", "password": PASSWORD}, OWN | headers)
            assert reply.status == 500
            assert not re.search("planted|hunter2|Traceback|ZeroDivision|File", reply.text)
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "hunter2" in caplog.text
    assert PASSWORD not in caplog.text


def test_a_catalog_that_fails_is_the_sites_fault_and_worth_another_try(
    site: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from holotype.errors import Overloaded, ProjectError

    ada = Visitor.joined(site, "worker", "Ada")
    for error in (ProjectError("the catalog could not be written: disk full"), Overloaded("more than 1,000")):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(type(site.db.people), "account", fail)
            reply = ada.get("/welcome")
        assert reply.status == 503
        assert int(reply.headers["Retry-After"]) >= 5
        assert "disk" not in reply.text
    assert "disk full" in caplog.text
    assert ada.get("/welcome").status == 200


def test_the_headers_that_keep_a_browser_safe_are_on_every_answer(site: Served) -> None:
    olga = Visitor.joined(site, "operator", "Olga")
    for path in [*(door.path for door in doors(site)), "/nowhere", "/login/"]:
        for reply in (olga.get(path), Visitor(site).get(path)):
            policy = reply.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert not re.search("unsafe|https?:(?!//w)|\\*", policy), policy
            assert reply.headers["X-Content-Type-Options"] == "nosniff", path
            assert reply.headers.get("Referrer-Policy", "same-origin") == "same-origin"
            assert "Server" not in reply.headers
            if reply.headers.get("Content-Type", "").startswith("text/html"):
                assert re.search("no-store|private", reply.headers["Cache-Control"]), path


def test_pages_of_those_who_are_in_are_kept_nowhere(site: Served) -> None:
    ada = Visitor.joined(site, "worker", "Ada")
    assert ada.get("/welcome").headers["Cache-Control"] == "no-store"


def test_methods_that_there_are_not(site: Served) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"):
        reply = Visitor(site).send(method, "/login", None, OWN)
        assert reply.status == 405
        assert {*reply.headers["Allow"].split(", ")} >= {"GET", "HEAD"} or {*reply.headers["Allow"].split(", ")} == {
            "POST"
        }


def test_nothing_secret_gets_into_logs_or_terminal(
    site: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        secret = site.db.people.invite("operator")
        olga = Visitor(site)
        olga.get(f"/join/{secret}")
        olga.post(f"/join/{secret}", {"name": "Olga Planted", "password": PASSWORD, "again": PASSWORD})
        olga.get("/welcome?q=planted-query")
        said(site, b"planted nonsense \xff\r\n\r\n")
        olga.post("/login", {"name": "Olga Planted", "password": "planted wrong password"})
    terminal = capfd.readouterr()
    told = caplog.text + terminal.out + terminal.err
    for planted in (secret, PASSWORD, "lanted", olga.cookies[SESSION], "127.0.0.1 - "):
        assert planted not in told


def test_errors_of_the_database_show_no_values(project: Project) -> None:
    from sqlalchemy import insert

    from holotype.catalog import schema

    row = {"name": "x", "key": None, "password": "planted hash", "version": 1, "at": 0.0}
    with pytest.raises(Exception, match="NOT NULL") as raised, project.catalog.write() as connection:
        connection.execute(insert(schema.account).values(**row))
    assert "planted" not in json.dumps([str(raised.value), str(raised.value.__cause__)])


# Settings


@pytest.mark.parametrize(
    "url",
    [
        "http://birds.example",
        "ftp://birds.example",
        "birds.example",
        "https://birds.example/site",
        "https://",
        "https:///x",
        "javascript:1",
    ],
)
def test_public_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(holotype.errors.ProjectError):
        Settings.of(b"key", url)


def test_a_site_that_others_reach_says_what_it_needs() -> None:
    with pytest.raises(holotype.errors.ProjectError, match="proxy"):
        Settings.of(b"key", host="0.0.0.0")  # noqa: S104 - refused
    found = Settings.of(b"key", "https://birds.example/", host="0.0.0.0")  # noqa: S104
    assert (found.public, found.secure, "birds.example" in found.hosts) == (False, True, True)


def test_two_projects_have_two_keys(project: Project, new_project: Any, tmp_path: Any) -> None:
    assert project.secret("web") != project.secret("pictures")
    assert len(project.secret("web")) == 32


def test_thirty_volunteers_come_in_from_one_place_at_once(project: Project) -> None:
    with served(project, rates=RATES) as site:
        link = f"/join/{project.people.invite('worker', 30)}"
        assert {Visitor(site).get(link).status for _ in range(30)} == {200}
        assert {Visitor(site).post(link, {"name": f"Volunteer {n}"}).status for n in range(30)} == {303}
