"""Nothing but the public internet is connected to, whatever a URL, a name, a record or a redirect says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from holotype.collect.net.addresses import refused
from holotype.collect.net.client import Client
from holotype.collect.net.guard import Guard
from holotype.collect.net.urls import check_url, redirected
from holotype.errors import NotFetched
from hosts import JPEG, ME, Clock, Host, answer, collector, moved, outcomes, paced


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255"),  # noqa: S104
        *("192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "100.127.255.255", "198.18.0.1"),
        *("198.19.255.255", "192.0.0.192", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1"),
        *("239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
        *("::", "::1", "fd00:ec2::254", "fc00::1", "fe80::1", "fe80::1%eth0", "2001:db8::1%eth0", "fec0::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::127.0.0.1"),
        *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::808:808", "2002:7f00:1::"),
        *("2002:a00:1::1", "2001:0:1:2:3:4:80ff:fffe", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1"),
        *("100::1", "2600::5efe:127.0.0.1", "2600::200:5efe:a00:1", "4000::1", "::8.8.8.8"),
        *("", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "1.2.3.4.5", "[::1]"),
    ],
)
def test_an_address_that_is_not_surely_public_is_refused(address: str) -> None:
    assert refused(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "1.1.1.1", "99.255.255.255", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
        *("223.255.255.255", "198.17.0.1", "198.20.0.1", "192.0.1.1", "169.253.0.1", "126.0.0.1", "128.0.0.1"),
        *("2606:4700::6810:84e5", "2a00:1450:4001::200e", "2001:4860:4860::8888", "2001:200::1", "2003::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808"),
    ],
)
def test_a_public_address_is_let_through(address: str) -> None:
    assert refused(address) is None


BAD_URLS = [
    *("http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/"),
    *("http://017700000001/", "http://0/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://1.2.3.4.5/"),
    *("http://256.1.1.1/", "http://good@127.0.0.1/", "http://user:pw@example.org/", "http://good%40127.0.0.1/"),
    *("http://127.0.0.1\\@good/", "http://good\\.example.org/", "http://example.org/a\\b", "http://ex ample.org/"),
    *("http://example.org\t.evil/", "http://exa\r\nmple.org/", "http://example.org/\x00", "http://example.org/\x7f"),
    *("http://example.org/\x85", "http://example.org:0/", "http://example.org:-1/", "http://example.org:99999/"),
    *("http://example.org:8080/", "http://example.org:22/", "http://example.org:/", "http://example.org:８０/"),
    *("http://[::1%25lo]/", "http://[::1", "http://::1/", "http://[127.0.0.1]/", "http://[::1]x/"),
    *("file:///etc/passwd", "ftp://example.org/a.jpg", "gopher://example.org/", "data:image/png;base64,AA", "//a/"),
    *("javascript:alert(1)", "http:example.org", "http:///a", "http://", "https://?a", "http://#a", "", "a.jpg"),
    *("http://a..b/", "http://.a/", f"http://{'a' * 64}.org/", f"http://{'a.' * 130}org/", "http://-a.org/"),
    *("http://example.org/" + "a" * 8_200, "http://xn--\u2603.org/", "http://example.org/\ud800", "http://⑴.org/"),
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_with_anything_odd_is_refused(url: str) -> None:
    with pytest.raises(NotFetched) as refusal:
        check_url(url)
    assert refusal.value.reason == "bad_url"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("HTTPS://EXAMPLE.org/A.jpg", "https://example.org/A.jpg"),
        ("http://example.org", "http://example.org/"),
        ("http://example.org:80?a=1", "http://example.org/?a=1"),
        ("http://example.org:443/", "http://example.org:443/"),
        ("https://example.org.:443/a#b", "https://example.org/a"),
        (" http://example.org/a b/ü?q=é&x=%20 ", "http://example.org/a%20b/%C3%BC?q=%C3%A9&x=%20"),
        ("http://münchen.example/a", "http://xn--mnchen-3ya.example/a"),
        ("http://Example。org/", "http://example.org/"),
        ("http://my_site.example.org/", "http://my_site.example.org/"),
        ("http://8.8.8.8/a", "http://8.8.8.8/a"),
        ("http://[2606:4700:0:0::1]/a", "http://[2606:4700::1]/a"),
        (
            "http://example.org/a//b/../c;d=1?e=[f]&g=http://h/?i",
            "http://example.org/a//b/../c;d=1?e=[f]&g=http://h/?i",
        ),
    ],
)
def test_a_url_is_written_in_one_way(url: str, read: str) -> None:
    assert check_url(url).text == read
    assert check_url(read).text == read


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("/b.jpg", "https://example.org/b.jpg"),
        ("b.jpg", "https://example.org/x/b.jpg"),
        ("?q", "https://example.org/x/a.jpg?q"),
        ("//cdn.example/a", "https://cdn.example/a"),
        ("http://cdn.example/ü", "http://cdn.example/%C3%BC"),
        ("HTTP://169.254.169.254/", "http://169.254.169.254/"),  # the address is refused when it is asked
    ],
)
def test_a_redirect_leads_where_it_says(location: str, there: str) -> None:
    assert redirected(check_url("https://example.org/x/a.jpg"), location).text == there


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "gopher://a/",
        "javascript:1",
        "http://a@b/",
        "http://a:22/",
        "/a\tb",
        "\\\\evil",
        "http://[",
    ],
)
def test_a_redirect_to_what_may_not_be_asked_is_refused(location: str) -> None:
    with pytest.raises(NotFetched, match="redirected"):
        redirected(check_url("https://example.org/x/a.jpg"), location)


def test_only_what_is_allowed_in_code_is_let_through_on_loopback() -> None:
    guard = Guard([("127.0.0.1", 8000)])
    assert guard.refused("127.0.0.1", 8000) is None
    assert guard.refused("127.0.0.1", 80) == "loopback"
    assert guard.refused("127.0.0.2", 8000) == "loopback"
    assert guard.refused("8.8.8.8", 8000) == "port 8000"
    assert guard.refused("8.8.8.8", 443) is None
    assert Guard().refused("127.0.0.1", 80) == "loopback"


async def reasons(client: Client, urls: Sequence[str]) -> list[str]:
    return [getattr(one, "reason", "fetched") for one in await outcomes(client, urls)]


def test_names_that_lead_inside_are_refused_and_nobody_inside_is_asked() -> None:
    """One record of a name is enough, of whatever family; other hosts go on."""
    names = {
        "good.test": ["127.0.0.1"],
        "both.test": ["127.0.0.1", "10.0.0.1"],
        "six.test": ["127.0.0.1", "::ffff:127.0.0.1"],
        "cloud.test": ["169.254.169.254"],
        "inside.test": ["127.0.0.3"],
    }

    async def scenario() -> tuple[list[str], int]:
        outside, inside = Host({"/a.jpg": answer(200, JPEG)}), Host({"/a.jpg": answer(200, JPEG)}, "127.0.0.3")
        async with collector(outside, names=names) as client:
            inside.port = outside.port
            async with inside:
                urls = [f"http://{name}:{outside.port}/a.jpg" for name in names]
                return await reasons(client, urls), inside.connections

    blocked = "blocked_address"
    assert asyncio.run(scenario()) == (["fetched", blocked, blocked, blocked, blocked], 0)


def test_a_record_that_changes_after_the_check_changes_nothing() -> None:
    """The answer that was checked is the one that is connected to; and when it is asked anew, it is checked anew."""
    clock, told = Clock(), iter([["127.0.0.1"], ["127.0.0.3"], ["127.0.0.3"]])

    async def look_up(_: str) -> Sequence[str]:
        return next(told)

    async def scenario() -> tuple[list[str], int]:
        outside, inside = Host({"/a.jpg": answer(200, JPEG)}), Host({"/a.jpg": answer(200, JPEG)}, "127.0.0.3")
        async with outside:
            inside.port = outside.port
            guard = Guard([("127.0.0.1", outside.port)])
            async with inside, Client(ME, guard, paced(clock), look_up) as client:
                url = f"http://rebinding.test:{outside.port}/a.jpg"
                found = await reasons(client, [url])
                clock.seconds += 61
                return found + await reasons(client, [url]), inside.connections

    assert asyncio.run(scenario()) == (["fetched", "blocked_address"], 0)


def test_a_record_that_changes_between_check_and_connection_is_refused() -> None:
    """The site is held for longer than its addresses are kept, after they were checked and before they are used."""
    clock, told = Clock(), iter([["127.0.0.1"], ["127.0.0.3"]])

    async def look_up(_: str) -> Sequence[str]:
        return next(told)

    async def scenario() -> tuple[str, list[str], int]:
        async with Host({"/a.jpg": answer(200, JPEG)}) as outside:
            inside = Host({"/a.jpg": answer(200, JPEG)}, "127.0.0.3", outside.port)
            guard = Guard([("127.0.0.1", outside.port)])
            async with inside, Client(ME, guard, paced(clock), look_up) as client:
                client.pace.hold("rebinding.test", 90.0)
                with pytest.raises(NotFetched) as refusal:
                    await client.get(f"http://rebinding.test:{outside.port}/a.jpg")
                return refusal.value.reason, outside.targets, inside.connections

    assert asyncio.run(scenario()) == ("blocked_address", [], 0)
    assert clock.slept == [90.0]


def test_the_socket_checks_what_it_connects_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where whoever checks names was lied to: the last one asked is the one that connects."""

    async def lied_to(*_: object) -> tuple[str, ...]:
        return ("8.8.8.8",)

    async def scenario() -> tuple[NotFetched, int]:
        async with Host({"/a.jpg": answer(200, JPEG)}, "127.0.0.3") as inside:
            guard = Guard([("127.0.0.1", inside.port)])
            async with Client(ME, guard, paced(Clock())) as client:
                monkeypatch.setattr(client.names, "addresses", lied_to)
                with pytest.raises(NotFetched) as refusal:
                    await client.get(inside.url())
        return refusal.value, inside.connections

    refusal, connections = asyncio.run(scenario())
    assert (refusal.reason, connections) == ("blocked_address", 0)
    assert "127.0.0.3 is not connected to: loopback" in refusal.detail


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "blocked_address"),
        ("http://[::ffff:a9fe:a9fe]/", "blocked_address"),
        ("http://10.0.0.1/", "blocked_address"),
        ("file:///etc/passwd", "bad_url"),
        ("http://127.0.0.1:22/", "bad_url"),
    ],
)
def test_redirects_are_checked_like_any_url(location: str, reason: str) -> None:
    async def scenario() -> list[str]:
        host = Host({"/a.jpg": moved(location), "/b.jpg": answer(200, JPEG)})
        async with collector(host) as client:
            return await reasons(client, [host.url("/a.jpg"), host.url("/b.jpg")])

    assert asyncio.run(scenario()) == [reason, "fetched"]


@pytest.mark.parametrize("path", ["/robots.txt", "/ai.txt", "/.well-known/tdmrep.json"])
def test_files_that_are_asked_first_go_through_the_same_guard(path: str) -> None:
    async def scenario() -> tuple[list[str], int]:
        host, inside = Host(), Host(address="127.0.0.3")
        host.answers = {"/a.jpg": answer(200, JPEG)}
        async with collector(host) as client:
            inside.port = host.port
            async with inside:
                host.answers = {**host.answers, path: moved(inside.url("/secret"))}
                return await reasons(client, [host.url()]), inside.connections

    assert asyncio.run(scenario()) == (["robots" if path == "/robots.txt" else "fetched"], 0)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> tuple[list[str], int]:
        host, proxy = Host({"/a.jpg": answer(200, JPEG)}), Host()
        async with proxy:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            async with collector(host) as client:
                return await reasons(client, [host.url()]), proxy.connections

    assert asyncio.run(scenario()) == (["fetched"], 0)
