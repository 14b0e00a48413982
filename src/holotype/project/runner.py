"""A runner: a thread that drives a project's campaigns while something else, such as a web server, goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final

from holotype.crowd.port import Crowd
from holotype.engine import on_a_thread
from holotype.project.campaigns import Campaigns

PAUSE: Final = 1.0
"""Seconds between looks into the inbox."""

_REST: Final = 10.0
"""Seconds at most that it rests for as long as it worked: a look at a large catalog takes long, and people wait."""

_log: Final = logging.getLogger("holotype.project")


class Runner:
    """Drives campaigns with one crowd as soon as sheets come in, or when it is time to.

    Of several runners of a project one does, and another takes over where it ends, in whatever way. What a step fails
    by is remembered in `Campaigns.failing`, and it is tried again; a campaign that fails says so by itself.
    """

    def __init__(
        self, campaigns: Campaigns, crowd: Crowd, clock: Callable[[], float] = time.time, pause: float = PAUSE
    ) -> None:
        self._campaigns, self._crowd, self._clock, self._pause = campaigns, crowd, clock, pause
        self._stopped = Event()

    @contextmanager
    def running(self) -> Iterator[Runner]:
        """Drive campaigns on a thread while this lasts; ends after the step at hand."""
        try:
            with on_a_thread("holotype-runner", self._run, self._stopped):
                yield self
        finally:
            self._campaigns.turn.let_go()

    def _run(self) -> None:
        while True:
            start = time.perf_counter()
            self.step()
            took = time.perf_counter() - start
            if self._stopped.wait(max(self._pause, min(took, _REST))):
                return

    def step(self) -> None:
        """One tick of the campaigns, and a forecast if it is time for one, unless another process drives them."""
        told = ""
        try:
            if self._campaigns.turn.take():
                self._campaigns.renew()
                self._campaigns.tick(self._crowd, self._clock())
                self._campaigns.foresee(self._clock())
        except Exception as error:  # noqa: BLE001 - a full disk, a database that is gone: it is tried again
            told = f"{type(error).__name__}: {error}"
            if told != self._campaigns.failing:
                _log.warning("campaigns were not driven, which is tried again: %s", told)
        self._campaigns.failing = told
