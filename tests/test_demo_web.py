"""The demo's web: hosts and search engines on this machine, some of them hostile."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pytest

from conftest import encoded, photo
from holotype.collect.net.agent import Agent
from holotype.collect.net.outcomes import Outcome, Refused, Wanted
from holotype.collect.net.web import Web
from holotype.demo.described import Photo, read_folder
from holotype.demo.web.collected import BOUNDS, Collected, InOrder, collect
from holotype.demo.web.engines import Engine
from holotype.demo.web.hosts import HERE, KINDS, Kind, Said
from holotype.demo.web.serving import Ports
from holotype.demo.web.works import LICENCES, POLICY, lay_out
from holotype.errors import SourceError
from holotype.licences import LicencePolicy, parse
from holotype.ontology import Ontology
from holotype.project import Project

ONE_EACH = [replace(kind, hosts=1) for kind in KINDS]
QUICK = replace(BOUNDS, deadline=2.0, grace=1.0)
TARGETS = ("n02084071", "n02121620")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve photographs of dogs, and twelve of cats."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(24):
        name = "dog" if number < 12 else "cat"
        (folder / f"{name} {number}.png").write_bytes(encoded(photo(number), "PNG"))
    return folder


def collected(db: Project, folder: Path, kinds: Sequence[Kind] = ONE_EACH, seed: int = 1) -> Collected:
    targets = [db.ontology[wnid] for wnid in TARGETS]
    return collect(db, targets, read_folder(folder), folder, 24, seed, lambda *_: None, kinds, QUICK)


def test_every_address_ends_as_its_host_would_have_it_and_counts_add_up(project: Project, folder: Path) -> None:
    found = collected(project, folder)
    *rows, whole = found.rows
    assert [row.kind for row in rows] == [kind.name for kind in KINDS]
    for kind, row in zip(KINDS, rows, strict=True):
        reasons = set(row.rejected or ())
        assert reasons <= {kind.ends, "licence"} - {""}, kind.name
        assert (kind.ends in reasons) if kind.ends else row.kept > 0, kind.name
        assert not kind.ends or row.kept == row.duplicate == 0, kind.name
    assert whole.addresses == sum(row.addresses for row in rows) == len(found.shown) == found.report.total
    assert found.shown <= found.photos.keys()
    assert sum(project.collect.outcomes().values()) == whole.addresses
    assert len(project.images.inputs("kept")) == whole.kept
    assert len(project.images.inputs("duplicate")) == whole.duplicate > 0
    policy = LicencePolicy.of(POLICY)
    assert all(policy.allows(licence) for licence in project.licences.counts())


def test_nothing_is_left_and_nothing_is_done_twice(project: Project, folder: Path) -> None:
    kinds = [kind for kind in ONE_EACH if kind.name in ("open", "gone", "closed", "refused")]
    first = collected(project, folder, kinds)
    assert not [one for one in threading.enumerate() if one.name.startswith("holotype")]
    ports = {urlsplit(url).port for url in first.photos}
    for port in ports:
        with pytest.raises(ConnectionRefusedError), socket.create_connection((HERE, port or 0), 5):
            pass
    again = collected(project, folder, kinds)
    assert (again.rows, again.shown) == (first.rows, frozenset())


def test_hosts_that_keep_us_out_are_not_asked_for_pictures(project: Project, folder: Path) -> None:
    asked = list[str]()

    def noted(path: str, picture: bytes) -> Said:
        asked.append(path)
        return Said(body=picture)

    shut = [replace(kind, answer=noted) for kind in ONE_EACH if kind.name in ("closed", "choosy", "mute", "aitxt")]
    found = collected(project, folder, [ONE_EACH[0], *shut])
    assert {row.kind for row in found.rows if row.addresses} == {"open", *(kind.name for kind in shut), "all"}
    assert asked == []


def test_what_comes_is_taken_in_in_the_same_order_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def backwards(_: Web, wanted: Callable[[], Sequence[Wanted]]) -> AsyncGenerator[Outcome, None]:
        while some := wanted():
            for one in reversed(some):
                yield Refused(one.url, "dead")

    monkeypatch.setattr(Web, "outcomes", backwards)
    lists = [[Wanted(f"http://a.test/{number}") for number in some] for some in (range(5), range(5, 7), ())]
    left = iter(lists)

    async def urls() -> list[str]:
        web = InOrder(Agent("me@example.org"))
        return [one.url async for one in web.outcomes(lambda: next(left))]

    assert asyncio.run(urls()) == [f"http://a.test/{number}" for number in range(7)]


def test_photographs_lie_on_hosts_that_send_them_and_some_on_others() -> None:
    photos = [Photo(PurePosixPath(f"{number}.png"), "A dog.") for number in range(300)]
    works = lay_out(photos, KINDS, (8000, 8001), seed=1)
    kind_of = {name: kind for kind in KINDS for name in kind.names}
    assert all(any(not kind_of[work.host].ends for work in some) for some in works.values())
    hosts = {work.host for some in works.values() for work in some}
    assert hosts == kind_of.keys()
    assert len(hosts) == 50
    assert {work.licence for some in works.values() for work in some} == set(LICENCES)
    assert {work.host for some in works.values() for work in some if ":8001/" in work.url} == {"refused-1.test"}
    assert works == lay_out(photos, KINDS, (8000, 8001), seed=1) != lay_out(photos, KINDS, (8000, 8001), seed=2)
    for some in works.values():
        for work in some:
            assert parse("", work.licence_url).code == {"pdm": "pdm", "cc0": "cc0"}.get(work.licence, work.licence)


def test_an_engine_finds_words_in_any_sense_and_then_what_lies_near(wordnet: Ontology) -> None:
    said = {"birds/a.png": "A crane.", "machines/b.png": "A crane.", "birds/c.png": "A sparrow.", "d.png": "A cup."}
    photos = [Photo(PurePosixPath(path), description) for path, description in said.items()]
    works = lay_out(photos, KINDS[:1], (80, 80), seed=1)
    engine = Engine(photos, works, wordnet, 3, lambda _: True)

    def found(query: str) -> list[int]:
        return list(dict.fromkeys(work.photo for work in engine.find(query)))

    assert set(found("crane")[:2]) == {0, 1}
    assert len(found("crane")) == 4
    assert set(found("wading bird")[:2]) == {0, 1}
    assert set(found("crane bird")[:2]) == {0, 1}
    assert found("crane bird")[2] == 2
    assert len(found("xyzzy")) == 3


def test_ports_are_remembered_and_who_takes_one_is_told(tmp_path: Path) -> None:
    with Ports(tmp_path / "ports") as ports:
        first = ports.number, ports.refusing
    with Ports(tmp_path / "ports") as ports:
        assert (ports.number, ports.refusing) == first
    with socket.create_server((HERE, first[1])), pytest.raises(SourceError, match=f"port {first[1]} before"):
        Ports(tmp_path / "ports")
    with socket.create_server((HERE, first[0])):
        pass  # it was let go of
