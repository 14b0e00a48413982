"""Sources by name: ours, other packages', and those that are refused."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from holotype.collect.queries import Asked
from holotype.collect.sources import registry
from holotype.collect.sources.flickr import Flickr
from holotype.collect.sources.inaturalist import INaturalist
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.registry import OURS, REFUSED, Settings, all_sources, names, source
from holotype.errors import SourceError, SourceRefused
from holotype.licences import LicencePolicy
from loopback.asking import found
from loopback.service import Answer, Service
from loopback.service import Asked as Received

GUIDE = (Path(__file__).resolve().parents[1] / "docs/guides/sources.md").read_text()
KEYS = {
    "HOLOTYPE_OPENVERSE_CLIENT_ID": "openverse-client",
    "HOLOTYPE_OPENVERSE_CLIENT_SECRET": "openverse-secret",
    "HOLOTYPE_FLICKR_KEY": "flickr-key-0123",
    "HOLOTYPE_EUROPEANA_KEY": "europeana-key-0123",
    "HOLOTYPE_SMITHSONIAN_KEY": "smithsonian-key-0123",
    "HOLOTYPE_BRAVE_KEY": "brave-key-0123",
}
ALL = Settings(KEYS)


def under(policy: str) -> Settings:
    return Settings(KEYS, LicencePolicy.of(policy))


def test_every_source_is_called_what_it_is_listed_as() -> None:
    assert names() == tuple(OURS)
    for name in OURS:
        assert source(name, ALL).name == name
    assert not set(OURS) & set(REFUSED)


def test_every_key_is_said_to_be_one() -> None:
    wanted = [variable for name in OURS for variable in source(name, ALL).about.keys]
    assert sorted(wanted) == sorted(KEYS)


@pytest.mark.parametrize("name", REFUSED)
def test_the_guide_says_what_is_refused(name: str) -> None:
    assert f" | {REFUSED[name]} |" in GUIDE


@pytest.mark.parametrize("name", OURS)
def test_the_guide_says_what_there_is(name: str) -> None:
    about = source(name, ALL).about
    assert f"| `{name}` " in GUIDE
    assert all(f"`{variable}`" in GUIDE for variable in about.keys)
    (row,) = (line for line in GUIDE.splitlines() if line.startswith(f"| `{name}` "))
    assert ("all there are" if about.most is None else f"{about.most:,}") in row


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    with pytest.raises(SourceRefused, match=f"{name} is not asked: ...") as refused:
        source(name, ALL)
    assert refused.value.whole


@pytest.mark.parametrize("name", ["flickr", "europeana", "smithsonian", "brave"])
@pytest.mark.parametrize("said", [{}, {"HOLOTYPE_FLICKR_KEY": "", "HOLOTYPE_BRAVE_KEY": " \n"}])
def test_a_source_without_its_key_names_the_variable(name: str, said: dict[str, str]) -> None:
    with pytest.raises(
        SourceRefused, match=f"{name} cannot be asked: it needs a key in .* HOLOTYPE_{name.upper()}_KEY"
    ):
        source(name, Settings(said))


def test_a_key_that_is_none_is_told_without_it() -> None:
    with pytest.raises(SourceRefused, match="what HOLOTYPE_FLICKR_KEY holds is no key") as refused:
        source("flickr", Settings({"HOLOTYPE_FLICKR_KEY": "two secret words"}))
    assert "two secret words" not in f"{refused.value!r} {refused.value.__context__!r}"


def test_openverse_needs_no_key_and_not_half_of_one() -> None:
    assert not source("openverse", Settings()).about.needs_key
    half = {"HOLOTYPE_OPENVERSE_CLIENT_ID": "openverse-client"}
    with pytest.raises(SourceRefused, match="both"):
        source("openverse", Settings(half))


def test_settings_show_no_key() -> None:
    shown = repr(ALL) + repr([source(name, ALL) for name in OURS]) + repr(all_sources(ALL))
    assert not [key for key in KEYS.values() if key in shown]


@pytest.mark.parametrize(
    ("policy", "openverse", "flickr", "inaturalist"),
    [
        ("cc0", ("cc0",), ("9",), ("cc0",)),
        ("by,by-sa", ("by", "by-sa"), ("4", "5", "11", "12"), ("cc-by", "cc-by-sa")),
        ("public-domain", ("cc0", "pdm"), ("8", "9", "10"), ("cc0",)),
        ("commercial", ("by", "by-sa", "by-nd", "cc0", "pdm"), None, ("cc0", "cc-by", "cc-by-sa", "cc-by-nd")),
    ],
)
def test_only_licences_that_are_wanted_are_asked_for(
    policy: str, openverse: tuple[str, ...], flickr: tuple[str, ...] | None, inaturalist: tuple[str, ...]
) -> None:
    one, two, three = (source(name, under(policy)) for name in ("openverse", "flickr", "inaturalist"))
    assert isinstance(one, Openverse)
    assert one.licences == openverse
    assert isinstance(two, Flickr)
    assert flickr is None or two.licences == flickr
    assert not {"0", "1", "2", "3", "14", "15", "16"} & set(two.licences)
    assert isinstance(three, INaturalist)
    assert three.licences == inaturalist


@pytest.mark.parametrize(
    ("name", "policy"),
    [("smithsonian", "by"), ("brave", "cc"), ("openverse", "us-gov"), ("inaturalist", "pdm"), ("europeana", "us-gov")],
)
def test_a_source_that_has_nothing_of_what_is_wanted(name: str, policy: str) -> None:
    with pytest.raises(SourceRefused, match=f"{name} cannot be asked: nothing that it has is under {policy}"):
        source(name, under(policy))


def test_brave_is_asked_by_those_who_take_what_nobody_knows() -> None:
    assert source("brave", under("cc0,unknown")).name == "brave"


@pytest.mark.parametrize(
    ("name", "said"), [("common", "did you mean commons"), ("", "there are commons"), ("x" * 999, "there is no source")]
)
def test_a_source_that_there_is_not(name: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as told:
        source(name, ALL)
    assert len(str(told.value)) < 300


def test_the_list_of_all_says_what_is_wrong_with_each() -> None:
    listed = {one.name: one for one in all_sources(Settings())}
    assert listed.keys() == {*OURS, *REFUSED}
    assert listed["commons"].about is not None
    assert "HOLOTYPE_FLICKR_KEY" in listed["flickr"].problem
    assert listed["pexels"].problem == REFUSED["pexels"]


MUSEUM = """
from holotype.collect.sources.port import About, Found, Page, Request
from holotype.errors import SourceRefused
from holotype.licences import parse
import json


class Museum:
    name = "museum"
    about = About(per_page=2, most=None, note="ours", keys=("MUSEUM_KEY",), needs_key=True)

    def __init__(self, key, url):
        self.key, self.url = key, url

    def first(self, asked):
        return "1"

    def request(self, asked, cursor):
        return Request(self.url, (("q", asked.text), ("page", cursor), ("key", self.key)))

    def read(self, asked, cursor, reply):
        said = json.loads(reply.body)
        rows = [
            Found(row["file"], row["page"], number, parse(row["licence"]))
            for number, row in enumerate(said["rows"], 2 * int(cursor) - 1)
        ]
        return Page(tuple(rows), said["next"])


def museum(settings):
    return Museum(settings.key("MUSEUM_KEY"), settings.environ["MUSEUM_URL"])


nothing = None


def another(settings):
    made = museum(settings)
    made.name = "somebody"
    return made


def broken(settings):
    return 1 / 0
"""


class MuseumServer(Service):
    """Three pages of two."""

    def answer(self, asked: Received) -> Answer:
        page = int(asked.fields["page"])
        rows = [{"file": f"https://m.example.org/{page}{one}.jpg", "page": "", "licence": "CC0"} for one in "ab"]
        return Answer(200, {"rows": rows, "next": str(page + 1) if page < 3 else None})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a package as pip leaves one: a module and a folder of metadata beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_museum", raising=False)

    def install(dist: str, entries: dict[str, str], code: str = MUSEUM) -> None:
        (tmp_path / "toy_museum.py").write_text(code)
        (tmp_path / "unreadable.py").write_text("def museum(")
        info = tmp_path / f"{dist}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{registry.GROUP}]", *lines, ""]))
        importlib.invalidate_caches()

    return install


def test_a_source_of_ones_own_is_one_function(package: Callable[..., None]) -> None:
    package("toy-museum", {"museum": "toy_museum:museum"})
    assert names() == (*OURS, "museum")
    with MuseumServer() as server:
        settings = Settings({"MUSEUM_KEY": "museum-key-0123", "MUSEUM_URL": server.url})
        own = source("museum", settings)
        results = found(own, Asked("whippet", "eng", "lemma"))
        assert [one.url[-6:] for one in results] == ["1a.jpg", "1b.jpg", "2a.jpg", "2b.jpg", "3a.jpg", "3b.jpg"]
        assert [one.position for one in results] == [1, 2, 3, 4, 5, 6]
        assert server.seen[0].fields["key"] == "museum-key-0123"
    with pytest.raises(SourceRefused, match="museum cannot be asked: it needs a key .* MUSEUM_KEY"):
        source("museum", Settings())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("toy_museum:missing", "of toy-museum cannot be loaded"),
        ("no_such_module:museum", "of toy-museum cannot be loaded"),
        ("toy_museum:nothing", "of toy-museum has no name"),
        ("toy_museum:another", "calls itself 'somebody'"),
        ("toy_museum:broken", "of toy-museum cannot be made: ZeroDivisionError: division by zero"),
        ("unreadable:museum", "of toy-museum cannot be loaded: SyntaxError: "),
    ],
)
def test_a_package_that_got_it_wrong_is_named(package: Callable[..., None], value: str, said: str) -> None:
    package("toy-museum", {"museum": value})
    with pytest.raises(SourceError, match=said):
        source("museum", Settings({"MUSEUM_KEY": "museum-key-0123", "MUSEUM_URL": "http://127.0.0.1:9/"}))
    assert {one.name: one.problem for one in all_sources(Settings())}["museum"]


def test_two_packages_with_one_name_are_told(package: Callable[..., None]) -> None:
    package("toy-museum", {"museum": "toy_museum:museum"})
    package("other-museum", {"museum": "toy_museum:museum"})
    with pytest.raises(SourceError, match="several packages bring a source 'museum': other-museum, toy-museum"):
        source("museum", Settings())


def test_nobody_takes_our_names_or_those_that_are_refused(package: Callable[..., None]) -> None:
    package("toy-museum", {"commons": "toy_museum:museum", "pexels": "toy_museum:museum"})
    assert names() == tuple(OURS)
    assert type(source("commons", ALL)).__name__ == "Commons"
    with pytest.raises(SourceRefused, match="pexels is not asked"):
        source("pexels", ALL)
