"""What was fetched is committed within a second, however slowly it comes: a kill loses no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, repeat
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import pytest
from sqlalchemy import func, select

from conftest import encoded, photo
from holotype.catalog import schema as t
from holotype.collect.net.flow import Flow
from holotype.collect.net.outcomes import Fetched
from holotype.licences import LicencePolicy
from holotype.project import Project
from holotype.project.fetching import Fetching

URLS = [f"https://a.test/{number}.jpg" for number in range(1, 5)]


class Trickle:
    """A flow of a picture at a time, that notes how many were committed whenever one is asked for."""

    interrupted = False

    def __init__(self, project: Project) -> None:
        self.project = project
        self.committed: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def outcomes(self, _: float) -> Iterator[Fetched]:
        for number, url in enumerate(URLS, 1):
            with self.project.catalog.read() as connection:
                self.committed.append(connection.execute(select(func.count()).select_from(t.fetch)).scalar_one())
            yield Fetched(url, url, encoded(photo(number)))

    to_the_end = outcomes


@pytest.mark.parametrize(
    ("clock", "committed"), [(count(1.0).__next__, [0, 1, 2, 3]), (repeat(1.0).__next__, [0, 0, 0, 0])]
)
def test_what_came_is_committed_when_a_second_has_gone_by(
    project: Project, tmp_path: Path, clock: Callable[[], float], committed: list[int]
) -> None:
    (tmp_path / "urls.txt").write_text("".join(f"{url}\n" for url in URLS))
    project.collect.read_list(tmp_path / "urls.txt", "whippet")
    run, flow = Fetching(project._parts, LicencePolicy(), timer=clock), Trickle(project)
    assert len(run.wanted()) == 4
    report = run.run(cast(Flow, flow))
    assert (report.kept, flow.committed) == (4, committed)
