"""A hostile web, hostile sources and hostile lists: one item each, and everything else goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from conftest import encoded, photo, run
from holotype.catalog import schema as t
from holotype.collect.net.agent import Agent
from holotype.collect.net.flow import Flow
from holotype.collect.net.outcomes import Fetched, Outcome
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.licences import LicencePolicy
from holotype.project import Project
from holotype.project.fetching import Fetching
from holotype.provenance import one_spelling
from loopback.pictures import Pictures
from loopback.service import Answer, Service

WHIPPET = "n02091134"
QUICK = Limits(Rate(8, 0.0, 8), Rate(8, 0.0, 8))


def web(*services: Service) -> Web:
    local = [("127.0.0.1", int(one.root.rpartition(":")[2])) for one in services]
    return Web(Agent("me@example.org"), QUICK, local=local)


@pytest.fixture
def host() -> Iterator[Pictures]:
    """A host of five photographs, `1.jpg` to `5.jpg`."""
    with Pictures({f"/{number}.jpg": encoded(photo(number)) for number in range(1, 6)}) as host:
        yield host


def listed(db: Project, folder: Path, *urls: str) -> None:
    """Take up a list of these addresses."""
    (folder / "list.txt").write_text("".join(f"{url}\n" for url in urls))
    db.collect.read_list(folder / "list.txt", WHIPPET)


NO_ADDRESS = (
    "http://[::1/a.jpg",
    "http://[ex]/a.jpg",
    "http://a]b/",
    "http://a\u2100b.test/",
    "http://ex.test\uff1a80/",
)


def test_addresses_that_nobody_can_read_are_rejected_and_stop_nothing(
    project: Project, host: Pictures, tmp_path: Path
) -> None:
    listed(project, tmp_path, *NO_ADDRESS, f"{host.root}/1.jpg", f"http://{'a' * 4_000}.test/")
    report = project.collect.fetch(web(host))
    assert (report.kept, report.rejected, report.total) == (1, {"bad_url": 6}, 7)
    assert max(map(len, report.hosts)) <= 255


def test_headers_in_no_encoding_are_not_kept_and_the_picture_is(
    project: Project, host: Pictures, tmp_path: Path
) -> None:
    odd = {"ETag": '"\xff\xfe"', "Last-Modified": "\xe9", "Date": "\xff", "Content-Type": "\xff"}
    host.files["/1.jpg"] = Answer(200, encoded(photo(1)), odd)
    host.files["/2.jpg"] = Answer(200, encoded(photo(2)), {"ETag": f'"{"x" * 5_000}"'})
    listed(project, tmp_path, *(f"{host.root}/{number}.jpg" for number in range(1, 6)))
    assert project.collect.fetch(web(host)).kept == 5


@pytest.mark.parametrize("name", [b"a\xff.txt", b"a\nb.txt", b"\x1b[31m.txt"])
def test_a_list_may_be_called_anything(project: Project, host: Pictures, tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_text(f"{host.root}/1.jpg\n")
    asked = ["collect", WHIPPET, "--list", path, "--no-fetch", "--contact", "me@a.test", "-p", project.path]
    read, waiting = run(*asked).splitlines()
    assert read.endswith(": 1 row, 1 new address")
    assert waiting.startswith("1 address waits to be fetched")
    assert '"fresh": 0' in run(*asked, "--json")


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("http://a.test/x.jpg", "HTTP://A.test:80/x.jpg#top"),
        ("https://a.test/x.jpg", "https://a.test:443/%78.jpg"),
        ("http://a.test", "http://a.test/"),
        ("http://a.test/%c3%a9?q=%2f", "http://a.test/\xe9?q=%2F"),
    ],
)
def test_spellings_of_an_address(url: str, other: str) -> None:
    assert one_spelling(url) == one_spelling(other)
    assert one_spelling(one_spelling(url)) == one_spelling(url)


@pytest.mark.parametrize(
    "other", ["https://a.test/x.jpg", "http://a.test/X.jpg", "http://a.test:443/x.jpg", "ftp://a/"]
)
def test_what_is_another_address(other: str) -> None:
    assert one_spelling("http://a.test/x.jpg") != one_spelling(other)


def test_an_address_is_fetched_once_however_it_is_spelt(project: Project, host: Pictures, tmp_path: Path) -> None:
    shouted = f"HTTP{host.root[4:]}"
    listed(project, tmp_path, *(f"{host.root}/{one}" for one in ("1.jpg", "1.jpg#a", "%31.jpg")), f"{shouted}/1.jpg")
    assert (project.collect.fetch(web(host)).total, host.fetched) == (1, ["/1.jpg"])


def test_a_name_of_a_picture_is_one_line(project: Project, host: Pictures, tmp_path: Path) -> None:
    host.files |= {f"/%00%0a%1b[31m{number}.jpg": encoded(photo(number)) for number in (8, 9)}
    listed(project, tmp_path, *(f"{host.root}/%00%0a%1b[31m{number}.jpg" for number in (8, 9)))
    assert project.collect.fetch(web(host)).kept == 2
    with project.catalog.read() as connection:
        names = connection.execute(select(t.intake.c.name)).scalars().all()
    assert len(names) == 2
    assert all(name.isprintable() for name in names)


class Killed(BaseException):
    """Stands for kill -9."""


def test_pictures_that_trickle_in_are_committed_now_and_then(project: Project, tmp_path: Path) -> None:
    """A polite host gives one a second: a hundred were waited for, and all of them fetched again after a kill."""
    urls = [f"http://a.test/{number}.jpg" for number in range(40)]
    listed(project, tmp_path, *urls)
    seconds = count()
    fetching = Fetching(project.collect._parts, LicencePolicy(), timer=lambda: next(seconds) / 4)

    class Trickle(Flow):
        def outcomes(self, _: float) -> Iterator[Outcome | None]:
            for number, wanted in enumerate(fetching.wanted()):
                yield Fetched(wanted.url, wanted.url, encoded(photo(number)))
            raise Killed

    with pytest.raises(Killed):
        fetching.run(Trickle(lambda: web().outcomes(list)))
    assert len(project.images.inputs("kept")) >= 20
