"""Every source against its own API on the loopback: pages to the end, licences, and each API's traps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from holotype.collect.queries import Asked
from holotype.collect.sources.brave import Brave
from holotype.collect.sources.commons import STEPS, Commons
from holotype.collect.sources.europeana import Europeana
from holotype.collect.sources.flickr import Flickr
from holotype.collect.sources.gbif import Gbif
from holotype.collect.sources.inaturalist import INaturalist
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import Key, Reply, Request
from holotype.collect.sources.smithsonian import Smithsonian
from holotype.errors import PassExpired, SourceBusy, SourceError, SourceRefused
from loopback.asking import found, let_in, page_at, pages, send
from loopback.brave import BraveServer
from loopback.commons import MAXLAG, RATELIMITED, CommonsServer
from loopback.corpus import Work, works
from loopback.europeana import EuropeanaServer
from loopback.flickr import BUSY, IDS, FlickrServer
from loopback.gbif import GbifServer
from loopback.inaturalist import MAINTENANCE, NGINX, INaturalistServer
from loopback.openverse import OpenverseServer
from loopback.service import Answer, Service
from loopback.smithsonian import SmithsonianServer

WHIPPET = Asked("whippet", "eng", "lemma")
FOX = Asked("Vulpes vulpes", "eng", "lemma")


@pytest.fixture
def serving() -> Iterator[ExitStack]:
    """What closes the servers of a test."""
    with ExitStack() as stack:
        yield stack


def names(stack: list[Work]) -> list[str]:
    return [work.url for work in stack]


class TestCommons:
    def server(self, serving: ExitStack, *corpus: Work, at_once: int = 50) -> CommonsServer:
        return serving.enter_context(CommonsServer(corpus, at_once))

    def source(self, server: Service, width: int | None = None) -> Commons:
        return Commons(width, server.url)

    def test_all_pages_in_the_order_of_the_search(self, serving: ExitStack) -> None:
        corpus = works(120)
        server = self.server(serving, *corpus)
        all_pages = list(pages(self.source(server), WHIPPET))
        results = [one for page in all_pages for one in page.found]
        assert [len(page.found) for page in all_pages] == [50, 50, 20]
        assert [one.url for one in results] == names(corpus)
        assert [one.position for one in results] == list(range(1, 121))

    def test_no_more_than_the_search_goes_deep(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(10_100))
        assert len(found(self.source(server), WHIPPET)) == 10_000 == Commons.about.most
        assert len(server.seen) == 200 == Commons.about.requests(10**6)

    def test_a_batch_in_several_answers_is_one(self, serving: ExitStack) -> None:
        corpus = works(70)
        server = self.server(serving, *corpus, at_once=20)
        all_pages = list(pages(self.source(server), WHIPPET))
        assert [len(page.found) for page in all_pages] == [20, 20, 10, 20]
        assert [one.position for page in all_pages for one in page.found] == list(range(1, 71))
        assert [dict(page.skipped) for page in all_pages] == [{"again": 30}, {"again": 30}, {"again": 40}, {}]

    @pytest.mark.parametrize(
        ("fault", "seconds"),
        [(MAXLAG, 5.0), (RATELIMITED, None), (Answer(429, b"<html>", {"Retry-After": "60"}), 60.0)],
    )
    def test_errors_come_with_status_200_and_with_429(
        self, serving: ExitStack, fault: Answer, seconds: float | None
    ) -> None:
        server = self.server(serving, *works(1))
        server.faults.append(fault)
        with pytest.raises(SourceBusy) as busy:
            page_at(self.source(server), WHIPPET)
        assert busy.value.seconds == seconds
        assert len(page_at(self.source(server), WHIPPET).found) == 1

    def test_an_agent_that_says_nothing_is_refused_for_good(self, serving: ExitStack) -> None:
        server = self.server(serving)
        server.faults.append(Answer(403, b"Please set a user-agent"))
        with pytest.raises(SourceRefused) as refused:
            page_at(self.source(server), WHIPPET)
        assert refused.value.whole

    def test_thumbnails_are_asked_for_in_widths_that_there_are(self, serving: ExitStack) -> None:
        large, small = Work(1, "https://files.example.org/1.jpg", width=5514, height=3102), works(2)[1]
        server = self.server(serving, large, small)
        one, two = page_at(self.source(server, 1280), WHIPPET).found
        assert (one.width, one.height, one.checksum) == (1280, 720, "")
        assert send(Request(one.url)).status == 200
        assert send(Request(one.url.replace("1280px", "1024px"))).status == 400
        assert (two.url, two.width, two.checksum) == (small.url, 640, f"sha1:{2:040x}")
        with pytest.raises(SourceError, match="no thumbnails 1024 wide"):
            Commons(1024)
        assert all(Commons(step) for step in STEPS)

    def test_the_public_domain_has_no_address(self, serving: ExitStack) -> None:
        server = self.server(serving, replace(works(1)[0], licence="pd"))
        (one,) = page_at(self.source(server), WHIPPET).found
        assert (one.licence.code, one.licence.url) == ("pd", "")

    def test_who_made_it_is_html(self, serving: ExitStack) -> None:
        (one,) = page_at(self.source(self.server(serving, *works(1))), WHIPPET).found
        assert (one.creator, one.creator_url) == ("Ann Other", "https://commons.wikimedia.org/wiki/User:A")
        assert one.landing == "https://commons.wikimedia.org/wiki/File:Whippet_at_rest_1.jpg"
        assert (one.licence.code, one.licence.version) == ("by-sa", "4.0")

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ({"NonFree": {"value": "true"}, "LicenseShortName": {"value": "CC BY 4.0"}}, ""),
            ({"LicenseShortName": {"value": "<b>CC BY-NC 3.0</b>"}, "License": {"value": None}}, "by-nc"),
            ({"LicenseShortName": {"value": ["CC0"]}}, ""),
            ({"License": {"value": "cc-by-sa-3.0"}}, "by-sa"),
            ({}, ""),
            ([], ""),
        ],
    )
    def test_licences_in_odd_forms(self, serving: ExitStack, said: object, code: str) -> None:
        server = self.server(serving, *works(1))
        server.extra[1] = said  # type: ignore[assignment]
        (one,) = page_at(self.source(server), WHIPPET).found
        assert one.licence.code == code

    def test_words_are_no_operators(self, serving: ExitStack) -> None:
        server = self.server(serving)
        asked = Asked('-whippet "dog" insource:/x/ OR ' + "long " * 100, "eng", "lemma")
        assert page_at(self.source(server), asked).found == ()
        search = server.seen[0].fields["gsrsearch"]
        assert search.startswith("filetype:bitmap whippet dog insource x or long")
        assert len(search) <= 300
        with pytest.raises(SourceRefused, match="no words"):
            self.source(server).first(Asked("?!", "eng", "lemma"))

    def test_what_depicts_an_item(self) -> None:
        asked = Asked("Q146", "eng", "lemma")
        fields = dict(Commons().request(asked, Commons().first(asked)).fields)
        assert fields["gsrsearch"] == "filetype:bitmap haswbstatement:P180=Q146"

    def test_an_answer_does_not_say_what_to_do(self) -> None:
        """What is sent back of a ``continue`` is what continues, and nothing else."""
        more = b'{"gsroffset": 50, "action": "purge", "gsrsearch": {"a": 1}, "continue": "-"}'
        body = b'{"query": {"pages": []}, "continue": ' + more + b"}"
        following = Commons().read(WHIPPET, "gsroffset=0", Reply(200, {}, body)).following
        assert following is not None
        fields = Commons().request(WHIPPET, following).fields
        assert [value for name, value in fields if name == "action"] == ["query"]
        assert dict(fields)["gsroffset"] == "50"

    def test_what_goes_nowhere_ends(self) -> None:
        body = b'{"continue": {"gsroffset": 0}, "query": {"pages": []}}'
        assert Commons().read(WHIPPET, "gsroffset=0", Reply(200, {}, body)).following is None


class TestOpenverse:
    CLIENT, SECRET = "client-id-1", "client-secret-1"

    def server(self, serving: ExitStack, *corpus: Work, burst: int = 10**9, largest: int = 500) -> OpenverseServer:
        server = serving.enter_context(OpenverseServer(corpus, burst, largest))
        server.clients[self.CLIENT] = self.SECRET
        return server

    def keyed(self, server: Service) -> Openverse:
        return Openverse(Key(self.CLIENT), Key(self.SECRET), api=server.url)

    def test_240_works_and_no_more(self, serving: ExitStack) -> None:
        corpus = works(500)
        server = self.server(serving, *corpus)
        results = found(Openverse(api=server.url), WHIPPET)
        assert [one.url for one in results] == names(corpus)[:240]
        assert [one.position for one in results] == list(range(1, 241))
        assert len(server.seen) == 12

    def test_a_key_makes_pages_larger_and_not_deeper(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(500))
        source = let_in(self.keyed(server))
        assert len(found(source, WHIPPET)) == 240
        assert [one.path for one in server.seen] == ["/v1/auth_tokens/token/", "/v1/images/"]

    @pytest.mark.parametrize("largest", [20, 50, 100])
    def test_a_page_that_is_too_large_is_asked_for_smaller(self, serving: ExitStack, largest: int) -> None:
        server = self.server(serving, *works(30), largest=largest)
        assert len(found(let_in(self.keyed(server)), WHIPPET)) == 30

    def test_without_a_key_no_page_has_more_than_20(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(30))
        reply = send(Request(f"{server.url}images/", (("q", "whippet"), ("page_size", "21"))))
        assert reply.status == 401
        with pytest.raises(SourceRefused, match="page_size may not exceed 20"):
            Openverse(api=server.url).read(WHIPPET, "page=1&size=20", reply)

    def test_a_token_that_has_expired(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(30))
        source = let_in(self.keyed(server))
        server.tokens.clear()
        with pytest.raises(PassExpired):
            page_at(source, WHIPPET)
        assert len(found(let_in(self.keyed(server)), WHIPPET)) == 30

    def test_a_secret_that_is_wrong(self, serving: ExitStack) -> None:
        server = self.server(serving)
        with pytest.raises(SourceRefused, match="HOLOTYPE_OPENVERSE_CLIENT_SECRET are not accepted"):
            let_in(Openverse(Key(self.CLIENT), Key("another-secret"), api=server.url))

    def test_too_many_requests(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(100), burst=2)
        source = Openverse(api=server.url)
        with pytest.raises(SourceBusy) as busy:
            found(source, WHIPPET)
        assert (busy.value.seconds, len(server.seen)) == (720.0, 3)

    def test_a_question_that_is_wrong_says_what(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(1))
        with pytest.raises(SourceRefused, match="License 'cc-by' does not exist") as refused:
            page_at(Openverse(licences=("cc-by",), api=server.url), WHIPPET)
        assert not refused.value.whole

    @pytest.mark.parametrize("code", ["by", "by-nc", "by-nc-nd", "by-nc-sa", "by-nd", "by-sa", "cc0", "pdm"])
    def test_licences(self, serving: ExitStack, code: str) -> None:
        server = self.server(serving, *works(1, licence=code, version="2.0"))
        (one,) = found(Openverse(licences=(code,), api=server.url), WHIPPET)
        assert one.licence.code == code
        if code.startswith("by"):
            assert one.licence.version == "2.0"


class TestFlickr:
    KEY = "0123456789abcdef0123456789abcdef"

    def server(self, serving: ExitStack, *corpus: Work) -> FlickrServer:
        return serving.enter_context(FlickrServer(corpus, self.KEY))

    def source(self, server: Service, now: float = 1_500_000_000) -> Flickr:
        return Flickr(Key(self.KEY), api=server.url, clock=lambda: now)

    def test_what_fits_is_given_by_relevance(self, serving: ExitStack) -> None:
        corpus = works(1_234)
        server = self.server(serving, *corpus)
        assert [one.url for one in found(self.source(server), WHIPPET)] == names(corpus)
        assert len(server.seen) == 3

    @pytest.mark.parametrize("spread", [1, 10, 3_600])
    def test_more_than_4000_are_all_found(self, serving: ExitStack, spread: int) -> None:
        corpus = [replace(work, uploaded=1_200_000_000 + spread * work.number) for work in works(9_500)]
        server = self.server(serving, *corpus)
        results = found(self.source(server), WHIPPET)
        assert {one.url for one in results} == set(names(corpus))
        assert len(results) <= len(corpus) + 4_000
        assert [one.position for one in results] == list(range(1, len(results) + 1))
        assert len(server.seen) < 100

    def test_uploads_that_come_in_one_second_are_split_by_licence(self, serving: ExitStack) -> None:
        codes = ["by", "by-sa", "by-nc", "cc0"]
        corpus = [replace(work, uploaded=1_300_000_000, licence=codes[work.number % 4]) for work in works(6_000)]
        server = self.server(serving, *corpus)
        assert {one.url for one in found(self.source(server), WHIPPET)} == set(names(corpus))
        assert max(int(one.fields["page"]) for one in server.seen) <= 8

    def test_photos_repeat_after_4000_and_are_not_asked_for(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(4_600, uploaded=1_300_000_000))  # one second, one licence: no window helps
        results = found(self.source(server), WHIPPET)
        assert len({one.url for one in results}) == 4_000
        assert max(int(one.fields["page"]) for one in server.seen) == 8

    def test_failures_come_with_status_200(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(1))
        server.faults.append(BUSY)
        with pytest.raises(SourceBusy, match="105"):
            page_at(self.source(server), WHIPPET)
        with pytest.raises(SourceRefused, match=r"100: Invalid API Key \(Key not found\): \[key\]") as refused:
            page_at(Flickr(Key("another-key"), api=server.url), WHIPPET)
        assert refused.value.whole

    def test_no_callback_is_wanted(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(1))
        request = self.source(server).request(WHIPPET, self.source(server).first(WHIPPET))
        without = replace(request, fields=tuple(one for one in request.fields if one[0] != "nojsoncallback"))
        assert send(without).body.startswith(b"jsonFlickrApi(")
        with pytest.raises(SourceBusy, match="no JSON"):
            self.source(server).read(WHIPPET, self.source(server).first(WHIPPET), send(without))

    @pytest.mark.parametrize(("licence", "number"), IDS.items())
    def test_licences(self, serving: ExitStack, licence: tuple[str, str], number: str) -> None:
        server = self.server(serving, *works(1, licence=licence[0], version=licence[1]))
        (one,) = found(replace(self.source(server), licences=(number,)), WHIPPET)
        assert one.licence.code == licence[0]
        if licence[1]:
            assert one.licence.version == licence[1]

    def test_all_rights_reserved_is_not_asked_for(self, serving: ExitStack) -> None:
        assert not found(self.source(self.server(serving, *works(3, licence="arr"))), WHIPPET)

    def test_each_photo_leads_back_to_its_page(self, serving: ExitStack) -> None:
        (one,) = found(self.source(self.server(serving, *works(1))), WHIPPET)
        assert one.landing == "https://www.flickr.com/photos/71925535@N03/1"


class TestINaturalist:
    def server(self, serving: ExitStack, *corpus: Work, photos: int = 1) -> INaturalistServer:
        return serving.enter_context(INaturalistServer(corpus, photos))

    def test_pages_go_by_id_beyond_any_window(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(10_500, taxon="Vulpes vulpes", licence="by-nc"))
        results = found(INaturalist(api=server.url), FOX)
        assert len({one.url for one in results}) == 10_500
        assert len(server.seen) == 53
        assert [one.position for one in results] == list(range(1, 10_501))

    def test_pages_by_number_do_not_go_so_far(self, serving: ExitStack) -> None:
        server = self.server(serving)
        reply = send(Request(f"{server.url}observations", (("per_page", "500"), ("page", "51"))))
        with pytest.raises(SourceRefused, match="Result window is too large"):
            INaturalist().read(FOX, INaturalist().first(FOX), reply)

    def test_larger_pages_are_cut_without_a_word(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(450, taxon="Vulpes vulpes"))
        fields = (("taxon_name", "Vulpes vulpes"), ("per_page", "450"))
        page = INaturalist().read(FOX, INaturalist().first(FOX), send(Request(f"{server.url}observations", fields)))
        assert (len(page.found), page.total) == (200, 450)
        assert page.following == "id_above=2000&seen=200&observations=200"

    def test_the_total_stays_what_it_was(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(450, taxon="Vulpes vulpes"))
        assert [page.total for page in pages(INaturalist(api=server.url), FOX)] == [450, 450, 450]

    def test_a_larger_size_than_the_square_one(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(1, taxon="Vulpes vulpes", width=2048, height=1536))
        (one,) = found(INaturalist(api=server.url), FOX)
        assert one.url == "https://inaturalist-open-data.s3.amazonaws.com/photos/1/large.jpg"
        assert (one.width, one.height, one.depicts) == (1024, 768, "Vulpes vulpes")

    @pytest.mark.parametrize(("code", "known"), [("arr", "arr"), ("cc0", "cc0"), ("by-nc", "by-nc"), ("by", "by")])
    def test_each_photo_has_its_own_licence(self, serving: ExitStack, code: str, known: str) -> None:
        other = replace(works(2)[1], licence="by-sa", taxon="Vulpes vulpes")
        server = self.server(serving, *works(1, licence=code, taxon="Vulpes vulpes"), other, photos=2)
        one, two = found(INaturalist(api=server.url), FOX)
        assert (one.licence.code, two.licence.code) == (known, "by-sa")
        assert ("static.inaturalist.org" in one.url) == (code == "arr")

    @pytest.mark.parametrize(("fault", "seconds"), [(NGINX, None), (MAINTENANCE, 300.0)])
    def test_come_back_later(self, serving: ExitStack, fault: Answer, seconds: float | None) -> None:
        server = self.server(serving, *works(1, taxon="Vulpes vulpes"))
        server.faults.append(fault)
        with pytest.raises(SourceBusy) as busy:
            page_at(INaturalist(api=server.url), FOX)
        assert busy.value.seconds == seconds

    def test_only_licences_that_are_wanted_are_asked_for(self, serving: ExitStack) -> None:
        corpus = works(2, taxon="Vulpes vulpes")
        server = self.server(serving, replace(corpus[0], licence="cc0"), replace(corpus[1], licence="by-nc"))
        assert [one.url[-11:] for one in found(INaturalist(("cc0",), api=server.url), FOX)] == ["1/large.jpg"]


class TestGbif:
    def server(self, serving: ExitStack, *corpus: Work) -> GbifServer:
        return serving.enter_context(GbifServer(corpus))

    def test_the_images_of_a_name(self, serving: ExitStack) -> None:
        corpus = works(700, taxon="Vulpes vulpes", words="red fox")
        server = self.server(serving, *corpus, *works(5, taxon="Vulpes lagopus"))
        for asked in (FOX, Asked("Red Fox", "eng", "lemma")):
            results = found(Gbif(server.url), asked)
            assert [one.url for one in results] == names(corpus)
            assert [one.position for one in results] == list(range(1, 701))

    @pytest.mark.parametrize("name", ["Vulpes novus", "fox", "nobody"])
    def test_nothing_for_what_is_called_nearly_so(self, serving: ExitStack, name: str) -> None:
        server = self.server(serving, *works(3, taxon="Vulpes vulpes", words="red fox"))
        assert not found(Gbif(server.url), Asked(name, "eng", "lemma"))

    def test_a_species_goes_before_its_subspecies(self, serving: ExitStack) -> None:
        corpus = works(2, taxon="Vulpes vulpes", words="red fox")
        server = self.server(serving, *corpus, *works(3, taxon="Vulpes vulpes fulva", words="red fox"))
        assert len(found(Gbif(server.url), Asked("red fox", "eng", "lemma"))) == 2

    def test_two_species_of_a_name_are_none(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(1, taxon="A b", words="robin"), *works(1, taxon="C d", words="robin"))
        assert not found(Gbif(server.url), Asked("robin", "eng", "lemma"))

    def test_no_deeper_than_100000(self) -> None:
        cursor = "step=images&taxon=1&offset=99900&seen=99900"
        assert dict(Gbif().request(FOX, cursor).fields)["limit"] == "100"
        body = b'{"endOfRecords": false, "count": 200000, "results": [' + b",".join([b'{"media": []}'] * 100) + b"]}"
        page = Gbif().read(FOX, cursor, Reply(200, {}, body))
        assert (page.following, page.total) == (None, 200_000)

    def test_the_licence_is_the_pictures(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(1, taxon="Vulpes vulpes", licence="by-nc"))
        (one,) = found(Gbif(server.url), FOX)
        assert one.licence.code == "by-nc"

    @pytest.mark.parametrize(
        ("media", "count", "skipped"),
        [
            ("no list", 0, {"no_image": 1}),
            ([{"type": "Sound", "identifier": "https://x.example.org/a.mp3"}], 0, {"no_image": 1}),
            (
                [{"type": "StillImage", "format": "text/html", "identifier": "https://x.example.org/"}],
                0,
                {"no_image": 1},
            ),
            ([{"type": "StillImage"}, 7, None], 0, {"no_file": 1, "no_image": 2}),
            ([{"type": "StillImage", "identifier": "https://x.example.org/a.jpg", "license": 4}], 1, {}),
            ([{"type": "StillImage", "identifier": "https://x.example.org/a.jpg"}], 1, {}),
        ],
    )
    def test_media_of_any_kind(self, serving: ExitStack, media: object, count: int, skipped: dict[str, int]) -> None:
        server = self.server(serving, *works(1, taxon="Vulpes vulpes"))
        server.media[1] = media
        *_, page = pages(Gbif(server.url), FOX)
        assert (len(page.found), dict(page.skipped)) == (count, skipped)
        assert not any(one.licence.code for one in page.found)


class TestEuropeana:
    def server(self, serving: ExitStack, *corpus: Work) -> EuropeanaServer:
        return serving.enter_context(EuropeanaServer(corpus))

    def test_pages_by_cursor(self, serving: ExitStack) -> None:
        corpus = works(250)
        server = self.server(serving, *corpus)
        results = found(Europeana(Key(server.key), api=server.url), WHIPPET)
        assert [one.url for one in results] == names(corpus)
        assert [one.position for one in results] == list(range(1, 251))
        assert results[0].creator == "Ann Other"

    @pytest.mark.parametrize(
        ("code", "known"), [("cc0", "cc0"), ("by-sa", "by-sa"), ("arr", "arr"), ("nkc", "nkc"), ("by-nc", "by-nc")]
    )
    def test_rights_are_addresses(self, serving: ExitStack, code: str, known: str) -> None:
        server = self.server(serving, *works(1, licence=code))
        (one,) = found(Europeana(Key(server.key), "open,restricted", server.url), WHIPPET)
        assert one.licence.code == known

    def test_half_a_cursor_is_not_gone_on_from(self) -> None:
        body = b'{"success": true, "items": [{}], "nextCursor": "' + b"A" * 5_000 + b'"}'
        source = Europeana(Key("europeana-key"))
        with pytest.raises(SourceRefused, match="cursor"):
            source.read(WHIPPET, source.first(WHIPPET), Reply(200, {}, body))

    def test_the_key_goes_in_a_header_and_comes_back_in_nothing(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(1))
        source = Europeana(Key(server.key), api=server.url)
        page = page_at(source, WHIPPET)
        assert server.key not in "".join(server.seen[0].fields.values())
        assert server.key not in repr(page)
        assert page.found[0].landing == "http://museum.example.org/1"


class TestSmithsonian:
    def server(self, serving: ExitStack, *corpus: Work) -> SmithsonianServer:
        return serving.enter_context(SmithsonianServer(corpus))

    def test_pages_to_the_end(self, serving: ExitStack) -> None:
        corpus = works(1_100, licence="cc0")
        server = self.server(serving, *corpus)
        results = found(Smithsonian(Key(server.key), server.url), WHIPPET)
        assert [one.url for one in results] == names(corpus)
        assert len(server.seen) == 6
        assert {one.licence.code for one in results} == {"cc0"}
        assert results[0].creator == "Ann Other"

    def test_what_is_not_marked_cc0_is_closed(self, serving: ExitStack) -> None:
        server = self.server(serving, *works(2, licence="arr"))
        page = page_at(Smithsonian(Key(server.key), server.url), WHIPPET)
        assert (page.found, dict(page.skipped)) == ((), {"closed": 2})

    @pytest.mark.parametrize(
        "media",
        [
            None,
            "Images",
            {"type": "Images"},
            [None, 7, []],
            [{"type": "Images", "usage": "CC0", "content": "https://x.example.org/a.jpg"}],
            [{"type": "Images", "usage": {"access": ["CC0"]}, "content": "https://x.example.org/a.jpg"}],
            [{"type": "Images", "usage": {"access": "CC0"}, "content": ["https://x.example.org/a.jpg"]}],
            [{"type": "3d_tour", "usage": {"access": "CC0"}, "content": "https://x.example.org/a.jpg"}],
        ],
    )
    def test_media_of_the_wrong_type(self, serving: ExitStack, media: object) -> None:
        server = self.server(serving, *works(2, licence="cc0"))
        server.media[1] = media
        page = page_at(Smithsonian(Key(server.key), server.url), WHIPPET)
        assert [one.url for one in page.found] == ["https://files.example.org/2.jpg"]
        assert sum(page.skipped.values()) == (3 if media == [None, 7, []] else 1)

    def test_a_key_that_is_not_known(self, serving: ExitStack) -> None:
        server = self.server(serving)
        with pytest.raises(SourceRefused, match=r"supplied: \[key\]") as refused:
            page_at(Smithsonian(Key("another-key"), server.url), WHIPPET)
        assert refused.value.whole


class TestBrave:
    def server(self, serving: ExitStack, *corpus: Work, month: int = 15_000) -> BraveServer:
        return serving.enter_context(BraveServer(corpus, month=month))

    def test_one_page_that_costs(self, serving: ExitStack) -> None:
        corpus = works(300)
        server = self.server(serving, *corpus)
        (page,) = pages(Brave(Key(server.key), 0.01, server.url), WHIPPET)
        assert [one.url for one in page.found] == names(corpus)[:200]
        assert (page.cost, page.wait, server.billed) == (0.01, 1.0, 1)
        assert not any(one.licence.code for one in page.found)

    def test_a_month_that_is_used_up(self, serving: ExitStack) -> None:
        server = self.server(serving, month=0)
        with pytest.raises(SourceBusy, match="quota exceeded") as busy:
            page_at(Brave(Key(server.key), api=server.url), WHIPPET)
        assert (busy.value.seconds, server.billed) == (1_419_704.0, 0)

    def test_a_token_that_is_not_known_is_422(self, serving: ExitStack) -> None:
        server = self.server(serving)
        with pytest.raises(SourceRefused, match=r"no token \[key\]") as refused:
            page_at(Brave(Key("another-key"), api=server.url), WHIPPET)
        assert refused.value.whole

    def test_no_question_is_too_long(self, serving: ExitStack) -> None:
        server = self.server(serving)
        page_at(Brave(Key(server.key), api=server.url), Asked("word " * 80, "spa", "translation"))
        page_at(Brave(Key(server.key), api=server.url), Asked("x " + "y" * 399, "nob", "translation"))
        assert [one.fields.get("search_lang") for one in server.seen] == ["es", None]


def test_the_corpus_is_data(tmp_path: Path) -> None:
    assert Work(1, "https://x.example.org/1.jpg").answers("whippet rest")
    assert not Work(1, "https://x.example.org/1.jpg").answers("whippet cat")
