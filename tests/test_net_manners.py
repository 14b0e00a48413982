"""What hosts say before anything of them is fetched, and what answers say before their bodies are read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from holotype.collect.net.agent import Agent
from holotype.collect.net.client import Bounds, Terms
from holotype.collect.net.optouts import Reserved, location_pattern, read_tdmrep, reservation, robots_tag
from holotype.collect.net.outcomes import Outcome, Refused
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.polite import Polite
from holotype.collect.net.robots import MOST_BYTES, read_robots
from holotype.collect.net.urls import check_url
from holotype.errors import NoContact, SourceError
from hosts import FIRST, JPEG, Clock, Host, Script, answer, collector, moved, outcomes

US = ("holotype",)
IMAGE = {"/a.jpg": answer(200, JPEG)}


def allowed(text: str, path: str, tokens: Sequence[str] = US) -> bool:
    return read_robots(200, text.encode()).refused(f"http://example.org{path}", tokens) is None


# robots.txt, as RFC 9309 has it


@pytest.mark.parametrize(
    ("text", "path", "may"),
    [
        ("User-agent: *\nDisallow: /", "/a.jpg", False),
        ("User-agent: *\nDisallow:", "/a.jpg", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: HoloType\nAllow: /", "/a.jpg", True),
        (
            "User-agent: holotype\nDisallow: /a\n\nUser-agent: x\nAllow: /\n\nUser-agent: holotype\nDisallow: /b",
            "/b",
            False,
        ),
        ("User-agent: x\nUser-agent: holotype\nDisallow: /", "/a.jpg", False),
        ("User-agent: holotype/2.0\nDisallow: /", "/a.jpg", False),
        ("User-agent: other\nDisallow: /", "/a.jpg", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c.jpg", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c.jpg", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a.jpg", True),
        ("User-agent: *\nDisallow: /*.jpg$", "/x/a.jpg", False),
        ("User-agent: *\nDisallow: /*.jpg$", "/x/a.jpg?w=100", True),
        ("User-agent: *\nDisallow: /a%3Cb", "/a%3Cb", False),
        ("User-agent: *\nDisallow: /ü/", "/%C3%BC/a.jpg", False),
        ("Disallow: /", "/a.jpg", True),
        ("\ufeffUser-agent: *\nDisallow: /", "/a.jpg", False),
        ("User-agent: *\r\nDisallow: /\r\n", "/a.jpg", False),
        ("user-AGENT : *  # all\ndisALLOW : /  # all", "/a.jpg", False),
        ("<!DOCTYPE html><html><body>Not here</body></html>", "/a.jpg", True),
        ("\x00\xff\xfe" * 100, "/a.jpg", True),
        ("", "/a.jpg", True),
    ],
)
def test_rules_are_read_as_the_rfc_reads_them(text: str, path: str, may: bool) -> None:
    assert allowed(text, path) == may


def test_rules_for_a_collectors_own_name_and_for_holotype_count() -> None:
    tokens = Agent("me@example.org", "whippets").tokens
    assert not allowed("User-agent: holotype\nDisallow: /", "/a.jpg", tokens)
    assert not allowed("User-agent: whippets\nDisallow: /", "/a.jpg", tokens)
    assert allowed("User-agent: somebody\nDisallow: /", "/a.jpg", tokens)


def test_what_is_beyond_the_limit_is_not_read() -> None:
    filler = "# nothing\n" * (MOST_BYTES // 10)
    assert allowed(f"{filler}User-agent: *\nDisallow: /", "/a.jpg")
    assert not allowed(f"{filler[:-100]}User-agent: *\nDisallow: /", "/a.jpg")


@pytest.mark.parametrize(
    ("status", "may"),
    [
        *((200, False), (206, False), (301, True), (400, True), (401, True), (403, True), (404, True), (410, True)),
        *((429, False), (500, False), (502, False), (503, False), (599, False)),
    ],
)
def test_what_a_status_of_robots_txt_means(status: int, may: bool) -> None:
    robots = read_robots(status, b"User-agent: *\nDisallow: /")
    assert (robots.refused("http://example.org/a.jpg", US) is None) == may


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        *(("Crawl-delay: 10", 10.0), ("Crawl-delay: 0.5", 0.5), ("Request-rate: 1/5", 5.0), ("Crawl-delay: soon", 0.0)),
        *(("Request-rate: 1/5\nCrawl-delay: 2", 5.0), ("", 0.0)),
    ],
)
def test_intervals_are_asked_for_in_two_ways(lines: str, seconds: float) -> None:
    assert read_robots(200, f"User-agent: *\nDisallow: /x\n{lines}".encode()).interval(US) == seconds


# Headers


@pytest.mark.parametrize(
    ("values", "stops"),
    [
        (["noai"], "noai"),
        (["NoImageAI"], "noimageai"),
        (["noindex"], "noindex"),
        (["noimageindex"], "noimageindex"),
        (["none"], "none"),
        (["nofollow, noarchive", "max-image-preview: large, noai"], "noai"),
        (["holotype: noindex"], "noindex"),
        (["HOLOTYPE:noai"], "noai"),
        (["otherbot: noindex, noai"], None),
        (["otherbot: nofollow", "noai"], "noai"),
        (["otherbot: nofollow, holotype: noai"], "noai"),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], "noai"),
        (["all"], None),
        (["index, follow"], None),
        (["notnoai", "noai2"], None),
        ([""], None),
        ([":", ",,,", "::noai"], None),
        ([], None),
    ],
)
def test_directives_for_robots(values: list[str], stops: str | None) -> None:
    assert robots_tag(values, US) == stops


def test_reservations() -> None:
    assert [reservation([value]) for value in ("1", " 1 ", "0", "", "yes", "0, 1")] == [
        True,
        True,
        False,
        None,
        None,
        True,
    ]


@pytest.mark.parametrize(
    ("said", "covered"),
    [
        (b'[{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://a.example/p"}]', True),
        (b'[{"location": "/", "tdm-reservation": "1"}]', True),
        (b'[{"location": "/", "tdm-reservation": 0}]', False),
        (b'[{"location": "/free/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]', True),
        (b'[{"location": "/art/*.jpg", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]', False),
        (b'[{"location": "/art/*.png", "tdm-reservation": 1}]', False),
        (b'[{"location": "*.jpg$", "tdm-reservation": 1}]', True),
        (b'[{"location": 5, "tdm-reservation": 1}, 3, null, {"tdm-reservation": 1}]', False),
        (b'{"location": "/", "tdm-reservation": 1}', False),
        (b"<html>not found</html>", False),
        (b"[" * 200_000, False),
        (b"\xff\xfe", False),
        (b"", False),
    ],
)
def test_a_tdmrep_file_covers_paths(said: bytes, covered: bool) -> None:
    assert read_tdmrep(200, said).covers("/art/x/a.jpg") == covered
    assert read_tdmrep(404, said) == Reserved()


@pytest.mark.parametrize(
    ("location", "target", "matches"),
    [
        ("/a", "/a/b", True),
        ("/a$", "/a/b", False),
        ("/a$", "/a", True),
        ("/*/c", "/a/b/c", True),
        ("/*.jpg$", "/a.jpg.jpg", True),
        ("/*a*b*c$", "/abcabc", True),
        ("/*a*b*c$", "/abcab", False),
        ("/a*$", "/abc", True),
        ("/a.b", "/axb", False),
        ("/(", "/(", True),
    ],
)
def test_patterns_of_locations(location: str, target: str, matches: bool) -> None:
    assert bool(location_pattern(location).match(target)) == matches


def test_a_hostile_pattern_is_done_with_at_once() -> None:
    """A pattern that gave back what it took would need longer than the world is old."""
    assert location_pattern("*a" * 1_000 + "b$").match("/" + "a" * 8_000) is None


@pytest.mark.parametrize(
    ("contact", "name"),
    [
        *(("", "x"), ("me", "x"), ("me@home", "x"), ("a b@c.de", "x"), ("me@example.org\r\nX: y", "x")),
        *(("ftp://a/", "x"), ("me@example.org\n", "x"), ("mé@example.org", "x")),
    ],
)
def test_nobody_is_asked_without_a_contact(contact: str, name: str) -> None:
    with pytest.raises(NoContact, match="reach you"):
        Agent(contact, name)


@pytest.mark.parametrize("name", ["", "a b", "a/1", "a\r\nb", "1", "a" * 41, "ä"])
def test_a_name_is_a_token(name: str) -> None:
    with pytest.raises(SourceError, match="name"):
        Agent("me@example.org", name)


# On the wire


def collected(host: Host, paths: Sequence[str] = ("/a.jpg",), clock: Clock | None = None) -> list[Outcome]:
    async def scenario() -> list[Outcome]:
        async with collector(host, clock=clock) as client:
            return await outcomes(client, [host.url(path) for path in paths])

    return asyncio.run(scenario())


def became(found: Outcome) -> str:
    return found.reason if isinstance(found, Refused) else type(found).__name__.lower()


async def silence(*_: object) -> None:
    """A host that takes a request and says nothing for an hour."""
    await asyncio.sleep(3_600)


def test_who_asks_is_told_with_every_request() -> None:
    host = Host(IMAGE)
    collected(host)
    assert {one.headers["user-agent"] for one in host.asked} == {"holotype (me@example.org)"}
    assert {one.headers["accept-encoding"] for one in host.asked} == {"identity"}
    assert host.targets == [*FIRST, "/a.jpg"]


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({}, "fetched"),
        ({"/robots.txt": answer(200, b"User-agent: *\nDisallow: /")}, "robots"),
        ({"/robots.txt": answer(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /")}, "robots"),
        ({"/robots.txt": answer(403)}, "fetched"),
        ({"/robots.txt": answer(429)}, "robots"),
        ({"/robots.txt": answer(500)}, "robots"),
        ({"/robots.txt": answer(503, headers=[("Retry-After", "86400")])}, "throttled"),
        ({"/robots.txt": answer(200, b"# nothing\n" * 61_440)}, "fetched"),
        ({"/robots.txt": answer(200, b"x", [("Content-Encoding", "gzip")])}, "robots"),
        ({"/robots.txt": moved("/1"), "/1": answer(200, b"User-agent: *\nDisallow: /")}, "robots"),
        ({"/robots.txt": moved("/robots.txt", 301)}, "fetched"),
        ({"/robots.txt": moved("file:///etc/passwd")}, "robots"),
        ({"/robots.txt": moved("http://10.0.0.1/")}, "robots"),
        ({"/ai.txt": answer(200, b"User-Agent: *\nDisallow: *.jpg\nAllow: *.txt")}, "opted_out"),
        ({"/ai.txt": answer(200, b"User-Agent: *\nDisallow: *.png")}, "fetched"),
        ({"/ai.txt": answer(500)}, "fetched"),
        ({FIRST[2]: answer(200, b'[{"location": "/", "tdm-reservation": 1}]')}, "opted_out"),
        ({FIRST[2]: answer(500)}, "fetched"),
        ({"/a.jpg": answer(200, JPEG, [("X-Robots-Tag", "nofollow"), ("X-Robots-Tag", "noai")])}, "opted_out"),
        ({"/a.jpg": answer(200, JPEG, [("tdm-reservation", "1")])}, "opted_out"),
        ({"/a.jpg": answer(404, JPEG, [("X-Robots-Tag", "noindex")])}, "dead"),
        ({"/a.jpg": answer(302, b"", [("Location", "/b.jpg"), ("X-Robots-Tag", "noai")])}, "opted_out"),
        (
            {
                FIRST[2]: answer(200, b'[{"location": "/", "tdm-reservation": 1}]'),
                "/a.jpg": answer(200, JPEG, [("tdm-reservation", "0")]),
            },
            "fetched",
        ),
    ],
)
def test_what_a_host_says_decides(answers: Mapping[str, bytes | Script], outcome: str) -> None:
    host = Host({**IMAGE, **answers})
    assert [became(one) for one in collected(host)] == [outcome]
    assert ("/a.jpg" in host.targets) == (outcome not in ("robots", "throttled") and "/ai.txt" not in answers) or (
        outcome == "fetched"
    )


@pytest.mark.parametrize(
    ("said", "again"),
    [
        (answer(200, b"User-agent: *\nDisallow: /"), False),
        (answer(500), True),
        (answer(429), True),
        (answer(503, headers=[("Retry-After", "86400")]), True),
    ],
)
def test_who_keeps_us_out_is_told_from_who_cannot_be_asked_now(said: bytes, again: bool) -> None:
    (one,) = collected(Host({**IMAGE, "/robots.txt": said}))
    assert isinstance(one, Refused)
    assert one.again is again


def test_a_reserved_images_body_is_not_read() -> None:
    """Headers come first: the host never gets to send what it keeps back, for we are gone."""

    async def headers_alone(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nX-Robots-Tag: noimageai\r\n\r\n")
        await silence()

    assert [became(one) for one in collected(Host({"/a.jpg": headers_alone}))] == ["opted_out"]


@pytest.mark.parametrize(("said", "times"), [(answer(200, b"User-", length=99), 3), (b"\x16\x03 nonsense\r\n\r\n", 1)])
def test_a_host_whose_rules_break_off_is_asked_again_and_then_left_alone(said: bytes, times: int) -> None:
    async def breaks_off(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    host = Host({**IMAGE, "/robots.txt": breaks_off, "/b.jpg": answer(200, JPEG)})
    assert [became(one) for one in collected(host, ["/a.jpg", "/b.jpg"])] == ["connection", "connection"]
    assert host.targets == ["/robots.txt"] * times


def test_rules_are_asked_for_once_a_day_and_after_ten_minutes_where_they_could_not_be_had() -> None:
    host, broken, clock = Host(IMAGE), Host({**IMAGE, "/robots.txt": answer(500)}), Clock()

    async def scenario() -> None:
        async with collector(host, broken, clock=clock) as client:
            manners = Polite(client, clock)
            for wait in (0.0, 60.0, 540.0, 85_000.0, 1_000.0):
                clock.seconds += wait
                for one in (host, broken):
                    await asyncio.gather(
                        *(client.get(one.url(), bounds=Bounds(), manners=manners) for _ in range(3)),
                        return_exceptions=True,
                    )

    asyncio.run(scenario())
    assert [host.targets.count(name) for name in FIRST] == [2, 2, 2]
    assert broken.targets == ["/robots.txt"] * 12


def test_a_crawl_delay_of_a_host_is_kept() -> None:
    host, clock = Host({**IMAGE, "/robots.txt": answer(200, b"User-agent: *\nCrawl-delay: 20")}), Clock()

    async def scenario() -> list[Outcome]:
        limits = Limits(Rate(2, 1.0), Rate(8, 0.0))
        async with collector(host, clock=clock, limits=limits) as client:
            return await outcomes(client, [host.url(f"/a.jpg?{number}") for number in range(4)])

    assert len(asyncio.run(scenario())) == 4
    assert clock() - 1_000.0 >= 3 * 20.0


def test_files_that_robots_txt_closes_are_not_asked_for() -> None:
    host = Host({**IMAGE, "/robots.txt": answer(200, b"User-agent: *\nAllow: /a.jpg\nDisallow: /")})
    assert [became(one) for one in collected(host)] == ["fetched"]
    assert host.targets == ["/robots.txt", "/a.jpg"]


def test_each_port_and_each_host_of_a_redirect_has_rules_of_its_own() -> None:
    closed = Host({**IMAGE, "/robots.txt": answer(200, b"User-agent: *\nDisallow: /")})
    opened = Host()

    async def scenario() -> list[Outcome]:
        async with collector(closed, opened) as client:
            opened.answers = {"/a.jpg": moved(closed.url())}
            return await outcomes(client, [opened.url()])

    assert [became(one) for one in asyncio.run(scenario())] == ["robots"]
    assert "/a.jpg" not in closed.targets


def test_rules_of_a_robots_txt_that_is_elsewhere_are_for_the_host_that_was_asked() -> None:
    rules, host = Host({"/rules": answer(200, b"User-agent: *\nDisallow: /a")}, "127.0.0.2"), Host()

    async def scenario() -> list[Outcome]:
        async with collector(rules, host) as client:
            host.answers = {**IMAGE, "/b.jpg": answer(200, JPEG), "/robots.txt": moved(rules.url("/rules"))}
            return await outcomes(client, [host.url("/a.jpg"), host.url("/b.jpg")])

    assert [became(one) for one in asyncio.run(scenario())] == ["robots", "fetched"]
    assert rules.targets == ["/rules"]


def test_an_api_is_asked_without_questions() -> None:
    host = Host({"/api": answer(200, b"{}"), "/robots.txt": answer(200, b"User-agent: *\nDisallow: /")})

    async def scenario() -> bytes:
        async with collector(host) as client:
            return (await client.get(host.url("/api"))).body

    assert asyncio.run(scenario()) == b"{}"
    assert host.targets == ["/api"]


def test_terms_are_plain_where_nobody_says_anything() -> None:
    async def scenario() -> Terms:
        host = Host()
        async with collector(host) as client:
            return await Polite(client, Clock()).before(check_url(host.url(), client.ports))

    assert asyncio.run(scenario()) == Terms()
