"""What holds for every source: no reply makes it crash or lie, and no text that comes out of it holds a key."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from holotype.collect.queries import Asked
from holotype.collect.sources.brave import Brave
from holotype.collect.sources.commons import Commons
from holotype.collect.sources.europeana import Europeana
from holotype.collect.sources.flickr import Flickr
from holotype.collect.sources.gbif import Gbif
from holotype.collect.sources.inaturalist import INaturalist
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import Admitting, Key, Page, Reply, Request, Source
from holotype.collect.sources.smithsonian import Smithsonian
from holotype.errors import SourceBusy, SourceError, SourceRefused
from holotype.provenance import is_web_url
from loopback.asking import let_in, page_at, pages, send
from loopback.brave import BraveServer
from loopback.commons import CommonsServer
from loopback.corpus import works
from loopback.europeana import EuropeanaServer
from loopback.flickr import FlickrServer
from loopback.gbif import GbifServer
from loopback.inaturalist import INaturalistServer
from loopback.openverse import OpenverseServer
from loopback.service import Answer, Service
from loopback.smithsonian import SmithsonianServer

PLANTED = "planted0123456789abcdef"
ASKED = Asked("Vulpes vulpes", "eng", "lemma")
CORPUS = works(3, taxon="Vulpes vulpes", words="Vulpes vulpes", licence="cc0")
ODD: tuple[Any, ...] = (
    None,
    0,
    -1,
    1e308,
    float("nan"),
    True,
    "",
    "x",
    "\ud800",
    "https://",
    [],
    {},
    [[]],
    [{}],
    {"": {}},
)


@dataclass(frozen=True, slots=True)
class Case:
    """A source, its server, and how it is made with a key for the server's address."""

    serve: Callable[[], Service]
    make: Callable[[str, str], Source]
    keyed: bool = False
    last: str = ""
    """The cursor of a page with images, "" for the first."""


CASES = {
    "commons": Case(lambda: CommonsServer(CORPUS), lambda url, key: Commons(api=url)),
    "openverse": Case(
        lambda: _openverse(), lambda url, key: Openverse(Key(key), Key(f"{key}-secret"), api=url), keyed=True
    ),
    "inaturalist": Case(lambda: INaturalistServer(CORPUS), lambda url, key: INaturalist(api=url)),
    "gbif": Case(lambda: GbifServer(CORPUS), lambda url, key: Gbif(url), last="step=images&taxon=1000&offset=0&seen=0"),
    "flickr": Case(
        lambda: FlickrServer(CORPUS, PLANTED),
        lambda url, key: Flickr(Key(key), api=url, clock=lambda: 1_500_000_000),
        keyed=True,
    ),
    "europeana": Case(lambda: EuropeanaServer(CORPUS, PLANTED), lambda url, key: Europeana(Key(key), api=url), True),
    "smithsonian": Case(
        lambda: SmithsonianServer(CORPUS, PLANTED), lambda url, key: Smithsonian(Key(key), url), keyed=True
    ),
    "brave": Case(lambda: BraveServer(CORPUS, PLANTED), lambda url, key: Brave(Key(key), api=url), keyed=True),
}
KEYED = [name for name, case in CASES.items() if case.keyed]


def _openverse() -> OpenverseServer:
    server = OpenverseServer(CORPUS)
    server.clients[PLANTED] = f"{PLANTED}-secret"
    return server


@pytest.fixture
def serving() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start(name: str, serving: ExitStack, key: str = PLANTED) -> tuple[Service, Source]:
    server = serving.enter_context(CASES[name].serve())
    return server, let_in(CASES[name].make(server.url, key))


def check(page: Page) -> None:
    """That a page is one that may be stored."""
    for one in page.found:
        assert is_web_url(one.url)
        assert one.url.startswith("http")
        assert all(not url or is_web_url(url) for url in (one.landing, one.creator_url))
        texts = (one.url, one.landing, one.title, one.creator, one.depicts, one.licence.text, one.licence.url)
        assert all(isinstance(text, str) and text.isprintable() and len(text) <= 8_192 for text in texts)
        assert all(type(side) is int and side >= 0 for side in (one.width, one.height, one.position))
    assert page.total is None or type(page.total) is int
    assert page.following is None or (page.following.isprintable() and len(page.following) < 8_192)
    assert all(count > 0 for count in page.skipped.values())


@pytest.mark.parametrize("name", CASES)
def test_what_comes_out_can_be_stored(name: str, serving: ExitStack) -> None:
    _, source = start(name, serving)
    all_pages = list(pages(source, ASKED))
    assert sum(len(page.found) for page in all_pages) == 3
    for page in all_pages:
        check(page)
    assert source.name == name
    assert source.about.needs_key <= bool(source.about.keys)
    assert source.about.requests(1) == 1


@pytest.mark.parametrize("name", CASES)
def test_one_goes_on_from_any_cursor_in_another_process(name: str, serving: ExitStack) -> None:
    server, source = start(name, serving)
    cursor: str | None = source.first(ASKED)
    while cursor is not None:
        again = let_in(CASES[name].make(server.url, PLANTED))
        page = page_at(source, ASKED, cursor)
        assert page_at(again, ASKED, cursor) == page
        cursor = page.following


def outcome(source: Source, cursor: str, reply: Reply) -> Page | SourceError:
    """What a reply is read as."""
    try:
        return source.read(ASKED, cursor, reply)
    except (SourceBusy, SourceRefused) as error:
        return error


def mutants(value: Any, chance: random.Random) -> Iterator[Any]:
    """A value with each of its parts in turn replaced by odd ones, doubled, or taken out."""
    for path in list(paths(value)):
        for odd in chance.sample(ODD, 5):
            yield changed(value, path, put(odd))
        yield changed(value, path, lambda parent, key: parent.__delitem__(key))
        yield changed(value, path, lambda parent, key: parent.__setitem__(key, [parent[key]]))
        yield changed(value, path, lambda parent, key: parent.__setitem__(key, str(parent[key]) * 20_000))


def put(value: Any) -> Callable[[Any, Any], None]:
    return lambda parent, key: parent.__setitem__(key, value)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield (*path, key)
        yield from paths(one, (*path, key))


def changed(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    found = parent = copy.deepcopy(value)
    for key in path[:-1]:
        parent = parent[key]
    change(parent, path[-1])
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_reply_with_anything_in_it_is_a_page_or_a_clear_error(name: str, serving: ExitStack) -> None:
    """And no licence becomes another: each is what it was, or nothing is known."""
    _, source = start(name, serving)
    cursor = CASES[name].last or source.first(ASKED)
    reply = send(source.request(ASKED, cursor))
    true = {one.licence.code for one in source.read(ASKED, cursor, reply).found} | {""}
    tried = 0
    for said in mutants(json.loads(reply.body), random.Random(14)):
        tried += 1
        body = json.dumps(said).encode()
        came = outcome(source, cursor, Reply(200, reply.headers, body))
        if isinstance(came, Page):
            check(came)
            assert {one.licence.code for one in came.found} <= true | other(name, said)
        else:
            assert str(came).startswith(name)
            assert str(came).isprintable()
    assert tried > 100


def other(name: str, said: Any) -> set[str]:
    """Licences that a changed reply does say: iNaturalist's null and Flickr's 0 are one."""
    says = {"inaturalist": '"license_code": null', "flickr": '"license": 0,'}
    return {"arr"} if name in says and says[name] in json.dumps(said) else set()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b'{"a": ',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 10_000,
        b"{}",
    ],
    ids=range(12),
)
def test_what_is_no_answer_is_told(name: str, body: bytes) -> None:
    source = CASES[name].make("http://127.0.0.1:9/", PLANTED)
    cursor = CASES[name].last or source.first(ASKED)
    with pytest.raises(SourceError) as told:
        source.read(ASKED, cursor, Reply(200, {}, body))
    assert isinstance(told.value, SourceBusy | SourceRefused)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "status", [204, 206, 301, 307, 400, 401, 402, 403, 404, 408, 410, 418, 429, 500, 502, 503, 599]
)
def test_every_status_is_busy_or_refused(name: str, status: int) -> None:
    source = CASES[name].make("http://127.0.0.1:9/", PLANTED)
    cursor = CASES[name].last or source.first(ASKED)
    with pytest.raises(SourceError) as told:
        source.read(ASKED, cursor, Reply(status, {"retry-after": "7"}, b"<html>"))
    busy = status in (408, 429) or status >= 500
    assert isinstance(told.value, SourceBusy if busy else SourceRefused)
    assert str(status) in str(told.value)
    if isinstance(told.value, SourceBusy):
        assert told.value.seconds == 7
    elif isinstance(told.value, SourceRefused):
        assert told.value.whole == (status in (301, 307, 401, 403, 410))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cursor", ["", "x", "page=x", "page=-1", "page=²", "gsroffset=&page=", "step=x", "a=1&b=2"])
def test_what_is_no_cursor_is_told(name: str, cursor: str) -> None:
    source = CASES[name].make("http://127.0.0.1:9/", PLANTED)
    with pytest.raises(SourceError, match="no cursor of this source"):
        source.request(ASKED, cursor)


@pytest.mark.parametrize("name", CASES)
def test_a_body_that_breaks_off_is_asked_for_again(name: str, serving: ExitStack) -> None:
    server, source = start(name, serving)
    server.faults.append("cut")
    with pytest.raises(SourceBusy):
        page_at(source, ASKED)
    assert page_at(source, ASKED) == page_at(source, ASKED)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("text", ["", "?", "  ", "-", '"()"', "x" * 5_000], ids=range(6))
def test_a_question_without_words_is_not_asked(name: str, text: str) -> None:
    source = CASES[name].make("http://127.0.0.1:9/", PLANTED)
    with pytest.raises(SourceRefused, match="no words") as refused:
        source.first(Asked(text, "eng", "lemma"))
    assert not refused.value.whole


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("text", ["कुत्ता", "狗 犬", "perro's-dog", "ünï", "a&api_key=b#c?d=e", "w " * 999])
def test_a_question_may_be_in_any_script_and_of_any_length(name: str, text: str, serving: ExitStack) -> None:
    """And what it says stays within its own field of the request."""
    server, source = start(name, serving)
    asked = Asked(text, "hin", "translation")
    plainly = source.request(ASKED, source.first(ASKED))
    request = source.request(asked, source.first(asked))
    assert [field for field, _ in request.fields if field != "search_lang"] == [
        field for field, _ in plainly.fields if field != "search_lang"
    ]
    assert page_at(source, asked).found == ()
    assert server.seen


def strings_of(error: BaseException) -> str:
    """All that a log could show of an error."""
    return f"{error} {error!r} {error.args} {vars(error)} {error.__cause__!r} {error.__context__!r}"


@pytest.mark.parametrize("name", KEYED)
def test_a_key_goes_to_the_socket_and_nowhere_else(name: str, serving: ExitStack) -> None:
    server, source = start(name, serving)
    out: list[str] = [repr(source), str(source), repr(source.about)]
    cursor: str | None = source.first(ASKED)
    while cursor is not None:
        request = source.request(ASKED, cursor)
        assert request.keyed
        reply = send(request)
        page = source.read(ASKED, cursor, reply)
        out += [cursor, repr(request), str(request), request.shown, repr(request.sent()), repr(reply), repr(page)]
        cursor = page.following
    sent = repr([(one.fields, one.headers) for one in server.seen])
    assert PLANTED in sent
    assert PLANTED not in " ".join(out)
    for secret in (source, source.request(ASKED, source.first(ASKED))):
        with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
            pickle.dumps(secret)


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 422, 429, 500, 503])
def test_a_key_that_is_repeated_is_in_no_error(name: str, status: int) -> None:
    source = CASES[name].make("http://127.0.0.1:9/", PLANTED)
    cursor = CASES[name].last or source.first(ASKED)
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in PLANTED)
    bodies = [
        json.dumps({where: f"bad key {PLANTED}", "code": PLANTED, "stat": PLANTED, "success": False})
        for where in ("message", "error", "detail")
    ]
    bodies += [f'{{"error": {{"message": "{escaped}"}}, "message": "{escaped}"}}', f"<html>{PLANTED}</html>"]
    bodies += [json.dumps({"detail": {PLANTED: [PLANTED]}})]
    for body in bodies:
        with pytest.raises(SourceError) as told:
            source.read(ASKED, cursor, Reply(status, {"location": PLANTED}, body.encode()))
        assert PLANTED not in strings_of(told.value)


@pytest.mark.parametrize("name", KEYED)
def test_a_key_that_is_repeated_is_in_no_result(name: str, serving: ExitStack) -> None:
    """A reply that has it in each of its texts, as those are that say how they were asked."""
    _, source = start(name, serving)
    cursor = source.first(ASKED)
    reply = send(source.request(ASKED, cursor))
    said = json.loads(reply.body)
    for path in list(paths(said)):
        marked = changed(said, path, _mark)
        came = outcome(source, cursor, Reply(200, reply.headers, json.dumps(marked).encode()))
        assert PLANTED not in (repr(came) if isinstance(came, Page) else strings_of(came))
        if isinstance(came, Page):
            check(came)
            assert not any("[key]" in one.url + one.landing for one in came.found)


def _mark(parent: Any, key: Any) -> None:
    if isinstance(parent[key], str):
        parent[key] += f"?key={PLANTED}"


def test_a_pass_is_a_key_too(serving: ExitStack) -> None:
    server, source = start("openverse", serving)
    assert isinstance(server, OpenverseServer)
    (token,) = server.tokens
    assert token not in repr(source) + repr(source.request(ASKED, source.first(ASKED)))
    assert isinstance(source, Admitting)
    assert source.admission() is None
    wanted = CASES["openverse"].make(server.url, PLANTED)
    assert isinstance(wanted, Admitting)
    request = wanted.admission()
    assert isinstance(request, Request)
    assert request.keyed
    assert PLANTED not in repr(request) + request.shown
    for status, body in (
        (200, b"{}"),
        (200, b'{"access_token": 7}'),
        (401, b""),
        (500, b""),
        (200, b'{"access_token": "a b"}'),
    ):
        with pytest.raises(SourceError) as told:
            wanted.admitted(Reply(status, {}, body))
        assert PLANTED not in strings_of(told.value)


@pytest.mark.parametrize("wrong", ["", "short", "with a blank", "with\nline", "ключ-ключ", "x" * 5_000])
def test_what_is_no_key_is_told_without_it(wrong: str) -> None:
    with pytest.raises(SourceRefused, match="HOLOTYPE_X is no key") as told:
        Key(wrong, called="HOLOTYPE_X")
    assert not wrong.strip() or wrong not in strings_of(told.value)
    assert told.value.whole


def test_a_key_is_shown_by_nothing() -> None:
    key = Key(PLANTED, "Bearer ")
    assert key.revealed() == f"Bearer {PLANTED}"
    for text in (repr(key), str(key), f"{key}", f"{key!s:>10}", repr([key]), repr({"a": key}), repr(Key)):
        assert PLANTED not in text
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)
    assert key == Key(PLANTED, "Bearer ") != Key(PLANTED)


def test_a_request_is_sent_as_it_says() -> None:
    request = Request("http://ex.test/a", (("q", "ä&b"), ("key", Key(PLANTED))), (("X", Key(PLANTED, "B ")),))
    sent = request.sent()
    assert dict(parse_qsl(urlsplit(sent.url).query)) == {"q": "ä&b", "key": PLANTED}
    assert (sent.method, sent.headers, sent.body, request.host) == ("GET", {"X": f"B {PLANTED}"}, b"", "ex.test")
    assert request.shown == "http://ex.test/a?q=%C3%A4%26b&key=%5Bkey%5D"
    posted = Request("http://ex.test/a", form=(("secret", Key(PLANTED)),)).sent()
    assert (posted.method, posted.body) == ("POST", f"secret={PLANTED}".encode())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "99999999999999999999"}, 31 * 86_400.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 25 Nov 2026 10:02:00 GMT"}, None),
        ({"retry-after": "Wed, 25 Nov 2026 10:02:00 GMT", "date": "Wed, 25 Nov 2026 10:00:00 GMT"}, 120.0),
        ({"retry-after": "Wed, 25 Nov 2026 09:00:00 GMT", "date": "Wed, 25 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 25 Nov 2026 10:02:00", "date": "Wed, 25 Nov 2026 10:00:00 -0000"}, 120.0),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(SourceBusy) as busy:
        Commons().read(ASKED, "gsroffset=0", Reply(429, headers, b""))
    assert busy.value.seconds == seconds


def test_servers_say_what_they_were_asked(serving: ExitStack) -> None:
    server, source = start("commons", serving)
    server.faults.append(Answer(503, b"", {"Retry-After": "3"}))
    with pytest.raises(SourceBusy):
        page_at(source, ASKED)
    assert server.seen[0].fields["action"] == "query"
