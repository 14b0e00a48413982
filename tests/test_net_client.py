"""What one request may cost, and what it tells whom."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Coroutine, Mapping
from typing import TypeVar

import pytest

from holotype.collect.net.client import Bounds, Client, Reply
from holotype.collect.net.guard import Guard
from holotype.collect.net.kept import Kept
from holotype.collect.net.memory import SMALL, Memory
from holotype.collect.net.names import Names, SystemLookUp
from holotype.errors import NotFetched
from hosts import ME, Clock, Host, Script, answer, collector, encrypted, moved, shortly

Found = TypeVar("Found")


def asked(
    host: Host,
    ask: Callable[[Client], Coroutine[object, object, Found]],
    *others: Host,
    names: Mapping[str, list[str]] = {},
) -> Found:
    async def scenario() -> Found:
        async with collector(host, *others, names=names) as client:
            return await ask(client)

    return asyncio.run(scenario())


def got(said: bytes | Script, bounds: Bounds = Bounds()) -> Reply | str:
    """The answer, or why there is none."""
    host = Host({"/a": said})

    async def ask(client: Client) -> Reply | str:
        try:
            return await client.get(host.url("/a"), bounds=bounds)
        except NotFetched as refusal:
            return refusal.reason

    return asked(host, ask)


def test_an_answer_is_whole_whatever_its_status() -> None:
    reply = got(answer(429, b'{"detail": "slow down"}', [("Retry-After", "5"), ("X-Two", "1"), ("x-two", "2")]))
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (429, b'{"detail": "slow down"}')
    assert reply.headers["retry-after"] == "5"
    assert reply.headers.getall("X-Two") == ["1", "2"]


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, 5 * SMALL + 7])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_any_size_is_what_was_sent(size: int, declared: bool) -> None:
    body = bytes(range(251)) * (size // 251 + 1)

    async def until_the_end(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + body[:size])

    for most in (size, size + 1):
        reply = got(answer(200, body[:size]) if declared else until_the_end, Bounds(most_bytes=most))
        assert isinstance(reply, Reply)
        assert reply.body == body[:size]
    if size > 1:
        cut = got(answer(200, body[:size]) if declared else until_the_end, Bounds(most_bytes=size - 1, cut=True))
        assert isinstance(cut, Reply)
        assert cut.body == body[: size - 1]
        assert got(until_the_end, Bounds(most_bytes=size - 1)) == "too_large"


async def ends_early(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, b"half", length=8))


async def hangs(_: object, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3_600)


async def drips(_: object, writer: asyncio.StreamWriter) -> None:
    """A few bytes, and then none for an hour; no deadline of a single read would be missed by a byte every second."""
    writer.write(answer(200, b"drip", length=1_000))
    await asyncio.sleep(3_600)


async def no_end(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 So\r\n\r\n")
    while not writer.is_closing():
        writer.write(bytes(100_000))
        await writer.drain()


async def chunks_without_end(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"186a0\r\n" + bytes(100_000) + b"\r\n")
        await writer.drain()


async def headers_without_end(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 So\r\n")
    while not writer.is_closing():
        writer.write(b"X-Header: " + b"x" * 1_000 + b"\r\n")
        await writer.drain()


async def a_header_without_end(_: object, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 So\r\nX-Header: ")
    while not writer.is_closing():
        writer.write(b"x" * 10_000)
        await writer.drain()


async def information_without_end(_: object, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10)
        await writer.drain()


BOMB = gzip.compress(bytes(10_000_000), mtime=0)


@pytest.mark.parametrize(
    ("said", "bounds", "reason"),
    [
        (answer(200, bytes(1_001)), Bounds(most_bytes=1_000), "too_large"),
        (answer(200, b"", length=10**15), Bounds(), "too_large"),
        (no_end, Bounds(most_bytes=1_000_000), "too_large"),
        (chunks_without_end, Bounds(most_bytes=1_000_000), "too_large"),
        (headers_without_end, Bounds(), "connection"),
        (a_header_without_end, Bounds(), "connection"),
        (information_without_end, Bounds(deadline=0.2), "timeout"),
        (hangs, Bounds(deadline=0.05), "timeout"),
        (drips, Bounds(grace=0.05), "too_slow"),
        (drips, Bounds(deadline=0.05), "timeout"),
        (ends_early, Bounds(), "connection"),
        (answer(200, BOMB, [("Content-Encoding", "gzip")]), Bounds(), "encoded"),
        (answer(200, gzip.compress(BOMB, mtime=0), [("Content-Encoding", "gzip, gzip")]), Bounds(), "encoded"),
        (answer(200, BOMB, [("Content-Encoding", "identity"), ("Content-Encoding", "br")]), Bounds(), "encoded"),
        (answer(404, BOMB, [("Content-Encoding", "gzip")]), Bounds(), "encoded"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Bounds(), "connection"),
        (b"HTTP/1.1 200 So\r\nContent-Length: -5\r\n\r\n", Bounds(), "connection"),
        (b"HTTP/1.1 200 So\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456", Bounds(), "connection"),
    ],
    ids=shortly,
)
def test_an_answer_out_of_bounds_is_one_reason(said: bytes | Script, bounds: Bounds, reason: str) -> None:
    assert got(said, bounds) == reason


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (answer(200, b"abc", [("Content-Encoding", "identity")]), b"abc"),
        (answer(200, b"abc", [("Content-Encoding", "")]), b"abc"),
        (answer(200, BOMB[:100], [("Content-Type", "application/gzip")]), BOMB[:100]),
        (answer(204), b""),
    ],
    ids=shortly,
)
def test_bytes_come_as_they_were_sent(said: bytes, body: bytes) -> None:
    reply = got(said)
    assert isinstance(reply, Reply)
    assert reply.body == body


def test_where_a_body_may_be_cut_the_rest_is_left_out() -> None:
    for said in (answer(200, bytes(5_000)), no_end):
        reply = got(said, Bounds(most_bytes=1_000, cut=True))
        assert isinstance(reply, Reply)
        assert reply.body == bytes(1_000)


def test_redirects_are_followed_five_times_and_no_more() -> None:
    chain: dict[str, bytes | Script] = {f"/{number}": moved(f"/{number + 1}") for number in range(9)}
    host = Host({**chain, "/9": answer(200, b"end"), "/loop": moved("/loop"), "/nowhere": answer(302, b"no")})

    async def ask(client: Client) -> list[str]:
        found = []
        for path in ("/4", "/3", "/loop", "/nowhere"):
            try:
                reply = await client.get(host.url(path))
                found.append(f"{reply.status} {reply.url.rsplit('/')[-1]} {reply.body.decode()}")
            except NotFetched as refusal:
                found.append(refusal.reason)
        return found

    assert asked(host, ask) == ["200 9 end", "redirects", "redirects", "302 nowhere no"]
    assert host.targets.count("/loop") == 6


def test_keys_do_not_follow_a_redirect_to_another_host_nor_into_an_error() -> None:
    api, other = Host(), Host({"/b": answer(200), "/c": answer(200)})
    secrets = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Accept": "application/json"}

    async def ask(client: Client) -> str:
        api.answers = {"/a?key=s3cret": moved(other.url("/b")), "/same": moved("/end"), "/end": answer(200)}
        await client.get(api.url("/a?key=s3cret"), secrets)
        await client.get(api.url("/same"), secrets)
        with pytest.raises(NotFetched) as refusal:
            await client.get(f"http://no.test:{api.port}/a?key=s3cret", secrets)
        with pytest.raises(NotFetched) as another:
            await client.get(f"http://user:s3cret@{api.address}/", secrets)
        return repr(refusal.value) + str(another.value)

    assert "s3cret" not in asked(api, ask, other)
    assert "s3cret" not in str(other.asked)
    assert other.asked[0].headers["accept"] == "application/json"
    assert [one.headers.get("x-api-key") for one in api.asked] == ["s3cret"] * 3


def test_a_post_is_not_redirected() -> None:
    host = Host({"/token": moved("/elsewhere", 307)})

    async def ask(client: Client) -> int:
        return (await client.post(host.url("/token"), b"grant_type=x", {"Content-Type": "text/plain"})).status

    assert asked(host, ask) == 307
    assert [(one.method, one.target) for one in host.asked] == [("POST", "/token")]


def test_cookies_are_not_kept_nor_sent() -> None:
    host = Host({"/a": answer(200, headers=[("Set-Cookie", "id=1; Path=/")])})

    async def ask(client: Client) -> None:
        for _ in range(2):
            await client.get(host.url("/a"))

    asked(host, ask)
    assert all("cookie" not in one.headers for one in host.asked)


def test_paths_are_sent_as_they_are_written() -> None:
    host = Host()

    async def ask(client: Client) -> None:
        for path in ("/a%2Fb%20c//d/../e?x=%41&y=a+b&&", "/ü b"):
            await client.get(host.url(path))

    asked(host, ask)
    assert host.targets == ["/a%2Fb%20c//d/../e?x=%41&y=a+b&&", "/%C3%BC%20b"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://nothing.test:{}/", "connection"),
        ("http://127.0.0.9:{}/", "blocked_address"),
    ],
)
def test_hosts_that_cannot_be_reached_are_one_reason(url: str, reason: str) -> None:
    host = Host({"/a": answer(200)})

    async def ask(client: Client) -> str:
        with pytest.raises(NotFetched) as refusal:
            await client.get(url.format(host.port))
        return refusal.value.reason

    assert asked(host, ask) == reason


def test_a_body_that_is_longer_than_it_says_is_cut_or_no_http() -> None:
    reply = got(answer(200, b"abcdef", length=3))
    assert reply == "connection" or (isinstance(reply, Reply) and reply.body == b"abc")


def test_a_certificate_that_nobody_signed_is_not_believed() -> None:
    host = Host({"/a": answer(200)}, tls=encrypted())

    async def ask(client: Client) -> str:
        with pytest.raises(NotFetched) as refusal:
            await client.get(host.url("/a").replace("http:", "https:"))
        return refusal.value.reason

    assert asked(host, ask) == "tls"
    assert host.asked == []


def test_a_closed_port_is_a_connection_that_is_not_made() -> None:
    async def scenario() -> NotFetched:
        host = Host()
        async with collector(host) as client:
            await host.__aexit__()
            with pytest.raises(NotFetched) as refusal:
                await client.get(host.url("/a"))
            return refusal.value

    refusal = asyncio.run(scenario())
    assert (refusal.reason, refusal.again) == ("connection", True)


def test_a_client_is_used_as_a_context_manager() -> None:
    host = Host({"/a": answer(200)})

    async def ask(client: Client) -> None:
        outside = Client(ME, client.guard, client.pace)
        with pytest.raises(RuntimeError, match="context manager"):
            await outside.get(host.url("/a"))

    asked(host, ask)


# Names


def test_a_name_is_looked_up_once_for_all_and_again_after_a_minute() -> None:
    clock, times = Clock(), 0

    async def look_up(name: str) -> list[str]:
        nonlocal times
        times += 1
        await asyncio.sleep(0)
        if name == "none.test":
            raise OSError
        return ["8.8.8.8", "8.8.8.8", "2606:4700::1"]

    async def scenario() -> list[int]:
        names, counts = Names(Guard(), look_up, clock), []
        for wait in (0.0, 30.0, 31.0):
            clock.seconds += wait
            found = await asyncio.gather(*(names.addresses("a.test", 80) for _ in range(5)))
            assert set(found) == {("8.8.8.8", "2606:4700::1")}
            for _ in range(2):
                with pytest.raises(NotFetched, match=r"no host none\.test") as refused:
                    await names.addresses("none.test", 80)
                assert refused.value.again, "where names cannot be looked up, no host is lost"
            counts.append(times)
        return counts

    assert asyncio.run(scenario()) == [2, 2, 4]


def test_the_systems_own_names_are_found() -> None:
    async def scenario() -> tuple[set[str], bool]:
        found = set(await SystemLookUp()("localhost"))
        with pytest.raises(OSError, match="."):
            await SystemLookUp()("no-such-host.invalid")
        return found, True

    assert asyncio.run(scenario())[0] <= {"127.0.0.1", "::1"}


# What is shared


def test_answers_are_kept_up_to_a_weight_and_for_a_time() -> None:
    clock, asked_for = Clock(), []

    async def ask(key: str) -> tuple[str, float, int]:
        asked_for.append(key)
        return key.upper(), 10.0, 4

    async def scenario() -> None:
        kept = Kept(ask, 10, clock)
        for key in ("a", "b", "a", "c", "a", "b"):
            assert await kept.of(key) == key.upper()
        clock.seconds += 11
        await kept.of("b")

    asyncio.run(scenario())
    assert asked_for == ["a", "b", "c", "b", "b"]


def test_an_error_is_not_kept() -> None:
    async def ask(key: int) -> tuple[int, float, int]:
        raise NotFetched("connection")

    async def scenario() -> None:
        kept = Kept(ask, 10, Clock())
        for _ in range(2):
            with pytest.raises(NotFetched):
                await kept.of(1)

    asyncio.run(scenario())


def test_large_bodies_wait_for_memory_in_order_and_small_ones_do_not() -> None:
    async def scenario() -> list[str]:
        memory, log = Memory(4 * SMALL), []

        async def body(name: str, size: int, steps: int) -> None:
            share = memory.share()
            await share.grow(size)
            log.append(f"+{name}")
            assert memory.taken <= memory.most
            for _ in range(steps):
                await asyncio.sleep(0)
            log.append(f"-{name}")
            share.free()

        await asyncio.gather(
            body("a", 3 * SMALL, 3), body("b", 99 * SMALL, 1), body("c", 2 * SMALL, 1), body("small", SMALL, 0)
        )
        assert memory.taken == 0
        return log

    assert asyncio.run(scenario()) == ["+a", "+small", "-small", "-a", "+b", "-b", "+c", "-c"]


def test_who_is_called_off_while_waiting_takes_no_memory() -> None:
    async def scenario() -> int:
        memory = Memory(2 * SMALL)
        first, second, third = memory.share(), memory.share(), memory.share()
        await first.grow(2 * SMALL)
        tasks = [asyncio.create_task(share.grow(2 * SMALL)) for share in (second, third)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        first.shrink(SMALL)
        first.free()
        await asyncio.gather(*tasks, return_exceptions=True)
        third.free()
        return memory.taken

    assert asyncio.run(scenario()) == 0


def test_large_bodies_on_the_wire_wait_for_each_other() -> None:
    """Four of 400 kB where there is memory for one."""
    host = Host({"/a": answer(200, bytes(400_000))})

    async def ask(client: Client) -> list[int]:
        client.memory.most = 400_000  # type: ignore[misc]
        shares = [client.memory.share() for _ in range(4)]

        async def one(number: int) -> int:
            reply = await client.get(host.url("/a"), share=shares[number])
            assert client.memory.taken == 400_000
            await asyncio.sleep(0)
            shares[number].free()
            return len(reply.body)

        return await asyncio.gather(*map(one, range(4)))

    assert asked(host, ask) == [400_000] * 4
