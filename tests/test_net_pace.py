"""How often sites and addresses are asked, and when they are left alone. Time stands still unless somebody sleeps."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.collect.net.names import neighbourhood, site
from holotype.collect.net.pace import Limits, Pace, Rate, backoff
from holotype.collect.net.waiting import Waiting
from holotype.collect.retry_after import retry_after
from holotype.errors import NotFetched
from hosts import Clock, paced

FREE = Rate(connections=1_000, interval=0.0)


async def starts(
    pace: Pace, clock: Clock, turns: list[tuple[str, str]], interval: float = 0.0, lasting: float = 0.0
) -> list[float]:
    """When each of some turns, all wanted at once, begins."""
    begun = [0.0] * len(turns)

    async def one(number: int, site: str, address: str) -> None:
        async with pace.turn(site, address, interval):
            begun[number] = clock() - 1_000.0
            if lasting:
                await clock.sleep(lasting)

    await asyncio.gather(*(one(number, *turn) for number, turn in enumerate(turns)))
    return begun


def began(limits: Limits, turns: list[tuple[str, str]], interval: float = 0.0) -> list[float]:
    async def scenario() -> list[float]:
        clock = Clock()
        return await starts(paced(clock, limits), clock, turns, interval)

    return asyncio.run(scenario())


def test_a_site_is_asked_once_an_interval() -> None:
    assert began(Limits(Rate(2, 1.0), FREE), [("a", "1")] * 4) == [0.0, 1.0, 2.0, 3.0]


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    assert began(Limits(Rate(9, 2.0, burst=3), FREE), [("a", "1")] * 5) == [0.0, 0.0, 0.0, 2.0, 4.0]


def test_a_crawl_delay_is_a_lower_bound_and_never_makes_it_faster() -> None:
    assert began(Limits(Rate(2, 1.0), FREE), [("a", "1")] * 3, interval=5.0) == [0.0, 5.0, 10.0]
    assert began(Limits(Rate(2, 1.0), FREE), [("a", "1")] * 3, interval=0.1) == [0.0, 1.0, 2.0]


def test_sites_at_one_address_share_its_pace_and_other_sites_do_not_wait() -> None:
    limits = Limits(FREE, Rate(8, 1.0))
    assert began(limits, [("a", "1"), ("b", "1"), ("c", "2"), ("d", "1")]) == [0.0, 1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (Limits(Rate(2, 0.0), FREE), 2),
        (Limits(FREE, Rate(3, 0.0)), 3),
        (Limits(FREE, FREE, connections=4), 4),
    ],
)
def test_no_more_than_so_many_at_a_time(limits: Limits, most: int) -> None:
    async def scenario() -> int:
        pace, now, highest = paced(Clock(), limits), 0, 0

        async def one() -> None:
            nonlocal now, highest
            async with pace.turn("a", "1"):
                now += 1
                highest = max(highest, now)
                await asyncio.sleep(0)
                now -= 1

        await asyncio.gather(*(one() for _ in range(20)))
        return highest

    assert asyncio.run(scenario()) == most


def test_retry_after_holds_the_whole_site_and_nobody_else() -> None:
    async def scenario() -> tuple[float, float, list[float]]:
        clock = Clock()
        pace = paced(clock, Limits(Rate(9, 0.0), FREE))
        pace.heard("a", 429, "30")
        return pace.ready("a") - clock(), pace.ready("b"), await starts(pace, clock, [("a", "1"), ("b", "1")])

    assert asyncio.run(scenario()) == (30.0, 0.0, [30.0, 0.0])


def test_who_says_nothing_is_left_alone_for_twice_as_long_each_time_until_it_answers() -> None:
    clock = Clock()
    pace = paced(clock)
    waits = []
    for status in (503, 500, 429, 502, 200, 500):
        pace.heard("a", status)
        waits.append(max(0.0, pace.ready("a") - clock()))
        clock.seconds = max(clock.seconds, pace.ready("a"))
    assert waits == [1.0, 2.0, 4.0, 8.0, 0.0, 1.0]


def test_a_site_that_asks_for_more_patience_than_there_is_is_not_waited_for() -> None:
    async def scenario() -> NotFetched:
        clock = Clock()
        pace = paced(clock, Limits(patience=60.0))
        pace.heard("a", 503, "3600")
        with pytest.raises(NotFetched) as refusal:
            await starts(pace, clock, [("a", "1")])
        assert clock.slept == []
        return refusal.value

    assert asyncio.run(scenario()).reason == "throttled"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thursday, 01-Jan-70 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("99999999999999999999999", 86_400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("000000000000000007", 7.0),
        ("9" * 5_000, 86_400.0),
        ("+5", None),
        ("1e9", None),
        ("inf", None),
        ("nan", None),
        ("5, 7", None),
        ("Thu Jan  1 00:20:00 1970", 200.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("Thu, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:20:00 +9999", None),
        ("\udcff", None),
        ("١٢", None),
        ("Thu, 99 Jan 1970 00:20:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(text, 1_000.0, 86_400.0) == seconds


def test_chance_takes_away_up_to_half_so_that_not_all_come_back_at_once() -> None:
    assert [backoff(number, 0.0) for number in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert backoff(10_000, 1.0) == 300.0


def test_a_pace_remembers_a_bounded_number_of_sites_and_those_that_are_held() -> None:
    async def scenario() -> tuple[int, float]:
        clock = Clock()
        pace = paced(clock, Limits(FREE, FREE))
        pace.heard("held", 429, "600")
        for number in range(30_000):
            async with pace.turn(f"site {number}", "1"):
                pass
        return len(pace._lines), pace.ready("held")

    lines, held = asyncio.run(scenario())
    assert lines <= 20_001
    assert held == 1_600.0


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("farm4.staticflickr.com", "staticflickr.com"),
        ("upload.wikimedia.org", "wikimedia.org"),
        ("a.b.museum.ac.uk", "museum.ac.uk"),
        ("ann.blogspot.com", "ann.blogspot.com"),
        ("co.uk", "co.uk"),
        ("intranet", "intranet"),
        ("10.1.2.3", "10.1.2.3"),
        ("2606:4700:1:2:3::4", "2606:4700:1:2::/64"),
    ],
)
def test_a_site_is_what_somebody_registered(host: str, owner: str) -> None:
    assert site(host) == owner


def test_neighbours_in_ipv6_count_as_one_machine() -> None:
    assert neighbourhood("2606:4700::1") == neighbourhood("2606:4700::2")


def test_sites_take_turns_however_the_list_is_sorted() -> None:
    waiting: Waiting[int] = Waiting(lambda _: 0.0, at_once=10)
    for number in range(3):
        waiting.add("a", number)
    waiting.add("b", 3)
    waiting.add("c", 4)
    taken = [waiting.next(0.0) for _ in range(6)]
    assert taken == [("a", 0), ("b", 3), ("c", 4), ("a", 1), ("a", 2), None]


def test_a_site_waits_for_its_time_and_for_those_of_it_that_are_out() -> None:
    times = {"a": 5.0, "b": 0.0}
    waiting: Waiting[int] = Waiting(lambda name: times[name], at_once=1)
    for number in range(2):
        waiting.add("a", number)
        waiting.add("b", number)
    assert waiting.next(0.0) == ("b", 0)
    assert waiting.next(0.0) is None, "one of b is out, and it is too early for a"
    assert waiting.when() == 5.0
    waiting.done("b")
    assert waiting.next(4.0) == ("b", 1)
    assert waiting.next(5.0) == ("a", 0)
    waiting.done("a")
    times["a"] = 9.0
    assert waiting.next(6.0) is None
    assert waiting.when() == 9.0
    assert waiting.count == 1
    assert waiting.next(9.0) == ("a", 1)
    assert waiting.count == 0


def test_nothing_is_remembered_of_sites_of_which_nothing_waits() -> None:
    waiting: Waiting[int] = Waiting(lambda _: 0.0, at_once=1)
    for number in range(1_000):
        waiting.add(f"site {number}", number)
        found = waiting.next(0.0)
        assert found is not None
        waiting.done(found[0])
    assert waiting.next(0.0) is None
    assert [*waiting._queues, *waiting._out, *waiting._listed, *waiting._turns, *waiting._later] == []


@given(st.one_of(st.text(), st.text("0123456789 :+-.,eEinfaTuJ"), st.datetimes().map(str)), st.floats(0.0, 4e9))
def test_whatever_a_host_says_it_is_a_time_that_there_is_or_none(said: str, now: float) -> None:
    for when in (now, None):
        seconds = retry_after(said, when, 86_400.0)
        assert seconds is None or 0.0 <= seconds <= 86_400.0


def test_a_date_tells_nothing_where_the_time_is_not_known() -> None:
    assert retry_after("Thu, 01 Jan 1970 00:20:00 GMT", None, 60.0) is None
    assert retry_after("20", None, 60.0) == 20.0
