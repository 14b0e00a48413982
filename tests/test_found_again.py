"""What is found for one synset today is found for another tomorrow; and what is not to be had counts for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conftest import encoded, photo
from holotype.catalog import searches
from holotype.catalog.searches import REJECTED, WAITING, Answered, History
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import Key
from holotype.collect.spending import Ways
from holotype.project import Project
from holotype.project.searching import rows_of
from loopback.corpus import works
from loopback.openverse import OpenverseServer
from loopback.pictures import Pictures
from loopback.service import Service

WHIPPET, DOG = "n02091134", "n02084071"


@pytest.fixture
def host() -> Iterator[Pictures]:
    with Pictures({f"/{number}.jpg": encoded(photo(number)) for number in range(1, 6)}) as host:
        yield host


def web(*services: Service) -> Web:
    quick = Limits(Rate(8, 0.0, 8), Rate(8, 0.0, 8))
    return Web(
        Agent("me@example.org"), quick, local=[("127.0.0.1", int(one.root.rpartition(":")[2])) for one in services]
    )


def listed(folder: Path, host: Pictures, *numbers: int) -> Path:
    path = folder / f"{'-'.join(map(str, numbers))}.txt"
    path.write_text("".join(f"{host.root}/{number}.jpg\n" for number in numbers))
    return path


def test_a_picture_that_a_later_list_has_for_another_synset_is_a_candidate_for_both(
    project: Project, host: Pictures, tmp_path: Path
) -> None:
    project.collect.read_list(listed(tmp_path, host, 1, 2, 99), WHIPPET)
    project.collect.fetch(web(host))
    fetched = list(host.fetched)
    report = project.collect.read_list(listed(tmp_path, host, 1, 2, 3, 99), DOG)
    assert (report.fresh, report.known) == (1, 2)
    project.collect.fetch(web(host))
    assert [path for path in host.fetched if path not in fetched] == ["/3.jpg"]
    assert [len(project.images.find(f"synset:{synset}")) for synset in (WHIPPET, DOG)] == [2, 3]


def test_a_picture_that_a_later_search_finds_for_another_synset_is_a_candidate_for_both(
    project: Project, host: Pictures
) -> None:
    with OpenverseServer(works(5, host.root, words="dog")) as server:
        server.clients["client-id-1"] = "secret-of-mine"
        for synset in (WHIPPET, DOG):
            openverse = Openverse(api=server.url, client=Key("client-id-1"), secret=Key("secret-of-mine"))
            found = project.collect.search(project.collect.queries([synset]), [openverse], web(server))
            assert found.fresh["openverse"] == 5
            project.collect.fetch(web(host))
    assert len(host.fetched) == 5
    assert [len(project.images.find(f"synset:{synset}")) for synset in (WHIPPET, DOG)] == [5, 5]


def test_the_same_list_again_changes_nothing(project: Project, host: Pictures, tmp_path: Path) -> None:
    path = listed(tmp_path, host, 1, 2)
    project.collect.read_list(path, WHIPPET)
    project.collect.fetch(web(host))
    report = project.collect.read_list(path, WHIPPET)
    assert (report.fresh, report.known) == (0, 0)
    assert len(project.images.find(f"synset:{WHIPPET}")) == 2


def test_nothing_is_expected_of_what_was_rejected(project: Project, host: Pictures) -> None:
    host.files = {path: host.files[path] for path in ("/1.jpg", "/2.jpg")}
    with OpenverseServer(works(5, host.root, words="dog")) as server:
        queries, sources = project.collect.queries([WHIPPET]), [Openverse(api=server.url)]
        before = project.collect.search(queries, sources, web(server), requests=3)
        project.collect.fetch(web(host))
        with project.catalog.read() as connection:
            history = searches.history(connection, range(1, 10))
        states = dict(zip(history.link.tolist(), history.state.tolist(), strict=True))
        assert sorted(states.values()) == [REJECTED] * 3 + [0, 0]
        server.corpus = []
        after = project.collect.search(queries, sources, web(server), requests=3)
    assert after.expected[WHIPPET] == pytest.approx(before.expected[WHIPPET] * 2 / 5)


def test_a_rejected_link_is_no_new_one_on_a_page_and_on_no_later_page() -> None:
    one = np.zeros(1, np.int64)
    ways = Ways(one, one, np.ones(1), one + 20, one + 10)
    columns = [[1] * 4, [1, 1, 2, 2], [1, 1, 2, 2], [7, 8, 8, 9], [WAITING, REJECTED, REJECTED, WAITING]]
    history = History(*(np.array(column) for column in columns))
    rows, held = rows_of(ways, [1], {1: Answered(2, 4, 3, None, "3")}, history)
    assert [row[:4] for row in rows] == [(0, 1, 0, 1), (0, 2, 2, 1)]
    assert held == [{7, 8, 9}]
