"""An evaluator: a thread that evaluates what teams submit while something else, such as a web server, goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final

from holotype.benchmark.booth.outside import Stopped
from holotype.engine import on_a_thread
from holotype.project.benchmarks import Benchmarks

PAUSE: Final = 2.0
"""Seconds between looks into the queue."""

_log: Final = logging.getLogger("holotype.project")


class Evaluator:
    """Evaluates submissions to all benchmarks, one after the other. What that fails by is tried again."""

    def __init__(self, benchmarks: Benchmarks, pause: float = PAUSE) -> None:
        self._benchmarks, self._pause, self._failing = benchmarks, pause, ""
        self._stopped = Event()

    @contextmanager
    def running(self) -> Iterator[Evaluator]:
        """Evaluate on a thread while this lasts; an evaluation that has not ended then is left, to be done again."""
        with on_a_thread("holotype-evaluator", self._run, self._stopped):
            yield self

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self.step() and self._stopped.wait(self._pause):
                return

    def step(self) -> bool:
        """Evaluate one submission; False where none waits, or none could be."""
        told, done = "", False
        try:
            done = self._benchmarks.are_any() and self._benchmarks.evaluate_next(stop=self._stopped) is not None
        except Stopped:
            return False
        except Exception as error:  # noqa: BLE001 - a full disk, a database that is gone: it is tried again
            told = type(error).__name__  # and no more: what it says may be of what is hidden
            if told != self._failing:
                _log.warning("submissions were not evaluated, which is tried again: %s", told)
        self._failing = told
        return done
