"""Streams of URLs to outcomes: one for each, whatever hosts do."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from holotype.collect.net.aside import Aside
from holotype.collect.net.client import Bounds, Client, Reply, Unbound
from holotype.collect.net.download import Plan, download, judged
from holotype.collect.net.memory import Memory
from holotype.collect.net.outcomes import Fetched, Outcome, Refused, Unchanged, Wanted
from holotype.collect.net.pace import Limits, Pace, Rate
from holotype.collect.net.placeholders import placeholder
from holotype.collect.net.polite import Polite
from holotype.collect.net.reasons import REASONS
from holotype.errors import NotFetched
from hosts import FIRST, JPEG, Clock, Host, Script, answer, collector, moved, outcomes, paced, shortly, stream

FREE = Limits(Rate(100, 0.0), Rate(100, 0.0))


def reason(found: Outcome) -> str:
    return found.reason if isinstance(found, Refused) else type(found).__name__.lower()


def fetched(
    host: Host, *wanted: str | Wanted, clock: Clock | None = None, bounds: Bounds = Bounds(), plan: Plan = Plan()
) -> list[Outcome]:
    """What becomes of paths of a host."""

    async def scenario() -> list[Outcome]:
        async with collector(host, clock=clock, limits=FREE) as client:
            urls = [
                host.url(one) if isinstance(one, str) else Wanted(host.url(one.url), one.etag, one.modified)
                for one in wanted
            ]
            return await outcomes(client, urls, bounds, plan)

    return asyncio.run(scenario())


def test_bytes_and_what_is_worth_keeping_come_back() -> None:
    headers = [("ETag", '"v1"'), ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Content-Type", "text/html")]
    host = Host({"/a.jpg": moved("/b.jpg"), "/b.jpg": answer(200, JPEG, [*headers, ("Server", "x")])})
    (found,) = fetched(host, "/a.jpg")
    assert isinstance(found, Fetched)
    assert (found.url, found.final_url, found.body) == (host.url("/a.jpg"), host.url("/b.jpg"), JPEG)
    assert (found.etag, found.modified) == ('"v1"', "Thu, 01 Jan 1970 00:00:00 GMT")
    assert found.headers == {"content-type": "text/html"}
    assert "body" not in repr(found)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (answer(200, JPEG), "fetched"),
        (answer(200, JPEG, [("Content-Type", "text/html")]), "fetched"),
        (answer(200, b"\x89PNG\r\n\x1a\n" + bytes(50)), "fetched"),
        (answer(200, b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(50)), "fetched"),
        (answer(200, b"<html>gone</html>", [("Content-Type", "image/jpeg")]), "not_an_image"),
        (
            answer(200, b"<svg xmlns='http://www.w3.org/2000/svg'/>", [("Content-Type", "image/svg+xml")]),
            "not_an_image",
        ),
        (answer(200, b""), "not_an_image"),
        (answer(200, gzip.compress(JPEG, mtime=0)), "not_an_image"),
        (answer(204), "http_status"),
        (answer(206, JPEG), "http_status"),
        (answer(304), "http_status"),
        (answer(300, JPEG), "http_status"),
        (answer(404, JPEG), "dead"),
        (answer(410), "dead"),
        (answer(401), "forbidden"),
        (answer(403), "forbidden"),
        (answer(418), "http_status"),
        (answer(451), "http_status"),
        (answer(500), "http_status"),
        (answer(503), "throttled"),
        (answer(429), "throttled"),
        (moved("/photo_unavailable.png"), "placeholder"),
    ],
    ids=shortly,
)
def test_every_answer_is_one_outcome(said: bytes, outcome: str) -> None:
    host = Host({"/a.jpg": said, "/photo_unavailable.png": answer(200, JPEG)})
    assert [reason(one) for one in fetched(host, "/a.jpg")] == [outcome]


@pytest.mark.parametrize(
    ("said", "times"),
    [(answer(500), 3), (answer(503), 3), (answer(429), 3), (answer(404), 1), (answer(403), 1), (answer(200, b"no"), 1)],
)
def test_only_what_is_temporary_is_tried_again(said: bytes, times: int) -> None:
    host = Host({"/a.jpg": said})
    (found,) = fetched(host, "/a.jpg")
    assert host.images == ["/a.jpg"] * times
    assert isinstance(found, Refused)
    assert found.again == (times > 1)


def test_a_host_that_recovers_gives_what_it_has() -> None:
    said = iter([answer(503, headers=[("Retry-After", "7")]), answer(500), answer(200, JPEG)])

    async def recovers(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(next(said))

    clock = Clock()
    assert [reason(one) for one in fetched(Host({"/a.jpg": recovers}), "/a.jpg", clock=clock)] == ["fetched"]
    assert clock() >= 1_007.0 + 2.0


def test_a_host_that_wants_to_be_left_alone_for_a_day_is() -> None:
    """Nobody waits for it, its other URLs are told so without asking, and other hosts go on."""
    busy, other = (
        Host({"/0": answer(429, headers=[("Retry-After", "86400")])}),
        Host({"/a": answer(200, JPEG)}, "127.0.0.2"),
    )

    async def scenario() -> list[Outcome]:
        async with collector(busy, other) as client:
            urls = [busy.url(f"/{number}") for number in range(20)]
            return await outcomes(client, [*urls, other.url("/a")], plan=Plan(per_site=1))

    assert Counter(map(reason, asyncio.run(scenario()))) == {"throttled": 20, "fetched": 1}
    assert busy.images == ["/0"]


def test_what_has_not_changed_is_not_sent_again() -> None:
    async def if_changed(asked: object, writer: asyncio.StreamWriter) -> None:
        same = getattr(asked, "headers", {}).get("if-none-match") == '"v1"'
        writer.write(answer(304) if same else answer(200, JPEG, [("ETag", '"v2"')]))

    host = Host({"/a": if_changed, "/b": if_changed, "/c": moved("/a")})
    found = fetched(
        host, Wanted("/a", '"v1"', "Thu, 01 Jan 1970 00:00:00 GMT"), Wanted("/b", '"v0"'), Wanted("/c", '"v1"')
    )
    assert [reason(one) for one in found] == ["unchanged", "fetched", "unchanged"]
    assert isinstance(found[2], Unchanged)
    assert found[2].final_url == host.url("/a")
    asked = next(one for one in host.asked if one.target == "/a")
    assert asked.headers["if-modified-since"] == "Thu, 01 Jan 1970 00:00:00 GMT"


# Placeholders


@pytest.mark.parametrize(
    ("url", "size", "stands_for"),
    [
        ("https://s.yimg.com/pw/images/en-us/photo_unavailable.png", 3_000, True),
        ("https://s.yimg.com/pw/images/en-us/photo_unavailable_l.png?x=1", 3_000, True),
        ("https://live.staticflickr.com/1/2_3.jpg", 2_051, True),
        ("https://farm1.static.flickr.com/1/2_3.jpg", 2_051, True),
        ("https://live.staticflickr.com/1/2_3.jpg", 2_052, False),
        ("https://example.org/a.jpg", 2_051, False),
        ("https://notflickr.com/a.jpg", 2_051, False),
        ("https://i.imgur.com/removed.png", 503, True),
        ("https://example.org/removed.png", 503, False),
        ("https://example.org/my_photo_unavailable/a.jpg", 9, False),
    ],
)
def test_pictures_that_stand_for_ones_that_are_gone(url: str, size: int, stands_for: bool) -> None:
    assert bool(placeholder(url, bytes(size))) == stands_for


def test_placeholders_are_known_by_their_hash() -> None:
    known = {hashlib.sha256(JPEG).hexdigest(): "a museum's"}
    reply = Reply(200, CIMultiDictProxy(CIMultiDict()), JPEG, "https://example.org/a.jpg")
    assert judged(Wanted(reply.url), reply, known) == Refused(reply.url, "placeholder", "a museum's")
    assert isinstance(judged(Wanted(reply.url), reply), Fetched)


# Hostile hosts


def bomb_of_png(side: int) -> bytes:
    """A PNG that is small, and a picture of side x side pixels when it is decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def hangs(*_: object) -> None:
    await asyncio.sleep(3_600)


async def drips(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, JPEG[:10], length=1_000_000))
    await asyncio.sleep(3_600)


async def endless(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 So\r\n\r\n" + JPEG)
    while not writer.is_closing():
        writer.write(bytes(100_000))
        await writer.drain()


async def slams(_: object, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def ends_early(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, JPEG, length=1_000_000))


BOMB = gzip.compress(gzip.compress(bytes(50_000_000), mtime=0), mtime=0)
HOSTILE: Mapping[str, tuple[bytes | Script, str]] = {
    "/hangs": (hangs, "timeout"),
    "/drips": (drips, "too_slow"),
    "/endless": (endless, "too_large"),
    "/huge": (answer(200, JPEG, length=10**14), "too_large"),
    "/bomb": (answer(200, BOMB, [("Content-Encoding", "gzip, gzip"), ("Content-Type", "image/jpeg")]), "encoded"),
    "/slams": (slams, "connection"),
    "/early": (ends_early, "connection"),
    "/nonsense": (b"\x00\x01\x02\x03\r\n\r\n", "connection"),
    "/loop": (moved("/loop"), "redirects"),
    "/inside": (moved("http://169.254.169.254/latest/"), "blocked_address"),
    "/file": (moved("file:///etc/passwd"), "bad_url"),
    "/html": (answer(200, b"<html>", [("Content-Type", "image/jpeg")]), "not_an_image"),
    "/keeps": (answer(200, JPEG, [("X-Robots-Tag", "noai")]), "opted_out"),
    "/gone": (answer(410), "dead"),
    "/truncated": (answer(200, JPEG[:-100]), "fetched"),  # what decoding says is intake's
    "/pixel": (answer(200, b"GIF89a\x01\x00\x01\x00" + bytes(20)), "fetched"),
    "/pixels": (answer(200, bomb_of_png(20_000)), "fetched"),
}


def test_hostile_hosts_get_one_line_each_and_everything_else_goes_on() -> None:
    hosts = [Host({name: said}, f"127.0.2.{number + 1}") for number, (name, (said, _)) in enumerate(HOSTILE.items())]
    good = Host({f"/{number}": answer(200, JPEG) for number in range(50)})

    async def scenario() -> list[Outcome]:
        async with collector(good, *hosts, limits=FREE) as client:
            urls = [host.url(name) for host in hosts for name in host.answers]
            bounds = Bounds(most_bytes=2_000_000, deadline=3.0, grace=1.0)
            return await outcomes(
                client, [*urls, *(good.url(f"/{number}") for number in range(50))], bounds, Plan(retries=0)
            )

    found = asyncio.run(scenario())
    assert [reason(one) for one in found] == [*(expected for _, expected in HOSTILE.values()), *["fetched"] * 50]


def test_every_reason_is_a_fixed_word() -> None:
    assert {expected for _, expected in HOSTILE.values()} - {"fetched"} <= REASONS.keys()


def test_bad_urls_in_a_list_are_one_outcome_each() -> None:
    host = Host({"/a": answer(200, JPEG)})

    async def scenario() -> list[Outcome]:
        async with collector(host) as client:
            urls = ["", "file:///a", "http://127.1/", "http://u@h/", "http://a:99/", "\x00", host.url("/a")]
            return await outcomes(client, urls)

    assert [reason(one) for one in asyncio.run(scenario())] == ["bad_url"] * 6 + ["fetched"]


# Order, bounds and ends, with a transport that only pretends


class Pretended:
    """A client that fetches nothing: `delays` is how long each host takes, in the time of `clock`."""

    ports = (80, 443)

    def __init__(self, clock: Clock, limits: Limits = FREE, delays: Mapping[str, float] = {}) -> None:
        self.pace: Pace = paced(clock, limits)
        self.memory = Memory()
        self.clock, self.delays = clock, delays
        self.conditions: list[tuple[str, str]] = []
        self.began: list[tuple[str, float]] = []
        self.out: Counter[str] = Counter()
        self.most_out = 0

    async def get(self, url: str, headers: Mapping[str, str], /, *_: object) -> Reply:
        host = url.split("/")[2]
        self.conditions.append((headers.get("If-None-Match", ""), headers.get("If-Modified-Since", "")))
        self.out[host] += 1
        self.most_out = max(self.most_out, self.out[host])
        async with self.pace.turn(host, host):
            self.began.append((host, self.clock()))
            await asyncio.sleep(self.delays.get(host, 0.0))
        self.out[host] -= 1
        if "bad" in url:
            raise NotFetched("dead", "404")
        if "bug" in url:
            raise ZeroDivisionError
        return Reply(200, CIMultiDictProxy(CIMultiDict()), JPEG, url)


async def pretended(client: Pretended, urls: list[str], plan: Plan = Plan()) -> list[Outcome]:
    return [one async for one in download(stream(urls), client, Unbound(), plan=plan)]


def test_a_list_sorted_by_host_does_not_wait_for_its_slow_ones() -> None:
    """The first host of the list never answers, and yet all others are done."""
    urls = [f"http://{host}.test/{number}" for host in ("slow", "b", "c") for number in range(100)]

    async def scenario() -> list[str]:
        client = Pretended(Clock(), delays={"slow.test": 3_600.0})
        found = []
        async with aclosing(download(stream(urls), client, Unbound())) as results:
            async for one in results:
                found.append(one.url)
                if len(found) == 200:
                    break
        return found

    assert all("slow" not in url for url in asyncio.run(scenario()))


def test_a_site_with_more_urls_than_are_read_ahead_is_put_aside() -> None:
    """A list that begins with a thousand of a host that never answers, where a hundred are read ahead."""
    urls = [f"http://{host}.test/{number}" for host in ("slow", "b", "c") for number in range(1_000)]

    async def scenario() -> list[str]:
        client = Pretended(Clock(), delays={"slow.test": 3_600.0})
        plan, found = Plan(ahead=100, ahead_of_site=20), []
        async with aclosing(download(stream(urls), client, Unbound(), plan=plan)) as results:
            async for one in results:
                found.append(one.url)
                if len(found) == 2_000:
                    break
        return found

    assert set(asyncio.run(scenario())) == set(urls[1_000:])


def test_what_was_put_aside_comes_in_its_order_and_whole() -> None:
    wanted = [Wanted(f"http://a.test/{number}", f'"{number}\n\u00e9"', "then") for number in range(300)]
    client = Pretended(Clock())

    async def scenario() -> list[str]:
        plan = Plan(ahead=50, ahead_of_site=5, aside=40, per_site=1)
        return [one.url async for one in download(stream(wanted), client, Unbound(), plan=plan)]

    assert asyncio.run(scenario()) == [one.url for one in wanted]
    assert client.conditions == [(one.etag, one.modified) for one in wanted]


def test_queues_on_disk() -> None:
    aside = Aside()
    for number in range(5):
        for key in ("a", "b"):
            aside.put(key, f"{key}{number}é")
    assert [aside.take("a") for _ in range(3)] == ["a0é", "a1é", "a2é"]
    aside.put("a", "")
    assert [aside.take("a") for _ in range(3)] == ["a3é", "a4é", ""]
    assert "a" not in aside
    assert [aside.take("b") for _ in range(5)][-1] == "b4é"
    assert aside.count == 0
    with pytest.raises(KeyError):
        aside.take("b")
    aside.put("a", "again")
    assert aside.take("a") == "again"
    aside.close()


def test_no_more_than_two_of_a_site_are_out() -> None:
    client = Pretended(Clock())
    found = asyncio.run(pretended(client, [f"http://a.test/{number}" for number in range(50)]))
    assert (len(found), client.most_out) == (50, 2)


def test_a_list_is_read_no_further_ahead_than_planned() -> None:
    read = 0

    async def urls() -> AsyncIterator[Wanted]:
        nonlocal read
        for number in range(1_000):
            read += 1
            yield Wanted(f"http://{number % 7}.test/{number}")

    async def scenario() -> list[int]:
        plan, ahead = Plan(fetches=4, ahead=10, results=3), []
        done = 0
        async for _ in download(urls(), Pretended(Clock()), Unbound(), plan=plan):
            done += 1
            ahead.append(read - done)
        return ahead

    ahead = asyncio.run(scenario())
    assert len(ahead) == 1_000
    assert max(ahead) <= 10 + 4 + 3 + 1


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_there_are_as_many_outcomes_as_urls(count: int) -> None:
    urls = [f"http://{number % 11}.test/{'bad' if number % 3 else 'good'}/{number}" for number in range(count)]
    found = asyncio.run(pretended(Pretended(Clock()), urls, Plan(fetches=5, ahead=7, results=2)))
    assert sorted(one.url for one in found) == sorted(urls)


def test_a_url_that_is_there_twice_has_two_outcomes() -> None:
    assert len(asyncio.run(pretended(Pretended(Clock()), ["http://a.test/1"] * 5))) == 5


def test_a_bug_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pretended(Pretended(Clock()), ["http://a.test/1", "http://a.test/bug", "http://a.test/3"]))


def test_an_error_of_the_list_is_not_swallowed() -> None:
    async def urls() -> AsyncIterator[Wanted]:
        yield Wanted("http://a.test/1")
        raise OSError("the list broke off")

    async def scenario() -> None:
        async for _ in download(urls(), Pretended(Clock()), Unbound()):
            pass

    with pytest.raises(OSError, match="broke off"):
        asyncio.run(scenario())


def test_what_is_out_is_called_off_when_nobody_wants_it_any_more() -> None:
    """Ctrl-C cancels whoever reads the outcomes; nothing is left running, and nobody waits for what hangs."""

    async def scenario() -> int:
        host = Host({"/hangs": hangs, "/a": answer(200, JPEG)})
        async with collector(host, limits=FREE) as client:
            urls = [host.url("/a"), *(host.url(f"/hangs?{number}") for number in range(5))]
            host.answers = {**host.answers, **{f"/hangs?{number}": hangs for number in range(5)}}
            first = asyncio.Event()

            async def read() -> None:
                async with aclosing(download(stream(urls), client, Polite(client, client.pace.clock))) as results:
                    async for _ in results:
                        first.set()

            task = asyncio.create_task(read())
            await first.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return client.memory.taken + sum(
                "_fetch" in repr(one) or "_read" in repr(one) for one in asyncio.all_tasks() if not one.done()
            )

    assert asyncio.run(scenario()) == 0


def test_memory_is_given_back_by_whatever_is_not_looked_at() -> None:
    """One body is looked at, others wait for that, for room among the results, or for memory."""
    host = Host({f"/{number}": answer(200, JPEG + bytes(600_000)) for number in range(30)})

    async def scenario() -> tuple[bool, int]:
        async with collector(host, limits=FREE) as client:
            urls = [host.url(f"/{number}") for number in range(30)]
            plan = Plan(per_site=10, results=3)
            async with aclosing(download(stream(urls), client, Unbound(), plan=plan)) as results:
                async for _ in results:
                    if len(host.asked) > 6:
                        break
                    await asyncio.sleep(0)
                taken = client.memory.taken > 0
            return taken, client.memory.taken

    assert asyncio.run(scenario()) == (True, 0)


def test_urls_of_a_host_wait_for_its_pace_and_not_in_the_way_of_others() -> None:
    """A host a second, four fetches at most: ten of one host take ten seconds, and a hundred others none."""
    client = Pretended(Clock(), Limits(Rate(2, 1.0), Rate(100, 0.0)))
    urls = [f"http://a.test/{number}" for number in range(10)] + [f"http://{number}.example/" for number in range(100)]
    assert len(asyncio.run(pretended(client, urls, Plan(fetches=4)))) == 110
    assert [when for host, when in client.began if host == "a.test"] == [1_000.0 + number for number in range(10)]
    assert {when for host, when in client.began if host != "a.test"} <= {1_000.0, 1_001.0}


def test_files_that_are_asked_first_are_asked_once_for_many() -> None:
    host = Host({f"/{number}": answer(200, JPEG) for number in range(30)})
    found = fetched(host, *(f"/{number}" for number in range(30)))
    assert [reason(one) for one in found] == ["fetched"] * 30
    assert [host.targets.count(name) for name in FIRST] == [1, 1, 1]
    assert host.most_at_once <= 2


def test_a_client_is_what_the_downloader_asks() -> None:
    async def scenario() -> int:
        host = Host({"/a": answer(200, JPEG)})
        async with collector(host) as client:
            asking: Client = client
            return len([one async for one in download(stream([host.url("/a")]), asking, Unbound())])

    assert asyncio.run(scenario()) == 1
