"""Sources that mean harm, or tell keys to everybody: what is paid for is kept, and keys stay where they are."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any
from urllib.parse import quote, unquote, unquote_plus, urlencode

import pytest
from sqlalchemy import select

from holotype.catalog import schema as t
from holotype.collect.asking import Answer as Paged
from holotype.collect.asking import Asker, due
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.robots import read_robots
from holotype.collect.net.web import Web
from holotype.collect.queries import ENGLISH, LEMMA, Asked
from holotype.collect.sources import port
from holotype.collect.sources.brave import Brave
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import Key, Request, Source
from holotype.collect.sources.smithsonian import Smithsonian
from holotype.collect.sources.values import plain
from holotype.errors import SourceBusy, SourceRefused
from holotype.project import Project
from hosts import Clock, Host, answer, collector, moved
from loopback.corpus import works
from loopback.openverse import OpenverseServer
from loopback.service import Answer, Service

WHIPPET = "n02091134"
QUICK = Limits(Rate(8, 0.0, 8), Rate(8, 0.0, 8))
DOG = Asked("whippet", ENGLISH, LEMMA)


def web(*services: Service) -> Web:
    local = [("127.0.0.1", int(one.root.rpartition(":")[2])) for one in services]
    return Web(Agent("me@example.org"), QUICK, local=local)


def asked(source: Source, clock: Clock, *hosts: Host, times: int = 1) -> list[Paged]:
    """What a source answers to the same question, so many times."""

    async def scenario() -> list[Paged]:
        async with collector(*hosts, clock=clock, limits=QUICK) as client:
            asker = Asker(source, client, clock)
            return [await asker.answer(DOG, source.first(DOG)) for _ in range(times)]

    return asyncio.run(scenario())


# What is paid is kept


def brave_page(reset: int) -> bytes:
    said = {"type": "images", "results": []}
    return answer(
        200, json.dumps(said).encode(), [("X-RateLimit-Remaining", "1, 0"), ("X-RateLimit-Reset", f"1, {reset}")]
    )


def brave(host: Host) -> Brave:
    return Brave(Key("brave-key"), api=host.url("/"))


QUESTION = "/images/search?q=whippet&count=200&safesearch=strict&spellcheck=false&search_lang=en"


def test_a_paid_page_is_there_before_the_source_is_left_alone() -> None:
    host, clock = Host({QUESTION: brave_page(30)}, port=0), Clock()

    async def scenario() -> None:
        async with collector(host, clock=clock, limits=QUICK) as client:
            source = brave(host)
            asker = Asker(source, client, clock)
            await asker.answer(DOG, source.first(DOG))
            assert clock.slept == []
            await asker.answer(DOG, source.first(DOG))
            assert clock.slept == [30.0]

    asyncio.run(scenario())


def test_a_source_that_wants_a_month_is_put_off_when_it_is_to_be_asked_again() -> None:
    host, clock = Host({QUESTION: brave_page(1_419_704)}), Clock()

    async def scenario() -> None:
        async with collector(host, clock=clock, limits=QUICK) as client:
            source = brave(host)
            asker = Asker(source, client, clock)
            await asker.answer(DOG, source.first(DOG))
            with pytest.raises(SourceBusy) as busy:
                await asker.answer(DOG, source.first(DOG))
            assert busy.value.seconds == 1_419_704

    asyncio.run(scenario())
    assert (clock.slept, len(host.asked)) == ([], 1)


def test_requests_of_a_time_that_has_not_come_do_not_count() -> None:
    assert due([0.0, 1.0, 10.0**9, 10.0**9 + 1], [port.Rate(2, 60)], 5.0) == 60.0
    assert due([10.0**9, 10.0**9 + 1], [port.Rate(2, 60)], 5.0) == 5.0


# Keys stay where they are

KEYS = ("0123456789abcdef", "a+b/c=d~e.f-g_h", "//++==aaaa")


@pytest.mark.parametrize("secret", KEYS)
def test_a_key_that_is_sent_elsewhere_goes_nowhere(secret: str) -> None:
    """A redirect brings its own query, which most copy: a key in it would go where it leads."""
    elsewhere, host = Host(address="127.0.2.9"), Host()

    async def scenario() -> None:
        async with collector(elsewhere, host, limits=QUICK) as client:
            source = Smithsonian(Key(secret), api=host.url("/"))
            there = source.request(DOG, source.first(DOG)).sent().url.replace(host.url("/"), elsewhere.url("/"))
            host.answers = _everything(moved(there))
            with pytest.raises(SourceRefused, match="redirects") as refused:
                await Asker(source, client, Clock()).answer(DOG, source.first(DOG))
            assert refused.value.whole
            assert secret not in str(refused.value)

    asyncio.run(scenario())
    assert (len(host.asked), elsewhere.asked) == (1, [])


def test_a_source_without_a_key_may_move() -> None:
    elsewhere, host = Host(address="127.0.2.9"), Host()

    async def scenario() -> Paged:
        async with collector(elsewhere, host, limits=QUICK) as client:
            host.answers = _everything(moved(elsewhere.url("/there")))
            elsewhere.answers = {"/there": answer(200, b'{"results": []}')}
            source = Openverse(api=host.url("/"))
            return await Asker(source, client, Clock()).answer(DOG, source.first(DOG))

    assert asyncio.run(scenario()).page.found == ()


class _everything(dict[str, bytes]):
    """The same answer for every path."""

    def __init__(self, said: bytes) -> None:
        super().__init__()
        self._said = said

    def get(self, *_: object) -> Any:
        return self._said


@pytest.mark.parametrize("secret", KEYS)
@pytest.mark.parametrize("how", ["as it is", "in a query", "escaped", "all escaped", "in JSON"])
def test_a_key_is_taken_out_however_it_is_repeated(secret: str, how: str) -> None:
    told = {
        "as it is": secret,
        "in a query": urlencode({"k": secret}),
        "escaped": quote(secret).lower(),
        "all escaped": "".join(f"%{ord(one):02x}" for one in secret),
        "in JSON": json.dumps(secret).replace("/", "\\/"),
    }[how]
    request = Request("https://a.test/", (("key", Key(secret)),))
    left = request.hidden(f'{{"you": "asked {told} of me"}}'.encode()).decode()
    assert "[key]" in left
    assert all(secret not in one for one in (left, unquote(left), unquote_plus(left), left.replace("\\/", "/")))


def test_the_keys_that_a_pass_was_got_for_are_not_kept_either(project: Project) -> None:
    with OpenverseServer(works(1, words="dog greyhound")) as server:
        server.clients["client-id-1"] = "secret-of-mine"
        source = Openverse(Key("client-id-1"), Key("secret-of-mine"), api=server.url)
        said = {"results": [], "you": "client-id-1 has secret-of-mine and token-00000001"}
        server.faults.extend([None, Answer(200, said), Answer(400, said), Answer(403, said), Answer(200, b"<" * 9)])
        found = project.collect.search(project.collect.queries([WHIPPET]), [source], web(server), requests=3)
    with project.catalog.read() as connection:
        bodies = [zlib.decompress(one) for one in connection.execute(select(t.reply.c.body)).scalars()]
    kept = project.path.glob("**/*")
    everything = b"".join([*bodies, repr(found).encode(), *(one.read_bytes() for one in kept if one.is_file())])
    assert len(bodies) == 1
    assert not any(secret in everything for secret in (b"secret-of-mine", b"token-0000", b"client-id-1"))


# What would not fit


@pytest.mark.parametrize(
    "body",
    [b'{"results":[' + b"{}," * 1_000_000 + b"{}]}", b'{"results":[' + b"[" * 1_000_000 + b"]}"],
    ids=["objects", "lists in lists"],
)
def test_a_reply_of_too_many_values_is_not_read(body: bytes) -> None:
    source = Openverse()
    with pytest.raises(SourceRefused, match="more than 1,000,000 values"):
        source.read(DOG, source.first(DOG), port.Reply(200, {}, body))


def test_no_more_results_of_a_page_are_kept_than_sources_have(project: Project) -> None:
    results = [{"url": f"https://a.test/{number}.jpg"} for number in range(10_020)]
    with OpenverseServer() as server:
        server.faults.append(Answer(200, {"results": results, "page_count": 1}))
        source = Openverse(api=server.url)
        found = project.collect.search(project.collect.queries([WHIPPET]), [source], web(server), requests=1)
    assert (found.results["openverse"], found.skipped["openverse"]) == (10_000, 20)


@pytest.mark.parametrize("begins", ["<script", "<style", "<!--"])
def test_html_that_does_not_end_hides_the_rest(begins: str) -> None:
    """Each beginning looked for its end through all that follows: a page of a thousand took minutes."""
    assert plain(f"Ann <b>B</b><script>x</script> C <!-- D --> E {f'{begins} f' * 2_000}") == "Ann B C E"


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("whippet\x00\x1b[31m\u202edog", "whippet 31m dog"),
        ("a\ud800b", "a b"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_what_is_no_letter_is_not_searched_for(said: str, sent: str) -> None:
    source = Openverse()
    request = source.request(Asked(said, ENGLISH, LEMMA), "page=1&size=20")
    assert dict(request.fields)["q"] == sent
    assert request.sent().url


def test_a_crawl_delay_of_an_age_is_one_of_a_day() -> None:
    assert read_robots(200, b"User-agent: *\nCrawl-delay: 1e308").interval(["holotype"]) == 86_400
