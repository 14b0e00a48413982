"""What sources were asked, which pages they answered, which links these had, and what became of them."""

from __future__ import annotations

from sqlalchemy import Connection

from holotype.catalog import Catalog, links, searches
from holotype.catalog.links import Fetch, Result
from holotype.catalog.searches import Answered, Page, Search

WHIPPET = Search("n02091134", "commons", "whippet", "en", "lemma")
LEVRIER = Search("n02091134", "commons", "whippet", "fr", "translation")


def page(number: int, urls: list[str], following: str | None = None) -> Page:
    results = [Result(url, place, title=f"{number}:{place}") for place, url in enumerate(urls, 1)]
    return Page(number, f"c{number}", following, 7, 0.5, b'{"a": 1}', results)


def test_a_search_is_asked_once_whatever_rule_makes_it(catalog: Catalog) -> None:
    with catalog.write() as connection:
        first = searches.add(connection, [WHIPPET, LEVRIER, WHIPPET], 1.0)
        other = Search("n02091134", "commons", "whippet", "en", "lemma+ancestor")
        again = searches.add(connection, [other], 2.0)
    assert len(set(first.values())) == 2
    assert again[other] == first[WHIPPET]


def test_pages_are_counted_and_never_twice(catalog: Catalog) -> None:
    with catalog.write() as connection:
        number = searches.add(connection, [WHIPPET], 1.0)[WHIPPET]
        assert searches.answered(connection, [number]) == {}
        urls = ["http://a/1", "http://a/2", "http://a/1"]
        first = searches.add_page(connection, number, page(1, urls, "c2"), 2.0)
        assert searches.add_page(connection, number, page(1, ["http://b/9"]), 3.0) is None
        assert searches.answered(connection, [number])[number] == Answered(1, 3, 2, 7, "c2")
        second = searches.add_page(connection, number, page(2, ["http://a/2", "http://a/3"]), 4.0)
        found = searches.answered(connection, [number])[number]
    assert first is not None
    assert second is not None
    assert [len(first.links), first.fresh, len(second.links), second.fresh] == [2, 2, 2, 1]
    assert len(first.links | second.links) == 3
    assert (found.pages, found.results, found.fresh, found.is_done) == (2, 5, 3, True)


def test_a_link_is_fetched_until_that_is_final(catalog: Catalog) -> None:
    with catalog.write() as connection:
        number = searches.add(connection, [WHIPPET], 1.0)[WHIPPET]
        searches.add_page(connection, number, page(1, ["http://a.test/1", "http://b.test/2"]), 2.0)
        first, second = links.waiting(connection, 0, 10)
        assert (first.url, first.host, first.tries) == ("http://a.test/1", "a.test", 0)
        links.settle(connection, [Fetch(first.id, "rejected", "timeout", final=False)], 3.0)
        assert [one.tries for one in links.waiting(connection, 0, 10)] == [1, 0]
        links.settle(connection, [Fetch(first.id, "rejected", "dead", "404")], 4.0)
        assert links.waiting(connection, 0, 10) == [second]
        assert links.waiting(connection, second.id, 10) == []
        assert links.outcomes(connection) == {("a.test", "rejected", "dead"): 1, ("b.test", "", ""): 1}
        assert links.count_waiting(connection) == 1


def waiting(connection: Connection, licences: str) -> list[str]:
    found = [one.url for one in links.waiting(connection, 0, 10, licences)]
    assert links.count_waiting(connection, licences) == len(found)
    left = {host: count for (host, *why), count in links.outcomes(connection, licences).items() if why == ["", ""]}
    assert sum(left.values()) == len(found)
    return found


def test_a_licence_settles_a_link_for_as_long_as_the_same_are_taken(catalog: Catalog) -> None:
    with catalog.write() as connection:
        numbers = searches.add(connection, [WHIPPET, LEVRIER], 1.0)
        searches.add_page(connection, numbers[WHIPPET], page(1, ["http://a.test/1", "http://b.test/2"]), 2.0)
        first, second = links.waiting(connection, 0, 10)
        links.settle(connection, [Fetch(one.id, "rejected", "licence", "by,cc0") for one in (first, second)], 3.0)
        assert waiting(connection, "by,cc0") == []
        assert waiting(connection, "by") == waiting(connection, "") == [first.url, second.url]
        assert links.waiting(connection, 0, 1, "by") == [first], "no try of a host"
        links.settle(connection, [Fetch(first.id, "rejected", "licence", "by")], 4.0)
        assert waiting(connection, "by") == [second.url]
        assert waiting(connection, "by,cc0") == [], "what was decided once under a policy is decided"
        links.settle(connection, [Fetch(second.id, "rejected", "dead", "404")], 5.0)
        for licences in ("", "by", "by,cc0"):
            assert second.url not in waiting(connection, licences)
        assert links.outcomes(connection, "by") == {
            ("a.test", "rejected", "licence"): 1,
            ("b.test", "rejected", "dead"): 1,
        }
        searches.add_page(connection, numbers[LEVRIER], page(1, ["http://a.test/1", "http://b.test/2"]), 6.0)
        assert waiting(connection, "by") == [first.url], "somebody says something else of it since"
        links.settle(connection, [Fetch(first.id, "rejected", "licence", "by")], 7.0)
        assert waiting(connection, "by") == []
        assert sum(links.outcomes(connection, "by").values()) == 2


def test_a_link_that_was_rejected_before_its_licences_were_noted_is_decided_on_again(catalog: Catalog) -> None:
    with catalog.write() as connection:
        number = searches.add(connection, [WHIPPET], 1.0)[WHIPPET]
        searches.add_page(connection, number, page(1, ["http://a.test/1"]), 2.0)
        (link,) = links.waiting(connection, 0, 10)
        links.settle(connection, [Fetch(link.id, "rejected", "licence")], 3.0)
        assert waiting(connection, "by") == waiting(connection, "") == [link.url]


def test_everything_that_was_said_of_a_link_is_told(catalog: Catalog) -> None:
    with catalog.write() as connection:
        numbers = searches.add(connection, [WHIPPET, LEVRIER], 1.0)
        searches.add_page(connection, numbers[WHIPPET], page(1, ["http://a/1"]), 2.0)
        searches.add_page(connection, numbers[LEVRIER], page(1, ["http://a/0", "http://a/1"]), 3.0)
        link = next(one for one in links.waiting(connection, 0, 9) if one.url == "http://a/1")
        seen = links.seen(connection, [link.id])[link.id]
    assert [(one.language, one.rule, one.position, one.title) for one in seen] == [
        ("en", "lemma", 1, "1:1"),
        ("fr", "translation", 2, "1:2"),
    ]


def test_an_address_of_eight_thousand_characters_is_a_link(catalog: Catalog) -> None:
    long = "http://a/" + "x" * 8_000
    with catalog.write() as connection:
        ids, fresh = links.add(connection, [long, long + "y", long])
    assert (len(ids), fresh) == (2, 2)
